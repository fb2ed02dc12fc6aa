/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/saved_grant.h"

#include <errno.h>
#include <limits.h>

#include "model/path.h"

#define PRIORITY_BIAS SHARE_LINK_PRIORITY_MAX /* numbers are written without a sign */

static int read_priority(struct json_reader *reader)
{
    return (int)json_read_number(reader, "link_priority", 2 * PRIORITY_BIAS) - PRIORITY_BIAS;
}

void saved_number_write(struct json_writer *writer, const struct devnum *number)
{
    json_write_number(writer, "kind", number->kind);
    json_write_number(writer, "major", number->major);
    json_write_number(writer, "minor", number->minor);
}

struct devnum saved_number_read(struct json_reader *reader)
{
    return (struct devnum){
        .kind = (enum node_kind)json_read_number(reader, "kind", NODE_BLOCK),
        .major = (uint32_t)json_read_number(reader, "major", UINT32_MAX),
        .minor = (uint32_t)json_read_number(reader, "minor", UINT32_MAX),
    };
}

json_t *saved_grant_format(const struct grant *grant)
{
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "devpath", grant->devpath);
    json_write_number(&writer, "inode", grant->inode);
    json_write_text(&writer, "node", grant->node);
    json_write_text(&writer, "interface", grant->interface);
    json_write_number(&writer, "ifindex", (uint64_t)grant->ifindex);
    saved_number_write(&writer, &grant->number);
    json_write_number(&writer, "uid", grant->uid);
    json_write_number(&writer, "gid", grant->gid);
    json_write_text(&writer, "owner", grant->owner);
    json_write_text(&writer, "group", grant->group);
    json_write_number(&writer, "mode", grant->mode);
    json_write_number(&writer, "access", grant->access);
    json_write_number(&writer, "options", grant->options);
    json_write_texts(&writer, "symlinks", grant->symlinks, grant->symlink_count);
    json_write_number(&writer, "link_priority", (uint64_t)(grant->link_priority + PRIORITY_BIAS));
    json_write_number(&writer, "yielded", grant->yielded);
    json_write_properties(&writer, "env", &grant->env);
    json_write_text(&writer, "rule_file", grant->rule_file);
    json_write_number(&writer, "rule_line", grant->rule_line);
    return json_writer_take(&writer);
}

/* What a grant can be at all, as its paths are to be resolved inside. */
static bool grant_is_sound(const struct grant *grant)
{
    if (!grant->devpath || !path_is_devpath(grant->devpath) || grant->inode == 0 ||
        (grant->node && (!grant_path_is_sound(grant->node) || grant->number.kind == NODE_NONE)) ||
        (grant->interface && strlen(grant->interface) >= GRANT_INTERFACE_MAX) ||
        (grant->symlink_count && !grant->node))
        return false;
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (!grant_path_is_sound(grant->symlinks[i]))
            return false;
    return true;
}

static void read_grant(struct json_reader *reader, struct grant *grant)
{
    grant->devpath = json_read_text(reader, "devpath");
    grant->inode = json_read_number(reader, "inode", INT64_MAX);
    grant->node = json_read_text(reader, "node");
    grant->interface = json_read_text(reader, "interface");
    grant->ifindex = (int)json_read_number(reader, "ifindex", INT_MAX);
    grant->number = saved_number_read(reader);
    grant->uid = (uint32_t)json_read_number(reader, "uid", UINT32_MAX);
    grant->gid = (uint32_t)json_read_number(reader, "gid", UINT32_MAX);
    grant->owner = json_read_text(reader, "owner");
    grant->group = json_read_text(reader, "group");
    grant->mode = (mode_t)json_read_number(reader, "mode", 07777);
    grant->access =
        (unsigned)json_read_number(reader, "access", ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD);
    grant->options = (unsigned)json_read_number(reader, "options", UINT_MAX);
    grant->symlink_count = json_read_texts(reader, "symlinks", grant->symlinks, SHARE_SYMLINKS_MAX);
    grant->link_priority = read_priority(reader);
    grant->yielded = (uint32_t)json_read_number(reader, "yielded", UINT32_MAX);
    json_read_properties(reader, "env", &grant->env);
    grant->rule_file = json_read_text(reader, "rule_file");
    grant->rule_line = (unsigned)json_read_number(reader, "rule_line", UINT_MAX);
}

