/* SPDX-License-Identifier: Zlib */
/*
 * An inflate stream that a device may do. The real zlib is opened when there is something to do, and
 * reads the header (mode NEW); it is closed while the device does the body (mode OURS). What the
 * device consumed is kept; when it fails, or when something is asked that only software can do, the
 * real zlib reads it again and goes on (mode SOFT, or DRAIN while output of the device is undelivered).
 * A caller with an allocator of its own may never free: there it is opened at once and stays open.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ahead.h"
#include "stream/checksum.h"
#include "operate/log.h"
#include "engine/policy.h"
#include "engine/qpool.h"
#include "operate/settings.h"
#include "stream/shield.h"
#include "stream/zstream.h"

/* How far the device may go ahead of the caller's room. */
#define AHEAD_LEN 65536u
#define AHEAD_LEN_CUSTOM 4096u /* where the room for it is the caller's memory */
#define TRASH_LEN 65536u
/*
 * Up to here a stream is done again from its beginning at each request: that costs less than to save
 * the device's context, and a stream of a few KB needs no memory but its input.
 */
#define AGAIN_IN 4096u
#define AGAIN_OUT 32768u
#define KEEP_LEN 4096u /* at first */
/* So often a stream that software cannot take over is tried again. */
#define TRIES_WITHOUT_KEEP 8

static uint32_t check_of(const struct zwd_inflate *i, uint32_t check, const unsigned char *buf,
			 size_t len)
{
	if (i->format == WD_ZIP_GZIP && len)
		return zwd_crc32(check, buf, len);
	if (i->format == WD_ZIP_ZLIB && len)
		return zwd_adler32(check, buf, len);
	return check;
}

static unsigned int ahead_len(const struct zwd_stream *s)
{
	return s->is_custom ? AHEAD_LEN_CUSTOM : AHEAD_LEN;
}

static void free_buffer(struct zwd_stream *s, unsigned char **mem)
{
	zwd_stream_unalloc(s, *mem);
	*mem = NULL;
}

static void free_buffers(struct zwd_stream *s)
{
	free_buffer(s, &s->i.ctx);
	free_buffer(s, &s->i.pend);
	free_buffer(s, &s->i.keep);
}

static void count_stream(z_streamp strm, struct zwd_stream *s)
{
	if (s->mode != ZWD_MODE_SOFT || (!strm->total_in && !strm->total_out))
		return;
	zwd_count(ZWD_INFLATE, ZWD_SOFT_STREAMS, 1);
	zwd_count(ZWD_INFLATE, ZWD_SOFT_IN, strm->total_in);
	zwd_count(ZWD_INFLATE, ZWD_SOFT_OUT, strm->total_out);
}

void zwd_inflate_restart(z_streamp strm, struct zwd_stream *s, int window_bits)
{
	struct zwd_inflate *i = &s->i;

	count_stream(strm, s);
	zwd_ahead_drop(&s->i.ahead);
	free_buffers(s);
	memset(i, 0, sizeof(*i));
	i->window_bits = window_bits;
	i->is_candidate = zwd_policy_inflate_candidate(window_bits);
	s->mode = i->is_candidate || !s->soft ? ZWD_MODE_NEW : ZWD_MODE_SOFT;
}

void zwd_inflate_clear(z_streamp strm, int window_bits)
{
	strm->total_in = strm->total_out = 0;
	strm->msg = NULL;
	if (window_bits >= 0)
		strm->adler = ((window_bits >> 4) + 5) & 1; /* 0: gzip */
}

int zwd_inflate_is_usual(int window_bits)
{
	switch (window_bits) {
	case -15:
	case 0:
	case 15:
	case 31:
	case 32:
	case 47:
		return 1;
	}
	return 0;
}

