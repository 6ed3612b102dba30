/* SPDX-License-Identifier: Zlib */
/* Guards: what sdmdev answers to right, wrong and hostile calls. calls CASE GROUP UUID, as root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include <wd/sdmdev.h>

#define PAGE 4096
#define WAIT_MS 10000
#define RACERS 3
#define RACES 20
#define ENTRIES 40 /* more than pass through the kernel at once */
#define SRC_LEN 4096
#define DST_OFFSET 8192
#define DST_LEN 8192

struct queue {
	int container, group, fd;
	struct vfio_region_info region[SDMDEV_REGIONS];
	struct sdmdev_info info;
};

static int failures;

static void expect(int ok, const char *what, int line)
{
	if (ok)
		return;
	printf("line %d: %s (errno %d)\n", line, what, errno);
	failures++;
}

#define EXPECT(x) expect(x, #x, __LINE__)
/* The call fails with this errno, or returns 0 where that is 0. */
#define EXPECT_ERR(call, err) \
	(errno = 0, expect((call) == ((err) ? -1 : 0) && errno == (err), #call, __LINE__))

static int queue_open(struct queue *q, const char *group, const char *uuid)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	q->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	q->group = open(path, O_RDWR | O_CLOEXEC);
	if (q->container < 0 || q->group < 0 ||
	    ioctl(q->group, VFIO_GROUP_SET_CONTAINER, &q->container) ||
	    ioctl(q->container, VFIO_SET_IOMMU, SDMDEV_IOMMU_TYPE))
		return -errno;
	q->fd = ioctl(q->group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (q->fd < 0)
		return -errno;
	q->info.argsz = sizeof(q->info);
	if (ioctl(q->fd, SDMDEV_CMD_GET_INFO, &q->info))
		return -errno;
	for (unsigned int i = 0; i < SDMDEV_REGIONS; i++) {
		q->region[i].argsz = sizeof(q->region[i]);
		q->region[i].index = i;
		if (ioctl(q->fd, VFIO_DEVICE_GET_REGION_INFO, &q->region[i]))
			return -errno;
	}
	return 0;
}

static int is_single(const struct queue *q)
{
	return q->info.dma_mode & SDMDEV_DMA_SINGLE;
}

static void *region_map(struct queue *q, enum sdmdev_region region, uint64_t offset, size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, q->fd,
		    q->region[region].offset + offset);
}

static struct sdmdev_status *status_map(struct queue *q, char **dus)
{
	size_t len = q->region[SDMDEV_REGION_DUS].size;

	*dus = region_map(q, SDMDEV_REGION_DUS, 0, len);
	EXPECT(*dus != MAP_FAILED);
	return (struct sdmdev_status *)(*dus + len - PAGE);
}

static int dma_map(struct queue *q, void *mem, size_t len)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = (uintptr_t)mem,
		.size = len,
	};

	return ioctl(q->container, VFIO_IOMMU_MAP_DMA, &arg);
}

static int dma_unmap(struct queue *q, void *mem, size_t len)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = (uintptr_t)mem, .size = len
	};

	return ioctl(q->container, VFIO_IOMMU_UNMAP_DMA, &arg);
}

static int share(struct queue *q, unsigned long cmd, uintptr_t va, size_t len)
{
	struct sdmdev_share arg = { .argsz = sizeof(arg), .va = va, .len = len };

	return ioctl(q->fd, cmd, &arg);
}

static int set_event(struct queue *q, uint32_t irq, int fd)
{
	char arg[sizeof(struct vfio_irq_set) + sizeof(fd)];
	const struct vfio_irq_set set = {
		.argsz = sizeof(arg),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = irq,
		.count = 1,
	};

	memcpy(arg, &set, sizeof(set));
	memcpy(arg + sizeof(set), &fd, sizeof(fd));
	return ioctl(q->fd, VFIO_DEVICE_SET_IRQS, arg);
}

static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

static char *anonymous(size_t len)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(mem != MAP_FAILED);
	memset(mem, 'x', len);
	return mem;
}

