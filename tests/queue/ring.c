/* SPDX-License-Identifier: Zlib */
/* Guards sending and receiving: order, full queues, many rounds of the ring, depth, batches. */
#include <limits.h>
#include <poll.h>
#include "queue.h"

static void test_both_directions(void **state)
{
	for_versions(version) {
		const char *device = any_device("", version);
		struct wd_zip_res packed, plain;
		struct wd_zip_req req;
		struct side c, d;

		side_open(&c, device, WD_OP_COMPRESS, 0);
		side_open(&d, device, WD_OP_DECOMPRESS, 0);
		fill_text(c.src, 100000, version);
		for (unsigned int format = version < 3 ? WD_ZIP_ZLIB : WD_ZIP_DEFLATE;
		     format <= WD_ZIP_GZIP; format++) {
			req = block(&c, UINT64_MAX - format, 100000);
			req.format = format;
			packed = run(&c, &req);
			assert_int_equal(packed.status, WD_ZIP_OK);
			assert_int_equal(packed.consumed, 100000);
			assert_true(packed.produced < 100000);

			memcpy(d.src, c.dst, packed.produced);
			req = block(&d, format, packed.produced);
			req.format = format;
			plain = run(&d, &req);
			assert_int_equal(plain.status, WD_ZIP_END);
			assert_int_equal(plain.consumed, packed.produced);
			assert_int_equal(plain.produced, 100000);
			assert_int_equal(plain.checksum, packed.checksum);
			assert_memory_equal(d.dst, c.src, 100000);
		}
		if (version < 3) {
			req = block(&c, 0, 1000);
			req.format = WD_ZIP_DEFLATE;
			assert_int_equal(wd_send(c.q, &req, 1), -EINVAL);
		}
		side_close(&c);
		side_close(&d);
	}
}

/* 3000 requests, a different number in flight each time: tags come back in order, none is lost. */
static void test_order_over_rounds(void **state)
{
	for_versions(version) {
		uint64_t sent = 0, received = 0;
		struct side s;

		side_open(&s, any_device("", version), WD_OP_COMPRESS, 0);
		fill_text(s.src, 64, 1);
		while (received < 3000) {
			unsigned int burst = 1 + sent % 37;
			struct wd_zip_res res[5];
			int r;

			while (burst-- && sent < 3000) {
				struct wd_zip_req req = block(&s, sent << 32 | sent, 64);

				req.dst = s.dst + sent % 2048 * 256; /* more than are in flight */
				req.dst_len = 256;
				r = wd_send(s.q, &req, 1);
				if (r == -EBUSY)
					break;
				assert_int_equal(r, 1);
				sent++;
			}
			r = wd_recv_sync(s.q, res, ARRAY_NR(res), WAIT_MS);
			assert_in_range(r, 1, ARRAY_NR(res));
			for (int i = 0; i < r; i++, received++) {
				assert_int_equal(res[i].tag, received << 32 | received);
				assert_int_equal(res[i].status, WD_ZIP_OK);
			}
			assert_int_equal(wd_queue_in_flight(s.q), sent - received);
		}
		side_close(&s);
	}
}

