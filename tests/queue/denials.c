/* SPDX-License-Identifier: Zlib */
/*
 * Guards what libwd says where memory, a descriptor or a thread is not to be had: each call that it makes of libc fails
 * in turn. The caller is told, nothing is left behind, and afterwards all is as ever.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include "queue.h"
#include "denial.h"
#include "fds.h"

static const char *device;
static int flags, answered;
static const char *last = "";

#define must(what) \
	do { \
		if (!(what)) { \
			printf("# %s, %s denied, %s: line %d: %s\n", device, last, strerror(-answered), __LINE__, #what); \
			exit(1); \
		} \
	} while (0)

static int exchange(struct wd_queue *q, void *mem)
{
	struct wd_zip_req req = { .src = mem, .dst = (char *)mem + 8192, .src_len = 8000, .dst_len = 16384,
				  .format = WD_ZIP_ZLIB };
	struct wd_zip_res res = { 0 };
	int r;

	if (flags & WD_QUEUE_SHARED) {
		r = wd_call(q, &req, &res, WAIT_MS);
	} else {
		r = wd_send(q, &req, 1);
		if (r == 1)
			r = wd_recv_sync(q, &res, 1, WAIT_MS);
		r = r == 1 ? 0 : r;
	}
	/* Without memory for a list that it was given, or for its state, a device refuses the request. */
	return r ? r : res.status == WD_ZIP_OK ? 0 : -EBADMSG;
}

static void *exchange_main(void *arg)
{
	static char text[4][32768];
	static int nr;
	char *own = text[__atomic_fetch_add(&nr, 1, __ATOMIC_RELAXED) % 4];
	int r;

	fill_text((uint8_t *)own, 8000, 1);
	r = exchange(arg, own);
	must(r <= 0);
	return NULL;
}

/* Everything that a user does: 0, or the first thing that failed. */
static int use(void)
{
	struct wd_queue_attr attr = { .device = device, .op_type = WD_OP_COMPRESS, .numa_node = -1, .flags = flags };
	struct wd_device_info info[4];
	static char own[5000];
	pthread_t thread[3];
	struct wd_queue *q;
	void *mem;
	int r = wd_list_devices(device, info, ARRAY_NR(info)), fd;

	if (r < 0)
		return r;
	r = wd_request_queue(&attr, &q);
	if (r)
		return r;
	r = wd_alloc(q, 32768, &mem);
	if (r)
		goto release;
	fill_text(mem, 8000, 1);
	r = wd_mem_share(q, own, sizeof(own), WD_SHARE_READ);
	if (!r)
		wd_mem_unshare(q, own, sizeof(own));
	fd = wd_queue_fd(q);
	r = r ? r : fd < 0 ? fd : 0;
	for (int i = 0; !r && i < 3; i++)
		r = exchange(q, mem);
	if (!r)
		r = wd_mem_share(q, NULL, 0, WD_SHARE_ALL);
	for (int i = 0; !r && i < 3 && flags & WD_QUEUE_SHARED; i++)
		must(!pthread_create(&thread[i], NULL, exchange_main, q));
	for (int i = 0; !r && i < 3 && flags & WD_QUEUE_SHARED; i++)
		must(!pthread_join(thread[i], NULL));
release:
	wd_release_queue(q);
	return r;
}

/* In a child, which begins with nothing. Was a call denied? */
static int deny_one(unsigned int call, unsigned int nr, unsigned int *open_nr)
{
	int fds[2], status;
	struct { unsigned int is_denied, open_nr; } answer = { 0, 0 };
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int r;

		signal(SIGSEGV, SIG_DFL);
		alarm(TIME_LIMIT_S);
		errno = 1234;
		denial_set(DENY_ALL, call, nr);
		r = answered = use();
		last = denial_last();
		answer.is_denied = *last != 0;
		must(errno == 1234 && r <= 0);
		must(!r || answer.is_denied);
		denial_set(0, 0, 0);
		answered = use();
		must(!answered);
		answer.open_nr = fds_nr();
		exit(write(fds[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(fds[1]);
	status = read(fds[0], &answer, sizeof(answer)) != sizeof(answer);
	close(fds[0]);
	if (status || waitpid(pid, &status, 0) != pid || status)
		fail_msg("%s, call %u and %u more: status %#x", device, call, nr - 1, status);
	if (answer.open_nr > *open_nr && call)
		fail_msg("%s, call %u: %u descriptors, not %u", device, call, answer.open_nr, *open_nr);
	*open_nr = answer.open_nr;
	return answer.is_denied;
}

static void deny_each(void)
{
	unsigned int nr, open_nr = 0;

	deny_one(0, 0, &open_nr);
	for (nr = 1; deny_one(nr, 1, &open_nr); nr++)
		;
	printf("# %s: %u calls\n", device, nr - 1);
	for (nr = 1; deny_one(nr, -1u, &open_nr); nr += 1 + nr / 4)
		;
}

static void test_queue(void **state)
{
	flags = 0;
	device = "emu:threads=2";
	deny_each();
	device = "emu:qm=1,engine=zlib,latency_us=1,threads=1";
	deny_each();
	device = "emu:qm=3,engine=null";
	deny_each();
}

static void test_shared(void **state)
{
	flags = WD_QUEUE_SHARED;
	device = "emu:threads=2";
	deny_each();
}

/* Of several, the first that can be opened. */
static void test_choice(void **state)
{
	flags = 0;
	device = "emu:queues=1,emu:threads=1";
	deny_each();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_choice),
	};

	alarm(TIME_LIMIT_S);
	if (denial_begin("libwdq.so.0"))
		return 99;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
