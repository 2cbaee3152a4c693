"""What a bundle answers: asked when a version is frozen, and of every later version again."""

import numpy as np

from recsys.models.registry import about
from recsys.recommend.recommender import Recommender
from recsys.recommend.themes import themes
from tests.matrices import rows_of

USER_ROWS = (0, 7, 29)
UNKNOWN_USER = "somebody else"
LIST_LENGTH = 5
PAIRS = ((0, 0), (7, 11), (29, 19), (3, -1), (-1, 4))
HISTORY = {0: 2.0, 3: 5.0, 6: 4.0, 12: 1.0}  # item row -> value, of a user who was not trained on


def answers_of(bundle):
    """Return all that is compared, as plain values: what a model does not answer is left out."""
    model = bundle.model
    traits = about(model.name)
    answers = {
        "model": model.name,
        "n_users": len(bundle.user_ids),
        "n_items": len(bundle.item_ids),
        "scores": numbers(model.score_block(np.array(USER_ROWS))),
        "lists": lists_of(bundle),
    }
    if traits["predicts_values"]:
        answers["predictions"] = numbers(model.predict_by_row(*np.array(PAIRS).T))
    if hasattr(model, "predict_interval"):
        answers["intervals"] = [numbers(bound) for bound in model.predict_interval(*np.array(PAIRS).T)]
    if model.folds_in:
        row = np.full((1, len(bundle.item_ids)), np.nan)
        row[0, list(HISTORY)] = list(HISTORY.values())
        answers["fold_in"] = numbers(model.score_histories(rows_of(row))[0])
    if traits["has_themes"] and model.has_themes:
        answers["themes"] = [
            {"share": numbers(theme.share), "items": [[item, name] for item, name, _ in theme.items]}
            for theme in themes(bundle, n_items=3)
        ]
    return answers


def lists_of(bundle):
    """Return some users' lists, one of them of a user whom the model does not know."""
    users = [*(bundle.user_ids[row] for row in USER_ROWS), UNKNOWN_USER]
    table = Recommender(bundle).recommend(users, n=LIST_LENGTH).to_frame()
    return [
        {
            "user": str(user),
            "source": part["source"].iloc[0],
            "items": part[["item", "name"]].to_numpy().tolist(),
        }
        for user, part in table.groupby("user", sort=False)
    ]


def numbers(values):
    """Return float32 numbers as JSON holds them, with all their digits."""
    return np.asarray(values, dtype=np.float32).astype(np.float64).tolist()
