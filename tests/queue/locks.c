/* SPDX-License-Identifier: Zlib */
/*
 * Guards a child that is made while one of libwd's locks is held by a thread that is not there to give it back: by
 * the system call, as sandboxes and runtimes make theirs, so that no handler of fork() runs. A child is made at each
 * lock that a user of a device comes by, at the very moment when he has it: what he had is dead there, and new
 * queues work.
 */
#include "config.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include "transport.h"

static const char *device;
static pthread_t user;	 /* whose locks are meant */
static pid_t process;
static int is_watched;	 /* he is at work */
static int is_in_kernel; /* the test's own, whose lock is none of libwd's */
static unsigned int children;
static struct wd_queue *queue; /* his, while it is one */

static void make_child(void);

/* The linker lets libwd come here. */
__typeof__(pthread_mutex_lock) __real_pthread_mutex_lock, __wrap_pthread_mutex_lock;
__typeof__(pthread_mutex_unlock) __real_pthread_mutex_unlock, __wrap_pthread_mutex_unlock;

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int r = __real_pthread_mutex_lock(mutex);

	if (__atomic_load_n(&is_watched, __ATOMIC_RELAXED) && pthread_equal(pthread_self(), user)) {
		is_in_kernel |= mutex == &fake_lock;
		if (!is_in_kernel && getpid() == process)
			make_child();
	}
	return r;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	if (mutex == &fake_lock && pthread_equal(pthread_self(), user))
		is_in_kernel = 0;
	return __real_pthread_mutex_unlock(mutex);
}

static int open_queue(enum wd_op_type op, unsigned int flags)
{
	struct wd_queue_attr attr = { .device = device, .op_type = op, .numa_node = -1, .flags = flags };
	struct wd_queue *q;
	int r = wd_request_queue(&attr, &q);

	if (!r)
		queue = q;
	return r;
}

static void close_queue(void)
{
	struct wd_queue *q = queue;

	queue = NULL;
	wd_release_queue(q);
}

static int fork_once(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		alarm(60);
		leave(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* One request that goes through, a fork(), and a request of a stream that has to be gone on with. */
static int use(void)
{
	static const uint8_t begin[] = { 0, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o' };
	static char own[100];
	struct wd_zip_req req = { .src_len = 100, .dst_len = 1000, .format = WD_ZIP_ZLIB };
	struct wd_zip_res res = { 0 };
	struct wd_device_info info;
	struct wd_emu_stats stats;
	void *mem;
	int r;

	if (wd_list_devices(device, &info, 1) < 1 || open_queue(WD_OP_COMPRESS, WD_QUEUE_SHARED))
		return 1;
	r = wd_alloc(queue, 2000, &mem);
	if (!r)
		r = wd_mem_share(queue, own, sizeof(own), WD_SHARE_READ);
	if (!r) {
		req.src = own;
		req.dst = mem;
		r = wd_call(queue, &req, &res, WAIT_MS);
	}
	wd_mem_unshare(queue, own, sizeof(own));
	if (r || res.status != WD_ZIP_OK || wd_queue_fd(queue) < 0 || wd_queue_state(queue, NULL) != WD_STATE_OK)
		return 2;
	wd_emu_stats(&stats);
	if (fork_once())
		return 5;
	wd_free(queue, mem);
	close_queue();

	if (open_queue(WD_OP_DECOMPRESS, 0))
		return 3;
	r = wd_alloc(queue, 4096 + WD_ZIP_CTX_SIZE, &mem);
	if (!r) {
		memcpy(mem, begin, sizeof(begin));
		req = (struct wd_zip_req){ .src = mem, .dst = (char *)mem + 1024, .ctx = (char *)mem + 4096,
					   .src_len = sizeof(begin), .dst_len = 1000, .format = WD_ZIP_ZLIB,
					   .flags = WD_ZIP_STREAM | WD_ZIP_NEW };
		r = wd_call(queue, &req, &res, WAIT_MS);
	}
	if (r || res.status != WD_ZIP_OK || res.produced != 5)
		return 4;
	close_queue();
	return 0;
}

static int in_the_child(void)
{
	alarm(60);
	if (under_test.is_emulated == 0)
		fake_forked();
	if (queue) {
		if (wd_queue_state(queue, NULL) != WD_STATE_DEAD)
			return 10;
		close_queue();
	}
	return use();
}

static void make_child(void)
{
	int status;
	pid_t pid;

	is_watched = 0;
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		leave(in_the_child());
	children++;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail_msg("%s: lock %u: status %#x", device, children, status);
	is_watched = 1;
}

static void check(const char *name, unsigned int locks)
{
	/* The sanitizers' own locks are the handlers'. */
	if (IS_TSAN || IS_ASAN)
		skip();
	device = name;
	user = pthread_self();
	process = getpid();
	for (int round = 0; round < 2; round++) {
		int r;

		children = 0;
		is_watched = 1;
		r = use();
		is_watched = 0;
		assert_int_equal(r, 0);
		print_message("%s: %u locks\n", device, children);
		assert_true(children > locks);
	}
}

static void test_emulated(void **state)
{
	static const char *const devices[] = { "emu:threads=1", "emu:threads=1,engine=zlib,qm=2",
					       "emu:threads=1,latency_us=1,qm=1" };

	under_test = wd_transport_emu;
	for (size_t i = 0; i < ARRAY_NR(devices); i++)
		check(devices[i], 40);
}

static void test_uacce(void **state)
{
	static const struct fake_setup setup = { .emu = "qm=2,threads=1,depth=16", .mmio_len = 0x2000 };

	transport_use(&wd_transport_uacce);
	fake_kernel_init(&setup);
	check("auto", 10);
	check_nothing_left();
	fake_kernel_fini();
}

static void test_sdmdev(void **state)
{
	static const struct fake_setup setup = { .emu = "qm=2,threads=1,depth=16", .mode = SDMDEV_DMA_SINGLE };

	transport_use(&wd_transport_sdmdev);
	fake_kernel_init(&setup);
	check("auto", 10);
	check_nothing_left();
	fake_kernel_fini();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uacce), /* the kernel's handlers of fork() are there before libwd's */
		cmocka_unit_test(test_sdmdev),
		cmocka_unit_test(test_emulated),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
