"""A stored byte changes while a bag is being sent: nobody gets a complete answer with a wrong byte, and
an incident tells of it."""
import csv
import json
import os
import random
import socket
import ssl
import subprocess
import time

import harness

MIB = 1 << 20


class Pull:
    """GET of a path on a raw socket, read as slowly as one likes."""

    def __init__(self, daemon, token, path, headers=()):
        self.socket = socket.create_connection(('127.0.0.1', daemon.port), timeout=60)
        if daemon.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        lines = [f'GET {path} HTTP/1.1', 'Host: 127.0.0.1', f'Authorization: Bearer {token}', *headers, '', '']
        self.socket.sendall('\r\n'.join(lines).encode())
        data = b''
        while b'\r\n\r\n' not in data:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError('no answer')
            data += piece
        head, self.body = data.split(b'\r\n\r\n', 1)
        lines = head.decode().split('\r\n')
        self.status = int(lines[0].split()[1])
        self.fields = {k.lower(): v for k, v in (line.split(': ', 1) for line in lines[1:])}
        self.length = int(self.fields['content-length'])
        self.body = bytearray(self.body)

    def read(self, until=None):
        """Up to so many bytes, or to the end of what comes."""
        until = self.length if until is None else until
        while len(self.body) < until:
            try:
                piece = self.socket.recv(min(65536, until - len(self.body)))
            except (ConnectionError, ssl.SSLError):
                break
            if not piece:
                break
            self.body += piece
        return self

    def close(self):
        self.socket.close()
        return self

    @property
    def complete(self):
        return len(self.body) == self.length


