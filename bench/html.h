/* SPDX-License-Identifier: Zlib */
/* The page of --html: what its two halves share. */
#ifndef HTML_H
#define HTML_H

#include "anchors.h"
#include "table.h"

struct html {
	const struct table *table;
	FILE *out;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchors_nr;
	char missing[128];
};

/* Text from elsewhere. */
void html_text(FILE *out, const char *text);

/* html_tables.c */
void html_settings(const struct html *html);
void html_break_even(const struct html *html);
void html_figures(const struct html *html);
void html_method(const struct html *html);

#endif
