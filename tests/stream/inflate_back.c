/* SPDX-License-Identifier: Zlib */
/* inflateBack(): raw streams through callbacks, in the caller's window. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

struct io {
	const unsigned char *in;
	size_t in_len, step;
	struct buf out;
	size_t stop_at; /* the writer refuses from here on, 0: never */
};

static unsigned int pull(void *desc, z_const unsigned char **buf)
{
	struct io *io = desc;
	size_t nr = io->step < io->in_len ? io->step : io->in_len;

	*buf = (z_const unsigned char *)io->in;
	io->in += nr;
	io->in_len -= nr;
	return nr;
}

static int push(void *desc, unsigned char *data, unsigned int len)
{
	struct io *io = desc;

	if (io->stop_at && io->out.len + len >= io->stop_at)
		return 1;
	buf_add(&io->out, data, len);
	return 0;
}

static int run(const struct zlib_api *z, int wbits, struct io *io, size_t *rest)
{
	unsigned char window[32768];
	z_stream strm = { 0 };
	int ret;

	assert_int_equal(z->inflateBackInit_(&strm, wbits, window, ZLIB_VERSION, (int)sizeof(strm)),
			 Z_OK);
	strm.next_in = NULL;
	ret = z->inflateBack(&strm, pull, io, push, io);
	*rest = io->in_len + strm.avail_in;
	assert_int_equal(z->inflateBackEnd(&strm), Z_OK);
	return ret;
}

static void every_kind_of_stream(void **state)
{
	static const size_t sizes[] = { 0, 1, 5000, 32768, 200000 }, steps[] = { 100000000, 1, 777 };
	size_t g, s, t;
	int level;

	for (g = 0; g < GEN_NR; g++)
		for (s = 0; s < NR(sizes); s++)
			for (t = 0; t < NR(steps); t++)
				for (level = 0; level <= 6; level += 3) {
					unsigned char *plain = gen_alloc((enum gen)g, sizes[s]);
					struct buf packed = { 0 };
					struct io io = { .step = steps[t] };
					size_t rest;

					deflate_all(&ref, -15, level, 0, plain, sizes[s], &packed);
					buf_add(&packed, "after", 5);
					io.in = packed.data;
					io.in_len = packed.len;
					assert_int_equal(run(&ours, 15, &io, &rest), Z_STREAM_END);
					assert_int_equal(rest, 5);
					assert_int_equal(io.out.len, sizes[s]);
					if (sizes[s])
						assert_memory_equal(io.out.data, plain, sizes[s]);
					buf_free(&io.out);
					buf_free(&packed);
					free(plain);
				}
}

static void errors_as_zlib(void **state)
{
	static unsigned char plain[50000];
	struct buf packed = { 0 };
	size_t at;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, -15, 6, 0, plain, sizeof(plain), &packed);
	for (at = 0; at < packed.len; at += 1 + packed.len / 200) {
		struct io io = { .in = packed.data, .in_len = at, .step = 1000 }, want = io;
		size_t rest, want_rest;

		/* cut there */
		assert_int_equal(run(&ours, 15, &io, &rest), run(&ref, 15, &want, &want_rest));
		assert_int_equal(rest, want_rest);
		buf_free(&io.out);
		buf_free(&want.out);
		/* damaged there */
		packed.data[at] ^= 0x11;
		io = (struct io){ .in = packed.data, .in_len = packed.len, .step = 1000 };
		want = io;
		assert_int_equal(run(&ours, 15, &io, &rest), run(&ref, 15, &want, &want_rest));
		assert_int_equal(io.out.len, want.out.len);
		packed.data[at] ^= 0x11;
		buf_free(&io.out);
		buf_free(&want.out);
	}
	buf_free(&packed);
}

static void writer_may_refuse(void **state)
{
	static unsigned char plain[200000];
	struct buf packed = { 0 };
	struct io io = { .step = 1000, .stop_at = 100000 };
	size_t rest;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, -15, 6, 0, plain, sizeof(plain), &packed);
	io.in = packed.data;
	io.in_len = packed.len;
	assert_int_equal(run(&ours, 15, &io, &rest), Z_BUF_ERROR);
	assert_memory_equal(io.out.data, plain, io.out.len);
	buf_free(&io.out);
	buf_free(&packed);
}

static void init_arguments(void **state)
{
	unsigned char window[32768];
	z_stream strm = { 0 };
	int wbits;

	for (wbits = -20; wbits <= 50; wbits++) {
		z_stream want = { 0 };
		int ret = ours.inflateBackInit_(&strm, wbits, window, ZLIB_VERSION,
						(int)sizeof(strm));

		assert_int_equal(ret, ref.inflateBackInit_(&want, wbits, window, ZLIB_VERSION,
							   (int)sizeof(want)));
		if (!ret) {
			assert_int_equal(ours.inflateBackEnd(&strm), Z_OK);
			ref.inflateBackEnd(&want);
		}
	}
	assert_int_equal(ours.inflateBackInit_(&strm, 15, NULL, ZLIB_VERSION, (int)sizeof(strm)),
			 Z_STREAM_ERROR);
	memset(&strm, 0, sizeof(strm));
	assert_int_equal(ours.inflateBackEnd(&strm), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateBack(&strm, pull, NULL, push, NULL), Z_STREAM_ERROR);
}

TEST_MAIN(60, cmocka_unit_test(every_kind_of_stream), cmocka_unit_test(errors_as_zlib),
	  cmocka_unit_test(writer_may_refuse), cmocka_unit_test(init_arguments))
