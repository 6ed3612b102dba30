/* SPDX-License-Identifier: Zlib */
/* The command line of those commands that read their own options. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/zwd/commands.h"
#include "tools/zwd/options.h"

int options_wrong(const struct options_of *of, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "zwd: %s: ", of->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\n\n%s", of->usage);
	return ZWD_USAGE;
}

int options_read(const struct options_of *of, int argc, char **argv, void *arg)
{
	char own_name[32], shorts[32];
	int c, status = ZWD_DONE;

	snprintf(own_name, sizeof(own_name), "zwd: %s", of->name);
	snprintf(shorts, sizeof(shorts), "h%s", of->shorts);
	argv[0] = own_name; /* what getopt_long() calls us */
	optind = 0;	    /* glibc: begin anew */
	while (!status && (c = getopt_long(argc, argv, shorts, of->longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(of->usage, stdout);
			argv[0] = (char *)of->name;
			return ZWD_DONE;
		}
		if (c == '?') { /* getopt_long() said why */
			fprintf(stderr, "\n%s", of->usage);
			status = ZWD_USAGE;
		} else {
			status = of->take(arg, c, optarg);
		}
	}
	argv[0] = (char *)of->name;
	if (status)
		return status;
	if (argc - optind < of->words_min)
		return options_wrong(of, "an argument is missing");
	if (argc - optind > of->words_max)
		return options_wrong(of, "an argument too many: %s", argv[optind + of->words_max]);
	return -1;
}

int options_seconds(const struct options_of *of, const char *value, double *seconds)
{
	char *end;

	*seconds = strtod(value, &end);
	if (end == value || *end || !(*seconds >= 0.01 && *seconds <= 86400))
		return options_wrong(of, "not a number of seconds: %s", value);
	return ZWD_DONE;
}

int options_count(const struct options_of *of, const char *value, unsigned long *count)
{
	char *end;

	*count = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || !*count)
		return options_wrong(of, "not a number of times: %s", value);
	return ZWD_DONE;
}
