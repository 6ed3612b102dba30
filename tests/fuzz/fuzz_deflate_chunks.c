/* SPDX-License-Identifier: Zlib */
/* A script of calls taken from the input: whatever a program does, the stream inflates to its data. */
#include "config.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 18 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct {
	__typeof__(inflateInit2_) *init;
	__typeof__(inflate) *run;
	__typeof__(inflateEnd) *end;
} ref;

static unsigned char plain[MOST], packed[4 * MOST + 100000], back[MOST];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	void *lib = dlmopen(LM_ID_NEWLM, SOFT_ZLIB_PATH, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		abort();
	ref.init = (__typeof__(inflateInit2_) *)dlsym(lib, "inflateInit2_");
	ref.run = (__typeof__(inflate) *)dlsym(lib, "inflate");
	ref.end = (__typeof__(inflateEnd) *)dlsym(lib, "inflateEnd");
	setenv("WD_DEVICE", "emu", 0);
	setenv("ZWD_ENGINE", "hw", 0);
	return 0;
}

static void check(int ok)
{
	if (!ok)
		abort();
}

static void assert_inflates(int wbits, size_t packed_len, size_t len)
{
	z_stream strm = { .next_in = packed, .avail_in = packed_len };

	check(ref.init(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	check(ref.run(&strm, Z_FINISH) == Z_STREAM_END);
	check(strm.avail_in == 0 && strm.total_out == len && !memcmp(back, plain, len));
	ref.end(&strm);
}

/* Runs a call that may want more room than it was given; the rest of its room comes at the end. */
static void room(z_stream *strm, size_t nr)
{
	size_t left = sizeof(packed) - strm->total_out;

	strm->next_out = packed + strm->total_out;
	strm->avail_out = nr < left ? nr : left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int wrappers[] = { 15, 31, -15, 9, 12 };
	static const size_t rooms[] = { 1, 6, 7, 200, 1000, 70000, sizeof(packed) };
	z_stream strm = { 0 }, copy;
	size_t used = 0, pos, i;
	int wbits, ret;

	if (len < 3)
		return 0;
	wbits = wrappers[data[0] % 5];
	check(deflateInit2(&strm, data[1] % 11 - 1, Z_DEFLATED, wbits, 1 + data[2] % 9,
			   data[2] / 9 % 5) == Z_OK);
	for (pos = 3; pos + 2 < len; pos += 3) {
		uint8_t op = data[pos], how = data[pos + 1], size = data[pos + 2];

		room(&strm, rooms[how % 7]);
		switch (op % 8) {
		default: { /* some input with some flush */
			size_t nr = (size_t)size * size * (1 + op / 64);

			nr = nr < MOST - used ? nr : MOST - used;
			for (i = 0; i < nr; i++)
				plain[used + i] = how & 1 ? (used + i) * 40503u >> 7 : size + i % 17;
			strm.next_in = plain + used;
			strm.avail_in = nr;
			ret = deflate(&strm, how / 7 % 6 == Z_FINISH ? Z_NO_FLUSH : how / 7 % 6);
			check(ret == Z_OK || ret == Z_BUF_ERROR);
			used += nr - strm.avail_in;
			break;
		}
		case 5:
			strm.avail_in = 0;
			ret = deflateParams(&strm, how % 11 - 1, size % 5);
			check(ret == Z_OK || ret == Z_BUF_ERROR);
			break;
		case 6:
			check(deflateCopy(&copy, &strm) == Z_OK);
			deflateEnd(&strm);
			/* Back to where its owner keeps it: a stream knows its struct. */
			check(deflateCopy(&strm, &copy) == Z_OK);
			deflateEnd(&copy);
			break;
		case 7:
			if (size % 4)
				break;
			check(deflateReset(&strm) == Z_OK);
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
	check(ret == Z_STREAM_END && strm.total_in == used);
	assert_inflates(wbits, strm.total_out, used);
	check(deflateEnd(&strm) == Z_OK);
	return 0;
}
