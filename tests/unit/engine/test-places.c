/* Places in the journal, written as distances. */
#include "test.h"

#include "engine/places.h"

TEST(what_is_told_comes_back_in_order)
{
    static const sl_place_of told[] = {
        {1, 1},       {1, 2},          {1, 3},          {2, 2000001}, {1, 4}, {1, 4}, {UINT32_MAX, UINT64_MAX / 4},
        {1, 1000000}, {7, 1ULL << 60}, {8, 1ULL << 44}, {8, 0},       {0, 0}};
    sl_places places = {0};
    for (size_t i = 0; i < SL_COUNT(told); i++) sl_places_add(&places, told[i].segment, told[i].seq);
    CHECK(places.count == SL_COUNT(told));
    for (int pass = 0; pass < 2; pass++) {
        sl_place_of found;
        sl_places_rewind(&places);
        for (size_t i = 0; i < SL_COUNT(told); i++) {
            CHECK(sl_places_next(&places, &found));
            CHECK(found.segment == told[i].segment && found.seq == told[i].seq);
        }
        CHECK(!sl_places_next(&places, &found));
    }
    sl_places_done(&places);
}

TEST(none_is_none)
{
    sl_places places = {0};
    sl_place_of found;
    sl_places_rewind(&places);
    CHECK(!sl_places_next(&places, &found));
    sl_places_done(&places);
}

/* Ten million of them must not take a sixth of a gigabyte. */
TEST(neighbours_take_two_bytes_at_most)
{
    sl_places places = {0};
    for (uint64_t seq = 1000; seq < 101000; seq++) sl_places_add(&places, 3, seq * 8);
    CHECK(places.size <= 2 * places.count + 16);
    sl_places_done(&places);
}
