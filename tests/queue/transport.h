/* SPDX-License-Identifier: Zlib */
/* What is to be seen on every road to a device; fake_kernel.h is at the other end. */
#ifndef TRANSPORT_TEST_H
#define TRANSPORT_TEST_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "fake_kernel.h"
#include "queue.h"
#include "fds.h"
#include "leave.h"
#include "sanitizer.h"
#include "transport/sys.h"
#include "transport/transport.h"

static struct wd_transport under_test;
const struct wd_transport *const wd_transports[] = { &under_test, NULL };

/* Devices that some queue uses. */
static const struct wd_transport *below;
static unsigned int open_devices;

static inline int open_device(const struct wd_device_info *info, void **dev)
{
	int r = below->dev_open(info, dev);

	open_devices += !r;
	return r;
}

static inline void close_device(void *dev)
{
	open_devices--;
	below->dev_close(dev);
}

/* Stores of the process trap nowhere here: the kernel is told of doorbells. */
static inline void transport_use(const struct wd_transport *transport)
{
	below = transport;
	under_test = *transport;
	under_test.doorbell = fake_doorbell;
	under_test.dev_open = open_device;
	under_test.dev_close = close_device;
}

static inline void check_nothing_left(void)
{
	struct fake_counts counts = fake_counts();

	assert_int_equal(open_devices, 0);
	assert_int_equal(counts.fds, 0);
	assert_int_equal(counts.maps, 0);
	assert_int_equal(counts.dma_maps, 0);
	assert_int_equal(counts.shares, 0);
	assert_int_equal(counts.slices, 0);
	assert_int_equal(counts.started, 0);
	assert_int_equal(fake_refused(), 0);
}

static inline void run_round_trip(struct side *comp, struct side *decomp, uint32_t len)
{
	struct wd_zip_req req = block(comp, len, len);
	struct wd_zip_res res;

	fill_text(comp->src, len, len);
	res = run(comp, &req);
	assert_int_equal(res.status, WD_ZIP_OK);
	assert_int_equal(res.consumed, len);
	memcpy(decomp->src, comp->dst, res.produced);
	req = block(decomp, len + 1, res.produced);
	res = run(decomp, &req);
	assert_int_equal(res.status, WD_ZIP_END);
	assert_int_equal(res.produced, len);
	assert_memory_equal(decomp->dst, comp->src, len);
}

/* One stream in many requests: its context is reached as well. */
static inline void run_stream(struct side *comp)
{
	const uint32_t step = 10000, len = 50000;
	uint32_t done = 0, produced = 0;

	fill_text(comp->src, len, 7);
	while (done < len) {
		struct wd_zip_req req = {
			.tag = done, .src = comp->src + done, .dst = comp->dst + produced,
			.ctx = comp->ctx, .src_len = step, .dst_len = BUF_LEN - produced,
			.format = WD_ZIP_ZLIB,
			.flags = WD_ZIP_STREAM | (done ? 0 : WD_ZIP_NEW) |
				 (done + step == len ? WD_ZIP_FINISH : 0),
		};
		struct wd_zip_res res = run(comp, &req);

		assert_int_equal(res.status, WD_ZIP_OK);
		assert_int_equal(res.consumed, step);
		done += step;
		produced += res.produced;
	}
}

/* More requests than the ring has entries, many at a time. */
static inline void run_many(struct side *s, unsigned int nr)
{
	unsigned int sent = 0, got = 0;

	fill_text(s->src, 2000, 3);
	while (got < nr) {
		struct wd_zip_req reqs[7];
		struct wd_zip_res res[5];
		int r;

		for (unsigned int i = 0; i < ARRAY_NR(reqs); i++) {
			reqs[i] = block(s, sent + i, 2000);
			reqs[i].dst = s->dst + (sent + i) % 128 * 4096;
			reqs[i].dst_len = 4096;
		}
		r = sent < nr ? wd_send(s->q, reqs, nr - sent < 7 ? nr - sent : 7) : 0;
		if (r != -EBUSY) {
			assert_true(r >= 0);
			sent += r;
		}
		r = wd_recv_sync(s->q, res, ARRAY_NR(res), WAIT_MS);
		assert_true(r > 0);
		for (int i = 0; i < r; i++) {
			assert_int_equal(res[i].tag, got++);
			assert_int_equal(res[i].status, WD_ZIP_OK);
			assert_int_equal(res[i].consumed, 2000);
		}
	}
}

