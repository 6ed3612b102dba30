// SPDX-License-Identifier: Zlib
/* Guards: a library of the emulated device's has every function that is asked for, or it is none. */
#include "emu/emu.h"
#include "emu/emu_codec.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char both[][EMU_SYMBOL_LEN] = { "gnu_get_libc_version", "get_nprocs" };
static const char other[][EMU_SYMBOL_LEN] = { "gnu_get_libc_version", "no_such_function", "get_nprocs" };

static int refuse(void)
{
	return 0;
}

static int allow(void)
{
	return 1;
}

static void test_functions(void **state)
{
	struct emu_library library = { .soname = "libc.so.6", .path = "libc.so.6", .symbols = both, .symbols_nr = 2 };
	void *functions[3] = { NULL };

	emu_may_open = NULL;
	assert_int_equal(emu_library_open(&library, functions), 0);
	assert_ptr_equal(functions[1], dlsym(RTLD_DEFAULT, "get_nprocs"));
	library.symbols = other;
	library.symbols_nr = 3;
	assert_int_equal(emu_library_open(&library, functions), -ENOENT);
	library.soname = library.path = "libno-such-library.so.9";
	assert_int_equal(emu_library_open(&library, functions), -ENOENT);
}

/* A file is opened by its name where that is allowed; what is mapped needs no permission. */
static void test_permission(void **state)
{
	struct emu_library library = { .soname = "libc.so.6", .path = "libc.so.6", .symbols = both, .symbols_nr = 2 };
	void *functions[2] = { NULL };

	emu_may_open = refuse;
	assert_int_equal(emu_library_open(&library, functions), 0);
	library.soname = "libno-such-library.so.9";
	assert_int_equal(emu_library_open(&library, functions), -ENOENT);
	library.path = "libno-such-library.so.9";
	emu_may_open = allow;
	assert_int_equal(emu_library_open(&library, functions), -ENOENT);
	library.path = "libc.so.6";
	assert_int_equal(emu_library_open(&library, functions), 0);
	library.soname = "libc.so.6";
	assert_int_equal(emu_library_open(&library, functions), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_functions), cmocka_unit_test(test_permission) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
