"""``time``: what came at a point in time or later, or between two of them, the same for everyone."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.remarks import Remark, RemarkCode
from recsys.splitting.arguments import percent, read_repeats
from recsys.splitting.moments import Moment, Stretch, n_latest
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription

_FAR_ABOVE = 1.2  # times the share asked for: what equal times may add without a remark


def time_point(log: Log, when: str) -> Split:
    """Train on what came before a point in time, hold out what came at or after it.

    Parameters
    ----------
    log : Log
        With times.
    when : str
        A share between 0 and 1 (of the events, the latest), a date or date and time (ISO 8601,
        UTC), a number (for logs whose time is a number), or the length of the last stretch in
        days (``28d``) or weeks (``4w``). Two of them, ``FROM..TO``, make a window: held out is
        what came at FROM or later and before TO; what came later still is left out.

    Raises
    ------
    InputError
        If the log has no times, or one part would be empty.
    ParameterError
        If ``when`` cannot be read.
    """
    since, dots, until = when.partition("..")
    return _hold_out(log, when, Moment.read(since), Moment.read(until) if dots else None)


def _hold_out(log: Log, when: str, since: Moment, until: Moment | None, text: str | None = None) -> Split:
    if log.times is None:
        raise InputError("split by time: the log has no time column; name one, or split at random.")
    name, start = f"time:{when}", since.in_log(log, log.times)
    end = None if until is None else until.in_log(log, log.times)
    held_out = log.times >= start
    description = SplitDescription(
        "time", text or _words(since, until), share=None if until else since.share, start=start, end=end
    )
    if end is not None:
        if end <= start:
            raise ParameterError(f"split {name}: the window ends before it begins; expected FROM..TO.")
        return Split.of_mask(name, description, None, held_out & (log.times < end), train=~held_out)
    split = Split.of_mask(name, description, None, held_out)
    n_held_out = len(split.held_out)
    if since.share is not None and n_held_out > _FAR_ABOVE * n_latest(since.share, len(log)):
        n_equal = int(np.count_nonzero(log.times == start))
        return split.with_remark(
            Remark(
                RemarkCode.EQUAL_TIMES,
                f"{name} holds out {100 * n_held_out / len(log):.3g} % of the events: {n_equal:,} happened "
                f"at one and the same time, and stay on one side.",
            )
        )
    return split


def _words(since: Moment, until: Moment | None) -> str:
    if until is not None:
        return f"What came from {since.text} to {until.text} is held out."
    if since.share is not None:
        return f"The last {percent(since.share)} of the events are held out."
    if since.before_end is None:
        return f"What came from {since.text} on is held out."
    if since.before_end.n == 1:
        return f"The last {since.before_end.words.removeprefix('1 ')} is held out."
    return f"The last {since.before_end.words} are held out."


def _windows(log: Log, stretch: Stretch, n: int) -> tuple[Split, ...]:
    """Hold out each of the last n stretches of time, the earliest first; see `time_point`.

    Each trains on all that came before it, so that later ones have more, and leaves out what came
    after it: the model is judged again and again as it would have been at the time.
    """
    name = f"time:{stretch}x{n}"
    text = f"The last {n} windows of {stretch.words} are held out, one after the other." if n > 1 else None
    splits = []
    for part in range(1, n + 1):
        since, until = stretch * (n - part + 1), stretch * (n - part)
        ends = [Moment.read(str(point)) for point in (since, until) if point.n > 0]
        when = "..".join(point.text for point in ends)
        try:
            splits.append(_hold_out(log, when, ends[0], ends[1] if len(ends) > 1 else None, text))
        except (InputError, ParameterError) as error:
            raise type(error)(f"split {name}, window {part} of {n}: {error}") from None
    if n == 1:
        return (splits[0],)
    return tuple(split.as_part(name, part, n) for part, split in enumerate(splits, start=1))


def _stretch(text: str, n: int) -> Stretch:
    stretch = Stretch.read(text)
    if stretch is None or stretch.n == 0:
        raise ParameterError(
            f"split time:{text}x{n}: windows that follow each other have a length in days or weeks; "
            f"expected e.g. time:4wx{n}."
        )
    return stretch


def _parse(argument: str) -> Splitter:
    span, n = read_repeats(argument, f"time:{argument}")
    if n is not None:
        stretch, n_windows = _stretch(span, n), n
        return lambda log, seed, repeat: _windows(log, stretch, n_windows)
    return lambda log, seed, repeat: (time_point(log, argument or "0.2"),)


register_split_rule(
    SplitRule(
        name="time",
        forms=(
            Form("time:SHARE", "time:0.1", "the latest share of the events"),
            Form("time:DATE", "time:2024-05-31", "what came at this moment or later"),
            Form("time:NUMBER", "time:1500", "the same, where the log's time is a number"),
            Form("time:28d", "time:28d", "the last 28 days"),
            Form("time:4w", "time:4w", "the last four weeks"),
            Form(
                "time:FROM..TO",
                "time:2024-05-01..2024-06-01",
                "a window between two of these; what came later is left out",
            ),
            Form(
                "time:4wx3",
                "time:4wx3",
                "the last three windows of four weeks, one after the other; each trains on what came before "
                "it, and leaves out what came later",
            ),
        ),
        parse=_parse,
    )
)
