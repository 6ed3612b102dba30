/* SPDX-License-Identifier: Zlib */
/* Goals: memory of many open streams, and what a process costs that does nothing. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wd.h>
#include <zwd.h>

#include "gen.h"
#include "zlib_api.h"

enum { FED_LEN = 16384, FED_PACKED_LEN = 4096 };

struct memory {
	const struct zlib_api *z;
	int streams_nr;
	int is_inflate;
	unsigned char *plain, *packed;
	uLong packed_len;
};

static int memory_init(const struct memory *m, z_stream *strm)
{
	return m->is_inflate ? m->z->inflateInit2_(strm, 15, ZLIB_VERSION, sizeof(*strm))
			     : m->z->deflateInit2_(strm, 6, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION,
						   sizeof(*strm));
}

/* Half of the compressed bytes, or all plain ones and a flush. */
static int memory_feed(const struct memory *m, z_stream *strm, unsigned char *room)
{
	int ret;

	strm->next_out = room;
	strm->avail_out = 2 * FED_LEN;
	if (m->is_inflate) {
		strm->next_in = m->packed;
		strm->avail_in = (uInt)m->packed_len / 2;
		ret = m->z->inflate(strm, Z_NO_FLUSH);
	} else {
		strm->next_in = m->plain;
		strm->avail_in = FED_LEN;
		ret = m->z->deflate(strm, Z_SYNC_FLUSH);
	}
	return ret != Z_OK || strm->avail_in;
}

static int memory_end(const struct memory *m, z_stream *strm)
{
	int ret = m->is_inflate ? m->z->inflateEnd(strm) : m->z->deflateEnd(strm);

	return ret != Z_OK && ret != Z_DATA_ERROR;
}

/* out[0]: bytes a stream after its init, out[1]: after it was fed, out[2]: the device's bytes. */
static void memory_measure(void *arg, double *out)
{
	const struct memory *m = arg;
	z_stream *strms = goal_alloc((size_t)m->streams_nr * sizeof(*strms)), first = { 0 };
	unsigned char *room = goal_alloc(2 * FED_LEN);
	struct zwd_stats stats = { 0 };
	double before;
	int failed;

	/* What belongs to the process and not to its streams is there already. */
	memset(strms, 0, (size_t)m->streams_nr * sizeof(*strms));
	failed = memory_init(m, &first) || memory_feed(m, &first, room) || memory_end(m, &first);
	before = goal_rss();
	for (int i = 0; i < m->streams_nr; i++)
		failed |= memory_init(m, &strms[i]);
	out[0] = (goal_rss() - before) / m->streams_nr;
	for (int i = 0; i < m->streams_nr; i++)
		failed |= memory_feed(m, &strms[i], room);
	out[1] = (goal_rss() - before) / m->streams_nr;
	for (int i = 0; i < m->streams_nr; i++)
		failed |= memory_end(m, &strms[i]);
	zwd_stats(&stats, sizeof(stats));
	out[2] = (double)(m->is_inflate ? stats.inflate.hw_in : stats.deflate.hw_in);
	if (failed)
		out[0] = out[1] = NAN;
}

/* Ours and zlib's by the same measure; zlib's in fewer streams, it needs 150 KB for each. */
static int memory_both(const struct goal_run *run, int is_inflate, double *ours, double *soft,
		       struct goal_result *r)
{
	struct memory m = { .z = run->soft, .streams_nr = 500, .is_inflate = is_inflate };
	int ret;

	m.plain = goal_alloc(FED_LEN);
	gen_fill(GEN_SOURCE, INPUT_SEED, m.plain, FED_LEN);
	m.packed_len = run->soft->compressBound(FED_LEN);
	m.packed = goal_alloc(m.packed_len);
	run->soft->compress2(m.packed, &m.packed_len, m.plain, FED_LEN, 6);
	ret = goal_child(NULL, memory_measure, &m, soft);
	m.z = &zlib_wd;
	m.streams_nr = run->is_quick ? 2000 : 10000;
	if (!ret)
		ret = goal_child(NULL, memory_measure, &m, ours);
	free(m.packed);
	free(m.plain);
	if (ret || isnan(ours[0]) || isnan(soft[0])) {
		goal_skip(r, "a stream failed");
		r->is_wrong = 1;
		return -1;
	}
	if (!(ours[2] > 0))
		goal_note(r, "the device was not used");
	else if (run->is_quick)
		goal_note(r, "with %d streams only", m.streams_nr);
	return 0;
}

static void memory_deflate_init(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];

	if (memory_both(run, 0, ours, soft, r))
		return;
	r->value = ours[0] / 1024;
	goal_anchor(r, "zlib: %.1f KB", soft[0] / 1024);
}

static void memory_deflate_fed(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];

	if (memory_both(run, 0, ours, soft, r))
		return;
	r->value = ours[1] / 1024;
	goal_anchor(r, "zlib: %.1f KB", soft[1] / 1024);
}

static void memory_inflate_init(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];

	if (memory_both(run, 1, ours, soft, r))
		return;
	r->value = ours[0] / soft[0];
	goal_anchor(r, "zlib: %.1f KB, ours %.1f KB", soft[0] / 1024, ours[0] / 1024);
}

static void memory_inflate_fed(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];

	if (memory_both(run, 1, ours, soft, r))
		return;
	r->value = ours[1] / soft[1];
	goal_anchor(r, "zlib: %.1f KB, ours %.1f KB", soft[1] / 1024, ours[1] / 1024);
}

static double memory_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Streams were used and stay open, and a queue of libwd too; then nothing happens. */
static void memory_idle(const struct goal_run *run, struct goal_result *r)
{
	struct timespec settle = { .tv_nsec = 50000000 }, second = { .tv_sec = 1 };
	struct wd_queue_attr attr = { .numa_node = -1 };
	unsigned char *plain = goal_alloc(FED_LEN), *room = goal_alloc(2 * FED_LEN);
	struct memory m = { .z = &zlib_wd, .plain = plain };
	struct wd_queue *queue;
	z_stream strm = { 0 };

	if (memory_init(&m, &strm) || memory_feed(&m, &strm, room) ||
	    wd_request_queue(&attr, &queue)) {
		goal_skip(r, "no queue");
		return;
	}
	nanosleep(&settle, NULL);
	r->value = memory_cpu_ms();
	nanosleep(&second, NULL);
	r->value = memory_cpu_ms() - r->value;
	wd_release_queue(queue);
	memory_end(&m, &strm);
	free(room);
	free(plain);
}

const struct goal goals_memory[] = {
	{ "memory-init", "each of 10,000 deflate streams at its init", "KB", GOAL_AT_MOST, 2,
	  "resident pages", "emu", "hw", memory_deflate_init },
	{ "memory-fed", "the same after 16 KB and a flush", "KB", GOAL_AT_MOST, 50, "resident pages",
	  "emu", "hw", memory_deflate_fed },
	{ "memory-inflate", "each of 10,000 inflate streams at its init", "of zlib", GOAL_AT_MOST, 1,
	  "resident pages", "emu", "hw", memory_inflate_init },
	{ "memory-inflated", "the same in mid-stream", "of zlib", GOAL_AT_MOST, 1, "resident pages",
	  "emu", "hw", memory_inflate_fed },
	{ "idle-burn", "CPU of a process with idle queues, a second", "ms", GOAL_AT_MOST, 1,
	  "process CPU", "emu", "hw", memory_idle },
	{ 0 },
};
