/* SPDX-License-Identifier: Zlib */
/* The work of wd-gzip itself: files through deflate() and inflate(). */
#include "config.h"
#include "deflate.h"
#include "gzip.h"
#include "piece.h"
#include "writer.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

enum {
	GZIP_WINDOW_BITS = 15 + 16,
	MEM_LEVEL = 8,
	OS_UNIX = 3,
	TRAILER_LEN = 8,
	BLOCK_MIN = 128 << 10,
	CUT_MIN = 4 << 10,
	CUT_MAX = 256 << 10,
	CUT_BITS = 15,
	HUGE_LEN = 2 << 20,
	OUT_LEN = PIECE_LEN + HUGE_LEN,
	PORTION_MIN = 4 << 10,
	ROOM_LEN = 2 << 20,
	PARTS_LEN = 3 << 19,
	FLUSH_NEAR = 512 << 10,
};

/* Where --rsyncable cuts: by a hash of the last 64 bytes, so that cuts move with the contents. */
struct cutter {
	uint64_t hash;
	size_t since;
};

/* Bytes of data up to the next cut, or len; *is_cut tells which. */
static size_t cutter_next(struct cutter *cut, const unsigned char *data, size_t len, bool *is_cut)
{
	const uint64_t golden = 0x9e3779b97f4a7c15;
	size_t i;

	*is_cut = false;
	for (i = 0; i < len && !*is_cut; i++) {
		cut->hash = (cut->hash << 1) + data[i];
		cut->since++;
		*is_cut = cut->since == CUT_MAX ||
			  (cut->since >= CUT_MIN && cut->hash * golden >> (64 - CUT_BITS) == 1);
	}
	if (*is_cut)
		cut->since = 0;
	return i;
}

static _Noreturn void die_zlib(const struct job *job, int rc)
{
	gzip_die(job, rc == Z_MEM_ERROR ? "memory exhausted" : "internal error of zlib");
}

/* All of the input, and with Z_FINISH the end of the stream. */
static void deflate_all(struct job *job, z_stream *strm, size_t len, int flush)
{
	size_t room;
	int rc;

	strm->next_in = job->next;
	strm->avail_in = len;
	do {
		strm->next_out = io_room(job, &room);
		strm->avail_out = room;
		rc = deflate(strm, flush);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			die_zlib(job, rc);
		io_put(job, room - strm->avail_out);
	} while (flush == Z_FINISH ? rc != Z_STREAM_END : strm->avail_in || !strm->avail_out);
	job->next += len;
	job->avail -= len;
}

/* What the header says of the file. */
static void describe(struct job *job, gz_header *header)
{
	char *slash = strrchr(job->in_name, '/');

	memset(header, 0, sizeof(*header));
	header->os = OS_UNIX;
	job->header_len = 10 + TRAILER_LEN;
	if (!opt.no_name && job->in_fd) {
		header->name = (Bytef *)(slash ? slash + 1 : job->in_name);
		job->header_len += strlen((char *)header->name) + 1;
	}
	if (opt.no_time || job->mtime.tv_nsec < 0)
		return;
	if (job->mtime.tv_sec > 0 && job->mtime.tv_sec <= UINT32_MAX)
		header->time = job->mtime.tv_sec;
	else
		gzip_warn("%s: warning: file timestamp out of range for gzip format", job->in_name);
}

static void wait_block(const struct deflate_block *block)
{
	struct pollfd done = { .fd = deflate_done_fd(), .events = POLLIN };

	while (atomic_load_explicit(&block->state, memory_order_acquire) == DEFLATE_GIVEN)
		if (poll(&done, 1, -1) > 0)
			deflate_clear_done();
}

static void write_block(struct job *job, const struct deflate_block *block)
{
	if (block->rc != Z_OK && block->rc != Z_STREAM_END)
		die_zlib(job, block->rc);
	io_write(job, block->out, block->out_len);
	job->out_len += block->out_len;
}

/* Until the block is full, or the input ends. A slow writer's is worth a call when nothing else is
 * in work. */
static void read_block(struct job *job, struct deflate_block *block,
		       const struct deflate_block *in_work)
{
	struct pollfd fds[] = { { .fd = job->in_fd, .events = POLLIN },
				{ .fd = deflate_done_fd(), .events = POLLIN } };
	ssize_t len;

	block->in_len = 0;
	block->is_last = false;
	while (!block->is_last && block->in_len < PIECE_LEN) {
		bool is_done =
			atomic_load_explicit(&in_work->state, memory_order_acquire) == DEFLATE_DONE;
		bool is_enough = is_done && block->in_len >= BLOCK_MIN;

		fds[1].fd = is_done ? -1 : deflate_done_fd();
		if (poll(fds, 2, is_enough ? 0 : -1) < 0)
			continue;
		if (fds[1].revents)
			deflate_clear_done();
		if (fds[0].revents) {
			len = io_read(job, block->in + block->in_len, PIECE_LEN - block->in_len);
			block->is_last = !len;
			block->in_len += len > 0 ? len : 0;
		} else if (is_enough) {
			return;
		}
	}
}

