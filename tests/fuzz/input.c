/* SPDX-License-Identifier: Zlib */
/* Inputs: making and damaging them by chance, and reading numbers out of one. */
#include "config.h"
#include "driver.h"

#include <string.h>

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

size_t random_below(struct random *r, size_t limit)
{
	return random_next(r) % limit;
}

unsigned int take_byte(struct taker *t)
{
	if (!t->len)
		return 0;
	t->len--;
	return *t->data++;
}

uint32_t take_u32(struct taker *t)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)take_byte(t) << 8 * i;
	return value;
}

uint64_t take_u64(struct taker *t)
{
	uint64_t low = take_u32(t);

	return low | (uint64_t)take_u32(t) << 32;
}

unsigned int take_below(struct taker *t, unsigned int limit)
{
	unsigned int value = take_byte(t);

	if (limit > 256)
		value |= take_byte(t) << 8;
	return value % limit;
}

const uint8_t *take_bytes(struct taker *t, size_t *len)
{
	const uint8_t *data = t->data;

	if (*len > t->len)
		*len = t->len;
	t->data += *len;
	t->len -= *len;
	return data;
}

static void damage(struct random *r, uint8_t *data, size_t *len, size_t room)
{
	static const uint8_t bytes[] = { 0, 1, 0x7f, 0x80, 0xff, '/', '=', '\n' };
	size_t at = random_below(r, *len), nr = 1 + random_below(r, random_below(r, 4) ? 8 : *len);

	nr = nr < *len - at ? nr : *len - at;
	switch (random_below(r, 7)) {
	case 0:
		data[at] ^= 1u << random_below(r, 8);
		break;
	case 1:
		data[at] = bytes[random_below(r, sizeof(bytes))];
		break;
	case 2:
		data[at] = (uint8_t)random_next(r);
		break;
	case 3: /* left out */
		memmove(data + at, data + at + nr, *len - at - nr);
		*len -= nr;
		break;
	case 4: /* twice */
		nr = nr < room - *len ? nr : room - *len;
		memmove(data + at + nr, data + at, *len - at);
		*len += nr;
		break;
	case 5: /* also elsewhere */
		memmove(data + random_below(r, *len - nr + 1), data + at, nr);
		break;
	default:
		*len = at;
		break;
	}
}

size_t fuzz_make(uint64_t number, uint8_t *data)
{
	static uint8_t other[FUZZ_INPUT_MAX];
	struct random r = { number };
	size_t room = fuzzer.len_max, len, at;

	if (!random_below(&r, 16)) {
		len = random_below(&r, (room < 512 ? room : 512) + 1);
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)random_next(&r);
		return len;
	}
	len = fuzzer.make(&r, data, room);
	if (!random_below(&r, 8)) { /* the beginning of one, the end of another */
		size_t other_len = fuzzer.make(&r, other, room);

		len = random_below(&r, len + 1);
		at = random_below(&r, other_len + 1);
		other_len = other_len - at < room - len ? other_len - at : room - len;
		memcpy(data + len, other + at, other_len);
		len += other_len;
	}
	if (random_below(&r, 2))
		for (size_t nr = 1 + random_below(&r, 6); nr && len; nr--)
			damage(&r, data, &len, room);
	return len;
}
