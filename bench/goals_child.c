/* SPDX-License-Identifier: Zlib */
/* Parts of a row of "wd-bench goals" that run elsewhere, and the files that they share. */
#include "config.h"

#include "goals.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int goal_child(const char *const *env, void (*measure)(void *arg, double *out), void *arg,
	       double *out)
{
	double numbers[GOAL_NUMBERS];
	int fds[2], status;
	ssize_t got;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(fds[0]);
		environ = goal_environ(env);
		for (size_t i = 0; i < GOAL_NUMBERS; i++)
			numbers[i] = NAN;
		measure(arg, numbers);
		_exit(write(fds[1], numbers, sizeof(numbers)) != sizeof(numbers));
	}
	close(fds[1]);
	got = read(fds[0], numbers, sizeof(numbers));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (status || got != sizeof(numbers))
		return -EIO;
	memcpy(out, numbers, sizeof(numbers));
	return 0;
}

static const struct goal_trial *const trials[] = { &stream_trial, &inflate_pack_trial,
						   &inflate_trial };

int trial_main(int argc, char **argv)
{
	double out[GOAL_NUMBERS];

	for (size_t i = 0; i < GOAL_NUMBERS; i++)
		out[i] = NAN;
	for (size_t i = 0; argc > 1 && i < sizeof(trials) / sizeof(trials[0]); i++)
		if (!strcmp(argv[1], trials[i]->name))
			trials[i]->measure(argc - 1, argv + 1, out);
	for (size_t i = 0; i < GOAL_NUMBERS; i++)
		printf("%.17g\n", out[i]);
	return 0;
}

int goal_trial(const struct goal_run *run, const char *const *env, const char *const *argv,
	       double *out)
{
	const char *path = goal_scratch("trial"), *all[12] = { run->self, "trial" };
	struct goal_spawn spawn = { .argv = all, .env = env, .out = path };
	size_t got = 0;
	FILE *file;

	for (size_t i = 0; argv[i] && i < 9; i++)
		all[2 + i] = argv[i];
	if (goal_spawn(&spawn, NULL))
		return -EIO;
	file = fopen(path, "re");
	while (file && got < GOAL_NUMBERS && fscanf(file, "%lf", &out[got]) == 1)
		got++;
	if (file)
		fclose(file);
	return got == GOAL_NUMBERS ? 0 : -EIO;
}

static char scratch_dir[PATH_MAX];
static pid_t scratch_pid;

static int goal_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path) && 0;
}

static void goal_scratch_remove(void)
{
	if (getpid() == scratch_pid)
		nftw(scratch_dir, goal_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *goal_scratch(const char *name)
{
	static char paths[8][PATH_MAX + 64];
	static unsigned int next;
	const char *tmp = getenv("TMPDIR");

	if (!scratch_pid) {
		snprintf(scratch_dir, sizeof(scratch_dir), "%s/wd-bench.XXXXXX",
			 tmp ? tmp : "/tmp");
		if (!mkdtemp(scratch_dir)) {
			fprintf(stderr, "wd-bench: %s: %s\n", scratch_dir, strerror(errno));
			exit(2);
		}
		scratch_pid = getpid();
		atexit(goal_scratch_remove);
	}
	next = (next + 1) % 8;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", scratch_dir, name);
	return paths[next];
}

const char *goal_scratch_dir(void)
{
	goal_scratch("");
	return scratch_dir;
}

void goal_scratch_use(const char *dir)
{
	snprintf(scratch_dir, sizeof(scratch_dir), "%s", dir);
	scratch_pid = -1; /* whoever made it removes it */
}

int goal_write(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");
	int failed = !file || fwrite(data, 1, len, file) != len;

	return (file && fclose(file)) || failed ? -1 : 0;
}

uint8_t *goal_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = NULL;
	struct stat st;

	if (file && !fstat(fileno(file), &st)) {
		*len = (size_t)st.st_size;
		data = goal_alloc(*len);
		if (fread(data, 1, *len, file) != *len) {
			free(data);
			data = NULL;
		}
	}
	if (file)
		fclose(file);
	return data;
}
