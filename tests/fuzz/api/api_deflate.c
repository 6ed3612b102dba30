/* SPDX-License-Identifier: Zlib */
/*
 * Streams that compress. In mode soft both sides are the same to the byte, at every call. With a
 * device ours is inflated by the stock zlib as it comes: at each flush it is complete, its header,
 * counts, checksum and return codes are zlib's.
 */
#include "config.h"
#include "api_deflate.h"

static struct deflating **slot(struct runner *r)
{
	return &r->deflates[in_slot(&r->in)];
}

static void forget(struct deflating *d)
{
	for (int which = 0; which < SIDES; which++)
		buf_free(&d->side[which].out);
	buf_free(&d->plain);
	stock.inflateEnd(&d->decoder);
	alloc_put(d->decoder_alloc);
	free(d);
}

static void end(struct runner *r, struct deflating **at, bool is_abandoned)
{
	struct deflating *d = *at;
	int ret[SIDES];

	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];

		if (is_abandoned && side->alloc && side->alloc->refs == 1) {
			ret[which] = Z_OK;
			alloc_abandon(side->alloc);
			is_abandoned = true;
			continue;
		}
		is_abandoned = false;
		ret[which] = zapi[which]->deflateEnd(&side->strm);
		check(ret[which] == Z_OK || ret[which] == Z_DATA_ERROR, "deflateEnd: %d",
		      ret[which]);
		alloc_put(side->alloc);
	}
	if (!is_abandoned && (is_soft(r) || (!d->is_cut && d->is_done)))
		check(ret[OURS] == ret[STOCK], "deflateEnd: %d, zlib %d", ret[OURS], ret[STOCK]);
	forget(d);
	*at = NULL;
}

static void finish(struct runner *r, struct deflating *d)
{
	for (int which = 0; which < SIDES; which++)
		deflating_feed(r, d, which, Z_FINISH, SIZE_MAX, d->plain.len + 70000);
	d->is_cut |= d->is_finishing;
	d->is_finishing = true;
	deflating_compare(r, d, true);
	if (d->side[OURS].ret == Z_STREAM_END)
		deflating_check_end(r, d);
}

static void op_open(struct runner *r)
{
	static const int wbits[] = { 15, 31,  -15, 15, 31, -15, 14, 12,
				     9,	 -14, -13, -9, 8,  24,	28, 30 };
	struct deflating **at = slot(r), *d;
	unsigned int kind = in_byte(&r->in), how = in_byte(&r->in), memory = in_byte(&r->in);
	int ret[SIDES];

	if (*at)
		end(r, at, memory / 128);
	d = calloc(1, sizeof(*d));
	check(d, "out of memory");
	d->wbits = wbits[kind % 16];
	d->wrap = d->wbits < 0 ? 0 : d->wbits > 15 ? 2 : 1;
	/* Half of them as most programs do. */
	d->level = how % 2 ? 6 : (int)(how / 2 % 11) - 1;
	d->mem_level = kind / 16 % 4 ? 8 : 1 + (int)(kind / 64 + how % 7) % 9;
	d->strategy = how % 2 ? Z_DEFAULT_STRATEGY : (int)(how / 32 % 5);
	trace("  %p: level %d, bits %d, memLevel %d, strategy %d, memory %u\n", (void *)d, d->level,
	      d->wbits, d->mem_level, d->strategy, memory);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];

		side->alloc =
			alloc_new(&side->strm, which == OURS, memory % 2 ? 0 : memory / 2 % ALLOC_KINDS);
		ret[which] = zapi[which]->deflateInit2_(&side->strm, d->level, Z_DEFLATED, d->wbits,
							d->mem_level, d->strategy, ZLIB_VERSION,
							(int)sizeof(side->strm));
	}
	if (ret[OURS] || ret[STOCK]) {
		bool has_failed = false;

		for (int which = 0; which < SIDES; which++)
			has_failed |= d->side[which].alloc && d->side[which].alloc->has_failed;
		check(has_failed || ret[OURS] == ret[STOCK], "ret %d, zlib %d", ret[OURS],
		      ret[STOCK]);
		check(!has_failed || ret[OURS] == Z_MEM_ERROR || ret[STOCK] == Z_MEM_ERROR,
		      "ret %d", ret[OURS]);
		for (int which = 0; which < SIDES; which++) {
			if (!ret[which])
				zapi[which]->deflateEnd(&d->side[which].strm);
			alloc_put(d->side[which].alloc);
		}
		free(d);
		return;
	}
	if (d->level == Z_DEFAULT_COMPRESSION)
		d->level = 6;
	d->was_stored = !d->level;
	d->decoder_alloc = alloc_new(&d->decoder, false, 0);
	check(!stock.inflateInit2_(&d->decoder,
				   d->wrap == 2 ? 31
				   : d->wrap	? 15
						: -15,
				   ZLIB_VERSION, (int)sizeof(d->decoder)),
	      "broken test: no decoder");
	deflating_start(d);
	*at = d;
}

