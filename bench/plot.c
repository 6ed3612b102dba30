/* SPDX-License-Identifier: Zlib */
/* Plots by gnuplot, as SVG that stands inside a page. */
#include "config.h"

#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* 0: it ended well; its input and output are files, -1: none. */
static int run(const char *const *argv, int in, int out)
{
	posix_spawn_file_actions_t actions;
	int ret, status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&actions, in, 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	else
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	ret = -posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return ret;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? -EIO : 0;
}

int plot_is_there(void)
{
	static const char *const argv[] = { "gnuplot", "--version", NULL };

	return !run(argv, -1, -1);
}

/* An element's attributes in a page need no names of name spaces, which look like addresses. */
static void copy_line(const char *line, FILE *page)
{
	static const char *const names[] = { " xmlns=\"", " xmlns:xlink=\"" };

	while (*line) {
		size_t skip = 0;

		for (size_t i = 0; i < 2 && !skip; i++)
			if (!strncmp(line, names[i], strlen(names[i])))
				skip = strlen(names[i]) + strcspn(line + strlen(names[i]), "\"") + 1;
		if (skip)
			line += skip;
		else
			fputc(*line++, page);
	}
	fputc('\n', page);
}

int plot_draw(const char *script, size_t len, FILE *page)
{
	/* -d: the user's own settings are nobody else's. */
	static const char *const argv[] = { "gnuplot", "-d", NULL };
	FILE *in = tmpfile(), *out = tmpfile();
	char *line = NULL;
	size_t size = 0;
	int ret = in && out ? 0 : -errno, is_inside = 0;

	if (!ret && (fwrite(script, 1, len, in) != len || fflush(in)))
		ret = -EIO;
	if (!ret) {
		rewind(in);
		ret = run(argv, fileno(in), fileno(out));
	}
	if (!ret)
		rewind(out);
	while (!ret && getline(&line, &size, out) > 0) {
		line[strcspn(line, "\n")] = '\0';
		is_inside |= !strncmp(line, "<svg", 4);
		if (is_inside)
			copy_line(line, page);
	}
	if (!ret && !is_inside)
		ret = -EIO;
	free(line);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return ret;
}
