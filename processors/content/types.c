#include "types.h"

#include <string.h>
#include <strings.h>

typedef struct pair {
    const char *from, *to;
} pair;

static const pair usual[] = {
    {"application/x-gzip", "application/gzip"},
    {"application/x-zip-compressed", "application/zip"},
    {"audio/x-aiff", "audio/aiff"},
    {"audio/x-flac", "audio/flac"},
    {"audio/x-hx-aac-adts", "audio/aac"},
    {"audio/x-m4a", "audio/mp4"},
    {"audio/x-mp4a-latm", "audio/mp4"},
    {"audio/x-wav", "audio/wav"},
    {"image/vnd.microsoft.icon", "image/x-icon"},
    {"image/x-ms-bmp", "image/bmp"},
    {"inode/x-empty", "application/x-empty"},
    {"text/xml", "application/xml"},
    {"video/x-m4v", "video/mp4"},
};

/* In both directions: a type's extension is the first of its rows. */
static const pair names[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"aiff", "audio/aiff"},
    {"aif", "audio/aiff"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"avro", "application/avro"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"heic", "image/heic"},
    {"heif", "image/heif"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"ico", "image/x-icon"},
    {"jar", "application/java-archive"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"geojson", "application/geo+json"},
    {"jsonl", "application/x-ndjson"},
    {"ndjson", "application/x-ndjson"},
    {"jxl", "image/jxl"},
    {"m4a", "audio/mp4"},
    {"md", "text/markdown"},
    {"mid", "audio/midi"},
    {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"mpg", "video/mpeg"},
    {"mpeg", "video/mpeg"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"ogg", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"parquet", "application/vnd.apache.parquet"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"rtf", "text/rtf"},
    {"sql", "application/sql"},
    {"srt", "application/x-subrip"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tiff", "image/tiff"},
    {"tif", "image/tiff"},
    {"toml", "application/toml"},
    {"tsv", "text/tab-separated-values"},
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"vtt", "text/vtt"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"wmv", "video/x-ms-wmv"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const char *type_usual(const char *type)
{
    for (size_t i = 0; i < COUNT(usual); i++)
        if (strcmp(usual[i].from, type) == 0) return usual[i].to;
    return type;
}

const char *type_of_name(const char *name, size_t size)
{
    const char *dot = size ? memrchr(name, '.', size) : NULL;
    if (!dot) return NULL;
    size_t length = size - (size_t)(dot + 1 - name);
    for (size_t i = 0; i < COUNT(names); i++)
        if (strlen(names[i].from) == length && strncasecmp(names[i].from, dot + 1, length) == 0) return names[i].to;
    return NULL;
}

const char *type_extension(const char *type)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i].to, type) == 0) return names[i].from;
    return NULL;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }
static bool ends(const char *text, const char *with)
{
    size_t size = strlen(text), tail = strlen(with);
    return size >= tail && strcmp(text + size - tail, with) == 0;
}

/* Types whose bytes are readable text. */
static bool textual(const char *type)
{
    static const char *const known[] = {"application/json", "application/geo+json", "application/x-ndjson",
                                        "application/xml",  "application/yaml",     "application/toml",
                                        "application/sql",  "application/x-subrip", "application/javascript"};
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i], type) == 0) return true;
    return begins(type, "text/") || ends(type, "+xml");
}

static bool zipped(const char *type)
{
    return begins(type, "application/vnd.openxmlformats") || begins(type, "application/vnd.oasis") || ends(type, "+zip") ||
           strcmp(type, "application/java-archive") == 0;
}

/* Types that have no signature, or one that libmagic may miss. */
static bool unmarked(const char *type)
{
    static const char *const known[] = {"audio/mpeg",       "audio/aac",  "video/mpeg", "application/vnd.apache.parquet",
                                        "application/avro", "image/avif", "image/heic", "image/jxl"};
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i], type) == 0) return true;
    return false;
}

bool type_refines(const char *found, const char *named)
{
    if (strcmp(found, "application/octet-stream") == 0) return unmarked(named);
    if (strcmp(found, "application/zip") == 0) return zipped(named);
    if (strcmp(found, "application/json") == 0) return ends(named, "json");
    if (strcmp(found, "application/xml") == 0) return ends(named, "+xml");
    if (strcmp(found, "application/ogg") == 0) return ends(named, "/ogg");
    return (strcmp(found, "text/plain") == 0 || begins(found, "text/x-")) && textual(named);
}
