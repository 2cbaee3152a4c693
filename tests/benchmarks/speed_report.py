"""What masked_speed measured, as Markdown."""

from __future__ import annotations

from typing import Any

NEAR = 1.005
"""The milder target: within half a percent of a peer's lowest error."""

_OURS = "masked-nmf"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def lowest(curve: dict[str, Any]) -> float:
    """Return the lowest error of a curve."""
    return float(min(point["rmse"] for point in curve["points"]))


def seconds_to(curve: dict[str, Any], rmse: float) -> float | None:
    """Return the seconds of the quickest run that reached an error, or None."""
    reached = [point["seconds"] for point in curve["points"] if point["rmse"] <= rmse]
    return min(reached) if reached else None


def seconds_per_iteration(curve: dict[str, Any]) -> float:
    """Return the slope between the first and the last run."""
    first, last = curve["points"][0], curve["points"][-1]
    if last["n_iter"] == first["n_iter"]:
        return float(last["seconds"] / last["n_iter"])
    return float((last["seconds"] - first["seconds"]) / (last["n_iter"] - first["n_iter"]))


def head(record: dict[str, Any]) -> str:
    """Return what was run on what."""
    ratings = record["ratings"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    speeds = "; ".join(
        f"{at['threads']} threads {at['bytes_per_second'] / 1e9:.1f} GB/s and "
        f"{at['multiply_adds_per_second'] / 1e9:.1f} G multiply-adds/s"
        for at in record["speeds"].values()
    )
    clock = "wall time" if record["clock"] == "wall" else "the processor's, of all threads"
    return (
        f"{ratings['n_train']:,} training ratings ({ratings['name']}), {ratings['n_users']:,} users x "
        f"{ratings['n_items']:,} items. {record['date']}, Python {record['python']}, {versions}; "
        f"vector code of LibMF: {record['libmf_vector_code']}. {record['machine']}: {speeds}. "
        f"Seconds: {clock}.\n"
    )


def run(at: dict[str, Any], record: dict[str, Any]) -> str:
    """Return the tables of one rank and number of threads."""
    parts = [
        f"### rank {at['rank']}, {at['threads']} thread{'s' if at['threads'] > 1 else ''}\n",
        _contenders(at, record["ratings"]),
        _targets(at["curves"]),
    ]
    if _OURS in at["curves"]:
        parts.append(_kernel(at, record))
    return "\n".join(parts)


def _contenders(at: dict[str, Any], ratings: dict[str, Any]) -> str:
    csr = 8 * ratings["n_train"] + 8 * (ratings["n_users"] + 1)
    factors = 4 * at["rank"] * (ratings["n_users"] + ratings["n_items"])
    rows = []
    for name, curve in at["curves"].items():
        settings = ", ".join(f"{key} {value}" for key, value in curve["settings"].items())
        best = lowest(curve)
        rows.append(
            [
                name,
                settings or "defaults",
                f"{best:.4f}",
                f"{seconds_to(curve, best):.2f}",
                f"{seconds_per_iteration(curve):.3f}",
                f"{curve['extra_bytes'] / 2**20:.0f}",
                f"{curve['extra_bytes'] / (csr + factors):.2f}",
                f"{(curve['extra_bytes'] + csr) / (csr + factors):.2f}",
            ]
        )
    header = ["contender", "settings", "lowest rmse", "seconds to it", "seconds an iteration"]
    memory = ["extra MiB", "extra / (CSR + factors)", "(extra + CSR) / (CSR + factors)"]
    return table(header + memory, rows)


def _targets(curves: dict[str, Any]) -> str:
    rows = []
    for name, curve in curves.items():
        if name == _OURS or _OURS not in curves:
            continue
        for meaning, target in (("its lowest", lowest(curve)), ("within 0.5 %", lowest(curve) * NEAR)):
            theirs, ours = seconds_to(curve, target), seconds_to(curves[_OURS], target)
            reached = ["not reached", "-"] if ours is None else [f"{ours:.2f}", f"{theirs / ours:.1f}"]
            rows.append([name, meaning, f"{target:.4f}", f"{theirs:.2f}", *reached])
    header = ["peer", "target", "rmse", "peer's seconds", "masked-nmf's seconds", "times shorter"]
    return table(header, rows) if rows else ""


_PART = 16  # components that masked-nmf improves together
_INNER = 3  # its passes over a row by default


def sweep_work(n_ratings: int, n_rows: int, rank: int, n_inner: int) -> float:
    """Return the multiply-adds that a sweep over both sides needs; see README.md.

    Parameters
    ----------
    n_ratings : int
        Observed entries; each is met from both sides.
    n_rows : int
        Users and items.
    """
    of_entry = rank * ((_PART + 1) / 2 + 1 + 2 * n_inner)
    return 2 * n_ratings * of_entry + n_rows * n_inner * rank * _PART


def _kernel(at: dict[str, Any], record: dict[str, Any]) -> str:
    """Set a sweep beside the machine."""
    curve = at["curves"][_OURS]
    n_inner = int(curve["settings"].get("n_inner", _INNER))
    ratings, rank, speed = record["ratings"], at["rank"], record["speeds"][str(at["threads"])]
    n_ratings, n_rows = ratings["n_train"], ratings["n_users"] + ratings["n_items"]
    seconds = seconds_per_iteration(curve)
    moved = 2 * n_ratings * (8 + 4 * rank) / seconds
    done = sweep_work(n_ratings, n_rows, rank, n_inner) / seconds
    return (
        f"An iteration of masked-nmf takes {seconds:.3f} s: {moved / 1e9:.1f} GB/s gathered "
        f"({moved / speed['bytes_per_second']:.0%} of the triad's bandwidth) and "
        f"{done / 1e9:.1f} G multiply-adds/s ({done / speed['multiply_adds_per_second']:.0%} of the matrix "
        f"product's), {n_inner} inner passes counted.\n"
    )


def scaling(runs: list[dict[str, Any]]) -> str:
    """Return how many times quicker ours is with more threads, by the seconds of a sweep."""
    ours = {(at["rank"], at["threads"]): at["curves"].get(_OURS) for at in runs}
    rows = []
    for (rank, n_threads), curve in ours.items():
        single = ours.get((rank, 1))
        if n_threads == 1 or curve is None or single is None:
            continue
        one, more = seconds_per_iteration(single), seconds_per_iteration(curve)
        long_one, long_more = single["points"][-1]["seconds"], curve["points"][-1]["seconds"]
        same = single["points"][-1]["n_iter"] == curve["points"][-1]["n_iter"]
        rows.append(
            [
                *map(str, (rank, n_threads)),
                f"{one:.3f}",
                f"{more:.3f}",
                f"{one / more:.2f}",
                f"{long_one / long_more:.2f}" if same else "-",
            ]
        )
    header = [
        "rank",
        "threads",
        "a sweep on one",
        "a sweep",
        "times quicker",
        "the longest fit, times quicker",
    ]
    return "### masked-nmf by threads\n\n" + table(header, rows) if rows else ""
