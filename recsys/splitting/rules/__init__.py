"""Split rules by name. Each file of this folder defines one and ends in its registration.

Importing this package imports all of its files, so that a new rule is one new file.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from recsys.splitting.registry import (
    Form,
    SplitRule,
    find_split_rule,
    register_split_rule,
    split_rules,
    unregister_split_rule,
)

__all__ = [
    "Form",
    "SplitRule",
    "find_split_rule",
    "register_split_rule",
    "split_rules",
    "unregister_split_rule",
]

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
