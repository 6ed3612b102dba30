// SPDX-License-Identifier: Zlib
/* The emulated device's life: devices by their options, queues, engine threads, fork. */
#include "emu_dev.h"
#include "lean.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static struct emu_dev *devices;
static bool is_prepared; /* this thread is forking, and holds all locks */

/* The sanitizers' own frames are larger. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_LEN (2u << 20)
#else
#define STACK_LEN (256u << 10)
#endif

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
	emu_wake_engines(dev, INT_MAX);
	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		if (!dev->engine[i].is_started)
			continue;
		dev->cpu_ns += thread_cpu_ns(dev->engine[i].thread);
		pthread_join(dev->engine[i].thread, NULL);
		dev->engine[i].is_started = false;
	}
	atomic_store(&dev->ending, false);
}

/*
 * Not the stack limit of the program, which may be all the memory it may have: the codecs need less
 * than 16 KiB. Thread-local memory of the program lies there, too, and may be more than that.
 */
static int start_thread(struct emu_engine_thread *engine)
{
	pthread_attr_t attr;
	int ret;

	if (pthread_attr_init(&attr))
		return -ENOMEM;
	pthread_attr_setstacksize(&attr, STACK_LEN);
	ret = pthread_create(&engine->thread, &attr, emu_engine_main, engine);
	pthread_attr_destroy(&attr);
	if (ret == EINVAL)
		ret = pthread_create(&engine->thread, NULL, emu_engine_main, engine);
	return -ret;
}

/* None runs. 0 when at least one started. */
static int start_engines(struct emu_dev *dev)
{
	sigset_t all, old;
	int ret = 0;

	/* The program's signals are for its own threads. */
	sigfillset(&all);
	lean_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned int i = 0; i < dev->opt.threads; i++) {
		struct emu_engine_thread *engine = &dev->engine[i];

		if (!engine->zip.work)
			engine->zip.work = dev->codec->work_new(dev->streams);
		ret = engine->zip.work ? start_thread(engine) : -ENOMEM;
		if (ret) {
			if (i)
				ret = 0;
			break;
		}
		engine->is_started = true;
	}
	lean_sigmask(SIG_SETMASK, &old, NULL);
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

static void slot_free(struct emu_slot *slot)
{
	free(slot->is_done);
	free(slot->due);
	slot->is_done = NULL;
	slot->due = NULL;
}

static int slot_alloc(struct emu_slot *slot, unsigned int depth)
{
	slot->is_done = calloc(depth, sizeof(*slot->is_done));
	if (slot->dev->is_timed)
		slot->due = calloc(depth, sizeof(*slot->due));
	return slot->is_done && (slot->due || !slot->dev->is_timed) ? 0 : -ENOMEM;
}

/* An engine may still spin at the slot for its last user's sake, and read what it polls. */
static void slot_reset(struct emu_slot *slot, const struct emu_queue_cfg *cfg)
{
	pthread_mutex_lock(&slot->lock);
	slot->cfg = *cfg;
	slot->phase = HISI_QM_CQE_PHASE;
	slot->head = 0;
	slot->cq_seen = 0;
	slot->is_hung = false;
	slot->is_armed = true;
	atomic_store(&slot->fetch, 0);
	atomic_store(&slot->sq_tail, 0);
	atomic_store(&slot->cq_head, 0);
	atomic_store(&slot->is_stalled, false);
	atomic_store(&slot->is_attended, false);
	atomic_store(&slot->is_lent, false);
	atomic_store(&slot->event, 0);
	pthread_mutex_unlock(&slot->lock);
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
	ret = slot_alloc(slot, cfg->depth);
	if (!ret && !dev->engine[0].is_started)
		ret = start_engines(dev);
	if (ret)
		goto free_entries;
	slot_reset(slot, cfg);
	slot->is_taken = true;
	dev->queues_nr++;
	pthread_mutex_lock(&dev->lock);
	pthread_mutex_lock(&slot->lock);
	atomic_store(&slot->state, atomic_load(&dev->gone) ? EMU_GONE : EMU_OK);
	atomic_store(&slot->running, true);
	pthread_mutex_unlock(&slot->lock);
	pthread_mutex_unlock(&dev->lock);
	q->slot = slot;
	q->epoch = emu_epoch;
	pthread_mutex_unlock(&dev->life);
	*queue = q;
	return 0;

free_entries:
	slot_free(slot);
unlock:
	pthread_mutex_unlock(&dev->life);
	free(q);
	return ret;
}

void emu_queue_stop(struct emu_queue *queue)
{
	const bool is_ours = queue->epoch == emu_epoch;
	struct emu_slot *slot = queue->slot;
	struct emu_dev *dev;

	free(queue);
	if (!is_ours)
		return;
	dev = slot->dev;
	pthread_mutex_lock(&dev->life);
	emu_slot_drain(slot);
	pthread_mutex_lock(&dev->clock.lock);
	emu_clock_drop(&dev->clock, slot);
	pthread_mutex_unlock(&dev->clock.lock);
	/* Engines sleep on: a process that locked itself up could not start them again. */
	dev->queues_nr--;
	slot_free(slot);
	emu_fd_close(&slot->fd);
	slot->is_taken = false;
	pthread_mutex_unlock(&dev->life);
}

