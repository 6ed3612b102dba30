/* SPDX-License-Identifier: Zlib */
/* What the checks of zwd selftest --zlib have in common: data, streams, and how they tell what is
 * wrong. */
#ifndef ZWD_SELFTEST_CALLS_H
#define ZWD_SELFTEST_CALLS_H

#include "tools/zwd/selftest_checks.h"

#define PLAIN_LEN  300000u
#define PACKED_LEN (2 * PLAIN_LEN)
#define AGAIN_LEN  (PLAIN_LEN + 64)

extern Bytef plain[PLAIN_LEN], packed[PACKED_LEN], again[AGAIN_LEN];

void selftest_wrong(char *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define WANT(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			selftest_wrong(words, __VA_ARGS__);                                        \
			return;                                                                    \
		}                                                                                  \
	} while (0)
/* A call that has to say this. */
#define SAYS(expected, call)                                                                       \
	do {                                                                                       \
		int said = (call);                                                                 \
		WANT(said == (expected), "line %d: %s: %d in place of %s", __LINE__, #call, said,  \
		     #expected);                                                                   \
	} while (0)

void selftest_fill(void);

/* A stream from plain to packed, without input yet; and one from packed, of so many bytes, to
 * again. */
int open_deflate(const struct replay_lib *lib, z_stream *s, int level, int bits);
int open_inflate(const struct replay_lib *lib, z_stream *s, int bits, uLong len);

/* packed, of so many bytes, is this much of plain, to the byte. */
void check_packed(const struct replay_lib *lib, int bits, uLong len, uLong plain_len, char *words);

#endif
