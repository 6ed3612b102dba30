/* SPDX-License-Identifier: Zlib */
/*
 * Results of a device that lies, to libwd and to streams of libz-wd: any status, field, tag, phase
 * and order; twice, late or never. libwd keeps its rings and says documented errors, and a new
 * queue works when the device does; verified streams are right whatever they were told.
 */
#include "config.h"
#include "driver.h"
#include "stock.h"
#include "sqe/device.h"

#include "libz-wd/operate/root.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { AREA_LEN = 4 * WD_ZIP_CTX_SIZE, AT_ONCE = 8, CALLERS_MOST = 3, PLAIN_MAX = 1 << 20 };

static unsigned char plain[PLAIN_MAX], packed[2 * PLAIN_MAX + 65536], back[PLAIN_MAX + 1];

/* What the program knows of its queue. */
struct user {
	struct wd_queue *queue;
	uint8_t *area;
	uint64_t sent, received; /* tags count */
	bool is_broken;		 /* an error that stays was said */
};

static void setup(void)
{
	stock_open();
	zwd_root_note(); /* what the library does where it is loaded */
	device_setup();
}

static struct wd_zip_req request(struct taker *t, struct user *u, bool is_sound)
{
	unsigned int how = take_byte(t);
	struct wd_zip_req req = {
		.tag = u->sent,
		.src = u->area + take_byte(t),
		.dst = u->area + 65536 + take_byte(t) * 16,
		.src_len = 1 + take_byte(t) * 8,
		.dst_len = WD_ZIP_STREAM_MIN_DST + take_byte(t) * 8,
		.format = (uint8_t)(WD_ZIP_ZLIB + how % 2),
		.flags = (uint8_t)(how / 2 % 8),
	};

	if (req.flags & WD_ZIP_STREAM)
		req.ctx = u->area + 2 * WD_ZIP_CTX_SIZE;
	if (is_sound || how < 200)
		return req;
	switch (take_byte(t) % 8) {
	case 0:
		req.src = how & 1 ? NULL : u->area - 4096;
		break;
	case 1:
		req.dst = how & 1 ? NULL : u->area + AREA_LEN - 8;
		break;
	case 2:
		req.ctx = how & 1 ? NULL : u->area + AREA_LEN - WD_ZIP_CTX_SIZE + 1;
		break;
	case 3:
		req.src_len = take_u32(t);
		break;
	case 4:
		req.dst_len = take_u32(t);
		break;
	case 5:
		req.format = (uint8_t)take_byte(t);
		break;
	case 6:
		req.flags = (uint8_t)take_byte(t);
		break;
	default:
		req.window_bits = (uint8_t)take_byte(t);
		break;
	}
	return req;
}

/* Every error of a queue's use has its cause. */
static void check_error(struct user *u, const char *call, int ret, bool is_more)
{
	check(ret == -EIO || ret == -ENODEV || is_more, "%s: %d", call, ret);
	check(device.has_lied || is_more, "%s: %d, and the device never lied", call, ret);
	u->is_broken = u->is_broken || (!is_more && !device.is_stopped);
}

static void use_send(struct taker *t, struct user *u)
{
	struct wd_zip_req reqs[AT_ONCE];
	unsigned int nr = take_byte(t) % (AT_ONCE + 1), before = wd_queue_in_flight(u->queue);
	int ret;

	for (unsigned int i = 0; i < nr; i++) {
		reqs[i] = request(t, u, false);
		reqs[i].tag = u->sent + i;
	}
	ret = wd_send(u->queue, reqs, nr);
	if (ret < 0) {
		check_error(u, "wd_send", ret, ret == -EBUSY || ret == -EINVAL || ret == -EFAULT);
		check(wd_queue_in_flight(u->queue) == before, "what was refused is in flight");
		return;
	}
	check(!u->is_broken || !nr, "a broken queue takes requests");
	check(ret > 0 && (unsigned int)ret <= nr, "wd_send: %d of %u", ret, nr);
	u->sent += (unsigned int)ret;
}

