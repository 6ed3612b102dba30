/* SPDX-License-Identifier: Zlib */
/*
 * A device that lies about how much it made: what it hands out may be wrong, where nothing can prove it, but it is
 * never what another stream left in the memory of the queue.
 */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

enum { LEN = 60000, ROOM = 3000, LOOKS = 50, LOOK_LEN = 12, WAYS = 24 };

static unsigned char secret[LEN], plain[LEN];

struct job {
	int is_deflate, way;
	unsigned int before; /* requests before the one that is lied about; 0: none is */
};

struct outcome {
	size_t len;
	unsigned int requests; /* before the second stream */
	int is_told, is_out;
};

/* In calls with too little room: all goes through the queue's memory. What comes out, as far as it goes. */
static void go(int is_deflate, int wbits, const void *src, size_t len, struct buf *out)
{
	z_stream strm = { .next_in = (z_const Bytef *)src, .avail_in = (uInt)len };
	int ret = is_deflate ? deflateInit2(&strm, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY) :
			       inflateInit2(&strm, wbits);

	while (ret == Z_OK && out->len < 4 * LEN) {
		strm.next_out = buf_room(out, ROOM);
		strm.avail_out = ROOM;
		ret = is_deflate ? deflate(&strm, Z_FINISH) : inflate(&strm, Z_NO_FLUSH);
		out->len += ROOM - strm.avail_out;
	}
	if (is_deflate)
		deflateEnd(&strm);
	else
		inflateEnd(&strm);
}

static void in_process(const void *arg, void *result)
{
	const struct job *job = arg;
	struct buf in = { 0 }, first = { 0 }, second = { 0 };
	struct outcome *o = result;
	struct zwd_stats stats;
	char device[80];

	/* How it lies depends on the request's number. */
	snprintf(device, sizeof(device), job->before ? "emu:threads=1,fault=lie=produced@%u" : "emu:threads=1",
		 job->before + 1);
	setenv("WD_DEVICE", device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", "64K", 1);
	setenv("ZWD_DEPTH", "1", 1);
	setenv("ZWD_VERIFY", "0", 1);
	for (int i = 0; i < job->way; i++) {
		go(1, -15, plain, 100, &first);
		first.len = 0;
	}
	/* Random bytes are stored, so that what is compressed has them, too. */
	if (job->is_deflate)
		buf_add(&in, secret, LEN);
	else
		deflate_all(&ref, -15, 6, Z_DEFAULT_STRATEGY, secret, LEN, &in);
	go(job->is_deflate, -15, in.data, in.len, &first);
	o->is_told = memmem(first.data, first.len, secret + LEN / 2, LOOK_LEN) != NULL;
	zwd_stats(&stats, sizeof(stats));
	o->requests = (unsigned int)(stats.deflate.hw_requests + stats.inflate.hw_requests);
	in.len = 0;
	if (job->is_deflate)
		buf_add(&in, plain, LEN / 20);
	else
		deflate_all(&ref, -15, 6, Z_DEFAULT_STRATEGY, plain, LEN / 20, &in);
	go(job->is_deflate, -15, in.data, in.len, &second);
	o->len = second.len;
	for (int i = 0; i < LOOKS; i++)
		o->is_out |= memmem(second.data, second.len, secret + LEN / LOOKS * i, LOOK_LEN) != NULL;
	buf_free(&in);
	buf_free(&first);
	buf_free(&second);
}

static void nothing_of_others(void **state)
{
	struct job job = { .is_deflate = *(int *)*state };
	unsigned int lies = 0;

	for (job.way = 0; job.way < WAYS; job.way++) {
		struct outcome sound = { 0 }, o = { 0 };

		job.before = 0;
		assert_int_equal(run_in_child(in_process, &job, &sound, sizeof(sound)), 0);
		assert_true(sound.is_told && sound.requests);
		job.before = sound.requests;
		assert_int_equal(run_in_child(in_process, &job, &o, sizeof(o)), 0);
		assert_true(o.is_told);
		assert_int_equal(o.requests, sound.requests);
		if (o.is_out)
			fail_msg("request %u: %zu bytes with another stream's among them", job.before + 1, o.len);
		lies += o.len > sound.len;
	}
	printf("# %u lies went out\n", lies);
	assert_true(lies);
}

static int directions[] = { 0, 1 };

static int setup(void **state)
{
	gen_fill(GEN_RANDOM, secret, LEN);
	gen_fill(GEN_TEXT, plain, LEN);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "inflate", nothing_of_others, NULL, NULL, &directions[0] },
		{ "deflate", nothing_of_others, NULL, NULL, &directions[1] },
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, setup, NULL);
}
