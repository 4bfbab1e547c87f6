/* What an S3 server says in XML: errors, an upload's id, a completed upload's ETag. Any thread. */
#ifndef S3_XML_H
#define S3_XML_H

#include <stddef.h>

/* Text of the root's children; "" where absent. */
typedef struct s3_xml {
    char root[64]; /* "Error", "InitiateMultipartUploadResult", ... without a namespace's prefix */
    char code[128], message[512], region[64], request_id[128];
    char upload_id[2048], etag[128];
} s3_xml;

/* Blanks before the document are skipped: a server sends them to keep a connection alive. -1: not a
 * document, one with a DOCTYPE, or one whose upload id or ETag is longer than any server's; ret is cleared. */
int s3_xml_parse(const char *data, size_t size, s3_xml *ret);

#endif