static void test_full(void **state)
{
	static const struct {
		unsigned int depth, room;
	} rows[] = { { 0, 15 }, { 4, 4 }, { 1, 1 }, { 15, 15 }, { 1000, 15 } };

	for (size_t i = 0; i < VERSIONS * ARRAY_NR(rows); i++) {
		const char *device = any_device("depth=16", 1 + i % VERSIONS);
		unsigned int room = rows[i / VERSIONS].room;
		struct wd_zip_res res[20];
		struct wd_zip_req req[20];
		struct side s;
		unsigned int got = 0;

		if (room != rows[i / VERSIONS].depth && version_named())
			continue; /* it is deeper */
		side_open(&s, device, WD_OP_COMPRESS, rows[i / VERSIONS].depth);
		fill_text(s.src, 64, 1);
		for (unsigned int n = 0; n < ARRAY_NR(req); n++) {
			req[n] = block(&s, n, 64);
			req[n].dst = s.dst + n * 256;
			req[n].dst_len = 256;
		}
		assert_int_equal(wd_recv(s.q, res, 1), -EAGAIN);
		assert_int_equal(wd_send(s.q, req, ARRAY_NR(req)), room);
		assert_int_equal(wd_send(s.q, req, 1), -EBUSY);
		assert_int_equal(wd_queue_in_flight(s.q), room);
		while (got < room) {
			int r = wd_recv_sync(s.q, &res[got], ARRAY_NR(res) - got, WAIT_MS);

			assert_true(r > 0);
			got += r;
		}
		for (unsigned int n = 0; n < got; n++)
			assert_int_equal(res[n].tag, n);
		assert_int_equal(wd_recv_sync(s.q, res, 1, WAIT_MS), -ENOENT);
		assert_int_equal(wd_send(s.q, &req[room], 1), 1);
		assert_int_equal(wd_recv_sync(s.q, res, 1, UINT_MAX), 1);
		side_close(&s);
	}
}

/* A batch ends before its first impossible request. */
static void test_batch_with_a_bad_request(void **state)
{
	struct wd_zip_req req[3];
	struct wd_zip_res res[3];
	struct side s;

	side_open(&s, any_device("", 2), WD_OP_COMPRESS, 0);
	for (unsigned int n = 0; n < 3; n++) {
		req[n] = block(&s, n, 64);
		req[n].dst = s.dst + n * 256;
		req[n].dst_len = 256;
	}
	req[1].src_len = 0;
	assert_int_equal(wd_send(s.q, req, 3), 1);
	assert_int_equal(wd_send(s.q, req + 1, 2), -EINVAL);
	assert_int_equal(wd_recv_sync(s.q, res, 3, WAIT_MS), 1);
	assert_int_equal(res[0].tag, 0);
	/* No such window, format, flags. */
	req[0].window_bits = 11;
	assert_int_equal(wd_send(s.q, req, 1), -EINVAL);
	req[0].window_bits = 0;
	req[0].format = 9;
	assert_int_equal(wd_send(s.q, req, 1), -EINVAL);
	req[0].format = WD_ZIP_ZLIB;
	req[0].flags = 8;
	assert_int_equal(wd_send(s.q, req, 1), -EINVAL);
	req[0].flags = 0;
	assert_int_equal(wd_send(s.q, req, 0), -EINVAL);
	assert_int_equal(wd_recv(s.q, res, 0), -EINVAL);
	side_close(&s);
}

/* As many results at once as there are, and no more than were asked for. */
static void test_batch_of_results(void **state)
{
	struct wd_zip_req req[8];
	struct wd_zip_res res[10];
	struct side s, other;

	need_emulated();
	side_open(&s, "emu:threads=1", WD_OP_COMPRESS, 0);
	side_open(&other, "emu:threads=1", WD_OP_COMPRESS, 0);
	fill_text(s.src, 64, 1);
	for (unsigned int n = 0; n < ARRAY_NR(req); n++) {
		req[n] = block(&s, n, 64);
		req[n].dst = s.dst + n * 256;
		req[n].dst_len = 256;
	}
	memset(res, 0xee, sizeof(res));
	assert_int_equal(wd_send(s.q, req, ARRAY_NR(req)), ARRAY_NR(req));
	assert_int_equal(wd_recv_sync(s.q, res, 1, WAIT_MS), 1);
	assert_int_equal(res[1].tag, UINT64_C(0xeeeeeeeeeeeeeeee));
	/* The only engine is at this queue: when it has served the other one, all are there. */
	check_alive(&other);
	assert_int_equal(wd_recv(s.q, res, 3), 3);
	assert_int_equal(res[3].tag, UINT64_C(0xeeeeeeeeeeeeeeee));
	assert_int_equal(wd_recv(s.q, res + 3, 7), 4);
	for (unsigned int n = 0; n < 7; n++)
		assert_int_equal(res[n].tag, n + 1);
	assert_int_equal(wd_recv(s.q, res, 1), -EAGAIN);
	side_close(&other);
	side_close(&s);
}

