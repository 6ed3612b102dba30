/* SPDX-License-Identifier: Zlib */
/*
 * Guards: who works beside an attack. victim GROUP UUID SECONDS compresses for so long and compares
 * every result with what went in. Ends with 0 if all were right and none was missing, and says how
 * often it had to start the queue anew and how many milliseconds the slowest request took.
 */
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define LEN	    4096
#define DST_OFF	    8192
#define DST_LEN	    8192
#define PATIENCE_MS 30000
#define PAUSE_US    20000

static unsigned int restarts;

/* Text that differs from request to request. */
static void fill(unsigned char *text, unsigned int nr)
{
	uint64_t state = nr * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (unsigned int i = 0; i < LEN; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		text[i] = 'a' + (state >> 60);
	}
}

/* The body inflates to the text, and the trailer is its Adler-32. */
static int is_right(const struct hisi_zip_sqe *sqe, unsigned char *out, const unsigned char *text)
{
	unsigned char back[LEN + 1];
	z_stream z = { .next_in = out,
		       .avail_in = sqe->produced,
		       .next_out = back,
		       .avail_out = sizeof(back) };
	const uint32_t status = sqe->result & HISI_ZIP_RESULT_STATUS;
	int ret;

	if (status != HISI_ZIP_OK && status != HISI_ZIP_NEGATIVE)
		return 0;
	if (sqe->consumed != LEN || sqe->produced < 5 || sqe->produced > DST_LEN)
		return 0;
	if (inflateInit2(&z, -15) != Z_OK)
		return 0;
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (ret != Z_STREAM_END || z.total_out != LEN || z.avail_in != 4 || memcmp(back, text, LEN))
		return 0;
	return adler32(1, text, LEN) == ((uint32_t)z.next_in[0] << 24 | z.next_in[1] << 16 |
					 z.next_in[2] << 8 | z.next_in[3]);
}

/* 0, or why there is none: -EIO, and the queue has to be started again. */
static int result(struct queue *q, struct hisi_zip_sqe *sqe, uint64_t end)
{
	int ret;

	while ((ret = queue_get(q, sqe)) == -EAGAIN) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		ret = queue_wait(q, 1000);
		/* A machine that goes to sleep interrupts calls. */
		if (ret && ret != -ETIMEDOUT && ret != -EINTR)
			return ret;
	}
	return ret;
}

static int request(struct queue *q, unsigned char *text)
{
	struct hisi_zip_sqe sqe = queue_request(q, q->dma, LEN, q->dma + DST_OFF, DST_LEN);
	const uint64_t end = now_ms() + PATIENCE_MS;
	int ret;

	for (;;) {
		memcpy(q->mem, text, LEN);
		memset(q->mem + DST_OFF, 0, DST_LEN);
		ret = queue_put(q, &sqe);
		if (!ret)
			ret = result(q, &sqe, end);
		if (!ret)
			return is_right(&sqe, (unsigned char *)q->mem + DST_OFF, text) ? 0
										       : -EBADMSG;
		if (ret != -EIO || now_ms() > end)
			return ret;
		restarts++;
		while ((ret = queue_start(q, HISI_ZIP_QUEUE_COMPRESS)) == -EIO || ret == -EBUSY) {
			if (now_ms() > end)
				return -ETIMEDOUT;
			usleep(PAUSE_US);
		}
		if (ret)
			return ret;
		sqe = queue_request(q, q->dma, LEN, q->dma + DST_OFF, DST_LEN);
	}
}

int main(int argc, char **argv)
{
	static unsigned char text[LEN];
	unsigned int nr = 0;
	uint64_t end, longest = 0;
	struct queue q;
	int ret;

	if (argc != 4)
		return 99;
	must(queue_open(&q, argv[1], argv[2]), "victim: open");
	must(queue_memory(&q, 65536), "victim: memory");
	must(queue_start(&q, HISI_ZIP_QUEUE_COMPRESS), "victim: start");
	say("victim: started");
	end = now_ms() + strtoul(argv[3], NULL, 10) * 1000;
	do {
		const uint64_t begin = now_ms();

		fill(text, nr++);
		ret = request(&q, text);
		if (now_ms() - begin > longest)
			longest = now_ms() - begin;
		usleep(PAUSE_US);
	} while (!ret && now_ms() < end);
	if (ret)
		say("victim: request %u: %s", nr, strerror(-ret));
	say("victim: requests %u restarts %u longest %llu", nr, restarts,
	    (unsigned long long)longest);
	return ret ? 1 : 0;
}
