/* SPDX-License-Identifier: Zlib */
/* The environment in which a program has libz-wd as its zlib: for zwd run and zwd env. */
#include "config.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lean.h"
#include "operate/settings.h"
#include "tools/zwd/commands.h"
#include "tools/zwd/environment.h"

#define LIBRARY	    LIBDIR "/libz-wd.so.1"
#define FOLDER	    "/libz-wd" /* beside the library: has it as libz.so.1 */
#define NAME_BEGINS "libz-wd.so"

static int __attribute__((format(printf, 2, 3)))
fail(const struct environment *env, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "zwd: %s: ", env->command);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

int environment_option(struct environment *env, int c, const char *value)
{
	switch (c) {
	case 'd':
		env->device = value;
		return 0;
	case 'G':
		env->has_no_gzip = 1;
		return 0;
	case 'L':
		env->library = value;
		return 0;
	case 'p':
		env->is_by_path = 1;
		return 0;
	default:
		return -1;
	}
}

static int set(struct environment *env, const char *name, size_t name_len, const char *value)
{
	size_t len = name_len + strlen(value) + 2;
	char *entry = malloc(len);

	if (!entry)
		return fail(env, "%s", strerror(ENOMEM));
	snprintf(entry, len, "%.*s=%s", (int)name_len, name, value);
	for (int i = 0; i < env->entries_nr; i++)
		if (!strncmp(env->entries[i], entry, name_len + 1)) {
			free(env->entries[i]);
			env->entries[i] = entry;
			return 0;
		}
	if (env->entries_nr == ENVIRONMENT_MAX) {
		free(entry);
		return fail(env, "more than %d variables", ENVIRONMENT_MAX);
	}
	env->entries[env->entries_nr++] = entry;
	return 0;
}

/* What would go unnoticed in the program, which is silent about its settings. */
static int check(const struct environment *env, const char *name, const char *value)
{
	struct zwd_settings scratch = zwd_settings_default;

	if (strncmp(name, "ZWD_", 4) && strncmp(name, "WD_", 3))
		return 0;
	if (!strcmp(name, "ZWD_CONFIG"))
		return access(value, R_OK) ? fail(env, "%s: %s", value, strerror(errno)) : 0;
	switch (zwd_settings_set(&scratch, name, value)) {
	case 0:
		break;
	case -ENOENT:
		return fail(env, "no such setting: %s", name);
	default:
		return fail(env, "impossible value of %s: %s", name, value);
	}
	if (!strcmp(name, "WD_DEVICE") && devices_check(value))
		return fail(env, "device specification not understood: %s", value);
	return 0;
}

static int set_checked(struct environment *env, const char *name, const char *value)
{
	/* What no shell has as a name is most likely a mistake. */
	for (const char *c = name; *c; c++)
		if (*c != '_' && !(lean_is_alnum(*c) && (c > name || !lean_is_digit(*c))))
			return fail(env, "impossible name of a variable: %s", name);
	return check(env, name, value) ? -1 : set(env, name, strlen(name), value);
}

int environment_words(struct environment *env, char **words)
{
	int nr = 0;

	for (; words[nr] && strchr(words[nr], '=') > words[nr]; nr++) {
		size_t len = strcspn(words[nr], "=");
		char *name = strndup(words[nr], len);
		int r = name ? set_checked(env, name, words[nr] + len + 1) : fail(env, "no memory");

		free(name);
		if (r)
			return -1;
	}
	return nr;
}

/* Adds what a list of LD_PRELOAD has but libraries of ours, which come by another name now. */
static void add_others(char *list, size_t size, const char *old)
{
	while (old && *(old += strspn(old, ": "))) {
		size_t len = strcspn(old, ": "), base = len;

		while (base && old[base - 1] != '/')
			base--;
		if (strncmp(old + base, NAME_BEGINS, strlen(NAME_BEGINS))) {
			size_t at = strlen(list);

			snprintf(list + at, size - at, "%s%.*s", at ? ":" : "", (int)len, old);
		}
		old += len;
	}
}

/* The value that the variable has so far: given as a word, or inherited. */
static const char *value_of(const struct environment *env, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < env->entries_nr; i++)
		if (!strncmp(env->entries[i], name, len) && env->entries[i][len] == '=')
			return env->entries[i] + len + 1;
	return env->is_alone ? NULL : getenv(name);
}

/* name: one in which a list of files or folders stands. */
static int set_list(struct environment *env, const char *name, const char *first)
{
	const char *old = value_of(env, name);
	size_t size = strlen(first) + (old ? strlen(old) : 0) + 2;
	char *list = malloc(size);
	int r;

	if (!list)
		return fail(env, "%s", strerror(ENOMEM));
	strcpy(list, first);
	if (strcmp(name, "LD_PRELOAD"))
		snprintf(list, size, "%s%s%s", first, old && *old ? ":" : "", old ? old : "");
	else
		add_others(list, size, old);
	r = *list || old ? set(env, name, strlen(name), list) : 0;
	free(list);
	return r;
}

int environment_finish(struct environment *env)
{
	const char *library = env->library ? env->library : LIBRARY;
	const char *slash = strrchr(library, '/');
	char folder[4096], link[4200];
	int r = 0;

	if (env->device)
		r |= set_checked(env, "WD_DEVICE", env->device);
	if (env->has_no_gzip)
		r |= set(env, "ZWD_GZIP", strlen("ZWD_GZIP"), "0");
	if (r)
		return r;
	/* The loader would look for it in the program's own folder, and divides at these. */
	if (*library != '/' || strpbrk(library, ": ") || strlen(library) >= sizeof(folder) / 2)
		return fail(env,
			    "the library's name must begin with / and have no blank or colon: %s",
			    library);
	if (!env->is_by_path) {
		if (access(library, R_OK))
			return fail(env, "%s: %s", library, strerror(errno));
		return set_list(env, "LD_PRELOAD", library);
	}
	snprintf(folder, sizeof(folder), "%.*s" FOLDER, (int)(slash - library), library);
	snprintf(link, sizeof(link), "%s/libz.so.1", folder);
	if (access(link, R_OK))
		return fail(env, "%s: %s", link, strerror(errno));
	return set_list(env, "LD_PRELOAD", "") || set_list(env, "LD_LIBRARY_PATH", folder) ? -1 : 0;
}
