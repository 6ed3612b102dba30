/* SPDX-License-Identifier: Zlib */
/* Goals: what the road to the device costs. */
#include "config.h"

#include "goals.h"

const struct goal goals_queue[] = {
	{ 0 },
};
