"""The main job, looked at by judges that know nothing of Versement."""
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402
from harness import EXAMPLE, SHARED, needs_shared  # noqa: E402


class MainJob(harness.EndToEnd):
    def handover(self, collection):
        daemon = self.daemon(inboxes=[collection])
        receiver = self.prepare(daemon)
        self.ingest(daemon, collection)
        self.versement(daemon, 'audit', 'run')
        self.offer(daemon)
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        bag = self.folder / '2026-V-001'
        self.versement(daemon, '--yes', 'transfer', 'accept', '2026-V-001', '--bag', bag,
                       token=receiver)
        return daemon, bag

    def judge(self, daemon, bag, items):
        self.assertEqual(judges.bagit(bag), [])
        # What we tell receivers to expect.
        self.versement(None, 'bag', 'validate', '--profile',
                       harness.ROOT / 'docs' / 'profiles' / 'versement-1.json', bag)
        subprocess.run(['xmllint', '--noout', '--nonet', '--schema',
                        harness.ROOT / 'docs' / 'schemas' / 'bordereau-1.xsd',
                        bag / 'bordereau.xml'], check=True, capture_output=True)
        self.assertEqual(judges.ocfl_py(daemon.data / 'store'), [])
        self.assertIn(judges.rocfl(daemon.data / 'store'), ([], None))
        self.assertEqual(judges.tlog(daemon.data / 'journal'), [])
        packages = sorted(p for p in (bag / 'data').iterdir() if p.is_dir())
        self.assertEqual(len(packages), items)
        self.assertEqual(judges.xmllint(*packages), [])
        self.assertEqual(judges.commons_ip(*packages), [])
        self.assertEqual(judges.eark(*packages), [])

    @needs_shared('schemas/package.xsd')
    def test_the_example(self):
        daemon, bag = self.handover(EXAMPLE)
        self.judge(daemon, bag, 15)

    @needs_shared('sample-collection')
    def test_a_foreign_collection(self):
        daemon, bag = self.handover(SHARED / 'sample-collection')
        self.judge(daemon, bag, 22)

    def test_the_judges_can_say_no(self):
        daemon, bag = self.handover(EXAMPLE)
        victim = sorted((bag / 'data').rglob('*.jpg'))[0]
        bytes_ = bytearray(victim.read_bytes())
        bytes_[100] ^= 1
        victim.write_bytes(bytes_)
        self.assertNotEqual(judges.bagit(bag), [])
        self.versement(None, 'bag', 'validate', bag, status=1)
        victim = sorted((daemon.data / 'store').rglob('*.jpg'))[0]
        victim.chmod(0o600)
        victim.write_bytes(bytes_)
        self.assertNotEqual(judges.ocfl_py(daemon.data / 'store'), [])
        self.versement(None, 'store', 'check', daemon.data, status=1)
        # The partial tiles of earlier checkpoints are not needed any more.
        tile = max((daemon.data / 'journal' / 'tile' / '0').glob('000.p/*'),
                   key=lambda p: int(p.name))
        tile.chmod(0o600)
        bytes_ = bytearray(tile.read_bytes())
        bytes_[0] ^= 1
        tile.write_bytes(bytes_)
        self.assertNotEqual(judges.tlog(daemon.data / 'journal'), [])

    @needs_shared('schemas/package.xsd')
    def test_the_metadata_judges_can_say_no(self):
        _, bag = self.handover(EXAMPLE)
        package = sorted(p for p in (bag / 'data').iterdir() if p.is_dir())[0]
        mets = package / 'METS.xml'
        mets.chmod(0o600)
        mets.write_text(mets.read_text().replace('PROFILE=', 'PROFIL='))
        self.assertNotEqual(judges.xmllint(package), [])
        self.assertNotEqual(judges.commons_ip(package), [])
        self.assertNotEqual(judges.eark(package), [])


