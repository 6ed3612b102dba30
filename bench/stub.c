/* SPDX-License-Identifier: Zlib */
/* A device that works inside the doorbell, in the caller's thread: what is left is the caller's. */
#include "config.h"

#include "stub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drv/hisi_qm.h"
#include "emu/emu.h"
#include "emu/emu_codec.h"
#include "emu/emu_priv.h"
#include "timing.h"
#include "transport/transport.h"
#include "wd_zip.h"

#define STUB_DEPTH 64

struct stub {
	struct stub *next;
	char *mem;
	size_t mem_len, mmio_len;
	unsigned int head;
	unsigned int phase;
	unsigned int op_type;
};

static struct emu_zip engine;
static struct emu_dma dma;
static struct stub *stubs;
static uint64_t cpu_ns, clock_ns; /* clock_ns: what reading the clock twice takes */
static int is_null;

static uint64_t stub_clock_cost(void)
{
	uint64_t begin = timing_thread_ns();

	for (int i = 0; i < 1000; i++)
		timing_thread_ns();
	return (timing_thread_ns() - begin) / 1000;
}

static int stub_engine(void)
{
	if (engine.codec)
		return 0;
	emu_dma_init(&dma);
	if (emu_dma_add(&dma, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE))
		return -ENOMEM;
	emu_dma_attach(&dma, &engine.dma);
	engine.qm = 3;
	engine.codec = &emu_codec_zlib;
#ifdef HAVE_ISAL
	if (!emu_codec_isal.open())
		engine.codec = &emu_codec_isal;
#endif
	if (engine.codec->open())
		return -ENOENT;
	engine.work = engine.codec->work_new(emu_streams_new());
	clock_ns = stub_clock_cost();
	return engine.work ? 0 : -ENOMEM;
}

static void stub_complete(struct stub *s)
{
	struct hisi_qm_cqe *cqe = (struct hisi_qm_cqe *)(s->mem + HISI_QM_CQ_OFFSET(STUB_DEPTH));

	cqe[s->head].sq_head = (uint16_t)s->head;
	__atomic_store_n(&cqe[s->head].phase, (uint16_t)s->phase, __ATOMIC_RELEASE);
	if (++s->head == STUB_DEPTH) {
		s->head = 0;
		s->phase ^= HISI_QM_CQE_PHASE;
	}
}

static void stub_ring(struct stub *s, uint64_t value)
{
	unsigned int tail = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	struct hisi_zip_sqe *sqe = (struct hisi_zip_sqe *)s->mem;
	uint64_t begin;

	if ((value >> HISI_QM_DB_V2_CMD_SHIFT & 0xf) != HISI_QM_DB_CMD_SQ)
		return;
	begin = is_null ? 0 : timing_thread_ns();
	for (; s->head != tail; stub_complete(s)) {
		if (!is_null) {
			emu_zip_exec(&engine, s->op_type, &sqe[s->head]);
			continue;
		}
		sqe[s->head].consumed = sqe[s->head].src_len;
		sqe[s->head].produced = 1;
		sqe[s->head].result = HISI_ZIP_OK;
	}
	/* The caller is charged with nothing but the call. */
	if (!is_null)
		cpu_ns += timing_thread_ns() - begin + clock_ns;
}

/* Not static, so that a counting tool finds its name. */
void stub_doorbell(void *queue, uint64_t value);
void stub_doorbell(void *queue, uint64_t value)
{
	stub_ring(queue, value);
}

void stub_poll(void)
{
	for (struct stub *s = stubs; s; s = s->next)
		stub_ring(s, *(volatile uint64_t *)(s->mem + s->mem_len + HISI_QM_DB_OFFSET_V2));
}

uint64_t stub_cpu_ns(void)
{
	return cpu_ns;
}

int stub_inline(const uint8_t *src, uint32_t src_len, uint8_t *dst, uint32_t dst_len)
{
	struct emu_deflate d = {
		.hist = src,
		.src = src,
		.dst = dst,
		.src_len = src_len,
		.dst_len = dst_len,
		.window_bits = 15,
		.is_last = true,
	};
	int ret = stub_engine();

	if (!ret)
		ret = engine.codec->deflate(engine.work, &d);
	if (ret > 0 && engine.codec->adler32(1, src, src_len) == 0)
		return -EBADMSG;
	return ret;
}

static int stub_list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	if (!nr)
		return 1;
	*info = (struct wd_device_info){
		.name = STUB_DEVICE,
		.transport = "stub",
		.api = HISI_QM_API_V3,
		.algs = "zlib gzip deflate",
		.numa_node = -1,
		.engines = 1,
		.queues_total = 64,
		.queues_free = 64,
		.max_len = WD_ZIP_MAX_LEN,
	};
	return 1;
}

static int stub_dev_open(const struct wd_device_info *info, void **dev)
{
	*dev = &engine;
	return stub_engine();
}

static void stub_dev_close(void *dev)
{
}

static int stub_open(void *dev, enum wd_op_type op_type, void **queue, struct wd_regions *regions)
{
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE);
	struct stub *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->mem_len = hisi_qm_mem_len(STUB_DEPTH, page_len);
	s->mmio_len = HISI_QM_DB_OFFSET_V2 + page_len;
	s->mem = mmap(NULL, s->mem_len + s->mmio_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->mem == MAP_FAILED) {
		free(s);
		return -ENOMEM;
	}
	s->phase = HISI_QM_CQE_PHASE;
	s->op_type = op_type;
	s->next = stubs;
	stubs = s;
	*queue = s;
	*regions = (struct wd_regions){
		.mmio = s->mem + s->mem_len,
		.mmio_len = s->mmio_len,
		.mem = s->mem,
		.mem_len = s->mem_len,
		.depth = STUB_DEPTH,
	};
	return 0;
}

static void stub_stop(void *tq)
{
}

static void stub_close(void *queue, const struct wd_regions *regions)
{
	struct stub *s = queue;

	for (struct stub **at = &stubs; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	munmap(s->mem, s->mem_len + s->mmio_len);
	free(s);
}

static void stub_forget(void *queue)
{
	free(queue);
}

/* Whatever was rung is done. */
static int stub_wait(void *queue, unsigned int timeout_ms)
{
	return -ETIMEDOUT;
}

static enum wd_state stub_state(void *queue, unsigned int *generation)
{
	if (generation)
		*generation = 0;
	return WD_STATE_OK;
}

static int stub_share(void *tq, const void *mem, size_t len, int flags, uint64_t *addr)
{
	*addr = (uintptr_t)mem;
	return 0;
}

static void stub_unshare(void *tq, uint64_t addr, size_t len)
{
}

static int stub_share_all(void *tq)
{
	return 0;
}

static void stub_unshare_all(void *tq)
{
}

static struct wd_transport stub_transport = {
	.name = "stub",
	.list = stub_list,
	.dev_open = stub_dev_open,
	.dev_close = stub_dev_close,
	.open = stub_open,
	.stop = stub_stop,
	.close = stub_close,
	.forget = stub_forget,
	.wait = stub_wait,
	.doorbell = stub_doorbell,
	.state = stub_state,
	.share = stub_share,
	.unshare = stub_unshare,
	.share_all = stub_share_all,
	.unshare_all = stub_unshare_all,
};

void stub_set_null(void)
{
	is_null = 1;
	stub_transport.doorbell = NULL;
}

/* In place of the library's table. */
const struct wd_transport *const wd_transports[] = {
	&wd_transport_emu,
	&stub_transport,
	NULL,
};
