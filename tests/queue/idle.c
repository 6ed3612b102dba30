/* SPDX-License-Identifier: Zlib */
/* Guards that open queues without requests cost next to no CPU time. */
#include <sys/resource.h>
#include <time.h>
#include "../sanitizer.h"
#include "queue.h"

static int64_t cpu_us(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* For a second after the device threads have had time to fall asleep. */
static void check_idle(void)
{
	struct timespec settle = { 0, 200000000 }, second = { 1, 0 };
	int64_t begin;

	nanosleep(&settle, NULL);
	begin = cpu_us();
	nanosleep(&second, NULL);
	assert_in_range(cpu_us() - begin, 0, 1000);
}

static void test_idle(void **state)
{
	static const char *const devices[] = {
		"emu:threads=2",
		"emu:threads=4,latency_us=13.5,gbps=57.6",
		"emu:threads=2,fault=hang@2", /* a request that never ends is no work either */
	};

	for (size_t i = 0; i < ARRAY_NR(devices); i++) {
		struct wd_zip_req req;
		struct side c, d;

		side_open(&c, devices[i], WD_OP_COMPRESS, 0);
		side_open(&d, devices[i], WD_OP_DECOMPRESS, 0);
		check_alive(&c);
		req = block(&d, 1, 1000);
		memset(d.src, 0xff, 1000);
		assert_int_equal(wd_send(d.q, &req, 1), 1);
		check_idle();
		side_close(&c);
		side_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_idle) };

	if (IS_TSAN)
		return 77; /* it has a thread of its own */
	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
