"""seda.zip of a sealed transfer, held against the schemas of SEDA, those that VITAM validates with,
the rules of its names, and the transfer's own bag; and what `versement seda show` says of replies."""
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import tarfile
import unittest
import xml.etree.ElementTree as ET
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402

VERSIONS = ('2.1', '2.2', '2.3')
SAMPLE = harness.SHARED / 'sample-collection'
ZIP = '/v1/transfers/2026-V-001/seda.zip'
LANG = '{http://www.w3.org/XML/1998/namespace}lang'


class Manifest:
    """A manifest as a stranger reads it."""

    def __init__(self, text, version):
        self.space = {'s': f'fr:gouv:culture:archivesdefrance:seda:v{version}'}
        self.root = ET.fromstring(text)
        self.objects = self.all(self.root, './/s:BinaryDataObject')
        self.units = {u.get('id'): u for u in self.all(self.root, './/s:ArchiveUnit')}
        self.groups = {g.get('id'): g for g in self.all(self.root, './/s:DataObjectGroup')}

    def all(self, element, path):
        return element.findall(path, self.space)

    def texts(self, element, path):
        return [e.text for e in self.all(element, path)]

    def text(self, element, path):
        found = self.texts(element, path)
        return found[0] if len(found) == 1 else None


class Seda(harness.EndToEnd):
    def sealed(self, source, *more):
        daemon = self.daemon(inboxes=(source, *more))
        self.prepare(daemon)
        for folder in (source, *more):
            self.ingest(daemon, folder)
        self.offer(daemon)
        return daemon

    def pull(self, daemon, version=None, **options):
        status, headers, body = daemon.request(
            'GET', ZIP + (f'?version={version}' if version else ''), **options)
        self.assertEqual(status, 200, body[:500])
        self.assertEqual(int(headers['Content-Length']), len(body))
        return headers, body

    def files_of_bag(self, daemon):
        """SHA-512 and size of each deposited file, from the bag's own bytes; the analogue items."""
        _, _, tar = daemon.request('GET', '/v1/transfers/2026-V-001/bag.tar')
        files, analogue, listed = {}, set(), {}
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                path = member.name.split('/', 1)[1]
                if path == 'manifest-sha512.txt':
                    for line in archive.extractfile(member).read().decode().splitlines():
                        listed[line[130:]] = line[:128]
                if '/representations/analogue/' in path:
                    analogue.add(path.split('/')[1])
                if '/representations/master/data/' in path:
                    body = archive.extractfile(member).read()
                    files[path] = (hashlib.sha512(body).hexdigest(), len(body))
        for path, (digest, _) in files.items():
            self.assertEqual(listed[path], digest)
        return files, analogue

    def check(self, daemon, version):
        headers, body = self.pull(daemon, version)
        self.assertIn('2026-V-001.seda.zip', headers['Content-Disposition'])
        path = self.folder / f'{version}.zip'
        path.write_bytes(body)
        if shutil.which('unzip'):
            subprocess.run(['unzip', '-tq', path], check=True, capture_output=True)
        with zipfile.ZipFile(path) as archive:
            self.assertIsNone(archive.testzip())
            names = archive.namelist()
            content = {n: archive.read(n) for n in names}
        self.assertEqual(names[0], 'manifest.xml')
        self.assertEqual(len(set(n.lower() for n in names)), len(names))
        for name in names[1:]:
            self.assertRegex(name, r'^Content/ID[A-Za-z0-9_-]{2,}\.[a-z0-9]+$')
        (self.folder / 'manifest.xml').write_bytes(content['manifest.xml'])
        self.assertEqual(judges.seda(self.folder / 'manifest.xml', version), [])
        manifest = Manifest(content['manifest.xml'], version)
        self.check_objects(daemon, manifest, content)
        self.check_units(daemon, manifest)
        return manifest

    def check_objects(self, daemon, manifest, content):
        bag, _ = self.files_of_bag(daemon)
        uris = {}
        for one in manifest.objects:
            uri = manifest.text(one, 's:Uri')
            digest = manifest.all(one, 's:MessageDigest')[0]
            self.assertEqual(digest.get('algorithm'), 'SHA-512')
            self.assertEqual(hashlib.sha512(content[uri]).hexdigest(), digest.text)
            size = manifest.text(one, 's:Size')
            self.assertEqual(size, str(len(content[uri])) if content[uri] else None)
            uris[uri] = (digest.text, len(content[uri]), manifest.text(one, 's:FileInfo/s:Filename'))
        self.assertEqual(set(uris), set(content) - {'manifest.xml'})
        self.assertEqual(sorted(uris.values()),
                         sorted((d, s, p.rsplit('/', 1)[1]) for p, (d, s) in bag.items()))

    def check_units(self, daemon, manifest):
        items = {i['item_id']: i for i in daemon.all_of('/v1/transfers/2026-V-001/items')}
        _, analogue = self.files_of_bag(daemon)
        units = {k[3:]: u for k, u in manifest.units.items() if k.startswith('AU-')}
        self.assertEqual(set(units), set(items))
        referenced = manifest.texts(manifest.root, './/s:DataObjectGroupReferenceId')
        self.assertEqual(sorted(referenced), sorted(manifest.groups))
        for slug, unit in units.items():
            record = daemon.get(f'/v1/items/{slug}')['metadata']
            said = '\n'.join(manifest.texts(unit, 's:Content/s:Description'))
            rights = record['rights']
            for kind in ('credit_line', 'owner', 'conditions'):
                for text in rights.get(kind, {}).values():
                    self.assertIn(text, said, slug)
            self.assertTrue(rights.get('credit_line') and rights.get('owner'), slug)
            self.assertIn(manifest.text(unit, 's:Content/s:AuthorizedAgent/s:Corpname'),
                          rights['owner'].values())
            titles = {e.get(LANG): e.text for e in manifest.all(unit, 's:Content/s:Title')}
            self.assertEqual(titles, record['title'])
            self.assertEqual(manifest.text(unit, 's:Content/s:OriginatingSystemId'), slug)
            if slug in analogue:
                self.assertEqual(manifest.all(unit, 's:DataObjectReference'), [])
        self.assertEqual(len(manifest.all(manifest.root, './/s:OriginatingAgencyIdentifier')), 1)
        self.assertEqual(manifest.all(manifest.root, './/s:OriginatingAgency'), [])

    def test_the_example_is_valid_in_each_version(self):
        daemon = self.sealed(harness.EXAMPLE)
        for version in VERSIONS:
            manifest = self.check(daemon, version)
        self.assertEqual(manifest.text(manifest.root, 's:MessageIdentifier'), '2026-V-001')
        self.assertEqual(manifest.text(manifest.root, 's:ArchivalAgency/s:Identifier'), 'archive')
        self.assertEqual(manifest.text(manifest.root, 's:TransferringAgency/s:Identifier'),
                         'sender')

    @harness.needs_shared('sample-collection')
    def test_the_sample_is_valid_and_groups_hold_their_parts(self):
        daemon = self.sealed(SAMPLE)
        for version in VERSIONS:
            manifest = self.check(daemon, version)
        nested = manifest.all(manifest.root, './/s:ArchiveUnit/s:ArchiveUnit/s:ArchiveUnit')
        self.assertGreater(len([u for u in nested if u.get('id').startswith('AU-')]), 0)

    def test_odd_files_and_items_without_files(self):
        source = self.folder / 'odd'
        (source / 'objects' / 'A').mkdir(parents=True)
        (source / 'metadata').mkdir()
        (source / 'objects' / 'A' / 'vide').write_bytes(b'')
        (source / 'objects' / 'A' / 'recto "1" & <2>.TIF').write_bytes(b'1')
        (source / 'objects' / 'A' / 'RECTO.jpg').write_bytes(b'1')
        (source / 'metadata' / 'metadata.csv').write_text(
            'filename,identifier,dc.title,dc.date,credit,owner,shelfmark,box\n'
            'objects/A,A-1,Dossier,vers 1920,C,O,,\n'
            ',B-1,"Boîte <b> & ""c""",1890/1900,C,O,12 Fi 4,B7\n')
        daemon = self.daemon(inboxes=(source,))
        self.prepare(daemon)
        self.ingest(daemon, source)
        self.offer(daemon)
        for version in VERSIONS:
            manifest = self.check(daemon, version)
            self.assertIn('AU-B-1', manifest.units)
            box = manifest.units['AU-B-1']
            self.assertIn('12 Fi 4', manifest.text(box, 's:Content/s:Source'))
            self.assertEqual(manifest.text(box, 's:Content/s:StartDate'), '1890')
            self.assertEqual(len(manifest.all(manifest.units['AU-A-1'], 's:ArchiveUnit')), 3)

    def test_groups_that_hold_each_other_or_nest_without_end_stand_once(self):
        source = self.folder / 'groups'
        (source / 'metadata').mkdir(parents=True)
        parts = {'A': 'B', 'B': 'A', 'C': 'C', 'D': 'E', 'F': 'E', 'G': 'NOT-HERE'}
        parts.update({f'N{n:02}': f'N{n + 1:02}' for n in range(40)})
        rows = [f',{i},T {i},C,O,Fi {i},hasPart: {parts.get(i, i + "x")}'
                for i in sorted({*parts, 'E', 'N40'})]
        (source / 'metadata' / 'metadata.csv').write_text(
            'filename,identifier,dc.title,credit,owner,shelfmark,dc.relation\n'
            + '\n'.join(rows) + '\n')
        (source / 'objects').mkdir()
        daemon = self.daemon(inboxes=(source,))
        self.prepare(daemon)
        self.ingest(daemon, source)
        self.offer(daemon)
        manifest = self.check(daemon, '2.2')
        above = {u.get('id'): a.get('id') for a in manifest.units.values()
                 for u in manifest.all(a, 's:ArchiveUnit')}
        self.assertEqual(above['AU-B'], 'AU-A')
        self.assertEqual(above['AU-A'], 'TRANSFER')
        self.assertEqual(above['AU-C'], 'TRANSFER')
        self.assertEqual(above['AU-E'], 'AU-D')
        self.assertEqual(len(above), len(manifest.units) - 1)

        def depth(unit):
            return 0 if unit == 'TRANSFER' else 1 + depth(above[unit])
        self.assertEqual(max(map(depth, above)), 16)

    def test_the_agreement_fills_what_the_archive_asks_for(self):
        daemon = self.daemon()
        self.versement(daemon, 'agreement', 'create', 'agreement', '--from-id', 'sender', '--from',
                       'Sender', '--to-id', 'archive', '--to', 'Archive', '--reference', 'CV 7',
                       '--seda-originating-agency', 'producer', '--seda-profile', 'PR-1',
                       '--seda-legal-status', 'public_archive', '--seda-acquisition', 'Versement',
                       '--seda-rule', 'access=ACC-00001', '--seda-rule', 'appraisal=APP-00001')
        self.versement(daemon, 'collection', 'create', 'collection', '--title', 'C', '--agency-id',
                       'sender', '--agency-name', 'S', '--owner', 'O', '--credit', 'C',
                       '--conditions', 'Only with source')
        self.ingest(daemon)
        self.offer(daemon)
        for version in VERSIONS:
            manifest = self.check(daemon, version)
            management = manifest.all(manifest.root, './/s:ManagementMetadata')[0]
            for name, value in (('ArchivalProfile', 'PR-1'), ('LegalStatus', 'Public Archive'),
                                ('AcquisitionInformation', 'Versement'),
                                ('OriginatingAgencyIdentifier', 'producer'),
                                ('SubmissionAgencyIdentifier', 'sender'),
                                ('AccessRule/s:Rule', 'ACC-00001'),
                                ('AppraisalRule/s:FinalAction', 'Keep')):
                self.assertEqual(manifest.text(management, 's:' + name), value)
            self.assertEqual(manifest.text(manifest.root, 's:ArchivalAgreement'), 'CV 7')
        for seda in ({'legal_status': 'public'}, {'rules': {'hold': 'X'}}, {'unknown': 'x'},
                     {'archival_profile': ' '}, {'code_lists': {'reply': 'a\nb'}}, 'x'):
            status, _, body = daemon.request('POST', '/v1/agreements', body={
                'id': 'other', 'title': {'fr': 'T'},
                'transferring_agency': {'id': 'a', 'name': 'A'},
                'archival_agency': {'id': 'b', 'name': 'B'}, 'seda': seda})
            self.assertEqual(status, 422, body)

    def test_the_bytes_stay_the_same_whatever_becomes_of_daemon_index_and_items(self):
        daemon = self.sealed(harness.EXAMPLE)
        before = {v: self.pull(daemon, v) for v in VERSIONS}
        self.assertEqual(before['2.2'][1], self.pull(daemon)[1])
        self.assertEqual(len({h['ETag'] for h, _ in before.values()}), len(VERSIONS))
        for headers, _ in before.values():
            self.assertFalse(headers['ETag'].startswith('W/'))
        daemon.stop()
        shutil.rmtree(daemon.data / 'index')
        daemon.start()
        for version, (headers, body) in before.items():
            again, bytes_again = self.pull(daemon, version)
            self.assertEqual(again['ETag'], headers['ETag'])
            self.assertTrue(bytes_again == body, version)
        self.assertEqual([n for n in os.listdir(daemon.data / 'work') if 'seda' in n], [])

    def test_ranges_conditions_and_what_is_refused(self):
        daemon = self.sealed(harness.EXAMPLE)
        headers, body = self.pull(daemon)
        tag = headers['ETag']
        joined = b''
        for first in range(0, len(body), 400_000):
            status, _, part = daemon.request('GET', ZIP, headers={
                'Range': f'bytes={first}-{first + 399_999}', 'If-Range': tag})
            self.assertEqual(status, 206)
            joined += part
        self.assertTrue(joined == body)
        status, _, part = daemon.request('GET', ZIP, headers={'Range': 'bytes=-100'})
        self.assertEqual((status, part == body[-100:]), (206, True))
        status, _, part = daemon.request('GET', ZIP, headers={'Range': 'bytes=5-9',
                                                              'If-Range': '"other"'})
        self.assertEqual((status, part == body), (200, True))
        self.assertEqual(daemon.request('GET', ZIP, headers={'If-None-Match': tag})[0], 304)
        status, head, empty = daemon.request('HEAD', ZIP)
        self.assertEqual((status, head['Content-Length'], empty), (200, str(len(body)), b''))
        for query in ('2.0', '2', 'x', '2.2%20', '', '2.2&version=2.2', '2.1&version=2.3', '2.2&version'):
            status, _, refused = daemon.request('GET', ZIP + '?version=' + query)
            self.assertEqual((status, b'invalid-parameter' in refused), (400, True), query)
        # Names that nobody knows are passed over, here as everywhere.
        self.assertEqual(daemon.request('HEAD', ZIP + '?edition=2')[1]['ETag'], tag)
        self.assertEqual(daemon.request('GET', ZIP, token=False)[0], 401)

    def test_conditions_and_head_make_no_archive(self):
        daemon = self.sealed(harness.EXAMPLE)

        def unmade(**options):
            status, headers, body = daemon.request('HEAD', ZIP, **options)
            self.assertEqual((status, headers['Content-Length'], body), (200, None, b''))
            return headers
        tag = unmade()['ETag']
        self.assertEqual(unmade()['Content-Type'], 'application/zip')
        for fields, status in (({'If-None-Match': tag}, 304), ({'If-None-Match': '*'}, 304),
                               ({'If-Match': '"another"'}, 412)):
            for method in ('GET', 'HEAD'):
                self.assertEqual(daemon.request(method, ZIP, headers=fields)[0], status, fields)
        unmade()
        headers, body = self.pull(daemon)
        self.assertEqual(headers['ETag'], tag)
        self.assertEqual(daemon.request('HEAD', ZIP)[1]['Content-Length'], str(len(body)))

    def test_who_asks_at_once_gets_the_same(self):
        daemon = self.sealed(harness.EXAMPLE)
        answers = []

        def ask():
            answers.append(daemon.request('GET', ZIP))
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole = [body for status, _, body in answers if status == 200]
        self.assertGreaterEqual(len(whole), 9)
        self.assertTrue(all(body == whole[0] for body in whole))
        for status, headers, body in answers:
            if status != 200:
                self.assertEqual((status, headers['Retry-After']), (503, '5'), body)
                self.assertIn(b'being-made', body)

    def test_a_receiver_pulls_what_is_offered_and_it_is_journaled(self):
        daemon = self.daemon()
        receiver = self.prepare(daemon).read_text().strip()
        self.ingest(daemon)
        self.versement(daemon, 'transfer', 'create', '2026-V-001', '--agreement', 'agreement',
                       '--title', 'T')
        self.versement(daemon, 'transfer', 'add', '2026-V-001', '--collection', 'collection')
        self.assertEqual(daemon.request('GET', ZIP)[0], 409)
        self.versement(daemon, 'transfer', 'seal', '2026-V-001')
        self.assertEqual(daemon.request('GET', ZIP, token=receiver)[0], 404)
        self.assertEqual(daemon.request('GET', ZIP)[0], 200)
        self.versement(daemon, 'transfer', 'offer', '2026-V-001')
        daemon.request('HEAD', ZIP, token=receiver)
        state = daemon.get('/v1/transfers/2026-V-001')['state']
        self.assertEqual(state, 'offered')
        self.pull(daemon, token=receiver)
        self.assertEqual(daemon.get('/v1/transfers/2026-V-001')['state'], 'collecting')

    def test_a_damaged_package_is_told_before_the_first_byte(self):
        daemon = self.sealed(harness.EXAMPLE)
        damaged = [p for p in (daemon.data / 'store').rglob('dc.xml')
                   if 'PP-CARTE-0001' in p.read_text()]
        for path in damaged:
            os.chmod(path, 0o644)
            path.write_bytes(path.read_bytes().replace(b'PP-CARTE-0001', b'PP-CARTE-9999'))
        status, _, body = daemon.request('GET', ZIP)
        self.assertEqual(status, 503, body)
        self.assertIn(b'content-corrupt', body)
        self.assertEqual(list((daemon.data / 'work').iterdir()), [])


