/* SPDX-License-Identifier: Zlib */
/* wd-gzip: a command with the options, messages and exit codes of GNU gzip 1.12, on top of zlib. */
#include "config.h"
#include "deflate.h"
#include "gzip.h"
#include "piece.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SUFFIX_MAX = 30,
	OPT_PRESUME_TTY = 256,
	OPT_RSYNCABLE,
	OPT_SYNCHRONOUS,
};

struct options opt = {
	.prog = "gzip",
	.suffix = ".gz",
	.level = 6,
	.no_name = -1,
	.no_time = -1,
};
static int exit_code;

static const char short_options[] = "ab:cdfhH?klLmMnNqrS:tvVZ123456789";
/* In the order in which an ambiguous abbreviation is explained. */
static const struct option long_options[] = {
	{ "ascii", no_argument, NULL, 'a' },
	{ "to-stdout", no_argument, NULL, 'c' },
	{ "stdout", no_argument, NULL, 'c' },
	{ "decompress", no_argument, NULL, 'd' },
	{ "uncompress", no_argument, NULL, 'd' },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "keep", no_argument, NULL, 'k' },
	{ "list", no_argument, NULL, 'l' },
	{ "license", no_argument, NULL, 'L' },
	{ "no-name", no_argument, NULL, 'n' },
	{ "name", no_argument, NULL, 'N' },
	{ "-presume-input-tty", no_argument, NULL, OPT_PRESUME_TTY },
	{ "quiet", no_argument, NULL, 'q' },
	{ "silent", no_argument, NULL, 'q' },
	{ "synchronous", no_argument, NULL, OPT_SYNCHRONOUS },
	{ "recursive", no_argument, NULL, 'r' },
	{ "suffix", required_argument, NULL, 'S' },
	{ "test", no_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "fast", no_argument, NULL, '1' },
	{ "best", no_argument, NULL, '9' },
	{ "lzw", no_argument, NULL, 'Z' },
	{ "bits", required_argument, NULL, 'b' },
	{ "rsyncable", no_argument, NULL, OPT_RSYNCABLE },
	{ NULL, 0, NULL, 0 },
};

static const char help_text[] =
	"Usage: %s [OPTION]... [FILE]...\n"
	"Replaces each FILE by a compressed one, or by its contents again.\n"
	"\n"
	"  -c, --stdout       results go to standard output, FILEs stay\n"
	"  -d, --decompress   restore the contents of compressed FILEs\n"
	"  -f, --force        overwrite, follow links, read and write terminals\n"
	"  -h, --help         print this text\n"
	"  -k, --keep         FILEs stay\n"
	"  -l, --list         print sizes and names instead\n"
	"  -L, --license      print the licence\n"
	"  -n, --no-name      neither store nor restore name and time\n"
	"  -N, --name         store and restore name and time\n"
	"  -q, --quiet        no warnings\n"
	"  -r, --recursive    descend into folders\n"
	"      --rsyncable    a local change of the input is one of the output\n"
	"  -S, --suffix=SUF   add and expect SUF instead of .gz\n"
	"      --synchronous  results reach the disk before FILE is removed\n"
	"  -t, --test         check compressed FILEs, write nothing\n"
	"  -v, --verbose      a line for each FILE\n"
	"  -V, --version      print the version\n"
	"  -1, --fast         quickest\n"
	"  -9, --best         smallest\n"
	"\n"
	"Without FILE, and for the FILE -, standard input is read.\n";

/* The first line is what scripts ask GNU gzip for. */
static const char version_text[] =
	"%s 1.12\n"
	"This is wd-gzip of libz-wd " PACKAGE_VERSION ", with the interface of GNU gzip 1.12.\n"
	"It is under the zlib licence, and there is NO WARRANTY, to the extent the law allows.\n";

