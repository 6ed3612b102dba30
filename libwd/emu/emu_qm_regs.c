// SPDX-License-Identifier: Zlib
/* The queue manager's registers: what they are at reset, what they do, errors. */
#include "emu_qm_priv.h"

#include <errno.h>
#include <string.h>

static unsigned int version(const struct emu_qm *qm)
{
	return qm->opt.qm;
}

/* Reset values of BAR 2; all else is 0 (hardware reference, 25.1 and 25.2). */
struct value {
	uint32_t off;
	uint32_t value;
};

static const struct value values_all[] = {
	{ REG_AEQ_MASK, 1 },
	{ REG_EQ_MASK, 1 },
	{ REG_WRITE_BACK_DONE, 1 },
};

static const struct value values_pf[] = {
	{ REG_ERROR_MASK, UINT32_MAX }, { REG_MEM_INIT_DONE, 1 },
	{ REG_VFT_READY, 1 },		{ REG_IDLE, 1 },
	{ REG_MASTER_RETURN, 3 },	{ REG_ZIP_ERROR_MASK, UINT32_MAX },
};

static const struct value values_v3[] = {
	{ REG_CAPS, 0x00000601 }, /* version 1: STOP_QP, STOP_FUNC */
	{ 0x310c, 0x00010000 },	  /* interrupts: EQ by vector 0 */
	{ 0x3110, 0x00010001 },	  { 0x3114, 0x00010003 }, { 0x3118, 0 },
	{ 0x311c, 0x00040003 }, /* vectors */
	{ 0x3124, 0x00007c77 }, /* errors */
	{ 0x3128, 0x00006c77 },	  { 0x312c, 0x00000008 }, { 0x3130, 0x00001ffe },
	{ 0x3134, 0x000007fe },	  { 0x3138, 0x00000001 }, { 0x313c, 0x12050203 }, /* cores */
	{ 0x3140, 0x001c0003 },	  { 0x3144, 0x0000003f }, /* algorithms: zlib, gzip, deflate */
	{ 0x3148, 0x0000003f },	  { 0x314c, 0x00000015 }, { 0x3150, 0x00000015 },
	{ 0x3154, 0x0000002a },	  { 0x3158, 0x0000002a }, { 0x315c, 0x0000002a },
};

#define CAP_MESSAGES 0x800 /* where there are VFs */

/* What EMU_QM_FULL has instead. */
static const struct value values_full[] = {
	{ REG_CAPS, 0x00006701 }, /* and QoS, runtime power management, SVA prefetch */
	{ 0x3120, 0x00000014 },
};

static void set_values(struct emu_qm *qm, const struct value *value, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		*emu_qm_reg(qm, value[i].off) = value[i].value;
}

#define SET_VALUES(qm, table) set_values(qm, table, sizeof(table) / sizeof(table[0]))

void emu_qm_reset_registers(struct emu_qm *qm)
{
	const uint32_t nr = qm->queues_max;

	memset(qm->reg, 0, emu_qm_bar_len(qm, 2));
	SET_VALUES(qm, values_all);
	if (!qm->number)
		SET_VALUES(qm, values_pf);
	if (version(qm) < 3)
		return;
	SET_VALUES(qm, values_v3);
	if (qm->flags & EMU_QM_FULL)
		SET_VALUES(qm, values_full);
	*emu_qm_reg(qm, REG_ISOLATION) = qm->flags & EMU_QM_ISOLATED ? 1 : 0;
	*emu_qm_reg(qm, 0x3104) = 0x04000800; /* depths of AEQ and EQ */
	*emu_qm_reg(qm, 0x3108) = qm->opt.depth << 16 | qm->opt.depth;
	if (qm->opt.vfs) {
		*emu_qm_reg(qm, REG_CAPS) |= CAP_MESSAGES;
		*emu_qm_reg(qm, 0x3118) = 0x00010002;
	}
	if (!qm->number)
		*emu_qm_reg(qm, REG_QUEUES) = nr | nr << 11;
}

