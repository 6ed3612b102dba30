/* SPDX-License-Identifier: Zlib */
/* wd-bench goals: which rows, each in a process of its own, and the table of their verdicts. */
#include "config.h"

#include "goals.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zlib_api.h"

enum {
	EXIT_MISSED = 1, /* a goal is not reached */
	EXIT_USAGE = 2,
};

static const struct goal *const themes[] = { goals_calls,   goals_start,  goals_queue,
					     goals_device,  goals_stream, goals_gzip,
					     goals_inflate, goals_size,	  goals_policy,
					     goals_memory,  goals_git,    goals_clients };

#define THEMES_NR (sizeof(themes) / sizeof(themes[0]))
#define ROWS_MAX  128

struct row {
	const struct goal *goal;
	struct goal_result result;
};

static void goals_help(FILE *out)
{
	fputs("Usage: wd-bench goals [OPTION]... [NAME]...\n"
	      "Measures the rows of that name, all of them if none is given, and says which\n"
	      "goals are reached.\n\n"
	      "      --quick       the generated mix and short loops, less than a minute\n"
	      "      --corpus DIR  the files of this folder (see wd-bench corpus)\n"
	      "      --json        for programs instead of people\n"
	      "      --list        only say what there is\n"
	      "      --help\n\n"
	      "Exit status: 0 every measured goal is reached, 1 one is not, 2 wrong usage.\n",
	      out);
}

/* 0 or -1, and the reason is told. */
static int goals_run_init(struct goal_run *run)
{
	static char self[PATH_MAX];
	const char *why;

	*run = (struct goal_run){ .self = self, .soft = zlib_soft(&why) };
	if (run->soft && readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		return 0;
	fprintf(stderr, "wd-bench: %s\n", run->soft ? strerror(errno) : why);
	return -1;
}

static size_t goals_all(struct row *rows)
{
	size_t nr = 0;

	for (size_t t = 0; t < THEMES_NR; t++)
		for (const struct goal *goal = themes[t]; goal->name && nr < ROWS_MAX; goal++)
			rows[nr++].goal = goal;
	return nr;
}

/* A name stands for the row, and for all rows that begin with it and a dash. */
static int goals_is_named(const struct goal *goal, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(goal->name, name, len) && (!goal->name[len] || goal->name[len] == '-');
}

static size_t goals_chosen(struct row *rows, int names_nr, char **names)
{
	struct row all[ROWS_MAX] = { 0 };
	size_t all_nr = goals_all(all), nr = 0;

	for (int n = 0; n < names_nr; n++) {
		int is_known = 0;

		for (size_t i = 0; i < all_nr; i++)
			is_known |= goals_is_named(all[i].goal, names[n]);
		if (!is_known) {
			fprintf(stderr, "wd-bench: goals: no row is called '%s'; try --list\n",
				names[n]);
			exit(EXIT_USAGE);
		}
	}
	for (size_t i = 0; i < all_nr; i++) {
		int is_wanted = !names_nr;

		for (int n = 0; n < names_nr; n++)
			is_wanted |= goals_is_named(all[i].goal, names[n]);
		if (is_wanted)
			rows[nr++] = all[i];
	}
	return nr;
}

/* In a program started anew: what device there is, libz-wd looks for when it is loaded. */
static _Noreturn void goals_child(const struct goal_run *run, const struct goal *goal, int fd)
{
	char fd_text[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (goal->device)
		setenv("WD_DEVICE", goal->device, 1);
	if (goal->engine)
		setenv("ZWD_ENGINE", goal->engine, 1);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	execl(run->self, "wd-bench", "row", goal->name, fd_text, goal_scratch_dir(),
	      run->is_quick ? "1" : "0", run->corpus, NULL);
	_exit(EXIT_USAGE);
}

/* wd-bench row NAME FD SCRATCH QUICK [CORPUS] */
int row_main(int argc, char **argv)
{
	static struct row rows[ROWS_MAX];
	struct goal_result result = { 0 };
	struct goal_run run;
	size_t nr = goals_all(rows);
	int fd;

	if (argc < 5 || goals_run_init(&run))
		return EXIT_USAGE;
	fd = atoi(argv[2]);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	goal_scratch_use(argv[3]);
	run.is_quick = argv[4][0] == '1';
	run.corpus = argc > 5 ? argv[5] : NULL;
	alarm(run.is_quick ? 120 : 900);
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(rows[i].goal->name, argv[1]))
			continue;
		rows[i].goal->measure(&run, &result);
		/* Nothing that a library does at exit belongs to the row. */
		_exit(write(fd, &result, sizeof(result)) != sizeof(result));
	}
	return EXIT_USAGE;
}