static void say(const char *fmt, va_list args)
{
	if (opt.pigz) {
		pigz_say(fmt, args);
		return;
	}
	fflush(stdout);
	if (*fmt == '\n') {
		putc('\n', stderr);
		fmt++;
	}
	fprintf(stderr, "%s: ", opt.prog);
	vfprintf(stderr, fmt, args);
	putc('\n', stderr);
}

void gzip_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

void gzip_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit_code = GZIP_ERROR;
}

void gzip_warn(const char *fmt, ...)
{
	va_list args;

	if (!opt.quiet || opt.pigz) {
		va_start(args, fmt);
		say(fmt, args);
		va_end(args);
	}
	if (!opt.pigz)
		gzip_warned();
}

void gzip_warned(void)
{
	if (exit_code == GZIP_OK)
		exit_code = GZIP_WARNING;
}

void gzip_error_errno(const char *name)
{
	gzip_error("%s%s%s", name, *name ? ": " : "", strerror(errno));
}

void gzip_exit(int code)
{
	output_remove_partial();
	piece_end();
	deflate_stop();
	writer_stop();
	exit(code);
}

void gzip_die(const struct job *job, const char *why)
{
	gzip_error("\n%s: %s", job->in_name, why);
	gzip_exit(GZIP_ERROR);
}

void gzip_die_errno(const char *name)
{
	if (opt.pigz && opt.to_stdout && !strcmp(name, "stdout"))
		pigz_die_write();
	gzip_error("\n%s%s%s", name, *name ? ": " : "", strerror(errno));
	gzip_exit(GZIP_ERROR);
}

static void die_usage(void)
{
	fprintf(stderr, "Try `%s --help' for more information.\n", opt.prog);
	gzip_exit(GZIP_ERROR);
}

static void print_and_exit(const char *fmt)
{
	printf(fmt, opt.prog);
	if (fflush(stdout) || close(STDOUT_FILENO))
		gzip_die_errno("");
	gzip_exit(GZIP_OK);
}

/* What a command may do by default: GNU gzip takes only this from the variable GZIP. */
static bool is_valid_in_environment(int c)
{
	return (c >= '1' && c <= '9') || c == 'n' || c == 'N' || c == 'q' || c == 'v' ||
	       c == OPT_RSYNCABLE;
}

static void set_option(int c)
{
	switch (c) {
	case 'a':
		opt.ascii = true;
		break;
	case 'b':
		if (optarg[strspn(optarg, "0123456789")]) {
			gzip_error("-b operand is not an integer");
			die_usage();
		}
		break;
	case 'c':
		opt.to_stdout = true;
		break;
	case 'd':
		opt.decompress = true;
		break;
	case 'f':
		opt.force++;
		break;
	case 'h':
	case 'H':
		print_and_exit(help_text);
		break;
	case 'k':
		opt.keep = true;
		break;
	case 'l':
		opt.list = opt.decompress = opt.to_stdout = true;
		break;
	case 'L':
	case 'V':
		print_and_exit(version_text);
		break;
	case 'm':
	case 'M':
		opt.no_time = c == 'm';
		break;
	case 'n':
	case 'N':
		opt.no_name = opt.no_time = c == 'n';
		break;
	case OPT_PRESUME_TTY:
		opt.presume_tty = true;
		break;
	case 'q':
		opt.quiet = true;
		opt.verbose = 0;
		break;
	case 'r':
		opt.recursive = true;
		break;
	case OPT_RSYNCABLE:
		opt.rsyncable = true;
		break;
	case OPT_SYNCHRONOUS:
		opt.synchronous = true;
		break;
	case 'S':
		opt.suffix = optarg;
		break;
	case 't':
		opt.test = opt.decompress = opt.to_stdout = true;
		break;
	case 'v':
		opt.verbose++;
		opt.quiet = false;
		break;
	case 'Z':
		gzip_error("-Z not supported in this version");
		die_usage();
		break;
	case '1' ... '9':
		opt.level = c - '0';
		break;
	default:
		die_usage();
	}
}