static void take_results(struct user *u, const char *call, const struct wd_zip_res *res, int ret,
			 unsigned int nr)
{
	if (ret < 0) {
		check_error(u, call, ret,
			    ret == -EAGAIN || ret == -ENOENT || ret == -ETIMEDOUT ||
				    ret == -EINVAL);
		return;
	}
	check(ret > 0 && (unsigned int)ret <= nr, "%s: %d of %u", call, ret, nr);
	for (int i = 0; i < ret; i++, u->received++) {
		check(u->received < u->sent, "%s: more than was sent", call);
		check(res[i].tag == u->received, "%s: tag %llu for %llu", call,
		      (unsigned long long)res[i].tag, (unsigned long long)u->received);
		check(res[i].status <= WD_ZIP_FAILED, "%s: status %u", call, res[i].status);
	}
}

static void use_receive(struct taker *t, struct user *u)
{
	struct wd_zip_res res[AT_ONCE + 1];
	unsigned int how = take_byte(t), nr = how % (AT_ONCE + 1);

	if (how < 160)
		take_results(u, "wd_recv", res, wd_recv(u->queue, res, nr), nr);
	else
		take_results(u, "wd_recv_sync", res,
			     wd_recv_sync(u->queue, res, nr, how % 16 == 15), nr);
}

static void use_call(struct taker *t, struct user *u)
{
	struct wd_zip_req req = request(t, u, false);
	struct wd_zip_res res;
	int ret = wd_call(u->queue, &req, &res, 1);

	if (!ret) {
		u->sent++;
		take_results(u, "wd_call", &res, 1, 1);
	} else {
		check_error(u, "wd_call", ret,
			    ret == -EBUSY || ret == -EINVAL || ret == -EFAULT || ret == -ETIMEDOUT);
		/* It may be in flight now. */
		u->sent = u->received + wd_queue_in_flight(u->queue);
	}
}

static void use_memory(struct taker *t, struct user *u)
{
	void *mem = NULL;

	if (!wd_alloc(u->queue, 1 + take_byte(t) * 100, &mem)) {
		memset(mem, 1, 1);
		wd_free(u->queue, mem);
	}
	if (!wd_mem_share(u->queue, plain, 4096, take_byte(t) % 8))
		wd_mem_unshare(u->queue, plain, 4096);
}

static int open_user(struct user *u, enum wd_op_type op_type, unsigned int depth, unsigned int flags)
{
	struct wd_queue_attr attr = { .device = "hostile-0",
				      .op_type = op_type,
				      .numa_node = -1,
				      .depth = depth,
				      .flags = flags,
				      .spin_us = 1 };
	void *mem;
	int ret = wd_request_queue(&attr, &u->queue);

	if (ret)
		return ret;
	check(!wd_alloc(u->queue, AREA_LEN, &mem), "wd_alloc");
	u->area = mem;
	return 0;
}

/* A device that is honest again is believed again. */
static void check_sound(enum wd_op_type op_type)
{
	static const uint8_t none[1];
	struct taker t = { none, 0 };
	struct wd_zip_res res;
	struct user u = { 0 };

	device.is_honest = true;
	device.has_lied = false;
	check(!open_user(&u, op_type, 0, 0), "no new queue");
	for (int i = 0; i < 3; i++) {
		struct wd_zip_req req = request(&t, &u, true);
		int ret;

		check(wd_send(u.queue, &req, 1) == 1, "a new queue takes no request");
		u.sent++;
		ret = wd_recv_sync(u.queue, &res, 1, 2000);
		take_results(&u, "wd_recv_sync of a new queue", &res, ret, 1);
		check(ret == 1, "a new queue gives no result: %d", ret);
	}
	wd_release_queue(u.queue);
}

/* A queue of all threads: each has the result of its own request, or an error. */

struct caller {
	pthread_t thread;
	struct user user;
	struct taker bytes;
};

