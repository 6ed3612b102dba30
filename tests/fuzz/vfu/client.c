/* SPDX-License-Identifier: Zlib */
/* What a client sends that a script drives: it begins as a driver does, or with anything. */
#include "config.h"
#include "client.h"

#include <string.h>
#include <sys/socket.h>

enum { RINGS = 0x1000, DATA = 0x10000, SENT_MAX = 60000 };

void client_bytes(struct client *c, const void *data, size_t len, const int *fds, size_t fds_nr)
{
	struct iovec iov = { (void *)data, len };
	union {
		struct cmsghdr head;
		uint8_t room[CMSG_SPACE(sizeof(int) * 32)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!len || c->sent + len > SENT_MAX)
		return;
	c->sent += len + 300; /* as the kernel counts */
	if (fds_nr) {
		memset(&control, 0, sizeof(control));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * fds_nr);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * fds_nr);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fds_nr);
	}
	sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void client_message(struct client *c, unsigned int how, unsigned int command, const void *data,
		    size_t len, const int *fds, size_t fds_nr)
{
	struct vfu_header header = { c->id++, (uint16_t)command, (uint32_t)(sizeof(header) + len),
				     0, 0 };
	uint8_t message[sizeof(header) + 512];

	if (how >= 250)
		header.size += how % 2 ? 1u : UINT32_MAX;
	else if (how >= 244)
		header.size = how % 2 ? how % 16 : 1u << how % 32;
	if (how >= 236 && how < 244)
		header.flags = 1u << how % 8;
	len = len < 512 ? len : 512;
	memcpy(message, &header, sizeof(header));
	if (len)
		memcpy(message + sizeof(header), data, len);
	client_bytes(c, message, sizeof(header) + len - (how >= 232 && how < 236 && len), fds,
		     fds_nr);
}

static size_t take_fds(struct taker *t, int *fds, int event)
{
	const int some[] = { memory.fd, memory.fd, event, memory.loose_fd };
	unsigned int how = take_byte(t);
	size_t nr = how < 200 ? 1 : how % 24;

	for (size_t i = 0; i < nr; i++)
		fds[i] = some[(how + i) % 4];
	return nr;
}

/* A multiple of the page, or not. */
static uint64_t take_place(struct taker *t)
{
	unsigned int how = take_byte(t);

	if (how >= 250)
		return take_u64(t);
	return (uint64_t)(how % 64) << 12 | (how >= 240 ? how : 0);
}

static void send_map(struct client *c, struct taker *t, int event)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, address, size;
	} map = { sizeof(map), take_byte(t) % 8, 0, IOVA, MEM_LEN };
	unsigned int how = take_byte(t);
	int fds[32];
	size_t fds_nr = 0;

	if (how % 2)
		fds_nr = take_fds(t, fds, event);
	if (how >= 128) {
		map.address += take_place(t);
		map.size = take_place(t);
		map.offset = how >= 200 ? take_place(t) : 0;
	}
	client_message(c, take_byte(t), VFU_DMA_MAP, &map, sizeof(map), fds, fds_nr);
}

static void send_unmap(struct client *c, struct taker *t)
{
	uint32_t flags = take_byte(t) >= 200 ? 2 : 0;
	struct {
		uint32_t argsz, flags;
		uint64_t address, size;
	} unmap = { sizeof(unmap), flags, IOVA + take_place(t), take_place(t) };

	client_message(c, take_byte(t), VFU_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0);
}

static void send_access(struct client *c, unsigned int how, bool is_write, uint32_t region,
			uint64_t off, const void *data, uint32_t len)
{
	uint8_t message[16 + 256];

	memcpy(message, &off, 8);
	memcpy(message + 8, &region, 4);
	memcpy(message + 12, &len, 4);
	if (is_write)
		memcpy(message + 16, data, len < 256 ? len : 256);
	client_message(c, how, is_write ? VFU_REGION_WRITE : VFU_REGION_READ, message,
		       16 + (is_write ? len < 256 ? len : 256 : 0), NULL, 0);
}

