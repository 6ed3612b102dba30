/* SPDX-License-Identifier: Zlib */
/* An emulated device with queues, driven as a driver would: entries, doorbells, phase bits. */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/emu.h"
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>

struct rig_queue {
	struct emu_dev *dev;
	struct emu_queue *queue;
	struct hisi_zip_sqe *sq;
	struct hisi_qm_cqe *cq;
	uint32_t stop[2]; /* tx, rx */
	unsigned int depth;
	unsigned int tail;
	unsigned int head;
	unsigned int cq_head;
	unsigned int phase;
	unsigned int qm;
};

/* One request of a stream, or a whole stream. */
struct rig_job {
	const void *src;
	void *dst;
	uint8_t *ctx; /* HISI_ZIP_CTX_SIZE bytes, or NULL for block mode */
	uint32_t src_len;
	uint32_t dst_len;
	uint32_t flags; /* HISI_ZIP_SRC_FINISH, _NEW */
	unsigned int format;
	unsigned int window;
	/* out, and carried to the stream's next request */
	uint32_t consumed;
	uint32_t produced;
	uint32_t status;
	uint32_t result;
	uint32_t ctx_w0;
	uint32_t ctx_w1;
	uint32_t ctx_w2;
	uint32_t isize;
	uint32_t checksum;
};

struct emu_dev *rig_dev(const char *options);
/* All of the process's memory is the device's, address for address. */
void rig_map_all(struct emu_dev *dev);
int rig_start(struct rig_queue *q, struct emu_dev *dev, unsigned int alg_type, unsigned int depth);
void rig_stop(struct rig_queue *q);
void rig_fill(const struct rig_queue *q, struct hisi_zip_sqe *sqe, const struct rig_job *job);
/* Puts an entry into the ring without a doorbell; its slot. */
unsigned int rig_put(struct rig_queue *q, const struct hisi_zip_sqe *sqe);
void rig_ring(struct rig_queue *q);
void rig_ring_cq(struct rig_queue *q, bool is_arming);
/* The next completion's entry. False: none within this time. */
bool rig_take(struct rig_queue *q, struct hisi_zip_sqe *sqe, unsigned int timeout_ms);
/* One request from start to end; asserts that it completes. */
void rig_run(struct rig_queue *q, struct rig_job *job);

/* Data by a fixed seed. */
enum rig_data { RIG_ZEROS, RIG_TEXT, RIG_NOISE, RIG_MIXED, RIG_KINDS };
void rig_data(uint8_t *buf, size_t len, enum rig_data kind);

/* System zlib, as judge. Lengths; the header of zlib and gzip is left out. */
size_t rig_deflate(uint8_t *dst, size_t room, const uint8_t *src, size_t len, unsigned int format,
		   int level, int strategy);
size_t rig_inflate(uint8_t *dst, size_t room, const uint8_t *src, size_t len, size_t *used);
uint32_t rig_sum(unsigned int format, const uint8_t *plain, size_t len);
uint32_t rig_sum_field(unsigned int format, uint32_t sum);

#endif
