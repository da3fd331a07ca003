"""Turns a TOML table into frozen dataclasses and says which key is wrong."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from simulators.errors import ScenarioError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read(cls: type[T], table: Any, where: str) -> T:
    """Return a dataclass filled from a table; ScenarioError names a wrong or missing key."""
    if not isinstance(table, Mapping):
        raise ScenarioError(f"{where}: expected a table, found {table!r}")
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ScenarioError(f"{where}: unknown key {unknown[0]!r}; allowed: {', '.join(known)}")
    values = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ScenarioError(f"{where}: key {name!r} is missing")
    return cls(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _value(next(k for k in get_args(kind) if k is not type(None)), value, where)
    if origin is tuple:
        return _items(get_args(kind)[0], value, where)
    if origin is dict:
        return {key: _value(get_args(kind)[1], v, f"{where}.{key}") for key, v in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return read(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ScenarioError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value


def _items(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ScenarioError(f"{where}: expected a list, found {value!r}")
    return tuple(_value(kind, item, f"{where}[{at}]") for at, item in enumerate(value))
