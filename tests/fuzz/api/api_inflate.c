/* SPDX-License-Identifier: Zlib */
/*
 * Streams that decompress, sound, damaged and cut: both sides go in step, call by call. The bytes,
 * the room left, the return codes and the checksum are zlib's; where output fills the room a device
 * may have read ahead less or more of the input.
 */
#include "config.h"
#include "api_inflate.h"

enum { GUARD = 8, STEPS_MOST = 300 };

static const char *text(const char *msg)
{
	return msg ? msg : "";
}

static struct inflating **slot(struct runner *r)
{
	return &r->inflates[in_slot(&r->in)];
}

bool inflating_has_failed(const struct inflating *i)
{
	return (i->side[OURS].alloc && i->side[OURS].alloc->has_failed) ||
	       i->side[STOCK].alloc->has_failed;
}

static void end(struct inflating **at, bool is_abandoned)
{
	struct inflating *i = *at;

	for (int which = 0; which < SIDES; which++) {
		struct side *side = &i->side[which];

		if (is_abandoned && side->alloc && side->alloc->refs == 1) {
			alloc_abandon(side->alloc);
			continue;
		}
		check(!zapi[which]->inflateEnd(&side->strm), "inflateEnd fails");
		alloc_put(side->alloc);
	}
	buf_free(&i->packed);
	free(i);
	*at = NULL;
}

bool inflating_is_same_place(const struct inflating *i)
{
	return i->side[OURS].pos == i->side[STOCK].pos;
}

/* What both say of themselves; is_exact: also what a device leaves open. */
void inflating_compare(struct runner *r, struct inflating *i, bool is_exact)
{
	const z_stream *ours = &i->side[OURS].strm, *theirs = &i->side[STOCK].strm;

	check(i->side[OURS].ret == i->side[STOCK].ret,
	      "ret %d %s, zlib %d %s; out %lu, %lu, in %zu, %zu of %zu", i->side[OURS].ret,
	      text(ours->msg), i->side[STOCK].ret, text(theirs->msg), ours->total_out,
	      theirs->total_out, i->side[OURS].pos, i->side[STOCK].pos, i->packed.len);
	check(ours->total_out == theirs->total_out, "total_out %lu, zlib %lu", ours->total_out,
	      theirs->total_out);
	check(!strcmp(text(ours->msg), text(theirs->msg)), "msg %s, zlib %s", text(ours->msg),
	      text(theirs->msg));
	check(ours->adler == theirs->adler, "adler %lx, zlib %lx at %lu", ours->adler,
	      theirs->adler, ours->total_out);
	if (!is_exact && !is_soft(r))
		return;
	check(inflating_is_same_place(i), "took %zu, zlib %zu of %zu", i->side[OURS].pos,
	      i->side[STOCK].pos, i->packed.len);
	check(ours->total_in == theirs->total_in, "total_in %lu, zlib %lu", ours->total_in,
	      theirs->total_in);
}

/* One call, with everything that any call must keep to. */
static void call(struct inflating *i, int which, unsigned char *out, size_t room, int flush)
{
	struct side *side = &i->side[which];
	z_stream *s = &side->strm;
	size_t in_len = i->shown - side->pos, used;
	uLong out_before = s->total_out;
	/* Its own memory, which ends with the call. */
	unsigned char *in = malloc(in_len + 1);

	check(in, "out of memory");
	memcpy(in, i->packed.data + side->pos, in_len);
	trace("  inflate %p %d: flush %d, in %zu, room %zu\n", (void *)i, which, flush, in_len,
	      room);
	s->next_in = in;
	s->avail_in = (uInt)in_len;
	s->next_out = out;
	s->avail_out = (uInt)room;
	side->ret = zapi[which]->inflate(s, flush);
	used = in_len - s->avail_in;
	check(used <= in_len && s->avail_out <= room && s->next_in == in + used &&
		      s->next_out == out + room - s->avail_out,
	      "next and avail do not agree");
	check(s->total_out - out_before == room - s->avail_out || side->ret == Z_MEM_ERROR,
	      "total_out %lu after %lu, %zu made, side %d, ret %d", s->total_out, out_before,
	      room - s->avail_out, which, side->ret);
	side->pos += used;
	free(in);
}

