/* SPDX-License-Identifier: Zlib */
/* zwd replay: the calls that ZWD_TRACE recorded, made again in this or another zlib, and compared.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/options.h"
#include "tools/zwd/replay_run.h"

static const char usage[] =
	"Usage: zwd replay [OPTION]... FILE\n"
	"Makes the calls again that ZWD_TRACE=FILE[,data] recorded, and compares what comes "
	"of them.\n"
	"\nOptions:\n"
	"  -l, --lib=PATH     in this zlib; without it the installed libz-wd\n"
	"  -b, --bytes        what deflate makes must be the same bytes, whoever made them\n"
	"      --json         JSON instead of text\n"
	"  -h, --help         this text\n"
	"\nThe exit status is 0: all is equal; 1: something differs, or failed; 2: FILE is "
	"no sound trace, or\n"
	"wrong usage.\n";

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The whole file in memory; NULL: told. */
static uint8_t *map_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *data = MAP_FAILED;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "zwd: %s: %s\n", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		fprintf(stderr, "zwd: %s: it is no trace\n", path);
	} else {
		*len = (size_t)st.st_size;
		/* A copy: whoever cuts the file meanwhile shall not end this. */
		data = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t at = 0; data != MAP_FAILED && at < *len;) {
			ssize_t n = read(fd, data + at, *len - at);

			if (n <= 0)
				*len = at;
			else
				at += (size_t)n;
		}
	}
	if (fd >= 0)
		close(fd);
	return data == MAP_FAILED ? NULL : data;
}

/* Is the value of NAME in the first text record the same as value? */
static bool info_is(struct trace_file file, const char *name, const char *value)
{
	struct trace_call call;
	size_t len = strlen(name);

	while (trace_file_next(&file, &call) && call.kind == ZWD_TRACE_INFO)
		for (const char *at = (const char *)call.data, *end = at + call.data_len; at < end;
		     at += strlen(at) + 1)
			if (!strncmp(at, name, len) && at[len] == '=' &&
			    !strcmp(at + len + 1, value))
				return true;
	return false;
}

static void print_json(const struct replay *r, const struct trace_file *file, const char *lib)
{
	static const char *const names[REPLAY_SKIPS] = { "no_data", "no_stream", "gz",
							 "lacks",   "too_large", "other" };

	printf("{\"calls\": %llu, \"replayed\": %llu, \"streams\": %llu, \"differences\": %llu, "
	       "\"bytes_in\": %llu, \"bytes_out\": %llu, \"recorded_ns\": %llu, \"ns\": %llu, "
	       "\"is_cut\": %s, "
	       "\"is_sound\": %s, \"zlib\": \"%s\", \"libz_wd\": %s%s%s, \"not_replayed\": {",
	       (unsigned long long)r->calls_nr, (unsigned long long)r->made_nr,
	       (unsigned long long)r->streams_nr, (unsigned long long)r->differences_nr,
	       (unsigned long long)r->bytes_in, (unsigned long long)r->bytes_out,
	       (unsigned long long)r->recorded_ns, (unsigned long long)r->ns,
	       file->is_cut ? "true" : "false", file->wrong ? "false" : "true", lib,
	       r->lib->own_version ? "\"" : "", r->lib->own_version ? r->lib->own_version : "null",
	       r->lib->own_version ? "\"" : "");
	for (int i = 0; i < REPLAY_SKIPS; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", names[i],
		       (unsigned long long)r->skipped_nr[i]);
	printf("}}\n");
}

static void print_text(const struct replay *r, const struct trace_file *file, const char *lib)
{
	printf("%llu calls recorded, %llu made again on %llu streams, by zlib %s",
	       (unsigned long long)r->calls_nr, (unsigned long long)r->made_nr,
	       (unsigned long long)r->streams_nr, lib);
	if (r->lib->own_version)
		printf(" under libz-wd %s", r->lib->own_version);
	printf(": recorded in %.3f s, here %.3f s.\n", (double)r->recorded_ns / 1e9,
	       (double)r->ns / 1e9);
	for (int i = 0; i < REPLAY_SKIPS; i++)
		if (r->skipped_nr[i])
			printf("%llu calls were not made: %s.\n",
			       (unsigned long long)r->skipped_nr[i], replay_skip_words(i));
	if (file->is_cut)
		printf("The trace is cut in the middle of a record.\n");
	if (r->differences_nr)
		printf("%llu differences.\n", (unsigned long long)r->differences_nr);
	else if (r->made_nr)
		printf("All of them: equal.\n");
	else
		printf("Nothing was compared.\n");
}

struct options {
	const char *lib;
	bool is_exact, is_json;
};

static int replay_file(const char *path, const struct options *o)
{
	struct replay replay = { .is_exact = o->is_exact, .is_quiet = o->is_json, .budget = UINT64_MAX };
	struct replay_lib lib, stock;
	struct trace_file file;
	const char *device;
	uint8_t *data;
	size_t len = 0;
	double begin;

	if (!replay_lib_open(&lib, o->lib))
		return ZWD_FAILED;
	if (!replay_lib_open_stock(&stock)) {
		fprintf(stderr, "zwd: there is no zlib to decode with\n");
		return ZWD_FAILED;
	}
	data = map_file(path, &len);
	if (!data)
		return ZWD_USAGE;
	if (!trace_file_begin(&file, data, len)) {
		fprintf(stderr, "zwd: %s: %s\n", path, file.wrong);
		return ZWD_USAGE;
	}
	device = getenv("WD_DEVICE");
	replay.lib = &lib;
	replay.stock = &stock;
	replay.is_same = info_is(file, "zlib", lib.zlibVersion()) &&
			 (!lib.own_version || (device && !strcmp(device, "none")));
	begin = now_s();
	if (!replay_run(&replay, &file)) {
		fprintf(stderr, "zwd: out of memory\n");
		return ZWD_FAILED;
	}
	replay.ns = (uint64_t)((now_s() - begin) * 1e9);
	if (o->is_json)
		print_json(&replay, &file, lib.zlibVersion());
	else
		print_text(&replay, &file, lib.zlibVersion());
	if (file.wrong)
		fprintf(stderr, "zwd: %s: after %llu calls, %s\n", path,
			(unsigned long long)replay.calls_nr, file.wrong);
	munmap(data, len);
	return file.wrong ? ZWD_USAGE : replay.differences_nr ? ZWD_FAILED : ZWD_DONE;
}

static int take(void *arg, int c, const char *value)
{
	struct options *o = arg;

	if (c == 'l')
		o->lib = value;
	else if (c == 'b')
		o->is_exact = true;
	else
		o->is_json = true;
	return ZWD_DONE;
}

int replay_main(int argc, char **argv)
{
	static const struct option longs[] = { { "bytes", no_argument, NULL, 'b' },
					       { "json", no_argument, NULL, 'j' },
					       { "lib", required_argument, NULL, 'l' },
					       OPTIONS_HELP };
	static const struct options_of of = {
		.name = "replay", .usage = usage, .shorts = "bl:", .longs = longs,
		.words_min = 1, .words_max = 1, .take = take
	};
	struct options o = { 0 };
	int status = options_read(&of, argc, argv, &o);

	return status >= 0 ? status : replay_file(argv[optind], &o);
}
