/* SPDX-License-Identifier: Zlib */
/* What a process is set to: a device, its faults, and what goes with them. */
#include "config.h"
#include "settings.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

const char *const soak_mode_names[SOAK_MODES] = { "soft", "emu", "fault" };

enum need {
	PROOF = 1,	/* it makes wrong bytes: found where they are looked for */
	IMPATIENCE = 2, /* or each would take the whole time limit */
};

static const struct {
	const char *kind;
	unsigned int often; /* a request in at least so many */
	unsigned int needs;
} faults[] = {
	{ "error", 5, 0 },
	{ "error=0x10", 11, 0 },
	{ "short", 7, 0 },
	{ "checksum", 7, 0 },
	{ "late=2", 9, 0 },
	{ "late=150", 300, IMPATIENCE },
	{ "busy", 2, 0 },
	{ "reset", 60, 0 },
	{ "hang", 120, IMPATIENCE },
	{ "gone=2", 80, 0 },
	{ "gone=40", 500, 0 },
	{ "corrupt", 5, PROOF },
	{ "lie", 40, PROOF | IMPATIENCE },
	{ "lie=consumed", 9, PROOF },
	{ "lie=produced", 9, PROOF },
	{ "lie=status", 9, PROOF },
	{ "lie=checksum", 9, PROOF },
	{ "lie=context", 9, PROOF },
	{ "lie=entry", 9, PROOF },
	{ "lie=twice", 90, PROOF | IMPATIENCE },
	{ "lie=late", 90, PROOF | IMPATIENCE },
};

static unsigned int below(uint64_t *rng, size_t limit)
{
	return (unsigned int)(test_random_of(rng) % limit);
}

static void set(struct soak_settings *set, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void set(struct soak_settings *set, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	vsnprintf(set->env[set->nr++], SETTING_LEN, format, va);
	va_end(va);
}

static size_t draw_device(uint64_t *rng, struct soak_settings *set, char *device, size_t size)
{
	static const char *const bases[] = { "threads=2",      "threads=1",
					     "threads=2,qm=2", "threads=2,qm=1",
					     "threads=4",      "threads=2,engine=zlib",
					     "queues=4",       "latency_us=20" };
	static const unsigned int depths[] = { 1024, 1024, 1024, 16, 2 };

	set->depth = depths[below(rng, NR(depths))];
	return (size_t)snprintf(device, size, "emu:%s,depth=%u", bases[below(rng, NR(bases))],
				set->depth);
}

/* Returns what the faults need. */
static unsigned int draw_faults(uint64_t *rng, char *at, size_t size)
{
	unsigned int nr = 1 + below(rng, 3), needs = 0;

	for (unsigned int f = 0; f < nr; f++) {
		unsigned int k = below(rng, NR(faults));
		size_t len =
			(size_t)snprintf(at, size, "%s%s@*%u", f ? "/" : ",fault=", faults[k].kind,
					 faults[k].often + below(rng, 1 + 4 * faults[k].often));

		needs |= faults[k].needs;
		at += len;
		size -= len;
	}
	/* At times it goes for good, later. */
	if (!below(rng, 10))
		snprintf(at, size, "/gone@%u", 300 + below(rng, 3000));
	return needs;
}

void soak_settings_draw(struct soak_settings *s, uint64_t seed, enum soak_mode mode)
{
	static const enum soak_mode modes[] = { SOAK_SOFT,  SOAK_EMU,	SOAK_EMU,   SOAK_FAULT,
						SOAK_FAULT, SOAK_FAULT, SOAK_FAULT, SOAK_FAULT };
	static const char *const units[] = { "64K", "128K", "256K", "1M" };
	static const char *const keeps[] = { "64M", "64M", "1M", "0" };
	static const unsigned int queues[] = { 0, 1, 2, 4 }, many[] = { 4, 1, 2, 16 };
	char device[SETTING_LEN - sizeof("WD_DEVICE=")] = "none";
	unsigned int needs = 0;
	size_t len;

	*s = (struct soak_settings){ .mode = mode };
	len = below(&seed, NR(modes)); /* drawn in any case: the rest is the same then */
	if (mode == SOAK_MODES)
		s->mode = modes[len];
	if (s->mode != SOAK_SOFT)
		len = draw_device(&seed, s, device, sizeof(device));
	if (s->mode == SOAK_FAULT)
		needs = draw_faults(&seed, device + len, sizeof(device) - len);
	set(s, "WD_DEVICE=%s", device);
	set(s, "ZWD_ENGINE=%s", below(&seed, 3) ? "hw" : "auto");
	set(s, "ZWD_UNIT=%s", units[below(&seed, NR(units))]);
	set(s, "ZWD_QUEUES=%u", queues[below(&seed, NR(queues))]);
	set(s, "ZWD_DEPTH=%u", many[below(&seed, NR(many))]);
	set(s, "ZWD_KEEP=%s", keeps[below(&seed, NR(keeps))]);
	set(s, "ZWD_VERIFY=%u", needs & PROOF ? 1 : below(&seed, 4) ? 0 : 1 + below(&seed, 4));
	set(s, "ZWD_TIMEOUT_MS=%u", needs & IMPATIENCE ? 60 : 20000);
	set(s, "ZWD_LEVELS=%s", below(&seed, 3) ? "1-6" : "1-9");
	set(s, "ZWD_TEST_ALLOC=%s", below(&seed, 6) ? "" : "align8");
}
