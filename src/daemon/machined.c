/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/machined.h"

/*
 * Both ways in end in the same question: a signal names one machine, ListMachines all that were
 * there before (ours or its start; it is asked again whenever machined comes), and of each the
 * properties are read, which say whether it is a container and who its leader is. Every call is
 * asynchronous, and none starts machined, where it does not run.
 *
 * A machine that somebody else registered (devolvectl register, with labels) is left to them.
 */

#include <errno.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "kernel/process.h"

#define NAME "org.freedesktop.machine1"
#define PATH "/org/freedesktop/machine1"
#define MANAGER "org.freedesktop.machine1.Manager"
#define MACHINE "org.freedesktop.machine1.Machine"

#define RETRY_FIRST_US 1000000u
#define RETRY_LAST_US 16000000u
#define SERVICE_LABEL "machine.service"

/* One that we registered. */
struct machine {
    struct machine *next;
    char *name;
    pid_t leader;
};

struct machined {
    struct service *service;
    sd_bus *bus; /* NULL: there is none, and the timer runs */
    sd_event_source *retry_timer;
    uint64_t retry_us;
    struct machine *machines;
};

/* What the properties of a machine say. */
struct properties {
    const char *name, *class, *service; /* borrowed from the message */
    uint32_t leader;
};

/* ---- the machines ---- */

static void forget(struct machine **at)
{
    struct machine *machine = *at;
    *at = machine->next;
    free(machine->name);
    free(machine);
}

static struct machine **find(struct machined *machined, const char *name)
{
    struct machine **at = &machined->machines;
    while (*at && !streq((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static int remember(struct machined *machined, const char *name, pid_t leader)
{
    struct machine **at = find(machined, name);
    if (!*at) {
        _cleanup_free_ struct machine *machine = calloc(1, sizeof(*machine));
        if (!machine || !(machine->name = strdup(name)))
            return -ENOMEM;
        *at = TAKE_PTR(machine);
    }
    (*at)->leader = leader;
    return 0;
}

/* Newer versions let others than root register what they call a machine: its name is theirs. */
static int check_owner(pid_t leader, struct refusal *why)
{
    uid_t owner;
    int r = process_owner(leader, &owner);
    if (r < 0)
        return refuse(why, -r, "cannot look at process %d: %s", (int)leader, strerror(-r));
    return owner == 0 ? 0
                      : refuse(why, EPERM, "process %d belongs to user %u, and not to root",
                               (int)leader, owner);
}

static void add_machine(struct machined *machined, const struct properties *properties)
{
    struct delegation *delegation = machined->service->delegation;
    const struct container *known = delegation_find(delegation, properties->name);
    _cleanup_(property_list_done) struct property_list labels = {.count = 0};
    struct container *container;
    struct refusal why;
    pid_t leader = (pid_t)properties->leader;

    if (machined->service->stopping)
        return;
    if (known && known->pid == leader) {
        log_about(LOG_DEBUG, properties->name, NULL, "systemd-machined knows it too");
        return;
    }
    int r = properties->service[0] ? property_set(&labels, SERVICE_LABEL, properties->service) : 0;
    if (r == 0)
        r = remember(machined, properties->name, leader);
    if (r < 0)
        refuse(&why, -r, "no memory");
    else if ((r = check_owner(leader, &why)) == 0)
        r = delegation_register(delegation, properties->name, leader, NULL, &labels, &container,
                                &why);
    if (r < 0)
        log_about(LOG_WARNING, properties->name, NULL,
                  "systemd-machined knows it, but it cannot be registered: %s", why.text);
}

/* Those whose end was told while nobody listened. */
static void forget_gone(struct machined *machined)
{
    for (struct machine **at = &machined->machines; *at;) {
        const struct container *container =
            delegation_find(machined->service->delegation, (*at)->name);
        if (container && container->pid == (*at)->leader)
            at = &(*at)->next;
        else
            forget(at);
    }
}

static void remove_machine(struct machined *machined, const char *name)
{
    struct delegation *delegation = machined->service->delegation;
    struct machine **at = find(machined, name);
    if (!*at)
        return;
    const struct container *container = delegation_find(delegation, name);
    if (container && container->pid == (*at)->leader)
        (void)delegation_unregister(delegation, name, NULL, NULL); /* or it dies by itself */
    forget(at);
}

/* ---- what machined says ---- */

/* Returns 0; a variant of another type is passed over. */
static int read_property(sd_bus_message *message, const char *type, void *ret)
{
    const char *content;
    int r = sd_bus_message_peek_type(message, NULL, &content);
    if (r < 0 || !content || !streq(content, type))
        return r < 0 ? r : sd_bus_message_skip(message, "v");
    return sd_bus_message_read(message, "v", type, ret);
}

static int read_entry(sd_bus_message *message, struct properties *ret)
{
    const char *key;
    int r = sd_bus_message_read(message, "s", &key);
    if (r < 0)
        return r;
    if (streq(key, "Name"))
        return read_property(message, "s", &ret->name);
    if (streq(key, "Class"))
        return read_property(message, "s", &ret->class);
    if (streq(key, "Service"))
        return read_property(message, "s", &ret->service);
    if (streq(key, "Leader"))
        return read_property(message, "u", &ret->leader);
    return sd_bus_message_skip(message, "v");
}

static int read_properties(sd_bus_message *message, struct properties *ret)
{
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_entry(message, ret);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    return r;
}

static int on_properties(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct properties properties = {.name = "", .class = "", .service = ""};
    (void)error;
    if (sd_bus_message_is_method_error(message, NULL))
        return 0; /* the machine has gone already */
    int r = read_properties(message, &properties);
    if (r < 0 || properties.leader > INT32_MAX)
        log_line(LOG_WARNING, "systemd-machined says what makes no sense of a machine: %s",
                 strerror(r < 0 ? -r : ERANGE));
    else if (streq(properties.class, "container") && properties.leader > 0)
        add_machine(userdata, &properties);
    return 0;
}

static void ask(struct machined *machined, const char *path, const char *interface,
                const char *member, const char *argument, sd_bus_message_handler_t fn)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(machined->bus, &message, NAME, path, interface, member);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(message, false);
    if (r >= 0 && argument)
        r = sd_bus_message_append(message, "s", argument);
    if (r >= 0)
        r = sd_bus_call_async(machined->bus, NULL, message, fn, machined, 0);
    if (r < 0)
        log_line(LOG_WARNING, "cannot ask systemd-machined: %s", strerror(-r));
}

static void ask_properties(struct machined *machined, const char *path)
{
    ask(machined, path, "org.freedesktop.DBus.Properties", "GetAll", MACHINE, on_properties);
}

static int on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct machined *machined = userdata;
    const char *name, *class, *service, *path;
    (void)error;
    forget_gone(machined);
    if (sd_bus_is_ready(machined->bus) > 0)
        machined->retry_us = RETRY_FIRST_US; /* somebody answers: the bus is well */
    if (sd_bus_message_is_method_error(message, NULL))
        return 0; /* machined does not run, or the bus has gone */
    int r = sd_bus_message_enter_container(message, 'a', "(ssso)");
    while (r >= 0 &&
           (r = sd_bus_message_read(message, "(ssso)", &name, &class, &service, &path)) > 0)
        ask_properties(machined, path);
    if (r < 0)
        log_line(LOG_WARNING, "systemd-machined gives a list that makes no sense: %s",
                 strerror(-r));
    return 0;
}

static void ask_list(struct machined *machined)
{
    ask(machined, PATH, MANAGER, "ListMachines", NULL, on_list);
}

static int on_new(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name, *path;
    (void)error;
    if (sd_bus_message_read(message, "so", &name, &path) > 0)
        ask_properties(userdata, path);
    return 0;
}

static int on_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name, *path;
    (void)error;
    if (sd_bus_message_read(message, "so", &name, &path) > 0)
        remove_machine(userdata, name);
    return 0;
}

/* It was started, or started anew; what it has known before it does not tell again. */
static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name, *before, *after;
    (void)error;
    if (sd_bus_message_read(message, "sss", &name, &before, &after) > 0 && after[0])
        ask_list(userdata);
    return 0;
}

