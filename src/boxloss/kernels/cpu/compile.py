"""From a kernel's text to machine code, by Numba: an object file in memory, with the name of its one function.

Numba's front end types the text and its LLVM makes vector code of it. The object file is taken from there, so that another process can load it
without Numba (`boxloss.kernels.cpu.load`).
"""

import functools
from typing import Any

import numpy as np
from numba import types
from numba.core import codegen, compiler, cpu, typed_passes, typing, untyped_passes
from numba.core.compiler import Flags
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.typing import builtins, templates

from boxloss.kernels.cpu import words


class _Codegen(codegen.JITCPUCodegen):
    wide = True

    def _customize_tm_features(self) -> str:
        """LLVM prefers vectors of 256 bits where there are 512, against the clock changes that follow those."""
        features: str = super()._customize_tm_features()
        return features + ",-prefer-256-bit" if self.wide and "+avx512f" in features else features


class _NarrowCodegen(_Codegen):
    wide = False


class _Typing(typing.BaseContext):
    """Knows loops over a range, and the words it is taught: Numba's rules for all that Python and NumPy have take longer to load than a kernel to compile."""

    def install_registry(self, registry: Any) -> None:
        """Nothing of what is registered elsewhere."""


class _Context(cpu.CPUContext):
    codegen_kind = _Codegen

    def init(self) -> None:
        super().init()
        self._internal_codegen = self.codegen_kind("boxloss")

    def load_additional_registries(self) -> None:
        from numba.cpython import builtins, numbers, rangeobj  # noqa: F401

    def post_lowering(self, module: Any, library: Any) -> None:
        """Nothing to link: there are no objects that a runtime would count."""

    def get_executable(self, library: Any, function: Any, environment: Any) -> None:
        """None: the object file is all that is wanted."""


class _NarrowContext(_Context):
    codegen_kind = _NarrowCodegen


class _Compiler(compiler.CompilerBase):
    """Numba's passes that a plain function of numbers needs; the others look for closures, overloads, lists and the like, at length."""

    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("boxloss")
        for one in (
            untyped_passes.TranslateByteCode,
            untyped_passes.FixupArgs,
            untyped_passes.IRProcessing,
            untyped_passes.ReconstructSSA,
            typed_passes.NopythonTypeInference,
            typed_passes.PreLowerStripPhis,
            typed_passes.IRLegalization,
            typed_passes.NativeLowering,
            typed_passes.NoPythonBackend,
        ):
            passes.add_pass(one, one.__name__)
        passes.finalize()
        return [passes]


@functools.cache
def _context(wide: bool) -> Any:
    known = _Typing()
    for template in (builtins.GetIter, builtins.IterNext, builtins.PairFirst, builtins.PairSecond):
        known.insert_function(template(known))
    known.insert_global(range, types.Function(type("Range", (builtins.Range,), {"key": range})))
    context = (_Context if wide else _NarrowContext)(known)
    context.refresh()
    for word in vars(words).values():
        if isinstance(word, words.Word):
            _teach(context, word, word)
    for operator, word in words.OPERATORS.items():
        _teach(context, operator, word)
    for word in words.as_number.values():
        _teach(context, word, word)
    return context


def _teach(context: Any, name: Any, word: words.Word) -> Any:
    """Tells Numba what `name` gives and how it is built."""

    class Template(templates.AbstractTemplate):
        key = name

        def generic(self, args: Any, kws: Any) -> Any:
            plain = tuple(map(types.unliteral, args))
            return typing.signature(word.result(*plain), *plain)

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = word.build(builder, *args)
        return context.get_dummy_value() if made is None else made

    context.typing_context.insert_global(name, types.Function(Template))
    context.insert_func_defn([(lower, name, (types.VarArg(types.Any),))])
    return name


NUMBERS = {"float32": types.float32, "float64": types.float64, "int64": types.int64}


def compile_text(text: str, number: str, constants: dict[str, tuple[str, float]], memory: dict[str, tuple[str, int]], wide: bool = True) -> tuple[bytes, str]:
    """The object file of the function `kernel(arguments)` in `text`, and the symbol that it has there; `arguments` is the address of int64 numbers.

    `number`: the type that the text calls `number`. `constants`: number type and value of each name in the text that is a constant.
    `memory`: type and length of each name that gives memory on the stack. `wide`: by the widest vectors that the processor has.
    """
    with global_compiler_lock:  # also what keeps our threads apart
        library, symbol = _library(text, number, constants, memory, wide)
        return library._codegen._tm.emit_object(library._final_module), symbol


def assembly(text: str, number: str, constants: dict[str, tuple[str, float]], memory: dict[str, tuple[str, int]], wide: bool = True) -> str:
    """What `compile_text` makes, as a person reads it."""
    with global_compiler_lock:
        library, _ = _library(text, number, constants, memory, wide)
        made: str = library.get_asm_str()
        return made


def _library(text: str, number: str, constants: dict[str, tuple[str, float]], memory: dict[str, tuple[str, int]], wide: bool) -> tuple[Any, str]:
    """Optimised code in LLVM's own form, and the function's symbol."""
    names: dict[str, Any] = {name: word for name, word in vars(words).items() if isinstance(word, words.Word)}
    names |= {name: np.dtype(dtype).type(value) for name, (dtype, value) in constants.items()}
    names |= {"number": words.as_number[NUMBERS[number]], "float64": words.as_number[types.float64]}
    exec(compile(text, "<boxloss kernel>", "exec"), names)
    flags = Flags()
    flags.error_model = "numpy"  # x / 0 is an infinity, not an exception
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    context = _context(wide)
    made_here = {name: words.memory(NUMBERS[dtype], length) for name, (dtype, length) in memory.items()}
    made_here |= {name: words.pointer(kind) for name, kind in (("numbers_at", NUMBERS[number]), ("floats_at", types.float64), ("integers_at", types.int64))}
    names |= {name: _teach(context, word, word) for name, word in made_here.items()}
    arguments = (types.CPointer(types.int64),)
    made = compiler.compile_extra(context.typing_context, context, names["kernel"], arguments, types.void, flags, {}, pipeline_class=_Compiler)
    # Not `finalize`: that also makes machine code for this process, and ours comes from the object file.
    made.library._optimize_final_module()
    made.library._final_module.verify()
    return made.library, made.fndesc.llvm_func_name
