"""The jars that Kafka runs from: only what the list names, with the digests that it names."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from triage.proof.kafka_jars import (
    LOCK_FILE,
    MAVEN_CENTRAL,
    JarsUnavailable,
    cache_directory,
    fetch_jars,
    lock_lines,
    read_lock,
    repository,
)

JARS = {
    "/org/example/one/1.0/one-1.0.jar": b"first jar",
    "/org/example/sub/two/2.1/two-2.1.jar": b"second jar",
}


@dataclass(slots=True)
class Repository:
    """A Maven repository on 127.0.0.1 that remembers what was asked for."""

    address: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def maven() -> Iterator[Repository]:
    served = Repository(address="", files=dict(JARS))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            content = served.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Quiet: the test's own list is the record."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "jars.lock"
    path.write_text(
        "# two jars\n"
        f"org.example:one:1.0 {hashlib.sha256(b'first jar').hexdigest()}\n"
        f"org.example.sub:two:2.1 {hashlib.sha256(b'second jar').hexdigest()}  # a comment\n"
    )
    return path


def test_a_second_run_downloads_nothing(maven: Repository, lock: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = fetch_jars(lock, cache=cache, base=maven.address)
    assert [path.read_bytes() for path in first] == [b"first jar", b"second jar"]
    assert sorted(maven.asked) == sorted(JARS)
    assert fetch_jars(lock, cache=cache, base=maven.address) == first
    assert len(maven.asked) == 2


def test_an_interrupted_run_goes_on_where_it_stopped(
    maven: Repository, lock: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "one-1.0.jar").write_bytes(b"first jar")
    fetch_jars(lock, cache=cache, base=maven.address)
    assert maven.asked == ["/org/example/sub/two/2.1/two-2.1.jar"]


def test_a_damaged_file_in_the_cache_is_fetched_again(
    maven: Repository, lock: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fetch_jars(lock, cache=cache, base=maven.address)
    (cache / "two-2.1.jar").write_bytes(b"secon")
    jars = fetch_jars(lock, cache=cache, base=maven.address)
    assert jars[1].read_bytes() == b"second jar"


def test_a_jar_that_differs_from_the_list_is_refused_and_not_kept(
    maven: Repository, lock: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    maven.files["/org/example/one/1.0/one-1.0.jar"] = b"something else"
    with pytest.raises(JarsUnavailable) as refused:
        fetch_jars(lock, cache=cache, base=maven.address)
    assert "org.example:one:1.0" in refused.value.what
    assert hashlib.sha256(b"something else").hexdigest() in refused.value.what
    assert "do not run it" in refused.value.hint
    assert not (cache / "one-1.0.jar").exists()


def test_a_tampered_list_is_refused_even_where_the_jar_is_cached(
    maven: Repository, lock: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fetch_jars(lock, cache=cache, base=maven.address)
    true_digest = hashlib.sha256(b"first jar").hexdigest()
    tampered = tmp_path / "tampered.lock"
    tampered.write_text(lock.read_text().replace(true_digest, "0" * 64))
    with pytest.raises(JarsUnavailable, match=r"SHA-256 of org\.example:one:1\.0"):
        fetch_jars(tampered, cache=cache, base=maven.address)


def test_a_repository_without_the_jar_is_named(
    maven: Repository, lock: Path, tmp_path: Path
) -> None:
    del maven.files["/org/example/one/1.0/one-1.0.jar"]
    with pytest.raises(JarsUnavailable) as refused:
        fetch_jars(lock, cache=tmp_path / "cache", base=maven.address)
    assert "org.example:one:1.0 could not be downloaded: 404" in refused.value.what
    assert "TRIAGE_MAVEN_REPOSITORY" in refused.value.hint


@pytest.mark.parametrize(
    "line",
    ["org.example:one 00", "org.example:one:1.0", f"one {'0' * 64}", "org.example:one:1.0 abc"],
)
def test_an_unsound_line_of_the_list_is_named(line: str) -> None:
    with pytest.raises(JarsUnavailable, match="line 2 is not a jar"):
        read_lock(f"# list\n{line}\n")


def test_the_list_that_ships_names_each_jar_once_and_holds_kafka() -> None:
    jars = read_lock(LOCK_FILE.read_text())
    assert len(jars) == 92
    assert "org.apache.kafka:kafka_2.13:4.3.1" in {jar.coordinate for jar in jars}
    bindings = [
        jar.coordinate for jar in jars if "slf4j" in jar.coordinate and "impl" in jar.coordinate
    ]
    assert bindings == ["org.apache.logging.log4j:log4j-slf4j2-impl:2.26.1"]


def test_the_list_is_renewed_from_a_folder_that_maven_filled(lock: Path, tmp_path: Path) -> None:
    libs = tmp_path / "libs"
    for path, content in JARS.items():
        target = libs / path.lstrip("/")
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
    assert read_lock("\n".join(lock_lines(libs))) == tuple(
        sorted(read_lock(lock.read_text()), key=lambda jar: jar.coordinate)
    )


def test_the_cache_lies_outside_the_checkout_unless_told_otherwise(tmp_path: Path) -> None:
    assert cache_directory({}) == Path.home() / ".cache" / "triage" / "kafka-4.3.1"
    assert cache_directory({"XDG_CACHE_HOME": "/c"}) == Path("/c/triage/kafka-4.3.1")
    assert cache_directory({"TRIAGE_KAFKA_CACHE": str(tmp_path)}) == tmp_path


def test_the_repository_is_the_environments_then_the_users_mirror_then_central(
    tmp_path: Path,
) -> None:
    home = {"HOME": str(tmp_path)}
    assert repository(home) == MAVEN_CENTRAL
    settings = tmp_path / ".m2" / "settings.xml"
    settings.parent.mkdir()
    settings.write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>'
        "<mirror><mirrorOf>*,!central</mirrorOf><url>http://other.test/</url></mirror>"
        "<mirror><mirrorOf>central</mirrorOf><url>http://mirror.test/maven/</url></mirror>"
        "</mirrors></settings>"
    )
    assert repository(home) == "http://mirror.test/maven"
    assert (
        repository({**home, "TRIAGE_MAVEN_REPOSITORY": "http://ours.test/"}) == "http://ours.test"
    )
    settings.write_text("<settings>")
    with pytest.raises(JarsUnavailable, match=r"settings\.xml is not XML"):
        repository(home)
