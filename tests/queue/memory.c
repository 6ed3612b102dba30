/* SPDX-License-Identifier: Zlib */
/* Guards which memory a request may name: allocated, shared, read-only, the whole address space. */
#include "config.h"
#include <stdlib.h>
#include <sys/mman.h>
#include "queue.h"

static int send_from(int line, struct wd_queue *q, const void *src, void *dst, uint32_t dst_len)
{
	struct wd_zip_req req = {
		.tag = 1, .src = src, .dst = dst, .src_len = 100, .dst_len = dst_len,
		.format = WD_ZIP_ZLIB,
	};
	struct wd_zip_res res;
	int r = wd_send(q, &req, 1);

	if (r < 0)
		return r;
	r = wd_recv_sync(q, &res, 1, WAIT_MS);
	if (r != 1 || res.status != WD_ZIP_OK)
		fail_msg("line %d: %d, status %u", line, r, res.status);
	return 0;
}

#define send_at(...) send_from(__LINE__, __VA_ARGS__)

static int is_mapped(void *mem)
{
	unsigned char vec;

	return !mincore(mem, 1, &vec);
}

/* A device that WD_TEST_DEVICE names need not reach the process's memory. */
static void share_or_skip(struct wd_queue *q, const void *mem, size_t len, int flags)
{
	int r = wd_mem_share(q, mem, len, flags);

	if (r == -EOPNOTSUPP && version_named())
		skip();
	assert_int_equal(r, 0);
}

static void test_alloc(void **state)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	struct wd_queue *q;
	void *mem, *other;
	struct wd_zip_req stream = {
		.src = &q, .dst = &q, .dst_len = 200, .format = WD_ZIP_ZLIB, .flags = WD_ZIP_STREAM,
	};

	assert_int_equal(queue_open(&q, any_device("", 2), WD_OP_COMPRESS, 0), 0);
	assert_int_equal(wd_alloc(q, 0, &mem), -ENOMEM);
	assert_int_equal(wd_alloc(q, SIZE_MAX, &mem), -ENOMEM);
	assert_int_equal(wd_alloc(q, SIZE_MAX / 2, &mem), -ENOMEM);
	/* Whole pages, and no more of them than it takes. */
	assert_int_equal(wd_alloc(q, page_len, &mem), 0);
	assert_int_equal(send_at(q, mem, (char *)mem + page_len - 200, 200), 0);
	assert_int_equal(send_at(q, mem, (char *)mem + page_len - 200, 201), -EFAULT);
	wd_free(q, mem);
	assert_int_equal(wd_alloc(q, 1, &mem), 0);
	assert_int_equal((uintptr_t)mem % 4096, 0);
	assert_int_equal(*(char *)mem, 0);
	assert_int_equal(wd_alloc(q, 300000, &other), 0);
	assert_int_equal(send_at(q, mem, (char *)other + 200000, 100000), 0);
	assert_int_equal(send_at(q, mem, (char *)mem + 1024, 1024), 0);
	assert_int_equal(send_at(q, NULL, mem, 1024), -EINVAL);
	assert_int_equal(send_at(q, mem, NULL, 1024), -EINVAL);
	assert_int_equal(wd_send(q, &stream, 1), -EINVAL); /* without a context */
	assert_int_equal(send_at(q, mem, (char *)other - 4096, 1024 * 1024), -EFAULT);
	wd_free(q, mem);
	assert_int_equal(send_at(q, mem, other, 1024), -EFAULT);
	wd_free(q, NULL);
	wd_release_queue(q);
}

/* What a request in flight names stays until the queue ends: the device may still write there. */
static void test_free_in_flight(void **state)
{
	struct wd_zip_req req = { .src_len = 100, .dst_len = 2000, .format = WD_ZIP_ZLIB };
	struct wd_zip_res res;
	struct wd_queue *q;
	void *mem[4];

	need_emulated();
	/* Two are done, and the third of those that follow is at the ring's beginning again. */
	assert_int_equal(queue_open(&q, "emu:threads=1,depth=4,fault=hang@3", WD_OP_COMPRESS, 0), 0);
	for (unsigned int i = 0; i < ARRAY_NR(mem); i++)
		assert_int_equal(wd_alloc(q, 4096, &mem[i]), 0);
	for (unsigned int i = 0; i < 5; i++) {
		req.src = mem[i < 2 ? 0 : i - 2];
		req.dst = (char *)req.src + 2000;
		assert_int_equal(wd_send(q, &req, 1), 1);
		if (i < 2)
			assert_int_equal(wd_recv_sync(q, &res, 1, WAIT_MS), 1);
	}
	assert_int_equal(wd_recv_sync(q, &res, 1, 10), -ETIMEDOUT);
	for (unsigned int i = 0; i < ARRAY_NR(mem); i++) {
		wd_free(q, mem[i]);
		assert_int_equal(is_mapped(mem[i]), i < 3);
	}
	wd_release_queue(q);
	for (unsigned int i = 0; i < ARRAY_NR(mem); i++)
		assert_false(is_mapped(mem[i]));
}

