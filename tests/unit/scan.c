/* SPDX-License-Identifier: Zlib */
/*
 * A place at which software can begin is found in each kind of blocks: stored, fixed, dynamic. From it on zlib makes
 * what is behind it. All else about places is in anchor.c, which takes its time.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "inflate/anchor.h"
#include "operate/root.h"
#include "stream/soft_zlib.h"
#include "unit.h"

enum { PLAIN_LEN = 400000, IN_MAX = PLAIN_LEN + 4096, CUTS = 12 };

static unsigned char plain[PLAIN_LEN], in[IN_MAX], out[PLAIN_LEN];

static size_t pack(int level, int mem_level, int strategy)
{
	z_stream z = { .next_in = plain, .avail_in = PLAIN_LEN, .next_out = in, .avail_out = IN_MAX };

	assert_int_equal(zwd_soft()->deflateInit2_(&z, level, Z_DEFLATED, -15, mem_level, strategy, ZLIB_VERSION,
						   sizeof(z)), Z_OK);
	assert_int_equal(zwd_soft()->deflate(&z, Z_FINISH), Z_STREAM_END);
	zwd_soft()->deflateEnd(&z);
	return z.total_out;
}

/* In blocks of lengths that look like nothing else. */
static size_t store(void)
{
	size_t at = 0, len;

	for (size_t done = 0; done < PLAIN_LEN; done += len) {
		len = 20000 + done % 777;
		if (len > PLAIN_LEN - done)
			len = PLAIN_LEN - done;
		in[at++] = done + len == PLAIN_LEN;
		in[at++] = (unsigned char)len;
		in[at++] = (unsigned char)(len >> 8);
		in[at++] = (unsigned char)~len;
		in[at++] = (unsigned char)(~len >> 8);
		memcpy(in + at, plain + done, len);
		at += len;
	}
	return at;
}

/* What so much input makes, from a place on. */
static size_t make(size_t from, int bits, size_t window_end, size_t in_len)
{
	size_t window_len = window_end < 32768 ? window_end : 32768;
	z_stream z = { .next_in = in + from, .avail_in = (uInt)(in_len - from), .next_out = out,
		       .avail_out = PLAIN_LEN };

	assert_int_equal(zwd_soft()->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
	if (bits) {
		z.next_in++;
		z.avail_in--;
		zwd_soft()->inflatePrime(&z, 8 - bits, in[from] >> bits);
	}
	if (window_len)
		zwd_soft()->inflateSetDictionary(&z, plain + window_end - window_len, (uInt)window_len);
	zwd_soft()->inflate(&z, Z_SYNC_FLUSH);
	zwd_soft()->inflateEnd(&z);
	return z.total_out;
}

/* The nearer the end it is, the less has to be kept: at most so many bytes. */
static void find_in(size_t in_len, size_t most)
{
	for (size_t n = 0; n < CUTS; n++) {
		size_t cut = in_len / 2 + n * (in_len / 2 / CUTS), made = make(0, 0, 0, cut), back;
		struct zwd_anchor anchor;

		assert_int_equal(zwd_anchor_find(in, cut, plain, made, 1, &anchor), 0);
		assert_true(anchor.in_off < cut && anchor.out_back <= made);
		assert_in_range(cut - anchor.in_off, 1, most);
		back = make(anchor.in_off, anchor.bits, made - anchor.out_back, cut);
		assert_int_equal(back, anchor.out_back);
		assert_memory_equal(out, plain + made - back, back);
	}
}

static void stored_blocks(void **state)
{
	find_in(pack(0, 8, Z_DEFAULT_STRATEGY), 2 * 65536);
	find_in(store(), 2 * 21000);
}

static void fixed_blocks(void **state)
{
	find_in(pack(6, 5, Z_FIXED), 8192);
}

static void dynamic_blocks(void **state)
{
	find_in(pack(6, 8, Z_DEFAULT_STRATEGY), 65536);
	find_in(pack(1, 5, Z_HUFFMAN_ONLY), 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_blocks),
		cmocka_unit_test(fixed_blocks),
		cmocka_unit_test(dynamic_blocks),
	};
	uint32_t word = 1;

	for (size_t i = 0; i < PLAIN_LEN; i++) {
		word = word * 1664525u + 1013904223u;
		plain[i] = (unsigned char)('a' + (word >> 24) % (1 + (word >> 12) % 26));
	}
	zwd_root_note();
	zwd_soft();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
