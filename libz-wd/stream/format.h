/* SPDX-License-Identifier: Zlib */
/* Headers and trailers of RFC 1950 and RFC 1952, and stored blocks of RFC 1951. */
#ifndef ZWD_FORMAT_H
#define ZWD_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "stream/soft_zlib.h"

/* An empty stored block that is not the last: what a flush point looks like. */
#define ZWD_MARKER_LEN 5u
size_t zwd_format_marker(unsigned char *out);

/* The shortest last block there is. */
size_t zwd_format_end(unsigned char *out);

/* Bytes that len bytes take as stored blocks, at least one. */
size_t zwd_format_stored_len(size_t len);
/* Writes them; is_last: the last one ends the stream. Returns how many bytes. */
size_t zwd_format_stored(unsigned char *out, const unsigned char *data, size_t len, int is_last);

/* The zlib header for a window of 2^window_bits bytes, as the level asks for. */
#define ZWD_ZLIB_HEADER_LEN 2u
size_t zwd_format_zlib_header(unsigned char *out, int window_bits, int level, int strategy);

/* Bytes of a gzip header; header may be NULL. */
size_t zwd_format_gzip_header_len(const struct gz_header_s *header);
size_t zwd_format_gzip_header(unsigned char *out, const struct gz_header_s *header, int level,
			      int strategy);

#define ZWD_TRAILER_MAX 8u
/* wrap: 0 raw, 1 zlib, 2 gzip. */
size_t zwd_format_trailer(unsigned char *out, int wrap, uint32_t check, uint32_t isize);

#endif
