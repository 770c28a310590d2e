#!/usr/bin/env python3
"""Validating bags: `versement bag validate` beside bagit-python, in turns, in the same run.

    bench/bagit.py [--large 200] [--small 100000] [--entries 1000000] [--rounds 3] [--work DIR]

Three bags: --large files of 1 to 20 MB (2,000 make 20 GB), --small files of 1 to 8 KB, and --entries empty
files for the memory that an entry needs, of which only our program is asked. SHA-512 in the manifests;
the files are in memory when the clock starts. Ratios are the peer's median time divided by ours: above 1
we are faster. The memory is the most that one process had (RSS). A bag of 0 files is left
out. The goal: at least twice as fast as the peer, less than 250 bytes an entry beyond the smallest bag and
less than 300 MiB for a million of them."""
import argparse
import hashlib
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('VERSEMENT_BUILD', ROOT / 'build' / 'release'))
BAGIT = ROOT / '.cache' / 'venv' / 'bin' / 'bagit.py'
FILES_A_FOLDER = 1000
ENTRY_BYTES_MAX = 250
MANY_MIB_MAX = 300
RATIO_MIN = 2


def make(bag, files, smallest, largest):
    """A bag of random bytes; the same every time."""
    rng = random.Random(7)
    block = rng.randbytes(largest + (1 << 20)) if largest else b''
    lines = []
    for i in range(files):
        path = f'data/{i // FILES_A_FOLDER:04}/file-{i:07}.bin'
        data = b''
        if largest:
            start, size = rng.randrange(1 << 20), rng.randint(smallest, largest)
            data = i.to_bytes(8, 'big') + block[start:start + size]
        if i % FILES_A_FOLDER == 0:
            (bag / path).parent.mkdir(parents=True)
        (bag / path).write_bytes(data)
        lines.append(f'{hashlib.sha512(data).hexdigest()}  {path}\n')
    if not files:
        (bag / 'data').mkdir(parents=True)
    (bag / 'bagit.txt').write_text('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')
    (bag / 'manifest-sha512.txt').write_text(''.join(lines))


def make_apart(*arguments):
    """In a process of its own: what a child had before its program began counts as its memory."""
    maker = multiprocessing.Process(target=make, args=arguments)
    maker.start()
    maker.join()
    assert maker.exitcode == 0


def run(command):
    """Seconds, seconds of processor, and the most memory in MiB. It must find the bag valid."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f'{command}: {said.decode(errors="replace")[-2000:]}')
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(bag):
    return [BUILD / 'versement', 'bag', 'validate', bag]


def compare(title, bag, rounds):
    """Prints the medians; returns the peer's time divided by ours, or None without the peer."""
    commands = {'versement': ours(bag)}
    if BAGIT.exists():
        commands['bagit-python'] = [BAGIT, '--quiet', '--validate', '--processes', '2', bag]
    run(commands['versement'])  # Into memory with it.
    taken = {who: [] for who in commands}
    for _ in range(rounds):  # In turns: what else the machine does meets all alike.
        for who, command in commands.items():
            taken[who].append(run(command))
    print(title)
    first = statistics.median(one[0] for one in taken['versement'])
    ratio = None
    for who, runs in taken.items():
        seconds = statistics.median(one[0] for one in runs)
        processor = statistics.median(one[1] for one in runs)
        ratio = seconds / first
        print(f'  {who:17} {seconds:7.2f} s  {processor:7.2f} s of processor  '
              f'{max(one[2] for one in runs):6.0f} MiB   ratio {ratio:5.2f}', flush=True)
    return ratio if len(taken) > 1 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--large', type=int, default=200)
    parser.add_argument('--small', type=int, default=100000)
    parser.add_argument('--entries', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--work', type=pathlib.Path)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix='versement-bench-', dir=options.work))
    good = True
    try:
        for name, files, smallest, largest in (('large', options.large, 1 << 20, 20 << 20),
                                               ('small', options.small, 1 << 10, 8 << 10)):
            if files:
                make_apart(work / name, files, smallest, largest)
                ratio = compare(f'{files} {name} files', work / name, options.rounds)
                good = good and (ratio is None or ratio >= RATIO_MIN)
                shutil.rmtree(work / name)
        if options.entries:
            make_apart(work / 'none', 0, 0, 0)
            make_apart(work / 'many', options.entries, 0, 0)
            least = run(ours(work / 'none'))[2]
            seconds, _, most = run(ours(work / 'many'))
            each = (most - least) * (1 << 20) / options.entries
            print(f'{options.entries} empty files\n  versement         {seconds:7.2f} s  {most:6.0f} '
                  f'MiB, {each:.0f} bytes an entry')
            good = good and each < ENTRY_BYTES_MAX and most < MANY_MIB_MAX
    finally:
        shutil.rmtree(work)
    print('goal reached' if good else 'GOAL MISSED')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
