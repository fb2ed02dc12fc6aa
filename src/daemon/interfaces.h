/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The descriptions that org.varlink.service.GetInterfaceDescription gives. */

/* src/daemon/io.devolve.varlink, made into a string by the build. */
extern const char interface_io_devolve[];

/* https://varlink.org/Service */
extern const char interface_org_varlink_service[];
