/* SPDX-License-Identifier: Zlib */
/* Guards the road through VFIO to sdmdev: every mode of memory, and all that may fail on it. */
#include <poll.h>
#include <pthread.h>
#include "transport.h"

#define DIRECT { .emu = "qm=2,threads=1,depth=16", .mode = SDMDEV_DMA_SINGLE }
#define MEDIATED { .emu = "qm=3,threads=1,depth=16", .mode = SDMDEV_DMA_MEDIATED | SDMDEV_DMA_STATIC }

static const struct fake_setup direct = DIRECT;
static const struct fake_setup mediated = MEDIATED;

/* Versions of the queue manager have their doorbells in different places, or none. */
static const struct fake_setup setups[] = {
	DIRECT,
	MEDIATED,
	{ .emu = "qm=1,depth=16", .mode = SDMDEV_DMA_SINGLE },
	{ .emu = "qm=3,depth=16", .mode = SDMDEV_DMA_MULTI, .mmio_len = 0x10000 },
	{ .emu = "qm=3", .mode = SDMDEV_DMA_SVM, .mmio_len = 0x10000 },
	{ .emu = "qm=1", .mode = SDMDEV_DMA_MEDIATED | SDMDEV_DMA_STATIC },
	{ .emu = "qm=2", .mode = SDMDEV_DMA_PHY | SDMDEV_DMA_STATIC },
	/* An IOMMU too narrow for the addresses of this process. */
	{ .emu = "qm=2", .mode = SDMDEV_DMA_SINGLE | SDMDEV_DMA_STATIC, .aperture_end = 0xffffffff },
	/* A kernel without events. */
	{ .emu = "qm=2", .mode = SDMDEV_DMA_SINGLE, .has_no_events = 1 },
	{ .emu = "qm=3", .mode = SDMDEV_DMA_MEDIATED | SDMDEV_DMA_STATIC, .has_no_events = 1 },
};

static void test_round_trips(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(setups); i++) {
		struct wd_device_info info[3];
		struct side comp, decomp;

		fake_kernel_init(&setups[i]);
		assert_int_equal(wd_list_devices("auto", info, 3), FAKE_FUNCTIONS);
		assert_string_equal(info[1].name, fake_parent(1));
		assert_string_equal(info[1].transport, "sdmdev");
		assert_int_equal(info[1].numa_node, 1);
		assert_int_equal(info[1].queues_total, FAKE_QUEUES);
		assert_null(strstr(info[1].algs, "lz77"));
		assert_non_null(strstr(info[1].algs, "gzip"));

		side_open(&comp, "auto", WD_OP_COMPRESS, 0);
		side_open(&decomp, "auto", WD_OP_DECOMPRESS, 0);
		run_round_trip(&comp, &decomp, 1);
		run_round_trip(&comp, &decomp, 300000);
		run_stream(&comp);
		run_many(&comp, 100);
		assert_int_equal(wd_mem_share(comp.q, NULL, 0, WD_SHARE_ALL),
				 setups[i].mode & SDMDEV_DMA_SVM ? 0 : -EOPNOTSUPP);
		assert_int_equal(fake_counts().started, 2);
		side_close(&comp);
		run_many(&decomp, 0);
		side_close(&decomp);
		check_nothing_left();
		fake_kernel_fini();
	}
}

static void test_failures(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(setups); i++)
		check_failures(&setups[i], i < 2 ? ARRAY_NR(errors) : 2);
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
	check_fork(&direct);
	check_fork(&mediated);
}

