"""`versement pull` over a line that is cut, lies, or is TLS."""
import errno
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


class Line:
    """A proxy that cuts, slows or alters what the server sends."""

    def __init__(self, port, cut_after=(), flip_at=None, rate=None):
        self.target = port
        self.cuts = list(cut_after)  # bytes of each connection in turn; then whole
        self.flip_at = flip_at
        self.rate = rate
        self.connections = 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.create_connection(('127.0.0.1', self.target))
        threading.Thread(target=self._upstream, args=(client, server), daemon=True).start()
        sent, limit, large = 0, None, False
        try:
            while data := server.recv(65536):
                if not large and sent + len(data) > 16384:
                    large = True  # the archive, not one of the small answers before it
                    self.connections += 1
                    limit = self.cuts.pop(0) if self.cuts else None
                if self.flip_at is not None and sent <= self.flip_at < sent + len(data):
                    at = self.flip_at - sent
                    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
                    self.flip_at = None
                if limit is not None and sent + len(data) > limit:
                    client.sendall(data[:limit - sent])
                    break
                client.sendall(data)
                sent += len(data)
                if self.rate:
                    time.sleep(len(data) / self.rate)
        except OSError:
            pass
        for each in (client, server):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    @staticmethod
    def _upstream(client, server):
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass


