// SPDX-License-Identifier: Zlib
/*
 * Requests of the emulated device, from the doorbell to the completion.
 *
 * Entries of a queue are taken in ring order, by as many engines as are free, and completed in ring
 * order (hardware reference, 9). A doorbell that finds no engine looking sets the queue's ready
 * bit. A ready bit that is set means that an engine is awake and will take it, which holds because
 *   - whoever sets it then wakes an engine, unless none sleeps or one is spinning;
 *   - an engine looks at the bits again after it has left the spinners or joined the sleepers.
 * All of it rests on one side storing before it loads, and the other side too, so that one of them
 * sees the other: such stores are sequentially consistent, and a comment says so.
 */
#include "emu_dev.h"

#include <limits.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPIN_BATCH 32  /* looks for work between two looks at the time */
/* Requests that an engine runs of one queue before it looks at the others. */
#define TURN 16

/* An entry that an engine has taken. */
struct claim {
	unsigned int index;
	uint64_t nr; /* of all requests, from 1 */
	const struct emu_fault *fault;
	enum emu_lie lie; /* where that is the fault */
	struct hisi_zip_sqe sqe;
};

uint64_t emu_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}

/* Events and wake-ups */

static void slot_signal(struct emu_slot *slot)
{
	/* Sequentially consistent, like those who come to wait, or to make a descriptor. */
	atomic_store(&slot->event, 1);
	if (atomic_load(&slot->waiters))
		emu_futex_wake(&slot->event, INT_MAX);
	if (atomic_load(&slot->fd.nr) >= 0)
		emu_fd_set(&slot->fd);
}

static void slot_arm(struct emu_slot *slot)
{
	bool is_late;

	if (atomic_load(&slot->state) != EMU_OK)
		return;
	if (atomic_exchange(&slot->event, 0) && atomic_load(&slot->fd.nr) >= 0)
		emu_fd_clear(&slot->fd);
	pthread_mutex_lock(&slot->lock);
	/*
	 * A completion beyond the head that was written before this would never be told of
	 * (hardware reference, 11); neither would a reset that came in between.
	 */
	is_late = slot->head != atomic_load(&slot->cq_head) || atomic_load(&slot->state) != EMU_OK;
	slot->is_armed = !is_late;
	pthread_mutex_unlock(&slot->lock);
	if (is_late)
		slot_signal(slot);
}

int emu_futex_wait(atomic_uint *word, unsigned int value, const struct timespec *end)
{
	long ret = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value, end, NULL,
		FUTEX_BITSET_MATCH_ANY);

	/* Too late, another value, a signal: as it should be. */
	return ret && errno != ETIMEDOUT && errno != EAGAIN && errno != EINTR ? -EPERM : 0;
}

void emu_futex_wake(atomic_uint *word, int nr)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, nr);
}

void emu_wake_engines(struct emu_dev *dev, int nr)
{
	atomic_fetch_add(&dev->wakes, 1);
	emu_futex_wake(&dev->wakes, nr);
}

/* After work was made visible: an engine that spins will see it, else one is woken. */
static void wake_for_work(struct emu_dev *dev)
{
	if (atomic_load(&dev->sleepers) && !atomic_load(&dev->spinners))
		emu_wake_engines(dev, 1);
}

/* The queue has work: sees to it that an engine comes. */
static void set_ready(struct emu_slot *slot)
{
	_Atomic(uint64_t) *word = &slot->dev->ready[slot->nr / 64];
	const uint64_t mask = UINT64_C(1) << slot->nr % 64;

	/* Whoever is to clear the bit looks at the queue after that. */
	if (atomic_load(word) & mask)
		return;
	atomic_fetch_or(word, mask);
	wake_for_work(slot->dev);
}

static bool is_any_ready(struct emu_dev *dev)
{
	for (unsigned int i = 0; i < (dev->opt.queues + 63) / 64; i++)
		if (atomic_load(&dev->ready[i]))
			return true;
	return false;
}

/* Takes the next ready queue behind *position. NULL: none. */
static struct emu_slot *take_ready(struct emu_dev *dev, unsigned int *position)
{
	const unsigned int words = (dev->opt.queues + 63) / 64;
	const unsigned int first = *position / 64;

