/* SPDX-License-Identifier: Zlib */
/*
 * Functions taken by dlsym() from libz.so.1 itself, as ctypes, Fiddle and LuaJIT take them, work
 * among themselves, in whatever order they are used first: inner FIRST. With a last argument, gzip
 * files and compress() must work too.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static struct {
#define FUNCTIONS(X)                                                                               \
	X(deflateInit_) X(deflateInit2_) X(deflate) X(deflateEnd) X(deflateReset) X(deflateCopy)   \
	X(deflateParams) X(deflateBound) X(inflateInit_) X(inflateInit2_) X(inflate) X(inflateEnd) \
	X(inflateReset) X(inflateReset2) X(inflateCopy) X(inflateSync) X(inflateBackInit_)         \
	X(inflateBack) X(inflateBackEnd) X(compress) X(uncompress) X(gzopen) X(gzwrite) X(gzread)  \
	X(gzclose) X(crc32) X(zlibVersion)
#define X(name) __typeof__(&name) name;
	FUNCTIONS(X)
#undef X
} z;

static unsigned char plain[100000], packed[110000], back[100000];
static size_t packed_len;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("line %d: %s\n", __LINE__, #what);                                  \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static void run_deflate(z_stream *strm)
{
	strm->next_in = plain;
	strm->avail_in = sizeof(plain);
	strm->next_out = packed;
	strm->avail_out = sizeof(packed);
	CHECK(z.deflate(strm, Z_FINISH) == Z_STREAM_END);
	packed_len = strm->total_out;
}

static void run_inflate(z_stream *strm)
{
	memset(back, 0, sizeof(back));
	strm->next_in = packed;
	strm->avail_in = (uInt)packed_len;
	strm->next_out = back;
	strm->avail_out = sizeof(back);
	CHECK(z.inflate(strm, Z_FINISH) == Z_STREAM_END);
	CHECK(!memcmp(plain, back, sizeof(plain)));
}

static void all_of_deflate(z_stream *strm)
{
	z_stream copy;

	CHECK(z.deflateParams(strm, 1, Z_DEFAULT_STRATEGY) == Z_OK);
	CHECK(z.deflateBound(strm, 1000) >= 1000);
	CHECK(z.deflateCopy(&copy, strm) == Z_OK);
	run_deflate(&copy);
	CHECK(z.deflateEnd(&copy) == Z_OK);
	run_deflate(strm);
	CHECK(z.deflateReset(strm) == Z_OK);
	run_deflate(strm);
	CHECK(z.deflateEnd(strm) == Z_OK);
}

static void all_of_inflate(z_stream *strm)
{
	z_stream copy;

	CHECK(z.inflateCopy(&copy, strm) == Z_OK);
	run_inflate(&copy);
	CHECK(z.inflateEnd(&copy) == Z_OK);
	run_inflate(strm);
	CHECK(z.inflateReset(strm) == Z_OK);
	run_inflate(strm);
	CHECK(z.inflateReset2(strm, 15) == Z_OK);
	run_inflate(strm);
	CHECK(z.inflateEnd(strm) == Z_OK);
}

static void deflate_init(void)
{
	z_stream strm = { 0 };

	CHECK(z.deflateInit_(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	all_of_deflate(&strm);
}

static void deflate_init2(void)
{
	z_stream strm = { 0 };

	CHECK(z.deflateInit2_(&strm, 6, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	all_of_deflate(&strm);
}

/* A stored block, so that this can be first. */
static void have_packed(void)
{
	unsigned int a = 1, b = 0;

	if (packed_len)
		return;
	memcpy(packed, "\x78\x01", 2);
	packed_len = 2;
	for (size_t at = 0, len; at < sizeof(plain); at += len, packed_len += len + 5) {
		unsigned char *block = packed + packed_len;

		len = sizeof(plain) - at < 65535 ? sizeof(plain) - at : 65535;
		block[0] = at + len == sizeof(plain);
		block[1] = len & 255;
		block[2] = len >> 8;
		block[3] = block[1] ^ 255;
		block[4] = block[2] ^ 255;
		memcpy(block + 5, plain + at, len);
	}
	for (size_t i = 0; i < sizeof(plain); i++) {
		a = (a + plain[i]) % 65521;
		b = (b + a) % 65521;
	}
	packed[packed_len++] = b >> 8;
	packed[packed_len++] = b & 255;
	packed[packed_len++] = a >> 8;
	packed[packed_len++] = a & 255;
}

static void inflate_init(void)
{
	z_stream strm = { 0 };

	have_packed();
	CHECK(z.inflateInit_(&strm, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	all_of_inflate(&strm);
}

static void inflate_init2(void)
{
	z_stream strm = { 0 };

	have_packed();
	CHECK(z.inflateInit2_(&strm, 15, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	all_of_inflate(&strm);
}

static unsigned int pull(void *desc, z_const unsigned char **buf)
{
	size_t *at = desc, len = packed_len - 2 - *at;

	*buf = packed + 2 + *at;
	*at += len;
	return (unsigned int)len;
}

static int push(void *desc, unsigned char *buf, unsigned int len)
{
	size_t *at = desc;

	memcpy(back + *at, buf, len);
	*at += len;
	return 0;
}

static void inflate_back(void)
{
	static unsigned char window[32768];
	size_t in = 0, out = 0;
	z_stream strm = { 0 };

	have_packed();
	CHECK(z.inflateBackInit_(&strm, 15, window, ZLIB_VERSION, (int)sizeof(strm)) == Z_OK);
	CHECK(z.inflateBack(&strm, pull, &in, push, &out) == Z_STREAM_END);
	CHECK(out == sizeof(plain) && !memcmp(plain, back, sizeof(plain)));
	CHECK(z.inflateBackEnd(&strm) == Z_OK);
}

static void one_shot(void)
{
	uLongf len = sizeof(packed), back_len = sizeof(back);

	CHECK(z.compress(packed, &len, plain, sizeof(plain)) == Z_OK);
	packed_len = len;
	CHECK(z.uncompress(back, &back_len, packed, len) == Z_OK);
	CHECK(back_len == sizeof(plain) && !memcmp(plain, back, sizeof(plain)));
}

static void files(void)
{
	char path[] = "/tmp/zwd-inner.XXXXXX";
	gzFile file;

	close(mkstemp(path));
	file = z.gzopen(path, "wb");
	CHECK(file);
	CHECK(z.gzwrite(file, plain, sizeof(plain)) == sizeof(plain));
	CHECK(z.gzclose(file) == Z_OK);
	file = z.gzopen(path, "rb");
	CHECK(file);
	CHECK(z.gzread(file, back, sizeof(back)) == sizeof(back));
	CHECK(z.gzclose(file) == Z_OK);
	unlink(path);
	CHECK(!memcmp(plain, back, sizeof(plain)));
}

static void (*const all[])(void) = { deflate_init, deflate_init2, inflate_init, inflate_init2,
				     inflate_back, one_shot,	  files };

int main(int argc, char **argv)
{
	size_t nr = sizeof(all) / sizeof(all[0]), first = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	void *lib = dlopen("libz.so.1", RTLD_LAZY | RTLD_LOCAL);

	if (!lib || first >= nr)
		return 99;
#define X(name)                                                                                    \
	if (!(*(void **)&z.name = dlsym(lib, #name)))                                              \
		return 99;
	FUNCTIONS(X)
#undef X
	alarm(180);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * i >> 7) % 23 + 'a';
	for (size_t i = 0; i < nr; i++)
		all[(first + i) % nr]();
	return 0;
}
