/* SPDX-License-Identifier: Zlib */
/*
 * At any place of a long stream, after any number of bytes on a device, what only software can do is
 * answered as zlib answers it: the same results, bits, positions and check values from there on. And damaged
 * or cut streams have zlib's verdict, words, output and position.
 */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define LEN 2500000

enum action { NOTHING, BLOCKS, MARK, DICTIONARY, SYNC_POINT, CODES, VALIDATE, SYNC, RESET_KEEP, PRIME, COPY, ACTIONS };
enum harm { NONE, DAMAGE, CUT, TRAILER, HARMS };

static unsigned char out[2][LEN + 300000];

struct plan {
	enum gen gen;
	int wbits, level;
	size_t in_step, out_step, place;
	enum action action;
	enum harm harm;
	size_t harm_at;
};

struct stream {
	const struct zlib_api *z;
	z_stream strm;
	unsigned char *out;
	int ret;
};

/* Shows input up to limit, wherever the stream is in it. */
static int step(struct stream *s, const struct buf *packed, size_t limit, size_t room, int flush)
{
	size_t left = s->out + sizeof(out[0]) - s->strm.next_out;

	s->strm.next_in = packed->data + s->strm.total_in;
	s->strm.avail_in = (uInt)(limit > s->strm.total_in ? limit - s->strm.total_in : 0);
	s->strm.avail_out = (uInt)(room < left ? room : left);
	s->ret = s->z->inflate(&s->strm, flush);
	return s->ret;
}

static const char *describe(const struct plan *p)
{
	static char text[200];

	snprintf(text, sizeof(text), "gen %d wbits %d level %d in %zu out %zu place %zu action %d harm %d at %zu",
		 p->gen, p->wbits, p->level, p->in_step, p->out_step, p->place, p->action, p->harm, p->harm_at);
	return text;
}

#define SAME(what) \
	do { \
		if ((unsigned long long)got->what != (unsigned long long)want->what) \
			fail_msg("%s: %s: " #what " %lld, zlib %lld; out %lu, zlib %lu; ret %d %s, zlib %d %s", \
				 describe(p), when, (long long)got->what, (long long)want->what, \
				 got->strm.total_out, want->strm.total_out, got->ret, got->strm.msg, want->ret, want->strm.msg); \
	} while (0)

static void same(const struct plan *p, const char *when, const struct stream *got, const struct stream *want)
{
	SAME(ret);
	SAME(strm.total_out);
	SAME(strm.total_in);
	SAME(strm.adler);
	SAME(strm.data_type);
	if (strcmp(got->strm.msg ? got->strm.msg : "", want->strm.msg ? want->strm.msg : ""))
		fail_msg("%s: %s: %s, zlib %s", describe(p), when, got->strm.msg, want->strm.msg);
}

static long act(const struct plan *p, struct stream *s)
{
	static unsigned char dict[32768];
	z_stream copy;
	uInt len = 0;
	long ret = 0;

	switch (p->action) {
	case MARK:
		return s->z->inflateMark(&s->strm);
	case DICTIONARY:
		ret = s->z->inflateGetDictionary(&s->strm, dict, &len);
		if (!ret)
			assert_memory_equal(dict, s->strm.next_out - len, len);
		return ret ? ret : len;
	case SYNC_POINT:
		return s->z->inflateSyncPoint(&s->strm);
	case CODES:
		s->z->inflateCodesUsed(&s->strm);
		return 0;
	case VALIDATE:
		return s->z->inflateValidate(&s->strm, 0);
	case SYNC:
		return s->z->inflateSync(&s->strm);
	case RESET_KEEP:
		return 0;
	case PRIME:
		return p->wbits < 0 ? s->z->inflatePrime(&s->strm, 0, 0) : 0;
	case COPY:
		ret = s->z->inflateCopy(&copy, &s->strm);
		if (ret)
			return ret;
		s->z->inflateEnd(&s->strm);
		ret = s->z->inflateCopy(&s->strm, &copy);
		s->z->inflateEnd(&copy);
		return ret;
	default:
		return 0;
	}
}

