/* SPDX-License-Identifier: Zlib */
/*
 * fuzz_api FILE...                                   replays
 * fuzz_api [--seed N] [--seconds S] [--inputs N] [--mode soft|emu|fault]  makes programs by chance
 *
 * Each program is a process of its own. One that fails is made shorter, saved, and named with the
 * command that replays it. Without --seed: half of the time a fixed seed, then a fresh one. See
 * api/api.h.
 */
#include "config.h"
#include "api/api.h"
#include "sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zwd.h>

enum { LIMIT_S = IS_ASAN || IS_TSAN ? 120 : 40, SHRINK_S = 40, FIXED_SEED = 0x5eed };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#ifdef FUZZ_API_LIBFUZZER
/* One process, one set of settings: those of the environment. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("WD_DEVICE", "emu", 0);
	setenv("ZWD_ENGINE", "hw", 0);
	setenv("ZWD_UNIT", "64K", 0);
	program_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	program_run(data, len, false);
	return 0;
}
#else

/* What the children have in common with us. */
static struct common {
	char words[LAST_WORDS_LEN];
	struct zwd_stats sum;
} * common;

static uint64_t random_state;

static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void add(struct zwd_dir_stats *sum, const struct zwd_dir_stats *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		__atomic_fetch_add(&to[i], from[i], __ATOMIC_RELAXED);
}

static void add_choice(struct zwd_dir_choice *sum, const struct zwd_dir_choice *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		__atomic_fetch_add(&to[i], from[i], __ATOMIC_RELAXED);
}

static _Noreturn void child(const uint8_t *data, size_t len)
{
	struct zwd_stats stats = { 0 };

	alarm(LIMIT_S);
	program_run(data, len, true);
	zwd_stats(&stats, sizeof(stats));
	add(&common->sum.deflate, &stats.deflate);
	add(&common->sum.inflate, &stats.inflate);
	add_choice(&common->sum.deflate_choice, &stats.deflate_choice);
	add_choice(&common->sum.inflate_choice, &stats.inflate_choice);
	alarm(LIMIT_S);
	exit(0);
}

/* 0: it is right, else common->words say what is not. is_quiet: its own words are of no interest.
 */
static int run(const uint8_t *data, size_t len, int is_quiet)
{
	pid_t pid;
	int status;

	common->words[0] = '\0';
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fuzz_api: fork");
		exit(99);
	}
	if (!pid && is_quiet)
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	if (!pid)
		child(data, len);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (!common->words[0] && WIFSIGNALED(status))
		snprintf(common->words, sizeof(common->words), "%s",
			 WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
	else if (!common->words[0])
		snprintf(common->words, sizeof(common->words), "exit status %d",
			 WEXITSTATUS(status));
	return -1;
}

/* What fails is the same when it is told at the same line. */
static int fails_alike(const uint8_t *data, size_t len, const char *words)
{
	size_t same = strcspn(words, " ");

	return run(data, len, 1) && !strncmp(common->words, words, same);
}

/* Bytes left out, then made 0, as long as it fails in the same way. */
static size_t shrink(uint8_t *data, size_t len, const char *words)
{
	static uint8_t trial[INPUT_MAX];
	double end = now_s() + SHRINK_S;

	for (size_t piece = len / OP_LEN / 2 * OP_LEN; piece; piece = piece / OP_LEN / 2 * OP_LEN)
		for (size_t at = HEAD_LEN; at + piece <= len && now_s() < end;) {
			memcpy(trial, data, at);
			memcpy(trial + at, data + at + piece, len - at - piece);
			if (fails_alike(trial, len - piece, words)) {
				len -= piece;
				memcpy(data, trial, len);
			} else {
				at += piece;
			}
		}
	for (size_t at = 1; at < len && now_s() < end; at++) {
		uint8_t old = data[at];

		data[at] = 0;
		if (old && !fails_alike(data, len, words))
			data[at] = old;
	}
	return len;
}

static void save(const char *name, const uint8_t *data, size_t len)
{
	FILE *file = fopen(name, "wb");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file))
		fprintf(stderr, "fuzz_api: %s: %s\n", name, strerror(errno));
}

static const char *const modes[] = { "soft", "emu", "fault" };

static void failed(const char *program, uint8_t *data, size_t len, uint64_t seed, int mode)
{
	char words[LAST_WORDS_LEN], name[64];
	size_t whole = len;

	memcpy(words, common->words, sizeof(words));
	snprintf(name, sizeof(name), "fuzz_api.%llx.input", (unsigned long long)seed);
	save(name, data, len);
	printf("not ok: %s\n# replay with: %s --seed 0x%llx --inputs 1%s%s, or made shorter: %s %s\n",
	       words, program, (unsigned long long)seed, mode < 0 ? "" : " --mode ",
	       mode < 0 ? "" : modes[mode], program, name);
	fflush(stdout);
	if (!strcmp(words, "hangs"))
		return;
	if (!fails_alike(data, len, words)) {
		printf("# it does not fail every time\n");
		return;
	}
	len = shrink(data, len, words);
	save(name, data, len);
	printf("# %zu bytes of %zu are left of it\n", len, whole);
	fflush(stdout);
}

