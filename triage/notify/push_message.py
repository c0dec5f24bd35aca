"""Push messages as browsers take them: encrypted for one (RFC 8291), signed by us (RFC 8292).

Keys travel as base64url without padding: P-256 points uncompressed (65 bytes), private keys as
their 32 bytes.
"""

import base64
import os
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE = ec.SECP256R1()
_RECORD = 4096  # bytes; a message is one record
_LAST = b"\x02"  # closes the last record
_TOKEN_LASTS = timedelta(hours=12)  # a push service takes at most 24


def encrypt(
    text: bytes,
    *,
    p256dh: str,
    auth: str,
    ours: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body for one browser (`aes128gcm`). ValueError for keys that are none.

    `ours` and `salt` are new for each message; only the RFC's own example gives them.
    """
    ours, salt = ours or ec.generate_private_key(_CURVE), salt or os.urandom(16)
    theirs = from_base64(p256dh)
    shared = ours.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
    mine = point_of(ours)
    material = _derive(shared, from_base64(auth), b"WebPush: info\0" + theirs + mine, 32)
    key = _derive(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(material, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([len(mine)]) + mine
    return header + AESGCM(key).encrypt(nonce, text + _LAST, None)


def authorization(
    endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str, now: datetime
) -> str:
    """The `Authorization` header that says to a push service who sends."""
    place = urlsplit(endpoint)
    claims = {
        "aud": f"{place.scheme}://{place.netloc}",
        "exp": int((now + _TOKEN_LASTS).timestamp()),
        "sub": contact,
    }
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    signed = ".".join(to_base64(orjson.dumps(each)) for each in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = to_base64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={to_base64(point_of(key))}"


def read_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A private key from its base64url; ValueError when it is none."""
    raw = from_base64(text)
    if len(raw) != 32:
        raise ValueError("a push key has 32 bytes in base64url")
    return ec.derive_private_key(int.from_bytes(raw, "big"), _CURVE)


def new_key() -> str:
    """A new private key, as `read_key` takes it."""
    number = ec.generate_private_key(_CURVE).private_numbers().private_value
    return to_base64(number.to_bytes(32, "big"))


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key that belongs to it, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """The bytes of base64url, padded or not; ValueError for anything else."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
