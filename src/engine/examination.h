/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `doctor NAME`: what was found of a container, and of each device that it is given the first gate
 * that refuses it (model/gate.h). It is asked inside and nothing is changed, so it takes a moment,
 * in which the container goes on: what changes meanwhile is left out.
 */

#include "engine/delegation.h"

enum finding_verdict {
    FINDING_GOOD,
    FINDING_WARNING, /* something that may be wanted does not work */
    FINDING_BAD,
};

/* Everything is borrowed. */
struct finding {
    enum finding_verdict verdict;
    enum gate gate;
    const char *devpath; /* NULL: about the container as a whole */
    const char *text;
};

struct examiner {
    void (*on_finding)(void *userdata, const struct finding *finding);
    void (*on_end)(void *userdata);
    void *userdata;
};

/*
 * Begins; the examiner is copied. on_end is called once: from here, from the event loop, or when
 * the container goes. Those of one container are held one after the other. Returns 0 or -ENOMEM:
 * nothing is called then.
 */
int examination_start(struct container *container, const struct examiner *examiner);

/* The container goes: all of its examinations end. */
void examination_end_all(struct container *container);
