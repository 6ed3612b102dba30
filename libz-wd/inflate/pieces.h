/* SPDX-License-Identifier: Zlib */
/* The memory of a keep, in which input is: s->i.keep's first to last, from byte from of the body to byte to. */
#ifndef ZWD_PIECES_H
#define ZWD_PIECES_H

#include "stream/zstream.h"

/* In one piece, if there is no more: what is small is done again from its beginning. */
#define ZWD_KEEP_FIRST 4096u
#define ZWD_PIECE_MAX 65536u

/* Other memory of the keep is counted with it: that is what its size says. */
void zwd_pieces_count(struct zwd_stream *s, size_t len);
void zwd_pieces_uncount(struct zwd_stream *s, size_t len);

/* What this stream may hold. As in a switch's memory: as much as is left over, so that all get some. */
size_t zwd_pieces_share(const struct zwd_stream *s);

/* Where the memory is a lease's: of the first piece but one on, of which there are four. */
size_t zwd_pieces_custom(const struct zwd_stream *s);

/* So much more input there is memory for, where that is a lease's. */
size_t zwd_pieces_room(const struct zwd_stream *s);

/* Memory for len more bytes, as far as it may have that. 0 or -ENOMEM. */
int zwd_pieces_reserve(struct zwd_stream *s, size_t len);

/* Behind what is kept already. 0 or -ENOMEM: there was no memory, or it may have no more; only to is right then. */
int zwd_pieces_add(struct zwd_stream *s, const unsigned char *in, size_t len);

/* Nothing before byte at of the body is needed any more. */
void zwd_pieces_trim(struct zwd_stream *s, uint64_t at);

/* What is kept from byte at of the body on, in one piece; returns its length, 0 at the end. */
size_t zwd_keep_read(const struct zwd_keep *keep, uint64_t at, const unsigned char **in);

void zwd_pieces_free(struct zwd_stream *s);
/* to has none. 0 or -ENOMEM. */
int zwd_pieces_copy(struct zwd_stream *to, const struct zwd_keep *from);

#endif
