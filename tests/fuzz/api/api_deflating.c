/* SPDX-License-Identifier: Zlib */
/* One call, or some, of a stream that compresses, and all that must be so behind it. */
#include "config.h"
#include "api_deflate.h"

enum { PIECE = 65536, GUARD = 8, IDLE_MOST = 4 };

/* Bytes of the text that it took. */
size_t deflating_taken(const struct side *side)
{
	return side->strm.total_in - side->dict_in;
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

uint64_t hash_long(uint64_t h, uint64_t value)
{
	return (h ^ value) * 0x9e3779b97f4a7c15ull ^ h >> 29;
}

static uLong checksum(const struct deflating *d, size_t len)
{
	return d->wrap == 2 ? stock.crc32_z(0, d->plain.data, len)
			    : stock.adler32_z(1, d->plain.data, len);
}

static void decoder_begin(struct deflating *d)
{
	d->decoder_in = d->decoder_out = 0;
	d->is_decoder_raw = d->is_decoder_done = false;
}

static void check_trailer(struct deflating *d)
{
	const struct buf *out = &d->side[OURS].out;
	const unsigned char *p = out->data + d->decoder_in;
	size_t len = d->wrap == 2 ? 8 : d->wrap ? 4 : 0;
	uLong want = checksum(d, d->plain.len), sum = 0;

	check(out->len - d->decoder_in == len, "trailer of %zu bytes", out->len - d->decoder_in);
	for (size_t i = 0; i < 4 && len; i++)
		sum |= (uLong)p[i] << 8 * (d->wrap == 2 ? i : 3 - i);
	check(!len || sum == want, "checksum in the trailer");
	for (size_t i = 0; i < 4 && len == 8; i++)
		check(p[4 + i] == (unsigned char)(d->plain.len >> 8 * i), "length in the trailer");
	d->decoder_in = out->len;
}

/* What ours has made since is inflated; it must be what it was given. */
void deflating_decode(struct deflating *d)
{
	static _Thread_local unsigned char piece[PIECE];
	const struct buf *out = &d->side[OURS].out;
	z_stream *s = &d->decoder;
	int ret = Z_OK;

	if (d->is_decoder_done) {
		/* The trailer is looked at in the end. */
		check(d->is_decoder_raw || d->decoder_in == out->len, "%zu bytes behind the end",
		      out->len - d->decoder_in);
		return;
	}
	do {
		size_t made;

		s->next_in = out->data + d->decoder_in;
		s->avail_in = (uInt)(out->len - d->decoder_in);
		s->next_out = piece;
		s->avail_out = PIECE;
		ret = stock.inflate(s, Z_NO_FLUSH);
		d->decoder_in = out->len - s->avail_in;
		made = PIECE - s->avail_out;
		if (ret == Z_NEED_DICT) {
			check(d->dict_len, "a dictionary that nobody set");
			check(!stock.inflateSetDictionary(s, d->dict, (uInt)d->dict_len),
			      "another dictionary");
			ret = Z_OK;
			continue;
		}
		check(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END,
		      "output is wrong at %zu of %zu, plain %zu: %d %s", d->decoder_in, out->len,
		      d->decoder_out + made, ret, s->msg ? s->msg : "");
		check(d->decoder_out + made <= deflating_taken(&d->side[OURS]),
		      "more than was given");
		check(!memcmp(piece, d->plain.data + d->decoder_out, made),
		      "other text in %zu to %zu", d->decoder_out, d->decoder_out + made);
		d->decoder_out += made;
	} while (ret == Z_OK && (s->avail_in || !s->avail_out));
	if (ret != Z_STREAM_END)
		return;
	d->is_decoder_done = true;
	check(d->is_done || d->is_finishing, "an end that was not asked for");
}

void deflating_check_end(struct runner *r, struct deflating *d)
{
	const struct side *ours = &d->side[OURS], *theirs = &d->side[STOCK];
	uint64_t sum;

	check(d->is_decoder_done, "no end after Z_STREAM_END");
	if (d->is_decoder_raw)
		check_trailer(d);
	check(d->decoder_in == ours->out.len, "%zu bytes behind the end",
	      ours->out.len - d->decoder_in);
	check(d->decoder_out == d->plain.len && deflating_taken(ours) == d->plain.len,
	      "%zu bytes of %zu", d->decoder_out, d->plain.len);
	if (theirs->ret == Z_STREAM_END && !d->is_level_odd)
		check(ours->out.len >= d->header_len && theirs->out.len >= d->header_len &&
			      !memcmp(ours->out.data, theirs->out.data, d->header_len),
		      "another header, %02x%02x and %02x%02x", ours->out.data[0], ours->out.data[1],
		      theirs->out.data[0], theirs->out.data[1]);
	sum = hash(1, ours->out.data, ours->out.len);
	/* Where pieces differ, a call that was cut ends elsewhere; and zlib itself stores other
	 * blocks. */
	if (r->settings->is_recut && (d->was_cut || d->was_stored))
		sum = 0;
	if (r->sums_nr < SUMS_MOST) {
		r->stock_sums[r->sums_nr] = hash(1, theirs->out.data, theirs->out.len);
		r->sums[r->sums_nr++] = sum;
	}
	r->packed.len = 0;
	buf_add(&r->packed, ours->out.data, ours->out.len);
	r->packed_wbits = d->wrap == 2 ? 31 : d->wrap ? 15 : -15;
	if (d->dict_len)
		r->packed.len = 0;
}

void deflating_note_header(struct deflating *d)
{
	const gz_header *h = &d->header;

	d->header_len = d->wrap == 2 ? 10 : d->wrap ? d->dict_len ? 6 : 2 : 0;
	if (d->wrap != 2 || !h->os)
		return;
	d->header_len += h->extra ? 2 + h->extra_len : 0;
	d->header_len += h->name ? strlen((char *)h->name) + 1 : 0;
	d->header_len += h->comment ? strlen((char *)h->comment) + 1 : 0;
	d->header_len += h->hcrc ? 2 : 0;
}

/* One call, with everything that any call must keep to. */
int deflating_call(struct runner *r, struct deflating *d, int which, int flush, size_t in_len,
		   size_t room)
{
	struct side *side = &d->side[which];
	z_stream *s = &side->strm;
	uLong in_before = s->total_in, out_before = s->total_out;
	unsigned char *out = malloc(room + GUARD), *in = NULL;
	size_t used, made;

	check(out, "out of memory");
	memset(out + room, 0x5a, GUARD);
	trace("  deflate %p %d: flush %d, in %zu, room %zu\n", (void *)d, which, flush, in_len,
	      room);
	/* Its own memory, which ends with the call. */
	in = malloc(in_len + 1);
	check(in, "out of memory");
	memcpy(in, d->plain.data + deflating_taken(side), in_len);
	s->next_in = in;
	s->avail_in = (uInt)in_len;
	s->next_out = out;
	s->avail_out = (uInt)room;
	d->has_begun = true;
	r->work += in_len + room / 16 + 50;
	side->ret = zapi[which]->deflate(s, flush);
	used = in_len - s->avail_in;
	made = room - s->avail_out;
	check(used <= in_len && made <= room && s->next_in == in + used &&
		      s->next_out == out + made,
	      "next and avail do not agree");
	check(s->total_in - in_before == used && s->total_out - out_before == made, "totals");
	for (size_t i = 0; i < GUARD; i++)
		check(out[room + i] == 0x5a, "wrote behind the room");
	check(side->ret == Z_OK || side->ret == Z_BUF_ERROR || side->ret == Z_STREAM_END ||
		      side->ret == Z_STREAM_ERROR,
	      "returned %d", side->ret);
	check(side->ret != Z_BUF_ERROR || (!used && !made) || flush == Z_FINISH || s->avail_in ||
		      which == STOCK,
	      "Z_BUF_ERROR after %zu to %zu", used, made);
	buf_add(&side->out, out, made);
	side->had_room = s->avail_out != 0;
	trace("    %d, took %zu, made %zu\n", side->ret, used, made);
	side->trace = hash_long(side->trace, (uint64_t)side->ret << 32 | (uint32_t)used);
	side->trace = hash_long(side->trace, (uint64_t)s->data_type << 32 | (uint32_t)made);
	side->trace = hash_long(side->trace, s->adler);
	side->trace = hash(side->trace, s->msg ? s->msg : "", s->msg ? strlen(s->msg) : 0);
	if (which == OURS && side->ret == Z_STREAM_END)
		d->is_done = true;
	if (which == OURS && d->wrap && side->ret >= Z_OK && side->ret != Z_STREAM_END && used)
		check(s->adler == checksum(d, deflating_taken(side)), "adler %lx of %lu bytes",
		      s->adler, s->total_in);
	if (which == OURS && side->ret == Z_STREAM_END && d->wrap)
		check(s->adler == checksum(d, deflating_taken(side)), "adler at the end");
	free(in);
	free(out);
	return side->ret;
}

/* All input up to here, in pieces, and the flush until it is complete. */
int deflating_feed(struct runner *r, struct deflating *d, int which, int flush, size_t in_cut,
		   size_t out_cut)
{
	struct side *side = &d->side[which];
	unsigned int idle = 0;
	int ret;

	for (;;) {
		size_t left = d->plain.len - deflating_taken(side),
		       in_len = left < in_cut ? left : in_cut;
		uLong in_before = side->strm.total_in, out_before = side->strm.total_out;

		ret = deflating_call(r, d, which, in_len == left ? flush : Z_NO_FLUSH, in_len,
				     out_cut);
		if (ret == Z_STREAM_END || ret == Z_STREAM_ERROR)
			return ret;
		left = d->plain.len - deflating_taken(side);
		if (!left && in_len + in_before == side->strm.total_in && side->had_room &&
		    flush != Z_FINISH)
			return ret;
		if (side->strm.total_in != in_before || side->strm.total_out != out_before)
			idle = 0;
		check(++idle < IDLE_MOST,
		      "neither takes input nor gives output, ret %d, %zu left, room %zu, flush %d",
		      ret, left, out_cut, flush);
		/* Without end, an empty block a call. */
		check(side->out.len < d->plain.len * 2 + (1 << 20), "output without end");
	}
}

/* Both did it. */
void deflating_compare(struct runner *r, struct deflating *d, bool is_whole)
{
	struct side *ours = &d->side[OURS], *theirs = &d->side[STOCK];

	if (is_soft(r)) {
		check(ours->ret == theirs->ret, "ret %d, zlib %d", ours->ret, theirs->ret);
		check(ours->out.len == theirs->out.len &&
			      !memcmp(ours->out.data, theirs->out.data, ours->out.len),
		      "other bytes than zlib's");
		check(ours->trace == theirs->trace,
		      "another trace: in %lu %lu adler %lx %lx type %d %d msg %s %s",
		      ours->strm.total_in, theirs->strm.total_in, ours->strm.adler,
		      theirs->strm.adler, ours->strm.data_type, theirs->strm.data_type,
		      ours->strm.msg, theirs->strm.msg);
	} else if (is_whole && !d->is_cut) {
		/* Where software had the stream before, deflateParams() is a flush whatever zlib
		 * makes of it. */
		if (d->is_after_params && ours->ret == Z_OK && theirs->ret == Z_BUF_ERROR)
			theirs->ret = Z_OK;
		check(ours->ret == theirs->ret, "ret %d, zlib %d", ours->ret, theirs->ret);
		check(ours->strm.total_in == theirs->strm.total_in, "took %lu, zlib %lu",
		      ours->strm.total_in, theirs->strm.total_in);
		check(ours->strm.adler == theirs->strm.adler, "adler %lx, zlib %lx",
		      ours->strm.adler, theirs->strm.adler);
		check(ours->ret >= 0 || !strcmp(ours->strm.msg ? ours->strm.msg : "",
						theirs->strm.msg ? theirs->strm.msg : ""),
		      "msg %s, zlib %s", ours->strm.msg, theirs->strm.msg);
	}
	deflating_decode(d);
}

void deflating_start(struct deflating *d)
{
	d->plain.len = d->side[OURS].out.len = d->side[STOCK].out.len = 0;
	/* None is NULL, also when it is empty. */
	buf_room(&d->plain, 1);
	buf_room(&d->side[OURS].out, 1);
	buf_room(&d->side[STOCK].out, 1);
	d->side[OURS].trace = d->side[STOCK].trace = 0;
	d->side[OURS].dict_in = d->side[STOCK].dict_in = 0;
	d->is_flushed = d->is_cut = d->was_cut = d->is_finishing = d->is_done = d->has_begun =
		false;
	d->dict_len = 0;
	memset(&d->header, 0, sizeof(d->header));
	deflating_note_header(d);
	decoder_begin(d);
}

/* Decompression may begin at a full flush. */
void deflating_restart_decoder(struct deflating *d)
{
	check(!stock.inflateReset2(&d->decoder, -15), "broken test");
	d->is_decoder_raw = true;
}
