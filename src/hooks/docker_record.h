/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What dockerd itself has noted of a container: docker hands neither the name nor labels on to the
 * runtime. DATA_ROOT/containers/ID/config.v2.json has the name; where DATA_ROOT is, the bundle says
 * by the files that dockerd mounts into every container (/etc/hostname, /etc/hosts,
 * /etc/resolv.conf).
 *
 * Only the name is taken. The labels there are the image's as well, and an image must not name
 * anything.
 */

#include "base/refusal.h"

/*
 * Returns 1 and *ret (caller frees), 0 where it is no container of docker's, or a negative errno
 * and the reason. `config` is the bundle's config.json.
 */
int docker_record_name(const char *config, size_t size, const char *id, char **ret,
                       struct refusal *why);
