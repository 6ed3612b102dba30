// SPDX-License-Identifier: Zlib
/* What the emulated ZIP unit does with a request and with streams of them, under both engines. */
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define KIB 1024u
#define MIB (1024u * KIB)

static const unsigned int formats[] = { HISI_ZIP_FORMAT_DEFLATE, HISI_ZIP_FORMAT_ZLIB,
					HISI_ZIP_FORMAT_GZIP };
#define FORMATS_NR (sizeof(formats) / sizeof(formats[0]))

struct fixture {
	struct emu_dev *dev;
	struct rig_queue comp;
	struct rig_queue decomp;
	uint8_t *ctx;
	uint8_t *spare; /* a context as well */
};

static uint8_t *buffer(size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	return p;
}

static void setup(struct fixture *f, const char *options)
{
	f->dev = rig_dev(options);
	rig_map_all(f->dev);
	assert_int_equal(rig_start(&f->comp, f->dev, HISI_ZIP_QUEUE_COMPRESS, 16), 0);
	assert_int_equal(rig_start(&f->decomp, f->dev, HISI_ZIP_QUEUE_DECOMPRESS, 16), 0);
	f->ctx = buffer(HISI_ZIP_CTX_SIZE);
	f->spare = buffer(HISI_ZIP_CTX_SIZE);
	/* A new stream asks for nothing of the context. */
	memset(f->ctx, 0xa5, HISI_ZIP_CTX_SIZE);
}

static int setup_isal(void **state)
{
	static struct fixture f;
	struct emu_dev *probe;

	if (emu_dev_get("engine=isal", &probe)) {
		*state = NULL;
		return 0;
	}
	emu_dev_put(probe);
	setup(&f, "engine=isal");
	*state = &f;
	return 0;
}

static int setup_zlib(void **state)
{
	static struct fixture f;

	setup(&f, "engine=zlib");
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	rig_stop(&f->comp);
	rig_stop(&f->decomp);
	emu_dev_put(f->dev);
	free(f->ctx);
	free(f->spare);
	return 0;
}

static struct fixture *fixture(void **state)
{
	if (!*state)
		skip();
	return *state;
}

static unsigned int trailer_len(unsigned int format)
{
	return format == HISI_ZIP_FORMAT_GZIP ? 8 : format == HISI_ZIP_FORMAT_ZLIB ? 4 : 0;
}

/* Inflates with zlib, compares, and checks the trailer. */
static void check_stream(unsigned int format, const uint8_t *z, size_t z_len, const uint8_t *plain,
			 size_t len)
{
	uint8_t *out = buffer(len + 1);
	uint32_t sum = rig_sum(format, plain, len);
	uint8_t expected[8];
	size_t used;

	assert_int_equal(rig_inflate(out, len + 1, z, z_len, &used), len);
	assert_memory_equal(out, plain, len);
	assert_int_equal(z_len - used, trailer_len(format));
	for (int i = 0; i < 4; i++) {
		expected[i] = sum >> (format == HISI_ZIP_FORMAT_GZIP ? 8 * i : 24 - 8 * i);
		expected[4 + i] = (uint32_t)len >> 8 * i;
	}
	assert_memory_equal(z + used, expected, trailer_len(format));
	free(out);
}

