"""Bags as deposits: the same item whatever the bag comes in, its tag files kept, hostile ones refused."""
import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402

PAYLOAD = {'fiche é.txt': b'one', 'sub/50%0A.bin': bytes(range(255, -1, -1)) * 1000, 'empty.txt': b''}
INFO = ('Source-Organization: Fonds Privé\nExternal-Identifier: Fonds 12/1\n'
        'External-Identifier: ark:/12345/x\nExternal-Description: Deux fiches,\n  pliées\n'
        'External-Description: Reçues en vrac\nInternal-Sender-Identifier: boîte 7\n'
        'Bagging-Date: 2024-03-01\n')


def bag_files(payload=None, info=INFO, algorithms=('sha256', 'md5'), version='1.0'):
    """The files of a bag, by path."""
    payload = PAYLOAD if payload is None else payload
    files = {'bagit.txt': f'BagIt-Version: {version}\nTag-File-Character-Encoding: UTF-8\n'.encode(),
             'bag-info.txt': info.encode(), 'notes/lettre.txt': 'Madame'.encode()}
    for name, content in payload.items():
        files['data/' + name] = content
    for algorithm in algorithms:
        files[f'manifest-{algorithm}.txt'] = ''.join(
            f'{hashlib.new(algorithm, content).hexdigest()}  '
            + ('data/' + name).replace('%', '%25') + '\n'
            for name, content in payload.items()).encode()
    tags = {name: content for name, content in files.items() if not name.startswith('data/')}
    files['tagmanifest-sha256.txt'] = ''.join(
        f'{hashlib.sha256(content).hexdigest()}  {name}\n' for name, content in tags.items()).encode()
    return files


def write_folder(target, files):
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return target


def tar_bytes(files, base='one', extra=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f'{base}/{name}' if base else name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member, io.BytesIO(b'x' * member.size))
    return out.getvalue()


