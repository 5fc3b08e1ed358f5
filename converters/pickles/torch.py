"""What PyTorch's pickles build: tensors as views of storages. Nothing of PyTorch is needed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from pickles.arrays import numpy_function
from pickles.machine import Global, inert, pickled_dict

STORAGES = {
    "BFloat16Storage": ("bfloat16", 2),
    "BoolStorage": ("bool", 1),
    "ByteStorage": ("uint8", 1),
    "CharStorage": ("int8", 1),
    "ComplexDoubleStorage": ("complex128", 16),
    "ComplexFloatStorage": ("complex64", 8),
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "IntStorage": ("int32", 4),
    "LongStorage": ("int64", 8),
    "QInt32Storage": ("int32", 4),
    "QInt8Storage": ("int8", 1),
    "QUInt8Storage": ("uint8", 1),
    "ShortStorage": ("int16", 2),
    "UntypedStorage": ("uint8", 1),
}
"""PyTorch's classes of storages: type and size of one number."""
DTYPES = {
    "bool": 1,
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "complex64": 8,
    "complex128": 16,
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""Number types that stand apart from the storage's, and the size of one number."""


@dataclass(frozen=True)
class Storage:
    """Numbers in a row, in the file under `key`; a view of it begins at the number `start`."""

    key: str
    dtype: str
    itemsize: int
    numel: int
    start: int = 0


@dataclass(frozen=True)
class Scales:
    """What makes values of a quantized tensor's numbers q: (q - zero point) x scale.

    Each is a number, or a tensor of as many numbers as the axis is long.
    """

    scale: "float | View"
    zero_point: "int | View"
    axis: int | None


@dataclass(frozen=True)
class View:
    """A tensor: strides and offset are counted in numbers of its type."""

    storage: Storage
    dtype: str
    itemsize: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    scales: Scales | None = None

    @property
    def span(self) -> int:
        """Numbers from the first to the last that it uses."""
        if 0 in self.shape:
            return 0
        return 1 + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))


@dataclass(frozen=True)
class Unsupported:
    """A tensor that cannot be exported, and why."""

    reason: str


def storage_of(identifier: Any) -> Storage:
    """Read a persistent identifier; ValueError or TypeError if it is not one."""
    word, kind, key, _, numel, *view = identifier
    if word != "storage" or not isinstance(kind, Global) or not isinstance(key, str | int):
        raise ValueError("a persistent identifier that names no storage")
    dtype, itemsize = STORAGES[kind.name.rsplit(".", 1)[-1]]
    storage = Storage(str(key), dtype, itemsize, count_of(numel))
    if view and view[0] is not None:
        _, start, _ = view[0]
        return replace(storage, start=count_of(start))
    return storage


def torch_function(name: str) -> Callable[..., Any] | None:
    """Our function for a name that a checkpoint imports; None if it is not on the list."""
    name = name.replace("__builtin__.", "builtins.")
    module, _, last = name.rpartition(".")
    is_class = last in STORAGES or last.replace("Tensor", "Storage") in STORAGES
    if is_class and module in ("torch", "torch.cuda", "torch.storage"):
        return inert
    if module == "torch" and last in DTYPES:
        return inert
    return _FUNCTIONS.get(name) or numpy_function(name)


def script_function(name: str) -> Callable[..., Any] | None:
    """Look up a name in a TorchScript archive, whose modules have classes of their own."""
    if name.startswith("__torch__."):
        return inert
    if name.startswith("torch.jit._pickle."):
        return _first
    return torch_function(name)


def count_of(value: Any) -> int:
    """Check that a value is a whole number from 0 to 2^63 - 1."""
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{type(value).__name__} in place of a count, or one out of range")
    return value


def _first(value: Any, *_: Any) -> Any:
    return value


def tensor_view(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    _requires_grad: Any = None,
    _hooks: Any = None,
    metadata: Any = None,
) -> View | Unsupported:
    """Make a tensor of a part of a storage."""
    if not isinstance(storage, Storage):
        raise TypeError("a tensor without a storage")
    return _view(storage, storage.dtype, storage.itemsize, offset, shape, strides, metadata)


