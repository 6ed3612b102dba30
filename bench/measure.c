/* SPDX-License-Identifier: Zlib */
/* One cell of the table: both sides by turns, every output checked. */
#include "config.h"

#include "measure.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "timing.h"

#define MEASURE_TRIAL_NS    20000000u /* a trial repeats its pass until it is this long */
#define MEASURE_REPEATS_MAX 100
#define MEASURE_TRIALS_MIN  3
#define MEASURE_TRIALS_MAX  10000

volatile sig_atomic_t measure_stop;

/* One thread's material and figures on one side. */
struct lane {
	struct codec *codec;
	struct codec_unit *units;
	uint64_t cpu_ns, wall_ns; /* of the latest trial, without its checks */
	uint64_t *latencies;
	size_t latencies_nr, latencies_size;
	const char *failure;
};

struct worker {
	struct cell *cell;
	pthread_t thread;
	pid_t *tid;
	struct lane lanes[TABLE_SIDES_NR];
};

/* A decoder with memory of its own for one unit. */
struct decoder {
	struct codec *codec;
	uint8_t *src, *dst;
};

struct cell {
	const struct measure_cfg *cfg;
	struct table_row *row;
	struct input_unit *plain;
	struct input_unit *packed; /* by software, inflate only */
	size_t units_nr;
	struct worker *workers;
	pid_t *tids;		   /* of the workers */
	pthread_barrier_t barrier; /* before and after each trial */
	/* What the next trial is; written while all workers wait. */
	enum table_side_id side;
	unsigned int repeats_nr;
	int is_over;
	pthread_mutex_t lock; /* guards decoders and proven; held while threads are made */
	struct decoder decoders[TABLE_SIDES_NR];
	struct input_unit *proven[TABLE_SIDES_NR]; /* outputs that the other side decoded */
};

static const char *measure_error(int err)
{
	switch (-err) {
	case EBADMSG:
		return "verification failed: a result is not valid";
	case EILSEQ:
		return "verification failed: decoded data differs from the input";
	case ENOSPC:
		return "verification failed: a result is longer than it may be";
	default:
		return strerrordesc_np(-err);
	}
}

static void *measure_copy(const void *data, size_t len)
{
	void *copy = malloc(len ? len : 1);

	return copy ? memcpy(copy, data, len) : NULL;
}

static const struct codec_ops *measure_ops(const struct cell *cell, enum table_side_id side)
{
	return side == TABLE_SOFT ? &codec_soft : cell->cfg->device_ops;
}

static int measure_decode(const struct decoder *decoder, const struct codec_unit *unit,
			  const struct input_unit *plain)
{
	struct codec_unit back = { .src = decoder->src,
				   .dst = decoder->dst,
				   .src_len = unit->dst_len,
				   .dst_size = plain->len };
	int ret;

	memcpy(decoder->src, unit->dst, unit->dst_len);
	ret = decoder->codec->ops->run(decoder->codec, &back, 1);
	if (ret < 0)
		return ret;
	if (back.dst_len != plain->len || memcmp(decoder->dst, plain->data, plain->len))
		return -EILSEQ;
	return 0;
}

/*
 * Compressed data is decoded by the other side once; the same bytes again need no second proof.
 * Decompressed data is compared with the input.
 */
static int measure_check(struct cell *cell, enum table_side_id side, const struct codec_unit *unit,
			 size_t i)
{
	const struct input_unit *plain = &cell->plain[i];
	struct input_unit *proven = &cell->proven[side][i];
	int ret;

	if (cell->row->direction == CODEC_INFLATE)
		return unit->dst_len == plain->len && !memcmp(unit->dst, plain->data, plain->len)
			       ? 0
			       : -EILSEQ;
	if (proven->data && unit->dst_len == proven->len &&
	    !memcmp(unit->dst, proven->data, proven->len))
		return 0;
	ret = measure_decode(&cell->decoders[!side], unit, plain);
	if (ret < 0 || proven->data)
		return ret;
	proven->len = unit->dst_len;
	proven->data = measure_copy(unit->dst, unit->dst_len);
	return proven->data ? 0 : -ENOMEM;
}

