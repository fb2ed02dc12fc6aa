/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/activity_log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/log.h"

void activity_log(const struct activity *activity)
{
    const char *error = activity->error ? activity->error : "";
    char rule[NAME_MAX + 16] = "";
    switch (activity->kind) {
    case ACTIVITY_OUTCOME:
        if (activity->rule_file)
            (void)snprintf(rule, sizeof(rule), " (%s:%u)", activity->rule_file,
                           activity->rule_line);
        log_about(activity->error ? LOG_WARNING : LOG_INFO, activity->container, activity->devpath,
                  "%s%s%s%s", activity->text, *error ? ": " : "", error, rule);
        break;
    case ACTIVITY_CONTAINER:
    case ACTIVITY_RULES:
    case ACTIVITY_RESYNC:
        log_about(activity->error ? LOG_WARNING : LOG_INFO, activity->container, NULL, "%s%s%s",
                  activity->text, *error ? ": " : "", error);
        break;
    case ACTIVITY_STEP:
        log_about(LOG_DEBUG, activity->container, activity->devpath, "%s: %s (%" PRIu64 " us)",
                  activity->text, *error ? error : "done", activity->duration_us);
        break;
    case ACTIVITY_EVENT:
    case ACTIVITY_DECISION:
        break;
    }
}
