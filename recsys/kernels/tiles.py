"""Vector code for blocks of sixteen components: what a compiler does not find on its own.

Legend: a row's ``n`` entries, padded with zeros to ``m``, a multiple of 8, meet the factors of the other
side. These lie in ``entries`` as parts of sixteen components: part ``p`` is a matrix ``A`` (m, 16) that
begins at ``p m 16``. Arrays over components (w, change, inverse) hold sixteen numbers a part,
``coupling`` 256.

Registers hold eight sums each, and every sum has one order (`recsys.kernels.vector_code`).

Kernels that use these functions pin them: `recsys.kernels.vector_code`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from recsys.kernels.vector_code import INT32, INT64, LANES, LARGEST, MOST, ONE, ZERO, VectorCode, compiled_by
from recsys.typing import Float32Array, Int32Array

PART = 16
_AHEAD = 16  # entries by which factors are asked for before they are read
_HALVES = (0, LANES)


def _gather(
    code: VectorCode,
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
    n_whole, rest = code.sdiv(rank, INT64(PART)), code.srem(rank, INT64(PART))
    size, byte = code.times(m, PART), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
    fetch = code.module.declare_intrinsic("llvm.prefetch", [byte], kind)

    def factors_of(entry: Any) -> Any:
        column = code.sext(code.load(code.behind(columns, entry)), INT64)
        return code.behind(other, code.mul(column, rank))

    with cgutils.for_range(code.builder, n) as loop:
        ahead = code.add(loop.index, INT64(_AHEAD))
        ahead = code.select(code.icmp_signed("<", ahead, furthest), ahead, furthest)
        coming, factors = factors_of(ahead), factors_of(loop.index)
        root = code.number(roots, loop.index)
        entry = code.behind(entries, code.times(loop.index, PART))
        with cgutils.for_range(code.builder, n_whole) as parts:
            first = code.times(parts.index, PART)
            line = code.bitcast(code.behind(coming, first), byte)
            code.call(fetch, [line, INT32(0), INT32(3), INT32(1)])
            target, source = code.behind(entry, code.mul(parts.index, size)), code.behind(factors, first)
            for half in _HALVES:
                code.write(code.fmul(root, code.read(source, half)), target, half)
        with code.if_then(code.icmp_signed(">", rest, INT64(0))):
            first = code.times(n_whole, PART)
            target, source = code.behind(entry, code.mul(n_whole, size)), code.behind(factors, first)
            for half in _HALVES:
                code.write(ZERO, target, half)
            single_root = code.load(code.behind(roots, loop.index))
            with cgutils.for_range(code.builder, rest) as single:
                number = code.load(code.behind(source, single.index))
                code.store(code.fmul(single_root, number), code.behind(target, single.index))
    with cgutils.for_range(code.builder, m, start=n) as loop:
        entry = code.behind(entries, code.times(loop.index, PART))
        n_parts = code.sdiv(code.add(rank, INT64(PART - 1)), INT64(PART))
        with cgutils.for_range(code.builder, n_parts) as parts:
            for half in _HALVES:
                code.write(ZERO, code.behind(entry, code.mul(parts.index, size)), half)


@compiled_by(_gather)
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
    code: VectorCode, entries: Any, part: Any, n: Any, m: Any, ridge: Any, coupling: Any, inverse: Any
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
        diagonal = ZERO
        for f in range(LANES):
            only = [LANES + f if lane == f else lane for lane in range(LANES)]
            gram[half + f, half] = code.fadd(gram[half + f, half], code.mix(ZERO, ridges, only))
            diagonal = code.mix(diagonal, gram[half + f, half], only)
        quotient = code.fdiv(ONE, diagonal)
        quotient = code.select(code.fcmp_ordered("<", quotient, LARGEST), quotient, LARGEST)
        quotient = code.select(code.fcmp_ordered(">", diagonal, ZERO), quotient, ZERO)
        code.write(quotient, inverse, half)
        for f in range(PART):
            code.write(code.fmul(gram[f, half], quotient), coupling, f * PART + half)


@compiled_by(_couple)
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
    quotient = np.minimum(quotient, np.float32(MOST))
    inverse[part * PART : (part + 1) * PART] = quotient
    coupling[part * PART**2 : (part + 1) * PART**2] = (gram * quotient).ravel()


def _descend(
    code: VectorCode,
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
    with cgutils.for_range(code.builder, code.sdiv(m, INT64(4))) as loop:
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
    gains = [ZERO, ZERO]
    for f in range(PART):
        mine, lane = f // LANES, INT32(f % LANES)
        gain = code.larger(code.extract_element(steps[mine], lane), code.extract_element(lowest[mine], lane))
        gains[mine] = code.insert_element(gains[mine], gain, lane)
        back = code.spread(code.fneg(gain))
        for k in range(mine, 2):  # steps that were taken are no longer needed
            steps[k] = code.multiply_add(back, code.read(coupling, f * PART + _HALVES[k]), steps[k])
    for k, half in enumerate(_HALVES):
        code.write(gains[k], change, half)
        code.write(code.fadd(before[k], gains[k]), w, half)


@compiled_by(_descend)
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


def _subtract(code: VectorCode, entries: Any, part: Any, m: Any, change: Any, residual: Any) -> None:
    entries = code.behind(entries, code.mul(part, code.times(m, PART)))
    low, high = (code.read(code.behind(change, code.times(part, PART)), half) for half in _HALVES)
    with cgutils.for_range(code.builder, code.sdiv(m, INT64(LANES))) as loop:
        j = code.times(loop.index, LANES)
        entry, left = code.behind(entries, code.times(j, PART)), code.behind(residual, j)
        products = []
        for k in range(LANES):
            first = code.fmul(code.read(entry, k * PART), low)
            products.append(code.multiply_add(code.read(entry, k * PART + LANES), high, first))
        code.write(code.fsub(code.read(left), code.sums_of(products)), left)


@compiled_by(_subtract)
def subtract(entries: Float32Array, part: int, m: int, change: Float32Array, residual: Float32Array) -> None:
    """Take what ``change`` of the part's factors predicts from ``residual`` (m,)."""
    block = entries[part * m * PART : (part + 1) * m * PART].reshape(m, PART)
    residual[:m] -= block @ change[part * PART : (part + 1) * PART]
