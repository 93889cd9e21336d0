"""Compares the outcomes of a file with those that are stored, and loads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.database import transaction
from models.organizations import audit_log
from models.outcomes import outcomes
from models.outcomes.outcomes import Outcome
from services.accounts.audit import Maker, change_by
from services.imports.customers.chunks import in_chunks
from services.imports.outcomes.file import OutcomeFile, OutcomeOfRow


@dataclass(frozen=True)
class OutcomeSource:
    """What the audit log says about an import: the file, and who imported it."""

    file: str
    digest: str
    maker: Maker


@dataclass
class OutcomeComparison:
    """What loading a file would do; each changed row with the outcome that it changes."""

    created: list[OutcomeOfRow] = field(default_factory=list)
    changed: list[tuple[OutcomeOfRow, Outcome]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def rows(self) -> Sequence[OutcomeOfRow]:
        """The rows that change something."""
        return [*self.created, *(row for row, _ in self.changed)]


def compare(organization_id: int, file: OutcomeFile) -> OutcomeComparison:
    """Compare a file with what is stored, in the current transaction; writes nothing."""
    comparison = OutcomeComparison()
    for chunk in in_chunks(file.rows):
        ids = {row.outcome.company_id for row in chunk}
        stored = {
            (outcome.company_id, outcome.kind, outcome.day): outcome
            for outcome in outcomes.list_for_companies(organization_id, ids)
        }
        for row in chunk:
            new = row.outcome
            former = stored.get((new.company_id, new.kind, new.day))
            if former is None:
                comparison.created.append(row)
            elif (former.amount, former.note) != (new.amount, new.note):
                comparison.changed.append((row, former))
            else:
                comparison.unchanged += 1
    return comparison


def load(
    organization_id: int,
    file: OutcomeFile,
    comparison: OutcomeComparison,
    source: OutcomeSource,
    now: datetime,
) -> Iterator[int]:
    """Load the rows of a file, each chunk in a transaction of its own; yields how many.

    Loading a file again changes nothing, so an import that was interrupted is simply repeated. The
    first transaction has the audit entry.
    """
    for number, chunk in enumerate(in_chunks(comparison.rows)):
        with transaction():
            if number == 0:
                detail = {
                    "sha256": source.digest,
                    "created": len(comparison.created),
                    "changed": len(comparison.changed),
                    "refused": len(file.refused),
                }
                change = change_by(source.maker, now, "Outcomes imported", source.file, detail)
                audit_log.add(organization_id, change)
            new = [row.outcome for row in chunk]
            outcomes.enter(organization_id, new, source.maker.name, now)
        yield len(chunk)
