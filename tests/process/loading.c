/* SPDX-License-Identifier: Zlib */
/* A program without zlib: plug-ins bring it and take it away, or it is asked for by name. */
#include "config.h"
#include "denial.h"
#include "plugin.h"
#include "process.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define LEN 100000

static const struct plugin *load(int flags, void **lib)
{
	const struct plugin *p;

	*lib = dlopen(built(".libs/libplugin.so"), flags);
	if (!*lib)
		fail("%s", dlerror());
	p = dlsym(*lib, "plugin");
	check(p);
	return p;
}

static void right(int ret)
{
	if (ret)
		fail("plug-in: %d", ret);
}

static void plugins(const struct row *row)
{
	void *lib;

	for (int i = 0; i < 50; i++) {
		const struct plugin *p = load((int)row->arg, &lib);

		right(p->trip());
		right(p->begin());
		right(p->finish());
		check(!dlclose(lib));
	}
}

/* Its streams are lost with it; and its destructor has streams, too. */
static void plugins_with_streams(const struct row *row)
{
	volatile int told = 0;
	void *lib;

	for (int i = 0; i < 20; i++) {
		const struct plugin *p = load((int)row->arg, &lib);

		right(p->begin());
		if (i & 1)
			p->tell_at_end(&told);
		check(!dlclose(lib));
		if ((i & 1) && told != PLUGIN_RIGHT)
			fail("destructor: %d", told);
		told = 0;
	}
	if (!fork())
		exit(0);
	check(wait(&(int){ 0 }) > 0);
}

/* A link map of its own: what is before everything else is not there. */
static void second_namespace(const struct row *row)
{
	void *lib = dlmopen(LM_ID_NEWLM, built(".libs/libplugin.so"), RTLD_NOW | RTLD_LOCAL),
	     *other;
	const struct plugin *p, *q = load(RTLD_NOW | RTLD_LOCAL, &other);

	(void)row;
	if (!lib)
		cannot("%s", dlerror());
	p = dlsym(lib, "plugin");
	check(p);
	for (int i = 0; i < 5; i++) {
		right(p->begin());
		right(q->begin());
		right(p->finish());
		right(q->finish());
	}
	check(!dlclose(other) && !dlclose(lib));
}

struct functions {
	__typeof__(deflateInit_) *deflate_init;
	__typeof__(deflateInit2_) *deflate_init2;
	__typeof__(deflate) *deflate;
	__typeof__(deflateEnd) *deflate_end;
	__typeof__(inflateInit_) *inflate_init;
	__typeof__(inflateInit2_) *inflate_init2;
	__typeof__(inflate) *inflate;
	__typeof__(inflateEnd) *inflate_end;
	__typeof__(compress) *compress;
	__typeof__(uncompress) *uncompress;
	__typeof__(zlibVersion) *version;
};

static void get(struct functions *f, void *lib)
{
	static const char *const names[] = { "deflateInit_", "deflateInit2_", "deflate",
					     "deflateEnd",   "inflateInit_",  "inflateInit2_",
					     "inflate",	     "inflateEnd",    "compress",
					     "uncompress",   "zlibVersion" };
	void **member = (void **)f;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		member[i] = dlsym(lib, names[i]);
		if (!member[i])
			fail("no %s", names[i]);
	}
}

static void use(const struct functions *f)
{
	static unsigned char plain[LEN], packed[2 * LEN], back[LEN];
	int size = (int)sizeof(z_stream);
	uLongf len = sizeof(packed), back_len = LEN;

	for (int i = 0; i < LEN; i++)
		plain[i] = (unsigned char)"etaoin shrdlu\n"[(i * i + i / 7) % 14];
	check(f->version() && f->version()[0] == '1');
	for (int is_second = 0; is_second < 2; is_second++) {
		z_stream d = { 0 }, b = { 0 };
		int ret = is_second ? f->deflate_init2(&d, 6, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION,
						       size)
				    : f->deflate_init(&d, 6, ZLIB_VERSION, size);

		check(!ret);
		check(!(is_second ? f->inflate_init2(&b, 15, ZLIB_VERSION, size)
				  : f->inflate_init(&b, ZLIB_VERSION, size)));
		d.next_in = plain;
		d.avail_in = LEN;
		d.next_out = packed;
		d.avail_out = sizeof(packed);
		ret = f->deflate(&d, Z_FINISH);
		if (ret != Z_STREAM_END)
			fail("deflate %d", ret);
		b.next_in = packed;
		b.avail_in = d.total_out;
		b.next_out = back;
		b.avail_out = LEN;
		ret = f->inflate(&b, Z_FINISH);
		if (ret != Z_STREAM_END || memcmp(plain, back, LEN))
			fail("inflate %d", ret);
		check(!f->deflate_end(&d) && !f->inflate_end(&b));
	}
	check(!f->compress(packed, &len, plain, LEN));
	check(!f->uncompress(back, &back_len, packed, len) && !memcmp(plain, back, LEN));
}

