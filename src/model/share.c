/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/share.h"

void share_done(struct share *share)
{
    free(share->node);
    free(share->owner);
    free(share->group);
    free(share->rule_file);
    for (size_t i = 0; i < share->symlink_count; i++)
        free(share->symlinks[i]);
    property_list_done(&share->env);
    *share = (struct share){.mode = -1};
}