/* What software cannot change; everything else is stored. */
static bool is_read_only(uint32_t off)
{
	static const uint32_t offs[] = {
		REG_AEQ_SOURCE,
		REG_EQ_SOURCE,
		REG_MESSAGE_STATUS,
		REG_ISOLATION,
		REG_SUB_VERSION,
		REG_WRITE_BACK_DONE,
		REG_ERROR_STATUS,
		REG_MEM_INIT_DONE,
		REG_QUEUES,
		REG_FIFO_INFO,
		REG_DB_INFO,
		0x100018,
		0x1000fc,
		0x100100,
		REG_MESSAGE_READY,
		REG_MESSAGE_READY + 4,
		REG_IDLE,
		REG_MASTER_RETURN,
		REG_ZIP_ERROR_STATUS,
		REG_ZIP_SVA_TRANS,
	};

	for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++)
		if (off == offs[i])
			return true;
	return off >= REG_CAPS && off < REG_CAPS_END;
}

/* Writing ones clears. */
static bool is_clearing(uint32_t off)
{
	return off == REG_MESSAGE_SOURCE || off == REG_ERROR_SOURCE ||
	       off == REG_ZIP_ERROR_SOURCE || off == REG_MESSAGE_FROM ||
	       off == REG_MESSAGE_FROM + 4 || off == 0x100280 || off == 0x100284 ||
	       off == 0x300104 || off == 0x331c84;
}

/* Counters that may be cleared by reading them (hardware reference, 15.1 and 16.1). */
static bool is_clear_on_read(struct emu_qm *qm, uint32_t off)
{
	if (off >= REG_ZIP_COMP_CORE && off < REG_ZIP_CORES_END)
		return *emu_qm_reg(qm, REG_ZIP_COUNT_CLEAR) & 1;
	switch (off) {
	case REG_COUNT_MAILBOX:
	case REG_COUNT_DOORBELL:
	case REG_COUNT_SENT:
	case REG_COUNT_BACK:
	case REG_COUNT_DONE:
	case REG_COUNT_CQE:
	case REG_COUNT_EQE:
	case REG_COUNT_AEQE:
		return *emu_qm_reg(qm, REG_COUNT_CLEAR) & 1;
	default:
		return false;
	}
}

/* Errors */

static uint32_t unmasked(struct emu_qm *qm, uint32_t source, uint32_t mask)
{
	return *emu_qm_reg(qm, source) & ~*emu_qm_reg(qm, mask);
}

static void check_shutdown(struct emu_qm *qm)
{
	if (*emu_qm_reg(qm, REG_ERROR_SOURCE) & *emu_qm_reg(qm, REG_SHUTDOWN) ||
	    *emu_qm_reg(qm, REG_ZIP_ERROR_SOURCE) & *emu_qm_reg(qm, REG_ZIP_SHUTDOWN))
		qm->pf->is_shut = true;
}

/* Tells of errors that were not to be seen before: latched now, or not masked any more. */
static void update_status(struct emu_qm *qm)
{
	const uint32_t queues = unmasked(qm, REG_ERROR_SOURCE, REG_ERROR_MASK);
	const uint32_t zip = unmasked(qm, REG_ZIP_ERROR_SOURCE, REG_ZIP_ERROR_MASK);
	const bool is_new = queues & ~*emu_qm_reg(qm, REG_ERROR_STATUS) ||
			    zip & ~*emu_qm_reg(qm, REG_ZIP_ERROR_STATUS);

	*emu_qm_reg(qm, REG_ERROR_STATUS) = queues;
	*emu_qm_reg(qm, REG_ZIP_ERROR_STATUS) = zip;
	if (is_new && version(qm) > 1)
		emu_qm_msi(qm->pf, 3);
}

void emu_qm_error(struct emu_qm *qm, uint32_t qm_bits, uint32_t zip_bits)
{
	*emu_qm_reg(qm, REG_ERROR_SOURCE) |= qm_bits;
	*emu_qm_reg(qm, REG_ZIP_ERROR_SOURCE) |= zip_bits;
	check_shutdown(qm);
	update_status(qm);
}

/* Registers that do something */

void emu_qm_count_queues(struct emu_qm *qm)
{
	const uint64_t entry = qm->pf->vft[0][qm->number];
	unsigned int nr = 0;

	/* Version 1 has all queues in every function (hardware reference, 7). */
	if (entry >> 44 & 1)
		nr = version(qm) == 1 ? qm->queues_max : (entry >> 45 & 0x3ff) + 1;
	if (nr > qm->queues_max)
		nr = qm->queues_max;
	/* Contexts stay where they are, but no doorbell finds those of queues that are gone. */
	if (nr != qm->queues_nr && !qm->opt.strict)
		emu_qm_drop_pairs(qm);
	for (unsigned int i = nr; i < qm->queues_nr; i++)
		emu_qm_orphan(qm, &qm->pair[i]);
	qm->queues_nr = nr;
}

