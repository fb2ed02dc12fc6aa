/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that were mistyped. */

#include "base/util.h"

/*
 * Whether somebody who wrote `written` may have meant `name`: they differ, but only in upper and
 * lower case, or in one letter (two, where there are six or more) that is another, is missing, is
 * too many, or has changed places with its neighbour. Names of 64 bytes and more are near to none.
 */
bool near_name(const char *written, const char *name);
