/* SPDX-License-Identifier: Zlib */
/* zwd: shows the devices that libz-wd can use and looks after them. See zwd(1). */
#include "config.h"
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/queues.h"

#define QUEUES_MAX 4096
#define ARRAY_NR(a) (sizeof(a) / sizeof((a)[0]))

enum option_bits {
	OPTION_DEVICE = 1,
	OPTION_JSON = 2,
	OPTION_COUNT = 4,
	OPTION_ZLIB = 8,
	OPTION_LIB = 16,
};

static const struct {
	unsigned int bit;
	const char *name;
	const char *usage;
	const char *does;
} switches[] = {
	{ OPTION_DEVICE, "--device", "-d, --device=SPEC",
	  "which devices, as the environment variable WD_DEVICE" },
	{ OPTION_JSON, "--json", "    --json", "JSON instead of text" },
	{ OPTION_COUNT, "--count", "-n, --count=COUNT",
	  "create: so many queues of each device; without it 8" },
	{ OPTION_ZLIB, "--zlib", "    --zlib", "selftest: zlib's interface in place of a device" },
	{ OPTION_LIB, "--lib", "-l, --lib=PATH", "--zlib: of this zlib; without it the installed libz-wd" },
};

static int run_queues(const struct zwd_args *args);
static int run_help(const struct zwd_args *args);
static int run_version(const struct zwd_args *args);

/* A new command is a row; a new option of it a row above and a case in read_options(). */
static const struct command {
	const char *name;
	const char *words; /* its arguments, as the usage shows them */
	int words_min, words_max;
	unsigned int options; /* bits */
	int (*run)(const struct zwd_args *args);
	const char *does;
} commands[] = {
	{ "list", "", 0, 0, OPTION_DEVICE | OPTION_JSON, devices_list,
	  "a table of the devices, in order of preference" },
	{ "info", "[DEVICE]", 0, 1, OPTION_DEVICE | OPTION_JSON, devices_info,
	  "everything known of one device" },
	{ "selftest", "[DEVICE]", 0, 1, OPTION_DEVICE | OPTION_JSON | OPTION_ZLIB | OPTION_LIB, selftest_run,
	  "round trips through one device, or the whole of zlib's interface, results checked" },
	{ "queues", "create|list|remove [DEVICE]", 1, 2, OPTION_COUNT, run_queues,
	  "makes, shows or removes queues of sdmdev's devices, or of one" },
	{ "help", "[COMMAND]", 0, 1, 0, run_help, "this text, or what one command takes" },
	{ "version", "", 0, 0, 0, run_version, "the version" },
};

/* Commands that open no device and read their own options; each prints its usage for --help. */
static const struct reader {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0]: the name. A status */
	const char *does;
} readers[] = {
	{ "cdi", cdi_main, "a specification that hands devices to containers" },
	{ "doctor", doctor_main, "why there is no device, or why it is not used" },
	{ "env", env_main, "prints what run would set, for a shell or for systemd" },
	{ "replay", replay_main, "makes the calls again that ZWD_TRACE recorded, and compares" },
	{ "run", run_main, "runs a program with libz-wd as its zlib" },
	{ "scan", scan_main, "how the programs in folders come by their zlib" },
	{ "stat", stat_main, "counters of running programs, or of those that ran" },
	{ "top", top_main, "what running programs do now, those that do most first" },
	{ "tune", tune_main, "from which sizes on the device is better, as lines of a settings file" },
};

