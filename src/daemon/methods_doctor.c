/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is well with devolve on this host, and what is not. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/control_json.h"
#include "daemon/methods.h"
#include "daemon/methods_doctor.h"
#include "kernel/udev_database.h"
#include "model/rule_problem.h"

static const char *verdict_name(enum finding_verdict verdict)
{
    switch (verdict) {
    case FINDING_GOOD:
        return "good";
    case FINDING_WARNING:
        return "warning";
    case FINDING_BAD:
        return "bad";
    }
    return "?";
}

/* Frees the text, which may be NULL. */
static void find(json_t *findings, enum finding_verdict verdict,
                 const struct doctor_subject *subject, char *text_take)
{
    json_array_append_new(
        findings,
        json_pack("{s:s, s:o, s:o, s:o, s:o}", "verdict", verdict_name(verdict), "subject",
                  json_text(subject->name), "devpath", json_text(subject->devpath), "gate",
                  json_text(gate_name(subject->gate)), "text", json_text(text_take)));
    free(text_take);
}

void doctor_find(json_t *findings, enum finding_verdict verdict,
                 const struct doctor_subject *subject, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    find(findings, verdict, subject, text);
}

static void add(json_t *findings, enum finding_verdict verdict, const char *subject,
                const char *format, ...) _printf_(4, 5);

/* About the host: no gate. */
static void add(json_t *findings, enum finding_verdict verdict, const char *subject,
                const char *format, ...)
{
    const struct doctor_subject about = {.name = subject};
    char *text;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    find(findings, verdict, &about, text);
}

static void look_at_events(json_t *findings, const struct service *service)
{
    uint64_t lost = service->arrivals[UEVENT_OVERRUN] + service->arrivals[UEVENT_TRUNCATED];
    add(findings, FINDING_GOOD, "events", "the kernel's events are heard: %" PRIu64 " so far",
        service->arrivals[UEVENT_ARRIVED]);
    if (lost > 0)
        add(findings, FINDING_WARNING, "events",
            "events were lost %" PRIu64 " times, and everything was compared with sysfs instead; "
            "a larger --receive-buffer of devolved makes that rarer",
            lost);
}

static void add_waiting(void *userdata, const char *file, unsigned line, const char *key)
{
    add(userdata, FINDING_WARNING, "udev", "%s:%u never matches: only udev knows %s", file, line,
        key);
}

static void look_at_udev(json_t *findings, const struct service *service)
{
    const struct rule_set *rules = delegation_rules(service->delegation);
    if (service->udev.monitor && udev_database_is_served())
        add(findings, FINDING_GOOD, "udev",
            "a udevd runs and is listened to: %" PRIu64 " reports so far", service->udev.reports);
    else if (udev_database_is_served())
        add(findings, FINDING_GOOD, "udev",
            "a udevd has been started; it is listened to from the next event on");
    else if (!rule_set_needs_udev(rules))
        add(findings, FINDING_GOOD, "udev",
            "no udevd runs on this host, and no rule asks for its word");
    else {
        add(findings, FINDING_WARNING, "udev",
            "no udevd runs on this host (there is no /run/udev/control), and rules ask for its "
            "word");
        rule_set_each_waiting(rules, add_waiting, findings);
    }
}

static void look_at_rules(json_t *findings, const struct service *service)
{
    const struct rule_set *rules = delegation_rules(service->delegation);
    const struct rule_problems *problems = &service->rule_problems;
    add(findings, problems->errors > 0 ? FINDING_WARNING : FINDING_GOOD, "rules",
        "%zu %s from %zu %s %s in force%s", rule_set_count(rules),
        rule_set_count(rules) == 1 ? "rule" : "rules", rule_set_file_count(rules),
        rule_set_file_count(rules) == 1 ? "file" : "files",
        rule_set_count(rules) == 1 ? "is" : "are",
        problems->errors > 0 ? ", not what the files say now: the last reload failed" : "");
    for (size_t i = 0; i < problems->count; i++) {
        const struct rule_problem *problem = &problems->items[i];
        char place[RULE_PLACE_MAX];
        add(findings, problem->severity == PROBLEM_ERROR ? FINDING_BAD : FINDING_WARNING, "rules",
            "%s: %s", rule_problem_place(problem, place), problem->text);
    }
}

static void look_at_containers(json_t *findings, const struct service *service)
{
    for (struct container *c = delegation_containers(service->delegation); c; c = c->next) {
        if (c->stalled)
            add(findings, FINDING_BAD, c->name,
                "its file system does not answer; devolve tries again by itself");
        if (c->note.error)
            add(findings, FINDING_WARNING, c->name, "%s", c->note.text);
        for (struct delivery *d = c->deliveries; d; d = d->next)
            if (d->state == DELIVERY_REFUSED) {
                const struct doctor_subject subject = {c->name, d->grant->devpath, d->gate};
                doctor_find(findings, FINDING_WARNING, &subject, "%s", d->why.text);
            }
    }
}

void method_doctor(struct control_call *call)
{
    static const char *const known[] = {"container", NULL};
    const char *name;
    if (call_only(call, known) < 0 || call_string(call, "container", false, &name) < 0)
        return;
    if (name) {
        doctor_of_container(call, name);
        return;
    }
    json_t *findings = json_array();
    look_at_events(findings, call->service);
    look_at_udev(findings, call->service);
    look_at_rules(findings, call->service);
    look_at_containers(findings, call->service);
    control_reply(call, json_pack("{s:o}", "findings", findings));
}
