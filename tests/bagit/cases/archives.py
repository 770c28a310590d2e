"""The cases that are archives (rules 49 to 52, and others once more through an archive), and how
they are written: block by block, since a library writes no archive that is wrong. See make.py."""
import gzip
import struct
import zlib

from make import HELLO, MTIME, SECRET, Folder, Link, case

A = HELLO['a.txt']
BLOCK = 512


# tar: POSIX.1-1988 headers; pax and GNU records where a case asks for them.

def octal(value, width):
    return f'{value:0{width - 1}o}'.encode() + b'\0'


def tar_header(name, size=0, kind=b'0', link=b'', mode=0o644, magic=b'ustar\00000', size_field=None,
               rest=None):
    block = (name[:100].ljust(100, b'\0') + octal(mode, 8) + octal(0, 8) + octal(0, 8) +
             (size_field or octal(size, 12)) + octal(MTIME, 12) + b' ' * 8 + kind +
             link[:100].ljust(100, b'\0'))
    block += (magic.ljust(8, b'\0') + bytes(80) if rest is None else rest)
    block = block.ljust(BLOCK, b'\0')
    return block[:148] + f'{sum(block):06o}\0 '.encode() + block[156:]


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def tar_member(name, data=b'', **fields):
    return tar_header(name, len(data), **fields) + padded(data)


def pax_records(**records):
    out = b''
    for key, value in records.items():
        key = key.replace('__', '.')
        record = b' ' + key.encode() + b'=' + value + b'\n'
        length = len(record)
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        out += str(length).encode() + record
    return out


def pax(kind=b'x', **records):
    return tar_member(b'PaxHeaders/x', pax_records(**records), kind=kind)


def gnu_long(name, kind=b'L'):
    return tar_member(b'././@LongLink', name + b'\0', kind=kind, magic=b'ustar  \0')


def tar_split(name):
    """The prefix and name fields of ustar, or None where a name does not fit."""
    for at in range(len(name) - 1, 0, -1):
        if name[at:at + 1] == b'/' and at <= 155 and len(name) - at - 1 <= 100:
            return name[:at], name[at + 1:]
    return None


def tar_file(name, data, long='pax', **fields):
    """A file by any name: in the one field, in two, or with a record in front."""
    if len(name) <= 100 and (long != 'pax' or name.isascii()):
        return tar_member(name, data, **fields)
    if long == 'gnu':
        return gnu_long(name) + tar_member(name[:100], data, **{**fields, 'magic': b'ustar  \0'})
    if long == 'ustar':
        prefix, last = tar_split(name)
        rest = b'ustar\00000'.ljust(88, b'\0') + prefix.ljust(155, b'\0')
        return tar_member(last, data, rest=rest, **fields)
    return pax(path=name) + tar_member(name[:100], data, **fields)


def tar(name, tree, folders=True, prefix=b'', long='pax', magic=b'ustar\00000', end=bytes(2 * BLOCK),
        first=b'', more=b'', member=None, after=b''):
    """`member(path)` may return the bytes of one member in place of the usual ones; `first` and
    `more` stand before and behind all members."""
    out = [first]
    if folders:
        out.append(tar_header(prefix + name + b'/', kind=b'5', mode=0o755, magic=magic))
    for path in sorted(tree):
        node, full = tree[path], prefix + name + b'/' + path
        own = member(full, node) if member else None
        if own is not None:
            out.append(own)
        elif isinstance(node, Folder):
            if folders or path == b'data':
                out.append(tar_header(full + b'/', kind=b'5', mode=0o755, magic=magic))
        elif isinstance(node, Link):
            out.append(tar_header(full, kind=b'2', link=str(node).encode()))
        else:
            out.append(tar_file(full, node, long=long, magic=magic)
                       if magic[:6] == b'ustar\0' else tar_member(full, node, magic=magic))
    return b''.join(out) + more + end + after


