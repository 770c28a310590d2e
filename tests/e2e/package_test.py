"""bag.tar, bag.zip and holey.tar: archives that exist nowhere, read by other people's programs."""
import glob
import hashlib
import http.client
import io
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import time
import unicodedata
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

FAKETIME = sorted(glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1'))
REFERENCE = '2026-V-001'
HEADER = 'filename,identifier,dc.title,dc.rights,credit,owner'
YEAR_SECONDS = 366 * 24 * 3600


def contents_below(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in folder.rglob('*') if p.is_file()}


def composed(contents):
    return {unicodedata.normalize('NFC', path): digest for path, digest in contents.items()}


class Package(harness.EndToEnd):
    # A name that no byte of is ASCII, one with what BagIt codes, one that tar cannot hold itself, and
    # one of nothing.
    AWKWARD = {'ផ្សារ/ផែនទី.txt': b'khmer', 'cent % + blanc #?.txt': b'percent',
               'n' * 120 + '/' + 'm' * 150 + '.txt': b'long', 'vide.txt': b''}

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / 'inbox'
        rows = [HEADER]
        for name, content in self.AWKWARD.items():
            path = self.inbox / 'awkward' / 'objects' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            rows.append(f'objects/{name},PP-ODD-0001,Title,Free,Credit,Owner')
        table = self.inbox / 'awkward' / 'metadata' / 'metadata.csv'
        table.parent.mkdir()
        table.write_text('\n'.join(rows) + '\n')
        self.clock = self.folder / 'clock'
        self.clock.write_text('+0\n')
        faked = {'LD_PRELOAD': FAKETIME[0], 'FAKETIME_TIMESTAMP_FILE': str(self.clock),
                 'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'NO_FAKE_STAT': '1'} if FAKETIME else {}
        self.served = self.daemon(inboxes=(harness.EXAMPLE, self.inbox), extra_env=faked)
        self.receiver = self.prepare(self.served)
        self.token = self.receiver.read_text().strip()
        self.ingest(self.served)
        self.ingest(self.served, self.inbox / 'awkward')
        self.offer(self.served)

    def ask(self, name, method='GET', **headers):
        """By hand: urllib would follow and decode. Status, fields and body."""
        line = http.client.HTTPConnection('127.0.0.1', self.served.port, timeout=60)
        fields = {'Authorization': 'Bearer ' + self.token,
                  **{k.replace('_', '-'): v for k, v in headers.items()}}
        line.request(method, f'/v1/transfers/{REFERENCE}/{name}', headers=fields)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return answer.status, answer.headers, body

    def fetch(self, name):
        status, fields, body = self.ask(name)
        self.assertEqual(status, 200, body[:500])
        self.assertEqual(len(body), int(fields['Content-Length']))
        return body

    def state(self):
        return self.served.get('/v1/transfers/' + REFERENCE)['state']

    def pulled(self):
        """The bag as `versement pull` brings it, by its paths."""
        to = self.folder / 'pulled'
        if not to.exists():
            self.versement(self.served, 'pull', REFERENCE, '--to', to, '--no-acknowledge',
                           token=self.receiver)
        return contents_below(to)

    def extract(self, command, name):
        to = self.folder / name
        to.mkdir()
        subprocess.run([*map(str, command)], cwd=to, check=True, capture_output=True)
        found = contents_below(to)
        shutil.rmtree(to)
        return found

    def test_other_programs_read_what_is_in_them(self):
        tar, zip_ = self.fetch('bag.tar'), self.fetch('bag.zip')
        tar_file, zip_file = self.folder / 'bag.tar', self.folder / 'bag.zip'
        tar_file.write_bytes(tar)
        zip_file.write_bytes(zip_)
        wanted = self.pulled()
        self.assertTrue(any('ផែនទី' in path for path in wanted))

        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            self.assertEqual({m.name: hashlib.sha256(archive.extractfile(m).read()).hexdigest()
                              for m in archive.getmembers()}, wanted)
        with zipfile.ZipFile(io.BytesIO(zip_)) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual({n: hashlib.sha256(archive.read(n)).hexdigest()
                              for n in archive.namelist()}, wanted)
            self.assertEqual({i.compress_type for i in archive.infolist()}, {zipfile.ZIP_STORED})
        self.assertEqual(self.extract(['tar', '-xf', tar_file], 'gnu'), wanted)
        for program, command in {
                'unzip': [['unzip', '-q', zip_file]],
                'bsdtar': [['bsdtar', '-xf', tar_file], ['bsdtar', '-xf', zip_file]]}.items():
            with self.subTest(program=program):
                if shutil.which(program) is None:
                    self.skipTest(f'{program} is not here; scripts/setup --test brings it')
                for each in command:
                    found = self.extract(each, program)
                    # libarchive composes names, so that one of the example becomes another.
                    if program == 'bsdtar':
                        found, wanted = composed(found), composed(wanted)
                    self.assertEqual(found, wanted)
        # As bags they are valid, without being unpacked.
        for file in (tar_file, zip_file):
            self.versement(None, 'bag', 'validate', file)

    def test_any_range_is_the_slice_of_the_whole(self):
        chance = random.Random(1)
        for name in ('bag.tar', 'bag.zip', 'holey.tar'):
            whole = self.fetch(name)
            etag = self.ask(name, 'HEAD')[1]['ETag']
            ends = [(0, 0), (len(whole) - 1, len(whole) - 1), (0, len(whole) - 1)]
            for first, last in ends + [sorted(chance.choices(range(len(whole)), k=2))
                                       for _ in range(60)]:
                status, fields, body = self.ask(name, Range=f'bytes={first}-{last}', If_Range=etag)
                self.assertEqual(status, 206)
                self.assertEqual(fields['Content-Range'], f'bytes {first}-{last}/{len(whole)}')
                self.assertTrue(body == whole[first:last + 1], f'{name} {first}-{last}')
            self.assertTrue(self.ask(name, Range='bytes=-700')[2] == whole[-700:])
            # Of another archive, or of several ranges at once: all of it.
            for headers in ({'Range': 'bytes=1-2', 'If_Range': '"another"'},
                            {'Range': 'bytes=0-0,5-9'}):
                status, _, body = self.ask(name, **headers)
                self.assertEqual(status, 200)
                self.assertTrue(body == whole)

    def test_only_bytes_that_leave_make_it_collecting(self):
        for name in ('bag.tar', 'bag.zip', 'holey.tar', 'bag/files/bagit.txt'):
            status, fields, body = self.ask(name, 'HEAD')
            self.assertEqual((status, body), (200, b''))
            etag, size = fields['ETag'], int(fields['Content-Length'])
            self.assertFalse(etag.startswith('W/'))
            self.assertEqual(self.ask(name, If_None_Match=etag)[0], 304)
            self.assertEqual(self.ask(name, If_Match='"another"')[0], 412)
            status, fields, _ = self.ask(name, Range=f'bytes={size}-')
            self.assertEqual((status, fields['Content-Range']), (416, f'bytes */{size}'))
            self.assertEqual(self.state(), 'offered', name)
        self.assertEqual(self.ask('bag.zip', Range='bytes=0-0')[0], 206)
        self.assertEqual(self.state(), 'collecting')

    def test_its_summary_says_what_is_served(self):
        summary = self.served.get(f'/v1/transfers/{REFERENCE}/bag')
        host = f'127.0.0.1:{self.served.port}'
        tags = set()
        for member, name, number in (('tar', 'bag.tar', 'tar1'), ('zip', 'bag.zip', 'zip1'),
                                     ('holey', 'holey.tar', 'holey1')):
            _, fields, _ = self.ask(name, 'HEAD', Host=host)
            shown = summary[member]
            self.assertEqual(shown['etag'], fields['ETag'])
            self.assertEqual(shown['size_bytes'], int(fields['Content-Length']))
            self.assertIn('-' + number, shown['etag'])
            self.assertTrue(shown['url'].endswith('/' + name))
            self.assertEqual(shown['serialisation'], 1)
            tags.add(shown['etag'])
        self.assertEqual(len(tags), 3)
        with tarfile.open(fileobj=io.BytesIO(self.fetch('bag.tar'))) as archive:
            seal = archive.extractfile(f'{REFERENCE}/versement/seal.json').read()
        self.assertIn(b'"serialisation":{"holey":1,"tar":1,"zip":1}', seal)

    def test_the_same_bytes_for_ever(self):
        names = ('bag.tar', 'bag.zip', 'holey.tar')
        before = {n: (self.fetch(n), self.ask(n, 'HEAD')[1]['ETag']) for n in names}

        def same(when):
            for name in names:
                self.assertTrue(self.fetch(name) == before[name][0], f'{name} {when}')
                self.assertEqual(self.ask(name, 'HEAD')[1]['ETag'], before[name][1], when)
        self.served.stop()
        self.served.start()
        same('after a restart')
        self.served.stop()
        shutil.rmtree(self.served.data / 'index')
        self.served.start()
        same('with an index made anew')
        if not FAKETIME:
            self.skipTest('libfaketime is not here; scripts/setup --test brings it')
        self.served.stop()
        self.clock.write_text(f'+{YEAR_SECONDS}\n')
        self.served.start()
        shown = self.ask('bag.tar', 'HEAD')[1]['Date']
        self.assertIn(str(time.gmtime(time.time() + YEAR_SECONDS).tm_year), shown)
        same('a year later')

    def holey(self):
        """The holey bag, unpacked."""
        to = self.folder / 'holey'
        with tarfile.open(fileobj=io.BytesIO(self.fetch('holey.tar'))) as archive:
            archive.extractall(to)
        return to / REFERENCE

    def test_a_holey_bag_is_completed_by_its_fetch_txt(self):
        bag = self.holey()
        self.assertEqual(list((bag / 'data').iterdir()), [])
        lines = (bag / 'fetch.txt').read_text().splitlines()
        manifest = (bag / 'manifest-sha512.txt').read_text().splitlines()
        self.assertEqual([line.split(' ', 2)[2] for line in lines],
                         [lines[0].split(' ', 2)[2]] + [m.split('  ', 1)[1] for m in manifest][:-1])
        self.assertTrue(any('cent %25 + blanc' in line for line in lines))
        self.assertTrue(all(line.startswith(self.served.address + '/v1/') for line in lines))
        host = f'127.0.0.1:{self.served.port}'
        permitted = ('--host', host, '--allow-http', '--allow-private')

        # Without its token it is told no, and the token goes where it is meant to go only.
        self.versement(None, 'bag', 'fetch', bag, *permitted, status=2)
        for wrong in (('--any-host',), ('--host', 'another.example')):
            self.versement(None, 'bag', 'fetch', bag, *permitted, *wrong, '--send-token',
                           self.receiver, status=3)
        self.versement(None, 'bag', 'fetch', bag, *permitted, '--send-token', self.receiver)

        self.versement(None, 'bag', 'validate', bag)
        found = {f'{REFERENCE}/{path}': digest for path, digest in contents_below(bag).items()
                 if path != 'fetch.txt'}
        self.assertEqual(found, self.pulled())

    def test_the_address_in_fetch_txt_is_the_one_that_is_set(self):
        _, fields, _ = self.ask('holey.tar', 'HEAD')
        self.served.stop()
        self.served.env['VERSEMENTD_SERVER__PUBLIC_URL'] = 'https://archive.example/versement'
        self.served.start()
        self.assertNotEqual(self.ask('holey.tar', 'HEAD')[1]['ETag'], fields['ETag'])
        lines = (self.holey() / 'fetch.txt').read_text().splitlines()
        self.assertTrue(all(line.startswith('https://archive.example/versement/v1/transfers/')
                            for line in lines))
        for wrong in ('archive.example', 'https://', 'https://a.example/', 'https://u@a.example',
                      'https://a.example/?x', 'ftp://a.example'):
            done = subprocess.run(
                [harness.BUILD / 'versementd', '--data', self.served.data, '--check-config'],
                capture_output=True, text=True,
                env={**os.environ, 'VERSEMENTD_SERVER__PUBLIC_URL': wrong})
            self.assertEqual(done.returncode, 3, wrong)
            self.assertIn('server.public_url', done.stderr)


class LongNames(harness.EndToEnd):
    def test_the_longest_address_in_fetch_txt_can_be_fetched(self):
        inbox = self.folder / 'inbox'
        # Each byte is three in an address: more than 8 KiB, which servers take as a rule.
        name = '/'.join(['ក' * 80] * 13) + '/a.txt'
        path = inbox / 'objects' / name
        path.parent.mkdir(parents=True)
        path.write_text('khmer')
        (inbox / 'objects' / 'b.txt').write_text('beside it, so that the path stays long')
        (inbox / 'metadata').mkdir()
        (inbox / 'metadata' / 'metadata.csv').write_text(
            f'{HEADER}\nobjects/{name},A-1,Title,Free,Credit,Owner\nobjects/b.txt,A-1,,,,\n')
        daemon = self.daemon(inboxes=(inbox,))
        token = self.prepare(daemon)
        self.ingest(daemon, inbox)
        self.offer(daemon)
        _, _, tar = daemon.request('GET', f'/v1/transfers/{REFERENCE}/holey.tar')
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            archive.extractall(self.folder / 'holey')
        bag = self.folder / 'holey' / REFERENCE
        urls = [line.split(' ')[0] for line in (bag / 'fetch.txt').read_text().splitlines()]
        self.assertGreater(max(map(len, urls)), 9000)
        host = f'127.0.0.1:{daemon.port}'
        self.versement(None, 'bag', 'fetch', bag, '--host', host, '--allow-http',
                       '--allow-private', '--send-token', token)
        self.versement(None, 'bag', 'validate', bag)
        # Beyond every path there is, and beyond what a header may have.
        for length, status in ((13_000, 404), (14_000, 400), (17_000, 431)):
            target = f'/v1/transfers/{REFERENCE}/bag/files/' + 'a' * (length - 41)
            self.assertEqual(daemon.request('GET', target)[0], status, length)


if __name__ == '__main__':
    harness.main()
