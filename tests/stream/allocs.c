/* SPDX-License-Identifier: Zlib */
/* The caller's zalloc and zfree: as often and as much as zlib, all freed, and a refusal survived. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

struct heap {
	unsigned int nr, live, fail_at; /* the fail_at-th allocation is refused, 0: none */
	size_t total, first, sizes[64];
	void *last;
};

static voidpf heap_alloc(voidpf opaque, uInt items, uInt size)
{
	struct heap *heap = opaque;
	void *block;

	if (++heap->nr == heap->fail_at)
		return NULL;
	if (heap->nr == 1)
		heap->first = (size_t)items * size;
	heap->total += (size_t)items * size;
	if (heap->nr <= NR(heap->sizes))
		heap->sizes[heap->nr - 1] = (size_t)items * size;
	heap->live++;
	block = malloc((size_t)items * size);
	if (block)
		memset(block, 0xa5, (size_t)items * size); /* nobody promised zeros */
	return block;
}

static void heap_free(voidpf opaque, voidpf address)
{
	struct heap *heap = opaque;

	assert_non_null(address);
	heap->live--;
	free(address);
}

static void hook(z_stream *strm, struct heap *heap)
{
	memset(strm, 0, sizeof(*strm));
	memset(heap, 0, sizeof(*heap));
	strm->zalloc = heap_alloc;
	strm->zfree = heap_free;
	strm->opaque = heap;
}

/* A whole stream, and another after a reset. */
static int use_deflate(const struct zlib_api *z, z_stream *strm, int wbits, int mem_level)
{
	static unsigned char plain[70000], out[140000];
	int i, ret;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	ret = z->deflateInit2_(strm, 6, Z_DEFLATED, wbits, mem_level, Z_DEFAULT_STRATEGY,
			       ZLIB_VERSION, (int)sizeof(*strm));
	for (i = 0; !ret && i < 2; i++) {
		strm->next_in = plain;
		strm->avail_in = sizeof(plain);
		strm->next_out = out;
		strm->avail_out = sizeof(out);
		assert_int_equal(z->deflate(strm, Z_FINISH), Z_STREAM_END);
		assert_inflates(wbits, out, strm->total_out, plain, sizeof(plain));
		assert_int_equal(z->deflateReset(strm), Z_OK);
	}
	if (!ret)
		assert_int_equal(z->deflateEnd(strm), Z_OK);
	return ret;
}

static int use_inflate(const struct zlib_api *z, z_stream *strm, int wbits)
{
	static unsigned char plain[70000], out[70000];
	struct buf packed = { 0 };
	int i, ret;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, wbits, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
	ret = z->inflateInit2_(strm, wbits, ZLIB_VERSION, (int)sizeof(*strm));
	for (i = 0; !ret && i < 2; i++) {
		strm->next_in = packed.data;
		strm->avail_in = packed.len / 2;
		strm->next_out = out;
		strm->avail_out = sizeof(out);
		ret = z->inflate(strm, Z_NO_FLUSH);
		if (ret)
			break;
		strm->avail_in = packed.len - packed.len / 2;
		ret = z->inflate(strm, Z_NO_FLUSH);
		if (ret == Z_STREAM_END) {
			assert_memory_equal(out, plain, sizeof(plain));
			ret = z->inflateReset(strm);
		}
	}
	buf_free(&packed);
	if (strm->state)
		assert_int_equal(z->inflateEnd(strm), Z_OK);
	return ret;
}

/* nginx's pool is made for this many and no more: see its gzip filter. */
static void deflate_allocates_as_zlib(void **state)
{
	static const int rows[][2] = { { 15, 8 }, { 15, 9 }, { 31, 8 }, { -15, 8 }, { 11, 4 },
				       { 9, 1 },  { 14, 7 }, { -12, 5 } };
	struct heap heap, want;
	z_stream strm;
	size_t r, i;

	for (r = 0; r < NR(rows); r++) {
		hook(&strm, &heap);
		assert_int_equal(use_deflate(&ours, &strm, rows[r][0], rows[r][1]), Z_OK);
		assert_int_equal(heap.live, 0);
		hook(&strm, &want);
		assert_int_equal(use_deflate(&ref, &strm, rows[r][0], rows[r][1]), Z_OK);
		assert_int_equal(heap.nr, 5);
		assert_int_equal(want.nr, 5);
		assert_true(heap.first < 8192);
		for (i = 1; i < 5; i++)
			assert_int_equal(heap.sizes[i], want.sizes[i]);
	}
	hook(&strm, &heap);
	assert_int_equal(use_deflate(&ours, &strm, 15, 8), Z_OK);
	assert_true(heap.total <= 270336);
}

