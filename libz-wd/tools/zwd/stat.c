/* SPDX-License-Identifier: Zlib */
/* zwd stat: counters of running programs, or of those that ran. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/zwd/commands.h"
#include "tools/zwd/find.h"
#include "tools/zwd/options.h"
#include "tools/zwd/show.h"

enum form { FORM_TABLE, FORM_JSON, FORM_PROM };

struct options {
	enum form form;
	const char *folder;
	double interval_s; /* 0: once */
	unsigned long count; /* of lines; 0: without end */
	struct find find;
};

static const char usage[] =
	"Usage: zwd stat [OPTION]... [PID|PROGRAM]...\n"
	"Counters of libz-wd in running programs, read out of them: of those named, or of all\n"
	"that this user may look into.\n\nOptions:\n"
	"      --dir=PATH      those that ZWD_STATS=dir:PATH left, summed by program\n"
	"      --json          JSON instead of text\n"
	"      --prom          the text format of Prometheus\n"
	"  -i, --interval=S    a line every S seconds: what happened since the last one\n"
	"  -n, --count=COUNT   with -i: so many lines\n"
	"  -h, --help          this text\n"
	"The exit status is 0; 1: one that was named is not there, or failed; 2: wrong usage.\n";

static int take(void *arg, int c, const char *value);

static const struct option longs[] = { { "count", required_argument, NULL, 'n' },
				       { "dir", required_argument, NULL, 'd' },
				       { "interval", required_argument, NULL, 'i' },
				       { "json", no_argument, NULL, 'j' },
				       { "prom", no_argument, NULL, 'p' },
				       OPTIONS_HELP };
static const struct options_of of = { .name = "stat",
				      .usage = usage,
				      .shorts = "i:n:",
				      .longs = longs,
				      .words_max = OPTIONS_ANY,
				      .take = take };

static int take(void *arg, int c, const char *value)
{
	struct options *o = arg;

	switch (c) {
	case 'd':
		o->folder = value;
		return ZWD_DONE;
	case 'i':
		return options_seconds(&of, value, &o->interval_s);
	case 'n':
		return options_count(&of, value, &o->count);
	default:
		if (o->form != FORM_TABLE)
			return options_wrong(&of, "--json and --prom exclude each other");
		o->form = c == 'j' ? FORM_JSON : FORM_PROM;
		return ZWD_DONE;
	}
}

/* -1: go on; else a status. */
static int read_options(int argc, char **argv, struct options *o)
{
	int status = options_read(&of, argc, argv, o);

	if (status >= 0)
		return status;
	if (o->count && !o->interval_s)
		return options_wrong(&of, "--count goes with --interval");
	if (o->interval_s && (o->folder || o->form == FORM_PROM))
		return options_wrong(&of, "%s is not for an interval", o->folder ? "--dir" : "--prom");
	o->find.words = argv + optind;
	o->find.words_nr = argc - optind;
	return -1;
}

static int show_folder(const struct options *o)
{
	struct lives lives = { 0 };
	int status = live_of_folder(&lives, o->folder) ? ZWD_FAILED : ZWD_DONE;

	if (find_in_sums(&o->find, &lives))
		status = ZWD_FAILED;
	if (o->form == FORM_JSON)
		export_json(&lives, true);
	else if (o->form == FORM_PROM)
		export_prom(&lives, true);
	else if (lives.nr)
		show_table(&lives, true);
	lives_free(&lives);
	return status;
}

static int show_once(const struct options *o)
{
	struct lives lives = { 0 };
	int status = find_processes(&o->find, &lives, true) ? ZWD_FAILED : ZWD_DONE;

	if (o->form == FORM_JSON)
		export_json(&lives, false);
	else if (o->form == FORM_PROM)
		export_prom(&lives, false);
	else if (lives.nr)
		show_table(&lives, false);
	lives_free(&lives);
	return status;
}

static int show_intervals(const struct options *o)
{
	struct lives before = { 0 };
	int status = find_processes(&o->find, &before, true) ? ZWD_FAILED : ZWD_DONE;

	double then = find_clock(), moment;

	/* Those that were named and are not there were told; the others go on. */
	if (status && !before.nr)
		return status;
	for (unsigned long i = 0; !o->count || i < o->count; i++) {
		struct lives now = { 0 }, changes = { 0 };

		find_sleep(o->interval_s);
		find_processes(&o->find, &now, false);
		moment = find_clock();
		if (o->find.words_nr && !now.nr) {
			lives_free(&now);
			break; /* all have ended */
		}
		for (size_t k = 0; k < now.nr; k++)
			*lives_add(&changes) = now.live[k];
		lives_subtract(&changes, &before);
		if (o->form == FORM_TABLE && i % 20 == 0)
			show_interval_head();
		if (o->form == FORM_TABLE)
			show_interval(&changes);
		else
			export_json_interval(&changes, moment - then);
		lives_free(&changes);
		lives_free(&before);
		before = now;
		then = moment;
		if (ferror(stdout))
			break;
	}
	lives_free(&before);
	return status;
}

int stat_main(int argc, char **argv)
{
	struct options o = { 0 };
	int r = read_options(argc, argv, &o);

	if (r >= 0)
		return r;
	if (o.folder)
		return show_folder(&o);
	return o.interval_s ? show_intervals(&o) : show_once(&o);
}
