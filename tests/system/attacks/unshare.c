/* SPDX-License-Identifier: Zlib */
/*
 * Guards: memory is given and taken back while the queue is never idle. unshare GROUP UUID SECONDS,
 * in single mode: each turn a buffer is shared, some requests name it and some do not, and it is
 * taken back, by turns from the queue and from VFIO. On return the requests that named it are done,
 * all others go on, and nothing was reset.
 */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEN	   4096
#define BUFFER_LEN 65536
#define IN_FLIGHT  64
#define LONGEST_MS 10000

static struct queue q;
static char *buffer;
/* The queue's thread names the buffer once each time this is raised; its request's number comes
 * back. */
static atomic_int is_buffer_wanted, is_over;
static atomic_uint put_nr, got_nr, named_nr, bad_nr;

static void *work(void *arg)
{
	struct hisi_zip_sqe own = queue_request(&q, q.dma, LEN, q.dma + 8192, 8192);
	struct hisi_zip_sqe its =
		queue_request(&q, (uintptr_t)buffer, LEN, (uintptr_t)buffer + 8192, 8192);
	struct hisi_zip_sqe done;
	int ret = 0;

	while (!is_over && (!ret || ret == -EAGAIN)) {
		while (put_nr - got_nr < IN_FLIGHT && !ret) {
			const int is_its = is_buffer_wanted;

			ret = queue_put(&q, is_its ? &its : &own);
			put_nr++;
			if (is_its) {
				named_nr = put_nr - 1;
				is_buffer_wanted = 0;
			}
		}
		while (!(ret = queue_get(&q, &done))) {
			bad_nr += done.consumed != LEN || done.result & HISI_ZIP_RESULT_STATUS;
			got_nr++;
		}
		usleep(1000);
		if (ret == -EAGAIN)
			ret = 0;
	}
	if (ret)
		say("unshare: the queue is in state %u after %u results", q.status->state, got_nr);
	is_over = 1;
	return arg;
}

/* Has the device written this request's completion? */
static int is_done(unsigned int nr)
{
	const unsigned int depth = q.info.cq_depth;

	return (q.cq[nr % depth].phase & HISI_QM_CQE_PHASE) == !(nr / depth % 2);
}

/* By the queue, or by VFIO, which takes all that lies there. */
static uint64_t take_back(int is_vfio)
{
	const uint64_t begin = now_ms();
	int ret = is_vfio ? queue_unmap(&q, buffer, BUFFER_LEN)
			  : queue_unshare(&q, buffer, BUFFER_LEN);

	must(ret, is_vfio ? "unshare: VFIO's unmapping" : "unshare: UNSHARE");
	return now_ms() - begin;
}

int main(int argc, char **argv)
{
	uint64_t end, longest = 0;
	unsigned int turns = 0, generation;
	pthread_t thread;

	if (argc != 4)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "unshare: open");
	if (!queue_is_direct(&q))
		return NOT_HERE;
	buffer = anonymous(BUFFER_LEN);
	must(queue_memory(&q, BUFFER_LEN), "unshare: memory");
	must(queue_map(&q, buffer, BUFFER_LEN), "unshare: map");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "unshare: start");
	generation = q.status->generation;
	pthread_create(&thread, NULL, work, NULL);
	end = now_ms() + strtoul(argv[3], NULL, 10) * 1000;
	for (; !is_over && now_ms() < end; turns++) {
		uint64_t ms;

		must(queue_share(&q, buffer, BUFFER_LEN), "unshare: SHARE");
		/* Two turns of four no request names it. */
		is_buffer_wanted = turns / 2 % 2;
		while (is_buffer_wanted && !is_over)
			usleep(100);
		ms = take_back(turns % 2);
		if (ms > longest)
			longest = ms;
		if (turns / 2 % 2 && !is_over && !is_done(named_nr)) {
			say("unshare: request %u named it and is not done", named_nr);
			bad_nr++;
		}
		if (turns % 2)
			must(queue_map(&q, buffer, BUFFER_LEN), "unshare: map again");
	}
	if (is_over)
		bad_nr++;
	is_over = 1;
	pthread_join(thread, NULL);
	say("unshare: %u turns, longest %llu ms, %u requests, %u bad, generation %u to %u", turns,
	    (unsigned long long)longest, got_nr, bad_nr, generation, q.status->generation);
	return bad_nr || longest > LONGEST_MS || q.status->generation != generation;
}
