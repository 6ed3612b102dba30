/* SPDX-License-Identifier: Zlib */
/* The level at which zlib's output is about as long as the device's. */
#include "config.h"

#include "equal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Compressed bytes of all units on one side, or -errno. */
static long long packed_len(const struct codec_ops *ops, const struct codec_cfg *cfg, const struct input_unit *units,
			    size_t nr, size_t size)
{
	struct codec *codec;
	long long len = 0;
	uint8_t *src, *dst;
	int ret = ops->open(cfg, &codec);

	if (ret < 0)
		return ret;
	src = ops->alloc(codec, size);
	dst = ops->alloc(codec, codec_bound(size));
	ret = src && dst ? 0 : -ENOMEM;
	for (size_t i = 0; i < nr && !ret; i++) {
		struct codec_unit unit = { .src = src, .dst = dst, .src_len = units[i].len,
					   .dst_size = codec_bound(units[i].len) };

		memcpy(src, units[i].data, units[i].len);
		ret = ops->run(codec, &unit, 1);
		len += (long long)unit.dst_len;
	}
	ops->close(codec);
	return ret < 0 ? ret : len;
}

int equal_level(const struct measure_cfg *cfg, const struct input *input, size_t size)
{
	struct codec_cfg codec_cfg = cfg->codec;
	long long device, len, nearest = -1;
	struct input_unit *units;
	size_t nr;
	int ret = -ENOMEM;

	units = input_units(input, size, &nr);
	if (!units)
		return -ENOMEM;
	codec_cfg.direction = CODEC_DEFLATE;
	codec_cfg.level = 1;
	device = packed_len(cfg->device_ops, &codec_cfg, units, nr, size);
	if (device < 0)
		ret = (int)device;
	for (int level = 1; device >= 0 && level <= 9; level++) {
		codec_cfg.level = level;
		len = packed_len(&codec_soft, &codec_cfg, units, nr, size);
		if (len < 0)
			continue;
		if (nearest < 0 || llabs(len - device) < nearest) {
			nearest = llabs(len - device);
			ret = level;
		}
	}
	free(units);
	return ret;
}
