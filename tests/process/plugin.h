/* SPDX-License-Identifier: Zlib */
/* What plugin.c offers. The functions return 0, or where it went wrong. */
#ifndef PLUGIN_H
#define PLUGIN_H

#define PLUGIN_RIGHT 1000

struct plugin {
	int (*trip)(void);
	int (*begin)(void); /* streams */
	int (*finish)(void);
	/* Compress in the destructor; PLUGIN_RIGHT is told when all was well. */
	void (*tell_at_end)(volatile int *place);
};
extern const struct plugin plugin;

#endif
