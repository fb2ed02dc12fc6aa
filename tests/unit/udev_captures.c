/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "udev_captures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>

const char *const udev_captures_kernels[2] = {"6.1", "7.3"};

static char *load(const char *kernel, const char *suffix, size_t *ret_size)
{
    const char *source = getenv("srcdir"); /* automake's, where the build is elsewhere */
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/data/captures-udev/%s.%s", source ? source : ".", kernel,
             suffix);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    data[size] = '\0';
    *ret_size = (size_t)size;
    return data;
}

void udev_captures_load(const char *kernel, struct udev_captures *ret)
{
    size_t texts_size;
    ret->kernel = kernel;
    ret->messages = load(kernel, "cap", &ret->messages_size);
    ret->texts = load(kernel, "records", &texts_size);
    assert_int_equal(strlen(ret->texts), texts_size);
}

void udev_captures_done(struct udev_captures *captures)
{
    free(captures->messages);
    free(captures->texts);
    *captures = (struct udev_captures){0};
}

bool udev_captures_next_message(const struct udev_captures *captures, size_t *position,
                                struct udev_captures_message *message)
{
    uint32_t head[4];
    while (*position < captures->messages_size) {
        const char *at = captures->messages + *position;
        assert_true(*position + sizeof(head) <= captures->messages_size);
        memcpy(head, at, sizeof(head));
        uint32_t size = le32toh(head[0]), group = le32toh(head[1]);
        assert_true(size <= captures->messages_size - *position - sizeof(head));
        *position += sizeof(head) + size;
        if (group == 2) {
            message->bytes = at + sizeof(head);
            message->size = size;
            return true;
        }
        assert_int_equal(group, 0);
        assert_true(size < sizeof(message->scenario));
        memcpy(message->scenario, at + sizeof(head), size);
        message->scenario[size] = '\0';
    }
    return false;
}

/* The end of a text: the next title, or the end of all. */
static const char *find_end(const char *text)
{
    for (; *text; text = strchr(text, '\n') + 1)
        if (after_prefix(text, "== "))
            return text;
    return text;
}

bool udev_captures_next_text(const struct udev_captures *captures, const char *kind,
                             size_t *position, struct udev_captures_text *ret)
{
    while (captures->texts[*position]) {
        const char *title = captures->texts + *position;
        char found[16];
        assert_int_equal(sscanf(title, "== %63s %15s %255s\n", ret->scenario, found, ret->name), 3);
        ret->text = strchr(title, '\n') + 1;
        const char *end = find_end(ret->text);
        ret->size = (size_t)(end - ret->text);
        *position = (size_t)(end - captures->texts);
        if (streq(found, kind))
            return true;
    }
    return false;
}
