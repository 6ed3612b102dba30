/* SPDX-License-Identifier: Zlib */
/* Writing beside inflating. One buffer at a time; failures are left to the thread that owns the
 * messages. */
#include "config.h"
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t is_changed;
	pthread_t thread;
	int fd;
	const unsigned char *data;
	size_t len; /* to be written */
	bool is_given;
	bool is_running;
	bool is_ending;
} writer = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.is_changed = PTHREAD_COND_INITIALIZER,
};

static size_t write_out(int fd, const unsigned char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		data += n;
		len -= n;
	}
	return len;
}

static void *work(void *arg)
{
	pthread_mutex_lock(&writer.lock);
	for (;;) {
		size_t left;

		while (!writer.is_given && !writer.is_ending)
			pthread_cond_wait(&writer.is_changed, &writer.lock);
		if (!writer.is_given)
			break;
		pthread_mutex_unlock(&writer.lock);
		left = write_out(writer.fd, writer.data, writer.len);
		pthread_mutex_lock(&writer.lock);
		writer.len = left;
		writer.is_given = false;
		pthread_cond_signal(&writer.is_changed);
	}
	pthread_mutex_unlock(&writer.lock);
	return arg;
}

/* Signals are the first thread's; and a write that ends by one is tried again there. */
static bool start(void)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	writer.is_running = !pthread_create(&writer.thread, NULL, work, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return writer.is_running;
}

bool writer_give(int fd, const unsigned char *data, size_t len)
{
	if (!writer.is_running && !start())
		return false;
	pthread_mutex_lock(&writer.lock);
	writer.fd = fd;
	writer.data = data;
	writer.len = len;
	writer.is_given = true;
	pthread_cond_signal(&writer.is_changed);
	pthread_mutex_unlock(&writer.lock);
	return true;
}

size_t writer_wait(void)
{
	size_t left;

	if (!writer.is_running)
		return 0;
	pthread_mutex_lock(&writer.lock);
	while (writer.is_given)
		pthread_cond_wait(&writer.is_changed, &writer.lock);
	left = writer.len;
	writer.len = 0;
	pthread_mutex_unlock(&writer.lock);
	return left;
}

void writer_stop(void)
{
	if (!writer.is_running)
		return;
	pthread_mutex_lock(&writer.lock);
	writer.is_ending = true;
	pthread_cond_signal(&writer.is_changed);
	pthread_mutex_unlock(&writer.lock);
	pthread_join(writer.thread, NULL);
	writer.is_running = false;
}
