"""What the end-to-end tests share: the programs as a user starts them, and the independent judges.

Each test has a folder of its own, which goes away with it. The programs come from the folder that
VERSEMENT_BUILD names (default: build/release).
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get('VERSEMENT_BUILD', ROOT / 'build' / 'release'))
CACHE = ROOT / '.cache'
SHARED = ROOT.parent / 'shared'
EXAMPLE = ROOT / 'examples' / 'phnom-penh'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def needs_shared(part):
    """Leaves a test out, counted as skipped, where the shared folder is not there."""
    return unittest.skipUnless((SHARED / part).exists(), f'{part} of the shared folder is not here')


class Daemon:
    """versementd on a data folder, with an administrator's token."""

    def __init__(self, data, inboxes, extra=(), extra_env=None, tls=None):
        self.data = pathlib.Path(data)
        self.inboxes = [str(i) for i in inboxes]
        self.extra = list(extra)
        self.env = {**os.environ, **(extra_env or {})}
        self.tls = tls
        self.port = free_port()
        self.process = None
        if not self.data.exists():
            subprocess.run([BUILD / 'versementd', '--init', '--data', self.data, '--origin',
                            'archive.example/test'], check=True, capture_output=True)

    @property
    def admin_token_file(self):
        return self.data / 'secrets' / 'admin-token'

    @property
    def address(self):
        return f'{"https" if self.tls else "http"}://127.0.0.1:{self.port}'

    def start(self, wait=True, before=None):
        """`before` is called in the new process, before the program."""
        command = [str(BUILD / 'versementd'), '--data', str(self.data), '--listen',
                   f'127.0.0.1:{self.port}', *self.extra]
        for inbox in self.inboxes:
            command += ['--inbox', inbox]
        if self.tls:
            command += ['--tls-cert', str(self.tls[0]), '--tls-key', str(self.tls[1])]
        self.log = open(str(self.data) + '.log', 'ab')
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log,
                                        env=self.env, preexec_fn=before)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        """Until the start is done; a store that is read-only is ready for what it can do."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError('versementd ended: ' + self.log_text())
            try:
                if not self.is_starting():
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError('versementd does not answer: ' + self.log_text())

    def is_starting(self):
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(self.address + '/readyz', timeout=30, context=trust):
                return False
        except urllib.error.HTTPError as error:
            with error:
                # Only a start says when it will be over.
                return error.headers.get('Retry-After') is not None

    def log_text(self):
        return pathlib.Path(str(self.data) + '.log').read_text(errors='replace')[-4000:]

    def stop(self):
        """As systemd does; the exit status must be 0."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process = None
        self.log.close()
        if status != 0:
            raise AssertionError(f'versementd ended with {status}: {self.log_text()}')

    def kill(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait(30)
        self.process = None
        self.log.close()

    def rss_peak_mib(self):
        for line in pathlib.Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024
        raise AssertionError('no VmHWM')

    def request(self, method, path, body=None, headers=None, token=True):
        """Status, headers and bytes of one request."""
        headers = dict(headers or {})
        if token is True:
            token = self.admin_token_file.read_text().strip()
        if token:
            headers['Authorization'] = 'Bearer ' + token
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        request = urllib.request.Request(self.address + path, data=body, headers=headers,
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def get(self, path, **options):
        status, _, body = self.request('GET', path, **options)
        if status != 200:
            raise AssertionError(f'GET {path}: {status} {body[:500]!r}')
        return json.loads(body)

    def all_of(self, path):
        """Every element of a list that comes in pages."""
        out, cursor = [], None
        while True:
            mark = '&' if '?' in path else '?'
            page = self.get(path + (f'{mark}cursor={cursor}' if cursor else ''))
            out += page['items']
            cursor = page.get('next_cursor')
            if not cursor:
                return out


class EndToEnd(unittest.TestCase):
    """A test with a folder of its own and a daemon in it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-e2e-'))
        self.addCleanup(self._remove)
        self.daemons = []

    def _remove(self):
        for daemon in self.daemons:
            daemon.kill()
        for folder, _, _ in os.walk(self.folder):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.folder)

    def daemon(self, name='data', inboxes=(EXAMPLE,), **options):
        daemon = Daemon(self.folder / name, inboxes, **options)
        self.daemons.append(daemon)
        return daemon.start()

    def versement(self, daemon, *arguments, token=None, status=0, env=None):
        """Runs the command; its exit status must be as given. Returns its standard output."""
        done = self.run_versement(daemon, *arguments, token=token, env=env)
        self.assertEqual(done.returncode, status,
                         f'versement {" ".join(map(str, arguments))}\n{done.stdout}\n{done.stderr}')
        return done.stdout

    def run_versement(self, daemon, *arguments, token=None, env=None):
        command = [str(BUILD / 'versement')]
        if daemon is not None:
            command += ['--server', daemon.address, '--token-file',
                        str(token or daemon.admin_token_file)]
        return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})

    def json_of(self, daemon, *arguments, **options):
        return json.loads(self.versement(daemon, '--json', *arguments, **options))

    def prepare(self, daemon):
        """The agreement, the collection and a receiver's token, as the README makes them."""
        self.versement(daemon, 'agreement', 'create', 'agreement', '--from-id', 'sender', '--from',
                       'Sender', '--to-id', 'archive', '--to', 'Archive')
        self.versement(daemon, 'collection', 'create', 'collection', '--title', 'Collection',
                       '--agency-id', 'sender', '--agency-name', 'Sender', '--owner', 'Owner',
                       '--credit', 'Owner, collection', '--conditions',
                       'Reproduction only with source and ownership clearly mentioned')
        receiver = self.folder / 'receiver-token'
        self.versement(daemon, 'token', 'create', 'receiver', '--role', 'receiver', '--agreement',
                       'agreement', '--out', receiver)
        return receiver

    def ingest(self, daemon, folder=EXAMPLE, **options):
        return self.versement(daemon, 'ingest', folder, '--collection', 'collection', **options)

    def offer(self, daemon, reference='2026-V-001'):
        self.versement(daemon, 'transfer', 'create', reference, '--agreement', 'agreement',
                       '--title', 'Transfer')
        self.versement(daemon, 'transfer', 'add', reference, '--collection', 'collection')
        self.versement(daemon, 'transfer', 'seal', reference)
        self.versement(daemon, 'transfer', 'offer', reference)


def main():
    unittest.main(verbosity=2)
