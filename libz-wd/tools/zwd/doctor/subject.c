/* SPDX-License-Identifier: Zlib */
/* Whom the doctor looks at: a process, a program, or what would be started from here. */
#include "config.h"
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/zwd/doctor/subject.h"
#include "tools/zwd/doctor/tree.h"

/* Of root, where the kernel does not tell. */
#define ALL_CAPABILITIES (~0ull)

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void take_groups(struct subject *subject, const char *text)
{
	char *end;

	while (subject->groups_nr < SUBJECT_GROUPS_MAX) {
		unsigned long gid = strtoul(text, &end, 10);

		if (end == text)
			break;
		subject->groups[subject->groups_nr++] = (gid_t)gid;
		text = end;
	}
}

/* /proc/PID/status, which everybody may read. */
static bool read_status(struct subject *subject)
{
	size_t len;
	char *text = tree_whole(tree_path("/proc/%s/status", subject->process), &len), *next = text;
	unsigned int real, effective;

	if (!text)
		return false;
	while (next && *next) {
		char *line = strsep(&next, "\n");

		if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
			subject->uid = effective;
		else if (sscanf(line, "Gid: %u %u", &real, &effective) == 2)
			subject->gid = effective;
		else if (!strncmp(line, "Groups:", 7))
			take_groups(subject, line + 7);
		else
			sscanf(line, "CapEff: %llx", &subject->capabilities);
	}
	free(text);
	return true;
}

static void name_user(struct subject *subject)
{
	const struct passwd *user = *tree_root ? NULL : getpwuid(subject->uid);

	if (user)
		snprintf(subject->user, sizeof(subject->user), "%s", user->pw_name);
	else
		snprintf(subject->user, sizeof(subject->user), "user %u",
			 (unsigned int)subject->uid);
}

/* AT_SECURE of the auxiliary vector: pairs of words. */
static bool is_secure(const struct subject *subject)
{
	size_t len;
	char *text = tree_whole(tree_path("/proc/%s/auxv", subject->process), &len);
	bool secure = false;

	for (size_t at = 0; text && at + 2 * sizeof(unsigned long) <= len;
	     at += 2 * sizeof(unsigned long)) {
		unsigned long pair[2];

		memcpy(pair, text + at, sizeof(pair));
		secure |= pair[0] == 23 /* AT_SECURE */ && pair[1];
	}
	free(text);
	return secure;
}

static int find_process(struct subject *subject, const char *word)
{
	char exe[TREE_PATH_LEN];
	ssize_t len;

	if (strlen(word) >= sizeof(subject->process)) {
		fprintf(stderr, "zwd: doctor: no such process: %s\n", word);
		return -1;
	}
	strcpy(subject->process, word);
	subject->is_process = true;
	if (!read_status(subject)) {
		fprintf(stderr, "zwd: doctor: no such process: %s\n", word);
		return -1;
	}
	len = readlink(tree_path("/proc/%s/exe", word), exe, sizeof(exe) - 1);
	if (len > 0) {
		exe[len] = '\0';
		snprintf(subject->program, sizeof(subject->program), "%s", exe);
	}
	subject->environment =
		tree_whole(tree_path("/proc/%s/environ", word), &subject->environment_len);
	subject->is_readable = len > 0 && subject->environment;
	subject->is_secure = is_secure(subject);
	return 0;
}

/* As a shell finds it. */
static int find_program(struct subject *subject, const char *word)
{
	const char *path = getenv("PATH");

	if (strchr(word, '/')) {
		snprintf(subject->program, sizeof(subject->program), "%s", word);
		if (!access(subject->program, F_OK))
			return 0;
	}
	while (!strchr(word, '/') && path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(subject->program, sizeof(subject->program), "%.*s/%s", (int)len, path,
			 word);
		if (!access(subject->program, X_OK))
			return 0;
		path += len + (path[len] == ':');
	}
	fprintf(stderr, "zwd: doctor: no such program: %s\n", word);
	return -1;
}

/* What a program that is started from here would have. */
static void take_own(struct subject *subject)
{
	extern char **environ;
	size_t len = 0;
	char *at;

	strcpy(subject->process, "self");
	subject->is_readable = true;
	if (!read_status(subject)) {
		subject->uid = geteuid();
		subject->gid = getegid();
		subject->capabilities = subject->uid ? 0 : ALL_CAPABILITIES;
	}
	for (char **entry = environ; *entry; entry++)
		len += strlen(*entry) + 1;
	at = subject->environment = malloc(len + 1);
	subject->environment_len = at ? len : 0;
	for (char **entry = environ; at && *entry; entry++)
		at = stpcpy(at, *entry) + 1;
}

int subject_find(struct subject *subject, const char *word)
{
	int r = 0;

	*subject = (struct subject){ .name = "", .settings = zwd_settings_default };
	if (word && *word && strspn(word, "0123456789") == strlen(word)) {
		r = find_process(subject, word);
	} else {
		take_own(subject);
		if (word)
			r = find_program(subject, word);
	}
	subject->name = file_name(subject->program);
	name_user(subject);
	return r;
}

const char *subject_path(const struct subject *subject, const char *file)
{
	if (subject->is_process && !*tree_root &&
	    !access(tree_path("/proc/%s/root/", subject->process), X_OK))
		return tree_path("/proc/%s/root%s", subject->process, file);
	return tree_path("%s", file);
}

const char *subject_variable(const struct subject *subject, const char *name)
{
	size_t len = strlen(name);
	const char *at = subject->environment, *end = at + subject->environment_len;

	for (; at && at < end; at += strlen(at) + 1)
		if (!strncmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	return NULL;
}

bool subject_has_capability(const struct subject *subject, unsigned int capability)
{
	return subject->capabilities >> capability & 1;
}

bool subject_may_open(const struct subject *subject, const struct stat *st)
{
	unsigned int shift = 0;

	if (subject_has_capability(subject, CAP_DAC_OVERRIDE))
		return true;
	if (subject->uid == st->st_uid) {
		shift = 6;
	} else {
		bool is_member = subject->gid == st->st_gid;

		for (unsigned int i = 0; i < subject->groups_nr; i++)
			is_member |= subject->groups[i] == st->st_gid;
		if (is_member)
			shift = 3;
	}
	return (st->st_mode >> shift & 6) == 6;
}
