# SPDX-License-Identifier: Zlib
# For all programs of a system: a libz.so.1 without code, in a folder that a file in /etc/ld.so.conf.d names. A link to
# libz-wd.so.1 would not do there, for ldconfig goes by the name inside a file. It has zlib's version nodes, and needs
# libz-wd.so.1, where programs find the functions, and behind it the zlib underneath by its absolute name, so that it
# is mapped from the start and no other libz.so.1 is.
systemlibdir = $(libdir)/libz-wd/system
nodist_systemlib_DATA = libz-wd/system/libz.so.1
CLEANFILES += libz-wd/system/libz.so.1 libz-wd/system/underneath.so libz-wd/system/nodes.map
system_link = $(CC) $(CFLAGS) $(LDFLAGS) -shared -nostdlib -Wl,--no-as-needed
libz-wd/system/libz.so.1: libz-wd/libz-wd.la libz-wd/libz-wd.map
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	awk '/^ZLIB_/ { on = 1 } on && /[{}]/; /^}/ { on = 0 }' $(srcdir)/libz-wd/libz-wd.map >$(@D)/nodes.map && \
	$(system_link) -Wl,-soname,'$(SOFT_ZLIB_PATH)' -o $(@D)/underneath.so -x c /dev/null && \
	$(system_link) -Wl,-soname,libz.so.1 -Wl,--version-script=$(@D)/nodes.map -o $@ -x c /dev/null -x none \
		libz-wd/.libs/libz-wd.so $(@D)/underneath.so
