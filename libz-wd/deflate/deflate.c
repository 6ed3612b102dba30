/* SPDX-License-Identifier: Zlib */
/*
 * A deflate stream that a device may do. Mode NEW decides at the first call with data; mode OURS
 * frames the stream here and sends its body in units, first to a device, after a failure or when
 * something is asked that no device can do to a raw deflate stream of the real zlib:
 *
 *	SEQ_HEADER -> SEQ_BODY -> SEQ_DONE
 *
 * Return codes and their order are those of zlib.h; where it is silent, of zlib 1.2.13.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/apart.h"
#include "stream/checksum.h"
#include "stream/format.h"
#include "engine/jobq.h"
#include "engine/offload.h"
#include "engine/policy.h"
#include "operate/settings.h"
#include "stream/shield.h"
#include "stream/zstream.h"

/* Room of pend that a unit's output may take; the trailer and the stream's end need the rest. */
#define PEND_ROOM (ZWD_BLOCK_LEN - 64u)
/* Input is gathered up to here; its output fits pend even when the caller has no room at all. */
#define GATHER_LEN (ZWD_BLOCK_LEN - 256u)
/* Input that tells the kind of data: a guess, and not worth to read all of a block for. */
#define TYPE_LEN 512u
/* Input that software takes over from a failed device before it is asked again. */
#define AWAY_LEN (256u << 10)

enum { BLOCK_GATHER, BLOCK_PEND, BLOCK_HISTORY, BLOCK_CTX };

/* A later flush of a higher rank is not a repetition of the one before. */
static int rank(int flush)
{
	return flush * 2 - (flush > 4 ? 9 : 0);
}

static int fail(z_streamp strm, int err)
{
	strm->msg = (char *)zwd_soft_zlib.zError(err);
	return err;
}

static uint32_t check_of(const struct zwd_deflate *d, uint32_t check, const unsigned char *buf,
			 size_t len)
{
	if (d->wrap == 2 && len)
		return zwd_crc32(check, buf, len);
	if (d->wrap == 1 && len)
		return zwd_adler32(check, buf, len);
	return check;
}

/* What zlib shows in strm->adler before any data: 1 also for raw streams. */
static uint32_t initial_check(const struct zwd_deflate *d)
{
	return d->wrap != 2;
}

static void begin(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	d->seq = ZWD_SEQ_HEADER;
	d->last_flush = -2;
	d->is_segment_new = 1;
	d->is_flushed = 1;
	d->is_engine_chosen = 0;
	d->check = d->sent_check = d->segment_check = initial_check(d);
	d->segment_len = 0;
	d->isize = 0;
	d->gather_off = d->gather_len = d->pend_off = d->pend_len = 0;
	d->history_len = 0;
	d->ctx_len = 0;
	d->run_len = 0;
	strm->total_in = strm->total_out = 0;
	strm->msg = NULL;
	strm->data_type = Z_UNKNOWN;
	strm->adler = d->check;
}

/* Memory for mode OURS. */
static int get_blocks(struct zwd_stream *s)
{
	unsigned char *blocks[ZWD_BLOCKS];
	int ret = zwd_stream_blocks(s, s->d.mem_level, blocks);

	if (ret)
		return ret;
	s->d.gather = blocks[BLOCK_GATHER];
	s->d.pend = blocks[BLOCK_PEND];
	s->d.history = blocks[BLOCK_HISTORY];
	s->d.ctx = blocks[BLOCK_CTX];
	return 0;
}

int zwd_deflate_init(z_streamp strm, int level, int method, int window_bits, int mem_level,
		     int strategy, const char *version, int stream_size)
{
	struct zwd_stream *s;
	int ret;

	/* These zlib refuses before it looks at the stream. */
	if (!strm || !version || version[0] != ZLIB_VERSION[0] || stream_size != sizeof(*strm))
		return zwd_soft()->deflateInit2_(strm, level, method, window_bits, mem_level,
						 strategy, version, stream_size);
	zwd_soft();
	s = zwd_stream_new(strm, ZWD_MAGIC_DEFLATE);
	if (!s) {
		strm->state = NULL;
		return fail(strm, Z_MEM_ERROR);
	}
	s->d.level = level == Z_DEFAULT_COMPRESSION ? 6 : level;
	s->d.method = method;
	s->d.window_bits = window_bits;
	s->d.mem_level = mem_level;
	s->d.strategy = strategy;
	s->d.wrap = window_bits < 0 ? 0 : window_bits > 15 ? 2 : 1;
	s->d.is_candidate = zwd_policy_deflate_candidate(&s->d, s->is_custom);
	strm->state = (struct internal_state *)s;
	if (s->d.is_candidate) {
		s->mode = ZWD_MODE_NEW;
		begin(strm, s);
	}
	/* Whose memory it is sees it taken when zlib would take it, and is never asked later. */
	if (!s->d.is_candidate)
		ret = zwd_deflate_go_soft(strm, s);
	else if (s->is_custom && get_blocks(s))
		ret = fail(strm, Z_MEM_ERROR);
	else
		ret = Z_OK;
	if (ret != Z_OK)
		zwd_stream_free(strm, s);
	return ret;
}

/* A stream without data goes to the real zlib as a whole. */
int zwd_deflate_go_soft(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	int ret = Z_OK;

	if (!s->soft) {
		zwd_stream_lend(strm, s);
		strm->state = NULL;
		ret = zwd_soft_zlib.deflateInit2_(strm, d->level, d->method, d->window_bits,
						  d->mem_level, d->strategy, ZLIB_VERSION,
						  sizeof(*strm));
		if (ret == Z_OK)
			s->soft = strm->state;
		zwd_stream_unlend(strm, s);
		strm->state = (struct internal_state *)s;
	}
	if (ret == Z_OK) {
		s->mode = ZWD_MODE_SOFT;
		if (d->header && d->wrap == 2)
			ZWD_SOFT_CALL(ret, strm, s, deflateSetHeader(strm, d->header));
	}
	return ret;
}

