/* SPDX-License-Identifier: Apache-2.0 */
/* platform/domcaps.c - one pass over the XML with the path of open elements; what is not asked for is passed over, what is not
 * well-formed is refused. */
#include "platform/domcaps.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 32
#define NAME_MAX_BYTES 64
#define TEXT_MAX_BYTES 64
#define ATTRIBUTES_MAX 16

struct attribute {
    struct tst_bytes name, value;
};
struct xml {
    const char *p, *end;
    struct tst_bytes path[DEPTH_MAX];
    size_t depth;
    bool closed; /* the root element ended */
    struct attribute attributes[ATTRIBUTES_MAX];
    size_t attribute_count;
    char enum_name[TEXT_MAX_BYTES]; /* of the <enum> that is open */
    struct domcaps *out;
};

static int fail_at(const struct xml *x, const char *what, struct tst_error **err)
{
    return tst_fail(err, TST_USAGE, "domain capabilities: %s, %zu bytes before the end", what, (size_t)(x->end - x->p));
}

static bool at(const struct xml *x, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(x->end - x->p) >= n && memcmp(x->p, text, n) == 0;
}

static int skip_past(struct xml *x, const char *end, struct tst_error **err)
{
    while (x->p < x->end && !at(x, end))
        x->p++;
    if (x->p == x->end)
        return fail_at(x, "something does not end", err);
    x->p += strlen(end);
    return 0;
}

static void skip_space(struct xml *x)
{
    while (x->p < x->end && isspace((unsigned char)*x->p))
        x->p++;
}

static int take_name(struct xml *x, struct tst_bytes *out, struct tst_error **err)
{
    const char *start = x->p;
    while (x->p < x->end && (isalnum((unsigned char)*x->p) || strchr("-_.:", *x->p)) && *x->p)
        x->p++;
    *out = (struct tst_bytes){(const uint8_t *)start, (size_t)(x->p - start)};
    return out->n && out->n <= NAME_MAX_BYTES ? 0 : fail_at(x, "a name is missing or too long", err);
}

static bool is(struct tst_bytes b, const char *text)
{
    return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

static bool path_is(const struct xml *x, const char *const *names, size_t n)
{
    bool same = x->depth == n;
    for (size_t i = 0; same && i < n; i++)
        same = is(x->path[i], names[i]);
    return same;
}

#define PATH(...) (const char *const[]){"domainCapabilities", "features", __VA_ARGS__}, TST_COUNT(((const char *const[]){"", "", __VA_ARGS__}))

static struct tst_bytes attribute(const struct xml *x, const char *name)
{
    for (size_t i = 0; i < x->attribute_count; i++)
        if (is(x->attributes[i].name, name))
            return x->attributes[i].value;
    return (struct tst_bytes){NULL, 0};
}

/* ---- what is wanted ---- */
static void on_open(struct xml *x)
{
    if (path_is(x, PATH("sev")))
        x->out->sev = is(attribute(x, "supported"), "yes");
    else if (path_is(x, PATH("launchSecurity")))
        x->out->launch_security = is(attribute(x, "supported"), "yes");
    else if (path_is(x, PATH("launchSecurity", "enum"))) {
        struct tst_bytes name = attribute(x, "name");
        snprintf(x->enum_name, sizeof x->enum_name, "%.*s", (int)(name.n < TEXT_MAX_BYTES ? name.n : 0), name.p ? (const char *)name.p : "");
    }
}

static bool number(struct tst_bytes text, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!isdigit(text.p[i]) || v > UINT32_MAX)
            return false;
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = v;
    return text.n > 0;
}

static int on_text(struct xml *x, struct tst_bytes text, struct tst_error **err)
{
    struct domcaps *o = x->out;
    bool good = true;
    if (path_is(x, PATH("sev", "maxGuests")))
        good = o->has_max_guests = number(text, &o->max_guests);
    else if (path_is(x, PATH("sev", "maxESGuests")))
        good = o->has_max_es_guests = number(text, &o->max_es_guests);
    else if (path_is(x, PATH("sev", "cbitpos")))
        good = number(text, &o->cbitpos);
    else if (path_is(x, PATH("launchSecurity", "enum", "value")) && strcmp(x->enum_name, "sectype") == 0) {
        o->type_sev |= is(text, "sev");
        o->type_snp |= is(text, "sev-snp");
    }
    return good ? 0 : fail_at(x, "a number is expected", err);
}

