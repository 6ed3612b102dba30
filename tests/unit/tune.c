/* SPDX-License-Identifier: Zlib */
/* Guards: what zwd tune suggests loses least, and is silent where nothing can be told. */
#include "config.h"

#include "tools/zwd/tune_choice.h"
#include "unit.h"

/*
 * For the sizes 256, 512, ... a letter each: D: a device takes half as long as software, S: twice
 * as long, -: they cannot be told apart, m: half the CPU time, and ten times as long; c: the same,
 * but a hundredth of the CPU time.
 */
static struct tune_work work_of(const char *sizes, size_t profile_len)
{
	struct tune_work work = { .profile_len = profile_len };

	for (; *sizes; sizes++) {
		struct tune_size *size = &work.sizes[work.sizes_nr];
		uint64_t cpu = 1000, wall = 1000;

		switch (*sizes) {
		case 'D':
			cpu = wall = 500;
			break;
		case 'S':
			cpu = wall = 2000;
			break;
		case 'm':
			cpu = 500;
			wall = 10000;
			break;
		case 'c':
			cpu = 10;
			wall = 2000;
			break;
		}
		size->len = (size_t)256 << work.sizes_nr++;
		size->soft.cpu = size->soft.wall = (struct tune_spread){ 990, 1000, 1010 };
		size->device.cpu = (struct tune_spread){ cpu - 1, cpu, cpu + 1 };
		size->device.wall = (struct tune_spread){ wall - 1, wall, wall + 1 };
	}
	return work;
}

static const struct {
	const char *rule, *sizes, *others; /* others: of a second work, or NULL */
	size_t profile_len, min_len;	   /* 0: nothing is suggested */
} rows[] = {
	{ "nothing can be told", "--------", NULL, 2048, 0 },
	{ "it is right as it is", "SSSDDDDD", NULL, 2048, 0 },
	{ "nothing can be told up to there", "SS--DDDD", NULL, 2048, 0 },
	{ "the device is better earlier", "SDDDDDDD", NULL, 2048, 512 },
	{ "and later", "SSSSSDDD", NULL, 2048, 8192 },
	{ "where it is better, not where it is no worse", "S---SS-D", NULL, 2048, 32768 },
	{ "one that does not fit moves nothing far", "SSDDSDDDDDD", NULL, 4096, 1024 },
	{ "always", "DDDDDDDD", NULL, 2048, 256 },
	{ "never", "SSSSSSSS", NULL, 2048, TUNE_NEVER },
	{ "much more time for half of the CPU time", "mmmmmmmD", NULL, 2048, 32768 },
	{ "CPU time for little time", "SSSccccc", NULL, 8192, 2048 },
	{ "two that want the same", "SSSSSDDD", "SSSSSDDD", 2048, 8192 },
	{ "the one loses more than the other", "SSSSSDDD", "SSDDDDDD", 512, 1024 },
	{ "the other cannot be told", "SSSSSDDD", "--------", 2048, 8192 },
};

static void check_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct tune_work works[] = { work_of(rows[i].sizes, rows[i].profile_len),
					     work_of(rows[i].others ? rows[i].others : "",
						     rows[i].profile_len) };
		const struct tune_work *list[] = { &works[0], &works[1] };
		size_t min_len = 0;
		bool is_better = tune_choose(list, rows[i].others ? 2 : 1, &min_len);

		if (is_better != (rows[i].min_len != 0) ||
		    (is_better && min_len != rows[i].min_len))
			fail_msg("%s: %zu, not %zu", rows[i].rule, is_better ? min_len : 0,
				 rows[i].min_len);
	}
}

static void check_overlap(void **state)
{
	struct tune_work work = work_of("D", 256);
	struct tune_size *size = &work.sizes[0];

	(void)state;
	assert_true(tune_score(size) < 0);
	size->device.cpu.high = size->device.wall.high = size->soft.cpu.low;
	assert_true(tune_score(size) == 0);
	size->device.cpu.high--;
	assert_true(tune_score(size) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(check_choices),
					    cmocka_unit_test(check_overlap) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
