/* SPDX-License-Identifier: Zlib */
/* What the rows of "wd-bench goals" are made of: programs, counters, children, quiet moments. */
#include "config.h"

#include "goals.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zwd.h>

#include "spread.h"
#include "timing.h"

void goal_note(struct goal_result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->note, sizeof(result->note), format, args);
	va_end(args);
}

void goal_anchor(struct goal_result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->anchor, sizeof(result->anchor), format, args);
	va_end(args);
}

void goal_skip(struct goal_result *result, const char *format, ...)
{
	va_list args;

	result->value = NAN;
	va_start(args, format);
	vsnprintf(result->note, sizeof(result->note), format, args);
	va_end(args);
}

void *goal_alloc(size_t len)
{
	void *mem = malloc(len ? len : 1);

	if (!mem) {
		fputs("wd-bench: out of memory\n", stderr);
		_exit(2);
	}
	return memset(mem, 0, len);
}

static int goal_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Regular files of the folder in the order of their names. */
static size_t goal_files(const char *dir, char **paths, size_t max)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t nr = 0;

	while (d && nr < max && (entry = readdir(d))) {
		struct stat st;

		if (asprintf(&paths[nr], "%s/%s", dir, entry->d_name) < 0)
			break;
		if (entry->d_name[0] != '.' && !stat(paths[nr], &st) && S_ISREG(st.st_mode))
			nr++;
		else
			free(paths[nr]);
	}
	if (d)
		closedir(d);
	qsort(paths, nr, sizeof(*paths), goal_by_name);
	return nr;
}

uint8_t *goal_input(const struct goal_run *run, size_t max_len, size_t *len)
{
	char *paths[64];
	size_t nr = run->corpus ? goal_files(run->corpus, paths, 64) : 0, used = 0;
	struct input input = { 0 };
	uint8_t *data = goal_alloc(max_len);
	int ret = 0;

	/* The mix has 14 parts. */
	if (!nr)
		ret = input_add_mix(&input, max_len / 14 + 1);
	for (size_t i = 0; i < nr && !ret; i++)
		ret = input_add_file(&input, paths[i]);
	if (ret < 0) {
		fprintf(stderr, "wd-bench: input: %s\n", strerror(-ret));
		_exit(2);
	}
	/* The same share of each. */
	for (size_t s = 0; s < input.sources_nr; s++) {
		const struct input_source *source = &input.sources[s];
		size_t share = run->corpus ? max_len / input.sources_nr : source->len;

		share = share < source->len ? share : source->len;
		share = share < max_len - used ? share : max_len - used;
		memcpy(data + used, source->data, share);
		used += share;
	}
	input_free(&input);
	*len = used;
	return data;
}

double goal_median(double *v, size_t nr)
{
	return spread_of(v, nr).median;
}

double goal_rss(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	double size, rss = 0, shared = 0;

	if (file && fscanf(file, "%lf %lf %lf", &size, &rss, &shared) != 3)
		rss = shared = 0;
	if (file)
		fclose(file);
	return (rss - shared) * (double)sysconf(_SC_PAGESIZE);
}

int goal_has(const char *command)
{
	char path[PATH_MAX];
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, command);
		if (!access(path, X_OK))
			return 1;
		dirs += len;
	}
	return 0;
}

const char *goal_library(void)
{
	static char path[PATH_MAX];
	Dl_info info;

	if (!dladdr((void *)zwd_version, &info) || !realpath(info.dli_fname, path))
		return NULL;
	return strstr(path, "libz-wd") ? path : NULL;
}

const char *goal_program(const struct goal_run *run, const char *dir, const char *name,
			 const char *installed_dir)
{
	static char path[PATH_MAX];
	/* Programs that libtool links with shared libraries lie in .libs, wd-bench too. */
	static const char *const ways[] = { "%s/../%s/.libs/%s", "%s/../%s/%s", "%s/../../%s/.libs/%s",
					    "%s/../../%s/%s" };
	char own[PATH_MAX];

	snprintf(own, sizeof(own), "%s", run->self);
	*strrchr(own, '/') = '\0';
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char *text;

		if (asprintf(&text, ways[i], own, dir, name) < 0)
			return NULL;
		snprintf(path, sizeof(path), "%s", text);
		free(text);
		if (!access(path, X_OK))
			return path;
	}
	snprintf(path, sizeof(path), "%s/%s", installed_dir, name);
	return access(path, X_OK) ? NULL : path;
}

char **goal_environ(const char *const *env)
{
	size_t nr = 0, old_nr = 0;
	char **all;

	while (env && env[nr])
		nr++;
	while (environ[old_nr])
		old_nr++;
	all = goal_alloc((nr + old_nr + 1) * sizeof(*all));
	for (size_t i = 0; i < nr; i++)
		all[i] = (char *)env[i];
	for (size_t i = 0, k = nr; i < old_nr; i++) {
		size_t name_len = strcspn(environ[i], "=") + 1, e = 0;

		while (e < nr && strncmp(environ[i], env[e], name_len))
			e++;
		if (e == nr)
			all[k++] = environ[i];
	}
	return all;
}

