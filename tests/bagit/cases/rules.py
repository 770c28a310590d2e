"""The cases that are folders, by the numbers of the rules (1 to 48). See make.py."""
from make import (HELLO, OUTSIDE, SECRET, Fifo, Folder, Link, Socket, case, digest, line_of)

A = HELLO['a.txt']
TWO = {'a.txt': A, 'b.txt': b'world\n'}
VERSION = 'BagIt-Version: 1.0'
UTF8 = 'Tag-File-Character-Encoding: UTF-8'
OUT = f'../../{OUTSIDE}/secret.txt'  # From data/ on.


def drop(*names):
    def of(tree):
        for name in names:
            del tree[name]
    return of


def put(name, node):
    def into(tree):
        tree[name] = node
    return into


def move(old, new):
    def of(tree):
        tree[new] = tree.pop(old)
    return of


def also(path, data=b'', algorithm_wanted=None):
    """Adds a line."""
    def to(lines, algorithm):
        if algorithm_wanted not in (None, algorithm):
            return lines
        return lines + [line_of(algorithm, path, data)]
    return to


def plain(*lines):
    """Adds lines as they are."""
    return lambda old, algorithm: old + list(lines)


def instead(old, new):
    return lambda lines, algorithm: [line.replace(old, new) for line in lines]


def without(path):
    return lambda lines, algorithm: [line for line in lines if not line.endswith('  ' + path)]


# 1: what must be there.
case('basic', 1, 'valid', [], 'Section 2.1: all required elements are there and nothing else.',
     tag_algorithms=())
case('basic-tagged', 1, 'valid', [], 'Section 2.2.1: a tag manifest is optional.')
case('no-bagit-txt', 1, 'invalid', ['bagit.missing'], 'Section 2.1.1: bagit.txt is required.',
     after=drop(b'bagit.txt'), tag_algorithms=(), may=['bagit.format'])
case('bagit-txt-in-another-case', 1, 'invalid', ['bagit.missing'],
     'Section 2.1.1 names the file bagit.txt; BagIt.txt is some other tag file.',
     after=move(b'bagit.txt', b'BagIt.txt'), tag_algorithms=())
case('no-manifest', 1, 'invalid', ['manifest.none'],
     'Section 2.1.3: at least one payload manifest is required.',
     after=drop(b'manifest-sha512.txt'), tag_algorithms=(), may=['payload.unlisted'])
case('no-data', 1, 'invalid', ['data.missing'],
     'Section 2.1.2: the payload folder is required, even where it has nothing.',
     payload={}, tag_algorithms=(), after=drop(b'data'))
case('data-is-a-file', 1, 'invalid', ['data.missing'], 'Section 2.1.2: data/ is a directory.',
     payload={}, tag_algorithms=(), after=put(b'data', b'no folder\n'))
case('data-is-a-link-to-a-folder', 1, 'invalid',
     ['data.missing|path.symlink-directory|path.symlink-escape'],
     'Section 2.1.2: data/ is a directory of the bag, and a link is none.', payload={},
     tag_algorithms=(), after=put(b'data', Link('payload')), tags={'payload/a.txt': A},
     listed={'data/a.txt': A}, may=['data.missing', 'path.symlink-directory', 'payload.missing'])
case('manifest-is-a-folder', 1, 'invalid', ['manifest.none'],
     'Section 2.1.3: a manifest is a file.', tag_algorithms=(),
     after=lambda tree: (tree.pop(b'manifest-sha512.txt'),
                         tree.update({b'manifest-sha512.txt/x': b'x\n'})),
     may=['payload.unlisted', 'manifest.name'])
case('manifest-only-in-a-tag-folder', 1, 'invalid', ['manifest.none'],
     'Section 2.1.3: the payload manifest stands in the base directory.', tag_algorithms=(),
     after=move(b'manifest-sha512.txt', b'metadata/manifest-sha512.txt'),
     may=['payload.unlisted'])
case('empty-folder-of-a-bag', 1, 'invalid', ['bagit.missing', 'manifest.none', 'data.missing'],
     'Section 2.1: none of the required elements is there.', tag_algorithms=(), payload={},
     after=drop(b'bagit.txt', b'manifest-sha512.txt', b'data'))

# 2: the two lines of bagit.txt.
for name, why, lines in (
        ('three-lines', 'a third line', [VERSION, UTF8, 'Extra: x']),
        ('blank-third-line', 'an empty third line', [VERSION, UTF8, '']),
        ('one-line', 'the second line lacks', [VERSION]),
        ('two-lines-swapped', 'the order is given', [UTF8, VERSION]),
        ('no-blank-after-colon', 'one blank after the colon', ['BagIt-Version:1.0', UTF8]),
        ('two-blanks-after-colon', 'one blank after the colon', ['BagIt-Version:  1.0', UTF8]),
        ('tab-after-colon', 'the blank is a space', ['BagIt-Version:\t1.0', UTF8]),
        ('blank-before-colon', 'no blank before the colon', ['BagIt-Version : 1.0', UTF8]),
        ('blank-at-the-end', 'no blank at the end', [VERSION, UTF8 + ' ']),
        ('label-misprinted', 'the label is BagIt-Version', ['BagIt-version: 1.0', UTF8]),
        ('blank-in-front', 'no blank in front', [' ' + VERSION, UTF8]),
        ('version-without-minor', 'a version is M.N', ['BagIt-Version: 1', UTF8]),
        ('version-without-major', 'a version is M.N', ['BagIt-Version: .97', UTF8]),
        ('version-with-a-letter', 'a version is two numbers', ['BagIt-Version: 1.0b', UTF8])):
    # Blanks and letter case leave no doubt what is meant.
    case('declaration-' + name, 2, 'invalid', ['bagit.format|bagit.version'],
         f'Section 2.1.1: bagit.txt has exactly two lines of a fixed form: {why}.',
         lenient='warning' if 'blank' in name or 'tab' in name or name == 'label-misprinted' else None,
         declaration='\n'.join(lines + ['']).encode(), may=['tagfile.blank-line'])
case('declaration-empty', 2, 'invalid', ['bagit.format'],
     'Section 2.1.1: bagit.txt has exactly two lines.', declaration=b'')
for name, data in (('cr', f'{VERSION}\r{UTF8}\r'), ('crlf', f'{VERSION}\r\n{UTF8}\r\n'),
                   ('mixed-ends', f'{VERSION}\r{UTF8}\r\n'), ('no-last-end', f'{VERSION}\n{UTF8}')):
    case('declaration-' + name, 2, 'valid', [],
         'Section 2.3: a line ends with LF, CR or CRLF; the last one may end with the file.',
         declaration=data.encode())
# 3
case('declaration-bom', 3, 'invalid', ['bagit.bom'],
     'Section 2.1.1: bagit.txt is UTF-8 and begins with no byte order mark.', lenient='warning',
     declaration=b'\xef\xbb\xbf' + f'{VERSION}\n{UTF8}\n'.encode())
case('declaration-utf-16', 3, 'invalid', ['bagit.format|bagit.bom'],
     'Section 2.1.1: bagit.txt is UTF-8 whatever it declares.',
     declaration=f'{VERSION}\n{UTF8}\n'.encode('utf-16'), may=['encoding.invalid'])
case('declaration-invalid-utf-8', 3, 'invalid', ['bagit.format|bagit.encoding|encoding.invalid'],
     'Section 2.1.1: bagit.txt is UTF-8.', declaration=f'{VERSION}\n'.encode() +
     b'Tag-File-Character-Encoding: \xff\n', may=['bagit.encoding'])
# 4
for version in ('0.93', '0.94', '0.95', '0.96', '0.97'):
    case('version-' + version, 4, 'valid', [],
         f'Version {version} is known, and its bags are read by its rules.', version=version,
         tag_algorithms=('sha512',) if version == '0.97' else ())
for version in ('0.92', '1.1', '2.0', '10.0', '99999999999999999999.0'):
    case('version-' + version, 4, 'invalid', ['bagit.version|bagit.format'],
         f'Section 2.1.1: version {version} is none that was ever published.',
         declaration=f'BagIt-Version: {version}\n{UTF8}\n'.encode())
case('package-info-of-0.95', 4, 'valid', [],
     'Up to 0.95 the metadata stood in package-info.txt.', version='0.95', tag_algorithms=(),
     tags={'package-info.txt': b'Source-Organization: Somebody\nPayload-Oxum: 6.1\n'})
# 5
case('encoding-lower-case', 5, 'valid', [],
     'Section 2.1.1: names of the IANA registry are compared without regard to case.',
     encoding='utf-8')
case('encoding-unknown', 5, 'invalid', ['bagit.encoding'],
     'Section 2.1.1: the name must be one of the IANA registry.', encoding='x-klingon',
     codec='utf-8')
case('encoding-that-hardly-anybody-reads', 5, 'unexaminable', ['encoding.unsupported'],
     'Section 2.1.1: the name is registered, so the bag is not wrong; but who cannot read it cannot tell.',
     encoding='SCSU', codec='ascii')
case('encoding-empty', 5, 'invalid', ['bagit.format'],
     'Section 2.1.1: the second line must name an encoding.',
     declaration=f'{VERSION}\nTag-File-Character-Encoding: \n'.encode())
