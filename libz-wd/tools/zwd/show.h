/* SPDX-License-Identifier: Zlib */
/* Counters as text for people, JSON, and for Prometheus. */
#ifndef ZWD_SHOW_H
#define ZWD_SHOW_H

#include <stdio.h>

#include "tools/zwd/live.h"

/* is_folder: sums by program, with how many processes they are of. */
void show_table(const struct lives *lives, bool is_folder);
/* What each does in a second, of what they did in so many; is_wide: more than 80 columns, where no reasons are. */
void show_rates(const struct lives *lives, double seconds, bool is_wide, FILE *out);
/* A line for the sum of all: what happened since the last one. */
void show_interval_head(void);
void show_interval(const struct lives *lives);
/* "12.3M" into text. */
#define SHOW_SIZE_LEN 16
const char *show_size(uint64_t bytes, char text[SHOW_SIZE_LEN]);
const char *show_share(uint64_t part, uint64_t rest, char text[SHOW_SIZE_LEN]);

/* export.c: an array of objects, or an object with the seconds that it is of. */
void export_json(const struct lives *lives, bool is_folder);
void export_json_interval(const struct lives *lives, double seconds);
/* The text format of Prometheus, for node_exporter's folder of text files. */
void export_prom(const struct lives *lives, bool is_folder);
extern const char export_counters[ZWD_COUNTERS][20];

#endif
