#!/usr/bin/env python3
"""A verifier of Versement's data folders that has nothing of Versement in it: written from docs/format,
with the Python library, openssl and zstd.

    stranger.py DATA [--key VKEY] [--checkpoint FILE]... [--proof FILE]...

It compares journal, tail, head and signatures, every object and byte of the store, and what each says of
the other. Exit status: 0 all of it is right, 1 something is not, 2 it could not be looked at."""
import argparse
import base64
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

FINDINGS = []
Wrong = type('Wrong', (Exception,), {})
find = lambda code, place, why='': FINDINGS.append((code, str(place), str(why)))  # noqa: E731
sha = lambda data: hashlib.sha256(data).digest()  # noqa: E731
sha512 = lambda data: hashlib.sha512(data).hexdigest()  # noqa: E731

def tree(hashes):
    """RFC 6962, 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha(b'')
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b'\1' + tree(hashes[:k]) + tree(hashes[k:]))

class Key:
    def __init__(self, text):
        self.name, self.hash, key = text.strip().split('+', 2)
        self.raw = base64.b64decode(key, validate=True)
        if self.raw[0] != 1 or sha(self.name.encode() + b'\n' + self.raw)[:4].hex() != self.hash:
            raise ValueError('no key')

    def signed(self, text, signature):
        with tempfile.TemporaryDirectory() as at:
            for file, data in (('text', text), ('signature', signature),
                               ('key', bytes.fromhex('302a300506032b6570032100') + self.raw[1:])):
                pathlib.Path(at, file).write_bytes(data)
            command = ('openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text '
                       '-sigfile signature').split()
            return subprocess.run(command, cwd=at, capture_output=True).returncode == 0

    def open(self, note):
        """Size and root hash of a checkpoint."""
        form = re.fullmatch('([^\n]+)\n([0-9]+)\n([^\n]+)\n\n((?:— [^ \n]+ [^ \n]+\n)+)', note)
        if not form:
            raise Wrong('journal-checkpoint', 'no signed note')
        text = note[:note.index('\n\n') + 1].encode()
        for line in form[4].splitlines():
            _, name, data = line.split(' ')
            raw = base64.b64decode(data)
            if (name, raw[:4].hex(), form[1]) == (self.name, self.hash, self.name) and self.signed(
                    text, raw[4:]):
                return int(form[2]), base64.b64decode(form[3], validate=True)
        raise Wrong('journal-signature', 'not signed by ' + self.name)

def check_proof(key, text):
    """C2SP tlog-proof; RFC 9162, 2.1.3.2."""
    head, note = text.split('\n\n', 1)
    form, extra, index, *path = head.split('\n')
    if form != 'c2sp.org/tlog-proof@v1' or not extra.startswith('extra '):
        raise ValueError('no proof')
    size, root = key.open(note)
    node, last = int(re.fullmatch('index ([0-9]+)', index)[1]), size - 1
    computed = sha(b'\0' + base64.b64decode(extra[6:], validate=True))
    for other in (base64.b64decode(line, validate=True) for line in path):
        if last == 0 or node > last:
            raise ValueError('the path is too long, or the entry lies behind the tree')
        if node & 1 or node == last:
            computed = sha(b'\1' + other + computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = sha(b'\1' + computed + other)
        node, last = node >> 1, last >> 1
    if last or computed != root or index != f'index {int(index[6:])}':
        raise ValueError('the entry is not in this tree')
    return size, root

def tile_name(index, width):
    text, index = f'{index % 1000:03}', index // 1000
    while index:
        text, index = f'x{index % 1000:03}/{text}', index // 1000
    return text if width == 256 else f'{text}.p/{width}'

class Journal:
    def __init__(self, folder, key):
        self.folder, self.key, self.entries, self.leaves = folder, key, [], []
        note = (folder / 'checkpoint').read_text(encoding='utf-8')
        tail = max(folder.glob('tail-' + '[0-9]' * 20), default=None)
        if tail is None:
            raise FileNotFoundError('there is no tail')
        try:
            self.size, self.root = key.open(note)
        except Wrong as wrong:
            return find(wrong.args[0], 'checkpoint', wrong.args[1])
        before = len(FINDINGS)
        self.read_bundles()
        if len(self.entries) == self.size and tree(self.leaves) != self.root:
            find('journal-root', 'checkpoint')
        if len(FINDINGS) == before:
            self.read_tail(tail)

    def take(self, entry):
        try:
            event = json.loads(entry)
            same = json.dumps(event, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
            assert same.encode() == entry and event['v'] == 1 and event['type']
        except (ValueError, AssertionError, KeyError):
            find('journal-entry', len(self.entries))
        self.entries.append(entry)
        self.leaves.append(sha(b'\0' + entry))

    def read_bundles(self):
        for start in range(0, self.size, 256):
            width = min(256, self.size - start)
            name = 'tile/entries/' + tile_name(start // 256, width)
            data = (self.folder / name).read_bytes() if (self.folder / name).exists() else b''
            found = []
            while len(data) > 1 and len(data) >= 2 + int.from_bytes(data[:2], 'big'):
                end = 2 + int.from_bytes(data[:2], 'big')
                found.append(data[2:end])
                data = data[end:]
            if data or len(found) != width:
                return find('journal-bundle', name)
            for entry in found:
                self.take(entry)
        row, level = self.leaves, 0
        while row:
            for start in range(0, len(row), 256):
                part = row[start:start + 256]
                name = f'tile/{level}/{tile_name(start // 256, len(part))}'
                file = self.folder / name
                if not file.exists() or file.read_bytes() != b''.join(part):
                    find('journal-tile', name)
            row, level = [tree(row[i:i + 256]) for i in range(0, len(row) // 256 * 256, 256)], level + 1

    def read_tail(self, file):
        data = file.read_bytes()
        first = int(file.name[5:])
        header = b'versement-tail-1' + first.to_bytes(8, 'little')
        header += zlib.crc32(header).to_bytes(4, 'little') + bytes(4)
        if data[:32] != header or first > self.size or first % 256:
            return find('journal-tail', file.name, 'its beginning')
        index, at, pending, covered = first, 32, [], 0
        while (frame := frame_at(data, at)) is not None:
            number, kind, payload, at = frame
            if kind == 1:
                if number != index:
                    find('journal-tail', file.name, f'entry {number} stands where {index} belongs')
                index += 1
                if number >= self.size:
                    pending.append(payload)
                elif self.entries[number] != payload:
                    find('journal-tail', file.name, f'entry {number} is not the one in the tiles')
                continue
            for entry in pending:
                self.take(entry)
            pending, covered = [], index
            try:
                if self.key.open(payload.decode()) != (index, tree(self.leaves[:index])):
                    find('journal-root', file.name, f'the checkpoint of size {number}')
            except (Wrong, ValueError) as wrong:
                find('journal-signature', file.name, wrong)
        behind = 0
        while at < len(data) and any(data[at:]) and behind < 2:  # Two whole ones: no crash leaves that.
            frame = frame_at(data, at)
            behind += frame is not None and frame[1] == 2
            at = frame[3] if frame else at + 1
        if behind > 1:
            find('journal-tail', file.name, 'whole groups lie behind a damaged one')
        elif covered < self.size:
            find('journal-tail', file.name, f'ends at {covered}, below the checkpoint')

    def compare(self, place, kept):
        """A checkpoint that somebody kept must be the beginning."""
        size, root = kept
        if size > len(self.leaves) or tree(self.leaves[:size]) != root:
            find('journal-rolled-back' if size > len(self.leaves) else 'journal-forked', place)

def frame_at(data, at):
    length = int.from_bytes(data[at:at + 4], 'little')
    checked = data[at + 8:at + 17 + length] if length <= 65535 else b''
    if length == 0 or len(checked) < 9 + length or checked[8] not in (1, 2) or (
            zlib.crc32(checked) != int.from_bytes(data[at + 4:at + 8], 'little')):
        return None
    return int.from_bytes(checked[:8], 'little'), checked[8], checked[9:], at + 17 + length

def inventory_of(folder):
    raw = (folder / 'inventory.json').read_bytes()
    if (folder / 'inventory.json.sha512').read_text() != sha512(raw) + '  inventory.json\n':
        raise ValueError('the sidecar does not agree')
    return raw, json.loads(raw)

def check_object(folder, root):
    """Its id and the SHA-512 of the inventory of each version. What links, empty folders and strays
    mean is left to OCFL's validators."""
    say = lambda what: find('object', folder.relative_to(root), what)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob('*')
             if path.is_symlink() or not path.is_dir()}
    if not all((folder / path).is_file() and not (folder / path).is_symlink() for path in there):
        raise ValueError('what is no file')
    raw, inventory = inventory_of(folder)
    versions = [f'v{n}' for n in range(1, len(inventory['versions']) + 1)]
    if set(inventory['versions']) != set(versions) or inventory['head'] != versions[-1]:
        say('its versions do not go from v1 to the head')
    known = {'0=ocfl_object_1.1', 'inventory.json', 'inventory.json.sha512'}
    digests = {}
    for number, version in enumerate(versions, 1):
        own, older = inventory_of(folder / version)
        digests[number] = sha512(own)
        known |= {f'{version}/inventory.json', f'{version}/inventory.json.sha512'}
        if any(older['versions'][v] != inventory['versions'][v] for v in versions[:number]):
            say(f'the inventories of {version} and of the object differ')
    if digests[len(versions)] != sha512(raw):
        say('its inventory is not that of its head')
    for digest, paths in inventory['manifest'].items():
        for path in paths:
            known.add(path)
            data = (folder / path).read_bytes()
            if sha512(data) != digest or path not in inventory['fixity']['sha256'].get(
                    hashlib.sha256(data).hexdigest(), []):
                say(f'{path} has other bytes')
    if there != known:
        say(f'files too many or too few: {sorted(there ^ known)}')
    return inventory['id'], digests

