"""The index made anew while the daemon is asked: by an old index, without one, stopped and killed.

The daemon shares one processor with a process that never rests and counts for more, so that there is time to
ask it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import harness

ITEMS = 800
SOME = 100  # a part of it
PATIENCE = 120  # seconds for what takes some


class IndexTest(harness.EndToEnd):
    @classmethod
    def setUpClass(cls):
        """One store for all: each test has a copy."""
        cls.kept = harness.EndToEnd()
        cls.kept.setUp()
        cls.addClassCleanup(cls.kept.doCleanups)
        folder = cls.kept.folder / 'deposit'
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        rows = ['filename,identifier,dc.title']
        for i in range(ITEMS):
            (folder / 'objects' / f'{i}.txt').write_text(f'Sheet {i}')
            rows.append(f'objects/{i}.txt,S-{i:05},Sheet {i}')
        (folder / 'metadata' / 'metadata.csv').write_text('\n'.join(rows) + '\n')
        daemon = cls.kept.daemon(inboxes=[folder])
        cls.kept.prepare(daemon)
        cls.kept.ingest(daemon, folder)
        daemon.stop()

    def setUp(self):
        super().setUp()
        shutil.copytree(self.kept.folder / 'data', self.folder / 'data')
        self.served = harness.Daemon(self.folder / 'data', [])
        self.daemons.append(self.served)

    def start_slowly(self, *flags):
        cpu = min(os.sched_getaffinity(0))

        def before():
            os.sched_setaffinity(0, {cpu})
            os.nice(10)

        rival = subprocess.Popen([sys.executable, '-c', 'while True: pass'],
                                 preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        self.addCleanup(rival.wait)
        self.addCleanup(rival.kill)
        self.rival = rival
        self.served.extra = list(flags)
        self.served.start(wait=False, before=before)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                return self.served.is_starting()
            except OSError:
                self.assertIsNone(self.served.process.poll(), self.served.log_text())
                time.sleep(0.01)
        self.fail('it does not answer')

    def wait_up(self):
        self.rival.kill()
        self.served.wait_ready(PATIENCE)

    def logged(self, event):
        with open(str(self.served.data) + '.log', 'rb') as log:
            lines = [json.loads(line) for line in log if line.startswith(b'{')]
        return [line for line in lines if line['event'] == event]

    def begun(self):
        """The lines which say where the making of the index began."""
        return [line for line in self.logged('the index catches up with the journal') if 'from' in line]

    def ready(self):
        status, fields, body = self.served.request('GET', '/readyz', token=False)
        return status, fields, {check['name']: check for check in json.loads(body)['checks']}

    def refused(self, method, path, body=None):
        """The request is refused because of the start; returns the problem."""
        status, fields, answer = self.served.request(method, path, body)
        problem = json.loads(answer)
        self.assertEqual((status, problem['code'], problem['retryable']), (503, 'starting', True))
        self.assertGreaterEqual(int(fields['Retry-After']), 1)
        return problem

    def position(self):
        """How many entries the index has that is being made; nothing when it is done."""
        status, _, checks = self.ready()
        if status == 200 or checks['index']['status'] == 'ok':
            return None
        return int(checks['index']['detail'].split(':')[1].split()[0])

    def wait_position(self, least):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            position = self.position()
            self.assertIsNotNone(position, 'it was done before it could be stopped')
            if position >= least:
                return
            time.sleep(0.01)
        self.fail('the index does not get on')

    def expect_all(self):
        items = self.served.all_of('/v1/items?limit=1000')
        self.assertEqual(sorted(item['id'] for item in items), [f'S-{i:05}' for i in range(ITEMS)])
        self.assertFalse((self.served.data / 'index.old').exists())
        self.versement(self.served, 'collection', 'create', 'another', '--title', 'Another', '--agency-id',
                       'sender', '--agency-name', 'Sender')
        self.served.stop()
        self.versement(None, 'journal', 'verify', self.served.data)

    def test_the_old_index_answers_what_only_reads(self):
        self.assertTrue(self.start_slowly('--rebuild-index'), self.served.log_text())
        answered = 0
        while self.position() is not None:
            item = self.served.get(f'/v1/items/S-{answered * 37 % ITEMS:05}')
            self.assertEqual(item['file_count'], 1)
            answered += 1
            if answered == 3:
                self.assertEqual(self.served.request('GET', '/healthz', token=False)[0], 200)
                self.assertEqual(self.served.request('GET', '/v1/items', token='vrs_wrong')[0], 401)
                self.assertEqual(self.served.request('POST', '/v1/audits', {}, token='vrs_wrong')[0], 401)
                self.refused('POST', '/v1/audits', {})
                self.refused('DELETE', '/v1/tokens/01a20279-3ea1-7138-a740-baeff29f633c')
                status, fields, checks = self.ready()
                self.assertEqual((status, checks['store']['status']), (503, 'failed'))
                self.assertIn(' journal entries', checks['index']['detail'])
                self.assertIn('read_only', self.served.get('/v1/status'))
                _, _, metrics = self.served.request('GET', '/metrics')
                self.assertIn(b'versement_ready{check="index"} 0', metrics)
                self.assertRegex(metrics.decode(), r'versement_index_entries_behind [1-9]')
                content = self.served.get('/v1/items/S-00007/versions/1/files')['items'][0]['content_url']
                self.assertEqual(self.served.request('GET', content)[0], 200)
            if answered == 10:
                self.rival.kill()
        self.assertGreaterEqual(answered, 10)
        self.wait_up()
        self.assertTrue(self.logged('the new index equals the old one'))
        self.assertFalse(self.logged('the new index differs from the old one and takes its place'))
        self.expect_all()

    def test_without_an_index_it_says_how_long_it_takes(self):
        shutil.rmtree(self.served.data / 'index')
        self.assertTrue(self.start_slowly(), self.served.log_text())
        self.assertEqual(self.served.request('GET', '/healthz', token=False)[0], 200)
        self.wait_position(1)
        problem = self.refused('GET', '/v1/items')
        self.assertRegex(problem['detail'],
                         r'^the index is being built: \d+ of \d+ journal entries; about \d+ s are left$')
        self.refused('POST', '/v1/audits', {})
        self.refused('GET', '/metrics')
        said = self.run_versement(self.served, 'item', 'list')
        self.assertEqual(said.returncode, 4, said.stderr)
        self.assertIn('the index is being built', said.stderr)
        self.wait_up()
        self.expect_all()

    def test_a_stop_in_the_middle_is_gone_on_with(self):
        self.assertTrue(self.start_slowly('--rebuild-index'), self.served.log_text())
        self.wait_position(SOME)
        began = time.monotonic()
        self.served.stop()
        self.assertLess(time.monotonic() - began, 20)
        self.rival.kill()
        self.assertTrue((self.served.data / 'index.old').exists())
        self.served.extra = []
        begun = self.begun()
        self.served.start()
        # Nothing is said where few entries are left, which are fewer than all of them.
        for line in self.begun()[len(begun):]:
            self.assertGreaterEqual(int(line['from']), SOME)
        self.assertTrue(self.logged('the new index equals the old one'))
        self.expect_all()

    def test_a_kill_in_the_middle_costs_nothing_but_time(self):
        self.assertTrue(self.start_slowly('--rebuild-index'), self.served.log_text())
        self.wait_position(SOME)
        self.served.process.send_signal(signal.SIGKILL)
        self.served.kill()
        self.rival.kill()
        self.served.extra = []
        self.served.start()
        self.assertTrue(self.logged('the new index equals the old one'))
        self.expect_all()


if __name__ == '__main__':
    harness.main()