static void test_block_round_trip(void **state)
{
	static const uint32_t lens[] = { 1, 2, 100, 4 * KIB, 65535, 65536, 200000, MIB + 7 };
	struct fixture *f = fixture(state);
	uint8_t *plain = buffer(2 * MIB), *z = buffer(2 * MIB), *back = buffer(2 * MIB);

	for (int kind = 0; kind < RIG_KINDS; kind++) {
		rig_data(plain, 2 * MIB, kind);
		for (size_t n = 0; n < FORMATS_NR * (sizeof(lens) / sizeof(lens[0])); n++) {
			const unsigned int format = formats[n % FORMATS_NR];
			const uint32_t len = lens[n / FORMATS_NR];
			struct rig_job c = { .src = plain,
					     .dst = z,
					     .src_len = len,
					     .dst_len = len + len / 65535 * 5 + 13,
					     .format = format,
					     .window = HISI_ZIP_WINDOW_32K };
			struct rig_job d = {
				.src = z, .dst = back, .dst_len = len, .format = format
			};

			memset(z, 0x77, 2 * MIB);
			rig_run(&f->comp, &c);
			assert_int_equal(c.status,
					 c.produced >= len ? HISI_ZIP_NEGATIVE : HISI_ZIP_OK);
			assert_int_equal(c.consumed, len);
			for (int i = 0; i < 64; i++)
				assert_int_equal(z[c.dst_len + i], 0x77);
			assert_int_equal(c.isize, len);
			if (format != HISI_ZIP_FORMAT_DEFLATE)
				assert_int_equal(
					c.checksum,
					rig_sum_field(format, rig_sum(format, plain, len)));
			check_stream(format, z, c.produced, plain, len);

			/* Bytes behind the stream are not taken. */
			d.src_len = c.produced + 9;
			memset(back + len, 0x77, 64);
			rig_run(&f->decomp, &d);
			assert_int_equal(d.status, HISI_ZIP_OK);
			assert_int_equal(d.consumed, c.produced);
			assert_int_equal(d.produced, len);
			assert_memory_equal(back, plain, len);
			for (int i = 0; i < 64; i++)
				assert_int_equal(back[len + i], 0x77);

			/* No room for the last byte; the last byte is missing. */
			if (len > 1) {
				d.dst_len = len - 1;
				rig_run(&f->decomp, &d);
				assert_int_equal(d.status, HISI_ZIP_DST_FULL);
			}
			d.dst_len = 2 * MIB;
			d.src_len = c.produced - 1;
			rig_run(&f->decomp, &d);
			assert_int_equal(d.status, HISI_ZIP_BAD_DATA);
			c.dst_len = c.produced - 1;
			rig_run(&f->comp, &c);
			if (c.status == HISI_ZIP_DST_FULL)
				assert_int_equal(c.produced, 0);
			else
				check_stream(format, z, c.produced, plain, len);
		}
	}
	free(plain);
	free(z);
	free(back);
}

/* Compresses in requests of in_step bytes with out_room each; the length. */
static size_t compress_stream(struct fixture *f, unsigned int format, const uint8_t *plain,
			      size_t len, uint8_t *z, uint32_t in_step, uint32_t out_room,
			      bool is_moving)
{
	struct rig_job c = { .ctx = f->ctx,
			     .dst_len = out_room,
			     .format = format,
			     .flags = HISI_ZIP_SRC_NEW,
			     .window = HISI_ZIP_WINDOW_32K };
	uint8_t *piece;
	size_t in = 0, out = 0;

	/* A new stream's carried words may be anything. */
	c.isize = c.checksum = c.ctx_w0 = 0x5a5a5a5a;
	for (;;) {
		uint32_t step = len - in < in_step ? len - in : in_step;

		/* Memory that is gone before the next request. */
		piece = buffer(step);
		memcpy(piece, plain + in, step);
		c.src = piece;
		c.src_len = step;
		c.dst = z + out;
		if (in + step == len)
			c.flags |= HISI_ZIP_SRC_FINISH;
		else
			c.flags &= ~HISI_ZIP_SRC_FINISH;
		rig_run(&f->comp, &c);
		memset(piece, 0xee, step);
		free(piece);
		assert_int_equal(c.status, HISI_ZIP_OK);
		assert_true(c.produced);
		assert_true(c.consumed || !c.src_len);
		in += c.consumed;
		out += c.produced;
		assert_int_equal(c.isize, in);
		if (format != HISI_ZIP_FORMAT_DEFLATE)
			assert_int_equal(c.checksum,
					 rig_sum_field(format, rig_sum(format, plain, in)));
		if (in == len && c.flags & HISI_ZIP_SRC_FINISH && c.consumed == c.src_len)
			return out;
		assert_memory_equal(z + out - 4, "\0\0\xff\xff", 4);
		c.flags &= ~HISI_ZIP_SRC_NEW;
		if (is_moving) {
			uint8_t *other = c.ctx == f->ctx ? f->spare : f->ctx;
			uint32_t used;

			memcpy(&used, c.ctx + HISI_ZIP_CTX_SW_SIZE, 4);
			assert_true(used <= HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE);
			memset(other, 0, HISI_ZIP_CTX_SIZE);
			memcpy(other, c.ctx, HISI_ZIP_CTX_SW_SIZE + used);
			memset(c.ctx, 0xcc, HISI_ZIP_CTX_SIZE);
			c.ctx = other;
		}
	}
}

