/* SPDX-License-Identifier: Zlib */
/*
 * Guards: never more input on the device than ZWD_IN_FLIGHT allows, nobody waits for it in vain, and the bytes are
 * those that a process without a limit makes; what would take longer than ZWD_LATENCY_MS is software's and
 * counted as such, until the device is faster, also where it would wait for its turn; a signal handler that comes
 * upon one that waits does without a device.
 */
#include "config.h"
#include "helpers.h"

#include "engine/flight.h"
#include "engine/latency.h"
#include "engine/qpool.h"
#include "operate/settings.h"
#include "stream/shield.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <wd.h>
#include <wd_zip.h>
#include <zwd.h>

enum { THREADS = 8, LEN = 1500000, KEPT = 6 };

void zwd_root_note(void); /* operate/root.h */
void zwd_soft_zlib_open(void); /* stream/soft_zlib.h */

static unsigned char *plain;
static _Atomic uint64_t made_sum; /* of all that deflate made */
static struct buf packed;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What is on the device: everything goes through these. */
static _Atomic uint64_t in_flight, most_in_flight;

static _Thread_local int is_in_call; /* wd_call() may send and receive */

static void begin(uint64_t len)
{
	uint64_t sum = atomic_fetch_add(&in_flight, len) + len, most = most_in_flight;

	while (sum > most && !atomic_compare_exchange_weak(&most_in_flight, &most, sum))
		;
}

struct on_queue {
	struct wd_queue *queue;
	uint64_t len;
};
static _Thread_local struct on_queue mine[64];

static struct on_queue *of(struct wd_queue *queue)
{
	for (size_t i = 0; i < 64; i++)
		if (mine[i].queue == queue || !mine[i].queue)
			return mine[i].queue = queue, &mine[i];
	abort();
}

__typeof__(wd_send) __real_wd_send, __wrap_wd_send;
__typeof__(wd_recv) __real_wd_recv, __wrap_wd_recv;
__typeof__(wd_recv_sync) __real_wd_recv_sync, __wrap_wd_recv_sync;
__typeof__(wd_call) __real_wd_call, __wrap_wd_call;

int __wrap_wd_send(struct wd_queue *queue, const void *req, unsigned int nr)
{
	int ret;

	if (is_in_call)
		return __real_wd_send(queue, req, nr);
	of(queue)->len = ((const struct wd_zip_req *)req)->src_len;
	begin(of(queue)->len);
	ret = __real_wd_send(queue, req, nr);
	if (ret != 1)
		in_flight -= of(queue)->len;
	return ret;
}

static int end(struct wd_queue *queue, int ret)
{
	if (ret == 1 && !is_in_call)
		in_flight -= of(queue)->len;
	return ret;
}

int __wrap_wd_recv(struct wd_queue *queue, void *res, unsigned int nr)
{
	return end(queue, __real_wd_recv(queue, res, nr));
}

int __wrap_wd_recv_sync(struct wd_queue *queue, void *res, unsigned int nr, unsigned int timeout_ms)
{
	return end(queue, __real_wd_recv_sync(queue, res, nr, timeout_ms));
}

int __wrap_wd_call(struct wd_queue *queue, const void *req, void *res, unsigned int timeout_ms)
{
	uint64_t len = ((const struct wd_zip_req *)req)->src_len;
	int ret;

	begin(len);
	is_in_call = 1;
	ret = __real_wd_call(queue, req, res, timeout_ms);
	is_in_call = 0;
	in_flight -= len;
	return ret;
}

/* Sleep of this thread inside the pools, that is for room: lanes are waited for by libc's own. */
static _Thread_local volatile int is_asleep;
static _Atomic unsigned int sleeps_nr;

long __real_syscall(long nr, ...), __wrap_syscall(long nr, ...);

long __wrap_syscall(long nr, ...)
{
	long arg[6], ret;
	int is_sleep;
	va_list va;

	va_start(va, nr);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(va, long);
	va_end(va);
	is_sleep = nr == SYS_futex && (int)arg[1] == FUTEX_WAIT_PRIVATE && zwd_is_inside;
	is_asleep = is_sleep;
	sleeps_nr += (unsigned int)is_sleep;
	ret = __real_syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	is_asleep = 0;
	return ret;
}

