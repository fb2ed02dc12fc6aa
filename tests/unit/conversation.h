/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of a command against a daemon that says what it is told to. Include it behind cmocka.h.
 */

#include "cli/command.h"
#include "fake_daemon.h"
#include "run_command.h"

#define CALL(method, parameters)                                                                   \
    "{\"method\":\"io.devolve." method "\",\"parameters\":" parameters "}"
#define REPLY(parameters)                                                                          \
    {                                                                                              \
        {                                                                                          \
            "{\"parameters\":" parameters "}", 0, false                                            \
        }                                                                                          \
    }
#define ERROR(name, parameters)                                                                    \
    {                                                                                              \
        {                                                                                          \
            "{\"error\":\"" name "\",\"parameters\":" parameters "}", 0, false                     \
        }                                                                                          \
    }

/* A grant, as the daemon tells it and as commands show it. */
#define YIELDED                                                                                    \
    "{\"symlink\":\"/dev/stick\",\"devpath\":\"/devices/tty1\",\"link_priority\":0},"              \
    "{\"symlink\":\"/dev/port\",\"devpath\":\"/devices/tty2\",\"link_priority\":null}"
#define TTY_GRANT                                                                                  \
    "{\"container\":\"web1\",\"devpath\":\"/devices/tty0\",\"node\":\"/dev/ttyUSB0\","             \
    "\"number\":\"c 188:0\",\"uid\":0,\"gid\":20,\"mode\":\"0660\",\"access\":\"rw\","             \
    "\"symlinks\":[\"/dev/zigbee\"],\"link_priority\":-1,\"yielded\":[" YIELDED "],"               \
    "\"rule_file\":\"50-lab.rules\",\"rule_line\":3,"                                              \
    "\"state\":\"delivered\",\"reason\":null}"
#define TTY_LINE                                                                                   \
    "- /dev/ttyUSB0    c 188:0  0:20 0660  rw  delivered  50-lab.rules:3  /devices/tty0\n"
#define LINK_LINES(indent)                                                                         \
    indent "|- link /dev/zigbee\n" indent                                                          \
           "|- link /dev/stick is held by /devices/tty1 (link_priority 0)\n" indent                \
           "`- link /dev/port is the node of /devices/tty2\n"

struct conversation {
    const char *name;
    command_fn *run;
    const char *argv[16];
    struct exchange exchanges[3];
    int status;
    const char *out, *err;
};

/* Runs each; a failure fails the test, and names the conversation. */
void conversations_hold(const struct conversation *conversations, size_t count);
