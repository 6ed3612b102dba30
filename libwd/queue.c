/* SPDX-License-Identifier: Zlib */
/* Queues: opening on the best device, closing and state. */
#include <stdlib.h>
#include <string.h>
#include "drv/drv.h"
#include "priv.h"

#define SPIN_US 20 /* a 64 KiB request takes the engine about as long */
#define SPIN_LEN 65536
/* The CPU that spins may be the one that an emulated device needs; to decompress takes longer a byte. */
static const uint32_t spin_len_on_cpu[] = { [WD_OP_COMPRESS] = 8192, [WD_OP_DECOMPRESS] = 4096 };

/* wd_lock is held. */
static int open_on(const struct wd_candidate *candidate, const struct wd_queue_attr *attr,
		   struct wd_queue **queue)
{
	const struct wd_transport *transport = candidate->transport;
	const struct wd_drv *drv = wd_drv_find(candidate->info.api);
	struct wd_queue *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->born = wd_generation();
	q->transport = transport;
	q->op_type = attr->op_type;
	q->spin_us = attr->spin_us ? attr->spin_us : SPIN_US;
	if (!drv) {
		r = -EOPNOTSUPP;
		goto free_queue;
	}
	q->sqe_type = drv->sqe_type;
	q->formats = drv->formats;
	r = wd_dev_get(candidate, &q->dev);
	if (r)
		goto free_queue;
	r = transport->open(q->dev->handle, attr->op_type, &q->tq, &q->regions);
	if (r)
		goto put_dev;
	q->spin_len = attr->spin_us ? UINT32_MAX : q->regions.is_on_cpu ? spin_len_on_cpu[q->op_type] : SPIN_LEN;
	q->doorbell = q->regions.is_mediated ? transport->submit : transport->doorbell;
	q->reap = q->regions.is_mediated ? transport->reap : NULL;
	r = hisi_qm_init(&q->qm, drv->qm_version, q->regions.number, q->regions.depth,
			 attr->depth, q->regions.mmio, q->regions.mmio_len, q->regions.mem,
			 q->regions.mem_len);
	if (r)
		goto close_queue;
	q->slots = calloc(q->regions.depth, sizeof(*q->slots));
	if (!q->slots) {
		r = -ENOMEM;
		goto close_queue;
	}
	r = attr->flags & WD_QUEUE_SHARED ? wd_share_init(q) : 0;
	if (r)
		goto free_slots;
	*queue = q;
	return 0;
free_slots:
	free(q->slots);
close_queue:
	transport->stop(q->tq);
	transport->close(q->tq, &q->regions);
put_dev:
	wd_dev_put(q->dev);
free_queue:
	free(q);
	return r;
}

static int has_alg(const char *algs, const char *alg)
{
	size_t len = strlen(alg);

	for (; *algs; algs += strspn(algs, " ")) {
		size_t word_len = strcspn(algs, " ");

		if (word_len == len && !memcmp(algs, alg, len))
			return 1;
		algs += word_len;
	}
	return 0;
}

/* The failure that tells most: a full device, then what the system said, then a missing algorithm. */
static int worse(int r, int before)
{
	static const int order[] = { -ENODEV, -EOPNOTSUPP };

	if (before == -EBUSY || r == -EBUSY)
		return -EBUSY;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (before == order[i] || r == order[i])
			return before == order[i] ? r : before;
	return before;
}

static int request(const struct wd_queue_attr *attr, struct wd_queue **queue)
{
	struct wd_candidate *list;
	int result = -ENODEV;
	int nr, r;

	if (!attr || !queue || attr->op_type > WD_OP_DECOMPRESS || attr->numa_node < -1 ||
	    attr->flags & ~WD_QUEUE_SHARED)
		return -EINVAL;
	nr = wd_find_candidates(attr->device, attr->numa_node, &list);
	if (nr < 0)
		return nr;
	r = wd_fork_register();
	if (r) {
		free(list);
		return r;
	}

	pthread_mutex_lock(&wd_lock);
	for (int i = 0; i < nr && result; i++) {
		r = list[i].info.error;
		if (!r && attr->alg && !has_alg(list[i].info.algs, attr->alg))
			r = -EOPNOTSUPP;
		if (!r)
			r = open_on(&list[i], attr, queue);
		result = r ? worse(r, result) : 0;
	}
	pthread_mutex_unlock(&wd_lock);
	free(list);
	return result;
}

int wd_request_queue(const struct wd_queue_attr *attr, struct wd_queue **queue)
{
	int saved_errno = errno;
	int cancel = wd_cancel_off();
	int r = request(attr, queue);

	wd_cancel_as(cancel);
	errno = saved_errno;
	return r;
}

static void release(struct wd_queue *q)
{
	wd_enter();
	if (wd_is_own(q->born)) {
		q->transport->stop(q->tq);
		wd_mem_release(q);
		q->transport->close(q->tq, &q->regions);
	} else {
		wd_mem_forget(q, NULL);
		q->transport->forget(q->tq);
	}
	pthread_mutex_lock(&wd_lock);
	wd_dev_put(q->dev);
	pthread_mutex_unlock(&wd_lock);
	wd_share_fini(q);
	free(q->slots);
	free(q);
}

void wd_release_queue(struct wd_queue *q)
{
	int saved_errno = errno;
	int cancel;

	if (!q)
		return;
	cancel = wd_cancel_off();
	release(q);
	wd_cancel_as(cancel);
	errno = saved_errno;
}

void wd_queue_info(const struct wd_queue *q, struct wd_device_info *info)
{
	*info = q->dev->info;
}

static enum wd_state state_of(const struct wd_queue *q, unsigned int *generation)
{
	int saved_errno = errno;
	enum wd_state state = q->transport->state(q->tq, generation);

	/* A queue does not live again after its device's reset, though the device does. */
	if (state == WD_STATE_OK && hisi_qm_tx_stopped(&q->qm))
		state = WD_STATE_RESETTING;
	errno = saved_errno;
	return state;
}

enum wd_state wd_queue_state(const struct wd_queue *q, unsigned int *generation)
{
	enum wd_state state;
	int cancel;

	if (!wd_is_own(q->born))
		return WD_STATE_DEAD;
	cancel = wd_cancel_off();
	wd_queue_lock(q);
	state = state_of(q, generation);
	wd_queue_unlock(q);
	wd_cancel_as(cancel);
	return state;
}

int wd_queue_error(const struct wd_queue *q)
{
	return !wd_is_own(q->born) || state_of(q, NULL) == WD_STATE_DEAD ? -ENODEV : -EIO;
}

int wd_queue_fd(const struct wd_queue *q)
{
	int saved_errno = errno;
	int cancel, r;

	if (!wd_is_own(q->born))
		return -ENODEV;
	cancel = wd_cancel_off();
	wd_queue_lock(q);
	r = q->transport->event ? q->transport->event(q->tq) : -EOPNOTSUPP;
	wd_queue_unlock(q);
	wd_cancel_as(cancel);
	errno = saved_errno;
	return r;
}

unsigned int wd_queue_in_flight(const struct wd_queue *q)
{
	unsigned int nr;

	if (!wd_is_own(q->born))
		return 0;
	wd_queue_lock(q);
	nr = q->qm.in_flight;
	wd_queue_unlock(q);
	return nr;
}
