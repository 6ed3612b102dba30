/* SPDX-License-Identifier: Zlib */
/*
 * Streams of every kind in several threads on devices that fail in every way, and at the end
 * nothing was wrong and nothing is left: soak [SECONDS [SEED]].
 * Rounds are processes: each with a device, faults and settings of its own, drawn from the seed.
 */
#include "config.h"
#include "helpers.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zwd.h>

enum {
	THREADS_NR = 4,
	POOL_LEN = 3 << 20, /* bytes that streams are cut from */
	ROUND_S = 60,	    /* longest round */
	PHASES_NR = 3,	    /* of a round; the first one warms up */
	QUEUES_MAX = 40,    /* file descriptors that an open device may have */
};

#define RSS_SLACK  (48 << 20)
#define HEAP_SLACK (4 << 20)

struct rng {
	uint64_t state;
};

static uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static unsigned int below(struct rng *rng, unsigned int limit)
{
	return (unsigned int)(rng_next(rng) % limit);
}

/* Small ones often, large ones seldom: as many between 1 and 2 as between 2^n and 2^(n+1). */
static size_t length(struct rng *rng, unsigned int bits)
{
	size_t top = (size_t)1 << below(rng, bits + 1);

	return (size_t)(rng_next(rng) % (2 * top));
}

static unsigned char *pool;
static uint64_t seed, end_ns;
static pthread_barrier_t barrier; /* before and after each phase */
static atomic_int failures;
static atomic_ullong streams_nr, bytes_nr;

struct worker {
	pthread_t thread;
	struct rng rng;
	int number;
	const unsigned char *plain;
	size_t len;
	int wbits, level, strategy, mem_level;
	const unsigned char *dict;
	size_t dict_len;
	struct buf out;
	unsigned char *shared; /* what a forked child made, first its length */
	size_t shared_len;
	char what[160];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int failed(struct worker *w, const char *where, int ret)
{
	fprintf(stderr, "soak: seed 0x%llx thread %d: %s, wrong: %s (%d)\n", (unsigned long long)seed,
		w->number, w->what, where, ret);
	failures++;
	return -1;
}

/* What both directions draw. */
static void draw(struct worker *w)
{
	static const int wbits[] = { 15, 31, -15, 15, 31, -15, 15, 31, 9, 12, 25, -9, -13, 30 };
	static const int levels[] = { 1, 2, 3, 4, 5, 6, -1, 6, 1, 0, 7, 9 };
	struct rng *rng = &w->rng;

	w->len = length(rng, 19);
	if (!below(rng, 40))
		w->len = POOL_LEN - below(rng, 1000000);
	w->plain = pool + below(rng, (unsigned int)(POOL_LEN - w->len) + 1);
	w->wbits = wbits[below(rng, sizeof(wbits) / sizeof(wbits[0]))];
	w->level = levels[below(rng, sizeof(levels) / sizeof(levels[0]))];
	w->strategy = below(rng, 8) ? Z_DEFAULT_STRATEGY : (int)below(rng, Z_FIXED + 1);
	w->mem_level = below(rng, 4) ? 8 : 1 + (int)below(rng, 9);
	w->dict_len = w->wbits > 15 || below(rng, 10) ? 0 : 1 + length(rng, 14);
	w->dict = pool + below(rng, 100000);
	w->out.len = 0;
}

static int is_same(struct worker *w, const unsigned char *packed, size_t packed_len)
{
	z_stream strm = { .next_in = (z_const Bytef *)packed, .avail_in = (uInt)packed_len };
	unsigned char *back = malloc(w->len + 1);
	int ret;

	strm.next_out = back;
	strm.avail_out = (uInt)w->len + 1;
	ref.inflateInit2_(&strm, w->wbits, ZLIB_VERSION, sizeof(strm));
	if (w->dict_len && w->wbits < 0)
		ref.inflateSetDictionary(&strm, w->dict, (uInt)w->dict_len);
	ret = ref.inflate(&strm, Z_FINISH);
	if (ret == Z_NEED_DICT && w->dict_len) {
		ref.inflateSetDictionary(&strm, w->dict, (uInt)w->dict_len);
		ret = ref.inflate(&strm, Z_FINISH);
	}
	ref.inflateEnd(&strm);
	ret = ret == Z_STREAM_END && strm.total_out == w->len && !strm.avail_in &&
	      !memcmp(back, w->plain, w->len);
	free(back);
	return ret;
}

/* One piece of input with this flush, through rooms of any size. Returns deflate()'s last answer. */
static int feed(struct rng *rng, z_stream *strm, const unsigned char *src, size_t len, int flush,
		struct buf *out)
{
	int ret;

