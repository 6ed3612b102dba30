/* SPDX-License-Identifier: Zlib */
/* What many open streams keep resident: on a device next to nothing, in software what zlib needs. */
#include "config.h"
#include "helpers.h"

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zwd.h>

#define STREAMS 1000
#define DEFLATE_FED 16384
#define INFLATE_FED 4096

/* Bytes for each stream: resident, and of the heap, whoever has been there. */
struct cost {
	long at_init, fed, heap;
};

static unsigned char plain[65536], packed[65536], out[131072];
static z_stream strm[STREAMS];

static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2)
		_exit(1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static long of_heap(void)
{
#if __GLIBC_PREREQ(2, 33)
	struct mallinfo2 info = mallinfo2();

	return (long)(info.uordblks + info.hblkhd);
#else
	return 0;
#endif
}

static int open_stream(const struct zlib_api *z, int is_inflate, z_stream *s)
{
	return is_inflate ? z->inflateInit2_(s, 15, ZLIB_VERSION, (int)sizeof(*s)) :
			    z->deflateInit_(s, 1, ZLIB_VERSION, (int)sizeof(*s));
}

static int feed(const struct zlib_api *z, int is_inflate, z_stream *s)
{
	s->next_in = is_inflate ? packed : plain;
	s->avail_in = is_inflate ? INFLATE_FED : DEFLATE_FED;
	s->next_out = out;
	s->avail_out = sizeof(out);
	return is_inflate ? z->inflate(s, Z_SYNC_FLUSH) : z->deflate(s, Z_SYNC_FLUSH);
}

static void measure_here(const struct zlib_api *z, int is_inflate, struct cost *cost)
{
	z_stream first = { 0 };
	long before, heap_before;

	/* What the process needs for the first of its streams is not asked. */
	if (open_stream(z, is_inflate, &first) || feed(z, is_inflate, &first))
		_exit(1);
	before = resident();
	heap_before = of_heap();
	for (size_t i = 0; i < STREAMS; i++)
		if (open_stream(z, is_inflate, &strm[i]))
			_exit(1);
	cost->at_init = (resident() - before) / STREAMS;
	for (size_t i = 0; i < STREAMS; i++)
		if (feed(z, is_inflate, &strm[i]))
			_exit(1);
	cost->fed = (resident() - before) / STREAMS;
	cost->heap = (of_heap() - heap_before) / STREAMS;
}

/* In a process of its own: memory that is freed is not always given back. */
static struct cost measure(const struct zlib_api *z, int is_inflate)
{
	struct cost cost;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		measure_here(z, is_inflate, &cost);
		_exit(write(fds[1], &cost, sizeof(cost)) != sizeof(cost));
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &cost, sizeof(cost)), sizeof(cost));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	printf("%s %s: %ld bytes at init, %ld fed, %ld of the heap\n", z == &ref ? "zlib" : "ours",
	       is_inflate ? "inflate" : "deflate", cost.at_init, cost.fed, cost.heap);
	return cost;
}

static void prepare(void)
{
	struct buf buf = { 0 };

	memset(strm, 0, sizeof(strm));
	memset(out, 1, sizeof(out));
	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &buf);
	assert_in_range(buf.len, INFLATE_FED + 1, sizeof(packed));
	memcpy(packed, buf.data, buf.len);
	buf_free(&buf);
	if (IS_ASAN || IS_TSAN || test_mode == MODE_FAULT)
		skip();
}

/* The same blocks with a head of 16 bytes each begin elsewhere in their pages. */
static long with_slack(long zlib)
{
	return zlib + zlib / 8;
}

static void deflate_streams_are_small(void **state)
{
	struct cost cost, zlib;

	prepare();
	cost = measure(&ours, 0);
	if (test_mode == MODE_EMU) {
		assert_true(cost.at_init <= 2 * 1024);
		assert_true(cost.fed <= 50 * 1024);
		return;
	}
	zlib = measure(&ref, 0);
	assert_true(cost.at_init <= with_slack(zlib.at_init));
	assert_true(cost.fed <= with_slack(zlib.fed));
}

static void inflate_streams_are_no_larger(void **state)
{
	struct cost cost, zlib;

	prepare();
	cost = measure(&ours, 1);
	zlib = measure(&ref, 1);
	assert_true(cost.at_init <= 1024);
	assert_true(cost.fed <= with_slack(zlib.fed));
	/* zconf.h: a window and about 7 KB. That of the zlib beside is another heap. */
	assert_true(cost.heap <= 32768 + 10 * 1024);
}

/* Where a call's input ends a device may hold back a match, now and then: then software reads some of it again. */
static const struct kept {
	enum gen gen;
	uInt step;
	const char *device;
} kept[] = {
	{ GEN_RANDOM, 65536, "emu:threads=1,fault=gone@40" }, { GEN_SOURCE, 5000, "emu:threads=1,fault=gone@60" },
	{ GEN_SOURCE, 5001, "emu:threads=1,fault=gone@61" },  { GEN_SOURCE, 5002, "emu:threads=1,fault=gone@62" },
	{ GEN_SOURCE, 5002, "emu:threads=1,fault=gone@63" },  { GEN_SOURCE, 5002, "emu:threads=1,fault=gone@64" },
	{ GEN_SOURCE, 5002, "emu:threads=1,fault=gone@65" },  { GEN_SOURCE, 5002, "emu:threads=1,fault=gone@66" },
};

/* The input of a failing device's is kept till software has read it, and no longer. */
static void give_back(const void *arg, void *result)
{
	enum { LEN = 3 << 20 };
	const struct kept *k = arg;
	unsigned char *noise = gen_alloc(k->gen, LEN);
	struct buf all = { 0 };
	z_stream s = { 0 };
	struct zwd_stats stats;
	long before, most = 0;

	setenv("WD_DEVICE", k->device, 1);
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, noise, LEN, &all);
	/* What the process needs for the first of its streams is not asked. */
	if (open_stream(&ours, 1, &s) || feed(&ours, 1, &s) || ours.inflateEnd(&s) || open_stream(&ours, 1, &s))
		_exit(1);
	before = of_heap();
	s.next_in = all.data;
	while (s.total_in < all.len - k->step) {
		s.avail_in = k->step;
		s.next_out = out;
		s.avail_out = sizeof(out);
		if (ours.inflate(&s, Z_NO_FLUSH))
			_exit(2);
		most = of_heap() - before > most ? of_heap() - before : most;
	}
	zwd_stats(&stats, sizeof(stats));
	if (!stats.inflate.failovers)
		_exit(3);
	((long *)result)[0] = most;
	((long *)result)[1] = of_heap() - before;
	ours.inflateEnd(&s);
	buf_free(&all);
	free(noise);
}

static void what_is_kept_is_given_back(void **state)
{
	prepare();
	if (test_mode != MODE_EMU || !of_heap())
		skip();
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		long heap[2] = { 0 };

		assert_int_equal(run_in_child(give_back, &kept[i], heap, sizeof(heap)), 0);
		printf("# %u: at most %ld bytes, %ld in the end\n", kept[i].step, heap[0], heap[1]);
		assert_true(heap[0] > 300 * 1024);
		/* What is had again and again is not. */
		assert_true(heap[1] <= 256 * 1024);
	}
}

TEST_MAIN(120, cmocka_unit_test(what_is_kept_is_given_back), cmocka_unit_test(deflate_streams_are_small),
	  cmocka_unit_test(inflate_streams_are_no_larger))
