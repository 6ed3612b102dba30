/* SPDX-License-Identifier: Zlib */
/*
 * Damaged and cut streams get zlib's verdict: the last return code, the message, every byte before
 * the fault, and both totals, whatever the size, the format, the caller's calls, and what a device
 * made of it.
 */
#include "config.h"
#include "endless.h"
#include "again.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	BASES = 96,
	LONGEST = 300000,   /* of a base's plain text */
	MOST_OUT = 4 << 20, /* more of a damaged small stream is not asked for */
	LARGE_PACKED = 21 << 20,
	DAMAGES = 12
};

struct base {
	int wbits, reader_bits;
	struct buf packed;
};

static struct base bases[BASES];

/* Where a decoder stands when it goes no further. */
struct verdict {
	int ret, again, more; /* what it says, and does, when it is asked again */
	uLong consumed, total_in, total_out, check;
	char msg[64];
	struct buf out; /* unless it is large */
};

/* How the caller calls: about so many times; 0: in one go. */
struct cuts {
	size_t in_nr, out_nr;
	uint64_t seed;
};

static size_t cut(uint64_t *state, size_t len, size_t nr)
{
	if (!nr)
		return len;
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return 1 + (size_t)(*state >> 33) % (2 * len / nr + 1);
}

/* Until there is no way on, or most bytes have come. */
static void decode(const struct zlib_api *z, int wbits, const unsigned char *src, size_t len,
		   size_t most, struct cuts cuts, int is_kept, struct verdict *v)
{
	static unsigned char room[1 << 20];
	z_stream strm = { 0 };
	size_t pos = 0;

	v->out.len = 0;
	v->again = v->more = 0;
	v->check = ref.crc32(0, Z_NULL, 0);
	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do {
		size_t size = cut(&cuts.seed, cuts.out_nr ? most : sizeof(room), cuts.out_nr), made;

		if (!strm.avail_in && pos < len) {
			size_t nr = cut(&cuts.seed, len, cuts.in_nr);

			nr = nr < len - pos ? nr : len - pos;
			strm.next_in = (z_const Bytef *)src + pos;
			strm.avail_in = (uInt)nr;
			pos += nr;
		}
		size = size < sizeof(room) ? size : sizeof(room);
		size = size < most - strm.total_out ? size : most - strm.total_out;
		strm.next_out = room;
		strm.avail_out = (uInt)size;
		v->ret = z->inflate(&strm, Z_NO_FLUSH);
		made = size - strm.avail_out;
		v->check = ref.crc32(v->check, room, (uInt)made);
		if (is_kept)
			buf_add(&v->out, room, made);
		/* Something was missing, and there is more. */
		if (v->ret == Z_BUF_ERROR && !strm.avail_in && pos < len)
			v->ret = Z_OK;
	} while (v->ret == Z_OK && strm.total_out < most);
	v->total_in = strm.total_in;
	v->total_out = strm.total_out;
	snprintf(v->msg, sizeof(v->msg), "%s", strm.msg ? strm.msg : "");
	/* Not always the same: where a dictionary is asked for, zlib has not counted the header
	 * yet. */
	v->consumed = pos - strm.avail_in;
	assert_ptr_equal(strm.next_in, pos ? src + v->consumed : NULL);
	if (v->ret == Z_DATA_ERROR || v->ret == Z_STREAM_END) { /* and so it stays */
		strm.next_out = room;
		strm.avail_out = 1;
		v->again = z->inflate(&strm, Z_NO_FLUSH);
		v->more = !strm.avail_out || strm.total_in != v->total_in;
	}
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
}

static int is_same(const struct verdict *a, const struct verdict *b, size_t most)
{
	if (a->total_out != b->total_out || a->check != b->check)
		return 0;
	/* Both have been stopped, wherever they were. */
	if (a->total_out == most)
		return 1;
	return a->ret == b->ret && a->again == b->again && a->more == b->more &&
	       a->total_in == b->total_in && a->consumed == b->consumed && !strcmp(a->msg, b->msg);
}

static unsigned int tried, undecided, wrong;

/* The first ones that are wrong are told, and in the end they are a failure. */
static void compare_verdicts(const char *what, int wbits, const unsigned char *src, size_t len,
			     size_t most, struct cuts cuts, int is_kept)
{
	static struct verdict got, want, pieces;
	size_t i = 0;

	decode(&ref, wbits, src, len, most, (struct cuts){ 0 }, is_kept, &want);
	decode(&ours, wbits, src, len, most, cuts, is_kept, &got);
	tried++;
	if (is_same(&got, &want, most))
		return;
	/* Where zlib's own answer depends on the calls there is nothing to compare with. */
	decode(&ref, wbits, src, len, most, cuts, is_kept, &pieces);
	if (!is_same(&pieces, &want, most)) {
		undecided++;
		return;
	}
	while (is_kept && i < got.out.len && i < want.out.len &&
	       got.out.data[i] == want.out.data[i])
		i++;
	if (++wrong > 10)
		return;
	printf("# %s, try %u, %zu bytes, window bits %d, about %zu calls with input, %zu with "
	       "room: "
	       "ret %d (%s, then %d), in %lu, out %lu; zlib: %d (%s, then %d), in %lu, out %lu; "
	       "bytes differ from "
	       "%zu on\n",
	       what, tried, len, wbits, cuts.in_nr, cuts.out_nr, got.ret, got.msg, got.again,
	       got.total_in, got.total_out, want.ret, want.msg, want.again, want.total_in,
	       want.total_out, i);
}

