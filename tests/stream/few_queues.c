/* SPDX-License-Identifier: Zlib */
/*
 * One queue, and many who want it: streams that wait for their caller keep it from nobody, threads that
 * wait get it in turn, there are never more than were allowed, and a stream that has no other way on
 * waits for a device that hung or was paused.
 */
#include "config.h"
#include "helpers.h"
#include "leave.h"

#include "engine/qpool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wd.h>
#include <zwd.h>

enum { IDLE = 8, LEN = 200000, THREADS = 24, LONG_LEN = 3000000 };

static unsigned char *plain;
static struct buf packed;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void zwd_root_note(void); /* operate/root.h */

/* In a process of its own, for the settings are read once. */
static void in_child(const char *device, const char *queues, void (*f)(void))
{
	pid_t pid = fork();
	struct zwd_stats stats;
	int status;

	if (!pid) {
		setenv("WD_DEVICE", device, 1);
		setenv("ZWD_QUEUES", queues, 1);
		alarm(300);
		/* Before there are threads: ThreadSanitizer does not see the loader's locks. */
		MUST(compressBound(0));
		f();
		zwd_stats(&stats, sizeof(stats));
		MUST(stats.deflate.hw_requests || stats.inflate.hw_requests);
		leave(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void round_trip(void)
{
	uLongf len = compressBound(LEN), back_len = LEN;
	unsigned char *out = malloc(len), *back = malloc(LEN);

	MUST(compress2(out, &len, plain, LEN, 1) == Z_OK);
	MUST(uncompress(back, &back_len, out, len) == Z_OK && back_len == LEN);
	MUST(!memcmp(plain, back, LEN));
	free(out);
	free(back);
}

static void idle_streams(void)
{
	static unsigned char out[2 * LEN];
	z_stream d[IDLE], i[IDLE];
	double begin = now();

	for (int n = 0; n < IDLE; n++) {
		d[n] = (z_stream){ .next_in = plain, .avail_in = LEN, .next_out = out,
				   .avail_out = sizeof(out) };
		i[n] = (z_stream){ .next_in = packed.data, .avail_in = (uInt)packed.len };
		MUST(deflateInit(&d[n], 6) == Z_OK && deflate(&d[n], Z_NO_FLUSH) == Z_OK);
		MUST(inflateInit(&i[n]) == Z_OK);
		for (int call = 0; call < 2; call++) {
			i[n].next_out = out;
			i[n].avail_out = 1000;
			MUST(inflate(&i[n], Z_NO_FLUSH) == Z_OK);
		}
	}
	for (int n = 0; n < 5; n++)
		round_trip();
	/* Far from the time that a thread waits for a queue. */
	MUST(now() - begin < 10);
	for (int n = 0; n < IDLE; n++) {
		deflateEnd(&d[n]);
		inflateEnd(&i[n]);
	}
}

/* It keeps one between its calls, and the one beside that goes to the other direction. */
static void one_keeps_a_queue(void)
{
	static unsigned char out[1000];
	z_stream strm = { .next_in = packed.data, .avail_in = (uInt)packed.len };
	double begin = now();

	MUST(inflateInit(&strm) == Z_OK);
	for (int n = 0; n < 5; n++) {
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		MUST(inflate(&strm, Z_NO_FLUSH) == Z_OK);
		round_trip();
	}
	MUST(now() - begin < 10);
	inflateEnd(&strm);
}

static void *give_later(void *lane)
{
	usleep(20000);
	zwd_qpool_put(lane);
	return NULL;
}

/* One is kept, and the other direction is at work with the only other one: that is waited for, and had. */
static void all_kept_or_lent(void)
{
	struct zwd_lane *kept, *lent, *got;
	pthread_t thread;

	MUST(zwd_qpool_has_device(ZWD_INFLATE));
	MUST(!zwd_qpool_try(ZWD_INFLATE, &kept));
	MUST(!zwd_qpool_get(ZWD_DEFLATE, 10000, &lent));
	MUST(zwd_qpool_get(ZWD_INFLATE, 30, &got) == -EBUSY);
	MUST(!pthread_create(&thread, NULL, give_later, lent));
	MUST(!zwd_qpool_get(ZWD_INFLATE, 60000, &got));
	MUST(!pthread_join(thread, NULL));
	zwd_qpool_put(got);
	zwd_qpool_put(kept);
	round_trip();
}

static pthread_barrier_t barrier;
static unsigned int done[THREADS];
static atomic_int is_over;

/*
 * Nobody waits for what is there, nor for what nobody will give back. Thread 0 is refused a queue, but only
 * after another one had one and gave it back; or when all are refused, the other one last.
 */
static _Thread_local int thread_nr = -1;
static atomic_int refused_nr, done_nr;
static int is_any_open;

__typeof__(wd_request_queue) __real_wd_request_queue, __wrap_wd_request_queue;

static void wait_for(atomic_int *nr)
{
	for (int ms = 0; !*nr && ms < 10000; ms++)
		usleep(1000);
}

int __wrap_wd_request_queue(const struct wd_queue_attr *attr, struct wd_queue **queue)
{
	if (thread_nr < 0 || (is_any_open && thread_nr))
		return __real_wd_request_queue(attr, queue);
	if (is_any_open)
		wait_for(&done_nr);
	if (thread_nr) {
		wait_for(&refused_nr);
		usleep(100000); /* it waits by now */
	}
	refused_nr++;
	return -EBUSY;
}

static void *work_once(void *arg)
{
	unsigned char out[1000];
	uLongf len = sizeof(out);

	thread_nr = (int)(intptr_t)arg;
	MUST(compress2(out, &len, plain, 600, 1) == Z_OK);
	done_nr++;
	return NULL;
}

static void refusals(void)
{
	pthread_t thread[2];
	double begin;

	/* The device is known, and no queue of it is open. */
	round_trip();
	MUST(zwd_qpool_trim());
	begin = now();
	for (intptr_t n = 0; n < 2; n++) {
		MUST(!pthread_create(&thread[n], NULL, work_once, (void *)n));
		/* The first one asks first. */
		usleep(100000);
	}
	for (size_t n = 0; n < 2; n++)
		pthread_join(thread[n], NULL);
	MUST(refused_nr);
	MUST(now() - begin < 8);
}

static void one_is_there(void)
{
	is_any_open = 1;
	refusals();
}

static void *work(void *arg)
{
	pthread_barrier_wait(&barrier);
	while (!is_over) {
		round_trip();
		done[(size_t)arg]++;
	}
	return NULL;
}

/* The device counts what was opened: the queues of both directions, and the one that asks. */
static unsigned int queues_open(void)
{
	struct wd_device_info info;

	MUST(wd_list_devices(getenv("WD_DEVICE"), &info, 1) == 1);
	return info.queues_total - info.queues_free;
}

static void herd(void)
{
	unsigned int most = 2 * (unsigned int)atoi(getenv("ZWD_QUEUES"));
	pthread_t thread[THREADS];
	struct zwd_stats stats;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (size_t n = 0; n < THREADS; n++)
		MUST(!pthread_create(&thread[n], NULL, work, (void *)n));
	for (int n = 0; n < 100; n++) {
		usleep(10000);
		MUST(queues_open() <= most);
	}
	is_over = 1;
	for (size_t n = 0; n < THREADS; n++)
		pthread_join(thread[n], NULL);
	for (size_t n = 0; n < THREADS; n++)
		MUST(done[n]);
	zwd_stats(&stats, sizeof(stats));
	MUST(stats.deflate_choice.soft_busy == 0 && stats.inflate_choice.soft_busy == 0);
}

/* The input is not kept, so that software cannot take over. */
static void long_stream(void)
{
	unsigned char *out = malloc(LONG_LEN), *mixed = gen_alloc(GEN_MIXED, LONG_LEN);
	struct buf big = { 0 };
	z_stream strm = { 0 };
	int ret = Z_OK;

	deflate_all(&ref, 15, 1, Z_DEFAULT_STRATEGY, mixed, LONG_LEN, &big);
	strm.next_in = big.data;
	strm.avail_in = (uInt)big.len;
	strm.next_out = out;
	MUST(inflateInit(&strm) == Z_OK);
	while (ret == Z_OK) {
		strm.avail_out = 30000;
		if (LONG_LEN - strm.total_out < 30000)
			strm.avail_out = (uInt)(LONG_LEN - strm.total_out);
		ret = inflate(&strm, Z_NO_FLUSH);
	}
	MUST(ret == Z_STREAM_END && strm.total_out == LONG_LEN);
	MUST(!memcmp(out, mixed, LONG_LEN));
}

/* Either direction has the only queue when it needs it. */
static void by_turns(void)
{
	struct zwd_stats stats;

	for (int n = 0; n < 3; n++)
		round_trip();
	zwd_stats(&stats, sizeof(stats));
	MUST(stats.deflate.hw_requests > 2 && stats.inflate.hw_requests > 2);
	MUST(!stats.deflate_choice.soft_busy && !stats.inflate_choice.soft_busy);
	MUST(!stats.deflate.failovers && !stats.inflate.failovers);
}

static void directions_share_the_only_queue(void **state)
{
	in_child("emu:queues=1", "0", by_turns);
}

static void idle_streams_keep_no_queue(void **state)
{
	in_child("emu", "1", idle_streams);
	in_child("emu:threads=2", "2", idle_streams);
	/* The device has no more, and the other direction may have the one that no stream keeps. */
	in_child("emu:queues=1", "0", idle_streams);
	in_child("emu:queues=2,threads=2", "0", idle_streams);
	in_child("emu:queues=3,threads=2", "0", idle_streams);
	for (int queues = 1; queues <= 4; queues++) {
		char device[40];

		snprintf(device, sizeof(device), "emu:queues=%d,threads=2", queues);
		in_child(device, "0", one_keeps_a_queue);
	}
	in_child("emu:queues=2,threads=2", "0", all_kept_or_lent);
}

static void a_herd_opens_no_more(void **state)
{
	in_child("emu:threads=1", "2", herd);
	in_child("emu:threads=2", "1", herd);
}

static void nobody_waits_in_vain(void **state)
{
	in_child("emu", "4", one_is_there);
	in_child("emu", "4", refusals);
}

static void a_stream_waits_for_its_device(void **state)
{
	setenv("ZWD_KEEP", "64K", 1);
	setenv("ZWD_TIMEOUT_MS", "300", 1);
	in_child("emu:fault=hang@20", "0", long_stream);
	in_child("emu:fault=hang@20/hang@40/error@50", "1", long_stream);
	in_child("emu:fault=reset@30", "0", long_stream);
	in_child("emu:fault=gone=2@30", "0", long_stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_streams_keep_no_queue),
		cmocka_unit_test(a_herd_opens_no_more),
		cmocka_unit_test(nobody_waits_in_vain),
		cmocka_unit_test(directions_share_the_only_queue),
		cmocka_unit_test(a_stream_waits_for_its_device),
	};

	/* The library's constructor is not in this program. */
	zwd_root_note();
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", "64K", 1);
	setenv("ZWD_TIMEOUT_MS", "20000", 1);
	test_begin(300);
	plain = gen_alloc(GEN_MIXED, LEN);
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
