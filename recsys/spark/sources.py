"""Where a log comes from that Spark reads: files, tables by name, databases on a server, data frames."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.log_format import LogFormat
from recsys.data.option_checks import NONE
from recsys.data.servers import Server, server_of
from recsys.errors import InputError, ParameterError
from recsys.spark.session import first_line, is_data_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE = "table:"
_JDBC = "jdbc:"
_SPARK_ALONE = (TABLE, _JDBC, *(f"{scheme}://" for scheme in ("s3a", "hdfs", "gs", "abfss", "wasbs", "dbfs")))
_PASSWORDS = {"PostgreSQL": "PGPASSWORD", "MySQL": "MYSQL_PWD"}
_DRIVERS = {
    "postgresql": "org.postgresql.Driver",
    "mysql": "com.mysql.cj.jdbc.Driver",
    "sqlite": "org.sqlite.JDBC",
}
_SEPARATORS = {".tsv": "\t", ".tab": "\t"}


@dataclass(frozen=True, eq=False)
class OpenedSource:
    """A log as Spark reads it, unchecked.

    Attributes
    ----------
    frame : DataFrame
    name : str
        What messages call it.
    paths : tuple of str
        Of files; empty where it is none, and the order of its rows is that in which Spark gives them.
    has_header : bool
        Whether columns have names.
    """

    frame: DataFrame
    name: str
    paths: tuple[str, ...] = ()
    has_header: bool = True


def open_source(spark: SparkSession, source: Any, log_format: LogFormat) -> OpenedSource:
    """Open a log.

    Parameters
    ----------
    spark : SparkSession
    source : str, Path, several of them or DataFrame
        Files of text or Parquet, patterns, or folders of them; any address that Spark reads, such as s3a://;
        ``table:NAME``, a table or view of the catalogue of the session; ``postgresql://...``, ``mysql://...``
        or ``jdbc:...``, of which ``log_format.table`` or ``log_format.query`` names what is read; a data
        frame of Spark.
    log_format : LogFormat

    Raises
    ------
    InputError
        If there is no such file or table, or the database cannot be read.
    ParameterError
        If options do not suit the kind of source.
    """
    text = str(source) if isinstance(source, (str, Path)) else ""
    server = server_of(text)
    is_database = server is not None or text.startswith(_JDBC)
    if not is_database and (log_format.table is not None or log_format.query is not None):
        raise ParameterError(
            "--table and --query are for a database, and --engine spark reads one by its address: "
            "postgresql://..., mysql://... or jdbc:...; a table of Spark's catalogue is table:NAME."
        )
    if is_data_frame(source):
        return OpenedSource(source, "the data frame")
    if text.startswith(TABLE):
        return _table(spark, text.removeprefix(TABLE))
    if is_database:
        return _database(spark, text, server, log_format)
    paths, is_parquet = _located(source)
    frame = _opened(spark, paths, log_format, is_parquet=is_parquet)
    return OpenedSource(frame, ", ".join(paths), tuple(paths), is_parquet or log_format.header != NONE)


def is_for_spark_alone(source: Any) -> bool:
    """Return whether a log is one that only Spark reads."""
    return is_data_frame(source) or (isinstance(source, str) and source.startswith(_SPARK_ALONE))


def _table(spark: SparkSession, name: str) -> OpenedSource:
    from pyspark.errors import PySparkException

    try:
        return OpenedSource(spark.table(name), f"table {name}")
    except PySparkException as error:
        raise InputError(
            f"there is no table or view {name!r} in Spark's catalogue: {first_line(error)}. A catalogue of "
            f"one's own is named by --spark-conf, e.g. spark.sql.warehouse.dir=FOLDER."
        ) from error


def _database(spark: SparkSession, text: str, server: Server | None, log_format: LogFormat) -> OpenedSource:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    if (log_format.table is None) == (log_format.query is None):
        raise ParameterError(f"{_shown(text)}: name what to read, by --table or by --query, one of them.")
    options: dict[str, str] = {"url": text}
    if server is not None:
        options = _jdbc_options(server)
    elif re.search(r"password=|//[^/@]*:[^/@]*@", text):
        raise ParameterError(
            "a password stands in the address of the database, where others can see it; put it in "
            f"{' or '.join(_PASSWORDS.values())}."
        )
    kind = options["url"].removeprefix(_JDBC).partition(":")[0]
    if kind in _DRIVERS:
        options["driver"] = _DRIVERS[kind]
    options |= (
        {"dbtable": log_format.table} if log_format.table is not None else {"query": str(log_format.query)}
    )
    try:
        frame = spark.read.format("jdbc").options(**options).load()
    except (Py4JError, PySparkException) as error:
        first = first_line(error)
        if "ClassNotFound" in str(error) or "No suitable driver" in str(error):
            raise InputError(
                f"{_shown(text)}: Spark has no JDBC driver for {kind}; name its jar by "
                f"--spark-conf spark.jars=FILE.jar, in a session that begins anew."
            ) from error
        raise InputError(f"{_shown(text)} could not be read: {first}.") from error
    return OpenedSource(frame, f"{_shown(text)}, {log_format.table or 'the query'}")


def _jdbc_options(server: Server) -> dict[str, str]:
    kind = server.engine.lower()
    port = f":{server.port}" if server.port else ""
    options = f"?{server.options}" if server.options else ""
    jdbc = {"url": f"{_JDBC}{kind}://{server.host or 'localhost'}{port}/{server.database}{options}"}
    if server.user:
        jdbc["user"] = server.user
    password = os.environ.get(_PASSWORDS[server.engine])
    if password:
        jdbc["password"] = password
    return jdbc


def _shown(text: str) -> str:
    return text.partition("?")[0]


def _located(source: Any) -> tuple[list[str], bool]:
    """Return the paths of a log in their order, and whether they are Parquet."""
    sources = [str(part) for part in (source if isinstance(source, (list, tuple)) else [source])]
    paths: list[str] = []
    for text in sources:
        if "://" in text:
            paths.append(text)
            continue
        path = Path(text).expanduser()
        here = [str(path)]
        if glob.has_magic(text) and not path.exists():
            here = sorted(glob.glob(str(path)))  # noqa: PTH207 - of a whole path
        if not here or not Path(here[0]).exists():
            raise InputError(
                f"there is no file {text}; --engine spark reads files and folders of text or Parquet, and "
                f"addresses that Spark knows (s3a://, hdfs://, table:NAME, jdbc:...)."
            )
        paths += [str(Path(part).absolute()) for part in here]
    kinds = {_is_parquet(path) for path in paths}
    if len(kinds) > 1:
        raise InputError(f"{', '.join(sources)}: Parquet and text in one log; give files of one kind.")
    return paths, kinds.pop()


def _is_parquet(path: str) -> bool:
    if Path(path).is_dir():
        inside = sorted(part.name for part in Path(path).rglob("*") if part.is_file())
        return any(name.endswith(".parquet") for name in inside)
    return path.endswith((".parquet", ".pq", "/")) or (
        path.find("://") >= 0 and "." not in path.rpartition("/")[2]
    )


def _opened(
    spark: SparkSession, paths: Sequence[str], log_format: LogFormat, *, is_parquet: bool
) -> DataFrame:
    from pyspark.errors import PySparkException

    try:
        if is_parquet:
            return spark.read.parquet(*paths)
        ending = Path(paths[0].removesuffix(".gz")).suffix
        options: dict[str, Any] = {
            "sep": log_format.delimiter or _SEPARATORS.get(ending, ","),
            "header": log_format.header != NONE,
            "encoding": log_format.encoding or "utf-8",
            "mode": "PERMISSIVE",
            "enforceSchema": False,
            "quote": "" if log_format.quote == NONE else log_format.quote or '"',
            "escape": log_format.escape or '"',
        }
        if options["sep"] == "blanks":
            raise ParameterError("--delimiter blanks is not for --engine spark; name one delimiter.")
        frame = spark.read.options(**options).csv(list(paths))
    except PySparkException as error:
        raise InputError(f"{', '.join(paths)}: {str(error).splitlines()[0]}") from error
    if log_format.header == NONE:
        frame = frame.toDF(*(str(number + 1) for number in range(len(frame.columns))))
    return frame
