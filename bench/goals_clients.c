/* SPDX-License-Identifier: Zlib */
/* Goal: no program that compresses costs more CPU by default than it does without the preload. */
#include "config.h"

#include "goals.h"

#include <stdio.h>
#include <string.h>

/* "$1": a file, "$2": the same by gzip, "$3": a folder with it and small files. */
static const struct {
	const char *name;    /* of the figure */
	const char *program; /* that must be there */
	const char *script;
} clients[] = {
	{ "gzip", "gzip", "gzip -c \"$1\"" },
	{ "gunzip", "gzip", "gzip -dc \"$2\"" },
	{ "tar", "tar", "tar -C \"$3\" -czf - ." },
	{ "untar", "tar", "tar -xzOf \"$3.tgz\"" },
	{ "pigz", "pigz", "pigz -c \"$1\"" },
	{ "unpigz", "pigz", "pigz -dc \"$2\"" },
	{ "python6", "python3",
	  "python3 -c 'import sys,zlib; d=open(sys.argv[1],\"rb\").read()\n"
	  "assert zlib.decompress(zlib.compress(d)) == d' \"$1\"" },
	{ "python9", "python3",
	  "python3 -c 'import sys,gzip; d=open(sys.argv[1],\"rb\").read(4<<20)\n"
	  "assert gzip.decompress(gzip.compress(d)) == d' \"$1\"" },
	{ "json", "python3",
	  "python3 -c 'import sys,zlib; f=open(sys.argv[1],\"rb\")\n"
	  "for i in range(3000): d=f.read(1500); assert zlib.decompress(zlib.compress(d)) == d' "
	  "\"$1\"" },
	{ "perl", "perl",
	  "perl -MCompress::Zlib -e 'local $/; open F, \"<\", $ARGV[0]; $d = <F>;\n"
	  "Compress::Zlib::memGunzip(Compress::Zlib::memGzip($d)) eq $d or die' \"$1\"" },
	{ "git", "git",
	  "set -e; export GIT_CONFIG_GLOBAL=/dev/null; rm -rf \"$3.git\"; git init -q \"$3.git\"\n"
	  "cd \"$3.git\"; cp -r \"$3\" in; git add -A\n"
	  "git -c user.name=a -c user.email=a@b commit -qm 1; git log -p | cat; git gc -q" },
	{ "node", "node",
	  "node -e 'const z=require(\"zlib\"),d=require(\"fs\").readFileSync(process.argv[1]);\n"
	  "if (z.gunzipSync(z.gzipSync(d)).compare(d)) throw 1' \"$1\"" },
	{ "ruby", "ruby",
	  "ruby -rzlib -e 'd=File.binread(ARGV[0]);\n"
	  "Zlib::Inflate.inflate(Zlib::Deflate.deflate(d))==d or raise' \"$1\"" },
	{ "php", "php",
	  "php -r '$d=file_get_contents($argv[1]);\n"
	  "if (gzuncompress(gzcompress($d)) != $d) exit(1);' \"$1\"" },
	{ "tcl", "tclsh",
	  "echo 'set f [open [lindex $argv 0] rb]; set d [read $f]\n"
	  "if {[zlib gunzip [zlib gzip $d]] ne $d} {exit 1}' >\"$3.tcl\"; tclsh \"$3.tcl\" \"$1\"" },
};

#define CLIENT_CLOSE 0.9
enum {
	CLIENTS_NR = sizeof(clients) / sizeof(clients[0]),
	CLIENT_ROUNDS = 5,
	CLIENT_ROUNDS_CLOSE = 15,
};

static const char clients_script[] =
	"set -e; gzip -c \"$1\" >\"$2\"; rm -rf \"$3\"; mkdir -p \"$3\"; cp \"$1\" \"$3/large\"\n"
	"split -b 20000 -a 4 \"$1\" \"$3/small\"; tar -C \"$3\" -czf \"$3.tgz\" .";

/*
 * CPU with the preload of that without, the least of each; 0: it failed. Programs that leave all work to
 * software are within a few hundredths, so they get more rounds.
 */
static double client_ratio(const char *script, const char *const *files, const char *const *env,
			   int is_quick)
{
	const char *const argv[] = { "sh", "-c", script, "sh", files[0], files[1], files[2], NULL };
	double least[2] = { 0 };
	int rounds_nr = is_quick ? 1 : CLIENT_ROUNDS;

	for (int i = 0; i < rounds_nr; i++) {
		struct goal_spawn spawn = { .argv = argv };
		struct goal_cost cost;

		for (int is_ours = 0; is_ours < 2; is_ours++) {
			spawn.env = is_ours ? env : NULL;
			if (goal_spawn(&spawn, &cost))
				return 0;
			if (!i || cost.cpu_us < least[is_ours])
				least[is_ours] = cost.cpu_us;
		}
		if (i == CLIENT_ROUNDS - 1 && least[1] > least[0] * CLIENT_CLOSE)
			rounds_nr = CLIENT_ROUNDS_CLOSE;
	}
	return least[1] / least[0];
}

static void clients_cpu(const struct goal_run *run, struct goal_result *r)
{
	char plain[4200], packed[4200], folder[4200], preload[4300], command[4300];
	const char *const files[] = { plain, packed, folder };
	const char *const make[] = { "sh", "-c", clients_script, "sh", plain, packed, folder, NULL };
	const char *const env[] = { command, preload, NULL };
	const char *gzip = goal_program(run, "libz-wd/tools", "wd-gzip", BINDIR);
	const char *library = goal_library(), *worst = "";
	struct goal_spawn spawn = { .argv = make };
	size_t len, nr = 0, at = 0;
	uint8_t *data;

	if (!library || !gzip) {
		goal_skip(r, "%s is not found", library ? "wd-gzip" : "libz-wd.so");
		return;
	}
	snprintf(command, sizeof(command), "ZWD_GZIP=%s", gzip);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	snprintf(plain, sizeof(plain), "%s", goal_scratch("plain"));
	snprintf(packed, sizeof(packed), "%s", goal_scratch("packed.gz"));
	snprintf(folder, sizeof(folder), "%s", goal_scratch("folder"));
	data = goal_input(run, run->is_quick ? 4u << 20 : 16u << 20, &len);
	if (goal_write(plain, data, len) || goal_spawn(&spawn, NULL)) {
		goal_skip(r, "the input cannot be made");
		return;
	}
	r->value = 0;
	for (size_t i = 0; i < CLIENTS_NR; i++) {
		double ratio;

		if (!goal_has(clients[i].program))
			continue;
		ratio = client_ratio(clients[i].script, files, env, run->is_quick);
		if (ratio <= 0) {
			goal_note(r, "%s failed", clients[i].name);
			r->is_wrong = 1;
			return;
		}
		if (ratio > r->value) {
			r->value = ratio;
			worst = clients[i].name;
		}
		if (at < sizeof(r->note))
			at += (size_t)snprintf(r->note + at, sizeof(r->note) - at, "%s%s %.2f",
					       at ? " " : "", clients[i].name, ratio);
		nr++;
	}
	goal_anchor(r, "the worst of %zu: %s", nr, worst);
}

const struct goal goals_clients[] = {
	{ "clients-cpu", "programs with preload, by default", "of without", GOAL_AT_MOST, 1.01,
	  "CPU, by turns, least of each; the worst", "emu", "auto", clients_cpu },
	{ 0 },
};