def tgz(name, tree, crc=0, size=0, cut=None, after=b'', parts=1, flags=False, **options):
    data = tar(name, tree, **options)
    out, step = b'', -(-len(data) // parts)
    for at in range(0, len(data), step):
        part = data[at:at + step]
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        head = b'\x1f\x8b\x08' + (b'\x18' if flags else b'\0') + bytes(4) + b'\2\xff'
        if flags:
            head += b'bag.tar\0' + b'a comment\0'
        out += head + packer.compress(part) + packer.flush() + struct.pack(
            '<II', zlib.crc32(part) ^ crc, (len(part) + size) & 0xffffffff)
    return out[:cut] + after


# zip: APPNOTE 6.3.

class Member:
    """One member; what its two headers say may be set apart."""

    def __init__(self, name, data, method=8, flags=0x800, attributes=0o100644 << 16):
        self.name, self.data, self.method, self.flags = name, data, method, flags
        self.attributes = attributes
        self.crc, self.size = zlib.crc32(data), len(data)
        self.packed = data
        if method == 8:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            self.packed = packer.compress(data) + packer.flush()
        self.local, self.central = {}, {}
        self.descriptor = self.zip64 = False
        self.listed = True
        self.before = b''  # Bytes in front of the local header.
        self.at = None     # Where the central directory says that it is, if not there.

    def fields(self, which):
        value = {'name': self.name, 'method': self.method, 'flags': self.flags, 'crc': self.crc,
                 'packed': len(self.packed), 'size': self.size, 'extra': b''}
        if self.descriptor:
            value['flags'] |= 8
            if which == 'local':
                value.update(crc=0, packed=0, size=0)
        if self.zip64:
            value['extra'] = struct.pack('<HHQQ', 1, 16, value['size'], value['packed'])
            value.update(size=0xffffffff, packed=0xffffffff)
        value.update(self.local if which == 'local' else self.central)
        return value

    def local_bytes(self):
        f = self.fields('local')
        out = struct.pack('<4sHHHHHIIIHH', b'PK\3\4', 45 if self.zip64 else 20, f['flags'],
                          f['method'], 0, 0x5021, f['crc'], f['packed'], f['size'], len(f['name']),
                          len(f['extra'])) + f['name'] + f['extra'] + self.packed
        if self.descriptor:
            form = '<4sIQQ' if self.zip64 else '<4sIII'
            out += struct.pack(form, b'PK\7\10', self.crc, len(self.packed), self.size)
        return out

    def central_bytes(self, at):
        f = self.fields('central')
        return struct.pack('<4sHHHHHHIIIHHHHHII', b'PK\1\2', 0x31e, 45 if self.zip64 else 20,
                           f['flags'], f['method'], 0, 0x5021, f['crc'], f['packed'], f['size'],
                           len(f['name']), len(f['extra']), 0, 0, 0, self.attributes,
                           at if self.at is None else self.at) + f['name'] + f['extra']


def zip_(name, tree, folders=False, method=8, flags=0x800, change=None, more=(), comment=b'',
         after=b'', cut=None, end64=False, count=None, between=b'', descriptor=False, zip64=False):
    """`change(members)` may alter the list of members by name."""
    members = []
    if folders:
        members.append(Member(name + b'/', b'', 0, flags, (0o40755 << 16) | 0x10))
    for path in sorted(tree):
        node, full = tree[path], name + b'/' + path
        if isinstance(node, Folder):
            if folders or path == b'data':
                members.append(Member(full + b'/', b'', 0, flags, (0o40755 << 16) | 0x10))
        elif isinstance(node, Link):
            members.append(Member(full, str(node).encode(), 0, flags, 0o120777 << 16))
        else:
            members.append(Member(full, node, method, flags))
    for one in members:
        one.descriptor = descriptor and one.method == 8
        one.zip64 = zip64
    members += more
    if change:
        change({one.name[len(name) + 1:]: one for one in members}, members)
    out, places = b'', []
    for one in members:
        out += one.before
        places.append(len(out))
        out += one.local_bytes()
    out += between
    start = len(out)
    listed = [(one, at) for one, at in zip(members, places) if one.listed]
    for one, at in listed:
        out += one.central_bytes(at)
    size, number = len(out) - start, len(listed) if count is None else count
    if end64:
        at = len(out)
        out += struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, number, number, size, start)
        out += struct.pack('<4sIQI', b'PK\6\7', 0, at, 1)
        out += struct.pack('<4sHHHHIIH', b'PK\5\6', 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff,
                           len(comment))
    else:
        out += struct.pack('<4sHHHHIIH', b'PK\5\6', 0, 0, number, number, size, start, len(comment))
    return (out + comment)[:cut] + after


