/* SPDX-License-Identifier: Zlib */
/*
 * Guards: an anchor is a block of the stream, always, and there is one nearly always: whatever made the
 * stream, wherever it is cut, and however much of the output a device holds back. Prints what it costs.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "../../bench/gen.h"
#include "../../bench/timing.h"
#include "inflate/anchor.h"
#include "operate/root.h"
#include "stream/soft_zlib.h"
#include "unit.h"

#define PLAIN_LEN (2u << 20)
#define IN_LEN (256u << 10)
#define OUT_LEN (4u << 20)
#define HELD_BACK_MAX 258
/* Where a block begins in this part of the input, and the output is not all alike, it is to be found. */
#define NEAR_LEN (192u << 10)
#define BLOCKS_MAX 400000u
#define CUTS_NR 40
#define COSTS_MAX 1000u

struct block {
	size_t bit, out;
};

/* A raw deflate stream and what is in it. */
struct stream {
	unsigned char *plain, *in;
	size_t plain_len, in_len;
	struct block *blocks;
	size_t blocks_nr;
};

struct share {
	unsigned int found_nr, asked_nr;
	uint64_t costs[COSTS_MAX];
	unsigned int costs_nr;
	uint64_t inflate_ns;
	size_t inflated;
};

static const struct zwd_soft_zlib *zlib;

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)((random_state >> 32) * limit >> 32);
}

static void *must(void *mem)
{
	assert_non_null(mem);
	return mem;
}

static unsigned char *copy_of(const unsigned char *from, size_t len)
{
	return memcpy(must(malloc(len ? len : 1)), from, len);
}

/* Where the blocks are, by zlib. */
static void map_blocks(struct stream *s)
{
	z_stream z = { .next_in = s->in, .avail_in = (uInt)s->in_len };
	unsigned char *out = must(malloc(s->plain_len + 1));
	int ret = Z_OK;

	s->blocks = must(malloc(BLOCKS_MAX * sizeof(*s->blocks)));
	s->blocks[0] = (struct block){ 0 };
	s->blocks_nr = 1;
	assert_int_equal(zlib->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)s->plain_len + 1;
	while (ret == Z_OK || ret == Z_BUF_ERROR) {
		size_t bit;

		ret = zlib->inflate(&z, Z_BLOCK);
		bit = z.total_in * 8 - (z.data_type & 7);
		if (ret == Z_STREAM_END || !(z.data_type & 128) ||
		    bit == s->blocks[s->blocks_nr - 1].bit) {
			if (ret == Z_BUF_ERROR)
				break;
			continue;
		}
		assert_true(s->blocks_nr < BLOCKS_MAX);
		s->blocks[s->blocks_nr++] = (struct block){ bit, z.total_out };
	}
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(z.total_out, s->plain_len);
	assert_memory_equal(out, s->plain, s->plain_len);
	zlib->inflateEnd(&z);
	free(out);
}

