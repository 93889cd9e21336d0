from config.settings import Settings
from models.database import query, transaction
from models.migrations import migrate


def test_migrating_an_up_to_date_database_changes_nothing(settings: Settings) -> None:
    assert migrate() == []


def test_filtering_companies_by_a_custom_field_uses_the_index(settings: Settings) -> None:
    with transaction():
        query("insert into organizations (name) values ('o')")
        query(
            "insert into companies (organization_id, external_id, name, first_seen_at,"
            " health_status, traits) select o.id, 'c' || n, 'C', now(), 'Healthy',"
            " jsonb_build_object('plan', 'p' || n, 'seats', n)"
            " from organizations o, generate_series(1, 20000) n"
        )
        query("analyze companies")
        plan = query("""explain select id from companies where traits @> '{"seats": 77}'""")
        found = query("""select external_id from companies where traits @> '{"seats": 77}'""")
    assert any("companies_by_traits" in row["QUERY PLAN"] for row in plan)
    assert [row["external_id"] for row in found] == ["c77"]
