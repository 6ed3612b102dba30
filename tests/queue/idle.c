/* SPDX-License-Identifier: Zlib */
/* Guards that open queues without requests cost next to no CPU time. */
#include <sys/resource.h>
#include <time.h>
#include "../sanitizer.h"
#include "queue.h"

static int64_t us(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

/*
 * For a second after the device threads have had time to fall asleep. Who polls wakes up, who spins takes the CPU;
 * what the machine itself adds to a sleeping process differs from one to the other, and is below both limits.
 */
static void check_idle(void)
{
	struct timespec settle = { 0, 200000000 }, second = { 1, 0 };
	struct rusage begin, end;

	nanosleep(&settle, NULL);
	assert_int_equal(getrusage(RUSAGE_SELF, &begin), 0);
	nanosleep(&second, NULL);
	assert_int_equal(getrusage(RUSAGE_SELF, &end), 0);
	assert_in_range(end.ru_nvcsw - begin.ru_nvcsw, 0, 5);
	assert_in_range(us(end.ru_utime) + us(end.ru_stime) - us(begin.ru_utime) -
				us(begin.ru_stime), 0, 50000);
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
