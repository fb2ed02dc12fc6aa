/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/activity_log.h"
#include "kernel/host_disk.h"
#include "kernel/host_facts.h"
#include "kernel/sysfs.h"
#include "kernel/udev_database.h"

#define EVENTS_PER_TURN 256       /* then others have their turn; */
#define TURN_US 5000u             /* or when so much time has passed */
#define DRAIN_MAX 2000000         /* messages; a bound, never met: the buffer holds fewer */
#define RESYNC_INTERVAL_US 50000u /* a storm makes many overruns: one comparison serves several */
#define RESCAN_US 150000u         /* after a directory that was about to go, at first */
#define RESCAN_LAST_US 30000000u  /* one that can never be read is looked at ever more rarely */
#define REPAIR_INTERVAL_US 1000000u

static void on_activity(void *userdata, const struct activity *activity)
{
    struct service *service = userdata;
    activity_log(activity);
    if (service->listener)
        service->listener(service->listener_userdata, activity);
}

static void report(struct service *service, enum activity_kind kind, const char *text,
                   const char *error)
{
    struct activity activity = {.kind = kind, .time_us = now_us(), .text = text, .error = error};
    on_activity(service, &activity);
}

static void report_event(struct service *service, const struct uevent *event)
{
    if (!service->listening || !service->listening(service->listener_userdata))
        return;
    struct activity activity = {
        .kind = ACTIVITY_EVENT,
        .time_us = now_us(),
        .devpath = uevent_get(event, "DEVPATH"),
        .action = uevent_action_name(event->action),
        .seqnum = event->seqnum,
        .text = event->synthetic ? "synthetic" : NULL,
    };
    on_activity(service, &activity);
}

static int on_resync(sd_event_source *source, uint64_t usec, void *userdata);

static void want_resync(struct service *service, uint64_t delay_us)
{
    if (service->resync_timer)
        return;
    int r = sd_event_add_time_relative(service->event, &service->resync_timer, CLOCK_MONOTONIC,
                                       delay_us, 1, on_resync, service);
    if (r < 0)
        log_line(LOG_ERR, "cannot schedule a comparison with sysfs: %s", strerror(-r));
}

/* Something could not be looked at: again in a while, and later and later. */
static void want_rescan(struct service *service)
{
    want_resync(service, service->rescan_us);
    service->rescan_us =
        service->rescan_us < RESCAN_LAST_US / 2 ? service->rescan_us * 2 : RESCAN_LAST_US;
}

/* Parses one message; the answer is whether it is an event. */
static bool parse(struct service *service, const char *buffer, size_t size, struct uevent *ret)
{
    struct refusal why;
    if (uevent_parse(ret, buffer, size, &why) < 0) {
        service->malformed_events++;
        log_line(LOG_DEBUG, "malformed uevent: %s", why.text);
        return false;
    }
    service->malformed_properties += ret->malformed;
    return true;
}

