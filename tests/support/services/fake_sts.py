"""AWS's token service on loopback, behind TLS of its own: whoever brings a web identity gets keys."""

import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>something</SecretAccessKey><SessionToken>session token</SessionToken>
<Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


@dataclass
class FakeSts:
    """What a test looks at, and how long the keys last.

    Attributes:
        url: `https://127.0.0.1:port`.
        authority: certificate of the authority that vouches for it, in PEM.
        asked: the parameters of each request; its answer has the key `KEYOFSTS<number>`, from 1.
    """

    url: str
    authority: Path
    asked: list[dict[str, str]] = field(default_factory=list)
    lifetime: timedelta = timedelta(hours=1)


@contextmanager
def fake_sts(folder: Path) -> Iterator[FakeSts]:
    """Serve until the block ends; its certificate lies in `folder`."""
    authority, server_certificate = certificates(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            found = parse_qs(urlsplit(self.path).query) | parse_qs(body)
            sts.asked.append({name: values[0] for name, values in found.items()})
            expiration = (datetime.now(UTC) + sts.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
            answer = _ANSWER.format(key=f"KEYOFSTS{len(sts.asked)}", expiration=expiration).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sts = FakeSts(f"https://127.0.0.1:{server.server_port}", authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server_certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield sts
        finally:
            server.shutdown()
            thread.join()


def certificates(folder: Path) -> tuple[Path, Path]:
    """Of an authority; and of 127.0.0.1, vouched for by it, with its key."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("an authority", authority_key, None, authority_key)
    server = _certificate("127.0.0.1", key, authority, authority_key)
    paths = folder / "authority.pem", folder / "sts.pem"
    paths[0].write_bytes(authority.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths[1].write_bytes(private + server.public_bytes(Encoding.PEM))
    return paths


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address(name))
        certificate = certificate.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return certificate.sign(signer, hashes.SHA256())