static void fill_sqe(const struct queue *q, struct hisi_zip_sqe *sqe, uint64_t mem)
{
	unsigned int type = strcmp(q->info.api, HISI_QM_API_V3) ? HISI_ZIP_SQE_TYPE0 :
								  HISI_ZIP_SQE_TYPE3;

	*sqe = (struct hisi_zip_sqe){
		.src_len = SRC_LEN,
		.src_ctrl = type << HISI_ZIP_SRC_TYPE_SHIFT | HISI_ZIP_SRC_NEW |
			    HISI_ZIP_SRC_FINISH,
		.req_ctrl = HISI_ZIP_FORMAT_ZLIB | HISI_ZIP_WINDOW_32K << HISI_ZIP_REQ_WINDOW_SHIFT,
		.dst_len = DST_LEN,
		.src_l = mem,
		.src_h = mem >> 32,
		.dst_l = mem + DST_OFFSET,
		.dst_h = (mem + DST_OFFSET) >> 32,
		.checksum = 1,
	};
}

static int is_done(const struct hisi_zip_sqe *sqe)
{
	return sqe->consumed == SRC_LEN && !(sqe->result & HISI_ZIP_RESULT_STATUS) &&
	       sqe->produced > 4 && sqe->produced < 200;
}

static int set_context(struct queue *q, unsigned int type)
{
	struct hisi_qp_ctx ctx = { .qc_type = type };
	int ret = ioctl(q->fd, HISI_QM_CMD_SET_QP_CTX, &ctx);

	EXPECT(ret || ctx.id == q->info.number);
	return ret;
}

static void bad_arguments(struct queue *q)
{
	struct vfio_device_info device = { .argsz = sizeof(device) };
	struct sdmdev_info info = { .argsz = sizeof(info), .flags = 1 };
	int fd = eventfd(0, EFD_CLOEXEC);

	EXPECT_ERR(ioctl(q->fd, VFIO_DEVICE_GET_INFO, &device), 0);
	EXPECT(device.num_regions == SDMDEV_REGIONS && device.num_irqs == SDMDEV_IRQS);
	device.argsz = 4;
	EXPECT_ERR(ioctl(q->fd, VFIO_DEVICE_GET_INFO, &device), EINVAL);
	EXPECT_ERR(ioctl(q->fd, VFIO_DEVICE_GET_INFO, NULL), EFAULT);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_GET_INFO, &info), EINVAL);
	info = (struct sdmdev_info){ .argsz = 4 };
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_GET_INFO, &info), EINVAL);
	EXPECT_ERR(ioctl(q->fd, _IO('W', 0xff), 0), ENOTTY);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, 0), EIO);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_BIND_PASID, 0), EOPNOTSUPP);
	EXPECT_ERR(set_event(q, SDMDEV_IRQ_UPDATE, fd), 0);
	EXPECT_ERR(set_event(q, SDMDEV_IRQ_UPDATE, fd), 0);
	EXPECT_ERR(set_event(q, SDMDEV_IRQ_UPDATE, q->group), EINVAL);
	EXPECT_ERR(set_event(q, SDMDEV_IRQ_UPDATE, -1), 0);
	EXPECT_ERR(set_event(q, SDMDEV_IRQS, fd), EINVAL);
	close(fd);
}