unsigned int emu_queue_number(const struct emu_queue *queue)
{
	return queue->slot->nr;
}

int emu_queue_wait(struct emu_queue *queue, unsigned int timeout_ms)
{
	const bool is_endless = timeout_ms == UINT_MAX;
	const uint64_t end_ns =
		is_endless ? UINT64_MAX : emu_now_ns() + timeout_ms * UINT64_C(1000000);
	const struct timespec end = emu_time(end_ns);
	struct emu_slot *slot = queue->slot;
	unsigned int is_signaled;
	int ret = 0;

	if (queue->epoch != emu_epoch)
		return -ENODEV;
	/* Sequentially consistent, before the event is looked at: see slot_signal(). */
	atomic_fetch_add(&slot->waiters, 1);
	/* A signal ends a sleep early; where there is none to be had, engines cannot be woken either. */
	while (!(is_signaled = atomic_load(&slot->event)) && !ret && emu_now_ns() < end_ns)
		ret = emu_futex_wait(&slot->event, 0, is_endless ? NULL : &end);
	atomic_fetch_sub(&slot->waiters, 1);
	/* Set last when a queue dies: who hears of it here finds it stopped. */
	if (__atomic_load_n(slot->cfg.rx_stop, __ATOMIC_ACQUIRE))
		return -ENODEV;
	if (is_signaled)
		return 0;
	return ret ? ret : -ETIMEDOUT;
}

int emu_queue_fd(struct emu_queue *queue)
{
	struct emu_slot *slot = queue->slot;
	int nr;

	if (queue->epoch != emu_epoch)
		return -ENODEV;
	pthread_mutex_lock(&slot->dev->life);
	nr = atomic_load(&slot->fd.nr);
	if (nr < 0)
		nr = emu_fd_make(&slot->fd);
	else if (!emu_fd_is_ours(&slot->fd, nr))
		nr = -EBADF;
	pthread_mutex_unlock(&slot->dev->life);
	/* Whoever signals after this sees the descriptor. */
	if (nr >= 0 && atomic_load(&slot->event))
		emu_fd_set(&slot->fd);
	return nr;
}

enum emu_state emu_queue_state(const struct emu_queue *queue, unsigned int *generation)
{
	if (queue->epoch != emu_epoch)
		return EMU_GONE;
	if (generation)
		*generation = atomic_load(&queue->slot->dev->generation);
	return atomic_load(&queue->slot->state);
}

/* The device */

static void dev_free(struct emu_dev *dev)
{
	if (dev->engine)
		stop_engines(dev);
	for (unsigned int i = 0; dev->engine && i < dev->opt.threads; i++)
		emu_zip_fini(&dev->engine[i].zip);
	emu_streams_free(dev->streams);
	emu_dma_fini(&dev->dma);
	pthread_mutex_destroy(&dev->life);
	pthread_mutex_destroy(&dev->lock);
	pthread_mutex_destroy(&dev->clock.lock);
	for (unsigned int i = 0; dev->engine && i < dev->opt.threads; i++)
		pthread_mutex_destroy(&dev->engine[i].unit);
	for (unsigned int i = 0; dev->slot && i < dev->opt.queues; i++) {
		pthread_mutex_destroy(&dev->slot[i].lock);
		pthread_cond_destroy(&dev->slot[i].left);
	}
	free(dev->engine);
	free(dev->slot);
	free(dev->name);
	free(dev);
}

/* Zeroed memory for what has its fields on lines of their own. */
static void *alloc_lines(size_t len)
{
	void *mem;

	return !posix_memalign(&mem, EMU_LINE, len) ? memset(mem, 0, len) : NULL;
}

static void slot_init(struct emu_dev *dev, unsigned int nr)
{
	struct emu_slot *slot = &dev->slot[nr];

	memset(slot, 0, sizeof(*slot));
	pthread_mutex_init(&slot->lock, NULL);
	pthread_cond_init(&slot->left, NULL);
	slot->dev = dev;
	slot->nr = nr;
	atomic_store(&slot->fd.nr, -1);
}

