/* SPDX-License-Identifier: Zlib */
/* Settings by their names: what each may be, and where it is kept. */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lean.h>

#include "operate/log.h"
#include "operate/settings.h"

const struct zwd_settings zwd_settings_default = {
	.device = "auto",
	.levels = 0x7e,
	.min_deflate = ZWD_MIN_PROFILE,
	.min_inflate = ZWD_MIN_PROFILE,
	.unit = 256 << 10,
	.depth = 4,
	.keep = 64 << 20,
	.timeout_ms = 1000,
};

/* A number of bytes or of things: digits, then K, M or G. */
static int parse_size(const char *value, size_t max, size_t *size)
{
	char *end;
	unsigned long long n;

	if (!lean_is_digit(*value))
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno)
		return -EINVAL;
	switch (*end) {
	case 'G':
		n = n > max >> 30 ? max + 1 : n << 30;
		end++;
		break;
	case 'M':
		n = n > max >> 20 ? max + 1 : n << 20;
		end++;
		break;
	case 'K':
		n = n > max >> 10 ? max + 1 : n << 10;
		end++;
		break;
	}
	if (*end || n > max)
		return -EINVAL;
	*size = n;
	return 0;
}

static int parse_min(const char *value, size_t *min)
{
	if (strcmp(value, "learned"))
		return parse_size(value, UINT32_MAX, min);
	*min = ZWD_MIN_LEARNED;
	return 0;
}

/* "1-6", "1,3,5-9", "0-9". */
static int parse_levels(const char *value, unsigned int *levels)
{
	unsigned int mask = 0;

	do {
		int first, last;

		if (!lean_is_digit(value[0]))
			return -EINVAL;
		first = last = *value++ - '0';
		if (value[0] == '-' && lean_is_digit(value[1])) {
			last = value[1] - '0';
			value += 2;
		}
		if (first > last || (*value && *value != ','))
			return -EINVAL;
		for (int level = first; level <= last; level++)
			mask |= 1u << level;
	} while (*value++ == ',');
	*levels = mask;
	return 0;
}

/* 1: not this one. */
static int parse_path(const char *value, const char *prefix, char *path, size_t size)
{
	size_t len = strlen(prefix);

	if (strncmp(value, prefix, len))
		return 1;
	if (!value[len] || strlen(value + len) >= size)
		return -EINVAL;
	strcpy(path, value + len);
	return 0;
}

static int parse_stats(struct zwd_settings *s, const char *value)
{
	int ret;

	if (!strcmp(value, "0") || !strcmp(value, "off")) {
		s->stats_text = 0;
		s->stats_json[0] = '\0';
		s->stats_dir[0] = '\0';
		return 0;
	}
	if (!strcmp(value, "1")) {
		s->stats_text = 1;
		return 0;
	}
	if (!strncmp(value, "dir:", 4) && value[4] != '/')
		return -EINVAL; /* programs change their folder */
	ret = parse_path(value, "json:", s->stats_json, sizeof(s->stats_json));
	if (ret > 0)
		ret = parse_path(value, "dir:", s->stats_dir, sizeof(s->stats_dir));
	return ret > 0 ? -EINVAL : ret;
}

/* "20", "20,100", "0,100". */
static int parse_guard(const char *value, struct zwd_guard_floor *floor)
{
	const size_t most = 100000;
	char text[16];
	char *comma;
	size_t ratio, time = 0;

	if (strlen(value) >= sizeof(text))
		return -EINVAL;
	strcpy(text, value);
	comma = strchr(text, ',');
	if (comma)
		*comma = '\0';
	if (parse_size(text, most, &ratio) || (comma && parse_size(comma + 1, most, &time)))
		return -EINVAL;
	*floor = (struct zwd_guard_floor){ (unsigned int)ratio, (unsigned int)time };
	return 0;
}

static int parse_engine(const char *value, enum zwd_engine *engine)
{
	static const char engines[][8] = { "auto", "hw", "soft" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(value, engines[i])) {
			*engine = i;
			return 0;
		}
	return -EINVAL;
}

static int parse_text(const char *value, char *text, size_t size)
{
	if (strlen(value) >= size)
		return -EINVAL;
	strcpy(text, value);
	return 0;
}

/* "0": GNU gzip stays itself; "1" or nothing: the installed wd-gzip; or the path of one. */
static bool is_gzip(const char *value)
{
	return !*value || *value == '/' || !strcmp(value, "0") || !strcmp(value, "1");
}

enum kind { DEVICE, ENGINE, LEVELS, MIN, SIZE, LIMIT, NUMBER, GUARD, TEXT, GZIP, STATS, LOG };

