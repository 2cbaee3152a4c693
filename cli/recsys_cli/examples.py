"""Examples in the help of each command; a test runs them, in this order, beside the logs they name."""

from __future__ import annotations

EXAMPLES = {
    "demo": ("recsys demo --out recsys-demo",),
    "list": ("recsys data list",),
    "fetch": ("recsys data fetch movielens-100k --out ml-100k",),
    "prepare": (
        "recsys data prepare ratings.csv --out prepared",
        "recsys data prepare purchases.csv --returns net --out prepared",
    ),
    "describe": (
        'recsys data describe purchases.csv --where "Quantity > 0"',
        "recsys data describe purchases.csv --returns net --report log.html",
    ),
    "train": (
        'recsys train purchases.csv --where "Quantity > 0" --out model',
        "recsys train ratings.csv --set n_components=8 --out ratings-model",
        "recsys train ratings.csv --out models --keep 4 --warm-start ratings-model",
        "recsys train ratings.csv --out resumable --checkpoint-every 60s --resume",
    ),
    "recommend": (
        "recsys recommend model --user 17850 -n 5",
        "recsys recommend model --history 85099B,22423",
        "recsys recommend model --all-users --out lists.parquet",
    ),
    "sign": ("recsys model sign model --key key.bin",),
    "verify": ("recsys model verify model", "recsys model verify model --key key.bin"),
    "show": ("recsys model show models",),
    "diff": ("recsys model diff ratings-model models",),
    "promote": ("recsys model promote ratings-model models --keep 4",),
    "explain": ("recsys explain model --user 17850",),
    "similar": ("recsys similar model --item 85099B -n 5",),
    "themes": ("recsys themes model -n 5",),
    "evaluate": (
        'recsys evaluate purchases.csv --where "Quantity > 0" --split time:4w',
        "recsys evaluate ratings.csv --split folds:3 --metrics rmse,mae",
    ),
    "compare": (
        "recsys compare purchases.csv --split time:4w --model slim --model als",
        "recsys compare ratings.csv --report report.html",
    ),
    "tune": ("recsys tune ratings.csv --model slim --trials 3 --out tuned",),
    "ranks": ("recsys ranks ratings.csv --model masked-nmf --ranks 2,4 --report ranks.html",),
    "models": ("recsys models", "recsys models masked-nmf"),
    "metrics": ("recsys metrics",),
    "splits": ("recsys splits",),
    "explore": ("recsys explore model", "recsys explore model --beside other"),
    "serve": ("recsys serve model --port 8000",),
    "doctor": ("recsys doctor",),
}