/*
 * Memory for what waits while zlib has the blocks. It is given back as soon as nothing does, for a
 * stream with an allocator of its own may be forgotten with its memory; a few may be at any time.
 */
#define SPILLS_MAX 32
#define SPILL_LEN (3 * ZWD_BLOCK_LEN)
static _Atomic int spills_nr;

static int get_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	d->is_spill_ours = atomic_fetch_add(&spills_nr, 1) < SPILLS_MAX;
	if (!d->is_spill_ours)
		atomic_fetch_sub(&spills_nr, 1);
	d->spill = d->is_spill_ours ? zwd_pages(SPILL_LEN) :
				      zwd_stream_alloc(s, SPILL_LEN);
	if (d->spill)
		return Z_OK;
	if (d->is_spill_ours)
		atomic_fetch_sub(&spills_nr, 1);
	return Z_MEM_ERROR;
}

static void put_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!d->spill)
		return;
	if (d->is_spill_ours) {
		zwd_unpages(d->spill, SPILL_LEN);
		atomic_fetch_sub(&spills_nr, 1);
	} else {
		zwd_stream_unalloc(s, d->spill);
	}
	d->spill = NULL;
}

/* Room for output that waits beside a raw stream, where zlib has the blocks. */
static int wait_in_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!s->is_custom || d->spill)
		return Z_OK;
	if (get_spill(s) != Z_OK)
		return Z_MEM_ERROR;
	d->gather = d->spill;
	d->pend = d->spill + ZWD_BLOCK_LEN;
	return Z_OK;
}

/* The end of a call on a raw stream: what waits in the spill, if it is short, is kept in the stream. */
static void settle_spill(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (!d->spill || !d->is_raw || d->gather_len || d->pend_len > sizeof(d->rest))
		return;
	memcpy(d->rest, d->pend + d->pend_off, d->pend_len);
	d->pend = d->rest;
	d->pend_off = 0;
	d->gather = NULL;
	d->gather_off = 0;
	put_spill(s);
}

/* The first call with something to do. Z_OK, or an error. */
static int choose_mode(z_streamp strm, struct zwd_stream *s, int flush)
{
	/* The blocks are zlib's already when an earlier stream of this state was software's. */
	int is_ours = !(s->soft && s->is_custom) &&
		      zwd_policy_deflate_begin(&s->d, strm->avail_in, flush) &&
		      zwd_format_gzip_header_len(s->d.header) <= PEND_ROOM;

	if (!is_ours || get_blocks(s))
		return zwd_deflate_go_soft(strm, s);
	s->mode = ZWD_MODE_OURS;
	return Z_OK;
}

static void flush_pend(z_streamp strm, struct zwd_deflate *d)
{
	unsigned int len = d->pend_len < strm->avail_out ? d->pend_len : strm->avail_out;

	if (!len)
		return;
	memcpy(strm->next_out, d->pend + d->pend_off, len);
	strm->next_out += len;
	strm->avail_out -= len;
	strm->total_out += len;
	d->pend_off += len;
	d->pend_len -= len;
	if (!d->pend_len)
		d->pend_off = 0;
}

/* Output: as much as possible to the caller, the rest waits. */
static void emit(z_streamp strm, struct zwd_deflate *d, const unsigned char *out, size_t len)
{
	size_t direct = 0;

	if (!d->pend_len) {
		direct = len < strm->avail_out ? len : strm->avail_out;
		memcpy(strm->next_out, out, direct);
		strm->next_out += direct;
		strm->avail_out -= (uInt)direct;
		strm->total_out += direct;
	}
	if (direct < len) {
		memcpy(d->pend + d->pend_off + d->pend_len, out + direct, len - direct);
		d->pend_len += (unsigned int)(len - direct);
	}
}

/* len bytes of the caller's input are ours now. */
static void accept(z_streamp strm, struct zwd_deflate *d, unsigned int len)
{
	strm->next_in += len;
	strm->avail_in -= len;
	strm->total_in += len;
	d->isize += len;
	if (d->wrap)
		strm->adler = d->check;
}

static void write_header(z_streamp strm, struct zwd_deflate *d)
{
	if (d->wrap == 1)
		d->pend_len = (unsigned int)zwd_format_zlib_header(d->pend, d->level, d->strategy);
	else if (d->wrap == 2)
		d->pend_len = (unsigned int)zwd_format_gzip_header(d->pend, d->header, d->level,
								   d->strategy);
	d->seq = ZWD_SEQ_BODY;
	flush_pend(strm, d);
}

static void write_end(z_streamp strm, struct zwd_deflate *d)
{
	unsigned char trailer[ZWD_TRAILER_MAX];

	emit(strm, d, trailer, zwd_format_trailer(trailer, d->wrap, d->check, d->isize));
	d->seq = ZWD_SEQ_DONE;
}

/* 16 bytes at once, whatever the machine has for that. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

/*
 * The kind of data, from what the stream begins with, by zlib's rule: 0-6, 14-25 and 28-31 are never
 * in text; 9, 10, 13 and what is above 31 make text of what holds none of those.
 */
static int data_type(const unsigned char *data, size_t len)
{
	union {
		bytes16 vector;
		uint64_t word[2];
	} binary = { 0 };

	if (len > TYPE_LEN)
		len = TYPE_LEN;
	for (size_t i = 0; i < len; i += sizeof(bytes16)) {
		bytes16 v = { 0 };

		if (len - i >= sizeof(v))
			memcpy(&v, data + i, sizeof(v));
		else
			memcpy(memset(&v, '\b', sizeof(v)), data + i, len - i); /* says nothing */
		binary.vector |= (bytes16)((v <= 6) | (v - 14 <= 25 - 14) | (v - 28 <= 31 - 28));
	}
	if (binary.word[0] | binary.word[1])
		return Z_BINARY;
	for (size_t i = 0; i < len; i++)
		if (data[i] > 31 || data[i] == 9 || data[i] == 10 || data[i] == 13)
			return Z_TEXT;
	return Z_BINARY;
}

