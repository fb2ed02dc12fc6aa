/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table of lists. A rule is in one list for each combination of its literal alternatives:
 *
 *     SUBSYSTEM=="usb", ATTR{idVendor}=="10c4", ATTR{idProduct}=="ea60"   usb, 10c4, ea60
 *     SUBSYSTEM=="tty", KERNEL=="ttyS0|ttyS1"                             tty, ttyS0; tty, ttyS1
 *     ATTRS{idVendor}=="0403"                                             any, 0403
 *     SUBSYSTEM=="block"                                                  block
 *
 * A parent key that fails is not without effect: udevd forgets the parent that an earlier rule
 * found, which %b and %s{} of later rules speak of. The judge makes up for that (rule_match.c), and
 * can do so only where it is told by the device alone whether the search would have been made.
 */
#include "model/rule_index.h"

#include <errno.h>

#define BUCKETS_MIN 64u
#define LISTS_OF_A_RULE_MAX 32u

enum kind {
    KIND_SUBSYSTEM, /* rules that ask for nothing more */
    KIND_KERNEL,    /* first: the name */
    KIND_IDS,       /* no rules: there are some that ask for USB ids */
    KIND_VENDOR,    /* first: idVendor */
    KIND_PRODUCT,   /* first: idVendor, second: idProduct */
};

/* Strings are compared by what they say; NULL is a value of its own. */
struct bucket_key {
    const char *subsystem; /* NULL: any */
    enum kind kind;
    const char *first, *second;
};

struct bucket {
    struct bucket *next;
    uint64_t hash;
    struct bucket_key key; /* strings of the set's arena */
    struct rule_numbers numbers;
};

struct rule_index {
    struct bucket **buckets;
    size_t capacity; /* a power of two */
    size_t count;
    struct rule_numbers general; /* rules that any device may match */
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return (hash ^ 0x100u) * 0x100000001b3u;
}

/* FNV-1a */
static uint64_t hash_of(const struct bucket_key *key)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)key->kind;
    return hash_text(hash_text(hash_text(hash, key->subsystem), key->first), key->second);
}

static bool keys_equal(const struct bucket_key *a, const struct bucket_key *b)
{
    return a->kind == b->kind && streq_null(a->subsystem, b->subsystem) &&
           streq_null(a->first, b->first) && streq_null(a->second, b->second);
}

static struct bucket *find_bucket(const struct rule_index *index, const struct bucket_key *key)
{
    if (index->count == 0)
        return NULL;
    uint64_t hash = hash_of(key);
    struct bucket *bucket = index->buckets[hash & (index->capacity - 1)];
    while (bucket && (bucket->hash != hash || !keys_equal(&bucket->key, key)))
        bucket = bucket->next;
    return bucket;
}

static int grow(struct rule_index *index)
{
    size_t capacity = index->capacity ? index->capacity * 2 : BUCKETS_MIN;
    struct bucket **buckets = calloc(capacity, sizeof(struct bucket *));
    if (!buckets)
        return -ENOMEM;
    for (size_t i = 0; i < index->capacity; i++)
        for (struct bucket *bucket = index->buckets[i], *next; bucket; bucket = next) {
            struct bucket **head = &buckets[bucket->hash & (capacity - 1)];
            next = bucket->next;
            bucket->next = *head;
            *head = bucket;
        }
    free(index->buckets);
    index->buckets = buckets;
    index->capacity = capacity;
    return 0;
}

static struct bucket *make_bucket(struct rule_index *index, const struct bucket_key *key)
{
    struct bucket *bucket = find_bucket(index, key);
    if (bucket || (index->count >= index->capacity && grow(index) < 0))
        return bucket;
    bucket = calloc(1, sizeof(*bucket));
    if (!bucket)
        return NULL;
    uint64_t hash = hash_of(key);
    struct bucket **head = &index->buckets[hash & (index->capacity - 1)];
    *bucket = (struct bucket){.next = *head, .hash = hash, .key = *key};
    *head = bucket;
    index->count++;
    return bucket;
}

