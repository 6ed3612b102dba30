/* SPDX-License-Identifier: Zlib */
/* Filters of system calls that leave a process what the system's zlib needs. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int zlib_needs[] = {
	SYS_brk,   SYS_mmap,  SYS_munmap, SYS_mremap,	  SYS_madvise,	    SYS_read,
	SYS_write, SYS_close, SYS_exit,	  SYS_exit_group, SYS_rt_sigreturn,
};
/* What threads that exist need to wait for each other. */
static const int device_needs[] = { SYS_futex, SYS_clock_gettime };

enum condition {
	KILL = 0,    /* what is not allowed ends the process */
	REFUSE = 1,  /* it fails with EPERM */
	WAITING = 2, /* what a device needs is allowed as well */
	ALL_THREADS = 4,
	UNFED = 8, /* streams of before have had no data yet */
	USED = 16, /* a device has had work before */
};

static void add(struct sock_filter *code, unsigned short *len, struct sock_filter line)
{
	code[(*len)++] = line;
}

static void allow(struct sock_filter *code, unsigned short *len, const int *calls, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		add(code, len,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)calls[i],
						 0, 1));
		add(code, len, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	}
}

static void begin_filter(long how)
{
	struct sock_filter code[64];
	struct sock_fprog program = { .filter = code };
	unsigned int last = how & REFUSE ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
	unsigned int flags = how & ALL_THREADS ? SECCOMP_FILTER_FLAG_TSYNC : 0;

	add(code, &program.len,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					 offsetof(struct seccomp_data, nr)));
	allow(code, &program.len, zlib_needs, sizeof(zlib_needs) / sizeof(*zlib_needs));
	if (how & WAITING)
		allow(code, &program.len, device_needs,
		      sizeof(device_needs) / sizeof(*device_needs));
	add(code, &program.len, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, last));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program))
		cannot("seccomp: %s", strerror(errno));
}

/* It asks for random numbers once, whoever is the first to call it. */
static void begin_malloc(void)
{
	static void *volatile memory;

	memory = malloc(100);
	free(memory);
}

static void filtered(const struct row *row)
{
	pid_t pid = fork();

	if (!pid) {
		if (row->arg & USED)
			trip_all();
		pairs_open();
		if (!(row->arg & UNFED))
			pairs_half();
		begin_filter(row->arg);
		pairs_finish();
		trip_streams();
		trip_calls();
		pairs_open();
		pairs_half();
		pairs_finish();
		if ((row->flags & IN_EMU) && (row->arg & USED) && !is_stock() && !device_requests())
			fail("the device was not used");
		_exit(0);
	}
	child_is_right(pid, "filtered");
}

/* Nothing at all was done with zlib when the filter begins. */
static void first_use(const struct row *row)
{
	pid_t pid = fork();

	if (!pid) {
		begin_malloc();
		begin_filter(row->arg);
		trip_streams();
		trip_calls();
		pairs_open();
		pairs_half();
		pairs_finish();
		_exit(0);
	}
	child_is_right(pid, "filtered");
}

/* Exit handlers and destructors run inside, too. */
static void ends_by_exit(const struct row *row)
{
	pid_t pid = fork();

	if (!pid) {
		if (row->arg & USED)
			trip_all();
		begin_malloc();
		begin_filter(row->arg);
		trip_streams();
		exit(0);
	}
	child_is_right(pid, "filtered");
}

/* Read, write and the bare exit are all that is left: streams that have their memory go on. */
static void strict(const struct row *row)
{
	static struct pool pool;
	pid_t pid = fork();

	if (!pid) {
		if (row->arg & USED)
			trip_all();
		pool_open(&pool, 64 << 20);
		for (int i = 0; i < SHAPES; i++) {
			pair_open_with(&pairs[i], &shapes[i], pool_alloc, pool_free, &pool);
			if (!(row->arg & UNFED))
				pair_half(&pairs[i]);
		}
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		pairs_finish();
		syscall(SYS_exit, 0);
	}
	child_is_right(pid, "strict");
}

