/* SPDX-License-Identifier: Zlib */
/* Static probes of the provider libz_wd, for bpftrace, perf and gdb: a nop each until one is attached. */
#ifndef ZWD_PROBE_H
#define ZWD_PROBE_H

/*
 * Arguments are what the caller has in registers or memory anyway: none is computed for a probe. Without
 * the header of systemtap-sdt-dev there are none at all. See zwd-probes(7).
 */
#ifdef HAVE_SDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define zwd_probe(name, ...) STAP_PROBEV(libz_wd, name, __VA_ARGS__)
#else
#define zwd_probe(name, ...) ((void)0)
#endif

#endif
