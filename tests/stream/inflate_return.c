/* SPDX-License-Identifier: Zlib */
/*
 * A stream that software began, or took over after a failure, goes to a device where a block ends; and
 * software keeps, or takes over, what a device is no help with. The settings are read once in a process.
 */
#include "config.h"
#include "helpers.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define LEN 6000000

static const int wrappers[] = { 15, 31, -15 };
static unsigned char out[LEN + 100];

struct job {
	const char *device, *engine, *verify, *keep;
	size_t in_step, out_step;
	int is_custom;
	size_t first_in, first_out; /* of the first call; 0: as of all */
	const char *min;
};

static voidpf get(voidpf opaque, uInt items, uInt size)
{
	return malloc((size_t)items * size);
}

static void put(voidpf opaque, voidpf mem)
{
	free(mem);
}

static int decode(const struct job *job, int wbits, const struct buf *packed, const unsigned char *plain)
{
	z_stream strm = { .next_in = packed->data, .next_out = out };
	size_t limit = 0;
	int ret;

	if (job->is_custom) {
		strm.zalloc = get;
		strm.zfree = put;
	}
	if (inflateInit2(&strm, wbits))
		return 2;
	do {
		size_t left = out + sizeof(out) - strm.next_out;
		size_t in = !limit && job->first_in ? job->first_in : job->in_step;
		size_t room = !limit && job->first_out ? job->first_out : job->out_step;

		if (limit <= strm.total_in || strm.avail_out)
			limit = limit + in < packed->len ? limit + in : packed->len;
		strm.avail_in = (uInt)(limit - strm.total_in);
		strm.avail_out = (uInt)(room < left ? room : left);
		ret = ours.inflate(&strm, Z_NO_FLUSH);
	} while (ret == Z_OK || (ret == Z_BUF_ERROR && limit < packed->len));
	if (ret != Z_STREAM_END || strm.total_out != LEN || memcmp(out, plain, LEN))
		return 3;
	if (strm.total_in != packed->len - 4)
		return 4;
	if (wbits == 15 && strm.adler != ref.adler32(1, plain, LEN))
		return 5;
	return inflateEnd(&strm) ? 6 : 0;
}

/* In a process of its own; its statistics. */
static void run(const struct job *job, enum gen gen, int wbits, struct zwd_stats *stats)
{
	unsigned char *plain = gen_alloc(gen, LEN);
	struct buf packed = { 0 };
	int fds[2], status;
	pid_t pid;

	deflate_all(&ref, wbits, 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed);
	buf_add(&packed, "tail", 4);
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		setenv("WD_DEVICE", job->device, 1);
		setenv("ZWD_ENGINE", job->engine, 1);
		setenv("ZWD_TIMEOUT_MS", "2000", 1);
		if (job->verify)
			setenv("ZWD_VERIFY", job->verify, 1);
		if (job->keep)
			setenv("ZWD_KEEP", job->keep, 1);
		if (job->min)
			setenv("ZWD_MIN_INFLATE", job->min, 1);
		status = decode(job, wbits, &packed, plain);
		zwd_stats(stats, sizeof(*stats));
		if (write(fds[1], stats, sizeof(*stats)) != sizeof(*stats))
			_exit(99);
		_exit(status);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], stats, sizeof(*stats)), sizeof(*stats));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("gen %d, window bits %d, %s: status %x", gen, wbits, job->device, status);
	free(plain);
	buf_free(&packed);
}

/* Every bit of a byte is a block's first sooner or later. */
static void small_first_calls_decide_nothing(void **state)
{
	static const struct job jobs[] = { { "emu", "auto", "1", NULL, 32768, 131072, 0, 8192, 16384, NULL },
					   { "emu", "auto", "1", NULL, 32768, 131072, 1, 8192, 16384, NULL },
					   { "emu", "auto", "1", NULL, 8192, 16384, 0, 1000, 0, "4K" } };

	for (size_t j = 0; j < NR(jobs); j++)
		for (int gen = 0; gen < GEN_NR; gen++)
			for (size_t w = 0; w < NR(wrappers); w++) {
				struct zwd_stats stats;

				/* The others are over too soon. */
				if (gen != GEN_TEXT && gen != GEN_BINARY && gen != GEN_RANDOM && gen != GEN_MIXED)
					continue;
				run(&jobs[j], (enum gen)gen, wrappers[w], &stats);
				assert_int_equal(stats.inflate.failovers, 0);
				assert_int_equal(stats.inflate.mismatches, 0);
				assert_true(stats.inflate.verified > 0);
				assert_int_equal(stats.inflate_choice.returns, 1);
				assert_true(stats.inflate.hw_in >= stats.inflate.soft_in);
			}
}

