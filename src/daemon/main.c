/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* devolved: parse, set up, run, tear down. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "daemon/control.h"
#include "daemon/drain.h"
#include "daemon/machined.h"
#include "daemon/waiting.h"
#include "kernel/confinement.h"
#include "kernel/courier.h"

#define STOP_DEADLINE_US 4000000u
#define RULES_OPTIONS_MAX                                                                          \
    (SERVICE_RULE_DIRECTORIES_MAX - 1) /* one is below the runtime directory */

static const char *const default_rule_directories[] = {
    "/etc/devolve/rules.d", "/run/devolve/rules.d", "/usr/lib/devolve/rules.d"};

struct daemon {
    struct service_options options;
    char runtime_rules[PATH_MAX];
    enum log_target log_target;
    int log_level;
    sd_event *event;
    struct service service;
    struct control *control;
    struct waiting *waiting;
    bool without_machined;
    struct machined *machined;
    int lock_fd; /* the runtime directory is ours as long as it is open */
};

static void usage(FILE *to)
{
    fputs("Usage: devolved [OPTION]...\n"
          "Gives Linux containers their devices.\n\n"
          "  --runtime-dir DIR      everything that is written is below it (/run/devolve)\n"
          "  --rules DIR            a directory of *.rules, in place of the default ones; may be\n"
          "                         repeated, the first masks the later\n"
          "  --log-level LEVEL      error, warning, notice, info or debug (info)\n"
          "  --log-target TARGET    stderr or journal (stderr)\n"
          "  --receive-buffer BYTES of the uevent socket, for tests of an overrun (134217728)\n"
          "  --no-machined          leave systemd-machined's containers alone\n"
          "  --version, --help\n",
          to);
}

static int parse_level(const char *name)
{
    static const struct {
        const char *name;
        int level;
    } levels[] = {{"error", LOG_ERR},
                  {"warning", LOG_WARNING},
                  {"notice", LOG_NOTICE},
                  {"info", LOG_INFO},
                  {"debug", LOG_DEBUG}};
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        if (streq(levels[i].name, name))
            return levels[i].level;
    return -1;
}

static int wrong(const char *option, const char *value)
{
    fprintf(stderr, "devolved: --%s does not take '%s'; see devolved --help\n", option, value);
    return -EINVAL;
}

static int set_option(struct daemon *daemon, int option, const char *value)
{
    struct service_options *options = &daemon->options;
    uint64_t number;
    switch (option) {
    case 'd':
        options->runtime_directory = value;
        return *value == '/' ? 0 : wrong("runtime-dir", value);
    case 'r':
        if (options->rule_directory_count == RULES_OPTIONS_MAX)
            return wrong("rules", value);
        options->rule_directories[options->rule_directory_count++] = value;
        return 0;
    case 'l':
        daemon->log_level = parse_level(value);
        return daemon->log_level < 0 ? wrong("log-level", value) : 0;
    case 't':
        daemon->log_target = streq(value, "journal") ? LOG_TARGET_JOURNAL : LOG_TARGET_STDERR;
        return streq(value, "journal") || streq(value, "stderr") ? 0 : wrong("log-target", value);
    case 'b':
        if (text_to_number(value, 1u << 30, &number) <= 0)
            return wrong("receive-buffer", value);
        options->receive_buffer = number;
        return 0;
    case 'm':
        daemon->without_machined = true;
        return 0;
    default:
        usage(stderr);
        return -EINVAL;
    }
}

/*
 * Without --rules the default directories; and in any case, behind those that were named, the one
 * below the runtime directory, where attachments are kept that do not outlive the host's run.
 */
static int complete_rule_directories(struct daemon *daemon)
{
    struct service_options *options = &daemon->options;
    size_t length = strlen(options->runtime_directory);
    while (length > 1 && options->runtime_directory[length - 1] == '/')
        length--;
    if (snprintf(daemon->runtime_rules, sizeof(daemon->runtime_rules), "%.*s/rules.d", (int)length,
                 options->runtime_directory) >= (int)sizeof(daemon->runtime_rules))
        return wrong("runtime-dir", options->runtime_directory);
    options->runtime_rule_directory = daemon->runtime_rules;

    for (size_t i = 0; options->rule_directory_count == 0 && i < 3; i++)
        options->rule_directories[i] = default_rule_directories[i];
    if (options->rule_directory_count == 0)
        options->rule_directory_count = 3;
    for (size_t i = 0; i < options->rule_directory_count; i++)
        if (streq(options->rule_directories[i], daemon->runtime_rules))
            return 0;
    options->rule_directories[options->rule_directory_count++] = daemon->runtime_rules;
    return 0;
}

