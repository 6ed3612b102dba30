/* SPDX-License-Identifier: Zlib */
/* What the files of the uacce transport share. The kernel's own header is not on every system. */
#ifndef WD_UACCE_H
#define WD_UACCE_H

#include <linux/ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include "wd.h"

#define UACCE_PATH_LEN	  512
#define UACCE_CLASS_PATH  "/sys/class/uacce"

#define UACCE_CMD_START_Q _IO('W', 0)
#define UACCE_CMD_PUT_Q	  _IO('W', 1)
/* Of drivers that the vendor ships: in, the index of a slice; out, its address and length. */
#define UACCE_CMD_GET_SS_DMA _IOR('W', 3, unsigned long)

/* Of the attribute "flags"; but for the first they are the vendor's. */
#define UACCE_DEV_SVA	  0x1
#define UACCE_DEV_NOIOMMU 0x2
#define UACCE_DEV_IOMMU	  0x80

/* Regions: page offsets of mmap(). */
#define UACCE_QFRT_MMIO 0
#define UACCE_QFRT_DUS	1
#define UACCE_QFRT_SS	2

/* uacce_find.c: devices in sysfs. */
int uacce_prepare(const char *options);
int uacce_list(const char *options, struct wd_device_info *info, unsigned int nr);
void uacce_try(struct wd_device_info *info);
/* An attribute that is a number; without: what it is where there is none. */
long long uacce_number(const char *name, const char *attr, long long without);

/*
 * uacce_slices.c: a queue's memory from its driver, where the device does not have the process's
 * page tables. It is mapped once, in slices that are contiguous for the device, and given out in
 * pieces. No lock is taken: callers have one.
 */
struct uacce_slices {
	char *mem; /* NULL: not mapped yet */
	size_t len;
	struct uacce_piece *pieces; /* in the order of their addresses */
};
int uacce_slices_alloc(struct uacce_slices *slices, int fd, size_t len, void **mem, uint64_t *addr);
void uacce_slices_free(struct uacce_slices *slices, const void *mem);
void uacce_slices_unmap(struct uacce_slices *slices);
/* In a child, which has not got the mapping. */
void uacce_slices_forget(struct uacce_slices *slices);

#endif
