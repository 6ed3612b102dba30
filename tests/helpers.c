/* SPDX-License-Identifier: Zlib */
/* What the tests of the zlib interface share. */
#include "config.h"
#include "helpers.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const struct zlib_api ours = {
#define X(name) .name = name,
	ZLIB_FUNCS(X)
#undef X
};
struct zlib_api ref;
enum test_mode test_mode;

static uint64_t random_state = 0x5eed2b8cfeull;
static char scratch_dir[PATH_MAX];
static pid_t scratch_pid;

static _Noreturn void broken(const char *what)
{
	fprintf(stderr, "test broken: %s\n", what);
	exit(99);
}

static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t test_random(void)
{
	return mix(&random_state);
}

uint64_t test_random_below(uint64_t limit)
{
	return test_random() % limit;
}

uint64_t test_random_of(uint64_t *state)
{
	return mix(state);
}

void test_begin(unsigned int limit_s)
{
	const char *mode = getenv("ZWD_TEST_MODE"), *seed = getenv("ZWD_TEST_SEED"), *error;
	const char *slow = getenv("WD_TEST_SLOW"); /* so many times, as an emulated machine is */

	if (seed)
		random_state = strtoull(seed, NULL, 0);
	printf("# seed 0x%llx\n", (unsigned long long)random_state);
	fflush(stdout);
	if (mode && !strcmp(mode, "emu"))
		test_mode = MODE_EMU;
	else if (mode && !strcmp(mode, "fault"))
		test_mode = MODE_FAULT;
	error = zlib_api_open(&ref);
	if (error)
		broken(error);
	/* It ends what hangs, and nothing else: a busy machine takes its time, and so do sanitizers. */
	if (slow && *slow > '0' && *slow <= '9')
		limit_s *= *slow - '0';
	alarm((IS_TSAN || IS_ASAN ? 10 : 4) * limit_s);
}

/* 8 bytes beyond a multiple of 16, and not a byte more: the end is where another's memory begins.
 */
static voidpf align8_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t len = (size_t)items * size;
	unsigned char *mem = malloc(len + 8);

	(void)opaque;
	if (!mem)
		return Z_NULL;
	memset(mem + 8, 0xa5, len);
	return mem + 8;
}

static void align8_free(voidpf opaque, voidpf mem)
{
	(void)opaque;
	free((unsigned char *)mem - 8);
}

static z_streamp with_alloc(z_streamp strm)
{
	const char *alloc = getenv("ZWD_TEST_ALLOC");

	if (strm && !strm->zalloc && !strm->zfree && alloc && !strcmp(alloc, "align8")) {
		strm->zalloc = align8_alloc;
		strm->zfree = align8_free;
	}
	return strm;
}

/* The linker lets tests come here when they open a stream, --wrap in local.mk. */
__typeof__(deflateInit_) __real_deflateInit_, __wrap_deflateInit_;
__typeof__(deflateInit2_) __real_deflateInit2_, __wrap_deflateInit2_;
__typeof__(inflateInit_) __real_inflateInit_, __wrap_inflateInit_;
__typeof__(inflateInit2_) __real_inflateInit2_, __wrap_inflateInit2_;

int __wrap_deflateInit_(z_streamp strm, int level, const char *version, int size)
{
	return __real_deflateInit_(with_alloc(strm), level, version, size);
}

int __wrap_deflateInit2_(z_streamp strm, int level, int method, int wbits, int mem_level,
			 int strategy, const char *version, int size)
{
	return __real_deflateInit2_(with_alloc(strm), level, method, wbits, mem_level, strategy,
				    version, size);
}

int __wrap_inflateInit_(z_streamp strm, const char *version, int size)
{
	return __real_inflateInit_(with_alloc(strm), version, size);
}

int __wrap_inflateInit2_(z_streamp strm, int wbits, const char *version, int size)
{
	return __real_inflateInit2_(with_alloc(strm), wbits, version, size);
}

static const char *const gen_names[GEN_NR] = {
	[GEN_TEXT] = "text",	 [GEN_SOURCE] = "source", [GEN_JSON] = "json",	 [GEN_BINARY] = "binary",
	[GEN_RANDOM] = "random", [GEN_ZEROS] = "zeros",	  [GEN_MIXED] = "mixed",
};

const char *gen_name(enum gen gen)
{
	return gen_names[gen];
}

static size_t gen_word(uint64_t *state, char *dst)
{
	static const char *const parts[] = { "al", "ber", "co",	 "den", "er", "fi", "gra", "hu",
					     "in", "ka",  "lor", "me",	"no", "os", "pre", "ti" };
	/* The square of a small number: few words are frequent, many are rare. */
	unsigned int pick = mix(state) % 40, id = pick * pick;
	size_t len = 0;

	do
		len += sprintf(dst + len, "%s", parts[id % 16]);
	while (id /= 16);
	return len;
}

