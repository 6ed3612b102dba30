/* SPDX-License-Identifier: Zlib */
/* Queues with their request memory, lent to a stream for the length of one call. */
#ifndef ZWD_QPOOL_H
#define ZWD_QPOOL_H

#include <stddef.h>
#include <stdint.h>

#include <wd_zip.h>

#include "stats.h"

/* One queue, and memory for one request. Between two loans it holds nothing of a stream. */
struct zwd_lane {
	struct wd_queue *queue;
	unsigned char *src;
	unsigned char *dst;
	unsigned char *ctx; /* WD_ZIP_CTX_SIZE */
	size_t src_len;	    /* room */
	size_t dst_len;	    /* room */
	enum zwd_dir dir;
	uint64_t sent_ns; /* when its request was sent */
	struct zwd_lane *next;
};

/* Is there a device for this direction, as far as is known? Opens it at the first question. */
int zwd_qpool_has_device(enum zwd_dir dir);

/* Can it do raw deflate? Meaningful when there is a device. */
int zwd_qpool_has_raw(enum zwd_dir dir);

/* Is it worth to ask for a lane now? Yes unless the pool is paused. */
int zwd_qpool_is_ready(enum zwd_dir dir);

/*
 * Borrows a lane; waits while all are lent, at most timeout_ms. -ENODEV: no device, or it failed a
 * moment ago and is left alone for a while; -EBUSY: none became free.
 */
int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **lane);

/*
 * Borrows a lane without waiting, for work that may stay in flight between two calls: only while
 * enough others are left for those who wait. -ENODEV, -EBUSY.
 */
int zwd_qpool_try(enum zwd_dir dir, struct zwd_lane **lane);

/* Gives a healthy lane back; nothing is in flight on it. */
void zwd_qpool_put(struct zwd_lane *lane);

/*
 * Gives back a lane whose queue failed with err: stops it, then frees its memory. Failures in a row
 * pause the pool, longer each time; a lane given back healthy ends the row.
 */
void zwd_qpool_drop(struct zwd_lane *lane, int err);

/* One request on a lane: sends it. 0, -EIO, -ENODEV, -EINVAL. */
int zwd_qpool_send(struct zwd_lane *lane, const struct wd_zip_req *req);
/* Takes its result. 0, -EAGAIN: not done yet, -EIO, -ENODEV. */
int zwd_qpool_poll(struct zwd_lane *lane, struct wd_zip_res *res);
/* Waits for its result, until timeout_ms after it was sent. 0, -ETIMEDOUT, -EIO, -ENODEV. */
int zwd_qpool_wait(struct zwd_lane *lane, struct wd_zip_res *res, unsigned int timeout_ms);
/* All of it: sends one, and waits as long as the settings say. */
int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res);

#endif
