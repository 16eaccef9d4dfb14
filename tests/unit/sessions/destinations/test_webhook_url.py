"""Where webhooks may go, as far as a URL tells."""

import pytest

from sessions.destinations.webhook_url import UrlRules, check_webhook_url
from sessions.errors import ParleyError

ANYWHERE = UrlRules(allow_http=True, allow_private_hosts=True, ports=frozenset())


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b%20c?token=1",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_public_urls_are_taken(url: str) -> None:
    """A query is the receiver's business."""
    check_webhook_url(url, UrlRules())


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example.com", "https://", "ftp://hooks.example.com", "http://hooks.example.com"),
        *("https://user:pw@hooks.example.com", "https://hooks.example.com/#x", "https://hooks.example.com/#"),
        *("https://hooks.example.com:22", "https://hooks.example.com:0", "https://hooks.example.com:99999"),
        *("https://hooks example.com", "https://hooks.example.com/a b", "https://hooks.example.com/\n"),
        *("https://h\u00f6oks.example.com", "https://hooks.example.com\\@127.0.0.1/", "https://[fe80::1%25eth0]/"),
        *(
            "https://localhost",
            "https://localhost.",
            "https://a.localhost",
            "https://127.0.0.1",
            "https://127.1",
            "https://0177.0.0.1",
        ),
        *("https://0x7f000001", "https://2130706433", "https://0", "https://10.0.0.1", "https://169.254.169.254"),
        *("https://[::1]", "https://[::]", "https://[::ffff:127.0.0.1]", "https://[64:ff9b::7f00:1]"),
        *(
            "https://[2002:7f00:1::]",
            "https://[fd00::1]",
            "https://[fe80::1]",
            "https://[ff02::1]",
            "https://127.0.0.1.",
        ),
        "https://" + "a" * 254,
    ],
)
def test_others_are_refused(url: str) -> None:
    """With one code, which says what to do."""
    with pytest.raises(ParleyError) as refused:
        check_webhook_url(url, UrlRules())
    assert (refused.value.code, refused.value.param) == ("webhook.url_not_allowed", "url")


@pytest.mark.parametrize("url", ["http://localhost:3000/hook", "http://127.0.0.1:1", "https://[::1]:9999"])
def test_an_installation_may_allow_more(url: str) -> None:
    """For development, and for receivers beside it."""
    check_webhook_url(url, ANYWHERE)
    with pytest.raises(ParleyError):
        check_webhook_url(url, UrlRules())


def test_port_0_stands_for_every_port() -> None:
    """As settings have it."""
    rules = UrlRules.of(allow_http=False, allow_private_hosts=False, ports=(0,))
    check_webhook_url("https://hooks.example.com:4711", rules)
