// SPDX-License-Identifier: Zlib
/* A device refuses what zlib refuses, in the header of any block: it is not asked again. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { ROOM = 1 << 16, LENGTHS = 288 + 32 };

struct fixture {
	struct emu_dev *dev;
	struct rig_queue queue;
	uint8_t *ctx;
	uint8_t back[ROOM], plain[ROOM];
};

static int setup(void **state, const char *options)
{
	static struct fixture f;
	struct emu_dev *probe;

	*state = NULL;
	if (emu_dev_get(options, &probe))
		return 0;
	emu_dev_put(probe);
	f.dev = rig_dev(options);
	rig_map_all(f.dev);
	assert_int_equal(rig_start(&f.queue, f.dev, HISI_ZIP_QUEUE_DECOMPRESS, 16), 0);
	f.ctx = malloc(HISI_ZIP_CTX_SIZE);
	assert_non_null(f.ctx);
	*state = &f;
	return 0;
}

static int setup_isal(void **state)
{
	return setup(state, "engine=isal");
}

static int setup_zlib(void **state)
{
	return setup(state, "engine=zlib");
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	rig_stop(&f->queue);
	emu_dev_put(f->dev);
	free(f->ctx);
	return 0;
}

/* Z_STREAM_END, Z_DATA_ERROR, or Z_BUF_ERROR where there is no end yet. */
static int ask_zlib(struct fixture *f, const uint8_t *z, size_t len, size_t *made)
{
	z_stream s = { 0 };
	int ret;

	assert_int_equal(inflateInit2(&s, -15), Z_OK);
	s.next_in = (z_const Bytef *)z;
	s.avail_in = len;
	s.next_out = f->plain;
	s.avail_out = ROOM;
	ret = inflate(&s, Z_FINISH);
	*made = s.total_out;
	inflateEnd(&s);
	return ret;
}

/* The same of the device, which gets pieces of the input. */
static int ask_device(struct fixture *f, const uint8_t *z, size_t len, size_t piece, uint32_t room,
		      size_t *made)
{
	struct rig_job d = { .ctx = f->ctx,
			     .format = HISI_ZIP_FORMAT_DEFLATE,
			     .flags = HISI_ZIP_SRC_NEW };
	size_t in = 0;

	for (*made = 0;;) {
		d.src = z + in;
		d.src_len = len - in < piece ? len - in : piece;
		d.dst = f->back + *made;
		d.dst_len = ROOM - *made < room ? ROOM - *made : room;
		if (d.dst_len < HISI_ZIP_STREAM_MIN_DST)
			return Z_BUF_ERROR;
		rig_run(&f->queue, &d);
		if (d.status == HISI_ZIP_BAD_DATA)
			return Z_DATA_ERROR;
		in += d.consumed;
		*made += d.produced;
		if (d.status == HISI_ZIP_STREAM_END)
			return Z_STREAM_END;
		assert_int_equal(d.status, HISI_ZIP_OK);
		if (!d.consumed && !d.produced)
			return Z_BUF_ERROR;
		d.flags = 0;
	}
}

/* What one says the other says, however the input comes. */
static int compare(struct fixture *f, const uint8_t *z, size_t len, size_t piece, uint32_t room)
{
	size_t made, want_made;
	int want = ask_zlib(f, z, len, &want_made);

	assert_int_equal(ask_device(f, z, len, piece, room, &made), want);
	if (want == Z_STREAM_END) {
		assert_int_equal(made, want_made);
		assert_memory_equal(f->back, f->plain, made);
	}
	return want;
}

struct writer {
	uint8_t z[4096];
	size_t bits;
};

static void put(struct writer *w, unsigned int value, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++, w->bits++)
		w->z[w->bits / 8] |= (value >> i & 1) << w->bits % 8;
}

/* Codewords have their first bit first. */
static void put_code(struct writer *w, unsigned int code, unsigned int nr)
{
	while (nr--)
		put(w, code >> nr & 1, 1);
}

static const uint8_t order[19] = {
	16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
};

/*
 * A dynamic block of nothing: lengths of 'a', of the end of block, and of two distances; precode:
 * of 0, 1, 2 and 18.
 */
struct codes {
	uint8_t a, end, distance[2], precode[4];
	int is_good;
};

static void put_dynamic(struct writer *w, const struct codes *c)
{
	static const uint8_t symbols[4] = { 0, 1, 2, 18 };
	unsigned int code[19] = { 0 }, len[19] = { 0 }, next = 0;

	put(w, 1 | 2 << 1, 3);
	put(w, 0, 5); /* 257 */
	put(w, 1, 5); /* 2 */
	put(w, 18 - 4, 4);
	for (int i = 0; i < 4; i++)
		len[symbols[i]] = c->precode[i];
	for (unsigned int bits = 1; bits <= 7; bits++, next <<= 1)
		for (int i = 0; i < 4; i++)
			if (c->precode[i] == bits)
				code[symbols[i]] = next++;
	for (int i = 0; i < 18; i++)
		put(w, len[order[i]], 3);
	put_code(w, code[18], len[18]);
	put(w, 'a' - 11, 7);
	put_code(w, code[c->a], len[c->a]);
	put_code(w, code[18], len[18]);
	put(w, 138 - 11, 7);
	put_code(w, code[18], len[18]);
	put(w, 255 - 'a' - 138 - 11, 7);
	put_code(w, code[c->end], len[c->end]);
	put_code(w, code[c->distance[0]], len[c->distance[0]]);
	put_code(w, code[c->distance[1]], len[c->distance[1]]);
	/* 'a' is the first of two of the same length. */
	put_code(w, c->a && c->a <= c->end ? 1 << (c->end - c->a) : 0, c->end);
}

