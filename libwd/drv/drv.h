/* SPDX-License-Identifier: Zlib */
/* What a queue needs to know about the device class behind it, chosen by the device's api string. */
#ifndef WD_DRV_H
#define WD_DRV_H

#include <stddef.h>
#include <stdint.h>

struct wd_queue;

/* What software remembers of a request in flight: its ring entry does not hold all of it. */
struct wd_slot {
	uint64_t tag;
	void *ctx;
};

struct wd_drv {
	const char *api;
	unsigned int qm_version;
	unsigned int sqe_type;
	int has_raw;	/* raw deflate */
	size_t req_len; /* of one request and one result in the caller's arrays */
	size_t res_len;
	/* Request to ring entry: 0, -EINVAL, -EFAULT. */
	int (*fill)(struct wd_queue *q, const void *req, void *sqe, struct wd_slot *slot);
	/* Finished ring entry to result. */
	void (*parse)(struct wd_queue *q, const void *sqe, const struct wd_slot *slot, void *res);
	/* Does the entry name device memory of [start, start + len)? */
	int (*names)(const void *sqe, uint64_t start, uint64_t len);
};

/* NULL: no driver speaks that. */
const struct wd_drv *wd_drv_find(const char *api);

#endif