static const struct reader *find_reader(const char *name)
{
	for (size_t i = 0; i < ARRAY_NR(readers); i++)
		if (!strcmp(readers[i].name, name))
			return &readers[i];
	return NULL;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_NR(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* command: NULL is all of them. */
static void print_usage(FILE *out, const struct command *command)
{
	unsigned int options = command ? command->options : ~0u;

	if (command) {
		fprintf(out, "Usage: zwd %s%s%s%s\n%s\n", command->name,
			options ? " [OPTION]..." : "", *command->words ? " " : "", command->words,
			command->does);
	} else {
		fprintf(out, "Usage: zwd COMMAND [OPTION]... [ARGUMENT]...\n"
			     "Shows the accelerators that libz-wd can use, and checks that one works.\n"
			     "\nCommands:\n");
		for (size_t i = 0; i < ARRAY_NR(commands); i++)
			fprintf(out, "  %-8s %-27s  %s\n", commands[i].name, commands[i].words,
				commands[i].does);
		for (size_t i = 0; i < ARRAY_NR(readers); i++)
			fprintf(out, "  %-8s %-27s  %s\n", readers[i].name, "...", readers[i].does);
	}
	fprintf(out, "\nOptions:\n");
	for (size_t i = 0; i < ARRAY_NR(switches); i++)
		if (options & switches[i].bit)
			fprintf(out, "  %-18s %s\n", switches[i].usage, switches[i].does);
	fprintf(out, "  %-18s %s\n", "-h, --help", "this text");
	if (!command)
		fprintf(out, "  %-18s %s\n\n%s\n", "-V, --version", "the version",
			"The exit status is 0: done; 1: not so, or failed; 2: wrong usage.");
}

static int __attribute__((format(printf, 2, 3)))
usage_error(const struct command *command, const char *format, ...)
{
	va_list ap;

	fputs("zwd: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\n\n", stderr);
	print_usage(stderr, command);
	return ZWD_USAGE;
}

static int run_queues(const struct zwd_args *args)
{
	const char *command = args->words[0];
	int is_create = !strcmp(command, "create");

	if (!is_create && strcmp(command, "list") && strcmp(command, "remove"))
		return usage_error(find_command("queues"), "queues: no such thing to do: %s", command);
	if (!is_create && args->count)
		return usage_error(find_command("queues"), "queues %s takes no --count", command);
	return queues_run(command, args->words[1], args->count ? args->count : QUEUES_COUNT);
}

static int run_help(const struct zwd_args *args)
{
	const struct command *command = NULL;

	if (args->words_nr) {
		const struct reader *reader = find_reader(args->words[0]);

		if (reader)
			return reader->run(2, (char *[]){ args->words[0], (char *)"--help", NULL });
		command = find_command(args->words[0]);
		if (!command)
			return usage_error(NULL, "no such command: %s", args->words[0]);
	}
	print_usage(stdout, command);
	return ZWD_DONE;
}

static int run_version(const struct zwd_args *args)
{
	printf("zwd (libz-wd) %s\n", PACKAGE_VERSION);
	return ZWD_DONE;
}

/* 0 where text is no number of queues. */
static unsigned int parse_count(const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	return *text < '0' || *text > '9' || *end || count > QUEUES_MAX ? 0 : count;
}

/*
 * Options before the command (command is NULL), or those after it. -1: go on, optind being the first
 * word; else a status.
 */
static int read_options(int argc, char **argv, const struct command *command, struct zwd_args *args,
			unsigned int *given)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "lib", required_argument, NULL, 'l' },
		{ "zlib", no_argument, NULL, 'z' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, command ? "d:hl:n:V" : "+d:hl:n:V", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			args->device = optarg;
			*given |= OPTION_DEVICE;
			break;
		case 'j':
			args->is_json = 1;
			*given |= OPTION_JSON;
			break;
		case 'l':
			args->lib = optarg;
			*given |= OPTION_LIB;
			break;
		case 'z':
			args->is_zlib = 1;
			*given |= OPTION_ZLIB;
			break;
		case 'n':
			args->count = parse_count(optarg);
			if (!args->count)
				return usage_error(command, "not a number of queues: %s", optarg);
			*given |= OPTION_COUNT;
			break;
		case 'h':
			print_usage(stdout, command);
			return ZWD_DONE;
		case 'V':
			return run_version(args);
		default: /* getopt_long() said why */
			fputc('\n', stderr);
			print_usage(stderr, command);
			return ZWD_USAGE;
		}
	}
	return -1;
}

/* Says which commands do have the first of the options that this one has not. */
static int refuse_option(const struct command *command, unsigned int options)
{
	char having[128] = "";
	size_t i = 0;

	while (!(options & switches[i].bit))
		i++;
	for (size_t k = 0; k < ARRAY_NR(commands); k++)
		if (commands[k].options & switches[i].bit) {
			size_t len = strlen(having);

			snprintf(having + len, sizeof(having) - len, " %s", commands[k].name);
		}
	return usage_error(command, "%s has no %s; these commands have it:%s", command->name,
			   switches[i].name, having);
}

static int run(int argc, char **argv)
{
	struct zwd_args args = { 0 };
	const struct command *command;
	const struct reader *reader;
	unsigned int given = 0;
	int r = read_options(argc, argv, NULL, &args, &given);

	if (r >= 0)
		return r;
	if (optind >= argc)
		return usage_error(NULL, "a command is missing");
	argc -= optind;
	argv += optind;
	reader = find_reader(argv[0]);
	if (reader && given)
		return usage_error(NULL, "options of %s come behind it", reader->name);
	if (reader)
		return reader->run(argc, argv);
	command = find_command(argv[0]);
	if (!command)
		return usage_error(NULL, "no such command: %s", argv[0]);
	argv[0] = (char *)"zwd"; /* what getopt_long() calls us */
	r = read_options(argc, argv, command, &args, &given);
	if (r >= 0)
		return r;
	if (given & ~command->options)
		return refuse_option(command, given & ~command->options);
	args.words = argv + optind;
	args.words_nr = argc - optind;
	if (args.words_nr < command->words_min)
		return usage_error(command, "%s: an argument is missing", command->name);
	if (args.words_nr > command->words_max)
		return usage_error(command, "%s: an argument too many: %s", command->name,
				   args.words[command->words_max]);
	return command->run(&args);
}

int main(int argc, char **argv)
{
	int r = run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "zwd: write error\n");
		return ZWD_FAILED;
	}
	return r;
}
