/* SPDX-License-Identifier: Zlib */
/* Whose memory it is: alignment, odd addresses, pools that are dropped, allocators that never return. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAMS 500
#define ALIKE	250

static struct pool pool;
static unsigned char room[PLAIN_LEN + 100000];

static void aligned_to_8(const struct row *row)
{
	static struct pair p;
	z_stream copy;
	uInt len = 0;

	(void)row;
	pool_open(&pool, 64 << 20);
	for (int i = 0; i < SHAPES; i++) {
		pair_open_with(&p, &shapes[i], pool_alloc, pool_free, &pool);
		pair_half(&p);
		check(!deflateCopy(&copy, &p.deflate));
		check(deflateEnd(&copy) <= Z_OK);
		check(!inflateCopy(&copy, &p.inflate));
		check(!inflateEnd(&copy));
		check(!inflateGetDictionary(&p.inflate, room, &len));
		check(!deflateGetDictionary(&p.deflate, room, &len));
		pair_finish(&p);
	}
	for (int level = 0; level <= 9; level++) {
		z_stream strm = { .zalloc = pool_alloc, .zfree = pool_free, .opaque = &pool };

		check(!deflateInit(&strm, level));
		check(!deflateSetDictionary(&strm, plain, 1000));
		strm.next_in = plain;
		strm.avail_in = 50000;
		strm.next_out = room;
		strm.avail_out = sizeof(room);
		check(!deflate(&strm, Z_BLOCK));
		check(!deflateParams(&strm, 9 - level, Z_FILTERED));
		strm.avail_in = 50000;
		check(deflate(&strm, Z_FINISH) == Z_STREAM_END);
		check(!deflateReset(&strm));
		check(!deflateEnd(&strm));
	}
}

/* Input and room between pages that cannot be touched, at each address modulo 16. */
static void odd_addresses(const struct row *row)
{
	size_t page = 4096, len = 100 * page;
	unsigned char *in, *out;

	(void)row;
	in = mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	out = mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(in != MAP_FAILED && out != MAP_FAILED);
	check(!mprotect(in + len, page, PROT_NONE) && !mprotect(out + len, page, PROT_NONE));
	for (size_t i = 1; i < 17; i++) {
		unsigned char *src = in + len - 1000 * i - i, *dst = out + len - 4000 * i - i;
		z_stream d = { 0 }, b = { 0 };

		memcpy(src, plain, in + len - src);
		check(!deflateInit2(&d, 1, Z_DEFLATED, i & 1 ? 31 : -15, 8, Z_DEFAULT_STRATEGY));
		check(!inflateInit2(&b, i & 1 ? 31 : -15));
		d.next_in = src;
		d.avail_in = in + len - src;
		d.next_out = dst;
		d.avail_out = out + len - dst;
		check(deflate(&d, Z_FINISH) == Z_STREAM_END);
		memmove(out + len - d.total_out, dst, d.total_out);
		memset(src, 0, in + len - src);
		b.next_in = out + len - d.total_out;
		b.avail_in = d.total_out;
		b.next_out = src;
		b.avail_out = in + len - src;
		check(inflate(&b, Z_FINISH) == Z_STREAM_END);
		check(!memcmp(src, plain, in + len - src));
		check(!deflateEnd(&d) && !inflateEnd(&b));
	}
}

