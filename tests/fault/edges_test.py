"""The edges of a service: a second daemon on its data folder, a disk that is not mounted, a clock that is
set back or forth, and a start that finds a hundred open intents.

The clock is that of libfaketime (Debian's package libfaketime), the intents are made with strace; without
them the tests that need them count as skipped."""
import datetime
import glob
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
import judges  # noqa: E402

FAKETIME = sorted(glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1'))
YEAR = 365 * 86400
HEADER = 'filename,identifier,dc.title,dc.rights,credit,owner'


def tree(folder):
    """All that is in a folder, to see whether something was made, changed or removed in it."""
    out = {}
    for path in sorted(folder.rglob('*')):
        info = path.lstat()
        out[str(path.relative_to(folder))] = (info.st_mode, info.st_size, info.st_mtime_ns)
    return out


def write_deposit(folder, names, title, size=3000):
    """Replaces what is there: one item for each name, with other bytes for another title."""
    if folder.exists():
        shutil.rmtree(folder)
    (folder / 'objects').mkdir(parents=True)
    (folder / 'metadata').mkdir()
    rows = [HEADER]
    for name in names:
        (folder / 'objects' / f'{name}.bin').write_bytes(
            random.Random(title + name).randbytes(size))
        rows.append(f'objects/{name}.bin,{name},{title} {name},Free,Credit,Owner')
    (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
    return folder


class Edges(harness.EndToEnd):
    def begin(self, daemon, folder, existing='refuse'):
        status, _, body = daemon.request('POST', '/v1/ingests', {
            'collection': 'collection', 'existing': existing,
            'source': {'type': 'inbox', 'path': str(folder)}})
        self.assertEqual(status, 202, body)
        return json.loads(body)['id']

    def is_busy(self, daemon, ingest):
        return daemon.get('/v1/ingests/' + ingest)['state'] in ('queued', 'running')

    def versementd(self, *arguments):
        """Runs to the end: a daemon that serves instead of refusing runs into the time limit."""
        return subprocess.run([harness.BUILD / 'versementd', *map(str, arguments)], timeout=10,
                              capture_output=True, text=True)

    def second(self, data, *flags):
        return self.versementd(*flags, '--data', data, '--listen',
                               f'127.0.0.1:{harness.free_port()}')

    def items(self, daemon):
        return {i['id']: i['head_version'] for i in daemon.all_of('/v1/items?limit=1000')}

    def events(self, daemon):
        """All entries of the journal; what the API calls their index must be their number."""
        out, after = [], ''
        while True:
            page = daemon.get('/v1/events?limit=1000' + after)
            out += page['items']
            if not page['more']:
                break
            after = f'&after={page["next_after"]}'
        self.assertEqual([e['index'] for e in out], list(range(len(out))))
        ids = [e['id'] for e in out]
        self.assertEqual(len(set(ids)), len(ids), 'an event id occurs twice')
        return out

    def assert_sound(self, data):
        self.versement(None, 'journal', 'verify', data)
        self.versement(None, 'store', 'check', data)
        self.assertEqual(judges.ocfl_py(data / 'store'), [])
        self.assertIn(judges.rocfl(data / 'store'), ([], None))
        self.assertEqual(judges.tlog(data / 'journal'), [])


class SecondDaemon(Edges):
    def setUp(self):
        super().setUp()
        self.first = self.daemon(inboxes=[harness.EXAMPLE, self.folder])
        self.prepare(self.first)

    def test_a_second_daemon_refuses_and_the_first_goes_on(self):
        self.ingest(self.first)
        there = self.items(self.first)
        for flags in ((), ('--init-if-empty',)):
            with self.subTest(flags=flags):
                before = tree(self.first.data)
                begun = time.monotonic()
                done = self.second(self.first.data, *flags)
                took = time.monotonic() - begun
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertLess(took, 2)
                self.assertIn(f'{self.first.data} is in use by another versementd', done.stderr)
                self.assertEqual(tree(self.first.data), before)
        self.assertEqual(self.first.request('GET', '/healthz', token=False)[0], 200)
        self.assertEqual(self.first.request('GET', '/readyz', token=False)[0], 200)
        self.ingest(self.first, write_deposit(self.folder / 'more', ['B-1', 'B-2'], 'More'))
        self.versement(self.first, 'audit', 'run')
        # The lock goes with the process, whatever its end.
        self.first.kill()
        self.assertTrue((self.first.data / 'LOCK').exists())
        second = harness.Daemon(self.first.data, [harness.EXAMPLE])
        self.daemons.append(second)
        second.start()
        self.assertEqual(self.items(second), {**there, 'B-1': 1, 'B-2': 1})
        self.versement(second, 'audit', 'run')
        second.stop()
        self.assert_sound(second.data)

    def test_of_many_at_once_one_serves(self):
        self.first.stop()
        for _ in range(3):
            rivals = [harness.Daemon(self.first.data, []) for _ in range(4)]
            self.daemons += rivals
            for rival in rivals:
                rival.start(wait=False)
            end = time.monotonic() + 10
            while time.monotonic() < end and sum(r.process.poll() is None for r in rivals) > 1:
                time.sleep(0.01)
            alive = [r for r in rivals if r.process.poll() is None]
            self.assertEqual(len(alive), 1)
            alive[0].wait_ready()
            self.assertEqual({r.process.returncode for r in rivals if r not in alive}, {4})
            for rival in rivals:
                rival.kill()
        self.assert_sound(self.first.data)

    def test_init_beside_a_daemon_changes_nothing(self):
        before = tree(self.first.data)
        for _ in range(2):  # The second time after kill -9: the folder is a data folder all the same.
            done = self.versementd('--init', '--data', self.first.data, '--origin', 'other.example/x')
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn(f'{self.first.data} is a data folder already, of archive.example/test',
                          done.stderr)
            if self.first.process:
                self.assertEqual(tree(self.first.data), before)
                self.assertEqual(self.first.request('GET', '/readyz', token=False)[0], 200)
                self.first.kill()
        self.first.start()
        self.ingest(self.first)

    def wait_published(self, daemon):
        """Until the store's copy of the head covers all events: it follows within a second or so."""
        size = len(self.events(daemon))
        end = time.monotonic() + 30
        head = daemon.data / 'store' / 'versement-head.txt'
        while int(head.read_text().split('\n')[1]) < size:
            self.assertLess(time.monotonic(), end, 'the journal is not published')
            time.sleep(0.05)

    def test_offline_commands_beside_a_daemon_at_rest(self):
        self.ingest(self.first)
        self.wait_published(self.first)
        before = tree(self.first.data / 'store')
        for _ in range(3):
            self.versement(None, 'store', 'check', self.first.data)
            self.versement(None, 'journal', 'verify', self.first.data)
        copy = self.folder / 'copy'
        done = self.run_versement(None, 'store', 'export', self.first.data, copy)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn(f'a versementd is running on {self.first.data}', done.stderr)
        self.assertIn('stop it', done.stderr)
        self.assertEqual(list(self.folder.glob('copy*')), [])
        self.assertEqual(tree(self.first.data / 'store'), before)
        self.first.kill()
        self.versement(None, 'store', 'export', self.first.data, copy)
        self.assertEqual(judges.ocfl_py(copy), [])

    def statuses_during_an_ingest(self, *command):
        folder = write_deposit(self.folder / 'scans', [f'S-{i:04}' for i in range(150)], 'Scan')
        ingest = self.begin(self.first, folder)
        done = []
        while self.is_busy(self.first, ingest):
            done.append(self.run_versement(None, *command, self.first.data))
        self.assertGreater(len(done), 1)
        return {(d.returncode, d.stdout[:300] if d.returncode else '') for d in done}

    def test_journal_verify_while_a_daemon_ingests(self):
        self.assertEqual(self.statuses_during_an_ingest('journal', 'verify'), {(0, '')})

    # What comes in meanwhile is neither missing nor unknown.
    def test_store_check_while_a_daemon_ingests_reports_no_damage(self):
        found = self.statuses_during_an_ingest('store', 'check')
        self.assertNotIn(1, {status for status, _ in found})


class Unmounted(Edges):
    """Part of the data folder, or all of it, is not there: this is never an empty store."""

    def setUp(self):
        super().setUp()
        daemon = self.daemon()
        self.prepare(daemon)
        self.ingest(daemon)
        self.there = self.items(daemon)
        daemon.stop()
        self.data = daemon.data
        self.aside = self.folder / 'aside'
        self.one = daemon

    def refused(self, *flags):
        """Standard error of a start that refuses and leaves the folder as it is."""
        before = tree(self.data)
        done = self.second(self.data, *flags)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(tree(self.data), before, 'the refused start changed something')
        return done.stderr

    def serves_all(self):
        self.one.start()
        self.assertEqual(self.items(self.one), self.there)
        self.versement(self.one, 'audit', 'run')
        self.one.stop()
        self.assert_sound(self.data)

    def part_away(self, part, instead):
        """Moves a part of the data folder away; in its place comes nothing, or an empty folder."""
        (self.data / part).rename(self.aside)
        if instead == 'empty':
            (self.data / part).mkdir()

    def part_back(self, part):
        if (self.data / part).exists():
            (self.data / part).rmdir()
        self.aside.rename(self.data / part)

    def test_an_empty_mount_point(self):
        self.data.rename(self.aside)
        self.data.mkdir()
        for lost_and_found in (False, True):
            if lost_and_found:
                (self.data / 'lost+found').mkdir()
            said = self.refused()
            self.assertIn(f'{self.data} is not a Versement data folder', said)
            self.assertIn('no versement.json', said)
            self.assertIn('Is the disk mounted?', said)
            self.assertIn('--init', said)
            for command in (('store', 'check'), ('journal', 'verify'), ('store', 'export')):
                to = [self.folder / 'copy'] if command[1] == 'export' else []
                done = self.run_versement(None, *command, self.data, *to)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(str(self.data), done.stderr)
        (self.data / 'lost+found').rmdir()
        self.data.rmdir()
        self.assertEqual(self.second(self.data).returncode, 4)
        self.assertFalse(self.data.exists(), 'a data folder that is not there was made')
        self.aside.rename(self.data)
        self.serves_all()

    def test_a_part_is_missing(self):
        for part in ('store', 'journal', 'evidence', 'work', 'secrets'):
            for instead in ('nothing', 'empty'):
                # Empty evidence is found by an audit of the index; empty work/ is right.
                if instead == 'empty' and part in ('evidence', 'work'):
                    continue
                for flags in ((), ('--init-if-empty',)):
                    with self.subTest(part=part, instead=instead, flags=flags):
                        self.part_away(part, instead)
                        try:
                            said = self.refused(*flags)
                            self.assertIn(str(self.data / part), said)
                            done = self.versementd('--init', '--data', self.data, '--origin',
                                                   'other.example/x')
                            self.assertEqual(done.returncode, 4, done.stderr)
                        finally:
                            self.part_back(part)
        self.serves_all()

    def test_a_part_is_missing_and_the_message_has_the_remedy(self):
        without = []
        for part in ('store', 'journal', 'evidence', 'work', 'secrets'):
            self.part_away(part, 'nothing')
            said = self.refused()
            self.part_back(part)
            if not re.search(r'mounted|[Rr]estore|[Mm]ake the folder', said):
                without.append(said)
        self.assertEqual(without, [])

    # Not even the lock is made.
    def test_a_part_is_missing_in_a_copy_without_the_lock(self):
        (self.data / 'LOCK').unlink()
        self.part_away('store', 'empty')
        self.refused()

    def test_quarantine_is_missing(self):
        self.part_away('quarantine', 'nothing')
        self.assertIn(f'mkdir {self.data}/quarantine', self.refused())

    def test_store_check_without_a_journal_could_not_check(self):
        self.part_away('journal', 'nothing')
        done = self.run_versement(None, 'store', 'check', self.data)
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_the_index_is_made_anew(self):
        for instead in ('nothing', 'empty'):
            with self.subTest(instead=instead):
                self.part_away('index', instead)
                self.serves_all()
                shutil.rmtree(self.aside)


@unittest.skipUnless(FAKETIME, 'libfaketime is not here (Debian: apt-get install libfaketime)')
class Clock(Edges):
    """The daemon's clock is set between its runs and while it runs; the tests' own clock is right."""

    def setUp(self):
        super().setUp()
        self.offset = self.folder / 'clock'
        self.set_clock(0)
        self.deposits = self.folder / 'inbox'
        self.deposits.mkdir()

    def set_clock(self, seconds):
        # Replaced in one step: the daemon may read it at any moment.
        new = self.folder / 'clock.new'
        new.write_text(f'{seconds:+}\n')
        new.rename(self.offset)

    def wrong_clock_daemon(self, **env):
        # The monotonic clock and the times of files stay: no clock that is set changes them.
        return self.daemon(inboxes=[harness.EXAMPLE, self.deposits], extra_env={
            'LD_PRELOAD': FAKETIME[0], 'FAKETIME_TIMESTAMP_FILE': str(self.offset),
            'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'NO_FAKE_STAT': '1', **env})

    def restart_at(self, daemon, seconds):
        daemon.stop()
        self.set_clock(seconds)
        daemon.start()
        shown = time.strptime(daemon.request('GET', '/healthz', token=False)[1]['Date'],
                              '%a, %d %b %Y %H:%M:%S %Z')
        expected = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        self.assertEqual(shown.tm_year, expected.year, 'the clock is not the one that was set')

    def take_in(self, daemon, name, names, title, *flags):
        self.versement(daemon, 'ingest', write_deposit(self.deposits / name, names, title),
                       '--collection', 'collection', *flags)

    def audit(self, daemon):
        """All that is there must be found and be right."""
        report = self.json_of(daemon, 'audit', 'run')
        shown = daemon.get('/v1/audits/' + report['id'])
        self.assertEqual(shown['verdict'], 'clean')
        return shown

    def order_of_journal(self, daemon):
        return [e['objects']['item'] for e in self.events(daemon)
                if e['type'] == 'ingestion' and e['objects']['version'] == 1]

    def created(self, data, slug):
        """Times of an item's versions, as its inventory has them."""
        for path in (data / 'store').glob('*/*/*/inventory.json'):
            inventory = json.loads(path.read_text())
            mets = next((p for s in inventory['versions'].values()
                         for d, ps in s['state'].items() if 'METS.xml' in ps
                         for p in inventory['manifest'][d]), None)
            if mets and f' OBJID="{slug}"' in (path.parent / mets).read_text():
                return [v['created'] for v in inventory['versions'].values()]
        raise AssertionError(f'{slug} is not in the store')

    def token(self, daemon, name, expires):
        file = self.folder / name
        self.versement(daemon, 'token', 'create', name, '--role', 'auditor', '--expires',
                       expires.strftime('%Y-%m-%dT%H:%M:%SZ'), '--out', file)
        return file

    def test_set_back_two_years_and_forth_thirty(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        a = [f'A-{i}' for i in range(7)]
        b = [f'B-{i}' for i in range(7)]
        c = [f'C-{i}' for i in range(7)]
        daemon = self.wrong_clock_daemon(VERSEMENTD_AUDIT__POLICY_INTERVAL='100ms')
        receiver = self.prepare(daemon)
        year = self.token(daemon, 'year', now + datetime.timedelta(days=365))
        self.versement(daemon, 'audit', 'policy', 'add', 'quarterly', '--interval', 'P90D')
        self.take_in(daemon, 'a', a, 'First')
        first_page = daemon.get('/v1/items?limit=5')

        self.restart_at(daemon, -2 * YEAR)
        self.versement(daemon, 'item', 'list', token=year)
        self.take_in(daemon, 'b', b, 'Second')
        # A page that was begun before goes on where it was; what is new comes behind.
        rest = daemon.get('/v1/items?limit=1000&cursor=' + first_page['next_cursor'])
        listed = [i['id'] for i in first_page['items'] + rest['items']]
        self.assertEqual(sorted(listed[:7]) + sorted(listed[7:]), a + b)
        self.assertEqual(listed, self.order_of_journal(daemon))
        self.take_in(daemon, 'a2', a[:2], 'Earlier', '--new-versions')
        self.offer(daemon)
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder / 'back', token=receiver)
        self.assertEqual(judges.bagit(self.folder / 'back' / '2026-V-001'), [])
        self.audit(daemon)

        self.restart_at(daemon, 30 * YEAR)
        # The token has ended, those without an end go on.
        status, _, body = daemon.request('GET', '/v1/items', token=year.read_text().strip())
        self.assertEqual((status, json.loads(body)['code']), (401, 'token-expired'))
        # Ninety days are over: the policy has all read again.
        for _ in range(500):
            audits = daemon.all_of('/v1/audits?limit=1000')
            if any(x.get('policy_id') == 'quarterly' and x['state'] == 'succeeded' for x in audits):
                break
            time.sleep(0.02)
        else:
            self.fail(f'the policy started no audit: {audits}')
        self.audit(daemon)
        self.take_in(daemon, 'a3', a[:2], 'Later', '--new-versions')
        self.take_in(daemon, 'c', c, 'Third')
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder / 'forth', token=receiver)
        self.assertEqual(judges.bagit(self.folder / 'forth' / '2026-V-001'), [])
        self.versement(daemon, 'transfer', 'accept', '2026-V-001', '--bag',
                       self.folder / 'forth' / '2026-V-001', '--accession', '2056/1', '--yes',
                       token=receiver)

        self.restart_at(daemon, 0)
        self.versement(daemon, 'item', 'list', token=year)
        self.take_in(daemon, 'a4', a[:1], 'Now', '--new-versions')
        self.offer(daemon, '2026-V-002')
        self.versement(daemon, 'pull', '2026-V-002', '--to', self.folder / 'now', token=receiver)
        self.assertEqual(judges.bagit(self.folder / 'now' / '2026-V-002'), [])
        report = self.audit(daemon)
        everything = {**dict.fromkeys(a + b + c, 1), a[0]: 4, a[1]: 3}
        self.assertEqual(self.items(daemon), everything)
        # The order is the journal's, whatever the times say.
        order = self.order_of_journal(daemon)
        self.assertEqual(order[:14], listed)
        self.assertEqual([i['id'] for i in daemon.all_of('/v1/items?limit=4')], order)
        events = self.events(daemon)
        times = [e['time'] for e in events]
        self.assertNotEqual(times, sorted(times), 'the clock was never set back')
        daemon.stop()

        years = [int(t[:4]) for t in self.created(daemon.data, a[0])]
        self.assertEqual([y - years[0] for y in years], [0, -2, years[2] - years[0], 0])
        self.assertGreater(years[2] - years[0], 28)
        self.assert_sound(daemon.data)
        # The index is made of the journal: with these times, too.
        shutil.rmtree(daemon.data / 'index')
        daemon.start()
        self.assertEqual(self.items(daemon), everything)
        self.assertEqual([i['id'] for i in daemon.all_of('/v1/items?limit=4')], order)
        self.assertEqual(self.events(daemon)[:len(events)], events)
        self.audit(daemon)
        print(f'{len(events)} events from {min(times)[:10]} to {max(times)[:10]}, '
              f'{len(everything)} items, audits {report["verdict"]}', flush=True)

    def test_set_while_the_daemon_works(self):
        """No wait depends on the time of day: what is due comes within seconds after each step."""
        # Without its cache libfaketime reads the file at each look at the clock.
        daemon = self.wrong_clock_daemon(FAKETIME_NO_CACHE='1')
        self.prepare(daemon)
        names = []
        for at, seconds in enumerate((-2 * YEAR, 30 * YEAR, -3600, 0)):
            with self.subTest(clock=seconds):
                more = [f'{"ABCD"[at]}-{i:03}' for i in range(30)]
                folder = write_deposit(self.deposits / f'd{at}', more, 'Scan')
                ingest = self.begin(daemon, folder)
                self.set_clock(seconds)
                end = time.monotonic() + 10
                while self.is_busy(daemon, ingest):
                    self.assertLess(time.monotonic(), end, 'the ingest does not end')
                    time.sleep(0.01)
                self.assertEqual(daemon.get('/v1/ingests/' + ingest)['state'], 'succeeded')
                names += more
                self.assertEqual(set(self.items(daemon)), set(names))
                # The public checkpoint follows within a second or so.
                size = daemon.get('/v1/events?limit=1')['tree_size']
                end = time.monotonic() + 5
                while int((daemon.data / 'journal' / 'checkpoint').read_text().split('\n')[1]) < size:
                    self.assertLess(time.monotonic(), end, 'the checkpoint stays behind')
                    time.sleep(0.02)
        self.audit(daemon)
        self.events(daemon)
        daemon.stop()
        self.assert_sound(daemon.data)

    # The ids of jobs begin with the time; their order is the journal's.
    def test_deposits_that_go_on_keep_their_order(self):
        daemon = self.wrong_clock_daemon()
        self.prepare(daemon)
        names = [f'A-{i:03}' for i in range(100)]
        self.take_in(daemon, 'zero', names, 'Zero')
        earlier = write_deposit(self.deposits / 'one', names, 'One', 200000)
        later = write_deposit(self.deposits / 'two', names, 'Two')
        jobs = [self.begin(daemon, earlier, existing='new_version')]
        daemon.kill()
        self.set_clock(-2 * YEAR)
        daemon.start()
        jobs.append(self.begin(daemon, later, existing='new_version'))
        daemon.kill()
        daemon.start()
        if not self.is_busy(daemon, jobs[0]):
            self.skipTest('the first deposit was done before the daemon was killed')
        while any(self.is_busy(daemon, job) for job in jobs):
            time.sleep(0.02)
        newest = {e['objects']['item']: e['objects']['job'] for e in self.events(daemon)
                  if e['type'] == 'ingestion'}
        self.assertEqual(set(newest.values()), {jobs[1]})

    # Else there would be no audit for thirty years.
    def test_what_was_checked_in_the_future_is_due(self):
        daemon = self.wrong_clock_daemon(VERSEMENTD_AUDIT__POLICY_INTERVAL='100ms')
        self.prepare(daemon)
        self.take_in(daemon, 'a', ['A-1'], 'First')
        self.restart_at(daemon, 30 * YEAR)
        self.audit(daemon)
        self.restart_at(daemon, 0)
        self.versement(daemon, 'audit', 'policy', 'add', 'hourly', '--interval', 'PT1H')
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if any(x.get('policy_id') == 'hourly' for x in daemon.all_of('/v1/audits?limit=1000')):
                return
            time.sleep(0.05)
        self.fail('the policy starts no audit')


class OpenIntents(Edges):
    """A hundred of them, each left by a process that was killed: half to complete, half to drop, half of
    either new objects and half further versions."""
    EACH = 25

    def setUp(self):
        super().setUp()
        if shutil.which('strace') is None or subprocess.run(
                ['strace', '-o', '/dev/null', 'true'], capture_output=True).returncode != 0:
            self.skipTest('strace is not here, or may not trace')
        self.deposits = self.folder / 'inbox'
        self.deposits.mkdir()
        self.stash = self.folder / 'stash'
        self.stash.mkdir()
        # commit_once stores into the collection "c".
        self.one = self.daemon(inboxes=[self.deposits])
        self.versement(self.one, 'collection', 'create', 'c', '--title', 'Collection', '--agency-id',
                       'sender', '--agency-name', 'Sender', '--owner', 'Owner', '--credit', 'Credit',
                       '--conditions', 'Free')
        self.old = [f'OLD-{i:03}' for i in range(2 * self.EACH)]
        write_deposit(self.deposits / 'old', self.old, 'First')
        self.versement(self.one, 'ingest', self.deposits / 'old', '--collection', 'c')
        self.one.stop()
        self.data = self.one.data

    def killed(self, call, path, name, flags):
        """Stores one item, is killed at the first such call on the path; the intent that is left goes to
        the stash, as the next process would not leave it open. Returns it."""
        folder = write_deposit(self.folder / 'deposit', [name], 'Second')
        done = subprocess.run(
            ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-P', path, '-e',
             f'trace={call}', '-e', f'inject={call}:signal=SIGKILL:when=1',
             harness.BUILD / 'commit_once', self.data, folder, 'tester', *flags],
            capture_output=True, text=True)
        left = list((self.data / 'work').glob('tx-*'))
        self.assertEqual(len(left), 1, done.stdout + done.stderr)
        self.assertNotIn('acknowledged', done.stdout)
        intent = json.loads((left[0] / 'intent.json').read_text())
        left[0].rename(self.stash / left[0].name)
        return intent

    def make_intents(self):
        """Name to intent, of those that must be completed and of those that must be dropped."""
        tail = self.data / 'journal' / 'tail-00000000000000000000'
        new = [f'NEW-{i:03}' for i in range(2 * self.EACH)]
        complete, drop = {}, {}
        for names, flags in ((new, ()), (self.old, ('--new-versions',))):
            for at, name in enumerate(names):
                if at % 2 == 0:  # All but the entry is done.
                    complete[name] = self.killed('pwrite64', tail, name, flags)
                else:  # The barrier, before anything moved into the root.
                    drop[name] = self.killed('fsync,syncfs', self.data / 'work', name, flags)
        for intents, there in ((complete, True), (drop, False)):
            for intent in intents.values():
                version = self.data / 'store' / intent['target'] / f'v{intent["version"]}'
                self.assertEqual(version.exists(), there)
        return complete, drop

    def seconds_to_start(self, data):
        one = harness.Daemon(data, [self.deposits])
        self.daemons.append(one)
        log = pathlib.Path(str(data) + '.log')
        log.unlink(missing_ok=True)
        begun = time.monotonic()
        one.start(wait=False)
        while b'"serving"' not in log.read_bytes():
            self.assertIsNone(one.process.poll(), one.log_text())
            self.assertLess(time.monotonic() - begun, 30)
            time.sleep(0.002)
        return time.monotonic() - begun, one

    def test_recovery_of_a_hundred(self):
        before = subprocess.run([harness.BUILD / 'commit_once', self.data], capture_output=True,
                                text=True, check=True).stdout
        complete, drop = self.make_intents()
        intents = len(complete) + len(drop)
        self.assertEqual(intents, 4 * self.EACH)
        none = min(self.stopped(self.seconds_to_start(self.data)) for _ in range(3))
        for staged in self.stash.iterdir():
            staged.rename(self.data / 'work' / staged.name)
        # Twice, as other programs use this machine's disk, too.
        copy = self.folder / 'copy'
        subprocess.run(['cp', '-a', self.data, copy], check=True)
        os.sync()
        some = self.stopped(self.seconds_to_start(copy))
        took, one = self.seconds_to_start(self.data)
        some = min(some, took)
        print(f'{intents} open intents: {some * 1000:.0f} ms to start, {none * 1000:.0f} ms with none: '
              f'{(some - none) * 1000:.0f} ms for the recovery', flush=True)
        self.assertLess(some, 10)

        warning = [line for line in pathlib.Path(str(self.data) + '.log').read_text().splitlines()
                   if 'in the middle of deposits' in line][-1]
        self.assertEqual({k: json.loads(warning)[k] for k in ('completed', 'dropped', 'quarantined')},
                         {'completed': str(len(complete)), 'dropped': str(len(drop)),
                          'quarantined': '0'})
        self.assertEqual(list((self.data / 'work').iterdir()), [])
        self.assertEqual(list((self.data / 'quarantine').iterdir()), [])
        expected = {line.split()[0]: 1 for line in before.splitlines()}
        self.assertEqual(set(expected), set(self.old))
        expected.update({name: intent['version'] for name, intent in complete.items()})
        self.assertEqual(self.items(one), expected)
        events = self.events(one)
        stored = {e['objects']['item']: e for e in events if e['type'] == 'ingestion'}
        for name, intent in complete.items():
            # The entry is the one that was announced, its id and time too.
            self.assertEqual({**stored[name], 'v': 1, 'index': 0}, {**intent['event'], 'index': 0})
        abandoned = [e for e in events if e['type'] == 'deposit abandoned']
        self.assertEqual(sorted(e['objects']['item'] for e in abandoned), sorted(drop))
        for event in abandoned:
            self.assertEqual(event['objects'], drop[event['objects']['item']]['event']['objects'])
            self.assertEqual(event['outcome'], 'failure')
        self.versement(one, 'audit', 'run')
        # What was dropped is stored again like any other deposit.
        write_deposit(self.deposits / 'again', [*complete, *drop], 'Second')
        self.versement(one, 'ingest', self.deposits / 'again', '--collection', 'c', '--new-versions')
        expected.update({name: intent['version'] for name, intent in drop.items()})
        self.assertEqual(self.items(one), expected)
        self.versement(one, 'audit', 'run')
        one.stop()
        self.assert_sound(self.data)

    def stopped(self, started):
        seconds, one = started
        one.stop()
        return seconds

    # The data folder's name may occur within the path of a file.
    def test_damage_is_told_by_its_whole_path(self):
        intent = self.killed('pwrite64', self.data / 'journal' / 'tail-00000000000000000000', 'NEW', ())
        for staged in self.stash.iterdir():
            staged.rename(self.data / 'work' / staged.name)
        path = 'v1/content/representations/master/data/NEW.bin'
        victim = self.data / 'store' / intent['target'] / path
        victim.chmod(0o644)
        victim.write_bytes(b'damaged')
        done = subprocess.run([harness.BUILD / 'commit_once', self.data.name], cwd=self.folder,
                              capture_output=True, text=True, check=True)
        self.assertIn('put into quarantine', done.stderr)
        self.assertIn(path, done.stderr)


if __name__ == '__main__':
    harness.main()
