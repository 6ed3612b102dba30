/* SPDX-License-Identifier: Zlib */
/* wd-bench: the device's compression against the system's zlib, cell by cell. See wd-bench(1). */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zwd.h>

#include "equal.h"
#include "goals.h"
#include "plot.h"
#include "measure.h"
#include "table.h"

enum {
	EXIT_VERIFY = 1, /* a cell failed */
	EXIT_USAGE = 2,	 /* nothing could be measured: arguments, input, device */
};

#define BENCH_SIZES_NR	  32
#define BENCH_SIZE_MAX	  (64u << 20)
#define BENCH_THREADS_MAX 256
#define BENCH_DEPTH_MAX	  1024

struct options {
	size_t sizes[BENCH_SIZES_NR];
	unsigned int sizes_nr;
	int levels[10];
	unsigned int levels_nr;
	int directions[2]; /* whether wanted, by enum codec_direction */
	const char *format;
	const char *device;
	unsigned int trials_nr, threads_nr, depth;
	double seconds;
	size_t piece_len; /* of the generated mix */
	int is_direct, is_quick, is_quiet, is_equal_ratio;
	const char *html;
	void (*write)(const struct table *table, FILE *out);
	struct measure_cfg measure;
};

static volatile sig_atomic_t bench_signal;

static void bench_stop(int number)
{
	bench_signal = number;
	measure_stop = 1;
}

static void bench_help(FILE *out)
{
	fputs("Usage: wd-bench [OPTION]... [FILE]...\n"
	      "       wd-bench goals [OPTION]... [NAME]...\n"
	      "       wd-bench corpus DIR\n"
	      "Compares compression on the device with the system's zlib, on the files or on\n"
	      "a generated mix. Every result is verified before a figure is printed.\n\n"
	      "  -s, --sizes LIST      bytes per call, 4K,64K,1M\n"
	      "  -l, --levels LIST     levels of zlib, 1,6\n"
	      "  -d, --direction WHAT  both, deflate or inflate\n"
	      "  -f, --format NAME     zlib, gzip or raw\n"
	      "  -n, --trials N        trials per cell, 9\n"
	      "  -t, --seconds N       trials per cell as many as fit into N seconds\n"
	      "  -T, --threads N       calling threads, 1\n"
	      "      --device SPEC     as in WD_DEVICE, emu\n"
	      "      --direct          requests through libwd instead of deflate() and inflate()\n"
	      "      --depth N         with --direct: requests in flight per thread, 4\n"
	      "      --quick           few cells on a small mix, less than 20 seconds\n"
	      "      --json, --csv     for programs instead of people\n"
	      "      --html FILE       a page with plots, beside pigz, igzip and libdeflate-gzip\n"
	      "      --equal-ratio     at zlib's level whose size is nearest to the device's\n"
	      "  -q, --quiet           no progress\n"
	      "      --help, --version\n\n"
	      "Exit status: 0 all is well, 1 a verification failed, 2 nothing could be measured.\n",
	      out);
}

