"""What can be done to a data folder, as a table: damages, forgeries by somebody who can write the disk
and knows docs/format, and changes that harm nothing. Each says what the programs must say of it.

Which object, file or bit is meant, chance says. `check`, `verify` and `partner` name what must be
found by `store check`, by `journal verify`, and by `journal verify` with the key and the two
checkpoints that a partner kept."""
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess

from real_store import CHECKPOINT, ENTRY, HEAD, TAIL, frame, header, tiles_of

KINDS = {}


class Kind:
    def __init__(self, name, group, sentence, function, arguments):
        self.name, self.group, self.sentence = name, group, sentence
        self.function, self.arguments = function, arguments
        self.of_sample = False
        self.cell = None  # Of a kind that is one thing done to one file: the two numbers of it.


def add(group, name, sentence, function, *arguments):
    assert name not in KINDS, name
    KINDS[name] = Kind(name, group, sentence, function, arguments)
    return KINDS[name]


def of(group):
    def with_sentence(sentence):
        def register(function):
            add(group, function.__name__.replace('_', '-'), sentence, function)
            return function
        return register
    return with_sentence


damage, forgery, harmless = of('damage'), of('forgery'), of('harmless')


class NotHere(Exception):
    """What the kind needs is not here: the sample collection, or the rights of root."""


def compact(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(',', ':')).encode()


def sidecar(inventory, algorithm='sha512'):
    return f'{hashlib.new(algorithm, inventory).hexdigest()}  inventory.json\n'.encode()


def place_of(id_):
    """Where the layout puts an object, from the data folder on."""
    digest = hashlib.sha256(id_.encode()).hexdigest()
    name = ''.join(c if c.isascii() and (c.isalnum() or c in '-_') else f'%{ord(c):02x}' for c in id_)
    return f'store/{digest[:2]}/{digest[2:4]}/{name}'


def infos_of(folder):
    """A folder and each path in it, with its lstat."""
    yield str(folder), os.lstat(folder)
    folders = [folder]
    while folders:
        for entry in os.scandir(folders.pop()):
            yield entry.path, entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)


def in_journal(path):
    return path.removeprefix('journal/')