static void run(const struct plan *p, struct buf *packed)
{
	struct stream s[2] = { { .z = &ours, .out = out[0] }, { .z = &ref, .out = out[1] } }, *got = &s[0], *want = &s[1];
	size_t len = p->harm == CUT ? p->harm_at : packed->len;
	int flush = p->action == BLOCKS ? Z_BLOCK : Z_NO_FLUSH, is_same_place;

	for (int n = 0; n < 2; n++) {
		size_t limit = 0;

		assert_int_equal(s[n].z->inflateInit2_(&s[n].strm, p->wbits, ZLIB_VERSION, sizeof(z_stream)), Z_OK);
		s[n].strm.next_out = s[n].out;
		/* The one is led to where the other is. */
		while (s[n].strm.total_out < p->place && s[n].ret == Z_OK) {
			size_t room = p->place - s[n].strm.total_out;

			if (limit <= s[n].strm.total_in || s[n].strm.avail_out)
				limit += p->in_step;
			if (limit >= len && s[n].strm.avail_out && limit > len + p->in_step)
				break;
			step(&s[n], packed, limit < len ? limit : len, room < p->out_step ? room : p->out_step,
			     Z_NO_FLUSH);
			if (s[n].ret == Z_BUF_ERROR && limit < len)
				s[n].ret = Z_OK;
		}
	}
	is_same_place = got->strm.total_out == want->strm.total_out && got->ret == Z_OK && want->ret == Z_OK;
	if (is_same_place) {
		long got_act, want_act;

		got_act = act(p, got);
		want_act = act(p, want);
		if (got_act != want_act)
			fail_msg("%s: action %ld, zlib %ld", describe(p), got_act, want_act);
	}
	for (int calls = 0; got->ret == Z_OK && want->ret == Z_OK; calls++) {
		int is_exact = is_same_place && p->action != RESET_KEEP && (p->action != PRIME || p->wbits < 0) && (calls > 0 || flush == Z_BLOCK) && p->action != NOTHING &&
			       p->action != DICTIONARY && p->action != COPY;

		step(got, packed, len, p->out_step, flush);
		step(want, packed, len, p->out_step, flush);
		if (is_exact)
			same(p, "on the way", got, want);
	}
	while (got->ret == Z_OK)
		step(got, packed, len, p->out_step, flush);
	while (want->ret == Z_OK)
		step(want, packed, len, p->out_step, flush);
	/* An end is seen twice, and so is a cut. */
	step(got, packed, len, 100, flush);
	step(want, packed, len, 100, flush);
	same(p, "at the end", got, want);
	assert_memory_equal(out[0], out[1], got->strm.total_out);
	for (int n = 0; n < 2; n++)
		assert_int_equal(s[n].z->inflateEnd(&s[n].strm), Z_OK);
}

static struct buf packed[GEN_NR][3];
static const int wrappers[] = { 15, 31, -15 };

static size_t one_of(const size_t *list, size_t nr)
{
	return list[test_random_below(nr)];
}

static void random_plan(struct plan *p, enum harm harm)
{
	static const size_t in_steps[] = { 5000, 65536, 300000, LEN }, out_steps[] = { 7000, 65536, 300000, LEN };
	size_t w = test_random_below(NR(wrappers));
	struct buf *buf;
	unsigned char was = 0;

	p->gen = (enum gen)test_random_below(GEN_NR);
	p->wbits = wrappers[w];
	buf = &packed[p->gen][w];
	p->level = 6;
	p->in_step = one_of(in_steps, NR(in_steps));
	p->out_step = one_of(out_steps, NR(out_steps));
	p->place = test_random_below(LEN);
	p->harm = harm;
	p->harm_at = harm == TRAILER ? buf->len - 1 - test_random_below(8) : test_random_below(buf->len);
	if (harm == DAMAGE || harm == TRAILER) {
		was = buf->data[p->harm_at];
		buf->data[p->harm_at] ^= 1 << test_random_below(8);
	}
	run(p, buf);
	if (harm == DAMAGE || harm == TRAILER)
		buf->data[p->harm_at] = was;
}

static void trials(enum harm harm, unsigned int nr)
{
	const char *more = getenv("ZWD_TEST_TRIALS");

	if (more)
		nr *= (unsigned int)atoi(more);
	for (unsigned int n = 0; n < nr; n++) {
		struct plan p = { .action = (enum action)(n % ACTIONS) };

		random_plan(&p, harm);
	}
}

static void sound_streams(void **state)
{
	trials(NONE, 66);
}

static void damaged_streams(void **state)
{
	trials(DAMAGE, 44);
}

static void cut_streams(void **state)
{
	trials(CUT, 33);
}

static void damaged_trailers(void **state)
{
	trials(TRAILER, 22);
}

static int make(void **state)
{
	for (int g = 0; g < GEN_NR; g++) {
		unsigned char *plain = gen_alloc((enum gen)g, LEN);

		for (size_t w = 0; w < NR(wrappers); w++)
			deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed[g][w]);
		free(plain);
	}
	return 0;
}

static int drop(void **state)
{
	for (int g = 0; g < GEN_NR; g++)
		for (size_t w = 0; w < NR(wrappers); w++)
			buf_free(&packed[g][w]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_streams), cmocka_unit_test(damaged_streams),
		cmocka_unit_test(cut_streams), cmocka_unit_test(damaged_trailers),
	};

	/* So little that places have to be found in streams of this size. */
	setenv("ZWD_KEEP", "2M", 0);
	test_begin(300);
	return cmocka_run_group_tests(tests, make, drop);
}
