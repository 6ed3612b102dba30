/* SPDX-License-Identifier: Zlib */
/* Allocators that fail, that count, and that have work of their own. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT (192 << 10)
#define KEPT	(2 * PLAIN_LEN) /* of input, for the way back to software; while it grows */
#define ENOUGH	16 /* allocations */

static struct pool pool;
static unsigned char room[PLAIN_LEN + 100000];

static voidpf failing_alloc(voidpf opaque, uInt items, uInt size)
{
	return pool_alloc(opaque, items, size);
}

/* Returns the first code that is no success. */
static int deflate_short_of_memory(const struct shape *shape)
{
	z_stream strm = { .zalloc = failing_alloc, .zfree = pool_free, .opaque = &pool };
	int ret;

	ret = deflateInit2(&strm, 1, Z_DEFLATED, shape->window_bits, 8, Z_DEFAULT_STRATEGY);
	if (ret)
		return ret;
	strm.next_in = plain;
	strm.avail_in = shape->len;
	strm.next_out = room;
	strm.avail_out = sizeof(room);
	ret = deflate(&strm, Z_FINISH);
	/* zlib has taken all its memory. */
	if (ret != Z_STREAM_END)
		fail("%s: deflateInit2 0, deflate %d", shape->name, ret);
	check(!deflateEnd(&strm));
	return ret;
}

static int inflate_short_of_memory(const struct shape *shape, const unsigned char *packed,
				   size_t len)
{
	z_stream strm = { .zalloc = failing_alloc, .zfree = pool_free, .opaque = &pool };
	int ret;

	ret = inflateInit2(&strm, shape->window_bits);
	if (ret)
		return ret;
	strm.next_in = (z_const Bytef *)packed;
	strm.avail_in = len;
	/* In pieces: zlib takes the memory of its window at the end of a call that is not the last.
	 */
	do {
		strm.next_out = room;
		strm.avail_out = 20000;
		ret = inflate(&strm, Z_NO_FLUSH);
		if (!ret && memcmp(room, plain + strm.total_out - (20000 - strm.avail_out),
				   20000 - strm.avail_out))
			fail("%s: wrong data", shape->name);
	} while (!ret);
	check(ret != Z_STREAM_END || strm.total_out == shape->len);
	check(!inflateEnd(&strm));
	return ret;
}

/* A stream's state may be in more pieces than zlib's, or in fewer. There is no other error. */
static void success_or_memory(const char *what, long k, int ret)
{
	if (ret != Z_STREAM_END && (ret != Z_MEM_ERROR || k == ENOUGH))
		fail("%s, allocation %ld fails: %d", what, k, ret);
}

static void alloc_that_fails(const struct row *row)
{
	static unsigned char packed[1000000];

	(void)row;
	pool_open(&pool, 4 << 20);
	for (int i = 0; i < SHAPES; i++) {
		z_stream strm = { 0 };

		check(!deflateInit2(&strm, 1, Z_DEFLATED, shapes[i].window_bits, 8,
				    Z_DEFAULT_STRATEGY));
		strm.next_in = plain;
		strm.avail_in = shapes[i].len;
		strm.next_out = packed;
		strm.avail_out = sizeof(packed);
		check(deflate(&strm, Z_FINISH) == Z_STREAM_END);
		check(!deflateEnd(&strm));
		for (long k = 0; k <= ENOUGH; k++) {
			pool.used = 0;
			pool.left = k;
			success_or_memory("deflate", k, deflate_short_of_memory(&shapes[i]));
			pool.used = 0;
			pool.left = k;
			success_or_memory(
				"inflate", k,
				inflate_short_of_memory(&shapes[i], packed, strm.total_out));
		}
	}
}

/* A context of a device is beside it; and all is given back, to the last byte. */
static long in_use, most_in_use;

static voidpf counting_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t len = (size_t)items * size, *mem = malloc(len + 16);

	(void)opaque;
	check(mem);
	mem[0] = len;
	in_use += len;
	if (in_use > most_in_use)
		most_in_use = in_use;
	return (unsigned char *)mem + 8;
}

static void counting_free(voidpf opaque, voidpf mem)
{
	size_t *begin = (size_t *)((unsigned char *)mem - 8);

	(void)opaque;
	in_use -= (long)begin[0];
	free(begin);
}

static void counted(const struct row *row)
{
	static struct pair p;
	long stock;

	(void)row;
	for (int i = 0; i < SHAPES; i++) {
		most_in_use = 0;
		pair_open_with(&p, &shapes[i], counting_alloc, counting_free, NULL);
		pair_finish(&p);
		stock = stock_value(most_in_use);
		if (most_in_use > stock + CONTEXT + KEPT)
			fail("%s: %ld bytes more of the caller's memory than zlib's %ld",
			     shapes[i].name, most_in_use - stock, stock);
		check(!in_use);
	}
}

/* However many streams were left behind with work that waited: the next one needs no more for that. */
static void counted_after_abandoned(const struct row *row)
{
	z_stream strm = { .zalloc = counting_alloc, .zfree = counting_free };
	long stock;

	(void)row;
	pool_open(&pool, 2 << 20);
	for (int i = 0; i < 100; i++) {
		z_stream left = { .zalloc = pool_alloc, .zfree = pool_free, .opaque = &pool };

		pool.used = 0;
		check(!deflateInit2(&left, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
		left.next_in = plain;
		left.avail_in = 4000;
		left.next_out = room;
		left.avail_out = sizeof(room);
		check(!deflate(&left, Z_NO_FLUSH));
		check(!deflateParams(&left, 9, Z_DEFAULT_STRATEGY));
	}
	in_use = most_in_use = 0;
	check(!deflateInit2(&strm, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
	strm.next_in = plain;
	strm.avail_in = 4000;
	strm.next_out = room;
	strm.avail_out = sizeof(room);
	check(!deflate(&strm, Z_NO_FLUSH));
	check(!deflateParams(&strm, 9, Z_DEFAULT_STRATEGY));
	check(deflate(&strm, Z_FINISH) == Z_STREAM_END);
	check(!deflateEnd(&strm));
	stock = stock_value(most_in_use);
	if (most_in_use > stock + 65536)
		fail("%ld bytes more of the caller's memory than zlib's %ld", most_in_use - stock, stock);
	check(!in_use);
}

/* An allocator that compresses what it pages out: inside each call another stream has its turn. */
static int is_inside;

static voidpf compressing_alloc(voidpf opaque, uInt items, uInt size)
{
	if (!is_inside++)
		trip_quick();
	is_inside--;
	return pool_alloc(opaque, items, size);
}

static void compressing_free(voidpf opaque, voidpf mem)
{
	if (!is_inside++)
		trip_quick();
	is_inside--;
	pool_free(opaque, mem);
}

static void alloc_that_compresses(const struct row *row)
{
	static struct pair p;

	(void)row;
	pool_open(&pool, 64 << 20);
	for (int i = 0; i < SHAPES; i++) {
		pair_open_with(&p, &shapes[i], compressing_alloc, compressing_free, &pool);
		pair_finish(&p);
	}
}

const struct row rows[] = {
	{ "zalloc that fails", alloc_that_fails, .flags = USES_DEVICE },
	{ "zalloc that counts", counted, .flags = USES_DEVICE },
	{ "zalloc that counts, after abandoned streams", counted_after_abandoned, .flags = USES_DEVICE },
	{ "zalloc that compresses", alloc_that_compresses, .flags = USES_DEVICE },
	{ .name = NULL },
};
