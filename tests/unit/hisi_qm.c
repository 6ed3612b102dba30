/* SPDX-License-Identifier: Zlib */
/* Guards the ring arithmetic and the doorbell values of the hardware reference, chapters 9 and 10. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "drv/hisi_qm.h"
#include "unit.h"

#define PAGE_LEN 4096

static const struct {
	unsigned int version, number, cmd, index, priority;
	uint64_t value;
} doorbells[] = {
	{ 2, 5, HISI_QM_DB_CMD_SQ, 3, 0, 0x0000000300000005 },
	{ 2, 5, HISI_QM_DB_CMD_CQ, 3, 1, 0x0001000300001005 },
	{ 3, 5, HISI_QM_DB_CMD_CQ, 3, 0, 0x0000000300001005 },
	{ 3, 0x3ff, HISI_QM_DB_CMD_SQ, 1023, 0, 0x000003ff000003ff },
	{ 2, 0x400, HISI_QM_DB_CMD_SQ, 0, 0, 0 },
	{ 1, 5, HISI_QM_DB_CMD_SQ, 3, 0, 0x0000000300000005 },
	{ 1, 5, HISI_QM_DB_CMD_CQ, 3, 1, 0x0001000300010005 },
	{ 1, 0xfff, HISI_QM_DB_CMD_CQ, 0, 0, 0x0000000000010fff },
};

static void test_doorbell_values(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(doorbells); i++)
		assert_int_equal(hisi_qm_doorbell(doorbells[i].version, doorbells[i].number,
						  doorbells[i].cmd, doorbells[i].index,
						  doorbells[i].priority),
				 doorbells[i].value);
}

/* A queue pair and the far end of it. */
struct pair {
	struct hisi_qm qm;
	char *mmio, *mem;
	size_t mem_len;
	unsigned int next; /* entry the device completes next */
	unsigned int phase;
};

static void pair_init(struct pair *p, unsigned int version, unsigned int depth, unsigned int limit)
{
	size_t mmio_len = HISI_QM_DB_OFFSET_V2 + PAGE_LEN;

	p->mem_len = hisi_qm_mem_len(depth, PAGE_LEN);
	p->mem = calloc(1, p->mem_len);
	p->mmio = calloc(1, mmio_len);
	assert_non_null(p->mem);
	assert_non_null(p->mmio);
	p->next = 0;
	p->phase = 1;
	assert_int_equal(hisi_qm_init(&p->qm, version, 5, depth, limit, p->mmio, mmio_len, p->mem,
				      p->mem_len),
			 0);
}

static void pair_fini(struct pair *p)
{
	free(p->mem);
	free(p->mmio);
}

static void pair_complete(struct pair *p)
{
	struct hisi_qm_cqe *cqe = (void *)(p->mem + HISI_QM_CQ_OFFSET(p->qm.depth));

	cqe += p->next;
	cqe->sq_head = p->next;
	cqe->phase = p->phase;
	if (++p->next == p->qm.depth) {
		p->next = 0;
		p->phase ^= 1;
	}
}

static uint64_t stored(const struct pair *p, size_t off)
{
	uint64_t value;

	memcpy(&value, p->mmio + off, sizeof(value));
	return value;
}

static void test_layout(void **state)
{
	struct pair p;

	/* Chapter 22.4: 37 pages for 1024 entries. */
	assert_int_equal(hisi_qm_mem_len(1024, 4096), 151552);
	assert_int_equal(hisi_qm_mem_len(1024, 65536), 262144);
	pair_init(&p, 2, 1024, 0);
	assert_ptr_equal(hisi_qm_entry(&p.qm, 1), p.mem + 128);
	assert_ptr_equal(p.qm.cq, p.mem + 0x20000);
	assert_ptr_equal(p.qm.tx_stop, p.mem + p.mem_len - 4);
	assert_ptr_equal(p.qm.rx_stop, p.mem + p.mem_len - 8);
	pair_fini(&p);
}

