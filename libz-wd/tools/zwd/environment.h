/* SPDX-License-Identifier: Zlib */
/* The environment in which a program has libz-wd as its zlib: for zwd run and zwd env. */
#ifndef ZWD_ENVIRONMENT_H
#define ZWD_ENVIRONMENT_H

#include <stddef.h>

/* As env(1) has them. */
enum environment_status {
	ENVIRONMENT_FAILED = 125, /* of our own making, a wrong command line included */
	ENVIRONMENT_NO_EXEC = 126,
	ENVIRONMENT_NO_PROGRAM = 127,
};

#define ENVIRONMENT_MAX 64

struct environment {
	const char *command; /* for messages: "run" or "env" */
	const char *library; /* NULL: the installed one */
	const char *device;
	int is_by_path;	/* LD_LIBRARY_PATH in place of LD_PRELOAD */
	int has_no_gzip;
	int is_alone; /* what this process has in its own environment does not count */
	char *entries[ENVIRONMENT_MAX]; /* NAME=VALUE, allocated */
	int entries_nr;
};

/* The options that both commands have. */
#define ENVIRONMENT_SHORT "d:GhL:p"
#define ENVIRONMENT_LONG \
	{ "device", required_argument, NULL, 'd' }, { "no-gzip", no_argument, NULL, 'G' }, \
		{ "help", no_argument, NULL, 'h' }, { "library", required_argument, NULL, 'L' }, \
		{ "path", no_argument, NULL, 'p' }
#define ENVIRONMENT_HELP \
	"  -d, --device=SPEC   sets WD_DEVICE: which devices, in order of preference\n" \
	"  -G, --no-gzip       leaves GNU gzip as it is (ZWD_GZIP=0)\n" \
	"  -p, --path          sets LD_LIBRARY_PATH instead of LD_PRELOAD: programs that link\n" \
	"                      zlib are reached, and no others\n" \
	"  -L, --library=FILE  that libz-wd.so.1 instead of the installed one\n" \
	"  -h, --help          this text\n" \
	"NAME=VALUE sets a variable; those of libz-wd are checked, see libz-wd(7).\n"

/* One of the options above: 0, or it is none of them (-1). */
int environment_option(struct environment *env, int c, const char *value);

/*
 * Takes the words NAME=VALUE off the front: how many; or, after saying why, -1. Then finish() adds what
 * the options ask for; 0 or, after saying why, -1.
 */
int environment_words(struct environment *env, char **words);
int environment_finish(struct environment *env);

#endif
