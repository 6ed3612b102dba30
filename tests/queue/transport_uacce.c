/* SPDX-License-Identifier: Zlib */
/* Guards the road through uacce: mainline's, where all memory is shared, the vendor's, and what may fail on it. */
#include "transport.h"

#define NOIOMMU 0x2
#define IOMMU 0x80

static const struct fake_setup setups[] = {
	{ .emu = "qm=2,threads=1,depth=16", .mmio_len = 0x2000 },
	{ .emu = "qm=3", .mmio_len = 0x10000 },
	{ .emu = "qm=2", .mmio_len = 0x2000, .has_no_info = 1 }, /* an old kernel: one depth */
	/* The vendor's: no IOMMU; an IOMMU but no shared addresses; as little memory as will do. */
	{ .emu = "qm=2,depth=16", .mmio_len = 0x2000, .flags = NOIOMMU },
	{ .emu = "qm=3", .mmio_len = 0x10000, .flags = IOMMU },
	{ .emu = "qm=2", .mmio_len = 0x2000, .has_no_info = 1, .flags = NOIOMMU, .slices_max = 3 << 20 },
};
#define SHARED_NR 3 /* of them share addresses */
static const char *const modes[] = { "sva", "sva", "sva", "noiommu", "iommu", "noiommu" };

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
		assert_string_equal(info[0].mode, modes[i]);
		assert_int_equal(info[0].error, 0);
		assert_string_equal(info[0].reason, "");
		assert_null(strstr(info[0].api, "noiommu"));
		assert_int_equal(info[0].queues_free, FAKE_FUNCTIONS * FAKE_QUEUES);
		assert_null(strstr(info[0].algs, "lz77"));

		side_open(&comp, FAKE_UACCE, WD_OP_COMPRESS, 0);
		side_open(&decomp, "auto", WD_OP_DECOMPRESS, 0);
		run_round_trip(&comp, &decomp, 300000);
		run_stream(&comp);
		run_many(&comp, 100);
		if (i >= SHARED_NR) {
			assert_int_equal(wd_mem_share(comp.q, src, sizeof(src), 0), -EOPNOTSUPP);
			assert_int_equal(wd_mem_share(comp.q, NULL, 0, WD_SHARE_ALL), -EOPNOTSUPP);
			assert_int_equal(wd_send(comp.q, &req, 1), -EFAULT);
			side_close(&comp);
			side_close(&decomp);
			check_nothing_left();
			fake_kernel_fini();
			continue;
		}
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
	check_fork(&setups[SHARED_NR]);
}

/* The driver's memory: in pieces, each contiguous for the device, zeroed, and used again. */
static void test_slices(void **state)
{
	static const size_t few[] = { 4096, 1 << 20, 12288, 3 << 19, 65536 };
	void *mem[64], *large;
	struct wd_queue *q;
	unsigned int nr = 0;

	fake_kernel_init(&setups[SHARED_NR]);
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(fake_counts().slices, 0); /* not before the need */
	for (size_t i = 0; i < ARRAY_NR(few); i++) {
		assert_int_equal(wd_alloc(q, few[i], &mem[i]), 0);
		for (size_t j = 0; j < few[i]; j++)
			assert_int_equal(((char *)mem[i])[j], 0);
		memset(mem[i], 'x', few[i]);
	}
	assert_int_equal(fake_counts().slices, 4);
	/* They are not one another's. */
	for (size_t i = 0; i < ARRAY_NR(few); i++)
		for (size_t j = 0; j < i; j++)
			assert_true((char *)mem[i] + few[i] <= (char *)mem[j] ||
				    (char *)mem[j] + few[j] <= (char *)mem[i]);
	assert_int_equal(wd_alloc(q, 2 << 20, &large), -ENOMEM);
	for (size_t i = 0; i < ARRAY_NR(few); i++)
		wd_free(q, mem[i]);
	/* Two slices lie side by side: larger pieces there are none. */
	assert_int_equal(wd_alloc(q, 2 << 20, &large), 0);
	for (size_t i = 0; i < 2 << 20; i++)
		assert_int_equal(((char *)large)[i], 0);
	assert_int_equal(wd_alloc(q, (2 << 20) + 1, &mem[0]), -ENOMEM);
	wd_free(q, large);
	while (nr < ARRAY_NR(mem) && !wd_alloc(q, 65536, &mem[nr]))
		nr++;
	assert_int_equal(nr, 64); /* all of its 4 MiB */
	assert_int_equal(wd_alloc(q, 1, &large), -ENOMEM);
	wd_release_queue(q);
	check_nothing_left();

	/* What no driver has; and a driver that says nothing of use. */
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(wd_alloc(q, (128 << 20) + 1, &large), -ENOMEM);
	assert_int_equal(wd_alloc(q, 40 << 20, &large), -ENOMEM);
	wd_release_queue(q);
	check_nothing_left();
	fake_kernel_fini();
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
		{ "api", NULL }, { "algorithms", "lz77_zstd" }, { "algorithms", NULL },
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
	check_nothing_left();
	fake_kernel_fini();
}

