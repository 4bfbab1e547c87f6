#include "hash-content.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "sluice/calls.h"

enum { PIECE = 256 << 10 };

static const char *const algorithms[] = {"sha256", "sha512", "sha384", "sha1", "md5", "sha3-256", "blake2b", NULL};
static const char *const openssl_names[] = {"SHA256", "SHA512", "SHA384", "SHA1", "MD5", "SHA3-256", "BLAKE2B-512"};

const sluice_property hash_properties[] = {
    {.name = "algorithm", .type = SLUICE_ENUM, .fallback = "sha256", .allowed = algorithms, .help = "Which hash."},
    {.name = "attribute", .type = SLUICE_STRING, .fallback = "hash.value", .help = "Name of the attribute that gets it, in hex."},
    {0},
};
const sluice_named hash_relationships[] = {
    {.name = "success", .help = "The content is hashed."},
    {.name = "failure", .help = "The content is gone, or is no longer what it was."},
    {0},
};
const sluice_named hash_writes[] = {{.name = "hash.value", .help = "The hash, in lower-case hex; `attribute` may name another."}, {0}};

typedef struct hash_settings {
    EVP_MD *algorithm;
    bool sha256, md5; /* it is that one: the host may know it, and wants to */
    const char *attribute;
} hash_settings;

void hash_fini(sluice_instance *instance)
{
    hash_settings *self = instance->data;
    if (!self) return;
    EVP_MD_free(self->algorithm);
    free(self);
    instance->data = NULL;
}

int hash_init(sluice_instance *instance, sluice_failure *failure)
{
    int64_t index = sluice_number(instance, "algorithm");
    sluice_text attribute = sluice_property_text(instance, "attribute");
    if (!attribute.size || sluice_is(attribute, "uuid"))
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "attribute", "attribute: expected the name of an attribute, found \"%.*s\"",
                             SLUICE_TEXT_ARGS(attribute));
    EVP_MD *algorithm = EVP_MD_fetch(NULL, openssl_names[index], NULL);
    if (!algorithm)
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "algorithm", "algorithm: this system's OpenSSL has no %s", algorithms[index]);
    hash_settings *self = calloc(1, sizeof *self);
    if (!self) abort();
    *self = (hash_settings){algorithm, strcmp(algorithms[index], "sha256") == 0, strcmp(algorithms[index], "md5") == 0, attribute.data};
    instance->data = self;
    return 0;
}

static void hex(const unsigned char *digest, unsigned size, char *ret)
{
    for (unsigned i = 0; i < size; i++) snprintf(ret + 2 * (size_t)i, 3, "%02x", digest[i]);
}

static int hash_bytes(EVP_MD_CTX *context, sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    char *piece = malloc(PIECE);
    if (!piece) abort();
    int64_t got;
    for (uint64_t at = 0; (got = sluice_read(session, flowfile, at, piece, PIECE, failure)) > 0; at += (uint64_t)got)
        EVP_DigestUpdate(context, piece, (size_t)got);
    free(piece);
    return got < 0 ? -1 : 0;
}

static int compute(const hash_settings *self, sluice_session *session, sluice_flowfile *flowfile, char *ret, sluice_failure *failure)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex2(context, self->algorithm, NULL)) abort();
    int result = hash_bytes(context, session, flowfile, failure);
    EVP_DigestFinal_ex(context, digest, &size);
    EVP_MD_CTX_free(context);
    hex(digest, size, ret);
    return result;
}

static int find(const hash_settings *self, sluice_session *session, sluice_flowfile *flowfile, char *ret, sluice_failure *failure)
{
    sluice_content content;
    if (!sluice_content_of(session, flowfile, &content, failure)) return -1;
    const char *known = self->sha256 ? content.sha256 : self->md5 ? content.md5 : NULL;
    if (known) {
        snprintf(ret, 2 * EVP_MAX_MD_SIZE + 1, "%s", known);
        return 0;
    }
    if (compute(self, session, flowfile, ret, failure) < 0) return -1;
    if (self->sha256 || self->md5) sluice_hashes(session, flowfile, self->sha256 ? ret : NULL, self->md5 ? ret : NULL);
    return 0;
}

sluice_outcome hash_trigger(sluice_instance *instance, sluice_session *session)
{
    const hash_settings *self = instance->data;
    sluice_flowfile *flowfile;
    while ((flowfile = sluice_get(session))) {
        char text[2 * EVP_MAX_MD_SIZE + 1];
        sluice_failure failure = {0};
        if (find(self, session, flowfile, text, &failure) < 0) {
            sluice_fail(session, flowfile, "failure", &failure);
            continue;
        }
        sluice_set(session, flowfile, self->attribute, text);
        sluice_transfer(session, flowfile, "success");
    }
    return SLUICE_DONE;
}
