/* SPDX-License-Identifier: Zlib */
/*
 * Who reads a body: a device (serial: requests in a row, its context between them), or software (soft: the
 * real zlib). Both do the same five things. run: as much as the caller's buffers allow. begin: from a
 * place on, with the 32 KiB of plain text before it. settle: where is it, that the other may go on there?
 * copy and drop: of what it has of its own; what software has is the stream's state of the real zlib.
 *
 * run returns Z_OK: the caller's buffers are what keeps it, or output waits; Z_STREAM_END: the body has
 * ended, or all of a stream that has its wrapper there; one of zlib's errors; or -errno below
 * ZWD_BODY_LOST: the other has to go on.
 */
#ifndef ZWD_BODY_H
#define ZWD_BODY_H

#include "stream/zstream.h"

/* Out of the way of Z_*. */
#define ZWD_BODY_LOST (-1000)
/* Body serial: parts may go on, or else it goes on itself. */
#define ZWD_BODY_PARTS 1000

int zwd_serial_begin(z_streamp strm, struct zwd_stream *s, const struct zwd_place *place);
/* is_all: no more input comes than there is. */
int zwd_serial_run(z_streamp strm, struct zwd_stream *s, int is_all);
/* Has nothing in flight: software may begin where it is. */
void zwd_serial_settle(struct zwd_stream *s);
int zwd_serial_copy(struct zwd_stream *to, const struct zwd_stream *from);
void zwd_serial_drop(struct zwd_stream *s);

/* Goes on where the other was: by the keep. Z_OK or an error; then the other still has it. */
int zwd_soft_begin(z_streamp strm, struct zwd_stream *s);
int zwd_soft_run(z_streamp strm, struct zwd_stream *s, int flush);
/* The next byte, when the body has ended: 1, or 0 where there is none. */
int zwd_soft_byte(z_streamp strm, struct zwd_stream *s, unsigned char *byte);
/* inflateSync() in what it has yet to read. */
int zwd_soft_sync(z_streamp strm, struct zwd_stream *s);
/* 0: it is between two blocks, at *place, with a window of zwd_lease_alloc(). -EAGAIN, -EBUSY, -ENOMEM. */
int zwd_soft_settle(z_streamp strm, struct zwd_stream *s, struct zwd_place *place);
/* What it did so far is counted, and something else goes on. */
void zwd_soft_count(struct zwd_stream *s);

#endif