def pack(form, name, tree, base=None, raw_bytes=None, **options):
    """`base` is the folder at the top, when it is not named like the file."""
    if raw_bytes is not None:
        return raw_bytes
    return {'tar': tar, 'tgz': tgz, 'zip': zip_}[form](base or name, tree, **options)


FORMS = ('tar', 'tgz', 'zip')
PAYLOAD = {'a.txt': A, 'sub/b.txt': b'world\n'}

# 49: one folder at the top.
for form in FORMS:
    case(f'{form}-basic', 49, 'valid', [], 'Version 0.97 section 4: one folder, named as the file.',
         form=form, payload=PAYLOAD, pack={'folders': True})
    case(f'{form}-without-folders', 49, 'valid', [],
         'An archive may leave out the folders: the names of the files imply them.', form=form,
         payload=PAYLOAD, pack={'folders': False})
    case(f'{form}-mismatch', 41, 'invalid', ['checksum.mismatch'],
         'Section 3: every checksum of every manifest is verified.', form=form, payload=PAYLOAD,
         listed={'data/a.txt': A, 'data/sub/b.txt': b'other\n'})
    case(f'{form}-unlisted', 12, 'invalid', ['payload.unlisted'],
         'Section 3: every payload file is in every payload manifest.', form=form, payload=PAYLOAD,
         listed={'data/a.txt': A})
    case(f'{form}-missing', 12, 'invalid', ['payload.missing'],
         'Section 3: every file of every manifest is there.', form=form,
         listed={'data/a.txt': A, 'data/b.txt': A})
    case(f'{form}-tag-file-changed', 20, 'invalid', ['checksum.mismatch'],
         'Section 3: every checksum of every tag manifest is verified.', form=form,
         tags={'notes.txt': A}, after=lambda tree: tree.update({b'notes.txt': b'changed\n'}))
    case(f'{form}-with-a-hole', 32, 'incomplete', [], 'Section 2.2.3: the file is to be fetched.',
         form=form, listed={'data/a.txt': A, 'data/b.txt': A},
         fetch='https://example.org/b.txt 6 data/b.txt\n', may=['payload.missing'])
    case(f'{form}-khmer', 38, 'valid', [], 'Section 2.3: names are compared as characters.',
         form=form, payload={'ខ្មែរ/ឯកសារ.txt': A})
    case(f'{form}-nfd', 45, 'valid', [],
         'Section 6.1.1.3: the archive has the very name that the manifest lists.', form=form,
         payload={'cafe\u0301.txt': A})
    case(f'{form}-nfd-listed-as-nfc', 45, 'warning', ['name.normalization'],
         'Section 6.1.1.3: a difference of normalization only is tolerated.', form=form,
         payload={'cafe\u0301.txt': A}, listed={'data/caf\u00e9.txt': A})
    case(f'{form}-two-folders', 49, 'invalid', ['serialization.top-level'],
         'Version 0.97 section 4: one folder and nothing beside it.', form=form,
         pack={'more': [Member(b'other/x.txt', A)] if form == 'zip' else
               tar_member(b'other/x.txt', A)})
    case(f'{form}-file-beside', 49, 'invalid', ['serialization.top-level'],
         'Version 0.97 section 4: one folder and nothing beside it.', form=form,
         pack={'more': [Member(b'x.txt', A)] if form == 'zip' else tar_member(b'x.txt', A)})
    case(f'{form}-other-name', 50, 'warning', ['serialization.name'],
         'Version 0.97 section 4: the folder should be named as the file.', form=form,
         pack={'base': b'another'})
    case(f'{form}-nested', 51, 'invalid', ['serialization.nested'],
         'Version 0.97 section 4: one unpacking yields the bag.', form=form, payload={},
         listed={'data/a.txt': A}, tags={'data.tar.gz': gzip.compress(b'x', mtime=0)},
         after=lambda tree: tree.pop(b'data'), may=['payload.missing', 'data.missing'])
    for name, data in (('empty-file', b''), ('of-nonsense', b'this is no archive\n' * 100)):
        case(f'{form}-{name}', 49, 'invalid', ['serialization.malformed'],
             'Version 0.97 section 4: a file is a bag where it can be unpacked; this is no archive.',
             form=form, pack={'raw_bytes': data})