int zwd_inflate_open(z_streamp strm, struct zwd_stream *s)
{
	z_stream saved = *strm;
	int ret;

	if (s->soft)
		return Z_OK;
	strm->state = NULL;
	ret = zwd_soft_zlib.inflateInit2_(strm, s->i.window_bits, ZLIB_VERSION, sizeof(*strm));
	s->soft = strm->state;
	saved.msg = strm->msg;
	*strm = saved;
	return ret;
}

static int close_soft(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	if (!s->soft)
		return Z_OK;
	ZWD_SOFT_CALL(ret, strm, s, inflateEnd(strm));
	s->soft = NULL;
	return ret;
}

int zwd_inflate_init(z_streamp strm, int window_bits, const char *version, int stream_size)
{
	struct zwd_stream *s;
	int ret;

	if (!strm || !version || version[0] != ZLIB_VERSION[0] || stream_size != sizeof(*strm))
		return zwd_soft()->inflateInit2_(strm, window_bits, version, stream_size);
	zwd_soft();
	s = zwd_stream_new(strm, ZWD_MAGIC_INFLATE);
	if (!s) {
		strm->state = NULL;
		return Z_MEM_ERROR;
	}
	s->i.window_bits = window_bits;
	strm->state = (struct internal_state *)s;
	zwd_inflate_clear(strm, window_bits);
	ret = s->is_custom || !zwd_inflate_is_usual(window_bits) ? zwd_inflate_open(strm, s) : Z_OK;
	if (ret != Z_OK) {
		zwd_stream_free(strm, s);
		return ret;
	}
	zwd_inflate_restart(strm, s, window_bits);
	return Z_OK;
}

int zwd_inflate_end(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	if (!strm->zalloc || !strm->zfree)
		return Z_STREAM_ERROR;
	count_stream(strm, s);
	zwd_ahead_drop(&s->i.ahead);
	free_buffers(s);
	ret = close_soft(strm, s);
	zwd_stream_free(strm, s);
	return ret;
}

static int copy_buffer(struct zwd_stream *to, unsigned char **mem, const unsigned char *from,
		       size_t size, size_t len)
{
	if (!from)
		return Z_OK;
	*mem = zwd_stream_alloc(to, size);
	if (!*mem)
		return Z_MEM_ERROR;
	memcpy(*mem, from, len);
	return Z_OK;
}

int zwd_inflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;
	struct zwd_stream *to;
	z_stream copy = *source;
	int ret = Z_OK;

	to = zwd_stream_new(&copy, ZWD_MAGIC_INFLATE);
	if (!to)
		return Z_MEM_ERROR;
	if (s->soft) {
		source->state = s->soft;
		ret = zwd_soft_zlib.inflateCopy(dest, source);
		source->state = (struct internal_state *)s;
		if (ret != Z_OK) {
			zwd_stream_free(&copy, to);
			return ret;
		}
		to->soft = dest->state;
	} else {
		*dest = copy;
	}
	to->strm = dest;
	to->mode = s->mode;
	to->i = *i;
	to->i.ctx = to->i.pend = to->i.keep = NULL;
	to->i.ahead = NULL;
	dest->state = (struct internal_state *)to;
	ret = copy_buffer(to, &to->i.ctx, i->ctx, WD_ZIP_CTX_SIZE, i->ctx_len);
	if (ret == Z_OK)
		ret = copy_buffer(to, &to->i.pend, i->pend, i->pend_size, i->pend_off + i->pend_len);
	if (ret == Z_OK)
		ret = copy_buffer(to, &to->i.keep, i->keep, i->keep_size, i->keep_len);
	if (ret != Z_OK)
		zwd_inflate_end(dest, to);
	return ret;
}

/*
 * While output waits, the last byte of its input stays with the caller: a reader that sees its input
 * used up takes the stream for done, or for truncated (zlib's own gzread() does).
 */
static void hold_byte(z_streamp strm, struct zwd_inflate *i)
{
	strm->next_in--;
	strm->avail_in++;
	strm->total_in--;
	i->is_byte_held = 1;
}

