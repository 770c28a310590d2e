"""What the journal proves, to whom, and what happens when it was tampered with: proofs that are checked
without the service and by other means than ours, checkpoints that somebody kept, and a daemon that
starts on a journal which is not the one it wrote."""
import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


def node(left, right):
    return hashlib.sha256(b'\1' + left + right).digest()


def root_by_path(leaf, index, size, path):
    """RFC 9162, 2.1.3.2, written down once more, by recursion from the root."""
    def below(first, end, rest):
        if end - first == 1:
            assert not rest
            return leaf
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if index < middle:
            return node(below(first, middle, rest[:-1]), rest[-1])
        return node(rest[-1], below(middle, end, rest[:-1]))
    return below(0, size, path)


def read_proof(text):
    head, note = text.split('\n\n', 1)
    lines = head.split('\n')
    assert lines[0] == 'c2sp.org/tlog-proof@v1', lines[0]
    entry = base64.b64decode(lines[1].removeprefix('extra '), validate=True)
    index = int(lines[2].removeprefix('index '))
    return entry, index, [base64.b64decode(line, validate=True) for line in lines[3:]], note


def signed_by(note, vkey, folder):
    """The signature, checked by openssl."""
    text, signature = note.split('\n\n', 1)
    name, key_hash, key = vkey.strip().split('+', 2)
    raw = base64.b64decode(signature.strip().rsplit(' ', 1)[1])
    assert raw[:4].hex() == key_hash and signature.startswith(f'— {name} ')
    (folder / 'key.der').write_bytes(bytes.fromhex('302a300506032b6570032100')
                                     + base64.b64decode(key)[1:])
    (folder / 'text').write_bytes(text.encode() + b'\n')
    (folder / 'signature').write_bytes(raw[4:])
    done = subprocess.run(
        ['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', folder / 'key.der', '-keyform', 'DER',
         '-rawin', '-in', folder / 'text', '-sigfile', folder / 'signature'], capture_output=True)
    return done.returncode == 0