for encoding, text in (('ISO-8859-1', 'résumé'), ('ISO-8859-15', 'prix en €'),
                       ('windows-1252', '“Angkor” – œuvre'), ('Shift_JIS', '表十ソ'),
                       ('GB18030', '档案𠀀'), ('EUC-KR', '기록'), ('KOI8-R', 'архив'),
                       ('UTF-16LE', 'ខ្មែរ'), ('UTF-16BE', 'ខ្មែរ'), ('UTF-16', 'ខ្មែរ 𝄞')):
    case('encoding-' + encoding.lower(), 38, 'valid', [],
         f'Section 2.3: the tag files are {encoding} and names are compared as characters.',
         encoding=encoding, payload={text + '.txt': A},
         info=f'External-Description: {text}\nPayload-Oxum: 6.1\n')
case('encoding-us-ascii', 36, 'valid', [], 'Section 2.3: plain ASCII is a registered encoding.',
     encoding='US-ASCII')

# 6: names of manifests.
case('manifest-name-upper-case', 6, 'invalid', ['manifest.name'],
     'Section 2.4: the name of the algorithm is in lower case.', lenient='warning',
     after=move(b'manifest-sha512.txt', b'manifest-SHA512.txt'), tag_algorithms=(),
     may=['manifest.none', 'payload.unlisted'])
case('manifest-name-hyphen', 6, 'invalid', ['manifest.name'],
     'Section 2.4: all but letters and digits is left out of the name.', lenient='warning',
     after=move(b'manifest-sha512.txt', b'manifest-sha-512.txt'), tag_algorithms=(),
     may=['manifest.none', 'payload.unlisted'])
case('tag-manifest-name-upper-case', 6, 'invalid', ['manifest.name'],
     'Section 2.2.1: a tag manifest is named like a payload manifest.', lenient='warning',
     after=move(b'tagmanifest-sha512.txt', b'tagmanifest-SHA512.txt'))
case('manifest-in-a-tag-folder', 6, 'valid', [],
     'Section 2.1.3: only the base directory has manifests; elsewhere it is any tag file.',
     tags={'metadata/manifest-md5.txt': b'this is no manifest\n'})
case('manifest-in-the-payload', 6, 'valid', [],
     'Section 2.1.2: below data/ there is payload only, whatever its name.',
     payload={'manifest-md5.txt': b'this is no manifest\n', 'bagit.txt': b'neither\n'})
case('manifest-with-another-extension', 6, 'valid', [],
     'Section 2.2.4: manifest-sha256.txt.bak is some other tag file.',
     tags={'manifest-sha256.txt.bak': b'this is no manifest\n'})

# 7: a line.
case('line-one-space', 7, 'valid', [], 'Section 2.1.3: one or more blanks part the two.', blank=' ')
case('line-tab', 7, 'valid', [], 'Section 2.1.3: a tab is as good as a space.', blank='\t')
case('line-many-blanks', 7, 'valid', [], 'Section 2.1.3: one or more blanks, mixed too.',
     blank=' \t  \t ')
case('line-name-with-spaces', 7, 'valid', [],
     'Section 2.1.3: the path goes to the end of the line.', payload={'a  b c.txt': A, ' x': A})
case('line-name-ends-with-a-blank', 7, 'warning', ['name.windows'],
     'Section 2.1.3: a blank at the end belongs to the path; Windows takes no such name.',
     payload={'a ': A})
case('line-blank-appended', 7, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 2.1.3: a blank at the end belongs to the path, so another file is listed.',
     edit=lambda lines, algorithm: [line + ' ' for line in lines])
case('line-no-blank-but-nbsp', 7, 'invalid', ['manifest.syntax|manifest.checksum-form'],
     'Section 2.1.3: only space and tab part the two; U+00A0 is neither.', blank='\u00a0',
     may=['payload.unlisted', 'manifest.syntax'])
case('line-path-begins-with-nbsp', 7, 'invalid', ['manifest.outside-data', 'payload.unlisted'],
     'Section 2.1.3: U+00A0 is no separator and thus the beginning of the path.',
     blank=' \u00a0', may=['payload.missing'])
case('line-checksum-only', 7, 'invalid', ['manifest.syntax'],
     'Section 2.1.3: a line is a checksum, blanks and a path.',
     edit=plain(digest('sha512', b'x')))
case('line-checksum-and-blanks-only', 7, 'invalid', ['manifest.syntax'],
     'Section 2.1.3: a line is a checksum, blanks and a path.',
     edit=plain(digest('sha512', b'x') + '  '))
case('line-begins-with-a-blank', 7, 'invalid', ['manifest.syntax'],
     'Section 2.1.3: a line begins with the checksum.', may=['payload.unlisted'],
     edit=lambda lines, algorithm: [' ' + line for line in lines])
case('line-swapped', 7, 'invalid', ['manifest.checksum-form|manifest.syntax', 'payload.unlisted'],
     'Section 2.1.3: the checksum comes first.', may=['manifest.outside-data', 'payload.missing'],
     edit=lambda lines, algorithm: ['  '.join(reversed(line.split('  '))) for line in lines])
for name, char in (('u2028', '\u2028'), ('u2029', '\u2029'), ('ideographic-space', '\u3000')):
    case('line-name-with-' + name, 7, 'valid', [],
         'Section 2.1.3: only LF, CR and CRLF end a line, only space and tab part it.',
         payload={f'a{char}b.txt': A, f'{char}c.txt': A}, may=['name.control'])
for name, char in (('nel', '\u0085'), ('form-feed', '\f'), ('vertical-tab', '\v'),
                   ('file-separator', '\x1c'), ('tab', '\t')):
    case('line-name-with-' + name, 7, 'warning', ['name.control|name.windows'],
         'Section 2.1.3: only LF, CR and CRLF end a line; but this is a control character.',
         payload={f'a{char}b.txt': A}, may=['name.control', 'name.windows'])
case('line-name-with-khmer', 7, 'valid', [], 'Section 2.3: names are in the declared encoding.',
     payload={'ប្រាសាទអង្គរវត្ត/ឯកសារ ១.txt': A})
case('line-blank', 7, 'warning', ['tagfile.blank-line'],
     'Section 2.1.3: each line lists a file and an empty one none; nothing is in doubt.',
     strict='invalid', edit=plain(''))
# 8: the checksum.
case('checksum-upper-case', 8, 'valid', [],
     'Section 2.1.3: hexadecimal digits of either case are one value.',
     edit=lambda lines, algorithm: [line[:128].upper() + line[128:] for line in lines])
case('checksum-mixed-case', 8, 'valid', [],
     'Section 2.1.3: hexadecimal digits of either case are one value.',
     edit=lambda lines, algorithm: [line[:64].upper() + line[64:] for line in lines])
case('checksum-of-another-algorithm', 8, 'invalid', ['manifest.checksum-form'],
     'Section 2.1.3: the checksum is that of the algorithm in the name of the manifest.',
     edit=lambda lines, algorithm: [line_of('sha256', 'data/a.txt', A)],
     may=['payload.unlisted', 'checksum.mismatch'])
case('checksum-no-hexadecimal', 8, 'invalid', ['manifest.checksum-form'],
     'Section 2.1.3: the checksum is hexadecimal.', may=['payload.unlisted', 'checksum.mismatch'],
     edit=lambda lines, algorithm: ['g' + line[1:] for line in lines])
case('checksum-cut', 8, 'invalid', ['manifest.checksum-form'],
     'Section 2.1.3: the checksum is as long as its algorithm has it.',
     may=['payload.unlisted', 'checksum.mismatch'],
     edit=lambda lines, algorithm: [line[2:] for line in lines])
case('checksum-escaped-by-md5sum', 8, 'invalid', ['manifest.checksum-form|manifest.separator'],
     'Section 2.1.3: a backslash in front is no hexadecimal digit; LF is coded as %0A.',
     payload={'a\nb': A}, may=['payload.unlisted', 'payload.missing', 'name.control',
                               'name.windows', 'manifest.separator'],
     edit=lambda lines, algorithm: ['\\' + line.replace('%0A', '\\n') for line in lines])
# 9
case('separator-backslash', 9, 'invalid', ['manifest.separator'],
     'Section 2.1.3: the slash parts the names of a path.', payload={'sub/a.txt': A},
     may=['payload.unlisted', 'payload.missing', 'manifest.outside-data'],
     edit=instead('data/sub/a.txt', 'data\\sub\\a.txt'))
case('separator-backslash-in-a-name', 9, 'warning', ['name.windows'],
     'Section 2.1.3: where a file has this very name the backslash parts nothing.',
     payload={'sub\\a.txt': A})
# 10: percent.
case('percent-coded', 10, 'valid', [], 'Section 2.1.3: a percent sign is coded as %25.',
     payload={'100%.txt': A})
case('percent-once-only', 10, 'valid', [],
     'Section 2.1.3: %250A is decoded once, to a name with the text %0A.',
     payload={'a%0Ab.txt': A, '%25.txt': A})
case('percent-lf', 10, 'warning', ['name.control|name.windows'],
     'Section 2.1.3: LF is coded as %0A; such a name is legal and no joy.', payload={'a\nb': A},
     may=['name.control', 'name.windows'])