static void put_before(struct writer *w, unsigned int kind)
{
	switch (kind) {
	case 0:
		break;
	case 1: /* a fixed block of nothing */
		put(w, 1 << 1, 3);
		put(w, 0, 7);
		break;
	case 2: /* a stored one */
		put(w, 0, 3);
		w->bits = (w->bits + 7) / 8 * 8;
		put(w, 0xfffd0002, 32);
		put(w, 'b' | 'c' << 8, 16);
		break;
	default: /* many of both */
		for (int i = 0; i < 50; i++)
			put_before(w, 1 + (i & 1));
	}
}

static void test_codes(void **state)
{
	static const struct codes cases[] = {
		{ 1, 1, { 1, 1 }, { 2, 2, 2, 2 }, 1 },
		{ 1, 1, { 1, 0 }, { 2, 2, 2, 2 }, 1 }, /* a single distance */
		{ 1, 1, { 0, 0 }, { 2, 2, 2, 2 }, 1 }, /* none */
		{ 0, 1, { 0, 0 }, { 2, 2, 2, 2 }, 1 }, /* the end of block alone */
		{ 2, 2, { 1, 1 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 2, { 1, 1 }, { 2, 2, 2, 2 }, 0 },
		{ 0, 2, { 1, 1 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 0, { 1, 1 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 1, { 2, 2 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 1, { 1, 2 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 1, { 2, 0 }, { 2, 2, 2, 2 }, 0 },
		{ 1, 1, { 1, 1 }, { 2, 2, 2, 3 }, 0 },
		{ 1, 1, { 1, 1 }, { 3, 3, 3, 3 }, 0 },
		{ 1, 1, { 1, 1 }, { 2, 1, 0, 2 }, 1 },
		{ 1, 1, { 1, 1 }, { 2, 2, 0, 2 }, 0 },
		{ 1, 1, { 1, 1 }, { 1, 2, 2, 2 }, 0 },
	};
	struct fixture *f = *state;

	if (!f)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned int before = 0; before < 4; before++) {
			struct writer w = { .bits = 0 };
			size_t len;

			put_before(&w, before);
			put_dynamic(&w, &cases[i]);
			len = (w.bits + 7) / 8;
			for (size_t piece = 1; piece <= len; piece += piece < 4 ? 1 : piece)
				assert_int_equal(compare(f, w.z, len, piece, ROOM),
						 cases[i].is_good ? Z_STREAM_END : Z_DATA_ERROR);
			assert_int_equal(compare(f, w.z, len, len, HISI_ZIP_STREAM_MIN_DST),
					 cases[i].is_good ? Z_STREAM_END : Z_DATA_ERROR);
		}
}

/* Streams of many short blocks, damaged. */
static void test_damaged(void **state)
{
	struct fixture *f = *state;
	static uint8_t plain[ROOM / 2], z[2 * ROOM];
	unsigned int refused = 0, ended = 0;
	uint64_t seed = 1;

	if (!f)
		skip();
	for (unsigned int i = 0; i < 4000; i++) {
		size_t len = 200 + i * 37 % 12000, z_len;
		z_stream s = { 0 };
		int ret;

		if (i % 40 == 0)
			rig_data(plain, sizeof(plain), i % 80 ? RIG_TEXT : RIG_NOISE);
		assert_int_equal(deflateInit2(&s, 1 + i % 9, Z_DEFLATED, -15, 1 + i % 3, 0), Z_OK);
		s.next_in = plain + i % 500;
		s.avail_in = len;
		s.next_out = z;
		s.avail_out = sizeof(z);
		assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
		z_len = s.total_out;
		deflateEnd(&s);
		for (unsigned int n = i % 3; n < 3; n++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			z[(seed >> 33) % z_len] ^= 1 << (seed >> 30 & 7);
		}
		ret = compare(f, z, z_len, i % 5 ? z_len : 1 + i % 300,
			      i % 7 ? ROOM : HISI_ZIP_STREAM_MIN_DST + i % 3000);
		refused += ret == Z_DATA_ERROR;
		ended += ret == Z_STREAM_END;
	}
	print_message("# %u refused, %u ended\n", refused, ended);
	assert_true(refused > 500 && ended > 500);
}

#define TESTS(e)                                                                                   \
	{ "codes, " #e, test_codes, setup_##e, teardown, NULL },                                   \
	{                                                                                          \
		"damaged, " #e, test_damaged, setup_##e, teardown, NULL                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(isal), TESTS(zlib) };

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
