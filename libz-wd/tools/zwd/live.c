/* SPDX-License-Identifier: Zlib */
/* Counters of libz-wd, read out of processes. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/zwd/live.h"
#include "tools/zwd/remote.h"

#define COPIES_MAX 8 /* of the library in one process */
#define DEVICE_THREAD "zwd-emu"

struct live *lives_add(struct lives *lives)
{
	struct live *live;

	if (lives->nr == lives->room) {
		lives->room = lives->room ? 2 * lives->room : 16;
		lives->live = realloc(lives->live, lives->room * sizeof(*lives->live));
		if (!lives->live) {
			fprintf(stderr, "zwd: %s\n", strerror(ENOMEM));
			exit(1);
		}
	}
	live = &lives->live[lives->nr++];
	memset(live, 0, sizeof(*live));
	return live;
}

void lives_free(struct lives *lives)
{
	free(lives->live);
	*lives = (struct lives){ 0 };
}

/* The first line of a file of the process, without its end. */
static int read_line(int pid, const char *file, char *line, int size)
{
	char path[64];
	FILE *in;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	ret = fgets(line, size, in) ? 0 : -ESRCH;
	if (!ret)
		line[strcspn(line, "\n")] = '\0';
	fclose(in);
	return ret;
}

/* As in operate/settings.c. */
static int read_executable(int pid, char *name, size_t size)
{
	static const char deleted[] = " (deleted)";
	char path[64], exe[4096], *slash;
	size_t deleted_len = strlen(deleted);
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len < 0)
		return -errno;
	exe[len] = '\0';
	if ((size_t)len > deleted_len && !strcmp(exe + len - deleted_len, deleted))
		exe[len - (ssize_t)deleted_len] = '\0';
	slash = strrchr(exe, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : exe);
	return 0;
}

void live_make_printable(char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || (unsigned char)*name >= 127)
			*name = '?';
}

void live_name(int pid, char *name, size_t size)
{
	if (read_executable(pid, name, size) && read_line(pid, "comm", name, (int)size))
		snprintf(name, size, "?");
	live_make_printable(name);
}

bool live_is_called(int pid, const char *name)
{
	char found[256];

	return (!read_executable(pid, found, sizeof(found)) && !strcmp(found, name)) ||
	       (!read_line(pid, "comm", found, sizeof(found)) && !strcmp(found, name));
}

struct task {
	char comm[32];
	char state;
	uint64_t cpu_ns, start;
};

/* A line of /proc/PID/stat, or of one of its threads: a name in brackets may contain anything. */
static int read_task(int pid, const char *file, struct task *task)
{
	unsigned long long user, system, start;
	char line[1024], *open, *close;
	int ret = read_line(pid, file, line, sizeof(line));

	if (ret)
		return ret;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close ||
	    sscanf(close + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
		   &task->state, &user, &system, &start) != 4)
		return -EIO;
	*close = '\0';
	snprintf(task->comm, sizeof(task->comm), "%s", open + 1);
	task->cpu_ns = (user + system) * 1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK);
	task->start = start;
	return 0;
}

/* CPU time of the emulated device's threads, which bear its name. */
static uint64_t device_cpu_ns(int pid)
{
	char path[64];
	uint64_t sum = 0;
	struct dirent *entry;
	struct task task;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char file[300];

		snprintf(file, sizeof(file), "task/%s/stat", entry->d_name);
		if (entry->d_name[0] != '.' && !read_task(pid, file, &task) &&
		    !strcmp(task.comm, DEVICE_THREAD))
			sum += task.cpu_ns;
	}
	if (dir)
		closedir(dir);
	return sum;
}

void live_take(struct live *live, const struct zwd_live *zwd)
{
	for (int dir = 0; dir < 2; dir++) {
		uint64_t *sum = (uint64_t *)&live->dir[dir];
		const uint64_t *one = (const uint64_t *)&zwd->dir[dir];
		uint64_t min_len = zwd->dir[dir].min_len, min_len_fast = zwd->dir[dir].min_len_fast;

		for (size_t i = 0; i < sizeof(zwd->dir[dir]) / sizeof(*one); i++)
			sum[i] += one[i];
		live->dir[dir].min_len = min_len;
		live->dir[dir].min_len_fast = min_len_fast;
	}
	memcpy(live->library, zwd->library, sizeof(zwd->library));
	live_make_printable(live->library);
}

