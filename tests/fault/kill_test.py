"""kill -9 at the system calls of one commit: of a new item and of a further version.

strace delivers SIGKILL at the N-th call of each system call that changes a file system, for N = 1, 2, …
until the program ends by itself. VERSEMENT_KILL_STEP=3 takes every third."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
import judges  # noqa: E402

STEP = int(os.environ.get('VERSEMENT_KILL_STEP', '1'))
CALLS = ('write', 'pwrite64', 'fsync', 'fdatasync', 'syncfs', 'renameat2', 'rename', 'mkdir', 'rmdir',
         'unlink', 'chmod', 'fallocate', 'ftruncate')


class EverySystemCall(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        if shutil.which('strace') is None or subprocess.run(
                ['strace', '-o', '/dev/null', 'true'], capture_output=True).returncode != 0:
            self.skipTest('strace is not here, or may not trace')
        self.program = harness.BUILD / 'commit_once'
        self.base = self.folder / 'base'
        subprocess.run([harness.BUILD / 'versementd', '--init', '--data', self.base, '--origin',
                        'archive.example/test'], check=True, capture_output=True)
        self.deposit = self.folder / 'deposit'
        (self.deposit / 'objects').mkdir(parents=True)
        (self.deposit / 'metadata').mkdir()
        self.write(1)

    def write(self, version):
        (self.deposit / 'objects' / 'scan é.txt').write_text(f'version {version}')
        (self.deposit / 'metadata' / 'metadata.csv').write_text(
            'filename,identifier,dc.title,dc.rights,credit,owner\n'
            f'objects/scan é.txt,A-1,Titre {version},Libre,Apur,Apur\n')

    def items(self, data):
        done = subprocess.run([self.program, data], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split() for line in done.stdout.splitlines())

    def sweep(self, *flags, old, new):
        kills = acknowledged = 0
        for call in CALLS:
            at = 1
            while True:
                data = self.folder / 'data'
                if data.exists():
                    self.remove(data)
                shutil.copytree(self.base, data)
                done = subprocess.run(
                    ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}', '-e',
                     f'inject={call}:signal=SIGKILL:when={at}', self.program, data, self.deposit,
                     'tester', *flags], capture_output=True, text=True)
                said = 'acknowledged' in done.stdout
                with self.subTest(call=call, at=at):
                    there = self.items(data)
                    if said:
                        self.assertEqual(there, new, 'what was acknowledged is gone')
                    self.assertIn(there, (old, new))
                    self.versement(None, 'store', 'check', data)
                    self.versement(None, 'journal', 'verify', data)
                    if kills % 25 == 0:
                        self.assertEqual(judges.ocfl_py(data / 'store'), [])
                    again = subprocess.run(
                        [self.program, data, self.deposit, 'tester', *flags], capture_output=True,
                        text=True)
                    self.assertEqual(again.returncode, 0, again.stderr)
                    self.assertEqual(self.items(data), new)
                if done.returncode == 0:
                    break
                kills += 1
                acknowledged += said
                at += STEP
        print(f'{kills} kills, {acknowledged} of them after the acknowledgement', flush=True)
        self.assertGreater(kills, 20)

    @staticmethod
    def remove(folder):
        for path, _, _ in os.walk(folder):
            os.chmod(path, 0o700)
        shutil.rmtree(folder)

    def test_of_a_new_item(self):
        self.sweep(old={}, new={'A-1': '1'})

    def test_of_a_further_version(self):
        subprocess.run([self.program, self.base, self.deposit, 'tester'], check=True,
                       capture_output=True)
        self.write(2)
        self.sweep('--new-versions', old={'A-1': '1'}, new={'A-1': '2'})


if __name__ == '__main__':
    harness.main()
