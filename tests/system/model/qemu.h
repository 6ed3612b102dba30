/* SPDX-License-Identifier: Zlib */
/* What the modelled device needs of QEMU: functions by name, and the public structs they take. */
#ifndef MODEL_QEMU_H
#define MODEL_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The object is loaded into a QEMU that was built by somebody else, and without its headers. No
 * instance's layout is known here: the device's own state lies apart, and regions, timers and other
 * objects of QEMU's are given more room than they need.
 */
struct qemu_room {
	uint64_t room[512];
};

struct qemu_type_interface {
	const char *type;
};

struct qemu_type {
	const char *name;
	const char *parent;
	size_t instance_size;
	size_t instance_align;
	void (*instance_init)(void *obj);
	void (*instance_post_init)(void *obj);
	void (*instance_finalize)(void *obj);
	bool is_abstract;
	size_t class_size;
	void (*class_init)(void *class, const void *data);
	void (*class_base_init)(void *class, const void *data);
	const void *class_data;
	const struct qemu_type_interface *interfaces;
};

enum { QEMU_LITTLE_ENDIAN = 2 };

struct qemu_region_ops {
	uint64_t (*read)(void *owner, uint64_t off, unsigned int len);
	void (*write)(void *owner, uint64_t off, uint64_t value, unsigned int len);
	void *read_with_attrs;
	void *write_with_attrs;
	int endianness;
	struct {
		unsigned int min;
		unsigned int max;
		bool is_unaligned;
		void *accepts;
	} valid;
	struct {
		unsigned int min;
		unsigned int max;
		bool is_unaligned;
	} impl;
};

enum { QEMU_PERM_READ = 1, QEMU_PERM_WRITE = 2 };

struct qemu_tlb_entry {
	void *target;
	uint64_t iova;
	uint64_t translated;
	uint64_t mask;
	int perm;
	uint32_t pasid;
	uint64_t room[4];
};

struct qemu_pri_response {
	int code; /* 0: the pages are there */
	uint16_t group;
};

struct qemu_pri_notifier {
	void (*notify)(struct qemu_pri_notifier *notifier, struct qemu_pri_response *response);
};

struct qemu_notifier {
	void (*notify)(struct qemu_notifier *notifier, void *data);
	void *link[2];
};

/* In the order in which QEMU calls its own: types exist from the first one on that is here. */
enum { QEMU_INIT_AFTER_TYPES = 0 };
enum { QEMU_CLOCK_REAL = 0, QEMU_SCALE_MS = 1000000 };
enum { QEMU_BAR_64_PREFETCH = 0xc };

#define QEMU_FUNCTIONS(F)                                                                          \
	F(void, register_module_init, (void (*fn)(void), int type))                                \
	F(void *, type_register_static, (const struct qemu_type *))                                \
	F(void *, object_class_by_name, (const char *))                                            \
	F(void, device_class_set_legacy_reset, (void *class, void (*reset)(void *)))               \
	F(void, memory_region_init_io,                                                             \
	  (void *region, void *owner, const struct qemu_region_ops *, void *opaque, const char *,  \
	   uint64_t len))                                                                          \
	F(void, memory_region_add_subregion_overlap, (void *, uint64_t at, void *, int priority))  \
	F(void *, get_system_memory, (void))                                                       \
	F(int, address_space_rw,                                                                   \
	  (void *, uint64_t addr, uint64_t attrs, void *buf, uint64_t len, bool is_write))         \
	F(void *, pci_device_iommu_address_space, (void *))                                        \
	F(void, pci_register_bar, (void *, int bar, uint8_t type, void *region))                   \
	F(void, pci_default_write_config, (void *, uint32_t at, uint32_t value, int len))          \
	F(uint32_t, pci_default_read_config, (void *, uint32_t at, int len))                       \
	F(int, pcie_endpoint_cap_init, (void *, uint8_t at))                                       \
	F(void, pcie_cap_flr_init, (void *))                                                       \
	F(void, pcie_cap_flr_write_config, (void *, uint32_t at, uint32_t value, int len))         \
	F(void, pcie_pasid_init, (void *, uint16_t at, uint8_t bits, bool exec, bool priv))        \
	F(void, pcie_ats_init, (void *, uint16_t at, bool is_aligned))                             \
	F(void, pcie_pri_init, (void *, uint16_t at, uint32_t pages_max, bool has_pasid))          \
	F(uint32_t, pcie_pri_get_req_alloc, (const void *))                                        \
	F(int, msi_init,                                                                           \
	  (void *, uint8_t at, unsigned int nr, bool is_64, bool has_masks, void **error))         \
	F(bool, msi_enabled, (const void *))                                                       \
	F(void, msi_notify, (void *, unsigned int vector))                                         \
	F(ssize_t, pci_ats_request_translation,                                                    \
	  (void *, uint32_t pasid, bool priv, bool exec, uint64_t addr, size_t len, bool no_write, \
	   struct qemu_tlb_entry *, size_t nr, uint32_t *errors))                                  \
	F(int, pci_pri_request_page,                                                               \
	  (void *, uint32_t pasid, bool priv, bool exec, uint64_t addr, bool is_last,              \
	   uint16_t group, bool is_read, bool is_write))                                           \
	F(int, pci_pri_register_notifier, (void *, uint32_t pasid, struct qemu_pri_notifier *))    \
	F(void *, qemu_bh_new_full, (void (*fn)(void *), void *, const char *, void *guard))       \
	F(void, qemu_bh_schedule, (void *))                                                        \
	F(void, qemu_add_exit_notifier, (struct qemu_notifier *))                                  \
	F(void, timer_init_full,                                                                   \
	  (void *, void *group, int clock, int scale, int attributes, void (*fn)(void *), void *)) \
	F(void, timer_mod, (void *, int64_t at))                                                   \
	F(int64_t, qemu_clock_get_ns, (int clock))

struct qemu {
	void *address_space_memory;
#define QEMU_MEMBER(type, name, args) type(*name) args;
	QEMU_FUNCTIONS(QEMU_MEMBER)
#undef QEMU_MEMBER
};

extern struct qemu qemu;

/* Ends the process with what QEMU has not, and exit code 77. */
void qemu_lacks(const char *what) __attribute__((noreturn));
/* Looks all of it up. */
void qemu_find(void);

#endif
