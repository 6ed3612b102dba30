/* SPDX-License-Identifier: Zlib */
/* Guards: what each setting accepts, what it means, and that nothing else is taken. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operate/root.h"
#include "operate/settings.h"
#include "sanitizer.h"
#include "unit.h"

static const struct {
	const char *key, *value;
	int ret;
} table[] = {
	{ "WD_DEVICE", "emu:threads=2,qm=3", 0 },
	{ "WD_DEVICE", "", 0 },
	{ "ZWD_ENGINE", "auto", 0 },
	{ "ZWD_ENGINE", "hw", 0 },
	{ "ZWD_ENGINE", "soft", 0 },
	{ "ZWD_ENGINE", "hardware", -EINVAL },
	{ "ZWD_LEVELS", "0-9", 0 },
	{ "ZWD_LEVELS", "1,3,5-9", 0 },
	{ "ZWD_LEVELS", "6-1", -EINVAL },
	{ "ZWD_LEVELS", "1-", -EINVAL },
	{ "ZWD_LEVELS", "1,", -EINVAL },
	{ "ZWD_LEVELS", "", -EINVAL },
	{ "ZWD_LEVELS", "10", -EINVAL },
	{ "ZWD_MIN_DEFLATE", "0", 0 },
	{ "ZWD_MIN_DEFLATE", "64K", 0 },
	{ "ZWD_MIN_DEFLATE", "learned", 0 },
	{ "ZWD_MIN_DEFLATE", "", -EINVAL },
	{ "ZWD_MIN_DEFLATE", "4G", -EINVAL },
	{ "ZWD_MIN_DEFLATE", "-1", -EINVAL },
	{ "ZWD_MIN_DEFLATE", "1k", -EINVAL },
	{ "ZWD_MIN_INFLATE", "99999999999999999999", -EINVAL },
	{ "ZWD_UNIT", "64K", 0 },
	{ "ZWD_UNIT", "4M", 0 },
	{ "ZWD_UNIT", "63K", -EINVAL },
	{ "ZWD_UNIT", "5M", -EINVAL },
	{ "ZWD_QUEUES", "8", 0 },
	{ "ZWD_QUEUES", "8x", -EINVAL },
	{ "ZWD_VERIFY", "100", 0 },
	{ "ZWD_KEEP", "1G", 0 },
	{ "ZWD_KEEP", "18014398509481985K", -EINVAL }, /* 2^64 and a little: nothing is cut off */
	{ "ZWD_KEEP", "17592186044417M", -EINVAL },
	{ "ZWD_KEEP", "17179869185G", -EINVAL },
	{ "ZWD_TIMEOUT_MS", "0", -EINVAL },
	{ "ZWD_TIMEOUT_MS", "50", 0 },
	{ "ZWD_IN_FLIGHT", "0", 0 },
	{ "ZWD_IN_FLIGHT", "128K", 0 },
	{ "ZWD_IN_FLIGHT", "16G", 0 },
	{ "ZWD_IN_FLIGHT", "127K", -EINVAL },
	{ "ZWD_IN_FLIGHT", "17G", -EINVAL },
	{ "ZWD_LATENCY_MS", "0", 0 },
	{ "ZWD_LATENCY_MS", "3600000", 0 },
	{ "ZWD_LATENCY_MS", "3600001", -EINVAL },
	{ "ZWD_LATENCY_MS", "5ms", -EINVAL },
	{ "ZWD_GUARD", "0", 0 },
	{ "ZWD_GUARD", "20", 0 },
	{ "ZWD_GUARD", "0,100000", 0 },
	{ "ZWD_GUARD", "20,100", 0 },
	{ "ZWD_GUARD", "100001", -EINVAL },
	{ "ZWD_GUARD", "20,", -EINVAL },
	{ "ZWD_GUARD", ",20", -EINVAL },
	{ "ZWD_GUARD", "20%", -EINVAL },
	{ "ZWD_GUARD", "20,100,1", -EINVAL },
	{ "ZWD_GUARD", "00000000000000000020", -EINVAL },
	{ "ZWD_STATS", "1", 0 },
	{ "ZWD_STATS", "json:/tmp/x", 0 },
	{ "ZWD_STATS", "json:", -EINVAL },
	{ "ZWD_STATS", "yes", -EINVAL },
	{ "ZWD_LOG", "loud", -EINVAL },
	{ "ZWD_LOG", "off", 0 },
	{ "ZWD_LOG", "warn,file:relative", -EINVAL },
	{ "ZWD_QUEUES", "-1", -EINVAL },
	{ "ZWD_UNIT", "1", -EINVAL },
	{ "ZWD_TRACE", "/tmp/trace-%p,data", 0 },
	{ "ZWD_TRACE", "", 0 },
	{ "ZWD_SOFT_ZLIB", "/lib/libz.so.1", 0 },
	{ "ZWD_GZIP", "0", 0 },
	{ "ZWD_GZIP", "/usr/bin/wd-gzip", 0 },
	{ "ZWD_GZIP", "maybe", -EINVAL },
	{ "ZWD_SPEED", "11", -ENOENT },
	{ "", "1", -ENOENT },
};