/* A thread confines itself; the others are free. */
static void *confined_thread(void *arg)
{
	pairs_open();
	begin_filter(*(const long *)arg);
	pairs_half();
	pairs_finish();
	syscall(SYS_exit, 0);
	return NULL;
}

static void one_thread(const struct row *row)
{
	pthread_t thread;

	trip_all();
	check(!pthread_create(&thread, NULL, confined_thread, (void *)&row->arg));
	trip_streams();
	check(!pthread_join(thread, NULL));
	trip_all();
}

const struct row rows[] = {
	{ "killed for more than zlib needs, streams fed", filtered, .arg = KILL, .flags = IN_SOFT },
	{ "killed for more than zlib needs, streams fresh", filtered, .arg = KILL | UNFED,
	  .flags = IN_SOFT },
	{ "killed for more than zlib needs, used", filtered, .arg = KILL | USED, .flags = IN_SOFT },
	{ "killed for more than zlib needs, first use", first_use, .arg = KILL, .flags = IN_SOFT },
	{ "killed for more than zlib needs, exit", ends_by_exit, .arg = KILL, .flags = IN_SOFT | NOT_COUNTED },
	{ "any device, streams fed", filtered, .arg = KILL, .flags = IN_SOFT,
	  .env = "WD_DEVICE=auto" },
	{ "any device, streams fresh", filtered, .arg = KILL | UNFED, .flags = IN_SOFT,
	  .env = "WD_DEVICE=auto" },
	{ "any device, used", filtered, .arg = KILL | USED, .flags = IN_SOFT,
	  .env = "WD_DEVICE=auto" },
	{ "any device, first use", first_use, .arg = KILL, .flags = IN_SOFT,
	  .env = "WD_DEVICE=auto" },
	{ "any device, exit", ends_by_exit, .arg = KILL | USED, .flags = IN_SOFT | NOT_COUNTED,
	  .env = "WD_DEVICE=auto" },
	{ "ZWD_ENGINE=soft, first use", first_use, .arg = KILL, .env = "ZWD_ENGINE=soft" },
	{ "ZWD_ENGINE=soft, streams fresh", filtered, .arg = KILL | UNFED,
	  .env = "ZWD_ENGINE=soft" },
	{ "killed, waiting allowed, used, streams fed", filtered, .arg = KILL | WAITING | USED,
	  .flags = IN_EMU },
	{ "killed, waiting allowed, used, streams fresh", filtered,
	  .arg = KILL | WAITING | USED | UNFED, .flags = IN_EMU },
	{ "killed, waiting allowed, all threads", filtered,
	  .arg = KILL | WAITING | USED | ALL_THREADS, .flags = IN_EMU },
	{ "killed, waiting allowed, failing device", filtered, .arg = KILL | WAITING | USED,
	  .flags = IN_FAULT },
	{ "killed, waiting allowed, exit", ends_by_exit, .arg = KILL | WAITING | USED,
	  .flags = IN_EMU | NOT_COUNTED },
	{ "refused, streams fed", filtered, .arg = REFUSE },
	{ "refused, streams fresh", filtered, .arg = REFUSE | UNFED },
	{ "refused, used", filtered, .arg = REFUSE | USED },
	{ "refused, all threads", filtered, .arg = REFUSE | USED | ALL_THREADS },
	{ "refused, waiting allowed", filtered, .arg = REFUSE | WAITING | USED },
	{ "refused, first use", first_use, .arg = REFUSE },
	{ "refused, waiting allowed, first use", first_use, .arg = REFUSE | WAITING },
	{ "refused, exit", ends_by_exit, .arg = REFUSE | USED, .flags = NOT_COUNTED },
	{ "strict, streams fed", strict, .arg = 0, .flags = IN_SOFT },
	{ "strict, streams fresh", strict, .arg = UNFED, .flags = IN_SOFT },
	{ "strict, used", strict, .arg = USED, .flags = IN_SOFT },
	{ "one thread confined", one_thread, .arg = REFUSE | WAITING },
	{ .name = NULL },
};