static void execute_vft(struct emu_qm *qm)
{
	const uint32_t type = *emu_qm_reg(qm, REG_VFT_TYPE);
	const uint32_t function = *emu_qm_reg(qm, REG_VFT_FUNCTION);
	uint32_t *low = emu_qm_reg(qm, REG_VFT_LOW), *high = emu_qm_reg(qm, REG_VFT_HIGH);

	*emu_qm_reg(qm, REG_VFT_READY) = 1;
	if (type >= EMU_QM_VFT_TYPES || function >= EMU_QM_FUNCTIONS * 4)
		return;
	if (*emu_qm_reg(qm, REG_VFT_IS_READ) & 1) {
		*low = qm->vft[type][function];
		*high = qm->vft[type][function] >> 32;
		return;
	}
	qm->vft[type][function] = emu_addr(*low, *high);
	if (function < EMU_QM_FUNCTIONS && qm->function[function])
		emu_qm_count_queues(qm->function[function]);
}

static void doorbell(struct emu_qm *qm, bool is_events, uint64_t value)
{
	const unsigned int index = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	const unsigned int priority = value >> HISI_QM_DB_PRIO_SHIFT & 0xffff;
	const unsigned int command = value >> HISI_QM_DB_V2_CMD_SHIFT & 0xf;

	qm->stats.doorbells++;
	++*emu_qm_reg(qm, REG_COUNT_DOORBELL);
	if ((command > HISI_QM_DB_CMD_CQ) == is_events)
		emu_qm_doorbell(qm, command, value >> HISI_QM_DB_V2_QN_SHIFT & 0xfff,
				value >> HISI_QM_DB_V2_RAND_SHIFT & 0xffff, index, priority);
}

static void doorbell_v1(struct emu_qm *qm, uint64_t value)
{
	qm->stats.doorbells++;
	++*emu_qm_reg(qm, REG_COUNT_DOORBELL);
	emu_qm_doorbell(qm, value >> HISI_QM_DB_V1_CMD_SHIFT & 0xffff, value & 0xffff, 0,
			value >> HISI_QM_DB_INDEX_SHIFT & 0xffff,
			value >> HISI_QM_DB_PRIO_SHIFT & 0xffff);
}

/* After the store of a word with this offset. What takes 64 bits acts on its second half. */
static void act(struct emu_qm *qm, uint32_t off, uint32_t old)
{
	const uint32_t value = *emu_qm_reg(qm, off);
	const uint64_t wide = off ? emu_addr(*emu_qm_reg(qm, off - 4), value) : 0;

	if (emu_qm_message_act(qm, off, old))
		return;
	switch (off) {
	case REG_AEQ_MASK:
	case REG_EQ_MASK:
		emu_qm_unmask(qm);
		break;
	case REG_MAILBOX_END:
		emu_qm_mailbox(qm);
		break;
	case REG_DOORBELL_V1 + 4:
		if (version(qm) == 1)
			doorbell_v1(qm, wide);
		break;
	case REG_DOORBELL + 4:
	case REG_DOORBELL_EVENTS + 4:
		if (version(qm) > 1)
			doorbell(qm, off > REG_DOORBELL + 4, wide);
		break;
	case REG_ERROR_SOURCE:
	case REG_ERROR_MASK:
	case REG_ZIP_ERROR_SOURCE:
	case REG_ZIP_ERROR_MASK:
		update_status(qm);
		break;
	case REG_ERROR_SET:
		emu_qm_error(qm, value, 0);
		break;
	case REG_ZIP_ERROR_SET:
		emu_qm_error(qm, 0, value);
		break;
	case REG_MEM_INIT:
		if (value & 1)
			emu_qm_forget(qm);
		break;
	case REG_WRITE_BACK:
		if (value & 1)
			emu_qm_write_back_start(qm);
		break;
	case REG_MASTER_CTRL:
		if (qm->opt.strict)
			emu_qm_close_master(qm, value & 1);
		break;
	case REG_VFT_OP:
		if (value & 1)
			execute_vft(qm);
		break;
	case REG_ZIP_CONTROL:
		/* 14.4: the driver opens the way to memory again by this bit. */
		if (value & ~old & ZIP_CONTROL_SHUTDOWN) {
			qm->is_shut = false;
			check_shutdown(qm);
		}
		break;
	default:
		break;
	}
}