static void take_held_byte(z_streamp strm, struct zwd_inflate *i)
{
	if (!i->is_byte_held || !strm->avail_in)
		return;
	strm->next_in++;
	strm->avail_in--;
	strm->total_in++;
	i->is_byte_held = 0;
}

static void deliver(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t len = i->pend_len < strm->avail_out ? i->pend_len : strm->avail_out;

	if (len == i->pend_len)
		take_held_byte(strm, i);
	if (!len)
		return;
	memcpy(strm->next_out, i->pend + i->pend_off, len);
	i->out_check = i->pend_len == len ? i->check :
					    check_of(i, i->out_check, strm->next_out, len);
	strm->next_out += len;
	strm->avail_out -= (uInt)len;
	strm->total_out += len;
	i->pend_off += len;
	i->pend_len -= len;
	if (!i->pend_len) {
		i->pend_off = 0;
		if (!s->is_custom)
			free_buffer(s, &i->pend);
	}
	if (i->format != WD_ZIP_DEFLATE)
		strm->adler = i->out_check;
}

/* Room for len more bytes behind what waits; 0 or -ENOMEM. */
static int grow_pend(struct zwd_stream *s, size_t len)
{
	struct zwd_inflate *i = &s->i;
	size_t size = i->pend_off + i->pend_len + len;
	unsigned char *pend;

	if (i->pend && size <= i->pend_size)
		return 0;
	if (size < ahead_len(s))
		size = ahead_len(s);
	pend = zwd_stream_alloc(s, size);
	if (!pend)
		return -ENOMEM;
	if (i->pend_len)
		memcpy(pend, i->pend + i->pend_off, i->pend_len);
	zwd_stream_unalloc(s, i->pend);
	i->pend = pend;
	i->pend_off = 0;
	i->pend_size = size;
	return 0;
}

/* Room to keep len more bytes of input, unless that is over the limit. 0 or -ENOMEM. */
static int reserve_keep(struct zwd_stream *s, size_t len)
{
	struct zwd_inflate *i = &s->i;
	size_t size = i->keep_size ? i->keep_size : KEEP_LEN;
	unsigned char *mem;

	if (i->is_keep_full || i->keep_len + len <= i->keep_size)
		return 0;
	if (i->keep_len + len > zwd_settings()->keep) {
		free_buffer(s, &i->keep);
		i->keep_len = i->keep_size = 0;
		i->is_keep_full = 1;
		return 0;
	}
	while (size < i->keep_len + len)
		size *= 2;
	mem = zwd_stream_alloc(s, size);
	if (!mem)
		return -ENOMEM;
	if (i->keep_len)
		memcpy(mem, i->keep, i->keep_len);
	zwd_stream_unalloc(s, i->keep);
	i->keep = mem;
	i->keep_size = size;
	return 0;
}

/* Keeps what the device consumed, for which there is room. */
static void keep(struct zwd_inflate *i, const unsigned char *in, size_t len)
{
	if (i->is_keep_full || !len)
		return;
	memcpy(i->keep + i->keep_len, in, len);
	i->keep_len += len;
}

/*
 * Opens z on the real zlib, or the state of it that is open, at the first block of a stream as this one
 * is, with a header in place of the one that was read: no header says anything about the body.
 */
static int open_at_body(z_streamp z, const struct zwd_inflate *i, struct internal_state *open)
{
	static const unsigned char zlib[] = { 0x78, 0x01 },
				   gzip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	unsigned char none[1];
	int ret;

	z->state = open;
	ret = open ? zwd_soft_zlib.inflateReset2(z, i->window_bits) :
		     zwd_soft_zlib.inflateInit2_(z, i->window_bits, ZLIB_VERSION, sizeof(*z));
	if (ret != Z_OK || i->format == WD_ZIP_DEFLATE)
		return ret;
	z->next_in = (z_const Bytef *)(i->format == WD_ZIP_GZIP ? gzip : zlib);
	z->avail_in = i->format == WD_ZIP_GZIP ? sizeof(gzip) : sizeof(zlib);
	z->next_out = none;
	z->avail_out = 0;
	zwd_soft_zlib.inflate(z, Z_BLOCK);
	return Z_OK;
}

