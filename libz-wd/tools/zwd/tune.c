/* SPDX-License-Identifier: Zlib */
/* zwd tune: from which sizes on this machine's device is the better choice, as lines of a settings
 * file. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/input.h"
#include "engine/profile.h"
#include "tools/zwd/commands.h"
#include "tools/zwd/json.h"
#include "tools/zwd/options.h"
#include "tools/zwd/show.h"
#include "tools/zwd/tune_measure.h"
#include "wd.h"

#define PIECE_LEN      (1u << 20) /* of the mix: of each kind so much, or twice */
#define REPEATS	       11
#define REPEATS_QUICK  5
#define BATCH_NS       3000000u
#define BATCH_QUICK_NS 400000u

static const char usage[] =
	"Usage: zwd tune [OPTION]... [FILE]...\n"
	"Measures from which size on the device is better than software, and prints lines for the\n"
	"settings file, with the figures as comments.\n\nOptions:\n"
	"  -d, --device=SPEC  which device, as the environment variable WD_DEVICE\n"
	"      --json         JSON instead of a settings file\n"
	"  -l, --lib=PATH     that libz-wd.so.1 instead of the installed one\n"
	"  -q, --quick        in a second or two, with more chance in it\n"
	"  -h, --help         this text\n"
	"The files are the data to measure with; without any, it is a generated mix.\n"
	"The exit status is 0; 1: there is no device, it fails, or a file cannot be read; 2: wrong "
	"usage.\n";

struct options {
	const char *device, *lib;
	bool is_json, is_quick;
};

enum { DEFLATE_FAST, DEFLATE, INFLATE, WORKS };

static struct tune_work works[WORKS] = {
	[DEFLATE_FAST] = { .name = "deflate, level 1",
			   .is_deflate = true,
			   .level = 1,
			   .levels = "1-3",
			   .profile_len = ZWD_PROFILE_MIN_DEFLATE_FAST },
	[DEFLATE] = { .name = "deflate, level 6",
		      .is_deflate = true,
		      .level = 6,
		      .levels = "4-6",
		      .profile_len = ZWD_PROFILE_MIN_DEFLATE },
	[INFLATE] = { .name = "inflate", .profile_len = ZWD_PROFILE_MIN_INFLATE },
};

/* What is to be set, and why. An empty value: nothing. */
struct advice {
	char name[16], value[16], why[200];
};

static int take(void *arg, int c, const char *value)
{
	struct options *o = arg;

	if (c == 'd')
		o->device = value;
	else if (c == 'j')
		o->is_json = true;
	else if (c == 'l')
		o->lib = value;
	else
		o->is_quick = true;
	return ZWD_DONE;
}

