/* SPDX-License-Identifier: Zlib */
/* What each stream of a trace was given, from one beginning of it to the next: gathered before it
 * is replayed. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/replay_input.h"

/* Of input that is made up. */
#define MADE_UP_MAX (256u << 20)

struct piece {
	const uint8_t *data; /* NULL: not in the trace */
	size_t len, ahead;
	size_t next; /* index and one; 0: the last */
};

struct life {
	uint64_t nr, stream;
	size_t first, last; /* pieces, likewise */
	uint64_t len;
	size_t older; /* of the same row of the table, likewise */
};

enum { ROWS = 4096 };

struct replay_inputs {
	struct piece *pieces;
	struct life *lives;
	size_t pieces_nr, lives_nr;
	size_t rows[ROWS]; /* the latest life of each stream, by a hash of its number */
};

static size_t row_of(uint64_t stream)
{
	return (size_t)(stream * 0x9e3779b97f4a7c15 >> 52) % ROWS;
}

/* Room for one more of size bytes each, where nr are there. */
static void *grown(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array : realloc(array, (nr ? 2 * nr : 1) * size);
}

bool replay_is_begin(const struct trace_call *call)
{
	switch (call->function) {
	case ZWD_CALL_deflateInit_:
	case ZWD_CALL_deflateInit2_:
	case ZWD_CALL_deflateReset:
	case ZWD_CALL_deflateResetKeep:
	case ZWD_CALL_deflateCopy:
	case ZWD_CALL_inflateInit_:
	case ZWD_CALL_inflateInit2_:
	case ZWD_CALL_inflateReset:
	case ZWD_CALL_inflateReset2:
	case ZWD_CALL_inflateResetKeep:
	case ZWD_CALL_inflateCopy:
	case ZWD_CALL_inflateBackInit_:
		return call->kind == ZWD_TRACE_CALL;
	default:
		return false;
	}
}

static uint64_t stream_of(const struct trace_call *call)
{
	bool is_copy =
		call->function == ZWD_CALL_deflateCopy || call->function == ZWD_CALL_inflateCopy;

	return is_copy ? (uint64_t)call->numbers[0] : call->stream;
}

static bool add_life(struct replay_inputs *inputs, const struct trace_call *call, uint64_t nr)
{
	struct life *lives = grown(inputs->lives, inputs->lives_nr, sizeof(*lives));
	uint64_t stream = stream_of(call);
	size_t *row = &inputs->rows[row_of(stream)];

	if (!lives)
		return false;
	inputs->lives = lives;
	lives[inputs->lives_nr] = (struct life){ .nr = nr, .stream = stream, .older = *row };
	*row = ++inputs->lives_nr;
	return true;
}

static bool add_piece(struct replay_inputs *inputs, const struct trace_call *call)
{
	struct piece *pieces;
	struct life *life = NULL;

	/* A bound, for whoever makes a file in which all are in one row. */
	for (size_t i = inputs->rows[row_of(call->stream)], tries = 0; i && tries < 1000; tries++) {
		if (inputs->lives[i - 1].stream == call->stream) {
			life = &inputs->lives[i - 1];
			break;
		}
		i = inputs->lives[i - 1].older;
	}
	if (!life)
		return true;
	pieces = grown(inputs->pieces, inputs->pieces_nr, sizeof(*pieces));
	if (!pieces)
		return false;
	inputs->pieces = pieces;
	pieces[inputs->pieces_nr++] = (struct piece){
		.data = call->data,
		.len = call->kind == ZWD_TRACE_PIECE ? call->data_len : call->taken,
		.ahead = call->ahead,
	};
	if (life->last)
		pieces[life->last - 1].next = inputs->pieces_nr;
	else
		life->first = inputs->pieces_nr;
	life->last = inputs->pieces_nr;
	life->len += pieces[inputs->pieces_nr - 1].len;
	return true;
}

static bool has_input(const struct trace_call *call)
{
	if (call->kind == ZWD_TRACE_PIECE)
		return true;
	return call->kind == ZWD_TRACE_CALL && call->parts & ZWD_TRACE_STREAM &&
	       (call->taken || call->data) &&
	       (call->function == ZWD_CALL_deflate || call->function == ZWD_CALL_deflateParams ||
		call->function == ZWD_CALL_inflate || call->function == ZWD_CALL_inflateSync);
}

struct replay_inputs *replay_inputs_gather(struct trace_file *file)
{
	struct replay_inputs *inputs = calloc(1, sizeof(*inputs));
	size_t begin = file->at;
	struct trace_call call;
	bool is_done = inputs != NULL;

	for (uint64_t nr = 0; is_done && trace_file_next(file, &call); nr++) {
		if (replay_is_begin(&call))
			is_done = add_life(inputs, &call, nr);
		else if (has_input(&call))
			is_done = add_piece(inputs, &call);
	}
	file->at = begin;
	file->wrong = NULL;
	if (is_done)
		return inputs;
	replay_inputs_free(inputs);
	return NULL;
}

void replay_inputs_free(struct replay_inputs *inputs)
{
	if (!inputs)
		return;
	free(inputs->pieces);
	free(inputs->lives);
	free(inputs);
}

static const struct life *find(const struct replay_inputs *inputs, uint64_t nr)
{
	size_t low = 0, high = inputs->lives_nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (inputs->lives[mid].nr == nr)
			return &inputs->lives[mid];
		if (inputs->lives[mid].nr < nr)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Text that packs as text does. */
static void make_up(uint8_t *to, size_t len, uint64_t seed)
{
	static const char words[] =
		"made up: what was compressed is not in the trace, only how much; ";

	for (size_t i = 0; i < len; i++) {
		if (!(i % 16))
			seed = seed * 6364136223846793005 + 1442695040888963407;
		to[i] = i % 16 < 4 ? (uint8_t)(seed >> (33 + i % 4 * 6) & 63) + ' '
				   : (uint8_t)words[(i + (seed >> 60)) % (sizeof(words) - 1)];
	}
}

uint8_t *replay_inputs_of(const struct replay_inputs *inputs, uint64_t nr, size_t before,
			  size_t *len, bool *is_known)
{
	const struct life *life = find(inputs, nr);
	size_t ahead = life && life->last ? inputs->pieces[life->last - 1].ahead : 0, at = before,
	       made_up = 0;
	uint8_t *to;

	*len = before;
	*is_known = true;
	if (!life)
		return malloc(before + 1);
	for (size_t i = life->first; i; i = inputs->pieces[i - 1].next)
		made_up += inputs->pieces[i - 1].data ? 0 : inputs->pieces[i - 1].len;
	*is_known = !made_up;
	if (made_up > MADE_UP_MAX)
		return NULL;
	to = malloc(before + life->len + ahead + 1);
	if (!to)
		return NULL;
	for (size_t i = life->first; i; i = inputs->pieces[i - 1].next) {
		const struct piece *piece = &inputs->pieces[i - 1];
		size_t piece_len = piece->len + (piece->next ? 0 : piece->ahead);

		if (piece->data)
			memcpy(to + at, piece->data, piece_len);
		else
			make_up(to + at, piece_len, at);
		at += piece_len;
	}
	*len = at;
	return to;
}
