/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"

/* What follows the name in /proc/PID/stat, which may hold anything; NULL: no such process. */
static char *read_stat(pid_t pid, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return file_read_at(AT_FDCWD, path, text, size) <= 0 ? NULL : strrchr(text, ')');
}

bool process_is_alive(pid_t pid)
{
    char text[1024];
    const char *at = read_stat(pid, text, sizeof(text));
    return at && at[1] == ' ' && !strchr("ZX", at[2]);
}

uint64_t process_start_time(pid_t pid)
{
    char text[1024];
    char *at = read_stat(pid, text, sizeof(text));
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

int process_open(pid_t pid, uint64_t start_time)
{
    _cleanup_close_ int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0u) : -1;
    if (fd < 0)
        return pid > 0 ? -errno : -ESRCH;
    return start_time > 0 && process_start_time(pid) == start_time ? TAKE_FD(fd) : -ESRCH;
}

int process_owner(pid_t pid, uid_t *ret)
{
    char path[64];
    struct stat own, its, process;
    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &its) < 0 || stat("/proc/self/ns/user", &own) < 0)
        return -errno;
    if (own.st_dev != its.st_dev || own.st_ino != its.st_ino)
        return ioctl(fd, NS_GET_OWNER_UID, ret) < 0 ? -errno : 0;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    if (stat(path, &process) < 0)
        return -errno;
    *ret = process.st_uid;
    return 0;
}

int process_boot_id(char ret[PROCESS_BOOT_ID_SIZE])
{
    char text[64];
    ssize_t r = file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text));
    if (r < 0)
        return (int)r;
    text[strcspn(text, "\n")] = '\0';
    if (strlen(text) != PROCESS_BOOT_ID_SIZE - 1)
        return -EBADMSG;
    memcpy(ret, text, PROCESS_BOOT_ID_SIZE);
    return 0;
}

/* By device and inode: a mount namespace that was copied from ours has other mounts, but shows the
 * same directory as long as nobody has pivoted. */
int process_has_our_root(pid_t pid)
{
    char path[64];
    struct stat own, its;
    snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
    if (stat(path, &its) < 0 || stat("/", &own) < 0)
        return -errno;
    return its.st_dev == own.st_dev && its.st_ino == own.st_ino;
}