/* The child forgets a queue, too, that is closed and whose pages another one shares still. */
static void test_fork_with_shares(void **state)
{
	static char own[100];
	struct side s, other;
	int status;
	pid_t pid;

	fake_kernel_init(&direct);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	side_open(&other, "auto", WD_OP_COMPRESS, 0);
	assert_int_equal(wd_mem_share(s.q, own, 50, WD_SHARE_READ), 0);
	assert_int_equal(wd_mem_share(other.q, own + 50, 50, WD_SHARE_READ), 0);
	side_close(&s);
	pid = fork();
	if (!pid) {
		alarm(TIME_LIMIT_S);
		if (fake_counts().fds)
			leave(1);
		side_close(&other);
		leave(!IS_TSAN && use_device() ? 2 : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_alive(&other);
	side_close(&other);
	check_nothing_left();
	fake_kernel_fini();
}

/* Group, container, device, event. */
static void test_number_zero(void **state)
{
	check_number_zero(&direct, 4);
	check_number_zero(&mediated, 4);
}

static void test_waits(void **state)
{
	check_waits(&direct);
}

/* What a queue's link leads to is a group's number, or the queue is none. */
static void test_groups(void **state)
{
	static const struct {
		const char *link;
		unsigned int nr;
	} rows[] = {
		{ "../../../kernel/iommu_groups/12", FAKE_QUEUES }, { "12", FAKE_QUEUES },
		{ "../../../kernel/iommu_groups/12x", 0 }, { "../../../kernel/iommu_groups/x12", 0 },
		{ "../../../kernel/iommu_groups/-1", 0 }, { "../../../kernel/iommu_groups/1234567890", 0 },
		{ "../../../kernel/iommu_groups/", 0 }, { "", 0 },
	};
	struct wd_device_info info;
	struct wd_queue *q;

	fake_kernel_init(&direct);
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		fake_answer("iommu_group", rows[i].link);
		assert_int_equal(wd_list_devices("auto", &info, 1), FAKE_FUNCTIONS);
		assert_int_equal(info.queues_total, rows[i].nr);
		if (!rows[i].nr)
			assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), -EBUSY);
	}
	/* Of a queue manager that is not made yet. */
	fake_answer("api", "hisi_qm_v9");
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), -EOPNOTSUPP);
	check_nothing_left();
	fake_kernel_fini();
}

/* One opener a queue, one process a function: the next is taken. */
static void test_busy(void **state)
{
	struct wd_queue *q[5];
	struct wd_device_info info;

	fake_kernel_init(&direct);
	fake_take_group(0, 0);
	for (unsigned int i = 0; i < ARRAY_NR(q); i++) {
		assert_int_equal(queue_open(&q[i], "auto", WD_OP_COMPRESS, 0), 0);
		wd_queue_info(q[i], &info);
		assert_string_equal(info.name, fake_parent(i >= 2));
	}
	assert_int_equal(queue_open(&q[0], "auto", WD_OP_COMPRESS, 0), -EBUSY);
	for (unsigned int i = 0; i < ARRAY_NR(q); i++)
		wd_release_queue(q[i]);
	check_nothing_left();

	fake_take_function(0);
	assert_int_equal(queue_open(&q[0], fake_parent(0), WD_OP_COMPRESS, 0), -EBUSY);
	assert_int_equal(queue_open(&q[0], "auto", WD_OP_COMPRESS, 0), 0);
	wd_queue_info(q[0], &info);
	assert_string_equal(info.name, fake_parent(1));
	wd_release_queue(q[0]);
	check_nothing_left();
	fake_kernel_fini();
}

/* Shares need no alignment, so they meet in pages, and outlive the queue of the first. */
static void test_shares(void **state)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	char *mem = aligned_alloc(page_len, 4 * page_len);
	struct wd_queue *q, *other;
	struct wd_zip_req req = { .src_len = 100, .dst_len = 1000, .format = WD_ZIP_ZLIB };
	struct wd_zip_res res;

	fake_kernel_init(&direct);
	memset(mem, 'x', 4 * page_len);
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(queue_open(&other, "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(wd_mem_share(q, mem + 100, 100, 0), 0);
	assert_int_equal(wd_mem_share(other, mem + 200, page_len, 0), 0);
	assert_int_equal(fake_counts().shares, 2); /* a page each */
	assert_int_equal(wd_mem_share(q, mem + 3 * page_len, 100, WD_SHARE_READ), 0);
	/* Writable in the same page it cannot become. */
	assert_int_equal(wd_mem_share(q, mem + 3 * page_len + 200, 100, 0), -EEXIST);
	assert_int_equal(wd_mem_share(q, mem + 2 * page_len - 10, page_len + 20, 0), -EEXIST);
	assert_int_equal(wd_mem_share(q, mem + 3 * page_len + 200, 100, WD_SHARE_READ), 0);
	assert_int_equal(fake_counts().shares, 3);

	wd_release_queue(q);
	assert_int_equal(fake_counts().shares, 2);
	assert_int_equal(fake_counts().started, 1);
	req.src = mem + 200;
	req.dst = mem + 400;
	assert_int_equal(wd_send(other, &req, 1), 1);
	assert_int_equal(wd_recv_sync(other, &res, 1, WAIT_MS), 1);
	assert_int_equal(res.status, WD_ZIP_OK);
	wd_mem_unshare(other, mem + 200, page_len);
	assert_int_equal(wd_send(other, &req, 1), -EFAULT);
	assert_int_equal(fake_counts().shares, 0);
	wd_release_queue(other);
	check_nothing_left();
	fake_kernel_fini();
	free(mem);
}

/* What is refused in the middle of pages that were shared at once leaves them as they are. */
static void test_refused_share(void **state)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	char *mem = aligned_alloc(page_len, 4 * page_len);
	struct wd_zip_req req = { .src_len = 100, .dst_len = 1000, .format = WD_ZIP_ZLIB };
	struct wd_zip_res res;
	struct wd_queue *q;

	fake_kernel_init(&direct);
	memset(mem, 'x', 4 * page_len);
	assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(wd_mem_share(q, mem + page_len - 50, 100, WD_SHARE_READ), 0);
	assert_int_equal(wd_mem_share(q, mem + 2 * page_len, 1000, 0), 0);
	assert_int_equal(fake_counts().shares, 2);
	assert_int_equal(wd_mem_share(q, mem + page_len + 100, 100, 0), -EEXIST);
	assert_int_equal(wd_mem_share(q, mem + page_len + 100, 2 * page_len, 0), -EEXIST);
	assert_int_equal(wd_mem_share(q, mem, 4 * page_len, 0), -EEXIST);
	assert_int_equal(fake_counts().shares, 2);
	req.src = mem + page_len - 50;
	req.dst = mem + 2 * page_len;
	assert_int_equal(wd_send(q, &req, 1), 1);
	assert_int_equal(wd_recv_sync(q, &res, 1, WAIT_MS), 1);
	assert_int_equal(res.status, WD_ZIP_OK);
	wd_release_queue(q);
	check_nothing_left();
	fake_kernel_fini();
	free(mem);
}