/* Mappings are shared, whole, and stay what they are. */
static void mappings(struct queue *q)
{
	size_t len = q->region[SDMDEV_REGION_DUS].size;
	struct sdmdev_status *status;
	char *dus, *elsewhere;

	EXPECT(mmap(NULL, len, PROT_READ, MAP_PRIVATE, q->fd,
		    q->region[SDMDEV_REGION_DUS].offset) == MAP_FAILED);
	EXPECT(region_map(q, SDMDEV_REGION_DUS, 0, len + PAGE) == MAP_FAILED);
	EXPECT(region_map(q, SDMDEV_REGION_DUS, PAGE, len) == MAP_FAILED);
	EXPECT(region_map(q, SDMDEV_REGION_STATIC, 0, PAGE) == MAP_FAILED);
	EXPECT(region_map(q, SDMDEV_REGION_MMIO, q->region[SDMDEV_REGION_MMIO].size, PAGE) ==
	       MAP_FAILED);
	status = status_map(q, &dus);
	EXPECT(madvise(dus, len, MADV_DOFORK) == -1);
	EXPECT(mremap(dus, len, 2 * len, MREMAP_MAYMOVE) == MAP_FAILED);
	elsewhere = anonymous(len);
	EXPECT(mremap(dus, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED);
	if (len > PAGE)
		EXPECT(munmap(dus, PAGE) == -1);
	EXPECT(status->state == SDMDEV_STATE_INIT);
	munmap(dus, len);
}

static void states(struct queue *q)
{
	struct sdmdev_status *status;
	char *dus;

	status = status_map(q, &dus);
	EXPECT_ERR(set_context(q, 7), EINVAL);
	EXPECT_ERR(set_context(q, HISI_ZIP_QUEUE_COMPRESS), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), EBUSY);
	EXPECT(status->state == SDMDEV_STATE_OK);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, 0), ETIMEDOUT);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, 20), ETIMEDOUT);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_STOP), 0);
	EXPECT(status->state == SDMDEV_STATE_INIT);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_STOP), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	EXPECT_ERR(ioctl(q->fd, VFIO_DEVICE_RESET), 0);
	EXPECT(status->state == SDMDEV_STATE_INIT);
	munmap(dus, q->region[SDMDEV_REGION_DUS].size);
}

static void static_memory(struct queue *q)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice) };
	long before = locked_kib();
	char *mem;

	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), EINVAL);
	slice.len = UINT64_MAX;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), ENOMEM);
	slice.len = q->info.static_max + 1;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), ENOMEM);
	slice.len = 24 * PAGE + 1;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	EXPECT(slice.len == 25 * PAGE && slice.dma && locked_kib() == before + 100);
	EXPECT(region_map(q, SDMDEV_REGION_STATIC, slice.offset, slice.len + PAGE) == MAP_FAILED);
	mem = region_map(q, SDMDEV_REGION_STATIC, slice.offset, slice.len);
	EXPECT(mem != MAP_FAILED);
	for (size_t i = 0; i < slice.len; i++)
		if (mem[i]) {
			EXPECT(!"static memory is zeroed");
			break;
		}
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), EBUSY);
	munmap(mem, slice.len);
	slice.offset += PAGE;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), ENOENT);
	slice.offset -= PAGE;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), ENOENT);
	EXPECT(locked_kib() == before);
}

/* A child can do nothing with the queue, and has no mapping of it. */
static void forked(struct queue *q)
{
	unsigned char vec;
	int status;
	char *dus;

	status_map(q, &dus);
	fflush(stdout);
	if (!fork()) {
		failures = 0;
		EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_GET_INFO, &q->info), EPERM);
		EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), EPERM);
		EXPECT(region_map(q, SDMDEV_REGION_DUS, 0, PAGE) == MAP_FAILED && errno == EPERM);
		EXPECT(mincore(dus, PAGE, &vec) == -1 && errno == ENOMEM);
		fflush(stdout);
		_exit(failures != 0);
	}
	wait(&status);
	EXPECT(!status);
	munmap(dus, q->region[SDMDEV_REGION_DUS].size);
}

/* A batch with one entry that reaches elsewhere: what is before it is executed. */
static void mediated(struct queue *q)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = 65536 };
	struct hisi_zip_sqe in[ENTRIES], out[ENTRIES];
	struct sdmdev_submit submit = { .argsz = sizeof(submit), .ptr = (uintptr_t)in, .count = 1 };
	struct sdmdev_submit reap = submit;
	char *mem;
	int nr = 0;

	reap.ptr = (uintptr_t)out;
	reap.count = ENTRIES;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EINVAL);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	mem = region_map(q, SDMDEV_REGION_STATIC, slice.offset, slice.len);
	memset(mem, 'x', SRC_LEN);
	EXPECT_ERR(set_context(q, HISI_ZIP_QUEUE_COMPRESS), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_REAP, &reap), EAGAIN);
	for (int i = 0; i < ENTRIES; i++)
		fill_sqe(q, &in[i], slice.dma);

	in[0].dst_l = 0x1000;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EACCES);
	in[0].dst_l = slice.dma + slice.len - DST_LEN + 1;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EACCES);
	fill_sqe(q, &in[0], slice.dma);
	submit.count = 0;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EINVAL);
	submit.count = ENTRIES;
	submit.ptr = 8;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EFAULT);
	submit.ptr = (uintptr_t)in;
	in[ENTRIES - 1].src_l = 0x1000;
	EXPECT(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit) == ENTRIES - 1);

	while (nr < ENTRIES - 1 && !failures) {
		int ret = ioctl(q->fd, SDMDEV_CMD_REAP, &reap);

		for (int i = 0; i < ret; i++)
			EXPECT(is_done(&out[i]));
		nr += ret > 0 ? ret : 0;
		if (ret < 0)
			EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, WAIT_MS), 0);
	}
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_REAP, &reap), EAGAIN);
	munmap(mem, slice.len);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), 0);
	submit.count = 1;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit), EACCES);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)anonymous(PAGE), PAGE), EOPNOTSUPP);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_STOP), 0);
}

