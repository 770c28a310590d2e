"""What the tests of bags share: the program over many bags, and what must be the same afterwards."""
import hashlib
import json
import os
import pathlib
import re
import stat
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'e2e'))
sys.path.insert(0, str(HERE / 'cases'))
import harness  # noqa: E402

# Longer than the slowest of them under a sanitizer; what waits for a pipe waits for ever.
SECONDS_MAX = 120
BAGS_A_CALL = 60


def command(*arguments):
    return [str(harness.BUILD / 'versement'), 'bag', 'validate', '--json', *map(str, arguments)]


def run(bags, *options, prefix=()):
    """The report and exit status of one call."""
    done = subprocess.run([*map(str, prefix), *command(*options, *bags)], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=SECONDS_MAX)
    try:
        report = json.loads(done.stdout)
        report['bags'], report['exit_code']
    except (ValueError, KeyError):
        raise AssertionError(f'no report of {len(bags)} bags, status {done.returncode}: '
                             f'{done.stdout[-500:]!r} {done.stderr[-500:]!r}') from None
    return report, done.returncode


def run_one(bag, *options):
    """The answer about one bag; one that is no report is told as such."""
    try:
        report, _ = run([bag], *options)
        return report['bags'][0]
    except subprocess.TimeoutExpired:
        return {'verdict': 'hangs', 'findings': []}
    except (AssertionError, IndexError) as error:
        return {'verdict': f'no report: {error}', 'findings': []}


def judge(bags, *options):
    """{bag: answer}, in few calls. Where a call fails its bags are asked for one by one, so that one
    that hangs or crashes is named."""
    answers = {}
    for at in range(0, len(bags), BAGS_A_CALL):
        some = bags[at:at + BAGS_A_CALL]
        try:
            report, _ = run(some, *options)
            told = report['bags']
            if len(told) != len(some):
                raise AssertionError(f'{len(told)} answers to {len(some)} bags')
        except (subprocess.TimeoutExpired, AssertionError):
            told = [run_one(bag, *options) for bag in some]
        answers.update(zip(some, told))
    return answers


def codes_of(answer, severity=None):
    return {one['code'] for one in answer['findings'] if severity in (None, one['severity'])}


def word_of(answer):
    """The verdict in one word: "warning" is a valid one with a warning."""
    if answer['verdict'] == 'valid' and codes_of(answer, 'warning'):
        return 'warning'
    return answer['verdict']


def all_codes():
    """The codes that the program knows, from its table."""
    text = (harness.ROOT / 'bagit' / 'rules.cpp').read_text()
    return set(re.findall(r'^    \{"([a-z]+\.[a-z0-9-]+)",', text, re.M))


def snapshot(folder):
    """{path: what is seen of it}: kind, mode, size, times, content. Looking leaves no trace itself:
    all is opened with O_NOATIME. Only links have no access time here, since no way of reading one
    leaves it alone."""
    seen = {}

    def look(at, path):
        for name in sorted(os.listdir(at)):
            entry = os.stat(name, dir_fd=at, follow_symlinks=False)
            here = path + b'/' + os.fsencode(name)
            told = [entry.st_mode, entry.st_size, entry.st_mtime_ns, entry.st_ino]
            if not stat.S_ISLNK(entry.st_mode):
                told.append(entry.st_atime_ns)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME
            if stat.S_ISDIR(entry.st_mode):
                below = os.open(name, flags | os.O_DIRECTORY, dir_fd=at)
                look(below, here)
                os.close(below)
            elif stat.S_ISREG(entry.st_mode):
                with open(os.open(name, flags, dir_fd=at), 'rb') as file:
                    told.append(hashlib.sha256(file.read()).hexdigest())
            elif stat.S_ISLNK(entry.st_mode):
                told.append(os.readlink(name, dir_fd=at))
            seen[here] = tuple(told)

    top = os.stat(folder)
    seen[b''] = (top.st_mode, top.st_mtime_ns, top.st_atime_ns)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)
    look(at, b'')
    os.close(at)
    return seen


def remembers_access(folder):
    """Whether this file system notes down that a file was read."""
    probe = pathlib.Path(folder) / 'probe'
    probe.write_bytes(b'x')
    os.utime(probe, (1, 2))
    probe.read_bytes()
    noted = os.stat(probe).st_atime != 1
    probe.unlink()
    return noted
