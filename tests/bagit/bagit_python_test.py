"""The same folders before bagit-python. Where it and we differ, cases/bagit-python.tsv says why, and
docs/bagit-python.md is that table for people.

    bagit_python_test.py             checks both against what bagit-python says now
    bagit_python_test.py --write     writes the verdicts of the table and the page anew; what it does
                                     otherwise has to be said in the table by hand
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import judging
import make
from judging import harness

TABLE = judging.HERE / 'cases' / 'bagit-python.tsv'
PAGE = harness.ROOT / 'docs' / 'bagit-python.md'
COLUMNS = 'case\tbagit-python\tours\tbagit-python does otherwise'

# Each bag in a process of its own: one that waits for a pipe is ended by its alarm.
PEER = """
import logging, os, signal, sys
import bagit
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(10)
        try:
            bagit.Bag(line.rstrip('\\n')).validate()
        except bagit.BagError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    word = {0: 'valid', 1: 'invalid', 2: 'crashes'}.get(os.waitstatus_to_exitcode(status), 'hangs')
    print(word, flush=True)
"""


def peer_verdicts(cases, bags):
    done = subprocess.run([harness.CACHE / 'venv' / 'bin' / 'python', '-c', PEER], text=True,
                          input=''.join(f'{bags / one["file"]}\n' for one in cases),
                          capture_output=True, timeout=600, check=True)
    return dict(zip((one['case'] for one in cases), done.stdout.split()))


def differ(peer, ours):
    return (peer == 'valid') != (ours in ('valid', 'warning'))


def read_table():
    lines = TABLE.read_text().splitlines() if TABLE.exists() else [COLUMNS]
    assert lines[0] == COLUMNS
    return {row[0]: row[1:] for row in (line.split('\t') for line in lines[1:])}


def page_of(cases, table):
    apart = [one for one in cases if differ(*table[one['case']][:2])]
    accepts = [one for one in apart if table[one['case']][0] == 'valid']
    out = [f"""# Where bagit-python and Versement differ

Written by `tests/bagit/bagit_python_test.py --write` from `tests/bagit/cases/bagit-python.tsv`; the test
of that name compares both with what bagit-python 1.9.0 says of the bags. Of {len(table)} folders with one
peculiarity each, the two agree on {len(table) - len(apart)} and differ on {len(apart)}: {len(accepts)} it
accepts and we do not, {len(apart) - len(accepts)} we accept and it does not. Archives it does not read.

The third column has what RFC 8493 says, or the version of a bag before it, from which our verdict follows.
"valid" and "warning" are bags that are accepted; "incomplete" lacks files that are still to be fetched;
"unexaminable" has checksums that nobody here can verify.
"""]
    for title, some in (('Accepted by bagit-python only', accepts),
                        ('Accepted by Versement only', [one for one in apart if one not in accepts])):
        out.append(f'\n## {title}\n\n| case, rule | bagit-python, ours | the rule | what bagit-python '
                   'does |\n| --- | --- | --- | --- |\n')
        for one in some:
            peer, ours, why = table[one['case']]
            text = [one['why'].replace('|', '\\|'), why.replace('|', '\\|')]
            out.append(f'| {one["case"]}, {one["rule"]} | {peer}, {ours} | {text[0]} | {text[1]} |\n')
    return ''.join(out)


class BagitPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (harness.CACHE / 'venv' / 'bin' / 'bagit.py').exists():
            raise unittest.SkipTest('bagit-python is not here: scripts/validators')
        folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-bags-'))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.cases = [one for one in make.make(folder / 'bags') if one['form'] == 'dir']
        cls.peer = peer_verdicts(cls.cases, folder / 'bags')
        cls.table = read_table()

    def test_every_folder_is_in_the_table(self):
        self.assertEqual([one['case'] for one in self.cases], list(self.table))

    def test_it_says_what_the_table_says(self):
        for one in self.cases:
            with self.subTest(one['case']):
                self.assertEqual(self.peer[one['case']], self.table[one['case']][0])
                self.assertEqual(one['verdict'], self.table[one['case']][1])

    def test_each_difference_is_explained_and_nothing_else(self):
        for name, (peer, ours, why) in self.table.items():
            with self.subTest(name):
                self.assertEqual(why != '', differ(peer, ours))

    def test_the_page_is_that_of_the_table(self):
        self.assertTrue(PAGE.read_text() == page_of(self.cases, self.table),
                        'docs/bagit-python.md is stale: bagit_python_test.py --write')


def write():
    with tempfile.TemporaryDirectory() as folder:
        bags = pathlib.Path(folder) / 'bags'
        cases = [one for one in make.make(bags) if one['form'] == 'dir']
        peer, old = peer_verdicts(cases, bags), read_table()
    table = {}
    for one in cases:
        name = one['case']
        why = old.get(name, ['', '', ''])[2] if differ(peer[name], one['verdict']) else ''
        table[name] = [peer[name], one['verdict'], why]
    TABLE.write_text('\n'.join([COLUMNS, *('\t'.join([name, *row]) for name, row in table.items()),
                                '']))
    PAGE.write_text(page_of(cases, table))
    for name, row in table.items():
        if differ(*row[:2]) and not row[2]:
            print(f'{name}: {row[0]}, ours {row[1]}: not explained')


if __name__ == '__main__':
    if sys.argv[1:] == ['--write']:
        os.umask(0o022)
        write()
    else:
        unittest.main(verbosity=2)
