"""Examples in the help of public classes and functions run."""

import doctest
import inspect
import sys

import pytest

import recsys

PUBLIC = {name: getattr(recsys, name) for name in sorted(set(recsys.__all__) - {"__version__"})}
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}
# Errors share the example of their base.
WITHOUT = {name for name, value in CLASSES.items() if issubclass(value, recsys.RecsysError)} - {"RecsysError"}


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run(name):
    value = PUBLIC[name]
    module = sys.modules[value.__module__]
    found = doctest.DocTestFinder(recurse=False).find(value, name, module=module, globs={**vars(module)})
    for example in found:
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        assert runner.run(example).failed == 0
    if name in CLASSES and name not in WITHOUT:
        assert sum(len(example.examples) for example in found) > 0, f"{name} shows no example"