int goal_spawn(const struct goal_spawn *spawn, struct goal_cost *cost)
{
	char **env = goal_environ(spawn->env);
	posix_spawn_file_actions_t files;
	uint64_t begin;
	struct rusage usage;
	int status, ret;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, spawn->in ? spawn->in : "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, spawn->out ? spawn->out : "/dev/null",
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	begin = timing_wall_ns();
	ret = -posix_spawnp(&pid, spawn->argv[0], &files, NULL, (char **)spawn->argv, env);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	if (ret)
		return ret;
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	if (cost) {
		cost->wall_us = (double)(timing_wall_ns() - begin) / 1e3;
		cost->cpu_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
			       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return -EINTR;
}

/* Does the function copy memory or compute a checksum? */
static int goal_is_payload(const char *function)
{
	static const char *const words[] = { "memcpy", "memmove", "adler32", "crc32", "note_type" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(function, words[i]))
			return 1;
	return 0;
}

/*
 * Sums what each function executed itself. In callgrind's file "fn=" begins a function, lines of
 * numbers are its own cost but for the one behind "calls=", which is the called function's.
 */
static void goal_read_counts(const char *path, struct goal_counts *counts)
{
	FILE *file = fopen(path, "re");
	int is_payload = 0, is_callee = 0;
	char line[8192];

	*counts = (struct goal_counts){ 0 };
	while (file && fgets(line, sizeof(line), file)) {
		char *cost = strrchr(line, ' ');

		if (!strncmp(line, "fn=", 3)) {
			is_payload = goal_is_payload(line);
		} else if (!strncmp(line, "calls=", 6)) {
			is_callee = 1;
		} else if (cost && strchr("0123456789+-*", line[0])) {
			if (!is_callee)
				*(is_payload ? &counts->payload : &counts->others) += atof(cost);
			is_callee = 0;
		}
	}
	if (file)
		fclose(file);
}

int goal_instructions(const struct goal_spawn *spawn, const char *const *options,
		      struct goal_counts *counts, struct goal_result *result)
{
	const char *argv[48] = { "valgrind", "--tool=callgrind", "--compress-strings=no" }, *out = goal_scratch("callgrind");
	struct goal_spawn counted = *spawn;
	char out_option[PATH_MAX + 32];
	size_t nr = 3;
	int ret;

	if (!goal_has("valgrind")) {
		goal_skip(result, "valgrind is not installed");
		return -ENOENT;
	}
	snprintf(out_option, sizeof(out_option), "--callgrind-out-file=%s", out);
	argv[nr++] = out_option;
	for (size_t i = 0; options && options[i] && nr < 20; i++)
		argv[nr++] = options[i];
	for (size_t i = 0; spawn->argv[i] && nr < 47; i++)
		argv[nr++] = spawn->argv[i];
	counted.argv = argv;
	ret = goal_spawn(&counted, NULL);
	if (ret) {
		goal_skip(result, "%s under valgrind ended with %d", spawn->argv[0], ret);
		return -EIO;
	}
	goal_read_counts(out, counts);
	return 0;
}

static void goal_traced(const struct goal_spawn *spawn)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	environ = goal_environ(spawn->env);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(126);
	raise(SIGSTOP);
	execvp(spawn->argv[0], (char **)spawn->argv);
	_exit(127);
}

/* Threads are followed; a process that the program starts is not. */
int goal_syscalls(const struct goal_spawn *spawn, unsigned int *nr, unsigned int max)
{
	struct __ptrace_syscall_info info;
	pid_t pid = fork(), tid;
	int status, is_started = 0;

	if (pid < 0)
		return -errno;
	if (!pid)
		goal_traced(spawn);
	memset(nr, 0, max * sizeof(*nr));
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFSTOPPED(status))
		return -EPERM;
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		int number = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (tid == pid)
				return status ? -EINTR : 0;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0 &&
			    info.op == PTRACE_SYSCALL_INFO_ENTRY && is_started &&
			    info.entry.nr < max)
				nr[info.entry.nr]++;
		} else if (status >> 16 == PTRACE_EVENT_EXEC) {
			is_started = 1;
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			number = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, tid, NULL, number);
	}
	return -ECHILD;
}

/* Time of all processors, in the kernel's ticks. */
static void goal_ticks(double *busy, double *all)
{
	double v[8] = { 0 };
	FILE *file = fopen("/proc/stat", "re");

	if (file && fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3],
			   &v[4], &v[5], &v[6], &v[7]) < 5)
		v[3] = 0;
	if (file)
		fclose(file);
	*all = v[0] + v[1] + v[2] + v[3] + v[4] + v[5] + v[6] + v[7];
	*busy = *all - v[3] - v[4];
}

static double goal_own_ticks(void)
{
	double ticks = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage usage;

		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &usage);
		ticks += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	}
	return ticks * (double)sysconf(_SC_CLK_TCK);
}

#define QUIET_SLICE_NS 100000000
#define QUIET_BUSY     0.07 /* of the machine, by others */

void goal_quiet(const struct goal_run *run)
{
	struct timespec slice = { .tv_nsec = QUIET_SLICE_NS };
	double busy, all, busy_before, all_before;

	for (int i = run->is_quick ? 2 : 100; i; i--) {
		goal_ticks(&busy_before, &all_before);
		nanosleep(&slice, NULL);
		goal_ticks(&busy, &all);
		if (busy - busy_before <= QUIET_BUSY * (all - all_before))
			return;
	}
}

static double noise_busy, noise_all, noise_own;

void goal_noise_begin(void)
{
	goal_ticks(&noise_busy, &noise_all);
	noise_own = goal_own_ticks();
}

void goal_noise_end(struct goal_result *result)
{
	double busy, all, others;
	size_t len = strlen(result->note);

	goal_ticks(&busy, &all);
	others = busy - noise_busy - (goal_own_ticks() - noise_own);
	if (all > noise_all && others > QUIET_BUSY * (all - noise_all))
		snprintf(result->note + len, sizeof(result->note) - len,
			 "%snoisy: others used %.0f %% of the machine", len ? "; " : "",
			 100 * others / (all - noise_all));
}
