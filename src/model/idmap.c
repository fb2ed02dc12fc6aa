/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/idmap.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

#define BLANKS " \t"

/* The extents of a map file while it is read, in the order of its lines. */
struct extent_lines {
    struct idmap_extent extents[IDMAP_EXTENTS_MAX];
    size_t count;
};

/* One number and the blanks before it; *text is moved behind it. Returns 0 or -EINVAL. */
static int take_number(const char **text, uint32_t *ret)
{
    char digits[sizeof("4294967295")];
    uint64_t number;
    const char *start = *text + strspn(*text, BLANKS);
    size_t length = strcspn(start, BLANKS "\n");

    if (length >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, start, length);
    digits[length] = '\0';
    if (text_to_number(digits, UINT32_MAX, &number) < 0)
        return -EINVAL;
    *ret = (uint32_t)number;
    *text = start + length;
    return 0;
}

/* One line with its newline, which the last one may lack. */
static int take_line(const char **text, struct idmap_extent *ret)
{
    struct idmap_extent extent;

    if (take_number(text, &extent.inside) < 0 || take_number(text, &extent.host) < 0 ||
        take_number(text, &extent.count) < 0)
        return -EINVAL;
    *text += strspn(*text, BLANKS);
    if (**text == '\n')
        (*text)++;
    else if (**text)
        return -EINVAL;
    *ret = extent;
    return 0;
}

/* start + count, both below 2^32: as the kernel, which keeps (uid_t)-1 out of every map. */
static bool range_fits(uint32_t start, uint32_t count)
{
    uint32_t end;
    return count > 0 && !__builtin_add_overflow(start, count, &end);
}

static bool ranges_overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
    return a < b + b_count && b < a + a_count;
}

static int add_extent(struct extent_lines *lines, const struct idmap_extent *extent,
                      struct refusal *why)
{
    size_t line = lines->count + 1;

    if (lines->count == IDMAP_EXTENTS_MAX)
        return refuse(why, EINVAL, "line %zu: more than %d extents", line, IDMAP_EXTENTS_MAX);
    if (!range_fits(extent->inside, extent->count) || !range_fits(extent->host, extent->count))
        return refuse(why, EINVAL, "line %zu: %u %u %u is no range of ids", line, extent->inside,
                      extent->host, extent->count);
    for (size_t i = 0; i < lines->count; i++) {
        const struct idmap_extent *other = &lines->extents[i];
        if (ranges_overlap(extent->inside, extent->count, other->inside, other->count) ||
            ranges_overlap(extent->host, extent->count, other->host, other->count))
            return refuse(why, EINVAL, "line %zu overlaps line %zu", line, i + 1);
    }
    lines->extents[lines->count++] = *extent;
    return 0;
}

static int by_inside(const void *a, const void *b)
{
    uint32_t left = ((const struct idmap_extent *)a)->inside;
    uint32_t right = ((const struct idmap_extent *)b)->inside;
    return (left > right) - (left < right);
}

static int by_host(const void *a, const void *b)
{
    uint32_t left = ((const struct idmap_extent *)a)->host;
    uint32_t right = ((const struct idmap_extent *)b)->host;
    return (left > right) - (left < right);
}

static int make_map(struct idmap *ret, const struct idmap_extent *extents, size_t count)
{
    struct idmap map = {.count = count};

    if (count > 0) {
        map.by_inside = calloc(2 * count, sizeof(*map.by_inside));
        if (!map.by_inside)
            return -ENOMEM;
        map.by_host = map.by_inside + count;
        memcpy(map.by_inside, extents, count * sizeof(*extents));
        memcpy(map.by_host, extents, count * sizeof(*extents));
        qsort(map.by_inside, count, sizeof(*extents), by_inside);
        qsort(map.by_host, count, sizeof(*extents), by_host);
    }
    *ret = map;
    return 0;
}

int idmap_parse(struct idmap *ret, const char *text, struct refusal *why)
{
    struct extent_lines lines = {.count = 0};

    while (*text) {
        struct idmap_extent extent;
        if (take_line(&text, &extent) < 0)
            return refuse(why, EINVAL, "line %zu is not three decimal numbers", lines.count + 1);
        int r = add_extent(&lines, &extent, why);
        if (r < 0)
            return r;
    }
    if (make_map(ret, lines.extents, lines.count) < 0)
        return refuse(why, ENOMEM, "no memory for %zu extents", lines.count);
    return 0;
}

int idmap_identity(struct idmap *ret)
{
    static const struct idmap_extent all = {.inside = 0, .host = 0, .count = UINT32_MAX};
    return make_map(ret, &all, 1);
}

void idmap_done(struct idmap *map)
{
    free(map->by_inside);
    *map = (struct idmap){0};
}

enum side { INSIDE, HOST };

static uint32_t start_of(const struct idmap_extent *extent, enum side side)
{
    return side == HOST ? extent->host : extent->inside;
}

/* The extent that holds `id`, among extents that are sorted by that side; or NULL. */
static const struct idmap_extent *find_extent(const struct idmap_extent *extents, size_t count,
                                              enum side side, uint32_t id)
{
    size_t low = 0, high = count;

    /* `low` becomes the number of extents that begin at or below id: only the last can hold it. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (start_of(&extents[middle], side) <= id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || id - start_of(&extents[low - 1], side) >= extents[low - 1].count)
        return NULL;
    return &extents[low - 1];
}

int idmap_to_host(const struct idmap *map, uint32_t inside, uint32_t *ret)
{
    const struct idmap_extent *extent = find_extent(map->by_inside, map->count, INSIDE, inside);
    if (!extent)
        return 0;
    *ret = extent->host + (inside - extent->inside);
    return 1;
}

int idmap_to_inside(const struct idmap *map, uint32_t host, uint32_t *ret)
{
    const struct idmap_extent *extent = find_extent(map->by_host, map->count, HOST, host);
    if (!extent)
        return 0;
    *ret = extent->inside + (host - extent->host);
    return 1;
}

/* Extents that follow each other inside are one range. Returns the number of them, and its last id.
 */
static size_t measure_range(const struct idmap *map, size_t first, uint32_t *ret_last)
{
    size_t i = first;
    *ret_last = map->by_inside[i].inside + (map->by_inside[i].count - 1);
    while (++i < map->count && map->by_inside[i].inside == *ret_last + 1)
        *ret_last += map->by_inside[i].count;
    return i - first;
}

const char *idmap_describe(const struct idmap *map, char *text, size_t size)
{
    size_t length = 0;
    snprintf(text, size, "none");
    for (size_t i = 0; i < map->count;) {
        char range[48];
        uint32_t first = map->by_inside[i].inside, last;
        size_t extents = measure_range(map, i, &last);
        int n = last > first ? snprintf(range, sizeof(range), "%u-%u", first, last)
                             : snprintf(range, sizeof(range), "%u", first);
        if (length + (size_t)n + sizeof(", and 340 extents more") > size) {
            snprintf(text + length, size - length, " and %zu extents more", map->count - i);
            return text;
        }
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", range);
        i += extents;
    }
    return text;
}
