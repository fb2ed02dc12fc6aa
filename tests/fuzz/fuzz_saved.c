/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any JSON as what a predecessor noted: it is refused, or what was understood is written and read
 * again the same.
 */

#include <stdio.h>

#include "model/saved_grant.h"
#include "model/varlink_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static json_t *through_text(json_t *json_take)
{
    check(json_take != NULL);
    char *text = json_dumps(json_take, JSON_COMPACT);
    json_decref(json_take);
    check(text != NULL);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    free(text);
    check(json != NULL);
    return json;
}

static void try_grant(const json_t *json)
{
    _cleanup_grant_ struct grant *grant = NULL, *again = NULL;
    if (saved_grant_parse(json, &grant) < 0)
        return;
    check(grant->devpath[0] == '/' && grant->inode != 0);
    check(!grant->node || after_prefix(grant->node, "/dev/"));
    for (size_t i = 0; i < grant->symlink_count; i++)
        check(after_prefix(grant->symlinks[i], "/dev/") && !strstr(grant->symlinks[i], "/../"));
    _cleanup_json_ json_t *written = through_text(saved_grant_format(grant));
    check(saved_grant_parse(written, &again) == 0);
    check(grant_equal(grant, again) && grant_same_key(grant, again));
}

static void try_share(const json_t *json)
{
    struct share share, again;
    if (saved_share_parse(json, &share) < 0)
        return;
    _cleanup_json_ json_t *written = through_text(saved_share_format(&share));
    check(saved_share_parse(written, &again) == 0);
    check(again.mode == share.mode && again.symlink_count == share.symlink_count &&
          property_list_equal(&again.env, &share.env));
    share_done(&share);
    share_done(&again);
}

static void try_word(const json_t *json)
{
    _cleanup_udev_word_ struct udev_word *word = NULL, *again = NULL;
    if (saved_word_parse(json, &word) < 0)
        return;
    _cleanup_json_ json_t *written = through_text(saved_word_format(word));
    check(saved_word_parse(written, &again) == 0);
    check(udev_word_same_record(word, again) && word->removal_size == again->removal_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_json_ json_t *json =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (!json)
        return 0;
    try_grant(json);
    try_share(json);
    try_word(json);
    return 0;
}
