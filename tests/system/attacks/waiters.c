/* SPDX-License-Identifier: Zlib */
/*
 * Guards: threads that wait for one queue. waiters GROUP UUID NUMBER: so many wait while three
 * results arrive, one every other second, for whoever measures how long the interrupt takes. With
 * two, both results of one doorbell are to be told of: neither waits until its time is over.
 */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_LEN (16 << 10)
#define WAIT_MS	  5000
#define ROUNDS	  3
#define PAIRS	  10

static struct queue q;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the rings, late_nr */
static atomic_uint waiting_nr;
static unsigned int late_nr;

static void *wait_on(void *arg)
{
	int ret;

	waiting_nr++;
	do {
		ret = queue_wait(&q, 60000);
	} while (!ret || ret == -ETIMEDOUT);
	return arg;
}

static void crowd(unsigned int nr)
{
	struct hisi_zip_sqe sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192), done;
	pthread_attr_t attr;
	pthread_t thread;
	unsigned int made = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_LEN);
	while (made < nr && !pthread_create(&thread, &attr, wait_on, NULL))
		made++;
	while (waiting_nr < made)
		usleep(100000);
	sleep(2);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		must(queue_put(&q, &sqe), "waiters: request");
		sleep(2);
		must(queue_get(&q, &done), "waiters: result");
	}
	say("waiters: %u waited", made);
	if (made < nr)
		_exit(1);
}

/* Takes one result, behind which the completion queue is armed again. An event is for all who wait. */
static void *wait_once(void *arg)
{
	const uint64_t begin = now_ms();
	struct hisi_zip_sqe done;
	int ret;

	waiting_nr++;
	do {
		ret = queue_wait(&q, WAIT_MS);
		pthread_mutex_lock(&lock);
		if (!ret)
			ret = queue_get(&q, &done);
		pthread_mutex_unlock(&lock);
	} while (ret == -EAGAIN && now_ms() - begin < WAIT_MS);
	pthread_mutex_lock(&lock);
	if (ret || now_ms() - begin >= WAIT_MS)
		late_nr++;
	pthread_mutex_unlock(&lock);
	say("waiters: WAIT and a result: %d after %llu ms", ret,
	    (unsigned long long)(now_ms() - begin));
	return arg;
}

static void pair(void)
{
	struct hisi_zip_sqe sqe = queue_request(&q, q.dma, PAGE, q.dma + 8192, 8192);
	pthread_t thread[2];

	waiting_nr = 0;
	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, wait_once, NULL);
	while (waiting_nr < 2)
		usleep(10000);
	usleep(100000);
	for (unsigned int i = 0; i < 2; i++)
		queue_write(&q, &sqe);
	queue_ring(&q, HISI_QM_DB_CMD_SQ, q.tail, 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
	unsigned int nr = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (nr < 2)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "waiters: open");
	if (!queue_is_direct(&q))
		return NOT_HERE;
	must(queue_memory(&q, 65536), "waiters: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "waiters: start");
	if (nr > 2)
		crowd(nr);
	/* Whether the first one sees both results is a matter of luck. */
	for (unsigned int i = 0; nr == 2 && i < PAIRS && !late_nr; i++)
		pair();
	_exit(late_nr ? 1 : 0);
}
