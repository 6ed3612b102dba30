// SPDX-License-Identifier: Zlib
/* The emulated device: queues, doorbells and completions as on silicon, and engine threads. */
#include "emu.h"
#include "emu_codec.h"
#include "emu_priv.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long an engine without work looks for some before it sleeps. */
#define SPIN_NS	   100000
#define SPIN_BATCH 64
#define QUEUES_MAX 1024

/*
 * A queue pair of the device. Between its start and stop, all but the atomics belongs to whoever
 * has set busy. Slots are never freed while the device exists: an engine that looks at one too late
 * finds it not running.
 */
struct emu_slot {
	struct emu_dev *dev;
	unsigned int nr;
	bool is_taken; /* guarded by dev->life */
	struct emu_queue_cfg cfg;
	uint16_t phase;
	atomic_uint depth; /* as in cfg */
	atomic_uint sq_head;
	atomic_uint sq_tail;
	atomic_uint cq_head;
	atomic_uint cq_tail;
	atomic_bool busy;
	atomic_bool running;
	atomic_bool hung;
	atomic_bool armed;    /* c_flag of the completion queue's context */
	atomic_bool signaled; /* the event is readable */
	atomic_int state;     /* enum emu_state */
	int fd;
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
	struct emu_zip zip;
};

struct emu_dev {
	struct emu_dev *next;
	char *name;
	unsigned int refs; /* guarded by devices_lock, as are next and name */
	struct emu_options opt;
	const struct emu_codec *codec;
	struct emu_streams *streams;
	struct emu_dma dma;
	uint64_t spin_ns;

	pthread_mutex_t life; /* one queue start or stop at a time */
	unsigned int queues_nr;
	uint64_t starts;
	uint64_t cpu_ns; /* of threads that ended */
	struct emu_engine_thread *engine;

	pthread_mutex_t lock; /* what a reset writes to running queues; under life */
	pthread_cond_t idle;  /* a queue that is not running is not busy either */
	uint64_t gone_for;    /* refused starts until it is back */
	atomic_bool gone;

	atomic_uint generation;
	atomic_bool ending; /* engines are to end */
	atomic_uint spinners;
	atomic_uint sleepers;
	atomic_uint wakes; /* futex */
	_Atomic(uint64_t) requests;
	_Atomic(uint64_t) faults;
	/* Queues that may have work. Whoever clears a bit looks after the queue. */
	_Atomic(uint64_t) ready[QUEUES_MAX / 64];
	struct emu_slot *slot;
};

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static struct emu_dev *devices;
/* Forks between the first process and this one: queues of another epoch are not ours. */
static unsigned int epoch;

static uint64_t now_ns(void)
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
	const uint64_t one = 1;

	atomic_store(&slot->signaled, true);
	/* Can only fail where the event is readable already. */
	if (write(slot->fd, &one, sizeof(one)) < 0)
		return;
}

