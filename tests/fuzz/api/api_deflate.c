/* SPDX-License-Identifier: Zlib */
/*
 * Streams that compress. In mode soft both sides are the same to the byte, at every call. With a device
 * ours is inflated by the stock zlib as it comes: at each flush it is complete, its header, counts,
 * checksum and return codes are zlib's.
 */
#include "config.h"
#include "api.h"

enum { DICT_MOST = 32768, PIECE = 65536, GUARD = 8, IDLE_MOST = 4 };

struct side {
	z_stream strm;
	struct alloc *alloc;
	struct buf out;
	uint64_t trace; /* of all that the calls answered */
	int ret;
	size_t dict_in; /* of total_in: zlib counts a dictionary, too */
	bool had_room; /* the latest call did not fill it */
};

struct deflating {
	struct side side[SIDES];
	int wbits, wrap, level, strategy, mem_level;
	struct buf plain;
	size_t dict_len, header_len;
	unsigned char dict[DICT_MOST];
	gz_header header;
	unsigned char extra[300], name[80], comment[80];
	bool has_begun, is_finishing, is_done;
	bool is_cut;   /* a call was left with input or without room: what comes is not the same in both */
	bool is_after_params;
	bool is_flushed; /* all text is out, and a block ended */
	bool was_cut;  /* some time in this stream */
	bool was_stored; /* at level 0 */
	z_stream decoder;
	struct alloc *decoder_alloc;
	size_t decoder_in, decoder_out;
	bool is_decoder_raw; /* it began anew at a full flush, and knows no trailer */
	bool is_decoder_done;
};

/* Bytes of the text that it took. */
static size_t taken(const struct side *side)
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

static uint64_t hash_long(uint64_t h, uint64_t value)
{
	return (h ^ value) * 0x9e3779b97f4a7c15ull ^ h >> 29;
}

static bool is_soft(const struct runner *r)
{
	return r->settings->mode == MODE_SOFT;
}

static uLong checksum(const struct deflating *d, size_t len)
{
	return d->wrap == 2 ? stock.crc32_z(0, d->plain.data, len) : stock.adler32_z(1, d->plain.data, len);
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
static void decode(struct deflating *d)
{
	static _Thread_local unsigned char piece[PIECE];
	const struct buf *out = &d->side[OURS].out;
	z_stream *s = &d->decoder;
	int ret = Z_OK;

	if (d->is_decoder_done) {
		/* The trailer is looked at in the end. */
		check(d->is_decoder_raw || d->decoder_in == out->len, "%zu bytes behind the end", out->len - d->decoder_in);
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
			check(!stock.inflateSetDictionary(s, d->dict, (uInt)d->dict_len), "another dictionary");
			ret = Z_OK;
			continue;
		}
		check(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END,
		      "output is wrong at %zu of %zu, plain %zu: %d %s", d->decoder_in, out->len,
		      d->decoder_out + made, ret, s->msg ? s->msg : "");
		check(d->decoder_out + made <= taken(&d->side[OURS]), "more than was given");
		check(!memcmp(piece, d->plain.data + d->decoder_out, made), "other text in %zu to %zu",
		      d->decoder_out, d->decoder_out + made);
		d->decoder_out += made;
	} while (ret == Z_OK && (s->avail_in || !s->avail_out));
	if (ret != Z_STREAM_END)
		return;
	d->is_decoder_done = true;
	check(d->is_done || d->is_finishing, "an end that was not asked for");
}

static void check_end(struct runner *r, struct deflating *d)
{
	const struct side *ours = &d->side[OURS], *theirs = &d->side[STOCK];
	uint64_t sum;

	check(d->is_decoder_done, "no end after Z_STREAM_END");
	if (d->is_decoder_raw)
		check_trailer(d);
	check(d->decoder_in == ours->out.len, "%zu bytes behind the end",
	      ours->out.len - d->decoder_in);
	check(d->decoder_out == d->plain.len && taken(ours) == d->plain.len,
	      "%zu bytes of %zu", d->decoder_out, d->plain.len);
	if (theirs->ret == Z_STREAM_END)
		check(ours->out.len >= d->header_len && theirs->out.len >= d->header_len &&
			      !memcmp(ours->out.data, theirs->out.data, d->header_len),
		      "another header");
	sum = hash(1, ours->out.data, ours->out.len);
	/* Where pieces differ, a call that was cut ends elsewhere; and zlib itself stores other blocks. */
	if (r->settings->is_recut && (d->was_cut || d->was_stored))
		sum = 0;
	if (r->sums_nr < SUMS_MOST)
		r->sums[r->sums_nr++] = sum;
	r->packed.len = 0;
	buf_add(&r->packed, ours->out.data, ours->out.len);
	r->packed_wbits = d->wrap == 2 ? 31 : d->wrap ? 15 : -15;
	if (d->dict_len)
		r->packed.len = 0;
}