/* One call of each. True: there is a way on. */
static bool step(struct runner *r, struct inflating *i, size_t room, int flush)
{
	size_t before = i->side[STOCK].pos;
	unsigned char *out[SIDES];
	uInt left[SIDES];
	bool is_moved;

	/* Who has read on to another place comes by other blocks. */
	if (!inflating_is_same_place(i) && (flush == Z_BLOCK || flush == Z_TREES))
		flush = Z_NO_FLUSH;
	for (int which = 0; which < SIDES; which++) {
		out[which] = malloc(room + GUARD);
		check(out[which], "out of memory");
		memset(out[which] + room, 0x5a, GUARD);
		call(i, which, out[which], room, flush);
		left[which] = i->side[which].strm.avail_out;
	}
	i->is_over |= i->side[STOCK].ret == Z_STREAM_END || i->side[STOCK].ret == Z_DATA_ERROR;
	is_moved = i->side[STOCK].pos != before || left[STOCK] != room;
	/* A device may hold back the last symbols until more comes, or nothing does. */
	if (!is_soft(r) && left[OURS] > left[STOCK] && left[OURS] <= left[STOCK] + HELD_MOST &&
	    i->side[OURS].pos == i->shown && i->side[OURS].ret == Z_OK && flush < Z_FINISH) {
		call(i, OURS, out[OURS] + room - left[OURS], left[OURS], flush);
		left[OURS] = i->side[OURS].strm.avail_out;
	}
	for (int which = 0; which < SIDES; which++)
		for (size_t g = 0; g < GUARD; g++)
			check(out[which][room + g] == 0x5a, "wrote behind the room");
	r->work += room + 200 + (i->shown - i->side[STOCK].pos);
	if (inflating_has_failed(i)) {
		/* Without memory the way back to software may be lost. */
		i->is_broken = i->side[OURS].ret == Z_MEM_ERROR ||
			       i->side[STOCK].ret == Z_MEM_ERROR ||
			       i->side[OURS].ret == Z_DATA_ERROR;
		if (i->is_broken)
			goto out;
	}
	check(left[OURS] == left[STOCK],
	      "made %zu, zlib %zu, ret %d %s, zlib %d %s; from out %lu, in %zu, zlib %zu, shown "
	      "%zu of %zu",
	      room - left[OURS], room - left[STOCK], i->side[OURS].ret,
	      text(i->side[OURS].strm.msg), i->side[STOCK].ret, text(i->side[STOCK].strm.msg),
	      i->side[STOCK].strm.total_out - (room - left[STOCK]), i->side[OURS].pos,
	      i->side[STOCK].pos, i->shown, i->packed.len);
	check(!memcmp(out[OURS], out[STOCK], room - left[OURS]), "other bytes than zlib's");
	/* Without room the one may still have taken a header, or the end, and the other before. */
	if (!is_soft(r) && !left[STOCK] && i->side[OURS].ret != i->side[STOCK].ret &&
	    i->side[OURS].ret <= Z_OK)
		;
	else
		inflating_compare(r, i, left[STOCK] || flush == Z_BLOCK || flush == Z_TREES);
	/* A call that is refused leaves what the one before it said. */
	if (is_soft(r) || (i->side[STOCK].ret != Z_STREAM_ERROR && (flush == Z_BLOCK || flush == Z_TREES)))
		check(i->side[OURS].strm.data_type == i->side[STOCK].strm.data_type,
		      "data_type %d, zlib %d", i->side[OURS].strm.data_type,
		      i->side[STOCK].strm.data_type);
out:
	free(out[OURS]);
	free(out[STOCK]);
	return is_moved && i->side[STOCK].ret == Z_OK && !i->is_broken &&
	       r->work < r->settings->work_most;
}

