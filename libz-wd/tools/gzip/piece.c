/* SPDX-License-Identifier: Zlib */
/* Threads that inflate the members of pieces. They know nothing of files, messages or options. */
#include "config.h"
#include "piece.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zlib.h>

enum {
	GZIP_WINDOW_BITS = 15 + 16,
	HEADER_LEN = 10,
	CHUNK = 64,
	TRAILER_LEN = 8,
	OUT_LEN = 6 << 20,
	OUT_ENOUGH = 3 << 19, /* more is made when that was written: memory that is touched again costs less */
	MEMBER_MAX = 8192,
	THREAD_MAX = 4,
	/* Room beyond what a trailer promises: the end of the data is seen before that of the room. */
	ROOM_SPARE = 64,
	/* A device writes into a room of this size as it is. */
	ROOM_MIN = 64 << 10,
	/* A member that makes as much as that is no small one, and this is input enough to say so. */
	LARGE_OUT = 32 << 10,
	LARGE_IN = 8 << 10,
};

enum {
	FLAG_HEADER_CRC = 0x02,
	FLAG_EXTRA = 0x04,
	FLAG_NAME = 0x08,
	FLAG_COMMENT = 0x10,
	FLAG_UNKNOWN = 0xe0,
};

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t is_given;
	struct piece *given[THREAD_MAX + 4];
	unsigned int given_nr;
	pthread_t threads[THREAD_MAX];
	unsigned int thread_nr;
	bool is_failed; /* more threads cannot be had */
	atomic_bool is_ending;
	int done_fd;
} pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.is_given = PTHREAD_COND_INITIALIZER,
	.done_fd = -1,
};

