// SPDX-License-Identifier: Zlib
/* Requests whose memory lies behind a PASID: whose it is, pages that come late, or never. */
#include "qm_board.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAGE	  4096u
#define PAGES	  32
#define VA	  UINT64_C(0x7f1234560000)
#define SPACES	  2
#define SSV_R	  0x301128
#define SSV_W	  0x301134
#define SQC_PASID (1u << 23) /* bit 7 of the upper half */
#define ERROR_SVA (1u << 12)
#define GROUP_MAX 4 /* pages asked for at once */

enum page { ABSENT, READ_ONLY, THERE };

/* A process, and what its page table has. */
struct space {
	int pasid;
	enum page page[PAGES];
	_Alignas(PAGE) uint8_t mem[PAGES * PAGE];
};

struct bus {
	struct space space[SPACES];
	/* What was asked for last, by the queue. */
	struct {
		unsigned int nr;
		unsigned int page[GROUP_MAX];
	} asked[QUEUES];
	unsigned int groups;
	unsigned int reads;
	unsigned int writes;
	int drop_before_write; /* this page goes away between the question and the writing; -1 */
};

static int on_tagged(void *owner, const struct emu_qm_tag *tag, uint64_t iova, void *buf,
		     uint64_t len, int flag)
{
	struct bus *bus = owner;
	const enum page wanted = flag == EMU_DMA_WRITE ? THERE : READ_ONLY;
	struct space *s = bus->space;
	unsigned int nr = 0;

	while (s < bus->space + SPACES && s->pasid != tag->pasid)
		s++;
	if (s == bus->space + SPACES || iova < VA || iova + len > VA + PAGES * PAGE)
		return -EFAULT;
	assert_true(tag->queue < QUEUES);
	if (buf && flag == EMU_DMA_WRITE && bus->drop_before_write >= 0) {
		s->page[bus->drop_before_write] = ABSENT;
		bus->drop_before_write = -1;
	}
	for (uint64_t at = (iova - VA) / PAGE; at <= (iova - VA + len - 1) / PAGE; at++)
		if (s->page[at] < wanted && nr < GROUP_MAX)
			bus->asked[tag->queue].page[nr++] = at;
	if (nr && tag->is_final)
		return -EFAULT;
	if (nr) {
		assert_int_equal(bus->asked[tag->queue].nr, 0);
		bus->asked[tag->queue].nr = nr;
		bus->groups++;
		return -EAGAIN;
	}
	if (!buf)
		return 0;
	if (flag == EMU_DMA_READ) {
		bus->reads++;
		memcpy(buf, s->mem + (iova - VA), len);
	} else {
		bus->writes++;
		memcpy(s->mem + (iova - VA), buf, len);
	}
	return 0;
}

/* The operating system's answer to what the queue asked for: pages of that kind, or none. */
static void answer(struct board *b, unsigned int queue, unsigned int space, enum page page)
{
	struct bus *bus = b->space;

	assert_true(bus->asked[queue].nr > 0);
	for (unsigned int i = 0; page && i < bus->asked[queue].nr; i++)
		bus->space[space].page[bus->asked[queue].page[i]] = page;
	bus->asked[queue].nr = 0;
	emu_qm_page_response(b->qm, queue, page != ABSENT);
}

static bool waits(const struct board *b, unsigned int queue)
{
	return ((const struct bus *)b->space)->asked[queue].nr > 0;
}

static void serve(struct board *b, unsigned int queue, unsigned int space)
{
	for (int i = 0; i < 64 && waits(b, queue); i++) {
		answer(b, queue, space, THERE);
		run_all(b);
	}
}

/* Queue 0 has the first space, queue 1 the other one; what a driver does for that. */
static struct board *board_spaces(void **state, struct bus *bus, const char *more)
{
	struct board *b = board_of(state, 8, more);

	memset(bus, 0, sizeof(*bus));
	bus->drop_before_write = -1;
	b->tagged = on_tagged;
	b->space = bus;
	if (b->version == 2) {
		wr(b, SSV_R, 0x40001071);
		wr(b, SSV_W, 0x40001071);
	}
	for (unsigned int i = 0; i < SPACES; i++) {
		bus->space[i].pasid = 5 + 4 * i;
		for (unsigned int j = 0; j < PAGES; j++)
			bus->space[i].page[j] = THERE;
		b->pasid = bus->space[i].pasid | (b->version == 3 ? SQC_PASID : 0);
		start_queue(b, i, HISI_ZIP_QUEUE_COMPRESS);
	}
	b->pasid = 0;
	return b;
}

