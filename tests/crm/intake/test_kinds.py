"""Values of each kind, in the writings that systems use, come out in one form."""

from datetime import UTC, date, datetime, timedelta, timezone

import phonenumbers
import polars as pl
import pytest
from email_validator import validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.intake import dates, emails, idcards, numbers, phones, texts, words
from crm.intake.fields import Kind
from crm.intake.kinds import Way, read


def one(kind: Kind, value: object, way: Way | None = None) -> object:
    return read(kind, pl.Series([value]), way or Way()).values[0]


class TestTexts:
    @pytest.mark.parametrize(
        ("given", "clean"),
        [
            ("  a \t b\n", "a b"),
            ("\ufeff张\u200b三", "张三"),
            ("１２３ＡＢＣ", "123ABC"),
            ("李　四", "李 四"),
            ("a\x00b\x1bc", "abc"),
            ("e\u200d\u0301", "é"),
            ("'=1+1", "=1+1"),
            ("''@x", "@x"),
            ("O'Neil", "O'Neil"),
            ("'quoted", "'quoted"),
            ("\u3000\u200b ", None),
            (None, None),
        ],
    )
    def test_white_space_and_signs(self, given: str | None, clean: str | None) -> None:
        assert texts.clean(pl.Series([given], dtype=pl.String)).to_list() == [clean]

    @given(st.lists(st.text() | st.none()))
    def test_cleaning_is_idempotent_and_the_quick_way_agrees(self, given: list[str | None]) -> None:
        once = texts.clean(pl.Series(given, dtype=pl.String))
        assert texts.clean(once).to_list() == once.to_list()
        each = [texts.clean(pl.Series([text], dtype=pl.String))[0] for text in given]
        assert once.to_list() == each

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (pl.Series([1001.0, 1.5, None]), ["1001", "1.5", None]),
            (pl.Series([{"a": 1, "b": "x"}, None]), ['{"a":1,"b":"x"}', None]),
            (pl.Series([[1, 2], None]), ["[1,2]", None]),
            (pl.Series([True, None]), ["true", None]),
            (pl.Series([date(2026, 3, 2)]), ["2026-03-02"]),
        ],
    )
    def test_cells_of_other_types(self, given: pl.Series, text: list[str | None]) -> None:
        assert texts.as_texts(given).to_list() == text

    def test_a_word_for_nothing_is_nothing_but_a_person_may_be_called_null(self) -> None:
        assert [one("date", word) for word in ("N/A", "null", "未知", "-")] == [None] * 4
        assert [one("name", word) for word in ("N/A", "Null", "-")] == [None, "Null", None]


class TestPhones:
    @pytest.mark.parametrize(
        "text",
        [
            "13800138000",
            "+86 138-0013-8000",
            "0086-138 0013 8000",
            "8613800138000",
            "(+86)13800138000",
            "１３８００１３８０００",
            "013800138000",
            "13800138000 / 010-88886666",
            "13800138000,",
        ],
    )
    def test_a_chinese_mobile_number_in_any_writing(self, text: str) -> None:
        assert one("phone", text) == "+8613800138000"

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("010-88886666", "+861088886666"),
            ("(010) 8888 6666", "+861088886666"),
            ("+86 (0)10 8888 6666", "+861088886666"),
            ("0755-83765566", "+8675583765566"),
            ("010-88886666转8001", "+861088886666"),
            ("010-88886666 ext. 12", "+861088886666"),
            ("400-810-8888", "+864008108888"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("+49 030 123456", "+4930123456"),
            ("1-415-555-2671", "+14155552671"),
            ("88886666", None),
            ("12345", None),
            ("110", None),
            ("no number", None),
            ("+86 138", None),
        ],
    )
    def test_others(self, text: str, number: str | None) -> None:
        assert one("phone", text) == number

    def test_the_region_says_whose_a_national_number_is(self) -> None:
        assert one("phone", "020 7946 0958", Way(region="GB")) == "+442079460958"
        assert one("phone", "(415) 555-2671", Way(region="US")) == "+14155552671"
        assert one("phone", "14155552671", Way(region="US")) == "+14155552671"

    def test_numbers_of_a_spreadsheet(self) -> None:
        assert one("phone", 13800138000) == one("phone", 13800138000.0) == "+8613800138000"

    @given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.data())
    def test_signs_between_the_digits_do_not_count(self, digits: str, data: st.DataObject) -> None:
        gaps = data.draw(st.lists(st.sampled_from(["", "", " ", "-", ".", "　"]), min_size=10, max_size=10))
        assume(gaps[0] == "" or gaps[3] == "")  # else it is grouped as an American number is
        text = digits[0] + "".join(gap + digit for gap, digit in zip(gaps, digits[1:], strict=True))
        assert one("phone", text) == f"+86{digits}"

    def test_the_expressions_and_the_package_agree_on_an_example_of_every_country(self) -> None:
        style = phonenumbers.PhoneNumberFormat
        for region in phonenumbers.SUPPORTED_REGIONS:
            number = phonenumbers.example_number(region)
            if number is None or not phonenumbers.is_valid_number(number):
                continue
            e164 = phonenumbers.format_number(number, style.E164)
            written = [e164, phonenumbers.format_number(number, style.INTERNATIONAL)]
            assert phones.phones(texts.clean(pl.Series(written)), "CN").to_list() == [e164, e164], region
            national = phonenumbers.format_number(number, style.NATIONAL)
            assert phones.phones(texts.clean(pl.Series([national])), region).to_list() == [e164], (region, national)

    def test_without_the_package_what_no_expression_knows_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(phones, "find_spec", lambda _: None)
        given = pl.Series(["13800138000", "+442079460958", "88886666"])
        assert phones.phones(given, "CN").to_list() == ["+8613800138000", "+442079460958", "88886666"]