case('tgz-with-the-short-extension', 50, 'valid', [],
     'Version 0.97 section 4: the folder is named as the file without its extension.', form='tgz',
     suffix='.tgz')
case('tar-nested-tar', 51, 'valid', [], 'An archive that a manifest lists is payload like any other.',
     form='tar', payload={'inner.tar': tar(b'x', {b'y': A})})


def no_folder(name, form):
    """The bag's files at the top."""
    spec = {'payload': PAYLOAD}
    if form == 'zip':
        def change(_, members):
            for one in members:
                one.name = one.name.split(b'/', 1)[1]
        spec['pack'] = {'change': change}
    else:
        spec['pack'] = {'member': lambda full, node: tar_header(b'data/', kind=b'5')
                        if isinstance(node, Folder) else
                        tar_member(full.split(b'/', 1)[1], node), 'folders': False}
    case(name, 49, 'invalid', ['serialization.top-level'],
         'Version 0.97 section 4: one folder, and the bag in it.', form=form,
         may=['bagit.missing', 'manifest.none', 'data.missing', 'serialization.name'], **spec)


for form in FORMS:
    no_folder(f'{form}-no-folder', form)

# 52: what an archive can hide, or what looks strange and is sound. tar:
DIR = b'data/a.txt'


def with_member(new):
    """In place of data/a.txt."""
    return {'member': lambda full, node: new(full, node) if full.endswith(b'/' + DIR) else None}


case('tar-dot-in-front', 52, 'valid', [], 'A leading ./ changes nothing of what is meant.',
     form='tar', pack={'prefix': b'./'}, may=['path.dot-slash'])
case('tar-v7', 52, 'valid', [], 'The oldest headers have no magic.', form='tar',
     pack={'magic': b''})
case('tar-gnu-magic', 52, 'valid', [], 'GNU tar writes a magic of its own.', form='tar',
     pack={'magic': b'ustar  \0'})
LONG = 'long-' * 20 + '/' + 'name-' * 20 + '.txt'
case('tar-pax-long-name', 52, 'valid', [], 'pax: a name of any length in a record of its own.',
     form='tar', payload={LONG: A})
case('tar-gnu-long-name', 52, 'valid', [], 'GNU: a name of any length in a member of its own.',
     form='tar', payload={LONG: A}, pack={'long': 'gnu'})
case('tar-ustar-long-name', 52, 'valid', [], 'ustar: a name of two fields.', form='tar',
     payload={'dir-' * 18 + '/' + 'x' * 96: A}, pack={'long': 'ustar'})
case('tar-name-above-255', 48, 'warning', ['name.windows'],
     'Section 6.1.2: hardly any system takes a name of 300 bytes; an archive can.', form='tar',
     payload={'n' * 300: A})
case('tar-path-beyond-path-max', 11, 'valid', [], 'No section limits a path; here 6,000 bytes.',
     form='tar', payload={('f' * 199 + '/') * 30 + 'a.txt': A})
case('tar-pax-global', 52, 'valid', [], 'pax: a global record that tells nothing of names.',
     form='tar', pack={'first': pax(b'g', comment=b'made by hand')})
case('tar-pax-size', 52, 'valid', [], 'pax: the size of the record counts.', form='tar',
     pack=with_member(lambda full, node: pax(size=str(len(node)).encode()) +
                      tar_header(full, 0) + padded(node)))
case('tar-base-256-size', 52, 'valid', [], 'GNU: a size may be binary.', form='tar',
     pack=with_member(lambda full, node: tar_header(
         full, size_field=b'\x80' + len(node).to_bytes(11, 'big')) + padded(node)))
case('tar-negative-size', 52, 'invalid', ['serialization.malformed|serialization.truncated'],
     'No file has a negative size.', form='tar',
     pack=with_member(lambda full, node: tar_header(full, size_field=b'\xff' * 12) +
                      padded(node)),
     may=['payload.missing', 'serialization.no-end', 'manifest.none', 'bagit.missing',
          'tagfile.missing'])
