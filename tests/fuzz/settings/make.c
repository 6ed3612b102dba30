/* SPDX-License-Identifier: Zlib */
/* Text as users write it: settings files, specifications of devices, options of the emulated one.
 */
#include "config.h"
#include "make.h"

#include "libz-wd/operate/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_put(struct buf *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->len += (size_t)vsnprintf((char *)buf_room(out, 2048), 2048, format, args);
	va_end(args);
}

static const char *const numbers[] = { "0",
				       "1",
				       "2",
				       "3",
				       "4",
				       "7",
				       "64",
				       "100",
				       "1024",
				       "65536",
				       "64K",
				       "4M",
				       "1G",
				       "4G",
				       "17179869183G",
				       "4294967295",
				       "1.5",
				       "57.6",
				       "0.001",
				       "0.0001",
				       "1000000",
				       "18446744073709551616",
				       "-1",
				       "0x41",
				       "00",
				       "learned",
				       "1-6",
				       "0,3-4,9",
				       "auto",
				       "hw",
				       "soft",
				       "",
				       " 5 " };

static const char *pick(struct random *r, const char *const *words, size_t nr)
{
	return words[random_below(r, nr)];
}
#define PICK(r, words) pick(r, words, sizeof(words) / sizeof((words)[0]))

static void make_fault(struct random *r, struct buf *out)
{
	static const char *const kinds[] = { "error",	  "error=0x13", "short", "checksum",
					     "corrupt",	  "late=5",	"hang",	 "reset",
					     "gone",	  "gone=2",	"lie",	 "lie=status",
					     "lie=twice", "busy",	"late",	 "hang=1" };
	static const char *const whens[] = { "1", "3-9", "5+", "*7", "*1", "0", "9-3", "0x10", "" };

	text_put(out, "%s@%s", PICK(r, kinds), PICK(r, whens));
}

static void make_options(struct random *r, struct buf *out)
{
	static const char *const names[] = { "threads", "qm",	      "queues", "depth",
					     "gbps",	"latency_us", "engine", "fault" };
	static const char *const engines[] = { "auto", "isal", "zlib", "null", "gpu" };

	for (size_t i = 0, nr = random_below(r, 5); i < nr; i++) {
		const char *name = PICK(r, names);

		text_put(out, "%s%s=", i ? "," : "", name);
		if (!strcmp(name, "engine"))
			text_put(out, "%s", PICK(r, engines));
		else if (strcmp(name, "fault"))
			text_put(out, "%s",
				 random_below(r, 3) ? numbers[1 + random_below(r, 2)]
						    : PICK(r, numbers));
		else
			for (size_t k = random_below(r, random_below(r, 8) ? 3 : 40) + 1; k; k--) {
				make_fault(r, out);
				text_put(out, k > 1 ? "/" : "");
			}
	}
}

static void make_spec(struct random *r, struct buf *out)
{
	static const char *const items[] = { "auto", "none", "emu",  "hisi_zip-0",   "0000:75:00.0",
					     "",     "fast", "emu:", "emulate:qm=3", "qm=3" };

	for (size_t i = 0, nr = random_below(r, 4) + 1; i < nr; i++) {
		text_put(out, i ? "," : "");
		if (random_below(r, 2)) {
			text_put(out, "emu:");
			make_options(r, out);
		} else {
			text_put(out, "%s", PICK(r, items));
		}
	}
}

static void make_value(struct random *r, struct buf *out)
{
	static const char *const paths[] = { "json:/tmp/x", "/usr/bin/wd-gzip", "maybe",
					     "json:", "off" };

	switch (random_below(r, 8)) {
	case 0:
		make_spec(r, out);
		break;
	case 1:
		text_put(out, "%s", PICK(r, paths));
		break;
	case 2: /* as long as a text may be, and longer */
		text_put(out, "/%0*d", (int)(500 + random_below(r, 530)), 0);
		break;
	default:
		text_put(out, "%s", PICK(r, numbers));
		break;
	}
}

static void make_line(struct random *r, struct buf *out)
{
	static const char *const others[] = {
		"# remark",	  "",		"[program fuzz_settings]",
		"[program  x ]",  "[program]",	"[programs x]",
		"[program a/b]",  "[x",		"word",
		"ZWD_SPEED = 11", "=",		"= 5",
		" \t\r",	  "[program x", "[]",
		"[all]",	  " [all] ",	"[all x]"
	};
	static const char *const joins[] = { "=", " = ", "\t=", "==", " " };

	if (!random_below(r, 3)) {
		text_put(out, "%s", PICK(r, others));
	} else {
		const char *name = zwd_settings_name((unsigned int)random_below(r, SETTINGS_NR));

		text_put(out, "%s%s%s", random_below(r, 9) ? "" : "  ", name, PICK(r, joins));
		make_value(r, out);
	}
	if (!random_below(r, 20))
		buf_add(out, "", 1);
	text_put(out, random_below(r, 12) ? "\n" : "\r\n");
}

static void make_file(struct random *r, struct buf *out)
{
	unsigned char nr = (unsigned char)random_below(r, 4);

	buf_add(out, &nr, 1);
	for (; nr; nr--) {
		struct buf value = { 0 };
		unsigned char head[2] = { 0, (unsigned char)random_below(r, SETTINGS_NR) };

		make_value(r, &value);
		head[0] = (unsigned char)value.len;
		value.len = head[0];
		buf_add(out, head, 2);
		buf_add(out, value.data, value.len);
		buf_free(&value);
	}
	if (!random_below(r, 10))
		text_put(out, "\xef\xbb\xbf");
	for (size_t lines = random_below(r, 12); lines; lines--)
		make_line(r, out);
}

size_t settings_make(struct random *r, uint8_t *data, size_t room)
{
	unsigned char how = (unsigned char)random_below(r, 4);
	struct buf out = { 0 };
	size_t len;

	buf_add(&out, &how, 1);
	if (how == 0)
		make_spec(r, &out);
	else if (how == 1)
		make_options(r, &out);
	else
		make_file(r, &out);
	len = out.len < room ? out.len : room;
	memcpy(data, out.data, len);
	buf_free(&out);
	return len;
}
