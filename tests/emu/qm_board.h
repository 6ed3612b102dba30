/* SPDX-License-Identifier: Zlib */
/* A board with the queue manager's model on it, and what a driver does with it. */
#ifndef QM_BOARD_H
#define QM_BOARD_H

#include "rig.h"

#include "emu/emu_qm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Registers, as a driver writes them (hardware reference, 4). */
enum {
	AEQ_SOURCE = 0x0,
	AEQ_MASK = 0x4,
	EQ_SOURCE = 0x8,
	EQ_MASK = 0xc,
	WRITE_BACK = 0x204,
	WRITE_BACK_DONE = 0x208,
	MESSAGE_SOURCE = 0x20,
	MESSAGE_MASK = 0x24,
	MESSAGE_STATUS = 0x28,
	MESSAGE_SET = 0x2c,
	MESSAGE_READY = 0x100128,
	MESSAGE_SEND = 0x100130,
	MESSAGE_TO = 0x100134,
	MESSAGE_FROM = 0x100138,
	MAILBOX = 0x300,
	DB_V1 = 0x340,
	DB_V2 = 0x1000,
	DB_EVENTS = 0x2000,
	ERROR_SOURCE = 0x100000,
	ERROR_MASK = 0x100004,
	ERROR_STATUS = 0x100008,
	MEM_INIT = 0x100040,
	MEM_INIT_DONE = 0x100044,
	VFT_OP = 0x100054,
	VFT_READY = 0x10006c,
	ZIP_ERROR_SOURCE = 0x3010a0,
	ZIP_ERROR_MASK = 0x3010a4,
	ZIP_ERROR_SET = 0x3010a8,
	ZIP_ERROR_STATUS = 0x3010ac,
	COMP_CORE_DONE = 0x30200c,
	COMP_CORE_IN = 0x302038,
	COMP_CORE_OUT = 0x302040,
	ERROR_SET = 0x10000c,
	VFT_IS_READ = 0x100058,
	COUNT_CLEAR = 0x100118,
	COUNT_DOORBELL = 0x104028,
	FIFO_INFO = 0x100010,
	DB_INFO = 0x100014,
	SHUTDOWN = 0x1040f8,
	MASTER_CTRL = 0x300000,
	MASTER_RETURN = 0x300150,
	ZIP_CONTROL = 0x30100c,
	ZIP_SHUTDOWN = 0x30120c,
};
enum {
	MB_SQC,
	MB_CQC,
	MB_EQC,
	MB_AEQC,
	MB_SQC_BT,
	MB_CQC_BT,
	MB_VFT = 6,
	MB_STOP_QP = 8,
	MB_FLUSH = 9,
	MB_SEND = 12,
	MB_RECEIVE = 13
};
enum { DB_SQ, DB_CQ, DB_EQ, DB_AEQ };

/* The memory's place in the device's view; its second half is reached by callback. */
#define IOVA	 UINT64_C(0x1234500000)
#define MEM_LEN	 (4u << 20)
#define HALF	 (MEM_LEN / 2)
#define QUEUES	 2
#define EQ_DEPTH 64

struct board {
	struct emu_qm *qm;
	unsigned int version;
	unsigned int depth;
	uint8_t *mem;
	size_t used;
	unsigned int interrupts[4];
	unsigned int reads; /* by callback */
	bool is_reading;    /* a register, in whose answer no memory may be asked for */
	uint32_t pasid;	    /* of queues that are loaded: the number, and flags from bit 16 on */
	/* Memory behind a PASID; NULL: there is none. space: its first argument. */
	int (*tagged)(void *space, const struct emu_qm_tag *tag, uint64_t iova, void *buf,
		      uint64_t len, int flag);
	void *space;
	uint32_t *eq;
	uint32_t *aeq;
	unsigned int eq_head;
	bool eq_phase;
	uint8_t *context; /* for mailboxes */
	struct {
		struct hisi_zip_sqe *sq;
		struct hisi_qm_cqe *cq;
		unsigned int tail;
		unsigned int head;
		bool phase;
	} queue[QUEUES];
};

uint32_t rd(struct board *b, uint64_t off);
void wr(struct board *b, uint64_t off, uint32_t value);
void wr64(struct board *b, uint64_t off, uint64_t value);
void *alloc(struct board *b, size_t len);
uint64_t iova_of(const struct board *b, const void *p);
/* In two halves, as an arm64 guest's store pair arrives. */
void mailbox_start(struct board *b, unsigned int command, bool is_read, unsigned int queue,
		   uint64_t base);
/* Waits for it. The status; 0: success. */
#define MAILBOX_STUCK 16
#define MAILBOX_BUSY  (1u << 13)
unsigned int mailbox(struct board *b, unsigned int command, bool is_read, unsigned int queue,
		     uint64_t base);
unsigned int load(struct board *b, unsigned int command, unsigned int queue, uint64_t base,
		  uint32_t size, uint16_t w8, uint32_t mode);
uint32_t *dump(struct board *b, unsigned int command, unsigned int queue);
void doorbell(struct board *b, unsigned int command, unsigned int queue, unsigned int index,
	      unsigned int priority);
/* Of the PF: these queues to a function; those from 0 on to itself. */
void set_vft_of(struct board *b, unsigned int function, unsigned int base, unsigned int nr);
void set_vft(struct board *b, unsigned int nr);
void start_queue(struct board *b, unsigned int n, unsigned int alg_type);
/* Event rings and queues of a function that has queues. */
void start_rings(struct board *b);
/* What a driver does in probe. */
void start_function(struct board *b);
void set_master(struct board *b, bool on);
/* A function level reset, after which the device may reach memory again. */
void reset_function(struct board *b);
struct board *board_new(const char *options, unsigned int version, unsigned int depth);
/* Another function, with memory of its own, that is not started. */
struct board *board_vf(struct board *pf);
void board_free(struct board *b);
void run_all(struct board *b);
void fill(struct board *b, struct hisi_zip_sqe *sqe, const void *src, uint32_t src_len, void *dst,
	  uint32_t dst_len);
void submit(struct board *b, unsigned int n, const struct hisi_zip_sqe *sqe);
/* The next completion's entry; NULL: there is none. */
struct hisi_zip_sqe *take(struct board *b, unsigned int n, bool is_arming);
/* The queue the next event names; -1: none. */
int take_event(struct board *b);
struct emu_qm_host board_host(struct board *b);
/* A test's state is the version it is for. */
unsigned int version_of(void **state);
struct board *board_of(void **state, unsigned int depth, const char *more);

#define RUN_VERSIONS(tests) RUN_VERSIONS_FROM(1, tests)
#define RUN_VERSIONS_FROM(first, tests)                                                            \
	run_versions(first, tests, sizeof(tests) / sizeof((tests)[0]))
struct version_test {
	const char *name;
	CMUnitTestFunction run;
};
#define VERSION_TEST(f)                                                                            \
	{                                                                                          \
#f, f                                                                              \
	}
/* All of them for each version from first on. How many failed. */
int run_versions(unsigned int first, const struct version_test *tests, size_t nr);

#endif
