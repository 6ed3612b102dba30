/* SPDX-License-Identifier: Zlib */
/* Goals: what a call costs, idle and small, and the loops that are counted for it. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gen.h"
#include "timing.h"
#include "zlib_api.h"

/* wd-bench loop soft|wd deflate|inflate N: N calls of 64 bytes, to be counted from outside. */

enum { LOOP_PIECE = 64, LOOP_MAX = 40000 };

static int loop_deflate(const struct zlib_api *z, unsigned char *plain, long nr)
{
	z_stream strm = { .next_in = plain };
	unsigned char *packed = goal_alloc(2 * LOOP_PIECE * LOOP_MAX);
	int ret;

	/* Stored and unchecked, so that little else is counted than the way to it. */
	if (z->deflateInit2_(&strm, 0, Z_DEFLATED, -15, 8, 0, ZLIB_VERSION, sizeof(strm)))
		return 1;
	strm.next_out = packed;
	strm.avail_out = 2 * LOOP_PIECE * LOOP_MAX;
	for (long i = 0; i < nr; i++) {
		strm.avail_in = LOOP_PIECE;
		if (z->deflate(&strm, Z_NO_FLUSH))
			return 1;
	}
	ret = z->deflateEnd(&strm);
	free(packed);
	return ret != Z_OK && ret != Z_DATA_ERROR;
}

static int loop_inflate(const struct zlib_api *z, unsigned char *plain, long nr)
{
	unsigned char *packed = goal_alloc(2 * LOOP_PIECE * LOOP_MAX), *p = packed;
	z_stream strm = { .next_in = packed };

	/* Stored blocks of the length of a call (RFC 1951 section 3.2.4). */
	for (long i = 0; i < LOOP_MAX; i++) {
		*p++ = 0;
		*p++ = LOOP_PIECE - 5;
		*p++ = 0;
		*p++ = (unsigned char)~(LOOP_PIECE - 5);
		*p++ = 0xff;
		p += LOOP_PIECE - 5;
	}
	if (z->inflateInit2_(&strm, -15, ZLIB_VERSION, sizeof(strm)))
		return 1;
	strm.next_out = plain;
	strm.avail_out = LOOP_PIECE * LOOP_MAX;
	for (long i = 0; i < nr; i++) {
		strm.avail_in = LOOP_PIECE;
		if (z->inflate(&strm, Z_NO_FLUSH))
			return 1;
	}
	free(packed);
	return z->inflateEnd(&strm) != Z_OK;
}

int loop_main(int argc, char **argv)
{
	long nr = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	unsigned char *plain;
	const struct zlib_api *z;
	const char *why = "usage: wd-bench loop soft|wd deflate|inflate N";
	int ret;

	z = nr < 1 || nr > LOOP_MAX ? NULL : strcmp(argv[1], "soft") ? &zlib_wd : zlib_soft(&why);
	if (!z) {
		fprintf(stderr, "wd-bench: %s\n", why);
		return 2;
	}
	plain = goal_alloc(LOOP_PIECE * LOOP_MAX);
	ret = strcmp(argv[2], "inflate") ? loop_deflate(z, plain, nr) : loop_inflate(z, plain, nr);
	free(plain);
	return ret;
}

#define LOOP_FEW  "2000"
#define LOOP_MANY "34000"
#define LOOP_DIFF 32000

/* Instructions of one call; NAN: the row is skipped. */
static double calls_loop(const struct goal_run *run, const char *who, const char *action,
			 struct goal_result *r)
{
	const char *argv[] = { run->self, "loop", who, action, LOOP_MANY, NULL };
	struct goal_spawn spawn = { .argv = argv };
	struct goal_counts many, few;

	if (goal_instructions(&spawn, NULL, &many, r))
		return NAN;
	argv[4] = LOOP_FEW;
	if (goal_instructions(&spawn, NULL, &few, r))
		return NAN;
	return (many.payload + many.others - few.payload - few.others) / LOOP_DIFF;
}

static void calls_instructions(const struct goal_run *run, const char *action,
			       struct goal_result *r)
{
	double soft = calls_loop(run, "soft", action, r);
	double ours = isnan(soft) ? NAN : calls_loop(run, "wd", action, r);

	r->value = ours - soft;
	if (!isnan(ours))
		goal_anchor(r, "zlib itself: %.0f", soft);
}

