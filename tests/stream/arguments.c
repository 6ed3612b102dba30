/* SPDX-License-Identifier: Zlib */
/* Wrong arguments and streams that are not theirs get zlib's own return values. */
#include "config.h"
#include "helpers.h"
#include "zwd.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static void deflate_init_arguments(void **state)
{
	/* level, method, windowBits, memLevel, strategy: each at and beyond its limits. */
	static const int rows[][5] = {
		{ -2, 8, 15, 8, 0 }, { 10, 8, 15, 8, 0 }, { 6, 7, 15, 8, 0 },	{ 6, 0, 15, 8, 0 },
		{ 6, 8, 7, 8, 0 },   { 6, 8, 8, 8, 0 },	  { 6, 8, -8, 8, 0 },	{ 6, 8, -9, 8, 0 },
		{ 6, 8, 16, 8, 0 },  { 6, 8, -16, 8, 0 }, { 6, 8, 24, 8, 0 },	{ 6, 8, 25, 8, 0 },
		{ 6, 8, 32, 8, 0 },  { 6, 8, 47, 8, 0 },  { 6, 8, 0, 8, 0 },	{ 6, 8, 15, 0, 0 },
		{ 6, 8, 15, 1, 0 },  { 6, 8, 15, 9, 0 },  { 6, 8, 15, 10, 0 },	{ 6, 8, 15, 8, -1 },
		{ 6, 8, 15, 8, 4 },  { 6, 8, 15, 8, 5 },  { -1, 8, 15, 8, 0 },	{ 9, 8, 31, 9, 3 },
		{ 6, 8, -17, 8, 0 }, { 6, 8, 31, -1, 0 }, { 6, 8, 1000, 8, 0 }, { 6, 8, -1000, 8, 0 },
	};
	size_t r;

	for (r = 0; r < NR(rows); r++) {
		const int *row = rows[r];
		z_stream strm = { 0 }, want = { 0 };
		int ret, want_ret;

		ret = ours.deflateInit2_(&strm, row[0], row[1], row[2], row[3], row[4],
					 ZLIB_VERSION, (int)sizeof(strm));
		want_ret = ref.deflateInit2_(&want, row[0], row[1], row[2], row[3], row[4],
					     ZLIB_VERSION, (int)sizeof(want));
		if (ret != want_ret)
			fail_msg("deflateInit2(%d, %d, %d, %d, %d): %d, zlib: %d", row[0], row[1],
				 row[2], row[3], row[4], ret, want_ret);
		if (!ret) {
			assert_int_equal(strm.adler, want.adler);
			assert_int_equal(strm.data_type, want.data_type);
			assert_int_equal(ours.deflateEnd(&strm), Z_OK);
			assert_int_equal(ref.deflateEnd(&want), Z_OK);
		}
	}
}

static void inflate_init_arguments(void **state)
{
	int wbits;

	for (wbits = -20; wbits <= 70; wbits++) {
		z_stream strm = { 0 }, want = { 0 };
		int ret = ours.inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm));

		assert_int_equal(ret, ref.inflateInit2_(&want, wbits, ZLIB_VERSION,
							(int)sizeof(want)));
		assert_int_equal(!strm.state, !want.state);
		if (!ret) {
			assert_int_equal(strm.adler, want.adler);
			assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			assert_int_equal(ref.inflateEnd(&want), Z_OK);
		}
	}
}

/* Only the first character of the version and the size of the struct count. */
static void version_and_size(void **state)
{
	static const struct {
		const char *version;
		int size, ret;
	} rows[] = {
		{ ZLIB_VERSION, (int)sizeof(z_stream), Z_OK },
		{ "1.0", (int)sizeof(z_stream), Z_OK },
		{ "1", (int)sizeof(z_stream), Z_OK },
		{ "2.0", (int)sizeof(z_stream), Z_VERSION_ERROR },
		{ "", (int)sizeof(z_stream), Z_VERSION_ERROR },
		{ NULL, (int)sizeof(z_stream), Z_VERSION_ERROR },
		{ ZLIB_VERSION, (int)sizeof(z_stream) - 8, Z_VERSION_ERROR },
		{ ZLIB_VERSION, 0, Z_VERSION_ERROR },
	};
	unsigned char window[32768];
	size_t r;

	for (r = 0; r < NR(rows); r++) {
		const char *version = rows[r].version;
		int size = rows[r].size, ret = rows[r].ret;
		z_stream strm = { 0 };

		assert_int_equal(ours.deflateInit_(&strm, 6, version, size), ret);
		if (!ret)
			ours.deflateEnd(&strm);
		assert_int_equal(ours.deflateInit2_(&strm, 6, 8, 15, 8, 0, version, size), ret);
		if (!ret)
			ours.deflateEnd(&strm);
		assert_int_equal(ours.inflateInit_(&strm, version, size), ret);
		if (!ret)
			ours.inflateEnd(&strm);
		assert_int_equal(ours.inflateInit2_(&strm, 31, version, size), ret);
		if (!ret)
			ours.inflateEnd(&strm);
		assert_int_equal(ours.inflateBackInit_(&strm, 15, window, version, size), ret);
		if (!ret)
			ours.inflateBackEnd(&strm);
	}
	/* The version is looked at first, a missing stream second. */
	assert_int_equal(ours.deflateInit_(NULL, 6, "2", 112), Z_VERSION_ERROR);
	assert_int_equal(ours.deflateInit_(NULL, 6, ZLIB_VERSION, (int)sizeof(z_stream)),
			 Z_STREAM_ERROR);
	assert_int_equal(ours.inflateInit_(NULL, ZLIB_VERSION, (int)sizeof(z_stream)),
			 Z_STREAM_ERROR);
	assert_int_equal(ours.inflateBackInit_(NULL, 15, window, ZLIB_VERSION,
					       (int)sizeof(z_stream)),
			 Z_STREAM_ERROR);
}

