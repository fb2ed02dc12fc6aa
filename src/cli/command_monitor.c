/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What devolved does, as it does it: one line, or one JSON object a line, for each reply of
 * Monitor. A line is out before the next reply is waited for, so that a pipe sees it at once.
 * SIGINT and SIGTERM are read from a descriptor: they end the command between two lines, never
 * inside one.
 */

#include "cli/command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/field.h"

static enum style kind_style(const char *kind)
{
    if (streq(kind, "event") || streq(kind, "resync"))
        return STYLE_STRONG;
    return streq(kind, "outcome") ? STYLE_GOOD : STYLE_PLAIN;
}

static void print_duration(const struct render *out, const json_t *report)
{
    json_int_t duration = field_number(report, "duration_us", -1);
    if (duration < 0)
        fprintf(out->file, "  %10s ", "");
    else
        fprintf(out->file, "  %7" JSON_INTEGER_FORMAT " us ", duration);
}

/* A word and the blank or colon behind it; nothing where the report does not have it. */
static void print_part(const struct render *out, const json_t *report, const char *name,
                       enum style style, const char *after)
{
    const char *text = field_text(report, name, NULL);
    if (text)
        render_printf(out, style, " %s%s", text, after);
}

static void print_origin(const struct render *out, const json_t *report)
{
    const char *file = field_text(report, "rule_file", NULL);
    json_int_t line = field_number(report, "rule_line", 0), seqnum;
    if (file && line > 0)
        render_printf(out, STYLE_FAINT, " [%s:%" JSON_INTEGER_FORMAT "]", file, line);
    else if (file)
        render_printf(out, STYLE_FAINT, " [%s]", file);
    seqnum = field_number(report, "seqnum", -1);
    if (seqnum >= 0)
        render_printf(out, STYLE_FAINT, " (seqnum %" JSON_INTEGER_FORMAT ")", seqnum);
}

/* SECONDS.MICROSECONDS as dmesg(1) has it, kind, duration, then who, what and why. */
static void print_line(const struct render *out, const json_t *report)
{
    const char *kind = field_text(report, "kind", "?");
    json_int_t time = field_number(report, "time_us", 0);
    uint64_t us = time > 0 ? (uint64_t)time : 0;

    render_printf(out, STYLE_FAINT, "%6" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
    render_printf(out, kind_style(kind), "  %-9s", kind);
    print_duration(out, report);
    print_part(out, report, "container", STYLE_STRONG, ":");
    print_part(out, report, "action", STYLE_PLAIN, "");
    print_part(out, report, "devpath", STYLE_PLAIN, "");
    print_part(out, report, "text", STYLE_PLAIN, "");
    if (streq(kind, "ready") && !field_text(report, "text", NULL))
        render_printf(out, STYLE_FAINT, " nothing is missed from here on");
    print_origin(out, report);
    if (field_text(report, "error", NULL))
        render_printf(out, STYLE_BAD, " error: %s", field_text(report, "error", ""));
    render_newline(out);
}

static int print_json_line(struct cli *cli, const json_t *report)
{
    _cleanup_free_ char *text = json_dumps(report, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (!text)
        return command_failed(cli, "memory is short");
    fprintf(cli->out.file, "%s\n", text);
    return EXIT_DONE;
}

/* Returns EXIT_DONE, or EXIT_FAILED: also when nobody reads what is written. */
static int print_report(struct cli *cli, const json_t *report)
{
    if (!cli->json)
        print_line(&cli->out, report);
    else if (print_json_line(cli, report) != EXIT_DONE)
        return EXIT_FAILED;
    if (fflush(cli->out.file) != 0)
        return command_failed(cli, "cannot write: %s", strerror(errno));
    return EXIT_DONE;
}

/* Prints reports until `limit` (0: none) that are not "ready", the end of the daemon, or a signal.
 */
static int follow(struct cli *cli, uint64_t limit)
{
    for (uint64_t count = 0; limit == 0 || count < limit;) {
        _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
        struct refusal why = {0};
        int r = client_receive(cli->client, &reply, &why);
        if (r == -EINTR)
            return EXIT_DONE;
        if (r < 0)
            return command_failed(cli, "%s", why.text);
        if (reply.error)
            return command_refused(cli, &reply);
        if (print_report(cli, reply.parameters) != EXIT_DONE)
            return EXIT_FAILED;
        count += !field_is(reply.parameters, "kind", "ready");
        if (!reply.continues)
            return command_failed(cli, "devolved has ended the report");
    }
    return EXIT_DONE;
}

static int start_and_follow(struct cli *cli, uint64_t limit, int signal_fd)
{
    struct refusal why = {0};
    if (signal_fd < 0)
        return command_failed(cli, "cannot wait for signals: %s", strerror(errno));
    if (client_send(cli->client, "io.devolve.Monitor", NULL, true, &why) < 0)
        return command_failed(cli, "%s", why.text);
    client_wake_by(cli->client, signal_fd);
    int status = follow(cli, limit);
    client_wake_by(cli->client, -1);
    return status;
}

static int follow_until_signal(struct cli *cli, uint64_t limit)
{
    struct signalfd_siginfo info;
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);

    _cleanup_close_ int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    int status = start_and_follow(cli, limit, signal_fd);

    /* a signal that is still pending would end us with its own status when it is let through */
    while (signal_fd >= 0 && read(signal_fd, &info, sizeof(info)) > 0)
        continue;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

int command_monitor(struct cli *cli, const struct command *command, int argc, char **argv)
{
    enum { OPTION_COUNT = OPTION_FIRST };
    static const struct option options[] = {{"count", required_argument, NULL, OPTION_COUNT},
                                            COMMAND_OPTIONS_END};
    uint64_t limit = 0;
    int option, status;
    while ((option = command_option(cli, command, argc, argv, options, &status)) != -1) {
        if (option == COMMAND_ENDS)
            return status;
        if (text_to_number(optarg, UINT32_MAX, &limit) < 0 || limit == 0)
            return command_misused(cli, command, "--count %s is no number above 0", optarg);
    }
    if (command_count_arguments(cli, command, argc, 0, 0, &status) != 0)
        return status;
    if (command_connect(cli) != EXIT_DONE)
        return EXIT_FAILED;
    return follow_until_signal(cli, limit);
}
