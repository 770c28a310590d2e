"""Independent validators. Their exit codes do not tell, so their reports are read."""
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import tempfile

from harness import CACHE, SHARED


def bagit(bag):
    """Findings of bagit-python about a bag."""
    done = subprocess.run([CACHE / 'venv' / 'bin' / 'bagit.py', '--validate', str(bag)],
                          capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stderr]


# Its command calls a storage root valid whose objects are not, so its report is read.
OCFL_PY = """
import sys, ocfl
root = ocfl.StorageRoot(sys.argv[1])
valid = root.validate()
print(root.num_objects, root.good_objects, root.errors)
sys.exit(0 if valid and root.num_objects == root.good_objects and not root.errors else 1)
"""


def ocfl_py(root):
    done = subprocess.run([CACHE / 'venv' / 'bin' / 'python', '-c', OCFL_PY, str(root)],
                          capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def rocfl(root):
    """None where there is no rocfl (it needs cargo to build)."""
    program = CACHE / 'rocfl' / 'bin' / 'rocfl'
    if not program.exists():
        return None
    done = subprocess.run([program, '-r', str(root), 'validate'], capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def xmllint(*packages):
    """Findings about the XML of packages, in one process."""
    schemas = SHARED / 'schemas'
    files = [str(p) for package in packages for p in sorted(package.rglob('*.xml'))
             if p.name != 'catalog.xml']
    done = subprocess.run(['xmllint', '--nonet', '--noout', '--schema',
                           str(schemas / 'package.xsd'), *files], capture_output=True, text=True,
                          env={**os.environ, 'XML_CATALOG_FILES': str(schemas / 'catalog.xml')})
    valid = [line for line in done.stderr.splitlines() if line.endswith(' validates')]
    if files and done.returncode == 0 and len(valid) == len(files):
        return []
    return [line for line in done.stderr.splitlines() if not line.endswith(' validates')] or \
        [f'xmllint looked at {len(valid)} of {len(files)} files']


# The schemas that VITAM validates with are XML Schema 1.1, which libxml2 does not read.
XSD_11 = """
import pathlib, sys, xmlschema
from xml.etree import ElementTree
base = pathlib.Path(sys.argv[1])
known = {e.get('name'): (base / e.get('uri')).as_uri()
         for e in ElementTree.parse(base / 'catalog.xml').iter() if e.tag.endswith('}uri')}
schema = xmlschema.XMLSchema11(sys.argv[2], uri_mapper=lambda u: known.get(u, u), allow='local',
                               validation='lax')
errors = [f'{e.path}: {e.reason}' for e in schema.iter_errors(sys.argv[3])]
print('\\n'.join(errors) or 'validates')
"""


def seda(message, version):
    """What the schema of SEDA and VITAM's own find wrong in a message; nothing where the schemas
    are not here."""
    schemas = SHARED / 'schemas'
    if not schemas.exists():
        return []
    official = schemas / 'seda' / version / f'seda-{version}-main.xsd'
    done = subprocess.run(['xmllint', '--nonet', '--noout', '--schema', official, message],
                          capture_output=True, text=True,
                          env={**os.environ, 'XML_CATALOG_FILES': str(schemas / 'catalog.xml')})
    found = [] if done.returncode == 0 and 'validates' in done.stderr else [done.stderr[-2000:]]
    vitam = schemas / 'seda' / f'vitam-{version}' / 'seda-vitam-main.xsd'
    done = subprocess.run([CACHE / 'seda' / 'bin' / 'python', '-c', XSD_11, schemas, vitam, message],
                          capture_output=True, text=True)
    return found if done.stdout.strip() == 'validates' else found + [done.stdout + done.stderr]


def commons_ip(*packages):
    """Findings of commons-ip against E-ARK CSIP 2.2.0, but those of level MAY. Those about several
    packages begin with the package's name."""
    # Of several packages in one call it looks at the first only.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = zip(packages, pool.map(commons_ip_of_one, packages))
        return [f'{p.name}: {one}' if len(packages) > 1 else one for p, each in found for one in each]


def commons_ip_of_one(package):
    with tempfile.TemporaryDirectory() as out:
        # A process of seconds: better started quickly than compiled well.
        subprocess.run(['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC',
                        '-cp', str(CACHE / 'commons-ip' / 'jars') + '/*',
                        'org.roda_project.commons_ip2.cli.Main', 'validate', '-i', str(package),
                        '-o', out, '--specification-version', '2.2.0'], cwd=out,
                       capture_output=True, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        reports = glob.glob(out + '/*.json')
        if len(reports) != 1:
            return ['commons-ip made no report']
        with open(reports[0], encoding='utf-8') as file:
            report = json.load(file)
    found = [f"{one['id']} {one['testing'].get('issues')}" for one in report['validation']
             if one['testing']['outcome'] == 'FAILED' and one['level'] != 'MAY']
    if report['summary']['success'] < 1:
        found.append('commons-ip checked nothing')
    return found


def eark(*packages):
    """Findings of eark-validator, in one process. Those about several packages begin with the
    package's name."""
    done = subprocess.run([CACHE / 'eark' / 'bin' / 'python',
                           str(SHARED / 'validators' / 'eark_offline.py'), *map(str, packages)],
                          capture_output=True, text=True)
    # Before each report, which is one line, a line names the package.
    reports, named = {}, None
    for line in done.stdout.splitlines():
        if line.startswith('Path '):
            named = line[len('Path '):].rsplit(', struct result', 1)[0]
        elif line.startswith('{'):
            reports[named] = json.loads(line)
    found = []
    for package in packages:
        mark = f'{package.name}: ' if len(packages) > 1 else ''
        report = reports.get(str(package))
        if report is None:
            found.append(mark + 'eark-validator made no report: ' + (done.stdout + done.stderr)[-2000:])
            continue
        metadata = report.get('metadata')
        if not metadata:
            found.append(mark + 'eark-validator looked at no metadata')
            continue
        parts = [report['structure'], metadata['schema_results'], metadata['schematron_results']]
        found += [f"{mark}{m['rule_id']} {m['message']}" for part in parts for m in part['messages']
                  if m['severity'] in ('Error', 'Warn')]
    return found


def tlog(journal):
    done = subprocess.run([CACHE / 'tlogcheck' / 'tlogcheck', str(journal)], capture_output=True,
                          text=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def have_java():
    return shutil.which('java') is not None
