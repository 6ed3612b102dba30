/* SPDX-License-Identifier: Zlib */
/* Threads that are cancelled, small, fibers, ranked, on one processor, or too many. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static atomic_bool is_over;

static void *cancelled_thread(void *unused)
{
	/* Between calls, where zlib's users end. */
	for (;;) {
		struct pair *p = malloc(sizeof(*p));

		check(p);
		pthread_cleanup_push(free, p);
		for (int i = 0; i < SHAPES; i++) {
			pair_open(p, &shapes[i]);
			pthread_testcancel();
			while (p->fed < p->shape->len) {
				pair_step(p);
				pthread_testcancel();
			}
			pair_end(p);
			pthread_testcancel();
		}
		pthread_cleanup_pop(1);
	}
	return unused;
}

/* With memory of its own no lock of malloc() is lost; the stream alone is. */
static void *cancelled_anywhere(void *unused)
{
	struct pool pool;
	struct pair *p = malloc(sizeof(*p));

	check(p);
	pool_open(&pool, 1 << 20);
	/* The pages stay: nobody knows where it ends. */
	for (int i = 0;; i = (i + 1) % SHAPES) {
		pool.used = 0;
		pair_open_with(p, &shapes[i], pool_alloc, pool_free, &pool);
		check(!pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &(int){ 0 }));
		while (p->fed < p->shape->len)
			pair_step(p);
		check(!pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &(int){ 0 }));
		pair_end(p);
	}
	return unused;
}

/* The same in calls with room for all they make, which have units side by side. */
static void *cancelled_in_units(void *unused)
{
	enum { LEN = 600000, ROOM = LEN + 100000 };
	unsigned char *room = malloc(ROOM);
	struct pool pool;

	check(room);
	pool_open(&pool, 1 << 20);
	for (;;) {
		z_stream strm = { .zalloc = pool_alloc, .zfree = pool_free, .opaque = &pool };

		pool.used = 0;
		check(!deflateInit(&strm, 6));
		strm.next_in = plain;
		strm.avail_in = LEN;
		strm.next_out = room;
		strm.avail_out = ROOM;
		check(!pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &(int){ 0 }));
		check(!deflate(&strm, Z_NO_FLUSH));
		check(!pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &(int){ 0 }));
		deflateEnd(&strm);
	}
	return unused;
}

static void cancelled(const struct row *row)
{
	static void *(*const ways[])(void *) = { cancelled_thread, cancelled_anywhere, cancelled_in_units };
	void *(*thread)(void *) = ways[row->arg];
	double begin;

	trip_quick();
	for (int round = 0; round < 50; round++) {
		pthread_t threads[4];
		void *ret;

		for (int i = 0; i < 4; i++)
			check(!pthread_create(&threads[i], NULL, thread, NULL));
		usleep(500 + (unsigned int)round * 317 % 9000);
		for (int i = 0; i < 4; i++)
			check(!pthread_cancel(threads[i]));
		for (int i = 0; i < 4; i++) {
			check(!pthread_join(threads[i], &ret));
			/* glibc forgets the result where a thread allows its end again. */
			if (ret != PTHREAD_CANCELED && !(row->arg && !ret))
				fail("a cancelled thread ends with %p", ret);
		}
	}
	begin = now_s();
	for (int i = 0; i < 10; i++)
		trip_quick();
	if (now_s() - begin > 4)
		fail("ten streams take %.1f s", now_s() - begin);
	trip_all();
}

/* A cancelled thread goes on until it comes to one of its own points: the request is not lost. */
static void *cancels_itself(void *result)
{
	static struct pair p;

	pthread_cancel(pthread_self());
	for (int i = 0; i < SHAPES; i++) {
		pair_open(&p, &shapes[i]);
		pair_finish(&p);
	}
	trip_calls();
	*(int *)result = 1;
	pthread_testcancel();
	*(int *)result = 2;
	return NULL;
}

static void cancelled_before(const struct row *row)
{
	int result = 0;
	pthread_t thread;
	void *ret;

	(void)row;
	check(!pthread_create(&thread, NULL, cancels_itself, &result));
	check(!pthread_join(thread, &ret));
	if (result != 1 || ret != PTHREAD_CANCELED)
		fail("the thread ended %s", result ? "after its own point" : "inside");
	trip_all();
}

static struct pair small_pair;

