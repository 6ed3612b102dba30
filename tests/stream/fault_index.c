/* SPDX-License-Identifier: Zlib */
/*
 * Every kind of fault at every request of streams of 64 and more, in both directions: what comes
 * out is right, and sound data is never called damaged. And faults anywhere in a stream whose input
 * is more than anybody keeps. By turns, unless all are asked for (ZWD_TEST_LONG).
 */
#include "config.h"
#include "again.h"
#include "endless.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	REQUESTS = 64,
	BLOCK = 512 << 10, /* of plain text, as often as a plan needs it */
	SERIAL_PIECE = BLOCK / REQUESTS,
	UNIT = 65536, /* ZWD_UNIT */
	LONG_PACKED = 65 << 20,
	LONG_FAULTS = 8,
	TAIL_LEN = 4,
	STRIDE = 7 /* of the requests tried in the short run */
};

static const int wrappers[] = { 15, 31, -15 };

/* What a child has to tell. */
struct outcome {
	unsigned long long requests, errors, mismatches;
};

static void tell(int is_deflate)
{
	const struct zwd_dir_stats *d;
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	d = is_deflate ? &stats.deflate : &stats.inflate;
	printf("told %llu %llu %llu\n", (unsigned long long)d->hw_requests,
	       (unsigned long long)d->errors, (unsigned long long)d->mismatches);
}

static unsigned char *repeated(size_t times)
{
	unsigned char *plain = malloc(BLOCK * times);

	assert_non_null(plain);
	gen_fill(GEN_MIXED, plain, BLOCK);
	for (size_t i = 1; i < times; i++)
		memcpy(plain + i * BLOCK, plain, BLOCK);
	return plain;
}

static void deflate_plan(int wbits, size_t piece, size_t len, int flush)
{
	unsigned char *plain = repeated(len / BLOCK);
	struct buf out = { 0 };
	z_stream strm = { 0 };
	int ret;

	assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	do {
		int is_last = strm.total_in + piece >= len;

		strm.next_in = plain + strm.total_in;
		strm.avail_in = (uInt)(is_last ? len - strm.total_in : piece);
		do {
			strm.next_out = buf_room(&out, piece + 100000);
			strm.avail_out = (uInt)piece + 100000;
			ret = ours.deflate(&strm, is_last ? Z_FINISH : flush);
			out.len += piece + 100000 - strm.avail_out;
			if (ret != Z_OK && ret != Z_STREAM_END)
				fail_msg("deflate() said %d after %lu bytes", ret, strm.total_in);
		} while (!strm.avail_out || (is_last && ret == Z_OK));
		assert_int_equal(strm.avail_in, 0);
	} while (ret != Z_STREAM_END);
	assert_int_equal(strm.total_in, len);
	assert_int_equal(strm.total_out, out.len);
	if (wbits > 0)
		assert_int_equal(strm.adler, wbits == 31 ? ref.crc32(0, plain, (uInt)len)
							 : ref.adler32(1, plain, (uInt)len));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_inflates(wbits, out.data, out.len, plain, len);
	buf_free(&out);
	free(plain);
	tell(1);
}

static void deflate_serial(int wbits)
{
	deflate_plan(wbits, SERIAL_PIECE, BLOCK, Z_SYNC_FLUSH);
}

static void deflate_units(int wbits)
{
	deflate_plan(wbits, 150000, (size_t)UNIT * (REQUESTS + 8), Z_NO_FLUSH);
}

/* in_step 0: all at once. */
static void inflate_plan(int wbits, const struct buf *packed, size_t in_step, size_t room,
			 const unsigned char *plain, size_t len)
{
	unsigned char *out = malloc(len + 1);
	z_stream strm = { 0 };
	int ret = Z_OK;

	assert_non_null(out);
	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	for (size_t pos = 0; ret == Z_OK;) {
		size_t nr = in_step && in_step < packed->len - pos ? in_step : packed->len - pos;

		strm.next_in = packed->data + pos;
		strm.avail_in = (uInt)nr;
		pos += nr;
		do {
			size_t left = len + 1 - strm.total_out;

			strm.next_out = out + strm.total_out;
			strm.avail_out = (uInt)(room < left ? room : left);
			ret = ours.inflate(&strm, Z_NO_FLUSH);
			if (ret != Z_OK && ret != Z_STREAM_END &&
			    (ret != Z_BUF_ERROR || strm.avail_in))
				fail_msg("inflate() said %d (%s) after %lu bytes", ret,
					 strm.msg ? strm.msg : "", strm.total_out);
			ret = ret == Z_BUF_ERROR ? Z_OK : ret;
		} while (ret == Z_OK && (strm.avail_in || !strm.avail_out));
	}
	assert_int_equal(strm.total_in, packed->len - TAIL_LEN);
	assert_int_equal(strm.total_out, len);
	assert_memory_equal(out, plain, len);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	free(out);
	tell(0);
}

