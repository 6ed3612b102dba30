/* SPDX-License-Identifier: Zlib */
/*
 * wd-bench-inner: what wd-bench goals measures from inside the libraries, on a device that works in
 * the caller's thread. Prints numbers.
 *   send BATCH N        N null requests through libwd, so many at once, to be counted
 *   deflate N           N calls of deflate() with 64 KB, to be counted
 *   caller LEN COPY     CPU of the caller of deflate() in calls of LEN bytes, and of a checksum
 *                       over the data, with COPY also of a copy of it
 *   cost libwd|deflate  CPU seconds per GB of the caller, and of zlib level 1
 *   path LEN DEPTH COPY emulated device against the engine called inline
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wd_zip.h>
#include <zlib.h>

#include "gen.h"
#include "input.h"
#include "spread.h"
#include "stub.h"
#include "timing.h"
#include "zlib_api.h"

enum { UNIT_LEN = 65536, UNITS_NR = 48, APP_LEN = 16384 };

static uint8_t *plain; /* UNITS_NR units of the mix */

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "wd-bench-inner: %s\n", what);
	exit(1);
}

static void *get(size_t len)
{
	void *mem = aligned_alloc(4096, (len + 4095) & ~(size_t)4095);

	if (!mem)
		die("out of memory");
	return memset(mem, 0, len);
}

static void make_plain(void)
{
	static const enum gen_kind kinds[] = { GEN_TEXT, GEN_SOURCE, GEN_JSON,
					       GEN_LOG,	 GEN_TABLE,  GEN_BINARY };

	plain = get((size_t)UNIT_LEN * UNITS_NR);
	for (unsigned int i = 0; i < 6; i++)
		gen_fill(kinds[i], INPUT_SEED, plain + (size_t)i * UNIT_LEN * (UNITS_NR / 6),
			 (size_t)UNIT_LEN * (UNITS_NR / 6));
}

/* A queue with memory of the device's for a request of that many bytes, depth times. */
struct lane {
	struct wd_queue *queue;
	uint8_t *src, *dst;
	size_t len, dst_len;
};

static void open_lane(struct lane *lane, const char *device, size_t len, unsigned int depth)
{
	struct wd_queue_attr attr = { .device = device, .alg = "zlib", .numa_node = -1 };
	void *mem;

	if (wd_request_queue(&attr, &lane->queue))
		die("no queue");
	lane->len = len;
	lane->dst_len = len + len / 8 + 4096;
	if (wd_alloc(lane->queue, lane->len * depth, &mem))
		die("no memory of the device's");
	lane->src = mem;
	if (wd_alloc(lane->queue, lane->dst_len * depth, &mem))
		die("no memory of the device's");
	lane->dst = memset(mem, 0, lane->dst_len * depth);
}

static struct wd_zip_req request(const struct lane *lane, unsigned int slot, const uint8_t *src)
{
	return (struct wd_zip_req){
		.tag = slot,
		.src = src,
		.dst = lane->dst + slot * lane->dst_len,
		.src_len = (uint32_t)lane->len,
		.dst_len = (uint32_t)lane->dst_len,
		.format = WD_ZIP_ZLIB,
	};
}

enum { BATCH_MAX = 16 };

static void send_loop(unsigned int batch, long nr)
{
	struct wd_zip_req reqs[BATCH_MAX];
	struct wd_zip_res results[BATCH_MAX];
	struct lane lane;

	stub_set_null();
	open_lane(&lane, STUB_DEVICE, UNIT_LEN, batch);
	for (unsigned int i = 0; i < batch; i++)
		reqs[i] = request(&lane, i, lane.src);
	for (long i = 0; i < nr; i += batch) {
		if (wd_send(lane.queue, reqs, batch) != (int)batch)
			die("wd_send");
		stub_poll();
		if (wd_recv(lane.queue, results, batch) != (int)batch)
			die("wd_recv");
	}
	wd_release_queue(lane.queue);
}

static void deflate_loop(long nr)
{
	uint8_t *room = get(2 * UNIT_LEN);
	z_stream strm = { 0 };

	if (deflateInit(&strm, 1))
		die("deflateInit");
	for (long i = 0; i < nr; i++) {
		deflateReset(&strm);
		strm.next_in = plain;
		strm.avail_in = UNIT_LEN;
		strm.next_out = room;
		strm.avail_out = 2 * UNIT_LEN;
		if (deflate(&strm, Z_FINISH) != Z_STREAM_END)
			die("deflate");
	}
	deflateEnd(&strm);
	if (!stub_cpu_ns())
		die("the device was not used");
	free(room);
}

/* CPU ns of the calling thread for all units, without what the device did. */

/*
 * All units in flight at an engine in a thread of its own, and the caller asleep until some are
 * done: no waiting is counted, and the clock is read once for many requests.
 */
