// SPDX-License-Identifier: Zlib
/* Writes LEN bytes of one kind of data to standard output, the same at every run: mkmix KIND LEN [SEED] */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_NR 4096

static uint64_t rng;
static uint64_t left_len;
static char words[WORDS_NR][16];

static uint32_t rnd(void)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (rng * 0x2545f4914f6cdd1dull) >> 32;
}

static uint32_t below(uint32_t nr)
{
	return (uint64_t)rnd() * nr >> 32;
}

/* Rare words are many and common ones few, as in any language. */
static const char *word(void)
{
	return words[below(1 + below(1 + below(WORDS_NR)))];
}

static void make_words(void)
{
	static const char *const syllables[] = { "an", "be", "co", "da", "en", "fo", "ga", "hi", "il",
		"ju", "ka", "lo", "me", "ni", "or", "pe", "qui", "re", "st", "tra", "un", "ve", "wo", "y" };

	for (int i = 0; i < WORDS_NR; i++)
		for (int nr = 1 + below(4); nr > 0; nr--)
			strcat(words[i], syllables[below(sizeof(syllables) / sizeof(*syllables))]);
}

static void put(const void *data, size_t len)
{
	if (len > left_len)
		len = left_len;
	if (fwrite(data, 1, len, stdout) != len) {
		fprintf(stderr, "mkmix: %s\n", strerror(errno));
		exit(1);
	}
	left_len -= len;
}

#define putf(...)                                                                                  \
	do {                                                                                       \
		char line_[512];                                                                   \
		put(line_, snprintf(line_, sizeof(line_), __VA_ARGS__));                           \
	} while (0)

static void text(void)
{
	int nr = 4 + below(16);

	while (nr-- > 0)
		putf("%s%s", word(), nr ? " " : below(6) ? ". " : ".\n\n");
}

static void source(void)
{
	const char *type = below(2) ? "int" : "struct node *", *arg = word();

	putf("static %s %s_%s(struct %s *%s)\n{\n", type, word(), word(), word(), arg);
	for (int nr = 2 + below(12); nr > 0; nr--) {
		if (below(3))
			putf("\t%s->%s = %s_%s(%s, %u);\n", arg, word(), word(), word(), arg, below(100));
		else
			putf("\tif (!%s->%s)\n\t\treturn -%u;\n", arg, word(), below(32));
	}
	putf("\treturn 0;\n}\n\n");
}

static void json(void)
{
	putf("{\"id\":%u,\"name\":\"%s %s\",\"tags\":[\"%s\",\"%s\"],\"price\":%u.%02u,\"stock\":%s},\n",
	     rnd(), word(), word(), word(), word(), below(5000), below(100), below(3) ? "true" : "false");
}

static void logline(void)
{
	static uint32_t now_ms;

	now_ms += below(40);
	putf("10.%u.%u.%u - - [01/Feb/2026:%02u:%02u:%02u.%03u +0000] \"GET /%s/%s HTTP/1.1\" %u %u \"-\"\n",
	     below(4), below(16), below(256), now_ms / 3600000 % 24, now_ms / 60000 % 60,
	     now_ms / 1000 % 60, now_ms % 1000, word(), word(), below(20) ? 200 : 404, below(65536));
}

static void binary(void)
{
	static uint32_t offset;
	uint32_t record[6] = { offset, below(16), 0x10000000 + below(4096) * 16, 0, rnd(), below(4) };

	offset += 24 + below(8) * 4;
	put(record, sizeof(record));
}

static void noise(void)
{
	uint32_t value = rnd();

	put(&value, sizeof(value));
}

static void zeros(void)
{
	static const char zero[4096];

	put(zero, sizeof(zero));
}

static const struct {
	const char *name;
	void (*write)(void);
} kinds[] = {
	{ "text", text },     { "source", source }, { "json", json },	{ "log", logline },
	{ "binary", binary }, { "random", noise },  { "zeros", zeros },
};

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4)
		goto usage;
	left_len = strtoull(argv[2], NULL, 10);
	rng = 0x9e3779b97f4a7c15ull + (argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
	make_words();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, argv[1]))
			continue;
		while (left_len)
			kinds[i].write();
		return fflush(stdout) ? 1 : 0;
	}
usage:
	fprintf(stderr, "usage: mkmix KIND LEN [SEED]\n");
	return 2;
}