class Serving(harness.EndToEnd):
    """The bag as bytes over HTTP."""

    def setUp(self):
        super().setUp()
        self.served = self.daemon()
        self.prepare(self.served)
        self.ingest(self.served)
        self.offer(self.served)
        self.path = '/v1/transfers/2026-V-001/bag.tar'

    def whole(self):
        status, headers, body = self.served.request('GET', self.path)
        self.assertEqual(status, 200)
        self.assertEqual(int(headers['Content-Length']), len(body))
        return headers, body

    def test_pieces_equal_the_whole(self):
        headers, whole = self.whole()
        step = len(whole) // 7 + 1
        pieces = b''
        while len(pieces) < len(whole):
            status, piece_headers, piece = self.served.request(
                'GET', self.path, headers={'Range': f'bytes={len(pieces)}-{len(pieces) + step - 1}'})
            self.assertEqual(status, 206)
            end = min(len(pieces) + step, len(whole)) - 1
            self.assertEqual(piece_headers['Content-Range'],
                             f'bytes {len(pieces)}-{end}/{len(whole)}')
            self.assertEqual(piece_headers['ETag'], headers['ETag'])
            pieces += piece
        self.assertEqual(pieces, whole)

    def test_curl_in_pieces_equals_the_whole(self):
        _, whole = self.whole()
        token = self.served.admin_token_file.read_text().strip()
        middle = len(whole) // 3
        out = b''
        for part in (f'0-{middle}', f'{middle + 1}-'):
            out += subprocess.run(['curl', '-sS', '-H', 'Authorization: Bearer ' + token, '-r', part,
                                   self.served.address + self.path], check=True,
                                  capture_output=True).stdout
        self.assertEqual(out, whole)

    def test_conditions(self):
        headers, whole = self.whole()
        tag = headers['ETag']
        self.assertTrue(tag.startswith('"'), tag)
        ask = lambda **h: self.served.request('GET', self.path, headers={  # noqa: E731
            k.replace('_', '-'): v for k, v in h.items()})
        self.assertEqual(ask(If_None_Match=tag)[0], 304)
        self.assertEqual(ask(If_Match='"other"')[0], 412)
        status, _, body = ask(Range='bytes=0-9', If_Range=tag)
        self.assertEqual((status, body), (206, whole[:10]))
        status, _, body = ask(Range='bytes=0-9', If_Range='"other"')
        self.assertEqual((status, len(body)), (200, len(whole)))
        status, headers, _ = ask(Range=f'bytes={len(whole)}-')
        self.assertEqual((status, headers['Content-Range']), (416, f'bytes */{len(whole)}'))
        status, _, body = ask(Range='bytes=-5')
        self.assertEqual((status, body), (206, whole[-5:]))
        status, headers, body = self.served.request('HEAD', self.path)
        self.assertEqual((status, body, int(headers['Content-Length'])), (200, b'', len(whole)))

    def test_the_same_bytes_after_a_restart_and_without_the_index(self):
        headers, whole = self.whole()
        self.served.stop()
        index = self.served.data / 'index'
        self.assertTrue(index.is_dir())
        subprocess.run(['rm', '-r', index], check=True)
        self.served.start()
        again_headers, again = self.whole()
        self.assertEqual(again, whole)
        self.assertEqual(again_headers['ETag'], headers['ETag'])

    def answers(self):
        """All that the API says, but what depends on the moment."""
        out = {}
        for path in ('items', 'collections', 'agreements', 'transfers', 'audits', 'ingests', 'jobs',
                     'incidents', 'audit-policies', 'events', 'tokens'):
            out[path] = self.served.all_of('/v1/' + path)
        for item in out['items']:
            path = '/v1/items/' + item['id']
            out[path] = self.served.get(path)
            out[path + '/versions'] = self.served.all_of(path + '/versions')
            out[path + '/files'] = self.served.all_of(path + '/versions/1/files')
        for transfer in out['transfers']:
            path = '/v1/transfers/' + transfer['id']
            out[path] = self.served.get(path)
            out[path + '/items'] = self.served.all_of(path + '/items')
        return out

    def test_an_index_made_anew_gives_the_same_answers(self):
        self.versement(self.served, 'audit', 'run')
        victim = max((self.served.data / 'store').rglob('*.tif'), key=lambda p: p.stat().st_size)
        victim.chmod(0o600)
        with open(victim, 'r+b') as file:
            file.seek(512)
            byte = file.read(1)[0]
            file.seek(512)
            file.write(bytes([byte ^ 4]))
        self.versement(self.served, 'audit', 'run', status=1)
        before = self.answers()
        self.assertGreaterEqual(len(before['incidents']), 1)
        self.served.stop()
        subprocess.run(['rm', '-r', self.served.data / 'index'], check=True)
        self.served.start()
        after = self.answers()
        # The journal goes on: that the service started is an event of its own.
        after['events'] = after['events'][:len(before['events'])]
        for path, value in before.items():
            self.assertEqual(json.dumps(value, sort_keys=True),
                             json.dumps(after[path], sort_keys=True), path)


class Example(harness.EndToEnd):
    def test_the_generator_makes_the_committed_files(self):
        made = self.folder / 'made'
        done = subprocess.run([str(EXAMPLE / 'generate'), '--out', str(made)], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

        def tree(folder):
            return {str(p.relative_to(folder)): p.read_bytes()
                    for part in ('objects', 'metadata') for p in (folder / part).rglob('*')
                    if p.is_file()}
        again = tree(made)
        self.assertEqual(sorted(again), sorted(tree(EXAMPLE)))
        self.assertEqual(len(again), 20)
        for path, content in tree(EXAMPLE).items():
            self.assertEqual(again[path], content, path)


if __name__ == '__main__':
    harness.main()