static double cost_libwd(void)
{
	static struct lane lane;
	struct timespec pause = { .tv_nsec = 2000000 };
	uint64_t begin, ns = 0;
	unsigned int done = 0;

	if (!lane.queue) {
		open_lane(&lane, "emu:threads=1", UNIT_LEN, UNITS_NR);
		memcpy(lane.src, plain, (size_t)UNIT_LEN * UNITS_NR);
	}
	begin = timing_thread_ns();
	for (unsigned int i = 0; i < UNITS_NR; i++) {
		struct wd_zip_req req = request(&lane, i, lane.src + (size_t)i * UNIT_LEN);

		if (wd_send(lane.queue, &req, 1) != 1)
			die("wd_send");
	}
	ns += timing_thread_ns() - begin;
	while (done < UNITS_NR) {
		struct wd_zip_res res;

		nanosleep(&pause, NULL);
		begin = timing_thread_ns();
		while (wd_recv(lane.queue, &res, 1) == 1) {
			if (res.status != WD_ZIP_OK)
				die("a request failed");
			done++;
		}
		ns += timing_thread_ns() - begin;
	}
	return (double)ns;
}

static double cost_stream(const struct zlib_api *z, size_t feed_len, size_t room_len)
{
	static uint8_t *room;
	size_t len = (size_t)UNIT_LEN * UNITS_NR;
	uint64_t begin, device;
	z_stream strm = { 0 };
	int ret;

	if (!room)
		room = get(room_len);
	begin = timing_thread_ns();
	device = stub_cpu_ns();
	if (z->deflateInit2_(&strm, 1, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION, sizeof(strm)))
		die("deflateInit2");
	for (size_t pos = 0; pos < len; pos += feed_len) {
		strm.next_in = plain + pos;
		strm.avail_in = (uInt)feed_len;
		do {
			strm.next_out = room;
			strm.avail_out = (uInt)room_len;
			ret = z->deflate(&strm, pos + feed_len == len ? Z_FINISH : Z_NO_FLUSH);
		} while (!strm.avail_out);
	}
	z->deflateEnd(&strm);
	if (ret != Z_STREAM_END)
		die("a stream failed");
	return (double)(timing_thread_ns() - begin) - (double)(stub_cpu_ns() - device);
}

static void cost(const char *what, int trials_nr)
{
	const char *why = "";
	const struct zlib_api *soft = zlib_soft(&why);
	double ours[99], theirs[99], ratios[99];
	double bytes = (double)UNIT_LEN * UNITS_NR;

	if (!soft)
		die(why);
	for (int t = -1; t < trials_nr; t++) { /* the first one warms up */
		double a = strcmp(what, "libwd") ? cost_stream(&zlib_wd, APP_LEN, APP_LEN)
						 : cost_libwd();
		double b = cost_stream(soft, APP_LEN, APP_LEN);

		if (t < 0)
			continue;
		ours[t] = a / bytes;
		theirs[t] = b / bytes;
		ratios[t] = a / b;
	}
	printf("%.9f %.9f %.9f\n", spread_of(ratios, (size_t)trials_nr).median,
	       spread_of(ours, (size_t)trials_nr).median,
	       spread_of(theirs, (size_t)trials_nr).median);
}

/* What nobody can save the caller: the data is looked at once, and copied if it is to stay. */
static double cost_look(size_t feed_len, int is_copying)
{
	static uint8_t *copy;
	size_t len = (size_t)UNIT_LEN * UNITS_NR;
	uint64_t begin;
	uLong check = 1;

	if (!copy)
		copy = get(len);
	begin = timing_thread_ns();
	for (size_t pos = 0; pos < len; pos += feed_len) {
		check = zlib_wd.adler32(check, plain + pos, (uInt)feed_len);
		if (is_copying)
			memcpy(copy + pos, plain + pos, feed_len);
	}
	if (!check)
		die("a checksum is wrong");
	return (double)(timing_thread_ns() - begin);
}

/* By turns, so that both find the caches as the engine leaves them. */
static void caller(size_t feed_len, int is_copying, int trials_nr)
{
	double ours[99], looks[99], ratios[99], bytes = (double)UNIT_LEN * UNITS_NR;
	size_t room_len = is_copying ? feed_len : feed_len + feed_len / 8 + 4096;

	for (int t = -1; t < trials_nr; t++) {
		double a = cost_stream(&zlib_wd, feed_len, room_len),
		       b = cost_look(feed_len, is_copying);

		if (t < 0)
			continue;
		ours[t] = a / bytes;
		looks[t] = b / bytes;
		ratios[t] = a / b;
	}
	printf("%.9f %.9f %.9f\n", spread_of(ratios, (size_t)trials_nr).median,
	       spread_of(ours, (size_t)trials_nr).median,
	       spread_of(looks, (size_t)trials_nr).median);
}