static void write_word(struct emu_qm *qm, uint32_t off, uint32_t value, uint32_t mask)
{
	uint32_t *reg = emu_qm_reg(qm, off);
	const uint32_t old = *reg;

	if (is_read_only(off) ||
	    (qm->mailbox.is_busy && off >= REG_MAILBOX && off <= REG_MAILBOX_END))
		return;
	if (is_clearing(off))
		*reg &= ~(value & mask);
	else
		*reg = (old & ~mask) | (value & mask);
	act(qm, off, old);
}

static uint32_t read_word(struct emu_qm *qm, uint32_t off)
{
	uint32_t value;

	switch (off) {
	case REG_MAILBOX:
		if (qm->calls == 1)
			emu_qm_mailbox_read(qm);
		break;
	case REG_WRITE_BACK_DONE:
		return emu_qm_write_back_done(qm);
	case REG_MASTER_RETURN:
		return emu_qm_returned(qm);
	default:
		break;
	}
	value = *emu_qm_reg(qm, off);
	if (is_clear_on_read(qm, off))
		*emu_qm_reg(qm, off) = 0;
	return value;
}

static bool is_inside(const struct emu_qm *qm, unsigned int bar, uint64_t off, size_t len)
{
	const uint64_t size = bar < EMU_QM_BARS ? emu_qm_bar_len(qm, bar) : 0;

	return off <= size && len <= size - off;
}

/* The bytes of [off, off + len) within the word at at. */
static void span(uint64_t at, uint64_t off, size_t len, unsigned int *first, unsigned int *nr)
{
	const uint64_t end = off + len;

	*first = at < off ? off - at : 0;
	*nr = (end < at + 4 ? end - at : 4) - *first;
}

int emu_qm_read(struct emu_qm *qm, unsigned int bar, uint64_t off, void *buf, size_t len)
{
	uint8_t *p = buf;

	if (!is_inside(qm, bar, off, len))
		return -EINVAL;
	memset(buf, qm->is_gone ? 0xff : 0, len);
	if (bar != 2 || qm->is_gone)
		return 0;
	qm->calls++;
	for (uint64_t at = off & ~UINT64_C(3); at < off + len; at += 4) {
		const uint32_t word = read_word(qm, at);
		unsigned int first, nr;

		span(at, off, len, &first, &nr);
		memcpy(p, (const uint8_t *)&word + first, nr);
		p += nr;
	}
	qm->calls--;
	return 0;
}

/* A doorbell in the page of its own queue, which is the queue whatever the value says. */
static void write_page(struct emu_qm *qm, uint64_t off, const uint8_t *buf, size_t len)
{
	uint64_t value;

	if (off % EMU_QM_DB_PAGE != REG_DOORBELL || len != sizeof(value))
		return;
	memcpy(&value, buf, sizeof(value));
	value = (value & ~UINT64_C(0xfff)) | off / EMU_QM_DB_PAGE;
	doorbell(qm, false, value);
}

static void write_words(struct emu_qm *qm, uint64_t off, const uint8_t *p, size_t len)
{
	for (uint64_t at = off & ~UINT64_C(3); at < off + len; at += 4) {
		uint32_t word = 0, mask = 0;
		unsigned int first, nr;

		span(at, off, len, &first, &nr);
		memcpy((uint8_t *)&word + first, p, nr);
		memset((uint8_t *)&mask + first, 0xff, nr);
		write_word(qm, at, word, mask);
		p += nr;
	}
}

int emu_qm_write(struct emu_qm *qm, unsigned int bar, uint64_t off, const void *buf, size_t len)
{
	if (!is_inside(qm, bar, off, len))
		return -EINVAL;
	if (qm->is_gone)
		return 0;
	qm->calls++;
	if (bar == 2)
		write_words(qm, off, buf, len);
	else
		write_page(qm, off, buf, len);
	qm->calls--;
	return 0;
}
