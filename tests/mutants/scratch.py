# SPDX-License-Identifier: Zlib
"""A copy of the sources, a build of it, and tests that run there: nothing else is touched."""
import os
import shutil
import signal
import subprocess
import time

# What a swapped or shortened argument list must not pass for.
FLAGS = '-O2 -Werror=incompatible-pointer-types -Werror=int-conversion'
SKIPPED = 77
LIBRARIES = ['libwd_core', 'libzwd_core', 'libz_wd']
LIBRARY = 'libz-wd/libz-wd.la'
# What scripts run.
TOOLS = ['libwd/libwdq.la', 'libz-wd/tools/wd-gzip', 'zwd']


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def is_same_file(a, b):
    if not os.path.exists(b):
        return False
    with open(a, 'rb') as one, open(b, 'rb') as other:
        return one.read() == other.read()


class Scratch:
    """tree/ and NAME/ in folder; the first follows source, the second is made with cflags."""

    def __init__(self, source, folder, name='bld', cflags=FLAGS):
        self.source = source
        self.tree = os.path.join(folder, 'tree')
        self.build = os.path.join(folder, name)
        self.cflags = cflags
        self.changed = None

    def follow(self):
        """The copy is what the source is; what a run before left in it is gone."""
        kept = set()
        for base, folders, files in os.walk(self.source):
            folders[:] = [f for f in folders if f not in ('.git', 'autom4te.cache', '__pycache__') and
                          not os.path.exists(os.path.join(base, f, 'config.status'))]
            to = os.path.join(self.tree, os.path.relpath(base, self.source))
            os.makedirs(to, exist_ok=True)
            for name in files:
                path, copy = os.path.join(base, name), os.path.join(to, name)
                kept.add(os.path.normpath(copy))
                if os.path.isfile(path) and not is_same_file(path, copy):
                    shutil.copyfile(path, copy)
                    shutil.copymode(path, copy)
        for base, _, files in os.walk(self.tree):
            for name in files:
                path = os.path.normpath(os.path.join(base, name))
                if path not in kept:
                    os.unlink(path)

    def make(self, *targets, quiet=True):
        """True: made."""
        out = subprocess.DEVNULL if quiet else None
        return subprocess.run(['make', '-s', *targets], cwd=self.build, stdout=out, stderr=out,
                              check=False).returncode == 0

    def prepare(self):
        self.follow()
        if not os.path.exists(os.path.join(self.build, 'config.status')):
            os.makedirs(self.build, exist_ok=True)
            subprocess.run([os.path.join(self.tree, 'configure'), '-q', 'CFLAGS=' + self.cflags],
                           cwd=self.build, check=True)
        if not self.make('all') or not self.make('check', 'TESTS='):
            raise SystemExit('mutants: the sources as they are cannot be built: see ' + self.build)

    def tests(self):
        out = subprocess.run(['make', '-s', 'print-tests'], cwd=self.build, check=True,
                             stdout=subprocess.PIPE, encoding='utf-8').stdout
        return out.split()

    # One file at a time is other than the source.

    def object_of(self, file):
        base, name = os.path.split(file)
        if base.startswith('libz-wd/tools'):
            return os.path.join(self.build, file[:-2] + '.o')
        # Named after the library where that has flags of its own; others may have the file, too.
        names = ['%s_la-%s.o' % (library, name[:-2]) for library in LIBRARIES] + [name[:-2] + '.o']
        paths = [os.path.join(self.build, base, '.libs', name) for name in names]
        return next((path for path in paths if os.path.exists(path)), paths[0])

    def change(self, file, text):
        """Compiles file with that text. None: it does not compile, False: to the same code."""
        obj = self.object_of(file)
        target = os.path.relpath(obj, self.build).replace('.libs/', '')
        target = target if file.startswith('libz-wd/tools') else target[:-2] + '.lo'
        path = os.path.join(self.tree, file)
        if self.changed != file:
            self.restore()
            stat = os.stat(path)
            self.changed = file
            self.saved = read(path), stat.st_mtime, obj, target
            self.latest = self.since = None
            shutil.copy2(obj, obj + '.saved')
        if self.latest and self.latest[0] == text:
            return self.latest[1]
        write(path, text)
        self.since = self.since or os.stat(path).st_mtime_ns
        differs = not is_same_file(obj, obj + '.saved') if self.make(target) else None
        self.latest = text, differs
        return differs

    def restore(self):
        """The object of before, too: nothing has to be compiled."""
        if not self.changed:
            return
        text, mtime, obj, target = self.saved
        path = os.path.join(self.tree, self.changed)
        write(path, text)
        os.utime(path, (mtime, mtime))
        os.replace(obj + '.saved', obj)
        own = {obj, os.path.join(self.build, target)}
        for file in own:
            os.utime(file)
        # What else was compiled from it, as fuzz_gzip has all of wd-gzip, would not be made again.
        for base, _, files in os.walk(self.build):
            for path in (os.path.join(base, name) for name in files if name.endswith(('.o', '.lo'))):
                if path not in own and os.stat(path).st_mtime_ns >= self.since:
                    os.unlink(path)
        self.changed = None

    def link(self):
        return self.make(LIBRARY)

    # A test's name is the one in TESTS, or a command with arguments.

    def programs_of(self, test):
        program = test.split()[0]
        if program.endswith('.t'):
            program = program[:-2].rsplit('.', 1)[0]
        if not program.endswith('.sh'):
            return [program]
        beside = program[:-3]
        return TOOLS + ([beside] if os.path.exists(os.path.join(self.build, beside)) else [])

    def command_of(self, test):
        words = test.split()
        if words[0].endswith('.t'):
            return ['sh', os.path.join(self.tree, 'tests/mode')] + words
        if words[0].endswith('.sh'):
            return ['sh', os.path.join(self.tree, words[0])] + words[1:]
        return ['./' + words[0]] + words[1:]

    def environment(self):
        env = dict(os.environ, top_srcdir=self.tree, top_builddir=self.build, srcdir=self.tree,
                   LIBZWD=os.path.join(self.build, 'libz-wd/.libs/libz-wd.so'),
                   WD_GZIP=os.path.join(self.build, 'libz-wd/tools/.libs/wd-gzip'))
        for line in read(os.path.join(self.build, 'Makefile')).splitlines():
            if line.startswith('SOFT_ZLIB_PATH = '):
                env['SOFT_ZLIB'] = line.split(' = ')[1]
        return env

    def run(self, test, limit_s):
        """Exit status, or None when it took longer, and the seconds. Programs are linked before."""
        # The library is a file beside the programs: those that only load it stay as they are.
        if not self.make('-o', LIBRARY, *self.programs_of(test)):
            raise SystemExit(f'mutants: {test}: its programs cannot be linked')
        begin = time.monotonic()
        with open(os.path.join(self.build, 'mutants.log'), 'wb') as log, \
             subprocess.Popen(self.command_of(test), cwd=self.build, env=self.environment(),
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              start_new_session=True) as process:
            try:
                status = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return status, time.monotonic() - begin
