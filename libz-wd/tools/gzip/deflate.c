/* SPDX-License-Identifier: Zlib */
/* Deflating beside reading and writing. Like piece.c it knows nothing of files, messages or
 * options. */
#include "config.h"
#include "deflate.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MORE_LEN = 256 << 10 };

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t is_given;
	pthread_t thread;
	z_stream *strm;
	struct deflate_block *given[DEFLATE_GIVEN_MAX]; /* the longest waiting first */
	unsigned int given_nr;
	bool is_running;
	bool is_ending;
	int done_fd;
} worker = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.is_given = PTHREAD_COND_INITIALIZER,
	.done_fd = -1,
};

/* What a stream still holds of blocks before comes on top of what this one may become. */
static bool make_room(struct deflate_block *block, size_t len)
{
	unsigned char *out;

	if (block->out_room - block->out_len >= len)
		return true;
	out = realloc(block->out, block->out_len + len);
	if (!out)
		return false;
	block->out = out;
	block->out_room = block->out_len + len;
	return true;
}

void deflate_block(z_stream *strm, struct deflate_block *block)
{
	int flush = block->is_last ? Z_FINISH : Z_NO_FLUSH;
	size_t len = deflateBound(strm, block->in_len);

	strm->next_in = block->in;
	strm->avail_in = block->in_len;
	block->out_len = 0;
	do {
		if (!make_room(block, len) && !make_room(block, MORE_LEN)) {
			block->rc = Z_MEM_ERROR;
			return;
		}
		len = block->out_room - block->out_len;
		strm->next_out = block->out + block->out_len;
		strm->avail_out = len;
		block->rc = deflate(strm, flush);
		block->out_len += len - strm->avail_out;
		len = MORE_LEN;
		if (block->rc != Z_OK && block->rc != Z_BUF_ERROR)
			return;
	} while (strm->avail_in || !strm->avail_out || block->is_last);
	block->rc = Z_OK;
}

static void *work(void *arg)
{
	const uint64_t one = 1;
	struct deflate_block *block;

	for (;;) {
		pthread_mutex_lock(&worker.lock);
		while (!worker.given_nr && !worker.is_ending)
			pthread_cond_wait(&worker.is_given, &worker.lock);
		if (!worker.given_nr)
			break;
		block = worker.given[0];
		memmove(worker.given, worker.given + 1, --worker.given_nr * sizeof(block));
		pthread_mutex_unlock(&worker.lock);
		deflate_block(worker.strm, block);
		/* The result, before that there is one. */
		atomic_store_explicit(&block->state, DEFLATE_DONE, memory_order_release);
		while (write(worker.done_fd, &one, sizeof(one)) < 0)
			;
	}
	pthread_mutex_unlock(&worker.lock);
	return arg;
}

bool deflate_start(z_stream *strm)
{
	sigset_t all, before;

	if (worker.done_fd < 0)
		worker.done_fd = eventfd(0, EFD_CLOEXEC);
	if (worker.done_fd < 0)
		return false;
	worker.strm = strm;
	worker.is_ending = false;
	/* Signals are the first thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	worker.is_running = !pthread_create(&worker.thread, NULL, work, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return worker.is_running;
}

void deflate_give(struct deflate_block *block)
{
	atomic_store_explicit(&block->state, DEFLATE_GIVEN, memory_order_relaxed);
	pthread_mutex_lock(&worker.lock);
	worker.given[worker.given_nr++] = block;
	pthread_cond_signal(&worker.is_given);
	pthread_mutex_unlock(&worker.lock);
}

int deflate_done_fd(void)
{
	return worker.done_fd;
}

void deflate_clear_done(void)
{
	uint64_t nr;

	if (read(worker.done_fd, &nr, sizeof(nr)) < 0)
		return;
}

void deflate_stop(void)
{
	if (!worker.is_running)
		return;
	pthread_mutex_lock(&worker.lock);
	worker.is_ending = true;
	pthread_cond_signal(&worker.is_given);
	pthread_mutex_unlock(&worker.lock);
	pthread_join(worker.thread, NULL);
	worker.is_running = false;
}
