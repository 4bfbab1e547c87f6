/* Descriptors that resemble the real families', for tests without modules. */
#ifndef TEST_FLOW_REGISTRY_H
#define TEST_FLOW_REGISTRY_H

#include "flow/flow.h"

extern const sl_registry test_registry;

#endif