static void accepts_what_is_possible_only(void **state)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct zwd_settings s = zwd_settings_default, before = s;
		int ret = zwd_settings_set(&s, table[i].key, table[i].value);

		if (ret != table[i].ret)
			fail_msg("%s=%s: %d", table[i].key, table[i].value, ret);
		if (ret)
			assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void means_what_it_says(void **state)
{
	struct zwd_settings s = zwd_settings_default;

	assert_int_equal(s.levels, 0x7e); /* 1-6 */
	zwd_settings_set(&s, "ZWD_LEVELS", "0,3-4,9");
	assert_int_equal(s.levels, 0x219);
	assert_true(s.min_inflate == ZWD_MIN_PROFILE);
	zwd_settings_set(&s, "ZWD_MIN_INFLATE", "3M");
	assert_int_equal(s.min_inflate, 3 << 20);
	zwd_settings_set(&s, "ZWD_MIN_INFLATE", "learned");
	assert_true(s.min_inflate == ZWD_MIN_LEARNED);
	zwd_settings_set(&s, "ZWD_GUARD", "20,100");
	assert_true(s.guard.ratio == 20 && s.guard.time == 100);
	zwd_settings_set(&s, "ZWD_GUARD", "5");
	assert_true(s.guard.ratio == 5 && s.guard.time == 0);
	zwd_settings_set(&s, "ZWD_STATS", "json:/a/b");
	assert_string_equal(s.stats_json, "/a/b");
	zwd_settings_set(&s, "ZWD_STATS", "0");
	assert_string_equal(s.stats_json, "");
	zwd_settings_set(&s, "WD_DEVICE", "");
	assert_string_equal(s.device, "auto");
}

/* What the process lacked when it was to read the file; the settings are read once in a process. */
static void read_later(int what, rlim_t limit, int is_longer)
{
	struct rlimit all, little;
	char path[] = "/tmp/wd-settings.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "ZWD_DEPTH = 7\nZWD_UNIT = %s\n%s", is_longer ? "4M" : "1M",
				 is_longer ? "" : "ZWD_IN_FLIGHT = 192K\n"),
			 is_longer ? 28 : 49);
	/* More than there is room for without asking for more. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(dprintf(fd, "#%998s\n", ""), 1000);
	close(fd);
	unsetenv("ZWD_DEPTH");
	unsetenv("ZWD_UNIT");
	setenv("ZWD_CONFIG", path, 1);
	assert_int_equal(getrlimit(what, &all), 0);
	little = (struct rlimit){ limit, all.rlim_max };
	assert_int_equal(setrlimit(what, &little), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(zwd_settings()->depth, zwd_settings_default.depth);
		assert_int_equal(zwd_settings()->unit, zwd_settings_default.unit);
	}
	assert_int_equal(setrlimit(what, &all), 0);
	for (int i = 0; i < 100; i++)
		zwd_settings();
	unlink(path);
	assert_int_equal(zwd_settings()->depth, 7);
	/* As long as two of them may be in flight; never longer than what memory was made for by then. */
	assert_int_equal(zwd_settings()->unit, is_longer ? zwd_settings_default.unit : 96 << 10);
}

/* First of all: what a process without memory, or without descriptors, could not read is read once it can be. */
static void a_want_of_memory_passes(void **state)
{
	int status;
	pid_t pid;

	if (IS_ASAN || IS_TSAN)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		read_later(RLIMIT_AS, 1, 1);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_want_of_descriptors_passes(void **state)
{
	read_later(RLIMIT_NOFILE, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_want_of_memory_passes),
		cmocka_unit_test(a_want_of_descriptors_passes),
		cmocka_unit_test(accepts_what_is_possible_only),
		cmocka_unit_test(means_what_it_says),
	};

	zwd_root_note();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
