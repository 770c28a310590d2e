"""Forgeries: somebody can write the disk and knows docs/format, so that what he leaves agrees with
itself. Some have the journal's private key as well."""
import hashlib
import json

from kinds import compact, forgery, in_journal, place_of, sidecar
from kinds_damaged import a_record, partial, records
from real_store import (CHECKPOINT, ENTRY, HEAD, TAIL, Object, frame, frames_of, header, note_text,
                        objects_of, tiles_of)


# ============================================================================ the store alone

@forgery('the bytes of a file, its digests in every inventory, every sidecar')
def content_forged(d):
    one = d.an_item([one for one in d.store.items if one.payload()])
    path = d.chance.choice(one.payload())
    size = d.path(f'{one.folder}/{path}').stat().st_size
    d.altered(one, *d.replace_content(one, path, d.chance.randbytes(size)))


@forgery('the METS document of an item, with all its digests')
def mets_forged(d):
    one = d.an_item(d.store.with_versions(1))
    mets = d.read(f'{one.folder}/v1/content/METS.xml')
    d.altered(one, *d.replace_content(one, 'v1/content/METS.xml', mets.replace(b'LABEL="', b'LABEL="x', 1)))


def in_version(one, version, **members):
    def change(inventory):
        inventory['versions'][version] |= members
        return inventory
    return change


@forgery('the message of the newest version')
def message_forged(d):
    one = d.an_item()
    d.forge(one, in_version(one, one.head, message='Forged'))
    d.altered(one, one.head)


@forgery('the user of the newest version')
def user_forged(d):
    one = d.an_item()
    d.forge(one, in_version(one, one.head, user={'name': 'nobody', 'address': 'urn:versement:agent:x'}))
    d.altered(one, one.head)


@forgery('the time of the newest version')
def created_forged(d):
    one = d.an_item()
    d.forge(one, in_version(one, one.head, created='1999-01-01T00:00:00Z'))
    d.altered(one, one.head)


@forgery('the message of the first version, in every inventory')
def first_message_forged(d):
    one = d.an_item(d.store.with_versions(3))
    d.forge(one, in_version(one, 'v1', message='Forged'), one.versions)
    d.altered(one, *one.versions)


@forgery("an older version's inventory alone")
def older_message_forged(d):
    one = d.an_item(d.store.with_versions(3))
    d.forge(one, in_version(one, 'v1', message='Forged'), ['v1'])
    d.of(one, ('journal-object-altered', 'v1/inventory.json'), ('W011', 'v1/inventory.json'))


def without(name):
    def change(inventory):
        inventory.pop(name)
        return inventory
    return change


@forgery('the fixity block is left out')
def fixity_removed(d):
    one = d.an_item()
    d.forge(one, without('fixity'), one.versions)
    d.altered(one, *one.versions)


@forgery('the same inventory, written with other blanks')
def inventory_indented(d):
    one = d.an_item()
    d.put_inventory(one.folder, json.dumps(one.inventory, indent=1).encode())
    d.put_inventory(f'{one.folder}/{one.head}', json.dumps(one.inventory, indent=1).encode())
    d.altered(one, one.head)


def some_file(d):
    one = d.an_item([one for one in d.store.items if len(one.payload(one.head)) > 1])
    names = sorted(path for path in one.logical() if '/master/data/' in path)
    return one, names


@forgery('a file has another name in the package')
def logical_path_renamed(d):
    one, names = some_file(d)
    old = d.chance.choice(names)

    def change(inventory):
        for paths in inventory['versions'][one.head]['state'].values():
            paths[:] = [path + '.old' if path == old else path for path in paths]
        return inventory
    d.forge(one, change)
    d.altered(one, one.head)


@forgery('two files of an item have exchanged their names')
def logical_paths_exchanged(d):
    one, names = some_file(d)
    first, second = d.chance.sample(names, 2)
    other = {first: second, second: first}

    def change(inventory):
        for paths in inventory['versions'][one.head]['state'].values():
            paths[:] = [other.get(path, path) for path in paths]
        return inventory
    d.forge(one, change)
    d.altered(one, one.head)


@forgery('a file was taken out of an item, its content as well')
def file_taken_out(d):
    one = d.an_item([one for one in d.store.with_versions(1) if len(one.payload()) > 1])
    path = d.chance.choice(one.payload())
    digest = one.digest[path]
    d.remove(f'{one.folder}/{path}')

    def change(inventory):
        del inventory['manifest'][digest]
        del inventory['versions']['v1']['state'][digest]
        for block in inventory['fixity'].values():
            for key in [key for key, paths in block.items() if path in paths]:
                del block[key]
        return inventory
    d.forge(one, change)
    d.altered(one, 'v1')


@forgery('a file was put into an item')
def file_put_in(d):
    one = d.an_item()
    data = d.chance.randbytes(50)
    path = f'{one.head}/content/representations/master/data/added.bin'
    d.write(f'{one.folder}/{path}', data)
    digest = sidecar(data).split()[0].decode()

    def change(inventory):
        inventory['manifest'][digest] = [path]
        inventory['versions'][one.head]['state'][digest] = [path.split('/', 2)[2]]
        return inventory
    d.forge(one, change)
    d.altered(one, one.head)


@forgery('a version is silently that before: its state is the older one')
def state_of_older_version(d):
    one = d.an_item(d.store.with_versions(2))

    def change(inventory):
        inventory['versions']['v2']['state'] = inventory['versions']['v1']['state']
        return inventory
    d.forge(one, change)
    d.altered(one, 'v2')


@forgery('an object is rolled back to its older version, whole')
def object_rolled_back(d):
    one = d.an_item(d.store.with_versions(2) + d.store.with_versions(3))
    d.roll_back(one)
    d.altered(one, one.head)


