/* SPDX-License-Identifier: Zlib */
/* What is compressed: files or the generated mix, and the units of it that one pass takes. */
#include "config.h"

#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gen.h"

#define INPUT_PASS_MIN	(4u << 20)
#define INPUT_PASS_MAX	(8u << 20)
#define INPUT_UNITS_MIN 4
#define INPUT_LARGE (16u << 20) /* more is one unit a pass, of one source that has all kinds in pieces */
#define INPUT_PIECE (1u << 20)

static int input_add(struct input *input, const char *name, uint8_t *data, size_t len)
{
	struct input_source *sources =
		realloc(input->sources, (input->sources_nr + 1) * sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	sources[input->sources_nr++] = (struct input_source){ name, data, len };
	input->sources = sources;
	input->len += len;
	return 0;
}

int input_add_file(struct input *input, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	uint8_t *data = NULL;
	size_t len = 0, size;
	struct stat st;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret && !S_ISREG(st.st_mode))
		ret = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (ret)
		goto close_fd;
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	ret = data ? 0 : -ENOMEM;
	while (!ret && len < size) {
		ssize_t got = read(fd, data + len, size - len);

		if (got < 0 && errno != EINTR)
			ret = -errno;
		else if (got == 0)
			break;
		else if (got > 0)
			len += (size_t)got;
	}
	if (!ret)
		ret = input_add(input, path, data, len);
	if (ret)
		free(data);
close_fd:
	close(fd);
	return ret;
}

/* All kinds in one source, a piece of each in turn as often as it weighs. */
static int input_add_joined(struct input *input, size_t len)
{
	uint8_t *data = malloc(len);
	size_t at = 0, nr = 0;

	if (!data)
		return -ENOMEM;
	while (at < len)
		for (enum gen_kind kind = 0; kind < GEN_KINDS_NR && at < len; kind++)
			for (unsigned int i = gen_weight(kind); i && at < len; i--, nr++) {
				size_t piece = len - at < INPUT_PIECE ? len - at : INPUT_PIECE;

				gen_fill(kind, INPUT_SEED + nr, data + at, piece);
				at += piece;
			}
	if (input_add(input, "mix", data, len)) {
		free(data);
		return -ENOMEM;
	}
	return 0;
}

int input_add_mix(struct input *input, size_t piece_len)
{
	input->is_generated = 1;
	if (piece_len > INPUT_LARGE)
		return input_add_joined(input, piece_len);
	for (enum gen_kind kind = 0; kind < GEN_KINDS_NR; kind++) {
		size_t len = piece_len * gen_weight(kind);
		uint8_t *data = malloc(len);

		if (!data)
			return -ENOMEM;
		gen_fill(kind, INPUT_SEED, data, len);
		if (input_add(input, gen_name(kind), data, len)) {
			free(data);
			return -ENOMEM;
		}
	}
	return 0;
}

static size_t input_units_of(const struct input_source *source, size_t size)
{
	size_t nr = source->len / size, rest = source->len % size;

	return nr + (rest && (!nr || rest >= size / 2));
}

struct input_unit *input_units(const struct input *input, size_t size, size_t *nr)
{
	size_t all_nr = 0, pass_nr, i = 0, mean, pass_len = input->len;
	struct input_unit *all, *pass = NULL;

	for (size_t s = 0; s < input->sources_nr; s++)
		all_nr += input_units_of(&input->sources[s], size);
	if (!all_nr)
		return NULL;
	all = malloc(all_nr * sizeof(*all));
	if (!all)
		return NULL;
	for (size_t s = 0; s < input->sources_nr; s++) {
		const struct input_source *source = &input->sources[s];

		for (size_t u = 0; u < input_units_of(source, size); u++, i++) {
			size_t left = source->len - u * size;

			all[i] = (struct input_unit){ source->data + u * size,
						      left < size ? left : size };
		}
	}
	mean = pass_len / all_nr ? pass_len / all_nr : 1;
	if (pass_len > INPUT_PASS_MAX)
		pass_len = INPUT_PASS_MAX;
	if (pass_len < INPUT_PASS_MIN)
		pass_len = INPUT_PASS_MIN;
	pass_nr = pass_len / mean;
	if (!pass_nr || (pass_nr < INPUT_UNITS_MIN && mean <= INPUT_LARGE))
		pass_nr = mean <= INPUT_LARGE ? INPUT_UNITS_MIN : 1;
	pass = malloc(pass_nr * sizeof(*pass));
	for (i = 0; pass && i < pass_nr; i++)
		pass[i] = all[pass_nr < all_nr ? i * all_nr / pass_nr : i % all_nr];
	free(all);
	*nr = pass_nr;
	return pass;
}

void input_free(struct input *input)
{
	for (size_t s = 0; s < input->sources_nr; s++)
		free(input->sources[s].data);
	free(input->sources);
}
