"""What Dockerfile and compose.yaml name exists and agrees; `make image` builds the image and runs it."""

import argparse
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_api.server import GRACE_SECONDS as API_GRACE_SECONDS
from parley.health_check import health_urls
from parley.installation.settings_loading import SECRET_FIELDS, load_settings
from parley.servers.livekit_program import VERSION as LIVEKIT_VERSION
from sessions.settings import Settings

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
PARLEY_SERVICES = {"migrate", "api", "worker"}
STOPPED = ("api", "worker")


def _commands() -> set[str]:
    from parley.cli import build_parser

    [subparsers] = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return set(subparsers.choices)


def _copied_from_context() -> list[str]:
    """Sources of COPY lines that don't name another stage."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def _environment(service: str) -> dict[str, str]:
    environment: dict[str, str] = COMPOSE["services"][service].get("environment", {})
    return environment


def test_copied_paths_exist_and_reach_the_build() -> None:
    """Every path that the image copies is in the repository and not hidden by .dockerignore."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = _copied_from_context()
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert let_through == set(copied)


def test_image_holds_every_package() -> None:
    """A package added to the distribution is copied too."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["build-backend"]["module-name"]
    assert set(packages) <= set(_copied_from_context())


def test_files_that_the_distribution_is_built_from_reach_the_build() -> None:
    """What pyproject.toml names: without its license the package can't be built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {project["readme"], *project["license-files"]} <= set(_copied_from_context())


def test_what_changes_most_comes_last() -> None:
    """A release changes our packages: they are a layer of their own above the dependencies."""
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    instructions = [line for line in last_stage.splitlines()[1:] if re.match(r"[A-Z]+ ", line)]
    assert [line.split()[:2] for line in instructions[-2:]] == [
        ["COPY", "--from=dependencies"],
        ["COPY", "--from=build"],
    ]


def test_named_commands_exist() -> None:
    """What the image and the services run are commands of parley, which is the image's entry point."""
    assert re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE) == ['["parley"]']
    default = yaml.safe_load(re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)[-1])
    named = [default[0]] + [COMPOSE["services"][service]["command"][0] for service in PARLEY_SERVICES]
    assert set(named) <= _commands()


def test_services_are_the_whole_stack() -> None:
    """The database, a LiveKit to try it with, the migration and the two halves of Parley."""
    assert set(COMPOSE["services"]) == {"postgres", "livekit"} | PARLEY_SERVICES


def test_environment_names_are_settings() -> None:
    """A misspelled setting would be ignored silently."""
    known = {f"PARLEY_{name.upper()}" for name in Settings.model_fields}
    known |= {f"PARLEY_{name.upper()}_FILE" for name in SECRET_FIELDS}
    in_image = re.findall(r"^\s+(?:ENV )?PARLEY_DEFAULT_(\w+)=", DOCKERFILE, re.MULTILINE)
    assert in_image
    named = {f"PARLEY_{name}" for name in in_image}
    for service in PARLEY_SERVICES:
        named |= set(_environment(service))
    assert named
    assert named <= known


def test_services_configure_valid_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The composed environment, with the secrets that its first lines make, is one that Parley starts with."""
    _make_secrets(tmp_path)
    for name, value in _environment("api").items():
        if name.endswith("_FILE"):
            monkeypatch.setenv(name, value.replace("/run/secrets", str(tmp_path / "secrets")))
            continue
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:([?-])([^}]*)\}", lambda m: m[2] if m[1] == "-" else "s" * 32, value))
    settings = load_settings()
    assert settings.database_url is not None
    password = (tmp_path / "secrets" / "postgres_password").read_text().strip()
    assert settings.database_url.get_secret_value() == f"postgresql://parley:{password}@postgres:5432/parley"
    assert settings.master_key is not None
    assert re.fullmatch(r"parley_master_\w{43}", settings.master_key.get_secret_value())
    assert settings.storage_url == f"file://{_image_data_dir()}/objects"


def _image_data_dir() -> str:
    return str(re.findall(r"PARLEY_DEFAULT_DATA_DIR=(\S+)", DOCKERFILE)[0])


def test_data_of_services_lies_in_their_volume() -> None:
    """Recordings and spools survive the container, and API and worker see the same ones."""
    for service in PARLEY_SERVICES:
        assert COMPOSE["services"][service]["volumes"] == [f"parley:{_image_data_dir()}"]


def test_versions_agree() -> None:
    """One version of uv, one of LiveKit and one base image, wherever they are named."""
    makefile = (ROOT / "Makefile").read_text()
    uv_versions = re.findall(r"uv==([\d.]+)", DOCKERFILE) + re.findall(r"^UV_VERSION := (.+)$", makefile, re.MULTILINE)
    assert len(uv_versions) == 2
    assert len(set(uv_versions)) == 1
    assert COMPOSE["services"]["livekit"]["image"] == f"livekit/livekit-server:{LIVEKIT_VERSION}"
    bases = re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", bases[0])


def test_secrets_are_files_that_a_service_is_given() -> None:
    """Every password, key and secret; LiveKit's own come from the environment, which must name them."""
    for service, settings in COMPOSE["services"].items():
        named = set()
        for name, value in _environment(service).items():
            if not re.search(r"PASSWORD|SECRET|_KEY|KEYS|DATABASE_URL", name):
                continue
            if service == "livekit":
                assert re.search(r"\$\{\w+:\?", value), f"{service}: {name}"
            else:
                assert name.endswith("_FILE"), f"{service}: {name}"
                named.add(value.removeprefix("/run/secrets/"))
        assert named == set(settings.get("secrets", ())), service


