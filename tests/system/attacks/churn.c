/* SPDX-License-Identifier: Zlib */
/*
 * Guards: a process may end in the middle of any call. churn GROUP UUID opens a queue, makes calls
 * of all kinds with requests in flight, forks children that have the descriptors, closes, and
 * begins again, until it is killed. What the calls return does not matter: the function may be
 * reset meanwhile.
 */
#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vfio.h>

#define TURNS	   200
#define BUFFER_LEN (1 << 20)

static struct queue q;
static char *buffer;

static void put(void)
{
	struct hisi_zip_sqe sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192);

	for (unsigned int i = 0; i < 20; i++)
		queue_put(&q, &sqe);
}

static void get(void)
{
	struct hisi_zip_sqe done;

	queue_wait(&q, 5);
	while (!queue_get(&q, &done))
		;
}

static void share_some(void)
{
	queue_map(&q, buffer, BUFFER_LEN);
	queue_share(&q, buffer, BUFFER_LEN);
}

static void unshare_some(void)
{
	queue_unshare(&q, buffer, BUFFER_LEN);
}

static void unmap_some(void)
{
	queue_unmap(&q, buffer, BUFFER_LEN);
}

static void allocate(void)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = 16 * PAGE };

	if (!ioctl(q.fd, SDMDEV_CMD_SS_ALLOC, &slice))
		ioctl(q.fd, SDMDEV_CMD_SS_FREE, &slice);
}

static void restart(void)
{
	queue_call(&q, SDMDEV_CMD_STOP);
	queue_start(&q, HISI_ZIP_QUEUE_COMPRESS);
}

static void reset(void)
{
	queue_call(&q, VFIO_DEVICE_RESET);
	queue_start(&q, HISI_ZIP_QUEUE_COMPRESS);
}

/* The child outlives the next call or two, with all descriptors. */
static void split(void)
{
	if (!fork()) {
		usleep(rand() % 20000);
		_exit(0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void (*const calls[])(void) = {
	put, put, get, get, share_some, unshare_some, unmap_some, allocate, restart, reset, split,
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 99;
	srand(getpid());
	buffer = anonymous(BUFFER_LEN);
	say("churn: begins");
	for (;;) {
		if (queue_open(&q, argv[1], argv[2])) {
			usleep(10000);
			continue;
		}
		if (!queue_memory(&q, 65536)) {
			queue_start(&q, HISI_ZIP_QUEUE_COMPRESS);
			for (unsigned int i = rand() % TURNS; i; i--)
				calls[rand() % (sizeof(calls) / sizeof(calls[0]))]();
		}
		queue_close(&q);
	}
}
