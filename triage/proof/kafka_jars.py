"""The jars of Apache Kafka: a pinned list, a download that checks it, a cache that keeps it.

The list (`infra/kafka/jars.lock`) holds one line per jar, `group:artifact:version sha256`; `#`
starts a comment. The cache lies outside the checkout, so that a second run downloads nothing.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from triage.domain.errors import TriageError

KAFKA_VERSION = "4.3.1"
INFRA = Path(__file__).resolve().parents[2] / "infra" / "kafka"
LOCK_FILE = INFRA / "jars.lock"
MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
_PARALLEL = 8
_ATTEMPTS = 3
_TIMEOUT_SECONDS = 60
_SHA256_HEX = 64


class JarsUnavailable(TriageError):
    """The jars are not all there, or one is not what the list says; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One line of the list."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(text: str) -> tuple[Jar, ...]:
    """The jars in the order of the list. Raises JarsUnavailable naming the first unsound line."""
    jars: dict[str, Jar] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].split()
        if not line:
            continue
        if len(line) != 2 or line[0].count(":") != 2 or len(line[1]) != _SHA256_HEX:
            raise JarsUnavailable(
                f"jars.lock line {number} is not a jar: {raw!r}",
                hint="write group:artifact:version, a space, and 64 hexadecimal digits",
            )
        jar = Jar(coordinate=line[0], sha256=line[1].lower())
        if jar.file_name in jars:
            raise JarsUnavailable(
                f"jars.lock line {number} repeats a file: {jar.file_name}",
                hint="renew the list as infra/kafka/README.md says",
            )
        jars[jar.file_name] = jar
    return tuple(jars.values())


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Where the jars are kept: TRIAGE_KAFKA_CACHE, else the user's cache directory."""
    if chosen := environ.get("TRIAGE_KAFKA_CACHE"):
        return Path(chosen).expanduser()
    base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "triage" / f"kafka-{KAFKA_VERSION}"


def repository(environ: Mapping[str, str]) -> str:
    """Base address without trailing slash: TRIAGE_MAVEN_REPOSITORY, else the mirror of Maven
    Central in the user's ~/.m2/settings.xml, else Maven Central."""
    if chosen := environ.get("TRIAGE_MAVEN_REPOSITORY"):
        return chosen.rstrip("/")
    settings = Path(environ.get("HOME", "~")).expanduser() / ".m2" / "settings.xml"
    mirror = _mirror_of_central(settings.read_text()) if settings.is_file() else None
    return (mirror or MAVEN_CENTRAL).rstrip("/")


def _mirror_of_central(settings_xml: str) -> str | None:
    try:
        tree = ElementTree.fromstring(settings_xml)
    except ElementTree.ParseError as error:
        raise JarsUnavailable(
            f"~/.m2/settings.xml is not XML: {error}",
            hint="mend it, or set TRIAGE_MAVEN_REPOSITORY",
        ) from error
    for mirror in tree.iterfind(".//{*}mirror"):
        names = {name.strip() for name in mirror.findtext("{*}mirrorOf", "").split(",")}
        if names & {"*", "central", "external:*"} and "!central" not in names:
            return mirror.findtext("{*}url", "").strip() or None
    return None


def fetch_jars(
    lock: Path = LOCK_FILE, *, cache: Path | None = None, base: str | None = None
) -> tuple[Path, ...]:
    """Every jar of the list as a file whose SHA-256 was just compared; downloads what is missing.

    Jars that are already there are kept, so an interrupted run goes on where it stopped. Several
    processes may do this at once. Raises JarsUnavailable: no network, or a digest that differs
    (the refused file is not kept).
    """
    cache = cache or cache_directory(os.environ)
    base = base or repository(os.environ)
    jars = read_lock(lock.read_text(encoding="utf-8"))
    cache.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if not _is_sound(cache / jar.file_name, jar)]
    if missing:
        print(f"fetching {len(missing)} jars of Apache Kafka from {base}", file=sys.stderr)
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        list(pool.map(lambda jar: _download(jar, cache, base), missing))
    return tuple(cache / jar.file_name for jar in jars)


def _is_sound(path: Path, jar: Jar) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def _download(jar: Jar, cache: Path, base: str) -> None:
    content = _get(jar, base)
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise JarsUnavailable(
            f"SHA-256 of {jar.coordinate} from {base} differs: {found}, listed {jar.sha256}",
            hint="do not run it; check the repository, or renew the list as "
            "infra/kafka/README.md says",
        )
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".part", delete=False) as part:
        part.write(content)
    Path(part.name).replace(cache / jar.file_name)


def _get(jar: Jar, base: str) -> bytes:
    try:
        import requests
        from maven_artifact.artifact import Artifact
        from maven_artifact.requestor import Requestor
    except ImportError as error:
        raise JarsUnavailable(
            f"a package for the download is missing: {error.name}",
            hint="install the test extra: pip install -e '.[test]'",
        ) from error
    url: str = Artifact.parse(jar.coordinate).uri(base)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            content: bytes = Requestor().request(
                url, None, lambda answer: answer.content, timeout=_TIMEOUT_SECONDS
            )
            return content
        except requests.RequestException as error:
            if attempt == _ATTEMPTS:
                raise JarsUnavailable(
                    f"{jar.coordinate} could not be downloaded: {error}",
                    hint="check the network, or name a mirror in TRIAGE_MAVEN_REPOSITORY",
                ) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def lock_lines(libs: Path) -> tuple[str, ...]:
    """The list for the jars below `libs`, which is in Maven's repository layout, sorted."""
    lines = []
    for path in libs.rglob("*.jar"):
        *group, artifact, version, _ = path.relative_to(libs).parts
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{'.'.join(group)}:{artifact}:{version} {digest}")
    return tuple(sorted(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """`fetch` fills the cache and prints where; `lock DIR` prints the list for copied jars."""
    parser = argparse.ArgumentParser(prog="python -m triage.proof.kafka_jars", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("fetch", help="download what is missing and compare every digest")
    lock = verbs.add_parser("lock", help="print the list for a folder that Maven filled")
    lock.add_argument("libs", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.verb == "lock":
        print("\n".join(lock_lines(chosen.libs)))
        return 0
    try:
        jars = fetch_jars()
    except JarsUnavailable as error:
        print(f"{error.what}\nhint: {error.hint}", file=sys.stderr)
        return 2
    print(f"{len(jars)} jars in {jars[0].parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
