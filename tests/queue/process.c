/* SPDX-License-Identifier: Zlib */
/*
 * Guards queues in a process that does not expect them: children made in any way, closed and missing
 * descriptors, signals, cancellation, limits, filters of system calls, another root, and exit.
 */
#include "config.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include "queue.h"
#include "leave.h"
#include "sanitizer.h"

#define LEN 50000
#define DEVICE "emu:threads=1"

/* The sanitizer of threads lets a child have some only when told so. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

/* Of children, where an assertion would go on with the tests: ends with the line that is wrong. */
#define CHECK(x) \
	do { \
		if (!(x)) \
			leave(__LINE__ % 250 + 1); \
	} while (0)

/* A request that has its result, or the error. */
static int try_one(const struct side *s, uint32_t len)
{
	struct wd_zip_req req = block(s, 5, len);
	struct wd_zip_res res;
	int r = wd_send(s->q, &req, 1);

	if (r == 1)
		r = wd_recv_sync(s->q, &res, 1, WAIT_MS);
	if (r == 1)
		r = res.status == WD_ZIP_OK && res.consumed == len ? 0 : -EPROTO;
	return r;
}

static int try_open(struct side *s, const char *device, unsigned int flags)
{
	struct wd_queue_attr attr = { .device = device, .numa_node = -1, .flags = flags };
	void *mem[2];
	int r = wd_request_queue(&attr, &s->q);

	if (r)
		return r;
	r = wd_alloc(s->q, BUF_LEN, &mem[0]);
	if (!r)
		r = wd_alloc(s->q, BUF_LEN, &mem[1]);
	if (r) {
		wd_release_queue(s->q);
		return r;
	}
	s->src = mem[0];
	s->dst = mem[1];
	return 0;
}

/* A new queue has a result, and ends. */
static int try_all(const char *device)
{
	struct side s;
	int r = try_open(&s, device, 0);

	if (r)
		return r;
	r = try_one(&s, LEN);
	wd_release_queue(s.q);
	return r;
}