/* Functions of libz.so.1 itself, as languages with an interface to C take them. */
static void by_name(const struct row *row)
{
	struct functions f;

	for (int i = 0; i < 10; i++) {
		void *lib = dlopen("libz.so.1", (int)row->arg);

		check(lib);
		get(&f, lib);
		use(&f);
		check(!dlclose(lib));
	}
}

static void by_default(const struct row *row)
{
	struct functions f;

	check(dlopen("libz.so.1", RTLD_NOW | RTLD_GLOBAL));
	get(&f, (void *)row->arg);
	use(&f);
}

/* A mixture of both, as in a program that is linked and an extension that asks by name. */
static void by_name_and_linked(const struct row *row)
{
	struct functions own, f;
	void *lib, *zlib = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
	const struct plugin *p = load(RTLD_NOW | RTLD_LOCAL, &lib);

	(void)row;
	check(zlib);
	get(&f, zlib);
	for (int i = 0; i < 5; i++) {
		right(p->begin());
		use(&f);
		right(p->finish());
	}
	check(dlopen("libz.so.1", RTLD_NOW | RTLD_GLOBAL));
	get(&own, RTLD_DEFAULT);
	use(&own);
	use(&f);
}

/* The library is not before everything; it is opened like any other. */
static void opened(const struct row *row)
{
	const char *name = is_stock() ? "libz.so.1" : library();
	struct functions f;

	for (int i = 0; i < 20; i++) {
		void *lib = dlopen(name, (int)row->arg);
		pid_t pid;

		if (!lib)
			fail("%s", dlerror());
		get(&f, lib);
		use(&f);
		if (i % 5 == 0) {
			pid = fork();
			if (!pid) {
				use(&f);
				exit(0);
			}
			child_is_right(pid, "child");
		}
		check(!dlclose(lib));
		if (i % 5 == 1) {
			pid = fork();
			if (!pid)
				exit(0);
			child_is_right(pid, "child after dlclose");
		}
	}
}

/* The first call comes when no file can be opened: that it fails then does not make the next one fail. */
static void opened_without_descriptors(const struct row *row)
{
	void *lib = dlopen(is_stock() ? "libz.so.1" : library(), (int)row->arg);
	struct rlimit limit, none;
	z_stream strm = { 0 };
	struct functions f;

	check(lib && !getrlimit(RLIMIT_NOFILE, &limit));
	get(&f, lib);
	none = (struct rlimit){ 0, limit.rlim_max };
	check(!setrlimit(RLIMIT_NOFILE, &none));
	for (int i = 0; i < 3; i++)
		if (!f.deflate_init(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)))
			f.deflate_end(&strm);
	check(!setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < 3; i++)
		use(&f);
}

static void opened_elsewhere(const struct row *row)
{
	void *lib = dlmopen(LM_ID_NEWLM, is_stock() ? "libz.so.1" : library(), (int)row->arg);
	struct functions f;

	if (!lib)
		fail("%s", dlerror());
	get(&f, lib);
	for (int i = 0; i < 3; i++)
		use(&f);
	check(!dlclose(lib));
}

/* Left open at the end, and a stream with it. */
static void opened_at_end(const struct row *row)
{
	static unsigned char in[300000], out[300000];
	static z_stream strm;
	void *lib = dlopen(is_stock() ? "libz.so.1" : library(), (int)row->arg);
	struct functions f;

	check(lib);
	get(&f, lib);
	check(!f.deflate_init(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)));
	strm.next_in = in;
	strm.avail_in = sizeof(in);
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	check(!f.deflate(&strm, Z_NO_FLUSH));
	exit(0);
}