static void *call_on(void *arg)
{
	struct caller *c = arg;

	for (uint64_t nr = 0; c->bytes.len; nr++) {
		struct wd_zip_req req = request(&c->bytes, &c->user, false);
		struct wd_zip_res res = { .tag = ~nr };
		int ret;

		req.tag = (uintptr_t)c + nr;
		ret = wd_call(c->user.queue, &req, &res, 1);
		if (ret)
			check_error(&c->user, "wd_call of many", ret,
				    ret == -EINVAL || ret == -EFAULT || ret == -ETIMEDOUT);
		else
			check(res.tag == req.tag && res.status <= WD_ZIP_FAILED,
			      "wd_call of many: tag %llx for %llx, status %u",
			      (unsigned long long)res.tag, (unsigned long long)req.tag, res.status);
		if (nr % 8 == 7)
			use_memory(&c->bytes, &c->user);
	}
	return NULL;
}

static void call_by_many(struct taker *t, const struct user *u)
{
	static struct caller callers[CALLERS_MOST];
	unsigned int nr = 1 + take_byte(t) % CALLERS_MOST;

	for (unsigned int i = 0; i < nr; i++) {
		size_t len = t->len / (nr - i);

		callers[i].user = *u;
		callers[i].bytes.data = take_bytes(t, &len);
		callers[i].bytes.len = len;
		check(!i || !pthread_create(&callers[i].thread, NULL, call_on, &callers[i]), "no thread");
	}
	call_on(&callers[0]);
	for (unsigned int i = 1; i < nr; i++)
		pthread_join(callers[i].thread, NULL);
}

static void run_queue(struct taker *t)
{
	unsigned int how = take_byte(t);
	bool is_of_all = how & 128;
	enum wd_op_type op_type = how & 1 ? WD_OP_DECOMPRESS : WD_OP_COMPRESS;
	struct user u = { 0 };
	size_t script_len = take_byte(t);

	device.depth = 2 + how / 2 % 15;
	device.is_shared = how & 32;
	device.script.data = take_bytes(t, &script_len);
	device.script.len = script_len;
	check(!open_user(&u, op_type, how & 64 ? 3 : 0, is_of_all ? WD_QUEUE_SHARED : 0),
	      "wd_request_queue");
	if (is_of_all)
		call_by_many(t, &u);
	while (t->len) {
		unsigned int in_flight = wd_queue_in_flight(u.queue);

		check(in_flight == u.sent - u.received && in_flight < device.depth,
		      "%u in flight of %u", in_flight, device.depth);
		switch (take_byte(t) % 8) {
		case 0:
		case 1:
			use_send(t, &u);
			break;
		case 2:
		case 3:
			use_receive(t, &u);
			break;
		case 4:
			use_call(t, &u);
			break;
		case 5:
			if (take_byte(t) % 4)
				wd_flush(u.queue);
			else
				use_memory(t, &u);
			break;
		default:
			device_act();
			break;
		}
	}
	wd_release_queue(u.queue);
	check_sound(op_type);
}

/* Streams, in a process of their own: the library remembers what a device did */

static void make_plain(struct taker *t, size_t *len)
{
	unsigned int how = take_byte(t);
	struct random r = { take_byte(t) };

	*len = how < 128   ? take_below(t, 4096)
	       : how < 220 ? take_below(t, 65536)
			   : take_below(t, 65536) * 12;
	for (size_t i = 0; i < *len; i++)
		plain[i] =
			(unsigned char)(how & 1 ? random_next(&r) : random_next(&r) % 7 + i / 300);
}

static size_t deflate_ours(struct taker *t, size_t len, int wbits)
{
	static const int flushes[] = { Z_NO_FLUSH, Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH };
	unsigned int how = take_byte(t);
	size_t step = how & 1 ? len : len / (how / 16 + 1) + 1;
	z_stream strm = { .next_in = plain, .next_out = packed, .avail_out = sizeof(packed) };
	int ret = deflateInit2(&strm, 1 + (int)(how / 2 % 6), Z_DEFLATED, wbits, 8,
			       Z_DEFAULT_STRATEGY);

	check(ret == Z_OK, "deflateInit2: %d", ret);
	do {
		size_t left = len - strm.total_in;

		strm.avail_in = (uInt)(step < left ? step : left);
		ret = deflate(&strm, step < left ? flushes[take_byte(t) % 4] : Z_FINISH);
		check(ret == Z_OK || ret == Z_STREAM_END, "deflate: %d", ret);
	} while (ret != Z_STREAM_END);
	check(strm.total_in == len, "deflate took %lu of %zu", strm.total_in, len);
	deflateEnd(&strm);
	return strm.total_out;
}