static int append(struct rule_numbers *numbers, size_t number)
{
    if (numbers->count > 0 && numbers->items[numbers->count - 1] == number)
        return 0; /* "a|a" */
    uint32_t *slot = array_add(&numbers->items, &numbers->count, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *slot = (uint32_t)number;
    return 0;
}

static int append_to(struct rule_index *index, struct bucket_key key, size_t number)
{
    struct bucket *bucket = make_bucket(index, &key);
    return bucket ? append(&bucket->numbers, number) : -ENOMEM;
}

/* What a rule asks for literally: tokens, each of which may be NULL. */
struct signature {
    const struct rule_token *subsystem, *kernel, *vendor, *product;
};

/* Whether equality is all that the match means. */
static bool is_plain(const struct rule_token *token)
{
    return token->op == RULE_EQUAL && token->glob.is_literal && !token->glob.ignore_case &&
           !token->substitutes;
}

static bool is_id(const struct rule_token *token, const char *name)
{
    const char *alternative = token->glob.alternatives;
    if (!is_plain(token) || !streq(token->argument, name))
        return false;
    /* what udev does to the white space at a value's end is not for a hash to know */
    for (size_t i = 0; i < token->glob.count; i++, alternative = rule_glob_next(alternative))
        if (alternative[0] == '\0' || alternative[rule_glob_trimmed_length(alternative)] != '\0')
            return false;
    return !token->glob.keeps_blanks;
}

static void note_ids(struct signature *signature, const struct rule_token *token)
{
    if (!signature->vendor && is_id(token, "idVendor"))
        signature->vendor = token;
    if (!signature->product && is_id(token, "idProduct"))
        signature->product = token;
}

/* Whether the match's answer is told by the device alone, whatever rules did before. */
static bool is_of_device(const struct rule_token *token)
{
    enum rule_key key = token->info->key;
    return key != RULE_KEY_ENV && key != RULE_KEY_SYMLINK && key != RULE_KEY_NAME &&
           !token->substitutes;
}

static void note_device_keys(struct signature *signature, const struct rule *rule,
                             bool *ret_of_device)
{
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_DEVICE);
    *ret_of_device = true;
    for (const struct rule_token *token = rule->tokens; token < end; token++) {
        *ret_of_device &= is_of_device(token);
        if (!signature->subsystem && token->info->key == RULE_KEY_SUBSYSTEM && is_plain(token))
            signature->subsystem = token;
        if (!signature->kernel && token->info->key == RULE_KEY_KERNEL && is_plain(token))
            signature->kernel = token;
        if (token->info->key == RULE_KEY_ATTR)
            note_ids(signature, token);
    }
}

static struct signature read_signature(const struct rule *rule)
{
    struct signature signature = {0};
    bool of_device;
    note_device_keys(&signature, rule, &of_device);
    if (!of_device && !signature.vendor)
        return signature;
    const struct rule_token *end = rule_group_end(rule, RULE_GROUP_PARENT);
    const struct rule_token *token = rule_group_begin(rule, RULE_GROUP_PARENT);
    bool own = signature.vendor; /* ATTR{} and ATTRS{} may be of two devices: do not mix them */
    for (; token < end && !own; token++)
        if (token->info->key == RULE_KEY_ATTRS)
            note_ids(&signature, token);
    if (!own && signature.product && signature.product->info->key != RULE_KEY_ATTRS)
        signature.product = NULL;
    return signature;
}

static size_t count_of(const struct rule_token *token)
{
    return token ? token->glob.count : 1;
}

static const char *first_of(const struct rule_token *token)
{
    return token ? token->glob.alternatives : NULL;
}

static int add_ids(struct rule_index *index, const struct signature *signature,
                   const char *subsystem, const char *vendor, size_t number)
{
    struct bucket_key key = {subsystem, KIND_VENDOR, vendor, NULL};
    struct bucket_key ids = {subsystem, KIND_IDS, NULL, NULL};
    const char *product = first_of(signature->product);
    if (!make_bucket(index, &ids) || !make_bucket(index, &key))
        return -ENOMEM;
    if (!product)
        return append_to(index, key, number);
    int r = 0;
    key.kind = KIND_PRODUCT;
    for (size_t i = 0; r == 0 && i < signature->product->glob.count; i++) {
        key.second = product;
        r = append_to(index, key, number);
        product = rule_glob_next(product);
    }
    return r;
}

/* One alternative of KERNEL or idVendor, or neither. */
static int add_second(struct rule_index *index, const struct signature *signature,
                      const char *subsystem, const char *second, size_t number)
{
    if (signature->kernel)
        return append_to(index, (struct bucket_key){subsystem, KIND_KERNEL, second, NULL}, number);
    if (signature->vendor)
        return add_ids(index, signature, subsystem, second, number);
    if (subsystem)
        return append_to(index, (struct bucket_key){subsystem, KIND_SUBSYSTEM, NULL, NULL}, number);
    return append(&index->general, number);
}

static int add_rule(struct rule_index *index, const struct rule *rule, size_t number)
{
    struct signature signature = read_signature(rule);
    const struct rule_token *token = signature.kernel ? signature.kernel : signature.vendor;
    if (count_of(signature.subsystem) * count_of(token) * count_of(signature.product) >
        LISTS_OF_A_RULE_MAX)
        return append(&index->general, number);

    int r = 0;
    const char *subsystem = first_of(signature.subsystem);
    for (size_t i = 0; r == 0 && i < count_of(signature.subsystem); i++) {
        const char *second = first_of(token);
        for (size_t j = 0; r == 0 && j < count_of(token); j++) {
            r = add_second(index, &signature, subsystem, second, number);
            second = second ? rule_glob_next(second) : NULL;
        }
        subsystem = subsystem ? rule_glob_next(subsystem) : NULL;
    }
    return r;
}