static void calls_deflate(const struct goal_run *run, struct goal_result *r)
{
	calls_instructions(run, "deflate", r);
}

static void calls_inflate(const struct goal_run *run, struct goal_result *r)
{
	calls_instructions(run, "inflate", r);
}

#define SYSCALLS_MAX 512

static int calls_count(const struct goal_run *run, const char *action, const char *number)
{
	const char *argv[] = { run->self, "loop", "wd", action, number, NULL };
	struct goal_spawn spawn = { .argv = argv };
	unsigned int nr[SYSCALLS_MAX], sum = 0;
	int ret = goal_syscalls(&spawn, nr, SYSCALLS_MAX);

	for (unsigned int i = 0; i < SYSCALLS_MAX; i++)
		sum += nr[i];
	return ret ? -1 : (int)sum;
}

static void calls_syscalls(const struct goal_run *run, struct goal_result *r)
{
	static const char *const actions[] = { "deflate", "inflate" };

	for (unsigned int i = 0; i < 2; i++) {
		int few = calls_count(run, actions[i], LOOP_FEW);
		int many = calls_count(run, actions[i], LOOP_MANY);

		if (few < 0 || many < 0) {
			goal_skip(r, "programs cannot be traced here");
			return;
		}
		r->value += (double)(many - few) / LOOP_DIFF;
	}
}

/* One call of 1 KB after the other, as programs do that compress messages. */

enum { SMALL_LEN = 1024, SMALL_NR = 64, SMALL_TRIALS_MAX = 31 };

struct small {
	unsigned char *plain; /* SMALL_NR messages */
	unsigned char packed[2 * SMALL_LEN], back[SMALL_LEN];
	int level;
	int has_uncompress;
};

static int small_call(const struct zlib_api *z, struct small *s, int i, uLong *packed_len)
{
	const unsigned char *plain = s->plain + (size_t)(i % SMALL_NR) * SMALL_LEN;
	uLong back_len = sizeof(s->back);

	*packed_len = sizeof(s->packed);
	if (z->compress2(s->packed, packed_len, plain, SMALL_LEN, s->level))
		return 1;
	if (!s->has_uncompress)
		return 0;
	return z->uncompress(s->back, &back_len, s->packed, *packed_len) ||
	       memcmp(s->back, plain, SMALL_LEN);
}

struct small_trial {
	const struct zlib_api *z;
	struct small s;
	int calls_nr;
};

/*
 * out[0]: CPU ns of a call, out[1]: its page faults. A trial has a process of its own: what one
 * library leaves in the heap would change what the other one pays.
 */
static void small_trial(void *arg, double *out)
{
	struct small_trial *trial = arg;
	struct rusage before, after;
	uint64_t cpu = 0, others = 0;
	int failed = 0, warm_nr = trial->calls_nr / 4;

	for (int i = -warm_nr; i < trial->calls_nr; i++) {
		uLong len;

		if (!i) {
			getrusage(RUSAGE_THREAD, &before);
			others = timing_others_ns(NULL, 0);
			cpu = timing_thread_ns();
		}
		failed |= small_call(trial->z, &trial->s, i + warm_nr, &len);
	}
	cpu = timing_thread_ns() - cpu;
	others = timing_others_ns(NULL, 0) - others;
	getrusage(RUSAGE_THREAD, &after);
	if (failed)
		return;
	out[0] = (double)(cpu + others) / trial->calls_nr;
	out[1] = (double)(after.ru_minflt - before.ru_minflt) / trial->calls_nr;
}

static int small_differ(const struct goal_run *run, struct small *s)
{
	static unsigned char theirs[2 * SMALL_LEN];
	int differ = 0;

	for (int i = 0; i < SMALL_NR; i++) {
		uLong len = 0, soft_len = 0;

		small_call(run->soft, s, i, &soft_len);
		memcpy(theirs, s->packed, soft_len);
		small_call(&zlib_wd, s, i, &len);
		differ += len != soft_len || memcmp(theirs, s->packed, len);
	}
	return differ;
}

struct small_row {
	int level;
	int has_uncompress;
	int is_soft;   /* the output must be zlib's */
	int is_faults; /* these are the value */
};

