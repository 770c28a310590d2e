"""Stores that the daemon wrote, opened and validated by the other programs that read OCFL.

What scripts/validators --all did not fetch is left out, counted as skipped."""
import csv
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
from harness import CACHE, EXAMPLE, SHARED, needs_shared  # noqa: E402

JAVA = CACHE / 'ocfl-java'
ROCFL = CACHE / 'rocfl' / 'bin' / 'rocfl'
PYTHON = CACHE / 'venv' / 'bin' / 'python'
ROW = ('filename', 'identifier', 'dc.title', 'dc.rights', 'credit', 'owner')

# Its command says nothing of warnings in objects. Importing it would turn on its chatter.
OCFL_PY = """
import logging, sys
logging.basicConfig(level=logging.WARNING)
import ocfl
root = ocfl.StorageRoot(sys.argv[1])
valid = root.validate(log_warnings=True)
print(root.num_objects, 'objects')
for finding in [*root.errors, *root.log.messages]:
    print('finding', str(finding).replace(chr(10), ' '))
if not valid or root.num_objects != root.good_objects:
    print('finding', root.good_objects, 'objects are good')
"""


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def number(pattern, text):
    """None where the program did not get as far as its count."""
    found = re.search(pattern, text)
    return int(found.group(1)) if found else None


def failed(done):
    """What a program says beside its report is a finding as well."""
    return [f'exit status {done.returncode}'] * (done.returncode != 0) + done.stderr.splitlines()


# Each returns how many objects it saw, how many files it opened (None: it does not say), its findings.


def ocfl_java(root):
    done = run('java', '-cp', f'{JAVA}/jars/*:{JAVA}/classes', 'OcflCheck', root)
    found = [line for line in done.stdout.splitlines() if line.startswith(('error ', 'warning '))]
    return (number(r'(\d+) objects,', done.stdout), number(r'(\d+) files,', done.stdout),
            found + failed(done))


def rocfl(root):
    # Its exit status is 0 with warnings, so its report is read.
    done = run(ROCFL, '-r', root, 'validate')
    found = re.findall(r'^ +\d+\. (\[.*)', done.stdout, re.MULTILINE)
    return number(r'Total objects: +(\d+)', done.stdout), None, found + failed(done)


def ocfl_py(root):
    done = run(PYTHON, '-c', OCFL_PY, root)
    found = [line for line in done.stdout.splitlines() if line.startswith('finding')]
    return number(r'(\d+) objects', done.stdout), None, found + failed(done)


PEERS = {ocfl_java: JAVA / 'classes', rocfl: ROCFL, ocfl_py: PYTHON}


