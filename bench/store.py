#!/usr/bin/env python3
"""Durable storing of many files: the store beside `cp -a` + sync and rocfl + sync, one after the other
in the same run. Ratios are the peer's median time divided by ours: above 1 we are faster.

    bench/store.py [--scale 0.1] [--rounds 3] [--work DIR]

Large: 2,000 files of 1 to 20 MB; small: 20,000 files of 4 to 64 KB, times --scale. We take two digests
of each byte, write inventories, read everything back past the page cache and acknowledge each item when
it is durable; cp does none of it, rocfl takes one digest and syncs nothing by itself."""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROCFL = ROOT / '.cache' / 'rocfl' / 'bin' / 'rocfl'


def make(folder, files, low, high):
    rng = random.Random(7)
    block = rng.randbytes(1 << 24)
    total = 0
    for i in range(files):
        path = folder / f'{i // 500:03}' / f'f{i:06}.bin'
        path.parent.mkdir(parents=True, exist_ok=True)
        size = rng.randint(low, high)
        with open(path, 'wb') as out:
            out.write(i.to_bytes(8, 'little'))
            left = size - 8
            while left > 0:
                start = rng.randrange(0, 1 << 20)
                piece = block[start:start + min(left, (1 << 24) - (1 << 20))]
                out.write(piece)
                left -= len(piece)
        total += size
    return total


def clear(path):
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o700)
    shutil.rmtree(path, ignore_errors=True)
    os.sync()


def timed(action):
    os.sync()
    began = time.monotonic()
    action()
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scale', type=float, default=0.1)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--work', default=tempfile.gettempdir())
    options = parser.parse_args()
    program = ROOT / 'build' / 'release' / 'bench_store'
    work = pathlib.Path(tempfile.mkdtemp(prefix='bench-store-', dir=options.work))
    target = work / 'target'

    def copy(source):
        subprocess.run(['cp', '-a', source, target], check=True)
        os.sync()

    def rocfl(source):
        def run(*arguments):
            subprocess.run([ROCFL, '-r', target, *arguments], check=True, capture_output=True)
        subprocess.run([ROCFL, '-r', target, 'init'], check=True, capture_output=True)
        run('new', 'bench')
        run('cp', '-r', 'bench', f'{source}/.', '--', '/')
        run('commit', '-n', 'b', '-a', 'mailto:b@example.org', '-m', 'b', 'bench')
        os.sync()

    def ours(source, files_an_item, *flags):
        done = subprocess.run([program, target, source, str(files_an_item), *flags], check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    try:
        for name, count, low, high in (('large', 2000, 1 << 20, 20 << 20),
                                       ('small', 20000, 4 << 10, 64 << 10)):
            source = work / name
            total = make(source, max(int(count * options.scale), 10), low, high)
            files = sum(1 for p in source.rglob('*') if p.is_file())
            print(f'{name}: {files} files, {total / 1e6:.0f} MB, {os.cpu_count()} processors')
            runs = {'cp -a + sync': lambda: copy(source)}
            if ROCFL.exists():
                runs['rocfl + sync'] = lambda: rocfl(source)
            runs['store, items of 100 files'] = lambda: ours(source, 100)
            runs['store, items of 1 file'] = lambda: ours(source, 1)
            runs['  the same without read-back'] = lambda: ours(source, 1, '--no-read-back')
            took = {each: [] for each in runs}
            for _ in range(options.rounds):
                for each, action in runs.items():
                    took[each].append(timed(action))
                    clear(target)
            best = {each: statistics.median(times) for each, times in took.items()}
            for each, seconds in best.items():
                line = f'  {each:32}{seconds:8.2f} s {total / seconds / 1e6:8.0f} MB/s'
                line += f' {files / seconds:8.0f} files/s'
                if 'store' in each or 'same' in each:
                    line += f"   cp/this {best['cp -a + sync'] / seconds:5.2f}"
                    if 'rocfl + sync' in best:
                        line += f"   rocfl/this {best['rocfl + sync'] / seconds:5.2f}"
                print(line + f'   [{min(took[each]):.2f} .. {max(took[each]):.2f}]', flush=True)
            clear(source)
    finally:
        clear(work)


if __name__ == '__main__':
    main()
