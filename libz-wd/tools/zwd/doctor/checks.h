/* SPDX-License-Identifier: Zlib */
/* The doctor's questions, in the order in which they are asked. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "tools/zwd/doctor/subject.h"

/* Each fills in what the later ones need, and reports. */
void check_settings(struct subject *subject);
void check_program(struct subject *subject);
void check_preload(const struct subject *subject);
void check_gzip(const struct subject *subject);
void check_zlib(const struct subject *subject);
void check_devices(const struct subject *subject);
void check_memlock(const struct subject *subject, const char *device);

/* Of check_devices(): one device of each class. How many usable queues. */
unsigned int check_uacce(const struct subject *subject, const char *name);
unsigned int check_sdmdev(const struct subject *subject, const char *name);

/* Is the device's memory where the subject may have memory? */
void check_numa(const struct subject *subject, const char *device, long long node);

/* May the subject open the node? Reports if not, as if and why. */
bool check_node(const struct subject *subject, const char *node);

/* The same of a device of uacce, without a word. */
bool is_node_open(const struct subject *subject, const char *device);

#endif
