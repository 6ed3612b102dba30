/* SPDX-License-Identifier: Zlib */
/*
 * Guards what becomes of streams where memory, a descriptor, a thread or a file is not to be had: each call that the
 * library makes of libc fails in turn. The bytes are right or the answer is one that zlib gives, and afterwards all is
 * as ever.
 */
#include "config.h"
#include "again.h"
#include "denial.h"
#include "fds.h"

#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zwd.h"

#define PLAIN_LEN 700000u
#define PIECES_LEN 400000u

static unsigned char *plain;
static struct buf packed, flushed, raw;
static unsigned char out[2 * PLAIN_LEN];
static const char *doing = "";

/* A process of its own says what is wrong by its end. */
#define must(what) \
	do { \
		if (!(what)) { \
			printf("# %s, %s denied: line %d: %s\n", doing, denial_last(), __LINE__, #what); \
			exit(1); \
		} \
	} while (0)

static int is_custom;

static voidpf own_alloc(voidpf opaque, uInt items, uInt size)
{
	return malloc((size_t)items * size);
}

static void own_free(voidpf opaque, voidpf mem)
{
	free(mem);
}

static z_stream new_stream(void)
{
	return (z_stream){ .zalloc = is_custom ? own_alloc : NULL, .zfree = is_custom ? own_free : NULL };
}

/* zlib's answer to whom it has no memory for; what was begun is to be ended by the caller. */
static int is_without_memory(int ret)
{
	must(ret == Z_OK || ret == Z_MEM_ERROR);
	return ret == Z_MEM_ERROR;
}

static int open_deflate(z_stream *strm, int wbits)
{
	*strm = new_stream();
	return is_without_memory(
		ours.deflateInit2_(strm, 1, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof(*strm)));
}

static int open_inflate(z_stream *strm, int wbits)
{
	*strm = new_stream();
	return is_without_memory(ours.inflateInit2_(strm, wbits, ZLIB_VERSION, (int)sizeof(*strm)));
}

/* By the system's zlib, which is denied nothing. */
static void check_inflates(int wbits, const void *src, size_t len, size_t plain_len)
{
	struct buf back = { 0 };
	size_t rest;

	must(inflate_steps(&ref, wbits, src, len, 0, PLAIN_LEN, &back, &rest) == Z_STREAM_END && !rest);
	must(back.len == plain_len && !memcmp(back.data, plain, plain_len));
	buf_free(&back);
}

static int deflate_len(uInt len)
{
	z_stream strm;

	if (open_deflate(&strm, 31))
		return Z_MEM_ERROR;
	strm.next_in = plain;
	strm.avail_in = len;
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	must(ours.deflate(&strm, Z_FINISH) == Z_STREAM_END);
	check_inflates(31, out, strm.total_out, len);
	must(ours.deflateEnd(&strm) == Z_OK);
	return Z_OK;
}

static void deflate_at_once(void)
{
	deflate_len(PLAIN_LEN);
}

/* The rest of a stream of which len bytes are in out. */
static void finish_deflate(z_stream *strm, struct buf *made)
{
	int ret;

	strm->next_in = plain + strm->total_in;
	strm->avail_in = PIECES_LEN - strm->total_in;
	do {
		strm->next_out = buf_room(made, 5000);
		strm->avail_out = 5000;
		ret = ours.deflate(strm, Z_FINISH);
		must(ret == Z_OK || ret == Z_STREAM_END);
		made->len += 5000 - strm->avail_out;
	} while (ret == Z_OK);
	check_inflates(15, made->data, made->len, PIECES_LEN);
	must(ours.deflateEnd(strm) == Z_OK);
	made->len = 0;
}

static void deflate_piece(z_stream *strm, size_t len, int flush, struct buf *made)
{
	strm->next_in = plain + strm->total_in;
	strm->avail_in = len;
	do {
		strm->next_out = buf_room(made, 5000);
		strm->avail_out = 5000;
		must(ours.deflate(strm, flush) != Z_MEM_ERROR);
		made->len += 5000 - strm->avail_out;
	} while (!strm->avail_out);
	must(!strm->avail_in);
}

static void deflate_in_pieces(void)
{
	static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH, Z_BLOCK, Z_PARTIAL_FLUSH };
	struct buf made = { 0 }, other = { 0 };
	unsigned char window[32768];
	uInt window_len;
	z_stream strm, copy;
	int ret;

	if (open_deflate(&strm, 15))
		return;
	for (int i = 0; i < 6; i++)
		deflate_piece(&strm, 30000, flushes[i], &made);
	/* More than waits beside a stream. */
	for (int i = 0; i < 4; i++)
		deflate_piece(&strm, 30000, Z_NO_FLUSH, &made);
	ret = ours.deflateCopy(&copy, &strm);
	if (!is_without_memory(ret)) {
		buf_add(&other, made.data, made.len);
		finish_deflate(&copy, &other);
	}
	deflate_piece(&strm, 30000, Z_NO_FLUSH, &made);
	strm.next_out = buf_room(&made, 40000);
	strm.avail_out = 40000;
	ret = ours.deflateParams(&strm, 9, Z_DEFAULT_STRATEGY);
	must(ret == Z_OK || ret == Z_BUF_ERROR);
	made.len += 40000 - strm.avail_out;
	deflate_piece(&strm, 30000, Z_NO_FLUSH, &made);
	must(ours.deflateGetDictionary(&strm, window, &window_len) == Z_OK);
	finish_deflate(&strm, &made);
	buf_free(&made);
	buf_free(&other);
}