/* Same for decompression; the length. *taken: bytes of z used. */
static size_t decompress_stream(struct fixture *f, unsigned int format, const uint8_t *z,
				size_t z_len, uint8_t *plain, uint32_t in_step, uint32_t out_room,
				bool is_moving, size_t *taken)
{
	struct rig_job d = {
		.ctx = f->ctx, .dst_len = out_room, .format = format, .flags = HISI_ZIP_SRC_NEW
	};
	size_t in = 0, out = 0;
	unsigned int idle_nr = 0;

	for (;;) {
		d.src = z + in;
		d.src_len = z_len - in < in_step ? z_len - in : in_step;
		d.dst = plain + out;
		rig_run(&f->decomp, &d);
		in += d.consumed;
		out += d.produced;
		*taken = in;
		if (d.status == HISI_ZIP_STREAM_END) {
			assert_true(d.result & HISI_ZIP_RESULT_LAST_BLOCK);
			assert_int_equal(d.isize, out);
			return out;
		}
		assert_int_equal(d.status, HISI_ZIP_OK);
		/* With room and input left there is no reason not to go on. */
		assert_true(d.consumed == d.src_len || d.produced == d.dst_len);
		idle_nr = d.consumed || d.produced ? 0 : idle_nr + 1;
		assert_true(idle_nr < 3);
		d.flags = 0;
		if (is_moving) {
			uint8_t *other = d.ctx == f->ctx ? f->spare : f->ctx;
			uint32_t used;

			memcpy(&used, d.ctx + HISI_ZIP_CTX_SW_SIZE, 4);
			assert_true(used <= HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE);
			memset(other, 0, HISI_ZIP_CTX_SIZE);
			memcpy(other, d.ctx, HISI_ZIP_CTX_SW_SIZE + used);
			memset(d.ctx, 0xcc, HISI_ZIP_CTX_SIZE);
			d.ctx = other;
		}
	}
}

static void test_stream_compress(void **state)
{
	static const struct {
		uint32_t len;
		uint32_t step;
		uint32_t room;
	} table[] = {
		{ 0, 1, 200 },
		{ 1, 1, 200 },
		{ 1000, 1, 200 },
		{ 5000, 199, 200 },
		{ 5000, 5000, 200 },
		{ 40000, 100, 1000 },
		{ 100000, 1000, 1200 },
		{ 300000, 300000, 1000 },
		{ 300000, 65536, 80000 },
		{ 300000, 65536, 65536 },
		{ 300000, 100000, 70000 },
		{ MIB, MIB, 2 * MIB },
		/* It fits, but not with the trailer. */
		{ 188, 188, 200 },
		{ 189, 189, 200 },
		{ 190, 190, 200 },
	};
	struct fixture *f = fixture(state);
	uint8_t *plain = buffer(MIB), *z = buffer(16 * MIB);

	for (int kind = 0; kind < RIG_KINDS; kind++) {
		rig_data(plain, MIB, kind);
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			const unsigned int format = formats[i % FORMATS_NR];
			size_t n = compress_stream(f, format, plain, table[i].len, z, table[i].step,
						   table[i].room, i % 2);

			check_stream(format, z, n, plain, table[i].len);
		}
	}
	free(plain);
	free(z);
}

/* Later requests refer to earlier ones: what was there before costs next to nothing. */
static void test_stream_history(void **state)
{
	struct fixture *f = fixture(state);
	uint8_t *plain = buffer(64 * KIB), *z = buffer(MIB);
	struct rig_job c = { .ctx = f->ctx,
			     .dst_len = MIB,
			     .format = HISI_ZIP_FORMAT_ZLIB,
			     .flags = HISI_ZIP_SRC_NEW,
			     .src_len = 20 * KIB,
			     .src = plain,
			     .dst = z };

	rig_data(plain, 64 * KIB, RIG_NOISE);
	for (int window = HISI_ZIP_WINDOW_4K; window <= (int)HISI_ZIP_WINDOW_32K; window++) {
		c.window = window;
		c.flags = HISI_ZIP_SRC_NEW;
		rig_run(&f->comp, &c);
		assert_true(c.produced > 20 * KIB);
		c.flags = 0;
		rig_run(&f->comp, &c);
		if (window == HISI_ZIP_WINDOW_32K)
			assert_true(c.produced < 2 * KIB);
		else
			assert_true(c.produced > 19 * KIB);
	}
	/* A new stream knows nothing of it, whatever the context holds. */
	c.flags = HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH;
	rig_run(&f->comp, &c);
	check_stream(HISI_ZIP_FORMAT_ZLIB, z, c.produced, plain, 20 * KIB);
	free(plain);
	free(z);
}

