#include "error.h"

#include <stdio.h>
#include <string.h>

typedef struct known {
    const char *code;
    sluice_class class_;
    const char *advice; /* or NULL */
} known;

/* Only what the status alone would class wrongly, or where there is something to advise. */
static const known codes[] = {
    {"SlowDown", SLUICE_TRANSIENT, NULL},
    {"ServiceUnavailable", SLUICE_TRANSIENT, NULL},
    {"InternalError", SLUICE_TRANSIENT, NULL},
    {"RequestTimeout", SLUICE_TRANSIENT, NULL},
    {"OperationAborted", SLUICE_TRANSIENT, NULL},
    {"ConditionalRequestConflict", SLUICE_TRANSIENT, NULL},
    {"IncompleteBody", SLUICE_TRANSIENT, NULL},
    {"BadDigest", SLUICE_TRANSIENT, "the bytes that arrived are not those that were sent"},
    {"XAmzContentSHA256Mismatch", SLUICE_TRANSIENT, "the bytes that arrived are not those that were sent"},
    {"InvalidAccessKeyId", SLUICE_CONFIGURATION, "set access_key_id of the s3 service to a key that this endpoint knows"},
    {"SignatureDoesNotMatch", SLUICE_CONFIGURATION, "check secret_access_key of the s3 service"},
    {"AccessDenied", SLUICE_CONFIGURATION, "the key may not write there: give it the right, or check the account's caps"},
    {"AllAccessDisabled", SLUICE_CONFIGURATION, NULL},
    {"AccountProblem", SLUICE_CONFIGURATION, "look at the account with its provider"},
    {"ExpiredToken", SLUICE_CONFIGURATION, "renew the credentials of the s3 service"},
    {"InvalidClientTokenId", SLUICE_CONFIGURATION, "check access_key_id and session_token of the s3 service"},
    {"InvalidToken", SLUICE_CONFIGURATION, "check session_token of the s3 service"},
    {"TokenRefreshRequired", SLUICE_CONFIGURATION, "renew the credentials of the s3 service"},
    {"InvalidSecurity", SLUICE_CONFIGURATION, NULL},
    {"NotSignedUp", SLUICE_CONFIGURATION, NULL},
    {"NoSuchBucket", SLUICE_CONFIGURATION, "create the bucket, or mend `bucket`"},
    {"PermanentRedirect", SLUICE_CONFIGURATION, "the bucket is in another region: set endpoint and region to it"},
    {"TemporaryRedirect", SLUICE_TRANSIENT, NULL},
    {"AuthorizationHeaderMalformed", SLUICE_CONFIGURATION, "set region of the s3 service to the bucket's"},
    {"IllegalLocationConstraintException", SLUICE_CONFIGURATION, "set region of the s3 service to the bucket's"},
    {"RequestTimeTooSkewed", SLUICE_CONFIGURATION, "set this machine's clock right"},
    {"InvalidBucketName", SLUICE_CONFIGURATION, "mend `bucket`"},
    {"BucketAlreadyExists", SLUICE_CONFIGURATION, "the name belongs to another account: mend `bucket`"},
    {"InvalidStorageClass", SLUICE_CONFIGURATION, "mend storage_class"},
    {"QuotaExceeded", SLUICE_CONFIGURATION, "raise the quota, or make room"},
    {"MethodNotAllowed", SLUICE_CONFIGURATION, "is the endpoint an S3 server's?"},
    {"NotImplemented", SLUICE_CONFIGURATION, "this server lacks what was asked; see storage_class, cache_control"},
};

static const known *find(const char *code)
{
    for (size_t i = 0; *code && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, code) == 0) return &codes[i];
    return NULL;
}

static sluice_class class_of_status(int status)
{
    switch (status) {
    case 0:
    case 307:
    case 408:
    case 409:
    case 425:
    case 429: return SLUICE_TRANSIENT;
    case 301:
    case 302:
    case 308:
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 407:
    case 501: return SLUICE_CONFIGURATION;
    default: return status >= 500 ? SLUICE_TRANSIENT : SLUICE_PERMANENT;
    }
}

sluice_class s3_error_class(int status, const char *code)
{
    const known *known_code = find(code);
    return known_code ? known_code->class_ : class_of_status(status);
}

bool s3_error_of_credentials(const s3_error *error)
{
    static const char *const of_keys[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied",        "ExpiredToken",
                                          "InvalidToken",       "TokenRefreshRequired",  "InvalidClientTokenId"};
    for (size_t i = 0; i < sizeof of_keys / sizeof *of_keys; i++)
        if (strcmp(error->code, of_keys[i]) == 0) return true;
    return error->status == 401 || (error->status == 403 && !error->code[0]);
}

static const char *advice(const s3_error *error, sluice_class class_)
{
    const known *known_code = find(error->code);
    if (known_code && known_code->advice) return known_code->advice;
    if (error->status == 0 && class_ == SLUICE_CONFIGURATION) return "check endpoint and ca_file of the s3 service";
    if (class_ == SLUICE_CONFIGURATION) return "check the s3 service's endpoint, credentials and the bucket";
    return NULL;
}

void s3_error_failure(const s3_error *error, const char *what, const char *url, sluice_failure *ret)
{
    *ret = (sluice_failure){.class_ = s3_error_class(error->status, error->code)};
    if (error->status == 0 && error->configuration) ret->class_ = SLUICE_CONFIGURATION;
    if (error->code[0]) snprintf(ret->code, sizeof ret->code, "%s", error->code);
    else if (error->status) snprintf(ret->code, sizeof ret->code, "%d", error->status);
    else snprintf(ret->code, sizeof ret->code, "%s", "NoReply");
    const char *hint = advice(error, ret->class_);
    char reply[64] = "no reply", region[96] = "";
    if (error->status) snprintf(reply, sizeof reply, "status %d", error->status);
    if (error->region[0]) snprintf(region, sizeof region, " (region: %s)", error->region);
    snprintf(ret->message, sizeof ret->message, "%s %.300s: expected success, found %s%s%s%s%.300s%s%s%s", what, url, reply,
             error->code[0] ? " " : "", error->code, error->message[0] ? ": " : "", error->message, hint ? "; " : "", hint ? hint : "",
             region);
}
