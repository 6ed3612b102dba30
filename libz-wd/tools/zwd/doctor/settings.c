/* SPDX-License-Identifier: Zlib */
/* zwd doctor: which settings are in force, where each comes from, and what is wrong with them. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "operate/lines.h"
#include "tools/zwd/commands.h"
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"

#define CONFIG_PATH "/etc/libz-wd.conf"

struct reading {
	struct subject *subject;
	const char *path;
	bool is_own;  /* what is for this program is read, after what is for all, which it wins over */
	bool is_ours; /* the section that is being read is what is read */
};

static void set(struct subject *subject, const char *name, const char *value, const char *origin)
{
	int r = zwd_settings_set(&subject->settings, name, value);

	if (!r && !strcmp(name, "WD_DEVICE") &&
	    devices_check(value))
		r = -EINVAL;
	if (r == -ENOENT)
		report(REPORT_WRONG, "settings", "libz-wd(7) lists the settings",
		       "%s: %s is no setting and does nothing", origin, name);
	else if (r)
		report(REPORT_WRONG, "settings", "libz-wd(7) tells what it may be",
		       "%s: %s = %s is not understood and does nothing", origin, name, value);
	else
		report(REPORT_GOOD, "settings", NULL, "%s = %s (%s)", name, value, origin);
}

static void take_line(void *arg, const struct zwd_line *line)
{
	struct reading *r = arg;
	char origin[TREE_PATH_LEN + 32];

	snprintf(origin, sizeof(origin), "%s, line %u", r->path, line->nr);
	if (line->wrong) {
		r->is_ours &= line->program != NULL;
		if (r->is_own)
			return;
		report(REPORT_WRONG, "settings", "libz-wd(7) tells how the file is written", "%s: %s",
		       origin, line->wrong);
	} else if (!line->key) {
		r->is_ours = !strcmp(line->program, r->is_own ? r->subject->name : "");
	} else if (r->is_ours) {
		set(r->subject, line->key, line->value, origin);
	}
}

static void read_lines(struct reading *r, const char *path, bool is_own)
{
	size_t len;
	char *text = tree_whole(path, &len);

	r->is_own = is_own;
	r->is_ours = !is_own;
	if (text)
		zwd_lines_read(text, len, take_line, r);
	else if (!is_own)
		report(REPORT_WRONG, "settings", "let all users read it", "%s: %s", r->path, strerror(errno));
	free(text);
}

static void read_file(struct subject *subject)
{
	const char *asked = subject->is_secure ? NULL : subject_variable(subject, "ZWD_CONFIG");
	const char *name = asked && *asked ? asked : CONFIG_PATH;
	const char *path = subject_path(subject, name);
	struct reading r = { .subject = subject, .path = name };
	struct stat st;

	if (stat(path, &st)) {
		if (errno != ENOENT || name == asked)
			report(REPORT_WRONG, "settings", "correct ZWD_CONFIG", "%s: %s", name,
			       strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > 1 << 20) {
		report(REPORT_WRONG, "settings", "libz-wd reads regular files of at most 1 MiB",
		       "%s is not read", name);
		return;
	}
	read_lines(&r, path, false);
	read_lines(&r, path, true);
}

static void read_environment(struct subject *subject)
{
	const char *at = subject->environment, *end = at + subject->environment_len, *name, *value;

	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++)
		if ((value = subject_variable(subject, name)))
			set(subject, name, value, "environment");
	for (; at && at < end; at += strlen(at) + 1)
		if (zwd_settings_is_misspelt(at))
			report(REPORT_WRONG, "settings", "libz-wd(7) lists the settings",
			       "environment: %.*s is no setting and does nothing",
			       (int)strcspn(at, "="), at);
	subject->is_reproducible = subject_variable(subject, "SOURCE_DATE_EPOCH");
}

void check_settings(struct subject *subject)
{
	/* As in the library: only the system's own file gives such a program a device. */
	if (subject->is_secure) {
		strcpy(subject->settings.device, "none");
		report(REPORT_WARNING, "settings", NULL,
		       "it runs with rights of its own: its environment does not count");
	}
	read_file(subject);
	if (!subject->is_secure)
		read_environment(subject);
	if (subject->is_reproducible)
		report(REPORT_WRONG, "engine", "unset SOURCE_DATE_EPOCH",
		       "SOURCE_DATE_EPOCH asks for the same bytes everywhere: software does all");
	else if (subject->settings.engine == ZWD_ENGINE_SOFT)
		report(REPORT_WRONG, "engine", "unset ZWD_ENGINE, or set it to auto",
		       "ZWD_ENGINE = soft: software does all");
	else if (!subject->settings.levels)
		report(REPORT_WRONG, "engine", "set ZWD_LEVELS to 1-6", "ZWD_LEVELS has no level");
	else if (subject->settings.levels == zwd_settings_default.levels)
		report(REPORT_GOOD, "engine", NULL,
		       "the device compresses at levels 1 to 6; level 9, which many programs ask "
		       "for, is software's");
}
