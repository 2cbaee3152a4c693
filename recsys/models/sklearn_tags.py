"""What scikit-learn's tools may take for granted of an estimator."""

from __future__ import annotations

from typing import Any


def transformer_tags() -> Any:
    """Return the tags of a transformer of non-negative data, sparse or with gaps.

    Called by scikit-learn alone, which is therefore there to be imported.
    """
    from sklearn.utils import (  # type: ignore[import-untyped]
        InputTags,
        Tags,
        TargetTags,
        TransformerTags,
    )

    return Tags(
        estimator_type="transformer",
        target_tags=TargetTags(required=False),
        transformer_tags=TransformerTags(preserves_dtype=["float32"]),
        input_tags=InputTags(sparse=True, positive_only=True, allow_nan=True),
    )
