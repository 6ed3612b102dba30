/* SPDX-License-Identifier: Zlib */
/* Guards what the statistics say of latencies: no request took longer than the bound that is told. */
#include "config.h"

#include "operate/stats.h"
#include "unit.h"
#include "zwd.h"

static struct zwd_stats now(void)
{
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	return stats;
}

static void nothing_at_first(void **state)
{
	struct zwd_stats stats = now();

	assert_int_equal(stats.deflate.ns_p50, 0);
	assert_int_equal(stats.inflate.ns_p99, 0);
}

static void the_next_power_of_two(void **state)
{
	static const uint64_t lens[] = { 0, 1, 2, 3, 4, 1000, 1023, 1024, 999999, 1 << 20, 5000000000 };

	for (size_t i = 0; i < ARRAY_NR(lens); i++)
		for (int dir = ZWD_DEFLATE; dir <= ZWD_INFLATE; dir++) {
			struct zwd_stats stats;
			const struct zwd_dir_stats *d = dir ? &stats.inflate : &stats.deflate;
			uint64_t bound = 2;

			while (bound <= lens[i])
				bound *= 2;
			zwd_stats_reset();
			zwd_count_latency(dir, lens[i]);
			stats = now();
			assert_int_equal(d->ns_p50, bound);
			assert_int_equal(d->ns_p99, bound);
			/* Each direction has its own. */
			assert_int_equal(stats.deflate.ns_p50 + stats.inflate.ns_p50, bound);
		}
}

/* Half of them, and 99 of 100, are no slower. */
static void percentiles(void **state)
{
	struct zwd_stats stats;

	zwd_stats_reset();
	for (int i = 0; i < 100; i++)
		zwd_count_latency(ZWD_DEFLATE, i < 50 ? 1000 : i < 98 ? 9000 : i < 99 ? 70000 : 1 << 30);
	stats = now();
	assert_int_equal(stats.deflate.ns_p50, 1024);
	assert_int_equal(stats.deflate.ns_p99, 1 << 17);
	for (int i = 0; i < 10; i++)
		zwd_count_latency(ZWD_DEFLATE, 1 << 30);
	stats = now();
	assert_int_equal(stats.deflate.ns_p50, 16384);
	assert_int_equal(stats.deflate.ns_p99, 2u << 30);
}

/* What took hours is told as no less than a quarter of one. */
static void endless_ones(void **state)
{
	static const uint64_t lens[] = { 1ull << 40, 1ull << 45, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_NR(lens); i++) {
		zwd_stats_reset();
		zwd_count_latency(ZWD_INFLATE, lens[i]);
		assert_true(now().inflate.ns_p50 >= 900000000000);
		assert_int_equal(now().deflate.ns_p50, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_at_first),
		cmocka_unit_test(the_next_power_of_two),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(endless_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