/* The real zlib makes again what the device made; nobody needs it. */
static int skip(z_streamp strm, uint64_t left)
{
	unsigned char *trash = zwd_pages(TRASH_LEN);
	int ret = trash ? Z_OK : Z_MEM_ERROR;

	while (left && ret == Z_OK) {
		uInt room = left < TRASH_LEN ? (uInt)left : TRASH_LEN;

		strm->next_out = trash;
		strm->avail_out = room;
		ret = zwd_soft_zlib.inflate(strm, Z_SYNC_FLUSH);
		left -= room - strm->avail_out;
	}
	zwd_unpages(trash, TRASH_LEN);
	if (ret == Z_MEM_ERROR)
		return ret;
	return left ? Z_DATA_ERROR : Z_OK;
}

/*
 * The real zlib reads what the device consumed. Its output up to where the device was is known
 * already; what it makes beyond (the device may have held some back) waits like the device's own.
 */
static int replay(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t pend_len = i->pend_len;
	z_stream saved = *strm;
	int ret = Z_OK, z = Z_OK;

	if (!s->soft || i->is_replay_torn) {
		ret = open_at_body(strm, i, s->soft);
		s->soft = strm->state;
	}
	if (ret != Z_OK) {
		*strm = saved;
		return ret;
	}
	i->is_replay_torn = 1;
	strm->state = s->soft;
	strm->next_in = i->keep;
	strm->avail_in = (uInt)i->keep_len;
	ret = skip(strm, i->made);
	if (ret == Z_OK && i->format != WD_ZIP_DEFLATE && i->made && i->check != (uint32_t)strm->adler)
		ret = Z_DATA_ERROR;
	while (ret == Z_OK && z == Z_OK && strm->avail_in) {
		unsigned char *out;

		if (grow_pend(s, ahead_len(s))) {
			ret = Z_MEM_ERROR;
			break;
		}
		out = strm->next_out = i->pend + i->pend_off + i->pend_len;
		strm->avail_out = ahead_len(s);
		/* The end, or an error, it will tell again. */
		z = zwd_soft_zlib.inflate(strm, Z_SYNC_FLUSH);
		if (z == Z_MEM_ERROR)
			ret = z;
		i->pend_len += (size_t)(strm->next_out - out);
	}
	if (ret == Z_OK)
		i->check = (uint32_t)strm->adler;
	else
		i->pend_len = pend_len;
	saved.msg = strm->msg;
	*strm = saved;
	return ret;
}

int zwd_inflate_go_soft(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	int ret = Z_OK;

	if (s->mode == ZWD_MODE_NEW) {
		ret = zwd_inflate_open(strm, s);
		if (ret == Z_OK)
			s->mode = ZWD_MODE_SOFT;
	}
	if (s->mode != ZWD_MODE_OURS)
		return ret;
	zwd_ahead_forget(i->ahead);
	if (i->is_keep_full || i->is_engine_lost)
		ret = Z_DATA_ERROR;
	else
		ret = replay(strm, s);
	if (ret == Z_DATA_ERROR) {
		i->is_engine_lost = 1;
		strm->msg = (char *)"device failed and the input was not kept";
	}
	if (ret != Z_OK)
		return ret;
	s->mode = i->pend_len || i->is_byte_held ? ZWD_MODE_DRAIN : ZWD_MODE_SOFT;
	free_buffer(s, &i->ctx);
	free_buffer(s, &i->keep);
	return Z_OK;
}

void zwd_inflate_take_held(z_streamp strm, struct zwd_stream *s)
{
	take_held_byte(strm, &s->i);
}