/* However long the stream: each of them would be a request that costs more than software does. */
static void small_calls_stay_in_software(void **state)
{
	static const struct job jobs[] = { { "emu", "auto", NULL, NULL, 8192, 16384, 0, 0, 0, NULL },
					   { "emu", "auto", NULL, NULL, 8192, 131072, 1, 100, 0, NULL },
					   { "emu", "auto", NULL, NULL, 8192, 65536, 0, 0, 0, NULL },
					   { "emu", "auto", NULL, NULL, 16384, 65536, 0, 0, 0, NULL },
					   { "emu", "auto", NULL, NULL, 262144, 16384, 0, 0, 0, NULL },
					   { "emu", "auto", NULL, NULL, 32768, 131072, 0, 0, 0, "64K" } };

	for (size_t j = 0; j < NR(jobs); j++) {
		struct zwd_stats stats;

		run(&jobs[j], GEN_MIXED, wrappers[j % NR(wrappers)], &stats);
		assert_int_equal(stats.inflate_choice.returns, 0);
		assert_int_equal(stats.inflate.hw_requests, 0);
		assert_int_equal(stats.inflate_choice.soft_small, 1);
	}
}

/* What a device began with goes to software when the calls are small from then on, soon. */
static void small_calls_leave_a_device(void **state)
{
	static const struct job jobs[] = { { "emu", "auto", "1", NULL, 8192, 32768, 0, 65536, 262144, NULL },
					   { "emu", "auto", "1", NULL, 8192, 32768, 1, 65536, 262144, NULL },
					   { "emu", "auto", NULL, NULL, 10000, 65536, 0, 0, 0, NULL },
					   { "emu", "auto", NULL, NULL, 300000, 32768, 0, 0, 0, NULL } };

	for (size_t j = 0; j < NR(jobs); j++) {
		struct zwd_stats stats;

		run(&jobs[j], GEN_MIXED, wrappers[j % NR(wrappers)], &stats);
		assert_in_range(stats.inflate.hw_requests, 1, 20);
		assert_true(stats.inflate.soft_in > stats.inflate.hw_in);
		assert_int_equal(stats.inflate.failovers, 0);
		assert_int_equal(stats.inflate_choice.returns, 0);
		assert_int_equal(stats.inflate_choice.soft_small, 1);
	}
}

/* Where it is asked for, or where that is what the figure says. */
static void small_calls_are_a_devices(void **state)
{
	static const struct job jobs[] = { { "emu", "hw", NULL, NULL, 8192, 16384, 0, 0, 0, NULL },
					   { "emu", "hw", NULL, NULL, 4096, 8192, 0, 65536, 262144, NULL },
					   { "emu", "auto", NULL, NULL, 8192, 16384, 0, 65536, 262144, "4K" } };

	for (size_t j = 0; j < NR(jobs); j++) {
		struct zwd_stats stats;

		run(&jobs[j], GEN_MIXED, wrappers[j % NR(wrappers)], &stats);
		assert_int_equal(stats.inflate.soft_in, 0);
		assert_int_equal(stats.inflate_choice.soft_small, 0);
	}
}

static void a_failure_is_not_for_good(void **state)
{
	static const struct job job = { "emu:fault=error@5", "hw", NULL, NULL, 65536, 100000, 0, 0, 0, NULL };

	for (size_t w = 0; w < NR(wrappers); w++) {
		struct zwd_stats stats;

		run(&job, GEN_MIXED, wrappers[w], &stats);
		assert_int_equal(stats.inflate.failovers, 1);
		assert_int_equal(stats.inflate_choice.returns, 1);
		assert_true(stats.inflate.hw_in >= stats.inflate.soft_in);
	}
}

