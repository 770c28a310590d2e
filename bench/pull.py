#!/usr/bin/env python3
"""Pulling a bag that exists nowhere beside nginx serving the ready-made tar of the same bytes.

    bench/pull.py [--medium 300] [--small 100000] [--rounds 5] [--seconds 3] [--connections 1,8,64]
                  [--workers 1] [--tls] [--work DIR]

Two bags: --medium files of 1 to 20 MB and --small files of 4 to 64 KB, a number of 0 leaves one out. nginx has
sendfile, tcp_nopush and keep-alive, no access log; the tar that it serves is the one that we made, on the same
disk. One client in one thread throws the bytes away (bench/drain.cpp); everything is in memory when the clock
starts. In each round the two take turns; the figures are medians: GB/s, the ratio of the rates
(above 1 we are faster), processor seconds of the server for each GB, and the most memory that the
daemon had. The first pull of a bag is shown by itself: it compares every byte with its CRC-32, later ones
within a quarter of an hour watch large files for writes instead. nginx compares nothing.

The goals: plain 1.2 with medium files and 1.0 with small ones, TLS 1.3 1.0 and 0.9."""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'e2e'))
os.environ.setdefault('VERSEMENT_BUILD', str(ROOT / 'build' / 'release'))
import harness  # noqa: E402
from main_job import write_table  # noqa: E402

TICK = os.sysconf('SC_CLK_TCK')
NGINX = """
daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=10;
  client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-f; uwsgi_temp_path {folder}/nginx-u; scgi_temp_path {folder}/nginx-s;
  server {{ listen 127.0.0.1:{port}; root {folder}/ready; }}
  server {{ listen 127.0.0.1:{tls_port} ssl; root {folder}/ready; ssl_protocols TLSv1.3;
            ssl_certificate {cert}; ssl_certificate_key {key}; }}
}}
"""


def make_files(folder, files, smallest, largest, files_an_item=None):
    """Log-normal sizes, random bytes; the same every time. All of them are one item, if not said otherwise."""
    rng = random.Random(11)
    block = rng.randbytes(largest + (1 << 20))
    names = []
    for i in range(files):
        size = min(largest, max(smallest, int(rng.lognormvariate(0, 0.6) * (smallest * largest) ** 0.5)))
        start = rng.randrange(1 << 20)
        name = f'objects/{i // 1000:03}/scan-{i:06}.bin'
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(i.to_bytes(8, 'big') + block[start:start + size - 8])
        names.append(name)
    write_table(folder, names, files_an_item or files)


def processor_seconds(pids):
    spent = 0
    for pid in pids:
        fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / TICK


def children(pid):
    return [int(p) for p in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def certificate(folder):
    cert, key = folder / 'cert.pem', folder / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-keyout', key, '-out', cert], check=True,
                   capture_output=True)
    return cert, key