/* What the device gets next depends on nothing before it but the plain text. */
static void begin_segment(struct zwd_deflate *d)
{
	d->is_segment_new = 1;
	d->segment_check = d->sent_check;
	d->segment_len = 0;
	d->ctx_len = 0;
}

static int is_parallel(const struct zwd_deflate *d)
{
	return d->jobs && d->jobs->nr;
}

/* Is there input that was taken and not compressed yet? */
static int is_filling(const struct zwd_deflate *d)
{
	return d->gather_len || (d->jobs && zwd_jobq_filling(d->jobs));
}

static void send_job(struct zwd_deflate *d, int is_last, int needs_marker)
{
	struct zwd_job *job = zwd_jobq_filling(d->jobs);

	job->is_last = is_last;
	job->needs_marker = needs_marker;
	job->check = d->check;
	zwd_offload_remember(d, job->in, job->in_len);
	d->jobs->level = d->level;
	d->jobs->mem_level = d->mem_level;
	zwd_jobq_send(d->jobs);
	/* Where the serial plan would go on. */
	d->sent_check = d->check;
	begin_segment(d);
	d->is_flushed = needs_marker;
}

/* All input taken so far is compressed: what is left of the parallel plan is output. */
static int settle_jobs(struct zwd_deflate *d)
{
	int ret;

	if (!is_parallel(d))
		return Z_OK;
	zwd_jobq_enter(d->jobs);
	if (zwd_jobq_filling(d->jobs))
		send_job(d, 0, 0);
	ret = zwd_jobq_settle(d->jobs);
	zwd_jobq_leave(d->jobs);
	return ret ? Z_MEM_ERROR : Z_OK;
}

/*
 * The body is software's from here on: a raw stream of the real zlib, which knows the last 32 KiB
 * of plain text. Its memory may be the blocks, so what waits in them moves out first.
 */
static int go_raw(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	unsigned char *history = d->history;
	int ret = settle_jobs(d);

	if (ret != Z_OK)
		return ret;
	if (s->is_custom && !d->spill) {
		if (get_spill(s) != Z_OK)
			return Z_MEM_ERROR;
		memcpy(d->spill, d->gather, d->gather_off + d->gather_len);
		memcpy(d->spill + ZWD_BLOCK_LEN, d->pend, d->pend_off + d->pend_len);
		history = memcpy(d->spill + 2 * ZWD_BLOCK_LEN, d->history, d->history_len);
		d->gather = d->spill;
		d->pend = d->spill + ZWD_BLOCK_LEN;
		d->history = history;
	}
	memset(&d->raw, 0, sizeof(d->raw));
	d->raw.zalloc = s->zalloc;
	d->raw.zfree = s->zfree;
	d->raw.opaque = s->opaque;
	zwd_stream_lend(&d->raw, s);
	ret = zwd_soft_zlib.deflateInit2_(&d->raw, d->level, d->method, -15, d->mem_level,
					  d->strategy, ZLIB_VERSION, sizeof(d->raw));
	if (ret != Z_OK) {
		/* zlib may have had the block with the device's context. */
		begin_segment(d);
		return ret;
	}
	d->is_raw = 1;
	d->is_engine_chosen = 1;
	if (d->history_len)
		zwd_soft_zlib.deflateSetDictionary(&d->raw, history, d->history_len);
	d->raw.total_in = 0; /* a dictionary counts there, and is no work */
	return Z_OK;
}

/* For what no device can do. */
static int stay_raw(struct zwd_stream *s)
{
	s->d.is_away = 0;
	return s->d.is_raw ? Z_OK : go_raw(s);
}

static int fail_over(struct zwd_stream *s, int err)
{
	int ret = go_raw(s);

	zwd_policy_deflate_lost(&s->d, err);
	zwd_count(ZWD_DEFLATE, ZWD_FAILOVERS, 1);
	s->d.is_away = ret == Z_OK;
	s->d.away_len = 0;
	return ret;
}

static void drop_raw(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (d->is_raw)
		zwd_soft_zlib.deflateEnd(&d->raw);
	d->is_raw = d->is_away = 0;
	put_spill(s);
}

/* Runs a call of the real zlib on the raw stream with the caller's buffers. */
static void raw_attach(z_streamp strm, struct zwd_deflate *d)
{
	d->raw.next_in = strm->next_in;
	d->raw.avail_in = strm->avail_in;
	d->raw.next_out = strm->next_out;
	d->raw.avail_out = strm->avail_out;
}

static void raw_detach_out(z_streamp strm, struct zwd_deflate *d)
{
	strm->total_out += strm->avail_out - d->raw.avail_out;
	strm->next_out = d->raw.next_out;
	strm->avail_out = d->raw.avail_out;
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = d->raw.data_type;
}

static void raw_detach(z_streamp strm, struct zwd_deflate *d)
{
	unsigned int len = strm->avail_in - d->raw.avail_in;

	raw_detach_out(strm, d);
	if (len)
		d->check = check_of(d, d->check, strm->next_in, len);
	accept(strm, d, len);
	d->away_len += len;
}

/* What was gathered before software took over goes first. */
static void raw_feed_gathered(z_streamp strm, struct zwd_deflate *d)
{
	while (d->gather_len && strm->avail_out) {
		raw_attach(strm, d);
		d->raw.next_in = d->gather + d->gather_off;
		d->raw.avail_in = d->gather_len;
		zwd_soft_zlib.deflate(&d->raw, Z_NO_FLUSH);
		d->gather_off += d->gather_len - d->raw.avail_in;
		d->gather_len = d->raw.avail_in;
		raw_detach_out(strm, d);
	}
}

/* had_progress: something was delivered in this call, so it is no failure to have no more to do. */
static int raw_body(z_streamp strm, struct zwd_deflate *d, int flush, int had_progress)
{
	int ret;

	had_progress |= d->gather_len != 0;
	raw_feed_gathered(strm, d);
	if (!strm->avail_out)
		return Z_OK; /* the gathered input's output filled the room */
	raw_attach(strm, d);
	ret = zwd_soft_zlib.deflate(&d->raw, flush);
	raw_detach(strm, d);
	if (ret == Z_STREAM_END)
		write_end(strm, d);
	else if (ret == Z_BUF_ERROR && !had_progress)
		return fail(strm, Z_BUF_ERROR);
	return ret < 0 && ret != Z_BUF_ERROR ? ret : Z_OK;
}

