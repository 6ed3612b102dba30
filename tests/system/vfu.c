// SPDX-License-Identifier: Zlib
/*
 * The messages of one vfio-user connection (QEMU's docs/interop/vfio-user.rst). The client is not
 * trusted: every length is checked before it is used, and what is wrong is answered by an error, or
 * by the end of the connection where message boundaries are lost.
 */
#include "config.h"
#include "vfu.h"

#include "emu/emu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_MAX   (sizeof(struct vfu_header) + 16 + VFU_XFER_MAX)
#define DMA_PIECE     (64u << 10)
#define REPLY_MS      60000
#define REGIONS	      9
#define REGION_CONFIG 7
#define IRQS	      5
#define IRQ_MSI	      1

/* Payloads, as in the document of the protocol. */
struct dma_map {
	uint32_t argsz;
	uint32_t flags; /* 1: readable, 2: writable */
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

struct dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};
#define UNMAP_ALL 2

struct device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions_nr;
	uint32_t irqs_nr;
};
#define DEVICE_RESETS 1
#define DEVICE_IS_PCI 2

struct region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};
#define REGION_READS  1
#define REGION_WRITES 2

struct irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
#define IRQ_BY_EVENTFD 1

struct irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};
#define SET_DATA_NONE	 0x01
#define SET_DATA_EVENTFD 0x04
#define SET_TRIGGER	 0x20

struct region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

struct dma_access {
	uint64_t address;
	uint64_t count;
};

/* Sending */

