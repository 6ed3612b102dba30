/* SPDX-License-Identifier: Zlib */
/* Which processes are meant: by number, by program, or all that have libz-wd. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/zwd/find.h"

/* 0: not a number of a process. */
static int parse_pid(const char *word)
{
	size_t len = strspn(word, "0123456789");

	return len && len < 10 && !word[len] ? atoi(word) : 0;
}

/* Yama's setting: who may read whom. 0 where there is none. */
static int ptrace_scope(void)
{
	FILE *in = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (in && fscanf(in, "%d", &scope) != 1)
		scope = 0;
	if (in)
		fclose(in);
	return scope;
}

static void tell(const struct live *live, int pid, int err)
{
	char name[64];

	if (err == -ESRCH) {
		fprintf(stderr, "zwd: %d: there is no such process, or it has ended\n", pid);
		return;
	}
	live_name(pid, name, sizeof(name));
	fprintf(stderr, "zwd: %d (%s): ", pid, name);
	if (err == -EPERM && geteuid() && ptrace_scope() > 0)
		fprintf(stderr, "may not be read: kernel.yama.ptrace_scope leaves that to root\n");
	else if (err == -EPERM)
		fprintf(stderr, "may not be read: %s\n",
			geteuid() ? "that is for its user and for root" :
				    "this root has no right to trace it (CAP_SYS_PTRACE)");
	else if (err == -ENOENT)
		fprintf(stderr, "runs without libz-wd\n");
	else if (err == -EPROTO)
		fprintf(stderr, "has libz-wd %s, whose counters have another layout than this zwd knows\n",
			live->library[0] ? live->library : "of another version");
	else
		fprintf(stderr, "cannot be read: %s\n", strerror(-err));
}

static int add(struct lives *lives, int pid, bool is_told)
{
	struct live *live;
	int ret;

	for (size_t i = 0; i < lives->nr; i++)
		if (lives->live[i].pid == pid)
			return 0;
	live = lives_add(lives);
	ret = live_of_process(live, pid);
	if (ret && is_told)
		tell(live, pid, ret);
	lives->nr -= ret != 0;
	return ret;
}

static int *list_processes(size_t *nr)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t room = 0;
	int *pids = NULL;

	*nr = 0;
	while (proc && (entry = readdir(proc))) {
		int pid = parse_pid(entry->d_name);

		if (!pid)
			continue;
		if (*nr == room) {
			int *more = realloc(pids, (room = 2 * room + 256) * sizeof(*pids));

			if (!more)
				break;
			pids = more;
		}
		pids[(*nr)++] = pid;
	}
	if (proc)
		closedir(proc);
	return pids;
}

/* What is called so and has the library; if none has, each is told. */
static int add_program(struct lives *lives, const char *name, const int *pids, size_t nr, bool is_told)
{
	size_t called_nr = 0, read_nr = 0;

	for (int pass = 0; pass < 2 && !read_nr; pass++)
		for (size_t i = 0; i < nr; i++) {
			if (pids[i] == getpid() || !live_is_called(pids[i], name))
				continue;
			called_nr++;
			read_nr += !add(lives, pids[i], pass && is_told);
		}
	if (!called_nr && is_told)
		fprintf(stderr, "zwd: %s: no process is called that\n", name);
	return read_nr ? 0 : -1;
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct live *)a)->pid - ((const struct live *)b)->pid;
}

int find_processes(const struct find *find, struct lives *lives, bool is_told)
{
	size_t nr;
	int *pids = list_processes(&nr), ret = 0;

	for (int i = 0; i < find->words_nr; i++) {
		int pid = parse_pid(find->words[i]);

		if (pid ? add(lives, pid, is_told) :
			  add_program(lives, find->words[i], pids, nr, is_told))
			ret = -1;
	}
	for (size_t i = 0; !find->words_nr && i < nr; i++)
		if (pids[i] != getpid())
			add(lives, pids[i], false);
	free(pids);
	if (lives->nr)
		qsort(lives->live, lives->nr, sizeof(*lives->live), by_pid);
	else if (!find->words_nr && is_told)
		fprintf(stderr, "zwd: no process%s has libz-wd\n",
			geteuid() ? " that you may look into" : "");
	return ret;
}

static int by_program(const void *a, const void *b)
{
	return strcmp(((const struct live *)a)->program, ((const struct live *)b)->program);
}

int find_in_sums(const struct find *find, struct lives *lives)
{
	size_t kept = 0;
	int ret = 0;

	for (int i = 0; i < find->words_nr; i++) {
		size_t k = 0;

		while (k < lives->nr && strcmp(lives->live[k].program, find->words[i]))
			k++;
		if (k == lives->nr) {
			fprintf(stderr, "zwd: %s: no such program left counters\n", find->words[i]);
			ret = -1;
		}
	}
	for (size_t k = 0; k < lives->nr; k++) {
		bool is_wanted = !find->words_nr;

		for (int i = 0; i < find->words_nr; i++)
			is_wanted |= !strcmp(lives->live[k].program, find->words[i]);
		if (is_wanted)
			lives->live[kept++] = lives->live[k];
	}
	lives->nr = kept;
	if (kept)
		qsort(lives->live, kept, sizeof(*lives->live), by_program);
	return ret;
}

void find_sleep(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

double find_clock(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
