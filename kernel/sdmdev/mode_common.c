// SPDX-License-Identifier: GPL-2.0-only
/* What several modes have in common. */

#include "sdmdev.h"

int sdmdev_mode_not_offered(struct sdmdev_queue *sq)
{
	return -EOPNOTSUPP;
}

int sdmdev_mode_no_share(struct sdmdev_queue *sq, u64 first, u64 last, u32 flags)
{
	return -EOPNOTSUPP;
}

int sdmdev_mode_no_unshare(struct sdmdev_queue *sq, u64 first, u64 last)
{
	return -EOPNOTSUPP;
}

int sdmdev_mode_nothing(struct sdmdev_queue *sq)
{
	return 0;
}

/* Where a queue's requests reach only what is the queue's, that alone decides. */
void sdmdev_mode_drop_isolated(struct sdmdev_queue *sq, struct sdmdev_retired *retired)
{
	sdmdev_run_retire(&sq->run, retired);
}
