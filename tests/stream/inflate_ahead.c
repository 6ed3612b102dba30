/* SPDX-License-Identifier: Zlib */
/*
 * While a caller is busy with its output the library may read on. Until the next call nobody can see
 * that: input may change, shrink or move, and the stream may be copied, reset, ended or forked.
 */
#include "config.h"
#include "helpers.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zwd.h>

#define LEN 1000000
#define ROOM 16384
#define STORED_MAX 65535
#define WAITS 73728 /* more output than that does not */

static unsigned char plain[LEN], out[LEN + 1];

static void begin(z_stream *strm, int wbits, const struct buf *packed)
{
	memset(strm, 0, sizeof(*strm));
	assert_int_equal(inflateInit2(strm, wbits), Z_OK);
	strm->next_in = packed->data;
	strm->avail_in = packed->len;
	strm->next_out = out;
}

/* One call with little room, whose output fills it. */
static void some(z_stream *strm)
{
	strm->avail_out = ROOM;
	assert_int_equal(ours.inflate(strm, Z_NO_FLUSH), Z_OK);
	assert_int_equal(strm->avail_out, 0);
}

static void rest(z_stream *strm)
{
	int ret;

	strm->avail_out = out + sizeof(out) - strm->next_out;
	do
		ret = ours.inflate(strm, Z_NO_FLUSH);
	while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm->total_out, LEN);
	assert_memory_equal(out, plain, LEN);
}

static void pack(int wbits, struct buf *packed)
{
	memset(out, 0, sizeof(out));
	gen_fill(GEN_MIXED, plain, LEN);
	deflate_all(&ref, wbits, 6, Z_DEFAULT_STRATEGY, plain, LEN, packed);
}

/*
 * Stored blocks: a byte of input is a byte of output, and any value is right. What output that waits was
 * made of is shown again and not looked at; what is behind it is only read ahead.
 */
static void input_that_changes(void **state)
{
	struct buf packed = { 0 };
	z_stream strm;

	gen_fill(GEN_MIXED, plain, LEN);
	for (size_t pos = 0; pos < LEN; pos += STORED_MAX) {
		size_t len = LEN - pos < STORED_MAX ? LEN - pos : STORED_MAX;
		unsigned char head[] = { pos + len == LEN, len & 255, len >> 8, ~len & 255,
					 (~len >> 8) & 255 };

		buf_add(&packed, head, sizeof(head));
		buf_add(&packed, plain + pos, len);
	}
	begin(&strm, -15, &packed);
	/* Another byte each time: where it is the same, it is soon what it was. */
	for (int calls = 0; strm.total_out < LEN / 2; calls++) {
		size_t at, block;

		some(&strm);
		at = strm.total_in + ROOM + WAITS + 100 + calls;
		block = at / (STORED_MAX + 5);
		if (at % (STORED_MAX + 5) < 5)
			continue;
		packed.data[at] ^= 0xff;
		plain[at - 5 * (block + 1)] ^= 0xff;
	}
	rest(&strm);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

static void input_that_shrinks_and_moves(void **state)
{
	struct buf packed = { 0 }, moved = { 0 };
	z_stream strm;
	size_t left, until;

	pack(15, &packed);
	buf_add(&moved, packed.data, packed.len);
	begin(&strm, 15, &packed);
	some(&strm);
	/* Elsewhere, and what was there before is gone. */
	strm.next_in = moved.data + strm.total_in;
	memset(packed.data, 0, packed.len);
	some(&strm);
	/* A byte at a time, each shown until it is taken. */
	left = strm.avail_in;
	for (until = left - 2000; left > until; left -= !strm.avail_in) {
		strm.avail_in = 1;
		strm.avail_out = 1000;
		ours.inflate(&strm, Z_NO_FLUSH);
	}
	strm.avail_in = left;
	rest(&strm);
	assert_int_equal(strm.avail_in, 0);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
	buf_free(&moved);
}

/* While output waits, the caller shows no input at all, not even the byte that was left to it. */
static void input_that_is_not_shown(void **state)
{
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE);
	struct buf packed = { 0 };
	z_stream strm;
	unsigned char *pages;

	pages = mmap(NULL, 2 * page_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + page_len, page_len, PROT_NONE), 0);
	pack(15, &packed);
	begin(&strm, 15, &packed);
	for (size_t pos = 0; pos < packed.len / 2; pos = strm.total_in) {
		/* As input it ends where nothing may be read. */
		memcpy(pages + page_len - 1000, packed.data + pos, 1000);
		strm.next_in = pages + page_len - 1000;
		strm.avail_in = 1000;
		strm.avail_out = 500;
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		for (int calls = 0; calls < 3; calls++) {
			strm.avail_in = 0;
			strm.avail_out = 10;
			ours.inflate(&strm, Z_NO_FLUSH);
		}
	}
	strm.next_in = packed.data + strm.total_in;
	strm.avail_in = packed.len - strm.total_in;
	rest(&strm);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	munmap(pages, 2 * page_len);
	buf_free(&packed);
}

