"""Who else has seen the journal: time authorities (openssl's), witnesses, and holders of older keys."""
import base64
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

CONFIG = '''
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[tsa_config]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
'''


class Authority:
    """A time authority as openssl makes one: a root, a certificate under it, `openssl ts -reply`."""

    def __init__(self, folder, name):
        self.folder = folder
        folder.mkdir()
        (folder / 'serial').write_text('01\n')
        (folder / 'config').write_text(CONFIG.format(name=name))
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                     '-keyout', 'root.key', '-out', 'root.pem', '-days', '3650', '-subj',
                     f'/CN={name} root', '-config', 'config', '-extensions', 'ca')
        self.openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                     '-keyout', 'tsa.key', '-out', 'tsa.csr', '-config', 'config')
        self.openssl('x509', '-req', '-in', 'tsa.csr', '-CA', 'root.pem', '-CAkey', 'root.key',
                     '-CAcreateserial', '-days', '3650', '-extfile', 'config', '-extensions', 'tsa',
                     '-out', 'tsa.pem')
        self.root = folder / 'root.pem'
        self.answer = self.reply  # What a request gets: status and body.
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.asked += 1
                body = self.rfile.read(int(self.headers['Content-Length']))
                kind = self.headers['Content-Type']
                status, answer = outer.answer(body) if kind == 'application/timestamp-query' else (400, b'')
                try:
                    self.send_response(status)
                    self.send_header('Content-Type', 'application/timestamp-reply')
                    self.send_header('Content-Length', str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # The daemon had heard enough.

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/tsa'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True)

    def reply(self, query):
        (self.folder / 'query').write_bytes(query)
        self.openssl('ts', '-reply', '-config', 'config', '-section', 'tsa_config', '-queryfile', 'query',
                     '-signer', 'tsa.pem', '-inkey', 'tsa.key', '-out', 'reply')
        return 200, (self.folder / 'reply').read_bytes()


class Stamps(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / 'authority', 'Horloge')
        self.addCleanup(self.authority.server.shutdown)

    def serve(self, *authorities, **settings):
        env = {'VERSEMENTD_JOURNAL__TIMESTAMP_URLS': ','.join(a.url for a in authorities),
               'VERSEMENTD_JOURNAL__TIMESTAMP_RETRY': '200ms', 'VERSEMENTD_JOURNAL__CHECKPOINT_DELAY': '50ms'}
        env |= {'VERSEMENTD_JOURNAL__' + name.upper(): value for name, value in settings.items()}
        return self.daemon(extra_env=env)

    def stamps(self, served):
        return [e for e in served.get('/v1/events?limit=1000')['items']
                if e['type'] == 'checkpoint timestamped']

    def wait_for(self, served, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.stamps(served)) < count:
            self.assertLess(time.monotonic(), end, served.log_text())
            time.sleep(0.05)
        return self.stamps(served)

    def verify(self, served, *flags, status=0):
        return self.json_of(None, 'journal', 'verify', served.data, *flags, status=status)

    def test_a_stamp_is_had_kept_and_verified(self):
        served = self.serve(self.authority)
        event, = self.wait_for(served, 1)
        time.sleep(1)
        self.assertEqual(len(self.stamps(served)), 1, 'one a day is enough')
        state, = served.get('/v1/status')['journal']['stamps']
        self.assertFalse(state['overdue'])
        served.stop()
        report = self.verify(served)
        self.assertEqual((report['stamps']['count'], report['stamps']['verified']), (1, 0))
        report = self.verify(served, '--authorities', self.authority.root)
        self.assertEqual(report['stamps']['verified'], 1)
        self.assertEqual(report['stamps']['by'], 'CN=Horloge')
        self.assertEqual(report['stamps']['size'], event['detail']['size'])
        # openssl says so, too, of the note and token as they stand in the entry.
        (self.folder / 'note').write_text(event['detail']['checkpoint'], encoding='utf-8')
        (self.folder / 'token').write_bytes(base64.b64decode(event['detail']['token']))
        done = subprocess.run(['openssl', 'ts', '-verify', '-data', 'note', '-in', 'token', '-token_in',
                               '-CAfile', self.authority.root], cwd=self.folder, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        # A restart asks for none before its time.
        asked = self.authority.asked
        served.start()
        time.sleep(1)
        self.assertEqual(self.authority.asked, asked)

    def test_what_is_owed_is_had_once_the_authority_is_back(self):
        self.authority.answer = lambda query: (503, b'')
        served = self.serve(self.authority)
        end = time.monotonic() + 20
        while self.authority.asked < 3:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        state, = served.get('/v1/status')['journal']['stamps']
        self.assertTrue(state['overdue'])
        self.assertIn('503', state['failure'])
        self.assertIn('versement_stamp_overdue{authority="' + self.authority.url + '"} 1',
                      served.request('GET', '/metrics')[2].decode())
        self.assertEqual(self.stamps(served), [])
        served.stop()  # It is owed after a restart, too.
        self.authority.answer = self.authority.reply
        served.start()
        self.wait_for(served, 1)
        self.assertIn('versement_stamp_overdue{authority="' + self.authority.url + '"} 0',
                      served.request('GET', '/metrics')[2].decode())

    def test_stamps_come_as_often_as_is_asked_for(self):
        served = self.serve(self.authority, timestamp_every='300ms')
        events = self.wait_for(served, 3)
        sizes = [event['detail']['size'] for event in events]
        self.assertEqual(sizes, sorted(set(sizes)))
        served.stop()
        self.assertGreaterEqual(
            self.verify(served, '--authorities', self.authority.root)['stamps']['verified'], 3)

    def test_an_authority_that_was_not_named_is_not_believed(self):
        other = Authority(self.folder / 'other', 'Autre')
        self.addCleanup(other.server.shutdown)
        served = self.serve(self.authority, other, timestamp_authorities=str(self.authority.root))
        self.wait_for(served, 1)
        while other.asked < 2:
            time.sleep(0.05)
        event, = self.stamps(served)
        self.assertEqual(event['detail']['authority'], self.authority.url)
        failure = served.get('/v1/status')['journal']['stamps'][1]['failure']
        self.assertIn('CN=Autre', failure)

    def test_no_answer_of_an_authority_does_harm(self):
        replies = [lambda q: (200, b''), lambda q: (200, b'rubbish' * 100), lambda q: (200, b'x' * 100_000),
                   lambda q: (302, b''), lambda q: self.authority.reply(b'rubbish'),
                   lambda q: (200, self.good[:-7])]
        served = self.serve(self.authority)
        self.wait_for(served, 1)
        served.stop()
        self.good = (self.authority.folder / 'reply').read_bytes()
        replies.append(lambda q: (200, self.good))  # Of an earlier request.
        for reply in replies:
            self.authority.answer = reply
            served = self.daemon(f'data-{replies.index(reply)}', extra_env=served.env)
            asked = self.authority.asked
            while self.authority.asked < asked + 1:
                time.sleep(0.05)
            time.sleep(0.2)
            self.assertEqual(self.stamps(served), [])
            state, = served.get('/v1/status')['journal']['stamps']
            self.assertTrue(state['failure'], replies.index(reply))
            served.stop()

    def test_an_authority_that_hangs_does_not_hold_up_the_end(self):
        begun, end = threading.Event(), threading.Event()
        self.addCleanup(end.set)

        def hang(query):
            begun.set()
            end.wait(60)
            return 200, b''
        self.authority.answer = hang
        served = self.serve(self.authority)
        self.assertTrue(begun.wait(20))
        before = time.monotonic()
        served.stop()
        self.assertLess(time.monotonic() - before, 10)


class Keys(harness.EndToEnd):
    """A journal that changes its key, and those who hold an older one."""

    def replace(self, served, status=0):
        done = subprocess.run([harness.BUILD / 'versementd', '--replace-journal-key', '--data', served.data],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_the_key_is_replaced(self):
        served = self.daemon()
        receiver = self.prepare(served)
        self.ingest(served)
        vkey = served.data / 'journal' / 'vkey'
        old, kept, proof = (self.folder / name for name in ('old', 'kept', 'proof'))
        old.write_bytes(vkey.read_bytes())
        kept.write_bytes((served.data / 'journal' / 'checkpoint').read_bytes())
        self.assertIn('in use', self.replace(served, status=4).stderr)
        served.stop()
        said = self.replace(served).stdout
        new = vkey.read_text().strip()
        self.assertNotEqual(new, old.read_text().strip())
        self.assertIn(new, said)
        self.assertEqual([p.name for p in (served.data / 'secrets').glob('journal.key*')], ['journal.key'])
        served.start()
        self.ingest(served)
        self.assertEqual(self.versement(served, 'journal', 'key').strip(), new)
        self.assertEqual(self.versement(served, 'journal', 'key', '--old', old, token=receiver).strip(), new)
        # A key that never was this journal's leads nowhere.
        other = self.daemon('other')
        self.versement(served, 'journal', 'key', '--old', other.data / 'journal' / 'vkey', status=1)
        journal = served.get('/v1/status')['journal']
        while served.get('/v1/status')['journal']['published_size'] < journal['tree_size']:
            time.sleep(0.02)  # The checkpoint over the replacement itself is signed by both.
        self.versement(served, 'journal', 'proof', '0', '--to', proof)
        self.versement(None, 'journal', 'check-proof', proof, '--key', vkey)
        self.versement(None, 'journal', 'check-proof', proof, '--key', old, status=1)
        served.stop()
        for key in (old, vkey):
            for checkpoint in (kept, served.data / 'journal' / 'checkpoint'):
                self.versement(None, 'journal', 'verify', served.data, '--key', key, '--checkpoint',
                               checkpoint)
        self.versement(None, 'journal', 'verify', served.data, '--key',
                       other.data / 'journal' / 'vkey', status=1)
        self.versement(None, 'store', 'check', served.data)
        self.replace(served)
        report = self.json_of(None, 'journal', 'verify', served.data, '--key', old, '--checkpoint', kept)
        self.assertEqual(report['key'], vkey.read_text().strip())

    def test_public_key_and_marker_must_be_those_of_the_journal(self):
        served = self.daemon()
        other = self.daemon('other')
        other.stop()
        served.stop()
        vkey = served.data / 'journal' / 'vkey'
        right = vkey.read_bytes()
        vkey.unlink()
        served.start()  # It is written anew.
        self.assertEqual(vkey.read_bytes(), right)
        served.stop()
        vkey.chmod(0o644)
        vkey.write_bytes((other.data / 'journal' / 'vkey').read_bytes())
        served.start()
        ready = served.get('/v1/status')
        self.assertIn('is not the public key of', ready['read_only'])
        served.stop()
        vkey.write_bytes(right)
        marker = served.data / 'versement.json'
        marker.chmod(0o644)
        marker.write_text(marker.read_text().replace('archive.example/test', 'archive.example/else'))
        served.start()
        self.assertIn('archive.example/else', served.get('/v1/status')['read_only'])
        served.stop()
        report = self.json_of(None, 'journal', 'verify', served.data, status=1)
        self.assertEqual([f['code'] for f in report['findings']], ['journal-origin'])


class Witness(harness.EndToEnd):
    """The receiving archive as a witness: it cosigns, and never goes back."""

    def setUp(self):
        super().setUp()
        self.key, self.last, self.public = (self.folder / n for n in ('witness.key', 'last', 'witness.pub'))
        self.public.write_text(self.versement(None, 'journal', 'new-witness', self.key, '--name',
                                              'archives.example/witness'))
        self.served = self.daemon(extra_env={
            'VERSEMENTD_JOURNAL__WITNESSES': self.public.read_text().strip(),
            'VERSEMENTD_JOURNAL__CHECKPOINT_DELAY': '50ms'})
        self.receiver = self.prepare(self.served)
        self.vkey = self.folder / 'vkey'
        self.vkey.write_bytes((self.served.data / 'journal' / 'vkey').read_bytes())

    def cosign(self, status=0):
        return self.run_versement(self.served, 'journal', 'cosign', '--witness', self.key, '--key',
                                  self.vkey, '--last', self.last, token=self.receiver)

    def published(self, size):
        while self.served.get('/v1/status')['journal']['published_size'] < size:
            time.sleep(0.02)

    def test_a_receiver_cosigns_as_the_journal_grows(self):
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        for _ in range(2):
            self.ingest(self.served)
            self.published(self.served.get('/v1/status')['journal']['tree_size'])
            done = self.cosign()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('cosigned', done.stdout)
        self.served.stop()
        report = self.json_of(None, 'journal', 'verify', self.served.data, '--witness', self.public)
        self.assertEqual((report['cosignatures']['count'], report['cosignatures']['verified']), (2, 2))
        self.assertEqual(report['cosignatures']['by'], 'archives.example/witness')
        # What the witness kept is a checkpoint that the journal must have as its beginning.
        self.versement(None, 'journal', 'verify', self.served.data, '--checkpoint', self.last)
        stranger = self.folder / 'stranger.key'
        public = self.versement(None, 'journal', 'new-witness', stranger, '--name',
                                'archives.example/witness')
        (self.folder / 'stranger.pub').write_text(public)
        report = self.json_of(None, 'journal', 'verify', self.served.data, '--witness',
                              self.folder / 'stranger.pub', status=1)
        self.assertEqual({f['code'] for f in report['findings']}, {'journal-cosignature'})

    def test_a_history_rewritten_by_the_holder_of_the_key_is_not_cosigned(self):
        before = self.folder / 'before'
        self.served.stop()
        subprocess.run(['cp', '-a', self.served.data, before], check=True)
        self.served.start()
        self.ingest(self.served)
        self.published(self.served.get('/v1/status')['journal']['tree_size'])
        self.assertEqual(self.cosign().returncode, 0)
        self.served.stop()
        # The same key writes another history over the same beginning, longer than the first.
        subprocess.run(['rm', '-rf', self.served.data], check=True)
        subprocess.run(['cp', '-a', before, self.served.data], check=True)
        self.served.start()
        for n in range(60):
            self.versement(self.served, 'token', 'create', f't{n}', '--role', 'reader', '--out',
                           self.folder / f't{n}')
        self.published(self.served.get('/v1/status')['journal']['tree_size'])
        kept = self.last.read_bytes()
        done = self.cosign()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn('Nothing was signed', done.stderr)
        self.assertEqual(self.last.read_bytes(), kept)
        # And the cosigned checkpoint exposes it to whoever has both.
        report = self.json_of(None, 'journal', 'verify', self.served.data, '--checkpoint', self.last,
                              status=1)
        self.assertEqual([f['code'] for f in report['findings']], ['journal-forked'])

    def test_what_is_handed_in_must_be_a_witness_s(self):
        text = {'Content-Type': 'text/plain'}
        checkpoint = self.served.request('GET', '/v1/journal/checkpoint')[2]
        status, _, body = self.served.request('POST', '/v1/journal/cosignatures', checkpoint, text)
        self.assertEqual((status, json.loads(body)['code']), (422, 'witness-unknown'))
        other = self.daemon('other')
        foreign = other.request('GET', '/v1/journal/checkpoint')[2]
        status, _, body = self.served.request('POST', '/v1/journal/cosignatures', foreign, text)
        self.assertEqual((status, json.loads(body)['code']), (409, 'checkpoint-mismatch'))


if __name__ == '__main__':
    harness.main()