static void advise(struct advice *advice, const char *name, const char *value, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
static void advise(struct advice *advice, const char *name, const char *value, const char *format,
		   ...)
{
	va_list ap;

	snprintf(advice->name, sizeof(advice->name), "%s", name);
	snprintf(advice->value, sizeof(advice->value), "%s", value);
	va_start(ap, format);
	vsnprintf(advice->why, sizeof(advice->why), format, ap);
	va_end(ap);
}

/* "from 4096 bytes on", "at no size" */
static const char *from(size_t len, char text[40])
{
	if (len == TUNE_NEVER)
		strcpy(text, "at no size");
	else
		snprintf(text, 40, "from %zu bytes on", len);
	return text;
}

/* A level of which the device never is worth it: then all other levels need not suffer from it. */
static unsigned int keep_levels(struct advice *advice, const struct tune_work **kept)
{
	unsigned int nr = 0;
	size_t len;

	for (int i = DEFLATE_FAST; i <= DEFLATE; i++) {
		const struct tune_work *work = &works[i];

		if (!tune_choose(&work, 1, &len) || len != TUNE_NEVER)
			kept[nr++] = work;
	}
	if (nr == 1)
		advise(advice, "ZWD_LEVELS", kept[0]->levels,
		       "software is better at the other levels, at all sizes");
	return nr;
}

static void advise_deflate(struct advice *levels, struct advice *min)
{
	const struct tune_work *kept[2];
	unsigned int nr = keep_levels(levels, kept);
	char value[16], texts[2][40];
	size_t len, lens[2];

	if (!nr) {
		snprintf(value, sizeof(value), "%zu", TUNE_NEVER);
		advise(min, "ZWD_MIN_DEFLATE", value,
		       "software is better at all sizes that were measured");
		return;
	}
	if (!tune_choose(kept, nr, &len)) {
		advise(min, "ZWD_MIN_DEFLATE", "",
		       "no difference that can be told from what holds without it: %d at levels 1 "
		       "to 3, %d above",
		       ZWD_PROFILE_MIN_DEFLATE_FAST, ZWD_PROFILE_MIN_DEFLATE);
		return;
	}
	snprintf(value, sizeof(value), "%zu", len);
	for (unsigned int i = 0; i < nr; i++)
		tune_choose(&kept[i], 1, &lens[i]);
	if (nr == 2 && lens[0] != lens[1])
		advise(min, "ZWD_MIN_DEFLATE", value,
		       "the device is better %s at level 1, %s at level 6: what loses least with "
		       "one figure for both",
		       from(lens[0], texts[0]), from(lens[1], texts[1]));
	else
		advise(min, "ZWD_MIN_DEFLATE", value, "the device is better %s",
		       from(len, texts[0]));
}

static void advise_inflate(struct advice *min)
{
	const struct tune_work *work = &works[INFLATE];
	char value[16], text[40];
	size_t len;

	if (!tune_choose(&work, 1, &len)) {
		advise(min, "ZWD_MIN_INFLATE", "",
		       "no difference that can be told from what holds without it: %d",
		       ZWD_PROFILE_MIN_INFLATE);
		return;
	}
	snprintf(value, sizeof(value), "%zu", len);
	advise(min, "ZWD_MIN_INFLATE", value, "the device is better %s", from(len, text));
}

static void print_cell(const struct tune_spread *s)
{
	printf(" %9.1f +-%5.1f", (double)s->median / 1e3, (double)(s->high - s->low) / 2e3);
}

static const char *better(const struct tune_size *size)
{
	double score = tune_score(size);

	return score < 0 ? "device" : score > 0 ? "software" : NULL;
}

static void print_work(const struct tune_work *work)
{
	printf("#\n# %-17s %17s %17s %17s %17s  BETTER\n", work->name, "SOFTWARE: CPU", "TIME",
	       "DEVICE: CPU", "TIME");
	for (unsigned int i = 0; i < work->sizes_nr; i++) {
		const struct tune_size *size = &work->sizes[i];

		printf("# %17zu", size->len);
		print_cell(&size->soft.cpu);
		print_cell(&size->soft.wall);
		print_cell(&size->device.cpu);
		print_cell(&size->device.wall);
		printf("  %s\n", better(size) ? better(size) : "-");
	}
}

static void print_text(const struct tune *tune, const struct wd_device_info *info,
		       const struct advice *advices, unsigned int nr)
{
	char size[SHOW_SIZE_LEN];

	printf("# zwd tune: libz-wd %s, zlib %s, device %s.\n", tune->device.own_version,
	       tune->soft.zlibVersion(), info->name);
	if (info->is_emulated)
		printf("# The device is emulated: it computes on this processor. Silicon's figures "
		       "are others.\n");
	printf("# Data: %s, %sB. Microseconds of a call, its thread's CPU time and the time until "
	       "it is\n"
	       "# done: the median of %u repeats by turns, +- half of what their middle half "
	       "spans.\n",
	       tune->input->is_generated ? "a generated mix" : "files",
	       show_size(tune->input->len, size), tune->repeats_nr);
	for (int i = 0; i < WORKS; i++)
		print_work(&works[i]);
	for (unsigned int i = 0; i < nr; i++) {
		if (!*advices[i].name)
			continue;
		if (*advices[i].value)
			printf("\n# %s\n%s = %s\n", advices[i].why, advices[i].name,
			       advices[i].value);
		else
			printf("\n# %s: %s\n", advices[i].name, advices[i].why);
	}
}

static void json_spread(const char *name, const struct tune_spread *s)
{
	printf("\"%s\": {\"low\": %llu, \"median\": %llu, \"high\": %llu}", name,
	       (unsigned long long)s->low, (unsigned long long)s->median,
	       (unsigned long long)s->high);
}

static void json_side(const char *name, const struct tune_side *side)
{
	printf(", \"%s\": {", name);
	json_spread("cpu_ns", &side->cpu);
	printf(", ");
	json_spread("time_ns", &side->wall);
	printf("}");
}

static void json_work(const struct tune_work *work)
{
	for (unsigned int i = 0; i < work->sizes_nr; i++) {
		const struct tune_size *size = &work->sizes[i];

		printf("%s\n{\"direction\": \"%s\", \"level\": ", work == works && !i ? "" : ",",
		       work->is_deflate ? "deflate" : "inflate");
		if (work->is_deflate)
			printf("%d", work->level);
		else
			printf("null");
		printf(", \"bytes\": %zu", size->len);
		json_side("software", &size->soft);
		json_side("device", &size->device);
		printf(", \"better\": ");
		json_print(stdout, better(size));
		printf("}");
	}
}

static void print_json(const struct tune *tune, const struct wd_device_info *info,
		       const struct advice *advices, unsigned int nr)
{
	const char *comma = "";

	printf("{\"libz_wd\": ");
	json_print(stdout, tune->device.own_version);
	printf(", \"zlib\": ");
	json_print(stdout, tune->soft.zlibVersion());
	printf(", \"device\": ");
	json_print(stdout, info->name);
	printf(", \"is_emulated\": %s, \"is_generated\": %s, \"bytes\": %zu, \"repeats\": %u, "
	       "\"measured\": [",
	       info->is_emulated ? "true" : "false", tune->input->is_generated ? "true" : "false",
	       tune->input->len, tune->repeats_nr);
	for (int i = 0; i < WORKS; i++)
		json_work(&works[i]);
	printf("\n], \"settings\": {");
	for (unsigned int i = 0; i < nr; i++)
		if (*advices[i].value) {
			printf("%s\"%s\": \"%s\"", comma, advices[i].name, advices[i].value);
			comma = ", ";
		}
	printf("}}\n");
}

/* The user's settings hold, but for those that choose what is measured, or write. */
static void set_environment(const struct options *o, const struct wd_device_info *info)
{
	if (o->device || !getenv("WD_DEVICE"))
		setenv("WD_DEVICE", o->device ? o->device : info->name, 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_LEVELS", "0-9", 1);
	setenv("ZWD_LATENCY_MS", "0", 1);
	setenv("ZWD_STATS", "0", 1);
	setenv("ZWD_TRACE", "", 1);
	unsetenv("SOURCE_DATE_EPOCH");
}

static bool open_libraries(struct tune *tune, const char *path)
{
	const char *soft = getenv("ZWD_SOFT_ZLIB");

	if (!replay_lib_open(&tune->device, path))
		return false;
	if (!tune->device.own_version) {
		fprintf(stderr, "zwd: tune: %s is no libz-wd\n", tune->device.path);
		return false;
	}
	if (soft && *soft)
		return replay_lib_open(&tune->soft, soft);
	if (replay_lib_open_stock(&tune->soft))
		return true;
	fprintf(stderr, "zwd: tune: there is no zlib to compare with\n");
	return false;
}

static bool read_input(struct input *input, char **paths)
{
	int ret = 0;

	for (char **path = paths; *path && !ret; path++) {
		ret = input_add_file(input, *path);
		if (ret)
			fprintf(stderr, "zwd: tune: %s: %s\n", *path, strerror(-ret));
	}
	if (!*paths) {
		ret = input_add_mix(input, PIECE_LEN);
		if (ret)
			fprintf(stderr, "zwd: tune: %s\n", strerror(-ret));
	}
	return !ret;
}

static const char *failure(int err)
{
	switch (err) {
	case -EIO:
		return "the device did not do what it was given: zwd selftest tells whether it "
		       "works";
	case -EBADMSG:
		return "a result is wrong: zwd selftest --zlib tells more";
	case -ENODATA:
		return "there is too little data, or it shrinks to nothing";
	default:
		return strerror(-err);
	}
}

static int measure(struct tune *tune)
{
	for (int i = 0; i < WORKS; i++) {
		int ret = tune_measure(tune, &works[i]);

		if (ret) {
			fprintf(stderr, "zwd: tune: %s: %s\n", works[i].name, failure(ret));
			return ZWD_FAILED;
		}
	}
	return ZWD_DONE;
}

static int tune_all(const struct options *o, const struct wd_device_info *info, struct input *input)
{
	struct tune tune = { .input = input,
			     .repeats_nr = o->is_quick ? REPEATS_QUICK : REPEATS,
			     .batch_ns = o->is_quick ? BATCH_QUICK_NS : BATCH_NS,
			     .is_short = o->is_quick,
			     .is_shown = isatty(STDERR_FILENO) };
	struct advice advices[3] = { 0 };
	int status;

	set_environment(o, info);
	if (!open_libraries(&tune, o->lib))
		return ZWD_FAILED;
	status = measure(&tune);
	if (status)
		return status;
	advise_deflate(&advices[0], &advices[1]);
	advise_inflate(&advices[2]);
	(o->is_json ? print_json : print_text)(&tune, info, advices, 3);
	return ZWD_DONE;
}

int tune_main(int argc, char **argv)
{
	static const struct option longs[] = { { "device", required_argument, NULL, 'd' },
					       { "json", no_argument, NULL, 'j' },
					       { "lib", required_argument, NULL, 'l' },
					       { "quick", no_argument, NULL, 'q' },
					       OPTIONS_HELP };
	static const struct options_of of = { .name = "tune",
					      .usage = usage,
					      .shorts = "d:l:q",
					      .longs = longs,
					      .words_max = OPTIONS_ANY,
					      .take = take };
	struct options o = { 0 };
	const struct wd_device_info *info;
	struct input input = { 0 };
	int status = options_read(&of, argc, argv, &o);

	if (status >= 0)
		return status;
	status = devices_first(&(struct zwd_args){ .device = o.device }, &info);
	if (status)
		return status;
	status = read_input(&input, argv + optind) ? tune_all(&o, info, &input) : ZWD_FAILED;
	input_free(&input);
	return status;
}
