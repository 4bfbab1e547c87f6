/* journal/index: which events of a segment are of a FlowFile, of a component, bring a filename, name a parent. It only
 * says where to look: keys are 32 bits, so the row itself is always asked as well, and an index that is not there or is
 * damaged costs time, never an answer.
 *
 * Marks are the index of a segment in memory, about 10 bytes an event: one thread (the journal's) adds what it has
 * committed, any thread reads what was published. When the segment is full the sealer sorts them into NNNNNN.idx
 * (temporary name, fsync, rename), which has a CRC for each block of 4 KiB. */
#ifndef SL_INDEX_H
#define SL_INDEX_H

#include "journal/event.h"

typedef enum sl_index_kind { SL_BY_FLOWFILE, SL_BY_COMPONENT, SL_BY_FILENAME, SL_BY_PARENT, SL_INDEX_KINDS } sl_index_kind;

static inline uint32_t sl_index_flowfile(uint64_t id) { return (uint32_t)id; }
/* text: the filename as JSON writes it, without its quotes. */
uint32_t sl_index_filename(sl_str text);

/* ---- marks ---------------------------------------------------------------------------------------------- */

typedef struct sl_marks sl_marks;
sl_marks *sl_marks_new(uint64_t first); /* seq of the segment's first event */
sl_marks *sl_marks_ref(sl_marks *marks);
void sl_marks_unref(sl_marks *marks); /* any thread; NULL is fine */
/* One thread, in ascending order. */
void sl_marks_add(sl_marks *marks, const sl_event *event);
void sl_marks_publish(sl_marks *marks);
uint64_t sl_marks_end(const sl_marks *marks); /* any thread: events before it are in */
bool sl_marks_whole(const sl_marks *marks);   /* false: more events than they can hold; of no use */

/* ---- the file --------------------------------------------------------------------------------------------- */

/* `pause` is called after each piece written, 256 KiB; true: give up (error->code ECANCELED). */
int sl_index_write(const char *path, const sl_marks *marks, bool (*pause)(void *context), void *context, sl_error *error);

typedef struct sl_index sl_index;             /* marks or a file, to be read; one thread */
sl_index *sl_index_of_marks(sl_marks *marks); /* takes the reference */
/* -1: none (ENOENT), of another segment or damaged (EBADMSG). */
int sl_index_open(const char *path, uint64_t first, sl_index **ret, sl_error *error);
void sl_index_close(sl_index *index);
uint64_t sl_index_end(const sl_index *index); /* events before it are in */

/* ---- asking -------------------------------------------------------------------------------------------------- */

typedef struct sl_seqs {
    uint64_t *items; /* ascending, each once; the caller frees */
    size_t count, capacity;
} sl_seqs;
void sl_seqs_add(sl_seqs *seqs, uint64_t seq);
void sl_seqs_settle(sl_seqs *seqs); /* ascending, each once: after several were added together */
enum { SL_INDEX_MOST = 1 << 22 };
/* Adds the events from `from` until before `end` that may have one of the keys. -1: the file is damaged, or there are
 * more than SL_INDEX_MOST: scan instead. */
int sl_index_find(sl_index *index, sl_index_kind kind, const uint32_t *keys, size_t count, uint64_t from, uint64_t end, sl_seqs *ret);

#endif
