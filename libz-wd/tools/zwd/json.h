/* SPDX-License-Identifier: Zlib */
/* Text as JSON: whatever bytes a name has, the output is valid. */
#ifndef ZWD_JSON_H
#define ZWD_JSON_H

#include <stdio.h>

/* With its quotation marks; what is not UTF-8 becomes U+FFFD. NULL is null. */
void json_print(FILE *out, const char *text);

#endif
