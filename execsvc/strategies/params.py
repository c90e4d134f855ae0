"""Parameters of a bot as its row carries them, checked against the model of its strategy.

A form sends every field as text or number, and a field that was cleared as null. Each refusal is
one sentence: the parameter, the value given, the values allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from execsvc.errors import ConfigRefused

_LONGEST_VALUE = 60
"""Characters of a value that a refusal quotes."""
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_LIBRARY_WORDS = {"Input should be": "has to be", "Value error, ": "", "Assertion failed, ": ""}
_MOST_DECIMALS = 18
_MOST_DIGITS = 36


def usable(value: Decimal) -> Decimal:
    """``value``, for a validator. Raises ValueError for one with too many digits to write out.

    ``1e999999999`` is such a number, and no price of anything.
    """
    if int(value.as_tuple().exponent) < -_MOST_DECIMALS or value.adjusted() > _MOST_DIGITS:
        raise ValueError(f"has more than {_MOST_DECIMALS} decimals or {_MOST_DIGITS} digits")
    return value


def parse_params(model: type[BaseModel], params: Mapping[str, Any]) -> BaseModel:
    """``params`` as ``model``. Raises ConfigRefused with one sentence for each fault.

    A null counts as absent for a parameter that has a default.
    """
    given = {name: value for name, value in params.items() if not _is_cleared(model, name, value)}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        schema = schema_of(model)
        faults = [_sentence(dict(fault), schema) for fault in error.errors(include_url=False)]
        raise ConfigRefused(*faults) from None
    except Exception as error:  # a third party's validator may raise anything
        raise ConfigRefused(f"params: {error!r}") from error


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of ``model``; a decimal is a plain number, as a form is made of it."""
    return model.model_json_schema(schema_generator=_FormSchema)


class _FormSchema(GenerateJsonSchema):
    """A decimal is a plain number with its bounds."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = {
            "minimum": schema.get("ge"),
            "exclusiveMinimum": schema.get("gt"),
            "maximum": schema.get("le"),
            "exclusiveMaximum": schema.get("lt"),
        }
        known = {name: _json_number(bound) for name, bound in bounds.items() if bound is not None}
        return {"type": "number", **known}

    def encode_default(self, dft: Any) -> Any:
        return _json_number(dft) if isinstance(dft, Decimal) else super().encode_default(dft)


def _json_number(value: Decimal) -> float:
    return int(value) if value == int(value) else float(value)


def _is_cleared(model: type[BaseModel], name: str, value: object) -> bool:
    if value is not None:
        return False
    return any(
        name in _names(field_name, field) and not field.is_required()
        for field_name, field in model.model_fields.items()
    )


def _names(name: str, field: FieldInfo) -> set[str]:
    """The names by which a parameter may be given."""
    aliases = (field.alias, field.validation_alias)
    return {name, *(alias for alias in aliases if isinstance(alias, str))}


def _sentence(fault: dict[str, Any], schema: dict[str, Any]) -> str:
    """One fault as a sentence, without the library's words."""
    path = ".".join(["params", *(str(part) for part in fault["loc"])])
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"{path} is not a parameter of this strategy"
    field = _field(schema, fault["loc"])
    allowed = _allowed(field)
    if kind == "missing" or (fault["input"] is None and allowed):
        return f"{path} is missing" + (f": {allowed} is needed" if allowed else "")
    if not fault["loc"]:
        return f"{path}: {_plain(fault['msg'])}"
    given = f"{path} is {_quoted(fault['input'], field)}"
    if kind in ("value_error", "assertion_error") or not allowed:
        return f"{given}: {_plain(fault['msg'])}"
    return f"{given}: {allowed} is needed"


def _field(schema: dict[str, Any], location: tuple[int | str, ...]) -> dict[str, Any]:
    """The schema of one top-level parameter; empty for anything deeper."""
    if len(location) != 1:
        return {}
    found = schema.get("properties", {}).get(location[0], {})
    return found if isinstance(found, dict) else {}


def _allowed(field: dict[str, Any]) -> str:
    """The values that ``field`` takes, in words; empty when its schema is not a simple one."""
    if "enum" in field:
        return "one of " + ", ".join(str(each) for each in field["enum"])
    kind = _KINDS.get(str(field.get("type")))
    if kind is None:
        return ""
    low, above = field.get("minimum"), field.get("exclusiveMinimum")
    high, below = field.get("maximum"), field.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{kind} from {low} to {high}"
    bounds = (
        ("of at least", low),
        ("above", above),
        ("of at most", high),
        ("below", below),
    )
    limits = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
    return f"{kind} {limits}".rstrip()


def _plain(message: str) -> str:
    for words, ours in _LIBRARY_WORDS.items():
        if message.startswith(words):
            return ours + message.removeprefix(words)
    return message


def _quoted(value: object, field: dict[str, Any]) -> str:
    """``value`` as the row has it, cut short; a secret one is left out."""
    if field.get("format") == "password":
        return "not usable"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
