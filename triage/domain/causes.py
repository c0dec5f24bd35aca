"""Why something is late, in a closed list: what people may state, and what a capacity explains."""

# `details.cause` of a milestone that came late; free words of a sender are never shown.
STATED_CAUSES = (
    "bed",
    "theatre",
    "ambulance",
    "mri",
    "staff",
    "equipment",
    "information",
    "clinical",
    "patient_choice",
    "other",
)

# Which kinds of `capacity.reported.v1` delay which obligation.
DELAYED_BY = {
    "mri": ("mri",),
    "mri_report": ("mri",),
    "transfer": ("ambulance", "bed"),
    "theatre": ("theatre", "bed"),
}


def read_cause(value: object) -> str | None:
    """A cause of the list, however it is spelt; None for anything else."""
    plain = value.strip().casefold().replace(" ", "_") if isinstance(value, str) else ""
    return plain if plain in STATED_CAUSES else None