static int measure_keep(struct lane *lane, uint64_t ns)
{
	if (lane->latencies_nr == lane->latencies_size) {
		size_t size = 2 * lane->latencies_size + 256;
		uint64_t *latencies = realloc(lane->latencies, size * sizeof(*latencies));

		if (!latencies)
			return -ENOMEM;
		lane->latencies = latencies;
		lane->latencies_size = size;
	}
	lane->latencies[lane->latencies_nr++] = ns;
	return 0;
}

static void measure_lane(struct cell *cell, struct lane *lane)
{
	int ret = 0;

	lane->cpu_ns = 0;
	lane->wall_ns = 0;
	for (unsigned int r = 0; r < cell->repeats_nr && !ret; r++) {
		uint64_t wall = timing_wall_ns(), cpu = timing_thread_ns();

		ret = lane->codec->ops->run(lane->codec, lane->units, cell->units_nr);
		lane->cpu_ns += timing_thread_ns() - cpu;
		lane->wall_ns += timing_wall_ns() - wall;
		pthread_mutex_lock(&cell->lock);
		for (size_t i = 0; i < cell->units_nr && !ret; i++)
			ret = measure_check(cell, cell->side, &lane->units[i], i);
		pthread_mutex_unlock(&cell->lock);
		for (size_t i = 0; i < cell->units_nr && !ret; i++)
			ret = measure_keep(lane, lane->units[i].ns);
	}
	if (ret < 0)
		lane->failure = measure_error(ret);
}

static void *measure_worker(void *arg)
{
	struct worker *worker = arg;
	struct cell *cell = worker->cell;

	*worker->tid = gettid();
	pthread_mutex_lock(&cell->lock);
	pthread_mutex_unlock(&cell->lock);
	if (cell->is_over)
		return NULL;
	pthread_barrier_wait(&cell->barrier);
	for (;;) {
		pthread_barrier_wait(&cell->barrier);
		if (cell->is_over)
			return NULL;
		measure_lane(cell, &worker->lanes[cell->side]);
		pthread_barrier_wait(&cell->barrier);
	}
}

struct trial {
	double caller_ns, others_ns; /* CPU time of all threads, per pass */
	double bytes_per_ns;	     /* wall */
	double device_bytes;	     /* per pass */
};

static int measure_trial(struct cell *cell, enum table_side_id side, unsigned int repeats_nr,
			 struct trial *trial)
{
	unsigned int threads_nr = cell->cfg->threads_nr;
	double passes = (double)repeats_nr * threads_nr;
	const struct codec_ops *ops = measure_ops(cell, side);
	uint64_t before, after, device_before = 0;

	cell->side = side;
	cell->repeats_nr = repeats_nr;
	*trial = (struct trial){ 0 };
	if (ops->device_bytes)
		device_before = ops->device_bytes(cell->row->direction);
	before = timing_others_ns(cell->tids, threads_nr);
	pthread_barrier_wait(&cell->barrier);
	pthread_barrier_wait(&cell->barrier);
	after = timing_others_ns(cell->tids, threads_nr);
	/*
	 * Software works in the calling threads only: what others did then is a device thread's
	 * way to sleep. Less than before: a thread ended meanwhile.
	 */
	if (side == TABLE_DEVICE && after > before)
		trial->others_ns = (double)(after - before) / passes;
	trial->device_bytes = (double)cell->row->plain_len;
	if (ops->device_bytes)
		trial->device_bytes =
			(double)(ops->device_bytes(cell->row->direction) - device_before) / passes;
	for (unsigned int w = 0; w < threads_nr; w++) {
		const struct lane *lane = &cell->workers[w].lanes[side];

		if (lane->failure) {
			cell->row->failure = lane->failure;
			return -EIO;
		}
		trial->caller_ns += (double)lane->cpu_ns / passes;
		trial->bytes_per_ns +=
			(double)cell->row->plain_len * repeats_nr / (double)lane->wall_ns;
	}
	return 0;
}

