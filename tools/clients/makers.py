"""The makers of clients: how each is installed, run, and how what it makes is compiled.

Every command runs in the maker's own folder, beside `openapi.json` one folder up. Versions are pinned.
"""

import sys
from dataclasses import dataclass

_GENERATOR = "7.25.0"
_JAR = f"../openapi-generator-cli-{_GENERATOR}.jar"
_IMPORT_ALL = (
    "import importlib, pkgutil, {0};"
    "[importlib.import_module(found.name) for found in pkgutil.walk_packages({0}.__path__, '{0}.')]"
)


@dataclass(frozen=True, slots=True)
class Maker:
    """One of them.

    Attributes:
        name: also its folder.
        needs: programs that must be on PATH.
        steps: commands, in order: install, generate, compile.
    """

    name: str
    needs: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]


def _in_environment(*packages: str) -> tuple[tuple[str, ...], ...]:
    pip = ("venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    return (sys.executable, "-m", "venv", "venv"), (*pip, *packages)


def _generator(language: str) -> tuple[tuple[str, ...], ...]:
    coordinates = f"org.openapitools:openapi-generator-cli:{_GENERATOR}"
    fetch = ("mvn", "-q", "dependency:copy", f"-Dartifact={coordinates}", "-DoutputDirectory=..")
    return fetch, ("java", "-jar", _JAR, "generate", "-g", language, "-i", "../openapi.json", "-o", "client")


MAKERS = (
    Maker(
        "openapi-python-client",
        (),
        (
            *_in_environment("openapi-python-client==0.29.1"),
            ("venv/bin/openapi-python-client", "generate", "--path", "../openapi.json", "--output-path", "client"),
            (
                "venv/bin/python",
                "-c",
                "import sys; sys.path.insert(0, 'client');" + _IMPORT_ALL.format("parley_client"),
            ),
        ),
    ),
    Maker(
        "oapi-codegen",
        ("go",),
        (
            ("go", "mod", "init", "example.com/parley"),
            (
                *("go", "run", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"),
                *("-generate", "types,client", "-package", "parley", "-o", "parley.go", "../openapi.json"),
            ),
            ("go", "mod", "tidy"),
            ("go", "build", "./..."),
        ),
    ),
    Maker(
        "openapi-typescript",
        ("npm",),
        (
            ("npm", "install", "--silent", "--prefix", ".", "openapi-typescript@7.13.0", "typescript@5.9.3"),
            ("node_modules/.bin/openapi-typescript", "../openapi.json", "--output", "parley.ts"),
            ("node_modules/.bin/tsc", "--noEmit", "--strict", "parley.ts"),
        ),
    ),
    Maker(
        "openapi-generator-python",
        ("mvn", "java"),
        (
            *_generator("python"),
            *_in_environment("-r", "client/requirements.txt"),
            (
                "venv/bin/python",
                "-c",
                "import sys; sys.path.insert(0, 'client');" + _IMPORT_ALL.format("openapi_client"),
            ),
        ),
    ),
    Maker(
        "openapi-generator-java",
        ("mvn", "java"),
        (*_generator("java"), ("mvn", "-q", "-f", "client/pom.xml", "compile")),
    ),
)
