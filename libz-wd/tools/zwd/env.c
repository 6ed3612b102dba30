/* SPDX-License-Identifier: Zlib */
/* zwd env: prints the environment that zwd run sets, for shells and for systemd. */
#include "config.h"
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include "operate/settings.h"
#include "tools/zwd/commands.h"
#include "tools/zwd/environment.h"
#include "tools/zwd/queues.h"

static const char usage[] =
	"Usage: zwd env [OPTION]... [NAME=VALUE]...\n"
	"Prints what zwd run sets, as commands of a shell: eval \"$(zwd env)\"\n\nOptions:\n"
	"  -n, --names         prints the names of all settings instead, a line each\n"
	"  -S, --systemd       prints a drop-in for a unit of systemd instead\n" ENVIRONMENT_HELP
	"The exit status is 0, or 125: something is wrong.\n";

static void print_names(void)
{
	const char *name;

	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++)
		puts(name);
	puts("ZWD_CONFIG");
}

/* Within single quotes nothing is special but their end. */
static void print_shell(const char *entry)
{
	size_t len = strcspn(entry, "=");

	printf("export %.*s='", (int)len, entry);
	for (const char *c = entry + len + 1; *c; c++)
		if (*c == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*c);
	puts("'");
}

/* systemd.exec(5): C's escapes, and % begins a specifier. */
static void print_systemd(const char *entry)
{
	fputs("Environment=\"", stdout);
	for (const char *c = entry; *c; c++)
		if (*c == '%')
			fputs("%%", stdout);
		else if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			printf("\\x%02x", (unsigned char)*c);
		else
			putchar(*c);
	puts("\"");
}

int env_main(int argc, char **argv)
{
	static const struct option options[] = { ENVIRONMENT_LONG,
						 { "names", no_argument, NULL, 'n' },
						 { "systemd", no_argument, NULL, 'S' },
						 { NULL, 0, NULL, 0 } };
	static struct environment env = { .command = "env" };
	int c, nr;

	argv[0] = (char *)"zwd: env"; /* what getopt_long() calls us */
	optind = 0;
	while ((c = getopt_long(argc, argv, ENVIRONMENT_SHORT "nS", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return ZWD_DONE;
		case 'n':
			print_names();
			return ZWD_DONE;
		case 'S':
			env.is_alone = 1;
			break;
		default:
			if (!environment_option(&env, c, optarg))
				break;
			fprintf(stderr, "\n%s", usage);
			return ENVIRONMENT_FAILED;
		}
	}
	nr = environment_words(&env, argv + optind);
	if (nr < 0)
		return ENVIRONMENT_FAILED;
	if (argv[optind + nr]) {
		fprintf(stderr, "zwd: env: not NAME=VALUE: %s\n\n%s", argv[optind + nr], usage);
		return ENVIRONMENT_FAILED;
	}
	if (environment_finish(&env))
		return ENVIRONMENT_FAILED;
	if (env.is_alone)
		puts("[Service]");
	for (int i = 0; i < env.entries_nr; i++)
		(env.is_alone ? print_systemd : print_shell)(env.entries[i]);
	/* A unit with a group that there is none of does not start. */
	if (env.is_alone && getgrnam(QUEUES_GROUP))
		puts("SupplementaryGroups=" QUEUES_GROUP);
	return ZWD_DONE;
}
