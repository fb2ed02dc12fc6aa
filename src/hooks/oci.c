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
#include <stdio.h>

#include "hooks/hook.h"
#include "hooks/oci_container.h"

static const char usage[] =
    "Usage: devolve-oci-hook [OPTION]... < STATE\n"
    "Registers a container with devolved; called by OCI runtimes.\n\n"
    "  --runtime-dir DIR  devolved's (/run/devolve)\n"
    "  --name NAME        the container's, where no annotation io.devolve.name gives it one\n"
    "  --required         fail, so that the container does not start, where it cannot be\n"
    "                     registered\n"
    "  --version, --help\n";

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

static int register_container(const struct hook *hook, const struct oci_state *state,
                              const char *name, struct refusal *why)
{
    _cleanup_(waiting_note_done) struct waiting_note note = {.pid = 0};
    struct refusal remark = {.error = 0};
    int r = oci_container_describe(state, name, &note, &remark, why);
    if (remark.error)
        hook_say(hook, state->id, remark.text);
    if (r <= 0)
        return r; /* 0: it has ended, and needs nothing */
    return hook_register(hook, state->id, &note, why);
}

static int serve(const struct hook *hook, void *userdata)
{
    struct oci_state state = {.json = NULL};
    struct refusal why = {.error = 0};
    const char *name = userdata;
    int r = read_state(&state, &why);
    if (r == 0)
        r = state.stopped ? hook_unregister(hook, state.id, OCI_ID_LABEL, state.id, &why)
                          : register_container(hook, &state, name, &why);
    if (r < 0)
        hook_say(hook, state.id ? state.id : "?", why.text);
    oci_state_done(&state);
    return r;
}

/* Returns 1 to go on, 0 when all was said, or -EINVAL. */
static int parse_arguments(struct hook *hook, int argc, char **argv, char **ret_name)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'}, HOOK_OPTIONS};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'n')
            *ret_name = optarg;
        int r = option == 'n' ? 1 : hook_option(hook, option);
        if (r <= 0)
            return r;
    }
    return optind < argc ? hook_misused(hook) : 1;
}

int main(int argc, char **argv)
{
    struct hook hook = hook_make("devolve-oci-hook", usage);
    char *name = NULL;
    int r = hook_forget_caller();
    if (r == 0)
        r = parse_arguments(&hook, argc, argv, &name);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    return hook_run(&hook, serve, name);
}
