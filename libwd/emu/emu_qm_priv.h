/* SPDX-License-Identifier: Zlib */
/* What the parts of the queue manager's model share: registers, contexts and rings. */
#ifndef EMU_QM_PRIV_H
#define EMU_QM_PRIV_H

#include "emu.h"
#include "emu_codec.h"
#include "emu_priv.h"
#include "emu_qm.h"

/* Registers in BAR 2 (hardware reference, 4 and 16). */
enum emu_qm_reg {
	REG_AEQ_SOURCE = 0x0,
	REG_AEQ_MASK = 0x4,
	REG_EQ_SOURCE = 0x8,
	REG_EQ_MASK = 0xc,
	REG_MESSAGE_SOURCE = 0x20,
	REG_MESSAGE_MASK = 0x24,
	REG_MESSAGE_STATUS = 0x28,
	REG_MESSAGE_SET = 0x2c,
	REG_ISOLATION = 0x30,
	REG_WRITE_BACK = 0x204,
	REG_WRITE_BACK_DONE = 0x208,
	REG_SUB_VERSION = 0x210,
	REG_MAILBOX = 0x300,
	REG_MAILBOX_LOW = 0x304,
	REG_MAILBOX_HIGH = 0x308,
	REG_MAILBOX_END = 0x30c,
	REG_DOORBELL_V1 = 0x340,
	REG_DOORBELL = 0x1000,
	REG_DOORBELL_EVENTS = 0x2000,
	REG_CAPS = 0x3100,
	REG_CAPS_END = 0x3180,
	REG_FUNCTION_END = 0x10000,
	REG_ERROR_SOURCE = 0x100000,
	REG_ERROR_MASK = 0x100004,
	REG_ERROR_STATUS = 0x100008,
	REG_ERROR_SET = 0x10000c,
	REG_FIFO_INFO = 0x100010,
	REG_DB_INFO = 0x100014,
	REG_MEM_INIT = 0x100040,
	REG_MEM_INIT_DONE = 0x100044,
	REG_VFT_OP = 0x100054,
	REG_VFT_IS_READ = 0x100058,
	REG_VFT_TYPE = 0x10005c,
	REG_VFT_FUNCTION = 0x100060,
	REG_VFT_LOW = 0x100064,
	REG_VFT_HIGH = 0x100068,
	REG_VFT_READY = 0x10006c,
	REG_COUNT_CLEAR = 0x100118,
	REG_MESSAGE_READY = 0x100128,
	REG_MESSAGE_SEND = 0x100130,
	REG_MESSAGE_TO = 0x100134,
	REG_MESSAGE_FROM = 0x100138,
	REG_QUEUES = 0x100158,
	REG_COUNT_MAILBOX = 0x104018,
	REG_COUNT_DOORBELL = 0x104028,
	REG_COUNT_SENT = 0x104050,
	REG_COUNT_BACK = 0x104058,
	REG_COUNT_DONE = 0x104060,
	REG_IDLE = 0x1040e4,
	REG_SHUTDOWN = 0x1040f8,
	REG_COUNT_CQE = 0x104100,
	REG_COUNT_EQE = 0x104104,
	REG_COUNT_AEQE = 0x104108,
	REG_MASTER_CTRL = 0x300000,
	REG_MASTER_RETURN = 0x300150,
	REG_ZIP_COUNT_CLEAR = 0x301000,
	REG_ZIP_CONTROL = 0x30100c,
	REG_ZIP_ERROR_SOURCE = 0x3010a0,
	REG_ZIP_ERROR_MASK = 0x3010a4,
	REG_ZIP_ERROR_SET = 0x3010a8,
	REG_ZIP_ERROR_STATUS = 0x3010ac,
	REG_ZIP_DATA_RUSER = 0x301128,
	REG_ZIP_DATA_WUSER = 0x301134,
	REG_ZIP_SVA_TRANS = 0x3011c4,
	REG_ZIP_SHUTDOWN = 0x30120c,
	REG_ZIP_COMP_CORE = 0x302000,
	REG_ZIP_DECOMP_CORE = 0x304000,
	REG_ZIP_CORES_END = 0x30a000,
	REG_END = 0x400000,
};

