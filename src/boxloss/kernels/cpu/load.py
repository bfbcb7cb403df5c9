"""From an object file to a function that Python can call, by llvmlite alone: importing Numba takes longer than all of this."""

import ctypes
import functools
import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm

_LOCK = threading.Lock()
_NOWHERE = (ctypes.c_int64 * 2)()
_ALIVE: list[Any] = []  # engines own the code that functions point into, and live as long as the process


@functools.cache
def processor() -> str:
    """The processor that code is made for: machine code for another one may not run here."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def load_object(code: bytes, symbol: str) -> Callable[[bytes], object]:
    """The function `symbol` of an object file, which takes its arguments packed into bytes. Calls let go of the interpreter's lock.

    Raises `RuntimeError` where they lack the symbol. Bytes that are no object file may end the process: LLVM does not ask (`boxloss.kernels.cache` does).
    """
    if not (code and symbol):
        raise RuntimeError("no object file, or no name of a function")
    with _LOCK:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(jit=True)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address(symbol)
        if not address:
            raise RuntimeError(f"no function {symbol} in the object file")
        _ALIVE.append(engine)
    function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(address)
    # The two addresses before the arguments are where Numba's convention puts a result and an exception: there are none.
    nowhere = ctypes.addressof(_NOWHERE)
    return functools.partial(function, nowhere, nowhere)
