/* SPDX-License-Identifier: Zlib */
/* A queue with its buffers, and the requests the queue tests send. */
#ifndef QUEUE_H
#define QUEUE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wd.h"
#include "wd_zip.h"
#include "../unit/unit.h"

/* It ends what hangs. WD_TEST_SLOW: on a machine so many times slower, as an emulated one is. */
#define TIME_LIMIT_S (400 * slowness())
#define WAIT_MS 20000
#define BUF_LEN (1u << 20)

/*
 * Versions of the queue manager, each of which a test runs on. WD_TEST_DEVICE names a device that
 * is no emulated one: it has one version, and tests that need an emulated one's options skip.
 */
#define VERSIONS 3
#define for_versions(v) \
	for (unsigned int named_ = version_named(), v = named_ ? named_ : 1; \
	     v <= (named_ ? named_ : VERSIONS); v++)

static inline unsigned int slowness(void)
{
	const char *slow = getenv("WD_TEST_SLOW");

	return slow && *slow > '0' && *slow <= '9' ? *slow - '0' : 1;
}

struct side {
	struct wd_queue *q;
	uint8_t *src, *dst;
	void *ctx;
};

/* options may hold one %u for the version. */
static inline const char *device_name(const char *options, unsigned int version)
{
	static _Thread_local char name[2][WD_NAME_LEN];
	static _Thread_local unsigned int turn;

	turn ^= 1;
	snprintf(name[turn], WD_NAME_LEN, "emu:qm=%u%s%s", version, *options ? "," : "", options);
	return name[turn];
}

/* Where options only choose how many engines there are. */
static inline const char *any_device(const char *options, unsigned int version)
{
	const char *device = getenv("WD_TEST_DEVICE");

	return device ? device : device_name(options, version);
}

static inline void need_emulated(void)
{
	if (getenv("WD_TEST_DEVICE"))
		skip();
}

static inline int queue_open(struct wd_queue **q, const char *device, enum wd_op_type op,
			     unsigned int depth)
{
	struct wd_queue_attr attr = {
		.device = device, .op_type = op, .numa_node = -1, .depth = depth,
	};

	return wd_request_queue(&attr, q);
}

/* Of the device that WD_TEST_DEVICE names; or 0. */
static inline unsigned int version_named(void)
{
	struct wd_device_info info;
	struct wd_queue *q;
	unsigned int version;

	if (!getenv("WD_TEST_DEVICE"))
		return 0;
	assert_int_equal(queue_open(&q, getenv("WD_TEST_DEVICE"), WD_OP_COMPRESS, 0), 0);
	wd_queue_info(q, &info);
	wd_release_queue(q);
	assert_int_equal(sscanf(info.api, "hisi_qm_v%u", &version), 1);
	return version;
}

static inline void side_open(struct side *s, const char *device, enum wd_op_type op,
			     unsigned int depth)
{
	void *mem[3];

	assert_int_equal(queue_open(&s->q, device, op, depth), 0);
	assert_int_equal(wd_alloc(s->q, BUF_LEN, &mem[0]), 0);
	assert_int_equal(wd_alloc(s->q, BUF_LEN, &mem[1]), 0);
	assert_int_equal(wd_alloc(s->q, WD_ZIP_CTX_SIZE, &mem[2]), 0);
	s->src = mem[0];
	s->dst = mem[1];
	s->ctx = mem[2];
}

static inline void side_close(struct side *s)
{
	wd_release_queue(s->q);
}

/* Text that differs from seed to seed. */
static inline void fill_text(uint8_t *text, size_t len, unsigned int seed)
{
	static const char words[] = "a request goes in, a result comes out, the next please. ";

	for (size_t i = 0; i < len; i++)
		text[i] = words[(i + i / 97 * seed) % (sizeof(words) - 1)];
}

/* One whole stream in one request. */
static inline struct wd_zip_req block(const struct side *s, uint64_t tag, uint32_t src_len)
{
	return (struct wd_zip_req){
		.tag = tag, .src = s->src, .dst = s->dst, .src_len = src_len, .dst_len = BUF_LEN,
		.format = WD_ZIP_ZLIB,
	};
}

static inline struct wd_zip_res run(const struct side *s, const struct wd_zip_req *req)
{
	struct wd_zip_res res;

	assert_int_equal(wd_send(s->q, req, 1), 1);
	assert_int_equal(wd_recv_sync(s->q, &res, 1, WAIT_MS), 1);
	assert_int_equal(res.tag, req->tag);
	assert_true(res.consumed <= req->src_len);
	assert_true(res.produced <= req->dst_len);
	return res;
}

/* A small request works on this queue. */
static inline void check_alive(const struct side *s)
{
	struct wd_zip_req req = block(s, 99, 1000);

	fill_text(s->src, 1000, 1);
	assert_int_equal(run(s, &req).status, WD_ZIP_OK);
}

#endif
