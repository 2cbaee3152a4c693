"""What evaluation_speed measured, as Markdown."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.evaluation_contenders import ALL_HELD_OUT, COMMON, TAKES, named
from tests.benchmarks.speed_report import table

_EQUAL = 1e-9
_MIB = 2**20


def head(record: dict[str, Any]) -> str:
    """Return what was run on what."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return (
        f"{record['n_users']:,} users x {record['n_items']:,} items, {record['n_listed']} listed and "
        f"{record['n_held_out']:.1f} held-out items a user. {record['date']}, Python {record['python']}; "
        f"{versions}. {record['machine']}.\n"
    )


def lists(record: dict[str, Any]) -> str:
    """Return the tables of the given lists: ours, then each peer beside ours."""
    return "\n".join(
        ["### Given lists\n", _ours_alone(record), _ratios(record), "Values:\n", _values(record)]
    )


def _ours_alone(record: dict[str, Any]) -> str:
    rows = []
    for run in record["lists"]:
        if not run["name"].startswith("ours"):
            continue
        ten = run["runs"]["ten"]
        seconds = f"{ten['seconds']:.2f}"
        memory = f"{ten['extra_bytes'] / _MIB:.0f}"
        rows.append([run["name"], f"{run['n_users']:,}", str(run["threads"]), seconds, memory])
    return table(["ours from", "users", "threads", "seconds, ten metrics", "extra MiB"], rows)


def _ours_beside(record: dict[str, Any], peer: dict[str, Any], takes: str, threads: int) -> Any:
    """Return our run at a peer's size, or None."""
    return next(
        (
            run
            for run in record["lists"]
            if run["name"] == f"ours-{takes}"
            and run["n_users"] == peer["n_users"]
            and run["threads"] == threads
        ),
        None,
    )


def _ratios(record: dict[str, Any]) -> str:
    rows = []
    for peer in record["lists"]:
        name, one_thread = peer["name"], peer["name"] in ("rectools", "pandas")
        if name.startswith("ours"):
            continue
        for threads in record["threads"] if one_thread else [peer["threads"]]:
            for chosen in ("ten", "common"):
                theirs = peer["runs"][chosen]
                row = [name, f"{peer['n_users']:,}", str(threads), _set_name(name, chosen)]
                row += [f"{peer['make_seconds']:.1f}", f"{theirs['seconds']:.2f}"]
                row.append(f"{theirs['extra_bytes'] / _MIB:.0f}")
                for takes in ("arrays", "tables"):
                    ours = _ours_beside(record, peer, takes, threads)
                    if ours is None:
                        row.append("-")
                        continue
                    seconds = ours["runs"][_our_set(name, chosen)]["seconds"]
                    spent = theirs["seconds"] + (peer["make_seconds"] if takes == "tables" else 0)
                    row.append(f"{spent / seconds:.1f}")
                scale = record["n_users"] / peer["n_users"]
                row.append("measured" if scale == 1 else f"{scale * theirs['seconds']:.0f}")
                rows.append(row)
    header = ["peer", "users", "threads", "metrics", "seconds to make", "seconds", "extra MiB"]
    header += ["times ours from arrays", "times ours from tables"]
    return table([*header, f"seconds at {record['n_users']:,} users, if linear"], rows)


def _our_set(peer: str, chosen: str) -> str:
    shared = {"ranx": "ranx", "ranx-objects": "ranx", "rectools": "rectools", "pandas": "ten"}
    return "ten" if chosen == "ten" else shared[peer]


def _set_name(peer: str, chosen: str) -> str:
    return "ten each" if chosen == "ten" else f"the {len(COMMON[peer])} in common"


def _values(record: dict[str, Any]) -> str:
    rows = []
    for run in record["lists"]:
        name = run["name"]
        ours = _ours_beside(record, run, "arrays", record["threads"][0])
        if ours is None or run is ours:
            continue
        gaps = {}
        for metric in named(COMMON.get(name, tuple(COMMON["pandas"]))):
            base, k = metric.split("@")
            as_theirs = f"map-of-all@{k}" if name in ALL_HELD_OUT.get(base, ()) else metric
            gaps[metric] = abs(run["values"][metric] - ours["values"][as_theirs])
        if TAKES.get(name, name.removeprefix("ours-")) == "tables":
            # From tables the catalogue is what is listed or held out, from arrays all items.
            share = record["n_known"][str(run["n_users"])] / record["n_items"]
            for metric in (metric for metric in gaps if metric.startswith("coverage")):
                gaps[metric] = abs(run["values"][metric] * share - ours["values"][metric])
        worst = max(gaps, key=lambda metric: gaps[metric])
        verdict = "yes" if gaps[worst] <= _EQUAL else f"NO: {worst}"
        rows.append([name, f"{run['n_users']:,}", str(run["threads"]), str(len(gaps))])
        rows[-1] += [f"{gaps[worst]:.0e}", verdict]
    header = ["contender", "users", "threads", "values compared", "largest difference", "equal to 1e-9"]
    return table(header, rows)


def models(record: dict[str, Any]) -> str:
    """Return the table of scoring, ranking and measuring a model."""
    rows = []
    for peer in record["models"]:
        if peer["name"] == "ours":
            continue
        ours = next(
            run
            for run in record["models"]
            if (run["name"], run["kind"], run["threads"]) == ("ours", peer["kind"], peer["threads"])
        )
        gaps = {name: abs(value - ours["values"][name]) for name, value in peer["values"].items()}
        worst = max(gaps, key=lambda name: gaps[name])
        theirs, mine = peer["run"], ours["run"]
        rows.append(
            [
                f"{peer['kind']}, {ours['share_stored']:.0%} stored",
                str(peer["threads"]),
                f"{theirs['seconds']:.2f}",
                f"{mine['seconds']:.2f}",
                f"{theirs['seconds'] / mine['seconds']:.1f}",
                f"{theirs['extra_bytes'] / _MIB:.0f}",
                f"{mine['extra_bytes'] / _MIB:.0f}",
                f"{gaps[worst]:.0e} ({worst})",
            ]
        )
    header = ["factors", "threads", "irspack's seconds", "our seconds"]
    header += ["times quicker", "irspack's extra MiB", "our extra MiB", "largest difference of values"]
    beside = f"irspack {record['versions'].get('irspack', 'is not installed')}"
    title = f"### A model of rank {record['rank']}, {record['n_model_users']:,} users; {beside}\n\n"
    return title + table(header, rows)


def memory(record: dict[str, Any]) -> str:
    """Return how far memory rises for blocks of several sizes."""
    rows = []
    for run in record["memory"]:
        kept = run["kept_bytes"] / _MIB
        extra = run["extra_bytes"] / _MIB
        rows.append([run["what"], f"{run['block_bytes'] / _MIB:g}", f"{run['seconds']:.2f}"])
        rows[-1] += [f"{extra:.0f}", f"{kept:.0f}", f"{extra - kept:.0f}"]
    header = ["measured", "block_bytes, MiB", "seconds", "extra MiB", "numbers by user, MiB", "the rest, MiB"]
    return "### Memory by block_bytes, 1 thread\n\n" + table(header, rows)
