// SPDX-License-Identifier: Zlib
/*
 * The modelled ZIP device inside a QEMU that knows nothing of it: a shared object that its loader
 * preloads. It has what vfio-user has no words for: PASID, address translation and page requests.
 * WD_MODEL: options of the devices as emu_qm_new() takes them, with a blank between two devices.
 * WD_MODEL_SMPWC: the IOMMU says that its walks are coherent, which Linux wants from 7.x on.
 * Exit code 77: this QEMU is not what it takes.
 */
#include "config.h"
#include "pages.h"
#include "qemu.h"

#include "emu/emu.h"
#include "emu/emu_qm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	VENDOR = 0x19e5,
	DEVICE = 0xa250,
	CLASS = 0x1200, /* processing accelerator */
	REVISION_V2 = 0x21,
	REVISION_V3 = 0x30,
	CFG_COMMAND = 0x04,
	CFG_EXPRESS = 0x40,
	CFG_EXPRESS_CTRL = CFG_EXPRESS + 8,
	CFG_MSI = 0x80,
	CFG_PASID = 0x100,
	CFG_ATS = 0x110,
	CFG_PRI = 0x120,
};
#define PASID_BITS 16
#define PRI_PAGES  128
#define RUNS_MAX   4 /* requests, before QEMU does something else */

struct device {
	struct device *next;
	void *pdev;
	struct emu_qm *qm;
	void *bh;
	bool is_function_reset;
	struct pages pages;
	struct qemu_notifier at_exit;
	struct qemu_room timer;
	struct qemu_room bar[EMU_QM_BARS];
};

static struct device *devices;
static const char *options = "";

static struct device *find_device(const void *pdev)
{
	struct device *d = devices;

	while (d && d->pdev != pdev)
		d = d->next;
	return d;
}

static void on_msi(void *owner, unsigned int vector)
{
	struct device *d = owner;

	if (qemu.msi_enabled(d->pdev))
		qemu.msi_notify(d->pdev, vector);
}

static int on_dma(void *owner, const struct emu_qm_tag *tag, uint64_t iova, void *buf, uint64_t len,
		  int flag)
{
	struct device *d = owner;
	const bool is_write = flag == EMU_DMA_WRITE;

	if (tag)
		return pages_access(&d->pages, tag, iova, buf, len, is_write);
	if (qemu.address_space_rw(qemu.pci_device_iommu_address_space(d->pdev), iova, 0, buf, len,
				  is_write))
		return -EFAULT;
	return 0;
}

static void work(void *opaque)
{
	struct device *d = opaque;
	int next = 0;

	pages_answer(&d->pages, d->qm);
	for (int i = 0; i < RUNS_MAX && !next; i++)
		next = emu_qm_run(d->qm);
	if (!next)
		qemu.qemu_bh_schedule(d->bh);
	else if (next > 0)
		qemu.timer_mod(&d->timer,
			       qemu.qemu_clock_get_ns(QEMU_CLOCK_REAL) / QEMU_SCALE_MS + next);
}

/* Registers */

static uint64_t read_bar(struct device *d, unsigned int bar, uint64_t off, unsigned int len)
{
	uint64_t value = 0;

	emu_qm_read(d->qm, bar, off, &value, len);
	/* A driver that learns that something is not over asks again, for a millisecond or so. */
	emu_qm_run_flight(d->qm);
	return value;
}

static void write_bar(struct device *d, unsigned int bar, uint64_t off, uint64_t value,
		      unsigned int len)
{
	emu_qm_write(d->qm, bar, off, &value, len);
	qemu.qemu_bh_schedule(d->bh);
}

static uint64_t read_registers(void *opaque, uint64_t off, unsigned int len)
{
	return read_bar(opaque, 2, off, len);
}

static void write_registers(void *opaque, uint64_t off, uint64_t value, unsigned int len)
{
	write_bar(opaque, 2, off, value, len);
}

static uint64_t read_doorbells(void *opaque, uint64_t off, unsigned int len)
{
	return read_bar(opaque, 4, off, len);
}

static void write_doorbells(void *opaque, uint64_t off, uint64_t value, unsigned int len)
{
	write_bar(opaque, 4, off, value, len);
}