/* Checked by the kernel, a queue's memory is its own. */
static void test_private(void **state)
{
	struct side one, two;
	struct wd_zip_req req;

	fake_kernel_init(&mediated);
	side_open(&one, "auto", WD_OP_COMPRESS, 0);
	side_open(&two, "auto", WD_OP_COMPRESS, 0);
	req = block(&one, 1, 100);
	assert_int_equal(wd_send(two.q, &req, 1), -EFAULT);
	assert_int_equal(wd_mem_share(one.q, &req, sizeof(req), 0), -EOPNOTSUPP);
	assert_int_equal(wd_mem_share(one.q, NULL, 0, WD_SHARE_ALL), -EOPNOTSUPP);
	check_alive(&one);
	check_alive(&two);
	side_close(&one);
	check_alive(&two);
	side_close(&two);
	check_nothing_left();
	fake_kernel_fini();
}

static void check_event(struct side *s)
{
	struct pollfd p = { .fd = wd_queue_fd(s->q), .events = POLLIN };

	for (unsigned int i = 0; i < 5; i++) {
		struct wd_zip_req req = block(s, i, 1000);
		struct wd_zip_res res;
		int r;

		assert_int_equal(wd_flush(s->q), 0);
		assert_int_equal(poll(&p, 1, 0), 0); /* what was before is forgotten */
		assert_int_equal(wd_send(s->q, &req, 1), 1);
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		while ((r = wd_recv(s->q, &res, 1)) == -EAGAIN) {
			assert_int_equal(wd_flush(s->q), 0);
			assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		}
		assert_int_equal(r, 1);
	}
}

static void test_event(void **state)
{
	struct side s;

	fake_kernel_init(&direct);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	assert_true(fcntl(wd_queue_fd(s.q), F_GETFD) & FD_CLOEXEC);
	check_event(&s);
	side_close(&s);
	fake_kernel_fini();
	fake_kernel_init(&setups[8]);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	assert_int_equal(wd_queue_fd(s.q), -EOPNOTSUPP);
	side_close(&s);
	check_nothing_left();
	fake_kernel_fini();
}

/* No new requests, but the results of those under way. */
static void test_removal(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct wd_zip_req req;
		struct wd_zip_res res;
		struct side s;

		fake_kernel_init(&setups[i]);
		side_open(&s, "auto", WD_OP_COMPRESS, 0);
		req = block(&s, 1, 1000);
		assert_int_equal(wd_send(s.q, &req, 1), 1);
		fake_want_removal();
		assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_DEAD);
		assert_int_equal(wd_send(s.q, &req, 1), -ENODEV);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
		assert_int_equal(res.status, WD_ZIP_OK);
		side_close(&s);
		check_nothing_left();
		fake_kernel_fini();
	}
}

