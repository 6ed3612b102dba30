/* SPDX-License-Identifier: Zlib */
/* Does a deflate block begin at a bit? What its header alone tells. */
#ifndef ZWD_HEADER_H
#define ZWD_HEADER_H

#include <stddef.h>

enum zwd_block { ZWD_BLOCK_STORED, ZWD_BLOCK_FIXED, ZWD_BLOCK_DYNAMIC, ZWD_BLOCK_NONE };

/* The type that a header at bit pos names; ZWD_BLOCK_NONE, too, where its three bits are not all there. */
enum zwd_block zwd_header_type(const unsigned char *in, size_t len, size_t pos);

/* Are the codes of a dynamic block at bit pos such that zlib takes them? Not where they are cut off. */
int zwd_header_has_codes(const unsigned char *in, size_t len, size_t pos);
/* Is what is there of them such that zlib does not, whatever follows? */
int zwd_header_has_bad_codes(const unsigned char *in, size_t len, size_t pos);

/* May a block begin at bit pos? Says no of most places where none does. */
int zwd_header_is_credible(const unsigned char *in, size_t len, size_t pos);

#endif
