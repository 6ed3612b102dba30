/* SPDX-License-Identifier: Zlib */
/* Which processes have a file open. */
#ifndef DOCTOR_HOLDERS_H
#define DOCTOR_HOLDERS_H

#include <stddef.h>

/*
 * "1234 (nginx), 1300 (git)" of those that have a file of this name (without the root) open; where
 * nobody has as far as can be seen, and not all can be seen, that is said. How many were seen.
 */
unsigned int holders_of(const char *file, char *text, size_t size);

#endif