	strm->next_in = (z_const Bytef *)src;
	strm->avail_in = (uInt)len;
	do {
		size_t room = below(rng, 50) ? 64 + length(rng, 17) : 1 + below(rng, 20);

		strm->next_out = buf_room(out, room);
		strm->avail_out = (uInt)room;
		ret = ours.deflate(strm, flush);
		out->len += room - strm->avail_out;
		if (ret == Z_BUF_ERROR && strm->avail_out && !strm->avail_in)
			return Z_OK; /* there was nothing to do */
		if (ret == Z_STREAM_END && flush == Z_FINISH)
			return ret;
	} while (ret == Z_OK && (strm->avail_in || !strm->avail_out || flush == Z_FINISH));
	return ret;
}

static int finish(struct worker *w, z_stream *strm, size_t pos, struct buf *out)
{
	int ret = feed(&w->rng, strm, w->plain + pos, w->len - pos, Z_FINISH, out);
	size_t total = strm->total_in;

	if (ret != Z_STREAM_END)
		return failed(w, "Z_FINISH", ret);
	/* zlib counts a dictionary as input. */
	if (total != w->len && !w->dict_len)
		return failed(w, "total_in", (int)total);
	if (strm->total_out != out->len)
		return failed(w, "total_out", (int)strm->total_out);
	ret = ours.deflateEnd(strm);
	return ret ? failed(w, "deflateEnd", ret) : 0;
}

static int finish_copy(struct worker *w, z_stream *strm, size_t pos)
{
	struct buf out = { 0 };
	z_stream copy;
	int ret = ours.deflateCopy(&copy, strm);

	if (ret)
		return failed(w, "deflateCopy", ret);
	buf_add(&out, w->out.data, w->out.len);
	ret = finish(w, &copy, pos, &out);
	if (!ret && !is_same(w, out.data, out.len))
		ret = failed(w, "the copy's output", 0);
	buf_free(&out);
	return ret;
}

/*
 * The child goes on with the stream and hands its bytes back; the parent has the reference, whose
 * heap knows nothing of this fork.
 */
static int finish_child(struct worker *w, z_stream *strm, size_t pos)
{
	struct buf out = { 0 };
	size_t len;
	int status;
	pid_t pid;

	buf_add(&out, w->out.data, w->out.len);
	pid = fork();
	if (pid < 0)
		return failed(w, "fork", 0);
	if (!pid) {
		alarm(60);
		if (finish(w, strm, pos, &out) || out.len + sizeof(len) > w->shared_len)
			_exit(1);
		memcpy(w->shared, &out.len, sizeof(out.len));
		memcpy(w->shared + sizeof(out.len), out.data, out.len);
		_exit(0);
	}
	buf_free(&out);
	if (waitpid(pid, &status, 0) != pid || status)
		return failed(w, "in a forked child", status);
	memcpy(&len, w->shared, sizeof(len));
	if (!is_same(w, w->shared + sizeof(len), len))
		return failed(w, "a forked child's output", 0);
	return 0;
}

static int change_params(struct worker *w, z_stream *strm)
{
	int level = (int)below(&w->rng, 10), strategy = below(&w->rng, 4) ? 0 : Z_FILTERED, ret;

	strm->avail_in = 0;
	do {
		size_t room = 1000 + length(&w->rng, 17);

		strm->next_out = buf_room(&w->out, room);
		strm->avail_out = (uInt)room;
		ret = ours.deflateParams(strm, level, strategy);
		w->out.len += room - strm->avail_out;
	} while (ret == Z_BUF_ERROR && !strm->avail_out);
	return ret && ret != Z_BUF_ERROR ? failed(w, "deflateParams", ret) : 0;
}

static int set_dictionary(struct worker *w, z_stream *strm)
{
	int ret = w->dict_len ? ours.deflateSetDictionary(strm, w->dict, (uInt)w->dict_len) : Z_OK;

	return ret ? failed(w, "deflateSetDictionary", ret) : 0;
}

static int soak_deflate(struct worker *w)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK,
				       Z_SYNC_FLUSH, Z_FULL_FLUSH };
	unsigned int piece_bits = 6 + below(&w->rng, 14), often = below(&w->rng, 12);
	int ret, steps_nr = 0, may_reset = 1;
	z_stream strm = { 0 };
	size_t pos = 0;

	snprintf(w->what, sizeof(w->what),
		 "deflate of %zu bytes at %zu, window bits %d level %d strategy %d memory %d "
		 "dictionary %zu",
		 w->len, (size_t)(w->plain - pool), w->wbits, w->level, w->strategy, w->mem_level,
		 w->dict_len);
	ret = ours.deflateInit2_(&strm, w->level, Z_DEFLATED, w->wbits, w->mem_level, w->strategy,
				 ZLIB_VERSION, sizeof(strm));
	if (ret)
		return failed(w, "deflateInit2", ret);
	if (set_dictionary(w, &strm))
		return -1;
	while (pos < w->len && steps_nr++ < 200) {
		unsigned int what = below(&w->rng, 400);
		size_t nr = length(&w->rng, piece_bits);

		ret = 0;
		if (what < 4) {
			ret = finish_copy(w, &strm, pos);
		} else if (what < 8) {
			ret = change_params(w, &strm);
		} else if (what < 10 && may_reset) {
			may_reset = 0;
			pos = w->out.len = 0;
			ret = ours.deflateReset(&strm);
			ret = ret ? failed(w, "deflateReset", ret) : set_dictionary(w, &strm);
		} else if (what < 11 && !w->number && !IS_TSAN) {
			ret = finish_child(w, &strm, pos);
		}
		if (ret)
			return ret;
		nr = nr < w->len - pos ? nr : w->len - pos;
		ret = feed(&w->rng, &strm, w->plain + pos, nr,
			   below(&w->rng, 12) < often ? Z_NO_FLUSH : flushes[below(&w->rng, 6)],
			   &w->out);
		if (ret)
			return failed(w, "deflate", ret);
		pos += nr;
	}
	ret = finish(w, &strm, pos, &w->out);
	if (!ret && !is_same(w, w->out.data, w->out.len))
		ret = failed(w, "output", 0);
	return ret;
}

