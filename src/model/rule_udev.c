/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_udev.h"

struct name {
    const char *text;
    bool is_prefix;
};

bool rule_udev_knows(const char *property, size_t length)
{
    static const struct name names[] = {
        {"ID_", true},      {"DEVLINKS", false}, {"TAGS", false},     {"CURRENT_TAGS", false},
        {"SYSTEMD_", true}, {"UDEV_", true},     {"LIBINPUT_", true}, {"DEVOLVE_", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t known = strlen(names[i].text);
        if (length >= known && memcmp(property, names[i].text, known) == 0 &&
            (names[i].is_prefix || length == known))
            return true;
    }
    return false;
}