static size_t gen_line(enum gen gen, uint64_t *state, unsigned int *line, char *dst)
{
	size_t len = 0;
	unsigned int i, nr;

	switch (gen) {
	case GEN_TEXT:
		for (i = 0, nr = 6 + mix(state) % 9; i < nr; i++) {
			len += gen_word(state, dst + len);
			dst[len++] = i + 1 < nr ? ' ' : mix(state) % 4 ? '\n' : '.';
		}
		break;
	case GEN_SOURCE:
		for (i = mix(state) % 4; i; i--)
			dst[len++] = '\t';
		len += sprintf(dst + len, "%s (", mix(state) % 3 ? "if" : "return");
		len += gen_word(state, dst + len);
		len += sprintf(dst + len, "->");
		len += gen_word(state, dst + len);
		len += sprintf(dst + len, " != 0x%x) {\n", (unsigned int)(mix(state) % 512));
		break;
	case GEN_JSON:
		len += sprintf(dst + len, "{\"id\": %u, \"name\": \"", *line);
		len += gen_word(state, dst + len);
		len += sprintf(dst + len, "\", \"value\": %u.%03u, \"on\": %s},\n",
			       (unsigned int)(mix(state) % 1000), (unsigned int)(mix(state) % 1000),
			       mix(state) % 2 ? "true" : "false");
		break;
	default: { /* records of a counter, a small number, flags and noise */
		uint32_t record[6] = { *line, *line * 16, mix(state) % 100, 0, 0x80,
				       (uint32_t)mix(state) };

		memcpy(dst, record, sizeof(record));
		len = sizeof(record);
	}
	}
	(*line)++;
	return len;
}

void gen_fill(enum gen gen, void *dst, size_t len)
{
	uint64_t state = 0x1234567 + gen;
	unsigned char *out = dst;
	unsigned int line = 0;
	enum gen part = gen;
	char text[512];
	size_t pos, nr;

	if (gen == GEN_ZEROS)
		memset(dst, 0, len);
	for (pos = 0; gen != GEN_ZEROS && pos < len; pos += nr) {
		if (gen == GEN_MIXED) /* another kind every 20 KB */
			part = (enum gen)(pos / 20000 % GEN_ZEROS);
		if (part == GEN_RANDOM) {
			uint64_t word = mix(&state);

			nr = sizeof(word);
			memcpy(text, &word, nr);
		} else {
			nr = gen_line(part, &state, &line, text);
		}
		nr = nr < len - pos ? nr : len - pos;
		memcpy(out + pos, text, nr);
	}
}

unsigned char *gen_alloc(enum gen gen, size_t len)
{
	unsigned char *data = malloc(len + 1);

	if (!data)
		broken("out of memory");
	gen_fill(gen, data, len);
	return data;
}

void deflate_all(const struct zlib_api *z, int wbits, int level, int strategy, const void *src,
		 size_t len, struct buf *out)
{
	z_stream strm = { 0 };
	uLong bound;

	assert_int_equal(z->deflateInit2_(&strm, level, Z_DEFLATED, wbits, 8, strategy,
					  ZLIB_VERSION, (int)sizeof(strm)),
			 Z_OK);
	/* zlib 1.2.13's bound is a byte short for nothing at level 0 in a window of 9 bits. */
	bound = z->deflateBound(&strm, len) + 1;
	strm.next_in = (z_const Bytef *)src;
	strm.avail_in = len;
	strm.next_out = buf_room(out, bound);
	strm.avail_out = bound;
	assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.avail_in, 0);
	assert_int_equal(strm.total_in, len);
	assert_int_equal(strm.total_out, bound - strm.avail_out);
	out->len += strm.total_out;
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
}

int inflate_steps(const struct zlib_api *z, int wbits, const void *src, size_t len, size_t in_step,
		  size_t out_step, struct buf *out, size_t *rest)
{
	const unsigned char *in = src;
	z_stream strm = { 0 };
	size_t room = out_step ? out_step : 65536, pos = 0;
	int ret;

	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do {
		if (!strm.avail_in) {
			size_t nr = in_step && in_step < len - pos ? in_step : len - pos;

			strm.next_in = (z_const Bytef *)in + pos;
			strm.avail_in = nr;
			pos += nr;
		}
		strm.next_out = buf_room(out, room);
		strm.avail_out = room;
		ret = z->inflate(&strm, Z_NO_FLUSH);
		out->len += room - strm.avail_out;
		assert_ptr_equal(strm.next_in, in + pos - strm.avail_in);
	} while (ret == Z_OK && (strm.avail_in || pos < len || !strm.avail_out));
	if (rest)
		*rest = strm.avail_in + len - pos;
	assert_int_equal(strm.total_in, pos - strm.avail_in);
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
	return ret;
}

