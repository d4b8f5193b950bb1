from __future__ import annotations

import pytest

from fedaid.data.tables.separator import separator_of


@pytest.mark.parametrize(
    ("text", "separator", "stated"),
    [
        ("a;b\n1;x, y, z\n", ";", False),
        ("a,b\n1,x; y; z\n", ",", False),
        ('"a, b";"c"\n1;"2, 3"\n', ";", False),
        ("a\tb\n1\tx,y;z\n", "\t", False),
        ("a|b\n1|x,y\n", "|", False),
        ("sep=;\r\na;b\r\n1;2\r\n", ";", True),
        ('"sep=,"\na,b\n', ",", True),
        ("SEP=\t\na\tb\n", "\t", True),
        ("sep=^\na^b\n1^2,3\n", "^", True),
        ("sep=,\na;b\n1;2\n", ";", True),
        ("sep=;\ra;b\r1;2\r", ";", True),
        ("alone\nx\n", ",", False),
        ("", ",", False),
    ],
)
def test_the_separator_gives_the_header_columns_and_the_rows_as_many_cells(
    text: str, separator: str, stated: bool
) -> None:
    assert separator_of(text) == (separator, stated)


def test_it_has_a_name_for_a_person() -> None:
    assert separator_of("a;b\n").title == "semicolons"
    assert separator_of("sep=^\na^b\n").title == "the character '^'"