static uint64_t kernel_seqnum(void)
{
    char text[32];
    uint64_t value;
    if (file_read_at(AT_FDCWD, "/sys/kernel/uevent_seqnum", text, sizeof(text)) <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return text_to_number(text, UINT64_MAX, &value) > 0 ? value : 0;
}

/* Reads what is queued, obeying real removals only, up to what the kernel sent before we began. */
static void drain(struct service *service)
{
    char buffer[UEVENT_MESSAGE_MAX];
    struct uevent event;
    uint64_t last = kernel_seqnum();

    for (size_t i = 0; i < DRAIN_MAX; i++) {
        size_t size;
        int arrival = uevent_socket_receive(service->uevent_fd, buffer, &size);
        if (arrival < 0 || arrival == UEVENT_NOTHING)
            return;
        service->arrivals[arrival]++;
        if (arrival != UEVENT_ARRIVED || !parse(service, buffer, size, &event))
            continue;
        world_apply_drained(delegation_world(service->delegation), &event);
        if (last && event.seqnum >= last)
            return;
    }
}

static void resync(struct service *service)
{
    uint64_t began_us = now_us();
    drain(service);
    service->resyncs++;
    int r = world_scan(delegation_world(service->delegation));
    udev_listener_catch_up(&service->udev, false);
    service->last_resync_us = now_us();
    service->resync_duration_us = service->last_resync_us - began_us;
    report(service, ACTIVITY_RESYNC, "compared with sysfs", r < 0 ? strerror(-r) : NULL);
    if (r == 0)
        service->rescan_us = RESCAN_US;
    else
        want_rescan(service);
}

static int on_resync(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct service *service = userdata;
    (void)source;
    (void)usec;
    service->resync_timer = sd_event_source_disable_unref(service->resync_timer);
    resync(service);
    return 0;
}

/* However long the storm, half of the time is left to everything else. */
static void lost_events(struct service *service)
{
    uint64_t since = now_us() - service->last_resync_us;
    uint64_t interval = service->resync_duration_us > RESYNC_INTERVAL_US
                            ? service->resync_duration_us
                            : RESYNC_INTERVAL_US;
    want_resync(service, since < interval ? interval - since : 0);
}

static void look_for_udev(struct service *service)
{
    if (!udev_listener_begin(&service->udev))
        return;
    delegation_expect_udev(service->delegation);
    report(service, ACTIVITY_RESYNC, "a udevd runs now, and is listened to", NULL);
}

static int on_uevents(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct service *service = userdata;
    char buffer[UEVENT_MESSAGE_MAX];
    struct uevent event;
    uint64_t until_us = now_us() + TURN_US;
    (void)source;
    (void)events;

    look_for_udev(service);
    for (int i = 0; i < EVENTS_PER_TURN && (i == 0 || now_us() < until_us); i++) {
        size_t size;
        int arrival = uevent_socket_receive(fd, buffer, &size);
        if (arrival < 0) { /* deaf, we are worth nothing: whoever started us starts us again */
            log_line(LOG_ERR, "the uevent socket failed: %s", strerror(-arrival));
            return sd_event_exit(service->event, arrival);
        }
        if (arrival == UEVENT_NOTHING)
            return 0;
        service->arrivals[arrival]++;
        if (arrival == UEVENT_OVERRUN || arrival == UEVENT_TRUNCATED)
            lost_events(service);
        if (arrival != UEVENT_ARRIVED)
            continue;
        if (!parse(service, buffer, size, &event)) {
            lost_events(service); /* it may have been a removal */
            continue;
        }
        report_event(service, &event);
        int r = world_apply(delegation_world(service->delegation), &event);
        if (r > 0)
            want_rescan(service);
        else if (r < 0)
            lost_events(service);
    }
    return 0;
}

static int on_repair(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct service *service = userdata;
    (void)usec;
    delegation_repair(service->delegation);
    /* from now on: after a pause of ours (SIGSTOP, suspend) one look is enough */
    (void)sd_event_source_set_time_relative(source, REPAIR_INTERVAL_US);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void log_problems(const struct rule_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct rule_problem *problem = &problems->items[i];
        log_line(problem->severity == PROBLEM_ERROR ? LOG_ERR : LOG_WARNING, "%s:%u:%u: %s",
                 problem->file, problem->line, problem->column, problem->text);
    }
}

bool service_waits_in_vain(const struct service *service)
{
    return rule_set_needs_udev(delegation_rules(service->delegation)) && !udev_database_is_served();
}

int service_reload(struct service *service)
{
    struct rule_set *rules = NULL;
    struct rule_problems problems = {0};
    char text[128];

    int r = rule_files_load(service->options->rule_directories,
                            service->options->rule_directory_count, &rules, &problems);
    rule_problems_done(&service->rule_problems);
    service->rule_problems = problems;
    log_problems(&problems);
    if (r < 0) {
        service->reload_failures++;
        report(service, ACTIVITY_RULES,
               rule_set_count(delegation_rules(service->delegation))
                   ? "the rules in force stay"
                   : "no rules are in force until a reload succeeds",
               r == -ENOMEM ? "no memory" : "a rule file has an error");
        return r;
    }
    snprintf(text, sizeof(text), "%zu %s from %zu %s", rule_set_count(rules),
             rule_set_count(rules) == 1 ? "rule" : "rules", rule_set_file_count(rules),
             rule_set_file_count(rules) == 1 ? "file" : "files");
    delegation_set_rules(service->delegation, rules);
    report(service, ACTIVITY_RULES, text, NULL);
    if (service_waits_in_vain(service))
        log_line(LOG_WARNING, "%s", SERVICE_WITHOUT_UDEV);
    return 0;
}

static int world_read(void *userdata, const char *devpath, const struct device_source *source,
                      struct device **ret)
{
    (void)userdata;
    return sysfs_read_device(devpath, source, ret);
}

static int world_enumerate(void *userdata, int (*on_devpath)(void *, const char *),
                           void *on_userdata)
{
    (void)userdata;
    return sysfs_enumerate(on_devpath, on_userdata);
}

static uint64_t world_seqnum(void *userdata)
{
    (void)userdata;
    return kernel_seqnum();
}

/* The world's one userdata is for udev; sysfs needs none. */
static int open_delegation(struct service *service, struct refusal *why)
{
    const struct world_source source = {
        .read = world_read,
        .enumerate = world_enumerate,
        .read_attribute = sysfs_read_attribute,
        .read_udev = udev_listener_read,
        .read_seqnum = world_seqnum,
        .has_udev = udev_listener_has_udev,
        .userdata = &service->udev,
        .facts = &host_facts_real,
    };
    struct devnum disks[HOST_DISKS_MAX];
    size_t disk_count = host_disks_find(disks);

    service->observer = (struct observer){.on_activity = on_activity, .userdata = service};
    service->delegation = delegation_new(kernel_door_interface(service->door), &source,
                                         &service->observer, disks, disk_count);
    return service->delegation ? 0 : refuse(why, ENOMEM, "no memory");
}

static int restore(void *userdata, const struct saved_place *saved, struct refusal *why)
{
    struct service *service = userdata;
    return delegation_restore(service->delegation, saved, why);
}

/*
 * What a predecessor left, before anybody hears of us: what has no right any more is revoked. The
 * sweep comes before anything is given: to unlink a node takes away what is mounted over it, and
 * over a dead one that is still inside its successor is mounted.
 */
static void resume(struct service *service)
{
    kernel_door_each_saved(service->door, restore, service);
    size_t swept = kernel_door_sweep(service->door);
    if (swept > 0)
        log_line(LOG_WARNING, "revoked nodes that nobody has a right to any more: %zu", swept);
    delegation_resume(service->delegation);
}

static void open_udev(struct service *service)
{
    service->udev = (struct udev_listener){
        .event = service->event,
        .world = delegation_world(service->delegation),
        .receive_buffer = service->options->receive_buffer,
    };
    if (udev_listener_begin(&service->udev))
        delegation_expect_udev(service->delegation);
}

static int open_uevents(struct service *service, struct refusal *why)
{
    service->uevent_fd = uevent_socket_open(service->options->receive_buffer, why);
    if (service->uevent_fd < 0)
        return service->uevent_fd;
    int r = sd_event_add_io(service->event, &service->uevents, service->uevent_fd, EPOLLIN,
                            on_uevents, service);
    if (r >= 0)
        r = sd_event_add_time_relative(service->event, &service->repair_timer, CLOCK_MONOTONIC,
                                       REPAIR_INTERVAL_US, 100000, on_repair, service);
    return r < 0 ? refuse(why, -r, "cannot watch for uevents: %s", strerror(-r)) : 0;
}

int service_open(struct service *service, sd_event *event, const struct service_options *options,
                 struct refusal *why)
{
    *service = (struct service){.options = options,
                                .event = event,
                                .uevent_fd = -1,
                                .started_us = now_us(),
                                .rescan_us = RESCAN_US};
    int r = kernel_door_open(event, options->runtime_directory, &service->door, why);
    if (r == 0)
        r = open_delegation(service, why);
    if (r == 0)
        r = open_uevents(service, why); /* before the scan: nothing may fall between */
    if (r < 0)
        return r;
    open_udev(service);
    (void)service_reload(service);
    r = world_scan(delegation_world(service->delegation));
    if (r < 0)
        return refuse(why, -r, "cannot read sysfs: %s", strerror(-r));
    if (r > 0)
        want_rescan(service);
    udev_listener_catch_up(&service->udev, false);
    resume(service);
    return 0;
}

void service_close(struct service *service)
{
    sd_event_source_disable_unref(service->uevents);
    sd_event_source_disable_unref(service->repair_timer);
    sd_event_source_disable_unref(service->resync_timer);
    sd_event_source_disable_unref(service->reload_soon);
    udev_listener_end(&service->udev);
    bool leave = service->door && kernel_door_node_count(service->door) > 0;
    delegation_leave(service->delegation);
    kernel_door_close(service->door, leave);
    fd_close(service->uevent_fd);
    rule_problems_done(&service->rule_problems);
}
