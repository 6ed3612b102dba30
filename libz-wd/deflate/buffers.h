/* SPDX-License-Identifier: Zlib */
/* The caller's buffers, and what waits on this side of them: input for the next unit, output for room. */
#ifndef ZWD_DEFLATE_BUFFERS_H
#define ZWD_DEFLATE_BUFFERS_H

#include "engine/jobq.h"
#include "stream/zstream.h"

/* Input is gathered in its block up to here; its output fits pend's block even when there is no room at all. */
#define ZWD_GATHER_LEN (ZWD_BLOCK_LEN - 256u)
/* Output that waits in its block; the trailer and the stream's end need the rest. */
#define ZWD_PEND_LEN (ZWD_BLOCK_LEN - 64u)

/* Memory for a stream that is framed here. 0 or -ENOMEM. */
int zwd_deflate_get_blocks(struct zwd_stream *s);

/* The stream's checksum behind len more bytes. */
uint32_t zwd_deflate_check(const struct zwd_deflate *d, uint32_t check, const unsigned char *buf,
			   size_t len);

/* len bytes of the caller's input are ours now; d->check is that behind them. */
static inline void zwd_deflate_accept(z_streamp strm, struct zwd_deflate *d, size_t len)
{
	strm->next_in += len;
	strm->avail_in -= (uInt)len;
	strm->total_in += len;
	d->isize += (uint32_t)len;
	if (d->wrap)
		strm->adler = d->check;
}

/*
 * The same, and keeps them for the next unit, up to size bytes in all, settings.unit at most: in a block,
 * or if that is too short where a job has its input. 0 or -ENOMEM: some of it, and more of it later.
 */
int zwd_deflate_gather(z_streamp strm, struct zwd_stream *s, size_t size);
/* The job that has it, or NULL: the block. */
static inline struct zwd_job *zwd_deflate_filling(const struct zwd_deflate *d)
{
	return d->jobs ? zwd_jobq_filling(d->jobs) : NULL;
}

/* What is kept, in one piece, and how long it is. */
static inline const unsigned char *zwd_deflate_gathered(const struct zwd_deflate *d, size_t *len)
{
	struct zwd_job *job = zwd_deflate_filling(d);

	*len = job ? job->unit.len - d->gather_off : d->gather_len;
	return (job ? job->in : d->gather) + d->gather_off;
}

/* Of which len bytes are compressed. */
void zwd_deflate_use_gathered(struct zwd_deflate *d, size_t len);

/* Output that waits goes to the caller, as much as there is room for. */
void zwd_deflate_flush_pend(z_streamp strm, struct zwd_stream *s);

/* Room for len bytes of output, of which the caller's may take some. 0 or -ENOMEM. */
int zwd_deflate_reserve(z_streamp strm, struct zwd_stream *s, size_t len);
/* As much of them as possible to the caller, the rest waits: in a block, or where it was reserved. */
void zwd_deflate_emit(z_streamp strm, struct zwd_deflate *d, const unsigned char *out, size_t len);
/* len bytes of output were written at next_out. */
static inline void zwd_deflate_made(z_streamp strm, size_t len)
{
	strm->next_out += len;
	strm->avail_out -= (uInt)len;
	strm->total_out += len;
}

/* May len bytes of output be written there? Nothing waits before them. */
static inline int zwd_deflate_is_direct(z_streamp strm, const struct zwd_deflate *d, size_t len)
{
	return !d->pend_len && strm->avail_out >= len;
}


/* All that waits, but for what jobs have, into the same place of a copy. Z_OK or Z_MEM_ERROR. */
int zwd_deflate_copy_waiting(struct zwd_stream *to, const struct zwd_stream *from);

/* The end of the stream's frame. */
void zwd_deflate_write_end(z_streamp strm, struct zwd_deflate *d);

/* Keeps the last ZWD_WINDOW_LEN plain bytes of the stream. */
void zwd_deflate_remember(struct zwd_deflate *d, const unsigned char *plain, size_t len);

/* The kind of data, from the first input there is, where it is not known yet. */
void zwd_deflate_note_type(z_streamp strm, const unsigned char *data, size_t len);

/*
 * Where the caller's memory is all there is, the real zlib has the blocks while software does the body;
 * what waits meanwhile is here. Nothing of it stays behind when nothing waits.
 */
int zwd_deflate_get_spill(struct zwd_stream *s); /* moves there what is in the blocks; Z_OK or an error */
void zwd_deflate_put_spill(struct zwd_stream *s);
/* At the end of a call: what waits, if it is short, is kept in the stream. */
void zwd_deflate_settle_spill(struct zwd_stream *s);

#endif
