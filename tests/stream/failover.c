/* SPDX-License-Identifier: Zlib */
/*
 * A device that fails at any request of a stream costs time, never data. The settings are read once
 * per process: each fault is one run of this program with arguments, counted by ZWD_STATS.
 */
#include "config.h"
#include "helpers.h"

#include <sys/wait.h>
#include <unistd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const char *const self = "/proc/self/exe";

/* What the child does: argv is ACTION LEN IN_STEP. */
static void child_deflate(const unsigned char *plain, size_t len, size_t in_step)
{
	size_t room = 65536, pos = 0;
	struct buf out = { 0 };
	z_stream strm = { 0 };
	int ret, flush;

	assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	do {
		size_t nr = in_step < len - pos ? in_step : len - pos;

		strm.next_in = (z_const Bytef *)plain + pos;
		strm.avail_in = nr;
		pos += nr;
		flush = pos == len ? Z_FINISH : Z_NO_FLUSH;
		do {
			strm.next_out = buf_room(&out, room);
			strm.avail_out = room;
			ret = ours.deflate(&strm, flush);
			assert_true(ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR);
			out.len += room - strm.avail_out;
		} while (!strm.avail_out && ret != Z_STREAM_END);
	} while (flush != Z_FINISH);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_in, len);
	assert_int_equal(strm.adler, ref.crc32(0, plain, len));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_inflates(31, out.data, out.len, plain, len);
	buf_free(&out);
}

static void child_inflate(const unsigned char *plain, size_t len, size_t in_step)
{
	struct buf packed = { 0 }, out = { 0 };
	size_t rest;

	deflate_all(&ref, 31, 6, Z_DEFAULT_STRATEGY, plain, len, &packed);
	buf_add(&packed, "tail", 4);
	assert_int_equal(inflate_steps(&ours, 31, packed.data, packed.len, in_step, 65536, &out, &rest),
			 Z_STREAM_END);
	assert_int_equal(rest, 4);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, plain, len);
	buf_free(&packed);
	buf_free(&out);
}

static void child(void **state)
{
	const char *const *argv = *state;
	size_t len = strtoul(argv[2], NULL, 10), in_step = strtoul(argv[3], NULL, 10);
	unsigned char *plain = gen_alloc(GEN_MIXED, len);

	if (!strcmp(argv[1], "deflate"))
		child_deflate(plain, len, in_step);
	else
		child_inflate(plain, len, in_step);
	free(plain);
}

struct run {
	const char *action; /* also the section of the statistics */
	size_t len, in_step;
};

/* Runs the child with this device; its counters are in the file stats. */
static void run(const struct run *r, const char *device, const char *stats)
{
	char len[32], in_step[32], setting[4200];
	int status;
	pid_t pid;

	snprintf(len, sizeof(len), "%zu", r->len);
	snprintf(in_step, sizeof(in_step), "%zu", r->in_step);
	snprintf(setting, sizeof(setting), "json:%s", stats);
	unlink(stats);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		setenv("WD_DEVICE", device, 1);
		setenv("ZWD_ENGINE", "hw", 1);
		setenv("ZWD_STATS", setting, 1);
		if (strstr(device, "hang"))
			setenv("ZWD_TIMEOUT_MS", "50", 1);
		if (!freopen("/dev/null", "w", stdout))
			_exit(99);
		execl(self, self, r->action, len, in_step, (char *)NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("%s of %zu bytes in calls of %zu, WD_DEVICE=%s: status 0x%x", r->action,
			 r->len, r->in_step, device, status);
}

/* The fault at each request in turn; of many requests the first, the last and some between. */
static void fault_at_each(const struct run *r, const char *kind, unsigned long long most,
			  int must_notice)
{
	const char *stats = scratch("stats");
	unsigned long long requests, at, step;
	char device[64];

	run(r, "emu", stats);
	requests = stats_sum(stats, r->action, "hw_requests");
	assert_true(requests > 0);
	assert_true(stats_sum(stats, r->action, "hw_in") > 0);
	assert_int_equal(stats_sum(stats, r->action, "failovers"), 0);

	step = 1 + requests / most;
	for (at = 1; at <= requests; at += at + step > requests && at < requests ? requests - at : step) {
		snprintf(device, sizeof(device), "emu:fault=%s@%llu", kind, at);
		run(r, device, stats);
		if (must_notice && stats_sum(stats, r->action, "hw_requests") >= at &&
		    !stats_sum(stats, r->action, "failovers") &&
		    !stats_sum(stats, r->action, "retries"))
			fail_msg("%s: %s noticed nothing", device, r->action);
	}
}

static const struct run runs[] = {
	{ "deflate", 2000000, 2000000 },
	{ "deflate", 2000000, 50000 },
	{ "inflate", 2000000, 2000000 },
	{ "inflate", 2000000, 30000 },
};

static void fault_in_every_run(const char *kind, unsigned long long most, int must_notice)
{
	size_t i;

	for (i = 0; i < NR(runs); i++)
		fault_at_each(&runs[i], kind, most, must_notice);
}

static void error_status(void **state)
{
	fault_in_every_run("error", 5, 1);
}

/* Less output than there was room for is no failure by itself, so it need not be counted. */
static void short_output(void **state)
{
	fault_in_every_run("short", 4, 0);
}

static void hanging_request(void **state)
{
	fault_in_every_run("hang", 3, 1);
}

static void device_reset(void **state)
{
	fault_in_every_run("reset", 5, 1);
}

static void device_gone(void **state)
{
	fault_in_every_run("gone", 5, 1);
}

static void device_gone_in_a_long_stream(void **state)
{
	static const struct run longs[] = {
		{ "deflate", 20000000, 65536 },
		{ "inflate", 20000000, 65536 },
	};
	size_t i;

	for (i = 0; i < NR(longs); i++)
		fault_at_each(&longs[i], "gone", 2, 1);
}

/* With a device that is not there at all nothing is different but the counters. */
static void no_device(void **state)
{
	const char *stats = scratch("stats");
	size_t i;

	for (i = 0; i < NR(runs); i++) {
		run(&runs[i], "none", stats);
		assert_int_equal(stats_sum(stats, runs[i].action, "hw_requests"), 0);
		assert_true(stats_sum(stats, runs[i].action, "soft_in") > 0);
		run(&runs[i], "no-such-device", stats);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest faults[] = {
		cmocka_unit_test(error_status),	   cmocka_unit_test(short_output),
		cmocka_unit_test(hanging_request), cmocka_unit_test(device_reset),
		cmocka_unit_test(device_gone),	   cmocka_unit_test(device_gone_in_a_long_stream),
		cmocka_unit_test(no_device),
	};
	const struct CMUnitTest one[] = { cmocka_unit_test_prestate(child, argv) };

	if (argc == 4) {
		test_begin(60);
		return cmocka_run_group_tests(one, NULL, NULL);
	}
	test_begin(300);
	return cmocka_run_group_tests(faults, NULL, NULL);
}
