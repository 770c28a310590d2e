"""Some hundred bags with one peculiarity each (cases/make.py), held against what RFC 8493 says."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import judging
import make

MODES = {'default': (), 'strict': ('--strict',), 'lenient': ('--lenient',)}


class Generated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-bags-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.bags = cls.folder / 'bags'
        cls.cases = make.make(cls.bags)
        folders = [one for one in cls.cases if one['form'] == 'dir']
        before = {one['case']: judging.snapshot(cls.bags / one['file']) for one in folders}
        cls.outside = judging.snapshot(cls.bags / make.OUTSIDE)
        cls.answers = {mode: judging.judge([cls.path(one) for one in cls.cases], *options)
                       for mode, options in MODES.items()}
        cls.changed = {}
        for one in folders:
            after = judging.snapshot(cls.bags / one['file'])
            was = before[one['case']]
            cls.changed[one['case']] = sorted(
                path for path in was.keys() | after.keys() if was.get(path) != after.get(path))

    @classmethod
    def path(cls, case):
        return str(cls.bags / case['file'])

    def told(self, case, mode):
        answer = self.answers[mode][self.path(case)]
        findings = [f'  {one["severity"]} {one["code"]} {one.get("path", "")[:80]!r} '
                    f'{one.get("detail", "")[:120]!r}' for one in answer['findings'][:8]]
        return answer, '\n'.join([f'{case["file"]}, rule {case["rule"]}, {mode}: {case["why"]}',
                                  *findings])

    def test_the_table_covers_every_rule(self):
        rules = {one['rule'] for one in self.cases}
        self.assertEqual(rules, set(range(1, 53)))
        self.assertGreaterEqual(len(self.cases), 170)
        accepted = [one for one in self.cases if one['verdict'] in ('valid', 'warning')]
        self.assertGreaterEqual(len(accepted), 50)
        archives = [one for one in self.cases if one['form'] != 'dir']
        self.assertGreaterEqual(len(archives), 35)
        self.assertEqual({one['form'] for one in archives}, {'tar', 'tgz', 'zip'})

    def test_the_table_names_codes_of_the_program_only(self):
        known = judging.all_codes()
        self.assertGreater(len(known), 80)
        for one in self.cases:
            named = {part for code in one['codes'] for part in code.split('|')} | set(one['may'])
            self.assertEqual(named - known, set(), one['case'])

    def test_the_table_is_made_alike_every_time(self):
        again = self.folder / 'again'
        make.make(again)
        for one in self.cases:
            if one['form'] != 'dir':
                self.assertEqual((again / one['file']).read_bytes(),
                                 (self.bags / one['file']).read_bytes(), one['case'])
                continue
            first, second = ({path: (seen[:1] + seen[1:3] + seen[5:]) if path else seen[:2]
                              for path, seen in judging.snapshot(root / one['file']).items()}
                             for root in (again, self.bags))
            self.assertEqual(first.keys(), second.keys(), one['case'])
            for path in first:
                same = first[path] == second[path] or os.path.isdir(
                    os.fsencode(self.bags / one['file']) + path)  # A folder's size is its own.
                self.assertTrue(same, (one['case'], path[:80]))

    def test_verdicts(self):
        for mode in MODES:
            for one in self.cases:
                wanted = one['verdict' if mode == 'default' else mode]
                with self.subTest(one['case'], mode=mode):
                    answer, told = self.told(one, mode)
                    self.assertEqual(judging.word_of(answer), wanted, told)

    def test_codes(self):
        for one in self.cases:
            with self.subTest(one['case']):
                answer, told = self.told(one, 'default')
                found = judging.codes_of(answer)
                for code in one['codes']:
                    self.assertTrue(found & set(code.split('|')), f'{code} is not found\n{told}')
                allowed = {part for code in one['codes'] for part in code.split('|')}
                self.assertEqual(found - allowed - set(one['may']), set(), told)

    def test_findings_are_whole(self):
        """Each says a code of the table, how heavy it is, and of which section."""
        known = judging.all_codes()
        for mode in MODES:
            for one in self.cases:
                for finding in self.answers[mode][self.path(one)]['findings']:
                    self.assertIn(finding['code'], known, one['case'])
                    self.assertIn(finding['severity'], ('warning', 'error', 'unread'), one['case'])

    def test_strict_accepts_nothing_that_lenient_refuses(self):
        for one in self.cases:
            by_mode = [judging.word_of(self.answers[mode][self.path(one)]) in ('valid', 'warning')
                       for mode in ('strict', 'default', 'lenient')]
            self.assertEqual(by_mode, sorted(by_mode), one['case'])

    def test_nothing_in_a_bag_is_changed(self):
        if not judging.remembers_access(self.folder):
            self.skipTest('this file system notes no access times down')
        for one, paths in self.changed.items():
            with self.subTest(one):
                self.assertEqual([path[-80:] for path in paths[:5]], [])
        self.assertEqual(judging.snapshot(self.bags / make.OUTSIDE), self.outside)

    def test_exit_statuses(self):
        for name, status in (('basic', 0), ('version-0.97', 0), ('asterisk', 0), ('mismatch', 1),
                             ('fetch-absent', 2),
                             ('manifests-one-of-an-unknown-algorithm', 2)):
            report, found = judging.run([self.bags / name])
            self.assertEqual((found, report['exit_code']), (status, status), name)
        report, found = judging.run([self.bags / 'basic', self.bags / 'fetch-absent',
                                     self.bags / 'mismatch'])
        self.assertEqual((found, report['exit_code']), (1, 1))
        self.assertEqual([one['verdict'] for one in report['bags']],
                         ['valid', 'incomplete', 'invalid'])

    def test_what_unpacks_to_more_than_was_permitted_is_not_examined(self):
        for file in ('tgz-bomb.tar.gz', 'zip-bomb.zip'):
            for options, code in ((('--max-ratio', 100), 'serialization.ratio'),
                                  (('--max-bytes', 1000000), 'serialization.limit')):
                with self.subTest(file, code=code):
                    answer = judging.run_one(self.bags / file, *options)
                    self.assertEqual(answer['verdict'], 'unexaminable')
                    self.assertIn(code, judging.codes_of(answer))

    def test_a_bag_that_cannot_be_read_takes_no_other_with_it(self):
        for other, verdict in (('tar-of-nonsense.tar', 'invalid'), ('zip-empty-file.zip', 'invalid'),
                               ('not-there', 'unexaminable')):
            with self.subTest(other):
                report, status = judging.run([self.bags / other, self.bags / 'mismatch',
                                              self.bags / 'basic'])
                self.assertEqual([one['verdict'] for one in report['bags']],
                                 [verdict, 'invalid', 'valid'])
                self.assertEqual(status, 1)

    @unittest.skipUnless(shutil.which('strace'), 'strace is not here')
    def test_nothing_outside_of_a_bag_is_opened(self):
        hostile = [one for one in self.cases if one['form'] == 'dir' and one['rule'] in (43, 44)]
        self.assertGreater(len(hostile), 40)
        log = self.folder / 'strace'
        judging.run([self.path(one) for one in hostile], prefix=(
            'strace', '-f', '-y', '-s', '9999', '-o', log, '-e',
            'trace=open,openat,openat2,readlink,readlinkat,stat,lstat,newfstatat,statx'))
        calls = [Call(line) for line in log.read_text(errors='surrogateescape').splitlines()
                 if '(' in line]
        inside, outside = 0, []
        roots = [os.path.realpath(self.path(one)) for one in hostile]
        for call in calls:
            for place in call.places():
                if any(place == root or place.startswith(root + '/') for root in roots):
                    inside += 1
                elif not self.is_of_the_system(place):
                    outside.append(call.line[:300])
        self.assertGreater(inside, 4 * len(hostile), 'strace saw nothing of the work')
        self.assertEqual(outside[:5], [])

    def is_of_the_system(self, place):
        """The program itself, its libraries and tables; and what lies above a bag, of which a path
        from the root is made."""
        if place in ('/etc/passwd', '/etc/hostname'):  # What the bags try to reach.
            return False
        build = str(judging.harness.BUILD)
        return (place.startswith(('/lib', '/usr/', '/etc/', '/proc/', '/sys/', '/dev/', build)) or
                str(self.bags).startswith(place))


class Call:
    """One line of strace -y."""

    PATTERN = re.compile(r'^\d+\s+(\w+)\((?:AT_FDCWD<([^>]*)>|\d+<([^>]*)>|AT_FDCWD)?(?:, )?'
                         r'"((?:[^"\\]|\\.)*)"')
    DONE = re.compile(r' = (-?\d+)(?:<([^>]*)>)?(?: E\w+)?[^=]*$')

    def __init__(self, line):
        self.line = line

    def places(self):
        """Where the call leads, and where what it opened lies. Nowhere if the kernel was told to stay
        below a folder and refused."""
        head, done = self.PATTERN.match(self.line), self.DONE.search(self.line)
        if not head or not done:
            return []
        name, status = head.group(1), int(done.group(1))
        base = head.group(2) or head.group(3) or os.getcwd()
        if (name == 'openat2' and status < 0) or not base.startswith('/'):  # pipe:[123]
            return []
        path = os.path.join(base, head.group(4).encode('latin-1', 'surrogateescape')
                            .decode('unicode_escape')) if head.group(4) else base
        follows = not ('NOFOLLOW' in self.line or name in ('lstat', 'readlink', 'readlinkat'))
        places = [os.path.realpath(path) if follows else
                  os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))]
        if done.group(2):
            places.append(done.group(2))
        return places


if __name__ == '__main__':
    unittest.main(verbosity=2)