/* The nearest device that has a queue, as seen by the thread that asks; then the next. */
static void test_nodes(void **state)
{
	static const struct {
		int first, second, cpu; /* nodes */
		const char *device;
		int wish;
		unsigned int expected; /* function */
	} rows[] = {
		{ 1, 1, 0, "auto", -1, 0 },
		{ 0, 2, 0, "auto", -1, 0 },
		{ 0, 2, 2, "auto", -1, 1 },
		/* By the table: from 0 to 2 it is 15, to 3 it is 30; from 3 to 0 it is 30, to 2 it is 20. */
		{ 3, 2, 0, "auto", -1, 1 },
		{ 2, 3, 0, "auto", -1, 0 },
		{ 0, 2, 3, "auto", -1, 1 },
		/* Of one that is not online, or not known, nothing is said: as far as 20. */
		{ 3, 1, 0, "auto", -1, 1 },
		{ 1, 2, 0, "auto", -1, 1 },
		{ -1, 0, 0, "auto", -1, 1 },
		{ 3, -1, 0, "auto", -1, 1 },
		{ -1, 0, -EPERM, "auto", -1, 0 },
		/* A wish is stronger than a list, and that than being near. */
		{ 0, 2, 0, "auto", 2, 1 },
		{ 0, 2, 2, "auto", 0, 0 },
		{ 3, 2, 0, "auto", 0, 1 },
		{ 0, 2, 0, "0000:76:00.0,0000:75:00.0", -1, 1 },
		{ 0, 2, 0, "0000:76:00.0,0000:75:00.0", 0, 0 },
		{ 0, 2, 0, "0000:76:00.0,auto", -1, 1 },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_device_info info[FAKE_FUNCTIONS];
		struct wd_queue *queues[2 * FAKE_QUEUES], *none;

		fake_kernel_init(&direct);
		fake_nodes(rows[i].first, rows[i].second, rows[i].cpu);
		for (unsigned int j = 0; j < ARRAY_NR(queues); j++) {
			struct wd_queue_attr attr = { .device = rows[i].device, .numa_node = rows[i].wish };

			assert_int_equal(wd_request_queue(&attr, &queues[j]), 0);
			wd_queue_info(queues[j], &info[0]);
			assert_string_equal(info[0].name,
					    fake_parent((rows[i].expected + j / FAKE_QUEUES) % FAKE_FUNCTIONS));
		}
		assert_int_equal(queue_open(&none, "auto", WD_OP_COMPRESS, 0), -EBUSY);
		/* Listed in the order in which they would be taken. */
		assert_int_equal(wd_list_devices(rows[i].device, info, ARRAY_NR(info)), FAKE_FUNCTIONS);
		if (rows[i].wish < 0)
			assert_string_equal(info[0].name, fake_parent(rows[i].expected));
		for (unsigned int j = 0; j < ARRAY_NR(queues); j++)
			wd_release_queue(queues[j]);
		check_nothing_left();
		fake_kernel_fini();
	}
}

/* A table that cannot be read, or says nothing, is as good as none. */
static void test_no_distances(void **state)
{
	static const char *const rows[][2] = {
		{ "online", NULL }, { "online", "" }, { "online", "x" }, { "online", "0" }, { "online", "0-1,5" },
		{ "node0/distance", NULL }, { "node0/distance", "" }, { "node0/distance", "10" },
		{ "node0/distance", "10 x" }, { "node0/distance", "10 -3 7" }, { "node0/distance", "10 999" },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_device_info info[FAKE_FUNCTIONS];

		fake_kernel_init(&direct);
		fake_nodes(-1, 2, 0);
		fake_answer_too(rows[i][0], rows[i][1]);
		assert_int_equal(wd_list_devices("auto", info, ARRAY_NR(info)), FAKE_FUNCTIONS);
		assert_string_equal(info[0].name, fake_parent(0));
		fake_kernel_fini();
	}
}

/* What the kernel says of a device that does not work is listed, and another one is taken. */
static void test_refused(void **state)
{
	static const struct {
		const char *attr, *text;
		int error;
		const char *words;
	} rows[] = {
		{ "state", "ok", 0, "" }, { "state", "resetting", 0, "" }, { "state", NULL, 0, "" },
		{ "state", "isolated", -EPERM, "could not be reset" }, { "state", "dead", -ENODEV, "gone" },
		{ "isolate", "0", 0, "" }, { "isolate", "1", -EPERM, "isolate_strategy" },
		{ "api", "hisi_qm_v5", -EOPNOTSUPP, "\"hisi_qm_v5\"" },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_device_info info[FAKE_FUNCTIONS];
		struct wd_queue *q;

		fake_kernel_init(&direct);
		fake_answer(rows[i].attr, rows[i].text);
		assert_int_equal(wd_list_devices("auto", info, ARRAY_NR(info)), FAKE_FUNCTIONS);
		assert_int_equal(info[1].error, rows[i].error);
		assert_non_null(strstr(info[1].reason, rows[i].words));
		assert_string_equal(info[1].mode, "single");
		assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), rows[i].error);
		if (!rows[i].error)
			wd_release_queue(q);
		/* One of the two is well: it comes first, and is taken. */
		fake_answer_of(0);
		assert_int_equal(wd_list_devices("auto", info, ARRAY_NR(info)), FAKE_FUNCTIONS);
		assert_int_equal(info[0].error, 0);
		assert_string_equal(info[0].name, fake_parent(rows[i].error ? 1 : 0));
		assert_int_equal(queue_open(&q, "auto", WD_OP_COMPRESS, 0), 0);
		wd_queue_info(q, &info[1]);
		assert_string_equal(info[1].name, info[0].name);
		wd_release_queue(q);
		check_nothing_left();
		fake_kernel_fini();
	}
}

