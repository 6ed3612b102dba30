/* SPDX-License-Identifier: Zlib */
/* fork() in mid-stream: parent and child both go on to the right end. */
#include "config.h"
#include "helpers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 2500000 };

static unsigned char *plain;

/*
 * AddressSanitizer's locks are copied as they are, and a device's thread that starts allocates memory:
 * under it they get time to be up. A child has no alarm() of its parent's.
 */
static pid_t start_child(void)
{
	const struct timespec settle = { 0, IS_ASAN ? 200000000 : 0 };
	pid_t pid;

	nanosleep(&settle, NULL);
	pid = fork();
	if (!pid)
		alarm(300);
	return pid;
}

static int exit_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* No cmocka in the child: it only tells by its exit status. */
static int deflate_rest(z_stream *strm, struct buf *out)
{
	struct buf back = { 0 };
	size_t rest, room = 100000;
	int ret, right;

	strm->next_in = plain + strm->total_in;
	strm->avail_in = LEN - strm->total_in;
	do {
		strm->next_out = buf_room(out, room);
		strm->avail_out = room;
		ret = ours.deflate(strm, Z_FINISH);
		out->len += room - strm->avail_out;
	} while (ret == Z_OK);
	if (ret != Z_STREAM_END || ours.deflateEnd(strm))
		return 1;
	ret = inflate_steps(&ref, 15, out->data, out->len, 0, 0, &back, &rest);
	right = ret == Z_STREAM_END && !rest && back.len == LEN && !memcmp(back.data, plain, LEN);
	buf_free(&back);
	buf_free(out);
	return right ? 0 : 2;
}

static void deflate_goes_on_in_both(void **state)
{
	static const size_t before[] = { 0, 1000, 300000, 2000000, LEN };
	size_t i;

	for (i = 0; i < NR(before); i++) {
		struct buf out = { 0 };
		z_stream strm = { .next_in = plain, .avail_in = before[i] };
		pid_t pid;

		assert_int_equal(deflateInit(&strm, 6), Z_OK);
		strm.next_out = buf_room(&out, LEN * 2);
		strm.avail_out = LEN * 2;
		if (before[i])
			assert_int_equal(ours.deflate(&strm, i % 2 ? Z_NO_FLUSH : Z_SYNC_FLUSH), Z_OK);
		out.len = strm.total_out;
		pid = start_child();
		assert_true(pid >= 0);
		if (!pid)
			_exit(deflate_rest(&strm, &out));
		assert_int_equal(deflate_rest(&strm, &out), 0);
		assert_int_equal(exit_of(pid), 0);
	}
}

/* Memory of a real device's is not a child's, unless fork() has handlers that move what is there. */
static int is_memory_inherited(void)
{
	const char *device = getenv("WD_DEVICE");

	return device && strcmp(device, "auto") != 0;
}

/* What is on its way at that moment is had in both; by fork() the child's is the device's, too. */
static void units_in_flight(void **state)
{
	enum { PIECE = 65536, PIECES = 16, ROOM = 400000, LOST = 1 }; /* the last one fills a unit */

	/* AddressSanitizer needs handlers of its own. */
	for (int is_bare = 0; is_bare < (IS_ASAN ? 1 : 2); is_bare++) {
		struct zwd_stats stats = { 0 };
		struct buf out = { 0 };
		z_stream strm = { 0 };
		int status;
		pid_t pid;

		assert_int_equal(deflateInit(&strm, 6), Z_OK);
		while (strm.total_in < PIECE * PIECES) {
			strm.next_in = plain + strm.total_in;
			strm.avail_in = PIECE;
			do {
				strm.next_out = buf_room(&out, ROOM);
				strm.avail_out = ROOM;
				assert_int_equal(ours.deflate(&strm, Z_NO_FLUSH), Z_OK);
				out.len += ROOM - strm.avail_out;
			} while (strm.avail_in);
		}
		pid = is_bare ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : start_child();
		assert_true(pid >= 0);
		status = deflate_rest(&strm, &out);
		if (!pid) {
			zwd_stats(&stats, sizeof(stats));
			_exit(status ? status : !is_bare && test_mode == MODE_EMU && stats.deflate.failovers ? 3 : 0);
		}
		assert_int_equal(status, 0);
		status = exit_of(pid);
		assert_true(!status || (is_bare && !is_memory_inherited() && status == LOST));
	}
}

static int inflate_rest(z_stream *strm, const struct buf *packed, unsigned char *back)
{
	int ret;

	strm->next_in = packed->data + strm->total_in;
	do {
		size_t left = packed->len - strm->total_in, room = LEN - strm->total_out;

		strm->avail_in = left < 100000 ? left : 100000;
		strm->next_out = back + strm->total_out;
		strm->avail_out = room < 300000 ? room : 300000;
		ret = ours.inflate(strm, Z_NO_FLUSH);
	} while (ret == Z_OK);
	if (ret != Z_STREAM_END || strm->total_out != LEN || strm->total_in != packed->len)
		return 1;
	return ours.inflateEnd(strm) || memcmp(back, plain, LEN) ? 2 : 0;
}