/* Brings a stream to one of its states; false: there are no more. */
static int abandon_deflate(unsigned int state, alloc_func zalloc, free_func zfree, void *opaque)
{
	z_stream strm = { .zalloc = zalloc, .zfree = zfree, .opaque = opaque }, copy;

	check(!deflateInit2(&strm, 6, Z_DEFLATED, state & 1 ? 31 : 15, 8, Z_DEFAULT_STRATEGY));
	strm.next_in = plain;
	strm.avail_in = 4000;
	strm.next_out = room;
	strm.avail_out = sizeof(room);
	switch (state / 2) {
	case 0:
		return 1;
	case 1:
		check(!deflate(&strm, Z_NO_FLUSH));
		return 1;
	case 2:
		check(!deflate(&strm, Z_NO_FLUSH));
		check(!deflate(&strm, Z_SYNC_FLUSH));
		return 1;
	case 3:
		check(!deflate(&strm, Z_NO_FLUSH));
		check(!deflateParams(&strm, 9, Z_DEFAULT_STRATEGY));
		return 1;
	case 4:
		check(!deflate(&strm, Z_NO_FLUSH));
		check(!deflate(&strm, Z_BLOCK));
		return 1;
	case 5:
		strm.avail_in = 300000;
		check(!deflate(&strm, Z_NO_FLUSH));
		return 1;
	case 6: /* work that has begun, and nowhere to put it */
		strm.avail_in = 300000;
		strm.avail_out = 10;
		check(!deflate(&strm, Z_SYNC_FLUSH));
		return 1;
	case 7:
		strm.avail_out = 10;
		check(!deflate(&strm, Z_FINISH));
		return 1;
	case 8:
		strm.avail_in = 100000;
		check(!deflate(&strm, Z_NO_FLUSH));
		check(!deflateCopy(&copy, &strm));
		copy.avail_in = 100000;
		check(!deflate(&copy, Z_SYNC_FLUSH));
		return 1;
	case 9:
		check(deflate(&strm, Z_FINISH) == Z_STREAM_END);
		return 1;
	default:
		return 0;
	}
}

static int abandon_inflate(unsigned int state, alloc_func zalloc, free_func zfree, void *opaque)
{
	static unsigned char packed[400000], damaged[1000];
	static uLongf packed_len;
	z_stream strm = { .zalloc = zalloc, .zfree = zfree, .opaque = opaque }, copy;

	if (!packed_len) {
		packed_len = sizeof(packed);
		check(!compress(packed, &packed_len, plain, 1000000));
		check(packed_len > 30000);
		memset(damaged, 0xff, sizeof(damaged));
		memcpy(damaged, packed, 300);
	}
	check(!inflateInit2(&strm, 47));
	strm.next_in = packed;
	strm.avail_in = 1000;
	strm.next_out = room;
	strm.avail_out = sizeof(room);
	switch (state) {
	case 0:
		return 1;
	case 1:
		check(!inflate(&strm, Z_NO_FLUSH));
		return 1;
	case 2:
		strm.avail_in = 1;
		check(!inflate(&strm, Z_NO_FLUSH));
		return 1;
	case 3: /* work ahead of the room */
		strm.avail_in = packed_len;
		strm.avail_out = 10;
		check(!inflate(&strm, Z_NO_FLUSH));
		return 1;
	case 4:
		check(!inflate(&strm, Z_NO_FLUSH));
		check(!inflateCopy(&copy, &strm));
		copy.avail_in = 1000;
		check(!inflate(&copy, Z_NO_FLUSH));
		return 1;
	case 5:
		check(!inflate(&strm, Z_BLOCK));
		return 1;
	case 6:
		strm.next_in = damaged;
		check(inflate(&strm, Z_NO_FLUSH) == Z_DATA_ERROR);
		return 1;
	case 7:
		strm.avail_in = packed_len;
		check(inflate(&strm, Z_FINISH) == Z_STREAM_END);
		return 1;
	default:
		return 0;
	}
}

static void abandon(unsigned int nr)
{
	for (unsigned int i = 0, state = 0; i < nr; i++, state++) {
		pool.used = 0;
		if (state < 100 && !abandon_deflate(state, pool_alloc, pool_free, &pool))
			state = 100;
		if (state >= 100 && !abandon_inflate(state - 100, pool_alloc, pool_free, &pool))
			state = -1u;
	}
}

static void abandoned(const struct row *row)
{
	long before, more;

	(void)row;
	pool_open(&pool, 2 << 20);
	abandon(60);
	before = resident_len();
	abandon(STREAMS);
	more = resident_len() - before;
	if (more > stock_value(more) + (1 << 20))
		fail("%ld KiB more after %d streams", more >> 10, STREAMS);
	trip_all();
}

