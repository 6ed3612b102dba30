// SPDX-License-Identifier: Zlib
/* The emulated device's model of time: when requests are due, and the depth that keeps it busy. */
#include "emu/emu_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct request {
	uint64_t arrival_ns, len, due_ns;
};

#define ROWS_MAX 5

static const struct {
	const char *what;
	uint64_t latency_ns, mbps;
	struct request requests[ROWS_MAX]; /* len 0 ends them */
} rows[] = {
	{ "latency only, all in it at once", 1000, 0,
	  { { 0, 10, 1000 }, { 0, 10, 1000 }, { 500, 10, 1500 }, { 9000, 10, 10000 } } },
	{ "rate only, one after the other", 0, 8000,
	  { { 0, 100, 100 }, { 0, 100, 200 }, { 150, 100, 300 }, { 1000, 50, 1050 } } },
	{ "both: the bus is waited for after the latency", 1000, 8000,
	  { { 0, 300, 1300 }, { 0, 300, 1600 }, { 100, 300, 1900 }, { 5000, 300, 6300 } } },
	{ "13.5 us and 57.6 Gbit/s", 13500, 57600,
	  { { 0, 7200, 14500 }, { 0, 7200, 15500 }, { 1000, 72, 15510 } } },
	{ "never backwards", 1000, 0, { { 500, 1, 1500 }, { 0, 1, 1500 } } },
};

static void test_due(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct emu_clock clock = { .latency_ns = rows[i].latency_ns, .mbps = rows[i].mbps };

		print_message("%s\n", rows[i].what);
		for (size_t k = 0; k < ROWS_MAX && rows[i].requests[k].len; k++) {
			const struct request *r = &rows[i].requests[k];

			assert_int_equal(emu_clock_due(&clock, r->arrival_ns, r->len), r->due_ns);
		}
	}
}

static void test_list(void **state)
{
	struct emu_slot *a = (struct emu_slot *)state, *b = NULL;
	struct emu_clock clock = { 0 };
	struct emu_due due[4] = { { .at_ns = 10, .slot = a }, { .at_ns = 20, .slot = b },
				  { .at_ns = 20, .slot = a }, { .at_ns = 30, .slot = b } };

	emu_clock_drop(&clock, NULL);
	assert_true(clock.next_ns == UINT64_MAX);
	for (int i = 0; i < 4; i++)
		emu_clock_add(&clock, &due[i]);
	assert_true(clock.next_ns == 10);
	assert_null(emu_clock_take(&clock, 9));
	assert_ptr_equal(emu_clock_take(&clock, 25), &due[0]);
	emu_clock_drop(&clock, a);
	assert_ptr_equal(emu_clock_take(&clock, 25), &due[1]);
	assert_null(emu_clock_take(&clock, 25));
	assert_true(clock.next_ns == 30);
	assert_ptr_equal(emu_clock_take(&clock, 30), &due[3]);
	assert_true(clock.next_ns == UINT64_MAX);
}

/* Bytes per second with always so many requests in flight. */
static double rate_at(unsigned int depth, uint64_t len)
{
	struct emu_clock clock = { .latency_ns = 13500, .mbps = 57600 };
	uint64_t finished[64] = { 0 };
	const unsigned int nr = 6400;

	for (unsigned int i = 0; i < nr; i++)
		finished[i % depth] = emu_clock_due(&clock, finished[i % depth], len);
	return (double)nr * len / finished[(nr - 1) % depth] * 1e9;
}

/* Little's law holds, so a queue has to be no deeper than it asks for. */
static void test_depth(void **state)
{
	static const struct {
		uint64_t len;
		unsigned int depth; /* the smallest for 95 % */
	} depths[] = { { 8192, 13 }, { 65536, 3 } };

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		unsigned int depth = 1;

		while (rate_at(depth, depths[i].len) < 0.95 * 7.2e9)
			depth++;
		assert_int_equal(depth, depths[i].depth);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
