/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/note.h"

#include <errno.h>

#include "kernel/process.h"

int note_process(int pid, struct waiting_note *note, struct refusal *why)
{
    char boot_id[PROCESS_BOOT_ID_SIZE];
    note->pid = pid;
    note->start_time = process_start_time(pid);
    if (note->start_time == 0)
        return 0;
    int r = process_boot_id(boot_id);
    if (r < 0)
        return refuse(why, -r, "cannot read the boot id: %s", strerror(-r));
    free(note->boot_id);
    note->boot_id = strdup(boot_id);
    return note->boot_id ? 1 : refuse(why, ENOMEM, "no memory");
}