case('tar-hard-link-inside', 52, 'valid', [],
     'A hard link to an earlier member has its bytes: a second name of one file.', form='tar',
     payload={'a.txt': A, 'b.txt': A}, may=['path.symlink'],
     pack={'member': lambda full, node: tar_header(full, kind=b'1', link=full[:-5] + b'a.txt')
           if full.endswith(b'data/b.txt') else None})
case('tar-hard-link-inside-with-a-wrong-checksum', 52, 'invalid', ['checksum.mismatch'],
     'A hard link to an earlier member has its bytes, and these are verified.', form='tar',
     payload={'a.txt': A, 'b.txt': b'other\n'},
     pack={'member': lambda full, node: tar_header(full, kind=b'1', link=full[:-5] + b'a.txt')
           if full.endswith(b'data/b.txt') else None})
for name, target in (('out', b'../_outside/secret.txt'), ('absolute', b'/etc/passwd'),
                     ('to-nothing', b'tar-hard-link-to-nothing/data/no'),
                     ('to-itself', b'tar-hard-link-to-itself/data/link')):
    case(f'tar-hard-link-{name}', 52, 'invalid', ['serialization.hard-link'],
         'Section 5.1: a hard link leads to an earlier member of the archive or nowhere.',
         form='tar', payload={'a.txt': A, 'link': SECRET},
         may=['payload.missing', 'path.traversal', 'path.absolute'],
         pack={'member': lambda full, node, target=target: tar_header(full, kind=b'1', link=target)
               if full.endswith(b'data/link') else None})
case('tar-link-inside', 44, 'warning', ['path.symlink'],
     'Section 3: its name is there and its bytes are right; few tools keep it so.', form='tar',
     payload={'a.txt': A, 'link': Link('a.txt')}, listed={'data/a.txt': A, 'data/link': A})
for form in FORMS:
    for name, target in (('out', '../../_outside/secret.txt'), ('absolute', '/etc/passwd')):
        case(f'{form}-link-{name}', 43, 'invalid', ['path.symlink-escape'],
             'Section 5.1: a link out of the bag is not followed, listed rightly or not.',
             form=form, payload={'a.txt': A, 'link': Link(target)},
             listed={'data/a.txt': A, 'data/link': SECRET}, may=['payload.missing'])
for name, kind in (('fifo', b'6'), ('character-device', b'3'), ('block-device', b'4')):
    case(f'tar-{name}', 52, 'invalid', ['serialization.special-file|path.special-file'],
         'Section 1.3: payload is files.', form='tar', payload={'a.txt': A, 'x': b''},
         listed={'data/a.txt': A}, may=['payload.unlisted', 'path.special-file'],
         pack={'member': lambda full, node, kind=kind: tar_header(full, kind=kind)
               if full.endswith(b'data/x') else None})
for name, path, codes in (('traversal', b'../escaped.txt', ['path.traversal']),
                          ('absolute', b'/tmp/escaped.txt', ['path.absolute'])):
    for form in ('tar', 'zip'):
        case(f'{form}-member-{name}', 43, 'invalid', codes,
             'Section 5.1: no name of a member leads out of the archive.', form=form,
             may=['serialization.top-level'],
             pack={'more': [Member(path, A)] if form == 'zip' else tar_member(path, A)})
case('tar-member-up-and-out', 43, 'invalid', ['path.traversal|path.dot-segment'],
     'Section 5.1: no name of a member leads out of the archive.', form='tar',
     may=['serialization.top-level', 'payload.unlisted', 'path.traversal', 'path.dot-segment'],
     pack={'more': tar_member(b'tar-member-up-and-out/data/../../x', A)})
for form in ('tar', 'tgz'):
    for name, data in (('same', A), ('other', b'other\n')):
        case(f'{form}-duplicate-with-the-{name}-bytes', 52, 'invalid', ['serialization.duplicate'],
             'Which of two members of one name a reader takes nobody knows.', form=form,
             may=['checksum.mismatch'],
             pack={'more': tar_member(f'{form}-duplicate-with-the-{name}-bytes/data/a.txt'.encode(),
                                      data)})
case('tar-duplicate-folder', 52, 'valid', [], 'A folder that is told of twice is one folder.',
     form='tar', pack={'folders': True, 'more': tar_header(b'tar-duplicate-folder/data/', kind=b'5')},
     may=['serialization.duplicate'])
