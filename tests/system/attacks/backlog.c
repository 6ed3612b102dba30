/* SPDX-License-Identifier: Zlib */
/*
 * Guards: nobody suffers by requests that are all legal and that the device has not come to yet.
 * backlog GROUP UUID NUMBER END puts as many, or as many as are taken, and then by END
 *   stop   stops the queue
 *   reset  resets it
 *   close  closes it with all that is in flight, and opens it again
 *   exit   ends
 *   watch  says twice a second how many results lie in its memory, until it is killed
 */
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vfio.h>

#define LEN	  4096
#define REOPEN_MS 30000

static void by_stop(struct queue *q, char **argv)
{
	must(queue_call(q, SDMDEV_CMD_STOP), "backlog: stop");
}

static void by_reset(struct queue *q, char **argv)
{
	must(queue_call(q, VFIO_DEVICE_RESET), "backlog: reset");
}

static void by_close(struct queue *q, char **argv)
{
	const uint64_t begin = now_ms();
	int ret;

	queue_close(q);
	say("backlog: closed after %llu ms", (unsigned long long)(now_ms() - begin));
	/* Busy as long as the device may write to it: that is all who closed it may see of it. */
	while ((ret = queue_open(q, argv[1], argv[2])) == -EBUSY && now_ms() < begin + REOPEN_MS)
		usleep(100000);
	must(ret, "backlog: open again");
	must(queue_start(q, HISI_ZIP_QUEUE_COMPRESS), "backlog: start again");
}

static void by_exit(struct queue *q, char **argv)
{
	_exit(0);
}

static void by_watch(struct queue *q, char **argv)
{
	for (;;) {
		unsigned int nr = 0;

		if (queue_is_direct(q))
			while (nr < q->info.cq_depth && q->cq[nr].phase & HISI_QM_CQE_PHASE)
				nr++;
		say("backlog: results %u state %u generation %u", nr, q->status->state,
		    q->status->generation);
		usleep(500000);
	}
}

static const struct {
	const char *name;
	void (*run)(struct queue *q, char **argv);
} ends[] = {
	{ "stop", by_stop }, { "reset", by_reset }, { "close", by_close },
	{ "exit", by_exit }, { "watch", by_watch },
};

int main(int argc, char **argv)
{
	const unsigned int wanted = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	struct hisi_zip_sqe sqe;
	unsigned int nr = 0;
	struct queue q;
	uint64_t begin;

	if (!wanted)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "backlog: open");
	must(queue_memory(&q, 65536), "backlog: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "backlog: start");
	sqe = queue_request(&q, q.dma, LEN, q.dma + 8192, 8192);
	while (nr < wanted && !queue_put(&q, &sqe))
		nr++;
	say("backlog: %u requests, now %s", nr, argv[4]);
	begin = now_ms();
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(ends[i].name, argv[4])) {
			ends[i].run(&q, argv);
			say("backlog: %s took %llu ms, generation %u", argv[4],
			    (unsigned long long)(now_ms() - begin), q.status->generation);
			return 0;
		}
	return 99;
}