/* Everything a user does on the way to a result: 0, or the first thing that failed. */
static inline int use_device(void)
{
	struct wd_device_info info;
	struct wd_queue *q;
	struct wd_zip_req req = { .src_len = 100, .dst_len = 4096, .format = WD_ZIP_ZLIB };
	struct wd_zip_res res;
	static char own[100];
	void *mem;
	int r = wd_list_devices("auto", &info, 1);

	if (r < 0)
		return r;
	r = queue_open(&q, "auto", WD_OP_COMPRESS, 0);
	if (r)
		return r;
	r = wd_alloc(q, 8192, &mem);
	if (r)
		goto release;
	req.src = mem;
	req.dst = (char *)mem + 4096;
	r = wd_mem_share(q, own, sizeof(own), WD_SHARE_READ);
	if (!r)
		wd_mem_unshare(q, own, sizeof(own));
	else if (r == -EOPNOTSUPP)
		r = 0;
	if (!r)
		r = wd_send(q, &req, 1);
	if (r == 1)
		r = wd_recv_sync(q, &res, 1, WAIT_MS);
	if (r == 1)
		r = res.status == WD_ZIP_OK ? 0 : -EPROTO;
release:
	wd_release_queue(q);
	return r;
}

/*
 * The program closed what the queue had open, and has files of its own there: they are left alone, the
 * queue ends, and a new one works.
 */
static inline void check_closed_files(const struct fake_setup *setup)
{
	char path[] = "/tmp/wd-transport-XXXXXX";
	int file = mkstemp(path);
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;
	unsigned int nr;
	void *mem;
	int r;

	assert_true(file >= 0);
	unlink(path);
	fake_kernel_init(setup);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	check_alive(&s);
	wd_queue_fd(s.q);
	nr = fds_nr();
	fake_close_files(file);
	req = block(&s, 1, 1000);
	do {
		r = wd_send(s.q, &req, 1);
		if (r == 1)
			r = wd_recv_sync(s.q, &res, 1, WAIT_MS);
	} while (r == 1);
	assert_true(r == -ENODEV || r == -EIO);
	assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_DEAD);
	assert_int_equal(wd_queue_fd(s.q), -ENODEV);
	if (!wd_alloc(s.q, 5000, &mem))
		wd_free(s.q, mem);
	assert_int_equal(use_device(), 0);
	side_close(&s);
	assert_int_equal(use_device(), 0);
	check_nothing_left();
	/* But for the kernel's own. */
	assert_in_range(fds_nr(), nr - 1, nr);
	assert_int_equal(lseek(file, 0, SEEK_END), 0);
	fake_kernel_fini();
	close(file);
}

/* The same number again, of a queue that was opened later: it is the later one's. */
static inline void check_same_numbers(const struct fake_setup *setup)
{
	struct side s, later;

	fake_kernel_init(setup);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	check_alive(&s);
	fake_close_files(-1);
	side_open(&later, "auto", WD_OP_COMPRESS, 0);
	check_alive(&later);
	assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_DEAD);
	side_close(&s);
	check_alive(&later);
	side_close(&later);
	check_nothing_left();
	fake_kernel_fini();
}

/* In a program without standard input each of the files may be the one of its number. */
static inline void check_number_zero(const struct fake_setup *setup, unsigned int files_nr)
{
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 3);

	assert_true(saved >= 0);
	for (unsigned int n = 1; n <= files_nr; n++) {
		static char own[100];
		struct side s;

		fake_kernel_init(setup);
		fake_number_zero(n);
		side_open(&s, "auto", WD_OP_COMPRESS, 0);
		if (!wd_mem_share(s.q, own, sizeof(own), 0))
			wd_mem_unshare(s.q, own, sizeof(own));
		assert_true(wd_queue_fd(s.q) >= 0);
		assert_true(n < files_nr || !wd_queue_fd(s.q));
		check_alive(&s);
		assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_OK);
		side_close(&s);
		check_nothing_left();
		fake_kernel_fini();
		assert_int_equal(dup2(saved, 0), 0);
	}
	close(saved);
}