static void make_bar(struct device *d, unsigned int bar)
{
	static const struct qemu_region_ops ops[EMU_QM_BARS] = {
		[2] = { .read = read_registers,
			.write = write_registers,
			.endianness = QEMU_LITTLE_ENDIAN,
			.valid = { 1, 8 },
			.impl = { 1, 8 } },
		[4] = { .read = read_doorbells,
			.write = write_doorbells,
			.endianness = QEMU_LITTLE_ENDIAN,
			.valid = { 1, 8 },
			.impl = { 1, 8 } },
	};
	const uint64_t len = emu_qm_bar_len(d->qm, bar);

	if (!len)
		return;
	qemu.memory_region_init_io(&d->bar[bar], d->pdev, &ops[bar], d, "hisi-zip", len);
	qemu.pci_register_bar(d->pdev, bar, QEMU_BAR_64_PREFETCH, &d->bar[bar]);
}

/* The config space is QEMU's. What the model acts on is passed on to it. */
static void pass_command(struct device *d)
{
	const uint16_t command = qemu.pci_default_read_config(d->pdev, CFG_COMMAND, 2);

	emu_qm_config_write(d->qm, CFG_COMMAND, &command, sizeof(command));
}

static void reset(void *pdev)
{
	static const uint16_t flr = 0x8000;
	struct device *d = find_device(pdev);

	if (!d)
		return;
	if (d->is_function_reset)
		emu_qm_config_write(d->qm, CFG_EXPRESS_CTRL, &flr, sizeof(flr));
	else
		emu_qm_reset(d->qm);
	pages_reset(&d->pages);
	pass_command(d);
}

static void write_config(void *pdev, uint32_t at, uint32_t value, int len)
{
	struct device *d = find_device(pdev);

	qemu.pci_default_write_config(pdev, at, value, len);
	if (!d)
		return;
	d->is_function_reset = true;
	qemu.pcie_cap_flr_write_config(pdev, at, value, len);
	d->is_function_reset = false;
	pass_command(d);
	qemu.qemu_bh_schedule(d->bh);
}

/* The IOMMU's extended capabilities, with one more. */
#define ECAP_AT	   UINT64_C(0xfed90010)
#define ECAP_SMPWC (UINT64_C(1) << 48)
static uint64_t ecap;

static uint64_t read_ecap(void *opaque, uint64_t off, unsigned int len)
{
	return len == sizeof(ecap) ? ecap : (uint32_t)(ecap >> 8 * off);
}

static void write_ecap(void *opaque, uint64_t off, uint64_t value, unsigned int len)
{
}

static void add_smpwc(void *owner)
{
	static const struct qemu_region_ops ops = { .read = read_ecap,
						    .write = write_ecap,
						    .endianness = QEMU_LITTLE_ENDIAN,
						    .valid = { 4, 8 },
						    .impl = { 4, 8 } };
	static struct qemu_room region;

	if (ecap || qemu.address_space_rw(qemu.address_space_memory, ECAP_AT, 0, &ecap,
					  sizeof(ecap), false))
		return;
	ecap |= ECAP_SMPWC;
	qemu.memory_region_init_io(&region, owner, &ops, NULL, "ecap", sizeof(ecap));
	qemu.memory_region_add_subregion_overlap(qemu.get_system_memory(), ECAP_AT, &region, 10);
}

static void print_counts(struct qemu_notifier *notifier, void *data)
{
	struct device *d = (void *)((char *)notifier - offsetof(struct device, at_exit));
	struct emu_qm_stats s;

	emu_qm_stats(d->qm, &s);
	fprintf(stderr,
		"model: requests %" PRIu64 " errors %" PRIu64 " bytes_in %" PRIu64
		" bytes_out %" PRIu64 " interrupts %" PRIu64 " resets %" PRIu64 " faults %" PRIu64
		" pasid_reads %" PRIu64 " pasid_writes %" PRIu64 " page_groups %" PRIu64
		" pages %" PRIu64 " pages_refused %" PRIu64 " denied %" PRIu64 "\n",
		s.requests, s.errors, s.bytes_in, s.bytes_out, s.interrupts, s.resets, s.faults,
		d->pages.stats.reads, d->pages.stats.writes, d->pages.stats.groups,
		d->pages.stats.pages, d->pages.stats.refused, d->pages.stats.denied);
}