/* Opened for a device while there was no zlib; now they are for one to do. Which comes first: is_inflate. */
static void finish_by_software(z_stream *deflating, z_stream *inflating, int is_inflate)
{
	static unsigned char plain[LEN], packed[2 * LEN], back[LEN];
	__typeof__(deflateTune) *tune = dlsym(RTLD_DEFAULT, "deflateTune");
	__typeof__(inflatePrime) *prime = dlsym(RTLD_DEFAULT, "inflatePrime");
	struct functions f;

	get(&f, RTLD_DEFAULT);
	for (int i = 0; i < LEN; i++)
		plain[i] = (unsigned char)"etaoin shrdlu\n"[(i * i + i / 7) % 14];
	check(tune && prime);
	if (is_inflate)
		check(!prime(inflating, 0, 0));
	check(!tune(deflating, 8, 16, 128, 128));
	if (!is_inflate)
		check(!prime(inflating, 0, 0));
	deflating->next_in = plain;
	deflating->avail_in = LEN;
	deflating->next_out = packed;
	deflating->avail_out = sizeof(packed);
	check(f.deflate(deflating, Z_FINISH) == Z_STREAM_END);
	inflating->next_in = packed;
	inflating->avail_in = deflating->total_out;
	inflating->next_out = back;
	inflating->avail_out = LEN;
	check(f.inflate(inflating, Z_FINISH) == Z_STREAM_END && !memcmp(plain, back, LEN));
	check(!f.deflate_end(deflating) && !f.inflate_end(inflating));
}

/* What needs no zlib works without one, what does says so, and it is tried again. */
static void no_zlib_at_first(const struct row *row)
{
	__typeof__(deflateInit_) *deflate_init = dlsym(RTLD_DEFAULT, "deflateInit_");
	__typeof__(inflateInit_) *inflate_init = dlsym(RTLD_DEFAULT, "inflateInit_");
	__typeof__(inflateEnd) *inflate_end = dlsym(RTLD_DEFAULT, "inflateEnd");
	__typeof__(deflateEnd) *deflate_end = dlsym(RTLD_DEFAULT, "deflateEnd");
	__typeof__(crc32) *crc = dlsym(RTLD_DEFAULT, "crc32");
	__typeof__(adler32) *adler = dlsym(RTLD_DEFAULT, "adler32");
	__typeof__(crc32_combine) *crc_join = dlsym(RTLD_DEFAULT, "crc32_combine");
	__typeof__(adler32_combine) *adler_join = dlsym(RTLD_DEFAULT, "adler32_combine");
	__typeof__(crc32_combine_gen) *crc_gen = dlsym(RTLD_DEFAULT, "crc32_combine_gen");
	__typeof__(crc32_combine_op) *crc_op = dlsym(RTLD_DEFAULT, "crc32_combine_op");
	__typeof__(compressBound) *bound = dlsym(RTLD_DEFAULT, "compressBound");
	__typeof__(deflateBound) *deflate_bound = dlsym(RTLD_DEFAULT, "deflateBound");
	__typeof__(zError) *error = dlsym(RTLD_DEFAULT, "zError");
	__typeof__(zlibVersion) *version = dlsym(RTLD_DEFAULT, "zlibVersion");
	__typeof__(zlibCompileFlags) *flags = dlsym(RTLD_DEFAULT, "zlibCompileFlags");
	__typeof__(gzopen) *open_gz = dlsym(RTLD_DEFAULT, "gzopen");
	static const unsigned char digits[] = "123456789";
	z_stream strm = { 0 }, deflating = { 0 }, inflating = { 0 };
	struct functions f;
	int ret, is_opened;

	if (is_stock())
		return;
	check(deflate_init && inflate_init && inflate_end && deflate_end && crc && adler && crc_join && adler_join &&
	      crc_gen && crc_op && bound && deflate_bound && error && version && flags && open_gz);
	check(!denial_begin(library()));
	denial_set(DENY_LOADER, 1, UINT_MAX);
	ret = inflate_init(&strm, ZLIB_VERSION, (int)sizeof(strm));
	check(ret == Z_MEM_ERROR || (!ret && !inflate_end(&strm)));
	ret = deflate_init(&strm, 9, ZLIB_VERSION, (int)sizeof(strm));
	check(ret == Z_MEM_ERROR || (!ret && !deflate_end(&strm)));
	check(crc(0, digits, 9) == 0xcbf43926 && adler(1, digits, 9) == 0x091e01de);
	check(crc_join(crc(0, digits, 4), crc(0, digits + 4, 5), 5) == 0xcbf43926);
	check(crc_op(crc(0, digits, 4), crc(0, digits + 4, 5), crc_gen(5)) == 0xcbf43926);
	check(adler_join(adler(1, digits, 4), adler(1, digits + 4, 5), 5) == 0x091e01de);
	check(adler_join(1, 1, -1) == 0xffffffff);
	check(bound(1000) > 1000 && bound(1000) < 1100);
	check(deflate_bound(NULL, 1000) >= bound(1000));
	check(!strcmp(error(Z_DATA_ERROR), "data error") && !*error(99));
	check(version()[0] == '1' && (flags() & 0xff) == 0xa9);
	check(!open_gz("/dev/null", "rb"));
	is_opened = !deflate_init(&deflating, 6, ZLIB_VERSION, (int)sizeof(strm)) &&
		    !inflate_init(&inflating, ZLIB_VERSION, (int)sizeof(strm));
	check(is_opened != is_soft());
	denial_set(0, 0, 0);
	if (is_opened)
		finish_by_software(&deflating, &inflating, (int)row->arg);
	get(&f, RTLD_DEFAULT);
	use(&f);
}

