"""Print pip constraints that hold each dependency at the lowest version that pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
needed = [*project["dependencies"]]
for extra in ("demo", "report", "sklearn", "test"):
    needed += project["optional-dependencies"][extra]
for requirement in sorted(set(needed)):
    bound = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
    if bound:
        print("{}=={}".format(*bound.groups()))
    elif not requirement.startswith("recsys["):
        raise SystemExit(f"{requirement!r} states no lowest version; expected e.g. 'numpy>=2.0'.")