static int dev_new(const char *options, struct emu_dev **result)
{
	struct emu_dev *dev = alloc_lines(sizeof(*dev));
	int ret;

	if (!dev)
		return -ENOMEM;
	ret = emu_options_parse(&dev->opt, options);
	if (!ret) {
		dev->codec = emu_codec_choose(dev->opt.engine);
		ret = dev->codec ? 0 : -ENODEV;
	}
	if (ret) {
		free(dev);
		return ret;
	}
	pthread_mutex_init(&dev->life, NULL);
	pthread_mutex_init(&dev->lock, NULL);
	pthread_mutex_init(&dev->clock.lock, NULL);
	emu_dma_init(&dev->dma);
	dev->is_timed = dev->opt.latency_ns || dev->opt.mbps;
	dev->clock.latency_ns = dev->opt.latency_ns;
	dev->clock.mbps = dev->opt.mbps;
	atomic_store(&dev->clock.next_ns, UINT64_MAX);
	/* On a single CPU whoever has work for an engine cannot run while it spins. */
	dev->spin_ns = lean_cpus() <= 1 ? 0 : dev->is_timed ? EMU_DUE_NS : EMU_SPIN_NS;
	dev->name = strdup(options);
	dev->engine = calloc(dev->opt.threads, sizeof(*dev->engine));
	dev->slot = alloc_lines((dev->opt.queues + 63) / 64 * 64 * sizeof(*dev->slot));
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
		pthread_mutex_init(&engine->unit, NULL);
		emu_dma_attach(&dev->dma, &engine->zip.dma);
	}
	for (unsigned int i = 0; i < dev->opt.queues; i++)
		slot_init(dev, i);
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

int emu_dev_prepare(const char *options)
{
	struct emu_options *opt = malloc(sizeof(*opt));
	int ret = opt ? emu_options_parse(opt, options) : -ENOMEM;

	if (!ret) {
		pthread_mutex_lock(&devices_lock);
		ret = emu_codec_choose(opt->engine) ? 0 : -ENOENT;
		pthread_mutex_unlock(&devices_lock);
	}
	free(opt);
	return ret;
}

void emu_dev_put(struct emu_dev *dev)
{
	struct emu_dev **link;

	if (!dev)
		return;
	pthread_mutex_lock(&devices_lock);
	if (--dev->refs == 0) {
		for (link = &devices; *link && *link != dev; link = &(*link)->next)
			;
		if (*link)
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
	stats->helped = atomic_load(&dev->helped);
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

/* fork() holds every lock, always in this order; other ways to make a child hold none */

void emu_fork_prepare(void)
{
	pthread_mutex_lock(&devices_lock);
	for (struct emu_dev *dev = devices; dev; dev = dev->next) {
		pthread_mutex_lock(&dev->life);
		pthread_mutex_lock(&dev->lock);
		pthread_mutex_lock(&dev->dma.lock);
		emu_streams_lock(dev->streams);
	}
	is_prepared = true;
}

void emu_fork_parent(void)
{
	is_prepared = false;
	for (struct emu_dev *dev = devices; dev; dev = dev->next) {
		emu_streams_unlock(dev->streams);
		pthread_mutex_unlock(&dev->dma.lock);
		pthread_mutex_unlock(&dev->lock);
		pthread_mutex_unlock(&dev->life);
	}
	pthread_mutex_unlock(&devices_lock);
}

/*
 * Makes the lock anew. False: a thread that is not in this process held it at the fork, so that what
 * it guards may be half changed.
 */
static bool lock_anew(pthread_mutex_t *lock)
{
	if (!pthread_mutex_trylock(lock)) {
		pthread_mutex_unlock(lock);
		return true;
	}
	pthread_mutex_init(lock, NULL);
	return false;
}

static void engine_forget(struct emu_engine_thread *engine)
{
	engine->is_started = false;
	if (lock_anew(&engine->unit))
		return;
	/* It was at work, which each request begins anew, and may have been freeing one of these. */
	memset(engine->zip.copy, 0, sizeof(engine->zip.copy));
}

static void dev_forget(struct emu_dev *dev)
{
	const bool is_sound = lock_anew(&dev->life);

	lock_anew(&dev->lock);
	for (unsigned int i = 0; i < dev->opt.queues; i++) {
		struct emu_slot *slot = &dev->slot[i];

		if (slot->is_taken && is_sound)
			slot_free(slot);
		emu_fd_close(&slot->fd);
		slot_init(dev, i);
	}
	for (unsigned int i = 0; i < dev->opt.threads; i++)
		engine_forget(&dev->engine[i]);
	for (unsigned int i = 0; i < EMU_QUEUES_MAX / 64; i++)
		atomic_store(&dev->ready[i], 0);
	dev->queues_nr = 0;
	dev->cpu_ns = 0;
	atomic_store(&dev->ending, false);
	atomic_store(&dev->spinners, 0);
	atomic_store(&dev->sleepers, 0);
	emu_dma_forget(&dev->dma, lock_anew(&dev->dma.lock));
	emu_streams_forget(dev->streams);
	lock_anew(&dev->clock.lock);
	emu_clock_drop(&dev->clock, NULL);
}

int emu_fork_child(void)
{
	bool is_sound;

	if (is_prepared)
		emu_fork_parent();
	emu_epoch++;
	is_sound = lock_anew(&devices_lock);
	if (!is_sound)
		devices = NULL;
	for (struct emu_dev *dev = devices; dev; dev = dev->next)
		dev_forget(dev);
	return is_sound;
}
