/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/drop_in.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "kernel/rule_drop_in.h"
#include "model/rule_match.h"

void drop_in_free(struct drop_in *drop_in)
{
    if (!drop_in)
        return;
    attach_rule_done(&drop_in->rule);
    free(drop_in);
}

static struct rule_container judged(const struct container *container)
{
    return (struct rule_container){container->name, &container->labels};
}

/* --- which of the suggested rules */

struct others {
    const struct rule_set *rules;
    struct rule_container container;
    const struct device *device;
    bool found;
};

static void look_for_other(void *userdata, struct device *device)
{
    struct others *others = userdata;
    struct share share = {.given = false};
    if (others->found || device == others->device || !device->subsystem[0])
        return;
    others->found = rule_judge(others->rules, device, &others->container, NULL, NULL, &share) != 0;
    share_done(&share);
}

/* Whether the rules give the device exactly as was asked, and the container no other one by it. */
static bool says_what_was_asked(struct service *service, const struct rule_set *rules,
                                const struct container *container, struct device *device,
                                const struct grant *asked)
{
    struct others others = {rules, judged(container), device, false};
    struct share share = {.given = false};
    _cleanup_grant_ struct grant *grant = NULL;
    int r = rule_judge(rules, device, &others.container, NULL, NULL, &share);
    if (r > 0)
        r = grant_new(&share, device, &grant, NULL);
    share_done(&share);
    if (r < 0 || !grant || !grant_equal(grant, asked))
        return false;
    world_each(delegation_world(service->delegation), look_for_other, &others);
    return !others.found;
}

static int parse(const struct attach_rule *rule, struct rule_set **ret)
{
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    _cleanup_(rule_problems_done) struct rule_problems problems = {.count = 0};
    int r =
        rules ? rule_parse(rules, rule->name, rule->text, strlen(rule->text), &problems) : -ENOMEM;
    if (r == 0)
        *ret = TAKE_PTR(rules);
    return r;
}

/* The best suggestion that tells the device from all others that are there. */
static int choose(struct service *service, const struct container *container, struct device *device,
                  const struct share *share, const struct rule_suggestions *suggestions,
                  struct attach_rule *ret, struct refusal *why)
{
    _cleanup_grant_ struct grant *asked = NULL;
    int r = grant_new(share, device, &asked, why);
    for (size_t i = 0; r == 0 && i < suggestions->count; i++) {
        _cleanup_rule_set_ struct rule_set *rules = NULL;
        _cleanup_(attach_rule_done) struct attach_rule rule = {.text = NULL};
        r = attach_rule_new(&suggestions->items[i], container->name, device->devpath, share, &rule,
                            why);
        if (r == 0 && parse(&rule, &rules) == 0 &&
            says_what_was_asked(service, rules, container, device, asked)) {
            *ret = rule;
            rule = (struct attach_rule){.text = NULL};
            return 0;
        }
    }
    return r < 0 ? r
                 : refuse(why, EINVAL,
                          "no rule can be found that gives %s, and it alone, as it was asked for: "
                          "write one by hand, devolvectl udev-rule has a beginning",
                          device->devpath);
}

/* --- among all rules */

/* Why files cannot be read: the first error. */
static int refuse_problems(const struct rule_problems *problems, struct refusal *why)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct rule_problem *p = &problems->items[i];
        if (p->severity == PROBLEM_ERROR)
            return refuse(why, EBADMSG,
                          "the rules have an error that must be mended first: %s:%u:%u: %s",
                          p->file, p->line, p->column, p->text);
    }
    return refuse(why, ENOMEM, "no memory to read the rules");
}

static int try_files(const struct service *service, const struct rule_draft *draft,
                     struct rule_set **ret, struct refusal *why)
{
    const struct service_options *options = service->options;
    _cleanup_(rule_problems_done) struct rule_problems problems = {.count = 0};
    int r = rule_files_try(options->rule_directories, options->rule_directory_count, draft, ret,
                           &problems);
    return r < 0 ? refuse_problems(&problems, why) : 0;
}

struct sighting {
    const char *file;
    bool seen;
};

static void look_for_file(void *userdata, const struct rule_trace *trace)
{
    struct sighting *sighting = userdata;
    sighting->seen |= trace->gives && streq(trace->file, sighting->file);
}

/* That another rule gives the device does not make one that is masked a good one. */
static int check_seen(const struct rule_set *rules, const struct drop_in *drop_in,
                      const struct container *container, struct device *device, struct refusal *why)
{
    const struct rule_container who = judged(container);
    struct sighting sighting = {drop_in->rule.name, false};
    struct share share = {.given = false};
    int r = rule_judge(rules, device, &who, look_for_file, &sighting, &share);
    share_done(&share);
    if (r < 0)
        return refuse(why, -r, "no memory to judge the rules");
    return sighting.seen ? 0
                         : refuse(why, EEXIST,
                                  "the rule would not be heard: a file of the name %s in an "
                                  "earlier directory masks it, or an earlier rule leads past it",
                                  drop_in->rule.name);
}

