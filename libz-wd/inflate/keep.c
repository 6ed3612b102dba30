/* SPDX-License-Identifier: Zlib */
/* The compressed input that a way back to software needs, from the latest place it can begin at. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/lease.h"
#include "inflate/anchor.h"
#include "inflate/check.h"
#include "inflate/keep.h"
#include "inflate/pieces.h"

/* So much may be kept before a place is looked for, and so little is always worth none. */
#define LOOK_MAX (4u << 20)
#define LOOK_MIN 16384u
/* Input of one request, at least. */
#define ROOM_MIN 65536u
/*
 * Output in which a search is worth it: a block of zlib's is 16384 codes, 170 KB of plain text. After a
 * search in vain twice as much is taken, a few times. Small requests are put together, in a probe.
 */
#define LOOK_ROOM 212992u
#define LOOK_TRIES 2
#define LOOK_TRIES_CUSTOM 1 /* a lease has room for no more */
#define LOOK_ROOM_SMALL 131072u
#define PROBE_OUT(room) ((room) + (room) / 2)
#define PROBE_IN 196608u
/* Of input the same, where it hardly expands. */
#define LOOK_IN 114688u
#define PROBE_IN_SMALL 98304u
#define LOOK_IN_SMALL 57344u
/* All probes of the process, beside what is kept. */
#define PROBES_MAX (8u << 20)
/* After a search in vain, so much more input before the next. */
#define QUIET_MIN 32768u
#define QUIET_MAX (2u << 20)

static _Atomic size_t probes;

static void free_window(struct zwd_stream *s, struct zwd_place *place)
{
	if (!place->window)
		return;
	/* One more is wanted soon, and a caller's memory is not to be asked for twice. */
	zwd_pieces_uncount(s, ZWD_WINDOW_LEN);
	zwd_lease_free(s, place->window);
	place->window = NULL;
}

static void free_probe(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	keep->probe_in = keep->probe_out = 0;
	if (s->is_custom)
		return;
	atomic_fetch_sub_explicit(&probes, keep->probe_size, memory_order_relaxed);
	zwd_lease_free(s, keep->probe);
	keep->probe = NULL;
	keep->probe_size = 0;
}

static void lose(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	zwd_pieces_trim(s, keep->to);
	keep->from = keep->to;
	keep->is_lost = 1;
	keep->has_next = 0;
	if (!s->is_custom) {
		free_window(s, &keep->begin);
		free_window(s, &keep->next);
	}
}

void zwd_keep_begin(struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_keep *keep = &s->i.keep;

	zwd_pieces_trim(s, keep->to);
	free_window(s, &keep->begin);
	keep->begin = *place;
	if (place->window)
		zwd_pieces_count(s, ZWD_WINDOW_LEN);
	keep->from = keep->to = place->in;
	keep->has_next = keep->is_lost = 0;
	keep->quiet_len = 0;
	keep->tries = 0;
	keep->quiet_until = place->in;
	free_probe(s);
}

size_t zwd_keep_look_room(const struct zwd_stream *s)
{
	return zwd_lease_is_small(s) ? LOOK_ROOM_SMALL : (size_t)LOOK_ROOM << s->i.keep.tries;
}

static size_t look_len(const struct zwd_stream *s)
{
	size_t len = zwd_pieces_share(s) / 4;

	if (s->is_custom)
		return zwd_pieces_custom(s) / 2 * 3;
	if (len > LOOK_MAX)
		len = LOOK_MAX;
	return len < LOOK_MIN ? LOOK_MIN : len;
}

size_t zwd_keep_room(const struct zwd_stream *s)
{
	size_t most = zwd_pieces_share(s);

	if (s->is_custom)
		return ZWD_KEEP_CUSTOM_STEP;
	/* What it gets, nobody else may have; and a place is to be found in time. */
	most = s->i.keep.size < most ? (most - s->i.keep.size) / 2 : 0;
	if (most > look_len(s))
		most = look_len(s);
	return most > ROOM_MIN ? most : ROOM_MIN;
}

size_t zwd_keep_room_behind(const struct zwd_stream *s, size_t len)
{
	const struct zwd_keep *keep = &s->i.keep;
	size_t most = zwd_keep_room(s);

	if (keep->is_lost || keep->has_next || keep->to - keep->from + len >= look_len(s) || most < len + ROOM_MIN)
		return 0;
	return most - len;
}

int zwd_keep_is_looking(const struct zwd_stream *s)
{
	const struct zwd_keep *keep = &s->i.keep;

	if (keep->has_next || keep->to < keep->quiet_until)
		return 0;
	return keep->is_lost || keep->to - keep->from >= look_len(s);
}

static size_t probe_in_size(const struct zwd_stream *s)
{
	return zwd_lease_is_small(s) ? PROBE_IN_SMALL : PROBE_IN;
}

