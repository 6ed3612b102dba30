/* SPDX-License-Identifier: Zlib */
/* Programs out of bytes: numbers, settings, text, and the memory that streams are given. */
#include "config.h"
#include "api.h"

unsigned char corpus[CORPUS_LEN];

static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

bool in_op(struct input *in)
{
	in->pos = in->end;
	if (in->len - in->pos < OP_LEN)
		return false;
	in->end = in->pos + OP_LEN;
	in->more = 0;
	for (size_t i = in->pos; i < in->end; i++)
		in->more = (in->more ^ in->data[i]) * 0x100000001b3ull;
	return true;
}

unsigned int in_byte(struct input *in)
{
	return in->pos < in->end ? in->data[in->pos++] : (unsigned int)(mix(&in->more) & 0xff);
}

unsigned int in_below(struct input *in, unsigned int limit)
{
	return in_byte(in) % limit;
}

unsigned int in_slot(struct input *in)
{
	unsigned int b = in_byte(in);

	return b < 150 ? 0 : 1 + b % (SLOTS - 1);
}

size_t in_size(struct input *in, size_t most)
{
	static const uint8_t bits[] = { 0, 1, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 };
	unsigned int kind = in_byte(in), fine = in_byte(in);
	size_t base = (size_t)1 << bits[kind % 16], size = base - 1 + (base * fine >> 8);

	if (kind / 16 == 15)
		size = 65536 * (1 + fine % 24) + fine / 24 % 3 - 1;
	if (kind == 0xe7)
		size = (size_t)fine << 14;
	return size < most ? size : most;
}

/* Text, then noise, zeros, records, and text with matches from far away, in turns of 13 KB to 100
 * KB. */
void corpus_make(void)
{
	uint64_t state = 7;
	size_t pos = 0;

	while (pos < CORPUS_LEN) {
		unsigned int kind = mix(&state) % 8;
		size_t end = pos + 13000 + mix(&state) % 87000;

		end = end < CORPUS_LEN ? end : CORPUS_LEN;
		for (size_t i = pos; i < end; i++) {
			uint64_t word = mix(&state);

			if (kind == 0)
				corpus[i] = (unsigned char)word;
			else if (kind == 1)
				corpus[i] = 0;
			else if (kind == 2)
				corpus[i] = i % 16 < 3 ? (unsigned char)(i >> i % 16 * 6)
					    : word % 9 ? (unsigned char)(i % 16 * 17)
						       : (unsigned char)(word >> 32);
			else if (i > 33000 && word % 64 < 3) {
				size_t far = 20 + (word >> 8) % 32700;
				size_t len = 4 + (word >> 40) % 60;

				for (; len && i < end; len--, i++)
					corpus[i] = corpus[i - far];
				i--;
			} else
				corpus[i] = (unsigned char)(' ' + word % 90);
		}
		pos = end;
	}
}

const unsigned char *in_text(struct input *in, size_t len)
{
	size_t at = (size_t)in_byte(in) << 14;

	return corpus + (at <= CORPUS_LEN - len ? at : CORPUS_LEN - len);
}

static void set(struct settings *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set(struct settings *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->names[s->names_nr++], sizeof(s->names[0]), format, args);
	va_end(args);
}

/* fault=...; true: there is one that only verification sees. */
static bool faults_read(struct input *in, char *text, size_t size)
{
	static const char kinds[][12] = { "error",  "short", "checksum",   "corrupt",
					  "late=5", "hang",  "reset",	   "gone=2",
					  "gone",   "busy",  "error=0x10", "error=0x0d",
					  "lie",    "lie",   "lie",	   "lie" };
	bool is_hidden = false;
	unsigned int nr = 1 + in_below(in, 3);
	size_t len = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const char *kind = kinds[in_below(in, 16)];
		unsigned int when = in_byte(in);
		bool is_rare = !strcmp(kind, "hang") || !strncmp(kind, "gone", 4);

		len += (size_t)snprintf(text + len, size - len, "%s%s@", i ? "/" : "fault=", kind);
		if (when % 4 == 0 || is_rare)
			len += (size_t)snprintf(text + len, size - len, "%u", 1 + when / 4);
		else if (when % 4 == 1)
			len += (size_t)snprintf(text + len, size - len, "%u-%u", 1 + when / 4,
						3 + when / 4);
		else
			len += (size_t)snprintf(text + len, size - len, "*%u", 1 + when / 4 % 16);
		is_hidden |=
			*kind == 'l' || !strcmp(kind, "corrupt") || !strcmp(kind, "error=0x0d");
	}
	return is_hidden;
}

