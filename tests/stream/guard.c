/* SPDX-License-Identifier: Zlib */
/*
 * Guards: with ZWD_GUARD, where a device makes more of the data than software by more than is allowed, or lets calls
 * wait for longer, software takes what follows, of the stream at once and of the process after some; both come back,
 * all of it is counted, and where nothing is lost the bytes are those that are made without it.
 */
#include "config.h"
#include "helpers.h"

#include <unistd.h>
#include <zwd.h>

/* Of a stream with an allocator of its own a unit is a little shorter. */
enum { UNIT = 65536, OWN_UNIT = UNIT - 256, UNITS = 68, SMALL = 20000 };

struct setup {
	const char *device, *guard, *depth, *level;
};

struct outcome {
	struct zwd_stats stats;
	uint64_t sum; /* of what was made */
};

static unsigned char *text, *noise, *zeros, *mixed;

static void set(const struct setup *setup)
{
	setenv("WD_DEVICE", setup->device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", "64K", 1);
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
	setenv("ZWD_DEPTH", setup->depth, 1);
	unsetenv("ZWD_GUARD");
	if (setup->guard)
		setenv("ZWD_GUARD", setup->guard, 1);
}

static voidpf own_alloc(voidpf opaque, uInt items, uInt size)
{
	(void)opaque;
	return calloc(items, size);
}

static void own_free(voidpf opaque, voidpf mem)
{
	(void)opaque;
	free(mem);
}

/* A stream of so many bytes, given in steps with this flush. */
struct stream {
	const unsigned char *plain;
	size_t len, step;
	int flush, is_own;
};

static uint64_t make(const struct stream *stream, int level)
{
	size_t size = stream->len + stream->len / 8 + 100000;
	unsigned char *out = malloc(size);
	struct buf made = { 0 };
	z_stream strm = { .next_out = out, .avail_out = (uInt)size };
	size_t rest = 0;
	uint64_t sum;

	if (stream->is_own) {
		strm.zalloc = own_alloc;
		strm.zfree = own_free;
	}
	MUST(out && deflateInit(&strm, level) == Z_OK);
	for (size_t at = 0, len; at < stream->len; at += len) {
		len = stream->len - at < stream->step ? stream->len - at : stream->step;
		strm.next_in = (unsigned char *)stream->plain + at;
		strm.avail_in = (uInt)len;
		MUST(deflate(&strm, at + len < stream->len ? stream->flush : Z_FINISH) >= Z_OK);
		MUST(!strm.avail_in);
	}
	MUST(inflate_steps(&ref, 15, out, strm.total_out, 0, 0, &made, &rest) == Z_STREAM_END && !rest);
	MUST(made.len == stream->len && !memcmp(made.data, stream->plain, made.len));
	sum = ref.crc32(0, out, (uInt)strm.total_out);
	MUST(deflateEnd(&strm) == Z_OK);
	buf_free(&made);
	free(out);
	return sum;
}

struct work {
	struct setup setup;
	struct stream stream;
};

static void one_stream(const void *arg, void *result)
{
	const struct work *work = arg;
	struct outcome *outcome = result;

	set(&work->setup);
	outcome->sum = make(&work->stream, atoi(work->setup.level));
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

static struct outcome run(const struct work *work)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(one_stream, work, &got, sizeof(got)), 0);
	assert_int_equal(got.stats.deflate.failovers + got.stats.deflate.errors, 0);
	return got;
}

static void nothing_is_compared_by_itself(void **state)
{
	struct outcome got = run(&(struct work){ { "emu", NULL, "4", "6" }, { text, UNITS * UNIT, 10000, 0, 0 } });

	assert_int_equal(got.stats.deflate.hw_in, UNITS * UNIT);
	assert_int_equal(got.stats.deflate_guard.compared + got.stats.deflate_guard.soft_guard, 0);
	got = run(&(struct work){ { "emu", "0,0", "4", "6" }, { text, 2 * UNIT, 10000, 0, 0 } });
	assert_int_equal(got.stats.deflate_guard.compared + got.stats.deflate_guard.soft_guard, 0);
}

