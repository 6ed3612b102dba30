/* SPDX-License-Identifier: Zlib */
/* How deep each function goes: at most 1024 bytes deeper than zlib's own. */
#include "config.h"
#include "process.h"
#include "trip.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define MORE	   1024
#define DEPTH	   (256 << 10)
#define PACKED_LEN (1 << 20)
#define ROOM	   (4 << 20)

static unsigned char stack[DEPTH] __attribute__((aligned(4096)));
static unsigned char packed[PACKED_LEN], out[ROOM], window[32768];
static uLongf packed_len;
static z_stream d, i, copy;
static gz_header header;
static gzFile file;
static int ret;

static void (*body)(void);
static ucontext_t here, there;

static void run_body(void)
{
	body();
}

static long depth_of(void (*call)(void))
{
	size_t at = 0;

	body = call;
	memset(stack, 0xa5, sizeof(stack));
	check(!getcontext(&there));
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, run_body, 0);
	check(!swapcontext(&here, &there));
	while (at < sizeof(stack) && stack[at] == 0xa5)
		at++;
	return (long)(sizeof(stack) - at);
}

static void give(z_stream *strm, const unsigned char *src, size_t len, size_t room)
{
	strm->next_in = (z_const Bytef *)src;
	strm->avail_in = len;
	strm->next_out = out;
	strm->avail_out = room;
}

/* Ready for a call, on the program's own stack. */
static void no_stream(void)
{
	deflateEnd(&d);
	inflateEnd(&i);
	deflateEnd(&copy);
	inflateEnd(&copy);
	memset(&d, 0, sizeof(d));
	memset(&i, 0, sizeof(i));
	memset(&copy, 0, sizeof(copy));
}