/* Even ones compress in pieces, odd ones decompress. Returns what went wrong, or NULL. */
static void *work(void *arg)
{
	unsigned char *out = malloc(LEN + 20000);
	struct buf made = { 0 };
	const char *wrong = NULL;
	z_stream strm = { .next_out = out, .avail_out = LEN + 20000 };

	if ((size_t)arg % 2) {
		strm.next_in = packed.data;
		strm.avail_in = (uInt)packed.len;
		if (inflateInit(&strm) || inflate(&strm, Z_FINISH) != Z_STREAM_END || memcmp(out, plain, LEN))
			wrong = "inflate";
		inflateEnd(&strm);
	} else {
		if (deflateInit(&strm, 6))
			wrong = "deflateInit";
		for (size_t at = 0; at < LEN; at += 50000) {
			strm.next_in = plain + at;
			strm.avail_in = 50000;
			if (deflate(&strm, at + 50000 < LEN ? Z_NO_FLUSH : Z_FINISH) < 0)
				wrong = "deflate";
		}
		if (inflate_steps(&ref, 15, out, strm.total_out, 0, 0, &made, &(size_t){ 0 }) != Z_STREAM_END ||
		    made.len != LEN || memcmp(made.data, plain, LEN))
			wrong = "what deflate made";
		made_sum += ref.crc32(0, out, (uInt)strm.total_out);
		deflateEnd(&strm);
		buf_free(&made);
	}
	free(out);
	return (void *)wrong;
}

static void in_threads(void)
{
	pthread_t thread[THREADS];

	for (size_t n = 0; n < THREADS; n++)
		MUST(!pthread_create(&thread[n], NULL, work, (void *)n));
	for (size_t n = 0; n < THREADS; n++) {
		void *wrong;

		MUST(!pthread_join(thread[n], &wrong));
		if (wrong)
			fprintf(stderr, "thread %zu: %s\n", n, (const char *)wrong);
		MUST(!wrong);
	}
}

struct outcome {
	struct zwd_stats stats;
	uint64_t most, sum;
	double s;
};

static void limited(const void *limit, void *result)
{
	struct outcome *outcome = result;

	setenv("ZWD_IN_FLIGHT", limit, 1);
	in_flight = most_in_flight = 0;
	in_threads();
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	outcome->most = most_in_flight;
	outcome->sum = made_sum;
}

static void no_more_than_the_limit(void **state)
{
	static const char limits[][8] = { "0", "512K", "192K", "128K" };
	uint64_t sum = 0;

	for (size_t i = 0; i < 4; i++) {
		size_t limit = (size_t)atoi(limits[i]) << 10;
		struct outcome got = { 0 };

		assert_int_equal(run_in_child(limited, limits[i], &got, sizeof(got)), 0);
		assert_true(got.stats.deflate.hw_requests >= THREADS / 2 * 5);
		assert_true(got.stats.inflate.hw_requests);
		assert_int_equal(got.stats.deflate.failovers + got.stats.inflate.failovers, 0);
		assert_int_equal(got.stats.deflate.errors + got.stats.inflate.errors, 0);
		assert_int_equal(got.stats.deflate.soft_in, 0);
		if (limit)
			assert_in_range(got.most, 65536, limit);
		else
			assert_true(got.most > 512 << 10);
		/* Two units of the usual length have room: then all is as without a limit. */
		if (i < 2 && sum)
			assert_true(got.sum == sum);
		sum = got.sum;
	}
}

/* Streams whose caller went away have half at most, so that others go on. */
static void abandoned(const void *arg, void *result)
{
	static unsigned char out[KEPT][LEN];
	struct outcome *outcome = result;
	z_stream strm[KEPT] = { { 0 } };
	double begin_s = now();

	setenv("ZWD_IN_FLIGHT", "256K", 1);
	for (int n = 0; n < KEPT; n++) {
		strm[n] = (z_stream){ .next_in = plain, .avail_in = 140000, .next_out = out[n],
				      .avail_out = LEN };
		MUST(!deflateInit(&strm[n], 6) && !deflate(&strm[n], Z_NO_FLUSH));
	}
	MUST(in_flight <= 128 << 10);
	in_threads();
	outcome->s = now() - begin_s;
	/* A child has a limit of its own. */
	MUST(run_in_child(limited, "256K", outcome, sizeof(*outcome)) == 0);
	MUST(outcome->most <= 256 << 10);
	for (int n = 0; n < KEPT; n++)
		deflateEnd(&strm[n]);
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	outcome->s = now() - begin_s;
}

static void idle_streams_leave_room(void **state)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(abandoned, NULL, &got, sizeof(got)), 0);
	assert_int_equal(got.stats.deflate.failovers + got.stats.inflate.failovers, 0);
	/* Far from the time that a request may wait for room. */
	assert_true(got.s < 20);
}