case('percent-cr', 10, 'warning', ['name.control|name.windows'],
     'Section 2.1.3: CR is coded as %0D; such a name is legal and no joy.', payload={'a\rb': A},
     may=['name.control', 'name.windows'])
case('percent-lower-case', 10, 'warning', ['name.control|name.windows'],
     'RFC 3986 section 2.1, to which 2.1.3 leads: hexadecimal digits of either case are one.',
     payload={'a\nb': A}, edit=instead('%0A', '%0a'), may=['name.control', 'name.windows'])
case('percent-not-coded', 10, 'warning', ['manifest.percent-unencoded'], strict='invalid',
     why='Section 2.1.3: % must be coded; in front of nothing that is coded it can mean but itself.',
     payload={'100%.txt': A}, edit=instead('%25', '%'))
case('percent-of-a-space', 10, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 2.1.3: nothing but LF, CR and % is coded, so %20 is three characters.',
     payload={'a b.txt': A}, edit=instead('a b', 'a%20b'), may=['manifest.percent-unencoded'])
case('percent-of-a-slash', 10, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 2.1.3: nothing but LF, CR and % is coded, so %2F is three characters.',
     payload={'s/a.txt': A}, edit=instead('s/a', 's%2Fa'), may=['manifest.percent-unencoded'])
case('percent-25-of-a-raw-name', 10, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 2.1.3: %25 in a manifest of 1.0 is a percent sign, so another file is listed.',
     payload={'a%25b': A}, edit=instead('%2525', '%25'))
case('percent-dots', 10, 'invalid', ['payload.missing'],
     'Section 2.1.3: %2E is not decoded, so this names a file and leads nowhere.',
     edit=also('data/%2E%2E/%2E%2E/x', A), may=['manifest.percent-unencoded'])
case('percent-raw-in-0.97', 10, 'valid', [],
     'Before 1.0 the percent sign was not coded: it stands for itself.', version='0.97',
     payload={'100%.txt': A, 'a%25b.txt': A})
case('percent-lf-in-0.97', 10, 'warning', ['name.control|name.windows'],
     'Version 0.97: LF is coded as %0A there too.', version='0.97', payload={'a\nb': A},
     may=['name.control', 'name.windows'])
# 11
case('outside-data', 11, 'invalid', ['manifest.outside-data'],
     'Section 2.1.3: a payload manifest lists payload, and that is below data/.',
     tags={'notes.txt': A}, edit=also('notes.txt', A))
case('outside-data-by-prefix', 11, 'invalid', ['manifest.outside-data'],
     'Section 2.1.2: database/ is not data/.', tags={'database/notes.txt': A},
     edit=also('database/notes.txt', A))
case('outside-data-in-another-case', 11, 'invalid', ['manifest.outside-data'],
     'Section 2.1.2: Data/ is not data/.', tags={'Data/notes.txt': A},
     edit=also('Data/notes.txt', A), may=['name.case-twins'])
case('lists-a-folder', 11, 'invalid', ['manifest.directory'],
     'Section 2.1.3: a manifest lists files only.', payload={'sub/a.txt': A},
     edit=also('data/sub'))
case('lists-a-folder-with-slash', 11, 'invalid', ['manifest.directory'],
     'Section 2.1.3: a manifest lists files only.', payload={'sub/a.txt': A},
     edit=also('data/sub/'), may=['path.double-slash'])
case('lists-data-itself', 11, 'invalid', ['manifest.directory'],
     'Section 2.1.3: a manifest lists files only.', edit=also('data/'),
     may=['path.double-slash', 'manifest.outside-data'])
case('name-of-255-bytes', 11, 'valid', [], 'No section limits a name.',
     payload={'n' * 251 + '.txt': A})
case('path-beyond-path-max', 11, 'valid', [],
     'No section limits a path; here 5,000 bytes in 25 folders.',
     payload={('f' * 199 + '/') * 25 + 'a.txt': A})
case('path-of-many-folders', 11, 'valid', [], 'No section limits the depth; here 100 folders.',
     payload={'d/' * 100 + 'a.txt': A})
# 12
case('unlisted', 12, 'invalid', ['payload.unlisted'],
     'Section 3: every payload file is in every payload manifest.', payload=TWO,
     listed={'data/a.txt': A})
case('unlisted-hidden', 12, 'invalid', ['payload.unlisted'],
     'Section 3: a dot in front of its name excepts no file.',
     payload={'a.txt': A, '.hidden/.x': b'x'}, listed={'data/a.txt': A})
case('missing', 12, 'invalid', ['payload.missing'],
     'Section 3: every file of every manifest is there.',
     listed={'data/a.txt': A, 'data/b.txt': A})
case('missing-below-a-file', 12, 'invalid', ['payload.missing'],
     'Section 3: a file has nothing below it.', edit=also('data/a.txt/b.txt', A))
case('missing-in-another-case', 12, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 6.1.1: a name in another case is another file where the file system says so.',
     edit=instead('a.txt', 'A.txt'), may=['name.case-twins'])
case('repeated-in-1.0', 12, 'invalid', ['manifest.duplicate'], lenient='warning',
     why='Section 2.1.3: each file is listed exactly once.', edit=also('data/a.txt', A))
case('repeated-with-another-checksum', 12, 'invalid', ['manifest.duplicate'],
     'Section 2.1.3: each file is listed exactly once.', edit=also('data/a.txt', b'other'),
     may=['checksum.mismatch'])
case('repeated-in-0.97', 12, 'warning', ['manifest.repeated'],
     'Version 0.97 forbids no repetition; with one checksum nothing is in doubt.', version='0.97',
     edit=also('data/a.txt', A))
case('repeated-in-0.97-with-another-checksum', 12, 'invalid',
     ['manifest.duplicate|checksum.mismatch'],
     'One file has not two checksums.', version='0.97', edit=also('data/a.txt', b'other'),
     may=['manifest.duplicate', 'checksum.mismatch', 'manifest.repeated'])
case('repeated-as-dot-slash', 12, 'invalid', ['manifest.duplicate'],
     lenient='warning', why='Section 2.1.3: ./data/a.txt and data/a.txt are one file, listed twice.',
     edit=also('./data/a.txt', A), may=['path.dot-slash'])
case('repeated-as-coded-otherwise', 12, 'invalid', ['manifest.duplicate'],
     lenient='warning', why='Section 2.1.3: %0A and %0a are one name, listed twice.', payload={'a\nb': A},
     edit=also('data/a%0ab', A), may=['name.control', 'name.windows'])
case('repeated-in-another-form', 12, 'invalid', ['manifest.duplicate'], lenient='warning',
     why='Section 6.1.1.3: two spellings that differ by normalization only are one file.',
     payload={'\u00e9.txt': A}, edit=also('data/e\u0301.txt', A),
     may=['name.normalization', 'name.normalization-twins'])
case('dot-slash', 12, 'warning', ['path.dot-slash'],
     'A leading ./ changes nothing of what is meant.', edit=instead('data/', './data/'))
# 13
BOTH = ('sha256', 'sha512')
case('manifests-two', 13, 'valid', [], 'Section 2.1.3: a bag may have several manifests.',
     algorithms=BOTH, payload=TWO)
case('manifests-one-lacks-a-file', 13, 'invalid', ['manifest.incomplete'],
     'Section 2.1.3: every payload file is in every manifest.', algorithms=BOTH, payload=TWO,
     edit=lambda lines, algorithm: lines[:1] if algorithm == 'sha256' else lines)
case('manifests-one-lacks-a-file-in-0.97', 13, 'valid', [],
     'Before 1.0 a payload file needs one manifest only.', algorithms=BOTH, payload=TWO,
     version='0.97', edit=lambda lines, algorithm: lines[:1] if algorithm == 'sha256' else lines)
case('manifests-share-the-files-in-0.97', 13, 'valid', [],
     'Before 1.0 a payload file needs one manifest only.', algorithms=BOTH, payload=TWO,
     version='0.97',
     edit=lambda lines, algorithm: lines[:1] if algorithm == 'sha256' else lines[1:])
case('manifests-none-has-a-file-in-0.97', 13, 'invalid', ['payload.unlisted'],
     'Version 0.97: a payload file is in at least one manifest.', algorithms=BOTH, payload=TWO,
     version='0.97', edit=lambda lines, algorithm: lines[:1])
case('manifests-second-is-wrong', 13, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum of every manifest is verified.', algorithms=BOTH,
     edit=lambda lines, algorithm: lines if algorithm == 'sha512' else
     [line_of(algorithm, 'data/a.txt', b'other')])
case('manifests-first-is-wrong', 13, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum of every manifest is verified.', algorithms=BOTH,
     edit=lambda lines, algorithm: lines if algorithm == 'sha256' else
     [line_of(algorithm, 'data/a.txt', b'other')])
case('manifests-one-of-an-unknown-algorithm', 13, 'unexaminable', ['manifest.unverifiable'],
     'Section 3: valid means that every checksum was verified, and these cannot be.',
     algorithms=('sha512', 'snefru'))
