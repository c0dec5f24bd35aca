"""Fetches calendar feeds, keeps the last good copy of each, and says when one is stale."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from triage.domain.errors import TriageError
from triage.domain.roster.feeds import Feed
from triage.handle import Desk
from triage.rosters.ical_in import LARGEST_BYTES, UnsoundFeed, read_feed
from triage.store.records import FeedCopy
from triage.store.store import Store

EVERY = timedelta(minutes=15)
SEND_SECONDS = 20.0
LOOK_SECONDS = 10.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave: `content` None where it is as before (`etag` held)."""

    content: bytes | None
    etag: str | None = None


class FeedFetcher:
    """Synchronous looks at each feed; `environment` is where `env:` references lead."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        environment: Mapping[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._store, self._desk, self._environment = store, desk, environment
        self._transport = transport

    def turn(self, now: datetime) -> int:
        """Look at every feed that was not looked at for 15 minutes; returns how many.

        A feed that cannot be fetched or read leaves its last good copy in force, with the reason.
        """
        with self._store.read() as reader:
            known = reader.feed_copies()
        due = [feed for feed in self._desk.roster.feeds if _is_due(known.get(feed.name), now)]
        for feed in due:
            before = known.get(feed.name) or FeedCopy(feed=feed.name, checked_at=now)
            copy = self._look(feed, before, now)
            with self._store.begin() as tx:
                tx.keep_feed(copy)
        return len(due)

    def _look(self, feed: Feed, before: FeedCopy, now: datetime) -> FeedCopy:
        try:
            found = self._fetch(feed, before.etag if before.content else None)
            content = before.content if found.content is None else found.content
            assert content is not None
            read_feed(content, feed, self._desk.roster, now=now)
        except TriageError as error:
            # what stands in a calendar may be anybody's name: it is told by the check, not here
            _LOG.error("feeds.refused: %s (triage roster check says why)", feed.name)
            return replace(before, checked_at=now, problem=error.what)
        etag = before.etag if found.content is None else found.etag
        return replace(
            before, checked_at=now, fetched_at=now, etag=etag, content=content, problem=None
        )

    def _fetch(self, feed: Feed, etag: str | None) -> Fetched:
        if feed.file is not None:
            return Fetched(_read(Path(feed.file), feed))
        return self._get(feed, self._address(feed), etag)

    def _address(self, feed: Feed) -> str:
        url = feed.url or ""
        if url.startswith("env:"):
            url = self._environment.get(url.removeprefix("env:"), "")
        elif url.startswith("file:"):
            url = _read(Path(url.removeprefix("file:")), feed).decode("utf-8", "replace").strip()
        if not url.startswith(("https://", "http://")):
            what = f"feed {feed.name}: its address is not set"
            raise UnsoundFeed(what, hint="see docs/rosters.md")
        return url

    def _get(self, feed: Feed, url: str, etag: str | None) -> Fetched:
        """One request, limited in time and size. The address may hold a secret: never told."""
        headers = {"Accept": "text/calendar", **({"If-None-Match": etag} if etag else {})}
        try:
            with (
                httpx.Client(timeout=SEND_SECONDS, transport=self._transport) as client,
                client.stream("GET", url, headers=headers) as answer,
            ):
                if answer.status_code == httpx.codes.NOT_MODIFIED and etag:
                    return Fetched(None)
                if answer.status_code != httpx.codes.OK:
                    raise UnsoundFeed(f"feed {feed.name}: the address answers {answer.status_code}")
                return Fetched(_limited(answer, feed), answer.headers.get("etag"))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnsoundFeed(f"feed {feed.name}: no answer ({type(error).__name__})") from None


def _is_due(copy: FeedCopy | None, now: datetime) -> bool:
    return copy is None or now - copy.checked_at >= EVERY


def _limited(answer: httpx.Response, feed: Feed) -> bytes:
    found = b""
    for part in answer.iter_bytes():
        found += part
        if len(found) > LARGEST_BYTES:
            raise UnsoundFeed(f"feed {feed.name}: larger than {LARGEST_BYTES} bytes")
    return found


def _read(file: Path, feed: Feed) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        what = f"feed {feed.name}: {error.strerror}"
        raise UnsoundFeed(what, hint="name a readable file") from None
