/* SPDX-License-Identifier: Zlib */
/* What the parts of the emulated device share: options, faults, DMA access and the ZIP unit. */
#ifndef EMU_PRIV_H
#define EMU_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>

/* emu_fault.c */

enum emu_fault_kind {
	EMU_FAULT_NONE,
	EMU_FAULT_ERROR,
	EMU_FAULT_CHECKSUM,
	EMU_FAULT_CORRUPT,
	EMU_FAULT_SHORT,
	EMU_FAULT_HANG,
	EMU_FAULT_LATE,
	EMU_FAULT_RESET,
	EMU_FAULT_GONE,
	EMU_FAULT_BUSY,
	EMU_FAULT_LIE,
	EMU_FAULT_STOP,
};

struct emu_fault {
	enum emu_fault_kind kind;
	uint32_t arg;
	uint64_t first; /* from this event */
	uint64_t last;	/* to this one */
	uint64_t every; /* only where the event's number is a multiple of it */
};

#define EMU_FAULTS_MAX 32

struct emu_faults {
	unsigned int nr;
	struct emu_fault fault[EMU_FAULTS_MAX];
};

/* list: len characters, not terminated. 0 or -EINVAL. */
int emu_fault_parse(struct emu_faults *faults, const char *list, size_t len);
/* What happens to request n (counted from 1), to queue start n, to command n that stops queues. NULL: nothing. */
const struct emu_fault *emu_fault_request(const struct emu_faults *faults, uint64_t n);
const struct emu_fault *emu_fault_start(const struct emu_faults *faults, uint64_t n);
const struct emu_fault *emu_fault_stop(const struct emu_faults *faults, uint64_t n);

/* emu_lie.c */

enum emu_lie {
	EMU_LIE_ANY, /* one of the following, by the request's number */
	EMU_LIE_CONSUMED,
	EMU_LIE_PRODUCED,
	EMU_LIE_STATUS,
	EMU_LIE_CHECKSUM,
	EMU_LIE_CONTEXT, /* its words in the entry */
	EMU_LIE_ENTRY,	 /* a bit of any word of the entry */
	EMU_LIE_LATE,
	EMU_LIE_TWICE, /* the completion, where nothing else is in flight in the queue */
	EMU_LIES
};

extern const char emu_lie_names[EMU_LIES][12];
/* What is wrong with the result of request nr. */
enum emu_lie emu_lie_of(const struct emu_fault *fault, uint64_t nr);
void emu_lie_tell(enum emu_lie lie, uint64_t nr, struct hisi_zip_sqe *sqe);
/* How late it is, of EMU_LIE_LATE. */
unsigned int emu_lie_late_ms(uint64_t nr);

/* emu_options.c */

enum emu_engine { EMU_ENGINE_AUTO, EMU_ENGINE_ISAL, EMU_ENGINE_NULL, EMU_ENGINE_ZLIB };

struct emu_options {
	unsigned int threads;
	unsigned int qm;
	unsigned int queues;
	unsigned int vfs;    /* of the queue manager's model */
	unsigned int strict; /* the model of the queue manager: 0: forgives what silicon does not */
	unsigned int depth;
	unsigned int latency_ns;
	unsigned int mbps; /* Mbit/s of the longer side of a request; 0: as fast as it goes */
	enum emu_engine engine;
	struct emu_faults faults;
};

int emu_options_parse(struct emu_options *opt, const char *text);

/* emu_clock.c */

struct emu_slot;

/* A result that waits for its time. */
struct emu_due {
	struct emu_due *next;
	struct emu_slot *slot;
	unsigned int index;
	uint64_t at_ns;
};

/*
 * A pipelined device: any number of requests are in their latency at once, then each has the bus
 * for itself while its longer side passes.
 */
struct emu_clock {
	uint64_t latency_ns;
	uint64_t mbps;	  /* 0: no limit */
	uint64_t free_ns; /* the bus is, from then on */

	pthread_mutex_t lock; /* guards free_ns and the list; taken before a slot's */
	struct emu_due *first;
	struct emu_due *last;
	_Atomic(uint64_t) next_ns; /* of the first; UINT64_MAX: none */
};

