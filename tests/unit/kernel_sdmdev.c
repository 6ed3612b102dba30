/* SPDX-License-Identifier: Zlib */
/* Guards: which device addresses a process may have, and that no two have the same. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "sdmdev/ranges.h"
#include "sdmdev/window.h"

#define TOP UINT64_MAX
#define SPACE 64 /* addresses of the exhaustive tests */
#define TURNS 20000
#define SEED 0x5eed

static const char owner_a, owner_b;

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void ranges_rules(void **state)
{
	struct sdmdev_range at[3];
	struct sdmdev_ranges ranges = { .at = at, .max = 3 };
	static const struct {
		uint64_t first, last;
		const void *owner;
		int ret;
	} table[] = {
		{ 0x2000, 0x3fff, &owner_a, 0 },
		{ 0x3000, 0x3fff, &owner_a, -EEXIST },
		{ 0x3fff, 0x4fff, &owner_b, -EADDRINUSE },
		{ 0x1000, 0x2000, &owner_b, -EADDRINUSE },
		{ 0, TOP, &owner_b, -EADDRINUSE },
		{ 0x1000, 0x1fff, &owner_b, 0 },
		{ TOP - 0xfff, TOP, &owner_b, 0 },
		{ TOP, TOP, &owner_b, -EEXIST },
		{ 0x4000, 0x4fff, &owner_a, -ENOMEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(table); i++)
		assert_int_equal(sdmdev_ranges_add(&ranges, table[i].first, table[i].last,
						   table[i].owner),
				 table[i].ret);
	assert_int_equal(sdmdev_ranges_of(&ranges, 0, TOP, &owner_a)->first, 0x2000);
	assert_int_equal(sdmdev_ranges_of(&ranges, 0, TOP, &owner_b)->first, 0x1000);
	assert_int_equal(sdmdev_ranges_of(&ranges, 0x2000, TOP, &owner_b)->last, TOP);
	assert_null(sdmdev_ranges_of(&ranges, 0x4000, TOP, &owner_a));
	sdmdev_ranges_del(&ranges, 0x1000);
	assert_int_equal(ranges.nr, 2);
	assert_null(sdmdev_ranges_of(&ranges, 0, 0x3fff, &owner_b));
	assert_int_equal(sdmdev_ranges_add(&ranges, 0, 0x1fff, &owner_a), 0);
}

/* The same random changes in the ranges and in a plain array of owners. */
static void ranges_model(void **state)
{
	struct sdmdev_range at[16];
	struct sdmdev_ranges ranges = { .at = at, .max = ARRAY_NR(at) };
	const void *model[SPACE] = { NULL };
	uint32_t seed = SEED;

	(void)state;
	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t first = next(&seed) % SPACE, last = first + next(&seed) % 6;
		const void *owner = next(&seed) & 1 ? &owner_a : &owner_b, *found = NULL;
		const struct sdmdev_range *range;

		if (last >= SPACE)
			continue;
		for (uint64_t i = first; i <= last && !found; i++)
			found = model[i];
		if (next(&seed) & 1) {
			int expected = 0;

			if (found)
				expected = found == owner ? -EEXIST : -EADDRINUSE;
			else if (ranges.nr == ranges.max)
				expected = -ENOMEM;
			assert_int_equal(sdmdev_ranges_add(&ranges, first, last, owner), expected);
			for (uint64_t i = first; i <= last && !expected; i++)
				model[i] = owner;
			continue;
		}
		range = sdmdev_ranges_of(&ranges, first, last, owner);
		found = NULL;
		for (uint64_t i = first; i <= last; i++)
			if (model[i] == owner)
				found = owner;
		assert_int_equal(range != NULL, found != NULL);
		if (!range)
			continue;
		assert_true(range->first <= last && range->last >= first);
		for (uint64_t i = range->first; i <= range->last; i++) {
			assert_ptr_equal(model[i], owner);
			model[i] = NULL;
		}
		sdmdev_ranges_del(&ranges, range->first);
	}
}

