/* SPDX-License-Identifier: Zlib */
/*
 * The engine is chosen anew at every flush point: a small first packet, one at a level that stays
 * software, or a call that only software can do decides nothing for the rest of the stream; and
 * windows of 12 to 14 bits are a device's, for readers that have no more. Mode emu: as programs
 * meet it, with the thresholds that are there by default, and proved by the statistics.
 */
#include "config.h"
#include "again.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define MB	  ((size_t)1 << 20)

static const int wrappers[] = { 15, 31, -15 };
static unsigned char *plain;
static size_t plain_len;

static struct zwd_stats stats_now(void)
{
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	return stats;
}

/* At least percent of bytes since before were the device's, where there is one and it is sound. */
static void assert_share(const char *what, uint64_t hw, uint64_t bytes, unsigned int percent)
{
	if (test_mode == MODE_EMU && hw * 100 < bytes * percent)
		fail_msg("%s: %llu of %llu bytes on the device, %u %% expected", what,
			 (unsigned long long)hw, (unsigned long long)bytes, percent);
}

static void assert_none(const char *what, uint64_t hw)
{
	if (test_mode == MODE_EMU && hw)
		fail_msg("%s: %llu bytes on the device, none expected", what,
			 (unsigned long long)hw);
}

struct writer {
	z_stream strm;
	struct buf out;
	size_t pos;
};

static void write_open(struct writer *w, int level, int wbits)
{
	*w = (struct writer){ 0 };
	assert_int_equal(deflateInit2(&w->strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
}

/* The next nr bytes in calls of step, the last one with flush. */
static void write_some(struct writer *w, size_t nr, size_t step, int flush)
{
	int ret;

	do {
		size_t len = step < nr ? step : nr;

		w->strm.next_in = plain + w->pos;
		w->strm.avail_in = (uInt)len;
		w->pos += len;
		nr -= len;
		do {
			w->strm.next_out = buf_room(&w->out, 65536);
			w->strm.avail_out = 65536;
			ret = ours.deflate(&w->strm, nr ? Z_NO_FLUSH : flush);
			w->out.len += 65536 - w->strm.avail_out;
			assert_true(ret == Z_OK || ret == Z_STREAM_END ||
				    (ret == Z_BUF_ERROR && !w->strm.avail_in));
		} while (!w->strm.avail_out || (flush == Z_FINISH && !nr && ret == Z_OK));
		assert_int_equal(w->strm.avail_in, 0);
	} while (nr);
	assert_int_equal(ret == Z_STREAM_END, flush == Z_FINISH);
}

static void set_level(struct writer *w, int level)
{
	int ret;

	do {
		w->strm.next_out = buf_room(&w->out, 65536);
		w->strm.avail_out = 65536;
		ret = ours.deflateParams(&w->strm, level, Z_DEFAULT_STRATEGY);
		w->out.len += 65536 - w->strm.avail_out;
	} while (ret == Z_BUF_ERROR);
	assert_int_equal(ret, Z_OK);
}

/* A reader of the same window reads it. */
static void write_close(struct writer *w, int wbits)
{
	assert_int_equal(ours.deflateEnd(&w->strm), Z_OK);
	assert_inflates(wbits, w->out.data, w->out.len, plain, w->pos);
	buf_free(&w->out);
}

static void small_first_packet(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH };
	static const size_t lens[] = { 50, 200, 1 };

	for (size_t i = 0; i < NR(flushes); i++) {
		uint64_t before = stats_now().deflate.hw_in;
		struct writer w;
		char what[64];

		write_open(&w, 6, wrappers[i]);
		write_some(&w, lens[i], lens[i], flushes[i]);
		write_some(&w, 32 * MB, 65536, Z_FINISH);
		snprintf(what, sizeof(what), "after %zu bytes and flush %d", lens[i], flushes[i]);
		assert_share(what, stats_now().deflate.hw_in - before, w.pos, 95);
		write_close(&w, wrappers[i]);
	}
}

/* As ssh -C and websockets do: every packet is flushed. */
static void small_first_of_many_packets(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH };

	for (size_t i = 0; i < NR(flushes); i++) {
		uint64_t before = stats_now().deflate.hw_in;
		struct writer w;

		write_open(&w, 6, 15);
		write_some(&w, 50, 50, flushes[i]);
		while (w.pos < 32 * MB)
			write_some(&w, 256 << 10, 32768, flushes[i]);
		write_some(&w, 0, 1, Z_FINISH);
		assert_share("in packets of 256 KB", stats_now().deflate.hw_in - before, w.pos, 95);
		write_close(&w, 15);
	}
}