static void send_any_access(struct client *c, struct taker *t)
{
	static const uint32_t offsets[] = {
		0x0,	  0x4,	    0x8,      0xc,	0x20,	  0x2c,	    0x300,    0x204,
		0x208,	  0x30c,    0x340,    0x1000,	0x2000,	  0x3100,   0x100000, 0x100004,
		0x10000c, 0x100040, 0x100054, 0x100058, 0x10005c, 0x100060, 0x100064, 0x100068,
		0x10006c, 0x1040f8, 0x300000, 0x100130, 0x3010a8, 0x30120c, 0x300150, 0x3fffff
	};
	static const uint32_t lens[] = { 4,  4,	  4, 8,	   1,	    2,	     3, 12,
					 64, 256, 0, 4096, 1 << 16, 1 << 20, 5, 7 };
	unsigned int how = take_byte(t), len_how = take_byte(t);
	uint64_t off = offsets[how % 32], value[32] = { take_u64(t) };
	uint32_t region = how < 200 ? 2 : how < 230 ? 7 : take_byte(t) % 12;

	if (region == 7)
		off = take_byte(t);
	if (len_how >= 240)
		off = take_u64(t);
	send_access(c, take_byte(t), len_how & 1, region, off, value, lens[len_how / 2 % 16]);
}

static void send_mailbox(struct client *c, uint32_t command, unsigned int slot)
{
	uint64_t at = IOVA + slot % 32 * 32;
	uint32_t words[4] = { 0x2000 | command, (uint32_t)at, (uint32_t)(at >> 32), 0 };

	for (int i = 0; i < 4; i++)
		send_access(c, 0, true, 2, 0x300 + i * 4, &words[i], 4);
}

static void send_any_mailbox(struct client *c, struct taker *t)
{
	unsigned int command = take_byte(t), queue = take_byte(t);

	send_mailbox(c,
		     command % 16 | (command & 0x80 ? 0x4000 : 0) |
			     (queue < 240 ? queue % 4 : queue) << 16,
		     take_byte(t));
}

static void put_context(unsigned int slot, unsigned int ring, unsigned int shape)
{
	uint64_t base = IOVA + RINGS + ring % 12 * 0x1000;
	uint32_t words[8] = { 0 };

	words[1] = (uint32_t)base;
	words[2] = (uint32_t)(base >> 32);
	/* Depths of 2 to 64, an entry of 128 or 16 bytes; version 1 has the depth elsewhere. */
	words[3] = (shape & 1 ? 7u : 4u) << 12 | ((2u << shape / 2 % 6) - 1);
	words[4] = memory.is_v1 ? (2u << shape / 2 % 6) - 1 : 0;
	words[6] = (shape & 2 ? 1u << 24 : 0) | (shape & 4 ? 1u << 16 : 0) | (shape & 8 ? 3 : 63);
	memcpy(memory.at + slot % 32 * 32, words, sizeof(words));
}

/* A request of the ZIP unit, in a ring's entry. */
static void put_request(struct taker *t, unsigned int entry)
{
	unsigned int how = take_byte(t);
	uint32_t words[32] = { 0 };

	words[4] = take_byte(t) * 16; /* src_len */
	words[7] = how >= 200 ? take_u32(t)
			      : (how % 8) << 25 | (memory.is_v3 ? 3u : 0u) << 28; /* src_ctrl */
	words[9] = how >= 220 ? take_u32(t) : how / 8 % 4 | how / 32 << 12;	  /* req_ctrl */
	words[14] = take_byte(t) * 64;						  /* dst_len */
	for (int i = 18; i < 24; i += 2) {
		words[i] = (uint32_t)(IOVA + DATA + take_byte(t) * 64);
		words[i + 1] = (uint32_t)(IOVA >> 32);
	}
	memcpy(memory.at + RINGS + entry % 64 * 128, words, sizeof(words));
}