class Change:
    """A copy of the data folder, what is done to it, and what must be said of it."""

    def __init__(self, store, data, chance):
        self.store, self.data, self.chance = store, data, chance
        self.expected = {'check': set(), 'verify': set(), 'partner': set()}
        self.touched = set()   # Ids of the objects of which something may be said.
        self.keep_times = False  # They are what the kind is about.
        self.without_key = False
        self.kept = []         # Checkpoints that the partner kept besides.
        self.status = {}       # Where it is not 1 with findings, 0 without.
        self.gap = None
        self.before = dict(infos_of(data))
        self.journal_before = self.journal_files()

    # ------------------------------------------------------------------------ changing

    def path(self, name):
        return self.data / name

    def writable(self, folder):
        """Of root every folder is; anybody else needs the right."""
        while not folder.exists():
            folder = folder.parent
        folder.chmod(folder.stat().st_mode | 0o700)

    def read(self, name):
        return self.path(name).read_bytes()

    def write(self, name, data):
        path = self.path(name)
        self.writable(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            path.unlink()
        path.write_bytes(data)
        path.chmod(0o444)

    def remove(self, *names):
        for name in names:
            path = self.path(name)
            self.writable(path.parent)
            if path.is_dir() and not path.is_symlink():
                for folder, _, _ in os.walk(path):
                    os.chmod(folder, 0o700)
                shutil.rmtree(path)
            else:
                path.unlink()

    def move(self, name, to):
        source, target = self.path(name), self.path(to)
        self.writable(source.parent)
        self.writable(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = source.stat().st_mode
        source.chmod(mode | 0o200)
        source.rename(target)
        target.chmod(mode)

    def copy(self, source, name):
        """From anywhere into the folder."""
        target = self.path(name)
        self.writable(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(['cp', '-a', source, target], check=True)

    def keep(self, name):
        """The checkpoint of this moment."""
        self.kept.append(self.data.parent / name)
        shutil.copy(self.path('journal/checkpoint'), self.kept[-1])

    def edit(self, name, change):
        before = self.read(name)
        after = change(before)
        assert after != before, f'{name} is as it was'
        self.write(name, after)

    def flip(self, name, first=0, last=None):
        """One bit; between these places, where they are given."""
        at = self.chance.randrange(first, last or len(self.read(name)))
        bit = 1 << self.chance.randrange(8)
        self.edit(name, lambda data: data[:at] + bytes([data[at] ^ bit]) + data[at + 1:])

    def journal_files(self):
        """What `journal verify` reads. Nobody can put it back: whoever changes a file writes it anew. (Of
        a folder the time is another once it was listed.)"""
        paths = [info for name in ('journal', 'evidence', 'versement.json', HEAD, self.store.seal_note)
                 if self.path(name).exists() for info in self.infos_below(self.path(name))]
        return {path: (info.st_ino, 0 if stat.S_ISDIR(info.st_mode) else info.st_ctime_ns)
                for path, info in paths}

    @staticmethod
    def infos_below(path):
        return infos_of(path) if path.is_dir() else [(str(path), path.lstat())]

    def touches_journal(self):
        return self.journal_files() != self.journal_before

    def restore_times(self):
        """Modes and times as they were: a damage that a listing shows would be none to look for."""
        for path, now in infos_of(self.data):
            was = self.before.get(path)
            if was is None or stat.S_IFMT(was.st_mode) != stat.S_IFMT(now.st_mode):
                was = next(iter(self.before.values()))  # What is new is no newer than the others.
            elif was.st_mode != now.st_mode and not stat.S_ISLNK(now.st_mode):
                os.chmod(path, stat.S_IMODE(was.st_mode))
            if (now.st_mtime_ns, now.st_atime_ns) != (was.st_mtime_ns, was.st_atime_ns):
                os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns), follow_symlinks=False)

    # ------------------------------------------------------------------------ what must be said

    def about(self, *objects):
        self.touched.update(one.id for one in objects)

    def check(self, *findings):
        """Code (or codes, of which one), object, path: in each of them one finding at least."""
        self.expected['check'].update(findings)
        self.touched.update(object_ for _, object_, _ in findings)

    def of(self, one, *codes_and_paths):
        self.about(one)
        self.check(*[(code, one.id, path) for code, path in codes_and_paths])

    def altered(self, one, *versions):
        self.of(one, *[('journal-object-altered', where + 'inventory.json')
                       for where in ('', *[version + '/' for version in versions])])

    def verify(self, *findings):
        """Code and file. The check verifies the journal, too, and so does a partner."""
        for who in ('verify', 'partner'):
            self.expected[who].update(findings)
        self.check(*[(code, 'journal', file) for code, file in findings])

    def partner(self, *findings):
        """What only those see who kept something."""
        self.expected['partner'].update(findings)

    def cannot(self, who, *findings):
        """It says that it could not look: status 2."""
        self.expected[who] = set(findings)
        self.status[who] = 2

    def known_gap(self, why, check=(), status=0):
        """Nobody finds it as what it is. `check` is all that the check says today, with this status."""
        self.gap = why
        self.check(*check)
        self.status['check'] = status

    # ------------------------------------------------------------------------ choosing

    def an_item(self, objects=None):
        return self.chance.choice(objects or self.store.items)

    def two_items(self):
        return self.chance.sample(self.store.with_versions(1), 2)

    # ------------------------------------------------------------------------ inventories

    def inventory(self, one, version=None):
        where = f'{one.folder}/{version}' if version else one.folder
        return json.loads(self.read(f'{where}/inventory.json'))

    def put_inventory(self, folder, inventory, algorithm='sha512'):
        data = inventory if isinstance(inventory, bytes) else compact(inventory)
        self.write(f'{folder}/inventory.json', data)
        self.write(f'{folder}/inventory.json.{algorithm}', sidecar(data, algorithm))

    def forge(self, one, change, versions=None, object_too=True):
        """The same change in these versions' inventories (only the newest, if none is named) and the
        object's, with every sidecar adjusted."""
        self.about(one)
        for version in versions or [one.head]:
            before = self.inventory(one, version)
            after = change(json.loads(json.dumps(before)))
            assert after != before
            self.put_inventory(f'{one.folder}/{version}', after)
            if version == one.head and object_too:
                self.put_inventory(one.folder, after)

    def replace_content(self, one, path, data):
        """Other bytes, and everything that every inventory of the object says of them."""
        was = self.read(f'{one.folder}/{path}')
        assert was != data
        self.write(f'{one.folder}/{path}', data)

        def change(inventory):
            text = compact(inventory)
            for name in ('sha512', 'sha256', 'sha1', 'md5'):
                text = text.replace(hashlib.new(name, was).hexdigest().encode(),
                                    hashlib.new(name, data).hexdigest().encode())
            return json.loads(text)

        having = [v for v in one.versions if path in json.dumps(self.inventory(one, v)['manifest'],
                                                                ensure_ascii=False)]
        self.forge(one, change, having)
        return having

    def roll_back(self, one):
        """The object as it was before its newest version."""
        self.about(one)
        self.remove(f'{one.folder}/{one.head}')
        for name in ('inventory.json', 'inventory.json.sha512'):
            self.write(f'{one.folder}/{name}', self.read(f'{one.folder}/{one.versions[-2]}/{name}'))

    def remove_object(self, one):
        """With the folders that led to it alone."""
        self.about(one)
        folder = pathlib.PurePosixPath(one.folder)
        self.remove(one.folder)
        for parent in list(folder.parents)[:2]:
            if not list(self.path(parent).iterdir()):
                self.remove(parent)

    # ------------------------------------------------------------------------ the journal

    def put_journal(self, entries, note, keep=0, head=True):
        """The journal that has these entries under this note. Up to the size `keep` the tail stays as
        it was, with its checkpoints."""
        tail = self.store.tail[:self.store.ends[keep]] if keep else header()
        tail += b''.join(frame(ENTRY, index, entry) for index, entry in enumerate(entries)
                         if index >= keep)
        if len(entries) > keep or not keep:
            tail += frame(CHECKPOINT, len(entries), note)
        self.write(TAIL, tail)
        self.put_tiles(entries)
        self.write('journal/checkpoint', note)
        if head:
            self.write(HEAD, note)

    def put_tiles(self, entries):
        self.remove('journal/tile')
        for name, data in tiles_of(entries).items():
            self.write(name, data)

    def edited(self, index, change):
        """All entries, of which this one says something else."""
        entries = list(self.store.entries)
        event = json.loads(entries[index])
        change(event)
        entries[index] = compact(event)
        assert entries[index] != self.store.entries[index]
        return entries

    def an_event(self, *types):
        return self.chance.choice(self.store.events(*types))
