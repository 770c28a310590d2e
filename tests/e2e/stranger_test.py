"""docs/verify-without-versement.md and the programs in docs/format, run as a stranger would run them:
every block on whole data, and on damaged ones. Then tests/e2e/stranger.py against the programs, on the
fixtures of tests/fixtures/damaged: two that read the same pages must come to the same verdict."""
import base64
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'fault'))
import harness  # noqa: E402
import damaged_test  # noqa: E402

DOCS = harness.ROOT / 'docs'
STRANGER = harness.ROOT / 'tests' / 'e2e' / 'stranger.py'
# What these look at is more than what a stranger does, or less.
COMPARED = ('journal-', 'object-', 'inventor', 'older-', 'newest-', 'payload-bit', 'seal-', 'version-')
NOT_COMPARED = {
    'journal-of-another-store': 'the stranger looks at the checkpoints of all seals in the store, the '
                                'programs at those of the seals that the journal names',
    'object-copied': 'where an object must lie is for the validators of OCFL',
    'object-moved': 'the same',
    'object-replaced-by-another': 'the same',
    'older-inventory-edited-sidecar-adjusted': 'versement store check looks at the newest inventory'}


def blocks():
    """Name (the first line's comment), language and text of each fenced block."""
    text = (DOCS / 'verify-without-versement.md').read_text(encoding='utf-8')
    found = re.findall('^```(sh|python)\n# ([^\n]*)\n(.*?)^```$', text, re.M | re.S)
    assert len(found) == text.count('```') // 2, 'a block without a name'
    return [(name.split(': python3')[0], language, body) for language, name, body in found]


def indented(page, name):
    """A program that stands in a page between its name and `# end`."""
    lines = (DOCS / 'format' / page).read_text(encoding='utf-8').splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith('    # ' + name))
    return '\n'.join(line[4:] for line in lines[first:lines.index('    # end', first)]) + '\n'


