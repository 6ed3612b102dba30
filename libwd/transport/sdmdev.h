/* SPDX-License-Identifier: Zlib */
/* What the files of the transport of sdmdev know of each other. */
#ifndef WD_TRANSPORT_SDMDEV_H
#define WD_TRANSPORT_SDMDEV_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <wd/sdmdev.h>
#include "transport/file.h"
#include "transport/transport.h"

#define SDMDEV_PATH_LEN 512
#define SDMDEV_VFIO_PATH "/dev/vfio"

/* The process's memory is shared page by page where the device's addresses are ours ... */
#define SDMDEV_MODES_SHARED (SDMDEV_DMA_SINGLE | SDMDEV_DMA_MULTI)
/* ... and needs no sharing where the device has our page tables. */
#define SDMDEV_MODES_SVM (SDMDEV_DMA_SVM | SDMDEV_DMA_SVM_NO_FAULT)

/* A piece of static memory. */
struct sdmdev_slice {
	struct sdmdev_slice *next;
	void *mem;
	uint64_t off; /* in its region */
};

struct sdmdev_extent {
	uint64_t off;
	uint64_t len;
};

struct sdmdev_tq {
	struct sdmdev_tq *next;
	struct sdmdev_device *device;
	unsigned int refs; /* the queue's, and one for each run that was shared through it */
	int is_closed;
	struct wd_file group, container, file;
	struct wd_file event; /* none before somebody asked for it */
	uint32_t mode;	   /* SDMDEV_DMA_* */
	struct sdmdev_extent region[SDMDEV_REGIONS];
	struct wd_regions regions;
	int is_mapped;
	const struct sdmdev_status *status;
	struct sdmdev_slice *slices;

	/* Rings of our own, where the kernel stands between. */
	uint8_t *dus; /* the mapping with the status page */
	uint8_t *mem;
	size_t mem_len;
	unsigned int depth;
	unsigned int number;
	uint64_t sq_doorbell;	/* value without its index */
	unsigned int tail;	/* what was rung */
	unsigned int submitted; /* what the kernel has */
	unsigned int reaped;
	unsigned int phase;
	uint32_t *tx_stop, *rx_stop;
};

/*
 * Pages that the device reaches. Shares need no alignment, so that several may be in the same page;
 * a run ends with the last share that touches it.
 */
struct sdmdev_run {
	struct sdmdev_run *next; /* ascending, never overlapping */
	uintptr_t start, end;
	unsigned int users;
	int is_read_only;
	struct sdmdev_tq *tq; /* whose pins these are */
};

struct sdmdev_device {
	struct sdmdev_device *next;
	char name[WD_NAME_LEN];
	struct sdmdev_tq *tqs;
	struct sdmdev_run *runs;
};

/*
 * Guards the lists: all devices', all runs', all slices'. Calls through a descriptor that is ours no
 * more are not made: what it was for ended with it, or ends with the queue's last mapping.
 */
extern pthread_mutex_t sdmdev_lock;

/* sdmdev_find.c: queues in sysfs. */

int sdmdev_prepare(const char *options);
int sdmdev_list(const char *options, struct wd_device_info *info, unsigned int nr);
/* The names in a parent's folder, its queues' among them, each with a 0 behind it. To be freed. */
int sdmdev_queue_names(const char *parent, char **names);
/* The number of the VFIO group: /dev/vfio/N. -ENODEV: this is no queue; -ENOENT: it has none yet. */
int sdmdev_group(const char *parent, const char *name);

/* sdmdev_end.c */

void sdmdev_close_files(struct sdmdev_tq *tq);

/* Ends a queue with its last user; the lock is held. */
void sdmdev_tq_put(struct sdmdev_tq *tq);
static inline void sdmdev_stop_word(uint32_t *word)
{
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
}

/* sdmdev_mediated.c: rings whose requests the kernel passes on. */

void sdmdev_submit(void *queue, uint64_t value);
int sdmdev_reap(void *queue);

/* sdmdev_memory.c */

int sdmdev_share(void *queue, const void *mem, size_t len, int flags, uint64_t *addr);
void sdmdev_unshare(void *queue, uint64_t addr, size_t len);
int sdmdev_share_all(void *queue);
void sdmdev_unshare_all(void *queue);
int sdmdev_alloc(void *queue, size_t len, void **mem, uint64_t *addr);
void sdmdev_free(void *queue, void *mem, size_t len);
/* In a forked child, whose memory the device does not reach. The lock is held. */
void sdmdev_forget_memory(struct sdmdev_device *device);

#endif
