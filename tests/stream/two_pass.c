/* SPDX-License-Identifier: Zlib */
/*
 * Callers that compress twice and need the same length both times: libpng's writers to memory,
 * which first count into a buffer of 32 KiB that they throw away, and all who ask for a size, then
 * for the data.
 */
#include "config.h"
#include "again.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { DISCARD = 32768, MOST = 3000000, ROW = 1920 * 3 + 1 };

static const size_t sizes[] = { 0,     1,     70,     1000,   3000,    20000,	30000,	 65536,
				65600, 70000, 200000, 400000, 1048576, 1100000, 2097153, MOST };
static const enum gen gens[] = { GEN_BINARY, GEN_TEXT, GEN_MIXED };
static const int levels[] = { 6, -1, 1, 4, 9 };
static unsigned char *plain[NR(gens)];

/* One pass: the data in rows (0: as a whole), the output in pieces of room. */
struct pass {
	size_t row, room;
};

static size_t compress_pass(const struct pass *p, int level, int wbits, const unsigned char *src,
			    size_t len, unsigned char *out, size_t out_size, int is_kept)
{
	z_stream strm = { 0 };
	size_t pos = 0, got = 0;
	int ret;

	assert_int_equal(deflateInit2(&strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	do {
		size_t nr = p->row && p->row < len - pos ? p->row : len - pos;

		strm.next_in = (z_const Bytef *)src + pos;
		strm.avail_in = (uInt)nr;
		pos += nr;
		do {
			size_t room = p->room;

			if (is_kept && room > out_size - got)
				room = out_size - got;
			strm.next_out = is_kept ? out + got : out;
			strm.avail_out = (uInt)room;
			ret = ours.deflate(&strm, pos == len ? Z_FINISH : Z_NO_FLUSH);
			got += room - strm.avail_out;
			/* Longer than the first time: this is what such callers die of. */
			if (is_kept && got == out_size && ret != Z_STREAM_END)
				fail_msg("no end after %zu bytes, where the first time there was",
					 got);
		} while (strm.avail_in || (pos == len && ret == Z_OK));
	} while (pos < len);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_out, got);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	return got;
}

static void twice(const struct pass *first, const struct pass *second, const char *what)
{
	unsigned char *discard = malloc(MOST * 2), *out = malloc(MOST * 2);

	for (size_t s = 0; s < NR(sizes); s++)
		for (size_t g = 0; g < NR(gens); g++)
			for (int turn = 0; turn < (sizes[s] > 300000 ? 1 : 4); turn++) {
				int level = levels[(s + g + (size_t)turn) % NR(levels)];
				int wbits = (s + g) % 3 == 0 ? 15 : (s + g) % 3 == 1 ? 31 : -15;
				size_t len, again;

				len = compress_pass(first, level, wbits, plain[g], sizes[s],
						    discard, 0, 0);
				/* Of a raw stream zlib says its end only where a byte of room is
				 * left. */
				again = compress_pass(second, level, wbits, plain[g], sizes[s], out,
						      len + (wbits < 0), 1);
				if (again != len)
					fail_msg("%s: %s, %zu bytes, level %d, window bits %d: "
						 "%zu, then %zu",
						 what, gen_name(gens[g]), sizes[s], level, wbits,
						 len, again);
				assert_inflates(wbits, out, again, plain[g], sizes[s]);
			}
	free(discard);
	free(out);
}

/* Rows both times; png_image_write_get_memory_size(), then png_image_write_to_memory(). */
static void rows_into_nothing_then_into_memory(void **state)
{
	twice(&(struct pass){ ROW, DISCARD }, &(struct pass){ ROW, DISCARD }, "rows");
	twice(&(struct pass){ ROW, 8192 }, &(struct pass){ ROW, MOST * 2 },
	      "rows, then in one room");
}

static void as_a_whole_into_nothing_then_into_memory(void **state)
{
	twice(&(struct pass){ 0, DISCARD }, &(struct pass){ 0, MOST * 2 }, "whole");
	twice(&(struct pass){ 0, DISCARD }, &(struct pass){ 16384, DISCARD },
	      "whole, then in pieces");
}

/* The room of the second call is what the first one took. */
static void one_call_then_one_that_fits_exactly(void **state)
{
	unsigned char *out = malloc(MOST * 2), *fit = malloc(MOST * 2);

	for (size_t s = 0; s < NR(sizes); s++)
		for (size_t g = 0; g < NR(gens); g++)
			for (int turn = 0; turn < (sizes[s] > 300000 ? 2 : 10); turn++) {
				int level = levels[(s + g + (size_t)turn) % NR(levels)];
				uLongf len = MOST * 2, fit_len;

				assert_int_equal(
					ours.compress2(out, &len, plain[g], sizes[s], level), Z_OK);
				fit_len = len;
				if (ours.compress2(fit, &fit_len, plain[g], sizes[s], level) !=
				    Z_OK)
					fail_msg("%s, %zu bytes, level %d: not in %lu again",
						 gen_name(gens[g]), sizes[s], level, len);
				assert_int_equal(fit_len, len);
				assert_memory_equal(fit, out, len);
			}
	free(out);
	free(fit);
}

/* As programs meet it, where the library chooses: a hundred times the same image. */
static void a_hundred_times_the_same(void **state)
{
	static const size_t lens[] = { 3000, 20000, 70000 };
	unsigned char *out = malloc(MOST);

	for (size_t l = 0; l < NR(lens); l++) {
		uLongf first = 0;

		for (int i = 0; i < 100; i++) {
			uLongf len = MOST;

			assert_int_equal(ours.compress2(out, &len, plain[0], lens[l], 6), Z_OK);
			first = i ? first : len;
			if (len != first)
				fail_msg("%zu bytes, time %d: %lu, before %lu", lens[l], i, len,
					 first);
		}
	}
	free(out);
}

static int make(void **state)
{
	for (size_t g = 0; g < NR(gens); g++)
		plain[g] = gen_alloc(gens[g], MOST);
	return 0;
}

static int drop(void **state)
{
	for (size_t g = 0; g < NR(gens); g++)
		free(plain[g]);
	return 0;
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_times_the_same),
		cmocka_unit_test(rows_into_nothing_then_into_memory),
		cmocka_unit_test(as_a_whole_into_nothing_then_into_memory),
		cmocka_unit_test(one_call_then_one_that_fits_exactly),
	};

	return cmocka_run_group_tests(tests, make, drop);
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "ZWD_ENGINE=auto", NULL };
	static const char *const args[] = { NULL };
	struct buf out = { 0 };
	int failed;

	test_begin(120);
	/* A device that fails may change a length. */
	if (test_mode == MODE_FAULT)
		return 77;
	failed = run();
	if (test_mode != MODE_EMU || is_again(argc, argv))
		return failed;
	failed |= run_again(settings, args, &out);
	buf_free(&out);
	return !!failed;
}
