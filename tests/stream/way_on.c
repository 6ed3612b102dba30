/* SPDX-License-Identifier: Zlib */
/*
 * A stream goes on where something came in between: a device that failed and a room of a few bytes, a
 * question in the middle, a copy or a fork after the end was asked for, memory that there is none of.
 */
#include "config.h"
#include "helpers.h"

#include <sys/wait.h>
#include <unistd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 700000 };
static const int wrappers[] = { 15, 31, -15 };
static unsigned char *plain;
static struct buf packed[NR(wrappers)];

/* Input in pieces, room for a few bytes: it ends, and in not more calls than there are bytes. */
static void room_of_few_bytes(void **state)
{
	for (uInt room = 1; room <= 7; room++) {
		unsigned char *out = malloc(LEN + LEN / 8);
		z_stream strm = { .next_out = out };
		size_t fed = 0, calls = 0;
		int ret = Z_OK;

		assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, wrappers[room % NR(wrappers)],
					      8, Z_DEFAULT_STRATEGY), Z_OK);
		while (ret != Z_STREAM_END) {
			if (!strm.avail_in && fed < LEN) {
				strm.next_in = plain + fed;
				strm.avail_in = LEN - fed < 20000 ? (uInt)(LEN - fed) : 20000;
				fed += strm.avail_in;
			}
			strm.avail_out = room;
			ret = deflate(&strm, fed < LEN ? Z_NO_FLUSH : Z_FINISH);
			assert_true(ret == Z_OK || ret == Z_STREAM_END);
			assert_true(strm.total_out < LEN + LEN / 8 - 16);
			assert_true(calls++ < LEN + LEN / 8);
		}
		assert_inflates(wrappers[room % NR(wrappers)], out, strm.total_out, plain, LEN);
		assert_int_equal(deflateEnd(&strm), Z_OK);
		free(out);
	}
}

/* A caller that takes its position after inflate() and asks something then. */
static void question(z_stream *strm, int which)
{
	unsigned char dict[32768];
	uInt len;

	switch (which) {
	case 0:
		inflateMark(strm);
		break;
	case 1:
		inflateSyncPoint(strm);
		break;
	case 2:
		inflateCodesUsed(strm);
		break;
	case 3:
		inflateValidate(strm, 1);
		break;
	case 4:
		inflateUndermine(strm, 0);
		break;
	case 5:
		inflateGetDictionary(strm, dict, &len);
		break;
	}
}

static void questions_take_no_input(void **state)
{
	static unsigned char out[LEN];

	for (size_t w = 0; w < NR(wrappers); w++)
		for (int which = 0; which < 6; which++) {
			z_stream strm = { 0 };
			size_t pos = 0, made = 0, asked = 3000;
			int ret = Z_OK;

			assert_int_equal(inflateInit2(&strm, wrappers[w]), Z_OK);
			while (ret == Z_OK) {
				strm.next_in = packed[w].data + pos;
				strm.avail_in = (uInt)(packed[w].len - pos);
				strm.next_out = out + made;
				strm.avail_out = LEN - made < 1000 ? (uInt)(LEN - made) : 1000;
				ret = inflate(&strm, Z_NO_FLUSH);
				pos = packed[w].len - strm.avail_in;
				made = strm.total_out;
				if (made >= asked && ret == Z_OK) {
					uLong total = strm.total_in;
					const unsigned char *next = strm.next_in;

					question(&strm, which);
					assert_ptr_equal(strm.next_in, next);
					assert_int_equal(strm.total_in, total);
					asked += 150000;
				}
			}
			assert_int_equal(ret, Z_STREAM_END);
			assert_int_equal(made, LEN);
			assert_memory_equal(out, plain, LEN);
			inflateEnd(&strm);
		}
}

static int finish(z_stream *strm, struct buf *out)
{
	int ret;

	do {
		unsigned char *room = buf_room(out, 5000);

		strm->next_out = room;
		strm->avail_out = 5000;
		ret = deflate(strm, Z_FINISH);
		out->len += 5000 - strm->avail_out;
	} while (ret == Z_OK);
	return ret;
}

