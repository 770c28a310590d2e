"""Every operation of the API, once at least, and every answer held against openapi.json."""
import json
import pathlib
import re
import sys
import time
import urllib.parse

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

DOCUMENT = 'urn:openapi'


def pointer(*steps):
    return '#' + ''.join('/' + urllib.parse.quote(s.replace('~', '~0').replace('/', '~1'))
                         for s in steps)


class Contract:
    """Holds answers against a document and remembers which operations answered with success."""

    def __init__(self, document):
        self.document = document
        registry = Registry().with_resource(
            DOCUMENT, Resource(contents=document, specification=DRAFT202012))
        self.registry = registry
        self.seen = set()

    def operations(self):
        return {(method.upper(), path) for path, methods in self.document['paths'].items()
                for method in methods if method in ('get', 'post', 'patch', 'put', 'delete')}

    def path_of(self, method, target):
        """The path template of a request; one without parameters goes before one with."""
        path = target.split('?')[0]
        fitting = []
        for template, methods in self.document['paths'].items():
            # bag_path and tile_index hold slashes.
            form = re.sub(r'\\\{(bag_path|tile_index)\\\}', '.+', re.escape(template))
            form = re.sub(r'\\\{[^}]+\\\}', '[^/]+', form)
            if method.lower() in methods and re.fullmatch(form, path):
                fitting.append(template)
        return min(fitting, key=lambda t: t.count('{'))

    def check(self, method, target, status, fields, body):
        template = self.path_of('GET' if method == 'HEAD' else method, target)
        responses = self.document['paths'][template][
            'get' if method == 'HEAD' else method.lower()]['responses']
        key = str(status) if str(status) in responses else 'default'
        assert key in responses, f'{method} {target}: {status} is not described'
        assert key != 'default' or status >= 400, f'{method} {target}: {status} is not described'
        steps = ['paths', template, 'get' if method == 'HEAD' else method.lower(), 'responses', key]
        response = responses[key]
        if '$ref' in response:
            steps = response['$ref'][2:].split('/')
            response = self.document
            for step in steps:
                response = response[step]
        if status < 400:
            self.seen.add((method, template))
        kinds = response.get('content', {})
        if not kinds:
            assert not body, f'{method} {target}: a body that is not described'
            return
        kind = fields['Content-Type'].split(';')[0]
        named = kind if kind in kinds else '*/*'
        assert named in kinds, f'{method} {target}: {kind} is not described'
        if method == 'HEAD' or 'json' not in kind or 'schema' not in kinds[named]:
            return
        schema = {'$ref': DOCUMENT + pointer(*steps, 'content', named, 'schema')}
        validator = jsonschema.Draft202012Validator(
            schema, registry=self.registry,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        faults = [f'{e.json_path}: {e.message}' for e in validator.iter_errors(json.loads(body))]
        assert not faults, f'{method} {target} {status}: {faults[:5]}'


class EveryOperation(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.witness = self.folder / 'witness.key'
        witness = self.versement(None, 'journal', 'new-witness', self.witness, '--name', 'w.example')
        self.served = self.daemon(extra_env={
            'VERSEMENTD_JOURNAL__WITNESSES': witness.strip(),
            'VERSEMENTD_JOURNAL__TIMESTAMP_URLS': 'http://127.0.0.1:1/nobody'})
        self.contract = Contract(json.loads(
            self.served.request('GET', '/v1/openapi.json', token=False)[2]))
        self.token = True

    def call(self, method, target, body=None, expect=200, headers=None):
        status, fields, answer = self.served.request(method, target, body, headers,
                                                     token=self.token)
        self.contract.check(method, target, status, fields, answer)
        self.assertEqual(status, expect, f'{method} {target}: {answer[:500]}')
        if answer and 'json' in fields['Content-Type']:
            return json.loads(answer)
        return answer

    def get(self, target, **options):
        return self.call('GET', target, **options)

    def finished(self, job):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            state = self.get('/v1/jobs/' + job)
            if state['state'] not in ('queued', 'running'):
                self.assertEqual(state['state'], 'succeeded', state)
                return state
            time.sleep(0.02)
        self.fail('the job does not end')

    def first(self, target):
        listed = self.get(target)['items']
        self.assertTrue(listed, target + ' lists nothing')
        return listed[0]

    def test_all(self):
        self.ground()
        self.material()
        self.audits()
        self.handover()
        self.journal_and_system()
        self.refusals()
        missed = self.contract.operations() - self.contract.seen
        self.assertEqual(missed, set(), 'operations that were never seen to succeed')

    def ground(self):
        party = {'id': 'sender', 'name': 'Sender'}
        self.call('POST', '/v1/agreements', {
            'id': 'agreement', 'title': {'fr': 'Convention'}, 'transferring_agency': party,
            'archival_agency': {'id': 'archive', 'name': 'Archive'},
            'seda': {'legal_status': 'public_archive', 'archival_profile': 'P-1',
                     'rules': {'access': 'ACC-1'}, 'code_lists': {'reply': 'R-1'}}}, expect=201)
        self.first('/v1/agreements')
        self.get('/v1/agreements/agreement')
        self.call('POST', '/v1/collections', {
            'id': 'collection', 'title': {'fr': 'Fonds', 'km': 'ភ្នំពេញ'},
            'originating_agency': party,
            'rights': {'credit_line': {'fr': 'Apur'}, 'owner': {'fr': 'Apur'},
                       'conditions': {'fr': 'Source et propriété à mentionner'}}}, expect=201)
        self.first('/v1/collections')
        self.get('/v1/collections/collection')
        for table in ('metadata.csv', 'rights.csv'):
            self.get('/v1/collections/collection/' + table)
        self.call('PATCH', '/v1/collections/collection', {'title': {'fr': 'Fonds Phnom Penh'}})
        made = self.call('POST', '/v1/tokens', {'name': 'receiver', 'role': 'receiver',
                                                'agreement': 'agreement'}, expect=201)
        self.receiver = made['secret']
        spare = self.call('POST', '/v1/tokens', {'name': 'spare', 'role': 'reader'}, expect=201)
        self.first('/v1/tokens')
        self.get('/v1/tokens/self')
        self.call('DELETE', '/v1/tokens/' + spare['id'], expect=204)

    def material(self):
        job = self.call('POST', '/v1/ingests', {
            'collection': 'collection',
            'source': {'type': 'inbox', 'path': str(harness.EXAMPLE)}}, expect=202)
        self.finished(job['id'])
        self.first('/v1/ingests')
        ingest = self.get('/v1/ingests/' + job['id'])
        self.get(f"/v1/ingests/{ingest['id']}/findings")
        self.first(f"/v1/ingests/{ingest['id']}/items")
        self.assertEqual(len(self.get('/v1/items')['items']), 15)
        for item in self.get('/v1/items')['items']:
            base = '/v1/items/' + item['id']
            self.get(base)
            self.first(base + '/versions')
            self.get(base + '/versions/1')
            self.get(base + '/versions/1/mets.xml')
            self.get(base + '/sip.zip?agreement=agreement')
            for file in self.get(base + '/versions/1/files')['items']:
                address = f"{base}/versions/1/files/{file['id']}"
                self.get(address)
                content = self.get(address + '/content', expect=200) \
                    if file['media_type'] != 'application/json' else b''
                if content:
                    self.assertEqual(len(content), file['size_bytes'])
        self.call('GET', address + '/content', headers={'Range': 'bytes=1-3'}, expect=206)
        self.call('GET', address + '/content', headers={'Range': 'bytes=99999999-'}, expect=416)

    def audits(self):
        victim = sorted((self.served.data / 'store').rglob('*.jpg'))[0]
        whole = victim.read_bytes()
        victim.chmod(0o600)
        victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        job = self.call('POST', '/v1/audits', {}, expect=202)
        self.finished(job['id'])
        self.first('/v1/audits')
        audit = self.get('/v1/audits/' + job['id'])
        self.assertEqual(audit['verdict'], 'damaged')
        self.first(f"/v1/audits/{job['id']}/outcomes")
        self.get(f"/v1/audits/{job['id']}/evidence")
        incident = self.first('/v1/incidents')
        self.get('/v1/incidents/' + incident['id'])
        victim.write_bytes(whole)
        self.call('POST', f"/v1/incidents/{incident['id']}/resolve",
                  {'resolution': 'repaired', 'note': 'put back by hand'})
        policy = self.call('POST', '/v1/audit-policies', {
            'id': 'quarterly', 'collection': 'collection', 'interval': 'P90D'}, expect=201)
        self.first('/v1/audit-policies')
        self.get('/v1/audit-policies/' + policy['id'])
        self.call('DELETE', '/v1/audit-policies/' + policy['id'], expect=204)

    def transfer(self, reference):
        made = self.call('POST', '/v1/transfers', {
            'agreement': 'agreement', 'reference': reference, 'title': {'fr': 'Versement'}},
            expect=201)
        base = '/v1/transfers/' + made['id']
        self.call('POST', base + '/items', {'collection': 'collection'})
        return base

    def handover(self):
        base = self.transfer('2026-V-001')
        self.first('/v1/transfers')
        gone = self.first(base + '/items')
        self.call('DELETE', f"{base}/items/{gone['item_id']}", expect=204)
        job = self.call('POST', base + '/seal', expect=202)
        # It may be done already; what is being sealed stays as it is.
        status, fields, answer = self.served.request('POST', base + '/items',
                                                     {'items': [gone['item_id']]})
        self.contract.check('POST', base + '/items', status, fields, answer)
        self.assertEqual(status, 409, answer)
        self.finished(job['id'])
        self.call('POST', base + '/offer')
        sealed = self.get(base)['seal_digest']
        summary = self.get(base + '/bag')
        self.assertEqual(summary['seal_digest'], sealed)
        for name, member in (('bag.tar', 'tar'), ('bag.zip', 'zip'), ('holey.tar', 'holey')):
            self.assertEqual(len(self.get(f'{base}/{name}')), summary[member]['size_bytes'])
        for table in ('metadata.csv', 'rights.csv'):
            self.assertTrue(self.get(f'{base}/{table}').startswith(b'file'))
        self.assertEqual(summary['seda']['versions'], ['2.1', '2.2', '2.3'])
        for version in summary['seda']['versions']:
            self.get(f"{summary['seda']['url']}?version={version}")
        file = self.first(base + '/bag/files')
        self.get(f"{base}/bag/files/{urllib.parse.quote(file['path'])}")
        self.token = self.receiver
        self.call('POST', base + '/acknowledge', {
            'seal_digest': sealed, 'files_ok': summary['file_count'], 'validator': 'test'})
        self.call('POST', base + '/accept', {'seal_digest': sealed, 'accession_number': '2026/1'})
        self.token = True
        second = self.transfer('2026-V-002')
        self.finished(self.call('POST', second + '/seal', expect=202)['id'])
        self.call('POST', second + '/offer')
        sealed = self.get(second)['seal_digest']
        self.token = self.receiver
        self.call('POST', second + '/acknowledge', {'seal_digest': sealed, 'files_ok': 0})
        self.call('POST', second + '/reject', {'reason': 'Test'})
        self.token = True
        third = self.transfer('2026-V-003')
        self.call('POST', third + '/withdraw', {'note': 'Test'})

    def journal_and_system(self):
        self.first('/v1/events')
        checkpoint = self.get('/v1/journal/checkpoint').decode()
        size = int(checkpoint.splitlines()[1])
        self.get('/v1/journal/key')
        partial = f'.p/{size % 256}' if size < 256 else ''
        self.get('/v1/journal/tile/0/000' + partial)
        self.get('/v1/journal/tile/entries/000' + partial)
        self.get('/v1/events/0/proof')
        self.get('/v1/journal/proofs/consistency?first=1')
        self.get('/v1/journal/keys')
        # Signed with a token that cannot hand it in; that is done here.
        last, archivist = self.folder / 'cosigned', self.folder / 'archivist'
        self.versement(self.served, 'token', 'create', 'archivist', '--role', 'archivist', '--out',
                       archivist)
        refused = self.run_versement(
            self.served, 'journal', 'cosign', '--witness', self.witness, '--key',
            self.served.data / 'journal' / 'vkey', '--last', last, token=archivist)
        self.assertIn('journal:cosign', refused.stderr)
        text = {'Content-Type': 'text/plain'}
        for expected in (201, 409):
            self.call('POST', '/v1/journal/cosignatures', last.read_bytes(), expect=expected,
                      headers=text)
        self.call('POST', '/v1/journal/cosignatures', b'rubbish', expect=422, headers=text)
        self.call('POST', '/v1/journal/cosignatures', b'x' * 9000, expect=413, headers=text)
        self.get('/v1/status')
        self.get(self.transfer('2026-V-004') + '/proof')
        self.first('/v1/jobs')
        job = self.call('POST', '/v1/audits', {}, expect=202)
        status, fields, answer = self.served.request('POST', f"/v1/jobs/{job['id']}/cancel")
        self.contract.check('POST', f"/v1/jobs/{job['id']}/cancel", status, fields, answer)
        self.contract.seen.add(('POST', '/v1/jobs/{job_id}/cancel'))
        self.assertIn(status, (202, 409))  # it may have been faster
        self.get('/v1/status')
        self.get('/metrics')
        self.get('/healthz')
        self.get('/readyz')
        self.get('/v1/openapi.json')
        for problem in self.get('/problems')['items']:
            self.get('/problems/' + problem['code'])

    def refusals(self):
        self.token = False
        for method, path in sorted(self.contract.operations()):
            if path in ('/healthz', '/readyz', '/v1/openapi.json') or path.startswith('/problems'):
                continue
            target = re.sub(r'\{[^}]+\}', 'none', path)
            self.call(method, target, {} if method in ('POST', 'PATCH') else None, expect=401)
        self.token = True
        for method, path in sorted(self.contract.operations()):
            if '{' not in path or method != 'GET':
                continue
            target = re.sub(r'\{[^}]+\}', 'none', path)
            status, fields, answer = self.served.request('GET', target)
            self.contract.check('GET', target, status, fields, answer)
            self.assertIn(status, (400, 404), target)


if __name__ == '__main__':
    harness.main()
