/* SPDX-License-Identifier: Zlib */
/* wd-bench corpus: the script that makes the corpus, and generated data for it. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"
#include "goals.h"

int corpus_main(int argc, char **argv)
{
	char self[PATH_MAX] = "";
	struct goal_run run = { .self = self };
	const char *script;

	if (argc != 2 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		fputs("usage: wd-bench corpus DIR\n", stderr);
		return 2;
	}
	script = goal_program(&run, "bench", "corpus", PKGLIBEXECDIR);
	if (!script) {
		fputs("wd-bench: its script is not installed\n", stderr);
		return 2;
	}
	setenv("WD_BENCH", self, 1);
	execl(script, script, argv[1], (char *)NULL);
	fprintf(stderr, "wd-bench: %s: %s\n", script, strerror(errno));
	return 2;
}

int generate_main(int argc, char **argv)
{
	enum gen_kind kind = 0;
	size_t len = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	uint8_t *data;
	int failed;

	while (argc == 3 && kind < GEN_KINDS_NR && strcmp(gen_name(kind), argv[1]))
		kind++;
	if (!len || kind == GEN_KINDS_NR) {
		fputs("usage: wd-bench generate KIND LEN\n", stderr);
		return 2;
	}
	data = goal_alloc(len);
	gen_fill(kind, INPUT_SEED, data, len);
	failed = fwrite(data, 1, len, stdout) != len || fflush(stdout);
	free(data);
	return failed ? 2 : 0;
}
