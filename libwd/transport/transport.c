/* SPDX-License-Identifier: Zlib */
/* The table of roads to a device. */
#include "transport/transport.h"

const struct wd_transport *const wd_transports[] = {
	&wd_transport_sdmdev,
	&wd_transport_uacce,
	&wd_transport_emu,
	NULL,
};
