/* SPDX-License-Identifier: Zlib */
/* A stream that decompresses, by both sides, and what is known of it. */
#ifndef FUZZ_API_INFLATE_H
#define FUZZ_API_INFLATE_H

#include "api.h"

enum { DICT_MOST = 32768 };

struct side {
	z_stream strm;
	struct alloc *alloc;
	size_t pos; /* input taken */
	int ret;
	gz_header header;
	unsigned char extra[40], name[40], comment[40];
};

struct inflating {
	struct side side[SIDES];
	int wbits;
	struct buf packed;
	size_t shown;	 /* input up to here was offered */
	bool has_header; /* its place is here */
	bool is_over;	 /* it ended or failed, if only for a while */
	bool is_broken;	 /* there was no memory: nothing more is asked */
};

/* The program names it; NULL: there is none of which more is asked. */
struct inflating *inflating_read(struct runner *r);
/* Its memory, which the program takes away. */
bool inflating_has_failed(const struct inflating *i);
bool inflating_is_same_place(const struct inflating *i);
/* What both say of themselves; is_exact: also what a device leaves open. */
void inflating_compare(struct runner *r, struct inflating *i, bool is_exact);

/* api_inflate_told.c */
void inflate_op_sync(struct runner *r);
void inflate_op_ask(struct runner *r);
void inflate_op_get_dictionary(struct runner *r);
void inflate_op_set_dictionary(struct runner *r);
void inflate_op_header(struct runner *r);
void inflate_op_check_header(struct runner *r);

#endif
