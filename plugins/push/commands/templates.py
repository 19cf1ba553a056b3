"""`crm push templates` and `crm push preview`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.completing import stored
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace


@click.command(name="templates")
@table_output(columns="template language html where")
@pass_app
def command(app: App) -> "pl.DataFrame":
    """List the templates of messages.

    One row a template and language; an empty language is for all others. `html` says whether there is HTML beside the
    text. Templates are files NAME.LANGUAGE.txt and NAME.LANGUAGE.html in the folder `push.templates`.

    \b
    Examples:
      crm push templates
      crm -c configs/shop.yaml push templates -f json
    """
    import polars as pl

    from plugins.push.composing import templates_of

    impersonal()
    schema = {"template": pl.String, "language": pl.String, "html": pl.Boolean, "where": pl.String}
    return pl.DataFrame(templates_of(app).known(), schema, orient="row")


@click.command(name="preview")
@click.argument("template", default="default")
@click.option("--language", metavar="NAME", help="Language of the customer, such as zh-CN.  [default: push.language]")
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="ID",
    shell_complete=stored("catalog", "item"),
    help="An item that it is about; may be repeated.",
)
@click.option("--html", is_flag=True, help="Print the HTML.")
@pass_app
def preview(app: App, template: str, language: str | None, items: tuple[str, ...], html: bool) -> None:
    """Print a message made of a template, for nobody.

    It is made for a customer who does not exist, about items of the catalogue: those named, else the first two.

    \b
    Examples:
      crm push preview
      crm push preview spring --language zh-CN --item 1001
      crm push preview spring --html > spring.html
    """
    from crm.delivery import GiveUpError
    from crm.errors import Unusable
    from plugins.push.composing import sample_items, templates_of
    from plugins.push.config import PushConfig
    from plugins.push.templates import sample

    config = app.config.get("push", PushConfig)
    link = (config.unsubscribe.url or "").replace("{message}", "a" * 26)
    given = sample(sample_items(_workspace(app), items), link, language or config.language)
    try:
        made = templates_of(app).render(template, language, given)
    except GiveUpError as error:
        raise Unusable(str(error)) from error
    if html and made.html is None:
        raise Unusable(f"the template {template} has no HTML beside its text")
    click.echo(made.html if html else f"Subject: {made.subject}\n\n{made.text}", nl=False)


def _workspace(app: App) -> "Workspace | None":
    """The workspace, if there is one."""
    return app.workspace() if (app.workspace_path / "version").exists() else None