@forgery('the root is that of an earlier day, the journal that of now')
def store_rolled_back(d):
    for one in d.store.objects:
        place = d.store.older / one.folder
        if not place.exists():
            d.remove_object(one)
            d.of(one, ('journal-object-missing', ''))
        elif Object(d.store.older, one.folder).head != one.head:
            d.remove(one.folder)
            d.copy(place, one.folder)
            d.of(one, ('journal-object-altered', 'inventory.json'))


@forgery('an object is gone, with the folders that led to it')
def object_removed(d):
    one = d.an_item()
    d.remove_object(one)
    d.of(one, ('journal-object-missing', ''))


@forgery('an object is gone, the folder that led to it is there')
def object_removed_with_traces(d):
    one = d.an_item()
    d.remove(one.folder)
    place = one.folder.rpartition('/')[0].removeprefix('store/')
    d.of(one, ('journal-object-missing', ''))
    d.check(('E073', '', place))


@forgery('the object of a sealed transfer is gone')
def seal_removed(d):
    d.remove_object(d.store.seal)
    d.of(d.store.seal, ('journal-object-missing', ''))


def put_object(d, source, id_, at=None):
    """A copy of an object under an id, at the place of that id."""
    folder = at or place_of(id_)
    d.copy(source, folder)
    inventory = json.loads((source / 'inventory.json').read_bytes())
    for version in inventory['versions']:
        own = json.loads((source / version / 'inventory.json').read_bytes())
        own['id'] = id_
        d.put_inventory(f'{folder}/{version}', own)
        if version == inventory['head']:
            d.put_inventory(folder, own)
    d.touched.add(id_)


@forgery('two objects have changed places, with their ids written anew')
def objects_exchanged_with_ids(d):
    one, two = d.two_items()
    d.move(one.folder, 'aside')
    put_object(d, d.path(two.folder), one.id, 'other')
    d.remove(two.folder)
    d.move('other', one.folder)
    put_object(d, d.path('aside'), two.id, two.folder)
    d.remove('aside')
    d.altered(one, 'v1')
    d.altered(two, 'v1')


@forgery('an object was added that no entry knows, of another archive')
def object_of_another_store(d):
    one = d.chance.choice([one for one in objects_of(d.store.other)])
    d.copy(d.store.other / one.folder, one.folder)
    d.of(one, ('journal-object-unknown', ''))


@forgery('an object was copied under a new id')
def object_copied_under_new_id(d):
    one = d.an_item()
    id_ = 'urn:uuid:01a2ffff-0000-7000-8000-%012x' % d.chance.randrange(1 << 48)
    put_object(d, d.path(one.folder), id_)
    d.check(('journal-object-unknown', id_, ''))


@forgery('an object has another id, at the place of that id')
def object_renamed(d):
    one = d.an_item()
    id_ = one.id[:-1] + ('0' if one.id[-1] != '0' else '1')
    put_object(d, d.path(one.folder), id_)
    d.remove_object(one)
    d.of(one, ('journal-object-missing', ''))
    d.check(('journal-object-unknown', id_, ''))


@forgery('an object has another type of id: the same UUID in capitals')
def object_id_in_capitals(d):
    one = d.an_item()
    id_ = 'urn:uuid:' + one.id.removeprefix('urn:uuid:').upper()
    put_object(d, d.path(one.folder), id_)
    d.remove_object(one)
    d.of(one, ('journal-object-missing', ''))
    d.check(('journal-object-unknown', id_, ''))


@forgery('the second of three versions is gone, the third is now the second')
def middle_version_removed(d):
    one = d.an_item(d.store.with_versions(3))
    older, last = d.inventory(one, 'v1'), d.inventory(one, 'v3')
    used = set(last['versions']['v3']['state']) | set(last['versions']['v1']['state'])
    paths = {}
    for digest in used:
        path = last['manifest'][digest][0]
        to = path.replace('v3/', 'v2/', 1)
        if path.startswith('v2/'):
            d.move(f'{one.folder}/{path}', f'{one.folder}/v3/{path[3:]}')
        paths[digest] = [path if path.startswith('v1/') else to]
    d.remove(f'{one.folder}/v2')
    d.move(f'{one.folder}/v3', f'{one.folder}/v2')
    kept = {path for one_ in paths.values() for path in one_}
    last['fixity'] = {name: {digest: there for digest, files in block.items()
                             if (there := [f2 for f in files
                                           if (f2 := 'v2' + f[2:] if f[:2] != 'v1' else f) in kept])}
                      for name, block in last['fixity'].items()}
    forged = last | {'head': 'v2', 'manifest': paths,
                     'versions': {'v1': older['versions']['v1'], 'v2': last['versions']['v3']}}
    d.put_inventory(f'{one.folder}/v2', forged)
    d.put_inventory(one.folder, forged)
    d.altered(one, 'v2', 'v3')


@forgery('a version was put behind the newest one')
def version_added(d):
    one = d.an_item()
    version = f'v{len(one.versions) + 1}'
    data = d.chance.randbytes(40)
    path = f'{version}/content/representations/master/data/added.bin'
    digest = sidecar(data).split()[0].decode()
    d.write(f'{one.folder}/{path}', data)
    forged = d.inventory(one)
    forged['manifest'][digest] = [path]
    state = dict(forged['versions'][one.head]['state'])
    state[digest] = ['representations/master/data/added.bin']
    forged['versions'][version] = forged['versions'][one.head] | {'state': state}
    forged['head'] = version
    d.put_inventory(f'{one.folder}/{version}', forged)
    d.put_inventory(one.folder, forged)
    d.altered(one)


