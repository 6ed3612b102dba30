/* SPDX-License-Identifier: Zlib */
/*
 * PROGRAM FILE...                                    replays
 * PROGRAM [--seed N] [--seconds S] [--inputs N]      makes inputs by chance
 *
 * Input number N of a seed is a function of their sum. Inputs run in a process that is made anew
 * when one of them fails; that one is made shorter, saved, and named with the command that replays
 * it. Without --seed: half of the time a fixed one, then a fresh one. FUZZ_SECONDS in the
 * environment is --seconds; with FUZZ_KEEP in it a fuzzer's folder stays. With FUZZ_LIBFUZZER this
 * is what libFuzzer wants of a program.
 */
#include "config.h"
#include "driver.h"
#include "sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	FIXED_SEED = 0x5eed,
	WORDS_LEN = 1024,
	BATCH = 5000, /* inputs of one process: what it forgot to free is told at its end */
	FINDINGS_MAX = 10,
	SHRINK_S = 10,
	SLOWER = IS_ASAN || IS_TSAN ? 4 : 1,
};

/* What the process that runs inputs shares with the one that makes them. */
static struct shared {
	char words[WORDS_LEN];
	uint64_t runs_nr;
	size_t len; /* of the input that runs */
	uint8_t data[FUZZ_INPUT_MAX];
} * shared;
static bool is_watched; /* by somebody who reads standard error */

/* What a sanitizer finds in a child is no exit code of the child's. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}
__attribute__((visibility("default"))) const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

char fuzz_folder[64];
static pid_t folder_owner;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

void fuzz_remove(const char *folder)
{
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_folder(void)
{
	if (getpid() == folder_owner && !getenv("FUZZ_KEEP"))
		fuzz_remove(fuzz_folder);
}

void fuzz_broken(const char *file, int line, const char *format, ...)
{
	static char own[WORDS_LEN];
	char *words = shared ? shared->words : own;
	const char *base = strrchr(file, '/');
	int len = snprintf(words, WORDS_LEN, "%s:%d: ", base ? base + 1 : file, line);
	va_list args;

	va_start(args, format);
	vsnprintf(words + len, WORDS_LEN - (size_t)len, format, args);
	va_end(args);
	if (!shared || is_watched)
		fprintf(stderr, "%s: %s\n", fuzzer.name, words);
	remove_folder();
	abort();
}

/* Of clang's, where the program is built for libFuzzer. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));
static uint8_t *counters;

static size_t counters_len(void)
{
	return __start___sancov_cntrs ? (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs)
				      : 0;
}

pid_t fuzz_fork(void)
{
	pid_t pid;

	if (counters_len() && !counters)
		counters = mmap(NULL, counters_len(), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(NULL);
	pid = fork();
	check(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(fuzzer.limit_s * SLOWER);
	return 0;
}

void fuzz_exit(int code)
{
	fflush(NULL);
	if (counters)
		memcpy(counters, __start___sancov_cntrs, counters_len());
	_exit(code);
}

int fuzz_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		check(errno == EINTR, "waitpid: %s", strerror(errno));
	if (counters)
		memcpy(__start___sancov_cntrs, counters, counters_len());
	/* The child has said why. */
	if (shared && shared->words[0])
		abort();
	return status;
}

static void make_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (!fuzzer.has_folder)
		return;
	snprintf(fuzz_folder, sizeof(fuzz_folder), "%.32s/%s.XXXXXX", base ? base : "/tmp",
		 fuzzer.name);
	if (!mkdtemp(fuzz_folder)) {
		perror(fuzz_folder);
		exit(99);
	}
	folder_owner = getpid();
	atexit(remove_folder);
}

#ifdef FUZZ_LIBFUZZER
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned int seed);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	make_folder();
	if (fuzzer.setup)
		fuzzer.setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len <= fuzzer.len_max)
		fuzzer.run(data, len);
	return 0;
}

/* Now and then one of ours: libFuzzer begins with no corpus. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned int seed)
{
	static uint8_t made[FUZZ_INPUT_MAX];
	struct random r = { seed };

	if (random_below(&r, 16))
		return LLVMFuzzerMutate(data, len, room);
	len = fuzzer.make(&r, made, fuzzer.len_max);
	if (len > room)
		len = room;
	memcpy(data, made, len);
	return len;
}
#else

/* Running them */

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_one(void)
{
	/* Its own allocation: a read behind its end is seen. */
	uint8_t *data = malloc(shared->len ? shared->len : 1);

	memcpy(data, shared->data, shared->len);
	alarm(fuzzer.limit_s * SLOWER);
	fuzzer.run(data, shared->len);
	alarm(0);
	free(data);
	shared->runs_nr++;
}

static void setup(void)
{
	if (fuzzer.setup)
		fuzzer.setup();
}

/* Waits for a process that ran inputs. 0: all was well, else shared->words say what was not. */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		exit(77);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (!shared->words[0] && WIFSIGNALED(status))
		snprintf(shared->words, WORDS_LEN, "%s",
			 WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
	else if (!shared->words[0])
		snprintf(shared->words, WORDS_LEN, "exit status %d", WEXITSTATUS(status));
	return -1;
}

static pid_t fork_or_die(void)
{
	pid_t pid;

	shared->words[0] = '\0';
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(99);
	}
	return pid;
}

/* The input that is in shared, alone. Its own words are of no interest. */
static int run_alone(void)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		setup();
		run_one();
		exit(0);
	}
	return wait_for(pid);
}