/* A request that hangs has its bytes until its queue was stopped; then there is room for others. */
static void hanging(const void *arg, void *result)
{
	struct outcome *outcome = result;

	setenv("ZWD_IN_FLIGHT", "128K", 1);
	setenv("ZWD_TIMEOUT_MS", "300", 1);
	setenv("WD_DEVICE", "emu:fault=hang@3/hang@9", 1);
	setenv("ZWD_DEPTH", "1", 1);
	for (int n = 0; n < 6; n++) {
		work((void *)(intptr_t)n);
		usleep(30000); /* the device is left alone for a while */
	}
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	MUST(in_flight <= outcome->stats.deflate.errors * 65536 + outcome->stats.inflate.errors * 65536);
	MUST(!work((void *)0));
	outcome->most = outcome->stats.deflate.hw_in;
}

static void a_hang_gives_its_room_back(void **state)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(hanging, NULL, &got, sizeof(got)), 0);
	assert_int_equal(got.stats.deflate_choice.soft_busy + got.stats.inflate_choice.soft_busy, 0);
	assert_true(got.stats.deflate.errors + got.stats.inflate.errors);
}

/* So long each request takes, and so long it may. */
struct goal {
	const char *device, *goal, *queues;
	unsigned int threads;
};

static unsigned int calls_nr = 10;

static void *call(void *arg)
{
	unsigned char out[30000], back[20000];
	uLongf len, back_len;

	for (unsigned int n = 0; n < calls_nr; n++) {
		len = sizeof(out);
		back_len = sizeof(back);
		MUST(compress2(out, &len, plain, 20000, 6) == Z_OK);
		MUST(uncompress(back, &back_len, out, len) == Z_OK && !memcmp(back, plain, 20000));
	}
	return NULL;
}

static void goal(const void *arg, void *result)
{
	const struct goal *g = arg;
	struct outcome *outcome = result;
	pthread_t thread[THREADS];
	double begin_s = now();

	setenv("WD_DEVICE", g->device, 1);
	setenv("ZWD_LATENCY_MS", g->goal, 1);
	setenv("ZWD_QUEUES", g->queues, 1);
	for (unsigned int n = 0; n < g->threads; n++)
		MUST(!pthread_create(&thread[n], NULL, call, NULL));
	for (unsigned int n = 0; n < g->threads; n++)
		MUST(!pthread_join(thread[n], NULL));
	outcome->s = now() - begin_s;
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

/* A device that is too slow for the goal has the first request, and one a second from then on. */
static void too_slow_by_itself(void **state)
{
	static const struct goal slow = { "emu:latency_us=100000", "20", "0", 1 };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(goal, &slow, &got, sizeof(got)), 0);
	assert_in_range(got.stats.deflate.hw_requests, 1, 1 + (unsigned int)got.s);
	assert_int_equal(got.stats.deflate.hw_requests + got.stats.deflate_choice.soft_latency, calls_nr);
	assert_int_equal(got.stats.inflate.hw_requests + got.stats.inflate_choice.soft_latency, calls_nr);
	assert_int_equal(got.stats.deflate.failovers + got.stats.inflate.failovers, 0);
	assert_int_equal(got.stats.deflate_choice.soft_busy, 0);
}

/* Fast enough, but for so many at once: those who would wait for too long do not. */
static void too_long_a_queue(void **state)
{
	static const struct goal crowd = { "emu:latency_us=60000,threads=1", "150", "1", THREADS };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(goal, &crowd, &got, sizeof(got)), 0);
	assert_true(got.stats.deflate.hw_requests > 2);
	assert_true(got.stats.deflate_choice.soft_latency > 2);
	assert_int_equal(got.stats.deflate_choice.soft_busy + got.stats.inflate_choice.soft_busy, 0);
}

static void without_a_goal(void **state)
{
	static const struct goal none = { "emu:latency_us=60000", "0", "0", 1 };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(goal, &none, &got, sizeof(got)), 0);
	assert_int_equal(got.stats.deflate.hw_requests, calls_nr);
	assert_int_equal(got.stats.deflate_choice.soft_latency + got.stats.inflate_choice.soft_latency, 0);
}

/* The device was slow, and is not any more: after a second it is asked, and then has all. */
static void recovers(const void *arg, void *result)
{
	struct outcome *outcome = result;

	setenv("WD_DEVICE", "emu:fault=late=600@1-3", 1);
	setenv("ZWD_LATENCY_MS", "250", 1);
	calls_nr = 3;
	call(NULL);
	for (int n = 0; n < 4; n++) {
		usleep(1100000);
		call(NULL);
	}
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	outcome->most = outcome->stats.deflate.hw_requests;
	call(NULL);
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

static void comes_back_when_it_is_fast_again(void **state)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(recovers, NULL, &got, sizeof(got)), 0);
	assert_true(got.stats.deflate_choice.soft_latency);
	assert_int_equal(got.stats.deflate.hw_requests - got.most, 3);
}

