/* SPDX-License-Identifier: Zlib */
/* Where the dynamic loader finds the libraries that a program needs. */
#include "config.h"
#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/loader.h"

#define FOLDERS_MAX  128
#define PATH_LEN     4096
#define INCLUDES_MAX 4 /* one in the other */

#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#else
#define TRIPLET "aarch64-linux-gnu"
#endif

const char *loader_root = "";

static char *folders[FOLDERS_MAX]; /* without the root; as long as the process */
static unsigned int folders_nr;

static void add_folder(const char *folder)
{
	if (folders_nr < FOLDERS_MAX && (folders[folders_nr] = strdup(folder)))
		folders_nr++;
}

static void read_conf(const char *path, unsigned int depth);

static void read_included(const char *pattern, unsigned int depth)
{
	char path[PATH_LEN];
	glob_t found;

	if (depth == INCLUDES_MAX ||
	    snprintf(path, sizeof(path), "%s%s", loader_root, pattern) >= (int)sizeof(path) ||
	    glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		read_conf(found.gl_pathv[i], depth + 1);
	globfree(&found);
}

/* As ldconfig reads it: a folder a line, or "include" and a pattern. */
static void read_conf(const char *path, unsigned int depth)
{
	char line[PATH_LEN];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "#\n")] = '\0';
		for (size_t len = strlen(line); len && line[len - 1] == ' ';)
			line[--len] = '\0';
		if (!strncmp(line, "include ", 8))
			read_included(line + 8 + strspn(line + 8, " "), depth);
		else if (*line == '/')
			add_folder(line);
	}
	if (file)
		fclose(file);
}

static void read_folders(void)
{
	static const char *const own[] = { "/lib/" TRIPLET, "/usr/lib/" TRIPLET,
					   "/lib64",	    "/usr/lib64",
					   "/lib",	    "/usr/lib" };
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/etc/ld.so.conf", loader_root);
	read_conf(path, 0);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		add_folder(own[i]);
}

static bool is_in(const char *root, const char *folder, size_t len, const char *name, char *found,
		  size_t size)
{
	return snprintf(found, size, "%s%.*s/%s", root, (int)len, folder, name) < (int)size &&
	       !access(found, R_OK);
}

/* A folder of a search path; $ORIGIN is the folder of the file that has it. */
static bool is_in_own(const char *folder, size_t len, const char *path, const char *name,
		      char *found, size_t size)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	char whole[PATH_LEN];
	const char *slash = strrchr(path, '/');

	for (int i = 0; i < 2; i++) {
		size_t origin = strlen(origins[i]);

		if (len < origin || memcmp(folder, origins[i], origin))
			continue;
		snprintf(whole, sizeof(whole), "%.*s%.*s", slash ? (int)(slash - path) : 1,
			 slash ? path : ".", (int)(len - origin), folder + origin);
		return is_in("", whole, strlen(whole), name, found, size);
	}
	return *folder == '/' && is_in(loader_root, folder, len, name, found, size);
}

int loader_find(const char *name, const char *runpath, const char *path, char *found, size_t size)
{
	if (strchr(name, '/')) {
		const char *root = *name == '/' ? loader_root : "";
		int len = snprintf(found, size, "%s%s", root, name);

		return len < (int)size && !access(found, R_OK) ? 0 : -ENOENT;
	}
	while (*runpath) {
		size_t len = strcspn(runpath, ":");

		if (len && is_in_own(runpath, len, path, name, found, size))
			return 0;
		runpath += len + (runpath[len] == ':');
	}
	if (!folders_nr)
		read_folders();
	for (unsigned int i = 0; i < folders_nr; i++)
		if (is_in(loader_root, folders[i], strlen(folders[i]), name, found, size))
			return 0;
	return -ENOENT;
}
