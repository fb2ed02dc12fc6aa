/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which of a container's annotations may be its image's. podman gives a container those of its
 * image's manifest, as if they had been asked for; other runtimes do not.
 */

#include "hooks/oci_state.h"

/*
 * Returns an object whose keys are the annotations that the image sets, to json_decref(): empty
 * where the runtime does not hand them on. NULL and the reason where that cannot be found out.
 */
json_t *oci_image_annotations(const struct oci_state *state, struct refusal *why);
