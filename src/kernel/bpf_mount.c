/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/bpf_mount.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static bool is_bpffs(const char *directory)
{
    struct statfs fs;
    return statfs(directory, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int bpf_mount(const char *directory, struct refusal *why)
{
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return refuse(why, errno, "cannot make %s: %s", directory, strerror(errno));
    if (is_bpffs(directory))
        return 0;
    if (mount("bpf", directory, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0 ||
        mount(NULL, directory, NULL, MS_PRIVATE, NULL) < 0)
        return refuse(why, errno, "cannot mount a bpffs at %s: %s", directory, strerror(errno));
    return 0;
}

static bool is_empty(const char *directory)
{
    DIR *entries = opendir(directory);
    size_t count = 0;
    if (!entries)
        return false;
    for (struct dirent *entry; (entry = readdir(entries));)
        count += !strchr(entry->d_name, '.'); /* the kernel's own files have a dot, pins cannot */
    closedir(entries);
    return count == 0;
}

void bpf_unmount(const char *directory)
{
    if (is_bpffs(directory) && is_empty(directory) && umount2(directory, MNT_DETACH) == 0)
        (void)rmdir(directory);
}
