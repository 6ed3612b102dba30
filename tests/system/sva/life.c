/* SPDX-License-Identifier: Zlib */
/*
 * Guards: processes that share all of their memory with a device, as they come and go. life DEVICE
 * same, leave, fork, unmapped: lines as memory's. life DEVICE burst US: sends 64 requests of 1 MiB, waits
 * so many microseconds, and kills itself. life DEVICE loop: works until an error or a signal, and
 * says which error.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN	  (1u << 20)
#define FIXED	  ((char *)0x200000000000) /* nothing lies there by itself */
#define PROCESSES 4
#define ROUNDS	  10
#define IN_FLIGHT 64
#define LEAVERS	  100
#define LEAVE_US  4000 /* which closing a queue takes */
/* After which a queue that died unseen is noticed. No request takes as long on a busy machine. */
#define LOOP_PATIENCE_MS 20000

/* In a child: its own bytes at the address that all have, its own bytes back. */
static int work_at_fixed(const char *device, unsigned int seed)
{
	struct wd_queue *q = queue_open(device);
	char *src = mmap(FIXED, 2 * LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int good = src == FIXED;

	if (good)
		fill(src, LEN, seed);
	for (int i = 0; good && i < ROUNDS; i++) {
		madvise(src + LEN, LEN, MADV_DONTNEED);
		good = is_right(q, src, LEN, src + LEN, LEN);
	}
	wd_release_queue(q);
	return !good;
}

static int same(const char *device, const char *us)
{
	int bad = 0, status;

	for (unsigned int i = 0; i < PROCESSES; i++)
		if (!fork())
			_exit(work_at_fixed(device, i + 1));
	while (wait(&status) > 0)
		bad += status != 0;
	tell(!bad, "four processes with other bytes at the same addresses");
	return bad;
}

static int come_and_go(const char *device, unsigned int seed)
{
	struct wd_queue *q = queue_open(device);
	char *src = malloc(LEN), *dst = malloc(LEN);
	int good;

	fill(src, LEN, seed);
	good = is_right(q, src, 4096, dst, LEN);
	wd_release_queue(q);
	usleep(seed * 977 % LEAVE_US);
	return !good;
}

/* The kernel takes an address space back from the device while the process that it was of ends. */
static int leave(const char *device, const char *us)
{
	int bad = 0, status;

	for (unsigned int i = 0; i < LEAVERS; i++) {
		if (i >= PROCESSES && wait(&status) > 0)
			bad += status != 0;
		if (!fork())
			_exit(come_and_go(device, i));
	}
	while (wait(&status) > 0)
		bad += status != 0;
	tell(!bad, "a hundred processes that end while their queues are closed");
	return bad;
}

static int forked(const char *device, const char *us)
{
	struct wd_queue *q = queue_open(device);
	char *src = malloc(LEN), *dst = malloc(LEN);
	struct wd_zip_res res;
	struct wd_zip_req req = {
		.src = src,
		.dst = dst,
		.src_len = LEN,
		.dst_len = LEN,
		.format = WD_ZIP_ZLIB,
	};
	int down[2], status = 1;
	char byte = 0;
	pid_t pid;

	if (pipe(down))
		return 1;
	fill(src, LEN, 1);
	pid = fork();
	if (!pid) {
		status = wd_call(q, &req, &res, PATIENCE_MS) != -ENODEV;
		memset(src, 'c', LEN);
		memset(dst, 'c', LEN);
		if (write(down[1], &byte, 1) != 1)
			_exit(1);
		wd_release_queue(q);
		/* One of its own. */
		q = queue_open(device);
		_exit(status || !is_right(q, src, LEN, dst, LEN));
	}
	if (read(down[0], &byte, 1) != 1)
		return 1;
	/* Every page is the parent's copy now, or the child's. */
	fill(src, LEN, 2);
	tell(is_right(q, src, LEN, dst, LEN), "after fork the parent's memory is the parent's");
	tell(waitpid(pid, &status, 0) == pid && !status,
	     "the child has no part in its queue, and opens one of its own");
	wd_release_queue(q);
	return wrongs() != 0;
}

static atomic_int is_over;
static char *area;

static void *map_and_unmap(void *unused)
{
	while (!is_over) {
		munmap(area, LEN);
		mmap(area, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0);
		usleep(200);
	}
	return NULL;
}

static int unmapped(const char *device, const char *us)
{
	struct wd_queue *q = queue_open(device);
	char *src = malloc(LEN);
	unsigned int ends = 0;
	pthread_t thread;

	fill(src, LEN, 1);
	area = untouched(LEN);
	if (pthread_create(&thread, NULL, map_and_unmap, NULL))
		return 1;
	for (int i = 0; i < 100; i++) {
		struct wd_zip_res res;

		call(q, src, LEN, area, LEN, &res);
		ends += res.status || res.produced;
	}
	is_over = 1;
	pthread_join(thread, NULL);
	tell(ends == 100, "output that comes and goes: each of 100 requests ends");
	tell(is_right(q, src, LEN, area, LEN), "and the next one is right");
	wd_release_queue(q);
	return wrongs() != 0;
}

static int burst(const char *device, const char *us)
{
	struct wd_queue *q = queue_open(device);
	char *src = malloc(LEN), *dst = untouched((size_t)IN_FLIGHT * LEN);

	fill(src, LEN, 1);
	for (unsigned int i = 0; i < IN_FLIGHT; i++) {
		const struct wd_zip_req req = {
			.tag = i,
			.src = src,
			.dst = dst + (size_t)i * LEN,
			.src_len = LEN,
			.dst_len = LEN,
			.format = WD_ZIP_ZLIB,
		};

		if (wd_send(q, &req, 1) != 1)
			return 1;
	}
	usleep(us ? atoi(us) : 0);
	kill(getpid(), SIGKILL);
	return 1;
}

static int loop(const char *device, const char *us)
{
	struct wd_queue *q = queue_open(device);
	char *src = malloc(LEN), *dst = untouched(LEN);
	struct wd_zip_res res = { 0 };
	const struct wd_zip_req req = {
		.src = src,
		.dst = dst,
		.src_len = LEN,
		.dst_len = LEN,
		.format = WD_ZIP_ZLIB,
	};
	unsigned int nr = 0, generation;
	int ret;

	fill(src, LEN, 1);
	for (;; nr++) {
		madvise(dst, LEN, MADV_DONTNEED);
		ret = wd_call(q, &req, &res, LOOP_PATIENCE_MS);
		if (ret || res.status)
			break;
		if (!nr)
			printf("# it works\n");
		fflush(stdout);
	}
	printf("ended by %s, status %u, state %d, after %u\n", ret ? strerrorname_np(-ret) : "0",
	       res.status, wd_queue_state(q, &generation), nr);
	wd_release_queue(q);
	printf("released\n");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *device, const char *us);
	} modes[] = {
		{ "same", same },	  { "leave", leave }, { "fork", forked },
		{ "unmapped", unmapped }, { "burst", burst }, { "loop", loop },
	};

	for (size_t i = 0; argc > 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[2], modes[i].name))
			return modes[i].run(argv[1], argv[3]);
	return 99;
}