static void test_stream_every_split(void **state)
{
	struct fixture *f = fixture(state);
	const size_t len = 6000;
	uint8_t *plain = buffer(len), *z = buffer(2 * len), *back = buffer(2 * len);

	for (size_t n = 0; n < FORMATS_NR; n++) {
		const unsigned int format = formats[n];
		size_t z_len, taken;

		rig_data(plain, len, RIG_TEXT);
		rig_data(plain + 2000, 500, RIG_NOISE);
		memset(plain + 3000, 'x', 1000);
		z_len = rig_deflate(z, 2 * len, plain, len, format, 6, Z_DEFAULT_STRATEGY);
		memset(z + z_len, 0x5a, 16);
		for (size_t split = 0; split <= z_len; split++) {
			struct rig_job d = { .ctx = f->ctx,
					     .src = z,
					     .dst = back,
					     .src_len = split,
					     .dst_len = 2 * len,
					     .format = format,
					     .flags = HISI_ZIP_SRC_NEW };
			uint32_t first;

			rig_run(&f->decomp, &d);
			first = d.produced;
			if (split < z_len)
				assert_int_equal(d.status, HISI_ZIP_OK);
			else
				assert_int_equal(d.status, HISI_ZIP_STREAM_END);
			assert_int_equal(d.consumed, split);
			/* All is in one block, the last. Software asks whether its end was seen. */
			if (split < z_len) {
				assert_int_equal(d.ctx_w0 & HISI_ZIP_CTX_W0_FINAL,
						 split ? HISI_ZIP_CTX_W0_FINAL : 0);
				assert_int_equal((d.ctx_w0 & HISI_ZIP_CTX_W0_STATE) == HISI_ZIP_CTX_BLOCK_DONE,
						 z_len - split <= trailer_len(format));
			}
			if (split < z_len) {
				d.flags = 0;
				d.src = z + split;
				d.src_len = z_len - split + 16;
				d.dst = back + first;
				d.dst_len = 2 * len - first;
				rig_run(&f->decomp, &d);
				assert_int_equal(d.status, HISI_ZIP_STREAM_END);
				assert_int_equal(d.consumed, z_len - split);
				first += d.produced;
			}
			assert_int_equal(first, len);
			assert_memory_equal(back, plain, len);
		}
		for (uint32_t room = 200; room <= 720; room += 173)
			for (uint32_t step = 1; step < 300; step = step * 3 + 1) {
				memset(back, 0, 2 * len);
				assert_int_equal(decompress_stream(f, format, z, z_len + 16, back,
								   step, room, step % 2, &taken),
						 len);
				assert_int_equal(taken, z_len);
				assert_memory_equal(back, plain, len);
			}
	}
	free(plain);
	free(z);
	free(back);
}

/* Long streams of every make through small and large windows of input and output. */
static void test_stream_decompress(void **state)
{
	static const struct {
		uint32_t in;
		uint32_t out;
	} table[] = { { 1000, 200 },	 { 700, 5000 },	      { 100000, 32767 },   { 65536, 32768 },
		      { 4096, 32769 },	 { 4096, 40000 },     { 100000, 65535 },   { 30000, 65536 },
		      { 100000, 65537 }, { 8 * MIB, 100000 }, { 8 * MIB, 8 * MIB } };
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE };
	struct fixture *f = fixture(state);
	const size_t len = 300 * KIB;
	uint8_t *plain = buffer(len), *z = buffer(8 * MIB), *back = buffer(16 * MIB);
	size_t taken;

	for (int kind = 0; kind < RIG_KINDS; kind++) {
		rig_data(plain, len, kind);
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			const unsigned int format = formats[i % FORMATS_NR];
			size_t z_len = rig_deflate(z, 8 * MIB, plain, len, format, i % 10,
						   strategies[i % 4]);

			memset(z + z_len, 0, 50);
			assert_int_equal(decompress_stream(f, format, z, z_len + 50, back,
							   table[i].in, table[i].out, i % 2,
							   &taken),
					 len);
			assert_int_equal(taken, z_len);
			assert_memory_equal(back, plain, len);
		}
	}
	free(plain);
	free(z);
	free(back);
}

