/* SPDX-License-Identifier: Zlib */
/* What a stream that compresses is told or asked beside its text. */
#include "config.h"
#include "api_deflate.h"

void deflate_op_params(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	int level, strategy, ret[SIDES];
	bool is_whole;
	size_t room;

	if (!d || d->is_finishing)
		return;
	level = (int)(in_byte(&r->in) % 12) - 1;
	strategy = in_byte(&r->in) % 3 ? Z_DEFAULT_STRATEGY : (int)(in_byte(&r->in) % 6);
	room = in_byte(&r->in) % 4 ? d->plain.len + 70000 : in_size(&r->in, 70000);
	d->is_flushed = false;
	if (room < 70000)
		d->is_cut = d->was_cut = true;
	is_whole = !d->is_cut;
	trace("  deflateParams %p: level %d, strategy %d, room %zu\n", (void *)d, level, strategy,
	      room);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];
		z_stream *s = &side->strm;
		unsigned char *out = malloc(room + 1);
		size_t left = d->plain.len - deflating_taken(side);
		uLong before = s->total_in;

		check(out, "out of memory");
		s->next_in = d->plain.data + deflating_taken(side);
		s->avail_in = (uInt)left;
		s->next_out = out;
		s->avail_out = (uInt)room;
		out[room] = 0x5a;
		r->work += left + 1000;
		ret[which] = zapi[which]->deflateParams(s, level, strategy);
		check(out[room] == 0x5a, "wrote behind the room");
		check(s->total_in - before == left - s->avail_in, "totals");
		check(ret[which] == Z_OK || ret[which] == Z_BUF_ERROR ||
			      ret[which] == Z_STREAM_ERROR,
		      "deflateParams: %d", ret[which]);
		buf_add(&side->out, out, room - s->avail_out);
		side->trace = hash_long(side->trace, (uint64_t)ret[which] << 32 | s->avail_out);
		trace("    side %d: %d, %zu bytes left to take\n", which, ret[which],
		      d->plain.len - deflating_taken(side));
		if (ret[which] == Z_OK && which == OURS) {
			d->level = level < 0 ? 6 : level;
			d->was_stored |= !d->level;
			d->strategy = strategy;
		}
		side->ret = ret[which];
		free(out);
	}
	if (is_soft(r) || is_whole ||
	    (ret[OURS] == Z_STREAM_ERROR) != (ret[STOCK] == Z_STREAM_ERROR))
		check(ret[OURS] == ret[STOCK], "deflateParams(%d, %d): %d, zlib %d", level,
		      strategy, ret[OURS], ret[STOCK]);
	/* Where one of them had no room for what came before, its parameters are the old ones. */
	d->is_level_odd |= ret[OURS] != ret[STOCK];
	deflating_compare(r, d, false);
	d->is_after_params = true;
}

void deflate_op_set_dictionary(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	size_t len;
	const unsigned char *dict;
	int ret[SIDES];

	if (!d || d->is_finishing || (d->is_cut && !is_soft(r)))
		return;
	/* A header names all that was set, one after the other. */
	if (d->dict_len && d->wrap)
		return;
	len = in_size(&r->in, DICT_MOST);
	dict = in_text(&r->in, len);
	/* In a raw stream's middle: after a flush that left nothing behind, where both sides know
	 * where they are. */
	if (d->wrap == 0 && d->has_begun && (is_soft(r) || !d->is_flushed))
		return;
	trace("  deflateSetDictionary %p: %zu bytes, begun %d\n", (void *)d, len, d->has_begun);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];
		uLong before = side->strm.total_in;

		ret[which] = zapi[which]->deflateSetDictionary(&side->strm, dict, (uInt)len);
		side->dict_in += side->strm.total_in - before;
		if (which == OURS && ret[which] == Z_OK && d->wrap == 1) {
			memcpy(d->dict, dict, len);
			d->dict_len = len;
			deflating_note_header(d);
		}
		if (which == OURS && ret[which] == Z_OK && d->wrap == 0)
			check(!stock.inflateSetDictionary(&d->decoder, dict, (uInt)len),
			      "broken test");
	}
	check(ret[OURS] == ret[STOCK], "deflateSetDictionary: %d, zlib %d", ret[OURS], ret[STOCK]);
	check(d->side[OURS].dict_in == d->side[STOCK].dict_in,
	      "deflateSetDictionary(%zu): total_in grows by %zu, zlib %zu", len,
	      d->side[OURS].dict_in, d->side[STOCK].dict_in);
	if (!d->has_begun)
		check(d->side[OURS].strm.adler == d->side[STOCK].strm.adler,
		      "adler of the dictionary");
}

