/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/device.h"

/*
 * What rules may ask this host beside a device: sysctls below /proc/sys, attributes of any device
 * in sysfs, files, and constants.
 */
extern const struct host_facts host_facts_real;
