#!/usr/bin/env python3
"""A package ready to be fetched, and its last byte at the receiver, beside the usual way, in the same run.

    bench/packages.py [--files 100000] [--size 4K-64K] [--files-an-item 100] [--rounds 3] [--work DIR]

The same files, log-normal sizes and random bytes, lie in our store and in a folder; both are in memory. In
each round the two take turns:

  ready    a transfer is sealed (POST seal until its job has ended, by the clock and by the job's own times),
           beside bagit-python with two processes that makes a bag of a fresh copy in place (not the copy's time)
  order    seal, offer, and bag.tar by curl to /dev/null, beside cp -a of the files (who orders keeps his),
           bagit-python, tar, and the tar by curl from nginx

What is compared is not the same work: bagit-python reads each byte for its manifest, we did so when the files
came in (the ingest is shown), and sealing believes what was verified within a week (agreements may say
less). Our bag has METS and PREMIS beside the payload, theirs has not. On the way out we compare each byte with
what was taken in; nginx compares nothing.

Before each turn the disk gets what the one before left to be written: else the seal, which waits for its own
bytes to be durable, waits for the peer's, which does not.

The figures are medians; a ratio is the peer's time divided by ours: above 1 we are faster. The bytes written
while a transfer is sealed are the kernel's count (/proc/PID/io) of the daemon, beside the size of what is
new in the store, which are the tag files. The disk of --work needs the files' size once for each round and
three times more.

The goals: ready at least twenty times and order at least ten times as fast as the peer; the first byte within
250 ms of the request that follows the seal; no byte of payload written."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime

from main_job import io_written, size_of, timed
from pull import ROOT, Bench, certificate, make_files

READY_MIN, ORDER_MIN, FIRST_BYTE_SECONDS_MAX = 20, 10, 0.25
BAGIT = ROOT / '.cache' / 'venv' / 'bin' / 'bagit.py'
ENDED = ('succeeded', 'failed', 'cancelled')
# Journal, index, the rows of bordereaux on their way, and each file's last page: beside the tag files.
WRITTEN_TIMES_MAX, WRITTEN_MORE_MAX = 3, 8 << 20


def files_of(folder):
    """Path and size of every file below."""
    return {os.path.join(where, name): os.lstat(os.path.join(where, name)).st_size
            for where, _, names in os.walk(folder) for name in names}


def own_seconds(job):
    first, last = (datetime.fromisoformat(job[at].replace('Z', '+00:00')) for at in ('created_at', 'finished_at'))
    return (last - first).total_seconds()


class Packages(Bench):
    tls = None

    def begin(self, name):
        self.versement(self.served, 'transfer', 'create', name, '--agreement', 'agreement', '--title', 'Bench')
        self.versement(self.served, 'transfer', 'add', name, '--collection', 'collection')

    def ask(self, method, path, status):
        got, _, body = self.served.request(method, path, body={} if method == 'POST' else None)
        if got != status:
            sys.exit(f'{method} {path}: {got} {body[:500]!r}')
        return json.loads(body)

    def seal_now(self, name):
        """Seconds until the job was seen to have ended, and its own."""
        began = time.monotonic()
        job = self.ask('POST', f'/v1/transfers/{name}/seal', 202)
        while job['state'] not in ENDED:
            time.sleep(0.005)
            job = self.served.get('/v1/jobs/' + job['id'])
        took = time.monotonic() - began
        if job['state'] != 'succeeded':
            sys.exit(f'the job: {job}')
        return took, own_seconds(job)

    def curl(self, address, token=None):
        command = ['curl', '-sSf', '-o', '/dev/null', address]
        subprocess.run(command + (['-H', 'Authorization: Bearer ' + token] if token else []), check=True)

    def ours(self, name):
        """Seconds: ready by the clock, by the job's own times, and the order. Bytes: written, and new in the store."""
        self.begin(name)
        os.sync()
        store = self.served.data / 'store'
        there, before = files_of(store), io_written(self.served)
        began = time.monotonic()
        ready, own = self.seal_now(name)
        written = io_written(self.served) - before
        self.ask('POST', f'/v1/transfers/{name}/offer', 200)
        self.curl(f'{self.served.address}/v1/transfers/{name}/bag.tar', self.token.read_text().strip())
        order = time.monotonic() - began
        new = {path: size for path, size in files_of(store).items() if path not in there}
        return ready, own, order, written, sum(new.values())

    def theirs(self, payload, bag, port):
        """Seconds: the bag, and the whole order with the copy before it and tar and nginx after it. The bag stays:
        what its removal leaves to the disk would meet the next round."""
        tar = self.folder / 'ready' / 'peer.tar'
        os.sync()
        copied = timed(lambda: subprocess.run(['cp', '-a', payload, bag], check=True))
        made = timed(lambda: subprocess.run([BAGIT, '--quiet', '--sha512', '--processes', '2', bag], check=True))
        sent = timed(lambda: (subprocess.run(['tar', '-cf', tar, '-C', self.folder, bag.name], check=True),
                              self.curl(f'http://127.0.0.1:{port}/peer.tar')))
        tar.unlink()
        return made, copied + made + sent

    def run_all(self, options):
        smallest, largest = (size_of(text) for text in options.size.split('-'))
        _, port, _ = self.nginx(certificate(self.folder), 1)
        collection = self.folder / 'deposit'
        make_files(collection, options.files, smallest, largest, options.files_an_item)
        self.served = self.daemon(inboxes=[self.folder])
        self.token = self.prepare(self.served)
        taken_in = timed(lambda: self.ingest(self.served, collection))
        payload = collection / 'objects'
        payload_bytes = sum(files_of(payload).values())
        print(f'{options.files} files, {payload_bytes / 1e6:.0f} MB, {options.files_an_item} an item, '
              f'{os.cpu_count()} processors\n  ingest, once {taken_in:8.2f} s  {self.served.rss_peak_mib():.0f} MiB',
              flush=True)
        self.served.stop()
        self.served.start()
        # What ingest wrote past the cache comes into memory; the peer's files are there already.
        self.ours('into-memory')
        ours, theirs = [], []
        for i in range(options.rounds):
            ours.append(self.ours(f'round-{i}'))
            theirs.append(self.theirs(payload, self.folder / f'peer-bag-{i}', port))
        ready, own, order, written, tags = (statistics.median(each) for each in zip(*ours))
        peer_ready, peer_order = (statistics.median(each) for each in zip(*theirs))
        ready_ratio, order_ratio = (statistics.median(b[j] / a[i] for a, b in zip(ours, theirs))
                                    for i, j in ((0, 0), (2, 1)))
        print(f'  ready  ours {ready:8.2f} s (the job {own:.2f} s)  bagit-python {peer_ready:8.2f} s  ratio {ready_ratio:6.2f}\n'
              f'  order  ours {order:8.2f} s  cp, bagit-python, tar, nginx {peer_order:8.2f} s  ratio {order_ratio:6.2f}\n'
              f'  written by sealing {written / 1e6:.1f} MB, of it tag files and their inventory {tags / 1e6:.1f} MB; '
              f'payload {payload_bytes / 1e6:.0f} MB  {self.served.rss_peak_mib():.0f} MiB', flush=True)
        path = '/v1/transfers/round-0/bag.tar'
        sealed = self.first_byte('sealed-last')
        self.served.stop()
        started = timed(self.served.start)
        after_start = self.drain(self.served.port, path, 1, 0, False, self.token)
        print(f'  first byte of bag.tar {sealed * 1000:.0f} ms after the request that follows the seal; '
              f'{after_start["first_byte"] * 1000:.0f} ms after that which follows a start (of {started * 1000:.0f} ms)',
              flush=True)
        payload_written = written > tags * WRITTEN_TIMES_MAX + WRITTEN_MORE_MAX
        return (ready_ratio >= READY_MIN and order_ratio >= ORDER_MIN and sealed <= FIRST_BYTE_SECONDS_MAX
                and not payload_written)

    def first_byte(self, name):
        self.begin(name)
        self.seal_now(name)
        self.ask('POST', f'/v1/transfers/{name}/offer', 200)
        return self.drain(self.served.port, f'/v1/transfers/{name}/bag.tar', 1, 0, False, self.token)['first_byte']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=100_000)
    parser.add_argument('--size', default='4K-64K', help='of the files: smallest-largest')
    parser.add_argument('--files-an-item', type=int, default=100)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--work', default=tempfile.gettempdir(), help='folder to work in')
    options = parser.parse_args()
    Bench.work = options.work
    bench = Packages()
    try:
        bench.setUp()
        good = bench.run_all(options)
    finally:
        bench.doCleanups()
    print('goal reached' if good else 'GOAL MISSED')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
