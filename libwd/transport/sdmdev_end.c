/* SPDX-License-Identifier: Zlib */
/* The end of a queue of sdmdev's, which memory that was shared through it outlives. */
#include "config.h"
#include <stdlib.h>
#include "transport/sdmdev.h"

pthread_mutex_t sdmdev_lock = PTHREAD_MUTEX_INITIALIZER;

void sdmdev_close_files(struct sdmdev_tq *tq)
{
	wd_file_close(&tq->event);
	/* The device before its group, the group before its container. */
	wd_file_close(&tq->file);
	wd_file_close(&tq->group);
	wd_file_close(&tq->container);
}

void sdmdev_tq_put(struct sdmdev_tq *tq)
{
	if (--tq->refs)
		return;
	for (struct sdmdev_tq **at = &tq->device->tqs; *at; at = &(*at)->next)
		if (*at == tq) {
			*at = tq->next;
			break;
		}
	sdmdev_close_files(tq);
	free(tq);
}
