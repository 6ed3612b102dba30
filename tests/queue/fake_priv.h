/* SPDX-License-Identifier: Zlib */
/* What the files of the tests' kernel share: its state, and who calls whom: calls, then devices. */
#ifndef FAKE_PRIV_H
#define FAKE_PRIV_H

#include <linux/vfio.h>
#include <poll.h>
#include "emu/emu.h"
#include "fake_kernel.h"
#include "transport/sys.h"
#include "../unit/unit.h"

#define FDS 1024
#define SLICES 16
#define SHARES 64
#define QUEUES (FAKE_FUNCTIONS * FAKE_QUEUES)
#define GROUP_BASE 10
#define NUMBER_BASE 100
#define DMA_BASE 0x10000000
#define UACCE_CMD_START_Q _IO('W', 0)
#define UACCE_CMD_PUT_Q _IO('W', 1)
#define UACCE_CMD_GET_SS_DMA _IOR('W', 3, unsigned long)
#define UACCE_FLAG_SVA 0x1
#define UACCE_FLAG_NOIOMMU 0x2
#define UACCE_FLAG_IOMMU 0x80
#define UACCE_SLICE_LEN (1ul << 20) /* without an IOMMU */

struct range {
	uint64_t start, len, dma;
	void *mem;
	unsigned int maps;
};

struct queue {
	unsigned int index;
	int is_taken; /* by another process, or the parent */
	int is_open;
	unsigned int maps; /* of its regions */
	int has_no_file;   /* lives until the last of them goes */
	unsigned int op_type;
	struct emu_queue *emu;
	struct queue *container; /* the queue itself, once its group is in one */
	int has_iommu;
	char *mmio, *dus;
	size_t mmio_len, dus_len;
	int events[SDMDEV_IRQS];
	struct range slices[SLICES], shares[SHARES], dma_maps[SHARES];
	char *ss; /* uacce's: what slices are of */

	/* Mediated: the rings that the device sees. */
	char *rings;
	size_t rings_len;
	unsigned int tail, head, phase, in_flight;
};

enum kind { NONE, GROUP, CONTAINER, DEVICE, UACCE, EVENT };
struct file {
	enum kind kind;
	struct queue *queue;
	unsigned int inode;
	int is_known; /* its identity was asked for */
};

/* fake_lock guards all of it. */
struct fake_state {
	struct fake_setup setup;
	struct file files[FDS];
	unsigned int inodes;
	struct emu_dev *dev;
	struct emu_info info;
	struct queue queues[QUEUES];
	int taken_functions[FAKE_FUNCTIONS];
	struct fake_counts counts;
	unsigned int calls, failing_call, refused;
	int failing_error;
	unsigned int zero_in; /* files; 0: none gets that number */
	const char *answer_to, *answer, *answer_to_too, *answer_too;
	unsigned int answer_of; /* a function; FAKE_FUNCTIONS: all */
	int nodes[FAKE_FUNCTIONS], cpu_node, open_error;
	int is_gone;
	uint32_t generation;
	uint64_t next_dma;
	size_t page_len;
	int epoll;
	pthread_t interrupts;
	int has_interrupts;
};
extern struct fake_state fake;

/* fake_state.c */
int fake_is_failing(int *r);
int fake_file_new(enum kind kind, struct queue *q);

/* fake_device.c: queues on the emulated device, their memory, requests that the kernel writes. */
void *fake_pages_new(size_t len);
struct sdmdev_status *fake_status(const struct queue *q);
void fake_set_state(struct queue *q, uint32_t state);
void fake_set_stop_words(struct queue *q, uint32_t value);
void fake_signal(const struct queue *q, enum sdmdev_irq irq);
void fake_interrupts_add(int fd, unsigned int index);
int fake_queue_start(struct queue *q);
void fake_queue_stop(struct queue *q);
void fake_queue_open(struct queue *q);
void fake_queue_close(struct queue *q);
struct range *fake_range_at(struct range *ranges, unsigned int nr, uint64_t start, uint64_t len);
int fake_map_dma(struct queue *q, const struct vfio_iommu_type1_dma_map *map);
int fake_unmap_dma(struct queue *q, struct vfio_iommu_type1_dma_unmap *unmap);
int fake_share(struct queue *q, const struct sdmdev_share *arg);
int fake_unshare(struct queue *q, const struct sdmdev_share *arg);
int fake_ss_alloc(struct queue *q, struct sdmdev_static *arg);
int fake_ss_free(struct queue *q, const struct sdmdev_static *arg);
int fake_uacce_slices(struct queue *q, size_t len);
void fake_uacce_slices_drop(struct queue *q);
int fake_get_ss_dma(const struct queue *q, unsigned long *arg);
int fake_queue_error(const struct queue *q);
int fake_submit(struct queue *q, const struct sdmdev_submit *arg);
int fake_reap(struct queue *q, const struct sdmdev_submit *arg);

/* fake_ioctl.c: by kind of file, under the lock; but for waiting. */
int fake_group_ioctl(struct queue *q, unsigned long cmd, void *arg);
int fake_container_ioctl(struct queue *q, unsigned long cmd, void *arg);
int fake_device_ioctl(struct queue *q, unsigned long cmd, void *arg);
int fake_uacce_ioctl(struct queue *q, unsigned long cmd, void *arg);
int fake_wait_ioctl(struct queue *q, void *arg);

/* fake_file.c: system calls, but for those on sysfs. */
int fake_ioctl(int fd, unsigned long cmd, void *arg);
int fake_open(const char *path, int flags);
int fake_close(int fd);
int fake_identity(int fd, struct wd_sys_identity *identity);
int fake_eventfd(void);
int fake_map(int fd, uint64_t off, size_t len, int prot, void **mem);
int fake_unmap(void *mem, size_t len);
int fake_poll(struct pollfd *fds, unsigned int nr, int timeout_ms);

/* fake_sysfs.c */
const char *fake_uuid(const struct queue *q);
int fake_read(const char *path, char *text, size_t text_len);
int fake_readlink(const char *path, char *text, size_t text_len);
int fake_access(const char *path, int mode);
int fake_names(const char *path, char **names);
int fake_node(void);

#endif
