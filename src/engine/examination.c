/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/examination.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/delegation_state.h"

enum stage { STAGE_WHOLE, STAGE_DEV, STAGE_MARKER, STAGE_NODE, STAGE_RECORD, STAGE_END };

struct examination {
    struct examination *next; /* waits for this one's end */
    struct container *container;
    struct examiner examiner;
    enum stage stage;
    char **devpaths; /* of the deliveries there were when it began */
    size_t count, at;
    uint64_t serial; /* of the delivery that is looked at */
};

static void examination_free(struct examination *examination)
{
    for (size_t i = 0; i < examination->count; i++)
        free(examination->devpaths[i]);
    free(examination->devpaths);
    free(examination);
}

static void find(const struct examination *examination, enum finding_verdict verdict,
                 enum gate gate, const char *devpath, const char *format, ...) _printf_(5, 6);

static void find(const struct examination *examination, enum finding_verdict verdict,
                 enum gate gate, const char *devpath, const char *format, ...)
{
    char text[2 * REFUSAL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct finding finding = {
        .verdict = verdict, .gate = gate, .devpath = devpath, .text = text};
    examination->examiner.on_finding(examination->examiner.userdata, &finding);
}

/* ---- the container as a whole ---- */

static void look_at_netns(const struct examination *examination)
{
    switch (examination->container->facts.netns) {
    case NETNS_ISOLATED:
        find(examination, FINDING_GOOD, GATE_NONE, NULL,
             "its network namespace is isolated: it hears of the devices that it is given, in "
             "order, and of no others");
        break;
    case NETNS_NATIVE:
        find(examination, FINDING_WARNING, GATE_NETNS, NULL,
             "its network namespace is native, as the host's user namespace owns it: the kernel "
             "itself tells it of every device of the host, at times before the node is there; "
             "udev's "
             "events come in order");
        break;
    case NETNS_HOST:
        find(examination, FINDING_WARNING, GATE_NETNS, NULL,
             "it has the host's network namespace: it hears what the host hears, and nothing that "
             "devolve would tell it");
        break;
    }
}

static void look_at_ids(const struct examination *examination)
{
    const struct place_facts *facts = &examination->container->facts;
    char uids[128], gids[128];
    uint32_t id;
    bool root = idmap_to_host(facts->uids, 0, &id) && idmap_to_host(facts->gids, 0, &id);
    idmap_describe(facts->uids, uids, sizeof(uids));
    idmap_describe(facts->gids, gids, sizeof(gids));
    if (!root)
        find(examination, FINDING_BAD, GATE_IDS, NULL,
             "it has no root: 0 is not mapped (uids %s, gids %s)", uids, gids);
    else
        find(examination, FINDING_GOOD, GATE_NONE, NULL, "mapped are uids %s and gids %s", uids,
             gids);
}

static void look_at_access(const struct examination *examination)
{
    const struct container *container = examination->container;
    const struct door *door = container->delegation->door;
    char text[REFUSAL_MAX];
    find(examination, FINDING_GOOD, GATE_NONE, NULL, "device cgroups: %s",
         door->place_describe_access(door->userdata, container->place, text, sizeof(text)));
}

static void look_at_udevd(const struct examination *examination)
{
    const struct container *container = examination->container;
    if (!container->facts.tells_udev)
        find(examination, FINDING_GOOD, GATE_NONE, NULL, "udev's word is the host's here");
    else
        find(examination, FINDING_GOOD, GATE_NONE, NULL, "%s",
             container->has_udevd
                 ? "a udevd runs inside: it makes its own records, of the events that it is told"
                 : "no udevd runs inside: records and udev's events come from devolve");
}

/* Whether there is any use in going inside. */
static bool look_at_whole(const struct examination *examination)
{
    const struct container *container = examination->container;
    const struct door *door = container->delegation->door;
    if (!door->place_alive(door->userdata, container->place)) {
        find(examination, FINDING_BAD, GATE_CONTAINER, NULL, "its process %d is dead",
             (int)container->pid);
        return false;
    }
    find(examination, FINDING_GOOD, GATE_NONE, NULL, "it is registered, with process %d",
         (int)container->pid);
    look_at_netns(examination);
    look_at_ids(examination);
    look_at_access(examination);
    look_at_udevd(examination);
    if (container->stalled)
        find(examination, FINDING_BAD, GATE_CONTAINER, NULL,
             "its file system does not answer; devolve tries again by itself: %s",
             container->note.text);
    else if (container->note.error)
        find(examination, FINDING_WARNING, GATE_NONE, NULL, "what went wrong last: %s",
             container->note.text);
    return !container->stalled;
}

/* ---- what is looked at inside ---- */

static void on_look(void *userdata, enum gate gate, const struct refusal *why);

/* The delivery whose turn it is, where it is there to be looked at. */
static struct delivery *current(const struct examination *examination)
{
    struct delivery *delivery =
        container_find_delivery(examination->container, examination->devpaths[examination->at]);
    bool usable = delivery && delivery->state == DELIVERY_DELIVERED && !delivery->cut;
    return usable ? delivery : NULL;
}

/* Whether it pends. */
static bool look_inside(struct examination *examination, const struct look *look,
                        const char *devpath)
{
    const struct container *container = examination->container;
    const struct door *door = container->delegation->door;
    struct refusal why = {.error = 0};
    if (door->place_look(door->userdata, container->place, look, on_look, examination, &why) == 0)
        return true;
    find(examination, FINDING_WARNING, GATE_CONTAINER, devpath, "%s", why.text);
    return false;
}

static bool has_libudev_to_serve(const struct container *container)
{
    return container->facts.tells_udev && !container->has_udevd;
}

/* What can be said of a delivery without a look. */
static void find_state(const struct examination *examination, const struct delivery *delivery)
{
    const struct grant *grant = delivery->grant;
    if (delivery->state == DELIVERY_REFUSED)
        find(examination, FINDING_BAD, delivery->gate, grant->devpath, "%s", delivery->why.text);
    else if (delivery->state != DELIVERY_DELIVERED || delivery->cut)
        find(examination, FINDING_WARNING, GATE_NONE, grant->devpath,
             delivery->state == DELIVERY_GIVING ? "it is being given at the moment"
                                                : "it is being taken back at the moment");
    else if (grant->interface)
        find(examination, FINDING_GOOD, GATE_NONE, grant->devpath, "it is inside, as %s",
             grant->interface);
    else
        find(examination, FINDING_GOOD, GATE_NONE, grant->devpath, "it has no node");
}

static bool look_at_node(struct examination *examination)
{
    const struct delivery *delivery =
        container_find_delivery(examination->container, examination->devpaths[examination->at]);
    if (!delivery)
        return false;
    if (!current(examination) || !delivery->grant->node) {
        find_state(examination, delivery);
        return false;
    }
    const struct look look = {.kind = LOOK_NODE, .item = delivery->item, .grant = delivery->grant};
    examination->serial = delivery->serial;
    return look_inside(examination, &look, delivery->grant->devpath);
}

static bool look_at_record(struct examination *examination)
{
    const struct delivery *delivery = current(examination);
    if (!delivery || !delivery->word || !has_libudev_to_serve(examination->container))
        return false;
    const struct look look = {.kind = LOOK_RECORD, .id = delivery->word->id};
    examination->serial = delivery->serial;
    return look_inside(examination, &look, delivery->grant->devpath);
}

/* Whether it pends. */
static bool run_stage(struct examination *examination)
{
    const struct look dev = {.kind = LOOK_DEV}, marker = {.kind = LOOK_MARKER};
    switch (examination->stage) {
    case STAGE_WHOLE:
        if (!look_at_whole(examination))
            examination->stage = STAGE_END;
        return false;
    case STAGE_DEV:
        return look_inside(examination, &dev, NULL);
    case STAGE_MARKER:
        return has_libudev_to_serve(examination->container) &&
               look_inside(examination, &marker, NULL);
    case STAGE_NODE:
        return look_at_node(examination);
    case STAGE_RECORD:
        return look_at_record(examination);
    case STAGE_END:
        break;
    }
    return false;
}

/* The container first, then its devices one by one. */
static void move_on(struct examination *examination)
{
    switch (examination->stage) {
    case STAGE_WHOLE:
        examination->stage = STAGE_DEV;
        break;
    case STAGE_DEV:
        examination->stage = STAGE_MARKER;
        break;
    case STAGE_MARKER:
        examination->stage = examination->count > 0 ? STAGE_NODE : STAGE_END;
        break;
    case STAGE_NODE:
        examination->stage = STAGE_RECORD;
        break;
    case STAGE_RECORD:
        examination->stage = ++examination->at < examination->count ? STAGE_NODE : STAGE_END;
        break;
    case STAGE_END:
        break;
    }
}

static void finish(struct examination *examination)
{
    const struct examiner examiner = examination->examiner;
    examination->container->examinations = examination->next;
    examination_free(examination);
    examiner.on_end(examiner.userdata);
}

/* Goes on with the first, and where that ends with the next. */
static void advance(struct container *container)
{
    struct examination *examination;
    while ((examination = container->examinations)) {
        while (examination->stage != STAGE_END) {
            if (run_stage(examination))
                return;
            move_on(examination);
        }
        finish(examination);
    }
}

/* The first gate is told, and no other of the same device. */
static void note_node(struct examination *examination, enum gate gate, const struct refusal *why)
{
    const struct delivery *delivery = current(examination);
    if (!delivery || delivery->serial != examination->serial)
        return; /* it went meanwhile, or is another by now */
    const struct grant *grant = delivery->grant;
    if (gate == GATE_NONE) {
        if (examination->stage == STAGE_NODE)
            find(examination, FINDING_GOOD, GATE_NONE, grant->devpath,
                 "it can be used inside, as %s", grant->node);
        return;
    }
    bool lesser = gate == GATE_RECORD;
    find(examination, lesser ? FINDING_WARNING : FINDING_BAD, gate, grant->devpath, "%s",
         why->text);
    examination->stage = STAGE_RECORD;
}

static void on_look(void *userdata, enum gate gate, const struct refusal *why)
{
    struct examination *examination = userdata;
    struct container *container = examination->container;
    bool whole = examination->stage == STAGE_DEV || examination->stage == STAGE_MARKER;
    if (gate == GATE_CONTAINER) {
        find(examination, FINDING_BAD, gate, NULL, "%s", why->text);
        examination->stage = STAGE_END;
    } else if (!whole) {
        note_node(examination, gate, why);
    } else if (gate != GATE_NONE) {
        find(examination, gate == GATE_MARKER ? FINDING_WARNING : FINDING_BAD, gate, NULL, "%s",
             why->text);
    } else if (examination->stage == STAGE_DEV) {
        find(examination, FINDING_GOOD, GATE_NONE, NULL, "its /dev can be written to");
    }
    move_on(examination);
    advance(container);
}

static int list_deliveries(struct examination *examination)
{
    for (const struct delivery *d = examination->container->deliveries; d; d = d->next) {
        char **slot = array_add(&examination->devpaths, &examination->count, sizeof(*slot));
        if (!slot)
            return -ENOMEM;
        *slot = strdup(d->grant->devpath);
        if (!*slot)
            return -ENOMEM;
    }
    return 0;
}

int examination_start(struct container *container, const struct examiner *examiner)
{
    struct examination **last = &container->examinations;
    struct examination *examination = calloc(1, sizeof(*examination));
    if (!examination)
        return -ENOMEM;
    examination->container = container;
    examination->examiner = *examiner;
    if (list_deliveries(examination) < 0) {
        examination_free(examination);
        return -ENOMEM;
    }
    while (*last)
        last = &(*last)->next;
    *last = examination;
    if (container->examinations == examination)
        advance(container);
    return 0;
}

void examination_end_all(struct container *container)
{
    while (container->examinations) {
        find(container->examinations, FINDING_BAD, GATE_CONTAINER, NULL,
             "it went while it was looked at");
        finish(container->examinations);
    }
}