/* What comes first is software's by its level. */
static void level_9_first(void **state)
{
	for (size_t i = 0; i < NR(wrappers); i++) {
		uint64_t before = stats_now().deflate.hw_in;
		struct writer w;

		write_open(&w, 9, wrappers[i]);
		write_some(&w, 10000, 10000, Z_NO_FLUSH);
		set_level(&w, 6);
		write_some(&w, 16 * MB, 65536, Z_FINISH);
		assert_share("level 9, then 6", stats_now().deflate.hw_in - before, w.pos, 95);
		write_close(&w, wrappers[i]);
	}
}

static void level_9_between(void **state)
{
	for (size_t i = 0; i < NR(wrappers); i++) {
		uint64_t before = stats_now().deflate.hw_in, nine;
		struct writer w;

		write_open(&w, 6, wrappers[i]);
		write_some(&w, 8 * MB, 65536, Z_NO_FLUSH);
		set_level(&w, 9);
		nine = stats_now().deflate.hw_in;
		assert_share("at 6", nine - before, 8 * MB, 95);
		write_some(&w, MB, 65536, Z_SYNC_FLUSH);
		assert_none("at 9", stats_now().deflate.hw_in - nine);
		set_level(&w, 6);
		nine = stats_now().deflate.hw_in;
		write_some(&w, 8 * MB, 65536, Z_FINISH);
		assert_share("at 6 again", stats_now().deflate.hw_in - nine, 8 * MB, 95);
		write_close(&w, wrappers[i]);
	}
}

/* No match may reach further back than the reader's window. */
static void smaller_windows(void **state)
{
	for (int bits = 9; bits <= 14; bits++)
		for (int i = 0; i < 3; i++) {
			int wbits = i == 0 ? bits : i == 1 ? bits + 16 : -bits;
			uint64_t before = stats_now().deflate.hw_in, hw;
			struct writer w;

			write_open(&w, 6, wbits);
			write_some(&w, 1000, 100, Z_SYNC_FLUSH);
			write_some(&w, bits < 12 ? MB : 4 * MB, 50000, Z_SYNC_FLUSH);
			write_some(&w, 100, 100, Z_PARTIAL_FLUSH);
			write_some(&w, bits < 12 ? MB : 4 * MB, 65536, Z_FINISH);
			hw = stats_now().deflate.hw_in - before;
			if (bits < 12)
				assert_none("a window below 12 bits", hw);
			else
				assert_share("a window of 12 to 14 bits", hw, w.pos, 95);
			write_close(&w, wbits);
		}
}

static void tiny_and_large_by_turns(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_SYNC_FLUSH };

	for (size_t i = 0; i < NR(wrappers); i++) {
		uint64_t before = stats_now().deflate.hw_in;
		struct writer w;

		write_open(&w, 1, wrappers[i]);
		for (size_t turn = 0; turn < 16; turn++) {
			for (size_t tiny = 0; tiny < turn % 4 + 1; tiny++)
				write_some(&w, 1 + 37 * turn + tiny, 7,
					   flushes[(turn + tiny) % NR(flushes)]);
			write_some(&w, (512 << 10) + turn * 100001, 40000,
				   flushes[turn % NR(flushes)]);
		}
		write_some(&w, 10, 3, Z_FINISH);
		assert_share("tiny and large", stats_now().deflate.hw_in - before, w.pos, 95);
		write_close(&w, wrappers[i]);
	}
}

