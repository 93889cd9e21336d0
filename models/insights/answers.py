"""Stored answers of slow aggregate queries, each with its question and the time of the query."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.database import execute, json
from models.insights.tables import InsightRow


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as of an instant, and how long its query took."""

    answer: Any
    as_of: datetime
    took: timedelta


def find(organization_id: int, question: str) -> StoredAnswer | None:
    """Return the stored answer to a question."""
    return find_all(organization_id, [question]).get(question)


def find_all(organization_id: int, questions: Collection[str]) -> dict[str, StoredAnswer]:
    """Return the stored answers to several questions, by question."""
    rows = InsightRow.select().where(
        InsightRow.organization_id == organization_id, InsightRow.question.in_(list(questions))
    )
    return {row.question: StoredAnswer(row.answer, row.as_of, row.took) for row in rows}


def save(organization_id: int, question: str, answer: StoredAnswer) -> None:
    """Replace the stored answer to a question, unless that is newer.

    Nothing is stored for an organization that was deleted in the meantime.
    """
    execute(
        "insert into insights (organization_id, question, answer, as_of, took)"
        " select id, %(question)s, %(answer)s::jsonb, %(as_of)s, %(took)s"
        " from organizations where id = %(organization_id)s for key share"
        " on conflict (organization_id, question) do update set answer = excluded.answer,"
        " as_of = excluded.as_of, took = excluded.took where insights.as_of < excluded.as_of",
        {
            "organization_id": organization_id,
            "question": question,
            "answer": json(answer.answer),
            "as_of": answer.as_of,
            "took": answer.took,
        },
    )


def delete(organization_id: int, *, before: datetime) -> None:
    """Delete an organization's answers as of a time before an instant."""
    InsightRow.delete().where(
        InsightRow.organization_id == organization_id, InsightRow.as_of < before
    ).execute()