/* The same state again and again: what is left of one stream is little. */
static void abandoned_alike(const struct row *row)
{
	long before = 0, more;

	pool_open(&pool, 2 << 20);
	for (int i = 0; i < ALIKE + 50; i++) {
		if (i == 50)
			before = resident_len();
		pool.used = 0;
		check(abandon_deflate((unsigned int)row->arg, pool_alloc, pool_free, &pool));
	}
	more = resident_len() - before;
	if (more > stock_value(more) + ALIKE * 2048)
		fail("%ld KiB more after %d streams", more >> 10, ALIKE);
	trip_all();
}

static void trip_in_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		trip_all();
		exit(0);
	}
	child_is_right(pid, "child");
}

/* What was abandoned is gone from the address space when the process goes on, forks and ends. */
static void abandoned_and_unmapped(const struct row *row)
{
	(void)row;
	for (int round = 0; round < 3; round++) {
		pool_open(&pool, 2 << 20);
		abandon(60);
		check(!munmap(pool.mem, pool.size));
		trip_quick();
	}
	trip_all();
	trip_in_child();
	trip_all();
}

/* The same with memory that gets other contents: nothing there is ever read again. */
static void abandoned_and_overwritten(const struct row *row)
{
	(void)row;
	pool_open(&pool, 2 << 20);
	for (int round = 0; round < 20; round++) {
		abandon(28);
		memset(pool.mem, 0x5a, pool.size);
	}
	trip_all();
	trip_in_child();
}

static jmp_buf out_of_memory;

static voidpf leaving_alloc(voidpf opaque, uInt items, uInt size)
{
	if (pool.left <= 0)
		longjmp(out_of_memory, 1);
	return pool_alloc(opaque, items, size);
}

/* Starts each kind of stream and works with it; the k-th allocation never returns. */
static void leave_at(long k, int is_inflate)
{
	pool.used = 0;
	pool.left = k;
	if (setjmp(out_of_memory))
		return;
	for (unsigned int state = 0;; state++)
		if (!(is_inflate ? abandon_inflate(state, leaving_alloc, pool_free, &pool)
				 : abandon_deflate(state, leaving_alloc, pool_free, &pool)))
			return;
}

static void alloc_that_leaves(const struct row *row)
{
	double begin;

	(void)row;
	pool_open(&pool, 64 << 20);
	trip_quick();
	for (int round = 0; round < 4; round++)
		for (long k = 0; k < 24; k++) {
			leave_at(k, 0);
			leave_at(k, 1);
		}
	begin = now_s();
	for (int i = 0; i < 3; i++)
		trip_quick();
	if (now_s() - begin > 0.8)
		fail("three streams take %.2f s", now_s() - begin);
	trip_all();
}

const struct row rows[] = {
	{ "aligned to 8", aligned_to_8, .flags = USES_DEVICE },
	{ "odd addresses beside forbidden pages", odd_addresses, .flags = USES_DEVICE },
	{ "abandoned streams", abandoned, .flags = USES_DEVICE },
	{ "abandoned streams, sizes decide", abandoned, .flags = IN_EMU,
	  .env = "ZWD_ENGINE=auto ZWD_MIN_DEFLATE=64K ZWD_MIN_INFLATE=64K" },
	{ "abandoned streams, with units side by side", abandoned_alike, .arg = 10, .flags = USES_DEVICE,
	  .limit_s = 60 },
	{ "abandoned streams, with parameters changed", abandoned_alike, .arg = 6, .flags = USES_DEVICE },
	{ "abandoned streams, memory unmapped", abandoned_and_unmapped, .flags = USES_DEVICE },
	{ "abandoned streams, memory overwritten", abandoned_and_overwritten,
	  .flags = USES_DEVICE },
	{ "zalloc that leaves by longjmp", alloc_that_leaves, .flags = USES_DEVICE,
	  .env = "ZWD_QUEUES=4" },
	{ .name = NULL },
};
