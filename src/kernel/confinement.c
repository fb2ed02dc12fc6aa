/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/confinement.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* The bounding set goes too: joining a user namespace gives all capabilities there in any case. */
static const int kept[] = {
    CAP_CHOWN,        /* nodes */
    CAP_DAC_OVERRIDE, /* groups that belong to a container's root */
    CAP_FOWNER,       /* modes of nodes */
    CAP_MKNOD,        /* nodes */
    CAP_NET_ADMIN,    /* receive buffer, interfaces */
    CAP_SETGID,       /* couriers become root of the container */
    CAP_SETUID,       /* likewise */
    CAP_SYS_ADMIN,    /* namespaces, mounts, programs in groups, uevents */
    CAP_SYS_CHROOT,   /* couriers enter the container's root */
    CAP_SYS_PTRACE,   /* /proc/PID/ns of containers */
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

/* Not all that a daemon does not need, which depends on libraries; but all that it must never do.
 */
static const int refused[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(create_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(finit_module),
    SCMP_SYS(init_module),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(nfsservctl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(personality),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
#ifndef SANITIZED /* LeakSanitizer stops its threads by it */
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(quotactl),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(setdomainname),
    SCMP_SYS(sethostname),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(syslog),
    SCMP_SYS(uselib),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(vhangup),
};

static bool is_kept(int capability)
{
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (kept[i] == capability)
            return true;
    return false;
}

/* One that this kernel does not know ends the list. Without CAP_SETPCAP the set stays as it is. */
static int drop_bounding_set(struct refusal *why)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!is_kept(capability) && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) > 0 &&
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EPERM)
            return refuse(why, errno, "cannot give up capability %d: %s", capability,
                          strerror(errno));
    return 0;
}

/* Of what we have: whoever started us may have given less. */
static int drop_capabilities(struct refusal *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    uint32_t mask[_LINUX_CAPABILITY_U32S_3] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        mask[CAP_TO_INDEX(kept[i])] |= CAP_TO_MASK(kept[i]);
    if (syscall(SYS_capget, &header, data) < 0)
        return refuse(why, errno, "cannot read our capabilities: %s", strerror(errno));
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= mask[i];
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return refuse(why, errno, "cannot give up capabilities: %s", strerror(errno));
    return 0;
}

/* A call that we must never make is no mistake that is worth going on after. */
static int install_filter(struct refusal *why)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(refused); i++) {
        r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, refused[i], 0);
        if (r == -EDOM || r == -EINVAL) /* there is none on this architecture */
            r = 0;
    }
    if (r == 0)
        r = seccomp_load(filter); /* sets no_new_privs */
    seccomp_release(filter);
    return r < 0 ? refuse(why, -r, "cannot install a system call filter: %s", strerror(-r)) : 0;
}

int confinement_enter(struct refusal *why)
{
    int r = drop_bounding_set(why);
    if (r == 0)
        r = drop_capabilities(why);
    return r < 0 ? r : install_filter(why);
}
