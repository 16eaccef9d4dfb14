"""The image of our Dockerfile, built and run without a container engine: `buildah` builds it, `unshare` runs it.

Needs root, as mounting does. A container is a PID namespace of its own with the image as its read-only root; it sees
the network of this machine.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "Dockerfile"
_BUILD_SECONDS = 1200
_PULL_SECONDS = 60
_TAG = "parley:test"
_ENVIRONMENT = {"BUILDAH_ISOLATION": "chroot"}

# As PID 1 of its namespace: the image read-only, the volume writable, then the program in place of this shell.
_ENTER = """
set -eu
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount --bind "$VOLUME" "$ROOT$MOUNTPOINT"
mount -o remount,bind,ro "$ROOT"
exec chroot --userspec="$USERSPEC" --groups="" "$ROOT" /bin/sh -c 'cd "$0"; exec /usr/bin/env -i "$@"' "$@"
"""


def base_image() -> str:
    """The image that both stages of the Dockerfile begin with."""
    [name] = set(re.findall(r"^FROM ([\w.-]+:\S+)", DOCKERFILE.read_text(), re.MULTILINE))
    return f"docker.io/library/{name}"


@dataclass(frozen=True, slots=True)
class Image:
    """A built image, mounted.

    Attributes:
        root: its files.
        base_bytes, all_bytes: what the files of the base, and of the whole image, take.
        environment, entrypoint, command, user, workdir, health_check: what its configuration says.
    """

    root: Path
    base_bytes: int
    all_bytes: int
    environment: Mapping[str, str]
    entrypoint: Sequence[str]
    command: Sequence[str]
    user: str
    workdir: str
    health_check: Sequence[str]

    def argv(self, volume: Path, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """A program that runs `command` as a container with `volume` on its data folder."""
        uid = self._uid()
        os.chown(volume, uid, uid)
        variables = {
            "ROOT": str(self.root),
            "VOLUME": str(volume),
            "MOUNTPOINT": self.workdir,
            "USERSPEC": f"{uid}:{uid}",
        }
        given = [f"{name}={value}" for name, value in {**self.environment, **environment}.items()]
        enter = ["sh", "-c", _ENTER, "sh", self.workdir, *given, *command]
        return [
            *("env", *(f"{name}={value}" for name, value in variables.items())),
            *("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", *enter),
        ]

    def _uid(self) -> int:
        for line in (self.root / "etc/passwd").read_text().splitlines():
            name, _, uid, *_ = line.split(":")
            if self.user in (name, uid):
                return int(uid)
        raise LookupError(self.user)


@contextmanager
def built() -> Iterator[Image]:
    """Build the image, with the layers of earlier builds where nothing has changed, and mount it in this block.

    Image and layers stay for the next build.

    Raises:
        subprocess.CalledProcessError: it can't be built; says why on stderr.
    """
    _ensure_base()
    _buildah("bud", "--layers", "--format=docker", "--pull-never", "--network=host", "--tag", _TAG, str(ROOT))
    container = _buildah("from", "--pull-never", _TAG)
    try:
        yield _image(Path(_buildah("mount", container)))
    finally:
        _buildah("rm", container)


def _image(root: Path) -> Image:
    config = json.loads(_buildah("inspect", "--type=image", _TAG))["Docker"]["config"]
    return Image(
        root=root,
        base_bytes=_size(base_image()),
        all_bytes=_size(_TAG),
        environment=dict(pair.split("=", 1) for pair in config["Env"]),
        entrypoint=config["Entrypoint"],
        command=config["Cmd"],
        user=config["User"],
        workdir=config["WorkingDir"],
        health_check=config["Healthcheck"]["Test"][1:],
    )


def _size(image: str) -> int:
    return int(json.loads(_buildah("images", "--json", image))[0]["size"].split()[0]) * 1_000_000


def _ensure_base() -> None:
    """Have the base image: kept from before, pulled, or put together from Debian's packages."""
    name = base_image()
    if _succeeds("inspect", "--type=image", name) or _succeeds("pull", name, timeout=_PULL_SECONDS):
        return
    subprocess.run([str(ROOT / "tools" / "image" / "base_from_debian.sh"), name], check=True, timeout=_BUILD_SECONDS)


def _succeeds(*arguments: str, timeout: float = _BUILD_SECONDS) -> bool:
    try:
        _buildah(*arguments, timeout=timeout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def _buildah(*arguments: str, timeout: float = _BUILD_SECONDS) -> str:
    done = subprocess.run(
        ["buildah", *arguments],
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        print(f"{shlex.join(done.args)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")  # noqa: T201 - pytest shows it
        done.check_returncode()
    return done.stdout.strip()
