/* SPDX-License-Identifier: Zlib */
/* What the doctor reads of /sys, /proc, /dev and /etc: all of it below one root. */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/doctor/tree.h"

#define WHOLE_MAX (1 << 20)

const char *tree_root = "";

const char *tree_path(const char *format, ...)
{
	static char paths[8][TREE_PATH_LEN];
	static unsigned int next;
	char *path = paths[next++ % 8];
	size_t len = (size_t)snprintf(path, TREE_PATH_LEN, "%s", tree_root);
	va_list ap;

	va_start(ap, format);
	if (len < TREE_PATH_LEN)
		vsnprintf(path + len, TREE_PATH_LEN - len, format, ap);
	va_end(ap);
	return path;
}

bool tree_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

char *tree_whole(const char *path, size_t *len)
{
	/* What stands at that name may be anything. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(WHOLE_MAX + 1);
	size_t done = 0;
	ssize_t n;

	while (text && done < WHOLE_MAX && (n = read(fd, text + done, WHOLE_MAX - done)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			text = NULL;
			break;
		}
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (!text)
		return NULL;
	text[done] = '\0';
	*len = done;
	return text;
}

bool tree_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return false;
	while (len && strchr(" \n\t", text[len - 1]))
		len--;
	text[len] = '\0';
	return true;
}

long long tree_number(const char *path, long long without)
{
	char text[64], *end;
	long long number;

	if (!tree_text(path, text, sizeof(text)))
		return without;
	number = strtoll(text, &end, 0);
	return end == text || *end ? without : number;
}

bool tree_link(const char *path, char *name, size_t size)
{
	char target[TREE_PATH_LEN];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (len <= 0)
		return false;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return snprintf(name, size, "%s", slash ? slash + 1 : target) < (int)size;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

char **tree_names(const char *path)
{
	struct dirent **entries;
	int nr = scandir(path, &entries, is_visible, alphasort);
	size_t len = 0;
	char **names = NULL, *text;

	if (nr < 0)
		return NULL;
	for (int i = 0; i < nr; i++)
		len += strlen(entries[i]->d_name) + 1;
	names = malloc(((size_t)nr + 1) * sizeof(*names) + len);
	text = names ? (char *)&names[nr + 1] : NULL;
	for (int i = 0; i < nr; i++) {
		if (names) {
			names[i] = text;
			text = stpcpy(text, entries[i]->d_name) + 1;
		}
		free(entries[i]);
	}
	free(entries);
	if (names)
		names[nr] = NULL;
	return names;
}

gid_t tree_group(const char *name)
{
	const struct group *group = NULL;
	gid_t gid = (gid_t)-1;
	FILE *file;

	if (!*tree_root) {
		group = getgrnam(name);
		return group ? group->gr_gid : gid;
	}
	file = fopen(tree_path("/etc/group"), "re");
	while (file && (group = fgetgrent(file)))
		if (!strcmp(group->gr_name, name)) {
			gid = group->gr_gid;
			break;
		}
	if (file)
		fclose(file);
	return gid;
}
