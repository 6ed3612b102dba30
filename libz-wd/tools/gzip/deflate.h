/* SPDX-License-Identifier: Zlib */
/* A thread that deflates blocks of one stream, one after the other. */
#ifndef WD_GZIP_DEFLATE_H
#define WD_GZIP_DEFLATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

enum { DEFLATE_GIVEN_MAX = 2 };

enum deflate_state { DEFLATE_IDLE, DEFLATE_GIVEN, DEFLATE_DONE };

struct deflate_block {
	unsigned char *in;
	size_t in_len;
	bool is_last;
	unsigned char *out;
	size_t out_len;
	size_t out_room;
	int rc;		   /* Z_OK, Z_STREAM_END, or what went wrong */
	_Atomic int state; /* the others are to be read when it is DEFLATE_DONE */
};

/* All of the block's input, into as much memory as that takes. */
void deflate_block(z_stream *strm, struct deflate_block *block);

/* False: there is no thread. */
bool deflate_start(z_stream *strm);
/* They are done in this order; at most so many at a time. */
void deflate_give(struct deflate_block *block);
/* Becomes readable when a block is done. */
int deflate_done_fd(void);
void deflate_clear_done(void);
/* Blocks that were given are waited for. */
void deflate_stop(void);

#endif