case('tar-no-end', 52, 'warning', ['serialization.no-end'],
     'POSIX: two blocks of zeros end an archive; without them all members are there still.',
     form='tar', pack={'end': b''})
case('tar-half-an-end', 52, 'warning', ['serialization.no-end'],
     'POSIX: two blocks of zeros end an archive; without them all members are there still.',
     form='tar', pack={'end': bytes(BLOCK)})
case('tar-padded', 52, 'valid', [], 'POSIX: zeros fill the last record, of 10,240 bytes or more.',
     form='tar', pack={'after': bytes(20480)})
case('tar-trailing-data', 52, 'invalid', ['serialization.trailing-data'],
     'What follows the end belongs to no member, and hides from every reader.', form='tar',
     pack={'after': b'hidden' * 100})
case('tar-trailing-archive', 52, 'invalid', ['serialization.trailing-data'],
     'What follows the end belongs to no member, and hides from every reader.', form='tar',
     pack={'after': tar(b'x', {b'y': A})})
case('tar-truncated', 52, 'invalid', ['serialization.truncated'],
     'The last member has less bytes than its header says.', form='tar',
     pack={'more': tar_header(b'tar-truncated/notes.txt', 5000) + b'x' * 700, 'end': b''},
     may=['serialization.no-end'])
case('tar-header-checksum-wrong', 52, 'invalid', ['serialization.malformed'],
     'POSIX: a header has the sum of its bytes.', form='tar',
     pack=with_member(lambda full, node: tar_header(full, len(node)).replace(
         b'ustar\00000', b'ustar\00001') + padded(node)),
     may=['payload.missing', 'serialization.no-end', 'manifest.none', 'bagit.missing',
          'tagfile.missing'])
case('tar-gnu-sparse', 52, 'valid', [],
     'GNU: a sparse file has holes, which are zeros.', form='tar',
     payload={'a.txt': A, 'sparse.bin': b'x' * 512 + bytes(4096) + b'y' * 512},
     pack={'member': lambda full, node: tar_header(full, 1024, kind=b'S', rest=(
         b'ustar  \0'.ljust(88, b'\0') + bytes(41) + octal(0, 12) + octal(512, 12) +
         octal(4608, 12) + octal(512, 12)).ljust(226, b'\0') + octal(5120, 12)) + b'x' * 512 +
         b'y' * 512 if full.endswith(b'sparse.bin') else None})
case('tar-pax-sparse', 52, 'valid', [],
     'pax 1.0: a sparse file has a map in front of its bytes.', form='tar',
     payload={'a.txt': A, 'sparse.bin': b'x' * 512 + bytes(4096) + b'y' * 512},
     pack={'member': lambda full, node: pax(GNU__sparse__major=b'1', GNU__sparse__minor=b'0',
                                            GNU__sparse__name=full,
                                            GNU__sparse__realsize=b'5120') +
           tar_member(full[:-10] + b'GNUSparseFile.0/sparse.bin',
                      b'2\n0\n512\n4608\n512\n'.ljust(512, b'\0') + b'x' * 512 + b'y' * 512)
           if full.endswith(b'sparse.bin') else None})
case('tar-pax-record-broken', 52, 'invalid', ['serialization.malformed'],
     'pax: a record begins with its length.', form='tar',
     pack={'more': tar_member(b'PaxHeaders/x', b'99999 path=x\n', kind=b'x') +
           tar_member(b'tar-pax-record-broken/notes.txt', A)},
     may=['serialization.no-end', 'serialization.truncated'])

# tar.gz
case('tgz-of-two-members', 52, 'valid', [], 'RFC 1952 section 2.2: members of gzip follow each other.',
     form='tgz', pack={'parts': 3})
case('tgz-with-name-and-comment', 52, 'valid', [], 'RFC 1952: a header may have a name.',
     form='tgz', pack={'flags': True})
case('tgz-crc', 52, 'invalid', ['serialization.crc'], 'RFC 1952: the CRC is that of the bytes.',
     form='tgz', pack={'crc': 1})
case('tgz-length', 52, 'invalid', ['serialization.crc'], 'RFC 1952: ISIZE is the number of bytes.',
     form='tgz', pack={'size': 1})
