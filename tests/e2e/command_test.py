"""The command as a person and as a script meet it: help, exit statuses, tables, JSON, completion."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402
import judges  # noqa: E402


def run(*arguments, env=None, stdin=subprocess.DEVNULL):
    return subprocess.run([str(harness.BUILD / 'versement'), *map(str, arguments)],
                          capture_output=True, text=True, stdin=stdin,
                          env={**os.environ, **(env or {})})


def subcommands(help_text):
    # Up to the empty line: examples follow.
    rest = help_text.split('Subcommands:', 1)[1] if 'Subcommands:' in help_text else ''
    lines = rest.split('\n\n', 1)[0].splitlines()
    return [line.split()[0] for line in lines if re.match(r'  [a-z]', line)]


def leaves(path=()):
    below = subcommands(run(*path, '--help').stdout)
    return [leaf for one in below for leaf in leaves((*path, one))] or [path]


class Local(harness.EndToEnd):
    """What needs no service."""

    def test_every_subcommand_explains_itself(self):
        found = leaves()
        self.assertGreater(len(found), 30)
        for path in found:
            with self.subTest(' '.join(path)):
                done = run(*path, '--help')
                self.assertEqual(done.returncode, 0)
                self.assertIn('Usage:', done.stdout)
                self.assertEqual(done.stderr, '')

    def test_usage(self):
        for arguments, said in ((('ingst',), 'ingest'), (('item', 'lst'), 'list'),
                                (('status', '--no-such-flag'), '--no-such-flag'),
                                (('pull',), 'TRANSFER'), ((), 'subcommand is required'),
                                (('item', 'unknown'), "no subcommand of 'versement item'"),
                                (('--progress', 'loud', 'status'), '--progress')):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertIn(said, done.stderr)

    def test_no_server(self):
        env = {'VERSEMENT_SERVER': f'http://127.0.0.1:{harness.free_port()}',
               'VERSEMENT_TOKEN_FILE': str(self.token_file('vrs_' + '0' * 64))}
        done = run('status', env=env)
        self.assertEqual(done.returncode, 4)
        self.assertIn('127.0.0.1', done.stderr)
        done = run('--json', 'status', env=env)
        self.assertEqual(done.returncode, 4)
        self.assertIn('code', json.loads(done.stdout))

    def token_file(self, text, mode=0o600):
        path = self.folder / f'token-{mode:o}'
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_a_token_that_others_can_read_is_refused(self):
        done = run('--token-file', self.token_file('vrs_' + '0' * 64, 0o644), 'status')
        self.assertEqual(done.returncode, 3)
        self.assertIn('chmod', done.stderr)

    def test_completion_and_man(self):
        for shell in ('bash', 'zsh', 'fish'):
            done = run('completion', shell)
            self.assertEqual(done.returncode, 0)
            self.assertIn('transfer', done.stdout)
            if shell == 'bash':
                checked = subprocess.run(['bash', '-n'], input=done.stdout, text=True)
                self.assertEqual(checked.returncode, 0)
        offered = subprocess.run(
            ['bash', '-c', 'source /dev/stdin <<<"$SCRIPT"; COMP_WORDS=(versement tra); '
             'COMP_CWORD=1; $(complete -p versement | sed "s/.*-F //;s/ .*//"); '
             'echo "${COMPREPLY[@]}"'],
            env={**os.environ, 'SCRIPT': run('completion', 'bash').stdout}, capture_output=True,
            text=True)
        self.assertEqual(offered.stdout.split(), ['transfer'], offered.stderr)
        self.assertEqual(run('completion', 'tcsh').returncode, 3)
        page = run('man').stdout
        self.assertTrue(page.startswith('.'))
        if shutil.which('groff'):
            done = subprocess.run(['groff', '-man', '-ww', '-Tutf8', '-z'], input=page, text=True,
                                  capture_output=True)
            self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_bags_that_are_none(self):
        self.assertEqual(run('bag', 'validate', self.folder / 'none').returncode, 2)
        self.assertEqual(run('bag', 'validate', self.folder).returncode, 1)
        self.assertEqual(run('store', 'check', self.folder / 'none').returncode, 2)
        self.assertEqual(run('journal', 'verify', self.folder / 'none').returncode, 2)


class StoreCheck(harness.EndToEnd):
    def check(self, status, *arguments):
        done = run('--json', 'store', 'check', *arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_data_folder_root_and_object_whole_and_damaged(self):
        daemon = self.daemon()
        self.prepare(daemon)
        self.ingest(daemon)
        daemon.stop()
        root = daemon.data / 'store'
        objects = sorted(path.parent for path in root.rglob('0=ocfl_object_1.1'))
        for place, with_journal in ((daemon.data, True), (root, False), (objects[0], False)):
            report = self.check(0, place)
            self.assertEqual((report['verdict'], report['problems'], report['journal_compared']),
                             ('valid', [], with_journal))
        victim = sorted((objects[3] / 'v1' / 'content').rglob('METS.xml'))[0]
        victim.chmod(0o600)
        victim.write_bytes(b'other')
        self.assertEqual(self.check(0, '--fast', daemon.data)['bytes'], 0)
        for place in (daemon.data, root, objects[3]):
            found = self.check(1, place)['problems']
            self.assertEqual([one['code'] for one in found], ['E092', 'E093'])
            self.assertEqual((found[0]['severity'], found[0]['section']), ('error', '3.5.2'))
            self.assertTrue(found[0]['pointer'].startswith('/manifest/'))

    def test_one_that_was_cut_off_goes_on(self):
        daemon = self.daemon()
        self.prepare(daemon)
        self.ingest(daemon)
        daemon.stop()
        root = daemon.data / 'store'
        objects = sorted(path.parent for path in root.rglob('0=ocfl_object_1.1'))
        whole = self.check(0, daemon.data)
        cursor = self.folder / 'cursor.json'
        half = objects[7].relative_to(root).as_posix()
        finding = {'place': objects[2].relative_to(root).as_posix(), 'code': 'E092',
                   'path': 'v1/content/x', 'pointer': '', 'detail': 'found before it was cut off'}
        text = {'v': 1, 'root': str(daemon.data.resolve()), 'last': half, 'objects': 8, 'files': 1,
                'bytes': 1000, 'findings': [finding]}
        cursor.write_text(json.dumps(text))
        report = self.check(1, daemon.data, '--resume', cursor)
        self.assertEqual([one['detail'] for one in report['problems']], [finding['detail']])
        self.assertEqual((report['objects'], report['files']), (whole['objects'], whole['files']))
        self.assertLess(report['bytes'], whole['bytes'])
        self.assertTrue(report['journal_compared'])
        self.assertFalse(cursor.exists())
        self.check(0, daemon.data, '--resume', cursor)  # From the beginning.
        self.assertFalse(cursor.exists())
        cursor.write_text(json.dumps({**text, 'root': '/elsewhere'}))
        self.assertIn('/elsewhere', self.check(3, daemon.data, '--resume', cursor)['detail'])
        cursor.write_text('[]')
        self.check(3, daemon.data, '--resume', cursor)
        self.check(3, daemon.data, '--fast', '--full')


class Export(harness.EndToEnd):
    def test_a_root_is_copied_out_whole_and_a_damaged_one_is_not_called_whole(self):
        daemon = self.daemon()
        self.prepare(daemon)
        self.ingest(daemon)
        copy = self.folder / 'copy'
        self.assertEqual(run('store', 'export', daemon.data, copy).returncode, 5)  # it runs
        daemon.stop()
        done = run('--json', 'store', 'export', daemon.data, copy)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)['objects'], 15)
        self.assertEqual(judges.ocfl_py(copy), [])
        self.assertIn(judges.rocfl(copy), ([], None))
        same = subprocess.run(['diff', '-r', daemon.data / 'store', copy], capture_output=True)
        self.assertEqual(same.stdout, b'')
        self.assertEqual(run('store', 'export', daemon.data, copy).returncode, 3)  # it is there
        self.assertEqual(run('store', 'export', copy, self.folder / 'again').returncode, 0)
        victim = sorted(copy.rglob('*.jpg'))[0]
        victim.chmod(0o600)
        victim.write_bytes(b'other')
        done = run('store', 'export', copy, self.folder / 'third')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(victim.name, done.stdout)
        self.assertFalse((self.folder / 'third').exists())
        self.assertEqual(run('store', 'export', self.folder, self.folder / 'x').returncode, 2)


class Served(harness.EndToEnd):
    def test_tables_and_json_say_the_same(self):
        daemon = self.daemon()
        receiver = self.prepare(daemon)
        self.ingest(daemon)
        self.offer(daemon)
        audit = self.json_of(daemon, 'audit', 'run')
        ingest = self.json_of(daemon, 'ingest', 'list')['items'][0]['id']
        item = self.json_of(daemon, 'item', 'list')['items'][0]['id']
        reads = (['status'], ['item', 'list'], ['item', 'show', item], ['item', 'files', item],
                 ['collection', 'list'], ['collection', 'show', 'collection'], ['ingest', 'list'],
                 ['ingest', 'show', ingest], ['audit', 'list'], ['audit', 'show', audit['id']],
                 ['incident', 'list'], ['agreement', 'list'], ['agreement', 'show', 'agreement'],
                 ['transfer', 'list'], ['transfer', 'show', '2026-V-001'],
                 ['transfer', 'items', '2026-V-001'], ['token', 'list'], ['token', 'self'],
                 ['job', 'list'], ['events'], ['audit', 'policy', 'list'])
        for arguments in reads:
            with self.subTest(' '.join(arguments)):
                json.loads(self.versement(daemon, '--json', *arguments))
                table = self.versement(daemon, *arguments)
                if arguments[0] not in ('incident',) and arguments != ['audit', 'policy', 'list']:
                    self.assertTrue(table.strip())
                self.assertNotIn('\x1b', table)
                self.versement(daemon, '--plain', *arguments)
        listed = self.versement(daemon, '--plain', 'item', 'list').splitlines()
        self.assertEqual(len(listed), 15)
        # Refusals.
        self.versement(daemon, 'ingest', harness.EXAMPLE, '--collection', 'collection',
                       token=receiver, status=5)
        self.versement(daemon, 'item', 'show', 'no-such-item', status=5)
        self.versement(daemon, 'transfer', 'seal', '2026-V-001', status=5)
        # Nobody can be asked: what cannot be undone is not done.
        self.versement(daemon, 'pull', '2026-V-001', '--to', self.folder, token=receiver)
        done = self.run_versement(daemon, 'transfer', 'accept', '2026-V-001', '--bag',
                                  self.folder / '2026-V-001', token=receiver)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn('--yes', done.stderr)

    def test_settings_come_from_flag_environment_and_file_in_this_order(self):
        daemon = self.daemon()
        wrong = f'http://127.0.0.1:{harness.free_port()}'
        home = self.folder / 'config'
        (home / 'versement').mkdir(parents=True)
        settings = home / 'versement' / 'config.toml'
        settings.write_text(f'[default]\nserver = "{daemon.address}"\n'
                            f'token_file = "{daemon.admin_token_file}"\n')
        env = {'XDG_CONFIG_HOME': str(home)}
        self.assertEqual(run('status', env=env).returncode, 0)
        self.assertEqual(run('status', env={**env, 'VERSEMENT_SERVER': wrong}).returncode, 4)
        self.assertEqual(run('--server', daemon.address, 'status',
                             env={**env, 'VERSEMENT_SERVER': wrong}).returncode, 0)
        settings.write_text('[default]\nserer = "x"\n')
        done = run('status', env=env)
        self.assertEqual(done.returncode, 3)
        self.assertIn('serer', done.stderr)


if __name__ == '__main__':
    harness.main()