__attribute__((format(printf, 1, 2), noreturn)) static void bench_die(const char *format, ...)
{
	va_list args;

	fputs("wd-bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

/* A whole number from min to max at *text, with K or M behind it if suffix; advances *text. */
static unsigned long bench_number(const char *name, const char **text, int has_suffix,
				  unsigned long min, unsigned long max)
{
	const char *start = *text;
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(start, &end, 10);
	if (!isdigit((unsigned char)*start) || errno || value > max)
		bench_die("--%s: '%s' is no number from %lu to %lu", name, start, min, max);
	if (has_suffix && (*end == 'K' || *end == 'k')) {
		value <<= 10;
		end++;
	} else if (has_suffix && (*end == 'M' || *end == 'm')) {
		value <<= 20;
		end++;
	}
	if (value < min || value > max || (*end && *end != ','))
		bench_die("--%s: '%s' is no number from %lu to %lu", name, start, min, max);
	*text = end;
	return value;
}

static unsigned int bench_single(const char *name, const char *text, unsigned long max)
{
	const char *end = text;
	unsigned long value = bench_number(name, &end, 0, 1, max);

	if (*end)
		bench_die("--%s: '%s' is no number from 1 to %lu", name, text, max);
	return (unsigned int)value;
}

static void bench_sizes(struct options *o, const char *text)
{
	for (o->sizes_nr = 0;; text++) {
		if (o->sizes_nr == BENCH_SIZES_NR)
			bench_die("--sizes: more than %d", BENCH_SIZES_NR);
		o->sizes[o->sizes_nr++] = bench_number("sizes", &text, 1, 1, BENCH_SIZE_MAX);
		if (!*text)
			return;
	}
}

static void bench_levels(struct options *o, const char *text)
{
	for (o->levels_nr = 0;; text++) {
		if (o->levels_nr == sizeof(o->levels) / sizeof(o->levels[0]))
			bench_die("--levels: more than 10");
		o->levels[o->levels_nr++] = (int)bench_number("levels", &text, 0, 0, 9);
		if (!*text)
			return;
	}
}

static void bench_direction(struct options *o, const char *text)
{
	o->directions[CODEC_DEFLATE] = !strcmp(text, "both") || !strcmp(text, "deflate");
	o->directions[CODEC_INFLATE] = !strcmp(text, "both") || !strcmp(text, "inflate");
	if (!o->directions[CODEC_DEFLATE] && !o->directions[CODEC_INFLATE])
		bench_die("--direction: '%s' is none of both, deflate, inflate", text);
}

static void bench_format(struct options *o, const char *text)
{
	static const char *const names[] = {
		[CODEC_ZLIB] = "zlib", [CODEC_GZIP] = "gzip", [CODEC_RAW] = "raw"
	};

	for (enum codec_format f = CODEC_ZLIB; f <= CODEC_RAW; f++) {
		if (!strcmp(text, names[f])) {
			o->format = names[f];
			o->measure.codec.format = f;
			return;
		}
	}
	bench_die("--format: '%s' is none of zlib, gzip, raw", text);
}

static void bench_seconds(struct options *o, const char *text)
{
	char *end;

	o->seconds = strtod(text, &end);
	if (end == text || *end || !(o->seconds > 0 && o->seconds <= 86400))
		bench_die("--seconds: '%s' is no time up to a day", text);
}

static void bench_options(struct options *o, int argc, char **argv)
{
	enum {
		OPT_DEVICE = 256,
		OPT_DIRECT,
		OPT_DEPTH,
		OPT_QUICK,
		OPT_JSON,
		OPT_CSV,
		OPT_HTML,
		OPT_EQUAL_RATIO,
		OPT_HELP,
		OPT_VERSION,
	};
	static const struct option longs[] = {
		{ "sizes", required_argument, NULL, 's' },
		{ "levels", required_argument, NULL, 'l' },
		{ "direction", required_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'f' },
		{ "trials", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "threads", required_argument, NULL, 'T' },
		{ "device", required_argument, NULL, OPT_DEVICE },
		{ "direct", no_argument, NULL, OPT_DIRECT },
		{ "depth", required_argument, NULL, OPT_DEPTH },
		{ "quick", no_argument, NULL, OPT_QUICK },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "csv", no_argument, NULL, OPT_CSV },
		{ "html", required_argument, NULL, OPT_HTML },
		{ "equal-ratio", no_argument, NULL, OPT_EQUAL_RATIO },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:l:d:f:n:t:T:q", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			bench_sizes(o, optarg);
			break;
		case 'l':
			bench_levels(o, optarg);
			break;
		case 'd':
			bench_direction(o, optarg);
			break;
		case 'f':
			bench_format(o, optarg);
			break;
		case 'n':
			o->trials_nr = bench_single("trials", optarg, 10000);
			break;
		case 't':
			bench_seconds(o, optarg);
			break;
		case 'T':
			o->threads_nr = bench_single("threads", optarg, BENCH_THREADS_MAX);
			break;
		case OPT_DEVICE:
			o->device = optarg;
			break;
		case OPT_DIRECT:
			o->is_direct = 1;
			break;
		case OPT_DEPTH:
			o->depth = bench_single("depth", optarg, BENCH_DEPTH_MAX);
			break;
		case OPT_QUICK:
			o->is_quick = 1;
			break;
		case OPT_JSON:
			o->write = table_json;
			break;
		case OPT_CSV:
			o->write = table_csv;
			break;
		case OPT_HTML:
			o->html = optarg;
			o->write = table_html;
			break;
		case OPT_EQUAL_RATIO:
			o->is_equal_ratio = 1;
			break;
		case 'q':
			o->is_quiet = 1;
			break;
		case OPT_HELP:
			bench_help(stdout);
			exit(EXIT_SUCCESS);
		case OPT_VERSION:
			puts("wd-bench " PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		default:
			fputs("Try 'wd-bench --help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	if (o->trials_nr && o->seconds > 0)
		bench_die("--trials and --seconds exclude each other");
	if (o->depth && !o->is_direct)
		bench_die("--depth needs --direct");
	if (o->is_equal_ratio && o->levels_nr)
		bench_die("--equal-ratio and --levels exclude each other");
	/* A quick run asks for less, but never for less than the user asked. */
	o->piece_len = o->is_quick ? 256u << 10 : 512u << 10;
	if (!o->sizes_nr)
		bench_sizes(o, o->is_quick ? "4K,64K" : o->html ? "1K,4K,16K,64K,256K,1M,8M" : "4K,64K,1M");
	if (o->html && !plot_is_there())
		bench_die("--html draws with gnuplot, which is not there: Debian's package is gnuplot-nox");
	if (!o->levels_nr)
		bench_levels(o, o->is_equal_ratio ? "1" : "1,6");
	if (!o->trials_nr && !(o->seconds > 0))
		o->trials_nr = o->is_quick ? 3 : 9;
	if (!o->depth)
		o->depth = o->is_direct ? 4 : 1;
}

static void bench_input(const struct options *o, struct input *input, int files_nr, char **files)
{
	size_t piece_len = o->piece_len;
	int ret = 0;

	for (int i = 0; i < files_nr; i++) {
		ret = input_add_file(input, files[i]);
		if (ret < 0)
			bench_die("%s: %s", files[i], strerror(-ret));
	}
	if (!files_nr) {
		for (unsigned int i = 0; i < o->sizes_nr; i++)
			if (o->sizes[i] > piece_len)
				piece_len = o->sizes[i];
		ret = input_add_mix(input, piece_len);
	}
	if (ret < 0)
		bench_die("%s", strerror(-ret));
	if (!input->len)
		bench_die("the files are empty");
}

/* What stands behind key in the first line of a file that begins with it. */
static void bench_read(const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[256];

	snprintf(value, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		line[strcspn(line, "\n")] = 0;
		value[0] = 0;
		strncat(value, line + strlen(key), size - 1);
		break;
	}
	if (file)
		fclose(file);
}

static void bench_head(const struct options *o, struct table *t)
{
	const char *why = "";
	int nr;

	t->zlib_path = SOFT_ZLIB_PATH;
	t->zlib_version = codec_soft_version(&why);
	if (!t->zlib_version)
		bench_die("the system's zlib: %s", why);
	nr = wd_list_devices(NULL, &t->device, 1);
	if (nr < 0)
		bench_die("WD_DEVICE=%s: %s", getenv("WD_DEVICE"), strerror(-nr));
	if (nr == 0)
		bench_die("WD_DEVICE=%s: no such device", getenv("WD_DEVICE"));
	if (t->device.is_emulated)
		snprintf(t->device_text, sizeof(t->device_text),
			 "emulated ZIP device, engine %s, %u %s: figures are the emulation's, "
			 "not silicon's (%s)",
			 t->device.engine, t->device.engines,
			 t->device.engines == 1 ? "thread" : "threads", t->device.name);
	else
		snprintf(t->device_text, sizeof(t->device_text), "%s (%s, %s)", t->device.name,
			 t->device.transport, t->device.api);
	if (o->is_direct)
		snprintf(t->path_text, sizeof(t->path_text),
			 "libwd, %u requests in flight per thread", o->depth);
	else
		snprintf(t->path_text, sizeof(t->path_text),
			 "deflate() and inflate() of libz-wd %s, ZWD_ENGINE=%s", zwd_version(),
			 getenv("ZWD_ENGINE"));
	bench_read("/proc/cpuinfo", "model name\t: ", t->cpu, sizeof(t->cpu));
	bench_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", t->governor,
		   sizeof(t->governor));
	t->cores_nr = sysconf(_SC_NPROCESSORS_ONLN);
	t->format = o->format;
	t->threads_nr = o->threads_nr;
	t->depth = o->depth;
	t->is_equal_ratio = o->is_equal_ratio;
}

/* Returns whether every cell was verified. */
static int bench_cells(const struct options *o, struct table *t)
{
	size_t cells_nr =
		(size_t)o->sizes_nr * o->levels_nr * (size_t)(o->directions[0] + o->directions[1]);
	int is_shown = !o->is_quiet && isatty(STDERR_FILENO), is_verified = 1;
	char size[24];

	t->rows = calloc(cells_nr, sizeof(*t->rows));
	if (!t->rows)
		bench_die("%s", strerror(ENOMEM));
	for (size_t i = 0; i < cells_nr && !measure_stop; i++) {
		struct table_row *row = &t->rows[t->rows_nr];
		size_t per_size = cells_nr / o->sizes_nr, per_level = per_size / o->levels_nr;

		row->size = o->sizes[i / per_size];
		row->level = o->levels[i % per_size / per_level];
		if (o->is_equal_ratio) {
			int level = equal_level(&o->measure, t->input, row->size);

			if (level > 0)
				row->level = level;
		}
		row->direction = i % per_level || !o->directions[CODEC_DEFLATE] ? CODEC_INFLATE
										: CODEC_DEFLATE;
		if (is_shown)
			fprintf(stderr, "\r\033[K%zu/%zu %s level %d %s", i + 1, cells_nr,
				table_size(row->size, size), row->level,
				table_direction(row->direction));
		measure_cell(&o->measure, t->input, row);
		if (row->failure || row->trials_nr)
			t->rows_nr++;
		if (row->failure)
			is_verified = 0;
	}
	if (is_shown)
		fputs("\r\033[K", stderr);
	t->is_interrupted = measure_stop;
	return is_verified;
}

/* libz-wd looks for its device when it is loaded: another one needs another start. */
static void bench_environment(const struct options *o, char **argv)
{
	const char *before = getenv("WD_DEVICE");
	const char *device = o->device ? o->device : before ? before : "emu";

	setenv("ZWD_ENGINE", "hw", 0);
	if (before && !strcmp(before, device))
		return;
	setenv("WD_DEVICE", device, 1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	struct options o = {
		.directions = { 1, 1 },
		.format = "zlib",
		.threads_nr = 1,
		.write = table_text,
	};
	struct sigaction action = { .sa_handler = bench_stop, .sa_flags = (int)SA_RESETHAND };
	struct input input = { 0 };
	struct table table = { .input = &input };
	FILE *out = stdout;
	int is_verified;

	if (argc > 1 && !strcmp(argv[1], "goals"))
		return goals_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "row"))
		return row_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "trial"))
		return trial_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "loop"))
		return loop_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "corpus"))
		return corpus_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "generate"))
		return generate_main(argc - 1, argv + 1);
	bench_options(&o, argc, argv);
	bench_environment(&o, argv);
	bench_input(&o, &input, argc - optind, argv + optind);
	bench_head(&o, &table);
	o.measure.device_ops = o.is_direct ? &codec_queue : &codec_stream;
	o.measure.codec.depth = o.depth;
	o.measure.threads_nr = o.threads_nr;
	o.measure.trials_nr = o.trials_nr;
	o.measure.seconds = o.seconds;
	for (unsigned int i = 0; o.is_direct && i < o.sizes_nr; i++)
		if (o.sizes[i] > table.device.max_len)
			bench_die("--sizes: a request of the device has %u bytes at most",
				  table.device.max_len);
	/* What cannot be written is known before it is measured. */
	if (o.html)
		out = fopen(o.html, "we");
	if (!out)
		bench_die("%s: %s", o.html, strerror(errno));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	is_verified = bench_cells(&o, &table);
	o.write(&table, out);
	if (fflush(out) || ferror(out))
		bench_die("%s: %s", o.html ? o.html : "standard output", strerror(errno));
	free(table.rows);
	input_free(&input);
	if (bench_signal)
		raise(bench_signal);
	return is_verified ? EXIT_SUCCESS : EXIT_VERIFY;
}
