"""Large items and many: what the daemon needs of memory to take them in and to seal.

VERSEMENT_SCALE_FILES says how many files the one item has, VERSEMENT_SCALE_ITEMS how many items of
one file each there are; scripts/torture takes 100,000 of either."""
import csv
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402
from harness import needs_shared  # noqa: E402

FILES = int(os.environ.get('VERSEMENT_SCALE_FILES', '10000'))
# What RocksDB, threads and libraries take comes first; a file's share is what counts.
INGEST_MIB = 64 + FILES * 2.05 / 1024
SEAL_MIB = 64
# A plan of an item and its file, while the names of the tables are there as well.
ITEMS = int(os.environ.get('VERSEMENT_SCALE_ITEMS', '10000'))
PLAN_MIB = 12 + ITEMS * 1.0 / 1024


class Scale(harness.EndToEnd):
    def collection(self, files):
        folder = self.folder / f'item of {files}'
        (folder / 'metadata').mkdir(parents=True)
        with open(folder / 'metadata' / 'metadata.csv', 'w', newline='', encoding='utf-8') as out:
            table = csv.writer(out)
            table.writerow(['filename', 'identifier', 'dc.title', 'dc.date'])
            for i in range(files):
                name = f'objects/{i // 1000:03}/scan {i:07} é.txt'
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f'{i}\n')
                table.writerow([name, 'LARGE-1', 'Un grand dossier', '1994'])
        return folder

    def seal(self, daemon, name):
        self.versement(daemon, 'transfer', 'create', name, '--agreement', 'agreement', '--title',
                       'Large')
        self.versement(daemon, 'transfer', 'add', name, '--collection', 'collection')
        self.versement(daemon, 'transfer', 'seal', name)

    def test_memory_stays_bounded(self):
        daemon = self.daemon(inboxes=[self.folder])
        self.prepare(daemon)
        self.ingest(daemon, self.collection(FILES))
        peak = daemon.rss_peak_mib()
        print(f'{FILES} files: ingest {peak:.0f} MiB, at most {INGEST_MIB:.0f}', file=sys.stderr)
        self.assertLess(peak, INGEST_MIB)
        daemon.stop()
        daemon.start()
        self.versement(daemon, 'transfer', 'list')
        idle = daemon.rss_peak_mib()
        self.seal(daemon, '2026-V-001')
        peak = daemon.rss_peak_mib()
        print(f'{FILES} files: idle {idle:.0f} MiB, seal {peak:.0f} MiB', file=sys.stderr)
        self.assertLess(peak - idle, SEAL_MIB)

    def items(self):
        folder = self.folder / 'items'
        (folder / 'metadata').mkdir(parents=True)
        with open(folder / 'metadata' / 'metadata.csv', 'w', newline='', encoding='utf-8') as out:
            table = csv.writer(out)
            table.writerow(['filename', 'identifier', 'dc.title', 'dc.date'])
            for i in range(ITEMS):
                name = f'objects/{i // 1000:03}/scan-{i:07}.txt'
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f'{i}\n')
                table.writerow([name, f'SMALL-{i:07}', f'Vue {i}', '1994'])
        return folder

    def test_a_plan_of_many_items_stays_small(self):
        daemon = self.daemon(inboxes=[self.folder])
        self.prepare(daemon)
        idle = daemon.rss_peak_mib()
        result = self.json_of(daemon, 'ingest', self.items(), '--collection', 'collection', '--dry-run')
        self.assertEqual(result['items_stored'], ITEMS)
        peak = daemon.rss_peak_mib()
        print(f'{ITEMS} items: idle {idle:.0f} MiB, plan {peak - idle:.0f} MiB more, at most '
              f'{PLAN_MIB:.0f}', file=sys.stderr)
        self.assertLess(peak - idle, PLAN_MIB)

    @needs_shared('schemas/package.xsd')
    def test_the_judges_read_an_item_of_many_files(self):
        files = min(FILES, 5000)
        daemon = self.daemon(inboxes=[self.folder])
        receiver = self.prepare(daemon)
        self.ingest(daemon, self.collection(files))
        self.seal(daemon, '2026-V-001')
        self.versement(daemon, 'transfer', 'offer', '2026-V-001')
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        bag = self.folder / '2026-V-001'
        package = bag / 'data' / 'LARGE-1'
        self.assertEqual(judges.bagit(bag), [])
        self.assertEqual(judges.xmllint(package), [])
        self.assertEqual(judges.commons_ip(package), [])
        self.assertEqual(judges.eark(package), [])


if __name__ == '__main__':
    unittest.main()
