/* SPDX-License-Identifier: Zlib */
/*
 * What is kept of streams that go on for long is bounded, for each of them and for all: memory does
 * not grow with what went through, nor do streams beyond it fail. Resident memory, as the system
 * sees it.
 */
#include "config.h"
#include "again.h"
#include "endless.h"

#include <unistd.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define MB	  ((size_t)1 << 20)

enum { STREAMS = 100, ROOM = 1 << 20 };

static const int wrappers[] = { 31, 15, -15 };
static unsigned char room[ROOM];

static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Sanitizers keep shadows, and what was freed. */
static void assert_grown_less(const char *what, size_t before, size_t now, size_t most)
{
	size_t grown = now < before ? 0 : now - before;

	printf("# %s: %zu KB\n", what, grown >> 10);
	if (!IS_ASAN && !IS_TSAN && grown > most)
		fail_msg("%s: %zu KB more, at most %zu", what, grown >> 10, most >> 10);
}

struct reader {
	z_stream strm;
	enum endless_kind kind;
};

static void read_open(struct reader *r, enum endless_kind kind, int wbits)
{
	*r = (struct reader){ .kind = kind };
	assert_int_equal(inflateInit2(&r->strm, wbits), Z_OK);
}

/* All that the input gives; is its text there? A look at each kilobyte is enough where it must be
 * quick. */
static int read_some(struct reader *r, const struct buf *packed, size_t out_step)
{
	int ret;

	r->strm.next_in = packed->data;
	r->strm.avail_in = (uInt)packed->len;
	do {
		uint64_t pos = r->strm.total_out;
		size_t made;

		r->strm.next_out = room;
		r->strm.avail_out = (uInt)out_step;
		ret = ours.inflate(&r->strm, Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_STREAM_END && (ret != Z_BUF_ERROR || r->strm.avail_in))
			fail_msg("%d (%s) after %llu bytes", ret, r->strm.msg ? r->strm.msg : "",
				 (unsigned long long)pos);
		made = out_step - r->strm.avail_out;
		endless_check(r->kind, pos, room, made);
	} while (ret == Z_OK && (r->strm.avail_in || !r->strm.avail_out));
	return ret;
}

static void read_end(struct reader *r, struct endless *e)
{
	endless_end(e);
	assert_int_equal(read_some(r, &e->packed, ROOM), Z_STREAM_END);
	assert_int_equal(r->strm.avail_in, 0);
	assert_int_equal(r->strm.total_out, e->plain_len);
	if (e->wbits > 0)
		assert_int_equal(r->strm.adler, e->check);
	assert_int_equal(ours.inflateEnd(&r->strm), Z_OK);
}

/* 9 MB of input each, a tile after the other in turns; then half of them go on and end. */
static void many_streams(enum endless_kind kind, int has_flush_points, size_t len)
{
	static struct reader readers[STREAMS];
	struct endless e[NR(wrappers)];
	size_t before, fed = 0;

	for (size_t w = 0; w < NR(wrappers); w++)
		endless_begin(&e[w], kind, wrappers[w], has_flush_points);
	for (size_t i = 0; i < STREAMS; i++)
		read_open(&readers[i], kind, wrappers[i % NR(wrappers)]);
	before = resident();
	while (fed < len) {
		for (size_t w = 0; w < NR(wrappers); w++)
			endless_more(&e[w]);
		fed += e[0].packed.len;
		for (size_t i = 0; i < STREAMS; i++)
			read_some(&readers[i], &e[i % NR(wrappers)].packed, ROOM);
	}
	assert_grown_less(has_flush_points ? "streams with flush points"
					   : "streams without flush points",
			  before, resident(), 64 * MB + STREAMS * (100 << 10));
	for (size_t w = 0; w < NR(wrappers); w++)
		endless_end(&e[w]);
	for (size_t i = 0; i < STREAMS; i++) {
		if (i % 2)
			assert_int_equal(read_some(&readers[i], &e[i % NR(wrappers)].packed, ROOM),
					 Z_STREAM_END);
		assert_int_equal(ours.inflateEnd(&readers[i].strm), Z_OK);
	}
	for (size_t w = 0; w < NR(wrappers); w++)
		endless_free(&e[w]);
}

static void a_hundred_streams(void)
{
	many_streams(ENDLESS_NOISE, 0, 9 * MB);
}

static void a_hundred_streams_with_flush_points(void)
{
	many_streams(ENDLESS_NOISE, 1, 9 * MB);
}

static size_t lent, lent_most;

struct lent {
	size_t len, pad;
};

static voidpf lend(voidpf opaque, uInt items, uInt size)
{
	struct lent *mem = malloc(sizeof(*mem) + (size_t)items * size);

	(void)opaque;
	if (!mem)
		return Z_NULL;
	mem->len = (size_t)items * size;
	lent += mem->len;
	lent_most = lent > lent_most ? lent : lent_most;
	return mem + 1;
}

static void give_back(voidpf opaque, voidpf mem)
{
	(void)opaque;
	lent -= ((struct lent *)mem - 1)->len;
	free((struct lent *)mem - 1);
}

