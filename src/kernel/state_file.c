/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/state_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "kernel/note_directory.h"

#define SUM_LENGTH 17 /* 16 digits and a newline */

/* FNV-1a, 64 bits: against damage, not against anybody. */
static uint64_t checksum(const char *text)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 0x100000001b3u;
    return sum;
}

int state_file_put(int directory_fd, const char *id, const json_t *json, struct refusal *why)
{
    _cleanup_free_ char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    _cleanup_free_ char *text = NULL;
    if (!body || asprintf(&text, "%016" PRIx64 "\n%s", checksum(body), body) < 0) {
        text = NULL;
        return refuse(why, ENOMEM, "no memory");
    }
    return note_directory_put(directory_fd, id, text, why);
}

int state_file_read(int directory_fd, const char *id, json_t **ret, struct refusal *why)
{
    _cleanup_free_ char *text = NULL;
    char sum[SUM_LENGTH + 1];
    json_error_t error;
    size_t size;

    int r = note_directory_read(directory_fd, id, NOTE_MAX, &text, &size, why);
    if (r < 0)
        return r;
    if (size < SUM_LENGTH || strlen(text) != size)
        return refuse(why, EBADMSG, "it is damaged");
    snprintf(sum, sizeof(sum), "%016" PRIx64 "\n", checksum(text + SUM_LENGTH));
    if (strncmp(text, sum, SUM_LENGTH) != 0)
        return refuse(why, EBADMSG, "it is damaged: its checksum is another");
    *ret = json_loads(text + SUM_LENGTH, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    return *ret ? 0 : refuse(why, EBADMSG, "column %d: %s", error.column, error.text);
}
