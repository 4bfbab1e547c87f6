/* libFuzzer: any bytes as an S3 server's reply, and as a journalled intent. */
#include <stdint.h>

#include "s3/error.h"
#include "s3/text.h"
#include "s3/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    s3_xml xml;
    if (s3_xml_parse((const char *)data, size, &xml) == 0) {
        s3_error error = {.status = 200};
        sluice_failure failure;
        s3_fits(error.code, sizeof error.code, xml.code, strlen(xml.code));
        s3_fits(error.message, sizeof error.message, xml.message, strlen(xml.message));
        s3_error_failure(&error, "PUT", "https://host/bucket/key", &failure);
        if (memchr(failure.message, 0, sizeof failure.message) == NULL) abort();
    } else if (xml.root[0] || xml.upload_id[0]) abort();
    char member[64];
    uint64_t number;
    s3_json_member((sluice_text){(const char *)data, size}, "key", member, sizeof member);
    s3_json_number((sluice_text){(const char *)data, size}, "size", &number);
    return 0;
}
