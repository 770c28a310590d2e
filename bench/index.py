#!/usr/bin/env python3
"""The index made anew: how long it takes on a store of many objects, how much memory the daemon needs, and
what is answered meanwhile.

    bench/index.py [--objects 100000] [--work DIR] [--keep DIR]

Makes a collection of small items (one file of 100 to 400 bytes each), takes it in, and starts the daemon
with --rebuild-index: first with the old index serving reads, then without one. The store is warm: what was
written lies in the page cache. With --keep the data folder stays in DIR, and is used again when it is
there. The goals for 100,000 objects: under 90 s, under 256 MiB, reads answered meanwhile, and the new index
equal to the old."""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'e2e'))
sys.path.insert(0, str(ROOT / 'bench'))
os.environ.setdefault('VERSEMENT_BUILD', str(ROOT / 'build' / 'release'))
import harness  # noqa: E402
from main_job import make_collection  # noqa: E402

SECONDS_MAX, MIB_MAX = 90, 256
PART = 20000  # items of one deposit


class Reader(threading.Thread):
    """Asks for items as long as it is let; what is answered, and how fast."""

    def __init__(self, daemon, items):
        super().__init__(daemon=True)
        self.served, self.items, self.done = daemon, items, threading.Event()
        self.seconds, self.refused, self.estimates = [], 0, []

    def run(self):
        i = 0
        while not self.done.is_set():
            i = (i + 7919) % len(self.items)
            began = time.monotonic()
            try:
                status, fields, _ = self.served.request('GET', '/v1/items/' + self.items[i])
            except OSError:
                time.sleep(0.01)
                continue
            if status == 200:
                self.seconds.append(time.monotonic() - began)
            else:
                self.refused += 1
                self.estimates.append(int(fields.get('Retry-After', 0)))
            time.sleep(0.005)


class Bench(harness.EndToEnd):
    def runTest(self):
        pass

    def up(self, daemon, seconds=3600):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if daemon.process.poll() is not None:
                sys.exit('versementd ended: ' + daemon.log_text())
            try:
                if daemon.request('GET', '/readyz', token=False)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        sys.exit('versementd is not ready')

    def fill(self, daemon, objects):
        self.prepare(daemon)
        began = time.monotonic()
        for first in range(0, objects, PART):
            deposit = self.folder / 'deposit'
            make_collection(deposit, min(PART, objects - first), 200)
            table = deposit / 'metadata' / 'metadata.csv'
            table.write_text(re.sub(r'BENCH-(\d+)', lambda m: f'BENCH-{int(m[1]) + first:07}',
                                    table.read_text(encoding='utf-8')), encoding='utf-8')
            self.ingest(daemon, deposit)
            shutil.rmtree(deposit)
        print(f'{objects} items taken in, {time.monotonic() - began:.0f} s', flush=True)

    def rebuild(self, daemon, what, items):
        offset = os.path.getsize(str(daemon.data) + '.log') if os.path.exists(str(daemon.data) + '.log') else 0
        daemon.extra = ['--rebuild-index']
        reader = Reader(daemon, items)
        began = time.monotonic()
        daemon.start(wait=False)
        reader.start()
        self.up(daemon)
        seconds = time.monotonic() - began
        reader.done.set()
        reader.join()
        memory = daemon.rss_peak_mib()
        with open(str(daemon.data) + '.log', 'rb') as log:
            log.seek(offset)
            said = log.read().decode(errors='replace')
        compared = [line for line in said.splitlines() if 'the new index' in line]
        equal = any('equals the old one' in line for line in compared)
        answered = reader.seconds
        print(f'{what:24}{seconds:7.1f} s {memory:6.0f} MiB   {len(answered)} reads answered'
              + (f', median {statistics.median(answered) * 1000:.1f} ms, worst {max(answered) * 1000:.0f} ms'
                 if answered else '')
              + (f'; {reader.refused} refused, Retry-After {reader.estimates[0]} … {reader.estimates[-1]} s'
                 if reader.refused else '')
              + ('; equal to the old one' if equal else ''), flush=True)
        daemon.stop()
        return seconds, memory, equal, len(answered)

    def run_all(self, objects, keep):
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            self.folder.rmdir()
            self.folder = keep
        there = (self.folder / 'data').exists()
        daemon = harness.Daemon(self.folder / 'data', [self.folder])
        self.daemons.append(daemon)
        daemon.env['VERSEMENTD_LOG__ACCESS'] = 'false'
        daemon.start()
        self.up(daemon)
        if not there:
            self.fill(daemon, objects)
        items = [f'BENCH-{i:07}' for i in range(objects)]
        entries = daemon.get('/v1/status')['journal']['tree_size']
        daemon.stop()
        size = sum(f.stat().st_size for f in (daemon.data / 'index').iterdir())
        print(f'{objects} objects, {entries} journal entries, {size / 1e6:.0f} MB of index, '
              f'{os.cpu_count()} processors', flush=True)
        with_old = self.rebuild(daemon, 'old index serves', items)
        shutil.rmtree(daemon.data / 'index')
        without = self.rebuild(daemon, 'no index', items)
        good = (max(with_old[0], without[0]) < SECONDS_MAX and max(with_old[1], without[1]) < MIB_MAX
                and with_old[2] and with_old[3] > 0)
        print('goal reached' if good else 'GOAL MISSED')
        return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--objects', type=int, default=100_000)
    parser.add_argument('--work', default=None, help='folder to work in')
    parser.add_argument('--keep', type=pathlib.Path, help='folder in which the data stay')
    options = parser.parse_args()
    if options.work:
        tempfile.tempdir = options.work
    bench = Bench()
    bench.setUp()
    try:
        return 0 if bench.run_all(options.objects, options.keep) else 1
    finally:
        for daemon in bench.daemons:
            daemon.kill()
        if not options.keep:
            bench.doCleanups()


if __name__ == '__main__':
    sys.exit(main())
