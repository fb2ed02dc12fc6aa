/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/mark.h"

#include "engine/delegation_state.h"
#include "engine/outcome.h"
#include "engine/saved.h"
#include "model/rule_usb.h"

void mark_judge(struct container *container, const struct rule_set *rules)
{
    const struct rule_container seen = {.name = container->name, .labels = &container->labels};
    container->wants_usb = rule_set_may_give_usb(rules, &seen);
}

void mark_forget(struct container *container)
{
    memset(container->marked, 0, sizeof(container->marked));
}

static bool is_wanted(const struct container *container, enum place_mark mark)
{
    bool wanted = mark == PLACE_MARK_UDEV ? container->facts.tells_udev : container->wants_usb;
    return wanted && (!container->leaving || container->deliveries);
}

static void end(struct container *container, const struct step_result *result)
{
    static const char *const TEXTS[] = {
        [PLACE_MARK_UDEV] = "udev's word cannot be told inside",
        [PLACE_MARK_USB] = "programs that wait for USB devices may not start inside",
    };
    container->marking = false;
    if (result->stalled) {
        outcome_stall(container, &result->why);
        return;
    }
    container->marked[container->marking_kind] = container->marking_present;
    if (!container->leaving)
        saved_note_container(container);
    if (result->why.error)
        delegation_note(container, TEXTS[container->marking_kind], &result->why);
}

static void on_end(void *userdata, const struct step_result *result)
{
    struct container *container = userdata;
    end(container, result);
    delegation_turn(container);
}

static void start(struct container *container, enum place_mark mark, bool present)
{
    const struct door *door = container->delegation->door;
    struct step_result result = {.why.error = 0};

    container->marking = true;
    container->marking_kind = mark;
    container->marking_present = present;
    if (door->place_mark(door->userdata, container->place, mark, present, on_end, container,
                         &result) > 0)
        end(container, &result);
}

bool mark_work(struct container *container)
{
    if (container->leaving && container->hints)
        return false;
    for (enum place_mark mark = 0; mark < PLACE_MARK_COUNT; mark++) {
        bool wanted = is_wanted(container, mark);
        if (wanted == container->marked[mark])
            continue;
        start(container, mark, wanted);
        return true;
    }
    return false;
}
