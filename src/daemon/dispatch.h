/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a method's full name to the function that answers; org.varlink.service is answered here. */

#include "daemon/control.h"

/* Runs the method; the call is answered now or later. */
void dispatch_call(struct control_call *call, const char *method);
