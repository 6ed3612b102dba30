/* SPDX-License-Identifier: Zlib */
/* A program's or a plug-in's first use of zlib: everything once; 0 or the number of what was wrong. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

__attribute__((visibility("default"))) int round_trip(void);

static unsigned char plain[200000], packed[210000], back[200000];

static int stream(void)
{
	z_stream d = { .next_in = plain, .avail_in = sizeof(plain), .next_out = packed,
		       .avail_out = sizeof(packed) },
		 i = { .next_in = packed, .next_out = back, .avail_out = sizeof(back) };

	if (deflateInit2(&d, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) ||
	    deflate(&d, Z_FINISH) != Z_STREAM_END || deflateEnd(&d))
		return 1;
	i.avail_in = (uInt)d.total_out;
	if (inflateInit2(&i, 31) || inflate(&i, Z_FINISH) != Z_STREAM_END || inflateEnd(&i))
		return 2;
	return memcmp(plain, back, sizeof(plain)) ? 3 : 0;
}

static int one_shot(void)
{
	uLongf len = sizeof(packed), back_len = sizeof(back);

	if (compress(packed, &len, plain, sizeof(plain)))
		return 4;
	memset(back, 0, sizeof(back));
	if (uncompress(back, &back_len, packed, len) || memcmp(plain, back, sizeof(plain)))
		return 5;
	return 0;
}

/* These have no way to fail: a wrong value is what they would say. */
static int values(void)
{
	uLong a = crc32(0, plain, 1000), b = crc32(0, plain + 1000, 5000);
	uLong s = adler32(1, plain, 1000), t = adler32(1, plain + 1000, 5000);

	if (compressBound(1000) < 1013)
		return 6;
	if (crc32_combine(a, b, 5000) != crc32(0, plain, 6000) ||
	    crc32_combine_op(a, b, crc32_combine_gen(5000)) != crc32(0, plain, 6000))
		return 7;
	if (adler32_combine(s, t, 5000) != adler32(1, plain, 6000))
		return 8;
	if (strcmp(zError(Z_DATA_ERROR), "data error") || strcmp(zError(Z_OK), ""))
		return 9;
	if (deflateBound(NULL, 1000) < 1000)
		return 10;
	return (zlibCompileFlags() & 0xff) == 0xa9 ? 0 : 11;
}

int round_trip(void)
{
	char version[32];
	int ret;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * i >> 7) % 23 + 'a';
	if (!zlibVersion())
		return 12;
	snprintf(version, sizeof(version), "%s", zlibVersion());
	ret = values();
	if (!ret)
		ret = stream();
	if (!ret)
		ret = one_shot();
	if (!ret)
		ret = values();
	return !ret && strcmp(version, zlibVersion()) ? 13 : ret;
}
