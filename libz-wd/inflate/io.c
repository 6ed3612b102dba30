/* SPDX-License-Identifier: Zlib */
/* The caller's buffers of an inflate stream, and what of both directions waits for them. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/lease.h"
#include "inflate/check.h"
#include "inflate/io.h"

#define PEND_MIN 65536u
#define PEND_MIN_CUSTOM 4096u /* of the caller's memory */

static void free_pend(struct zwd_stream *s)
{
	zwd_lease_free(s, s->i.pend);
	s->i.pend = NULL;
	s->i.pend_size = 0;
}

static void tell_check(z_streamp strm, const struct zwd_inflate *i)
{
	if (i->format != WD_ZIP_DEFLATE && !i->is_unchecked)
		strm->adler = i->out_check;
}

void zwd_io_take_held(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	uInt len = i->held < strm->avail_in ? (uInt)i->held : strm->avail_in;

	if (!len)
		return;
	strm->next_in += len;
	strm->avail_in -= len;
	strm->total_in += len;
	i->held -= len;
}

/* Moves the caller's place on. */
static void pass(z_streamp strm, struct zwd_inflate *i, size_t len)
{
	strm->next_out += len;
	strm->avail_out -= (uInt)len;
	strm->total_out += len;
	i->out_len += (uint32_t)len;
}

void zwd_io_deliver(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t len = i->pend_len < strm->avail_out ? i->pend_len : strm->avail_out;

	if (len) {
		memcpy(strm->next_out, i->pend + i->pend_off, len);
		if (!i->is_unchecked)
			i->out_check = i->pend_len == len && i->body == ZWD_BODY_SERIAL ?
					       i->check :
					       zwd_inflate_check(i->format, i->out_check, strm->next_out,
								 len);
		pass(strm, i, len);
		tell_check(strm, i);
		i->pend_off += len;
		i->pend_len -= len;
	}
	if (i->pend_len)
		return;
	i->pend_off = 0;
	if (len && !s->is_custom)
		free_pend(s);
	zwd_io_take_held(strm, s);
}

int zwd_io_reserve(struct zwd_stream *s, size_t len)
{
	struct zwd_inflate *i = &s->i;
	size_t min = s->is_custom ? PEND_MIN_CUSTOM : PEND_MIN, size = len < min ? min : len;
	unsigned char *pend;

	if (!len || (i->pend && len <= i->pend_size))
		return 0;
	pend = zwd_lease_alloc(s, size);
	if (!pend)
		return -ENOMEM;
	zwd_lease_free(s, i->pend);
	i->pend = pend;
	i->pend_size = size;
	return 0;
}

void zwd_io_give(z_streamp strm, struct zwd_stream *s, size_t len, const unsigned char *out,
		 size_t out_len, uint32_t check)
{
	struct zwd_inflate *i = &s->i;
	size_t direct = out_len < strm->avail_out ? out_len : strm->avail_out, rest = out_len - direct;

	if (direct && out != strm->next_out)
		memcpy(strm->next_out, out, direct);
	i->out_check = rest ? zwd_inflate_check(i->format, i->out_check, strm->next_out, direct) : check;
	pass(strm, i, direct);
	tell_check(strm, i);
	if (rest) {
		memcpy(i->pend + i->pend_off + i->pend_len, out + direct, rest);
		i->pend_len += rest;
	}
	i->held += len;
	if (!i->pend_len)
		zwd_io_take_held(strm, s);
}

void zwd_io_written(z_streamp strm, struct zwd_stream *s, const unsigned char *out, size_t len)
{
	struct zwd_inflate *i = &s->i;

	i->out_len += (uint32_t)len;
	if (!i->is_unchecked)
		i->out_check = zwd_inflate_check(i->format, i->out_check, out, len);
	tell_check(strm, i);
}

void zwd_io_cut(struct zwd_stream *s, size_t len)
{
	s->i.pend_len = len;
	if (len)
		return;
	s->i.pend_off = 0;
	if (!s->is_custom)
		free_pend(s);
}

void zwd_io_drop(struct zwd_stream *s)
{
	s->i.pend_off = s->i.pend_len = 0;
	free_pend(s);
}

int zwd_io_copy(struct zwd_stream *to, const struct zwd_stream *from)
{
	struct zwd_inflate *i = &to->i;

	i->pend = NULL;
	i->pend_off = i->pend_len = i->pend_size = 0;
	if (zwd_io_reserve(to, from->i.pend_len))
		return -ENOMEM;
	if (from->i.pend_len)
		memcpy(i->pend, from->i.pend + from->i.pend_off, from->i.pend_len);
	i->pend_len = from->i.pend_len;
	return 0;
}
