/* SPDX-License-Identifier: Zlib */
/* Files of the tests' kernel and the system calls on them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include "fake_priv.h"

int fake_ioctl(int fd, unsigned long cmd, void *arg)
{
	int saved_errno = errno;
	struct file file;
	int r = -EBADF;

	pthread_mutex_lock(&fake_lock);
	file = fake.files[fd];
	if (file.kind == DEVICE && cmd == VFIO_SDMDEV_CMD_WAIT) {
		int has_failed = fake_is_failing(&r);

		pthread_mutex_unlock(&fake_lock);
		if (!has_failed)
			r = fake_wait_ioctl(file.queue, arg);
		errno = saved_errno;
		return r;
	}
	if (cmd != UACCE_CMD_PUT_Q && cmd != SDMDEV_CMD_STOP && cmd != SDMDEV_CMD_UNSHARE &&
	    cmd != SDMDEV_CMD_SS_FREE && cmd != VFIO_IOMMU_UNMAP_DMA && fake_is_failing(&r))
		goto unlock;
	if (file.kind == GROUP)
		r = fake_group_ioctl(file.queue, cmd, arg);
	else if (file.kind == CONTAINER)
		r = fake_container_ioctl(file.queue, cmd, arg);
	else if (file.kind == DEVICE)
		r = fake_device_ioctl(file.queue, cmd, arg);
	else if (file.kind == UACCE)
		r = fake_uacce_ioctl(file.queue, cmd, arg);
unlock:
	pthread_mutex_unlock(&fake_lock);
	errno = saved_errno;
	return r;
}

static int open_path(const char *path)
{
	unsigned int group;

	if (!strcmp(path, "/dev/" FAKE_UACCE) && !fake.setup.mode) {
		if (fake.open_error)
			return -fake.open_error;
		for (unsigned int i = 0; i < QUEUES; i++)
			if (!fake.queues[i].is_open && !fake.queues[i].is_taken) {
				fake_queue_open(&fake.queues[i]);
				return fake_file_new(UACCE, &fake.queues[i]);
			}
		return -EBUSY;
	}
	if (!fake.setup.mode)
		return -ENOENT;
	if (!strcmp(path, "/dev/vfio/vfio"))
		return fake_file_new(CONTAINER, NULL);
	if (sscanf(path, "/dev/vfio/%u", &group) != 1 || group - GROUP_BASE >= QUEUES)
		return -ENOENT;
	for (unsigned int fd = 0; fd < FDS; fd++)
		if (fake.files[fd].kind == GROUP &&
		    fake.files[fd].queue == &fake.queues[group - GROUP_BASE])
			return -EBUSY;
	if (fake.queues[group - GROUP_BASE].is_taken || fake.queues[group - GROUP_BASE].is_open)
		return -EBUSY;
	return fake_file_new(GROUP, &fake.queues[group - GROUP_BASE]);
}

int fake_open(const char *path, int flags)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!fake_is_failing(&r))
		r = (flags & O_ACCMODE) == O_RDWR ? open_path(path) : -EINVAL;
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int fake_close(int fd)
{
	struct file *file = &fake.files[fd];

	pthread_mutex_lock(&fake_lock);
	if (file->kind == NONE)
		abort(); /* closed twice */
	if ((file->kind == DEVICE || file->kind == UACCE) && !file->queue->is_taken)
		fake_queue_close(file->queue);
	if (file->kind == GROUP && file->queue->is_open && !file->queue->is_taken)
		abort(); /* before its device */
	if (file->kind == EVENT)
		for (unsigned int i = 0; i < QUEUES * SDMDEV_IRQS; i++)
			if (fake.queues[i / SDMDEV_IRQS].events[i % SDMDEV_IRQS] == fd)
				fake.queues[i / SDMDEV_IRQS].events[i % SDMDEV_IRQS] = -1;
	file->kind = NONE;
	fake.counts.fds--;
	close(fd);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

