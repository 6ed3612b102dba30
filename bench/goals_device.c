/* SPDX-License-Identifier: Zlib */
/* Goals: round trips, depth and sharing on modelled and null devices, in wall time. */
#include "config.h"

#include "goals.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wd_zip.h>

#include "gen.h"
#include "timing.h"
#include "zlib_api.h"

#define DEVICE_TIMEOUT_MS 20000
#define TRIALS_MAX	  101

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}

/* A queue with a piece of memory for each request in flight. */
struct lane {
	struct wd_queue *queue;
	uint8_t *src, *dst;
	size_t len, dst_len;
};

static int lane_open(struct lane *lane, const char *device, size_t len, unsigned int depth,
		     unsigned int flags)
{
	struct wd_queue_attr attr = { .device = device, .numa_node = -1, .flags = flags };
	void *src, *dst;

	lane->len = len;
	lane->dst_len = len + len / 8 + 4096;
	if (wd_request_queue(&attr, &lane->queue))
		return -1;
	if (wd_alloc(lane->queue, len * depth, &src) ||
	    wd_alloc(lane->queue, lane->dst_len * depth, &dst)) {
		wd_release_queue(lane->queue);
		return -1;
	}
	lane->src = src;
	lane->dst = dst;
	gen_fill(GEN_SOURCE, INPUT_SEED, lane->src, len * depth);
	memset(lane->dst, 0, lane->dst_len * depth);
	return 0;
}

/* Raw deflate: no checksum, which would be the device's work and not its road's. */
static struct wd_zip_req lane_request(const struct lane *lane, unsigned int slot)
{
	return (struct wd_zip_req){
		.tag = slot,
		.src = lane->src + slot * lane->len,
		.dst = lane->dst + slot * lane->dst_len,
		.src_len = (uint32_t)lane->len,
		.dst_len = (uint32_t)lane->dst_len,
		.format = WD_ZIP_DEFLATE,
	};
}

/* Two threads and one word: what no road between two threads can be shorter than. */
struct ball {
	_Alignas(128) atomic_uint ping;
	_Alignas(128) atomic_uint pong;
};

static void *pong(void *arg)
{
	struct ball *ball = arg;
	unsigned int seen = 0;

	while (seen != ~0u) {
		unsigned int ping = atomic_load_explicit(&ball->ping, memory_order_acquire);

		if (ping == seen) {
			relax();
			continue;
		}
		seen = ping;
		atomic_store_explicit(&ball->pong, seen, memory_order_release);
	}
	return NULL;
}

enum { ROUND_TRIPS = 400 };

/* Median of some batches: a batch in which one of the two threads was off its processor is none. */
static double ping_ns(int batches_nr)
{
	double ns[TRIALS_MAX];
	unsigned int word = 0;
	struct ball ball = { 0 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, pong, &ball))
		return 0;
	for (int b = 0; b < batches_nr; b++) {
		uint64_t begin = timing_wall_ns();

		for (int i = 0; i < ROUND_TRIPS; i++) {
			atomic_store_explicit(&ball.ping, ++word, memory_order_release);
			while (atomic_load_explicit(&ball.pong, memory_order_acquire) != word)
				relax();
		}
		ns[b] = (double)(timing_wall_ns() - begin) / ROUND_TRIPS;
	}
	atomic_store(&ball.ping, ~0u);
	pthread_join(thread, NULL);
	return goal_median(ns, (size_t)batches_nr);
}

static int send_one(void *arg)
{
	struct lane *lane = arg;
	struct wd_zip_req req = lane_request(lane, 0);
	struct wd_zip_res res;
	int ret;

	if (wd_send(lane->queue, &req, 1) != 1)
		return -1;
	while ((ret = wd_recv(lane->queue, &res, 1)) == -EAGAIN)
		relax();
	return ret != 1 || res.status != WD_ZIP_OK;
}

static int deflate_one(void *arg)
{
	static uint8_t plain[64], room[512];
	z_stream *strm = arg;

	if (deflateReset(strm))
		return -1;
	strm->next_in = plain;
	strm->avail_in = sizeof(plain);
	strm->next_out = room;
	strm->avail_out = sizeof(room);
	return deflate(strm, Z_FINISH) != Z_STREAM_END;
}

/* By turns with the bare ping-pong, so that both see the processors in the same places. */
static void round_measure(const struct goal_run *run, int (*one)(void *arg), void *arg,
			  struct goal_result *r)
{
	int trials_nr = run->is_quick ? 5 : 21;
	double ratios[TRIALS_MAX], pings[TRIALS_MAX];

