"""Show that an installed wheel works on its own: the doctor, commands, a config and a data set that it holds.

Runs in an empty folder, with the Python of the environment that the wheel is installed in.
"""

import json
import subprocess
import sys
from pathlib import Path

import recsys
from recsys.experiment.demo import specs

PROGRAM = str(Path(sys.executable).with_name("recsys"))


def run(*arguments):
    """Run the command line and return what it prints for programs."""
    done = subprocess.run([PROGRAM, *arguments, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


assert Path(recsys.__file__).is_relative_to(sys.prefix), recsys.__file__
assert run("doctor")["ok"]

rows = [f"u{u},i{i},{1 + (u + i) % 5}" for u in range(20) for i in range(15) if (u * i) % 3]
Path("log.csv").write_text("user,item,rating\n" + "\n".join(rows) + "\n")
assert run("train", "log.csv", "--out", "model")["model"] == "hybrid-nmf"
assert run("recommend", "model", "--user", "u4", "-n", "2")["lists"][0]["source"] == "model"
result = run("evaluate", "log.csv", "--config", "ml-100k-masked-nmf.toml", "--metrics", "rmse")
assert result["config"]["n_components"] == 256

# The demo as a whole runs from a checkout, by README's first command; here is what it takes from the wheel.
assert {spec.name for spec in specs()} == {"hybrid-nmf", "als", "popularity"}
assert run("data", "describe", "completejourney")["n_read"] == 1_469_307
print("the wheel works on its own")
