"""Where a log comes from, opened in a database that can reach nothing else."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data import compressed, json_lines, layouts, text_copies, text_files, text_repair
from recsys.data.bad_rows import BadRow
from recsys.data.columns import listed
from recsys.data.database import connect, literal, lock, quoted
from recsys.data.file import Copies, File
from recsys.data.locations import Located, head_of, kind_of, locate
from recsys.data.log_format import NONE, SKIP, LogFormat
from recsys.data.source import Query, Source
from recsys.data.text_files import TextFile
from recsys.errors import LogError
from recsys.remarks import Remark, RemarkCode


def open_files(
    source: str | Path | Sequence[str | Path],
    n_threads: int | None = None,
    wanted: Sequence[str] = (),
    log_format: LogFormat | None = None,
) -> Source:
    """Open one or several files, each named or matched by a pattern; see `locations.locate`.

    Parameters
    ----------
    source : str, Path or sequence of them
        Text of columns, JSON lines or a JSON array (each may be compressed by gzip or zstd), or Parquet.
    n_threads : int, optional
    wanted : sequence of str
        See `text_files.examine`.
    log_format : LogFormat, optional
        What is given of how the files are written.
    """
    log_format = log_format or LogFormat()
    copies = Copies()
    located = locate(source, copies)
    heads = [head_of(file) for file in located.files]
    kinds = {kind_of(file, head) for file, head in zip(located.files, heads, strict=True)}
    if len(kinds) > 1:
        raise LogError(
            f"the files are of different formats ({', '.join(sorted(kinds))}).", source=located.name
        )
    kind = kinds.pop()
    if kind == "Parquet":
        opened = _open_parquet(located, n_threads)
    elif kind == "JSON":
        opened = _open_json(located, heads, n_threads)
    else:
        opened = _open_texts(located, heads, copies, n_threads, wanted, log_format)
    origins = dict.fromkeys(file.origin for file in located.files if file.origin is not None)
    return replace(opened, copies=copies, origins=tuple(origins))


def _listed(paths: Sequence[Path]) -> str:
    return f"[{', '.join(literal(glob.escape(str(path.absolute()))) for path in paths)}]"


def _packing(located: Located, packed: Sequence[compressed.Compression]) -> compressed.Compression:
    """Return the one compression of files."""
    if len(set(packed)) > 1:
        raise LogError("some of the files are compressed and some are not.", source=located.name)
    return packed[0]


def _open_parquet(located: Located, n_threads: int | None) -> Source:
    names = _parquet_names(located.files)
    paths = [file.path for file in located.files]
    connection = connect(paths, n_threads)
    lock(connection)
    # By name, types are widened to fit all files; else 1.5 becomes 2 if the first file has integers.
    options = f"union_by_name = true, hive_partitioning = {str(located.is_partitioned).lower()}"
    sql = f"SELECT * FROM read_parquet({_listed(paths)}, {options})"  # noqa: S608 - quoted by `literal`

    opened = Source(located.name, connection, names, _always(sql), files=located.files)
    return replace(opened, names=tuple(opened.relation().columns))


def _open_json(located: Located, heads: Sequence[bytes], n_threads: int | None) -> Source:
    files = located.files
    packed = [compressed.compression_of(file.path, head) for file, head in zip(files, heads, strict=True)]
    packing = _packing(located, packed)
    for file in files:
        compressed.verify(file.path, packing)
    paths = [file.path for file in files]
    connection = connect(paths, n_threads)
    lock(connection)
    form, unit = ("array", "row") if json_lines.is_array(paths[0], packing) else ("newline_delimited", "line")
    packed_as = "uncompressed" if packing == "none" else packing

    def reading(types: str) -> str:
        return (
            f"SELECT * FROM read_json({_listed(paths)}, format = '{form}', {types}, "  # noqa: S608
            f"hive_partitioning = {str(located.is_partitioned).lower()}, compression = {literal(packed_as)})"
        )

    query = _always(reading(f"sample_size = -1, maximum_sample_files = {len(files)}"))
    opened = Source(located.name, connection, (), query, unit=unit, files=files, is_json=True)
    rows = opened.relation()
    names = tuple(rows.columns)
    if names == ("json",):  # DuckDB's name for what is no object
        raise json_lines.diagnose(files) or LogError(
            "its lines are no JSON objects.", advice=json_lines.REMEDY, source=located.name
        )
    if not located.is_partitioned and not _are_renamed(names):
        # Types are found once: each query would read all files for them again.
        kinds = zip(names, map(str, rows.types), strict=True)
        types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds)
        query = _always(reading(f"columns = {{{types}}}"))
    return replace(opened, names=names, query=query)


def _always(sql: str) -> Query:
    """Return the query of files whose columns have types of their own."""

    def query(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
        return sql

    return query


def _are_renamed(names: Sequence[str]) -> bool:
    """Return whether a column may have another name than in the file: DuckDB calls a second USER user_1."""
    known = {name.casefold() for name in names}
    return any(re.sub(r"_[0-9]+$", "", name) in known - {name} for name in known)


def _open_texts(
    located: Located,
    heads: Sequence[bytes],
    copies: Copies,
    n_threads: int | None,
    wanted: Sequence[str],
    log_format: LogFormat,
) -> Source:
    packed = [
        compressed.compression_of(file.path, head) for file, head in zip(located.files, heads, strict=True)
    ]
    _packing(located, packed)
    texts = [
        text_files.examine(file, compression, log_format, copies, wanted)
        for file, compression in zip(located.files, packed, strict=True)
    ]
    for text in texts:
        compressed.verify(text.content, text.compression)
    are_alike = _check_alike(texts)
    bad_rows: list[BadRow] = []
    if log_format.on_bad_row == SKIP:
        for number, text in enumerate(texts):
            if not _can_be_split(text):
                texts[number], bad = text_repair.without_bad_rows(text, copies)
                bad_rows += bad
    contents = [text.content for text in texts]
    connection = connect(contents, n_threads)
    lock(connection)
    first = texts[0]

    # Types are found once for each set of columns that stay text: that reads the whole file.
    known: dict[tuple[str, frozenset[str]], Mapping[str, str]] = {}

    def rows(text: TextFile, paths: str, as_text: frozenset[str], markers: Sequence[str]) -> str:
        if as_text >= set(text.names) and not located.is_partitioned:
            return _read_csv(text, paths, dict.fromkeys(text.names, "VARCHAR"), markers)
        key = (paths, as_text)
        if key not in known:
            own = {name: "VARCHAR" for name in text.names if name in as_text}
            guessing = _read_csv(
                text, paths, own, log_format.null_markers, guesses=True, is_partitioned=located.is_partitioned
            )
            if located.is_partitioned:
                return guessing
            described = connection.sql(guessing)
            known[key] = dict(zip(described.columns, map(str, described.types), strict=True))
        return _read_csv(text, paths, known[key], markers)

    def query(as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
        markers = () if is_raw else log_format.null_markers
        kept = frozenset(first.names if is_raw else as_text)
        if are_alike:
            return rows(first, _listed(contents), kept, markers)
        # By name: a column that a file lacks is empty there.
        return " UNION ALL BY NAME ".join(
            rows(text, _listed([text.content]), kept & set(text.names), markers) for text in texts
        )

    opened = Source(
        located.name,
        connection,
        first.names,
        query,
        unit="line",
        has_header=first.has_header,
        files=located.files,
        texts=tuple(texts),
        read_as=LogFormat(
            delimiter=first.delimiter,
            encoding=None if first.encoding == text_copies.UTF8 else first.encoding,
            quote=None if first.dialect.quote == '"' or first.is_spaced else first.dialect.quote or NONE,
            header="row" if first.has_header else "none",
        ),
        remarks=_remarks(first, log_format),
        bad_rows=tuple(bad_rows),
    )
    if not are_alike or located.is_partitioned:
        opened = replace(opened, names=tuple(opened.relation(first.names).columns))
    if first.n_fields:
        return layouts.of_sections(opened, first.line_delimiter, first.n_fields)
    return layouts.lists(opened, first.line_delimiter) if first.line_delimiter else opened


def _can_be_split(text: TextFile) -> bool:
    """Return whether the database can split all rows of a text."""
    with connect([text.content], 1) as connection:
        plain = _read_csv(text, _listed([text.content]), dict.fromkeys(text.names, "VARCHAR"), ())
        counts = ", ".join(f"count({quoted(name)})" for name in text.names)
        try:
            connection.sql(f"SELECT {counts} FROM ({plain})").fetchall()  # noqa: S608 - names are quoted
        except duckdb.Error:
            return False
    return True


def _remarks(text: TextFile, log_format: LogFormat) -> tuple[Remark, ...]:
    remarks = []
    if text.header:
        fields = ", ".join(text.header[:6])
        remarks.append(
            f"the first line ({fields}) names the columns and is no row; --header none if it is one"
        )
    if text.is_spaced and log_format.delimiter is None:
        remarks.append("fields are split at blanks, however many; --delimiter names another mark")
    if text.encoding != text_copies.UTF8 and log_format.encoding is None:
        remarks.append(f"the text is {text.encoding}, by its first bytes")
    return tuple(Remark(RemarkCode.READ_AS, text) for text in remarks)


def _read_csv(
    layout: TextFile,
    paths: str,
    types: Mapping[str, str],
    markers: Sequence[str],
    *,
    guesses: bool = False,
    is_partitioned: bool = False,
) -> str:
    """Return a query for the rows of text files; with ``guesses``, types that are not given are found."""
    dialect = layout.dialect
    # The database takes none that holds a delimiter or quote: such a one counts in the four columns alone.
    safe = [marker for marker in markers if dialect.holds(marker)]
    nulls = ", ".join(literal(marker) for marker in ("", *safe))
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    if guesses:
        names = ", ".join(literal(name) for name in layout.names)
        how = "auto_detect = true, sample_size = -1, files_to_sniff = -1, "
        how += f"names = [{names}], types = {{{typed}}}"
    else:
        how = f"auto_detect = false, columns = {{{typed}}}"
    # The date format is set so that 1/12/2010 stays text: whether that is December is not DuckDB's to guess.
    return (
        f"SELECT * FROM read_csv({paths}, {how}, hive_partitioning = {str(is_partitioned).lower()}, "  # noqa: S608
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, "
        f"escape = {literal(dialect.escape)}, comment = '', nullstr = [{nulls}], "
        f"header = {str(layout.has_header).lower()}, skip = {layout.skip}, "
        f"compression = {literal(layout.compression)}, dateformat = '%Y-%m-%d')"
        + (f" WHERE {quoted(text_files.LINE)} IS NOT NULL" if layout.line_delimiter else "")
    )


def _parquet_names(files: Sequence[File]) -> tuple[str, ...]:
    first: list[str] = []
    for file in files:
        try:
            names = list(pq.read_schema(file.path).names)
        except (pa.ArrowException, OSError) as error:
            raise LogError(
                f"a damaged Parquet file ({str(error).splitlines()[0]}).",
                advice="Download or write it again.",
                source=file.name,
            ) from error
        text_files.check_unique(names, file.name)
        first = first or names
        if not (set(names) <= set(first) or set(first) <= set(names)):
            raise LogError(
                f"its columns are {listed(names)}; those of {Path(files[0].name).name} are {listed(first)}.",
                source=file.name,
            )
    return tuple(first)


def _check_alike(texts: Sequence[TextFile]) -> bool:
    """Return whether all files have one layout; raise unless at least they have names in common.

    Columns may stand in another order, or be more.
    """
    first = texts[0]
    are_alike = True
    for text in texts[1:]:
        same_names = text.names == first.names and text.has_header == first.has_header
        by_name = text.has_header and first.has_header and not text.header and not first.header
        contains = set(text.names) <= set(first.names) or set(first.names) <= set(text.names)
        if not same_names and not (by_name and contains):
            raise LogError(
                f"its columns are {listed(text.names)}, split by {text.delimiter!r}; those of "
                f"{Path(first.path).name} are {listed(first.names)}, split by {first.delimiter!r}.",
                source=text.path,
            )
        are_alike &= same_names and (text.dialect, text.skip) == (first.dialect, first.skip)
    return are_alike
