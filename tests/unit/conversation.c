/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conversation.h"

static void converse(const struct conversation *c)
{
    struct fake_daemon daemon;
    size_t count = 0;
    while (count < ARRAY_SIZE(c->exchanges) && c->exchanges[count].call)
        count++;

    fake_daemon_start(&daemon, c->exchanges, count);
    struct result result = run_command(c->run, c->argv);
    fake_daemon_stop(&daemon);
    if (result.status != c->status)
        print_error("%s: status %d\n", c->name, result.status);
    assert_string_equal(result.err, c->err);
    assert_string_equal(result.out, c->out);
    assert_int_equal(result.status, c->status);
    result_done(&result);
}

void conversations_hold(const struct conversation *conversations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("           %s\n", conversations[i].name);
        converse(&conversations[i]);
    }
}
