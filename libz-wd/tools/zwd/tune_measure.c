/* SPDX-License-Identifier: Zlib */
/* zwd tune: what a call costs in software and on the device, by turns. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/input.h"
#include "bench/spread.h"
#include "bench/timing.h"
#include "engine/profile.h"
#include "tools/zwd/tune_measure.h"
#include "zwd.h"

#define LEN_MIN		256
#define LEN_MAX_DEFLATE (1u << 20)
#define LEN_MAX_INFLATE (256u << 10)
#define SHORT		4 /* so many times less */
/* A small call is not to be that of one piece of data. */
#define CALLS_MIN	8
#define CALLS_MIN_LARGE 4 /* from 128 KiB on */
#define CALLS_MAX	1024
#define REPEATS_MAX	64
#define PACK_LEVEL	6

enum side { SOFT, DEVICE };

struct call {
	const Bytef *src; /* borrowed where it is deflate's */
	size_t src_len, plain_len;
};

/* One size of a work. */
struct cell {
	struct tune *tune;
	const struct tune_work *work;
	size_t len;
	struct call calls[CALLS_MAX];
	unsigned int calls_nr;
	Bytef *room;
	size_t room_len;
	z_stream strm[2];
	uint64_t cpu_ns[2][REPEATS_MAX], wall_ns[2][REPEATS_MAX]; /* of a call */
};

static const struct replay_lib *lib_of(const struct cell *cell, enum side side)
{
	return side == SOFT ? &cell->tune->soft : &cell->tune->device;
}

static int open_stream(struct cell *cell, enum side side)
{
	const struct replay_lib *lib = lib_of(cell, side);
	z_stream *strm = &cell->strm[side];
	int ret = cell->work->is_deflate
			  ? lib->deflateInit2_(strm, cell->work->level, Z_DEFLATED, 15, 8,
					       Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(*strm))
			  : lib->inflateInit2_(strm, 15, ZLIB_VERSION, sizeof(*strm));

	return ret == Z_OK ? 0 : -ENOMEM;
}

/* A stream that is done is ended as one that never was is. */
static void close_stream(struct cell *cell, enum side side)
{
	if (cell->work->is_deflate)
		lib_of(cell, side)->deflateEnd(&cell->strm[side]);
	else
		lib_of(cell, side)->inflateEnd(&cell->strm[side]);
}

static int run_call(struct cell *cell, enum side side, const struct call *call)
{
	const struct replay_lib *lib = lib_of(cell, side);
	z_stream *strm = &cell->strm[side];
	int ret = cell->work->is_deflate ? lib->deflateReset(strm) : lib->inflateReset(strm);

	strm->next_in = (Bytef *)call->src;
	strm->avail_in = (uInt)call->src_len;
	strm->next_out = cell->room;
	/* What a reader knows of its data, it gives room for. */
	strm->avail_out = (uInt)(cell->work->is_deflate ? cell->room_len : call->plain_len);
	if (ret == Z_OK)
		ret = cell->work->is_deflate ? lib->deflate(strm, Z_FINISH)
					     : lib->inflate(strm, Z_FINISH);
	if (ret != Z_STREAM_END || (!cell->work->is_deflate && strm->total_out != call->plain_len))
		return ret == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	return 0;
}

static int run_calls(struct cell *cell, enum side side, uint64_t *cpu_ns, uint64_t *wall_ns)
{
	uint64_t wall = timing_wall_ns(), cpu = timing_thread_ns();
	int ret = 0;

	for (unsigned int i = 0; i < cell->calls_nr && !ret; i++)
		ret = run_call(cell, side, &cell->calls[i]);
	*cpu_ns = (timing_thread_ns() - cpu) / cell->calls_nr;
	*wall_ns = (timing_wall_ns() - wall) / cell->calls_nr;
	return ret;
}

static uint64_t requests_of(const struct cell *cell)
{
	size_t (*stats)(struct zwd_stats * stats, size_t size);
	struct zwd_stats s = { 0 };

	*(void **)&stats = dlsym(cell->tune->device.handle, "zwd_stats");
	if (stats)
		stats(&s, sizeof(s));
	return cell->work->is_deflate ? s.deflate.hw_requests : s.inflate.hw_requests;
}