static void *fail_soon(void *state)
{
	fake_fail_device(*(enum sdmdev_state *)state);
	return NULL;
}

/* Whoever waits is woken, and told; a new queue works after a reset. */
static void check_failed_device(const struct fake_setup *setup, enum sdmdev_state state, int error,
				enum wd_state expected)
{
	struct fake_setup late = *setup;
	unsigned int generation;
	struct wd_zip_req req;
	struct wd_zip_res res;
	pthread_t thread;
	struct side s;

	late.emu = "qm=2,fault=hang@1";
	fake_kernel_init(&late);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	req = block(&s, 1, 1000);
	assert_int_equal(wd_send(s.q, &req, 1), 1);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, 5), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, fail_soon, &state), 0);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), error);
	pthread_join(thread, NULL);
	assert_int_equal(wd_queue_state(s.q, &generation), expected);
	assert_int_equal(generation, state == SDMDEV_STATE_RESET);
	assert_int_equal(wd_send(s.q, &req, 1), error);
	assert_int_equal(wd_recv(s.q, &res, 1), error);
	assert_int_equal(wd_flush(s.q), error);
	side_close(&s);
	check_nothing_left();
	if (state == SDMDEV_STATE_RESET)
		assert_int_equal(use_device(), 0);
	fake_kernel_fini();
}

static void test_failed_device(void **state)
{
	check_failed_device(&direct, SDMDEV_STATE_RESET, -EIO, WD_STATE_RESETTING);
	check_failed_device(&direct, SDMDEV_STATE_DEAD, -ENODEV, WD_STATE_DEAD);
	check_failed_device(&mediated, SDMDEV_STATE_RESET, -EIO, WD_STATE_RESETTING);
	check_failed_device(&mediated, SDMDEV_STATE_DEAD, -ENODEV, WD_STATE_DEAD);
	check_failed_device(&setups[8], SDMDEV_STATE_RESET, -EIO, WD_STATE_RESETTING);
}

static struct wd_queue *shared;

static void *call_often(void *arg)
{
	void *mem;

	assert_int_equal(wd_alloc(shared, 16384, &mem), 0);
	for (unsigned int i = 0; i < 50; i++) {
		struct wd_zip_req req = {
			.src = mem, .dst = (char *)mem + 8192, .src_len = 4000, .dst_len = 8192,
			.format = WD_ZIP_ZLIB,
		};
		struct wd_zip_res res;

		assert_int_equal(wd_call(shared, &req, &res, WAIT_MS), 0);
		assert_int_equal(res.status, WD_ZIP_OK);
	}
	return NULL;
}

static void test_threads(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct wd_queue_attr attr = {
			.device = "auto", .numa_node = -1, .flags = WD_QUEUE_SHARED,
		};
		pthread_t threads[4];

		fake_kernel_init(&setups[i]);
		assert_int_equal(wd_request_queue(&attr, &shared), 0);
		for (unsigned int j = 0; j < ARRAY_NR(threads); j++)
			assert_int_equal(pthread_create(&threads[j], NULL, call_often, NULL), 0);
		for (unsigned int j = 0; j < ARRAY_NR(threads); j++)
			pthread_join(threads[j], NULL);
		wd_release_queue(shared);
		check_nothing_left();
		fake_kernel_fini();
	}
}

/* Whatever the real calls open is not inherited by programs that are started. */
static void test_cloexec(void **state)
{
	int file = wd_sys_linux.open("/dev/null", O_RDWR);
	int event = wd_sys_linux.eventfd();

	assert_true(fcntl(file, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(event, F_GETFD) & FD_CLOEXEC);
	wd_sys_linux.close(file);
	wd_sys_linux.close(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_closed_files),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_fork_with_shares),
		cmocka_unit_test(test_number_zero),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_no_distances),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_refused_share),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_failed_device),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_cloexec),
	};

	alarm(2 * TIME_LIMIT_S);
	transport_use(&wd_transport_sdmdev);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
