/* SPDX-License-Identifier: Zlib */
/* A page that never comes. */
#ifndef ATTACKS_NEVER_H
#define ATTACKS_NEVER_H

/*
 * Writable private memory of one page, backed by a file whose server, a child, answers everything
 * but reads. Ends the program with NOT_HERE where a user may not mount such a thing. Before any
 * thread, and before any descriptor that the child is not to hold.
 */
char *never_page(void);

#endif