static void fill_va(struct board *b, struct hisi_zip_sqe *sqe, unsigned int src, uint32_t src_len,
		    unsigned int dst, uint32_t dst_len)
{
	fill(b, sqe, b->mem, src_len, b->mem, dst_len);
	sqe->src_l = (VA + src * PAGE) & UINT32_MAX;
	sqe->src_h = (VA + src * PAGE) >> 32;
	sqe->dst_l = (VA + dst * PAGE) & UINT32_MAX;
	sqe->dst_h = (VA + dst * PAGE) >> 32;
}

/* The next result of the queue is that of n bytes at page src, and right. */
static void expect_right(struct board *b, unsigned int queue, unsigned int src, uint32_t n,
			 unsigned int dst)
{
	static uint8_t plain[PAGES * PAGE];
	struct bus *bus = b->space;
	struct space *s = &bus->space[queue];
	struct hisi_zip_sqe *done = take(b, queue, true);
	size_t used;

	assert_non_null(done);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_int_equal(done->consumed, n);
	assert_int_equal(
		rig_inflate(plain, sizeof(plain), s->mem + dst * PAGE, done->produced, &used), n);
	assert_memory_equal(plain, s->mem + src * PAGE, n);
}

static void expect_failed(struct board *b, unsigned int queue)
{
	struct hisi_zip_sqe *done = take(b, queue, true);

	assert_non_null(done);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_BAD_DATA);
	assert_int_equal(done->produced, 0);
}

static struct bus bus;

/* The same address is another memory for each queue. */
static void test_spaces(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_zip_sqe sqe;

	memset(bus.space[0].mem, 'a', PAGE);
	memset(bus.space[1].mem, 'b', PAGE);
	memset(bus.space[1].mem + PAGE, 0xee, PAGE);
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	run_all(b);
	expect_right(b, 0, 0, PAGE, 1);
	for (unsigned int i = 0; i < PAGE; i++)
		assert_int_equal(bus.space[1].mem[PAGE + i], 0xee);
	submit(b, 1, &sqe);
	run_all(b);
	expect_right(b, 1, 0, PAGE, 1);
	assert_true(bus.reads == 2 && bus.writes == 2 && !bus.groups);
	board_free(b);
}