static void count_soft(uint64_t in, uint64_t out)
{
	if (!in && !out)
		return;
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_STREAMS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_IN, in);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_OUT, out);
}

/* May the device have the body again? There has to be work for it. */
static int is_return_due(z_streamp strm, const struct zwd_deflate *d, int flush)
{
	/* Without input there may be nothing left but an end that software has begun. */
	return d->is_away && d->away_len >= AWAY_LEN && !d->gather_len && strm->avail_in &&
	       flush != Z_BLOCK &&
	       (flush == Z_NO_FLUSH ||
		strm->avail_in >= zwd_policy_min_len(ZWD_DEFLATE, d->level)) &&
	       zwd_qpool_is_ready(ZWD_DEFLATE);
}

/* The most that the flush point may take of the caller's room; PEND_ROOM more can wait. */
#define END_ROOM ZWD_BLOCK_LEN
#define LAST_WINDOW (END_ROOM + PEND_ROOM)
#define LAST_LEN (LAST_WINDOW + ZWD_WINDOW_LEN)

/*
 * Software's part ends at a flush point. That is made in one go, however small the caller's room: a
 * flush continued with a room of a few bytes writes its marker again and again (zlib.h, deflate()).
 * *last: what it made, LAST_LEN in pages, then the window; NULL: it has to go on, for want of room or memory.
 */
static int end_away(z_streamp strm, struct zwd_stream *s, unsigned char **last, uInt *last_len)
{
	struct zwd_deflate *d = &s->d;
	uInt room;
	int ret;

	*last = NULL;
	raw_attach(strm, d);
	d->raw.avail_in = 0;
	ret = zwd_soft_zlib.deflate(&d->raw, Z_NO_FLUSH);
	raw_detach_out(strm, d);
	if (ret != Z_OK && ret != Z_BUF_ERROR)
		return ret;
	if (!strm->avail_out)
		return Z_OK;
	*last = zwd_pages(LAST_LEN);
	if (!*last)
		return Z_OK;
	room = (strm->avail_out < END_ROOM ? strm->avail_out : END_ROOM) + PEND_ROOM;
	d->raw.next_out = *last;
	d->raw.avail_out = room;
	ret = zwd_soft_zlib.deflate(&d->raw, Z_SYNC_FLUSH);
	*last_len = room - d->raw.avail_out;
	if (ret != Z_BUF_ERROR && ret != Z_OK)
		return ret;
	if (d->raw.avail_out)
		return Z_OK;
	/* A block longer than that: it is delivered, and the end is asked for again. */
	ret = wait_in_spill(s);
	if (ret == Z_OK)
		emit(strm, d, *last, *last_len);
	zwd_unpages(*last, LAST_LEN);
	*last = NULL;
	return ret;
}

/*
 * The device may be back: software ends its part, and the device goes on with a new segment. Z_OK, also
 * when that has to wait for room.
 */
static int come_back(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	uInt last_len = 0, history_len = 0;
	unsigned char *last;
	int ret;

	if (!is_return_due(strm, d, flush))
		return Z_OK;
	ret = end_away(strm, s, &last, &last_len);
	if (ret != Z_OK || !last) {
		zwd_unpages(last, LAST_LEN);
		return ret;
	}
	zwd_soft_zlib.deflateGetDictionary(&d->raw, last + LAST_WINDOW, &history_len);
	count_soft(d->raw.total_in, d->raw.total_out);
	drop_raw(s);
	/* They were zlib's as long as its stream was open: nothing is allocated here. */
	if (get_blocks(s)) {
		zwd_unpages(last, LAST_LEN);
		return Z_MEM_ERROR;
	}
	memcpy(d->history, last + LAST_WINDOW, history_len);
	d->history_len = history_len;
	d->gather_off = d->pend_off = d->pend_len = 0;
	emit(strm, d, last, last_len);
	zwd_unpages(last, LAST_LEN);
	d->sent_check = d->check;
	begin_segment(d);
	d->is_flushed = 1;
	d->run_len = 0;
	zwd_count(ZWD_DEFLATE, ZWD_RETURNS, 1);
	return Z_OK;
}

/* One unit through the device. 1: it ended what there was to do, 0: more to do, or -errno. */
static int hw_unit(z_streamp strm, struct zwd_stream *s, struct zwd_lane **lane, int flush)
{
	struct zwd_deflate *d = &s->d;
	size_t left = (size_t)d->gather_len + strm->avail_in, len = zwd_settings()->unit, out_len;
	size_t fit = zwd_offload_fit((size_t)strm->avail_out + PEND_ROOM);
	struct zwd_unit unit = { .head = d->gather, .head_len = d->gather_len, .tail = strm->next_in };
	int ret;

	if (len > fit)
		len = fit;
	if (len > left)
		len = left;
	unit.tail_len = len - unit.head_len;
	unit.is_last = flush == Z_FINISH && len == left;
	unit.needs_marker = flush != Z_NO_FLUSH && flush != Z_FINISH && len == left;
	unit.check = check_of(d, d->check, unit.tail, unit.tail_len);
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = unit.head_len ? data_type(unit.head, unit.head_len) :
						  data_type(unit.tail, len);
	ret = zwd_offload_unit(s, lane, &unit, &out_len);
	if (ret)
		return ret;
	d->check = unit.check;
	d->gather_len = 0;
	d->run_len += len;
	accept(strm, d, (unsigned int)unit.tail_len);
	emit(strm, d, (*lane)->dst, out_len);
	d->is_flushed = unit.needs_marker;
	if (unit.is_last)
		write_end(strm, d);
	return len == left;
}

static void gather(z_streamp strm, struct zwd_deflate *d)
{
	unsigned int len = strm->avail_in;

	if (!len)
		return;
	memcpy(d->gather + d->gather_len, strm->next_in, len);
	d->check = check_of(d, d->check, strm->next_in, len);
	d->gather_len += len;
	accept(strm, d, len);
}