/* ---- XML ---- */
static int take_attributes(struct xml *x, struct tst_error **err)
{
    x->attribute_count = 0;
    for (;;) {
        struct attribute a;
        skip_space(x);
        if (x->p == x->end || *x->p == '>' || *x->p == '/')
            return 0;
        if (x->attribute_count == ATTRIBUTES_MAX)
            return fail_at(x, "too many attributes", err);
        int rc = take_name(x, &a.name, err);
        if (rc < 0)
            return rc;
        skip_space(x);
        if (x->p == x->end || *x->p++ != '=')
            return fail_at(x, "an attribute has no value", err);
        skip_space(x);
        if (x->p == x->end || (*x->p != '\'' && *x->p != '"'))
            return fail_at(x, "an attribute's value has no quotes", err);
        char quote = *x->p++;
        const char *start = x->p;
        while (x->p < x->end && *x->p != quote && *x->p != '<')
            x->p++;
        if (x->p == x->end || *x->p != quote)
            return fail_at(x, "an attribute's value does not end", err);
        a.value = (struct tst_bytes){(const uint8_t *)start, (size_t)(x->p++ - start)};
        x->attributes[x->attribute_count++] = a;
    }
}

static int take_close(struct xml *x, struct tst_error **err)
{
    struct tst_bytes name;
    x->p += 2;
    int rc = take_name(x, &name, err);
    if (rc < 0)
        return rc;
    skip_space(x);
    if (x->p == x->end || *x->p++ != '>')
        return fail_at(x, "an end tag does not end", err);
    if (!x->depth || x->path[x->depth - 1].n != name.n || memcmp(x->path[x->depth - 1].p, name.p, name.n) != 0)
        return fail_at(x, "an end tag does not match", err);
    x->closed = --x->depth == 0;
    return 0;
}

static int take_open(struct xml *x, struct tst_error **err)
{
    if (x->closed || x->depth == DEPTH_MAX)
        return fail_at(x, x->closed ? "something follows the root element" : "nested too deep", err);
    x->p++;
    int rc = take_name(x, &x->path[x->depth], err);
    if (rc == 0 && x->depth == 0 && !is(x->path[0], "domainCapabilities"))
        rc = fail_at(x, "the root element is not <domainCapabilities>", err);
    if (rc == 0)
        rc = take_attributes(x, err);
    if (rc < 0)
        return rc;
    x->depth++;
    on_open(x);
    bool empty = at(x, "/>");
    if (!empty && !at(x, ">"))
        return fail_at(x, "a tag does not end", err);
    x->p += empty ? 2 : 1;
    if (empty)
        x->closed = --x->depth == 0;
    return 0;
}

static int take_text(struct xml *x, struct tst_error **err)
{
    const char *start = x->p;
    while (x->p < x->end && *x->p != '<')
        x->p++;
    const char *end = x->p;
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    if (start == end)
        return 0;
    if (!x->depth)
        return fail_at(x, "text outside of the root element", err);
    return on_text(x, (struct tst_bytes){(const uint8_t *)start, (size_t)(end - start)}, err);
}

static int take_one(struct xml *x, struct tst_error **err)
{
    if (*x->p != '<')
        return take_text(x, err);
    if (at(x, "<!--"))
        return skip_past(x, "-->", err);
    if (at(x, "<?"))
        return skip_past(x, "?>", err);
    if (at(x, "<!"))
        return fail_at(x, "a DTD or CDATA is not expected", err);
    return at(x, "</") ? take_close(x, err) : take_open(x, err);
}

int domcaps_parse(const char *text, size_t n, struct domcaps *out, struct tst_error **err)
{
    struct xml x = {.p = text, .end = text + n, .out = out};
    *out = (struct domcaps){0};
    if (n > DOMCAPS_MAX)
        return tst_fail(err, TST_TOO_LARGE, "domain capabilities: %zu bytes, at most %d", n, DOMCAPS_MAX);
    while (x.p < x.end) {
        int rc = take_one(&x, err);
        if (rc < 0)
            return rc;
    }
    return x.closed ? 0 : fail_at(&x, "the root element is not closed", err);
}