/* A signal does not end a wait, and does not prolong it. What else is wrong ends it. */
static inline void check_waits(const struct fake_setup *setup)
{
	struct fake_setup hanging = *setup;
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	hanging.emu = "qm=2,threads=1,fault=hang@1";
	fake_kernel_init(&hanging);
	side_open(&s, "auto", WD_OP_COMPRESS, 0);
	req = block(&s, 1, 1000);
	assert_int_equal(wd_send(s.q, &req, 1), 1);
	fake_fail(fake_calls() + 1, EINTR);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, 20), -ETIMEDOUT);
	fake_fail(fake_calls() + 1, ENOMEM);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), -EIO);
	fake_fail(0, 0);
	side_close(&s);
	check_nothing_left();
	fake_kernel_fini();
}

static const int errors[] = {
	EBUSY, EMFILE, ENOTTY, EACCES, EAGAIN, EEXIST, EFAULT, EINTR, EINVAL, EIO, ENODEV, ENOENT,
	ENOMEM, ENXIO, EOPNOTSUPP, EPERM, ERANGE,
};

/*
 * Each system call fails once, in each of so many ways: the user is told or the road goes on, nothing
 * is left.
 */
static inline void check_failures(const struct fake_setup *setup, unsigned int errors_nr)
{
	unsigned int calls, fds;

	fake_kernel_init(setup);
	fds = fds_nr();
	calls = fake_calls();
	assert_int_equal(use_device(), 0);
	calls = fake_calls() - calls;
	assert_true(calls > 10);
	for (size_t e = 0; e < errors_nr; e++) {
		unsigned int failed = 0;

		for (unsigned int call = 1; call <= calls; call++) {
			int r;

			errno = 1234;
			fake_fail(fake_calls() + call, errors[e]);
			r = use_device();
			fake_fail(0, 0);
			assert_int_equal(errno, 1234);
			assert_true(r <= 0 && r != -EPROTO);
			failed += r != 0;
			check_nothing_left();
		}
		/* Of a full device the next queue is taken. */
		assert_true(failed || errors[e] != EMFILE);
	}
	/* Epoll and threads of the kernel's side come and go. */
	assert_int_equal(use_device(), 0);
	assert_true(fds_nr() <= fds + 2);
	check_nothing_left();
	fake_kernel_fini();
}

/* In the child a queue is dead and the kernel's side of it is not; a new one works. */
static inline int in_child(struct side *s, struct side *other)
{
	struct wd_zip_req req = block(s, 1, 100);

	alarm(TIME_LIMIT_S);
	if (wd_send(s->q, &req, 1) != -ENODEV || wd_queue_state(s->q, NULL) != WD_STATE_DEAD)
		return 1;
	if (fake_counts().fds)
		return 2; /* the parent could not give its queue away */
	wd_release_queue(s->q);
	wd_release_queue(other->q);
	/* The device's thread would be a new one, in a child of threads. */
	if (!IS_TSAN && use_device())
		return 3;
	if (fake_counts().fds)
		return 4;
	return 0;
}

static inline void check_fork(const struct fake_setup *setup)
{
	struct side comp, decomp;
	int status;
	pid_t pid;

	fake_kernel_init(setup);
	side_open(&comp, "auto", WD_OP_COMPRESS, 0);
	side_open(&decomp, "auto", WD_OP_DECOMPRESS, 0);
	run_round_trip(&comp, &decomp, 20000);
	pid = fork();
	if (!pid)
		leave(in_child(&comp, &decomp));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	run_round_trip(&comp, &decomp, 20000);
	side_close(&comp);
	side_close(&decomp);
	check_nothing_left();
	fake_kernel_fini();
}

#endif
