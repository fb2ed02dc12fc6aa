/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devolve-lxc-hook: tells devolved of a container of LXC, LXD or Incus, at lxc.hook.start-host and
 * lxc.hook.stop.
 *
 * A stop ends the registration of the process that stops, and of no other: names are unique below
 * one LXCPATH only, and there may be many of these, other users' and LXD's among them. The number
 * of the process is a label, as what lives under it is the same container for as long as the label
 * is there: devolved forgets a container when its process dies.
 */
#include <errno.h>
#include <stdio.h>

#include "hooks/hook.h"
#include "hooks/lxc_call.h"
#include "hooks/note.h"
#include "kernel/process.h"
#include "model/label.h"
#include "model/varlink_message.h"

#define PID_LABEL "lxc.pid"

struct lxc {
    struct lxc_environment environment;
    char **arguments;
    const char *name; /* instead of LXC's; NULL: LXC's */
    struct property_list labels;
};

/* How one process is called, in a label and as a note's file name. */
struct process_name {
    char pid[16], file[24];
};

static const char usage[] =
    "Usage: devolve-lxc-hook [OPTION]... [NAME lxc TYPE]\n"
    "Registers a container with devolved; called by LXC as lxc.hook.start-host and lxc.hook.stop.\n"
    "\n"
    "  --name NAME        register it under this name (LXC's)\n"
    "  --label KEY=VALUE  a label, by which rules can name it; may be repeated\n"
    "  --runtime-dir DIR  devolved's (/run/devolve)\n"
    "  --required         fail, so that the container does not start, where it cannot be\n"
    "                     registered\n"
    "  --version, --help\n";

static struct process_name name_process(int pid)
{
    struct process_name name;
    (void)snprintf(name.pid, sizeof(name.pid), "%d", pid);
    /* No other runtime's id has a colon. */
    (void)snprintf(name.file, sizeof(name.file), "lxc:%d", pid);
    return name;
}

static int register_container(const struct hook *hook, const struct lxc *lxc,
                              const struct lxc_call *call, struct refusal *why)
{
    _cleanup_(waiting_note_done) struct waiting_note note = {.pid = 0};
    struct process_name process = name_process(call->pid);
    int r = note_process(call->pid, &note, why);
    if (r <= 0)
        return r; /* 0: it has ended, and needs nothing */
    note.name = strdup(call->name);
    if (!note.name || property_merge(&note.labels, &lxc->labels) < 0 ||
        property_set(&note.labels, PID_LABEL, process.pid) < 0)
        return refuse(why, ENOMEM, "no memory");
    return hook_register(hook, process.file, &note, why);
}

/* Where a process has the number, ours is gone and all of its own with it: that one is another's.
 */
static int unregister_container(const struct hook *hook, const struct lxc_call *call,
                                struct refusal *why)
{
    struct process_name process = name_process(call->pid);
    if (process_start_time(call->pid) != 0)
        return 0;
    return hook_unregister(hook, process.file, PID_LABEL, process.pid, why);
}

static int serve(const struct hook *hook, void *userdata)
{
    struct lxc *lxc = userdata;
    struct lxc_call call = {.name = NULL};
    struct refusal why = {.error = 0};
    int r = lxc_call_parse(&lxc->environment, lxc->arguments, lxc->name, &call, &why);
    if (r == 0)
        r = call.stops ? unregister_container(hook, &call, &why)
                       : register_container(hook, lxc, &call, &why);
    if (r < 0)
        hook_say(hook, call.name ? call.name : "?", why.text);
    return r;
}

/* Whether the labels are such as Register takes, and there is room for our own. */
static bool are_labels(const struct property_list *labels)
{
    struct property_list taken = {.count = 0};
    if (labels->count >= LABELS_MAX)
        return false;
    _cleanup_json_ json_t *json = labels_format(labels);
    if (!json || labels_parse(json, &taken) < 0)
        return false;
    property_list_done(&taken);
    return true;
}

static int add_label(struct hook *hook, struct lxc *lxc, const char *text)
{
    const char *equals = strchr(text, '=');
    _cleanup_free_ char *key = equals ? strndup(text, (size_t)(equals - text)) : NULL;
    if (key && *key && !streq(key, PID_LABEL) && property_set(&lxc->labels, key, equals + 1) == 0 &&
        are_labels(&lxc->labels))
        return 1;
    fprintf(stderr, "%s: --label %s cannot be a label\n", hook->program, text);
    return hook_misused(hook);
}

/* Returns 1 to go on, 0 when all was said, or -EINVAL. */
static int parse_arguments(struct hook *hook, struct lxc *lxc, int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"label", required_argument, NULL, 'l'},
                                            HOOK_OPTIONS};
    int r = 1;
    for (int option; r > 0 && (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        if (option == 'n')
            lxc->name = optarg;
        else
            r = option == 'l' ? add_label(hook, lxc, optarg) : hook_option(hook, option);
    lxc->arguments = argv + optind;
    return r;
}

static int run(struct hook *hook, struct lxc *lxc, int argc, char **argv)
{
    int r = hook_forget_caller();
    if (r == 0)
        r = parse_arguments(hook, lxc, argc, argv);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    return hook_run(hook, serve, lxc);
}

int main(int argc, char **argv)
{
    struct hook hook = hook_make("devolve-lxc-hook", usage);
    struct lxc lxc = {.environment = {.name = getenv("LXC_NAME"),
                                      .type = getenv("LXC_HOOK_TYPE"),
                                      .pid = getenv("LXC_PID")}};
    int status = run(&hook, &lxc, argc, argv);
    property_list_done(&lxc.labels);
    return status;
}
