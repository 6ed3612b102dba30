/* SPDX-License-Identifier: Zlib */
/* Guards: the learned policy takes little longer than the better engine, whatever the device. */
#include "config.h"

#include "../../bench/learned.h"
#include "engine/learn.h"
#include "unit.h"

#define S ZWD_LEARN_SOFT
#define D ZWD_LEARN_DEVICE
enum { FAST, SLOW, INFLATE, KINDS };

static struct zwd_learn begin(int kind)
{
	static const struct zwd_learn kinds[KINDS] = { ZWD_LEARN_DEFLATE_FAST,
						       ZWD_LEARN_DEFLATE_SLOW, ZWD_LEARN_INFLATE };

	return kinds[kind];
}

/* What was measured before, how often, and what it makes of the next call. */
static const struct {
	const char *rule;
	int kind;
	size_t noted_len;
	uint64_t soft_ns, device_ns; /* 0: not measured */
	unsigned int nr;
	size_t len;
	enum zwd_learn_engine engine;
} rows[] = {
	{ "seed", SLOW, 0, 0, 0, 0, 100, S },
	{ "seed", SLOW, 0, 0, 0, 0, 1024, D },
	{ "seed", FAST, 0, 0, 0, 0, 100, S },
	{ "seed", FAST, 0, 0, 0, 0, 4096, D },
	{ "seed", INFLATE, 0, 0, 0, 0, 1024, S },
	{ "seed", INFLATE, 0, 0, 0, 0, 4096, D },
	{ "one outlier is none", SLOW, 4096, 0, 1000000000, 1, 4096, D },
	{ "two are none", SLOW, 4096, 0, 1000000000, 2, 4096, D },
	{ "three are the truth", SLOW, 4096, 0, 1000000000, 3, 4096, S },
	{ "measured faster", SLOW, 256, 0, 3000, 1, 256, D },
	{ "measured slower", SLOW, 4096, 60000, 66000, 4, 4096, S },
	{ "the nearest size counts", SLOW, 4096, 0, 55000, 4, 2048, S },
	{ "a fast processor", FAST, 8192, 10000, 0, 4, 4096, S },
	{ "bulk: a slow answer elsewhere", SLOW, 4096, 0, 1000000000, 9, 65536, D },
	{ "bulk: a device not much slower", SLOW, 65536, 200000, 600000, 9, 65536, D },
	{ "bulk: one far slower", SLOW, 65536, 200000, 1600000, 9, 65536, S },
	{ "bulk: inflate by its input", INFLATE, 16384, 100000, 300000, 9, 16384, D },
	{ "the largest size is open above", FAST, 1 << 20, 500000, 90000000, 9, 1 << 30, S },
};

static void chooses_by_rule(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct zwd_learn l = begin(rows[i].kind);

		for (unsigned int nr = 0; nr < rows[i].nr; nr++) {
			if (rows[i].soft_ns)
				zwd_learn_note(&l, S, rows[i].noted_len, rows[i].soft_ns);
			if (rows[i].device_ns)
				zwd_learn_note(&l, D, rows[i].noted_len, rows[i].device_ns);
		}
		if (zwd_learn_choose(&l, rows[i].len) != rows[i].engine)
			fail_msg("row %zu, %s: software %llu ns, device %llu ns", i, rows[i].rule,
				 (unsigned long long)zwd_learn_ns(&l, S, rows[i].len),
				 (unsigned long long)zwd_learn_ns(&l, D, rows[i].len));
	}
}

static void forgets_outliers_between(void **state)
{
	struct zwd_learn l = begin(SLOW);

	for (int i = 0; i < 100; i++)
		zwd_learn_note(&l, D, 4096, i % 3 ? 10000000 : 16000);
	assert_in_range(zwd_learn_ns(&l, D, 4096), 15000, 17000);
}

static void extremes_stay_in_range(void **state)
{
	struct zwd_learn l = begin(INFLATE);

	for (int i = 0; i < 100; i++)
		zwd_learn_note(&l, D, 1, 1ull << 50);
	assert_in_range(zwd_learn_ns(&l, D, 1), 100000000, 1ull << 50);
	for (int i = 0; i < 100; i++)
		zwd_learn_note(&l, D, 1, 0);
	assert_in_range(zwd_learn_ns(&l, D, 1), 1, 100);
	zwd_learn_note(&l, S, SIZE_MAX >> 12, 1);
	zwd_learn_choose(&l, SIZE_MAX >> 12);
}

static void explores_seldom(void **state)
{
	static const uint64_t device_ns[] = { 60000, 120000, 6000000 };

	for (size_t i = 0; i < ARRAY_NR(device_ns); i++) {
		struct zwd_learn l = begin(SLOW);
		uint64_t lost_ns = 0;

		for (int nr = 0; nr < 22000; nr++) {
			enum zwd_learn_engine engine = zwd_learn_choose(&l, 4096);

			zwd_learn_note(&l, engine, 4096, engine == D ? device_ns[i] : 50000);
			if (nr >= 2000 && engine == D)
				lost_ns += device_ns[i] - 50000;
		}
		assert_true(lost_ns > 0);
		assert_in_range(lost_ns, 0, 20000 * 50000ull / 64);
	}
}

static void tells_its_threshold(void **state)
{
	struct zwd_learn l = begin(INFLATE);

	assert_int_equal(zwd_learn_min_len(&l), 2048);
	for (int i = 0; i < 9; i++)
		for (int size = 0; size < ZWD_LEARN_SIZES; size++)
			zwd_learn_note(&l, D, ZWD_LEARN_LEN(size), 10);
	assert_int_equal(zwd_learn_min_len(&l), 0);
	for (int i = 0; i < 40; i++)
		for (int size = 0; size < ZWD_LEARN_SIZES; size++)
			zwd_learn_note(&l, D, ZWD_LEARN_LEN(size), 1000000000);
	assert_true(zwd_learn_min_len(&l) == UINT64_MAX);
}

static void is_nearly_as_good_as_the_better(void **state)
{
	double worst = learned_worst(stdout);

	printf("worst: %.3f\n", worst);
	if (worst > 1.10)
		fail_msg("%.3f times the better engine's time", worst);
}

static void follows_the_device(void **state)
{
	static const struct {
		double slower;
		unsigned int leave_nr, return_nr;
	} table[] = { { 8, 50, 200 }, { 100, 50, 2000 }, { 1000, 50, 2000 } };

	for (size_t i = 0; i < ARRAY_NR(table); i++) {
		unsigned int leave_nr, return_nr;

		learned_adapt(table[i].slower, &leave_nr, &return_nr);
		print_message("device %g times slower: left after %u calls, back after %u\n",
			      table[i].slower, leave_nr, return_nr);
		assert_in_range(leave_nr, 1, table[i].leave_nr);
		assert_in_range(return_nr, 1, table[i].return_nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_by_rule),
		cmocka_unit_test(forgets_outliers_between),
		cmocka_unit_test(extremes_stay_in_range),
		cmocka_unit_test(explores_seldom),
		cmocka_unit_test(tells_its_threshold),
		cmocka_unit_test(is_nearly_as_good_as_the_better),
		cmocka_unit_test(follows_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
