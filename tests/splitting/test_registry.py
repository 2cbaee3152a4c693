"""Split rules of one's own: registered once, then known by name; what cannot be registered is refused."""

import pytest

from recsys.errors import ParameterError
from recsys.splitting.rules import Form, SplitRule, register_split_rule, split_rules, unregister_split_rule
from recsys.splitting.rules.random_pairs import random_share
from recsys.splitting.specs import parse_split, parse_splits
from tests.logs import random_log

FORM = Form("own:SHARE", "own:0.5", "a share of all pairs")


def rule(name="own", forms=(FORM,), can_repeat=False, n=1):
    def parse(argument):
        share = float(argument)
        return lambda log, seed, repeat: [random_share(log, share, seed=seed, repeat=repeat)] * n

    return SplitRule(name=name, forms=forms, parse=parse, can_repeat=can_repeat)


@pytest.fixture
def register():
    names = []

    def call(own):
        register_split_rule(own)
        names.append(own.name)

    yield call
    for name in names:
        unregister_split_rule(name)


def test_a_rule_is_known_by_its_name_and_named_in_the_message(register):
    log = random_log(60)
    with pytest.raises(ParameterError, match=r"there is no split 'own:0\.5'"):
        parse_split("own:0.5", log, seed=1)
    register(rule())
    assert parse_split("own:0.5", log, seed=1).digest == parse_split("random:0.5", log, seed=1).digest
    with pytest.raises(ParameterError, match=r"expected .*own:SHARE"):
        parse_split("mystery", log, seed=1)


def test_a_rule_that_draws_can_be_repeated_and_parts_are_numbered(register):
    log = random_log(60)
    register(rule(can_repeat=True))
    register(rule("twice", n=2))
    repeats = parse_splits("own:0.5x3", log, seed=1)
    expected = parse_splits("random:0.5x3", log, seed=1)
    assert [split.digest for split in repeats] == [split.digest for split in expected]
    assert [(split.part, split.n_parts, split.repeat) for split in repeats] == [
        (1, 3, 0),
        (2, 3, 1),
        (3, 3, 2),
    ]
    assert [(split.part, split.n_parts) for split in parse_splits("twice:0.5", log, seed=1)] == [
        (1, 2),
        (2, 2),
    ]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            rule("random"),
            r"already a split rule 'random': a share .* unregister_split_rule\('random'\) first",
        ),
        (rule("file"), "cannot be named 'file': file stands for .* a log of their own"),
        (rule("Own"), "cannot be named 'Own'; expected lower-case letters"),
        (rule("own:"), "cannot be named 'own:'"),
        (rule(""), "cannot be named ''"),
        (rule(forms=()), "split rule 'own' has no form"),
    ],
)
def test_what_cannot_be_registered_is_refused(own, message):
    before = split_rules()
    with pytest.raises(ParameterError, match=message):
        register_split_rule(own)
    assert split_rules() == before


def test_every_form_of_a_rule_stands_with_an_example_of_that_rule():
    for name, known in split_rules().items():
        for form in known.forms:
            assert form.written.partition(":")[0] == form.example.partition(":")[0] == name
            argument = form.example.partition(":")[2]
            assert callable(known.parse(argument))