static void header_len_set(struct deflating *d)
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
static int call(struct runner *r, struct deflating *d, int which, int flush, size_t in_len, size_t room)
{
	struct side *side = &d->side[which];
	z_stream *s = &side->strm;
	uLong in_before = s->total_in, out_before = s->total_out;
	unsigned char *out = malloc(room + GUARD), *in = NULL;
	size_t used, made;

	check(out, "out of memory");
	memset(out + room, 0x5a, GUARD);
	trace("  deflate %p %d: flush %d, in %zu, room %zu\n", (void *)d, which, flush, in_len, room);
	/* Its own memory, which ends with the call. */
	in = malloc(in_len + 1);
	check(in, "out of memory");
	memcpy(in, d->plain.data + taken(side), in_len);
	s->next_in = in;
	s->avail_in = (uInt)in_len;
	s->next_out = out;
	s->avail_out = (uInt)room;
	d->has_begun = true;
	r->work += in_len + room / 16 + 50;
	side->ret = zapi[which]->deflate(s, flush);
	used = in_len - s->avail_in;
	made = room - s->avail_out;
	check(used <= in_len && made <= room && s->next_in == in + used && s->next_out == out + made,
	      "next and avail do not agree");
	check(s->total_in - in_before == used && s->total_out - out_before == made, "totals");
	for (size_t i = 0; i < GUARD; i++)
		check(out[room + i] == 0x5a, "wrote behind the room");
	check(side->ret == Z_OK || side->ret == Z_BUF_ERROR || side->ret == Z_STREAM_END ||
		      side->ret == Z_STREAM_ERROR, "returned %d", side->ret);
	check(side->ret != Z_BUF_ERROR || (!used && !made) || flush == Z_FINISH || s->avail_in ||
		      which == STOCK, "Z_BUF_ERROR after %zu to %zu", used, made);
	buf_add(&side->out, out, made);
	side->had_room = s->avail_out != 0;
	side->trace = hash_long(side->trace, (uint64_t)side->ret << 32 | (uint32_t)used);
	side->trace = hash_long(side->trace, (uint64_t)s->data_type << 32 | (uint32_t)made);
	side->trace = hash_long(side->trace, s->adler);
	side->trace = hash(side->trace, s->msg ? s->msg : "", s->msg ? strlen(s->msg) : 0);
	if (which == OURS && side->ret == Z_STREAM_END)
		d->is_done = true;
	if (which == OURS && d->wrap && side->ret >= Z_OK && side->ret != Z_STREAM_END && used)
		check(s->adler == checksum(d, taken(side)), "adler %lx of %lu bytes", s->adler, s->total_in);
	if (which == OURS && side->ret == Z_STREAM_END && d->wrap)
		check(s->adler == checksum(d, taken(side)), "adler at the end");
	free(in);
	free(out);
	return side->ret;
}

/* All input up to here, in pieces, and the flush until it is complete. */
static int feed(struct runner *r, struct deflating *d, int which, int flush, size_t in_cut, size_t out_cut)
{
	struct side *side = &d->side[which];
	unsigned int idle = 0;
	int ret;

	for (;;) {
		size_t left = d->plain.len - taken(side), in_len = left < in_cut ? left : in_cut;
		uLong in_before = side->strm.total_in, out_before = side->strm.total_out;

		ret = call(r, d, which, in_len == left ? flush : Z_NO_FLUSH, in_len, out_cut);
		if (ret == Z_STREAM_END || ret == Z_STREAM_ERROR)
			return ret;
		left = d->plain.len - taken(side);
		if (!left && in_len + in_before == side->strm.total_in && side->had_room && flush != Z_FINISH)
			return ret;
		if (side->strm.total_in != in_before || side->strm.total_out != out_before)
			idle = 0;
		check(++idle < IDLE_MOST, "neither takes input nor gives output, ret %d, %zu left, room %zu, flush %d",
		      ret, left, out_cut, flush);
		/* Without end, an empty block a call. */
		check(side->out.len < d->plain.len * 2 + (1 << 20), "output without end");
	}
}

