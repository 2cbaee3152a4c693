"""``--engine spark``: what its options mean to a command, and the call it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.errors import ParameterError

if TYPE_CHECKING:
    from recsys.experiment.given_logs import LogPlan
    from recsys.experiment.settings import ModelSpec
    from recsys.progress import Progress
    from recsys.recommend.bundle import Bundle

LOCAL, SPARK = ENGINES = ("local", "spark")
_PANEL = "Engine"


@dataclass(frozen=True)
class EngineOptions:
    """Who computes: this machine, or a cluster."""

    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="local: this machine; spark: a Spark cluster, which trains weighted-nmf and masked-nmf from "
            "Parquet and text.",
            rich_help_panel=_PANEL,
        ),
    ] = LOCAL
    spark_master: Annotated[
        str | None,
        typer.Option(
            "--spark-master",
            metavar="URL",
            help="local[N], spark://HOST:PORT, yarn or k8s://...",
            rich_help_panel=_PANEL,
            show_default="local[*]",
        ),
    ] = None
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            min=1,
            max=100_000,
            help="Blocks of users and of items; results do not depend on it.",
            rich_help_panel=_PANEL,
            show_default="one a core",
        ),
    ] = None
    spark_conf: Annotated[
        list[str] | None,
        typer.Option(
            "--spark-conf",
            metavar="KEY=VALUE",
            help="A setting of Spark, e.g. spark.executor.memory=2g; give it several times.",
            rich_help_panel=_PANEL,
            show_default=False,
        ),
    ] = None

    sample_users: Annotated[
        str | None,
        typer.Option(
            "--sample-users",
            metavar="SHARE",
            help="Fit this share of the users on this machine, e.g. 10%, and fold in all on the cluster.",
            rich_help_panel=_PANEL,
            show_default="all are fitted",
        ),
    ] = None

    @property
    def is_spark(self) -> bool:
        """Whether a cluster is asked for; raises ParameterError where options do not go together."""
        if self.engine not in ENGINES:
            raise ParameterError(f"--engine {self.engine!r}: expected {' or '.join(ENGINES)}.")
        if self.engine == LOCAL:
            for flag, value in (
                ("--spark-master", self.spark_master),
                ("--partitions", self.partitions),
                ("--spark-conf", self.spark_conf),
                ("--sample-users", self.sample_users),
            ):
                if value:
                    raise ParameterError(f"{flag} is for --engine spark; give that, too.")
        return self.engine == SPARK

    def check(self, flags: Mapping[str, Any]) -> None:
        """Raise ParameterError if options are given that the engine does not honour."""
        refused = [flag for flag, value in flags.items() if value]
        if refused:
            raise ParameterError(
                f"--{refused[0].replace('_', '-')} is not for --engine spark; leave it out, or train here."
            )

    def train(
        self, spec: ModelSpec, plan: LogPlan, *, seed: int, duplicates: Any, progress: Progress
    ) -> Bundle:
        """Train a model by Spark."""
        from recsys.spark.sampling import read_share
        from recsys.spark.session import settings_of
        from recsys.spark.training import train

        return train(
            spec,
            plan,
            master=self.spark_master,
            partitions=self.partitions,
            conf=settings_of(self.spark_conf),
            seed=seed,
            duplicates=duplicates,
            sample_users=None if self.sample_users is None else read_share(self.sample_users),
            keep_interrupted=True,
            progress=progress,
        )
