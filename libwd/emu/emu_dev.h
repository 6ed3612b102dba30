/* SPDX-License-Identifier: Zlib */
/* The emulated device from within: its queues, its engine threads, and how the two find each other. */
#ifndef EMU_DEV_H
#define EMU_DEV_H

#include "emu.h"
#include "emu_codec.h"
#include "emu_priv.h"

#include <sys/types.h>

#define EMU_QUEUES_MAX 1024
#define EMU_LINE 64 /* bytes that move between CPUs at once */
#define EMU_SPIN_NS 20000 /* how long an engine without work looks for some before it sleeps */
#define EMU_DUE_NS 100000 /* on a device with a clock: what a sleep may be late by */

/* Forks between the first process and this one: queues of another epoch are not ours. */
extern unsigned int emu_epoch;

/* A descriptor, and what tells whether the number is another file's by now. */
struct emu_fd {
	atomic_int nr; /* -1: there is none */
	dev_t dev;
	ino_t ino;
};

/*
 * A queue pair of the device. Slots are never freed while the device exists: an engine that looks
 * at one too late finds it not running.
 */
struct emu_slot {
	/* What software writes and an engine polls has a line of its own. */
	_Alignas(EMU_LINE) atomic_uint sq_tail;
	_Alignas(EMU_LINE) atomic_uint cq_head;
	atomic_bool is_stalled; /* work waits for room in the completion ring */
	/* An engine will look at sq_tail again before it does anything that takes time. */
	_Alignas(EMU_LINE) atomic_bool is_attended;
	atomic_bool is_lent; /* the thread that sent is about to run the request itself */

	_Alignas(EMU_LINE) pthread_mutex_t lock; /* guards these, running and state */
	pthread_cond_t left;
	unsigned int visitors; /* threads that may touch rings, event or memory of requests */
	atomic_uint fetch;     /* next entry that no engine has taken; read without the lock, too */
	unsigned int head;     /* oldest entry not completed, and where its completion goes */
	unsigned int cq_seen;  /* cq_head as it was when last looked at */
	uint16_t phase;
	bool is_hung;
	bool is_armed;	     /* c_flag of the completion queue's context */
	bool *is_done;	     /* an entry was executed before an older one */
	struct emu_due *due; /* of each entry, on a device with a clock */

	_Alignas(EMU_LINE) struct emu_dev *dev;
	unsigned int nr;
	atomic_bool running;
	atomic_int state; /* enum emu_state */
	atomic_uint event;    /* futex: 1 after a completion, 0 since the queue was armed */
	atomic_uint waiters;  /* for the event */
	bool is_taken;		 /* guarded by dev->life, like what follows */
	struct emu_queue_cfg cfg;
	struct emu_fd fd; /* follows the event; none before somebody asked for it */
};

struct emu_queue {
	struct emu_slot *slot;
	unsigned int epoch;
};

struct emu_engine_thread {
	struct emu_dev *dev;
	pthread_t thread;
	bool is_started; /* guarded by dev->life */
	unsigned int position;
	struct emu_slot *last; /* the queue it served last */
	/* Held at work, by the engine's thread or by one that lends its CPU. */
	pthread_mutex_t unit;
	struct emu_zip zip;
};

struct emu_dev {
	struct emu_dev *next;
	char *name;
	unsigned int refs; /* guarded by the list's lock, as are next and name */
	struct emu_options opt;
	const struct emu_codec *codec;
	struct emu_streams *streams;
	struct emu_dma dma;
	struct emu_clock clock;
	uint64_t spin_ns;
	bool is_timed;

	pthread_mutex_t life; /* one queue start or stop at a time */
	unsigned int queues_nr;
	uint64_t starts;
	uint64_t cpu_ns; /* of threads that ended */
	struct emu_engine_thread *engine;

	pthread_mutex_t lock; /* a reset reaches every queue or none; under life */
	uint64_t gone_for;    /* refused starts until it is back */
	atomic_bool gone;
	atomic_uint generation;

	atomic_bool ending; /* engines are to end */
	_Alignas(EMU_LINE) atomic_uint spinners;
	atomic_uint sleepers;
	atomic_uint wakes; /* futex */
	_Alignas(EMU_LINE) _Atomic(uint64_t) requests;
	_Atomic(uint64_t) helped;
	_Atomic(uint64_t) faults;
	/* Queues that may have work. Whoever clears a bit looks after the queue. */
	_Alignas(EMU_LINE) _Atomic(uint64_t) ready[EMU_QUEUES_MAX / 64];
	struct emu_slot *slot;
};

/* emu_fd.c */

/* nr: what fd->nr was. */
bool emu_fd_is_ours(const struct emu_fd *fd, int nr);
/* The number of a new one, or -errno. */
int emu_fd_make(struct emu_fd *fd);
void emu_fd_close(struct emu_fd *fd);
/* One more for the descriptor's reader, or what there was taken away. */
void emu_fd_set(struct emu_fd *fd);
void emu_fd_clear(struct emu_fd *fd);

/* emu_run.c */

void *emu_engine_main(void *engine);
void emu_wake_engines(struct emu_dev *dev, int nr);
/* As the system call, with a time of CLOCK_MONOTONIC to wait until; NULL: without end. */
int emu_futex_wait(atomic_uint *word, unsigned int value, const struct timespec *end);
void emu_futex_wake(atomic_uint *word, int nr);
uint64_t emu_now_ns(void);
static inline struct timespec emu_time(uint64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}
/* Waits until nobody is at work on the queue, which is not running any more. */
void emu_slot_drain(struct emu_slot *slot);

#endif