/* Whatever a byte is changed to: never more than a status, and no end with the wrong data. */
static void test_corrupt_input(void **state)
{
	struct fixture *f = fixture(state);
	const size_t len = 1500;
	uint8_t *plain = buffer(len), *z = buffer(4 * len), *back = buffer(64 * KIB);
	size_t z_len;

	rig_data(plain, len, RIG_TEXT);
	z_len = rig_deflate(z, 4 * len, plain, len, HISI_ZIP_FORMAT_GZIP, 6, Z_DEFAULT_STRATEGY);
	for (size_t at = 0; at < z_len; at++)
		for (int bit = 0; bit < 8; bit++) {
			struct rig_job d = { .src = z,
					     .dst = back,
					     .src_len = z_len,
					     .dst_len = 64 * KIB,
					     .format = HISI_ZIP_FORMAT_GZIP };
			bool is_same;

			z[at] ^= 1 << bit;
			rig_run(&f->decomp, &d);
			is_same = d.produced == len && !memcmp(back, plain, len);
			if (d.status == HISI_ZIP_OK)
				assert_true(is_same);
			d.ctx = f->ctx;
			d.flags = HISI_ZIP_SRC_NEW;
			d.src_len = z_len / 2;
			d.dst_len = 300;
			for (int n = 0; n < 40; n++) {
				rig_run(&f->decomp, &d);
				if (d.status != HISI_ZIP_OK)
					break;
				d.flags = 0;
				d.src = (const uint8_t *)d.src + d.consumed;
				d.src_len = z + z_len - (const uint8_t *)d.src;
				d.dst = (uint8_t *)d.dst + d.produced;
			}
			if (d.status == HISI_ZIP_STREAM_END)
				assert_memory_equal(back, plain, len);
			z[at] ^= 1 << bit;
		}
	free(plain);
	free(z);
	free(back);
}

static void test_bad_trailer(void **state)
{
	struct fixture *f = fixture(state);
	uint8_t plain[100] = "trailer", z[200], back[400];

	for (size_t n = 1; n < FORMATS_NR; n++) {
		size_t z_len = rig_deflate(z, sizeof(z), plain, sizeof(plain), formats[n], 6, 0);

		for (unsigned int i = 1; i <= trailer_len(formats[n]); i++) {
			struct rig_job d = { .src = z,
					     .dst = back,
					     .src_len = z_len,
					     .dst_len = sizeof(back),
					     .format = formats[n] };

			z[z_len - i] ^= 4;
			rig_run(&f->decomp, &d);
			assert_int_equal(d.status, HISI_ZIP_BAD_CHECKSUM);
			assert_int_equal(d.produced, sizeof(plain));
			d.ctx = f->ctx;
			d.flags = HISI_ZIP_SRC_NEW;
			rig_run(&f->decomp, &d);
			assert_int_equal(d.status, HISI_ZIP_BAD_CHECKSUM);
			z[z_len - i] ^= 4;
		}
	}
}

