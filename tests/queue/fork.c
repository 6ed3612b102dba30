/* SPDX-License-Identifier: Zlib */
/* Guards fork: in the child inherited queues are dead and new ones work; the parent goes on. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "queue.h"
#include "leave.h"
#include "priv.h"

/* The sanitizer of threads lets a child have some only when told so. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

/* Everything the child tries; the number of the first thing that went wrong, or 0. */
static int in_child(struct side *s, const char *device)
{
	struct wd_zip_req req = block(s, 1, 100);
	struct wd_zip_res res;
	struct wd_queue *q;
	void *mem;

	alarm(TIME_LIMIT_S);
	if (wd_send(s->q, &req, 1) != -ENODEV || wd_recv(s->q, &res, 1) != -ENODEV)
		return 1;
	if (wd_recv_sync(s->q, &res, 1, 10) != -ENODEV || wd_flush(s->q) != -ENODEV)
		return 2;
	if (wd_queue_state(s->q, NULL) != WD_STATE_DEAD || wd_queue_fd(s->q) != -ENODEV)
		return 3;
	if (wd_alloc(s->q, 100, &mem) != -ENODEV || wd_mem_share(s->q, &req, 1, 0) != -ENODEV)
		return 4;
	wd_free(s->q, s->dst);
	wd_mem_unshare(s->q, &req, 1);
	/* A new queue first, to see that releasing the dead one leaves it alone. */
	if (queue_open(&q, device, WD_OP_COMPRESS, 0))
		return 5;
	wd_release_queue(s->q);
	if (wd_alloc(q, 4096, &mem))
		return 6;
	req.src = mem;
	req.dst = (char *)mem + 1024;
	req.dst_len = 1024;
	if (wd_send(q, &req, 1) != 1 || wd_recv_sync(q, &res, 1, WAIT_MS) != 1)
		return 7;
	if (res.status != WD_ZIP_OK || res.consumed != 100)
		return 8;
	wd_release_queue(q);
	return 0;
}

static void check_child(struct side *s, const char *device)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		leave(in_child(s, device));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_fork(void **state)
{
	for_versions(version) {
		const char *device = any_device("threads=1", version);
		struct side s;

		/* Its only engine is up: one that starts may hold the sanitizers' locks at the fork. */
		side_open(&s, device, WD_OP_COMPRESS, 0);
		check_alive(&s);
		check_child(&s, device);
		check_alive(&s);
		side_close(&s);
	}
}

/* fork with requests in flight: they are the parent's. */
static void test_fork_in_flight(void **state)
{
	const char *device = any_device("latency_us=20000,threads=1", 2);
	struct wd_zip_res res[8];
	struct wd_zip_req req;
	unsigned int got = 0;
	struct side s;

	side_open(&s, device, WD_OP_COMPRESS, 0);
	check_alive(&s);
	for (unsigned int i = 0; i < ARRAY_NR(res); i++) {
		req = block(&s, i, 1000);
		req.dst = s.dst + i * 4096;
		req.dst_len = 4096;
		assert_int_equal(wd_send(s.q, &req, 1), 1);
	}
	check_child(&s, device);
	while (got < ARRAY_NR(res)) {
		int r = wd_recv_sync(s.q, &res[got], ARRAY_NR(res) - got, WAIT_MS);

		assert_true(r > 0);
		got += r;
	}
	for (unsigned int i = 0; i < ARRAY_NR(res); i++) {
		assert_int_equal(res[i].tag, i);
		assert_int_equal(res[i].status, WD_ZIP_OK);
	}
	side_close(&s);
}

/* A child of a child, and a child that exits by exit() with its queue open. */
static void test_fork_twice(void **state)
{
	struct side s;
	int status;
	pid_t pid;

	side_open(&s, any_device("threads=1", 2), WD_OP_COMPRESS, 0);
	check_alive(&s);
	pid = fork();
	if (!pid) {
		struct side own;

		alarm(TIME_LIMIT_S);
		side_open(&own, any_device("threads=1", 2), WD_OP_COMPRESS, 0);
		check_alive(&own);
		check_child(&own, any_device("threads=1", 2));
		check_alive(&own);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	check_alive(&s);
	side_close(&s);
}

/* Asked for while the device's libraries are looked up, with the list of devices locked. */
static int is_looking, is_forked;

__typeof__(wd_root_is_known) __real_wd_root_is_known, __wrap_wd_root_is_known;

int __wrap_wd_root_is_known(void)
{
	__atomic_store_n(&is_looking, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&is_forked, __ATOMIC_ACQUIRE))
		sched_yield();
	return __real_wd_root_is_known();
}

static char failure[] = "wd_prepare() fails";

static void *prepare(void *unused)
{
	(void)unused;
	return wd_prepare("emu") == 1 ? NULL : failure;
}

/* Nobody had a queue yet, nor had fork() handlers: what another thread is about to do for the first time. */
static void test_fork_at_first_use(void **state)
{
	pthread_t thread;
	void *failed;
	int status;
	pid_t pid;

	assert_int_equal(pthread_create(&thread, NULL, prepare, NULL), 0);
	while (!__atomic_load_n(&is_looking, __ATOMIC_ACQUIRE))
		sched_yield();
	pid = fork();
	__atomic_store_n(&is_forked, 1, __ATOMIC_RELEASE);
	if (!pid) {
		alarm(60);
		leave(prepare(NULL) != NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pthread_join(thread, &failed);
	assert_int_equal(status, 0);
	assert_null(failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork_at_first_use),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_fork_in_flight),
		cmocka_unit_test(test_fork_twice),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
