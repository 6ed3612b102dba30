// SPDX-License-Identifier: Zlib
/* Options of the emulated device: a list of name=value, joined with commas. */
#include "config.h"
#include "emu.h"
#include "emu_codec.h"
#include "emu_priv.h"
#include "lean.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCALE 1000 /* a fraction has up to three digits */

static const struct {
	char name[12];
	size_t offset;
	unsigned int min;
	unsigned int max;
	unsigned int scale; /* SCALE: may be a fraction, and the value is kept in thousandths */
} numbers[] = {
	{ "depth", offsetof(struct emu_options, depth), 2, HISI_QM_MAX_DEPTH, 1 },
	{ "gbps", offsetof(struct emu_options, mbps), 1, 1000 * SCALE, SCALE },
	{ "latency_us", offsetof(struct emu_options, latency_ns), 0, 1000000 * SCALE, SCALE },
	{ "qm", offsetof(struct emu_options, qm), 1, 3, 1 },
	{ "queues", offsetof(struct emu_options, queues), 1, 1024, 1 },
	{ "strict", offsetof(struct emu_options, strict), 0, 1, 1 },
	{ "threads", offsetof(struct emu_options, threads), 1, 64, 1 },
	{ "vfs", offsetof(struct emu_options, vfs), 0, 63, 1 },
};

static const char engines[][8] = {
	[EMU_ENGINE_AUTO] = "auto",
	[EMU_ENGINE_ISAL] = "isal",
	[EMU_ENGINE_NULL] = "null",
	[EMU_ENGINE_ZLIB] = "zlib",
};

static bool is_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

/* "12", where the scale allows it "12.5". 0 or -EINVAL. */
static int parse_number(const char *p, size_t len, unsigned int scale, unsigned int *value)
{
	uint64_t v = 0;
	unsigned int unit = scale;
	bool has_point = false;

	/* Digits on both sides of the point. */
	if (!len || len > 12 || p[0] == '.' || p[len - 1] == '.')
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.' && scale > 1 && !has_point) {
			has_point = true;
			continue;
		}
		if (p[i] < '0' || p[i] > '9' || (has_point && unit == 1))
			return -EINVAL;
		v = v * 10 + (p[i] - '0');
		if (has_point)
			unit /= 10;
	}
	v *= unit;
	if (v > UINT32_MAX)
		return -EINVAL;
	*value = v;
	return 0;
}

static int parse_option(struct emu_options *opt, const char *p, size_t len)
{
	const char *eq = memchr(p, '=', len);
	size_t i, name_len, value_len;
	unsigned int value;

	if (!eq)
		return -EINVAL;
	name_len = eq - p;
	value_len = len - name_len - 1;
	if (is_name("fault", p, name_len))
		return emu_fault_parse(&opt->faults, eq + 1, value_len);
	if (is_name("engine", p, name_len)) {
		for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
			if (is_name(engines[i], eq + 1, value_len)) {
				opt->engine = i;
				return 0;
			}
		return -EINVAL;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is_name(numbers[i].name, p, name_len))
			break;
	if (i == sizeof(numbers) / sizeof(numbers[0]) ||
	    parse_number(eq + 1, value_len, numbers[i].scale, &value))
		return -EINVAL;
	if (value < numbers[i].min || value > numbers[i].max)
		return -EINVAL;
	memcpy((char *)opt + numbers[i].offset, &value, sizeof(value));
	return 0;
}

int emu_options_parse(struct emu_options *opt, const char *text)
{
	memset(opt, 0, sizeof(*opt));
	opt->threads = lean_cpus() > 1 ? 2 : 1;
	opt->qm = 3;
	opt->queues = 64;
	opt->strict = 1;
	opt->depth = HISI_QM_DEFAULT_DEPTH;
	while (*text) {
		size_t len = strcspn(text, ",");
		int ret = parse_option(opt, text, len);

		if (ret)
			return ret;
		text += len;
		if (*text == ',' && !*++text)
			return -EINVAL;
	}
	return 0;
}

int emu_options_check(const char *options)
{
	struct emu_options *opt = malloc(sizeof(*opt)); /* too much for a small stack */
	int ret = opt ? emu_options_parse(opt, options) : -ENOMEM;

	free(opt);
	return ret;
}

const struct emu_codec *emu_codec_choose(enum emu_engine engine)
{
	if (engine == EMU_ENGINE_NULL)
		return emu_codec_null.open() ? NULL : &emu_codec_null;
	if (engine != EMU_ENGINE_ZLIB && !emu_codec_isal.open())
		return &emu_codec_isal;
	if (engine != EMU_ENGINE_ISAL && !emu_codec_zlib.open())
		return &emu_codec_zlib;
	return NULL;
}