case('tgz-truncated', 52, 'invalid', ['serialization.truncated'],
     'RFC 1952: the stream ends before its CRC.', form='tgz', pack={'cut': -20},
     may=['serialization.no-end', 'payload.missing', 'tagfile.missing', 'manifest.none',
          'serialization.malformed', 'manifest.syntax', 'tagmanifest.omits-manifest'])
case('tgz-truncated-in-the-crc', 52, 'invalid', ['serialization.truncated|serialization.crc'],
     'RFC 1952: the stream ends within its CRC.', form='tgz', pack={'cut': -5})
case('tgz-trailing-data', 52, 'invalid', ['serialization.trailing-data'],
     'What follows the end belongs to no member, and hides from every reader.', form='tgz',
     pack={'after': b'hidden' * 100})
case('tgz-trailing-data-in-the-tar', 52, 'invalid', ['serialization.trailing-data'],
     'What follows the end belongs to no member, and hides from every reader.', form='tgz',
     pack={'more': b'', 'end': bytes(1024) + b'hidden' * 1000})
case('tgz-bomb', 52, 'unexaminable', ['serialization.ratio'],
     'So few bytes that become so many are not unpacked for anybody who did not ask for it.', form='tgz',
     payload={'a.bin': bytes(1 << 27)})

# zip
case('zip-stored', 52, 'valid', [], 'APPNOTE 4.4.5: method 0 is no packing.', form='zip',
     pack={'method': 0})
case('zip-data-descriptor', 52, 'valid', [], 'APPNOTE 4.3.9: sizes may follow the bytes.',
     form='zip', pack={'descriptor': True})
case('zip-64', 52, 'valid', [], 'APPNOTE 4.3.14: sizes of 64 bits, and an end record of their own.',
     form='zip', pack={'zip64': True, 'end64': True})
case('zip-64-end-only', 52, 'valid', [], 'APPNOTE 4.3.14: an end record of 64 bits.', form='zip',
     pack={'end64': True})
case('zip-comment', 52, 'valid', [], 'APPNOTE 4.3.16: an archive may have a comment.', form='zip',
     pack={'comment': b'a comment, with PK in it'})


def of(member, **fields):
    def change(members, _):
        for key, value in fields.items():
            if isinstance(value, dict):
                getattr(members[member], key).update(value)
            else:
                setattr(members[member], key, value)
    return {'change': change}


case('zip-crc', 52, 'invalid', ['serialization.crc'], 'APPNOTE 4.4.7: the CRC is that of the bytes.',
     form='zip', pack=of(DIR, crc=1), may=['payload.missing'])
case('zip-crc-of-a-tag-file', 52, 'invalid', ['serialization.crc'],
     'APPNOTE 4.4.7: the CRC is that of the bytes, listed or not.', form='zip',
     after=lambda tree: tree.update({b'notes.txt': A}), pack=of(b'notes.txt', crc=1))
for name, fields in (('crc', {'crc': 1}), ('size', {'size': 7}), ('method', {'method': 0}),
                     ('name', {'name': b'zip-headers-differ-name/data/b.txt'})):
    case(f'zip-headers-differ-{name}', 52, 'invalid', ['serialization.header-mismatch'],
         'APPNOTE 4.3: two headers of one member say the same; which one a reader takes nobody knows.',
         form='zip', pack=of(DIR, local=fields),
         may=['serialization.crc', 'payload.missing', 'payload.unlisted', 'serialization.gap'])
case('zip-headers-differ-compressed-size', 52, 'invalid',
     ['serialization.header-mismatch|serialization.gap|serialization.malformed'],
     'APPNOTE 4.3: two headers of one member say the same; which one a reader takes nobody knows.',
     form='zip', pack=of(DIR, local={'packed': 3}),
     may=['serialization.crc', 'serialization.gap', 'serialization.malformed'])


def orphan(members, _):
    members[b'notes.txt'].listed = False


case('zip-orphan', 52, 'invalid', ['serialization.gap'],
     'A member that the directory does not list is there for some readers and not for others.',
     form='zip', after=lambda tree: tree.update({b'notes.txt': A}), pack={'change': orphan})
case('zip-bytes-between', 52, 'invalid', ['serialization.gap'],
     'Bytes between two members belong to none.', form='zip', pack=of(DIR, before=b'hidden' * 9))