/* What software had with its wrapper, it has again without. */
static void a_failure_after_the_return(void **state)
{
	static const char *const devices[] = { "emu:fault=error@1", "emu:fault=error@2", "emu:fault=error@3",
					       "emu:fault=checksum@2", "emu:fault=short@2", "emu:fault=hang@2",
					       "emu:fault=error@*3", "emu:fault=gone@2" };

	for (size_t d = 0; d < NR(devices); d++)
		for (size_t w = 0; w < NR(wrappers); w++) {
			struct job job = { devices[d], "auto", NULL, NULL, 32768, 131072, 0, 8192, 16384, NULL };
			struct zwd_stats stats;

			run(&job, GEN_MIXED, wrappers[w], &stats);
			assert_true(stats.inflate_choice.returns >= 1);
			job.is_custom = 1;
			run(&job, GEN_TEXT, wrappers[w], &stats);
			assert_true(stats.inflate_choice.returns >= 1);
		}
}

/* A call that brings the end, and with it no other place at which a device could have it. */
static void the_end_is_no_place_to_return(void **state)
{
	/* Blocks of 16383 symbols; the last one is longer than the last call. */
	size_t len = 61 * 16383 + 16000, last = 5000;
	unsigned char *plain = gen_alloc(GEN_TEXT, len);

	for (size_t w = 0; w < NR(wrappers); w++) {
		struct buf packed = { 0 };
		int status;
		pid_t pid;

		deflate_all(&ref, wrappers[w], 6, Z_HUFFMAN_ONLY, plain, len, &packed);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			z_stream strm = { .next_in = packed.data, .next_out = out, .avail_out = sizeof(out) };
			int ret = Z_OK;

			setenv("WD_DEVICE", "emu:fault=error@1", 1);
			setenv("ZWD_ENGINE", "hw", 1);
			if (inflateInit2(&strm, wrappers[w]))
				_exit(2);
			/* Too little each time for a device that is asked again. */
			while (ret == Z_OK && strm.total_in < packed.len - last) {
				size_t left = packed.len - last - strm.total_in;

				strm.avail_in = (uInt)(left < 3000 ? left : 3000);
				ret = ours.inflate(&strm, Z_NO_FLUSH);
			}
			if (ret != Z_OK)
				_exit(3);
			strm.avail_in = (uInt)last;
			ret = ours.inflate(&strm, Z_NO_FLUSH);
			_exit(ret != Z_STREAM_END || strm.avail_in || strm.total_out != len || memcmp(out, plain, len));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("window bits %d: status %x", wrappers[w], status);
		buf_free(&packed);
	}
	free(plain);
}

/* However little may be kept: places are found, or software reads along. */
static void a_failure_with_little_kept(void **state)
{
	static const char *const keeps[] = { "0", "64K", "300K", "1M" };

	for (size_t k = 0; k < NR(keeps); k++)
		for (int gen = 0; gen < GEN_NR; gen++) {
			struct job job = { "emu:fault=error@*12", "hw", NULL, keeps[k], 20000, 30000, gen % 2,
					   0, 0, NULL };
			struct zwd_stats stats;

			run(&job, (enum gen)gen, wrappers[gen % 3], &stats);
			job.in_step = 300000;
			job.out_step = 200000;
			run(&job, (enum gen)gen, wrappers[(gen + 1) % 3], &stats);
		}
}

static void software_keeps_single_bytes(void **state)
{
	static const struct job job = { "emu", "hw", NULL, NULL, 1, 1000, 0, 0, 0, NULL };
	struct zwd_stats stats;

	run(&job, GEN_TEXT, 31, &stats);
	assert_in_range(stats.inflate.hw_requests, 1, 200);
	assert_int_equal(stats.inflate.failovers, 0);
}

static void what_a_device_spoils_is_seen(void **state)
{
	static const struct job job = { "emu:fault=corrupt@*9", "hw", "1", NULL, 65536, 100000, 0, 0, 0, NULL };

	for (size_t w = 0; w < NR(wrappers); w++) {
		struct zwd_stats stats;

		run(&job, GEN_JSON, wrappers[w], &stats);
		assert_true(stats.inflate.verified > 0);
		if (wrappers[w] < 0)
			assert_true(stats.inflate.mismatches > 0);
	}
}

