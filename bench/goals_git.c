/* SPDX-License-Identifier: Zlib */
/* Goals: git under the preload as the library chooses by default costs no more CPU than without. */
#include "config.h"

#include "goals.h"

#include <stdio.h>
#include <string.h>

/*
 * A repository of generated files: ROUNDS commits, each of which changes a third of them, packed
 * once. "$1": this program, "$2": the folder, "$3": commits.
 */
static const char git_script[] =
	"set -e; bench=$1 rounds=$3; mkdir -p \"$2\"; cd \"$2\"; git init -q; nr=0\n"
	"while [ $nr -lt $rounds ]; do\n"
	"	nr=$((nr + 1)) file=0\n"
	"	while [ $file -lt 30 ]; do\n"
	"		file=$((file + 1))\n"
	"		[ $(((file + nr) % 3)) = 0 ] || [ $nr = 1 ] || continue\n"
	"		\"$bench\" generate source $((file * 900)) >file$file.c\n"
	"		\"$bench\" generate json $((file * nr * 90 + 1)) >>file$file.c\n"
	"	done\n"
	"	\"$bench\" generate log $((nr * 20000)) >access.log\n"
	"	git add -A; git commit -q -m \"round $nr\"\n"
	"done\n"
	"git gc -q\n";

static const char *const git_config[] = {
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_AUTHOR_NAME=a",	 "GIT_AUTHOR_EMAIL=a@localhost",
	"GIT_COMMITTER_NAME=c",	 "GIT_COMMITTER_EMAIL=c@localhost",
};
enum { GIT_CONFIG_NR = sizeof(git_config) / sizeof(git_config[0]), GIT_ROUNDS = 9 };

static int git_make(const struct goal_run *run, const char *const *env, const char *repository,
		    struct goal_result *r)
{
	const char *const argv[] = {
		"sh", "-c", git_script, "sh", run->self, repository, run->is_quick ? "12" : "60",
		NULL
	};
	struct goal_spawn spawn = { .argv = argv, .env = env };

	if (goal_spawn(&spawn, NULL)) {
		goal_skip(r, "the repository cannot be made");
		return -1;
	}
	return 0;
}

/* A folder in place of what was there under its name. */
static int git_copy(const char *from, const char *to)
{
	const char *const argv[] = { "sh", "-c", "rm -rf \"$2\" && cp -a \"$1\" \"$2\"", "sh", from,
				     to,   NULL };
	struct goal_spawn spawn = { .argv = argv };

	return goal_spawn(&spawn, NULL);
}

/* git with these arguments, each time on a fresh copy where it changes what is there. */
static void git_measure(const struct goal_run *run, const char *const *arguments, int is_changing,
			struct goal_result *r)
{
	char repository[4200], copy[4200], preload[4200];
	const char *env[GIT_CONFIG_NR + 2] = { NULL },
					*argv[12] = { "git", "-C",
						      is_changing ? copy : repository };
	struct goal_spawn spawn = { .argv = argv, .env = env };
	int rounds_nr = run->is_quick ? 3 : GIT_ROUNDS;
	const char *library = goal_library();
	double ratios[GIT_ROUNDS], ms = 0;

	if (!library || !goal_has("git")) {
		goal_skip(r, "%s", library ? "git is not installed" : "libz-wd.so is not found");
		return;
	}
	snprintf(repository, sizeof(repository), "%s", goal_scratch("repository"));
	snprintf(copy, sizeof(copy), "%s", goal_scratch("copy"));
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	for (size_t i = 0; arguments[i] && i < 8; i++)
		argv[3 + i] = arguments[i];
	memcpy(env, git_config, sizeof(git_config));
	if (git_copy(repository, copy) && git_make(run, env, repository, r))
		return;
	for (int i = 0; i < rounds_nr; i++) {
		struct goal_cost cost[2];

		for (int is_ours = 0; is_ours < 2; is_ours++) {
			env[GIT_CONFIG_NR] = is_ours ? preload : NULL;
			if ((is_changing && git_copy(repository, copy)) ||
			    goal_spawn(&spawn, &cost[is_ours])) {
				goal_skip(r, "git %s failed", arguments[0]);
				r->is_wrong = is_ours;
				return;
			}
		}
		ratios[i] = cost[1].cpu_us / cost[0].cpu_us;
		ms = cost[0].cpu_us / 1e3;
	}
	r->value = goal_median(ratios, (size_t)rounds_nr);
	goal_anchor(r, "without preload: %.0f ms", ms);
}

static void git_log(const struct goal_run *run, struct goal_result *r)
{
	git_measure(run, (const char *const[]){ "log", "-p", NULL }, 0, r);
}

static void git_gc(const struct goal_run *run, struct goal_result *r)
{
	git_measure(
		run,
		(const char *const[]){ "-c", "pack.threads=1", "gc", "--aggressive", "-q", NULL },
		1, r);
}

const struct goal goals_git[] = {
	{ "git-log", "git log -p with preload, by default", "of without", GOAL_AT_MOST, 1,
	  "CPU, by turns, median", "emu", "auto", git_log },
	{ "git-gc", "git gc --aggressive with preload, by default", "of without", GOAL_AT_MOST, 1,
	  "CPU, by turns, median", "emu", "auto", git_gc },
	{ 0 },
};
