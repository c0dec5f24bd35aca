"""Several receiving sites (docs/rosters.md, decision 13): at which a case is, and since when."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from tests.second_opinion.case_chart import Chart
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_roster import SITE, Rosters, rosters_of
from tests.second_opinion.case_senders import may_send
from triage.domain.events import Event, EventType

NAMES_ONE = (EventType.REFERRAL_SUBMITTED, EventType.REFERRAL_UPDATED)


@dataclass(frozen=True)
class Sites:
    """Who serves at each, and when it is open; `default` is where what names none goes."""

    rosters: Mapping[str, Rosters]
    hours: Mapping[str, Hours]
    default: str = SITE

    def meant(self, destination: str) -> str:
        """'whatever the letter case; with none, or one that nobody knows, at `default_site`'"""
        names = {each.casefold(): each for each in self.rosters}
        return names.get(destination.strip().casefold(), self.default)

    def last(self, events: Iterable[Event]) -> str:
        """Where everything known by now sends it."""
        named = [each for each in map(destination_of, events) if each]
        return self.meant(named[-1]) if named else self.default


def sites_of(text: str) -> Sites:
    """Of a roster's file."""
    found = tomllib.loads(text)
    hours = {
        name: Hours(
            ZoneInfo(each["zone"]),
            int(each["hours"]["from"][:2]),
            int(each["hours"]["to"][:2]),
            tuple(map(date.fromisoformat, each["holidays"])),
        )
        for name, each in found["site"].items()
    }
    return Sites({name: rosters_of(text, name) for name in hours}, hours, found["default_site"])


def destination_of(event: Event) -> str | None:
    """What it says of where the patient is to go."""
    named = event.data.get("destination")
    counts = event.type in NAMES_ONE and may_send(event)
    return named if counts and isinstance(named, str) and named.strip() else None


def send_on(chart: Chart, event: Event, sites: Sites) -> None:
    """'A later message may send it on'; what opens the case is where it starts."""
    named = destination_of(event)
    site = sites.meant(named) if named else chart.site
    if site != chart.site:
        is_first = chart.opener is None or chart.opener.key == event.key
        chart.site, chart.rosters = site, sites.rosters[site]
        chart.sent_on = None if is_first else event.received_at