	for (unsigned int i = 0; i <= words; i++) {
		const unsigned int word = (first + i) % words;
		uint64_t bits = atomic_load(&dev->ready[word]);

		if (i == 0)
			bits &= UINT64_MAX << *position % 64;
		while (bits) {
			const unsigned int bit = __builtin_ctzll(bits);
			const uint64_t mask = UINT64_C(1) << bit;

			/* Cleared before the queue is looked at: see set_ready(). */
			if (atomic_fetch_and(&dev->ready[word], ~mask) & mask) {
				*position = (word * 64 + bit + 1) % (words * 64);
				return &dev->slot[word * 64 + bit];
			}
			bits &= ~mask;
		}
	}
	return NULL;
}

/* Failures of the whole device */

static void kill_queues(struct emu_dev *dev, enum emu_state state)
{
	pthread_mutex_lock(&dev->lock);
	atomic_fetch_add(&dev->generation, 1);
	for (unsigned int i = 0; i < dev->opt.queues; i++) {
		struct emu_slot *slot = &dev->slot[i];

		pthread_mutex_lock(&slot->lock);
		if (atomic_load(&slot->running)) {
			atomic_store(&slot->state, state);
			__atomic_store_n(slot->cfg.tx_stop, 1, __ATOMIC_RELEASE);
			__atomic_store_n(slot->cfg.rx_stop, 1, __ATOMIC_RELEASE);
			slot_signal(slot);
		}
		pthread_mutex_unlock(&slot->lock);
	}
	pthread_mutex_unlock(&dev->lock);
}

static void make_gone(struct emu_dev *dev, uint32_t back_after)
{
	pthread_mutex_lock(&dev->lock);
	dev->gone_for = back_after;
	atomic_store(&dev->gone, true);
	pthread_mutex_unlock(&dev->lock);
	kill_queues(dev, EMU_GONE);
}

/* The queue's entries, under its lock */

static unsigned int next_index(const struct emu_slot *slot, unsigned int index)
{
	return index + 1 == slot->cfg.depth ? 0 : index + 1;
}

/* Is there an entry that may be taken? */
static bool has_work(struct emu_slot *slot)
{
	const unsigned int fetch = atomic_load_explicit(&slot->fetch, memory_order_relaxed);
	const unsigned int next = next_index(slot, fetch);

	if (!atomic_load_explicit(&slot->running, memory_order_relaxed) || slot->is_hung ||
	    atomic_load_explicit(&slot->state, memory_order_relaxed) != EMU_OK)
		return false;
	/* Sequentially consistent, like the store in the doorbell. */
	if (fetch == atomic_load(&slot->sq_tail) || next == slot->head)
		return false;
	/* Never over a completion that was not taken. */
	if (next != slot->cq_seen)
		return true;
	/* Said before the head is looked at: the doorbell stores first and looks then. */
	atomic_store(&slot->is_stalled, true);
	slot->cq_seen = atomic_load(&slot->cq_head);
	if (next == slot->cq_seen)
		return false;
	atomic_store_explicit(&slot->is_stalled, false, memory_order_relaxed);
	return true;
}

static const struct hisi_zip_sqe *entry(const struct emu_slot *slot, unsigned int index)
{
	return (const struct hisi_zip_sqe *)slot->cfg.sq + index;
}

static bool take(struct emu_slot *slot, struct claim *claim)
{
	struct emu_dev *dev = slot->dev;

	if (!has_work(slot))
		return false;
	claim->index = atomic_load_explicit(&slot->fetch, memory_order_relaxed);
	atomic_store_explicit(&slot->fetch, next_index(slot, claim->index), memory_order_relaxed);
	claim->nr = atomic_fetch_add_explicit(&dev->requests, 1, memory_order_relaxed) + 1;
	claim->fault = dev->opt.faults.nr ? emu_fault_request(&dev->opt.faults, claim->nr) : NULL;
	claim->lie = claim->fault && claim->fault->kind == EMU_FAULT_LIE ?
			     emu_lie_of(claim->fault, claim->nr) : EMU_LIE_ANY;
	memcpy(&claim->sqe, entry(slot, claim->index), sizeof(claim->sqe));
	return true;
}