/* A thread deflates one block while the next is read, which it finds when it is done, and the one
 * before written. */
static void compress_beside(struct job *job, struct deflate_block *block,
			    struct deflate_block *large)
{
	unsigned int nr = 0;

	deflate_give(block);
	while (!block->is_last) {
		struct deflate_block *next = &large[nr++ % 2];

		read_block(job, next, block);
		deflate_give(next);
		wait_block(block);
		write_block(job, block);
		block = next;
	}
	wait_block(block);
	write_block(job, block);
	deflate_stop();
}

/* In few pages: the faults of small ones cost as much as copying what they hold. */
static unsigned char *large_buf(size_t len)
{
	unsigned char *buf = aligned_alloc(HUGE_LEN, len);

	if (buf)
		madvise(buf, len, MADV_HUGEPAGE);
	return buf;
}

static bool make_large(struct deflate_block *large)
{
	for (int i = 0; i < 2; i++) {
		if (!large[i].in)
			large[i].in = large_buf(PIECE_LEN);
		if (!large[i].out && (large[i].out = large_buf(OUT_LEN)))
			large[i].out_room = OUT_LEN;
	}
	return large[0].in && large[1].in;
}

/*
 * In calls as large as a device likes them, and with room for all that one can make. The end is
 * known before the last bytes are handed over: a file in one buffer is one call. A large file's first
 * call is a small one, so that the device begins early.
 */
static void compress_plain(struct job *job, z_stream *strm)
{
	static struct deflate_block block, large[2];
	bool is_large = job->st.st_size > 2 * PIECE_LEN && piece_thread_nr() > 1;
	size_t len = S_ISREG(job->st.st_mode) && !is_large ? PIECE_LEN : BLOCK_MIN;

	block.is_last = !io_fill_to(job, len);
	block.in = job->next;
	block.in_len = job->avail;
	if (!block.is_last && piece_thread_nr() > 1 && make_large(large) && deflate_start(strm)) {
		compress_beside(job, &block, large);
		return;
	}
	for (;;) {
		deflate_block(strm, &block);
		write_block(job, &block);
		if (block.is_last)
			return;
		job->avail = 0;
		block.is_last = !io_fill_to(job, len);
		block.in = job->next;
		block.in_len = job->avail;
	}
}

/* From cut to cut in one call each: where a buffer ends must not show in the output. */
static void compress_cut(struct job *job, z_stream *strm)
{
	struct cutter cut = { 0 };
	bool is_end, is_cut;
	size_t seen = 0;

	do {
		is_end = !io_fill_to(job, PIECE_LEN);
		for (;;) {
			seen += cutter_next(&cut, job->next + seen, job->avail - seen, &is_cut);
			if (!is_cut)
				break;
			deflate_all(job, strm, seen, Z_FULL_FLUSH);
			seen = 0;
		}
	} while (!is_end);
	deflate_all(job, strm, job->avail, Z_FINISH);
}

/* One stream for all files; they are ended with the process, for the statistics. */
static z_stream deflater, inflater;

void codec_end(void)
{
	piece_end();
	deflate_stop();
	writer_stop();
	deflateEnd(&deflater);
	inflateEnd(&inflater);
}

void codec_compress(struct job *job)
{
	static gz_header header;
	int rc;

	if (deflater.state)
		rc = deflateReset(&deflater);
	else
		rc = deflateInit2(&deflater, opt.level, Z_DEFLATED, GZIP_WINDOW_BITS, MEM_LEVEL,
				  Z_DEFAULT_STRATEGY);
	describe(job, &header);
	if (rc == Z_OK)
		rc = deflateSetHeader(&deflater, &header);
	if (rc != Z_OK)
		die_zlib(job, rc);
	if (opt.rsyncable)
		compress_cut(job, &deflater);
	else
		compress_plain(job, &deflater);
	io_flush(job);
}

/* zlib's message is the only thing that tells a wrong checksum from a wrong length. */
static int check_failed(struct job *job, const char *msg)
{
	bool is_crc = msg && !strcmp(msg, "incorrect data check");

	/* No fault of the data: the library says so where it cannot go on without a device. */
	if (msg && !strncmp(msg, "device failed", strlen("device failed")))
		gzip_die(job, msg);
	if (!is_crc && (!msg || strcmp(msg, "incorrect length check"))) {
		io_flush_windows(job);
		gzip_die(job, "invalid compressed data--format violated");
	}
	io_flush(job);
	if (is_crc)
		gzip_error("\n%s: invalid compressed data--crc error", job->in_name);
	if (!is_crc || io_need_le(job, 4) != (uint32_t)job->out_len)
		gzip_error("\n%s: invalid compressed data--length error", job->in_name);
	return -1;
}

/*
 * Input for one call: what fills most of the room, by what the call before made of its own. A library that
 * finds the room full goes on in memory of its own, and what it makes there is copied.
 */
static size_t portion(size_t avail, size_t room, size_t in, size_t out)
{
	size_t len = room / 4;

	if (in && out)
		len = (uint64_t)(room - room / 4) * in / out;
	if (len < PORTION_MIN)
		len = PORTION_MIN;
	return len < avail ? len : avail;
}