/* A stream of the real zlib beside this one reads what the device did, as far as it was delivered. */
int zwd_inflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *len)
{
	struct zwd_inflate *i = &s->i;
	z_stream copy = { .zalloc = strm->zalloc, .zfree = strm->zfree, .opaque = strm->opaque };
	int ret;

	if (i->is_keep_full)
		return Z_STREAM_ERROR;
	ret = open_at_body(&copy, i, NULL);
	if (ret != Z_OK)
		return ret;
	copy.next_in = i->keep;
	copy.avail_in = (uInt)i->keep_len;
	ret = skip(&copy, i->made - i->pend_len);
	if (ret == Z_OK)
		ret = zwd_soft_zlib.inflateGetDictionary(&copy, dict, len);
	zwd_soft_zlib.inflateEnd(&copy);
	return ret;
}

/* Is this stream small enough to be done again from its beginning? */
static int is_again(const struct zwd_inflate *i, uint64_t made)
{
	return !i->ctx_len && !i->is_keep_full && i->keep_len <= AGAIN_IN && made <= AGAIN_OUT;
}

/* What the next request goes on from. 0 or -ENOMEM. */
static int save(struct zwd_stream *s, struct zwd_lane *lane, uint64_t made)
{
	struct zwd_inflate *i = &s->i;

	if (is_again(i, made))
		return 0;
	if (!i->ctx)
		i->ctx = zwd_stream_alloc(s, WD_ZIP_CTX_SIZE);
	if (!i->ctx)
		return -ENOMEM;
	i->ctx_len = wd_zip_ctx_used(lane->ctx);
	memcpy(i->ctx, lane->ctx, i->ctx_len);
	return 0;
}

/* Until there is a context: input and output that are done again, from the stream's beginning. */
static size_t old_in(const struct zwd_inflate *i)
{
	return i->ctx_len ? 0 : i->keep_len;
}

static size_t old_out(const struct zwd_inflate *i)
{
	return i->ctx_len ? 0 : (size_t)i->made;
}

/* The next request, with what it needs in the lane's memory. */
static struct wd_zip_req prepare(struct zwd_stream *s, struct zwd_lane *lane,
				 const unsigned char *in, size_t len, size_t room)
{
	struct zwd_inflate *i = &s->i;
	struct wd_zip_req req = { .src = lane->src, .dst = lane->dst, .ctx = lane->ctx };

	if (room > lane->dst_len - old_out(i))
		room = lane->dst_len - old_out(i);
	/* Input expands: more of it than there is room would only be copied in vain. */
	if (len > room)
		len = room;
	if (len > lane->src_len - old_in(i))
		len = lane->src_len - old_in(i);
	if (old_in(i))
		memcpy(lane->src, i->keep, old_in(i));
	if (len)
		memcpy(lane->src + old_in(i), in, len);
	i->sent_len = len;
	i->sent_room = room;
	req.src_len = (uint32_t)(old_in(i) + len);
	req.dst_len = (uint32_t)(old_out(i) + room);
	req.format = (uint8_t)i->format;
	req.flags = WD_ZIP_STREAM;
	if (i->ctx_len)
		memcpy(lane->ctx, i->ctx, i->ctx_len);
	else
		req.flags |= WD_ZIP_NEW;
	return req;
}

/*
 * Takes the result; on success it is the stream's. 0 or -errno; -ESTALE: it was sent ahead for other
 * input than the caller has now.
 */
static int receive(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane,
		   struct wd_zip_res res)
{
	struct zwd_inflate *i = &s->i;
	const unsigned char *in = lane->src + old_in(i), *out = lane->dst + old_out(i);
	size_t direct;
	uint32_t check;

