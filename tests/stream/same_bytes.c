/* SPDX-License-Identifier: Zlib */
/*
 * What deflate() writes is a function of the data, the parameters and the flush points: not of how
 * the caller cuts its input or its room, nor of time, load, threads or the number of engines.
 * Callers that compress twice, caches and builds depend on it. Mode fault: a failing device may
 * change the bytes, then they must only be right.
 */
#include "config.h"
#include "again.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define K	  ((size_t)1 << 10)

enum { ALL = 0, RANDOM = -1, PARAMS = 100 /* + level */, POINTS_MAX = 4, LOADERS = 2 };

/* In 1/16 of the length, and bytes from there. */
struct point {
	unsigned int sixteenth;
	int offset, what; /* a flush, or PARAMS + level */
};

static const struct plan {
	const char *name;
	struct point points[POINTS_MAX];
	size_t nr;
} plans[] = {
	{ "no flush", { { 0 } }, 0 },
	{ "sync", { { 0, 50, Z_SYNC_FLUSH }, { 5, 1, Z_SYNC_FLUSH }, { 11, 0, Z_SYNC_FLUSH } }, 3 },
	{ "full", { { 2, 0, Z_FULL_FLUSH }, { 8, 3, Z_SYNC_FLUSH }, { 16, 0, Z_FULL_FLUSH } }, 3 },
	{ "partial",
	  { { 0, 200, Z_PARTIAL_FLUSH }, { 7, 0, Z_PARTIAL_FLUSH }, { 9, 0, Z_SYNC_FLUSH } },
	  3 },
	{ "block", { { 3, 0, Z_BLOCK }, { 12, -1, Z_BLOCK } }, 2 },
	{ "params",
	  { { 4, 0, PARAMS + 9 },
	    { 6, 7, PARAMS + 1 },
	    { 10, 0, Z_SYNC_FLUSH },
	    { 13, 0, PARAMS + 6 } },
	  4 },
	{ "small first", { { 0, 50, Z_PARTIAL_FLUSH }, { 0, 1000, PARAMS + 6 } }, 2 },
};

static const size_t sizes[] = {
	0,	 1,	      100,	    64 * K - 1, 64 * K,	      64 * K + 1,  256 * K - 1,
	256 * K, 256 * K + 1, 1024 * K - 1, 1024 * K,	1024 * K + 1, 5120 * K + 7
};
static const enum gen gens[] = { GEN_TEXT, GEN_BINARY, GEN_MIXED };
static const int levels[] = { 6, 1, 9 }, wrappers[] = { 15, 31, -15 };
enum { TURNS = 2, JOBS = NR(sizes) * NR(gens) * TURNS };

static unsigned char *plain[NR(gens)];

struct job {
	size_t g, len;
	int level, mem_level, wbits, has_alloc;
	const struct plan *plan;
};

/* Each size of each kind of data, and the parameters by turns that never meet in step. */
static struct job job_at(size_t nr)
{
	size_t s = nr / TURNS / NR(gens), g = nr / TURNS % NR(gens);

	return (struct job){
		.g = g,
		.len = sizes[s],
		/* Large ones at a level that is the device's. */
		.level = levels[(nr + s) % (sizes[s] > 300 * K ? 2 : NR(levels))],
		.mem_level = 8 + (nr / 3 % 2),
		.wbits = wrappers[(g + s + nr % 2) % NR(wrappers)],
		.has_alloc = (nr + nr / 4) % 2,
		.plan = &plans[nr % NR(plans)],
	};
}

/* How the caller cuts; in bytes, ALL or RANDOM. */
struct way {
	long in_step, room;
};

static voidpf caller_alloc(voidpf opaque, uInt items, uInt size)
{
	(void)opaque;
	return malloc((size_t)items * size);
}

static void caller_free(voidpf opaque, voidpf mem)
{
	(void)opaque;
	free(mem);
}

struct run {
	const struct job *job;
	const struct way *way;
	z_stream strm;
	struct buf *out;
	size_t fed;
};

static size_t pick(long amount, size_t most)
{
	size_t nr = amount == ALL      ? most
		    : amount == RANDOM ? 1 + test_random_below(60000)
				       : (size_t)amount;

	return nr < most ? nr : most;
}

static int call(struct run *r, int flush, long room)
{
	size_t room_len = pick(room, r->out->size - r->out->len);
	int ret;

	assert_true(room_len); /* else it never ends */
	r->strm.next_out = r->out->data + r->out->len;
	r->strm.avail_out = (uInt)room_len;
	ret = ours.deflate(&r->strm, flush);
	r->out->len += room_len - r->strm.avail_out;
	return ret;
}

