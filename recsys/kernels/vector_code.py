"""Vector instructions written while a kernel is compiled, and functions that are compiled from them.

Such a function is defined by its few lines of NumPy, which run where Numba is told not to compile, and is
compiled from vector code written for it: every sum has one order, so that neither the number of threads nor
a compiler's choice can change a bit.

Machine code of a kernel holds these functions, but Numba's cache compares only the kernel's own file. So a
kernel that uses them states a digest of them as ``COMPILED_IN``, and `tests/kernels/test_compiled_in.py`
makes sure that it is today's.
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

LANES = 8
MOST = float(np.finfo(np.float32).max)

NUMBER, INT32, INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(NUMBER, LANES)
_UNDEFINED = ir.Constant(VECTOR, ir.Undefined)
ZERO, ONE, LARGEST = (ir.Constant(VECTOR, [number] * LANES) for number in (0.0, 1.0, MOST))

# Of two vectors, lanes 0 to 7 and 8 to 15: what each of three rounds takes to turn eight by eight numbers.
_ROUNDS = (
    ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)


class VectorCode:
    """Writes vector instructions: the few that are needed here, under short names."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.builder, name)

    def behind(self, pointer: Any, n: Any) -> Any:
        """Return the pointer moved on by ``n`` numbers."""
        return self.builder.gep(pointer, [INT64(n) if isinstance(n, int) else n])

    def times(self, number: Any, n: int) -> Any:
        """Return an integer times a constant."""
        return self.builder.mul(number, INT64(n))

    def read(self, pointer: Any, n: Any = 0) -> Any:
        """Return eight numbers, ``n`` numbers behind the pointer."""
        vector = self.builder.load(self.builder.bitcast(self.behind(pointer, n), VECTOR.as_pointer()))
        vector.align = 4
        return vector

    def write(self, vector: Any, pointer: Any, n: Any = 0) -> None:
        """Write eight numbers, ``n`` numbers behind the pointer."""
        pointer = self.builder.bitcast(self.behind(pointer, n), VECTOR.as_pointer())
        self.builder.store(vector, pointer).align = 4

    def number(self, pointer: Any, n: Any = 0) -> Any:
        """Return the number ``n`` numbers behind the pointer in all eight lanes."""
        return self.spread(self.builder.load(self.behind(pointer, n)))

    def spread(self, number: Any) -> Any:
        """Return a vector of one number in all eight lanes."""
        single = self.builder.insert_element(_UNDEFINED, number, INT32(0))
        return self.mix(single, _UNDEFINED, [0] * LANES)

    def mix(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        """Return a vector of the named lanes: 0 to 7 of ``a``, 8 to 15 of ``b``."""
        mask = ir.Constant(ir.VectorType(INT32, LANES), [INT32(lane) for lane in lanes])
        return self.builder.shuffle_vector(a, b, mask)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a b + c``."""
        kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
        function = self.builder.module.declare_intrinsic(f"llvm.fmuladd.v{LANES}f32", (), kind)
        return self.builder.call(function, [a, b, c])

    def larger(self, a: Any, b: Any) -> Any:
        """Return ``a`` where it is above ``b``, and ``b`` where it is not or is no number."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def sums(self, n: int) -> list[Any]:
        """Return places of ``n`` vectors that can be added to in a loop, all zero: registers, in the end."""
        totals = [cgutils.alloca_once(self.builder, VECTOR) for _ in range(n)]  # type: ignore[no-untyped-call]
        for total in totals:
            self.builder.store(ZERO, total)
        return totals

    def accumulate(self, total: Any, a: Any, b: Any) -> None:
        """Add ``a b`` to what is kept at ``total``."""
        self.builder.store(self.multiply_add(a, b, self.builder.load(total)), total)

    def sums_of(self, vectors: list[Any]) -> Any:
        """Return the sum over the lanes of each of eight vectors."""
        for low, high in _ROUNDS:
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [self.builder.fadd(self.mix(a, b, low), self.mix(a, b, high)) for a, b in pairs]
        return vectors[0]

    def sum_of(self, vector: Any) -> Any:
        """Return the sum over the lanes of one vector: halves added to halves."""
        for width in (4, 2, 1):
            lanes = [(lane + width) % LANES for lane in range(LANES)]
            vector = self.builder.fadd(vector, self.mix(vector, vector, lanes))
        return self.builder.extract_element(vector, INT32(0))

    def turned(self, rows: list[Any]) -> list[Any]:
        """Return the columns of eight by eight numbers."""
        for (low, high), step in zip(_ROUNDS, (1, 2, 4), strict=True):
            pairs = [(rows[q], rows[q + step]) for q in range(LANES) if not q & step]
            if step == 4:
                return [self.mix(a, b, lanes) for lanes in (low, high) for a, b in pairs]
            rows = [self.mix(a, b, lanes) for a, b in pairs for lanes in (low, high)]
        raise AssertionError


def compiled_by(generate: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
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
                generate(VectorCode(builder), *values)
                return context.get_dummy_value()

            return types.void(*(getattr(kind, "literal_type", kind) for kind in kinds)), code

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
        typed.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        typed.__name__ = function.__name__
        return intrinsic(typed)

    return decorate
