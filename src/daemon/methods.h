/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of io.devolve, a row each; a file for each noun. */

#include "daemon/control.h"

struct method {
    const char *name;
    void (*run)(struct control_call *call);
};

/* The method's row, or NULL. */
const struct method *method_find(const char *name);

/* Ends what runs for a client that has gone. */
void method_forget(struct control_call *call);

/* methods_container.c */
void method_register(struct control_call *call);
void method_unregister(struct control_call *call);
void method_list_containers(struct control_call *call);

/* methods_grant.c */
void method_list_devices(struct control_call *call);
void method_list_grants(struct control_call *call);

/* methods_attach.c */
void method_attach(struct control_call *call);
void method_detach(struct control_call *call);

/* methods_explain.c */
void method_explain(struct control_call *call);

/* methods_rules.c */
void method_check(struct control_call *call);
void method_reload(struct control_call *call);
void method_get_metrics(struct control_call *call);

/* methods_doctor.c */
void method_doctor(struct control_call *call);

/* methods_monitor.c */
void method_monitor(struct control_call *call);

/*
 * Helpers: a parameter of the wrong type or a missing one is answered with
 * org.varlink.service.InvalidParameter, and -EINVAL returned: the call is gone then.
 */
int call_string(struct control_call *call, const char *name, bool required, const char **ret);
int call_integer(struct control_call *call, const char *name, bool required, int64_t *ret);
int call_bool(struct control_call *call, const char *name, bool *ret);
/* Refuses members that the method does not know; `known` ends with NULL. */
int call_only(struct control_call *call, const char *const *known);
/* The container, or io.devolve.ContainerNotFound. */
int call_container(struct control_call *call, const char *name, struct container **ret);
/* The device that a person means, or io.devolve.DeviceNotFound; Refused where it may be several. */
int call_device(struct control_call *call, const char *name, struct device **ret);
void call_refuse(struct control_call *call, const struct refusal *why);
