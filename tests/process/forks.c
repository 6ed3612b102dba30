/* SPDX-License-Identifier: Zlib */
/* Every way to make a child, with and without libc's handlers. Child and parent both go on. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* _Fork() is younger than some C libraries. */
extern pid_t _Fork(void) __attribute__((weak));

static pid_t by_fork(void)
{
	return fork();
}

static pid_t by_bare_fork(void)
{
	if (!_Fork)
		cannot("no _Fork()");
	return _Fork();
}

static pid_t by_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The number of a process that ended may be used again: what depends on it meets its likes. */
static pid_t by_double_fork(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid) {
		child_is_right(pid, "grandchild");
		_exit(0);
	}
	return 0;
}

static pid_t (*const ways[])(void) = { by_fork, by_bare_fork, by_clone, by_double_fork };
enum way { FORK, BARE_FORK, CLONE, DOUBLE_FORK };

static void first_use(const struct row *row)
{
	pid_t pid = ways[row->arg]();

	if (!pid) {
		trip_all();
		_exit(0);
	}
	trip_all();
	child_is_right(pid, "child");
}

static void used(const struct row *row)
{
	trip_all();
	for (int round = 0; round < 3; round++) {
		pid_t pid = ways[row->arg]();

		if (!pid) {
			trip_all();
			_exit(0);
		}
		trip_all();
		child_is_right(pid, "child");
	}
	trip_all();
}

/* The same streams end in both, at the same time and in the same way. */
static void streams(const struct row *row)
{
	for (int round = 0; round < 3; round++) {
		pid_t pid;

		pairs_open();
		pairs_half();
		pid = ways[row->arg]();
		if (!pid) {
			trip_quick();
			pairs_finish();
			trip_all();
			_exit(0);
		}
		pairs_finish();
		trip_quick();
		child_is_right(pid, "child");
	}
}

static void streams_fresh(const struct row *row)
{
	pid_t pid;

	trip_quick();
	pairs_open();
	pid = ways[row->arg]();
	if (!pid) {
		pairs_half();
		pairs_finish();
		_exit(0);
	}
	pairs_half();
	pairs_finish();
	child_is_right(pid, "child");
}

/* The child drops what it does not need, as servers do; nothing of it is the parent's loss. */
static void streams_ended(const struct row *row)
{
	pid_t pid;

	pairs_open();
	pairs_half();
	pid = ways[row->arg]();
	if (!pid) {
		for (int i = 0; i < SHAPES; i++) {
			deflateEnd(&pairs[i].deflate);
			inflateEnd(&pairs[i].inflate);
		}
		exit(0);
	}
	child_is_right(pid, "child");
	pairs_finish();
	trip_all();
}

static void children_of_children(const struct row *row)
{
	pairs_open();
	pairs_half();
	for (int depth = 0; depth < 4; depth++) {
		pid_t pid = ways[row->arg]();

		if (pid) {
			pairs_finish();
			trip_quick();
			child_is_right(pid, "child");
			if (depth)
				_exit(0);
			return;
		}
		trip_quick();
	}
	pairs_finish();
	_exit(0);
}

/* Many at once, of one that has streams open. */
static void many_children(const struct row *row)
{
	pid_t pids[12];

	pairs_open();
	pairs_half();
	for (int i = 0; i < 12; i++) {
		pids[i] = ways[row->arg]();
		if (!pids[i]) {
			pairs_finish();
			trip_quick();
			_exit(0);
		}
	}
	pairs_finish();
	for (int i = 0; i < 12; i++)
		child_is_right(pids[i], "one of many");
}

static atomic_bool is_over;

static void *compressing_thread(void *unused)
{
	while (!atomic_load(&is_over))
		trip_quick();
	return unused;
}

/*
 * Only what is allowed after the fork of a process with threads: without handlers malloc()'s locks
 * may be held for ever, so streams have their memory from elsewhere.
 */
