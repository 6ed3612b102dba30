/* SPDX-License-Identifier: Zlib */
/* Prints what compress() and uncompress() say of lengths around the right ones, and of wrong data. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

typedef int uncompress_fn(Bytef *dest, uLong *dest_len, const Bytef *source, uLong *source_len);

static unsigned char plain[5000], packed[6000], back[6000];

static void try_all(const char *name, uncompress_fn *f)
{
	static const int lens[] = { 0, 1, 5000 }, around[] = { -5000, -9, -3, -1, 0, 1, 5 };

	for (int l = 0; f && l < 3; l++)
		for (int i = 0; i < 7; i++)
			for (int o = 0; o < 7; o++)
				for (int broken = 0; broken < 2; broken++) {
					uLong len = sizeof(packed), in, out;
					int ret;

					memset(packed, 0, sizeof(packed));
					compress2(packed, &len, plain, (uLong)lens[l], 0);
					packed[len - 2] ^= (unsigned char)broken;
					if ((long)len + around[i] < 0 || lens[l] + around[o] < 0)
						continue;
					in = len + (uLong)(long)around[i];
					out = (uLong)(lens[l] + around[o]);
					ret = f(back, &out, packed, &in);
					printf("%s %d %d %d %d: %d %lu %lu\n", name, lens[l], around[i],
					       around[o], broken, ret, in, out);
				}
}

int main(void)
{
	uncompress_fn *newer = NULL;
	int (*used)(z_streamp, int *) = NULL, bits = -1;
	z_stream strm = { 0 };
	uLong len;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * i >> 5);
	printf("%s %lx\n", zlibVersion(), zlibCompileFlags());
	printf("%lx %lx\n", compressBound(1000), compressBound((uLong)-1));
	try_all("uncompress2", uncompress2);
	*(void **)&newer = dlsym(RTLD_DEFAULT, "uncompress2_z");
	/* Over an older zlib it is there too, but not to be compared. */
	if (zlibVersion()[2] > '3' || !strncmp(zlibVersion(), "1.3.2", 5)) {
		try_all("uncompress2_z", newer);
		*(void **)&used = dlsym(RTLD_DEFAULT, "deflateUsed");
		len = 0;
		printf("compress %d\n", compress(packed, &len, NULL, 5));
		deflateInit(&strm, 6);
		printf("used %d", used(&strm, &bits));
		printf(" %d\n", bits);
		deflateEnd(&strm);
	}
	return 0;
}
