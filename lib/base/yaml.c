/* SPDX-License-Identifier: Apache-2.0 */
/* base/yaml.c - text to a tree that knows its lines, over libyaml's events. Only the part of YAML that has one reading is
 * taken: one document, no anchors, aliases, tags or directives, each key once; size, depth and nodes are bounded. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <yaml.h>

#include <testudo/base.h>

struct reader {
    const char *file;
    const char *text;
    size_t n;
    yaml_parser_t parser;
    size_t nodes;
};

static void event_free(yaml_event_t *event)
{
    yaml_event_delete(event);
}
#define AUTO_EVENT __attribute__((cleanup(event_free))) yaml_event_t

#define FAIL_AT(r, mark, err, why) \
    tst_fail((err), TST_USAGE, "%s:%zu:%zu: %s", (r)->file, (mark)->line + 1, (mark)->column + 1, (why))

/* libyaml knows only the offset of a byte that is no text. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < r->n; i++) {
        mark.column++;
        if (r->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static int event_next(struct reader *r, yaml_event_t *event, struct tst_error **err)
{
    memset(event, 0, sizeof *event);
    if (yaml_parser_parse(&r->parser, event))
        return 0;
    yaml_mark_t mark = r->parser.problem_mark;
    if (r->parser.error == YAML_MEMORY_ERROR)
        return tst_fail(err, TST_INTERNAL, "%s:1:1: out of memory", r->file);
    if (r->parser.error == YAML_READER_ERROR)
        mark = mark_of_offset(r, r->parser.problem_offset);
    return FAIL_AT(r, &mark, err, r->parser.problem ? r->parser.problem : "is not well-formed");
}

static const char *decoration_of(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return "aliases are not accepted";
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    return anchor ? "anchors are not accepted" : tag ? "tags are not accepted" : NULL;
}

static int scalar_text(const struct reader *r, const yaml_event_t *event, char **out, struct tst_error **err)
{
    size_t n = event->data.scalar.length;
    if (memchr(event->data.scalar.value, 0, n))
        return FAIL_AT(r, &event->start_mark, err, "text holds a NUL character");
    *out = strndup((const char *)event->data.scalar.value, n);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "%s:1:1: out of memory", r->file);
}

static int node_read(struct reader *r, const yaml_event_t *event, unsigned depth, struct tst_yaml **out,
                     struct tst_error **err);

/* Reads one key into *out; *end is set instead when the map ends. */
static int key_read(struct reader *r, const struct tst_yaml *map, struct tst_yaml *out, bool *end,
                    struct tst_error **err)
{
    AUTO_EVENT event;
    int rc = event_next(r, &event, err);
    if (rc)
        return rc;
    *end = event.type == YAML_MAPPING_END_EVENT;
    if (*end)
        return 0;
    const char *decoration = decoration_of(&event);
    if (decoration)
        return FAIL_AT(r, &event.start_mark, err, decoration);
    if (event.type != YAML_SCALAR_EVENT || event.data.scalar.length == 0)
        return FAIL_AT(r, &event.start_mark, err, "a key must be a non-empty text");
    rc = scalar_text(r, &event, &out->key, err);
    if (rc)
        return rc;
    out->key_line = (unsigned)event.start_mark.line + 1;
    out->key_column = (unsigned)event.start_mark.column + 1;
    for (const struct tst_yaml *other = map->child; other; other = other->next)
        if (strcmp(other->key, out->key) == 0)
            return tst_fail(err, TST_USAGE, "%s:%u:%u: key \"%.60s\" appears twice, first in line %u", r->file,
                            out->key_line, out->key_column, out->key, other->key_line);
    return 0;
}

static int map_read(struct reader *r, struct tst_yaml *map, unsigned depth, struct tst_error **err)
{
    struct tst_yaml **tail = &map->child;
    for (;;) {
        struct tst_yaml key = {0};
        TST_AUTO_STR name = NULL;
        bool end = false;
        int rc = key_read(r, map, &key, &end, err);
        name = key.key;
        if (rc || end)
            return rc;
        AUTO_EVENT event;
        struct tst_yaml *value = NULL;
        rc = event_next(r, &event, err);
        if (rc == 0)
            rc = node_read(r, &event, depth + 1, &value, err);
        if (rc)
            return rc;
        value->key = TST_STEAL(name);
        value->key_line = key.key_line;
        value->key_column = key.key_column;
        *tail = value;
        tail = &value->next;
    }
}

