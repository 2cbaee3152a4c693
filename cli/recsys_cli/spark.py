"""``--engine spark``: what its options mean to a command, and the call it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from recsys.errors import ParameterError

LOCAL, SPARK = ENGINES = ("local", "spark")
PANEL = "Engine"


@dataclass(frozen=True)
class EngineOptions:
    """Who computes: this machine, or a cluster."""

    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="local: this machine; spark: a Spark cluster.",
            rich_help_panel=PANEL,
        ),
    ] = LOCAL
    spark_master: Annotated[
        str | None,
        typer.Option(
            "--spark-master",
            metavar="URL",
            help="local[N], spark://HOST:PORT, yarn or k8s://...",
            rich_help_panel=PANEL,
            show_default="local[*]",
        ),
    ] = None
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            min=1,
            max=100_000,
            help="Blocks that the work is cut into, parts that lists are written in; no list depends on it.",
            rich_help_panel=PANEL,
            show_default="by the cluster and the data",
        ),
    ] = None
    spark_conf: Annotated[
        list[str] | None,
        typer.Option(
            "--spark-conf",
            metavar="KEY=VALUE",
            help="A setting of Spark, e.g. spark.executor.memory=2g; give it several times.",
            rich_help_panel=PANEL,
            show_default=False,
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
            ):
                if value:
                    raise ParameterError(f"{flag} is for --engine spark; give that, too.")
        return self.engine == SPARK

    def check(self, flags: Mapping[str, Any]) -> None:
        """Raise ParameterError if options are given that the engine does not honour."""
        refused = [flag for flag, value in flags.items() if value]
        if refused:
            raise ParameterError(
                f"--{refused[0].replace('_', '-')} is not for --engine spark; leave either out."
            )

    @property
    def cluster(self) -> dict[str, Any]:
        """The keywords of the calls in `recsys.spark` that say where they run."""
        from recsys.spark.session import settings_of

        return {
            "master": self.spark_master,
            "partitions": self.partitions,
            "conf": settings_of(self.spark_conf),
        }