static void slot_arm(struct emu_slot *slot)
{
	uint64_t count;

	if (atomic_load(&slot->state) != EMU_OK)
		return;
	if (atomic_exchange(&slot->signaled, false) && read(slot->fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		return;
	atomic_store(&slot->armed, true);
	/*
	 * A completion beyond the head that was written before this would never be told of
	 * (hardware reference, 11); neither would a reset that came in between.
	 */
	if ((atomic_load(&slot->cq_tail) != atomic_load(&slot->cq_head) &&
	     atomic_exchange(&slot->armed, false)) ||
	    atomic_load(&slot->state) != EMU_OK)
		slot_signal(slot);
}

static void futex(atomic_uint *word, int op, unsigned int value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wake_engines(struct emu_dev *dev, int nr)
{
	atomic_fetch_add(&dev->wakes, 1);
	futex(&dev->wakes, FUTEX_WAKE, nr);
}

/* After work was made visible: an engine that spins will see it, else one is woken. */
static void wake_for_work(struct emu_dev *dev)
{
	if (atomic_load(&dev->sleepers) && !atomic_load(&dev->spinners))
		wake_engines(dev, 1);
}

static bool slot_has_work(struct emu_slot *slot)
{
	unsigned int cq_next;

	if (!atomic_load(&slot->running) || atomic_load(&slot->hung) ||
	    atomic_load(&slot->state) != EMU_OK)
		return false;
	if (atomic_load(&slot->sq_head) == atomic_load(&slot->sq_tail))
		return false;
	/* Never over a completion that was not taken. */
	cq_next = (atomic_load(&slot->cq_tail) + 1) % atomic_load(&slot->depth);
	return cq_next != atomic_load(&slot->cq_head);
}

static void set_ready(struct emu_slot *slot)
{
	atomic_fetch_or(&slot->dev->ready[slot->nr / 64], UINT64_C(1) << slot->nr % 64);
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

		if (!atomic_load(&slot->running))
			continue;
		atomic_store(&slot->state, state);
		__atomic_store_n(slot->cfg.tx_stop, 1, __ATOMIC_RELEASE);
		__atomic_store_n(slot->cfg.rx_stop, 1, __ATOMIC_RELEASE);
		slot_signal(slot);
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

/* Requests */

/* Returns when ns have passed since start_ns, or the queue is being stopped. */
static void hold_until(struct emu_slot *slot, uint64_t end_ns)
{
	for (;;) {
		uint64_t now = now_ns();

		if (now >= end_ns || !atomic_load(&slot->running))
			return;
		if (end_ns - now > SPIN_NS) {
			uint64_t ns = end_ns - now - SPIN_NS / 2;
			struct timespec ts = { 0, ns < 1000000 ? ns : 1000000 };

			nanosleep(&ts, NULL);
		} else {
			cpu_relax();
		}
	}
}

static void damage_output(struct emu_engine_thread *engine, const struct hisi_zip_sqe *sqe)
{
	uint64_t iova = emu_addr(sqe->dst_l, sqe->dst_h) + sqe->produced / 2;
	uint8_t *byte =
		sqe->produced ? emu_dma_get(&engine->zip.dma, iova, 1, EMU_DMA_WRITE) : NULL;

	if (byte)
		*byte ^= 0x10;
	emu_dma_release(&engine->zip.dma);
}

static void complete(struct emu_slot *slot, const struct hisi_zip_sqe *sqe)
{
	const unsigned int head = atomic_load(&slot->sq_head);
	const unsigned int tail = atomic_load(&slot->cq_tail);
	struct hisi_qm_cqe *cqe = (struct hisi_qm_cqe *)slot->cfg.cq + tail;

	memcpy((struct hisi_zip_sqe *)slot->cfg.sq + head, sqe, sizeof(*sqe));
	cqe->sq_head = head;
	cqe->sq_num = slot->nr;
	/* Software that sees the phase must see output, entry and the rest of this, too. */
	__atomic_store_n(&cqe->phase, slot->phase, __ATOMIC_RELEASE);
	if (tail + 1 == slot->cfg.depth)
		slot->phase ^= HISI_QM_CQE_PHASE;
	atomic_store(&slot->sq_head, (head + 1) % slot->cfg.depth);
	atomic_store(&slot->cq_tail, (tail + 1) % slot->cfg.depth);
	if (atomic_exchange(&slot->armed, false))
		slot_signal(slot);
}

static void run_request(struct emu_engine_thread *engine, struct emu_slot *slot)
{
	struct emu_dev *dev = engine->dev;
	const uint64_t nr = atomic_fetch_add(&dev->requests, 1) + 1;
	const struct emu_fault *fault = emu_fault_request(&dev->opt.faults, nr);
	const enum emu_fault_kind kind = fault ? fault->kind : EMU_FAULT_NONE;
	const bool is_timed = dev->opt.latency_us || dev->opt.gbps || kind == EMU_FAULT_LATE;
	const uint64_t start_ns = is_timed ? now_ns() : 0;
	struct hisi_zip_sqe sqe;

	if (fault)
		atomic_fetch_add(&dev->faults, 1);
	memcpy(&sqe, (struct hisi_zip_sqe *)slot->cfg.sq + atomic_load(&slot->sq_head),
	       sizeof(sqe));
	switch (kind) {
	case EMU_FAULT_HANG:
		atomic_store(&slot->hung, true);
		return;
	case EMU_FAULT_RESET:
		kill_queues(dev, EMU_RESET);
		return;
	case EMU_FAULT_GONE:
		make_gone(dev, fault->arg);
		return;
	case EMU_FAULT_ERROR:
		emu_zip_fail(&sqe, fault->arg);
		break;
	case EMU_FAULT_SHORT:
		emu_zip_fail(&sqe, HISI_ZIP_DST_FULL);
		break;
	default:
		emu_zip_exec(&engine->zip, slot->cfg.alg_type, &sqe);
	}
	if (kind == EMU_FAULT_CHECKSUM)
		sqe.checksum ^= 0x00010000;
	if (kind == EMU_FAULT_CORRUPT)
		damage_output(engine, &sqe);
	if (is_timed) {
		uint64_t ns = dev->opt.latency_us * UINT64_C(1000);
		uint64_t len = sqe.consumed > sqe.produced ? sqe.consumed : sqe.produced;

		if (dev->opt.gbps)
			ns += len * 8 / dev->opt.gbps;
		if (kind == EMU_FAULT_LATE)
			ns += fault->arg * UINT64_C(1000000);
		hold_until(slot, start_ns + ns);
	}
	/* What was in flight when the device died is lost. */
	if (atomic_load(&slot->state) == EMU_OK)
		complete(slot, &sqe);
}

static void serve(struct emu_engine_thread *engine, struct emu_slot *slot)
{
	struct emu_dev *dev = engine->dev;

	/* Its engine looks again when it has finished, so nothing is missed. */
	if (atomic_exchange(&slot->busy, true))
		return;
	if (slot_has_work(slot))
		run_request(engine, slot);
	atomic_store(&slot->busy, false);
	if (atomic_load(&slot->running)) {
		if (slot_has_work(slot))
			set_ready(slot);
		return;
	}
	pthread_mutex_lock(&dev->lock);
	pthread_cond_broadcast(&dev->idle);
	pthread_mutex_unlock(&dev->lock);
}

/* Looks for work for a while, one engine at a time. True: there is some. */
static bool spin(struct emu_dev *dev)
{
	bool is_found = false;

	if (atomic_fetch_add(&dev->spinners, 1) == 0 && dev->spin_ns) {
		const uint64_t end_ns = now_ns() + dev->spin_ns;

		do {
			for (int i = 0; i < SPIN_BATCH && !is_found; i++) {
				is_found = is_any_ready(dev);
				cpu_relax();
			}
		} while (!is_found && !atomic_load(&dev->ending) && now_ns() < end_ns);
	}
	atomic_fetch_sub(&dev->spinners, 1);
	return is_found;
}

static void engine_sleep(struct emu_dev *dev)
{
	const unsigned int wakes = atomic_load(&dev->wakes);

	atomic_fetch_add(&dev->sleepers, 1);
	/* A doorbell before the line above woke nobody. */
	if (!is_any_ready(dev) && !atomic_load(&dev->ending))
		futex(&dev->wakes, FUTEX_WAIT, wakes);
	atomic_fetch_sub(&dev->sleepers, 1);
}

static void *engine_main(void *arg)
{
	struct emu_engine_thread *engine = arg;
	struct emu_dev *dev = engine->dev;

	while (!atomic_load(&dev->ending)) {
		struct emu_slot *slot = take_ready(dev, &engine->position);

		if (slot) {
			if (is_any_ready(dev))
				wake_for_work(dev);
			serve(engine, slot);
		} else if (!spin(dev)) {
			engine_sleep(dev);
		}
	}
	return NULL;
}

/* Engine threads, under life */

static uint64_t thread_cpu_ns(pthread_t thread)
{
	struct timespec ts;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void stop_engines(struct emu_dev *dev)
{
	atomic_store(&dev->ending, true);
	wake_engines(dev, INT_MAX);
	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		if (!dev->engine[i].is_started)
			continue;
		dev->cpu_ns += thread_cpu_ns(dev->engine[i].thread);
		pthread_join(dev->engine[i].thread, NULL);
		dev->engine[i].is_started = false;
	}
	atomic_store(&dev->ending, false);
}

/* 0 when at least one started. */
static int start_engines(struct emu_dev *dev)
{
	sigset_t all, old;
	int ret = 0;

	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		struct emu_engine_thread *engine = &dev->engine[i];

		if (!engine->zip.work)
			engine->zip.work = dev->codec->work_new(dev->streams);
		if (!engine->zip.work ||
		    pthread_create(&engine->thread, NULL, engine_main, engine)) {
			ret = i ? 0 : -ENOMEM;
			break;
		}
		engine->is_started = true;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* Queues */

static int check_start(struct emu_dev *dev, const struct emu_queue_cfg *cfg)
{
	const struct emu_fault *fault = emu_fault_start(&dev->opt.faults, ++dev->starts);
	int ret = 0;

	if (cfg->depth < 2 || cfg->depth > HISI_QM_MAX_DEPTH ||
	    cfg->alg_type > HISI_ZIP_QUEUE_DECOMPRESS || !cfg->sq || !cfg->cq || !cfg->tx_stop ||
	    !cfg->rx_stop)
		return -EINVAL;
	pthread_mutex_lock(&dev->lock);
	if (atomic_load(&dev->gone)) {
		ret = -ENODEV;
		if (dev->gone_for && --dev->gone_for == 0) {
			atomic_store(&dev->gone, false);
			atomic_fetch_add(&dev->generation, 1);
		}
	}
	pthread_mutex_unlock(&dev->lock);
	if (!ret && fault) {
		atomic_fetch_add(&dev->faults, 1);
		ret = -EBUSY;
	}
	return ret;
}

static struct emu_slot *find_free(struct emu_dev *dev)
{
	for (unsigned int i = 0; i < dev->opt.queues; i++)
		if (!dev->slot[i].is_taken)
			return &dev->slot[i];
	return NULL;
}

int emu_queue_start(struct emu_dev *dev, const struct emu_queue_cfg *cfg, struct emu_queue **queue)
{
	struct emu_queue *q = malloc(sizeof(*q));
	struct emu_slot *slot;
	int ret;

	if (!q)
		return -ENOMEM;
	pthread_mutex_lock(&dev->life);
	ret = check_start(dev, cfg);
	if (ret)
		goto unlock;
	ret = -EBUSY;
	slot = find_free(dev);
	if (!slot)
		goto unlock;
	slot->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (slot->fd < 0) {
		ret = -errno;
		goto unlock;
	}
	if (!dev->queues_nr) {
		ret = start_engines(dev);
		if (ret)
			goto close_fd;
	}
	slot->cfg = *cfg;
	slot->phase = HISI_QM_CQE_PHASE;
	atomic_store(&slot->depth, cfg->depth);
	atomic_store(&slot->sq_head, 0);
	atomic_store(&slot->sq_tail, 0);
	atomic_store(&slot->cq_head, 0);
	atomic_store(&slot->cq_tail, 0);
	atomic_store(&slot->hung, false);
	atomic_store(&slot->armed, true);
	atomic_store(&slot->signaled, false);
	slot->is_taken = true;
	dev->queues_nr++;
	pthread_mutex_lock(&dev->lock);
	atomic_store(&slot->state, atomic_load(&dev->gone) ? EMU_GONE : EMU_OK);
	atomic_store(&slot->running, true);
	pthread_mutex_unlock(&dev->lock);
	q->slot = slot;
	q->epoch = epoch;
	pthread_mutex_unlock(&dev->life);
	*queue = q;
	return 0;

close_fd:
	close(slot->fd);
unlock:
	pthread_mutex_unlock(&dev->life);
	free(q);
	return ret;
}

void emu_queue_stop(struct emu_queue *queue)
{
	const bool is_ours = queue->epoch == epoch;
	struct emu_slot *slot = queue->slot;
	struct emu_dev *dev;

	free(queue);
	if (!is_ours)
		return;
	dev = slot->dev;
	pthread_mutex_lock(&dev->life);
	pthread_mutex_lock(&dev->lock);
	atomic_store(&slot->running, false);
	while (atomic_load(&slot->busy))
		pthread_cond_wait(&dev->idle, &dev->lock);
	pthread_mutex_unlock(&dev->lock);
	if (--dev->queues_nr == 0)
		stop_engines(dev);
	close(slot->fd);
	slot->is_taken = false;
	pthread_mutex_unlock(&dev->life);
}

unsigned int emu_queue_number(const struct emu_queue *queue)
{
	return queue->slot->nr;
}

void emu_queue_doorbell(struct emu_queue *queue, uint64_t value)
{
	struct emu_slot *slot = queue->slot;
	const unsigned int index = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	const unsigned int priority = value >> HISI_QM_DB_PRIO_SHIFT & 0xffff;
	unsigned int nr, command, random = 0;

	if (queue->epoch != epoch)
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
		atomic_store(&slot->sq_tail, index);
	} else if (command == HISI_QM_DB_CMD_CQ) {
		atomic_store(&slot->cq_head, index);
		if (priority & 1)
			slot_arm(slot);
	}
	/* A busy queue's engine looks again by itself. */
	if (!atomic_load(&slot->busy) && slot_has_work(slot)) {
		set_ready(slot);
		wake_for_work(slot->dev);
	}
}

int emu_queue_wait(struct emu_queue *queue, unsigned int timeout_ms)
{
	struct emu_slot *slot = queue->slot;
	struct pollfd p = { .events = POLLIN };
	int ret;

	if (queue->epoch != epoch)
		return -ENODEV;
	p.fd = slot->fd;
	do {
		ret = poll(&p, 1, timeout_ms > INT_MAX ? -1 : (int)timeout_ms);
	} while (ret < 0 && errno == EINTR);
	if (atomic_load(&slot->state) != EMU_OK)
		return -ENODEV;
	return ret > 0 ? 0 : -ETIMEDOUT;
}

int emu_queue_fd(const struct emu_queue *queue)
{
	return queue->epoch == epoch ? queue->slot->fd : -1;
}

enum emu_state emu_queue_state(const struct emu_queue *queue, unsigned int *generation)
{
	if (queue->epoch != epoch)
		return EMU_GONE;
	if (generation)
		*generation = atomic_load(&queue->slot->dev->generation);
	return atomic_load(&queue->slot->state);
}

/* The device */

static void dev_free(struct emu_dev *dev)
{
	for (unsigned int i = 0; dev->engine && i < dev->opt.threads; i++)
		dev->codec->work_free(dev->engine[i].zip.work);
	emu_streams_free(dev->streams);
	emu_dma_fini(&dev->dma);
	pthread_mutex_destroy(&dev->life);
	pthread_mutex_destroy(&dev->lock);
	pthread_cond_destroy(&dev->idle);
	free(dev->engine);
	free(dev->slot);
	free(dev->name);
	free(dev);
}

static const struct emu_codec *choose_codec(const struct emu_options *opt)
{
	if (opt->engine != EMU_ENGINE_ZLIB && !emu_codec_isal.open())
		return &emu_codec_isal;
	if (opt->engine != EMU_ENGINE_ISAL && !emu_codec_zlib.open())
		return &emu_codec_zlib;
	return NULL;
}

static int dev_new(const char *options, struct emu_dev **result)
{
	struct emu_dev *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return -ENOMEM;
	ret = emu_options_parse(&dev->opt, options);
	if (!ret) {
		dev->codec = choose_codec(&dev->opt);
		ret = dev->codec ? 0 : -EINVAL;
	}
	if (ret) {
		free(dev);
		return ret;
	}
	pthread_mutex_init(&dev->life, NULL);
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->idle, NULL);
	emu_dma_init(&dev->dma);
	/* On a single CPU whoever has work for an engine cannot run while it spins. */
	dev->spin_ns = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SPIN_NS : 0;
	dev->name = strdup(options);
	dev->engine = calloc(dev->opt.threads, sizeof(*dev->engine));
	dev->slot = calloc((dev->opt.queues + 63) / 64 * 64, sizeof(*dev->slot));
	if (dev->codec == &emu_codec_zlib)
		dev->streams = emu_streams_new();
	if (!dev->name || !dev->engine || !dev->slot ||
	    (dev->codec == &emu_codec_zlib && !dev->streams)) {
		dev_free(dev);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		struct emu_engine_thread *engine = &dev->engine[i];

		engine->dev = dev;
		engine->zip.codec = dev->codec;
		engine->zip.qm = dev->opt.qm;
		emu_dma_attach(&dev->dma, &engine->zip.dma);
	}
	for (unsigned int i = 0; i < dev->opt.queues; i++) {
		dev->slot[i].dev = dev;
		dev->slot[i].nr = i;
		atomic_store(&dev->slot[i].depth, 1);
	}
	*result = dev;
	return 0;
}

int emu_dev_get(const char *options, struct emu_dev **result)
{
	struct emu_dev *dev;
	int ret = 0;

	pthread_mutex_lock(&devices_lock);
	for (dev = devices; dev; dev = dev->next)
		if (!strcmp(dev->name, options))
			break;
	if (!dev) {
		ret = dev_new(options, &dev);
		if (ret)
			goto unlock;
		dev->next = devices;
		devices = dev;
	}
	dev->refs++;
	*result = dev;
unlock:
	pthread_mutex_unlock(&devices_lock);
	return ret;
}

void emu_dev_put(struct emu_dev *dev)
{
	struct emu_dev **link;

	if (!dev)
		return;
	pthread_mutex_lock(&devices_lock);
	if (--dev->refs == 0) {
		for (link = &devices; *link != dev; link = &(*link)->next)
			;
		*link = dev->next;
		dev_free(dev);
	}
	pthread_mutex_unlock(&devices_lock);
}

void emu_dev_info(struct emu_dev *dev, struct emu_info *info)
{
	pthread_mutex_lock(&dev->life);
	info->qm_version = dev->opt.qm;
	info->engines = dev->opt.threads;
	info->queues_total = dev->opt.queues;
	info->queues_free = dev->opt.queues - dev->queues_nr;
	info->depth = dev->opt.depth;
	info->algs = dev->opt.qm < 3 ? "zlib gzip" : "zlib gzip deflate";
	info->engine = dev->codec->name;
	pthread_mutex_unlock(&dev->life);
}

void emu_dev_stats(struct emu_dev *dev, struct emu_stats *stats)
{
	pthread_mutex_lock(&dev->life);
	stats->cpu_ns = dev->cpu_ns;
	for (unsigned int i = 0; i < dev->opt.threads; i++)
		if (dev->engine[i].is_started)
			stats->cpu_ns += thread_cpu_ns(dev->engine[i].thread);
	stats->requests = atomic_load(&dev->requests);
	stats->faults = atomic_load(&dev->faults);
	pthread_mutex_unlock(&dev->life);
}

int emu_dma_map(struct emu_dev *dev, uint64_t iova, void *va, uint64_t len, int flags)
{
	return emu_dma_add(&dev->dma, iova, va, len, flags);
}

void emu_dma_unmap(struct emu_dev *dev, uint64_t iova, uint64_t len)
{
	emu_dma_remove(&dev->dma, iova, len);
}

/* fork: every lock is held around it, always in this order */

void emu_fork_prepare(void)
{
	pthread_mutex_lock(&devices_lock);
	for (struct emu_dev *dev = devices; dev; dev = dev->next) {
		pthread_mutex_lock(&dev->life);
		pthread_mutex_lock(&dev->lock);
		pthread_mutex_lock(&dev->dma.lock);
		emu_streams_lock(dev->streams);
	}
}

void emu_fork_parent(void)
{
	for (struct emu_dev *dev = devices; dev; dev = dev->next) {
		emu_streams_unlock(dev->streams);
		pthread_mutex_unlock(&dev->dma.lock);
		pthread_mutex_unlock(&dev->lock);
		pthread_mutex_unlock(&dev->life);
	}
	pthread_mutex_unlock(&devices_lock);
}

static void dev_forget(struct emu_dev *dev)
{
	for (unsigned int i = 0; i < dev->opt.queues; i++) {
		struct emu_slot *slot = &dev->slot[i];

		if (slot->is_taken)
			close(slot->fd);
		memset(slot, 0, sizeof(*slot));
		slot->dev = dev;
		slot->nr = i;
		atomic_store(&slot->depth, 1);
	}
	for (unsigned int i = 0; i < dev->opt.threads; i++)
		dev->engine[i].is_started = false;
	for (unsigned int i = 0; i < QUEUES_MAX / 64; i++)
		atomic_store(&dev->ready[i], 0);
	dev->queues_nr = 0;
	dev->cpu_ns = 0;
	atomic_store(&dev->spinners, 0);
	atomic_store(&dev->sleepers, 0);
	emu_dma_forget(&dev->dma);
	emu_streams_forget(dev->streams);
	pthread_cond_init(&dev->idle, NULL);
}

void emu_fork_child(void)
{
	epoch++;
	for (struct emu_dev *dev = devices; dev; dev = dev->next)
		dev_forget(dev);
	emu_fork_parent();
}