static int measure_start(struct cell *cell)
{
	unsigned int threads_nr = cell->cfg->threads_nr, made_nr = 0;
	int ret = 0;

	pthread_mutex_lock(&cell->lock);
	for (; made_nr < threads_nr && !ret; made_nr++) {
		struct worker *worker = &cell->workers[made_nr];

		worker->cell = cell;
		worker->tid = &cell->tids[made_nr];
		ret = -pthread_create(&worker->thread, NULL, measure_worker, worker);
		if (ret)
			break;
	}
	if (!ret)
		pthread_barrier_init(&cell->barrier, NULL, threads_nr + 1);
	cell->is_over = ret < 0;
	pthread_mutex_unlock(&cell->lock);
	if (!ret)
		pthread_barrier_wait(&cell->barrier);
	while (ret && made_nr)
		pthread_join(cell->workers[--made_nr].thread, NULL);
	return ret;
}

static void measure_finish(struct cell *cell)
{
	cell->is_over = 1;
	pthread_barrier_wait(&cell->barrier);
	for (unsigned int w = 0; w < cell->cfg->threads_nr; w++)
		pthread_join(cell->workers[w].thread, NULL);
	pthread_barrier_destroy(&cell->barrier);
}

/* The compressed units that both sides are to decompress. */
static int measure_pack(struct cell *cell)
{
	struct codec_cfg codec_cfg = cell->cfg->codec;
	struct codec_unit unit = { 0 };
	struct codec *codec;
	size_t size = codec_bound(cell->row->size);
	int ret;

	cell->packed = calloc(cell->units_nr, sizeof(*cell->packed));
	if (!cell->packed)
		return -ENOMEM;
	codec_cfg.direction = CODEC_DEFLATE;
	codec_cfg.level = cell->row->level;
	ret = codec_soft.open(&codec_cfg, &codec);
	if (ret < 0)
		return ret;
	unit.dst = codec_soft.alloc(codec, size);
	if (!unit.dst)
		ret = -ENOMEM;
	for (size_t i = 0; i < cell->units_nr && !ret; i++) {
		unit.src = cell->plain[i].data;
		unit.src_len = cell->plain[i].len;
		unit.dst_size = size;
		ret = codec_soft.run(codec, &unit, 1);
		if (ret < 0)
			break;
		cell->packed[i].len = unit.dst_len;
		cell->packed[i].data = measure_copy(unit.dst, unit.dst_len);
		if (!cell->packed[i].data)
			ret = -ENOMEM;
	}
	codec_soft.close(codec);
	return ret;
}

static int measure_open_lane(struct cell *cell, enum table_side_id side, struct lane *lane)
{
	const struct codec_ops *ops = measure_ops(cell, side);
	struct codec_cfg codec_cfg = cell->cfg->codec;
	int is_deflate = cell->row->direction == CODEC_DEFLATE;
	const struct input_unit *in = is_deflate ? cell->plain : cell->packed;
	size_t src_len = 0, dst_size = 0;
	uint8_t *src, *dst;
	int ret;

	codec_cfg.direction = cell->row->direction;
	codec_cfg.level = cell->row->level;
	ret = ops->open(&codec_cfg, &lane->codec);
	if (ret < 0)
		return ret;
	lane->units = calloc(cell->units_nr, sizeof(*lane->units));
	if (!lane->units)
		return -ENOMEM;
	for (size_t i = 0; i < cell->units_nr; i++) {
		struct codec_unit *u = &lane->units[i];

		u->src_len = in[i].len;
		u->dst_size = is_deflate ? codec_bound(in[i].len) : cell->plain[i].len;
		src_len += u->src_len;
		dst_size += u->dst_size;
	}
	src = ops->alloc(lane->codec, src_len);
	dst = ops->alloc(lane->codec, dst_size);
	if (!src || !dst)
		return -ENOMEM;
	memset(dst, 0, dst_size); /* page faults now, not in a trial */
	for (size_t i = 0; i < cell->units_nr; i++) {
		struct codec_unit *u = &lane->units[i];

		u->src = memcpy(src, in[i].data, u->src_len);
		u->dst = dst;
		src += u->src_len;
		dst += u->dst_size;
	}
	return 0;
}

static int measure_open_decoder(struct cell *cell, enum table_side_id side)
{
	struct decoder *decoder = &cell->decoders[side];
	const struct codec_ops *ops = measure_ops(cell, side);
	struct codec_cfg codec_cfg = cell->cfg->codec;
	int ret;

	codec_cfg.direction = CODEC_INFLATE;
	ret = ops->open(&codec_cfg, &decoder->codec);
	if (ret < 0)
		return ret;
	decoder->src = ops->alloc(decoder->codec, codec_bound(cell->row->size));
	decoder->dst = ops->alloc(decoder->codec, cell->row->size);
	return decoder->src && decoder->dst ? 0 : -ENOMEM;
}

