/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bpffs of our own: pins there keep tail-called device programs alive when we are killed. */

#include "base/refusal.h"

/*
 * Mounts a private bpffs at `directory` (made where missing), or uses the one that a predecessor
 * left there. Returns 0, or a negative errno and the reason.
 */
int bpf_mount(const char *directory, struct refusal *why);

/* Unmounts it, unless something is still pinned there. */
void bpf_unmount(const char *directory);
