#!/usr/bin/python3
# SPDX-License-Identifier: Zlib
"""What libz-wd does for programs as they are: CPU time without and with it, user and system, children included.

Run it in a build folder where the tests are built: ../bench/programs.py [--trials N] [--mb N] [NAME...]
Each program runs with its usual options and the library's defaults, in turn without and with the preload, on the
emulated device, whose own CPU time counts; the median of the trials is printed. Exit status: 0 no program takes
more CPU time with the preload than without, beyond what trials of the same kind differ by; 1 some do.
"""
import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PYTHON = "/usr/bin/python3"
# Name, what it does, command in the shell with the data in "data", and what is prepared before each trial.
PROGRAMS = [
    ("gzip", "compresses", "gzip -c data >out", ""),
    ("gzip -d", "decompresses", "gzip -dc data.gz >out", ""),
    ("pigz", "compresses", "pigz -c data >out", ""),
    ("pigz -d", "decompresses", "pigz -dc data.gz >out", ""),
    ("tar czf", "an archive of many files", "tar czf out files", ""),
    ("tar xzf", "and out of it", "mkdir dir; tar xzf files.tgz -C dir", "rm -rf dir"),
    ("python gzip", "level 6", PYTHON + " -c 'import gzip; gzip.compress(open(\"data\", \"rb\").read(), 6)'", ""),
    ("python gzip", "its default, level 9", PYTHON + " -c 'import gzip; gzip.compress(open(\"short\", \"rb\").read())'", ""),
    ("python zipfile", "an archive of many files", PYTHON + " -m zipfile -c out.zip files", "rm -f out.zip"),
    ("python gzip", "decompresses", PYTHON + " -c 'import gzip; gzip.open(\"data.gz\").read()'", ""),
    ("perl", "memGzip(), level 9", "perl -MCompress::Zlib -0777 -ne 'Compress::Zlib::memGzip($_)' data", ""),
    ("php", "gzencode()", "php -r 'gzencode(file_get_contents(\"data\"));'", ""),
    ("ruby", "Zlib.gzip", "ruby -rzlib -e 'Zlib.gzip(IO.binread(\"data\"))'", ""),
    ("tclsh", "zlib gzip", "echo 'set f [open data rb]; zlib gzip [read $f]' | tclsh", ""),
    ("git add", "many files", "git -C repo add -A", "rm -rf repo; cp -r files repo; git -C repo init -q"),
    ("git log -p", "of a packed history", "git -C packed log -p --stat >out", ""),
    ("git clone", "of a packed history", "git clone -q file://$PWD/packed clone", "rm -rf clone"),
    ("nginx", "gzip on, pages of 64 KiB", "", ""),
]