static void with_threads(const struct row *row)
{
	static struct pool pool;
	pthread_t threads[3];

	pool_open(&pool, 256 << 20);
	for (int i = 0; i < 3; i++)
		check(!pthread_create(&threads[i], NULL, compressing_thread, NULL));
	for (int round = 0; round < 8; round++) {
		pid_t pid;

		pool.used = 0;
		for (int i = 0; i < SHAPES; i++) {
			pair_open_with(&pairs[i], &shapes[i], pool_alloc, pool_free, &pool);
			pair_half(&pairs[i]);
		}
		pid = ways[row->arg]();
		if (!pid) {
			pairs_finish();
			for (int i = 0; i < SHAPES; i++) {
				pair_open_with(&pairs[i], &shapes[i], pool_alloc, pool_free, &pool);
				pair_finish(&pairs[i]);
			}
			if (row->arg == FORK)
				trip_all();
			_exit(0);
		}
		pairs_finish();
		child_is_right(pid, "child of a process with threads");
	}
	atomic_store(&is_over, 1);
	for (int i = 0; i < 3; i++)
		check(!pthread_join(threads[i], NULL));
	trip_all();
}

/* What only starts another program, while other threads compress. */
static char *const true_args[] = { (char *)"true", NULL };

static void spawn_by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execv("/bin/true", true_args);
		_exit(1);
	}
	child_is_right(pid, "vfork");
}

static void spawn_by_posix(void)
{
	extern char **environ;
	pid_t pid;

	check(!posix_spawn(&pid, "/bin/true", NULL, NULL, true_args, environ));
	child_is_right(pid, "posix_spawn");
}

static int execute(void *unused)
{
	(void)unused;
	execv("/bin/true", true_args);
	_exit(1);
}

static void spawn_by_clone(void)
{
	static char stack[16384] __attribute__((aligned(16)));

	child_is_right(
		clone(execute, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL),
		"clone");
}

static void (*const spawns[])(void) = { spawn_by_vfork, spawn_by_posix, spawn_by_clone };

static void spawning(const struct row *row)
{
	pthread_t threads[2];

	pairs_open();
	pairs_half();
	spawns[row->arg]();
	pairs_finish();
	for (int i = 0; i < 2; i++)
		check(!pthread_create(&threads[i], NULL, compressing_thread, NULL));
	for (int i = 0; i < 20; i++)
		spawns[row->arg]();
	atomic_store(&is_over, 1);
	for (int i = 0; i < 2; i++)
		check(!pthread_join(threads[i], NULL));
	trip_all();
}

/* A child that shares the memory, and works in it while the parent waits. */
static int work(void *unused)
{
	(void)unused;
	pairs_half();
	trip_quick();
	return 0;
}

static void shared_memory(const struct row *row)
{
	static char stack[256 << 10] __attribute__((aligned(16)));
	int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;

	(void)row;
	trip_quick();
	pairs_open();
	child_is_right(clone(work, stack + sizeof(stack), flags, NULL), "clone");
	pairs_finish();
	trip_all();
}

#define EACH(title, function, flag)                                                                \
	{ title ", fork", function, FORK, .flags = (flag) },                                       \
		{ title ", _Fork", function, BARE_FORK, .flags = (flag) },                         \
		{ title ", clone", function, CLONE, .flags = (flag) },                             \
	{                                                                                          \
		title ", fork and clone", function, DOUBLE_FORK, .flags = (flag)                   \
	}

const struct row rows[] = {
	EACH("first use", first_use, USES_DEVICE),
	EACH("used before", used, USES_DEVICE),
	EACH("streams of before", streams, USES_DEVICE),
	EACH("fresh streams", streams_fresh, USES_DEVICE),
	EACH("streams dropped by the child", streams_ended, USES_DEVICE),
	EACH("children of children", children_of_children, USES_DEVICE),
	EACH("many children", many_children, USES_DEVICE),
	EACH("threads at work", with_threads, USES_DEVICE),
	{ "vfork and exec", spawning, 0, .flags = USES_DEVICE },
	{ "posix_spawn", spawning, 1, .flags = USES_DEVICE },
	{ "clone of the memory and exec", spawning, 2, .flags = USES_DEVICE },
	{ "clone of the memory that compresses", shared_memory, .flags = USES_DEVICE },
	{ .name = NULL },
};