/* Bits of the error sources, 14.1 and 14.2. */
#define ERROR_AXI_READ	     (1u << 0)
#define ERROR_AXI_WRITE	     (1u << 1)
#define ERROR_CQ_INVALID     (1u << 8)
#define ERROR_SQ_INVALID     (1u << 9)
#define ERROR_DB_TIMEOUT     (1u << 10)
#define ERROR_FIFO_OVERFLOW  (1u << 11)
#define ERROR_DB_RANDOM	     (1u << 12)
#define ERROR_FLR_TIMEOUT    (1u << 14)
#define ERROR_ZIP_ECC_2BIT   (1u << 1)
#define ERROR_ZIP_AXI_READ   (1u << 2)
#define ERROR_ZIP_AXI_WRITE  (1u << 3)
#define ERROR_ZIP_SVA	     (1u << 12)
#define ZIP_CONTROL_SHUTDOWN (1u << 14)

/* A context, as memory has it: chapter 8. */
struct emu_qm_context {
	uint16_t head;
	uint16_t tail;
	uint32_t base_l;
	uint32_t base_h;
	uint32_t size;	 /* depth - 1 and, from bit 12 on, the entry's binary logarithm */
	uint16_t random; /* version 1: depth - 1 */
	uint16_t reserved0;
	uint16_t pasid;
	uint16_t flags;
	uint32_t mode; /* SQ: 27:24 algorithm type; CQ: phase, arm; EQ, AEQ: depth - 1, phase */
	uint32_t reserved1;
};

#define CONTEXT_TAIL_WRAPPED  (1u << 6)	 /* flags */
#define CONTEXT_SQ_PASID      (1u << 7)	 /* flags */
#define CONTEXT_SQ_DISABLED   (1u << 22) /* mode */
#define CONTEXT_SQ_TYPE_SHIFT 24	 /* mode */
#define CONTEXT_CQ_PHASE      (1u << 0)
#define CONTEXT_CQ_ARMED      (1u << 1)
#define CONTEXT_EQ_PHASE      (1u << 16)

struct emu_qm_ring {
	struct emu_qm_context context; /* as it was loaded */
	uint64_t base;
	uint32_t depth;
	uint32_t head; /* the consumer's */
	uint32_t tail;
	bool is_loaded;
	bool is_wrapped; /* the tail, an odd number of times */
	bool phase;	 /* of the next entry; not of the SQ */
	bool is_armed;	 /* the next entry is told of; not of the SQ */
};

/* A queue pair. */
struct emu_qm_pair {
	struct emu_qm_ring sq;
	struct emu_qm_ring cq;
	unsigned int alg_type;
	bool is_hung;
	bool is_stopping; /* takes no more requests */
	/* The oldest request, taken out of the ring, without a result yet. */
	bool is_begun;
	bool is_paged;		/* it waits for pages */
	bool is_final;		/* and does not ask again, for they will not come */
	uint64_t held_until_ns; /* 0: not held */
	uint64_t nr;		/* of all that were executed */
	const struct emu_fault *fault;
	struct hisi_zip_sqe sqe;
};

/* A request that is under way while its queue is not what it was any more. */
struct emu_qm_orphan {
	uint64_t at_ns; /* 0: there is none */
	unsigned int alg_type;
	struct emu_qm_tag tag;
	uint64_t sqe_iova;
	uint64_t cqe_iova;
	struct hisi_zip_sqe sqe;
	struct hisi_qm_cqe cqe;
};
#define EMU_QM_ORPHANS	   16

#define EMU_QM_FUNCTIONS   64
#define EMU_QM_VFT_TYPES   3
#define EMU_QM_CONFIG_USED 0x280

/*
 * A function. What is the controller's is the PF's: see emu_qm_reg() for its registers, and
 * is_shut, master, vft, executed.
 */