/* Blocks without a flush are software's; what follows is anybody's. */
static void block_flushes_between(void **state)
{
	for (size_t i = 0; i < NR(wrappers); i++) {
		uint64_t before = stats_now().deflate.hw_in;
		struct writer w;

		write_open(&w, 6, wrappers[i]);
		write_some(&w, 100000, 100000, Z_BLOCK);
		write_some(&w, 1000, 1000, Z_BLOCK);
		write_some(&w, 1000, 1000, Z_SYNC_FLUSH);
		write_some(&w, 16 * MB, 65536, Z_FINISH);
		assert_share("after Z_BLOCK", stats_now().deflate.hw_in - before, w.pos, 95);
		write_close(&w, wrappers[i]);
	}
}

/* The other way: what stock zlib wrote, with flush points. */
static void read_all(const char *what, const struct buf *packed, size_t len, int wbits,
		     size_t in_step, int first_flush)
{
	uint64_t before = stats_now().inflate.hw_out;
	unsigned char *out = malloc(len + 1);
	z_stream strm = { .next_out = out };
	size_t pos = 0;
	int ret = Z_OK;

	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	while (ret == Z_OK) {
		/* The first packet by itself, then the rest in steps. */
		size_t nr = pos ? in_step : 60;

		nr = nr < packed->len - pos ? nr : packed->len - pos;
		strm.next_in = packed->data + pos;
		strm.avail_in = (uInt)nr;
		do {
			size_t left = len + 1 - strm.total_out;

			strm.next_out = out + strm.total_out;
			strm.avail_out = left < 131072 ? (uInt)left : 131072;
			ret = ours.inflate(&strm, pos ? Z_NO_FLUSH : first_flush);
			assert_true(ret == Z_OK || ret == Z_STREAM_END ||
				    (ret == Z_BUF_ERROR && !strm.avail_in));
			ret = ret == Z_BUF_ERROR ? Z_OK : ret;
		} while (ret == Z_OK && (strm.avail_in || !strm.avail_out));
		pos += nr;
	}
	assert_int_equal(strm.avail_in, 0);
	assert_int_equal(strm.total_in, packed->len);
	assert_int_equal(strm.total_out, len);
	assert_memory_equal(out, plain, len);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	assert_share(what, stats_now().inflate.hw_out - before, len, 95);
	free(out);
}

static void stock_writes(int wbits, int flush, size_t len, struct buf *out)
{
	z_stream strm = { .next_in = plain, .avail_in = 50 };

	assert_int_equal(ref.deflateInit2_(&strm, 1, Z_DEFLATED, wbits, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_out = buf_room(out, len + 65536);
	strm.avail_out = (uInt)(len + 65536);
	assert_int_equal(ref.deflate(&strm, flush), Z_OK);
	strm.avail_in = (uInt)(len - 50);
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	out->len += strm.total_out;
	ref.deflateEnd(&strm);
}

static void inflate_comes_to_the_device(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH };

	for (size_t i = 0; i < NR(wrappers); i++) {
		struct buf packed = { 0 };

		stock_writes(wrappers[i], flushes[i], 32 * MB, &packed);
		read_all("inflate after 50 bytes", &packed, 32 * MB, wrappers[i], 65536,
			 Z_NO_FLUSH);
		read_all("inflate after a call with Z_BLOCK", &packed, 32 * MB, wrappers[i], 65536,
			 Z_BLOCK);
		buf_free(&packed);
	}
}

static int make(void **state)
{
	plain_len = 34 * MB;
	plain = gen_alloc(GEN_SOURCE, plain_len);
	return 0;
}

static int drop(void **state)
{
	free(plain);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "ZWD_ENGINE=auto", NULL };
	static const char *const args[] = { NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_first_packet),
		cmocka_unit_test(small_first_of_many_packets),
		cmocka_unit_test(level_9_first),
		cmocka_unit_test(level_9_between),
		cmocka_unit_test(smaller_windows),
		cmocka_unit_test(tiny_and_large_by_turns),
		cmocka_unit_test(block_flushes_between),
		cmocka_unit_test(inflate_comes_to_the_device),
	};
	struct buf out = { 0 };
	int status;

	test_begin(240);
	if (test_mode != MODE_EMU || is_again(argc, argv))
		return cmocka_run_group_tests(tests, make, drop);
	status = run_again(settings, args, &out);
	buf_free(&out);
	return !!status;
}
