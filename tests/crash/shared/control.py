"""Negative controls: the programs built from a copy of the tree in which one check is taken out. A rig that does not fail
with them sees nothing."""

import shutil
import subprocess
from pathlib import Path

from rig.daemon import ROOT

LEFT_OUT = shutil.ignore_patterns("build*", ".git", ".venv", "node_modules", "__pycache__", "*.log")


def build_with(name, changes):
    """changes: (file, text, what stands there instead). Gives the build's folder, below ROOT/build-control-NAME."""
    folder = ROOT / f"build-control-{name}"
    source, build = folder / "source", folder / "build"
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT, source, ignore=LEFT_OUT, dirs_exist_ok=True)
    for file, old, new in changes:
        path = source / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file}: what is to be taken out is not there once: {old}"
        path.write_text(text.replace(old, new))
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build, source], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build], check=True, stdout=subprocess.DEVNULL)
    return build
