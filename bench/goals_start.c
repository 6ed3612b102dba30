/* SPDX-License-Identifier: Zlib */
/* Goals: what the preload costs a program at its start. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static const char *start_preload(struct goal_result *r)
{
	static char text[4200];
	const char *library = goal_library();

	if (!library) {
		goal_skip(r, "libz-wd.so is not found");
		return NULL;
	}
	snprintf(text, sizeof(text), "LD_PRELOAD=%s", library);
	return text;
}

static void start_cost(const struct goal_run *run, const char *const *argv, struct goal_result *r)
{
	int runs_nr = run->is_quick ? 60 : 400;
	const char *const env[] = { start_preload(r), NULL };
	struct goal_spawn plain = { .argv = argv }, preload = { .argv = argv, .env = env };
	double without[400], with[400];

	if (!env[0])
		return;
	if (!goal_has(argv[0])) {
		goal_skip(r, "%s is not installed", argv[0]);
		return;
	}
	for (int i = 0; i < runs_nr; i++) {
		struct goal_cost a, b;

		if (goal_spawn(&plain, &a) || goal_spawn(&preload, &b)) {
			goal_skip(r, "%s does not run", argv[0]);
			return;
		}
		without[i] = a.cpu_us;
		with[i] = b.cpu_us;
	}
	r->value = goal_median(with, (size_t)runs_nr);
	r->value -= goal_median(without, (size_t)runs_nr);
	goal_anchor(r, "without: %.0f us", goal_median(without, (size_t)runs_nr));
}

static void start_true(const struct goal_run *run, struct goal_result *r)
{
	start_cost(run, (const char *const[]){ "true", NULL }, r);
}

static void start_pigz(const struct goal_run *run, struct goal_result *r)
{
	start_cost(run, (const char *const[]){ "pigz", "--version", NULL }, r);
}

static void start_instructions(const struct goal_run *run, struct goal_result *r)
{
	const char *const argv[] = { "true", NULL }, *const env[] = { start_preload(r), NULL };
	struct goal_spawn spawn = { .argv = argv };
	struct goal_counts without, with;

	if (!env[0] || goal_instructions(&spawn, NULL, &without, r))
		return;
	spawn.env = env;
	if (goal_instructions(&spawn, NULL, &with, r))
		return;
	r->value = with.payload + with.others - without.payload - without.others;
	goal_anchor(r, "without: %.0f", without.payload + without.others);
}

#define SYSCALLS_MAX 512

/* What nobody should see: opens beyond the library itself, threads, processes, writes. */
static void start_silence(const struct goal_run *run, struct goal_result *r)
{
	static const struct {
		unsigned int number;
		unsigned int allowed;
	} watched[] = {
		{ SYS_openat, 1 }, { SYS_clone, 0 },  { SYS_clone3, 0 }, { SYS_write, 0 },
		{ SYS_socket, 0 }, { SYS_pipe2, 0 },  { SYS_eventfd2, 0 }, { SYS_memfd_create, 0 },
		{ SYS_execve, 0 }, { SYS_ioctl, 0 },
	};
	const char *const argv[] = { "true", NULL }, *const env[] = { start_preload(r), NULL };
	struct goal_spawn plain = { .argv = argv }, preload = { .argv = argv, .env = env };
	unsigned int without[SYSCALLS_MAX], with[SYSCALLS_MAX];

	if (!env[0])
		return;
	if (goal_syscalls(&plain, without, SYSCALLS_MAX) ||
	    goal_syscalls(&preload, with, SYSCALLS_MAX)) {
		goal_skip(r, "programs cannot be traced here");
		return;
	}
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
		unsigned int n = watched[i].number;

		if (with[n] > without[n] + watched[i].allowed)
			r->value += with[n] - without[n] - watched[i].allowed;
	}
}

const struct goal goals_start[] = {
	{ "start-true", "preload into true", "us", GOAL_AT_MOST, 60, "CPU, by turns, medians", "emu",
	  "hw", start_true },
	{ "start-pigz", "preload into pigz --version", "us", GOAL_AT_MOST, 60,
	  "CPU, by turns, medians", "emu", "hw", start_pigz },
	{ "start-instr", "preload into true", "instr", GOAL_AT_MOST, 15000, "callgrind", "emu", "hw",
	  start_instructions },
	{ "start-silence", "files, threads and the like that it makes in true", "calls", GOAL_AT_MOST,
	  0, "counted by ptrace", "emu", "hw", start_silence },
	{ 0 },
};
