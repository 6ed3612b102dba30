/* SPDX-License-Identifier: Zlib */
/*
 * Every kind of fault at every request of an inflate stream: the caller sees zlib's return codes, the
 * right bytes and the end of the stream to the byte; and once the device is back, new streams are its.
 */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { PIECES = 32, PLAIN_LEN = 160000, TAIL_LEN = 4, RETRIED = 2 };

static const int wrappers[] = { 15, 31, -15 };
static struct buf packed[NR(wrappers)]; /* TAIL_LEN bytes follow the stream */
static unsigned char *plain;

/* How the caller calls. */
struct plan {
	const char *name;
	size_t room; /* of a call */
	unsigned int step; /* of the requests that are tried */
};

static const struct plan plans[] = {
	{ "one request a call", PLAIN_LEN, 1 },
	{ "output waits for room", 5000, 3 },
};

struct fault {
	const char *kind; /* before the '@' */
	const char *many; /* behind the request's number: "", "+" */
	unsigned int timeout_ms;
	int is_seen;	 /* in the statistics; RETRIED: a second try is right, and software has nothing to do */
	int is_back;	 /* the device works again after it */
	int is_blind_raw; /* a raw stream has no checksum that could tell */
};

static int is_all;

struct outcome {
	int failed; /* 0 or the step that did */
	int ret;
	struct zwd_stats stats;
};

static const char *const steps[] = { "",      "inflateInit2", "a call's return code", "the rest",
				     "bytes", "totals",	      "inflateReset", "back on the device",
				     "inflateEnd" };

/* A caller's loop over one stream. */
static int one_stream(z_stream *strm, const struct plan *p, size_t w, struct outcome *o)
{
	size_t len = packed[w].len, piece = (len - TAIL_LEN) / PIECES + 1, pos = 0;
	static unsigned char out[PLAIN_LEN + 1];

	strm->next_out = out;
	strm->avail_in = 0;
	do {
		size_t nr = piece < len - pos ? piece : len - pos;

		strm->next_in = packed[w].data + pos;
		strm->avail_in = nr;
		pos += nr;
		do {
			size_t left = out + sizeof(out) - strm->next_out;

			strm->avail_out = p->room < left ? p->room : left;
			o->ret = ours.inflate(strm, Z_NO_FLUSH);
			if (o->ret != Z_OK && o->ret != Z_STREAM_END &&
			    (o->ret != Z_BUF_ERROR || strm->avail_in))
				return 2;
		} while (o->ret == Z_OK && (strm->avail_in || !strm->avail_out));
	} while (o->ret != Z_STREAM_END && pos < len);
	if (o->ret != Z_STREAM_END)
		return 2;
	if (strm->avail_in + len - pos != TAIL_LEN)
		return 3;
	if (strm->next_out - out != PLAIN_LEN || memcmp(out, plain, PLAIN_LEN))
		return 4;
	if (strm->total_in != len - TAIL_LEN || strm->total_out != PLAIN_LEN)
		return 5;
	return 0;
}

static unsigned long long requests(void)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	return stats.inflate.hw_requests;
}

static int streams(const struct plan *p, size_t w, const struct fault *f, struct outcome *o)
{
	z_stream strm = { 0 };
	unsigned long long before;
	int failed;

	o->ret = inflateInit2(&strm, wrappers[w]);
	if (o->ret != Z_OK)
		return 1;
	failed = one_stream(&strm, p, w, o);
	zwd_stats(&o->stats, sizeof(o->stats));
	if (failed)
		return failed;
	/* The pool may be paused for a moment: ends with the test's time at the latest. */
	do {
		before = requests();
		o->ret = ours.inflateReset(&strm);
		if (o->ret != Z_OK)
			return 6;
		failed = one_stream(&strm, p, w, o);
		if (failed)
			return failed;
	} while (f->is_back && requests() < before + PIECES / 2);
	o->ret = ours.inflateEnd(&strm);
	return o->ret == Z_OK ? 0 : 8;
}

struct job {
	const struct plan *p;
	size_t w;
	const char *device;
	const struct fault *f;
};

/* It ends with the library's destructors, beside a device that may be broken. */
static void in_process(const void *arg, void *result)
{
	const struct job *job = arg;
	struct outcome *o = result;
	char timeout[32];

	snprintf(timeout, sizeof(timeout), "%u", job->f->timeout_ms);
	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_TIMEOUT_MS", timeout, 1);
	o->failed = streams(job->p, job->w, job->f, o);
}

/* The settings are read once in a process, so every case has its own. */
static void run(const struct plan *p, size_t w, const char *device, const struct fault *f,
		struct outcome *o)
{
	const struct job job = { p, w, device, f };
	int status;

	*o = (struct outcome){ .failed = -1 };
	status = run_in_child(in_process, &job, o, sizeof(*o));
	if (status || o->failed)
		fail_msg("%s, window bits %d, WD_DEVICE=%s ZWD_TIMEOUT_MS=%u: status 0x%x, "
			 "wrong: %s (%d)",
			 p->name, wrappers[w], device, f->timeout_ms, status,
			 o->failed < 0 ? "it died" : steps[o->failed], o->ret);
}

