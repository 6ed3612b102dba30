/* SPDX-License-Identifier: Zlib */
/* Which processes have a file open. */
#include "config.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/doctor/holders.h"
#include "tools/zwd/doctor/tree.h"

/* -1: it cannot be seen. */
static int has_open(const char *process, const char *file)
{
	char target[TREE_PATH_LEN];
	char **fds = tree_names(tree_path("/proc/%s/fd", process));
	int found = 0;

	if (!fds)
		return -1;
	for (char **fd = fds; *fd && !found; fd++) {
		ssize_t len = readlink(tree_path("/proc/%s/fd/%s", process, *fd), target,
				       sizeof(target) - 1);

		if (len > 0) {
			target[len] = '\0';
			found = !strcmp(target, file);
		}
	}
	free(fds);
	return found;
}

unsigned int holders_of(const char *file, char *text, size_t size)
{
	char **processes = tree_names(tree_path("/proc"));
	unsigned int nr = 0;
	size_t used = 0;
	bool is_hidden = false;

	*text = '\0';
	for (char **process = processes; process && *process; process++) {
		char name[64] = "?";
		int open;

		if (strspn(*process, "0123456789") != strlen(*process))
			continue;
		open = has_open(*process, file);
		is_hidden |= open < 0;
		if (open <= 0)
			continue;
		tree_text(tree_path("/proc/%s/comm", *process), name, sizeof(name));
		used += (size_t)snprintf(text + used, size - used, "%s%s (%s)", nr ? ", " : "",
					 *process, name);
		if (used >= size)
			used = size - 1;
		nr++;
	}
	if (is_hidden && !nr)
		snprintf(text, size, "a process that only root can see");
	free(processes);
	return nr;
}