	if (res.status != WD_ZIP_OK && res.status != WD_ZIP_END && res.status != WD_ZIP_NO_ROOM)
		return res.status == WD_ZIP_FAILED ? -EIO : -EBADMSG;
	if (res.consumed > old_in(i) + i->sent_len || res.consumed < old_in(i) ||
	    res.produced > old_out(i) + i->sent_room || res.produced < old_out(i))
		return -EIO;
	res.consumed -= (uint32_t)old_in(i);
	res.produced -= (uint32_t)old_out(i);
	if (res.consumed > strm->avail_in ||
	    (res.consumed && memcmp(in, strm->next_in, res.consumed)))
		return -ESTALE;
	if (!res.consumed && !res.produced && res.status != WD_ZIP_END)
		return -EIO;
	check = check_of(i, i->check, out, res.produced);
	if (i->format != WD_ZIP_DEFLATE && check != res.checksum)
		return -EIO;
	direct = res.produced < strm->avail_out ? res.produced : strm->avail_out;
	/* The first two were reserved where they are the caller's to give. */
	if (grow_pend(s, res.produced - direct) || reserve_keep(s, res.consumed))
		return -ENOMEM;
	keep(i, strm->next_in, res.consumed);
	if (res.status != WD_ZIP_END && save(s, lane, i->made + res.produced)) {
		if (!i->is_keep_full)
			i->keep_len -= res.consumed;
		return -ENOMEM;
	}
	i->is_ended = res.status == WD_ZIP_END;
	i->has_more = res.status == WD_ZIP_NO_ROOM;
	strm->next_in += res.consumed;
	strm->avail_in -= res.consumed;
	strm->total_in += res.consumed;
	memcpy(strm->next_out, out, direct);
	i->out_check = direct == res.produced ? check :
						check_of(i, i->out_check, strm->next_out, direct);
	strm->next_out += direct;
	strm->avail_out -= (uInt)direct;
	strm->total_out += direct;
	if (direct < res.produced)
		memcpy(i->pend + i->pend_off + i->pend_len, out + direct, res.produced - direct);
	i->pend_len += res.produced - direct;
	i->check = check;
	i->made += res.produced;
	if (i->format != WD_ZIP_DEFLATE)
		strm->adler = i->out_check;
	if (i->pend_len && res.consumed)
		hold_byte(strm, i);
	zwd_count(ZWD_INFLATE, ZWD_HW_REQUESTS, 1);
	zwd_count(ZWD_INFLATE, ZWD_HW_IN, res.consumed);
	zwd_count(ZWD_INFLATE, ZWD_HW_OUT, res.produced);
	return 0;
}

/*
 * Sends what comes next while the caller is busy with what it has. Only where the caller's memory is
 * the library's, too: others are known to leave streams without their end, and a lane with them.
 */
static void send_ahead(z_streamp strm, struct zwd_stream *s, uInt asked)
{
	struct zwd_inflate *i = &s->i;
	/* What waits is delivered before; then the caller asks for as much as this time. */
	size_t held = i->is_byte_held, room = i->pend_len < asked ? asked - i->pend_len : 0;
	struct zwd_lane *lane;
	struct wd_zip_req req;
	int cancel_state, ret;

	if (s->is_custom || i->is_ahead_off || i->is_ended || strm->avail_out ||
	    strm->avail_in < held || (strm->avail_in == held && !i->has_more))
		return;
	cancel_state = zwd_shield_up();
	if (zwd_qpool_try(ZWD_INFLATE, &lane))
		goto down;
	if (!zwd_ahead_is_free(&i->ahead)) {
		zwd_qpool_put(lane);
		goto down;
	}
	room += AHEAD_LEN;
	req = prepare(s, lane, strm->next_in + held, strm->avail_in - held, room);
	ret = zwd_qpool_send(lane, &req);
	if (ret)
		zwd_qpool_drop(lane, ret);
	else
		zwd_ahead_put(i->ahead, lane);
down:
	zwd_shield_down(cancel_state);
}

/* On the lane, which may be one of a request ahead. 0 or -errno. */
static int run(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane, int is_ahead)
{
	struct wd_zip_req req;
	struct wd_zip_res res;
	int ret;

	if (is_ahead) {
		ret = zwd_qpool_wait(lane, &res, zwd_settings()->timeout_ms);
		if (!ret)
			ret = receive(strm, s, lane, res);
		if (ret != -ESTALE)
			return ret;
		s->i.is_ahead_off = 1;
	}
	req = prepare(s, lane, strm->next_in, strm->avail_in, (size_t)strm->avail_out + ahead_len(s));
	ret = zwd_qpool_run(lane, &req, &res);
	return ret ? ret : receive(strm, s, lane, res);
}

