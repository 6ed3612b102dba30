/* SPDX-License-Identifier: Zlib */
/*
 * All clients' ways to call zlib, for hours, on devices that fail in every way: what comes out is
 * right, and what a process holds stays as it is. Rounds are processes, each with a device, faults
 * and settings of its own that the seed draws; this one starts them, looks at them from outside,
 * and tells.
 */
#include "config.h"
#include "report.h"
#include "settings.h"
#include "watch.h"
#include "worker.h"

#include <dlfcn.h>
#include <drv/hisi_qm.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 500,
	LIMIT_S = 120,
	LIMIT_TIMES = 10,
	ROUND_S = 20,
	ROUND_MAX_S = 150,
	ROUNDS = 16
};

static const uint64_t fixed_seed = 0x5eed2b8cfeull;

struct options {
	double seconds, round_s; /* 0: of its own choice */
	uint64_t seed;
	int has_seed, share_fd; /* share_fd: this is the process of a round */
	enum soak_mode mode;
	uint32_t patterns;
};

static double now_s(void)
{
	static double start;
	struct timespec ts;
	double now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	if (!start)
		start = now;
	return now - start;
}

static _Noreturn void usage(int status)
{
	FILE *to = status ? stderr : stdout;

	fprintf(to,
		"usage: soak [--seconds=N] [--seed=N] [--round=SECONDS] [--mode=soft|emu|fault] "
		"[--pattern=NAME]...\npatterns:");
	for (int p = 0; soak_patterns[p].name; p++)
		fprintf(to, " %s", soak_patterns[p].name);
	fprintf(to, "\n");
	exit(status);
}

static uint32_t pattern_bit(const char *name)
{
	for (int p = 0; soak_patterns[p].name; p++)
		if (!strcmp(soak_patterns[p].name, name))
			return UINT32_C(1) << p;
	usage(2);
}

static enum soak_mode mode_of(const char *name)
{
	for (int m = 0; m < SOAK_MODES; m++)
		if (!strcmp(soak_mode_names[m], name))
			return (enum soak_mode)m;
	usage(2);
}

static void parse(struct options *o, int argc, char **argv)
{
	enum { SECONDS = 1, SEED, ROUND, MODE, PATTERN, SHARE, HELP };
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, SECONDS },
		{ "seed", required_argument, NULL, SEED },
		{ "round", required_argument, NULL, ROUND },
		{ "mode", required_argument, NULL, MODE },
		{ "pattern", required_argument, NULL, PATTERN },
		{ "share", required_argument, NULL, SHARE },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case SECONDS:
			o->seconds = atof(optarg);
			break;
		case SEED:
			o->seed = strtoull(optarg, NULL, 0);
			o->has_seed = 1;
			break;
		case ROUND:
			o->round_s = atof(optarg);
			break;
		case MODE:
			o->mode = mode_of(optarg);
			break;
		case PATTERN:
			o->patterns |= pattern_bit(optarg);
			break;
		case SHARE:
			o->share_fd = atoi(optarg);
			break;
		default:
			usage(c == HELP ? 0 : 2);
		}
	if (optind < argc || !(o->seconds > 0) || o->round_s < 0)
		usage(2);
	/* Long enough to be judged where there is time, and then so many that settings of all kinds
	 * come. */
	if (!o->round_s)
		o->round_s = o->seconds < 4 * ROUND_S		 ? o->seconds / 4
			     : o->seconds < ROUNDS * ROUND_S	 ? ROUND_S
			     : o->seconds < ROUNDS * ROUND_MAX_S ? o->seconds / ROUNDS
								 : ROUND_MAX_S;
}

