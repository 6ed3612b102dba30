/* SPDX-License-Identifier: Zlib */
/* What the user set: environment, then the file of ZWD_CONFIG or /etc/libz-wd.conf. Read once. */
#ifndef ZWD_SETTINGS_H
#define ZWD_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZWD_MIN_LEARNED SIZE_MAX	/* by measuring in this process */
#define ZWD_MIN_PROFILE (SIZE_MAX - 1) /* what policy.c knows of such a device */

enum zwd_engine { ZWD_ENGINE_AUTO, ZWD_ENGINE_HW, ZWD_ENGINE_SOFT };

/* Percent that a device may be worse than software; 0: any. */
struct zwd_guard_floor {
	unsigned int ratio; /* how much more it makes of the same input */
	unsigned int time;  /* how much longer calls take */
};

struct zwd_settings {
	char device[512];	   /* WD_DEVICE */
	enum zwd_engine engine;	   /* ZWD_ENGINE */
	unsigned int levels;	   /* ZWD_LEVELS: bit n = level n goes to the device */
	size_t min_deflate;	   /* ZWD_MIN_DEFLATE, bytes, or one of the above */
	size_t min_inflate;	   /* ZWD_MIN_INFLATE, likewise */
	size_t unit;		   /* ZWD_UNIT: input bytes of one request at most */
	unsigned int queues;	   /* ZWD_QUEUES per direction; 0: four times the engines */
	unsigned int depth;	   /* ZWD_DEPTH: units of a bulk stream in flight; 1: serial */
	unsigned int verify;	   /* ZWD_VERIFY: inflate one in so many units; 0: none */
	size_t keep;		   /* ZWD_KEEP: compressed bytes kept for a way back, by all streams */
	unsigned int timeout_ms;   /* ZWD_TIMEOUT_MS of one request */
	size_t in_flight;	   /* ZWD_IN_FLIGHT: input bytes on devices at once; 0: any */
	unsigned int latency_ms;   /* ZWD_LATENCY_MS: what takes longer is software's; 0: nothing is */
	struct zwd_guard_floor guard; /* ZWD_GUARD */
	bool is_choosy;		   /* one of the latter two is set, which is seen to when the settings are read */
	int stats_text;		   /* ZWD_STATS=1 */
	char stats_json[1024];	   /* ZWD_STATS=json:PATH */
	char stats_dir[1024];	   /* ZWD_STATS=dir:PATH */
	char trace[1024];	   /* ZWD_TRACE: "", or FILE[,data] */
	char soft_zlib[1024];	   /* ZWD_SOFT_ZLIB: path of the real zlib, or "" */
	char gzip[1024];	   /* ZWD_GZIP: "", "0", "1" or the path of wd-gzip */
};

/* NULL: this process has not asked for them, that is: it opened no stream; or lacks descriptors. */
extern const struct zwd_settings *_Atomic zwd_settings_known __attribute__((visibility("hidden")));

const struct zwd_settings *zwd_settings_read(void);

/*
 * At load: reads the file, which later may not be there to be read. What is needed then
 * is right in what is returned: device, stats_dir, trace, soft_zlib and gzip. All other settings are read with
 * the first stream, until which the environment is the program's to change.
 */
const struct zwd_settings *zwd_settings_load(void);

static inline const struct zwd_settings *zwd_settings(void)
{
	const struct zwd_settings *known;

	known = atomic_load_explicit(&zwd_settings_known, memory_order_acquire);
	return known ? known : zwd_settings_read();
}

/* How long a stream that software can take over waits for a device's queue, or for room on it. */
static inline unsigned int zwd_settings_patience(const struct zwd_settings *s)
{
	return s->latency_ms && s->latency_ms < s->timeout_ms ? s->latency_ms : s->timeout_ms;
}

/* values.c: the names, NULL behind the last. */
#define ZWD_SETTING_NAME_LEN 16
const char *zwd_settings_name(unsigned int nr);

/* Does this NAME=VALUE begin as ours do, and mean nothing to us? Most likely it is misspelt. */
bool zwd_settings_is_misspelt(const char *entry);

/* One "KEY = VALUE" into s; 0, or -EINVAL: the key is not known (-ENOENT) or the value not possible. */
int zwd_settings_set(struct zwd_settings *s, const char *key, const char *value);

/* The file name of the executable, whatever the process calls itself. */
void zwd_settings_program(char *name, size_t size);

extern const struct zwd_settings zwd_settings_default;

#endif
