/* SPDX-License-Identifier: Zlib */
/* A register-level model of the queue manager and ZIP function (hardware reference, 25). */
#ifndef EMU_QM_H
#define EMU_QM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * It does nothing by itself and is for one thread at a time: register accesses change its state,
 * emu_qm_run() executes requests, and both call the host.
 */
struct emu_qm;

/* Whose memory it is, where a request has a process's address space. */
struct emu_qm_tag {
	int pasid;
	unsigned int queue; /* of the function: at most one request of it waits for pages */
	bool is_final;	    /* no page is to be asked for */
};

struct emu_qm_host {
	void *owner;
	/* A message-signalled interrupt. Masking and what is pending then is the host's matter. */
	void (*msi)(void *owner, unsigned int vector);
	/*
	 * Memory that was mapped without an address: flag EMU_DMA_READ to buf, _WRITE from it.
	 * tag: not NULL, all of the space behind that PASID is the host's. buf NULL, only then: may
	 * it be done? All of it or nothing is done. 0 or -errno; -EAGAIN: pages were asked for, of
	 * which emu_qm_page_response() tells later. The request is executed anew then.
	 */
	int (*dma)(void *owner, const struct emu_qm_tag *tag, uint64_t iova, void *buf, uint64_t len,
		   int flag);
};

#define EMU_QM_ISOLATED 1 /* version 3: a page of doorbells for each queue, in BAR 4 */
#define EMU_QM_FULL	2 /* version 3: what silicon has, else only what a queue needs */

/*
 * What a strict model does not forgive, because silicon does not:
 *
 * A request's memory out of reach is an error of the bus, and not the request's status alone.
 *
 * A command that stops queues keeps the mailbox busy until all they had is done, late or not, and
 * for ever where something hangs. So does what needs memory while the master is shut. What is
 * written to the mailbox meanwhile is lost.
 *
 * A master that the driver closed sends nothing, and only after a while all has returned. What is
 * under way when the device is reset before that arrives after the reset.
 *
 * Contexts are written to the base tables a while after that was asked for, through an open master,
 * and from there they come back when somebody rings for a queue that the device does not know.
 *
 * A doorbell that is not the queue's, or for none, or comes too early, is an error; so are events
 * for which there is no room.
 *
 * Time passes from one read of a register to the next: who asks once learns that it takes time.
 */

/*
 * options: what follows "emu:"; those that count here are qm, queues, vfs, depth, engine, fault,
 * where fault=reset reports an error that closes the device's way to memory until it is reset, and
 * strict=0 for a model that forgives. -EINVAL, -ENOMEM.
 */
int emu_qm_new(const char *options, unsigned int flags, const struct emu_qm_host *host,
	       struct emu_qm **qm);
/*
 * A VF of a device with the option vfs=N, N times at most: a function with queues, an interrupt and
 * a way to memory of its own. From power-on on it has its share of the queues, as of a host whose
 * PF gave them; a driver of the PF takes them away and may give others. -EINVAL, -ENOSPC, -ENOMEM.
 */
int emu_qm_new_vf(struct emu_qm *pf, const struct emu_qm_host *host, struct emu_qm **vf);
/* VFs before their PF. */
void emu_qm_free(struct emu_qm *qm);

/* Power-on state; memory stays mapped. */
void emu_qm_reset(struct emu_qm *qm);
/* The device is pulled out: reads as ones, does nothing. */
void emu_qm_unplug(struct emu_qm *qm);

#define EMU_QM_CONFIG_LEN 4096
#define EMU_QM_BARS	  6
unsigned int emu_qm_vectors(const struct emu_qm *qm);
/* Bytes; 0: there is no such BAR. */
uint64_t emu_qm_bar_len(const struct emu_qm *qm, unsigned int bar);

/* Of registers, little-endian. 0, or -EINVAL outside of the BAR or the config space. */
int emu_qm_read(struct emu_qm *qm, unsigned int bar, uint64_t off, void *buf, size_t len);
int emu_qm_write(struct emu_qm *qm, unsigned int bar, uint64_t off, const void *buf, size_t len);
int emu_qm_config_read(struct emu_qm *qm, uint64_t off, void *buf, size_t len);
int emu_qm_config_write(struct emu_qm *qm, uint64_t off, const void *buf, size_t len);

#define EMU_QM_MAPS_MAX 65535
/* As emu_dma_map() and emu_dma_unmap(); va NULL: reached by the host's dma(). -ENOSPC: too many. */
int emu_qm_map(struct emu_qm *qm, uint64_t iova, void *va, uint64_t len, int flags);
void emu_qm_unmap(struct emu_qm *qm, uint64_t iova, uint64_t len);

/* The pages that dma() asked for are there, or will not be. Then emu_qm_run() has something to do. */
void emu_qm_page_response(struct emu_qm *qm, unsigned int queue, bool is_there);

/* Executes one request. 0: call again; > 0: after so many milliseconds; -1: there is none. */
int emu_qm_run(struct emu_qm *qm);
/* The same of what is under way to memory alone: no request is begun. */
int emu_qm_run_flight(struct emu_qm *qm);

struct emu_qm_stats {
	uint64_t requests;
	uint64_t errors; /* requests with another status than success */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t interrupts;
	uint64_t mailboxes;
	uint64_t doorbells;
	uint64_t resets;
	uint64_t faults;
};
void emu_qm_stats(const struct emu_qm *qm, struct emu_qm_stats *stats);

#endif
