/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Varlink messages from any bytes: what is accepted, formatted again and parsed again, is the same;
 * what is refused leaves a reason and the result untouched.
 */

#include "model/varlink_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void try_call(const char *text, size_t size)
{
    _cleanup_(varlink_call_done) struct varlink_call first = {0}, second = {0};
    struct refusal why = {0};
    size_t again_size = 0;

    if (varlink_call_parse(text, size, &first, &why) < 0) {
        check(why.error > 0 && why.text[0] && !first.method && !first.parameters);
        return;
    }
    _cleanup_free_ char *again =
        varlink_call_format(first.method, first.parameters, first.more, &again_size);
    /* a long line of numbers can grow beyond a call's limit: 1e22 becomes 1e+22 or more digits */
    if (!again || again_size > VARLINK_MESSAGE_MAX)
        return;
    check(again[again_size - 1] == '\0' && strlen(again) == again_size - 1);
    check(varlink_call_parse(again, again_size - 1, &second, &why) == 0);
    check(streq(first.method, second.method) && first.more == second.more);
    check(json_equal(first.parameters, second.parameters) == 1);
}

static void try_reply(const char *text, size_t size)
{
    _cleanup_(varlink_reply_done) struct varlink_reply first = {0}, second = {0};
    struct refusal why = {0};
    size_t again_size = 0;

    if (varlink_reply_parse(text, size, &first, &why) < 0) {
        check(why.error > 0 && why.text[0] && !first.error && !first.parameters);
        return;
    }
    _cleanup_free_ char *again =
        first.error ? varlink_error_format(first.error, first.parameters, &again_size)
                    : varlink_reply_format(first.parameters, first.continues, &again_size);
    if (!again)
        return;
    check(varlink_reply_parse(again, again_size - 1, &second, &why) == 0);
    check(streq_null(first.error, second.error));
    check(first.error || first.continues == second.continues);
    check(json_equal(first.parameters, second.parameters) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_call((const char *)data, size);
    try_reply((const char *)data, size);
    return 0;
}