class TestEmails:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("Ada@Example.COM", "ada@example.com"),
            ("mailto:ada@example.com", "ada@example.com"),
            ("Ada L. <Ada@example.com>", "ada@example.com"),
            ("ada＠example.com", "ada@example.com"),
            ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
            ("ada@example.com; bob@example.com", "ada@example.com"),
            ("o'neil+x@sub.example.co.uk", "o'neil+x@sub.example.co.uk"),
            ("ada@localhost", None),
            ("ada..l@example.com", None),
            ("ada@-example.com", None),
            ("@example.com", None),
            ("ada", None),
            (f"{'a' * 65}@example.com", None),
        ],
    )
    def test_writings(self, text: str, address: str | None) -> None:
        assert one("email", text) == address

    @given(st.emails())
    def test_what_the_package_takes_is_taken(self, text: str) -> None:
        try:
            found = validate_email(text, check_deliverability=False, strict=True)
        except ValueError:
            assume(False)
        assert one("email", text) == f"{found.local_part}@{found.ascii_domain}".lower()

    def test_without_the_package_what_the_expression_does_not_know_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(emails, "find_spec", lambda _: None)
        assert emails.emails(pl.Series(["A@x.com", "a@例え.jp"])).to_list() == ["a@x.com", "a@例え.jp"]


def digit_by_hand(first: str) -> str:
    """The check digit as the standard works it out: weights 2^(18-i) modulo 11 for i = 1 to 17."""
    total = sum(int(sign) * (2 ** (18 - place) % 11) for place, sign in enumerate(first, start=1))
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)


class TestIdCards:
    births = st.dates(date(1900, 1, 1), date(2099, 12, 31))

    @given(st.from_regex(r"[1-9][0-9]{5}", fullmatch=True), births, st.from_regex(r"[0-9]{3}", fullmatch=True))
    def test_only_the_right_check_digit_is_taken(self, area: str, birth: date, order: str) -> None:
        first = f"{area}{birth:%Y%m%d}{order}"
        right = first + digit_by_hand(first)
        assert one("idnumber", right.lower()) == right
        others = [first + sign for sign in "0123456789X" if first + sign != right]
        assert idcards.id_numbers(pl.Series(others)).to_list() == [None] * 10

    def test_the_example_of_the_standard_and_its_old_form(self) -> None:
        assert one("idnumber", "11010519491231002X") == "11010519491231002X"
        assert one("idnumber", "110105 491231 002") == "11010519491231002X"

    @pytest.mark.parametrize("text", ["E12345678", "H1234567890"])
    def test_a_passport_stays(self, text: str) -> None:
        assert one("idnumber", text) == text

    def test_a_card_without_a_date_of_birth_is_none(self) -> None:
        first = "11010519490231002"
        assert one("idnumber", first + digit_by_hand(first)) is None


DATE_STYLES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y",
    "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%b %d %Y", "%Y-%m-%d 00:00:00", "%Y-%m-%dT10:30:00Z", "%Y/%m/%d 下午 3:05",
    "%a, %d %b %Y 10:00:00 +0800",
)  # fmt: skip
CLOCKS = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒", "%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S")


