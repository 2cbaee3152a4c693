"""``user-folds``: all users, each held out as a whole in one of several splits."""

from __future__ import annotations

from recsys.data.log import Log
from recsys.splitting.arguments import check_folds, read_n_folds, read_number
from recsys.splitting.drawing import deal, generator_of
from recsys.splitting.held_out_users import GIVEN, Histories
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


def user_folds(log: Log, n: int, given: float = GIVEN, *, seed: int, repeat: int = 0) -> tuple[Split, ...]:
    """Hold out each user who has enough pairs in one of n splits; see `users_share`.

    Parameters
    ----------
    log : Log
    n : int
        2 or more.
    given : float or int
    seed, repeat : int
    """
    check_folds("user-folds", n)
    histories = Histories.of(log, given, seed=seed, repeat=repeat)
    fold = deal(generator_of(seed, repeat, "user-folds"), len(histories.users), n)
    text = f"All users are dealt to {n} folds, each held out once as a whole."
    description = SplitDescription("user-folds", text, n_folds=n, given=given)
    return tuple(
        histories.hold_out(histories.users[fold == number], f"user-folds:{n}:{given:g}", description, seed)
        for number in range(n)
    )


def _parse(argument: str) -> Splitter:
    first, _, second = argument.partition(":")
    given = read_number("user-folds", second, argument) if second else GIVEN
    n = read_n_folds("user-folds", first or "5", argument)
    return lambda log, seed, repeat: user_folds(log, n, given, seed=seed, repeat=repeat)


register_split_rule(
    SplitRule(
        name="user-folds",
        forms=(
            Form(
                "user-folds:K[:GIVEN]",
                "user-folds:5:0.8",
                "all users, dealt to K parts; each is held out once as a whole",
            ),
        ),
        parse=_parse,
        can_repeat=True,
    )
)
