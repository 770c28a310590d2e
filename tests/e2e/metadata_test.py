"""Descriptions go out as tables and come in again as they were."""
import csv
import http.client
import io
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402
from harness import EXAMPLE, SHARED, needs_shared  # noqa: E402

RIGHTS = '''file,basis,status,jurisdiction,start_date,end_date,terms,citation,note,\
grant_act,grant_restriction,grant_start_date,grant_end_date,grant_note,doc_id_type,doc_id_value
objects/a/1.txt,copyright,copyrighted,fr,1994,open,,,,reproduce,Conditional,,,=ask,contract,12
objects/a/1.txt,copyright,copyrighted,fr,1994,open,,,,modify,Disallow,1994,2064,,contract,12
objects/a,license,,,,,CC BY 4.0,,'=note,,,,,,,
objects/b.txt,statute,,fr,,,,L. 213-2,,disseminate,Disallow,1994,2044,,,
objects/b.txt,donor,,,,1999,,,a donor,,,,,,,
BOX-1,policy,,,,,,,a box,,,,,,,
'''
TABLE = '''filename,identifier,dc.title,dc.title@km,dc.subject,dc.subject@en,dc.subject,dc.type,dc.type,\
dc.rights,credit,owner,owner@en,reproduction,box,note,note,dc.description
objects/a,A,'=1+1,ផ្សារ,un,two,trois,StillImage,carte,d,''-c,o,O,restricted,,+33,'x,"two
lines, ""quoted"""
objects/b.txt,B,@home,,,,'quoted',,,d,c,,,,,,y,
,BOX-1,Boîte,,,,,,,d,c,o,,allowed,B 1,,,
'''