static void test_share(void **state)
{
	struct wd_queue *q, *other;
	const size_t page_len = sysconf(_SC_PAGESIZE);
	char *pages = aligned_alloc(page_len, 6 * page_len);
	char *mem = pages + page_len - 256; /* what is shared first lies in two pages */

	assert_non_null(pages);
	fill_text((uint8_t *)mem, 20000, 1);
	assert_int_equal(queue_open(&q, any_device("", 2), WD_OP_COMPRESS, 0), 0);
	assert_int_equal(queue_open(&other, any_device("", 2), WD_OP_COMPRESS, 0), 0);
	assert_int_equal(send_at(q, mem + 1, mem + 10001, 999), -EFAULT);

	/* No alignment is needed, and the range is as long as was said. */
	share_or_skip(q, mem + 1, 500, WD_SHARE_READ);
	assert_int_equal(wd_mem_share(q, mem + 10001, 999, 0), 0);
	assert_int_equal(send_at(q, mem + 1, mem + 10001, 999), 0);
	assert_int_equal(send_at(q, mem + 401, mem + 10001, 999), 0);
	assert_int_equal(send_at(q, mem + 402, mem + 10001, 999), -EFAULT);
	assert_int_equal(send_at(q, mem, mem + 10001, 999), -EFAULT);
	assert_int_equal(send_at(q, mem + 1, mem + 10001, 1000), -EFAULT);
	assert_int_equal(send_at(q, mem + 10001, mem + 1, 300), -EFAULT); /* read-only */
	/* The device reaches it for its other queues, too. */
	assert_int_equal(send_at(other, mem + 1, mem + 10001, 999), 0);

	assert_int_equal(wd_mem_share(q, mem + 500, 10, 0), -EEXIST);
	assert_int_equal(wd_mem_share(other, mem, 20000, 0), -EEXIST);
	assert_int_equal(wd_mem_share(q, mem + 501, 10, WD_SHARE_READ), 0);
	assert_int_equal(wd_mem_share(q, NULL, 10, 0), -EINVAL);
	assert_int_equal(wd_mem_share(q, mem, 0, 0), -EINVAL);
	assert_int_equal(wd_mem_share(q, mem, SIZE_MAX, 0), -EINVAL);
	assert_int_equal(wd_mem_share(q, mem + 12000, 10, 8), -EINVAL);

	wd_mem_unshare(q, mem + 1, 499); /* never shared like that */
	assert_int_equal(send_at(q, mem + 1, mem + 10001, 999), 0);
	wd_mem_unshare(q, mem + 1, 500);
	assert_int_equal(send_at(q, mem + 1, mem + 10001, 999), -EFAULT);
	assert_int_equal(send_at(other, mem + 1, mem + 10001, 999), -EFAULT);
	assert_int_equal(wd_mem_share(q, mem, 501, WD_SHARE_READ), 0);
	/* What a queue shared ends with it. */
	wd_release_queue(q);
	assert_int_equal(send_at(other, mem + 1, mem + 10001, 999), -EFAULT);
	wd_release_queue(other);
	free(pages);
}

static void test_share_all(void **state)
{
	static uint8_t src[100], dst[1000];
	struct wd_queue *q, *other;
	void *mem;

	assert_int_equal(queue_open(&q, any_device("", 2), WD_OP_COMPRESS, 0), 0);
	assert_int_equal(queue_open(&other, any_device("", 2), WD_OP_COMPRESS, 0), 0);
	assert_int_equal(wd_alloc(q, 1000, &mem), 0);
	assert_int_equal(send_at(q, src, dst, sizeof(dst)), -EFAULT);
	share_or_skip(q, NULL, 0, WD_SHARE_ALL);
	assert_int_equal(wd_mem_share(other, NULL, 0, WD_SHARE_ALL), 0);
	assert_int_equal(send_at(q, src, dst, sizeof(dst)), 0);
	assert_int_equal(send_at(q, mem, dst, sizeof(dst)), 0);
	assert_int_equal(send_at(q, NULL, dst, sizeof(dst)), -EINVAL);
	assert_int_equal(send_at(q, src, NULL, 100), -EINVAL);
	wd_mem_unshare(q, NULL, 0);
	assert_int_equal(send_at(q, src, dst, sizeof(dst)), 0); /* the other still shares it */
	/* Single ranges can come and go meanwhile, but none over another one. */
	assert_int_equal(wd_mem_share(q, src, sizeof(src), 0), 0);
	assert_int_equal(wd_mem_share(q, src + 50, sizeof(src), 0), -EEXIST);
	wd_release_queue(other);
	assert_int_equal(send_at(q, src, dst, sizeof(dst)), -EFAULT);
	assert_int_equal(send_at(q, src, mem, 1000), 0);
	wd_release_queue(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_free_in_flight),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_share_all),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
