/* SPDX-License-Identifier: Zlib */
/* Guards what is kept for the next stream: memory of about the size asked for, and no other. */
#include "config.h"

#include <string.h>

#include "sanitizer.h"
#include "stream/cache.h"
#include "unit.h"

/* Is the block that was freed last the one for such a length? */
static int comes_back(unsigned int freed_len, unsigned int len)
{
	char *first = zwd_cache_alloc(NULL, 1, freed_len), *behind = zwd_cache_alloc(NULL, 1, 300), *second;
	int is_same;

	assert_true(first && behind);
	memset(first, 0x5a, freed_len);
	zwd_cache_free(NULL, first);
	second = zwd_cache_alloc(NULL, 1, len);
	assert_non_null(second);
	memset(second, 0xa5, len);
	is_same = second == first;
	zwd_cache_free(NULL, second);
	zwd_cache_free(NULL, behind);
	return is_same;
}

/* zlib's, and those of a device's stream. */
static const unsigned int kept[] = { 6144, 7168, 32768, 65536, 131072, 262144 };

/* What takes little takes no place of what is large. */
static void not_for_what_is_smaller(void **state)
{
	static const unsigned int lens[] = { 100, 5000, 20000, 40000, 100000, 200000 };

	for (size_t i = 0; i < ARRAY_NR(lens); i++)
		for (size_t k = 0; k < ARRAY_NR(kept); k++)
			if (lens[i] < kept[k])
				assert_false(comes_back(lens[i], kept[k]));
	zwd_cache_free(NULL, NULL);
}

static void kept_for_its_like(void **state)
{
	if (IS_ASAN)
		skip();
	for (size_t k = 0; k < ARRAY_NR(kept); k++) {
		unsigned int least = kept[k] / 8 * 7 + 1;

		assert_true(comes_back(kept[k], kept[k]));
		assert_true(comes_back(kept[k], least));
		assert_true(comes_back(least, kept[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_for_what_is_smaller),
		cmocka_unit_test(kept_for_its_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
