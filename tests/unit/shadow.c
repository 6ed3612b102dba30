/* SPDX-License-Identifier: Zlib */
/*
 * ZWD_VERIFY proves of a device's results not only the bytes, but where the body and the stream end, in every
 * format: a device that ends too early, too late or not at all is not believed, whatever the bytes are.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inflate/shadow.h"
#include "operate/root.h"
#include "stream/soft_zlib.h"
#include "../sanitizer.h"
#include "unit.h"

#define PLAIN_LEN 100000u
#define IN_MAX 200000u

static unsigned char plain[PLAIN_LEN], in[IN_MAX];

struct body {
	z_stream strm;
	struct zwd_stream *s;
	size_t in_len, trailer_len;
};

/* Without its header, as requests see it, and with its trailer. */
static void open_body(struct body *b, int format)
{
	z_stream z = { .next_in = plain, .avail_in = PLAIN_LEN, .next_out = in, .avail_out = IN_MAX };
	static const unsigned char trailer[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_int_equal(zwd_soft()->deflateInit2_(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
						   sizeof(z)), Z_OK);
	assert_int_equal(zwd_soft()->deflate(&z, Z_FINISH), Z_STREAM_END);
	b->trailer_len = format == WD_ZIP_GZIP ? 8 : format == WD_ZIP_ZLIB ? 4 : 0;
	memcpy(in + z.total_out, trailer, b->trailer_len);
	b->in_len = z.total_out + b->trailer_len;
	zwd_soft()->deflateEnd(&z);
	b->strm = (z_stream){ 0 };
	b->s = zwd_stream_new(&b->strm, ZWD_MAGIC_INFLATE);
	assert_non_null(b->s);
	b->s->i.format = (unsigned char)format;
	zwd_shadow_begin(b->s);
	assert_non_null(b->s->i.shadow);
}

static void close_body(struct body *b)
{
	zwd_shadow_drop(b->s);
	zwd_stream_free(&b->strm, b->s);
}

/* Is this believed of the next bytes of the body? */
static int verify(struct body *b, size_t in_at, size_t in_len, size_t out_at, size_t out_len, int status)
{
	struct wd_zip_res res = { .consumed = (uint32_t)in_len, .produced = (uint32_t)out_len,
				  .status = (uint8_t)status };
	struct zwd_sent sent = { in + in_at, plain + out_at, (uint32_t)in_len, (uint32_t)out_len };
	int ret = zwd_shadow_verify(b->s, &sent, &res, 0);

	assert_true(!ret || ret == -EILSEQ);
	return !ret;
}

static const int formats[] = { WD_ZIP_DEFLATE, WD_ZIP_ZLIB, WD_ZIP_GZIP };

static void the_end_is_believed(void **state)
{
	for (size_t f = 0; f < ARRAY_NR(formats); f++) {
		struct body b;

		open_body(&b, formats[f]);
		assert_true(verify(&b, 0, b.in_len, 0, PLAIN_LEN, WD_ZIP_END));
		close_body(&b);
		/* All that the first half makes may wait for room. */
		open_body(&b, formats[f]);
		assert_true(verify(&b, 0, b.in_len / 2, 0, 20000, WD_ZIP_NO_ROOM));
		assert_true(verify(&b, b.in_len / 2, b.in_len - b.in_len / 2, 20000, PLAIN_LEN - 20000, WD_ZIP_END));
		close_body(&b);
		/* The trailer in parts. */
		for (size_t cut = 1; cut <= b.trailer_len; cut++) {
			open_body(&b, formats[f]);
			assert_true(verify(&b, 0, b.in_len - cut, 0, PLAIN_LEN, WD_ZIP_OK));
			assert_true(verify(&b, b.in_len - cut, cut, PLAIN_LEN, 0, WD_ZIP_END));
			close_body(&b);
		}
	}
}

static void no_other_end_is(void **state)
{
	for (size_t f = 0; f < ARRAY_NR(formats); f++) {
		struct body b;

		/* In the middle of the body, before the trailer, within it. */
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, b.in_len / 2, 0, 20000, WD_ZIP_END));
		close_body(&b);
		for (size_t cut = 1; cut <= b.trailer_len; cut++) {
			open_body(&b, formats[f]);
			assert_false(verify(&b, 0, b.in_len - cut, 0, PLAIN_LEN, WD_ZIP_END));
			close_body(&b);
		}
		/* With output to come. */
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, b.in_len, 0, PLAIN_LEN - 1, WD_ZIP_END));
		close_body(&b);
		/* Behind it, and not at all. */
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, b.in_len + 1, 0, PLAIN_LEN, WD_ZIP_END));
		close_body(&b);
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, b.in_len, 0, PLAIN_LEN, WD_ZIP_OK));
		close_body(&b);
		/* Whatever the end: other bytes, or more of them. */
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, b.in_len, 1, PLAIN_LEN - 1, WD_ZIP_END));
		close_body(&b);
		open_body(&b, formats[f]);
		assert_false(verify(&b, 0, 100, 0, PLAIN_LEN, WD_ZIP_OK));
		close_body(&b);
	}
}

