/* SPDX-License-Identifier: Zlib */
/* What is compressed: files or the generated mix, and the units of it that one pass takes. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#define INPUT_SEED 42

struct input_source {
	const char *name; /* borrowed */
	uint8_t *data;
	size_t len;
};

struct input {
	struct input_source *sources;
	size_t sources_nr;
	size_t len; /* of all sources */
	int is_generated;
};

struct input_unit {
	const uint8_t *data; /* borrowed from the input */
	size_t len;
};

/* A regular file's content. 0 or -errno. */
int input_add_file(struct input *input, const char *path);

/* Each kind's weight times piece_len bytes; above 16 MiB, piece_len bytes of all kinds together. 0 or -ENOMEM. */
int input_add_mix(struct input *input, size_t piece_len);

/*
 * Cuts the sources into units of size bytes; a source's shorter end counts when it is all there is
 * or at least half a unit. A pass is 4 to 8 MiB, or 4 units if they are large, 1 above 16 MiB: units spread evenly
 * over a longer input, units of a shorter one again and again. NULL: no memory or no bytes. The
 * caller frees it.
 */
struct input_unit *input_units(const struct input *input, size_t size, size_t *nr);

void input_free(struct input *input);

#endif
