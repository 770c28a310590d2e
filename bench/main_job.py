#!/usr/bin/env python3
"""The main job on a made collection: how long each step takes, how much memory the daemon needs, how
much sealing writes; beside it, what common tools need for the like on the same files.

    bench/main_job.py --files 10000 --size 65536
    bench/main_job.py --files 40 --size 100M

Needs what scripts/test needs (it uses tests/e2e/harness.py) and twice the collection's size on the
disk of --work. The bytes are pseudo-random from a fixed seed. Prints one line a step; the ratio is
the peer's time divided by ours."""
import argparse
import csv
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'e2e'))
os.environ.setdefault('VERSEMENT_BUILD', str(ROOT / 'build' / 'release'))
import harness  # noqa: E402

UNITS = {'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}


def size_of(text):
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def write_table(folder, names, files_an_item):
    """The deposit's metadata: so many files make an item."""
    (folder / 'metadata').mkdir(parents=True)
    with open(folder / 'metadata' / 'metadata.csv', 'w', newline='', encoding='utf-8') as out:
        table = csv.writer(out)
        table.writerow(['filename', 'identifier', 'dc.title', 'dc.date'])
        for i, name in enumerate(names):
            item = i // files_an_item
            table.writerow([name, f'BENCH-{item:07}', f'Scan {item}', '1994'])


def make_collection(folder, files, size, files_an_item=1):
    rng = random.Random(20261122)
    names = []
    for i in range(files):
        names.append(f'objects/{i // 1000:03}/scan {i:07}.bin')
        path = folder / names[-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, 'wb') as file:
            left = size
            while left:
                piece = min(left, 1 << 24)
                file.write(rng.randbytes(piece))
                left -= piece
    write_table(folder, names, files_an_item)


def io_written(daemon):
    for line in pathlib.Path(f'/proc/{daemon.process.pid}/io').read_text().splitlines():
        if line.startswith('write_bytes:'):
            return int(line.split()[1])
    raise AssertionError('no write_bytes')


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


class Bench(harness.EndToEnd):
    def runTest(self):
        pass

    def line(self, step, seconds, daemon=None, peer=None, note=''):
        rate = self.total / seconds / 1e6
        memory = f'{daemon.rss_peak_mib():7.0f} MiB' if daemon else ' ' * 11
        if daemon:  # the next step has its own peak
            pathlib.Path(f'/proc/{daemon.process.pid}/clear_refs').write_text('5')
        ratio = f'{peer / seconds:6.1f}x' if peer else ' ' * 7
        print(f'{step:28}{seconds:9.1f} s {rate:9.1f} MB/s {memory} {ratio}  {note}', flush=True)

    def run_all(self, files, size, files_an_item, peers):
        self.total = files * size
        collection = self.folder / 'collection'
        make_collection(collection, files, size, files_an_item)
        print(f'{files} files of {size} bytes, {files_an_item} an item, {self.total / 1e6:.0f} MB, {os.cpu_count()} processors')
        sums = None
        if peers:
            sums = timed(lambda: subprocess.run(
                'find objects -type f -print0 | xargs -0 sha512sum > ../sums', shell=True, check=True,
                cwd=collection))
            self.line('  peer: sha512sum', sums)
            made = self.folder / 'peer-bag'
            shutil.copytree(collection, made)
            bag = timed(lambda: subprocess.run(
                [str(ROOT / '.cache/venv/bin/bagit.py'), '--sha512', '--quiet', str(made)], check=True))
            self.line('  peer: bagit-python makes', bag)
            shutil.rmtree(made)
        else:
            bag = None
        daemon = self.daemon(inboxes=[self.folder])
        receiver = self.prepare(daemon)
        self.line('ingest', timed(lambda: self.ingest(daemon, collection)), daemon)
        self.line('audit run', timed(lambda: self.versement(daemon, 'audit', 'run')), daemon, sums,
                  'sha512sum of the same files / audit')
        self.versement(daemon, 'transfer', 'create', 'bench', '--agreement', 'agreement', '--title',
                       'Bench')
        self.versement(daemon, 'transfer', 'add', 'bench', '--collection', 'collection')
        before = io_written(daemon)
        took = timed(lambda: self.versement(daemon, 'transfer', 'seal', 'bench'))
        self.line('seal', took, daemon, bag,
                  f'{(io_written(daemon) - before) / 1e6:.1f} MB written; bagit-python makes / seal')
        self.versement(daemon, 'transfer', 'offer', 'bench')
        pulled = self.folder / 'pulled'
        self.line('pull, verified', timed(lambda: self.versement(
            daemon, 'pull', 'bench', '--to', pulled, token=receiver)), daemon)
        checked = None
        if peers:
            checked = timed(lambda: subprocess.run(
                [str(ROOT / '.cache/venv/bin/bagit.py'), '--validate', '--quiet', '--processes',
                 str(os.cpu_count()), str(pulled / 'bench')], check=True))
            self.line('  peer: bagit-python checks', checked)
        self.line('bag validate', timed(lambda: self.versement(
            None, 'bag', 'validate', pulled / 'bench')), None, checked,
            'bagit-python checks the same bag / bag validate')
        daemon.stop()
        self.line('start, index present', timed(daemon.start), daemon)
        daemon.stop()
        shutil.rmtree(daemon.data / 'index')
        self.line('start, index deleted', timed(daemon.start), daemon)
        daemon.stop()
        self.line('journal verify', timed(lambda: self.versement(
            None, 'journal', 'verify', daemon.data)))
        self.line('store check', timed(lambda: self.versement(None, 'store', 'check', daemon.data)))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=10000)
    parser.add_argument('--size', type=size_of, default=65536, help='bytes of each; 64K, 100M, 1G')
    parser.add_argument('--files-an-item', type=int, default=1)
    parser.add_argument('--work', default=tempfile.gettempdir(), help='folder to work in')
    parser.add_argument('--no-peers', action='store_true')
    options = parser.parse_args()
    tempfile.tempdir = options.work
    bench = Bench()
    bench.setUp()
    try:
        bench.run_all(options.files, options.size, options.files_an_item, not options.no_peers)
    finally:
        bench.doCleanups()


if __name__ == '__main__':
    main()