static void cut_history(struct zwd_deflate *d)
{
	begin_segment(d);
	d->history_len = 0;
}

/* A flush point without data before it, or the stream's last block. */
static void hw_flush(z_streamp strm, struct zwd_deflate *d, int flush)
{
	unsigned char out[ZWD_MARKER_LEN];

	if (flush == Z_FINISH) {
		emit(strm, d, out, zwd_format_end(out));
		write_end(strm, d);
		return;
	}
	emit(strm, d, out, zwd_format_marker(out));
	d->is_flushed = 1;
}

/*
 * The parallel plan: a stream that proves to be bulk is cut into units that depend on nothing and
 * are in flight together. Between calls only streams with malloc's memory hold lanes: others are
 * forgotten without a word when their memory pool is (nginx).
 */
static int is_bulk(z_streamp strm, const struct zwd_stream *s, size_t left)
{
	size_t unit = zwd_settings()->unit;

	if (zwd_settings()->depth < 2 || !left)
		return 0;
	if (s->is_custom)
		return left >= 2 * unit && strm->avail_out >= zwd_offload_room(left) + ZWD_TRAILER_MAX;
	return left >= 2 * unit || s->d.run_len >= unit;
}

/* Input into the unit that is being filled, and into the next ones. 0: none could be begun. */
static int fill(z_streamp strm, struct zwd_deflate *d)
{
	struct zwd_job *job = zwd_jobq_filling(d->jobs);
	size_t len;

	if (!job) {
		job = zwd_jobq_begin(d->jobs, d->sent_check);
		if (!job)
			return 0;
		memcpy(job->in, d->gather, d->gather_len);
		job->in_len = d->gather_len;
		d->gather_len = 0;
		d->is_flushed = 0;
	}
	len = job->in_size - job->in_len;
	if (len > strm->avail_in)
		len = strm->avail_in;
	memcpy(job->in + job->in_len, strm->next_in, len);
	/* From the copy, which is in the cache. */
	d->check = check_of(d, d->check, job->in + job->in_len, len);
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = data_type(job->in, len);
	job->in_len += len;
	accept(strm, d, (unsigned int)len);
	if (job->in_len == job->in_size)
		send_job(d, 0, 0);
	return 1;
}

/* Output of units that are done, in their order, waiting for the first of them. Z_OK or an error. */
static int deliver(z_streamp strm, struct zwd_deflate *d, int is_waiting)
{
	while (strm->avail_out) {
		struct zwd_job *job;
		size_t len;
		int ret = zwd_jobq_first(d->jobs, is_waiting, &job);

		if (ret)
			return ret == -EAGAIN || ret == -ENOENT ? Z_OK : Z_MEM_ERROR;
		if (job->is_last && d->seq != ZWD_SEQ_DONE) {
			job->out_len += zwd_format_trailer(job->out + job->out_len, d->wrap,
							   d->check, d->isize);
			d->seq = ZWD_SEQ_DONE;
		}
		len = job->out_len < strm->avail_out ? job->out_len : strm->avail_out;
		memcpy(strm->next_out, job->out + job->out_off, len);
		strm->next_out += len;
		strm->avail_out -= (uInt)len;
		strm->total_out += len;
		job->out_off += len;
		job->out_len -= len;
		if (!job->out_len)
			zwd_jobq_pop(d->jobs);
		is_waiting = 0;
	}
	return Z_OK;
}

static int begin_parallel(struct zwd_deflate *d)
{
	if (d->jobs)
		return 0;
	d->jobs = zwd_jobq_new(d->wrap, zwd_settings()->depth);
	return d->jobs ? 0 : -ENOMEM;
}

/* Z_OK, an error, or GO_SERIAL: there is input left, and no lane for the parallel plan. */
#define GO_SERIAL 1
static int parallel_body(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;

	for (;;) {
		int ret = deliver(strm, d, 0);

		if (ret != Z_OK)
			return fail(strm, ret);
		if (!strm->avail_out)
			return Z_OK;
		if (strm->avail_in || d->gather_len) {
			if (fill(strm, d))
				continue;
			if (!is_parallel(d))
				return GO_SERIAL;
		} else if (flush == Z_NO_FLUSH && !s->is_custom) {
			return Z_OK;
		} else {
			if (zwd_jobq_filling(d->jobs))
				send_job(d, flush == Z_FINISH, flush != Z_FINISH);
			if (!is_parallel(d))
				break;
		}
		ret = deliver(strm, d, 1);
		if (ret != Z_OK)
			return fail(strm, ret);
	}
	if (flush != Z_NO_FLUSH && d->seq != ZWD_SEQ_DONE && (!d->is_flushed || flush == Z_FINISH))
		hw_flush(strm, d, flush);
	if (flush == Z_FULL_FLUSH)
		cut_history(d);
	d->run_len = 0;
	return Z_OK;
}

static void drop_jobs(struct zwd_deflate *d)
{
	zwd_jobq_free(d->jobs);
	d->jobs = NULL;
}

/* Nothing of it stays behind of a stream that may be forgotten with its memory, or left by longjmp(). */
static void end_parallel(struct zwd_deflate *d)
{
	if (!d->jobs || is_parallel(d))
		return;
	zwd_jobq_leave(d->jobs);
	drop_jobs(d);
}