class DamageWhileSent(harness.EndToEnd):
    tls = None

    def setUp(self):
        super().setUp()
        deposit = self.folder / 'deposit'
        rng = random.Random(3)
        names = {'big': 40 * MIB, 'medium': 3 * MIB, 'small': 20_000, 'other': 5_000}
        (deposit / 'metadata').mkdir(parents=True)
        (deposit / 'objects').mkdir()
        with open(deposit / 'metadata' / 'metadata.csv', 'w', newline='', encoding='utf-8') as out:
            table = csv.writer(out)
            table.writerow(['filename', 'identifier', 'dc.title'])
            for name, size in names.items():
                (deposit / 'objects' / name).write_bytes(rng.randbytes(size))
                table.writerow([f'objects/{name}', name, name])
        self.serve(deposit)

    def serve(self, deposit):
        self.server = self.daemon(inboxes=[self.folder], tls=self.tls)
        self.receiver = self.prepare(self.server).read_text().strip()
        self.ingest(self.server, deposit)
        self.offer(self.server)
        self.tar = '/v1/transfers/2026-V-001/bag.tar'
        self.right = bytes(self.pull().read().close().body)

    def pull(self, path=None, headers=()):
        return Pull(self.server, self.receiver, path or self.tar, headers)

    def stored(self, name):
        (path,) = (self.server.data / 'store').rglob(f'content/**/data/{name}')
        return path

    def flip(self, name, at):
        """As a program with the right to write does it; times go on."""
        path = self.stored(name)
        os.chmod(path, 0o644)
        with open(path, 'r+b') as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))

    def incidents(self):
        admin = self.server.admin_token_file.read_text().strip()
        answer = Pull(self.server, admin, '/v1/incidents').read().close()
        return [i for i in json.loads(answer.body)['items'] if i['state'] in ('suspected', 'confirmed')]

    def wait_for_incident(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = self.incidents()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError('no incident was opened')

    def post(self, path, body):
        command = ['curl', '-ksS', '-X', 'POST', '-H', 'Content-Type: application/json', '-H', 'Authorization: Bearer '
                   + self.server.admin_token_file.read_text().strip(), '-d', json.dumps(body),
                   self.server.address + path]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def check_one_flip(self):
        pull = self.pull().read(2 * MIB)
        self.flip('big', 30 * MIB)
        pull.read().close()
        self.assertFalse(pull.complete)
        self.assertEqual(bytes(pull.body)[:2 * MIB], self.right[:2 * MIB])
        (incident,) = self.wait_for_incident()
        self.assertEqual((incident['kind'], incident['item_id']), ('mismatch', 'big'))
        self.assertTrue(incident['path'].endswith('/data/big'))

        # Until it is repaired, the archives and this file are refused, and nothing else.
        for path in (self.tar, self.tar.replace('.tar', '.zip'), '/v1/transfers/2026-V-001/seda.zip',
                     '/v1/transfers/2026-V-001/bag/files/data/big/representations/master/data/big'):
            refused = self.pull(path).read().close()
            self.assertEqual(refused.status, 503, path)
            self.assertEqual(json.loads(refused.body)['code'], 'content-corrupt')
        other = self.pull('/v1/transfers/2026-V-001/bag/files/data/other/representations/master/data/other')
        self.assertEqual(other.status, 200)
        self.assertTrue(other.read().close().complete)

        self.flip('big', 30 * MIB)
        closed = self.post(f'/v1/incidents/{incident["id"]}/resolve', {'resolution': 'repaired', 'note': 'from a copy'})
        self.assertEqual(closed.get('state'), 'repaired', closed)
        again = self.pull().read().close()
        self.assertTrue(again.complete)
        self.assertEqual(bytes(again.body), self.right)

    def test_a_file_that_is_compared_while_it_is_sent(self):
        self.check_one_flip()

    def test_a_file_that_was_compared_before(self):
        time.sleep(1.2)  # what was written just now is not trusted
        self.assertTrue(self.pull().read().close().complete)
        self.check_one_flip()

    def test_damage_outside_of_the_range_that_is_asked_for(self):
        self.flip('big', 39 * MIB)
        start = self.right.index(self.stored('big').read_bytes()[:64])
        part = self.pull(headers=[f'Range: bytes={start + MIB}-{start + 2 * MIB - 1}'])
        self.assertEqual(part.status, 206)
        self.assertFalse(part.read().close().complete)
        self.assertEqual(len(self.wait_for_incident()), 1)

    def test_a_small_file_that_is_wrong_is_not_sent(self):
        self.flip('small', 10_000)
        path = '/v1/transfers/2026-V-001/bag/files/data/small/representations/master/data/small'
        got = self.pull(path).read().close()
        self.assertEqual((got.status, len(got.body)), (200, 0))
        self.assertEqual(self.wait_for_incident()[0]['item_id'], 'small')

    def test_a_file_that_is_gone_or_shorter(self):
        os.truncate(self.stored('medium'), MIB)
        self.stored('small').unlink()
        self.assertFalse(self.pull().read().close().complete)
        kinds = {(i['item_id'], i['kind']) for i in self.wait_for_incident()}
        self.assertTrue(kinds & {('medium', 'mismatch'), ('small', 'missing')}, kinds)

    def test_flips_anywhere_at_any_time(self):
        rng = random.Random(int(os.environ.get('VERSEMENT_SEED', '1')))
        complete = 0
        for _ in range(12):
            name = rng.choice(['big', 'big', 'medium', 'small'])
            at = rng.randrange(self.stored(name).stat().st_size)
            pull = self.pull()
            pull.read(rng.randrange(pull.length))
            self.flip(name, at)
            pull.read().close()
            if pull.complete:
                complete += 1
                self.assertEqual(bytes(pull.body), self.right, f'{name} at {at}')
            self.flip(name, at)
            for incident in self.incidents():
                self.post(f'/v1/incidents/{incident["id"]}/resolve', {'resolution': 'repaired', 'note': 'flipped back'})
        self.assertLess(complete, 12, 'no flip was in the way of an answer')


class DamageWhileSentWithTls(DamageWhileSent):
    def serve(self, deposit):
        cert, key = self.folder / 'cert.pem', self.folder / 'key.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2',
                        '-keyout', key, '-out', cert], check=True, capture_output=True)
        os.environ['SSL_CERT_FILE'] = str(cert)
        self.addCleanup(os.environ.pop, 'SSL_CERT_FILE')
        self.tls = (cert, key)
        super().serve(deposit)


if __name__ == '__main__':
    harness.main()
