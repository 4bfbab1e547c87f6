#include "engine/places.h"

/* Seven bits a byte, the least first, the top bit set but in the last; signed numbers zigzag (0, -1, 1, -2, ..). */
static void put_number(sl_places *places, int64_t number)
{
    uint64_t left = number < 0 ? ~(uint64_t)number << 1 | 1 : (uint64_t)number << 1;
    do {
        places->bytes = sl_grow(places->bytes, places->size, &places->capacity, 1);
        places->bytes[places->size++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        left >>= 7;
    } while (left);
}

static int64_t take_number(sl_places *places)
{
    uint64_t number = 0;
    uint8_t byte = 0x80;
    for (unsigned shift = 0; byte & 0x80 && shift < 64; shift += 7) {
        byte = places->bytes[places->read++];
        number |= (uint64_t)(byte & 0x7f) << shift;
    }
    return (int64_t)(number & 1 ? ~(number >> 1) : number >> 1);
}

/* The distance of seq, its lowest bit free to say that a segment's distance follows. */
void sl_places_add(sl_places *places, uint32_t segment, uint64_t seq)
{
    bool other = segment != places->last.segment;
    put_number(places, (int64_t)((seq - places->last.seq) << 1 | other));
    if (other) put_number(places, (int64_t)segment - (int64_t)places->last.segment);
    places->last = (sl_place_of){segment, seq};
    places->count++;
}

void sl_places_rewind(sl_places *places)
{
    places->read = 0;
    places->last = (sl_place_of){0};
}

bool sl_places_next(sl_places *places, sl_place_of *ret)
{
    if (places->read == places->size) return false;
    int64_t distance = take_number(places);
    if (distance & 1) places->last.segment = (uint32_t)((int64_t)places->last.segment + take_number(places));
    places->last.seq += (uint64_t)(distance >> 1);
    *ret = places->last;
    return true;
}

void sl_places_done(sl_places *places)
{
    free(places->bytes);
    *places = (sl_places){0};
}