void assert_inflates(int wbits, const void *src, size_t len, const void *plain, size_t plain_len)
{
	struct buf out = { 0 };
	size_t rest;

	assert_int_equal(inflate_steps(&ref, wbits, src, len, 0, 0, &out, &rest), Z_STREAM_END);
	assert_int_equal(rest, 0);
	assert_int_equal(out.len, plain_len);
	if (plain_len)
		assert_memory_equal(out.data, plain, plain_len);
	buf_free(&out);
}

int trace_call(struct trace *trace, const char *what, const z_stream *strm, int ret)
{
	if (trace->nr == trace->size) {
		trace->size = trace->size * 2 + 64;
		trace->calls = realloc(trace->calls, trace->size * sizeof(*trace->calls));
		if (!trace->calls)
			broken("out of memory");
	}
	trace->calls[trace->nr++] = (struct call){
		.what = what,
		.ret = ret,
		.data_type = strm->data_type,
		.avail_in = strm->avail_in,
		.avail_out = strm->avail_out,
		.adler = strm->adler,
		.msg = strm->msg,
	};
	return ret;
}

void assert_same_trace(const struct trace *got, const struct trace *want)
{
	size_t i, nr = got->nr < want->nr ? got->nr : want->nr;

	for (i = 0; i < nr; i++) {
		const struct call *g = &got->calls[i], *w = &want->calls[i];
		int same = g->ret == w->ret;

		if (test_mode == MODE_SOFT)
			same = same && g->data_type == w->data_type && g->avail_in == w->avail_in &&
			       g->avail_out == w->avail_out && g->adler == w->adler &&
			       !strcmp(g->msg ? g->msg : "", w->msg ? w->msg : "");
		if (!same)
			fail_msg("call %zu, %s: ret %d in %u out %u adler %lx type %d msg %s, "
				 "zlib: ret %d in %u out %u adler %lx type %d msg %s",
				 i, g->what, g->ret, g->avail_in, g->avail_out, g->adler,
				 g->data_type, g->msg ? g->msg : "-", w->ret, w->avail_in,
				 w->avail_out, w->adler, w->data_type, w->msg ? w->msg : "-");
	}
	assert_int_equal(got->nr, want->nr);
}

void trace_free(struct trace *trace)
{
	free(trace->calls);
	*trace = (struct trace){ 0 };
}

unsigned long long stats_sum(const char *path, const char *section, const char *key)
{
	unsigned long long sum = 0;
	char name[64];
	struct buf text = { 0 };
	const char *at, *value;

	file_read(path, &text);
	buf_add(&text, "", 1);
	for (at = (const char *)text.data;; at = value) {
		snprintf(name, sizeof(name), "\"%s\":", section);
		at = strstr(at, name);
		if (!at)
			break;
		snprintf(name, sizeof(name), "\"%s\":", key);
		value = strstr(at, name);
		if (!value)
			break;
		value += strlen(name);
		sum += strtoull(value, NULL, 10);
	}
	buf_free(&text);
	return sum;
}

static void scratch_remove(void)
{
	struct dirent *entry;
	DIR *dir;

	if (getpid() != scratch_pid)
		return;
	dir = opendir(scratch_dir);
	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(scratch_dir);
}

const char *scratch(const char *name)
{
	static char path[8][PATH_MAX + 256];
	static unsigned int next;
	const char *tmp = getenv("TMPDIR");

	if (!scratch_pid) {
		snprintf(scratch_dir, sizeof(scratch_dir), "%s/zwd-test.XXXXXX", tmp ? tmp : "/tmp");
		if (!mkdtemp(scratch_dir))
			broken("no scratch folder");
		scratch_pid = getpid();
		atexit(scratch_remove);
	}
	next = (next + 1) % 8;
	snprintf(path[next], sizeof(path[next]), "%s/%s", scratch_dir, name);
	return path[next];
}

void file_write(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void file_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	size_t nr;

	assert_non_null(file);
	do {
		nr = fread(buf_room(out, 65536), 1, 65536, file);
		out->len += nr;
	} while (nr);
	fclose(file);
}

int run_in_child(void (*work)(const void *arg, void *result), const void *arg, void *result, size_t len)
{
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(180);
		work(arg, result);
		if (write(fds[1], result, len) != (ssize_t)len)
			_exit(99);
		exit(0);
	}
	close(fds[1]);
	if (read(fds[0], result, len) != (ssize_t)len)
		fprintf(stderr, "no result\n");
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