case('manifests-only-of-an-unknown-algorithm', 13, 'unexaminable', ['manifest.unverifiable'],
     'Section 3: valid means that every checksum was verified, and these cannot be.',
     algorithms=('snefru',), may=['manifest.weak-algorithm'])
case('manifests-unknown-algorithm-and-a-mismatch', 13, 'invalid',
     ['manifest.unverifiable', 'checksum.mismatch'],
     'Section 3: one wrong checksum is enough.', algorithms=('sha512', 'snefru'),
     edit=lambda lines, algorithm: lines if algorithm == 'snefru' else
     [line_of(algorithm, 'data/a.txt', b'other')])
case('manifests-one-is-empty', 13, 'invalid', ['manifest.incomplete'],
     'Section 2.1.3: every payload file is in every manifest.', algorithms=BOTH,
     edit=lambda lines, algorithm: [] if algorithm == 'sha256' else lines)
# 14
for algorithm in ('sha256', 'sha384', 'sha3224', 'sha3256', 'sha3384', 'sha3512', 'blake2b512',
                  'blake2s256'):
    case('algorithm-' + algorithm, 14, 'valid', [],
         'Section 2.4: named as registered at IANA, in lower case, letters and digits only.',
         algorithms=(algorithm,), tag_algorithms=(algorithm,))
for algorithm in ('md5', 'sha1'):
    case(f'algorithm-{algorithm}-alone', 14, 'warning', ['manifest.weak-algorithm'],
         'Section 2.4: such an algorithm is supported, and is no proof against a forger.',
         algorithms=(algorithm,), tag_algorithms=())
case('algorithm-md5-and-sha1', 14, 'warning', ['manifest.weak-algorithm'],
     'Section 2.4: two weak ones together are no strong one.', algorithms=('md5', 'sha1'),
     tag_algorithms=())
case('algorithm-md5-beside-sha256', 14, 'valid', [],
     'Section 2.4: beside a strong one a weak one does no harm.', algorithms=('md5', 'sha256'))
case('algorithm-sha3-is-verified', 14, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum is verified.', algorithms=('sha3256',),
     listed={'data/a.txt': b'other'})
case('algorithm-blake2-is-verified', 14, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum is verified.', algorithms=('blake2b512',),
     listed={'data/a.txt': b'other'})
# 15
case('asterisk', 15, 'warning', ['manifest.asterisk'], strict='invalid',
     why='Section 6.1.3: the asterisk of md5sum may be accepted and then is warned of.', blank=' *')
case('asterisk-in-0.97', 15, 'warning', ['manifest.asterisk'],
     'Version 0.97 permits the asterisk.', version='0.97', blank=' *')
case('asterisk-and-a-wrong-checksum', 15, 'invalid', ['checksum.mismatch'],
     'Section 6.1.3: the asterisk excepts no file from being verified.', blank=' *',
     listed={'data/a.txt': b'other'}, may=['manifest.asterisk'])
# 16
case('empty-payload', 16, 'valid', [],
     'Section 2.1.2: data/ may hold nothing; an empty manifest lists all of it.', payload={})
case('empty-payload-and-a-missing-file', 16, 'invalid', ['payload.missing'],
     'Section 3: every file of every manifest is there.', payload={}, listed={'data/a': A})
case('empty-manifest', 16, 'invalid', ['payload.unlisted'],
     'Section 3: every payload file is in every manifest.', listed={})
case('empty-file', 16, 'valid', [], 'A file without bytes has a checksum like any other.',
     payload={'a.txt': b''})
case('empty-folders', 16, 'valid', [], 'Section 2.1.3: manifests list files; folders are no matter.',
     payload={'a.txt': A, 'nothing': Folder(), 'no/thing/here': Folder()})

# 17 to 21: tag manifests.
case('tag-manifest-omits-a-manifest', 17, 'invalid', ['tagmanifest.omits-manifest'],
     'Section 2.2.1: a tag manifest lists every payload manifest.',
     tag_edit=without('manifest-sha512.txt'))
case('tag-manifest-omits-one-of-two', 17, 'invalid', ['tagmanifest.omits-manifest'],
     'Section 2.2.1: a tag manifest lists every payload manifest.', algorithms=BOTH,
     tag_edit=without('manifest-sha256.txt'))
case('tag-manifest-empty', 17, 'invalid', ['tagmanifest.omits-manifest'],
     'Section 2.2.1: a tag manifest lists every payload manifest.', tag_edit=lambda *_: [])
case('tag-manifest-lists-itself', 18, 'invalid', ['tagmanifest.lists-tagmanifest'],
     'Section 2.2.1: a tag manifest lists no tag manifest.',
     tag_edit=also('tagmanifest-sha512.txt', b''), may=['checksum.mismatch'])
case('tag-manifest-lists-another', 18, 'invalid', ['tagmanifest.lists-tagmanifest'],
     'Section 2.2.1: a tag manifest lists no tag manifest.', tag_algorithms=BOTH,
     tag_edit=also('tagmanifest-sha256.txt', b'', 'sha512'),
     may=['checksum.mismatch', 'tagmanifest.sets-differ'])
case('tag-manifest-lists-payload', 19, 'invalid', ['tagmanifest.lists-payload'],
     'Section 2.2.1: a tag manifest lists no payload.', tag_edit=also('data/a.txt', A))
case('tag-file-missing', 20, 'invalid', ['tagfile.missing'],
     'Section 3: every file of every tag manifest is there.', tag_edit=also('notes.txt', A))
case('tag-file-changed', 20, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum of every tag manifest is verified.', tags={'notes.txt': A},
     after=put(b'notes.txt', b'changed\n'))
case('tag-file-in-a-folder-changed', 20, 'invalid', ['checksum.mismatch'],
     'Section 2.2.4: tag files lie in any folder outside of data/.', tags={'meta/x/n.txt': A},
     after=put(b'meta/x/n.txt', b'changed\n'))
case('tag-file-in-a-folder', 20, 'valid', [],
     'Section 2.2.4: tag files lie in any folder outside of data/.',
     tags={'meta/x/n.txt': A, 'meta/y/z/n.txt': A})
case('tag-folder-listed', 20, 'invalid', ['manifest.directory'],
     'Section 2.2.1: a tag manifest lists files.', tags={'meta/n.txt': A}, tag_edit=also('meta'))
case('bagit-txt-changed', 20, 'invalid', ['checksum.mismatch'],
     'Section 3: bagit.txt too has the checksum that the tag manifest names.',
     after=put(b'bagit.txt', f'{VERSION}\r\n{UTF8}\r\n'.encode()))
case('manifest-changed', 20, 'invalid', ['checksum.mismatch'],
     'Section 3: the manifest too has the checksum that the tag manifest names.',
     after=lambda tree: put(b'manifest-sha512.txt', tree[b'manifest-sha512.txt'].upper()
                            .replace(b'DATA/A.TXT', b'data/a.txt'))(tree))
case('tag-manifest-repeats', 20, 'invalid', ['manifest.duplicate'],
     lenient='warning', why='Section 2.2.1: its lines follow the rules of a payload manifest.',
     tag_edit=lambda lines, algorithm: lines + lines[:1])
case('tag-manifest-checksum-cut', 20, 'invalid', ['manifest.checksum-form'],
     'Section 2.2.1: its lines follow the rules of a payload manifest.',
     tag_edit=lambda lines, algorithm: [line[2:] if 'bagit.txt' in line else line
                                        for line in lines], may=['checksum.mismatch'])
case('tag-manifest-asterisk', 20, 'warning', ['manifest.asterisk'], strict='invalid',
     why='Section 6.1.3: the asterisk of md5sum may be accepted and then is warned of.',
     tag_edit=instead('  ', ' *'))
case('tag-manifest-of-an-unknown-algorithm', 20, 'unexaminable', ['manifest.unverifiable'],
     'Section 3: valid means that every checksum was verified, and these cannot be.',
     tag_algorithms=('sha512', 'snefru'))
case('tag-manifests-two', 21, 'valid', [], 'Section 2.2.1: there may be several tag manifests.',
     tag_algorithms=BOTH, tags={'notes.txt': A})
case('tag-manifests-differ', 21, 'warning', ['tagmanifest.sets-differ'],
     'Section 2.2.1: tag manifests should list the same files.', tag_algorithms=BOTH,
     tags={'notes.txt': A},
     tag_edit=lambda lines, algorithm: without('notes.txt')(lines, algorithm)
     if algorithm == 'sha256' else lines)
case('tag-manifest-of-another-algorithm', 21, 'valid', [],
     'Section 2.2.1: the same algorithms as the payload is a recommendation.',
     algorithms=('sha256',), tag_algorithms=('sha512',))
case('tag-file-in-no-tag-manifest', 21, 'valid', [],
     'Section 2.2.1: to list the remaining tag files is a recommendation.',
     after=put(b'notes.txt', b'anything\n'))

# 22 to 28: bag-info.txt.
case('info', 22, 'valid', [], 'Section 2.2.2: labels and values, each on a line.',
     info='Source-Organization: Somebody\nBagging-Date: 2020-02-29\nPayload-Oxum: 6.1\n'
          'Bag-Size: 6 B\nX-Ours: anything\n')