/* A distance that reaches behind the start of the stream is an error, wherever it is met. */
static void test_distance_too_far(void **state)
{
	struct fixture *f = fixture(state);
	uint8_t dict[32 * KIB], plain[600], z[2000], back[64 * KIB];
	z_stream s = { 0 };
	size_t z_len;

	rig_data(dict, sizeof(dict), RIG_NOISE);
	rig_data(plain, sizeof(plain), RIG_TEXT);
	memcpy(plain + 300, dict + 5000, 300);
	assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
	deflateSetDictionary(&s, dict, sizeof(dict));
	s.next_in = plain;
	s.avail_in = sizeof(plain);
	s.next_out = z;
	s.avail_out = sizeof(z);
	assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
	z_len = s.total_out;
	deflateEnd(&s);
	for (uint32_t room = 200; room < sizeof(back); room *= 2) {
		struct rig_job d = { .src = z,
				     .dst = back,
				     .src_len = z_len,
				     .dst_len = room,
				     .format = HISI_ZIP_FORMAT_DEFLATE,
				     .ctx = f->ctx,
				     .flags = HISI_ZIP_SRC_NEW };
		int n = 0;

		do {
			assert_true(n++ < 20);
			rig_run(&f->decomp, &d);
			d.flags = 0;
			d.src = (const uint8_t *)d.src + d.consumed;
			d.src_len -= d.consumed;
		} while (d.status == HISI_ZIP_OK);
		assert_int_equal(d.status, HISI_ZIP_BAD_DATA);
	}
}

static void test_stale_context(void **state)
{
	struct fixture *f = fixture(state);
	uint8_t plain[1000], z[4000], back[4000];
	struct rig_job c = { .src = plain,
			     .dst = z,
			     .src_len = sizeof(plain),
			     .dst_len = sizeof(z),
			     .format = HISI_ZIP_FORMAT_ZLIB,
			     .ctx = f->ctx };
	struct rig_job d = { .src = z,
			     .dst = back,
			     .dst_len = sizeof(back),
			     .format = HISI_ZIP_FORMAT_ZLIB,
			     .ctx = f->ctx };

	rig_data(plain, sizeof(plain), RIG_TEXT);
	/* Never a context. */
	memset(f->ctx, 0, HISI_ZIP_CTX_SIZE);
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	memset(f->ctx, 0xff, HISI_ZIP_CTX_SIZE);
	d.src_len = 10;
	rig_run(&f->decomp, &d);
	assert_int_equal(d.status, HISI_ZIP_BAD_DATA);
	/* Of another format; of the other direction; of a stream that is over. */
	c.flags = HISI_ZIP_SRC_NEW;
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	d.src_len = c.produced;
	c.flags = 0;
	c.format = HISI_ZIP_FORMAT_GZIP;
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	rig_run(&f->decomp, &d);
	assert_int_equal(d.status, HISI_ZIP_BAD_DATA);
	c.format = HISI_ZIP_FORMAT_ZLIB;
	c.flags = HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH;
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	c.flags = 0;
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	/* Damaged anywhere in what the decoder is made of. */
	for (int at = HISI_ZIP_CTX_SW_SIZE + 4; at < 20000; at += 997) {
		uint32_t used;

		d.flags = HISI_ZIP_SRC_NEW;
		d.src = z;
		d.src_len = c.produced / 2;
		rig_run(&f->decomp, &d);
		assert_int_equal(d.status, HISI_ZIP_OK);
		memcpy(&used, f->ctx + HISI_ZIP_CTX_SW_SIZE, 4);
		if (HISI_ZIP_CTX_SW_SIZE + used < (uint32_t)at + 1)
			break;
		f->ctx[at] ^= 0x80;
		d.flags = 0;
		d.src = z + d.consumed;
		rig_run(&f->decomp, &d);
		assert_true(d.status == HISI_ZIP_BAD_DATA || !memcmp(back, plain, d.produced));
	}
}

