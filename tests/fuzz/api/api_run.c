/* SPDX-License-Identifier: Zlib */
/* Runs a program: its threads, its children, and all of it a second time. */
#include "config.h"
#include "api.h"
#include "sanitizer.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zwd.h>

enum { LIMIT_S = IS_ASAN || IS_TSAN ? 120 : 60 };

static const struct zlib_api ours = {
#define X(name) .name = name,
	ZLIB_FUNCS(X)
#undef X
};
struct zlib_api stock;
const struct zlib_api *zapi[SIDES] = { &ours, &stock };
_Thread_local const char *op_name = "";
static _Thread_local const struct runner *running;
char *last_words;
bool is_traced;

extern pid_t _Fork(void) __attribute__((weak));

_Noreturn void broken(const char *file, int line, const char *format, ...)
{
	static char spare[LAST_WORDS_LEN];
	char *words = last_words ? last_words : spare;
	const char *base = strrchr(file, '/');
	int len = snprintf(words, LAST_WORDS_LEN, "%s:%d: %s%s: ", base ? base + 1 : file, line,
			   running && running->is_child ? "child: " : "", op_name);
	va_list args;

	va_start(args, format);
	vsnprintf(words + len, LAST_WORDS_LEN - (size_t)len, format, args);
	va_end(args);
	if (!last_words)
		fprintf(stderr, "fuzz_api: %s\n", words);
	abort();
}

void program_setup(void)
{
	const char *error = zlib_api_open(&stock);

	check(!error, "%s", error);
	corpus_make();
	is_traced = getenv("FUZZ_API_TRACE") != NULL;
}

size_t cut_read(struct runner *r, size_t whole)
{
	static const size_t cuts[] = { SIZE_MAX, 1,   2,    5,	  6,	 7,	17,    100,
				       199,	 200, 1000, 4096, 32768, 65535, 65536, SIZE_MAX };
	size_t cut = cuts[(in_byte(&r->in) + r->cut_salt) % 16];
	size_t least = whole / 300 + 1;

	if (cut > whole)
		cut = whole;
	return cut > least ? cut : least;
}

/* Of a device that does what it is told. */
static void check_counters(void)
{
	struct zwd_stats s;

	zwd_stats(&s, sizeof(s));
	op_name = "counters";
	check(!s.deflate.mismatches && !s.inflate.mismatches,
	      "verification failed without a fault, %llu and %llu times",
	      (unsigned long long)s.deflate.mismatches, (unsigned long long)s.inflate.mismatches);
	check(!s.deflate.errors && (!s.deflate.failovers || s.deflate_choice.soft_busy),
	      "a device without faults failed, %llu errors", (unsigned long long)s.deflate.errors);
}

/* Nothing but the data decided what was made. */
static bool is_stats_plain(void)
{
	struct zwd_stats s;

	zwd_stats(&s, sizeof(s));
	return !s.deflate.errors && !s.deflate.failovers && !s.deflate_choice.soft_busy &&
	       !s.deflate_choice.soft_failed && !s.deflate_choice.soft_no_device;
}

/* The rest of the program is done twice: by a child and by us. */
static void op_fork(struct runner *r)
{
	unsigned int how = in_byte(&r->in);
	pid_t pid;

	/* The second time nobody disturbs. */
	if (r->is_child || r->children_nr == 2 || r->cut_salt)
		return;
	/* Without handlers malloc() may be locked where there are threads; a sanitizer's always may
	 * be. */
	if (r->settings->threads > 1)
		how = 0;
	if ((IS_ASAN || IS_TSAN) && (r->settings->threads > 1 || !is_soft(r)))
		return;
	if (how % 4 == 1 && _Fork)
		pid = _Fork();
	else if (how % 4 == 2)
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	else
		pid = fork();
	check(pid >= 0, "broken test: no child");
	if (pid) {
		r->children[r->children_nr++] = pid;
		return;
	}
	alarm(LIMIT_S);
	r->is_child = true;
	r->children_nr = 0;
	r->has_no_second_libc = r->settings->threads > 1;
}

static const struct op process_ops[] = { { "fork", op_fork } };

/* One of so many calls is of these. */
static const struct {
	const struct op *ops;
	const unsigned int *nr;
	unsigned int share; /* of 256 */
} groups[] = {
	{ deflate_ops, &deflate_ops_nr, 125 },
	{ inflate_ops, &inflate_ops_nr, 112 },
	{ other_ops, &other_ops_nr, 11 },
	{ gz_ops, &gz_ops_nr, 5 },
	{ process_ops, NULL, 3 },
};