static void *small_thread(void *unused)
{
	for (int i = 0; i < SHAPES; i++) {
		pair_open(&small_pair, &shapes[i]);
		pair_finish(&small_pair);
	}
	trip_calls();
	trip_gz();
	return unused;
}

/* Does a thread do with a stack of so many bytes? A child finds out. */
static int is_enough(size_t len, int is_first_use)
{
	unsigned char *map = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t pages = (len + 4095) / 4096 * 4096;
	unsigned char *stack = map + (1 << 20) - pages;
	pthread_attr_t attr;
	pthread_t thread;
	int status;
	pid_t pid;

	check(map != MAP_FAILED && !mprotect(stack, pages, PROT_READ | PROT_WRITE));
	pid = fork();
	if (!pid) {
		if (!is_first_use)
			small_thread(NULL);
		check(!pthread_attr_init(&attr));
		/* The lowest page has what is too much. */
		if (pthread_attr_setstack(&attr, stack + (pages - len), len) ||
		    pthread_create(&thread, &attr, small_thread, NULL))
			_exit(2);
		check(!pthread_join(thread, NULL));
		for (size_t i = 0; i < pages - len; i++)
			check(!stack[i]);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	munmap(map, 1 << 20);
	return !status;
}

static void small_stack(const struct row *row)
{
	size_t len = 16 << 10;

	if (is_stock()) {
		while (!is_enough(len, (int)row->arg))
			len += 1 << 10;
		check(len < 64 << 10);
	}
	len = (size_t)stock_value((long)len) + 1024;
	/* The first row that wants to know more is told by stack.c. */
	if (!is_enough(len, (int)row->arg))
		fail("zlib does with a stack of %zu bytes; 1024 more are not enough", len - 1024);
}

#define FIBERS 12
static ucontext_t main_context, fiber[FIBERS];
static struct pair fiber_pair[FIBERS];
static int fibers_left;

static void fiber_body(int nr)
{
	struct pair *p = &fiber_pair[nr];

	pair_open(p, &shapes[nr % SHAPES]);
	while (p->fed < p->shape->len) {
		pair_step(p);
		swapcontext(&fiber[nr], &main_context);
	}
	pair_end(p);
	fibers_left--;
	for (;;)
		swapcontext(&fiber[nr], &main_context);
}

static void open_fiber(int nr, size_t stack_len)
{
	unsigned char *stack = mmap(NULL, stack_len + 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(stack != MAP_FAILED && !mprotect(stack, 4096, PROT_NONE));
	check(!getcontext(&fiber[nr]));
	fiber[nr].uc_stack.ss_sp = stack + 4096;
	fiber[nr].uc_stack.ss_size = stack_len;
	makecontext(&fiber[nr], (void (*)(void))fiber_body, 1, nr);
}

static void fibers(const struct row *row)
{
	if (row->arg)
		trip_all();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < FIBERS; i++)
			open_fiber(i, 24 << 10);
		fibers_left = FIBERS;
		while (fibers_left)
			for (int i = 0; i < FIBERS; i++)
				swapcontext(&main_context, &fiber[i]);
	}
}

/* Each step on another thread, which is gone at the next. */
static void *one_step(void *unused)
{
	for (int i = 0; i < SHAPES; i++)
		if (pairs[i].fed < pairs[i].shape->len)
			pair_step(&pairs[i]);
	return unused;
}

static void moving_streams(const struct row *row)
{
	pthread_t thread;
	int is_left = 1;

	(void)row;
	pairs_open();
	while (is_left) {
		check(!pthread_create(&thread, NULL, one_step, NULL));
		check(!pthread_join(thread, NULL));
		is_left = 0;
		for (int i = 0; i < SHAPES; i++)
			is_left |= pairs[i].fed < pairs[i].shape->len;
	}
	for (int i = 0; i < SHAPES; i++)
		pair_end(&pairs[i]);
	trip_all();
}

static void use_one_processor(void)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	check(!sched_getaffinity(0, sizeof(all), &all));
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all)) {
			CPU_SET(i, &one);
			break;
		}
	check(!sched_setaffinity(0, sizeof(one), &one));
}

static void *trip_thread(void *unused)
{
	trip_all();
	return unused;
}

