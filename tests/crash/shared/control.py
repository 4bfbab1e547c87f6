"""Negative controls: `sluice` linked anew with a few sources in which a check is taken out. A rig that does not fail with it
sees nothing."""

import shlex
import shutil
import subprocess

from rig import daemon

ROOT, BUILD = daemon.ROOT, daemon.BUILD.resolve()


def commands():
    """How `sluice` of this build is made: one list of words for each command."""
    subprocess.run(["ninja", "-C", BUILD, "daemon/sluice"], check=True, stdout=subprocess.DEVNULL)
    listed = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "daemon/sluice"], check=True, capture_output=True, text=True).stdout
    return [shlex.split(line) for line in listed.splitlines()]


def changed(source, pairs):
    text = (ROOT / source).read_text()
    for old, new in pairs:
        assert text.count(old) == 1, f"{source}: what is to be taken out is not there once: {old}"
        text = text.replace(old, new)
    return text


def compiled(known, source, pairs, folder):
    """The object of a changed copy of `source`."""
    copy = folder / source.replace("/", "-")
    copy.write_text(changed(source, pairs))
    command = next(words for words in known if "-c" in words and words[-1].endswith("/" + source))
    made = copy.with_suffix(".o")
    words = [*command[:-1], str(copy)]
    for option, value in (("-o", made), ("-MF", copy.with_suffix(".d")), ("-MQ", made)):
        words[words.index(option) + 1] = str(value)
    subprocess.run(words, cwd=BUILD, check=True)
    return made


def build_with(name, changes):
    """changes: source to pairs of (text, what stands there instead). Gives a folder to be SLUICE_BUILD. The objects stand
    before the libraries, whose own of the same names are then not taken."""
    folder = BUILD.parent / f"{BUILD.name}-control-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "daemon").mkdir(parents=True)
    known = commands()
    objects = [compiled(known, source, pairs, folder) for source, pairs in changes.items()]
    words = next(words for words in known if "-o" in words and words[words.index("-o") + 1] == "daemon/sluice")
    words[words.index("-o") + 1] = str(folder / "daemon" / "sluice")
    at = next(number for number, word in enumerate(words) if word.endswith(".o"))
    subprocess.run([*words[:at], *map(str, objects), *words[at:]], cwd=BUILD, check=True)
    for shared in ("processors", "meson-private"):  # by which a program that is not installed finds its modules
        (folder / shared).symlink_to(BUILD / shared)
    return folder
