/* SPDX-License-Identifier: Zlib */
/* Counters of what the engines did, per process, and their report at exit. */
#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "operate/log.h"
#include "operate/page.h"
#include "operate/settings.h"
#include "operate/stats.h"
#include "operate/trace.h"
#include "stream/shield.h"
#include "zwd.h"

zwd_min_len_fn *_Atomic zwd_stats_min_len;

static const struct {
	char name[24];
	size_t offset[2]; /* in struct zwd_stats, by direction */
} fields[ZWD_COUNTERS] = {
#define FIELD(counter, part, member)                                                               \
	[counter] = { #member,                                                                     \
		      { offsetof(struct zwd_stats, deflate##part.member),                          \
			offsetof(struct zwd_stats, inflate##part.member) } }
	FIELD(ZWD_HW_REQUESTS, , hw_requests),
	FIELD(ZWD_HW_IN, , hw_in),
	FIELD(ZWD_HW_OUT, , hw_out),
	FIELD(ZWD_SOFT_STREAMS, , soft_streams),
	FIELD(ZWD_SOFT_IN, , soft_in),
	FIELD(ZWD_SOFT_OUT, , soft_out),
	FIELD(ZWD_FAILOVERS, , failovers),
	FIELD(ZWD_RETRIES, , retries),
	FIELD(ZWD_ERRORS, , errors),
	FIELD(ZWD_STORED, , stored),
	FIELD(ZWD_VERIFIED, , verified),
	FIELD(ZWD_MISMATCHES, , mismatches),
	FIELD(ZWD_PARALLEL_UNITS, _choice, parallel_units),
	FIELD(ZWD_RETURNS, _choice, returns),
	FIELD(ZWD_COPIED, _choice, copied),
	FIELD(ZWD_SOFT_SETTING, _choice, soft_setting),
	FIELD(ZWD_SOFT_LEVEL, _choice, soft_level),
	FIELD(ZWD_SOFT_STRATEGY, _choice, soft_strategy),
	FIELD(ZWD_SOFT_WINDOW, _choice, soft_window),
	FIELD(ZWD_SOFT_DICTIONARY, _choice, soft_dictionary),
	FIELD(ZWD_SOFT_TUNED, _choice, soft_tuned),
	FIELD(ZWD_SOFT_SMALL, _choice, soft_small),
	FIELD(ZWD_SOFT_NO_DEVICE, _choice, soft_no_device),
	FIELD(ZWD_SOFT_BUSY, _choice, soft_busy),
	FIELD(ZWD_SOFT_LATENCY, _choice, soft_latency),
	FIELD(ZWD_SOFT_FAILED, _choice, soft_failed),
	FIELD(ZWD_SOFT_GUARD, _guard, soft_guard),
	FIELD(ZWD_COMPARED, _guard, compared),
	FIELD(ZWD_COMPARED_HW, _guard, compared_hw),
	FIELD(ZWD_COMPARED_SOFT, _guard, compared_soft),
};

static uint64_t *field(struct zwd_stats *stats, enum zwd_dir dir, int counter)
{
	return (uint64_t *)((char *)stats + fields[counter].offset[dir]);
}

uint64_t zwd_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* As it is written by any thread. */
static uint64_t now(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void zwd_count_latency(enum zwd_dir dir, uint64_t ns)
{
	struct zwd_live_dir *live = zwd_counting_dir(dir);
	int bucket = 63 - __builtin_clzll(ns | 1);

	if (bucket >= ZWD_LIVE_BUCKETS)
		bucket = ZWD_LIVE_BUCKETS - 1;
	zwd_add(&live->latencies[bucket], 1);
	zwd_add(&live->ns_sum, ns);
}

static uint64_t percentile(const struct zwd_live_dir *live, unsigned int percent)
{
	uint64_t total = 0, seen = 0;

	for (int i = 0; i < ZWD_LIVE_BUCKETS; i++)
		total += now(&live->latencies[i]);
	for (int i = 0; total && i < ZWD_LIVE_BUCKETS; i++) {
		seen += now(&live->latencies[i]);
		if (seen * 100 >= total * percent)
			return 2ull << i;
	}
	return 0;
}

void zwd_stats_keep(const char *dir)
{
	if (zwd_page_make(dir))
		pthread_atfork(zwd_page_fork, NULL, zwd_stats_reset);
}

void zwd_stats_begin(zwd_min_len_fn *min_len)
{
	const struct zwd_settings *settings = zwd_settings();

	zwd_stats_keep(settings->stats_dir);
	zwd_page_take();
	for (int dir = ZWD_DEFLATE; dir <= ZWD_INFLATE; dir++) {
		struct zwd_live_dir *live = zwd_counting_dir(dir);
		bool is_learned = settings->engine == ZWD_ENGINE_AUTO &&
			(dir == ZWD_DEFLATE ? settings->min_deflate : settings->min_inflate) == ZWD_MIN_LEARNED;

		/* By each thread that comes here at once, the same. */
		__atomic_store_n(&live->min_len, is_learned ? ZWD_LIVE_LEARNED : min_len(dir, 6), __ATOMIC_RELAXED);
		__atomic_store_n(&live->min_len_fast, is_learned ? ZWD_LIVE_LEARNED : min_len(dir, 1),
				 __ATOMIC_RELAXED);
	}
	atomic_store_explicit(&zwd_stats_min_len, min_len, memory_order_relaxed);
}

void zwd_stats_reset(void)
{
	zwd_page_leave();
	memset(zwd_counting->dir, 0, sizeof(zwd_counting->dir));
	atomic_store_explicit(&zwd_stats_min_len, NULL, memory_order_relaxed);
}

static struct zwd_dir_stats *stats_of(struct zwd_stats *stats, enum zwd_dir dir)
{
	return dir == ZWD_DEFLATE ? &stats->deflate : &stats->inflate;
}

static struct zwd_dir_choice *choice_of(struct zwd_stats *stats, enum zwd_dir dir)
{
	return dir == ZWD_DEFLATE ? &stats->deflate_choice : &stats->inflate_choice;
}

static void fill(struct zwd_stats *stats, enum zwd_dir dir)
{
	struct zwd_dir_stats *d = stats_of(stats, dir);
	struct zwd_dir_choice *c = choice_of(stats, dir);
	const struct zwd_live_dir *live = zwd_counting_dir(dir);

	for (int i = 0; i < ZWD_COUNTERS; i++)
		*field(stats, dir, i) = now(&live->counters[i]);
	if (zwd_stats_min_len) {
		c->min_len = zwd_stats_min_len(dir, 6);
		c->min_len_fast = zwd_stats_min_len(dir, 1);
	}
	d->ns_p50 = percentile(live, 50);
	d->ns_p99 = percentile(live, 99);
}

__attribute__((visibility("default"))) size_t zwd_stats(struct zwd_stats *stats, size_t size)
{
	struct zwd_stats all = { 0 };

	fill(&all, ZWD_DEFLATE);
	fill(&all, ZWD_INFLATE);
	if (size > sizeof(all))
		size = sizeof(all);
	memcpy(stats, &all, size);
	return size;
}

__attribute__((visibility("default"))) const char *zwd_version(void)
{
	return PACKAGE_VERSION;
}

/* The report is made at exit, maybe of a thread with a small stack. */
static char text[4096];
static size_t text_len;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list va;
	int n;

	va_start(va, format);
	n = vsnprintf(text + text_len, sizeof(text) - text_len, format, va);
	va_end(va);
	if (n > 0)
		text_len += (size_t)n;
	if (text_len > sizeof(text) - 1)
		text_len = sizeof(text) - 1;
}

static void print_text(const char *name, struct zwd_stats *stats, enum zwd_dir dir)
{
	const struct zwd_dir_stats *d = stats_of(stats, dir);
	const struct zwd_dir_choice *c = choice_of(stats, dir);

	if (!d->hw_requests && !d->soft_in && !d->soft_streams && !d->errors)
		return;
	add("libz-wd: %s: device: %" PRIu64 " requests, %" PRIu64 " bytes in, %" PRIu64
	    " out, p50 < %" PRIu64 " us, p99 < %" PRIu64 " us; software: %" PRIu64
	    " streams, %" PRIu64 " bytes in, %" PRIu64 " out; %" PRIu64 " errors, %" PRIu64
	    " retries, %" PRIu64 " failovers, %" PRIu64 " returns, %" PRIu64
	    " units parallel, %" PRIu64 " stored, %" PRIu64 " verified, %" PRIu64 " wrong\n",
	    name, d->hw_requests, d->hw_in, d->hw_out, d->ns_p50 / 1000, d->ns_p99 / 1000,
	    d->soft_streams, d->soft_in, d->soft_out, d->errors, d->retries, d->failovers,
	    c->returns, c->parallel_units, d->stored, d->verified, d->mismatches);
	add("libz-wd: %s: to the device from", name);
	if (c->min_len == UINT64_MAX)
		add(" no size on");
	else
		add(" %" PRIu64 " bytes on", c->min_len);
	add("; software's were by");
	for (int i = ZWD_SOFT_SETTING; i <= ZWD_SOFT_GUARD; i++)
		add(" %s %" PRIu64 "%s", fields[i].name + strlen("soft_"),
			*field(stats, dir, i), i < ZWD_SOFT_GUARD ? "," : "\n");
}

static void print_json(const char *name, struct zwd_stats *stats, enum zwd_dir dir)
{
	const struct zwd_dir_stats *d = stats_of(stats, dir);
	const struct zwd_dir_choice *c = choice_of(stats, dir);

	add(",\"%s\":{", name);
	for (int i = 0; i < ZWD_COUNTERS; i++)
		add("\"%s\":%" PRIu64 ",", fields[i].name, *field(stats, dir, i));
	add("\"min_len\":%" PRIu64 ",\"min_len_fast\":%" PRIu64 ",\"ns_p50\":%" PRIu64
	    ",\"ns_p99\":%" PRIu64 "}",
	    c->min_len, c->min_len_fast, d->ns_p50, d->ns_p99);
}

/* ZWD_TRACE: calls that were recorded, and those that were not. */
static void print_trace(void)
{
	uint64_t written, lost[ZWD_TRACE_LOSSES];

	if (!zwd_trace_counts(&written, lost))
		return;
	add(",\"trace\":{\"calls\":%" PRIu64, written);
	for (int i = 0; i < ZWD_TRACE_LOSSES; i++)
		add(",\"%s\":%" PRIu64, zwd_trace_loss_name(i), lost[i]);
	add("}");
}

/* One line with one write, so that processes can share the file. */
static void append_json(const char *path, struct zwd_stats *stats)
{
	char program[64], *end = program;
	int ret;

	zwd_settings_program(program, sizeof(program));
	for (const char *c = program; *c; c++)
		if (*c >= ' ' && *c < 127 && *c != '"' && *c != '\\')
			*end++ = *c;
	*end = '\0';
	text_len = 0;
	add("{\"pid\":%d,\"program\":\"%s\"", (int)getpid(), program);
	print_json("deflate", stats, ZWD_DEFLATE);
	print_json("inflate", stats, ZWD_INFLATE);
	print_trace();
	add("}\n");
	ret = zwd_log_put(path, text, text_len);
	if (ret)
		zwd_log(ZWD_LOG_WARN, "statistics are lost, %s: %s", path, strerror(-ret));
}

/*
 * A stream that software had counts when it ends. One that was only opened does not: there are sandboxes
 * in which to open a file at exit is to die, and streams opened there that nobody feeds (sshd).
 */
static bool has_worked(void)
{
	uint64_t sum = 0;

	for (int dir = ZWD_DEFLATE; dir <= ZWD_INFLATE; dir++) {
		const uint64_t *counters = zwd_counting_dir(dir)->counters;

		sum |= counters[ZWD_HW_REQUESTS] | counters[ZWD_SOFT_STREAMS] |
		       counters[ZWD_SOFT_IN] | counters[ZWD_ERRORS];
	}
	return sum != 0;
}

/* Says what was asked for; a process that never met a stream has nothing to say. */
__attribute__((destructor)) static void report(void)
{
	const struct zwd_settings *settings = zwd_settings_known;
	static struct zwd_stats stats;
	int cancel_state;

	zwd_page_end(has_worked);
	/* Up to here no function of libc is called, see preload.c. */
	if ((settings && !settings->stats_text && !settings->stats_json[0]) || !has_worked())
		return;
	settings = zwd_settings();
	cancel_state = zwd_shield_up();
	zwd_stats(&stats, sizeof(stats));
	if (settings->stats_text) {
		print_text("deflate", &stats, ZWD_DEFLATE);
		print_text("inflate", &stats, ZWD_INFLATE);
		if (text_len)
			zwd_log_put(NULL, text, text_len);
	}
	if (settings->stats_json[0])
		append_json(settings->stats_json, &stats);
	zwd_shield_down(cancel_state);
}