/* A long stream whose queue is taken leaves for software, and loses nothing. */
static void comes_to_software(const void *arg, void *result)
{
	struct outcome *outcome = result;
	struct zwd_lane *lane;

	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_LATENCY_MS", "50", 1);
	setenv("ZWD_QUEUES", "1", 1);
	for (intptr_t n = 0; n < 2; n++) {
		MUST(zwd_qpool_has_device((enum zwd_dir)n) && !zwd_qpool_get((enum zwd_dir)n, 5000, &lane));
		MUST(!work((void *)n));
		zwd_qpool_put(lane);
	}
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

static void a_queue_that_is_taken(void **state)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(comes_to_software, NULL, &got, sizeof(got)), 0);
	assert_true(got.stats.deflate_choice.soft_latency && got.stats.inflate_choice.soft_latency);
	assert_int_equal(got.stats.deflate_choice.soft_busy + got.stats.inflate_choice.soft_busy, 0);
	assert_int_equal(got.stats.deflate.hw_requests, 0);
}

/* All that may be in flight is, of somebody else; the device is used to take so long, if that is known. */
struct crowd {
	const char *goal;
	unsigned int mean_ms;
};

static struct zwd_lane somebody = { .dir = ZWD_DEFLATE };

static void crowded(const void *arg, void *result)
{
	const struct crowd *crowd = arg;
	struct outcome *outcome = result;

	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_IN_FLIGHT", "128K", 1);
	setenv("ZWD_LATENCY_MS", crowd->goal, 1);
	somebody.generation = wd_generation();
	MUST(!zwd_flight_count(&somebody, 128 << 10, 0));
	for (int dir = 0; crowd->mean_ms && dir < 2; dir++)
		zwd_latency_note((enum zwd_dir)dir, crowd->mean_ms * 1000000ull);
	calls_nr = 2;
	outcome->s = now();
	call(NULL);
	outcome->s = now() - outcome->s;
	outcome->most = sleeps_nr;
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	MUST(!outcome->stats.deflate.hw_requests && !outcome->stats.inflate.hw_requests);
	MUST(!outcome->stats.deflate_choice.soft_busy && !outcome->stats.inflate_choice.soft_busy);
	MUST(outcome->stats.deflate_choice.soft_latency == 2 && outcome->stats.inflate_choice.soft_latency == 2);
	/* Afterwards it is as ever. */
	zwd_flight_end(&somebody);
	calls_nr = 1;
	call(NULL);
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

/* Long before what a request may take at most, 30 s. */
static void no_room_within_the_goal(void **state)
{
	static const struct crowd unknown = { "50", 0 };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(crowded, &unknown, &got, sizeof(got)), 0);
	assert_true(got.most >= 4);
	assert_true(got.s < 15);
	assert_int_equal(got.stats.deflate.hw_requests, 1);
	assert_int_equal(got.stats.inflate.hw_requests, 1);
}

/* Of so many that fit at once the first one is awaited: nobody waits where that makes it too long. */
static void no_room_is_expected(void **state)
{
	static const struct crowd slow = { "10000", 9900 };
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(crowded, &slow, &got, sizeof(got)), 0);
	assert_int_equal(got.most, 0);
	assert_int_equal(got.stats.deflate.hw_requests, 1);
	assert_int_equal(got.stats.inflate.hw_requests, 1);
}

/* What the settings file says counts for queues, too, that were opened before it could be read. */
static void late(const void *arg, void *result)
{
	struct outcome *outcome = result;
	struct rlimit all, none;

	setenv("ZWD_CONFIG", arg, 1);
	MUST(!getrlimit(RLIMIT_NOFILE, &all));
	none = (struct rlimit){ 0, all.rlim_max };
	MUST(!setrlimit(RLIMIT_NOFILE, &none));
	zwd_settings_load();
	MUST(!setrlimit(RLIMIT_NOFILE, &all));
	zwd_soft_zlib_open(); /* which is a file, too */
	MUST(!setrlimit(RLIMIT_NOFILE, &none));
	in_threads();
	MUST(!zwd_settings()->in_flight);
	MUST(!setrlimit(RLIMIT_NOFILE, &all));
	while (!zwd_settings()->in_flight)
		;
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	MUST(outcome->stats.deflate.hw_requests && outcome->stats.inflate.hw_requests);
	most_in_flight = 0;
	in_threads();
	outcome->most = most_in_flight;
}

