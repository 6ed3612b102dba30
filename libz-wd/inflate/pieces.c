/* SPDX-License-Identifier: Zlib */
/* The memory of a keep: pieces of a list, and what all streams of the process hold together. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/lease.h"
#include "inflate/pieces.h"
#include "operate/settings.h"

/* What a stream may keep however full the process is: about a block of a device's, and its window. */
#define SIZE_MIN 131072u
/* In a lease, of which only what is used is resident. */
#define PIECE_CUSTOM 327680u
#define CUSTOM_REST (ZWD_KEEP_FIRST + 2 * ZWD_WINDOW_LEN)

struct zwd_piece {
	struct zwd_piece *next;
	size_t begin, end, size; /* of mem */
	unsigned char mem[];
};

static _Atomic size_t kept; /* by all streams of the process that have their memory from malloc() */

void zwd_pieces_count(struct zwd_stream *s, size_t len)
{
	s->i.keep.size += len;
	if (!s->is_custom)
		atomic_fetch_add_explicit(&kept, len, memory_order_relaxed);
}

void zwd_pieces_uncount(struct zwd_stream *s, size_t len)
{
	s->i.keep.size -= len;
	if (!s->is_custom)
		atomic_fetch_sub_explicit(&kept, len, memory_order_relaxed);
}

size_t zwd_pieces_custom(const struct zwd_stream *s)
{
	return zwd_lease_is_small(s) ? ZWD_LEASE_SMALL_KEEP : PIECE_CUSTOM;
}

/* What this stream may hold. As in a switch's memory: as much as is left over, so that all get some. */
size_t zwd_pieces_share(const struct zwd_stream *s)
{
	/* The rest is for contexts and states, and for what malloc() has in pieces that nobody wants. */
	size_t most = zwd_settings()->keep / 16 * 13, all;

	if (s->is_custom)
		return 4 * zwd_pieces_custom(s) + CUSTOM_REST;
	all = atomic_load_explicit(&kept, memory_order_relaxed);
	most = all < most ? most - all : 0;
	return most > SIZE_MIN ? most : SIZE_MIN;
}

/* Of the next piece; 0: the stream may have no more. */
static size_t piece_size(const struct zwd_stream *s)
{
	const struct zwd_keep *keep = &s->i.keep;
	size_t share = zwd_pieces_share(s), left = keep->size < share ? share - keep->size : 0, size = ZWD_KEEP_FIRST;

	if (s->is_custom) {
		size = keep->size ? zwd_pieces_custom(s) : size;
		return size <= left ? size : 0;
	}
	/* Twice as much as there is, roughly, and all of the rest at the end: a request counts on it. */
	while (size < keep->size && size < ZWD_PIECE_MAX)
		size *= 2;
	size = size < left ? size : left;
	return size < ZWD_KEEP_FIRST ? 0 : size;
}

size_t zwd_pieces_room(const struct zwd_stream *s)
{
	const struct zwd_keep *keep = &s->i.keep;
	size_t share = zwd_pieces_share(s), each = zwd_pieces_custom(s);
	/* What was trimmed of the first piece is free with all of it only. */
	size_t room = keep->last ? keep->last->size - keep->last->end : 0;

	for (const struct zwd_piece *piece = keep->spare; piece; piece = piece->next)
		room += piece->size;
	return room + (keep->size < share ? (share - keep->size) / each * each : 0);
}

static struct zwd_piece *new_piece(struct zwd_stream *s, size_t size)
{
	struct zwd_piece *piece = zwd_lease_alloc(s, sizeof(*piece) + size);

	if (!piece)
		return NULL;
	piece->next = NULL;
	piece->begin = piece->end = 0;
	piece->size = size;
	zwd_pieces_count(s, size);
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
		piece = size ? new_piece(s, size) : NULL;
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
	zwd_pieces_uncount(s, piece->size);
	zwd_lease_free(s, piece);
}

/* Nothing before byte at of the body is needed any more. */
void zwd_pieces_trim(struct zwd_stream *s, uint64_t at)
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

int zwd_pieces_add(struct zwd_stream *s, const unsigned char *in, size_t len)
{
	struct zwd_keep *keep = &s->i.keep;

	while (len) {
		struct zwd_piece *piece = keep->last;
		size_t nr;

		if (!piece || piece->end == piece->size) {
			piece = add_piece(s);
			if (!piece) {
				keep->to += len;
				return -ENOMEM;
			}
		}
		nr = piece->size - piece->end < len ? piece->size - piece->end : len;
		memcpy(piece->mem + piece->end, in, nr);
		piece->end += nr;
		keep->to += nr;
		in += nr;
		len -= nr;
	}
	return 0;
}

int zwd_pieces_reserve(struct zwd_stream *s, size_t len)
{
	struct zwd_keep *keep = &s->i.keep;
	struct zwd_piece *piece, *last = keep->last;
	size_t room = last ? last->size - last->end : 0, size;

	for (piece = keep->spare; piece; piece = piece->next)
		room += piece->size;
	while (room < len && (size = piece_size(s))) {
		piece = new_piece(s, size);
		if (!piece)
			return -ENOMEM;
		piece->next = keep->spare;
		keep->spare = piece;
		room += piece->size;
	}
	/* What it cannot keep, a device is not to read. */
	return s->is_custom && room < len ? -ENOMEM : 0;
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

static void free_list(struct zwd_stream *s, struct zwd_piece *piece)
{
	while (piece) {
		struct zwd_piece *next = piece->next;

		zwd_lease_free(s, piece);
		piece = next;
	}
}

void zwd_pieces_free(struct zwd_stream *s)
{
	free_list(s, s->i.keep.first);
	free_list(s, s->i.keep.spare);
	s->i.keep.first = s->i.keep.last = s->i.keep.spare = NULL;
}

/* All in one, whatever the process keeps: what is too much is seen with the next request. */
int zwd_pieces_copy(struct zwd_stream *to, const struct zwd_keep *from)
{
	struct zwd_keep *keep = &to->i.keep;
	size_t len = (size_t)(from->to - from->from);

	if (!len)
		return 0;
	keep->spare = new_piece(to, len > ZWD_KEEP_FIRST ? len : ZWD_KEEP_FIRST);
	if (!keep->spare)
		return -ENOMEM;
	for (const struct zwd_piece *piece = from->first; piece; piece = piece->next)
		zwd_pieces_add(to, piece->mem + piece->begin, piece->end - piece->begin);
	return 0;
}

