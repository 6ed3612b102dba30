/* SPDX-License-Identifier: Zlib */
/* What the doctor found: a line each, good, a warning or wrong, and what to do. */
#include "config.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/json.h"

#define TEXT_LEN 1024

static const char verdicts[][8] = { "good", "warning", "wrong" };
static struct {
	bool is_json;
	unsigned int nr[3];
	char first_wrong[TEXT_LEN], first_warning[TEXT_LEN];
} the;

void report_begin(bool is_json)
{
	the.is_json = is_json;
	if (is_json)
		printf("{\"checks\": [");
}

/* Names and values come from anybody: a terminal is not told what to do. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void report(enum report_verdict verdict, const char *check, const char *advice, const char *format,
	    ...)
{
	char text[TEXT_LEN];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	make_plain(text);
	if (verdict == REPORT_WRONG && !the.nr[REPORT_WRONG])
		strcpy(the.first_wrong, text);
	if (verdict == REPORT_WARNING && !the.nr[REPORT_WARNING])
		strcpy(the.first_warning, text);
	if (the.is_json) {
		printf("%s{\"check\": \"%s\", \"verdict\": \"%s\", \"text\": ",
		       the.nr[0] + the.nr[1] + the.nr[2] ? ",\n  " : "", check, verdicts[verdict]);
		json_print(stdout, text);
		printf(", \"advice\": ");
		json_print(stdout, advice);
		putchar('}');
	} else {
		printf("%-8s %-9s %s\n", verdicts[verdict], check, text);
		if (advice)
			printf("%18s -> %s\n", "", advice);
	}
	the.nr[verdict]++;
}

bool report_end(const char *whom)
{
	bool is_good = !the.nr[REPORT_WRONG];
	const char *reason = is_good ? the.first_warning : the.first_wrong;
	char text[TEXT_LEN + 256];

	if (is_good && !*reason)
		snprintf(text, sizeof(text), "All is well for %s.", whom);
	else if (is_good)
		snprintf(text, sizeof(text), "Nothing is wrong for %s, but: %s.", whom, reason);
	else
		snprintf(text, sizeof(text), "%s for %s: %s.",
			 the.nr[REPORT_WRONG] > 1 ? "Several things are wrong"
						  : "Something is wrong",
			 whom, reason);
	if (!the.is_json) {
		printf("\n%s\n", text);
		return is_good;
	}
	printf("],\n \"good\": %u, \"warnings\": %u, \"wrong\": %u, \"conclusion\": ",
	       the.nr[REPORT_GOOD], the.nr[REPORT_WARNING], the.nr[REPORT_WRONG]);
	json_print(stdout, text);
	puts("}");
	return is_good;
}