struct emu_qm {
	struct emu_qm *pf;			   /* itself, of the PF */
	struct emu_qm *function[EMU_QM_FUNCTIONS]; /* of the PF, itself included; NULL: none */
	unsigned int number;			   /* 0: the PF */
	struct emu_qm_host host;
	struct emu_options opt;
	unsigned int flags;
	unsigned int queues_max; /* of the controller */
	/* Into the model, at this moment: what is read in a host's dma() changes nothing. */
	unsigned int calls;
	bool is_gone;
	bool is_shut; /* an error closed the way to memory */
	struct {
		bool is_closed;	  /* by the driver */
		bool is_asked;	  /* for what is under way, since then */
		bool is_returned; /* and it was told that there is nothing */
	} master;
	struct {
		bool is_busy;
		uint64_t at_ns; /* then it is done, or when somebody asked for it */
	} write_back;
	struct emu_qm_orphan orphan[EMU_QM_ORPHANS];
	uint8_t config[EMU_QM_CONFIG_LEN];
	uint8_t config_mask[EMU_QM_CONFIG_USED]; /* writable bits */
	uint32_t *reg;				 /* BAR 2 */
	uint64_t vft[EMU_QM_VFT_TYPES][EMU_QM_FUNCTIONS * 4];
	unsigned int queues_nr; /* of the function, by its VFT */
	struct emu_qm_ring eq;
	struct emu_qm_ring aeq;
	struct emu_qm_pair *pair;
	unsigned int next;  /* pair to look at first */
	uint64_t sqc_table; /* where contexts are written back to; 0: nowhere */
	uint64_t cqc_table;
	uint64_t message[EMU_QM_FUNCTIONS]; /* from that function */
	uint64_t executed;		    /* requests of all functions */
	struct {
		bool is_busy;	   /* the command in the registers is under way */
		bool is_executed;  /* at this moment */
		bool is_read;	   /* somebody saw that */
		uint64_t until_ns; /* it takes that long at least */
		uint64_t stops;	   /* commands that stop queues, so far */
	} mailbox;
	struct emu_dma dma;
	struct emu_qm_tag tag; /* of the request that is executed, where dma.is_remote */
	bool is_paged;	       /* and it waits for pages */
	struct emu_zip zip;
	struct emu_streams *streams;
	struct emu_qm_stats stats;
};

static inline uint32_t *emu_qm_reg(struct emu_qm *qm, uint32_t off)
{
	return &(off < REG_FUNCTION_END ? qm : qm->pf)->reg[off / sizeof(uint32_t)];
}

/* emu_qm.c */

/* Each queue has a page of so many bytes in BAR 4. */
#define EMU_QM_DB_PAGE 0x10000
void emu_qm_msi(struct emu_qm *qm, unsigned int vector);
/* The memory of contexts is initialised: of the PF that of all functions, and their tables. */
void emu_qm_forget(struct emu_qm *qm);
/* As by the config space: what is on its way is not stopped by it. */
void emu_qm_function_reset(struct emu_qm *qm);

/* emu_qm_config.c */

void emu_qm_reset_config(struct emu_qm *qm);
/* Are transactions sent on their way to memory, where they may fail? */
bool emu_qm_is_open(const struct emu_qm *qm);
/* May the device reach memory? */
bool emu_qm_is_master(const struct emu_qm *qm);

/* emu_qm_regs.c */

void emu_qm_reset_registers(struct emu_qm *qm);
/* Latches device errors; tells of them where they are not masked. */
void emu_qm_error(struct emu_qm *qm, uint32_t qm_bits, uint32_t zip_bits);
/* The function's entry in the table of queues was changed. */
void emu_qm_count_queues(struct emu_qm *qm);

/* emu_qm_message.c */

/* Values between PF and VFs, each told of by an interrupt (hardware reference, 14.5). */
void emu_qm_message_put(struct emu_qm *qm, unsigned int to, uint64_t value);
/* A register of them was written. False: it is none. */
bool emu_qm_message_act(struct emu_qm *qm, uint32_t off, uint32_t old);

/* emu_qm_context.c */