/* Software's by its level, and then it may be a device's. */
static void deflate_that_comes_to_a_device(void)
{
	struct buf made = { 0 };
	z_stream strm = new_stream();

	if (is_without_memory(ours.deflateInit2_(&strm, 9, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
						 (int)sizeof(strm))))
		return;
	deflate_piece(&strm, 30000, Z_NO_FLUSH, &made);
	strm.next_out = buf_room(&made, 40000);
	strm.avail_out = 40000;
	must(ours.deflateParams(&strm, 1, Z_DEFAULT_STRATEGY) == Z_OK);
	made.len += 40000 - strm.avail_out;
	deflate_piece(&strm, 30000, Z_NO_FLUSH, &made);
	finish_deflate(&strm, &made);
	buf_free(&made);
}

/* Data that waits for room while the process forks: it is there on both sides. */
static void deflate_over_fork(void)
{
	struct buf made = { 0 };
	z_stream strm;
	int status;
	pid_t pid;

	if (open_deflate(&strm, 15))
		return;
	strm.next_in = plain;
	strm.avail_in = 300000;
	strm.next_out = buf_room(&made, 100);
	strm.avail_out = 100;
	must(ours.deflate(&strm, Z_SYNC_FLUSH) == Z_OK);
	made.len = 100 - strm.avail_out;
	pid = fork();
	must(pid >= 0);
	finish_deflate(&strm, &made);
	buf_free(&made);
	if (!pid)
		exit(0);
	must(waitpid(pid, &status, 0) == pid && !status);
}

static int inflate_piece(z_stream *strm, size_t room, int flush)
{
	size_t at = strm->total_out;
	int ret;

	strm->next_out = out + at;
	strm->avail_out = room;
	ret = ours.inflate(strm, flush);
	if (ret != Z_OK && ret != Z_BUF_ERROR && ret != Z_STREAM_END && ret != Z_MEM_ERROR)
		printf("# inflate %d, %s, at %lu of %lu\n", ret, strm->msg ? strm->msg : "-", strm->total_in, strm->total_out);
	must(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END || ret == Z_MEM_ERROR);
	must(strm->total_out <= PLAIN_LEN && !memcmp(out + at, plain + at, strm->total_out - at));
	return ret;
}

static int inflate_whole(const struct buf *from, int wbits)
{
	z_stream strm;
	int ret;

	if (open_inflate(&strm, wbits))
		return Z_MEM_ERROR;
	strm.next_in = from->data;
	strm.avail_in = from->len;
	ret = inflate_piece(&strm, PLAIN_LEN + 100, Z_FINISH);
	must(ret == Z_MEM_ERROR || (ret == Z_STREAM_END && strm.total_out == PLAIN_LEN && !strm.avail_in));
	must(ours.inflateEnd(&strm) == Z_OK);
	return ret == Z_STREAM_END ? Z_OK : ret;
}

static void inflate_at_once(void)
{
	inflate_whole(&packed, 15);
	inflate_whole(&flushed, 15);
	inflate_whole(&raw, -15);
}

