"""Damages: what disks, transfers and careless hands do to files of a data folder."""
import hashlib
import os

from kinds import NotHere, add, damage, in_journal
from real_store import CONFIG, HEAD, SAMPLE, TAIL

def content_of(pick):
    """A target: an object, and one of its content files of at least two bytes."""
    def choose(d):
        one, paths = pick(d)
        paths = [path for path in paths if d.path(f'{one.folder}/{path}').stat().st_size > 1]
        if not paths:
            raise NotHere('no such file')
        return one, d.chance.choice(paths)
    return choose


def ending(*ends):
    """The content files with such a name, of any item that has one."""
    def pick(d):
        having = [one for one in d.store.items if any(p.endswith(ends) for p in one.content)]
        one = d.an_item(having)
        return one, [path for path in one.content if path.endswith(ends)]
    return content_of(pick)


@content_of
def payload(d):
    one = d.an_item([one for one in d.store.items if one.payload()])
    return one, one.payload()


@content_of
def old_payload(d):
    """That the newest version does not have any more."""
    having = [one for one in d.store.items if set(one.payload()) - set(one.payload(one.head))]
    one = d.an_item(having)
    return one, sorted(set(one.payload()) - set(one.payload(one.head)))


@content_of
def new_payload(d):
    """That a later version brought."""
    one = d.an_item([one for one in d.store.items if any(p[:3] != 'v1/' for p in one.payload())])
    return one, [path for path in one.payload() if not path.startswith('v1/')]


@content_of
def large_payload(d):
    size = lambda pair: d.path(f'{pair[0].folder}/{pair[1]}').stat().st_size
    pairs = sorted(((one, path) for one in d.store.items for path in one.payload()), key=size)
    one, path = d.chance.choice(pairs[-5:])
    return one, [path]


@content_of
def renamed_payload(d):
    """Below x/: its name in the deposit is none for a disk."""
    one = d.an_item([one for one in d.store.items if any('/x/' in p for p in one.content)])
    return one, [path for path in one.content if '/x/' in path]


@content_of
def sample_payload(d):
    """Of the real sample: scans, books, maps."""
    digests = {hashlib.sha512(path.read_bytes()).hexdigest() for path in SAMPLE.rglob('*')
               if path.is_file()}
    one = d.an_item([one for one in d.store.items if digests & set(one.digest.values())])
    return one, [path for path in one.content if one.digest[path] in digests]


def of_seal(*ends):
    return content_of(lambda d: (d.store.seal, [p for p in d.store.seal.content if p.endswith(ends)]))


TARGETS = {
    'payload': payload, 'old-payload': old_payload, 'new-payload': new_payload,
    'large-payload': large_payload, 'renamed-payload': renamed_payload,
    'sample-payload': sample_payload, 'mets': ending('content/METS.xml'),
    'representation-mets': ending('master/METS.xml'), 'premis': ending('premis.xml'),
    'dublin-core': ending('dc.xml'), 'readme': ending('LISEZ-MOI.txt', 'notice.txt'),
    'schema': ending('catalog.xml'), 'seal-manifest': of_seal('manifest-sha512.txt'),
    'seal-record': of_seal('seal.json'), 'seal-checkpoint': of_seal('checkpoint.txt'),
    'seal-list': of_seal('bordereau.csv', 'bordereau.pdf', 'bordereau.xml', 'bordereau.html')}


def other_bytes(change):
    """A way that leaves a file with other bytes under its name."""
    def way(d, target):
        one, path = target(d)
        name = f'{one.folder}/{path}'
        was = d.read(name)
        for _ in range(100):
            now = change(d.chance, was)
            if now != was:
                break
        d.write(name, now)
        d.of(one, ('E092', path), ('E093', path))
    return way


