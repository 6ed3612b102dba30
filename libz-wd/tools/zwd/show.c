/* SPDX-License-Identifier: Zlib */
/* Counters as a table for people. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/zwd/show.h"

static const char directions[2][8] = { "deflate", "inflate" };

const char *show_size(uint64_t bytes, char text[SHOW_SIZE_LEN])
{
	static const char units[] = " KMGTPE";
	double size = (double)bytes;
	int unit = 0;

	while (size >= 1000 && units[unit + 1]) {
		size /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(text, SHOW_SIZE_LEN, "%" PRIu64, bytes);
	else
		snprintf(text, SHOW_SIZE_LEN, "%.*f%c", size < 99.95, size, units[unit]);
	return text;
}

const char *show_share(uint64_t part, uint64_t rest, char text[SHOW_SIZE_LEN])
{
	if (part + rest)
		snprintf(text, SHOW_SIZE_LEN, "%.0f%%", 100.0 * (double)part / ((double)part + (double)rest));
	else
		strcpy(text, "-");
	return text;
}

/* Nanoseconds, to three digits. */
static const char *show_time(uint64_t ns, char text[SHOW_SIZE_LEN])
{
	static const char units[][3] = { "ns", "us", "ms", "s" };
	double time = (double)ns;
	int unit = 0;

	while (time >= 1000 && unit < 3) {
		time /= 1000;
		unit++;
	}
	if (ns)
		snprintf(text, SHOW_SIZE_LEN, "%.*f%s", unit && time < 9.95, time, units[unit]);
	else
		strcpy(text, "-");
	return text;
}

static const uint64_t *sorted_by;

static int more(const void *a, const void *b)
{
	uint64_t x = sorted_by[*(const int *)a], y = sorted_by[*(const int *)b];

	return x < y ? 1 : x > y ? -1 : *(const int *)a - *(const int *)b;
}

/* "small 1200, level 30" */
static void print_reasons(const uint64_t *counters, FILE *out)
{
	int reasons[ZWD_SOFT_GUARD - ZWD_SOFT_SETTING + 1], nr = 0;

	for (int i = ZWD_SOFT_SETTING; i <= ZWD_SOFT_GUARD; i++)
		if (counters[i])
			reasons[nr++] = i;
	sorted_by = counters;
	qsort(reasons, (size_t)nr, sizeof(*reasons), more);
	for (int i = 0; i < nr; i++)
		fprintf(out, "%s%s %" PRIu64, i ? ", " : "  ", export_counters[reasons[i]] + strlen("soft_"),
			counters[reasons[i]]);
}

static void print_direction(const struct live *live, int dir)
{
	const uint64_t *c = live->dir[dir].counters;
	uint64_t device = live_plain(live, dir, true), soft = live_plain(live, dir, false);
	char texts[6][SHOW_SIZE_LEN];

	printf(" %-7s %9" PRIu64 " %7s %8s %5s %6s %6s %6" PRIu64, directions[dir], c[ZWD_HW_REQUESTS],
	       show_size(device, texts[0]), show_size(soft, texts[1]),
	       show_share(device, soft, texts[2]), show_time(live_latency(live, dir, 500), texts[3]),
	       show_time(live_latency(live, dir, 990), texts[4]),
	       c[ZWD_ERRORS] + c[ZWD_MISMATCHES]);
	print_reasons(c, stdout);
	printf("\n");
}

void show_table(const struct lives *lives, bool is_folder)
{
	printf("%8s %-16s%s %-7s %9s %7s %8s %5s %6s %6s %6s  %s\n", is_folder ? "NUMBER" : "PID", "PROGRAM",
	       is_folder ? "" : "      CPU   DEVCPU", "WORK", "REQUESTS", "DEVICE", "SOFTWARE", "SHARE",
	       "P50", "P99", "FAILED", "WHY SOFTWARE");
	for (size_t i = 0; i < lives->nr; i++) {
		const struct live *live = &lives->live[i];
		int shown = 0;

		printf("%8d %-16s", is_folder ? (int)live->nr : live->pid, live->program);
		if (!is_folder)
			printf(" %8.2f %8.2f", (double)live->cpu_ns / 1e9, (double)live->device_cpu_ns / 1e9);
		for (int dir = 0; dir < 2; dir++) {
			if (!live_is_used(live, dir))
				continue;
			if (shown++)
				printf("%*s", is_folder ? 25 : 43, "");
			print_direction(live, dir);
		}
		if (!shown)
			printf(" -\n");
	}
}

