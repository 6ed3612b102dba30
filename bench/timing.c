/* SPDX-License-Identifier: Zlib */
/* Clocks: wall time for latencies, CPU time of single threads for everything else. */
#include "config.h"

#include "timing.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t timing_read(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t timing_wall_ns(void)
{
	return timing_read(CLOCK_MONOTONIC);
}

uint64_t timing_thread_ns(void)
{
	return timing_read(CLOCK_THREAD_CPUTIME_ID);
}

/*
 * The process's own CPU clock lags by up to a tick for threads that are running on another core;
 * the clock of one thread does not. Its id is made of the thread id as the kernel's clock ids are:
 * complement above bit 3, 4 = one thread, 2 = scheduler's count.
 */
static clockid_t timing_clock_of(pid_t tid)
{
	return (clockid_t)(~(unsigned int)tid << 3 | 6);
}

uint64_t timing_others_ns(const pid_t *mine, unsigned int nr)
{
	pid_t self = gettid();
	uint64_t sum = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);
		unsigned int i = 0;

		while (i < nr && mine[i] != tid)
			i++;
		if (tid > 0 && tid != self && i == nr)
			sum += timing_read(timing_clock_of(tid));
	}
	closedir(dir);
	return sum;
}