def zip_bytes(files, base='one', how=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', how) as archive:
        for name, content in files.items():
            archive.writestr(f'{base}/{name}', content)
    return out.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


class BagDeposit(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / 'inbox'
        self.inbox.mkdir()
        self.served = self.daemon(inboxes=[self.inbox])
        self.prepare(self.served)

    def put(self, name, content):
        (self.inbox / name).write_bytes(content)
        return self.inbox / name

    def stored(self, item, version=1):
        """Path in the package and content of each file that was deposited."""
        files = self.served.all_of(f'/v1/items/{item}/versions/{version}/files')
        wanted = [f for f in files if '/data/' in f['path'] or '/bag/' in f['path']]
        return {f['path'].removeprefix('representations/master/'): self.served.request(
                    'GET', f"/v1/items/{item}/versions/{version}/files/{f['id']}/content")[2]
                for f in wanted}

    def outcome(self, deposit, *flags, status):
        done = self.run_versement(self.served, '--json', 'ingest', deposit, '--collection',
                                  'collection', *flags)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def nothing_left(self):
        left = [p.name for p in (self.served.data / 'work').iterdir()
                if not p.name.startswith('audit-')]
        self.assertEqual(left, [])

    def ingestions(self):
        return [e for e in self.served.all_of('/v1/events?limit=1000')
                if e['type'] == 'ingestion']

    def whole(self):
        self.versement(self.served, 'audit', 'run')
        self.assertEqual(judges.ocfl_py(self.served.data / 'store'), [])
        self.nothing_left()

    def test_every_form_gives_the_same_item(self):
        files = bag_files()
        deposits = [write_folder(self.inbox / 'one', files),
                    self.put('one.tar', tar_bytes(files)),
                    self.put('one.tar.gz', gzip.compress(tar_bytes(files))),
                    self.put('one.zip', zip_bytes(files))]
        wanted = {name if name.startswith('data/') else 'documentation/bag/' + name: content
                  for name, content in files.items()}
        described = {}
        for number, deposit in enumerate(deposits):
            dry = self.outcome(deposit, '--dry-run', status=0)
            self.assertEqual((dry['items_stored'], dry['items_unchanged']), (int(number == 0),
                                                                             int(number > 0)))
            done = self.outcome(deposit, status=0)
            self.assertEqual(done['items_stored'], int(number == 0))
            self.assertEqual(done['items_unchanged'], int(number > 0), deposit)
            self.nothing_left()
        # Each form by itself, in a store of its own.
        for deposit in deposits:
            self.served.stop()
            (self.folder / 'receiver-token').unlink(missing_ok=True)
            self.served = self.daemon(name='data-' + deposit.name, inboxes=[self.inbox])
            self.prepare(self.served)
            self.outcome(deposit, status=0)
            item = self.served.get('/v1/items/Fonds-12-1')
            self.assertEqual(self.stored('Fonds-12-1'), wanted)
            described[deposit.name] = item['metadata']
            self.check_package(deposit)
            self.whole()
        first = described['one']
        self.assertEqual(first['title'], {'fr': 'Deux fiches, pliées'})
        self.assertEqual(first['description'], {'fr': 'Reçues en vrac'})
        self.assertEqual([i['value'] for i in first['identifiers']],
                         ['Fonds 12/1', 'ark:/12345/x', 'boîte 7'])
        for name, metadata in described.items():
            self.assertEqual(metadata, first, name)

    def check_package(self, deposit):
        """The receiver's view: METS and PREMIS of the item know the bag and its tag files."""
        self.offer(self.served)
        received = self.folder / ('received-' + deposit.name)
        received.mkdir()
        self.versement(self.served, 'pull', '2026-V-001', '--to', received,
                       token=self.folder / 'receiver-token')
        package = next(p for p in received.rglob('Fonds-12-1') if p.is_dir())
        mets = (package / 'METS.xml').read_text()
        self.assertIn('documentation/bag/notes/lettre.txt', mets)
        self.assertIn('documentation/bag/tagmanifest-sha256.txt', mets)
        premis = (package / 'representations/master/metadata/preservation/premis.xml').read_text()
        self.assertIn('Sac BagIt 1.0 reçu et validé : Fonds 12/1 ; 3 fichiers', premis)
        self.assertEqual(judges.xmllint(package), [])
        if deposit.name == 'one.zip':
            self.assertEqual(judges.commons_ip(package), [])
            self.assertEqual(judges.eark(package), [])

    def test_the_journal_names_the_bag(self):
        files = bag_files()
        self.outcome(self.put('one.tar', tar_bytes(files)), status=0)
        event = self.ingestions()[-1]
        bag = event['detail']['bag']
        self.assertEqual(bag['external_identifier'], 'Fonds 12/1')
        self.assertEqual(bag['bagging_date'], '2024-03-01')
        self.assertEqual(bag['form'], 'tar')
        self.assertEqual(bag['version'], '1.0')
        self.assertEqual(set(bag['algorithms']), {'sha256', 'md5'})
        self.assertEqual(bag['payload_files'], 3)
        self.assertEqual(bag['manifests_sha512'], {
            name: hashlib.sha512(content).hexdigest() for name, content in files.items()
            if name.startswith('tagmanifest-')})

    def test_a_folder_of_folders_and_archives(self):
        bags = self.inbox / 'bags'
        write_folder(bags / 'a', bag_files(info='', payload={'x': b'a'}))
        (bags / 'b.zip').write_bytes(zip_bytes(bag_files(info='', payload={'x': b'b'}), 'b'))
        (bags / 'c.tgz').write_bytes(gzip.compress(
            tar_bytes(bag_files(info='', payload={'x': b'c'}), 'c')))
        (bags / 'd.tar').write_bytes(b'no archive')
        (bags / 'readme.txt').write_text('hello')
        found = self.outcome(bags, status=1)
        self.assertEqual({(f['code'], f.get('path', '')) for f in found['findings']},
                         {('bag-invalid', 'd.tar'), ('adopt-stray', 'readme.txt')})
        self.assertEqual(found['items_stored'], 3)
        self.assertEqual({i['id'] for i in self.served.all_of('/v1/items')}, {'a', 'b', 'c'})
        self.assertEqual(self.stored('c')['data/x'], b'c')
        self.whole()
        # Archives alone are recognised, too.
        only = self.inbox / 'only'
        only.mkdir()
        (bags / 'b.zip').rename(only / 'b.zip')
        self.assertEqual(self.outcome(only, status=0)['items_unchanged'], 1)

    def test_old_versions_and_other_charsets_are_read_rightly(self):
        content = b'x'
        files = {'bagit.txt': b'BagIt-Version: 0.97\nTag-File-Character-Encoding: ISO-8859-1\n',
                 'data/50%25 \xe9t\xe9.txt'.encode('latin-1').decode('latin-1'): content}
        name = next(n for n in files if n.startswith('data/'))
        digest = hashlib.sha384(content).hexdigest()
        files['manifest-sha384.txt'] = f'{digest}  {name}\n'.encode('latin-1')
        self.outcome(self.put('old.tar', tar_bytes(files, 'old')), status=0)
        self.assertEqual(self.stored('old')[name], content)

    def refuse(self, name, content, *reasons, code='bag-invalid'):
        entries = len(self.ingestions())
        deposit = self.put(name, content)
        for flags in (['--dry-run'], []):
            found = self.outcome(deposit, *flags, status=1)
            errors = [f for f in found['findings'] if f['severity'] == 'error']
            self.assertEqual({f['code'] for f in errors}, {code}, found['findings'])
            for reason in reasons:
                self.assertTrue(any(f['detail'].startswith(reason + ':') for f in errors),
                                f'{name}: {reason} is not in {errors}')
            self.assertEqual(found['items_rejected'], 1)
        self.assertEqual(self.served.all_of('/v1/items'), [])
        self.assertEqual(len(self.ingestions()), entries)
        self.nothing_left()

    def test_hostile_archives_are_refused_and_leave_nothing(self):
        files = bag_files()
        outside = self.folder / 'outside'
        self.refuse('up.tar', tar_bytes(files, extra=[tarfile.TarInfo('one/../../outside')]),
                    'path.traversal')
        self.refuse('root.tar', tar_bytes(files, extra=[tarfile.TarInfo(str(outside))]),
                    'path.absolute')
        self.refuse('link.tar', tar_bytes(files, extra=[link('one/data/l', '/etc/passwd')]),
                    'path.symlink-escape')
        self.refuse('hard.tar', tar_bytes(files, extra=[
            link('one/data/l', '../../../etc/passwd', tarfile.LNKTYPE)]), 'serialization.hard-link')
        fifo = tarfile.TarInfo('one/data/pipe')
        fifo.type = tarfile.FIFOTYPE
        self.refuse('fifo.tar.gz', gzip.compress(tar_bytes(files, extra=[fifo])),
                    'path.special-file')
        twice = tarfile.TarInfo('one/data/empty.txt')
        self.refuse('twice.tar', tar_bytes(files, extra=[twice]), 'serialization.duplicate')
        wrong = dict(files)
        wrong['data/fiche é.txt'] = b'two'
        for name, packed in (('wrong.tar', tar_bytes(wrong)), ('wrong.zip', zip_bytes(wrong)),
                             ('wrong.tgz', gzip.compress(tar_bytes(wrong)))):
            self.refuse(name, packed, 'checksum.mismatch')
        packed = bytearray(zip_bytes(files, how=zipfile.ZIP_STORED))
        packed[packed.index(b'Madame')] ^= 1
        self.refuse('crc.zip', bytes(packed), 'serialization.crc')
        packed = bytearray(zip_bytes(files))
        packed[packed.index(b'PK\3\4') + 14] ^= 1
        self.refuse('headers.zip', bytes(packed), 'serialization.header-mismatch')
        self.refuse('cut.tar', tar_bytes(files)[:100_000], 'serialization.truncated')
        self.refuse('cut.tgz', gzip.compress(tar_bytes(files))[:-9], 'serialization.truncated')
        self.refuse('beside.tar', tar_bytes(files, extra=[tarfile.TarInfo('beside.txt')]),
                    'serialization.top-level')
        self.refuse('none.zip', zip_bytes({'a.txt': b'a'}), 'bagit.missing')
        self.refuse('words.tar', b'not an archive at all', 'serialization.malformed')
        self.assertFalse(outside.exists())

    def test_a_bomb_is_refused_before_it_fills_the_disk(self):
        zeros = {'zero.bin': bytes(300 << 20)}
        files = bag_files(payload=zeros)
        self.refuse('bomb.zip', zip_bytes(files), 'serialization.ratio', code='bag-unexaminable')
        self.refuse('bomb.tgz', gzip.compress(tar_bytes(files)), 'serialization.ratio',
                    code='bag-unexaminable')

    def test_what_is_to_be_fetched_first_is_said(self):
        payload = dict(PAYLOAD)
        files = bag_files(payload)
        del files['data/empty.txt']
        files['fetch.txt'] = b'https://example.org/e 0 data/empty.txt\n'
        files['tagmanifest-sha256.txt'] += (
            hashlib.sha256(files['fetch.txt']).hexdigest() + '  fetch.txt\n').encode()
        self.refuse('holey.zip', zip_bytes(files), code='bag-incomplete')

    def test_killed_in_the_middle(self):
        payload = {f'{i}.bin': bytes([i % 251]) * 300_000 for i in range(400)}
        deposit = self.put('one.tar', tar_bytes(bag_files(payload, info='')))
        status, _, body = self.served.request('POST', '/v1/ingests', {
            'collection': 'collection', 'source': {'type': 'inbox', 'path': str(deposit)}})
        self.assertEqual(status, 202, body)
        ingest = json.loads(body)['id']
        work = self.served.data / 'work'
        end = time.monotonic() + 60
        while not any(p.name.startswith('unpacked-') for p in work.iterdir()):
            self.assertLess(time.monotonic(), end, 'nothing is unpacked')
        self.served.kill()
        self.assertTrue(any(p.name.startswith('unpacked-') for p in work.iterdir()))
        self.served.start()
        state = ''
        while state not in ('succeeded', 'failed'):
            self.assertLess(time.monotonic(), end, state)
            state = self.served.get('/v1/ingests/' + ingest)['state']
        self.assertEqual(state, 'succeeded')
        self.assertEqual(len([p for p in self.stored('one') if p.startswith('data/')]), 400)
        self.whole()


if __name__ == '__main__':
    harness.main()
