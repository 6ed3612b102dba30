/* SPDX-License-Identifier: Zlib */
/* What the user set: environment, then the file of ZWD_CONFIG or /etc/libz-wd.conf. Read once. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "load.h"
#include "log.h"
#include "settings.h"

#define CONFIG_PATH "/etc/libz-wd.conf"

const struct zwd_settings zwd_settings_default = {
	.device = "auto",
	.levels = 0x7e,
	.min_deflate = ZWD_MIN_LEARNED,
	.min_inflate = ZWD_MIN_LEARNED,
	.unit = 1 << 20,
	.depth = 4,
	.keep = 16 << 20,
	.timeout_ms = 1000,
};

/* A number of bytes or of things: digits, then K, M or G. */
static int parse_size(const char *value, size_t max, size_t *size)
{
	char *end;
	unsigned long long n;

	if (!isdigit((unsigned char)*value))
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

		if (!isdigit((unsigned char)value[0]))
			return -EINVAL;
		first = last = *value++ - '0';
		if (value[0] == '-' && isdigit((unsigned char)value[1])) {
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

static int parse_stats(struct zwd_settings *s, const char *value)
{
	if (!strcmp(value, "0") || !strcmp(value, "off")) {
		s->stats_text = 0;
		s->stats_json[0] = '\0';
	} else if (!strcmp(value, "1")) {
		s->stats_text = 1;
	} else if (!strncmp(value, "json:", 5) && value[5] &&
		   strlen(value + 5) < sizeof(s->stats_json)) {
		strcpy(s->stats_json, value + 5);
	} else {
		return -EINVAL;
	}
	return 0;
}

static int parse_engine(const char *value, enum zwd_engine *engine)
{
	static const char names[][8] = { "auto", "hw", "soft" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(value, names[i])) {
			*engine = i;
			return 0;
		}
	return -EINVAL;
}

int zwd_settings_set(struct zwd_settings *s, const char *key, const char *value)
{
	size_t n;
	int ret = 0;

	if (!strcmp(key, "WD_DEVICE")) {
		if (strlen(value) >= sizeof(s->device))
			return -EINVAL;
		strcpy(s->device, *value ? value : "auto");
	} else if (!strcmp(key, "ZWD_ENGINE")) {
		ret = parse_engine(value, &s->engine);
	} else if (!strcmp(key, "ZWD_LEVELS")) {
		ret = parse_levels(value, &s->levels);
	} else if (!strcmp(key, "ZWD_MIN_DEFLATE")) {
		ret = parse_min(value, &s->min_deflate);
	} else if (!strcmp(key, "ZWD_MIN_INFLATE")) {
		ret = parse_min(value, &s->min_inflate);
	} else if (!strcmp(key, "ZWD_KEEP")) {
		ret = parse_size(value, SIZE_MAX >> 1, &s->keep);
	} else if (!strcmp(key, "ZWD_UNIT")) {
		ret = parse_size(value, 4 << 20, &n);
		if (!ret && n < 65536)
			ret = -EINVAL;
		if (!ret)
			s->unit = n;
	} else if (!strcmp(key, "ZWD_QUEUES")) {
		ret = parse_size(value, 1024, &n);
		if (!ret)
			s->queues = (unsigned int)n;
	} else if (!strcmp(key, "ZWD_DEPTH")) {
		ret = parse_size(value, 64, &n);
		if (!ret && !n)
			ret = -EINVAL;
		if (!ret)
			s->depth = (unsigned int)n;
	} else if (!strcmp(key, "ZWD_VERIFY")) {
		ret = parse_size(value, UINT32_MAX, &n);
		if (!ret)
			s->verify = (unsigned int)n;
	} else if (!strcmp(key, "ZWD_TIMEOUT_MS")) {
		ret = parse_size(value, 3600000, &n);
		if (!ret && !n)
			ret = -EINVAL;
		if (!ret)
			s->timeout_ms = (unsigned int)n;
	} else if (!strcmp(key, "ZWD_STATS")) {
		ret = parse_stats(s, value);
	} else if (!strcmp(key, "ZWD_LOG")) {
		ret = zwd_log_configure(value) ? 0 : -EINVAL;
	} else {
		ret = -ENOENT;
	}
	return ret;
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r\n");
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static void read_file(struct zwd_settings *s, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	unsigned int line_nr = 0;

	if (!file) {
		if (errno != ENOENT)
			zwd_log(ZWD_LOG_ERROR, "%s: %s", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		char *key = trim(line), *value = strchr(key, '=');
		int ret;

		line_nr++;
		if (!*key || *key == '#')
			continue;
		if (value)
			*value++ = '\0';
		ret = value ? zwd_settings_set(s, trim(key), trim(value)) : -EINVAL;
		if (ret)
			zwd_log(ZWD_LOG_ERROR, "%s:%u: %s", path, line_nr,
				ret == -ENOENT ? "unknown key" : "impossible value");
	}
	fclose(file);
}

static struct zwd_settings settings;
const struct zwd_settings *_Atomic zwd_settings_known;

static void read_once(void)
{
	/* The log first, so that the others' mistakes are seen. */
	static const char names[][24] = {
		"ZWD_LOG", "WD_DEVICE", "ZWD_ENGINE", "ZWD_LEVELS", "ZWD_MIN_DEFLATE",
		"ZWD_MIN_INFLATE", "ZWD_UNIT", "ZWD_QUEUES", "ZWD_DEPTH", "ZWD_VERIFY", "ZWD_KEEP",
		"ZWD_TIMEOUT_MS", "ZWD_STATS",
	};
	int is_secure = getauxval(AT_SECURE) != 0;
	const char *value;

	settings = zwd_settings_default;
	/* A set-uid program stays in software unless the system's own file says otherwise. */
	if (is_secure)
		strcpy(settings.device, "none");
	if (!is_secure && (value = getenv("ZWD_LOG")))
		zwd_log_configure(value);
	value = secure_getenv("ZWD_CONFIG");
	/* Under another root, the file is of whoever owns that one. */
	if (!zwd_root_is_changed())
		read_file(&settings, value && *value ? value : CONFIG_PATH);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = secure_getenv(names[i]);
		if (value && zwd_settings_set(&settings, names[i], value))
			zwd_log(ZWD_LOG_ERROR, "%s: impossible value", names[i]);
	}
	/* Reproducible: the same input gives the same bytes, with a device or without. */
	if (secure_getenv("SOURCE_DATE_EPOCH"))
		settings.engine = ZWD_ENGINE_SOFT;
	atomic_store(&zwd_settings_known, &settings);
}

const struct zwd_settings *zwd_settings_read(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int saved_errno = errno;

	pthread_once(&once, read_once);
	errno = saved_errno;
	return &settings;
}