class Bench(harness.EndToEnd):
    def runTest(self):
        pass

    def setUp(self):
        self.daemons = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='versement-bench-', dir=self.work))
        self.folder.chmod(0o755)  # for the workers of nginx
        self.addCleanup(self._remove)

    def drain(self, port, path, connections, seconds, tls, token=None):
        command = [str(harness.BUILD / 'bench_drain'), '127.0.0.1', str(port), path, str(connections),
                   str(seconds), 'tls' if tls else 'plain']
        done = subprocess.run(command + ([str(token)] if token else []), capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def measure(self, pids, *arguments, **options):
        before = processor_seconds(pids())
        got = self.drain(*arguments, **options)
        rate = got['bytes'] / got['seconds'] / 1e9
        return rate, (processor_seconds(pids()) - before) / (got['bytes'] / 1e9)

    def seal(self, name, files, smallest, largest):
        collection = self.folder / f'deposit-{name}'
        make_files(collection, files, smallest, largest)
        daemon = self.daemon(name=name, inboxes=[self.folder], tls=self.tls)
        receiver = self.prepare(daemon)
        receiver = receiver.rename(receiver.with_name(f'receiver-of-{name}'))  # There are two daemons.
        self.ingest(daemon, collection)
        shutil.rmtree(collection)
        for words in (('create', name, '--agreement', 'agreement', '--title', 'Bench'),
                      ('add', name, '--collection', 'collection'), ('seal', name), ('offer', name)):
            self.versement(daemon, 'transfer', *words)
        return daemon, receiver

    def nginx(self, cert, workers):
        """One that serves the folder ready/, its port and its port for TLS."""
        (self.folder / 'ready').mkdir()
        port, tls_port = harness.free_port(), harness.free_port()
        config = self.folder / 'nginx.conf'
        config.write_text(NGINX.format(folder=self.folder, port=port, tls_port=tls_port, workers=workers,
                                       cert=cert[0], key=cert[1],
                                       user='user root;' if os.geteuid() == 0 else ''))
        process = subprocess.Popen(['nginx', '-c', str(config), '-e', str(self.folder / 'nginx.log')])
        self.addCleanup(process.wait)  # after the other; else it writes into the folder that goes away
        self.addCleanup(process.terminate)
        return process, port, tls_port

    def run_all(self, options):
        cert = certificate(self.folder)
        self.tls = cert if options.tls else None
        os.environ['SSL_CERT_FILE'] = str(cert[0])
        nginx, port, tls_port = self.nginx(cert, options.workers)
        kinds = [('medium', options.medium, 1_000_000, 20_000_000), ('small', options.small, 4_000, 64_000)]
        for name, files, smallest, largest in kinds:
            if files:
                self.compare(name, files, smallest, largest, options, nginx, tls_port if options.tls else port)

    def compare(self, name, files, smallest, largest, options, nginx, peer_port):
        daemon, token = self.seal(name, files, smallest, largest)
        path = f'/v1/transfers/{name}/bag.tar'
        tar = self.folder / 'ready' / f'{name}.tar'
        began = time.monotonic()
        subprocess.run(['curl', '-ksSf', '-o', tar, daemon.address + path, '-H',
                        'Authorization: Bearer ' + token.read_text().strip()], check=True)
        took = time.monotonic() - began
        size = tar.stat().st_size
        print(f'{name}: {files} files, {size / 1e9:.2f} GB, {"TLS 1.3" if options.tls else "plain"}, '
              f'{os.cpu_count()} processors, nginx with {options.workers}\n'
              f'  first pull, to a file by curl          {took:6.2f} s', flush=True)
        subprocess.run(['cat', tar], stdout=subprocess.DEVNULL, check=True)
        time.sleep(1.5)
        pids = (lambda: [daemon.process.pid], lambda: children(nginx.pid))
        daemon.stop()
        daemon.start()
        first = self.drain(daemon.port, path, 1, 0, options.tls, token)
        print(f'  after a start: first byte after {first["first_byte"] * 1000:.0f} ms, '
              f'{first["bytes"] / first["seconds"] / 1e9:.2f} GB/s while every byte is compared', flush=True)
        for connections in options.connections:
            ours, theirs = [], []
            for _ in range(options.rounds):
                ours.append(self.measure(pids[0], daemon.port, path, connections, options.seconds, options.tls,
                                         token=token))
                theirs.append(self.measure(pids[1], peer_port, f'/{name}.tar', connections, options.seconds,
                                           options.tls))
            rate, peer = (statistics.median(r for r, _ in each) for each in (ours, theirs))
            ratio = statistics.median(a / b for (a, _), (b, _) in zip(ours, theirs))
            cpu, peer_cpu = (statistics.median(c for _, c in each) for each in (ours, theirs))
            print(f'  {connections:3} connections  ours {rate:5.2f} GB/s  nginx {peer:5.2f} GB/s  ratio {ratio:5.2f}  '
                  f'server s/GB {cpu:.2f} / {peer_cpu:.2f}  {daemon.rss_peak_mib():.0f} MiB', flush=True)
        daemon.stop()
        tar.unlink()
        shutil.rmtree(daemon.data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--medium', type=int, default=300)
    parser.add_argument('--small', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=3)
    parser.add_argument('--connections', type=lambda t: [int(n) for n in t.split(',')], default=[1, 8, 64])
    parser.add_argument('--workers', type=int, default=1, help='of nginx')
    parser.add_argument('--tls', action='store_true')
    parser.add_argument('--work', default=tempfile.gettempdir(), help='folder to work in')
    options = parser.parse_args()
    Bench.work = options.work
    bench = Bench()
    try:
        bench.setUp()
        bench.run_all(options)
    finally:
        bench.doCleanups()


if __name__ == '__main__':
    main()
