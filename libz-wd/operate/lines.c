/* SPDX-License-Identifier: Zlib */
/* A settings file, line by line: what stands there, whom it is for, and what is wrong with it. */
#include "config.h"

#include <string.h>

#include <lean.h>

#include "operate/lines.h"

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r\n");
	end = s + strlen(s);
	while (end > s && lean_is_space(end[-1]))
		*--end = '\0';
	return s;
}

static void read_section(char *text, struct zwd_line *line)
{
	static const char program[] = "[program";
	char *name = text + strlen(program), *end = text + strlen(text) - 1;

	line->program = "";
	if (!strcmp(text, "[all]"))
		return;
	line->program = NULL;
	line->wrong = "unknown section";
	if (strncmp(text, program, strlen(program)) || !lean_is_space(*name) || *end != ']')
		return;
	*end = '\0';
	name = trim(name);
	line->wrong = !*name || strchr(name, '/') ? "impossible name of a program" : NULL;
	if (!line->wrong)
		line->program = name;
}

static void read_setting(char *text, struct zwd_line *line)
{
	char *value = strchr(text, '=');

	if (!value) {
		line->wrong = "is no KEY = VALUE";
		return;
	}
	*value++ = '\0';
	line->key = trim(text);
	line->value = trim(value);
}

void zwd_lines_read(char *text, size_t len, void (*take)(void *arg, const struct zwd_line *line),
		    void *arg)
{
	struct zwd_line line = { .program = "" };
	char *end = text + len;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end) {
		char *begin = text, *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		*stop = '\0';
		text = stop + 1;
		line.nr++;
		line.key = line.value = line.wrong = NULL;
		if (strlen(begin) != (size_t)(stop - begin)) {
			line.wrong = "has a zero byte";
		} else {
			begin = trim(begin);
			if (!*begin || *begin == '#')
				continue;
			if (*begin == '[')
				read_section(begin, &line);
			else
				read_setting(begin, &line);
		}
		take(arg, &line);
	}
}