static void finish_inflate(z_stream *strm, size_t room)
{
	int ret;

	do
		ret = inflate_piece(strm, room, Z_NO_FLUSH);
	while (ret == Z_OK || (ret == Z_BUF_ERROR && !strm->avail_out));
	must(ret == Z_MEM_ERROR || (ret == Z_STREAM_END && strm->total_out == PLAIN_LEN));
	must(ours.inflateEnd(strm) == Z_OK);
}

static void inflate_in_pieces(const struct buf *from)
{
	unsigned char window[32768];
	z_stream strm, copy;
	uInt window_len;
	int ret = Z_OK;

	if (open_inflate(&strm, 15))
		return;
	strm.next_in = from->data;
	strm.avail_in = from->len / 2;
	while (strm.total_out < PLAIN_LEN / 3 && ret == Z_OK)
		ret = inflate_piece(&strm, 30000, Z_NO_FLUSH);
	if (ret == Z_OK) {
		strm.avail_in += from->len - from->len / 2;
		if (!is_without_memory(ours.inflateCopy(&copy, &strm)))
			finish_inflate(&copy, 50000);
		ret = inflate_piece(&strm, 100000, Z_BLOCK);
	}
	if (ret == Z_OK) {
		ours.inflateMark(&strm);
		ret = ours.inflateGetDictionary(&strm, window, &window_len);
		must(ret == Z_OK || ret == Z_MEM_ERROR);
		must(ret || !memcmp(window, plain + strm.total_out - window_len, window_len));
	}
	if (ret == Z_OK)
		finish_inflate(&strm, 200000);
	else
		must(ret == Z_MEM_ERROR && ours.inflateEnd(&strm) == Z_OK);
}

static void inflate_both_in_pieces(void)
{
	inflate_in_pieces(&packed);
	inflate_in_pieces(&flushed);
}

/* The part behind damage is found by a flush point. */
static void inflate_after_damage(void)
{
	struct buf broken = { 0 };
	z_stream strm;
	int ret;

	buf_add(&broken, flushed.data, flushed.len);
	memset(broken.data + 20000, 0xff, 2000);
	if (!open_inflate(&strm, 15)) {
		strm.next_in = broken.data;
		strm.avail_in = broken.len;
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		ret = ours.inflate(&strm, Z_NO_FLUSH);
		must(ret == Z_DATA_ERROR || ret == Z_MEM_ERROR);
		if (ret == Z_DATA_ERROR)
			must(ours.inflateSync(&strm) == Z_OK);
		must(ours.inflateEnd(&strm) == Z_OK);
	}
	buf_free(&broken);
}

static unsigned in_all(void *desc, z_const unsigned char **next)
{
	const struct buf *from = desc;

	*next = from->data;
	return from->len;
}

static int out_check(void *desc, unsigned char *data, unsigned len)
{
	size_t *at = desc;

	must(!memcmp(plain + *at, data, len));
	*at += len;
	return 0;
}

static void inflate_by_back(void)
{
	unsigned char window[32768];
	z_stream strm = new_stream();
	size_t at = 0;
	int ret = ours.inflateBackInit_(&strm, 15, window, ZLIB_VERSION, (int)sizeof(strm));

	if (is_without_memory(ret))
		return;
	ret = ours.inflateBack(&strm, in_all, &raw, out_check, &at);
	must(ret == Z_STREAM_END && at == PLAIN_LEN);
	must(ours.inflateBackEnd(&strm) == Z_OK);
}

static void whole_calls(void)
{
	uLongf len = sizeof(out), back_len = PLAIN_LEN;
	unsigned char *back = malloc(PLAIN_LEN);
	int ret;

	must(back);
	ret = ours.compress(out, &len, plain, PLAIN_LEN);
	if (!is_without_memory(ret))
		check_inflates(15, out, len, PLAIN_LEN);
	ret = ours.uncompress(back, &back_len, packed.data, packed.len);
	if (!is_without_memory(ret))
		must(back_len == PLAIN_LEN && !memcmp(back, plain, PLAIN_LEN));
	free(back);
}