static void check_child(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void in_child(int (*body)(void))
{
	pid_t pid = fork();

	if (!pid) {
		alarm(TIME_LIMIT_S);
		leave(body());
	}
	check_child(pid);
}

/* Children */

static pid_t by_fork(void)
{
	return fork();
}

static pid_t by_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t by_plain_fork(void)
{
#if __GLIBC_PREREQ(2, 34)
	return _Fork();
#else
	return by_clone();
#endif
}

static pid_t (*const ways[])(void) = { by_fork, by_plain_fork, by_clone };

/* Every call on a queue of the parent's. */
static void check_dead(struct side *s)
{
	struct wd_zip_req req = block(s, 1, 100);
	struct wd_device_info info;
	struct wd_zip_res res;
	void *mem;

	CHECK(wd_send(s->q, &req, 1) == -ENODEV);
	CHECK(wd_recv(s->q, &res, 1) == -ENODEV);
	CHECK(wd_recv_sync(s->q, &res, 1, 10) == -ENODEV);
	CHECK(wd_call(s->q, &req, &res, 10) == -ENODEV);
	CHECK(wd_flush(s->q) == -ENODEV);
	CHECK(wd_queue_state(s->q, NULL) == WD_STATE_DEAD);
	CHECK(wd_queue_fd(s->q) == -ENODEV);
	CHECK(wd_queue_in_flight(s->q) == 0);
	CHECK(wd_alloc(s->q, 100, &mem) == -ENODEV);
	CHECK(wd_mem_share(s->q, &req, 1, 0) == -ENODEV);
	wd_mem_unshare(s->q, &req, 1);
	wd_queue_info(s->q, &info);
	CHECK(info.is_emulated);
}

static int is_mapped(void *mem)
{
	unsigned char vec;

	return !mincore(mem, 1, &vec);
}

static void run_child(pid_t (*way)(void), struct side *s, struct side *shared, unsigned int parent)
{
	static struct side own;
	pid_t pid;
	int status;

	alarm(TIME_LIMIT_S);
	CHECK(wd_generation() && wd_generation() != parent);
	check_dead(s);
	check_dead(shared);
	/* What lay in an emulated device's memory can be read, until it is given back. */
	CHECK(s->src[0] == 'a' && is_mapped(s->dst) && is_mapped(shared->src));
	wd_free(s->q, s->dst);
	CHECK(!is_mapped(s->dst));
	CHECK(!try_all(DEVICE));
	CHECK(!try_open(&own, DEVICE, 0));
	wd_release_queue(s->q);
	CHECK(!is_mapped(s->src));
	wd_release_queue(shared->q);
	CHECK(!try_one(&own, LEN));
	/* And once more, from a child. */
	parent = wd_generation();
	pid = way();
	if (!pid) {
		alarm(TIME_LIMIT_S);
		CHECK(wd_generation() != parent);
		check_dead(&own);
		CHECK(!try_all(DEVICE));
		wd_release_queue(own.q);
		leave(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK(wd_generation() == parent && !try_one(&own, LEN));
	wd_release_queue(own.q);
	leave(0);
}

static void test_children(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(ways); i++) {
		unsigned int generation = wd_generation();
		struct side s, shared;
		pid_t pid;

		/* The sanitizers' own locks are the handlers'. */
		if (i && (IS_TSAN || IS_ASAN))
			continue;
		assert_int_equal(try_open(&s, DEVICE, 0), 0);
		assert_int_equal(try_open(&shared, DEVICE, WD_QUEUE_SHARED), 0);
		fill_text(s.src, LEN, 1);
		assert_int_equal(try_one(&s, LEN), 0);
		pid = ways[i]();
		if (!pid)
			run_child(ways[i], &s, &shared, generation);
		check_child(pid);
		assert_int_equal(wd_generation(), generation);
		assert_int_equal(try_one(&s, LEN), 0);
		wd_release_queue(shared.q);
		wd_release_queue(s.q);
	}
}

/* Locks are held by other threads at the very moment, which are not in the child. */
static int is_over;
static struct side busy;

static void *ask(void *arg)
{
	struct wd_emu_stats stats;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		wd_emu_stats(&stats);
	return NULL;
}

static void *call(void *arg)
{
	struct wd_zip_req req = block(&busy, 1, 100);
	struct wd_zip_res res;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		assert_int_equal(wd_call(busy.q, &req, &res, WAIT_MS), 0);
	return NULL;
}

static void test_children_of_threads(void **state)
{
	pthread_t threads[2];

	if (IS_TSAN || IS_ASAN)
		skip();
	is_over = 0;
	assert_int_equal(try_open(&busy, DEVICE, WD_QUEUE_SHARED), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, ask, NULL), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, call, NULL), 0);
	for (unsigned int i = 0; i < 300; i++) {
		pid_t pid = ways[i % 3]();

		if (!pid) {
			alarm(60);
			CHECK(wd_send(busy.q, NULL, 1) == -ENODEV);
			CHECK(!try_all(DEVICE));
			wd_release_queue(busy.q);
			leave(0);
		}
		check_child(pid);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	wd_release_queue(busy.q);
}

static void *generation_of_thread(void *generation)
{
	*(unsigned int *)generation = wd_generation();
	return NULL;
}

/* vfork() is a child on the same memory, like a thread. */
static void test_generation(void **state)
{
	unsigned int generation = wd_generation(), other = 0;
	pthread_t thread;
	pid_t pid;

	assert_int_not_equal(generation, 0);
	assert_int_equal(pthread_create(&thread, NULL, generation_of_thread, &other), 0);
	pthread_join(thread, NULL);
	assert_int_equal(other, generation);
	if (IS_TSAN)
		return; /* makes it a fork() */
	pid = vfork();
	if (!pid)
		_exit(wd_generation() != generation); /* nothing is written out that is the parent's, too */
	check_child(pid);
}

/* Descriptors */

static int without_descriptors(void)
{
	struct rlimit none = { 0, 0 };
	struct side s;

	CHECK(wd_prepare(DEVICE) == 1); /* it opens libraries */
	closefrom(0);
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	CHECK(!try_open(&s, DEVICE, 0));
	for (unsigned int i = 0; i < 20; i++)
		CHECK(!try_one(&s, i * 1000 + 1));
	CHECK(wd_queue_fd(s.q) == -EMFILE);
	CHECK(!try_one(&s, LEN));
	CHECK(fcntl(0, F_GETFD) == -1);
	wd_release_queue(s.q);
	return 0;
}

static void test_no_descriptors(void **state)
{
	/* Not even those that there are. */
	if (IS_TSAN || IS_ASAN)
		skip();
	in_child(without_descriptors);
}

/* The number of the queue's event is another file's by now. */
static void test_closed_event(void **state)
{
	struct wd_zip_req req;
	struct wd_zip_res res;
	char path[] = "/tmp/wd-process-XXXXXX";
	int file = mkstemp(path);
	struct side s;
	int fd;

	assert_true(file >= 0);
	assert_int_equal(try_open(&s, DEVICE, 0), 0);
	fd = wd_queue_fd(s.q);
	assert_true(fd >= 0);
	assert_int_equal(wd_queue_fd(s.q), fd);
	assert_int_equal(dup2(file, fd), fd);
	req = block(&s, 1, 1000);
	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(wd_flush(s.q), 0);
		assert_int_equal(wd_send(s.q, &req, 1), 1);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
	}
	assert_int_equal(lseek(file, 0, SEEK_END), 0);
	assert_int_equal(wd_queue_fd(s.q), -EBADF);
	wd_release_queue(s.q);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	close(file);
	unlink(path);
}

