/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/mask_rows.h"

#include "cli/field.h"
#include "model/varlink_message.h"

json_t *mask_list(const struct rule_masks *masks)
{
    _cleanup_json_ json_t *list = json_array();
    for (size_t i = 0; list && i < masks->count; i++) {
        /* names of files: any bytes */
        _cleanup_free_ char *path = render_printable(masks->items[i].path);
        _cleanup_free_ char *by = render_printable(masks->items[i].by);
        json_t *mask = json_pack("{s:s, s:s}", "path", path ? path : "", "by", by ? by : "");
        if (json_array_append_new(list, mask) < 0)
            return NULL;
    }
    return TAKE_PTR(list);
}

void mask_rows_add(struct rows *rows, const json_t *masked)
{
    size_t index;
    const json_t *mask;
    if (json_array_size(masked) == 0)
        return;
    rows_add_text(rows, 0, STYLE_STRONG, "rule files that are not read");
    json_array_foreach(masked, index, mask)
    {
        const char *by = field_text(mask, "by", "?");
        bool disabled = streq(by, "/dev/null");
        rows_add_text(rows, 1, STYLE_PLAIN, "%s: %s %s", field_text(mask, "path", "?"),
                      disabled ? "a link to" : "masked by", by);
    }
}