static void ranges(struct queue *q)
{
	const size_t len = 3 << 20;
	char *mem = anonymous(len);
	uintptr_t va = (uintptr_t)mem;
	long before = locked_kib();

	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, PAGE), EINVAL);
	EXPECT_ERR(dma_map(q, mem, len), 0);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, len + PAGE), EINVAL);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va + 1, PAGE), EINVAL);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, 0), EINVAL);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, -(size_t)PAGE), EINVAL);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, 0x10000, PAGE), ERANGE);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, -(uintptr_t)PAGE, PAGE), ERANGE);
	EXPECT(locked_kib() == before);

	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, len), 0);
	EXPECT(locked_kib() == before + (long)len / 1024);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va + PAGE, PAGE), EEXIST);
	EXPECT_ERR(share(q, SDMDEV_CMD_UNSHARE, va, PAGE), ENOENT);
	EXPECT_ERR(share(q, SDMDEV_CMD_UNSHARE, va, len), 0);
	EXPECT(locked_kib() == before);

	/* VFIO's unmapping takes away what is left. */
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, 2 * PAGE), 0);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va + 16 * PAGE, PAGE), 0);
	EXPECT_ERR(dma_unmap(q, mem, len), 0);
	EXPECT(locked_kib() == before);
	EXPECT_ERR(share(q, SDMDEV_CMD_UNSHARE, va, 2 * PAGE), ENOENT);

	/* A hole behind what is already pinned: all of that is undone. */
	EXPECT_ERR(dma_map(q, mem, len), 0);
	munmap(mem + (2 << 20) + PAGE, PAGE);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, len), EFAULT);
	EXPECT(locked_kib() == before);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, va, 1 << 20), 0);
	EXPECT_ERR(dma_unmap(q, mem, len), 0);
}

/* The process writes the ring and rings itself: one request on this memory. */
static struct hisi_zip_sqe *ring_one(struct queue *q, char *mem)
{
	size_t mmio_len = q->region[SDMDEV_REGION_MMIO].size;
	uint64_t bell = q->info.number | HISI_QM_DB_CMD_SQ << HISI_QM_DB_V2_CMD_SHIFT |
			1ull << HISI_QM_DB_INDEX_SHIFT;
	char *dus, *mmio;

	status_map(q, &dus);
	mmio = region_map(q, SDMDEV_REGION_MMIO, 0, mmio_len);
	EXPECT(mmio != MAP_FAILED);
	EXPECT_ERR(set_context(q, HISI_ZIP_QUEUE_COMPRESS), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	fill_sqe(q, (struct hisi_zip_sqe *)dus, (uintptr_t)mem);
	/* The entry before its doorbell, which is alone in its page or behind the queue's others. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint64_t *)(mmio + (mmio_len > PAGE ? HISI_QM_DB_OFFSET_V2 : 0)) = bell;
	return (struct hisi_zip_sqe *)dus;
}

static void direct(struct queue *q)
{
	const size_t len = 65536;
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = PAGE };
	char *mem = anonymous(len);
	struct hisi_zip_sqe *sqe;

	EXPECT_ERR(dma_map(q, mem, len), 0);
	EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)mem, len), 0);
	sqe = ring_one(q, mem);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, WAIT_MS), 0);
	EXPECT(is_done(sqe));
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), EBUSY);
	EXPECT_ERR(share(q, SDMDEV_CMD_UNSHARE, (uintptr_t)mem, len), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_STOP), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), 0);
}

/* On a slow device: memory is taken away from a request when it is done and not before. */
static void flight(struct queue *q)
{
	const size_t len = 65536;
	char *mem = anonymous(len);

	EXPECT_ERR(dma_map(q, mem, len), 0);
	for (int is_vfio = 0; is_vfio < 2; is_vfio++) {
		struct hisi_zip_sqe *sqe;

		EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)mem, len), 0);
		sqe = ring_one(q, mem);
		EXPECT(!is_done(sqe));
		if (is_vfio)
			EXPECT_ERR(dma_unmap(q, mem, len), 0);
		else
			EXPECT_ERR(share(q, SDMDEV_CMD_UNSHARE, (uintptr_t)mem, len), 0);
		EXPECT(is_done(sqe));
		EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_STOP), 0);
		EXPECT_ERR(ioctl(q->fd, VFIO_DEVICE_RESET), 0);
	}
}

