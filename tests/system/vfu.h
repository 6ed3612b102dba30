/* SPDX-License-Identifier: Zlib */
/* A vfio-user server for the modelled device: one client's connection, and the messages on it. */
#ifndef VFU_H
#define VFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/emu_qm.h"

#define VFU_FDS_MAX	16
#define VFU_VECTORS_MAX 4
#define VFU_FILES_MAX	16
#define VFU_XFER_MAX	(1u << 20)
#define VFU_PENDING_MAX 4096

/* Commands; 11 and 12 are the server's, everything else is the client's. */
enum vfu_command {
	VFU_VERSION = 1,
	VFU_DMA_MAP,
	VFU_DMA_UNMAP,
	VFU_GET_INFO,
	VFU_GET_REGION_INFO,
	VFU_GET_REGION_IO_FDS,
	VFU_GET_IRQ_INFO,
	VFU_SET_IRQS,
	VFU_REGION_READ,
	VFU_REGION_WRITE,
	VFU_DMA_READ,
	VFU_DMA_WRITE,
	VFU_RESET,
};

#define VFU_TYPE     0xf /* of flags: 0 request, 1 reply */
#define VFU_REPLY    0x1
#define VFU_NO_REPLY 0x10
#define VFU_ERROR    0x20

struct vfu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size; /* of the message, this included */
	uint32_t flags;
	uint32_t error;
};

struct vfu_message {
	struct vfu_message *next;
	struct vfu_header header;
	uint32_t len; /* of data */
	unsigned int fds_nr;
	int fds[VFU_FDS_MAX];
	uint8_t data[];
};

/* A file of the client's memory, mapped as a whole. */
struct vfu_file {
	uint64_t dev;
	uint64_t ino;
	uint8_t *mem;
	uint64_t len;
};

struct vfu {
	struct emu_qm *qm;
	struct emu_qm *hidden; /* the PF of a VF whose client has no PF */
	const char *path;
	int listener;
	int fd;		 /* the client; -1: none */
	bool is_broken;	 /* the connection is to end */
	bool is_greeted; /* the version was agreed on */
	uint16_t next_id;
	int vector[VFU_VECTORS_MAX]; /* eventfds, -1: none */
	unsigned int files_nr;
	struct vfu_file file[VFU_FILES_MAX];
	/* What is received of the next message. */
	struct vfu_header header;
	uint32_t got;
	unsigned int fds_nr;
	int fds[VFU_FDS_MAX];
	struct vfu_message *message;
	/* Requests that came while a reply was waited for. */
	struct vfu_message *first;
	struct vfu_message *last;
	unsigned int pending_nr;
	uint64_t messages;
	uint64_t refused; /* answered by an error */
	uint64_t maps;
	uint64_t dma_messages;
};

/*
 * options and flags as of emu_qm_new(), or "vf": a VF of the PF, or "vf:" and options: a VF of a PF
 * that no client sees. pf: may be NULL; its VFs end before it. 0 or -errno.
 */
int vfu_init(struct vfu *vfu, const char *options, unsigned int flags, const struct vfu *pf);
/* The client is gone: forgets its memory and vectors, resets the device. */
void vfu_disconnect(struct vfu *vfu);
void vfu_fini(struct vfu *vfu);

/* Handles what has arrived, until there is no more. False: the connection is to be closed. */
bool vfu_serve(struct vfu *vfu);

#endif
