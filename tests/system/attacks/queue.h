/* SPDX-License-Identifier: Zlib */
/* A queue as an attack or its victim has it, in whichever mode it was made: one thread at a time.
 */
#ifndef ATTACKS_QUEUE_H
#define ATTACKS_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include <wd/sdmdev.h>

#define PAGE	 4096u
#define NOT_HERE 77 /* exit status: this kernel or machine does not offer what the attack needs */

struct queue {
	int container, group, fd;
	struct sdmdev_info info;
	uint64_t region_off[SDMDEV_REGIONS];
	uint64_t region_len[SDMDEV_REGIONS];
	char *dus, *mmio; /* mappings */
	volatile struct sdmdev_status *status;

	/* What the device reaches of this process, and by which address. */
	char *mem;
	uint64_t dma;
	size_t mem_len;
	struct sdmdev_static slice;

	/* Rings and doorbell, where it is no mediated one. */
	struct hisi_zip_sqe *sq;
	volatile struct hisi_qm_cqe *cq;
	volatile uint64_t *doorbell;
	unsigned int tail, head, phase;
};

/* All: 0 or -errno. Group and uuid as words of a command line. */
int queue_open(struct queue *q, const char *group, const char *uuid);
void queue_close(struct queue *q);
/* Memory for the device: static, or the process's own that is mapped and shared. Filled with 'x'.
 */
int queue_memory(struct queue *q, size_t len);
/* type: HISI_ZIP_QUEUE_*; also after a reset. */
int queue_start(struct queue *q, unsigned int type);
int queue_wait(struct queue *q, unsigned int ms);
int queue_call(struct queue *q, unsigned long cmd);
/* Has it rings and a doorbell of its own? */
int queue_is_direct(const struct queue *q);

/* One stream of its own: src_len bytes at src, dst_len bytes of room at dst, device addresses. */
struct hisi_zip_sqe queue_request(const struct queue *q, uint64_t src, uint32_t src_len,
				  uint64_t dst, uint32_t dst_len);
/* -EAGAIN: it is full; or there is nothing. */
int queue_put(struct queue *q, const struct hisi_zip_sqe *sqe);
int queue_get(struct queue *q, struct hisi_zip_sqe *sqe);
/* The same: several entries, one doorbell; what queue_put() and queue_get() consist of. */
void queue_write(struct queue *q, const struct hisi_zip_sqe *sqe);
void queue_ring(struct queue *q, unsigned int cmd, unsigned int index, unsigned int prio);

int queue_map(struct queue *q, void *mem, size_t len);
int queue_unmap(struct queue *q, void *mem, size_t len);
int queue_share(struct queue *q, void *mem, size_t len);
int queue_unshare(struct queue *q, void *mem, size_t len);
char *anonymous(size_t len);

uint64_t now_ms(void);
/* A line "# [seconds] ...", at once. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the program where ret is not 0. */
void must(int ret, const char *what);

#endif
