/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "base/file.h"
#include "base/text.h"
#include "config.h"
#include "kernel/note_directory.h"
#include "kernel/process.h"

#define ANSWER_MS 1500u /* from the start on; then a note is written */
#define CONNECT_MS 700u
#define END_MS 2000u /* whatever hangs, we do not */

/* What is said and returned when the time is over; for the signal handler. */
static volatile sig_atomic_t status_at_end;
static char text_at_end[64];

struct hook hook_make(const char *program, const char *usage)
{
    return (struct hook){
        .program = program,
        .usage = usage,
        .limits = {.runtime_directory = "/run/devolve", .over_fd = -1, .connect_ms = CONNECT_MS}};
}

int hook_forget_caller(void)
{
    sigset_t none;
    if (clearenv() != 0 || chdir("/") < 0)
        return -errno;
    file_fill_standard();
    (void)close_range(STDERR_FILENO + 1, ~0u, 0);
    (void)umask(022); /* the runtime directory, if we make it, is to be reached by others */
    (void)signal(SIGPIPE, SIG_IGN); /* nobody need read our complaints */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return 0;
}

int hook_misused(const struct hook *hook)
{
    fputs(hook->usage, stderr);
    return -EINVAL;
}

int hook_option(struct hook *hook, int option)
{
    switch (option) {
    case 'd':
        hook->limits.runtime_directory = optarg;
        return *optarg == '/' ? 1 : hook_misused(hook);
    case 'r':
        hook->required = true;
        return 1;
    case 'v':
        puts(PACKAGE_STRING);
        return 0;
    case 'h':
        fputs(hook->usage, stdout);
        return 0;
    default:
        return hook_misused(hook);
    }
}

static void on_end(int signal_number)
{
    (void)signal_number;
    ssize_t n = write(STDERR_FILENO, text_at_end, strlen(text_at_end));
    (void)n;
    _exit(status_at_end);
}

static int start_clock(struct hook *hook)
{
    const struct itimerval end = {.it_value = {.tv_sec = END_MS / 1000}};
    const struct itimerspec answer = {
        .it_value = {.tv_sec = ANSWER_MS / 1000, .tv_nsec = ANSWER_MS % 1000 * 1000000}};
    status_at_end = hook->required ? EXIT_FAILURE : EXIT_SUCCESS;
    (void)snprintf(text_at_end, sizeof(text_at_end), "%s: the time is over\n", hook->program);
    if (signal(SIGALRM, on_end) == SIG_ERR || setitimer(ITIMER_REAL, &end, NULL) < 0)
        return -errno;
    hook->limits.over_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (hook->limits.over_fd < 0 || timerfd_settime(hook->limits.over_fd, 0, &answer, NULL) < 0)
        return -errno;
    return 0;
}

int hook_run(struct hook *hook, int (*fn)(const struct hook *hook, void *userdata), void *userdata)
{
    int r = start_clock(hook);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", hook->program, strerror(-r));
    else
        r = fn(hook, userdata);
    hook->limits.over_fd = fd_close(hook->limits.over_fd);
    return r < 0 && hook->required ? EXIT_FAILURE : EXIT_SUCCESS;
}

void hook_say(const struct hook *hook, const char *container, const char *text)
{
    char name[REFUSAL_MAX];
    (void)text_printable(name, sizeof(name), container, strlen(container));
    fprintf(stderr, "%s: container %s: %s\n", hook->program, name, text);
}

/* Says on what devolved finds the container when it is back. Returns 0 or a negative errno. */
static int leave_note(const struct hook *hook, const char *id, const struct waiting_note *note,
                      struct refusal *why)
{
    _cleanup_free_ char *text = waiting_note_format(note);
    if (!text)
        return refuse(why, ENOMEM, "no memory");
    _cleanup_close_ int fd = note_directory_open(hook->limits.runtime_directory, "waiting", why);
    return fd < 0 ? fd : note_directory_put(fd, id, text, why);
}

/* devolved did not answer. */
static int do_without(const struct hook *hook, const char *id, const struct waiting_note *note,
                      struct refusal *why)
{
    struct refusal unwritten = {.error = 0};
    if (hook->required)
        return -why->error;
    if (geteuid() != 0)
        return refusal_prefix(why, "it has no devices until root registers it, as only root can "
                                   "leave a note for devolved");
    if (leave_note(hook, id, note, &unwritten) < 0) {
        hook_say(hook, note->name, unwritten.text);
        return refusal_prefix(why, "it has no devices until it is registered by hand");
    }
    return refusal_prefix(why, "it has no devices until devolved is there");
}

int hook_register(const struct hook *hook, const char *kind, const struct waiting_note *note,
                  struct refusal *why)
{
    char id[32];
    (void)snprintf(id, sizeof(id), "%s:%d", kind, note->pid);
    int r = request_register(&hook->limits, note, why);
    if (r < 0)
        return do_without(hook, id, note, why);
    return r > 0 ? 0 : -why->error;
}

/* "oci:4711" of a process that has ended. */
static int sweep_note(void *userdata, const char *file)
{
    const int *directory_fd = userdata;
    const char *colon = strchr(file, ':');
    uint64_t pid;
    if (colon && text_to_number(colon + 1, INT32_MAX, &pid) > 0 && !process_is_alive((pid_t)pid))
        (void)note_directory_remove(*directory_fd, file);
    return 0;
}

static void sweep_notes(const struct hook *hook)
{
    struct refusal ignored;
    _cleanup_close_ int fd =
        note_directory_open(hook->limits.runtime_directory, "waiting", &ignored);
    if (fd >= 0)
        (void)note_directory_each(fd, sweep_note, &fd);
}

int hook_unregister(const struct hook *hook, const char *label, const char *value,
                    struct refusal *why)
{
    if (geteuid() == 0) /* nobody else has notes, or is to make the directory */
        sweep_notes(hook);
    int r = request_unregister(&hook->limits, label, value, why);
    return r == 0 ? -why->error : 0; /* who is away has nothing of it either */
}