int saved_grant_parse(const json_t *json, struct grant **ret)
{
    struct json_reader reader = json_reader_of(json);
    _cleanup_grant_ struct grant *grant = calloc(1, sizeof(*grant));
    if (grant)
        grant->symlinks = calloc(SHARE_SYMLINKS_MAX, sizeof(*grant->symlinks));
    if (!grant || !grant->symlinks)
        return -ENOMEM;
    read_grant(&reader, grant);
    if (reader.error)
        return reader.error;
    if (!grant_is_sound(grant))
        return -EBADMSG;
    *ret = TAKE_PTR(grant);
    return 0;
}

json_t *saved_share_format(const struct share *share)
{
    struct json_writer writer = json_writer_new();
    json_write_text(&writer, "node", share->node);
    json_write_text(&writer, "name", share->name);
    json_write_text(&writer, "owner", share->owner);
    json_write_text(&writer, "group", share->group);
    if (share->mode >= 0)
        json_write_number(&writer, "mode", (uint64_t)share->mode);
    json_write_number(&writer, "access", share->access);
    json_write_number(&writer, "options", share->options);
    json_write_texts(&writer, "symlinks", share->symlinks, share->symlink_count);
    json_write_number(&writer, "link_priority", (uint64_t)(share->link_priority + PRIORITY_BIAS));
    json_write_properties(&writer, "env", &share->env);
    json_write_text(&writer, "rule_file", share->rule_file);
    json_write_number(&writer, "rule_line", share->rule_line);
    return json_writer_take(&writer);
}

int saved_share_parse(const json_t *json, struct share *ret)
{
    struct json_reader reader = json_reader_of(json);
    struct share share = {.given = true, .mode = -1};
    share.node = json_read_text(&reader, "node");
    share.name = json_read_text(&reader, "name");
    share.owner = json_read_text(&reader, "owner");
    share.group = json_read_text(&reader, "group");
    if (json_object_get(json, "mode"))
        share.mode = (int)json_read_number(&reader, "mode", 07777);
    share.access =
        (unsigned)json_read_number(&reader, "access", ACCESS_READ | ACCESS_WRITE | ACCESS_MKNOD);
    share.options = (unsigned)json_read_number(&reader, "options", UINT_MAX);
    share.symlink_count = json_read_texts(&reader, "symlinks", share.symlinks, SHARE_SYMLINKS_MAX);
    share.link_priority = read_priority(&reader);
    json_read_properties(&reader, "env", &share.env);
    share.rule_file = json_read_text(&reader, "rule_file");
    share.rule_line = (unsigned)json_read_number(&reader, "rule_line", UINT_MAX);
    if (reader.error) {
        share_done(&share);
        return reader.error;
    }
    *ret = share;
    return 0;
}

json_t *saved_word_format(const struct udev_word *word)
{
    struct json_writer writer = json_writer_new();
    json_write_number(&writer, "action", word->action);
    json_write_text(&writer, "devpath", word->devpath);
    json_write_text(&writer, "id", word->id);
    json_write_text(&writer, "record", word->record);
    json_write_bytes(&writer, "removal", word->removal, word->removal_size);
    return json_writer_take(&writer);
}

/* The message was told, and is not told again. */
int saved_word_parse(const json_t *json, struct udev_word **ret)
{
    struct json_reader reader = json_reader_of(json);
    _cleanup_udev_word_ struct udev_word *word = calloc(1, sizeof(*word));
    if (!word)
        return -ENOMEM;
    word->action = (enum uevent_action)json_read_number(&reader, "action", UEVENT_UNBIND);
    word->devpath = json_read_text(&reader, "devpath");
    word->id = json_read_text(&reader, "id");
    word->record = json_read_text(&reader, "record");
    word->removal = json_read_bytes(&reader, "removal", &word->removal_size);
    if (reader.error)
        return reader.error;
    if (!word->devpath || !path_is_devpath(word->devpath) || (word->id && strchr(word->id, '/')))
        return -EBADMSG;
    *ret = TAKE_PTR(word);
    return 0;
}