static uint64_t below(uint64_t limit)
{
	return limit ? test_random_below(limit) : 0;
}

/* One kind of damage to a copy; the name of it. */
static const char *damage(int kind, struct buf *b, int wbits)
{
	size_t header = wbits > 15  ? 10
			: wbits > 0 ? 2
				    : 0,
	       trailer = wbits > 15  ? 8
			 : wbits > 0 ? 4
				     : 0;
	size_t at = below(b->len), nr;

	switch (kind) {
	case 0:
		b->data[at] ^= (unsigned char)(1u << below(8));
		return "a bit";
	case 1:
		b->data[at] = (unsigned char)test_random();
		return "a byte";
	case 2:
		for (nr = 1 + below(20); nr; nr--)
			b->data[below(b->len)] ^= (unsigned char)(1u << below(8));
		return "many bits";
	case 3:
		nr = 1 + below(below(2) ? 4 : b->len - at);
		nr = nr < b->len - at ? nr : b->len - at;
		memmove(b->data + at, b->data + at + nr, b->len - at - nr);
		b->len -= nr;
		return "bytes left out";
	case 4:
		nr = 1 + below(5);
		buf_room(b, nr);
		memmove(b->data + at + nr, b->data + at, b->len - at);
		for (size_t i = 0; i < nr; i++)
			b->data[at + i] = (unsigned char)test_random();
		b->len += nr;
		return "bytes put in";
	case 5:
		b->data[below(header	   ? header
			      : b->len < 4 ? b->len
					   : 4)] ^= (unsigned char)(1u << below(8));
		return "the header";
	case 6:
		if (trailer && b->len > trailer)
			b->data[b->len - 1 - below(trailer)] ^= (unsigned char)(1 + below(255));
		return "the trailer";
	case 7:
		b->len = at;
		return "cut";
	case 8:
		b->len -= b->len > 16 ? below(16) : 0;
		return "the end cut";
	case 9: /* a window that the matches do not keep to, in a header that is sound */
		if (wbits > 0 && wbits < 16 && b->len > 2) {
			unsigned int head =
				(unsigned int)(8 | below(8) << 4) << 8 | (b->data[1] & 0xe0);

			head += 31 - head % 31;
			b->data[0] = (unsigned char)(head >> 8);
			b->data[1] = (unsigned char)head;
		}
		return "another window";
	case 10: /* a stretch from elsewhere */
		nr = below(b->len - at) / 4 + 1;
		nr = nr < b->len - at ? nr : b->len - at;
		memmove(b->data + at, b->data + below(b->len - nr + 1), nr);
		return "a stretch from elsewhere";
	default: /* zeros, as a lost block of a disk has them */
		nr = below(b->len - at) / 8 + 1;
		memset(b->data + at, 0, nr < b->len - at ? nr : b->len - at);
		return "zeros";
	}
}

