/* SPDX-License-Identifier: Zlib */
/* A queue and memory for one request on it. */
#ifndef ZWD_LANE_H
#define ZWD_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wd_zip.h>

#include "operate/stats.h"

/* Input that a lane of inflate has memory for, at least; and for as much output. */
#define ZWD_LANE_INFLATE_LEN (1u << 20)

/* One queue, and memory for one request. Between two loans it holds nothing of a stream. */
struct zwd_lane {
	struct wd_queue *queue;
	unsigned char *src;
	unsigned char *dst;
	unsigned char *ctx; /* WD_ZIP_CTX_SIZE */
	size_t src_len;	    /* room */
	size_t dst_len;	    /* room */
	enum zwd_dir dir;
	unsigned int generation; /* of the process that opened it, see wd_generation() */
	int is_inherited; /* a child has a copy of its memory */
	int reaches_all; /* requests may have src and dst anywhere in the process's memory */
	size_t written; /* bytes of dst that are cleared before another stream has the lane */
	bool is_in_dst; /* the latest request writes there */
	int is_kept; /* lent for longer than a call, maybe */
	int error;	  /* what it was dropped with, in a signal handler */
	uint64_t sent_ns; /* when its request was sent */
	unsigned int timeout_ms; /* how long a call waits for one */
	unsigned int patience_ms; /* and for room; 0: as the settings say */
	bool is_watched; /* there are limits or a goal, ZWD_IN_FLIGHT, ZWD_LATENCY_MS, or may be */
	unsigned int flight; /* KiB of its request that ZWD_IN_FLIGHT counts, */
	int is_flight_kept;  /* among those that may be left */
	struct zwd_lane *next;
};

/* Opens one on the device of the settings. 0 or -errno of wd_request_queue(), wd_alloc(). Blocks. */
int zwd_lane_open(enum zwd_dir dir, struct zwd_lane **lane);
/* Stops its queue, then frees it. Blocks until the device touches its memory no more. */
void zwd_lane_free(struct zwd_lane *lane);

/* One request on a lane: sends it. 0, -EIO, -ENODEV, -EINVAL; -EBUSY: too much is in flight, and the lane is as it was. */
int zwd_qpool_send(struct zwd_lane *lane, const struct wd_zip_req *req);
/* Takes its result. 0, -EAGAIN: not done yet, -EIO, -ENODEV. */
int zwd_qpool_poll(struct zwd_lane *lane, struct wd_zip_res *res);
/* Waits for its result, until timeout_ms after it was sent. 0, -ETIMEDOUT, -EIO, -ENODEV. */
int zwd_qpool_wait(struct zwd_lane *lane, struct wd_zip_res *res, unsigned int timeout_ms);
/* All of it: sends one, and waits as long as the settings say. */
int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res);

#endif