/* Every function that takes a stream, on a stream of that kind. */
static int deflate_op(const struct zlib_api *z, z_stream *strm, int op)
{
	unsigned char dict[100] = { 0 };
	unsigned int pending;
	gz_header head = { 0 };
	z_stream copy = { 0 };
	uInt len = 0;
	int bits, ret;

	switch (op) {
	case 0:
		return z->deflate(strm, Z_NO_FLUSH);
	case 1:
		return z->deflateReset(strm);
	case 2:
		return z->deflateResetKeep(strm);
	case 3:
		return z->deflateParams(strm, 1, 0);
	case 4:
		return z->deflateSetDictionary(strm, dict, sizeof(dict));
	case 5:
		return z->deflateGetDictionary(strm, dict, &len);
	case 6:
		ret = z->deflateCopy(&copy, strm);
		if (!ret)
			z->deflateEnd(&copy);
		return ret;
	case 7:
		return z->deflateTune(strm, 4, 4, 8, 4);
	case 8:
		return z->deflatePrime(strm, 3, 5);
	case 9:
		return z->deflatePending(strm, &pending, &bits);
	case 10:
		return z->deflateSetHeader(strm, &head);
	case 11:
		return z->deflateEnd(strm);
	default:
		return 100;
	}
}

static int inflate_op(const struct zlib_api *z, z_stream *strm, int op)
{
	unsigned char dict[32768] = { 0 };
	gz_header head = { 0 };
	z_stream copy = { 0 };
	uInt len = 0;
	int ret;

	switch (op) {
	case 0:
		return z->inflate(strm, Z_NO_FLUSH);
	case 1:
		return z->inflateReset(strm);
	case 2:
		return z->inflateResetKeep(strm);
	case 3:
		return z->inflateReset2(strm, 31);
	case 4:
		return z->inflateSetDictionary(strm, dict, 100);
	case 5:
		return z->inflateGetDictionary(strm, dict, &len);
	case 6:
		ret = z->inflateCopy(&copy, strm);
		if (!ret)
			z->inflateEnd(&copy);
		return ret;
	case 7:
		return z->inflateSync(strm);
	case 8:
		return z->inflateSyncPoint(strm);
	case 9:
		return z->inflatePrime(strm, 3, 5);
	case 10:
		return z->inflateGetHeader(strm, &head);
	case 11:
		return z->inflateUndermine(strm, 1);
	case 12:
		return z->inflateValidate(strm, 0);
	case 13:
		return (int)(z->inflateMark(strm) >> 16);
	case 14:
		return (int)z->inflateCodesUsed(strm);
	case 15:
		return z->inflateEnd(strm);
	default:
		return 100;
	}
}

enum kind { NONE, EMPTY, ENDED, MOVED, OTHER_KIND, NO_ALLOC, NO_FREE, NO_OUT, NO_IN, NO_ROOM, NEVER_OPENED,
	    KIND_NR };
static const char *const kinds[] = { "NULL",	    "zeroed",	 "ended",    "copied by memcpy",
				     "other kind",  "no zalloc", "no zfree", "next_out NULL",
				     "next_in NULL", "no room",	 "never opened, state unset" };