/* The first unit tells it; then one on the device after every 64 by software. */
static void larger(void **state)
{
	static const struct stream streams[] = {
		{ NULL, UNITS * UNIT, 10000, Z_NO_FLUSH, 0 },
		{ NULL, UNITS * UNIT, 10000, Z_NO_FLUSH, 1 },
	};

	for (size_t i = 0; i < 2; i++) {
		struct work work = { { "emu", "1", "1", "6" }, streams[i] };
		size_t unit = streams[i].is_own ? OWN_UNIT : UNIT;
		struct outcome got;

		work.stream.plain = text;
		got = run(&work);
		assert_int_equal(got.stats.deflate.hw_requests, 2);
		assert_int_equal(got.stats.deflate.hw_in, 2 * unit);
		assert_int_equal(got.stats.deflate.soft_in, UNITS * UNIT - 2 * unit);
		assert_int_equal(got.stats.deflate_choice.returns, 1);
		assert_int_equal(got.stats.deflate_guard.soft_guard, 2);
		assert_int_equal(got.stats.deflate_guard.compared, 2);
		assert_true(got.stats.deflate_guard.compared_hw > got.stats.deflate_guard.compared_soft);
		assert_int_equal(got.stats.deflate_guard.compared_hw, got.stats.deflate.hw_out);
	}
}

/* What is in flight beside it, and what is given in one call or in segments. */
static void larger_side_by_side(void **state)
{
	static const struct stream streams[] = {
		{ NULL, UNITS * UNIT, UNITS * UNIT, Z_NO_FLUSH, 0 },
		{ NULL, UNITS * UNIT, 10000, Z_NO_FLUSH, 0 },
		{ NULL, UNITS * UNIT, 3 * UNIT, Z_SYNC_FLUSH, 0 },
		{ NULL, UNITS * UNIT, 3 * UNIT, Z_FULL_FLUSH, 1 },
		{ NULL, UNITS * UNIT, 30000, Z_SYNC_FLUSH, 0 },
	};

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct work work = { { "emu", "1", "4", "6" }, streams[i] };
		struct outcome got;

		work.stream.plain = text;
		got = run(&work);
		assert_in_range(got.stats.deflate.hw_requests, 1, 12);
		assert_in_range(got.stats.deflate_guard.soft_guard, 1, 2);
		assert_in_range(got.stats.deflate_guard.compared, 1, 2);
		assert_true(got.stats.deflate.soft_in >= (UNITS - 12) * UNIT);
	}
}

/* As many bytes as without it, and the same ones, one unit in 16 compared. */
static void nothing_lost(void **state)
{
	static const char guards[][12] = { "1", "100000", "100000" }, depths[][2] = { "4", "4", "1" };
	unsigned char *plain[] = { noise, mixed, mixed };

	for (size_t i = 0; i < 3; i++) {
		struct work work = { { "emu", guards[i], depths[i], "6" }, { plain[i], UNITS * UNIT, 10000, 0, 0 } };
		struct outcome with = run(&work), without;

		work.setup.guard = NULL;
		without = run(&work);
		assert_int_equal(with.stats.deflate.hw_in, UNITS * UNIT);
		assert_int_equal(with.stats.deflate_guard.soft_guard, 0);
		assert_int_equal(with.stats.deflate_guard.compared, (UNITS + 15) / 16);
		assert_true(with.sum == without.sum);
	}
}

/* Software is done with it in less than a hundredth of that; the first unit alone says nothing. */
static void slower(void **state)
{
	struct outcome got = run(&(struct work){ { "emu:latency_us=300000", "0,1000", "1", "6" },
						 { zeros, 10 * UNIT, 10 * UNIT, 0, 0 } });

	assert_int_equal(got.stats.deflate.hw_requests, 2);
	assert_int_equal(got.stats.deflate_guard.compared, 1);
	assert_int_equal(got.stats.deflate_guard.soft_guard, 1);
	assert_int_equal(got.stats.deflate.soft_in, 8 * UNIT);
	/* Larger it may be. */
	got = run(&(struct work){ { "emu", "0,100000", "1", "6" }, { text, 10 * UNIT, 10000, 0, 0 } });
	assert_int_equal(got.stats.deflate.hw_requests, 10);
}

/* What failed, and was made good by software, is not compared. */
static void failures(void **state)
{
	struct work work = { { "emu:fault=error@*7/checksum@*13", "100000", "4", "6" },
			     { mixed, 30 * UNIT, 10000, Z_NO_FLUSH, 0 } };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(one_stream, &work, &got, sizeof(got)), 0);
	assert_true(got.stats.deflate.errors);
}

