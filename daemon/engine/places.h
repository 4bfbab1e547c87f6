/* engine/places: where in the journal FlowFiles are, many of them, in some two bytes each: what is told one after the other lies
 * near each other mostly, so each is written as its distance from the one before. Not for two threads at a time. */
#ifndef SL_PLACES_H
#define SL_PLACES_H

#include "base/base.h"

typedef struct sl_place_of {
    uint32_t segment;
    uint64_t seq;
} sl_place_of;

typedef struct sl_places {
    uint8_t *bytes;
    size_t size, capacity, count;
    size_t read; /* bytes */
    sl_place_of last;
} sl_places;

void sl_places_add(sl_places *places, uint32_t segment, uint64_t seq);
/* From now on they are read, from the first. */
void sl_places_rewind(sl_places *places);
bool sl_places_next(sl_places *places, sl_place_of *ret);
void sl_places_done(sl_places *places);

#endif