/* A library of a later version may have more, which is left out. */
static int read_object(int pid, uint64_t addr, struct zwd_live *zwd)
{
	const size_t head = offsetof(struct zwd_live, dir);
	size_t size;
	int ret;

	memset(zwd, 0, sizeof(*zwd));
	ret = remote_read(pid, addr, zwd, head);
	if (ret)
		return ret;
	if (memcmp(zwd->magic, ZWD_LIVE_MAGIC, sizeof(zwd->magic)) ||
	    zwd->version != ZWD_LIVE_VERSION || zwd->size < head)
		return -EPROTO;
	size = zwd->size < sizeof(*zwd) ? zwd->size : sizeof(*zwd);
	return remote_read(pid, addr + head, (char *)zwd + head, size - head);
}

static int read_counters(struct live *live, int pid, uint64_t addr)
{
	struct zwd_live zwd;
	int ret = read_object(pid, addr, &zwd);

	if (!ret && zwd.elsewhere) {
		ret = read_object(pid, zwd.elsewhere, &zwd);
		live->is_shared |= !ret && !zwd.pid;
	}
	if (!ret)
		live_take(live, &zwd);
	else if (ret == -EPROTO)
		memcpy(live->library, zwd.library, sizeof(zwd.library));
	return ret;
}

int live_of_process(struct live *live, int pid)
{
	uint64_t addrs[COPIES_MAX];
	struct task task;
	int nr, ret = read_task(pid, "stat", &task);

	if (ret)
		return ret;
	if (task.state == 'Z' || task.state == 'X')
		return -ESRCH;
	live->pid = pid;
	live->nr = 1;
	live->start = task.start;
	live_name(pid, live->program, sizeof(live->program));
	nr = remote_find(pid, "zwd_live", addrs, COPIES_MAX);
	if (nr < 0)
		return nr == -EACCES ? -EPERM : nr;
	if (!nr)
		return -ENOENT;
	for (int i = 0; i < nr && !ret; i++)
		ret = read_counters(live, pid, addrs[i]);
	live_make_printable(live->library);
	live->device_cpu_ns = device_cpu_ns(pid);
	live->cpu_ns = task.cpu_ns > live->device_cpu_ns ? task.cpu_ns - live->device_cpu_ns : 0;
	return ret;
}

void live_add(struct live *sum, const struct live *one)
{
	for (int dir = 0; dir < 2; dir++) {
		uint64_t *to = (uint64_t *)&sum->dir[dir];
		const uint64_t *from = (const uint64_t *)&one->dir[dir];

		for (size_t i = 0; i < offsetof(struct zwd_live_dir, min_len) / sizeof(*to); i++)
			to[i] += from[i];
		sum->dir[dir].min_len = one->dir[dir].min_len;
		sum->dir[dir].min_len_fast = one->dir[dir].min_len_fast;
	}
	sum->cpu_ns += one->cpu_ns;
	sum->device_cpu_ns += one->device_cpu_ns;
	sum->nr += one->nr;
}

/* False: a counter is less than it was, so it began anew: another program, or a child. */
static bool subtract(struct live *now, const struct live *before)
{
	struct live old = *now;

	for (int dir = 0; dir < 2; dir++) {
		uint64_t *to = (uint64_t *)&now->dir[dir];
		const uint64_t *from = (const uint64_t *)&before->dir[dir];

		for (size_t i = 0; i < offsetof(struct zwd_live_dir, min_len) / sizeof(*to); i++) {
			if (to[i] < from[i]) {
				*now = old;
				return false;
			}
			to[i] -= from[i];
		}
	}
	now->cpu_ns -= before->cpu_ns < now->cpu_ns ? before->cpu_ns : now->cpu_ns;
	now->device_cpu_ns -=
		before->device_cpu_ns < now->device_cpu_ns ? before->device_cpu_ns : now->device_cpu_ns;
	return true;
}

void lives_subtract(struct lives *now, const struct lives *before)
{
	for (size_t i = 0; i < now->nr; i++)
		for (size_t k = 0; k < before->nr; k++)
			if (now->live[i].pid == before->live[k].pid &&
			    now->live[i].start == before->live[k].start &&
			    !strcmp(now->live[i].program, before->live[k].program)) {
				subtract(&now->live[i], &before->live[k]);
				break;
			}
}

bool live_is_used(const struct live *live, int dir)
{
	const uint64_t *c = live->dir[dir].counters;
	uint64_t sum = 0;

	for (int i = 0; i < ZWD_COUNTERS; i++)
		sum |= c[i];
	return sum != 0;
}

uint64_t live_latency(const struct live *live, int dir, unsigned int per_mille)
{
	const uint64_t *buckets = live->dir[dir].latencies;
	uint64_t total = 0, seen = 0;

	for (int i = 0; i < ZWD_LIVE_BUCKETS; i++)
		total += buckets[i];
	for (int i = 0; total && i < ZWD_LIVE_BUCKETS; i++) {
		seen += buckets[i];
		if (seen * 1000 >= total * per_mille)
			return UINT64_C(2) << i;
	}
	return 0;
}