struct deflating *deflating_read(struct runner *r)
{
	return *slot(r);
}

static size_t more_text(struct runner *r, struct deflating *d)
{
	size_t len = in_size(&r->in, PLAIN_MOST - d->plain.len);

	if (len > r->settings->work_most)
		len = r->settings->work_most;
	if (d->is_finishing || r->work > r->settings->work_most)
		len = 0;
	if (len)
		buf_add(&d->plain, in_text(&r->in, len), len);
	return len;
}

static const int flushes[] = { Z_NO_FLUSH,	Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH,
			       Z_PARTIAL_FLUSH, Z_BLOCK,      Z_NO_FLUSH,   Z_SYNC_FLUSH };

static void op_feed(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	size_t in_cut, out_cut, left;
	int flush;

	if (!d || d->is_done)
		return;
	flush = flushes[in_byte(&r->in) % 8];
	if (d->is_finishing)
		flush = Z_FINISH;
	more_text(r, d);
	left = d->plain.len - deflating_taken(&d->side[OURS]);
	in_cut = cut_read(r, left);
	out_cut = cut_read(r, left + 70000);
	d->is_cut |= d->is_finishing;
	for (int which = 0; which < SIDES; which++)
		deflating_feed(r, d, which, flush, in_cut, out_cut);
	d->is_finishing |= flush == Z_FINISH;
	d->is_flushed = flush == Z_SYNC_FLUSH || flush == Z_FULL_FLUSH || flush == Z_PARTIAL_FLUSH;
	deflating_compare(r, d, true);
	d->is_after_params = false;
	if (d->is_flushed)
		check(d->decoder_out == d->plain.len, "flush %d left %zu of %zu behind", flush,
		      d->plain.len - d->decoder_out, d->plain.len);
	if (d->side[OURS].ret == Z_STREAM_END) {
		deflating_check_end(r, d);
	} else if (flush != Z_NO_FLUSH) {
		/* All that was there is out: both stand at the same place. */
		d->is_cut = false;
	}
	if (flush == Z_FULL_FLUSH && d->wrap < 2 && !d->dict_len && r->in.pos % 3 == 0)
		deflating_restart_decoder(d);
}

/* One call with what room there is, and whatever remains stays. */
static void op_poke(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	size_t room, in_len, left[SIDES];
	bool was_done;
	int flush;

	if (!d)
		return;
	was_done = d->is_done;
	d->is_cut = d->was_cut = true;
	d->is_flushed = false;
	flush = flushes[in_byte(&r->in) % 8];
	more_text(r, d);
	in_len = in_size(&r->in, PLAIN_MOST);
	room = in_size(&r->in, PLAIN_MOST);
	/* Behind the end there is to be no more. */
	if (flush == Z_FINISH)
		in_len = SIZE_MAX;
	for (int which = 0; which < SIDES; which++) {
		left[which] = d->plain.len - deflating_taken(&d->side[which]);
		deflating_call(r, d, which, flush, left[which] < in_len ? left[which] : in_len,
			       room);
	}
	d->is_finishing |= flush == Z_FINISH;
	deflating_compare(r, d, false);
	if (d->side[OURS].ret == Z_STREAM_END) {
		check(flush == Z_FINISH, "an end that was not asked for");
		if (!was_done && deflating_taken(&d->side[OURS]) == d->plain.len)
			deflating_check_end(r, d);
	}
}

static void op_finish(struct runner *r)
{
	struct deflating *d = deflating_read(r);

	if (d && !d->is_done)
		finish(r, d);
}

static void op_copy(struct runner *r)
{
	struct deflating *from = deflating_read(r), **at = slot(r), *to;
	bool has_failed = false;
	int ret[SIDES];

	if (!from || *at == from)
		return;
	/* The header's fields lie with the stream that they were set for. */
	if (from->header.os && from->has_begun &&
	    (from->side[OURS].out.len < from->header_len ||
	     from->side[STOCK].out.len < from->header_len))
		return;
	if (*at)
		end(r, at, false);
	to = malloc(sizeof(*to));
	check(to, "out of memory");
	*to = *from;
	to->plain = to->side[OURS].out = to->side[STOCK].out = (struct buf){ 0 };
	buf_add(&to->plain, from->plain.data, from->plain.len);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &to->side[which];

		buf_add(&side->out, from->side[which].out.data, from->side[which].out.len);
		alloc_get(side->alloc);
		memset(&side->strm, 0x33, sizeof(side->strm));
		ret[which] = zapi[which]->deflateCopy(&side->strm, &from->side[which].strm);
		has_failed |= side->alloc && side->alloc->has_failed;
		if (!from->has_begun && from->header.os && !ret[which])
			zapi[which]->deflateSetHeader(&side->strm, &to->header);
	}
	memset(&to->decoder, 0, sizeof(to->decoder));
	alloc_get(to->decoder_alloc);
	check(!stock.inflateCopy(&to->decoder, &from->decoder),
	      "broken test: no copy of the decoder");
	if (to->header.extra)
		to->header.extra = to->extra;
	if (to->header.name)
		to->header.name = to->name;
	if (to->header.comment)
		to->header.comment = to->comment;
	check(has_failed || (!ret[OURS] && !ret[STOCK]), "deflateCopy: %d, zlib %d", ret[OURS],
	      ret[STOCK]);
	*at = to;
	if (ret[OURS] || ret[STOCK]) {
		for (int which = 0; which < SIDES; which++) {
			if (!ret[which])
				zapi[which]->deflateEnd(&to->side[which].strm);
			alloc_put(to->side[which].alloc);
		}
		forget(to);
		*at = NULL;
	}
}

