#!/usr/bin/env python3
"""Validating OCFL: `versement store check` beside rocfl and ocfl-py, in turns, in the same run.

    bench/check.py [--files 20000] [--rounds 3] [--work DIR]

One root of so many files in objects of ten, and one object of so many files; each file has 1 to 32 KB,
a SHA-512 in the manifest and a SHA-256 in the fixity block. Ratios are the peer's median time divided by
ours: above 1 we are faster. The memory is the most that a process had (RSS). The goal: twice as fast as
the faster peer, and less than 64 MiB."""
import argparse
import hashlib
import json
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
ROCFL = ROOT / '.cache' / 'rocfl' / 'bin' / 'rocfl'
OCFL_PY = ROOT / '.cache' / 'venv' / 'bin' / 'ocfl-root.py'
LAYOUT = '0003-hash-and-id-n-tuple-storage-layout'


def make_root(root):
    (root / 'extensions' / LAYOUT).mkdir(parents=True)
    (root / '0=ocfl_1.1').write_text('ocfl_1.1\n')
    (root / 'ocfl_layout.json').write_text(json.dumps({'extension': LAYOUT, 'description': 'bench'}))
    (root / 'extensions' / LAYOUT / 'config.json').write_text(json.dumps(
        {'extensionName': LAYOUT, 'digestAlgorithm': 'sha256', 'tupleSize': 2, 'numberOfTuples': 2}))


def make_object(root, name, files, rng, block):
    id_ = f'urn:bench:{name}'
    hash_ = hashlib.sha256(id_.encode()).hexdigest()
    folder = root / hash_[:2] / hash_[2:4] / id_.replace(':', '%3a')
    manifest, state, fixity = {}, {}, {}
    for i in range(files):
        path = f'{i // 500:03}/file-{i:06}.bin'
        start = rng.randrange(0, 1 << 20)
        data = f'{name} {i}'.encode() + block[start:start + rng.randint(1024, 32768)]
        place = folder / 'v1' / 'content' / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        digest = hashlib.sha512(data).hexdigest()
        manifest[digest] = [f'v1/content/{path}']
        state[digest] = [path]
        fixity[hashlib.sha256(data).hexdigest()] = [f'v1/content/{path}']
    inventory = json.dumps({
        'id': id_, 'type': 'https://ocfl.io/1.1/spec/#inventory', 'digestAlgorithm': 'sha512',
        'head': 'v1', 'manifest': manifest, 'fixity': {'sha256': fixity},
        'versions': {'v1': {'created': '2026-01-01T00:00:00Z', 'message': 'bench', 'state': state,
                            'user': {'name': 'bench', 'address': 'mailto:bench@example.org'}}}}).encode()
    (folder / '0=ocfl_object_1.1').write_text('ocfl_object_1.1\n')
    for place in (folder, folder / 'v1'):
        (place / 'inventory.json').write_bytes(inventory)
        (place / 'inventory.json.sha512').write_text(
            hashlib.sha512(inventory).hexdigest() + ' inventory.json\n')


def make(root, name, objects, files):
    rng = random.Random(7)
    block = rng.randbytes(1 << 21)
    make_root(root)
    for i in range(objects):
        make_object(root, f'{name}-{i}', files // objects, rng, block)


def run(command):
    """Seconds, seconds of processor, and the most memory in MiB. It must find everything valid."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or b'INVALID' in said:
        sys.exit(f'{command}: {said.decode()[-2000:]}')
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=20000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--work', type=pathlib.Path)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix='versement-bench-', dir=options.work))
    good = True
    try:
        for name, objects in (('many', options.files // 10), ('one', 1)):
            root = work / name
            # In a process of its own: what a child had before its program began counts as its memory.
            maker = multiprocessing.Process(target=make, args=(root, name, objects, options.files))
            maker.start()
            maker.join()
            assert maker.exitcode == 0
            commands = {'versement': [BUILD / 'versement', 'store', 'check', root],
                        'versement --fast': [BUILD / 'versement', 'store', 'check', '--fast', root],
                        'rocfl': [ROCFL, '-r', root, 'validate', '--level', 'Error'],
                        'ocfl-py': [OCFL_PY, 'validate', '--validate-objects', '--check-digests',
                                    '--quiet', '--root', root]}
            commands = {who: command for who, command in commands.items() if command[0].exists()}
            taken = {who: [] for who in commands}
            for _ in range(options.rounds):  # In turns: what else the machine does meets all alike.
                for who, command in commands.items():
                    taken[who].append(run(command))
            print(f'{options.files} files in {objects} object(s)')
            ours = statistics.median(one[0] for one in taken['versement'])
            peers = []
            for who, runs in taken.items():
                seconds = statistics.median(one[0] for one in runs)
                processor = statistics.median(one[1] for one in runs)
                memory = max(one[2] for one in runs)
                if who in ('rocfl', 'ocfl-py'):
                    peers.append(seconds / ours)
                print(f'  {who:17} {seconds:7.2f} s  {processor:7.2f} s of processor  {memory:6.0f} MiB   '
                      f'ratio {seconds / ours:5.2f}', flush=True)
            good = good and max(one[2] for one in taken['versement']) < 64
            good = good and (not peers or min(peers) >= 2)
    finally:
        shutil.rmtree(work)
    print('goal reached' if good else 'GOAL MISSED')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