static void test_lengths_that_do_not_fit(void **state)
{
	static uint64_t mem[1024];
	struct hisi_qm qm;

	assert_int_equal(hisi_qm_init(&qm, 2, 0, 1, 0, mem, 0x1008, mem, sizeof(mem)), -EINVAL);
	assert_int_equal(hisi_qm_init(&qm, 2, 0, 1024, 0, mem, 0x1008, mem, sizeof(mem)), -EINVAL);
	assert_int_equal(hisi_qm_init(&qm, 2, 0, 32769, 0, mem, 0x1008, mem, SIZE_MAX), -EINVAL);
	assert_int_equal(hisi_qm_init(&qm, 2, 0, 16, 0, mem, 0x1007, mem, sizeof(mem)), -EINVAL);
	assert_int_equal(hisi_qm_init(&qm, 1, 0, 16, 0, mem, 0x347, mem, sizeof(mem)), -EINVAL);
	assert_int_equal(hisi_qm_init(&qm, 1, 0, 16, 0, mem, 0x348, mem, sizeof(mem)), 0);
}

static void test_doorbell_place(void **state)
{
	static const struct {
		unsigned int version;
		size_t off;
	} places[] = { { 1, 0x340 }, { 2, 0x1000 }, { 3, 0x1000 } };

	for (size_t i = 0; i < ARRAY_NR(places); i++) {
		struct pair p;

		pair_init(&p, places[i].version, 8, 0);
		for (unsigned int n = 0; n < 3; n++)
			hisi_qm_push(&p.qm);
		hisi_qm_ring(&p.qm, hisi_qm_sq_value(&p.qm));
		assert_int_equal(stored(&p, places[i].off), 0x0000000300000005);
		pair_fini(&p);
	}
}

static void test_limit(void **state)
{
	static const struct {
		unsigned int depth, limit, room;
	} rows[] = { { 8, 0, 7 }, { 8, 3, 3 }, { 8, 7, 7 }, { 8, 8, 7 }, { 8, 5000, 7 }, { 2, 0, 1 } };

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct pair p;

		pair_init(&p, 2, rows[i].depth, rows[i].limit);
		assert_int_equal(hisi_qm_room(&p.qm), rows[i].room);
		for (unsigned int n = 0; n < rows[i].room; n++)
			hisi_qm_push(&p.qm);
		assert_int_equal(hisi_qm_room(&p.qm), 0);
		pair_fini(&p);
	}
}

/* The phase turns with each round; a completion of the round before must not count. */
static void test_phase_over_rounds(void **state)
{
	struct pair p;

	pair_init(&p, 2, 1024, 0);
	for (unsigned int i = 0; i < 5000; i++) {
		unsigned int burst = 1 + i % 3;

		for (unsigned int n = 0; n < burst; n++)
			hisi_qm_push(&p.qm);
		assert_int_equal(hisi_qm_is_done(&p.qm), 0);
		for (unsigned int n = 0; n < burst; n++) {
			pair_complete(&p);
			assert_int_equal(hisi_qm_is_done(&p.qm), 1);
			assert_int_equal(hisi_qm_is_in_order(&p.qm), 1);
			hisi_qm_pop(&p.qm);
		}
		assert_int_equal(hisi_qm_is_done(&p.qm), 0);
		assert_int_equal(p.qm.tail, p.qm.head);
		assert_int_equal(p.qm.head, p.next);
		assert_int_equal(hisi_qm_cq_value(&p.qm, 1),
				 0x0001000000001005 | (uint64_t)p.next << 32);
	}
	pair_fini(&p);
}

static void test_order(void **state)
{
	struct pair p;

	pair_init(&p, 2, 8, 0);
	p.next = 0;
	pair_complete(&p);
	assert_int_equal(hisi_qm_is_in_order(&p.qm), 0); /* nothing was sent */
	hisi_qm_push(&p.qm);
	assert_int_equal(hisi_qm_is_in_order(&p.qm), 1);
	((struct hisi_qm_cqe *)p.qm.cq)->sq_head = 1;
	assert_int_equal(hisi_qm_is_in_order(&p.qm), 0);
	pair_fini(&p);
}

static void test_stop_words(void **state)
{
	struct pair p;
	uint32_t one = 1;

	pair_init(&p, 2, 8, 0);
	assert_int_equal(hisi_qm_tx_stopped(&p.qm) | hisi_qm_rx_stopped(&p.qm), 0);
	memcpy(p.mem + p.mem_len - 8, &one, 4);
	assert_int_equal(hisi_qm_rx_stopped(&p.qm), 1);
	assert_int_equal(hisi_qm_tx_stopped(&p.qm), 0);
	memcpy(p.mem + p.mem_len - 4, &one, 4);
	assert_int_equal(hisi_qm_tx_stopped(&p.qm), 1);
	pair_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doorbell_values),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_lengths_that_do_not_fit),
		cmocka_unit_test(test_doorbell_place),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_phase_over_rounds),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stop_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
