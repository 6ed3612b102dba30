/* SPDX-License-Identifier: Zlib */
/*
 * Every kind of fault at every request of a deflate stream: the caller sees zlib's return codes and
 * a right stream, the statistics tell that the fault came and what was done about it.
 * faults: each kind at each request, the wrappers by turns. faults all: all wrappers.
 */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	STREAM_REQUESTS = 32,
	SERIAL_PIECE = 3000,   /* flushed, so that each piece is a request */
	PARALLEL_UNIT = 65536, /* ZWD_UNIT */
};

static const int wrappers[] = { 15, 31, -15 };
static int is_all;

struct plan {
	const char *name;
	size_t piece_len; /* of a call */
	size_t len;
	int flush;	  /* of all calls but the last */
	const char *unit; /* ZWD_UNIT */
	unsigned char *plain;
};

static struct plan serial = { "serial", SERIAL_PIECE, SERIAL_PIECE * STREAM_REQUESTS, Z_SYNC_FLUSH,
			      "1M", NULL };
static struct plan parallel = { "parallel", 150000, (size_t)PARALLEL_UNIT * STREAM_REQUESTS,
				Z_NO_FLUSH, "64K", NULL };

/* What must be seen in the statistics, and where it can be. */
enum notice {
	NOTHING,  /* the stream goes on as if nothing were */
	REPAIRED, /* an error, and a second try or another engine */
	LOST,	  /* an error, and another engine */
	MISMATCH, /* found by verification */
	SOFTWARE, /* no request got to the device */
};

struct fault {
	const char *kind; /* before the '@' */
	const char *many; /* behind the request's number: "", "+" */
	unsigned int timeout_ms;
	unsigned int verify;
	enum notice notice;
	int is_blind_raw; /* raw deflate has no checksum that could tell */
};

/* What the child tells. */
struct outcome {
	int failed; /* 0 or the step that did */
	int ret;
	struct zwd_stats stats;
};

static const char *const steps[] = { "",	    "deflateInit2",   "a call's return code",
				     "input is left", "the last call",  "total_in or adler",
				     "deflateEnd",    "inflating it again" };

static int is_right(const struct plan *p, int wbits, const struct buf *out)
{
	struct buf back = { 0 };
	size_t rest;
	int ret = inflate_steps(&ref, wbits, out->data, out->len, 0, 1 << 20, &back, &rest), right;

	right = ret == Z_STREAM_END && !rest && back.len == p->len &&
		!memcmp(back.data, p->plain, p->len);
	buf_free(&back);
	return right;
}

/* A caller's loop: gives all the room that a call can want, and expects zlib's answers. */
static int deflate_stream(const struct plan *p, int wbits, struct outcome *o)
{
	size_t room = p->piece_len + 100000, pos = 0;
	struct buf out = { 0 };
	z_stream strm = { 0 };

	o->ret = deflateInit2(&strm, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY);
	if (o->ret != Z_OK)
		return 1;
	while (pos < p->len) {
		size_t nr = p->piece_len < p->len - pos ? p->piece_len : p->len - pos;
		int flush = pos + nr == p->len ? Z_FINISH : p->flush;

		strm.next_in = p->plain + pos;
		strm.avail_in = nr;
		pos += nr;
		do {
			strm.next_out = buf_room(&out, room);
			strm.avail_out = room;
			o->ret = ours.deflate(&strm, flush);
			out.len += room - strm.avail_out;
			if (o->ret != Z_OK && !(flush == Z_FINISH && o->ret == Z_STREAM_END))
				return 2;
		} while (!strm.avail_out || (flush == Z_FINISH && o->ret == Z_OK));
		if (strm.avail_in)
			return 3;
	}
	if (o->ret != Z_STREAM_END)
		return 4;
	if (strm.total_in != p->len || strm.total_out != out.len ||
	    (wbits == 31 && strm.adler != ref.crc32(0, p->plain, p->len)) ||
	    (wbits == 15 && strm.adler != ref.adler32(1, p->plain, p->len)))
		return 5;
	o->ret = ours.deflateEnd(&strm);
	if (o->ret != Z_OK)
		return 6;
	if (!is_right(p, wbits, &out))
		return 7;
	buf_free(&out);
	return 0;
}

