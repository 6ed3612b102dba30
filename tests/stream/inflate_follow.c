/* SPDX-License-Identifier: Zlib */
/*
 * Where a call has input and room for several requests, one is done while the result of the one before is looked
 * at. Whatever becomes of either: zlib's return codes, the right bytes, the end of the stream to the byte, and
 * of damaged data zlib's verdict.
 */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { PLAIN_LEN = 9 << 20, TAIL_LEN = 4, DAMAGES = 12 };

static const int wrappers[] = { 15, 31, -15 };
static struct buf packed[NR(wrappers)]; /* TAIL_LEN bytes follow the stream */
static unsigned char *plain, *out, *expected;

struct outcome {
	int ret;
	int is_right;
	struct zwd_stats stats;
};

static int one_call(const struct zlib_api *z, int wbits, const struct buf *in, unsigned char *to, z_stream *strm)
{
	int ret;

	memset(strm, 0, sizeof(*strm));
	assert_int_equal(z->inflateInit2_(strm, wbits, ZLIB_VERSION, sizeof(*strm)), Z_OK);
	strm->next_in = in->data;
	strm->avail_in = in->len;
	strm->next_out = to;
	strm->avail_out = PLAIN_LEN + 1;
	/* Bad data is told by the call after the one that delivers what is before it, at the latest. */
	do
		ret = z->inflate(strm, Z_NO_FLUSH);
	while (ret == Z_OK && (strm->avail_in || !strm->avail_out));
	return ret;
}

static void work(size_t w, struct outcome *o)
{
	z_stream strm;

	o->ret = one_call(&ours, wrappers[w], &packed[w], out, &strm);
	o->is_right = o->ret == Z_STREAM_END && strm.avail_in == TAIL_LEN && strm.total_out == PLAIN_LEN &&
		      !memcmp(out, plain, PLAIN_LEN) && ours.inflateEnd(&strm) == Z_OK;
	zwd_stats(&o->stats, sizeof(o->stats));
}

struct job {
	size_t w;
	const char *device, *timeout_ms;
};

static void in_process(const void *arg, void *result)
{
	const struct job *job = arg;

	setenv("WD_DEVICE", job->device, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_TIMEOUT_MS", job->timeout_ms, 1);
	work(job->w, result);
}

static struct outcome run(size_t w, const char *device, const char *timeout_ms)
{
	const struct job job = { w, device, timeout_ms };
	struct outcome o = { 0 };
	int status = run_in_child(in_process, &job, &o, sizeof(o));

	if (status || !o.is_right)
		fail_msg("window bits %d, WD_DEVICE=%s: status 0x%x, inflate() answered %d", wrappers[w], device,
			 status, o.ret);
	return o;
}

static void everywhere(const char *kind, const char *timeout_ms, int is_blind_raw)
{
	for (size_t w = 0; w < NR(wrappers); w++) {
		struct outcome o = run(w, "emu:threads=2", "30000");

		assert_int_equal(o.stats.inflate.errors, 0);
		assert_int_equal(o.stats.inflate.hw_out, PLAIN_LEN);
		assert_true(o.stats.inflate.hw_requests >= 5);
		if (is_blind_raw && wrappers[w] < 0)
			continue;
		for (unsigned int at = 1 + w; at <= o.stats.inflate.hw_requests; at += NR(wrappers)) {
			struct outcome bad;
			char device[96];

			snprintf(device, sizeof(device), "emu:threads=2,fault=%s@%u", kind, at);
			bad = run(w, device, timeout_ms);
			if (!bad.stats.inflate.errors)
				fail_msg("window bits %d, WD_DEVICE=%s: not noticed", wrappers[w], device);
		}
	}
}

/* The next one is under way when a result is looked at, and goes with it where that is wrong, whatever it is. */
static void two_at_a_time(void **state)
{
	for (size_t w = 0; w < NR(wrappers) && wrappers[w] > 0; w++) {
		unsigned int nr = 0;

		for (unsigned int at = 1; at <= 5; at++) {
			struct outcome o;
			char device[96];

			snprintf(device, sizeof(device), "emu:threads=2,fault=checksum@%u/error@%u", at, at + 1);
			o = run(w, device, "30000");
			assert_int_equal(o.stats.inflate.retries, 1);
			/* Else the second one is the retry. */
			assert_int_equal(o.stats.inflate.failovers, o.stats.inflate.errors - 1);
			nr += o.stats.inflate.errors == 1;
		}
		assert_true(nr);
	}
}

static void error_status(void **state)
{
	everywhere("error", "30000", 0);
}

static void wrong_checksum(void **state)
{
	everywhere("checksum", "30000", 1);
}

static void corrupt_output(void **state)
{
	everywhere("corrupt", "30000", 1);
}

static void hanging_request(void **state)
{
	everywhere("hang", "200", 0);
}

static void device_reset(void **state)
{
	everywhere("reset", "30000", 0);
}

static void device_gone(void **state)
{
	everywhere("gone", "30000", 0);
}

static void damaged_data(void **state)
{
	for (size_t w = 0; w < NR(wrappers); w++)
		for (size_t n = 0; n < DAMAGES; n++) {
			struct buf *in = &packed[w];
			size_t at = 20 + n * (in->len - 40) / DAMAGES;
			z_stream got, want;
			int ret, expected_ret;

			in->data[at] ^= 0x55;
			ret = one_call(&ours, wrappers[w], in, out, &got);
			expected_ret = one_call(&ref, wrappers[w], in, expected, &want);
			in->data[at] ^= 0x55;
			if (ret != expected_ret || got.total_out != want.total_out || got.total_in != want.total_in ||
			    strcmp(got.msg ? got.msg : "", want.msg ? want.msg : "") ||
			    memcmp(out, expected, want.total_out))
				fail_msg("window bits %d, damage at %zu: %d %s after %lu, %lu, zlib %d %s after %lu, %lu",
					 wrappers[w], at, ret, got.msg, got.total_in, got.total_out, expected_ret,
					 want.msg, want.total_in, want.total_out);
			ours.inflateEnd(&got);
			ref.inflateEnd(&want);
		}
}

static int make(void **state)
{
	plain = gen_alloc(GEN_MIXED, PLAIN_LEN);
	out = malloc(PLAIN_LEN + 1);
	expected = malloc(PLAIN_LEN + 1);
	for (size_t w = 0; w < NR(wrappers); w++) {
		deflate_all(&ref, wrappers[w], 1, Z_DEFAULT_STRATEGY, plain, PLAIN_LEN, &packed[w]);
		buf_add(&packed[w], "tail", TAIL_LEN);
	}
	return 0;
}

static int drop(void **state)
{
	free(plain);
	free(out);
	free(expected);
	for (size_t w = 0; w < NR(wrappers); w++)
		buf_free(&packed[w]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_at_a_time),
		cmocka_unit_test(error_status),	   cmocka_unit_test(wrong_checksum),
		cmocka_unit_test(corrupt_output),  cmocka_unit_test(hanging_request),
		cmocka_unit_test(device_reset),	   cmocka_unit_test(device_gone),
		cmocka_unit_test(damaged_data),
	};

	test_begin(600);
	setenv("WD_DEVICE", "emu:threads=2", 0);
	return cmocka_run_group_tests(tests, make, drop);
}