class TestDates:
    @given(st.dates(date(1000, 1, 1)), st.sampled_from(DATE_STYLES))
    def test_writings(self, day: date, style: str) -> None:
        assert one("date", day.strftime(style)) == day

    @given(st.dates(date(1000, 1, 1)))
    def test_without_zeros(self, day: date) -> None:
        for text in (f"{day.year}-{day.month}-{day.day}", f"{day.year}年{day.month}月{day.day}日"):
            assert one("date", text) == day

    @given(st.dates(date(1927, 5, 18), date(2173, 10, 13)), st.booleans())
    def test_numbers_of_days_in_excel(self, day: date, as_text: bool) -> None:
        number = (day - date(1899, 12, 30)).days
        assert one("date", str(number) if as_text else number) == day
        assert one("date", number + 0.5) == day

    @given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)), st.sampled_from(CLOCKS))
    def test_times(self, moment: datetime, style: str) -> None:
        moment = moment.replace(microsecond=0)
        assert one("timestamp", moment.strftime(style)) == moment.replace(tzinfo=UTC)

    @given(
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
        st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
    def test_times_with_a_zone(self, moment: datetime, zone: timezone) -> None:
        placed = moment.replace(tzinfo=zone)
        assert one("timestamp", placed.isoformat()) == placed.astimezone(UTC)

    @pytest.mark.parametrize(
        ("text", "hour"),
        [("3:05 PM", 15), ("12:05 am", 0), ("12:05 pm", 12), ("下午 3:05", 15), ("上午12:05", 0), ("03:05", 3)],
    )
    def test_halves_of_a_day(self, text: str, hour: int) -> None:
        assert one("timestamp", f"2026/3/2 {text}") == datetime(2026, 3, 2, hour, 5, tzinfo=UTC)

    def test_times_that_name_no_zone_are_those_of_the_zone_that_is_told(self) -> None:
        way = Way(zone="Asia/Shanghai")
        assert one("timestamp", "2026-03-02 10:00:00", way) == datetime(2026, 3, 2, 2, tzinfo=UTC)
        assert one("timestamp", "2026/3/2", way) == datetime(2026, 3, 1, 16, tzinfo=UTC)
        assert one("timestamp", "2026-03-02T10:00:00Z", way) == datetime(2026, 3, 2, 10, tzinfo=UTC)
        assert one("timestamp", datetime(2026, 3, 2, 10), way) == datetime(2026, 3, 2, 2, tzinfo=UTC)
        assert one("timestamp", date(2026, 3, 2), way) == datetime(2026, 3, 1, 16, tzinfo=UTC)

    def test_computers_count_seconds_and_milliseconds(self) -> None:
        moment = datetime(2024, 3, 1, tzinfo=UTC)
        assert one("timestamp", 1709251200) == one("timestamp", "1709251200000") == moment

    @pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "soon", "12:30", "2026-03-02 25:00", "202603"])
    def test_what_is_none(self, text: str) -> None:
        reading = read("timestamp", pl.Series([text]), Way())
        assert (reading.values[0], reading.given[0]) == (None, True)

    @pytest.mark.parametrize(
        ("column", "order"),
        [
            (["3/2/2026", "25/2/2026"], "day-first"),
            (["3/2/2026", "2/25/2026"], "month-first"),
            (["3/2/2026", "4-2-2026"], None),
            (["25/2/2026", "2/25/2026"], "day-first"),
            (["2026-03-02", "02.03.2026", None], "day-first"),
            (["2.3.2026", "25.2.2026", "2/25/2026"], "month-first"),
        ],
    )
    def test_the_column_says_which_of_two_numbers_is_the_day(self, column: list[str], order: str | None) -> None:
        assert dates.order_of(pl.Series(column)) == order

    def test_what_does_not_fit_the_order_is_no_date_and_points_mean_the_day_first(self) -> None:
        given = pl.Series(["2/25/2026", "3/2/2026", "3.2.2026"])
        assert dates.dates(given, "day-first").to_list() == [None, date(2026, 2, 3), date(2026, 2, 3)]
        assert dates.dates(given, "month-first").to_list() == [date(2026, 2, 25), date(2026, 3, 2), date(2026, 2, 3)]

    def test_a_year_of_two_digits_is_told_as_such(self) -> None:
        assert dates.why_none(pl.Series(["3/2/26", "soon"])).to_list() == ["has a year of two digits", "is no date"]


