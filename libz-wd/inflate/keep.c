/* SPDX-License-Identifier: Zlib */
/* The compressed input that a way back to software needs, from the latest place it can begin at. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "inflate/anchor.h"
#include "inflate/check.h"
#include "inflate/keep.h"
#include "operate/settings.h"

/* So much may be kept before a place is looked for, and so little is always worth none. */
#define LOOK_MAX (8u << 20)
#define LOOK_MIN 16384u
/* What a stream may keep however full the process is: about a block of a device's, and its window. */
#define SIZE_MIN 131072u
#define PIECE_MAX 65536u
/* Of a caller's memory: all pieces, and the input from which on a place is looked for. */
#define SIZE_CUSTOM (4 * PIECE_MAX + ZWD_KEEP_FIRST + WINDOW_LEN)
#define LOOK_CUSTOM 98304u
/* Input of one request, at least. */
#define ROOM_MIN 65536u
/*
 * Output in which a search is worth it: a block of zlib's is 16384 codes, 170 KB of plain text. After a
 * search in vain twice as much is taken, a few times. Small requests are put together, in a probe.
 */
#define LOOK_ROOM 212992u
#define LOOK_TRIES 2
#define LOOK_ROOM_CUSTOM 131072u
#define PROBE_OUT(room) ((room) + (room) / 2)
#define PROBE_IN 196608u
/* Of input the same, where it hardly expands. */
#define LOOK_IN 114688u
#define PROBE_IN_CUSTOM 98304u
#define LOOK_IN_CUSTOM 57344u
/* All probes of the process, beside what is kept. */
#define PROBES_MAX (8u << 20)
#define WINDOW_LEN 32768u
/* After a search in vain, so much more input before the next. */
#define QUIET_MIN 32768u
#define QUIET_MAX (2u << 20)

struct zwd_piece {
	struct zwd_piece *next;
	size_t begin, end, size; /* of mem */
	unsigned char mem[];
};

static _Atomic size_t probes;
static _Atomic size_t kept; /* by all streams of the process that have their memory from malloc() */

static void count(struct zwd_stream *s, size_t len)
{
	s->i.keep.size += len;
	if (!s->is_custom)
		atomic_fetch_add_explicit(&kept, len, memory_order_relaxed);
}

static void uncount(struct zwd_stream *s, size_t len)
{
	s->i.keep.size -= len;
	if (!s->is_custom)
		atomic_fetch_sub_explicit(&kept, len, memory_order_relaxed);
}

/* What this stream may hold. As in a switch's memory: as much as is left over, so that all get some. */
static size_t share(const struct zwd_stream *s)
{
	size_t most = zwd_settings()->keep, all;

	if (s->is_custom)
		return SIZE_CUSTOM;
	all = atomic_load_explicit(&kept, memory_order_relaxed);
	most = all < most ? most - all : 0;
	return most > SIZE_MIN ? most : SIZE_MIN;
}

static size_t piece_size(const struct zwd_stream *s)
{
	const struct zwd_keep *keep = &s->i.keep;
	size_t size = ZWD_KEEP_FIRST;

	if (s->is_custom)
		return keep->size ? PIECE_MAX : size;
	/* Twice as much as there is, roughly. */
	while (size < keep->size && size < PIECE_MAX)
		size *= 2;
	return size;
}

static struct zwd_piece *new_piece(struct zwd_stream *s, size_t size)
{
	struct zwd_piece *piece = zwd_stream_alloc(s, sizeof(*piece) + size);

	if (!piece)
		return NULL;
	piece->next = NULL;
	piece->begin = piece->end = 0;
	piece->size = size;
	count(s, size);
	return piece;
}

/* One more piece at the end; NULL: there is no memory, or it may have no more. */
static struct zwd_piece *add_piece(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;
	struct zwd_piece *piece = keep->spare;
	size_t size;

	if (piece) {
		keep->spare = piece->next;
	} else {
		size = piece_size(s);
		if (keep->size + size > share(s))
			return NULL;
		piece = new_piece(s, size);
		if (!piece)
			return NULL;
	}
	piece->next = NULL;
	piece->begin = piece->end = 0;
	if (keep->last)
		keep->last->next = piece;
	else
		keep->first = piece;
	keep->last = piece;
	return piece;
}

static void free_piece(struct zwd_stream *s, struct zwd_piece *piece)
{
	if (s->is_custom) {
		piece->next = s->i.keep.spare;
		s->i.keep.spare = piece;
		return;
	}
	uncount(s, piece->size);
	zwd_stream_unalloc(s, piece);
}

