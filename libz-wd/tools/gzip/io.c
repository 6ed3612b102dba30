/* SPDX-License-Identifier: Zlib */
/* Buffered input and output of wd-gzip: large requests, so that a device gets large ones too. */
#include "config.h"
#include "gzip.h"
#include "piece.h"
#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	READ_LEN = 1 << 20,
	WINDOW_LEN = 32 << 10,
	OUT_LEN = 132 * WINDOW_LEN, /* sixteen parts of a stream of ours, and a bit */
	/* Less is written before a thread has woken up. */
	BEHIND_MIN = 512 << 10,
};

/* Untouched pages cost nothing, so a small file pays for what it uses. */
static unsigned char in_buf[PIECE_BACK_LEN + PIECE_LEN];
static unsigned char out_bufs[2][OUT_LEN];
static unsigned char *out_buf = out_bufs[0]; /* the other one is being written, or is free */
static size_t out_have;
static const unsigned char *behind_end; /* of what is being written; NULL: nothing is */

static struct piece first = { .in = in_buf + PIECE_BACK_LEN };
/* What was read of the input: head is being used, the others come behind it. */
static struct {
	struct piece *head;
	struct piece *tail;
	struct piece *spare;
	unsigned int nr; /* from head to tail */
	bool is_end;
	int err; /* of reading ahead, to be told when all before it is used */
} in = { .head = &first, .tail = &first };

static void clear_piece(struct piece *piece)
{
	piece->next = NULL;
	piece->len = piece->searched_len = 0;
	piece->is_closed = piece->is_refused = false;
	piece->state = PIECE_IDLE;
	piece->member_nr = piece->taken_nr = 0;
}

/* Forgets the first of several pieces. */
static void leave_head(void)
{
	struct piece *piece = in.head;

	in.head = piece->next;
	in.nr--;
	piece->next = in.spare;
	in.spare = piece;
	piece_wait(in.head);
}

void io_start(struct job *job)
{
	while (in.head != in.tail)
		leave_head();
	clear_piece(in.head);
	in.nr = 1;
	in.is_end = false;
	in.err = 0;
	job->next = in.head->in;
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

/* One read into the last piece. Counts what is read when it is come to. */
static ssize_t read_tail(struct job *job, size_t len)
{
	struct piece *tail = in.tail;
	ssize_t n = read(job->in_fd, tail->in + tail->len, len);

	if (n > 0) {
		tail->len += n;
		if (tail == in.head) {
			job->avail += n;
			job->in_len += n;
		}
	} else if (!n) {
		in.is_end = tail->is_closed = true;
	}
	return n;
}

/* More behind what is unread, of which all lies in one piece. */
static bool fill_more(struct job *job, size_t len)
{
	ssize_t n;

	if (in.is_end)
		return false;
	if (in.err) {
		errno = in.err;
		gzip_die_errno(job->in_name);
	}
	do
		n = read_tail(job, len);
	while (n < 0 && is_to_retry(job->in_fd, POLLIN));
	if (n < 0)
		gzip_die_errno(job->in_name);
	return n > 0;
}

bool io_fill(struct job *job)
{
	while (!job->avail && in.head != in.tail) {
		leave_head();
		job->next = in.head->in;
		job->avail = in.head->len;
		job->in_len += in.head->len;
	}
	if (job->avail)
		return true;
	clear_piece(in.head);
	job->next = in.head->in;
	return fill_more(job, READ_LEN);
}

void io_make_room(struct job *job, size_t len)
{
	struct piece *piece = in.head;

	if (PIECE_LEN - (size_t)(job->next - piece->in) >= len + READ_LEN)
		return;
	memmove(piece->in, job->next, job->avail);
	job->next = piece->in;
	piece->len = job->avail;
	piece->searched_len = 0;
}

bool io_fill_to(struct job *job, size_t len)
{
	io_make_room(job, PIECE_LEN);
	while (job->avail < len)
		if (!fill_more(job, len - job->avail))
			return false;
	return true;
}

ssize_t io_read(struct job *job, unsigned char *buf, size_t len)
{
	ssize_t n = read(job->in_fd, buf, len);

	if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
		gzip_die_errno(job->in_name);
	job->in_len += n > 0 ? n : 0;
	return n;
}

struct piece *io_head(void)
{
	return in.head;
}

struct piece *io_tail(void)
{
	return in.tail;
}

int io_ahead_fd(const struct job *job)
{
	return in.is_end || in.err ? -1 : job->in_fd;
}

size_t io_read_ahead(struct job *job, size_t len, int wait_ms)
{
	struct pollfd poll_fd = { .fd = job->in_fd, .events = POLLIN };
	ssize_t n;

	if (in.is_end || in.err || poll(&poll_fd, 1, wait_ms) <= 0)
		return 0;
	n = read_tail(job, len);
	if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
		in.err = errno;
	return n > 0 ? n : 0;
}

bool io_cut(struct job *job, size_t at, unsigned int piece_max)
{
	struct piece *tail = in.tail, *piece = in.spare;
	size_t len = tail->len - at;

	if (in.nr >= piece_max)
		return false;
	if (piece)
		in.spare = piece->next;
	else
		piece = piece_new();
	if (!piece)
		return false;
	clear_piece(piece);
	memcpy(piece->in, tail->in + at, len);
	piece->len = len;
	piece->is_closed = tail->is_closed;
	tail->len = at;
	tail->is_closed = true;
	tail->next = in.tail = piece;
	in.nr++;
	if (tail == in.head) {
		job->avail -= len;
		job->in_len -= len;
	}
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

/* What the thread could not write. */
static void settle(struct job *job)
{
	size_t left;

	if (!behind_end)
		return;
	left = writer_wait();
	write_all(job, behind_end - left, left);
	behind_end = NULL;
}

/* Bytes up to whole leave the buffer, and the others are moved to the one that comes next. */
static void leave_behind(struct job *job, size_t whole)
{
	unsigned char *next = out_buf == out_bufs[0] ? out_bufs[1] : out_bufs[0];

	settle(job);
	if (whole < BEHIND_MIN || job->out_fd < 0 || piece_thread_nr() < 2 ||
	    !writer_give(job->out_fd, out_buf, whole)) {
		write_all(job, out_buf, whole);
		next = out_buf;
	} else {
		behind_end = out_buf + whole;
	}
	memcpy(next, out_buf + whole, out_have - whole);
	out_buf = next;
	out_have -= whole;
}

/* Whole windows leave at once: a reader of a slow stream need not wait for a full buffer, and of a
 * damaged one gets as much as from GNU gzip. */
unsigned char *io_room(struct job *job, size_t *len)
{
	size_t whole = out_have - out_have % WINDOW_LEN;

	if (whole)
		leave_behind(job, whole);
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

void io_flush_windows(struct job *job)
{
	settle(job);
	write_all(job, out_buf, out_have - out_have % WINDOW_LEN);
	out_have = 0;
}

void io_flush(struct job *job)
{
	settle(job);
	write_all(job, out_buf, out_have);
	out_have = 0;
}

void io_write(struct job *job, const unsigned char *data, size_t len)
{
	io_flush(job);
	write_all(job, data, len);
}
