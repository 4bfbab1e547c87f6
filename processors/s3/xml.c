#include "xml.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define DEPTH_MOST 32

typedef struct field {
    const char *name;
    size_t offset, size;
    bool whole; /* a cut value would be a wrong one */
} field;

static const field fields[] = {
    {"Code", offsetof(s3_xml, code), sizeof((s3_xml *)0)->code, false},
    {"Message", offsetof(s3_xml, message), sizeof((s3_xml *)0)->message, false},
    {"Region", offsetof(s3_xml, region), sizeof((s3_xml *)0)->region, false},
    {"RequestId", offsetof(s3_xml, request_id), sizeof((s3_xml *)0)->request_id, false},
    {"UploadId", offsetof(s3_xml, upload_id), sizeof((s3_xml *)0)->upload_id, true},
    {"ETag", offsetof(s3_xml, etag), sizeof((s3_xml *)0)->etag, true},
};

typedef struct document {
    XML_Parser parser;
    s3_xml *ret;
    int depth;
    const field *open; /* the child whose text comes, or NULL */
    size_t used;
    bool refused;
} document;

static void refuse(document *in)
{
    in->refused = true;
    XML_StopParser(in->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    (void)attributes;
    document *in = context;
    in->open = NULL;
    if (++in->depth > DEPTH_MOST) refuse(in);
    if (in->depth == 1) strncat(in->ret->root, local_name(name), sizeof in->ret->root - 1);
    if (in->depth != 2) return;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, local_name(name)) == 0) in->open = &fields[i];
    in->used = 0;
    if (in->open) ((char *)in->ret)[in->open->offset] = 0;
}

static void on_end(void *context, const char *name)
{
    (void)name;
    document *in = context;
    in->depth--;
    in->open = NULL;
}

static void on_text(void *context, const char *text, int length)
{
    document *in = context;
    if (!in->open) return;
    size_t room = in->open->size - 1 - in->used, size = (size_t)length;
    if (size > room && in->open->whole) {
        refuse(in);
        return;
    }
    if (size > room) size = room;
    char *to = (char *)in->ret + in->open->offset + in->used;
    memcpy(to, text, size);
    to[size] = 0;
    in->used += size;
}

static void on_doctype(void *context, const char *name, const char *system, const char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(context);
}

int s3_xml_parse(const char *data, size_t size, s3_xml *ret)
{
    memset(ret, 0, sizeof *ret);
    while (size && memchr(" \t\r\n", *data, 4)) data++, size--;
    XML_Parser parser = size && size <= INT_MAX ? XML_ParserCreate(NULL) : NULL;
    if (!parser) return -1;
    document in = {.parser = parser, .ret = ret};
    XML_SetUserData(parser, &in);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    int result = XML_Parse(parser, data, (int)size, XML_TRUE) == XML_STATUS_OK && !in.refused ? 0 : -1;
    XML_ParserFree(parser);
    if (result != 0) memset(ret, 0, sizeof *ret);
    return result;
}