class Proof(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.served = self.daemon()
        self.receiver = self.prepare(self.served)
        self.ingest(self.served)
        self.vkey = self.served.data / 'journal' / 'vkey'

    def check_alone(self, file):
        """By Python and openssl: the event that the proof is of."""
        entry, index, path, note = read_proof(file.read_text(encoding='utf-8'))
        self.assertTrue(signed_by(note, self.vkey.read_text(), self.folder))
        _, size, root = note.split('\n')[:3]
        leaf = hashlib.sha256(b'\0' + entry).digest()
        self.assertEqual(base64.b64encode(root_by_path(leaf, index, int(size), path)).decode(), root)
        return index, json.loads(entry)

    def test_every_event_can_be_proven(self):
        events = self.served.get('/v1/events?limit=1000')['items']
        self.assertGreater(len(events), 20)
        for event in events:
            file = self.folder / f'{event["index"]}.tlog-proof'
            self.versement(self.served, 'journal', 'proof', event['index'], '--to', file)
            index, proven = self.check_alone(file)
            self.assertEqual((index, proven['id']), (event['index'], event['id']))
            self.versement(None, 'journal', 'check-proof', file, '--key', self.vkey)

    def test_an_event_that_was_journaled_just_now_can_be_proven(self):
        self.add_agreement(self.served, 'late')
        newest = self.served.get('/v1/events?limit=1000')['items'][-1]['index']
        status, _, body = self.served.request('GET', f'/v1/events/{newest}/proof')
        self.assertEqual(status, 200, body)
        self.assertEqual(self.served.request('GET', f'/v1/events/{newest + 1}/proof')[0], 404)

    def test_a_proof_of_something_else_is_none(self):
        file = self.folder / 'p'
        self.versement(self.served, 'journal', 'proof', '3', '--to', file)
        whole = file.read_text(encoding='utf-8')
        other_key = self.folder / 'other'
        stranger = self.daemon(name='stranger')
        shutil.copy(stranger.data / 'journal' / 'vkey', other_key)
        self.versement(None, 'journal', 'check-proof', file, '--key', other_key, status=1)
        entry = read_proof(whole)[0]
        forged = base64.b64encode(entry.replace(b'agreement', b'agreemint', 1)).decode()
        changes = {
            'entry': whole.replace(whole.split('\n')[1], 'extra ' + forged),
            'index': whole.replace('index 3\n', 'index 4\n'),
            'path': whole.replace(whole.split('\n')[3] + '\n', '', 1),
            'size': whole.replace('\n\narchive.example/test\n', '\n\narchive.example/test\n1', 1),
        }
        for what, text in changes.items():
            with self.subTest(what=what):
                self.assertNotEqual(text, whole)
                file.write_text(text, encoding='utf-8')
                self.versement(None, 'journal', 'check-proof', file, '--key', self.vkey, status=1)
        for text in ('', 'index 3', whole[:60], 'x' * 1_000_000):
            file.write_text(text, encoding='utf-8')
            self.versement(None, 'journal', 'check-proof', file, '--key', self.vkey, status=2)

    def test_a_receiver_proves_what_is_its_own_and_no_more(self):
        self.offer(self.served)
        token = self.receiver.read_text().strip()
        file = self.folder / 'mine'
        self.versement(self.served, 'transfer', 'proof', '2026-V-001', '--to', file,
                       token=self.receiver)
        index, event = self.check_alone(file)
        self.assertEqual((event['type'], event['detail']['action']), ('transfer acted on', 'offer'))
        history = self.served.get('/v1/transfers/2026-V-001')['history']
        sealed = next(h['journal_index'] for h in history if h['action'] == 'seal')
        status, _, body = self.served.request(
            'GET', f'/v1/transfers/2026-V-001/proof?index={sealed}', token=token)
        self.assertEqual(status, 200, body)
        # Not of another's event, not by way of all events.
        status, _, body = self.served.request('GET', '/v1/transfers/2026-V-001/proof?index=0',
                                              token=token)
        self.assertEqual((status, json.loads(body)['code']), (400, 'invalid-parameter'))
        self.assertEqual(self.served.request('GET', f'/v1/events/{sealed}/proof', token=token)[0],
                         403)
        self.versement(self.served, 'transfer', 'create', '2026-V-002', '--agreement', 'agreement',
                       '--title', 'Not offered yet')
        self.assertEqual(self.served.request('GET', '/v1/transfers/2026-V-002/proof',
                                             token=token)[0], 404)

    def test_an_older_tree_is_the_beginning_of_the_newer_one(self):
        older = self.served.request('GET', '/v1/journal/checkpoint')[2].decode()
        self.versement(self.served, 'collection', 'create', 'second', '--title', 'Second',
                       '--agency-id', 's', '--agency-name', 'S', '--owner', 'O', '--credit', 'C',
                       '--conditions', 'None')
        self.served.stop()
        self.served.start()
        size = int(older.split('\n')[1])
        proof = self.served.get(f'/v1/journal/proofs/consistency?first={size}')
        self.assertGreater(proof['second'], size)
        self.assertTrue(proof['path'])
        for query in ('', '?first=0', '?first=x', f'?first={proof["second"] + 1}',
                      f'?first=1&second={proof["second"] + 1}', '?first=3&second=2'):
            status, _, body = self.served.request('GET', '/v1/journal/proofs/consistency' + query)
            self.assertEqual((status, json.loads(body)['code']), (400, 'invalid-parameter'), query)

    def test_a_checkpoint_that_was_kept_tells_what_was_rewritten_or_cut_back(self):
        kept = self.folder / 'kept'
        self.served.stop()
        data = self.served.data
        shutil.copytree(data / 'journal', self.folder / 'before')
        self.served.start()
        self.ingest(self.served, self.another_deposit())
        self.served.stop()
        shutil.copy(data / 'journal' / 'checkpoint', kept)
        self.versement(None, 'journal', 'verify', data, '--checkpoint', kept)
        # An older beginning is no contradiction.
        self.versement(None, 'journal', 'verify', data, '--checkpoint',
                       self.folder / 'before' / 'checkpoint')
        # Cut back: whole and rightly signed in itself, and yet not what it was.
        self.versement(None, 'journal', 'verify', self.folder / 'before')
        out = self.versement(None, 'journal', 'verify', self.folder / 'before', '--checkpoint', kept,
                             status=1)
        self.assertIn('journal-rolled-back', out)
        # Rewritten by whoever has the key: another history of at least that length.
        rival = self.daemon(name='rival')
        rival.stop()
        for part in ('journal', 'secrets', 'evidence'):
            shutil.rmtree(rival.data / part)
        shutil.copytree(self.folder / 'before', rival.data / 'journal')
        for part in ('secrets', 'evidence'):
            shutil.copytree(data / part, rival.data / part)
        shutil.rmtree(rival.data / 'index')
        (rival.data / 'store' / 'versement-head.txt').unlink()
        rival.start()
        size = int(kept.read_text().split('\n')[1])
        for number in range(size):
            self.add_agreement(rival, f'a{number}')
        rival.stop()
        self.versement(None, 'journal', 'verify', rival.data)
        out = self.versement(None, 'journal', 'verify', rival.data, '--checkpoint', kept, status=1)
        self.assertIn('journal-forked', out)

    def add_agreement(self, daemon, name):
        status, _, body = daemon.request('POST', '/v1/agreements', {
            'id': name, 'title': {'en': name}, 'transferring_agency': {'id': 's', 'name': 'S'},
            'archival_agency': {'id': 'r', 'name': 'R'}})
        self.assertEqual(status, 201, body)

    def another_deposit(self):
        folder = self.folder / 'more'
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        (folder / 'objects' / 'a.txt').write_text('more\n')
        (folder / 'metadata' / 'metadata.csv').write_text(
            'filename,identifier,dc.title,dc.rights,credit,owner\n'
            'objects/a.txt,MORE-1,More,Free,Credit,Owner\n')
        self.served.inboxes.append(str(folder))
        if self.served.process:
            self.served.stop()
            self.served.start()
        return folder

    def test_a_journal_that_was_cut_back_leaves_the_service_read_only(self):
        data = self.served.data
        self.served.stop()
        shutil.copytree(data / 'journal', self.folder / 'before')
        self.served.start()
        self.ingest(self.served, self.another_deposit())
        self.served.stop()
        shutil.rmtree(data / 'journal')
        shutil.copytree(self.folder / 'before', data / 'journal')
        self.served.start()
        status, _, body = self.served.request('GET', '/readyz', token=False)
        self.assertEqual(status, 503)
        self.assertIn('journal', body.decode())
        # What was there is served still.
        self.assertEqual(self.served.get('/v1/items/MORE-1')['id'], 'MORE-1')
        files = self.served.get('/v1/items/MORE-1/versions/1/files')['items']
        self.assertTrue(files)
        for path, body in (('/v1/ingests', {'collection': 'collection', 'source': {
                'type': 'inbox', 'path': str(self.folder / 'more')}}), ('/v1/audits', {})):
            status, _, answer = self.served.request('POST', path, body)
            self.assertEqual((status, json.loads(answer)['code']), (503, 'read-only'), answer)
        self.served.stop()
        self.versement(None, 'journal', 'verify', data, status=1)
        # The right journal put back, all is well.
        before = (data / 'store' / 'versement-head.txt').read_text()
        self.assertGreater(int(before.split('\n')[1]),
                           int((data / 'journal' / 'checkpoint').read_text().split('\n')[1]))


if __name__ == '__main__':
    harness.main()
