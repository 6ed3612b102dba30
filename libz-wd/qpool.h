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
	struct zwd_lane *next;
};

/* Is there a device for this direction, as far as is known? Opens it at the first question. */
int zwd_qpool_has_device(enum zwd_dir dir);

/* Can it do raw deflate? Meaningful when there is a device. */
int zwd_qpool_has_raw(enum zwd_dir dir);

/*
 * Borrows a lane; waits while all are lent, at most timeout_ms. -ENODEV: no device (any more),
 * -EBUSY: none became free.
 */
int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **lane);

/* Gives a healthy lane back. */
void zwd_qpool_put(struct zwd_lane *lane);

/* Gives back a lane whose queue failed: stops it, then frees its memory. */
void zwd_qpool_drop(struct zwd_lane *lane);

/* Runs one request on a lane and waits for it. 0, -ETIMEDOUT, -EIO, -ENODEV, -EINVAL. */
int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res);

#endif