static void ranked(const struct row *row, int is_used)
{
	struct sched_param param = { 0 };
	pthread_t thread;

	if (is_used)
		trip_all();
	use_one_processor();
	if (row->arg == SCHED_FIFO || row->arg == SCHED_RR)
		param.sched_priority = 10;
	if (sched_setscheduler(0, (int)row->arg, &param))
		cannot("sched_setscheduler: %s", strerror(errno));
	trip_all();
	pairs_open();
	pairs_half();
	pairs_finish();
	check(!pthread_create(&thread, NULL, trip_thread, NULL));
	trip_all();
	check(!pthread_join(thread, NULL));
}

static void ranked_first(const struct row *row)
{
	ranked(row, 0);
}

static void ranked_later(const struct row *row)
{
	ranked(row, 1);
}

#define CROWD 60
static atomic_long progress[CROWD];

static void *one_of_crowd(void *arg)
{
	struct pair *p = malloc(sizeof(*p));

	check(p);
	while (!atomic_load(&is_over)) {
		/* Some of them with units in flight. */
		pair_open(p, &shapes[(atomic_long *)arg - progress < 6 ? 4 : 0]);
		pair_finish(p);
		atomic_fetch_add((atomic_long *)arg, 1);
	}
	free(p);
	return NULL;
}

static int is_somebody_without(void)
{
	for (int i = 0; i < CROWD; i++)
		if (!progress[i])
			return 1;
	return 0;
}

/* One queue, and streams of it that do nothing: everybody gets on. */
static void crowded(const struct row *row)
{
	pthread_t threads[CROWD];

	(void)row;
	pairs_open();
	pairs_half();
	for (int i = 0; i < CROWD; i++)
		check(!pthread_create(&threads[i], NULL, one_of_crowd, &progress[i]));
	do
		usleep(2500000);
	while (is_somebody_without());
	atomic_store(&is_over, 1);
	for (int i = 0; i < CROWD; i++)
		check(!pthread_join(threads[i], NULL));
	pairs_finish();
}

static void at_once(const struct row *row)
{
	pthread_t threads[CROWD];

	(void)row;
	atomic_store(&is_over, 1);
	for (int i = 0; i < CROWD; i++)
		check(!pthread_create(&threads[i], NULL, trip_thread, NULL));
	for (int i = 0; i < CROWD; i++)
		check(!pthread_join(threads[i], NULL));
}

const struct row rows[] = {
	{ "cancelled between calls", cancelled, 0, .flags = USES_DEVICE, .limit_s = 60 },
	{ "cancelled between calls, one unit at a time", cancelled, 0, .flags = USES_DEVICE, .limit_s = 60,
	  .env = "ZWD_DEPTH=1" },
	{ "cancelled anywhere", cancelled, 1, .flags = USES_DEVICE, .limit_s = 60 },
	{ "cancelled anywhere in units", cancelled, 2, .flags = USES_DEVICE, .limit_s = 60 },
	{ "cancelled before it begins", cancelled_before, .flags = USES_DEVICE },
	{ "small stack", small_stack, 0, .limit_s = 60 },
	{ "small stack, first use", small_stack, 1, .limit_s = 60 },
	{ "fibers", fibers, 1, .flags = USES_DEVICE },
	{ "fibers, first use", fibers, 0, .flags = USES_DEVICE },
	{ "streams that move between threads", moving_streams, .flags = USES_DEVICE },
	{ "one processor", ranked_first, SCHED_OTHER, .flags = USES_DEVICE },
	{ "SCHED_FIFO, one processor, first use", ranked_first, SCHED_FIFO, .flags = USES_DEVICE },
	{ "SCHED_FIFO, one processor, used before", ranked_later, SCHED_FIFO,
	  .flags = USES_DEVICE },
	{ "SCHED_RR, one processor", ranked_later, SCHED_RR, .flags = USES_DEVICE },
	{ "SCHED_IDLE, one processor", ranked_later, SCHED_IDLE, .flags = USES_DEVICE },
	{ "SCHED_BATCH, one processor", ranked_first, SCHED_BATCH, .flags = USES_DEVICE },
	{ "60 threads, one queue", crowded, .flags = USES_DEVICE, .env = "ZWD_QUEUES=1" },
	{ "60 threads, one queue, small units", crowded, .flags = USES_DEVICE,
	  .env = "ZWD_QUEUES=1 ZWD_UNIT=64K" },
	{ "60 threads begin at once", at_once, .flags = USES_DEVICE, .limit_s = 60,
	  .env = "ZWD_QUEUES=2" },
	{ .name = NULL },
};