/* Output over the context it is made with: the result is nobody's, but the device goes on. */
static void test_context_in_output(void **state)
{
	enum { BODY_LEN_AT = 20, STORED_HEAD = 5 };
	struct fixture *f = fixture(state);
	uint8_t plain[1000], *z = buffer(2 * HISI_ZIP_CTX_SIZE), *first = buffer(4000);
	struct rig_job c = { .src = plain,
			     .dst = first,
			     .src_len = sizeof(plain),
			     .dst_len = 4000,
			     .flags = HISI_ZIP_SRC_NEW,
			     .format = HISI_ZIP_FORMAT_ZLIB,
			     .ctx = z };

	rig_data(plain, sizeof(plain), RIG_NOISE);
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	/* Noise that is not in the history; as it is stored, four bytes come to lie where the context has its length. */
	for (unsigned int i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(plain[i] * 167 + i);
	memset(plain + BODY_LEN_AT - STORED_HEAD, 0xff, 4);
	c.dst = z + HISI_ZIP_CTX_SW_SIZE;
	c.flags = 0;
	rig_run(&f->comp, &c);
	c.flags = HISI_ZIP_SRC_NEW;
	c.ctx = f->ctx;
	c.dst = first;
	rig_run(&f->comp, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	free(z);
	free(first);
}

static void test_limits(void **state)
{
	static const struct {
		uint32_t src_len;
		uint32_t dst_len;
		bool is_stream;
		uint32_t status;
	} table[] = {
		{ 8 * MIB + 1, MIB, false, HISI_ZIP_BAD_DATA },
		{ 100, 8 * MIB + 1, false, HISI_ZIP_BAD_DATA },
		{ 0, 100, false, HISI_ZIP_BAD_DATA },
		{ 100, 0, false, HISI_ZIP_DST_FULL },
		{ 100, 199, true, HISI_ZIP_DST_FULL },
		{ 0, 199, true, HISI_ZIP_DST_FULL },
		{ 0, 16, true, HISI_ZIP_OK },
		{ 0, 16, false, HISI_ZIP_OK },
		{ 100, 200, true, HISI_ZIP_OK },
	};
	struct fixture *f = fixture(state);
	uint8_t *plain = buffer(8 * MIB), *z = buffer(8 * MIB), *back = buffer(8 * MIB);

	rig_data(plain, 8 * MIB, RIG_TEXT);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rig_job c = { .src = plain,
				     .dst = z,
				     .src_len = table[i].src_len,
				     .dst_len = table[i].dst_len,
				     .format = HISI_ZIP_FORMAT_ZLIB,
				     .flags = HISI_ZIP_SRC_NEW,
				     .ctx = table[i].is_stream ? f->ctx : NULL };

		rig_run(&f->comp, &c);
		assert_int_equal(c.status, table[i].status);
		if (c.status || !c.src_len) {
			assert_int_equal(c.produced, 0);
			assert_int_equal(c.consumed, 0);
		}
	}
	for (int kind = RIG_ZEROS; kind <= RIG_TEXT; kind++) {
		struct rig_job c = { .src = plain,
				     .dst = z,
				     .src_len = 8 * MIB,
				     .dst_len = 8 * MIB,
				     .format = HISI_ZIP_FORMAT_GZIP };
		struct rig_job d = {
			.src = z, .dst = back, .dst_len = 8 * MIB, .format = HISI_ZIP_FORMAT_GZIP
		};

		rig_data(plain, 8 * MIB, kind);
		rig_run(&f->comp, &c);
		assert_int_equal(c.status, HISI_ZIP_OK);
		d.src_len = c.produced;
		rig_run(&f->decomp, &d);
		assert_int_equal(d.status, HISI_ZIP_OK);
		assert_memory_equal(plain, back, 8 * MIB);
	}
	free(plain);
	free(z);
	free(back);
}

/* An address that is not in the table is an error of the request and of nothing else. */
static void test_dma_miss(void **state)
{
	struct emu_dev *dev = rig_dev("threads=1");
	struct rig_queue q;
	uint8_t *memory = buffer(3 * HISI_ZIP_CTX_SIZE);
	uint8_t *src = memory, *dst = memory + HISI_ZIP_CTX_SIZE;
	uint8_t *ctx = memory + 2 * HISI_ZIP_CTX_SIZE;
	const uint64_t at = (uintptr_t)memory;
	struct rig_job c = { .src = src,
			     .dst = dst,
			     .src_len = 1000,
			     .dst_len = 5000,
			     .format = HISI_ZIP_FORMAT_ZLIB,
			     .ctx = ctx,
			     .flags = HISI_ZIP_SRC_NEW };

	(void)state;
	memset(memory, 1, 3 * HISI_ZIP_CTX_SIZE);
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	assert_int_equal(emu_dma_map(dev, at, src, HISI_ZIP_CTX_SIZE, EMU_DMA_READ), 0);
	assert_int_equal(emu_dma_map(dev, at + 5, src, 10, EMU_DMA_READ), -EEXIST);
	assert_int_equal(emu_dma_map(dev, at - 5, src, 6, EMU_DMA_READ), -EEXIST);
	assert_int_equal(emu_dma_map(dev, 0, src, 0, EMU_DMA_READ), -EINVAL);
	assert_int_equal(emu_dma_map(dev, UINT64_MAX, src, 2, EMU_DMA_READ), -EINVAL);
	assert_int_equal(emu_dma_map(dev, 0, src, 2, 0), -EINVAL);
	assert_int_equal(emu_dma_map(dev, (uintptr_t)dst, dst, HISI_ZIP_CTX_SIZE, EMU_DMA_WRITE),
			 0);
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	assert_int_equal(emu_dma_map(dev, (uintptr_t)ctx, ctx, HISI_ZIP_CTX_SIZE,
				     EMU_DMA_READ | EMU_DMA_WRITE),
			 0);
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	/* Across two ranges that lie side by side; beyond the end; against its direction. */
	c.ctx = NULL;
	c.src = src + 100;
	c.src_len = HISI_ZIP_CTX_SIZE - 99;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	c.src = ctx;
	c.src_len = HISI_ZIP_CTX_SIZE;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	c.dst = ctx - 100;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_OK);
	c.src_len++;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	c.src_len = 100;
	c.dst = src;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	emu_dma_unmap(dev, (uintptr_t)dst, 2 * HISI_ZIP_CTX_SIZE);
	c.dst = dst;
	rig_run(&q, &c);
	assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
	rig_stop(&q);
	emu_dev_put(dev);
	free(memory);
}