class Metadata(harness.EndToEnd):
    def table(self, daemon, *what):
        # To a file: captured text would lose its line ends.
        file = self.folder / 'out.csv'
        file.unlink(missing_ok=True)
        self.versement(daemon, *what, '-o', file)
        return file.read_bytes()

    def tables(self, daemon, *what):
        return [self.table(daemon, *what), self.table(daemon, *what, '--rights')]

    def out_and_in_again(self, folder):
        """Exports, ingests the same files elsewhere with what came out, exports again."""
        first = self.daemon('first', inboxes=[folder])
        self.prepare(first)
        self.ingest(first, folder)
        out = self.tables(first, 'collection', 'metadata', 'collection')
        self.check_cells(out)

        again = self.folder / 'again'
        shutil.copytree(folder, again)
        (again / 'metadata' / 'metadata.csv').write_bytes(out[0])
        (again / 'metadata' / 'rights.csv').write_bytes(out[1])
        second = self.daemon('second', inboxes=[again])
        self.versement(second, 'collection', 'create', 'collection')
        report = self.ingest(second, again)
        self.assertEqual(self.tables(second, 'collection', 'metadata', 'collection'), out, report)
        self.compare(first, second)
        return first, out

    def compare(self, first, second):
        def described(daemon):
            items = harness.json.loads(self.versement(daemon, '--json', 'item', 'list'))['items']
            return {item['id']: (item['metadata'], item.get('original')) for item in items}
        self.assertEqual(described(first), described(second))

    def check_cells(self, tables):
        for text in tables:
            for row in csv.reader(io.StringIO(text.decode(), newline='')):
                for cell in row:
                    self.assertFalse(cell.startswith(('=', '+', '-', '@', '\t', '\r')), cell)

    def test_the_example(self):
        first, _ = self.out_and_in_again(EXAMPLE)
        self.offer(first)
        # Paths of the bag, which is what Archivematica wants.
        table = self.table(first, 'transfer', 'metadata', '2026-V-001')
        rows = list(csv.DictReader(io.StringIO(table.decode(), newline='')))
        self.assertTrue(all(row['filename'].startswith(f'data/{row["versement.item"]}/')
                            for row in rows))
        printed = self.versement(first, 'transfer', 'metadata', '2026-V-001')
        self.assertEqual(printed, table.decode().replace('\r\n', '\n'))
        # A file that is there is not overwritten.
        refused = self.run_versement(first, 'transfer', 'metadata', '2026-V-001', '-o',
                                     self.folder / 'out.csv')
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual((self.folder / 'out.csv').read_bytes(), table)

    def test_of_a_sealed_transfer_they_are_those_of_its_bag(self):
        folder = self.folder / 'deposit'
        shutil.copytree(EXAMPLE, folder)
        daemon = self.daemon(inboxes=[folder])
        receiver = self.prepare(daemon).read_text().strip()
        self.ingest(daemon, folder)
        self.versement(daemon, 'transfer', 'create', '2026-V-001', '--agreement', 'agreement',
                       '--title', 'T')
        self.versement(daemon, 'transfer', 'add', '2026-V-001', '--collection', 'collection')
        draft = self.tables(daemon, 'transfer', 'metadata', '2026-V-001')
        self.versement(daemon, 'transfer', 'seal', '2026-V-001')
        self.versement(daemon, 'transfer', 'offer', '2026-V-001')
        base = '/v1/transfers/2026-V-001/'
        etags = {}
        for table, text in zip(('metadata.csv', 'rights.csv'), draft):
            status, fields, body = daemon.request('GET', base + table)
            self.assertEqual((status, body == text), (200, True), table)
            self.assertEqual(fields['Content-Type'], 'text/csv; charset=utf-8; header=present')
            _, of_file, in_bag = daemon.request('GET', base + 'bag/files/metadata/' + table)
            self.assertEqual((fields['ETag'], body), (of_file['ETag'], in_bag))
            self.assertEqual(fields['Repr-Digest'], of_file['Repr-Digest'])
            etags[table] = fields['ETag']

        # The items are described anew; what was sealed stays.
        table = folder / 'metadata' / 'metadata.csv'
        table.write_text(table.read_text().replace('Phnom Penh', 'Ville de Phnom Penh'))
        self.ingest_again(daemon, folder)
        for table, text in zip(etags, draft):
            status, fields, body = daemon.request('GET', base + table)
            self.assertEqual((status, fields['ETag'], body == text), (200, etags[table], True))
            self.assertEqual(daemon.request('GET', base + table, headers={
                'If-None-Match': etags[table]})[0], 304)
            status, fields, body = daemon.request('GET', base + table, headers={
                'Range': 'bytes=3-7', 'If-Range': etags[table]})
            self.assertEqual((status, body), (206, text[3:8]))

        # A receiver who reads one has a file of the bag; one that is damaged is not handed out.
        daemon.request('HEAD', base + 'metadata.csv', token=receiver)
        self.assertEqual(daemon.get(base[:-1])['state'], 'offered')
        self.assertEqual(daemon.request('GET', base + 'metadata.csv', token=receiver)[0], 200)
        self.assertEqual(daemon.get(base[:-1])['state'], 'collecting')
        stored, = [p for p in (daemon.data / 'store').rglob('metadata/rights.csv')]
        stored.chmod(0o600)
        stored.write_bytes(draft[1][:-1] + b'?')
        refused = False
        for _ in range(2):
            try:
                refused |= daemon.request('GET', base + 'rights.csv')[0] == 503
            except (OSError, http.client.HTTPException):  # cut: it is found while it is sent
                refused = True
        self.assertTrue(refused)

    def test_a_seal_that_is_older_than_the_tables_says_so(self):
        old = harness.ROOT / 'tests' / 'fixtures' / 'damaged' / 'whole'
        self.assertEqual(list(old.rglob('metadata/metadata.csv')), [])
        shutil.copytree(old, self.folder / 'data')
        for empty in ('quarantine', 'work'):  # so not in git
            (self.folder / 'data' / empty).mkdir()
        for secret in (self.folder / 'data' / 'secrets').iterdir():
            secret.chmod(0o600)
        daemon = self.daemon(inboxes=[])
        base = '/v1/transfers/V-1/'
        pinned = {i['item_id']: i['version'] for i in daemon.all_of(base + 'items')}
        later = [i for i in daemon.all_of('/v1/items')
                 if i['head_version'] > pinned.get(i['id'], i['head_version'])]
        self.assertEqual(len(later), 1)
        for table in ('metadata.csv', 'rights.csv'):
            status, _, body = daemon.request('GET', base + table)
            self.assertEqual((status, b'table-outdated' in body), (409, True), body[:300])
            self.assertFalse(harness.json.loads(body)['retryable'])

    def ingest_again(self, daemon, folder):
        self.versement(daemon, 'ingest', folder, '--collection', 'collection', '--new-versions')
        versions = [i['head_version'] for i in daemon.all_of('/v1/items')]
        self.assertIn(2, versions)

    def test_a_withdrawn_transfer_is_closed_to_its_receiver(self):
        daemon = self.daemon()
        receiver = self.prepare(daemon)
        token = receiver.read_text().strip()
        self.ingest(daemon)
        self.offer(daemon)
        base = '/v1/transfers/2026-V-001'
        inside = ('/items', '/metadata.csv', '/rights.csv', '/bag', '/bag.tar', '/bag.zip',
                  '/holey.tar', '/seda.zip', '/bag/files', '/bag/files/bagit.txt')
        addresses = ('bag.tar', 'bag.zip', 'holey.tar', 'seda.zip')
        for path in inside:
            self.assertEqual(daemon.request('HEAD', base + path, token=token)[0], 200, path)
        shown = self.versement(daemon, 'transfer', 'show', '2026-V-001', token=receiver)
        for name in addresses:
            self.assertIn(name, shown)
        self.versement(daemon, '--yes', 'transfer', 'withdraw', '2026-V-001')
        for path in inside:
            status, _, body = daemon.request('GET', base + path, token=token)
            self.assertEqual((status, b'transition-not-allowed' in body), (409, True), path)
            self.assertEqual(daemon.request('GET', base + path)[0], 200, path)
        self.assertEqual(daemon.get(base, token=token)['state'], 'withdrawn')
        self.assertEqual(daemon.request('GET', base + '/proof', token=token)[0], 200)
        shown = self.versement(daemon, 'transfer', 'show', '2026-V-001', token=receiver)
        for name in addresses:
            self.assertNotIn(name, shown)

    @needs_shared('sample-collection')
    def test_a_foreign_collection(self):
        self.out_and_in_again(SHARED / 'sample-collection')

    @needs_shared('schemas/package.xsd')
    def test_rights_formulas_and_analogue_originals(self):
        folder = self.folder / 'deposit'
        for name in ('objects/a/1.txt', 'objects/a/2.txt', 'objects/b.txt'):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        (folder / 'metadata').mkdir()
        (folder / 'metadata' / 'metadata.csv').write_text(TABLE)
        (folder / 'metadata' / 'rights.csv').write_text(RIGHTS)
        first, out = self.out_and_in_again(folder)
        shown = harness.json.loads(self.versement(first, '--json', 'item', 'show', 'A'))
        statements = shown['metadata']['rights']['statements']
        self.assertEqual([s['basis'] for s in statements], ['copyright', 'license'])
        self.assertEqual(statements[0]['files'], ['1.txt'])
        self.assertEqual(statements[1]['note'], '=note')
        self.assertEqual(shown['metadata']['title']['fr'], '=1+1')
        self.assertEqual(shown['metadata']['rights']['credit_line']['fr'], "'-c")
        self.assertIn('CC BY 4.0', self.versement(first, 'item', 'show', 'A'))
        self.assertIn(b',policy,', out[1])

        self.offer(first)
        tables = self.tables(first, 'transfer', 'metadata', '2026-V-001')
        receiver = self.folder / 'receiver-token'
        self.versement(first, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        bag = self.folder / '2026-V-001'
        self.assertEqual([(bag / 'metadata' / 'metadata.csv').read_bytes(),
                          (bag / 'metadata' / 'rights.csv').read_bytes()], tables)
        self.assertIn(b'data/A/representations/master/data/1.txt,copyright,', tables[1])
        self.assertIn(b'BOX-1,policy,', tables[1])
        self.assertEqual(judges.bagit(bag), [])
        self.versement(None, 'bag', 'validate', '--profile',
                       harness.ROOT / 'docs' / 'profiles' / 'versement-1.json', bag)
        for package in sorted((self.folder / '2026-V-001' / 'data').glob('*/')):
            with self.subTest(package.name):
                self.assertEqual(judges.xmllint(package), [])
                self.assertEqual(judges.commons_ip(package), [])
                self.assertEqual(judges.eark(package), [])


if __name__ == '__main__':
    harness.main()