static void gz_files(void)
{
	const char *path = scratch("denials.gz");
	struct buf text = { 0 };
	gzFile file = ours.gzopen(path, "wb1");
	int ret;

	if (file) {
		int len = ours.gzwrite(file, plain, 200000);

		ret = ours.gzclose(file);
		must(len == 200000 ? ret == Z_OK || ret == Z_MEM_ERROR : !len);
		if (len == 200000 && ret == Z_OK) {
			file_read(path, &text);
			check_inflates(31, text.data, text.len, 200000);
		}
	}
	deflate_all(&ref, 31, 6, Z_DEFAULT_STRATEGY, plain, 200000, &text);
	file_write(path, text.data, text.len);
	file = ours.gzopen(path, "rb");
	if (file) {
		int len = ours.gzread(file, out, 200000);

		must(len == 200000 ? !memcmp(out, plain, 200000) : len <= 0);
		ours.gzclose(file);
	}
	buf_free(&text);
}

static const struct {
	const char *name;
	void (*run)(void);
} roads[] = {
	{ "deflate at once", deflate_at_once },
	{ "deflate in pieces", deflate_in_pieces },
	{ "deflate that comes to a device", deflate_that_comes_to_a_device },
	{ "deflate over fork", deflate_over_fork },
	{ "inflate at once", inflate_at_once },
	{ "inflate in pieces", inflate_both_in_pieces },
	{ "inflate after damage", inflate_after_damage },
	{ "inflateBack", inflate_by_back },
	{ "compress and uncompress", whole_calls },
	{ "gz files", gz_files },
};
#define ROADS (sizeof(roads) / sizeof(*roads))

struct one {
	size_t road;
	unsigned int kinds, first, nr;
};
struct result {
	unsigned int calls, descriptors;
	char last[32];
};

static void run_one(const void *arg, void *answer)
{
	const struct one *one = arg;
	struct result *result = answer;

	/* A crash is this process's end, not its test's. */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	doing = roads[one->road].name;
	denial_set(one->kinds, one->first, one->nr);
	roads[one->road].run();
	result->calls = denial_calls();
	snprintf(result->last, sizeof(result->last), "%s", denial_last());
	denial_set(0, 0, 0);
	/* It lasts no longer than it lasts. */
	doing = "afterwards";
	must(deflate_len(100000) == Z_OK && inflate_whole(&packed, 15) == Z_OK);
	result->descriptors = fds_nr();
	must(result->descriptors);
}

static struct result run_in_turn(const struct one *one)
{
	struct result result = { 0 };
	int status = run_in_child(run_one, one, &result, sizeof(result));

	if (status)
		fail_msg("%s, kinds %#x, call %u and %u more: status %#x", roads[one->road].name, one->kinds, one->first,
			 one->nr - 1, status);
	return result;
}

/* One call fails, and the next ones do not. */
static void deny_each(void **state)
{
	for (size_t road = 0; road < ROADS; road++) {
		unsigned int open_nr = run_in_turn(&(struct one){ road, DENY_ALL, 0, 0 }).descriptors, nr = 0;
		struct result result;

		do {
			/* The first ones are all different; then a part of them does. */
			nr += nr < 10 || test_is_long() ? 1 : 1 + test_random_below(16);
			result = run_in_turn(&(struct one){ road, DENY_ALL, nr, 1 });
			if (result.descriptors > open_nr)
				fail_msg("%s, call %u, %s: %u descriptors, not %u", roads[road].name, nr, result.last,
					 result.descriptors, open_nr);
		} while (*result.last);
		printf("# %s: %u calls\n", roads[road].name, result.calls);
	}
}