def test_the_first_lines_make_the_files_in_a_folder_of_their_owners(tmp_path: Path) -> None:
    """All that are named, and no others; the containers' user may read what is in there. None is committed."""
    _make_secrets(tmp_path)
    made = {f"secrets/{path.name}": path for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.values()} == {0o644}
    assert {"/secrets/", "/.env"} <= set((ROOT / ".gitignore").read_text().splitlines())
    written = dict(line.split("=") for line in (tmp_path / ".env").read_text().splitlines())
    assert {name: len(value) for name, value in written.items()} == {"LIVEKIT_API_KEY": 15, "LIVEKIT_API_SECRET": 64}


def _make_secrets(folder: Path) -> None:
    """Run the commands at the top of compose.yaml."""
    lines = re.findall(r"^#   (.+)$", (ROOT / "compose.yaml").read_text().partition("\n# then")[0], re.MULTILINE)
    subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=folder, check=True)


def test_image_does_not_run_as_root() -> None:
    """The last stage ends as another user, named by a number: Kubernetes looks no name up."""
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.findall(r"^USER (.+)$", last_stage, re.MULTILINE)[-1]
    assert user.isdecimal()
    assert int(user) > 0
    assert f"useradd --uid {user} " in last_stage


def test_services_may_do_nothing_but_their_work() -> None:
    """Each writes into its volume only, and has no rights that it does not need."""
    for service in PARLEY_SERVICES:
        assert COMPOSE["services"][service]["read_only"] is True
        assert COMPOSE["services"][service]["cap_drop"] == ["ALL"]
    for name, service in COMPOSE["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name


def test_workers_share_a_network_with_the_database_alone_and_one_with_rooms() -> None:
    """That of the database has no way out, and rooms' servers are not in it."""
    networks = {name: set(service["networks"]) for name, service in COMPOSE["services"].items()}
    assert networks["worker"] == {"database", "rooms"}
    assert networks["postgres"] == {"database"}
    assert networks["livekit"] == {"rooms"}
    assert COMPOSE["networks"]["database"]["internal"] is True
    assert "ports" not in COMPOSE["services"]["postgres"]


def test_ports_are_published_on_this_host_alone_and_rooms_can_be_talked_in() -> None:
    """Each port that LiveKit is configured with is published under the same number, as its candidates name it."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    configured = yaml.safe_load(_environment("livekit")["LIVEKIT_CONFIG"])
    rtc = configured["rtc"]
    media = {f"{configured['port']}", f"{rtc['tcp_port']}", f"{rtc['udp_port']}/udp"}
    published = [port.removeprefix("127.0.0.1:").partition(":") for port in COMPOSE["services"]["livekit"]["ports"]]
    assert {inside for _, _, inside in published} == media
    assert all(outside == inside.removesuffix("/udp") for outside, _, inside in published)


def test_services_are_killed_later_than_they_end_by_themselves() -> None:
    """The engine's own patience is 10 s, which is what the API alone takes at most."""
    patience = {name: float(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) for name in STOPPED}
    assert patience["api"] > API_GRACE_SECONDS + 5
    assert patience["worker"] >= Settings.model_fields["grace_seconds"].default + 30


def test_health_check_asks_the_port_that_both_commands_listen_on() -> None:
    """API and worker answer /healthz where the image's settings say, or its user's."""
    in_image = dict(re.findall(r"^\s+(PARLEY_DEFAULT_\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
    assert re.findall(r"CMD (.+parley\.health_check.+)$", DOCKERFILE, re.MULTILINE)
    assert health_urls(in_image) == ["http://127.0.0.1:8080/healthz"]
    assert health_urls({**in_image, "PARLEY_API_PORT": "9000", "PARLEY_API_HOST": "::"}) == [
        "http://127.0.0.1:9000/healthz",
        "http://127.0.0.1:8080/healthz",
    ]
    assert health_urls({**in_image, "PARLEY_API_HOST": "::1", "PARLEY_WORKER_PORT": "tcp://10.96.12.7:80"}) == [
        "http://[::1]:8080/healthz"
    ]


def test_services_have_an_init_process() -> None:
    """Python has no handler in the first tenth of a second, in which a PID 1 would not hear a SIGTERM."""
    assert {COMPOSE["services"][service]["init"] for service in PARLEY_SERVICES} == {True}


def test_runtime_pins_are_a_subset_of_the_tested_ones() -> None:
    """The image holds exactly the versions that the tests ran with, each with its hashes."""

    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[A-Za-z0-9._-]+==[^\s;]+", (ROOT / name).read_text(), re.MULTILINE))

    runtime = pins("requirements-runtime.txt")
    assert any(pin.startswith("livekit==") for pin in runtime)
    assert not any(pin.startswith("pytest==") for pin in runtime)
    assert runtime <= pins("requirements.txt")