/* After wd_flush() the descriptor becomes readable with the next result. */
static void test_event(void **state)
{
	struct wd_zip_res res;
	struct wd_zip_req req;
	struct side s;

	side_open(&s, any_device("latency_us=2000", 2), WD_OP_COMPRESS, 0);
	fill_text(s.src, 1000, 1);
	for (unsigned int i = 0; i < 20; i++) {
		struct pollfd pfd = { .fd = wd_queue_fd(s.q), .events = POLLIN };

		req = block(&s, i, 1000);
		assert_true(pfd.fd >= 0);
		assert_int_equal(wd_flush(s.q), 0);
		assert_int_equal(wd_send(s.q, &req, 1), 1);
		assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
		assert_int_equal(wd_recv(s.q, &res, 1), 1);
		assert_int_equal(res.tag, i);
	}
	side_close(&s);
}

static void test_open_errors(void **state)
{
	static const struct {
		const char *device, *alg;
		int r;
	} rows[] = {
		{ "none", NULL, -ENODEV },
		{ "hisi_zip-99", NULL, -ENODEV },
		{ "fast", NULL, -EINVAL },
		{ "emu:qm=9", NULL, -EINVAL },
		{ "emu:qm=2", "deflate", -EOPNOTSUPP },
		{ "emu:qm=2", "lz4", -EOPNOTSUPP },
		{ "emu:qm=2,emu:qm=3", "deflate", 0 },
		{ "none,emu", NULL, -ENODEV },
		{ "emu:queues=1,fault=busy@1+", NULL, -EBUSY },
		{ "emu:queues=1,fault=busy@1+,emu:qm=2", "deflate", -EBUSY },
		{ "emu:queues=1,fault=busy@1+,emu:qm=2", "gzip", 0 },
	};
	struct wd_queue *q = NULL, *held;

	need_emulated();
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_queue_attr attr = {
			.device = rows[i].device, .alg = rows[i].alg, .numa_node = -1,
		};

		print_message("%s %s\n", attr.device, attr.alg ? attr.alg : "any");
		q = NULL;
		errno = 77;
		assert_int_equal(wd_request_queue(&attr, &q), rows[i].r);
		assert_int_equal(errno, 77);
		assert_int_equal(q != NULL, rows[i].r == 0);
		wd_release_queue(q);
	}
	assert_int_equal(wd_request_queue(NULL, &q), -EINVAL);
	assert_int_equal(queue_open(&q, "emu", 2, 0), -EINVAL);

	assert_int_equal(queue_open(&held, "emu:queues=1", WD_OP_COMPRESS, 0), 0);
	assert_int_equal(queue_open(&q, "emu:queues=1", WD_OP_COMPRESS, 0), -EBUSY);
	wd_release_queue(held);
	assert_int_equal(queue_open(&q, "emu:queues=1", WD_OP_DECOMPRESS, 0), 0);
	wd_release_queue(q);
	wd_release_queue(NULL);
}

static void test_info(void **state)
{
	struct wd_device_info info;
	struct wd_queue *q;

	need_emulated();
	assert_int_equal(queue_open(&q, "none0,emu:qm=3", WD_OP_COMPRESS, 0), 0);
	wd_queue_info(q, &info);
	assert_string_equal(info.name, "emu:qm=3");
	assert_string_equal(info.api, "hisi_qm_v3");
	assert_int_equal(info.max_len, WD_ZIP_MAX_LEN);
	assert_int_equal(wd_queue_state(q, NULL), WD_STATE_OK);
	wd_release_queue(q);
	/* What computes there, which zwd tells. */
	assert_int_equal(wd_list_devices("emu:engine=zlib", &info, 1), 1);
	assert_string_equal(info.engine, "zlib");
	assert_int_equal(info.numa_node, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_order_over_rounds),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_batch_with_a_bad_request),
		cmocka_unit_test(test_batch_of_results),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_open_errors),
		cmocka_unit_test(test_info),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
