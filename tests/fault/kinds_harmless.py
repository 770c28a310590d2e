"""What may happen to a data folder, or what others may do in it, without any harm: of this nothing may
be said."""
import os
import shutil
import subprocess

import harness
from kinds import NotHere, harmless
from real_store import (CHECKPOINT, CONFIG, ENTRY, HEAD, TAIL, frame, frames_of, header, tiles_of)


def all_paths(d, name='.'):
    return [path for path in [d.path(name), *d.path(name).rglob('*')] if not path.is_symlink()]


@harmless('nothing')
def nothing(d):
    pass


@harmless('all times are others')
def times(d):
    for path in all_paths(d):
        os.utime(path, (d.chance.randrange(1 << 31), d.chance.randrange(1 << 31)))
    d.keep_times = True


def set_modes(d, folders, files):
    for path in reversed(all_paths(d)):
        path.chmod(folders if path.is_dir() else files)
    d.keep_times = True


@harmless('everything may be written by its owner')
def modes_of_umask(d):
    set_modes(d, 0o755, 0o644)


@harmless('everything may be written by anybody')
def modes_of_everybody(d):
    set_modes(d, 0o777, 0o666)


@harmless('everything may only be read by its owner')
def modes_of_a_medium(d):
    set_modes(d, 0o500, 0o400)


@harmless('the index is gone')
def index_gone(d):
    d.remove('index')


@harmless('the lock and the folders that are empty are gone, as in a copy')
def empty_folders_gone(d):
    d.remove('LOCK', 'index', 'work', 'quarantine')


@harmless('the secrets are gone, as in a copy for a partner')
def secrets_gone(d):
    d.remove('secrets')


@harmless('work/ has what a crash left')
def work_left(d):
    one = d.an_item()
    d.copy(d.path(one.folder), 'work/tx-01a2ffff-0000-7000-8000-000000000000/object')
    d.write('work/tx-01a2ffff-0000-7000-8000-000000000000/intent.json', b'{"v":1')
    d.write('work/audit-01a2ffff-0000-7000-8000-000000000001.jsonl', b'{"kind":"run"}\n')
    d.write('work/.tmp-1', b'half')


@harmless('quarantine/ has an object')
def quarantine_left(d):
    d.copy(d.path(d.an_item().folder), 'quarantine/01a2ffff-0000-7000-8000-000000000000')


@harmless('files that were being published were left everywhere in the journal and the root')
def temporaries_left(d):
    for folder in ('store', 'journal', 'journal/tile/0', 'evidence', 'secrets'):
        d.write(f'{folder}/.tmp-01a2', b'half')


@harmless('somebody laid files beside the objects, in the root itself')
def files_in_root(d):
    d.write('store/LISEZ-MOI.txt', b'note')
    d.write('store/inventaire 2026.csv', b'a;b\n')


@harmless('the root has a folder of a registered extension')
def root_extension(d):
    d.write('store/extensions/0001-digest-algorithms/config.json', b'{}\n')


@harmless('objects have a folder logs/, with anything in it')
def object_logs(d):
    for one in d.chance.sample(d.store.objects, 5):
        d.write(f'{one.folder}/logs/2026/audit.log', b'read\n')


@harmless('an object has a folder of a registered extension')
def object_extension(d):
    d.write(f'{d.an_item().folder}/extensions/0001-digest-algorithms/config.json', b'{}\n')


def each_sidecar(d, change):
    for one in d.chance.sample(d.store.items, 5):
        for where in ('', *[version + '/' for version in one.versions]):
            d.edit(f'{one.folder}/{where}inventory.json.sha512', change)


@harmless('sidecars have their digest in capitals')
def sidecar_in_capitals(d):
    each_sidecar(d, lambda data: data[:128].upper() + data[128:])


@harmless('sidecars have other blanks between digest and name')
def sidecar_with_other_blanks(d):
    blanks = d.chance.choice([b' ', b'\t', b'   ', b' \t '])
    each_sidecar(d, lambda data: data.replace(b'  ', blanks))


