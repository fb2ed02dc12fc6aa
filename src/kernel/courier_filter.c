/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/courier_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const int allowed[] = {
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fchdir),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(fstatat64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fstatfs64),
    SCMP_SYS(getdents64),
    SCMP_SYS(mkdirat),
    SCMP_SYS(move_mount),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(openat2),
    SCMP_SYS(read),
    SCMP_SYS(readlinkat),
    SCMP_SYS(recvmsg),
    SCMP_SYS(renameat2),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sendto),
    SCMP_SYS(statx),
    SCMP_SYS(symlinkat),
    SCMP_SYS(unlinkat),
    SCMP_SYS(write),
#ifdef COURIER_SANITIZED
    /* What the sanitizers' runtime needs, most of it to say what it found. */
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(madvise),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(munmap),
    SCMP_SYS(openat),
    SCMP_SYS(readlink),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sigaltstack),
#endif
};

static struct sock_fprog filter;

static int add_rules(scmp_filter_ctx context)
{
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(allowed) && r == 0; i++)
        r = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
    /* Only the placeholders: a node of 0:0, or a regular file, whose number is 0 as well. */
    if (r == 0)
        r = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(mknodat), 1,
                             SCMP_A3(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0));
    if (r == 0)
        r = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(umount2), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, MNT_DETACH | UMOUNT_NOFOLLOW));
    if (r == 0)
        r = seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0);
    if (r == 0)
        r = seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execveat), 0);
    return r;
}

/* Takes the compiled program into `filter`: before libseccomp 2.6 it is only given to a descriptor.
 */
static int export_program(scmp_filter_ctx context)
{
    struct stat st;
    _cleanup_close_ int fd = memfd_create("devolve-filter", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = seccomp_export_bpf(context, fd);
    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    size_t size = (size_t)st.st_size;
    _cleanup_free_ struct sock_filter *program = malloc(size);
    if (!program)
        return -ENOMEM;
    if (pread(fd, program, size, 0) != st.st_size)
        return -EIO;
    filter.len = (unsigned short)(size / sizeof(*program));
    filter.filter = TAKE_PTR(program);
    return 0;
}

int courier_filter_prepare(struct refusal *why)
{
    if (filter.filter)
        return 0;
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!context)
        return refuse(why, ENOMEM, "cannot make the courier's seccomp filter");
    int r = add_rules(context);
    if (r == 0)
        r = export_program(context);
    seccomp_release(context);
    if (r < 0)
        return refuse(why, -r, "cannot make the courier's seccomp filter: %s", strerror(-r));
    return 0;
}

int courier_filter_install(void)
{
    assert(filter.filter);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
        return -errno;
    return 0;
}
