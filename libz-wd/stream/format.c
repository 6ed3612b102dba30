/* SPDX-License-Identifier: Zlib */
/* Headers and trailers of RFC 1950 and RFC 1952, and stored blocks of RFC 1951. */
#include "config.h"

#include <string.h>

#include "stream/checksum.h"
#include "stream/format.h"

#define STORED_MAX 65535u
#define GZIP_FHCRC 0x02
#define GZIP_FEXTRA 0x04
#define GZIP_FNAME 0x08
#define GZIP_FCOMMENT 0x10
#define GZIP_OS_UNIX 3

static size_t put_le(unsigned char *out, uint32_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)(value >> 8 * i);
	return len;
}

static size_t stored_block(unsigned char *out, const unsigned char *data, size_t len, int is_last)
{
	out[0] = is_last ? 1 : 0; /* BFINAL, BTYPE 00, padding to the byte */
	put_le(out + 1, (uint32_t)len, 2);
	put_le(out + 3, ~(uint32_t)len, 2);
	if (len)
		memcpy(out + 5, data, len);
	return len + 5;
}

size_t zwd_format_marker(unsigned char *out)
{
	return stored_block(out, NULL, 0, 0);
}

size_t zwd_format_end(unsigned char *out)
{
	out[0] = 0x03; /* BFINAL, fixed codes, end of block */
	out[1] = 0x00;
	return 2;
}

size_t zwd_format_stored_len(size_t len)
{
	return len + 5 * (len ? (len + STORED_MAX - 1) / STORED_MAX : 1);
}

size_t zwd_format_stored(unsigned char *out, const unsigned char *data, size_t len, int is_last)
{
	size_t out_len = 0;

	while (len > STORED_MAX) {
		out_len += stored_block(out + out_len, data, STORED_MAX, 0);
		data += STORED_MAX;
		len -= STORED_MAX;
	}
	return out_len + stored_block(out + out_len, data, len, is_last);
}

size_t zwd_format_zlib_header(unsigned char *out, int window_bits, int level, int strategy)
{
	unsigned int head = 0x0800 | (unsigned int)(window_bits - 8) << 12, flevel;

	if (strategy >= Z_HUFFMAN_ONLY || level < 2)
		flevel = 0;
	else if (level < 6)
		flevel = 1;
	else
		flevel = level == 6 ? 2 : 3;
	head |= flevel << 6;
	head += 31 - head % 31;
	out[0] = (unsigned char)(head >> 8);
	out[1] = (unsigned char)head;
	return 2;
}

size_t zwd_format_gzip_header_len(const struct gz_header_s *header)
{
	size_t len = 10;

	if (!header)
		return len;
	if (header->extra)
		len += 2 + (header->extra_len & 0xffff);
	if (header->name)
		len += strlen((const char *)header->name) + 1;
	if (header->comment)
		len += strlen((const char *)header->comment) + 1;
	return len + (header->hcrc ? 2 : 0);
}

static size_t put_string(unsigned char *out, const unsigned char *string)
{
	size_t len = strlen((const char *)string) + 1;

	memcpy(out, string, len);
	return len;
}

size_t zwd_format_gzip_header(unsigned char *out, const struct gz_header_s *header, int level,
			      int strategy)
{
	size_t len = 10;

	memset(out, 0, 10);
	out[0] = 0x1f;
	out[1] = 0x8b;
	out[2] = Z_DEFLATED;
	if (level == 9)
		out[8] = 2;
	else if (strategy >= Z_HUFFMAN_ONLY || level < 2)
		out[8] = 4;
	out[9] = GZIP_OS_UNIX;
	if (!header)
		return len;
	out[3] = (header->text ? 1 : 0) | (header->hcrc ? GZIP_FHCRC : 0) |
		 (header->extra ? GZIP_FEXTRA : 0) | (header->name ? GZIP_FNAME : 0) |
		 (header->comment ? GZIP_FCOMMENT : 0);
	put_le(out + 4, (uint32_t)header->time, 4);
	out[9] = (unsigned char)header->os;
	if (header->extra) {
		len += put_le(out + len, header->extra_len & 0xffff, 2);
		memcpy(out + len, header->extra, header->extra_len & 0xffff);
		len += header->extra_len & 0xffff;
	}
	if (header->name)
		len += put_string(out + len, header->name);
	if (header->comment)
		len += put_string(out + len, header->comment);
	if (header->hcrc)
		len += put_le(out + len, zwd_crc32(0, out, len), 2);
	return len;
}

size_t zwd_format_trailer(unsigned char *out, int wrap, uint32_t check, uint32_t isize)
{
	if (wrap == 1)
		return put_le(out, __builtin_bswap32(check), 4);
	if (wrap == 2)
		return put_le(out, check, 4) + put_le(out + 4, isize, 4);
	return 0;
}