/*
 * inflate: zlib's state and window, and beside them one small state of ours. A device stream also has
 * its context, output that waits, and input kept for a replay.
 */
static void inflate_allocates_little_more(void **state)
{
	static const int wbits[] = { 15, 31, -15 };
	struct heap heap, want;
	z_stream strm;
	size_t w;

	for (w = 0; w < NR(wbits); w++) {
		hook(&strm, &heap);
		assert_int_equal(use_inflate(&ours, &strm, wbits[w]), Z_OK);
		assert_int_equal(heap.live, 0);
		hook(&strm, &want);
		assert_int_equal(use_inflate(&ref, &strm, wbits[w]), Z_OK);
		if (test_mode != MODE_SOFT)
			continue;
		assert_true(heap.nr <= want.nr + 1);
		assert_true(heap.total <= want.total + 8192);
	}
}

static void refused_allocation_is_mem_error(void **state)
{
	struct heap heap;
	z_stream strm;
	unsigned int at;
	int ret;

	for (at = 1; at <= 6; at++) {
		hook(&strm, &heap);
		heap.fail_at = at;
		ret = use_deflate(&ours, &strm, 15, 8);
		/* What a device does not need may be refused without harm. */
		assert_true(ret == (at <= 5 ? Z_MEM_ERROR : Z_OK) ||
			    (ret == Z_OK && test_mode != MODE_SOFT));
		assert_int_equal(heap.live, 0);
		assert_null(strm.state);
		if (at > 1 && ret)
			assert_string_equal(strm.msg, "insufficient memory");
	}
	for (at = 1; at <= 3; at++) {
		hook(&strm, &heap);
		heap.fail_at = at;
		ret = use_inflate(&ours, &strm, 15);
		assert_true(ret == Z_OK || ret == Z_MEM_ERROR);
		if (at == 1)
			assert_int_equal(ret, Z_MEM_ERROR);
		assert_int_equal(heap.live, 0);
	}
}

/* The copy has memory of its own from the same functions, and a refusal leaves the original whole. */
static void copies_allocate_too(void **state)
{
	static unsigned char plain[70000], out[140000];
	struct heap heap;
	z_stream strm, copy;
	unsigned int before, at;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (at = 0; at <= 5; at++) {
		hook(&strm, &heap);
		assert_int_equal(deflateInit(&strm, 6), Z_OK);
		strm.next_in = plain;
		strm.avail_in = sizeof(plain);
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		assert_int_equal(ours.deflate(&strm, Z_NO_FLUSH), Z_OK);
		before = heap.live;
		heap.fail_at = at ? heap.nr + at : 0;
		assert_int_equal(ours.deflateCopy(&copy, &strm), at ? Z_MEM_ERROR : Z_OK);
		if (!at) {
			assert_true(heap.live > before);
			assert_int_equal(ours.deflateEnd(&copy), Z_DATA_ERROR);
		}
		assert_int_equal(heap.live, before);
		assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
		assert_inflates(15, out, strm.total_out, plain, sizeof(plain));
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
		assert_int_equal(heap.live, 0);
	}
}

/* One that software has, and a device later: zlib's five and no more, for a pool has no use for what it is given back. */
static void copies_of_software_allocate_as_zlib(void **state)
{
	static unsigned char plain[60000], out[400000];
	struct heap heap, want;
	z_stream strm, copy;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	hook(&strm, &heap);
	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	hook(&copy, &want);
	for (int i = 0; i < 9; i++) {
		z_stream *z = i < 3 ? &strm : &copy;

		if (i == 3) { /* level 9 is not a device's */
			strm.opaque = &want;
			assert_int_equal(ours.deflateCopy(&copy, &strm), Z_OK);
			strm.opaque = &heap;
		}
		z->next_in = plain;
		z->avail_in = sizeof(plain);
		z->next_out = out;
		z->avail_out = sizeof(out);
		assert_int_equal(ours.deflate(z, i < 8 ? Z_SYNC_FLUSH : Z_FINISH),
				 i < 8 ? Z_OK : Z_STREAM_END);
		assert_int_equal(ours.deflateParams(z, i % 4 ? 9 : 6, Z_DEFAULT_STRATEGY), Z_OK);
	}
	assert_int_equal(heap.nr, 5);
	assert_int_equal(want.nr, 5);
	assert_int_equal(ours.deflateEnd(&strm), Z_DATA_ERROR);
	assert_int_equal(ours.deflateEnd(&copy), Z_OK);
	assert_int_equal(heap.live + want.live, 0);
}

