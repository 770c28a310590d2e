"""A data folder as an archive has it, made with the programs: the example collection or a real sample,
items with three versions, an audit, a sealed transfer, a journal of more than 256
entries; with it what a partner kept, the store of an earlier day, and a second log.

What is read of it here is read by the pages of docs/format, with no program of ours."""
import base64
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402

SAMPLE = harness.SHARED / 'sample-collection'
HEAD = 'store/versement-head.txt'
TAIL = 'journal/tail-00000000000000000000'
CONFIG = 'store/extensions/0003-hash-and-id-n-tuple-storage-layout/config.json'
ENTRY, CHECKPOINT = 1, 2
SMALL_ITEMS = 12
TOKENS = 130  # Two entries each, and no file: what makes the journal long costs the runs nothing.


# ---------------------------------------------------------------------------- the journal's bytes

def hash_of(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def tree(hashes):
    """RFC 6962, section 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hash_of()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hash_of(b'\1', tree(hashes[:split]), tree(hashes[split:]))


def root_of(entries):
    return tree([hash_of(b'\0', entry) for entry in entries])


def tiles_of(entries):
    """Every tile and bundle of a journal of less than 65,536 entries."""
    out = {}

    def put(kind, index, data, width):
        name = f'{index:03}' if width == 256 else f'{index:03}.p/{width}'
        out[f'journal/tile/{kind}/{name}'] = data

    whole = []
    for index in range(0, len(entries), 256):
        part = entries[index:index + 256]
        hashes = [hash_of(b'\0', entry) for entry in part]
        put('entries', index // 256, b''.join(struct.pack('>H', len(e)) + e for e in part), len(part))
        put('0', index // 256, b''.join(hashes), len(part))
        if len(part) == 256:
            whole.append(tree(hashes))
    if whole:
        put('1', 0, b''.join(whole), len(whole))
    return out


def header(first=0):
    start = b'versement-tail-1' + struct.pack('<Q', first)
    return start + struct.pack('<II', zlib.crc32(start), 0)


def frame(kind, index, payload):
    checked = struct.pack('<QB', index, kind) + payload
    return struct.pack('<II', len(payload), zlib.crc32(checked)) + checked


def frames_of(tail):
    """Kind, index, payload and end of each frame; behind them lies what was reserved, zeros."""
    at = 32
    while at + 17 < len(tail):
        length, _, index, kind = struct.unpack_from('<IIQB', tail, at)
        if not length:
            return
        yield kind, index, tail[at + 17:at + 17 + length], at + 17 + length
        at += 17 + length


def note_text(origin, entries):
    return f'{origin}\n{len(entries)}\n{base64.b64encode(root_of(entries)).decode()}\n'


class Key:
    """A journal's private key; openssl knows Ed25519."""

    def __init__(self, data):
        line = (data / 'secrets/journal.key').read_text().strip()
        self.name, self.hash, key = line.removeprefix('PRIVATE+KEY+').split('+', 2)
        self.der = bytes.fromhex('302e020100300506032b657004220420') + base64.b64decode(key)[1:]

    def line(self, text, name=None):
        """A signature line over this text."""
        with tempfile.TemporaryDirectory() as at:
            pathlib.Path(at, 'key').write_bytes(self.der)
            pathlib.Path(at, 'text').write_text(text)
            signature = subprocess.run(
                'openssl pkeyutl -sign -inkey key -keyform DER -rawin -in text', shell=True, cwd=at,
                check=True, capture_output=True).stdout
        signed = base64.b64encode(bytes.fromhex(self.hash) + signature).decode()
        return f'— {name or self.name} {signed}\n'

    def note(self, entries, origin=None):
        text = note_text(origin or self.name, entries)
        return f'{text}\n{self.line(text)}'.encode()


# ---------------------------------------------------------------------------- what lies there

class Object:
    def __init__(self, data, folder):
        self.folder = folder  # From the data folder on.
        self.inventory = json.loads((data / folder / 'inventory.json').read_bytes())
        self.id = self.inventory['id']
        self.head = self.inventory['head']
        self.versions = list(self.inventory['versions'])
        self.digest = {path: digest for digest, paths in self.inventory['manifest'].items()
                       for path in paths}
        self.content = sorted(self.digest)
        self.is_seal = 'v1/content/bagit.txt' in self.digest

    def logical(self, version=None):
        state = self.inventory['versions'][version or self.head]['state']
        return {path: digest for digest, paths in state.items() for path in paths}

    def payload(self, version=None):
        """Content files of the payload, of one version or of all."""
        out = set()
        for one in [version] if version else self.versions:
            out |= {self.inventory['manifest'][digest][0]
                    for path, digest in self.logical(one).items() if '/data/' in path}
        return sorted(out)


def objects_of(data):
    return [Object(data, path.parent.relative_to(data).as_posix())
            for path in sorted((data / 'store').glob('*/*/*/0=ocfl_object_1.1'))]


class Making(harness.EndToEnd):
    """The commands of the end-to-end tests, used to make data folders."""

    def runTest(self):
        place = self.folder
        inbox = place / 'inbox'
        daemon = harness.Daemon(place / 'data', [Making.collection, inbox])
        self.daemons.append(daemon)
        inbox.mkdir()
        daemon.start()
        self.prepare(daemon)
        self.ingest(daemon, Making.collection)
        self.ingest(daemon, self.deposit(inbox, 1))
        daemon.stop()
        self.keep(daemon, 'early')
        daemon.start()
        for number in range(TOKENS):
            status, _, body = daemon.request('POST', '/v1/tokens', {
                'name': f'reader-{number}', 'role': 'auditor'})
            self.assertEqual(status, 201, body)
            status, _, body = daemon.request('DELETE', '/v1/tokens/' + json.loads(body)['id'])
            self.assertEqual(status, 204, body)
        daemon.stop()
        subprocess.run(['cp', '-a', daemon.data, place / 'older'], check=True)
        daemon.start()
        self.ingest_versions(daemon, self.deposit(inbox, 2))
        self.offer(daemon)
        self.versement(daemon, 'audit', 'run')
        self.ingest_versions(daemon, self.deposit(inbox, 3))
        self.versement(daemon, 'audit', 'run')
        daemon.stop()
        self.keep(daemon, 'last')
        shutil.copy(daemon.data / 'journal/vkey', place / 'kept/vkey')
        other = harness.Daemon(place / 'other', [inbox])
        self.daemons.append(other)
        other.start()
        self.prepare_other(other, inbox)
        other.stop()

    def deposit(self, inbox, version):
        """Small items: every third has a first version only, the next two, the next three."""
        folder = inbox / f'deposit-{version}'
        (folder / 'objects').mkdir(parents=True)
        (folder / 'metadata').mkdir()
        rows = ['filename,identifier,dc.title,dc.rights,credit,owner']
        for number in range(SMALL_ITEMS):
            if version > number % 3 + 1:
                continue
            for page in range(1, 3 + version):
                name = f'Lettre {number}, page {page}.txt' if number % 2 else f'l{number}-p{page}.txt'
                text = f'Lettre {number}, page {page}.\n' * (1 + number * 20)
                if page == 2 and version > 1:
                    text = f'Relue {version}. ' + text
                (folder / 'objects' / name).write_text(text, encoding='utf-8')
                rows.append(f'"objects/{name}",LETTRE-{number},Lettre {number},Libre,Fonds,Archives')
        (folder / 'metadata/metadata.csv').write_text('\n'.join(rows) + '\n', encoding='utf-8')
        return folder

    def ingest_versions(self, daemon, folder):
        self.versement(daemon, 'ingest', folder, '--collection', 'collection', '--new-versions')

    def keep(self, daemon, name):
        (self.folder / 'kept').mkdir(exist_ok=True)
        shutil.copy(daemon.data / 'journal/checkpoint', self.folder / 'kept' / name)

    def prepare_other(self, other, inbox):
        (self.folder / 'receiver-token').unlink()
        self.prepare(other)
        self.ingest(other, inbox / 'deposit-1')

    def setUp(self):
        self.folder = Making.place
        self.daemons = []
        self.addCleanup(lambda: [daemon.kill() for daemon in self.daemons])


class RealStore:
    """Where all of it lies, and names for what is in it."""

    def __init__(self, place, collection=harness.EXAMPLE):
        Making.place, Making.collection = place, collection
        Making().debug()
        self.place, self.data, self.older = place, place / 'data', place / 'older'
        self.other, self.kept = place / 'other', place / 'kept'
        self.key, self.other_key = Key(self.data), Key(self.other)
        self.objects = objects_of(self.data)
        self.items = [one for one in self.objects if not one.is_seal]
        self.seal = next(one for one in self.objects if one.is_seal)
        self.seal_note = self.seal.folder + '/v1/content/versement/checkpoint.txt'
        self.sealed = int(self.read(self.seal_note).split(b'\n')[1])
        self.tail = self.read(TAIL).rstrip(b'\0')
        frames = list(frames_of(self.tail))
        self.entries = [payload for kind, _, payload, _ in frames if kind == ENTRY]
        self.notes = {size: payload for kind, size, payload, _ in frames if kind == CHECKPOINT}
        self.ends = {size: end for kind, size, _, end in frames if kind == CHECKPOINT}
        self.published = int(self.read('journal/checkpoint').split(b'\n')[1])
        self.early = int((self.kept / 'early').read_bytes().split(b'\n')[1])

    def read(self, path):
        return (self.data / path).read_bytes()

    def events(self, *types):
        """Index and event of the entries of these types."""
        out = [(index, json.loads(entry)) for index, entry in enumerate(self.entries)]
        return [(index, event) for index, event in out if event['type'] in types]

    def with_versions(self, count):
        return [one for one in self.items if len(one.versions) == count]
