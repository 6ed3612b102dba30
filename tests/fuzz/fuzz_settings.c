/* SPDX-License-Identifier: Zlib */
/*
 * Text that users write: a settings file with an environment, a device specification, options of
 * the emulated device. What is wrong in a file is told by its line, once, and changes nothing; what
 * is taken is the same when it is written down again and read.
 */
#include "config.h"
#include "driver.h"
#include "settings/make.h"

#include <inttypes.h>

#include "libwd/emu/emu_priv.h"
#include "libwd/emu/emu.h"
#include "libwd/priv.h"

/* What is static there is called here. */
#include "libz-wd/operate/lines.c"
#include "libz-wd/operate/settings.c"

#include <stdarg.h>
#include <stdio.h>

static int file_fd, log_fd;
static char file_path[32];

static void setup(void)
{
	char value[64];

	file_fd = memfd_create("settings", MFD_CLOEXEC);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	check(file_fd >= 0 && log_fd >= 0, "memfd_create");
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file_fd);
	snprintf(value, sizeof(value), "error,file:/proc/self/fd/%d", log_fd);
	setenv("ZWD_CONFIG", file_path, 1);
	setenv("ZWD_LOG", value, 1);
	unsetenv("SOURCE_DATE_EPOCH");
	zwd_root_note();
}

/* Settings as lines of NAME=VALUE. */
static void print_settings(const struct zwd_settings *s, struct buf *out)
{
	static const char *const engines[] = { "auto", "hw", "soft" };
	const size_t mins[] = { s->min_deflate, s->min_inflate };

	text_put(out, "WD_DEVICE=%s\nZWD_ENGINE=%s\n", s->device, engines[s->engine]);
	text_put(out, "ZWD_LEVELS=");
	for (int i = 0; i < 10; i++)
		if (s->levels >> i & 1)
			text_put(out, "%s%d", s->levels & ((1u << i) - 1) ? "," : "", i);
	for (int i = 0; i < 2; i++)
		if (mins[i] == ZWD_MIN_LEARNED)
			text_put(out, "\nZWD_MIN_%s=learned", i ? "INFLATE" : "DEFLATE");
		else if (mins[i] != ZWD_MIN_PROFILE)
			text_put(out, "\nZWD_MIN_%s=%zu", i ? "INFLATE" : "DEFLATE", mins[i]);
	text_put(out, "\nZWD_UNIT=%zu\nZWD_QUEUES=%u\nZWD_DEPTH=%u\nZWD_VERIFY=%u\nZWD_KEEP=%zu\n",
		 s->unit, s->queues, s->depth, s->verify, s->keep);
	text_put(out, "ZWD_TIMEOUT_MS=%u\nZWD_IN_FLIGHT=%zu\nZWD_LATENCY_MS=%u\n", s->timeout_ms, s->in_flight,
		 s->latency_ms);
	text_put(out, "ZWD_GUARD=%u,%u\n", s->guard.ratio, s->guard.time);
	if (s->stats_text)
		text_put(out, "ZWD_STATS=1\n");
	if (s->stats_json[0])
		text_put(out, "ZWD_STATS=json:%s\n", s->stats_json);
	text_put(out, "ZWD_SOFT_ZLIB=%s\nZWD_GZIP=%s\nZWD_TRACE=%s\n", s->soft_zlib, s->gzip, s->trace);
}

static void check_settings(const struct zwd_settings *s)
{
	struct zwd_settings again = zwd_settings_default;
	struct buf text = { 0 }, second = { 0 };
	char *copy, *rest = NULL;

	/* A value of the environment may have lines. */
	if (strpbrk(s->device, "\n") || strpbrk(s->soft_zlib, "\n") || strpbrk(s->gzip, "\n") ||
	    strpbrk(s->trace, "\n") ||
	    strpbrk(s->stats_json, "\n"))
		return;
	print_settings(s, &text);
	copy = strdup((char *)text.data);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *value = strchr(line, '=');

		*value++ = '\0';
		check(!zwd_settings_set(&again, line, value), "%s=%s is not taken again", line,
		      value);
	}
	print_settings(&again, &second);
	check(!strcmp((char *)text.data, (char *)second.data), "read again:\n%s\nbefore:\n%s",
	      second.data, text.data);
	free(copy);
	buf_free(&text);
	buf_free(&second);
}

/*
 * The file's lines by rules of our own: what is wrong with each, and what they set. Those for this program (turn 1)
 * after those for all, of which the first turn tells what else is wrong.
 */