void deflate_op_get_dictionary(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	unsigned char *dict[SIDES];
	uInt len[SIDES] = { 77, 77 };

	if (!d || d->is_cut)
		return;
	for (int which = 0; which < SIDES; which++) {
		dict[which] = malloc(DICT_MOST);
		check(dict[which], "out of memory");
		check(!zapi[which]->deflateGetDictionary(&d->side[which].strm, dict[which],
							 &len[which]),
		      "deflateGetDictionary fails");
	}
	if (is_soft(r))
		check(len[OURS] == len[STOCK], "%u bytes, zlib %u", len[OURS], len[STOCK]);
	check(len[OURS] <= DICT_MOST, "%u bytes", len[OURS]);
	/* Both are the end of the same text. */
	for (uInt i = 1; i <= len[OURS] && i <= len[STOCK]; i++)
		check(dict[OURS][len[OURS] - i] == dict[STOCK][len[STOCK] - i],
		      "another byte, %u from the end", i);
	free(dict[OURS]);
	free(dict[STOCK]);
}

void deflate_op_header(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	unsigned int how = in_byte(&r->in);
	int ret[SIDES];

	if (!d || d->has_begun)
		return;
	d->header = (gz_header){
		.text = how & 1, .time = in_byte(&r->in) * 1000003ul, .os = 3, .hcrc = how >> 1 & 1
	};
	if (how & 4) {
		d->header.extra = d->extra;
		d->header.extra_len = in_byte(&r->in);
		memcpy(d->extra, corpus, d->header.extra_len);
	}
	if (how & 8)
		d->header.name = memcpy(d->name, "name of a file", 15);
	if (how & 16)
		d->header.comment = memset(d->comment, 'c', sizeof(d->comment) - 1);
	for (int which = 0; which < SIDES; which++)
		ret[which] = zapi[which]->deflateSetHeader(&d->side[which].strm, &d->header);
	check(ret[OURS] == ret[STOCK], "deflateSetHeader: %d, zlib %d", ret[OURS], ret[STOCK]);
	deflating_note_header(d);
}

/* An empty block of fixed codes, which no decoder minds between two others. */
void deflate_op_prime(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	unsigned int nr = 1 + in_below(&r->in, 3);
	int ret[SIDES];

	if (!d || d->is_finishing || (d->is_cut && !is_soft(r)) || (d->wrap && !d->has_begun))
		return;
	/* Where everything before is out. */
	if (d->has_begun && !d->is_flushed)
		return;
	while (nr--) {
		for (int which = 0; which < SIDES; which++)
			ret[which] = zapi[which]->deflatePrime(&d->side[which].strm, 10, 2);
		d->side[OURS].had_room = d->side[STOCK].had_room =
			false; /* there is something left */
		check(ret[OURS] == ret[STOCK], "deflatePrime: %d, zlib %d", ret[OURS], ret[STOCK]);
	}
}

void deflate_op_tune(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	unsigned int how = in_byte(&r->in);
	int ret[SIDES];

	if (!d)
		return;
	for (int which = 0; which < SIDES; which++)
		ret[which] = zapi[which]->deflateTune(&d->side[which].strm, 4 + how % 8,
						      4 + how % 16, 8 + how, 1 + how * 4);
	check(ret[OURS] == ret[STOCK], "deflateTune: %d, zlib %d", ret[OURS], ret[STOCK]);
}

void deflate_op_ask(struct runner *r)
{
	struct deflating *d = deflating_read(r);
	uLong len, bound[SIDES];
	unsigned int pending[SIDES] = { 7, 7 };
	int bits[SIDES] = { 77, 77 };

	if (!d)
		return;
	len = in_size(&r->in, SIZE_MAX) << in_byte(&r->in) % 13;
	for (int which = 0; which < SIDES; which++) {
		check(!zapi[which]->deflatePending(&d->side[which].strm, &pending[which],
						   &bits[which]),
		      "deflatePending fails");
		bound[which] = zapi[which]->deflateBound(&d->side[which].strm, len);
	}
	/* It is about all of a stream: for one that has begun, zlib gives it a bit more. */
	check(is_soft(r) ? bound[OURS] == bound[STOCK]
			 : bound[OURS] >= bound[STOCK] || d->has_begun,
	      "deflateBound(%lu): %lu, zlib %lu", len, bound[OURS], bound[STOCK]);
	check(bits[OURS] >= 0 && bits[OURS] <= 16, "%d bits are pending", bits[OURS]);
	if (is_soft(r))
		check(pending[OURS] == pending[STOCK] && bits[OURS] == bits[STOCK],
		      "pending %u and %d, zlib %u and %d", pending[OURS], bits[OURS],
		      pending[STOCK], bits[STOCK]);
	else if (d->is_flushed && d->side[OURS].had_room)
		check(!pending[OURS], "%u bytes are pending though there was room", pending[OURS]);
}