static void op_open(struct runner *r)
{
	struct inflating **at = slot(r), *i;
	unsigned int kind = in_byte(&r->in), memory = in_byte(&r->in);
	int made_bits = 15, ret[SIDES];

	if (*at)
		end(at, memory / 128);
	i = calloc(1, sizeof(*i));
	check(i, "out of memory");
	if (kind % 4 == 0 && r->packed.len && !r->settings->is_recut) {
		buf_add(&i->packed, r->packed.data, r->packed.len);
		made_bits = r->packed_wbits;
	} else {
		packed_make(r, &i->packed, &made_bits);
	}
	/* Another member, or garbage, behind the end. */
	if (kind / 4 % 8 == 1 && buf_room(&i->packed, i->packed.len + 1))
		buf_add(&i->packed, i->packed.data, i->packed.len < 100000 ? i->packed.len : 100);
	for (unsigned int n = kind / 32 == 7 ? 1 + in_byte(&r->in) % 3 : kind / 32 == 6; n; n--)
		packed_damage(r, &i->packed);
	i->wbits = made_bits;
	if (made_bits > 0) {
		static const int others[] = { 0, 47, 0, 32, 15, 31, 40 };
		unsigned int other = in_byte(&r->in);

		if (other % 4 == 0)
			i->wbits = others[other / 4 % 7];
		/* A smaller window refuses the header. */
		else if (made_bits < 16 && made_bits < 15 && other % 2)
			i->wbits = 15;
	} else if (in_byte(&r->in) % 8) {
		i->wbits = -15;
	}
	trace("  %p: bits %d, %zu bytes, memory %u\n", (void *)i, i->wbits, i->packed.len, memory);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &i->side[which];

		side->alloc =
			alloc_new(&side->strm, which == OURS, memory % 2 ? 0 : memory / 2 % ALLOC_KINDS);
		ret[which] = zapi[which]->inflateInit2_(&side->strm, i->wbits, ZLIB_VERSION,
							(int)sizeof(side->strm));
	}
	if (ret[OURS] || ret[STOCK]) {
		check(inflating_has_failed(i) || ret[OURS] == ret[STOCK], "ret %d, zlib %d",
		      ret[OURS], ret[STOCK]);
		for (int which = 0; which < SIDES; which++) {
			if (!ret[which])
				zapi[which]->inflateEnd(&i->side[which].strm);
			alloc_put(i->side[which].alloc);
		}
		buf_free(&i->packed);
		free(i);
		return;
	}
	*at = i;
}

/* A stream at which there is something to be done. */
struct inflating *inflating_read(struct runner *r)
{
	struct inflating *i = *slot(r);

	return i && !i->is_broken ? i : NULL;
}

static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_NO_FLUSH, Z_FINISH,
			       Z_BLOCK,	   Z_TREES,	 Z_NO_FLUSH, Z_SYNC_FLUSH };

static void op_step(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	size_t more, room;

	if (!i)
		return;
	more = in_size(&r->in, i->packed.len - i->shown);
	room = in_size(&r->in, 5 << 20);
	i->shown += more;
	step(r, i, room, flushes[in_below(&r->in, 8)]);
}

/* In equal pieces, as far as they lead or the program goes. */
static void op_run(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	size_t in_cut, out_cut, nr;
	int flush;

	if (!i)
		return;
	flush = flushes[in_below(&r->in, 8)];
	nr = 1 + in_byte(&r->in);
	in_cut = cut_read(r, i->packed.len);
	out_cut = cut_read(r, 1 << 20);
	nr = nr < 200 ? nr : STEPS_MOST;
	do {
		size_t room = out_cut;

		if (i->shown == i->side[STOCK].pos)
			i->shown += in_cut < i->packed.len - i->shown ? in_cut
								      : i->packed.len - i->shown;
		if (!step(r, i, room, flush))
			break;
	} while (--nr);
}

/* All that is there, to the end. */
static void finish(struct runner *r, struct inflating *i)
{
	unsigned int nr = 400;

	i->shown = i->packed.len;
	while (!i->is_broken && r->work < r->settings->work_most &&
	       step(r, i, 1 << 20, Z_NO_FLUSH) && --nr)
		;
}

static void op_finish(struct runner *r)
{
	struct inflating *i = inflating_read(r);

	if (i)
		finish(r, i);
}

