/* SPDX-License-Identifier: Zlib */
/* zwd doctor: can the loader give the program our zlib, has it done so, and what is underneath? */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"
#include "tools/zwd/program.h"

#define OURS "libz-wd.so"

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_gzip(const struct subject *subject)
{
	return !strcmp(subject->name, "gzip") || !strcmp(subject->name, "gunzip") ||
	       !strcmp(subject->name, "zcat");
}

void check_program(struct subject *subject)
{
	static const char other[] = "only a change of that program can reach it";
	struct program program;
	const char *path;
	int r;

	if (!*subject->program)
		return;
	path = subject->is_process ? tree_path("/proc/%s/exe", subject->process) : subject->program;
	r = program_look(AT_FDCWD, path, subject->program, &program);
	if (r == -ENOEXEC) {
		report(REPORT_WARNING, "program", "ask about the program that runs it",
		       "%s is no program but perhaps a script", subject->program);
		return;
	}
	if (r) {
		report(REPORT_WARNING, "program", NULL, "%s: %s", subject->program, strerror(-r));
		return;
	}
	if (is_gzip(subject) && program.kind == PROGRAM_NONE)
		return; /* check_gzip() */
	subject->is_linked = program.is_ours;
	if (program.is_ours) {
		report(REPORT_GOOD, "program", NULL, "%s links libz-wd itself", subject->program);
		return;
	}
	if (program.is_set_id && !subject->is_process)
		report(REPORT_WRONG, "program",
		       "link it with libz-wd, and name a device in /etc/libz-wd.conf",
		       "%s is set-user-ID or set-group-ID: the loader ignores LD_PRELOAD for it",
		       subject->program);
	switch (program.kind) {
	case PROGRAM_THROUGH:
		report(REPORT_GOOD, "program", NULL, "%s %s: %s", subject->program,
		       program_kind_text(program.kind), program.through);
		break;
	case PROGRAM_COPY:
	case PROGRAM_STATIC:
		report(REPORT_WRONG, "program", other, "%s %s, version %s", subject->program,
		       program_kind_text(program.kind), program.version);
		break;
	case PROGRAM_GO:
		report(REPORT_WRONG, "program", other, "%s %s", subject->program,
		       program_kind_text(program.kind));
		break;
	case PROGRAM_FOREIGN:
		report(REPORT_WRONG, "program", "use a program for this kind of machine", "%s %s",
		       subject->program, program_kind_text(program.kind));
		break;
	case PROGRAM_NONE:
		report(REPORT_WARNING, "program", "its modules may: zwd scan lists such libraries",
		       "%s %s", subject->program, program_kind_text(program.kind));
		break;
	default:
		report(REPORT_GOOD, "program", NULL, "%s %s", subject->program,
		       program_kind_text(program.kind));
		break;
	}
}

/* The next file that is mapped in the process, into path; false: there is no other. */
static bool next_mapped(char **maps, char *path, size_t size, bool *is_deleted)
{
	while (*maps && **maps) {
		char *line = strsep(maps, "\n"), *file = strchr(line, '/');
		size_t len;

		if (!file)
			continue;
		len = strlen(file);
		*is_deleted = len > 10 && !strcmp(file + len - 10, " (deleted)");
		if (*is_deleted)
			file[len - 10] = '\0';
		if (!strcmp(file, path))
			continue; /* files are mapped in several parts */
		snprintf(path, size, "%s", file);
		return true;
	}
	return false;
}

/* The item of a list of libraries that is ours; false: there is none. */
static bool is_listed(const char *list, char *path, size_t size)
{
	while (list && *(list += strspn(list, ": \t\n"))) {
		size_t len = strcspn(list, ": \t\n");

		snprintf(path, size, "%.*s", (int)len, list);
		if (!strncmp(file_name(path), OURS, strlen(OURS)))
			return true;
		list += len;
	}
	return false;
}

/* The folder of LD_LIBRARY_PATH that has ours as libz.so.1, as zwd run -p sets it. */
static bool is_by_path(const struct subject *subject, char *path, size_t size)
{
	const char *list = subject_variable(subject, "LD_LIBRARY_PATH");

	while (list && *(list += strspn(list, ":;"))) {
		size_t len = strcspn(list, ":;");

		if (len > 8 && !strncmp(list + len - 8, "/libz-wd", 8) &&
		    snprintf(path, size, "%.*s/libz.so.1", (int)len, list) < (int)size &&
		    !access(subject_path(subject, path), R_OK))
			return true;
		list += len;
	}
	return false;
}

/* For all programs of the system, those with rights of their own included. */
static bool is_everywhere(char *path, size_t size)
{
	size_t len;
	char *list = tree_whole(tree_path("/etc/ld.so.preload"), &len);
	bool is_found = is_listed(list, path, size);

	free(list);
	return is_found;
}

static void tell_preload(const struct subject *subject)
{
	char path[TREE_PATH_LEN];

	if (is_everywhere(path, sizeof(path)) && !subject->is_process)
		report(REPORT_GOOD, "preload", NULL, "/etc/ld.so.preload names %s", path);
	else if (is_by_path(subject, path, sizeof(path)) && !subject->is_process)
		report(REPORT_GOOD, "preload", NULL, "LD_LIBRARY_PATH leads to %s", path);
	else if (!is_listed(subject_variable(subject, "LD_PRELOAD"), path, sizeof(path)))
		report(subject->is_process ? REPORT_WRONG : REPORT_WARNING, "preload",
		       subject->is_process
			       ? "start it by zwd run, or its unit with what zwd env -S prints"
			       : "start it by zwd run",
		       "LD_PRELOAD does not name libz-wd.so.1");
	else if (*path == '/' && access(subject_path(subject, path), R_OK))
		report(REPORT_WRONG, "preload", "correct the name: zwd run does",
		       "LD_PRELOAD names %s, which is not there for it", path);
	else if (subject->is_secure)
		report(REPORT_WRONG, "preload", "link it with libz-wd",
		       "the loader ignores LD_PRELOAD for a program with rights of its own");
	else if (subject->is_process)
		report(REPORT_WRONG, "preload", "see what the loader printed when it started",
		       "LD_PRELOAD names %s, which was not loaded", path);
	else
		report(REPORT_GOOD, "preload", NULL, "LD_PRELOAD names %s", path);
}

