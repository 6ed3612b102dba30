/* SPDX-License-Identifier: Zlib */
/* What a process holds, seen from outside, and whether that stays as it is. */
#include "config.h"
#include "watch.h"

#include <dirent.h>
#include <unistd.h>

#define MB ((size_t)1 << 20)

enum { JUDGED_S = 20 };

/* What more is no growth: at rest, and at the most, where a part of what the second quarter had
 * comes to it. */
static const struct {
	const char *name;
	size_t rest, peak;
	size_t part; /* 1/part */
	size_t unit;
	int is_memory;
} rules[WATCH_FIGURES] = {
	[WATCH_RSS] = { "MB resident", 24 * MB, 128 * MB, 2, MB, 1 },
	[WATCH_SIZE] = { "MB mapped", 160 * MB, 320 * MB, 2, MB, 1 },
	[WATCH_HEAP] = { "MB of heap", 4 * MB, 0, 1, MB, 1 },
	[WATCH_FILES] = { "files", 2, 24, 1, 1, 0 },
	/* A device's exist as long as it has a queue. */
	[WATCH_THREADS] = { "threads", 5, 10, 1, 1, 0 },
	[WATCH_QUEUES] = { "queues", 8, 16, 1, 1, 0 },
};

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "r");
}

static void read_status(pid_t pid, size_t *now)
{
	FILE *file = open_proc(pid, "status");
	char line[256];
	size_t nr;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %zu", &nr) == 1)
			now[WATCH_RSS] = nr << 10;
		else if (sscanf(line, "VmSize: %zu", &nr) == 1)
			now[WATCH_SIZE] = nr << 10;
		else if (sscanf(line, "Threads: %zu", &nr) == 1)
			now[WATCH_THREADS] = nr;
	if (file)
		fclose(file);
}

static size_t count_files(pid_t pid)
{
	char path[64];
	size_t nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr > 2 ? nr - 2 : 0;
}

/* Rings are what no child inherits (dc). */
static size_t count_queues(pid_t pid, size_t ring_len)
{
	FILE *file = open_proc(pid, "smaps");
	size_t len = 0, all = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Size: %zu", &len) != 1 && !strncmp(line, "VmFlags:", 8) &&
		    strstr(line, " dc"))
			all += len << 10;
	if (file)
		fclose(file);
	return ring_len ? all / ring_len : 0;
}

static void look(struct watch *w, pid_t pid, size_t ring_len)
{
	read_status(pid, w->last);
	w->last[WATCH_FILES] = count_files(pid);
	w->last[WATCH_QUEUES] = count_queues(pid, ring_len);
}

void watch_work(struct watch *w, pid_t pid, size_t ring_len)
{
	look(w, pid, ring_len);
	for (int f = 0; f < WATCH_FIGURES && w->quarter < SOAK_QUARTERS; f++)
		if (w->peak[w->quarter][f] < w->last[f])
			w->peak[w->quarter][f] = w->last[f];
}

void watch_rest(struct watch *w, pid_t pid, size_t ring_len, const struct soak_share *share)
{
	if (w->quarter == SOAK_QUARTERS)
		return;
	look(w, pid, ring_len);
	w->last[WATCH_HEAP] = share->heap;
	w->requests[w->quarter] = share->hw_requests;
	memcpy(w->rest[w->quarter], w->last, sizeof(w->last));
	w->quarter++;
}

void watch_print(const struct watch *w)
{
	printf("#   at rest:");
	for (int f = 0; f < WATCH_FIGURES; f++) {
		for (unsigned int q = 0; q < w->quarter; q++)
			printf("%s%zu", q ? "/" : " ", w->rest[q][f] / rules[f].unit);
		printf(" %s%s", rules[f].name, f + 1 < WATCH_FIGURES ? "," : "\n");
	}
	fflush(stdout);
}

int watch_judge(const struct watch *w, double round_s, int has_device, char *text, size_t size)
{
	const unsigned long long *requests = &w->requests[SOAK_QUARTERS - 1];
	int wrong = 0;

	*text = '\0';
	if (has_device && round_s >= JUDGED_S && requests[0] == requests[-1]) {
		wrong++;
		snprintf(text, size, "no request in the last quarter");
	}
	for (int f = 0; f < WATCH_FIGURES; f++) {
		size_t peak = w->peak[1][f], rest = w->rest[1][f];
		size_t last_peak = w->peak[SOAK_QUARTERS - 1][f],
		       last_rest = w->rest[SOAK_QUARTERS - 1][f];
		size_t len = strlen(text);

		if (rules[f].is_memory && (IS_ASAN || IS_TSAN || round_s < JUDGED_S))
			continue;
		if (last_rest <= rest + rules[f].rest &&
		    last_peak <= peak + rules[f].peak + peak / rules[f].part)
			continue;
		wrong++;
		snprintf(text + len, size - len,
			 "%s%s grow: at rest %zu to %zu, at the most %zu to %zu",
			 wrong > 1 ? "; " : "", rules[f].name, rest / rules[f].unit,
			 last_rest / rules[f].unit, peak / rules[f].unit,
			 last_peak / rules[f].unit);
	}
	return wrong;
}