/* Writes the completions that are next in order. True: the event is due. */
static bool complete(struct emu_slot *slot, unsigned int index)
{
	bool is_due = false;

	/* What was in flight when the device died is lost. */
	if (atomic_load_explicit(&slot->state, memory_order_relaxed) != EMU_OK)
		return false;
	slot->is_done[index] = true;
	while (slot->is_done[slot->head]) {
		struct hisi_qm_cqe *cqe = (struct hisi_qm_cqe *)slot->cfg.cq + slot->head;

		slot->is_done[slot->head] = false;
		cqe->sq_head = slot->head;
		cqe->sq_num = slot->nr;
		/* Software that sees the phase must see output, entry and the rest of this, too. */
		__atomic_store_n(&cqe->phase, slot->phase, __ATOMIC_RELEASE);
		slot->head = next_index(slot, slot->head);
		if (!slot->head)
			slot->phase ^= HISI_QM_CQE_PHASE;
		is_due = true;
	}
	is_due &= slot->is_armed;
	if (is_due)
		slot->is_armed = false;
	return is_due;
}

/*
 * A lie: the latest completion once more, where the next one belongs. Of no use to anybody while another
 * request is there, whose memory would count as free.
 */
static void complete_again(struct emu_slot *slot, unsigned int index)
{
	struct hisi_qm_cqe *cqe = (struct hisi_qm_cqe *)slot->cfg.cq + slot->head;

	if (slot->head != next_index(slot, index) || slot->head != atomic_load(&slot->sq_tail) ||
	    atomic_load_explicit(&slot->state, memory_order_relaxed) != EMU_OK)
		return;
	cqe->sq_head = index;
	cqe->sq_num = slot->nr;
	__atomic_store_n(&cqe->phase, slot->phase, __ATOMIC_RELEASE);
}

/* Requests */

/* Returns at that time, or when the queue is being stopped. */
static void hold_until(struct emu_slot *slot, uint64_t end_ns)
{
	for (;;) {
		uint64_t now = emu_now_ns();

		if (now >= end_ns || !atomic_load(&slot->running))
			return;
		if (end_ns - now > EMU_DUE_NS) {
			uint64_t ns = end_ns - now - EMU_DUE_NS / 2;
			struct timespec ts = { 0, ns < 1000000 ? ns : 1000000 };

			nanosleep(&ts, NULL);
		} else {
			cpu_relax();
		}
	}
}

static void execute_with(struct emu_zip *zip, struct emu_slot *slot, struct claim *claim)
{
	struct hisi_zip_sqe *sqe = &claim->sqe;
	const struct emu_fault *fault = claim->fault;

	switch (fault->kind) {
	case EMU_FAULT_ERROR:
		emu_zip_fail(sqe, fault->arg);
		return;
	case EMU_FAULT_SHORT:
		emu_zip_fail(sqe, HISI_ZIP_DST_FULL);
		return;
	default:
		emu_zip_exec(zip, slot->cfg.alg_type, sqe);
	}
	if (fault->kind == EMU_FAULT_CHECKSUM)
		sqe->checksum ^= 0x00010000;
	if (fault->kind == EMU_FAULT_CORRUPT)
		emu_zip_damage(zip, sqe);
	if (fault->kind == EMU_FAULT_LIE)
		emu_lie_tell(claim->lie, claim->nr, sqe);
	if (fault->kind == EMU_FAULT_LATE)
		hold_until(slot, emu_now_ns() + fault->arg * UINT64_C(1000000));
	if (claim->lie == EMU_LIE_LATE)
		hold_until(slot, emu_now_ns() + emu_lie_late_ms(claim->nr) * UINT64_C(1000000));
}

/* What happens to the whole queue or device. True: this request has no result. */
static bool is_lost(struct emu_slot *slot, const struct emu_fault *fault)
{
	switch (fault->kind) {
	case EMU_FAULT_HANG:
		pthread_mutex_lock(&slot->lock);
		slot->is_hung = true;
		pthread_mutex_unlock(&slot->lock);
		return true;
	case EMU_FAULT_RESET:
		kill_queues(slot->dev, EMU_RESET);
		return true;
	case EMU_FAULT_GONE:
		make_gone(slot->dev, fault->arg);
		return true;
	default:
		return false;
	}
}

