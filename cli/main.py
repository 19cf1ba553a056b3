"""The root command `crm` and the entry point of the program."""

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.exits import exit_code
from cli.groups import LazyGroup, before_command, plainly, plugin_in_charge
from crm import __version__
from crm.app import USUAL, App
from plugins import DEFAULT_PLUGINS


class RootGroup(LazyGroup):
    """The program itself: reads the global options before it lists commands, and ends with an exit code.

    The options are eager and `--help` is not, so that `crm --help -w DIR` also lists what DIR's plugins add.
    """

    def app(self, ctx: click.Context) -> App:
        """The app of this run, made from the global options when it is first asked for."""
        if ctx.obj is None:
            given = ctx.params
            if given["verbose"] and given["quiet"]:
                ctx.fail("-v and -q exclude each other.")
            verbosity = -1 if given["quiet"] else min(given["verbose"], 2)
            places = given["workspace"], given["config"]
            ctx.obj = App(DEFAULT_PLUGINS, *places, verbosity, log_json=given["log_json"])
            ctx.with_resource(ctx.obj.run())
        return super().app(ctx)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option `--help`, read after all others."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.is_eager = False
        return option

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program and exit with its code; without `standalone_mode` raise what click raises."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode, **extra)
        words = sys.argv[1:] if args is None else list(args)
        name = prog_name or "crm"
        self._main_shell_completion(extra, name, complete_var)
        meta: list[click.Context] = []

        def action() -> int:
            try:
                with self.make_context(name, list(words), **extra) as ctx:
                    meta.append(ctx)
                    self.invoke(ctx)
            except click.NoSuchOption as error:
                raise before_command(error, words) from None
            except click.BadParameter as error:
                raise plainly(error) from None
            except click.exceptions.Exit as end:
                return end.exit_code
            return 0

        def culprit() -> str:
            plugin = plugin_in_charge(meta[0]) if meta else None
            return "" if plugin is None or plugin.builtin else str(plugin)

        sys.exit(exit_code(action, words, culprit))


@click.group(
    cls=RootGroup,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-w",
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    default=USUAL,
    envvar="CRM_WORKSPACE",
    show_default=True,
    show_envvar=True,
    is_eager=True,
    metavar="DIR",
    help="Folder of the workspace.",
)
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="CRM_CONFIG",
    show_envvar=True,
    is_eager=True,
    metavar="FILE",
    show_default="crm.yaml in the workspace",
    help="Configuration file.",
)
@click.option("-v", "--verbose", count=True, is_eager=True, help="Say more; twice: say even more.")
@click.option("-q", "--quiet", is_flag=True, is_eager=True, help="Say only what is wrong.")
@click.option(
    "--log-json", is_flag=True, is_eager=True, help="Write every message on stderr as JSON, one object a line."
)
@click.version_option(__version__, prog_name="crm", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, /, **_options: object) -> None:
    """Mine web logs into sessions, paths and interests; keep customers, tickets and push lists.

    Data go to standard output, everything else to standard error.
    """
    if ctx.invoked_subcommand is None:
        raise click.exceptions.NoArgsIsHelpError(ctx)


def run() -> None:
    """The program `crm`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    main(prog_name="crm")