class Pull(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.served = self.daemon()
        self.receiver = self.prepare(self.served)
        self.ingest(self.served)
        self.offer(self.served)
        self.to = self.folder / 'pulled'
        self.bag = self.to / '2026-V-001'

    def line(self, **options):
        line = Line(self.served.port, **options)
        self.addCleanup(line.close)
        return line

    def pull_over(self, line, status=0):
        done = subprocess.run(
            [str(harness.BUILD / 'versement'), '--server', f'http://127.0.0.1:{line.port}',
             '--token-file', str(self.receiver), 'pull', '2026-V-001', '--to', str(self.to)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def assert_valid(self):
        self.versement(None, 'bag', 'validate', self.bag)
        self.assertEqual(sorted(p.name for p in self.to.iterdir()), ['2026-V-001'])

    def test_a_line_that_is_cut_again_and_again(self):
        line = self.line(cut_after=[300_000, 400_000, 200_000, 500_000])
        done = self.pull_over(line)
        self.assertEqual(line.connections, 5)
        self.assertIn('going on at byte', done.stderr)
        self.assert_valid()

    def test_a_command_that_is_killed(self):
        line = self.line(rate=800_000)
        command = [str(harness.BUILD / 'versement'), '--server', f'http://127.0.0.1:{line.port}',
                   '--token-file', str(self.receiver), 'pull', '2026-V-001', '--to', str(self.to)]
        for _ in range(2):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(1.5)
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.assertFalse(self.bag.exists())
        done = self.pull_over(self.line())
        self.assertIn('going on at byte', done.stderr)
        self.assert_valid()

    def test_a_line_that_lies(self):
        done = self.pull_over(self.line(flip_at=1_000_000), status=1)
        self.assertIn('arrived with other bytes than were sealed', done.stderr)
        self.assertFalse(self.bag.exists())
        # Over an honest line the rest arrives, and what lied is fetched again.
        self.pull_over(self.line())
        self.assert_valid()

    def test_what_was_kept_of_an_earlier_attempt_is_not_believed(self):
        process = subprocess.Popen(
            [str(harness.BUILD / 'versement'), '--server',
             f'http://127.0.0.1:{self.line(rate=800_000).port}', '--token-file',
             str(self.receiver), 'pull', '2026-V-001', '--to', str(self.to)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2.5)
        process.kill()
        process.wait()
        kept = sorted(p for p in (self.to / '.2026-V-001.part').rglob('*.jpg'))
        self.assertTrue(kept)
        kept[0].write_bytes(b'something else')
        self.pull_over(self.line(), status=1)
        self.assertFalse(self.bag.exists())
        # What does not fit is thrown away, so that the next attempt succeeds.
        self.pull_over(self.line())
        self.assert_valid()

    def test_a_server_that_restarts_meanwhile(self):
        line = self.line(rate=1_000_000)
        process = subprocess.Popen(
            [str(harness.BUILD / 'versement'), '--server', f'http://127.0.0.1:{line.port}',
             '--token-file', str(self.receiver), 'pull', '2026-V-001', '--to', str(self.to)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        self.served.kill()
        self.served.start()
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assert_valid()


class Tls(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        if shutil.which('openssl') is None:
            self.skipTest('openssl is not here')
        self.certificate = self.folder / 'certificate.pem'
        self.key = self.folder / 'key.pem'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '1', '-subj', '/CN=versement.example', '-addext',
             'subjectAltName=IP:127.0.0.1', '-keyout', str(self.key), '-out',
             str(self.certificate)], check=True, capture_output=True)
        self.served = self.daemon(tls=(self.certificate, self.key))

    def command(self, *arguments, status):
        done = subprocess.run(
            [str(harness.BUILD / 'versement'), '--server', f'https://127.0.0.1:{self.served.port}',
             *map(str, arguments)], env={
                 **os.environ, 'VERSEMENT_TOKEN_FILE': str(self.served.admin_token_file)},
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_the_main_job_over_tls(self):
        ca = ('--ca', self.certificate)
        self.command(*ca, 'status', status=0)
        self.command(*ca, 'agreement', 'create', 'agreement', '--from-id', 'a', '--from', 'A',
                     '--to-id', 'b', '--to', 'B', status=0)
        self.command(*ca, 'collection', 'create', 'collection', '--title', 'C', '--agency-id', 'a',
                     '--agency-name', 'A', '--owner', 'A', '--credit', 'A', '--conditions', 'C',
                     status=0)
        self.command(*ca, 'ingest', harness.EXAMPLE, '--collection', 'collection', status=0)
        self.command(*ca, 'transfer', 'create', 't', '--agreement', 'agreement', '--title', 'T',
                     status=0)
        self.command(*ca, 'transfer', 'add', 't', '--collection', 'collection', status=0)
        self.command(*ca, 'transfer', 'seal', 't', status=0)
        self.command(*ca, 'transfer', 'offer', 't', status=0)
        receiver = self.folder / 'receiver-token'
        self.command(*ca, 'token', 'create', 'receiver', '--role', 'receiver', '--agreement',
                     'agreement', '--out', receiver, status=0)
        self.command(*ca, '--token-file', receiver, 'pull', 't', '--to', self.folder / 'pulled',
                     status=0)
        self.versement(None, 'bag', 'validate', self.folder / 'pulled' / 't')

    def test_an_unknown_authority_is_refused(self):
        done = self.command('status', status=4)
        self.assertIn('--ca', done.stderr)

    def test_a_certificate_of_another_name_is_refused(self):
        done = subprocess.run(
            [str(harness.BUILD / 'versement'), '--server',
             f'https://localhost:{self.served.port}', '--ca', str(self.certificate),
             '--token-file', str(self.served.admin_token_file), 'status'], capture_output=True,
            text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)

    def handshake(self, version, ciphers=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers(ciphers or 'ALL:@SECLEVEL=0')
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(('127.0.0.1', self.served.port), 10) as plain:
            with context.wrap_socket(plain) as encrypted:
                return encrypted.version(), encrypted.cipher()[0]

    def test_old_protocols_and_ciphers_are_refused(self):
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_3)[0], 'TLSv1.3')
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_2)[0], 'TLSv1.2')
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with self.assertRaises((ssl.SSLError, OSError)):
                self.handshake(version)
        for ciphers in ('AES128-SHA', 'ECDHE-ECDSA-AES128-SHA', 'aNULL:@SECLEVEL=0'):
            with self.subTest(ciphers), self.assertRaises((ssl.SSLError, OSError)):
                self.handshake(ssl.TLSVersion.TLSv1_2, ciphers)

    def test_rubbish_and_plain_http_do_not_harm(self):
        for payload in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01' + b'\xff' * 500,
                        b'', b'\0' * 100_000):
            with socket.create_connection(('127.0.0.1', self.served.port), 20) as s:
                try:
                    s.sendall(payload)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except OSError as error:  # the daemon may hang up at any moment, but it does
                    self.assertIn(error.errno, (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN))
        self.command('--ca', self.certificate, 'status', status=0)


if __name__ == '__main__':
    harness.main()
