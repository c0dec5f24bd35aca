"""Rosters for stories: invented people on call, some of them with gaps and turns."""

from random import Random

_PEOPLE = (
    ("coord-a", "Sample Coordinator", "coordinator"),
    ("reg-a", "Sample Registrar", "registrar"),
    ("reg-b", "Sample Registrar Two", "registrar"),
    ("con-a", "Sample Consultant", "consultant"),
    ("con-b", "Sample Second Consultant", "second_consultant"),
    ("dir-a", "Sample Clinical Director", "clinical_director"),
    ("site-a", "Sample Site Manager", "site_manager"),
    ("onc-a", "Sample Oncologist", "oncology"),
    ("pall-a", "Sample Palliative Consultant", "palliative"),
)
_HEAD = """version = 1
default_site = "centre:NEURO"
[site."centre:NEURO"]
zone = "Europe/London"
hours = { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "17:00" }
holidays = []
desk = "+44 1632 960100"
"""
_DESK = '{ name = "desk", kind = "webhook", url = "https://desk.example/p", secret = "env:S" }'
_SMS = '{ name = "sms", kind = "apprise", url = "env:SMS_URL" }'
_INBOX = '{ name = "inbox", kind = "inbox" }'
_OFTEN_MISSING = ("second_consultant", "clinical_director", "site_manager", "registrar")
_TURNS = 'every = "1 week"\nhandover = "mon 08:00"\nsince = "2026-01-05"\n'


def sample_roster(luck: Random) -> str:
    """The text of a roster file; roles may be missing, and people share or lack routes."""
    missing = {role for role in _OFTEN_MISSING if luck.random() < 0.12}
    text = [_HEAD]
    for person, name, role in _PEOPLE:
        routes = ", ".join(luck.choice(((_DESK, _SMS), (_DESK,), (_SMS,), (_INBOX,))))
        text.append(f'[person.{person}]\nname = "{name}"\nrole = "{role}"\nroutes = [{routes}]\n')
    roles = dict.fromkeys(role for _, _, role in _PEOPLE)
    text += [_rota(role) for role in roles if role not in missing]
    return "".join(text)


def _rota(role: str) -> str:
    people = [f'"{person}"' for person, _, own in _PEOPLE if own == role]
    turns = _TURNS if len(people) > 1 else ""
    return (
        f'[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\npeople = [{", ".join(people)}]\n{turns}'
    )
