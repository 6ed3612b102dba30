// SPDX-License-Identifier: Zlib
/* Finds in the running QEMU what the modelled device needs of it, or says what is not there. */
#include "config.h"
#include "qemu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

struct qemu qemu;

void qemu_lacks(const char *what)
{
	fprintf(stderr, "model: this QEMU lacks %s\n", what);
	_exit(77);
}

void qemu_find(void)
{
	static const struct {
		const char *name;
		size_t off;
	} wanted[] = { { "address_space_memory", offsetof(struct qemu, address_space_memory) },
#define QEMU_WANTED(type, name, args) { #name, offsetof(struct qemu, name) },
		       QEMU_FUNCTIONS(QEMU_WANTED) };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *found = dlsym(RTLD_DEFAULT, wanted[i].name);

		if (!found)
			qemu_lacks(wanted[i].name);
		*(void **)((char *)&qemu + wanted[i].off) = found;
	}
}