/* Where there is no standard input, the event has its number. */
static int event_is_zero(void)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	close(0);
	CHECK(!try_open(&s, DEVICE, 0));
	CHECK(wd_queue_fd(s.q) == 0 && wd_queue_fd(s.q) == 0);
	req = block(&s, 1, 1000);
	CHECK(!wd_flush(s.q) && wd_send(s.q, &req, 1) == 1);
	CHECK(poll(&p, 1, WAIT_MS) == 1);
	CHECK(wd_recv(s.q, &res, 1) == 1);
	wd_release_queue(s.q);
	CHECK(fcntl(0, F_GETFD) == -1);
	return 0;
}

static void test_event_is_zero(void **state)
{
	in_child(event_is_zero);
}

/* Time */

static void on_alarm(int signo)
{
}

static void storm(unsigned int us)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, us }, { 0, us } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int wait_sync(struct side *s)
{
	struct wd_zip_res res;

	return wd_recv_sync(s->q, &res, 1, 300);
}

static int wait_call(struct side *s)
{
	struct wd_zip_req req = block(s, 1, 1000);
	struct wd_zip_res res;

	return wd_call(s->q, &req, &res, 300);
}

/* A thousand signals a second neither end a wait nor prolong it. */
static int waits_in_storm(void)
{
	static const struct {
		unsigned int flags;
		int (*wait)(struct side *s);
	} rows[] = { { 0, wait_sync }, { 0, wait_call }, { WD_QUEUE_SHARED, wait_call } };

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		uint64_t start, took;
		struct wd_zip_req req;
		struct side s;

		CHECK(!try_open(&s, "emu:threads=1,fault=hang@1+", rows[i].flags));
		req = block(&s, 1, 1000);
		CHECK(rows[i].wait != wait_sync || wd_send(s.q, &req, 1) == 1);
		storm(1000);
		start = now_ms();
		CHECK(rows[i].wait(&s) == -ETIMEDOUT);
		took = now_ms() - start;
		storm(0);
		CHECK(took >= 300 && took < 10000);
		wd_release_queue(s.q);
	}
	return 0;
}

static void test_signals(void **state)
{
	in_child(waits_in_storm);
}

/* Cancellation */

static __attribute__((noinline)) int wait_cancelled(void)
{
	struct side s;
	int r;

	pthread_cancel(pthread_self());
	/* Whatever these wait for, the thread is cancelled behind them. */
	assert_int_equal(try_open(&s, "emu:threads=1,fault=hang@2", WD_QUEUE_SHARED), 0);
	assert_int_equal(wait_call(&s), 0);
	r = wait_call(&s);
	assert_true(wd_queue_fd(s.q) >= 0);
	wd_flush(s.q);
	wd_release_queue(s.q);
	return r;
}

/* With nothing on its stack where it ends: AddressSanitizer does not see such an end. */
static void *cancelled_thread(void *arg)
{
	*(int *)arg = wait_cancelled();
	pthread_testcancel();
	*(int *)arg = 0;
	return NULL;
}