static void check_process_preload(const struct subject *subject)
{
	char path[TREE_PATH_LEN] = "";
	bool is_deleted = false, is_found = false;
	size_t len;
	char *maps = tree_whole(tree_path("/proc/%s/maps", subject->process), &len), *next = maps;

	if (!maps || !subject->is_readable) {
		free(maps);
		return; /* the doctor has said so */
	}
	while (!is_found && next_mapped(&next, path, sizeof(path), &is_deleted))
		is_found = !strncmp(file_name(path), OURS, strlen(OURS)) ||
			   strstr(path, "/libz-wd/libz.so.1");
	free(maps);
	if (!is_found)
		tell_preload(subject);
	else if (is_deleted)
		report(REPORT_WARNING, "preload", "restart the program",
		       "%s is loaded, but the file was replaced since", path);
	else
		report(REPORT_GOOD, "preload", NULL, "%s is loaded", path);
}

void check_preload(const struct subject *subject)
{
	if (subject->is_process)
		check_process_preload(subject);
	else if (*subject->program && !subject->is_linked)
		tell_preload(subject);
}

void check_gzip(const struct subject *subject)
{
	const char *gzip = subject->settings.gzip;
	const char *command = *gzip == '/' ? gzip : BINDIR "/wd-gzip";
	enum report_verdict verdict = is_gzip(subject) ? REPORT_WRONG : REPORT_WARNING;

	if ((*subject->program || subject->is_process) && !is_gzip(subject))
		return;
	if (!strcmp(gzip, "0"))
		report(verdict, "gzip", "unset ZWD_GZIP", "ZWD_GZIP = 0: GNU gzip stays as it is");
	else if (access(tree_path("%s", command), X_OK))
		report(verdict, "gzip", "install it, or name it in ZWD_GZIP",
		       "%s is not there, so that GNU gzip stays as it is", command);
	else if (subject->is_process)
		report(REPORT_WRONG, "gzip", "start it by zwd run", "this is GNU gzip itself");
	else
		report(REPORT_GOOD, "gzip", NULL, "a preloaded gzip becomes %s", command);
}

/* What stands underneath ours: for all that is not the device's. */
static void look_underneath(const struct subject *subject, const char *file, const char *why)
{
	struct program program;
	int r = program_look(AT_FDCWD, subject_path(subject, file), file, &program);

	if (r && r != -ENOEXEC)
		report(REPORT_WRONG, "zlib", "install zlib, or name one in ZWD_SOFT_ZLIB",
		       "%s%s: %s", why, file, strerror(-r));
	else if (r || program.kind != PROGRAM_ZLIB)
		report(REPORT_WRONG, "zlib", "name a zlib, or unset ZWD_SOFT_ZLIB",
		       "%s%s is no zlib", why, file);
	else if (program.is_zlib_ng || !*program.version)
		report(REPORT_WARNING, "zlib", "ZWD_SOFT_ZLIB may name the system's own zlib",
		       "%s%s is a foreign zlib%s: what is software's behaves as that one does", why,
		       file, program.is_zlib_ng ? " (zlib-ng)" : "");
	else
		report(REPORT_GOOD, "zlib", NULL, "%s%s, version %s, is underneath", why, file,
		       program.version);
}

/* Libraries of a process that have a zlib of their own inside. */
static void look_for_copies(const struct subject *subject, char *maps, char *mapped, size_t size)
{
	char path[TREE_PATH_LEN] = "";
	struct program program;
	bool is_deleted;
	char *next = maps;

	while (next_mapped(&next, path, sizeof(path), &is_deleted)) {
		const char *name = file_name(path);

		if (!strcmp(path, subject->program) || is_deleted || !strstr(name, ".so") ||
		    !strncmp(name, OURS, strlen(OURS)) || strstr(path, "/libz-wd/"))
			continue;
		if (!strncmp(name, "libz.so", 7))
			snprintf(mapped, size, "%s", path);
		else if (!program_look(AT_FDCWD, subject_path(subject, path), path, &program) &&
			 program.kind == PROGRAM_COPY)
			report(REPORT_WARNING, "copy", "only a change of that library can reach it",
			       "%s has a zlib inside, version %s", path, program.version);
	}
}

void check_zlib(const struct subject *subject)
{
	const char *asked = subject->settings.soft_zlib;
	char mapped[TREE_PATH_LEN] = "";
	size_t len;
	char *maps = subject->is_process
			     ? tree_whole(tree_path("/proc/%s/maps", subject->process), &len)
			     : NULL;

	if (maps)
		look_for_copies(subject, maps, mapped, sizeof(mapped));
	free(maps);
	if (*asked)
		look_underneath(subject, asked, "ZWD_SOFT_ZLIB: ");
	else if (*mapped)
		look_underneath(subject, mapped, "");
	else
		look_underneath(subject, SOFT_ZLIB_PATH, "");
}
