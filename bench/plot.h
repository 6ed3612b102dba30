/* SPDX-License-Identifier: Zlib */
/* Plots by gnuplot, as SVG that stands inside a page. */
#ifndef PLOT_H
#define PLOT_H

#include <stdio.h>

int plot_is_there(void);

/* Writes what gnuplot draws for the script to page, without what a page has already. 0 or -errno. */
int plot_draw(const char *script, size_t len, FILE *page);

#endif