static void expect_line(struct zwd_settings *s, char *line, size_t len, unsigned int nr,
			int turn, int *whose, struct buf *wrong)
{
	struct buf nowhere = { 0 }, *once = turn ? &nowhere : wrong;
	char *key, *value;
	int ret;

	if (memchr(line, 0, len)) {
		text_put(once, "%u: has a zero byte\n", nr);
		goto out;
	}
	key = trim(line);
	if (*key == '[') {
		char end, *last = key + strlen(key) - 1;

		*whose = !strcmp(key, "[all]") ? 0 : 2;
		if (!*whose)
			goto out;
		if (*last == ']' && sscanf(key, "[program%*1[ \t\r\v\f]%c", &end) == 1) {
			*last = '\0';
			value = trim(key + strlen("[program"));
			if (!*value || strchr(value, '/'))
				text_put(once, "%u: impossible name of a program\n", nr);
			else if (!strcmp(value, program_invocation_short_name))
				*whose = 1;
		} else {
			text_put(once, "%u: unknown section\n", nr);
		}
		goto out;
	}
	if (!*key || *key == '#')
		goto out;
	value = strchr(key, '=');
	if (!value) {
		text_put(once, "%u: is no KEY = VALUE\n", nr);
		goto out;
	}
	*value = '\0';
	key = trim(key);
	value = trim(value + 1);
	if (*whose != turn || !strcmp(key, "ZWD_LOG"))
		goto out;
	ret = zwd_settings_set(s, key, value);
	if (ret)
		text_put(wrong, "%u: %s\n", nr,
			 ret == -ENOENT ? "unknown key" : "impossible value");
out:
	buf_free(&nowhere);
}

static void expect(struct zwd_settings *s, const uint8_t *data, size_t len, int turn, struct buf *wrong)
{
	char *text = malloc(len + 1), *line = text;
	unsigned int nr = 0;
	int whose = 0;

	memcpy(text, data, len);
	text[len] = '\0';
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		line += 3;
	while (line < text + len) {
		char *end = memchr(line, '\n', (size_t)(text + len - line));

		end = end ? end : text + len;
		*end = '\0';
		expect_line(s, line, (size_t)(end - line), ++nr, turn, &whose, wrong);
		line = end + 1;
	}
	free(text);
}

/* What the log has of the file's lines, in the same words. */
static void read_log(struct buf *out)
{
	off_t size = lseek(log_fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1), *rest = NULL;

	check(pread(log_fd, text, (size_t)size, 0) == size, "pread");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *at = strstr(line, file_path);

		check(at && at[strlen(file_path)] == ':', "the log says: %s", line);
		text_put(out, "%s\n", at + strlen(file_path) + 1);
	}
	free(text);
	buf_add(out, "", 1);
}

static void set_environment(struct taker *t)
{
	const char *name;

	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++)
		if (strcmp(name, "ZWD_LOG"))
			unsetenv(name);
	for (unsigned int nr = take_byte(t) % 4; nr; nr--) {
		const uint8_t *from;
		char value[256];
		size_t len = take_byte(t);

		name = zwd_settings_name(take_byte(t) % SETTINGS_NR);
		from = take_bytes(t, &len);
		memcpy(value, from, len);
		value[len] = '\0';
		setenv(name, value, 1);
	}
}

static void run_file(struct taker *t)
{
	struct zwd_settings s, expected = zwd_settings_default;
	struct buf wrong = { 0 }, told = { 0 }, texts[2] = { { 0 } };
	const uint8_t *data;
	size_t len;

	set_environment(t);
	len = t->len;
	data = take_bytes(t, &len);
	/* A log may be a file anywhere, and its mistakes depend on where it goes by then. */
	if (memmem(data, len, "ZWD_LOG", 7))
		return;
	check(!ftruncate(file_fd, 0) && !ftruncate(log_fd, 0) &&
		      pwrite(file_fd, data, len, 0) == (ssize_t)len,
	      "memfd");
	check(!read_system(&s), "read_system");
	for (int turn = 0; turn < 2; turn++)
		expect(&expected, data, len, turn, &wrong);
	buf_add(&wrong, "", 1);
	read_log(&told);
	check(!strcmp((char *)wrong.data, (char *)told.data), "told:\n%s\nwrong is:\n%s", told.data,
	      wrong.data);
	print_settings(&s, &texts[0]);
	print_settings(&expected, &texts[1]);
	check(!strcmp((char *)texts[0].data, (char *)texts[1].data), "set:\n%s\nthe file has:\n%s",
	      texts[0].data, texts[1].data);
	check_settings(&s);
	read_environment(&s);
	check_settings(&s);
	for (int i = 0; i < 2; i++)
		buf_free(&texts[i]);
	buf_free(&wrong);
	buf_free(&told);
}

/* Options of the emulated device */

static void print_number(struct buf *out, const char *name, unsigned int value, unsigned int scale)
{
	if (scale == 1)
		text_put(out, "%s=%u", name, value);
	else
		text_put(out, "%s=%u.%03u", name, value / 1000, value % 1000);
}

