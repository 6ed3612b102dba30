/* SPDX-License-Identifier: Zlib */
/* What a queue of many threads has besides: its lock, and whose each request is. */
#include "config.h"

#include <stdlib.h>
#include "lean.h"
#include "priv.h"
#include "share.h"

int wd_share_init(struct wd_queue *q)
{
	struct wd_share *share = calloc(1, sizeof(*share));
	unsigned int cpus = lean_cpus();

	if (!share)
		return -ENOMEM;
	share->owner = calloc(q->regions.depth, sizeof(*share->owner));
	if (!share->owner) {
		free(share);
		return -ENOMEM;
	}
	pthread_mutex_init(&share->lock, NULL);
	/* A CPU is left for whoever does the work. */
	share->spinners_max = cpus > 2 ? cpus - 1 : 1;
	q->share = share;
	return 0;
}

void wd_share_fini(struct wd_queue *q)
{
	if (!q->share)
		return;
	/* In a child, whoever held it is not there. */
	if (wd_is_own(q->born))
		pthread_mutex_destroy(&q->share->lock);
	free(q->share->owner);
	free(q->share);
}

void wd_queue_lock(const struct wd_queue *q)
{
	if (q->share)
		pthread_mutex_lock(&q->share->lock);
}

void wd_queue_unlock(const struct wd_queue *q)
{
	if (q->share)
		pthread_mutex_unlock(&q->share->lock);
}
