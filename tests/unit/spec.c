/* SPDX-License-Identifier: Zlib */
/* Guards the syntax of WD_DEVICE, see wd(7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wd_zip.h>

#include "priv.h"
#include "unit.h"

/* A specification and its items: a auto, n none, e emulated with options, d device by name. */
static const struct {
	const char *spec, *items;
} rows[] = {
	{ "auto", "a" },
	{ "none", "n" },
	{ "emu", "e()" },
	{ "emu:", "e()" },
	{ "emu:threads=2", "e(threads=2)" },
	{ "emu:threads=2,qm=3,none", "e(threads=2,qm=3)n" },
	{ "emu:fault=error@*7/gone@9,qm=1", "e(fault=error@*7/gone@9,qm=1)" },
	{ "emu:qm=1,emu:qm=2", "e(qm=1)e(qm=2)" },
	{ "hisi_zip-0,emu,none", "d(hisi_zip-0)e()n" },
	{ "0000:75:00.0", "d(0000:75:00.0)" },
	{ "auto,emu:threads=1", "ae(threads=1)" },
	{ "hisi_zip-0,qm=3", NULL }, /* options of no emulated device */
	{ "emu,qm=3", NULL },
	{ "threads=2", NULL },
	{ "", NULL },
	{ "emu,", NULL },
	{ ",emu", NULL },
	{ "emu,,none", NULL },
	{ "fast", NULL },
	{ "AUTO", NULL },
	{ "hisi zip0", NULL },
	{ "none,fast", NULL },
	{ "emulate:qm=3", NULL },
};

static int parse(const char *spec, char *out)
{
	static const char kinds[] = { [WD_SPEC_AUTO] = 'a', [WD_SPEC_NONE] = 'n',
				      [WD_SPEC_EMU] = 'e', [WD_SPEC_NAME] = 'd' };

	for (const char *pos = spec; pos;) {
		struct wd_spec item;

		if (wd_spec_next(&pos, &item))
			return -1;
		out += sprintf(out, "%c", kinds[item.kind]);
		if (item.kind == WD_SPEC_EMU || item.kind == WD_SPEC_NAME)
			out += sprintf(out, "(%s)", item.text);
	}
	return 0;
}

static void test_syntax(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		char items[256] = "";
		int r = parse(rows[i].spec, items);

		print_message("%s\n", rows[i].spec);
		assert_int_equal(r, rows[i].items ? 0 : -1);
		if (rows[i].items)
			assert_string_equal(items, rows[i].items);
	}
}

static void test_length(void **state)
{
	char spec[2 * WD_NAME_LEN];
	struct wd_spec item;
	const char *pos = spec;

	snprintf(spec, sizeof(spec), "emu:fault=%0*d", WD_NAME_LEN, 0);
	assert_int_equal(wd_spec_next(&pos, &item), -EINVAL);
	spec[WD_NAME_LEN - 1] = 0;
	assert_int_equal(wd_spec_next(&pos, &item), 0);
	assert_null(pos);
}

static void test_list(void **state)
{
	struct wd_device_info info[2] = { 0 };

	assert_int_equal(wd_list_devices("none", info, 2), 0);
	assert_int_equal(wd_list_devices("none,fast", info, 2), -EINVAL);
	assert_int_equal(wd_list_devices("none,emu:fast=1", info, 2), -EINVAL);
	assert_int_equal(wd_list_devices("hisi_zip-99", info, 2), 0);
	assert_int_equal(wd_list_devices("emu:qm=1,emu,emu,none,emu:qm=3", NULL, 0), 2);
	assert_int_equal(wd_list_devices("emu:qm=1,emu:qm=3", info, 1), 2);
	assert_string_equal(info[0].name, "emu:qm=1");
	assert_string_equal(info[0].api, "hisi_qm_v1");
	assert_string_equal(info[0].algs, "zlib gzip");
	assert_string_equal(info[0].transport, "emu");
	assert_int_equal(info[0].is_emulated, 1);
	assert_int_equal(info[0].numa_node, -1);
	assert_int_equal(info[0].max_len, WD_ZIP_MAX_LEN);
	assert_string_equal(info[1].name, "");
	assert_int_equal(wd_list_devices("emu:engine=zlib", &info[1], 1), 1);
	assert_string_equal(info[1].engine, "zlib");
	/* The name of a device selects it. */
	assert_int_equal(wd_list_devices(info[0].name, &info[1], 1), 1);
	assert_string_equal(info[1].name, info[0].name);
}

static void test_environment(void **state)
{
	struct wd_device_info info;

	setenv("WD_DEVICE", "emu:qm=3", 1);
	assert_int_equal(wd_list_devices(NULL, &info, 1), 1);
	assert_string_equal(info.algs, "zlib gzip deflate");
	assert_int_equal(wd_list_devices("none", &info, 1), 0);
	setenv("WD_DEVICE", "fast", 1);
	assert_int_equal(wd_list_devices(NULL, &info, 1), -EINVAL);
	setenv("WD_DEVICE", "", 1);
	assert_true(wd_list_devices(NULL, &info, 0) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
