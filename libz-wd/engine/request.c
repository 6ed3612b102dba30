/* SPDX-License-Identifier: Zlib */
/* Requests on a lane. Whose process it is of, libwd asks itself. */
#include "config.h"

#include <errno.h>

#include "engine/flight.h"
#include "engine/latency.h"
#include "engine/qpool.h"
#include "operate/settings.h"
#include "stream/shield.h"

static void count_copy(const struct zwd_lane *lane, const struct wd_zip_req *req)
{
	if ((uintptr_t)req->src - (uintptr_t)lane->src < lane->src_len)
		zwd_count(lane->dir, ZWD_COPIED, req->src_len);
}

int zwd_qpool_send(struct zwd_lane *lane, const struct wd_zip_req *req)
{
	int ret = zwd_enter();

	if (ret)
		return ret;
	if (__builtin_expect(lane->is_watched, 0))
		ret = zwd_flight_begin(lane, req->src_len, lane->is_kept);
	if (!ret) {
		lane->is_in_dst = req->dst == lane->dst;
		count_copy(lane, req);
		zwd_probe(request_submit, lane->dir, lane, req->src_len, req->dst_len);
		ret = wd_send(lane->queue, req, 1);
		lane->sent_ns = zwd_now_ns();
		ret = ret == 1 ? 0 : ret ? ret : -EIO;
	}
	zwd_leave();
	return ret;
}

static __attribute__((noinline, cold)) int failed(struct zwd_lane *lane, int ret)
{
	if (ret != -EAGAIN)
		zwd_probe(request_complete, lane->dir, lane, ret, 0, 0, 0);
	return ret;
}

/* There is a result. */
static inline __attribute__((always_inline)) void note(struct zwd_lane *lane, const struct wd_zip_res *res)
{
	uint64_t ns;

	if (lane->is_in_dst) {
		size_t len = res->produced < lane->dst_len ? res->produced : lane->dst_len;

		if (len > lane->written)
			lane->written = len;
	}
	ns = zwd_now_ns() - lane->sent_ns;
	zwd_probe(request_complete, lane->dir, lane, res->status, res->consumed, res->produced, ns);
	zwd_count_latency(lane->dir, ns);
}

/* ret: how many results there are. */
static int received(struct zwd_lane *lane, const struct wd_zip_res *res, int ret)
{
	if (ret != 1)
		return failed(lane, ret ? ret : -EIO);
	note(lane, res);
	if (__builtin_expect(lane->is_watched, 0))
		zwd_flight_end(lane);
	return 0;
}

/* A signal handler that may not look leaves a request in flight: -EIO, for -EBUSY says that nothing was sent. */
int zwd_qpool_poll(struct zwd_lane *lane, struct wd_zip_res *res)
{
	int ret = zwd_enter();

	if (ret)
		return -EIO;
	ret = received(lane, res, wd_recv(lane->queue, res, 1));
	zwd_leave();
	return ret;
}

int zwd_qpool_wait(struct zwd_lane *lane, struct wd_zip_res *res, unsigned int timeout_ms)
{
	int ret = zwd_enter();
	uint64_t past_ms;
	int is_waited_for;

	if (ret)
		return -EIO;
	ret = wd_recv(lane->queue, res, 1);
	is_waited_for = ret == -EAGAIN;
	if (is_waited_for) {
		past_ms = (zwd_now_ns() - lane->sent_ns) / 1000000;
		/* Of several lanes that hang, only the first is waited for in full. */
		timeout_ms = timeout_ms > past_ms ? timeout_ms - (unsigned int)past_ms : 1;
		ret = wd_recv_sync(lane->queue, res, 1, timeout_ms);
	}
	ret = received(lane, res, ret);
	/* Of one that was there already nobody knows how long it took: the program was away. */
	if (__builtin_expect(lane->is_watched, 0) && is_waited_for && !ret)
		zwd_latency_note(lane->dir, zwd_now_ns() - lane->sent_ns);
	zwd_leave();
	return ret;
}

static inline __attribute__((always_inline)) int call(struct zwd_lane *lane, const struct wd_zip_req *req,
						      struct wd_zip_res *res)
{
	int ret;

	lane->is_in_dst = req->dst == lane->dst;
	count_copy(lane, req);
	zwd_probe(request_submit, lane->dir, lane, req->src_len, req->dst_len);
	lane->sent_ns = zwd_now_ns();
	ret = wd_call(lane->queue, req, res, lane->timeout_ms);
	if (__builtin_expect(ret, 0))
		return failed(lane, ret);
	note(lane, res);
	return 0;
}

/* Apart: without limits and goals they cost one look at the lane. */
static __attribute__((noinline, cold)) int call_watched(struct zwd_lane *lane, const struct wd_zip_req *req,
							struct wd_zip_res *res)
{
	int ret = zwd_flight_begin(lane, req->src_len, 0);

	if (!ret)
		ret = call(lane, req, res);
	if (ret)
		return ret;
	zwd_flight_end(lane);
	zwd_latency_note(lane->dir, zwd_now_ns() - lane->sent_ns);
	return 0;
}

int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res)
{
	int ret = zwd_enter();

	if (ret)
		return ret;
	if (__builtin_expect(lane->is_watched, 0))
		ret = call_watched(lane, req, res);
	else
		ret = call(lane, req, res);
	zwd_leave();
	return ret;
}