/* Without the switch of its version a queue's number counts for nothing. */
static void test_switch(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	memset(&bus, 0, sizeof(bus));
	b->tagged = on_tagged;
	b->space = &bus;
	if (b->version != 2) {
		wr(b, SSV_R, 1);
		wr(b, SSV_W, 1);
	}
	b->pasid = 5 | (b->version == 3 ? 0 : SQC_PASID);
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(take(b, 0, true)->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	if (b->version == 2) {
		/* Both directions, or none. */
		wr(b, SSV_R, 1);
		submit(b, 0, &sqe);
		run_all(b);
		assert_int_equal(take(b, 0, true)->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
		wr(b, SSV_W, 1);
		submit(b, 0, &sqe);
		run_all(b);
		expect_failed(b, 0);
	}
	assert_int_equal(bus.reads, 0);
	board_free(b);
}

/* A PASID whose owner is gone, and one that nobody has. */
static void test_no_space(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_zip_sqe sqe;

	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	bus.space[1].pasid = -2;
	submit(b, 1, &sqe);
	run_all(b);
	expect_failed(b, 1);
	b->tagged = NULL;
	submit(b, 0, &sqe);
	run_all(b);
	expect_failed(b, 0);
	board_free(b);
}

/* Who waits for pages keeps nobody else from working, and has its request executed once. */
static void test_pages(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct emu_qm_stats stats;
	struct hisi_zip_sqe sqe, other;

	rig_data(bus.space[0].mem, 9 * PAGE, RIG_TEXT);
	memset(bus.space[0].page, 0, sizeof(bus.space[0].page));
	fill_va(b, &sqe, 0, 9 * PAGE, 10, 12 * PAGE);
	fill_va(b, &other, 0, 100, 1, 300);
	submit(b, 0, &sqe);
	submit(b, 0, &sqe);
	run_all(b);
	assert_true(waits(b, 0));
	assert_null(take(b, 0, true));
	submit(b, 1, &other);
	run_all(b);
	expect_right(b, 1, 0, 100, 1);
	assert_null(take(b, 0, true));
	/* Not heard: nobody waits there, or there is no such queue. */
	emu_qm_page_response(b->qm, 1, false);
	emu_qm_page_response(b->qm, 4096, false);
	serve(b, 0, 0);
	assert_int_equal(bus.groups, 3 + 3); /* of nine pages, and of twelve */
	expect_right(b, 0, 0, 9 * PAGE, 10);
	expect_right(b, 0, 0, 9 * PAGE, 10);
	assert_null(take(b, 0, true));
	emu_qm_stats(b->qm, &stats);
	assert_int_equal(stats.requests, 3);
	assert_int_equal(stats.errors, 0);
	assert_int_equal(rd(b, 0x104050), 3); /* sent to the engine */
	assert_int_equal(bus.writes, 3);
	board_free(b);
}

/* A page that will not come is the request's error, and nobody else's. */
static void test_denied(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_zip_sqe sqe;

	wr(b, ZIP_ERROR_SOURCE, UINT32_MAX);
	wr(b, ZIP_CONTROL, 1u << 14);
	wr(b, ZIP_SHUTDOWN, 0x7fe);
	wr(b, ZIP_ERROR_MASK, 0);
	bus.space[0].page[3] = READ_ONLY;
	bus.space[1].page[1] = ABSENT;
	fill_va(b, &sqe, 0, PAGE, 3, PAGE);
	submit(b, 0, &sqe);
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 1, &sqe);
	run_all(b);
	assert_true(waits(b, 0) && waits(b, 1));
	answer(b, 0, 0, ABSENT);
	run_all(b);
	expect_failed(b, 0);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), b->version == 1 ? 0 : ERROR_SVA);
	assert_int_equal(b->interrupts[3], 1);
	assert_null(take(b, 1, true));
	serve(b, 1, 1);
	expect_right(b, 1, 0, PAGE, 1);
	/* What could not be written can be read; and the next one may ask again. */
	memset(bus.space[0].mem + 3 * PAGE, 'r', PAGE);
	fill_va(b, &sqe, 3, PAGE, 4, PAGE);
	bus.space[0].page[4] = ABSENT;
	submit(b, 0, &sqe);
	run_all(b);
	serve(b, 0, 0);
	expect_right(b, 0, 3, PAGE, 4);
	board_free(b);
}

/* A refusal that is none any more when the device looks again. */
static void test_denied_in_vain(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_zip_sqe sqe;

	bus.space[0].page[1] = ABSENT;
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	run_all(b);
	answer(b, 0, 0, ABSENT);
	bus.space[0].page[1] = THERE;
	run_all(b);
	expect_right(b, 0, 0, PAGE, 1);
	board_free(b);
}

/* A page that goes away while the engine computes: the request is executed anew. */
static void test_page_lost(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct emu_qm_stats stats;
	struct hisi_zip_sqe sqe;

	memset(bus.space[0].mem, 'l', PAGE);
	bus.drop_before_write = 1;
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	run_all(b);
	assert_true(waits(b, 0));
	assert_int_equal(bus.writes, 0);
	serve(b, 0, 0);
	expect_right(b, 0, 0, PAGE, 1);
	emu_qm_stats(b->qm, &stats);
	assert_int_equal(stats.requests, 1);
	board_free(b);
}

