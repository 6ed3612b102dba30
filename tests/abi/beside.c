/* SPDX-License-Identifier: Zlib */
/*
 * A program that opens a zlib and this library beside it, neither for others: each zlib's functions call their own, also
 * after this one has used a device.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct api {
	__typeof__(&deflateInit_) init;
	__typeof__(&deflateReset) reset;
	__typeof__(&deflate) run;
	__typeof__(&deflateEnd) end;
	__typeof__(&inflateInit_) back_init;
	__typeof__(&inflateReset) back_reset;
	__typeof__(&inflate) back_run;
	__typeof__(&inflateEnd) back_end;
};

static unsigned char plain[100000], packed[110000], back[100000];

static void fail(const char *what)
{
	fprintf(stderr, "beside: %s\n", what);
	exit(1);
}

static void open_api(struct api *api, const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		fail(dlerror());
	*(void **)&api->init = dlsym(lib, "deflateInit_");
	*(void **)&api->reset = dlsym(lib, "deflateReset");
	*(void **)&api->run = dlsym(lib, "deflate");
	*(void **)&api->end = dlsym(lib, "deflateEnd");
	*(void **)&api->back_init = dlsym(lib, "inflateInit_");
	*(void **)&api->back_reset = dlsym(lib, "inflateReset");
	*(void **)&api->back_run = dlsym(lib, "inflate");
	*(void **)&api->back_end = dlsym(lib, "inflateEnd");
	if (!api->init || !api->reset || !api->run || !api->end || !api->back_init || !api->back_reset ||
	    !api->back_run || !api->back_end)
		fail("a function is missing");
}

static void round_trip(const struct api *api)
{
	z_stream s = { 0 }, t = { 0 };

	if (api->init(&s, 6, ZLIB_VERSION, sizeof(s)) || api->reset(&s))
		fail("deflate is not opened");
	s.next_in = plain;
	s.avail_in = sizeof(plain);
	s.next_out = packed;
	s.avail_out = sizeof(packed);
	if (api->run(&s, Z_FINISH) != Z_STREAM_END || api->end(&s))
		fail("deflate");
	if (api->back_init(&t, ZLIB_VERSION, sizeof(t)) || api->back_reset(&t))
		fail("inflate is not opened");
	t.next_in = packed;
	t.avail_in = (uInt)s.total_out;
	t.next_out = back;
	t.avail_out = sizeof(back);
	if (api->back_run(&t, Z_FINISH) != Z_STREAM_END || api->back_end(&t) || t.total_out != sizeof(plain) ||
	    memcmp(plain, back, sizeof(plain)))
		fail("inflate");
}

int main(void)
{
	const char *own = getenv("LIBZWD"), *other = getenv("SOFT_ZLIB");
	struct api ours, theirs;

	if (!own || !other)
		return 99;
	setenv("WD_DEVICE", "emu", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * i >> 7);
	open_api(&theirs, other);
	open_api(&ours, own);
	for (int i = 0; i < 3; i++) {
		round_trip(&theirs);
		round_trip(&ours);
	}
	return 0;
}