static int measure_open(struct cell *cell)
{
	int ret = 0;

	if (cell->row->direction == CODEC_INFLATE)
		ret = measure_pack(cell);
	for (unsigned int side = 0; side < TABLE_SIDES_NR && !ret; side++) {
		for (unsigned int w = 0; w < cell->cfg->threads_nr && !ret; w++)
			ret = measure_open_lane(cell, side, &cell->workers[w].lanes[side]);
		if (!ret && cell->row->direction == CODEC_DEFLATE)
			ret = measure_open_decoder(cell, side);
	}
	return ret;
}

static void measure_free_units(struct input_unit *units, size_t nr)
{
	for (size_t i = 0; units && i < nr; i++)
		free((void *)units[i].data);
	free(units);
}

static void measure_close(struct cell *cell)
{
	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++) {
		for (unsigned int w = 0; cell->workers && w < cell->cfg->threads_nr; w++) {
			struct lane *lane = &cell->workers[w].lanes[side];

			measure_ops(cell, side)->close(lane->codec);
			free(lane->units);
			free(lane->latencies);
		}
		measure_ops(cell, side)->close(cell->decoders[side].codec);
		measure_free_units(cell->proven[side], cell->units_nr);
	}
	measure_free_units(cell->packed, cell->units_nr);
	free(cell->plain);
	free(cell->workers);
	free(cell->tids);
}

/* What the trials of a cell leave: one value a trial. */
struct samples {
	double *cpu_mbps[TABLE_SIDES_NR], *wall_mbps[TABLE_SIDES_NR];
	double *caller_s_per_gb[TABLE_SIDES_NR], *others_s_per_gb[TABLE_SIDES_NR];
	double *speed, *device_share;
	size_t nr, size;
};

#define SAMPLES_LISTS_NR (4 * TABLE_SIDES_NR + 2)

/* All lists have the same length and lie in one piece of memory, which is list 0's. */
static int samples_alloc(struct samples *s, size_t size)
{
	double *v = calloc(SAMPLES_LISTS_NR * size, sizeof(*v));

	if (!v)
		return -ENOMEM;
	s->speed = v;
	s->device_share = v + size;
	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++) {
		s->cpu_mbps[side] = v + (2 + 4 * side) * size;
		s->wall_mbps[side] = v + (3 + 4 * side) * size;
		s->caller_s_per_gb[side] = v + (4 + 4 * side) * size;
		s->others_s_per_gb[side] = v + (5 + 4 * side) * size;
	}
	s->size = size;
	return 0;
}

static void samples_add(struct samples *s, const struct trial *trials, double plain_len)
{
	double total[TABLE_SIDES_NR];

	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++) {
		const struct trial *t = &trials[side];

		total[side] = t->caller_ns + t->others_ns;
		s->cpu_mbps[side][s->nr] = 1000 * plain_len / total[side];
		s->wall_mbps[side][s->nr] = 1000 * t->bytes_per_ns;
		s->caller_s_per_gb[side][s->nr] = t->caller_ns / plain_len;
		s->others_s_per_gb[side][s->nr] = t->others_ns / plain_len;
	}
	s->device_share[s->nr] = trials[TABLE_DEVICE].device_bytes / plain_len;
	s->speed[s->nr++] = total[TABLE_SOFT] / total[TABLE_DEVICE];
}

