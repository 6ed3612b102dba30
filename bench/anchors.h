/* SPDX-License-Identifier: Zlib */
/* Other compressors, as programs: what they take for the same data. */
#ifndef ANCHORS_H
#define ANCHORS_H

#include "input.h"

struct anchor {
	const char *name; /* "pigz", ... */
	int level;
	double wall_mbps, cpu_s_per_gb; /* medians of compression */
	double unpack_mbps;		/* of decompression of its own output */
	double ratio;			/* packed over plain */
};

/*
 * Fills anchors with what those that are installed do with the units of that size, as one stream; missing: the names
 * of the others, or "". How many there are.
 */
size_t anchors_measure(const struct input *input, size_t unit, struct anchor *anchors, size_t room, char *missing, size_t size);

#define ANCHORS_MAX 16

#endif
