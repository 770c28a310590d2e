"""A disk that is really full: deposits are refused with a clear reason, what exists is audited and
handed over meanwhile, and the same deposit succeeds once there is space, without a restart."""
import json
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402


class FullDisk(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        place = self.folder / 'small'
        place.mkdir()
        if os.geteuid() != 0 or subprocess.run(
                ['mount', '-t', 'tmpfs', '-o', 'size=96m', 'none', place],
                capture_output=True).returncode != 0:
            self.skipTest('needs root and a tmpfs of its own')
        self.place = place
        self.addCleanup(subprocess.run, ['umount', '-l', place], capture_output=True)

    def deposit(self):
        folder = self.folder / 'inbox' / 'more'
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        rows = ['filename,identifier,dc.title,dc.rights,credit,owner']
        for i in range(300):
            (folder / f'objects/{i}.bin').write_bytes(random.Random(i).randbytes(40000))
            rows.append(f'objects/{i}.bin,F-{i:03},Scan {i},Free,Credit,Owner')
        (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
        return folder

    def free(self):
        space = os.statvfs(self.place)
        return space.f_bavail * space.f_frsize

    def test_a_deposit_waits_for_space(self):
        deposit = self.deposit()
        daemon = self.daemon(name='small/data', inboxes=[harness.EXAMPLE, self.folder / 'inbox'],
                             extra_env={'VERSEMENTD_DATA__MIN_FREE': '0'})
        receiver = self.prepare(daemon)
        self.ingest(daemon)
        self.offer(daemon)
        for left in (12 << 20, 3 << 20, 200 << 10, 0):
            with self.subTest(left=left):
                filler = self.place / 'filler'
                with open(filler, 'wb') as file:
                    try:
                        while self.free() > left:
                            file.write(b'\1' * min(1 << 16, max(4096, self.free() - left)))
                            file.flush()
                    except OSError:
                        pass
                done = self.run_versement(daemon, 'ingest', deposit, '--collection', 'collection')
                self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
                self.assertIn('free', done.stdout + done.stderr)
                # What exists is read and handed over meanwhile.
                self.assertEqual(daemon.request('GET', '/healthz', token=False)[0], 200)
                self.assertEqual(daemon.request('GET', '/v1/transfers/2026-V-001/bag.tar')[0], 200)
                filler.unlink()
                self.versement(daemon, 'audit', 'run')
        self.ingest(daemon, deposit)
        self.versement(daemon, 'audit', 'run')
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder / 'pulled', token=receiver)
        items = {i['id'] for i in daemon.all_of('/v1/items?limit=1000')}
        self.assertEqual(len(items), 315)
        daemon.stop()
        self.versement(None, 'store', 'check', daemon.data)
        self.versement(None, 'journal', 'verify', daemon.data)


if __name__ == '__main__':
    harness.main()
