"""Bags that `bag create` and a transfer's seal wrote, given to other programs that read bags.

What scripts/validators --all did not fetch is left out, counted as skipped."""
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))
import harness  # noqa: E402
from harness import BUILD, CACHE  # noqa: E402

JAVA = CACHE / 'bagit-java'
BDBAG = CACHE / 'bdbag' / 'bin' / 'bdbag'

# bagit-java 5.2 and bdbag 1.8 (which builds on bagit-python) take a % in a manifest for what it is not:
# docs/bagit-python.md. Such names are judged by our own validator only.
NAMES = ['plain.txt', 'with blank.txt', 'accent-\u00e9t\u00e9.txt', 'decomposed-e\u0301.txt',
         '\u1797\u17d2\u1793\u17c6\u1796\u17c1\u1789.tif', 'deep/er/and deeper/x', 'empty', 'n' * 250 + '.bin']


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL)


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.keep.cleanup)
        cls.folder = pathlib.Path(cls.keep.name)
        source = cls.folder / 'source'
        for i, name in enumerate(NAMES):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(b'' if name == 'empty' else name.encode() * (i + 1) * 1000)
        cls.bags = {}
        for form, target in (('folder', 'bag'), ('tar', 'packed.tar'), ('zip', 'packed.zip')):
            done = run(BUILD / 'versement', 'bag', 'create', source, '--to', cls.folder / target,
                       '--algorithm', 'sha512', '--algorithm', 'md5',
                       '--info', 'Source-Organization: Apur')
            assert done.returncode == 0, done.stderr
            cls.bags[form] = cls.folder / target

    def unpacked(self):
        """The folder, and the archives as Python unpacks them."""
        with tarfile.open(self.bags['tar']) as tar:
            tar.extractall(self.folder / 'from-tar')
        with zipfile.ZipFile(self.bags['zip']) as packed:
            packed.extractall(self.folder / 'from-zip')
        return [self.bags['folder'], *(self.folder / 'from-tar').iterdir(),
                *(self.folder / 'from-zip').iterdir()]

    @unittest.skipUnless((JAVA / 'classes' / 'BagCheck.class').exists(), 'bagit-java is not here')
    def test_bagit_java(self):
        bags = self.unpacked()
        done = run('java', '-cp', f'{JAVA}/jars/*:{JAVA}/classes', 'BagCheck', *bags)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()],
                         ['valid'] * len(bags), done.stdout + done.stderr)

    @unittest.skipUnless(BDBAG.exists(), 'bdbag is not here')
    def test_bdbag(self):
        for bag in (*self.unpacked(), self.bags['tar'], self.bags['zip']):
            with self.subTest(bag.name):
                done = run(BDBAG, '--validate', 'full', bag)
                self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    @unittest.skipUnless((JAVA / 'classes' / 'BagCheck.class').exists() and BDBAG.exists(),
                         'bagit-java or bdbag is not here')
    def test_the_others_notice_damage(self):
        """Else their agreement would say nothing."""
        bag = self.folder / 'damaged'
        done = run(BUILD / 'versement', 'bag', 'create', self.folder / 'source', '--to', bag)
        self.assertEqual(done.returncode, 0, done.stderr)
        victim = bag / 'data' / 'plain.txt'
        victim.chmod(0o644)
        victim.write_bytes(b'x' * victim.stat().st_size)
        self.assertNotEqual(run('java', '-cp', f'{JAVA}/jars/*:{JAVA}/classes', 'BagCheck',
                                bag).returncode, 0)
        self.assertNotEqual(run(BDBAG, '--validate', 'full', bag).returncode, 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
