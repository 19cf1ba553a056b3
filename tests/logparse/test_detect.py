"""Which known format fits a log, and how well."""

from collections.abc import Callable

import pytest

from logparse.detect import SAMPLE_LINES, detect, first_lines
from logparse.errors import UnknownFormat
from logparse.formats import BUILT_IN
from logparse.spec import LogFormat

Line = Callable[..., str]
COMMON = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /cart HTTP/1.1" 200 512'


def found(*lines: str) -> tuple[str, float]:
    known, share = detect("".join(f"{line}\n" for line in lines).encode(), BUILT_IN)
    return known.name, share


@pytest.fixture(scope="module")
def samples(combined: Line) -> dict[str, str]:
    return {
        "common": COMMON,
        "combined": combined(),
        "vcombined": f"shop.example.com:443 {combined()}",
        "forwarded": f'{combined()} "198.51.100.7, 10.0.0.1"',
    }


def test_formats_of_the_common_family_are_told_from_each_other(samples: dict[str, str]) -> None:
    for name, line in samples.items():
        assert found(*[line] * 3) == (name, 1.0)


def test_one_line_is_enough(combined: Line) -> None:
    assert detect(combined().encode(), BUILT_IN)[0].name == "combined"


def test_addresses_of_version_6_do_not_look_like_virtual_hosts(combined: Line) -> None:
    assert found(combined(address="2001:db8::1"), combined(address="::1")) == ("combined", 1.0)
    assert found(combined(address="2001:db8::1", login="li"), combined(address="2001:db8::2")) == (
        "combined",
        1.0,
    )


def test_of_several_that_fit_the_first_and_most_particular_is_taken(combined: Line) -> None:
    loose = LogFormat("loose", "apache", '%h %t "%r" %{any}n')
    strict = LogFormat("strict", "apache", '%h %t "%r" %>s')
    data = b'203.0.113.9 [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200\n'
    assert detect(data, [strict, loose]) == (strict, 1.0)
    assert detect(data, [loose, strict]) == (loose, 1.0)
    assert found(f"shop.example.com:443 {combined()}")[0] == "vcombined"  # combined would fit as well


def test_the_format_that_fits_more_lines_is_taken_and_its_share_told(combined: Line) -> None:
    assert found(COMMON, *[combined()] * 3) == ("combined", 0.75)
    assert found(combined(), *[COMMON] * 4) == ("common", 0.8)


def test_half_of_the_lines_is_enough_and_less_is_not(combined: Line) -> None:
    assert found(combined(), "broken") == ("combined", 0.5)
    with pytest.raises(UnknownFormat):
        found(combined(), "broken", "broken")


def test_blank_lines_and_comments_do_not_count(combined: Line) -> None:
    assert found("# a", "", "#", combined(), "") == ("combined", 1.0)


def test_line_with_an_impossible_time_does_not_fit(combined: Line) -> None:
    assert found(combined(), combined(time="31/Feb/2015:10:05:03 +0000")) == ("combined", 0.5)


@pytest.mark.parametrize("data", [b"", b"\n\n# comment\n", b"garbage\n" * 10, b"\0" * 5000, bytes(range(256)) * 20])
def test_what_is_no_log_fits_no_format(data: bytes) -> None:
    with pytest.raises(UnknownFormat, match=f"none of the {len(BUILT_IN)} formats") as caught:
        detect(data, BUILT_IN)
    assert "--log-format" in str(caught.value)


def test_no_formats_to_choose_from(combined: Line) -> None:
    with pytest.raises(UnknownFormat):
        detect(combined().encode(), [])


def test_only_the_first_lines_are_looked_at(combined: Line) -> None:
    good = f"{combined()}\n" * SAMPLE_LINES
    assert detect((good + "broken\n" * 5000).encode(), BUILT_IN)[1] == 1.0


def test_odd_bytes_do_not_hide_the_format(combined: Line) -> None:
    data = b"\xef\xbb\xbf" + combined().encode() + b"\r\n" + combined(agent="AGENT").encode().replace(b"AGENT", b"\xff")
    assert detect(data, BUILT_IN)[0].name == "combined"


def test_first_lines() -> None:
    assert first_lines(b"a\nb\nc\n", 2) == b"a\nb\n"
    assert first_lines(b"a\nb", 2) == b"a\nb"
    assert first_lines(b"a\nb", 5) == b"a\nb"
    assert first_lines(b"", 5) == b""


def test_many_comments_do_not_hide_a_few_lines(combined: Callable[..., str]) -> None:
    data = "".join(f"# comment {number}\n" for number in range(400)) + f"{combined()}\n{combined()}\n"
    assert detect(data.encode(), BUILT_IN)[1] == 1.0
