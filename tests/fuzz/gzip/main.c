/* SPDX-License-Identifier: Zlib */
/* wd-gzip's main(), to be called in a child that ends as the fuzzer wants it. */
#include "config.h"
#include "cook.h"

#include <stdlib.h>

#define main gzip_main
#define exit gzip_end
#include "../../../libz-wd/tools/gzip/main.c"