static void op_reset(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	unsigned int how = in_byte(&r->in);
	bool is_keep;
	int ret[SIDES];

	if (!d)
		return;
	/* Half of a stream in the window would come out in the next. */
	trace("  deflateReset %p\n", (void *)d);
	is_keep = how % 3 == 0 && !d->side[STOCK].dict_in && (!d->has_begun || d->is_done) &&
		  d->decoder_out == d->plain.len;
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];

		ret[which] = is_keep ? zapi[which]->deflateResetKeep(&side->strm)
				     : zapi[which]->deflateReset(&side->strm);
		check(ret[which] == Z_OK, "%s: %d", is_keep ? "deflateResetKeep" : "deflateReset",
		      ret[which]);
		check(!side->strm.total_in && !side->strm.total_out && !side->strm.msg,
		      "totals or msg stay");
	}
	check(d->side[OURS].strm.adler == d->side[STOCK].strm.adler, "adler after the reset");
	if (is_soft(r))
		check(d->side[OURS].strm.data_type == d->side[STOCK].strm.data_type,
		      "data_type after the reset");
	if (is_keep)
		stock.inflateResetKeep(&d->decoder);
	stock.inflateReset2(&d->decoder, d->wrap == 2 ? 31 : d->wrap ? 15 : -15);
	/* Its window is kept by no reset of the decoder that also changes the format. */
	if (is_keep && d->plain.len) {
		end(r, &r->deflates[d == r->deflates[0] ? 0 : d == r->deflates[1] ? 1 : 2], false);
		return;
	}
	deflating_start(d);
}

static void op_end(struct runner *r)
{
	struct deflating **at = slot(r);
	unsigned int how = in_byte(&r->in);

	if (!*at)
		return;
	if (how % 2 && !(*at)->is_done)
		finish(r, *at);
	end(r, at, how / 64 == 3);
}

/* Room as deflateBound() says is enough for one call. */
static void op_bound(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	size_t len;
	uLong bound;

	if (!d || d->has_begun)
		return;
	len = more_text(r, d);
	bound = zapi[OURS]->deflateBound(&d->side[OURS].strm, len);
	for (int which = 0; which < SIDES; which++) {
		/* zlib 1.2.13's own is a byte short for nothing at level 0 in a window of 9 bits.
		 */
		deflating_call(r, d, which, Z_FINISH, len, bound + !len);
		check(which == STOCK || d->side[STOCK].ret != Z_STREAM_END ||
			      d->side[OURS].ret == Z_STREAM_END,
		      "deflateBound(%zu) = %lu is too little", len, bound);
	}
	check(d->side[STOCK].ret != Z_STREAM_END || d->side[OURS].ret == Z_STREAM_END,
	      "deflateBound(%zu) = %lu is too little", len, bound);
	d->is_finishing = true;
	deflating_compare(r, d, true);
	if (d->side[OURS].ret == Z_STREAM_END)
		deflating_check_end(r, d);
}

void deflates_close(struct runner *r)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!r->deflates[i])
			continue;
		if (!r->deflates[i]->is_done && i != 2)
			finish(r, r->deflates[i]);
		end(r, &r->deflates[i], false);
	}
}

const struct op deflate_ops[] = {
	{ "deflateInit2", op_open },
	{ "deflateInit2", op_open },
	{ "deflate", op_feed },
	{ "deflate", op_feed },
	{ "deflate", op_feed },
	{ "deflate", op_feed },
	{ "deflate", op_feed },
	{ "deflate once", op_poke },
	{ "deflate once", op_poke },
	{ "deflate Z_FINISH", op_finish },
	{ "deflateParams", deflate_op_params },
	{ "deflateParams", deflate_op_params },
	{ "deflateSetDictionary", deflate_op_set_dictionary },
	{ "deflateGetDictionary", deflate_op_get_dictionary },
	{ "deflateSetHeader", deflate_op_header },
	{ "deflatePrime", deflate_op_prime },
	{ "deflateTune", deflate_op_tune },
	{ "deflatePending, deflateBound", deflate_op_ask },
	{ "deflateCopy", op_copy },
	{ "deflateReset", op_reset },
	{ "deflateEnd", op_end },
	{ "deflate in deflateBound()", op_bound },
};
const unsigned int deflate_ops_nr = sizeof(deflate_ops) / sizeof(deflate_ops[0]);
