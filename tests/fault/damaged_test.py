"""Stores with one damage each (tests/fixtures/damaged): every program that can look at one does, and
must say exactly what `damage.json` says: nothing less, nothing more, and of no other file.

VERSEMENT_DAMAGE=NAME,… takes these only; VERSEMENT_DAMAGE_SHOW=1 prints what every program says."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402

FIXTURES = harness.ROOT / 'tests' / 'fixtures' / 'damaged'
ONLY = os.environ.get('VERSEMENT_DAMAGE', '')
SHOW = os.environ.get('VERSEMENT_DAMAGE_SHOW', '')
FINDERS = ('store check', 'journal verify', 'start', 'audit')
CLEAN = {'status': 0, 'findings': []}
# Of root these rights are taken away where a file must be unreadable: they go past every mode.
WITHOUT_RIGHTS = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']


def memory():
    """A place in memory, where there is one: nothing here is about what reaches the disk."""
    place = pathlib.Path('/dev/shm')
    roomy = place.is_dir() and shutil.disk_usage(place).free > 1 << 30
    return place if roomy and 'TMPDIR' not in os.environ else None


def fixtures():
    return {path.parent.name: json.loads(path.read_text(encoding='utf-8'))
            for path in sorted(FIXTURES.glob('*/damage.json'))}


def table():
    """The damages that make.py makes."""
    spec = importlib.util.spec_from_file_location('make', FIXTURES / 'make.py')
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return make.DAMAGES


def remove(path):
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
        shutil.rmtree(path)
    else:
        path.unlink()


def copy(source, target):
    """Writable: what is put together is changed before its modes are set."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


class Composed:
    """One damaged data folder."""

    def __init__(self, place, name, text, changes=None):
        self.data = place / name
        changes = changes or FIXTURES / name / 'files'
        self.text = text
        copy(FIXTURES / 'whole', self.data)
        for folder in ('work', 'quarantine'):  # Empty, so not in git.
            (self.data / folder).mkdir()
        if text.get('index') == 'kept':
            self.set_modes()
            once = Started(self.data)
            once.start()
            once.stop()
            for folder, _, files in os.walk(self.data / 'store'):
                os.chmod(folder, 0o755)
                for file in files:
                    os.chmod(os.path.join(folder, file), 0o644)
        for source, target in text.get('copy', []):
            copy(self.data / source, self.data / target)
        for path in text.get('remove', []):
            remove(self.data / path)
        for path in sorted(changes.rglob('*')):
            if path.is_file():
                target = self.data / path.relative_to(changes)
                if target.exists():
                    target.chmod(0o644)
                copy(path, target)
        for one in text.get('make', []):
            self.make(**one)
        self.set_modes()
        for one in text.get('make', []):
            if 'unreadable' in one:
                (self.data / one['unreadable']).chmod(0)

    def make(self, fifo=None, folder=None, link=None, hard_link=None, unreadable=None, target=None):
        if fifo:
            os.mkfifo(self.data / fifo)
        elif folder:
            (self.data / folder).mkdir(parents=True)
        elif link:
            (self.data / link).symlink_to(self.data / target)
        elif hard_link:
            (self.data / hard_link).hardlink_to(self.data / target)
        else:
            assert unreadable  # When all modes are set.

    def set_modes(self):
        """As the daemon leaves them; git keeps none of these."""
        (self.data / 'secrets').chmod(0o700)
        for path in (self.data / 'secrets').iterdir():
            path.chmod(0o600)
        for name in ('store', 'evidence', 'journal'):
            for folder, _, files in os.walk(self.data / name):
                inside = '/urn%3a' in folder
                os.chmod(folder, 0o555 if inside else 0o755)
                for file in files:
                    path = pathlib.Path(folder) / file
                    if path.is_file() and not path.is_symlink():
                        sealed = inside or name == 'evidence' or '/tile/' in folder
                        path.chmod(0o444 if sealed else 0o644)

    @property
    def prefix(self):
        unreadable = any('unreadable' in one for one in self.text.get('make', []))
        return WITHOUT_RIGHTS if unreadable and os.geteuid() == 0 else []


