/* SPDX-License-Identifier: Zlib */
/*
 * Deep in a long stream, where all that was before it is long gone, every call that only software
 * can do answers what zlib answers at the same place, and the stream goes on to its end.
 */
#include "config.h"
#include "again.h"
#include "endless.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	DEPTH = 100 << 20,
	INTO_TILE = 12345, /* bytes of the compressed tile that the place is in */
	TILES_LEFT = 3,
	TAIL_LEN = 5,
	ROOM = 1 << 20
};

/* A stream at DEPTH, and what is left of its input, with TAIL_LEN bytes that are not its own. */
struct place {
	enum endless_kind kind;
	int wbits, has_flush_points;
	size_t tile_left; /* bytes of rest to the end of the tile */
	struct buf rest;
	z_stream strm; /* the reference's */
	unsigned char window[32768];
};

/* Somebody at that place, and all that was answered. */
struct decoder {
	const struct zlib_api *z;
	const struct place *at;
	z_stream strm;
	size_t pos; /* in rest */
	uLong check;
	struct buf log;
};

static unsigned char room[ROOM];

__attribute__((format(printf, 2, 3))) static void note(struct decoder *d, const char *format, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_add(&d->log, line, (size_t)len);
	buf_add(&d->log, "\n", 1);
}

/* One call with these bytes of rest and this room. */
static int step(struct decoder *d, size_t nr, size_t room_len, int flush)
{
	size_t left = d->at->rest.len - d->pos;
	int ret;

	nr = nr < left ? nr : left;
	d->strm.next_in = d->at->rest.data + d->pos;
	d->strm.avail_in = (uInt)nr;
	d->strm.next_out = room;
	d->strm.avail_out = (uInt)room_len;
	ret = d->z->inflate(&d->strm, flush);
	d->pos += nr - d->strm.avail_in;
	d->check = ref.crc32(d->check, room, (uInt)(room_len - d->strm.avail_out));
	return ret;
}

static void note_totals(struct decoder *d, const char *what, int ret)
{
	note(d, "%s: %d (%s), in %lu, out %lu, crc %08lx", what, ret,
	     d->strm.msg ? d->strm.msg : "", d->strm.total_in, d->strm.total_out, d->check);
}