@forgery('the digests of an object are only SHA-256')
def algorithm_downgraded(d):
    one = d.an_item(d.store.with_versions(1))
    weaker = {digest: paths for digest, paths in one.inventory['fixity']['sha256'].items()}
    of_path = {path: digest for digest, paths in weaker.items() for path in paths}
    state = {of_path[one.inventory['manifest'][digest][0]]: paths
             for digest, paths in one.inventory['versions']['v1']['state'].items()}
    forged = one.inventory | {'digestAlgorithm': 'sha256', 'manifest': weaker}
    forged['versions'] = {'v1': one.inventory['versions']['v1'] | {'state': state}}
    forged.pop('fixity')
    for folder in (one.folder, one.folder + '/v1'):
        d.remove(f'{folder}/inventory.json.sha512')
        d.put_inventory(folder, forged, 'sha256')
    d.altered(one, 'v1')


@forgery('an object is one of OCFL 1.0')
def specification_downgraded(d):
    one = d.an_item(d.store.with_versions(1))
    d.remove(f'{one.folder}/0=ocfl_object_1.1')
    d.write(f'{one.folder}/0=ocfl_object_1.0', b'ocfl_object_1.0\n')
    d.forge(one, lambda inventory: inventory | {'type': 'https://ocfl.io/1.0/spec/#inventory'})
    d.altered(one, 'v1')


@forgery('the content of an object lies in a folder of another name')
def content_folder_renamed(d):
    one = d.an_item(d.store.with_versions(1))
    d.move(f'{one.folder}/v1/content', f'{one.folder}/v1/files')

    def change(inventory):
        text = compact(inventory).replace(b'"v1/content/', b'"v1/files/')
        return json.loads(text) | {'contentDirectory': 'files'}
    d.forge(one, change)
    d.altered(one, 'v1')


@forgery('what a sealed transfer says of its items, with all digests of the object')
def seal_record_forged(d):
    path = 'v1/content/versement/seal.json'
    seal = d.read(f'{d.store.seal.folder}/{path}')
    d.altered(d.store.seal, *d.replace_content(d.store.seal, path,
                                               seal.replace(b'"version": 1', b'"version": 2', 1)
                                               if b'"version": 1' in seal
                                               else seal.replace(b'"version":1', b'"version":2', 1)))


@forgery("a sealed transfer has another log's key and checkpoint")
def seal_key_forged(d):
    seal = d.store.seal
    d.replace_content(seal, 'v1/content/versement/vkey.txt',
                      (d.store.other / 'journal/vkey').read_bytes())
    d.replace_content(seal, 'v1/content/versement/checkpoint.txt',
                      (d.store.other / 'journal/checkpoint').read_bytes())
    d.altered(seal, 'v1')
    d.verify(('journal-key', d.store.seal_note))


@forgery('the checkpoint of a sealed transfer is one of a log of another name, signed with the key')
def seal_origin_forged(d):
    seal = d.store.seal
    note = d.store.key.note(d.store.entries[:d.store.sealed], 'archive.invalid/test')
    d.altered(seal, *d.replace_content(seal, 'v1/content/versement/checkpoint.txt', note))
    d.verify(('journal-origin', d.store.seal_note))


@forgery('a file of one object is a hard link to the same bytes in another')
def shared_content(d):
    same = [(one, path, two, other) for one in d.store.items for path in one.content
            for two in d.store.items if two is not one for other in two.content
            if two.digest[other] == one.digest[path]]
    one, path, two, other = d.chance.choice(same)
    d.remove(f'{two.folder}/{other}')
    d.path(f'{two.folder}/{other}').hardlink_to(d.path(f'{one.folder}/{path}'))
    d.of(one, ('E090', path))
    d.of(two, ('E090', other))


# ============================================================================ the records

@forgery('a record was edited, and its file has the name of its new digest')
def evidence_forged(d):
    name = a_record(d)
    data = bytearray(d.read(name))
    data[d.chance.randrange(20, len(data))] ^= 1
    digest = hashlib.sha256(data).hexdigest()
    d.remove(name)
    d.write(f'evidence/{digest[:2]}/{digest}.jsonl.zst', bytes(data))
    d.verify(('evidence-missing', name))


@forgery('a record is that of another archive, under the name that the journal has')
def evidence_of_another(d):
    name = a_record(d)
    d.write(name, next(d.store.other.rglob('*.jsonl.zst')).read_bytes())
    d.verify(('evidence-altered', name))


@forgery('content was forged, and a folder in the place of a record hides the journal')
def content_forged_beside_a_folder(d):
    one = d.an_item([one for one in d.store.items if one.payload()])
    d.altered(one, *d.replace_content(one, d.chance.choice(one.payload()), d.chance.randbytes(30)))
    name = a_record(d)
    d.remove(name)
    d.path(name).mkdir()
    d.verify(('evidence-altered', name))


# ============================================================================ the journal, without its key

def by_nobody(event):
    event['agent'] = 'nobody'


def frames(d):
    return list(frames_of(d.store.tail))


def an_early_index(d):
    return d.chance.randrange(10, d.store.early)


@forgery('an entry was edited, with every tile, bundle and frame; the checkpoint is as it was')
def entry_forged(d):
    entries = d.edited(an_early_index(d), by_nobody)
    tail = header()
    for kind, index, payload, _ in frames(d):
        tail += frame(kind, index, entries[index] if kind == ENTRY else payload)
    d.write(TAIL, tail)
    d.put_tiles(entries)
    d.verify(('journal-root', 'checkpoint'))


@forgery('the same, and the root hash in the checkpoints is that of the forged entries')
def entry_and_root_forged(d):
    entries = d.edited(an_early_index(d), by_nobody)
    signature = d.read('journal/checkpoint').split(b'\n\n')[1]
    note = note_text(d.store.key.name, entries).encode() + b'\n' + signature
    d.put_journal(entries, note)
    d.verify(('journal-signature', 'checkpoint'))


@forgery('an entry in a bundle was edited, with its hash in the tiles')
def bundle_and_tiles_forged(d):
    d.put_tiles(d.edited(an_early_index(d), by_nobody))
    d.verify(('journal-root', 'checkpoint'))


