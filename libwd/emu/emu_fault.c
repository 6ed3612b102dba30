// SPDX-License-Identifier: Zlib
/*
 * Fault scripts of the emulated device.
 *
 *   fault=KIND[=ARG]@WHEN[/KIND[=ARG]@WHEN...]
 *
 * WHEN counts the requests the device executes, from 1, over all its queues:
 *   N     request N
 *   N-M   requests N to M
 *   N+    request N and all that follow
 *   *N    every Nth request
 * The first entry of the list that fits a request is what happens to it.
 *
 *   error[=STATUS]  completes with this status (default 0x41); nothing consumed or produced
 *   short           completes with status 0x0e, nothing consumed or produced
 *   checksum        the checksum field is wrong
 *   corrupt         one byte of the output is wrong
 *   late=MS         completes MS milliseconds later; its engine does nothing else meanwhile
 *   hang            never completes, nor does what follows on its queue, until that is stopped
 *   reset           all queues die, requests in flight are lost; new queues work at once
 *   gone[=K]        the device disappears: all queues die, none starts again. With K: it is back
 *                   after it refused K starts
 *   lie[=FIELD]     completes, but the entry says what is not so: consumed, produced, status,
 *                   checksum (or length), context (its words), entry (any word of it); or the
 *                   completion comes late (10 to 130 ms) or twice. Without FIELD by turns
 *   busy            WHEN counts queue starts instead: this one finds no free queue
 *   stop=MS         WHEN counts a driver's commands that stop queues instead: this one takes MS
 *                   milliseconds longer; of the queue manager's model alone
 */
#include "emu_priv.h"

#include <errno.h>
#include <string.h>

static const struct {
	char name[12];
	enum emu_fault_kind kind;
	bool takes_arg;
	bool needs_arg;
	uint32_t arg;
	uint32_t arg_max;
} kinds[] = {
	{ "busy", EMU_FAULT_BUSY, false, false, 0, 0 },
	{ "checksum", EMU_FAULT_CHECKSUM, false, false, 0, 0 },
	{ "corrupt", EMU_FAULT_CORRUPT, false, false, 0, 0 },
	{ "error", EMU_FAULT_ERROR, true, false, HISI_ZIP_BAD_DATA, HISI_ZIP_RESULT_STATUS },
	{ "gone", EMU_FAULT_GONE, true, false, 0, 1000000 },
	{ "hang", EMU_FAULT_HANG, false, false, 0, 0 },
	{ "late", EMU_FAULT_LATE, true, true, 0, 600000 },
	{ "lie", EMU_FAULT_LIE, true, false, EMU_LIE_ANY, EMU_LIES - 1 },
	{ "reset", EMU_FAULT_RESET, false, false, 0, 0 },
	{ "short", EMU_FAULT_SHORT, false, false, 0, 0 },
	{ "stop", EMU_FAULT_STOP, true, true, 0, 600000 },
};

/* Decimal or 0x; advances *p. */
static int parse_number(const char **p, const char *end, uint64_t *value)
{
	const char *s = *p;
	unsigned int base = 10;
	uint64_t v = 0;

	if (end - s > 2 && s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	const char *first = s;
	for (; s < end; s++) {
		unsigned int digit;

		if (*s >= '0' && *s <= '9')
			digit = *s - '0';
		else if (base == 16 && *s >= 'a' && *s <= 'f')
			digit = *s - 'a' + 10;
		else
			break;
		if (v > UINT32_MAX)
			return -EINVAL;
		v = v * base + digit;
	}
	if (s == first)
		return -EINVAL;
	*p = s;
	*value = v;
	return 0;
}

/* One of the fields that a device lies about. */
static int parse_lie(const char **p, const char *end, uint64_t *value)
{
	const size_t len = end - *p;

	for (unsigned int i = 0; i < EMU_LIES; i++)
		if (strlen(emu_lie_names[i]) == len && !memcmp(emu_lie_names[i], *p, len)) {
			*p = end;
			*value = i;
			return 0;
		}
	return -EINVAL;
}

static int parse_when(struct emu_fault *fault, const char *p, const char *end)
{
	fault->every = 1;
	if (p < end && *p == '*') {
		p++;
		fault->first = 1;
		fault->last = UINT64_MAX;
		if (parse_number(&p, end, &fault->every) || !fault->every)
			return -EINVAL;
		return p == end ? 0 : -EINVAL;
	}
	if (parse_number(&p, end, &fault->first) || !fault->first)
		return -EINVAL;
	fault->last = fault->first;
	if (p < end && *p == '+') {
		p++;
		fault->last = UINT64_MAX;
	} else if (p < end && *p == '-') {
		p++;
		if (parse_number(&p, end, &fault->last) || fault->last < fault->first)
			return -EINVAL;
	}
	return p == end ? 0 : -EINVAL;
}

static int parse_fault(struct emu_fault *fault, const char *p, const char *end)
{
	const char *at = memchr(p, '@', end - p);
	size_t i, name_len;

	if (!at)
		return -EINVAL;
	const char *eq = memchr(p, '=', at - p);
	name_len = (eq ? eq : at) - p;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == name_len && !memcmp(kinds[i].name, p, name_len))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return -EINVAL;
	if (eq ? !kinds[i].takes_arg : kinds[i].needs_arg)
		return -EINVAL;
	fault->kind = kinds[i].kind;
	fault->arg = kinds[i].arg;
	if (eq) {
		uint64_t arg;

		p = eq + 1;
		if ((fault->kind == EMU_FAULT_LIE ? parse_lie : parse_number)(&p, at, &arg) ||
		    p != at || arg > kinds[i].arg_max)
			return -EINVAL;
		fault->arg = arg;
	}
	return parse_when(fault, at + 1, end);
}

int emu_fault_parse(struct emu_faults *faults, const char *list, size_t len)
{
	const char *end = list + len;

	faults->nr = 0;
	for (;;) {
		const char *slash = memchr(list, '/', end - list);
		const char *stop = slash ? slash : end;

		if (faults->nr == EMU_FAULTS_MAX ||
		    parse_fault(&faults->fault[faults->nr], list, stop))
			return -EINVAL;
		faults->nr++;
		if (!slash)
			return 0;
		list = slash + 1;
	}
}

/* Faults of requests, or of one other kind of event. */
static const struct emu_fault *find(const struct emu_faults *faults, uint64_t n,
				    enum emu_fault_kind kind)
{
	for (unsigned int i = 0; i < faults->nr; i++) {
		const struct emu_fault *f = &faults->fault[i];
		const bool is_other = f->kind == EMU_FAULT_BUSY || f->kind == EMU_FAULT_STOP;

		if ((is_other ? f->kind : EMU_FAULT_NONE) == kind && n >= f->first &&
		    n <= f->last && n % f->every == 0)
			return f;
	}
	return NULL;
}

const struct emu_fault *emu_fault_request(const struct emu_faults *faults, uint64_t n)
{
	return find(faults, n, EMU_FAULT_NONE);
}

const struct emu_fault *emu_fault_start(const struct emu_faults *faults, uint64_t n)
{
	return find(faults, n, EMU_FAULT_BUSY);
}

const struct emu_fault *emu_fault_stop(const struct emu_faults *faults, uint64_t n)
{
	return find(faults, n, EMU_FAULT_STOP);
}
