/* SPDX-License-Identifier: Zlib */
/* Generated data that compresses like the real thing; the same on every machine. */
#include "config.h"

#include "gen.h"

#include <string.h>

#define GEN_WORDS_NR 4096
#define GEN_WORD_LEN 12

struct gen {
	uint8_t *out;
	size_t room;
	uint64_t state; /* of the random numbers */
	uint64_t count; /* records written */
	uint64_t clock; /* what rises from record to record: time, address, code point */
	char words[GEN_WORDS_NR][GEN_WORD_LEN];
};

/* splitmix64: one 64-bit counter, so that the sequence is the same everywhere. */
static uint64_t gen_random(struct gen *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned int gen_below(struct gen *g, unsigned int limit)
{
	return (unsigned int)((gen_random(g) >> 32) * limit >> 32);
}

/* Small numbers far more often than large ones: the product of three even draws. */
static unsigned int gen_skewed(struct gen *g, unsigned int limit)
{
	uint64_t r = gen_random(g);

	r = (r & 0xffff) * (r >> 16 & 0xffff) * (r >> 32 & 0xffff) / 0xffff;
	return (unsigned int)(r * limit >> 32);
}

static void gen_bytes(struct gen *g, const void *bytes, size_t len)
{
	if (len > g->room)
		len = g->room;
	memcpy(g->out, bytes, len);
	g->out += len;
	g->room -= len;
}

static void gen_str(struct gen *g, const char *s)
{
	gen_bytes(g, s, strlen(s));
}

/* value in base, at least width digits. */
static void gen_number(struct gen *g, uint64_t value, unsigned int base, unsigned int width)
{
	char digits[32];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789ABCDEF"[value % base];
		value /= base;
	} while (value || sizeof(digits) - i < width);
	gen_bytes(g, digits + i, sizeof(digits) - i);
}

static void gen_dec(struct gen *g, uint64_t value)
{
	gen_number(g, value, 10, 1);
}

#define GEN_PICK(g, list) ((list)[gen_skewed(g, sizeof(list) / sizeof((list)[0]))])

static const char *gen_word(struct gen *g)
{
	return g->words[gen_skewed(g, GEN_WORDS_NR)];
}

static void gen_make_words(struct gen *g)
{
	static const char *const onsets[] = {
		"t", "s",  "r", "n",  "l", "d", "c",  "m", "p",	 "f",
		"b", "st", "g", "tr", "h", "v", "pr", "w", "th", "k"
	};
	static const char *const vowels[] = { "e", "a", "i", "o", "u", "ea", "io", "ou" };
	static const char *const codas[] = { "", "r", "n", "s", "l", "t", "nd", "ng", "st" };

	for (unsigned int w = 0; w < GEN_WORDS_NR; w++) {
		/* The frequent words are the short ones. */
		unsigned int syllables = 1 + (w > 60) + gen_below(g, 2) * (w > 600);
		struct gen word = { .out = (uint8_t *)g->words[w], .room = GEN_WORD_LEN - 1 };

		for (unsigned int i = 0; i < syllables; i++) {
			gen_str(&word, GEN_PICK(g, onsets));
			gen_str(&word, GEN_PICK(g, vowels));
			gen_str(&word, GEN_PICK(g, codas));
		}
	}
}

static void gen_text(struct gen *g)
{
	unsigned int words = 6 + gen_below(g, 18);

	for (unsigned int i = 0; i < words; i++) {
		const char *word = gen_word(g);
		char first = (char)(word[0] - 'a' + 'A');

		if (i == 0) {
			gen_bytes(g, &first, 1);
			word++;
		}
		gen_str(g, word);
		if (i + 1 < words)
			gen_str(g, gen_below(g, 12) ? " " : ", ");
	}
	gen_str(g, gen_below(g, 6) ? ". " : ".\n\n");
}

