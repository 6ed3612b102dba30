/* SPDX-License-Identifier: Zlib */
/* Goals: what the road to the device costs. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* wd-bench-inner sees the libraries from inside; its rows are its numbers. */

static const char *queue_inner(const struct goal_run *run, struct goal_result *r)
{
	const char *inner = goal_program(run, "bench", "wd-bench-inner", PKGLIBEXECDIR);

	if (!inner)
		goal_skip(r, "wd-bench-inner is not installed");
	return inner;
}

/* Set before it starts, so that it need not start itself again, which a counting tool would not
 * follow. */
static const char *const queue_env[] = { "WD_DEVICE=stub-0", NULL };

#define INNER_FEW  "32"
#define INNER_MANY "192"
#define INNER_DIFF 160

/* Instructions between the entry and the end of some functions, for one round of the loop. */
static void queue_count(const struct goal_run *run, const char *loop, const char *batch,
			const char *const *options, struct goal_result *r)
{
	const char *inner = queue_inner(run, r);
	const char *argv[] = { inner, loop, batch ? batch : INNER_MANY, batch ? INNER_MANY : NULL,
			       NULL };
	struct goal_spawn spawn = { .argv = argv, .env = queue_env };
	struct goal_counts many, few;

	if (!inner || goal_instructions(&spawn, options, &many, r))
		return;
	argv[batch ? 3 : 2] = INNER_FEW;
	if (goal_instructions(&spawn, options, &few, r))
		return;
	r->value = (many.others - few.others) / INNER_DIFF;
	goal_anchor(r, "copies and checksums: %.0f", (many.payload - few.payload) / INNER_DIFF);
	if (r->value == 0)
		goal_skip(r, "wd-bench-inner is stripped");
}

static const char *const queue_send_options[] = { "--collect-atstart=no", "--toggle-collect=wd_send",
						  "--toggle-collect=wd_recv", NULL };

static void queue_send(const struct goal_run *run, struct goal_result *r)
{
	queue_count(run, "send", "1", queue_send_options, r);
}

static void queue_send_batch(const struct goal_run *run, struct goal_result *r)
{
	queue_count(run, "send", "16", queue_send_options, r);
}

/* The device, which works inside its doorbell, is left out. */
static void queue_deflate(const struct goal_run *run, struct goal_result *r)
{
	static const char *const options[] = { "--collect-atstart=no", "--toggle-collect=deflate",
					       "--toggle-collect=stub_doorbell", NULL };

	queue_count(run, "deflate", NULL, options, r);
}

static int queue_numbers(const struct goal_run *run, const char *const *argv, int nr, double *v,
			 struct goal_result *r)
{
	const char *const env[] = { run->is_quick ? "TRIALS=5" : "TRIALS=21", NULL };
	const char *out = goal_scratch("inner");
	struct goal_spawn spawn = { .argv = argv, .env = env, .out = out };
	int ret = goal_spawn(&spawn, NULL), got = 0;
	FILE *file;

	file = ret ? NULL : fopen(out, "re");
	while (file && got < nr && fscanf(file, "%lf", &v[got]) == 1)
		got++;
	if (file)
		fclose(file);
	if (got < nr) {
		goal_skip(r, "wd-bench-inner %s ended with %d", argv[1], ret);
		r->is_wrong = 1;
		return -1;
	}
	return 0;
}

static void queue_path(const struct goal_run *run, const char *len, const char *is_copying,
		       struct goal_result *r)
{
	const char *argv[] = { queue_inner(run, r), "path", len, "8", is_copying, NULL };
	double v[3];

	if (!argv[0])
		return;
	goal_quiet(run);
	goal_noise_begin();
	if (queue_numbers(run, argv, 3, v, r))
		return;
	r->value = v[0];
	goal_anchor(r, "inline: %.0f MB/s; by wall time %.3f", v[2], v[1]);
	goal_noise_end(r);
}

