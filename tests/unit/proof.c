/* SPDX-License-Identifier: Zlib */
/*
 * What is taken for a block of a stream that a device has read, and what is not although it decodes to the right
 * bytes: where nothing but an end that was passed, or bytes that came out of codes, could tell.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inflate/proof.h"
#include "operate/root.h"
#include "unit.h"

enum { LEN = 20000, STORED_LEN = 5000, FEW = 20, ENOUGH = 100 };

/* A stream made by hand, and what comes out of it. */
static unsigned char in[2 * LEN + 100], out[2 * LEN + 100];
static size_t bits, out_len;
static uint32_t word;

static unsigned char next_byte(void)
{
	word = word * 1664525u + 1013904223u;
	return (unsigned char)(word >> 24);
}

static void put(unsigned int value, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++, bits++)
		in[bits / 8] |= (unsigned char)((value >> i & 1) << bits % 8);
}

/* Letters, which have codes of 8 bits in a fixed block. Where it begins. */
static size_t put_fixed(size_t len, int has_end)
{
	size_t begin = bits;

	put(1 << 1, 3);
	while (len--) {
		unsigned char letter = 'a' + next_byte() % 26;
		unsigned int code = 0x30u + letter;

		for (int bit = 7; bit >= 0; bit--)
			put(code >> bit, 1);
		out[out_len++] = letter;
	}
	if (has_end)
		put(0, 7);
	return begin;
}

static void put_stored(size_t len)
{
	put(0, 3);
	bits = (bits + 7) & ~(size_t)7;
	put((unsigned int)len, 16);
	put(~(unsigned int)len, 16);
	while (len--) {
		unsigned char byte = next_byte();

		put(byte, 8);
		out[out_len++] = byte;
	}
}

/* Is a block at pos, by the last len bytes of the output? Behind so much of a stored one. */
static int prove(size_t pos, size_t stored_len, size_t len, size_t *back)
{
	struct zwd_proof *p = aligned_alloc(_Alignof(struct zwd_proof), sizeof(*p));
	int ret;

	assert_non_null(p);
	memset(p, 0, sizeof(*p));
	p->in = in;
	p->in_len = (bits + 7) / 8;
	p->out = out + out_len - len;
	p->out_len = len;
	p->budget = 1 << 20;
	assert_int_equal(zwd_proof_open(p), 0);
	ret = zwd_proof_block(p, pos, stored_len, back);
	zwd_proof_close(p);
	free(p);
	return ret;
}

static int begin(void **state)
{
	memset(in, 0, sizeof(in));
	bits = out_len = 0;
	word = 1;
	return 0;
}

/*
 * Three bits before a letter that are what a fixed block begins with: from there on all is right, but for what the
 * block's true header says of the end of the stream.
 */
static void within_a_fixed_block(void **state)
{
	unsigned int nr = 0;
	size_t back, first = put_fixed(LEN, 0);

	assert_int_equal(first, 0);
	assert_int_equal(prove(first, 0, out_len, &back), -ENOENT);
	for (size_t n = 1; n < LEN - 1000; n++) {
		if (((0x30u + out[n - 1]) & 7) != 2)
			continue;
		assert_int_equal(prove(8 * n, 0, out_len, &back), -ENOENT);
		if (++nr == 100)
			break;
	}
	assert_int_equal(nr, 100);
}

/* The end of the first of two tells of both. */
static void a_fixed_block_that_ends(void **state)
{
	size_t back = 0, from, second;

	put_fixed(LEN, 1);
	from = put_fixed(ENOUGH, 1);
	second = put_fixed(ENOUGH, 0);
	assert_int_equal(prove(from, 0, out_len, &back), 0);
	assert_int_equal(back, 2 * ENOUGH);
	assert_int_equal(prove(second, 0, out_len, &back), -ENOENT);
}

/* A few letters, and then what is stored: that is the same wherever it lies. */
static void few_bytes_out_of_codes(void **state)
{
	size_t back = 0, few, enough;

	put_fixed(LEN, 1);
	few = put_fixed(FEW, 1);
	put_stored(STORED_LEN);
	assert_int_equal(prove(few, 0, out_len, &back), -ENOENT);
	enough = put_fixed(ENOUGH, 1);
	put_stored(STORED_LEN);
	assert_int_equal(prove(enough, 0, out_len, &back), 0);
	assert_int_equal(back, ENOUGH + STORED_LEN);
}

/* As much of a stored block before it as there is output of. */
static void behind_a_stored_block(void **state)
{
	size_t back = 0, pos;

	put_fixed(ENOUGH, 1);
	put_stored(STORED_LEN);
	pos = put_fixed(FEW, 1);
	put_stored(FEW + 64);
	assert_int_equal(pos % 8, 0);
	assert_int_equal(prove(pos, STORED_LEN, out_len, &back), 0);
	assert_int_equal(back, 2 * FEW + 64);
	assert_int_equal(prove(pos, STORED_LEN, back + STORED_LEN / 2, &back), 0);
	assert_int_equal(back, 2 * FEW + 64);
	/* Not where it is too little, or another. */
	assert_int_equal(prove(pos, STORED_LEN, back + 10, &back), -ENOENT);
	out[out_len - back - 100] ^= 1;
	assert_int_equal(prove(pos, STORED_LEN, out_len, &back), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(within_a_fixed_block, begin),
		cmocka_unit_test_setup(a_fixed_block_that_ends, begin),
		cmocka_unit_test_setup(few_bytes_out_of_codes, begin),
		cmocka_unit_test_setup(behind_a_stored_block, begin),
	};

	zwd_root_note();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
