/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <locale.h>

#include "base/text.h"
#include "cli/command.h"

static const struct command commands[] = {
    {"list", "[--devices [--all]]",
     "Show the containers and what each has.\n"
     "\n"
     "  --devices  draw the host's devices that have a node as a tree, with who has them; the "
     "first\n"
     "             column is a name for DEVICE\n"
     "  --all      with --devices: those without a node too",
     command_list},
    {"status", "[NAME]",
     "Show how the daemon, or one container, does.\n"
     "\n"
     "Counters that are zero are left out.",
     command_status},
    {"explain", "DEVICE [NAME]",
     "Show for each rule why it gives a device, or why not.\n"
     "\n"
     "Nothing is changed. NAME leaves the other containers out, and need not be registered.\n"
     "Where a rule does not match because of a known mistake, that is named.",
     command_explain},
    {"monitor", "[--count N]",
     "Show events, decisions and steps as they happen.\n"
     "\n"
     "Ends with Ctrl-C.\n"
     "\n"
     "  --count N  end after N reports",
     command_monitor},
    {"register", "NAME --pid PID [--root PATH] [--label KEY=VALUE]...",
     "Make a running container known, and give it its devices.\n"
     "\n"
     "  --pid PID          a process in the container, usually its first\n"
     "  --root PATH        the container's root while that process has another one\n"
     "  --label KEY=VALUE  for rules with CONTAINER+=\"label:KEY=VALUE\"",
     command_register},
    {"unregister", "NAME", "Take all devices from a container and forget it.", command_unregister},
    {"attach",
     "NAME DEVICE [--node PATH] [--owner USER] [--group GROUP] [--mode MODE] "
     "[--access rwm] [--symlink PATH]... [--subtree] [--persist[=always|runtime]]",
     "Give a device by hand, until it is unplugged or detached.\n"
     "\n"
     "  --node PATH     where the container finds it, instead of under the host's name\n"
     "  --owner USER    a number, or a name of the container's own /etc/passwd\n"
     "  --group GROUP   a number, or a name of the container's own /etc/group\n"
     "  --mode MODE     in octal\n"
     "  --access rwm    what the device cgroup allows: r read, w write, m make nodes\n"
     "  --symlink PATH  another name for it inside\n"
     "  --subtree       all that hangs below it too, now and later\n"
     "  --persist       until it is detached, unplugged or not: a rule is written; with "
     "\"=runtime\"\n"
     "                  one that is gone when the host is started anew",
     command_attach},
    {"detach", "NAME DEVICE",
     "Take back a device that was given by hand.\n"
     "\n"
     "DEVICE may also be the name of the rule file that \"attach --persist\" wrote.",
     command_detach},
    {"check", "[--print] [--rules DIR]... | [FILE]...",
     "Find mistakes in rules; works without the daemon.\n"
     "\n"
     "Without arguments the rules that the daemon would read are checked.\n"
     "\n"
     "  --rules DIR  read this directory instead of the usual ones\n"
     "  --print      show the rules as they were understood, one a line",
     command_check},
    {"doctor", "[NAME]",
     "Say what is well with devolve on this host or a container, and what is not.", command_doctor},
    {"reload", "", "Read the rules again and apply them.", command_reload},
    {"udev-rule", "DEVICE",
     "Print a rule that gives a device; works without the daemon.\n"
     "\n"
     "Put in the container's name. Other rules that would do follow as comments.",
     command_udev_rule},
};

static void print_help(FILE *file)
{
    fputs("usage: devolvectl [--json] [--help] [--version] COMMAND ...\n"
          "Show, explain and change what devolved gives to containers.\n\n",
          file);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(file, "  %-11s %.*s\n", commands[i].name, (int)strcspn(commands[i].help, "\n"),
                commands[i].help);
    fputs("\nEach command knows --json, for output to be read by programs, and --help.\n"
          "DEVICE is a /dev path, a /sys path, usb:VID:PID[:SERIAL] or SUBSYSTEM:SYSNAME.\n"
          "DEVOLVE_RUNTIME_DIR names the runtime directory of the daemon, if not /run/devolve.\n"
          "Exit status: 0 done, 1 refused or failed, 2 wrong usage. See devolvectl(1).\n",
          file);
}

static int misused(struct cli *cli, const char *what, const char *text)
{
    command_failed(cli, "%s%s: see \"devolvectl --help\"", what, text);
    return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (streq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* JSON carries UTF-8 only, and names with control characters in them are a mistake at best. */
static bool arguments_are_clean(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!text_is_clean(argv[i], strlen(argv[i])))
            return false;
    return true;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    const struct command *command = find_command(argv[0]);
    if (!command)
        return misused(cli, "there is no command ", argv[0]);
    if (!arguments_are_clean(argc, argv))
        return misused(cli, "an argument is not clean UTF-8 text", "");
    optind = 0; /* getopt_long(3): start anew, with the command's arguments */
    return command->run(cli, command, argc, argv);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+hj", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            cli->json = true;
            break;
        case 'h':
            print_help(cli->out.file);
            return EXIT_DONE;
        case 'V':
            fputs("devolvectl " PACKAGE_VERSION "\n", cli->out.file);
            return EXIT_DONE;
        default:
            return misused(cli, "there is no such option", "");
        }
    }
    if (optind == argc)
        return misused(cli, "a command is missing", "");
    return run_command(cli, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    struct cli cli = {.out = render_to(stdout), .err = render_to(stderr)};
    int status = run(&cli, argc, argv);
    cli_done(&cli);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE)
        status = command_failed(&cli, "cannot write: %s", strerror(errno));
    return status;
}