static int list_read(struct reader *r, struct tst_yaml *list, unsigned depth, struct tst_error **err)
{
    struct tst_yaml **tail = &list->child;
    for (;;) {
        AUTO_EVENT event;
        int rc = event_next(r, &event, err);
        if (rc || event.type == YAML_SEQUENCE_END_EVENT)
            return rc;
        struct tst_yaml *value = NULL;
        rc = node_read(r, &event, depth + 1, &value, err);
        if (rc)
            return rc;
        *tail = value;
        tail = &value->next;
    }
}

/* Reads the node that `event` starts. */
static int node_read(struct reader *r, const yaml_event_t *event, unsigned depth, struct tst_yaml **out,
                     struct tst_error **err)
{
    const char *decoration = decoration_of(event);
    if (decoration)
        return FAIL_AT(r, &event->start_mark, err, decoration);
    if (depth > TST_YAML_MAX_DEPTH)
        return FAIL_AT(r, &event->start_mark, err, "nested too deep");
    if (++r->nodes > TST_YAML_MAX_NODES)
        return FAIL_AT(r, &event->start_mark, err, "has too many values");
    TST_AUTO_YAML node = calloc(1, sizeof *node);
    if (!node)
        return tst_fail(err, TST_INTERNAL, "%s:1:1: out of memory", r->file);
    node->file = r->file;
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    int rc = 0;
    if (event->type == YAML_MAPPING_START_EVENT) {
        node->kind = TST_YAML_MAP;
        rc = map_read(r, node, depth, err);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node->kind = TST_YAML_SEQ;
        rc = list_read(r, node, depth, err);
    } else {
        node->kind = TST_YAML_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        rc = scalar_text(r, event, &node->text, err);
    }
    if (rc)
        return rc;
    *out = TST_STEAL(node);
    return 0;
}

/* Takes one event and demands its type. */
static int event_expect(struct reader *r, yaml_event_type_t type, const char *otherwise, struct tst_error **err)
{
    AUTO_EVENT event;
    int rc = event_next(r, &event, err);
    if (rc)
        return rc;
    if (event.type != type)
        return FAIL_AT(r, &event.start_mark, err, otherwise);
    bool directives = type == YAML_DOCUMENT_START_EVENT &&
                      (event.data.document_start.version_directive || event.data.document_start.tag_directives.start !=
                                                                          event.data.document_start.tag_directives.end);
    if (directives)
        return FAIL_AT(r, &event.start_mark, err, "directives are not accepted");
    return 0;
}

static int stream_read(struct reader *r, struct tst_yaml **out, struct tst_error **err)
{
    int rc = event_expect(r, YAML_STREAM_START_EVENT, "is not YAML", err);
    if (rc == 0)
        rc = event_expect(r, YAML_DOCUMENT_START_EVENT, "is empty", err);
    if (rc)
        return rc;
    AUTO_EVENT event;
    TST_AUTO_YAML root = NULL;
    rc = event_next(r, &event, err);
    if (rc == 0)
        rc = node_read(r, &event, 1, &root, err);
    if (rc == 0)
        rc = event_expect(r, YAML_DOCUMENT_END_EVENT, "the document does not end", err);
    if (rc == 0)
        rc = event_expect(r, YAML_STREAM_END_EVENT, "only one document is accepted", err);
    if (rc)
        return rc;
    *out = TST_STEAL(root);
    return 0;
}

int tst_yaml_parse(const char *file, const char *text, size_t n, struct tst_yaml **out, struct tst_error **err)
{
    struct reader r = {.text = text, .n = n};
    if (n > TST_YAML_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "%s:1:1: %zu bytes, at most %d are allowed", file, n, TST_YAML_MAX_BYTES);
    TST_AUTO_STR name = strdup(file);
    if (!name || !yaml_parser_initialize(&r.parser))
        return tst_fail(err, TST_INTERNAL, "%s:1:1: out of memory", file);
    r.file = name;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(n ? text : ""), n);
    int rc = stream_read(&r, out, err);
    yaml_parser_delete(&r.parser);
    if (rc)
        return rc;
    (*out)->file_owned = TST_STEAL(name);
    return 0;
}

/* Depth is bounded by the reader, lists are walked: the recursion is at most TST_YAML_MAX_DEPTH deep. */
void tst_yaml_free(struct tst_yaml *y)
{
    while (y) {
        struct tst_yaml *next = y->next;
        tst_yaml_free(y->child);
        free(y->text);
        free(y->key);
        free(y->file_owned);
        free(y);
        y = next;
    }
}
