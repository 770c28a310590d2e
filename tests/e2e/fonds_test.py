"""A fonds of inventory sheets, each an item of its own, before the judges of packages: what one package
passes, hundreds with other names, languages and numbers of files must pass as well.

VERSEMENT_SHEETS says how many sheets there are; scripts/torture takes 744, the number of the fonds that
Versement was made for, and lets commons-ip look at all of them, else it looks at one of each name."""
import csv
import os
import pathlib
import random
import sys
import time
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402
from harness import needs_shared  # noqa: E402

SHEETS = int(os.environ.get('VERSEMENT_SHEETS', '60'))

# What people call their files: each breaks something that was written for better names.
NAMES = [
    'fiche {n}.pdf', 'Fiche n° {n} – façade (recto).pdf', 'សន្លឹក {n}.pdf', '{n} 100 %.pdf', '{n}%20vue.pdf',
    '{n} & annexe + plan.pdf', "l'îlot {n}.pdf", 'a#{n}.pdf', 'quoi ? {n}.pdf', '{n};v=1.pdf', '<{n}>.pdf',
    'dit "le {n}".pdf', '[{n}]{{x}}.pdf', '.caché {n}.pdf', '{n}.pdf.pdf', '-{n}.pdf', '~{n}.pdf',
    unicodedata.normalize('NFD', 'été à Phnom Penh {n}.pdf'), '{n}  deux blancs.pdf', ' {n} au bord .pdf',
    'retour\u200binvisible {n}.pdf', '{n} \U0001f3db.pdf', 'METS.xml {n}.pdf', '{n}', 'n' * 200 + ' {n}.pdf',
    '{n}=1,2.pdf', 'a:b {n}.pdf', 'a*{n}.pdf', 'a|{n}.pdf', 'a\\{n}.pdf', '@{n}!$^`.pdf', 'CON {n}.pdf',
]
TITLES = {
    'dc.title': ['Fiche d’inventaire n° {n}', 'Villa « du {n} » & dépendances', 'Compartiments <{n}>, rue n° {n}'],
    'dc.title@en': ['Inventory sheet no. {n}', 'Villa "of the {n}" & outbuildings', ''],
    'dc.title@km': ['សន្លឹកសារពើភណ្ឌ លេខ {n}', '', 'វីឡា លេខ {n}'],
}
DATES = ['1994', '2004-05', '2004-05-17', '']


def make_fonds(folder, sheets):
    """The same every time: sheet 3 of a large fonds is sheet 3 of a small one. Returns the files of each sheet."""
    table = [['filename', 'identifier', *TITLES, 'dc.date', 'shelfmark']]
    contents = []
    for i in range(sheets):
        rng = random.Random(i)
        n = f'{i + 1:03}'
        sheet = f'objects/fiches/îlot {i % 12:02}/{n}'
        names = [NAMES[i % len(NAMES)].format(n=n)]
        names += [f'clichés/vue {k + 1} – {rng.choice(["rue", "cour & puits", "ផ្លូវ", "100 %"])}.{kind}'
                  for k, kind in enumerate(rng.choices(['jpg', 'tif', 'png'], k=rng.randint(1, 6)))]
        titles = [words[(i + at) % len(words)].format(n=n) for at, words in enumerate(TITLES.values())]
        if not titles[0]:
            titles[0] = n
        for at, name in enumerate(names):
            begin = {'pdf': b'%PDF-1.4\n', 'jpg': b'\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0',
                     'tif': b'II*\0\x08\0\0\0', 'png': b'\x89PNG\r\n\x1a\n'}.get(name.rsplit('.', 1)[-1], b'')
            path = folder / sheet / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(begin + rng.randbytes(rng.randint(0, 3000)))
            described = [*titles, DATES[i % len(DATES)], f'PP/INV/{n}'] if at == 0 else [''] * (len(TITLES) + 2)
            table.append([f'{sheet}/{name}', f'INV-{n}', *described])
        contents.append(len(names))
    (folder / 'metadata').mkdir()
    with open(folder / 'metadata' / 'metadata.csv', 'w', newline='', encoding='utf-8') as out:
        csv.writer(out).writerows(table)
    return contents


class Fonds(harness.EndToEnd):
    def judge(self, name, judge, packages):
        began = time.monotonic()
        found = judge(*packages)
        print(f'{name}: {len(packages)} packages, {len(found)} findings, {time.monotonic() - began:.1f} s',
              file=sys.stderr, flush=True)
        self.assertEqual(found[:20], [])

    @needs_shared('schemas/package.xsd')
    def test_every_sheet_is_a_package_for_the_judges(self):
        fonds = self.folder / 'fonds'
        contents = make_fonds(fonds, SHEETS)
        daemon = self.daemon(inboxes=[self.folder])
        receiver = self.prepare(daemon)
        self.ingest(daemon, fonds)
        self.offer(daemon)
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        bag = self.folder / '2026-V-001'
        self.versement(None, 'bag', 'validate', bag)
        # docs/bagit-python.md: it does not decode the %25 that RFC 8493 asks for, and of nothing else it complains.
        said = [line for text in judges.bagit(bag) for line in text.splitlines() if ' - WARNING - ' in line]
        self.assertEqual([line for line in said if '%' not in line][:5], [])
        packages = sorted(p for p in (bag / 'data').iterdir() if p.is_dir())
        self.assertEqual([p.name for p in packages], [f'INV-{i + 1:03}' for i in range(SHEETS)])
        for package, files in zip(packages, contents):
            self.assertEqual(sum(p.is_file() for p in (package / 'representations').glob('*/data/**/*')), files)
        self.judge('xmllint', judges.xmllint, packages)
        self.judge('eark-validator', judges.eark, packages)
        # A second of processor for each.
        self.judge('commons-ip', judges.commons_ip, packages if SHEETS >= 744 else packages[:len(NAMES)])
        self.judges_find_the_bad_one(packages[:3])

    def judges_find_the_bad_one(self, packages):
        """What judges say of many packages at once names the one that is bad."""
        mets = packages[1] / 'METS.xml'
        mets.chmod(0o600)
        mets.write_text(mets.read_text().replace('PROFILE=', 'PROFIL='))
        for judge in (judges.xmllint, judges.eark, judges.commons_ip):
            found = judge(*packages)
            self.assertNotEqual(found, [])
            self.assertTrue(all(packages[1].name in one for one in found if 'PROFIL' in one), found)
            self.assertFalse(any(p.name in one for p in (packages[0], packages[2]) for one in found), found)


if __name__ == '__main__':
    harness.main()
