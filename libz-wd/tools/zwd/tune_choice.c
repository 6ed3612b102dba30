/* SPDX-License-Identifier: Zlib */
/* zwd tune: the threshold that follows from what was measured. */
#include "config.h"

#include "tools/zwd/tune_choice.h"

/* How much worse the device is, as a part of the larger one: a tenth of the CPU time makes up for
 * ten times the time. */
static double differs(const struct tune_spread *soft, const struct tune_spread *device)
{
	uint64_t most = soft->median > device->median ? soft->median : device->median;

	if (soft->low <= device->high && device->low <= soft->high)
		return 0;
	return ((double)device->median - (double)soft->median) / (double)most;
}

double tune_score(const struct tune_size *size)
{
	return differs(&size->soft.cpu, &size->device.cpu) +
	       differs(&size->soft.wall, &size->device.wall);
}

/* What goes to the wrong engine with this threshold. */
static double loss_of(const struct tune_work *work, size_t min_len)
{
	double loss = 0;

	for (unsigned int i = 0; i < work->sizes_nr; i++) {
		double score = tune_score(&work->sizes[i]);

		if (work->sizes[i].len >= min_len)
			loss += score > 0 ? score : 0;
		else
			loss -= score < 0 ? score : 0;
	}
	return loss;
}

static bool is_better_at(const struct tune_work *const *works, unsigned int nr, size_t len)
{
	for (unsigned int k = 0; k < nr; k++)
		for (unsigned int i = 0; i < works[k]->sizes_nr; i++)
			if (works[k]->sizes[i].len == len && tune_score(&works[k]->sizes[i]) < 0)
				return true;
	return false;
}

static double loss_of_all(const struct tune_work *const *works, unsigned int nr, size_t min_len)
{
	double loss = 0;

	for (unsigned int k = 0; k < nr; k++)
		loss += loss_of(works[k], min_len);
	return loss;
}

bool tune_choose(const struct tune_work *const *works, unsigned int nr, size_t *min_len)
{
	double least = loss_of_all(works, nr, TUNE_NEVER), as_it_is = 0;
	bool is_sure = false;

	*min_len = TUNE_NEVER;
	for (unsigned int k = 0; k < nr; k++)
		as_it_is += loss_of(works[k], works[k]->profile_len);
	/* Of those that lose the same: where the device is better, not only no worse; and then the
	 * smallest. */
	for (unsigned int k = 0; k < nr; k++)
		for (unsigned int i = works[k]->sizes_nr; i--;) {
			size_t len = works[k]->sizes[i].len;
			double loss = loss_of_all(works, nr, len);
			bool is_better = is_better_at(works, nr, len);

			if (loss > least ||
			    (loss == least &&
			     (is_better < is_sure || (is_better == is_sure && len > *min_len))))
				continue;
			least = loss;
			is_sure = is_better;
			*min_len = len;
		}
	return least < as_it_is;
}