static void gen_source(struct gen *g)
{
	static const char *const types[] = { "int",	"struct node *", "unsigned int",
					     "size_t",	"const char *",	 "bool",
					     "uint32_t" };
	static const char *const lines[] = {
		"\tif (!@)\n\t\treturn -EINVAL;\n",
		"\t@->@ = @(@, #);\n",
		"\tfor (i = 0; i < @->@_len; i++)\n\t\t@[i] = @(@[i]);\n",
		"\treturn @(@, @);\n",
		"\t@ = @->@;\n",
		"\t/* @ the @ of each @ @ */\n",
		"\twhile (@->@ > #) {\n\t\t@(@);\n\t\t@ += #;\n\t}\n",
		"\tcase #:\n\t\t@ |= 0x#;\n\t\tbreak;\n",
		"\tassert(@ <= #);\n",
		"\tmemcpy(@ + #, @->@, sizeof(*@));\n",
	};
	/* A file's functions talk about the same few things. */
	unsigned int topic = gen_skewed(g, GEN_WORDS_NR - 64);
	unsigned int nr = 3 + gen_below(g, 9);

	gen_str(g, "static ");
	gen_str(g, GEN_PICK(g, types));
	gen_str(g, " ");
	gen_str(g, g->words[topic]);
	gen_str(g, "_");
	gen_str(g, gen_word(g));
	gen_str(g, "(struct ");
	gen_str(g, g->words[topic]);
	gen_str(g, " *");
	gen_str(g, g->words[topic]);
	gen_str(g, ")\n{\n");
	for (unsigned int i = 0; i < nr; i++) {
		for (const char *s = GEN_PICK(g, lines); *s; s++) {
			if (*s == '@')
				gen_str(g, gen_below(g, 4) ? g->words[topic + gen_below(g, 24)]
							   : gen_word(g));
			else if (*s == '#')
				gen_dec(g, gen_skewed(g, 4096));
			else
				gen_bytes(g, s, 1);
		}
	}
	gen_str(g, "}\n\n");
}

static void gen_json(struct gen *g)
{
	static const char *const states[] = { "active", "pending", "closed", "archived" };

	gen_str(g, g->count ? ",\n    {\n      \"id\": " : "[\n    {\n      \"id\": ");
	gen_dec(g, 100000 + g->count);
	gen_str(g, ",\n      \"name\": \"");
	gen_str(g, gen_word(g));
	gen_str(g, " ");
	gen_str(g, gen_word(g));
	gen_str(g, "\",\n      \"status\": \"");
	gen_str(g, GEN_PICK(g, states));
	gen_str(g, "\",\n      \"price\": ");
	gen_dec(g, gen_skewed(g, 1000));
	gen_str(g, ".");
	gen_number(g, gen_below(g, 100), 10, 2);
	gen_str(g, ",\n      \"support\": {\n");
	for (unsigned int i = 1 + gen_below(g, 5); i; i--) {
		gen_str(g, "        \"");
		gen_str(g, g->words[300 + gen_skewed(g, 40)]);
		gen_str(g, "\": { \"version_added\": \"");
		gen_dec(g, gen_skewed(g, 120));
		gen_str(g, i > 1 ? "\", \"partial\": false },\n" : "\", \"partial\": true }\n");
	}
	gen_str(g, "      }\n    }");
}

static void gen_log(struct gen *g)
{
	static const char *const agents[] = {
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
		"curl/7.88.1",
		"Prometheus/2.45.0",
	};
	static const char *const status[] = { "200", "200", "304", "404", "301", "500" };
	static const char *const kinds[] = { ".html", ".js", ".css", ".png", ".svg", "" };
	unsigned int client = gen_skewed(g, 4000) * 2654435761u;

	g->clock += gen_below(g, 400);
	gen_str(g, "10.");
	gen_dec(g, client >> 8 & 31);
	gen_str(g, ".");
	gen_dec(g, client >> 16 & 255);
	gen_str(g, ".");
	gen_dec(g, client >> 24);
	gen_str(g, " - - [12/Mar/2024:");
	gen_number(g, g->clock / 3600000 % 24, 10, 2);
	gen_str(g, ":");
	gen_number(g, g->clock / 60000 % 60, 10, 2);
	gen_str(g, ":");
	gen_number(g, g->clock / 1000 % 60, 10, 2);
	gen_str(g, " +0000] \"GET /");
	gen_str(g, g->words[gen_skewed(g, 60)]);
	gen_str(g, "/");
	gen_str(g, g->words[gen_skewed(g, 600)]);
	gen_str(g, GEN_PICK(g, kinds));
	gen_str(g, " HTTP/1.1\" ");
	gen_str(g, GEN_PICK(g, status));
	gen_str(g, " ");
	gen_dec(g, gen_skewed(g, 90000));
	gen_str(g, " \"https://www.example.com/");
	gen_str(g, g->words[gen_skewed(g, 60)]);
	gen_str(g, "/\" \"");
	gen_str(g, agents[client % 5]);
	gen_str(g, "\" rt=0.");
	gen_number(g, gen_skewed(g, 1000), 10, 3);
	gen_str(g, "\n");
}

