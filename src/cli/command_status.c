/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <inttypes.h>

#include "cli/field.h"
#include "cli/grant_rows.h"

/* What a word of the interface means, for people who do not know it. */
struct meaning {
    const char *word, *words;
    enum style style;
};

static const struct meaning netns_meanings[] = {
    {"isolated", "isolated: it hears only the events that devolve sends into it", STYLE_PLAIN},
    {"native", "native: the kernel sends its events by itself, devolve adds only udev's",
     STYLE_PLAIN},
    {"host", "host: served without injection, the kernel sends every event itself", STYLE_PLAIN},
};

static const struct meaning udev_meanings[] = {
    {"inside", "inside: it runs a udevd of its own, which hears the kernel's events", STYLE_PLAIN},
    {"devolve", "devolve: it runs no udevd, and is told what the host's found out", STYLE_PLAIN},
    {"kernel", "kernel: there is no udevd, and devolve tells what the kernel says", STYLE_PLAIN},
    {"host", "host: the host's udevd is heard", STYLE_PLAIN},
};

static const struct meaning state_meanings[] = {
    {"ready", "ready: everything that the rules give is there", STYLE_GOOD},
    {"busy", "busy: devices are being given or taken back", STYLE_WARNING},
    {"stalled", "stalled: its file system does not answer; devolve tries again by itself",
     STYLE_BAD},
    {"overrun", "overrun: a program inside does not read the device events that it listens to",
     STYLE_WARNING},
};

static void add_fact(struct rows *rows, const char *name, enum style style, const char *text)
{
    struct row *row = rows_add(rows, 1);
    row_add(rows, row, STYLE_PLAIN, "%s", name);
    row_add(rows, row, style, "%s", text);
}

static void add_meaning(struct rows *rows, const char *name, const char *word,
                        const struct meaning *meanings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (streq(meanings[i].word, word)) {
            add_fact(rows, name, meanings[i].style, meanings[i].words);
            return;
        }
    add_fact(rows, name, STYLE_PLAIN, word);
}

static void add_labels(struct rows *rows, json_t *labels)
{
    const char *key;
    const json_t *value;
    json_object_foreach(labels, key, value)
    {
        struct row *row = rows_add(rows, 1);
        row_add(rows, row, STYLE_PLAIN, "label");
        row_add(rows, row, STYLE_PLAIN, "%s=%s", key,
                json_is_string(value) ? json_string_value(value) : "?");
    }
}

static void add_facts(struct rows *rows, const json_t *container)
{
    char pid[24];
    snprintf(pid, sizeof(pid), "%" JSON_INTEGER_FORMAT, field_number(container, "pid", 0));

    rows_add_text(rows, 0, STYLE_STRONG, "%s", field_text(container, "name", "?"));
    add_meaning(rows, "state", field_text(container, "state", "?"), state_meanings,
                ARRAY_SIZE(state_meanings));
    if (field_text(container, "note", NULL))
        add_fact(rows, "note", STYLE_WARNING, field_text(container, "note", ""));
    add_fact(rows, "process", STYLE_PLAIN, pid);
    add_meaning(rows, "network", field_text(container, "netns", "?"), netns_meanings,
                ARRAY_SIZE(netns_meanings));
    add_meaning(rows, "udev", field_text(container, "udev", "?"), udev_meanings,
                ARRAY_SIZE(udev_meanings));
    add_fact(rows, "users", STYLE_PLAIN, field_text(container, "uid_map", "?"));
    add_fact(rows, "groups", STYLE_PLAIN, field_text(container, "gid_map", "?"));
    add_fact(rows, "cgroup", STYLE_PLAIN, field_text(container, "cgroup", "?"));
    add_labels(rows, field_object(container, "labels"));
}

static int show_container(struct cli *cli, const json_t *container, const json_t *grants)
{
    struct rows facts = {0}, given = {0};
    add_facts(&facts, container);
    rows_add_text(&given, 0, STYLE_STRONG, "grants");
    if (grant_rows_add_all(&given, 1, grants, field_text(container, "name", "?")) == 0)
        rows_add_text(&given, 1, STYLE_FAINT, "no device");

    int status = command_print_rows(cli, &facts);
    int grants_status = command_print_rows(cli, &given);
    return status != EXIT_DONE ? status : grants_status;
}

