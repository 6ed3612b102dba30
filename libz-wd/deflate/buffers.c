/* SPDX-License-Identifier: Zlib */
/* The caller's buffers, and what waits on this side of them: input for the next unit, output for room. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deflate/buffers.h"
#include "engine/jobq.h"
#include "operate/settings.h"
#include "stream/checksum.h"
#include "stream/format.h"
#include "stream/shield.h"

/*
 * Input that tells the kind of data: about what zlib's first block has of such as it does not compress
 * well, and then it is the same.
 */
#define TYPE_LEN 8192u
/* Behind output that waits outside its block: the end of the stream. */
#define END_LEN 64u

enum { BLOCK_GATHER, BLOCK_PEND, BLOCK_HISTORY, BLOCK_CTX };

int zwd_deflate_get_blocks(struct zwd_stream *s)
{
	unsigned char *blocks[ZWD_BLOCKS];
	int ret;

	/* The library's own are where they were. */
	if (s->d.scratch)
		return 0;
	ret = zwd_stream_blocks(s, s->d.mem_level, blocks);
	if (ret)
		return ret;
	s->d.gather = blocks[BLOCK_GATHER];
	s->d.pend = blocks[BLOCK_PEND];
	s->d.history = blocks[BLOCK_HISTORY];
	s->d.ctx = blocks[BLOCK_CTX];
	return 0;
}

uint32_t zwd_deflate_check(const struct zwd_deflate *d, uint32_t check, const unsigned char *buf,
			   size_t len)
{
	if (d->wrap == 2 && len)
		return zwd_crc32(check, buf, len);
	if (d->wrap == 1 && len)
		return zwd_adler32(check, buf, len);
	return check;
}

/* A job with what the block has. */
static struct zwd_job *begin_job(struct zwd_deflate *d)
{
	struct zwd_job *job;

	if (!d->jobs)
		d->jobs = zwd_jobq_new(zwd_settings()->depth);
	job = d->jobs ? zwd_jobq_begin(d->jobs) : NULL;
	if (!job)
		return NULL;
	memcpy(job->in, d->gather + d->gather_off, d->gather_len);
	job->unit.len = d->gather_len;
	d->gather_off = d->gather_len = 0;
	return job;
}

int zwd_deflate_gather(z_streamp strm, struct zwd_stream *s, size_t size)
{
	struct zwd_deflate *d = &s->d;
	struct zwd_job *job = zwd_deflate_filling(d);
	size_t have = job ? job->unit.len : d->gather_len, len = strm->avail_in;
	unsigned char *to;

	if (have >= size || !len)
		return 0;
	if (len > size - have)
		len = size - have;
	if (!job && d->gather_off + have + len > ZWD_GATHER_LEN) {
		job = begin_job(d);
		if (!job)
			return -ENOMEM;
	}
	to = job ? job->in + have : d->gather + d->gather_off + have;
	memcpy(to, strm->next_in, len);
	/* From the copy, which is in the cache. */
	d->check = zwd_deflate_check(d, d->check, to, len);
	if (job)
		job->unit.len += len;
	else
		d->gather_len += (unsigned int)len;
	d->is_flushed = 0;
	zwd_deflate_accept(strm, d, len);
	return 0;
}

void zwd_deflate_use_gathered(struct zwd_deflate *d, size_t len)
{
	struct zwd_job *job = zwd_deflate_filling(d);

	d->gather_off += (unsigned int)len;
	if (job && d->gather_off == job->unit.len) {
		zwd_jobq_unfill(d->jobs);
		d->gather_off = 0;
	}
	if (job)
		return;
	d->gather_len -= (unsigned int)len;
	if (!d->gather_len)
		d->gather_off = 0;
}

/* It is there only while something waits: else pend is the block. */
static void drop_more(struct zwd_deflate *d)
{
	if (!d->more)
		return;
	free(d->more);
	d->more = NULL;
}

