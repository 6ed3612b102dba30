/* SPDX-License-Identifier: Zlib */
/*
 * Of a file of many members, all behind the first are inflated by threads before they are come to, wherever they
 * begin in what was read: what they make is right in any case, so only their number tells.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "../../libz-wd/tools/gzip/gzip.h"
#include "../../libz-wd/tools/gzip/piece.h"
#include "unit.h"

enum { FILE_MAX = 12 << 20, HEADER_LEN = 10 };

struct options opt = { .prog = "gzip", .suffix = ".gz", .decompress = true, .to_stdout = true };

/* What main.c has; here nothing goes wrong. */
void gzip_say(const char *fmt, ...)
{
	fail_msg("%s", fmt);
}

void gzip_error(const char *fmt, ...)
{
	fail_msg("%s", fmt);
}

void gzip_warn(const char *fmt, ...)
{
	fail_msg("%s", fmt);
}

void gzip_warned(void)
{
	fail_msg("a warning");
}

void gzip_error_errno(const char *name)
{
	fail_msg("%s: %s", name, strerror(errno));
}

_Noreturn void gzip_exit(int code)
{
	fail_msg("exit %d", code);
	abort();
}

_Noreturn void gzip_die(const struct job *job, const char *why)
{
	fail_msg("%s: %s", job->in_name, why);
	abort();
}

_Noreturn void gzip_die_errno(const char *name)
{
	fail_msg("%s: %s", name, strerror(errno));
	abort();
}

static unsigned char *plain, *file;
static size_t plain_len, file_len;
static unsigned int member_nr;

/* One more member of what follows in plain[], or, to make more of it, as it is. */
static void add(size_t len, int level)
{
	z_stream strm = { .next_in = plain + plain_len, .avail_in = (uInt)len, .next_out = file + file_len,
			  .avail_out = (uInt)(FILE_MAX - file_len) };

	assert_true(plain_len + len <= FILE_MAX);
	assert_int_equal(deflateInit2(&strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&strm), Z_OK);
	file_len += strm.total_out;
	plain_len += len;
	member_nr++;
}

static int make_file(const unsigned char *data, size_t len)
{
	int fd = memfd_create("members", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len && !lseek(fd, 0, SEEK_SET));
	return fd;
}

/* The whole file, as codec.c does it. How many members were there already. */
static unsigned int read_file(void)
{
	static const unsigned char header[HEADER_LEN] = { 0x1f, 0x8b, METHOD_DEFLATE };
	char name[] = "members";
	struct job job = { .in_name = name, .out_name = name, .in_fd = make_file(file, file_len),
			   .out_fd = make_file(NULL, 0) };
	unsigned int taken_nr = 0;
	unsigned char *out;

	assert_int_equal(fstat(job.in_fd, &job.st), 0);
	io_start(&job);
	while (io_fill(&job)) {
		assert_int_equal(format_read(&job), METHOD_DEFLATE);
		if (members_take(&job)) {
			taken_nr++;
		} else {
			io_unread(&job, header, sizeof(header));
			assert_int_equal(codec_inflate(&job, 31), 0);
		}
		io_flush(&job);
	}
	assert_int_equal(job.member_nr, member_nr);
	assert_int_equal(lseek(job.out_fd, 0, SEEK_END), plain_len);
	out = mmap(NULL, plain_len, PROT_READ, MAP_PRIVATE, job.out_fd, 0);
	assert_ptr_not_equal(out, MAP_FAILED);
	assert_memory_equal(out, plain, plain_len);
	munmap(out, plain_len);
	close(job.in_fd);
	close(job.out_fd);
	return taken_nr;
}

static int begin_file(void **state)
{
	plain_len = file_len = member_nr = 0;
	return 0;
}

static void expect_all_but_the_first(void)
{
	unsigned int taken_nr = read_file();

	if (piece_thread_nr() < 2)
		assert_int_equal(taken_nr, 0);
	else if (taken_nr != member_nr - 1)
		fail_msg("%u of %u members", taken_nr, member_nr);
}

static void many_of_a_size(void **state)
{
	while (file_len < 3 << 20)
		add(50000, 1);
	expect_all_but_the_first();
}

/* The first one ends nearly where the first read does, and the next one is longer than what is aimed at. */
static void behind_a_long_one(void **state)
{
	add(1040000, 0);
	assert_in_range(file_len, 1000000, 1048000);
	add(400000, 0);
	while (file_len < 2 << 20)
		add(50000, 1);
	expect_all_but_the_first();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(many_of_a_size, begin_file),
		cmocka_unit_test_setup(behind_a_long_one, begin_file),
	};
	uint32_t word = 1;
	int ret;

	plain = malloc(FILE_MAX);
	file = malloc(FILE_MAX);
	if (!plain || !file)
		return 99;
	for (size_t i = 0; i < FILE_MAX; i++) {
		word = word * 1664525u + 1013904223u;
		plain[i] = (unsigned char)("0123456789abcdef"[word >> 28]);
	}
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	codec_end();
	free(plain);
	free(file);
	return ret;
}