def bit(chance, data):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def block(chance, data):
    """A sector of zeros, as a disk gives it."""
    size = min(512, len(data) // 2 or 1)
    at = chance.randrange(len(data) - size + 1)
    return data[:at] + bytes(size) + data[at + size:]


def shifted(chance, data):
    at = chance.randrange(len(data))
    return data[:at] + data[at + 1:]


def grown(chance, data):
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(1) + data[at:]


def halves(chance, data):
    return data[len(data) // 2:] + data[:len(data) // 2]


def two_bits(chance, data):
    """The same bit of two bytes: a sum of the bytes, or their parity, would be as it was."""
    one, two = chance.sample(range(len(data)), 2)
    out = bytearray(data)
    out[one], out[two] = out[two], out[one]
    return bytes(out)


def line_ends(chance, data):
    """As a transfer in text mode does; a file without lines gets one."""
    return data.replace(b'\n', b'\r\n') if b'\n' in data else data + b'\n'


WAYS = {
    'bit': other_bytes(bit),
    'first-byte': other_bytes(lambda chance, data: bytes([data[0] ^ 0x80]) + data[1:]),
    'last-bit': other_bytes(lambda chance, data: data[:-1] + bytes([data[-1] ^ 1])),
    'last-byte-gone': other_bytes(lambda chance, data: data[:-1]),
    'cut': other_bytes(lambda chance, data: data[:chance.randrange(1, len(data))]),
    'no-bytes': other_bytes(lambda chance, data: b''),
    'byte-dropped': other_bytes(shifted), 'byte-inserted': other_bytes(grown),
    'zero-behind': other_bytes(lambda chance, data: data + b'\0'),
    'sector-of-zeros': other_bytes(block), 'all-zeros': other_bytes(lambda c, data: bytes(len(data))),
    'noise': other_bytes(lambda chance, data: chance.randbytes(len(data))),
    'halves-exchanged': other_bytes(halves), 'bytes-exchanged': other_bytes(two_bits),
    'line-ends': other_bytes(line_ends), 'doubled': other_bytes(lambda chance, data: data + data)}


def way(function):
    WAYS[function.__name__.replace('_', '-')] = function
    return function


@way
def gone(d, target):
    one, path = target(d)
    d.remove(f'{one.folder}/{path}')
    d.of(one, ('E092', path), ('E093', path))


@way
def other_file(d, target):
    """The bytes of another file of the store."""
    one, path = target(d)
    other, its = payload(d)
    while other.digest[its] == one.digest[path]:
        other, its = payload(d)
    d.write(f'{one.folder}/{path}', d.read(f'{other.folder}/{its}'))
    d.of(one, ('E092', path), ('E093', path))


@way
def renamed(d, target):
    one, path = target(d)
    d.move(f'{one.folder}/{path}', f'{one.folder}/{path}.bak')
    d.of(one, ('E092', path), ('E093', path), ('E023', path + '.bak'))


@way
def link(d, target):
    """To a file with the right bytes: they are not in the store."""
    one, path = target(d)
    d.move(f'{one.folder}/{path}', 'elsewhere')
    d.path(f'{one.folder}/{path}').symlink_to(d.path('elsewhere'))
    d.of(one, ('E090', path), ('E092', path))


@way
def second_name(d, target):
    """A hard link: who writes it outside changes it here."""
    one, path = target(d)
    d.path('elsewhere').hardlink_to(d.path(f'{one.folder}/{path}'))
    d.of(one, ('E090', path))


@way
def fifo(d, target):
    one, path = target(d)
    d.remove(f'{one.folder}/{path}')
    os.mkfifo(d.path(f'{one.folder}/{path}'))
    d.of(one, ('E090', path), ('E092', path))


@way
def folder(d, target):
    one, path = target(d)
    d.remove(f'{one.folder}/{path}')
    d.path(f'{one.folder}/{path}').mkdir()
    d.of(one, ('E024', path), ('E092', path))


for way_number, (way_name, make) in enumerate(WAYS.items()):
    for target_number, (target_name, choose) in enumerate(TARGETS.items()):
        kind = add('damage', f'{target_name}-{way_name}', f'{target_name}: {way_name}', make, choose)
        kind.cell = (target_number, way_number)
        kind.of_sample = target_name == 'sample-payload'


@damage("a bit of the signature in a sealed transfer's checkpoint is another: the journal is as it was")
def seal_checkpoint_signature(d):
    name = d.store.seal_note
    last = len(d.read(name)) - 6
    d.flip(name, last - 60, last)
    path = name.removeprefix(d.store.seal.folder + '/')
    d.of(d.store.seal, ('E092', path), ('E093', path))


# ---------------------------------------------------------------------------- inventories, sidecars

def whole_inventory(d):
    one = d.an_item()
    return one, '', one.head


def newest_inventory(d):
    one = d.an_item(d.store.with_versions(2) + d.store.with_versions(3))
    return one, one.head + '/', one.head


def older_inventory(d):
    one = d.an_item(d.store.with_versions(2) + d.store.with_versions(3))
    return one, 'v1/', 'v1'


def seal_inventory(d):
    return d.store.seal, '', 'v1'


INVENTORIES = {'inventory': whole_inventory, 'newest-inventory': newest_inventory,
               'older-inventory': older_inventory, 'seal-inventory': seal_inventory}


def behind_id(d, name):
    """A place that is not in the id: an object of another id is another damage."""
    return d.read(name).index(b'"manifest"') + 12


def inventory_bit(d, pick):
    one, where, _ = pick(d)
    d.flip(f'{one.folder}/{where}inventory.json', behind_id(d, f'{one.folder}/{where}inventory.json'))
    d.of(one, ('journal-object-altered', where + 'inventory.json'),
         ('E060', where + 'inventory.json.sha512'))


def inventory_cut(d, pick):
    one, where, _ = pick(d)
    d.edit(f'{one.folder}/{where}inventory.json', lambda data: data[:len(data) // 2])
    d.of(one, ('journal-object-altered', where + 'inventory.json'),
         ('E060', where + 'inventory.json.sha512'), ('E033', where + 'inventory.json'))


def inventory_blank(d, pick):
    """The same JSON, with a line end behind it."""
    one, where, _ = pick(d)
    d.edit(f'{one.folder}/{where}inventory.json', lambda data: data + b'\n')
    d.of(one, ('journal-object-altered', where + 'inventory.json'),
         ('E060', where + 'inventory.json.sha512'))


def inventory_gone(d, pick):
    one, where, _ = pick(d)
    d.remove(f'{one.folder}/{where}inventory.json')
    if where:
        d.of(one, ('journal-object-altered', where + 'inventory.json'), ('W010', where + 'inventory.json'))
    else:
        d.of(one, ('E063', 'inventory.json'))


def inventory_zeros(d, pick):
    one, where, _ = pick(d)
    d.edit(f'{one.folder}/{where}inventory.json', lambda data: bytes(len(data)))
    d.of(one, ('journal-object-altered', where + 'inventory.json'),
         ('E060', where + 'inventory.json.sha512'))


def sidecar_way(code, change):
    def make(d, pick):
        one, where, _ = pick(d)
        d.edit(f'{one.folder}/{where}inventory.json.sha512', lambda data: change(d, data))
        d.of(one, (code, where + 'inventory.json.sha512'))
    return make


def sidecar_gone(d, pick):
    one, where, _ = pick(d)
    d.remove(f'{one.folder}/{where}inventory.json.sha512')
    d.of(one, ('E058', where + 'inventory.json.sha512'))


def sidecar_of_another(d, pick):
    one, where, _ = pick(d)
    other = next(o for o in d.chance.sample(d.store.items, 3) if o is not one)
    name = 'inventory.json.sha512'
    d.write(f'{one.folder}/{where}{name}', d.read(f'{other.folder}/{name}'))
    d.of(one, ('E060', where + name))


for name, make in {
        'bit': inventory_bit, 'cut': inventory_cut, 'blank-behind': inventory_blank,
        'gone': inventory_gone, 'zeros': inventory_zeros,
        'sidecar-gone': sidecar_gone, 'sidecar-of-another': sidecar_of_another,
        'sidecar-digit': sidecar_way('E060', lambda d, data: (b'0' if data[:1] != b'0' else b'1')
                                     + data[1:]),
        'sidecar-cut': sidecar_way('E061', lambda d, data: data[:d.chance.randrange(1, 128)]),
        'sidecar-other-name': sidecar_way('E061', lambda d, data: data.replace(b'.json', b'.JSON')),
        'sidecar-no-bytes': sidecar_way('E061', lambda d, data: b'')}.items():
    for target_name, choose in INVENTORIES.items():
        add('damage', f'{target_name}-{name}', f'{target_name}: {name}', make, choose)


# ---------------------------------------------------------------------------- what lies in the root

@damage('a file lies in a content folder that no inventory names')
def stray_in_content(d):
    one, path = payload(d)
    stray = path.rpartition('/')[0] + '/stray.bin'
    d.write(f'{one.folder}/{stray}', d.chance.randbytes(10))
    d.of(one, ('E023', stray))


@damage('a file lies beside the content folder of a version')
def stray_in_version(d):
    one = d.an_item()
    d.write(f'{one.folder}/{one.head}/stray.txt', b'stray')
    d.of(one, ('E015', one.head + '/stray.txt'))


@damage("a file lies in an object's folder")
def stray_in_object(d):
    one = d.an_item()
    d.write(f'{one.folder}/stray.txt', b'stray')
    d.of(one, ('E001', 'stray.txt'))


@damage("the copy of an inventory lies in an object's folder, under a name like a sidecar's")
def stray_like_sidecar(d):
    one = d.an_item()
    d.copy(d.path(f'{one.folder}/inventory.json'), f'{one.folder}/inventory.json.bak')
    d.of(one, ('E001', 'inventory.json.bak'))


@damage('a file lies in the folder of an older version, under a name like a sidecar\'s')
def stray_like_sidecar_in_older_version(d):
    one = d.an_item(d.store.with_versions(3))
    d.write(f'{one.folder}/v1/inventory.json.bak', b'anything')
    d.of(one, ('E015', 'v1/inventory.json.bak'))


@damage("a file lies in the folder of the newest version, under a name like a sidecar's")
def stray_like_sidecar_in_newest_version(d):
    one = d.an_item()
    d.write(f'{one.folder}/{one.head}/inventory.json.bak', b'anything')
    d.of(one, ('E015', one.head + '/inventory.json.bak'))


@damage('a folder lies beside the content folder of a version, with files in it')
def folder_in_version(d):
    one = d.an_item()
    d.write(f'{one.folder}/{one.head}/hidden/file', b'anything')
    d.about(one)
    d.known_gap('OCFL only warns of it (W002), and the folder is not looked into; of a data folder, '
                'where nobody writes such a thing, it is as damaged as a file there (E015)',
                check=[('W002', one.id, one.head + '/hidden')])


@damage("an extension that is not known lies in an object")
def extension_in_object(d):
    one = d.an_item()
    d.write(f'{one.folder}/extensions/unknown/file', b'anything')
    d.about(one)
    d.known_gap('OCFL only warns of it (W013); docs/format/store.md says that no object has extensions',
                check=[('W013', one.id, 'extensions/unknown')])


@damage('a file lies among the folders that lead to the objects')
def stray_in_hierarchy(d):
    path = d.an_item().folder.split('/')[1] + '/stray.txt'
    d.write('store/' + path, b'stray')
    d.check(('E072', '', path), ('E084', '', path))


RAW = ['caf\udce9.txt', 'two\nlines', 'tab\tand\x1b[31m', '\udcff\udcfe', '\u202egpj.exe', ' ', '-rf',
       '.hidden']


@damage('a file lies in a content folder, of a name that is no text')
def stray_of_raw_name(d):
    one, path = payload(d)
    stray = path.rpartition('/')[0] + '/' + d.chance.choice(RAW)
    d.write(f'{one.folder}/{stray}', b'stray')
    d.of(one, ('E023', os.fsencode(stray).decode(errors='replace')))


@damage('a file lies among the folders that lead to the objects, of a name that is no text')
def stray_of_raw_name_in_hierarchy(d):
    path = d.an_item().folder.split('/')[1] + '/' + d.chance.choice(RAW)
    d.write('store/' + path, b'stray')
    name = os.fsencode(path).decode(errors='replace')
    d.check(('E072', '', name), ('E084', '', name))


@damage('a folder that leads to objects has its name in capitals')
def folder_in_capitals(d):
    one = d.an_item([one for one in d.store.items if one.folder[6:8] != one.folder[6:8].upper()])
    first = one.folder[6:8]
    d.move(f'store/{first}', f'store/{first.upper()}')
    for other in d.store.objects:
        if other.folder[6:8] == first:
            d.of(other, ('E083', first.upper() + other.folder[8:]))


@damage('an empty folder lies among the folders that lead to the objects')
def empty_folder_in_hierarchy(d):
    path = d.an_item().folder.split('/')[1] + '/zz'
    d.writable(d.path('store/' + path).parent)
    d.path('store/' + path).mkdir()
    d.check(('E073', '', path))


@damage('a link among the folders leads to an object')
def link_in_hierarchy(d):
    one = d.an_item()
    path = one.folder.split('/')[1] + '/zz'
    d.path('store/' + path).symlink_to(d.path(one.folder))
    d.check(('E090', '', path))


@damage('a folder that leads to objects is a link to the same folder elsewhere')
def folder_is_link(d):
    one = d.an_item()
    first = '/'.join(one.folder.split('/')[:2])
    for other in d.store.objects:
        if other.folder.startswith(first + '/'):
            d.about(other)
            d.check(('journal-object-missing', other.id, ''))
    d.move(first, 'elsewhere')
    d.path(first).symlink_to(d.path('elsewhere'))
    d.check(('E090', '', first.removeprefix('store/')))


@damage('a file of an object in the root has another name that differs by case only')
def inventory_other_case(d):
    one = d.an_item()
    d.move(f'{one.folder}/inventory.json', f'{one.folder}/Inventory.json')
    d.of(one, ('E063', 'inventory.json'), ('E034', 'Inventory.json'))


@damage("an object's declaration is gone")
def declaration_gone(d):
    one = d.an_item()
    d.remove(f'{one.folder}/0=ocfl_object_1.1')
    d.of(one, ('E003', '0=ocfl_object_1.1'))


@damage("an object's declaration has other bytes")
def declaration_bit(d):
    one = d.an_item()
    d.flip(f'{one.folder}/0=ocfl_object_1.1')
    d.of(one, ('E007', '0=ocfl_object_1.1'))


@damage('an object has a second declaration')
def declaration_twice(d):
    one = d.an_item()
    d.write(f'{one.folder}/0=ocfl_object_1.0', b'ocfl_object_1.0\n')
    d.of(one, ('E003', '0=ocfl_object_1.1'))


@damage("a version's folder is gone")
def version_gone(d):
    one = d.an_item(d.store.with_versions(3))
    version = d.chance.choice(one.versions)
    d.remove(f'{one.folder}/{version}')
    d.of(one, ('E046', version), ('journal-object-altered', version + '/inventory.json'))


@damage("a version's content is gone")
def version_content_gone(d):
    one = d.an_item()
    d.remove(f'{one.folder}/{one.head}/content')
    d.of(one, ('E016', one.head), *[('E092', path) for path in one.content
                                    if path.startswith(one.head + '/')])


@damage('two versions have exchanged their folders')
def versions_exchanged(d):
    one = d.an_item(d.store.with_versions(2))
    d.move(f'{one.folder}/v1', 'aside')
    d.move(f'{one.folder}/v2', f'{one.folder}/v1')
    d.move('aside', f'{one.folder}/v2')
    d.altered(one, 'v1', 'v2')
    d.expected['check'].discard(('journal-object-altered', one.id, 'inventory.json'))
    d.of(one, ('E040', 'v1/inventory.json'))


@damage('a version has a folder that no inventory names')
def version_unknown(d):
    one = d.an_item()
    version = f'v{len(one.versions) + 1}'
    d.copy(d.path(f'{one.folder}/{one.head}'), f'{one.folder}/{version}')
    d.of(one, ('E001', version), ('E046', version))


@damage('an object lies at a second place as well')
def object_twice(d):
    one = d.an_item()
    place = 'zz/zz/' + one.folder.split('/')[-1]
    d.copy(d.path(one.folder), 'store/' + place)
    d.check(('E083', one.id, place), ('E037', one.id, place))


@damage('an object lies elsewhere')
def object_elsewhere(d):
    one = d.an_item()
    place = 'zz/zz/' + one.folder.split('/')[-1]
    d.copy(d.path(one.folder), 'store/' + place)
    d.remove_object(one)
    d.of(one, ('E083', place))


@damage('an object lies in another object')
def object_in_object(d):
    one, two = d.two_items()
    d.copy(d.path(two.folder), f'{one.folder}/nested')
    d.of(one, ('E001', 'nested'), )


@damage('two objects have exchanged their places')
def objects_exchanged(d):
    one, two = d.two_items()
    d.move(one.folder, 'aside')
    d.move(two.folder, one.folder)
    d.move('aside', two.folder)
    d.of(one, ('E083', two.folder.removeprefix('store/')))
    d.of(two, ('E083', one.folder.removeprefix('store/')))


@damage('all objects are gone')
def store_emptied(d):
    for one in d.store.objects:
        d.remove_object(one)
        d.of(one, ('journal-object-missing', ''))


@damage("the root's declaration is gone")
def root_declaration_gone(d):
    d.remove('store/0=ocfl_1.1')
    d.check(('E069', '', '0=ocfl_1.1'))


@damage("the root's declaration has other bytes")
def root_declaration_bit(d):
    d.flip('store/0=ocfl_1.1')
    d.check(('E080', '', '0=ocfl_1.1'))


@damage('the root has a second declaration')
def root_declaration_twice(d):
    d.write('store/0=ocfl_1.0', b'ocfl_1.0\n')
    d.check(('E076', '', '0=ocfl_1.1'))


@damage('the layout is gone')
def layout_gone(d):
    d.remove('store/ocfl_layout.json')
    d.check(('store-layout', '', 'ocfl_layout.json'), ('layout-not-judged', '', ''))


@damage('the layout is no JSON any more')
def layout_cut(d):
    d.edit('store/ocfl_layout.json', lambda data: data[:-5])
    d.check(('E070', '', 'ocfl_layout.json'), ('store-layout', '', 'ocfl_layout.json'))


@damage("the layout's settings are gone")
def settings_gone(d):
    d.remove(CONFIG)
    d.about(*d.store.objects)
    d.check(('store-layout', '', CONFIG.removeprefix('store/')))


@damage("the layout's settings say something else")
def settings_edited(d):
    d.edit(CONFIG, lambda data: data.replace(b'"tupleSize": 2', b'"tupleSize": 3'))
    d.about(*d.store.objects)
    d.check(('store-layout', '', CONFIG.removeprefix('store/')))


@damage('a file lies among the extensions of the root')
def stray_in_extensions(d):
    d.write('store/extensions/stray', b'stray')
    d.check(('E112', '', 'extensions/stray'))


# ---------------------------------------------------------------------------- the journal's files

def tile(kind, width=256, index=0):
    return f'journal/tile/{kind}/{index:03}' + ('' if width == 256 else f'.p/{width}')


def partial(kind):
    return lambda d: tile(kind, d.store.published % 256, d.store.published // 256)


TILES = {'whole-tile': lambda d: tile('0'), 'partial-tile': partial('0'),
         'upper-tile': lambda d: tile('1', 1)}
BUNDLES = {'whole-bundle': lambda d: tile('entries'), 'partial-bundle': partial('entries')}


def tile_way(change):
    def make(d, pick):
        name = pick(d)
        change(d, name)
        d.verify(('journal-tile', in_journal(name)))
    return make


def bundle_way(change):
    """What the journal says last of an object may stand in what is lost: no object is accused."""
    def make(d, pick):
        name = pick(d)
        change(d, name)
        d.verify(('journal-bundle', in_journal(name)))
    return make


def bundle_bit(d, pick):
    """In an entry: a letter of it is another, the length is right."""
    name = pick(d)
    data = d.read(name)
    at = d.chance.choice([i for i in range(len(data)) if data[i:i + 9] == b'"success"'])
    d.write(name, data[:at + 1] + b'S' + data[at + 2:])
    d.verify(('journal-root', 'checkpoint'),
             ('journal-tile', in_journal(name).replace('entries', '0')))


def edit(change):
    return lambda d, name: d.edit(name, lambda data: change(d, data))


for name, change in {
        'bit': lambda d, name: d.flip(name), 'gone': lambda d, name: d.remove(name),
        'cut': edit(lambda d, data: data[:-7]), 'grown': edit(lambda d, data: data + b'\0'),
        'no-bytes': edit(lambda d, data: b''), 'zeros': edit(lambda d, data: bytes(len(data)))}.items():
    for target_name, choose in TILES.items():
        add('damage', f'{target_name}-{name}', f'{target_name}: {name}', tile_way(change), choose)
    for target_name, choose in BUNDLES.items():
        add('damage', f'{target_name}-{name}', f'{target_name}: {name}',
            bundle_bit if name == 'bit' else bundle_way(change), choose)


@damage('two hashes in a tile have changed places')
def hashes_exchanged(d):
    d.edit(tile('0'), lambda data: data[32:64] + data[:32] + data[64:])
    d.verify(('journal-tile', in_journal(tile('0'))))


@damage('the tile is that of another log')
def tile_of_another(d):
    name = next(d.store.other.glob('journal/tile/0/000.p/*'))
    d.write(tile('0'), name.read_bytes())
    d.verify(('journal-tile', in_journal(tile('0'))))


@damage('one bit of the checkpoint is another')
def checkpoint_bit(d):
    d.flip('journal/checkpoint')
    d.verify(('journal-signature|journal-checkpoint', 'checkpoint'))


@damage('the checkpoint has no bytes')
def checkpoint_no_bytes(d):
    d.write('journal/checkpoint', b'')
    d.verify(('journal-checkpoint', 'checkpoint'))


@damage('the checkpoint is cut in the signature')
def checkpoint_cut(d):
    d.edit('journal/checkpoint', lambda data: data[:-20])
    d.verify(('journal-checkpoint', 'checkpoint'))


@damage('the checkpoint is without a signature')
def checkpoint_unsigned(d):
    d.edit('journal/checkpoint', lambda data: data.split(b'\n\n')[0] + b'\n\n')
    d.verify(('journal-signature', 'checkpoint'))


@damage("one bit of the head's copy is another")
def head_bit(d):
    d.flip(HEAD)
    # In its first line the bit is one of the journal's name.
    d.verify(('journal-head|journal-origin', HEAD))


@damage("the head's copy has no bytes")
def head_no_bytes(d):
    d.write(HEAD, b'')
    d.verify(('journal-head', HEAD))


@damage('one bit of a public entry in the tail is another')
def tail_bit(d):
    d.flip(TAIL, 32, d.store.ends[d.store.early])
    d.verify(('journal-tail', in_journal(TAIL)))


@damage("the tail's header has another bit")
def tail_header_bit(d):
    d.flip(TAIL, 0, 32)
    d.verify(('journal-tail', in_journal(TAIL)))


@damage('the tail ends too early, behind a whole group')
def tail_cut(d):
    d.write(TAIL, d.store.tail[:d.store.ends[d.store.early]])
    d.verify(('journal-tail', in_journal(TAIL)))


@damage('the tail ends too early, within an entry')
def tail_torn(d):
    d.write(TAIL, d.store.tail[:d.store.ends[d.store.early] + 30])
    d.verify(('journal-tail', in_journal(TAIL)))


@damage('a sector of the tail is zeros')
def tail_sector(d):
    at = d.chance.randrange(1, d.store.ends[d.store.early] // 512) * 512
    d.edit(TAIL, lambda data: data[:at] + bytes(512) + data[at + 512:])
    d.verify(('journal-tail', in_journal(TAIL)))


@damage('the tail is that of another log')
def tail_of_another(d):
    d.write(TAIL, (d.store.other / TAIL).read_bytes())
    d.verify(('journal-tail', in_journal(TAIL)), ('journal-signature', in_journal(TAIL)))


# ---------------------------------------------------------------------------- the records

NO_ORPHANS = 'nobody compares evidence/ with what the events name: a file that none names is not seen'


def records(data):
    return sorted(p.relative_to(data).as_posix() for p in (data / 'evidence').rglob('*.zst'))


def a_record(d):
    return d.chance.choice(records(d.data))


@damage('one bit of a record is another')
def evidence_bit(d):
    name = a_record(d)
    d.flip(name)
    d.verify(('evidence-altered', name))


@damage('a record is gone')
def evidence_gone(d):
    name = a_record(d)
    d.remove(name)
    d.verify(('evidence-missing', name))


@damage('a record has no bytes')
def evidence_no_bytes(d):
    name = a_record(d)
    d.write(name, b'')
    d.verify(('evidence-altered', name))


@damage('a record has a byte more')
def evidence_grown(d):
    name = a_record(d)
    d.edit(name, lambda data: data + b'\0')
    d.verify(('evidence-altered', name))


@damage('two records have exchanged their names')
def evidence_exchanged(d):
    one, two = d.chance.sample(records(d.data), 2)
    d.move(one, 'aside')
    d.move(two, one)
    d.move('aside', two)
    d.verify(('evidence-altered', one), ('evidence-altered', two))


@damage('a FIFO stands in the place of a record')
def evidence_fifo(d):
    name = a_record(d)
    put_fifo(d, name)
    d.verify(('evidence-altered', name))


@damage('a folder stands in the place of a record')
def evidence_folder(d):
    name = a_record(d)
    d.remove(name)
    d.path(name).mkdir()
    d.verify(('evidence-altered', name))


@damage('all records are gone')
def evidence_emptied(d):
    d.verify(*[('evidence-missing', name) for name in records(d.data)])
    d.remove('evidence')


@damage('a file lies among the records that no event names')
def evidence_unknown(d):
    record = d.chance.randbytes(100)
    digest = hashlib.sha256(record).hexdigest()
    d.write(f'evidence/{digest[:2]}/{digest}.jsonl.zst', record)
    d.known_gap(NO_ORPHANS)


# ---------------------------------------------------------------------------- what cannot be judged

@damage('the public key beside the journal is gone')
def vkey_gone(d):
    d.remove('journal/vkey')
    d.cannot('verify', ('not found', 'vkey'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))


@damage('one bit of the public key beside the journal is another')
def vkey_bit(d):
    d.flip('journal/vkey', 0, len(d.read('journal/vkey')) - 1)
    d.cannot('verify', ('invalid', ''))
    d.cannot('check', ('unreadable', 'journal', 'journal'))


@damage('the public key beside the journal is that of another log')
def vkey_of_another(d):
    d.write('journal/vkey', (d.store.other / 'journal/vkey').read_bytes())
    d.expected['verify'] = {('journal-signature', 'checkpoint')}
    d.check(('journal-signature', 'journal', 'checkpoint'))


@damage('the tail is gone')
def tail_gone(d):
    d.remove(TAIL)
    d.cannot('verify', ('not found', 'journal'))
    d.cannot('partner', ('not found', 'journal'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))


@damage('the checkpoint is gone')
def checkpoint_gone(d):
    d.remove('journal/checkpoint')
    d.cannot('verify', ('not found', 'checkpoint'))
    d.cannot('partner', ('not found', 'checkpoint'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))


def put_fifo(d, name):
    d.remove(name)
    os.mkfifo(d.path(name))


@damage('a FIFO stands in the place of a tile')
def tile_fifo(d):
    put_fifo(d, tile('0'))
    d.verify(('journal-tile', 'tile/0/000'))


@damage('a FIFO stands in the place of a bundle')
def bundle_fifo(d):
    put_fifo(d, tile('entries'))
    d.cannot('verify', ('invalid', '000'))
    d.cannot('partner', ('invalid', '000'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))


@damage("a FIFO stands in the place of the head's copy")
def head_fifo(d):
    put_fifo(d, HEAD)
    d.cannot('verify', ('invalid', 'versement-head.txt'))
    d.cannot('partner', ('invalid', 'versement-head.txt'))
    d.check(('E090', '', 'versement-head.txt'), ('unreadable', 'journal', 'journal'))


@damage("a FIFO stands in the place of the root's declaration")
def root_declaration_fifo(d):
    put_fifo(d, 'store/0=ocfl_1.1')
    d.check(('E069', '', '0=ocfl_1.1'), ('E090', '', '0=ocfl_1.1'))


def put_hole(d, name):
    """A file without end: who reads all of it reads for hours."""
    d.write(name, b'')
    d.path(name).chmod(0o644)
    os.truncate(d.path(name), 1 << 40)


TOO_LONG = ('a file that is longer than such a file can be was read as far as it is needed to say so: it '
            'is damaged (status 1), and the command says that it could not look (status 2)')


@damage('a sidecar has a terabyte of zeros')
def sidecar_hole(d):
    one = d.an_item()
    put_hole(d, f'{one.folder}/inventory.json.sha512')
    d.about(one)
    d.known_gap(TOO_LONG, [('unreadable', one.id, 'inventory.json.sha512')], 2)


@damage("an object's inventory has a terabyte of zeros")
def inventory_hole(d):
    """Only the object's: what a version's folder has is hashed to its end before it is found too long."""
    one = d.an_item()
    put_hole(d, f'{one.folder}/inventory.json')
    d.about(one)
    d.known_gap(TOO_LONG, [('unreadable', one.id, 'inventory.json')], 2)


@damage('a tile has a terabyte of zeros')
def tile_hole(d):
    put_hole(d, tile('0'))
    d.verify(('journal-tile', 'tile/0/000'))


@damage('the checkpoint has a terabyte of zeros')
def checkpoint_hole(d):
    put_hole(d, 'journal/checkpoint')
    d.cannot('verify', ('limit exceeded', 'checkpoint'))
    d.cannot('partner', ('limit exceeded', 'checkpoint'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))
    d.gap = TOO_LONG


@damage('a bundle has a terabyte of zeros')
def bundle_hole(d):
    put_hole(d, tile('entries'))
    d.cannot('verify', ('limit exceeded', '000'))
    d.cannot('partner', ('limit exceeded', '000'))
    d.cannot('check', ('unreadable', 'journal', 'journal'))
    d.gap = TOO_LONG


@damage('versement.json is gone')
def marker_gone(d):
    d.remove('versement.json')
    d.cannot('verify', ('not found', 'vkey'))
    d.cannot('partner', ('not found', 'checkpoint'))
    d.cannot('check', ('not found', '0=ocfl_1.1'))


@damage("a FIFO stands in the place of the layout's settings")
def settings_fifo(d):
    put_fifo(d, CONFIG)
    settings = CONFIG.removeprefix('store/')
    d.check(('store-layout', '', settings), ('E083', '', settings), ('layout-not-judged', '', ''))


@damage('a tile is a link to the same bytes elsewhere')
def tile_is_link(d):
    d.move(tile('0'), 'elsewhere')
    d.path(tile('0')).symlink_to(d.path('elsewhere'))
    d.verify(('journal-tile', 'tile/0/000'))


@damage('versement.json names another origin than the journal has')
def marker_of_another_origin(d):
    d.edit('versement.json', lambda data: data.replace(b'archive.example/', b'archive.invalid/'))
    d.verify(('journal-origin', 'versement.json'))


@damage('versement.json names a format that nobody knows')
def marker_of_another_format(d):
    d.edit('versement.json', lambda data: data.replace(b'"format": 1', b'"format": 9'))
    d.known_gap('the command looks only whether versement.json is there; the daemon refuses it')


@damage('README.txt of the root says something else')
def readme_edited(d):
    d.edit('store/README.txt', lambda data: data.replace(b'sha512sum', b'ignore'))
    d.known_gap('files in the root belong to nobody for OCFL, and the text that is written there is not '
                'compared with what lies there')


@damage('a tile that an earlier checkpoint had has another bit')
def stale_tile_bit(d):
    stale = [p.relative_to(d.data).as_posix() for p in d.path('journal/tile').glob('*/*.p/*')
             if int(p.name) != d.store.published % 256 and p.parts[-3] != '1']
    d.flip(d.chance.choice(stale))
    d.known_gap('only the tiles of the newest checkpoint are read; docs/format/journal.md says that older '
                'ones are whole where they are there')


@damage('a file lies in the journal that belongs to no checkpoint')
def stray_in_journal(d):
    d.write('journal/tile/5/000', d.chance.randbytes(320))
    d.known_gap('the folder of the journal is not listed, only what the checkpoint asks for is read')


OUTSIDE = ('the journal is read through links in the place of its folders, and hard links of its files are '
           'not looked for: who writes elsewhere writes the journal (E090 finds the same in the store)')


@damage('the folder of the tiles is a link to the same files elsewhere')
def tiles_are_linked(d):
    d.move('journal/tile', 'elsewhere')
    d.path('journal/tile').symlink_to(d.path('elsewhere'))
    d.known_gap(OUTSIDE)


@damage('a tile has another name elsewhere')
def tile_second_name(d):
    d.path('elsewhere').hardlink_to(d.path(tile('0')))
    d.known_gap(OUTSIDE)
