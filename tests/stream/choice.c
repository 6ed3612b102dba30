/* SPDX-License-Identifier: Zlib */
/*
 * Guards: who does a stream, and what the statistics say about it. The settings are read once in a
 * process, so every row has its own.
 */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define REASON(name) offsetof(struct zwd_dir_choice, soft_##name)
#define NO_REASON REASON(setting), 0

enum action {
	DEFLATE, PIECES, PRIME, TUNE, DICTIONARY, BLOCK, INFLATE, ANY_HEADER, MARK, INFLATE_DICTIONARY,
	LITTLE_ROOM
};

static const struct row {
	const char *rule;
	enum action action;
	size_t len;
	unsigned int nr; /* streams */
	const char *env[3];
	int level, strategy, wbits, mem_level;
	/* What is expected: */
	int is_device;
	size_t reason; /* of software, and how often */
	unsigned int reason_nr;
} rows[] = {
	{ "whatever its size", DEFLATE, 1, 2, { "ZWD_ENGINE=hw" }, 6, 0, 15, 8, 1, NO_REASON },
	{ "never", DEFLATE, 70000, 2, { "ZWD_ENGINE=soft" }, 6, 0, 15, 8, 0, REASON(setting), 2 },
	{ "reproducible", DEFLATE, 70000, 1, { "SOURCE_DATE_EPOCH=1" },
	  6, 0, 15, 8, 0, REASON(setting), 1 },
	{ "no device", DEFLATE, 70000, 1, { "WD_DEVICE=none" },
	  6, 0, 15, 8, 0, REASON(no_device), 1 },
	{ "below the size set", DEFLATE, 4999, 3, { "ZWD_MIN_DEFLATE=5000" },
	  6, 0, 31, 8, 0, REASON(small), 3 },
	{ "the size set", DEFLATE, 5000, 3, { "ZWD_MIN_DEFLATE=5000" }, 6, 0, 31, 8, 1, NO_REASON },
	{ "gathered, below it", PIECES, 4999, 3, { "ZWD_MIN_DEFLATE=5000" },
	  6, 0, -15, 8, 0, REASON(small), 3 },
	{ "gathered, as large", PIECES, 5000, 3, { "ZWD_MIN_DEFLATE=5000" },
	  6, 0, -15, 8, 1, NO_REASON },
	{ "learned: first bulk", DEFLATE, 65536, 1, { "ZWD_MIN_DEFLATE=learned" },
	  6, 0, 15, 8, 1, NO_REASON },
	{ "fixed: bulk", DEFLATE, 65536, 1, { 0 }, 6, 0, 15, 8, 1, NO_REASON },
	{ "fixed: a few bytes", DEFLATE, 50, 1, { 0 }, 6, 0, 15, 8, 0, REASON(small), 1 },
	{ "fixed: nothing", DEFLATE, 0, 1, { 0 }, 6, 0, 15, 8, 0, REASON(small), 1 },
	{ "level", DEFLATE, 70000, 2, { 0 }, 9, 0, 15, 8, 0, REASON(level), 2 },
	{ "level set", DEFLATE, 70000, 2, { "ZWD_LEVELS=9" }, 9, 0, 15, 8, 1, NO_REASON },
	{ "strategy", DEFLATE, 70000, 1, { 0 }, 6, Z_FILTERED, 15, 8, 0, REASON(strategy), 1 },
	{ "window of 4 KiB", DEFLATE, 70000, 1, { 0 }, 6, 0, 12, 8, 1, NO_REASON },
	{ "window", DEFLATE, 70000, 1, { 0 }, 6, 0, 11, 8, 0, REASON(window), 1 },
	{ "dictionary", DICTIONARY, 70000, 1, { 0 }, 6, 0, 15, 8, 0, REASON(dictionary), 1 },
	{ "primed", PRIME, 70000, 1, { 0 }, 6, 0, -15, 8, 0, REASON(tuned), 1 },
	{ "tuned", TUNE, 70000, 1, { 0 }, 6, 0, 15, 8, 0, REASON(tuned), 1 },
	{ "block", BLOCK, 70000, 1, { 0 }, 6, 0, 15, 8, 1, NO_REASON },
	{ "dictionary of a long raw stream", DICTIONARY, 70000, 1, { 0 }, 6, 0, -15, 8, 1, NO_REASON },
	{ "dictionary of a short one", DICTIONARY, 60000, 1, { 0 }, 6, 0, -15, 8, 0, REASON(dictionary), 1 },
	{ "learned: failed", DEFLATE, 65536, 1, { "ZWD_MIN_DEFLATE=learned", "WD_DEVICE=emu:fault=error@1+" },
	  6, 0, 15, 8, 0, REASON(failed), 1 },
	{ "failed", DEFLATE, 70000, 1, { "WD_DEVICE=emu:fault=error@1+" },
	  6, 0, 15, 8, 0, REASON(failed), 1 },
	{ "gone", DEFLATE, 70000, 1, { "WD_DEVICE=emu:fault=hang@1", "ZWD_TIMEOUT_MS=50" },
	  6, 0, 15, 8, 0,
	  REASON(failed), 1 },
	{ "whatever its size", INFLATE, 1, 2, { "ZWD_ENGINE=hw" }, 6, 0, 15, 8, 1, NO_REASON },
	{ "never", INFLATE, 900000, 1, { "ZWD_ENGINE=soft" }, 6, 0, 15, 8, 0, REASON(setting), 1 },
	{ "no device", INFLATE, 900000, 1, { "WD_DEVICE=none" },
	  6, 0, 31, 8, 0, REASON(no_device), 1 },
	{ "below the size set", INFLATE, 900000, 1, { "ZWD_MIN_INFLATE=1G" }, 6, 0, 15, 8,
	  0, REASON(small), 1 },
	{ "the size set", INFLATE, 9, 1, { "ZWD_MIN_INFLATE=1" }, 6, 0, 15, 8, 1, NO_REASON },
	{ "learned: first bulk", INFLATE, 900000, 1, { 0 }, 6, 0, 15, 8, 1, NO_REASON },
	{ "learned: a few bytes", INFLATE, 50, 1, { 0 }, 6, 0, 15, 8, 0, REASON(small), 1 },
	{ "window", INFLATE, 900000, 1, { 0 }, 6, 0, 14, 8, 0, REASON(window), 1 },
	{ "little room at first", LITTLE_ROOM, 900000, 1, { 0 }, 6, 0, 15, 8, 0, REASON(small), 1 },
	{ "any header: zlib's", ANY_HEADER, 900000, 1, { 0 }, 6, 0, 15, 8, 1, NO_REASON },
	{ "any header: gzip's", ANY_HEADER, 900000, 1, { 0 }, 6, 0, 31, 8, 1, NO_REASON },
	{ "where it is", MARK, 900000, 1, { 0 }, 6, 0, 15, 8, 0, REASON(tuned), 1 },
	{ "dictionary", INFLATE_DICTIONARY, 900000, 1, { 0 },
	  6, 0, 15, 8, 0, REASON(dictionary), 1 },
};

static const unsigned char dictionary[] = "a preset dictionary";

static void do_deflate(const struct row *r, const unsigned char *plain)
{
	uLong room = 2 * r->len + 1000;
	unsigned char *out = malloc(room);
	z_stream strm = { .next_out = out, .avail_out = (uInt)room };

	assert_non_null(out);
	assert_int_equal(deflateInit2(&strm, r->level, Z_DEFLATED, r->wbits, r->mem_level,
				      r->strategy),
			 Z_OK);
	if (r->action == DICTIONARY)
		assert_int_equal(deflateSetDictionary(&strm, dictionary, sizeof(dictionary)), Z_OK);
	if (r->action == PRIME)
		assert_int_equal(deflatePrime(&strm, 0, 0), Z_OK);
	if (r->action == TUNE)
		assert_int_equal(deflateTune(&strm, 8, 16, 128, 128), Z_OK);
	strm.next_in = (z_const Bytef *)plain;
	if (r->action == PIECES) {
		strm.avail_in = (uInt)r->len / 2;
		assert_int_equal(deflate(&strm, Z_NO_FLUSH), Z_OK);
	}
	strm.avail_in += (uInt)(r->len - strm.total_in);
	if (r->action == BLOCK)
		assert_int_equal(deflate(&strm, Z_BLOCK), Z_OK);
	assert_int_equal(deflate(&strm, Z_FINISH), Z_STREAM_END);
	if (r->action != DICTIONARY)
		assert_inflates(r->wbits, out, strm.total_out, plain, r->len);
	assert_int_equal(deflateEnd(&strm), Z_OK);
	free(out);
}

static void do_inflate(const struct row *r, const unsigned char *plain)
{
	uLong packed_len = 2 * r->len + 1000;
	unsigned char *packed = malloc(packed_len), *out = malloc(r->len + 1);
	z_stream strm = { .next_out = packed, .avail_out = (uInt)packed_len };

	assert_true(packed && out);
	ref.deflateInit2_(&strm, r->level, Z_DEFLATED, r->wbits, 8, 0, ZLIB_VERSION, sizeof(strm));
	if (r->action == INFLATE_DICTIONARY)
		ref.deflateSetDictionary(&strm, dictionary, sizeof(dictionary));
	strm.next_in = (z_const Bytef *)plain;
	strm.avail_in = (uInt)r->len;
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	packed_len = strm.total_out;
	ref.deflateEnd(&strm);

	strm = (z_stream){ .next_in = packed, .avail_in = (uInt)packed_len };
	assert_int_equal(inflateInit2(&strm, r->action == ANY_HEADER ? 32 : r->wbits), Z_OK);
	strm.next_out = out;
	strm.avail_out = (uInt)r->len + 1;
	if (r->action == MARK)
		inflateMark(&strm);
	if (r->action == LITTLE_ROOM) {
		strm.avail_out = 1000;
		assert_int_equal(inflate(&strm, Z_NO_FLUSH), Z_OK);
		strm.avail_out = (uInt)(r->len + 1 - strm.total_out);
	}
	if (r->action == INFLATE_DICTIONARY) {
		assert_int_equal(inflate(&strm, Z_NO_FLUSH), Z_NEED_DICT);
		assert_int_equal(inflateSetDictionary(&strm, dictionary, sizeof(dictionary)), Z_OK);
	}
	assert_int_equal(inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.total_out, r->len);
	assert_memory_equal(out, plain, r->len);
	assert_int_equal(inflateEnd(&strm), Z_OK);
	free(packed);
	free(out);
}

static void in_process(const void *arg, void *result)
{
	const struct row *r = arg;
	unsigned char *plain;

	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
	for (size_t i = 0; i < NR(r->env) && r->env[i]; i++)
		putenv((char *)r->env[i]);
	plain = gen_alloc(GEN_MIXED, r->len + 1);
	for (unsigned int i = 0; i < r->nr; i++)
		r->action < INFLATE ? do_deflate(r, plain) : do_inflate(r, plain);
	free(plain);
	assert_int_equal(zwd_stats(result, sizeof(struct zwd_stats)), sizeof(struct zwd_stats));
}

static void run(const struct row *r, struct zwd_stats *stats)
{
	int status = run_in_child(in_process, r, stats, sizeof(*stats));

	if (status)
		fail_msg("%s: status 0x%x", r->rule, status);
}

static void each_goes_where_it_should(void **state)
{
	for (size_t i = 0; i < NR(rows); i++) {
		const struct row *r = &rows[i];
		struct zwd_stats stats;
		const struct zwd_dir_stats *d = r->action < INFLATE ? &stats.deflate :
								      &stats.inflate;
		const struct zwd_dir_choice *c = r->action < INFLATE ? &stats.deflate_choice :
								       &stats.inflate_choice;
		uint64_t reasons = 0;

		run(r, &stats);
		for (size_t at = REASON(setting); at <= REASON(failed); at += sizeof(uint64_t))
			reasons += *(const uint64_t *)((const char *)c + at);
		if ((d->hw_requests > 0) != r->is_device || reasons != r->reason_nr ||
		    *(const uint64_t *)((const char *)c + r->reason) != r->reason_nr)
			fail_msg("%s of %zu bytes, %s: %llu requests, %llu reasons",
				 r->action < INFLATE ? "deflate" : "inflate", r->len, r->rule,
				 (unsigned long long)d->hw_requests, (unsigned long long)reasons);
	}
}

static void tells_the_sizes(void **state)
{
	static const struct {
		const char *env[3];
		uint64_t deflate, inflate;
	} table[] = {
		{ { "ZWD_ENGINE=hw" }, 0, 0 },
		{ { "ZWD_ENGINE=soft" }, UINT64_MAX, UINT64_MAX },
		{ { "ZWD_MIN_DEFLATE=3K", "ZWD_MIN_INFLATE=77" }, 3072, 77 },
	};

	for (size_t i = 0; i < NR(table); i++) {
		struct row r = { .rule = "sizes", .action = DEFLATE, .len = 100000, .nr = 1,
				 .level = 6, .wbits = 15, .mem_level = 8 };
		struct zwd_stats stats;

		memcpy(r.env, table[i].env, sizeof(r.env));
		run(&r, &stats);
		assert_true(stats.deflate_choice.min_len == table[i].deflate);
		assert_true(stats.deflate_choice.min_len_fast == table[i].deflate);
		assert_true(stats.inflate_choice.min_len == table[i].inflate);
	}
}

/* Many short streams as well as one long one: the count is the process's. */
static void verifies_one_in_n(void **state)
{
	static const struct {
		const char *verify;
		unsigned int verified;
	} table[] = { { "ZWD_VERIFY=0", 0 }, { "ZWD_VERIFY=1", 12 }, { "ZWD_VERIFY=5", 2 } };

	for (size_t i = 0; i < NR(table); i++) {
		struct row r = { "verify", DEFLATE, 20000, 12, { "ZWD_ENGINE=hw", table[i].verify },
				 6, 0, 31, 8, 1, NO_REASON };
		struct zwd_stats stats;

		run(&r, &stats);
		assert_int_equal(stats.deflate.hw_requests, 12);
		assert_int_equal(stats.deflate.verified, table[i].verified);
		assert_int_equal(stats.deflate.mismatches, 0);
	}
}

/* A unit's plain text may end where a piece of what is compared ends. */
static void verifies_units_of_any_length(void **state)
{
	static const size_t lens[] = { 65535, 65536, 65537, 4 * 65536, 4 * 65536 - 1 };

	for (size_t i = 0; i < NR(lens); i++) {
		struct row r = { "verify", DEFLATE, lens[i], 3,
				 { "ZWD_ENGINE=hw", "ZWD_VERIFY=1", "ZWD_UNIT=64K" },
				 6, 0, 31, 8, 0, NO_REASON };
		struct zwd_stats stats;

		run(&r, &stats);
		assert_true(stats.deflate.verified > 0);
		assert_int_equal(stats.deflate.mismatches, 0);
		assert_int_equal(stats.deflate.errors, 0);
	}
}

static void mismatch_is_done_again_by_software(void **state)
{
	struct row r = { "mismatch", DEFLATE, 60000, 1,
			 { "ZWD_ENGINE=hw", "ZWD_VERIFY=1", "WD_DEVICE=emu:fault=corrupt@1+" },
			 6, 0, 31, 8, 0, NO_REASON };
	struct zwd_stats stats;

	run(&r, &stats);
	assert_int_equal(stats.deflate.verified, 2);
	assert_int_equal(stats.deflate.mismatches, 2);
	assert_int_equal(stats.deflate.failovers, 1);
	assert_int_equal(stats.deflate.hw_requests, 0);
	assert_int_equal(stats.deflate.soft_in, 60000);
	assert_int_equal(stats.deflate_choice.soft_failed, 1);
}

/* Units of which every one fails are software's, and as small as it makes them. */
static void what_fails_is_compressed_all_the_same(void **state)
{
	struct row r = { "all fail", DEFLATE, 1000000, 1,
			 { "ZWD_ENGINE=hw", "ZWD_UNIT=64K", "WD_DEVICE=emu:fault=error@1+" },
			 6, 0, 31, 8, 0, NO_REASON };
	struct zwd_stats stats;

	run(&r, &stats);
	assert_int_equal(stats.deflate.soft_in, r.len);
	assert_in_range(stats.deflate.soft_out, 1, r.len / 2);
}

/* Which engine is the better depends on the machine: either will do, in both directions. */
static void learns_both_ways(void **state)
{
	static const enum action actions[] = { DEFLATE, INFLATE };

	for (size_t i = 0; i < NR(actions); i++) {
		struct row r = { .rule = "learned", .action = actions[i], .len = 300000, .nr = 12,
				 .env = { "ZWD_MIN_INFLATE=learned", "ZWD_MIN_DEFLATE=learned" },
				 .level = 6, .wbits = 15, .mem_level = 8 };
		const struct zwd_dir_stats *d;
		struct zwd_stats stats;

		run(&r, &stats);
		d = i ? &stats.inflate : &stats.deflate;
		assert_true(d->hw_requests || d->soft_streams);
		assert_int_equal(d->errors, 0);
	}
}

/* A device that takes a tenth of a second for what software does in much less is left alone but for a few tries. */
static void learns_that_a_device_is_slow(void **state)
{
	static const enum action actions[] = { DEFLATE, INFLATE };

	for (size_t i = 0; i < NR(actions); i++) {
		struct row r = { .rule = "slow device", .action = actions[i], .len = 100000, .nr = 60,
				 .env = { "ZWD_MIN_INFLATE=learned", "ZWD_MIN_DEFLATE=learned",
					  "WD_DEVICE=emu:latency_us=100000" },
				 .level = 6, .wbits = 15, .mem_level = 8 };
		const struct zwd_dir_choice *c;
		struct zwd_stats stats;

		run(&r, &stats);
		c = i ? &stats.inflate_choice : &stats.deflate_choice;
		assert_in_range(c->soft_small, r.nr * 3 / 4, r.nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_goes_where_it_should),
		cmocka_unit_test(tells_the_sizes),
		cmocka_unit_test(verifies_one_in_n),
		cmocka_unit_test(verifies_units_of_any_length),
		cmocka_unit_test(mismatch_is_done_again_by_software),
		cmocka_unit_test(what_fails_is_compressed_all_the_same),
		cmocka_unit_test(learns_both_ways),
		cmocka_unit_test(learns_that_a_device_is_slow),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