static size_t le16(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

static size_t le32(const unsigned char *p)
{
	return le16(p) | (size_t)le16(p + 2) << 16;
}

/* The size that BGZF keeps in the field BC, one less than it is. */
static size_t member_len(const unsigned char *extra, size_t len)
{
	size_t at = 0;

	while (at + 4 <= len) {
		size_t field_len = le16(extra + at + 2);

		if (extra[at] == 'B' && extra[at + 1] == 'C' && field_len == 2 && at + 6 <= len)
			return le16(extra + at + 4) + 1;
		at += 4 + field_len;
	}
	return 0;
}

static size_t text_len(const unsigned char *data, size_t len)
{
	const unsigned char *end = memchr(data, 0, len);

	return end ? (size_t)(end - data) + 1 : len;
}

size_t piece_header(const unsigned char *data, size_t len, size_t *whole_len)
{
	size_t at = HEADER_LEN, extra_len;

	*whole_len = 0;
	if (len < HEADER_LEN + 2 || data[0] != 0x1f || data[1] != 0x8b || data[2] != Z_DEFLATED ||
	    data[3] & FLAG_UNKNOWN)
		return 0;
	if (data[3] & FLAG_EXTRA) {
		extra_len = le16(data + at);
		at += 2;
		if (extra_len > len - at)
			return 0;
		*whole_len = member_len(data + at, extra_len);
		at += extra_len;
	}
	if (data[3] & FLAG_NAME)
		at += text_len(data + at, len - at);
	if (data[3] & FLAG_COMMENT)
		at += text_len(data + at, len - at);
	if (data[3] & FLAG_HEADER_CRC)
		at += 2;
	return at < len ? at : 0;
}

/* Does what a member begins with begin at one of the CHUNK bytes at at? */
static bool has_magic(const unsigned char *at)
{
	unsigned char nr = 0;

	/* Of a fixed number, and without an end: all at once, where a machine can. */
	for (int n = 0; n < CHUNK; n++)
		nr |= (unsigned char)(((at[n] ^ 0x1f) | (at[n + 1] ^ 0x8b)) ? 0 : 1);
	return nr;
}

size_t piece_find(const unsigned char *data, size_t len, size_t from)
{
	size_t at = from;

	while (at + 3 < len) {
		size_t stop = len - at > CHUNK + 3 ? at + CHUNK : len - 3;

		if (stop - at == CHUNK && !has_magic(data + at)) {
			at = stop;
			continue;
		}
		/* With its flags. */
		for (; at < stop; at++)
			if (data[at] == 0x1f && data[at + 1] == 0x8b && data[at + 2] == Z_DEFLATED &&
			    !(data[at + 3] & FLAG_UNKNOWN))
				return at;
	}
	return len;
}

bool piece_has_empty_code(const unsigned char *data, size_t len)
{
	size_t bit, end;

	if (len < 3 || (data[0] >> 1 & 3) != 2)
		return false;
	/* RFC 1951, 3.2.7: HCLEN is in bits 13 to 16, and that many and four lengths of 3 bits
	 * follow. */
	end = 17 + 3 * (4 + ((data[1] | data[2] << 8) >> 5 & 15));
	for (bit = 17; bit < end; bit++)
		if (bit / 8 >= len || data[bit / 8] >> bit % 8 & 1)
			return false;
	return true;
}

struct piece *piece_new(void)
{
	struct piece *piece = calloc(1, sizeof(*piece));
	unsigned char *in = malloc(PIECE_BACK_LEN + PIECE_LEN);

	if (!piece || !in) {
		free(piece);
		free(in);
		return NULL;
	}
	piece->in = in + PIECE_BACK_LEN;
	return piece;
}

/*
 * Inflates until the end of the member, an error, or the end of what it may read. The library gets
 * to see no more input and room than the member is thought to need, so that it knows a small one as
 * such.
 */
static int inflate_member(z_stream *strm, unsigned char *end, size_t guess_len,
			  unsigned char *room_end, size_t guess_room)
{
	size_t left = end - strm->next_in, room = room_end - strm->next_out;
	bool is_all = false;
	int rc;

	strm->avail_in = guess_len < left ? guess_len : left;
	strm->avail_out = guess_room < room ? guess_room : room;
	for (;;) {
		const unsigned char *in = strm->next_in, *out = strm->next_out;

		rc = inflate(strm, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return rc;
		if (strm->next_in != in || strm->next_out != out)
			continue;
		if (is_all)
			return Z_BUF_ERROR;
		/* The guess was wrong. */
		is_all = true;
		strm->avail_in = end - strm->next_in;
		strm->avail_out = room_end - strm->next_out;
	}
}

static void inflate_piece(struct piece *piece, z_stream *strm)
{
	unsigned char *end = piece->in + piece->len, *at = piece->in + piece->begin;
	size_t out = 0, skip = 0;

	while (at < end && !atomic_load_explicit(&pool.is_ending, memory_order_relaxed)) {
		size_t left = end - at, len, header = piece_header(at, left, &len);
		size_t room = OUT_LEN - out;
		struct member *member = &piece->members[piece->member_nr];

		if (!header || piece_has_empty_code(at + header, left - header) ||
		    inflateReset(strm) != Z_OK)
			return;
		if (piece->member_nr == MEMBER_MAX || out >= OUT_ENOUGH) {
			piece->is_full = true;
			return;
		}
		/* They are often of similar lengths. */
		if (len < header + TRAILER_LEN || len > left)
			len = piece_find(at, left, skip < header ? header : skip < left ? skip : left);
		if (len >= header + TRAILER_LEN)
			room = le32(at + len - 4) + ROOM_SPARE;
		if (room > LARGE_OUT && len < header + LARGE_IN)
			len = header + LARGE_IN;
		if (room < ROOM_MIN)
			room = ROOM_MIN;
		strm->next_in = at;
		strm->next_out = piece->out + out;
		if (inflate_member(strm, end, len, piece->out + OUT_LEN, room) != Z_STREAM_END) {
			piece->is_full = strm->next_out == piece->out + OUT_LEN;
			return;
		}
		*member = (struct member){
			.body = at + header - piece->in,
			.end = strm->next_in - piece->in,
			.out = out,
			.out_len = strm->next_out - (piece->out + out),
			.crc = strm->adler,
		};
		out += member->out_len;
		skip = (strm->next_in - at) / 8 * 7;
		piece->member_nr++;
		at = (unsigned char *)strm->next_in;
	}
}

static struct piece *take_given(void)
{
	struct piece *piece = NULL;

	pthread_mutex_lock(&pool.lock);
	while (!pool.given_nr && !pool.is_ending)
		pthread_cond_wait(&pool.is_given, &pool.lock);
	if (pool.given_nr) {
		piece = pool.given[0];
		pool.given_nr--;
		memmove(pool.given, pool.given + 1, pool.given_nr * sizeof(piece));
	}
	pthread_mutex_unlock(&pool.lock);
	return piece;
}

static void *work(void *arg)
{
	z_stream strm = { 0 };
	const uint64_t one = 1;
	struct piece *piece;
	int rc = inflateInit2(&strm, GZIP_WINDOW_BITS);

	while ((piece = take_given())) {
		if (rc == Z_OK)
			inflate_piece(piece, &strm);
		/* The results, before that there are any. */
		atomic_store_explicit(&piece->state, PIECE_DONE, memory_order_release);
		while (write(pool.done_fd, &one, sizeof(one)) < 0)
			;
	}
	inflateEnd(&strm);
	return arg;
}

unsigned int piece_thread_nr(void)
{
	static unsigned int nr;
	cpu_set_t cpus;

	if (!nr) {
		nr = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
		nr = nr < THREAD_MAX ? nr : THREAD_MAX;
	}
	return nr;
}

/* Signals are the first thread's. */
static bool start_thread(void)
{
	sigset_t all, before;
	int rc;

	if (pool.done_fd < 0)
		pool.done_fd = eventfd(0, EFD_CLOEXEC);
	if (pool.done_fd < 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&pool.threads[pool.thread_nr], NULL, work, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pool.thread_nr += !rc;
	return !rc;
}

bool piece_give(struct piece *piece, ptrdiff_t begin)
{
	if (!piece->out)
		piece->out = malloc(OUT_LEN);
	if (!piece->members)
		piece->members = malloc(MEMBER_MAX * sizeof(*piece->members));
	if (!piece->out || !piece->members)
		return false;
	/* Fewer than wanted are enough. */
	if (pool.thread_nr < piece_thread_nr() && !pool.is_failed)
		pool.is_failed = !start_thread();
	if (!pool.thread_nr)
		return false;
	piece->begin = begin;
	piece->member_nr = piece->taken_nr = 0;
	piece->is_full = false;
	atomic_store_explicit(&piece->state, PIECE_GIVEN, memory_order_relaxed);
	pthread_mutex_lock(&pool.lock);
	pool.given[pool.given_nr++] = piece;
	pthread_cond_signal(&pool.is_given);
	pthread_mutex_unlock(&pool.lock);
	return true;
}

int piece_done_fd(void)
{
	return pool.done_fd;
}

void piece_clear_done(void)
{
	uint64_t nr;

	if (read(pool.done_fd, &nr, sizeof(nr)) < 0)
		return;
}

void piece_wait(struct piece *piece)
{
	struct pollfd done = { .fd = pool.done_fd, .events = POLLIN };

	while (atomic_load_explicit(&piece->state, memory_order_acquire) == PIECE_GIVEN)
		if (poll(&done, 1, -1) > 0)
			piece_clear_done();
}

void piece_end(void)
{
	unsigned int i;

	pthread_mutex_lock(&pool.lock);
	pool.is_ending = true;
	pool.given_nr = 0;
	pthread_cond_broadcast(&pool.is_given);
	pthread_mutex_unlock(&pool.lock);
	for (i = 0; i < pool.thread_nr; i++)
		pthread_join(pool.threads[i], NULL);
	pool.thread_nr = 0;
}