/* Fails for a file that was just made only: else it would be nobody's, and stay. */
int fake_identity(int fd, struct wd_sys_identity *identity)
{
	int r = 0;

	pthread_mutex_lock(&fake_lock);
	if (fake.files[fd].is_known || !fake_is_failing(&r)) {
		fake.files[fd].is_known = 1;
		*identity = (struct wd_sys_identity){ .ino = fake.files[fd].inode,
						      .rdev = fake.files[fd].kind };
	}
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int fake_eventfd(void)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!fake_is_failing(&r))
		r = fake_file_new(EVENT, NULL);
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int is_region(const struct queue *q, const void *mem)
{
	return q->is_open && (mem == q->dus || mem == q->mmio || (q->ss && mem == q->ss));
}

static int map(struct file *file, uint64_t off, size_t len, int prot, void **mem)
{
	struct queue *q = file->queue;
	unsigned int region = file->kind == DEVICE ? off >> 40 : off / fake.page_len;
	struct range *slice;

	if (file->kind != DEVICE && file->kind != UACCE)
		return -EBADF;
	if (q->rings && region == SDMDEV_REGION_DUS && prot & PROT_WRITE)
		return -EACCES;
	if (region == SDMDEV_REGION_MMIO && len == q->mmio_len) {
		*mem = q->mmio;
	} else if (region == SDMDEV_REGION_DUS && len == q->dus_len) {
		*mem = q->dus;
	} else if (region == SDMDEV_REGION_STATIC && file->kind == DEVICE) {
		slice = fake_range_at(q->slices, SLICES, off - ((uint64_t)region << 40), 1);
		if (!slice || len > slice->len)
			return -EINVAL;
		slice->maps++;
		*mem = slice->mem;
	} else if (region == SDMDEV_REGION_STATIC) {
		int r = fake_uacce_slices(q, len);

		if (r)
			return r;
		*mem = q->ss;
	} else {
		return -EINVAL;
	}
	fake.counts.maps++;
	q->maps += is_region(q, *mem);
	return 0;
}

int fake_map(int fd, uint64_t off, size_t len, int prot, void **mem)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!fake_is_failing(&r))
		r = map(&fake.files[fd], off, len, prot, mem);
	pthread_mutex_unlock(&fake_lock);
	return r;
}

/* Whoever uses it after this is seen. */
int fake_unmap(void *mem, size_t len)
{
	struct queue *orphan = NULL;

	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct queue *q = &fake.queues[i];

		/* What is still under way ends before its memory goes. */
		if (is_region(q, mem) && q->has_no_file)
			fake_queue_stop(q);
		if (is_region(q, mem) && !--q->maps && q->has_no_file)
			orphan = q;
		if (q->is_open && !q->has_no_file && q->emu && (mem == q->dus || mem == q->mmio))
			abort(); /* the device still writes there */
		if (q->ss && q->ss == mem)
			fake_uacce_slices_drop(q);
		for (unsigned int j = 0; j < SLICES; j++)
			if (q->slices[j].len && q->slices[j].mem == mem)
				q->slices[j].maps--;
	}
	mprotect(mem, len, PROT_NONE);
	fake.counts.maps--;
	if (orphan)
		fake_queue_close(orphan);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

/* uacce's readiness is the emulated device's own event. */
int fake_poll(struct pollfd *fds, unsigned int nr, int timeout_ms)
{
	int saved_errno = errno;
	int fd = fds[0].fd;
	int r, has_failed;

	pthread_mutex_lock(&fake_lock);
	has_failed = fake_is_failing(&r);
	if (fake.files[fd].kind == UACCE && fake.files[fd].queue->emu)
		fds[0].fd = emu_queue_fd(fake.files[fd].queue->emu);
	pthread_mutex_unlock(&fake_lock);
	if (has_failed) {
		fds[0].fd = fd;
		return r;
	}
	r = poll(fds, nr, timeout_ms);
	if (r < 0)
		r = -errno;
	fds[0].fd = fd;
	errno = saved_errno;
	return r;
}