def _tensor_of_type(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    _requires_grad: Any,
    _hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> View | Unsupported:
    name = dtype.name.removeprefix("torch.")
    return _view(storage, name, DTYPES[name], offset, shape, strides, metadata)


def _view(
    storage: Storage,
    dtype: str,
    itemsize: int,
    offset: Any,
    shape: Any,
    strides: Any,
    metadata: Any,
) -> View | Unsupported:
    if metadata:
        return Unsupported("its numbers are stored conjugated or negated")
    first = storage.start * storage.itemsize // itemsize + count_of(offset)
    lengths, steps = tuple(map(count_of, shape)), tuple(map(count_of, strides))
    if len(lengths) != len(steps) or len(lengths) > 32:
        raise ValueError(f"a tensor of shape {lengths} with strides {steps}")
    view = View(storage, dtype, itemsize, first, lengths, steps)
    numbers = storage.numel * storage.itemsize // itemsize
    if view.span and first + view.span > numbers:
        raise ValueError(f"a tensor of shape {lengths} in a storage of {numbers} numbers")
    if prod(lengths) > numbers:
        return Unsupported("it repeats its numbers (an expanded view)")
    return view


def _quantized(
    storage: Any, offset: Any, shape: Any, strides: Any, quantizer: Any, *_: Any
) -> View | Unsupported:
    view = tensor_view(storage, offset, shape, strides)
    kind, scale, zero_point, *axis = quantizer
    if not isinstance(view, View):
        return view
    if kind.name == "torch.per_tensor_affine":
        if not isinstance(scale, float) or not isinstance(zero_point, int) or axis:
            raise TypeError("a quantized tensor whose scale is not a number")
        return replace(view, scales=Scales(scale, zero_point, None))
    (axis,) = map(count_of, axis)
    if not isinstance(scale, View) or not isinstance(zero_point, View):
        raise TypeError("a tensor quantized by channels, whose scales are not a tensor")
    if not scale.shape == zero_point.shape == view.shape[axis : axis + 1]:
        raise ValueError(f"scales of shape {scale.shape} for a tensor of shape {view.shape}")
    return replace(view, scales=Scales(scale, zero_point, axis))


def _of_subclass(function: Any, _type: Any, arguments: Any, _state: Any) -> Any:
    if not isinstance(function, Global) or function.make not in (tensor_view, _tensor_of_type):
        raise ValueError("a tensor of a custom class")
    return function.make(*arguments)


def _unsupported(reason: str) -> Callable[..., Unsupported]:
    return lambda *_: Unsupported(reason)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": tensor_view,
    "torch._utils._rebuild_tensor_v2": tensor_view,
    "torch._utils._rebuild_tensor_v3": _tensor_of_type,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": _of_subclass,
    "torch._utils._rebuild_sparse_tensor": _unsupported("it is sparse"),
    "torch._utils._rebuild_sparse_csr_tensor": _unsupported("it is sparse"),
    "torch._utils._rebuild_nested_tensor": _unsupported("it is a nested tensor"),
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_meta_tensor_no_storage": _unsupported("it has no numbers (meta)"),
    "torch.Size": lambda sizes=(): tuple(sizes),
    "torch.ScriptObject": _unsupported("it is a PyTorch object that packs weights"),
    "collections.OrderedDict": pickled_dict,
    "collections.defaultdict": lambda _factory=None, pairs=(): pickled_dict(pairs),
    "collections.Counter": lambda _counts=None: {},
    "builtins.set": lambda items=(): list(items),
    "builtins.frozenset": lambda items=(): list(items),
}
_INERT = (
    "argparse.Namespace",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.dict",
    "builtins.float",
    "builtins.int",
    "builtins.list",
    "builtins.object",
    "builtins.slice",
    "builtins.str",
    "datetime.datetime",
    "datetime.timedelta",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pytorch_lightning.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "torch.Tensor",
    "torch.device",
    "torch.nn.parameter.Buffer",
    "torch.nn.parameter.Parameter",
    "torch.per_channel_affine",
    "torch.per_channel_affine_float_qparams",
    "torch.per_tensor_affine",
    "torch.qint32",
    "torch.qint8",
    "torch.quint8",
    "torch.serialization._get_layout",
    "torch.torch_version.TorchVersion",
)
_FUNCTIONS |= dict.fromkeys(_INERT, inert)