/* When a request of this length is finished that arrived then; it has the bus until that time. */
uint64_t emu_clock_due(struct emu_clock *clock, uint64_t arrival_ns, uint64_t len);
void emu_clock_add(struct emu_clock *clock, struct emu_due *due);
/* The next that is due, or NULL. */
struct emu_due *emu_clock_take(struct emu_clock *clock, uint64_t now_ns);
/* Forgets those of the slot, of all slots for NULL. */
void emu_clock_drop(struct emu_clock *clock, const struct emu_slot *slot);

/* emu_dma.c */

struct emu_range {
	uint64_t iova;
	uint64_t len;
	uintptr_t va; /* 0: not in this process, see emu_dma.remote */
	int flags;
};

/* One per engine: what its current request may touch. */
#define EMU_DMA_USES 4
struct emu_dma_user {
	struct emu_dma *dma;
	struct emu_dma_user *next;
	unsigned int nr;
	struct {
		uint64_t iova;
		uint64_t len;
		bool is_by_all; /* not by a range */
	} use[EMU_DMA_USES];
};

struct emu_dma {
	pthread_mutex_t lock; /* guards everything here and in the users */
	pthread_cond_t released;
	struct emu_range *range; /* ascending, never overlapping */
	size_t nr;
	size_t room;
	unsigned int all_nr; /* the whole address space is mapped so many times */
	unsigned int waiting;
	struct emu_dma_user *users;
	/*
	 * Reaches memory of ranges without an address here, and all of it while is_remote, when
	 * buf may be NULL as in emu_dma_copy(). 0 or -errno. Set before the first range.
	 */
	int (*remote)(void *owner, uint64_t iova, void *buf, uint64_t len, int flag);
	void *owner;
	bool is_remote; /* at this moment; for an owner with one engine */
};

void emu_dma_init(struct emu_dma *dma);
void emu_dma_fini(struct emu_dma *dma);
void emu_dma_attach(struct emu_dma *dma, struct emu_dma_user *user);
int emu_dma_add(struct emu_dma *dma, uint64_t iova, void *va, uint64_t len, int flags);
void emu_dma_remove(struct emu_dma *dma, uint64_t iova, uint64_t len);
/* After fork, in the child: no ranges, no use. is_sound: the table was not being changed. */
void emu_dma_forget(struct emu_dma *dma, bool is_sound);

/* The memory at this address, usable until emu_dma_release(); NULL when the table denies it. */
void *emu_dma_get(struct emu_dma_user *user, uint64_t iova, uint64_t len, int flags);
/*
 * EMU_DMA_READ: to buf, EMU_DMA_WRITE: from buf, whatever pieces the memory consists of. buf NULL:
 * nothing but the question whether it may be done. 0 or -errno.
 */
int emu_dma_copy(struct emu_dma *dma, uint64_t iova, void *buf, uint64_t len, int flag);
void emu_dma_release(struct emu_dma_user *user);

/* emu_zip.c */

struct emu_codec;

/* Copies of memory that is not one piece. */
enum emu_copy { EMU_COPY_SRC, EMU_COPY_DST, EMU_COPY_CTX, EMU_COPIES };

/* One engine's ZIP unit. Not for two threads at once. */
struct emu_zip {
	const struct emu_codec *codec;
	void *work; /* the codec's */
	struct emu_dma_user dma;
	unsigned int qm;
	bool is_wary; /* somebody else may write to a request's memory meanwhile: a guest */
	int denied;   /* to the last request: EMU_DMA_READ, EMU_DMA_WRITE */
	struct {
		uint8_t *mem;
		uint64_t room;
	} copy[EMU_COPIES];
};

/* Frees what the unit itself has, the codec's work included. */
void emu_zip_fini(struct emu_zip *zip);
/* Damages a byte of the request's output. */
void emu_zip_damage(struct emu_zip *zip, const struct hisi_zip_sqe *sqe);
/* Executes one entry and fills its output fields. alg_type: HISI_ZIP_QUEUE_*. */
void emu_zip_exec(struct emu_zip *zip, unsigned int alg_type, struct hisi_zip_sqe *sqe);

static inline void emu_zip_fail(struct hisi_zip_sqe *sqe, uint32_t status)
{
	sqe->consumed = 0;
	sqe->produced = 0;
	sqe->comp_data_len = 0;
	sqe->result = status;
}

static inline uint64_t emu_addr(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

#endif
