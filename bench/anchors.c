/* SPDX-License-Identifier: Zlib */
/* Other compressors, as programs: what they take for the same data. */
#include "config.h"

#include "anchors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "spread.h"
#include "timing.h"

extern char **environ;

#define TRIALS 3
/* One that takes long is tried once: its figure is steady enough. */
#define ENOUGH_S 2.0
/* A program's start is a few ms: of so much data it is a hundredth at most. */
#define INPUT_MIN (16u << 20)

static const struct program {
	const char *name, *argv[5]; /* then the level */
	const int levels[4];
} programs[] = {
	{ "pigz", { "pigz", "-c" }, { 1, 6, 9 } },
	{ "igzip", { "igzip", "-c" }, { 1, 3 } },
	{ "libdeflate", { "libdeflate-gzip", "-c" }, { 1, 6, 9 } },
};

/* Its wall and CPU time with that input; negative: it failed. */
static double run(const char *const *argv, const char *in, const char *out, double *cpu_s)
{
	posix_spawn_file_actions_t actions;
	uint64_t begin = timing_wall_ns();
	struct rusage usage;
	int status = -1, ret;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, in, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	ret = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return -1;
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	if (status)
		return -1;
	*cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return (double)(timing_wall_ns() - begin) / 1e9;
}

/* What a pass of the cells of this size is, again and again. */
static int write_plain(const struct input *input, size_t unit, const char *path, double *len)
{
	FILE *file = fopen(path, "we");
	struct input_unit *units;
	size_t nr = 0;
	int ret;

	*len = 0;
	units = input_units(input, unit, &nr);
	while (file && units && *len < INPUT_MIN)
		for (size_t i = 0; i < nr; i++) {
			fwrite(units[i].data, 1, units[i].len, file);
			*len += (double)units[i].len;
		}
	free(units);
	ret = !file || !*len || ferror(file) ? -EIO : 0;
	if (file && fclose(file))
		ret = -EIO;
	return ret;
}

/* 1: it is measured; 0: it is not there, or fails. */
static int measure(const struct program *program, int level, const char *dir, double len, struct anchor *anchor)
{
	char plain[300], packed[300], flag[8];
	const char *pack[6] = { 0 }, *unpack[6] = { 0 };
	double wall[TRIALS], cpu[TRIALS], back[TRIALS], ignored;
	struct stat st;
	size_t nr = 0, trials_nr = 0;

	snprintf(plain, sizeof(plain), "%s/plain", dir);
	snprintf(packed, sizeof(packed), "%s/packed", dir);
	snprintf(flag, sizeof(flag), "-%d", level);
	for (; program->argv[nr]; nr++)
		pack[nr] = unpack[nr] = program->argv[nr];
	pack[nr] = flag;
	unpack[nr] = "-d";
	for (double sum = 0; trials_nr < TRIALS && sum < ENOUGH_S; trials_nr++) {
		size_t t = trials_nr;

		if (measure_stop)
			return 0;
		wall[t] = run(pack, plain, packed, &cpu[t]);
		back[t] = wall[t] < 0 ? -1 : run(unpack, packed, "/dev/null", &ignored);
		if (wall[t] < 0 || back[t] < 0)
			return 0;
		sum += wall[t] + back[t];
	}
	if (stat(packed, &st))
		return 0;
	*anchor = (struct anchor){
		.name = program->name,
		.level = level,
		.wall_mbps = len / 1e6 / spread_of(wall, trials_nr).median,
		.cpu_s_per_gb = spread_of(cpu, trials_nr).median / len * 1e9,
		.unpack_mbps = len / 1e6 / spread_of(back, trials_nr).median,
		.ratio = (double)st.st_size / len,
	};
	return 1;
}

size_t anchors_measure(const struct input *input, size_t unit, struct anchor *anchors, size_t room, char *missing, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	char dir[256], path[300];
	size_t nr = 0;
	double len;

	*missing = '\0';
	snprintf(dir, sizeof(dir), "%s/wd-bench.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return 0;
	snprintf(path, sizeof(path), "%s/plain", dir);
	if (!unit || write_plain(input, unit, path, &len))
		goto clean;
	for (size_t p = 0; p < sizeof(programs) / sizeof(programs[0]); p++)
		for (size_t l = 0; l < 4 && programs[p].levels[l] && nr < room; l++) {
			if (measure(&programs[p], programs[p].levels[l], dir, len, &anchors[nr])) {
				nr++;
				continue;
			}
			if (strlen(missing) + strlen(programs[p].name) + 3 < size)
				strcat(strcat(missing, *missing ? ", " : ""), programs[p].name);
			break;
		}
clean:
	unlink(path);
	snprintf(path, sizeof(path), "%s/packed", dir);
	unlink(path);
	rmdir(dir);
	return nr;
}