/* The system's zlib, with flushes between. */
static int pack(struct worker *w)
{
	z_stream strm = { 0 };
	size_t pos = 0;
	int ret;

	if (ref.deflateInit2_(&strm, w->level, Z_DEFLATED, w->wbits, w->mem_level, w->strategy,
			      ZLIB_VERSION, sizeof(strm)))
		return -1;
	if (w->dict_len)
		ref.deflateSetDictionary(&strm, w->dict, (uInt)w->dict_len);
	do {
		size_t nr = w->len - pos, room;
		int flush = Z_FINISH;

		if (nr > 1000 && below(&w->rng, 3)) {
			nr = length(&w->rng, 18) % nr;
			flush = below(&w->rng, 2) ? Z_SYNC_FLUSH : Z_FULL_FLUSH;
		}
		strm.next_in = (z_const Bytef *)w->plain + pos;
		strm.avail_in = (uInt)nr;
		pos += nr;
		room = nr + nr / 4 + 1000;
		strm.next_out = buf_room(&w->out, room);
		strm.avail_out = (uInt)room;
		ret = ref.deflate(&strm, flush);
		w->out.len += room - strm.avail_out;
	} while (ret == Z_OK || ret == Z_BUF_ERROR); /* the latter: nothing to flush */
	ref.deflateEnd(&strm);
	return ret == Z_STREAM_END ? 0 : -1;
}

