"""The link of `parley dev` that signs a browser in."""

import http.client
from urllib.parse import urlsplit

from parley.servers.sign_in_link import SignInLink


def _get(url: str) -> tuple[int, str | None]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()


def test_a_link_works_once_and_the_next_one_is_told() -> None:
    """What it hands over is in the fragment; other paths answer nothing."""
    told: list[str] = []
    with SignInLink("http://127.0.0.1:8080/talk", {"key": "k&k", "livekit_url": "ws://x"}, told.append) as link:
        first = link.url
        assert _get(f"{first}x") == (404, None)
        assert _get(first) == (303, "http://127.0.0.1:8080/talk#hand-over&key=k%26k&livekit_url=ws%3A%2F%2Fx")
        assert _get(first) == (404, None)
        assert told == [link.url]
        assert _get(told[0])[0] == 303
