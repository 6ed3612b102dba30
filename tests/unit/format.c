/* SPDX-License-Identifier: Zlib */
/* Guards: headers, trailers and stored blocks are the bytes that zlib writes, in as much room. */
#include "config.h"

#include "stream/format.h"
#include "unit.h"

/* The header the real zlib writes at this level and strategy. */
static size_t zlib_writes(unsigned char *out, int window_bits, int level, int strategy, gz_headerp gz)
{
	z_stream strm = { .next_out = out, .avail_out = 300 };
	const struct zwd_soft_zlib *z = zwd_soft();

	z->deflateInit2_(&strm, level, Z_DEFLATED, window_bits, 8, strategy, ZLIB_VERSION,
			 sizeof(strm));
	if (gz)
		z->deflateSetHeader(&strm, gz);
	z->deflate(&strm, Z_NO_FLUSH);
	z->deflateEnd(&strm);
	return strm.total_out;
}

static void headers_are_zlibs(void **state)
{
	unsigned char ours[300], theirs[300];

	for (int level = 0; level <= 9; level++)
		for (int strategy = 0; strategy <= Z_FIXED; strategy++) {
			assert_int_equal(zwd_format_zlib_header(ours, 15, level, strategy), 2);
			assert_int_equal(zlib_writes(theirs, 15, level, strategy, NULL), 2);
			assert_memory_equal(ours, theirs, 2);
			assert_int_equal(zwd_format_gzip_header(ours, NULL, level, strategy), 10);
			assert_int_equal(zlib_writes(theirs, 31, level, strategy, NULL), 10);
			assert_memory_equal(ours, theirs, 10);
		}
}

static void gzip_fields_are_zlibs(void **state)
{
	unsigned char ours[300], theirs[300], extra[5] = { 1, 2, 3, 0, 5 };

	for (unsigned int fields = 0; fields < 32; fields++) {
		gz_header gz = { .time = 0x12345678, .os = 7, .text = fields & 1 };
		size_t len;

		gz.hcrc = (fields >> 1) & 1;
		if (fields & 4) {
			gz.extra = extra;
			gz.extra_len = sizeof(extra);
		}
		if (fields & 8)
			gz.name = (Bytef *)"file.txt";
		if (fields & 16)
			gz.comment = (Bytef *)"a comment";
		len = zlib_writes(theirs, 31, 6, 0, &gz);
		assert_int_equal(zwd_format_gzip_header_len(&gz), len);
		assert_int_equal(zwd_format_gzip_header(ours, &gz, 6, 0), len);
		assert_memory_equal(ours, theirs, len);
	}
}

static void stored_blocks_inflate(void **state)
{
	static const size_t sizes[] = { 0, 1, 65534, 65535, 65536, 131070, 131071, 200000 };
	static unsigned char data[200000], out[200100], back[200000];
	const struct zwd_soft_zlib *z = zwd_soft();

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + (i >> 8));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		z_stream strm = { .next_in = out, .next_out = back, .avail_out = sizeof(back) };
		size_t len = zwd_format_stored(out, data, sizes[i], 1);

		assert_int_equal(len, zwd_format_stored_len(sizes[i]));
		strm.avail_in = (uInt)len;
		z->inflateInit2_(&strm, -15, ZLIB_VERSION, sizeof(strm));
		assert_int_equal(z->inflate(&strm, Z_FINISH), Z_STREAM_END);
		assert_int_equal(strm.avail_in, 0);
		assert_int_equal(strm.total_out, sizes[i]);
		assert_memory_equal(back, data, sizes[i]);
		z->inflateEnd(&strm);
	}
}

static void trailers(void **state)
{
	static const unsigned char zlib[] = { 0x11, 0x22, 0x33, 0x44 };
	static const unsigned char gzip[] = { 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55 };
	unsigned char out[ZWD_TRAILER_MAX];

	assert_int_equal(zwd_format_trailer(out, 0, 1, 2), 0);
	assert_int_equal(zwd_format_trailer(out, 1, 0x11223344, 0x55667788), 4);
	assert_memory_equal(out, zlib, 4);
	assert_int_equal(zwd_format_trailer(out, 2, 0x11223344, 0x55667788), 8);
	assert_memory_equal(out, gzip, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_zlibs),
		cmocka_unit_test(gzip_fields_are_zlibs),
		cmocka_unit_test(stored_blocks_inflate),
		cmocka_unit_test(trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
