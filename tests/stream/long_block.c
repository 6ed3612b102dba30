/* SPDX-License-Identifier: Zlib */
/*
 * A block of megabytes, in which there is no place that software could begin at, behind others, in which there are:
 * whatever is asked in its middle, the way back to software is open, also of copies, and also where the memory of
 * the streams is the caller's, of whom little may be asked.
 */
#include "config.h"
#include "helpers.h"

enum { BLOCK = 3 << 20, PREFIX_STEP = 40000, PREFIXES = 20, ROOM = 100000 };

static unsigned char *plain;
static struct buf packed;

static voidpf caller_alloc(voidpf opaque, uInt items, uInt size)
{
	return malloc((size_t)items * size);
}

static void caller_free(voidpf opaque, voidpf mem)
{
	free(mem);
}

struct bits {
	struct buf *out;
	uint64_t word;
	int nr;
};

static void put(struct bits *bits, unsigned int value, int nr)
{
	bits->word |= (uint64_t)value << bits->nr;
	for (bits->nr += nr; bits->nr >= 8; bits->nr -= 8, bits->word >>= 8)
		buf_add(bits->out, &(unsigned char){ (unsigned char)bits->word }, 1);
}

/* A code of RFC 1951, which begins with its highest bit. */
static void put_code(struct bits *bits, unsigned int code, int nr)
{
	for (int i = nr - 1; i >= 0; i--)
		put(bits, code >> i & 1, 1);
}

/* What deflate() makes of the first len bytes, then a single fixed block. */
static void pack(size_t len)
{
	struct bits bits = { .out = &packed };
	z_stream strm = { 0 };

	packed.len = 0;
	assert_int_equal(ref.deflateInit2_(&strm, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
					   (int)sizeof(strm)), Z_OK);
	strm.next_in = plain;
	strm.avail_in = (uInt)len;
	strm.next_out = buf_room(&packed, 2 * len + 1000);
	strm.avail_out = (uInt)(2 * len + 1000);
	assert_int_equal(ref.deflate(&strm, Z_SYNC_FLUSH), Z_OK);
	packed.len += strm.total_out;
	ref.deflateEnd(&strm);
	put(&bits, 1, 1);
	put(&bits, 1, 2);
	for (size_t i = len; i < len + BLOCK; i++) {
		if (plain[i] < 144)
			put_code(&bits, 0x30u + plain[i], 8);
		else
			put_code(&bits, 0x190u + plain[i] - 144, 9);
	}
	put_code(&bits, 0, 7);
	put(&bits, 0, 7);
}

/* Goes on up to so much input, or to the end. */
static int feed(z_stream *strm, size_t step, size_t to)
{
	int ret = Z_OK;

	while (ret == Z_OK && (strm->total_in < to || strm->avail_in)) {
		if (!strm->avail_in)
			strm->avail_in = (uInt)(packed.len - strm->total_in < step ? packed.len - strm->total_in : step);
		strm->avail_out = ROOM;
		ret = inflate(strm, Z_NO_FLUSH);
		if (ret == Z_BUF_ERROR && strm->avail_in)
			ret = Z_OK;
	}
	return ret;
}

static void copy_over(z_stream *strm)
{
	z_stream copy;

	assert_int_equal(inflateCopy(&copy, strm), Z_OK);
	assert_int_equal(inflateEnd(strm), Z_OK);
	assert_int_equal(inflateCopy(strm, &copy), Z_OK);
	assert_int_equal(inflateEnd(&copy), Z_OK);
}

static void one(size_t len, size_t step, size_t copied_at, size_t asked_at, int is_custom)
{
	unsigned char *out = malloc(len + BLOCK + ROOM);
	z_stream strm = { .next_in = packed.data, .next_out = out };
	unsigned char dict[32768];
	uInt dict_len = 0;

	if (is_custom) {
		strm.zalloc = caller_alloc;
		strm.zfree = caller_free;
	}
	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	if (copied_at) {
		assert_int_equal(feed(&strm, step, copied_at), Z_OK);
		copy_over(&strm);
	}
	assert_int_equal(feed(&strm, step, asked_at), Z_OK);
	assert_int_equal(inflateGetDictionary(&strm, dict, &dict_len), Z_OK);
	assert_int_equal(dict_len, sizeof(dict));
	assert_memory_equal(dict, plain + strm.total_out - dict_len, dict_len);
	strm.avail_in = (uInt)(packed.len - strm.total_in < step ? packed.len - strm.total_in : step);
	strm.avail_out = ROOM;
	assert_int_equal(inflate(&strm, Z_BLOCK), Z_OK);
	assert_int_equal(feed(&strm, step, packed.len), Z_STREAM_END);
	assert_int_equal(strm.total_in, packed.len);
	assert_int_equal(strm.total_out, len + BLOCK);
	assert_memory_equal(out, plain, len + BLOCK);
	assert_int_equal(inflateEnd(&strm), Z_OK);
	free(out);
}

static void asked_in_its_middle(void **state)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		size_t len = 1000000 + i * PREFIX_STEP;

		pack(len);
		for (int is_custom = 0; is_custom < 2; is_custom++)
			one(len, i % 2 ? 16384 : 65536, 0, 2300000 + i * 50000, is_custom);
	}
}

static void copied_before(void **state)
{
	for (size_t i = 0; i < PREFIXES / 2; i++) {
		pack(i * PREFIX_STEP);
		for (int is_custom = 0; is_custom < 2; is_custom++)
			one(i * PREFIX_STEP, i % 2 ? 16384 : 65536, 30000 + i * 90000, 3000000, is_custom);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_in_its_middle),
		cmocka_unit_test(copied_before),
	};
	size_t len = 1000000 + (size_t)PREFIXES * PREFIX_STEP;
	uint64_t seed = 1;

	test_begin(300);
	plain = malloc(len + BLOCK);
	/* Of 16 letters: half as long in blocks of 16 KiB. Then of all: the block's codes are its bytes. */
	for (size_t i = 0; i < len + BLOCK; i++)
		plain[i] = (unsigned char)(i < len ? 'a' + test_random_of(&seed) % 16 : test_random_of(&seed));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
