"""Why an object storage fails, in a sentence for whoever runs it.

obstore's errors are texts: they hold the HTTP status and the storage's answer, and also paths, endpoints and key ids.
So none of a text is shown but the status and the code that S3 puts into `<Code>`; the sentences are ours.
"""

import os
import re
from dataclasses import dataclass

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z.]{1,60})</Code>|\(code: ([A-Za-z.]{1,60})\)")
# A 404 whose code names one of these is not about an object (versitygw answers 404 XAdminUserNotFound to a wrong key).
_NOT_AN_OBJECT = re.compile("Bucket|Container|User|Access|Account|Token|Upload")
_METADATA = re.compile(r"Error performing \w+ http://(169\.254\.|\[fd00:|metadata)")

_NO_BUCKET = "the bucket (or container) does not exist"
_GARBLED = "the storage's answer to DeleteObjects is not S3's"
_NOT_TRUSTED = "the certificate of the endpoint, or of STS, is not trusted: SSL_CERT_FILE may name its authority"
_DENIED = "the storage denies this request to the credentials"

# The first that is found in a text explains it.
_BY_TEXT = (
    ("BadScheme", "the endpoint is http:// and plain http is not allowed: AWS_ALLOW_HTTP=true allows it"),
    ("scheme is not allowed", "the endpoint is http:// and plain http is not allowed: AWS_ALLOW_HTTP=true allows it"),
    ("NoSuchBucket", _NO_BUCKET),
    ("bucket does not exist", _NO_BUCKET),
    ("ContainerNotFound", _NO_BUCKET),
    ("RequestTimeTooSkewed", "the storage refuses the signature: this host's clock is wrong"),
    ("UserNotFound", "the storage does not know the access key"),
    ("InvalidAccessKeyId", "the storage does not know the access key"),
    ("SignatureDoesNotMatch", "the storage refuses the signature: the secret key is wrong"),
    ("ExpiredToken", "the credentials have expired"),
    ("AssumeRoleWithWebIdentity", "the web identity was not accepted: look at AWS_ROLE_ARN and its trust policy"),
    ("AuthorizationHeaderMalformed", "the bucket lies in another region: set AWS_REGION"),
    ("PermanentRedirect", "the bucket lies in another region: set AWS_REGION"),
    ("incorrectly configured region", "the bucket lies in another region: set AWS_REGION"),
    ("invalid DeleteObjects response", _GARBLED),
    ("dns error", "the name of the endpoint does not resolve"),
    ("invalid peer certificate", _NOT_TRUSTED),
    ("InvalidCertificate", _NOT_TRUSTED),
    ("ConnectionRefused", "nobody listens at the endpoint"),
    ("timed out", "the storage does not answer in time"),
    ("kind: Timeout", "the storage does not answer in time"),
)
_BY_STATUS = {
    401: _DENIED,
    403: _DENIED,
    405: "the storage does not offer this kind of request",
    429: "the storage asks for fewer requests",
    501: "the storage does not offer this kind of request",
    503: "the storage is overloaded, or not up yet",
}
# What these say is about rights, absence or patience, not about the kind of the request.
_NOT_ABOUT_THE_KIND = frozenset({401, 403, 404, 408, 409, 412, 425, 429})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a request failed.

    Attributes:
        text: a sentence without names of buckets, keys and hosts.
        status: of the storage's answer; None: there was none, or it was a success with an error in it.
        code: S3's word for it.
    """

    text: str
    status: int | None = None
    code: str | None = None

    @property
    def is_about_more(self) -> bool:
        """Whether it is not the object that is missing, but its bucket, or whoever asks for it."""
        return self.text == _NO_BUCKET or (self.code is not None and _NOT_AN_OBJECT.search(self.code) is not None)

    @property
    def is_denial(self) -> bool:
        """Whether it is about this kind of request's rights, once others have been granted."""
        return self.status in (401, 403) or self.code == "AccessDenied"

    @property
    def is_lack(self) -> bool:
        """Whether another kind of request may do what this one was refused for."""
        if self.status is None:
            return self.text == _GARBLED or self.code in ("NotImplemented", "MethodNotAllowed")
        return self.status == 501 or (400 <= self.status < 500 and self.status not in _NOT_ABOUT_THE_KIND)


NOT_REMOVED = Cause("the storage says that it has removed objects, and still lists them")
NO_FOLDER = Cause("the folder does not exist")


def cause_of(error: Exception) -> Cause:
    """The cause of what obstore or the file system has raised."""
    if isinstance(error, OSError) and error.errno is not None:
        return Cause(f"the file system says: {os.strerror(error.errno)}")
    said = str(error)
    if _METADATA.search(said):
        return Cause("there are no credentials: the cloud's own metadata service, asked as the last resort, has none")
    found = _STATUS.search(said)
    status = int(found[1]) if found else None
    named = _CODE.search(said)
    code = named and (named[1] or named[2])
    for fragment, text in _BY_TEXT:
        if fragment in said:
            return Cause(text, status, code)
    if status in _BY_STATUS:
        return Cause(_BY_STATUS[status], status, code)
    return Cause("the storage fails" if status is not None else "the storage does not answer", status, code)
