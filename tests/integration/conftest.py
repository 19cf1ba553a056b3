"""Debian's nginx and Apache httpd, each on loopback in a folder of its own, and logrotate on their logs."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

SBIN = "/usr/sbin:/sbin"
"""Where Debian keeps servers; not on everybody's PATH."""

APACHE_MODULES = Path("/usr/lib/apache2/modules")
PATIENCE = 20.0
"""So many seconds a server may take to start, to take up a new log, or to end."""


@dataclass(frozen=True)
class Format:
    """A log format of a server.

    Attributes:
        name: Names the log, too.
        line: The line of the server's configuration that defines it; empty where the server has it built in.
        asked: What `--log-format` gets; empty for that line.
        parts: The request is logged in parts, so nothing is left of one that the server could not part; and so is
            X-Forwarded-For.
        decoded: The path is logged decoded.
    """

    name: str
    line: str = ""
    asked: str = ""
    parts: bool = False
    decoded: bool = False


NGINX_FORMATS = (
    Format("combined", asked="auto"),
    Format(
        "parts",
        r"""log_format parts '"$http_host" $remote_addr [$time_iso8601] $msec "$request_method" "$request_uri" '
        '"$server_protocol" $status $bytes_sent $request_time "$http_x_forwarded_for" "$cookie_sid" "$remote_user" '
        '"$http_referer" "$http_user_agent"';""",
        parts=True,
    ),
    Format(
        "json",
        r"""log_format json escape=json '{"at":"$time_iso8601","msec":"$msec","client":"$remote_addr",'
        '"request":"$request","status":$status,"bytes":$body_bytes_sent,"took":$request_time,'
        '"login":"$remote_user","referrer":"$http_referer","agent":"$http_user_agent"}';""",
    ),
    Format(
        "keys",
        r"""log_format keys escape=json '{"time_iso8601":"$time_iso8601","msec":"$msec","remote_addr":"$remote_addr",'
        '"request":"$request","status":"$status","body_bytes_sent":"$body_bytes_sent","remote_user":"$remote_user",'
        '"http_referer":"$http_referer","http_user_agent":"$http_user_agent"}';""",
        asked="auto",
    ),
)
APACHE_FORMATS = (
    Format(
        "vcombined",
        r'LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vcombined',
        asked="auto",
    ),
    Format(
        "parts",
        r'LogFormat "%{%FT%T}t.%{usec_frac}t%{%z}t %a \"%m\" \"%U%q\" \"%H\" %>s %B %D \"%{X-Forwarded-For}i\" '
        r'\"%{sid}C\" \"%{Referer}i\" \"%{User-Agent}i\"" parts',
        parts=True,
        decoded=True,
    ),
    Format(
        "json",
        r'LogFormat "{\"at\":\"%{%FT%T}t.%{msec_frac}t%{%z}t\",\"client\":\"%a\",\"request\":\"%r\",\"status\":%>s,'
        r'\"bytes\":%B,\"took\":%D,\"referrer\":\"%{Referer}i\",\"agent\":\"%{User-Agent}i\"}" json',
    ),
)

NGINX = """
daemon off;
{user}
worker_processes 2;
pid nginx.pid;
error_log error.txt;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    large_client_header_buffers 4 10k;
    {formats}
    {logs}
    server {{
        {listen}
        location / {{ return 200 "here\\n"; }}
        location /missing {{ return 404; }}
    }}
}}
"""
APACHE = """
ServerRoot "{folder}"
ServerName shop.example
PidFile apache.pid
DefaultRuntimeDir .
ErrorLog error.txt
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule status_module {modules}/mod_status.so
{user}
{listen}
DocumentRoot {modules}
LimitRequestLine 10000
LimitRequestFieldSize 10000
StartServers 1
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
MinSpareThreads 1
<Location "/">
    SetHandler server-status
</Location>
<Location "/missing">
    SetHandler none
</Location>
{formats}
{logs}
"""
"""The status page stands for all that is there: it needs no file, which a server that gave up root could not read."""


@dataclass(frozen=True)
class Kind:
    """A server: how it is configured and started."""

    name: str
    program: str
    configuration: str
    arguments: tuple[str, ...]
    user: str
    listen: str
    log: str
    formats: tuple[Format, ...]
    logins: bool
    """Whether it logs the user of a request that nobody asked to log in."""


KINDS = {
    "nginx": Kind(
        "nginx",
        "nginx",
        NGINX,
        ("-p", "{folder}", "-c", "{folder}/server.conf", "-e", "error.txt"),
        "user root;",  # so that its workers may open logs in a folder that nobody else may enter
        "listen {};",
        "access_log logs/{0}.log {0};",
        NGINX_FORMATS,
        logins=True,
    ),
    "apache": Kind(
        "apache",
        "apache2",
        APACHE,
        ("-D", "FOREGROUND", "-d", "{folder}", "-f", "{folder}/server.conf"),
        "User www-data\nGroup www-data",
        "Listen {}",
        "CustomLog logs/{0}.log {0}",
        APACHE_FORMATS,
        logins=False,
    ),
}