/* Nothing before byte at of the body is needed any more. */
static void trim(struct zwd_stream *s, uint64_t at)
{
	struct zwd_keep *keep = &s->i.keep;
	struct zwd_piece *piece;

	while ((piece = keep->first) && at >= keep->from + (piece->end - piece->begin)) {
		keep->from += piece->end - piece->begin;
		keep->first = piece->next;
		if (!keep->first)
			keep->last = NULL;
		free_piece(s, piece);
	}
	if (piece) {
		piece->begin += at - keep->from;
		keep->from = at;
	}
}

static void free_window(struct zwd_stream *s, struct zwd_place *place)
{
	if (!place->window)
		return;
	/* One more is wanted soon, and a caller's memory is not to be asked for twice. */
	uncount(s, WINDOW_LEN);
	zwd_stream_unalloc(s, place->window);
	place->window = NULL;
}

static void free_probe(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	keep->probe_in = keep->probe_out = 0;
	if (s->is_custom)
		return;
	atomic_fetch_sub_explicit(&probes, keep->probe_size, memory_order_relaxed);
	zwd_stream_unalloc(s, keep->probe);
	keep->probe = NULL;
	keep->probe_size = 0;
}

static void lose(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	trim(s, keep->to);
	keep->from = keep->to;
	keep->is_lost = 1;
	keep->has_next = 0;
	if (!s->is_custom) {
		free_window(s, &keep->begin);
		free_window(s, &keep->next);
	}
}

/* Behind what is kept already. */
static void append(struct zwd_stream *s, const unsigned char *in, size_t len)
{
	struct zwd_keep *keep = &s->i.keep;

	while (len) {
		struct zwd_piece *piece = keep->last;
		size_t nr;

		if (!piece || piece->end == piece->size) {
			piece = add_piece(s);
			if (!piece) {
				keep->to += len;
				lose(s);
				return;
			}
		}
		nr = piece->size - piece->end < len ? piece->size - piece->end : len;
		memcpy(piece->mem + piece->end, in, nr);
		piece->end += nr;
		keep->to += nr;
		in += nr;
		len -= nr;
	}
}

void zwd_keep_begin(struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_keep *keep = &s->i.keep;

	trim(s, keep->to);
	free_window(s, &keep->begin);
	keep->begin = *place;
	if (place->window)
		count(s, WINDOW_LEN);
	keep->from = keep->to = place->in;
	keep->has_next = keep->is_lost = 0;
	keep->quiet_len = 0;
	keep->tries = 0;
	keep->quiet_until = place->in;
	free_probe(s);
}

size_t zwd_keep_look_room(const struct zwd_stream *s)
{
	return s->is_custom ? LOOK_ROOM_CUSTOM : (size_t)LOOK_ROOM << s->i.keep.tries;
}

static size_t look_len(const struct zwd_stream *s)
{
	size_t len = share(s) / 4;

	if (s->is_custom)
		return LOOK_CUSTOM;
	if (len > LOOK_MAX)
		len = LOOK_MAX;
	return len < LOOK_MIN ? LOOK_MIN : len;
}

size_t zwd_keep_room(const struct zwd_stream *s)
{
	size_t most = share(s);

	if (s->is_custom)
		return ZWD_KEEP_CUSTOM_STEP;
	/* What it gets, nobody else may have; and a place is to be found in time. */
	most = s->i.keep.size < most ? (most - s->i.keep.size) / 2 : 0;
	if (most > look_len(s))
		most = look_len(s);
	return most > ROOM_MIN ? most : ROOM_MIN;
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
	return s->is_custom ? PROBE_IN_CUSTOM : PROBE_IN;
}

static size_t look_in(const struct zwd_stream *s)
{
	return s->is_custom ? LOOK_IN_CUSTOM : LOOK_IN;
}

static size_t probe_size(const struct zwd_stream *s)
{
	size_t room = zwd_keep_look_room(s);

	return PROBE_OUT(room) + probe_in_size(s);
}