static void check_inflates(const struct zlib_api *z, const char *whose, unsigned int how,
			   size_t packed_len, size_t len, int wbits)
{
	z_stream strm = { .next_in = packed, .next_out = back };
	int ret = z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm));
	size_t step = how & 1 ? packed_len : packed_len / (how / 16 + 1) + 1;

	check(ret == Z_OK, "inflateInit2: %d", ret);
	do {
		size_t left = packed_len - strm.total_in;

		strm.avail_in = (uInt)(step < left ? step : left);
		strm.avail_out = (uInt)(sizeof(back) - strm.total_out);
		ret = z->inflate(&strm, how & 2 ? Z_SYNC_FLUSH : Z_NO_FLUSH);
	} while (ret == Z_OK && strm.total_in < packed_len);
	check(ret == Z_STREAM_END && strm.total_out == len && !memcmp(back, plain, len),
	      "%s inflate: %d, %s, %lu bytes of %zu", whose, ret, strm.msg, strm.total_out, len);
	z->inflateEnd(&strm);
}

static void run_streams(struct taker *t)
{
	static const struct zlib_api ours = {
		.inflateInit2_ = inflateInit2_,
		.inflate = inflate,
		.inflateEnd = inflateEnd,
	};
	static const int wrappers[] = { 15, 31, -15 };
	unsigned int how = take_byte(t);
	int wbits = wrappers[how % 3];
	size_t script_len = take_byte(t), len, packed_len;

	setenv("WD_DEVICE", "hostile-0", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", "64K", 1);
	setenv("ZWD_VERIFY", "1", 1);
	setenv("ZWD_TIMEOUT_MS", "10", 1);
	device.depth = 64;
	device.has_engine = true;
	device.is_shared = how & 32;
	device.script.data = take_bytes(t, &script_len);
	device.script.len = script_len;
	do {
		make_plain(t, &len);
		packed_len = deflate_ours(t, len, wbits);
		check_inflates(&stock, "zlib's", 1, packed_len, len, wbits);
		check_inflates(&ours, "our", take_byte(t), packed_len, len, wbits);
	} while (t->len > 4);
}

static void run(const uint8_t *data, size_t len)
{
	struct taker t = { data, len };
	unsigned int how = take_byte(&t);
	pid_t pid;
	int status;

	memset(&device, 0, sizeof(device));
	device.version = 1 + how % 3;
	device.is_eager = how / 4 % 2;
	if (how < 128) {
		run_queue(&t);
		return;
	}
	pid = fuzz_fork();
	if (!pid) {
		run_streams(&t);
		fuzz_exit(0);
	}
	status = fuzz_wait(pid);
	check(!status, "streams: %s", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
}

/* Scripts in which the device is honest more often than not. */
static size_t make(struct random *r, uint8_t *data, size_t room)
{
	size_t script_len = random_below(r, 60), len = 3 + script_len + random_below(r, 120);
	unsigned int honesty = (unsigned int)random_below(r, 16);

	(void)room;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_next(r);
	/* Streams take longer; and a device that always lies is soon left alone. */
	if (random_below(r, 8)) {
		data[0] &= 0x7f;
	} else {
		data[0] |= 0x80;
		honesty = 12 + honesty / 4;
	}
	data[2] = (uint8_t)script_len;
	for (size_t i = 0; i < script_len; i++)
		if (random_below(r, 16) < honesty)
			data[3 + i] &= 0x7f;
	return len;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_sqe",
	.len_max = 1024,
	.limit_s = 20,
	.setup = setup,
	.make = make,
	.run = run,
};
