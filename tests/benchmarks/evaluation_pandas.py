"""The ten metrics as one would write them by hand with pandas and NumPy; compared with, never used."""

from __future__ import annotations

import numpy as np
import pandas as pd


def measure(lists: pd.DataFrame, held_out: pd.DataFrame, cuts: tuple[int, ...]) -> dict[str, float]:
    """Return ten metrics at each cut, by our names and definitions.

    Parameters
    ----------
    lists : DataFrame
        Columns user, item and rank (from 1).
    held_out : DataFrame
        Columns user and item, each pair once; each user who is listed.
    cuts : tuple of int
    """
    n_held = held_out.groupby("user").size()
    merged = lists.merge(held_out.assign(hit=1.0), on=["user", "item"], how="left")
    merged["hit"] = merged["hit"].fillna(0.0)
    merged = merged.sort_values(["user", "rank"])
    merged["found"] = merged.groupby("user")["hit"].cumsum()
    merged["gain"] = merged["hit"] / np.log2(merged["rank"] + 1)
    merged["precision"] = merged["hit"] * merged["found"] / merged["rank"]
    merged["reciprocal"] = merged["hit"] / merged["rank"]
    n_catalogue = len(pd.unique(pd.concat([lists["item"], held_out["item"]])))
    found: dict[str, float] = {}
    for k in cuts:
        top = merged[merged["rank"] <= k]
        by_user = top.groupby("user").agg(
            hits=("hit", "sum"),
            gain=("gain", "sum"),
            precisions=("precision", "sum"),
            reciprocal=("reciprocal", "max"),
        )
        by_user = by_user.reindex(n_held.index, fill_value=0.0)
        capped = np.minimum(n_held, k)
        ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[capped - 1]
        values = {
            "precision": by_user["hits"] / k,
            "recall": by_user["hits"] / n_held,
            "capped-recall": by_user["hits"] / capped,
            "f1": 2 * by_user["hits"] / (k + n_held),
            "hit-rate": by_user["hits"] > 0,
            "mrr": by_user["reciprocal"],
            "map": by_user["precisions"] / capped,
            "ndcg": by_user["gain"] / ideal,
            "graded-ndcg": by_user["gain"] / ideal,  # the held-out values are 1
        }
        found |= {f"{name}@{k}": float(each.mean()) for name, each in values.items()}
        found[f"coverage@{k}"] = top["item"].nunique() / n_catalogue
    return found
