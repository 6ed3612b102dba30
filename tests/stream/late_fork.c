/* SPDX-License-Identifier: Zlib */
/*
 * A program chooses its device when it has threads, and one of them makes a child while another has its first
 * stream, for which libraries are loaded: the child has all of them or none.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

enum { RUNS = 400, LEN = 100000, LIMIT_S = 60 };

static unsigned char plain[LEN];
static pthread_barrier_t barrier;

/* 0: it is right. */
static int round_trip(void)
{
	static _Thread_local unsigned char packed[LEN + LEN / 8], back[LEN];
	uLongf len = sizeof(packed), back_len = LEN;

	if (compress2(packed, &len, plain, LEN, 1) != Z_OK || uncompress(back, &back_len, packed, len) != Z_OK)
		return 1;
	return back_len != LEN || memcmp(plain, back, LEN) != 0;
}

static void *first_stream(void *unused)
{
	pthread_barrier_wait(&barrier);
	return round_trip() ? &barrier : NULL;
}

static void pass_time(long ns)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < ns);
}

/* In a process that has had no stream; the child comes ns later than the other thread's first call. */
static int program(long ns)
{
	pthread_t thread;
	void *failed;
	int status;
	pid_t pid;

	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, first_stream, NULL))
		return 99;
	pthread_barrier_wait(&barrier);
	pass_time(ns);
	pid = fork();
	if (!pid) {
		alarm(LIMIT_S);
		_exit(round_trip());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || pthread_join(thread, &failed))
		return 99;
	if (status)
		fprintf(stderr, "a child of %ld ns ended with status 0x%x\n", ns, (unsigned int)status);
	return status || failed;
}

int main(void)
{
	int failures = 0;

	unsetenv("WD_DEVICE");
	for (size_t i = 0; i < LEN; i++)
		plain[i] = (unsigned char)(i * i >> 7);
	for (int run = 0; run < RUNS; run++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			alarm(2 * LIMIT_S);
			_exit(program(run * 37 % 1500 * 1000L));
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 99;
		failures += status != 0;
	}
	printf("%d of %d failed\n", failures, RUNS);
	return failures != 0;
}
