"""Roles keep people from mistakes."""

import os
import pwd
from pathlib import Path

import pytest

from crm.access import NEEDED, ROLES, Action, require
from crm.app import App
from crm.errors import Refused
from plugins import DEFAULT_PLUGINS


def app_with(folder: Path, text: str) -> App:
    app = App(DEFAULT_PLUGINS, folder / "ws")
    app.workspace(create=True)
    (folder / "ws" / "crm.yaml").write_text(text)
    return App(DEFAULT_PLUGINS, folder / "ws")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", NEEDED)
def test_a_role_may_what_it_is_enough_for(tmp_path: Path, role: str, action: Action) -> None:
    app = app_with(tmp_path, f"access: {{role: {role}}}")
    if ROLES.index(role) >= ROLES.index(NEEDED[action]):
        require(app, action)
        return
    with pytest.raises(Refused, match=f"the role {role} may not {action}; it takes the role {NEEDED[action]}"):
        require(app, action)


def test_without_a_configuration_everybody_may_everything(tmp_path: Path) -> None:
    for action in NEEDED:
        require(App(DEFAULT_PLUGINS, tmp_path), action)


def test_a_user_has_a_role_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    require(app_with(tmp_path / "a", f"access: {{role: viewer, users: {{{me}: admin}}}}"), "forget")
    monkeypatch.setenv("LOGNAME", "boss")
    monkeypatch.setenv("USER", "boss")
    with pytest.raises(Refused):
        require(app_with(tmp_path / "b", "access: {role: viewer, users: {boss: admin}}"), "forget")


def test_what_an_action_needs_may_be_said(tmp_path: Path) -> None:
    require(app_with(tmp_path / "a", "access: {role: viewer, needs: {unmask: viewer}}"), "unmask")
    with pytest.raises(Refused):
        require(app_with(tmp_path / "b", "access: {role: operator, needs: {unmask: admin}}"), "unmask")


def test_a_refusal_goes_into_the_audit_log(tmp_path: Path) -> None:
    app = app_with(tmp_path, "access: {role: viewer}")
    with pytest.raises(Refused):
        require(app, "merge")
    (entry,) = app.workspace().records.frame("audit").to_dicts()
    assert (entry["action"], entry["what"], entry["rows"]) == ("refused", "merge", None)
