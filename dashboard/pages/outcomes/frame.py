"""What the pages of outcomes share: their URLs, and the names and colours of the kinds."""

from flask import Blueprint

from models.outcomes.outcomes import OutcomeKind

blueprint = Blueprint("outcomes", __name__, url_prefix="/o/<name:organization>/outcomes")

TITLES = {kind: kind.value.capitalize() for kind in OutcomeKind}

_TONES = {
    OutcomeKind.LEFT: "bad",
    OutcomeKind.RENEWED: "good",
    OutcomeKind.GREW: "good",
    OutcomeKind.SHRANK: "poor",
}


@blueprint.app_template_filter("outcome_title")
def outcome_title(kind: str) -> str:
    """Return the name of a kind of outcome: `Left`."""
    return TITLES[OutcomeKind(kind)]


@blueprint.app_template_filter("outcome_tone")
def outcome_tone(kind: str) -> str:
    """Return the colour of a kind of outcome."""
    return _TONES[OutcomeKind(kind)]