/* Both did it. */
static void compare(struct runner *r, struct deflating *d, bool is_whole)
{
	struct side *ours = &d->side[OURS], *theirs = &d->side[STOCK];

	if (is_soft(r)) {
		check(ours->ret == theirs->ret, "ret %d, zlib %d", ours->ret, theirs->ret);
		check(ours->out.len == theirs->out.len &&
			      !memcmp(ours->out.data, theirs->out.data, ours->out.len), "other bytes than zlib's");
		check(ours->trace == theirs->trace, "another trace: in %lu %lu adler %lx %lx type %d %d msg %s %s",
		      ours->strm.total_in, theirs->strm.total_in, ours->strm.adler, theirs->strm.adler,
		      ours->strm.data_type, theirs->strm.data_type, ours->strm.msg, theirs->strm.msg);
	} else if (is_whole && !d->is_cut) {
		/* Where software had the stream before, deflateParams() is a flush whatever zlib makes of it. */
		if (d->is_after_params && ours->ret == Z_OK && theirs->ret == Z_BUF_ERROR)
			theirs->ret = Z_OK;
		check(ours->ret == theirs->ret, "ret %d, zlib %d", ours->ret, theirs->ret);
		check(ours->strm.total_in == theirs->strm.total_in, "took %lu, zlib %lu",
		      ours->strm.total_in, theirs->strm.total_in);
		check(ours->strm.adler == theirs->strm.adler, "adler %lx, zlib %lx", ours->strm.adler,
		      theirs->strm.adler);
		check(ours->ret >= 0 || !strcmp(ours->strm.msg ? ours->strm.msg : "", theirs->strm.msg ? theirs->strm.msg : ""),
		      "msg %s, zlib %s", ours->strm.msg, theirs->strm.msg);
	}
	decode(d);
}

static struct deflating **slot(struct runner *r)
{
	return &r->deflates[in_below(&r->in, SLOTS)];
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
		check(ret[which] == Z_OK || ret[which] == Z_DATA_ERROR, "deflateEnd: %d", ret[which]);
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
		feed(r, d, which, Z_FINISH, SIZE_MAX, d->plain.len + 70000);
	d->is_cut |= d->is_finishing;
	d->is_finishing = true;
	compare(r, d, true);
	if (d->side[OURS].ret == Z_STREAM_END)
		check_end(r, d);
}

static void start(struct deflating *d)
{
	d->plain.len = d->side[OURS].out.len = d->side[STOCK].out.len = 0;
	/* None is NULL, also when it is empty. */
	buf_room(&d->plain, 1);
	buf_room(&d->side[OURS].out, 1);
	buf_room(&d->side[STOCK].out, 1);
	d->side[OURS].trace = d->side[STOCK].trace = 0;
	d->side[OURS].dict_in = d->side[STOCK].dict_in = 0;
	d->is_flushed = d->is_cut = d->was_cut = d->is_finishing = d->is_done = d->has_begun = false;
	d->dict_len = 0;
	memset(&d->header, 0, sizeof(d->header));
	header_len_set(d);
	decoder_begin(d);
}

static void op_open(struct runner *r)
{
	static const int wbits[] = { 15, 31, -15, 15, 31, -15, 14, 12, 9, -14, -13, -9, 8, 24, 28, 30 };
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
	trace("  %p: level %d, bits %d, memLevel %d, strategy %d, memory %u\n", (void *)d, d->level, d->wbits,
	      d->mem_level, d->strategy, memory);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];

		side->alloc = alloc_new(&side->strm, which == OURS, memory % 4 ? 0 : memory / 4 % 16);
		ret[which] = zapi[which]->deflateInit2_(&side->strm, d->level, Z_DEFLATED, d->wbits,
						       d->mem_level, d->strategy, ZLIB_VERSION,
						       (int)sizeof(side->strm));
	}
	if (ret[OURS] || ret[STOCK]) {
		bool has_failed = false;

		for (int which = 0; which < SIDES; which++)
			has_failed |= d->side[which].alloc && d->side[which].alloc->has_failed;
		check(has_failed || ret[OURS] == ret[STOCK], "ret %d, zlib %d", ret[OURS], ret[STOCK]);
		check(!has_failed || ret[OURS] == Z_MEM_ERROR || ret[STOCK] == Z_MEM_ERROR, "ret %d", ret[OURS]);
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
	check(!stock.inflateInit2_(&d->decoder, d->wrap == 2 ? 31 : d->wrap ? 15 : -15, ZLIB_VERSION,
				  (int)sizeof(d->decoder)), "broken test: no decoder");
	start(d);
	*at = d;
}