static void goals_measure(const struct goal_run *run, struct row *row)
{
	struct goal_result got = { .value = NAN };
	int fds[2], status = 0;
	ssize_t len;
	pid_t pid;

	fflush(NULL);
	if (pipe(fds) || (pid = fork()) < 0) {
		goal_skip(&row->result, "%s", strerror(errno));
		return;
	}
	if (!pid) {
		close(fds[0]);
		goals_child(run, row->goal, fds[1]);
	}
	close(fds[1]);
	len = read(fds[0], &got, sizeof(got));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (len == sizeof(got)) {
		row->result = got;
	} else {
		row->result.is_wrong = 1;
		goal_skip(&row->result, "the measurement ended by %s %d",
			  WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

static const char *goals_verdict(const struct row *row)
{
	const struct goal *goal = row->goal;
	double value = row->result.value;

	if (row->result.is_wrong)
		return "not reached";
	if (isnan(value))
		return "not measured";
	if (goal->relation == GOAL_REPORT)
		return "reported";
	if (goal->relation == GOAL_AT_MOST ? value <= goal->limit : value >= goal->limit)
		return "reached";
	return "not reached";
}

/* Enough digits to tell a value from its limit. */
static const char *goals_number(double v, char *text)
{
	double size = fabs(v);
	int digits = size >= 100 ? 0 : size >= 1 ? 2 : 3;

	if (isnan(v))
		strcpy(text, "-");
	else if (size && size < 0.01)
		snprintf(text, 32, "%.2g", v);
	else
		snprintf(text, 32, "%.*f", digits, v);
	return text;
}

static const char *goals_relation(const struct goal *goal)
{
	static const char *const texts[] = { "<=", ">=", "any" };

	return texts[goal->relation];
}

static void goals_limit(const struct goal *goal, char *text, size_t len)
{
	if (goal->relation == GOAL_REPORT)
		snprintf(text, len, "%s", goal->unit);
	else
		snprintf(text, len, "%s %g %s", goals_relation(goal), goal->limit, goal->unit);
}

static void goals_text_row(const struct row *row)
{
	const struct goal *goal = row->goal;
	const struct goal_result *r = &row->result;
	char value[32], limit[48];

	goals_limit(goal, limit, sizeof(limit));
	printf("%-15s %-44s %-15s %10s  %-12s %-24s %s", goal->name, goal->what, limit,
	       goals_number(r->value, value), goals_verdict(row), goal->method, r->anchor);
	if (r->note[0])
		printf("%s[%s]", r->anchor[0] ? " " : "", r->note);
	putchar('\n');
	fflush(stdout);
}

static void goals_json_text(const char *key, const char *text)
{
	printf("\"%s\": \"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar((unsigned char)*text < ' ' ? ' ' : *text);
	}
	fputs("\"", stdout);
}

static void goals_json_row(const struct row *row, int is_last)
{
	const struct goal *goal = row->goal;

	fputs("    {", stdout);
	goals_json_text("name", goal->name);
	fputs(", ", stdout);
	goals_json_text("what", goal->what);
	printf(", \"relation\": \"%s\", \"limit\": %.10g, ", goals_relation(goal), goal->limit);
	goals_json_text("unit", goal->unit);
	fputs(", ", stdout);
	goals_json_text("method", goal->method);
	if (isnan(row->result.value))
		fputs(", \"value\": null, ", stdout);
	else
		printf(", \"value\": %.10g, ", row->result.value);
	goals_json_text("verdict", goals_verdict(row));
	fputs(", ", stdout);
	goals_json_text("anchor", row->result.anchor);
	fputs(", ", stdout);
	goals_json_text("note", row->result.note);
	puts(is_last ? "}" : "},");
	fflush(stdout);
}

static void goals_list(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char limit[48];

		goals_limit(rows[i].goal, limit, sizeof(limit));
		printf("%-15s %s %s\n", rows[i].goal->name, rows[i].goal->what, limit);
	}
}

static void goals_text_head(const struct goal_run *run)
{
	printf("input: %s%s; every figure is that of this run, on an emulated device, not silicon's\n",
	       run->corpus ? run->corpus : "generated mix", run->is_quick ? ", short loops" : "");
	printf("%-15s %-44s %-15s %10s  %-12s %-24s %s\n", "row", "what", "goal", "measured",
	       "verdict", "method", "measured beside it [note]");
}

int goals_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "quick", no_argument, NULL, 'q' },  { "corpus", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },   { "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },   { NULL, 0, NULL, 0 },
	};
	static struct row rows[ROWS_MAX];
	struct goal_run run;
	int is_json = 0, is_list = 0, status = EXIT_SUCCESS, c;
	unsigned int reached_nr = 0, measured_nr = 0, reported_nr = 0;
	size_t nr;

	if (goals_run_init(&run))
		return EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'q':
			run.is_quick = 1;
			break;
		case 'c':
			run.corpus = optarg;
			break;
		case 'j':
			is_json = 1;
			break;
		case 'l':
			is_list = 1;
			break;
		case 'h':
			goals_help(stdout);
			return EXIT_SUCCESS;
		default:
			goals_help(stderr);
			return EXIT_USAGE;
		}
	}
	nr = goals_chosen(rows, argc - optind, argv + optind);
	if (is_list) {
		goals_list(rows, nr);
		return EXIT_SUCCESS;
	}
	if (run.corpus && access(run.corpus, R_OK | X_OK)) {
		fprintf(stderr, "wd-bench: %s: %s\n", run.corpus, strerror(errno));
		return EXIT_USAGE;
	}
	goal_scratch("");
	if (is_json)
		printf("{\n  \"input\": \"%s\", \"quick\": %s, \"emulated\": true,\n  \"goals\": [\n",
		       run.corpus ? "corpus" : "generated mix", run.is_quick ? "true" : "false");
	else
		goals_text_head(&run);
	for (size_t i = 0; i < nr; i++) {
		goals_measure(&run, &rows[i]);
		if (is_json)
			goals_json_row(&rows[i], i + 1 == nr);
		else
			goals_text_row(&rows[i]);
		if (!strcmp(goals_verdict(&rows[i]), "reported"))
			reported_nr++;
		else
			measured_nr += !isnan(rows[i].result.value) || rows[i].result.is_wrong;
		if (!strcmp(goals_verdict(&rows[i]), "reached"))
			reached_nr++;
		else if (!strcmp(goals_verdict(&rows[i]), "not reached"))
			status = EXIT_MISSED;
	}
	if (is_json)
		puts("  ]\n}");
	else
		printf("%u of %u measured goals reached, %zu not measured\n", reached_nr,
		       measured_nr, nr - measured_nr - reported_nr);
	return status;
}
