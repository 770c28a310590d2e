#!/usr/bin/env python3
"""Bags with one peculiarity each, and what RFC 8493 says of them.

    make.py --to DIR      writes the bags and DIR/expected.json

The table is rules.py (folders) and archives.py (tar, tar.gz, zip). Each expectation is derived from
the text of RFC 8493 and from nothing that a program answered; the sentence of a case says how. The
same call writes the same bytes, modes and times."""
import argparse
import hashlib
import json
import os
import pathlib
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

# When all was last changed. Long ago, so that a reader who touches access times is seen even where
# the file system keeps these relative to the changes.
MTIME = 1577836800  # 2020-01-01
ATIME = MTIME - 86400

# What lies beside the bags and no bag may reach.
OUTSIDE = '_outside'
SECRET = b'secret\n'

HELLO = {'a.txt': b'hello\n'}

# Names of algorithms as they stand in the names of manifests (section 2.4: the registered name in
# lower case, letters and digits only), and how Python calls them.
HASHES = {'md5': 'md5', 'sha1': 'sha1', 'sha224': 'sha224', 'sha256': 'sha256', 'sha384': 'sha384',
          'sha512': 'sha512', 'sha3224': 'sha3_224', 'sha3256': 'sha3_256', 'sha3384': 'sha3_384',
          'sha3512': 'sha3_512', 'blake2b512': 'blake2b', 'blake2s256': 'blake2s'}

VERDICTS = ('valid', 'warning', 'invalid', 'incomplete', 'unexaminable')

CASES = {}


class Link(str):
    """A symbolic link; the text is its target."""


class Fifo:
    """A named pipe: who opens it to read waits for ever."""


class Socket:
    pass


class Folder:
    """An empty folder."""


class Case:
    def __init__(self, name, rule, verdict, codes, why, *, strict=None, lenient=None, may=(),
                 form='dir', suffix=None, pack=None, **spec):
        assert name not in CASES, name
        assert form in ('dir', 'tar', 'tgz', 'zip'), form
        for one in (verdict, strict or verdict, lenient or verdict):
            assert one in VERDICTS, (name, one)
        assert 1 <= rule <= 52 and why.endswith('.') and '  ' not in why, name
        self.name, self.rule, self.verdict, self.why = name, rule, verdict, why
        # Each must be found; 'a|b' is one of the two. What only follows from the same fault may.
        self.codes, self.may = list(codes), list(may)
        self.strict, self.lenient = strict or verdict, lenient or verdict
        self.form, self.spec, self.pack = form, spec, pack or {}
        self.file = name + {'dir': '', 'tar': '.tar', 'tgz': '.tar.gz', 'zip': '.zip'}[form]
        if suffix is not None:
            self.file = name + suffix

    def expected(self):
        return {'case': self.name, 'file': self.file, 'form': self.form, 'rule': self.rule,
                'verdict': self.verdict, 'strict': self.strict, 'lenient': self.lenient,
                'codes': self.codes, 'may': self.may, 'why': self.why}


def case(name, rule, verdict, codes, why, **spec):
    CASES[name] = Case(name, rule, verdict, codes, why, **spec)


def raw(name):
    """A name in bytes; '\\udcXX' stands for a byte that is no UTF-8."""
    return name if isinstance(name, bytes) else name.encode('utf-8', 'surrogateescape')


def digest(algorithm, data):
    return hashlib.new(HASHES[algorithm], data).hexdigest() if algorithm in HASHES else '00' * 20


def encode_path(path, version):
    """Section 2.1.3: LF, CR and %; before 1.0 the percent sign stood for itself."""
    if version == '1.0':
        path = path.replace('%', '%25')
    return path.replace('\n', '%0A').replace('\r', '%0D')


def line_of(algorithm, path, data, blank='  '):
    return digest(algorithm, data) + blank + path


