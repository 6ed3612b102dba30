/* SPDX-License-Identifier: Zlib */
/* Guards the road through mainline's uacce: all memory is shared, and what may fail on it. */
#include "transport.h"

static const struct fake_setup setups[] = {
	{ "qm=2,threads=1,depth=16", 0, 0, 0x2000, 0, 0 },
	{ "qm=3", 0, 0, 0x10000, 0, 0 },
	{ "qm=2", 0, 0, 0x2000, 0, 1 }, /* an old kernel: one depth */
};

static void test_round_trips(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(setups); i++) {
		static uint8_t src[1000], dst[4000];
		struct wd_zip_req req = {
			.src = src, .dst = dst, .src_len = sizeof(src), .dst_len = sizeof(dst),
			.format = WD_ZIP_ZLIB,
		};
		struct wd_device_info info[2];
		struct side comp, decomp;

		fake_kernel_init(&setups[i]);
		assert_int_equal(wd_list_devices("auto", info, 2), 1);
		assert_string_equal(info[0].name, FAKE_UACCE);
		assert_string_equal(info[0].transport, "uacce");
		assert_int_equal(info[0].queues_free, FAKE_FUNCTIONS * FAKE_QUEUES);
		assert_null(strstr(info[0].algs, "lz77"));

		side_open(&comp, FAKE_UACCE, WD_OP_COMPRESS, 0);
		side_open(&decomp, "auto", WD_OP_DECOMPRESS, 0);
		run_round_trip(&comp, &decomp, 300000);
		run_stream(&comp);
		run_many(&comp, 100);
		/* There is nothing to share, but what is shared twice is a mistake here, too. */
		assert_int_equal(wd_mem_share(comp.q, src, sizeof(src), 0), 0);
		assert_int_equal(wd_mem_share(comp.q, src + 999, 10, 0), -EEXIST);
		assert_int_equal(wd_mem_share(comp.q, NULL, 0, WD_SHARE_ALL), 0);
		run(&comp, &req);
		side_close(&comp);
		side_close(&decomp);
		check_nothing_left();
		fake_kernel_fini();
	}
}

static void test_failures(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(setups); i++)
		check_failures(&setups[i], ARRAY_NR(errors));
}

static void test_closed_files(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(setups); i++) {
		check_closed_files(&setups[i]);
		check_same_numbers(&setups[i]);
	}
}

static void test_fork(void **state)
{
	check_fork(&setups[0]);
}

static void test_busy(void **state)
{
	struct wd_queue *q[FAKE_FUNCTIONS * FAKE_QUEUES], *none;

	fake_kernel_init(&setups[0]);
	for (unsigned int i = 0; i < ARRAY_NR(q); i++)
		assert_int_equal(queue_open(&q[i], "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(queue_open(&none, "auto", WD_OP_COMPRESS, 0), -EBUSY);
	for (unsigned int i = 0; i < ARRAY_NR(q); i++)
		wd_release_queue(q[i]);
	check_nothing_left();
	fake_kernel_fini();
}

static void test_number_zero(void **state)
{
	check_number_zero(&setups[0], 1);
}

static void test_waits(void **state)
{
	check_waits(&setups[0]);
}

/* What libwd may know what to do with, and knows. */
static void test_attributes(void **state)
{
	static const char *const others[][2] = {
		{ "api", "hisi_sec_v2" }, { "api", NULL }, { "flags", "0" }, { "flags", NULL },
		{ "algorithms", "lz77_zstd" }, { "algorithms", NULL },
	};
	char name[WD_NAME_LEN + 1];
	struct wd_device_info info;
	struct wd_queue *q;

	fake_kernel_init(&setups[0]);
	/* A name for which there is no room. */
	memset(name, '5', WD_NAME_LEN);
	name[WD_NAME_LEN] = 0;
	fake_answer("", name);
	assert_int_equal(wd_list_devices("auto", &info, 1), 0);
	name[WD_NAME_LEN - 1] = 0;
	assert_int_equal(wd_list_devices("auto", &info, 1), 1);
	assert_string_equal(info.name, name);
	for (size_t i = 0; i < ARRAY_NR(others); i++) {
		fake_answer(others[i][0], others[i][1]);
		assert_int_equal(wd_list_devices("auto", &info, 1), 0);
	}
	fake_answer("device/numa_node", "3");
	assert_int_equal(wd_list_devices("auto", &info, 1), 1);
	assert_int_equal(info.numa_node, 3);
	fake_answer("device/numa_node", NULL);
	assert_int_equal(wd_list_devices("auto", &info, 1), 1);
	assert_int_equal(info.numa_node, -1);
	/* Regions of no length. */
	fake_answer("region_dus_size", NULL);
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), -EOPNOTSUPP);
	fake_answer("region_mmio_size", "0");
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), -EOPNOTSUPP);
	/* Of a queue manager that is not made yet. */
	fake_answer("api", "hisi_qm_v9");
	assert_int_equal(wd_list_devices("auto", &info, 1), 1);
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), -EOPNOTSUPP);
	check_nothing_left();
	fake_kernel_fini();
}

static void check_failed_device(enum sdmdev_state state, int error, enum wd_state expected)
{
	unsigned int generation = 77;
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	fake_kernel_init(&setups[0]);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	check_alive(&s);
	fake_fail_device(state);
	req = block(&s, 1, 1000);
	assert_int_equal(wd_send(s.q, &req, 1), error);
	assert_int_equal(wd_recv(s.q, &res, 1), error);
	assert_int_equal(wd_queue_state(s.q, &generation), expected);
	assert_int_equal(generation, 0); /* resets are not counted */
	side_close(&s);
	check_nothing_left();
	fake_kernel_fini();
}

static void test_failed_device(void **state)
{
	check_failed_device(SDMDEV_STATE_RESET, -EIO, WD_STATE_RESETTING);
	check_failed_device(SDMDEV_STATE_DEAD, -ENODEV, WD_STATE_DEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_closed_files),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_number_zero),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_failed_device),
	};

	alarm(TIME_LIMIT_S);
	transport_use(&wd_transport_uacce);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
