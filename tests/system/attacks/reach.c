/* SPDX-License-Identifier: Zlib */
/*
 * Guards: what a process's requests reach, where many processes use a function, each by a PASID.
 * reach GROUP UUID GROUP UUID: the first queue is the attacker's, the second one that of another
 * process of the same user. The attacker's requests name memory that the other one alone has, and
 * use its PASID and number where user space may say one. They fail, the other one's memory stays as
 * it was, and both work on. A line "ok" or "wrong" for each.
 */
#define _GNU_SOURCE
#include "queue.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

/* Nothing lies there by itself. A border of 4 GiB in its midst, as no aligned block has. */
#define THEIRS	    ((char *)0x2000ffffe000)
#define LEN	    PAGE
#define MEM_LEN	    (4 * PAGE)
#define PATIENCE_MS 30000

static unsigned int wrong_nr;

static void tell(int is_right, const char *what)
{
	printf("%s - %s\n", is_right ? "ok" : "wrong", what);
	fflush(stdout);
	wrong_nr += !is_right;
}

/* The status of a request from src to dst, or -errno. */
static int request(struct queue *q, const char *src, char *dst, struct hisi_zip_sqe *done)
{
	const struct hisi_zip_sqe sqe =
		queue_request(q, (uintptr_t)src, LEN, (uintptr_t)dst, 2 * PAGE);
	const uint64_t end = now_ms() + PATIENCE_MS;
	int ret = queue_put(q, &sqe);

	while (!ret && (ret = queue_get(q, done)) == -EAGAIN) {
		ret = now_ms() > end ? -ETIMEDOUT : queue_wait(q, 1000);
		if (ret == -ETIMEDOUT && now_ms() < end)
			ret = 0;
	}
	return ret ? ret : (int)(done->result & HISI_ZIP_RESULT_STATUS);
}

static int is_failed(struct queue *q, const char *src, char *dst)
{
	struct hisi_zip_sqe done;
	const int status = request(q, src, dst, &done);

	if (status != HISI_ZIP_BAD_DATA)
		say("reach: status %d", status);
	return status == HISI_ZIP_BAD_DATA && !done.produced;
}

static int is_right(struct queue *q, const char *src, char *dst)
{
	struct hisi_zip_sqe done;
	unsigned char back[LEN + 1];
	z_stream z = { .next_out = back, .avail_out = sizeof(back) };
	int status;

	memset(dst, 0, 2 * PAGE);
	status = request(q, src, dst, &done);
	if (status != HISI_ZIP_OK && status != HISI_ZIP_NEGATIVE) {
		say("reach: status %d", status);
		return 0;
	}
	z.next_in = (unsigned char *)dst;
	z.avail_in = done.produced;
	if (inflateInit2(&z, -15) != Z_OK)
		return 0;
	status = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return status == Z_STREAM_END && z.total_out == LEN && !memcmp(back, src, LEN);
}

static int is_filled(const char *mem, char with)
{
	for (size_t i = 0; i < MEM_LEN; i++)
		if (mem[i] != with)
			return 0;
	return 1;
}

/* Memory at an address that is the same in both processes, for the device where that takes a call.
 */
static void fixed_memory(struct queue *q, char with)
{
	char *mem = mmap(THEIRS, MEM_LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (mem != THEIRS)
		must(-errno, "reach: memory");
	memset(mem, with, MEM_LEN);
	if (q->info.dma_mode & SDMDEV_DMA_SVM)
		return;
	must(queue_map(q, mem, MEM_LEN), "reach: map");
	must(queue_share(q, mem, MEM_LEN), "reach: share");
}

/* The other process: says its PASID, and after each byte it is sent whether all is as it was. */
static int other(const char *group, const char *uuid, int in, int out)
{
	struct queue q;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(queue_open(&q, group, uuid), "reach: the other's open");
	must(queue_memory(&q, MEM_LEN), "reach: the other's memory");
	fixed_memory(&q, 'b');
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "reach: the other's start");
	q.info.argsz = sizeof(q.info);
	must(ioctl(q.fd, SDMDEV_CMD_GET_INFO, &q.info) ? -errno : 0, "reach: the other's info");
	if (write(out, &q.info, sizeof(q.info)) != sizeof(q.info))
		return 1;
	while (read(in, &byte, 1) == 1) {
		byte = is_filled(THEIRS, 'b') && q.status->state == SDMDEV_STATE_OK &&
		       is_right(&q, THEIRS, q.mem);
		if (write(out, &byte, 1) != 1)
			return 1;
	}
	queue_close(&q);
	return 0;
}

