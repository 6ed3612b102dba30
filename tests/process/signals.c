/* SPDX-License-Identifier: Zlib */
/* Signals at any moment, handlers that compress, and clocks that are set. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S .5 /* what the rows set as ZWD_TIMEOUT_MS */

/* CLOCK_REALTIME as this program and the libraries in it see it. */
static atomic_int clock_kind;
enum clock_kind { RIGHT, AHEAD, JUMPING };

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
	static atomic_uint nr;
	long ret = syscall(SYS_clock_gettime, clock, now);

	if (ret || clock != CLOCK_REALTIME || clock_kind == RIGHT)
		return (int)ret;
	/* As it is just before somebody sets it back. */
	if (clock_kind == AHEAD)
		now->tv_sec += 8;
	else
		now->tv_sec += nr++ % 2 ? 3600 : -3600;
	return 0;
}

static void nothing(int signal)
{
	(void)signal;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	check(!sigaction(signal, &action, NULL));
}

static void set_timer(unsigned int us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };

	check(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void timer(const struct row *row)
{
	handle(SIGALRM, nothing, (int)row->arg);
	set_timer(500);
	for (int i = 0; i < 3; i++) {
		trip_all();
		pairs_open();
		pairs_half();
		pairs_finish();
	}
	set_timer(0);
}

static pthread_t target;
static atomic_bool is_over;

static void *flood(void *unused)
{
	while (!atomic_load(&is_over)) {
		pthread_kill(target, SIGUSR1);
		usleep(100);
	}
	return unused;
}

static void flooded(const struct row *row)
{
	pthread_t thread;

	handle(SIGUSR1, nothing, (int)row->arg);
	target = pthread_self();
	check(!pthread_create(&thread, NULL, flood, NULL));
	for (int i = 0; i < 3; i++)
		trip_all();
	atomic_store(&is_over, 1);
	check(!pthread_join(thread, NULL));
}

/* A stream that only the handler uses, in memory of its own, on a stack of its own. */
static struct pair handlers;
static struct shape handlers_shape;
static struct pool handlers_pool;
static atomic_uint handled;

static void compressing_handler(int signal)
{
	(void)signal;
	if (handlers.fed < handlers.shape->len) {
		pair_step(&handlers);
	} else {
		handlers_pool.used = 0;
		pair_open_with(&handlers, &handlers_shape, pool_alloc, pool_free, &handlers_pool);
	}
	handled++;
}

static void handler_compresses(const struct row *row)
{
	stack_t stack = { .ss_size = 64 << 10 };

	handlers_shape = shapes[row->arg];
	/* A step a signal must not take longer than the time between two. */
	handlers_shape.len = 100000;
	handlers_shape.step = 2000;
	pool_open(&handlers_pool, 2 << 20);
	trip_quick();
	pair_open_with(&handlers, &handlers_shape, pool_alloc, pool_free, &handlers_pool);
	stack.ss_sp = malloc(stack.ss_size);
	check(stack.ss_sp && !sigaltstack(&stack, NULL));
	handle(SIGALRM, compressing_handler, SA_RESTART | SA_ONSTACK);
	set_timer(2000);
	for (int i = 0; i < 1000 && handled < 300; i++) {
		trip_streams();
		trip_calls();
	}
	set_timer(0);
	check(handled >= 300);
	trip_all();
}

/* What the device does last is to hang: that is noticed in time, whatever comes between. */
static void waits(const struct row *row)
{
	double worst = 0;

	handle(SIGALRM, nothing, 0);
	if (row->arg)
		set_timer((unsigned int)row->arg);
	for (int i = 0; i < 12; i++) {
		static struct pair p;
		double begin;

		pair_open(&p, &shapes[i % 2 ? 0 : 3]);
		while (p.fed < p.shape->len) {
			begin = now_s();
			pair_step(&p);
			if (now_s() - begin > worst)
				worst = now_s() - begin;
		}
		pair_end(&p);
	}
	set_timer(0);
	if (worst > 2 * TIMEOUT_S + .2)
		fail("a call took %.2f s where %.1f are the time-out", worst, TIMEOUT_S);
}

/* A signal for the process is the program's: no thread that it does not know takes it. */
static void *waits_for_signal(void *unused)
{
	while (!atomic_load(&is_over))
		usleep(1000);
	return unused;
}

static atomic_int taker;

static void take(int signal)
{
	(void)signal;
	taker = (int)syscall(SYS_gettid);
}

static void signals_of_process(const struct row *row)
{
	sigset_t set, pending;
	pthread_t thread;

	(void)row;
	trip_all();
	/* Threads that exist by now block what they block; these here all. */
	sigfillset(&set);
	check(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	check(!pthread_create(&thread, NULL, waits_for_signal, NULL));
	for (int signal = SIGUSR1; signal <= SIGTERM; signal++) {
		if (signal == SIGSEGV)
			continue;
		handle(signal, take, 0);
		check(!kill(getpid(), signal));
	}
	trip_all();
	check(!sigpending(&pending));
	for (int signal = SIGUSR1; signal <= SIGTERM; signal++)
		if (signal != SIGSEGV && !sigismember(&pending, signal))
			fail("signal %d was taken by thread %d", signal, taker);
	atomic_store(&is_over, 1);
	check(!pthread_join(thread, NULL));
}

/* All signals blocked while a device comes to life: they are deliverable afterwards. */
static void mask_is_kept(const struct row *row)
{
	sigset_t before, after;

	(void)row;
	/* Of which the kernel fills in as much as it knows. */
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	check(!pthread_sigmask(SIG_BLOCK, NULL, &before));
	trip_all();
	check(!pthread_sigmask(SIG_BLOCK, NULL, &after));
	check(!memcmp(&before, &after, sizeof(before)));
	for (int signal = 1; signal < 32; signal++) {
		struct sigaction action;

		check(signal == SIGKILL || !sigaction(signal, NULL, &action));
		if (signal != SIGKILL && action.sa_handler != SIG_DFL &&
		    action.sa_handler != SIG_IGN)
			fail("signal %d has a handler", signal);
	}
}

/* The only queue has an idle stream's unit: another waits for it, if it must, by no wall clock. */
static void clock_is_set(const struct row *row)
{
	static struct pair idle, other;
	double begin;

	pair_open(&idle, &shapes[5]);
	pair_half(&idle);
	clock_kind = (int)row->arg;
	begin = now_s();
	pair_open(&other, &shapes[0]);
	pair_finish(&other);
	if (now_s() - begin > 2 * TIMEOUT_S + .2)
		fail("it took %.2f s where %.1f are the time-out", now_s() - begin, TIMEOUT_S);
	pair_finish(&idle);
	trip_all();
}

static void *long_call(void *unused)
{
	static unsigned char out[PLAIN_LEN];
	uLongf len = sizeof(out);

	check(!compress2(out, &len, plain, 5 * 65536, 6));
	return unused;
}

/* The only queue is in use all through another thread's call, which takes longer than anybody waits. */
static void clock_is_set_in_use(const struct row *row)
{
	static unsigned char out[PLAIN_LEN];
	uLongf len = sizeof(out);
	pthread_t thread;
	double begin;

	clock_kind = (int)row->arg;
	check(!pthread_create(&thread, NULL, long_call, NULL));
	while (!is_stock() && !device_requests())
		usleep(1000);
	begin = now_s();
	check(!compress2(out, &len, plain, 65536, 6));
	if (now_s() - begin > 2 * TIMEOUT_S + .2)
		fail("it took %.2f s where %.1f are the time-out", now_s() - begin, TIMEOUT_S);
	check(!pthread_join(thread, NULL));
}

#define HANGS "ZWD_TIMEOUT_MS=500 WD_DEVICE=emu:fault=hang@"

const struct row rows[] = {
	{ "timer at 2 kHz", timer, 0, .flags = USES_DEVICE },
	{ "timer at 2 kHz, SA_RESTART", timer, SA_RESTART, .flags = USES_DEVICE },
	{ "a thread's signals", flooded, 0, .flags = USES_DEVICE },
	{ "a thread's signals, SA_RESTART", flooded, SA_RESTART, .flags = USES_DEVICE },
	{ "handler that compresses", handler_compresses, 2, .flags = USES_DEVICE, .limit_s = 60 },
	{ "handler that flushes", handler_compresses, 3, .flags = USES_DEVICE, .limit_s = 60 },
	{ "device hangs", waits, 0, .flags = IN_EMU, .env = HANGS "3" },
	{ "device hangs, timer at 1 kHz", waits, 1000, .flags = IN_EMU, .env = HANGS "3" },
	{ "device hangs, timer at 4 kHz", waits, 250, .flags = IN_EMU, .env = HANGS "5" },
	{ "device hangs again and again, timer", waits, 1000, .flags = IN_EMU, .env = HANGS "*4" },
	{ "signals of the process", signals_of_process, .flags = USES_DEVICE },
	{ "mask and handlers are kept", mask_is_kept, .flags = USES_DEVICE },
	{ "clock set back, one queue", clock_is_set, AHEAD, .flags = USES_DEVICE,
	  .env = "ZWD_TIMEOUT_MS=500 ZWD_QUEUES=1 ZWD_UNIT=64K" },
	{ "clock set back, one queue in use", clock_is_set_in_use, AHEAD, .flags = IN_EMU,
	  .env = "ZWD_TIMEOUT_MS=500 ZWD_QUEUES=1 ZWD_UNIT=64K ZWD_DEPTH=1 WD_DEVICE=emu:fault=late=400@*1" },
	{ "clock that jumps, one queue", clock_is_set, JUMPING, .flags = USES_DEVICE,
	  .env = "ZWD_TIMEOUT_MS=500 ZWD_QUEUES=1 ZWD_UNIT=64K" },
	{ "clock that jumps", clock_is_set, JUMPING, .flags = USES_DEVICE },
	{ .name = NULL },
};
