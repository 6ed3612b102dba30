/* SPDX-License-Identifier: Zlib */
/* Medians, spreads and percentiles of measurements. */
#include "config.h"

#include "spread.h"

#include <stdlib.h>

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct spread spread_of(double *v, size_t nr)
{
	struct spread s = { 0, 0, 0 };

	if (!nr)
		return s;
	qsort(v, nr, sizeof(*v), compare_double);
	s.min = v[0];
	s.max = v[nr - 1];
	s.median = nr % 2 ? v[nr / 2] : (v[nr / 2 - 1] + v[nr / 2]) / 2;
	return s;
}

void spread_sort(uint64_t *v, size_t nr)
{
	if (nr)
		qsort(v, nr, sizeof(*v), compare_u64);
}

uint64_t spread_percentile(const uint64_t *sorted, size_t nr, unsigned int permille)
{
	size_t rank = (nr * permille + 999) / 1000;

	if (!nr)
		return 0;
	return sorted[rank ? rank - 1 : 0];
}