static void streams_that_are_interrupted(void **state)
{
	struct buf packed = { 0 };
	z_stream strm, copy;

	pack(31, &packed);
	for (int calls = 1; calls <= 6; calls++) {
		begin(&strm, 31, &packed);
		for (int i = 0; i < calls; i++)
			some(&strm);
		assert_int_equal(ours.inflateCopy(&copy, &strm), Z_OK);
		rest(&strm);
		memset(out + copy.total_out, 0, LEN - copy.total_out);
		rest(&copy);
		assert_int_equal(ours.inflateEnd(&copy), Z_OK);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(ours.inflateReset(&strm), Z_OK);
			strm.next_in = packed.data;
			strm.avail_in = packed.len;
			strm.next_out = out;
			some(&strm);
		}
		rest(&strm);
		assert_int_equal(ours.inflateReset(&strm), Z_OK);
		strm.next_in = packed.data;
		strm.avail_in = packed.len;
		strm.next_out = out;
		some(&strm);
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	}
	buf_free(&packed);
}

static void streams_of_two_processes(void **state)
{
	struct buf packed = { 0 };
	z_stream strm;
	int status;
	pid_t pid;

	if (IS_TSAN)
		skip();
	pack(15, &packed);
	/* Every other child is one that no handler of fork() knows of; AddressSanitizer needs its own. */
	for (int calls = 1; calls <= 6; calls++) {
		begin(&strm, 15, &packed);
		for (int i = 0; i < calls; i++)
			some(&strm);
		fflush(NULL);
		pid = calls % 2 || IS_ASAN ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		assert_true(pid >= 0);
		rest(&strm);
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		if (!pid)
			_exit(0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	buf_free(&packed);
}

/* What was made before it was asked for is what comes then, and the device has all of a stream. */
static void output_of_one_device(void **state)
{
	struct zwd_stats before, after;
	struct buf packed = { 0 };
	z_stream strm;

	pack(15, &packed);
	zwd_stats(&before, sizeof(before));
	begin(&strm, 15, &packed);
	while (LEN - strm.total_out > ROOM)
		some(&strm);
	rest(&strm);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	zwd_stats(&after, sizeof(after));
	if (test_mode == MODE_EMU) {
		assert_true(after.inflate.hw_out - before.inflate.hw_out >= LEN);
		assert_int_equal(after.inflate.soft_streams, before.inflate.soft_streams);
	}
	buf_free(&packed);
}

struct requests {
	unsigned int error_at;
	struct zwd_stats stats;
};

static void input_that_changes_in_child(const void *arg, void *result)
{
	const struct requests *asked = arg;
	struct requests *told = result;
	char device[64];

	snprintf(device, sizeof(device), "emu:threads=1,fault=error@%u", asked->error_at);
	setenv("WD_DEVICE", device, 1);
	input_that_changes(NULL);
	zwd_stats(&told->stats, sizeof(told->stats));
}

/* Who does not show again what was shown has one request made in vain, and no more. */
static void read_ahead_in_vain_once(void **state)
{
	struct requests r = { .error_at = 1000000 };

	/* Of a caller with an allocator nothing is read ahead. */
	if (test_mode != MODE_EMU || getenv("ZWD_TEST_ALLOC"))
		skip();
	assert_int_equal(run_in_child(input_that_changes_in_child, &r, &r, sizeof(r)), 0);
	assert_int_equal(r.stats.inflate.errors, 0);
	r.error_at = (unsigned int)r.stats.inflate.hw_requests + 2;
	assert_int_equal(run_in_child(input_that_changes_in_child, &r, &r, sizeof(r)), 0);
	assert_int_equal(r.stats.inflate.errors, 0);
	r.error_at = (unsigned int)r.stats.inflate.hw_requests + 1;
	assert_int_equal(run_in_child(input_that_changes_in_child, &r, &r, sizeof(r)), 0);
	assert_int_equal(r.stats.inflate.errors, 1);
}

/* The first one before this process has read its settings. */
TEST_MAIN(60, cmocka_unit_test(read_ahead_in_vain_once), cmocka_unit_test(output_of_one_device),
	  cmocka_unit_test(input_that_changes),
	  cmocka_unit_test(input_that_shrinks_and_moves), cmocka_unit_test(input_that_is_not_shown),
	  cmocka_unit_test(streams_that_are_interrupted), cmocka_unit_test(streams_of_two_processes))