static void queue_path_4k(const struct goal_run *run, struct goal_result *r)
{
	queue_path(run, "4096", "0", r);
}

static void queue_path_64k(const struct goal_run *run, struct goal_result *r)
{
	queue_path(run, "65536", "0", r);
}

static void queue_path_copy(const struct goal_run *run, struct goal_result *r)
{
	queue_path(run, "65536", "1", r);
}

static void queue_cost(const struct goal_run *run, const char *what, struct goal_result *r)
{
	const char *argv[] = { queue_inner(run, r), "cost", what, NULL };
	double v[3];

	if (!argv[0] || queue_numbers(run, argv, 3, v, r))
		return;
	r->value = 1 / v[0];
	goal_anchor(r, "zlib -1: %.2f s/GB, caller: %.5f s/GB", v[2], v[1]);
}

static void queue_cost_libwd(const struct goal_run *run, struct goal_result *r)
{
	queue_cost(run, "libwd", r);
}

static void queue_cost_deflate(const struct goal_run *run, struct goal_result *r)
{
	queue_cost(run, "deflate", r);
}

/* Against what a caller cannot be spared: one look at the data, and a copy where calls are small.
 */
static void queue_caller(const struct goal_run *run, const char *len, const char *is_copying,
			 struct goal_result *r)
{
	const char *argv[] = { queue_inner(run, r), "caller", len, is_copying, NULL };
	double v[3];

	if (!argv[0] || queue_numbers(run, argv, 3, v, r))
		return;
	r->value = v[0];
	goal_anchor(r, "checksum%s: %.4f s/GB, caller: %.4f s/GB",
		    atoi(is_copying) ? " and copy" : "", v[2], v[1]);
}

static void queue_caller_1m(const struct goal_run *run, struct goal_result *r)
{
	queue_caller(run, "1048576", "0", r);
}

static void queue_caller_16k(const struct goal_run *run, struct goal_result *r)
{
	queue_caller(run, "16384", "1", r);
}

const struct goal goals_queue[] = {
	{ "send-instr", "libwd: a request sent and its result received", "instr", GOAL_REPORT, 0,
	  "callgrind, stub device", NULL, NULL, queue_send },
	{ "send-batch", "the same for each of sixteen at once", "instr", GOAL_AT_MOST, 160,
	  "callgrind, stub device", NULL, NULL, queue_send_batch },
	{ "deflate-instr", "a deflate() of 64 KB, beside device and payload", "instr", GOAL_AT_MOST,
	  1500, "callgrind, stub device", NULL, NULL, queue_deflate },
	{ "path-4k", "emulated device at depth 8, 4 KB, against inline", "of inline", GOAL_AT_LEAST,
	  0.95, "CPU of the device", NULL, NULL, queue_path_4k },
	{ "path-64k", "the same with 64 KB", "of inline", GOAL_AT_LEAST, 0.97, "CPU of the device",
	  NULL, NULL, queue_path_64k },
	{ "path-copy", "the same with a copy in and out", "of inline", GOAL_AT_LEAST, 0.92,
	  "CPU of the device", NULL, NULL, queue_path_copy },
	{ "cost-libwd", "caller's CPU through libwd, zlib -1 against it", "times less", GOAL_REPORT,
	  0, "CPU without the device's", NULL, NULL, queue_cost_libwd },
	{ "cost-deflate", "the same through deflate(), 16 KB buffers", "times less", GOAL_AT_LEAST,
	  90, "CPU without the device's", NULL, NULL, queue_cost_deflate },
	{ "caller-1m", "caller's CPU of deflate(), 1 MiB calls", "of checksum", GOAL_AT_MOST, 1.2,
	  "CPU without the device's", NULL, NULL, queue_caller_1m },
	{ "caller-16k", "the same with calls of 16 KB", "of both", GOAL_AT_MOST, 1.3,
	  "CPU without the device's", NULL, NULL, queue_caller_16k },
	{ 0 },
};