/* Mailbox commands (hardware reference, 6). */
enum {
	MB_SQC = 0x0,
	MB_CQC = 0x1,
	MB_EQC = 0x2,
	MB_AEQC = 0x3,
	MB_SQC_BT = 0x4,
	MB_CQC_BT = 0x5,
	MB_VFT = 0x6,
	MB_STOP_QP = 0x8,
	MB_FLUSH = 0x9,
	MB_SEND = 0xc,
	MB_RECEIVE = 0xd,
	MB_PAUSE = 0xe,
};

/* MB_SQC to MB_AEQC. 0 or -errno. */
int emu_qm_context_command(struct emu_qm *qm, unsigned int command, bool is_read,
			   unsigned int queue, uint64_t base);

/* Has contexts of the pair that the device has not from the base tables, if they are any. */
void emu_qm_context_fetch(struct emu_qm *qm, unsigned int queue);
/* Writes all contexts to the base tables. */
void emu_qm_write_back(struct emu_qm *qm);

/* emu_qm_data.c */

/* As emu_dma.remote. */
int emu_qm_remote(void *owner, uint64_t iova, void *buf, uint64_t len, int flag);
/* By which PASID the pair reaches its memory; -1: by none. */
int emu_qm_pasid(struct emu_qm *qm, const struct emu_qm_pair *pair);
/*
 * Executes a request; the bus is told of where memory was out of reach. tag: pasid -1 where it has
 * none. 0, or -EAGAIN: nothing has happened, for it waits for pages.
 */
int emu_qm_execute_data(struct emu_qm *qm, const struct emu_qm_tag *tag, unsigned int alg_type,
			struct hisi_zip_sqe *sqe);
void emu_qm_damage_data(struct emu_qm *qm, const struct emu_qm_tag *tag,
			const struct hisi_zip_sqe *sqe);

/* emu_qm_flight.c */

/* The driver closes the master or opens it. */
void emu_qm_close_master(struct emu_qm *qm, bool is_closed);
/* MASTER_RETURN: 3 when nothing is under way. */
uint32_t emu_qm_returned(struct emu_qm *qm);
void emu_qm_write_back_start(struct emu_qm *qm);
/* CACHE_WB_DONE */
uint32_t emu_qm_write_back_done(struct emu_qm *qm);
/*
 * The pair's context is replaced or lost: what it has under way goes on without it, but what waits
 * for pages ends.
 */
void emu_qm_orphan(struct emu_qm *qm, struct emu_qm_pair *pair);
/* A reset: what is under way ends if it is behind a closed master, from which all has returned. */
void emu_qm_flight_end(struct emu_qm *qm);
/* Nothing is under way any more. */
void emu_qm_flight_reset(struct emu_qm *qm);

/* emu_qm_mailbox.c */

/* The mailbox was written to its end. */
void emu_qm_mailbox(struct emu_qm *qm);
/* Its first word is going to be read. */
void emu_qm_mailbox_read(struct emu_qm *qm);
/* The command under way may be ready. */
void emu_qm_mailbox_advance(struct emu_qm *qm);
void emu_qm_mailbox_reset(struct emu_qm *qm);

/* emu_qm_ring.c */

/* 0 or -EIO, which is an error of the device; but while its master is shut nothing is sent. */
int emu_qm_dma_read(struct emu_qm *qm, uint64_t iova, void *buf, size_t len);
int emu_qm_dma_write(struct emu_qm *qm, uint64_t iova, const void *buf, size_t len);
uint64_t emu_qm_now_ns(void);
/* Is there anything left that will or may have a result? */
bool emu_qm_is_idle(const struct emu_qm_pair *pair);
/* Executes what the queue has, late or not. False: not all of it has a result. */
bool emu_qm_drain(struct emu_qm *qm, struct emu_qm_pair *pair);
/* Forgets contexts and what is in flight. */
void emu_qm_drop_pairs(struct emu_qm *qm);
void emu_qm_doorbell(struct emu_qm *qm, unsigned int command, unsigned int queue,
		     unsigned int random, unsigned int index, unsigned int priority);
/* An event mask was changed. */
void emu_qm_unmask(struct emu_qm *qm);

#endif
