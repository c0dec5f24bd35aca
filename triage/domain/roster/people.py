"""People who can be paged, and the routes on which they are reached."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from urllib.parse import urlsplit

from triage.domain.roster.contact import EVERY_PAGE, ContactRule
from triage.domain.roster.telephone import Provider

RouteKind = Literal["inbox", "webhook", "apprise", "sms", "voice", "webpush"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to reach a person. `url`, `secret` and `to` may be references (`env:`, `file:`).

    A reference is resolved when a page is sent. None of these values shows in the printed form.
    `to` is a telephone number, which `provider` reaches (kinds sms and voice).
    """

    name: str
    kind: RouteKind
    url: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    to: str | None = field(default=None, repr=False)
    provider: Provider | None = None
    proven_at: date | None = None
    rule: ContactRule = EVERY_PAGE

    @property
    def carrier(self) -> str:
        """Who carries it, without secrets: two routes of one carrier can fail together.

        A telephone provider, the host of a webhook, the service of an Apprise address; a reference
        stands for itself, since what it leads to is not known here.
        """
        if self.provider is not None:
            return f"provider {self.provider.name}"
        url = self.url or ""
        if url.startswith(("env:", "file:")) or "://" not in url:
            return f"{self.kind} {url}".rstrip()
        parts = urlsplit(url)
        return f"{self.kind} {parts.hostname if self.kind == 'webhook' else parts.scheme}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be paged; `routes` in the order in which they are tried."""

    id: str
    name: str
    role: str
    routes: tuple[Route, ...] = ()