class Replies(harness.EndToEnd):
    TEMPLATE = (harness.ROOT / 'tests' / 'e2e' / 'seda-reply.xml').read_text()

    def show(self, code, *arguments, status, text=None):
        path = self.folder / 'reply.xml'
        path.write_text(text or self.TEMPLATE.replace('@CODE@', code))
        return self.versement(None, *arguments, 'seda', 'show', path, status=status)

    def test_the_status_says_what_the_reply_does(self):
        for code, status in (('OK', 0), ('000', 0), ('WARNING', 2), ('FATAL', 2), ('NEW', 2),
                             ('', 2), ('KO', 1), ('203', 1)):
            self.show(code, status=status)
        self.show('', text='<a/>', status=3)
        self.versement(None, 'seda', 'show', self.folder / 'none.xml', status=3)

    def test_json_has_units_items_and_identifiers(self):
        import json
        shown = json.loads(self.show('OK', '--json', status=0))
        self.assertEqual(shown['outcome'], 'accepted')
        self.assertEqual(shown['request_identifier'], '2026-V-001')
        self.assertEqual([u['item_id'] for u in shown['units']], ['PP-CARTE-0001'])
        self.assertEqual(shown['units'][0]['system_ids'], ['aeaqaaaaaahgausqab7boak55jchzyqaaaaq'])

    def test_an_answer_to_another_transfer_is_none_to_this_one(self):
        path = self.folder / 'reply.xml'
        path.write_text(self.TEMPLATE.replace('@CODE@', 'OK'))
        self.versement(None, 'seda', 'show', path, '--transfer', '2026-V-001', status=0)
        self.versement(None, 'seda', 'show', path, '--transfer', '2026-V-002', status=2)

    def test_the_template_is_a_valid_reply(self):
        path = self.folder / 'reply.xml'
        path.write_text(self.TEMPLATE.replace('@CODE@', 'OK'))
        self.assertEqual(judges.seda(path, '2.2'), [])


if __name__ == '__main__':
    harness.main()
