/* SPDX-License-Identifier: Zlib */
/*
 * Streams after a device failed: one that goes back to it while its caller gives a few bytes of room a call,
 * and one that has no memory to keep what software would need: it leaves the device in time. Whatever lacks
 * then, it is never called the data's fault. The settings are read once in a process.
 */
#include "config.h"
#include "endless.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 1 << 20, PIECE = 65536 };

static const int wrappers[] = { 15, 31, -15 };

struct job {
	int wbits;
	uInt room;
	const char *device;
};

struct outcome {
	struct zwd_stats stats;
	int ret, is_right, lacked_nr, refused_nr;
	char msg[64];
};

static void begin(const struct job *job)
{
	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", "64K", 1);
	setenv("ZWD_DEPTH", "1", 1); /* units one by one: of several, software does those that fail */
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
}

/* Flushes, too, are made once, however little of them fits: else the output is never at its end. */
static void pack_into_little_room(const void *arg, void *result)
{
	const struct job *job = arg;
	struct outcome *o = result;
	unsigned char *plain = gen_alloc(GEN_MIXED, LEN), *out = malloc(2 * LEN);
	z_stream strm = { .next_out = out };
	size_t fed = 0;

	begin(job);
	o->ret = deflateInit2(&strm, 6, Z_DEFLATED, job->wbits, 8, Z_DEFAULT_STRATEGY);
	while (o->ret == Z_OK && strm.total_out < LEN + LEN / 8) {
		if (!strm.avail_in && fed < LEN) {
			strm.next_in = plain + fed;
			strm.avail_in = PIECE;
			fed += PIECE;
		}
		strm.avail_out = job->room;
		o->ret = deflate(&strm, fed < LEN ? Z_NO_FLUSH : Z_FINISH);
	}
	if (o->ret == Z_STREAM_END) {
		assert_inflates(job->wbits, out, strm.total_out, plain, LEN);
		o->is_right = 1;
	}
	deflateEnd(&strm);
	free(plain);
	free(out);
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void room_of_few_bytes(void **state)
{
	for (uInt room = 1; room <= 9; room++) {
		struct job job = { wrappers[room % NR(wrappers)], room, "emu:fault=error@2-3" };
		struct outcome o = { .ret = -100 };

		assert_int_equal(run_in_child(pack_into_little_room, &job, &o, sizeof(o)), 0);
		printf("# room %u: %llu failovers, %llu returns\n", room,
		       (unsigned long long)o.stats.deflate.failovers,
		       (unsigned long long)o.stats.deflate_choice.returns);
		assert_int_equal(o.ret, Z_STREAM_END);
		assert_true(o.is_right);
		assert_true(o.stats.deflate.failovers && o.stats.deflate_choice.returns);
	}
}

/* Units of it are on their way, and one of them hangs: the stream is given up, and the next ones have a device. */
static void give_up_in_flight(const void *arg, void *result)
{
	const struct job *job = arg;
	struct outcome *o = result;
	unsigned char *plain = gen_alloc(GEN_MIXED, LEN), *out = malloc(2 * LEN);
	z_stream strm = { 0 };

	begin(job);
	setenv("ZWD_DEPTH", "4", 1);
	setenv("ZWD_TIMEOUT_MS", "1000", 1);
	o->ret = deflateInit2(&strm, 6, Z_DEFLATED, job->wbits, 8, Z_DEFAULT_STRATEGY);
	while (o->ret == Z_OK && strm.total_in < 4 * PIECE) {
		strm.next_in = plain + strm.total_in;
		strm.avail_in = PIECE / 4;
		strm.next_out = out;
		strm.avail_out = 2 * LEN;
		o->ret = deflate(&strm, Z_NO_FLUSH);
	}
	for (int round = 0; round < 100 && o->ret == Z_OK && o->stats.deflate.hw_requests < 20; round++) {
		o->ret = deflateReset(&strm);
		strm.next_in = plain;
		strm.avail_in = LEN;
		strm.next_out = out;
		strm.avail_out = 2 * LEN;
		if (deflate(&strm, Z_FINISH) != Z_STREAM_END)
			o->ret = -101;
		assert_inflates(job->wbits, out, strm.total_out, plain, LEN);
		zwd_stats(&o->stats, sizeof(o->stats));
	}
	if (o->ret == Z_OK)
		o->ret = deflateEnd(&strm);
	free(plain);
	free(out);
}

static void given_up_in_flight(void **state)
{
	static const char *const devices[] = { "emu:fault=hang@1", "emu:fault=hang@2", "emu:fault=hang@3", "emu" };

	for (size_t i = 0; i < NR(devices); i++) {
		struct job job = { wrappers[i % NR(wrappers)], 0, devices[i] };
		struct outcome o = { .ret = -100 };

		assert_int_equal(run_in_child(give_up_in_flight, &job, &o, sizeof(o)), 0);
		assert_int_equal(o.ret, Z_OK);
		assert_true(o.stats.deflate.hw_requests >= 20);
	}
}

/* What inflate() keeps of its input comes in pieces of about this size. A sanitizer has a malloc() of its own. */
#if !IS_ASAN && !IS_TSAN
void *__libc_malloc(size_t len);
static int is_short;
static unsigned int refused_nr;

__attribute__((visibility("default"))) void *malloc(size_t len)
{
	if (is_short && len >= 60000 && len <= 70000) {
		refused_nr++;
		return NULL;
	}
	return __libc_malloc(len);
}

static void read_short_of_memory(const void *arg, void *result)
{
	enum { TILES = 40, SHORT_FROM = 8, ROOM = 1 << 20, NO_ROOM_FROM = 10 };
	const struct job *job = arg;
	struct outcome *o = result;
	unsigned char *out = malloc(ROOM);
	z_stream strm = { 0 };
	struct endless e;

	begin(job);
	endless_begin(&e, ENDLESS_NOISE, job->wbits, 0);
	o->ret = inflateInit2(&strm, job->wbits);
	for (int tile = 0; tile <= TILES && o->ret == Z_OK; tile++) {
		if (tile < TILES)
			endless_more(&e);
		else
			endless_end(&e);
		is_short = tile >= SHORT_FROM;
		for (size_t at = 0; at < e.packed.len && o->ret == Z_OK; at += strm.next_in - (e.packed.data + at)) {
			uint64_t pos = strm.total_out;
			size_t left = e.packed.len - at;

			strm.next_in = e.packed.data + at;
			strm.avail_in = left < PIECE ? (uInt)left : PIECE;
			strm.next_out = out;
			strm.avail_out = job->room && tile >= NO_ROOM_FROM ? job->room : ROOM;
			o->ret = inflate(&strm, Z_NO_FLUSH);
			is_short = 0;
			endless_check(ENDLESS_NOISE, pos, out, strm.total_out - pos);
			if (o->ret == Z_MEM_ERROR) {
				/* There is some later. */
				o->lacked_nr++;
				o->ret = Z_OK;
				strm.msg = NULL;
				continue;
			}
			is_short = tile >= SHORT_FROM && !o->lacked_nr;
		}
	}
	is_short = 0;
	snprintf(o->msg, sizeof(o->msg), "%s", strm.msg ? strm.msg : "");
	o->is_right = strm.total_out == e.plain_len;
	o->refused_nr = (int)refused_nr;
	inflateEnd(&strm);
	endless_free(&e);
	free(out);
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void no_memory_for_the_way_back(void **state)
{
	static const char *const devices[] = { "emu", "emu:fault=error@20", "emu:fault=error@20-23",
					       "emu:fault=reset@20", "emu:fault=gone=1@20" };

	for (size_t i = 0; i < NR(devices) * NR(wrappers); i++) {
		struct job job = { wrappers[i % NR(wrappers)], i % 2 ? 1000 : 0, devices[i / NR(wrappers)] };
		struct outcome o = { .ret = -100 };

		assert_int_equal(run_in_child(read_short_of_memory, &job, &o, sizeof(o)), 0);
		printf("# %s, %d: %d %s, %llu requests, %llu retries, %llu failovers\n", job.device, job.wbits,
		       o.ret, o.msg, (unsigned long long)o.stats.inflate.hw_requests,
		       (unsigned long long)o.stats.inflate.retries,
		       (unsigned long long)o.stats.inflate.failovers);
		assert_int_equal(o.ret, Z_STREAM_END);
		assert_true(o.is_right);
		assert_true(o.stats.inflate.hw_requests && o.stats.inflate.failovers);
		/* A device that failed may be left alone until there is enough of it. */
		assert_true(o.refused_nr || i >= NR(wrappers));
		assert_int_equal(o.lacked_nr, 0);
	}
}
#endif

#if !IS_ASAN && !IS_TSAN
#define WITHOUT_MEMORY cmocka_unit_test(no_memory_for_the_way_back)
#else
#define WITHOUT_MEMORY
#endif
TEST_MAIN(240, cmocka_unit_test(room_of_few_bytes), cmocka_unit_test(given_up_in_flight), WITHOUT_MEMORY)
