"""Tells the fields of a JSON schema as rows of a table: path, type, what must hold, meaning. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.site.words import Language, type_name, word

Schema = Mapping[str, Any]

# Deeper parts are told at the call that they come from; a table must stay readable.
_DEPTH_MAX = 5
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "pattern": "`{}`",
}
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")


@dataclass(frozen=True, slots=True)
class Field:
    """`needed` is told of requests; an answer always has all its fields."""

    path: str
    type: str
    needed: bool
    meaning: str
    bounds: tuple[str, ...]


class Shapes:
    """The named schemas of one document."""

    def __init__(self, named: Mapping[str, Schema], language: Language) -> None:
        self._named = named
        self._language = language

    def fields(self, schema: Schema, *, path: str = "", depth: int = 0) -> Iterator[Field]:
        """One row for each field, those of inner objects after the field that holds them."""
        whole = self._resolved(schema)
        if "items" in whole:
            yield from self.fields(whole["items"], path=f"{path}[]", depth=depth)
            return
        for alternative in self._alternatives(whole):
            yield from self._properties(alternative, path, depth)

    def _properties(self, schema: Schema, path: str, depth: int) -> Iterator[Field]:
        required = set(schema.get("required", ()))
        for name, part in schema.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            yield self._field(inner, part, needed=name in required)
            if depth < _DEPTH_MAX:
                yield from self._inner(part, inner, depth)

    def _inner(self, part: Schema, path: str, depth: int) -> Iterator[Field]:
        for alternative in self._alternatives(self._resolved(part)):
            if "items" in alternative:
                yield from self.fields(alternative["items"], path=f"{path}[]", depth=depth + 1)
            elif "properties" in alternative:
                yield from self._properties(alternative, path, depth + 1)

    def _field(self, path: str, part: Schema, *, needed: bool) -> Field:
        whole = self._resolved(part)
        alternatives = self._alternatives(whole)
        meaning = part.get("description") or whole.get("description") or ""
        bounds = tuple(dict.fromkeys(bound for one in (whole, *alternatives) for bound in self._bounds(one)))
        return Field(path, self.type_of(part), needed, " ".join(meaning.split()), bounds)

    def type_of(self, schema: Schema) -> str:
        whole = self._resolved(schema)
        names = dict.fromkeys(self._type(one) for one in self._alternatives(whole))
        if _may_be_null(whole):
            names["null"] = None
        return word("or", self._language).join(names)

    def _type(self, schema: Schema) -> str:
        if "enum" in schema:
            return " · ".join(f"`{value}`" for value in schema["enum"])
        if "const" in schema:
            return f"`{schema['const']}`"
        if "items" in schema:
            return word("list", self._language).format(self.type_of(schema["items"]))
        return type_name(str(schema.get("format") or schema.get("type") or "any"), self._language)

    def _bounds(self, schema: Schema) -> Iterator[str]:
        words = _BOUNDS | {key: word(key, self._language) for key in _COUNTS}
        yield from (words[key].format(schema[key]) for key in words if key in schema)
        if schema.get("default") is not None:
            yield word("default", self._language).format(schema["default"])

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._named[schema["$ref"].rpartition("/")[2]]
        return schema

    def _alternatives(self, schema: Schema) -> Sequence[Schema]:
        parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if parts is None:
            return [schema]
        return [
            inner
            for part in parts
            if part.get("type") != "null"
            for inner in self._alternatives(self._resolved(part))
        ]


def _may_be_null(schema: Schema) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", ()))