static void send_message(struct vfu *vfu, const struct vfu_header *header, const void *head,
			 size_t head_len, const void *data, size_t data_len)
{
	struct iovec iov[] = {
		{ (void *)header, sizeof(*header) },
		{ (void *)head, head_len },
		{ (void *)data, data_len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

	while (!vfu->is_broken && msg.msg_iovlen) {
		ssize_t n = sendmsg(vfu->fd, &msg, MSG_NOSIGNAL);
		struct pollfd p = { vfu->fd, POLLOUT, 0 };

		if (n < 0 && errno == EAGAIN && poll(&p, 1, REPLY_MS) > 0)
			continue;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			vfu->is_broken = true;
		while (n >= 0 && msg.msg_iovlen && (size_t)n >= msg.msg_iov->iov_len) {
			n -= msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (n > 0 && msg.msg_iovlen) {
			msg.msg_iov->iov_base = (uint8_t *)msg.msg_iov->iov_base + n;
			msg.msg_iov->iov_len -= n;
		}
	}
}

static void reply(struct vfu *vfu, const struct vfu_message *m, const void *head, size_t head_len,
		  const void *data, size_t data_len)
{
	struct vfu_header header = { m->header.id, m->header.command, 0, VFU_REPLY, 0 };

	header.size = sizeof(header) + head_len + data_len;
	if (!(m->header.flags & VFU_NO_REPLY))
		send_message(vfu, &header, head, head_len, data, data_len);
}

static void refuse(struct vfu *vfu, const struct vfu_message *m, int error)
{
	struct vfu_header header = { m->header.id, m->header.command, sizeof(header),
				     VFU_REPLY | VFU_ERROR, error };

	vfu->refused++;
	if (!(m->header.flags & VFU_NO_REPLY))
		send_message(vfu, &header, NULL, 0, NULL, 0);
}

/* Receiving */

static void close_fds(int *fds, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		close(fds[i]);
}

static void free_message(struct vfu_message *m)
{
	if (m)
		close_fds(m->fds, m->fds_nr);
	free(m);
}

/* Descriptors of the message that is being received. */
static void take_fds(struct vfu *vfu, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned int nr;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (unsigned int i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (vfu->fds_nr < VFU_FDS_MAX)
				vfu->fds[vfu->fds_nr++] = fd;
			else
				close(fd);
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		vfu->is_broken = true;
}

/* At most len bytes. 0: nothing more is there, or the connection is broken. */
static size_t receive(struct vfu *vfu, void *buf, size_t len)
{
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(sizeof(int) * VFU_FDS_MAX)];
	} control;
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	do {
		n = recvmsg(vfu->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		take_fds(vfu, &msg);
		return n;
	}
	if (n == 0 || errno != EAGAIN)
		vfu->is_broken = true;
	return 0;
}

/* The next message that is complete, or NULL. */
static struct vfu_message *next_message(struct vfu *vfu)
{
	struct vfu_message *m;

	while (vfu->got < sizeof(vfu->header)) {
		size_t n = receive(vfu, (uint8_t *)&vfu->header + vfu->got,
				   sizeof(vfu->header) - vfu->got);

		if (!n)
			return NULL;
		vfu->got += n;
	}
	if (!vfu->message) {
		const uint32_t size = vfu->header.size;

		m = NULL;
		if (size >= sizeof(vfu->header) && size <= MESSAGE_MAX)
			m = malloc(sizeof(*m) + size - sizeof(vfu->header));
		if (!m) {
			vfu->is_broken = true;
			return NULL;
		}
		m->next = NULL;
		m->header = vfu->header;
		m->len = size - sizeof(vfu->header);
		m->fds_nr = 0;
		vfu->message = m;
	}
	m = vfu->message;
	while (vfu->got < m->header.size) {
		const uint32_t have = vfu->got - sizeof(m->header);
		size_t n = receive(vfu, m->data + have, m->len - have);

		if (!n)
			return NULL;
		vfu->got += n;
	}
	m->fds_nr = vfu->fds_nr;
	memcpy(m->fds, vfu->fds, sizeof(m->fds));
	vfu->message = NULL;
	vfu->fds_nr = 0;
	vfu->got = 0;
	return m;
}

static bool is_reply(const struct vfu_message *m)
{
	return (m->header.flags & VFU_TYPE) == VFU_REPLY;
}

static void put_off(struct vfu *vfu, struct vfu_message *m)
{
	if (vfu->pending_nr == VFU_PENDING_MAX) {
		vfu->is_broken = true;
		free_message(m);
		return;
	}
	if (vfu->last)
		vfu->last->next = m;
	else
		vfu->first = m;
	vfu->last = m;
	vfu->pending_nr++;
}

static int on_region_read(struct vfu *vfu, const struct vfu_message *m);

/*
 * The reply to our request; other requests wait meanwhile, but reads that no write is before: a
 * client that is asked for memory may be unable to answer while its CPU waits for a register.
 * NULL: the connection is broken.
 */
static struct vfu_message *wait_reply(struct vfu *vfu, uint16_t id)
{
	while (!vfu->is_broken) {
		struct vfu_message *m = next_message(vfu);
		struct pollfd p = { vfu->fd, POLLIN, 0 };

		if (!m) {
			if (!vfu->is_broken && poll(&p, 1, REPLY_MS) == 0)
				vfu->is_broken = true;
			continue;
		}
		if (is_reply(m) && m->header.id == id)
			return m;
		if (m->header.command == VFU_REGION_READ && !is_reply(m) && !vfu->first) {
			int error = on_region_read(vfu, m);

			if (error)
				refuse(vfu, m, error);
			free_message(m);
		} else if (is_reply(m)) {
			free_message(m);
		} else {
			put_off(vfu, m);
		}
	}
	return NULL;
}

/* What the device asks of its host */

static int dma_piece(struct vfu *vfu, uint64_t iova, uint8_t *buf, uint32_t len, bool is_write)
{
	const struct dma_access access = { iova, len };
	struct vfu_header header = { vfu->next_id++, is_write ? VFU_DMA_WRITE : VFU_DMA_READ, 0, 0,
				     0 };
	struct vfu_message *m;
	int ret = -EFAULT;

	header.size = sizeof(header) + sizeof(access) + (is_write ? len : 0);
	send_message(vfu, &header, &access, sizeof(access), buf, is_write ? len : 0);
	m = wait_reply(vfu, header.id);
	if (m && !(m->header.flags & VFU_ERROR) && m->header.command == header.command) {
		if (is_write) {
			ret = 0;
		} else if (m->len >= sizeof(access) + len) {
			memcpy(buf, m->data + sizeof(access), len);
			ret = 0;
		}
	}
	free_message(m);
	return ret;
}

static int on_dma(void *owner, const struct emu_qm_tag *tag, uint64_t iova, void *buf, uint64_t len,
		  int flag)
{
	struct vfu *vfu = owner;
	/* The protocol has no PASID. */
	int ret = vfu->fd < 0 || vfu->is_broken || tag ? -EFAULT : 0;

	for (uint64_t done = 0; done < len && !ret; done += DMA_PIECE) {
		uint32_t piece = len - done < DMA_PIECE ? len - done : DMA_PIECE;

		vfu->dma_messages++;
		ret = dma_piece(vfu, iova + done, (uint8_t *)buf + done, piece,
				flag == EMU_DMA_WRITE);
	}
	return ret;
}

static void on_msi(void *owner, unsigned int vector)
{
	struct vfu *vfu = owner;
	const uint64_t one = 1;

	/* Full: the interrupt is as good as sent. */
	if (vfu->vector[vector] >= 0 && write(vfu->vector[vector], &one, sizeof(one)) < 0)
		return;
}

/* Requests. Each returns 0 after it replied, or an errno to refuse with. */

static int on_version(struct vfu *vfu, const struct vfu_message *m)
{
	static const char caps[] = "{\"capabilities\":{\"max_msg_fds\":16,"
				   "\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,"
				   "\"pgsizes\":4096}}";
	uint16_t version[2];

	if (vfu->is_greeted || m->len < sizeof(version))
		return EINVAL;
	memcpy(version, m->data, sizeof(version));
	if (version[0] != 0)
		return ENOTSUP;
	vfu->is_greeted = true;
	version[1] = 0;
	reply(vfu, m, version, sizeof(version), caps, sizeof(caps));
	return 0;
}

/* The client's memory behind the descriptor; NULL: it cannot be mapped safely. */
static const struct vfu_file *find_file(struct vfu *vfu, int fd)
{
	struct vfu_file *file;
	struct stat st;
	int seals;

	if (fstat(fd, &st))
		return NULL;
	for (unsigned int i = 0; i < vfu->files_nr; i++)
		if (vfu->file[i].dev == st.st_dev && vfu->file[i].ino == st.st_ino)
			return &vfu->file[i];
	/* A file that can be made shorter would end us. */
	seals = fcntl(fd, F_GET_SEALS);
	if (vfu->files_nr == VFU_FILES_MAX || seals < 0 || !(seals & F_SEAL_SHRINK) ||
	    st.st_size <= 0)
		return NULL;
	file = &vfu->file[vfu->files_nr];
	file->mem = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file->mem == MAP_FAILED)
		return NULL;
	file->len = st.st_size;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	vfu->files_nr++;
	return file;
}

static int on_dma_map(struct vfu *vfu, const struct vfu_message *m)
{
	const struct vfu_file *file;
	struct dma_map map;
	uint8_t *mem = NULL;
	int ret;

	if (m->len < sizeof(map) || m->fds_nr > 1)
		return EINVAL;
	memcpy(&map, m->data, sizeof(map));
	file = m->fds_nr ? find_file(vfu, m->fds[0]) : NULL;
	if (file) {
		if (map.offset > file->len || map.size > file->len - map.offset)
			return EINVAL;
		mem = file->mem + map.offset;
	}
	ret = emu_qm_map(vfu->qm, map.address, mem, map.size,
			 (map.flags & 1 ? EMU_DMA_READ : 0) | (map.flags & 2 ? EMU_DMA_WRITE : 0));
	if (ret)
		return -ret;
	vfu->maps++;
	reply(vfu, m, NULL, 0, NULL, 0);
	return 0;
}

static int on_dma_unmap(struct vfu *vfu, const struct vfu_message *m)
{
	const uint64_t half = UINT64_C(1) << 63;
	struct dma_unmap unmap;

	if (m->len < sizeof(unmap))
		return EINVAL;
	memcpy(&unmap, m->data, sizeof(unmap));
	if (unmap.flags & UNMAP_ALL) {
		emu_qm_unmap(vfu->qm, 0, half);
		emu_qm_unmap(vfu->qm, half, half);
	} else {
		if (!unmap.size || unmap.address + (unmap.size - 1) < unmap.address)
			return EINVAL;
		emu_qm_unmap(vfu->qm, unmap.address, unmap.size);
	}
	reply(vfu, m, &unmap, sizeof(unmap), NULL, 0);
	return 0;
}

static int on_get_info(struct vfu *vfu, const struct vfu_message *m)
{
	const struct device_info info = { sizeof(info), DEVICE_RESETS | DEVICE_IS_PCI, REGIONS,
					  IRQS };

	reply(vfu, m, &info, sizeof(info), NULL, 0);
	return 0;
}

static int on_get_region_info(struct vfu *vfu, const struct vfu_message *m)
{
	struct region_info info;

	if (m->len < sizeof(info))
		return EINVAL;
	memcpy(&info, m->data, sizeof(info));
	if (info.index >= REGIONS)
		return EINVAL;
	info.argsz = sizeof(info);
	info.cap_offset = 0;
	info.offset = 0;
	info.size = info.index == REGION_CONFIG ? EMU_QM_CONFIG_LEN
						: emu_qm_bar_len(vfu->qm, info.index);
	info.flags = info.size ? REGION_READS | REGION_WRITES : 0;
	reply(vfu, m, &info, sizeof(info), NULL, 0);
	return 0;
}

static int on_get_irq_info(struct vfu *vfu, const struct vfu_message *m)
{
	struct irq_info info;

	if (m->len < sizeof(info))
		return EINVAL;
	memcpy(&info, m->data, sizeof(info));
	if (info.index >= IRQS)
		return EINVAL;
	info.argsz = sizeof(info);
	info.flags = info.index == IRQ_MSI ? IRQ_BY_EVENTFD : 0;
	info.count = info.index == IRQ_MSI ? emu_qm_vectors(vfu->qm) : 0;
	reply(vfu, m, &info, sizeof(info), NULL, 0);
	return 0;
}

static void set_vector(struct vfu *vfu, unsigned int vector, int fd)
{
	if (vfu->vector[vector] >= 0)
		close(vfu->vector[vector]);
	vfu->vector[vector] = fd;
	/* Its counter may be full: never wait for the client. */
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int on_set_irqs(struct vfu *vfu, struct vfu_message *m)
{
	const uint32_t vectors = emu_qm_vectors(vfu->qm);
	struct irq_set set;

	if (m->len < sizeof(set))
		return EINVAL;
	memcpy(&set, m->data, sizeof(set));
	if (set.index != IRQ_MSI || set.start > vectors || set.count > vectors - set.start)
		return EINVAL;
	switch (set.flags) {
	case SET_DATA_NONE | SET_TRIGGER:
		if (!set.count)
			for (uint32_t i = 0; i < vectors; i++)
				set_vector(vfu, i, -1);
		for (uint32_t i = 0; i < set.count; i++)
			on_msi(vfu, set.start + i);
		break;
	case SET_DATA_EVENTFD | SET_TRIGGER:
		if (m->fds_nr && m->fds_nr != set.count)
			return EINVAL;
		for (uint32_t i = 0; i < set.count; i++)
			set_vector(vfu, set.start + i, m->fds_nr ? m->fds[i] : -1);
		/* They are the vectors' now. */
		m->fds_nr = 0;
		break;
	default:
		return EINVAL;
	}
	reply(vfu, m, NULL, 0, NULL, 0);
	return 0;
}

static int on_region_read(struct vfu *vfu, const struct vfu_message *m)
{
	struct region_access access;
	uint8_t *data;
	int ret;

	if (m->len < sizeof(access))
		return EINVAL;
	memcpy(&access, m->data, sizeof(access));
	if (!access.count || access.count > VFU_XFER_MAX)
		return EINVAL;
	data = malloc(access.count);
	if (!data)
		return ENOMEM;
	if (access.region == REGION_CONFIG)
		ret = emu_qm_config_read(vfu->qm, access.offset, data, access.count);
	else
		ret = emu_qm_read(vfu->qm, access.region, access.offset, data, access.count);
	if (!ret)
		reply(vfu, m, &access, sizeof(access), data, access.count);
	free(data);
	return -ret;
}

static int on_region_write(struct vfu *vfu, const struct vfu_message *m)
{
	struct region_access access;
	const uint8_t *data = m->data + sizeof(access);
	int ret;

	if (m->len < sizeof(access))
		return EINVAL;
	memcpy(&access, m->data, sizeof(access));
	if (!access.count || access.count > m->len - sizeof(access))
		return EINVAL;
	if (access.region == REGION_CONFIG)
		ret = emu_qm_config_write(vfu->qm, access.offset, data, access.count);
	else
		ret = emu_qm_write(vfu->qm, access.region, access.offset, data, access.count);
	if (!ret)
		reply(vfu, m, &access, sizeof(access), NULL, 0);
	return -ret;
}

static int on_reset(struct vfu *vfu, const struct vfu_message *m)
{
	emu_qm_reset(vfu->qm);
	reply(vfu, m, NULL, 0, NULL, 0);
	return 0;
}

static int handle(struct vfu *vfu, struct vfu_message *m)
{
	if (!vfu->is_greeted && m->header.command != VFU_VERSION)
		return EINVAL;
	switch (m->header.command) {
	case VFU_VERSION:
		return on_version(vfu, m);
	case VFU_DMA_MAP:
		return on_dma_map(vfu, m);
	case VFU_DMA_UNMAP:
		return on_dma_unmap(vfu, m);
	case VFU_GET_INFO:
		return on_get_info(vfu, m);
	case VFU_GET_REGION_INFO:
		return on_get_region_info(vfu, m);
	case VFU_GET_IRQ_INFO:
		return on_get_irq_info(vfu, m);
	case VFU_SET_IRQS:
		return on_set_irqs(vfu, m);
	case VFU_REGION_READ:
		return on_region_read(vfu, m);
	case VFU_REGION_WRITE:
		return on_region_write(vfu, m);
	case VFU_RESET:
		return on_reset(vfu, m);
	default:
		return ENOSYS;
	}
}

static struct vfu_message *take_pending(struct vfu *vfu)
{
	struct vfu_message *m = vfu->first;

	if (!m)
		return NULL;
	vfu->first = m->next;
	if (!vfu->first)
		vfu->last = NULL;
	vfu->pending_nr--;
	return m;
}

bool vfu_serve(struct vfu *vfu)
{
	while (!vfu->is_broken) {
		struct vfu_message *m = take_pending(vfu);
		int error;

		if (!m)
			m = next_message(vfu);
		if (!m)
			break;
		vfu->messages++;
		/* A reply that nobody waits for. */
		if (!is_reply(m)) {
			error = handle(vfu, m);
			if (error)
				refuse(vfu, m, error);
		}
		free_message(m);
	}
	return !vfu->is_broken;
}

/* Nobody is there. */
static void on_hidden_msi(void *owner, unsigned int vector)
{
}

int vfu_init(struct vfu *vfu, const char *options, unsigned int flags, const struct vfu *pf)
{
	const struct emu_qm_host host = { vfu, on_msi, on_dma },
				 nobody = { NULL, on_hidden_msi, NULL };
	int ret;

	memset(vfu, 0, sizeof(*vfu));
	vfu->fd = vfu->listener = -1;
	for (unsigned int i = 0; i < VFU_VECTORS_MAX; i++)
		vfu->vector[i] = -1;
	if (!strcmp(options, "vf"))
		return pf ? emu_qm_new_vf(pf->qm, &host, &vfu->qm) : -EINVAL;
	if (strncmp(options, "vf:", 3))
		return emu_qm_new(options, flags, &host, &vfu->qm);
	ret = emu_qm_new(options + 3, flags, &nobody, &vfu->hidden);
	if (ret)
		return ret;
	ret = emu_qm_new_vf(vfu->hidden, &host, &vfu->qm);
	if (ret)
		emu_qm_free(vfu->hidden);
	return ret;
}

void vfu_disconnect(struct vfu *vfu)
{
	const uint64_t half = UINT64_C(1) << 63;
	struct vfu_message *m;

	if (vfu->fd >= 0)
		close(vfu->fd);
	vfu->fd = -1;
	emu_qm_unmap(vfu->qm, 0, half);
	emu_qm_unmap(vfu->qm, half, half);
	emu_qm_reset(vfu->qm);
	for (unsigned int i = 0; i < VFU_VECTORS_MAX; i++)
		set_vector(vfu, i, -1);
	for (unsigned int i = 0; i < vfu->files_nr; i++)
		munmap(vfu->file[i].mem, vfu->file[i].len);
	close_fds(vfu->fds, vfu->fds_nr);
	free_message(vfu->message);
	while ((m = take_pending(vfu)))
		free_message(m);
	vfu->files_nr = vfu->fds_nr = vfu->got = 0;
	vfu->message = NULL;
	vfu->is_broken = vfu->is_greeted = false;
}

void vfu_fini(struct vfu *vfu)
{
	vfu_disconnect(vfu);
	if (vfu->listener >= 0)
		close(vfu->listener);
	emu_qm_free(vfu->qm);
	emu_qm_free(vfu->hidden);
}
