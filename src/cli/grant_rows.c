/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/grant_rows.h"

#include "cli/field.h"

/* An id inside, or "?" while its name has not been looked up. */
static void id_text(const json_t *grant, const char *name, char text[static 24])
{
    json_int_t id = field_number(grant, name, -1);
    if (id < 0)
        snprintf(text, 24, "?");
    else
        snprintf(text, 24, "%" JSON_INTEGER_FORMAT, id);
}

static enum style state_style(const char *state)
{
    if (streq(state, "delivered"))
        return STYLE_GOOD;
    return streq(state, "refused") ? STYLE_BAD : STYLE_WARNING;
}

static void add_place(struct rows *rows, struct row *row, const json_t *grant)
{
    const char *file = field_text(grant, "rule_file", "?");
    json_int_t line = field_number(grant, "rule_line", 0);
    if (field_true(grant, "persistent"))
        row_add(rows, row, STYLE_PLAIN, "attached, persistent (%s)", file);
    else if (line > 0)
        row_add(rows, row, STYLE_PLAIN, "%s:%" JSON_INTEGER_FORMAT, file, line);
    else
        row_add(rows, row, STYLE_PLAIN, "%s", file);
}

static void add_yielded(struct rows *rows, unsigned depth, const json_t *link)
{
    const char *symlink = field_text(link, "symlink", "?");
    const char *devpath = field_text(link, "devpath", "?");
    if (json_is_integer(json_object_get(link, "link_priority")))
        rows_add_text(rows, depth, STYLE_WARNING,
                      "link %s is held by %s (link_priority %" JSON_INTEGER_FORMAT ")", symlink,
                      devpath, field_number(link, "link_priority", 0));
    else
        rows_add_text(rows, depth, STYLE_WARNING, "link %s is the node of %s", symlink, devpath);
}

static void add_details(struct rows *rows, unsigned depth, const json_t *grant)
{
    size_t index;
    json_t *link;
    const char *reason = field_text(grant, "reason", NULL);

    json_array_foreach(field_array(grant, "symlinks"), index, link) rows_add_text(
        rows, depth, STYLE_FAINT, "link %s", json_is_string(link) ? json_string_value(link) : "?");
    json_array_foreach(field_array(grant, "yielded"), index, link) add_yielded(rows, depth, link);
    if (reason)
        rows_add_text(rows, depth, state_style(field_text(grant, "state", "?")), "%s", reason);
}

void grant_rows_add(struct rows *rows, unsigned depth, const json_t *grant)
{
    const char *state = field_text(grant, "state", "?");
    enum style rest = streq(state, "refused") ? STYLE_BAD : STYLE_PLAIN;
    char uid[24], gid[24];
    id_text(grant, "uid", uid);
    id_text(grant, "gid", gid);

    struct row *row = rows_add(rows, depth);
    row_add(rows, row, rest, "%s",
            field_text(grant, "node", field_text(grant, "interface", "(no node)")));
    row_add(rows, row, rest, "%s", field_text(grant, "number", "-"));
    row_add(rows, row, rest, "%s:%s %s", uid, gid, field_text(grant, "mode", "?"));
    row_add(rows, row, rest, "%s", field_text(grant, "access", "-"));
    row_add(rows, row, state_style(state), "%s", state);
    add_place(rows, row, grant);
    row_add(rows, row, STYLE_FAINT, "%s", field_text(grant, "devpath", "?"));
    add_details(rows, depth + 1, grant);
}

size_t grant_rows_add_all(struct rows *rows, unsigned depth, const json_t *grants,
                          const char *container)
{
    size_t index, count = 0;
    const json_t *grant;
    json_array_foreach(grants, index, grant)
    {
        if (!field_is(grant, "container", container))
            continue;
        grant_rows_add(rows, depth, grant);
        count++;
    }
    return count;
}