static struct {
	struct queue *q;
	uintptr_t va;
	int is_over, shared_nr;
} race;

static void *race_share(void *arg)
{
	while (!__atomic_load_n(&race.is_over, __ATOMIC_ACQUIRE))
		if (!share(race.q, SDMDEV_CMD_SHARE, race.va, PAGE))
			__atomic_fetch_add(&race.shared_nr, 1, __ATOMIC_RELEASE);
	return arg;
}

/*
 * Threads that pin again while another one unmaps, which only runs when they do not: it must not see
 * pins time after time.
 */
static void pin_while_unmapping(struct queue *q)
{
	const struct sched_param param = { 0 };
	long before = locked_kib();
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	EXPECT(!sched_setaffinity(0, sizeof(cpus), &cpus));
	race.q = q;
	for (int i = 0; i < RACES; i++) {
		pthread_t thread[RACERS];
		char *mem = anonymous(PAGE);

		EXPECT_ERR(dma_map(q, mem, PAGE), 0);
		race.va = (uintptr_t)mem;
		race.is_over = 0;
		race.shared_nr = 0;
		for (int t = 0; t < RACERS; t++)
			EXPECT(!pthread_create(&thread[t], NULL, race_share, NULL));
		while (!__atomic_load_n(&race.shared_nr, __ATOMIC_ACQUIRE))
			sched_yield();
		EXPECT(!sched_setscheduler(0, SCHED_IDLE, &param));
		EXPECT_ERR(dma_unmap(q, mem, PAGE), 0);
		EXPECT(!sched_setscheduler(0, SCHED_OTHER, &param));
		__atomic_store_n(&race.is_over, 1, __ATOMIC_RELEASE);
		for (int t = 0; t < RACERS; t++)
			pthread_join(thread[t], NULL);
	}
	EXPECT(locked_kib() == before);
}

static void single(struct queue *q)
{
	ranges(q);
	direct(q);
	pin_while_unmapping(q);
}

/* RLIMIT_MEMLOCK holds for both kinds of memory. */
static void limit(struct queue *q)
{
	const struct rlimit limits = { 65536, 65536 };
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = 1 << 20 };
	char *mem = anonymous(1 << 20);

	EXPECT(!setrlimit(RLIMIT_MEMLOCK, &limits) && !setresuid(1000, 1000, 1000));
	if (is_single(q)) {
		EXPECT_ERR(dma_map(q, mem, 1 << 20), 0);
		EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)mem, 1 << 20), ENOMEM);
		EXPECT(locked_kib() == 0);
		EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)mem, 32 << 10), 0);
	}
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), ENOMEM);
	slice.len = 16 << 10;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	EXPECT(locked_kib() == (is_single(q) ? 48 : 16));
}

