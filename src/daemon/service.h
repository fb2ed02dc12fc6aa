/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon as a whole, without its sockets to the outside: event loop, uevent socket, rules,
 * delegation; and who wants to hear of it (log and monitors).
 */

#include <systemd/sd-event.h>

#include "daemon/udev_listener.h"
#include "engine/delegation.h"
#include "engine/kernel_door.h"
#include "kernel/rule_files.h"
#include "kernel/uevent_socket.h"

#define SERVICE_RULE_DIRECTORIES_MAX 17

struct service_options {
    const char *runtime_directory;
    const char *rule_directories[SERVICE_RULE_DIRECTORIES_MAX];
    size_t rule_directory_count;
    const char *runtime_rule_directory; /* below the runtime directory, and one of those */
    size_t receive_buffer;              /* bytes */
    int passed_sockets; /* from descriptor 3 on, by the service manager: sd_listen_fds(3) */
};

struct service {
    const struct service_options *options;
    sd_event *event;
    struct kernel_door *door;
    struct observer observer;
    struct delegation *delegation;
    int uevent_fd;
    struct udev_listener udev;
    sd_event_source *uevents, *repair_timer, *resync_timer;
    sd_event_source *reload_soon; /* drop_in.c */
    uint64_t rescan_us;           /* how long until the next look at what could not be looked at */
    uint64_t started_us, last_resync_us, resync_duration_us;
    bool stopping; /* being drained: nothing new is taken on */

    uint64_t arrivals[UEVENT_ARRIVALS]; /* by enum uevent_arrival */
    uint64_t malformed_events;
    uint64_t malformed_properties;
    uint64_t resyncs;
    uint64_t reload_failures;
    struct rule_problems rule_problems; /* of the newest load, good or not */

    /* somebody else who hears every activity (control.c's monitors); may be NULL */
    void (*listener)(void *userdata, const struct activity *activity);
    bool (*listening)(void *userdata); /* whether it is worth telling single events */
    void *listener_userdata;
};

/*
 * Opens everything below the runtime directory, loads the rules (with an error in them: none, and a
 * warning) and scans sysfs. `options` is borrowed for life. Returns 0, or a negative errno and the
 * reason.
 */
int service_open(struct service *service, sd_event *event, const struct service_options *options,
                 struct refusal *why);

/* Closes, and leaves everything to a successor. */
void service_close(struct service *service);

/*
 * Reads the rule directories and puts the rules in force. Returns 0, or -EBADMSG: nothing changed,
 * service->rule_problems says why.
 */
int service_reload(struct service *service);

/* Whether rules in force ask for what only udev knows, and no udevd runs on this host; and what to
 * say then. */
bool service_waits_in_vain(const struct service *service);
#define SERVICE_WITHOUT_UDEV                                                                       \
    "some rules ask for what only udev knows, and no udevd runs on this host: they match nothing " \
    "(devolvectl check names them)"