static void test_cancellation(void **state)
{
	pthread_t thread;
	void *result;
	int r = 0;

	assert_int_equal(pthread_create(&thread, NULL, cancelled_thread, &r), 0);
	pthread_join(thread, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_int_equal(r, -ETIMEDOUT);
	assert_int_equal(try_all("emu:threads=1,fault=hang@2"), 0);
}

/* Limits */

/* The soft one; what it was. */
static rlim_t limit(int resource, rlim_t value)
{
	struct rlimit limit;
	rlim_t before;

	CHECK(!getrlimit(resource, &limit));
	before = limit.rlim_cur;
	limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
	CHECK(!setrlimit(resource, &limit));
	return before;
}

/* Capabilities may go beyond the limit. */
static int can_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		leave(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static int without_threads(void)
{
	rlim_t before = limit(RLIMIT_NPROC, 0);
	struct side s;

	if (setresuid(65534, 65534, 65534) || can_fork())
		return 77;
	CHECK(try_open(&s, DEVICE, 0) == -EAGAIN);
	CHECK(try_open(&s, DEVICE, 0) == -EAGAIN);
	limit(RLIMIT_NPROC, before);
	CHECK(!try_all(DEVICE));
	return 0;
}

static int without_memory(void)
{
	struct side s;
	rlim_t before;
	int r;

	CHECK(wd_prepare(DEVICE) == 1);
	before = limit(RLIMIT_AS, 0);
	r = try_open(&s, DEVICE, 0);
	CHECK(r == -ENOMEM || r == -EAGAIN);
	limit(RLIMIT_AS, before);
	CHECK(!try_all(DEVICE));
	return 0;
}

/* The stack limit of the program is not that of its device's threads. */
static int with_huge_stacks(void)
{
	limit(RLIMIT_STACK, (rlim_t)64 << 30);
	limit(RLIMIT_AS, (rlim_t)2 << 30);
	CHECK(!try_all(DEVICE));
	return 0;
}

static void test_limits(void **state)
{
	if (IS_TSAN || IS_ASAN)
		skip();
	in_child(without_memory);
	in_child(with_huge_stacks);
	in_child(without_threads);
}

/* A filter of system calls for this thread */

#define LET(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int filter(unsigned int futex_answer)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, futex_answer),
		LET(SYS_clock_gettime), /* where there is no vDSO */
		LET(SYS_exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { ARRAY_NR(rules), rules };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int behind_filter(void)
{
	struct side s, shared;

	CHECK(!try_open(&s, DEVICE, 0) && !try_open(&shared, DEVICE, WD_QUEUE_SHARED));
	if (filter(SECCOMP_RET_ALLOW))
		return 77;
	for (unsigned int i = 0; i < 100; i++) {
		CHECK(!try_one(&s, i * 997 + 1));
		CHECK(!wait_call(&s) && !wait_call(&shared));
		CHECK(!wd_flush(s.q));
	}
	_exit(0); /* no counts can be written, "make coverage" */
}

static int without_futex(void)
{
	struct wd_zip_req req;
	struct side s;
	uint64_t start;

	CHECK(!try_open(&s, "emu:threads=1,queues=7,fault=hang@2", 0));
	CHECK(!wait_call(&s));
	req = block(&s, 1, 1000);
	CHECK(wd_send(s.q, &req, 1) == 1);
	if (filter(SECCOMP_RET_ERRNO | EPERM))
		return 77;
	start = now_ms();
	CHECK(wait_sync(&s) == -EPERM);
	CHECK(now_ms() - start < 10000);
	_exit(0);
}

static void test_filter(void **state)
{
	if (IS_TSAN || IS_ASAN)
		skip();
	in_child(behind_filter);
	in_child(without_futex);
}

/* One CPU, and this thread goes before all others on it. */

static int alone_on_cpu(void)
{
	struct sched_param param = { .sched_priority = 1 };
	uint64_t start = now_ms();
	struct side s;
	cpu_set_t set;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	for (int cpu = 0, nr = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && nr++)
			CPU_CLR(cpu, &set);
	CHECK(!try_open(&s, DEVICE ",queues=3", 0)); /* its thread has no such class, and may go anywhere */
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return 77;
	for (unsigned int i = 0; i < 100; i++)
		CHECK(!try_one(&s, LEN));
	/* This one has, and may not. */
	CHECK(!try_all("emu:threads=1,queues=5"));
	CHECK(now_ms() - start < 100000);
	return 0;
}

static void test_fifo(void **state)
{
	in_child(alone_on_cpu);
}

/* Another root */

static char jail[] = "/tmp/wd-process-XXXXXX";
static int outside; /* a descriptor of the root */

static int enter_jail(void)
{
	outside = open("/", O_DIRECTORY);
	return outside < 0 || chroot(jail) || chdir("/");
}

static int jail_after_prepare(void)
{
	CHECK(wd_prepare("emu:engine=zlib") == 1);
	if (enter_jail())
		return 77;
	CHECK(!try_all("emu:engine=zlib"));
	return 0;
}

/* Nothing is opened by its name. */
static int jail_before_use(void)
{
	struct wd_device_info info;
	struct side s;

	CHECK(wd_list_devices("none", &info, 1) == 0);
	if (enter_jail())
		return 77;
	CHECK(wd_prepare("emu:engine=zlib") == 1);
	CHECK(try_open(&s, "emu:engine=zlib", 0) == -ENODEV);
	CHECK(wd_list_devices("emu:engine=zlib", &info, 1) == 0);
	/* Out again, it is tried again. */
	CHECK(!fchdir(outside) && !chroot("."));
	CHECK(!try_all("emu:engine=zlib"));
	return 0;
}

/* With a zlib of its own, which is not the one to be run. */
static void test_root(void **state)
{
	char command[3 * PATH_MAX];

	assert_non_null(mkdtemp(jail));
	snprintf(command, sizeof(command), "mkdir -p %s$(dirname %s) && cp -L %s %s%s", jail,
		 SOFT_ZLIB_PATH, SOFT_ZLIB_PATH, jail, SOFT_ZLIB_PATH);
	assert_int_equal(system(command), 0);
	in_child(jail_after_prepare);
	in_child(jail_before_use);
	snprintf(command, sizeof(command), "rm -r %s", jail);
	assert_int_equal(system(command), 0);
}

static void test_prepare(void **state)
{
	assert_int_equal(wd_prepare("none"), 0);
	assert_int_equal(wd_prepare("none,emu"), 0);
	assert_int_equal(wd_prepare("emu"), 1);
	assert_int_equal(wd_prepare("emu:threads=1,qm=2,emu:qm=3"), 1);
	assert_int_equal(wd_prepare("fast"), -EINVAL);
	assert_int_equal(wd_prepare("emu:qm=9"), -EINVAL);
	assert_true(wd_prepare("auto,emu") >= 1);
}

/* How much of its stack a thread has used. */
static size_t stack_used(void *(*body)(void *), void *arg)
{
	static _Alignas(4096) unsigned char stack[1 << 20];
	pthread_attr_t attr;
	pthread_t thread;
	size_t unused = 0;

	memset(stack, 0xa5, sizeof(stack));
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, sizeof(stack));
	assert_int_equal(pthread_create(&thread, &attr, body, arg), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	while (stack[unused] == 0xa5)
		unused++;
	return sizeof(stack) - unused;
}

static void *nothing(void *arg)
{
	return arg;
}

static void *call_once(void *arg)
{
	assert_int_equal(wait_call(arg), 0);
	return NULL;
}

/* The callers are deflate() and inflate(), of which nobody expects more than zlib's 3 KiB. */
static void test_stack(void **state)
{
	static const char *const devices[] = { "emu:threads=1", "emu:threads=1,engine=zlib" };

	if (IS_TSAN || IS_ASAN)
		skip();
	for (size_t i = 0; i < ARRAY_NR(devices) * 2; i++) {
		size_t used;
		struct side s;

		assert_int_equal(try_open(&s, devices[i / 2], i % 2 ? WD_QUEUE_SHARED : 0), 0);
		wait_call(&s);
		used = stack_used(call_once, &s) - stack_used(nothing, NULL);
		print_message("%s: %zu bytes of stack\n", devices[i / 2], used);
		assert_true(used < 3072);
		wd_release_queue(s.q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root), /* before anything has found its libraries */
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_children_of_threads),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_closed_event),
		cmocka_unit_test(test_event_is_zero),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_cancellation),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_fifo),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