/*
 * All memory of the caller's that the next request may need: its allocator may never return, so it is
 * not called with a lane in hand. 0 or -ENOMEM.
 */
static int reserve(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t len = strm->avail_in, most = zwd_settings()->unit;

	if (!s->is_custom)
		return 0;
	if (len > most)
		len = most;
	if (len > (size_t)strm->avail_out + AHEAD_LEN_CUSTOM)
		len = (size_t)strm->avail_out + AHEAD_LEN_CUSTOM;
	if (grow_pend(s, AHEAD_LEN_CUSTOM) || reserve_keep(s, len))
		return -ENOMEM;
	/* Whether it stays that small is known when the request is done. */
	if (!i->ctx)
		i->ctx = zwd_stream_alloc(s, WD_ZIP_CTX_SIZE);
	return i->ctx ? 0 : -ENOMEM;
}

/*
 * Is it worth another try? Bad data is bad on any queue, and a hang may cost its time again. But a
 * stream whose input was not kept has no other way on: its context is as good as ever.
 */
static int may_retry(const struct zwd_inflate *i, int had_lane, int try, int err)
{
	if (err == -EBADMSG || err == -ENOMEM)
		return 0;
	if (i->is_keep_full)
		return try < TRIES_WITHOUT_KEEP;
	return !try && had_lane && err != -ETIMEDOUT;
}

/* One try on a lane. 0 or -errno, *had_lane: not for want of one. */
static int try_request(z_streamp strm, struct zwd_stream *s, int *had_lane)
{
	struct zwd_lane *lane = zwd_ahead_take(s->i.ahead);
	int is_ahead = lane != NULL, ret = 0;

	if (!lane)
		ret = zwd_qpool_get(ZWD_INFLATE, zwd_settings()->timeout_ms, &lane);
	*had_lane = !ret;
	if (!ret)
		ret = run(strm, s, lane, is_ahead);
	if (!*had_lane)
		return ret;
	/* Bad data is the data's fault, most likely, and memory not the lane's. */
	if (!ret || ret == -EBADMSG || ret == -ENOMEM)
		zwd_qpool_put(lane);
	else
		zwd_qpool_drop(lane, ret);
	return ret;
}

/* A request, and further tries on other queues where that may help. */
static int request(z_streamp strm, struct zwd_stream *s)
{
	for (int try = 0;; try++) {
		int cancel_state = zwd_shield_up(), had_lane, ret;

		ret = try_request(strm, s, &had_lane);
		zwd_shield_down(cancel_state);
		if (!ret)
			return 0;
		if (had_lane) {
			zwd_count(ZWD_INFLATE, ZWD_ERRORS, 1);
			zwd_log(ZWD_LOG_WARN, "inflate request failed: %s", strerror(-ret));
		}
		if (!may_retry(&s->i, had_lane, try, ret))
			return ret;
		if (ret == -ENODEV)
			zwd_qpool_await(ZWD_INFLATE, zwd_settings()->timeout_ms);
		zwd_count(ZWD_INFLATE, ZWD_RETRIES, 1);
	}
}

