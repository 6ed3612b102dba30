/* SPDX-License-Identifier: Zlib */
/* zwd selftest --zlib: a report, fit to be mailed, on whether a zlib keeps what zlib.h promises. */
#include "config.h"
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "operate/settings.h"
#include "tools/zwd/commands.h"
#include "tools/zwd/json.h"
#include "tools/zwd/selftest_checks.h"
#include "wd.h"
#include "zwd.h"

#define LIMIT_S 30 /* of a check */

/* What a check's process tells. */
struct outcome {
	char words[SELFTEST_WORDS];
	uint64_t requests; /* of a device */
	double seconds;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_here(const struct replay_lib *lib, const struct selftest_check *check,
		     struct outcome *outcome)
{
	size_t (*stats)(struct zwd_stats * stats, size_t size);
	struct zwd_stats s = { 0 };

	*(void **)&stats = dlsym(lib->handle, "zwd_stats");
	check->run(lib, outcome->words);
	if (stats)
		stats(&s, sizeof(s));
	outcome->requests = s.deflate.hw_requests + s.inflate.hw_requests;
}

/* In a process of its own: a library that crashes or hangs is one of those that this is for. */
static void run_check(const struct replay_lib *lib, const struct selftest_check *check,
		      struct outcome *outcome)
{
	double begin = now_s();
	int ends[2], status = 0;
	pid_t pid;

	*outcome = (struct outcome){ .words = "" };
	fflush(stdout);
	if (pipe(ends)) {
		snprintf(outcome->words, SELFTEST_WORDS, "not run: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid) {
		alarm(LIMIT_S);
		run_here(lib, check, outcome);
		_exit(write(ends[1], outcome, sizeof(*outcome)) == sizeof(*outcome) ? 0 : 1);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], outcome, sizeof(*outcome)) != sizeof(*outcome))
		strcpy(outcome->words, "it ended without a word");
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(outcome->words, SELFTEST_WORDS, "not done after %d s", LIMIT_S);
	else if (WIFSIGNALED(status))
		snprintf(outcome->words, SELFTEST_WORDS, "%s", strsignal(WTERMSIG(status)));
	outcome->seconds = now_s() - begin;
}

/* NAME=VALUE of all settings that are in the environment. */
static void print_settings(int is_json)
{
	const char *name, *value, *comma = "";

	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++) {
		value = getenv(name);
		if (!value)
			continue;
		if (is_json) {
			printf("%s\"%s\": ", comma, name);
			json_print(stdout, value);
			comma = ", ";
		} else {
			printf("setting        %s=%s\n", name, value);
		}
	}
}

static void print_head(const struct zwd_args *args, const struct replay_lib *lib)
{
	static struct wd_device_info devices[16];
	int nr = wd_list_devices(args->device, devices, 16);
	struct utsname os;

	uname(&os);
	if (args->is_json) {
		printf("{\"library\": ");
		json_print(stdout, lib->path);
		printf(", \"zlib\": ");
		json_print(stdout, lib->zlibVersion());
		printf(", \"libz_wd\": ");
		json_print(stdout, lib->own_version);
		printf(", \"zwd\": \"%s\", \"kernel\": ", PACKAGE_VERSION);
		json_print(stdout, os.release);
		printf(", \"machine\": ");
		json_print(stdout, os.machine);
		printf(", \"settings\": {");
		print_settings(1);
		printf("}, \"devices\": [");
	} else {
		printf("library        %s\nzlib           %s\nlibz-wd        %s\nzwd            "
		       "%s\nsystem         %s %s %s\n",
		       lib->path, lib->zlibVersion(), lib->own_version ? lib->own_version : "no",
		       PACKAGE_VERSION, os.sysname, os.release, os.machine);
		print_settings(0);
		if (nr <= 0)
			printf("device         none\n");
	}
	for (int i = 0; i < nr && i < 16; i++) {
		if (args->is_json) {
			printf(i ? ", " : "");
			json_print(stdout, devices[i].name);
		} else {
			printf("device         %s (%s, %s)\n", devices[i].name, devices[i].api,
			       devices[i].algs);
		}
	}
	printf(args->is_json ? "], \"checks\": [" : "\n");
}

static void print_check(const struct selftest_check *check, const struct outcome *outcome,
			int is_json)
{
	const char *result = *outcome->words ? "wrong" : "ok";

	if (is_json) {
		printf("%s\n{\"name\": \"%s\", \"result\": \"%s\", \"why\": ",
		       check == selftest_checks ? "" : ",", check->name, result);
		json_print(stdout, outcome->words);
		printf(", \"requests\": %llu, \"seconds\": %.3f}",
		       (unsigned long long)outcome->requests, outcome->seconds);
		return;
	}
	printf("%-5s  %-12s  %s", result, check->name, check->does);
	if (*outcome->words)
		printf("\n       %s", outcome->words);
	else if (outcome->requests)
		printf(" (%llu requests of a device)", (unsigned long long)outcome->requests);
	printf("\n");
}

int selftest_zlib(const struct zwd_args *args)
{
	unsigned int wrong_nr = 0, nr = 0;
	struct outcome outcome;
	struct replay_lib lib;

	if (args->words_nr && !args->device)
		setenv("WD_DEVICE", args->words[0], 1);
	else if (args->device)
		setenv("WD_DEVICE", args->device, 1);
	if (!replay_lib_open(&lib, args->lib))
		return ZWD_FAILED;
	print_head(args, &lib);
	for (const struct selftest_check *check = selftest_checks; check->name; check++, nr++) {
		run_check(&lib, check, &outcome);
		print_check(check, &outcome, args->is_json);
		wrong_nr += *outcome.words != '\0';
	}
	if (args->is_json)
		printf("\n], \"wrong\": %u}\n", wrong_nr);
	else if (wrong_nr)
		printf("\n%u of %u checks are wrong.\n", wrong_nr, nr);
	else
		printf("\nAll %u checks are ok.\n", nr);
	return wrong_nr ? ZWD_FAILED : ZWD_DONE;
}