@harmless('sidecars have no line end')
def sidecar_without_line_end(d):
    each_sidecar(d, lambda data: data.rstrip(b'\n'))


@harmless('sidecars have the line end of Windows')
def sidecar_with_other_line_end(d):
    each_sidecar(d, lambda data: data.replace(b'\n', b'\r\n'))


@harmless("the layout's files are written with other blanks")
def layout_reformatted(d):
    for name in ('store/ocfl_layout.json', CONFIG):
        d.edit(name, lambda data: data.replace(b'\n', b'').replace(b'  ', b' '))


@harmless('versement.json is written with other blanks')
def marker_reformatted(d):
    d.edit('versement.json', lambda data: data.replace(b'\n', b' '))


# ---------------------------------------------------------------------------- the journal

@harmless('the checkpoint bears the signatures of witnesses, too')
def witnesses_behind(d):
    text = d.read('journal/checkpoint').decode().split('\n\n')[0] + '\n'
    more = d.store.other_key.line(text, 'witness.example/one') + d.store.other_key.line(text, 'two')
    for name in ('journal/checkpoint', HEAD):
        d.edit(name, lambda data: data + more.encode())


@harmless('the signature of a witness stands before that of the log')
def witness_before(d):
    text = d.read('journal/checkpoint').decode().split('\n\n')[0] + '\n'
    line = d.store.other_key.line(text, 'witness.example/one').encode()
    d.edit('journal/checkpoint', lambda data: data.replace(b'\n\n', b'\n\n' + line))


@harmless("a signature of the log's name and another key stands beside the right one")
def signature_of_a_second_key(d):
    text = d.read('journal/checkpoint').decode().split('\n\n')[0] + '\n'
    line = d.store.other_key.line(text).encode()
    d.edit('journal/checkpoint', lambda data: data.replace(b'\n\n', b'\n\n' + line))


@harmless('a wrong signature with the hash of the right key stands before the right one')
def wrong_signature_beside(d):
    older = min(size for size in d.store.notes if size)
    line = d.store.notes[older].split(b'\n\n')[1]
    d.edit('journal/checkpoint', lambda data: data.replace(b'\n\n', b'\n\n' + line))


@harmless("the head's copy is one publication behind")
def head_behind(d):
    d.write(HEAD, d.store.notes[max(size for size in d.store.notes if size < d.store.published)])


@harmless("the head's copy is not there")
def head_gone(d):
    d.remove(HEAD)


@harmless('the public key has the line end of Windows')
def vkey_with_other_line_end(d):
    d.edit('journal/vkey', lambda data: data.rstrip(b'\n') + b' \r\n')


@harmless('partial tiles and bundles of older checkpoints are there')
def stale_tiles(d):
    for size in d.chance.sample(sorted(size for size in d.store.notes if size), 4):
        for name, data in tiles_of(d.store.entries[:size]).items():
            if not d.path(name).exists():
                d.write(name, data)


@harmless('only the tiles of the newest checkpoint are there')
def no_stale_tiles(d):
    d.put_tiles(d.store.entries)


@harmless('the tail has none of the space that was reserved')
def tail_without_reserve(d):
    d.write(TAIL, d.store.tail)


@harmless('the tail has more space reserved')
def tail_with_more_reserve(d):
    d.write(TAIL, d.store.tail + bytes(3 << 20))


@harmless('behind the last checkpoint of the tail stands half a group that was never acknowledged')
def tail_with_half_a_group(d):
    group = frame(ENTRY, len(d.store.entries), d.store.entries[-1]) + frame(CHECKPOINT, 0, b'x')
    d.write(TAIL, d.store.tail + group[:d.chance.randrange(1, len(group) - 5)])


@harmless('behind the last checkpoint of the tail stand whole entries that were never acknowledged')
def tail_with_entries_without_checkpoint(d):
    d.write(TAIL, d.store.tail + frame(ENTRY, len(d.store.entries), d.store.entries[-1]) + bytes(99))