	goal_quiet(run);
	goal_noise_begin();
	for (int t = 0; t < trials_nr; t++) {
		double ns[15];

		pings[t] = ping_ns(15);
		for (int b = 0; b < 15; b++) {
			uint64_t begin = timing_wall_ns();

			for (int i = 0; i < ROUND_TRIPS; i++)
				if (one(arg)) {
					goal_skip(r, "a request failed");
					r->is_wrong = 1;
					return;
				}
			ns[b] = (double)(timing_wall_ns() - begin) / ROUND_TRIPS;
		}
		ratios[t] = goal_median(ns, 15) / pings[t];
	}
	r->value = goal_median(ratios, (size_t)trials_nr);
	goal_anchor(r, "ping-pong: %.0f ns", goal_median(pings, (size_t)trials_nr));
	goal_noise_end(r);
}

static void round_libwd(const struct goal_run *run, struct goal_result *r)
{
	struct lane lane;

	if (lane_open(&lane, NULL, 64, 1, 0)) {
		goal_skip(r, "no queue");
		return;
	}
	round_measure(run, send_one, &lane, r);
	wd_release_queue(lane.queue);
}

static void round_deflate(const struct goal_run *run, struct goal_result *r)
{
	z_stream strm = { 0 };

	if (deflateInit2(&strm, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY)) {
		goal_skip(r, "no stream");
		return;
	}
	round_measure(run, deflate_one, &strm, r);
	deflateEnd(&strm);
}

/* A modelled device: what its numbers promise, and how many requests it takes to get that. */

#define MODEL	   "emu:engine=null,threads=1,latency_us=13.5,gbps=57.6"
#define MODEL_GBPS 7.2 /* 10^9 bytes a second */

/* 10^9 bytes a second with so many requests in flight. 0: a request failed. */
static double depth_gbps(struct lane *lane, unsigned int depth, unsigned int nr)
{
	unsigned int sent = 0, done = 0;
	uint64_t begin = timing_wall_ns();

	while (done < nr) {
		struct wd_zip_res results[64];
		int ret;

		while (sent < nr && sent - done < depth) {
			struct wd_zip_req req = lane_request(lane, sent % depth);

			if (wd_send(lane->queue, &req, 1) != 1)
				return 0;
			sent++;
		}
		ret = wd_recv_sync(lane->queue, results, 64, DEVICE_TIMEOUT_MS);
		if (ret <= 0)
			return 0;
		done += (unsigned int)ret;
	}
	return (double)nr * (double)lane->len / (double)(timing_wall_ns() - begin);
}

/* The best of some trials: what disturbs only takes away. */
static void depth_measure(const struct goal_run *run, size_t len, struct goal_result *r)
{
	static const unsigned int depths[] = { 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 15, 16, 18, 20, 24,
					       32, 48, 64 };
	int trials_nr = run->is_quick ? 8 : 40;
	double best = 0;
	struct lane lane;

	if (lane_open(&lane, NULL, len, 64, 0)) {
		goal_skip(r, "no queue");
		return;
	}
	goal_quiet(run);
	goal_noise_begin();
	for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
		unsigned int nr = (unsigned int)((8u << 20) / len);

		best = 0;
		for (int t = 0; t < trials_nr; t++) {
			double gbps = depth_gbps(&lane, depths[d], nr);

			best = gbps > best ? gbps : best;
		}
		r->value = depths[d];
		if (best >= 0.95 * MODEL_GBPS)
			break;
	}
	goal_anchor(r, "%.2f of 7.2 GB/s there", best);
	if (best < 0.95 * MODEL_GBPS) {
		r->is_wrong = 1;
		goal_note(r, "no depth was enough");
	}
	goal_noise_end(r);
	wd_release_queue(lane.queue);
}

static void depth_8k(const struct goal_run *run, struct goal_result *r)
{
	depth_measure(run, 8192, r);
}

static void depth_64k(const struct goal_run *run, struct goal_result *r)
{
	depth_measure(run, 65536, r);
}

/* One z_stream, raw, 64 KB in each call; its output is short on such a device. */
static double depth_stream_gbps(const uint8_t *data, size_t len, uint8_t *room, size_t room_len)
{
	z_stream strm = { .next_out = room, .avail_out = (uInt)room_len };
	uint64_t begin;
	int ret = deflateInit2(&strm, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);

	begin = timing_wall_ns();
	for (size_t pos = 0; ret == Z_OK; pos += 65536) {
		strm.next_in = (Bytef *)data + pos % (1u << 20);
		strm.avail_in = 65536;
		ret = deflate(&strm, pos + 65536 >= len ? Z_FINISH : Z_NO_FLUSH);
	}
	begin = timing_wall_ns() - begin;
	deflateEnd(&strm);
	return ret == Z_STREAM_END ? (double)len / (double)begin : 0;
}

static void depth_stream(const struct goal_run *run, struct goal_result *r)
{
	size_t len = run->is_quick ? 64u << 20 : 256u << 20, room_len = 64u << 20;
	int trials_nr = run->is_quick ? 5 : 21;
	uint8_t *data = goal_alloc(1u << 20), *room = goal_alloc(room_len);
	double best = 0;

	gen_fill(GEN_SOURCE, INPUT_SEED, data, 1u << 20);
	goal_quiet(run);
	goal_noise_begin();
	for (int t = 0; t < trials_nr; t++) {
		double gbps = depth_stream_gbps(data, len, room, room_len);

		best = gbps > best ? gbps : best;
	}
	r->value = 100 * best / MODEL_GBPS;
	goal_anchor(r, "%.2f GB/s", best);
	if (best == 0) {
		r->is_wrong = 1;
		goal_note(r, "a stream failed");
	}
	goal_noise_end(r);
	free(room);
	free(data);
}