void zwd_deflate_flush_pend(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	size_t len = d->pend_len < strm->avail_out ? d->pend_len : strm->avail_out;

	if (!len)
		return;
	memcpy(strm->next_out, (d->more ? d->more : d->pend) + d->pend_off, len);
	zwd_deflate_made(strm, len);
	d->pend_off += (unsigned int)len;
	d->pend_len -= (unsigned int)len;
	if (d->pend_len)
		return;
	d->pend_off = 0;
	drop_more(d);
}

int zwd_deflate_reserve(z_streamp strm, struct zwd_stream *s, size_t len)
{
	struct zwd_deflate *d = &s->d;
	size_t direct = d->pend_len ? 0 : strm->avail_out;
	size_t size = (size_t)d->pend_off + d->pend_len + len + END_LEN;
	unsigned char *more;

	if (len <= direct)
		return 0;
	if (!d->more && d->pend_off + d->pend_len + (len - direct) <= ZWD_PEND_LEN)
		return 0;
	/* That a stream's memory is all the caller's is known before: its units are short. */
	more = realloc(d->more, size);
	if (!more)
		return -ENOMEM;
	if (!d->more)
		memcpy(more, d->pend, (size_t)d->pend_off + d->pend_len);
	d->more = more;
	return 0;
}

void zwd_deflate_emit(z_streamp strm, struct zwd_deflate *d, const unsigned char *out, size_t len)
{
	size_t direct = 0;

	if (!d->pend_len) {
		direct = len < strm->avail_out ? len : strm->avail_out;
		memcpy(strm->next_out, out, direct);
		zwd_deflate_made(strm, direct);
	}
	if (direct == len) {
		if (!d->pend_len)
			drop_more(d);
		return;
	}
	memcpy((d->more ? d->more : d->pend) + d->pend_off + d->pend_len, out + direct,
	       len - direct);
	d->pend_len += (unsigned int)(len - direct);
}

int zwd_deflate_copy_waiting(struct zwd_stream *to, const struct zwd_stream *from)
{
	const struct zwd_deflate *d = &from->d;
	size_t pend_len = (size_t)d->pend_off + d->pend_len;

	if (d->gather_len)
		memcpy(to->d.gather, d->gather, (size_t)d->gather_off + d->gather_len);
	if (!d->pend_len)
		return Z_OK;
	if (!d->more) {
		memcpy(to->d.pend, d->pend, pend_len);
		return Z_OK;
	}
	to->d.more = malloc(pend_len + END_LEN);
	if (!to->d.more)
		return Z_MEM_ERROR;
	memcpy(to->d.more, d->more, pend_len);
	return Z_OK;
}

void zwd_deflate_write_end(z_streamp strm, struct zwd_deflate *d)
{
	unsigned char trailer[ZWD_TRAILER_MAX];

	if (zwd_deflate_is_direct(strm, d, ZWD_TRAILER_MAX))
		zwd_deflate_made(strm, zwd_format_trailer(strm->next_out, d->wrap, d->check, d->isize));
	else
		zwd_deflate_emit(strm, d, trailer,
				 zwd_format_trailer(trailer, d->wrap, d->check, d->isize));
	d->seq = ZWD_SEQ_DONE;
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = Z_BINARY;
}

void zwd_deflate_remember(struct zwd_deflate *d, const unsigned char *plain, size_t len)
{
	size_t kept = 0;

	if (len < ZWD_WINDOW_LEN) {
		kept = ZWD_WINDOW_LEN - len;
		if (kept > d->history_len)
			kept = d->history_len;
		memmove(d->history, d->history + d->history_len - kept, kept);
	} else {
		plain += len - ZWD_WINDOW_LEN;
		len = ZWD_WINDOW_LEN;
	}
	memcpy(d->history + kept, plain, len);
	d->history_len = (unsigned int)(kept + len);
}