static void inflate_goes_on_in_both(void **state)
{
	static const size_t rooms[] = { 0, 1, 40000, 1000000, LEN - 1 };
	unsigned char *back = malloc(LEN);
	struct buf packed = { 0 };
	size_t i;

	deflate_all(&ref, 31, 6, 0, plain, LEN, &packed);
	for (i = 0; i < NR(rooms); i++) {
		z_stream strm = { .next_in = packed.data, .avail_in = packed.len };
		pid_t pid;

		assert_int_equal(inflateInit2(&strm, 31), Z_OK);
		strm.next_out = back;
		strm.avail_out = rooms[i];
		if (rooms[i])
			assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		pid = start_child();
		assert_true(pid >= 0);
		if (!pid)
			_exit(inflate_rest(&strm, &packed, back));
		assert_int_equal(inflate_rest(&strm, &packed, back), 0);
		assert_int_equal(exit_of(pid), 0);
	}
	buf_free(&packed);
	free(back);
}

/* A child of a child, each with streams of its own before and after. */
static void three_generations(void **state)
{
	uLongf len = ref.compressBound(LEN), back_len = LEN;
	unsigned char *packed = malloc(len), *back = malloc(LEN);
	pid_t pid;
	int depth;

	for (depth = 0; depth < 3; depth++) {
		len = ref.compressBound(LEN);
		back_len = LEN;
		if (ours.compress2(packed, &len, plain, LEN, 1) ||
		    ours.uncompress(back, &back_len, packed, len) || memcmp(back, plain, LEN)) {
			if (depth)
				_exit(3);
			fail();
		}
		pid = start_child();
		if (pid < 0)
			_exit(99);
		if (pid) {
			int status = 0;

			waitpid(pid, &status, 0);
			if (depth)
				_exit(status ? 4 : 0);
			assert_int_equal(status, 0);
			break;
		}
	}
	if (depth == 3)
		_exit(0);
	free(packed);
	free(back);
}

/* A child that exits at once, by exit(), does not disturb the parent's stream. */
static void child_that_only_exits(void **state)
{
	struct buf out = { 0 };
	z_stream strm = { .next_in = plain, .avail_in = LEN / 2 };
	int i;

	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	strm.next_out = buf_room(&out, LEN * 2);
	strm.avail_out = LEN * 2;
	assert_int_equal(ours.deflate(&strm, Z_NO_FLUSH), Z_OK);
	out.len = strm.total_out;
	fflush(NULL);
	for (i = 0; i < 3; i++) {
		pid_t pid = start_child();

		assert_true(pid >= 0);
		if (!pid)
			exit(0);
		assert_int_equal(exit_of(pid), 0);
	}
	assert_int_equal(deflate_rest(&strm, &out), 0);
}

/* A thread that is in a call all the time; it tells nothing where all is right. */
static void *compress_always(void *is_over)
{
	uLongf len = LEN + LEN / 8;
	unsigned char *packed = malloc(len);
	int ret = packed ? Z_OK : Z_MEM_ERROR;

	while (ret == Z_OK && !__atomic_load_n((int *)is_over, __ATOMIC_ACQUIRE)) {
		len = LEN + LEN / 8;
		ret = ours.compress2(packed, &len, plain, LEN, 1);
	}
	free(packed);
	return ret == Z_OK ? NULL : is_over;
}

static void fork_beside_a_call(void **state)
{
	unsigned char packed[2000], back[1000];
	static int is_over;
	pthread_t thread;
	void *wrong;

	/* Its allocator has locks of its own, and a child has none who would give them back. */
	if (IS_ASAN)
		skip();
	assert_int_equal(pthread_create(&thread, NULL, compress_always, &is_over), 0);
	for (int i = 0; i < 20; i++) {
		uLongf len = sizeof(packed), back_len = sizeof(back);
		pid_t pid;

		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
		pid = start_child();
		assert_true(pid >= 0);
		if (!pid)
			_exit(ours.compress(packed, &len, plain, 1000) || ours.uncompress(back, &back_len, packed, len) ||
			      memcmp(back, plain, 1000));
		assert_int_equal(exit_of(pid), 0);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
}

static int make(void **state)
{
	plain = gen_alloc(GEN_MIXED, LEN);
	return 0;
}

static int drop(void **state)
{
	free(plain);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deflate_goes_on_in_both),
		cmocka_unit_test(units_in_flight),
		cmocka_unit_test(inflate_goes_on_in_both),
		cmocka_unit_test(three_generations),
		cmocka_unit_test(child_that_only_exits),
		cmocka_unit_test(fork_beside_a_call),
	};

	test_begin(120);
	if (IS_TSAN && test_mode != MODE_SOFT) {
		puts("ThreadSanitizer knows no new threads in the child of a process with threads");
		return 77;
	}
	return cmocka_run_group_tests(tests, make, drop);
}