/* had_pend: output of an earlier call was delivered first, so this may be that call repeated. */
static int hw_body(z_streamp strm, struct zwd_stream *s, int flush, int had_pend)
{
	struct zwd_deflate *d = &s->d;
	struct zwd_lane *lane = NULL;
	int ret = 0, is_small = 0, is_repeated = had_pend && d->is_flushed && flush != Z_FINISH;
	int cancel_state;

	if (is_parallel(d) || is_bulk(strm, s, (size_t)d->gather_len + strm->avail_in)) {
		ret = begin_parallel(d) ? GO_SERIAL : parallel_body(strm, s, flush);
		if (ret != GO_SERIAL) {
			d->is_engine_chosen = 1;
			return ret;
		}
		ret = 0;
		if (s->is_custom)
			end_parallel(d);
	}
	cancel_state = zwd_shield_up();
	while (!d->pend_len) {
		size_t left = (size_t)d->gather_len + strm->avail_in;

		if (left < GATHER_LEN && (flush == Z_NO_FLUSH || !left))
			break;
		is_small = !d->is_engine_chosen && !zwd_policy_deflate_unit(d, left, flush);
		if (is_small)
			break;
		d->is_engine_chosen = 1;
		ret = hw_unit(strm, s, &lane, flush);
		if (ret)
			break;
	}
	if (lane)
		zwd_qpool_put(lane);
	zwd_shield_down(cancel_state);
	if (ret < 0 || is_small) {
		ret = is_small ? go_raw(s) : fail_over(s, ret);
		return ret == Z_OK ? raw_body(strm, d, flush, had_pend) : fail(strm, ret);
	}
	if (flush == Z_NO_FLUSH) {
		if (!d->pend_len)
			gather(strm, d);
		return Z_OK;
	}
	if (!ret && d->pend_len)
		return Z_OK; /* more to do when there is room */
	if (!ret && !is_repeated)
		hw_flush(strm, d, flush);
	if (flush == Z_FULL_FLUSH)
		cut_history(d);
	d->run_len = 0;
	return Z_OK;
}

static int deflate_ours(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	unsigned int out_len;
	int old_flush, had_pend, ret;

	if (flush > Z_BLOCK || flush < 0)
		return Z_STREAM_ERROR;
	if (!strm->next_out || (strm->avail_in && !strm->next_in) ||
	    (d->seq == ZWD_SEQ_DONE && flush != Z_FINISH))
		return fail(strm, Z_STREAM_ERROR);
	if (!strm->avail_out)
		return fail(strm, Z_BUF_ERROR);
	if (s->mode == ZWD_MODE_NEW) {
		ret = choose_mode(strm, s, flush);
		if (ret != Z_OK)
			return fail(strm, ret);
		if (s->mode == ZWD_MODE_SOFT) {
			ZWD_SOFT_CALL(ret, strm, s, deflate(strm, flush));
			return ret;
		}
	}
	old_flush = d->last_flush;
	d->last_flush = flush;
	out_len = strm->avail_out;
	flush_pend(strm, d);
	if (is_parallel(d) && !d->pend_len) {
		ret = deliver(strm, d, 0);
		if (ret != Z_OK)
			return fail(strm, ret);
	}
	had_pend = strm->avail_out != out_len;
	if (!strm->avail_out) {
		d->last_flush = -1;
		return Z_OK;
	}
	if (!had_pend && !d->is_raw && !strm->avail_in && rank(flush) <= rank(old_flush) &&
	    flush != Z_FINISH)
		return fail(strm, Z_BUF_ERROR);
	if (d->seq == ZWD_SEQ_DONE && strm->avail_in)
		return fail(strm, Z_BUF_ERROR);
	if (d->seq == ZWD_SEQ_HEADER) {
		write_header(strm, d);
		if (d->pend_len) {
			d->last_flush = -1;
			return Z_OK;
		}
	}
	if (d->seq == ZWD_SEQ_BODY) {
		ret = come_back(strm, s, flush);
		if (ret == Z_OK && flush == Z_BLOCK && !d->is_raw) {
			zwd_count(ZWD_DEFLATE, ZWD_SOFT_TUNED, 1);
			ret = go_raw(s);
		}
		if (ret == Z_OK && d->is_raw && is_parallel(d))
			ret = deliver(strm, d, 1);
		if (ret != Z_OK)
			return fail(strm, ret);
		if (!strm->avail_out)
			ret = Z_OK;
		else if (d->is_raw)
			ret = raw_body(strm, d, flush, had_pend);
		else
			ret = hw_body(strm, s, flush, had_pend);
		if (ret != Z_OK)
			return ret;
		if (!strm->avail_out)
			d->last_flush = -1;
	}
	return d->seq == ZWD_SEQ_DONE && !d->pend_len && !is_parallel(d) ? Z_STREAM_END : Z_OK;
}

int zwd_deflate(z_streamp strm, struct zwd_stream *s, int flush)
{
	int ret;

	if (s->d.jobs)
		zwd_jobq_enter(s->d.jobs);
	ret = deflate_ours(strm, s, flush);
	settle_spill(s);
	if (s->is_custom)
		end_parallel(&s->d);
	if (s->d.jobs)
		zwd_jobq_leave(s->d.jobs);
	return ret;
}

static void count_stream(z_streamp strm, struct zwd_stream *s)
{
	if (s->mode == ZWD_MODE_SOFT)
		count_soft(strm->total_in, strm->total_out);
	else if (s->mode == ZWD_MODE_OURS && s->d.is_raw)
		count_soft(s->d.raw.total_in, s->d.raw.total_out);
}

int zwd_deflate_reset(z_streamp strm, struct zwd_stream *s, int is_keep)
{
	int ret = Z_OK;

	count_stream(strm, s);
	if (s->soft && is_keep)
		ZWD_SOFT_CALL(ret, strm, s, deflateResetKeep(strm));
	else if (s->soft)
		ZWD_SOFT_CALL(ret, strm, s, deflateReset(strm));
	if (ret != Z_OK || (s->soft && is_keep))
		return ret;
	drop_raw(s);
	drop_jobs(&s->d);
	s->d.is_candidate = zwd_policy_deflate_candidate(&s->d, s->is_custom);
	if (!s->d.is_candidate && s->mode != ZWD_MODE_SOFT)
		ret = zwd_deflate_go_soft(strm, s);
	else if (s->d.is_candidate)
		s->mode = ZWD_MODE_NEW;
	if (s->mode == ZWD_MODE_NEW)
		begin(strm, s);
	return ret;
}

