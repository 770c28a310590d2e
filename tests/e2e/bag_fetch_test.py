"""`versement bag fetch` against servers that cut, lie, never end, or send it elsewhere."""
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


class Server:
    """https (or http) on this machine; `answers` maps a path to a function of the handler."""

    def __init__(self, certificate=None, key=None, address='127.0.0.1'):
        self.answers = {}
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):  # noqa: N802
                outer.asked.append((self.path, dict(self.headers)))
                try:
                    outer.answers.get(self.path, not_found)(self)
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = 'https' if certificate else 'http'
        self.address = address
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f'{self.scheme}://{self.address}:{self.port}{path}'

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def not_found(handler):
    handler.send_response(404)
    handler.send_header('Content-Length', '0')
    handler.end_headers()


def whole(body, etag='"1"', length=True, headers=()):
    """Sends all of it, or the part that is asked for."""
    def answer(handler):
        first = 0
        if handler.headers.get('If-Range') == etag and handler.headers.get('Range'):
            first = int(handler.headers['Range'].removeprefix('bytes=').removesuffix('-'))
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header('Content-Range', f'bytes {first}-{len(body) - 1}/{len(body)}')
        if length:
            handler.send_header('Content-Length', str(len(body) - first))
        else:
            handler.send_header('Transfer-Encoding', 'chunked')
        if etag:
            handler.send_header('ETag', etag)
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        rest = body[first:]
        handler.wfile.write(rest if length else
                            f'{len(rest):x}\r\n'.encode() + rest + b'\r\n0\r\n\r\n')
    return answer


def cut(body, after, etag='"1"'):
    """Promises all and sends less; the next time sends the rest."""
    times = []

    def answer(handler):
        times.append(1)
        if len(times) > 1:
            return whole(body, etag)(handler)
        handler.send_response(200)
        handler.send_header('Content-Length', str(len(body)))
        handler.send_header('ETag', etag)
        handler.end_headers()
        handler.wfile.write(body[:after])
        return None
    return answer


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b'x' * 65536)


def redirect(to):
    def answer(handler):
        handler.send_response(302)
        handler.send_header('Location', to)
        handler.send_header('Content-Length', '0')
        handler.end_headers()
    return answer


def holey_bag(folder, files, fetch):
    """A bag which lists `files` and has none of them; `fetch` are the lines of fetch.txt."""
    (folder / 'data').mkdir(parents=True)
    (folder / 'bagit.txt').write_text('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')
    for name in ('sha512', 'md5'):
        (folder / f'manifest-{name}.txt').write_text(''.join(
            f'{hashlib.new(name, body).hexdigest()}  {path}\n' for path, body in files.items()))
    (folder / 'fetch.txt').write_text(''.join(line + '\n' for line in fetch))
    return folder


def certificate(folder):
    cert, key = folder / 'certificate.pem', folder / 'key.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
         '-nodes', '-days', '1', '-subj', '/CN=files.example', '-addext',
         'subjectAltName=IP:127.0.0.1,IP:8.8.8.8', '-keyout', str(key), '-out', str(cert)],
        check=True, capture_output=True)
    return cert, key


