/* SPDX-License-Identifier: Zlib */
/* The learned policy on a virtual clock: modelled software and devices, a fixed seed. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "engine/learn.h"
#include "learned.h"

enum { SIZES = 13, FIRST = 100, CALLS = 1000, MIXED = SIZES * 1000 };

/* Software in ns at 256 bytes, 1K, 4K, ... 1M of plain text: zlib 1.2.13 on a processor of 2023. */
enum { POINTS = 7 };

static const struct kind {
	const char *name;
	struct zwd_learn seeded;
	double soft_ns[POINTS];
	double packed[POINTS]; /* inflate is asked with the compressed length: of plain */
} kinds[] = {
	{ "deflate 1", ZWD_LEARN_DEFLATE_FAST,
	  { 14400, 18600, 35600, 104400, 366100, 1608000, 5761000 }, { 1, 1, 1, 1, 1, 1, 1 } },
	{ "deflate 6", ZWD_LEARN_DEFLATE_SLOW,
	  { 12900, 22300, 60200, 234000, 1285000, 5958000, 22310000 }, { 1, 1, 1, 1, 1, 1, 1 } },
	{ "inflate", ZWD_LEARN_INFLATE,
	  { 3600, 5020, 10800, 33500, 113200, 370300, 1633000 },
	  { .55, .371, .256, .202, .177, .173, .168 } },
};

static const double latencies_ns[] = { 3000, 13500, 45000 };
#define DEVICE_BYTE_NS (1 / 7.2)

struct run {
	const struct kind *kind;
	double latency_ns;
	struct zwd_learn learn;
	uint64_t random;
	double taken, soft, device; /* ns */
};

static double draw(struct run *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (double)(r->random >> 11) / (double)(1ull << 53);
}

/* A fifth more or less, and once in fifty calls somebody else's turn. */
static double noise(struct run *r)
{
	double factor = .8 + .4 * draw(r);

	return draw(r) < .02 ? factor * 10 : factor;
}

/* size: 0 at 256 bytes, 1 at 512, ...; between two points of the table by a straight line. */
static double at(const double *table, double size)
{
	int point = (int)(size / 2) < POINTS - 1 ? (int)(size / 2) : POINTS - 2;
	double low = (double)(256ull << 2 * point), len = 256;

	for (; size >= 1; size--)
		len *= 2;
	len *= 1 + size;
	return table[point] + (table[point + 1] - table[point]) * (len - low) / (3 * low);
}

static enum zwd_learn_engine call(struct run *r, double size)
{
	double plain = at((const double[]){ 256, 1024, 4096, 16384, 65536, 262144, 1048576 }, size);
	double soft = at(r->kind->soft_ns, size) * noise(r);
	double device = (r->latency_ns + plain * DEVICE_BYTE_NS) * noise(r);
	size_t len = (size_t)(plain * at(r->kind->packed, size));
	enum zwd_learn_engine engine = zwd_learn_choose(&r->learn, len);
	double ns = engine == ZWD_LEARN_DEVICE ? device : soft;

	zwd_learn_note(&r->learn, engine, len, (uint64_t)ns);
	r->taken += ns;
	r->soft += soft;
	r->device += device;
	return engine;
}

static void begin(struct run *r, const struct kind *kind, double latency_ns)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->latency_ns = latency_ns;
	memcpy(&r->learn, &kind->seeded, sizeof(r->learn));
	r->random = 0x5eed;
}

static double ratio(const struct run *r)
{
	return r->taken / (r->soft < r->device ? r->soft : r->device);
}

static double alone(const struct kind *kind, double latency_ns, int size)
{
	struct run r;

	begin(&r, kind, latency_ns);
	for (int i = 0; i < FIRST; i++)
		call(&r, size);
	r.taken = r.soft = r.device = 0;
	for (int i = 0; i < CALLS; i++)
		call(&r, size);
	return ratio(&r);
}

/* Any length, not powers of two alone; each size has its own account. */
static void mixed(const struct kind *kind, double latency_ns, double ratios[SIZES])
{
	struct run r, sizes[SIZES] = { 0 };

	begin(&r, kind, latency_ns);
	for (int i = 0; i < FIRST + MIXED; i++) {
		double size = draw(&r) * (SIZES - 1);
		struct run *account = &sizes[(int)(size + .5)];

		if (i == FIRST)
			memset(sizes, 0, sizeof(sizes));
		r.taken = r.soft = r.device = 0;
		call(&r, size);
		account->taken += r.taken;
		account->soft += r.soft;
		account->device += r.device;
	}
	for (int size = 0; size < SIZES; size++)
		ratios[size] = ratio(&sizes[size]);
}

static double row(FILE *out, const char *traffic, const struct kind *kind, double latency_ns,
		  const double ratios[SIZES])
{
	double worst = 0;

	if (out)
		fprintf(out, "%-10s%4.1f us %-6s", kind->name, latency_ns / 1000, traffic);
	for (int size = 0; size < SIZES; size++) {
		if (out)
			fprintf(out, " %5.3f", ratios[size]);
		if (ratios[size] > worst)
			worst = ratios[size];
	}
	if (out)
		fprintf(out, "\n");
	return worst;
}

double learned_worst(FILE *out)
{
	double worst = 0, ratios[SIZES], of_row;

	if (out)
		fprintf(out, "%-24s %5s %5s %5s %5s %5s %5s %5s %5s %5s %5s %5s %5s %5s\n",
			"over the better one", "256", "512", "1K", "2K", "4K", "8K", "16K", "32K",
			"64K", "128K", "256K", "512K", "1M");
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		for (size_t i = 0; i < sizeof(latencies_ns) / sizeof(latencies_ns[0]); i++) {
			for (int size = 0; size < SIZES; size++)
				ratios[size] = alone(&kinds[kind], latencies_ns[i], size);
			of_row = row(out, "alone", &kinds[kind], latencies_ns[i], ratios);
			worst = of_row > worst ? of_row : worst;
			mixed(&kinds[kind], latencies_ns[i], ratios);
			of_row = row(out, "mixed", &kinds[kind], latencies_ns[i], ratios);
			worst = of_row > worst ? of_row : worst;
		}
	return worst;
}

/* Calls until 9 of the last 10 went to this engine. */
static unsigned int calls_until(struct run *r, double size, enum zwd_learn_engine engine)
{
	unsigned int nr = 0, in_row = 0;

	while (in_row < 9 && nr < 100000) {
		in_row = call(r, size) == engine ? in_row + 1 : 0;
		nr++;
	}
	return nr;
}

void learned_adapt(double slower, unsigned int *leave_nr, unsigned int *return_nr)
{
	struct run r;
	double size = 5; /* 8K at level 1: 15 us against 60 */

	begin(&r, &kinds[0], 13500);
	for (int i = 0; i < FIRST; i++)
		call(&r, size);
	r.latency_ns *= slower;
	*leave_nr = calls_until(&r, size, ZWD_LEARN_SOFT);
	for (int i = 0; i < FIRST; i++)
		call(&r, size);
	r.latency_ns /= slower;
	*return_nr = calls_until(&r, size, ZWD_LEARN_DEVICE);
}