class Stranger(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        served = self.daemon()
        receiver = self.prepare(served)
        self.ingest(served)
        self.offer(served)
        self.proof = self.folder / 'seal.tlog-proof'
        history = served.get('/v1/transfers/2026-V-001')['history']
        index = next(act['journal_index'] for act in history if act['action'] == 'seal')
        self.versement(served, 'journal', 'proof', index, '--to', self.proof)
        self.versement(served, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        served.stop()
        self.bag = self.folder / '2026-V-001'
        self.key = self.folder / 'vkey'
        shutil.copy(served.data / 'journal' / 'vkey', self.key)
        self.kept = self.folder / 'kept'
        shutil.copy(served.data / 'journal' / 'checkpoint', self.kept)
        self.data = served.data
        self.place = self.folder / 'place'
        self.place.mkdir()
        for name, language, body in blocks():
            if language == 'python':
                (self.place / name).write_text(body, encoding='utf-8')

    def run_block(self, body):
        programs = [harness.CACHE / part for part in ('venv/bin', 'rocfl/bin', 'tlogcheck')]
        env = {**os.environ, 'DATA': str(self.data), 'KEY': str(self.key), 'KEPT': str(self.kept),
               'PROOF': str(self.proof), 'BAG': str(self.bag), 'DOCS': str(DOCS),
               'PATH': ':'.join(map(str, programs)) + ':' + os.environ['PATH']}
        # Every command of a block must succeed.
        return subprocess.run(['bash', '-euo', 'pipefail', '-c', body], cwd=self.place, env=env,
                              capture_output=True, text=True, timeout=120)

    def failing(self):
        """The names of the blocks that say that something is wrong."""
        out = set()
        for name, language, body in blocks():
            if language == 'python':
                continue
            if 'rocfl' in name and shutil.which('rocfl', path=harness.CACHE / 'rocfl/bin') is None:
                continue
            done = self.run_block(body)
            self.said[name] = done.stdout + done.stderr
            if done.returncode:
                out.add(name)
        return out

    def expect(self, *names):
        self.said = {}
        failing = self.failing()
        self.assertEqual(failing, set(names), [self.said[n] for n in failing ^ set(names)])

    def flip(self, path, old, new):
        path.chmod(0o644)
        data = path.read_bytes()
        self.assertIn(old, data)
        path.write_bytes(data.replace(old, new, 1))
        return lambda: path.write_bytes(data)

    def test_every_block_holds_on_whole_data_and_fails_on_what_it_is_for(self):
        self.expect()
        store = ('store: ocfl-py', 'store: sha512sum', 'store and journal')
        if (harness.CACHE / 'rocfl/bin/rocfl').exists():
            store += ('store: rocfl',)
        with self.subTest(what='a stored file'):
            file = next(self.data.glob('store/*/*/*/v1/content/METS.xml'))
            undo = self.flip(file, b'mets', b'mats')
            self.expect(*store)
            undo()
        with self.subTest(what='an entry'):
            bundle = max(self.data.glob('journal/tile/entries/000.p/*'), key=lambda p: int(p.name))
            undo = self.flip(bundle, b'collection created', b'collection creaTed')
            self.expect('journal: check.py', 'journal: Go', 'store and journal',
                        'journal: a checkpoint that was kept, and the one that the store has',
                        'proof: its checkpoint', 'bag: its checkpoint and key')
            undo()
        with self.subTest(what='a signature'):
            undo = self.flip(self.data / 'journal/checkpoint', b'\n\n', b'1\n\n')
            self.expect('journal: check.py', 'journal: openssl', 'journal: Go', 'store and journal')
            undo()
        with self.subTest(what='an entry in the tail'):
            tail = next(self.data.glob('journal/tail-*'))
            undo = self.flip(tail, b'collection created', b'collection creaTed')
            self.expect('journal: check.py', 'store and journal')
            undo()
        with self.subTest(what='another key'):
            undo = self.flip(self.key, self.key.read_bytes().split(b'+')[1], b'00000000')
            self.expect('journal: check.py', 'journal: the key beside it', 'store and journal',
                        'proof', 'bag: its checkpoint and key')
            undo()
        with self.subTest(what='a proof'):
            text = self.proof.read_text(encoding='utf-8')
            entry = base64.b64decode(re.search('extra (.*)', text)[1])
            forged = base64.b64encode(entry.replace(b'success', b'failure', 1)).decode()
            undo = self.flip(self.proof, re.search('extra (.*)', text)[1].encode(), forged.encode())
            self.expect('proof', 'store and journal')
            undo()
        with self.subTest(what='a file in the bag'):
            undo = self.flip(next(self.bag.glob('data/*/METS.xml')), b'mets', b'mats')
            self.expect('bag: sha512sum, and bagit-python', 'bag: the items in the sender\'s store')
            undo()
        with self.subTest(what='a bag that was sealed by somebody else'):
            undo = self.flip(self.bag / 'tagmanifest-sha512.txt', b'\n', b'\n\n')
            self.assertIn('bag: its seal in the journal', self.failing())
            undo()
        self.expect()

    def test_programs_in_the_pages_of_the_formats(self):
        (self.place / 'reader.py').write_text(indented('store.md', 'reader.py'), encoding='utf-8')
        run = lambda *more: subprocess.run(
            [sys.executable, self.place / 'reader.py', self.data / 'store', *more], cwd=self.place,
            capture_output=True, text=True)
        for item in self.bag.glob('data/*/'):
            done = run(item.name, f'out/{item.name}')
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            for file in filter(pathlib.Path.is_file, item.rglob('*')):
                out = self.place / 'out' / item.name / file.relative_to(item)
                self.assertEqual(out.read_bytes(), file.read_bytes())
        self.assertEqual(run('NOBODY', 'out/none').returncode, 1)

    def test_the_whole_example_of_the_journal(self):
        text = (DOCS / 'format' / 'journal.md').read_text(encoding='utf-8')
        section = re.sub('^    ', '', text[text.index('### A whole example'):], flags=re.M)
        proof, key = self.place / 'vector', self.place / 'vector.vkey'
        proof.write_text(re.search('c2sp.org/tlog-proof@v1\n.*?\n\n.*?\n\n.*?\n', section, re.S)[0],
                         encoding='utf-8')
        key.write_text(re.search('^example.org/vector[+].*\n', section, re.M)[0])
        self.versement(None, 'journal', 'check-proof', proof, '--key', key)
        subprocess.run([sys.executable, self.place / 'proof.py', proof, key], check=True,
                       capture_output=True)


class Verdicts(unittest.TestCase):
    def look(self, name, text):
        composed = damaged_test.Composed(self.folder, name, text)
        try:
            finders = damaged_test.Finders(composed)
            theirs = [finders.store_check(), finders.journal_verify()]
            done = subprocess.run([*composed.prefix, sys.executable, STRANGER, composed.data],
                                  capture_output=True, text=True, timeout=60)
        finally:
            damaged_test.remove(composed.data)
        statuses = [one['status'] for one in theirs]
        verdict = 1 if 1 in statuses else 2 if any(statuses) else 0
        codes = {finding[0] for finding in theirs[1]['findings']}
        mine = {line.split('  ')[0] for line in done.stdout.splitlines()}
        journal = {code for code in mine
                   if code.startswith('journal-') and not code.startswith('journal-object-')}
        return (done.returncode, journal), (verdict, codes), done.stdout + done.stderr

    def test_the_stranger_says_what_the_programs_say(self):
        self.folder = pathlib.Path(damaged_test.tempfile.mkdtemp(prefix='versement-stranger-'))
        self.addCleanup(damaged_test.remove, self.folder)
        chosen = {name: text for name, text in damaged_test.fixtures().items()
                  if name.startswith(COMPARED) and name not in NOT_COMPARED}
        chosen['whole'] = {}
        self.assertGreater(len(chosen), 40)
        with ThreadPoolExecutor(8) as pool:
            found = dict(zip(chosen, pool.map(self.look, chosen, chosen.values())))
        for name, (mine, theirs, said) in found.items():
            with self.subTest(damage=name):
                self.assertEqual(mine[0], theirs[0], said)
                if mine[0] == 1:  # A damaged tree also parts from the head; one of the two says so.
                    self.assertEqual(mine[1], theirs[1] - ({'journal-forked'} - mine[1]), said)


if __name__ == '__main__':
    harness.main()