class Peers(harness.EndToEnd):
    def each_peer(self, root, check):
        for peer, fetched in PEERS.items():
            with self.subTest(peer=peer.__name__):
                if not fetched.exists():
                    self.skipTest(f'{peer.__name__} was not fetched: scripts/validators --all')
                check(*peer(root))

    def deposit(self, version):
        """One item with names that need care, and digests that become a fixity block."""
        folder = self.folder / 'inbox' / 'deposit'
        shutil.rmtree(folder, ignore_errors=True)
        metadata = folder / 'metadata'
        metadata.mkdir(parents=True)
        files = {'fiche é: 100 %.txt': 'stays', 'sub/scan.txt': f'version {version}',
                 f'only {version}.txt': 'came and went'}
        for path, text in files.items():
            (folder / 'objects' / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / 'objects' / path).write_text(text)
        with open(metadata / 'metadata.csv', 'w', encoding='utf-8', newline='') as file:
            rows = csv.writer(file)
            rows.writerow(ROW)
            for path in files:
                rows.writerow((f'objects/{path}', 'A-1', f'Titre {version}', 'Libre', 'C', 'O'))
        for name in ('md5', 'sha1'):
            (metadata / f'checksum.{name}').write_text(''.join(
                f'{hashlib.new(name, text.encode()).hexdigest()}  {path}\n'
                for path, text in files.items()))
        return folder

    def corrected(self, collection):
        """The collection with one file of one item changed."""
        folder = self.folder / 'inbox' / 'corrected'
        shutil.copytree(collection, folder)
        (folder / 'metadata' / 'checksum.sha512').unlink()
        with open(sorted((folder / 'objects').rglob('*.jpg'))[0], 'ab') as file:
            file.write(b'\0')
        return folder

    def write(self, collection):
        """A root with items of UUIDs and of ARKs, further versions and a sealed transfer."""
        (self.folder / 'inbox').mkdir()
        daemon = self.daemon(inboxes=[collection, self.folder / 'inbox'])
        self.prepare(daemon)
        self.versement(daemon, 'collection', 'create', 'arks', '--title', 'ARKs', '--agency-id',
                       'sender', '--agency-name', 'Sender', '--naan', '12345')
        self.ingest(daemon, collection)
        self.ingest_further(daemon, self.corrected(collection), 'collection')
        for version in (1, 2, 3):
            self.ingest_further(daemon, self.deposit(version), 'arks')
        self.offer(daemon)
        items = len(daemon.all_of('/v1/items'))
        daemon.stop()
        root = daemon.data / 'store'
        objects = [json.loads((d.parent / 'inventory.json').read_text())
                   for d in root.glob('*/*/*/0=ocfl_object_1.1')]
        self.assertEqual(len(objects), items + 1)  # the sealed transfer
        self.assertEqual(sorted(o['head'] for o in objects)[-2:], ['v2', 'v3'])
        ark = next(o for o in objects if o['id'] == 'ark:/12345/A-1')
        self.assertEqual((ark['head'], set(ark['fixity'])), ('v3', {'md5', 'sha1', 'sha256'}))
        files = sum(len(paths) for o in objects
                    for paths in o['versions'][o['head']]['state'].values())
        return root, len(objects), files

    def ingest_further(self, daemon, folder, collection):
        self.versement(daemon, 'ingest', folder, '--collection', collection, '--new-versions')

    @staticmethod
    def look_of(root):
        return {str(p): (s.st_mode, s.st_size, s.st_mtime_ns)
                for p in (root, *root.rglob('*')) for s in [p.lstat()]}

    def accepted(self, collection):
        root, objects, files = self.write(collection)
        before = self.look_of(root)

        def check(seen, opened, findings):
            self.assertEqual(findings, [])
            self.assertEqual(seen, objects)
            self.assertIn(opened, (files, None))
        self.each_peer(root, check)
        self.assertEqual(self.look_of(root), before, 'a program that should only read wrote')
        print(f'{objects} objects, {files} files in their newest versions', flush=True)

    def test_the_example(self):
        self.accepted(EXAMPLE)

    @needs_shared('sample-collection')
    def test_a_foreign_collection(self):
        self.accepted(SHARED / 'sample-collection')

    def test_the_peers_can_say_no(self):
        root, _, _ = self.write(EXAMPLE)
        damaged = self.folder / 'damaged'
        shutil.copytree(root, damaged)
        # Of an old version: reading the newest one cannot find it.
        victim = next(damaged.glob('*/*/ark*')) / 'v1' / 'content' / 'METS.xml'
        victim.chmod(0o600)
        content = bytearray(victim.read_bytes())
        content[100] ^= 1
        victim.write_bytes(content)
        self.each_peer(damaged, lambda seen, opened, findings: self.assertRegex(
            ' '.join(findings), 'E09[23]'))
        # What is only worth a warning.
        warned = self.folder / 'warned'
        shutil.copytree(root, warned)
        version = next(warned.glob('*/*/ark*')) / 'v2'
        version.chmod(0o700)
        for name in ('inventory.json', 'inventory.json.sha512'):
            (version / name).unlink()
        self.each_peer(warned, lambda seen, opened, findings: self.assertRegex(
            ' '.join(findings), 'W010'))
        # And nothing to look at is not nothing found.
        (self.folder / 'empty').mkdir()
        self.each_peer(self.folder / 'empty', lambda seen, opened, findings: self.assertTrue(findings))


if __name__ == '__main__':
    harness.main()
