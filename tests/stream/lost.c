/* SPDX-License-Identifier: Zlib */
/*
 * A stream that had no memory for the way back to software goes on with its device, whatever that does, until there
 * is a place again at which software can begin. What only software can do is refused till then, as an error that
 * leaves the stream as it was; and a copy that there is no memory for is none.
 */
#include "config.h"
#include "denial.h"
#include "endless.h"
#include "helpers.h"

#include <limits.h>
#include <unistd.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { STEP = 20000, ROOM = 30000, LITTLE = 1000, LOOK_ON = 120000, OTHERS = 20 };

static const int wrappers[] = { 15, 31, -15 };

struct job {
	int wbits;
	const char *device, *keep;
	const char *min; /* of a library that decides; NULL: all is the device's */
	const char *verify; /* NULL: nothing is compared */
};

struct outcome {
	struct zwd_stats stats;
	unsigned int found_nr, refused_nr;
};

/* One stream, a tile after the other; what it makes is looked at. */
struct reader {
	struct endless e;
	z_stream strm;
	size_t at; /* in the tile */
};

/* A process of its own tells what is wrong by its end. */
#define must(what) \
	do { \
		if (!(what)) { \
			printf("# line %d: %s\n", __LINE__, #what); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

static void begin(struct reader *r, const struct job *job)
{
	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", job->min ? "auto" : "hw", 1);
	if (job->min)
		setenv("ZWD_MIN_INFLATE", job->min, 1);
	setenv("ZWD_KEEP", job->keep, 1);
	setenv("ZWD_VERIFY", job->verify ? job->verify : "0", 1);
	setenv("ZWD_TIMEOUT_MS", "30000", 1);
	*r = (struct reader){ 0 };
	endless_begin(&r->e, ENDLESS_NOISE, job->wbits, 0);
	endless_more(&r->e);
	must(inflateInit2(&r->strm, job->wbits) == Z_OK);
}

static size_t in_step = STEP;

/* A call with so much input at most. */
static int call(z_stream *strm, const struct buf *packed, size_t at, size_t room, int flush)
{
	static unsigned char out[LOOK_ON];
	size_t left = packed->len - at;
	uint64_t pos = strm->total_out;
	int ret;

	strm->next_in = packed->data + at;
	strm->avail_in = (uInt)(left < in_step ? left : in_step);
	strm->next_out = out;
	strm->avail_out = (uInt)room;
	ret = ours.inflate(strm, flush);
	endless_check(ENDLESS_NOISE, pos, out, strm->total_out - pos);
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

static int step(struct reader *r, size_t room, int flush)
{
	uLong before = r->strm.total_in;
	int ret;

	if (r->at == r->e.packed.len) {
		endless_more(&r->e);
		r->at = 0;
	}
	ret = call(&r->strm, &r->e.packed, r->at, room, flush);
	r->at += r->strm.total_in - before;
	return ret;
}

static void read_to(struct reader *r, uint64_t len)
{
	while (r->strm.total_out < len)
		must(step(r, ROOM, Z_NO_FLUSH) == Z_OK);
}

static void end(struct reader *r)
{
	int ret = Z_OK;

	while (r->at < r->e.packed.len || !r->strm.avail_out)
		must(step(r, ROOM, Z_NO_FLUSH) == Z_OK);
	endless_end(&r->e);
	for (r->at = 0; ret == Z_OK;) {
		uLong before = r->strm.total_in;

		ret = call(&r->strm, &r->e.packed, r->at, ROOM, Z_NO_FLUSH);
		r->at += r->strm.total_in - before;
	}
	must(ret == Z_STREAM_END && r->at == r->e.packed.len && r->strm.total_out == r->e.plain_len);
	must(ours.inflateEnd(&r->strm) == Z_OK);
	endless_free(&r->e);
}

/* The other one goes on by itself, as far as the tile's input goes. */
static void look_on(const struct reader *r, z_stream *copy)
{
	size_t at = r->at;

	for (int calls = 0; calls < 5 && at < r->e.packed.len; calls++) {
		uLong before = copy->total_in;

		must(call(copy, &r->e.packed, at, LOOK_ON, Z_NO_FLUSH) == Z_OK);
		at += copy->total_in - before;
	}
}

/* Is there a way to software? The window is right then, and a copy goes that way. */
static int has_way(struct reader *r)
{
	unsigned char window[32768], plain[32768];
	z_stream copy;
	uInt len = 0;
	int ret;

	if (ours.inflateGetDictionary(&r->strm, window, &len) == Z_OK) {
		must(len == sizeof(window));
		for (size_t done = 0, some; done < len; done += some) {
			const unsigned char *from = endless_plain(ENDLESS_NOISE, r->strm.total_out - len + done, &some);

			some = some < len - done ? some : len - done;
			memcpy(plain + done, from, some);
		}
		must(!memcmp(window, plain, len));
	}
	must(ours.inflateCopy(&copy, &r->strm) == Z_OK);
	ret = call(&copy, &r->e.packed, r->at, LITTLE, Z_BLOCK);
	if (ret == Z_OK) {
		size_t at = r->at;

		r->at += copy.total_in - r->strm.total_in;
		look_on(r, &copy);
		r->at = at;
	} else {
		/* It is as it was. */
		must(ret == Z_DATA_ERROR && !strcmp(copy.msg, "device failed and the input was not kept"));
		must(copy.total_in == r->strm.total_in && copy.total_out == r->strm.total_out);
		look_on(r, &copy);
	}
	must(ours.inflateEnd(&copy) == Z_OK);
	return ret == Z_OK;
}

static void lose_and_find(const void *arg, void *result)
{
	struct outcome *o = result;
	struct reader r;
	uint64_t most;
	int ret;

	begin(&r, arg);
	read_to(&r, 800000);
	must(has_way(&r));
	/* Nothing that software needs can be had, to catch up or to look for a place. */
	denial_set(DENY_PAGES, 1, UINT_MAX);
	read_to(&r, 2000000);
	must(!has_way(&r));
	/* It reads far ahead to find one, but not without memory for what that makes; which there may be later. */
	in_step = ENDLESS_TILE;
	denial_set(DENY_PAGES | DENY_MEMORY, 1, UINT_MAX);
	do {
		must(r.strm.total_out < 20000000);
		ret = step(&r, LITTLE, Z_NO_FLUSH);
	} while (ret == Z_OK);
	must(ret == Z_MEM_ERROR);
	in_step = STEP;
	denial_set(DENY_PAGES, 1, UINT_MAX);
	read_to(&r, r.strm.total_out + 1000000);
	must(!has_way(&r));
	denial_set(0, 0, 0);
	/* Also before what the place was found with is delivered. */
	most = r.strm.total_out + 8000000;
	while (!o->found_nr && r.strm.total_out < most) {
		must(step(&r, LITTLE, Z_NO_FLUSH) == Z_OK);
		o->found_nr += has_way(&r);
	}
	must(o->found_nr);
	/* When that is, it stays. */
	read_to(&r, r.strm.total_out + 500000);
	for (int calls = 0; calls < 50; calls++) {
		must(step(&r, LITTLE * 20, Z_NO_FLUSH) == Z_OK);
		must(has_way(&r));
	}
	end(&r);
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void a_way_that_is_lost_is_found(void **state)
{
	for (size_t i = 0; i < 2 * NR(wrappers); i++) {
		/* Of bad data software would be asked: here the device is asked again. */
		unsigned int errors = i < NR(wrappers) ? 0 : 1;
		const char *device = errors ? "emu:threads=1,fault=error@80" : "emu:threads=1";
		struct job job = { wrappers[i % NR(wrappers)], device, "64K", NULL };
		struct outcome o = { 0 };
		int status = run_in_child(lose_and_find, &job, &o, sizeof(o));

		printf("# %s, %d: %llu requests, %llu errors, %llu retries, %llu failovers\n", job.device, job.wbits,
		       (unsigned long long)o.stats.inflate.hw_requests, (unsigned long long)o.stats.inflate.errors,
		       (unsigned long long)o.stats.inflate.retries, (unsigned long long)o.stats.inflate.failovers);
		assert_int_equal(status, 0);
		assert_int_equal(o.stats.inflate.retries, errors);
	}
}

/* Calls too small for it leave a device as soon as there is a way again, not before; one that was just found is one. */
static void leave_when_found(const void *arg, void *result)
{
	struct outcome *o = result;
	struct reader r;
	uint64_t most;

	begin(&r, arg);
	in_step = LOOK_ON;
	while (r.strm.total_out < 800000)
		must(step(&r, LOOK_ON, Z_NO_FLUSH) == Z_OK);
	denial_set(DENY_PAGES, 1, UINT_MAX);
	while (r.strm.total_out < 2000000)
		must(step(&r, LOOK_ON, Z_NO_FLUSH) == Z_OK);
	must(!has_way(&r));
	in_step = STEP;
	read_to(&r, 2200000);
	zwd_stats(&o->stats, sizeof(o->stats));
	must(!o->stats.inflate.soft_in && !o->stats.inflate.failovers);
	denial_set(0, 0, 0);
	for (most = r.strm.total_out + 8000000; !o->found_nr; o->found_nr = o->stats.inflate_choice.soft_small != 0) {
		must(r.strm.total_out < most);
		must(step(&r, ROOM, Z_NO_FLUSH) == Z_OK);
		zwd_stats(&o->stats, sizeof(o->stats));
	}
	read_to(&r, r.strm.total_out + 1000000);
	end(&r);
}

static void small_calls_leave_by_a_way_that_is_found(void **state)
{
	for (size_t i = 0; i < NR(wrappers); i++) {
		struct job job = { wrappers[i], "emu:threads=1", "64K", "24K" };
		struct outcome o = { 0 };

		assert_int_equal(run_in_child(leave_when_found, &job, &o, sizeof(o)), 0);
		assert_int_equal(o.stats.inflate_choice.soft_small, 1);
	}
}

/* From one call for memory on there is none, in turn: the device's result is not taken, nor has software a way. */
static void ask_again(const void *arg, void *result)
{
	struct outcome *o = result;
	struct reader r;

	/* What a stream needs once, each of it. */
	for (unsigned int first = 1; first <= 12; first++) {
		begin(&r, arg);
		for (unsigned int nr = first; r.strm.total_out < 1000000; nr = nr % 6 + 1) {
			int ret;

			denial_set(DENY_MEMORY | DENY_PAGES, nr, UINT_MAX);
			ret = step(&r, ROOM, Z_NO_FLUSH);
			denial_set(0, 0, 0);
			must(ret == Z_OK || ret == Z_MEM_ERROR);
			o->refused_nr += ret == Z_MEM_ERROR;
			must(ret == Z_OK || step(&r, ROOM, Z_NO_FLUSH) == Z_OK);
		}
		end(&r);
	}
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void what_was_refused_is_done_later(void **state)
{
	for (size_t i = 0; i < 2 * NR(wrappers); i++) {
		struct job job = { wrappers[i / 2], "emu:threads=1", "64M", .verify = i % 2 ? "1" : NULL };
		struct outcome o = { 0 };

		assert_int_equal(run_in_child(ask_again, &job, &o, sizeof(o)), 0);
		printf("# %d%s: %u times\n", job.wbits, i % 2 ? ", compared" : "", o.refused_nr);
		assert_true(o.refused_nr);
		/* What is compared is read once by each. */
		assert_int_equal(o.stats.inflate.mismatches, 0);
		assert_int_equal(!o.stats.inflate.verified, !job.verify);
	}
}

struct gone {
	struct job job;
	struct zwd_stats lost, end; /* when it had lost its way, and in the end */
};

static void lose_the_device(const void *arg, void *result)
{
	struct gone *g = result;
	struct reader r;

	begin(&r, arg);
	read_to(&r, 800000);
	denial_set(DENY_PAGES, 1, UINT_MAX);
	read_to(&r, 2000000);
	must(!has_way(&r));
	denial_set(0, 0, 0);
	zwd_stats(&g->lost, sizeof(g->lost));
	read_to(&r, 4000000);
	end(&r);
	zwd_stats(&g->end, sizeof(g->end));
}

/* It is the only one who can go on: it is waited for. */
static void a_device_that_comes_back(void **state)
{
	struct gone sound = { .job = { 15, "emu:threads=1", "64K", NULL } };

	assert_int_equal(run_in_child(lose_the_device, &sound.job, &sound, sizeof(sound)), 0);
	for (unsigned int n = 1; n <= 4; n++) {
		struct gone g = { .job = { wrappers[n % NR(wrappers)], NULL, "64K", NULL } };
		char device[64];

		snprintf(device, sizeof(device), "emu:threads=1,fault=gone=1@%llu",
			 (unsigned long long)(sound.lost.inflate.hw_requests + sound.lost.inflate.errors + n));
		g.job.device = device;
		assert_int_equal(run_in_child(lose_the_device, &g.job, &g, sizeof(g)), 0);
		assert_int_equal(g.end.inflate.failovers, 0);
		assert_true(g.end.inflate.errors && g.end.inflate.retries);
	}
}

/* Each call for memory of a copy in turn, at places where the keep has one window, and two. */
static void copy_without_memory(const void *arg, void *result)
{
	struct outcome *o = result;
	struct reader r;

	begin(&r, arg);
	read_to(&r, 2000000);
	for (int calls = 0; calls < 60; calls++) {
		z_stream copy, others[OTHERS];
		int ret;

		must(step(&r, LITTLE * 20, Z_NO_FLUSH) == Z_OK);
		/* These have all that was freed before and not given back. */
		for (int i = 0; i < OTHERS; i++)
			must(ours.inflateCopy(&others[i], &r.strm) == Z_OK);
		for (unsigned int nr = 1;; nr++) {
			denial_set(DENY_MEMORY, nr, 1);
			ret = ours.inflateCopy(&copy, &r.strm);
			denial_set(0, 0, 0);
			if (ret == Z_OK)
				break;
			must(ret == Z_MEM_ERROR);
			o->refused_nr++;
		}
		look_on(&r, &copy);
		must(ours.inflateEnd(&copy) == Z_OK);
		for (int i = 0; i < OTHERS; i++)
			must(ours.inflateEnd(&others[i]) == Z_OK);
	}
	end(&r);
}

static void a_copy_without_memory_is_none(void **state)
{
	for (size_t i = 0; i < NR(wrappers); i++) {
		struct job job = { wrappers[i], "emu:threads=1", "1M", NULL };
		struct outcome o = { 0 };

		assert_int_equal(run_in_child(copy_without_memory, &job, &o, sizeof(o)), 0);
		printf("# %d: %u times\n", job.wbits, o.refused_nr);
		assert_true(o.refused_nr >= 60 * 3);
	}
}

/* In calls of any length: what is put together of them for a search has no gap. */
static void read_in_steps(const void *arg, void *result)
{
	static const size_t steps[] = { 100000, 100000, 40000, 30000,  110000, 95000,
					60000,	5000,	105000, 100000, 35000 };
	struct outcome *o = result;
	struct reader r;

	begin(&r, arg);
	for (size_t calls = 0; r.strm.total_out < 12000000; calls++) {
		in_step = steps[calls % NR(steps)];
		must(step(&r, LOOK_ON, Z_NO_FLUSH) == Z_OK);
		in_step = STEP;
		must(calls % 3 || has_way(&r));
	}
	end(&r);
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void calls_of_any_length(void **state)
{
	static const char *const keeps[] = { "64K", "512K", "1M", "2M" };

	for (size_t i = 0; i < NR(keeps) * NR(wrappers); i++) {
		struct job job = { wrappers[i % NR(wrappers)], "emu:threads=1", keeps[i / NR(wrappers)], NULL };
		struct outcome o = { 0 };

		assert_int_equal(run_in_child(read_in_steps, &job, &o, sizeof(o)), 0);
		assert_int_equal(o.stats.inflate.errors, 0);
	}
}

/* One block, of fixed codes: software can begin nowhere, and after what a device did it goes on with it. */
static void read_one_block(const void *arg, void *result)
{
	enum { LEN = 9 << 20, BLOCK_STEP = 100000 };
	unsigned char *packed = calloc(1, LEN + 3), *plain = malloc(LEN), *out = malloc(BLOCK_STEP);
	const struct job *job = arg;
	struct outcome *o = result;
	z_stream strm = { 0 };
	int ret = Z_OK;

	must(packed && plain && out);
	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", job->min ? "auto" : "hw", 1);
	if (job->min)
		setenv("ZWD_MIN_INFLATE", job->min, 1);
	setenv("ZWD_KEEP", job->keep, 1);
	gen_fill(GEN_RANDOM, plain, LEN);
	/* BFINAL, BTYPE 01, and codes of 8 bits that begin with their highest. */
	packed[0] = 3;
	for (size_t i = 0; i < LEN; i++) {
		unsigned int code, turned = 0;

		plain[i] &= 0x7f;
		code = 0x30u + plain[i];
		for (int bit = 0; bit < 8; bit++)
			turned |= (code >> bit & 1) << (7 - bit);
		packed[i] |= (unsigned char)(turned << 3);
		packed[i + 1] = (unsigned char)(turned >> 5);
	}
	must(inflateInit2(&strm, -15) == Z_OK);
	while (ret == Z_OK) {
		uint64_t pos = strm.total_out;
		size_t left = LEN + 2 - strm.total_in;

		strm.next_in = packed + strm.total_in;
		strm.avail_in = (uInt)(left < BLOCK_STEP ? left : BLOCK_STEP);
		strm.next_out = out;
		strm.avail_out = BLOCK_STEP;
		ret = ours.inflate(&strm, Z_NO_FLUSH);
		must(!memcmp(out, plain + pos, strm.total_out - pos));
	}
	must(ret == Z_STREAM_END && strm.total_out == LEN && !strm.avail_in);
	must(ours.inflateEnd(&strm) == Z_OK);
	zwd_stats(&o->stats, sizeof(o->stats));
	free(packed);
	free(plain);
	free(out);
}

static void one_block_has_no_place(void **state)
{
	static const char *const devices[] = { "emu:threads=1", "emu:threads=1,fault=error@80" };

	for (size_t i = 0; i < NR(devices); i++) {
		struct job job = { -15, devices[i], "64K", NULL };
		struct outcome o = { 0 };

		assert_int_equal(run_in_child(read_one_block, &job, &o, sizeof(o)), 0);
		assert_int_equal(o.stats.inflate.failovers, i);
		if (!i)
			assert_int_equal(o.stats.inflate.soft_in, 0);
	}
}

static int prepare(void **state)
{
	return denial_begin("libz-wd.so.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_way_that_is_lost_is_found),
		cmocka_unit_test(small_calls_leave_by_a_way_that_is_found),
		cmocka_unit_test(what_was_refused_is_done_later),
		cmocka_unit_test(a_device_that_comes_back),
		cmocka_unit_test(a_copy_without_memory_is_none),
		cmocka_unit_test(calls_of_any_length),
		cmocka_unit_test(one_block_has_no_place),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, prepare, NULL);
}
