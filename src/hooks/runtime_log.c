/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/runtime_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "model/varlink_message.h"

static json_t *make_now(void)
{
    char text[32] = "";
    time_t seconds = time(NULL);
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

/* With the line's end; caller frees. */
static char *format_line(bool is_json, const char *text)
{
    char *line = NULL;
    _cleanup_json_ json_t *fields =
        json_pack("{s:s, s:s, s:o}", "level", "error", "msg", text, "time", make_now());
    _cleanup_free_ char *all = json_dumps(fields, JSON_COMPACT);
    _cleanup_free_ char *message = json_dumps(json_object_get(fields, "msg"), JSON_ENCODE_ANY);
    _cleanup_free_ char *now = json_dumps(json_object_get(fields, "time"), JSON_ENCODE_ANY);
    if (!all || !message || !now)
        return NULL;
    int n = is_json ? asprintf(&line, "%s\n", all)
                    : asprintf(&line, "time=%s level=error msg=%s\n", now, message);
    return n < 0 ? NULL : line;
}

int runtime_log_error(const char *path, bool is_json, const char *text)
{
    _cleanup_free_ char *line = format_line(is_json, text);
    if (!line)
        return -ENOMEM;
    _cleanup_close_ int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
    return fd < 0 || write(fd, line, strlen(line)) < 0 ? -errno : 0;
}
