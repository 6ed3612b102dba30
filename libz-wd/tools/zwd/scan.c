/* SPDX-License-Identifier: Zlib */
/* zwd scan: how the programs in folders come by their zlib. Opens nothing but regular files. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/json.h"
#include "tools/zwd/options.h"
#include "tools/zwd/program.h"

static const char usage[] =
	"Usage: zwd scan [OPTION]... FILE|FOLDER...\n"
	"Lists programs and libraries that use a zlib, and how each would get "
	"libz-wd.\n\nOptions:\n"
	"  -a, --all           also those without a sign of zlib, and those of other machines\n"
	"  -p, --programs      programs only, no libraries\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n"
	"The exit status is 0; 1: something could not be read; 2: wrong usage.\n";

struct scan {
	bool is_all, is_json, is_programs;
	bool is_failed;
	unsigned int found[PROGRAM_KINDS], listed, reached;
};

static void tell(struct scan *scan, const char *path, int error)
{
	fprintf(stderr, "zwd: scan: %s: %s\n", path, strerror(error));
	scan->is_failed = true;
}

static void print_json(struct scan *scan, const char *path, const struct program *p)
{
	printf("%s{\"path\": ", scan->listed ? ",\n " : "");
	json_print(stdout, path);
	printf(", \"type\": \"%s\", \"kind\": \"%s\", \"version\": ",
	       p->is_library ? "library" : "program", program_kind_name(p->kind));
	json_print(stdout, *p->version ? p->version : NULL);
	printf(", \"through\": ");
	json_print(stdout, *p->through ? p->through : NULL);
	printf(", \"set_id\": %s, \"preload\": %s, \"library_path\": %s}",
	       p->is_set_id ? "true" : "false", p->is_preload_good ? "true" : "false",
	       p->is_path_good ? "true" : "false");
}

/* A name may have anything in it, but a terminal is not to be told what to do. */
static void print_name(const char *name)
{
	for (; *name; name++)
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static void print_text(const char *path, const struct program *p)
{
	printf("%-8s %-4s ", program_kind_name(p->kind), p->is_preload_good ? "yes" : "no");
	print_name(path);
	if (*p->through)
		printf(" (%s)", p->through);
	if (*p->version)
		printf(" (zlib %s inside)", p->version);
	if (p->is_set_id)
		printf(" (set-user-ID or set-group-ID)");
	putchar('\n');
}

static bool is_listed(const struct scan *scan, const struct program *p)
{
	if (scan->is_programs && p->is_library)
		return false;
	return scan->is_all || (p->kind != PROGRAM_NONE && p->kind != PROGRAM_FOREIGN);
}

static void look(struct scan *scan, int dir, const char *name, const char *path)
{
	struct program program;
	int r = program_look(dir, name, path, &program);

	if (r == -ENOEXEC || r == -ENOENT) /* a program that is gone meanwhile is none */
		return;
	if (r) {
		tell(scan, path, -r);
		return;
	}
	if (!is_listed(scan, &program))
		return;
	if (scan->is_json)
		print_json(scan, path, &program);
	else
		print_text(path, &program);
	scan->found[program.kind]++;
	scan->listed++;
	scan->reached += program.is_preload_good;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/*
 * Links are not followed, so that nothing is seen twice and nothing goes round; other file systems
 * are not entered.
 */
static void walk(struct scan *scan, char *top)
{
	char *tops[] = { top, NULL };
	FTS *tree = fts_open(tops, FTS_PHYSICAL | FTS_XDEV, by_name);
	FTSENT *entry;

	if (!tree) {
		tell(scan, top, errno);
		return;
	}
	while ((errno = 0, entry = fts_read(tree))) {
		switch (entry->fts_info) {
		case FTS_F:
			/* What the kernel makes has no size, or is no program. */
			if (S_ISREG(entry->fts_statp->st_mode) && entry->fts_statp->st_size)
				look(scan, AT_FDCWD, entry->fts_accpath, entry->fts_path);
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			if (entry->fts_errno != ENOENT)
				tell(scan, entry->fts_path, entry->fts_errno);
			break;
		}
	}
	if (errno)
		tell(scan, top, errno);
	fts_close(tree);
}

static void print_sum(const struct scan *scan)
{
	const char *comma = "";

	printf("%u found", scan->listed);
	for (unsigned int i = 0; i < PROGRAM_KINDS; i++)
		if (scan->found[i]) {
			printf("%s%u %s", *comma ? comma : ": ", scan->found[i],
			       program_kind_name(i));
			comma = ", ";
		}
	printf(". Preloading reaches %u of them.\n", scan->reached);
}

static int take(void *arg, int c, const char *value)
{
	struct scan *scan = arg;

	(void)value;
	if (c == 'a')
		scan->is_all = true;
	else if (c == 'j')
		scan->is_json = true;
	else
		scan->is_programs = true;
	return ZWD_DONE;
}

int scan_main(int argc, char **argv)
{
	static const struct option longs[] = { { "all", no_argument, NULL, 'a' },
					       { "json", no_argument, NULL, 'j' },
					       { "programs", no_argument, NULL, 'p' },
					       OPTIONS_HELP };
	static const struct options_of of = {
		.name = "scan", .usage = usage, .shorts = "ap", .longs = longs,
		.words_min = 1, .words_max = OPTIONS_ANY, .take = take
	};
	struct scan scan = { 0 };
	int status = options_read(&of, argc, argv, &scan);

	if (status >= 0)
		return status;
	if (scan.is_json)
		putchar('[');
	else
		printf("%-8s %-4s %s\n", "ZLIB", "LOAD", "FILE");
	for (; optind < argc; optind++) {
		/* Named by the user, a link is what it leads to; and fts changes folders. */
		char *top = realpath(argv[optind], NULL);

		if (top)
			walk(&scan, top);
		else
			tell(&scan, argv[optind], errno);
		free(top);
	}
	if (scan.is_json)
		puts("]");
	else
		print_sum(&scan);
	return scan.is_failed ? ZWD_FAILED : ZWD_DONE;
}