static struct deflating *open_one(struct runner *r)
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

static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH, Z_PARTIAL_FLUSH, Z_BLOCK,
			       Z_NO_FLUSH, Z_SYNC_FLUSH };

/* Decompression may begin at a full flush. */
static void restart_decoder(struct deflating *d)
{
	check(!stock.inflateReset2(&d->decoder, -15), "broken test");
	d->is_decoder_raw = true;
}

static void op_feed(struct runner *r)
{
	struct deflating *d = open_one(r);
	size_t in_cut, out_cut, left;
	int flush;

	if (!d || d->is_done)
		return;
	flush = flushes[in_byte(&r->in) % 8];
	if (d->is_finishing)
		flush = Z_FINISH;
	more_text(r, d);
	left = d->plain.len - taken(&d->side[OURS]);
	in_cut = cut_read(r, left);
	out_cut = cut_read(r, left + 70000);
	d->is_cut |= d->is_finishing;
	for (int which = 0; which < SIDES; which++)
		feed(r, d, which, flush, in_cut, out_cut);
	d->is_finishing |= flush == Z_FINISH;
	d->is_flushed = flush == Z_SYNC_FLUSH || flush == Z_FULL_FLUSH || flush == Z_PARTIAL_FLUSH;
	compare(r, d, true);
	d->is_after_params = false;
	if (d->is_flushed)
		check(d->decoder_out == d->plain.len, "flush %d left %zu of %zu behind", flush,
		      d->plain.len - d->decoder_out, d->plain.len);
	if (d->side[OURS].ret == Z_STREAM_END) {
		check_end(r, d);
	} else if (flush != Z_NO_FLUSH) {
		/* All that was there is out: both stand at the same place. */
		d->is_cut = false;
	}
	if (flush == Z_FULL_FLUSH && d->wrap < 2 && !d->dict_len && r->in.pos % 3 == 0)
		restart_decoder(d);
}

/* One call with what room there is, and whatever remains stays. */
static void op_poke(struct runner *r)
{
	struct deflating *d = open_one(r);
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
		left[which] = d->plain.len - taken(&d->side[which]);
		call(r, d, which, flush, left[which] < in_len ? left[which] : in_len, room);
	}
	d->is_finishing |= flush == Z_FINISH;
	compare(r, d, false);
	if (d->side[OURS].ret == Z_STREAM_END) {
		check(flush == Z_FINISH, "an end that was not asked for");
		if (!was_done && taken(&d->side[OURS]) == d->plain.len)
			check_end(r, d);
	}
}

static void op_finish(struct runner *r)
{
	struct deflating *d = open_one(r);

	if (d && !d->is_done)
		finish(r, d);
}

static void op_params(struct runner *r)
{
	struct deflating *d = open_one(r);
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
	trace("  deflateParams %p: level %d, strategy %d, room %zu\n", (void *)d, level, strategy, room);
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];
		z_stream *s = &side->strm;
		unsigned char *out = malloc(room + 1);
		size_t left = d->plain.len - taken(side);
		uLong before = s->total_in;

		check(out, "out of memory");
		s->next_in = d->plain.data + taken(side);
		s->avail_in = (uInt)left;
		s->next_out = out;
		s->avail_out = (uInt)room;
		out[room] = 0x5a;
		r->work += left + 1000;
		ret[which] = zapi[which]->deflateParams(s, level, strategy);
		check(out[room] == 0x5a, "wrote behind the room");
		check(s->total_in - before == left - s->avail_in, "totals");
		check(ret[which] == Z_OK || ret[which] == Z_BUF_ERROR || ret[which] == Z_STREAM_ERROR,
		      "deflateParams: %d", ret[which]);
		buf_add(&side->out, out, room - s->avail_out);
		side->trace = hash_long(side->trace, (uint64_t)ret[which] << 32 | s->avail_out);
		if (ret[which] == Z_OK && which == OURS) {
			d->level = level < 0 ? 6 : level;
			d->was_stored |= !d->level;
			d->strategy = strategy;
		}
		side->ret = ret[which];
		free(out);
	}
	if (is_soft(r) || is_whole || (ret[OURS] == Z_STREAM_ERROR) != (ret[STOCK] == Z_STREAM_ERROR))
		check(ret[OURS] == ret[STOCK], "deflateParams(%d, %d): %d, zlib %d", level, strategy,
		      ret[OURS], ret[STOCK]);
	/* Not the same parameters in both from here on: which is only a matter of length. */
	compare(r, d, false);
	d->is_after_params = true;
}