/* A copy goes on by itself. */
static void copies(void **state)
{
	for (size_t f = 0; f < ARRAY_NR(formats); f++) {
		z_stream strm = { 0 };
		struct body b, copy;

		open_body(&b, formats[f]);
		assert_true(verify(&b, 0, b.in_len / 2, 0, 20000, WD_ZIP_NO_ROOM));
		copy = (struct body){ .s = zwd_stream_new(&strm, ZWD_MAGIC_INFLATE) };
		copy.s->i = b.s->i;
		zwd_shadow_copy(copy.s, b.s);
		assert_true(verify(&b, b.in_len / 2, b.in_len - b.in_len / 2, 20000, PLAIN_LEN - 20000, WD_ZIP_END));
		close_body(&b);
		assert_true(verify(&copy, b.in_len / 2, b.in_len - b.in_len / 2, 20000, PLAIN_LEN - 20000, WD_ZIP_END));
		zwd_shadow_drop(copy.s);
		zwd_stream_free(&strm, copy.s);
	}
}

#if !IS_ASAN && !IS_TSAN
/* A sanitizer has a malloc() of its own. */
void *__libc_malloc(size_t len);
static size_t refused_from, refused_to;

__attribute__((visibility("default"))) void *malloc(size_t len)
{
	return len >= refused_from && len < refused_to ? NULL : __libc_malloc(len);
}

/* Without memory for it nothing is compared: for its own 32 KiB, or for zlib's state. */
static void no_memory_for_it(void **state)
{
	static const size_t lens[] = { 32768, 6900 };
	z_stream strm = { 0 };
	struct zwd_stream *s = zwd_stream_new(&strm, ZWD_MAGIC_INFLATE);
	struct wd_zip_res res = { .consumed = 1, .produced = 1 };
	struct zwd_sent sent = { in, plain, 1, 1 };

	void *volatile mem;

	assert_non_null(s);
	refused_to = SIZE_MAX;
	mem = malloc(1);
	refused_to = 0;
	/* Valgrind has a malloc() of its own, too. */
	if (mem) {
		free(mem);
		zwd_stream_free(&strm, s);
		skip();
	}
	for (size_t i = 0; i < ARRAY_NR(lens); i++) {
		refused_from = lens[i];
		refused_to = lens[i] + lens[i] / 4;
		zwd_shadow_begin(s);
		refused_to = 0;
		assert_null(s->i.shadow);
		assert_int_equal(zwd_shadow_verify(s, &sent, &res, 0), 0);
	}
	zwd_stream_free(&strm, s);
}
#define WITHOUT_MEMORY cmocka_unit_test(no_memory_for_it), /* before there is any that was used */
#else
#define WITHOUT_MEMORY
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITHOUT_MEMORY
		cmocka_unit_test(the_end_is_believed),
		cmocka_unit_test(no_other_end_is),
		cmocka_unit_test(copies),
	};
	uint32_t word = 1;

	setenv("ZWD_VERIFY", "1", 1);
	/* Half text, half noise. */
	for (size_t i = 0; i < PLAIN_LEN; i++) {
		word = word * 1664525u + 1013904223u;
		plain[i] = (unsigned char)(i % 2 ? word >> 24 : i / 100);
	}
	zwd_root_note();
	zwd_soft();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
