"""What a power cut, a killed process or a damaged disk leaves behind."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402

KILLS = int(os.environ.get('VERSEMENT_KILLS', '50'))
KILLS_A_STORE = 25


class Kill(harness.EndToEnd):
    def make_collection(self, items):
        folder = self.folder / 'scans'
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        rows = ['filename,dc.identifier,dc.title,dc.rights,credit,owner']
        for i in range(items):
            name = f'objects/scan-{i:04}.bin'
            # Some are long enough to be written past the page cache.
            size = (1_200_000 if i % 100 == 0 else 20_000) + i
            (folder / name).write_bytes(random.Random(i).randbytes(size))
            rows.append(f'{name},K-{i:04},Scan {i},Reproduction with credit,Credit,Owner')
        (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
        return folder

    def test_an_ingest_that_was_cancelled_is_not_begun_again_after_a_kill(self):
        daemon = self.daemon(inboxes=[self.make_collection(400)])
        self.prepare(daemon)
        status, _, body = daemon.request('POST', '/v1/ingests', {
            'collection': 'collection',
            'source': {'type': 'inbox', 'path': str(self.folder / 'scans')}})
        self.assertEqual(status, 202, body)
        job = json.loads(body)['id']
        status, _, body = daemon.request('POST', f'/v1/jobs/{job}/cancel', {})
        daemon.kill()  # Most times it still looks for a place to stop.
        self.assertEqual(status, 202, body)
        daemon.start()
        until = time.monotonic() + 30
        while daemon.get(f'/v1/jobs/{job}')['state'] == 'cancelling':
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        self.assertEqual(daemon.get(f'/v1/jobs/{job}')['state'], 'cancelled')
        self.assertLess(len(daemon.all_of('/v1/items')), 400)

    def test_killed_at_any_moment_of_an_ingest(self):
        """Each time: what was acknowledged is there and verified; in the end all is there."""
        chance = random.Random(20261122)
        kills = interrupted = items = stores = 0
        while kills < KILLS:
            # A new store now and then: looking at all that is there takes longer each time.
            stores += 1
            more = self.kill_in_one_store(stores, min(KILLS - kills, KILLS_A_STORE), chance)
            kills += more[0]
            interrupted += more[1]
            items += more[2]
            print(f'{kills} kills, {interrupted} of them within an ingest, {items} items', flush=True)
        self.assertGreater(interrupted, KILLS // 2, 'most kills fell outside of the ingest')

    def kill_in_one_store(self, number, kills_wanted, chance):
        items = 400
        folder = self.folder / 'scans'
        shutil.rmtree(folder, ignore_errors=True)  # The store before had other items at the last.
        self.make_collection(items)
        daemon = self.daemon(name=f'data-{number}', inboxes=[folder])
        self.prepare(daemon)
        (self.folder / 'receiver-token').unlink()
        acknowledged = set()
        status, _, body = daemon.request('POST', '/v1/ingests', {
            'collection': 'collection', 'source': {'type': 'inbox', 'path': str(folder)}})
        self.assertEqual(status, 202, body)
        ingest = json.loads(body)['id']
        kills = interrupted = 0
        rounds = 0
        while kills < kills_wanted:
            end = time.monotonic() + chance.uniform(0.005, 0.12)
            while time.monotonic() < end:
                page = daemon.get('/v1/items?limit=1000')
                acknowledged.update(i['id'] for i in page['items'])
            state = daemon.get('/v1/ingests/' + ingest)['state']
            daemon.kill()
            kills += 1
            interrupted += state not in ('succeeded', 'failed')
            daemon.start()
            there = {i['id'] for i in daemon.all_of('/v1/items?limit=1000')}
            self.assertEqual(acknowledged - there, set(), 'an acknowledged item is gone')
            if kills % 10 == 0:
                self.assertEqual(judges.ocfl_py(daemon.data / 'store'), [])
                self.versement(daemon, 'audit', 'run')
            if len(there) == items and kills < kills_wanted:
                # Finished before the kills were used up: once more, with other items.
                rounds += 1
                self.wait_done(daemon, ingest)
                ingest = self.another(daemon, folder, number * 1000 + rounds, items)
                items += 400
        self.wait_done(daemon, ingest)
        there = daemon.all_of('/v1/items?limit=1000')
        self.assertEqual(len(there), items)
        self.versement(daemon, 'audit', 'run')
        daemon.stop()
        self.assertEqual(judges.ocfl_py(daemon.data / 'store'), [])
        self.versement(None, 'store', 'check', daemon.data)
        self.versement(None, 'journal', 'verify', daemon.data)
        self.assertEqual(judges.tlog(daemon.data / 'journal'), [])
        return kills, interrupted, items

    def another(self, daemon, folder, round_, items):
        rows = ['filename,dc.identifier,dc.title,dc.rights,credit,owner']
        for i in range(400):
            name = f'objects/more-{round_}-{i:04}.bin'
            (folder / name).write_bytes(random.Random(items + i).randbytes(20000 + i))
            rows.append(f'{name},M-{round_}-{i:04},Scan {i},Reproduction with credit,Credit,Owner')
        for old in (folder / 'objects').iterdir():
            if not old.name.startswith(f'more-{round_}-'):
                old.unlink()
        (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
        status, _, body = daemon.request('POST', '/v1/ingests', {
            'collection': 'collection', 'source': {'type': 'inbox', 'path': str(folder)}})
        self.assertEqual(status, 202, body)
        return json.loads(body)['id']

    def wait_done(self, daemon, ingest):
        for _ in range(3000):
            state = daemon.get('/v1/ingests/' + ingest)['state']
            if state == 'succeeded':
                return
            self.assertIn(state, ('queued', 'running'))
            time.sleep(0.02)
        self.fail('the ingest does not end')


class Damage(harness.EndToEnd):
    """Each kind of damage in turn, each undone before the next."""

    def outcomes(self, daemon):
        done = self.run_versement(daemon, '--json', 'audit', 'run')
        report = json.loads(done.stdout)
        found = sorted((o['outcome'], o['path']) for o in
                       daemon.all_of(f"/v1/audits/{report['id']}/outcomes")
                       if o['outcome'] != 'verified')
        return done.returncode, found

    def test_every_damage_is_reported_as_what_it_is(self):
        daemon = self.daemon()
        self.prepare(daemon)
        self.ingest(daemon)
        self.assertEqual(self.outcomes(daemon), (0, []))
        store = daemon.data / 'store'
        files = [p for p in sorted(store.rglob('*')) if p.is_file() and '/urn%3a' in str(p)]
        chance = random.Random(3)
        contents = [p for p in files if '/content/' in str(p) and p.stat().st_size > 0]
        inventories = [p for p in files if p.name in ('inventory.json', 'inventory.json.sha512')]
        others = [p for p in files if p.name.startswith('0=')]
        victims = chance.sample(contents, 12) + chance.sample(inventories, 4) + others[:1]
        for victim in victims:
            # The path inside its object.
            parts = victim.relative_to(store).parts
            inside = '/'.join(parts[3:])
            good = victim.read_bytes()
            victim.chmod(0o600)
            for folder in (victim.parent,):
                folder.chmod(0o700)
            with self.subTest(damage='bit', file=inside):
                bad = bytearray(good)
                bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
                victim.write_bytes(bad)
                self.assertEqual(self.outcomes(daemon), (1, [('mismatch', inside)]))
            with self.subTest(damage='cut', file=inside):
                victim.write_bytes(good[:len(good) // 2])
                self.assertEqual(self.outcomes(daemon), (1, [('mismatch', inside)]))
            with self.subTest(damage='longer', file=inside):
                victim.write_bytes(good + b'\0')
                self.assertEqual(self.outcomes(daemon), (1, [('mismatch', inside)]))
            with self.subTest(damage='deletion', file=inside):
                victim.unlink()
                status, found = self.outcomes(daemon)
                self.assertEqual(status, 1)
                self.assertIn(('missing', inside), found)
                # What may come with it: a folder that is empty now.
                self.assertLessEqual({o for o, _ in found}, {'missing', 'unexpected'})
            victim.write_bytes(good)
            with self.subTest(damage='addition', file=inside):
                extra = victim.parent / 'extra'
                extra.write_bytes(b'x')
                self.assertEqual(self.outcomes(daemon),
                                 (1, [('unexpected', '/'.join(parts[3:-1] + ('extra',)))]))
                extra.unlink()
            self.assertEqual(self.outcomes(daemon), (0, []), inside)


if __name__ == '__main__':
    harness.main()
