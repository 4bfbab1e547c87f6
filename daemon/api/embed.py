#!/usr/bin/env python3
"""Writes the files of a folder as a C table: embed.py FOLDER OUTPUT DEPFILE.

Each file becomes an entry of sl_ui_files with its path, type, ETag and bytes. The depfile names the folder and every
file, so that a changed or a new file builds it again."""
import hashlib
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.json': 'application/json',
    '.svg': 'image/svg+xml',
    '.png': 'image/png',
    '.ico': 'image/x-icon',
    '.woff2': 'font/woff2',
}


def files_of(folder):
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.') and name not in ('node_modules', 'tests'))
        for name in sorted(names):
            if os.path.splitext(name)[1] in TYPES and not name.startswith(('.', 'package', 'tsconfig')):
                path = os.path.join(base, name)
                yield os.path.relpath(path, folder), path


def main():
    folder, output, depfile = sys.argv[1:]
    rows, arrays, depends = [], [], []
    for number, (name, path) in enumerate(files_of(folder)):
        with open(path, 'rb') as file:
            data = file.read()
        text = ','.join(str(byte) for byte in data) or '0'
        arrays.append(f'static const unsigned char file_{number}[] = {{{text}}};\n')
        etag = hashlib.sha256(data).hexdigest()[:16]
        rows.append(f'    {{"{name}", "{TYPES[os.path.splitext(name)[1]]}", "\\"{etag}\\"", file_{number}, {len(data)}}},\n')
        depends += [path, os.path.dirname(path)]
    with open(output, 'w') as file:
        file.write('/* Made by daemon/api/embed.py. */\n#include "api/private.h"\n\n')
        file.writelines(arrays)
        file.write('const sl_ui_file sl_ui_files[] = {\n')
        file.writelines(rows)
        file.write('    {0},\n};\n')
    with open(depfile, 'w') as file:
        file.write(f'{output}: ' + ' '.join(sorted(set(depends + [folder]))) + '\n')


main()
