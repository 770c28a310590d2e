"""An item as an E-ARK SIP: held against the item's package in the bag, against the judges of packages and the
rules of SIPs among theirs, and against what a client may ask of it; and what a further version says of the
checks of the one before."""
import hashlib
import io
import json
import pathlib
import random
import shutil
import sys
import xml.etree.ElementTree as ET
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402
from harness import EXAMPLE, needs_shared  # noqa: E402

METS = '{http://www.loc.gov/METS/}'
CSIP = '{https://DILCIS.eu/XML/METS/CSIPExtensionMETS}'
PREMIS = '{http://www.loc.gov/premis/v3}'
# What eark-validator 1.1.3 says of every SIP: that all creators are software (CSIP12, 13, 16) and the submitter,
# a creator, none; that METS has an attribute that it has not (SIP14); and the address of the profile of 2018.
EARK_OF_EVERY_SIP = {'CSIP12', 'CSIP13', 'CSIP16', 'SIP2', 'SIP14'}


class Sip(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.deposit = self.folder / 'deposit'
        shutil.copytree(EXAMPLE, self.deposit)
        self.served = self.daemon(inboxes=[self.deposit])
        self.receiver = self.prepare(self.served)
        self.ingest(self.served, self.deposit)

    def address(self, item, **query):
        query.setdefault('agreement', 'agreement')
        return f'/v1/items/{item}/sip.zip?' + '&'.join(f'{k}={v}' for k, v in query.items())

    def ask(self, item, method='GET', headers=None, token=True, **query):
        return self.served.request(method, self.address(item, **query), headers=headers, token=token)

    def sip(self, item, **query):
        status, _, body = self.ask(item, **query)
        self.assertEqual(status, 200, body[:500])
        return body

    def files_of(self, item, version=1):
        """The files of the package as they lie in the store."""
        found = {}
        for file in self.served.all_of(f'/v1/items/{item}/versions/{version}/files'):
            status, _, body = self.served.request('GET', file['content_url'])
            self.assertEqual(status, 200)
            found[file['path']] = body
        return found

    def unpacked(self, item, name='sips', **query):
        to = self.folder / name
        with zipfile.ZipFile(io.BytesIO(self.sip(item, **query))) as archive:
            archive.extractall(to)
        return to / item

    def object_of(self, item):
        name = self.served.get('/v1/items/' + item)['ocfl_object'].replace(':', '%3a')
        return next(p.parent for p in (self.served.data / 'store').rglob('0=ocfl_object_1.1')
                    if p.parent.name == name)

    def items(self):
        return [item['id'] for item in self.served.all_of('/v1/items')]

    def test_only_the_headers_differ(self):
        for item in self.items():
            with zipfile.ZipFile(io.BytesIO(self.sip(item))) as archive:
                self.assertIsNone(archive.testzip())
                sip = {name.removeprefix(item + '/'): archive.read(name) for name in archive.namelist()}
            aip = self.files_of(item)
            self.assertEqual(list(sip), sorted(aip, key=str.encode))
            changed = {path for path in aip if sip[path] != aip[path]}
            inner = next(p for p in aip if p.startswith('representations/') and p.count('/') == 2)
            self.assertEqual(changed, {'METS.xml', inner})
            for path in changed:
                self.check_header(sip[path], aip[path])
            named = [e for e in ET.fromstring(sip['METS.xml']).iter(METS + 'file')
                     if e[0].get('{http://www.w3.org/1999/xlink}href') == inner]
            self.assertEqual(len(named), 2)
            for each in named:
                self.assertEqual(int(each.get('SIZE')), len(sip[inner]))
                self.assertEqual(each.get('CHECKSUM'), hashlib.sha512(sip[inner]).hexdigest())

    def check_header(self, sip, aip):
        sip, aip = ET.fromstring(sip), ET.fromstring(aip)
        self.assertIn('E-ARK-SIP-v2-2-0', sip.get('PROFILE'))
        header, before = sip.find(METS + 'metsHdr'), aip.find(METS + 'metsHdr')
        self.assertEqual((header.get(CSIP + 'OAISPACKAGETYPE'), before.get(CSIP + 'OAISPACKAGETYPE')),
                         ('SIP', 'AIP'))
        added = [(e.get('ROLE'), e.get('TYPE'), [t.text for t in e])
                 for e in header.findall(METS + 'agent')][len(before.findall(METS + 'agent')):]
        self.assertEqual(added, [('CREATOR', 'ORGANIZATION', ['Sender', 'sender']),
                                 ('PRESERVATION', 'ORGANIZATION', ['Archive', 'archive'])])
        record = header.find(METS + 'altRecordID')
        self.assertEqual((record.get('TYPE'), record.text), ('SUBMISSIONAGREEMENT', 'agreement'))
        # All else is the same.
        for mets, head in ((sip, header), (aip, before)):
            mets.remove(head)
            mets.attrib.pop('PROFILE')
            for file in mets.iter(METS + 'file'):
                if file[0].get('{http://www.w3.org/1999/xlink}href').endswith('/METS.xml') \
                        and file.get('MIMETYPE') == 'application/xml':
                    file.attrib.pop('SIZE'), file.attrib.pop('CHECKSUM')
        self.assertEqual(ET.tostring(sip), ET.tostring(aip))

    @needs_shared('schemas/package.xsd')
    def test_the_judges_find_sips_clean(self):
        again = 'PP-PHOTO-0001'
        self.next_version()
        packages = [self.unpacked(item) for item in self.items()]
        packages.append(self.unpacked(again, name='first', version=1))
        self.assertEqual(judges.xmllint(*packages), [])
        for package in packages:
            found = judges.eark(package)
            self.assertEqual({one.split(' ')[0] for one in found}, EARK_OF_EVERY_SIP, found)
        if not judges.have_java():
            self.skipTest('java is not here')
        # One of each kind: photograph, map, sheet, document, and one without files.
        kinds = {package.name[:6]: package for package in packages}
        self.assertGreater(len(kinds), 3)
        chosen = sorted(kinds.values())
        self.assertEqual(judges.commons_ip(*chosen), [])
        # It does look: at the submitter, whom SIP15 wants to be one organisation, and at the digests.
        mets = chosen[0] / 'METS.xml'
        whole = mets.read_text()
        agent = whole.index('<mets:agent ROLE="CREATOR" TYPE="ORGANIZATION">')
        end = whole.index('</mets:agent>', agent) + len('</mets:agent>')
        mets.write_text(whole[:agent] + whole[end:])
        found = judges.commons_ip(chosen[0])
        self.assertTrue([f for f in found if f.startswith('SIP15 ')], found)

    def test_any_range_of_it_and_what_a_client_may_ask(self):
        item = 'PP-PHOTO-0001'
        status, fields, whole = self.ask(item)
        self.assertEqual((status, fields['Content-Type'], len(whole)),
                         (200, 'application/zip', int(fields['Content-Length'])))
        self.assertIn(f'{item}.sip.zip', fields['Content-Disposition'])
        etag = fields['ETag']
        self.assertRegex(etag, '^"[0-9a-f]{32}-sip1"$')
        status, fields, body = self.ask(item, 'HEAD')
        self.assertEqual((status, fields['ETag'], int(fields['Content-Length']), body),
                         (200, etag, len(whole), b''))
        chance = random.Random(1)
        # Around the places where stored bytes and others meet, and anywhere.
        meets = [whole.index(b'</mets:metsHdr>') - 3, whole.index(b'PROFILE='), whole.index(b'SIZE=') - 9]
        ends = [(at, min(at + 3000, len(whole) - 1)) for at in meets] + [(at - 20, at + 20) for at in meets]
        ends += [sorted(chance.choices(range(len(whole)), k=2)) for _ in range(60)]
        for first, last in ends + [(0, 0), (len(whole) - 1, len(whole) - 1)]:
            status, _, body = self.ask(item, headers={'Range': f'bytes={first}-{last}', 'If-Range': etag})
            self.assertEqual(status, 206)
            self.assertTrue(body == whole[first:last + 1], f'{first}-{last}')
        self.assertEqual(self.ask(item, headers={'If-None-Match': etag})[0], 304)
        self.assertEqual(self.ask(item, headers={'Range': f'bytes={len(whole)}-'})[0], 416)
        # The same bytes after a restart, and with an index made anew.
        self.served.stop()
        shutil.rmtree(self.served.data / 'index')
        self.served.start()
        self.assertTrue(self.sip(item) == whole)
        self.assertEqual(self.ask(item, 'HEAD')[1]['ETag'], etag)
        # Of another agreement it is another.
        self.versement(self.served, 'agreement', 'create', 'other', '--from-id', 'sender', '--from',
                       'Sender & <Sons>', '--to-id', 'archive', '--to', 'Archive')
        self.assertNotEqual(self.ask(item, 'HEAD', agreement='other')[1]['ETag'], etag)
        self.assertIn(b'<mets:name>Sender &amp; &lt;Sons&gt;</mets:name>', self.sip(item, agreement='other'))

    def expect_refusal(self, status, code, item='PP-PHOTO-0001', token=True, **query):
        answered, _, body = self.ask(item, token=token, **query)
        self.assertEqual((answered, json.loads(body)['code']), (status, code))

    def test_what_it_refuses(self):
        self.expect_refusal(400, 'invalid-parameter', agreement='')
        self.expect_refusal(400, 'invalid-parameter', record_status='new')
        self.expect_refusal(404, 'not-found', agreement='none')
        self.expect_refusal(404, 'not-found', item='none')
        self.expect_refusal(404, 'not-found', version='2')
        for version in ('0', '-1', 'x', '1x', '99999999999999999999'):
            self.expect_refusal(400, 'invalid-parameter', version=version)
        self.expect_refusal(404, 'not-found', version='4294967297')
        # A receiver sees its agreement's transfers, and no item beyond them.
        self.offer(self.served)
        receiver = self.receiver.read_text().strip()
        self.expect_refusal(403, 'scope-missing', token=receiver)
        for role, status in (('reader', 403), ('auditor', 403), ('archivist', 200)):
            file = self.folder / role
            self.versement(self.served, 'token', 'create', role, '--role', role, '--out', file)
            self.assertEqual(self.ask('PP-PHOTO-0001', token=file.read_text().strip())[0], status, role)
        # The entries of the journal are as many as before: a download is no act.
        size = self.served.get('/v1/events?limit=1000')
        self.sip('PP-PHOTO-0001')
        self.assertEqual(self.served.get('/v1/events?limit=1000'), size)

    def test_a_damaged_item_is_refused(self):
        status, _, before = self.ask('PP-PHOTO-0001')
        self.assertEqual(status, 200)
        inner = next(p for p in self.object_of('PP-PHOTO-0001').rglob('METS.xml') if 'Representations' not in p.read_text())
        whole = inner.read_bytes()
        inner.chmod(0o600)
        at = whole.index(b'<mets:fileSec')
        inner.write_bytes(whole[:at + 1] + b'M' + whole[at + 2:])
        # Nothing of it is kept over a start: the digest in METS.xml would have to be that of damaged bytes.
        self.served.stop()
        self.served.start()
        self.expect_refusal(503, 'content-corrupt')
        inner.write_bytes(whole)
        incident = self.served.all_of('/v1/incidents')
        self.assertEqual([i['item_id'] for i in incident], ['PP-PHOTO-0001'])
        self.expect_refusal(503, 'content-corrupt')  # until the incident is closed
        self.served.request('POST', f"/v1/incidents/{incident[0]['id']}/resolve",
                            {'resolution': 'repaired', 'note': 'put back by hand'})
        self.assertTrue(self.sip('PP-PHOTO-0001') == before)

    def test_the_command_writes_it(self):
        to = self.folder / 'out.zip'
        arguments = ('item', 'sip', 'PP-PHOTO-0001', '--agreement', 'agreement', '--to', to)
        self.versement(self.served, *arguments)
        self.assertTrue(to.read_bytes() == self.sip('PP-PHOTO-0001'))
        refused = self.run_versement(self.served, *arguments)
        self.assertNotEqual(refused.returncode, 0)
        self.assertTrue(to.read_bytes() == self.sip('PP-PHOTO-0001'))
        to.unlink()
        self.versement(self.served, *arguments, '--version', '1', '--replacement')
        self.assertTrue(to.read_bytes() == self.sip('PP-PHOTO-0001', record_status='REPLACEMENT'))
        self.assertFalse(to.read_bytes() == self.sip('PP-PHOTO-0001', record_status='NEW'))
        to.unlink()
        for wrong in (('--version', '2'), ('--version', '0'), ('--agreement', 'none')):
            refused = self.run_versement(self.served, *arguments, *wrong)
            self.assertNotEqual(refused.returncode, 0, wrong)
            self.assertFalse(to.exists())

    def next_version(self):
        """One item gets another title."""
        table = self.deposit / 'metadata' / 'metadata.csv'
        lines = table.read_text().splitlines(keepends=True)
        column = lines[0].split(',').index('dc.title')
        self.assertGreater(column, 0)
        title = self.served.get('/v1/items/PP-PHOTO-0001')['metadata']['title']['fr']
        self.assertIn(title, table.read_text())
        table.write_text(table.read_text().replace(title, title + ' – revue'))
        self.versement(self.served, 'ingest', self.deposit, '--collection', 'collection',
                       '--new-versions')

    def fixity_checks(self, item, version):
        """The events that tell of checks since the version before: detail, time, outcome, note."""
        path = 'representations/master/metadata/preservation/premis.xml'
        file = next(f for f in self.served.all_of(f'/v1/items/{item}/versions/{version}/files')
                    if f['path'] == path)
        status, _, premis = self.served.request('GET', file['content_url'])
        self.assertEqual(status, 200)
        found = []
        for event in ET.fromstring(premis).iter(PREMIS + 'event'):
            texts = {e.tag.removeprefix(PREMIS): e.text for e in event.iter()}
            if texts['eventType'] == 'fixity check' and 'précédente' in texts['eventDetail']:
                found.append((texts['eventDetail'], texts['eventDateTime'], texts['eventOutcome'],
                              texts.get('eventOutcomeDetailNote')))
        return found

    def audit(self):
        run = self.run_versement(self.served, '--json', 'audit', 'run')
        return json.loads(run.stdout)

    def test_a_further_version_tells_of_the_checks_before(self):
        item = 'PP-PHOTO-0001'
        outcomes = []
        victim = next(self.object_of(item).rglob('*.jpg'))
        whole = victim.read_bytes()
        victim.chmod(0o600)
        for bytes_now in (whole, whole[:-1] + bytes([whole[-1] ^ 1]), whole):
            victim.write_bytes(bytes_now)
            outcomes.append(self.audit()['verdict'])
        self.assertEqual(outcomes, ['clean', 'damaged', 'clean'])
        state = self.served.get('/v1/items/' + item)['fixity']
        self.assertEqual(self.fixity_checks(item, 1), [])
        self.next_version()
        found = self.fixity_checks(item, 2)
        self.assertEqual(len(found), 1)
        detail, time, outcome, note = found[0]
        self.assertTrue(detail.startswith('Contrôles d\'intégrité depuis la version précédente : 3, du '), detail)
        self.assertTrue(detail.endswith(' au ' + time), detail)
        self.assertEqual(time[:19], state['last_verified_at'][:19])
        self.assertEqual((outcome, note), ('warning', 'Contrôles ayant relevé un dommage : 1'))
        # They were told of; the next version tells of those since.
        table = self.deposit / 'metadata' / 'metadata.csv'
        table.write_text(table.read_text().replace(' – revue', ' – corrigée'))
        self.versement(self.served, 'ingest', self.deposit, '--collection', 'collection', '--new-versions')
        self.assertEqual(self.fixity_checks(item, 3), [])


if __name__ == '__main__':
    harness.main()