/* Eight threads on a queue, or on one each. */

enum { SHARE_THREADS = 8, SHARE_LEN = 16384 };

struct sharer {
	pthread_t thread;
	struct lane *lane;
	pthread_barrier_t *barrier;
	unsigned int slot, nr;
	int failed;
};

static void *share_work(void *arg)
{
	struct sharer *s = arg;
	struct wd_zip_req req = lane_request(s->lane, s->slot);
	struct wd_zip_res res;

	pthread_barrier_wait(s->barrier);
	for (unsigned int i = 0; i < s->nr && !s->failed; i++)
		s->failed = wd_call(s->lane->queue, &req, &res, DEVICE_TIMEOUT_MS) ||
			    res.status != WD_ZIP_OK || res.tag != s->slot;
	pthread_barrier_wait(s->barrier);
	return NULL;
}

/* Wall ns of all threads' calls; 0: one failed. */
static double share_ns(struct lane *lanes, int is_shared, unsigned int nr)
{
	struct sharer sharers[SHARE_THREADS];
	pthread_barrier_t barrier;
	uint64_t begin;
	int failed = 0;

	pthread_barrier_init(&barrier, NULL, SHARE_THREADS + 1);
	for (unsigned int t = 0; t < SHARE_THREADS; t++) {
		sharers[t] = (struct sharer){ .lane = &lanes[is_shared ? 0 : t],
					      .barrier = &barrier,
					      .slot = is_shared ? t : 0,
					      .nr = nr };
		if (pthread_create(&sharers[t].thread, NULL, share_work, &sharers[t]))
			abort();
	}
	pthread_barrier_wait(&barrier);
	begin = timing_wall_ns();
	pthread_barrier_wait(&barrier);
	begin = timing_wall_ns() - begin;
	for (unsigned int t = 0; t < SHARE_THREADS; t++) {
		pthread_join(sharers[t].thread, NULL);
		failed |= sharers[t].failed;
	}
	pthread_barrier_destroy(&barrier);
	return failed ? 0 : (double)begin;
}

static void share_measure(const struct goal_run *run, struct goal_result *r)
{
	int trials_nr = run->is_quick ? 5 : 31;
	unsigned int nr = run->is_quick ? 100 : 400;
	struct lane shared, own[SHARE_THREADS];
	double ratios[TRIALS_MAX], mbps = 0;
	int failed = lane_open(&shared, NULL, SHARE_LEN, SHARE_THREADS, WD_QUEUE_SHARED);

	for (int t = 0; t < SHARE_THREADS && !failed; t++)
		failed = lane_open(&own[t], NULL, SHARE_LEN, 1, 0);
	goal_quiet(run);
	goal_noise_begin();
	for (int t = 0; t < trials_nr && !failed; t++) {
		double one = share_ns(&shared, 1, nr), eight = share_ns(own, 0, nr);

		failed = one == 0 || eight == 0;
		ratios[t] = failed ? 0 : eight / one;
		mbps = (double)SHARE_LEN * SHARE_THREADS * nr * 1e3 / eight;
	}
	if (failed) {
		goal_skip(r, "a request failed");
		r->is_wrong = 1;
		return;
	}
	r->value = goal_median(ratios, (size_t)trials_nr);
	goal_anchor(r, "8 queues: %.0f MB/s in units of 16 KB", mbps);
	goal_noise_end(r);
}

const struct goal goals_device[] = {
	{ "round-libwd", "null request there and back, against ping-pong", "times", GOAL_REPORT, 0,
	  "wall, by turns, medians", "emu:engine=null,threads=1", "hw", round_libwd },
	{ "round-deflate", "the same by deflate() of 64 bytes", "times", GOAL_AT_MOST, 3,
	  "wall, by turns, medians", "emu:engine=null,threads=1", "hw", round_deflate },
	{ "depth-8k", "requests in flight for 95 % of 7.2 GB/s, 13.5 us", "requests", GOAL_AT_MOST,
	  16, "wall, best of some", MODEL, "hw", depth_8k },
	{ "depth-64k", "the same with 64 KB", "requests", GOAL_AT_MOST, 4, "wall, best of some",
	  MODEL, "hw", depth_64k },
	{ "depth-stream", "one deflate() stream alone reaches of the 7.2 GB/s", "%", GOAL_AT_LEAST,
	  90, "wall, best of some", MODEL, "hw", depth_stream },
	{ "shared", "eight threads on one queue, against eight queues", "times", GOAL_AT_LEAST, 0.9,
	  "wall, by turns, median", "emu:threads=2", "hw", share_measure },
	{ 0 },
};
