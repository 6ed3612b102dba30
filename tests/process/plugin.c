/* SPDX-License-Identifier: Zlib */
/* A library that is linked with zlib and is loaded, unloaded and ended with streams of its own. */
#include "plugin.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LEN 400000

static unsigned char plain[LEN], packed[LEN], back[LEN];
static z_stream kept_deflate, kept_inflate;
static volatile int *at_end;

static int trip(void)
{
	uLongf packed_len = LEN, back_len = LEN;

	for (size_t i = 0; i < LEN; i++)
		plain[i] = (unsigned char)"etaoin shrdlu\n"[(i * i + i / 7) % 14];
	if (compress(packed, &packed_len, plain, LEN))
		return 1;
	memset(back, 0, LEN);
	if (uncompress(back, &back_len, packed, packed_len) || back_len != LEN)
		return 2;
	return memcmp(plain, back, LEN) ? 3 : 0;
}

/* Half a stream each way. */
static int begin(void)
{
	int ret = trip();

	if (ret)
		return ret;
	memset(&kept_deflate, 0, sizeof(kept_deflate));
	memset(&kept_inflate, 0, sizeof(kept_inflate));
	if (deflateInit(&kept_deflate, 6) || inflateInit(&kept_inflate))
		return 4;
	kept_inflate.next_in = packed;
	kept_inflate.avail_in = 1000;
	kept_inflate.next_out = back;
	kept_inflate.avail_out = LEN;
	if (inflate(&kept_inflate, Z_NO_FLUSH))
		return 5;
	kept_deflate.next_in = plain;
	kept_deflate.avail_in = LEN / 2;
	kept_deflate.next_out = packed;
	kept_deflate.avail_out = LEN;
	return deflate(&kept_deflate, Z_NO_FLUSH) ? 6 : 0;
}

static int finish(void)
{
	uLongf back_len = LEN;

	kept_deflate.avail_in = LEN / 2;
	if (deflate(&kept_deflate, Z_FINISH) != Z_STREAM_END || deflateEnd(&kept_deflate))
		return 7;
	if (inflateEnd(&kept_inflate))
		return 8;
	if (uncompress(back, &back_len, packed, kept_deflate.total_out) || back_len != LEN)
		return 9;
	return memcmp(plain, back, LEN) ? 10 : 0;
}

/* What the destructor makes of it goes to *place. */
static void tell_at_end(volatile int *place)
{
	at_end = place;
}

__attribute__((destructor)) static void end(void)
{
	if (!at_end)
		return;
	*at_end = kept_deflate.state ? finish() : 0;
	if (!*at_end)
		*at_end = trip();
	if (!*at_end)
		*at_end = PLUGIN_RIGHT;
}

__attribute__((visibility("default")))
const struct plugin plugin = { trip, begin, finish, tell_at_end };