/* As in a git pack: what is behind a stream in the buffer says nothing of its size. */
static void small_streams_in_a_large_buffer(void **state)
{
	enum { STREAMS = 300, PLAIN = 800 };
	static unsigned char plain[PLAIN];
	struct buf packed = { 0 };
	struct zwd_stats stats;
	size_t pos = 0;
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		return;
	}
	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_ENGINE", "auto", 1);
	gen_fill(GEN_SOURCE, plain, PLAIN);
	for (int n = 0; n < STREAMS; n++) {
		struct buf one = { 0 };

		deflate_all(&ref, 15, 9, Z_DEFAULT_STRATEGY, plain, PLAIN, &one);
		buf_add(&packed, one.data, one.len);
		buf_free(&one);
	}
	for (int n = 0; n < STREAMS; n++) {
		z_stream strm = { .next_in = packed.data + pos, .avail_in = (uInt)(packed.len - pos),
				  .next_out = out, .avail_out = PLAIN + 1 };

		if (inflateInit(&strm) || ours.inflate(&strm, Z_FINISH) != Z_STREAM_END ||
		    strm.total_out != PLAIN || memcmp(out, plain, PLAIN))
			_exit(1);
		pos += strm.total_in;
		inflateEnd(&strm);
	}
	zwd_stats(&stats, sizeof(stats));
	_exit(pos != packed.len || stats.inflate.hw_requests || stats.inflate.soft_streams != STREAMS);
}

/* All of a stream that a device has done, and that waits for room, is not done again. */
static void read_what_is_done(const void *arg, void *result)
{
	struct zwd_stats *stats = result;
	unsigned char *plain = gen_alloc(GEN_MIXED, LEN);
	uint64_t left = 0, made = 0;

	(void)arg;
	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_ENGINE", "auto", 1);
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
	for (size_t len = 262144 + 3000; len < 327680; len += 3000) {
		struct buf packed = { 0 };
		z_stream strm = { 0 };
		int ret;

		deflate_all(&ref, 31, 6, Z_DEFAULT_STRATEGY, plain, len, &packed);
		if (inflateInit2(&strm, 31) != Z_OK)
			_exit(2);
		strm.next_in = packed.data;
		strm.avail_in = (uInt)packed.len;
		strm.next_out = out;
		do {
			strm.avail_out = 65536;
			ret = ours.inflate(&strm, Z_NO_FLUSH);
		} while (ret == Z_OK);
		if (ret != Z_STREAM_END || strm.total_out != len || memcmp(out, plain, len))
			_exit(3);
		inflateEnd(&strm);
		buf_free(&packed);
		/* Where software took over there was something to make. */
		zwd_stats(stats, sizeof(*stats));
		if (stats->inflate_choice.soft_small != left && stats->inflate.soft_out == made)
			_exit(4);
		left = stats->inflate_choice.soft_small;
		made = stats->inflate.soft_out;
	}
	free(plain);
}

static void what_is_done_is_not_done_again(void **state)
{
	struct zwd_stats stats;

	assert_int_equal(run_in_child(read_what_is_done, NULL, &stats, sizeof(stats)), 0);
	assert_in_range(stats.inflate.hw_requests, 1, 200);
}

TEST_MAIN(120, cmocka_unit_test(small_first_calls_decide_nothing),
	  cmocka_unit_test(small_calls_stay_in_software), cmocka_unit_test(small_calls_leave_a_device),
	  cmocka_unit_test(small_calls_are_a_devices), cmocka_unit_test(what_is_done_is_not_done_again),
	  cmocka_unit_test(a_failure_is_not_for_good), cmocka_unit_test(a_failure_after_the_return),
	  cmocka_unit_test(the_end_is_no_place_to_return),
	  cmocka_unit_test(a_failure_with_little_kept),
	  cmocka_unit_test(software_keeps_single_bytes),
	  cmocka_unit_test(what_a_device_spoils_is_seen),
	  cmocka_unit_test(small_streams_in_a_large_buffer))
