from __future__ import annotations

from admin.results.report.svg import COLOURS, colour, dot, element, legend, marker, picture


def test_an_element_escapes_its_text_and_its_attributes() -> None:
    found = element("text", "<b>&", aria_label='"><script>')
    assert found == '<text aria-label="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;</text>'


def test_an_element_keeps_the_elements_inside() -> None:
    assert element("g", element("path", d="M0 0"), class_="pair") == '<g class="pair"><path d="M0 0"></path></g>'


def test_numbers_have_a_tenth_of_a_pixel() -> None:
    assert element("line", x1=1.26, x2=2.0) == '<line x1="1.3" x2="2"></line>'


def test_neighbouring_series_differ_in_colour_and_in_shape() -> None:
    marks = [marker(number, 0, 0) for number in range(6)]
    assert len(set(marks)) == 6
    assert len({mark.split("class")[0] for mark in marks}) == 6, "without the colour, too"


def test_colours_begin_again_after_the_last() -> None:
    assert colour(COLOURS) == colour(0)


def test_a_picture_says_what_it_is_and_needs_no_namespace() -> None:
    found = picture([dot(0, 1, 1, size=1)], width=10, height=20, said="loss")
    assert 'role="img" aria-label="loss"' in found
    assert "xmlns" not in found


def test_a_legend_has_a_mark_for_each_name_in_their_order() -> None:
    assert list(legend(["lake", "north"])) == ["lake", "north"]
    assert "c1" in legend(["lake", "north"])["north"]
