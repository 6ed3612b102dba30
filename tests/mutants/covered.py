# SPDX-License-Identifier: Zlib
"""Which lines each test comes to, and how long it takes: collected once, in a build of its own."""
import json
import os
import re
import subprocess

import scratch

# Of other projects, of speed, or of files outside: they tell nothing of a line, or too late.
LEFT_OUT = ('tests/clients/', 'tests/bench/', 'tests/kernel/', 'tests/names/', 'tests/system/', 'tests/soak/',
            'tests/unit/kernel_', 'tests/unit/layers', 'tests/abi/callgrind', 'tests/abi/load',
            'tests/abi/versions', 'tests/queue/submit')

CODE = 'lines with code' # beside the tests


def objects(build, end):
    return [os.path.join(base, name) for base, _, files in os.walk(build.build) for name in files
            if name.endswith(end)]


def lines_of(build, end, least):
    """File to lines that were come to at least so often, by the counters in all files of that end."""
    counts = [os.path.relpath(path, build.build) for path in objects(build, end)]
    counts = [path for path in counts if path.startswith(('libwd/', 'libz-wd/'))]
    if not counts:
        return {}
    out = subprocess.run(['gcov', '--json-format', '--stdout'] + counts, cwd=build.build, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding='utf-8').stdout
    found = {}
    for line in out.splitlines():
        for file in json.loads(line)['files']:
            name = os.path.relpath(os.path.join(build.build, file['file']), build.tree)
            hit = {one['line_number'] for one in file['lines'] if one['count'] >= least}
            if name.endswith('.c') and hit:
                found[name] = sorted(hit | set(found.get(name, [])))
    return found


def collect(counting, build, test, limit_s):
    for old in objects(counting, '.gcda'):
        os.unlink(old)
    status, seconds = counting.run(test, limit_s)
    lines = lines_of(counting, '.gcda', 1)
    # Some tests are about what such a build does not do.
    if status not in (0, None):
        status, seconds = build.run(test, limit_s)
    print(f'{test}: {seconds:.1f} s, {sum(map(len, lines.values()))} lines, exit {status}', flush=True)
    return {'lines': lines, 'seconds': round(seconds, 1), 'status': status}


def read(source, folder, build, limit_s, names):
    """
    Test to lines and seconds, of those that names matches, without such as fail as it is or take longer;
    and file to lines that have code.
    """
    path = os.path.join(folder, 'covered.json')
    known = json.loads(scratch.read(path)) if os.path.exists(path) else {}
    tests = [t for t in build.tests() if not t.startswith(LEFT_OUT) and re.search(names, t)]
    missing = [t for t in tests if t not in known]
    if missing or CODE not in known:
        counting = scratch.Scratch(source, folder, 'covered', '-O0 --coverage -fprofile-update=atomic')
        counting.prepare()
    for test in missing:
        known[test] = collect(counting, build, test, limit_s)
        scratch.write(path, json.dumps(known))
    if CODE not in known:
        known[CODE] = lines_of(counting, '.gcno', 0)
        scratch.write(path, json.dumps(known))
    return {test: known[test] for test in tests if known[test]['status'] == 0}, known[CODE]
