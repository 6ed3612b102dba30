/* SPDX-License-Identifier: Zlib */
/* Goals: the learned choice of engine. */
#include "config.h"

#include "goals.h"
#include "learned.h"

static void learned(const struct goal_run *run, struct goal_result *result)
{
	result->value = learned_worst(NULL);
	goal_anchor(result, "the better of software only and device only, by size");
	goal_note(result, "modelled: 3, 13.5 and 45 us, 7.2 GB/s; virtual clock");
}

const struct goal goals_policy[] = {
	{ "learned policy", "time over that of the better engine, worst size, after 100 calls", "x",
	  GOAL_AT_MOST, 1.10, "256 B to 1 MiB, both directions, alone and mixed; see bench/learned.c", NULL,
	  NULL, learned },
	{ 0 },
};
