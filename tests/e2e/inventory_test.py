"""What an inventory says that is not the journal's is not served: somebody who can write to the store, but not
sign, exchanges files together with the inventory and its sidecar."""
import hashlib
import http.client
import json
import os

import harness


class InventoryTest(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.served = self.daemon()
        self.receiver = self.prepare(self.served)
        self.ingest(self.served)
        self.offer(self.served)
        self.item = self.served.all_of('/v1/items')[0]
        folder = [path for path in (self.served.data / 'store').rglob('0=ocfl_object_1.1')
                  if path.parent.name == self.item['ocfl_object'].replace(':', '%3a')]
        self.object = folder[0].parent

    def forge(self, folder):
        """Replaces a file's content, and lets the inventory in `folder` say that this is right."""
        path = folder / 'inventory.json'
        inventory = json.loads(path.read_text())
        digest, places = sorted(inventory['manifest'].items())[0]
        forged = b'forged'
        for name in (places[0], 'v1/content/forged'):
            target = self.object / name
            os.chmod(target.parent, 0o755)
            if target.exists():
                os.chmod(target, 0o644)
            target.write_bytes(forged)
        sha512 = hashlib.sha512(forged).hexdigest()
        text = path.read_text().replace(digest, sha512)
        for name, bytes_ in (('inventory.json', text),
                             ('inventory.json.sha512', hashlib.sha512(text.encode()).hexdigest() + ' inventory.json\n')):
            os.chmod(folder, 0o755)
            os.chmod(folder / name, 0o644)
            (folder / name).write_text(bytes_)

    def contents(self, item):
        files = self.served.all_of(f'/v1/items/{item["id"]}/versions/1/files')
        return [self.served.request('GET', file['content_url'])[0] for file in files]

    def incidents(self):
        return [incident for incident in self.served.all_of('/v1/incidents')
                if incident['path'].endswith('inventory.json')]

    def expect_cut(self):
        """The first answer that meets it ends where the item begins; the next says why."""
        bag = f'/v1/transfers/{self.served.all_of("/v1/transfers")[0]["id"]}/bag.tar'
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            self.served.request('GET', bag)
        self.assertEqual(len(self.incidents()), 1)
        status, _, body = self.served.request('GET', bag)
        self.assertEqual((status, json.loads(body)['code']), (503, 'content-corrupt'))

    def expect_refused(self):
        self.assertEqual(set(self.contents(self.item)), {503})
        status, fields, body = self.served.request(
            'GET', f'/v1/items/{self.item["id"]}/versions/1/mets.xml')
        problem = json.loads(body)
        self.assertEqual((status, problem['code']), (503, 'content-corrupt'))
        self.assertNotIn(str(self.served.data), problem['detail'])
        # Other items are served.
        self.assertEqual(set(self.contents(self.served.all_of('/v1/items')[1])), {200})
        # A file of the bag, and the bag as a whole, which ends where the item begins.
        transfer = self.served.all_of('/v1/transfers')[0]['id']
        files = self.served.all_of(f'/v1/transfers/{transfer}/bag/files')
        statuses = {file.get('item_id', ''): self.served.request('GET', file['url'])[0] for file in files}
        self.assertEqual({item for item, status in statuses.items() if status != 200}, {self.item['id']})
        self.assertEqual([(incident['owner'], incident['kind']) for incident in self.incidents()],
                         [(f'item {self.item["id"]}', 'mismatch')])
        pulled = self.run_versement(self.served, 'pull', '2026-V-001', '--to', self.folder / 'pulled',
                                    token=self.receiver)
        self.assertEqual(pulled.returncode, 4, pulled.stderr)
        self.assertIn(f'is open: item {self.item["id"]}, mismatch', pulled.stderr)
        self.assertFalse((self.folder / 'pulled' / '2026-V-001').exists())

    def test_a_forged_inventory_of_the_version(self):
        self.assertEqual(set(self.contents(self.item)), {200})
        self.forge(self.object / 'v1')
        self.expect_cut()
        self.expect_refused()

    def test_a_forged_inventory_of_the_object(self):
        self.forge(self.object)
        self.expect_refused()

    def test_a_forged_inventory_of_a_seal(self):
        transfer = self.served.all_of('/v1/transfers')[0]['id']
        bag = f'/v1/transfers/{transfer}/bag.tar'
        self.assertEqual(self.served.request('GET', bag)[0], 200)
        objects = {path.parent for path in (self.served.data / 'store').rglob('0=ocfl_object_1.1')}
        items = {item['ocfl_object'].replace(':', '%3a') for item in self.served.all_of('/v1/items')}
        seals = [folder for folder in objects if folder.name not in items]
        self.assertEqual(len(seals), 1)
        self.object = seals[0]
        self.forge(self.object / 'v1')
        status, _, body = self.served.request('GET', bag)
        self.assertEqual((status, json.loads(body)['code']), (503, 'content-corrupt'))
        self.assertEqual([incident['owner'] for incident in self.incidents()], [f'transfer {transfer}'])


if __name__ == '__main__':
    harness.main()
