/* SPDX-License-Identifier: Zlib */
/*
 * Guards: a page that never comes, under SHARE, is its owner's trouble alone. stall_pin GROUP UUID
 * [fault], in single mode: shares it on a started queue, and hangs until it is killed. fault: rings
 * for a request before, by which a device with such a fault fails.
 */
#include "never.h"
#include "queue.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static struct queue q;
static char *page;

static void *ring_soon(void *arg)
{
	struct hisi_zip_sqe sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192);

	sleep(1);
	say("stall_pin: SHARE has begun");
	if (arg)
		queue_put(&q, &sqe);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int ret;

	if (argc < 3)
		return 99;
	page = never_page();
	must(queue_open(&q, argv[1], argv[2]), "stall_pin: open");
	if (!queue_is_direct(&q))
		return NOT_HERE;
	must(queue_memory(&q, 65536), "stall_pin: memory");
	must(queue_map(&q, page, PAGE), "stall_pin: map");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "stall_pin: start");
	pthread_create(&thread, NULL, ring_soon, argc > 3 ? argv[3] : NULL);
	ret = queue_share(&q, page, PAGE);
	say("stall_pin: SHARE returned %d", ret);
	return 1;
}