@forgery('an entry in the tail was edited, with its CRC')
def tail_entry_forged(d):
    entries = d.edited(an_early_index(d), by_nobody)
    d.write(TAIL, header() + b''.join(frame(kind, index, entries[index] if kind == ENTRY else payload)
                                      for kind, index, payload, _ in frames(d)))
    d.verify(('journal-tail', in_journal(TAIL)))


def with_entries(d, entries):
    """Tiles and tail of other entries, numbered anew; the public checkpoint as it was. Of entries that
    are in doubt the check takes what it can."""
    d.about(*d.store.objects)
    d.put_tiles(entries)
    d.write(TAIL, header() + b''.join(frame(ENTRY, index, entry)
                                      for index, entry in enumerate(entries))
            + frame(CHECKPOINT, len(entries), d.read('journal/checkpoint')))


@forgery('two entries have changed places')
def entries_exchanged(d):
    entries = list(d.store.entries)
    at = an_early_index(d)
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    with_entries(d, entries)
    d.verify(('journal-root', 'checkpoint'))


@forgery('an entry was taken out, and another put behind the last one, so that their number is right')
def entry_replaced(d):
    entries = list(d.store.entries)
    del entries[an_early_index(d)]
    with_entries(d, entries + [entries[-1]])
    d.verify(('journal-root', 'checkpoint'))


@forgery('the first entry stands where another was')
def entry_repeated(d):
    entries = list(d.store.entries)
    entries[an_early_index(d)] = entries[0]
    with_entries(d, entries)
    d.verify(('journal-root', 'checkpoint'))


@forgery('entries were put behind the last checkpoint of the tail, under a note that nobody signed')
def entries_added(d):
    entries = d.store.entries + [d.store.entries[-1]]
    text = note_text(d.store.key.name, entries)
    note = (text + '\n' + d.read('journal/checkpoint').decode().split('\n\n')[1]).encode()
    d.write(TAIL, d.store.tail + frame(ENTRY, len(entries) - 1, entries[-1])
            + frame(CHECKPOINT, len(entries), note))
    d.verify(('journal-signature', in_journal(TAIL)))


@forgery('an entry is missing in the tail, and the others follow each other')
def tail_entry_removed(d):
    gone = an_early_index(d)
    d.write(TAIL, header() + b''.join(frame(*one[:3]) for one in frames(d)
                                      if one[:2] != (ENTRY, gone)))
    d.verify(('journal-tail', in_journal(TAIL)))


@forgery("the tail's last entries are missing, its last checkpoint stands behind the rest")
def tail_without_last_entries(d):
    gone = d.chance.randrange(1, 20)
    last = len(d.store.entries)
    d.write(TAIL, header() + b''.join(frame(*one[:3]) for one in frames(d)
                                      if one[0] == ENTRY and one[1] < last - gone
                                      or one[0] == CHECKPOINT and one[1] in (0, last)))
    d.verify(('journal-tail', in_journal(TAIL)))


@forgery("a checkpoint's frame in the tail says another size than its note")
def tail_frame_size(d):
    size = d.chance.choice([size for size in d.store.notes if size])
    d.write(TAIL, header() + b''.join(
        frame(kind, index + 1 if (kind, index) == (CHECKPOINT, size) else index, payload)
        for kind, index, payload, _ in frames(d)))
    d.verify(('journal-tail', in_journal(TAIL)))