case('info-repeated-label', 22, 'valid', [], 'Section 2.2.2: a label may be repeated.',
     info='Source-Organization: One\nSource-Organization: Two\nX-Ours: 1\nX-Ours: 1\n')
case('info-empty', 22, 'valid', [], 'Section 2.2.2: no element is required.', info='')
case('info-tab-after-colon', 23, 'valid', [], 'Section 2.2.2: one space or tab after the colon.',
     info='Contact-Name:\tSomebody\n')
case('info-colon-in-the-value', 23, 'valid', [], 'Section 2.2.2: only the label has no colon.',
     info='External-Identifier: urn:x:y: z\n')
case('info-label-with-blanks-inside', 23, 'valid', [], 'Section 2.2.2: blanks may stand inside.',
     info='Our Own Label: x\n')
case('info-no-colon', 23, 'invalid', ['baginfo.syntax'],
     'Section 2.2.2: a label ends with a colon.', info='Contact-Name Somebody\n')
case('info-no-label', 23, 'invalid', ['baginfo.syntax'], 'Section 2.2.2: a value has a label.',
     info=': Somebody\n')
case('info-two-blanks', 23, 'warning', ['baginfo.separator'], strict='invalid',
     why='Section 2.2.2: a single blank; only before 1.0 several are accepted.',
     info='Contact-Name:  Somebody\n')
case('info-no-blank', 23, 'warning', ['baginfo.separator'], strict='invalid',
     why='Section 2.2.2: a single blank follows the colon.', info='Contact-Name:Somebody\n')
case('info-blank-before-colon', 23, 'warning', ['baginfo.label-whitespace'], strict='invalid',
     why='Section 2.2.2: a label does not end with a blank.', info='Contact-Name : Somebody\n')
case('info-free-blanks-in-0.97', 23, 'valid', [],
     'Section 2.2.2: before 1.0 any blanks around the colon are accepted.', version='0.97',
     info='Contact-Name :   Somebody\nContact-Email:x@example.org\n')
case('info-blank-line', 23, 'warning', ['tagfile.blank-line'], strict='invalid',
     why='Section 2.2.2: an empty line is neither an element nor continues one.',
     info='Contact-Name: Somebody\n\nContact-Email: x@example.org\n')
case('info-folded', 24, 'valid', [], 'Section 2.2.2: a line that begins with a blank continues.',
     info='External-Description: one\n two\n\tthree\nPayload-Oxum: 6.1\n')
case('info-begins-folded', 24, 'invalid', ['baginfo.syntax'],
     'Section 2.2.2: a first line has nothing that it could continue.',
     info='  Contact-Name: Somebody\n')
case('info-folded-line-with-a-label', 24, 'valid', [],
     'Section 2.2.2: what is indented continues, whatever it looks like.',
     info='External-Description: one\n Payload-Oxum: 999.999\n')
case('info-label-in-another-case', 25, 'invalid', ['oxum.mismatch'],
     'Section 2.2.2: reserved labels are compared without regard to case.',
     info='payload-OXUM: 7.1\n')
case('info-labels-in-other-cases-repeated', 25, 'invalid', ['oxum.repeated'],
     'Section 2.2.2: reserved labels are compared without regard to case.',
     info='payload-oxum: 6.1\nPAYLOAD-OXUM: 6.1\n')
case('oxum', 26, 'valid', [], 'Section 2.2.2: OCTETS.STREAMS of the payload.', payload=TWO,
     info='Payload-Oxum: 12.2\n')
case('oxum-octets-wrong', 26, 'invalid', ['oxum.mismatch'],
     'Section 2.2.2: it is the number of octets of the payload.', info='Payload-Oxum: 5.1\n')
case('oxum-streams-wrong', 26, 'invalid', ['oxum.mismatch'],
     'Section 2.2.2: it is the number of files of the payload.', info='Payload-Oxum: 6.2\n')
case('oxum-repeated', 26, 'invalid', ['oxum.repeated'],
     'Section 2.2.2: Payload-Oxum must not be repeated.',
     info='Payload-Oxum: 6.1\nPayload-Oxum: 6.1\n')
for name, value in (('no-dot', '6'), ('three-numbers', '6.1.1'), ('negative', '-6.1'),
                    ('plus', '+6.1'), ('hexadecimal', '0x6.1'), ('comma', '6,1'),
                    ('no-streams', '6.'), ('no-octets', '.1'), ('words', 'six.one'),
                    ('overflow', f'{2 ** 64 + 6}.1'), ('overflow-of-streams', f'6.{2 ** 64 + 1}'),
                    ('other-digits', '\u0666.\u0661')):
    case('oxum-' + name, 26, 'invalid', ['oxum.syntax'],
         'Section 2.2.2: two decimal numbers with a full stop between.',
         info=f'Payload-Oxum: {value}\n')
case('oxum-right-and-checksum-wrong', 26, 'invalid', ['checksum.mismatch'],
     'Section 2.2.2: it is no substitute for the checksums.', info='Payload-Oxum: 6.1\n',
     listed={'data/a.txt': b'hallo\n'})
case('oxum-of-an-empty-payload', 26, 'valid', [], 'Nothing is 0 octets in 0 files.', payload={},
     info='Payload-Oxum: 0.0\n')
case('oxum-counts-hidden-files', 26, 'valid', [], 'Section 2.2.2: all payload files count.',
     payload={'a.txt': A, '.b': A}, info='Payload-Oxum: 12.2\n')
for value in ('2020-02-30', '2020-1-5', '20200105', '2020-01-05T10:00:00Z', '5 January 2020',
              '0000-00-00'):
    case('date-' + value.replace(' ', '-').replace(':', ''), 27, 'warning', ['baginfo.date'],
         'Section 2.2.2: Bagging-Date is YYYY-MM-DD.', info=f'Bagging-Date: {value}\n')
case('date-repeated', 27, 'warning', ['baginfo.repeated'],
     'Section 2.2.2: Bagging-Date should not be repeated.',
     info='Bagging-Date: 2020-01-01\nBagging-Date: 2020-01-01\n')
case('size-repeated', 27, 'warning', ['baginfo.repeated'],
     'Section 2.2.2: Bag-Size should not be repeated.', info='Bag-Size: 6 B\nBag-Size: 6 B\n')
case('count', 27, 'valid', [], 'Section 2.2.2: N of T, in a group.',
     info='Bag-Group-Identifier: g\nBag-Count: 1 of 2\n')
case('count-open', 27, 'valid', [], 'Section 2.2.2: N of ?, where the total is unknown.',
     info='Bag-Group-Identifier: g\nBag-Count: 3 of ?\n')
case('count-in-words', 27, 'warning', ['baginfo.bag-count'], 'Section 2.2.2: N of T or N of ?.',
     info='Bag-Group-Identifier: g\nBag-Count: first of two\n')
case('count-without-group', 27, 'warning', ['baginfo.bag-count'],
     'Section 2.2.2: Bag-Count counts the bags of a group.', info='Bag-Count: 1 of 2\n')
case('group-repeated', 27, 'warning', ['baginfo.repeated'],
     'Section 2.2.2: Bag-Group-Identifier should not be repeated.',
     info='Bag-Group-Identifier: g\nBag-Group-Identifier: h\n')
case('info-long-line', 28, 'valid', [],
     'Section 2.2.2: 79 characters are a recommendation to writers.',
     info='External-Description: ' + 'x' * 100000 + '\n')

# 29 to 34: fetch.txt.
URL = 'https://example.org/a.txt'
HOLE = {'data/a.txt': A, 'data/b.txt': b'world\n'}
case('fetch-present', 32, 'valid', [], 'Section 2.2.3: a file that came by other ways is there.',
     fetch=f'{URL} 6 data/a.txt\n')
case('fetch-empty', 29, 'valid', [], 'Section 2.2.3: a list may be empty.', fetch='')
case('fetch-absent', 32, 'incomplete', [],
     'Section 2.2.3: the bag has a hole until the file is fetched.', listed=HOLE,
     fetch=f'{URL} 6 data/b.txt\n', may=['payload.missing'])
case('fetch-absent-with-oxum', 32, 'incomplete', [],
     'Section 2.2.2: Payload-Oxum tells of the whole payload, not of what came so far.',
     listed=HOLE, fetch=f'{URL} 6 data/b.txt\n', info='Payload-Oxum: 12.2\n',
     may=['payload.missing'])
case('fetch-absent-in-two-manifests', 32, 'incomplete', [],
     'Section 2.2.3: the bag has a hole until the file is fetched.', listed=HOLE,
     algorithms=BOTH, fetch=f'{URL} - data/b.txt\n', may=['payload.missing'])
case('fetch-absent-and-another-missing', 32, 'invalid', ['payload.missing'],
     'Section 3: what is missing and not to be fetched is lost.',
     listed={**HOLE, 'data/c.txt': A}, fetch=f'{URL} 6 data/b.txt\n')
case('fetch-absent-and-a-mismatch', 32, 'invalid', ['checksum.mismatch'],
     'Section 3: what is there must be right.', listed={'data/a.txt': b'x', 'data/b.txt': A},
     fetch=f'{URL} 6 data/b.txt\n', may=['payload.missing'])
