/* SPDX-License-Identifier: Zlib */
/* Which engine for which work. */
#include "config.h"

#include "policy.h"
#include "qpool.h"
#include "settings.h"

int zwd_policy_deflate_candidate(const struct zwd_deflate *d, int is_custom)
{
	const struct zwd_settings *settings = zwd_settings();

	if (settings->engine == ZWD_ENGINE_SOFT || d->method != Z_DEFLATED ||
	    d->strategy != Z_DEFAULT_STRATEGY)
		return 0;
	if (d->level < 0 || d->level > 9 || !(settings->levels & 1u << d->level))
		return 0;
	if (d->window_bits != 15 && d->window_bits != -15 && d->window_bits != 31)
		return 0;
	/* Of a caller's own memory only as much is taken as zlib would take. */
	if (d->mem_level < (is_custom ? 8 : 1) || d->mem_level > 9)
		return 0;
	return zwd_qpool_has_device(ZWD_DEFLATE);
}

int zwd_policy_inflate_candidate(int window_bits)
{
	/* 32 KiB windows, or whatever the stream's header says. */
	switch (window_bits) {
	case 0:
	case 15:
	case 31:
	case 32:
	case 47:
		break;
	case -15:
		if (zwd_settings()->engine == ZWD_ENGINE_SOFT)
			return 0;
		return zwd_qpool_has_device(ZWD_INFLATE) && zwd_qpool_has_raw(ZWD_INFLATE);
	default:
		return 0;
	}
	return zwd_settings()->engine != ZWD_ENGINE_SOFT && zwd_qpool_has_device(ZWD_INFLATE);
}

int zwd_policy_deflate_begin(size_t len, int flush)
{
	const struct zwd_settings *settings = zwd_settings();

	if (flush == Z_BLOCK)
		return 0;
	if (settings->engine == ZWD_ENGINE_HW)
		return 1;
	/* More may come, and is gathered until there is a unit's worth. */
	return flush == Z_NO_FLUSH || len >= settings->min_deflate;
}

int zwd_policy_deflate_unit(size_t len)
{
	const struct zwd_settings *settings = zwd_settings();

	return settings->engine == ZWD_ENGINE_HW || len >= settings->min_deflate;
}

int zwd_policy_inflate_begin(size_t len)
{
	const struct zwd_settings *settings = zwd_settings();

	return settings->engine == ZWD_ENGINE_HW || len >= settings->min_inflate;
}