static void op_set_dictionary(struct runner *r)
{
	struct deflating *d = open_one(r);
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
	/* In a raw stream's middle: after a flush that left nothing behind, where both sides know where they are. */
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
			header_len_set(d);
		}
		if (which == OURS && ret[which] == Z_OK && d->wrap == 0)
			check(!stock.inflateSetDictionary(&d->decoder, dict, (uInt)len), "broken test");
	}
	check(ret[OURS] == ret[STOCK], "deflateSetDictionary: %d, zlib %d", ret[OURS], ret[STOCK]);
	check(d->side[OURS].dict_in == d->side[STOCK].dict_in, "deflateSetDictionary(%zu): total_in grows by %zu, zlib %zu",
	      len, d->side[OURS].dict_in, d->side[STOCK].dict_in);
	if (!d->has_begun)
		check(d->side[OURS].strm.adler == d->side[STOCK].strm.adler, "adler of the dictionary");
}

static void op_get_dictionary(struct runner *r)
{
	struct deflating *d = open_one(r);
	unsigned char *dict[SIDES];
	uInt len[SIDES] = { 77, 77 };

	if (!d || d->is_cut)
		return;
	for (int which = 0; which < SIDES; which++) {
		dict[which] = malloc(DICT_MOST);
		check(dict[which], "out of memory");
		check(!zapi[which]->deflateGetDictionary(&d->side[which].strm, dict[which], &len[which]),
		      "deflateGetDictionary fails");
	}
	if (is_soft(r))
		check(len[OURS] == len[STOCK], "%u bytes, zlib %u", len[OURS], len[STOCK]);
	check(len[OURS] <= DICT_MOST, "%u bytes", len[OURS]);
	/* Both are the end of the same text. */
	for (uInt i = 1; i <= len[OURS] && i <= len[STOCK]; i++)
		check(dict[OURS][len[OURS] - i] == dict[STOCK][len[STOCK] - i], "another byte, %u from the end", i);
	free(dict[OURS]);
	free(dict[STOCK]);
}

static void op_header(struct runner *r)
{
	struct deflating *d = open_one(r);
	unsigned int how = in_byte(&r->in);
	int ret[SIDES];

	if (!d || d->has_begun)
		return;
	d->header = (gz_header){ .text = how & 1, .time = in_byte(&r->in) * 1000003ul, .os = 3, .hcrc = how >> 1 & 1 };
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
	header_len_set(d);
}

/* An empty block of fixed codes, which no decoder minds between two others. */
static void op_prime(struct runner *r)
{
	struct deflating *d = open_one(r);
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
		d->side[OURS].had_room = d->side[STOCK].had_room = false; /* there is something left */
		check(ret[OURS] == ret[STOCK], "deflatePrime: %d, zlib %d", ret[OURS], ret[STOCK]);
	}
}

static void op_tune(struct runner *r)
{
	struct deflating *d = open_one(r);
	unsigned int how = in_byte(&r->in);
	int ret[SIDES];

	if (!d)
		return;
	for (int which = 0; which < SIDES; which++)
		ret[which] = zapi[which]->deflateTune(&d->side[which].strm, 4 + how % 8, 4 + how % 16,
						     8 + how, 1 + how * 4);
	check(ret[OURS] == ret[STOCK], "deflateTune: %d, zlib %d", ret[OURS], ret[STOCK]);
}

static void op_ask(struct runner *r)
{
	struct deflating *d = open_one(r);
	uLong len, bound[SIDES];
	unsigned int pending[SIDES] = { 7, 7 };
	int bits[SIDES] = { 77, 77 };

	if (!d)
		return;
	len = in_size(&r->in, SIZE_MAX) << in_byte(&r->in) % 13;
	for (int which = 0; which < SIDES; which++) {
		check(!zapi[which]->deflatePending(&d->side[which].strm, &pending[which], &bits[which]),
		      "deflatePending fails");
		bound[which] = zapi[which]->deflateBound(&d->side[which].strm, len);
	}
	/* It is about all of a stream: for one that has begun, zlib gives it a bit more. */
	check(is_soft(r) ? bound[OURS] == bound[STOCK] : bound[OURS] >= bound[STOCK] || d->has_begun, "deflateBound(%lu): %lu, zlib %lu", len, bound[OURS], bound[STOCK]);
	check(bits[OURS] >= 0 && bits[OURS] <= 16, "%d bits are pending", bits[OURS]);
	if (is_soft(r))
		check(pending[OURS] == pending[STOCK] && bits[OURS] == bits[STOCK],
		      "pending %u and %d, zlib %u and %d", pending[OURS], bits[OURS], pending[STOCK], bits[STOCK]);
	else if (d->has_begun && d->side[OURS].had_room)
		check(!pending[OURS], "%u bytes are pending though there was room", pending[OURS]);
}

