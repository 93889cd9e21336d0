"""The titles of columns in the cells of a table."""

from markupsafe import Markup

from dashboard.presentation.cell_titles import titled


def test_each_cell_has_the_title_of_its_column() -> None:
    rows = Markup(
        '<tr class="a"><th scope="row">Acme</th><td class="number">3</td><td>x</td></tr>'
        "<tr><td>Birch</td><td>4</td><td>y</td></tr>"
    )
    assert titled(rows, ["Name", "#Events & users", "~Change"]) == (
        '<tr class="a"><th scope="row">Acme</th>'
        '<td class="number" data-title="Events &amp; users">3</td><td>x</td></tr>'
        '<tr><td data-title="Name">Birch</td><td data-title="Events &amp; users">4</td>'
        "<td>y</td></tr>"
    )


def test_a_cell_keeps_its_own_title_and_one_that_spans_columns_gets_none() -> None:
    rows = Markup('<tr><td data-title="Own">1</td></tr><tr><td colspan="2">More</td></tr>')
    assert titled(rows, ["Name", "Events"]) == rows


def test_a_blank_cell_becomes_empty() -> None:
    assert titled(Markup("<tr><td>\n  </td></tr>"), ["Name"]) == (
        '<tr><td data-title="Name"></td></tr>'
    )