/* Where the last flush point in data ends; 0: there is none near the end. */
static size_t last_flush(const unsigned char *data, size_t len)
{
	const unsigned char *from = data + (len > FLUSH_NEAR ? len - FLUSH_NEAR : 0), *at = data + len;

	while (at > from && (at = memrchr(from, 0xff, at - from)))
		if (at - from >= 3 && at[-1] == 0xff && !at[-2] && !at[-3])
			return at + 1 - data;
	return 0;
}

/*
 * A file that was made in parts, with flush points between them: several engines take one each. So a call has many,
 * and none that is cut off. From a pipe that is not worth a wait.
 */
static bool has_parts(const struct job *job)
{
	return S_ISREG(job->st.st_mode) && piece_thread_nr() > 1 && io_head() == io_tail() &&
	       last_flush(job->next, job->avail < FLUSH_NEAR ? job->avail : FLUSH_NEAR);
}

/* False: there is none. */
static bool fill_parts(struct job *job)
{
	if (!io_fill(job))
		return false;
	if (io_head() != io_tail())
		return true;
	io_make_room(job, PARTS_LEN);
	while (job->avail < PARTS_LEN && io_read_ahead(job, PARTS_LEN - job->avail, 0))
		;
	return true;
}

int codec_inflate(struct job *job, int window_bits)
{
	bool has_room = true, has_more = true, is_in_parts = false, is_first = true;
	size_t room, len = 0, made = 0, cut;
	int rc;

	rc = inflater.state ? inflateReset2(&inflater, window_bits) : inflateInit2(&inflater, window_bits);
	if (rc != Z_OK)
		die_zlib(job, rc);
	inflater.avail_in = 0;
	for (;;) {
		/* Not while results wait: reading may block. */
		if (has_room)
			has_more = is_in_parts ? fill_parts(job) : io_fill(job);
		inflater.next_out = io_room(job, &room);
		if (!is_in_parts && room > ROOM_LEN)
			room = ROOM_LEN;
		inflater.avail_out = room;
		len = portion(job->avail, room, len, made);
		cut = is_in_parts ? last_flush(job->next, len) : 0;
		len = cut ? cut : len;
		/* What was shown may have been read. */
		if (len < inflater.avail_in)
			len = inflater.avail_in;
		inflater.next_in = job->next;
		inflater.avail_in = len;
		rc = inflate(&inflater, Z_NO_FLUSH);
		len -= inflater.avail_in;
		made = room - inflater.avail_out;
		has_room = inflater.avail_out;
		if (window_bits < 0)
			job->crc = crc32(job->crc, inflater.next_out - made, made);
		io_put(job, made);
		job->next += len;
		job->avail -= len;
		if (rc == Z_STREAM_END)
			break;
		is_in_parts = is_in_parts || (is_first && has_parts(job));
		is_first = false;
		if (rc == Z_DATA_ERROR || rc == Z_NEED_DICT)
			return check_failed(job, inflater.msg);
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			die_zlib(job, rc);
		if (!has_more && !made) {
			io_flush(job);
			gzip_die(job, "unexpected end of file");
		}
	}
	if (window_bits > 0)
		job->crc = inflater.adler;
	return 0;
}

/* The body of a member. zlib gets a header without the fields that it need not see, so that
 * checksum and length are its, or a device's, work. */
static int inflate_member(struct job *job)
{
	static const unsigned char header[10] = { 0x1f, 0x8b, Z_DEFLATED, 0, 0, 0, 0, 0, 0, OS_UNIX };
	unsigned char start[10];

	if (members_take(job))
		return 0;
	if (piece_has_empty_code(start, io_peek(job, start, sizeof(start))))
		gzip_die(job, "invalid compressed data--format violated");
	io_unread(job, header, sizeof(header));
	return codec_inflate(job, GZIP_WINDOW_BITS);
}

/* What is no member passes as it is, under -cdf. */
static int copy(struct job *job)
{
	size_t room, len;

	while (io_fill(job)) {
		unsigned char *out = io_room(job, &room);

		len = job->avail < room ? job->avail : room;
		memcpy(out, job->next, len);
		io_put(job, len);
		job->next += len;
		job->avail -= len;
	}
	return 0;
}

static int decompress_member(struct job *job)
{
	switch (job->method) {
	case METHOD_DEFLATE:
		return inflate_member(job);
	case METHOD_LZW:
		return old_lzw(job);
	case METHOD_PACK:
		return old_pack(job);
	case METHOD_ZIP:
	case METHOD_ZIP_STORED:
		return old_zip(job);
	default:
		return copy(job);
	}
}

int codec_decompress(struct job *job)
{
	for (;;) {
		job->out_len = 0;
		if (decompress_member(job))
			return -1;
		io_flush(job);
		if (job->is_last || !io_fill(job))
			return 0;
		job->method = format_read(job);
		if (job->method == METHOD_NONE)
			return 0;
	}
}