static void die_environment(const char *what, const char *name)
{
	gzip_error("%s: %s in GZIP environment variable", name, what);
	die_usage();
}

/* Options out of the variable GZIP, which count before those of the command line. */
static void parse_environment(char *prog)
{
	const char *env = getenv("GZIP");
	char *words = env ? strdup(env) : NULL;
	char **argv, *word, *rest = NULL;
	int argc = 1, c, index = -1;

	if (!words)
		return;
	argv = calloc(strlen(words) + 3, sizeof(*argv));
	if (!argv)
		gzip_die_errno("");
	argv[0] = prog;
	for (word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		argv[argc++] = word;

	while ((c = getopt_long(argc, argv, short_options, long_options, &index)) != -1) {
		char name[40];

		if (c != '?' && !is_valid_in_environment(c)) {
			if (index >= 0)
				snprintf(name, sizeof(name), "--%s", long_options[index].name);
			else
				snprintf(name, sizeof(name), "-%c", c);
			die_environment("option not valid", name);
		}
		set_option(c);
		index = -1;
	}
	/* getopt() steps over a "--", which no program has a use for here. */
	if (optind > 1 && !strcmp(argv[optind - 1], "--"))
		die_environment("option not valid", "--");
	if (optind < argc)
		die_environment("non-option", argv[optind]);
	if (argc > 1 && !opt.quiet)
		gzip_say("warning: GZIP environment variable is deprecated; use an alias or script");
	optind = 0; /* glibc: start afresh */
	free(argv);
	free(words);
}

/* The name of the program, which decides what it does and prefixes its messages. */
static void name_program(char *argv0)
{
	char *slash = strrchr(argv0, '/'), *prog = strdup(slash ? slash + 1 : argv0);
	size_t len;

	if (!prog)
		gzip_die_errno("");
	opt.prog = prog;
	len = strlen(prog);
	if (len > 4 && !strcmp(prog + len - 4, ".exe"))
		prog[len - 4] = '\0';
	if (!strncmp(prog, "un", 2) || !strncmp(prog, "gun", 3))
		opt.decompress = true;
	else if ((*prog && !strcmp(prog + 1, "cat")) || !strcmp(prog, "gzcat"))
		opt.decompress = opt.to_stdout = true;
}

static void on_signal(int sig)
{
	output_remove_partial();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* A signal that whoever started us ignores stays ignored. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGHUP, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ };
	struct sigaction old, action = { .sa_handler = on_signal };
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&action.sa_mask, signals[i]);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

/* A standard descriptor that was closed must not come to be a file of ours, or a device's. What
 * stands for it fails like a closed one: it is open for the other direction only. */
static void occupy_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	int c, file_nr;

	if (argc < 1)
		return GZIP_ERROR;
	occupy_standard_files();
	name_program(argv[0]);
	parse_environment(argv[0]);
	while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		set_option(c);
	if (opt.no_time < 0)
		opt.no_time = opt.decompress;
	if (opt.no_name < 0)
		opt.no_name = opt.decompress;
	if (opt.ascii && !opt.quiet)
		gzip_say("option --ascii ignored on this system");
	if (!*opt.suffix || strlen(opt.suffix) > SUFFIX_MAX) {
		gzip_error("invalid suffix '%s'", opt.suffix);
		gzip_exit(GZIP_ERROR);
	}
	catch_signals();
	pigz_start(argc, argv);

	file_nr = argc - optind;
	if (!file_nr)
		file_treat_stdin();
	for (; optind < argc; optind++)
		file_treat(argv[optind]);
	if (opt.list)
		list_totals(file_nr);
	if (opt.to_stdout && opt.synchronous && fdatasync(STDOUT_FILENO) && errno != EINVAL &&
	    errno != EROFS)
		gzip_die_errno("stdout");
	/* Some file systems tell of a full disk only here. */
	if (opt.to_stdout && close(STDOUT_FILENO) && errno != EBADF)
		gzip_die_errno("stdout");
	codec_end();
	return exit_code;
}
