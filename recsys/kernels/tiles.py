"""Vector code for blocks of sixteen components: what a compiler does not find on its own.

Legend: a row's ``n`` entries, padded with zeros to ``m``, a multiple of 8, meet the factors of the other
side. These lie in ``entries`` as parts of sixteen components: part ``p`` is a matrix ``A`` (m, 16) that
begins at ``p m 16``. Arrays over components (w, change, inverse) hold sixteen numbers a part,
``coupling`` 256.

Each function is defined by its few lines of NumPy, which run where Numba is told not to compile, and is
compiled from vector code written for it: registers hold eight sums each, and every sum has one order,
so that neither the number of threads nor a compiler's choice can change a bit.

Machine code of a kernel holds these functions, but Numba's cache compares only the kernel's own file:
`tests/kernels/test_tiles.py` makes sure that a change here is known there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.typing import Float32Array, Int32Array

PART, LANES = 16, 8
_AHEAD = 16  # entries by which factors are asked for before they are read
_MOST = float(np.finfo(np.float32).max)

_NUMBER, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_NUMBER, LANES)
_UNDEFINED = ir.Constant(_VECTOR, ir.Undefined)
_ZERO, _ONE, _LARGEST = (ir.Constant(_VECTOR, [number] * LANES) for number in (0.0, 1.0, _MOST))
_HALVES = (0, LANES)

# Of two vectors, lanes 0 to 7 and 8 to 15: what each of three rounds takes to turn eight by eight numbers.
_ROUNDS = (
    ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)


class _Code:
    """Writes vector instructions: the few that are needed here, under short names."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.builder, name)

    def behind(self, pointer: Any, n: Any) -> Any:
        return self.builder.gep(pointer, [_INT64(n) if isinstance(n, int) else n])

    def times(self, number: Any, n: int) -> Any:
        return self.builder.mul(number, _INT64(n))

    def read(self, pointer: Any, n: Any = 0) -> Any:
        """Return eight numbers, ``n`` numbers behind the pointer."""
        vector = self.builder.load(self.builder.bitcast(self.behind(pointer, n), _VECTOR.as_pointer()))
        vector.align = 4
        return vector

    def write(self, vector: Any, pointer: Any, n: Any = 0) -> None:
        pointer = self.builder.bitcast(self.behind(pointer, n), _VECTOR.as_pointer())
        self.builder.store(vector, pointer).align = 4

    def number(self, pointer: Any, n: Any = 0) -> Any:
        """Return one number in all eight lanes."""
        return self.spread(self.builder.load(self.behind(pointer, n)))

    def spread(self, number: Any) -> Any:
        single = self.builder.insert_element(_UNDEFINED, number, _INT32(0))
        return self.mix(single, _UNDEFINED, [0] * LANES)

    def mix(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        mask = ir.Constant(ir.VectorType(_INT32, LANES), [_INT32(lane) for lane in lanes])
        return self.builder.shuffle_vector(a, b, mask)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = self.builder.module.declare_intrinsic(f"llvm.fmuladd.v{LANES}f32", (), kind)
        return self.builder.call(function, [a, b, c])

    def larger(self, a: Any, b: Any) -> Any:
        """Return ``a`` where it is above ``b``, and ``b`` where it is not or is no number."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def sums(self, n: int) -> list[Any]:
        """Return places of ``n`` vectors that can be added to in a loop, all zero: registers, in the end."""
        totals = [cgutils.alloca_once(self.builder, _VECTOR) for _ in range(n)]  # type: ignore[no-untyped-call]
        for total in totals:
            self.builder.store(_ZERO, total)
        return totals

    def accumulate(self, total: Any, a: Any, b: Any) -> None:
        self.builder.store(self.multiply_add(a, b, self.builder.load(total)), total)

    def sums_of(self, vectors: list[Any]) -> Any:
        """Return the sum over the lanes of each of eight vectors."""
        for low, high in _ROUNDS:
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [self.builder.fadd(self.mix(a, b, low), self.mix(a, b, high)) for a, b in pairs]
        return vectors[0]

    def turned(self, rows: list[Any]) -> list[Any]:
        """Return the columns of eight by eight numbers."""
        for (low, high), step in zip(_ROUNDS, (1, 2, 4), strict=True):
            pairs = [(rows[q], rows[q + step]) for q in range(LANES) if not q & step]
            if step == 4:
                return [self.mix(a, b, lanes) for lanes in (low, high) for a, b in pairs]
            rows = [self.mix(a, b, lanes) for a, b in pairs for lanes in (low, high)]
        raise AssertionError


def _compiled_by(generate: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile a function by what ``generate`` writes for it; its own body is the definition."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            return function

        def typed(_: Any, *kinds: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                values = [
                    context.make_array(kind)(context, builder, value).data
                    if isinstance(kind, types.Array)
                    else value
                    for kind, value in zip(signature.args, arguments, strict=True)
                ]
                generate(_Code(builder), *values)
                return context.get_dummy_value()

            return types.void(*(getattr(kind, "literal_type", kind) for kind in kinds)), code

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
        typed.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        typed.__name__ = function.__name__
        return intrinsic(typed)

    return decorate


def _gather(
    code: _Code,
    columns: Any,
    begin: Any,
    n: Any,
    last: Any,
    other: Any,
    rank: Any,
    roots: Any,
    entries: Any,
    m: Any,
) -> None:
    columns, furthest = code.behind(columns, begin), code.sub(last, begin)
    n_whole, rest = code.sdiv(rank, _INT64(PART)), code.srem(rank, _INT64(PART))
    size, byte = code.times(m, PART), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT32, _INT32, _INT32])
    fetch = code.module.declare_intrinsic("llvm.prefetch", [byte], kind)

    def factors_of(entry: Any) -> Any:
        column = code.sext(code.load(code.behind(columns, entry)), _INT64)
        return code.behind(other, code.mul(column, rank))

    with cgutils.for_range(code.builder, n) as loop:
        ahead = code.add(loop.index, _INT64(_AHEAD))
        ahead = code.select(code.icmp_signed("<", ahead, furthest), ahead, furthest)
        coming, factors = factors_of(ahead), factors_of(loop.index)
        root = code.number(roots, loop.index)
        entry = code.behind(entries, code.times(loop.index, PART))
        with cgutils.for_range(code.builder, n_whole) as parts:
            first = code.times(parts.index, PART)
            line = code.bitcast(code.behind(coming, first), byte)
            code.call(fetch, [line, _INT32(0), _INT32(3), _INT32(1)])
            target, source = code.behind(entry, code.mul(parts.index, size)), code.behind(factors, first)
            for half in _HALVES:
                code.write(code.fmul(root, code.read(source, half)), target, half)
        with code.if_then(code.icmp_signed(">", rest, _INT64(0))):
            first = code.times(n_whole, PART)
            target, source = code.behind(entry, code.mul(n_whole, size)), code.behind(factors, first)
            for half in _HALVES:
                code.write(_ZERO, target, half)
            single_root = code.load(code.behind(roots, loop.index))
            with cgutils.for_range(code.builder, rest) as single:
                number = code.load(code.behind(source, single.index))
                code.store(code.fmul(single_root, number), code.behind(target, single.index))
    with cgutils.for_range(code.builder, m, start=n) as loop:
        entry = code.behind(entries, code.times(loop.index, PART))
        n_parts = code.sdiv(code.add(rank, _INT64(PART - 1)), _INT64(PART))
        with cgutils.for_range(code.builder, n_parts) as parts:
            for half in _HALVES:
                code.write(_ZERO, code.behind(entry, code.mul(parts.index, size)), half)


@_compiled_by(_gather)
def gather(
    columns: Int32Array,
    begin: int,
    n: int,
    last: int,
    other: Float32Array,
    rank: int,
    roots: Float32Array,
    entries: Float32Array,
    m: int,
) -> None:
    """Write the factors of the row's entries, which begin at ``begin``, times ``roots`` to ``entries``.

    Up to entry ``last``, which may be another row's, factors are brought near before they are needed.
    """
    padded = np.zeros((m, -(-rank // PART) * PART), dtype=np.float32)
    padded[:n, :rank] = roots[:n, np.newaxis] * other[columns[begin : begin + n]]
    entries[: padded.size] = padded.reshape(m, -1, PART).transpose(1, 0, 2).ravel()


def _couple(
    code: _Code, entries: Any, part: Any, n: Any, m: Any, ridge: Any, coupling: Any, inverse: Any
) -> None:
    entries = code.behind(entries, code.mul(part, code.times(m, PART)))
    coupling = code.behind(coupling, code.times(part, PART * PART))
    inverse = code.behind(inverse, code.times(part, PART))
    gram: dict[tuple[int, int], Any] = {}
    for first, half in ((0, 0), (LANES, 0), (LANES, LANES)):
        totals = code.sums(LANES)  # with the vector and a factor, all that registers hold
        with cgutils.for_range(code.builder, n) as loop:
            entry = code.behind(entries, code.times(loop.index, PART))
            vector = code.read(entry, half)
            for f, total in enumerate(totals, start=first):
                code.accumulate(total, code.number(entry, f), vector)
        gram |= {(first + f, half): code.load(total) for f, total in enumerate(totals)}
    above = code.turned([gram[f, 0] for f in range(LANES, PART)])
    gram |= {(f, LANES): vector for f, vector in enumerate(above)}
    ridges = code.spread(ridge)
    for half in _HALVES:
        diagonal = _ZERO
        for f in range(LANES):
            only = [LANES + f if lane == f else lane for lane in range(LANES)]
            gram[half + f, half] = code.fadd(gram[half + f, half], code.mix(_ZERO, ridges, only))
            diagonal = code.mix(diagonal, gram[half + f, half], only)
        quotient = code.fdiv(_ONE, diagonal)
        quotient = code.select(code.fcmp_ordered("<", quotient, _LARGEST), quotient, _LARGEST)
        quotient = code.select(code.fcmp_ordered(">", diagonal, _ZERO), quotient, _ZERO)
        code.write(quotient, inverse, half)
        for f in range(PART):
            code.write(code.fmul(gram[f, half], quotient), coupling, f * PART + half)


@_compiled_by(_couple)
def couple(
    entries: Float32Array,
    part: int,
    n: int,
    m: int,
    ridge: np.float32,
    coupling: Float32Array,
    inverse: Float32Array,
) -> None:
    """Write ``(A' A + ridge I) / diagonal`` and ``1 / diagonal``, which is 0 where nothing is curved.

    Row ``f`` of ``coupling`` is by how much a step of one along ``f`` shortens the best steps along all.
    """
    block = entries[part * m * PART : (part + 1) * m * PART].reshape(m, PART)[:n]
    gram = block.T @ block + ridge * np.eye(PART, dtype=np.float32)
    diagonal = np.diag(gram)
    quotient = np.zeros(PART, dtype=np.float32)
    np.divide(np.float32(1), diagonal, out=quotient, where=diagonal > 0)
    quotient = np.minimum(quotient, np.float32(_MOST))
    inverse[part * PART : (part + 1) * PART] = quotient
    coupling[part * PART**2 : (part + 1) * PART**2] = (gram * quotient).ravel()


def _descend(
    code: _Code,
    entries: Any,
    part: Any,
    m: Any,
    residual: Any,
    coupling: Any,
    inverse: Any,
    ridge: Any,
    l1: Any,
    lower: Any,
    w: Any,
    change: Any,
) -> None:
    entries = code.behind(entries, code.mul(part, code.times(m, PART)))
    coupling = code.behind(coupling, code.times(part, PART * PART))
    first = code.times(part, PART)
    inverse, w, change = code.behind(inverse, first), code.behind(w, first), code.behind(change, first)
    totals = [code.sums(4) for _ in _HALVES]
    with cgutils.for_range(code.builder, code.sdiv(m, _INT64(4))) as loop:
        entry, left = code.behind(entries, code.times(loop.index, 4 * PART)), code.times(loop.index, 4)
        for k in range(4):
            number = code.number(code.behind(residual, left), k)
            for half, total in zip(_HALVES, totals, strict=True):
                code.accumulate(total[k], number, code.read(entry, k * PART + half))
    ridges, penalty, bound = code.spread(ridge), code.spread(l1), code.spread(lower)
    steps, lowest, before = [], [], []
    for half, total in zip(_HALVES, totals, strict=True):
        a, b, c, d = (code.load(at) for at in total)
        slope, now = code.fadd(code.fadd(a, b), code.fadd(c, d)), code.read(w, half)
        pull = code.multiply_add(ridges, now, penalty)
        steps.append(code.fmul(code.fsub(slope, pull), code.read(inverse, half)))
        lowest.append(code.fsub(bound, now))
        before.append(now)
    gains = [_ZERO, _ZERO]
    for f in range(PART):
        mine, lane = f // LANES, _INT32(f % LANES)
        gain = code.larger(code.extract_element(steps[mine], lane), code.extract_element(lowest[mine], lane))
        gains[mine] = code.insert_element(gains[mine], gain, lane)
        back = code.spread(code.fneg(gain))
        for k in range(mine, 2):  # steps that were taken are no longer needed
            steps[k] = code.multiply_add(back, code.read(coupling, f * PART + _HALVES[k]), steps[k])
    for k, half in enumerate(_HALVES):
        code.write(gains[k], change, half)
        code.write(code.fadd(before[k], gains[k]), w, half)


@_compiled_by(_descend)
def descend(
    entries: Float32Array,
    part: int,
    m: int,
    residual: Float32Array,
    coupling: Float32Array,
    inverse: Float32Array,
    ridge: np.float32,
    l1: np.float32,
    lower: np.float32,
    w: Float32Array,
    change: Float32Array,
) -> None:
    """Take each coordinate of a part once, in order and exactly, down to ``lower`` at most.

    ``change`` receives what was added to ``w``.
    """
    block, own = entries[part * m * PART : (part + 1) * m * PART].reshape(m, PART), w[part * PART :]
    coupled = coupling[part * PART**2 : (part + 1) * PART**2].reshape(PART, PART)
    step = (residual[:m] @ block - (ridge * own[:PART] + l1)) * inverse[part * PART : (part + 1) * PART]
    for f in range(PART):
        gain = max(lower - own[f], step[f])
        step -= gain * coupled[f]
        change[part * PART + f] = gain
        own[f] += gain


def _subtract(code: _Code, entries: Any, part: Any, m: Any, change: Any, residual: Any) -> None:
    entries = code.behind(entries, code.mul(part, code.times(m, PART)))
    low, high = (code.read(code.behind(change, code.times(part, PART)), half) for half in _HALVES)
    with cgutils.for_range(code.builder, code.sdiv(m, _INT64(LANES))) as loop:
        j = code.times(loop.index, LANES)
        entry, left = code.behind(entries, code.times(j, PART)), code.behind(residual, j)
        products = []
        for k in range(LANES):
            first = code.fmul(code.read(entry, k * PART), low)
            products.append(code.multiply_add(code.read(entry, k * PART + LANES), high, first))
        code.write(code.fsub(code.read(left), code.sums_of(products)), left)


@_compiled_by(_subtract)
def subtract(entries: Float32Array, part: int, m: int, change: Float32Array, residual: Float32Array) -> None:
    """Take what ``change`` of the part's factors predicts from ``residual`` (m,)."""
    block = entries[part * m * PART : (part + 1) * m * PART].reshape(m, PART)
    residual[:m] -= block @ change[part * PART : (part + 1) * PART]