static void cut(struct rule_numbers *numbers, size_t first)
{
    while (numbers->count > 0 && numbers->items[numbers->count - 1] >= first)
        numbers->count--;
}

static void cut_all(struct rule_index *index, size_t first)
{
    cut(&index->general, first);
    for (size_t i = 0; i < index->capacity; i++)
        for (struct bucket *bucket = index->buckets[i]; bucket; bucket = bucket->next)
            cut(&bucket->numbers, first);
}

int rule_index_add(struct rule_index **index, const struct rule *rules, size_t first, size_t count)
{
    if (!*index)
        *index = calloc(1, sizeof(**index));
    int r = *index && first + count < UINT32_MAX ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_rule(*index, &rules[i], first + i);
    if (r < 0 && *index)
        cut_all(*index, first);
    return r;
}

void rule_index_free(struct rule_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->capacity; i++)
        for (struct bucket *bucket = index->buckets[i], *next; bucket; bucket = next) {
            next = bucket->next;
            free(bucket->numbers.items);
            free(bucket);
        }
    free(index->general.items);
    free(index->buckets);
    free(index);
}

static void add_list(struct rule_candidates *candidates, const struct rule_numbers *numbers)
{
    if (numbers->count == 0)
        return;
    if (candidates->count == RULE_CANDIDATE_LISTS) {
        candidates->all = true;
        return;
    }
    candidates->lists[candidates->count] = numbers;
    candidates->at[candidates->count++] = 0;
}

static const struct bucket *add_bucket(struct rule_candidates *candidates,
                                       const struct rule_index *index, struct bucket_key key)
{
    const struct bucket *bucket = find_bucket(index, &key);
    if (bucket)
        add_list(candidates, &bucket->numbers);
    return bucket;
}

/* An attribute without the white space at its end. False where there is none, or it is no id. */
static bool read_id(struct device *device, const char *name, char id[static 64])
{
    const char *value = device_attribute(device, name);
    size_t length = value ? rule_glob_trimmed_length(value) : 0;
    if (length == 0 || length >= 64)
        return false;
    memcpy(id, value, length);
    id[length] = '\0';
    return true;
}

/* The same list may come twice, for two hubs of a kind: that only costs a little. */
static void add_lists_of_ids(struct rule_candidates *candidates, const struct rule_index *index,
                             const char *subsystem, struct device *device)
{
    char vendor[64], product[64];
    struct bucket_key ids = {subsystem, KIND_IDS, NULL, NULL};
    if (!find_bucket(index, &ids))
        return;
    for (; device; device = device_parent(device)) {
        if (!read_id(device, "idVendor", vendor))
            continue;
        struct bucket_key key = {subsystem, KIND_VENDOR, vendor, NULL};
        if (add_bucket(candidates, index, key) && read_id(device, "idProduct", product))
            (void)add_bucket(candidates, index,
                             (struct bucket_key){subsystem, KIND_PRODUCT, vendor, product});
    }
}

void rule_candidates_init(struct rule_candidates *candidates, const struct rule_index *index,
                          struct device *device)
{
    candidates->count = 0;
    candidates->all = !index;
    if (!index)
        return;
    const char *const subsystems[] = {device->subsystem, NULL};
    add_list(candidates, &index->general);
    (void)add_bucket(candidates, index,
                     (struct bucket_key){device->subsystem, KIND_SUBSYSTEM, NULL, NULL});
    for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++) {
        (void)add_bucket(candidates, index,
                         (struct bucket_key){subsystems[i], KIND_KERNEL, device->sysname, NULL});
        add_lists_of_ids(candidates, index, subsystems[i], device);
    }
}

/* The first place at or behind `at` whose number is `from` or more: near ones are found fast. */
static size_t advance(const struct rule_numbers *numbers, size_t at, size_t from)
{
    size_t step = 1, low = at, high = at;
    while (high < numbers->count && numbers->items[high] < from) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high < numbers->count ? high : numbers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers->items[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t rule_candidates_next(struct rule_candidates *candidates, size_t from)
{
    size_t next = SIZE_MAX;
    if (candidates->all)
        return from;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct rule_numbers *list = candidates->lists[i];
        candidates->at[i] = advance(list, candidates->at[i], from);
        if (candidates->at[i] < list->count && list->items[candidates->at[i]] < next)
            next = list->items[candidates->at[i]];
    }
    return next;
}