case('zip-bytes-in-front', 52, 'invalid', ['serialization.gap'],
     'Bytes in front of the first member belong to none.', form='zip',
     pack=of(b'bagit.txt', before=b'#!/bin/sh\n'))
case('zip-bytes-before-the-directory', 52, 'invalid', ['serialization.gap'],
     'Bytes before the directory belong to no member.', form='zip', pack={'between': b'hidden' * 9})
case('zip-trailing-data', 52, 'invalid', ['serialization.trailing-data'],
     'Bytes behind the end record belong to no member.', form='zip', pack={'after': b'hidden' * 9},
     may=['serialization.gap'])
case('zip-encrypted', 52, 'unexaminable', ['serialization.encrypted'],
     'APPNOTE 4.4.4: bit 0 says that the bytes are encrypted: nobody can verify them.', form='zip',
     pack=of(DIR, flags=0x801), may=['payload.missing'])
case('zip-unknown-method', 52, 'unexaminable', ['serialization.method'],
     'APPNOTE 4.4.5: method 97 is WavPack: these bytes nobody here can unpack.', form='zip',
     pack=of(DIR, method=97), may=['payload.missing'])
case('zip-truncated', 52, 'invalid', ['serialization.truncated|serialization.malformed'],
     'APPNOTE 4.3.16: the end record is missing.', form='zip', pack={'cut': -30},
     may=['serialization.malformed', 'bagit.missing', 'manifest.none', 'data.missing',
          'serialization.top-level'])
case('zip-count-wrong', 52, 'invalid',
     ['serialization.malformed|serialization.header-mismatch|serialization.gap'],
     'APPNOTE 4.4.22: the end record counts the members.', form='zip', pack={'count': 2},
     may=['serialization.malformed', 'serialization.gap', 'serialization.truncated',
          'payload.missing', 'bagit.missing', 'manifest.none', 'data.missing', 'tagfile.missing',
          'tagmanifest.omits-manifest', 'serialization.trailing-data', 'payload.unlisted',
          'serialization.top-level'])
for name, data in (('same', A), ('other', b'other\n')):
    case(f'zip-duplicate-with-the-{name}-bytes', 52, 'invalid', ['serialization.duplicate'],
         'Which of two members of one name a reader takes nobody knows.', form='zip',
         may=['checksum.mismatch'],
         pack={'more': [Member(f'zip-duplicate-with-the-{name}-bytes/data/a.txt'.encode(), data)]})


def overlap(members, every):
    """Two names in the directory for the bytes of one member."""
    second = members[b'data/b.txt']
    at = 0
    for one in every:
        if one is members[DIR]:
            break
        at += len(one.local_bytes())
    second.at = at
    second.local_bytes = lambda: b''


case('zip-overlap', 52, 'invalid',
     ['serialization.gap|serialization.header-mismatch|serialization.malformed'],
     'APPNOTE 4.3: each member has bytes of its own; shared ones make bombs.', form='zip',
     payload={'a.txt': A, 'b.txt': A}, pack={'change': overlap},
     may=['serialization.header-mismatch', 'serialization.gap', 'payload.missing',
          'serialization.malformed'])
case('zip-data-behind-the-deflate-stream', 52, 'invalid',
     ['serialization.crc|serialization.malformed|serialization.gap'],
     'APPNOTE 4.4.8: the packed bytes are the stream and nothing more.', form='zip',
     pack=of(DIR, packed=Member(b'', A).packed + b'hidden' * 9),
     may=['serialization.malformed', 'payload.missing'])
case('zip-deflate-stream-broken', 52, 'invalid', ['serialization.crc|serialization.malformed'],
     'RFC 1951: block type 3 does not exist.', form='zip', pack=of(DIR, packed=b'\x07\0\0\0'),
     may=['serialization.malformed', 'payload.missing'])
case('zip-bomb', 52, 'unexaminable', ['serialization.ratio'],
     'So few bytes that become so many are not unpacked for anybody who did not ask for it.', form='zip',
     payload={'a.bin': bytes(1 << 27)})
case('zip-ratio-of-a-text', 52, 'valid', [],
     'A text that repeats itself is packed to a hundredth, and is no bomb.', form='zip',
     payload={'a.txt': b'the same line again, and a number: 1234567890\n' * 20000})
