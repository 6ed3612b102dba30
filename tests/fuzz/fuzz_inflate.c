/* SPDX-License-Identifier: Zlib */
/* Any bytes, in any pieces: our inflate() says what the system's zlib says. */
#include "config.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 20 };

struct api {
	__typeof__(inflateInit2_) *init;
	__typeof__(inflate) *run;
	__typeof__(inflateEnd) *end;
};

struct result {
	int ret;
	size_t len;
	unsigned char *out;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct api ours = { inflateInit2_, inflate, inflateEnd };
static struct api ref;

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

static void decode(const struct api *z, int wbits, const uint8_t *data, size_t len, size_t in_step,
		   size_t out_step, struct result *result)
{
	z_stream strm = { 0 };
	size_t pos = 0;

	result->len = 0;
	result->ret = z->init(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm));
	if (result->ret)
		abort();
	do {
		size_t room = out_step < MOST - result->len ? out_step : MOST - result->len;

		if (!strm.avail_in) {
			size_t nr = in_step < len - pos ? in_step : len - pos;

			strm.next_in = (z_const Bytef *)data + pos;
			strm.avail_in = nr;
			pos += nr;
		}
		strm.next_out = result->out + result->len;
		strm.avail_out = room;
		result->ret = z->run(&strm, Z_NO_FLUSH);
		result->len += room - strm.avail_out;
	} while (result->ret == Z_OK && result->len < MOST);
	if (z->end(&strm))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int wrappers[] = { 15, 31, -15, 47 };
	static const size_t steps[] = { 1 << 20, 1, 7, 300, 5000 };
	static unsigned char out[2][MOST];
	struct result got = { .out = out[0] }, want = { .out = out[1] };
	size_t in_step, out_step, common;
	int wbits;

	if (len < 2)
		return 0;
	wbits = wrappers[data[0] % 4];
	in_step = steps[data[0] / 4 % 5];
	out_step = steps[data[1] % 5];
	decode(&ours, wbits, data + 2, len - 2, in_step, out_step, &got);
	decode(&ref, wbits, data + 2, len - 2, in_step, out_step, &want);

	common = got.len < want.len ? got.len : want.len;
	if (memcmp(got.out, want.out, common))
		abort();
	/* Of a raw stream engines may differ in which incomplete codes they take. */
	if (got.ret != want.ret && wbits > 0)
		abort();
	if (got.ret == want.ret && got.ret == Z_STREAM_END && got.len != want.len)
		abort();
	return 0;
}
