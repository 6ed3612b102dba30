/* SPDX-License-Identifier: Zlib */
/*
 * Guards: an argument that cannot be read is its owner's trouble alone. stall_argument GROUP UUID
 * makes every call that takes one, each in a thread of its own, with it on a page that never comes,
 * and hangs until it is killed.
 */
#include "never.h"
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

static struct queue q;
static char *page;

static const unsigned long calls[] = {
	VFIO_DEVICE_GET_INFO,	VFIO_DEVICE_GET_REGION_INFO,
	VFIO_DEVICE_SET_IRQS,	SDMDEV_CMD_GET_INFO,
	SDMDEV_CMD_SHARE,	SDMDEV_CMD_UNSHARE,
	SDMDEV_CMD_SS_ALLOC,	SDMDEV_CMD_SS_FREE,
	HISI_QM_CMD_SET_QP_CTX, SDMDEV_CMD_SUBMIT,
	SDMDEV_CMD_REAP,
};

/* Of SUBMIT and REAP what lies there is the entries, not the argument. */
static void *make_call(void *arg)
{
	const unsigned long cmd = *(const unsigned long *)arg;
	struct sdmdev_submit batch = { .argsz = sizeof(batch), .ptr = (uintptr_t)page, .count = 1 };
	const int is_batch = cmd == SDMDEV_CMD_SUBMIT || cmd == SDMDEV_CMD_REAP;
	int ret = ioctl(q.fd, cmd, is_batch ? (void *)&batch : page);

	say("stall_argument: call 0x%lx returned %d", cmd, ret < 0 ? -errno : ret);
	return NULL;
}

int main(int argc, char **argv)
{
	struct hisi_zip_sqe sqe;
	pthread_t thread;

	if (argc != 3)
		return 99;
	page = never_page();
	must(queue_open(&q, argv[1], argv[2]), "stall_argument: open");
	must(queue_memory(&q, 65536), "stall_argument: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "stall_argument: start");
	/* Something to be taken. */
	sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192);
	must(queue_put(&q, &sqe), "stall_argument: request");
	must(queue_wait(&q, 10000), "stall_argument: result");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		pthread_create(&thread, NULL, make_call, (void *)&calls[i]);
	sleep(1);
	say("stall_argument: the calls have begun");
	pause();
	return 1;
}