/* Of the caller's own memory no more is taken than zlib takes, however long it gets. */
static void own_memory(void)
{
	size_t zlib_takes;
	struct endless e;
	struct reader r;
	z_stream strm = { .zalloc = lend, .zfree = give_back };

	endless_begin(&e, ENDLESS_NOISE, 31, 0);
	assert_int_equal(ref.inflateInit2_(&strm, 31, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	endless_more(&e);
	strm.next_in = e.packed.data;
	strm.avail_in = (uInt)e.packed.len;
	strm.next_out = room;
	strm.avail_out = ROOM;
	assert_int_equal(ref.inflate(&strm, Z_NO_FLUSH), Z_OK);
	zlib_takes = lent_most;
	ref.inflateEnd(&strm);
	assert_int_equal(lent, 0);

	lent_most = 0;
	r = (struct reader){ .kind = ENDLESS_NOISE,
			     .strm = { .zalloc = lend, .zfree = give_back } };
	assert_int_equal(inflateInit2(&r.strm, 31), Z_OK);
	read_some(&r, &e.packed, ROOM);
	while (e.plain_len < 40 * MB) {
		endless_more(&e);
		read_some(&r, &e.packed, 100000);
	}
	read_end(&r, &e);
	endless_free(&e);
	printf("# zalloc: %zu bytes, zlib %zu\n", lent_most, zlib_takes);
	assert_int_equal(lent, 0);
	assert_true(lent_most <= zlib_takes + 8192);
}

/* The first megabytes of a stream make the memory that it lives in. */
static void long_stream(enum endless_kind kind, int wbits, int has_flush_points, uint64_t len,
			size_t out_step, const char *what)
{
	struct endless e;
	struct reader r;
	size_t before = 0, peak = 0, now;

	endless_begin(&e, kind, wbits, has_flush_points);
	read_open(&r, kind, wbits);
	while (e.plain_len < len) {
		endless_more(&e);
		read_some(&r, &e.packed, out_step);
		if (e.plain_len < 4 * MB)
			continue;
		now = resident();
		before = before ? before : now;
		peak = now > peak ? now : peak;
	}
	assert_grown_less(what, before, peak, 8 * MB + 4 * MB);
	read_end(&r, &e);
	endless_free(&e);
}

static void a_gigabyte(void)
{
	long_stream(ENDLESS_TEXT, 31, 0, 1024 * MB, ROOM, "a gigabyte of text");
}

static void much_input(void)
{
	long_stream(ENDLESS_NOISE, -15, 0, 150 * MB, 40000, "raw, no flush points");
	long_stream(ENDLESS_NOISE, 15, 1, 150 * MB, 40000, "zlib, flush points");
}

/* Where 32 bits end, and where 31 do. */
static void four_gigabytes_of_input(void)
{
	long_stream(ENDLESS_NOISE, 31, 0, 5000 * MB, ROOM, "4 GiB of input");
	long_stream(ENDLESS_NOISE, -15, 1, 5000 * MB, ROOM, "4 GiB of input, flush points");
}

static const struct {
	const char *name;
	void (*run)(void);
	int is_long;
} parts[] = {
	{ "a hundred streams", a_hundred_streams, 0 },
	{ "a hundred streams with flush points", a_hundred_streams_with_flush_points, 0 },
	{ "own memory", own_memory, 0 },
	{ "a gigabyte", a_gigabyte, 0 },
	{ "much input", much_input, 0 },
	{ "four gigabytes of input", four_gigabytes_of_input, 1 },
};

/* Whatever the budget, the device goes on with it. */
static void in_the_child(void **state)
{
	struct zwd_stats stats;

	parts[(size_t)*state].run();
	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	if (test_mode == MODE_EMU &&
	    stats.inflate.soft_in > (stats.inflate.hw_in + stats.inflate.soft_in) / 10)
		fail_msg("%llu bytes of input on the device, %llu in software",
			 (unsigned long long)stats.inflate.hw_in,
			 (unsigned long long)stats.inflate.soft_in);
}

/* Each in a process that no other has left memory in. */
static void in_its_own_process(void **state)
{
	static const char *const settings[] = { NULL };
	size_t part = (size_t)*state;
	const char *args[] = { parts[part].name, NULL };
	struct buf out = { 0 };
	int status;

	if (parts[part].is_long && !test_is_long())
		skip();
	status = run_again(settings, args, &out);
	buf_free(&out);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[NR(parts)] = { { 0 } };

	test_begin(test_is_long() ? 1200 : 180);
	for (size_t i = 0; i < NR(parts); i++) {
		if (is_again(argc, argv) && !strcmp(argv[2], parts[i].name))
			return again_as_test(parts[i].name, in_the_child, (void *)i);
		tests[i] = (struct CMUnitTest){ parts[i].name, in_its_own_process, NULL, NULL,
						(void *)i };
	}
	return is_again(argc, argv) ? 99 : cmocka_run_group_tests(tests, NULL, NULL);
}