/* The first request never ends: the queue breaks, the function is reset, and then works. */
static void hang(struct queue *q)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = 65536 };
	struct hisi_zip_sqe in, out;
	struct sdmdev_submit submit = {
		.argsz = sizeof(submit), .ptr = (uintptr_t)&in, .count = 1
	};
	struct sdmdev_submit reap = submit;
	int tries = 0, ret;

	reap.ptr = (uintptr_t)&out;
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	EXPECT_ERR(set_context(q, HISI_ZIP_QUEUE_COMPRESS), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	fill_sqe(q, &in, slice.dma);
	EXPECT(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit) == 1);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, 200), ETIMEDOUT);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), EBUSY);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, WAIT_MS), EIO);
	while ((ret = ioctl(q->fd, SDMDEV_CMD_START)) && errno == EIO && tries++ < 500)
		usleep(20000);
	EXPECT(!ret);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_GET_INFO, &q->info), 0);
	EXPECT(q->info.state == SDMDEV_STATE_OK && q->info.generation == 1);
	EXPECT(ioctl(q->fd, SDMDEV_CMD_SUBMIT, &submit) == 1);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, WAIT_MS), 0);
	EXPECT(ioctl(q->fd, SDMDEV_CMD_REAP, &reap) == 1 && is_done(&out));
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_FREE, &slice), 0);
}

static void hold_until_asked(struct queue *q, struct sdmdev_status **status)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t events;
	char *dus;

	*status = status_map(q, &dus);
	EXPECT_ERR(set_event(q, SDMDEV_IRQ_ERROR, fd), 0);
	if (is_single(q)) {
		char *mem = anonymous(1 << 20);

		EXPECT_ERR(dma_map(q, mem, 1 << 20), 0);
		EXPECT_ERR(share(q, SDMDEV_CMD_SHARE, (uintptr_t)mem, 1 << 20), 0);
	}
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	puts("held");
	EXPECT(read(fd, &events, sizeof(events)) == sizeof(events));
	EXPECT((*status)->is_removal_wanted);
}

static void hold(struct queue *q)
{
	struct sdmdev_status *status;

	hold_until_asked(q, &status);
}

/* Does not go: after ten seconds the queue is taken away. */
static void stay(struct queue *q)
{
	struct sdmdev_status *status;

	hold_until_asked(q, &status);
	EXPECT_ERR(ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, 6 * WAIT_MS), ENODEV);
	EXPECT(status->state == SDMDEV_STATE_DEAD);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), ENODEV);
}

/* Any call with any argument, and requests with any field changed, for some seconds: nothing breaks. */

#define FUZZ_S 6
#define FUZZ_LEN 65536

