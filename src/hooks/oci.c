/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devolve-oci-hook: tells devolved of a container whose runtime calls it, at createRuntime,
 * poststart and poststop.
 *
 * It runs with what the runtime had, and a runtime has much from the container: so first of all the
 * environment goes, the working directory, and descriptors that leaked. Then it has two seconds.
 * devolved gets most of them; when it does not answer, a note for it is left behind, and the
 * container starts all the same, unless --required.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "config.h"
#include "hooks/oci_container.h"
#include "hooks/request.h"
#include "kernel/note_directory.h"

#define ANSWER_MS 1500u /* from the start on; then a note is written */
#define CONNECT_MS 700u
#define END_MS 2000u /* whatever hangs, we do not */
#define NAME "devolve-oci-hook"

struct hook {
    struct request_limits limits;
    bool required; /* what fails fails the container */
};

/* The exit status when the time is over; for the signal handler. */
static volatile sig_atomic_t status_at_end;

static void usage(FILE *to)
{
    fputs("Usage: " NAME " [OPTION]... < STATE\n"
          "Registers a container with devolved; called by OCI runtimes.\n\n"
          "  --runtime-dir DIR  devolved's (/run/devolve)\n"
          "  --required         fail, so that the container does not start, where it cannot be\n"
          "                     registered\n"
          "  --version, --help\n",
          to);
}

static void on_end(int signal_number)
{
    static const char text[] = NAME ": the time is over\n";
    (void)signal_number;
    ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)n;
    _exit(status_at_end);
}

/* Where one of 0 to 2 is closed, what we open next would get that number. */
static void arrange_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    (void)close_range(STDERR_FILENO + 1, ~0u, 0);
}

static int forget_caller(void)
{
    sigset_t none;
    if (clearenv() != 0 || chdir("/") < 0)
        return -errno;
    arrange_descriptors();
    (void)umask(022); /* the runtime directory, if we make it, is to be reached by others */
    (void)signal(SIGPIPE, SIG_IGN); /* nobody need read our complaints */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return 0;
}

static int start_clock(struct hook *hook)
{
    const struct itimerval end = {.it_value = {.tv_sec = END_MS / 1000}};
    const struct itimerspec answer = {
        .it_value = {.tv_sec = ANSWER_MS / 1000, .tv_nsec = ANSWER_MS % 1000 * 1000000}};
    status_at_end = hook->required ? EXIT_FAILURE : EXIT_SUCCESS;
    if (signal(SIGALRM, on_end) == SIG_ERR || setitimer(ITIMER_REAL, &end, NULL) < 0)
        return -errno;
    hook->limits.over_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (hook->limits.over_fd < 0 || timerfd_settime(hook->limits.over_fd, 0, &answer, NULL) < 0)
        return -errno;
    return 0;
}

/* All of standard input, but not more than a state may have. */
static int read_state(struct oci_state *ret, struct refusal *why)
{
    static char text[OCI_STATE_MAX + 1];
    size_t size = 0;
    while (size < sizeof(text)) {
        ssize_t n = read(STDIN_FILENO, text + size, sizeof(text) - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse(why, errno, "cannot read the state: %s", strerror(errno));
        if (n == 0)
            break;
        size += (size_t)n;
    }
    return oci_state_parse(text, size, ret, why);
}

static void say(const char *id, const char *text)
{
    fprintf(stderr, NAME ": container %s: %s\n", id, text);
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
    if (leave_note(hook, id, note, &unwritten) < 0) {
        say(id, unwritten.text);
        return refusal_prefix(why, "it has no devices until it is registered by hand");
    }
    return refusal_prefix(why, "it has no devices until devolved is there");
}

static int register_container(const struct hook *hook, const struct oci_state *state,
                              struct refusal *why)
{
    _cleanup_(waiting_note_done) struct waiting_note note = {.pid = 0};
    struct refusal remark = {.error = 0};
    int r = oci_container_describe(state, &note, &remark, why);
    if (remark.error)
        say(state->id, remark.text);
    if (r <= 0)
        return r; /* 0: it has ended, and needs nothing */
    r = request_register(&hook->limits, &note, why);
    if (r < 0)
        return do_without(hook, state->id, &note, why);
    return r > 0 ? 0 : -why->error;
}

/* Its devices have gone with its process already; this ends what is left. */
static int unregister_container(const struct hook *hook, const struct oci_state *state,
                                struct refusal *why)
{
    struct refusal ignored;
    _cleanup_close_ int fd =
        note_directory_open(hook->limits.runtime_directory, "waiting", &ignored);
    if (fd >= 0)
        (void)note_directory_remove(fd, state->id);
    int r = request_unregister(&hook->limits, OCI_ID_LABEL, state->id, why);
    return r == 0 ? -why->error : 0;
}

static int run(const struct hook *hook)
{
    struct oci_state state = {.json = NULL};
    struct refusal why = {.error = 0};
    int r = read_state(&state, &why);
    if (r == 0)
        r = state.stopped ? unregister_container(hook, &state, &why)
                          : register_container(hook, &state, &why);
    if (r < 0)
        say(state.id ? state.id : "?", why.text);
    oci_state_done(&state);
    return r < 0 && hook->required ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Returns 1 to go on, 0 when all was said, or -EINVAL. */
static int parse_arguments(struct hook *hook, int argc, char **argv)
{
    static const struct option options[] = {{"runtime-dir", required_argument, NULL, 'd'},
                                            {"required", no_argument, NULL, 'r'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case 'd':
            hook->limits.runtime_directory = optarg;
            break;
        case 'r':
            hook->required = true;
            break;
        case 'v':
            puts(PACKAGE_STRING);
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return -EINVAL;
        }
    if (optind < argc || *hook->limits.runtime_directory != '/') {
        usage(stderr);
        return -EINVAL;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct hook hook = {.limits = {.runtime_directory = "/run/devolve", .connect_ms = CONNECT_MS}};
    int r = forget_caller();
    if (r == 0)
        r = parse_arguments(&hook, argc, argv);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    r = start_clock(&hook);
    if (r < 0) {
        fprintf(stderr, NAME ": %s\n", strerror(-r));
        return status_at_end;
    }
    return run(&hook);
}
