/* SPDX-License-Identifier: Zlib */
/* What the doctor found: a line each, good, a warning or wrong, and what to do. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdbool.h>

enum report_verdict { REPORT_GOOD, REPORT_WARNING, REPORT_WRONG };

void report_begin(bool is_json);

/* check: one word, the same for the same kind of thing. advice: what to do, or NULL. */
void report(enum report_verdict verdict, const char *check, const char *advice, const char *format,
	    ...) __attribute__((format(printf, 4, 5)));

/* The closing sentence, which is about whom ("a program started here"); true: nothing was wrong. */
bool report_end(const char *whom);

#endif