static void gen_table(struct gen *g)
{
	static const char *const classes[] = { "Lo;0;L;;;;;N;;;;;", "So;0;ON;;;;;N;;;;;",
					       "Mn;0;NSM;;;;;N;;;;;", "Ll;0;L;;;;;N;;;" };

	g->clock += 1 + gen_skewed(g, 3);
	gen_number(g, g->clock, 16, 4);
	gen_str(g, ";");
	/* A block of some hundred neighbours shares its first words. */
	gen_str(g, g->words[1000 + g->clock / 300 % 2000]);
	gen_str(g, " LETTER ");
	gen_str(g, g->words[g->clock % 97]);
	gen_str(g, gen_below(g, 3) ? ";" : " WITH MARK;");
	gen_str(g, classes[g->clock / 50 % 4]);
	if (!gen_below(g, 4))
		gen_number(g, g->clock + 32, 16, 4);
	gen_str(g, "\n");
}

/* Machine code's look: few opcodes, near addresses, zero fill. */
static void gen_binary(struct gen *g)
{
	static const uint8_t opcodes[][3] = { { 0x48, 0x8b, 0x44 }, { 0x48, 0x89, 0x5c },
					      { 0x0f, 0xb6, 0x03 }, { 0x49, 0x8d, 0x7e },
					      { 0x41, 0x57, 0x41 }, { 0x66, 0x0f, 0x6f },
					      { 0xc3, 0x90, 0x90 }, { 0x83, 0xf8, 0x01 } };
	static const uint8_t zeros[48];
	uint8_t operands[4];

	for (unsigned int i = 4 + gen_below(g, 20); i; i--) {
		unsigned int r = (unsigned int)gen_random(g);

		gen_bytes(g, GEN_PICK(g, opcodes), 3);
		for (unsigned int b = 0; b < 4; b++)
			operands[b] = (uint8_t)(r >> 8 * b);
		gen_bytes(g, operands, r >> 24 & 1);
	}
	g->clock += gen_below(g, 200);
	gen_bytes(g, "\xe8", 1);
	for (unsigned int b = 0; b < 4; b++)
		operands[b] = (uint8_t)((0x401000 + g->clock) >> 8 * b);
	gen_bytes(g, operands, 4);
	if (!gen_below(g, 6))
		gen_bytes(g, zeros, gen_below(g, sizeof(zeros)));
}

static void gen_noise(struct gen *g)
{
	uint64_t r = gen_random(g);
	uint8_t bytes[8];

	for (unsigned int b = 0; b < 8; b++)
		bytes[b] = (uint8_t)(r >> 8 * b);
	gen_bytes(g, bytes, sizeof(bytes));
}

static void gen_zeros(struct gen *g)
{
	memset(g->out, 0, g->room);
	g->room = 0;
}

static const struct {
	const char *name;
	void (*record)(struct gen *g);
	unsigned int weight;
} gen_kinds[GEN_KINDS_NR] = {
	[GEN_TEXT] = { "text", gen_text, 2 },	   [GEN_SOURCE] = { "source", gen_source, 2 },
	[GEN_JSON] = { "json", gen_json, 2 },	   [GEN_LOG] = { "log", gen_log, 2 },
	[GEN_TABLE] = { "table", gen_table, 2 },   [GEN_BINARY] = { "binary", gen_binary, 2 },
	[GEN_RANDOM] = { "random", gen_noise, 1 }, [GEN_ZEROS] = { "zeros", gen_zeros, 1 },
};

const char *gen_name(enum gen_kind kind)
{
	return gen_kinds[kind].name;
}

unsigned int gen_weight(enum gen_kind kind)
{
	return gen_kinds[kind].weight;
}

void gen_fill(enum gen_kind kind, uint64_t seed, uint8_t *buf, size_t len)
{
	struct gen g = { .out = buf, .room = len, .state = seed };

	gen_make_words(&g);
	for (; g.room; g.count++)
		gen_kinds[kind].record(&g);
}