static void fresh(void)
{
	no_stream();
	check(!deflateInit2(&d, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
	check(!inflateInit2(&i, 15));
	give(&d, plain, PLAIN_LEN, ROOM);
	give(&i, packed, packed_len, ROOM);
}

static void fresh_raw(void)
{
	no_stream();
	check(!deflateInit2(&d, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY));
	check(!inflateInit2(&i, -15));
	give(&d, plain, 100000, ROOM);
	give(&i, packed + 2, packed_len, ROOM);
}

static void small(void)
{
	fresh();
	give(&d, plain, 1000, ROOM);
}

static void half_fed(void)
{
	fresh();
	d.avail_in = PLAIN_LEN / 2;
	check(!deflate(&d, Z_NO_FLUSH));
	give(&d, plain + PLAIN_LEN / 2, 100000, ROOM);
	i.avail_in = packed_len / 2;
	check(!inflate(&i, Z_NO_FLUSH));
	give(&i, packed + packed_len / 2, packed_len - packed_len / 2, ROOM);
}

static void flushed(void)
{
	fresh();
	d.avail_in = 300000;
	check(!deflate(&d, Z_SYNC_FLUSH));
	give(&d, plain + 300000, 100000, ROOM);
	i.avail_in = packed_len / 2;
	check(!inflate(&i, Z_SYNC_FLUSH));
	give(&i, packed + packed_len / 2, packed_len - packed_len / 2, ROOM);
}

/* Work is done or in flight that finds no room. */
static void without_room(void)
{
	fresh();
	d.avail_out = 10;
	check(!deflate(&d, Z_NO_FLUSH));
	d.avail_out = ROOM - 10;
	i.avail_out = 1000;
	check(!inflate(&i, Z_NO_FLUSH));
	i.avail_out = ROOM - 1000;
}

static void raw_at_begin(void)
{
	no_stream();
	check(!deflateInit2(&d, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY));
	check(!inflateInit2(&i, -15));
}

static int open_file(void)
{
	int fd = memfd_create("gz", 0);

	check(fd >= 0);
	return fd;
}

static void for_writing(void)
{
	if (file)
		gzclose(file);
	file = gzdopen(open_file(), "wb");
	check(file);
}

static void written(void)
{
	for_writing();
	check(gzwrite(file, plain, 300000) == 300000);
}

static void for_reading(void)
{
	int fd = open_file();

	if (file)
		gzclose(file);
	file = gzdopen(dup(fd), "wb");
	check(file && gzwrite(file, plain, 300000) == 300000 && !gzclose(file));
	check(!lseek(fd, 0, SEEK_SET));
	file = gzdopen(fd, "rb");
	check(file);
}

/* A call each. What it answers is not asked here. */
#define CALL(name, expression)                                                                     \
	static void name(void)                                                                     \
	{                                                                                          \
		ret = (int)(expression);                                                           \
	}
CALL(do_deflate_init, deflateInit2(&d, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY))
CALL(do_deflate_finish, deflate(&d, Z_FINISH))
CALL(do_deflate, deflate(&d, Z_NO_FLUSH))
CALL(do_deflate_flush, deflate(&d, Z_SYNC_FLUSH))
CALL(do_deflate_full_flush, deflate(&d, Z_FULL_FLUSH))
CALL(do_deflate_block, deflate(&d, Z_BLOCK))
CALL(do_deflate_end, deflateEnd(&d))
CALL(do_deflate_copy, deflateCopy(&copy, &d))
CALL(do_deflate_reset, deflateReset(&d))
CALL(do_deflate_params, deflateParams(&d, 9, Z_DEFAULT_STRATEGY))
CALL(do_deflate_params_same, deflateParams(&d, 5, Z_DEFAULT_STRATEGY))
CALL(do_deflate_set_dictionary, deflateSetDictionary(&d, plain, 32768))
CALL(do_deflate_get_dictionary, deflateGetDictionary(&d, window, &(uInt){ 0 }))
CALL(do_deflate_prime, deflatePrime(&d, 3, 5))
CALL(do_deflate_pending, deflatePending(&d, &(unsigned){ 0 }, &(int){ 0 }))
CALL(do_deflate_tune, deflateTune(&d, 4, 4, 8, 8))
CALL(do_deflate_set_header, deflateSetHeader(&d, &header))
CALL(do_deflate_bound, deflateBound(&d, 100000))
CALL(do_inflate_init, inflateInit2(&i, 15))
CALL(do_inflate_finish, inflate(&i, Z_FINISH))
CALL(do_inflate, inflate(&i, Z_NO_FLUSH))
CALL(do_inflate_block, inflate(&i, Z_BLOCK))
CALL(do_inflate_end, inflateEnd(&i))
CALL(do_inflate_copy, inflateCopy(&copy, &i))
CALL(do_inflate_reset, inflateReset(&i))
CALL(do_inflate_reset2, inflateReset2(&i, 31))
CALL(do_inflate_set_dictionary, inflateSetDictionary(&i, plain, 32768))
CALL(do_inflate_get_dictionary, inflateGetDictionary(&i, window, &(uInt){ 0 }))
CALL(do_inflate_sync, inflateSync(&i))
CALL(do_inflate_mark, inflateMark(&i))
CALL(do_inflate_prime, inflatePrime(&i, 3, 5))
CALL(do_inflate_sync_point, inflateSyncPoint(&i))
CALL(do_inflate_codes_used, inflateCodesUsed(&i))
CALL(do_inflate_validate, inflateValidate(&i, 0))
CALL(do_inflate_get_header, inflateGetHeader(&i, &header))
CALL(do_compress, compress2(out, &(uLongf){ ROOM }, plain, 500000, 6))
CALL(do_uncompress, uncompress(out, &(uLongf){ ROOM }, packed, packed_len))
CALL(do_crc32, crc32(0, plain, 1000000))
CALL(do_adler32, adler32(1, plain, 1000000))
CALL(do_crc32_combine, crc32_combine(1, 2, 1000000))
CALL(do_compress_bound, compressBound(1000000))
CALL(do_version, zlibVersion() == NULL)
CALL(do_gzdopen, (file = gzdopen(open_file(), "wb")) == NULL)
CALL(do_gzwrite, gzwrite(file, plain, 400000))
CALL(do_gzflush, gzflush(file, Z_SYNC_FLUSH))
CALL(do_gzputs, gzputs(file, "text"))
CALL(do_gzread, gzread(file, out, 200000))
CALL(do_gzgets, gzgets(file, (char *)out, 1000) == NULL)
CALL(do_gzseek, gzseek(file, 150000, SEEK_SET))
CALL(do_gzrewind, gzrewind(file))

static void do_gzclose(void)
{
	ret = gzclose(file);
	file = NULL;
}

struct op {
	void (*prepare)(void);
	void (*call)(void);
};

static void pack(void)
{
	packed_len = PACKED_LEN;
	check(!compress2(packed, &packed_len, plain, PLAIN_LEN, 6));
}

static void compare(long depth)
{
	long stock = stock_value(depth);

	if (depth > stock + MORE)
		fail("%ld bytes deeper than zlib's %ld", depth - stock, stock);
}

/* The greatest of some: a device does not the same each time. */
static void depth_row(const struct op *op)
{
	long depth, most = 0;

	pack();
	for (int round = 0; round < 6; round++) {
		op->prepare();
		depth = depth_of(op->call);
		/* What is only done once is another row. */
		if (round && depth > most)
			most = depth;
	}
	compare(most);
}

static void first_row(const struct op *op)
{
	op->prepare();
	compare(depth_of(op->call));
}

static void nothing(void)
{
}

static const struct op ops[] = {
#define OPS(X)                                                                                     \
	X("deflateInit2", no_stream, do_deflate_init)                                              \
	X("deflate, small", small, do_deflate_finish)                                              \
	X("deflate, all", fresh, do_deflate_finish)                                                \
	X("deflate, raw", fresh_raw, do_deflate_finish)                                            \
	X("deflate, begin", fresh, do_deflate)                                                     \
	X("deflate, go on", half_fed, do_deflate)                                                  \
	X("deflate, flush", half_fed, do_deflate_flush)                                            \
	X("deflate, full flush", flushed, do_deflate_full_flush)                                   \
	X("deflate, Z_BLOCK", half_fed, do_deflate_block)                                          \
	X("deflate, Z_BLOCK after a flush", flushed, do_deflate_block)                             \
	X("deflate, room again", without_room, do_deflate_finish)                                  \
	X("deflateEnd, fresh", fresh, do_deflate_end)                                              \
	X("deflateEnd, fed", half_fed, do_deflate_end)                                             \
	X("deflateEnd, no room", without_room, do_deflate_end)                                     \
	X("deflateCopy, fresh", fresh, do_deflate_copy)                                            \
	X("deflateCopy, fed", half_fed, do_deflate_copy)                                           \
	X("deflateCopy, flushed", flushed, do_deflate_copy)                                        \
	X("deflateCopy, no room", without_room, do_deflate_copy)                                   \
	X("deflateReset", half_fed, do_deflate_reset)                                              \
	X("deflateParams, fresh", fresh, do_deflate_params)                                        \
	X("deflateParams, fed", half_fed, do_deflate_params)                                       \
	X("deflateParams, flushed", flushed, do_deflate_params)                                    \
	X("deflateParams, a device's level", half_fed, do_deflate_params_same)                     \
	X("deflateSetDictionary", raw_at_begin, do_deflate_set_dictionary)                         \
	X("deflateSetDictionary, gzip refused", flushed, do_deflate_set_dictionary)                \
	X("deflateGetDictionary, fresh", fresh, do_deflate_get_dictionary)                         \
	X("deflateGetDictionary, fed", half_fed, do_deflate_get_dictionary)                        \
	X("deflateGetDictionary, flushed", flushed, do_deflate_get_dictionary)                     \
	X("deflatePrime", raw_at_begin, do_deflate_prime)                                          \
	X("deflatePrime, flushed", flushed, do_deflate_prime)                                      \
	X("deflatePending", half_fed, do_deflate_pending)                                          \
	X("deflateTune", half_fed, do_deflate_tune)                                                \
	X("deflateSetHeader", fresh, do_deflate_set_header)                                        \
	X("deflateBound", half_fed, do_deflate_bound)                                              \
	X("inflateInit2", no_stream, do_inflate_init)                                              \
	X("inflate, all", fresh, do_inflate_finish)                                                \
	X("inflate, raw", fresh_raw, do_inflate)                                                   \
	X("inflate, begin", fresh, do_inflate)                                                     \
	X("inflate, go on", half_fed, do_inflate)                                                  \
	X("inflate, room again", without_room, do_inflate)                                         \
	X("inflate, Z_BLOCK", half_fed, do_inflate_block)                                          \
	X("inflateEnd", half_fed, do_inflate_end)                                                  \
	X("inflateEnd, no room", without_room, do_inflate_end)                                     \
	X("inflateCopy", half_fed, do_inflate_copy)                                                \
	X("inflateCopy, no room", without_room, do_inflate_copy)                                   \
	X("inflateReset", half_fed, do_inflate_reset)                                              \
	X("inflateReset2", half_fed, do_inflate_reset2)                                            \
	X("inflateSetDictionary", raw_at_begin, do_inflate_set_dictionary)                         \
	X("inflateGetDictionary", half_fed, do_inflate_get_dictionary)                             \
	X("inflateGetDictionary, no room", without_room, do_inflate_get_dictionary)                \
	X("inflateSync", half_fed, do_inflate_sync)                                                \
	X("inflateMark", half_fed, do_inflate_mark)                                                \
	X("inflateMark, no room", without_room, do_inflate_mark)                                   \
	X("inflatePrime", raw_at_begin, do_inflate_prime)                                          \
	X("inflateSyncPoint", half_fed, do_inflate_sync_point)                                     \
	X("inflateCodesUsed", half_fed, do_inflate_codes_used)                                     \
	X("inflateValidate", half_fed, do_inflate_validate)                                        \
	X("inflateGetHeader", fresh, do_inflate_get_header)                                        \
	X("compress2", nothing, do_compress)                                                       \
	X("uncompress", nothing, do_uncompress)                                                    \
	X("crc32", nothing, do_crc32)                                                              \
	X("adler32", nothing, do_adler32)                                                          \
	X("crc32_combine", nothing, do_crc32_combine)                                              \
	X("compressBound", nothing, do_compress_bound)                                             \
	X("zlibVersion", nothing, do_version)                                                      \
	X("gzdopen", nothing, do_gzdopen)                                                          \
	X("gzwrite", for_writing, do_gzwrite)                                                      \
	X("gzflush", written, do_gzflush)                                                          \
	X("gzputs", written, do_gzputs)                                                            \
	X("gzclose, written", written, do_gzclose)                                                 \
	X("gzread", for_reading, do_gzread)                                                        \
	X("gzgets", for_reading, do_gzgets)                                                        \
	X("gzseek", for_reading, do_gzseek)                                                        \
	X("gzrewind", for_reading, do_gzrewind)                                                    \
	X("gzclose, read", for_reading, do_gzclose)
#define OP(name, prepare, call) { prepare, call },
	OPS(OP)
#undef OP
};

static void depth(const struct row *row)
{
	static const char *const names[] = {
#define NAME(name, prepare, call) name,
		OPS(NAME)
#undef NAME
	};
	size_t nr = 0;

	while (strcmp(names[nr], row->name))
		nr++;
	depth_row(&ops[nr]);
}

static void first(const struct row *row)
{
	static const struct op first_ops[] = {
		{ nothing, do_deflate_init },	{ nothing, do_inflate_init },
		{ small, do_deflate_finish },	{ fresh, do_deflate_finish },
		{ small, do_deflate_flush },	{ nothing, do_compress },
		{ nothing, do_compress_bound }, { nothing, do_version },
		{ nothing, do_crc32_combine },	{ nothing, do_gzdopen },
		{ for_writing, do_gzwrite },	{ for_reading, do_gzread },
	};

	first_row(&first_ops[row->arg]);
}

/* The same after a call of the other direction has opened whatever there is to open. */
static void first_inflate(const struct row *row)
{
	pack();
	fresh();
	(void)row;
	compare(depth_of(do_inflate_finish));
}

const struct row rows[] = {
#define ROW(name, prepare, call) { name, depth, .arg = 0 },
	OPS(ROW)
#undef ROW
		{ "first call: deflateInit2", first, .arg = 0 },
	{ "first call: inflateInit2", first, .arg = 1 },
	{ "first call: deflate, small", first, .arg = 2 },
	{ "first call: deflate, all", first, .arg = 3 },
	{ "first call: deflate, flush", first, .arg = 4 },
	{ "first call: compress2", first, .arg = 5 },
	{ "first call: compressBound", first, .arg = 6 },
	{ "first call: zlibVersion", first, .arg = 7 },
	{ "first call: crc32_combine", first, .arg = 8 },
	{ "first call: gzdopen", first, .arg = 9 },
	{ "first call: gzwrite", first, .arg = 10 },
	{ "first call: gzread", first, .arg = 11 },
	{ "first call: inflate", first_inflate, .arg = 0 },
	{ .name = NULL },
};