#define AT(field) offsetof(struct zwd_settings, field)

/* Names are no pointers: those would cost the loader a relocation each, in every process. */
static const struct {
	char name[ZWD_SETTING_NAME_LEN];
	enum kind kind;
	unsigned int at;
	size_t min, max; /* of numbers; of a text: bytes with its end */
} table[] = {
	{ "WD_DEVICE", DEVICE, AT(device), 0, sizeof(zwd_settings_default.device) },
	{ "ZWD_ENGINE", ENGINE, AT(engine), 0, 0 },
	{ "ZWD_LEVELS", LEVELS, AT(levels), 0, 0 },
	{ "ZWD_MIN_DEFLATE", MIN, AT(min_deflate), 0, 0 },
	{ "ZWD_MIN_INFLATE", MIN, AT(min_inflate), 0, 0 },
	{ "ZWD_UNIT", SIZE, AT(unit), 65536, 4 << 20 },
	{ "ZWD_QUEUES", NUMBER, AT(queues), 0, 1024 },
	{ "ZWD_DEPTH", NUMBER, AT(depth), 1, 64 },
	{ "ZWD_VERIFY", NUMBER, AT(verify), 0, UINT32_MAX },
	{ "ZWD_KEEP", SIZE, AT(keep), 0, SIZE_MAX >> 1 },
	{ "ZWD_TIMEOUT_MS", NUMBER, AT(timeout_ms), 1, 3600000 },
	{ "ZWD_IN_FLIGHT", LIMIT, AT(in_flight), 128 << 10, (size_t)16 << 30 },
	{ "ZWD_LATENCY_MS", NUMBER, AT(latency_ms), 0, 3600000 },
	{ "ZWD_GUARD", GUARD, AT(guard), 0, 0 },
	{ "ZWD_STATS", STATS, 0, 0, 0 },
	{ "ZWD_TRACE", TEXT, AT(trace), 0, sizeof(zwd_settings_default.trace) },
	{ "ZWD_SOFT_ZLIB", TEXT, AT(soft_zlib), 0, sizeof(zwd_settings_default.soft_zlib) },
	{ "ZWD_GZIP", GZIP, AT(gzip), 0, sizeof(zwd_settings_default.gzip) },
	{ "ZWD_LOG", LOG, 0, 0, 0 },
};

const char *zwd_settings_name(unsigned int nr)
{
	return nr < sizeof(table) / sizeof(table[0]) ? table[nr].name : NULL;
}

bool zwd_settings_is_misspelt(const char *entry)
{
	static const char others[][16] = { "ZWD_CONFIG=", "ZWD_GZIP_TAKEN=", "ZWD_TEST_", "WD_TEST_",
					   "WD_SYSTEM_" };
	const char *name;
	size_t len = strcspn(entry, "=");

	if (strncmp(entry, "WD_", 3) && strncmp(entry, "ZWD_", 4))
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncmp(entry, others[i], strnlen(others[i], sizeof(others[i]))))
			return false;
	for (unsigned int i = 0; (name = zwd_settings_name(i)); i++)
		if (strlen(name) == len && !strncmp(entry, name, len))
			return false;
	return true;
}

static int set(struct zwd_settings *s, size_t row, const char *value)
{
	void *at = (char *)s + table[row].at;
	size_t size = 0;
	int ret;

	switch (table[row].kind) {
	case DEVICE:
		return parse_text(*value ? value : "auto", at, table[row].max);
	case ENGINE:
		return parse_engine(value, at);
	case LEVELS:
		return parse_levels(value, at);
	case MIN:
		return parse_min(value, at);
	case GUARD:
		return parse_guard(value, at);
	case TEXT:
		return parse_text(value, at, table[row].max);
	case GZIP:
		return is_gzip(value) ? parse_text(value, at, table[row].max) : -EINVAL;
	case STATS:
		return parse_stats(s, value);
	case LOG:
		return zwd_log_configure(value) ? 0 : -EINVAL;
	case SIZE:
	case LIMIT:
	case NUMBER:
		break;
	}
	ret = parse_size(value, table[row].max, &size);
	/* 0 is no limit. */
	if (ret || (size < table[row].min && (size || table[row].kind != LIMIT)))
		return -EINVAL;
	if (table[row].kind == NUMBER)
		*(unsigned int *)at = (unsigned int)size;
	else
		*(size_t *)at = size;
	return 0;
}

int zwd_settings_set(struct zwd_settings *s, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(key, table[i].name))
			return set(s, i, value);
	return -ENOENT;
}
