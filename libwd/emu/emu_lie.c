// SPDX-License-Identifier: Zlib
/*
 * What a device that lies makes of a result. Which value, and where the script names none which
 * field, is a function of the request's number: the same script lies in the same way each time.
 */
#include "emu_priv.h"

#include <string.h>

const char emu_lie_names[EMU_LIES][12] = {
	[EMU_LIE_ANY] = "any",		 [EMU_LIE_CONSUMED] = "consumed",
	[EMU_LIE_PRODUCED] = "produced", [EMU_LIE_STATUS] = "status",
	[EMU_LIE_CHECKSUM] = "checksum", [EMU_LIE_CONTEXT] = "context",
	[EMU_LIE_ENTRY] = "entry",	 [EMU_LIE_LATE] = "late",
	[EMU_LIE_TWICE] = "twice",
};

static uint64_t mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

enum emu_lie emu_lie_of(const struct emu_fault *fault, uint64_t nr)
{
	if (fault->arg != EMU_LIE_ANY)
		return (enum emu_lie)fault->arg;
	return (enum emu_lie)(EMU_LIE_CONSUMED + mix(nr) % (EMU_LIES - EMU_LIE_CONSUMED));
}

/* Another number of bytes than this one: near to it, near to what there is, or none that can be. */
static uint32_t other_len(uint32_t len, uint32_t most, uint64_t r)
{
	const uint32_t lens[] = { 0,	    len - 1,	len + 1,  len / 2, most,
				  most + 1, UINT32_MAX, most - 1, 1,	   (uint32_t)(r >> 32) };
	uint32_t other = lens[r % 10];

	return other != len ? other : len + 1;
}

static uint32_t other_result(uint32_t result, uint64_t r)
{
	static const uint32_t results[] = {
		HISI_ZIP_OK,	     HISI_ZIP_NEGATIVE,
		HISI_ZIP_DST_FULL,   HISI_ZIP_BAD_CHECKSUM,
		HISI_ZIP_STREAM_END, HISI_ZIP_STREAM_END | HISI_ZIP_RESULT_LAST_BLOCK,
		HISI_ZIP_BAD_DATA,   0x77,
	};
	uint32_t other = results[r % 8];

	return other != result ? other : result ^ HISI_ZIP_RESULT_LAST_BLOCK;
}

void emu_lie_tell(enum emu_lie lie, uint64_t nr, struct hisi_zip_sqe *sqe)
{
	const uint64_t r = mix(nr * 2654435761u + 1);
	uint32_t word;

	switch (lie) {
	case EMU_LIE_CONSUMED:
		sqe->consumed = other_len(sqe->consumed, sqe->src_len, r);
		break;
	case EMU_LIE_PRODUCED:
		sqe->produced = other_len(sqe->produced, sqe->dst_len, r);
		break;
	case EMU_LIE_STATUS:
		sqe->result = other_result(sqe->result, r);
		break;
	case EMU_LIE_CHECKSUM:
		if (r & 1)
			sqe->checksum ^= 1u << (r >> 8) % 32;
		else
			sqe->isize ^= 1u << (r >> 8) % 32;
		break;
	case EMU_LIE_CONTEXT:
		if (r % 3 == 0)
			sqe->ctx_w0 ^= 1u << (r >> 8) % 8;
		else if (r % 3 == 1)
			sqe->ctx_w1 ^= (uint32_t)(r >> 8) | 1;
		else
			sqe->ctx_w2 ^= (uint32_t)(r >> 8) | 1;
		break;
	case EMU_LIE_ENTRY:
		/* Any of its words, those that software wrote included. */
		memcpy(&word, (uint8_t *)sqe + r % (sizeof(*sqe) / 4) * 4, sizeof(word));
		word ^= 1u << (r >> 8) % 32;
		memcpy((uint8_t *)sqe + r % (sizeof(*sqe) / 4) * 4, &word, sizeof(word));
		break;
	default:
		break;
	}
}

unsigned int emu_lie_late_ms(uint64_t nr)
{
	return 10 + mix(nr) % 120;
}
