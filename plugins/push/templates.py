"""Templates of messages: Jinja2 in a sandbox, in the customer's language as far as there is one.

NAME.LANGUAGE.txt, or NAME.txt for any other language, holds a first line `Subject: ...`, an empty line, and the text;
a file of the same name that ends in .html is the same as HTML. What they are given:

- `customer`: `customer` (the id), `name`, `given`, `family`, `sex`, `city`, `region`, `language`, `zone`, `company`;
  what is not known is an empty text;
- `items`: a list; of each `id`, `title`, `price`, `currency`, `url`, `category`, `reason`;
- `data`: what else the campaign gives; `campaign`, `message` (the id), `unsubscribe` (an address, or empty);
- `subject`: in HTML, the subject.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm.delivery import GiveUpError
from crm.errors import Unusable
from crm.nearest import did_you_mean, one_of
from plugins.push.builtin_templates import BUILTIN
from plugins.push.ticket_templates import SAMPLE

_NAME: Final = re.compile(r"([^./]+)(?:\.([A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*))?\.(txt|html)")
_SUBJECT: Final = "subject:"


@dataclass(frozen=True)
class Rendered:
    """What a template has made.

    Attributes:
        subject: One line.
        text: The plain text.
        html: The same as HTML; None where there is no such file.
    """

    subject: str
    text: str
    html: str | None


class Templates:
    """The templates of a folder, and the built-in one.

    Args:
        folder: The folder; None for the built-in one alone.
        language: The language of those of whom none is known.

    Raises:
        Unusable: there is no such folder.
    """

    def __init__(self, folder: Path | None, language: str) -> None:
        if folder is not None and not folder.is_dir():
            raise Unusable(f"there is no folder of templates at {folder} (`push.templates`)")
        self._folder, self._language = folder, language
        loader: BaseLoader = DictLoader(BUILTIN)
        if folder is not None:
            loader = ChoiceLoader([FileSystemLoader(folder), loader])
        self._text, self._html = _environment(loader, html=False), _environment(loader, html=True)
        own = {file.name for file in folder.iterdir()} if folder is not None else set()
        # Whoever has a template of this name means it for all languages, and as it is: without the HTML of another.
        named = {file.partition(".")[0] for file in own}
        self._own, self._names = own, own | {file for file in BUILTIN if file.partition(".")[0] not in named}
        self._parted: dict[str, tuple[Template, Template]] = {}

    def known(self) -> list[tuple[str, str, bool, str]]:
        """All templates: name, language (empty for any other), whether there is HTML, and where it is; sorted."""
        found = []
        for name in self._names:
            match = _NAME.fullmatch(name)
            if match and match[3] == "txt":
                html = name.removesuffix("txt") + "html" in self._names
                found.append((match[1], match[2] or "", html, str(self._folder) if name in self._own else "built in"))
        return sorted(found)

    def render(self, name: str, language: str | None, given: Mapping[str, Any]) -> Rendered:
        """Make a message of a template.

        Args:
            name: The template.
            language: The customer's language, such as `zh-CN`; None or empty if it is not known.
            given: What the template is given.

        Raises:
            Unusable: there is no such template, or it is not written as templates are; whoever it is for.
            GiveUpError: it fails for this customer.
        """
        stem = self._stem(name, language)
        source = f"{stem}.txt"
        if source not in self._parted:
            self._parted[source] = _parted(self._text, source)
        first, rest = self._parted[source]
        subject = " ".join(_rendered(first, source, given).split())
        text = _rendered(rest, source, given).lstrip("\n")
        html = None
        if f"{stem}.html" in self._names:
            page = f"{stem}.html"
            html = _rendered(_loaded(self._html, page), page, {**given, "subject": subject})
        return Rendered(subject, text, html)

    def _stem(self, name: str, language: str | None) -> str:
        """The name of the files that are the nearest to a language: zh-CN, else zh, else any."""
        wanted = (language or self._language).replace("_", "-")
        parts = wanted.split("-")
        lower = {each.lower().replace("_", "-"): each for each in self._names}
        for depth in range(len(parts), -1, -1):
            tag = "-".join(parts[:depth])
            stem = f"{name}.{tag}" if tag else name
            if f"{stem}.txt".lower() in lower:
                return lower[f"{stem}.txt".lower()].removesuffix(".txt")
        names = sorted({each for each, *_ in self.known()})
        if name in names:
            raise Unusable(f"there is no template {name}.{wanted}.txt, and no {name}.txt for other languages")
        raise Unusable(f"there is no template `{name}`{did_you_mean(name, names)}; there are: {one_of(names)}")


def _environment(loader: BaseLoader, *, html: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _loaded(environment: ImmutableSandboxedEnvironment, source: str) -> Template:
    """A template, compiled.

    Raises:
        Unusable: it cannot be.
    """
    with _explained(source):
        return environment.get_template(source)


def _parted(environment: ImmutableSandboxedEnvironment, source: str) -> tuple[Template, Template]:
    """The first line, which is the subject, and the rest, compiled apart: no value can move from one to the other.

    Raises:
        Unusable: they cannot be, or the first line is no subject.
    """
    assert environment.loader is not None
    with _explained(source):
        text = environment.loader.get_source(environment, source)[0].lstrip("\ufeff")
        head, _, rest = text.partition("\n")
        if not head.lower().startswith(_SUBJECT):
            raise Unusable(f"the template {source} does not begin with a line `Subject: ...`")
        # The line end stands for the first line, so that numbers of lines in messages are those of the file.
        return environment.from_string(head[len(_SUBJECT) :]), environment.from_string("\n" + rest)


@contextmanager
def _explained(source: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise Unusable(f"the template {source}, line {error.lineno}: {error.message}") from error
    except (TemplateNotFound, UnicodeDecodeError, OSError) as error:
        raise Unusable(f"the template {source} cannot be read: {type(error).__name__}") from error


def _rendered(template: Template, source: str, given: Mapping[str, Any]) -> str:
    """The text that a template makes.

    Raises:
        GiveUpError: it fails. Of an error that is not about names, only the kind is told: it may quote a value.
    """
    try:
        return template.render(**given)
    except UndefinedError as error:
        raise GiveUpError(f"the template {source} fails: {error.message}") from error
    except (TemplateSyntaxError, TemplateNotFound) as error:
        raise Unusable(f"the template {source} includes one that cannot be used: {error.message}") from error
    except (
        TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
    ) as error:
        raise GiveUpError(f"the template {source} fails: {type(error).__name__}") from error


def sample(items: Sequence[Mapping[str, Any]], unsubscribe: str, language: str) -> dict[str, Any]:
    """What a template is given when somebody looks at it: a customer who is nobody."""
    customer = {
        "customer": "K0000",
        "name": "示例" if language.startswith("zh") else "Sample Customer",
        **dict.fromkeys(("given", "family", "sex", "city", "region", "zone", "company"), ""),
        "language": language,
    }
    return {
        "customer": customer,
        "items": list(items),
        "data": dict(SAMPLE),
        "campaign": "sample",
        "message": "a" * 26,
        "unsubscribe": unsubscribe,
    }