const struct row rows[] = {
	{ "no zlib at first", no_zlib_at_first, .arg = 0 },
	{ "no zlib at first, and inflate first", no_zlib_at_first, .arg = 1 },
	{ "plug-in, RTLD_LAZY", plugins, .arg = RTLD_LAZY | RTLD_LOCAL, .flags = USES_DEVICE },
	{ "plug-in, RTLD_NOW", plugins, .arg = RTLD_NOW | RTLD_LOCAL, .flags = USES_DEVICE },
	{ "plug-in, RTLD_GLOBAL", plugins, .arg = RTLD_NOW | RTLD_GLOBAL, .flags = USES_DEVICE },
	{ "plug-in, RTLD_DEEPBIND", plugins, .arg = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND },
	{ "plug-in with streams", plugins_with_streams, .arg = RTLD_NOW | RTLD_LOCAL,
	  .flags = USES_DEVICE },
	{ "plug-in with streams, RTLD_DEEPBIND", plugins_with_streams,
	  .arg = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND },
	{ "plug-in in a namespace of its own", second_namespace, .arg = 0 },
	{ "by name", by_name, .arg = RTLD_NOW | RTLD_LOCAL },
	{ "by name, RTLD_GLOBAL", by_name, .arg = RTLD_LAZY | RTLD_GLOBAL },
	{ "by name, RTLD_DEEPBIND", by_name, .arg = RTLD_NOW | RTLD_DEEPBIND },
	{ "RTLD_DEFAULT", by_default, .arg = (long)RTLD_DEFAULT, .flags = USES_DEVICE },
	{ "RTLD_NEXT", by_default, .arg = (long)RTLD_NEXT, .flags = USES_DEVICE },
	{ "by name and linked", by_name_and_linked, .flags = USES_DEVICE },
	{ "opened, RTLD_LOCAL", opened, .arg = RTLD_NOW | RTLD_LOCAL, .flags = NOT_PRELOADED },
	{ "opened, RTLD_LAZY", opened, .arg = RTLD_LAZY | RTLD_LOCAL, .flags = NOT_PRELOADED },
	{ "opened, RTLD_GLOBAL", opened, .arg = RTLD_NOW | RTLD_GLOBAL, .flags = NOT_PRELOADED },
	{ "opened, RTLD_DEEPBIND", opened, .arg = RTLD_NOW | RTLD_DEEPBIND,
	  .flags = NOT_PRELOADED },
	{ "opened, first without descriptors", opened_without_descriptors, .arg = RTLD_NOW | RTLD_LOCAL,
	  .flags = NOT_PRELOADED },
	{ "opened in a namespace of its own", opened_elsewhere, .arg = RTLD_NOW | RTLD_LOCAL,
	  .flags = NOT_PRELOADED },
	{ "opened at the end", opened_at_end, .arg = RTLD_NOW | RTLD_LOCAL,
	  .flags = NOT_PRELOADED },
	{ .name = NULL },
};