static void small_measure(const struct goal_run *run, const struct small_row *row,
			  struct goal_result *r)
{
	int trials_nr = run->is_quick ? 5 : SMALL_TRIALS_MAX, failed = 0;
	double ratios[SMALL_TRIALS_MAX], soft_us[SMALL_TRIALS_MAX], faults[SMALL_TRIALS_MAX];
	double soft_faults[SMALL_TRIALS_MAX];
	struct small_trial trial = { .s = { .level = row->level,
					    .has_uncompress = row->has_uncompress },
				     .calls_nr = run->is_quick ? 200 : 1000 };

	trial.s.plain = goal_alloc(SMALL_LEN * SMALL_NR);
	gen_fill(GEN_JSON, INPUT_SEED, trial.s.plain, SMALL_LEN * SMALL_NR);
	for (int t = 0; t < trials_nr; t++) {
		double soft[GOAL_NUMBERS], ours[GOAL_NUMBERS];

		trial.z = run->soft;
		failed |= goal_child(NULL, small_trial, &trial, soft) || isnan(soft[0]);
		trial.z = &zlib_wd;
		failed |= goal_child(NULL, small_trial, &trial, ours) || isnan(ours[0]);
		ratios[t] = ours[0] / soft[0];
		soft_us[t] = soft[0] / 1e3;
		faults[t] = ours[1];
		soft_faults[t] = soft[1];
	}
	if (row->is_soft && small_differ(run, &trial.s)) {
		r->is_wrong = 1;
		goal_note(r, "the output is not zlib's");
	}
	if (failed) {
		r->is_wrong = 1;
		goal_skip(r, "a call failed");
		return;
	}
	r->value = goal_median(row->is_faults ? faults : ratios, (size_t)trials_nr);
	if (row->is_faults)
		goal_anchor(r, "zlib: %.1f", goal_median(soft_faults, (size_t)trials_nr));
	else
		goal_anchor(r, "zlib: %.1f us of CPU", goal_median(soft_us, (size_t)trials_nr));
	free(trial.s.plain);
}

static void small_soft_1(const struct goal_run *run, struct goal_result *r)
{
	small_measure(run, &(struct small_row){ .level = 1, .is_soft = 1 }, r);
}

static void small_soft_6(const struct goal_run *run, struct goal_result *r)
{
	small_measure(run, &(struct small_row){ .level = 6, .has_uncompress = 1, .is_soft = 1 }, r);
}

static void small_faults(const struct goal_run *run, struct goal_result *r)
{
	small_measure(run, &(struct small_row){ .level = 1, .is_soft = 1, .is_faults = 1 }, r);
}

static void small_device_1(const struct goal_run *run, struct goal_result *r)
{
	small_measure(run, &(struct small_row){ .level = 1 }, r);
}

static void small_device_6(const struct goal_run *run, struct goal_result *r)
{
	small_measure(run, &(struct small_row){ .level = 6, .has_uncompress = 1 }, r);
}

const struct goal goals_calls[] = {
	{ "idle-deflate", "a deflate() call without device, beyond zlib's", "instr", GOAL_AT_MOST, 25,
	  "callgrind", "none", "auto", calls_deflate },
	{ "idle-inflate", "an inflate() call without device, beyond zlib's", "instr", GOAL_AT_MOST,
	  25, "callgrind", "none", "auto", calls_inflate },
	{ "idle-syscalls", "system calls of one deflate() and one inflate()", "calls", GOAL_AT_MOST, 0,
	  "counted by ptrace", "none", "auto", calls_syscalls },
	{ "small-level1", "compress2() of 1 KB, level 1, no device", "of zlib", GOAL_AT_MOST, 0.35,
	  "CPU, by turns, median", "none", "auto", small_soft_1 },
	{ "small-level6", "compress2() and uncompress() of 1 KB, no device", "of zlib", GOAL_AT_MOST,
	  0.40, "CPU, by turns, median", "none", "auto", small_soft_6 },
	{ "small-faults", "page faults of compress2() of 1 KB, no device", "faults", GOAL_AT_MOST, 1,
	  "counted by the kernel", "none", "auto", small_faults },
	{ "small-device1", "the same with device, level 1", "of zlib", GOAL_AT_MOST, 0.20,
	  "CPU of all threads", "emu:threads=1", "hw", small_device_1 },
	{ "small-device6", "the same with device, both directions", "of zlib", GOAL_AT_MOST, 0.20,
	  "CPU of all threads", "emu:threads=1", "hw", small_device_6 },
	{ 0 },
};