/* At every place of a stream whose end was asked for, with output that waits. */
static void copy_and_fork_behind_finish(void **state)
{
	for (size_t w = 0; w < NR(wrappers); w++)
		for (size_t room = 1; room < LEN; room = room * 3 + 7) {
			struct buf one = { 0 }, two = { 0 };
			z_stream strm = { .next_in = plain, .avail_in = LEN }, copy;
			int status, ret;
			pid_t pid;

			deflateInit2(&strm, 1, Z_DEFLATED, wrappers[w], 8, Z_DEFAULT_STRATEGY);
			strm.next_out = buf_room(&one, room);
			strm.avail_out = (uInt)room;
			ret = deflate(&strm, Z_FINISH);
			one.len = room - strm.avail_out;
			if (ret != Z_OK) {
				assert_int_equal(ret, Z_STREAM_END);
				deflateEnd(&strm);
				buf_free(&one);
				break;
			}
			buf_add(&two, one.data, one.len);
			assert_int_equal(deflateCopy(&copy, &strm), Z_OK);
			/* ThreadSanitizer knows no threads in a child of threads. */
			pid = IS_TSAN ? -1 : fork();
			if (!pid) {
				alarm(180);
				ret = finish(&strm, &one);
				deflateEnd(&strm);
				deflateEnd(&copy);
				_exit(ret != Z_STREAM_END);
			}
			assert_int_equal(finish(&copy, &two), Z_STREAM_END);
			assert_int_equal(finish(&strm, &one), Z_STREAM_END);
			deflateEnd(&copy);
			deflateEnd(&strm);
			if (!IS_TSAN) {
				assert_int_equal(waitpid(pid, &status, 0), pid);
				assert_int_equal(status, 0);
			}
			assert_inflates(wrappers[w], one.data, one.len, plain, LEN);
			assert_inflates(wrappers[w], two.data, two.len, plain, LEN);
			buf_free(&one);
			buf_free(&two);
		}
}

struct limit {
	unsigned int nr, fail_at;
	int is_for_good;
};

static voidpf limited_alloc(voidpf opaque, uInt items, uInt size)
{
	struct limit *limit = opaque;

	limit->nr++;
	if (limit->fail_at && (limit->is_for_good ? limit->nr >= limit->fail_at :
						    limit->nr == limit->fail_at))
		return NULL;
	return malloc((size_t)items * size);
}

static void limited_free(voidpf opaque, voidpf mem)
{
	free(mem);
}

/* A lack of memory is told as such, never as damaged data; and one that passes is survived. */
static void inflate_without_memory(void **state)
{
	static unsigned char out[LEN];

	for (unsigned int i = 0; i < 30; i++) {
		struct limit limit = { .is_for_good = i % 2 };
		z_stream strm = { .zalloc = limited_alloc, .zfree = limited_free,
				  .opaque = &limit, .next_out = out };
		size_t pos = 0;
		int ret, idle = 0;

		assert_int_equal(inflateInit2(&strm, wrappers[i % NR(wrappers)]), Z_OK);
		limit.fail_at = limit.nr + 1 + i / 2;
		do {
			const struct buf *p = &packed[i % NR(wrappers)];

			strm.next_in = p->data + pos;
			strm.avail_in = p->len - pos > 20000 ? 20000 : (uInt)(p->len - pos);
			strm.avail_out = LEN - strm.total_out > 3000 ? 3000 :
							(uInt)(LEN - strm.total_out);
			ret = inflate(&strm, strm.total_out > LEN / 2 ? Z_BLOCK : Z_NO_FLUSH);
			pos = (size_t)(strm.next_in - p->data);
			if (ret == Z_BUF_ERROR)
				ret = Z_OK;
		} while (ret == Z_OK && idle++ < 10000);
		if (ret != Z_STREAM_END)
			assert_int_equal(ret, Z_MEM_ERROR);
		else
			assert_memory_equal(out, plain, LEN);
		inflateEnd(&strm);
	}
}

static int setup(void **state)
{
	plain = gen_alloc(GEN_MIXED, LEN);
	for (size_t w = 0; w < NR(wrappers); w++)
		deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed[w]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_of_few_bytes),
		cmocka_unit_test(questions_take_no_input),
		cmocka_unit_test(copy_and_fork_behind_finish),
		cmocka_unit_test(inflate_without_memory),
	};

	setenv("ZWD_UNIT", "64K", 0);
	test_begin(240);
	return cmocka_run_group_tests(tests, setup, NULL);
}
