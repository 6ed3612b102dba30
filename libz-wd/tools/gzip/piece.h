/* SPDX-License-Identifier: Zlib */
/* Parts of the input whose gzip members other threads inflate before they are asked for. */
#ifndef WD_GZIP_PIECE_H
#define WD_GZIP_PIECE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	PIECE_BACK_LEN = 32,
	PIECE_LEN = 4 << 20,
};

/* A member that was inflated and found sound. Offsets are those of its body and of what follows it.
 */
struct member {
	size_t body;
	size_t end;
	size_t out;
	size_t out_len;
	unsigned long crc;
};

enum piece_state { PIECE_IDLE, PIECE_GIVEN, PIECE_DONE };

struct piece {
	struct piece *next;
	unsigned char *in; /* PIECE_LEN bytes, and PIECE_BACK_LEN before them */
	size_t len;
	bool is_closed; /* nothing may be added: something else begins at its end, or the input ends
			 */
	bool is_refused;     /* its members are not worth a thread */
	size_t searched_len; /* without finding where it could end */
	ptrdiff_t begin;     /* where the first header lies, given to a thread */
	_Atomic int state;   /* results are to be read when it is PIECE_DONE */

	unsigned char *out;
	struct member *members;
	unsigned int member_nr;
	unsigned int taken_nr;
	bool is_full; /* there may be more members than there was room for */
};

/* NULL: no memory. */
struct piece *piece_new(void);

/* As many threads as could work at a time; 1: not worth it. The same in each call. */
unsigned int piece_thread_nr(void);
/* Hand over to a thread. False: there is none. */
bool piece_give(struct piece *piece, ptrdiff_t begin);
/* Becomes readable when a piece is done. */
int piece_done_fd(void);
void piece_clear_done(void);
/* Until it is done, or was never given; then nobody but the caller uses it. */
void piece_wait(struct piece *piece);
/* What was given is forgotten as soon as possible, and the threads end. */
void piece_end(void);

/*
 * Length of the header of a gzip member that lies there as a whole, or 0. *member_len: of all of
 * the member, where the header says it (BGZF), else 0.
 */
size_t piece_header(const unsigned char *data, size_t len, size_t *member_len);
/* The first place at or behind from where a member seems to begin, or len. */
size_t piece_find(const unsigned char *data, size_t len, size_t from);
/* Whether a body starts with a block whose code of code lengths is empty. zlib reads that as
 * lengths of zero and asks for more; it is damaged data, not the start of something. */
bool piece_has_empty_code(const unsigned char *data, size_t len);

#endif
