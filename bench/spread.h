/* SPDX-License-Identifier: Zlib */
/* Medians, spreads and percentiles of measurements. */
#ifndef SPREAD_H
#define SPREAD_H

#include <stddef.h>
#include <stdint.h>

struct spread {
	double median;
	double min;
	double max;
};

/* Sorts the nr values of v; an even number has the mean of the middle two as its median. */
struct spread spread_of(double *v, size_t nr);

void spread_sort(uint64_t *v, size_t nr);

/* The smallest value that at least permille/1000 of the nr sorted values do not exceed. */
uint64_t spread_percentile(const uint64_t *sorted, size_t nr, unsigned int permille);

#endif