def check_store(root):
    if (root / '0=ocfl_1.1').read_bytes() != b'ocfl_1.1\n':
        raise OSError('no storage root')
    objects = {}
    for declaration in sorted(root.glob('*/*/*/0=ocfl_object_1.1')):
        try:
            identity, digests = check_object(declaration.parent, root)
            if identity in objects or declaration.read_bytes() != b'ocfl_object_1.1\n':
                find('object', identity, 'its id stands twice, or its declaration')
            objects[identity] = digests
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            find('object', declaration.parent.relative_to(root), repr(wrong))
    return objects

def compare(journal, objects):
    """Each names what the other has."""
    named = {}
    for entry in journal.entries:
        event = json.loads(entry)
        if event.get('type') in ('ingestion', 'transfer sealed'):
            versions = named.setdefault(event['objects']['object'], {})
            versions[event['objects']['version']] = event['detail']['inventory']
    for identity in sorted(named.keys() | objects.keys()):
        what = ('missing' if identity not in objects else 'unknown' if identity not in named else
                'altered' if named[identity] != objects[identity] else '')
        if what:
            find('journal-object-' + what, identity)

def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('data', type=pathlib.Path)
    parser.add_argument('--key', type=pathlib.Path)
    for name in ('--checkpoint', '--proof'):
        parser.add_argument(name, type=pathlib.Path, action='append', default=[])
    flags = parser.parse_args()
    try:
        key = Key((flags.key or flags.data / 'journal/vkey').read_text())
        kept = [(file, key.open(file.read_text(encoding='utf-8'))) for file in flags.checkpoint]
        journal = Journal(flags.data / 'journal', key)
        objects = check_store(flags.data / 'store')
    except (OSError, ValueError, KeyError, Wrong) as wrong:
        print('not checked:', wrong, file=sys.stderr)
        return 2
    for file in flags.proof:
        try:
            kept.append((file, check_proof(key, file.read_text(encoding='utf-8'))))
        except (ValueError, TypeError, Wrong) as wrong:
            find('proof', file, wrong)
    if not any(code.startswith('journal-') for code, _, _ in FINDINGS):
        for code, pattern in (('journal-head', 'store/versement-head.txt'),
                              ('journal-key', 'store/*/*/*/v1/content/versement/checkpoint.txt')):
            for file in sorted(flags.data.glob(pattern)):
                try:
                    kept.append((file, key.open(file.read_text(encoding='utf-8'))))
                except (ValueError, Wrong) as wrong:
                    find(code, file, wrong)
        for place, checkpoint in kept:
            journal.compare(place, checkpoint)
    compare(journal, objects)
    for each in FINDINGS:
        print('  '.join(each))
    print(f'{len(journal.entries)} entries, {len(objects)} objects, {len(FINDINGS)} findings')
    return 1 if FINDINGS else 0

if __name__ == '__main__':
    sys.exit(main())
