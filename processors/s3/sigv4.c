/* AWS Signature Version 4, as its documentation describes it: a canonical form of the request is hashed,
 * and the hash signed with a key derived from the secret, the day, the region and the service. */
#include "sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <time.h>

void s3_signer_init(s3_signer *signer, const char *access_key, const char *secret, const char *region, const char *service)
{
    *signer = (s3_signer){.access_key = s3_copy(access_key, strlen(access_key)),
                          .secret = s3_copy(secret, strlen(secret)),
                          .region = s3_copy(region, strlen(region)),
                          .service = service};
}

void s3_signer_done(s3_signer *signer)
{
    if (signer->secret) OPENSSL_cleanse(signer->secret, strlen(signer->secret));
    OPENSSL_cleanse(signer->key, sizeof signer->key);
    free(signer->access_key);
    free(signer->secret);
    free(signer->region);
    *signer = (s3_signer){0};
}

void s3_amz_date(int64_t now_us, char date[S3_AMZ_DATE])
{
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(date, S3_AMZ_DATE, "%Y%m%dT%H%M%SZ", &utc);
}

void s3_sha256_hex(const void *data, size_t size, char hex[65])
{
    unsigned char digest[32];
    EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL);
    s3_hex(digest, sizeof digest, hex);
}

static void hmac(const void *key, size_t key_size, const void *data, size_t size, unsigned char digest[32])
{
    HMAC(EVP_sha256(), key, (int)key_size, data, size, digest, NULL);
}

static void derive_key(s3_signer *signer, const char *date)
{
    if (strncmp(signer->day, date, 8) == 0) return;
    s3_text start = {0};
    s3_fits(signer->day, sizeof signer->day, date, 8);
    s3_text_printf(&start, "AWS4%s", signer->secret);
    hmac(start.data, start.size, signer->day, 8, signer->key);
    hmac(signer->key, 32, signer->region, strlen(signer->region), signer->key);
    hmac(signer->key, 32, signer->service, strlen(signer->service), signer->key);
    hmac(signer->key, 32, "aws4_request", 12, signer->key);
    OPENSSL_cleanse(start.data, start.size);
    s3_text_done(&start);
}

/* ---- the canonical form --------------------------------------------------------------------------- */

typedef struct parameter {
    const char *name, *value;
    size_t name_size, value_size;
} parameter;

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, S3_MIN(a_size, b_size));
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_parameters(const void *left, const void *right)
{
    const parameter *a = left, *b = right;
    int order = compare_bytes(a->name, a->name_size, b->name, b->name_size);
    return order ? order : compare_bytes(a->value, a->value_size, b->value, b->value_size);
}

static parameter split_parameter(const char *at, size_t size)
{
    const char *equals = memchr(at, '=', size);
    if (!equals) return (parameter){at, "", size, 0};
    return (parameter){at, equals + 1, (size_t)(equals - at), size - (size_t)(equals - at) - 1};
}

static void canonical_query(s3_text *to, const char *query)
{
    parameter parameters[32];
    size_t count = 0;
    while (*query && count < sizeof parameters / sizeof *parameters) {
        size_t size = strcspn(query, "&");
        if (size) parameters[count++] = split_parameter(query, size);
        query += size + (query[size] == '&');
    }
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    for (size_t i = 0; i < count; i++) {
        if (i) s3_text_add(to, "&");
        s3_text_bytes(to, parameters[i].name, parameters[i].name_size);
        s3_text_add(to, "=");
        s3_text_bytes(to, parameters[i].value, parameters[i].value_size);
    }
}

static int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int compare_names(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) a++, b++;
    return lower((unsigned char)*a) - lower((unsigned char)*b);
}

/* Indexes of the headers by name; those of one name keep their order. */
static size_t *sorted_headers(const s3_to_sign *what)
{
    size_t *order = s3_alloc((what->header_count + 1) * sizeof *order);
    for (size_t i = 0; i < what->header_count; i++) {
        size_t at = i;
        for (; at && compare_names(what->headers[order[at - 1]].name, what->headers[i].name) > 0; at--) order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static void add_lower(s3_text *to, const char *name)
{
    for (; *name; name++) s3_text_bytes(to, &(char){(char)lower(*name)}, 1);
}

static void add_value(s3_text *to, const char *value)
{
    value += strspn(value, " \t");
    while (*value) {
        size_t word = strcspn(value, " \t"), gap = strspn(value + word, " \t");
        s3_text_bytes(to, value, word);
        value += word + gap;
        if (gap && *value) s3_text_add(to, " ");
    }
}

static void canonical_headers(s3_text *to, s3_text *names, const s3_to_sign *what)
{
    size_t *order = sorted_headers(what);
    for (size_t i = 0; i < what->header_count; i++) {
        const s3_signed_header *header = &what->headers[order[i]];
        bool same = i && compare_names(what->headers[order[i - 1]].name, header->name) == 0;
        if (!same) {
            s3_text_add(to, i ? "\n" : "");
            s3_text_add(names, i ? ";" : "");
            add_lower(to, header->name);
            add_lower(names, header->name);
        }
        s3_text_add(to, same ? "," : ":");
        add_value(to, header->value);
    }
    s3_text_add(to, what->header_count ? "\n" : "");
    free(order);
}

static void canonical_request(s3_text *to, s3_text *names, const s3_to_sign *what)
{
    s3_text_add(to, what->method);
    s3_text_add(to, "\n");
    s3_text_add(to, what->path);
    s3_text_add(to, "\n");
    canonical_query(to, what->query);
    s3_text_add(to, "\n");
    canonical_headers(to, names, what);
    s3_text_printf(to, "\n%s\n%s", names->data ? names->data : "", what->payload);
}

void s3_sign(s3_signer *signer, const s3_to_sign *what, s3_text *ret)
{
    s3_text canonical = {0}, names = {0}, string = {0};
    unsigned char digest[32];
    char hash[65], signature[65];
    canonical_request(&canonical, &names, what);
    s3_sha256_hex(canonical.data, canonical.size, hash);
    s3_text_printf(&string, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", what->date, what->date, signer->region, signer->service,
                   hash);
    derive_key(signer, what->date);
    hmac(signer->key, sizeof signer->key, string.data, string.size, digest);
    s3_hex(digest, sizeof digest, signature);
    s3_text_printf(ret, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", signer->access_key,
                   what->date, signer->region, signer->service, names.data, signature);
    s3_text_done(&canonical), s3_text_done(&names), s3_text_done(&string);
}
