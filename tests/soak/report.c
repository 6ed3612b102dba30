/* SPDX-License-Identifier: Zlib */
/* What is told of the rounds: a line a minute, and tables at the end. */
#include "config.h"
#include "report.h"

enum { LINE_S = 60 };

struct sums {
	unsigned long long turns, calls, bytes;
};

static struct sums sums[SOAK_PATTERNS_MAX];
static struct {
	unsigned int rounds, failed, growing;
	unsigned long long requests, errors, failovers;
	size_t peak[WATCH_FIGURES], last[WATCH_FIGURES];
} modes[SOAK_MODES];

static struct sums sum_of(const struct soak_tally *tally)
{
	return (struct sums){ tally->turns, tally->calls, tally->bytes };
}

static void add(struct sums *to, const struct sums *more)
{
	to->turns += more->turns;
	to->calls += more->calls;
	to->bytes += more->bytes;
}

void report_round(enum soak_mode mode, const struct soak_share *share, const struct watch *w,
		  int is_failed, int is_growing)
{
	for (int p = 0; soak_patterns[p].name; p++) {
		struct sums sum = sum_of(&share->tallies[p]);

		add(&sums[p], &sum);
	}
	modes[mode].rounds++;
	modes[mode].failed += is_failed != 0;
	modes[mode].growing += is_growing != 0;
	modes[mode].requests += share->hw_requests;
	modes[mode].errors += share->errors;
	modes[mode].failovers += share->failovers;
	memcpy(modes[mode].last, w->rest[w->quarter ? w->quarter - 1 : 0], sizeof(w->last));
	for (int q = 0; q < SOAK_QUARTERS; q++)
		for (int f = 0; f < WATCH_FIGURES; f++) {
			size_t most = w->peak[q][f] > w->rest[q][f] ? w->peak[q][f] : w->rest[q][f];

			if (modes[mode].peak[f] < most)
				modes[mode].peak[f] = most;
		}
}

void report_minute(double now_s, const struct soak_share *share, const struct watch *w)
{
	static double told_s;
	unsigned long long requests = share->hw_requests, failovers = share->failovers;
	unsigned int rounds = 0;
	struct sums all = { 0 };

	if (now_s < told_s + LINE_S)
		return;
	told_s = now_s;
	for (int p = 0; soak_patterns[p].name; p++) {
		struct sums now = sum_of(&share->tallies[p]);

		add(&all, &sums[p]);
		add(&all, &now);
	}
	for (int m = 0; m < SOAK_MODES; m++) {
		rounds += modes[m].rounds;
		requests += modes[m].requests;
		failovers += modes[m].failovers;
	}
	printf("# %3.0f min: %u rounds, %llu turns, %llu calls, %llu MB, %llu requests, %llu "
	       "failovers; now "
	       "%zu MB of %zu, %zu files, %zu threads, %zu queues\n",
	       now_s / 60, rounds, all.turns, all.calls, all.bytes / 1000000, requests, failovers,
	       w->last[WATCH_RSS] >> 20, w->last[WATCH_SIZE] >> 20, w->last[WATCH_FILES],
	       w->last[WATCH_THREADS], w->last[WATCH_QUEUES]);
	fflush(stdout);
}

void report_tables(double now_s)
{
	printf("# after %.0f s\n# %-10s %10s %12s %10s\n", now_s, "pattern", "turns", "calls",
	       "MB");
	for (int p = 0; soak_patterns[p].name; p++)
		if (sums[p].turns)
			printf("# %-10s %10llu %12llu %10.1f\n", soak_patterns[p].name,
			       sums[p].turns, sums[p].calls, (double)sums[p].bytes / 1e6);
	printf("# %-6s %6s %6s %7s %10s %9s %9s %14s %14s %9s %9s %9s %9s\n", "device", "rounds",
	       "failed", "growing", "requests", "errors", "failovers", "RSS most/last",
	       "mapped m/l", "files", "threads", "queues", "verdict");
	for (int m = 0; m < SOAK_MODES; m++) {
		const size_t *peak = modes[m].peak, *last = modes[m].last;

		if (!modes[m].rounds)
			continue;
		printf("# %-6s %6u %6u %7u %10llu %9llu %9llu %6zu/%4zu MB %6zu/%4zu MB %5zu/%3zu "
		       "%5zu/%3zu "
		       "%5zu/%3zu %9s\n",
		       soak_mode_names[m], modes[m].rounds, modes[m].failed, modes[m].growing,
		       modes[m].requests, modes[m].errors, modes[m].failovers,
		       peak[WATCH_RSS] >> 20, last[WATCH_RSS] >> 20, peak[WATCH_SIZE] >> 20,
		       last[WATCH_SIZE] >> 20, peak[WATCH_FILES], last[WATCH_FILES],
		       peak[WATCH_THREADS], last[WATCH_THREADS], peak[WATCH_QUEUES],
		       last[WATCH_QUEUES], modes[m].failed || modes[m].growing ? "WRONG" : "flat");
	}
}
