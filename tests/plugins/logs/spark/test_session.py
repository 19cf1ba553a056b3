"""What Spark needs is checked before it starts, and what it says of its failures becomes one sentence."""

import json
import subprocess
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm.errors import CrmError, Refused, Unusable
from plugins.logs import engines
from plugins.logs.config import LogsConfig, SparkConfig
from plugins.logs.spark import session
from plugins.logs.spark.own import own_settings

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"
COMMANDS = ("mine", "parse", "sessions")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_packages_or_java_it_is_said_what_to_install(
    crm: "Crm", command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: None if name == "pyarrow" else name)
    said = crm("logs", command, SHOP, "--engine", "spark", code=4).stderr
    assert said == "crm: the engine spark needs pyarrow: pip install 'crm-toolkit[spark]'\n"
    monkeypatch.setattr(session, "find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    crm.configure("logs: {engine: spark}\n")
    said = crm("logs", command, SHOP, code=4).stderr
    assert "there is no java on the PATH or in JAVA_HOME; install one, such as Debian's openjdk-17-jre-headless" in said


def test_an_old_java_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(session, "find_spec", lambda name: name)
    session.check_installed()
    for version, fits in (("1.8.0_292", False), ("11.0.2", False), ("17.0.9", True), ("21", True)):
        (tmp_path / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
        if fits:
            session.check_installed()
            continue
        with pytest.raises(Unusable, match=r"java (8|11) is too old; install one"):
            session.check_installed()


@pytest.mark.parametrize("command", COMMANDS)
def test_engines_are_checked(crm: "Crm", command: str) -> None:
    said = crm("logs", command, SHOP, "--master", "spark://here:7077", code=2).stderr
    assert "--master names a cluster, which the engine local has not; add --engine spark" in said
    assert "did you mean `spark`?" in crm("logs", command, SHOP, "--engine", "sparc", code=2).stderr
    crm.configure("logs: {spark: {range: 64MB}}\n")
    assert "expected a size such as 64MiB" in crm("logs", command, SHOP, code=4).stderr


def test_settings_come_before_ours_and_a_master_before_the_configuration() -> None:
    pytest.importorskip("pyspark")
    text = {"master": "yarn", "settings": {"spark.ui.enabled": True, "spark.executor.cores": 3}, "range": "1GiB"}
    import msgspec

    from crm.structs import checked

    config = checked(LogsConfig, {"spark": text}).spark
    assert (config.range, str(config.range)) == (1 << 30, "1GiB")
    conf = dict(session._conf(config, None).getAll())
    assert conf["spark.master"] == "yarn"
    assert (conf["spark.ui.enabled"], conf["spark.executor.cores"]) == ("true", "3")
    assert "spark.driver.host" not in conf
    for here in ("local[2]", "spark://127.0.0.1:7077"):
        conf = dict(session._conf(msgspec.structs.replace(config, settings={}), here).getAll())
        assert (conf["spark.master"], conf["spark.driver.host"]) == (here, "127.0.0.1")
        assert ("spark.driver.defaultJavaOptions" in conf) == here.startswith("spark")


@pytest.mark.parametrize(
    ("told", "kind", "sentence"),
    [
        ("Traceback\n  File x\ncrm.errors.Refused: it is not allowed\n\n\tat java", Refused, "it is not allowed"),
        ("Traceback\nModuleNotFoundError: No module named 'polars'\n", Unusable, "lacks a package (No module named 'p"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker", Unusable, "another version of Python"),
        ("Job aborted: ExecutorLostFailure (executor 3 exited)", Unusable, "lost again and again"),
        (
            'Caused by: java.io.IOException: Cannot run program "/opt/x": error=2',
            Unusable,
            "cannot run the Python /opt/x",
        ),
        ("PySparkImportError: [PACKAGE_NOT_INSTALLED] Pandas >= 2.2.0 must be", Unusable, "lacks pandas or pyarrow"),
        ("Traceback\nZeroDivisionError: division by zero\n", None, ""),
    ],
    ids=["mistake", "package", "python", "lost", "no-python", "no-pandas", "bug"],
)
def test_what_a_worker_has_raised_is_said_in_one_sentence(
    told: str, kind: type[CrmError] | None, sentence: str
) -> None:
    found = engines.in_words(told)
    assert type(found) is (kind or type(None))
    assert sentence in str(found)
    assert "\n" not in str(found)


def test_java_says_what_is_wrong_in_its_first_line() -> None:
    error = Exception("An error occurred\n: org.apache.spark.SparkException: Could not parse Master URL: 'x'\n\tat org")
    assert session.java_says(error) == "SparkException: Could not parse Master URL: 'x'"


def test_what_has_caused_it_is_said_as_well() -> None:
    error = Exception(
        ": io.fabric8.ClientException: An error has occurred.\n\tat x\nCaused by: java.net.ConnectException: No"
    )
    assert session.java_says(error) == "ClientException: An error has occurred (ConnectException: No)"


def test_sparks_own_configuration_comes_before_ours_and_behind_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    text = "# mine\nspark.master  spark://10.0.0.1:7077\nspark.driver.host=10.0.0.2\nspark.executor.cores: 4 \n\n"
    (tmp_path / "spark-defaults.conf").write_text(text)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert own_settings() == {
        "spark.master": "spark://10.0.0.1:7077",
        "spark.driver.host": "10.0.0.2",
        "spark.executor.cores": "4",
    }
    config = SparkConfig(settings={"spark.executor.cores": 2})
    conf = dict(session._conf(config, None).getAll())
    assert (conf["spark.master"], conf["spark.driver.host"]) == ("spark://10.0.0.1:7077", "10.0.0.2")
    assert conf["spark.executor.cores"] == "2"
    assert "spark.driver.bindAddress" not in conf
    assert dict(session._conf(config, "local[2]").getAll())["spark.master"] == "local[2]"
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "none"))
    assert own_settings() == {}


def test_a_program_of_spark_submit_is_one(crm: "Crm", standalone: object) -> None:
    import pyspark

    import cli

    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    words = ["--master", "local[1]", f"{Path(cli.__file__).parent}/__main__.py", "-w", str(crm.workspace), "-q"]
    words += ["logs", "parse", str(SHOP), "--engine", "spark", "-f", "csv", "--columns", "line", "-n", "2"]
    done = subprocess.run([str(submit), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (0, "line\n1\n2\n"), done.stderr


def test_of_all_that_java_prints_before_it_ends_the_user_is_told_what_it_has_thrown() -> None:
    stack = (
        b'WARNING: modules\nException in thread "main" org.apache.spark.SparkException: no such master\n\tat org.a.B'
    )
    refused = b"Unrecognized VM option 'x'\nError: Could not create the Java Virtual Machine.\nError: It will exit.\n"
    for said, told in (
        (stack, "SparkException: no such master"),
        (refused, "Error: Could not create the Java Virtual Machine."),
        (b"warned\nno memory\n\n", "no memory"),
        (b"", ""),
    ):
        assert session._said(BytesIO(said)) == told


def test_a_master_that_is_none_is_told(crm: "Crm", standalone: object) -> None:
    said = crm.process("logs", "mine", SHOP, "--engine", "spark", "--master", "nonsense")
    out, error = said.communicate(timeout=600)
    assert (said.returncode, out) == (4, b"")
    assert error.startswith(b"crm: there is no session of Spark on nonsense: SparkException: Master must")
    assert error.count(b"\n") == 1


def test_what_an_attempt_leaves_behind_is_swept_and_nothing_else(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(5))
    crm("logs", "mine", log)
    lake = crm.open().lake
    (part,) = lake.files("hits")["path"]
    folder = crm.workspace / "lake" / "hits"
    tried = (folder / part).parent / "r1-00000-0000000000-0123456789abcdef.parquet"
    data = (folder / part).read_bytes()
    tried.write_bytes(data)
    assert lake.keep("hits", 2, []) == 0
    assert lake.sweep("hits") == 1
    assert not tried.exists()
    for name in ("r2-00000-0000000000-0123456789abcdef.parquet", "r2-00000-0000000000-fedcba9876543210.parquet"):
        (tried.parent / name).write_bytes(data)
    from crm.lake import Part

    assert lake.keep("hits", 2, [Part(f"{tried.parent.name}/{name}", len(data), 5, None)]) == 1
    with pytest.raises(Unusable, match=r"1 of 1 data files that workers have written are not in the lake .*lake\.url"):
        lake.keep("hits", 2, [Part(f"{tried.parent.name}/r2-elsewhere.parquet", len(data), 5, None)])
    assert (tried.parent / name).exists()
    assert json.loads(crm("logs", "status", "-f", "json").stdout)[0]["hits"] == 5