def prepare(folder, build, size):
    """The data: as tests/clients have them, made by mkmix."""
    def mkmix(kind, length, seed, name):
        with open(os.path.join(folder, name), "wb") as out:
            subprocess.run([os.path.join(build, "tests/clients/mkmix"), kind, str(length), str(seed)],
                           stdout=out, check=True)
    parts = [("text", 3), ("source", 2), ("json", 2), ("log", 3)]
    os.mkdir(os.path.join(folder, "files"))
    for nr, (kind, tenths) in enumerate(parts):
        mkmix(kind, size * tenths // 10, nr + 1, "part" + kind)
    for nr in range(300):
        mkmix(parts[nr % 4][0], 2000 + nr * 300, nr, "files/file%d.txt" % nr)
    git = "git -c user.name=a -c user.email=a@localhost -C packed"
    subprocess.run("cat part* >data; rm part*; head -c 4000000 data >short; gzip -k data; tar czf files.tgz files;"
                   "cp -r files packed; git -C packed init -q; %s add -A; %s commit -qm 1;"
                   "for f in packed/file1*; do tail -c 2000 data >>$f; done; %s commit -qam 2; git -C packed gc -q"
                   % (git, git, git), shell=True, cwd=folder, check=True, stderr=subprocess.DEVNULL)


def cpu_of(process):
    """CPU seconds of a process and the children that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, process.returncode


def run(command, folder, env):
    process = subprocess.Popen(["/bin/sh", "-c", "exec 2>err; " + command], cwd=folder, env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    seconds, code = cpu_of(process)
    if code:
        raise RuntimeError(command + ": " + open(os.path.join(folder, "err")).read())
    return seconds


def nginx(folder, env):
    """The server's CPU time for 1500 pages, sent one after the other on a connection of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.chmod(folder, 0o755)
    names = [name for name in env if name.startswith(("ZWD_", "WD_"))]
    temp = " ".join("%s_temp_path %s/tmp;" % (what, folder) for what in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(os.path.join(folder, "nginx.conf"), "w") as conf:
        conf.write("daemon off; worker_processes 1; pid %s/pid; error_log %s/error.log; %s user root;"
                   "events {} http { access_log off; %s gzip on; gzip_types *; keepalive_requests 100000;"
                   "server { listen 127.0.0.1:%d; root %s; } }"
                   % (folder, folder, " ".join("env %s;" % name for name in names), temp, port, folder))
    subprocess.run("head -c 65536 data >page.txt", shell=True, cwd=folder, check=True)
    server = subprocess.Popen(["nginx", "-e", folder + "/error.log", "-p", folder, "-c", folder + "/nginx.conf"],
                              env=env, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                client.connect()
                break
            except OSError:
                time.sleep(0.05)
        for _ in range(1500):
            client.request("GET", "/page.txt", headers={"Accept-Encoding": "gzip"})
            answer = client.getresponse()
            answer.read()
            if answer.getheader("Content-Encoding") != "gzip":
                raise RuntimeError("nginx: not compressed")
        client.close()
    finally:
        server.send_signal(signal.SIGQUIT)
    return cpu_of(server)[0]


def requests(path):
    """How many requests the device did, and the bytes that software worked on."""
    done = soft = 0
    if os.path.exists(path):
        for line in open(path):
            stats = json.loads(line)
            for direction in ("deflate", "inflate"):
                done += stats[direction]["hw_requests"]
                soft += stats[direction]["soft_in"]
    return done, soft


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=".", help="the build folder, this one")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--mb", type=int, default=16, help="MB of data, 16")
    parser.add_argument("name", nargs="*", help="programs, all")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    library = os.path.join(build, "libz-wd/.libs/libz-wd.so.1")
    if not os.path.exists(library):
        parser.error("there is no " + library)
    os.environ["PATH"] += ":/usr/sbin"
    unknown = set(args.name) - {row[0] for row in PROGRAMS}
    if unknown:
        parser.error("no program of this: " + " ".join(sorted(unknown)))
    worse = 0
    with tempfile.TemporaryDirectory(prefix="programs") as folder:
        prepare(folder, build, args.mb * 1000000)
        plain = {name: value for name, value in os.environ.items()
                 if not name.startswith(("ZWD_", "WD_")) and name not in ("LD_PRELOAD", "SOURCE_DATE_EPOCH")}
        plain["HOME"] = folder
        stats = os.path.join(folder, "stats")
        ours = dict(plain, LD_PRELOAD=library, WD_DEVICE="emu",
                    ZWD_GZIP=os.path.join(build, "libz-wd/tools/.libs/wd-gzip"))
        counted = dict(ours, ZWD_STATS="json:" + stats)
        print("%-15s %-25s %8s %8s %6s  %s" % ("program", "what", "without", "with", "", "done by"))
        for name, what, command, before in PROGRAMS:
            if args.name and name not in args.name:
                continue
            if not shutil.which(PYTHON if name.startswith("python") else name.split()[0]):
                print("%-15s %-25s not here" % (name, what))
                continue
            def once(env):
                subprocess.run(before + " ", shell=True, cwd=folder, check=True, env=plain)
                return nginx(folder, env) if name == "nginx" else run(command, folder, env)

            # Who did the work is asked in a run of its own: the file of statistics is no part of the cost.
            if os.path.exists(stats):
                os.unlink(stats)
            once(counted)
            seconds = {False: [], True: []}
            for trial in range(args.trials):
                for is_ours in (trial % 2 == 0, trial % 2 == 1):
                    seconds[is_ours].append(once(ours if is_ours else plain))
            without, preload = (statistics.median(seconds[key]) for key in (False, True))
            spread = max(seconds[False]) - min(seconds[False]) + 0.002
            done, soft = requests(stats)
            by = "device" if done else "software" if soft else "nobody"
            verdict = ""
            if preload > without + spread:
                verdict = "  MORE"
                worse += 1
            print("%-15s %-25s %7.3fs %7.3fs %5.0f%%  %s%s" % (
                name, what, without, preload, 100 * preload / without if without else 100, by, verdict), flush=True)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
