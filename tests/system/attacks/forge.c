/* SPDX-License-Identifier: Zlib */
/*
 * Guards: in single mode the device writes for its user wherever the kernel has its own tables for
 * it. forge GROUP UUID GROUP UUID events   entries that the device never made lie behind its own in
 * the event ring when the process ends: the next one works all the same forge GROUP UUID GROUP UUID
 * drain    the contexts that the kernel has the device write down are overwritten, while the queue
 * of a request that hangs is stopped: that is not to succeed The first queue compresses, by which
 * the process reads, the second one decompresses, by which it writes.
 */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define WORDS	    (PAGE / 4)
#define TOP	    0xfffff000u /* the kernel's addresses for the device, from here downwards */
#define PAGES	    64
#define EVENT_PHASE 0x10000
#define FORGED	    100
#define DST_OFF	    65536
#define OUT_LEN	    32768

static struct queue reader, writer;

static int run(struct queue *q, const struct hisi_zip_sqe *sqe, struct hisi_zip_sqe *done)
{
	const uint64_t end = now_ms() + 3000;
	int ret = queue_put(q, sqe);

	while (!ret && (ret = queue_get(q, done)) == -EAGAIN && now_ms() < end) {
		usleep(1000);
		ret = 0;
	}
	return ret;
}

/* One page of what the device reaches. */
static int device_read(uint64_t at, uint32_t *words)
{
	struct hisi_zip_sqe sqe = queue_request(&reader, at, PAGE, reader.dma + DST_OFF, OUT_LEN),
			    done;
	z_stream z = { .next_in = (unsigned char *)reader.mem + DST_OFF,
		       .next_out = (unsigned char *)words,
		       .avail_out = PAGE };
	int ret = run(&reader, &sqe, &done);

	if (ret)
		return ret;
	if (done.consumed != PAGE || inflateInit2(&z, -15) != Z_OK)
		return -EFAULT;
	z.avail_in = done.produced;
	inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return z.total_out == PAGE ? 0 : -EBADMSG;
}

/* A request that has the device write len bytes, by a stored block of them. */
static struct hisi_zip_sqe write_request(uint64_t at, const void *data, uint16_t len)
{
	unsigned char *p = (unsigned char *)reader.mem;
	const uint32_t sum = adler32(1, data, len);
	const unsigned char head[] = { 1, len & 0xff, len >> 8, ~len & 0xff, (uint16_t)~len >> 8 };
	const unsigned char tail[] = { sum >> 24, sum >> 16, sum >> 8, sum };

	memcpy(p, head, sizeof(head));
	memcpy(p + sizeof(head), data, len);
	memcpy(p + sizeof(head) + len, tail, sizeof(tail));
	return queue_request(&writer, reader.dma, sizeof(head) + len + sizeof(tail), at, len);
}

static int device_write(uint64_t at, const void *data, uint16_t len)
{
	struct hisi_zip_sqe sqe = write_request(at, data, len), done;

	return run(&writer, &sqe, &done);
}

/* The first words are events of ours, all others are none yet. *nr: of the former. */
static int is_event_ring(const uint32_t *words, unsigned int *nr)
{
	unsigned int i = 0;

	while (i < WORDS && (words[i] == (EVENT_PHASE | reader.info.number) ||
			     words[i] == (EVENT_PHASE | writer.info.number)))
		i++;
	*nr = i;
	while (i < WORDS && !words[i])
		i++;
	return *nr && i == WORDS;
}

/* Where the event ring may begin: 8 KiB and what is behind it, by the powers of two of that. */
static const uint32_t places[] = { 0xffff0000, 0xffff8000, 0xffffc000, 0xfffe0000 };

static int events(void)
{
	uint32_t words[WORDS], forged[FORGED], zeros[8] = { 0 };
	unsigned int nr = 0;
	uint32_t at = 0;
	int ret = 0;

	/* One result at least of each queue. */
	must(device_write(reader.dma + 2 * DST_OFF, zeros, sizeof(zeros)), "forge: first writing");
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]) && !at; i++) {
		ret = device_read(places[i], words);
		if (!ret && is_event_ring(words, &nr))
			at = places[i];
		else if (ret && ret != -EFAULT)
			break;
	}
	if (!at) {
		say("forge: no event ring was found: %s", strerror(-ret));
		return NOT_HERE;
	}
	/* The reading made events, too. */
	must(device_read(at, words), "forge: reading again");
	for (nr = 0; nr < WORDS && words[nr] & EVENT_PHASE; nr++)
		;
	memset(forged, 0, sizeof(forged));
	for (unsigned int i = 0; i < FORGED; i++)
		forged[i] = EVENT_PHASE | 0xffff;
	/* A few words further on: by then the device is there. */
	ret = device_write(at + (nr + 2) * 4, forged, sizeof(forged));
	say("forge: %u events behind %u at 0x%x: %d", FORGED, nr, at, ret);
	usleep(200000);
	return 0;
}

static struct {
	uint64_t at;
	atomic_int is_over;
	atomic_uint nr;
} flood;

/* Zeros: head and tail of a queue that has nothing to do. */
static void *flood_zeros(void *arg)
{
	const unsigned char zeros[32] = { 0 };
	struct hisi_zip_sqe sqe = write_request(flood.at, zeros, sizeof(zeros)), done;

	while (!flood.is_over) {
		while (!queue_put(&writer, &sqe))
			;
		while (!queue_get(&writer, &done))
			flood.nr++;
	}
	return arg;
}

static int drain(void)
{
	struct hisi_zip_sqe sqe =
		queue_request(&reader, reader.dma, PAGE, reader.dma + DST_OFF, OUT_LEN);
	pthread_t thread;
	int ret;

	must(queue_put(&reader, &sqe), "forge: the request that hangs");
	usleep(200000);
	if (reader.cq[0].phase & HISI_QM_CQE_PHASE) {
		say("forge: it does not hang");
		return 99;
	}
	/* The first of all that the kernel allocated: what contexts are written down in. */
	flood.at = TOP;
	pthread_create(&thread, NULL, flood_zeros, NULL);
	usleep(200000);
	ret = queue_call(&reader, SDMDEV_CMD_STOP);
	flood.is_over = 1;
	say("forge: STOP returned %d, with %u forgeries", ret, flood.nr);
	return !ret && !(reader.cq[0].phase & HISI_QM_CQE_PHASE);
}

int main(int argc, char **argv)
{
	int is_drain;

	if (argc != 6)
		return 99;
	is_drain = !strcmp(argv[5], "drain");
	must(queue_open(&reader, argv[1], argv[2]), "forge: open");
	must(queue_open(&writer, argv[3], argv[4]), "forge: open the other");
	if (!queue_is_direct(&reader))
		return NOT_HERE;
	must(queue_memory(&reader, 1 << 20), "forge: memory");
	must(queue_start(&reader, HISI_ZIP_QUEUE_COMPRESS), "forge: start");
	must(queue_start(&writer, HISI_ZIP_QUEUE_DECOMPRESS), "forge: start the other");
	_exit(is_drain ? drain() : events());
}
