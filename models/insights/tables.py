"""Stored answers of aggregate queries."""

from peewee import BigIntegerField, CompositeKey, TextField
from playhouse.postgres_ext import DateTimeTZField, IntervalField

from models.table import JsonField, Table


class InsightRow(Table):
    """The answer to a question about an organization, as of an instant."""

    organization_id = BigIntegerField()
    question = TextField()  # its kind and subject, as JSON
    answer = JsonField()
    as_of = DateTimeTZField()
    took = IntervalField()  # the duration of the query

    class Meta:
        table_name = "insights"
        primary_key = CompositeKey("organization_id", "question")