/* The body on the device. Z_OK, Z_STREAM_END, or an error; the mode may change. */
static int body(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	uInt asked = strm->avail_out;
	int ret = 0;

	for (;;) {
		deliver(strm, s);
		if (i->pend_len || i->is_byte_held || i->is_ended ||
		    (!strm->avail_in && !i->has_more))
			break;
		ret = reserve(strm, s);
		if (!ret)
			ret = request(strm, s);
		if (ret)
			break;
	}
	if (ret == -ENOMEM && i->is_keep_full)
		return Z_MEM_ERROR; /* there may be some later */
	if (ret) {
		zwd_count(ZWD_INFLATE, ZWD_FAILOVERS, 1);
		zwd_policy_inflate_lost(i, ret);
		return zwd_inflate_go_soft(strm, s);
	}
	if (!i->is_ended || i->pend_len || i->is_byte_held) {
		send_ahead(strm, s, asked);
		return Z_OK;
	}
	strm->data_type = 64; /* as zlib shows it: no bits left over, last block */
	return Z_STREAM_END;
}

/* Mode NEW: the header by the real zlib, up to the first block. Z_OK: the mode is chosen, or not yet. */
static int header(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_inflate *i = &s->i;
	int ret = Z_OK;

	if (!i->is_candidate)
		return zwd_inflate_go_soft(strm, s);
	if (flush == Z_BLOCK || flush == Z_TREES) {
		zwd_count(ZWD_INFLATE, ZWD_SOFT_TUNED, 1);
		return zwd_inflate_go_soft(strm, s);
	}
	if (!i->format && strm->avail_in) {
		if (i->window_bits < 0)
			i->format = WD_ZIP_DEFLATE;
		else if (i->window_bits == 31 || (i->window_bits > 31 && strm->next_in[0] == 0x1f))
			i->format = WD_ZIP_GZIP;
		else
			i->format = WD_ZIP_ZLIB;
	}
	if (i->format != WD_ZIP_DEFLATE && !i->has_header) {
		ret = zwd_inflate_open(strm, s);
		if (ret != Z_OK)
			return ret;
		ZWD_SOFT_CALL(ret, strm, s, inflate(strm, Z_BLOCK));
		i->has_header = ret == Z_OK && strm->data_type & 128;
		if (ret == Z_NEED_DICT)
			zwd_count(ZWD_INFLATE, ZWD_SOFT_DICTIONARY, 1);
		if (ret != Z_OK && ret != Z_BUF_ERROR)
			s->mode = ZWD_MODE_SOFT;
		if (!i->has_header)
			return ret == Z_BUF_ERROR ? Z_OK : ret;
	}
	if (!strm->avail_in)
		return Z_OK;
	if (!zwd_policy_inflate_begin(i, strm->avail_in))
		return zwd_inflate_go_soft(strm, s);
	if (!s->is_custom)
		close_soft(strm, s);
	s->mode = ZWD_MODE_OURS;
	i->check = i->out_check = i->format == WD_ZIP_ZLIB;
	return Z_OK;
}

int zwd_inflate(z_streamp strm, struct zwd_stream *s, int flush)
{
	uInt in = strm->avail_in, out = strm->avail_out;
	int ret = Z_OK;

	if (!strm->next_out || (!strm->next_in && strm->avail_in))
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW)
		ret = header(strm, s, flush);
	if (ret == Z_OK && s->mode == ZWD_MODE_OURS && (flush == Z_BLOCK || flush == Z_TREES)) {
		zwd_count(ZWD_INFLATE, ZWD_SOFT_TUNED, 1);
		ret = zwd_inflate_go_soft(strm, s);
	}
	if (ret == Z_OK && s->mode == ZWD_MODE_OURS)
		ret = body(strm, s);
	if (ret == Z_OK && s->mode == ZWD_MODE_DRAIN) {
		deliver(strm, s);
		if (!s->i.pend_len && !s->i.is_byte_held)
			s->mode = ZWD_MODE_SOFT;
	}
	if (ret == Z_OK && s->mode == ZWD_MODE_SOFT) {
		ZWD_SOFT_CALL(ret, strm, s, inflate(strm, flush));
		/* It knows only of its own part of this call. */
		if (ret == Z_BUF_ERROR)
			ret = Z_OK;
	}
	if (ret == Z_OK && ((in == strm->avail_in && out == strm->avail_out) || flush == Z_FINISH))
		ret = Z_BUF_ERROR;
	return ret;
}