/* What fails is the same when it is told at the same line. */
static bool fails_alike(const char *words)
{
	size_t same = strcspn(words, " ");

	return run_alone() && !strncmp(shared->words, words, same);
}

/* Some wait for the clock. */
static bool fails_at_all(const char *words)
{
	bool fails = false;

	for (int i = 0; i < 5 && !fails; i++)
		fails = fails_alike(words);
	return fails;
}

/* Bytes left out of the input in shared as long as it fails in the same way. */
static void shrink(const char *words)
{
	static uint8_t before[FUZZ_INPUT_MAX];
	double end = now_s() + SHRINK_S;

	for (size_t piece = shared->len / 2; piece; piece /= 2)
		for (size_t at = 0; at + piece <= shared->len && now_s() < end;) {
			memcpy(before, shared->data, shared->len);
			shared->len -= piece;
			memmove(shared->data + at, before + at + piece, shared->len - at);
			if (fails_alike(words))
				continue;
			shared->len += piece;
			memcpy(shared->data, before, shared->len);
			at += piece;
		}
}

static void save(const char *name)
{
	FILE *file = fopen(name, "wb");

	if (!file || fwrite(shared->data, 1, shared->len, file) != shared->len || fclose(file))
		fprintf(stderr, "%s: %s: %s\n", fuzzer.name, name, strerror(errno));
}

/* The process that began with input first failed at, or after, the one in shared. */
static void tell(const char *program, uint64_t first)
{
	char words[WORDS_LEN], name[64];
	uint64_t nr = shared->runs_nr;

	memcpy(words, shared->words, sizeof(words));
	snprintf(name, sizeof(name), "%s.%llx.input", fuzzer.name,
		 (unsigned long long)(first + nr));
	printf("not ok: %s\n", words);
	if (strcmp(words, "hangs")) {
		if (!fails_at_all(words)) {
			printf("# not by one input alone; replay with: %s --seed 0x%llx --inputs "
			       "%llu\n",
			       program, (unsigned long long)first, (unsigned long long)nr + 1);
			shared->runs_nr = nr;
			return;
		}
		save(name);
		shrink(words);
	}
	save(name);
	shared->runs_nr = nr;
	printf("# replay with: %s --seed 0x%llx --inputs 1, or made shorter: %s %s\n", program,
	       (unsigned long long)(first + nr), program, name);
}

static uint64_t runs_nr;
static unsigned int findings_nr;

static void make_and_run(const char *program, uint64_t seed, double seconds, uint64_t inputs)
{
	double end = now_s() + seconds;

	printf("# %s: seed 0x%llx\n", fuzzer.name, (unsigned long long)seed);
	while (inputs && now_s() < end && findings_nr < FINDINGS_MAX) {
		uint64_t batch = inputs < BATCH ? inputs : BATCH;
		pid_t pid = fork_or_die();
		int ret;

		shared->runs_nr = 0;
		if (!pid) {
			setup();
			for (uint64_t i = 0; i < batch && now_s() < end; i++) {
				shared->len = fuzz_make(seed + i, shared->data);
				run_one();
			}
			exit(0);
		}
		ret = wait_for(pid);
		if (ret) {
			findings_nr++;
			tell(program, seed);
			shared->runs_nr++;
		}
		seed += shared->runs_nr;
		runs_nr += shared->runs_nr;
		inputs -= shared->runs_nr < inputs ? shared->runs_nr : inputs;
	}
}

static void replay(const char *name)
{
	FILE *file = fopen(name, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s: %s\n", fuzzer.name, name, strerror(errno));
		exit(99);
	}
	shared->len = fread(shared->data, 1, fuzzer.len_max, file);
	fclose(file);
	run_one();
}

/* In this process, for whoever watches it. */
static int replay_all(char **names)
{
	is_watched = true;
	setup();
	for (; *names; names++) {
		replay(*names);
		printf("ok: %s\n", *names);
	}
	return 0;
}

static uint64_t fresh_seed(void)
{
	struct timespec ts;
	struct random r;

	clock_gettime(CLOCK_REALTIME, &ts);
	r.state = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	return random_next(&r) >> 16 << 16;
}

int main(int argc, char **argv)
{
	const char *env = getenv("FUZZ_SECONDS"), *seed = NULL;
	double seconds = env && *env ? atof(env) : 5, start = now_s();
	uint64_t inputs = UINT64_MAX;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 99;
	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (i + 1 == argc) {
			fprintf(stderr, "%s: %s: what?\n", fuzzer.name, argv[i]);
			return 99;
		}
		if (!strcmp(argv[i], "--seed"))
			seed = argv[i + 1];
		else if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--inputs"))
			inputs = strtoull(argv[i + 1], NULL, 0);
	}
	make_folder();
	if (i < argc)
		return replay_all(argv + i);
	if (inputs != UINT64_MAX)
		seconds = 1e9;
	if (seed) {
		make_and_run(argv[0], strtoull(seed, NULL, 0), seconds, inputs);
	} else {
		make_and_run(argv[0], FIXED_SEED, seconds / 2, inputs);
		make_and_run(argv[0], fresh_seed(), seconds / 2, inputs);
	}
	printf("# %s: %llu inputs, %.0f/s, %u findings\n", fuzzer.name, (unsigned long long)runs_nr,
	       (double)runs_nr / (now_s() - start), findings_nr);
	return findings_nr != 0;
}
#endif