@forgery('a second tail begins behind the checkpoint, of no entries')
def tail_behind_checkpoint(d):
    first = (d.store.published // 256 + 1) * 256
    d.write(f'journal/tail-{first:020}', header(first))
    d.verify(('journal-tail', f'tail-{first:020}'))


@forgery('a second tail begins with a whole bundle, and has none of its entries')
def tail_of_no_entries(d):
    d.write(TAIL[:-3] + '256', header(256))
    d.verify(('journal-tail', in_journal(TAIL[:-3] + '256')))


@forgery('the tail has the name of one that begins later')
def tail_renamed(d):
    d.move(TAIL, TAIL[:-3] + '256')
    d.verify(('journal-tail', in_journal(TAIL[:-3] + '256')))


@forgery('the checkpoint is that of another log')
def checkpoint_of_another(d):
    d.write('journal/checkpoint', (d.store.other / 'journal/checkpoint').read_bytes())
    d.verify(('journal-signature', 'checkpoint'))


@forgery("the head's copy is that of another log")
def head_of_another(d):
    d.write(HEAD, (d.store.other / HEAD).read_bytes())
    d.verify(('journal-head', HEAD))


@forgery('the checkpoint has a line more, below the three that are signed')
def checkpoint_extended(d):
    d.edit('journal/checkpoint', lambda data: data.replace(b'\n\n', b'\nmore\n\n', 1))
    d.verify(('journal-signature', 'checkpoint'))


@forgery('the checkpoint says one entry more')
def checkpoint_size_forged(d):
    d.edit('journal/checkpoint', lambda data: data.replace(b'\n%d\n' % d.store.published,
                                                           b'\n%d\n' % (d.store.published + 1)))
    d.verify(('journal-signature', 'checkpoint'))


@forgery("the checkpoint's signature is that of an older one")
def signature_of_older(d):
    older = d.store.notes[an_older_size(d)].split(b'\n\n')[1]
    d.edit('journal/checkpoint', lambda data: data.split(b'\n\n')[0] + b'\n\n' + older)
    d.verify(('journal-signature', 'checkpoint'))


def an_older_size(d):
    """Of a checkpoint between the one that was kept early and the newest."""
    return d.chance.choice([size for size in d.store.notes
                            if d.store.early < size < d.store.published])


@forgery("the checkpoint has the right name and another log's signature")
def signature_of_another(d):
    text = d.read('journal/checkpoint').decode().split('\n\n')[0] + '\n'
    d.write('journal/checkpoint', f'{text}\n{d.store.other_key.line(text)}'.encode())
    d.verify(('journal-signature', 'checkpoint'))


@forgery('the first two bundles have changed places, with their tiles')
def bundles_exchanged(d):
    # A whole one and a part of another cannot: the first entries of the whole one stand as the part.
    part = d.store.published % 256
    tiles = tiles_of(d.store.entries)
    whole = d.store.entries[256:] + d.store.entries[part:256]
    forged = tiles_of(whole + d.store.entries[:part])
    for name in tiles:
        d.write(name, forged[name])
    d.about(*d.store.objects)
    d.verify(('journal-root', 'checkpoint'))


@forgery('the checkpoint and the tail are those of another log, the tiles are ours')
def tail_and_checkpoint_of_another(d):
    for name in ('journal/checkpoint', TAIL):
        d.write(name, (d.store.other / name).read_bytes())
    d.verify(('journal-signature', 'checkpoint'))


# ---------------------------------------------------------------------------- cut back: no key is needed

def cut_to(d, size, head=True):
    """What the data folder was when the journal had this size: the tail has the signed note."""
    d.put_journal(d.store.entries[:size], d.store.notes[size], size, head)


def after_last_object(d):
    """A size behind all entries that name an object, with entries after it."""
    last = max(index for index, _ in d.store.events('ingestion', 'transfer sealed')) + 1
    return d.chance.choice([size for size in d.store.notes if last <= size < d.store.published])


@forgery('the journal was cut back, tail, tiles, checkpoint and head; the store is that of now')
def journal_cut(d):
    first = d.store.events('transfer sealed')[0][0]
    size = d.chance.choice([size for size in d.store.notes if d.store.early < size <= first])
    cut_to(d, size)
    d.partner(('journal-rolled-back', 'last'))
    d.check(('journal-object-unknown', d.store.seal.id, ''))
    d.about(*d.store.objects)


@forgery("the journal was cut back; the head's copy was forgotten")
def journal_cut_not_head(d):
    cut_to(d, after_last_object(d), head=False)
    d.verify(('journal-rolled-back', HEAD))
    d.partner(('journal-rolled-back', 'last'))


@forgery('the journal was cut back by acts that concern no object')
def journal_cut_acts(d):
    cut_to(d, after_last_object(d))
    d.partner(('journal-rolled-back', 'last'))


@forgery('journal and store are those of an earlier moment')
def all_cut(d):
    events = d.store.events('ingestion', 'transfer sealed')
    size = max(index for index, _ in events if index < d.store.events('transfer sealed')[0][0] + 1) + 1
    size = min(one for one in d.store.notes if one >= size)
    heads = {}
    for index, event in events:
        if index < size:
            heads[event['objects']['object']] = event['objects']['version']
    for one in d.store.objects:
        for version in reversed(one.versions[heads.get(one.id, 0):]):
            if version == 'v1':
                d.remove_object(one)
                continue
            d.remove(f'{one.folder}/{version}')
            for name in ('inventory.json', 'inventory.json.sha512'):
                older = f'{one.folder}/v{int(version[1:]) - 1}/{name}'
                d.write(f'{one.folder}/{name}', d.read(older))
    cut_to(d, size)
    d.partner(('journal-rolled-back', 'last'))


@forgery("the same, from a backup: the store of an earlier day, its journal, its evidence")
def all_from_backup(d):
    for name in ('store', 'journal', 'evidence', 'index'):
        d.remove(name)
        d.copy(d.store.older / name, name)
    d.partner(('journal-rolled-back', 'last'))


@forgery("the same, and the head's copy is gone")
def all_from_backup_without_head(d):
    all_from_backup(d)
    d.remove(HEAD)


@forgery('journal and store are empty, as on the first day')
def all_emptied(d):
    for one in d.store.objects:
        d.remove_object(one)
    cut_to(d, min(size for size in d.store.notes if size))
    d.partner(('journal-rolled-back', 'early'), ('journal-rolled-back', 'last'))


@forgery('the journal is under its first checkpoint, of no entry')
def journal_emptied(d):
    d.put_journal([], d.store.notes[0], 0)
    d.check(*[('journal-object-unknown', one.id, '') for one in d.store.objects])
    d.partner(('journal-rolled-back', 'early'), ('journal-rolled-back', 'last'))


# ============================================================================ another key

def put_other_key(d):
    for name in ('journal/vkey', 'secrets/journal.key'):
        d.write(name, (d.store.other / name).read_bytes())


def signed_anew(d, entries):
    """The key with which the journal began stands in its first entry."""
    d.put_journal(entries, d.store.other_key.note(entries))
    put_other_key(d)
    d.verify(('journal-key', 'checkpoint'))


@forgery('an entry was edited and all signed with another key; the public key beside it is the old one')
def signed_with_another_key(d):
    entries = d.edited(an_early_index(d), by_nobody)
    d.put_journal(entries, d.store.other_key.note(entries))
    d.verify(('journal-signature', 'checkpoint'))


@forgery('the same, with the public key')
def signed_with_another_key_and_vkey(d):
    signed_anew(d, d.edited(an_early_index(d), by_nobody))


def forged_object(d):
    """Other content in an item, and entries that name the inventories that came of it."""
    one = d.an_item([one for one in d.store.with_versions(1) if one.payload()])
    d.replace_content(one, d.chance.choice(one.payload()), d.chance.randbytes(30))
    digest = sidecar(d.read(one.folder + '/inventory.json')).split()[0].decode()
    entries = list(d.store.entries)
    for index, event in d.store.events('ingestion'):
        if event['objects']['object'] == one.id:
            event['detail']['inventory'] = digest
            entries[index] = compact(event)
    return one, entries


@forgery('content, inventories, the entry that names them, all signed with another key')
def all_forged_with_another_key(d):
    signed_anew(d, forged_object(d)[1])


def begun_with_another_key(d, entries):
    """The same, and the first entry names the other key."""
    first = json.loads(entries[0])
    first['detail']['journal_key'] = (d.store.other / 'journal/vkey').read_text().strip()
    entries[0] = compact(first)
    return entries


@forgery('the same, and the first entry names that key; the sealed transfer was forgotten')
def all_forged_from_the_first_entry(d):
    entries = begun_with_another_key(d, forged_object(d)[1])
    d.put_journal(entries, d.store.other_key.note(entries))
    put_other_key(d)
    d.verify(('journal-key', d.store.seal_note))
    # Of a journal that is not of the key that is known nothing more is said.
    d.expected['partner'] = {('journal-key', 'vkey')}


def forge_seal(d, entries, key):
    """The sealed transfer has the checkpoint that the forged entries had then, and the key."""
    seal = d.store.seal
    d.replace_content(seal, 'v1/content/versement/checkpoint.txt', key.note(entries[:d.store.sealed]))
    if key is d.store.other_key:
        d.replace_content(seal, 'v1/content/versement/vkey.txt',
                          (d.store.other / 'journal/vkey').read_bytes())
    index, event = d.store.events('transfer sealed')[0]
    event['detail']['inventory'] = sidecar(d.read(seal.folder + '/inventory.json')).split()[0].decode()
    entries[index] = compact(event)
    d.put_journal(entries, key.note(entries))


@forgery('the same, and the sealed transfer has that key, too: only who kept something sees it')
def all_forged_with_seal(d):
    forge_seal(d, begun_with_another_key(d, forged_object(d)[1]), d.store.other_key)
    put_other_key(d)
    d.partner(('journal-key', 'vkey'))


@forgery('the same; who kept the checkpoints has no key of before')
def all_forged_with_seal_without_key(d):
    forge_seal(d, begun_with_another_key(d, forged_object(d)[1]), d.store.other_key)
    put_other_key(d)
    d.without_key = True
    d.partner(('journal-key', 'early'), ('journal-key', 'last'))


@forgery('the journal is that of another log, with its key; the store is ours')
def journal_of_another(d):
    for name in ('journal', 'secrets'):
        d.remove(name)
        d.copy(d.store.other / name, name)
    d.write(HEAD, (d.store.other / HEAD).read_bytes())
    d.partner(('journal-key', 'vkey'))
    d.check(*[('journal-object-unknown', one.id, '') for one in d.store.objects])
    d.check(*[('journal-object-missing', one.id, '') for one in objects_of(d.store.other)])
    d.verify(*[('evidence-missing', name) for name in records(d.store.other)])


@forgery('the whole data folder is that of another archive')
def all_of_another(d):
    for name in ('store', 'journal', 'secrets', 'evidence'):
        d.remove(name)
        d.copy(d.store.other / name, name)
    d.partner(('journal-key', 'vkey'))


@forgery('another key, and the kept checkpoints are compared by the key beside the journal')
def another_key_with_kept_checkpoints(d):
    """A partner who kept checkpoints and forgot the key."""
    signed_anew(d, d.edited(an_early_index(d), by_nobody))
    d.without_key = True


# ---------------------------------------------------------------------------- a key that was replaced

def last_bundle(entries):
    return 'tile/entries/%03d.p/%d' % (len(entries) // 256, len(entries) % 256)


def statement(d, entries, *signers):
    """That the other key takes the place of ours behind these entries."""
    origin, size, root, _ = note_text(d.store.key.name, entries).split('\n')
    old = (d.store.data / 'journal/vkey').read_text().strip()
    new = (d.store.other / 'journal/vkey').read_text().strip()
    text = ('Versement: the key of a journal is replaced\n'
            f'origin {origin}\nsize {size}\nroot {root}\nold {old}\nnew {new}\n')
    return compact({'v': 1, 'id': '01a2ffff-ffff-7fff-bfff-fffffffffffe', 'type': 'journal key replaced',
                    'time': '2026-01-01T00:00:00.000Z', 'agent': 'Versement', 'outcome': 'success',
                    'detail': {'statement': text + '\n' + ''.join(key.line(text) for key in signers)}})


def hand_over(d, entries, keep, *handing_over):
    """Entries that are to hand the journal over, under a checkpoint that both keys have signed."""
    entries = [*entries, *handing_over]
    text = note_text(d.store.key.name, entries)
    note = f'{text}\n{d.store.key.line(text)}{d.store.other_key.line(text)}'.encode()
    d.put_journal(entries, note, keep)
    put_other_key(d)
    return entries


def keys(d):
    return d.store.key, d.store.other_key


@forgery('the entry that hands over to another key bears the signature of that key alone')
def key_replaced_by_the_new_one(d):
    entries = d.store.entries + [statement(d, d.store.entries, d.store.other_key)]
    d.put_journal(entries, d.store.other_key.note(entries), d.store.published)
    put_other_key(d)
    d.verify(('journal-key', last_bundle(entries)))


@forgery('the entry that hands over to another key has no statement')
def key_replaced_without_statement(d):
    event = json.loads(statement(d, d.store.entries)) | {'detail': {}}
    entries = d.store.entries + [compact(event)]
    d.put_journal(entries, d.store.other_key.note(entries), d.store.published)
    put_other_key(d)
    d.verify(('journal-key', last_bundle(entries)))


@forgery('the statement that hands over to another key, signed by both, was made of fewer entries')
def key_replaced_elsewhere(d):
    older = d.store.entries[:an_older_size(d)]
    entries = hand_over(d, d.store.entries, d.store.published, statement(d, older, *keys(d)))
    d.verify(('journal-key', last_bundle(entries)))


@forgery('who has a key that was replaced hands over with it once more')
def key_replaced_twice_from_one(d):
    first = statement(d, d.store.entries, *keys(d))
    again = statement(d, d.store.entries + [first], *keys(d))
    entries = hand_over(d, d.store.entries, d.store.published, first, again)
    d.verify(('journal-key', last_bundle(entries)))


@forgery('who has a key that was replaced goes on with it behind the entry that handed over')
def replaced_key_goes_on(d):
    more = [statement(d, d.store.entries, *keys(d)), d.store.entries[-1]]
    entries = d.store.entries + more
    d.put_journal(entries, d.store.key.note(entries), d.store.published)
    d.verify(('journal-key', 'checkpoint'))


@forgery('who has a key that was replaced goes on with it in the place of the entry that handed over')
def replaced_key_forks(d):
    hand_over(d, d.store.entries, d.store.published, statement(d, d.store.entries, *keys(d)))
    d.keep('later')
    for name in ('journal/vkey', 'secrets/journal.key'):
        d.write(name, (d.store.data / name).read_bytes())
    put_behind(d, json.loads(d.store.entries[-1]) | {'id': '01a2ffff-ffff-7fff-bfff-ffffffffffff',
                                                    'agent': 'nobody'})
    d.partner(('journal-forked', 'later'))


@forgery('who has the key cuts the journal back and hands it over to another key there')
def handed_over_after_cut(d):
    entries = d.store.entries[:after_last_object(d)]
    hand_over(d, entries, len(entries), statement(d, entries, *keys(d)))
    d.partner(('journal-key', 'last'))


# ============================================================================ the real key

@forgery('an old entry was edited by who has the key, all signed anew')
def rewritten_with_the_key(d):
    entries = d.edited(an_early_index(d), by_nobody)
    d.put_journal(entries, d.store.key.note(entries))
    d.verify(('journal-forked', d.store.seal_note))
    d.partner(('journal-forked', 'early'), ('journal-forked', 'last'))


@forgery("the same; the head's copy was forgotten")
def rewritten_with_the_key_not_head(d):
    entries = d.edited(an_early_index(d), by_nobody)
    d.put_journal(entries, d.store.key.note(entries), head=False)
    d.verify(('journal-forked', HEAD), ('journal-forked', d.store.seal_note))
    d.partner(('journal-forked', 'early'), ('journal-forked', 'last'))


def fork_at(d, size):
    entries = list(d.store.entries)
    for index in range(size, len(entries)):
        event = json.loads(entries[index])
        event['agent'] = 'nobody'
        entries[index] = compact(event)
    d.put_journal(entries, d.store.key.note(entries), size)
    d.partner(('journal-forked', 'last'))


@forgery('the history is another from some entry on, forked with the key behind what was kept early')
def forked_with_the_key(d):
    fork_at(d, d.chance.choice([size for size in d.store.notes if d.store.early < size < d.store.sealed]))
    d.verify(('journal-forked', d.store.seal_note))


@forgery('the same, forked behind what the sealed transfer has')
def forked_behind_the_seal(d):
    fork_at(d, after_last_object(d))


@forgery('the history was cut back and goes on otherwise, with the key, and is longer')
def forked_and_longer(d):
    size = after_last_object(d)
    event = json.loads(d.store.entries[-1])
    more = [compact(event | {'id': f'01a2ffff-ffff-7fff-bfff-{n:012}', 'agent': f'nobody {n}'})
            for n in range(300)]
    entries = d.store.entries[:size] + more
    d.put_journal(entries, d.store.key.note(entries), size)
    d.partner(('journal-forked', 'last'))


@forgery('the history was cut back and goes on otherwise, with the key, and is shorter')
def forked_and_shorter(d):
    size = min(one for one in d.store.notes if one > d.store.early)
    event = json.loads(d.store.entries[-1])
    event |= {'id': '01a2ffff-ffff-7fff-bfff-ffffffffffff', 'agent': 'nobody'}
    entries = d.store.entries[:size] + [compact(event)]
    d.put_journal(entries, d.store.key.note(entries), size)
    d.partner(('journal-rolled-back', 'last'))
    d.about(*d.store.objects)
    d.check(('journal-object-unknown', d.store.seal.id, ''))


@forgery('content, inventories and the entry that names them, with the key: nothing contradicts itself')
def all_forged_with_the_key(d):
    _, entries = forged_object(d)
    d.put_journal(entries, d.store.key.note(entries))
    d.verify(('journal-forked', d.store.seal_note))
    d.partner(('journal-forked', 'early'), ('journal-forked', 'last'))


@forgery('an old entry was edited by who has the key, and the sealed transfer goes with it')
def rewritten_with_the_key_and_seal(d):
    forge_seal(d, d.edited(an_early_index(d), by_nobody), d.store.key)
    d.partner(('journal-forked', 'early'), ('journal-forked', 'last'))


@forgery('an object was taken out of store and journal, with the key')
def object_never_was(d):
    one = d.an_item(d.store.with_versions(1))
    d.remove_object(one)
    entries = [entry for entry in d.store.entries
               if json.loads(entry).get('objects', {}).get('object') != one.id]
    d.put_journal(entries, d.store.key.note(entries))
    d.verify(('journal-forked', d.store.seal_note))
    d.partner(('journal-rolled-back', 'last'), ('journal-forked', 'early'))


def put_behind(d, *events):
    """Entries behind the last one, with the key: nothing that was kept contradicts them."""
    entries = d.store.entries + [compact(event) for event in events]
    d.put_journal(entries, d.store.key.note(entries), d.store.published)
    return last_bundle(entries)


NEW_ID = {'id': '01a2ffff-ffff-7fff-bfff-ffffffffffff'}


def contradicted(d, event, **objects):
    """An entry behind the last one, which the entries before it do not allow."""
    event = event | NEW_ID | {'objects': event['objects'] | objects}
    d.verify(('journal-contradiction', put_behind(d, event)))


def ingestion_of(d, one, version=1):
    return next(event for _, event in d.store.events('ingestion')
                if event['objects']['object'] == one.id and event['objects']['version'] == version)


@forgery('content was forged, and an entry behind the last one names its inventory for the same version')
def version_named_again(d):
    one, _ = forged_object(d)
    event = ingestion_of(d, one)
    event['detail']['inventory'] = sidecar(d.read(one.folder + '/inventory.json')).split()[0].decode()
    contradicted(d, event)
    d.of(one, ('journal-object-altered', 'v1/inventory.json'))


@forgery('the same, and the entry stands in the tail only, under its last checkpoint')
def version_named_again_in_tail(d):
    one, _ = forged_object(d)
    event = ingestion_of(d, one) | NEW_ID
    event['detail']['inventory'] = sidecar(d.read(one.folder + '/inventory.json')).split()[0].decode()
    entries = d.store.entries + [compact(event)]
    size = d.store.published
    d.write(TAIL, d.store.tail + frame(ENTRY, size, entries[-1])
            + frame(CHECKPOINT, size + 1, d.store.key.note(entries)))
    d.verify(('journal-contradiction', in_journal(TAIL)))
    d.of(one, ('journal-object-altered', 'v1/inventory.json'))


@forgery('a sealed transfer was forged, and an entry behind the last one names its inventory')
def seal_named_again(d):
    seal = d.store.seal
    d.replace_content(seal, 'v1/content/versement/checkpoint.txt', d.read('journal/checkpoint') + b'\n')
    event = d.store.events('transfer sealed')[0][1]
    event['detail']['inventory'] = sidecar(d.read(seal.folder + '/inventory.json')).split()[0].decode()
    contradicted(d, event)
    d.of(seal, ('journal-object-altered', 'v1/inventory.json'))


@forgery('content was forged, and its inventory is named by an entry of a type that names none')
def version_named_by_another_type(d):
    one, _ = forged_object(d)
    digest = sidecar(d.read(one.folder + '/inventory.json')).split()[0].decode()
    put_behind(d, {'v': 1, 'type': 'service started', 'time': '2026-01-01T00:00:00.000Z',
                   'agent': 'Versement', 'outcome': 'success', 'detail': {'inventory': digest},
                   'objects': {'object': one.id, 'version': 1}} | NEW_ID)
    d.altered(one, 'v1')


@forgery('an entry behind the last one gives an object to another item')
def version_given_to_another_item(d):
    one, two = d.two_items()
    contradicted(d, ingestion_of(d, one), item=ingestion_of(d, two)['objects']['item'])


@forgery('the same, to an item that nobody knows')
def version_given_to_new_item(d):
    one = d.an_item(d.store.with_versions(1))
    contradicted(d, ingestion_of(d, one), item='nobody-knows-it')


@forgery('the same, and it would be the next version')
def next_version_given_to_new_item(d):
    one = d.an_item(d.store.with_versions(1))
    contradicted(d, ingestion_of(d, one), item='nobody-knows-it', version=2)
    d.of(one, ('journal-object-altered', 'v2/inventory.json'))


@forgery('the object of a sealed transfer is given to another transfer')
def seal_given_to_another_transfer(d):
    contradicted(d, d.store.events('transfer sealed')[0][1],
                 transfer='01a2ffff-0000-7000-8000-000000000000')


@forgery('an entry behind the last one gives an item another object')
def item_given_another_object(d):
    id_ = 'urn:uuid:01a2ffff-0000-7000-8000-000000000000'
    contradicted(d, ingestion_of(d, d.an_item()), object=id_)
    d.check(('journal-object-missing', id_, ''))


@forgery('an object that nobody knows begins with its second version')
def object_begins_with_second_version(d):
    id_ = 'urn:uuid:01a2ffff-0000-7000-8000-000000000000'
    contradicted(d, ingestion_of(d, d.an_item()), object=id_, item='nobody-knows-it', version=2)
    d.check(('journal-object-missing', id_, ''))


@forgery('an object was rolled back, and an entry put behind the last one names its old version again')
def rolled_back_and_named_again(d):
    one = d.an_item(d.store.with_versions(2))
    d.roll_back(one)
    contradicted(d, ingestion_of(d, one))
    d.of(one, ('journal-object-altered', 'v2/inventory.json'))


@forgery('the same, and the object is as it was: nothing is wrong with it')
def old_version_named_again(d):
    contradicted(d, ingestion_of(d, d.an_item(d.store.with_versions(3))))


@forgery('an entry put behind the last one names a fifth version of an object that has one')
def version_named_that_is_not_there(d):
    one = d.an_item(d.store.with_versions(1))
    contradicted(d, ingestion_of(d, one), version=5)
    d.of(one, ('journal-object-altered', 'v5/inventory.json'))


@forgery('content was forged, and the last entries of the journal are gone, with what they say of others')
def content_forged_beside_a_gap(d):
    one, _ = forged_object(d)
    bundle = partial('entries')(d)
    d.remove(bundle)
    d.of(one, ('journal-object-altered', 'v1/inventory.json'))
    d.verify(('journal-bundle', in_journal(bundle)))


@forgery('an entry put behind the last one is no event')
def entry_is_no_event(d):
    d.verify(('journal-entry', put_behind(d, {'v': 1})))


@forgery('the log has another name in its checkpoints, signed with the key')
def origin_forged(d):
    note = d.store.key.note(d.store.entries, 'archive.invalid/test')
    d.put_journal(d.store.entries, note)
    d.verify(('journal-origin', 'checkpoint'))


@forgery('an event stands twice in the journal, put there with the key')
def event_twice(d):
    index, _ = d.an_event('token created', 'token revoked')
    entries = d.store.entries + [d.store.entries[index]]
    d.put_journal(entries, d.store.key.note(entries), d.store.published)
    d.verify(('journal-contradiction', 'tile/entries/%03d.p/%d' % (len(entries) // 256, len(entries) % 256)))