static int answer(const struct zlib_api *z, int deflating, int wbits, enum kind kind, int op)
{
	z_stream strm = { 0 }, moved, *use = &strm;
	unsigned char byte[2] = "x", out[100];
	int init = kind != NONE && kind != EMPTY && kind != NEVER_OPENED, ret;
	int made_deflating = kind == OTHER_KIND ? !deflating : deflating;

	if (init && made_deflating)
		assert_int_equal(z->deflateInit2_(&strm, 6, 8, wbits, 8, 0, ZLIB_VERSION,
						  (int)sizeof(strm)),
				 Z_OK);
	else if (init)
		assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)),
				 Z_OK);
	strm.next_in = byte;
	strm.avail_in = 1;
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	moved = strm;
	if (kind == NONE)
		use = NULL;
	else if (kind == ENDED)
		(deflating ? z->deflateEnd : z->inflateEnd)(&strm);
	else if (kind == MOVED)
		use = &moved;
	else if (kind == NO_ALLOC)
		strm.zalloc = NULL;
	else if (kind == NO_FREE)
		strm.zfree = NULL;
	else if (kind == NO_OUT)
		strm.next_out = NULL;
	else if (kind == NO_IN)
		strm.next_in = NULL;
	else if (kind == NO_ROOM)
		strm.avail_out = 0;
	else if (kind == NEVER_OPENED)
		strm.state = (void *)0x11; /* a program's way out ends it all the same */

	ret = (deflating ? deflate_op : inflate_op)(z, use, op);
	/* Nothing was freed by a refused call, so that the true owner can end it. */
	if (init && kind != ENDED) {
		strm.zalloc = moved.zalloc;
		strm.zfree = moved.zfree;
		if (strm.state)
			(made_deflating ? z->deflateEnd : z->inflateEnd)(&strm);
	}
	return ret;
}

static void foreign_and_broken_streams(int deflating)
{
	static const int wbits[] = { 15, 31, -15 };
	int kind, op;
	size_t w;

	for (w = 0; w < NR(wbits); w++)
		for (kind = 0; kind < KIND_NR; kind++)
			for (op = 0;; op++) {
				int want;

				/* zlib's inflateSync() reads from NULL. */
				if (!deflating && kind == NO_IN && op == 7)
					continue;
				want = answer(&ref, deflating, wbits[w], kind, op);
				if (want == 100)
					break;
				if (answer(&ours, deflating, wbits[w], kind, op) != want)
					fail_msg("%s %d, stream %s, windowBits %d: not %d as zlib",
						 deflating ? "deflate" : "inflate", op, kinds[kind],
						 wbits[w], want);
			}
}

static void deflate_functions(void **state)
{
	foreign_and_broken_streams(1);
}

static void inflate_functions(void **state)
{
	foreign_and_broken_streams(0);
}

/* A moved struct is refused; the original goes on as if nothing had been. */
static void original_goes_on(void **state)
{
	static unsigned char plain[50000], out[100000];
	z_stream strm = { 0 }, moved;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	assert_int_equal(ours.deflate(&strm, Z_SYNC_FLUSH), Z_OK);
	memcpy(&moved, &strm, sizeof(strm));
	assert_int_equal(ours.deflate(&moved, Z_FINISH), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateReset(&moved), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&moved), Z_STREAM_ERROR);
	assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_inflates(15, out, strm.total_out, plain, sizeof(plain));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

static void deflate_bound_of_nothing(void **state)
{
	z_stream strm = { 0 };

	assert_int_equal(ours.deflateBound(NULL, 1000), ref.deflateBound(NULL, 1000));
	assert_int_equal(ours.deflateBound(&strm, 1000), ref.deflateBound(&strm, 1000));
	assert_int_equal(ours.inflateMark(NULL), ref.inflateMark(NULL));
	assert_int_equal(ours.inflateCodesUsed(NULL), ref.inflateCodesUsed(NULL));
}

/* What is not zlib's: as much as the caller knows of, and as there is. */
static void our_own(void **state)
{
	struct {
		struct zwd_stats stats;
		char more[100];
	} got;

	assert_string_equal(zwd_version(), PACKAGE_VERSION);
	memset(&got, 0x5a, sizeof(got));
	assert_int_equal(zwd_stats(&got.stats, sizeof(got)), sizeof(got.stats));
	assert_int_equal(got.more[0], 0x5a);
	memset(&got, 0x5a, sizeof(got));
	assert_int_equal(zwd_stats(&got.stats, 8), 8);
	assert_int_equal(((unsigned char *)&got)[8], 0x5a);
}

TEST_MAIN(60, cmocka_unit_test(deflate_init_arguments), cmocka_unit_test(inflate_init_arguments),
	  cmocka_unit_test(version_and_size), cmocka_unit_test(deflate_functions),
	  cmocka_unit_test(inflate_functions), cmocka_unit_test(original_goes_on),
	  cmocka_unit_test(deflate_bound_of_nothing), cmocka_unit_test(our_own))
