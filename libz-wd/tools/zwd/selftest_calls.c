/* SPDX-License-Identifier: Zlib */
/* What the checks of zwd selftest --zlib have in common: data, streams, and how they tell what is
 * wrong. */
#include "config.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tools/zwd/selftest_calls.h"

Bytef plain[PLAIN_LEN], packed[PACKED_LEN], again[AGAIN_LEN];

void selftest_wrong(char *words, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, SELFTEST_WORDS, format, ap);
	va_end(ap);
}

/* Text, with a stretch in the middle that does not pack. */
void selftest_fill(void)
{
	unsigned int seed = 1;

	for (unsigned int i = 0; i < PLAIN_LEN; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = i > 100000 && i < 140000
				   ? (Bytef)(seed >> 16)
				   : (Bytef)("ring of words "[(i + (seed >> 30)) % 14]);
	}
}

int open_deflate(const struct replay_lib *lib, z_stream *s, int level, int bits)
{
	*s = (z_stream){ .next_in = plain, .next_out = packed, .avail_out = PACKED_LEN };
	return lib->deflateInit2_(s, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
				  sizeof(*s));
}

int open_inflate(const struct replay_lib *lib, z_stream *s, int bits, uLong len)
{
	*s = (z_stream){
		.next_in = packed, .avail_in = (uInt)len, .next_out = again, .avail_out = AGAIN_LEN
	};
	return lib->inflateInit2_(s, bits, ZLIB_VERSION, sizeof(*s));
}

void check_packed(const struct replay_lib *lib, int bits, uLong len, uLong plain_len, char *words)
{
	z_stream s;

	memcpy(packed + len, "behind", 6);
	SAYS(Z_OK, open_inflate(lib, &s, bits, len + 6));
	SAYS(Z_STREAM_END, lib->inflate(&s, Z_NO_FLUSH));
	WANT(s.avail_in == 6, "%u bytes are left behind the stream, not 6", s.avail_in);
	WANT(s.total_in == len && s.total_out == plain_len,
	     "totals %lu and %lu in place of %lu and %lu", s.total_in, s.total_out, len, plain_len);
	WANT(!memcmp(again, plain, plain_len), "other bytes come back");
	SAYS(Z_OK, lib->inflateEnd(&s));
}