/* A stream's context lies in the process, whole in each of its states. */
static void test_stream(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	const uint64_t ctx = VA + 14 * PAGE;
	static uint8_t packed[8 * PAGE], plain[8 * PAGE];
	struct hisi_zip_sqe sqe, *done;
	size_t len = 0, used;

	rig_data(bus.space[0].mem, 6 * PAGE, RIG_TEXT);
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int j = 14; j < PAGES; j++)
			bus.space[0].page[j] = ABSENT;
		fill_va(b, &sqe, 2 * i, 2 * PAGE, 8, 4 * PAGE);
		sqe.src_ctrl |= HISI_ZIP_SRC_STREAM | (i ? 0 : HISI_ZIP_SRC_NEW) |
				(i == 2 ? HISI_ZIP_SRC_FINISH : 0);
		sqe.ctx_l = ctx & UINT32_MAX;
		sqe.ctx_h = ctx >> 32;
		if (i) {
			sqe.ctx_w0 = done->ctx_w0;
			sqe.ctx_w1 = done->ctx_w1;
			sqe.ctx_w2 = done->ctx_w2;
			sqe.isize = done->isize;
			sqe.checksum = done->checksum;
		}
		submit(b, 0, &sqe);
		run_all(b);
		assert_true(waits(b, 0));
		serve(b, 0, 0);
		done = take(b, 0, true);
		assert_non_null(done);
		assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
		memcpy(packed + len, bus.space[0].mem + 8 * PAGE, done->produced);
		len += done->produced;
	}
	assert_int_equal(rig_inflate(plain, sizeof(plain), packed, len, &used), 6 * PAGE);
	assert_memory_equal(plain, bus.space[0].mem, 6 * PAGE);
	board_free(b);
}

/* Lists, too, and what they name. */
static void test_list(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_sgl *sgl = (struct hisi_sgl *)bus.space[0].mem;
	struct hisi_sge *sge = (struct hisi_sge *)(sgl + 1);
	struct hisi_zip_sqe sqe;

	rig_data(bus.space[0].mem + 2 * PAGE, 4 * PAGE, RIG_TEXT);
	memset(sgl, 0, sizeof(*sgl));
	memset(sge, 0, 2 * sizeof(*sge));
	sgl->entries_nr = sgl->entries_max = 2;
	sge[0].addr = VA + 2 * PAGE;
	sge[0].len = PAGE;
	sge[1].addr = VA + 3 * PAGE;
	sge[1].len = 3 * PAGE;
	bus.space[0].page[0] = bus.space[0].page[4] = ABSENT;
	/* Both are lists: the output's is a page of its own. */
	memcpy(bus.space[0].mem + PAGE, sgl, sizeof(*sgl) + 2 * sizeof(*sge));
	sgl = (struct hisi_sgl *)(bus.space[0].mem + PAGE);
	sge = (struct hisi_sge *)(sgl + 1);
	sge[0].addr = VA + 8 * PAGE;
	sge[1].addr = VA + 9 * PAGE;
	fill_va(b, &sqe, 0, 4 * PAGE, 1, 4 * PAGE);
	sqe.req_ctrl |= HISI_ZIP_REQ_SGL;
	submit(b, 0, &sqe);
	run_all(b);
	serve(b, 0, 0);
	expect_right(b, 0, 2, 4 * PAGE, 8);
	board_free(b);
}

/* What stops a queue that waits for pages is not done before these came. */
static void stop_waiting(void **state, const char *more, unsigned int command)
{
	struct board *b = board_spaces(state, &bus, more);
	struct hisi_zip_sqe sqe;

	if (b->version < 3) {
		board_free(b);
		return;
	}
	for (unsigned int i = 0; i < QUEUES; i++) {
		bus.space[i].page[1] = ABSENT;
		fill_va(b, &sqe, 0, PAGE, 1, PAGE);
		submit(b, i, &sqe);
	}
	run_all(b);
	assert_int_equal(mailbox(b, command, false, 0, 0), MAILBOX_STUCK);
	answer(b, 0, 0, THERE);
	run_all(b);
	expect_right(b, 0, 0, PAGE, 1);
	assert_int_equal(!(rd(b, MAILBOX) & MAILBOX_BUSY), command == MB_STOP_QP);
	/* A refusal ends it as well. */
	answer(b, 1, 1, ABSENT);
	run_all(b);
	assert_int_equal(rd(b, MAILBOX) & MAILBOX_BUSY, 0);
	assert_int_equal(rd(b, MAILBOX) >> 9 & 0xf, 0);
	expect_failed(b, 1);
	board_free(b);
}

static void test_stop(void **state)
{
	stop_waiting(state, "", MB_STOP_QP);
	stop_waiting(state, "", MB_FLUSH);
	stop_waiting(state, ",strict=0", MB_STOP_QP);
	stop_waiting(state, ",strict=0", MB_FLUSH);
}

