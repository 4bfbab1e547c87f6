#include "host.h"
TEST(nothing) {}
