/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "base/text.h"

#define LINE_MAX_BYTES 1024

static enum log_target log_target = LOG_TARGET_STDERR;
static int log_level = LOG_INFO;

void log_open(enum log_target target, int level)
{
    log_target = target;
    log_level = level;
}

bool log_enabled(int level)
{
    return level <= log_level;
}

static void write_stderr(int level, const char *container, const char *device, const char *line)
{
    static const char *const names[] = {"emergency", "alert",  "critical", "error",
                                        "warning",   "notice", "info",     "debug"};
    fprintf(stderr, "devolved: %s: %s%s%s%s%s\n", names[level & 7], container ? container : "",
            container ? ": " : "", device ? device : "", device ? ": " : "", line);
}

static _printf_(4, 0) void write_line(int level, const char *container, const char *device,
                                      const char *format, va_list arguments)
{
    char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES], shown_device[LINE_MAX_BYTES];
    if (!log_enabled(level))
        return;
    vsnprintf(raw, sizeof(raw), format, arguments);
    text_printable(line, sizeof(line), raw, strlen(raw));
    if (device)
        text_printable(shown_device, sizeof(shown_device), device, strlen(device));

    if (log_target == LOG_TARGET_STDERR)
        write_stderr(level, container, device ? shown_device : NULL, line);
    else
        sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", level, "SYSLOG_IDENTIFIER=devolved",
                        "DEVOLVE_CONTAINER=%s", container ? container : "", "DEVOLVE_DEVICE=%s",
                        device ? shown_device : "", NULL);
}

void log_line(int level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(level, NULL, NULL, format, arguments);
    va_end(arguments);
}

void log_about(int level, const char *container, const char *device, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(level, container, device, format, arguments);
    va_end(arguments);
}
