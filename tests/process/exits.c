/* SPDX-License-Identifier: Zlib */
/* The end of a process: destructors and handlers that compress, in every way to leave. */
#include "config.h"
#include "plugin.h"
#include "process.h"
#include "trip.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BY_EXIT, BY_UNDERSCORE, QUICKLY, FROM_THREAD, LAST_THREAD };
enum { PLUGIN, OWN, HANDLER, THREADS, KINDS };

/* Of the child that ends: who was called, and whether all was well. */
static volatile int *told;
static int is_telling;

static void tell(int kind)
{
	if (!is_telling)
		return;
	trip_quick();
	told[kind] = PLUGIN_RIGHT;
}

__attribute__((destructor)) static void own_destructor(void)
{
	tell(OWN);
}

static void handler(void)
{
	tell(HANDLER);
}

static void thread_data(void *unused)
{
	(void)unused;
	tell(THREADS);
}

static void *compressing(void *unused)
{
	for (;;)
		trip_quick();
	return unused;
}

static void *exiting(void *unused)
{
	exit(0);
	return unused;
}

static _Noreturn void leave(int how)
{
	pthread_t thread;

	switch (how) {
	case BY_UNDERSCORE:
		_exit(0);
	case QUICKLY:
		quick_exit(0);
	case FROM_THREAD:
		check(!pthread_create(&thread, NULL, exiting, NULL));
		for (;;)
			pause();
	case LAST_THREAD:
		pthread_exit(NULL);
	default:
		exit(0);
	}
}

enum { WITH_STREAMS = 16, UNUSED = 32, WITH_THREADS = 64, FORKED = 128, CLONED = 256 };

static _Noreturn void live_and_leave(long arg)
{
	pthread_key_t key;
	pthread_t thread;

	is_telling = 1;
	check(!atexit(handler) && !at_quick_exit(handler));
	check(!pthread_key_create(&key, thread_data) && !pthread_setspecific(key, &key));
	if (!(arg & UNUSED) && plugin.trip())
		fail("plugin");
	if ((arg & WITH_STREAMS) && plugin.begin())
		fail("plugin's streams");
	if (arg & WITH_STREAMS) {
		pairs_open();
		pairs_half();
	}
	plugin.tell_at_end(&told[PLUGIN]);
	if (arg & WITH_THREADS) {
		for (int i = 0; i < 3; i++)
			check(!pthread_create(&thread, NULL, compressing, NULL));
		usleep(20000);
	}
	leave((int)(arg & 15));
}

static void leaving(const struct row *row)
{
	int how = (int)(row->arg & 15), is_full = how == BY_EXIT || how > QUICKLY;
	const int wanted[KINDS] = {
		[PLUGIN] = is_full,
		[OWN] = is_full,
		[HANDLER] = is_full || how == QUICKLY,
		[THREADS] = how == LAST_THREAD,
	};
	pid_t pid;

	told = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(told != MAP_FAILED);
	if (row->arg & (FORKED | CLONED))
		trip_all();
	pid = row->arg & CLONED ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
	if (!pid)
		live_and_leave(row->arg);
	child_is_right(pid, "the one that left");
	for (int i = 0; i < KINDS; i++)
		if (told[i] != (wanted[i] ? PLUGIN_RIGHT : 0))
			fail("%d of plugin, destructor, handler, thread's data: %d", i, told[i]);
}

#define EACH(title, how)                                                                           \
	{ title, leaving, .arg = (how) },                                                          \
		{ title ", with streams", leaving, .arg = (how) | WITH_STREAMS },                  \
		{ title ", first use at the end", leaving, .arg = (how) | UNUSED },                \
		{ title ", while threads compress", leaving, .arg = (how) | WITH_THREADS },        \
		{ title ", child of a user", leaving, .arg = (how) | FORKED },                     \
		{ title ", clone of a user, first use at the end", leaving,                        \
		  .arg = (how) | CLONED | UNUSED },                                                \
		{ title ", child of a user, first use at the end", leaving,                        \
		  .arg = (how) | FORKED | UNUSED, .env = "MALLOC_PERTURB_=165" },                  \
	{                                                                                          \
		title ", queue lost", leaving, .arg = (how), .flags = IN_EMU,                      \
					       .env = "WD_DEVICE=emu:fault=reset@1 "               \
						      "ZWD_TIMEOUT_MS=200 MALLOC_PERTURB_=165"     \
	}

/* The last thread of a process that never ends otherwise: not beside threads that go on. */
const struct row rows[] = {
	EACH("exit", BY_EXIT),
	EACH("_exit", BY_UNDERSCORE),
	EACH("quick_exit", QUICKLY),
	EACH("exit from a thread", FROM_THREAD),
	{ "pthread_exit", leaving, .arg = LAST_THREAD, .flags = IN_SOFT },
	{ .name = NULL },
};
