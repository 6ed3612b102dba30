/* SPDX-License-Identifier: Zlib */
/* Buffered input and output of wd-gzip: large requests, so that a device gets large ones too. */
#include "config.h"
#include "gzip.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	IN_LEN = 1 << 20,
	WINDOW_LEN = 32 << 10,
	OUT_LEN = 40 * WINDOW_LEN,
};

/* Untouched pages cost nothing, so a small file pays for what it uses. */
static unsigned char in_buf[IO_BACK_LEN + IN_LEN];
static unsigned char out_buf[OUT_LEN];
static size_t out_have;

void io_start(struct job *job)
{
	job->next = in_buf + IO_BACK_LEN;
	job->avail = 0;
	out_have = 0;
}

/*
 * Is a read or write that failed to be tried again? Whoever shares the descriptor may have made it
 * non-blocking; its mode is theirs to change, so what it lacks is waited for.
 */
static bool is_to_retry(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int err = errno;

	if (err == EAGAIN || err == EWOULDBLOCK)
		poll(&poll_fd, 1, -1);
	errno = err;
	return err == EINTR || err == EAGAIN || err == EWOULDBLOCK;
}

/* More behind what is unread. */
static bool fill_more(struct job *job)
{
	unsigned char *end = job->next + job->avail;
	ssize_t n;

	do
		n = read(job->in_fd, end, in_buf + sizeof(in_buf) - end);
	while (n < 0 && is_to_retry(job->in_fd, POLLIN));
	if (n < 0)
		gzip_die_errno(job->in_name);
	job->avail += n;
	job->in_len += n;
	return n > 0;
}

bool io_fill(struct job *job)
{
	if (job->avail)
		return true;
	job->next = in_buf + IO_BACK_LEN;
	return fill_more(job);
}

bool io_fill_all(struct job *job)
{
	memmove(in_buf + IO_BACK_LEN, job->next, job->avail);
	job->next = in_buf + IO_BACK_LEN;
	while (job->next + job->avail < in_buf + sizeof(in_buf))
		if (!fill_more(job))
			return false;
	return true;
}

size_t io_peek(struct job *job, unsigned char *buf, size_t len)
{
	size_t n;
	int c = 0;

	for (n = 0; n < len && (c = io_byte(job)) >= 0; n++)
		buf[n] = c;
	io_unread(job, buf, n);
	return n;
}

int io_byte(struct job *job)
{
	if (!io_fill(job))
		return -1;
	job->avail--;
	return *job->next++;
}

unsigned int io_need(struct job *job)
{
	int c = io_byte(job);

	if (c < 0) {
		io_flush(job);
		gzip_die(job, "unexpected end of file");
	}
	return c;
}

uint32_t io_need_le(struct job *job, unsigned int bytes)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		value |= (uint32_t)io_need(job) << 8 * i;
	return value;
}

void io_unread(struct job *job, const void *data, size_t len)
{
	job->next -= len;
	job->avail += len;
	memcpy(job->next, data, len);
}

static void write_all(struct job *job, const unsigned char *data, size_t len)
{
	while (job->out_fd >= 0 && len) {
		ssize_t n = write(job->out_fd, data, len);

		if (n < 0 && is_to_retry(job->out_fd, POLLOUT))
			continue;
		if (n < 0)
			gzip_die_errno(job->out_name);
		data += n;
		len -= n;
	}
}

/* Whole windows leave at once: a reader of a slow stream need not wait for a full buffer, and of a
 * damaged one gets as much as from GNU gzip. */
unsigned char *io_room(struct job *job, size_t *len)
{
	size_t whole = out_have - out_have % WINDOW_LEN;

	if (whole) {
		write_all(job, out_buf, whole);
		memcpy(out_buf, out_buf + whole, out_have - whole);
		out_have -= whole;
	}
	*len = OUT_LEN - out_have;
	return out_buf + out_have;
}

void io_put(struct job *job, size_t len)
{
	out_have += len;
	job->out_len += len;
}

void io_put_byte(struct job *job, unsigned char byte)
{
	if (out_have == OUT_LEN)
		io_flush(job);
	out_buf[out_have++] = byte;
	job->out_len++;
}

void io_flush(struct job *job)
{
	write_all(job, out_buf, out_have);
	out_have = 0;
}