/* A reset forgets who waits; an answer that comes late is for nobody. */
static void test_reset(void **state)
{
	struct board *b = board_spaces(state, &bus, "");
	struct hisi_zip_sqe sqe;

	bus.space[0].page[1] = ABSENT;
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	run_all(b);
	reset_function(b);
	memset(b->eq, 0, EQ_DEPTH * 4);
	start_function(b);
	answer(b, 0, 0, THERE);
	run_all(b);
	assert_null(take(b, 0, true));
	assert_int_equal(bus.writes, 0);
	/* The queue's context is loaded anew while it waits. */
	board_free(b);
	b = board_spaces(state, &bus, "");
	bus.space[0].page[1] = ABSENT;
	submit(b, 0, &sqe);
	run_all(b);
	b->pasid = 9 | (b->version == 3 ? SQC_PASID : 0);
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	answer(b, 0, 0, ABSENT);
	memset(bus.space[1].mem, 'n', PAGE);
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(take(b, 0, true)->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_true(bus.space[1].mem[PAGE]);
	assert_false(bus.space[0].mem[PAGE]);
	board_free(b);
}

/* Faults are counted by requests, however often one of these is tried. */
static void test_faults(void **state)
{
	struct board *b = board_spaces(state, &bus, ",fault=error=16@2/corrupt@3/checksum@4");
	struct hisi_zip_sqe sqe, *done;
	uint32_t checksum;

	memset(bus.space[0].mem, 'f', PAGE);
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	for (int i = 0; i < 4; i++) {
		bus.space[0].page[1] = ABSENT;
		submit(b, 0, &sqe);
		run_all(b);
		assert_int_equal(waits(b, 0), i != 1); /* which fails without a look at memory */
		serve(b, 0, 0);
		if (i == 0) {
			checksum = b->queue[0].sq[0].checksum;
			expect_right(b, 0, 0, PAGE, 1);
			continue;
		}
		done = take(b, 0, true);
		assert_non_null(done);
		assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, i == 1 ? 16 : 0);
		if (i == 3)
			assert_true(done->checksum != checksum);
		if (i == 2)
			assert_int_equal(done->checksum, checksum);
	}
	board_free(b);
}

/* A late request leaves memory alone until its time, and asks for pages then. */
static void test_late(void **state)
{
	struct board *b = board_spaces(state, &bus, ",fault=late=20@1");
	struct hisi_zip_sqe sqe;
	int next;

	memset(bus.space[0].mem, 't', PAGE);
	bus.space[0].page[1] = ABSENT;
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	assert_true(!waits(b, 0) && !bus.reads);
	while ((next = emu_qm_run(b->qm)) > 0)
		usleep(1000 * next);
	run_all(b);
	assert_true(waits(b, 0));
	serve(b, 0, 0);
	expect_right(b, 0, 0, PAGE, 1);
	board_free(b);
}

/* What was under way at a reset arrives by the PASID it had, and asks nobody for pages. */
static void test_late_behind_reset(void **state)
{
	struct board *b = board_spaces(state, &bus, ",fault=late=5@1-2");
	struct hisi_zip_sqe sqe;

	memset(bus.space[0].mem, 't', PAGE);
	bus.space[1].page[1] = ABSENT;
	fill_va(b, &sqe, 0, PAGE, 1, PAGE);
	submit(b, 0, &sqe);
	submit(b, 1, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	assert_int_equal(emu_qm_run(b->qm), 0);
	reset_function(b);
	usleep(10000);
	run_all(b);
	/* The switch of version 2 is off after a reset; the request was sent before. */
	assert_true(bus.space[0].mem[PAGE]);
	assert_false(bus.space[1].mem[PAGE]);
	assert_int_equal(bus.groups, 0);
	board_free(b);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_spaces),
		VERSION_TEST(test_no_space),
		VERSION_TEST(test_pages),
		VERSION_TEST(test_denied),
		VERSION_TEST(test_denied_in_vain),
		VERSION_TEST(test_page_lost),
		VERSION_TEST(test_stream),
		VERSION_TEST(test_list),
		VERSION_TEST(test_stop),
		VERSION_TEST(test_reset),
		VERSION_TEST(test_faults),
		VERSION_TEST(test_late),
		VERSION_TEST(test_late_behind_reset),
	};
	static const struct version_test any[] = { VERSION_TEST(test_switch) };

	return RUN_VERSIONS_FROM(2, tests) + RUN_VERSIONS(any);
}
