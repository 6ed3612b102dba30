/* SPDX-License-Identifier: Zlib */
/* The emulated ZIP device as a transport sees it: queues, doorbells and memory it may touch. */
#ifndef EMU_H
#define EMU_H

#include <stddef.h>
#include <stdint.h>

struct emu_dev;
struct emu_queue;

struct emu_info {
	unsigned int qm_version; /* 1, 2, 3 */
	unsigned int engines;
	unsigned int queues_total;
	unsigned int queues_free;
	unsigned int depth;  /* of a queue's rings */
	const char *algs;    /* "zlib gzip", from version 3 on "zlib gzip deflate" */
	const char *engine;  /* "isal", "zlib" or "null" */
};

/*
 * Takes a reference to the device with these options, makes it at the first. options: what follows
 * "emu:" ("threads=2,qm=3"), "" for the defaults. No thread runs before the first queue.
 * -EINVAL: an option is not known or its value not possible; -ENODEV: nothing is there to compute
 * with; -ENOMEM.
 */
int emu_dev_get(const char *options, struct emu_dev **dev);
void emu_dev_put(struct emu_dev *dev);
/* Finds what a device with these options needs, and makes none. 0, -EINVAL, -ENOENT. */
int emu_dev_prepare(const char *options);
/* NULL, or asked before anything is opened by its name: 0, it is not to be. Atomic. */
extern int (*emu_may_open)(void);
/* 0 when the options are well-formed, else -EINVAL; makes nothing. */
int emu_options_check(const char *options);
void emu_dev_info(struct emu_dev *dev, struct emu_info *info);

struct emu_queue_cfg {
	unsigned int alg_type; /* HISI_ZIP_QUEUE_COMPRESS or _DECOMPRESS */
	unsigned int depth;    /* of both rings */
	void *sq;	       /* depth * 128 bytes */
	void *cq;	       /* depth * 16 bytes, zeroed */
	uint32_t *tx_stop;     /* status words of the queue's memory */
	uint32_t *rx_stop;
};

/*
 * Loads the contexts of a free queue pair. -EBUSY: none is free; -ENODEV: the device is gone;
 * -EAGAIN: no thread can be made; -ENOMEM.
 */
int emu_queue_start(struct emu_dev *dev, const struct emu_queue_cfg *cfg, struct emu_queue **queue);

/* Its number, as doorbells and completion entries have it. */
unsigned int emu_queue_number(const struct emu_queue *queue);

/*
 * Stops the queue: drops what was not begun, waits for what was. On return the device touches
 * neither the rings nor any memory that a request of this queue named. Also ends a hang.
 */
void emu_queue_stop(struct emu_queue *queue);

/* A store to the doorbell register. Any thread; never blocks; wakes a sleeping engine. */
void emu_queue_doorbell(struct emu_queue *queue, uint64_t value);

/*
 * For a thread that is going to wait for the result: a doorbell that wakes no engine, and after it
 * either the request is run by this very thread, where an engine is idle, or an engine is woken.
 * No such help on a device with faults, latency_us or gbps, nor with ISA-L, which takes 17 KiB of stack
 * (zlib's own deflate() takes 3).
 */
void emu_queue_doorbell_quiet(struct emu_queue *queue, uint64_t value);
void emu_queue_help(struct emu_queue *queue);

/*
 * Sleeps until a completion was written since the queue was last armed, signals or not; a futex is
 * all it uses. timeout_ms: UINT_MAX is without end. 0, -ETIMEDOUT, -ENODEV.
 */
int emu_queue_wait(struct emu_queue *queue, unsigned int timeout_ms);

/*
 * Readable when completions were written since the queue was armed. Made at the first call: -errno;
 * -EBADF: somebody closed it.
 */
int emu_queue_fd(struct emu_queue *queue);

enum emu_state { EMU_OK, EMU_RESET, EMU_GONE };
enum emu_state emu_queue_state(const struct emu_queue *queue, unsigned int *generation);

/*
 * The device's access table: it reads and writes inside these ranges only. flags: EMU_DMA_*.
 * -EEXIST: overlaps one that is there; -EINVAL; -ENOMEM.
 * iova 0, va NULL, len UINT64_MAX is the whole address space, iova = va: it overlaps nothing and is
 * counted, so that it ends with as many unmaps.
 */
#define EMU_DMA_READ 1
#define EMU_DMA_WRITE 2
int emu_dma_map(struct emu_dev *dev, uint64_t iova, void *va, uint64_t len, int flags);
/* Waits until no engine is using the range. */
void emu_dma_unmap(struct emu_dev *dev, uint64_t iova, uint64_t len);

struct emu_stats {
	uint64_t cpu_ns; /* of the engine threads */
	uint64_t requests;
	uint64_t helped; /* requests that ran on a caller's CPU time */
	uint64_t faults;
};
void emu_dev_stats(struct emu_dev *dev, struct emu_stats *stats);

/*
 * fork: the transport calls these around it (pthread_atfork). In the child the device is a fresh
 * one without queues and threads; queues of the parent are forgotten, not stopped. A child that was
 * made without the first of them calls the last one before anything else. It returns 0 where all
 * devices of the parent had to be dropped, because some thread was changing their list.
 */
void emu_fork_prepare(void);
void emu_fork_parent(void);
int emu_fork_child(void);

#endif
