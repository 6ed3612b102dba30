/* SPDX-License-Identifier: Zlib */
/* What a process is set to: a device, its faults, and what goes with them. */
#ifndef SOAK_SETTINGS_H
#define SOAK_SETTINGS_H

#include <stdint.h>

enum { SETTINGS_MAX = 12, SETTING_LEN = 288 };

enum soak_mode { SOAK_SOFT, SOAK_EMU, SOAK_FAULT, SOAK_MODES };
extern const char *const soak_mode_names[SOAK_MODES];

struct soak_settings {
	enum soak_mode mode;
	unsigned int depth; /* of the device's rings */
	unsigned int nr;
	char env[SETTINGS_MAX][SETTING_LEN]; /* NAME=value, for putenv() */
};

/* A function of the seed. mode: SOAK_MODES leaves it to the seed. */
void soak_settings_draw(struct soak_settings *set, uint64_t seed, enum soak_mode mode);

#endif
