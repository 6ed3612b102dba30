/* SPDX-License-Identifier: Zlib */
/* zwd doctor: why there is no device, or why it is not used. Opens none, changes nothing. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"
#include "tools/zwd/loader.h"
#include "tools/zwd/options.h"

static const char usage[] =
	"Usage: zwd doctor [OPTION]... [PROGRAM|PID]\n"
	"Tells why there is no device, or why a program or process does not use it.\n\nOptions:\n"
	"      --json          JSON instead of text\n"
	"      --root=FOLDER   looks at /sys, /proc, /dev and /etc below that folder\n"
	"  -h, --help          this text\n"
	"The exit status is 0; 1: something is wrong; 2: wrong usage.\n";

static void ask(struct subject *subject)
{
	check_settings(subject);
	check_devices(subject);
	check_program(subject);
	check_preload(subject);
	check_gzip(subject);
	check_zlib(subject);
}

/* Whom the closing sentence is about. */
static void describe(const struct subject *subject, char *whom, size_t size)
{
	if (subject->is_process)
		snprintf(whom, size, "process %s (%s)", subject->process,
			 *subject->name ? subject->name : "not known");
	else if (*subject->program)
		snprintf(whom, size, "%s as %s", subject->name, subject->user);
	else
		snprintf(whom, size, "programs of %s", subject->user);
}

static int take(void *arg, int c, const char *value)
{
	if (c == 'j')
		*(bool *)arg = true;
	else
		tree_root = loader_root = value;
	return ZWD_DONE;
}

int doctor_main(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
					       { "root", required_argument, NULL, 'r' },
					       OPTIONS_HELP };
	static const struct options_of of = {
		.name = "doctor", .usage = usage, .shorts = "", .longs = longs, .words_max = 1, .take = take
	};
	static struct subject subject;
	bool is_json = false;
	char whom[512];
	int status = options_read(&of, argc, argv, &is_json);

	if (status >= 0)
		return status;
	if (subject_find(&subject, argv[optind]))
		return ZWD_USAGE;
	report_begin(is_json);
	if (!subject.is_readable)
		report(REPORT_WARNING, "process", "ask as root",
		       "process %s cannot be looked into: its settings and libraries are not known",
		       subject.process);
	ask(&subject);
	describe(&subject, whom, sizeof(whom));
	return report_end(whom) ? ZWD_DONE : ZWD_FAILED;
}
