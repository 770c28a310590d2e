"""Power cuts: the image of a file system is copied while a daemon on it stores deposits. The copy is
what a disk holds when the current fails: only what reached it. Mounted, its journal replayed, it must
have every item that was acknowledged before the cut, whole.

Needs loop devices and mkfs (else skipped). VERSEMENT_CUTS cuts for each file system (default 6)."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
import judges  # noqa: E402

CUTS = int(os.environ.get('VERSEMENT_CUTS', '6'))
ITEMS = 1500


def mounted(image, place):
    place.mkdir(exist_ok=True)
    # The copy of an XFS has the same UUID as the one that is mounted.
    options = 'loop,nouuid' if 'xfs' in subprocess.run(
        ['blkid', '-o', 'value', '-s', 'TYPE', image], capture_output=True, text=True).stdout \
        else 'loop'
    return subprocess.run(['mount', '-o', options, image, place], capture_output=True,
                          text=True).returncode == 0


def unmount(place):
    for _ in range(50):
        if subprocess.run(['umount', place], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f'{place} cannot be unmounted')


class PowerCut(harness.EndToEnd):
    def image(self, kind):
        if os.geteuid() != 0 or shutil.which('mkfs.' + kind) is None:
            self.skipTest(f'needs root and mkfs.{kind}')
        image = self.folder / (kind + '.img')
        with open(image, 'wb') as file:
            file.truncate(800 << 20)
        subprocess.run(['mkfs.' + kind, '-q', image], check=True, capture_output=True)
        if not mounted(image, self.folder / 'mnt'):
            self.skipTest('no loop device is to be had')
        self.addCleanup(subprocess.run, ['umount', '-l', self.folder / 'mnt'], capture_output=True)
        return image

    def deposit(self, number, new_text):
        folder = self.folder / 'inbox' / f'd{number}'
        if folder.exists():
            shutil.rmtree(folder)
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        rows = ['filename,identifier,dc.title,dc.rights,credit,owner']
        for i in range(ITEMS):
            name = f'objects/scan-{i:04}.bin'
            # Some are long enough to be written past the page cache.
            size = (1_200_000 if i % 300 == 0 else 4_000) + i
            (folder / name).write_bytes(random.Random(number * ITEMS + i).randbytes(size))
            rows.append(f'{name},C-{number}-{i:04},{new_text} {i},Reproduction with credit,Credit,'
                        'Owner')
        (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
        return folder

    def begin(self, daemon, folder, existing):
        status, _, body = daemon.request('POST', '/v1/ingests', {
            'collection': 'collection', 'existing': existing,
            'source': {'type': 'inbox', 'path': str(folder)}})
        self.assertEqual(status, 202, body)
        return json.loads(body)['id']

    def seen(self, daemon):
        return {i['id']: i['head_version'] for i in daemon.all_of('/v1/items?limit=1000')}

    def cut(self, daemon, image, number):
        """What was acknowledged, and a copy of the disk as it is at that moment."""
        acknowledged = self.seen(daemon)
        copy = self.folder / 'cut.img'
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            subprocess.run(['cp', '--sparse=always', image, copy], check=True)
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        after = self.folder / 'after'
        self.assertTrue(mounted(copy, after), 'the copy cannot be mounted')
        try:
            with self.subTest(cut=number):
                self.look_at(after / 'data', acknowledged, number)
        finally:
            unmount(after)
        return acknowledged

    def look_at(self, data, acknowledged, number):
        restarted = harness.Daemon(data, [self.folder / 'inbox'])
        restarted.start()
        try:
            there = self.seen(restarted)
            lost = {i: v for i, v in acknowledged.items() if there.get(i, 0) < v}
            self.assertEqual(lost, {}, 'acknowledged, and gone')
            self.versement(restarted, 'audit', 'run')
            restarted.stop()  # What it was storing again is stored or dropped.
        finally:
            restarted.kill()
            pathlib.Path(str(data) + '.log').unlink()
        self.versement(None, 'store', 'check', data)
        self.versement(None, 'journal', 'verify', data)
        if number % 5 == 0:
            self.assertEqual(judges.ocfl_py(data / 'store'), [])
            self.assertIn(judges.rocfl(data / 'store'), ([], None))

    def cuts(self, kind):
        (self.folder / 'inbox').mkdir()
        chance = random.Random(20261122)
        done = busy = items = number = 0
        while done < CUTS:
            # A fresh file system now and then: looking at all that is there takes longer each time.
            image = self.image(kind)
            daemon = self.daemon(name='mnt/data', inboxes=[self.folder / 'inbox'])
            self.prepare(daemon)
            # Half of the cuts meet new items, half further versions.
            for version, (text, existing) in enumerate(
                    (('Scan', 'refuse'), ('Other title', 'new_version')), 1):
                ingest = self.begin(daemon, self.deposit(number, text), existing)
                state = 'running'
                while done < CUTS and state in ('queued', 'running'):
                    time.sleep(chance.uniform(0, 0.15))
                    acknowledged = self.cut(daemon, image, done)
                    items += len(acknowledged)
                    busy += sum(acknowledged.values()) < version * ITEMS
                    done += 1
                    state = daemon.get('/v1/ingests/' + ingest)['state']
                while daemon.get('/v1/ingests/' + ingest)['state'] in ('queued', 'running'):
                    time.sleep(0.05)
            number += 1
            daemon.stop()
            unmount(self.folder / 'mnt')
            (self.folder / 'receiver-token').unlink()
        print(f'{kind}: {done} cuts, {busy} of them within an ingest, {items} acknowledged items '
              'looked up', flush=True)
        self.assertGreater(busy, CUTS // 4, 'most cuts fell outside of an ingest')

    def test_ext4(self):
        self.cuts('ext4')

    def test_xfs(self):
        self.cuts('xfs')


if __name__ == '__main__':
    harness.main()