static int to_other, from_other;

static int is_unharmed(void)
{
	char byte = 0;

	return write(to_other, &byte, 1) == 1 && read(from_other, &byte, 1) == 1 && byte == 1;
}

static pid_t begin_other(char **words)
{
	int down[2], up[2];
	pid_t pid;

	if (pipe(down) || pipe(up))
		must(-errno, "reach: pipe");
	pid = fork();
	if (!pid) {
		close(down[1]);
		close(up[0]);
		_exit(other(words[0], words[1], down[0], up[1]));
	}
	close(down[0]);
	close(up[1]);
	to_other = down[1];
	from_other = up[0];
	return pid;
}

/* Every call that takes a number is told the other one's. */
static void use_numbers(struct queue *q, const struct sdmdev_info *its)
{
	const uint32_t own = q->info.number, pasid = q->info.pasid;
	const int ret = ioctl(q->fd, VFIO_SDMDEV_CMD_BIND_PASID, (unsigned long)its->pasid);

	q->info.argsz = sizeof(q->info);
	must(ioctl(q->fd, SDMDEV_CMD_GET_INFO, &q->info) ? -errno : 0, "reach: info");
	tell(ret ? 1 : q->info.pasid == pasid, "its PASID stays its own, whatever it asks for");
	tell(is_failed(q, q->mem, THEIRS), "and writes nowhere else then");
	/* A page of doorbells is a queue's: the number in the value counts for nothing. */
	q->info.number = its->number;
	queue_ring(q, HISI_QM_DB_CMD_SQ, q->tail, 0);
	q->info.number = own;
	tell(is_right(q, q->mem, q->mem + 2 * PAGE),
	     "the other one's number in a doorbell does nothing");
}

/* Memory that was taken back, or is none any more: out of reach from then on. */
static void take_back(struct queue *q)
{
	const int is_svm = !!(q->info.dma_mode & SDMDEV_DMA_SVM);
	char *kept = THEIRS;

	memset(THEIRS, 'k', MEM_LEN);
	if (is_svm)
		kept = mremap(THEIRS, MEM_LEN, MEM_LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
			      THEIRS + 16 * MEM_LEN);
	else
		must(queue_unshare(q, THEIRS, MEM_LEN), "reach: unshare");
	tell(is_failed(q, q->mem, THEIRS) && is_failed(q, q->mem, THEIRS + 2 * PAGE),
	     "memory that was taken back is out of reach");
	tell(kept != MAP_FAILED && is_filled(kept, 'k'), "and as it was");
}

int main(int argc, char **argv)
{
	struct sdmdev_info its;
	struct queue q;
	int status;
	pid_t pid;

	if (argc != 5)
		return 99;
	pid = begin_other(argv + 3);
	if (read(from_other, &its, sizeof(its)) != sizeof(its))
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "reach: open");
	must(queue_memory(&q, MEM_LEN), "reach: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "reach: start");
	q.info.argsz = sizeof(q.info);
	must(ioctl(q.fd, SDMDEV_CMD_GET_INFO, &q.info) ? -errno : 0, "reach: info");
	tell(q.info.pasid && its.pasid && q.info.pasid != its.pasid, "each has a PASID of its own");
	tell(is_right(&q, q.mem, q.mem + 2 * PAGE), "it works on its own memory");
	memset(q.mem, 'x', MEM_LEN);
	tell(is_failed(&q, q.mem, THEIRS), "it cannot write where the other one has memory");
	tell(is_unharmed(), "which is as it was, and the other one works");
	tell(is_failed(&q, THEIRS, q.mem), "it cannot read there");
	tell(is_filled(q.mem, 'x'), "and gets nothing of it");
	use_numbers(&q, &its);
	tell(is_unharmed(), "the other one is as it was again");
	fixed_memory(&q, 'a');
	tell(is_right(&q, THEIRS, q.mem), "with memory at the same address it reads its own");
	tell(is_right(&q, q.mem, THEIRS), "and writes its own");
	take_back(&q);
	tell(is_unharmed(), "the other one is as it was still");
	close(to_other);
	tell(waitpid(pid, &status, 0) == pid && !status, "the other one ends well");
	tell(is_right(&q, q.mem, q.mem + 2 * PAGE), "and this one works on");
	queue_close(&q);
	return wrong_nr != 0;
}
