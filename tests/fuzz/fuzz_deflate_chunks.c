/* SPDX-License-Identifier: Zlib */
/* A script of calls taken from the input: whatever a program does, the stream inflates to its data.
 */
#include "config.h"

#include "driver.h"
#include "stock.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 18 };

static unsigned char plain[MOST], packed[4 * MOST + 100000], back[MOST];

static void setup(void)
{
	stock_open();
	setenv("WD_DEVICE", "emu", 0);
	setenv("ZWD_ENGINE", "hw", 0);
}

static void assert_inflates(int wbits, size_t packed_len, size_t len)
{
	z_stream strm = { .next_in = packed, .avail_in = packed_len };

	int ret = stock.inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm));

	check(ret == Z_OK, "inflateInit2: %d", ret);
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	ret = stock.inflate(&strm, Z_FINISH);
	check(ret == Z_STREAM_END, "inflate: %d, %s", ret, strm.msg);
	check(strm.avail_in == 0 && strm.total_out == len && !memcmp(back, plain, len),
	      "it inflates to %lu bytes of %zu, %u are left", strm.total_out, len, strm.avail_in);
	stock.inflateEnd(&strm);
}

/* Runs a call that may want more room than it was given; the rest of its room comes at the end. */
static void room(z_stream *strm, size_t nr)
{
	size_t left = sizeof(packed) - strm->total_out;

	strm->next_out = packed + strm->total_out;
	strm->avail_out = nr < left ? nr : left;
}

static void run(const uint8_t *data, size_t len)
{
	static const int wrappers[] = { 15, 31, -15, 9, 12 };
	static const size_t rooms[] = { 1, 6, 7, 200, 1000, 70000, sizeof(packed) };
	z_stream strm = { 0 }, copy;
	size_t used = 0, pos, i;
	int wbits, ret;

	if (len < 3)
		return;
	wbits = wrappers[data[0] % 5];
	ret = deflateInit2(&strm, data[1] % 11 - 1, Z_DEFLATED, wbits, 1 + data[2] % 9,
			   data[2] / 9 % 5);
	check(ret == Z_OK, "deflateInit2: %d", ret);
	for (pos = 3; pos + 2 < len; pos += 3) {
		uint8_t op = data[pos], how = data[pos + 1], size = data[pos + 2];

		room(&strm, rooms[how % 7]);
		switch (op % 8) {
		default: { /* some input with some flush */
			size_t nr = (size_t)size * size * (1 + op / 64);

			nr = nr < MOST - used ? nr : MOST - used;
			for (i = 0; i < nr; i++)
				plain[used + i] =
					how & 1 ? (used + i) * 40503u >> 7 : size + i % 17;
			strm.next_in = plain + used;
			strm.avail_in = nr;
			ret = deflate(&strm, how / 7 % 6 == Z_FINISH ? Z_NO_FLUSH : how / 7 % 6);
			check(ret == Z_OK || ret == Z_BUF_ERROR, "deflate: %d", ret);
			used += nr - strm.avail_in;
			break;
		}
		case 5:
			strm.avail_in = 0;
			ret = deflateParams(&strm, how % 11 - 1, size % 5);
			check(ret == Z_OK || ret == Z_BUF_ERROR, "deflateParams: %d", ret);
			break;
		case 6:
			ret = deflateCopy(&copy, &strm);
			check(ret == Z_OK, "deflateCopy: %d", ret);
			deflateEnd(&strm);
			/* Back to where its owner keeps it: a stream knows its struct. */
			ret = deflateCopy(&strm, &copy);
			check(ret == Z_OK, "deflateCopy back: %d", ret);
			deflateEnd(&copy);
			break;
		case 7:
			if (size % 4)
				break;
			ret = deflateReset(&strm);
			check(ret == Z_OK, "deflateReset: %d", ret);
			used = 0;
			break;
		}
		if (strm.total_out > sizeof(packed) - 3 * MOST)
			break;
	}
	strm.avail_in = 0;
	do {
		room(&strm, sizeof(packed));
		ret = deflate(&strm, Z_FINISH);
	} while (ret == Z_OK);
	check(ret == Z_STREAM_END && strm.total_in == used,
	      "deflate at the end: %d, %lu bytes of %zu", ret, strm.total_in, used);
	assert_inflates(wbits, strm.total_out, used);
	ret = deflateEnd(&strm);
	check(ret == Z_OK, "deflateEnd: %d", ret);
}

static size_t make(struct random *r, uint8_t *data, size_t room)
{
	size_t len = 3 + 3 * random_below(r, random_below(r, 4) ? 12 : 100);

	(void)room;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_next(r);
	return len;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_deflate_chunks",
	.len_max = 1024,
	.limit_s = 20,
	.setup = setup,
	.make = make,
	.run = run,
};