int zwd_deflate_end(z_streamp strm, struct zwd_stream *s)
{
	int ret = Z_OK;

	if (!strm->zalloc || !strm->zfree)
		return Z_STREAM_ERROR;
	count_stream(strm, s);
	if (s->mode == ZWD_MODE_OURS && s->d.seq == ZWD_SEQ_BODY)
		ret = Z_DATA_ERROR;
	drop_raw(s);
	drop_jobs(&s->d);
	if (s->soft) {
		int soft_ret;

		zwd_stream_lend(strm, s);
		strm->state = s->soft;
		soft_ret = zwd_soft_zlib.deflateEnd(strm);
		zwd_stream_unlend(strm, s);
		if (s->mode == ZWD_MODE_SOFT)
			ret = soft_ret;
	}
	zwd_stream_free(strm, s);
	return ret;
}

/* dest is a copy of source's struct; its state is made here. */
int zwd_deflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d, *to_d;
	unsigned char *blocks[ZWD_BLOCKS];
	struct zwd_stream *to;
	int ret = Z_OK;

	*dest = *source;
	to = zwd_stream_new(dest, ZWD_MAGIC_DEFLATE);
	if (!to)
		return Z_MEM_ERROR;
	to_d = &to->d;
	to->mode = s->mode;
	*to_d = *d;
	to_d->is_raw = 0;
	to_d->spill = NULL;
	to_d->jobs = NULL;
	to_d->pend = to_d->rest; /* of a raw stream of which no more than that waits */
	dest->state = (struct internal_state *)to;
	if (s->soft) {
		/* The copy's memory is asked for through what source names as its allocator. */
		zwd_stream_lend(source, to);
		source->state = s->soft;
		ret = zwd_soft_zlib.deflateCopy(dest, source);
		source->state = (struct internal_state *)s;
		zwd_stream_unlend(source, s);
		zwd_stream_unlend(dest, to);
		if (ret == Z_OK)
			to->soft = dest->state;
		dest->state = (struct internal_state *)to;
	}
	if (ret == Z_OK && s->mode == ZWD_MODE_OURS) {
		if (d->is_raw && to->is_custom) {
			/* The blocks go to the raw stream; what waits is copied beside them. */
			ret = d->spill ? get_spill(to) : Z_OK;
			if (to_d->spill) {
				to_d->gather = to_d->spill;
				to_d->pend = to_d->spill + ZWD_BLOCK_LEN;
			}
		} else if (zwd_stream_blocks(to, d->mem_level, blocks)) {
			ret = Z_MEM_ERROR;
		} else {
			to_d->gather = blocks[BLOCK_GATHER];
			to_d->pend = blocks[BLOCK_PEND];
			to_d->history = blocks[BLOCK_HISTORY];
			to_d->ctx = blocks[BLOCK_CTX];
			memcpy(to_d->history, d->history, d->history_len);
			memcpy(to_d->ctx, d->ctx, d->ctx_len);
		}
		if (ret == Z_OK && d->gather_len)
			memcpy(to_d->gather, d->gather, d->gather_off + d->gather_len);
		if (ret == Z_OK)
			memcpy(to_d->pend, d->pend, d->pend_off + d->pend_len);
		if (ret == Z_OK && is_parallel(d)) {
			zwd_jobq_enter(d->jobs);
			if (!zwd_jobq_settle(d->jobs))
				to_d->jobs = zwd_jobq_copy(d->jobs);
			zwd_jobq_leave(d->jobs);
			if (!to_d->jobs)
				ret = Z_MEM_ERROR;
		}
		if (ret == Z_OK && d->is_raw) {
			zwd_stream_lend(&d->raw, to);
			ret = zwd_soft_zlib.deflateCopy(&to_d->raw, &d->raw);
			zwd_stream_lend(&d->raw, s);
			to_d->is_raw = ret == Z_OK;
		}
	}
	if (ret != Z_OK) {
		put_spill(to);
		drop_jobs(to_d);
		zwd_stream_free(dest, to);
	}
	return ret;
}

struct flushing {
	z_streamp strm;
	struct zwd_stream *s;
	int ret;
};

static void flush_apart(void *arg)
{
	struct flushing *flushing = arg;

	flushing->ret = zwd_deflate(flushing->strm, flushing->s, Z_PARTIAL_FLUSH);
}

/* zlib's deflateParams() itself takes next to no stack. */
static int flush_for_params(z_streamp strm, struct zwd_stream *s)
{
	struct flushing flushing = { strm, s, Z_OK };

	/* A caller's allocator may leave by longjmp(), which wants to stay on its stack. */
	if (s->is_custom)
		flush_apart(&flushing);
	else
		zwd_apart(flush_apart, &flushing);
	return flushing.ret;
}

int zwd_deflate_params(z_streamp strm, struct zwd_stream *s, int level, int strategy)
{
	struct zwd_deflate *d = &s->d;
	int ret = Z_OK;

	if (level == Z_DEFAULT_COMPRESSION)
		level = 6;
	if (level < 0 || level > 9 || strategy < 0 || strategy > Z_FIXED)
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW) {
		d->level = level;
		d->strategy = strategy;
		if (!zwd_policy_deflate_candidate(d, s->is_custom)) {
			ret = zwd_deflate_go_soft(strm, s);
			/* Its state may be older than these parameters. */
			if (ret == Z_OK)
				ZWD_SOFT_CALL(ret, strm, s, deflateParams(strm, level, strategy));
		} else if (s->soft) {
			ZWD_SOFT_CALL(ret, strm, s, deflateParams(strm, level, strategy));
		}
		return ret;
	}
	if (!d->is_raw && (d->level != level || d->strategy != strategy) &&
	    (d->gather_len || strm->avail_in || is_parallel(d))) {
		/* What is there was meant for the old parameters. */
		ret = flush_for_params(strm, s);
		if (ret == Z_STREAM_ERROR)
			return ret;
		if (strm->avail_in || is_filling(d))
			return Z_BUF_ERROR;
		ret = Z_OK;
	}
	if (!d->is_raw) {
		d->level = level;
		d->strategy = strategy;
		if (!zwd_policy_deflate_candidate(d, s->is_custom) && d->seq != ZWD_SEQ_DONE)
			ret = go_raw(s);
		return ret;
	}
	flush_pend(strm, d);
	if (is_parallel(d) && !d->pend_len) {
		zwd_jobq_enter(d->jobs);
		ret = deliver(strm, d, 1);
		zwd_jobq_leave(d->jobs);
	}
	if (ret == Z_OK && !is_parallel(d))
		raw_feed_gathered(strm, d);
	if (d->pend_len || d->gather_len || is_parallel(d))
		return Z_BUF_ERROR;
	raw_attach(strm, d);
	ret = zwd_soft_zlib.deflateParams(&d->raw, level, strategy);
	raw_detach(strm, d);
	if (ret == Z_OK) {
		d->level = level;
		d->strategy = strategy;
		d->is_away &= zwd_policy_deflate_candidate(d, s->is_custom);
	}
	return ret;
}

