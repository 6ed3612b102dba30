/* SPDX-License-Identifier: Zlib */
/*
 * Guards: who holds his own mmap lock for ever hangs alone. stall_charge GROUP UUID registers a
 * page that never comes as a buffer of io_uring, which holds the lock on older kernels, and
 * allocates static memory meanwhile, which must be charged under it.
 */
#define _GNU_SOURCE
#include "never.h"
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/io_uring.h>

static struct queue q;

/* All of its stack is there already: it cannot grow while the lock is held. */
static void *allocate(void *arg)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = PAGE };
	int ret;

	sleep(1);
	say("stall_charge: SS_ALLOC begins");
	ret = ioctl(q.fd, SDMDEV_CMD_SS_ALLOC, &slice);
	say("stall_charge: SS_ALLOC returned %d", ret ? -errno : 0);
	return arg;
}

int main(int argc, char **argv)
{
	struct io_uring_params params = { 0 };
	struct iovec page = { .iov_len = PAGE };
	pthread_attr_t attr;
	pthread_t thread;
	int ring;
	long ret;

	if (argc != 3)
		return 99;
	page.iov_base = never_page();
	must(queue_open(&q, argv[1], argv[2]), "stall_charge: open");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "stall_charge: start");
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0) {
		say("stall_charge: io_uring: %s", strerror(errno));
		return NOT_HERE;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, anonymous(1 << 20), 1 << 20);
	pthread_create(&thread, &attr, allocate, NULL);
	ret = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &page, 1);
	say("stall_charge: io_uring returned %ld", ret < 0 ? -errno : ret);
	pthread_join(thread, NULL);
	pause();
	return 1;
}