/* Until input and output of it are through. */
static void feed(struct run *r, size_t end)
{
	while (r->fed < end) {
		size_t nr = pick(r->way->in_step, end - r->fed);

		r->strm.next_in = plain[r->job->g] + r->fed;
		r->strm.avail_in = (uInt)nr;
		r->fed += nr;
		do {
			int ret = call(r, Z_NO_FLUSH, r->way->room);

			assert_true(ret == Z_OK || (ret == Z_BUF_ERROR && !r->strm.avail_in));
		} while (r->strm.avail_in || !r->strm.avail_out);
	}
}

/*
 * Of a flush in a room that is too small zlib writes the marker again where the room ends just
 * behind it: zlib.h asks for room for all of it. A device's flush is done once. The caller knows
 * from the first time how much comes.
 */
static int is_flushed_in_pieces(const struct run *r, int flush)
{
	const char *engine = getenv("ZWD_ENGINE");

	return test_mode == MODE_EMU && engine && !strcmp(engine, "hw") && r->job->level != 9 &&
	       (r->job->plan == &plans[1] || r->job->plan == &plans[2]) &&
	       (flush == Z_SYNC_FLUSH || flush == Z_FULL_FLUSH) &&
	       (r->way->room == RANDOM || r->way->room > 6);
}

static void flush_at(struct run *r, const struct point *p, const size_t *want_len)
{
	if (p->what >= PARAMS) {
		r->strm.next_out = r->out->data + r->out->len;
		r->strm.avail_out = (uInt)(r->out->size - r->out->len);
		assert_int_equal(ours.deflateParams(&r->strm, p->what - PARAMS, Z_DEFAULT_STRATEGY),
				 Z_OK);
		r->out->len = (size_t)(r->strm.next_out - r->out->data);
		return;
	}
	if (!want_len || !is_flushed_in_pieces(r, p->what)) {
		call(r, p->what, ALL);
		return;
	}
	do
		call(r, p->what, r->way->room);
	while (!r->strm.avail_out && r->out->len < *want_len);
}

static size_t point_at(const struct job *job, size_t i)
{
	const struct point *p = &job->plan->points[i];
	size_t at = job->len / 16 * p->sixteenth;

	if (p->offset < 0)
		return at < (size_t)-p->offset ? 0 : at - (size_t)-p->offset;
	at += (size_t)p->offset;
	return at < job->len ? at : job->len;
}