class Fetch(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        if shutil.which('openssl') is None:
            self.skipTest('openssl is not here')
        self.certificate, self.key = certificate(self.folder)
        self.server = Server(self.certificate, self.key)
        self.addCleanup(self.server.close)
        self.bags = 0

    def bag(self, files, fetch):
        self.bags += 1
        return holey_bag(self.folder / f'bag{self.bags}', files, fetch)

    def fetch(self, bag, *arguments, status=0, allow=True):
        if allow:
            arguments = ('--allow-private', '--host', f'127.0.0.1:{self.server.port}', *arguments)
        done = self.run_versement(None, '--json', '--timeout', '10', '--ca', self.certificate, 'bag',
                                  'fetch', bag, *arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def one(self, answer, body=b'the bytes' * 1000, length=None):
        """A bag with one file to fetch, which the server answers so."""
        self.server.answers['/a'] = answer
        length = len(body) if length is None else length
        return self.bag({'data/a': body}, [f'{self.server.url("/a")} {length} data/a'])

    def failure(self, report):
        self.assertEqual(len(report['failures']), 1, report)
        return report['failures'][0]['code']

    def assert_nothing_came(self, bag):
        self.assertEqual(list((bag / 'data').iterdir()), [])

    def test_a_holey_bag_becomes_valid(self):
        files = {'data/a': b'A' * 700_000, 'data/deep/er/b %.txt': b'', 'data/c': b'C' * 10}
        for number, body in enumerate(files.values()):
            self.server.answers[f'/{number}?q=1'] = whole(body, length=number != 2)
        lines = [f'{self.server.url(f"/{n}?q=1")} {"-" if n == 2 else len(body)} '
                 + path.replace('%', '%25') for n, (path, body) in enumerate(files.items())]
        folder = self.bag({}, [])
        shutil.rmtree(folder)
        holey_bag(folder, {p.replace('%', '%25'): b for p, b in files.items()}, lines)
        report = self.fetch(folder)
        self.assertEqual(report['verdict'], 'valid')
        self.assertEqual(report['fetched_files'], 3)
        for path, body in files.items():
            self.assertEqual((folder / path).read_bytes(), body)
        self.assertFalse((folder / '.versement-fetch').exists())
        asked = len(self.server.asked)
        self.assertEqual(self.fetch(folder)['fetched_files'], 0)
        self.assertEqual(len(self.server.asked), asked)

    def test_nobody_is_asked_who_was_not_named(self):
        bag = self.one(whole(b'x'))
        named = ('--host', f'127.0.0.1:{self.server.port}')
        for arguments in ((), named, ('--host', '127.0.0.1'), ('--host', 'example.org'),
                          ('--allow-private',), ('--host', f'127.0.0.1:{self.server.port + 1}',
                                                 '--allow-private')):
            status = 2 if arguments == named else 3
            report = self.fetch(bag, *arguments, allow=False, status=status)
            if status == 3:
                self.assertIn(f'--host 127.0.0.1:{self.server.port}', report['detail'])
            else:
                self.assertEqual(self.failure(report), 'forbidden-address')
        self.assertEqual(self.server.asked, [])
        self.assert_nothing_came(bag)

    def test_plain_http_and_other_schemes_are_refused(self):
        body = b'plain'
        plain = Server()
        self.addCleanup(plain.close)
        plain.answers['/a'] = whole(body)
        bag = self.bag({'data/a': body}, [f'{plain.url("/a")} 5 data/a'])
        self.assertIn('--allow-http', self.fetch(bag, status=3)['detail'])
        self.assertEqual(self.fetch(bag, '--allow-http', '--host',
                                    f'127.0.0.1:{plain.port}')['verdict'], 'valid')
        for url in ('file:///etc/hostname', 'ftp://127.0.0.1/a', 'https://127.0.0.1@evil.example/',
                    'https://127.0.0.1\\@evil.example/', 'https:///a', 'https://127.0.0.1:99999/'):
            with self.subTest(url=url):
                bag = self.bag({'data/a': body}, [f'{url} 5 data/a'])
                done = self.run_versement(None, 'bag', 'fetch', bag, '--any-host', '--allow-private')
                self.assertIn(done.returncode, (1, 3), done.stderr)
                self.assert_nothing_came(bag)

    def test_paths_that_leave_the_bag_are_refused_before_any_connection(self):
        body = b'x'
        for path in ('../out', 'data/../../out', '/tmp/out', 'data/../bagit.txt', '~/out',
                     'manifest-md5.txt', 'data/%2e%2e/out', 'C:/out', 'data'):
            with self.subTest(path=path):
                self.server.answers['/a'] = whole(body)
                bag = self.bag({path: body}, [f'{self.server.url("/a")} 1 {path}'])
                self.fetch(bag, status=0 if path == 'data/%2e%2e/out' else 1)
        self.assertLessEqual(len(self.server.asked), 1)
        self.assertFalse((self.folder / 'out').exists())

    def test_a_link_in_the_bag_is_not_followed_out_of_it(self):
        outside = self.folder / 'outside'
        outside.mkdir()
        self.server.answers['/a'] = whole(b'x')
        bag = self.bag({'data/sub/a': b'x'}, [f'{self.server.url("/a")} 1 data/sub/a'])
        (bag / 'data' / 'sub').symlink_to(outside)
        self.fetch(bag, status=1)
        self.assertEqual(list(outside.iterdir()), [])

    def test_a_file_that_no_manifest_lists_is_not_fetched(self):
        self.server.answers['/a'] = whole(b'x')
        bag = self.bag({'data/b': b'x'}, [f'{self.server.url("/a")} 1 data/a'])
        report = self.fetch(bag, status=1)
        self.assertIn('fetch.unlisted', [f['code'] for f in report['findings']])
        self.assertEqual(self.server.asked, [])

    def test_other_bytes_are_not_kept(self):
        bag = self.one(whole(b'other....' * 1000))
        self.assertEqual(self.failure(self.fetch(bag, status=1)), 'checksum.mismatch')
        self.assert_nothing_came(bag)

    def test_another_length_is_refused_before_the_body(self):
        body = b'the bytes' * 1000
        bag = self.one(whole(body), length=8999)
        self.assertEqual(self.failure(self.fetch(bag, status=1)), 'fetch-too-long')
        bag = self.one(whole(body), length=9001)
        self.assertEqual(self.failure(self.fetch(bag, status=1)), 'fetch-length')
        self.assert_nothing_came(bag)

    def test_a_body_without_end_is_broken_off(self):
        bag = self.one(endless)
        report = self.fetch(bag, status=1)
        self.assertEqual(self.failure(report), 'fetch-too-long')
        self.assertLess(report['fetched_bytes'], 1_000_000)
        bag = self.bag({'data/a': b'x'}, [f'{self.server.url("/a")} - data/a'])
        report = self.fetch(bag, '--max-bytes', '1MiB', status=1)
        self.assertEqual(self.failure(report), 'fetch-too-long')
        self.assertLess(report['fetched_bytes'], 3_000_000)
        left = [p for p in (bag / '.versement-fetch').glob('*')] \
            if (bag / '.versement-fetch').exists() else []
        self.assertEqual(left, [])

    def text_of(self, *arguments):
        done = subprocess.run([harness.BUILD / 'versement', 'bag', 'fetch', *map(str, arguments)],
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_hosts_that_are_refused_stand_on_lines_of_their_own(self):
        bag = self.bag({'data/a': b'x', 'data/b': b'y'},
                       ['https://one.example/a 1 data/a', 'https://two.example/b 1 data/b'])
        status, _, told = self.text_of(bag)
        self.assertEqual(status, 3)
        self.assertEqual([line.split(':')[0] for line in told.splitlines()],
                         ['versement', '  one.example', '  two.example'])
        self.assertNotIn('\\u', told)

    def test_after_a_failure_the_state_of_the_bag_is_told(self):
        bag = self.bag({'data/a': b'x' * 3000, 'data/b': b'y'},
                       [f'{self.server.url("/a")} 3000 data/a', f'{self.server.url("/b")} 1 data/b'])
        self.server.answers.update({'/a': whole(b'z' * 3000), '/b': whole(b'y')})
        report = self.fetch(bag, status=1)
        self.assertEqual((report['fetched_files'], report['fetched_bytes'],
                          report['missing_files']), (1, 1, 1))
        status, told, _ = self.text_of(bag, '--allow-private', '--host',
                                       f'127.0.0.1:{self.server.port}')
        self.assertEqual(status, 4)
        self.assertIn('with --ca', told)
        self.assertIn(f'{bag}: 0 files fetched, 0 B; 1 failed\n', told)
        self.assertTrue(told.endswith(f'{bag} is still incomplete: 1 file to fetch\n'), told)

    def test_an_interruption_says_how_to_go_on(self):
        body = os.urandom(3_000_000)
        go_on = threading.Event()

        def halting(handler):
            handler.send_response(200)
            handler.send_header('Content-Length', str(len(body)))
            handler.send_header('ETag', '"1"')
            handler.end_headers()
            handler.wfile.write(body[:1_500_000])
            go_on.wait(20)  # It looks whether it should stop between two chunks.
            handler.wfile.write(body[1_500_000:])
        bag = self.one(halting, body)
        arguments = [harness.BUILD / 'versement', '--ca', self.certificate, 'bag', 'fetch', bag,
                     '--allow-private', '--host', f'127.0.0.1:{self.server.port}']
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        parts = bag / '.versement-fetch'
        until = time.monotonic() + 20
        while not any(p.stat().st_size > 0 for p in parts.glob('*') if '.' not in p.name):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        go_on.set()
        _, told = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, told)
        self.assertIn('run the same command again to go on', told)
        self.server.answers['/a'] = whole(body)
        done = subprocess.run(arguments, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('data/a: went on after the ', done.stderr)

    def test_a_cut_connection_goes_on_where_it_was(self):
        body = os.urandom(3_000_000)
        bag = self.one(cut(body, 2_000_000), body)
        report = self.fetch(bag)
        self.assertEqual(report['verdict'], 'valid')
        self.assertLess(report['fetched_bytes'], 3_000_001)
        again = self.server.asked[1][1]
        self.assertEqual(again['If-Range'], '"1"')
        self.assertRegex(again['Range'], r'^bytes=[1-9]\d*-$')

    def test_an_interrupted_run_goes_on_in_the_next(self):
        body = os.urandom(3_000_000)

        def short(handler):
            handler.send_response(200)
            handler.send_header('Content-Length', str(len(body)))
            handler.send_header('ETag', '"1"')
            handler.end_headers()
            handler.wfile.write(body[:1_500_000])
        bag = self.one(lambda handler: None, body)
        self.server.answers['/a'] = lambda handler: (short(handler),
                                                     self.server.answers.pop('/a'))
        kept = self.fetch(bag, status=2)['kept_bytes']  # Afterwards there is nothing at all.
        self.server.answers['/a'] = whole(body)
        report = self.fetch(bag)
        self.assertEqual(report['verdict'], 'valid')
        self.assertGreater(report['resumed_bytes'], 1_000_000)
        self.assertEqual(report['resumed_bytes'], kept)
        self.assertEqual(report['fetched_bytes'] + report['resumed_bytes'], len(body))

    def test_a_half_file_that_came_with_the_bag_is_neither_sent_nor_used(self):
        body = b'the bytes' * 1000
        for mode in (0o755, 0o700):
            with self.subTest(mode=oct(mode)):
                bag = self.one(whole(body), body)
                parts = bag / '.versement-fetch'
                parts.mkdir()
                parts.chmod(mode)
                part = parts / hashlib.sha256(b'data/a').hexdigest()
                part.write_bytes(b'forged')
                mark = pathlib.Path(f'{part}.mark')
                url = hashlib.sha256(self.server.url('/a').encode()).hexdigest()
                tag = '"1"' if mode == 0o755 else '"1"\r\nX-Forged: yes'
                mark.write_bytes(f'{url} {tag}'.encode())
                mark.chmod(0o600)
                self.assertEqual(self.fetch(bag)['verdict'], 'valid')
                sent = self.server.asked[-1][1]
                self.assertNotIn('Range', sent)
                self.assertNotIn('If-Range', sent)
                self.assertNotIn('X-Forged', sent)

    def test_a_file_that_became_another_one_is_fetched_anew(self):
        body = os.urandom(2_000_000)
        bag = self.one(lambda handler: None, body)
        self.server.answers['/a'] = cut(b'old' * 700_000, 1_000_000, etag='"old"')
        # First the next answer: who refuses this one hangs up in the middle of it.
        self.server.answers['/a'] = lambda handler, old=self.server.answers['/a']: (
            self.server.answers.update({'/a': whole(body, '"new"')}), old(handler))
        # The lengths differ: refused at once, and what came is forgotten.
        report = self.fetch(bag, status=1)
        self.assertEqual(self.failure(report), 'fetch-too-long')
        self.assertEqual(self.fetch(bag)['verdict'], 'valid')

    def test_redirections_are_followed_and_bounded(self):
        body = b'the bytes' * 1000
        bag = self.one(redirect('/b'), body)
        self.server.answers['/b'] = redirect(self.server.url('/c'))
        self.server.answers['/c'] = whole(body)
        self.assertEqual(self.fetch(bag)['verdict'], 'valid')
        bag = self.one(redirect('/a'))
        self.assertEqual(self.failure(self.fetch(bag, status=2)), 'fetch-refused')
        self.assertLessEqual(len(self.server.asked), 3 + 6)

    def test_redirections_to_other_hosts_and_schemes_are_refused(self):
        plain = Server()
        self.addCleanup(plain.close)
        plain.answers['/a'] = whole(b'the bytes' * 1000)
        for to in ('https://other.example/a', f'https://localhost:{self.server.port}/a',
                   plain.url('/a'), 'file:///etc/hostname', '//169.254.169.254/latest'):
            with self.subTest(to=to):
                bag = self.one(redirect(to))
                report = self.fetch(bag, '--allow-http', '--host', f'127.0.0.1:{plain.port}',
                                    status=2)
                self.assertIn(self.failure(report), ('fetch-refused', 'invalid'))
                self.assert_nothing_came(bag)
        self.assertEqual(plain.asked, [])

    def test_a_public_host_cannot_send_it_to_a_private_address(self):
        inside = ['unshare', '-rn', 'sh', '-c',
                  'ip link set lo up && ip addr add 8.8.8.8/32 dev lo && exec "$@"', 'sh']
        if subprocess.run([*inside, 'true'], capture_output=True).returncode != 0:
            self.skipTest('no network of its own to be had')
        done = subprocess.run([*inside, sys.executable, __file__, '--inside', str(self.folder)],
                              capture_output=True, text=True,
                              env={**os.environ, 'VERSEMENT_BUILD': str(harness.BUILD)})
        self.assertEqual(done.returncode, 0, done.stderr)
        outcome = json.loads(done.stdout)
        self.assertEqual(outcome['public'], 'valid')
        self.assertEqual(outcome['redirected'], 'forbidden-address')
        self.assertEqual(outcome['asked_inside'], 0)

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        bag = self.one(whole(b'the bytes' * 1000))
        done = self.run_versement(None, '--json', 'bag', 'fetch', bag, '--allow-private', '--host',
                                  f'127.0.0.1:{self.server.port}')
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertEqual(self.server.asked, [])
        self.assertEqual(self.failure(json.loads(done.stdout)), 'certificate-not-trusted')

    def test_what_does_not_come_is_told_and_the_rest_comes(self):
        body = b'b' * 10
        self.server.answers['/b'] = whole(body)
        self.server.answers['/c'] = whole(body, headers=[('Content-Encoding', 'gzip')])
        bag = self.bag({'data/a': body, 'data/b': body, 'data/c': body},
                       [f'{self.server.url("/" + name)} 10 data/{name}' for name in 'abc'])
        report = self.fetch(bag, status=2)
        self.assertEqual([f['path'] for f in report['failures']], ['data/a', 'data/c'])
        self.assertEqual((bag / 'data' / 'b').read_bytes(), body)

    def test_a_second_address_is_tried_when_the_first_fails(self):
        body = b'b' * 10
        self.server.answers['/b'] = whole(body)
        bag = self.bag({'data/a': body}, [f'{self.server.url("/a")} 10 data/a',
                                          f'{self.server.url("/b")} - data/a'])
        self.assertEqual(self.fetch(bag)['verdict'], 'valid')

    def test_a_server_that_is_not_there(self):
        port = harness.free_port()
        bag = self.bag({'data/a': b'x'}, [f'https://127.0.0.1:{port}/a 1 data/a'])
        self.fetch(bag, '--host', f'127.0.0.1:{port}', status=4)

    def test_a_server_that_fails_for_every_file_is_said_once_and_asked_no_more(self):
        port = harness.free_port()
        names = [f'data/{i:03}' for i in range(60)]
        bag = self.bag({name: b'x' for name in names},
                       [f'https://127.0.0.1:{port}/a 1 {name}' for name in names])
        begun = time.monotonic()
        report = self.fetch(bag, '--host', f'127.0.0.1:{port}', status=4)
        self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual(len(report['given_up']), 1)
        self.assertEqual(report['given_up'][0]['host'], f'127.0.0.1:{port}')
        self.assertLess(len(report['failures']), 10)
        self.assertEqual(report['given_up'][0]['files_not_asked_for'],
                         60 - len(report['failures']))
        done = self.run_versement(None, 'bag', 'fetch', bag, '--allow-private', '--host',
                                  f'127.0.0.1:{port}')
        self.assertEqual(done.returncode, 4)
        self.assertEqual(done.stdout.count('cannot reach the server'), 1, done.stdout)
        self.assertIn('60 files to fetch', done.stdout)

    def test_a_token_that_is_refused_is_said_once(self):
        def refuse(handler):
            handler.send_response(401)
            handler.send_header('Content-Length', '0')
            handler.end_headers()
        names = [f'data/{i:03}' for i in range(60)]
        for name in names:
            self.server.answers['/' + name] = refuse
        bag = self.bag({name: b'x' for name in names},
                       [f'{self.server.url("/" + name)} 1 {name}' for name in names])
        report = self.fetch(bag, status=2)
        self.assertIn('answered 401', report['given_up'][0]['detail'])
        self.assertLess(len(self.server.asked), 10)

    def test_files_that_are_not_there_do_not_give_up_the_server(self):
        body = b'b' * 10
        names = [f'data/{i:03}' for i in range(30)]
        self.server.answers['/data/029'] = whole(body)
        bag = self.bag({name: body for name in names},
                       [f'{self.server.url("/" + name)} 10 {name}' for name in names])
        report = self.fetch(bag, status=2)
        self.assertEqual((report['given_up'], len(report['failures'])), ([], 29))
        self.assertEqual((bag / 'data' / '029').read_bytes(), body)

    def test_a_backslash_in_a_name_parts_nothing(self):
        body = b'b' * 10
        self.server.answers['/b'] = whole(body)
        names = ['data/plan\\1925.tif', 'data/a/b.txt', 'data/a\\c.txt', 'data/a\\..\\b.txt', 'data/c/\\..']
        bag = self.bag({name: body for name in names},
                       [f'{self.server.url("/b")} 10 {name}' for name in names])
        report = self.fetch(bag)
        self.assertEqual(report['verdict'], 'valid', report)
        self.assertEqual((bag / 'data' / 'plan\\1925.tif').read_bytes(), body)
        self.assertEqual(sorted(f.name for f in (bag / 'data').iterdir()),
                         ['a', 'a\\..\\b.txt', 'a\\c.txt', 'c', 'plan\\1925.tif'])

    def test_a_backslash_that_would_lead_elsewhere_is_refused(self):
        for name in ('data\\a.txt', 'data/..\\..\\a.txt'):
            bag = self.bag({name: b'x'}, [f'{self.server.url("/b")} 1 {name}'])
            report = self.fetch(bag, status=1)
            self.assertEqual(report['verdict'], 'invalid')
            self.assertIn('manifest.separator', [f['code'] for f in report['findings']])
        self.assertEqual(self.server.asked, [])


def inside(folder):
    """In a network of its own, where 8.8.8.8 is this machine."""
    folder = pathlib.Path(folder)
    cert = (folder / 'certificate.pem', folder / 'key.pem')
    public, private = Server(*cert, address='8.8.8.8'), Server(*cert)
    body = b'bytes'
    public.answers['/good'] = private.answers['/a'] = whole(body)
    public.answers['/bad'] = redirect(private.url('/a'))
    outcome = {}
    for name, path in (('public', '/good'), ('redirected', '/bad')):
        bag = holey_bag(folder / name, {'data/a': body}, [f'{public.url(path)} 5 data/a'])
        done = subprocess.run([harness.BUILD / 'versement', '--json', '--ca', cert[0], 'bag', 'fetch',
                               bag, '--any-host'], capture_output=True, text=True)
        report = json.loads(done.stdout)
        outcome[name] = report.get('verdict') or report['failures'][0]['code']
    print(json.dumps({**outcome, 'asked_inside': len(private.asked)}))


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        inside(sys.argv[2])
    else:
        harness.main()