static size_t look_in(const struct zwd_stream *s)
{
	return zwd_lease_is_small(s) ? LOOK_IN_SMALL : LOOK_IN;
}

static size_t probe_size(const struct zwd_stream *s)
{
	size_t room = zwd_keep_look_room(s);

	/* Of a lease it is had once, for all tries. */
	if (s->is_custom && !zwd_lease_is_small(s))
		room = (size_t)LOOK_ROOM << LOOK_TRIES_CUSTOM;
	return PROBE_OUT(room) + probe_in_size(s);
}

int zwd_keep_reserve(struct zwd_stream *s, size_t len)
{
	struct zwd_keep *keep = &s->i.keep;

	/* Else it is had when it is known to be needed; but the first piece has to be there. */
	if (!s->is_custom)
		return zwd_pieces_reserve(s, !keep->first);
	if ((!keep->is_lost || keep->has_next) && zwd_pieces_reserve(s, len))
		return -ENOMEM;
	if (!zwd_keep_is_looking(s))
		return 0;
	if (!keep->probe)
		keep->probe = zwd_lease_alloc(s, probe_size(s));
	if (!keep->next.window) {
		keep->next.window = zwd_lease_alloc(s, ZWD_WINDOW_LEN);
		if (keep->next.window)
			zwd_pieces_count(s, ZWD_WINDOW_LEN);
	}
	return keep->probe && keep->next.window ? 0 : -ENOMEM;
}

int zwd_keep_prepare(struct zwd_stream *s, size_t len)
{
	const struct zwd_keep *keep = &s->i.keep;

	if (s->is_custom || (keep->is_lost && !keep->has_next))
		return 0;
	return zwd_pieces_reserve(s, len);
}

/*
 * A place within in[], which ends where the body is now and made out[]. Nothing of it has to be kept
 * before the place.
 */
static int search(struct zwd_stream *s, const unsigned char *in, size_t in_len,
		  const unsigned char *out, size_t out_len, uint32_t check)
{
	struct zwd_keep *keep = &s->i.keep;
	struct zwd_anchor anchor;
	struct zwd_place *next = &keep->next;
	size_t at, begin;

	if (zwd_anchor_find(in, in_len, out, out_len, out_len == s->i.made, &anchor) ||
	    anchor.in_off >= in_len || anchor.out_back > out_len)
		return -ENOENT;
	at = out_len - anchor.out_back;
	begin = anchor.in_off + !!anchor.bits;
	/* What is behind it must be there: a probe goes farther back than a keep that was moved. */
	if (!keep->is_lost && keep->to - (in_len - begin) < keep->from)
		return -ENOENT;
	if (!next->window) {
		next->window = zwd_lease_alloc(s, ZWD_WINDOW_LEN);
		if (!next->window)
			return -ENOMEM;
		zwd_pieces_count(s, ZWD_WINDOW_LEN);
	}
	next->in = keep->to - (in_len - begin);
	next->out = s->i.made - anchor.out_back;
	next->check = zwd_inflate_check(s->i.format, check, out, at);
	next->window_len = at < ZWD_WINDOW_LEN ? (uint32_t)at : ZWD_WINDOW_LEN;
	memcpy(next->window, out + at - next->window_len, next->window_len);
	next->bits = anchor.bits ? (unsigned char)(8 - anchor.bits) : 0;
	next->byte = in[anchor.in_off];
	keep->has_next = 1;
	if (keep->is_lost) {
		keep->from = keep->to = next->in;
		if (zwd_pieces_add(s, in + begin, in_len - begin)) {
			lose(s);
			return -ENOENT;
		}
	}
	return 0;
}

static void note_search(struct zwd_stream *s, int ret)
{
	struct zwd_keep *keep = &s->i.keep;

	free_probe(s);
	if (!ret) {
		keep->quiet_len = 0;
		return;
	}
	keep->tries += keep->tries < (s->is_custom ? LOOK_TRIES_CUSTOM : LOOK_TRIES);
	keep->quiet_len = keep->quiet_len ? 2 * keep->quiet_len : QUIET_MIN;
	if (keep->quiet_len > QUIET_MAX)
		keep->quiet_len = QUIET_MAX;
	keep->quiet_until = keep->to + keep->quiet_len;
}

/* Memory to put requests together in: not for too many streams at once. */
static int has_probe(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;
	size_t size = probe_size(s);

	if (keep->probe || s->is_custom)
		return keep->probe != NULL;
	if (atomic_load_explicit(&probes, memory_order_relaxed) + size > PROBES_MAX)
		return 0;
	keep->probe = zwd_lease_alloc(s, size);
	if (!keep->probe)
		return 0;
	keep->probe_size = size;
	atomic_fetch_add_explicit(&probes, size, memory_order_relaxed);
	return 1;
}

