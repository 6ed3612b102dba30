/* SPDX-License-Identifier: Zlib */
/* zwd run: runs a program with libz-wd as its zlib, and becomes that program. */
#include "config.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/environment.h"

static const char usage[] =
	"Usage: zwd run [OPTION]... [NAME=VALUE]... PROGRAM [ARGUMENT]...\n"
	"Runs PROGRAM with libz-wd as its zlib.\n\nOptions:\n" ENVIRONMENT_HELP
	"The exit status is the program's; 127: there is no such program; 126: it cannot be run;\n"
	"125: something else is wrong.\n";

int run_main(int argc, char **argv)
{
	static const struct option options[] = { ENVIRONMENT_LONG, { NULL, 0, NULL, 0 } };
	static struct environment env = { .command = "run" };
	int c, nr;

	argv[0] = (char *)"zwd: run"; /* what getopt_long() calls us */
	optind = 0;
	while ((c = getopt_long(argc, argv, "+" ENVIRONMENT_SHORT, options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return ZWD_DONE;
		}
		if (environment_option(&env, c, optarg)) {
			fprintf(stderr, "\n%s", usage);
			return ENVIRONMENT_FAILED;
		}
	}
	nr = environment_words(&env, argv + optind);
	if (nr < 0)
		return ENVIRONMENT_FAILED;
	argv += optind + nr;
	if (!*argv) {
		fprintf(stderr, "zwd: run: a program is missing\n\n%s", usage);
		return ENVIRONMENT_FAILED;
	}
	if (environment_finish(&env))
		return ENVIRONMENT_FAILED;
	/* A wd-gzip that was taken for gzip has it, to end what would go round: this is a new
	 * start. */
	unsetenv("ZWD_GZIP_TAKEN");
	for (int i = 0; i < env.entries_nr; i++)
		putenv(env.entries[i]);
	execvp(argv[0], argv);
	c = errno == ENOENT ? ENVIRONMENT_NO_PROGRAM : ENVIRONMENT_NO_EXEC;
	fprintf(stderr, "zwd: run: %s: %s\n", argv[0], strerror(errno));
	return c;
}