/* 16 bytes at once, whatever the machine has for that. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

/* Those of 16 that are never in text, by zlib's rule: 0-6, 14-25 and 28-31. */
static inline bytes16 binary_of(const unsigned char *data)
{
	bytes16 v;

	memcpy(&v, data, sizeof(v));
	return (bytes16)((v <= 6) | ((bytes16)(v - 14) <= 25 - 14) | ((bytes16)(v - 28) <= 31 - 28));
}

static int is_binary(const unsigned char *data, size_t len)
{
	union {
		bytes16 vector;
		uint64_t word[2];
	} found = { 0 };
	size_t i = 0;

	for (; i + 64 <= len; i += 64) {
		found.vector |= binary_of(data + i) | binary_of(data + i + 16) |
				binary_of(data + i + 32) | binary_of(data + i + 48);
		if (found.word[0] | found.word[1])
			return 1;
	}
	for (; i < len; i++)
		if (data[i] <= 6 || (data[i] >= 14 && data[i] <= 25) ||
		    (data[i] >= 28 && data[i] <= 31))
			return 1;
	return 0;
}

/* 9, 10, 13 and what is above 31 make text of what has nothing binary; without any it is binary, too. */
void zwd_deflate_note_type(z_streamp strm, const unsigned char *data, size_t len)
{
	if (strm->data_type != Z_UNKNOWN || !len)
		return;
	strm->data_type = Z_BINARY;
	if (len > TYPE_LEN)
		len = TYPE_LEN;
	if (is_binary(data, len))
		return;
	for (size_t i = 0; i < len && strm->data_type == Z_BINARY; i++)
		if (data[i] > 31 || data[i] == 9 || data[i] == 10 || data[i] == 13)
			strm->data_type = Z_TEXT;
}

/*
 * The spill is given back as soon as nothing waits in it, for a stream with an allocator of its own may
 * be forgotten with its memory; a few may be at any time.
 */
#define SPILLS_MAX 32
#define SPILL_LEN (3 * ZWD_BLOCK_LEN)
static _Atomic int spills_nr;

static unsigned char *new_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	unsigned char *mem = NULL;

	if (atomic_fetch_add(&spills_nr, 1) < SPILLS_MAX)
		mem = zwd_pages(SPILL_LEN);
	d->is_spill_ours = mem != NULL;
	if (mem)
		return mem;
	atomic_fetch_sub(&spills_nr, 1);
	return zwd_stream_alloc(s, SPILL_LEN);
}

int zwd_deflate_get_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!s->is_custom || d->spill)
		return Z_OK;
	d->spill = new_spill(s);
	if (!d->spill)
		return Z_MEM_ERROR;
	if (d->gather_len)
		memcpy(d->spill, d->gather, d->gather_off + d->gather_len);
	if (d->pend_len)
		memcpy(d->spill + ZWD_BLOCK_LEN, d->pend, d->pend_off + d->pend_len);
	if (d->history)
		memcpy(d->spill + 2 * ZWD_BLOCK_LEN, d->history, d->history_len);
	d->gather = d->spill;
	d->pend = d->spill + ZWD_BLOCK_LEN;
	d->history = d->spill + 2 * ZWD_BLOCK_LEN;
	return Z_OK;
}

void zwd_deflate_put_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!d->spill)
		return;
	if (d->is_spill_ours) {
		zwd_unpages(d->spill, SPILL_LEN);
		atomic_fetch_sub(&spills_nr, 1);
	} else {
		zwd_stream_unalloc(s, d->spill);
	}
	d->spill = NULL;
}

void zwd_deflate_settle_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!d->spill || !d->is_raw || d->gather_len || d->pend_len > sizeof(d->rest))
		return;
	memcpy(d->rest, d->pend + d->pend_off, d->pend_len);
	d->pend = d->rest;
	d->pend_off = 0;
	d->gather = d->history = NULL;
	d->gather_off = 0;
	zwd_deflate_put_spill(s);
}