static void a_file_that_is_read_late(void **state)
{
	static const char text[] = "ZWD_IN_FLIGHT = 128K\n";
	const char *path = scratch("late.conf");
	struct outcome got = { 0 };

	file_write(path, text, strlen(text));
	assert_int_equal(run_in_child(late, path, &got, sizeof(got)), 0);
	assert_in_range(got.most, 65536, 128 << 10);
}

/* The handler's streams: one that is new each time, and one that has a unit in flight by then. */
static z_stream begun;
static unsigned char begun_out[LEN];
static _Atomic unsigned int handled;

static void handler(int signal)
{
	static unsigned char out[30000];
	uLongf len = sizeof(out);

	(void)signal;
	/* Elsewhere malloc() may be locked by what it came upon. */
	if (!is_asleep)
		return;
	is_asleep = 0;
	MUST(compress2(out, &len, plain, 20000, 6) == Z_OK);
	if (!handled) {
		begun.next_in = plain + 140000;
		begun.avail_in = 60000;
		MUST(deflate(&begun, Z_FINISH) == Z_STREAM_END);
	}
	handled++;
}

static void *waits(void *arg)
{
	static unsigned char out[90000], back[70000];
	uLongf len = sizeof(out), back_len = sizeof(back);

	MUST(compress2(out, &len, plain, sizeof(back), 6) == Z_OK);
	MUST(ref.uncompress(back, &back_len, out, len) == Z_OK && !memcmp(back, plain, sizeof(back)));
	return arg;
}

static void come_upon(const void *arg, void *result)
{
	struct sigaction action = { .sa_handler = handler };
	struct outcome *outcome = result;
	unsigned char *back = malloc(LEN);
	uLongf back_len = LEN;
	pthread_t thread;

	setenv("WD_DEVICE", "emu:fault=hang@2", 1);
	setenv("ZWD_IN_FLIGHT", "256K", 1);
	setenv("ZWD_UNIT", "128K", 1);
	MUST(back && !sigaction(SIGUSR1, &action, NULL));
	begun = (z_stream){ .next_in = plain, .avail_in = 140000, .next_out = begun_out, .avail_out = LEN };
	/* What the handler will need is open by then. */
	MUST(!deflateInit(&begun, 6));
	waits(NULL);
	MUST(!deflate(&begun, Z_NO_FLUSH));
	somebody.generation = wd_generation();
	MUST(!zwd_flight_count(&somebody, 128 << 10, 0));
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
	outcome->most = outcome->stats.deflate.hw_requests;
	MUST(!pthread_create(&thread, NULL, waits, NULL));
	while (handled < 20) {
		MUST(!pthread_kill(thread, SIGUSR1));
		usleep(200);
	}
	zwd_flight_end(&somebody);
	MUST(!pthread_join(thread, NULL));
	MUST(ref.uncompress(back, &back_len, begun_out, begun.total_out) == Z_OK);
	MUST(back_len == 200000 && !memcmp(back, plain, back_len));
	MUST(!deflateEnd(&begun));
	free(back);
	/* The room that the handler's unit had is there again, too. */
	waits(NULL);
	MUST(!zwd_flight_count(&somebody, 256 << 10, 0));
	zwd_stats(&outcome->stats, sizeof(outcome->stats));
}

static void a_handler_comes_upon_one_that_waits(void **state)
{
	struct outcome got = { 0 };

	assert_int_equal(run_in_child(come_upon, NULL, &got, sizeof(got)), 0);
	/* The calls that it came upon had the device, and no others. */
	assert_int_equal(got.stats.deflate.hw_requests - got.most, 2);
	assert_true(got.stats.deflate_choice.soft_busy + got.stats.deflate_choice.soft_no_device >= 20);
	assert_int_equal(got.stats.deflate_choice.soft_latency, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(idle_streams_leave_room),
		cmocka_unit_test(a_hang_gives_its_room_back),
		cmocka_unit_test(too_slow_by_itself),
		cmocka_unit_test(too_long_a_queue),
		cmocka_unit_test(without_a_goal),
		cmocka_unit_test(comes_back_when_it_is_fast_again),
		cmocka_unit_test(a_queue_that_is_taken),
		cmocka_unit_test(no_room_within_the_goal),
		cmocka_unit_test(no_room_is_expected),
		cmocka_unit_test(a_file_that_is_read_late),
		cmocka_unit_test(a_handler_comes_upon_one_that_waits),
	};

	zwd_root_note();
	setenv("WD_DEVICE", "emu:threads=2,latency_us=1000", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
	test_begin(300);
	plain = gen_alloc(GEN_MIXED, LEN);
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