static void set_number(const char *name, unsigned int n)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", n);
	setenv(name, text, 1);
}

struct job {
	const struct plan *p;
	int wbits;
	const char *device;
	const struct fault *f;
};

static void in_process(const void *arg, void *result)
{
	const struct job *job = arg;
	struct outcome *o = result;

	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_UNIT", job->p->unit, 1);
	set_number("ZWD_TIMEOUT_MS", job->f->timeout_ms);
	set_number("ZWD_VERIFY", job->f->verify);
	memset(o, 0, sizeof(*o));
	o->failed = deflate_stream(job->p, job->wbits, o);
	zwd_stats(&o->stats, sizeof(o->stats));
}

static void run(const struct plan *p, int wbits, const char *device, const struct fault *f,
		struct outcome *o)
{
	const struct job job = { p, wbits, device, f };
	int status;

	o->failed = -1;
	status = run_in_child(in_process, &job, o, sizeof(*o));
	if (status || o->failed)
		fail_msg("%s, window bits %d, WD_DEVICE=%s ZWD_TIMEOUT_MS=%u ZWD_VERIFY=%u: "
			 "status 0x%x, wrong: %s (%d)",
			 p->name, wbits, device, f->timeout_ms, f->verify, status,
			 o->failed < 0 ? "it died" : steps[o->failed], o->ret);
}

static int is_noticed(const struct plan *p, const struct fault *f, const struct outcome *o)
{
	const struct zwd_dir_stats *d = &o->stats.deflate;

	switch (f->notice) {
	case NOTHING:
		return d->hw_requests > 0;
	case REPAIRED:
		return d->errors && (d->retries || d->failovers);
	case LOST:
		return d->errors && (d->failovers || d->soft_in);
	case MISMATCH:
		return d->mismatches && d->verified && (d->retries || d->failovers);
	case SOFTWARE:
		return !d->hw_requests && d->soft_in == p->len;
	}
	return 0;
}

static void fault_at(const struct plan *p, const struct fault *f, int wbits, unsigned int at)
{
	/* Who was off the processor for long finds a late result in time. */
	unsigned int tries = strncmp(f->kind, "late", 4) ? 1 : 5;
	const struct zwd_dir_stats *d;
	struct outcome o;
	char device[96];

	snprintf(device, sizeof(device), "emu:threads=2,fault=%s@%u%s", f->kind, at, f->many);
	do {
		run(p, wbits, device, f, &o);
		if ((f->is_blind_raw && wbits < 0) || is_noticed(p, f, &o))
			return;
	} while (--tries);
	d = &o.stats.deflate;
	fail_msg("%s, window bits %d, WD_DEVICE=%s: %llu requests, %llu errors, %llu "
		 "retries, %llu failovers, %llu mismatches, %llu bytes by software",
		 p->name, wbits, device, (unsigned long long)d->hw_requests,
		 (unsigned long long)d->errors, (unsigned long long)d->retries,
		 (unsigned long long)d->failovers, (unsigned long long)d->mismatches,
		 (unsigned long long)d->soft_in);
}

static void fault_at_each(const struct plan *p, const struct fault *f, unsigned int requests_nr,
			  unsigned int step)
{
	for (unsigned int at = 1; at <= requests_nr; at += step) {
		if (!is_all) {
			fault_at(p, f, wrappers[at / step % NR(wrappers)], at);
			continue;
		}
		for (size_t w = 0; w < NR(wrappers); w++)
			fault_at(p, f, wrappers[w], at);
	}
}

static const struct fault healthy = { "late=0", "", 30000, 0, NOTHING, 0 };

/* How many requests the plan makes of its stream, by a device without faults. */
static unsigned int requests_of(const struct plan *p)
{
	struct outcome o;

	run(p, 15, "emu:threads=2", &healthy, &o);
	assert_int_equal(o.stats.deflate.errors, 0);
	assert_int_equal(o.stats.deflate.hw_in, p->len);
	assert_int_equal(o.stats.deflate_choice.parallel_units > 0, p == &parallel);
	return (unsigned int)o.stats.deflate.hw_requests;
}