static void take(struct lane *lane, int is_copying, uint8_t *out, unsigned int *done)
{
	struct wd_zip_res results[64];
	int nr = wd_recv_sync(lane->queue, results, 64, 10000);

	if (nr <= 0)
		die("no result");
	for (int i = 0; i < nr; i++) {
		if (results[i].status != WD_ZIP_OK)
			die("a request failed");
		if (is_copying)
			memcpy(out, lane->dst + results[i].tag * lane->dst_len, results[i].produced);
	}
	*done += (unsigned int)nr;
}

/* Requests of one pass over the input. Wall time; *cpu_ns: of all threads but the caller. */
static double path_pass(struct lane *lane, unsigned int depth, int is_copying, uint8_t *out,
			unsigned int nr, double *cpu_ns)
{
	uint64_t begin = timing_wall_ns(), others = timing_others_ns(NULL, 0);
	unsigned int sent = 0, done = 0;

	while (done < nr) {
		while (sent < nr && sent - done < depth) {
			unsigned int slot = sent % depth;
			const uint8_t *src = plain + (size_t)sent * lane->len;
			struct wd_zip_req req;

			if (is_copying) {
				memcpy(lane->src + slot * lane->len, src, lane->len);
				src = lane->src + slot * lane->len;
			}
			req = request(lane, slot, src);
			if (wd_send(lane->queue, &req, 1) != 1)
				die("wd_send");
			sent++;
		}
		take(lane, is_copying, out, &done);
	}
	*cpu_ns = (double)(timing_others_ns(NULL, 0) - others);
	return (double)(timing_wall_ns() - begin);
}

static void path(size_t len, unsigned int depth, int is_copying, int trials_nr)
{
	unsigned int nr = (unsigned int)((size_t)UNIT_LEN * UNITS_NR / len);
	double by_cpu[99], by_wall[99], mbps[99];
	struct lane lane;
	uint8_t *out;

	open_lane(&lane, "emu:threads=1", len, depth);
	if (wd_mem_share(lane.queue, plain, (size_t)UNIT_LEN * UNITS_NR, WD_SHARE_READ))
		die("wd_mem_share");
	out = get(lane.dst_len);
	for (int t = -1; t < trials_nr; t++) {
		uint64_t wall, cpu;
		double path_cpu, path_wall = path_pass(&lane, depth, is_copying, out, nr, &path_cpu);

		wall = timing_wall_ns();
		cpu = timing_thread_ns();
		/* Into the same rooms by turns: one alone would stay in the cache. */
		for (unsigned int i = 0; i < nr; i++)
			if (stub_inline(plain + (size_t)i * len, (uint32_t)len,
					lane.dst + i % depth * lane.dst_len,
					(uint32_t)lane.dst_len) < 0)
				die("the engine failed");
		cpu = timing_thread_ns() - cpu;
		wall = timing_wall_ns() - wall;
		if (t < 0)
			continue;
		by_cpu[t] = (double)cpu / path_cpu;
		by_wall[t] = (double)wall / path_wall;
		mbps[t] = (double)nr * (double)len * 1e3 / (double)cpu;
	}
	printf("%.6f %.6f %.6f\n", spread_of(by_cpu, (size_t)trials_nr).median,
	       spread_of(by_wall, (size_t)trials_nr).median,
	       spread_of(mbps, (size_t)trials_nr).median);
	wd_release_queue(lane.queue);
}

int main(int argc, char **argv)
{
	const char *device = getenv("WD_DEVICE");
	long n = argc > 2 ? atol(argv[2]) : 0;
	int trials_nr = getenv("TRIALS") ? atoi(getenv("TRIALS")) : 9;

	trials_nr = trials_nr < 1 || trials_nr > 99 ? 9 : trials_nr;
	setenv("ZWD_ENGINE", "hw", 1);
	/* The device is looked for when the library is loaded. */
	if (!device || strcmp(device, STUB_DEVICE)) {
		setenv("WD_DEVICE", STUB_DEVICE, 1);
		execv("/proc/self/exe", argv);
	}
	make_plain();
	if (argc == 4 && !strcmp(argv[1], "send") && n > 0 && n <= BATCH_MAX)
		send_loop((unsigned int)n, atol(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "deflate") && n > 0)
		deflate_loop(n);
	else if (argc == 3 && !strcmp(argv[1], "cost"))
		cost(argv[2], trials_nr);
	else if (argc == 4 && !strcmp(argv[1], "caller") && n > 0 && UNIT_LEN * UNITS_NR % n == 0)
		caller((size_t)n, atoi(argv[3]), trials_nr);
	else if (argc == 5 && !strcmp(argv[1], "path") && n > 0 && n <= UNIT_LEN)
		path((size_t)n, (unsigned int)atoi(argv[3]), atoi(argv[4]), trials_nr);
	else
		die("called by wd-bench goals");
	free(plain);
	return 0;
}
