/* SPDX-License-Identifier: Zlib */
/* Medians, spreads and percentiles of measurements. */
#ifndef STATS_H
#define STATS_H

#include <stddef.h>
#include <stdint.h>

struct stats {
	double median;
	double min;
	double max;
};

/* Sorts the nr values of v; an even number has the mean of the middle two as its median. */
struct stats stats_of(double *v, size_t nr);

void stats_sort(uint64_t *v, size_t nr);

/* The smallest value that at least permille/1000 of the nr sorted values do not exceed. */
uint64_t stats_percentile(const uint64_t *sorted, size_t nr, unsigned int permille);

#endif
