/* SPDX-License-Identifier: Zlib */
/* The memory barriers between this process and a device, named after what they are for. */
#ifndef WD_BARRIER_H
#define WD_BARRIER_H

#if defined(__x86_64__)

/* Ring entries in memory are visible to the device before the doorbell store that follows. */
static inline void wd_barrier_doorbell(void)
{
	__asm__ __volatile__("" ::: "memory"); /* stores are not reordered with stores */
}

/* What the device wrote before the completion entry is read after that entry. */
static inline void wd_barrier_completion(void)
{
	__asm__ __volatile__("" ::: "memory"); /* loads are not reordered with loads */
}

/* One round of a polling loop. */
static inline void wd_barrier_relax(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

#elif defined(__aarch64__)

static inline void wd_barrier_doorbell(void)
{
	__asm__ __volatile__("dmb osh" ::: "memory"); /* also ends the reads of freed entries */
}

static inline void wd_barrier_completion(void)
{
	__asm__ __volatile__("dmb oshld" ::: "memory");
}

static inline void wd_barrier_relax(void)
{
	__asm__ __volatile__("yield" ::: "memory");
}

#else
#error "libwd knows x86_64 and aarch64"
#endif

#endif