/* Of a long name the beginning, with a mark. */
static void print_name(const char *name, int width, FILE *out)
{
	if ((int)strlen(name) > width)
		fprintf(out, "%.*s+", width - 1, name);
	else
		fprintf(out, "%-*s", width, name);
}

static void print_rates(const struct live *live, int dir, double seconds, bool is_wide, FILE *out)
{
	const uint64_t *c = live->dir[dir].counters;
	uint64_t device = live_plain(live, dir, true), soft = live_plain(live, dir, false);
	uint64_t failed = c[ZWD_ERRORS] + c[ZWD_MISMATCHES];
	char texts[6][SHOW_SIZE_LEN];

	fprintf(out, " %-7s %5s %6s %6s %5s", directions[dir],
		show_size((uint64_t)((double)c[ZWD_HW_REQUESTS] / seconds + .5), texts[0]),
		show_size((uint64_t)((double)device / seconds), texts[1]),
		show_size((uint64_t)((double)soft / seconds), texts[2]), show_share(device, soft, texts[3]));
	if (is_wide)
		fprintf(out, " %6s", show_time(live_latency(live, dir, 500), texts[4]));
	fprintf(out, " %6s", show_time(live_latency(live, dir, 990), texts[5]));
	if (failed)
		fprintf(out, "  FAILED %" PRIu64, failed);
	print_reasons(c, out);
	fputc('\n', out);
}

void show_rates(const struct lives *lives, double seconds, bool is_wide, FILE *out)
{
	int name = is_wide ? 20 : 12;

	fprintf(out, "%7s %-*s %5s%s %-7s %5s %6s %6s %5s%s %6s  %s\n", "PID", name, "PROGRAM", "%CPU",
		is_wide ? "  %DEV" : "", "WORK", "REQ/s", "DEV/s", "SOFT/s", "SHARE", is_wide ? "    P50" : "", "P99",
		"WHY SOFTWARE");
	for (size_t i = 0; i < lives->nr; i++) {
		const struct live *live = &lives->live[i];
		int shown = 0;

		fprintf(out, "%7d ", live->pid);
		print_name(live->program, name, out);
		fprintf(out, " %5.1f", (double)live->cpu_ns / seconds / 1e7);
		if (is_wide)
			fprintf(out, " %5.1f", (double)live->device_cpu_ns / seconds / 1e7);
		for (int dir = 0; dir < 2; dir++) {
			if (!live_is_used(live, dir))
				continue;
			if (shown++)
				fprintf(out, "%*s", 8 + name + (is_wide ? 12 : 6), "");
			print_rates(live, dir, seconds, is_wide, out);
		}
		if (!shown)
			fputs(" -\n", out);
	}
}

void show_interval_head(void)
{
	printf("%19s%-36s%-36s\n%6s %6s %6s  ", "", "  deflate", "  inflate", "PROCS", "CPU", "DEVCPU");
	for (int dir = 0; dir < 2; dir++)
		printf("%8s %6s %6s %6s %4s  ", "REQUESTS", "DEVICE", "SOFTW", "P99", "FAIL");
	printf("\n");
}

void show_interval(const struct lives *lives)
{
	struct live sum = { 0 };

	for (size_t i = 0; i < lives->nr; i++)
		live_add(&sum, &lives->live[i]);
	printf("%6zu %6.2f %6.2f  ", lives->nr, (double)sum.cpu_ns / 1e9, (double)sum.device_cpu_ns / 1e9);
	for (int dir = 0; dir < 2; dir++) {
		const uint64_t *c = sum.dir[dir].counters;
		char texts[3][SHOW_SIZE_LEN];

		printf("%8" PRIu64 " %6s %6s %6s %4" PRIu64 "  ", c[ZWD_HW_REQUESTS],
		       show_size(live_plain(&sum, dir, true), texts[0]),
		       show_size(live_plain(&sum, dir, false), texts[1]),
		       show_time(live_latency(&sum, dir, 990), texts[2]),
		       c[ZWD_ERRORS] + c[ZWD_MISMATCHES]);
	}
	printf("\n");
	fflush(stdout);
}