static void window_ends(void **state)
{
	struct sdmdev_window window;
	struct sdmdev_span span;

	(void)state;
	sdmdev_window_init(&window, 1, 0);
	span = sdmdev_window_largest(&window);
	assert_true(span.first > span.last);
	assert_false(sdmdev_window_has(&window, 0, 0));

	sdmdev_window_init(&window, 0, TOP);
	assert_true(sdmdev_window_has(&window, 0, TOP));
	sdmdev_window_exclude(&window, 0, 0xffffffff);
	sdmdev_window_exclude(&window, TOP - 0xfff, TOP);
	sdmdev_window_exclude(&window, 5, 4);
	assert_false(sdmdev_window_has(&window, 0xffffffff, 0x100000000));
	assert_true(sdmdev_window_has(&window, 0x100000000, TOP - 0x1000));
	assert_false(sdmdev_window_has(&window, 0x200000000, 0x1ffffffff));
	assert_false(sdmdev_window_has(&window, TOP, TOP));

	/* A hole low down, as of a host bridge: what is above is larger, and both may be used. */
	sdmdev_window_exclude(&window, 0x200000000, 0x2ffffffff);
	span = sdmdev_window_largest(&window);
	assert_true(span.first == 0x300000000 && span.last == TOP - 0x1000);
	assert_true(sdmdev_window_has(&window, 0x100000000, 0x1ffffffff));
	assert_false(sdmdev_window_has(&window, 0x1ffffffff, 0x300000000));

	sdmdev_window_exclude(&window, 0, TOP);
	assert_int_equal(window.nr, 0);
}

/* Where spans run out a window may lose addresses, but never gets one back. */
static void window_never_grows(void **state)
{
	uint32_t seed = SEED;

	(void)state;
	for (int turn = 0; turn < TURNS / 50; turn++) {
		bool model[4 * SPACE];
		struct sdmdev_window window;
		bool is_exact = true;

		memset(model, 1, sizeof(model));
		sdmdev_window_init(&window, 0, ARRAY_NR(model) - 1);
		for (int n = 0; n < 80; n++) {
			uint64_t first = next(&seed) % ARRAY_NR(model);
			uint64_t last = first + next(&seed) % 2;

			is_exact &= window.nr < SDMDEV_SPANS;
			sdmdev_window_exclude(&window, first, last);
			for (uint64_t i = first; i <= last && i < ARRAY_NR(model); i++)
				model[i] = false;
			assert_true(window.nr <= SDMDEV_SPANS);
			for (uint64_t i = 0; i < ARRAY_NR(model); i++) {
				bool has = sdmdev_window_has(&window, i, i);

				assert_true(is_exact ? has == model[i] : has <= model[i]);
			}
			for (uint32_t i = 1; i < window.nr; i++)
				assert_true(window.span[i].first > window.span[i - 1].last);
		}
	}
}

/* What memory is unmapped by: together all of the range, and each a block as hardware flushes one. */
static void ranges_blocks(void **state)
{
	static const struct {
		uint64_t first, last, len;
	} table[] = {
		{ 0, 0, 1 },
		{ 0x1000, 0x1fff, 0x1000 },
		{ 0x1000, 0x3fff, 0x1000 },
		{ 0x2000, 0x3fff, 0x2000 },
		{ 0x7f2dffff0000, 0x7f2e00020fff, 0x10000 }, /* a border of 4 GiB inside */
		{ 0x7f2e00000000, 0x7f2e00020fff, 0x20000 },
		{ 0x1ff000, 0x5fffff, 0x1000 }, /* pages of 2 MiB stay whole */
		{ 0x200000, 0x5fffff, 0x200000 },
		{ 0x40000000, 0xffffffff, 0x40000000 },
		{ 0, TOP, 0x40000000 },
		{ TOP - 0xfff, TOP, 0x1000 },
	};
	uint32_t seed = SEED;

	for (size_t i = 0; i < ARRAY_NR(table); i++)
		assert_int_equal(sdmdev_ranges_block(table[i].first, table[i].last), table[i].len);
	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t first = next(&seed), last = first + next(&seed) % 5000, pages = 0;
		unsigned int nr = 0;

		while (first <= last) {
			const uint64_t len = sdmdev_ranges_block(first, last);

			assert_int_equal(len & (len - 1), 0);
			assert_int_equal(first & (len - 1), 0);
			assert_true(len - 1 <= last - first);
			pages += len >= 512 ? 0 : first % 512 == 0 && last - first >= 511;
			first += len;
			nr++;
		}
		assert_int_equal(pages, 0); /* no aligned 512 was cut */
		assert_true(nr <= 2 * 13);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_rules),
		cmocka_unit_test(ranges_model),
		cmocka_unit_test(ranges_blocks),
		cmocka_unit_test(window_ends),
		cmocka_unit_test(window_never_grows),
	};

	printf("# seed %#x\n", SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
