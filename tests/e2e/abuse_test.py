"""What a hostile or broken client sends. The daemon answers or hangs up; it never falls, waits for
ever or fills its memory."""
import json
import os
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


class Raw(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.served = self.daemon(extra_env={'VERSEMENTD_SERVER__HEADER_TIMEOUT': '2s',
                                             'VERSEMENTD_SERVER__BODY_TIMEOUT': '3s',
                                             'VERSEMENTD_SERVER__STALL_TIMEOUT': '3s',
                                             'VERSEMENTD_SERVER__IDLE_TIMEOUT': '4s'})
        self.token = self.served.admin_token_file.read_text().strip()

    def talk(self, payload, seconds=20):
        """Sends bytes (or what an iterator gives); returns all that comes back until the end."""
        chunks = [payload] if isinstance(payload, bytes) else payload
        with socket.create_connection(('127.0.0.1', self.served.port), seconds) as s:
            try:
                for chunk in chunks:
                    s.sendall(chunk)
            except OSError:
                pass  # the daemon hung up; what it said first is below
            answer = b''
            try:
                while True:
                    got = s.recv(65536)
                    if not got:
                        break
                    answer += got
            except ConnectionResetError:
                pass
        return answer

    def status_of(self, answer):
        self.assertTrue(answer.startswith(b'HTTP/1.1 '), answer[:200])
        return int(answer.split(b' ', 2)[1])

    def assert_alive(self):
        self.assertEqual(self.served.request('GET', '/healthz', token=False)[0], 200)
        self.assertIsNone(self.served.process.poll())

    def post(self, *fields, body=b''):
        head = [b'POST /v1/collections HTTP/1.1', b'Authorization: Bearer ' + self.token.encode(),
                b'Content-Type: application/json', *fields]
        return b'\r\n'.join(head) + b'\r\n\r\n' + body

    def test_lengths_and_codings_that_conflict(self):
        host = b'Host: x'
        cases = {
            'two lengths': self.post(host, b'Content-Length: 2', b'Content-Length: 3', body=b'{}'),
            'equal lengths twice': self.post(host, b'Content-Length: 2', b'Content-Length: 2',
                                             body=b'{}'),
            'length and chunked': self.post(host, b'Content-Length: 2',
                                            b'Transfer-Encoding: chunked', body=b'0\r\n\r\n'),
            'a signed length': self.post(host, b'Content-Length: +2', body=b'{}'),
            'a length of letters': self.post(host, b'Content-Length: 0x2', body=b'{}'),
            'a huge length': self.post(host, b'Content-Length: 99999999999999999999999'),
            'another coding': self.post(host, b'Transfer-Encoding: gzip, chunked',
                                        body=b'0\r\n\r\n'),
            'chunked twice': self.post(host, b'Transfer-Encoding: chunked',
                                       b'Transfer-Encoding: chunked', body=b'0\r\n\r\n'),
            'chunked not last': self.post(host, b'Transfer-Encoding: chunked, identity'),
            'a coding in disguise': self.post(host, b'Transfer-Encoding: xchunked'),
            'a blank before the colon': self.post(host, b'Content-Length : 2', body=b'{}'),
            'a folded line': self.post(host, b'X-Note: a\r\n b', b'Content-Length: 0'),
            'no host': self.post(b'Content-Length: 0'),
            'two hosts': self.post(host, b'Host: y', b'Content-Length: 0'),
            'a strange host': self.post(b'Host: a b/c', b'Content-Length: 0'),
            'a bare line feed': b'GET /healthz HTTP/1.1\nHost: x\n\n',
            'NUL in a field': b'GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
            'HTTP/1.0 and chunked': b'POST /v1/collections HTTP/1.0\r\nHost: x\r\n'
                                    b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
            'another version': b'GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n',
            'no version': b'GET /healthz\r\n\r\n',
            'binary': bytes(range(256)) * 4,
            'TLS on a plain port': b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 100,
        }
        for name, payload in cases.items():
            with self.subTest(name):
                answer = self.talk(payload)
                status = self.status_of(answer)
                self.assertIn(status, (400, 411, 413, 417, 431, 501, 505), answer[:300])
                self.assertIn(b'Connection: close', answer)
                self.assertEqual(answer.count(b'HTTP/1.1 '), 1, 'a second request was seen')
        self.assert_alive()

    def test_heads_that_do_not_end(self):
        long_ = self.talk(b'GET /healthz HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 70000 + b'\r\n\r\n')
        self.assertEqual(self.status_of(long_), 431)
        many = self.talk(b'GET /healthz HTTP/1.1\r\nHost: x\r\n' + b'X: y\r\n' * 20000 + b'\r\n')
        self.assertEqual(self.status_of(many), 431)
        target = self.talk(b'GET /' + b'a' * 70000 + b' HTTP/1.1\r\nHost: x\r\n\r\n')
        self.assertIn(self.status_of(target), (414, 431))
        self.assert_alive()

    def chunked(self, end):
        return self.post(b'Host: x', b'Transfer-Encoding: chunked',
                         body=b'2\r\n{}\r\n0\r\n' + end)

    def test_trailers_neither_kill_nor_fill(self):
        # One of 66 KB, and hundreds of megabytes of small ones.
        answer = self.talk(self.chunked(b'X: ' + b'a' * 66000 + b'\r\n\r\n'))
        self.assertIn(self.status_of(answer), (400, 413, 422, 431))
        before = self.served.rss_peak_mib()

        def flood():
            yield self.chunked(b'')
            line = b'X-Trailer: ' + b'a' * 1000 + b'\r\n'
            for _ in range(400):
                yield line * 1000
        answer = self.talk(flood())
        if answer:
            self.assertIn(self.status_of(answer), (400, 413, 422, 431))
        self.assertLess(self.served.rss_peak_mib() - before, 32)
        self.assert_alive()

    def test_chunk_sizes(self):
        for size in (b'FFFFFFFFFFFFFFFFF', b'-1', b'', b'zz', b'2;' + b'a' * 70000):
            with self.subTest(size[:20]):
                answer = self.talk(self.post(b'Host: x', b'Transfer-Encoding: chunked',
                                             body=size + b'\r\n{}\r\n0\r\n\r\n'))
                if answer:  # or it hangs up
                    self.assertIn(self.status_of(answer), (400, 413, 422, 431))
        self.assert_alive()

    def test_a_body_larger_than_announced_is_not_a_second_request(self):
        smuggled = b'GET /v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n'
        answer = self.talk(b'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n'
                           b'Connection: close\r\n\r\n' % len(smuggled) + smuggled)
        self.assertEqual(answer.count(b'HTTP/1.1 '), 1)
        self.assert_alive()

    def test_requests_sent_ahead_are_answered_in_order(self):
        one = b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
        last = b'GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
        answer = self.talk(one * 20 + last)
        self.assertEqual(answer.count(b'HTTP/1.1 200'), 21)

    def test_a_body_that_is_too_large_is_refused_by_its_head(self):
        began = time.monotonic()
        answer = self.talk(self.post(b'Host: x', b'Content-Length: 1000000000'))
        self.assertEqual(self.status_of(answer), 413)
        self.assertLess(time.monotonic() - began, 2)

    def test_expect_continue(self):
        with socket.create_connection(('127.0.0.1', self.served.port), 10) as s:
            body = json.dumps({'id': 'c', 'title': {'fr': 't'},
                               'originating_agency': {'id': 'a', 'name': 'n'}}).encode()
            s.sendall(self.post(b'Host: x', b'Content-Length: %d' % len(body),
                                b'Expect: 100-continue', b'Connection: close'))
            self.assertEqual(s.recv(1000), b'HTTP/1.1 100 Continue\r\n\r\n')
            s.sendall(body)
            self.assertIn(b'HTTP/1.1 201', s.recv(65536))

    def test_slow_clients_are_dropped_and_do_not_disturb_others(self):
        results = {}

        def slow(name, first, drip):
            began = time.monotonic()
            with socket.create_connection(('127.0.0.1', self.served.port), 30) as s:
                s.sendall(first)
                try:
                    while time.monotonic() - began < 15:
                        s.sendall(drip)
                        s.settimeout(0.2)
                        try:
                            if not s.recv(4096):
                                break
                        except TimeoutError:
                            pass
                except OSError:
                    pass
            results[name] = time.monotonic() - began

        threads = [threading.Thread(target=slow, args=a) for a in (
            ('head', b'GET /healthz HTTP/1.1\r\nHost: x\r\n', b'X: y\r\n'),
            ('body', self.post(b'Host: x', b'Content-Length: 100000'), b' '),
            ('silent', b'GET', b''))] + [
            threading.Thread(target=slow, args=(f'head-{i}', b'G', b'')) for i in range(200)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            began = time.monotonic()
            self.assert_alive()
            self.assertLess(time.monotonic() - began, 2)
            time.sleep(0.1)
        for thread in threads:
            thread.join()
        for name, took in results.items():
            self.assertLess(took, 12, name)
        self.assert_alive()

    def test_who_does_not_read_is_dropped(self):
        deposit = self.folder / 'inbox' / 'large'
        (deposit / 'objects').mkdir(parents=True)
        (deposit / 'metadata').mkdir()
        (deposit / 'objects' / 'large.bin').write_bytes(bytes(range(256)) * (64 << 12))
        (deposit / 'metadata' / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights\nobjects/large.bin,Large,Free\n')
        self.served.stop()
        self.served.inboxes = [str(self.folder / 'inbox')]
        self.served.start()
        self.prepare(self.served)
        self.ingest(self.served, deposit)
        self.offer(self.served)
        status, fields, _ = self.served.request('HEAD', '/v1/transfers/2026-V-001/bag.tar')
        self.assertEqual(status, 200)
        with socket.create_connection(('127.0.0.1', self.served.port), 30) as s:
            s.sendall(b'GET /v1/transfers/2026-V-001/bag.tar HTTP/1.1\r\nHost: x\r\n'
                      b'Authorization: Bearer ' + self.token.encode() + b'\r\n\r\n')
            time.sleep(8)
            got = 0
            try:
                while data := s.recv(1 << 20):
                    got += len(data)
            except ConnectionResetError:
                pass
        self.assertGreater(int(fields['Content-Length']), 64 << 20)
        self.assertLess(got, 32 << 20)
        self.assert_alive()


class Inbox(harness.EndToEnd):
    """Deposits that reach for what is not theirs."""

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / 'inbox'
        self.deposit = self.inbox / 'deposit'
        (self.deposit / 'objects').mkdir(parents=True)
        (self.deposit / 'objects' / 'a.txt').write_text('inside')
        self.outside = self.folder / 'outside'
        self.outside.mkdir()
        (self.outside / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights,credit\nobjects/a.txt,OUTSIDE,Free,Credit\n')
        self.served = self.daemon(inboxes=[self.inbox])
        self.prepare(self.served)

    def findings(self, folder):
        done = self.run_versement(self.served, '--json', 'ingest', folder, '--collection',
                                  'collection')
        self.assertEqual(done.returncode, 1, done.stdout)
        return {f['code'] for f in json.loads(done.stdout)['findings']}

    def test_a_linked_table_is_not_read(self):
        (self.deposit / 'metadata').symlink_to(self.outside)
        self.assertIn('metadata-unreadable', self.findings(self.deposit))
        self.assertEqual(self.served.all_of('/v1/items'), [])

    def test_an_inbox_that_becomes_a_link_is_refused(self):
        (self.deposit / 'metadata').mkdir()
        (self.deposit / 'metadata' / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights,credit\nobjects/a.txt,T,Free,Credit\n')
        secret = self.outside / 'deposit'
        (secret / 'objects').mkdir(parents=True)
        (secret / 'metadata').mkdir()
        (secret / 'objects' / 'a.txt').write_text('SECRET')
        (secret / 'metadata' / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights,credit\nobjects/a.txt,T,Free,Credit\n')
        self.inbox.rename(self.folder / 'real')
        self.inbox.symlink_to(self.outside)
        done = self.run_versement(self.served, 'ingest', self.inbox / 'deposit', '--collection',
                                  'collection')
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.served.all_of('/v1/items'), [])

    def test_names_that_are_no_utf_8_break_nothing(self):
        bad = os.fsencode(self.inbox) + b'/bad\xff'
        os.makedirs(bad + b'/objects')
        (self.inbox / 'link').symlink_to(os.fsdecode(bad))
        status, _, body = self.served.request('POST', '/v1/ingests', {
            'collection': 'collection', 'source': {'type': 'inbox', 'path': 'link'}})
        self.assertEqual(status, 422, body)
        (self.deposit / 'metadata').mkdir()
        (self.deposit / 'metadata' / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights,credit\nobjects/a.txt,T,Free,Credit\n')
        os.symlink('x', os.fsencode(self.deposit) + b'/objects/l\xff')
        os.mkfifo(os.fsencode(self.deposit) + b'/objects/f\xfe')
        with open(os.fsencode(self.deposit) + b'/metadata/x\xff', 'wb'):
            pass
        self.assertEqual(self.findings(self.deposit) - {'metadata-file-unused'},
                         {'file-link', 'file-special', 'name-unusable'})
        for path in ('/v1/jobs', '/v1/ingests'):
            self.served.all_of(path)
        self.served.get('/v1/events')
        self.served.stop()
        self.served.start()
        self.versement(None, 'journal', 'verify', self.served.data)

    def test_altered_evidence_is_not_believed(self):
        (self.deposit / 'metadata').mkdir()
        (self.deposit / 'metadata' / 'metadata.csv').write_text(
            'filename,dc.title,dc.rights,credit\nobjects/a.txt,T,Free,Credit\n')
        self.ingest(self.served, self.deposit)
        audit = self.json_of(self.served, 'audit', 'run')
        for file in (self.served.data / 'evidence').rglob('*.zst'):
            file.chmod(0o600)
            file.write_bytes(file.read_bytes()[:-1] + b'\0')
        status, _, body = self.served.request('GET', f"/v1/audits/{audit['id']}/evidence")
        self.assertEqual((status, json.loads(body)['code']), (503, 'content-corrupt'))


if __name__ == '__main__':
    harness.main()