/* Calls of about this length, from everywhere in the input. */
static int take_units(struct cell *cell, size_t len, struct input_unit **units, size_t *nr)
{
	size_t all_nr, kept = 0;

	*units = input_units(cell->tune->input, len, &all_nr);
	if (!*units)
		return -ENOMEM;
	for (size_t i = 0; i < all_nr; i++)
		if ((*units)[i].len >= len - len / 4)
			(*units)[kept++] = (*units)[i];
	*nr = kept;
	return 0;
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The calls of inflate are as long as the library counts them: what they are given, or the fourth
 * part of the room. Of what packs better than that more is packed, as far as there is more.
 */
static int pack(struct cell *cell, const struct input_unit *unit, struct call *call)
{
	const struct replay_lib *lib = &cell->tune->soft;
	size_t plain_len = least_of(unit->len, cell->len * ZWD_PROFILE_EXPANDS), counted = 0;
	uLong room_len = lib->compressBound(unit->len), len = 0;
	Bytef *room = malloc(room_len);

	if (!room)
		return -ENOMEM;
	for (int tries = 0; tries < 4; tries++) {
		len = room_len;
		if (lib->compress2(room, &len, unit->data, plain_len, PACK_LEVEL) != Z_OK) {
			free(room);
			return -EBADMSG;
		}
		counted = least_of(len, plain_len / ZWD_PROFILE_EXPANDS);
		if (counted >= cell->len - cell->len / 16 || plain_len == unit->len)
			break;
		plain_len = least_of(unit->len, plain_len * cell->len / counted + 1);
	}
	if (counted < cell->len - cell->len / 4 || counted > cell->len + cell->len / 4) {
		free(room);
		return 0;
	}
	*call = (struct call){ .src = room, .src_len = len, .plain_len = plain_len };
	return 1;
}

static void free_calls(struct cell *cell)
{
	for (unsigned int i = 0; i < cell->calls_nr && !cell->work->is_deflate; i++)
		free((Bytef *)cell->calls[i].src);
	cell->calls_nr = 0;
}

/* nr of them, evenly from all; fewer where there are fewer. */
static int take_calls(struct cell *cell, unsigned int nr)
{
	size_t units_nr = 0,
	       unit_len = cell->work->is_deflate ? cell->len : 2 * ZWD_PROFILE_EXPANDS * cell->len;
	struct input_unit *units;
	int ret = take_units(cell, unit_len, &units, &units_nr);

	if (nr > units_nr)
		nr = (unsigned int)units_nr;
	for (unsigned int i = 0; i < nr && ret >= 0; i++) {
		const struct input_unit *unit = &units[(size_t)i * units_nr / nr];
		struct call *call = &cell->calls[cell->calls_nr];

		*call = (struct call){ .src = unit->data,
				       .src_len = unit->len,
				       .plain_len = unit->len };
		ret = cell->work->is_deflate ? 1 : pack(cell, unit, call);
		cell->calls_nr += ret == 1;
	}
	free(units);
	return ret < 0 ? ret : 0;
}

static struct tune_spread spread(uint64_t *ns, unsigned int nr)
{
	spread_sort(ns, nr);
	return (struct tune_spread){ .low = spread_percentile(ns, nr, 250),
				     .median = spread_percentile(ns, nr, 500),
				     .high = spread_percentile(ns, nr, 750) };
}

/* Who begins changes from repeat to repeat. */
static int repeat(struct cell *cell)
{
	uint64_t before = requests_of(cell);
	int ret = 0;

	for (unsigned int r = 0; r < cell->tune->repeats_nr && !ret; r++)
		for (int i = 0; i < 2 && !ret; i++) {
			enum side side = (r + (unsigned int)i) % 2 ? DEVICE : SOFT;

			ret = run_calls(cell, side, &cell->cpu_ns[side][r],
					&cell->wall_ns[side][r]);
		}
	if (!ret && requests_of(cell) - before < (uint64_t)cell->calls_nr * cell->tune->repeats_nr)
		return -EIO;
	return ret;
}

static int measure_calls(struct cell *cell)
{
	uint64_t cpu_ns, wall_ns;
	int ret;

	cell->room_len = 0;
	for (unsigned int i = 0; i < cell->calls_nr; i++)
		if (cell->calls[i].plain_len > cell->room_len)
			cell->room_len = cell->calls[i].plain_len;
	cell->room_len = cell->tune->soft.compressBound(cell->room_len);
	cell->room = calloc(1, cell->room_len);
	if (!cell->room)
		return -ENOMEM;
	/* Once before it counts: memory, queues and what the processor keeps are there then. */
	ret = run_calls(cell, SOFT, &cpu_ns, &wall_ns);
	if (!ret)
		ret = run_calls(cell, DEVICE, &cpu_ns, &wall_ns);
	if (!ret)
		ret = repeat(cell);
	free(cell->room);
	return ret;
}

/* How many calls make up a repeat: by the time that a few of them take whoever is slower. */
static int count_calls(struct cell *cell, unsigned int *nr)
{
	unsigned int least = cell->len < 128 << 10 ? CALLS_MIN : CALLS_MIN_LARGE;
	uint64_t cpu_ns, wall_ns, slower_ns = 1;
	int ret = take_calls(cell, least);

	*nr = least;
	if (ret || !cell->calls_nr)
		return ret;
	cell->room_len = cell->tune->soft.compressBound(cell->len * 16);
	cell->room = malloc(cell->room_len);
	ret = cell->room ? 0 : -ENOMEM;
	for (enum side side = SOFT; side <= DEVICE && !ret; side++) {
		ret = run_calls(cell, side, &cpu_ns, &wall_ns);
		slower_ns = wall_ns > slower_ns ? wall_ns : slower_ns;
	}
	free(cell->room);
	if (!ret && cell->tune->batch_ns / slower_ns > *nr)
		*nr = (unsigned int)least_of(cell->tune->batch_ns / slower_ns, CALLS_MAX);
	free_calls(cell);
	return ret;
}

static int measure_cell(struct cell *cell, struct tune_size *size)
{
	unsigned int nr = 0;
	int ret = count_calls(cell, &nr);

	if (!ret)
		ret = take_calls(cell, nr);
	if (!ret && cell->calls_nr)
		ret = measure_calls(cell);
	if (!ret && cell->calls_nr) {
		unsigned int repeats_nr = cell->tune->repeats_nr;

		*size = (struct tune_size){
			.len = cell->len,
			.soft = { spread(cell->cpu_ns[SOFT], repeats_nr),
				  spread(cell->wall_ns[SOFT], repeats_nr) },
			.device = { spread(cell->cpu_ns[DEVICE], repeats_nr),
				    spread(cell->wall_ns[DEVICE], repeats_nr) },
		};
		ret = 1;
	}
	free_calls(cell);
	return ret;
}

int tune_measure(struct tune *tune, struct tune_work *work)
{
	size_t len_max = (work->is_deflate ? LEN_MAX_DEFLATE : LEN_MAX_INFLATE) /
			 (tune->is_short ? SHORT : 1);
	struct cell *cell = calloc(1, sizeof(*cell));
	int ret;

	if (!cell)
		return -ENOMEM;
	cell->tune = tune;
	cell->work = work;
	ret = open_stream(cell, SOFT);
	if (ret)
		goto free_cell;
	ret = open_stream(cell, DEVICE);
	if (ret)
		goto close_soft;
	for (cell->len = LEN_MIN; cell->len <= len_max && ret >= 0; cell->len *= 2) {
		if (tune->is_shown)
			fprintf(stderr, "\r\033[K%s %zu", work->name, cell->len);
		ret = measure_cell(cell, &work->sizes[work->sizes_nr]);
		work->sizes_nr += ret == 1;
	}
	if (tune->is_shown)
		fputs("\r\033[K", stderr);
	if (ret >= 0)
		ret = work->sizes_nr ? 0 : -ENODATA;
	close_stream(cell, DEVICE);
close_soft:
	close_stream(cell, SOFT);
free_cell:
	free(cell);
	return ret;
}
