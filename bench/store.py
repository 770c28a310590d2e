#!/usr/bin/env python3
"""Durable storing of many files: the store beside `cp -a` + sync and rocfl + sync, one after the other
in the same run. Ratios are the peer's median time divided by ours: above 1 we are faster.

    bench/store.py [--scale 0.1] [--rounds 5] [--only large|small] [--work DIR]

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
    shutil.rmtree(path)


def timed(action):
    os.sync()
    began = time.monotonic()
    action()
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scale', type=float, default=0.1)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', choices=['large', 'small'])
    parser.add_argument('--work', default=tempfile.gettempdir())
    options = parser.parse_args()
    program = ROOT / 'build' / 'release' / 'bench_store'
    work = pathlib.Path(tempfile.mkdtemp(prefix='bench-store-', dir=options.work))

    def copy(source, target):
        subprocess.run(['cp', '-a', source, target], check=True)
        os.sync()

    def rocfl(source, target):
        def run(*arguments):
            subprocess.run([ROCFL, '-r', target, *arguments], check=True, capture_output=True)
        subprocess.run([ROCFL, '-r', target, 'init'], check=True, capture_output=True)
        run('new', 'bench')
        run('cp', '-r', 'bench', f'{source}/.', '--', '/')
        run('commit', '-n', 'b', '-a', 'mailto:b@example.org', '-m', 'b', 'bench')
        os.sync()

    def ours(source, target, files_an_item, *flags):
        done = subprocess.run([program, target, source, str(files_an_item), *flags], check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    try:
        for name, count, low, high in (('large', 2000, 1 << 20, 20 << 20),
                                       ('small', 20000, 4 << 10, 64 << 10)):
            if options.only not in (None, name):
                continue
            source = work / name
            total = make(source, max(int(count * options.scale), 10), low, high)
            files = sum(1 for p in source.rglob('*') if p.is_file())
            print(f'{name}: {files} files, {total / 1e6:.0f} MB, {os.cpu_count()} processors')
            runs = {'cp -a + sync': lambda to: copy(source, to)}
            if ROCFL.exists():
                runs['rocfl + sync'] = lambda to: rocfl(source, to)
            for files_an_item in (100, 1):
                title = f'store, {files_an_item} to an item'
                runs[title] = lambda to, n=files_an_item: ours(source, to, n)
                runs[title + ', no read-back'] = (
                    lambda to, n=files_an_item: ours(source, to, n, '--no-read-back'))
            took = {each: [] for each in runs}
            for turn in range(options.rounds):
                for number, (each, action) in enumerate(runs.items()):
                    target = work / f'{name}-{turn}-{number}'
                    took[each].append(timed(lambda to=target, do=action: do(to)))
            best = {each: statistics.median(times) for each, times in took.items()}
            for each, seconds in best.items():
                line = f'  {each:36}{seconds:8.2f} s {total / seconds / 1e6:8.0f} MB/s'
                line += f' {files / seconds:8.0f} files/s'
                if each.startswith('store'):
                    line += f"   cp/this {best['cp -a + sync'] / seconds:5.2f}"
                    if 'rocfl + sync' in best:
                        line += f"   rocfl/this {best['rocfl + sync'] / seconds:5.2f}"
                print(line + f'   [{min(took[each]):.2f} .. {max(took[each]):.2f}]', flush=True)
    finally:
        clear(work)


if __name__ == '__main__':
    main()
