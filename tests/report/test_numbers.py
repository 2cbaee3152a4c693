from __future__ import annotations

import pytest

from recsys.report import numbers


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1234567, "count", "1,234,567"),
        (-0.12345, "score", "−0.1235"),
        (0.5, "share", "50.0\u00a0%"),
        (0.00123, "share", "0.12\u00a0%"),
        (0, "share", "0.0\u00a0%"),
        (3.14159, "seconds", "3.14\u00a0s"),
        (125.0, "seconds", "2\u00a0min 5\u00a0s"),
        (119.7, "seconds", "2\u00a0min 0\u00a0s"),
        (7260, "seconds", "2\u00a0h 1\u00a0min"),
        (7199.9, "seconds", "2\u00a0h 0\u00a0min"),
        (0.004, "seconds", "< 0.01\u00a0s"),
        (0.0, "seconds", "0.00\u00a0s"),
        (1000, "bytes", "< 1\u00a0MiB"),
        (3 * 2**30, "bytes", "3.0\u00a0GiB"),
        (5 * 2**20, "bytes", "5\u00a0MiB"),
        (float("nan"), "score", "–"),
        (None, "count", "–"),
        ("als", "text", "als"),
    ],
)
def test_each_kind_has_one_way(value, kind, text):
    assert numbers.write(value, kind) == text


def test_sentences_get_real_minus_signs_and_keep_their_hyphens():
    text = "weighted-nmf: -0.0022 to 0.0742 (-1) of 95 % on 2024-05-31"
    assert numbers.typeset(text) == "weighted-nmf: −0.0022 to 0.0742 (−1) of 95\u00a0% on 2024-05-31"


def test_small_probabilities_are_bounded():
    assert numbers.probability(0.0004) == "< 0.001"
    assert numbers.probability(0.0421) == "0.042"


def test_names_are_joined_as_people_say_them():
    assert numbers.in_words([]) == ""
    assert numbers.in_words(["a"]) == "a"
    assert numbers.in_words(["a", "b", "c"]) == "a, b and c"
    assert numbers.in_words(list("abcdef"), 3) == "a, b and 4 others"
