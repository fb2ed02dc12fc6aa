/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/dispatch.h"

#include "config.h"
#include "daemon/control_json.h"
#include "daemon/interfaces.h"
#include "daemon/methods.h"

const char interface_org_varlink_service[] =
    "# What every Varlink service offers: varlink.org/Service\n"
    "interface org.varlink.service\n"
    "\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n"
    "  product: string,\n"
    "  version: string,\n"
    "  url: string,\n"
    "  interfaces: []string\n"
    ")\n"
    "\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "error InterfaceNotFound (interface: string)\n"
    "error MethodNotFound (method: string)\n"
    "error MethodNotImplemented (method: string)\n"
    "error InvalidParameter (parameter: string)\n";

static void get_info(struct control_call *call)
{
    static const char *const known[] = {NULL};
    if (call_only(call, known) < 0)
        return;
    control_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "devolve", "product",
                                  "devolved", "version", PACKAGE_VERSION, "url", PACKAGE_URL,
                                  "interfaces", "io.devolve", "org.varlink.service"));
}

static void get_description(struct control_call *call)
{
    static const char *const known[] = {"interface", NULL};
    const char *name;
    if (call_only(call, known) < 0 || call_string(call, "interface", true, &name) < 0)
        return;
    const char *description = streq(name, "io.devolve")            ? interface_io_devolve
                              : streq(name, "org.varlink.service") ? interface_org_varlink_service
                                                                   : NULL;
    if (description)
        control_reply(call, json_pack("{s:s}", "description", description));
    else
        control_error(call, "org.varlink.service.InterfaceNotFound",
                      json_pack("{s:o}", "interface", json_text(name)));
}

void dispatch_call(struct control_call *call, const char *method)
{
    const char *own = after_prefix(method, "io.devolve.");
    const struct method *row = own ? method_find(own) : NULL;

    if (row)
        row->run(call);
    else if (streq(method, "org.varlink.service.GetInfo"))
        get_info(call);
    else if (streq(method, "org.varlink.service.GetInterfaceDescription"))
        get_description(call);
    else if (own || after_prefix(method, "org.varlink.service."))
        control_error(call, "org.varlink.service.MethodNotFound",
                      json_pack("{s:o}", "method", json_text(method)));
    else
        control_error(call, "org.varlink.service.InterfaceNotFound",
                      json_pack("{s:o}", "interface", json_text(method)));
}
