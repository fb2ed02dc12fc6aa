/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Explain: the judge once more, with a trace. What is not registered is judged too, by its name and
 * without labels, since that a container is not registered is one of the reasons why it does not
 * get a device.
 */

#include <errno.h>

#include "daemon/control_json.h"
#include "daemon/methods.h"
#include "engine/preview.h"
#include "kernel/rule_files.h"
#include "kernel/udev_database.h"
#include "model/rule_hint.h"

/* What all explanations of one call share. */
struct question {
    struct service *service;
    struct device *device;
    struct rule_container *containers; /* all that are registered */
    struct rule_surroundings around;
};

/* One explanation in the making. */
struct answer {
    const struct question *question;
    json_t *rules;
};

static void question_done(struct question *question)
{
    free(question->containers);
}

/* What is told is true now, also of attributes that were written since the last judgement. */
static void look_anew(const struct world *world, struct device *device)
{
    for (; device; device = device_parent(device))
        world_forget_attributes(world, device);
}

static int prepare(struct question *question)
{
    size_t count = 0;
    for (struct container *c = delegation_containers(question->service->delegation); c;
         c = c->next) {
        struct rule_container *slot = array_add(&question->containers, &count, sizeof(*slot));
        if (!slot)
            return -ENOMEM;
        *slot = (struct rule_container){c->name, &c->labels};
    }
    question->around =
        (struct rule_surroundings){udev_database_is_served(), question->containers, count};
    return 0;
}

static void add_rule(void *userdata, const struct rule_trace *trace)
{
    static const char *const verdicts[] = {
        [RULE_MATCHED] = "matched",
        [RULE_NO_MATCH] = "no_match",
        [RULE_SKIPPED] = "skipped",
        [RULE_WAITS] = "waits",
    };
    const struct answer *answer = userdata;
    char hint[RULE_HINT_MAX];
    bool hinted = rule_hint(trace, &answer->question->around, hint);
    json_array_append_new(answer->rules,
                          json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:b, s:o}", "file",
                                    json_text(trace->file), "line", (int)trace->line, "verdict",
                                    verdicts[trace->verdict], "key", json_text(trace->key), "value",
                                    json_text(trace->value), "parent", json_text(trace->parent),
                                    "gives", (int)trace->gives, "hint",
                                    json_text(hinted ? hint : NULL)));
}

/* The steps that a give would take, as text. */
static json_t *json_plan(const struct container *container, const struct device *device,
                         const struct grant *grant)
{
    _cleanup_(preview_done) struct preview preview;
    char text[512];
    json_t *json = json_array();

    preview_init(&preview, container, device, grant);
    for (size_t i = 0; i < preview.plan.count; i++)
        json_array_append_new(json,
                              json_text(step_describe(&preview.plan.steps[i], text, sizeof(text))));
    if (preview.why.error)
        json_array_append_new(json, json_text(preview.why.text));
    return json;
}

static json_t *explain(const struct question *question, struct container *container)
{
    struct refusal why = {.error = 0};
    _cleanup_grant_ struct grant *grant = NULL;
    struct answer answer = {question, json_array()};
    const struct delivery *delivery = container_find_delivery(container, question->device->devpath);

    (void)delegation_desired(question->service->delegation, container, question->device, add_rule,
                             &answer, &grant, &why);
    if (!why.error && delivery && delivery->state == DELIVERY_REFUSED)
        why = delivery->why;
    return json_pack("{s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:n}", "container",
                     json_text(container->name), "registered", 1, "rules", answer.rules, "given",
                     (int)(grant != NULL), "grant",
                     grant ? json_grant(container, grant, delivery) : json_null(), "plan",
                     grant ? json_plan(container, question->device, grant) : json_array(), "reason",
                     json_text(why.error ? why.text : NULL), "hint");
}

/* `name` is empty where no container was named. */
static json_t *explain_unregistered(const struct question *question, const char *name)
{
    struct refusal why = {.error = 0};
    _cleanup_grant_ struct grant *grant = NULL;
    struct answer answer = {question, json_array()};
    char hint[RULE_HINT_MAX];
    _cleanup_free_ char *copy = strdup(name);
    const struct container container = {.name = copy};

    rule_hint_unregistered(name, &question->around, hint);
    if (copy)
        (void)delegation_desired(question->service->delegation, &container, question->device,
                                 add_rule, &answer, &grant, &why);
    return json_pack("{s:o, s:b, s:o, s:b, s:n, s:[], s:o, s:o}", "container", json_text(name),
                     "registered", 0, "rules", answer.rules, "given", (int)(grant != NULL), "grant",
                     "plan", "reason", json_text(why.error ? why.text : NULL), "hint",
                     json_text(name[0] ? hint : NULL));
}

/* `name` NULL: for every container. */
static json_t *explain_all(const struct question *question, const char *name)
{
    struct delegation *delegation = question->service->delegation;
    json_t *explanations = json_array();
    for (struct container *c = delegation_containers(delegation); c; c = c->next)
        if (!name || streq(c->name, name))
            json_array_append_new(explanations, explain(question, c));
    if (json_array_size(explanations) == 0)
        json_array_append_new(explanations, explain_unregistered(question, name ? name : ""));
    return explanations;
}

void method_explain(struct control_call *call)
{
    static const char *const known[] = {"device", "container", NULL};
    const struct service_options *options = call->service->options;
    const char *name, *device_name;
    _cleanup_(question_done) struct question question = {.service = call->service};
    _cleanup_(rule_masks_done) struct rule_masks masks = {0};
    struct refusal why = {.error = 0};

    if (call_only(call, known) < 0 || call_string(call, "device", true, &device_name) < 0 ||
        call_string(call, "container", false, &name) < 0)
        return;
    if (name && container_name_check(name, &why) < 0) {
        call_refuse(call, &why);
        return;
    }
    if (call_device(call, device_name, &question.device) < 0)
        return;
    look_anew(delegation_world(call->service->delegation), question.device);
    int r = prepare(&question);
    if (r == 0)
        r = rule_files_masked(options->rule_directories, options->rule_directory_count, &masks);
    if (r < 0) {
        refuse(&why, -r, "no memory to explain %s", device_name);
        call_refuse(call, &why);
        return;
    }
    control_reply(call, json_pack("{s:o, s:o, s:o}", "device", json_device(question.device),
                                  "explanations", explain_all(&question, name), "masked",
                                  json_masks(&masks)));
}
