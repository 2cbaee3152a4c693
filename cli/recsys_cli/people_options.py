"""Options of whom lists are for: users of the log, or people known by what they have alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys_cli import options

if TYPE_CHECKING:
    from recsys.data.ids import Id
    from recsys.recommend.bundle import Bundle


@dataclass(frozen=True)
class PeopleOptions:
    """Whom lists are for."""

    user: Annotated[
        list[str] | None,
        typer.Option("--user", help="A user's id; give it several times.", show_default=False),
    ] = None
    users: Annotated[
        Path | None,
        typer.Option(
            "--users",
            metavar="FILE",
            help="Users' ids: one a line, or a table with a column of users.",
            show_default=False,
        ),
    ] = None
    history: options.History = None
    histories: Annotated[
        str | None,
        typer.Option(
            "--histories",
            metavar="FILE",
            help="What people have who are not in the log: a table with columns of users and items, and of "
            "ratings or amounts; with --engine spark any log, however many users it has.",
            show_default=False,
        ),
    ] = None
    all_users: Annotated[bool, typer.Option("--all-users", help="Lists for everyone in the log.")] = False

    def check(self) -> None:
        """Raise BadParameter unless exactly one of the options is given."""
        asked = [
            bool(self.user),
            self.users is not None,
            self.all_users,
            self.history is not None,
            self.histories is not None,
        ]
        if asked.count(True) != 1:
            raise typer.BadParameter(
                "give one of --user ID (several times if you like), --users FILE, --all-users, "
                "--history A,B,C and --histories FILE."
            )

    @property
    def are_new(self) -> bool:
        """Whether lists are for people who are not in the log."""
        return self.history is not None or self.histories is not None

    def in_log(self, bundle: Bundle, *, strict: bool) -> list[str] | None:
        """Return the ids of users as the log spells them; None stands for all users, or for none of the log.

        Raises
        ------
        InputError
            If ``strict`` and a user is not known to the model.
        """
        from recsys.recommend.id_files import user_ids_in
        from recsys_cli.inputs import as_in_log

        ids = user_ids_in(self.users) if self.users is not None else self.user
        if ids is None:
            return None
        spelled = as_in_log(bundle.user_ids, ids)
        if strict:
            bundle.user_ids.known_rows(spelled, "user")
        return spelled

    def read_histories(self, bundle: Bundle, *, strict: bool) -> tuple[dict[Id, Any] | None, list[str]]:
        """Return the histories of people who are not in the log, by name, and notes on them.

        Raises
        ------
        InputError
            If ``strict`` and an item is not known to the model.
        """
        from recsys.errors import InputError
        from recsys_cli.inputs import history_of, known_histories

        if self.history is not None:
            return {"history": history_of(self.history)}, []
        if self.histories is None:
            return None, []
        known, note = known_histories(bundle, Path(self.histories))
        if strict and note:
            raise InputError(f"{self.histories}: {note}.")
        return known, [note] if note else []
