"""A data folder of some size, damaged, forged, or changed without harm in every way of a table (kinds*.py),
each on a copy of its own: what `store check` and `journal verify` say of it, the latter also with what
a partner kept, must be what the table says. Times and modes are put back: only content can tell.

Which object, file or bit is meant follows from VERSEMENT_SEED=N (1 without it, so that a run on one
machine is a run on any; scripts/torture takes others),
VERSEMENT_KINDS=NAME,… takes these kinds only, VERSEMENT_KINDS=all also those pairs of a file and what is
done to it that chance leaves out; VERSEMENT_KINDS_SHOW=1 prints what is said of each."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
import kinds_damaged  # noqa: E402, F401
import kinds_forged  # noqa: E402, F401
import kinds_harmless  # noqa: E402, F401
from damaged_test import memory, remove  # noqa: E402
from kinds import KINDS, Change, NotHere  # noqa: E402
from real_store import SAMPLE, RealStore  # noqa: E402

SEED = os.environ.get('VERSEMENT_SEED') or '1'
ONLY = os.environ.get('VERSEMENT_KINDS', '')
SHOW = os.environ.get('VERSEMENT_KINDS_SHOW', '')
ONE_PAIR_OF = 9


def chosen():
    """All kinds; of the pairs of a file and what is done to it one in so many, so that each file and each
    way is among them."""
    if ONLY and ONLY != 'all':
        return [KINDS[name] for name in ONLY.split(',')]
    first = random.Random(SEED).randrange(ONE_PAIR_OF)
    return [kind for kind in KINDS.values()
            if ONLY == 'all' or kind.cell is None or (sum(kind.cell) + first) % ONE_PAIR_OF == 0]


def gap_of(looked):
    return looked and looked.change.gap


class Said:
    """What one program says: its status, and findings as the table writes them."""

    def __init__(self, arguments, list_, members):
        done = subprocess.run([harness.BUILD / 'versement', '--json', *map(str, arguments)],
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        report = json.loads(done.stdout)
        self.status = done.returncode
        if list_ in report:
            self.findings = {tuple(one[member] for member in members) for one in report[list_]}
        else:  # It could not be done: the reason names the last path in it.
            named = [word.rstrip(':,;') for word in report['detail'].split() if word[0] == '/']
            self.findings = {(report['code'], pathlib.Path((named or [''])[0]).name)}


class Looked:
    """One kind: what was done to a copy, and what was said of it."""

    def __init__(self, place, store, kind):
        data = place / 'data'
        self.harmless = kind.group == 'harmless'
        place.mkdir()
        subprocess.run(['cp', '-a', '--reflink=auto', store.data, data], check=True)
        self.change = Change(store, data, random.Random(f'{SEED}/{kind.name}'))
        self.missing = None
        try:
            kind.function(self.change, *kind.arguments)
        except NotHere as why:
            self.missing = str(why)
            return
        if not self.change.keep_times:
            self.change.restore_times()
        self.look(store, self.change.data)

    def look(self, store, data):
        key = [] if self.change.without_key else ['--key', store.kept / 'vkey']
        kept = [store.kept / 'early', store.kept / 'last', *self.change.kept]
        checkpoints = [word for path in kept for word in ('--checkpoint', path)]
        of_journal = ('findings', ('code', 'file'))
        self.said = {'check': Said(['store', 'check', data], 'problems', ('code', 'object', 'path'))}
        # Of a journal as it was the others say what they say of the whole store: that is a kind, too.
        wanted = self.change.expected
        if (self.change.touches_journal() or wanted['verify'] or wanted['partner'] or self.change.gap
                or self.harmless):
            self.said['verify'] = Said(['journal', 'verify', data], *of_journal)
            self.said['partner'] = Said(['journal', 'verify', *key, *checkpoints, data], *of_journal)
            # A kept checkpoint is called as it was named.
            names = {str(path): path.name for path in kept}
            self.said['partner'].findings = {(code, names.get(file, file))
                                             for code, file in self.said['partner'].findings}

    def wrong(self):
        """What is not as the table has it."""
        out = []
        for who, said in self.said.items():
            wanted = self.change.expected[who]
            status = self.change.status.get(who, 1 if wanted else 0)
            if said.status != status:
                out.append(f'{who}: status {said.status}, not {status}')
            out += [f'{who}: not said: {one}' for one in sorted(wanted)
                    if not any(self.is_one(found, one) for found in said.findings)]
            out += [f'{who}: said: {one}' for one in sorted(said.findings)
                    if not any(self.is_one(one, known) for known in wanted)
                    and not self.may_be_said(who, one)]
        return out

    @staticmethod
    def is_one(found, wanted):
        return found[0] in wanted[0].split('|') and found[1:] == wanted[1:]

    def may_be_said(self, who, finding):
        """More than is asked for, of what was touched: a gap is written down whole."""
        if self.change.gap or not self.change.expected[who]:
            return False
        if who == 'check':
            return finding[1] in self.change.touched
        return finding[0].startswith('journal-')

    def finders(self):
        return [who for who, said in self.said.items() if said.status == 1]

    def text(self):
        lines = [f'{who}: {said.status} {sorted(said.findings)[:12]}' for who, said in self.said.items()]
        return '\n'.join(lines)


class Forgery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-forgery-', dir=memory()))
        cls.addClassCleanup(remove, cls.folder)
        print(f'VERSEMENT_SEED={SEED}', flush=True)
        (cls.folder / 'example').mkdir()
        (cls.folder / 'sample').mkdir()
        cls.store = RealStore(cls.folder / 'example')
        cls.sample = RealStore(cls.folder / 'sample', SAMPLE) if SAMPLE.exists() else None
        cls.kinds = chosen()
        with ThreadPoolExecutor(2) as pool:
            cls.looked = {kind.name: pool.submit(cls.look, kind) for kind in cls.kinds}

    @classmethod
    def look(cls, kind):
        store = cls.sample if kind.of_sample else cls.store
        if store is None:
            return None
        place = cls.folder / kind.name
        try:
            return Looked(place, store, kind)
        finally:
            remove(place)

    def each(self, compare, *groups, gaps=False):
        for kind in self.kinds:
            looked = self.looked[kind.name]
            failed = looked.exception()
            if kind.group not in groups or not failed and gaps != bool(gap_of(looked.result())):
                continue
            with self.subTest(kind=kind.name, seed=SEED):
                looked = looked.result()
                if looked is None or looked.missing:
                    self.skipTest(looked.missing if looked else 'the sample collection is not here')
                if SHOW:
                    print(f'{kind.name} ({kind.sentence})\n{looked.text()}', flush=True)
                compare(kind, looked)

    def compare(self, kind, looked, hint=''):
        self.assertEqual(looked.wrong(), [], f'{kind.sentence}\n{looked.text()}\n{hint}')

    def test_the_store_is_one_to_try_it_on(self):
        self.assertGreater(len(self.store.entries), 256)
        self.assertGreater(self.store.early, 20)
        self.assertTrue(self.store.with_versions(3))
        self.assertEqual(len(tuple(self.store.data.glob('journal/tile/1/000.p/*'))), 1)

    def test_each_damage_and_each_forgery_is_found_as_what_it_is(self):
        def compare(kind, looked):
            self.compare(kind, looked)
            self.assertTrue(looked.finders() or looked.change.status,
                            'nobody finds it: that is a known gap')
        self.each(compare, 'damage', 'forgery')

    def test_nothing_is_said_of_what_is_harmless(self):
        self.each(self.compare, 'harmless')

    def test_known_gaps(self):
        """What is expected here is what the programs do today, not what they should do."""
        def compare(kind, looked):
            self.compare(kind, looked, f'The gap was: {looked.change.gap}. If it is closed, write down in '
                                       'the table what is said now')
        self.each(compare, 'damage', 'forgery', 'harmless', gaps=True)

    @classmethod
    def tearDownClass(cls):
        results = [(kind, cls.looked[kind.name]) for kind in cls.kinds]
        done = [(kind, one.result()) for kind, one in results
                if not one.exception() and one.result() and not one.result().missing]
        bad = [one for one in done if one[0].group != 'harmless']
        forged = [one for one in bad if one[0].group == 'forgery']
        harmless = [one for one in done if one[0].group == 'harmless']
        found = lambda which: sum(bool(looked.finders()) for _, looked in which)
        only = sum(looked.finders() == ['partner'] for _, looked in bad)
        alarms = found(harmless)
        gaps = sum(bool(looked.change.gap) for _, looked in done)
        print(f'\n{len(bad)} kinds of damage, {found(bad)} found ({only} of them only with what a partner '
              f'kept); of these {len(forged)} forgeries, {found(forged)} found; '
              f'{len(harmless)} harmless changes, {alarms} false alarms; {gaps} known gaps', flush=True)


if __name__ == '__main__':
    harness.main()