static void free_stream(struct stream *s)
{
	free(s->plain);
	free(s->in);
	free(s->blocks);
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Do two blocks begin between the input's bytes from and to, with the window before them at hand? One is
 * enough, but for fixed ones.
 */
static int has_blocks(const struct stream *s, size_t from, size_t to, size_t out_off)
{
	unsigned int nr = 0;

	for (size_t n = s->blocks_nr; --n && nr < 2;) {
		size_t off = s->blocks[n].bit / 8;

		nr += off >= from && off < to && (!out_off || s->blocks[n].out >= out_off + 32768);
	}
	return nr == 2;
}

static void assert_is_block(const struct stream *s, const char *name, size_t bit, size_t out)
{
	for (size_t n = 0; n < s->blocks_nr; n++) {
		if (s->blocks[n].bit == bit && s->blocks[n].out == out)
			return;
	}
	fail_msg("%s: no block at bit %zu, output %zu", name, bit, out);
}

/* A device consumed cut bytes, and holds back so many of what they make. */
static void ask(const struct stream *s, const char *name, size_t cut, size_t made, size_t held,
		struct share *share)
{
	size_t in_off = cut > IN_LEN ? cut - IN_LEN : 0, end, out_off;
	unsigned char *in = copy_of(s->in + in_off, cut - in_off), *out;
	struct zwd_anchor anchor;
	uint64_t ns;
	int ret;

	if (held > made)
		held = made;
	end = made - held;
	out_off = end > OUT_LEN ? end - OUT_LEN : 0;
	out = copy_of(s->plain + out_off, end - out_off);
	ns = timing_thread_ns();
	ret = zwd_anchor_find(in, cut - in_off, out, end - out_off, !out_off, &anchor);
	ns = timing_thread_ns() - ns;
	free(in);
	free(out);
	if (!ret)
		assert_is_block(s, name, (in_off + anchor.in_off) * 8 + anchor.bits,
				end - anchor.out_back);
	else
		assert_int_equal(ret, -ENOENT);
	if (share->costs_nr < ARRAY_NR(share->costs))
		share->costs[share->costs_nr++] = ns;
	if (!ret || (cut > 1024 && has_blocks(s, cut > NEAR_LEN ? cut - NEAR_LEN : 0, cut - 1024, out_off))) {
		share->asked_nr++;
		share->found_nr += !ret;
	}
}

/* At many places, in the order of the stream: it is decoded once. */
static void ask_everywhere(const struct stream *s, const char *name, unsigned int nr, struct share *share)
{
	z_stream z = { .next_in = s->in };
	unsigned char *out = must(malloc(s->plain_len + 1));
	size_t cuts[1000];
	uint64_t ns = 0;

	assert_true(nr <= ARRAY_NR(cuts));
	for (unsigned int n = 0; n < nr; n++)
		cuts[n] = random_below((uint32_t)s->in_len);
	qsort(cuts, nr, sizeof(*cuts), compare_sizes);
	assert_int_equal(zlib->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)s->plain_len + 1;
	for (unsigned int n = 0; n < nr; n++) {
		uint64_t before = timing_thread_ns();

		z.avail_in = (uInt)(cuts[n] - z.total_in);
		if (zlib->inflate(&z, Z_SYNC_FLUSH) == Z_STREAM_END)
			break;
		ns += timing_thread_ns() - before;
		ask(s, name, cuts[n], z.total_out,
		    random_below(2) ? random_below(HELD_BACK_MAX + 1) : random_below(3), share);
	}
	share->inflate_ns += ns;
	share->inflated += z.total_in;
	zlib->inflateEnd(&z);
	free(out);
}

static int compare_costs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The share, what a search costs, and that as a part of what zlib needs for 8 MiB of such a stream. */
static void print_share(const char *name, struct share *share)
{
	double whole = share->inflated ? (double)share->inflate_ns / share->inflated * (8 << 20) : 0;
	uint64_t sum = 0;

	if (!share->costs_nr)
		return;
	qsort(share->costs, share->costs_nr, sizeof(*share->costs), compare_costs);
	for (unsigned int n = 0; n < share->costs_nr; n++)
		sum += share->costs[n];
	printf("%-28s %4u of %4u  median %6.0f us  worst %6.0f us  of 8 MiB %5.2f %% (%.0f ms)\n", name,
	       share->found_nr, share->asked_nr, share->costs[share->costs_nr / 2] / 1e3,
	       share->costs[share->costs_nr - 1] / 1e3,
	       whole ? 100.0 * sum / share->costs_nr / whole : 0, whole / 1e6);
}

static void assert_share(const char *name, struct share *share)
{
	print_share(name, share);
	if (share->found_nr < share->asked_nr * .99)
		fail_msg("%s: %u of %u", name, share->found_nr, share->asked_nr);
}

/* A bit of everything, in pieces of some 100 KB. */
static unsigned char *make_mix(size_t len)
{
	static const enum gen_kind kinds[] = { GEN_TEXT, GEN_BINARY, GEN_SOURCE, GEN_TABLE, GEN_JSON, GEN_LOG };
	unsigned char *plain = must(malloc(len));

	for (size_t off = 0, piece, n = 0; off < len; off += piece, n++) {
		piece = 65536 + random_below(65536);
		if (piece > len - off)
			piece = len - off;
		gen_fill(kinds[n % ARRAY_NR(kinds)], n, plain + off, piece);
	}
	return plain;
}

static unsigned char *make_plain(enum gen_kind kind, size_t len)
{
	unsigned char *plain = must(malloc(len));

	gen_fill(kind, 1, plain, len);
	return plain;
}

struct params {
	int level, window_bits, mem_level, strategy;
	size_t flush_len; /* so often a flush of this kind, 0: none */
	int flush;
};

static struct stream by_zlib(unsigned char *plain, size_t len, struct params how)
{
	struct stream s = { .plain = plain, .plain_len = len };
	size_t room = len + len / 4 + 65536;
	z_stream z = { .next_in = plain };
	int ret = Z_OK;

	s.in = must(malloc(room));
	z.next_out = s.in;
	z.avail_out = (uInt)room;
	assert_int_equal(zlib->deflateInit2_(&z, how.level, Z_DEFLATED, -how.window_bits, how.mem_level,
					     how.strategy, ZLIB_VERSION, sizeof(z)),
			 Z_OK);
	while (ret == Z_OK) {
		size_t left = len - z.total_in;

		z.avail_in = (uInt)(how.flush_len && how.flush_len < left ? how.flush_len : left);
		ret = zlib->deflate(&z, z.avail_in == left ? Z_FINISH : how.flush);
		assert_true(z.avail_out);
	}
	assert_int_equal(ret, Z_STREAM_END);
	s.in_len = z.total_out;
	zlib->deflateEnd(&z);
	map_blocks(&s);
	return s;
}

static void try_zlib(const char *name, unsigned char *plain, size_t len, struct params how, struct share *share)
{
	struct stream s = by_zlib(plain, len, how);

	ask_everywhere(&s, name, CUTS_NR, share);
	free_stream(&s);
}

static void levels(void **state)
{
	for (int level = 0; level <= 9; level++) {
		struct params how = { level, 15, 8, Z_DEFAULT_STRATEGY, 0, 0 };
		struct share share = { 0 };
		char name[32];

		snprintf(name, sizeof(name), "zlib -%d", level);
		try_zlib(name, make_mix(PLAIN_LEN), PLAIN_LEN, how, &share);
		assert_share(name, &share);
	}
}

static void strategies(void **state)
{
	static const char *const names[] = { "default", "filtered", "huffman", "rle", "fixed" };

	for (int strategy = Z_FILTERED; strategy <= Z_FIXED; strategy++) {
		struct share share = { 0 };

		try_zlib(names[strategy], make_mix(PLAIN_LEN), PLAIN_LEN, (struct params){ 6, 15, 8, strategy, 0, 0 }, &share);
		try_zlib(names[strategy], make_mix(PLAIN_LEN), PLAIN_LEN, (struct params){ 1, 15, 9, strategy, 0, 0 }, &share);
		assert_share(names[strategy], &share);
	}
}

static void memory_and_windows(void **state)
{
	for (int mem_level = 1; mem_level <= 9; mem_level++) {
		struct share share = { 0 };
		char name[32];

		snprintf(name, sizeof(name), "memLevel %d", mem_level);
		try_zlib(name, make_mix(PLAIN_LEN / 2), PLAIN_LEN / 2, (struct params){ 6, 15, mem_level, 0, 0, 0 }, &share);
		try_zlib(name, make_mix(PLAIN_LEN / 2), PLAIN_LEN / 2, (struct params){ 6, 15, mem_level, Z_FIXED, 0, 0 },
			 &share);
		try_zlib(name, make_mix(PLAIN_LEN / 2), PLAIN_LEN / 2, (struct params){ 0, 15, mem_level, 0, 0, 0 }, &share);
		assert_share(name, &share);
	}
	for (int window_bits = 9; window_bits <= 14; window_bits++) {
		struct share share = { 0 };
		char name[32];

		snprintf(name, sizeof(name), "window of %d bits", window_bits);
		try_zlib(name, make_mix(PLAIN_LEN / 2), PLAIN_LEN / 2, (struct params){ 6, window_bits, 8, 0, 0, 0 }, &share);
		assert_share(name, &share);
	}
}

static void flushes(void **state)
{
	static const int kinds[] = { Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK };
	static const size_t lens[] = { 50, 700, 9000, 200000 };

	for (size_t n = 0; n < ARRAY_NR(kinds) * ARRAY_NR(lens); n++) {
		struct params how = { 6, 15, 8, 0, lens[n / ARRAY_NR(kinds)], kinds[n % ARRAY_NR(kinds)] };
		struct share share = { 0 };
		char name[32];

		snprintf(name, sizeof(name), "flush %d each %zu", how.flush, how.flush_len);
		try_zlib(name, make_mix(PLAIN_LEN / 3), PLAIN_LEN / 3, how, &share);
		how.strategy = Z_FIXED;
		try_zlib(name, make_mix(PLAIN_LEN / 3), PLAIN_LEN / 3, how, &share);
		how.level = 0;
		try_zlib(name, make_mix(PLAIN_LEN / 3), PLAIN_LEN / 3, how, &share);
		assert_share(name, &share);
	}
}

static void kinds_of_data(void **state)
{
	for (int kind = 0; kind < GEN_KINDS_NR; kind++) {
		struct share share = { 0 };
		size_t len = kind == GEN_ZEROS ? 16 * PLAIN_LEN : PLAIN_LEN;

		for (int level = 1; level <= 9; level += 4)
			try_zlib(gen_name(kind), make_plain(kind, len), len, (struct params){ level, 15, 8, 0, 0, 0 }, &share);
		if (kind == GEN_ZEROS)
			print_share(gen_name(kind), &share); /* no place of it is like no other */
		else
			assert_share(gen_name(kind), &share);
	}
}

/* Runs of a byte, from some to a thousand, and rows that are nearly the same. */
static void repetitions(void **state)
{
	static const unsigned int longest[] = { 8, 100, 1000, 20000 };
	static const unsigned int rows[] = { 3, 64, 258, 700 };

	for (size_t n = 0; n < ARRAY_NR(longest); n++) {
		unsigned char *plain = must(malloc(PLAIN_LEN));
		struct share share = { 0 };
		char name[32];

		for (size_t off = 0, len; off < PLAIN_LEN; off += len) {
			len = 1 + random_below(longest[n]);
			if (len > PLAIN_LEN - off)
				len = PLAIN_LEN - off;
			memset(plain + off, (int)random_below(256), len);
		}
		snprintf(name, sizeof(name), "runs of up to %u", longest[n]);
		try_zlib(name, copy_of(plain, PLAIN_LEN), PLAIN_LEN, (struct params){ 6, 15, 8, Z_RLE, 0, 0 }, &share);
		try_zlib(name, plain, PLAIN_LEN, (struct params){ 6, 15, 1, 0, 0, 0 }, &share);
		assert_share(name, &share);
	}
	for (size_t n = 0; n < ARRAY_NR(rows); n++) {
		unsigned char *plain = make_plain(GEN_TEXT, PLAIN_LEN);
		struct share share = { 0 };
		char name[32];

		for (size_t off = rows[n]; off < PLAIN_LEN; off++) {
			if (random_below(400))
				plain[off] = plain[off - rows[n]];
		}
		snprintf(name, sizeof(name), "rows of %u", rows[n]);
		try_zlib(name, copy_of(plain, PLAIN_LEN), PLAIN_LEN, (struct params){ 6, 15, 8, 0, 0, 0 }, &share);
		try_zlib(name, plain, PLAIN_LEN, (struct params){ 1, 15, 1, Z_FIXED, 0, 0 }, &share);
		assert_share(name, &share);
	}
}

/* A stream within stored blocks of another looks like one: it is not this stream's. */
static void streams_within(void **state)
{
	for (int outer = 0; outer <= 6; outer += 6) {
		for (int inner = 0; inner < 4; inner++) {
			static const struct params how[] = {
				{ 0, 15, 8, 0, 0, 0 }, { 0, 15, 8, 0, 3000, Z_SYNC_FLUSH }, { 6, 15, 8, 0, 0, 0 }, { 6, 15, 8, Z_FIXED, 0, 0 }
			};
			unsigned char *plain = make_plain(inner < 2 ? GEN_RANDOM : GEN_TEXT, PLAIN_LEN);
			struct stream s = by_zlib(plain, PLAIN_LEN, how[inner]);
			struct share share = { 0 };
			char name[32];

			snprintf(name, sizeof(name), "stream %d within -%d", inner, outer);
			for (int deep = 0; deep < 2; deep++) {
				unsigned char *in = copy_of(s.in, s.in_len);
				size_t len = s.in_len;

				free_stream(&s);
				s = by_zlib(in, len, (struct params){ outer, 15, 8 + !outer, 0, 0, 0 });
				ask_everywhere(&s, name, CUTS_NR, &share);
			}
			free_stream(&s);
			/* Many flushes within: there are more places to try than are tried. */
			if (inner == 1 && !outer)
				print_share(name, &share);
			else
				assert_share(name, &share);
		}
	}
}

/* Raw deflate of len bytes into room; 0: it cannot be done here. */
typedef size_t maker(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room);

static size_t by_libdeflate(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room)
{
	void *lib = dlopen("libdeflate.so.0", RTLD_NOW);
	void *(*alloc)(int level);
	size_t (*compress)(void *c, const void *in, size_t in_len, void *to, size_t to_len);
	void (*release)(void *c);
	void *c;

	if (!lib)
		return 0;
	*(void **)&alloc = dlsym(lib, "libdeflate_alloc_compressor");
	*(void **)&compress = dlsym(lib, "libdeflate_deflate_compress");
	*(void **)&release = dlsym(lib, "libdeflate_free_compressor");
	if (!alloc || !compress || !release)
		return 0;
	c = must(alloc(level));
	len = compress(c, plain, len, out, room);
	release(c);
	return len;
}

static size_t by_isal(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room)
{
#ifdef HAVE_ISAL
	static const unsigned int memory[] = { 0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT };
	void *lib = dlopen("libisal.so.2", RTLD_NOW);
	__typeof__(&isal_deflate_init) init;
	__typeof__(&isal_deflate) compress;
	struct isal_zstream *z;

	if (!lib || level > 3)
		return 0;
	*(void **)&init = dlsym(lib, "isal_deflate_init");
	*(void **)&compress = dlsym(lib, "isal_deflate");
	if (!init || !compress)
		return 0;
	z = must(malloc(sizeof(*z)));
	init(z);
	z->level = (uint32_t)level;
	z->level_buf_size = memory[level];
	z->level_buf = must(malloc(memory[level] + 1));
	z->next_in = (uint8_t *)plain;
	z->avail_in = (uint32_t)len;
	z->next_out = out;
	z->avail_out = (uint32_t)room;
	z->end_of_stream = 1;
	assert_int_equal(compress(z), 0);
	len = z->total_out;
	free(z->level_buf);
	free(z);
	return len;
#else
	return 0;
#endif
}

/* A command that compresses to gzip without a name: 10 bytes before, 8 behind. */
static size_t by_command(const char *command, const unsigned char *plain, size_t len, unsigned char *out,
			 size_t room)
{
	char path[] = "/tmp/wd-anchor.XXXXXX", line[200];
	int fd = mkstemp(path);
	size_t made = 0;
	FILE *f;

	assert_true(fd >= 0);
	f = must(fdopen(fd, "w"));
	assert_int_equal(fwrite(plain, 1, len, f), len);
	fclose(f);
	snprintf(line, sizeof(line), "%s <%s 2>/dev/null", command, path);
	f = must(popen(line, "r"));
	made = fread(out, 1, room, f);
	pclose(f);
	unlink(path);
	if (made < 18)
		return 0;
	made -= 18;
	memmove(out, out + 10, made);
	return made;
}

static size_t by_pigz(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room)
{
	char line[40];

	snprintf(line, sizeof(line), "pigz -cn -p2 -%d", level);
	return by_command(line, plain, len, out, room);
}

static size_t by_gzip(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room)
{
	char line[40];

	snprintf(line, sizeof(line), "gzip -cn -%d", level);
	return by_command(line, plain, len, out, room);
}

static size_t by_7z(const unsigned char *plain, size_t len, int level, unsigned char *out, size_t room)
{
	char line[60];

	snprintf(line, sizeof(line), "7z a -tgzip -an -si -so -mx=%d", level);
	return by_command(line, plain, len, out, room);
}

static void other_compressors(void **state)
{
	static const struct {
		const char *name;
		maker *make;
		int level;
		size_t len;
	} rows[] = {
		{ "libdeflate", by_libdeflate, 1, PLAIN_LEN },	{ "libdeflate", by_libdeflate, 6, PLAIN_LEN },
		{ "libdeflate", by_libdeflate, 12, PLAIN_LEN }, { "igzip", by_isal, 0, PLAIN_LEN },
		{ "igzip", by_isal, 1, PLAIN_LEN },		{ "igzip", by_isal, 2, PLAIN_LEN },
		{ "igzip", by_isal, 3, PLAIN_LEN },		{ "pigz", by_pigz, 6, PLAIN_LEN },
		{ "pigz", by_pigz, 11, PLAIN_LEN / 4 },		{ "gzip", by_gzip, 1, PLAIN_LEN },
		{ "gzip", by_gzip, 6, PLAIN_LEN },		{ "7z", by_7z, 5, PLAIN_LEN },
		{ "7z", by_7z, 9, PLAIN_LEN },
	};

	for (size_t n = 0; n < ARRAY_NR(rows); n++) {
		struct stream s = { .plain = make_mix(rows[n].len), .plain_len = rows[n].len };
		size_t room = 2 * s.plain_len;
		struct share share = { 0 };
		char name[40];

		snprintf(name, sizeof(name), "%s -%d", rows[n].name, rows[n].level);
		s.in = must(malloc(room));
		s.in_len = rows[n].make(s.plain, s.plain_len, rows[n].level, s.in, room);
		if (s.in_len) {
			map_blocks(&s);
			ask_everywhere(&s, name, 2 * CUTS_NR, &share);
			assert_share(name, &share);
		} else {
			printf("%-28s not here\n", name);
		}
		free_stream(&s);
	}
}

/* ISA-L as the device: what it holds back where its input ends is its own affair. */
static void isal_is_the_device(void **state)
{
#ifdef HAVE_ISAL
	struct stream s = by_zlib(make_mix(PLAIN_LEN), PLAIN_LEN, (struct params){ 6, 15, 8, 0, 0, 0 });
	void *lib = dlopen("libisal.so.2", RTLD_NOW);
	struct inflate_state *device = must(malloc(sizeof(*device)));
	unsigned char *out = must(malloc(PLAIN_LEN));
	__typeof__(&isal_inflate_init) init;
	__typeof__(&isal_inflate) run;
	struct share share = { 0 };
	unsigned int held_nr = 0;
	z_stream z = { .next_in = s.in };

	if (!lib)
		skip();
	*(void **)&init = dlsym(lib, "isal_inflate_init");
	*(void **)&run = dlsym(lib, "isal_inflate");
	init(device);
	device->next_in = s.in;
	device->next_out = out;
	device->avail_out = PLAIN_LEN;
	assert_int_equal(zlib->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
	for (size_t cut = 20000; cut < s.in_len; cut += 1 + random_below(3000)) {
		unsigned char plain[65536];

		device->avail_in = (uint32_t)(cut - (size_t)(device->next_in - s.in));
		assert_int_equal(run(device), ISAL_DECOMP_OK);
		assert_int_equal(device->avail_in, 0);
		z.avail_in = (uInt)(cut - z.total_in);
		do {
			z.next_out = plain;
			z.avail_out = sizeof(plain);
			zlib->inflate(&z, Z_SYNC_FLUSH);
		} while (!z.avail_out);
		assert_true(device->total_out <= z.total_out);
		held_nr += device->total_out < z.total_out;
		if (cut > 300000 || !random_below(4))
			ask(&s, "ISA-L", cut, z.total_out, z.total_out - device->total_out, &share);
	}
	printf("held back at %u cuts\n", held_nr);
	assert_share("ISA-L as the device", &share);
	zlib->inflateEnd(&z);
	free(device);
	free(out);
	free_stream(&s);
#else
	skip();
#endif
}

/* No anchor in what is no stream, and nothing is read that is not there. */
static void garbage(void **state)
{
	unsigned char *out = make_plain(GEN_TEXT, 1 << 17);
	struct zwd_anchor anchor, before;

	memset(&before, 0x5a, sizeof(before));
	anchor = before;
	for (unsigned int n = 0; n < 600; n++) {
		size_t len = n < 200 ? n : 1 + random_below(1 << 15), out_len = random_below(1 << 17);
		unsigned char *in = must(malloc(len ? len : 1)), *made = copy_of(out, out_len);

		for (size_t off = 0; off < len; off++)
			in[off] = (unsigned char)(n % 3 ? random_below(256) : random_below(2) * 255);
		assert_int_equal(zwd_anchor_find(in, len, made, out_len, n & 1, &anchor), -ENOENT);
		assert_memory_equal(&anchor, &before, sizeof(anchor));
		free(in);
		free(made);
	}
	free(out);
}

/* Input of a stream with the output of another, or spoiled: what is found is a block all the same. */
static void spoiled(void **state)
{
	static const struct params how[] = { { 6, 15, 4, 0, 0, 0 }, { 6, 15, 4, Z_FIXED, 0, 0 }, { 0, 15, 8, 0, 0, 0 } };

	for (size_t n = 0; n < ARRAY_NR(how); n++) {
		struct stream s = by_zlib(make_mix(PLAIN_LEN / 4), PLAIN_LEN / 4, how[n]);
		unsigned char *other = make_plain(GEN_TEXT, s.plain_len), *sound = s.in;
		struct zwd_anchor anchor;
		struct share share = { 0 };

		for (int times = 0; times < 20; times++)
			assert_int_equal(zwd_anchor_find(s.in, 1 + random_below((uint32_t)s.in_len - 1), other,
							 random_below((uint32_t)s.plain_len), times & 1, &anchor),
					 -ENOENT);
		for (int times = 0; times < 60; times++) {
			size_t cut = 1 + random_below((uint32_t)s.in_len - 1);
			z_stream z = { .next_in = sound, .avail_in = (uInt)cut };
			unsigned char *out = must(malloc(s.plain_len));

			assert_int_equal(zlib->inflateInit2_(&z, -15, ZLIB_VERSION, sizeof(z)), Z_OK);
			z.next_out = out;
			z.avail_out = (uInt)s.plain_len;
			zlib->inflate(&z, Z_SYNC_FLUSH);
			s.in = copy_of(sound, s.in_len);
			for (int bits = 0; bits < 5; bits++)
				s.in[random_below((uint32_t)cut)] ^= (unsigned char)(1u << random_below(8));
			ask(&s, "spoiled", cut, z.total_out, 0, &share);
			zlib->inflateEnd(&z);
			free(out);
			free(s.in);
		}
		s.in = sound;
		free(other);
		free_stream(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),	    cmocka_unit_test(strategies),
		cmocka_unit_test(memory_and_windows), cmocka_unit_test(flushes),
		cmocka_unit_test(kinds_of_data),    cmocka_unit_test(repetitions),
		cmocka_unit_test(streams_within),   cmocka_unit_test(other_compressors),
		cmocka_unit_test(isal_is_the_device), cmocka_unit_test(garbage),	    cmocka_unit_test(spoiled),
	};

	zwd_root_note();
	zlib = zwd_soft();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
