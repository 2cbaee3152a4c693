"""One thread alone: a kernel that asks for no other thread runs in the one that calls it.

Numba's pool of threads takes every parallel loop, and hands even the only share of one to another thread,
which costs some 100 microseconds of two processors; a list for one user takes a dozen kernels. Compiled code
finds the pool by the name ``numba_parallel_for``. Here a function of that name is put in front, which calls
the body of the loop itself where one thread was asked for, and the pool otherwise. The body is the same
compiled code on the same range, so results are, too.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
from llvmlite import binding, ir
from numba import config

_SYMBOL, _OURS, _POOL = "numba_parallel_for", "recsys_parallel_for", "recsys_pool_parallel_for"


@cache
def runs_alone() -> bool:
    """Put our function in front of Numba's pool, once in a process; return whether that could be done.

    To be called before a kernel is compiled or loaded, which is when its names are resolved.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return True  # a kernel is a plain function then
    numba.get_num_threads()  # starts the pool
    pool = binding.address_of_symbol(_SYMBOL)
    if pool is None:
        return False
    binding.add_symbol(_POOL, pool)
    _keep.append(engine := _compiled())
    binding.add_symbol(_SYMBOL, engine.get_function_address(_OURS))
    return True


_keep: list[Any] = []
"""What owns the compiled function; without it the function's memory would be freed."""


def _compiled() -> Any:
    """Return the engine of a function with the arguments that Numba gives its pool.

    These are the body, which takes the four that follow (arrays, dimensions, steps, data), two counts of what
    these hold, and the number of threads. A pool calls the body with a share of the first dimension; for one
    thread that share is the whole.
    """
    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(64)
    loop = ir.FunctionType(ir.VoidType(), [pointer] * 5 + [number] * 3)
    body = ir.FunctionType(ir.VoidType(), [pointer] * 4)
    module = ir.Module(_OURS)
    module.triple = binding.get_process_triple()
    pool = ir.Function(module, loop, _POOL)
    function = ir.Function(module, loop, _OURS)
    builder = ir.IRBuilder(function.append_basic_block())
    n_threads = builder.trunc(function.args[7], ir.IntType(32))  # the pool takes an int
    with builder.if_else(builder.icmp_signed("==", n_threads, ir.IntType(32)(1))) as (alone, together):
        with alone:
            builder.call(builder.bitcast(function.args[0], body.as_pointer()), function.args[1:5])
        with together:
            builder.call(pool, function.args)
    builder.ret_void()
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
    engine.finalize_object()
    return engine
