/* identify-mime-type, on the smallest files that are what they say. */
#include "host.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static item *identify(host *host, const void *data, size_t size, const char *name)
{
    box *box = box_new(host, "type: identify-mime-type\n");
    box_feed_bytes(box, data, size, "filename", name, "mime.extension", ".old", NULL);
    box_run(box);
    return box_item(box, "success", 0);
}

static const char *type_of(host *host, const void *data, size_t size, const char *name)
{
    return item_attribute(identify(host, data, size, name), "mime.type");
}

#define PNG  BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde")
#define JPEG BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xdb\0\x43\0")
#define MP4                                            \
    BYTES("\0\0\0\x20"                                 \
          "ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08" \
          "free\0\0\0\0mdat")
#define MP3  BYTES("ID3\3\0\0\0\0\0\0\xff\xfb\x90\x64\0\0\0\0\0\0\0\0\0\0\0\0")
#define WAV  BYTES("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0\x88\x58\1\0\2\0\x10\0data\0\0\0\0")
#define PDF  BYTES("%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n")
#define FLAC BYTES("fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
#define ZIP                                                                    \
    BYTES("PK\3\4\x14\0\0\0\0\0\0\0!X\x86\xa6\x10\x36\5\0\0\0\5\0\0\0\1\0\0\0" \
          "a"                                                                  \
          "hello"                                                              \
          "PK\1\2\x14\3\x14\0\0\0\0\0\0\0!X\x86\xa6\x10\x36"                   \
          "\5\0\0\0\5\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0"             \
          "aPK\5\6\0\0\0\0\1\0\1\0/\0\0\0$\0\0\0\0\0")

TEST(media)
{
    host *host = host_new("content");
    CHECK_STR(type_of(host, PNG, "a"), "image/png");
    CHECK_STR(type_of(host, JPEG, "a"), "image/jpeg");
    CHECK_STR(type_of(host, BYTES("GIF89a\1\0\1\0\x80\0\0"), "a"), "image/gif");
    CHECK_STR(type_of(host, BYTES("RIFF\x24\0\0\0WEBPVP8 "), "a"), "image/webp");
    CHECK_STR(type_of(host, MP4, "a"), "video/mp4");
    CHECK_STR(type_of(host, MP3, "a"), "audio/mpeg");
    CHECK_STR(type_of(host, WAV, "a"), "audio/wav");
    CHECK_STR(type_of(host, FLAC, "a"), "audio/flac");
    CHECK_STR(type_of(host, PDF, "a"), "application/pdf");
    CHECK_STR(type_of(host, BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"), "a"), "image/svg+xml");
    host_free(host);
}

TEST(extensions_go_with_types)
{
    host *host = host_new("content");
    CHECK_STR(item_attribute(identify(host, PNG, "a"), "mime.extension"), ".png");
    CHECK_STR(item_attribute(identify(host, JPEG, "a"), "mime.extension"), ".jpg");
    CHECK_STR(item_attribute(identify(host, MP4, "a"), "mime.extension"), ".mp4");
    CHECK(!item_attribute(identify(host, BYTES("\1\2\3\4\5\6\7"), "a"), "mime.extension"));
    CHECK_STR(item_event(identify(host, PNG, "a"), 0), "ATTRIBUTES_MODIFIED");
    host_free(host);
}

TEST(bytes_decide_and_names_only_refine)
{
    host *host = host_new("content");
    CHECK_STR(type_of(host, PNG, "a.txt"), "image/png");
    CHECK_STR(type_of(host, PNG, "a.json"), "image/png");
    CHECK_STR(type_of(host, BYTES("\1\2\3\4\5\6\7"), "a.png"), "application/octet-stream");
    CHECK_STR(type_of(host, BYTES("\1\2\3\4\5\6\7"), "a.csv"), "application/octet-stream");
    CHECK_STR(type_of(host, BYTES("\1\2\3\4\5\6\7"), "a.MP3"), "audio/mpeg");
    CHECK_STR(type_of(host, BYTES("# Title\n\nSome words.\n"), "README.md"), "text/markdown");
    CHECK_STR(type_of(host, BYTES("key: value\nother: 1\n"), "a.yaml"), "application/yaml");
    CHECK_STR(type_of(host, BYTES("plain words\n"), "a"), "text/plain");
    CHECK_STR(type_of(host, BYTES("plain words\n"), "a.png"), "text/plain");
    CHECK_STR(type_of(host, ZIP, "a.zip"), "application/zip");
    CHECK_STR(type_of(host, ZIP, "a.docx"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    host_free(host);
}

TEST(json_is_json_whatever_its_size_and_name)
{
    host *host = host_new("content");
    CHECK_STR(type_of(host, BYTES("{\"a\": [1, 2, {\"b\": null}]}"), "a"), "application/json");
    CHECK_STR(type_of(host, BYTES("{\"a\": 1}\n{\"a\": 2}\n"), "a.jsonl"), "application/x-ndjson");
    CHECK_STR(type_of(host, BYTES("{\"type\": \"Feature\"}"), "a.geojson"), "application/geo+json");
    sl_buf large = SL_BUF(10 << 20);
    sl_buf_text(&large, "{\"images\": [");
    for (int i = 0; i < 50000; i++) sl_buf_printf(&large, "%s{\"id\": %d, \"file\": \"%d.jpg\"}", i ? ", " : "", i, i);
    sl_buf_text(&large, "]}");
    CHECK(large.size > 1000000);
    CHECK_STR(type_of(host, large.data, large.size, "annotations"), "application/json");
    sl_buf_done(&large);
    host_free(host);
}

TEST(empty_and_unknown)
{
    host *host = host_new("content");
    CHECK_STR(type_of(host, "", 0, "a.png"), "application/x-empty");
    CHECK_STR(type_of(host, BYTES("\0\0\0"), ""), "application/octet-stream");
    host_free(host);
}

TEST(content_that_is_gone_goes_on_with_the_reason)
{
    host *host = host_new("content");
    box *box = box_new(host, "type: identify-mime-type\n");
    box_feed(box, "x", "filename", "a.txt", NULL);
    host_fail(host, HOST_CONTENT, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    host_advance(host, 5 * SL_SECOND);
    host_fail(host, HOST_CONTENT, 0, SLUICE_PERMANENT, "ESTALE", "the file has changed");
    box_run(box);
    item *out = box_item(box, "success", 0);
    CHECK_STR(item_attribute(out, "mime.type"), "application/octet-stream");
    CHECK_STR(item_attribute(out, "error.code"), "ESTALE");
    host_free(host);
}

TEST(many_in_one_session)
{
    host *host = host_new("content");
    box *box = box_new(host, "type: identify-mime-type\n");
    for (int i = 0; i < 50; i++) box_feed_bytes(box, PNG, "filename", "a.png", NULL);
    CHECK(box_trigger(box));
    CHECK_INT(box_count(box, "success"), 50);
    host_free(host);
}
