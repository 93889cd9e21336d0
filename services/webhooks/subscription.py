"""Which changes of health an endpoint wants to be told of."""

from models.companies.companies import Company
from models.health.transitions import StoredTransition
from models.webhooks.webhook_endpoints import Wanted
from rules.facts import stands_at
from rules.phrases.fields import field_path, says
from services.webhooks.payload import event_type


def wants(wanted: Wanted, transition: StoredTransition, company: Company) -> bool:
    """Whether a transition of a company is wanted."""
    if wanted.event_types is not None and event_type(transition) not in wanted.event_types:
        return False
    if wanted.statuses is not None and (
        transition.to_status not in wanted.statuses
        or transition.from_status == transition.to_status
    ):
        return False
    if wanted.companies is not None and company.external_id not in wanted.companies:
        return False
    fields = company.traits.custom | company.traits.core
    for field, values in (wanted.company_fields or {}).items():
        found = stands_at(fields, field_path(field))
        if found is None or not any(says(found, value) for value in values):
            return False
    return True
