/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/varlink_message.h"

#include <errno.h>

#define REPLY_MAX (VARLINK_MESSAGE_MAX * 16)

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The end of a part of an interface name: letters and digits, hyphens between them; or NULL. */
static const char *after_label(const char *text)
{
    const char *start = text;
    while (is_letter(*text) || is_digit(*text) || *text == '-')
        text++;
    return text > start && *start != '-' && text[-1] != '-' ? text : NULL;
}

static bool is_member_name(const char *text)
{
    if (*text < 'A' || *text > 'Z')
        return false;
    while (is_letter(*text) || is_digit(*text))
        text++;
    return *text == '\0';
}

/* varlink.org, "Interface Definition": an interface of two or more parts, a dot, a capitalised
 * name. */
static bool is_qualified_name(const char *text)
{
    if (!is_letter(*text))
        return false;
    for (unsigned labels = 1;; labels++) {
        text = after_label(text);
        if (!text || *text != '.')
            return false;
        text++;
        if (labels >= 2 && is_member_name(text))
            return true;
    }
}

/*
 * Jansson itself stops at 2048 levels only. Brackets are counted before it sees the text, so that
 * its recursion, and that of all who walk the value afterwards, is bounded.
 */
static bool is_too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > VARLINK_DEPTH_MAX)
            return true;
    }
    return false;
}

static int parse_object(const char *message, size_t size, size_t max, json_t **ret,
                        struct refusal *why)
{
    json_error_t error;
    if (size > max)
        return refuse(why, EBADMSG, "the message has %zu bytes, %zu are the most", size, max);
    if (is_too_deep(message, size))
        return refuse(why, EBADMSG, "the message is nested deeper than %d", VARLINK_DEPTH_MAX);

    _cleanup_json_ json_t *json = json_loadb(message, size, JSON_REJECT_DUPLICATES, &error);
    if (!json && json_error_code(&error) == json_error_out_of_memory)
        return refuse(why, ENOMEM, "memory is short");
    if (!json)
        return refuse(why, EBADMSG, "the message is no JSON: %s", error.text);
    if (!json_is_object(json))
        return refuse(why, EBADMSG, "the message is no JSON object");
    *ret = TAKE_PTR(json);
    return 0;
}

static int read_name(const char *member, const json_t *value, char **ret, struct refusal *why)
{
    const char *text = json_string_value(value);
    if (!text || !is_qualified_name(text))
        return refuse(why, EBADMSG, "\"%s\" is no dotted name: %s", member, text ? text : "");
    *ret = strdup(text);
    return *ret ? 0 : refuse(why, ENOMEM, "memory is short");
}

static int read_parameters(json_t *value, json_t **ret, struct refusal *why)
{
    if (!json_is_object(value))
        return refuse(why, EBADMSG, "\"parameters\" is no object");
    *ret = json_incref(value);
    return 0;
}

static int read_flag(const char *member, const json_t *value, bool *ret, struct refusal *why)
{
    if (!json_is_boolean(value))
        return refuse(why, EBADMSG, "\"%s\" is neither true nor false", member);
    *ret = json_is_true(value);
    return 0;
}

/* Parameters that were left out are the empty object. */
static int default_parameters(json_t **parameters, struct refusal *why)
{
    if (!*parameters)
        *parameters = json_object();
    return *parameters ? 0 : refuse(why, ENOMEM, "memory is short");
}

static int read_call_member(const char *member, json_t *value, struct varlink_call *call,
                            struct refusal *why)
{
    if (streq(member, "method"))
        return read_name(member, value, &call->method, why);
    if (streq(member, "parameters"))
        return read_parameters(value, &call->parameters, why);
    if (streq(member, "oneway"))
        return read_flag(member, value, &call->oneway, why);
    if (streq(member, "more"))
        return read_flag(member, value, &call->more, why);
    if (streq(member, "upgrade"))
        return read_flag(member, value, &call->upgrade, why);
    return refuse(why, EBADMSG, "a call has no member \"%s\"", member);
}

static int read_reply_member(const char *member, json_t *value, struct varlink_reply *reply,
                             struct refusal *why)
{
    if (streq(member, "error"))
        return read_name(member, value, &reply->error, why);
    if (streq(member, "parameters"))
        return read_parameters(value, &reply->parameters, why);
    if (streq(member, "continues"))
        return read_flag(member, value, &reply->continues, why);
    return refuse(why, EBADMSG, "a reply has no member \"%s\"", member);
}

int varlink_call_parse(const char *message, size_t size, struct varlink_call *ret,
                       struct refusal *why)
{
    _cleanup_json_ json_t *object = NULL;
    _cleanup_(varlink_call_done) struct varlink_call call = {0};
    const char *member;
    json_t *value;

    int r = parse_object(message, size, VARLINK_MESSAGE_MAX, &object, why);
    if (r < 0)
        return r;
    json_object_foreach(object, member, value)
    {
        r = read_call_member(member, value, &call, why);
        if (r < 0)
            return r;
    }
    if (!call.method)
        return refuse(why, EBADMSG, "the call names no method");
    r = default_parameters(&call.parameters, why);
    if (r < 0)
        return r;
    *ret = call;
    call = (struct varlink_call){0};
    return 0;
}

int varlink_reply_parse(const char *message, size_t size, struct varlink_reply *ret,
                        struct refusal *why)
{
    _cleanup_json_ json_t *object = NULL;
    _cleanup_(varlink_reply_done) struct varlink_reply reply = {0};
    const char *member;
    json_t *value;

    int r = parse_object(message, size, REPLY_MAX, &object, why);
    if (r < 0)
        return r;
    json_object_foreach(object, member, value)
    {
        r = read_reply_member(member, value, &reply, why);
        if (r < 0)
            return r;
    }
    r = default_parameters(&reply.parameters, why);
    if (r < 0)
        return r;
    *ret = reply;
    reply = (struct varlink_reply){0};
    return 0;
}

void varlink_call_done(struct varlink_call *call)
{
    free(call->method);
    json_decref(call->parameters);
    *call = (struct varlink_call){0};
}

void varlink_reply_done(struct varlink_reply *reply)
{
    free(reply->error);
    json_decref(reply->parameters);
    *reply = (struct varlink_reply){0};
}

/* One message: `name` (NULL: none) under `member`, the parameters, and `flag` (NULL: none) as true.
 */
static char *format_message(const char *member, const char *name, const json_t *parameters,
                            const char *flag, size_t *ret_size)
{
    _cleanup_json_ json_t *object = json_object();
    if (!object || (name && json_object_set_new(object, member, json_string(name)) < 0))
        return NULL;

    /* jansson counts references inside the value: borrowing it here leaves it as it was */
    json_t *shown = parameters ? json_incref((json_t *)parameters) : json_object();
    if (json_object_set_new(object, "parameters", shown) < 0 ||
        (flag && json_object_set_new(object, flag, json_true()) < 0))
        return NULL;

    _cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    if (size > REPLY_MAX)
        return NULL;
    *ret_size = size;
    return TAKE_PTR(text);
}

char *varlink_call_format(const char *method, const json_t *parameters, bool more, size_t *ret_size)
{
    return format_message("method", method, parameters, more ? "more" : NULL, ret_size);
}

char *varlink_reply_format(const json_t *parameters, bool continues, size_t *ret_size)
{
    return format_message(NULL, NULL, parameters, continues ? "continues" : NULL, ret_size);
}

char *varlink_error_format(const char *error, const json_t *parameters, size_t *ret_size)
{
    return format_message("error", error, parameters, NULL, ret_size);
}