case('fetch-all-absent', 32, 'incomplete', [],
     'Section 2.2.3: a bag may be sent with holes only.', payload={}, listed=HOLE,
     fetch=f'{URL} 6 data/a.txt\n{URL} 6 data/b.txt\n', may=['payload.missing'])
case('fetch-length-dash', 29, 'valid', [], 'Section 2.2.3: "-" where the length is unknown.',
     fetch=f'{URL} - data/a.txt\n')
case('fetch-tabs', 29, 'valid', [], 'Section 2.2.3: blanks are spaces or tabs.',
     fetch=f'{URL}\t 6 \tdata/a.txt\n')
case('fetch-name-with-blanks', 29, 'valid', [],
     'Section 2.2.3: the path goes to the end of the line.', payload={'a b c.txt': A},
     fetch=f'{URL} 6 data/a b c.txt\n')
case('fetch-percent-coded', 29, 'valid', [],
     'Section 2.2.3: the path is coded as in a manifest.', payload={'100%.txt': A},
     fetch=f'{URL} 6 data/100%25.txt\n')
for name, line in (('two-fields', f'{URL} data/a.txt'), ('one-field', URL),
                   ('length-word', f'{URL} six data/a.txt'),
                   ('length-negative', f'{URL} -6 data/a.txt'),
                   ('length-fraction', f'{URL} 6.0 data/a.txt'),
                   ('blank-in-the-url', 'https://example.org/a b.txt 6 data/a.txt')):
    case('fetch-' + name, 29, 'invalid', ['fetch.syntax'],
         'Section 2.2.3: URL, length in octets or "-", path.', fetch=line + '\n',
         may=['fetch.tag-file', 'fetch.unlisted'])
for name, url in (('relative', 'a.txt'), ('path', '/a.txt'), ('without-scheme', '//example.org/a'),
                  ('scheme-is-no-scheme', '1http://example.org/a')):
    case('fetch-url-' + name, 29, 'invalid', ['fetch.url'],
         'Section 2.2.3: an absolute URI (RFC 3986 section 4.3).', fetch=f'{url} 6 data/a.txt\n')
case('fetch-blank-line', 29, 'warning', ['tagfile.blank-line'], strict='invalid',
     why='Section 2.2.3: each line names a file and an empty one none.',
     fetch=f'{URL} 6 data/a.txt\n\n')
case('fetch-unlisted', 30, 'invalid', ['fetch.unlisted'],
     'Section 2.2.3: every file to be fetched is in every payload manifest.',
     fetch=f'{URL} 6 data/b.txt\n')
case('fetch-in-one-manifest-only', 30, 'invalid', ['fetch.unlisted|manifest.incomplete'],
     'Section 2.2.3: every file to be fetched is in every payload manifest.', listed=HOLE,
     algorithms=BOTH, edit=lambda lines, algorithm: lines[:1] if algorithm == 'sha256' else lines,
     fetch=f'{URL} 6 data/b.txt\n', may=['payload.missing', 'manifest.incomplete'])
case('fetch-tag-file', 31, 'invalid', ['fetch.tag-file'],
     'Section 2.2.3: fetch.txt names no tag file.', tags={'notes.txt': A},
     fetch=f'{URL} 6 notes.txt\n', may=['fetch.unlisted'])
case('fetch-tag-file-in-0.97', 31, 'valid', [],
     'Only version 1.0 forbids that tag files are fetched.', version='0.97',
     tags={'notes.txt': A}, fetch=f'{URL} 6 notes.txt\n')
case('fetch-length-wrong', 32, 'warning', ['fetch.length'],
     'Section 2.2.3: the length is what to expect; the checksum decides.',
     fetch=f'{URL} 7 data/a.txt\n')
case('fetch-length-huge', 33, 'incomplete', [],
     'Section 5.3: a length is a claim, and no reason to set anything aside.', listed=HOLE,
     fetch=f'{URL} {2 ** 63 - 1} data/b.txt\n', may=['payload.missing', 'fetch.length'])
case('fetch-file-url', 34, 'valid', [],
     'Section 5.2: such a URL is not to be followed, and looking at a bag follows none.',
     fetch='file:///etc/passwd 6 data/a.txt\n', may=['fetch.url'])
case('fetch-file-url-absent', 34, 'incomplete', [],
     'Section 5.2: such a URL is not to be followed, and looking at a bag follows none.',
     listed=HOLE, fetch='file:///etc/passwd 6 data/b.txt\n', may=['payload.missing', 'fetch.url'])
case('fetch-from-two-urls', 34, 'warning', ['fetch.duplicate'],
     'Nothing says which of two sources is meant; the checksum decides.',
     fetch=f'{URL} 6 data/a.txt\nhttps://example.net/a.txt 6 data/a.txt\n')

# 35 to 39: text.
for name, eol in (('cr', '\r'), ('crlf', '\r\n')):
    case('lines-end-with-' + name, 35, 'valid', [], 'Section 2.3: LF, CR or CRLF ends a line.',
         eol=eol, payload=TWO, info=f'Contact-Name: x{eol}Payload-Oxum: 12.2{eol}',
         fetch=f'{URL} 6 data/a.txt{eol}{URL} 6 data/b.txt{eol}')
case('lines-end-mixed', 35, 'valid', [], 'Section 2.3: LF, CR or CRLF ends a line.',
     payload={**TWO, 'c.txt': A}, final=False,
     edit=lambda lines, algorithm: [lines[0] + '\r' + lines[1] + '\r\n' + lines[2] + '\n'])
case('lines-last-without-end', 35, 'valid', [],
     'Section 2.3: the last line may end with the file.', final=False, payload=TWO,
     info='Payload-Oxum: 12.2', fetch=f'{URL} 6 data/a.txt')
case('lines-end-with-lf-cr', 35, 'warning', ['tagfile.blank-line'], strict='invalid',
     why='Section 2.3: LF and then CR are two ends, with an empty line between.',
     payload=TWO, eol='\n\r', tag_algorithms=())
case('text-invalid-in-a-manifest', 36, 'invalid', ['encoding.invalid'],
     'Section 2.3: tag files are in the declared encoding.', payload={'\u00e9': A},
     codec='latin-1', may=['payload.unlisted', 'payload.missing', 'manifest.syntax',
                           'tagfile.missing'])
case('text-invalid-in-bag-info', 36, 'invalid', ['encoding.invalid'],
     'Section 2.3: tag files are in the declared encoding.', info=b'Contact-Name: Ren\xe9\n')
case('text-invalid-in-fetch', 36, 'invalid', ['encoding.invalid'],
     'Section 2.3: tag files are in the declared encoding.',
     fetch=b'https://example.org/ 6 data/Ren\xe9\n', may=['fetch.unlisted', 'fetch.syntax'])
case('text-surrogate', 36, 'invalid', ['encoding.invalid'],
     'RFC 3629 section 3: a surrogate has no form in UTF-8.',
     info=b'Contact-Name: \xed\xa0\x80\n')
case('text-overlong', 36, 'invalid', ['encoding.invalid'],
     'RFC 3629 section 3: a longer form than needed is no UTF-8.',
     info=b'Contact-Name: \xc0\xaf\n')
case('text-not-ascii', 36, 'invalid', ['encoding.invalid'],
     'Section 2.3: US-ASCII has no such characters.', encoding='US-ASCII', codec='utf-8',
     info='Contact-Name: Ren\u00e9\n')
case('text-utf-16-cut', 36, 'invalid', ['encoding.invalid'],
     'RFC 2781: a character of UTF-16 has two or four bytes.', encoding='UTF-16LE',
     info='Contact-Name: x\n'.encode('utf-16-le') + b'x')
case('text-bom-in-a-manifest', 37, 'invalid', ['encoding.bom'], lenient='warning',
     why='Section 2.3: tag files in UTF-8 have no byte order mark.', prefix=b'\xef\xbb\xbf')
case('text-bom-in-bag-info', 37, 'invalid', ['encoding.bom'], lenient='warning',
     why='Section 2.3: tag files in UTF-8 have no byte order mark.',
     info=b'\xef\xbb\xbfContact-Name: Somebody\n')
case('text-bom-in-fetch', 37, 'invalid', ['encoding.bom'], lenient='warning',
     why='Section 2.3: tag files in UTF-8 have no byte order mark.',
     fetch=b'\xef\xbb\xbf' + f'{URL} 6 data/a.txt\n'.encode())
case('name-no-utf-8', 38, 'invalid', ['name.not-utf8', 'payload.unlisted'],
     'Section 2.3: what is no UTF-8 can be listed by no manifest in UTF-8.',
     payload={'a.txt': A, b'caf\xe9.txt': A})
case('name-no-utf-8-in-a-latin-1-bag', 38, 'invalid',
     ['name.not-utf8', 'payload.unlisted', 'payload.missing'],
     'Section 2.3: the encoding is that of the tag files, not of the names on disk.',
     encoding='ISO-8859-1', payload={'a.txt': A, b'caf\xe9.txt': A},
     listed={'data/a.txt': A, 'data/caf\u00e9.txt': A})
case('name-no-utf-8-of-a-tag-file', 38, 'warning', ['name.not-utf8'],
     'Section 2.2.4: no manifest must list it.', after=put(b'caf\xe9.txt', A))