/* Sizes, kinds, levels, strategies, windows and flush points by turns. */
static void make_base(size_t nr)
{
	static const int strategies[] = {
		Z_DEFAULT_STRATEGY, Z_DEFAULT_STRATEGY, Z_FIXED, Z_DEFAULT_STRATEGY,
		Z_HUFFMAN_ONLY,	    Z_DEFAULT_STRATEGY, Z_RLE
	};
	static const int levels[] = { 6, 1, 9, 6, 0 };
	/* The format, its reader. */
	static const int wrappers[][2] = { { 15, 15 }, { 31, 31 },   { -15, -15 }, { 15, 0 },
					   { 31, 47 }, { 15, 47 },   { 12, 15 },   { 9, 0 },
					   { 31, 15 }, { -12, -15 }, { 28, 31 } };
	static const enum gen gens[] = { GEN_TEXT, GEN_BINARY, GEN_MIXED,
					 GEN_JSON, GEN_RANDOM, GEN_ZEROS };
	struct base *b = &bases[nr];
	size_t len = 20, flushed;
	unsigned char *plain;
	z_stream strm = { 0 };

	/* Three quarters of them below 8 KB. */
	for (size_t i = 0; i < nr % 16 && len < LONGEST; i++)
		len = len * 18 / 10 + nr;
	len = len < LONGEST ? len : LONGEST;
	b->wbits = wrappers[nr % NR(wrappers)][0];
	b->reader_bits = wrappers[nr % NR(wrappers)][1];
	plain = gen_alloc(gens[nr % NR(gens)], len);
	assert_int_equal(ref.deflateInit2_(&strm, levels[nr % NR(levels)], Z_DEFLATED, b->wbits, 8,
					   strategies[nr % NR(strategies)], ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_in = plain;
	strm.avail_out = (uInt)(len * 2 + 1000);
	strm.next_out = buf_room(&b->packed, strm.avail_out);
	for (flushed = 0; nr % 3 == 1 && flushed + len / 5 < len; flushed += len / 5) {
		strm.avail_in = (uInt)(len / 5);
		assert_int_equal(ref.deflate(&strm, nr % 2 ? Z_FULL_FLUSH : Z_SYNC_FLUSH), Z_OK);
	}
	strm.avail_in = (uInt)(len - flushed);
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	b->packed.len = strm.total_out;
	ref.deflateEnd(&strm);
	free(plain);
}

static struct cuts random_cuts(size_t most_nr)
{
	return (struct cuts){ below(4) ? below(most_nr) : 0, below(4) ? below(most_nr) : 0,
			      test_random() };
}

/* A tenth of the tries begins with a stream of two members, and with what follows a stream. */
static void small_ones(void **state)
{
	unsigned int nr = test_is_long() ? 200000 : 10080;
	struct buf b = { 0 };

	tried = undecided = wrong = 0;
	for (unsigned int i = 0; i < nr; i++) {
		const struct base *base = &bases[(i / DAMAGES + i) % BASES];
		const char *what;

		b.len = 0;
		buf_add(&b, base->packed.data, base->packed.len);
		what = damage((int)(i % DAMAGES), &b, base->wbits);
		if (i % 7 == 0 && b.len) /* a second one, elsewhere */
			what = damage((int)below(DAMAGES), &b, base->wbits);
		if (i % 10 == 0)
			buf_add(&b, base->packed.data, base->packed.len);
		compare_verdicts(what, base->reader_bits, b.data, b.len, MOST_OUT, random_cuts(30),
				 1);
	}
	buf_free(&b);
	printf("# %u tries, %u without an answer of zlib's own\n", tried, undecided);
	assert_true(undecided < tried / 50);
	if (wrong)
		fail_msg("%u of %u", wrong, tried);
}

/* Beyond what is ever kept of a stream: damage at any place, to the last byte. */
static void large_ones(void **state)
{
	static const int wrappers[] = { 31, 15, -15 };
	/* Deep in the stream, in its trailer, and cut. */
	static const int kinds[] = { 0, 3, 7, 6, 2, 11, 1, 8, 4, 10 };
	unsigned int nr = test_is_long() ? 60 : 6;
	struct zwd_stats before, after;
	struct buf b = { 0 };

	tried = undecided = wrong = 0;
	zwd_stats(&before, sizeof(before));
	for (unsigned int i = 0; i < nr; i++) {
		int wbits = wrappers[i % NR(wrappers)];
		const char *what;
		struct endless e;
		struct buf tail;

		b.len = 0;
		endless_begin(&e, ENDLESS_NOISE, wbits, i / 3 % 2);
		while (b.len < LARGE_PACKED) {
			endless_more(&e);
			buf_add(&b, e.packed.data, e.packed.len);
		}
		endless_end(&e);
		buf_add(&b, e.packed.data, e.packed.len);
		endless_free(&e);
		/* In the last quarter, as if that were all. */
		tail = (struct buf){ b.data + b.len / 4 * 3, b.len - b.len / 4 * 3,
				     b.size - b.len / 4 * 3 };
		b.len -= tail.len;
		what = damage(kinds[i % NR(kinds)], &tail, wbits);
		b.len += tail.len;
		compare_verdicts(
			what, i % 2 && wbits > 0 ? 47 : wbits, b.data, b.len, (size_t)1 << 30,
			(struct cuts){ i % 4 ? 200 : 0, i % 3 ? 0 : 500, test_random() }, 0);
	}
	buf_free(&b);
	assert_true(undecided <= tried / 10);
	if (wrong)
		fail_msg("%u of %u", wrong, tried);
	/* The device was there until the damage, three quarters of it and more. */
	zwd_stats(&after, sizeof(after));
	if (test_mode == MODE_EMU)
		assert_true(after.inflate.hw_in - before.inflate.hw_in >
			    (uint64_t)nr * LARGE_PACKED / 10 * 7);
}

static int make(void **state)
{
	for (size_t nr = 0; nr < BASES; nr++)
		make_base(nr);
	return 0;
}

static int drop(void **state)
{
	for (size_t nr = 0; nr < BASES; nr++)
		buf_free(&bases[nr].packed);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ones),
		cmocka_unit_test(large_ones),
	};

	test_begin(test_is_long() ? 1800 : 180);
	if (test_mode == MODE_FAULT && !is_again(argc, argv) && again_with_faults_without_end())
		return 1;
	return cmocka_run_group_tests(tests, make, drop);
}
