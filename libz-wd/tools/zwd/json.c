/* SPDX-License-Identifier: Zlib */
/* Text as JSON: whatever bytes a name has, the output is valid. */
#include "config.h"
#include <string.h>
#include "tools/zwd/json.h"

/* Bytes of the character that text begins with, 0: it is none. */
static unsigned int character(const char *text)
{
	static const struct {
		unsigned char mask, begins;
		unsigned int smallest;
	} forms[] = {
		{ 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
	};
	unsigned char first = (unsigned char)*text;

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int value = first & (unsigned char)~forms[i].mask;

		if ((first & forms[i].mask) != forms[i].begins)
			continue;
		for (unsigned int k = 1; k <= i; k++) {
			if (((unsigned char)text[k] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | ((unsigned char)text[k] & 0x3f);
		}
		if (value < forms[i].smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
			return 0;
		return i + 1;
	}
	return 0;
}

void json_print(FILE *out, const char *text)
{
	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	while (*text) {
		unsigned int len = character(text);

		if (!len)
			fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fwrite(text, 1, len, out);
		text += len ? len : 1;
	}
	putc('"', out);
}