/* lens: output at each point, written by the first way and read by the others. */
static void compress_job(const struct job *job, const struct way *way, struct buf *out,
			 size_t *lens, int is_first)
{
	struct run r = { .job = job, .way = way, .out = out };
	int ret;

	out->len = 0;
	if (job->has_alloc) {
		r.strm.zalloc = caller_alloc;
		r.strm.zfree = caller_free;
	}
	assert_int_equal(deflateInit2(&r.strm, job->level, Z_DEFLATED, job->wbits, job->mem_level,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	for (size_t i = 0; i < job->plan->nr; i++) {
		feed(&r, point_at(job, i));
		flush_at(&r, &job->plan->points[i], is_first ? NULL : &lens[i]);
		lens[i] = out->len;
	}
	/* The last piece comes with Z_FINISH. */
	if (job->len - r.fed > 1)
		feed(&r, job->len - pick(way->in_step, job->len - r.fed));
	r.strm.next_in = plain[job->g] + r.fed;
	r.strm.avail_in = (uInt)(job->len - r.fed);
	do {
		ret = call(&r, Z_FINISH, way->room);
		assert_true(ret == Z_OK || ret == Z_STREAM_END);
	} while (ret != Z_STREAM_END);
	assert_int_equal(r.strm.total_in, job->len);
	assert_int_equal(r.strm.total_out, out->len);
	assert_int_equal(ours.deflateEnd(&r.strm), Z_OK);
}

static void name_job(const struct job *job, const struct way *way, char *text, size_t len)
{
	snprintf(text, len,
		 "%s, %zu bytes, level %d, memLevel %d, window bits %d, %s%s, in steps of %ld, "
		 "room %ld",
		 gen_name(gens[job->g]), job->len, job->level, job->mem_level, job->wbits,
		 job->plan->name, job->has_alloc ? ", own zalloc" : "", way->in_step, way->room);
}

static const struct way whole = { ALL, ALL };

static void way_on(const struct job *job, const struct way *way, const struct buf *want,
		   size_t *lens, struct buf *out)
{
	char name[256];
	size_t i = 0;

	compress_job(job, way, out, lens, 0);
	if (out->len == want->len && !memcmp(out->data, want->data, out->len))
		return;
	name_job(job, way, name, sizeof(name));
	if (test_mode == MODE_FAULT) {
		assert_inflates(job->wbits, out->data, out->len, plain[job->g], job->len);
		return;
	}
	while (i < out->len && i < want->len && out->data[i] == want->data[i])
		i++;
	fail_msg("%s: %zu bytes, in one go %zu; they differ from %zu on", name, out->len, want->len,
		 i);
}

static void all_ways(size_t min_len)
{
	static const long steps[] = { 1, 7, 512, 4096, 16384, 65536, 1 << 20, ALL, RANDOM };
	static const long rooms[] = { 1, 5, 6, 512, 4096, 65536, ALL, RANDOM };
	static const struct way large[] = { { ALL, 512 },	{ 1 << 20, 65536 },
					    { 65536, 65536 },	{ 65536, ALL },
					    { 16384, 4096 },	{ 4096, ALL },
					    { RANDOM, RANDOM }, { 512, RANDOM },
					    { RANDOM, 6 } };
	struct buf want = { 0 }, out = { 0 };
	size_t lens[POINTS_MAX];
	struct zwd_stats stats;

	buf_room(&want, 6000 * K);
	buf_room(&out, 6000 * K);
	for (size_t nr = 0; nr < JOBS; nr++) {
		struct job job = job_at(nr);

		if (job.len < min_len)
			continue;
		compress_job(&job, &whole, &want, lens, 1);
		assert_inflates(job.wbits, want.data, want.len, plain[job.g], job.len);
		if (job.len <= 65537) {
			/* Each step with each room for the small ones, by turns for the others. */
			for (size_t i = job.len > 100 ? nr % 3 : 0;
			     i<NR(steps) * NR(rooms); i += job.len> 100 && !test_is_long() ? 3 : 1)
				way_on(&job,
				       &(struct way){ steps[i / NR(rooms)], rooms[i % NR(rooms)] },
				       &want, lens, &out);
			continue;
		}
		for (size_t i = nr % 2; i < NR(large); i += test_is_long()	 ? 1
							    : job.len > 2048 * K ? 4
										 : 2)
			way_on(&job, &large[i], &want, lens, &out);
	}
	buf_free(&want);
	buf_free(&out);
	zwd_stats(&stats, sizeof(stats));
	assert_true(test_mode != MODE_EMU || stats.deflate.hw_requests);
}

static void make(void)
{
	for (size_t g = 0; g < NR(gens); g++)
		plain[g] = gen_alloc(gens[g], sizes[NR(sizes) - 1]);
}

static atomic_int is_over;

/* Takes engines and queues away, and makes requests come late and in another order. */
static void *load(void *arg)
{
	static const size_t len = 300000;
	uLong bound = ref.compressBound(len);
	unsigned char *out = malloc(bound), *back = malloc(len);

	(void)arg;
	while (!is_over) {
		uLongf out_len = bound, back_len = len;

		if (!out || !back || ours.compress2(out, &out_len, plain[0], len, 1) != Z_OK ||
		    ours.uncompress(back, &back_len, out, out_len) != Z_OK)
			abort();
	}
	free(out);
	free(back);
	return NULL;
}

/* A line for each job. */
static void hashes(int is_random, int has_load)
{
	struct way way = is_random ? (struct way){ RANDOM, RANDOM } : whole;
	pthread_t threads[LOADERS];
	struct buf out = { 0 };

	buf_room(&out, 6000 * K);
	for (int t = 0; t < LOADERS && has_load; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, load, NULL), 0);
	for (size_t nr = 0; nr < JOBS; nr += test_is_long() ? 1 : TURNS) {
		struct job job = job_at(nr + nr / TURNS % TURNS);
		size_t lens[POINTS_MAX];
		char name[256];

		compress_job(&job, &way, &out, lens, 1);
		assert_inflates(job.wbits, out.data, out.len, plain[job.g], job.len);
		name_job(&job, &whole, name, sizeof(name));
		printf("%s: %zu bytes, %08lx\n", name, out.len,
		       ref.crc32(0, out.data, (uInt)out.len));
	}
	is_over = 1;
	for (int t = 0; t < LOADERS && has_load; t++)
		pthread_join(threads[t], NULL);
	buf_free(&out);
}

struct process {
	const char *device, *queues, *way, *load;
};

static void hashes_of(const struct process *p, const char *unit, const char *engine,
		      struct buf *out)
{
	const char *settings[] = { p->device, p->queues, unit, engine, NULL };
	const char *args[] = { "hashes", p->way, p->load, NULL };
	int status = run_again(settings, args, out);

	buf_add(out, "", 1);
	if (status)
		fail_msg("%s %s %s %s, %s, %s: status 0x%x", p->device, p->queues, unit, engine,
			 p->way, p->load, status);
}

static void assert_same_hashes(const struct process *p, const char *unit, const char *engine,
			       const struct buf *want)
{
	struct buf got = { 0 };
	char *line, *want_line, *rest, *want_rest;

	hashes_of(p, unit, engine, &got);
	line = (char *)got.data;
	want_line = strdup((const char *)want->data);
	rest = want_rest = NULL;
	for (char *g = strtok_r(line, "\n", &rest), *w = strtok_r(want_line, "\n", &want_rest);
	     g || w; g = strtok_r(NULL, "\n", &rest), w = strtok_r(NULL, "\n", &want_rest))
		if (!g || !w || strcmp(g, w))
			fail_msg("%s %s %s %s, %s, %s:\n%s\nbefore:\n%s", p->device, p->queues,
				 unit, engine, p->way, p->load, g ? g : "-", w ? w : "-");
	free(want_line);
	buf_free(&got);
}

static void same_in_processes(const char *unit, const char *engine)
{
	static const struct process emu[] = {
		{ "WD_DEVICE=emu:threads=1", "ZWD_QUEUES=1", "whole", "alone" },
		{ "WD_DEVICE=emu:threads=2", "ZWD_QUEUES=2", "whole", "load" },
		{ "WD_DEVICE=emu:threads=4", "ZWD_QUEUES=8", "random", "alone" },
		{ "WD_DEVICE=emu:threads=4", "ZWD_QUEUES=1", "random", "load" },
		{ "WD_DEVICE=emu:threads=2", "ZWD_QUEUES=8", "random", "load" },
	};
	static const struct process soft[] = {
		{ "WD_DEVICE=none", "ZWD_QUEUES=1", "whole", "alone" },
		{ "WD_DEVICE=none", "ZWD_QUEUES=1", "random", "load" },
	};
	const struct process *p = test_mode == MODE_EMU ? emu : soft;
	size_t nr = test_mode == MODE_EMU ? NR(emu) - !test_is_long() : NR(soft);
	struct buf want = { 0 };

	/* Each of the processes checks that what it wrote inflates to what it was given. */
	if (test_mode == MODE_FAULT)
		return;
	hashes_of(&p[0], unit, engine, &want);
	for (size_t i = 1; i < nr; i++)
		assert_same_hashes(&p[i], unit, engine, &want);
	buf_free(&want);
}

static void however_it_is_cut(void **state)
{
	all_ways(0);
}

static void however_it_is_cut_in_small_units(void **state)
{
	static const char *const settings[] = { "ZWD_UNIT=256K", NULL };
	static const char *const args[] = { "ways", "100000", NULL };
	struct buf out = { 0 };

	if (test_mode == MODE_SOFT)
		skip();
	assert_int_equal(run_again(settings, args, &out), 0);
	buf_free(&out);
}

/* As programs meet it: the library decides what is worth a request. */
static void however_it_is_cut_by_default(void **state)
{
	static const char *const settings[] = { "ZWD_ENGINE=auto", NULL };
	static const char *const args[] = { "ways", "0", NULL };
	struct buf out = { 0 };

	if (test_mode != MODE_EMU)
		skip();
	assert_int_equal(run_again(settings, args, &out), 0);
	buf_free(&out);
}

static void in_every_process(void **state)
{
	same_in_processes("ZWD_UNIT=1M", "ZWD_ENGINE=hw");
}

static void in_every_process_in_small_units(void **state)
{
	if (test_mode == MODE_SOFT)
		skip();
	same_in_processes("ZWD_UNIT=256K", "ZWD_ENGINE=hw");
}

static void in_every_process_by_default(void **state)
{
	if (test_mode != MODE_EMU)
		skip();
	same_in_processes("ZWD_UNIT=1M", "ZWD_ENGINE=auto");
}

/* again hashes WAY LOAD, or again ways LEN: jobs from this length on. */
static void in_the_child(void **state)
{
	char **argv = *state;

	if (!strcmp(argv[2], "hashes"))
		hashes(!strcmp(argv[3], "random"), !strcmp(argv[4], "load"));
	else
		all_ways((size_t)atol(argv[3]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(however_it_is_cut),
		cmocka_unit_test(however_it_is_cut_in_small_units),
		cmocka_unit_test(however_it_is_cut_by_default),
		cmocka_unit_test(in_every_process),
		cmocka_unit_test(in_every_process_in_small_units),
		cmocka_unit_test(in_every_process_by_default),
	};

	test_begin(test_is_long() ? 1200 : 240);
	make();
	if (!is_again(argc, argv))
		return cmocka_run_group_tests(tests, NULL, NULL);
	return again_as_test(argv[2], in_the_child, argv);
}
