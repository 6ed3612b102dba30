# SPDX-License-Identifier: Zlib
# Runs scenarios of the system test in QEMU.
# A line "counts REQUESTS BYTES" of the guest says what the devices must have had, exactly.
# WD_SYSTEM_KEEP names a folder that is given each guest's console. WD_SYSTEM_SLOW multiplies the limits.
# run.py KERNELS SERVER MODEL SCENARIO...; KERNELS are words SUITE=KERNEL=MODULES=BUILD, KERNEL of fetch.sh, MODULES of
# build.sh, BUILD the build folder of libraries and programs for it; SERVER is vfu-server, MODEL the object for QEMU.
# A scenario is a guest's shell script, with :SUITE behind its path where it runs another kernel; its lines "#: KEY VALUE" say what it needs:
#   device OPTIONS   one modelled device each, or a VF; as vfu-server has them
#   server FLAGS     of vfu-server
#   inside OPTIONS   one modelled device inside QEMU, with PASID and page requests
#   smpwc yes        and an IOMMU that says what Linux 7 asks of one before it shares page tables
#   expected REGEX   lines of the kernel's that are no problem here
#   counter NAME MIN [MAX]                         what the models must have counted in the end
#   kernel ARGUMENTS                               iommu ARGUMENTS  of QEMU's intel-iommu
#   module NAME...   that it loads
#   file FROM [TO]   program or data, libraries follow; {build}, {root}, {lib} and {arch} are what they are for that kernel
#   include NAME     of this folder, lies in the guest's root
#   memory BACKEND   of QEMU: memory-backend-ram has the server ask for each access
#   suite NAME       whose kernel it runs, of fetch.sh; stock where none is named
#   mix NAME MIB     a file for the guest; what gzip makes of it comes back by /dev/vda: length, and at 512 data
#   limit SECONDS    of wall clock                 requests N     that devices must have had at least
#   memory_mib N     of the guest, 512 where it is not said
#   numa yes         two nodes, with half of it and one processor each
import concurrent.futures
import glob
import json
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BAD = re.compile(r"BUG[: ]|WARNING:|Call Trace|Kernel panic|Oops|KASAN|general protection|DMAR: .*fault|"
                 r"INFO: t(ask|rying)|pagealloc:")
# Options, kernel arguments, and how QEMU ends when all went well or not: by what init writes to isa-debug-exit.
MACHINES = {
    "x86_64": (["-M", "q35", "-cpu", "max", "-device", "isa-debug-exit"],
               "console=ttyS0 no_timer_check", 0x10 << 1 | 1, 0x11 << 1 | 1),
    "aarch64": (["-M", "virt,gic-version=3,its=on", "-cpu", "neoverse-n1"],
                "console=ttyAMA0", 0, 0)}  # switches itself off
MEMORY = "memory-backend-memfd,share=on"  # by descriptor
# Of QEMU's IOMMU: for devices beyond vfio-user, and for those inside, which have PASIDs.
IOMMU = "intel-iommu,intremap=on,caching-mode=on"
IOMMU_INSIDE = "intel-iommu,intremap=on,scalable-mode=on,fsts=on,svm=on,pasid-bits=16,device-iotlb=on,aw-bits=48"
here = os.path.dirname(os.path.abspath(__file__))


def needs_of(path):
    needs = {}
    for line in open(path):
        if line.startswith("#: "):
            key, _, value = line[3:].strip().partition(" ")
            needs.setdefault(key, []).append(value)
            if key == "include":
                for more, values in needs_of(os.path.join(here, value)).items():
                    needs.setdefault(more, []).extend(values)
    return needs


class Modules:
    """Modules by name, and what each of them needs before it."""

    def __init__(self, folders):
        self.path = {}
        for folder in folders:
            for where, _, names in os.walk(folder):
                for name in names:
                    if name.endswith((".ko", ".ko.xz")):
                        self.path.setdefault(name.split(".")[0].replace("-", "_"), os.path.join(where, name))

    def read(self, name):
        path = self.path[name]
        return (lzma.open if path.endswith(".xz") else open)(path, "rb").read()

    def order(self, name, seen):
        if name in seen or name not in self.path:  # or it is part of this kernel
            return []
        seen.add(name)
        depends = re.search(rb"\0depends=([^\0]*)\0", self.read(name))
        names = depends.group(1).decode().replace("-", "_").split(",") if depends else []
        return [m for d in names if d for m in self.order(d, seen)] + [name]


