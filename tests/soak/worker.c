/* SPDX-License-Identifier: Zlib */
/* The process of a round: threads that take turns, and rest at the end of each quarter. */
#include "config.h"
#include "worker.h"
#include "endless.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <zwd.h>

enum { FORKING_THREADS = 2 };

struct worker {
	pthread_t thread;
	struct soak soak;
	void *kept[SOAK_PATTERNS_MAX];
};

static struct soak_share *share;
static uint32_t patterns;    /* a bit for each that takes part */
static unsigned int weights; /* of all of them */
static atomic_ullong end_ns;
static pthread_barrier_t barrier; /* before and after each quarter */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void select_pattern(struct worker *w, int p)
{
	w->soak.pattern = &soak_patterns[p];
	w->soak.tally = &share->tallies[p];
	w->soak.kept = &w->kept[p];
}

static void draw_pattern(struct worker *w)
{
	unsigned int at = soak_below(&w->soak, weights);
	int p = 0;

	for (;; p++) {
		if (!(patterns >> p & 1))
			continue;
		if (at < soak_patterns[p].weight)
			break;
		at -= soak_patterns[p].weight;
	}
	select_pattern(w, p);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	/* Threads last for the round: an ended one leaves something in the reference's own heap. */
	for (int quarter = 0; quarter < SOAK_QUARTERS; quarter++) {
		pthread_barrier_wait(&barrier);
		while (now_ns() < end_ns && !soak_failures) {
			draw_pattern(w);
			w->soak.packed.len = w->soak.back.len = 0;
			if (w->soak.pattern->turn(&w->soak))
				break;
			w->soak.tally->turns++;
		}
		buf_free(&w->soak.packed);
		buf_free(&w->soak.back);
		pthread_barrier_wait(&barrier);
	}
	/* Half of them leave what they have to the process's end. */
	for (int p = 0; soak_patterns[p].name && !soak_failures; p++) {
		select_pattern(w, p);
		if (soak_patterns[p].end && w->kept[p] && w->soak.number % 2)
			soak_patterns[p].end(&w->soak);
	}
	return NULL;
}

static void tell(void)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	share->hw_requests = stats.deflate.hw_requests + stats.inflate.hw_requests;
	share->errors = stats.deflate.errors + stats.inflate.errors;
	share->failovers = stats.deflate.failovers + stats.inflate.failovers;
	share->heap = mallinfo2().uordblks + mallinfo2().hblkhd;
	sem_post(&share->at_rest);
	while (sem_wait(&share->go_on))
		;
}

static void make_data(void)
{
	struct endless e;

	soak_text_make();
	for (int kind = 0; kind < ENDLESS_KINDS; kind++)
		endless_begin(&e, (enum endless_kind)kind, -15, 0), endless_free(&e);
}

int soak_work(struct soak_share *with, uint64_t seed, double round_s, uint32_t which)
{
	static struct worker workers[SOAK_THREADS];

	share = with;
	patterns = which;
	for (int p = 0; soak_patterns[p].name; p++)
		weights += which >> p & 1 ? soak_patterns[p].weight : 0;
	make_data();
	pthread_barrier_init(&barrier, NULL, SOAK_THREADS + 1);
	for (int t = 0; t < SOAK_THREADS; t++) {
		struct soak *s = &workers[t].soak;

		s->number = t;
		s->round_s = round_s;
		s->rng = seed + (uint64_t)t * 0x1234567;
		/*
		 * ThreadSanitizer knows no threads in a child of threads, and AddressSanitizer's
		 * allocator may be locked there for ever.
		 */
		if (t < FORKING_THREADS && !IS_TSAN && !IS_ASAN)
			s->shared = mmap(NULL, 2 * (size_t)SOAK_TEXT_LEN, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (s->shared == MAP_FAILED ||
		    pthread_create(&workers[t].thread, NULL, work, &workers[t]))
			return 99;
	}
	for (int quarter = 0; quarter < SOAK_QUARTERS; quarter++) {
		end_ns = now_ns() + (uint64_t)(round_s / SOAK_QUARTERS * 1e9);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		malloc_trim(0);
		tell();
	}
	for (int t = 0; t < SOAK_THREADS; t++)
		pthread_join(workers[t].thread, NULL);
	return soak_failures ? 1 : 0;
}
