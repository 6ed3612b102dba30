/* SPDX-License-Identifier: Zlib */
/* The gz functions: what is written is read by the reference, and the other way round. */
#include "config.h"
#include "helpers.h"

#include <fcntl.h>
#include <unistd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 300000 };

static unsigned char plain[LEN], back[LEN + 1000];

static void assert_file_holds(const char *path, const void *data, size_t len)
{
	gzFile file = ref.gzopen(path, "rb");
	static unsigned char got[2 * LEN];

	assert_non_null(file);
	assert_int_equal(ref.gzread(file, got, sizeof(got)), len);
	assert_memory_equal(got, data, len);
	assert_int_equal(ref.gzclose(file), Z_OK);
}

static void write_modes(void **state)
{
	static const char *const modes[] = { "w",   "wb",  "wb0", "wb1", "wb6",	 "wb9", "wb6f",
					     "wb6h", "wb6R", "wb6F", "wbT", "w+b", "wbe" };
	static const size_t steps[] = { LEN, 1000, 70000, 1 };
	const char *path = scratch("modes.gz");
	size_t m, s;

	gen_fill(GEN_MIXED, plain, LEN);
	for (m = 0; m < NR(modes); m++)
		for (s = 0; s < NR(steps); s++) {
			size_t len = steps[s] == 1 ? 2000 : LEN, pos, nr;
			gzFile file = ours.gzopen(path, modes[m]), want = NULL;
			struct buf text = { 0 };

			if (!file) {
				want = ref.gzopen(path, modes[m]);
				assert_null(want);
				continue;
			}
			for (pos = 0; pos < len; pos += nr) {
				nr = steps[s] < len - pos ? steps[s] : len - pos;
				assert_int_equal(ours.gzwrite(file, plain + pos, nr), nr);
				assert_int_equal(ours.gztell(file), pos + nr);
			}
			assert_int_equal(ours.gzdirect(file), strchr(modes[m], 'T') != NULL);
			assert_int_equal(ours.gzclose(file), Z_OK);
			assert_file_holds(path, plain, len);
			file_read(path, &text);
			if (strchr(modes[m], 'T'))
				assert_memory_equal(text.data, plain, len);
			else
				assert_memory_equal(text.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
			buf_free(&text);
		}
}

static void open_refuses(void **state)
{
	const char *path = scratch("refused.gz");

	assert_null(ours.gzopen(path, "rb")); /* is not there */
	assert_null(ours.gzopen(path, ""));
	assert_null(ours.gzopen(path, "b6"));
	assert_null(ours.gzopen(path, "r+"));
	assert_null(ours.gzopen(path, "rT"));
	assert_null(ours.gzopen(NULL, "rb"));
	assert_null(ours.gzdopen(-1, "rb"));
	file_write(path, "x", 1);
	assert_null(ours.gzopen(path, "wx"));
}

static void append_and_exclusive(void **state)
{
	const char *path = scratch("append.gz");
	gzFile file = ours.gzopen(path, "wxb");

	assert_non_null(file);
	assert_int_equal(ours.gzputs(file, "one "), 4);
	assert_int_equal(ours.gzclose_w(file), Z_OK);
	file = ours.gzopen(path, "ab9");
	assert_int_equal(ours.gzprintf(file, "%s %d", "two", 3), 5);
	assert_int_equal(ours.gzputc(file, '!'), '!');
	assert_int_equal(ours.gzclose(file), Z_OK);
	assert_file_holds(path, "one two 3!", 10);
}

static void descriptor(void **state)
{
	const char *path = scratch("fd.gz");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	gzFile file;

	assert_true(fd >= 0);
	file = ours.gzdopen(dup(fd), "wb");
	assert_int_equal(ours.gzwrite(file, "abc", 3), 3);
	assert_int_equal(ours.gzclose(file), Z_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	file = ours.gzdopen(fd, "rb"); /* and closes it in the end */
	assert_int_equal(ours.gzread(file, back, 10), 3);
	assert_memory_equal(back, "abc", 3);
	assert_int_equal(ours.gzclose_r(file), Z_OK);
	assert_int_equal(close(fd), -1);
}

/* Buffers from 8 bytes on; only before the first read or write. */
static void buffers(void **state)
{
	static const unsigned int sizes[] = { 2, 8, 100, 8192, 200000 };
	const char *path = scratch("buffer.gz");
	size_t s;

	gen_fill(GEN_TEXT, plain, 50000);
	for (s = 0; s < NR(sizes); s++) {
		gzFile file = ours.gzopen(path, "wb");

		assert_int_equal(ours.gzbuffer(file, sizes[s]), 0);
		assert_int_equal(ours.gzwrite(file, plain, 50000), 50000);
		assert_int_equal(ours.gzbuffer(file, sizes[s]), -1);
		assert_int_equal(ours.gzclose(file), Z_OK);
		assert_file_holds(path, plain, 50000);
		file = ours.gzopen(path, "rb");
		assert_int_equal(ours.gzbuffer(file, sizes[s]), 0);
		assert_int_equal(ours.gzread(file, back, LEN), 50000);
		assert_memory_equal(back, plain, 50000);
		assert_int_equal(ours.gzclose(file), Z_OK);
	}
}

/* The same reading calls on both libraries, answer by answer. */
static void read_script(const struct zlib_api *z, const char *path, long *answers, size_t *nr)
{
	static unsigned char data[5000];
	gzFile file = z->gzopen(path, "rb");
	int err;
	size_t i;
#define NOTE(x) (answers[(*nr)++] = (long)(x))

	assert_non_null(file);
	memset(data, 0, sizeof(data));
	NOTE(z->gzdirect(file));
	NOTE(z->gzeof(file));
	NOTE(z->gzread(file, data, 10));
	NOTE(ref.crc32(0, data, 10));
	NOTE(z->gztell(file));
	NOTE((z->gzgetc)(file));
	NOTE(z->gzgetc_(file));
	NOTE(z->gzungetc('u', file));
	NOTE(z->gzungetc('v', file));
	NOTE(z->gztell(file));
	NOTE(z->gzread(file, data, 2));
	NOTE(data[0] << 8 | data[1]);
	NOTE(z->gzgets(file, (char *)data, 200) == (char *)data);
	NOTE(ref.crc32(0, data, strlen((char *)data)));
	NOTE(z->gzgets(file, (char *)data, 2) == (char *)data);
	NOTE(z->gzgets(file, (char *)data, 1) == (char *)data);
	NOTE(z->gzgets(file, (char *)data, 0) == NULL);
	NOTE(z->gzseek(file, 1000, SEEK_SET));
	NOTE((z->gzgetc)(file));
	NOTE(z->gzseek(file, 40000, SEEK_CUR));
	NOTE(z->gztell64(file));
	NOTE(z->gzread(file, data, sizeof(data)));
	NOTE(ref.crc32(0, data, sizeof(data)));
	NOTE(z->gzseek(file, 20, SEEK_SET)); /* backwards */
	NOTE(z->gzread(file, data, 100));
	NOTE(ref.crc32(0, data, 100));
	NOTE(z->gzseek(file, -10, SEEK_CUR));
	NOTE(z->gzseek(file, 0, SEEK_END));
	NOTE(z->gzseek(file, -1, SEEK_SET));
	NOTE(z->gzrewind(file));
	NOTE(z->gztell(file));
	NOTE(z->gzfread(data, 7, 100, file));
	NOTE(ref.crc32(0, data, 700));
	for (i = 0; i < 1000; i++) {
		int got = z->gzread(file, data, sizeof(data));

		NOTE(got);
		NOTE(got > 0 ? ref.crc32(0, data, got) : 0);
		NOTE(z->gzeof(file));
		if (got <= 0)
			break;
	}
	z->gzerror(file, &err);
	NOTE(err);
	NOTE(z->gzoffset(file));
	NOTE((z->gzgetc)(file));
	z->gzclearerr(file);
	NOTE(z->gzeof(file));
	z->gzerror(file, &err);
	NOTE(err);
	NOTE(z->gzread(file, data, 10));
	NOTE(z->gzwrite(file, data, 10));
	NOTE(z->gzclose(file));
}

static void assert_same_reading(const char *path)
{
	static long got[4000], want[4000];
	size_t got_nr = 0, want_nr = 0, i;

	read_script(&ours, path, got, &got_nr);
	read_script(&ref, path, want, &want_nr);
	for (i = 0; i < got_nr && i < want_nr; i++)
		if (got[i] != want[i])
			fail_msg("%s, answer %zu: %ld, zlib: %ld", path, i, got[i], want[i]);
	assert_int_equal(got_nr, want_nr);
}

static void reading_answers_as_zlib(void **state)
{
	const char *path = scratch("read.gz");
	struct buf packed = { 0 };
	size_t cut;

	gen_fill(GEN_TEXT, plain, LEN);
	file_write(path, plain, LEN); /* not compressed at all */
	assert_same_reading(path);
	file_write(path, plain, 0);
	assert_same_reading(path);
	deflate_all(&ref, 31, 6, 0, plain, LEN, &packed);
	file_write(path, packed.data, packed.len);
	assert_same_reading(path);
	for (cut = 1; cut < packed.len; cut = cut * 3 + 1) { /* cut short */
		file_write(path, packed.data, cut);
		assert_same_reading(path);
		file_write(path, packed.data, packed.len - cut);
		assert_same_reading(path);
	}
	packed.data[packed.len - 5] ^= 1; /* wrong CRC */
	file_write(path, packed.data, packed.len);
	assert_same_reading(path);
	packed.data[packed.len - 5] ^= 1;
	packed.data[packed.len / 2] ^= 0xff; /* damaged */
	packed.data[packed.len / 2 + 1] ^= 0xff;
	file_write(path, packed.data, packed.len);
	if (test_mode == MODE_SOFT) /* how far it comes is the engine's affair */
		assert_same_reading(path);
	packed.data[packed.len / 2] ^= 0xff;
	packed.data[packed.len / 2 + 1] ^= 0xff;
	deflate_all(&ref, 31, 1, 0, plain, 1000, &packed); /* members */
	deflate_all(&ref, 31, 1, 0, plain, 0, &packed);
	deflate_all(&ref, 31, 9, 0, plain, 100000, &packed);
	file_write(path, packed.data, packed.len);
	assert_same_reading(path);
	buf_add(&packed, "\0\0\0rubbish", 10); /* and what is none is ignored */
	file_write(path, packed.data, packed.len);
	assert_same_reading(path);
	buf_free(&packed);
}

/* Seeking forward writes zeros; parameters change and flushes come in between. */
static void writing_with_seek_flush_and_params(void **state)
{
	const char *path = scratch("write.gz");
	gzFile file = ours.gzopen(path, "wb6");
	size_t len = 0;

	gen_fill(GEN_SOURCE, plain, LEN);
	memset(back, 0, sizeof(back));
	assert_int_equal(ours.gzwrite(file, plain, 50000), 50000);
	memcpy(back, plain, 50000);
	assert_int_equal(ours.gzseek(file, 1000, SEEK_CUR), 51000);
	assert_int_equal(ours.gzflush(file, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(ours.gzflush(file, Z_SYNC_FLUSH), Z_OK);
	assert_true(ours.gzoffset(file) > 0);
	assert_int_equal(ours.gzsetparams(file, 1, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(ours.gzfwrite(plain, 10, 5000, file), 5000);
	memcpy(back + 51000, plain, 50000);
	assert_int_equal(ours.gzsetparams(file, 9, Z_HUFFMAN_ONLY), Z_OK);
	assert_int_equal(ours.gzflush(file, Z_FULL_FLUSH), Z_OK);
	assert_int_equal(ours.gzputc(file, 200), 200);
	back[101000] = 200;
	assert_int_equal(ours.gzflush(file, Z_FINISH), Z_OK); /* a member ends here */
	assert_int_equal(ours.gzwrite(file, plain + 7, 1000), 1000);
	memcpy(back + 101001, plain + 7, 1000);
	assert_int_equal(ours.gzflush(file, 77), Z_STREAM_ERROR);
	assert_int_equal(ours.gzseek(file, 10, SEEK_SET), -1);
	assert_int_equal(ours.gzread(file, plain, 10), -1);
	assert_int_equal(ours.gzseek(file, 3, SEEK_CUR), 102004);
	len = 102004;
	assert_int_equal(ours.gzclose(file), Z_OK);
	assert_file_holds(path, back, len);
}

/* What one wrote the other reads, also across libraries that share one file. */
static void read_back_by_ours(void **state)
{
	static const size_t steps[] = { 1, 4000, 100000, LEN };
	const char *path = scratch("back.gz");
	gzFile file = ref.gzopen(path, "wb1");
	size_t s;

	gen_fill(GEN_MIXED, plain, LEN);
	assert_int_equal(ref.gzwrite(file, plain, LEN), LEN);
	assert_int_equal(ref.gzclose(file), Z_OK);
	for (s = 0; s < NR(steps); s++) {
		size_t pos = 0;
		int got;

		file = ours.gzopen(path, "rb");
		do {
			got = ours.gzread(file, back + pos, steps[s]);
			assert_true(got >= 0);
			pos += got;
		} while (got && pos < LEN);
		assert_int_equal(pos, LEN);
		assert_int_equal(ours.gzread(file, back, 1), 0);
		assert_int_equal(ours.gzeof(file), 1);
		assert_memory_equal(back, plain, LEN);
		assert_int_equal(ours.gzclose(file), Z_OK);
	}
}

static int print(gzFile file, const char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = ours.gzvprintf(file, format, args);
	va_end(args);
	return ret;
}

/* By the names that programs with large files have, and with a list of arguments. */
static void other_names(void **state)
{
	const char *path = scratch("other.gz");
	gzFile file = ours.gzopen64(path, "wb6");

	assert_non_null(file);
	assert_int_equal(print(file, "%s %d\n", "line", 17), 8);
	assert_int_equal(ours.gztell64(file), 8);
	assert_int_equal(ours.gzclose(file), Z_OK);
	assert_file_holds(path, (const unsigned char *)"line 17\n", 8);
}

static void null_file(void **state)
{
	int err = 5;

	assert_int_equal(ours.gzread(NULL, back, 1), -1);
	assert_int_equal(ours.gzwrite(NULL, back, 1), 0);
	assert_int_equal((gzgetc)(NULL), -1);
	assert_int_equal(ours.gzputc(NULL, 'x'), -1);
	assert_int_equal(ours.gzclose(NULL), Z_STREAM_ERROR);
	assert_int_equal(ours.gzseek(NULL, 0, SEEK_SET), -1);
	assert_int_equal(ours.gztell(NULL), -1);
	assert_int_equal(ours.gzeof(NULL), 0);
	assert_null(ours.gzerror(NULL, &err));
	ours.gzclearerr(NULL);
}

TEST_MAIN(60, cmocka_unit_test(write_modes), cmocka_unit_test(open_refuses),
	  cmocka_unit_test(append_and_exclusive), cmocka_unit_test(descriptor),
	  cmocka_unit_test(buffers), cmocka_unit_test(reading_answers_as_zlib),
	  cmocka_unit_test(writing_with_seek_flush_and_params), cmocka_unit_test(read_back_by_ours),
	  cmocka_unit_test(other_names), cmocka_unit_test(null_file))