/* ---- the bus ---- */

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

static void leave(struct machined *machined)
{
    int r = sd_event_add_time_relative(machined->service->event, &machined->retry_timer,
                                       CLOCK_MONOTONIC, machined->retry_us, 0, on_retry, machined);
    if (r < 0)
        log_line(LOG_ERR, "cannot look for the system bus again: %s", strerror(-r));
    machined->retry_us =
        machined->retry_us * 2 < RETRY_LAST_US ? machined->retry_us * 2 : RETRY_LAST_US;
}

/* Sees every message, and the one that libsystemd makes when the connection is over. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct machined *machined = userdata;
    (void)error;
    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0 &&
        !machined->retry_timer)
        leave(machined);
    return 0;
}

static int listen_to(struct machined *machined)
{
    sd_bus *bus = machined->bus;
    int r = sd_bus_add_filter(bus, NULL, on_message, machined);
    if (r >= 0)
        r = sd_bus_match_signal_async(bus, NULL, NAME, PATH, MANAGER, "MachineNew", on_new, NULL,
                                      machined);
    if (r >= 0)
        r = sd_bus_match_signal_async(bus, NULL, NAME, PATH, MANAGER, "MachineRemoved", on_removed,
                                      NULL, machined);
    if (r >= 0)
        r = sd_bus_add_match_async(bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                   "arg0='" NAME "'",
                                   on_owner, NULL, machined);
    if (r >= 0)
        r = sd_bus_attach_event(bus, machined->service->event, SD_EVENT_PRIORITY_NORMAL);
    return r;
}

/* Nothing here waits: what is sent before the bus has said hello is queued. */
static void join(struct machined *machined)
{
    int r = sd_bus_open_system(&machined->bus);
    if (r >= 0)
        r = listen_to(machined);
    if (r >= 0) {
        ask_list(machined);
        return;
    }
    log_line(LOG_DEBUG, "no system bus, so systemd-machined is not heard: %s", strerror(-r));
    machined->bus = sd_bus_close_unref(machined->bus);
    leave(machined);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct machined *machined = userdata;
    (void)source;
    (void)usec;
    machined->retry_timer = sd_event_source_disable_unref(machined->retry_timer);
    machined->bus = sd_bus_close_unref(machined->bus);
    join(machined);
    return 0;
}

int machined_open(struct service *service, struct machined **ret)
{
    struct machined *machined = calloc(1, sizeof(*machined));
    if (!machined)
        return -ENOMEM;
    machined->service = service;
    machined->retry_us = RETRY_FIRST_US;
    join(machined);
    *ret = machined;
    return 0;
}

void machined_close(struct machined *machined)
{
    if (!machined)
        return;
    sd_event_source_disable_unref(machined->retry_timer);
    sd_bus_close_unref(machined->bus);
    while (machined->machines)
        forget(&machined->machines);
    free(machined);
}
