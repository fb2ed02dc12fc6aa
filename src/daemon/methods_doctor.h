/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What both kinds of Doctor share: of the host, and of one container. */

#include "daemon/control.h"
#include "engine/examination.h"

/* What a finding is about. */
struct doctor_subject {
    const char *name;    /* "events", a container's name, ... */
    const char *devpath; /* NULL: no device */
    enum gate gate;
};

/* Adds a finding to those of the reply. */
void doctor_find(json_t *findings, enum finding_verdict verdict,
                 const struct doctor_subject *subject, const char *format, ...) _printf_(4, 5);

/* Answers for one container, now or when it was looked at. */
void doctor_of_container(struct control_call *call, const char *name);