/* Executes and writes the entry back. False: it is lost. */
static bool run(struct emu_zip *zip, struct emu_slot *slot, struct claim *claim)
{
	if (claim->fault) {
		atomic_fetch_add(&slot->dev->faults, 1);
		if (is_lost(slot, claim->fault))
			return false;
		execute_with(zip, slot, claim);
	} else {
		emu_zip_exec(zip, slot->cfg.alg_type, &claim->sqe);
	}
	memcpy((struct hisi_zip_sqe *)slot->cfg.sq + claim->index, &claim->sqe,
	       sizeof(claim->sqe));
	return true;
}

/* On a device with a clock: the result waits for its time. */
static void put_off(struct emu_slot *slot, const struct claim *claim)
{
	struct emu_clock *clock = &slot->dev->clock;
	const struct hisi_zip_sqe *sqe = &claim->sqe;
	struct emu_due *due = &slot->due[claim->index];

	pthread_mutex_lock(&clock->lock);
	due->slot = slot;
	due->index = claim->index;
	/* Until now it was the time of arrival. */
	due->at_ns = emu_clock_due(clock, due->at_ns,
				   sqe->consumed > sqe->produced ? sqe->consumed : sqe->produced);
	emu_clock_add(clock, due);
	pthread_mutex_unlock(&clock->lock);
}

/* Completes what is due by now. */
static void release_due(struct emu_dev *dev)
{
	struct emu_clock *clock = &dev->clock;
	struct emu_due *due;
	uint64_t now;

	if (atomic_load(&clock->next_ns) == UINT64_MAX)
		return;
	now = emu_now_ns();
	if (atomic_load(&clock->next_ns) > now)
		return;
	/* Held throughout: a queue that stops waits for this, then takes its results away. */
	pthread_mutex_lock(&clock->lock);
	while ((due = emu_clock_take(clock, now))) {
		bool is_event;

		pthread_mutex_lock(&due->slot->lock);
		is_event = atomic_load(&due->slot->running) && complete(due->slot, due->index);
		pthread_mutex_unlock(&due->slot->lock);
		if (is_event)
			slot_signal(due->slot);
	}
	pthread_mutex_unlock(&clock->lock);
}

/* Engines */

/* Runs up to max requests of the queue. How many it ran. */
static unsigned int serve(struct emu_zip *zip, struct emu_slot *slot, unsigned int max)
{
	struct emu_dev *dev = slot->dev;
	struct claim claim;
	unsigned int nr;
	bool is_more;

	pthread_mutex_lock(&slot->lock);
	slot->visitors++;
	for (nr = 0; nr < max && take(slot, &claim); nr++) {
		bool is_event = false;

		/* A doorbell that misses this is not missed: the tail is looked at after the run. */
		if (atomic_load_explicit(&slot->is_attended, memory_order_relaxed))
			atomic_store_explicit(&slot->is_attended, false, memory_order_release);
		is_more = has_work(slot);
		pthread_mutex_unlock(&slot->lock);
		/* The next entry is for another engine, if there is one. */
		if (is_more)
			set_ready(slot);
		if (!run(zip, slot, &claim)) {
			pthread_mutex_lock(&slot->lock);
			continue;
		}
		if (dev->is_timed) {
			put_off(slot, &claim);
			release_due(dev);
			pthread_mutex_lock(&slot->lock);
			continue;
		}
		pthread_mutex_lock(&slot->lock);
		/* Seen at the latest with the completion, which is a later store. */
		if (nr + 1 < max && !has_work(slot))
			atomic_store_explicit(&slot->is_attended, true, memory_order_relaxed);
		is_event = complete(slot, claim.index);
		if (claim.lie == EMU_LIE_TWICE)
			complete_again(slot, claim.index);
		if (is_event) {
			pthread_mutex_unlock(&slot->lock);
			slot_signal(slot);
			pthread_mutex_lock(&slot->lock);
		}
	}
	is_more = has_work(slot);
	if (!--slot->visitors && !atomic_load(&slot->running))
		pthread_cond_broadcast(&slot->left);
	pthread_mutex_unlock(&slot->lock);
	if (is_more)
		set_ready(slot);
	return nr;
}

