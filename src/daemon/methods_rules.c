/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "daemon/control_json.h"
#include "daemon/methods.h"
#include "kernel/udev_database.h"
#include "model/rule_problem.h"

static int load(struct control_call *call, const char *name, const char *text,
                struct rule_set **ret, struct rule_problems *problems)
{
    const struct service_options *options = call->service->options;
    if (!text)
        return rule_files_load(options->rule_directories, options->rule_directory_count, ret,
                               problems);
    *ret = rule_set_new();
    if (!*ret)
        return -ENOMEM;
    return rule_parse(*ret, name ? name : "text", text, strlen(text), problems);
}

void method_check(struct control_call *call)
{
    static const char *const known[] = {"name", "text", NULL};
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    _cleanup_(rule_problems_done) struct rule_problems problems = {.without_udev =
                                                                       !udev_database_is_served()};
    _cleanup_(rule_masks_done) struct rule_masks masks = {0};
    const struct service_options *options = call->service->options;
    const char *name, *text;

    if (call_only(call, known) < 0 || call_string(call, "name", false, &name) < 0 ||
        call_string(call, "text", false, &text) < 0)
        return;
    (void)load(call, name, text, &rules, &problems);
    if (!text)
        (void)rule_files_masked(options->rule_directories, options->rule_directory_count, &masks);
    control_reply(call,
                  json_pack("{s:i, s:o, s:o}", "rules", rules ? (int)rule_set_count(rules) : 0,
                            "problems", json_problems(&problems), "masked", json_masks(&masks)));
}

void method_reload(struct control_call *call)
{
    static const char *const known[] = {NULL};
    struct service *service = call->service;
    if (call_only(call, known) < 0)
        return;
    int r = service_reload(service);
    json_t *problems = json_problems(&service->rule_problems);
    if (r < 0)
        control_error(call, "io.devolve.InvalidRules", json_pack("{s:o}", "problems", problems));
    else
        control_reply(call, json_pack("{s:i, s:o}", "rules",
                                      (int)rule_set_count(delegation_rules(service->delegation)),
                                      "problems", problems));
}

static void set(json_t *metrics, const char *name, uint64_t value)
{
    json_object_set_new(metrics, name, json_integer((json_int_t)value));
}

static json_t *metrics_of(struct service *service)
{
    const struct delegation_counters *counters = delegation_counters(service->delegation);
    const struct world_counters *world = world_counters(delegation_world(service->delegation));
    uint64_t containers = 0, grants = 0;
    for (struct container *c = delegation_containers(service->delegation); c; c = c->next) {
        containers++;
        for (struct delivery *d = c->deliveries; d; d = d->next)
            grants += d->state == DELIVERY_DELIVERED;
    }
    json_t *metrics = json_object();
    set(metrics, "containers", containers);
    set(metrics, "devices", world_count(delegation_world(service->delegation)));
    set(metrics, "grants", grants);
    set(metrics, "nodes", kernel_door_node_count(service->door));
    set(metrics, "events_received", service->arrivals[UEVENT_ARRIVED]);
    set(metrics, "events_overrun", service->arrivals[UEVENT_OVERRUN]);
    set(metrics, "events_truncated", service->arrivals[UEVENT_TRUNCATED]);
    set(metrics, "events_malformed", service->malformed_events);
    set(metrics, "events_spoofed_port", service->arrivals[UEVENT_SPOOF_PORT]);
    set(metrics, "events_spoofed_pid", service->arrivals[UEVENT_SPOOF_PID]);
    set(metrics, "events_spoofed_uid", service->arrivals[UEVENT_SPOOF_UID]);
    set(metrics, "events_without_sender", service->arrivals[UEVENT_SPOOF_NO_SENDER]);
    set(metrics, "properties_malformed", service->malformed_properties);
    set(metrics, "properties_dropped", counters->dropped_properties);
    set(metrics, "udev_reports", service->udev.reports);
    set(metrics, "udev_overruns", service->udev.overruns);
    set(metrics, "hints_ignored", world->hints_ignored);
    set(metrics, "scans", world->scans);
    set(metrics, "resyncs", service->resyncs);
    set(metrics, "reload_failures", service->reload_failures);
    set(metrics, "given", counters->given);
    set(metrics, "taken", counters->taken);
    set(metrics, "changed", counters->changed);
    set(metrics, "told", counters->told);
    set(metrics, "described", counters->described);
    set(metrics, "udev_events_merged", counters->merged_words);
    set(metrics, "udev_events_dropped", counters->dropped_words);
    set(metrics, "refused", counters->refused);
    set(metrics, "residues", counters->residues);
    set(metrics, "stalls", counters->stalls);
    set(metrics, "overruns_inside", counters->overruns_inside);
    set(metrics, "told_again", counters->told_again);
    set(metrics, "repairs", counters->repairs);
    return metrics;
}

static json_t *warnings_of(const struct service *service)
{
    json_t *warnings = json_array();
    char text[1024], place[RULE_PLACE_MAX];
    for (size_t i = 0; i < service->rule_problems.count; i++) {
        const struct rule_problem *problem = &service->rule_problems.items[i];
        snprintf(text, sizeof(text), "%s: %s: %s", rule_problem_place(problem, place),
                 problem->severity == PROBLEM_ERROR ? "error (no rule of that load is in force)"
                                                    : "warning",
                 problem->text);
        json_array_append_new(warnings, json_text(text));
    }
    if (service_waits_in_vain(service))
        json_array_append_new(warnings, json_text(SERVICE_WITHOUT_UDEV));
    return warnings;
}

void method_get_metrics(struct control_call *call)
{
    static const char *const known[] = {NULL};
    struct service *service = call->service;
    if (call_only(call, known) < 0)
        return;
    control_reply(call,
                  json_pack("{s:s, s:I, s:i, s:o, s:o}", "version", PACKAGE_VERSION, "uptime_us",
                            (json_int_t)(now_us() - service->started_us), "rules",
                            (int)rule_set_count(delegation_rules(service->delegation)), "metrics",
                            metrics_of(service), "warnings", warnings_of(service)));
}