static void inflate_serial(int wbits)
{
	size_t len = 4 * (size_t)BLOCK;
	unsigned char *plain = repeated(len / BLOCK);
	struct buf packed = { 0 };

	deflate_all(&ref, wbits, 1, Z_DEFAULT_STRATEGY, plain, len, &packed);
	buf_add(&packed, "tail", TAIL_LEN);
	inflate_plan(wbits, &packed, packed.len / (REQUESTS + 1), len, plain, len);
	buf_free(&packed);
	free(plain);
}

/* What was flushed is all there when the flush was read: with less, whoever waits for it waits for ever. */
static void inflate_flushes(int wbits)
{
	unsigned char *plain = repeated(1), *back = malloc(SERIAL_PIECE + 1);
	z_stream strm = { .next_in = plain }, in = { 0 };
	struct buf packed = { 0 };
	int ret;

	assert_int_equal(ref.deflateInit2_(&strm, 1, Z_DEFLATED, wbits, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	assert_int_equal(inflateInit2(&in, wbits), Z_OK);
	for (size_t i = 0; i < REQUESTS; i++) {
		packed.len = 0;
		strm.next_out = buf_room(&packed, 2 * SERIAL_PIECE);
		strm.avail_out = 2 * SERIAL_PIECE;
		strm.avail_in = SERIAL_PIECE;
		assert_int_equal(ref.deflate(&strm, Z_SYNC_FLUSH), Z_OK);
		in.next_in = packed.data;
		in.avail_in = 2 * SERIAL_PIECE - strm.avail_out;
		in.next_out = back;
		in.avail_out = SERIAL_PIECE + 1;
		ret = ours.inflate(&in, Z_NO_FLUSH);
		if (ret || in.avail_in || in.avail_out != 1)
			fail_msg("flush %zu: inflate() said %d, %u bytes of input and %u of room are left",
				 i, ret, in.avail_in, in.avail_out);
		assert_memory_equal(back, plain + i * SERIAL_PIECE, SERIAL_PIECE);
	}
	ref.deflateEnd(&strm);
	assert_int_equal(ours.inflateEnd(&in), Z_OK);
	buf_free(&packed);
	free(plain);
	free(back);
	tell(0);
}

/* Parts that another queue each may take, and the caller has it all. */
static void inflate_parts(int wbits)
{
	unsigned char *plain = repeated(2);
	struct buf packed = { 0 };
	z_stream strm = { .next_in = plain };

	assert_int_equal(ref.deflateInit2_(&strm, 1, Z_DEFLATED, wbits, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_out = buf_room(&packed, 2 * BLOCK);
	strm.avail_out = 2 * BLOCK;
	for (size_t i = 0; i < REQUESTS; i++) {
		strm.avail_in = 2 * BLOCK / REQUESTS;
		assert_int_equal(ref.deflate(&strm, i + 1 < REQUESTS ? Z_FULL_FLUSH : Z_FINISH),
				 i + 1 < REQUESTS ? Z_OK : Z_STREAM_END);
	}
	packed.len = strm.total_out;
	ref.deflateEnd(&strm);
	buf_add(&packed, "tail", TAIL_LEN);
	inflate_plan(wbits, &packed, 0, 100000, plain, 2 * BLOCK);
	buf_free(&packed);
	free(plain);
}

static void inflate_long(int wbits)
{
	static unsigned char room[1 << 20];
	size_t fed = 0, is_over = 0;
	z_stream strm = { 0 };
	struct endless e;
	int ret;

	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	endless_begin(&e, ENDLESS_NOISE, wbits, 0);
	do {
		if (fed < LONG_PACKED) {
			endless_more(&e);
		} else {
			endless_end(&e);
			is_over = 1;
		}
		fed += e.packed.len;
		strm.next_in = e.packed.data;
		strm.avail_in = (uInt)e.packed.len;
		do {
			uint64_t pos = strm.total_out;

			strm.next_out = room;
			strm.avail_out = sizeof(room);
			ret = ours.inflate(&strm, Z_NO_FLUSH);
			if (ret != Z_OK && ret != Z_STREAM_END &&
			    (ret != Z_BUF_ERROR || strm.avail_in))
				fail_msg("inflate() said %d (%s) after %lu bytes of input, %lu of "
					 "output",
					 ret, strm.msg ? strm.msg : "", strm.total_in,
					 strm.total_out);
			endless_check(ENDLESS_NOISE, pos, room, sizeof(room) - strm.avail_out);
		} while (ret == Z_OK && (strm.avail_in || !strm.avail_out));
	} while (!is_over);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_in, fed);
	assert_int_equal(strm.total_out, e.plain_len);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	endless_free(&e);
	tell(0);
}

static const struct plan {
	const char *name;
	void (*run)(int wbits);
	int is_deflate;
	int is_serial; /* a request at a time, REQUESTS of them */
} plans[] = {
	{ "deflate, a flush a request", deflate_serial, 1, 1 },
	{ "deflate, in units", deflate_units, 1, 0 },
	{ "inflate, a request a call", inflate_serial, 0, 1 },
	{ "inflate, in parts", inflate_parts, 0, 0 },
	{ "inflate, long", inflate_long, 0, 0 },
	{ "inflate, a flush a call", inflate_flushes, 0, 1 },
};

enum { LONG = 4, FLUSHES = 5 }; /* of plans */

static const struct fault {
	const char *kind; /* before the '@' */
	const char *many; /* behind the request's number: "", "+" */
	unsigned int timeout_ms;
	int is_error;	 /* and counted as such, where requests come one at a time */
	int needs_proof; /* only ZWD_VERIFY sees it, 1: but for what a checksum of the stream's tells */
} faults[] = {
	{ "error", "", 5000, 1, 0 },   { "error=0x10", "+", 5000, 1, 0 },
	{ "short", "", 5000, 0, 0 },   { "checksum", "", 5000, 0, 0 },
	{ "corrupt", "", 5000, 0, 1 }, { "hang", "", 40, 1, 0 },
	{ "reset", "", 5000, 1, 0 },   { "gone", "", 5000, 1, 0 },
	{ "gone=1", "", 5000, 1, 0 },  { "late=3", "", 30000, 0, 0 },
	{ "late=200", "", 20, 0, 0 },  { "busy", "", 5000, 0, 0 },
	{ "busy", "+", 5000, 0, 0 },   { "lie", "", 5000, 0, 2 },
	{ "lie", "+", 60, 0, 2 },      { "lie=consumed", "", 5000, 0, 2 },
	{ "lie=produced", "", 5000, 0, 2 }, { "lie=status", "", 5000, 0, 2 },
	{ "lie=context", "", 5000, 0, 2 },  { "lie=twice", "", 5000, 0, 2 },
};

static void run(const struct plan *p, int wbits, const char *script, unsigned int timeout_ms,
		int verify, struct outcome *o)
{
	char device[256], timeout[64], bits[16];
	const char *settings[] = {
		device,		 timeout,	 verify ? "ZWD_VERIFY=1" : "ZWD_VERIFY=0",
		"ZWD_ENGINE=hw", "ZWD_UNIT=64K", NULL
	};
	const char *args[] = { p->name, bits, NULL }, *told;
	struct buf out = { 0 };
	int status;

	snprintf(device, sizeof(device), "WD_DEVICE=emu:threads=2%s%s", *script ? ",fault=" : "",
		 script);
	snprintf(timeout, sizeof(timeout), "ZWD_TIMEOUT_MS=%u", timeout_ms);
	snprintf(bits, sizeof(bits), "%d", wbits);
	status = run_again(settings, args, &out);
	buf_add(&out, "", 1);
	told = strstr((const char *)out.data, "told ");
	if (status || !told ||
	    sscanf(told, "told %llu %llu %llu", &o->requests, &o->errors, &o->mismatches) != 3)
		fail_msg("%s, window bits %d, %s %s ZWD_VERIFY=%d: status 0x%x", p->name, wbits,
			 device, timeout, verify, status);
	buf_free(&out);
}

static void fault_at(const struct plan *p, const struct fault *f, int wbits, unsigned int at)
{
	int verify = f->needs_proof > 1 || (f->needs_proof && (p->is_deflate || wbits < 0));
	struct outcome o;
	char script[64];

	snprintf(script, sizeof(script), "%s@%u%s", f->kind, at, f->many);
	run(p, wbits, script, f->timeout_ms, verify, &o);
	if (f->is_error && p->is_serial && !o.errors)
		fail_msg("%s, window bits %d, fault=%s: no error was counted", p->name, wbits,
			 script);
}

static void every_kind(void **state)
{
	const struct plan *p = *state;
	struct outcome o;

	run(p, 15, "", 30000, 0, &o);
	assert_int_equal(o.errors, 0);
	assert_true(o.requests >= REQUESTS || p->run == inflate_parts);
	for (size_t f = 0; f < NR(faults); f++)
		for (unsigned int at = 1 + (test_is_long() ? 0 : (unsigned int)f % STRIDE);
		     at <= REQUESTS; at += test_is_long() ? 1 : STRIDE)
			for (size_t w = 0; w < NR(wrappers); w++)
				if (test_is_long() || w == (at + f) % NR(wrappers))
					fault_at(p, &faults[f], wrappers[w], at);
}

static void nothing_is_held_back_at_a_flush(void **state)
{
	static const struct fault lie = { "lie=produced", "", 5000, 0, 2 };

	for (unsigned int at = 1; at <= REQUESTS; at += test_is_long() ? 1 : STRIDE)
		fault_at(&plans[FLUSHES], &lie, wrappers[at % NR(wrappers)], at);
}

static void anywhere_in_a_long_stream(void **state)
{
	static const char *const kinds[] = { "error",  "hang",	   "reset",    "short",
					     "gone=1", "checksum", "late=150", "corrupt" };
	unsigned int runs = test_is_long() ? 60 : 6;
	struct outcome o;
	uint64_t requests;

	run(&plans[LONG], 31, "", 30000, 0, &o);
	requests = o.requests;
	assert_true(requests >= REQUESTS);
	for (unsigned int i = 0; i < runs; i++) {
		int wbits = wrappers[i % NR(wrappers)];
		char script[256];
		size_t len = 0;

		for (size_t f = 0; f < LONG_FAULTS; f++) {
			/* A raw stream has no check that could tell. */
			size_t kind = (i + f) % (NR(kinds) - (wbits < 0));
			/* Half of them in its second half. */
			uint64_t nr = 1 + (f % 2 ? requests / 2 : 0) +
				      test_random_below(f % 2 ? requests / 2 : requests);

			len += (size_t)snprintf(script + len, sizeof(script) - len, "%s%s@%llu",
						f ? "/" : "", kinds[kind], (unsigned long long)nr);
		}
		run(&plans[LONG], wbits, script, 100, 0, &o);
	}
}

static int child_bits;

static void in_the_child(void **state)
{
	((const struct plan *)*state)->run(child_bits);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{ plans[0].name, every_kind, NULL, NULL, (void *)&plans[0] },
		{ plans[1].name, every_kind, NULL, NULL, (void *)&plans[1] },
		{ plans[2].name, every_kind, NULL, NULL, (void *)&plans[2] },
		{ plans[3].name, every_kind, NULL, NULL, (void *)&plans[3] },
		cmocka_unit_test(nothing_is_held_back_at_a_flush),
		cmocka_unit_test(anywhere_in_a_long_stream),
	};

	test_begin(is_again(argc, argv) ? 60 : test_is_long() ? 4 * 3600 : 180);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]); /* one plan alone, by its name */
	if (!is_again(argc, argv))
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < NR(plans); i++)
		if (argc > 3 && !strcmp(argv[2], plans[i].name)) {
			child_bits = atoi(argv[3]);
			return again_as_test(argv[2], in_the_child, (void *)&plans[i]);
		}
	return 99;
}