static void op_copy(struct runner *r)
{
	struct inflating *from = inflating_read(r), **at = slot(r), *to;
	bool is_short;
	int ret[SIDES];

	if (!from || *at == from)
		return;
	/* Where the header goes lies with the other stream. */
	if (from->has_header)
		return;
	if (*at)
		end(at, false);
	to = malloc(sizeof(*to));
	check(to, "out of memory");
	*to = *from;
	to->packed = (struct buf){ 0 };
	buf_add(&to->packed, from->packed.data, from->packed.len);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &to->side[which];

		alloc_get(side->alloc);
		memset(&side->strm, 0x33, sizeof(side->strm));
		ret[which] = zapi[which]->inflateCopy(&side->strm, &from->side[which].strm);
	}
	is_short = inflating_has_failed(from);
	check(is_short || (!ret[OURS] && !ret[STOCK]), "inflateCopy: %d, zlib %d", ret[OURS],
	      ret[STOCK]);
	*at = to;
	if (ret[OURS] || ret[STOCK]) {
		for (int which = 0; which < SIDES; which++) {
			if (!ret[which])
				zapi[which]->inflateEnd(&to->side[which].strm);
			alloc_put(to->side[which].alloc);
		}
		buf_free(&to->packed);
		free(to);
		*at = NULL;
	}
}

/* From here on in the input, which may be another member, garbage, or the end. */
static void op_reset(struct runner *r)
{
	static const int others[] = { 15, 31, -15, 47, 0, -15, 12, 99 };
	struct inflating *i = inflating_read(r);
	unsigned int how = in_byte(&r->in), other = in_byte(&r->in);
	int ret[SIDES];

	if (!i)
		return;
	for (int which = 0; which < SIDES; which++) {
		const struct zlib_api *z = zapi[which];
		struct side *side = &i->side[which];

		side->header = (gz_header){ 0 };
		ret[which] = how % 3 == 0   ? z->inflateReset(&side->strm)
			     : how % 3 == 1 ? z->inflateReset2(&side->strm,
							       other % 2 ? i->wbits
									 : others[other / 2 % 8])
					    : z->inflateResetKeep(&side->strm);
		side->ret = ret[which];
	}
	i->is_broken = inflating_has_failed(i);
	if (i->is_broken)
		return;
	check(ret[OURS] == ret[STOCK], "reset %u: %d, zlib %d", how % 3, ret[OURS], ret[STOCK]);
	if (ret[STOCK] != Z_OK)
		return;
	i->is_over = how % 3 == 2; /* then the window stays */
	/* They go on from one place: here, or the beginning. */
	if (how / 8 % 2)
		i->side[STOCK].pos = i->shown = 0;
	i->side[OURS].pos = i->side[STOCK].pos;
	inflating_compare(r, i, true);
}

static void op_end(struct runner *r)
{
	struct inflating **at = slot(r);
	unsigned int how = in_byte(&r->in);

	if (*at && how % 2 && !(*at)->is_broken)
		finish(r, *at);
	if (*at)
		end(at, how / 64 == 3);
}

void inflates_close(struct runner *r)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!r->inflates[i])
			continue;
		if (i != 2 && !r->inflates[i]->is_broken)
			finish(r, r->inflates[i]);
		end(&r->inflates[i], false);
	}
}

const struct op inflate_ops[] = {
	{ "inflateInit2", op_open },
	{ "inflateInit2", op_open },
	{ "inflate once", op_step },
	{ "inflate once", op_step },
	{ "inflate once", op_step },
	{ "inflate", op_run },
	{ "inflate", op_run },
	{ "inflate", op_run },
	{ "inflate", op_run },
	{ "inflate to the end", op_finish },
	{ "inflateSync", inflate_op_sync },
	{ "inflateMark, SyncPoint, CodesUsed, Undermine, Validate, Prime", inflate_op_ask },
	{ "inflateGetDictionary", inflate_op_get_dictionary },
	{ "inflateSetDictionary", inflate_op_set_dictionary },
	{ "inflateGetHeader", inflate_op_header },
	{ "gzip header", inflate_op_check_header },
	{ "inflateCopy", op_copy },
	{ "inflateReset, Reset2, ResetKeep", op_reset },
	{ "inflateEnd", op_end },
};
const unsigned int inflate_ops_nr = sizeof(inflate_ops) / sizeof(inflate_ops[0]);
