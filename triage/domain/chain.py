"""The hash chain of a case's log: each link is hashed over the one before."""

import hashlib


def link_hash(previous: str, document: str) -> str:
    """The hash of a link: SHA-256 (hex) over the previous link's hash, a newline, its document.

    `previous` is empty for the first link.
    """
    return hashlib.sha256(f"{previous}\n{document}".encode()).hexdigest()