static void small(const unsigned char *plain, unsigned int nr)
{
	static unsigned char out[SMALL + 1000], back[SMALL];

	for (unsigned int i = 0; i < nr; i++) {
		uLongf len = sizeof(out), back_len = SMALL;

		MUST(compress2(out, &len, plain, SMALL, 6) == Z_OK);
		MUST(ref.uncompress(back, &back_len, out, len) == Z_OK && !memcmp(back, plain, SMALL));
	}
}

/* 16 between two that are compared, four before it is judged, and then one in 16 is tried. */
static void many_small_ones(const void *arg, void *result)
{
	struct zwd_stats *stats = result;

	set(arg);
	small(text, 49);
	zwd_stats(&stats[0], sizeof(*stats));
	small(text, 32);
	zwd_stats(&stats[1], sizeof(*stats));
	/* The older ones count until there are as many that do not lose. */
	small(noise, 16 * 16);
	zwd_stats(&stats[2], sizeof(*stats));
	small(noise, 20);
	zwd_stats(&stats[3], sizeof(*stats));
}

static void the_process_loses(void **state)
{
	static const struct setup setup = { "emu", "1", "4", NULL };
	struct zwd_stats stats[4] = { 0 };

	assert_int_equal(run_in_child(many_small_ones, &setup, stats, sizeof(stats)), 0);
	assert_int_equal(stats[0].deflate.hw_requests, 49);
	assert_int_equal(stats[0].deflate_guard.compared, 4);
	assert_int_equal(stats[0].deflate_guard.soft_guard, 0);
	assert_int_equal(stats[1].deflate.hw_requests - 49, 2);
	assert_int_equal(stats[1].deflate_guard.compared - 4, 2);
	assert_int_equal(stats[1].deflate_guard.soft_guard, 30);
	assert_true(stats[2].deflate.hw_requests > 49 + 2 + 16);
	assert_int_equal(stats[3].deflate.hw_requests - stats[2].deflate.hw_requests, 20);
	assert_int_equal(stats[3].deflate_guard.soft_guard, stats[2].deflate_guard.soft_guard);
}

static void one_that_hangs(const void *arg, void *result)
{
	(void)result;
	set(&((const struct work *)arg)->setup);
	setenv("ZWD_TIMEOUT_MS", "500", 1);
	alarm(100);
	make(&((const struct work *)arg)->stream, 6);
}

/* Units in flight when the stream is lost are waited for as ever: not without end. */
static void a_request_hangs(void **state)
{
	struct work work = { { "emu:fault=hang@2", "1", "4", NULL }, { text, 40 * UNIT, 0, Z_NO_FLUSH, 0 } };
	static const size_t steps[] = { 10000, 30000, 3 * UNIT };
	int nothing;

	for (int i = 0; i < 3; i++) {
		work.stream.step = steps[i];
		assert_int_equal(run_in_child(one_that_hangs, &work, &nothing, 0), 0);
	}
}

static void many_learned(const void *arg, void *result)
{
	const struct work *work = arg;

	(void)result;
	set(&work->setup);
	setenv("ZWD_ENGINE", "auto", 1);
	setenv("ZWD_MIN_DEFLATE", "learned", 1);
	alarm(100);
	for (int i = 0; i < 30; i++)
		make(&work->stream, 6);
}

/* Both ask who is better, each in its own way. */
static void sizes_are_learned_besides(void **state)
{
	struct work work = { { "emu", "1,1", "4", NULL }, { text, 30 * UNIT, 30 * UNIT, Z_NO_FLUSH, 0 } };
	int nothing;

	assert_int_equal(run_in_child(many_learned, &work, &nothing, 0), 0);
	work.setup.depth = "1";
	assert_int_equal(run_in_child(many_learned, &work, &nothing, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_learned_besides),
		cmocka_unit_test(a_request_hangs),
		cmocka_unit_test(nothing_is_compared_by_itself),
		cmocka_unit_test(larger),
		cmocka_unit_test(larger_side_by_side),
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(slower),
		cmocka_unit_test(failures),
		cmocka_unit_test(the_process_loses),
	};

	test_begin(300);
	text = gen_alloc(GEN_TEXT, UNITS * UNIT);
	noise = gen_alloc(GEN_RANDOM, UNITS * UNIT);
	zeros = gen_alloc(GEN_ZEROS, UNITS * UNIT);
	mixed = gen_alloc(GEN_MIXED, UNITS * UNIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