class TestNumbers:
    cents = st.integers(-(10**11), 10**11)

    @given(cents, st.sampled_from(["{:,.2f}", "￥{:,.2f}", "{:.2f}元", "CNY {:,.2f}", "{:.2f}", "{:.2e}"]))
    def test_with_a_point(self, cents: int, style: str) -> None:
        text = style.format(cents / 100)
        assert one("number", text) == pytest.approx(float(f"{cents / 100:.2e}" if "e" in style else cents / 100))

    @given(st.lists(cents, min_size=1), st.sampled_from([".", " ", "\u00a0", "'", ""]))
    def test_with_a_comma(self, cents: list[int], groups: str) -> None:
        american = [f"{each / 100:,.2f}" for each in cents]
        texts_of = [text.replace(",", "g").replace(".", ",").replace("g", groups) for text in american]
        given = texts.clean(pl.Series(texts_of))
        assert numbers.decimal_point(given) == ","
        assert numbers.numbers(given, ",").to_list() == pytest.approx([each / 100 for each in cents])

    def test_the_column_says_what_a_number_of_two_readings_is(self) -> None:
        for other, point, value in (("12,5", ",", 1.029), ("12.5", ".", 1029.0), ("7", ".", 1029.0)):
            given = pl.Series(["1,029", other])
            assert numbers.decimal_point(given) == point
            assert numbers.numbers(given, numbers.decimal_point(given))[0] == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [("(12.50)", -12.5), ("−3", -3), ("-¥5", -5), ("+7", 7), ("1,029,333", 1029333), ("1.029.333", 1029333)],
    )
    def test_signs(self, text: str, value: float) -> None:
        assert one("number", text) == value

    @pytest.mark.parametrize("text", ["abc", "1.2.3", "1,2,3", "inf", "12%", "1 or 2", "1e999"])
    def test_what_is_none(self, text: str) -> None:
        assert one("number", text) is None

    def test_whole_ones(self) -> None:
        assert [one("integer", text) for text in ("1,000", "7.0", 7.0)] == [1000, 7, 7]
        assert [one("integer", text) for text in ("7.5", 7.5, 1e300)] == [None] * 3


class TestWords:
    @pytest.mark.parametrize(
        ("text", "short"),
        [
            ("北京市", "北京"), ("北京", "北京"), ("Beijing", "北京"), ("BJ", "北京"), ("Beijing Shi", "北京"),
            ("广西壮族自治区", "广西"), ("内蒙古自治区", "内蒙古"), ("Inner Mongolia", "内蒙古"), ("cn-gd", "广东"),
            ("廣東省", "广东"), ("Shaanxi Province", "陕西"), ("shanxi", "山西"), ("香港特别行政区", "香港"),
            ("California", "California"), ("Île-de-France", "Île-de-France"), ("", None),
        ],
    )  # fmt: skip
    def test_regions(self, text: str, short: str | None) -> None:
        given = texts.clean(pl.Series([text]))
        assert words.regions(given, pl.Series([True])).to_list() == [short]

    def test_two_letters_are_a_province_in_china_only(self) -> None:
        assert words.regions(pl.Series(["SC", "SC"]), pl.Series([True, False])).to_list() == ["四川", "SC"]

    @pytest.mark.parametrize(
        ("text", "code"),
        [("中国", "CN"), ("P.R.C.", "CN"), ("United States", "US"), ("usa", "US"), ("de", "DE"), ("UK", "GB"),
         ("Deutschland", "DE"), ("澳洲", "AU"), ("Hong Kong", "HK"), ("xk", "XK"), ("Atlantis", "Atlantis")],
    )  # fmt: skip
    def test_countries(self, text: str, code: str) -> None:
        assert one("country", text) == code

    @pytest.mark.parametrize(
        ("text", "value"),
        [("是", True), ("YES", True), ("1", True), ("opt-in", True), ("否", False), ("n", False), ("0", False),
         ("退订", False), ("maybe", None), (True, True), (1, True)],
    )  # fmt: skip
    def test_yes_and_no(self, text: object, value: bool | None) -> None:
        assert one("boolean", text) is value

    @pytest.mark.parametrize(
        ("kind", "text", "word"),
        [("sex", "男", "m"), ("sex", "Female", "f"), ("sex", "先生", "m"), ("sex", "保密", None), ("sex", "x", "x"),
         ("currency", "人民币", "CNY"), ("currency", "usd", "USD"), ("currency", "$", "USD"), ("currency", "¥", "¥"),
         ("channel", "E-Mail", "email"), ("channel", "电子邮件", "email"), ("channel", "SMS", "sms"),
         ("channel", "短信", "sms"), ("channel", "ALL", "all"), ("channel", "Feed 2", "feed2")],
    )  # fmt: skip
    def test_other_words(self, kind: Kind, text: str, word: str | None) -> None:
        assert one(kind, text) == word
