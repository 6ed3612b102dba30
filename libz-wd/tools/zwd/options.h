/* SPDX-License-Identifier: Zlib */
/* The command line of those commands that read their own options. */
#ifndef ZWD_OPTIONS_H
#define ZWD_OPTIONS_H

#include <getopt.h>

#define OPTIONS_ANY 1000000 /* words: as many as there are */

struct options_of {
	const char *name;	    /* of the command */
	const char *usage;	    /* for --help, and for whoever is wrong */
	const char *shorts;	    /* as getopt_long() takes them; without h */
	const struct option *longs; /* OPTIONS_HELP among them */
	int words_min, words_max;
	/* One option: a status other than ZWD_DONE ends it. NULL: there are none but --help. */
	int (*take)(void *arg, int c, const char *value);
};

#define OPTIONS_HELP                                                                               \
	{ "help", no_argument, NULL, 'h' },                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}

/* -1: go on, optind being the first word; else a status. */
int options_read(const struct options_of *of, int argc, char **argv, void *arg);

/* ZWD_USAGE, after a sentence and the usage. */
int options_wrong(const struct options_of *of, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Values: from 0.01 to a day; from 1 on. ZWD_DONE, or as options_wrong(). */
int options_seconds(const struct options_of *of, const char *value, double *seconds);
int options_count(const struct options_of *of, const char *value, unsigned long *count);

#endif