@harmless('all groups of the tail are one')
def tail_of_one_group(d):
    d.put_journal(d.store.entries, d.read('journal/checkpoint'))


def later_tail(d):
    rest = [(kind, index, payload) for kind, index, payload, _ in frames_of(d.store.tail)
            if index >= 256 + (kind == CHECKPOINT)]
    d.write(TAIL[:-3] + '256', header(256) + b''.join(frame(*one) for one in rest))


@harmless('a second tail begins with the entries that are in no whole bundle')
def two_tails(d):
    later_tail(d)


@harmless('the tail begins with the entries that are in no whole bundle')
def tail_begins_later(d):
    later_tail(d)
    d.remove(TAIL)


@harmless('an older tail, damaged, was left beside the newer one')
def older_tail_damaged(d):
    later_tail(d)
    d.flip(TAIL, 0, len(d.store.tail))


@harmless('the checkpoint is older than the tail, as after a power cut; the head is as old')
def checkpoint_older(d):
    size = d.chance.choice([size for size in d.store.notes
                            if d.store.published - 40 < size < d.store.published])
    d.put_tiles(d.store.entries[:size])
    for name in ('journal/checkpoint', HEAD):
        d.write(name, d.store.notes[size])


# ---------------------------------------------------------------------------- a key that is replaced

def replace_key(d):
    done = subprocess.run([harness.BUILD / 'versementd', '--replace-journal-key', '--data', d.data],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, done.stderr
    assert d.read('journal/vkey') != (d.store.kept / 'vkey').read_bytes()


@harmless('the key was replaced; who kept checkpoints has the older key')
def key_replaced(d):
    replace_key(d)
    d.keep('later')


@harmless('the key was replaced; who kept checkpoints has the new key')
def key_replaced_and_known(d):
    replace_key(d)
    d.without_key = True


@harmless('the key was replaced twice, and each time a checkpoint was kept')
def key_replaced_twice(d):
    replace_key(d)
    d.keep('between')
    replace_key(d)
    d.keep('later')


# ---------------------------------------------------------------------------- copies

def replaced_by(d, *command):
    """By a copy of itself, made so."""
    copy = d.data.parent / (d.data.name + '.copy')
    subprocess.run([*command, d.data, copy], check=True)
    remove_all(d.data)
    copy.rename(d.data)
    d.keep_times = True


def remove_all(folder):
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o700)
    shutil.rmtree(folder)


@harmless('the folder was copied with cp -r: other times, other modes')
def copied(d):
    replaced_by(d, 'cp', '-r')


@harmless('the folder was copied without links and holes, by another user')
def copied_by_another_user(d):
    if os.geteuid() != 0:
        raise NotHere('only root can give files away')
    replaced_by(d, 'cp', '-r', '--sparse=always')
    subprocess.run(['chown', '-R', '1234:1234', d.data], check=True)


@harmless('the folder was moved by tar')
def copied_by_tar(d):
    copy = d.data.parent / (d.data.name + '.copy')
    copy.mkdir()
    with subprocess.Popen(['tar', '-C', d.data, '-c', '.'], stdout=subprocess.PIPE) as tar:
        subprocess.run(['tar', '-C', copy, '-x'], stdin=tar.stdout, check=True)
    remove_all(d.data)
    copy.rename(d.data)
    d.keep_times = True


@harmless('the folder lies elsewhere, under a name with blanks and letters beyond ASCII')
def moved(d):
    name = d.data.with_name(d.data.name + ' – déplacé ភ្នំ')
    d.data.rename(name)
    d.data = name
    d.keep_times = True


@harmless('the folder is reached through a link')
def through_a_link(d):
    real = d.data.with_name(d.data.name + '.real')
    d.data.rename(real)
    d.data.symlink_to(real)
    d.keep_times = True
    d.cannot('check', ('not found', 'data'))
    d.gap = ('`store check` says that it is none of its folders (target_of() lists it with O_NOFOLLOW); '
             '`journal verify` and the daemon take it, and so does the check with a slash behind the name')
