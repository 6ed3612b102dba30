/* SPDX-License-Identifier: Zlib */
/*
 * wd-gzip in the place of pigz: the preload has chosen calls where there is nothing to say. Where
 * there is something all the same, pigz itself says it: it is started for the file in question and
 * those behind it. Only of what came through a pipe, which is gone, its words are ours.
 */
#include "config.h"
#include "gzip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	char **argv;
	int argc;
	const char *file; /* NULL: standard input */
	off_t stdin_at;
} call;

void pigz_start(int argc, char **argv)
{
	const char *self = getenv("ZWD_GZIP_TAKEN");

	if (!self || *self != '/' || (strcmp(opt.prog, "pigz") && strcmp(opt.prog, "unpigz")))
		return;
	opt.pigz = self;
	call.argv = argv;
	call.argc = argc;
	call.stdin_at = lseek(STDIN_FILENO, 0, SEEK_CUR);
}

void pigz_treat(const char *name)
{
	call.file = name;
}

/* Its words begin with what it was called: pigz, by whatever name. */
static void tell(const char *what)
{
	if (!opt.quiet)
		fprintf(stderr, "pigz: %s\n", what);
}

/* pigz for files from one on, with an option besides, or NULL. Only returns what it ended with. */
static int run_pigz(int from, int end, const char *option)
{
	char **argv = calloc(call.argc + 3, sizeof(*argv));
	int argc = 0, status, i;
	pid_t pid;

	if (!argv)
		return GZIP_ERROR;
	argv[argc++] = call.argv[0];
	for (i = 1; i < call.argc; i++)
		if (call.argv[i][0] == '-')
			argv[argc++] = call.argv[i];
	if (option)
		argv[argc++] = (char *)option;
	for (i = from; i < end; i++)
		argv[argc++] = call.argv[i];
	pid = fork();
	if (!pid) {
		execv(opt.pigz, argv);
		_exit(GZIP_ERROR);
	}
	free(argv);
	if (pid < 0)
		return GZIP_ERROR;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return GZIP_ERROR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : GZIP_ERROR;
}

/* The index of the file under treatment in the arguments, behind all options. */
static int file_index(void)
{
	for (int i = 1; i < call.argc; i++)
		if (call.argv[i] == call.file)
			return i;
	return call.argc;
}

static const char *words_of_pipe(const char *what)
{
	static const struct {
		const char *part, *words;
	} table[] = {
		{ "unexpected end", "skipping: <stdin>: corrupted -- incomplete deflate data" },
		{ "crc error", "skipping: <stdin>: corrupted -- crc32 mismatch" },
		{ "length error", "skipping: <stdin>: corrupted -- length mismatch" },
		{ "memory exhausted", "abort: not enough memory" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strstr(what, table[i].part))
			return table[i].words;
	return "skipping: <stdin>: corrupted -- invalid deflate data";
}

/* Output that is there already cannot be made again: of such a file pigz is asked for a verdict. */
static int ask_pigz(const char *what)
{
	int at, code, rest = GZIP_OK;

	if (!call.file) {
		if (call.stdin_at >= 0 && opt.decompress &&
		    lseek(STDIN_FILENO, call.stdin_at, SEEK_SET) >= 0)
			return run_pigz(call.argc, call.argc, "-t");
		tell(opt.decompress ? words_of_pipe(what) : "abort: read error on <stdin>");
		return GZIP_ERROR;
	}
	at = file_index();
	if (!opt.to_stdout || opt.test)
		return run_pigz(at, call.argc, NULL);
	code = run_pigz(at, at + 1, "-t");
	if (at + 1 < call.argc)
		rest = run_pigz(at + 1, call.argc, NULL);
	return code ? code : rest;
}

void pigz_say(const char *fmt, va_list args)
{
	char what[4096 + 200];

	/* Neither is worth a word to it. */
	if (strstr(fmt, "trailing") || strstr(fmt, "file size changed"))
		return;
	vsnprintf(what, sizeof(what), fmt, args);
	output_remove_partial();
	gzip_exit(ask_pigz(what));
}

void pigz_die_write(void)
{
	int err = errno;
	char text[200];

	snprintf(text, sizeof(text), "abort: write error on <stdout> (%s)", strerror(err));
	tell(text);
	gzip_exit(err);
}