/* From one call on all others of its kind do, too. zlib may go on without any of these. */
static void deny_from_then_on(void **state)
{
	static const unsigned int kinds[] = { DENY_PAGES, DENY_FILES, DENY_THREADS, DENY_LOADER };

	for (size_t road = 0; road < ROADS; road++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
			for (unsigned int nr = 1; nr < 50; nr += 1 + (test_is_long() ? nr / 4 : nr))
				if (!*run_in_turn(&(struct one){ road, kinds[k], nr, UINT_MAX }).last)
					break;
}

/* No memory for what a device did not do: that is said, and no more than that is lost. */
static void run_without_memory(const void *arg, void *answer)
{
	unsigned int *denied = answer;
	int ret = Z_OK;
	z_stream strm;

	doing = "deflate without memory";
	denial_set(DENY_MEMORY, *(const unsigned int *)arg, UINT_MAX);
	if (!open_deflate(&strm, 31)) {
		strm.next_in = plain;
		strm.avail_in = PLAIN_LEN;
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		ret = ours.deflate(&strm, Z_FINISH);
		must(ret == Z_STREAM_END || ret == Z_MEM_ERROR);
		if (ret == Z_STREAM_END)
			check_inflates(31, out, strm.total_out, PLAIN_LEN);
		ret = ours.deflateEnd(&strm);
		must(ret == Z_OK || ret == Z_DATA_ERROR);
	}
	*denied = *denial_last() != 0;
	denial_set(0, 0, 0);
	doing = "afterwards";
	must(deflate_len(PLAIN_LEN) == Z_OK);
}

static void deny_memory_from_then_on(void **state)
{
	unsigned int is_denied = 1;

	/* How many calls there are depends on how often the device is tried again. */
	for (unsigned int nr = 1; is_denied && nr < 200; nr += 1 + nr / 10) {
		int status = run_in_child(run_without_memory, &nr, &is_denied, sizeof(is_denied));

		if (status)
			fail_msg("from call %u on: status %#x", nr, status);
	}
}

static void prepare(void)
{
	z_stream strm = { 0 };

	plain = gen_alloc(GEN_TEXT, PLAIN_LEN);
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, PLAIN_LEN, &packed);
	deflate_all(&ref, -15, 6, Z_DEFAULT_STRATEGY, plain, PLAIN_LEN, &raw);
	assert_int_equal(ref.deflateInit_(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	strm.next_in = plain;
	strm.next_out = buf_room(&flushed, 2 * PLAIN_LEN);
	strm.avail_out = 2 * PLAIN_LEN;
	for (size_t done = 0; done < PLAIN_LEN; done += 100000) {
		strm.avail_in = 100000;
		ref.deflate(&strm, done + 100000 < PLAIN_LEN ? Z_FULL_FLUSH : Z_FINISH);
	}
	flushed.len = strm.total_out;
	assert_int_equal(ref.deflateEnd(&strm), Z_OK);
}

/* args: whose allocator, then nothing or one combination to look at: ROAD KINDS FIRST NR. */
static int again(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(deny_each),
		cmocka_unit_test(deny_from_then_on),
	};

	is_custom = !strcmp(argv[2], "custom");
	prepare();
	if (denial_begin("libz-wd.so.1"))
		return 99;
	if (!strcmp(argv[2], "none"))
		return again_as_test("no memory", deny_memory_from_then_on, NULL);
	if (argc == 7) {
		const struct one one = { atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6]) };

		printf("%u calls\n", run_in_turn(&one).calls);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Few engines, for each of them has memory. In fault mode the device is as it is. */
static void run_with(const char *const *settings, const char *allocator)
{
	const char *const args[] = { allocator, NULL }, *const none[] = { NULL };
	struct buf text = { 0 };

	assert_int_equal(run_again(test_mode == MODE_EMU ? settings : none, args, &text), 0);
	buf_free(&text);
}

static void plain_streams(void **state)
{
	static const char *const settings[] = { "WD_DEVICE=emu:threads=2", "ZWD_QUEUES=2", NULL };

	run_with(settings, "malloc");
}

static void streams_with_allocators(void **state)
{
	static const char *const settings[] = { "WD_DEVICE=emu:threads=1,engine=zlib,latency_us=1", "ZWD_QUEUES=1",
						NULL };

	run_with(settings, "custom");
}

static void verified_streams(void **state)
{
	static const char *const settings[] = { "WD_DEVICE=emu:threads=2", "ZWD_QUEUES=2", "ZWD_VERIFY=1",
						"ZWD_MIN_DEFLATE=learned", "ZWD_MIN_INFLATE=learned", NULL };

	if (test_mode != MODE_EMU)
		skip();
	run_with(settings, "malloc");
}

static void failures_without_memory(void **state)
{
	static const char *const settings[] = { "WD_DEVICE=emu:threads=1,fault=error@1+", "ZWD_UNIT=64K", NULL };

	if (test_mode != MODE_EMU)
		skip();
	run_with(settings, "none");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_streams),
		cmocka_unit_test(streams_with_allocators),
		cmocka_unit_test(verified_streams),
		cmocka_unit_test(failures_without_memory),
	};

	test_begin(240);
	return is_again(argc, argv) ? again(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