static void fault_at(const struct plan *p, const struct fault *f, size_t w, unsigned int at)
{
	/* Who was off the processor for long finds a late result in time. */
	unsigned int tries = strncmp(f->kind, "late", 4) ? 1 : 5;
	const struct zwd_dir_stats *d;
	struct outcome o;
	char device[96];

	if (f->is_blind_raw && wrappers[w] < 0)
		return;
	snprintf(device, sizeof(device), "emu:threads=2,fault=%s@%u%s", f->kind, at, f->many);
	d = &o.stats.inflate;
	do {
		run(p, w, device, f, &o);
		/*
		 * The device damages the middle of a result. The first 4 KB of a stream are done again at each
		 * request, and there the middle was delivered before: nobody reads it.
		 */
		if (!strcmp(f->kind, "corrupt") && (at - 1) * (packed[w].len / PIECES) <= 4096)
			return;
		if (!f->is_seen)
			return;
		if (d->errors && (f->is_seen == RETRIED ? d->retries == 1 && !d->failovers :
							  d->retries || d->failovers))
			return;
	} while (--tries);
	fail_msg("%s, window bits %d, WD_DEVICE=%s: %llu requests, %llu errors, %llu "
		 "retries, %llu failovers",
		 p->name, wrappers[w], device, (unsigned long long)d->hw_requests,
		 (unsigned long long)d->errors, (unsigned long long)d->retries,
		 (unsigned long long)d->failovers);
}

static void everywhere(const struct fault *f)
{
	static const struct fault none = { "late=0", "", 30000, 0, 1, 0 };

	for (size_t i = 0; i < NR(plans); i++)
		for (size_t w = 0; w < NR(wrappers); w++) {
			struct outcome o;

			run(&plans[i], w, "emu:threads=2", &none, &o);
			assert_int_equal(o.stats.inflate.errors, 0);
			assert_int_equal(o.stats.inflate.hw_out, PLAIN_LEN);
			assert_true(o.stats.inflate.hw_requests >= PIECES / 2);
			/* By turns, unless all are asked for. */
			for (unsigned int at = is_all ? 1 : 1 + (unsigned int)w * plans[i].step;
			     at <= o.stats.inflate.hw_requests;
			     at += is_all ? 1 : NR(wrappers) * plans[i].step)
				fault_at(&plans[i], f, w, at);
		}
}

static void error_status(void **state)
{
	everywhere(&(struct fault){ "error", "", 5000, 1, 1, 0 });
}

static void errors_without_end(void **state)
{
	everywhere(&(struct fault){ "error=0x10", "+", 5000, 1, 0, 0 });
}

/* Less output than there was room for is no failure by itself. */
static void short_output(void **state)
{
	everywhere(&(struct fault){ "short", "", 5000, 0, 1, 0 });
}

static void wrong_checksum(void **state)
{
	everywhere(&(struct fault){ "checksum", "", 5000, RETRIED, 1, 1 });
}

static void corrupt_output(void **state)
{
	everywhere(&(struct fault){ "corrupt", "", 5000, 1, 1, 1 });
}

static void hanging_request(void **state)
{
	everywhere(&(struct fault){ "hang", "", 40, 1, 1, 0 });
}

static void device_reset(void **state)
{
	everywhere(&(struct fault){ "reset", "", 5000, 1, 1, 0 });
}

static void device_gone(void **state)
{
	everywhere(&(struct fault){ "gone", "", 5000, 1, 0, 0 });
}

static void device_gone_and_back(void **state)
{
	everywhere(&(struct fault){ "gone=1", "", 5000, 1, 1, 0 });
}

/* The request was given up when the device writes its output. */
static void too_late_result(void **state)
{
	everywhere(&(struct fault){ "late=60", "", 20, 1, 1, 0 });
}

static int make(void **state)
{
	plain = gen_alloc(GEN_MIXED, PLAIN_LEN);
	for (size_t w = 0; w < NR(wrappers); w++) {
		deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, PLAIN_LEN, &packed[w]);
		buf_add(&packed[w], "tail", TAIL_LEN);
	}
	return 0;
}

static int drop(void **state)
{
	free(plain);
	for (size_t w = 0; w < NR(wrappers); w++)
		buf_free(&packed[w]);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_status),	 cmocka_unit_test(errors_without_end),
		cmocka_unit_test(short_output),	 cmocka_unit_test(wrong_checksum),
		cmocka_unit_test(corrupt_output), cmocka_unit_test(hanging_request),
		cmocka_unit_test(device_reset),	 cmocka_unit_test(device_gone),
		cmocka_unit_test(device_gone_and_back), cmocka_unit_test(too_late_result),
	};

	is_all = argc > 1 && !strcmp(argv[1], "all");
	test_begin(is_all ? 3600 : 600);
	return cmocka_run_group_tests(tests, make, drop);
}