/* What cannot be used is listed, with the reason, and not chosen. */
static void test_refused(void **state)
{
	static const struct {
		const char *attr, *text, *attr_too, *text_too;
		int open_error; /* of the node */
		int error;	/* that is listed */
		int request;	/* what a request of a queue says */
		const char *words;
	} rows[] = {
		{ "isolate", "1", NULL, NULL, 0, -EPERM, -EPERM, "could not be reset" },
		{ "isolate", "1", "isolate_strategy", "0", 0, -EPERM, -EPERM, "could not be reset" },
		{ "isolate", "1", "isolate_strategy", "7", 0, -EPERM, -EPERM, "7 errors" },
		{ "isolate", "0", "isolate_strategy", "7", 0, 0, 0, "" },
		/* Of queue managers that are not made yet, or were not when this was. */
		{ "api", "hisi_qm_v5", NULL, NULL, 0, -EOPNOTSUPP, -EOPNOTSUPP, "\"hisi_qm_v5\"" },
		{ "api", "other_v1", NULL, NULL, 0, -EOPNOTSUPP, -EOPNOTSUPP, "\"other_v1\"" },
		{ "flags", "0", NULL, NULL, 0, -EOPNOTSUPP, -EOPNOTSUPP, "flags 0x0" },
		{ "flags", "4", NULL, NULL, 0, -EOPNOTSUPP, -EOPNOTSUPP, "flags 0x4" },
		{ "flags", NULL, NULL, NULL, 0, -EOPNOTSUPP, -EOPNOTSUPP, "flags 0x0" },
		{ "flags", "256", "api", "hisi_qm_v2_noiommu", 0, 0, 0, "" },
		/* Two reasons: the first one. */
		{ "flags", "0", "isolate", "1", 0, -EOPNOTSUPP, -EOPNOTSUPP, "flags" },
		/* What only opening tells. */
		{ NULL, NULL, NULL, NULL, EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP, "(SVA)" },
		{ NULL, NULL, NULL, NULL, ENODEV, -ENODEV, -ENODEV, "(SVA)" },
		{ "flags", "2", NULL, NULL, ENODEV, -ENODEV, -ENODEV, "cannot be opened: No such device" },
		{ NULL, NULL, NULL, NULL, EPERM, -EPERM, -EPERM, "isolated" },
		{ NULL, NULL, NULL, NULL, EACCES, -EACCES, -EACCES, "/dev/" FAKE_UACCE },
		{ NULL, NULL, NULL, NULL, ENOENT, -ENOENT, -ENOENT, "/dev/" FAKE_UACCE },
		{ NULL, NULL, NULL, NULL, EIO, -EIO, -EIO, "Input/output error" },
		{ NULL, NULL, NULL, NULL, EBUSY, 0, -EBUSY, "" },
		{ NULL, NULL, NULL, NULL, EMFILE, 0, -EMFILE, "" },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_device_info info;
		struct wd_queue *q;

		fake_kernel_init(&setups[0]);
		fake_answer(rows[i].attr, rows[i].text);
		fake_answer_too(rows[i].attr_too, rows[i].text_too);
		fake_refuse_open(rows[i].open_error);
		assert_int_equal(wd_list_devices("auto", &info, 1), 1);
		assert_string_equal(info.name, FAKE_UACCE);
		assert_int_equal(info.error, rows[i].error);
		assert_int_equal(!*info.reason, !rows[i].error);
		assert_non_null(strstr(info.reason, rows[i].words));
		assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), rows[i].request);
		if (!rows[i].request)
			wd_release_queue(q);
		check_nothing_left();
		fake_kernel_fini();
	}
}

static void check_failed_device(const struct fake_setup *setup, enum sdmdev_state state, int error,
				enum wd_state expected)
{
	unsigned int generation = 77;
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	fake_kernel_init(setup);
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
	for (size_t i = 0; i < 2; i++) {
		const struct fake_setup *setup = &setups[i * SHARED_NR];

		check_failed_device(setup, SDMDEV_STATE_RESET, -EIO, WD_STATE_RESETTING);
		check_failed_device(setup, SDMDEV_STATE_DEAD, -ENODEV, WD_STATE_DEAD);
	}
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
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_failed_device),
	};

	alarm(TIME_LIMIT_S);
	transport_use(&wd_transport_uacce);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