static uint64_t fuzz_random(void)
{
	static uint64_t state = 0x5eed2b8cfe;
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Nothing, little, a limit, or anything. */
static uint64_t fuzz_value(void)
{
	static const uint64_t limits[] = { 0, PAGE, FUZZ_LEN, INT32_MAX, UINT32_MAX, INT64_MAX,
					   UINT64_MAX, 1ull << 47 };

	switch (fuzz_random() % 3) {
	case 0:
		return fuzz_random() % 64;
	case 1:
		return limits[fuzz_random() % 8] - fuzz_random() % 3;
	default:
		return fuzz_random() & UINT64_MAX >> fuzz_random() % 64;
	}
}

/* mem: what the kernel may read and write; nothing else of this process is ever named. */
static void *fuzz_pointer(char *mem)
{
	switch (fuzz_random() % 8) {
	case 0:
		return NULL;
	case 1:
		return (void *)-1;
	case 2:
		return (void *)(UINT64_MAX << 47); /* the kernel's */
	case 3:
		return mem + FUZZ_LEN - fuzz_random() % 64; /* ends too early */
	default:
		return mem + fuzz_random() % 64 * 8;
	}
}

static void fuzz_call(struct queue *q, char *mem)
{
	static const unsigned long cmds[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_GET_IRQ_INFO,
		VFIO_DEVICE_SET_IRQS, VFIO_DEVICE_RESET, VFIO_SDMDEV_CMD_BIND_PASID,
		SDMDEV_CMD_GET_INFO, SDMDEV_CMD_START, SDMDEV_CMD_STOP, SDMDEV_CMD_SHARE,
		SDMDEV_CMD_UNSHARE, SDMDEV_CMD_SS_ALLOC, SDMDEV_CMD_SS_FREE, SDMDEV_CMD_SUBMIT,
		SDMDEV_CMD_REAP, HISI_QM_CMD_SET_QP_CTX, VFIO_SDMDEV_CMD_WAIT,
	};
	unsigned long cmd = cmds[fuzz_random() % (sizeof(cmds) / sizeof(cmds[0]))];
	void *arg = fuzz_pointer(mem);
	uint64_t words[8];

	for (unsigned int i = 0; i < 8; i++)
		words[i] = fuzz_value();
	/* Often the right size, and where a pointer may be, one that names nothing of ours. */
	if (fuzz_random() % 4)
		words[0] = _IOC_SIZE(cmd) ? _IOC_SIZE(cmd) : 20;
	words[1] = cmd == SDMDEV_CMD_SUBMIT || cmd == SDMDEV_CMD_REAP ? (uintptr_t)fuzz_pointer(mem) :
									 words[1];
	memcpy(mem, words, sizeof(words));
	if (cmd == VFIO_SDMDEV_CMD_WAIT)
		arg = (void *)(fuzz_random() % 3);
	else if (!(fuzz_random() % 16))
		cmd = fuzz_random();
	ioctl(q->fd, cmd, arg);
}

static void fuzz_map(struct queue *q)
{
	size_t len = fuzz_value() % (1 << 22) + 1;
	void *mem = mmap(NULL, len, fuzz_random() % 8, fuzz_random() % 2 ? MAP_SHARED : MAP_PRIVATE,
			 q->fd, fuzz_value() & -(uint64_t)PAGE);

	if (mem != MAP_FAILED)
		munmap(mem, len);
}

/* Where the kernel looks at requests it gets such as are nearly right. */
static void fuzz_request(struct queue *q, uint64_t dma)
{
	struct hisi_zip_sqe sqe, out;
	struct sdmdev_submit arg = { .argsz = sizeof(arg), .ptr = (uintptr_t)&sqe, .count = 1 };

	fill_sqe(q, &sqe, dma);
	for (unsigned int i = fuzz_random() % 4; i; i--)
		((uint32_t *)&sqe)[fuzz_random() % 32] = (uint32_t)fuzz_value();
	ioctl(q->fd, SDMDEV_CMD_SUBMIT, &arg);
	arg.ptr = (uintptr_t)&out;
	ioctl(q->fd, SDMDEV_CMD_REAP, &arg);
}

static void fuzz(struct queue *q)
{
	struct sdmdev_static slice = { .argsz = sizeof(slice), .len = FUZZ_LEN };
	char *mem = anonymous(FUZZ_LEN);
	time_t end = time(NULL) + FUZZ_S;

	if (is_single(q))
		EXPECT_ERR(dma_map(q, mem, FUZZ_LEN), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &slice), 0);
	EXPECT_ERR(set_context(q, HISI_ZIP_QUEUE_COMPRESS), 0);
	EXPECT_ERR(ioctl(q->fd, SDMDEV_CMD_START), 0);
	while (time(NULL) < end)
		for (unsigned int i = 0; i < 100; i++) {
			if (i % 3 == 0 && !is_single(q))
				fuzz_request(q, slice.dma);
			else if (i % 10 == 1)
				fuzz_map(q);
			else
				fuzz_call(q, mem);
			if (i == 50) { /* it may have been stopped */
				set_context(q, HISI_ZIP_QUEUE_COMPRESS);
				ioctl(q->fd, SDMDEV_CMD_START);
			}
		}
}

static const struct {
	const char *name;
	void (*run)(struct queue *q);
} cases[] = {
	{ "arguments", bad_arguments },
	{ "mappings", mappings },
	{ "states", states },
	{ "memory", static_memory },
	{ "child", forked },
	{ "limit", limit },
	{ "mediated", mediated },
	{ "single", single },
	{ "flight", flight },
	{ "hang", hang },
	{ "hold", hold },
	{ "stay", stay },
	{ "fuzz", fuzz },
};

int main(int argc, char **argv)
{
	static struct queue q;
	const char *name = argc == 4 ? argv[1] : "";
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = argc == 4 ? queue_open(&q, argv[2], argv[3]) : -EINVAL;
	if (!strcmp(name, "busy"))
		return ret == -EBUSY ? 0 : 1;
	if (ret) {
		printf("open: %s\n", strerror(-ret));
		return 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(name, cases[i].name)) {
			cases[i].run(&q);
			return failures ? 1 : 0;
		}
	return 99;
}