case('tag-file-of-any-bytes', 39, 'valid', [], 'Section 2.2.4: other tag files are not looked into.',
     tags={'thumbnail.jpg': bytes(range(256)), 'bom.txt': b'\xef\xbb\xbfx\xff'})

# 40 to 42: complete and valid.
case('many-faults', 40, 'invalid', ['payload.missing', 'payload.unlisted', 'checksum.mismatch',
                                    'tagfile.missing', 'oxum.mismatch'],
     'Section 3: all that is wrong is told, not only the first.', payload=TWO,
     listed={'data/a.txt': b'other', 'data/c.txt': A}, tag_edit=also('notes.txt', A),
     info='Payload-Oxum: 1.1\n')
case('mismatch', 41, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum of every manifest is verified.', listed={'data/a.txt': b'hello'})
case('mismatch-of-equal-length', 41, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum of every manifest is verified.', listed={'data/a.txt': b'hellO\n'})
case('mismatch-at-the-end-of-a-large-file', 41, 'invalid', ['checksum.mismatch'],
     'Section 3: every byte counts.', payload={'a.bin': b'\0' * 3000001},
     listed={'data/a.bin': b'\0' * 3000000 + b'\1'})
case('hard-linked-content', 41, 'valid', [], 'Section 2.1.3: the same bytes may have many names.',
     payload={f'{i}.txt': A for i in range(50)})
case('bag-in-a-bag', 42, 'valid', [], 'Section 2.1.2: a bag in the payload is payload.',
     payload={'inner/bagit.txt': f'{VERSION}\n{UTF8}\n'.encode(), 'inner/data/a.txt': A,
              'inner/manifest-sha512.txt': b'wrong and no matter\n'})
case('incomplete-in-0.97', 42, 'incomplete', [], 'Version 0.97: the same holds of holes.',
     listed=HOLE, version='0.97', fetch=f'{URL} 6 data/b.txt\n', may=['payload.missing'])

# 43: nothing outside.
for name, path, codes, may in (
        ('up-and-out', f'data/{OUT}', ['path.traversal'], []),
        ('up-and-out-at-once', f'../{OUTSIDE}/secret.txt', ['path.traversal'], []),
        ('up-to-the-root', 'data/' + '../' * 40 + 'etc/passwd', ['path.traversal'], []),
        ('up-to-a-tag-file', 'data/../bagit.txt', ['path.dot-segment'], []),
        ('up-and-back', 'data/sub/../a.txt', ['path.dot-segment'], ['manifest.duplicate']),
        ('dot-inside', 'data/./a.txt', ['path.dot-segment'], ['manifest.duplicate']),
        ('dots-only', 'data/..', ['path.dot-segment'], ['manifest.directory']),
        ('absolute', '/etc/passwd', ['path.absolute'], []),
        ('absolute-data', '/data/a.txt', ['path.absolute'], ['manifest.duplicate']),
        ('tilde', '~/secret.txt', ['path.tilde'], []),
        ('tilde-of-a-user', '~root/secret.txt', ['path.tilde'], []),
        ('drive', 'C:\\secret.txt', ['path.windows'], ['manifest.separator']),
        ('drive-with-slashes', 'c:/secret.txt', ['path.windows'], []),
        ('share', '\\\\server\\share\\secret.txt', ['path.windows'], ['manifest.separator']),
        ('share-with-slashes', '//server/share/secret.txt', ['path.windows|path.absolute'],
         ['path.double-slash']),
        ('device', '\\\\?\\C:\\secret.txt', ['path.windows'], ['manifest.separator']),
        ('backslash-up', 'data\\..\\..\\secret.txt', ['manifest.separator|path.traversal'], []),
        ('nul', 'data/a\0.txt', ['path.nul'], [])):
    follows = ['manifest.outside-data', 'payload.missing', 'path.traversal', 'path.dot-segment',
               'manifest.separator', 'name.windows', 'name.control']
    case('path-' + name, 43, 'invalid', codes,
         'Section 5.1: no path of a manifest leads out of the bag, nor seems to.',
         edit=also(path, SECRET), payload={'a.txt': A, 'sub/b.txt': A}, may=may + follows)
for name, path, codes in (
        ('up-and-out', f'../{OUTSIDE}/secret.txt', ['path.traversal']),
        ('absolute', '/etc/passwd', ['path.absolute']), ('tilde', '~/x', ['path.tilde']),
        ('drive', 'C:\\x', ['path.windows']), ('nul', 'a\0b', ['path.nul'])):
    case('tag-path-' + name, 43, 'invalid', codes,
         'Section 5.1: no path of a tag manifest leads out of the bag.',
         tag_edit=also(path, SECRET),
         may=['tagfile.missing', 'manifest.separator', 'name.control'])
    case('fetch-path-' + name, 43, 'invalid', codes,
         'Section 5.1: no path of fetch.txt leads out of the bag.', fetch=f'{URL} 6 {path}\n',
         may=['fetch.unlisted', 'fetch.tag-file', 'manifest.separator', 'name.control'])
case('fetch-path-out-of-data', 43, 'invalid', ['path.traversal'],
     'Section 5.1: no path of fetch.txt leads out of the bag.',
     fetch=f'{URL} 6 data/{OUT}\n', may=['fetch.unlisted', 'fetch.tag-file'])
case('path-double-slash', 43, 'warning', ['path.double-slash'],
     'An empty name in a path changes nothing of what is meant.', edit=instead('data/', 'data//'))
case('path-tilde-inside', 43, 'valid', [], 'Section 5.1: only in front a tilde means a home.',
     payload={'~a.txt': A, 'b~': A})
case('path-dots-in-a-name', 43, 'valid', [], 'Section 5.1: a name of more than dots is a name.',
     payload={'..a': A, 'b..c': A, '...d': A, '..e/..f': A})
case('fetch-slash-in-front-in-0.97', 43, 'valid', [],
     'Version 0.97: a leading slash of fetch.txt is read as relative to the base folder.',
     version='0.97', fetch=f'{URL} 6 /data/a.txt\n', may=['path.absolute'])
LISTED_LINK = {'data/a.txt': A, 'data/link': A}
for name, node, listed, codes in (
        ('out', Link(OUT), SECRET, ['path.symlink-escape']),
        ('to-a-file-of-the-system', Link('/etc/passwd'), SECRET, ['path.symlink-escape']),
        ('through-proc', Link('/proc/self/root/etc/passwd'), SECRET, ['path.symlink-escape']),
        ('out-and-back', Link('../../link-out-and-back/data/a.txt'), A, ['path.symlink-escape']),
        ('to-the-folder-above', Link('../..'), SECRET,
         ['path.symlink-escape|path.symlink-directory']),
        ('to-the-root', Link('/'), SECRET, ['path.symlink-escape|path.symlink-directory'])):
    case('link-' + name, 43, 'invalid', codes,
         'Section 5.1: a link out of the bag is not followed, listed rightly or not.',
         payload={'a.txt': A, 'link': node}, listed={'data/a.txt': A, 'data/link': listed},
         may=['payload.missing', 'path.symlink-directory'])
case('link-chain-out', 43, 'invalid', ['path.symlink-escape'],
     'Section 5.1: a link to a link out of the bag leads out of it.',
     payload={'a.txt': A, 'one': Link('two'), 'two': Link(OUT)},
     listed={'data/a.txt': A, 'data/one': SECRET, 'data/two': SECRET},
     may=['payload.missing', 'path.symlink'])
case('link-folder-out-on-the-way', 43, 'invalid',
     ['path.symlink-escape|path.symlink-directory'],
     'Section 5.1: a folder on the way is no way out either.',
     payload={'a.txt': A, 'dir': Link(f'../../{OUTSIDE}')},
     listed={'data/a.txt': A, 'data/dir/secret.txt': SECRET},
     may=['payload.missing', 'path.symlink-directory', 'payload.unlisted'])
case('link-out-unlisted', 43, 'invalid', ['path.symlink-escape'],
     'Section 5.1: a link out of the bag is refused, whoever lists it.',
     payload={'a.txt': A, 'link': Link(OUT)}, may=['payload.unlisted'])
case('link-of-a-tag-file-out', 43, 'invalid', ['path.symlink-escape'],
     'Section 5.1: tag files are read no other way than payload.',
     after=put(b'notes.txt', Link(f'../{OUTSIDE}/secret.txt')),
     tag_edit=also('notes.txt', SECRET), may=['tagfile.missing'])
case('link-of-bagit-txt-out', 43, 'invalid', ['path.symlink-escape'],
     'Section 5.1: bagit.txt is read no other way than payload.', tag_algorithms=(),
     after=put(b'bagit.txt', Link('/etc/hostname')), may=['bagit.missing', 'bagit.format'])
case('link-of-the-manifest-out', 43, 'invalid', ['path.symlink-escape'],
     'Section 5.1: manifests are read no other way than payload.', tag_algorithms=(),
     after=put(b'manifest-sha512.txt', Link(f'../{OUTSIDE}/secret.txt')),
     may=['manifest.none', 'payload.unlisted', 'manifest.syntax'])
# 44
case('link-inside', 44, 'warning', ['path.symlink'],
     'Section 3: its name is there and its bytes are right; few tools keep it so.',
     payload={'a.txt': A, 'link': Link('a.txt')}, listed=LISTED_LINK)
case('link-inside-with-a-wrong-checksum', 44, 'invalid', ['checksum.mismatch'],
     'Section 3: every checksum is verified.', payload={'a.txt': A, 'link': Link('a.txt')},
     listed={'data/a.txt': A, 'data/link': b'other'}, may=['path.symlink'])
case('link-inside-unlisted', 44, 'warning', ['path.symlink'],
     'No section speaks of links; this one adds no bytes to those that the manifest vouches for.',
     payload={'a.txt': A, 'link': Link('a.txt')})
case('link-inside-to-an-unlisted-file', 44, 'invalid', ['payload.unlisted'],
     'Section 3: bytes below data/ that no manifest vouches for, under two names.',
     payload={'a.txt': A, 'b.txt': A, 'link': Link('b.txt')}, listed={'data/a.txt': A},
     may=['path.symlink'])
case('link-inside-to-an-unlisted-tag-file', 44, 'invalid', ['payload.unlisted'],
     'Section 3: bytes below data/ that no manifest at all vouches for.',
     payload={'a.txt': A, 'link': Link('../notes.txt')}, after=put(b'notes.txt', b'anything\n'),
     may=['path.symlink'])
case('link-to-a-folder', 44, 'invalid', ['path.symlink-directory'],
     'Section 3: a folder under a second name has files that no manifest lists.',
     payload={'sub/a.txt': A, 'link': Link('sub')}, may=['payload.unlisted'])
case('link-to-its-own-folder', 44, 'invalid', ['path.symlink-directory'],
     'Section 3: a folder in itself has no end of files.',
     payload={'a.txt': A, 'link': Link('.')}, may=['payload.unlisted'])
case('link-dangling', 44, 'invalid', ['path.symlink-broken'],
     'Section 3: it has no bytes that could be verified.',
     payload={'a.txt': A, 'link': Link('nothing')}, may=['payload.unlisted', 'payload.missing'])
case('link-loop', 44, 'invalid', ['path.symlink-broken'],
     'Section 3: it has no bytes that could be verified.',
     payload={'a.txt': A, 'x': Link('y'), 'y': Link('x')},
     listed={'data/a.txt': A, 'data/x': A, 'data/y': A},
     may=['payload.unlisted', 'payload.missing'])
case('fifo', 44, 'invalid', ['path.special-file'],
     'Section 1.3: payload is files; nobody may wait for the bytes of a pipe.',
     payload={'a.txt': A, 'pipe': Fifo()}, may=['payload.unlisted'])
case('fifo-listed', 44, 'invalid', ['path.special-file'],
     'Section 1.3: payload is files; nobody may wait for the bytes of a pipe.',
     payload={'a.txt': A, 'pipe': Fifo()}, listed={'data/a.txt': A, 'data/pipe': b''},
     may=['payload.missing'])
case('fifo-as-bagit-txt', 44, 'invalid', ['path.special-file|bagit.missing'],
     'Section 2.1.1: bagit.txt is a file; nobody may wait for the bytes of a pipe.',
     after=put(b'bagit.txt', Fifo()), tag_algorithms=(),
     may=['bagit.missing', 'path.special-file'])
case('fifo-as-manifest', 44, 'invalid', ['path.special-file|manifest.none'],
     'Section 2.1.3: a manifest is a file; nobody may wait for the bytes of a pipe.',
     after=put(b'manifest-sha512.txt', Fifo()), tag_algorithms=(),
     may=['manifest.none', 'path.special-file', 'payload.unlisted'])
case('fifo-behind-a-link', 44, 'invalid', ['path.special-file'],
     'Section 1.3: a link changes nothing of what it leads to.',
     payload={'a.txt': A, 'pipe': Fifo(), 'link': Link('pipe')},
     listed={'data/a.txt': A, 'data/link': b''},
     may=['payload.unlisted', 'payload.missing', 'path.symlink', 'path.symlink-broken'])
case('socket', 44, 'invalid', ['path.special-file'], 'Section 1.3: payload is files.',
     payload={'a.txt': A, 'socket': Socket()}, may=['payload.unlisted'])

# 45 to 48: names.
NFC, NFD = 'caf\u00e9.txt', 'cafe\u0301.txt'
case('name-listed-nfc-stored-nfd', 45, 'warning', ['name.normalization'],
     'Section 6.1.1.3: a difference of normalization only is tolerated.',
     payload={NFD: A}, listed={'data/' + NFC: A})
case('name-listed-nfd-stored-nfc', 45, 'warning', ['name.normalization'],
     'Section 6.1.1.3: a difference of normalization only is tolerated.',
     payload={NFC: A}, listed={'data/' + NFD: A})
case('name-of-a-folder-listed-nfc-stored-nfd', 45, 'warning', ['name.normalization'],
     'Section 6.1.1.3: a difference of normalization only is tolerated, in folders too.',
     payload={'cafe\u0301/a.txt': A}, listed={'data/caf\u00e9/a.txt': A})
case('name-hangul', 45, 'warning', ['name.normalization'],
     'Section 6.1.1.3: Hangul syllables and their letters are one name.',
     payload={'\u1112\u1161\u11ab.txt': A}, listed={'data/\ud55c.txt': A})
case('name-in-another-form-and-wrong', 45, 'invalid', ['checksum.mismatch'],
     'Section 3: the file that is meant is verified like any other.',
     payload={NFD: A}, listed={'data/' + NFC: b'other'}, may=['name.normalization'])
case('name-in-two-other-forms', 45, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 6.1.1.3: with two candidates nobody knows which is meant.',
     payload={'\u1e69': A, 's\u0323\u0307': A}, listed={'data/\u1e63\u0307': A},
     may=['name.normalization-twins', 'name.normalization'])
case('name-compatible-only', 45, 'invalid', ['payload.missing', 'payload.unlisted'],
     'Section 6.1.1.3: a ligature is no other normalization of its letters (NFC, NFD).',
     payload={'\ufb01le.txt': A}, listed={'data/file.txt': A})
case('name-nfd-everywhere', 45, 'valid', [], 'Section 6.1.1.3: NFD is as good as NFC.',
     payload={NFD: A})
case('name-twins-by-form', 46, 'warning', ['name.normalization-twins'],
     'Section 6.1.1.3: two files that another system makes one of.',
     payload={NFC: A, NFD: b'other\n'})
case('name-twins-by-form-swapped', 46, 'invalid', ['checksum.mismatch'],
     'Section 3: bytes of a name come first, so that twins are never taken for each other.',
     payload={NFC: A, NFD: b'other\n'}, listed={'data/' + NFC: b'other\n', 'data/' + NFD: A},
     may=['name.normalization-twins'])
case('name-twins-by-form-one-unlisted', 46, 'invalid', ['payload.unlisted'],
     'Section 3: every payload file is in every manifest, twin or not.',
     payload={NFC: A, NFD: A}, listed={'data/' + NFC: A}, may=['name.normalization-twins'])
case('name-twins-by-case', 47, 'warning', ['name.case-twins'],
     'Section 6.1.1.1: two files that another system makes one of.',
     payload={'a.txt': A, 'A.txt': b'other\n'})
case('name-twins-by-case-beyond-ascii', 47, 'warning', ['name.case-twins'],
     'Section 6.1.1.1: two files that another system makes one of.',
     payload={'\u00e9.txt': A, '\u00c9.txt': b'other\n'})
case('name-twins-by-case-of-folders', 47, 'warning', ['name.case-twins'],
     'Section 6.1.1.1: two folders that another system makes one of.',
     payload={'Sub/a.txt': A, 'sub/a.txt': b'other\n'})
for name, text in (('con', 'CON'), ('aux-txt', 'aux.txt'), ('lpt1', 'sub/lpt1'), ('colon', 'a:b'),
                   ('question', 'a?'), ('star', 'a*b'), ('quote', 'a"b'), ('pipe', 'a|b'),
                   ('less', 'a<b'), ('dot-at-the-end', 'a.'), ('folder-ends-with-blank', 's /a')):
    case('name-windows-' + name, 48, 'warning', ['name.windows'],
         'Section 6.1.2: Windows takes no such name.', payload={text: A})
for name, text in (('bell', 'a\x07b'), ('delete', 'a\x7fb'), ('escape', '\x1b[2Ja')):
    case('name-control-' + name, 48, 'warning', ['name.control|name.windows'],
         'Section 6.1.2: a control character in a name is legal and no joy.', payload={text: A},
         may=['name.control', 'name.windows'])
for name in ('.DS_Store', 'Thumbs.db', 'desktop.ini', '._a.txt'):
    case('name-junk-' + name.strip('._').lower().replace('.', '-').replace('_', '-'), 48,
         'warning', ['name.os-junk'], 'Section 6.1: nobody meant to send this, but it is listed.',
         payload={'a.txt': A, name: A})
case('name-junk-unlisted', 48, 'invalid', ['payload.unlisted'],
     'Section 3: every payload file is in every manifest, whoever put it there.',
     payload={'a.txt': A, '.DS_Store': A}, listed={'data/a.txt': A}, may=['name.os-junk'])