/* As a driver begins: memory, the bus, and a queue pair with its events. */
static void send_start(struct client *c, struct taker *t)
{
	const struct {
		uint32_t off, value;
	} vft[] = { { 0x10005c, 0 },
		    { 0x100060, 0 },
		    { 0x100064, 0 },
		    { 0x100068, 3u << 13 | 1u << 12 },
		    { 0x100054, 1 } };
	const uint16_t master = 6;
	unsigned int queue = take_byte(t) % 4;
	uint64_t doorbell;
	struct {
		uint32_t argsz, flags;
		uint64_t offset, address, size;
	} map = { sizeof(map), 3, 0, IOVA, MEM_LEN };

	client_message(c, 0, VFU_DMA_MAP, &map, sizeof(map), &memory.fd, queue % 2);
	send_access(c, 0, true, 7, 4, &master, 2);
	for (unsigned int i = 0; i < 5; i++) /* queues of function 0 */
		send_access(c, 0, true, 2, vft[i].off, &vft[i].value, 4);
	for (unsigned int i = 0; i < 4; i++) { /* SQ, CQ, EQ, AEQ */
		put_context(4 * queue + i, i ? 3 + i : 0, (take_byte(t) & ~1u) | !i);
		send_mailbox(c, i | (i < 2 ? queue << 16 : 0), 4 * queue + i);
	}
	put_request(t, 0);
	doorbell = queue | (uint64_t)(take_byte(t) % 4) << 32;
	send_access(c, 0, true, 2, 0x1000, &doorbell, 8);
}

static void send_doorbell(struct client *c, struct taker *t)
{
	unsigned int how = take_byte(t);
	uint64_t value = how % 4 | (uint64_t)(how / 4 % 4) << 12 | (uint64_t)take_byte(t) << 32 |
			 (uint64_t)(how / 128) << 48;

	if (how / 16 % 8 == 7)
		value = take_u64(t);
	send_access(c, 0, true, 2, how / 4 % 4 < 2 ? 0x1000 : 0x2000, &value, 8);
}

static void send_irqs(struct client *c, struct taker *t, int event)
{
	unsigned int how = take_byte(t);
	uint32_t set[5] = { 20, how & 1 ? 0x24 : 0x21, 1, how / 2 % 8, how / 16 };
	int fds[32];
	size_t fds_nr = 0;

	if (how >= 240)
		set[how % 5] = take_u32(t);
	for (; how & 1 && fds_nr < set[4] && fds_nr < 16; fds_nr++)
		fds[fds_nr] = fds_nr == 3 ? memory.fd : event;
	if (how % 16 == 15)
		fds_nr = take_fds(t, fds, event);
	client_message(c, take_byte(t), VFU_SET_IRQS, set, sizeof(set), fds, fds_nr);
}

/* A context, a request of the ZIP unit, or any bytes. */
static void put_memory(struct taker *t)
{
	unsigned int how = take_byte(t), place = take_byte(t);
	size_t len = 8 + how % 200;

	if (how < 60) {
		put_context(place, place / 32 * 3, how);
	} else if (how < 180) {
		put_request(t, place);
	} else {
		const uint8_t *from = take_bytes(t, &len);

		memcpy(memory.at + (how % 2 ? DATA : 0) + place * 16, from, len);
	}
}

static void send_any(struct client *c, struct taker *t, int event)
{
	unsigned int command = take_byte(t);
	size_t len = take_byte(t) % 48, fds_nr = 0;
	const uint8_t *data;
	int fds[32];

	if (command >= 128)
		fds_nr = take_fds(t, fds, event);
	data = take_bytes(t, &len);
	client_message(c, take_byte(t), command % 16, data, len, fds, fds_nr);
}

void client_script(struct client *c, struct taker *t, int event)
{
	static const uint32_t info[8] = { 32 };
	const uint16_t master = 6;
	const uint8_t *data;
	size_t len;

	while (t->len) {
		unsigned int kind = take_byte(t);

		switch (kind % 16) {
		case 0:
			len = kind / 16;
			data = take_bytes(t, &len);
			client_bytes(c, data, len, NULL, 0);
			break;
		case 1:
			send_any(c, t, event);
			break;
		case 2:
			send_unmap(c, t);
			break;
		case 3:
			send_map(c, t, event);
			break;
		case 4:
			send_irqs(c, t, event);
			break;
		case 5:
			client_message(c, take_byte(t), VFU_GET_INFO + kind / 16 % 4, info, 32,
				       NULL, 0);
			break;
		case 6:
			if (kind >= 192)
				client_message(c, 0, VFU_RESET, NULL, 0, NULL, 0);
			send_access(c, 0, true, 7, 4, &master, 2);
			break;
		case 7:
		case 8:
			send_any_access(c, t);
			break;
		case 9:
			send_any_mailbox(c, t);
			break;
		case 10:
			send_start(c, t);
			break;
		case 11:
		case 12:
			send_doorbell(c, t);
			break;
		default:
			put_memory(t);
			break;
		}
	}
}