static int measure_summarize(struct cell *cell, struct samples *s)
{
	struct table_row *row = cell->row;

	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++) {
		struct table_side *out = &row->sides[side];
		struct lane *first = &cell->workers[0].lanes[side];
		const struct input_unit *packed =
			row->direction == CODEC_DEFLATE ? cell->proven[side] : cell->packed;

		out->cpu_mbps = spread_of(s->cpu_mbps[side], s->nr);
		out->wall_mbps = spread_of(s->wall_mbps[side], s->nr);
		out->caller_s_per_gb = spread_of(s->caller_s_per_gb[side], s->nr).median;
		out->others_s_per_gb = spread_of(s->others_s_per_gb[side], s->nr).median;
		for (size_t i = 0; i < cell->units_nr; i++)
			out->packed_len += packed[i].len;
		for (unsigned int w = 1; w < cell->cfg->threads_nr; w++) {
			const struct lane *lane = &cell->workers[w].lanes[side];

			for (size_t i = 0; i < lane->latencies_nr; i++)
				if (measure_keep(first, lane->latencies[i]))
					return -ENOMEM;
		}
		spread_sort(first->latencies, first->latencies_nr);
		out->p50_ns = spread_percentile(first->latencies, first->latencies_nr, 500);
		out->p90_ns = spread_percentile(first->latencies, first->latencies_nr, 900);
		out->p999_ns = spread_percentile(first->latencies, first->latencies_nr, 999);
		out->p99_ns = spread_percentile(first->latencies, first->latencies_nr, 990);
	}
	row->speed = spread_of(s->speed, s->nr);
	row->device_share = spread_of(s->device_share, s->nr).median;
	row->caller_gain =
		row->sides[TABLE_SOFT].caller_s_per_gb / row->sides[TABLE_DEVICE].caller_s_per_gb;
	row->trials_nr = (unsigned int)s->nr;
	return 0;
}

/* One pass of each side that is checked and not counted, and then the trials by turns. */
static int measure_trials(struct cell *cell, struct samples *s)
{
	const struct measure_cfg *cfg = cell->cfg;
	unsigned int repeats_nr[TABLE_SIDES_NR];
	struct trial trials[TABLE_SIDES_NR];
	uint64_t start;

	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++) {
		uint64_t ns;

		if (measure_trial(cell, side, 1, &trials[side]))
			return 0;
		ns = cell->workers[0].lanes[side].wall_ns + 1;
		repeats_nr[side] = 1 + (unsigned int)(MEASURE_TRIAL_NS / ns);
		if (repeats_nr[side] > MEASURE_REPEATS_MAX)
			repeats_nr[side] = MEASURE_REPEATS_MAX;
		for (unsigned int w = 0; w < cfg->threads_nr; w++)
			cell->workers[w].lanes[side].latencies_nr = 0;
	}
	start = timing_wall_ns();
	while (!measure_stop && s->nr < s->size) {
		for (unsigned int side = 0; side < TABLE_SIDES_NR; side++)
			if (measure_trial(cell, side, repeats_nr[side], &trials[side]))
				return 0;
		samples_add(s, trials, (double)cell->row->plain_len);
		if (!cfg->trials_nr && s->nr >= MEASURE_TRIALS_MIN &&
		    (double)(timing_wall_ns() - start) / 1e9 >= cfg->seconds)
			break;
	}
	return s->nr ? measure_summarize(cell, s) : 0;
}

int measure_cell(const struct measure_cfg *cfg, const struct input *input, struct table_row *row)
{
	struct cell cell = { .cfg = cfg, .row = row, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct samples samples = { 0 };
	int ret = -ENOMEM;

	cell.plain = input_units(input, row->size, &cell.units_nr);
	cell.workers = calloc(cfg->threads_nr, sizeof(*cell.workers));
	cell.tids = calloc(cfg->threads_nr, sizeof(*cell.tids));
	for (unsigned int side = 0; side < TABLE_SIDES_NR; side++)
		cell.proven[side] = calloc(cell.units_nr, sizeof(*cell.proven[side]));
	if (!cell.plain || !cell.workers || !cell.tids || !cell.proven[0] || !cell.proven[1] ||
	    samples_alloc(&samples, cfg->trials_nr ? cfg->trials_nr : MEASURE_TRIALS_MAX))
		goto close;
	row->calls_nr = cell.units_nr;
	for (size_t i = 0; i < cell.units_nr; i++)
		row->plain_len += cell.plain[i].len;
	row->mean_len = row->plain_len / cell.units_nr;
	ret = measure_open(&cell);
	if (!ret)
		ret = measure_start(&cell);
	if (!ret) {
		ret = measure_trials(&cell, &samples);
		measure_finish(&cell);
	}
	if (ret < 0 && !row->failure)
		row->failure = measure_error(ret);
close:
	measure_close(&cell);
	free(samples.speed);
	return ret;
}