static unsigned int runs_nr, failures_nr;

/* Programs from this seed on; each has its own, by which it is made alone. */
static void make(const char *program, uint64_t seed, double seconds, uint64_t inputs, int mode)
{
	static uint8_t data[INPUT_MAX];
	double end = now_s() + seconds;

	printf("# seed 0x%llx\n", (unsigned long long)seed);
	fflush(stdout);
	for (uint64_t nr = 0; nr < inputs && now_s() < end && failures_nr < 20; nr++) {
		size_t len;

		random_state = seed + nr;
		len = HEAD_LEN + OP_LEN * (2 + random_next() % (random_next() % 4 ? 30 : 200));
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)random_next();
		if (mode >= 0)
			data[0] = (uint8_t)(data[0] - data[0] % MODES +
					    (mode <= 255 - data[0] + data[0] % MODES ? mode : 0));
		runs_nr++;
		if (run(data, len, 0)) {
			failures_nr++;
			failed(program, data, len, seed + nr, mode);
		}
	}
}

static void tell(double seconds)
{
	const struct zwd_stats *s = &common->sum;
	const struct zwd_dir_stats *dirs[] = { &s->deflate, &s->inflate };
	const struct zwd_dir_choice *choices[] = { &s->deflate_choice, &s->inflate_choice };

	printf("# %u programs, %.0f/s\n", runs_nr, runs_nr / seconds);
	for (int i = 0; i < 2; i++)
		printf("# %s: device %llu requests, %llu MB; software %llu streams; %llu beside "
		       "another, %llu returns, "
		       "%llu failovers, %llu retries, %llu errors, %llu stored, %llu verified, "
		       "%llu wrong\n",
		       i ? "inflate" : "deflate", (unsigned long long)dirs[i]->hw_requests,
		       (unsigned long long)dirs[i]->hw_in >> 20,
		       (unsigned long long)dirs[i]->soft_streams,
		       (unsigned long long)choices[i]->parallel_units,
		       (unsigned long long)choices[i]->returns,
		       (unsigned long long)dirs[i]->failovers, (unsigned long long)dirs[i]->retries,
		       (unsigned long long)dirs[i]->errors, (unsigned long long)dirs[i]->stored,
		       (unsigned long long)dirs[i]->verified,
		       (unsigned long long)dirs[i]->mismatches);
}

static int replay(const char *name)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(name, "rb");
	size_t len;

	if (!file) {
		fprintf(stderr, "fuzz_api: %s: %s\n", name, strerror(errno));
		return 99;
	}
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* In this process, for whoever watches it. */
	if (getenv("FUZZ_API_BARE")) {
		last_words = NULL;
		program_run(data, len, true);
		return 0;
	}
	if (!run(data, len, 0))
		return 0;
	printf("not ok: %s: %s\n", name, common->words);
	return 1;
}

int main(int argc, char **argv)
{
	const char *mode_name = getenv("ZWD_TEST_MODE"), *seed = NULL;
	double seconds = 8, start = now_s();
	uint64_t inputs = UINT64_MAX;
	int mode = -1, i, ret = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (common == MAP_FAILED)
		return 99;
	last_words = common->words;
	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (i + 1 == argc) {
			fprintf(stderr, "fuzz_api: %s: what?\n", argv[i]);
			return 99;
		}
		if (!strcmp(argv[i], "--seed"))
			seed = argv[i + 1];
		else if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--inputs"))
			inputs = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--mode"))
			mode_name = argv[i + 1];
	}
	for (int m = 0; mode_name && m < MODES; m++)
		if (!strcmp(mode_name, modes[m]))
			mode = m;
	program_setup();
	if (i < argc) {
		for (; i < argc; i++)
			ret |= replay(argv[i]);
		return ret;
	}
	if (seed) {
		make(argv[0], strtoull(seed, NULL, 0), seconds, inputs, mode);
	} else {
		struct timespec ts;

		make(argv[0], FIXED_SEED, seconds / 2, inputs, mode);
		clock_gettime(CLOCK_REALTIME, &ts);
		random_state = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
		make(argv[0], random_next() >> 16 << 16, seconds / 2, inputs, mode);
	}
	tell(now_s() - start);
	return failures_nr != 0;
}
#endif
