/* SPDX-License-Identifier: Zlib */
/*
 * The header of a dynamic block is good where zlib says so, at any bit, spoiled in any place and cut anywhere; and a
 * first block whose codes zlib refuses is refused, whatever a device made of it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/qpool.h"
#include "inflate/header.h"
#include "inflate/keep.h"
#include "inflate/request.h"
#include "operate/root.h"
#include "stream/soft_zlib.h"
#include "unit.h"

#define PLAIN_LEN 3000u
#define IN_MAX 8192u
#define SPOILED_NR 4000u

static unsigned char plain[PLAIN_LEN], in[IN_MAX];
static size_t in_len;
static uint32_t word = 1;

static uint32_t random_below(uint32_t limit)
{
	word = word * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)word * limit >> 32);
}

/* A raw stream that begins with a dynamic block of one of a few kinds. */
static void pack(unsigned int kind)
{
	z_stream z = { .next_in = plain, .avail_in = PLAIN_LEN, .next_out = in, .avail_out = IN_MAX };

	for (unsigned int i = 0; i < PLAIN_LEN; i++)
		plain[i] = (unsigned char)(kind == 0 ? random_below(4) + 'a' :
					   kind == 1 ? random_below(random_below(200) + 1) :
					   kind == 2 ? (unsigned char)"some words of text "[random_below(i % 19 + 1)] :
						       i / 60);
	assert_int_equal(zwd_soft()->deflateInit2_(&z, 9, Z_DEFLATED, -15, 8,
						   kind == 1 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY, ZLIB_VERSION,
						   sizeof(z)), Z_OK);
	assert_int_equal(zwd_soft()->deflate(&z, Z_FINISH), Z_STREAM_END);
	in_len = z.total_out;
	zwd_soft()->deflateEnd(&z);
	assert_int_equal(zwd_header_type(in, in_len, 0), ZWD_BLOCK_DYNAMIC);
}

enum verdict { BAD, CUT_OFF, GOOD };

static enum verdict ask_zlib(const unsigned char *at, size_t len, unsigned int pos)
{
	unsigned char out[8];
	z_stream z = { .next_in = (z_const Bytef *)at, .avail_in = (uInt)len,
		       .next_out = out, .avail_out = sizeof(out) };
	int ret;

	assert_int_equal(zwd_soft()->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
	if (pos) {
		z.next_in++;
		z.avail_in--;
		zwd_soft()->inflatePrime(&z, (int)(8 - pos), at[0] >> pos);
	}
	ret = zwd_soft()->inflate(&z, Z_TREES);
	zwd_soft()->inflateEnd(&z);
	if (ret == Z_DATA_ERROR)
		return BAD;
	return z.data_type & 256 ? GOOD : CUT_OFF;
}

static enum verdict ask(const unsigned char *at, size_t len, unsigned int pos)
{
	int is_good = zwd_header_has_codes(at, len, pos), is_bad = zwd_header_has_bad_codes(at, len, pos);

	assert_false(is_good && is_bad);
	return is_good ? GOOD : is_bad ? BAD : CUT_OFF;
}

static size_t header_len(void)
{
	size_t len = 1;

	while (ask_zlib(in, len, 0) != GOOD)
		len++;
	return len;
}

static void expect(const unsigned char *at, size_t len, unsigned int pos)
{
	enum verdict want = ask_zlib(at, len, pos), got = ask(at, len, pos);

	/* Of what is cut off more may be known here. */
	if (got != want && !(want == CUT_OFF && got == BAD))
		fail_msg("%zu bytes from bit %u: %d, zlib says %d", len, pos, got, want);
}

static void whole_and_cut_off(void **state)
{
	for (unsigned int kind = 0; kind < 4; kind++) {
		size_t len;

		pack(kind);
		len = header_len();
		for (size_t cut = 1; cut <= len; cut++)
			expect(in, cut, 0);
		assert_int_equal(ask(in, in_len, 0), GOOD);
		assert_int_equal(ask(in, len, 0), GOOD);
		assert_int_equal(ask(in, len - 1, 0), CUT_OFF);
		assert_true(zwd_header_is_credible(in, in_len, 0));
	}
}

/* Behind so many bits of something else. */
static void at_any_bit(void **state)
{
	for (unsigned int kind = 0; kind < 4; kind++)
		for (unsigned int pos = 0; pos < 8; pos++) {
			unsigned char moved[IN_MAX + 1] = { 0 };

			pack(kind);
			for (size_t i = 0; i < in_len; i++) {
				moved[i] |= (unsigned char)(in[i] << pos);
				moved[i + 1] = (unsigned char)(in[i] >> (8 - pos));
			}
			assert_int_equal(ask(moved, in_len + 1, pos), GOOD);
			expect(moved, in_len + 1, pos);
		}
}

static void spoiled(void **state)
{
	unsigned int nr[3] = { 0 };

	for (unsigned int i = 0; i < SPOILED_NR; i++) {
		size_t bits;

		pack(i % 4);
		bits = header_len() * 8;
		for (unsigned int n = 0; n <= i % 3; n++) {
			/* The block stays a dynamic one. */
			uint32_t bit = 3 + random_below((uint32_t)(i % 2 ? bits : 80) - 3);

			in[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
		expect(in, in_len, 0);
		nr[ask(in, in_len, 0)]++;
	}
	assert_true(nr[BAD] > SPOILED_NR / 10 && nr[GOOD]);
}

/* What a device says of all of a raw stream, of which it reads all that there is. 0, or -errno. */
static int take(void)
{
	z_stream strm = { .next_in = in, .avail_in = (uInt)in_len };
	struct zwd_stream *s = zwd_stream_new(&strm, ZWD_MAGIC_INFLATE);
	unsigned char *out = malloc(PLAIN_LEN);
	const struct zwd_sent sent = { .in = in, .out = plain, .len = (uint32_t)in_len, .room = PLAIN_LEN };
	const struct wd_zip_res res = { .consumed = (uint32_t)in_len, .produced = PLAIN_LEN, .status = WD_ZIP_END };
	int ret;

	assert_non_null(s);
	strm.next_out = out;
	strm.avail_out = PLAIN_LEN;
	s->i.format = WD_ZIP_DEFLATE;
	ret = zwd_request_take(&strm, s, &sent, NULL, &res);
	assert_int_equal(strm.total_out, ret ? 0 : PLAIN_LEN);
	zwd_keep_drop(s);
	zwd_stream_free(&strm, s);
	free(out);
	return ret;
}

static void a_device_is_not_believed(void **state)
{
	unsigned int bad_nr = 0;

	for (unsigned int i = 0; i < 200; i++) {
		pack(i % 4);
		assert_int_equal(take(), 0);
		in[2 + random_below(8)] ^= (unsigned char)(1u << random_below(8));
		if (ask_zlib(in, in_len, 0) == BAD)
			bad_nr++;
		assert_int_equal(take(), ask_zlib(in, in_len, 0) == BAD ? -EBADMSG : 0);
	}
	assert_true(bad_nr > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_and_cut_off),
		cmocka_unit_test(at_any_bit),
		cmocka_unit_test(spoiled),
		cmocka_unit_test(a_device_is_not_believed),
	};

	zwd_root_note();
	zwd_soft();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
