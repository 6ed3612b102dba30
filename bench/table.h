/* SPDX-License-Identifier: Zlib */
/* The table of measurements, and its three writers. */
#ifndef TABLE_H
#define TABLE_H

#include <stdio.h>

#include <wd.h>

#include "codec.h"
#include "input.h"
#include "spread.h"

enum table_side_id {
	TABLE_SOFT,
	TABLE_DEVICE,
	TABLE_SIDES_NR,
};

/* MB: 10^6 plain bytes, whichever the direction. */
struct table_side {
	struct spread cpu_mbps;	 /* per CPU second of caller and other threads together */
	struct spread wall_mbps; /* of all calling threads together */
	double caller_s_per_gb;	 /* CPU seconds, medians */
	double others_s_per_gb;
	size_t packed_len; /* compressed bytes of a pass */
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns;
};

struct table_row {
	size_t size;	 /* bytes asked for, */
	size_t mean_len; /* and what the units had on average */
	int level;
	enum codec_direction direction;
	size_t calls_nr;  /* of a pass */
	size_t plain_len; /* bytes of a pass */
	unsigned int trials_nr;
	struct table_side sides[TABLE_SIDES_NR];
	struct spread speed; /* device over software, CPU time, trial by trial */
	double caller_gain;  /* CPU time of the calling thread, software over device */
	double device_share; /* of the plain bytes; the rest was left to software */
	const char *failure; /* NULL, or why there are no figures */
};

struct table {
	char cpu[128];
	char governor[32];
	long cores_nr;
	const char *zlib_version, *zlib_path;
	struct wd_device_info device;
	char device_text[512]; /* its description, with the warning when it is emulated */
	char path_text[128];   /* how it is reached */
	const char *format;
	unsigned int threads_nr, depth;
	const struct input *input;
	struct table_row *rows;
	size_t rows_nr;
	int is_interrupted;
	int is_equal_ratio; /* levels are those whose size is nearest to the device's */
};

void table_text(const struct table *table, FILE *out);
void table_json(const struct table *table, FILE *out);
void table_csv(const struct table *table, FILE *out);
/* html.c: a page that needs nothing else. Runs other compressors and gnuplot. */
void table_html(const struct table *table, FILE *out);

/* "64K", "1M", "1000" in a buffer of 24 bytes. */
const char *table_size(size_t size, char *text);

const char *table_direction(enum codec_direction direction);

#endif
