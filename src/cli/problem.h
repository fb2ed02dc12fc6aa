/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is wrong with rules, shown as compilers do: the place, the sentence, the line and a caret.
 */

#include <jansson.h>

#include "cli/render.h"
#include "model/rule_parser.h"

/* The array of Problem of io.devolve(7), from the parser's; NULL when memory is short. */
json_t *problem_list(const struct rule_problems *problems);

/* Prints each Problem of the array (NULL: none). */
void problem_print_all(const struct render *render, const json_t *problems);

/* How many there are of a severity, "error" or "warning". */
size_t problem_count(const json_t *problems, const char *severity);