class Archive:
    """An initramfs: the newc format of cpio."""

    def __init__(self):
        self.parts, self.known = [], set()

    def add(self, name, mode, data=b""):
        name = name.lstrip("/")
        if name in self.known:
            return
        self.known.add(name)
        if os.path.dirname(name):
            self.add(os.path.dirname(name), 0o40755)
        fields = [len(self.known), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = "070701" + "".join("%08X" % f for f in fields)
        for text in (head.encode() + name.encode() + b"\0", data):
            self.parts.append(text + b"\0" * (-len(text) % 4))

    def add_file(self, path, name=None):
        name = name or path
        self.add(name, 0o100000 | os.stat(path).st_mode & 0o777, open(path, "rb").read())

    def add_program(self, path, name, folders):
        """And what it names, its loader and libraries, which lie in folders; ours go to /usr/lib."""
        self.add_file(path, name)
        told = subprocess.run(["readelf", "-dl", path], capture_output=True, text=True).stdout
        for loader in re.findall(r"program interpreter: (\S+)\]", told):
            self.add_library(os.path.basename(loader), folders, loader)
        for library in re.findall(r"\(NEEDED\).*\[(\S+)\]", told):
            self.add_library(library, folders, "/usr/lib/" + library)

    def add_library(self, library, folders, name):
        if name.lstrip("/") not in self.known:
            paths = [os.path.join(folder, library) for folder in folders]
            self.add_program(next((path for path in paths if os.path.exists(path)), library), name, folders)

    def write(self, path):
        self.add("TRAILER!!!", 0)
        with open(path, "wb") as out:
            out.write(b"".join(self.parts))


def make_mix(path, kernel, mib):
    """Source, JSON, program code, noise and zeros, as much of each."""
    share, rng = (mib << 20) // 5, random.Random(1)
    source = b"".join(open(f, "rb").read() for f in sorted(glob.glob(here + "/../../*/*.c")))
    objects = ({"id": i, "name": "user%d" % rng.randrange(9999), "on": bool(i % 3)} for i in range(share // 45))
    parts = [(source * (share // len(source) + 1)), "\n".join(map(json.dumps, objects)).encode(),
             open(kernel + "/vmlinux", "rb").read(share + (8 << 20))[8 << 20:], rng.randbytes(share), bytes(share)]
    with open(path, "wb") as out:
        for part in parts:
            out.write(part[:share])


def check_mix(disk, mix, say):
    """Plain gzip makes the mix of what came back; or what is wrong."""
    data = open(disk, "rb").read()
    length = data[:512].strip(b"\0\n ").decode(errors="replace")
    if not length.isdigit() or not int(length):
        return ["no compressed mix came back"]
    back = subprocess.run(["gzip", "-dc"], input=data[512:512 + int(length)], stdout=subprocess.PIPE)
    with open(mix, "rb") as plain:
        same = back.returncode == 0 and back.stdout == plain.read()
    say("# the mix came back in %s bytes" % length)
    return [] if same else ["gzip does not make the mix of what came back"]


def make_initramfs(path, scenario, needs, kernel, modules, build, arch):
    root = kernel + "/root" if arch != os.uname().machine else ""
    lib = "%s/lib/%s-linux-gnu" % (root, arch)
    folders = [build + "/libwd/.libs", build + "/libz-wd/.libs", lib, root + "/usr" + lib[len(root):]]
    archive = Archive()
    archive.add_file(os.path.join(here, "init"), "init")
    archive.add_file(scenario, "scenario")
    for name in needs.get("include", []):
        archive.add_file(os.path.join(here, name), name)
    archive.add_file(kernel + "/root/bin/busybox", "bin/busybox")
    for folder in ("proc", "sys", "dev", "tmp", "root", "etc"):
        archive.add(folder, 0o40755)
    archive.add("etc/passwd", 0o100644, b"root:x:0:0:root:/root:/bin/sh\n")
    archive.add("etc/group", 0o100644, b"root:x:0:\nwd:x:100:\n")
    for name in " ".join(needs.get("module", [])).split():
        order = modules.order(name, set())
        for m in order:
            archive.add("modules/%s.ko" % m, 0o100644, modules.read(m))
        archive.add("modules/%s.order" % name, 0o100644, ("\n".join(order) + "\n").encode())
    for value in needs.get("file", []):
        source, _, target = value.format(build=build, root=root, lib=lib, arch=arch).partition(" ")
        archive.add_program(source, target or source, folders)
    if "mix" in needs:
        archive.add_file(path + ".mix", needs["mix"][0].split()[0])
    archive.write(path)


def stop(process, limit):
    """Ends what we started: by SIGTERM, then by SIGKILL."""
    process.terminate()
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def count_of(line, counted):
    """Adds what a model says at its end: names and numbers by turns, behind a colon."""
    words = line.split(": ", 1)[1].split()
    for name, value in zip(words[::2], words[1::2]):
        counted[name] = counted.get(name, 0) + int(value)


def wrong_counts(needs, counts, counted):
    """What the models counted, against what the guest counted, and against what the scenario says."""
    wanted = ["requests %s" % n for n in needs.get("requests", [])] + needs.get("counter", [])
    for name, least, *most in map(str.split, wanted):
        if not int(least) <= counted.get(name, 0) <= int((most or [1 << 62])[0]):
            yield "the models counted %s %d, and %s was wanted" % (name, counted.get(name, 0), " to ".join([least] + most))
    had = [counted.get("requests", 0), counted.get("bytes_in", 0)]
    if counts not in (None, had):
        yield "the guest counted %s, devices had %s" % (counts, had)


def memory_of(needs):
    """The guest's memory and processors, of one node or two."""
    mib = int(needs.get("memory_mib", ["512"])[0])
    backend = needs.get("memory", [MEMORY])[0]
    options = ["-m", "%dM" % mib]
    if "numa" not in needs:
        return options + ["-smp", "2", "-machine", "memory-backend=ram",
                          "-object", "%s,id=ram,size=%dM" % (backend, mib)]
    options += ["-smp", "2,sockets=2"]
    for node in range(2):
        options += ["-object", "%s,id=ram%d,size=%dM" % (backend, node, mib // 2),
                    "-numa", "node,nodeid=%d,cpus=%d,memdev=ram%d" % (node, node, node)]
    return options


def run(scenario, kernels, server, model, say):
    scenario, colon, suite = scenario.partition(":")
    needs = needs_of(scenario)
    kernel, module_folder, build = kernels[suite or needs.get("suite", ["stock"])[0]]
    arch = "aarch64" if os.path.exists(kernel + "/root/lib/aarch64-linux-gnu") else "x86_64"
    machine, arguments, good, bad = MACHINES[arch]
    name = os.path.splitext(os.path.basename(scenario))[0] + colon + suite
    limit = int(needs.get("limit", ["120"])[0]) * int(os.environ.get("WD_SYSTEM_SLOW", "1"))
    ours = not name.startswith(("mainline", "uacce"))
    modules = Modules([module_folder + "/" + ("ours" if ours else "mainline"), module_folder + "/tests",
                       kernel + "/modules"])
    work = tempfile.mkdtemp(prefix="wd-system-")
    start = time.time()
    if "mix" in needs:
        make_mix(work + "/initramfs.mix", kernel, int(needs["mix"][0].split()[1]))
        with open(work + "/disk", "wb") as disk:
            disk.truncate(64 << 20)
    make_initramfs(work + "/initramfs", scenario, needs, kernel, modules, build, arch)
    options = needs.get("device", [])
    inside = needs.get("inside", [])
    sockets = ["%s/device%d" % (work, i) for i in range(len(options))]
    serving = [server] + " ".join(needs.get("server", [])).split()
    serving += [word for pair in zip(sockets, options) for word in pair]
    device = subprocess.Popen(serving, stdout=subprocess.PIPE, text=True) if options else None
    if device:
        device.stdout.readline()
    environment = dict(os.environ)
    if inside:
        environment.update(WD_QEMU_PRELOAD=model, WD_MODEL=" ".join(inside))
    if "smpwc" in needs:
        environment["WD_MODEL_SMPWC"] = "1"
    command = [kernel + "/qemu"] + [word + ",la57=off" if inside and word == "max" else word for word in machine] + [
        "-accel", "tcg,thread=multi"] + memory_of(needs) + [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-serial", "file:" + work + "/console", "-serial", "stdio",
        "-kernel", kernel + "/vmlinux", "-initrd", work + "/initramfs",
        "-append", " ".join([arguments, "panic=-1"] + needs.get("kernel", []) +
                            ["cryptomgr.notests"] * (not name.startswith("mainline")))]  # they take a second of each boot
    if "iommu" in needs:
        command += ["-device", ",".join(
            [IOMMU_INSIDE if inside else IOMMU] + [w for w in needs["iommu"] if w])]
    command += ["-device", "hisi-zip"] * len(inside)
    if "mix" in needs:
        command += ["-drive", "file=" + work + "/disk,format=raw,if=virtio"]
    for path in sockets:
        command += ["-device", '{"driver":"vfio-user-pci","socket":{"path":"%s","type":"unix"},'
                               '"x-msg-timeout":60000}' % path]
    guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", env=environment)
    timer = threading.Timer(limit, stop, (guest, 5))
    timer.start()
    checks, failed, planned, skipped, counts, counted = 0, 0, None, 0, None, {}
    say("# ---- " + name)
    for line in guest.stdout:
        line = line.rstrip()
        say("%s%s" % ("" if line.startswith(("ok", "not ok")) else "# ", line))
        if re.match(r"(not )?ok ", line):
            checks += 1
            failed += line.startswith("not ")
            skipped += "# SKIP" in line
        if re.match(r"1\.\.\d+$", line):
            planned = int(line[3:])
        if line.startswith("counts "):
            counts = [int(word) for word in line.split()[1:]]
        if line.startswith("model: requests"):
            count_of(line, counted)
    status = guest.wait()
    timer.cancel()
    if device:
        stop(device, 10)
        for line in device.stdout:
            say("# " + line.rstrip())
            count_of(line, counted)
    open(work + "/console", "a").close()
    console = open(work + "/console", errors="replace").read()
    expected = re.compile("|".join(needs.get("expected", ["(?!)"])))
    problems = [line for line in console.splitlines() if BAD.search(line) and not expected.search(line)]
    if not (checks or problems or "/init" in console or (device and device.returncode)):
        say("# %s: after %d s its kernel had not come to /init" % (name, time.time() - start))
        shutil.rmtree(work)
        return None
    if device and device.returncode != 0:
        problems.append("vfu-server ended with %d" % device.returncode)
    if status != (bad if failed else good):
        problems.append("the guest ended with %d after %d s" % (status, time.time() - start))
    problems += wrong_counts(needs, counts, counted)
    if "mix" in needs:
        problems += check_mix(work + "/disk", work + "/initramfs.mix", say)
    if planned != checks:
        problems.append("%s checks were planned, %d came" % (planned, checks))
    if problems or failed:
        say("# console, its end:")
        for line in console.splitlines()[-60:]:
            say("#   " + line)
    for line in problems[:20]:  # one may be told thousands of times
        say("not ok - %s: %s" % (name, line))
    say("# %s: %d checks, %d failed, %d skipped, %d problems, %.1f s" %
          (name, checks, failed, skipped, len(problems), time.time() - start))
    if os.environ.get("WD_SYSTEM_KEEP"):
        shutil.copy(work + "/console", os.environ["WD_SYSTEM_KEEP"] + "/" + name + ".console")
    shutil.rmtree(work)
    return checks - failed - skipped, failed + len(problems), skipped


def run_printing(*args):
    """Guests run side by side; what each one says is printed as a whole. After TESTS_END none is begun."""
    if time.time() > float(os.environ.get("TESTS_END") or "inf"):
        print("# ---- %s: skipped, no time is left" % os.path.basename(args[0]), flush=True)
        return 0, 0, 1
    lines = []
    try:
        # Emulated processors on a busy machine may wait for ever as they start, before there is anything of ours.
        return run(*args, lines.append) or run(*args, lines.append) or (0, 1, 0)
    finally:
        print("\n".join(lines), flush=True)


def main():
    words, server, model = sys.argv[1:4]
    kernels = {suite: where for suite, *where in (word.split("=") for word in words.split())}
    # Half of their time they wait, so that two processors have work for three.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        totals = list(pool.map(lambda scenario: run_printing(scenario, kernels, server, model), sys.argv[4:]))
    passed, failed, skipped = (sum(column) for column in zip(*totals))
    skipped += int(os.environ.get("left_out", 0))  # scenarios that cannot run here
    print("system: %d scenarios, %d passed, %d failed, %d skipped" %
          (len(totals), passed, failed, skipped))
    return 1 if failed or not passed else 0


sys.exit(main())