static int soak_inflate(struct worker *w)
{
	unsigned int in_bits = 3 + below(&w->rng, 17), out_bits = 6 + below(&w->rng, 14);
	int is_broken = !below(&w->rng, 12), ret, steps_nr = 0;
	unsigned char *back = malloc(w->len + 1);
	int wbits = w->wbits;
	size_t packed_len, pos = 0, tail_len = below(&w->rng, 3) ? 0 : below(&w->rng, 100);
	z_stream strms[2] = { 0 }, *strm = &strms[0];

	if (pack(w)) {
		free(back);
		return failed(w, "the reference's deflate", 0);
	}
	packed_len = w->out.len;
	buf_add(&w->out, pool, tail_len);
	/* A header of either kind, where there is one. */
	if (wbits > 0 && below(&w->rng, 4) == 0)
		wbits = 47;
	snprintf(w->what, sizeof(w->what),
		 "inflate of %zu bytes at %zu, window bits %d (%d) level %d strategy %d dictionary "
		 "%zu%s",
		 w->len, (size_t)(w->plain - pool), w->wbits, wbits, w->level, w->strategy,
		 w->dict_len, is_broken ? ", broken" : "");
	if (is_broken)
		w->out.data[below(&w->rng, (unsigned int)packed_len)] ^=
			(unsigned char)(1 + below(&w->rng, 255));
	ret = ours.inflateInit2_(strm, wbits, ZLIB_VERSION, sizeof(*strm));
	if (ret) {
		free(back);
		return failed(w, "inflateInit2", ret);
	}
	if (w->dict_len && w->wbits < 0)
		ours.inflateSetDictionary(strm, w->dict, (uInt)w->dict_len);
	do {
		size_t nr = length(&w->rng, in_bits), room = length(&w->rng, out_bits);
		size_t left = w->out.len - pos, rest = w->len + 1 - strm->total_out;

		if (!rest) /* what is broken can be longer than it was */
			break;
		if (++steps_nr > 2000) /* to an end within reason */
			nr = room = POOL_LEN;
		nr = nr < left ? nr : left;
		room = room < rest ? room : rest;
		strm->next_in = w->out.data + pos;
		strm->avail_in = (uInt)nr;
		strm->next_out = back + strm->total_out;
		strm->avail_out = (uInt)room;
		ret = ours.inflate(strm, below(&w->rng, 3) ? Z_NO_FLUSH : Z_SYNC_FLUSH);
		pos += nr - strm->avail_in;
		if (ret == Z_NEED_DICT && w->dict_len)
			ret = ours.inflateSetDictionary(strm, w->dict, (uInt)w->dict_len);
		/* Without room, or with more input to come, there may be nothing to do. */
		if (ret == Z_BUF_ERROR && (!room || (!nr && left)))
			ret = Z_OK;
		if (ret == Z_OK && !below(&w->rng, 300)) { /* goes on with the copy */
			ret = ours.inflateCopy(strm == &strms[0] ? &strms[1] : &strms[0], strm);
			if (ret)
				break;
			ours.inflateEnd(strm);
			strm = strm == &strms[0] ? &strms[1] : &strms[0];
		}
	} while (ret == Z_OK);
	if (is_broken) /* what it was made of may still be valid, and may be anything then */
		ret = Z_STREAM_END;
	else if (ret != Z_STREAM_END)
		failed(w, "inflate", ret);
	else if (pos != packed_len)
		ret = failed(w, "where the stream ends", (int)pos);
	else if (strm->total_out != w->len || memcmp(back, w->plain, w->len))
		ret = failed(w, "inflated bytes", 0);
	ours.inflateEnd(strm);
	free(back);
	return ret == Z_STREAM_END ? 0 : -1;
}

