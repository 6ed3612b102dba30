/* SPDX-License-Identifier: Zlib */
/* A queue and memory for one request on it. Opened and closed on a stack of their own. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/flight.h"
#include "engine/lane.h"
#include "operate/settings.h"
#include "stream/apart.h"
#include "stream/object.h"
#include "stream/soft_zlib.h"

/* The device needs 9/8 of the input as room to compress all of it. */
#define DST_LEN(src_len) ((src_len) + (src_len) / 8 + 4096)

static void free_apart(void *arg)
{
	struct zwd_lane *lane = arg;

	wd_release_queue(lane->queue);
	zwd_flight_end(lane);
	free(lane);
}

void zwd_lane_free(struct zwd_lane *lane)
{
	zwd_apart(free_apart, lane);
}

struct opening {
	enum zwd_dir dir;
	struct zwd_lane *lane;
	int ret;
};

static int open_lane(enum zwd_dir dir, struct zwd_lane **out)
{
	const struct zwd_settings *settings = zwd_settings();
	struct wd_queue_attr attr = {
		.device = settings->device,
		.op_type = dir == ZWD_DEFLATE ? WD_OP_COMPRESS : WD_OP_DECOMPRESS,
		.numa_node = -1,
	};
	struct zwd_lane *lane = calloc(1, sizeof(*lane));
	struct wd_device_info info;
	int ret;

	if (!lane)
		return -ENOMEM;
	lane->dir = dir;
	lane->timeout_ms = settings->timeout_ms;
	/* What a file says that could not be read yet may come later. */
	lane->is_watched = !zwd_settings_known || settings->in_flight || settings->latency_ms;
	/* What one request of inflate leaves is a context to be saved, which costs as much as 64 KiB. */
	lane->src_len = dir == ZWD_INFLATE && settings->unit < ZWD_LANE_INFLATE_LEN ?
				ZWD_LANE_INFLATE_LEN : settings->unit;
	lane->dst_len = DST_LEN(lane->src_len);
	ret = wd_request_queue(&attr, &lane->queue);
	if (ret == -EAGAIN)
		ret = -ENOMEM; /* no thread to be had */
	if (!ret)
		ret = wd_alloc(lane->queue, lane->src_len, (void **)&lane->src);
	if (!ret)
		ret = wd_alloc(lane->queue, lane->dst_len, (void **)&lane->dst);
	if (!ret)
		ret = wd_alloc(lane->queue, WD_ZIP_CTX_SIZE, (void **)&lane->ctx);
	if (ret) {
		free_apart(lane);
		return ret;
	}
	wd_queue_info(lane->queue, &info);
	lane->is_inherited = info.is_emulated;
	lane->reaches_all = !wd_mem_share(lane->queue, NULL, 0, WD_SHARE_ALL);
	*out = lane;
	return 0;
}

static void open_apart(void *arg)
{
	static atomic_flag is_bound = ATOMIC_FLAG_INIT;
	struct opening *opening = arg;

	/* What goes wrong later should not need the loader's stack. */
	if (!atomic_flag_test_and_set(&is_bound)) {
		zwd_object_bind_own();
		zwd_soft_zlib_bind();
	}
	opening->ret = open_lane(opening->dir, &opening->lane);
}


int zwd_lane_open(enum zwd_dir dir, struct zwd_lane **lane)
{
	struct opening opening = { .dir = dir, .ret = -ENODEV };

	zwd_apart(open_apart, &opening);
	if (!opening.ret)
		*lane = opening.lane;
	return opening.ret;
}