/*
 * Output that waits when software takes over has a place of the library's, in some streams at a time: afterwards so
 * many have one again. The caller is asked by what are too many, and by no other.
 */
static void what_waits_is_elsewhere(void **state)
{
	enum { MANY = 40, FEW = 32, LEN = 20000, ROOM = 30000 };
	static unsigned char plain[LEN], out[MANY][ROOM];
	static struct heap heap[MANY];
	static z_stream strm[MANY];

	gen_fill(GEN_RANDOM, plain, LEN);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			hook(&strm[i], &heap[i]);
			assert_int_equal(deflateInit(&strm[i], 6), Z_OK);
			strm[i].next_in = plain;
			strm[i].avail_in = LEN;
			strm[i].next_out = out[i];
			strm[i].avail_out = 5;
			assert_int_equal(ours.deflate(&strm[i], Z_SYNC_FLUSH), Z_OK);
			assert_int_equal(ours.deflateTune(&strm[i], 8, 16, 128, 128), Z_OK);
			assert_in_range(heap[i].nr, 5, i < FEW ? 5 : 6);
		}
		for (int i = 0; i < MANY; i++) {
			strm[i].avail_out = ROOM - 5;
			assert_int_equal(ours.deflate(&strm[i], Z_FINISH), Z_STREAM_END);
			assert_inflates(15, out[i], strm[i].total_out, plain, LEN);
			assert_int_equal(ours.deflateEnd(&strm[i]), Z_OK);
			assert_int_equal(heap[i].live, 0);
		}
	}
}

static void inflate_copies_allocate_too(void **state)
{
	static unsigned char plain[70000], out[70000];
	struct buf packed = { 0 };
	struct heap heap;
	z_stream strm, copy;
	unsigned int before, at;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
	for (at = 0; at <= 2; at++) {
		hook(&strm, &heap);
		assert_int_equal(inflateInit(&strm), Z_OK);
		strm.next_in = packed.data;
		strm.avail_in = packed.len / 2;
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		before = heap.live;
		heap.fail_at = at ? heap.nr + at : 0;
		assert_int_equal(ours.inflateCopy(&copy, &strm), at ? Z_MEM_ERROR : Z_OK);
		if (!at) {
			assert_true(heap.live > before);
			assert_int_equal(ours.inflateEnd(&copy), Z_OK);
		}
		assert_int_equal(heap.live, before);
		strm.avail_in = packed.len - packed.len / 2;
		assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
		assert_memory_equal(out, plain, sizeof(plain));
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		assert_int_equal(heap.live, 0);
	}
	buf_free(&packed);
}

/* Without functions of the caller the defaults are entered in the stream. */
static void defaults_are_set(void **state)
{
	z_stream strm = { .opaque = &strm };

	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	assert_non_null(strm.zalloc);
	assert_non_null(strm.zfree);
	assert_null(strm.opaque);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	memset(&strm, 0, sizeof(strm));
	assert_int_equal(inflateInit(&strm), Z_OK);
	assert_non_null(strm.zalloc);
	assert_non_null(strm.zfree);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

static voidpf just_malloc(voidpf opaque, uInt items, uInt size)
{
	return malloc((size_t)items * size);
}

static void just_free(voidpf opaque, voidpf address)
{
	free(address);
}

/* One function of the caller's and one default: both mean the C library's heap. */
static void one_function_is_enough(void **state)
{
	z_stream strm;

	for (int i = 0; i < 4; i++) {
		memset(&strm, 0, sizeof(strm));
		if (i & 1)
			strm.zalloc = just_malloc;
		else
			strm.zfree = just_free;
		if (i & 2)
			assert_int_equal(use_inflate(&ours, &strm, 15), Z_OK);
		else
			assert_int_equal(use_deflate(&ours, &strm, 15, 8), Z_OK);
	}
}

TEST_MAIN(60, cmocka_unit_test(deflate_allocates_as_zlib),
	  cmocka_unit_test(inflate_allocates_little_more),
	  cmocka_unit_test(refused_allocation_is_mem_error), cmocka_unit_test(copies_allocate_too),
	  cmocka_unit_test(copies_of_software_allocate_as_zlib), cmocka_unit_test(what_waits_is_elsewhere),
	  cmocka_unit_test(inflate_copies_allocate_too), cmocka_unit_test(defaults_are_set),
	  cmocka_unit_test(one_function_is_enough))