class Finders:
    """What each program says of a data folder: exit status and findings, of which the place counts and
    not the wording."""

    def __init__(self, composed):
        self.composed = composed
        self.data = composed.data

    def versement(self, *arguments):
        done = subprocess.run(
            [*self.composed.prefix, harness.BUILD / 'versement', '--json', *map(str, arguments)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode, json.loads(done.stdout)

    def run(self):
        found = {'store check': self.store_check(), 'journal verify': self.journal_verify()}
        expected = self.composed.text.get('expected', {}).get('start', CLEAN)
        daemon = Started(self.data, self.composed.prefix)
        try:
            found['start'] = daemon.start(expected['findings'])
            found['audit'] = self.audit(daemon) if daemon.serves else None
            daemon.stop()
        finally:
            daemon.kill()
        return found

    def store_check(self):
        status, report = self.versement('store', 'check', self.data)
        return self.result(status, report, 'problems', ('code', 'object', 'path'))

    def journal_verify(self):
        status, report = self.versement('journal', 'verify', self.data)
        return self.result(status, report, 'findings', ('code', 'file'))

    def audit(self, daemon):
        status, report = self.versement('--server', daemon.address, '--token-file',
                                        daemon.admin_token_file, 'audit', 'run')
        return self.result(status, report, 'outcomes', ('outcome', 'owner', 'path'))

    def result(self, status, report, list_, members):
        if list_ in report:
            found = [[one[member] for member in members] for one in report[list_]]
        else:  # It could not be done: the reason names the last path in it.
            named = re.findall(re.escape(str(self.data)) + '/?([^ :]*)', report['detail'])
            found = [[report['code'], *[''] * (len(members) - 2), (named or [''])[-1]]]
        return {'status': status, 'findings': sorted(found)}


class Started(harness.Daemon):
    """A daemon that may refuse to start. It takes any free port: many run side by side."""

    def __init__(self, data, prefix=()):
        super().__init__(data, [])
        self.prefix = prefix
        self.serves = False

    def start(self, refusals=()):
        """What it says: of a refusal those texts that stand in it, else its warnings and errors."""
        self.log = open(str(self.data) + '.log', 'wb')
        self.process = subprocess.Popen(
            [*self.prefix, harness.BUILD / 'versementd', '--data', self.data, '--listen',
             '127.0.0.1:0'], stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while not self.serves and self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError('versementd does not answer: ' + self.log_text())
            time.sleep(0.01)
            for line in self.lines():
                if line['event'] == 'serving':
                    self.port = int(line['address'].rsplit(':', 1)[1])
                    self.serves = True
        if self.serves:
            return {'status': 0,
                    'findings': sorted([line['event'], line.get('object') or line.get('digest', '')]
                                       for line in self.lines() if line['level'] != 'info')}
        said = self.log_text()
        missed = [text for text in refusals if text[0] not in said]
        return {'status': self.process.returncode,
                'findings': [[said]] if missed or not refusals else refusals}

    def lines(self):
        whole = pathlib.Path(str(self.data) + '.log').read_text().rpartition('\n')[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith('{')]

    def stop(self):
        if self.serves:
            super().stop()


class Damaged(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-damaged-', dir=memory()))
        cls.addClassCleanup(remove, cls.folder)
        cls.fixtures = fixtures()
        if ONLY:
            cls.fixtures = {name: cls.fixtures[name] for name in ONLY.split(',')}
        with ThreadPoolExecutor(8) as pool:  # They mostly wait.
            cls.found = {name: pool.submit(cls.look, name, text)
                         for name, text in cls.fixtures.items()}
            cls.found['whole'] = pool.submit(cls.look, 'whole', {})

    @classmethod
    def look(cls, name, text):
        composed = Composed(cls.folder, name, text)
        try:
            return Finders(composed).run()
        finally:
            remove(composed.data)

    def compare(self, name, text, hint):
        if any('unreadable' in one for one in text.get('make', [])) and not can_drop_rights():
            self.skipTest('of root no rights can be taken away here')
        found = self.found[name].result()
        if SHOW:
            print(name, json.dumps(found, indent=1, ensure_ascii=False), flush=True)
        for finder in FINDERS:
            with self.subTest(damage=name, finder=finder):
                self.assertEqual(found[finder], text['expected'][finder], hint)

    def test_the_whole_store_is_clean(self):
        self.assertEqual(self.found['whole'].result(), dict.fromkeys(FINDERS, CLEAN))

    def test_each_damage_is_found_as_what_it_is(self):
        for name, text in self.fixtures.items():
            if 'known_gap' in text:
                continue
            with self.subTest(damage=name):
                self.assertTrue(text['found_by'], 'nobody finds it: that is a known_gap')
                self.compare(name, text, 'this damage was found, and as this')

    def test_known_gaps(self):
        """Damages that no program finds, or that one takes for something else. What is expected here
        is what they do today, not what they should do."""
        for name, text in self.fixtures.items():
            if 'known_gap' not in text:
                continue
            with self.subTest(damage=name):
                self.compare(name, text, f'the gap was: {text["known_gap"]}. If it is closed, write '
                                         'down in make.py (and damage.json) what is said now')

    def test_a_forged_journal_is_found_with_a_key_that_came_another_way(self):
        name = 'journal-forged'
        if name not in self.fixtures:
            self.skipTest('it is not looked at')
        composed = Composed(self.folder, 'forged', self.fixtures[name], FIXTURES / name / 'files')
        status, report = Finders(composed).versement('journal', 'verify', '--key',
                                                     FIXTURES / 'whole/journal/vkey', composed.data)
        self.assertEqual((status, [(f['code'], f['file']) for f in report['findings']]),
                         (1, [('journal-key', 'vkey')]))

    @unittest.skipIf(ONLY, 'only some are looked at')
    def test_no_damage_is_forgotten(self):
        folders = {path.name for path in FIXTURES.iterdir()
                   if path.is_dir() and path.name not in ('whole', '__pycache__')}
        self.assertEqual(folders, set(self.fixtures))
        self.assertEqual(folders, set(table()))
        for name, text in self.fixtures.items():
            with self.subTest(damage=name):
                said = [finder for finder in FINDERS if text['expected'][finder] not in (None, CLEAN)]
                self.assertEqual(text['found_by'], said)


def can_drop_rights():
    return os.geteuid() != 0 or (shutil.which('setpriv') is not None and subprocess.run(
        [*WITHOUT_RIGHTS, 'true'], capture_output=True).returncode == 0)


if __name__ == '__main__':
    harness.main()