/* No engine is at the queue any more: what came meanwhile has to be told of. */
static void leave(struct emu_slot *slot)
{
	bool is_more;

	/* Sequentially consistent, before the tail is looked at: see emu_queue_doorbell(). */
	atomic_store(&slot->is_attended, false);
	pthread_mutex_lock(&slot->lock);
	is_more = has_work(slot);
	pthread_mutex_unlock(&slot->lock);
	if (is_more)
		set_ready(slot);
}

/* A result is due before an engine that sleeps could be back. */
static bool is_due_soon(struct emu_dev *dev, uint64_t now)
{
	return dev->is_timed && atomic_load(&dev->clock.next_ns) < now + EMU_DUE_NS;
}

/* Until when an engine may sleep for the clock's sake; NULL: without end. */
static const struct timespec *until_due(struct emu_dev *dev, struct timespec *end)
{
	const uint64_t next_ns = dev->is_timed ? atomic_load(&dev->clock.next_ns) : UINT64_MAX;

	if (next_ns == UINT64_MAX)
		return NULL;
	*end = emu_time(next_ns - dev->spin_ns / 2);
	return end;
}

/*
 * Something is to be done at the queue, or soon was. Without the lock, so only a hint. What its own
 * caller is about to run does not count, or a loop of such calls would keep the engine awake.
 */
static bool has_news(const struct emu_slot *slot)
{
	return atomic_load_explicit(&slot->sq_tail, memory_order_relaxed) !=
		       atomic_load_explicit(&slot->fetch, memory_order_relaxed) &&
	       !atomic_load_explicit(&slot->is_lent, memory_order_relaxed);
}

/*
 * Looks for work for a while, one engine at a time, at the ready bits and at the queue it served
 * last: what a doorbell stores is seen there at once. The queue to serve, or NULL. Gives its CPU to
 * nobody meanwhile: sched_yield() is a system call that a sandbox of the program's may forbid, and to
 * sleep for no time at all takes 20 to 80 us.
 */
static struct emu_slot *spin(struct emu_engine_thread *engine)
{
	struct emu_dev *dev = engine->dev;
	struct emu_slot *last = engine->last;
	struct emu_slot *found = NULL;

	if (atomic_fetch_add(&dev->spinners, 1) == 0 && dev->spin_ns) {
		uint64_t now = emu_now_ns(), end_ns = now + dev->spin_ns;

		/* From here on a doorbell tells nobody; leave() looks what came meanwhile. */
		if (last)
			atomic_store_explicit(&last->is_attended, true, memory_order_relaxed);
		do {
			if (dev->is_timed)
				release_due(dev);
			for (int i = 0; i < SPIN_BATCH && !found; i++) {
				if (last && has_news(last))
					found = last;
				else if (is_any_ready(dev))
					found = take_ready(dev, &engine->position);
				else
					cpu_relax();
			}
			now = emu_now_ns();
		} while (!found && !atomic_load(&dev->ending) &&
			 (now < end_ns || is_due_soon(dev, now)));
	}
	atomic_fetch_sub(&dev->spinners, 1);
	return found;
}

static void engine_sleep(struct emu_dev *dev)
{
	const unsigned int wakes = atomic_load(&dev->wakes);
	struct timespec end;

	atomic_fetch_add(&dev->sleepers, 1);
	/* A doorbell before the line above woke nobody. */
	if (!is_any_ready(dev) && !atomic_load(&dev->ending))
		emu_futex_wait(&dev->wakes, wakes, until_due(dev, &end));
	atomic_fetch_sub(&dev->sleepers, 1);
}

void *emu_engine_main(void *arg)
{
	struct emu_engine_thread *engine = arg;
	struct emu_dev *dev = engine->dev;

	/* Not the program's name, by which somebody may look for its own threads. */
	prctl(PR_SET_NAME, "zwd-emu");
	engine->last = NULL;
	while (!atomic_load(&dev->ending)) {
		struct emu_slot *slot = take_ready(dev, &engine->position);
		unsigned int nr;

		if (!slot)
			slot = spin(engine);
		if (engine->last && engine->last != slot) {
			leave(engine->last);
			engine->last = NULL;
		}
		if (!slot) {
			engine_sleep(dev);
			continue;
		}
		/* While this one is busy, somebody has to look after the rest. */
		if (is_any_ready(dev) || (dev->is_timed && dev->codec != &emu_codec_null))
			wake_for_work(dev);
		pthread_mutex_lock(&engine->unit);
		nr = serve(&engine->zip, slot, TURN);
		pthread_mutex_unlock(&engine->unit);
		if (nr) {
			engine->last = slot;
		} else {
			leave(slot);
			engine->last = NULL;
		}
	}
	return NULL;
}

