/* SPDX-License-Identifier: Zlib */
/* zwd tune: what was measured of each size, and the threshold that follows from it. */
#ifndef ZWD_TUNE_CHOICE_H
#define ZWD_TUNE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNE_SIZES_MAX 16
#define TUNE_NEVER     ((size_t)UINT32_MAX) /* as a threshold: no call is so large */

/* Of the repeats: the one in the middle, and those a quarter from either end. */
struct tune_spread {
	uint64_t low, median, high;
};

/* Nanoseconds of a call: CPU time of its thread, and time until it is done. */
struct tune_side {
	struct tune_spread cpu, wall;
};

struct tune_size {
	size_t len; /* as a threshold counts: what deflate is given; of inflate see
		       policy_inflate_begin() */
	struct tune_side soft, device;
};

struct tune_work {
	const char *name;
	bool is_deflate;
	int level;				/* that was measured; of inflate: 0 */
	const char *levels;			/* those that it stands for */
	size_t profile_len;			/* the threshold without a setting */
	struct tune_size sizes[TUNE_SIZES_MAX]; /* the smallest first */
	unsigned int sizes_nr;
};

/*
 * Below 0: the device is better; above: software is; 0: no difference that can be told. CPU time
 * and time each count where the middle halves of the repeats lie apart, as a part of the larger
 * one.
 */
double tune_score(const struct tune_size *size);

/* Of works of one direction: the threshold that loses least; the profile's, where none loses less:
 * then false. */
bool tune_choose(const struct tune_work *const *works, unsigned int nr, size_t *min_len);

#endif
