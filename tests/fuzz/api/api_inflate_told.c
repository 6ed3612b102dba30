/* SPDX-License-Identifier: Zlib */
/* What a stream that decompresses is told or asked beside its input. */
#include "config.h"
#include "api_inflate.h"

void inflate_op_sync(struct runner *r)
{
	struct inflating *i = inflating_read(r);

	if (!i || !inflating_is_same_place(i))
		return;
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &i->side[which];
		size_t in_len = i->shown - side->pos;

		side->strm.next_in = i->packed.data + side->pos;
		side->strm.avail_in = (uInt)in_len;
		side->ret = zapi[which]->inflateSync(&side->strm);
		side->pos += in_len - side->strm.avail_in;
	}
	i->is_broken = inflating_has_failed(i);
	if (!i->is_broken)
		inflating_compare(r, i, true);
}

void inflate_op_ask(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	unsigned int what = in_below(&r->in, 6), value = in_byte(&r->in);
	long got[SIDES];

	if (!i || (!inflating_is_same_place(i) && what != 3 && what != 4))
		return;
	/* Behind an error zlib has some bits of it left, which limit what can be put in. */
	if (what == 5 && i->is_over)
		return;
	for (int which = 0; which < SIDES; which++) {
		const struct zlib_api *z = zapi[which];
		z_stream *s = &i->side[which].strm;

		got[which] = what == 0	 ? z->inflateMark(s)
			     : what == 1 ? z->inflateSyncPoint(s)
			     : what == 2 ? (long)z->inflateCodesUsed(s)
			     : what == 3 ? z->inflateUndermine(s, (int)(value & 1))
			     : what == 4 ? z->inflateValidate(s, (int)(value & 1))
					 : z->inflatePrime(s, (int)(value % 18) - 1, value * 257);
	}
	i->is_broken = inflating_has_failed(i);
	/* A state made anew for what is left, a trailer maybe, has not seen the codes of an earlier block. */
	if (what == 2 && !got[OURS])
		return;
	check(i->is_broken || got[OURS] == got[STOCK], "question %u: %ld, zlib %ld, in %zu out %lu",
	      what, got[OURS], got[STOCK], i->side[OURS].pos, i->side[OURS].strm.total_out);
}

void inflate_op_get_dictionary(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	unsigned char *dict[SIDES];
	uInt len[SIDES] = { 77, 77 };
	int ret[SIDES];

	if (!i)
		return;
	for (int which = 0; which < SIDES; which++) {
		dict[which] = malloc(DICT_MOST);
		check(dict[which], "out of memory");
		ret[which] = zapi[which]->inflateGetDictionary(&i->side[which].strm, dict[which],
							       &len[which]);
	}
	i->is_broken = inflating_has_failed(i);
	check(i->is_broken || len[OURS] <= DICT_MOST, "a dictionary of %u bytes", len[OURS]);
	/* Of a call that reached a trailer's second word, the end or an error, zlib's window has nothing. */
	if (!i->is_broken && !i->is_over &&
	    (len[OURS] <= len[STOCK] || len[STOCK] >= i->side[STOCK].strm.total_out)) {
		check(ret[OURS] == ret[STOCK], "inflateGetDictionary: %d, zlib %d", ret[OURS],
		      ret[STOCK]);
		check(len[OURS] == len[STOCK], "%u bytes, zlib %u, at %lu", len[OURS], len[STOCK],
		      i->side[OURS].strm.total_out);
		check(!memcmp(dict[OURS], dict[STOCK], len[OURS]), "another dictionary");
	}
	free(dict[OURS]);
	free(dict[STOCK]);
}

void inflate_op_set_dictionary(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	size_t len;
	const unsigned char *dict;
	int ret[SIDES];

	if (!i)
		return;
	len = in_size(&r->in, DICT_MOST);
	dict = in_text(&r->in, len);
	if (!inflating_is_same_place(i))
		return;
	for (int which = 0; which < SIDES; which++)
		ret[which] =
			zapi[which]->inflateSetDictionary(&i->side[which].strm, dict, (uInt)len);
	i->is_broken = inflating_has_failed(i);
	check(i->is_broken || ret[OURS] == ret[STOCK], "inflateSetDictionary: %d, zlib %d",
	      ret[OURS], ret[STOCK]);
}

void inflate_op_header(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	unsigned int how = in_byte(&r->in);
	int ret[SIDES];

	if (!i || i->side[OURS].pos || i->side[STOCK].pos)
		return;
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &i->side[which];

		memset(&side->header, 0x55, sizeof(side->header));
		side->header.extra = how & 1 ? side->extra : Z_NULL;
		side->header.extra_max = how & 2 ? sizeof(side->extra) : 3;
		side->header.name = how & 4 ? side->name : Z_NULL;
		side->header.name_max = how & 8 ? sizeof(side->name) : 3;
		side->header.comment = how & 16 ? side->comment : Z_NULL;
		side->header.comm_max = how & 32 ? sizeof(side->comment) : 3;
		ret[which] = zapi[which]->inflateGetHeader(&side->strm, &side->header);
	}
	i->has_header = true;
	i->is_broken = inflating_has_failed(i);
	check(i->is_broken || ret[OURS] == ret[STOCK], "inflateGetHeader: %d, zlib %d", ret[OURS],
	      ret[STOCK]);
}

void inflate_op_check_header(struct runner *r)
{
	struct inflating *i = inflating_read(r);
	const gz_header *ours, *theirs;

	if (!i)
		return;
	ours = &i->side[OURS].header;
	theirs = &i->side[STOCK].header;
	check(ours->done == theirs->done && ours->text == theirs->text &&
		      ours->time == theirs->time && ours->os == theirs->os &&
		      ours->hcrc == theirs->hcrc && ours->extra_len == theirs->extra_len &&
		      !ours->name == !theirs->name && !ours->comment == !theirs->comment &&
		      !ours->extra == !theirs->extra,
	      "gzip header: done %d, zlib %d", ours->done, theirs->done);
	check(!memcmp(i->side[OURS].name, i->side[STOCK].name, sizeof(i->side[OURS].name)),
	      "name in the header");
}
