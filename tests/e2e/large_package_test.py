"""A file of more than 8 GiB in bag.tar and bag.zip, through the programs: scripts/torture runs it.

It needs 10 GiB of disk below TMPDIR, for some minutes. What follows the large file in the archives has its
headers behind 4 and 8 GiB.
"""
import hashlib
import http.client
import io
import pathlib
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

GIB = 1 << 30
LARGE_BYTES = 9 * GIB + 12345
MARKS = {0: b'begin', 4 * GIB - 3: b'round 4 GiB', 8 * GIB - 3: b'round 8 GiB',
         LARGE_BYTES - 3: b'end'}
HEADER = 'filename,identifier,dc.title,dc.rights,credit,owner'
READ_BYTES = 4 << 20


class RemoteFile(io.RawIOBase):
    """A file behind ranges of HTTP: what a program that wants to seek needs."""

    def __init__(self, port, path, token):
        super().__init__()
        self.path, self.fields = path, {'Authorization': 'Bearer ' + token}
        self.line = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
        self.line.request('HEAD', path, headers=self.fields)
        answer = self.line.getresponse()
        answer.read()
        self.size, self.at = int(answer.headers['Content-Length']), 0

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def tell(self):
        return self.at

    def close(self):
        self.line.close()
        super().close()

    def readinto(self, into):
        count = min(len(into), self.size - self.at)
        if count <= 0:
            return 0
        self.line.request('GET', self.path, headers={
            **self.fields, 'Range': f'bytes={self.at}-{self.at + count - 1}'})
        answer = self.line.getresponse()
        data = answer.read()
        if answer.status != 206 or len(data) != count:
            raise OSError(f'{answer.status}, {len(data)} of {count} bytes')
        into[:count] = data
        self.at += count
        return count


def digest_of(stream):
    hasher = hashlib.sha512()
    while data := stream.read(READ_BYTES):
        hasher.update(data)
    return hasher.hexdigest()


class LargePackage(harness.EndToEnd):
    def test_a_member_of_over_eight_gib(self):
        inbox = self.folder / 'inbox'
        (inbox / 'objects').mkdir(parents=True)
        (inbox / 'metadata').mkdir()
        with open(inbox / 'objects' / 'large.bin', 'wb') as file:
            file.truncate(LARGE_BYTES)
            for at, mark in MARKS.items():
                file.seek(at)
                file.write(mark[:LARGE_BYTES - at])
        (inbox / 'objects' / 'z.txt').write_text('behind it')
        (inbox / 'metadata' / 'metadata.csv').write_text('\n'.join([
            HEADER, 'objects/large.bin,PP-A,Large,Free,Credit,Owner',
            'objects/z.txt,PP-B,Behind,Free,Credit,Owner']) + '\n')
        served = self.daemon(inboxes=(inbox,))
        receiver = self.prepare(served)
        self.ingest(served, inbox)
        self.offer(served)
        token = receiver.read_text().strip()
        base = '/v1/transfers/2026-V-001/'
        manifest = dict(reversed(line.split('  ', 1)) for line in served.request(
            'GET', base + 'bag/files/manifest-sha512.txt')[2].decode().splitlines())
        large = 'data/PP-A/representations/master/data/large.bin'
        self.assertIn(large, manifest)

        # The whole tar, as it arrives.
        url = served.address + base + 'bag.tar'
        with subprocess.Popen(['curl', '-sSf', '-H', 'Authorization: Bearer ' + token, url],
                              stdout=subprocess.PIPE) as curl:
            with tarfile.open(fileobj=curl.stdout, mode='r|', bufsize=READ_BYTES) as archive:
                found = {m.name.split('/', 1)[1]: (m.size, digest_of(archive.extractfile(m)))
                         for m in archive}
        self.assertEqual(curl.returncode, 0)
        self.assertEqual(found[large][0], LARGE_BYTES)
        self.assertEqual({p: d for p, (_, d) in found.items() if p.startswith('data/')}, manifest)

        # The zip by its central directory; zipfile compares the CRC-32 of what it reads to the end.
        remote = RemoteFile(served.port, base + 'bag.zip', token)
        with (io.BufferedReader(remote, READ_BYTES) as file,
              zipfile.ZipFile(file) as archive):
            infos = {i.filename.split('/', 1)[1]: i for i in archive.infolist()}
            self.assertEqual(infos[large].file_size, LARGE_BYTES)
            behind = [i for i in infos.values() if i.header_offset > 8 * GIB]
            self.assertGreater(len(behind), 3)
            for path, wanted in manifest.items():
                with archive.open(infos[path]) as member:
                    self.assertEqual(digest_of(member), wanted, path)
        # Its memory has nothing to do with the size of what it serves.
        self.assertLess(served.rss_peak_mib(), 256)


if __name__ == '__main__':
    harness.main()