def found(program: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SBIN}")
    if path is None:
        pytest.skip(f"needs {program}, as Debian packages it")
    return path


def waited(what: str, until: object) -> None:
    """Wait until a function says so.

    Raises:
        TimeoutError: it never did.
    """
    assert callable(until)
    end = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took longer than {PATIENCE} s")
        time.sleep(0.01)


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        kind: Which.
        folder: All of it: configuration, logs, state.
        process: Its first process, which leads a group of its own.
        addresses: Where it listens: (family, host, port).
    """

    kind: Kind
    folder: Path
    process: "subprocess.Popen[bytes]"
    addresses: list[tuple[socket.AddressFamily, str, int]]

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return self.folder / "logs"

    def rotate(self, *directives: str) -> None:
        """Rotate its logs by logrotate; without `copytruncate`, it is told to open them anew."""
        signalled = "" if "copytruncate" in directives else f"postrotate\nkill -USR1 {self.process.pid}\nendscript"
        lines = ["rotate 99", "nomail", "nocreate", "sharedscripts", *directives, signalled]
        configuration = self.folder / "logrotate.conf"
        configuration.write_text(f'"{self.logs}/*.log" {{\n' + "\n".join(lines) + "\n}\n")
        configuration.chmod(0o600)
        before = self._inodes()
        words = [found("logrotate"), "--force", "--state", str(self.folder / "logrotate.state"), str(configuration)]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")
        if signalled:
            waited("opening the logs anew", lambda: self._has_new(before))

    def _inodes(self) -> set[int]:
        return {file.stat().st_ino for file in self.logs.glob("*.log")}

    def _has_new(self, old: set[int]) -> bool:
        """Whether all logs are there again, and no process of the server still has an old one open."""
        if len(self._inodes()) < len(self.kind.formats) or self._inodes() & old:
            return False
        return not self._open_inodes() & old

    def _open_inodes(self) -> set[int]:
        """What the processes of the server have open."""
        inodes = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                if os.getpgid(int(folder.name)) == self.process.pid:
                    for file in (folder / "fd").iterdir():
                        with suppress(OSError):
                            inodes.add(file.stat().st_ino)
        return inodes


@contextmanager
def running(kind: Kind, folder: Path) -> Iterator[Server]:
    """A server of a kind in a new folder; it ends with the block, however that ends."""
    program = found(kind.program)
    for name in ("logs", "tmp"):
        (folder / name).mkdir(parents=True)
    addresses = free_addresses()
    listen = "\n".join(
        kind.listen.format(f"[{host}]:{port}" if ":" in host else f"{host}:{port}") for _, host, port in addresses
    )
    text = kind.configuration.format(
        folder=folder,
        modules=APACHE_MODULES,
        user=kind.user if os.geteuid() == 0 else "",
        listen=listen,
        formats="\n".join(format_.line for format_ in kind.formats),
        logs="\n".join(kind.log.format(format_.name) for format_ in kind.formats),
    )
    (folder / "server.conf").write_text(text)
    words = [program, *(word.format(folder=folder) for word in kind.arguments)]
    with (folder / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            words, cwd=folder, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True
        )
    try:
        waited(f"starting {kind.name}", lambda: process.poll() is not None or answers(addresses))
        texts = [file.read_text() for file in folder.glob("*.txt")]
        assert process.poll() is None, texts
        yield Server(kind, folder, process, addresses)
    finally:
        ended(process)


def ended(process: "subprocess.Popen[bytes]") -> None:
    """End a server and all processes of its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)


def free_addresses() -> list[tuple[socket.AddressFamily, str, int]]:
    """The loopback addresses of this machine, IPv6 where it has one, with a port that is free on all."""
    for _ in range(50):
        try:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
                out = [(socket.AF_INET, "127.0.0.1", port)]
                if has_ipv6():
                    with socket.create_server(("::1", port), family=socket.AF_INET6):
                        out.append((socket.AF_INET6, "::1", port))
                return out
        except OSError:
            continue
    raise RuntimeError("no port is free on loopback")


def has_ipv6() -> bool:
    """Whether this machine has a loopback address of IPv6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def answers(addresses: list[tuple[socket.AddressFamily, str, int]]) -> bool:
    """Whether something listens at all addresses."""
    for family, host, port in addresses:
        with socket.socket(family) as probe:
            if probe.connect_ex((host, port)) != 0:
                return False
    return True


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each server in turn, with an empty log."""
    found("logrotate")
    with running(KINDS[request.param], tmp_path / "server") as server:
        yield server