int zwd_keep_reserve(struct zwd_stream *s, size_t len)
{
	struct zwd_keep *keep = &s->i.keep;
	struct zwd_piece *piece, *last = keep->last;
	size_t room = last ? last->size - last->end : 0;

	if (keep->is_lost && !keep->has_next)
		len = 0; /* nothing is kept */
	for (piece = keep->spare; piece; piece = piece->next)
		room += piece->size;
	/* Else it is had when it is known to be needed; but the first piece has to be there. */
	if (!s->is_custom)
		len = !keep->first;
	while (room < len && keep->size + piece_size(s) <= share(s)) {
		piece = new_piece(s, piece_size(s));
		if (!piece)
			return -ENOMEM;
		piece->next = keep->spare;
		keep->spare = piece;
		room += piece->size;
	}
	if (!s->is_custom || !zwd_keep_is_looking(s))
		return 0;
	if (!keep->probe)
		keep->probe = zwd_stream_alloc(s, probe_size(s));
	if (!keep->next.window)
		keep->next.window = zwd_stream_alloc(s, WINDOW_LEN);
	return keep->probe && keep->next.window ? 0 : -ENOMEM;
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
	if (!next->window) {
		next->window = zwd_stream_alloc(s, WINDOW_LEN);
		if (!next->window)
			return -ENOMEM;
		count(s, WINDOW_LEN);
	}
	next->in = keep->to - (in_len - begin);
	next->out = s->i.made - anchor.out_back;
	next->check = zwd_inflate_check(s->i.format, check, out, at);
	next->window_len = at < WINDOW_LEN ? (uint32_t)at : WINDOW_LEN;
	memcpy(next->window, out + at - next->window_len, next->window_len);
	next->bits = anchor.bits ? (unsigned char)(8 - anchor.bits) : 0;
	next->byte = in[anchor.in_off];
	keep->has_next = 1;
	if (keep->is_lost) {
		keep->from = keep->to = next->in;
		append(s, in + begin, in_len - begin);
		if (!keep->has_next)
			return -ENOENT; /* lost again */
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
	keep->tries += keep->tries < LOOK_TRIES;
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
	keep->probe = zwd_stream_alloc(s, size);
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
	else
		append(s, in, in_len);
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
		return keep->to - keep->from + ZWD_KEEP_CUSTOM_STEP > 4 * PIECE_MAX;
	return keep->size + ROOM_MIN + PIECE_MAX / 2 > share(s);
}

void zwd_keep_move(struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_keep *keep = &s->i.keep;

	trim(s, place->in);
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
	trim(s, keep->next.in);
	keep->begin = keep->next;
	keep->next.window = window;
	if (!s->is_custom)
		free_window(s, &keep->next);
	keep->has_next = keep->is_lost = 0;
}

size_t zwd_keep_read(const struct zwd_keep *keep, uint64_t at, const unsigned char **in)
{
	const struct zwd_piece *piece;
	uint64_t from = keep->from;

	for (piece = keep->first; piece; piece = piece->next) {
		size_t len = piece->end - piece->begin;

		if (at < from + len) {
			*in = piece->mem + piece->begin + (at - from);
			return len - (size_t)(at - from);
		}
		from += len;
	}
	return 0;
}

static void free_pieces(struct zwd_stream *s, struct zwd_piece *piece)
{
	while (piece) {
		struct zwd_piece *next = piece->next;

		zwd_stream_unalloc(s, piece);
		piece = next;
	}
}

void zwd_keep_drop(struct zwd_stream *s)
{
	struct zwd_keep *keep = &s->i.keep;

	uncount(s, keep->size);
	free_pieces(s, keep->first);
	free_pieces(s, keep->spare);
	zwd_stream_unalloc(s, keep->begin.window);
	zwd_stream_unalloc(s, keep->next.window);
	if (s->is_custom)
		zwd_stream_unalloc(s, keep->probe);
	else
		free_probe(s);
	memset(keep, 0, sizeof(*keep));
}

static int copy_window(struct zwd_stream *to, struct zwd_place *place)
{
	unsigned char *window = zwd_stream_alloc(to, WINDOW_LEN);

	if (window)
		memcpy(window, place->window, place->window_len);
	place->window = window;
	if (window)
		count(to, WINDOW_LEN);
	return window ? 0 : -ENOMEM;
}

/* All in one, whatever the process keeps: what is too much is seen with the next request. 0 or -ENOMEM. */
static int copy_pieces(struct zwd_stream *to, const struct zwd_keep *from)
{
	struct zwd_keep *keep = &to->i.keep;
	size_t len = (size_t)(from->to - from->from);

	if (!len)
		return 0;
	keep->spare = new_piece(to, len > ZWD_KEEP_FIRST ? len : ZWD_KEEP_FIRST);
	if (!keep->spare)
		return -ENOMEM;
	for (const struct zwd_piece *piece = from->first; piece; piece = piece->next)
		append(to, piece->mem + piece->begin, piece->end - piece->begin);
	return 0;
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
		ret = copy_pieces(to, &from->i.keep);
	if (ret)
		zwd_keep_drop(to);
	return ret;
}