def build(payload=None, version='1.0', encoding='UTF-8', codec=None, algorithms=('sha512',),
          listed=None, blank='  ', edit=None, eol='\n', final=True, declaration=None, info=None,
          fetch=None, tags=None, before=None, tag_algorithms=('sha512',), tag_edit=None, after=None,
          prefix=b''):
    """The tree of a bag, {path in bytes: bytes or Link or …}, without its base folder.

    `listed` has what the manifests name instead of the payload; `edit(lines, algorithm)` changes
    their lines, `before(tree)` the tree ahead of the tag manifests, `after(tree)` behind them."""
    payload = HELLO if payload is None else payload
    codec = codec or encoding
    tree = {b'data': Folder()}
    for name, node in payload.items():
        tree[b'data/' + raw(name)] = node

    def text_of(lines):
        text = eol.join(lines) + (eol if final and lines else '')
        return prefix + text.encode(codec, 'surrogateescape')

    if listed is None:
        listed = {f'data/{name}': node for name, node in payload.items()
                  if isinstance(node, bytes) and isinstance(name, str)}
    for algorithm in algorithms:
        lines = [line_of(algorithm, encode_path(path, version), data, blank)
                 for path, data in listed.items()]
        if edit:
            lines = edit(lines, algorithm)
        tree[raw(f'manifest-{algorithm}.txt')] = text_of(lines)
    if declaration is None:
        declaration = f'BagIt-Version: {version}\nTag-File-Character-Encoding: {encoding}\n'.encode()
    tree[b'bagit.txt'] = declaration
    for name, node in (('bag-info.txt', info), ('fetch.txt', fetch)):
        if node is not None:
            tree[raw(name)] = node.encode(codec) if isinstance(node, str) else node
    for name, node in (tags or {}).items():
        tree[raw(name)] = node
    if before:
        before(tree)
    of_tags = {path: node for path, node in tree.items()
               if isinstance(node, bytes) and not path.startswith(b'data/')}
    for algorithm in tag_algorithms:
        lines = [line_of(algorithm, encode_path(path.decode(), version), of_tags[path])
                 for path in sorted(of_tags)]
        if tag_edit:
            lines = tag_edit(lines, algorithm)
        tree[raw(f'tagmanifest-{algorithm}.txt')] = text_of(lines)
    if after:
        after(tree)
    return tree


def set_times(folder):
    """Of everything below, links themselves included, and of the folder."""
    for name in os.listdir(folder):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            set_times(below)
            os.close(below)
        elif not stat.S_ISLNK(mode):
            os.chmod(name, 0o644, dir_fd=folder)
        os.utime(name, (ATIME, MTIME), dir_fd=folder, follow_symlinks=False)
    os.fchmod(folder, 0o755)
    os.utime(folder, (ATIME, MTIME))


def write_tree(base, tree):
    """Step by step from folder to folder: a path may be longer than one call takes."""
    base.mkdir(parents=True)
    for path in sorted(tree):
        node = tree[path]
        *folders, name = path.split(b'/')
        at = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
        for folder in folders + ([name] if isinstance(node, Folder) else []):
            try:
                os.mkdir(folder, dir_fd=at)
            except FileExistsError:
                pass
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        if isinstance(node, Link):
            os.symlink(raw(str(node)), name, dir_fd=at)
        elif isinstance(node, Fifo):
            os.mkfifo(name, dir_fd=at)
        elif isinstance(node, Socket):
            os.mknod(name, stat.S_IFSOCK | 0o644, dir_fd=at)
        elif isinstance(node, bytes):
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=at)
            with open(file, 'wb') as out:
                out.write(node)
        os.close(at)


def write(case_, folder):
    import archives
    tree = build(**case_.spec)
    place = folder / case_.file
    if case_.form == 'dir':
        write_tree(place, tree)
    else:
        place.write_bytes(archives.pack(case_.form, raw(case_.name), tree, **case_.pack))


def load():
    """Fills CASES; in an order of its own, since the two tables ask this file for its helpers."""
    import archives  # noqa: F401
    import rules  # noqa: F401
    return CASES


def make(folder):
    """Writes all of them; returns what expected.json holds."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OUTSIDE).mkdir()
    (folder / OUTSIDE / 'secret.txt').write_bytes(SECRET)
    cases = load()
    for one in cases.values():
        write(one, folder)
    expected = [one.expected() for one in cases.values()]
    (folder / 'expected.json').write_text(json.dumps(expected, indent=1) + '\n')
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    set_times(at)
    os.close(at)
    return expected


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--to', type=pathlib.Path, required=True)
    options = parser.parse_args()
    if options.to.exists() and any(options.to.iterdir()):
        sys.exit(f'{options.to} is not empty: name a new folder')
    print(f'{len(make(options.to))} bags in {options.to}')


if __name__ == '__main__':
    # The tables import this file by its name; they must fill this table and no second one.
    sys.modules['make'] = sys.modules['__main__']
    main()
