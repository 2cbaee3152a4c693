"""Naive twin of `recsys.kernels.reranking`, of one list."""

import math


def _mix(items, labels_of):
    labelled = [item for item in items if labels_of[item]]
    mix = {}
    for item in labelled:
        for label in labels_of[item]:
            mix[label] = mix.get(label, 0) + 1 / len(labels_of[item]) / len(labelled)
    return mix


def _divergence(wanted, items, labels_of, smoothing):
    shown = _mix(items, labels_of)
    if not shown:
        return 0
    return sum(
        p * math.log(p / ((1 - smoothing) * shown.get(label, 0) + smoothing * p))
        for label, p in wanted.items()
    )


def pick_in_turn(
    candidates, scores, history, labels_of, most_per_label, vectors, popularity, weights, smoothing, n
):
    """Return positions among the candidates, and by how little the closest choice was won."""
    diversity, calibration, discount = weights
    wanted = _mix(history, labels_of)
    low, high = (min(scores), max(scores)) if len(scores) else (0, 0)
    chosen, closest = [], math.inf
    while len(chosen) < n:
        before = [candidates[place] for place in chosen]
        values = {}
        for place, item in enumerate(candidates):
            full = [
                label
                for label in labels_of[item]
                if most_per_label and sum(label in labels_of[other] for other in before) >= most_per_label
            ]
            if place in chosen or full:
                continue
            relevance = (scores[place] - low) / (high - low) if high > low else 0
            value = (1 - diversity - calibration - discount) * relevance - discount * popularity[item]
            nearest = max((vectors[item] @ vectors[other] for other in before), default=0)
            value += diversity * (1 - nearest)
            if wanted:
                value -= (
                    calibration
                    * (len(before) + 1)
                    * _divergence(wanted, [*before, item], labels_of, smoothing)
                )
            values[place] = value
        if not values:
            break
        ordered = sorted(values, key=lambda place: (-values[place], place))
        if len(ordered) > 1:
            closest = min(closest, values[ordered[0]] - values[ordered[1]])
        chosen.append(ordered[0])
    return chosen, closest
