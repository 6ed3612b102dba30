/* SPDX-License-Identifier: Zlib */
/*
 * However little may be kept, the way back to software is there until the end: what a device refuses, a wrong
 * trailer for instance, is in zlib's words and at zlib's place.
 */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define WHOLE	  UINT_MAX

enum { LEN_MAX = 700000, STREAMS = 100 };

static const char *const budgets[] = { "0", "64K", "200K", "300K", "1M" };

struct told {
	char text[200];
};

/* In a first step and further ones. How it ended. */
static int read_to_the_end(const struct zlib_api *z, z_stream *strm, int wbits, const struct buf *packed, const uInt *steps,
			   unsigned char *out)
{
	int ret = Z_OK;

	*strm = (z_stream){ 0 };
	assert_int_equal(z->inflateInit2_(strm, wbits, ZLIB_VERSION, (int)sizeof(*strm)), Z_OK);
	strm->next_in = packed->data;
	while (ret == Z_OK) {
		size_t left = packed->len - strm->total_in, step = steps[strm->total_in != 0];

		strm->avail_in = (uInt)(left < step ? left : step);
		strm->next_out = out + strm->total_out;
		strm->avail_out = (uInt)(LEN_MAX + 1 - strm->total_out);
		ret = z->inflate(strm, Z_NO_FLUSH);
	}
	return ret;
}

/* With flush points at so many bytes of plain text; 0: none. */
static void pack(int wbits, int level, const unsigned char *plain, size_t len, size_t points, struct buf *packed)
{
	z_stream strm = { .next_in = (z_const Bytef *)plain };

	assert_int_equal(ref.deflateInit2_(&strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_out = buf_room(packed, 2 * len);
	strm.avail_out = (uInt)(2 * len);
	while (strm.total_in < len) {
		size_t left = len - strm.total_in;

		strm.avail_in = (uInt)(points && points < left ? points : left);
		ref.deflate(&strm, left > strm.avail_in ? Z_FULL_FLUSH : Z_FINISH);
	}
	packed->len = strm.total_out;
	assert_int_equal(ref.deflateEnd(&strm), Z_OK);
}

static void damaged_ends(const void *arg, void *result)
{
	static const enum gen gens[] = { GEN_RANDOM, GEN_BINARY, GEN_MIXED, GEN_RANDOM };
	static const uInt all_steps[][2] = {
		{ 2047, WHOLE }, { WHOLE, WHOLE }, { 2047, WHOLE }, { 30000, 100000 }
	};
	static unsigned char plain[LEN_MAX], out[LEN_MAX + 1];
	struct told *told = result;

	setenv("ZWD_KEEP", arg, 1);
	for (size_t i = 0; i < STREAMS && !told->text[0]; i++) {
		static const int wrappers[] = { 15, 31 };
		int wbits = wrappers[i % 2], level = 1 + (int)test_random_below(9), ret, want_ret;
		size_t len = 200000 + test_random_below(LEN_MAX - 200000);
		const uInt *steps = all_steps[test_random_below(NR(all_steps))];
		enum gen gen = gens[i / 2 % NR(gens)];
		struct buf packed = { 0 };
		z_stream strm, want;

		gen_fill(gen, plain, len);
		pack(wbits, level, plain, len, i % 3 ? 20000 + test_random_below(200000) : 0, &packed);
		/* Of the checksum. */
		packed.data[packed.len - (wbits == 31 ? 5 : 1)] ^= 0x40;
		want_ret = read_to_the_end(&ref, &want, wbits, &packed, steps, out);
		ret = read_to_the_end(&ours, &strm, wbits, &packed, steps, out);
		if (ret != want_ret || strcmp(strm.msg ? strm.msg : "", want.msg) || strm.total_out != want.total_out ||
		    strm.total_in != want.total_in || memcmp(out, plain, len))
			snprintf(told->text, sizeof(told->text), "%s, %zu bytes, level %d, steps of %u and %u: %d %s at %lu, %lu",
				 gen_name(gen), len, level, steps[0], steps[1], ret, strm.msg ? strm.msg : "-", strm.total_in,
				 strm.total_out);
		ours.inflateEnd(&strm);
		ref.inflateEnd(&want);
		buf_free(&packed);
	}
}

static void with_budget(void **state)
{
	struct told told = { "" };

	assert_int_equal(run_in_child(damaged_ends, *state, &told, sizeof(told)), 0);
	if (told.text[0])
		fail_msg("ZWD_KEEP=%s: %s", (const char *)*state, told.text);
}

int main(void)
{
	struct CMUnitTest tests[NR(budgets)];

	test_begin(120);
	for (size_t i = 0; i < NR(budgets); i++)
		tests[i] = (struct CMUnitTest){ budgets[i], with_budget, NULL, NULL, (void *)budgets[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
