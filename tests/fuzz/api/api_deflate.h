/* SPDX-License-Identifier: Zlib */
/* A stream that compresses, by both sides, and what is known of it. */
#ifndef FUZZ_API_DEFLATE_H
#define FUZZ_API_DEFLATE_H

#include "api.h"

enum { DICT_MOST = 32768 };

struct side {
	z_stream strm;
	struct alloc *alloc;
	struct buf out;
	uint64_t trace; /* of all that the calls answered */
	int ret;
	size_t dict_in; /* of total_in: zlib counts a dictionary, too */
	bool had_room;	/* the latest call did not fill it */
};

struct deflating {
	struct side side[SIDES];
	int wbits, wrap, level, strategy, mem_level;
	struct buf plain;
	size_t dict_len, header_len;
	unsigned char dict[DICT_MOST];
	gz_header header;
	unsigned char extra[300], name[80], comment[80];
	bool has_begun, is_finishing, is_done;
	bool is_cut; /* a call was left with input or without room: what comes is not the same in
			both */
	bool is_after_params, is_level_odd;
	bool is_flushed; /* all text is out, and a block ended */
	bool was_cut;	 /* some time in this stream */
	bool was_stored; /* at level 0 */
	z_stream decoder;
	struct alloc *decoder_alloc;
	size_t decoder_in, decoder_out;
	bool is_decoder_raw; /* it began anew at a full flush, and knows no trailer */
	bool is_decoder_done;
};

/* Bytes of the text that the side took. */
size_t deflating_taken(const struct side *side);
uint64_t hash_long(uint64_t h, uint64_t value);
/* Its length, as far as the header is the caller's. */
void deflating_note_header(struct deflating *d);
/* As after a reset. */
void deflating_start(struct deflating *d);
/* What ours has made since is inflated; it must be what it was given. */
void deflating_decode(struct deflating *d);
void deflating_restart_decoder(struct deflating *d);
/* One call, with everything that any call must keep to. */
int deflating_call(struct runner *r, struct deflating *d, int which, int flush, size_t in_len,
		   size_t room);
/* All input up to here, in pieces, and the flush until it is complete. */
int deflating_feed(struct runner *r, struct deflating *d, int which, int flush, size_t in_cut,
		   size_t out_cut);
/* Both did it. */
void deflating_compare(struct runner *r, struct deflating *d, bool is_whole);
/* Both came to their end. */
void deflating_check_end(struct runner *r, struct deflating *d);

/* The program names it; NULL: there is none. */
struct deflating *deflating_read(struct runner *r);

/* api_deflate_told.c */
void deflate_op_params(struct runner *r);
void deflate_op_set_dictionary(struct runner *r);
void deflate_op_get_dictionary(struct runner *r);
void deflate_op_header(struct runner *r);
void deflate_op_prime(struct runner *r);
void deflate_op_tune(struct runner *r);
void deflate_op_ask(struct runner *r);

#endif
