"""Every link of ours is made in one module."""

import ast
from pathlib import Path

import control_api
from control_api.http.answers.public_address import PublicAddress

ROOT = Path(control_api.__file__).parent
HOME = ROOT / "http/answers/public_address.py"


def _sets_location(node: ast.AST) -> bool:
    """A Location header in the making: `hdrs.LOCATION` anywhere, or the word as a key of what is no description."""
    if isinstance(node, ast.Attribute):
        return node.attr == "LOCATION"
    if isinstance(node, ast.Dict):
        return any(
            isinstance(key, ast.Constant)
            and str(key.value).lower() == "location"
            and not (isinstance(value, ast.Constant) and str(value.value).startswith("The "))
            for key, value in zip(node.keys, node.values, strict=True)
        )
    return False


def test_location_headers_are_made_in_one_place() -> None:
    """So none forgets the path of the public URL. What the cross-origin module lists is a name, not a header."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if _sets_location(node)
    }
    assert found == {HOME.relative_to(ROOT).as_posix(), "http/serving/cross_origin.py"}


def test_the_path_of_the_public_url_is_kept() -> None:
    """With a slash at its end or without; without a public URL nothing is added."""
    for public in ("https://a.example/parley", "https://a.example/parley/"):
        address = PublicAddress(public, "http://127.0.0.1:8080")
        assert address.url("/v1/x") == "https://a.example/parley/v1/x"
        assert address.path("/v1/x") == "/parley/v1/x"
        assert address.server == "https://a.example/parley"
    address = PublicAddress(None, "http://127.0.0.1:8080")
    assert (address.url("/v1/x"), address.path("/v1/x"), address.server) == ("http://127.0.0.1:8080/v1/x", "/v1/x", "/")
