/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor of one container: first why a device may not even be meant for it (not registered,
 * rules that are not read, rules that wait in vain), then what the engine finds inside.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/control_json.h"
#include "daemon/methods.h"
#include "daemon/methods_doctor.h"
#include "kernel/rule_files.h"
#include "kernel/udev_database.h"

struct consultation {
    struct control_call *call;
    struct container *container;
    json_t *findings;
    /* of look_at_mask() */
    const struct rule_mask *mask;
    const struct rule_set *masked;
};

static void find(const struct consultation *consultation, enum gate gate, const char *devpath,
                 const char *format, ...) _printf_(4, 5);

/* A warning. */
static void find(const struct consultation *consultation, enum gate gate, const char *devpath,
                 const char *format, ...)
{
    char text[2 * REFUSAL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct doctor_subject subject = {consultation->container->name, devpath, gate};
    doctor_find(consultation->findings, FINDING_WARNING, &subject, "%s", text);
}

/* ---- rules that wait for a udevd that does not run ---- */

struct wait {
    const struct consultation *consultation;
    const struct device *device;
};

static void on_rule(void *userdata, const struct rule_trace *trace)
{
    const struct wait *wait = userdata;
    if (trace->verdict == RULE_WAITS && rule_trace_names_container(trace))
        find(wait->consultation, GATE_UDEV, wait->device->devpath,
             "%s:%u waits for what only udev knows (%s), and no udevd runs on this host",
             trace->file, trace->line, trace->key ? trace->key : "a rule before it");
}

static bool is_desired(const struct consultation *consultation, struct device *device,
                       rule_trace_fn trace, void *userdata)
{
    struct refusal why = {.error = 0};
    _cleanup_grant_ struct grant *grant = NULL;
    (void)delegation_desired(consultation->call->service->delegation, consultation->container,
                             device, trace, userdata, &grant, &why);
    return grant || why.error;
}

static void look_for_waits(void *userdata, struct device *device)
{
    const struct wait wait = {userdata, device};
    if (device->subsystem[0])
        (void)is_desired(userdata, device, on_rule, (void *)&wait);
}

static void look_at_udev(struct consultation *consultation)
{
    const struct service *service = consultation->call->service;
    if (service_waits_in_vain(service))
        world_each(delegation_world(service->delegation), look_for_waits, consultation);
}

/* ---- rule files that are not read ---- */

static void look_behind_mask(void *userdata, struct device *device)
{
    const struct consultation *consultation = userdata;
    const struct rule_container seen = {consultation->container->name,
                                        &consultation->container->labels};
    struct share share = {.given = false};
    if (device->subsystem[0] &&
        rule_judge(consultation->masked, device, &seen, NULL, NULL, &share) > 0 &&
        !is_desired(consultation, device, NULL, NULL))
        find(consultation, GATE_RULES, device->devpath,
             "%s:%u would give it, but that file is masked by %s", consultation->mask->path,
             share.rule_line, consultation->mask->by);
    share_done(&share);
}

/* A link to /dev/null has no rules of its own to tell of: those that it stands before are masked
 * by it. */
static void look_at_mask(struct consultation *consultation, const struct rule_mask *mask)
{
    struct rule_problems problems = {0};
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    if (rules && rule_file_load(mask->path, rules, &problems) == 0 && rule_set_count(rules) > 0) {
        consultation->mask = mask;
        consultation->masked = rules;
        world_each(delegation_world(consultation->call->service->delegation), look_behind_mask,
                   consultation);
    }
    rule_problems_done(&problems);
}

static void look_at_masks(struct consultation *consultation)
{
    const struct service_options *options = consultation->call->service->options;
    _cleanup_(rule_masks_done) struct rule_masks masks = {0};
    (void)rule_files_masked(options->rule_directories, options->rule_directory_count, &masks);
    for (size_t i = 0; i < masks.count; i++)
        look_at_mask(consultation, &masks.items[i]);
}

/* ---- what the engine finds ---- */

static void on_finding(void *userdata, const struct finding *finding)
{
    const struct consultation *consultation = userdata;
    const struct doctor_subject subject = {consultation->container->name, finding->devpath,
                                           finding->gate};
    doctor_find(consultation->findings, finding->verdict, &subject, "%s", finding->text);
}

static void on_end(void *userdata)
{
    struct consultation *consultation = userdata;
    control_reply(consultation->call, json_pack("{s:o}", "findings", consultation->findings));
    free(consultation);
}

static void look_inside(struct control_call *call, struct container *container)
{
    struct consultation *consultation = calloc(1, sizeof(*consultation));
    struct examiner examiner = {.on_finding = on_finding, .on_end = on_end};
    struct refusal why;
    if (consultation) {
        *consultation =
            (struct consultation){.call = call, .container = container, .findings = json_array()};
        examiner.userdata = consultation;
        look_at_masks(consultation);
        look_at_udev(consultation);
        if (examination_start(container, &examiner) == 0)
            return;
        json_decref(consultation->findings);
        free(consultation);
    }
    refuse(&why, ENOMEM, "no memory to look at %s", container->name);
    call_refuse(call, &why);
}

/* ---- who is not there ---- */

static void look_at_departed(struct control_call *call, const char *name)
{
    const struct departure *departure = delegation_find_departed(call->service->delegation, name);
    const struct doctor_subject subject = {name, NULL, GATE_CONTAINER};
    json_t *findings = json_array();
    if (departure)
        doctor_find(findings, FINDING_BAD, &subject,
                    "it is not registered any more: process %d %s %" PRIu64 " s ago",
                    (int)departure->pid,
                    streq(departure->how, "died") ? departure->how : "was unregistered",
                    (now_us() - departure->time_us) / 1000000);
    else
        doctor_find(findings, FINDING_BAD, &subject,
                    "no container of this name is registered, nor was since devolved began");
    control_reply(call, json_pack("{s:o}", "findings", findings));
}

void doctor_of_container(struct control_call *call, const char *name)
{
    struct container *container = delegation_find(call->service->delegation, name);
    struct refusal why = {.error = 0};
    if (container_name_check(name, &why) < 0)
        call_refuse(call, &why);
    else if (container)
        look_inside(call, container);
    else
        look_at_departed(call, name);
}