/* Queue managers of versions 1 and 2 know entries of type 0, and no raw deflate. */
static void test_versions(void **state)
{
	static const char *const options[] = { "qm=1", "qm=2", "qm=3" };
	uint8_t plain[1000] = "versions", z[2000];

	(void)state;
	for (unsigned int qm = 1; qm <= 3; qm++) {
		struct emu_dev *dev = rig_dev(options[qm - 1]);
		struct rig_queue q;

		rig_map_all(dev);
		assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		assert_int_equal(q.qm, qm);
		for (size_t n = 0; n < FORMATS_NR; n++) {
			struct rig_job c = { .src = plain,
					     .dst = z,
					     .src_len = sizeof(plain),
					     .dst_len = sizeof(z),
					     .format = formats[n] };
			struct hisi_zip_sqe sqe;

			rig_run(&q, &c);
			if (formats[n] == HISI_ZIP_FORMAT_DEFLATE && qm < 3)
				assert_int_equal(c.status, HISI_ZIP_BAD_DATA);
			else
				assert_int_equal(c.status, HISI_ZIP_OK);
			rig_fill(&q, &sqe, &c);
			sqe.src_ctrl ^= 3u << HISI_ZIP_SRC_TYPE_SHIFT;
			rig_put(&q, &sqe);
			rig_ring(&q);
			assert_true(rig_take(&q, &sqe, 60000));
			assert_int_equal(sqe.result, HISI_ZIP_BAD_DATA);
			assert_int_equal(sqe.produced, 0);
		}
		rig_stop(&q);
		emu_dev_put(dev);
	}
}

#define TESTS(e)                                                                                   \
	{ "block round trip, " #e, test_block_round_trip, setup_##e, teardown, NULL },             \
		{ "stream compress, " #e, test_stream_compress, setup_##e, teardown, NULL },       \
		{ "stream history, " #e, test_stream_history, setup_##e, teardown, NULL },         \
		{ "stream every split, " #e, test_stream_every_split, setup_##e, teardown, NULL }, \
		{ "stream decompress, " #e, test_stream_decompress, setup_##e, teardown, NULL },   \
		{ "corrupt input, " #e, test_corrupt_input, setup_##e, teardown, NULL },           \
		{ "bad trailer, " #e, test_bad_trailer, setup_##e, teardown, NULL },               \
		{ "distance too far, " #e, test_distance_too_far, setup_##e, teardown, NULL },     \
		{ "stale context, " #e, test_stale_context, setup_##e, teardown, NULL },           \
		{ "context in output, " #e, test_context_in_output, setup_##e, teardown, NULL },   \
	{                                                                                          \
		"limits, " #e, test_limits, setup_##e, teardown, NULL                              \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TESTS(isal),
		TESTS(zlib),
		cmocka_unit_test(test_dma_miss),
		cmocka_unit_test(test_versions),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
