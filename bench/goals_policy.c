/* SPDX-License-Identifier: Zlib */
/* Goals: the learned choice of engine. */
#include "config.h"

#include "goals.h"
#include "learned.h"

static void learned(const struct goal_run *run, struct goal_result *result)
{
	result->value = learned_worst(NULL);
	goal_anchor(result, "256 B to 1 MiB, both ways; devices of 3, 13.5, 45 us, 7.2 GB/s");
}

const struct goal goals_policy[] = {
	{ "learned", "learned choice, worst size, after 100 calls", "of the better", GOAL_AT_MOST, 1.10,
	  "modelled, virtual clock", NULL, NULL, learned },
	{ 0 },
};