static const struct op *op_read(struct input *in)
{
	unsigned int group = in_byte(in), which = in_byte(in), g = 0;

	while (group >= groups[g].share)
		group -= groups[g++].share;
	return &groups[g].ops[groups[g].nr ? which % *groups[g].nr : 0];
}

static void children_wait(struct runner *r)
{
	for (unsigned int i = 0; i < r->children_nr; i++) {
		int status;

		check(waitpid(r->children[i], &status, 0) == r->children[i],
		      "broken test: a child is lost");
		if (WIFSIGNALED(status) && last_words && *last_words)
			abort();
		check(!WIFSIGNALED(status), "a child ended by signal %d", WTERMSIG(status));
		check(!WEXITSTATUS(status), "a child ended with %d", WEXITSTATUS(status));
	}
}

/* Whoever was called left the thread as it was: it can be cancelled when it comes to a point for that. */
static void check_thread(void)
{
	int state, type;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	check(state == PTHREAD_CANCEL_ENABLE, "the thread cannot be cancelled any more");
	check(type == PTHREAD_CANCEL_DEFERRED, "the thread can be cancelled anywhere");
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	running = r;
	while (in_op(&r->in) && r->work < r->settings->work_most) {
		const struct op *op = op_read(&r->in);

		op_name = op->name;
		trace("%d %zu: %s\n", (int)getpid(), r->in.pos, op->name);
		op->run(r);
		check_thread();
	}
	op_name = "at the end";
	r->is_stopped = r->work >= r->settings->work_most;
	r->work = 0;
	deflates_close(r);
	inflates_close(r);
	buf_free(&r->packed);
	if (r->is_child)
		_exit(0);
	return NULL;
}

static void run_once(const struct settings *s, const struct input *in, unsigned int salt,
		     struct runner *runners[])
{
	pthread_t threads[THREADS_MOST];
	size_t len = (in->len - HEAD_LEN) / OP_LEN / s->threads * OP_LEN;

	for (unsigned int i = 0; i < s->threads; i++) {
		struct runner *r = runners[i];

		*r = (struct runner){ .settings = s, .cut_salt = salt };
		r->in = (struct input){ .data = in->data + HEAD_LEN + i * len, .len = len };
		if (i + 1 == s->threads)
			continue;
		check(!pthread_create(&threads[i], NULL, runner_main, r), "broken test: no thread");
	}
	runner_main(runners[s->threads - 1]);
	for (unsigned int i = 0; i + 1 < s->threads; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < s->threads; i++)
		children_wait(runners[i]);
}

void program_run(const uint8_t *data, size_t len, bool is_own_process)
{
	static struct settings s;
	static struct runner runners[2][THREADS_MOST];
	struct runner *first[THREADS_MOST], *second[THREADS_MOST];
	struct input in = { .data = data, .len = len < INPUT_MAX ? len : INPUT_MAX };

	if (in.len < HEAD_LEN)
		return;
	settings_read(&s, &in);
	/* Else they are those of whoever started the process. */
	if (!is_own_process) {
		s.mode = MODE_EMU;
		s.is_twice = false;
	}
	for (unsigned int i = 0; is_own_process && i < s.names_nr; i++) {
		putenv(s.names[i]);
		trace("%s ", s.names[i]);
	}
	for (int i = 0; i < THREADS_MOST; i++) {
		first[i] = &runners[0][i];
		second[i] = &runners[1][i];
	}
	run_once(&s, &in, 0, first);
	if (s.mode == MODE_EMU && is_own_process)
		check_counters();
	if (!s.is_twice)
		return;
	run_once(&s, &in, s.is_recut ? 5 : 16, second);
	for (unsigned int i = 0; i < s.threads && (s.mode == MODE_SOFT || is_stats_plain()); i++) {
		if (first[i]->is_stopped || second[i]->is_stopped)
			continue;
		check(first[i]->sums_nr == second[i]->sums_nr,
		      "another number of streams, the second time");
		/* In a room that ends within its marker zlib writes it again. */
		for (unsigned int n = 0; n < first[i]->sums_nr; n++)
			check(first[i]->sums[n] == second[i]->sums[n] ||
				      first[i]->stock_sums[n] != second[i]->stock_sums[n],
			      "other bytes in stream %u, the second time", n);
	}
}
