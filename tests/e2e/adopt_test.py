"""What other tools have packed is taken in as items: an OCFL root of rocfl, bags of bagit-python."""
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402

WANTED = {'fiche é.txt': hashlib.sha256(b'one').hexdigest(),
          'sub/scan.bin': hashlib.sha256(bytes(range(256)) * 1000).hexdigest()}
ROCFL = harness.CACHE / 'rocfl' / 'bin' / 'rocfl'


class Adopt(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / 'inbox'
        self.source = self.folder / 'source'
        (self.source / 'sub').mkdir(parents=True)
        (self.source / 'fiche é.txt').write_text('one')
        (self.source / 'sub' / 'scan.bin').write_bytes(bytes(range(256)) * 1000)
        self.inbox.mkdir()
        self.served = self.daemon(inboxes=[self.inbox])
        self.prepare(self.served)

    def payload(self, item):
        files = self.served.all_of(f'/v1/items/{item}/versions/1/files')
        return {f['path'].split('/data/', 1)[1]: hashlib.sha256(self.served.request(
                    'GET', f"/v1/items/{item}/versions/1/files/{f['id']}/content")[2]).hexdigest()
                for f in files if '/data/' in f['path']}

    def refused(self, folder):
        done = self.run_versement(self.served, '--json', 'ingest', folder, '--collection',
                                  'collection')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return {f['code'] for f in json.loads(done.stdout)['findings']}

    def whole(self):
        self.versement(self.served, 'audit', 'run')
        self.assertEqual(judges.ocfl_py(self.served.data / 'store'), [])

    def test_a_root_of_another_tool(self):
        if not ROCFL.exists():
            self.skipTest('rocfl is not here')
        root = self.inbox / 'root'

        def rocfl(*arguments):
            subprocess.run([ROCFL, '-r', root, *arguments], check=True, capture_output=True)

        def commit(name):
            rocfl('commit', '-n', 'b', '-a', 'mailto:b@example.org', '-m', 'b', name)
        rocfl('init')
        for name in ('urn:x:1', 'info:éx 2'):
            rocfl('new', name)
            rocfl('cp', '-r', name, f'{self.source}/.', '--', '/')
            commit(name)
        rocfl('cp', 'urn:x:1', str(self.source / 'fiche é.txt'), '--', 'later.txt')
        commit('urn:x:1')
        self.ingest(self.served, root)
        items = {i['metadata']['title']['fr']: i['id'] for i in self.served.all_of('/v1/items')}
        self.assertEqual(set(items), {'urn:x:1', 'info:éx 2'})
        wanted = {'source/' + path: digest for path, digest in WANTED.items()}
        self.assertEqual(self.payload(items['info:éx 2']), wanted)
        self.assertEqual(self.payload(items['urn:x:1']),
                         {**wanted, 'later.txt': WANTED['fiche é.txt']})
        self.whole()
        # Damaged bytes are refused, object by object, and so is a broken inventory.
        victim = sorted(p for p in root.rglob('scan.bin'))[0]
        victim.write_bytes(b'other')
        self.served.stop()
        other = self.daemon(name='other', inboxes=[self.inbox])
        (self.folder / 'receiver-token').unlink()
        self.prepare(other)
        self.served = other
        self.assertEqual(self.refused(root) - {'adopt-head'}, {'digest-mismatch'})
        self.assertEqual(len(other.all_of('/v1/items')), 1)

    def test_bags(self):
        bags = self.inbox / 'bags'
        for name, flags in (('one', ['--sha256', '--external-identifier', 'Fonds 12/1',
                                     '--external-description', 'Deux fiches']),
                            ('two', ['--md5'])):
            bags.mkdir(exist_ok=True)
            shutil.copytree(self.source, bags / name)
            subprocess.run([harness.CACHE / 'venv/bin/bagit.py', '--quiet', *flags, bags / name],
                           check=True)
        self.ingest(self.served, bags)
        items = {i['id']: i['metadata']['title']['fr'] for i in self.served.all_of('/v1/items')}
        self.assertEqual(items, {'Fonds-12-1': 'Deux fiches', 'two': 'two'})
        for item in items:
            self.assertEqual(self.payload(item), WANTED)
        self.whole()
        (bags / 'two' / 'data' / 'fiche é.txt').write_text('other')
        self.assertEqual(self.refused(bags / 'two'), {'bag-invalid'})
        (bags / 'two' / 'data' / 'fiche é.txt').unlink()
        self.assertEqual(self.refused(bags / 'two'), {'bag-invalid'})


if __name__ == '__main__':
    harness.main()
