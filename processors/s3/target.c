/* Where a FlowFile goes, and with what headers. The target is evaluated once and journalled as the intent; each
 * retry takes it from there, since `${now()}` in a key must not make a second object. */
#include "put.h"

#include <stdio.h>

#define MIB (1024ULL * 1024)

/* ---- the target ----------------------------------------------------------------------------------- */

void s3_effect_make(s3_put *put)
{
    unsigned char bytes[16];
    char hex[33];
    sluice_random(put->instance, bytes, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40, bytes[8] = (bytes[8] & 0x3f) | 0x80;
    s3_hex(bytes, sizeof bytes, hex);
    snprintf(put->effect, sizeof put->effect, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool from_intent(s3_put *put, sluice_text intent)
{
    char bucket[256], key[1025];
    uint64_t size;
    if (!s3_json_member(intent, "bucket", bucket, sizeof bucket) || !s3_json_member(intent, "key", key, sizeof key) ||
        !s3_json_member(intent, "effect", put->effect, sizeof put->effect) || !s3_json_number(intent, "size", &size) ||
        !s3_json_number(intent, "part_size", &put->part_size) || !*bucket || !*key || strlen(put->effect) != 36)
        return false;
    put->bucket = s3_copy(bucket, strlen(bucket));
    put->key = s3_copy(key, strlen(key));
    put->tried = true;
    return true;
}

static bool from_expressions(s3_put *put, sluice_failure *failure)
{
    sluice_text bucket, key;
    if (!sluice_evaluate(put->session, put->flowfile, "bucket", &bucket, failure)) return false;
    put->bucket = s3_copy_text(bucket);
    if (!sluice_evaluate(put->session, put->flowfile, "key", &key, failure)) return false;
    put->key = s3_copy_text(key);
    if (strlen(put->key) != key.size || strlen(put->bucket) != bucket.size) {
        sluice_refuse(failure, SLUICE_PERMANENT, "InvalidKey", "bucket and key hold no zero byte, found one after '%.100s'", put->key);
        return false;
    }
    s3_effect_make(put);
    return true;
}

bool s3_target_check_bucket(const char *bucket, sluice_failure *failure)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t size = strlen(bucket);
    if (size >= 1 && size <= 255 && bucket[0] != '.' && !bucket[strspn(bucket, allowed)]) return true;
    sluice_refuse(failure, SLUICE_PERMANENT, "InvalidBucketName",
                  "bucket: expected 1 to 255 letters, digits, dots, hyphens and underlines "
                  "that do not begin with a dot, found '%.100s'",
                  bucket);
    return false;
}

static bool check_key(const char *key, sluice_failure *failure)
{
    size_t size = strlen(key);
    if (size == 0)
        sluice_refuse(failure, SLUICE_PERMANENT, "InvalidKey",
                      "key: the expression gave an empty text for this FlowFile; "
                      "an object needs a name");
    else if (size > 1024)
        sluice_refuse(failure, SLUICE_PERMANENT, "KeyTooLongError",
                      "key: expected at most 1024 bytes, found %zu: "
                      "'%.100s...'",
                      size, key);
    else if (!s3_utf8(key, size)) sluice_refuse(failure, SLUICE_PERMANENT, "InvalidKey", "key: expected UTF-8, found other bytes");
    else return true;
    return false;
}

bool s3_target_read(s3_put *put, sluice_failure *failure)
{
    sluice_text intent = sluice_intent(put->session, put->flowfile);
    if (!(intent.data && from_intent(put, intent)) && !from_expressions(put, failure)) return false;
    if (!s3_target_check_bucket(put->bucket, failure) || !check_key(put->key, failure)) return false;
    if (put->service->folder && !s3_file_store_key(put->key, failure)) return false;
    s3_service_url(put->service, put->bucket, put->key, &put->url);
    return true;
}

void s3_target_turn(const s3_put *put, s3_text *ret) { s3_text_printf(ret, "s3:%s/%s/%s", put->service->endpoint, put->bucket, put->key); }

/* Parts are all of one size but the last, 10,000 at most: for large objects they grow. */
void s3_target_plan(s3_put *put)
{
    uint64_t size = put->content.size, part = put->settings->part_size;
    put->part_size = 0;
    if (put->service->folder || size < put->settings->multipart_threshold) return;
    uint64_t least = (size + S3_PARTS_MOST - 1) / S3_PARTS_MOST;
    if (part < least) part = (least + MIB - 1) / MIB * MIB;
    put->part_size = part;
}

void s3_target_intent(const s3_put *put, s3_text *ret)
{
    s3_text_add(ret, "{\"bucket\":");
    s3_text_json(ret, put->bucket);
    s3_text_add(ret, ",\"key\":");
    s3_text_json(ret, put->key);
    s3_text_printf(ret, ",\"effect\":\"%s\",\"size\":%llu,\"part_size\":%llu}", put->effect, (unsigned long long)put->content.size,
                   (unsigned long long)put->part_size);
}

/* ---- the object's headers ------------------------------------------------------------------------- */

static bool is_ascii(sluice_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~') return false;
    return true;
}

/* A header is ASCII; other text goes as RFC 2047 has it, which is also how AWS gives it back. */
static void add_encoded(s3_headers *headers, const char *name, sluice_text value)
{
    s3_text text = {0};
    if (is_ascii(value)) s3_text_bytes(&text, value.data, value.size);
    else {
        s3_text_add(&text, "=?UTF-8?B?");
        s3_text_base64(&text, value.data, value.size);
        s3_text_add(&text, "?=");
    }
    s3_headers_add(headers, name, text.data);
    s3_text_done(&text);
}

static bool add_type(s3_put *put, sluice_failure *failure)
{
    sluice_text type;
    if (!sluice_evaluate(put->session, put->flowfile, "content_type", &type, failure)) return false;
    if (!is_ascii(type)) {
        sluice_refuse(failure, SLUICE_PERMANENT, "InvalidContentType",
                      "content_type: expected printable ASCII such as image/png, found "
                      "other characters in '%.*s'",
                      (int)S3_MIN(type.size, (size_t)100), type.data);
        return false;
    }
    char *copy = s3_copy_text(type);
    s3_headers_add(&put->headers, "Content-Type", *copy ? copy : "application/octet-stream");
    free(copy);
    return true;
}

static void add_constant(s3_put *put, const char *property, const char *header)
{
    sluice_text text = sluice_property_text(put->instance, property);
    if (text.size) add_encoded(&put->headers, header, text);
}

static bool add_metadata(s3_put *put, sluice_failure *failure)
{
    size_t count = sluice_count(put->instance, "metadata");
    for (size_t i = 0; i < count; i++) {
        sluice_text name = sluice_item_name(put->instance, "metadata", i), value;
        if (!sluice_evaluate_item(put->session, put->flowfile, "metadata", i, &value, failure)) return false;
        s3_text header = {0};
        s3_text_add(&header, "x-amz-meta-");
        s3_text_bytes(&header, name.data, name.size);
        add_encoded(&put->headers, header.data, value);
        s3_text_done(&header);
    }
    return true;
}

bool s3_target_headers(s3_put *put, sluice_failure *failure)
{
    if (!add_type(put, failure) || !add_metadata(put, failure)) return false;
    add_constant(put, "storage_class", "x-amz-storage-class");
    add_constant(put, "cache_control", "Cache-Control");
    s3_headers_add(&put->headers, "x-amz-meta-sluice-effect", put->effect);
    return true;
}