/* The options of the next device. */
static void take_options(char *text, size_t len)
{
	const size_t n = strcspn(options, " ");

	snprintf(text, len, "%.*s", (int)n, options);
	options += n + strspn(options + n, " ");
}

static void realize(void *pdev, void **error)
{
	const uint64_t half = UINT64_C(1) << 63;
	struct device *d = calloc(1, sizeof(*d));
	const struct emu_qm_host host = { d, on_msi, on_dma };
	char text[256];

	take_options(text, sizeof(text));
	if (!d || emu_qm_new(text, EMU_QM_ISOLATED, &host, &d->qm) ||
	    emu_qm_map(d->qm, 0, NULL, half, EMU_DMA_READ | EMU_DMA_WRITE) ||
	    emu_qm_map(d->qm, half, NULL, half, EMU_DMA_READ | EMU_DMA_WRITE)) {
		fprintf(stderr, "model: options \"%s\"\n", text);
		exit(99);
	}
	d->pdev = pdev;
	d->bh = qemu.qemu_bh_new_full(work, d, "hisi-zip", NULL);
	qemu.timer_init_full(&d->timer, NULL, QEMU_CLOCK_REAL, QEMU_SCALE_MS, 0, work, d);
	pages_init(&d->pages, pdev, d->bh);
	for (unsigned int bar = 0; bar < EMU_QM_BARS; bar++)
		make_bar(d, bar);
	qemu.pcie_endpoint_cap_init(pdev, CFG_EXPRESS);
	qemu.pcie_cap_flr_init(pdev);
	qemu.msi_init(pdev, CFG_MSI, emu_qm_vectors(d->qm), true, true, error);
	qemu.pcie_pasid_init(pdev, CFG_PASID, PASID_BITS, false, false);
	qemu.pcie_ats_init(pdev, CFG_ATS, true);
	qemu.pcie_pri_init(pdev, CFG_PRI, PRI_PAGES, true);
	d->next = devices;
	devices = d;
	pass_command(d);
	d->at_exit.notify = print_counts;
	qemu.qemu_add_exit_notifier(&d->at_exit);
	if (getenv("WD_MODEL_SMPWC"))
		add_smpwc(pdev);
}

/*
 * Where a class has a device's identity is found with one that is known: the pointers to realize,
 * exit, config_read and config_write lie before it, subsystem's identity behind.
 */
struct identity {
	uint16_t vendor;
	uint16_t device;
	uint8_t revision;
	uint16_t class;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
};
enum { BEFORE_REALIZE = -4, BEFORE_CONFIG_WRITE = -1 };
#define SEARCHED_LEN 512

static void class_init(void *class, const void *data)
{
	static const uint8_t edu[] = { 0x34, 0x12, 0xe8, 0x11, 0x10 };
	const struct identity identity = {
		.vendor = VENDOR,
		.device = DEVICE,
		.revision = strstr(options, "qm=2") ? REVISION_V2 : REVISION_V3,
		.class = CLASS,
		.subsystem_vendor = VENDOR,
		.subsystem = DEVICE,
	};
	const uint8_t *known = qemu.object_class_by_name("edu");
	const uint8_t *at = known ? memmem(known, SEARCHED_LEN, edu, sizeof(edu)) : NULL;
	char *mine;

	if (!at || (at - known) % sizeof(void *))
		qemu_lacks("the device classes that are known");
	mine = (char *)class + (at - known);
	((void **)mine)[BEFORE_REALIZE] = realize;
	((void **)mine)[BEFORE_CONFIG_WRITE] = write_config;
	memcpy(mine, &identity, sizeof(identity));
	qemu.device_class_set_legacy_reset(class, reset);
}

static void register_device(void)
{
	static const struct qemu_type_interface interfaces[] = { { "pci-express-device" },
								 { NULL } };
	static const struct qemu_type type = { .name = "hisi-zip",
					       .parent = "pci-device",
					       .class_init = class_init,
					       .interfaces = interfaces };

	qemu.type_register_static(&type);
}

static void __attribute__((constructor)) start(void)
{
	const char *wanted = getenv("WD_MODEL");

	if (wanted)
		options = wanted;
	qemu_find();
	qemu.register_module_init(register_device, QEMU_INIT_AFTER_TYPES);
}
