/* SPDX-License-Identifier: Zlib */
/* The caller's buffers, and what of both directions waits for them. */
#ifndef ZWD_IO_H
#define ZWD_IO_H

#include "stream/zstream.h"

/*
 * A device makes more than there is room for. While that waits, the input it was made of stays with the
 * caller, who shows it again: i->held bytes of it were read already. So a reader that sees its input used
 * up has all output (zlib's own gzread() takes the stream for truncated otherwise), and software may take
 * over at any byte with the input where zlib would have it.
 */

/* Delivers what waits, as far as there is room; then what was held is taken, as far as it is shown. */
void zwd_io_deliver(z_streamp strm, struct zwd_stream *s);
/* Takes it, whatever waits. */
void zwd_io_take_held(z_streamp strm, struct zwd_stream *s);

/* Nothing waits: room for len bytes that will. 0 or -ENOMEM. */
int zwd_io_reserve(struct zwd_stream *s, size_t len);

/*
 * A device read len bytes at next_in and made out[]; what there is no room for was reserved. check: of
 * all output with it.
 */
void zwd_io_give(z_streamp strm, struct zwd_stream *s, size_t len, const unsigned char *out,
		 size_t out_len, uint32_t check);

/* len bytes were written at the caller's place, behind all that was delivered before. */
void zwd_io_written(z_streamp strm, struct zwd_stream *s, const unsigned char *out, size_t len);

/* The output that waits is forgotten, all but its first len bytes. */
void zwd_io_cut(struct zwd_stream *s, size_t len);

void zwd_io_drop(struct zwd_stream *s);
/* to's fields are a copy of from's. 0 or -ENOMEM. */
int zwd_io_copy(struct zwd_stream *to, const struct zwd_stream *from);

#endif
