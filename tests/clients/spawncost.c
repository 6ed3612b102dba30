// SPDX-License-Identifier: Zlib
/* CPU time of a program without and with a preloaded library, in turn: spawncost LIBRARY RUNS PROGRAM [ARGUMENT...] */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static long run_us(char **argv, char **envp)
{
	struct rusage usage;
	int status;
	pid_t pid;

	errno = posix_spawn(&pid, argv[0], NULL, NULL, argv, envp);
	if (errno || wait4(pid, &status, 0, &usage) != pid || status) {
		fprintf(stderr, "spawncost: %s: %s\n", argv[0], strerror(errno));
		exit(1);
	}
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* Prints the two medians in microseconds. */
int main(int argc, char **argv)
{
	char preload[4096], *without[] = { NULL }, *with[] = { preload, NULL };
	int nr = argc > 3 ? atoi(argv[2]) : 0;
	long *us = nr > 0 ? calloc(nr, 2 * sizeof(*us)) : NULL;

	if (!us || (size_t)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", argv[1]) >= sizeof(preload))
		return 2;
	for (int i = 0; i < nr; i++) {
		us[i] = run_us(argv + 3, without);
		us[nr + i] = run_us(argv + 3, with);
	}
	qsort(us, nr, sizeof(*us), by_value);
	qsort(us + nr, nr, sizeof(*us), by_value);
	printf("%ld %ld\n", us[nr / 2], us[nr + nr / 2]);
	free(us);
	return 0;
}