/* Input of exactly nr bytes, and all that it makes. */
static int feed(struct decoder *d, size_t nr)
{
	size_t end = d->pos + nr;
	int ret;

	do
		ret = step(d, end - d->pos, ROOM, Z_NO_FLUSH);
	while (ret == Z_OK && (d->pos < end || !d->strm.avail_out));
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

static void go_on(struct decoder *d)
{
	int ret;

	do
		ret = step(d, 50000, ROOM, Z_NO_FLUSH);
	while (ret == Z_OK);
	note_totals(d, "end", ret);
	if (ret == Z_STREAM_END)
		note(d, "adler %lx, left %zu", d->strm.adler, d->at->rest.len - d->pos);
}

static void steps(struct decoder *d, int flush, size_t nr, size_t room_len)
{
	int ret;

	do {
		ret = step(d, nr, room_len, flush);
		note(d, "%d, type %d, in %lu, out %lu", ret, d->strm.data_type, d->strm.total_in,
		     d->strm.total_out);
	} while (ret == Z_OK);
	note_totals(d, "end", ret);
}

static void block_steps(struct decoder *d)
{
	steps(d, Z_BLOCK, ROOM, ROOM);
}

static void block_steps_in_pieces(struct decoder *d)
{
	steps(d, Z_BLOCK, 3000, 5000);
}

static void trees_steps(struct decoder *d)
{
	steps(d, Z_TREES, ROOM, ROOM);
}

/* A few blocks, then as before. */
static void block_steps_then_plain(struct decoder *d)
{
	for (int i = 0; i < 3; i++) {
		int ret = step(d, ROOM, ROOM, Z_BLOCK);

		note(d, "%d, type %d, in %lu, out %lu", ret, d->strm.data_type, d->strm.total_in,
		     d->strm.total_out);
	}
	go_on(d);
}

static void questions(struct decoder *d)
{
	for (size_t nr = 0; nr < 6000; nr += 1000 + nr / 7) {
		assert_int_equal(feed(d, nr), Z_OK);
		note(d, "mark %ld", d->z->inflateMark(&d->strm));
		note(d, "codes %lu", d->z->inflateCodesUsed(&d->strm));
		note(d, "sync point %d", d->z->inflateSyncPoint(&d->strm));
		note_totals(d, "so far", Z_OK);
	}
	note(d, "undermine %d", d->z->inflateUndermine(&d->strm, 0));
	go_on(d);
}

/* Between the header of an empty stored block and its length zlib says yes. */
static void sync_point(struct decoder *d)
{
	assert_int_equal(feed(d, d->at->tile_left - 4), Z_OK);
	note(d, "sync point %d", d->z->inflateSyncPoint(&d->strm));
	assert_int_equal(feed(d, 4), Z_OK);
	note(d, "sync point %d", d->z->inflateSyncPoint(&d->strm));
	go_on(d);
}

static void feed_damage(struct decoder *d, size_t len)
{
	static unsigned char damaged[300];
	int ret;

	memset(damaged, 0xff, sizeof(damaged));
	d->strm.next_in = damaged;
	d->strm.avail_in = (uInt)len;
	d->strm.next_out = room;
	d->strm.avail_out = ROOM;
	ret = d->z->inflate(&d->strm, Z_NO_FLUSH);
	d->check = ref.crc32(d->check, room, ROOM - d->strm.avail_out);
	note_totals(d, "damage", ret);
	d->pos += len;
}

static void sync_after_damage(struct decoder *d)
{
	int ret;

	feed_damage(d, 300);
	d->strm.next_in = d->at->rest.data + d->pos;
	d->strm.avail_in = (uInt)(d->at->rest.len - d->pos);
	ret = d->z->inflateSync(&d->strm);
	d->pos = d->at->rest.len - d->strm.avail_in;
	note_totals(d, "sync", ret);
	go_on(d);
}

/* The next byte as bits, the others as always. */
static void prime(struct decoder *d)
{
	note(d, "prime %d", d->z->inflatePrime(&d->strm, 8, d->at->rest.data[d->pos]));
	d->pos++;
	note(d, "prime nothing %d", d->z->inflatePrime(&d->strm, 0, 0));
	note(d, "prime too much %d", d->z->inflatePrime(&d->strm, 17, 0));
	go_on(d);
}

static void get_dictionary(struct decoder *d)
{
	for (int i = 0; i < 3; i++) {
		unsigned char dict[32768];
		uInt len = 0, again = 0;
		int ret = d->z->inflateGetDictionary(&d->strm, dict, &len);

		note(d, "dictionary %d, %u, %08lx", ret, len, ref.crc32(0, dict, ret ? 0 : len));
		note(d, "length %d, %u", d->z->inflateGetDictionary(&d->strm, NULL, &again), again);
		assert_int_equal(feed(d, 1 + 20000 * (size_t)i), Z_OK);
	}
	go_on(d);
}

/* Both go on, the copy first and to its end. */
static void copy(struct decoder *d)
{
	struct decoder other = *d;

	note(d, "copy %d", d->z->inflateCopy(&other.strm, &d->strm));
	other.log = (struct buf){ 0 };
	go_on(&other);
	d->z->inflateEnd(&other.strm);
	buf_add(&d->log, other.log.data, other.log.len);
	buf_free(&other.log);
	go_on(d);
}

/* What comes next is another stream, and may refer to what was before. */
static void reset_keep(struct decoder *d)
{
	static unsigned char text[50000], packed[50000];
	z_stream writer = { .next_in = text,
			    .avail_in = sizeof(text),
			    .next_out = packed,
			    .avail_out = sizeof(packed) };
	int ret;

	gen_fill(GEN_JSON, text, sizeof(text));
	memcpy(text + 3000, d->at->window + 7000, 5000);
	ref.deflateInit2_(&writer, 9, Z_DEFLATED, d->at->wbits, 8, 0, ZLIB_VERSION,
			  (int)sizeof(writer));
	if (d->at->wbits < 0)
		assert_int_equal(ref.deflateSetDictionary(&writer, d->at->window, 32768), Z_OK);
	assert_int_equal(ref.deflate(&writer, Z_FINISH), Z_STREAM_END);
	ref.deflateEnd(&writer);

	note_totals(d, "reset keep", d->z->inflateResetKeep(&d->strm));
	d->strm.next_in = packed;
	d->strm.avail_in = (uInt)writer.total_out;
	d->strm.next_out = room;
	d->strm.avail_out = ROOM;
	ret = d->z->inflate(&d->strm, Z_NO_FLUSH);
	note_totals(d, "the next stream", ret);
	note(d, "%d", memcmp(room, text, sizeof(text)));
}

static void validate(struct decoder *d)
{
	struct place wrong = *d->at;

	wrong.rest = (struct buf){ 0 };
	buf_add(&wrong.rest, d->at->rest.data, d->at->rest.len);
	/* In the check, where there is one. */
	wrong.rest.data[wrong.rest.len - TAIL_LEN - (d->at->wbits == 31 ? 6 : 2)] ^= 0x40;
	d->at = &wrong;
	note(d, "validate %d", d->z->inflateValidate(&d->strm, 0));
	if (d->at->wbits > 0)
		go_on(d);
	buf_free(&wrong.rest);
	d->at = NULL;
}

static void damage_only(struct decoder *d)
{
	feed_damage(d, 100);
}

static const struct {
	const char *name;
	void (*run)(struct decoder *d);
} ops[] = {
	{ "Z_BLOCK", block_steps },
	{ "Z_BLOCK in pieces", block_steps_in_pieces },
	{ "Z_TREES", trees_steps },
	{ "Z_BLOCK, then none", block_steps_then_plain },
	{ "questions", questions },
	{ "inflateSyncPoint", sync_point },
	{ "inflateSync", sync_after_damage },
	{ "inflatePrime", prime },
	{ "inflateGetDictionary", get_dictionary },
	{ "inflateCopy", copy },
	{ "inflateResetKeep", reset_keep },
	{ "inflateValidate", validate },
	{ "damage", damage_only },
	{ "nothing", go_on },
};

/* To the place: calls of a tile, then a part of one. */
static void descend(const struct zlib_api *z, const struct place *at, z_stream *strm,
		    struct place *found)
{
	struct endless e;
	uint64_t pos = 0;

	memset(strm, 0, sizeof(*strm));
	assert_int_equal(z->inflateInit2_(strm, at->wbits, ZLIB_VERSION, (int)sizeof(*strm)), Z_OK);
	endless_begin(&e, at->kind, at->wbits, at->has_flush_points);
	for (int is_there = 0; !is_there;) {
		is_there = e.plain_len >= DEPTH;
		endless_more(&e);
		strm->next_in = e.packed.data;
		strm->avail_in = is_there ? INTO_TILE : (uInt)e.packed.len;
		do {
			int ret;

			strm->next_out = room;
			strm->avail_out = ROOM;
			ret = z->inflate(strm, Z_NO_FLUSH);
			if (ret != Z_OK && (ret != Z_BUF_ERROR || strm->avail_in))
				fail_msg("%d (%s) after %lu bytes", ret, strm->msg ? strm->msg : "",
					 strm->total_out);
			endless_check(at->kind, pos, room, ROOM - strm->avail_out);
			pos += ROOM - strm->avail_out;
		} while (strm->avail_in || !strm->avail_out);
	}
	if (found) {
		found->rest.len = 0;
		found->tile_left = e.packed.len - INTO_TILE;
		buf_add(&found->rest, e.packed.data + INTO_TILE, found->tile_left);
		for (int i = 0; i < TILES_LEFT; i++) {
			endless_more(&e);
			buf_add(&found->rest, e.packed.data, e.packed.len);
		}
		endless_end(&e);
		buf_add(&found->rest, e.packed.data, e.packed.len);
		buf_add(&found->rest, "tail!", TAIL_LEN);
		for (size_t i = 0, nr; i < sizeof(found->window); i += nr) {
			const unsigned char *from =
				endless_plain(at->kind, pos - sizeof(found->window) + i, &nr);

			nr = nr < sizeof(found->window) - i ? nr : sizeof(found->window) - i;
			memcpy(found->window + i, from, nr);
		}
	}
	endless_free(&e);
}

static unsigned int wrong_nr;

/* All that is wrong is told, and in the end it is a failure. */
static void compare_logs(const char *name, const struct place *at, const struct decoder *got,
			 const struct decoder *want)
{
	char *g = (char *)got->log.data, *w = (char *)want->log.data, *g_rest, *w_rest;
	int nr = 0;

	if (!strcmp(g, w))
		return;
	g = strtok_r(g, "\n", &g_rest);
	w = strtok_r(w, "\n", &w_rest);
	while (g && w && !strcmp(g, w)) {
		g = strtok_r(NULL, "\n", &g_rest);
		w = strtok_r(NULL, "\n", &w_rest);
		nr++;
	}
	wrong_nr++;
	printf("# %s, window bits %d, %s, answer %d is \"%s\", zlib's \"%s\"\n", name, at->wbits,
	       at->has_flush_points ? "flush points" : "no flush points", nr, g ? g : "-",
	       w ? w : "-");
}

static uint64_t made_by_device(void)
{
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	return stats.inflate.hw_out;
}

static void try_op(const struct place *at, size_t op)
{
	struct decoder got = { .z = &ours, .at = at }, want = { .z = &ref, .at = at };
	uint64_t before = made_by_device();

	assert_int_equal(ref.inflateCopy(&want.strm, (z_stream *)&at->strm), Z_OK);
	ops[op].run(&want);
	ref.inflateEnd(&want.strm);
	buf_add(&want.log, "", 1);

	descend(&ours, at, &got.strm, NULL);
	if (got.strm.total_out != at->strm.total_out || got.strm.total_in != at->strm.total_in)
		fail_msg("the place: in %lu, out %lu, zlib's %lu, %lu", got.strm.total_in,
			 got.strm.total_out, at->strm.total_in, at->strm.total_out);
	if (test_mode == MODE_EMU)
		assert_true(made_by_device() - before >= (uint64_t)DEPTH / 100 * 95);
	ops[op].run(&got);
	ours.inflateEnd(&got.strm);
	buf_add(&got.log, "", 1);
	compare_logs(ops[op].name, at, &got, &want);
	buf_free(&got.log);
	buf_free(&want.log);
}

/* All ops in all formats, with and without flush points; unless it may be long, half of them by
 * turns. */
static void at_depth(int wbits, int has_flush_points)
{
	struct place at = { .kind = has_flush_points ? ENDLESS_NOISE : ENDLESS_TEXT,
			    .wbits = wbits,
			    .has_flush_points = has_flush_points };
	size_t turn = (size_t)(has_flush_points + (wbits == 31 ? 1 : 0));

	wrong_nr = 0;
	descend(&ref, &at, &at.strm, &at);
	for (size_t op = 0; op < NR(ops); op++)
		if (test_is_long() || (op + turn) % 2)
			try_op(&at, op);
	ref.inflateEnd(&at.strm);
	buf_free(&at.rest);
	assert_int_equal(wrong_nr, 0);
}

static void gzip(void **state)
{
	at_depth(31, 0);
}

static void gzip_with_flush_points(void **state)
{
	at_depth(31, 1);
}

static void zlib(void **state)
{
	at_depth(15, 0);
}

static void zlib_with_flush_points(void **state)
{
	at_depth(15, 1);
}

static void raw(void **state)
{
	at_depth(-15, 0);
}

static void raw_with_flush_points(void **state)
{
	at_depth(-15, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip), cmocka_unit_test(gzip_with_flush_points),
		cmocka_unit_test(zlib), cmocka_unit_test(zlib_with_flush_points),
		cmocka_unit_test(raw),	cmocka_unit_test(raw_with_flush_points),
	};

	test_begin(test_is_long() ? 1200 : 180);
	if (test_mode == MODE_FAULT && !is_again(argc, argv))
		return again_with_faults_without_end();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
