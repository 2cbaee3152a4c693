"""``users``: a share of the users, held out as a whole."""

from __future__ import annotations

from recsys.data.log import Log
from recsys.splitting.arguments import check_share, percent, read_number
from recsys.splitting.drawing import generator_of
from recsys.splitting.held_out_users import GIVEN, Histories
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


def users_share(log: Log, share: float, given: float = GIVEN, *, seed: int, repeat: int = 0) -> Split:
    """Hold out a share of the users.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1; of the users who have enough pairs.
    given : float or int
        How many of a user's pairs the model is given; see `Histories.of`.
    seed : int
        The drawn users do not depend on the order of the log.
    repeat : int
        0 for the first; another number draws other users.
    """
    check_share("users", share)
    histories = Histories.of(log, given, seed=seed, repeat=repeat)
    n_held = round(share * len(histories.users))
    drawn = generator_of(seed, repeat, "users").permutation(histories.users)[:n_held]
    text = f"{percent(share)} of the users are held out; a part of what each did is given."
    description = SplitDescription("users", text, share=share, given=given)
    return histories.hold_out(drawn, f"users:{share:g}:{given:g}", description, seed)


def _parse(argument: str) -> Splitter:
    first, _, second = argument.partition(":")
    given = read_number("users", second, argument) if second else GIVEN
    share = read_number("users", first or "0.2", argument)
    return lambda log, seed, repeat: (users_share(log, share, given, seed=seed, repeat=repeat),)


register_split_rule(
    SplitRule(
        name="users",
        forms=(
            Form(
                "users:SHARE[:GIVEN]",
                "users:0.2:0.8",
                "a share of the users; of each a share, or so many pairs, is given to the fitted model and "
                "the rest predicted",
            ),
        ),
        parse=_parse,
        can_repeat=True,
    )
)
