"""Logs that are objects of a store are mined like files; nobody appends to them, so their last line counts."""

import gzip
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crm.s3_config import S3Config
from logparse.formats import BUILT_IN
from logparse.identity import digest
from plugins.logs import objects
from plugins.logs.spark.ranges import Joining, Stretch, ranges_of
from plugins.logs.spark.tasks import FarLog

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


@pytest.fixture
def put(object_store: Any) -> Callable[[str, bytes], str]:
    """Stores an object in a bucket of this test, and gives the URI of its folder as pyarrow has it."""
    bucket = object_store.new().split("/")[2]
    address = object_store.endpoint.removeprefix("http://")

    uri = f"s3://{bucket}/{{}}?scheme=http&endpoint_override={address}&region=us-east-1"

    def store(key: str, data: bytes) -> str:
        system, path = objects._place(uri.format(key))
        with system.open_output_stream(path, compression=None) as out:
            out.write(data)
        return uri

    return store


def test_objects_are_mined_once_by_name_glob_and_folder(crm: "Crm", put: Callable[[str, bytes], str]) -> None:
    lines = crm.lines(40)
    put("logs/a/one.log", "\n".join(lines[:20]).encode())
    put("logs/b/two%20x.log.gz", gzip.compress("\n".join(lines[20:30]).encode()))
    uri = put("logs/b/.hidden", b"what is this")
    first = crm("logs", "mine", uri.format("logs/*/*.log*"))
    assert crm.counts() == (30, 2)
    assert crm.rows("logs", "formats", "--detect", uri.format("logs/a/one.log"))[0]["name"] == "combined"
    assert "endpoint" not in first.output + crm("logs", "status").output
    for name in ("logs/a/one.log", "logs/a", "logs/b/", "logs/**/*.log.gz"):
        assert "no new lines" in crm("logs", "mine", uri.format(name)).stdout
    put("logs/a/one.log", "\n".join(lines[:20]).encode() + b"\n" + "\n".join(lines[30:]).encode())
    crm("logs", "mine", uri.format("logs/a/one.log"))
    assert crm.counts() == (40, 2)
    assert len(crm("logs", "parse", uri.format("logs/b/*"), "-f", "csv").stdout.splitlines()) == 11


def test_what_is_not_there_or_cannot_be_reached_is_told(
    crm: "Crm", put: Callable[[str, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put("logs/one.log", b"x\n")
    assert "there is no such object" in crm("logs", "mine", uri.format("logs/two.log"), code=4).stderr
    assert "nothing matches s3://" in crm("logs", "mine", uri.format("logs/*.gz"), code=2).stderr
    assert "cannot be used" in crm("logs", "mine", "gopher://hole/log", code=4).stderr
    objects._system.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = crm("logs", "mine", uri.format("logs/one.log"), code=4).stderr
    assert "pip install 'crm-toolkit[s3]'" in said
    assert "endpoint" not in said


def test_a_worker_reads_stretches_of_an_object(crm: "Crm", put: Callable[[str, bytes], str]) -> None:
    data = "\n".join(crm.lines(40)).encode()
    uri = put("one.log", data).format("one.log")
    known = next(known for known in BUILT_IN if known.name == "combined")
    log = FarLog(uri, known, 0, packed=False, grows=False, first=(100, digest(data[:100])))
    ranges = ranges_of(0, len(data), 700)
    joining, stretches = Joining(known, Stretch(0, len(data), 1)), []
    for piece in ranges[:-1]:
        joining, ended = joining.add(log.count(piece))
        stretches += [ended] if ended else []
    found = [block for stretch in (*stretches, joining.next) for block in log.blocks(stretch)]
    assert len(found) > len(stretches) > 3
    assert b"".join(block.data for block in found) == data


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.log", "a.log", True),
        ("*.log", "x/a.log", False),
        ("**/*.log", "a.log", True),
        ("**/*.log", "x/y/a.log", True),
        ("x/?.log", "x/a.log", True),
        ("[ab]/*", "c/d", False),
    ],
)
def test_a_glob_fits_segment_by_segment(pattern: str, name: str, fits: bool) -> None:
    assert objects._fits(name.split("/"), pattern.split("/")) == fits


def test_a_question_mark_is_a_glob_unless_options_follow_it() -> None:
    assert objects._parts("s3://b/x/?.log") == ("s3", "b", "/x/?.log", "")
    assert objects._parts("s3://k:s@b/x?.log?region=eu") == ("s3", "k:s@b", "/x?.log", "?region=eu")
    assert objects.shown("s3://k:s@b/x?.log?region=eu") == "s3://b/x?.log"
    assert objects.local_path("file:///a%20b/c") == "/a b/c"
    assert not objects.is_uri("/a//b")


def test_the_configuration_says_once_how_a_store_is_reached(
    crm: "Crm", object_store: Any, put: Callable[[str, bytes], str]
) -> None:
    uri = put("logs/one.log", "\n".join(crm.lines(12)).encode() + b"\n")
    crm.configure(f"logs: {{s3: {{endpoint: '{object_store.endpoint}', region: us-east-1}}}}\n")
    name = uri.partition("?")[0].format("logs/*.log")
    crm("logs", "mine", name)
    assert crm.counts() == (12, 1)
    assert crm.rows("logs", "formats", "--detect", name)[0]["name"] == "combined"
    assert len(crm("logs", "parse", name, "-f", "csv").stdout.splitlines()) == 13


def test_buckets_may_be_part_of_the_host_name() -> None:
    config = S3Config("https://store.example:9000", "eu-1", virtual_hosts=True)
    uri = objects.reached("s3://bucket/logs/*.gz", config)
    assert uri == (
        "s3://bucket/logs/*.gz?scheme=https&endpoint_override=store.example:9000&region=eu-1"
        "&force_virtual_addressing=true"
    )
    system, path = objects._place(uri)
    assert path == "bucket/logs/*.gz"
    assert system.region == "eu-1"
    assert objects.reached("s3://bucket/a?region=x", config) == "s3://bucket/a?region=x"
    assert objects.reached("gs://bucket/a", config) == "gs://bucket/a"


def test_an_endpoint_that_is_no_url_is_told(crm: "Crm") -> None:
    crm.configure("logs: {s3: {endpoint: store.example}}\n")
    for words in (("config", "check"), ("logs", "mine", "s3://bucket/one.log")):
        assert "logs.s3.endpoint must begin with https:// or http://" in crm(*words, code=4).stderr