static int soak_oneshot(struct worker *w)
{
	uLongf packed_len, back_len = w->len;
	unsigned char *back = malloc(w->len + 1), *packed;
	int ret;

	w->wbits = 15;
	w->dict_len = 0;
	packed_len = ours.compressBound(w->len);
	packed = malloc(packed_len);
	snprintf(w->what, sizeof(w->what), "compress2 of %zu bytes at %zu, level %d", w->len,
		 (size_t)(w->plain - pool), w->level);
	ret = ours.compress2(packed, &packed_len, w->plain, w->len, w->level);
	if (ret)
		ret = failed(w, "compress2", ret);
	else if (!is_same(w, packed, packed_len))
		ret = failed(w, "output", 0);
	else if ((ret = ours.uncompress(back, &back_len, packed, packed_len)) != Z_OK)
		ret = failed(w, "uncompress", ret);
	else if (back_len != w->len || memcmp(back, w->plain, w->len))
		ret = failed(w, "uncompressed bytes", 0);
	free(packed);
	free(back);
	return ret;
}

static void *work(void *arg)
{
	static int (*const kinds[])(struct worker *w) = { soak_deflate, soak_inflate, soak_deflate,
							  soak_inflate, soak_oneshot };
	struct worker *w = arg;

	/* Threads last for the round: an ended one leaves something in the reference's own heap. */
	for (int phase = 0; phase < PHASES_NR; phase++) {
		pthread_barrier_wait(&barrier);
		while (now_ns() < end_ns && !failures) {
			draw(w);
			if (kinds[below(&w->rng, 5)](w))
				break;
			streams_nr++;
			bytes_nr += w->len;
		}
		buf_free(&w->out);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

struct left {
	size_t rss, heap;
	int fds_nr;
};

static struct left what_is_left(void)
{
	struct left left = { .heap = mallinfo2().uordblks };
	unsigned long size = 0, rss = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	DIR *dir;

	if (file && fscanf(file, "%lu %lu", &size, &rss) == 2)
		left.rss = rss * (size_t)sysconf(_SC_PAGESIZE);
	if (file)
		fclose(file);
	dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		left.fds_nr++;
	if (dir)
		closedir(dir);
	return left;
}

/* In a process of its own: phases of streams, after each of which nothing may be left but the first's. */
static int soak_round(double seconds)
{
	static struct worker workers[THREADS_NR];
	struct left before = what_is_left(), left[PHASES_NR];
	size_t shared_len = 2 * POOL_LEN;

	for (int t = 0; t < THREADS_NR; t++) {
		workers[t].number = t;
		workers[t].rng.state = seed + (uint64_t)t * 0x1234567;
	}
	workers[0].shared_len = shared_len;
	workers[0].shared =
		mmap(NULL, shared_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrier_init(&barrier, NULL, THREADS_NR + 1);
	for (int t = 0; t < THREADS_NR; t++)
		if (pthread_create(&workers[t].thread, NULL, work, &workers[t]))
			return 99;
	for (int phase = 0; phase < PHASES_NR; phase++) {
		end_ns = now_ns() + (uint64_t)(seconds / PHASES_NR * 1e9);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		malloc_trim(0);
		left[phase] = what_is_left();
	}
	for (int t = 0; t < THREADS_NR; t++)
		pthread_join(workers[t].thread, NULL);
	if (failures)
		return 1;
	printf("#   %llu streams, %llu MB; left after each phase:", streams_nr,
	       bytes_nr / 1000000);
	for (int phase = 0; phase < PHASES_NR; phase++)
		printf(" %zu KB (heap %zu KB, %d files)", left[phase].rss >> 10,
		       left[phase].heap >> 10, left[phase].fds_nr);
	printf("\n");
	fflush(stdout);
	if (left[PHASES_NR - 1].fds_nr > before.fds_nr + QUEUES_MAX) {
		fprintf(stderr, "soak: seed 0x%llx: %d open files\n", (unsigned long long)seed,
			left[PHASES_NR - 1].fds_nr);
		return 1;
	}
	if (!IS_ASAN && !IS_TSAN && (left[PHASES_NR - 1].rss > left[0].rss + RSS_SLACK ||
			      left[PHASES_NR - 1].heap > left[0].heap + HEAP_SLACK)) {
		fprintf(stderr, "soak: seed 0x%llx: memory grows\n", (unsigned long long)seed);
		return 1;
	}
	return 0;
}

static void set(const char *name, const char *value)
{
	setenv(name, value, 1);
	printf(" %s=%s", name, value);
}

/* A device, its faults and the settings that go with them. */
static void draw_settings(struct rng *rng)
{
	static const char *const bases[] = { "threads=2", "threads=1", "threads=2,qm=2",
					     "threads=2,qm=1", "threads=2,engine=zlib" };
	static const char *const kinds[] = { "error",	 "short",  "checksum", "late=2",
					     "error=0x10", "reset", "hang",	"gone=2" };
	static const unsigned int often[] = { 5, 7, 7, 9, 11, 60, 120, 80 };
	static const char *const units[] = { "64K", "128K", "256K", "1M" };
	static const char *const queues[] = { "0", "1", "2", "4" };
	static const char *const depths[] = { "4", "1", "2", "16" };
	unsigned int faults_nr = below(rng, 4), is_verifying = !below(rng, 6);
	char device[256];
	int len = snprintf(device, sizeof(device), "emu:%s", bases[below(rng, 5)]);

	for (unsigned int f = 0; f < faults_nr && !is_verifying; f++) {
		unsigned int k = below(rng, 8);

		len += snprintf(device + len, sizeof(device) - (size_t)len, "%s%s@*%u",
				f ? "/" : ",fault=", kinds[k], often[k] + below(rng, 100));
	}
	/* Wrong bytes are found where they are looked for: not in what raw inflate makes. */
	if (is_verifying)
		snprintf(device + len, sizeof(device) - (size_t)len, ",fault=corrupt@*%u",
			 3 + below(rng, 50));
	printf("#  ");
	set("WD_DEVICE", below(rng, 15) ? device : "none");
	set("ZWD_ENGINE", is_verifying || !below(rng, 3) ? "auto" : "hw");
	set("ZWD_UNIT", units[below(rng, 4)]);
	set("ZWD_QUEUES", queues[below(rng, 4)]);
	set("ZWD_DEPTH", depths[below(rng, 4)]);
	set("ZWD_TIMEOUT_MS", strstr(device, "hang") ? "60" : "5000");
	if (is_verifying) {
		set("ZWD_VERIFY", "1");
		set("ZWD_MIN_INFLATE", "4095M");
	}
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 6;
	uint64_t start_ns, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x5eed2b8cfeull;
	double round_s = seconds / 4 < ROUND_S ? seconds / 4 : ROUND_S;

	if (!(seconds > 0)) {
		fprintf(stderr, "usage: soak [SECONDS [SEED]]\n");
		return 2;
	}
	setenv("ZWD_TEST_SEED", "0", 0);
	test_begin((unsigned int)seconds + 240);
	pool = gen_alloc(GEN_MIXED, POOL_LEN + 100000);
	start_ns = now_ns();
	for (seed = first; (double)(now_ns() - start_ns) < (seconds - round_s / 2) * 1e9; seed++) {
		struct rng rng = { seed };
		int status;
		pid_t pid;

		printf("# round of %.1f s, seed 0x%llx\n", round_s, (unsigned long long)seed);
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			return 99;
		if (!pid) {
			alarm((unsigned int)round_s + 120);
			draw_settings(&rng);
			exit(soak_round(round_s));
		}
		if (waitpid(pid, &status, 0) != pid)
			return 99;
		if (status) {
			fprintf(stderr, "soak: seed 0x%llx failed, status 0x%x; again: soak %.1f 0x%llx\n",
				(unsigned long long)seed, status, round_s * 4, (unsigned long long)seed);
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		}
	}
	free(pool);
	return 0;
}