/* Returns 1 to go on, 0 when all was said, or -EINVAL. */
static int parse_arguments(struct daemon *daemon, int argc, char **argv)
{
    static const struct option options[] = {{"runtime-dir", required_argument, NULL, 'd'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"log-level", required_argument, NULL, 'l'},
                                            {"log-target", required_argument, NULL, 't'},
                                            {"receive-buffer", required_argument, NULL, 'b'},
                                            {"no-machined", no_argument, NULL, 'm'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (option == 'v') {
            puts(PACKAGE_STRING);
            return 0;
        }
        if (set_option(daemon, option, optarg) < 0)
            return -EINVAL;
    }
    if (optind < argc) {
        fprintf(stderr, "devolved: what is '%s'? See devolved --help\n", argv[optind]);
        return -EINVAL;
    }
    return complete_rule_directories(daemon) < 0 ? -EINVAL : 1;
}

static void on_stopped(void *userdata)
{
    struct daemon *daemon = userdata;
    (void)sd_event_exit(daemon->event, 0);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct daemon *daemon = userdata;
    (void)source;
    (void)info;
    if (daemon->service.stopping)
        return 0;
    (void)sd_notify(0, "STOPPING=1");
    drain_start(&daemon->service, STOP_DEADLINE_US, on_stopped, daemon);
    return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct daemon *daemon = userdata;
    (void)source;
    (void)info;
    if (daemon->service.stopping)
        return 0;
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_us());
    (void)service_reload(&daemon->service);
    (void)sd_notify(0, "READY=1");
    return 0;
}

/* A courier that was abandoned has ended at last. */
static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    (void)userdata;
    (void)courier_reap();
    return 0;
}

/* Two descriptors a grant and about eight a container: more than the usual soft limit. And before
 * Linux 5.11 programs and maps are charged to locked memory. What is refused may never be needed.
 */
static void raise_limits(void)
{
    const struct rlimit unlimited = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct rlimit limit;
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int lock_directory(struct daemon *daemon, int directory_fd, struct refusal *why)
{
    const char *path = daemon->options.runtime_directory;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, holder = lock;
    daemon->lock_fd = openat(directory_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (daemon->lock_fd < 0)
        return refuse(why, errno, "cannot make %s/lock: %s", path, strerror(errno));
    if (fcntl(daemon->lock_fd, F_SETLK, &lock) == 0)
        return 0;
    if (errno != EACCES && errno != EAGAIN)
        return refuse(why, errno, "cannot lock %s: %s", path, strerror(errno));
    (void)fcntl(daemon->lock_fd, F_GETLK, &holder);
    return refuse(why, EADDRINUSE, "another devolved serves %s: process %d", path,
                  (int)holder.l_pid);
}

/*
 * One daemon a directory: to a second one the nodes of the first would be leftovers, to be revoked.
 * A record lock (fcntl(2)) ends with the process, however it ends, and no courier inherits it.
 */
static int hold_runtime_directory(struct daemon *daemon, struct refusal *why)
{
    const char *path = daemon->options.runtime_directory;
    struct stat st;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return refuse(why, errno, "cannot make %s: %s", path, strerror(errno));
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(why, errno, "cannot open %s: %s", path, strerror(errno));
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return refuse(why, EPERM, "%s must belong to us, and nobody else may write there", path);
    return lock_directory(daemon, fd, why);
}

static int set_up_process(struct daemon *daemon, struct refusal *why)
{
    int passed = sd_listen_fds(1); /* before one of ours can have such a number */
    if (passed < 0)
        return refuse(why, -passed, "cannot take what the service manager passed: %s",
                      strerror(-passed));
    daemon->options.passed_sockets = passed;
    file_fill_standard(); /* or somebody would get our messages */
    raise_limits();
    (void)umask(022); /* what others are to reach below the runtime directory, they reach */
    (void)signal(SIGPIPE, SIG_IGN); /* whoever reads our messages may go first */
    return 0;
}

static int set_up_loop(struct daemon *daemon, struct refusal *why)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    int r = sd_event_default(&daemon->event);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_stop, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_stop, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_hangup, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGCHLD, on_child, daemon);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    return r < 0 ? refuse(why, -r, "cannot set up the event loop: %s", strerror(-r)) : 0;
}

static int set_up(struct daemon *daemon, struct refusal *why)
{
    int r = set_up_process(daemon, why);
    if (r == 0)
        r = set_up_loop(daemon, why);
    if (r == 0)
        r = hold_runtime_directory(daemon, why);
    if (r == 0)
        r = service_open(&daemon->service, daemon->event, &daemon->options, why);
    if (r == 0)
        r = control_open(&daemon->service, &daemon->control, why);
    if (r == 0 && !daemon->without_machined &&
        machined_open(&daemon->service, &daemon->machined) < 0)
        r = refuse(why, ENOMEM, "no memory");
    if (r == 0)
        r = confinement_enter(why);
    if (r == 0)
        daemon->waiting = waiting_open(&daemon->service);
    return r;
}

int main(int argc, char **argv)
{
    struct daemon daemon = {
        .options = {.runtime_directory = "/run/devolve", .receive_buffer = UEVENT_SOCKET_BUFFER},
        .log_level = LOG_INFO,
        .service.uevent_fd = -1,
        .lock_fd = -1,
    };
    struct refusal why = {.error = 0};

    int r = parse_arguments(&daemon, argc, argv);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    log_open(daemon.log_target, daemon.log_level);

    r = set_up(&daemon, &why);
    if (r >= 0) {
        (void)sd_notify(0, "READY=1");
        log_line(LOG_INFO, "%s serves %s", PACKAGE_STRING, daemon.options.runtime_directory);
        r = sd_event_loop(daemon.event);
    } else {
        log_line(LOG_ERR, "%s", why.text);
    }
    machined_close(daemon.machined);
    waiting_close(daemon.waiting);
    service_close(&daemon.service);
    control_close(daemon.control);
    sd_event_unref(daemon.event);
    fd_close(daemon.lock_fd);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
