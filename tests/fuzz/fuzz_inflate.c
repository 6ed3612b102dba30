/* SPDX-License-Identifier: Zlib */
/* Any bytes, in any pieces: our inflate() says what the system's zlib says. */
#include "config.h"
#include "driver.h"
#include "stock.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 };

struct result {
	int ret;
	size_t len;
	unsigned char *out;
};

static const int wrappers[] = { 15, 31, -15, 47 };

static void setup(void)
{
	stock_open();
	setenv("WD_DEVICE", "emu", 0);
	setenv("ZWD_ENGINE", "hw", 0);
}

static const struct zlib_api ours = {
	.inflateInit2_ = inflateInit2_,
	.inflate = inflate,
	.inflateEnd = inflateEnd,
};

static void decode(const struct zlib_api *z, int wbits, const uint8_t *data, size_t len,
		   size_t in_step, size_t out_step, struct result *result)
{
	z_stream strm = { 0 };
	size_t pos = 0;

	result->len = 0;
	result->ret = z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm));
	check(result->ret == Z_OK, "inflateInit2: %d", result->ret);
	do {
		size_t room = out_step < MOST - result->len ? out_step : MOST - result->len;

		if (!strm.avail_in) {
			size_t nr = in_step < len - pos ? in_step : len - pos;

			strm.next_in = (z_const Bytef *)data + pos;
			strm.avail_in = (uInt)nr;
			pos += nr;
		}
		strm.next_out = result->out + result->len;
		strm.avail_out = (uInt)room;
		result->ret = z->inflate(&strm, Z_NO_FLUSH);
		result->len += room - strm.avail_out;
	} while (result->ret == Z_OK && result->len < MOST);
	check(z->inflateEnd(&strm) == Z_OK, "inflateEnd");
}

static void run(const uint8_t *data, size_t len)
{
	static const size_t steps[] = { 1 << 20, 1, 7, 300, 5000 };
	static unsigned char out[2][MOST];
	struct result got = { .out = out[0] }, want = { .out = out[1] };
	size_t in_step, out_step, common;
	int wbits;

	if (len < 2)
		return;
	wbits = wrappers[data[0] % 4];
	in_step = steps[data[0] / 4 % 5];
	out_step = steps[data[1] % 5];
	decode(&ours, wbits, data + 2, len - 2, in_step, out_step, &got);
	decode(&stock, wbits, data + 2, len - 2, in_step, out_step, &want);

	common = got.len < want.len ? got.len : want.len;
	check(!memcmp(got.out, want.out, common), "output differs, %zu and %zu bytes", got.len,
	      want.len);
	/* Of a raw stream engines may differ in which incomplete codes they take. */
	check(got.ret == want.ret || wbits < 0, "inflate: %d, zlib %d", got.ret, want.ret);
	check(got.ret != want.ret || got.ret != Z_STREAM_END || got.len == want.len,
	      "%zu bytes, zlib %zu", got.len, want.len);
}

/* A stream, or some one behind the other, in the wrapper that it is taken for. */
static size_t make(struct random *r, uint8_t *data, size_t room)
{
	static unsigned char plain[1 << 15];
	size_t len = 2;
	int wbits;

	data[0] = (uint8_t)random_next(r);
	data[1] = (uint8_t)random_next(r);
	wbits = wrappers[data[0] % 4];
	do {
		size_t plain_len = random_below(r, random_below(r, 3) ? 300 : sizeof(plain));
		unsigned int values = 1 + (unsigned int)random_below(r, 256);
		z_stream strm = { .next_in = plain, .avail_in = (uInt)(plain_len / 2) };
		int ret;

		for (size_t i = 0; i < plain_len; i++)
			plain[i] = (unsigned char)(random_next(r) % values);
		ret = stock.deflateInit2_(&strm, (int)random_below(r, 10), Z_DEFLATED,
					  wbits == 47 ? 31 : wbits, 8, (int)random_below(r, 5),
					  ZLIB_VERSION, (int)sizeof(strm));
		check(ret == Z_OK, "deflateInit2: %d", ret);
		strm.next_out = data + len;
		strm.avail_out = (uInt)(room - len);
		stock.deflate(&strm, (int)random_below(r, 4));
		strm.avail_in += (uInt)(plain_len - plain_len / 2);
		stock.deflate(&strm, Z_FINISH);
		len = room - strm.avail_out;
		stock.deflateEnd(&strm);
	} while (!random_below(r, 4));
	return len;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_inflate",
	.len_max = 1 << 15,
	.limit_s = 20,
	.setup = setup,
	.make = make,
	.run = run,
};