void settings_read(struct settings *s, struct input *in)
{
	static const unsigned int units[] = { 65536,  65536,  65536,   70001,
					      131072, 262144, 1 << 20, 65537 };
	static const unsigned int queues[] = { 0, 0, 1, 2, 3, 8, 16, 5 };
	static const unsigned int depths[] = { 4, 4, 1, 2, 3, 8, 16, 64 };
	static const char *const keeps[] = { "64M", "64M", "0", "64K", "200K", "1M", "4M", "16M" };
	static const unsigned int device_queues[] = { 64, 64, 64, 2, 4, 8, 16, 33 };
	bool is_hidden = false;
	char faults[160] = "";
	unsigned int b, device;

	memset(s, 0, sizeof(*s));
	in->end = in->len < HEAD_LEN ? in->len : HEAD_LEN;
	b = in_byte(in);
	s->mode = (enum mode)(b % MODES);
	s->is_twice = s->mode != MODE_FAULT && b / 3 % 2;
	s->is_recut = b / 6 % 2;
	s->threads = b / 12 % 4 == 3 ? 2 + b / 48 % 3 : 1;
	set(s, "ZWD_UNIT=%u", units[in_below(in, 8)]);
	set(s, "ZWD_QUEUES=%u", queues[in_below(in, 8)]);
	set(s, "ZWD_DEPTH=%u", depths[in_below(in, 8)]);
	set(s, "ZWD_KEEP=%s", keeps[in_below(in, 8)]);
	device = in_byte(in);
	b = in_byte(in);
	set(s, "ZWD_LEVELS=%s", b % 4 ? "0-9" : "1-6");
	if (b / 4 % 4 != 0)
		set(s, "ZWD_ENGINE=hw");
	else if (b / 16 % 2)
		set(s, "ZWD_MIN_DEFLATE=%u", 1u << b / 32);
	b = in_byte(in);
	s->work_most = b / 3 % 8 ? 300 << 10 : b / 24 % 4 ? 2 << 20 : 8 << 20;
	if (s->mode == MODE_FAULT)
		is_hidden = faults_read(in, faults, sizeof(faults));
	set(s, "ZWD_VERIFY=%u", is_hidden || b % 3 == 1 ? 1 : b % 3 == 2 ? 3 : 0);
	set(s, "ZWD_TIMEOUT_MS=%u", s->mode == MODE_FAULT ? 60 : 60000);
	if (s->mode == MODE_SOFT)
		set(s, "WD_DEVICE=none");
	else
		set(s, "WD_DEVICE=emu:queues=%u,qm=%u,engine=%s,threads=%u%s%s",
		    device_queues[device % 8], device / 8 % 4 ? 3 : 1 + device / 32 % 2,
		    device / 64 % 2 ? "auto" : "zlib", 1 + device / 128, *faults ? "," : "",
		    faults);
	in->end = HEAD_LEN;
}

/* Ends where its owner's ends: what is written behind it is seen. */
static voidpf take(voidpf opaque, uInt items, uInt size)
{
	struct alloc *alloc = opaque;
	size_t len = (size_t)items * size;
	unsigned char *mem;

	if (++alloc->calls == alloc->fail_at ||
	    alloc->nr == sizeof(alloc->mem) / sizeof(alloc->mem[0])) {
		alloc->has_failed = true;
		return Z_NULL;
	}
	mem = malloc(len + (alloc->is_short ? 8 : 0));
	check(mem, "out of memory");
	alloc->mem[alloc->nr++] = mem;
	if (alloc->is_short)
		mem += 8;
	memset(mem, 0xa5, len);
	return mem;
}

static void give(voidpf opaque, voidpf mem)
{
	struct alloc *alloc = opaque;
	unsigned char *start = (unsigned char *)mem - (alloc->is_short ? 8 : 0);
	unsigned int i = alloc->nr;

	while (i && alloc->mem[i - 1] != start)
		i--;
	check(i, "zfree() of what zalloc() did not give");
	alloc->mem[i - 1] = alloc->mem[--alloc->nr];
	free(start);
}

struct alloc *alloc_new(z_stream *strm, bool is_own, unsigned int kind)
{
	struct alloc *alloc;

	strm->zalloc = Z_NULL;
	strm->zfree = Z_NULL;
	strm->opaque = Z_NULL;
	if (is_own && !kind)
		return NULL;
	alloc = calloc(1, sizeof(*alloc));
	check(alloc, "out of memory");
	alloc->refs = 1;
	alloc->is_short = kind & 1;
	alloc->fail_at = kind < ALLOC_KINDS / 2 ? 0 : 1 + (kind - ALLOC_KINDS / 2) / 2;
	strm->zalloc = take;
	strm->zfree = give;
	strm->opaque = alloc;
	return alloc;
}

void alloc_get(struct alloc *alloc)
{
	if (alloc)
		alloc->refs++;
}

void alloc_put(struct alloc *alloc)
{
	if (!alloc || --alloc->refs)
		return;
	check(!alloc->nr, "%u blocks of a caller's memory are left behind", alloc->nr);
	free(alloc);
}

void alloc_abandon(struct alloc *alloc)
{
	if (!alloc || --alloc->refs)
		return;
	while (alloc->nr)
		free(alloc->mem[--alloc->nr]);
	free(alloc);
}