static void op_copy(struct runner *r)
{
	struct deflating *from = open_one(r), **at = slot(r), *to;
	bool has_failed = false;
	int ret[SIDES];

	if (!from || *at == from)
		return;
	/* The header's fields lie with the stream that they were set for. */
	if (from->header.os && from->has_begun &&
	    (from->side[OURS].out.len < from->header_len || from->side[STOCK].out.len < from->header_len))
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
	check(!stock.inflateCopy(&to->decoder, &from->decoder), "broken test: no copy of the decoder");
	if (to->header.extra)
		to->header.extra = to->extra;
	if (to->header.name)
		to->header.name = to->name;
	if (to->header.comment)
		to->header.comment = to->comment;
	check(has_failed || (!ret[OURS] && !ret[STOCK]), "deflateCopy: %d, zlib %d", ret[OURS], ret[STOCK]);
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
	struct deflating *d = open_one(r);
	unsigned int how = in_byte(&r->in);
	bool is_keep;
	int ret[SIDES];

	if (!d)
		return;
	/* Half of a stream in the window would come out in the next. */
	trace("  deflateReset %p\n", (void *)d);
	is_keep = how % 3 == 0 && !d->side[STOCK].dict_in && (!d->has_begun || d->is_done) && d->decoder_out == d->plain.len;
	for (int which = 0; which < SIDES; which++) {
		struct side *side = &d->side[which];

		ret[which] = is_keep ? zapi[which]->deflateResetKeep(&side->strm) :
				       zapi[which]->deflateReset(&side->strm);
		check(ret[which] == Z_OK, "%s: %d", is_keep ? "deflateResetKeep" : "deflateReset", ret[which]);
		check(!side->strm.total_in && !side->strm.total_out && !side->strm.msg, "totals or msg stay");
	}
	check(d->side[OURS].strm.adler == d->side[STOCK].strm.adler, "adler after the reset");
	if (is_soft(r))
		check(d->side[OURS].strm.data_type == d->side[STOCK].strm.data_type, "data_type after the reset");
	if (is_keep)
		stock.inflateResetKeep(&d->decoder);
	stock.inflateReset2(&d->decoder, d->wrap == 2 ? 31 : d->wrap ? 15 : -15);
	/* Its window is kept by no reset of the decoder that also changes the format. */
	if (is_keep && d->plain.len) {
		end(r, &r->deflates[d == r->deflates[0] ? 0 : d == r->deflates[1] ? 1 : 2], false);
		return;
	}
	start(d);
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
	struct deflating *d = open_one(r);
	size_t len;
	uLong bound;

	if (!d || d->has_begun)
		return;
	len = more_text(r, d);
	bound = zapi[OURS]->deflateBound(&d->side[OURS].strm, len);
	for (int which = 0; which < SIDES; which++) {
		/* zlib 1.2.13's own is a byte short for nothing at level 0 in a window of 9 bits. */
		call(r, d, which, Z_FINISH, len, bound + !len);
		check(which == STOCK || d->side[STOCK].ret != Z_STREAM_END || d->side[OURS].ret == Z_STREAM_END,
		      "deflateBound(%zu) = %lu is too little", len, bound);
	}
	check(d->side[STOCK].ret != Z_STREAM_END || d->side[OURS].ret == Z_STREAM_END,
	      "deflateBound(%zu) = %lu is too little", len, bound);
	d->is_finishing = true;
	compare(r, d, true);
	if (d->side[OURS].ret == Z_STREAM_END)
		check_end(r, d);
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
	{ "deflateParams", op_params },
	{ "deflateParams", op_params },
	{ "deflateSetDictionary", op_set_dictionary },
	{ "deflateGetDictionary", op_get_dictionary },
	{ "deflateSetHeader", op_header },
	{ "deflatePrime", op_prime },
	{ "deflateTune", op_tune },
	{ "deflatePending, deflateBound", op_ask },
	{ "deflateCopy", op_copy },
	{ "deflateReset", op_reset },
	{ "deflateEnd", op_end },
	{ "deflate in deflateBound()", op_bound },
};
const unsigned int deflate_ops_nr = sizeof(deflate_ops) / sizeof(deflate_ops[0]);
