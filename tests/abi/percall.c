/* SPDX-License-Identifier: Zlib */
/* Many small calls of deflate() or inflate(), counted from outside: percall deflate|inflate N. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 64, PIECES = 4000 };

int main(int argc, char **argv)
{
	static unsigned char plain[PIECE * PIECES], packed[2 * PIECE * PIECES];
	long nr = argc == 3 ? strtol(argv[2], NULL, 10) : 0, i;
	z_stream strm = { 0 };
	size_t len;

	if (nr < 1 || nr > PIECES)
		return 2;
	for (i = 0; i < (long)sizeof(plain); i++)
		plain[i] = i * 7 + (i >> 6) % 13;
	/* Stored and unchecked, so that little else is counted than the way to it. */
	if (deflateInit2(&strm, 0, Z_DEFLATED, -15, 8, 0))
		return 1;
	strm.next_out = packed;
	strm.avail_out = sizeof(packed);
	if (strcmp(argv[1], "deflate")) {
		strm.next_in = plain;
		strm.avail_in = sizeof(plain);
		if (deflate(&strm, Z_FINISH) != Z_STREAM_END)
			return 1;
		len = strm.total_out;
		if (deflateEnd(&strm) || inflateInit2(&strm, -15))
			return 1;
		strm.next_in = packed;
		strm.next_out = plain;
		strm.avail_out = sizeof(plain);
		for (i = 0; i < nr && (size_t)(i + 1) * PIECE <= len; i++) {
			strm.avail_in = PIECE;
			if (inflate(&strm, Z_NO_FLUSH))
				return 1;
		}
		return inflateEnd(&strm) != Z_OK;
	}
	strm.next_in = plain;
	for (i = 0; i < nr; i++) {
		strm.avail_in = PIECE;
		if (deflate(&strm, Z_NO_FLUSH))
			return 1;
	}
	i = deflateEnd(&strm);
	return i != Z_OK && i != Z_DATA_ERROR;
}
