"""The bags of other projects (shared/bagit-cases), held against the verdicts beside them."""
import re
import unittest

import judging
from judging import harness

BAGS = harness.SHARED / 'bagit-cases'

# What a profile's reason in the table is called by the program.
PROFILE_CODES = {'Allow-Fetch.txt': 'profile.fetch-forbidden', 'required': 'profile.bag-info-required',
                 'values': 'profile.bag-info-value', 'not repeatable': 'profile.bag-info-repeated',
                 'Manifests-Required': 'profile.manifest-required',
                 'Tag-Manifests-Required': 'profile.tag-manifest-required',
                 'Tag-Files-Required': 'profile.tag-file-required',
                 'Accept-BagIt-Version': 'profile.version'}


def table(name):
    lines = (BAGS / name).read_text().splitlines()
    return [dict(zip(lines[0].split('\t'), line.split('\t'))) for line in lines[1:]]


def holds(wanted, answer):
    word = judging.word_of(answer)
    return {'valid': word in ('valid', 'warning'), 'warning': word == 'warning',
            'invalid': word not in ('valid', 'warning')}[wanted]


def code_of(reason):
    """Of the longest of the reasons that the text names."""
    return PROFILE_CODES[max((one for one in PROFILE_CODES if one in reason), key=len)]


@harness.needs_shared('bagit-cases/expected.tsv')
class SharedCases(unittest.TestCase):
    def judge_all(self, column, *options):
        rows = table('expected.tsv')
        self.assertGreater(len(rows), 130)
        answers = judging.judge([str(BAGS / row['path']) for row in rows], *options)
        codes = judging.all_codes()
        for row in rows:
            with self.subTest(row['path'], column=column):
                answer = answers[str(BAGS / row['path'])]
                found = judging.codes_of(answer)
                told = f'{row["reason"]}; found {answer["verdict"]} {sorted(found)}'
                self.assertNotRegex(answer['verdict'], 'hangs|no report')
                self.assertTrue(holds(row[column], answer), told)
                named = codes & set(re.findall(r'[a-z]+\.[a-z0-9-]+', row['reason']))
                self.assertLessEqual(named, found, told)

    def test_verdicts(self):
        self.judge_all('verdict')

    def test_strict_verdicts(self):
        self.judge_all('strict', '--strict')

    def test_profiles(self):
        rows = table('expected-profiles.tsv')
        self.assertGreaterEqual(len(rows), 12)
        for row in rows:
            with self.subTest(row['bag']):
                answer = judging.run_one(BAGS / row['bag'], '--profile', BAGS / row['profile'],
                                         '--no-profile-identifier')
                self.assertNotRegex(answer['verdict'], 'hangs|no report')
                found = {one for one in judging.codes_of(answer) if one.startswith('profile.')}
                if row['verdict'] == 'conforms':
                    self.assertEqual(found, set())
                else:
                    self.assertIn(code_of(row['reason']), found, row['reason'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