static struct soak_share *map_share(int fd)
{
	struct soak_share *share =
		mmap(NULL, sizeof(*share), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (share == MAP_FAILED) {
		perror("soak: what is shared");
		exit(99);
	}
	return share;
}

/* The same round again, and nothing else. */
static void print_command(FILE *to, const struct options *o)
{
	fprintf(to, "tests/soak/soak --seed=0x%llx --seconds=%g --round=%g",
		(unsigned long long)o->seed, o->round_s, o->round_s);
	if (o->mode != SOAK_MODES)
		fprintf(to, " --mode=%s", soak_mode_names[o->mode]);
	for (int p = 0; soak_patterns[p].name; p++)
		if (o->patterns >> p & 1)
			fprintf(to, " --pattern=%s", soak_patterns[p].name);
	fprintf(to, "\n");
}

/* wd-gzip, as it was built beside the library that this is linked with. */
static void set_gzip(void)
{
	void *at = dlsym(RTLD_DEFAULT, "zwd_version");
	static char paths[2][4096];
	Dl_info info;
	int len;

	if (!at || !dladdr(at, &info) || !strrchr(info.dli_fname, '/'))
		return;
	len = (int)(strrchr(info.dli_fname, '/') - info.dli_fname);
	snprintf(paths[0], sizeof(paths[0]), "LD_LIBRARY_PATH=%.*s", len, info.dli_fname);
	putenv(paths[0]);
	snprintf(paths[1], sizeof(paths[1]), "WD_GZIP=%.*s/../tools/.libs/wd-gzip", len,
		 info.dli_fname);
	if (!access(strchr(paths[1], '/'), X_OK) && !getenv("WD_GZIP"))
		putenv(paths[1]);
}

/* In the forked child: another process, which has read no settings yet. */
static _Noreturn void become_worker(char *self, const struct options *o, struct soak_settings *set,
				    int fd)
{
	char seed[32], round[32], share[32], random[48];
	char *argv[SOAK_PATTERNS_MAX + 8] = { self, seed, round, share };
	int nr = 4;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_gzip();
	for (unsigned int i = 0; i < set->nr; i++)
		putenv(set->env[i]);
	snprintf(random, sizeof(random), "ZWD_TEST_SEED=0x%llx", (unsigned long long)o->seed);
	putenv(random);
	snprintf(seed, sizeof(seed), "--seed=0x%llx", (unsigned long long)o->seed);
	snprintf(round, sizeof(round), "--round=%g", o->round_s);
	snprintf(share, sizeof(share), "--share=%d", fd);
	for (int p = 0; soak_patterns[p].name; p++)
		if (o->patterns >> p & 1) {
			argv[nr++] = (char *)"--pattern";
			argv[nr++] = (char *)soak_patterns[p].name;
		}
	execv("/proc/self/exe", argv);
	_exit(99);
}

static size_t ring_len(const struct soak_settings *set)
{
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE);

	return set->mode == SOAK_SOFT
		       ? 0
		       : hisi_qm_mem_len(set->depth, page_len) + HISI_QM_DB_OFFSET_V2 + page_len;
}

/* 1: it has come to a rest. */
static int wait_for_rest(struct soak_share *share)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return !sem_timedwait(&share->at_rest, &until);
}

/* Until it ends. Its wait status. */
static int watch_round(pid_t pid, struct soak_share *share, const struct soak_settings *set,
		       struct watch *w)
{
	size_t len = ring_len(set);
	int status;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
		if (wait_for_rest(share)) {
			watch_rest(w, pid, len, share);
			sem_post(&share->go_on);
		} else {
			watch_work(w, pid, len);
		}
		report_minute(now_s(), share, w);
	}
	return ended == pid ? status : 99;
}

/* 0, or it failed. */
static int run_round(char *self, const struct options *o)
{
	int fd = memfd_create("soak", 0), status, is_growing;
	struct soak_settings set;
	struct watch w = { 0 };
	struct soak_share *share;
	char growth[512];
	pid_t pid;

	if (fd < 0 || ftruncate(fd, sizeof(*share)))
		return 99;
	share = map_share(fd);
	sem_init(&share->at_rest, 1, 0);
	sem_init(&share->go_on, 1, 0);
	soak_settings_draw(&set, o->seed, o->mode);
	printf("# round of %g s, seed 0x%llx, %s:", o->round_s, (unsigned long long)o->seed,
	       soak_mode_names[set.mode]);
	for (unsigned int i = 0; i < set.nr; i++)
		printf(" %s", set.env[i]);
	printf("\n");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 99;
	if (!pid)
		become_worker(self, o, &set, fd);
	status = watch_round(pid, share, &set, &w);
	watch_print(&w);
	/* One pattern alone may be too small for it. */
	is_growing = !status && watch_judge(&w, o->round_s, set.mode == SOAK_EMU && !o->patterns,
					    growth, sizeof(growth));
	report_round(set.mode, share, &w, status, is_growing);
	if (is_growing)
		fprintf(stderr, "soak: %s\n", growth);
	if (status)
		fprintf(stderr, "soak: wait status 0x%x\n", status);
	if (status || is_growing) {
		fprintf(stderr, "soak: again: ");
		print_command(stderr, o);
	}
	munmap(share, sizeof(*share));
	close(fd);
	return status ? WIFEXITED(status) ? WEXITSTATUS(status) : 1 : is_growing;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 5, .mode = SOAK_MODES, .share_fd = -1 };
	struct timespec ts;
	uint64_t fresh;
	int ret = 0;

	parse(&o, argc, argv);
	if (o.share_fd >= 0) {
		/* Turns are as long as the machine is busy. */
		test_begin(LIMIT_TIMES * (unsigned int)o.round_s + LIMIT_S);
		return soak_work(map_share(o.share_fd), o.seed, o.round_s,
				 o.patterns ? o.patterns : UINT32_MAX);
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	fresh = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	for (uint64_t nr = 0; !ret && (!nr || now_s() + o.round_s / 2 < o.seconds); nr++) {
		struct options round = o;

		/* Without a seed, one that is always the same and one that never is by turns. */
		round.seed = o.has_seed ? o.seed + nr : (nr % 2 ? fresh : fixed_seed) + nr / 2;
		ret = run_round(argv[0], &round);
	}
	report_tables(now_s());
	return ret;
}