/* Software's side */

/* Scripted and modelled time is the device's own, not the caller's; a caller's stack may be small. */
static bool may_lend(const struct emu_dev *dev)
{
	return !dev->is_timed && !dev->opt.faults.nr && dev->codec->is_shallow;
}

/* An idle engine lends its unit: runs the queue's next request here, if that is possible. */
static bool help(struct emu_slot *slot)
{
	struct emu_dev *dev = slot->dev;
	bool is_done = false;

	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		struct emu_engine_thread *engine = &dev->engine[i];

		if (!engine->zip.work || pthread_mutex_trylock(&engine->unit))
			continue;
		is_done = serve(&engine->zip, slot, 1);
		pthread_mutex_unlock(&engine->unit);
		break;
	}
	if (is_done)
		atomic_fetch_add_explicit(&dev->helped, 1, memory_order_relaxed);
	return is_done;
}

/* On a device with a clock: what arrived now. */
static void note_arrivals(struct emu_slot *slot, unsigned int tail)
{
	const uint64_t now = emu_now_ns();

	for (unsigned int i = atomic_load(&slot->sq_tail); i != tail; i = next_index(slot, i))
		slot->due[i].at_ns = now;
}

static void ring(struct emu_queue *queue, uint64_t value, bool is_quiet)
{
	struct emu_slot *slot = queue->slot;
	const unsigned int index = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	const unsigned int priority = value >> HISI_QM_DB_PRIO_SHIFT & 0xffff;
	unsigned int nr, command, random = 0;

	if (queue->epoch != emu_epoch)
		return;
	if (slot->dev->opt.qm == 1) {
		nr = value >> HISI_QM_DB_V1_QN_SHIFT & 0xffff;
		command = value >> HISI_QM_DB_V1_CMD_SHIFT & 0xffff;
	} else {
		nr = value >> HISI_QM_DB_V2_QN_SHIFT & 0xfff;
		command = value >> HISI_QM_DB_V2_CMD_SHIFT & 0xf;
		/* Must be what the queue's context has, which is 0. */
		random = value >> HISI_QM_DB_V2_RAND_SHIFT & 0xffff;
	}
	if (nr != slot->nr || random || index >= slot->cfg.depth)
		return;
	if (command == HISI_QM_DB_CMD_SQ) {
		if (slot->dev->is_timed)
			note_arrivals(slot, index);
		if (is_quiet)
			atomic_store_explicit(&slot->is_lent, true, memory_order_relaxed);
		/* Sequentially consistent, before the looks at what engines do: see leave(). */
		atomic_store(&slot->sq_tail, index);
		if (!is_quiet && !atomic_load(&slot->is_attended))
			set_ready(slot);
	} else if (command == HISI_QM_DB_CMD_CQ) {
		/* The same against has_work(). */
		atomic_store(&slot->cq_head, index);
		if (atomic_load(&slot->is_stalled) && atomic_exchange(&slot->is_stalled, false))
			set_ready(slot);
		if (priority & 1)
			slot_arm(slot);
	}
}

void emu_queue_doorbell(struct emu_queue *queue, uint64_t value)
{
	ring(queue, value, false);
}

void emu_queue_doorbell_quiet(struct emu_queue *queue, uint64_t value)
{
	ring(queue, value, may_lend(queue->slot->dev));
}

void emu_queue_help(struct emu_queue *queue)
{
	struct emu_slot *slot = queue->slot;

	bool is_done;

	if (queue->epoch != emu_epoch || !may_lend(slot->dev))
		return;
	is_done = help(slot);
	atomic_store_explicit(&slot->is_lent, false, memory_order_relaxed);
	/* An engine that attends the queue sees the tail from now on; its leave() would, too. */
	if (!is_done)
		set_ready(slot);
}

void emu_slot_drain(struct emu_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	atomic_store(&slot->running, false);
	while (slot->visitors)
		pthread_cond_wait(&slot->left, &slot->lock);
	pthread_mutex_unlock(&slot->lock);
}