static void print_fault(struct buf *out, const struct emu_fault *f)
{
	static const char *const names[] = {
		[EMU_FAULT_ERROR] = "error",	 [EMU_FAULT_CHECKSUM] = "checksum",
		[EMU_FAULT_CORRUPT] = "corrupt", [EMU_FAULT_SHORT] = "short",
		[EMU_FAULT_HANG] = "hang",	 [EMU_FAULT_LATE] = "late",
		[EMU_FAULT_RESET] = "reset",	 [EMU_FAULT_GONE] = "gone",
		[EMU_FAULT_BUSY] = "busy",	 [EMU_FAULT_LIE] = "lie",
	};

	text_put(out, "%s", names[f->kind]);
	if (f->kind == EMU_FAULT_LIE)
		text_put(out, "=%s", emu_lie_names[f->arg]);
	else if (f->kind == EMU_FAULT_ERROR || f->kind == EMU_FAULT_LATE ||
		 f->kind == EMU_FAULT_GONE)
		text_put(out, "=%" PRIu32, f->arg);
	if (f->every > 1)
		text_put(out, "@*%" PRIu64, f->every);
	else if (f->last == UINT64_MAX)
		text_put(out, "@%" PRIu64 "+", f->first);
	else
		text_put(out, "@%" PRIu64 "-%" PRIu64, f->first, f->last);
}

static void print_options(const struct emu_options *o, struct buf *out)
{
	static const char *const engines[] = { "auto", "isal", "null", "zlib" };

	print_number(out, "threads", o->threads, 1);
	text_put(out, ",qm=%u,queues=%u,depth=%u,engine=%s", o->qm, o->queues, o->depth,
		 engines[o->engine]);
	print_number(out, ",latency_us", o->latency_ns, 1000);
	if (o->mbps)
		print_number(out, ",gbps", o->mbps, 1000);
	for (unsigned int i = 0; i < o->faults.nr; i++) {
		text_put(out, i ? "/" : ",fault=");
		print_fault(out, &o->faults.fault[i]);
	}
	buf_add(out, "", 1);
}

static void run_options(const char *text)
{
	struct emu_options options, again;
	struct buf texts[2] = { { 0 } };
	int ret = emu_options_parse(&options, text);

	check(!ret || ret == -EINVAL, "emu_options_parse: %d", ret);
	check(emu_options_check(text) == ret, "emu_options_check says something else");
	if (ret)
		return;
	print_options(&options, &texts[0]);
	ret = emu_options_parse(&again, (char *)texts[0].data);
	check(!ret, "not taken again: %s", texts[0].data);
	print_options(&again, &texts[1]);
	check(!strcmp((char *)texts[0].data, (char *)texts[1].data), "%s becomes %s", texts[0].data,
	      texts[1].data);
	buf_free(&texts[0]);
	buf_free(&texts[1]);
}

/* Specifications of devices */

/* -EINVAL, or what the items are, joined again. */
static int join_spec(const char *pos, struct buf *out)
{
	static const char *const words[] = { [WD_SPEC_AUTO] = "auto", [WD_SPEC_NONE] = "none" };

	for (const char *join = ""; pos; join = ",") {
		struct wd_spec spec;

		if (wd_spec_next(&pos, &spec))
			return -EINVAL;
		if (spec.kind == WD_SPEC_EMU && emu_options_check(spec.text))
			return -EINVAL;
		text_put(out, "%s", join);
		if (spec.kind == WD_SPEC_EMU)
			text_put(out, "emu:%s", spec.text);
		else
			text_put(out, "%s",
				 spec.kind == WD_SPEC_NAME ? spec.text : words[spec.kind]);
	}
	buf_add(out, "", 1);
	return 0;
}

static void run_spec(const char *text)
{
	struct buf texts[2] = { { 0 } };
	int ret = join_spec(text, &texts[0]), nr = wd_list_devices(text, NULL, 0);

	check(nr >= -1 || nr == -EINVAL, "wd_list_devices: %d", nr);
	check((nr == -EINVAL) == (ret == -EINVAL), "wd_list_devices: %d for %s", nr, text);
	if (!ret) {
		check(!join_spec((char *)texts[0].data, &texts[1]) &&
			      !strcmp((char *)texts[0].data, (char *)texts[1].data),
		      "%s becomes %s", texts[0].data, texts[1].data);
	}
	buf_free(&texts[0]);
	buf_free(&texts[1]);
}

static void run(const uint8_t *data, size_t len)
{
	struct taker t = { data, len };
	unsigned int how = take_byte(&t) % 4;
	char *text;

	if (how > 1) {
		run_file(&t);
		return;
	}
	text = strndup((const char *)t.data, t.len);
	if (how)
		run_options(text);
	else
		run_spec(text);
	free(text);
}

const struct fuzzer fuzzer = {
	.name = "fuzz_settings",
	.len_max = 1 << 14,
	.limit_s = 10,
	.setup = setup,
	.make = settings_make,
	.run = run,
};