static int try_drop_in(struct service *service, const struct drop_in *drop_in,
                       const struct container *container, struct device *device,
                       struct refusal *why)
{
    const struct rule_draft draft = {drop_in->directory, drop_in->rule.name, drop_in->rule.text};
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    _cleanup_grant_ struct grant *grant = NULL;
    int r = try_files(service, &draft, &rules, why);
    if (r == 0)
        r = check_seen(rules, drop_in, container, device, why);
    if (r == 0)
        r = delegation_try_rules(service->delegation, rules, container, device, &grant, why);
    if (r == 0)
        return refuse(
            why, EPERM,
            "a rule behind %s takes %s from %s again: devolvectl explain names those that "
            "match",
            drop_in->rule.name, device->devpath, container->name);
    return r < 0 ? r : 0;
}

/* --- those that are there */

/* Whether a file, read alone, gives the container the device. */
static bool gives(const char *directory, const char *name, const struct container *container,
                  struct device *device)
{
    const struct rule_container who = judged(container);
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    _cleanup_(rule_problems_done) struct rule_problems problems = {.count = 0};
    _cleanup_free_ char *path = NULL;
    struct share share = {.given = false};
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        path = NULL;
    if (!rules || !path || rule_file_load(path, rules, &problems) < 0)
        return false;
    bool given = rule_judge(rules, device, &who, NULL, NULL, &share) > 0;
    share_done(&share);
    return given;
}

/* The file that gives the device, or has this name. Returns 1 and *ret (caller frees), 0, -ENOMEM.
 */
static int find(const struct service *service, const struct container *container,
                struct device *device, const char *name, const char **ret_directory, char **ret)
{
    const struct service_options *options = service->options;
    for (size_t i = 0; i < options->rule_directory_count; i++) {
        const char *directory = options->rule_directories[i];
        _cleanup_(name_list_done) struct name_list names = {.count = 0};
        if (rule_drop_in_list(directory, container->name, &names) < 0)
            return -ENOMEM;
        for (size_t k = 0; k < names.count; k++) {
            if (device ? !gives(directory, names.items[k], container, device)
                       : !streq(names.items[k], name))
                continue;
            *ret_directory = directory;
            *ret = strdup(names.items[k]);
            return *ret ? 1 : -ENOMEM;
        }
    }
    return 0;
}

static int check_new(const struct service *service, const struct container *container,
                     struct device *device, struct refusal *why)
{
    const char *directory;
    _cleanup_free_ char *name = NULL;
    int r = find(service, container, device, NULL, &directory, &name);
    if (r < 0)
        return refuse(why, -r, "no memory to look for rules");
    return r == 0 ? 0
                  : refuse(why, EEXIST, "%s is attached to %s already, by %s/%s: detach it first",
                           device->devpath, container->name, directory, name);
}

/* --- from outside */

int drop_in_draft(struct service *service, const struct container *container, struct device *device,
                  const struct share *share, enum drop_in_life life, struct drop_in **ret,
                  struct refusal *why)
{
    const struct service_options *options = service->options;
    struct rule_suggestions suggestions;
    _cleanup_drop_in_ struct drop_in *drop_in = calloc(1, sizeof(*drop_in));
    if (!drop_in || rule_suggest(device, &suggestions) < 0)
        return refuse(why, ENOMEM, "no memory to find a rule");
    drop_in->directory =
        life == DROP_IN_RUNTIME ? options->runtime_rule_directory : options->rule_directories[0];

    int r = check_new(service, container, device, why);
    if (r == 0)
        r = choose(service, container, device, share, &suggestions, &drop_in->rule, why);
    rule_suggestions_done(&suggestions);
    if (r == 0)
        r = try_drop_in(service, drop_in, container, device, why);
    if (r == 0)
        *ret = TAKE_PTR(drop_in);
    return r;
}

int drop_in_write(struct service *service, const struct drop_in *drop_in, struct refusal *why)
{
    int r = rule_drop_in_write(drop_in->directory, drop_in->rule.name, drop_in->rule.text, why);
    if (r < 0 || service_reload(service) == 0)
        return r;
    (void)rule_drop_in_remove(drop_in->directory, drop_in->rule.name, NULL);
    return refuse_problems(&service->rule_problems, why);
}

static int on_reload(sd_event_source *source, void *userdata)
{
    struct service *service = userdata;
    (void)source;
    service->reload_soon = sd_event_source_disable_unref(service->reload_soon);
    (void)service_reload(service);
    return 0;
}

void drop_in_withdraw(struct service *service, const struct drop_in *drop_in)
{
    struct refusal why;
    if (rule_drop_in_remove(drop_in->directory, drop_in->rule.name, &why) < 0)
        log_line(LOG_ERR, "%s", why.text);
    int r = service->reload_soon
                ? 0
                : sd_event_add_defer(service->event, &service->reload_soon, on_reload, service);
    if (r < 0)
        log_line(LOG_ERR, "cannot schedule a reload of the rules: %s", strerror(-r));
}

int drop_in_remove(struct service *service, const struct container *container,
                   struct device *device, const char *name, struct refusal *why)
{
    const char *directory;
    _cleanup_free_ char *found = NULL;
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    int r = find(service, container, device, name, &directory, &found);
    if (r < 0)
        return refuse(why, -r, "no memory to look for rules");
    if (r == 0)
        return 0;
    r = try_files(service, &(struct rule_draft){directory, found, NULL}, &rules, why);
    if (r == 0)
        r = rule_drop_in_remove(directory, found, why);
    if (r == 0 && service_reload(service) < 0)
        r = refuse_problems(&service->rule_problems, why);
    return r < 0 ? r : 1;
}