/* Requests too small to find a place in are put together. */
static void add_to_probe(struct zwd_stream *s, const unsigned char *in, size_t in_len,
			 const unsigned char *out, size_t out_len, uint32_t check)
{
	struct zwd_keep *keep = &s->i.keep;
	size_t room = zwd_keep_look_room(s);
	unsigned char *probe_in;

	if (keep->probe_in + in_len > probe_in_size(s) || keep->probe_out + out_len > PROBE_OUT(room)) {
		note_search(s, -ENOENT);
		return;
	}
	if (!has_probe(s))
		return;
	probe_in = keep->probe + PROBE_OUT(room);
	if (!keep->probe_in)
		keep->probe_check = check;
	memcpy(probe_in + keep->probe_in, in, in_len);
	memcpy(keep->probe + keep->probe_out, out, out_len);
	keep->probe_in += in_len;
	keep->probe_out += out_len;
	/* While output waits in the device, out[] is not all that in[] makes. */
	if ((keep->probe_out >= room || keep->probe_in >= look_in(s)) && !s->i.has_more)
		note_search(s, search(s, probe_in, keep->probe_in, keep->probe, keep->probe_out,
				      keep->probe_check));
}

void zwd_keep_add(struct zwd_stream *s, const unsigned char *in, size_t in_len,
		  const unsigned char *out, size_t out_len, uint32_t check)
{
	struct zwd_keep *keep = &s->i.keep;
	size_t room = zwd_keep_look_room(s);

	if (keep->is_lost && !keep->has_next)
		keep->from = keep->to += in_len;
	else if (zwd_pieces_add(s, in, in_len))
		lose(s);
	if (!in_len && !out_len)
		return;
	if (!zwd_keep_is_looking(s)) {
		free_probe(s); /* it has no gap */
		return;
	}
	if ((out_len >= room / 4 * 3 || in_len >= look_in(s)) && !s->i.has_more)
		note_search(s, search(s, in, in_len, out, out_len, check));
	else
		add_to_probe(s, in, in_len, out, out_len, check);
}

int zwd_keep_is_full(const struct zwd_stream *s)
{
	const struct zwd_keep *keep = &s->i.keep;

	if (keep->is_lost || keep->has_next || keep->to == keep->from)
		return 0;
	if (s->is_custom)
		return zwd_pieces_room(s) < ZWD_KEEP_CUSTOM_STEP;
	return keep->size + ROOM_MIN + ZWD_PIECE_MAX / 2 > zwd_pieces_share(s);
}

void zwd_keep_move(struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_keep *keep = &s->i.keep;

	zwd_pieces_trim(s, place->in);
	/* A caller's memory is not to be asked for twice. */
	if (s->is_custom && !keep->next.window)
		keep->next.window = keep->begin.window;
	else
		free_window(s, &keep->begin);
	keep->begin = *place;
}

void zwd_keep_settle(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;
	unsigned char *window = keep->begin.window;

	if (!keep->has_next)
		return;
	zwd_pieces_trim(s, keep->next.in);
	keep->begin = keep->next;
	keep->next.window = window;
	if (!s->is_custom)
		free_window(s, &keep->next);
	keep->has_next = keep->is_lost = 0;
}

void zwd_keep_drop(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	zwd_pieces_uncount(s, keep->size);
	zwd_pieces_free(s);
	zwd_lease_free(s, keep->begin.window);
	zwd_lease_free(s, keep->next.window);
	if (s->is_custom)
		zwd_lease_free(s, keep->probe);
	else
		free_probe(s);
	memset(keep, 0, sizeof(*keep));
}

static int copy_window(struct zwd_stream *to, struct zwd_place *place)
{
	unsigned char *window = zwd_lease_alloc(to, ZWD_WINDOW_LEN);

	if (window)
		memcpy(window, place->window, place->window_len);
	place->window = window;
	if (window)
		zwd_pieces_count(to, ZWD_WINDOW_LEN);
	return window ? 0 : -ENOMEM;
}

int zwd_keep_copy(struct zwd_stream *to, const struct zwd_stream *from)
{
	struct zwd_keep *keep = &to->i.keep;
	int ret = 0;

	/* What a search gathered is not worth a copy. */
	keep->first = keep->last = keep->spare = NULL;
	keep->probe = NULL;
	keep->size = keep->probe_in = keep->probe_out = keep->probe_size = 0;
	if (!keep->has_next)
		keep->next.window = NULL;
	if (keep->begin.window)
		ret = copy_window(to, &keep->begin);
	if (keep->next.window && (ret || copy_window(to, &keep->next))) {
		keep->next.window = NULL;
		ret = -ENOMEM;
	}
	keep->to = keep->from;
	if (!ret)
		ret = zwd_pieces_copy(to, &from->i.keep);
	if (ret)
		zwd_keep_drop(to);
	return ret;
}
