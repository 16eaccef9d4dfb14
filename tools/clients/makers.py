"""The makers of clients: how each is installed, run, and how what it makes is compiled and used.

Every command runs in the maker's own folder, beside `openapi.json` one folder up, with `client` on Python's path.
Versions are pinned.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

_PYTHON_CLIENT = "0.29.1"
_CODEGEN = "2.8.2"
_TYPESCRIPT, _FETCH = "7.13.0", "0.17.0"
_GENERATOR = "7.25.0"
_JAR = f"../openapi-generator-cli-{_GENERATOR}.jar"
_NEW_MEMBERS = (
    "answers that have gained a member, unless it is made with `disallowAdditionalPropertiesIfNotPresent=false`"
)
_WITHOUT_WEBHOOKS = (
    *(sys.executable, "-c"),
    "import json; d = json.load(open('../openapi.json')); del d['webhooks']; json.dump(d, open('openapi.json', 'w'))",
)
_IMPORT_ALL = (
    "import importlib, pkgutil, {0};"
    "[importlib.import_module(found.name) for found in pkgutil.walk_packages({0}.__path__, '{0}.')]"
)


@dataclass(frozen=True, slots=True)
class Maker:
    """One of them.

    Attributes:
        name: also its folder.
        version: of the maker.
        needs: programs that must be on PATH.
        program: file of `PROGRAMS` that records a session with the client.
        place: where that file has to lie.
        steps: commands, in order: install, generate, compile.
        record: command that runs the program.
        lacks: what its users have to know.
    """

    name: str
    version: str
    needs: tuple[str, ...]
    program: str
    place: str
    steps: tuple[tuple[str, ...], ...]
    record: tuple[str, ...]
    lacks: str = ""


def _in_environment(*packages: str) -> tuple[tuple[str, ...], ...]:
    pip = ("venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    return (sys.executable, "-m", "venv", "venv"), (*pip, *packages)


def _import_all(package: str) -> tuple[str, ...]:
    return ("venv/bin/python", "-c", _IMPORT_ALL.format(package))


def _generator(language: str, document: str = "../openapi.json") -> tuple[tuple[str, ...], ...]:
    coordinates = f"org.openapitools:openapi-generator-cli:{_GENERATOR}"
    fetch = ("mvn", "-q", "dependency:copy", f"-Dartifact={coordinates}", "-DoutputDirectory=..")
    options = ("--additional-properties", "disallowAdditionalPropertiesIfNotPresent=false")
    return fetch, ("java", "-jar", _JAR, "generate", "-g", language, "-i", document, "-o", "client", *options)


MAKERS = (
    Maker(
        name="openapi-python-client",
        version=_PYTHON_CLIENT,
        needs=(),
        program="openapi_python_client.py",
        place="record.py",
        steps=(
            *_in_environment(f"openapi-python-client=={_PYTHON_CLIENT}"),
            (
                *("venv/bin/openapi-python-client", "generate", "--path", "../openapi.json", "--output-path", "client"),
                *("--config", str(PROGRAMS / "openapi_python_client.json")),
            ),
            _import_all("parley_client"),
        ),
        record=("venv/bin/python", "record.py"),
        lacks="audio, unless `content_type_overrides` of its configuration make `application/octet-stream` of it; it"
        " follows links with `follow_redirects=True`",
    ),
    Maker(
        name="oapi-codegen",
        version=f"{_CODEGEN} (Go)",
        needs=("go",),
        program="oapi_codegen.go",
        place="record/main.go",
        steps=(
            ("go", "mod", "init", "example.com/parley"),
            (
                *("go", "run", f"github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v{_CODEGEN}"),
                *("-generate", "types,client", "-package", "parley", "-o", "parley.go", "../openapi.json"),
            ),
            ("go", "mod", "tidy"),
            ("go", "build", "-o", "recorder", "./record"),
        ),
        record=("./recorder",),
    ),
    Maker(
        name="openapi-typescript",
        version=f"{_TYPESCRIPT} (with openapi-fetch {_FETCH})",
        needs=("npm", "node"),
        program="openapi_typescript.ts",
        place="record.ts",
        steps=(
            ("npm", "init", "--yes", "--init-type", "module"),
            (
                *("npm", "install", "--silent", f"openapi-typescript@{_TYPESCRIPT}", f"openapi-fetch@{_FETCH}"),
                *("typescript@5.9.3", "@types/node@20.19.25"),
            ),
            ("node_modules/.bin/openapi-typescript", "../openapi.json", "--output", "parley.ts"),
            (
                *("node_modules/.bin/tsc", "--strict", "--target", "es2022", "--module", "nodenext"),
                *("--skipLibCheck", "--outDir", "out", "record.ts", "parley.ts"),
            ),
        ),
        record=("node", "out/record.js"),
    ),
    Maker(
        name="openapi-generator-python",
        version=_GENERATOR,
        needs=("mvn", "java"),
        program="openapi_generator_python.py",
        place="record.py",
        steps=(
            _WITHOUT_WEBHOOKS,
            *_generator("python", document="openapi.json"),
            *_in_environment("-r", "client/requirements.txt"),
            _import_all("openapi_client"),
        ),
        record=("venv/bin/python", "record.py"),
        lacks=f"the `webhooks` section, of which it makes functions that don't compile; {_NEW_MEMBERS}",
    ),
    Maker(
        name="openapi-generator-java",
        version=_GENERATOR,
        needs=("mvn", "java"),
        program="OpenapiGeneratorJava.java",
        place="client/src/main/java/OpenapiGeneratorJava.java",
        steps=(
            *_generator("java"),
            ("mvn", "-q", "-f", "client/pom.xml", "compile", "dependency:copy-dependencies"),
        ),
        record=("java", "-cp", "client/target/classes:client/target/dependency/*", "OpenapiGeneratorJava"),
        lacks=_NEW_MEMBERS,
    ),
)
