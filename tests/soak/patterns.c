/* SPDX-License-Identifier: Zlib */
/* Who calls zlib in which way: a row each. */
#include "config.h"
#include "soak.h"

const struct soak_pattern soak_patterns[] = {
	{ "nginx", 200, soak_nginx, soak_nginx_end },
	{ "git", 8, soak_git, NULL },
	{ "python", 10, soak_python, NULL },
	{ "java", 8, soak_java, NULL },
	{ "node", 8, soak_node, NULL },
	{ "gz", 8, soak_gz, NULL },
	{ "pages", 10, soak_pages, NULL },
	{ "dump", 5, soak_dump, NULL },
	{ "ssh", 30, soak_ssh, soak_ssh_end },
	{ "websocket", 30, soak_websocket, soak_websocket_end },
	{ "rsync", 8, soak_rsync, NULL },
	{ "png", 8, soak_png, NULL },
	{ "browser", 16, soak_browser, NULL },
	{ "backup", 1, soak_backup, NULL },
	{ "restore", 2, soak_restore, NULL },
	{ "gzip", 1, soak_gzip, NULL },
	{ "abandon", 16, soak_abandon, NULL },
	{ "crowd", 1, soak_crowd, NULL },
	{ "deflate", 16, soak_any_deflate, NULL },
	{ "inflate", 16, soak_any_inflate, NULL },
	{ "oneshot", 8, soak_any_oneshot, NULL },
	{ NULL, 0, NULL, NULL },
};