static int container_status(struct cli *cli, const char *name)
{
    _cleanup_json_ json_t *reply = NULL, *grants = NULL, *both = NULL;
    int status =
        command_call(cli, "io.devolve.ListContainers", json_pack("{s:s}", "name", name), &reply);
    if (status != EXIT_DONE)
        return status;
    json_t *container = json_array_get(field_array(reply, "containers"), 0);
    if (!container)
        return command_failed(cli, "no container \"%s\" is registered", name);
    status =
        command_call(cli, "io.devolve.ListGrants", json_pack("{s:s}", "container", name), &grants);
    if (status != EXIT_DONE)
        return status;
    if (!cli->json)
        return show_container(cli, container, field_array(grants, "grants"));

    both =
        json_pack("{s:O, s:O*}", "container", container, "grants", field_array(grants, "grants"));
    return both ? command_print_json(cli, both) : command_failed(cli, "memory is short");
}

/* "3 h 12 min": the two largest units say enough. */
static void uptime_text(uint64_t seconds, char text[static 48])
{
    static const struct {
        uint64_t seconds;
        const char *name, *smaller;
        uint64_t smaller_seconds;
    } units[] = {{86400, "d", "h", 3600}, {3600, "h", "min", 60}, {60, "min", "s", 1}};

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (seconds >= units[i].seconds) {
            snprintf(text, 48, "%" PRIu64 " %s %" PRIu64 " %s", seconds / units[i].seconds,
                     units[i].name, seconds % units[i].seconds / units[i].smaller_seconds,
                     units[i].smaller);
            return;
        }
    snprintf(text, 48, "%" PRIu64 " s", seconds);
}

static void add_count(struct rows *rows, const char *name, json_int_t value)
{
    struct row *row = rows_add(rows, 1);
    row_add(rows, row, STYLE_PLAIN, "%s", name);
    row_add(rows, row, STYLE_PLAIN, "%12" JSON_INTEGER_FORMAT, value);
}

static void add_daemon(struct rows *rows, const json_t *metrics, const json_t *containers)
{
    json_int_t uptime = field_number(metrics, "uptime_us", 0), grants = 0, refused = 0;
    size_t index;
    const json_t *container;
    char text[48];
    uptime_text(uptime > 0 ? (uint64_t)uptime / 1000000 : 0, text);
    json_array_foreach(containers, index, container)
    {
        grants += field_number(container, "grants", 0);
        refused += field_number(container, "refused", 0);
    }
    rows_add_text(rows, 0, STYLE_STRONG, "devolved %s, up %s", field_text(metrics, "version", "?"),
                  text);
    add_count(rows, "containers", (json_int_t)json_array_size(containers));
    add_count(rows, "grants", grants);
    add_count(rows, "refused", refused);
    add_count(rows, "rules", field_number(metrics, "rules", 0));
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* The counters that are not zero, by name: the reply's order means nothing. */
static void add_counters(struct rows *rows, json_t *counters)
{
    const char *name, **names = NULL;
    json_t *value;
    size_t count = 0;
    json_object_foreach(counters, name, value)
    {
        const char **slot;
        if (!json_is_integer(value) || json_integer_value(value) == 0)
            continue;
        slot = array_add(&names, &count, sizeof(*names));
        if (!slot) {
            rows->short_of_memory = true;
            break;
        }
        *slot = name;
    }
    if (count > 0) {
        qsort(names, count, sizeof(*names), compare_names);
        rows_add_text(rows, 0, STYLE_STRONG, "counters");
    }
    for (size_t i = 0; i < count; i++)
        add_count(rows, names[i], field_number(counters, names[i], 0));
    free(names);
}

static void add_warnings(struct rows *rows, const json_t *warnings)
{
    size_t index;
    const json_t *warning;
    if (json_array_size(warnings) > 0)
        rows_add_text(rows, 0, STYLE_STRONG, "warnings");
    json_array_foreach(warnings, index, warning) rows_add_text(
        rows, 1, STYLE_WARNING, "%s", json_is_string(warning) ? json_string_value(warning) : "?");
}

static int daemon_status(struct cli *cli)
{
    _cleanup_json_ json_t *metrics = NULL, *containers = NULL;
    struct rows rows = {0};
    int status = command_call(cli, "io.devolve.GetMetrics", json_object(), &metrics);
    if (status == EXIT_DONE)
        status = command_call(cli, "io.devolve.ListContainers", json_object(), &containers);
    if (status != EXIT_DONE)
        return status;
    if (cli->json) {
        if (json_object_update(metrics, containers) < 0)
            return command_failed(cli, "memory is short");
        return command_print_json(cli, metrics);
    }
    add_daemon(&rows, metrics, field_array(containers, "containers"));
    add_counters(&rows, field_object(metrics, "metrics"));
    add_warnings(&rows, field_array(metrics, "warnings"));
    return command_print_rows(cli, &rows);
}

int command_status(struct cli *cli, const struct command *command, int argc, char **argv)
{
    int status;
    if (command_arguments(cli, command, argc, argv, 0, 1, &status) != 0)
        return status;
    return optind < argc ? container_status(cli, argv[optind]) : daemon_status(cli);
}