static void everywhere(const struct fault *f)
{
	assert_int_equal(requests_of(&serial), STREAM_REQUESTS);
	/* A process for each case is dear where a sanitizer watches. */
	fault_at_each(&serial, f, STREAM_REQUESTS, is_all ? 1 : IS_ASAN || IS_TSAN ? 7 : 1);
	fault_at_each(&parallel, f, requests_of(&parallel), is_all ? 1 : IS_ASAN || IS_TSAN ? 11 : 5);
}

static void error_status(void **state)
{
	everywhere(&(struct fault){ "error", "", 5000, 0, REPAIRED, 0 });
}

/* The second try fails as well, and so does what comes after. */
static void errors_without_end(void **state)
{
	everywhere(&(struct fault){ "error=0x10", "+", 5000, 0, LOST, 0 });
}

static void short_output(void **state)
{
	everywhere(&(struct fault){ "short", "", 5000, 0, REPAIRED, 0 });
}

static void wrong_checksum(void **state)
{
	everywhere(&(struct fault){ "checksum", "", 5000, 0, REPAIRED, 1 });
}

static void corrupt_output(void **state)
{
	everywhere(&(struct fault){ "corrupt", "", 5000, 1, MISMATCH, 0 });
}

static void hanging_request(void **state)
{
	everywhere(&(struct fault){ "hang", "", 40, 0, LOST, 0 });
}

static void device_reset(void **state)
{
	everywhere(&(struct fault){ "reset", "", 5000, 0, REPAIRED, 0 });
}

static void device_gone(void **state)
{
	everywhere(&(struct fault){ "gone", "", 5000, 0, LOST, 0 });
}

static void device_gone_and_back(void **state)
{
	everywhere(&(struct fault){ "gone=1", "", 5000, 0, REPAIRED, 0 });
}

/* Slow, and still in time. */
static void late_result(void **state)
{
	everywhere(&(struct fault){ "late=3", "", 30000, 0, NOTHING, 0 });
}

/*
 * The request was given up when the device writes its output. A caller with several in flight does
 * not wait for each: one that was off its processor for long finds the late result in its place.
 */
static void too_late_result(void **state)
{
	static const struct fault waited = { "late=200", "", 20, 0, LOST, 0 };
	static const struct fault in_flight = { "late=200", "", 20, 0, NOTHING, 0 };

	fault_at_each(&serial, &waited, STREAM_REQUESTS, is_all ? 1 : 5);
	fault_at_each(&parallel, &in_flight, requests_of(&parallel), is_all ? 1 : 5);
}

/* Counted in queue starts: the first one refused, which is asked for again, or all, or all but the first. */
static void refused_queue(void **state)
{
	static const struct fault all = { "busy", "+", 5000, 0, SOFTWARE, 0 };
	static const struct fault one = { "busy", "", 5000, 0, NOTHING, 0 };
	static const struct fault rest = { "busy", "+", 5000, 0, NOTHING, 0 };

	for (size_t w = 0; w < NR(wrappers); w++) {
		fault_at(&serial, &all, wrappers[w], 1);
		fault_at(&serial, &one, wrappers[w], 1);
		fault_at(&serial, &rest, wrappers[w], 2);
		fault_at(&parallel, &all, wrappers[w], 1);
		fault_at(&parallel, &rest, wrappers[w], 2);
	}
}

static int make(void **state)
{
	serial.plain = gen_alloc(GEN_MIXED, serial.len);
	parallel.plain = gen_alloc(GEN_MIXED, parallel.len);
	return 0;
}

static int drop(void **state)
{
	free(serial.plain);
	free(parallel.plain);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_status),	   cmocka_unit_test(errors_without_end),
		cmocka_unit_test(short_output),	   cmocka_unit_test(wrong_checksum),
		cmocka_unit_test(corrupt_output),  cmocka_unit_test(hanging_request),
		cmocka_unit_test(device_reset),	   cmocka_unit_test(device_gone),
		cmocka_unit_test(device_gone_and_back), cmocka_unit_test(late_result),
		cmocka_unit_test(too_late_result), cmocka_unit_test(refused_queue),
	};

	is_all = argc > 1 && !strcmp(argv[1], "all");
	test_begin(is_all ? 3600 : 600);
	return cmocka_run_group_tests(tests, make, drop);
}
