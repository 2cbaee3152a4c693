"""What all registries do: models, metrics, split rules and report sections."""

from __future__ import annotations

import functools

import pytest

from recsys.errors import ParameterError
from recsys.registry import Registry


def first():
    """One thing."""


def second():
    """Another thing."""


def made(**options):
    return Registry("thing", source=lambda made: made, definition=lambda made: made.__doc__, **options)


def test_entries_come_by_position_then_by_name():
    things = made(position={first: 1, second: 0}.__getitem__)
    for name, thing in (("b", first), ("c", second), ("a", first)):
        things.add(name, thing)
    assert list(things.items()) == [("c", second), ("a", first), ("b", first)]
    things.remove("a")
    assert list(things) == ["c", "b"]
    assert len(things) == 2


def test_a_name_is_one_things_but_the_same_thing_may_come_again():
    things = made()
    things.add("one", first)
    things.add("one", first)
    with pytest.raises(
        ParameterError, match=r"already a thing 'one': One thing\.\. .* unregister_thing\('one'\) first"
    ):
        things.add("one", second)
    assert things["one"] is first


def test_a_thing_read_anew_from_its_place_takes_its_own():
    def read():
        def local():
            """The same place, read twice."""

        return local

    things, before, after = made(), read(), read()
    things.add("one", before)
    things.add("one", after)
    assert things["one"] is after


def test_lambdas_and_partials_of_one_place_are_not_one_thing():
    for sources in ([lambda: 1, lambda: 2], [functools.partial(first), functools.partial(first)]):
        things = made()
        things.add("one", sources[0])
        with pytest.raises(ParameterError, match="already a thing 'one'"):
            things.add("one", sources[1])


@pytest.mark.parametrize("name", ["", "One", "one_two", "1st", "a--b", "a-", "one two"])
def test_a_name_that_cannot_be_typed_is_refused(name):
    with pytest.raises(ParameterError, match=f"a thing cannot be named {name!r}; expected lower-case"):
        made().add(name, first)


def test_reserved_names_and_endings():
    things = made(reserved={"all": "all of them", "-gap": "a difference"})
    for name, meaning in (("all", "all of them"), ("my-gap", "a difference")):
        with pytest.raises(ParameterError, match=f"stands for {meaning}; choose another name"):
            things.add(name, first)
    things.add("overall", first)


def test_what_is_not_known_is_met_with_what_is():
    things = made()
    things.add("first", first)
    with pytest.raises(
        ParameterError, match=r"there is no thing 'fist'; there are first\. Did you mean 'first'"
    ):
        things.find("fist")
    things.add("second", second)
    with pytest.raises(ParameterError, match=r"there are first and second\.$"):
        things.remove("third-thing")


def test_files_are_imported_before_anything_is_listed_or_missed():
    def import_all():
        things.add("late", second)

    things = made(import_all=import_all)
    things.add("early", first)
    assert things["early"] is first
    assert len(things._entries) == 1
    assert list(things) == ["early", "late"]
    assert things.find("late") is second