int zwd_deflate_set_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len)
{
	struct zwd_deflate *d = &s->d;
	int ret;

	if (!dict)
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW) {
		if (d->wrap == 2)
			return Z_STREAM_ERROR;
		ret = zwd_deflate_go_soft(strm, s);
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, deflateSetDictionary(strm, dict, len));
		return ret;
	}
	if (d->wrap || is_filling(d))
		return Z_STREAM_ERROR;
	ret = stay_raw(s);
	return ret == Z_OK ? zwd_soft_zlib.deflateSetDictionary(&d->raw, dict, len) : ret;
}

int zwd_deflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *dict_len)
{
	struct zwd_deflate *d = &s->d;
	const unsigned char *last = d->gather ? d->gather + d->gather_off : NULL;
	struct zwd_job *job = d->jobs ? zwd_jobq_filling(d->jobs) : NULL;
	uInt base_len = d->history_len, kept, tail, last_len = d->gather_len;

	if (s->mode == ZWD_MODE_NEW) {
		if (dict_len)
			*dict_len = 0;
		return Z_OK;
	}
	/* dict has room for a whole window (zlib.h). */
	if (d->is_raw)
		zwd_soft_zlib.deflateGetDictionary(&d->raw, dict, &base_len);
	else if (dict && base_len)
		memcpy(dict, d->history, base_len);
	if (job) {
		last = job->in;
		last_len = (uInt)job->in_len;
	}
	tail = last_len < ZWD_WINDOW_LEN ? last_len : ZWD_WINDOW_LEN;
	kept = base_len < ZWD_WINDOW_LEN - tail ? base_len : ZWD_WINDOW_LEN - tail;
	if (dict && kept)
		memmove(dict, dict + base_len - kept, kept);
	if (dict && tail)
		memcpy(dict + kept, last + last_len - tail, tail);
	if (dict_len)
		*dict_len = kept + tail;
	return Z_OK;
}

int zwd_deflate_set_header(z_streamp strm, struct zwd_stream *s, gz_headerp header)
{
	if (s->d.wrap != 2)
		return Z_STREAM_ERROR;
	s->d.header = header;
	return Z_OK;
}

int zwd_deflate_pending(struct zwd_stream *s, unsigned int *pending, int *bits)
{
	unsigned int raw_pending = 0, done_len = 0;
	struct zwd_job *job;
	int raw_bits = 0;

	if (s->mode == ZWD_MODE_OURS && s->d.jobs) {
		zwd_jobq_enter(s->d.jobs);
		if (!zwd_jobq_first(s->d.jobs, 0, &job))
			done_len = (unsigned int)job->out_len;
		zwd_jobq_leave(s->d.jobs);
	}

	if (s->mode == ZWD_MODE_OURS && s->d.is_raw)
		zwd_soft_zlib.deflatePending(&s->d.raw, &raw_pending, &raw_bits);
	if (pending)
		*pending = s->d.pend_len + done_len + raw_pending;
	if (bits)
		*bits = raw_bits;
	return Z_OK;
}

int zwd_deflate_used(struct zwd_stream *s, int *bits)
{
	const struct zwd_deflate *d = &s->d;

	if (s->mode == ZWD_MODE_OURS && d->is_raw)
		return zwd_soft_zlib.deflateUsed((z_streamp)&d->raw, bits);
	if (bits)
		*bits = s->mode == ZWD_MODE_NEW ? 0 : 8;
	return Z_OK;
}

int zwd_deflate_prime(z_streamp strm, struct zwd_stream *s, int bits, int value)
{
	int ret;

	if (s->mode == ZWD_MODE_NEW) {
		ret = zwd_deflate_go_soft(strm, s);
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, deflatePrime(strm, bits, value));
		return ret;
	}
	ret = stay_raw(s);
	return ret == Z_OK ? zwd_soft_zlib.deflatePrime(&s->d.raw, bits, value) : ret;
}

int zwd_deflate_tune(z_streamp strm, struct zwd_stream *s, int good, int lazy, int nice, int chain)
{
	int ret;

	if (s->mode == ZWD_MODE_NEW) {
		ret = zwd_deflate_go_soft(strm, s);
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, deflateTune(strm, good, lazy, nice, chain));
		return ret;
	}
	ret = stay_raw(s);
	return ret == Z_OK ? zwd_soft_zlib.deflateTune(&s->d.raw, good, lazy, nice, chain) : ret;
}

/* zlib's own formulas: the device's output is never longer than stored blocks, which fit them. */
uLong zwd_deflate_bound(struct zwd_stream *s, uLong len)
{
	const struct zwd_deflate *d = &s->d;
	uLong wrap_len = 0, fixed, stored;

	if (d->wrap == 1)
		wrap_len = 6;
	else if (d->wrap == 2)
		wrap_len = zwd_format_gzip_header_len(d->header) + 8;
	if (d->mem_level == 8)
		return len + (len >> 12) + (len >> 14) + (len >> 25) + 13 - 6 + wrap_len;
	fixed = len + (len >> 3) + (len >> 8) + (len >> 9) + 4;
	stored = len + (len >> 5) + (len >> 7) + (len >> 11) + 7;
	return (fixed > stored ? fixed : stored) + wrap_len;
}
