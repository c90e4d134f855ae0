"""Judges answers by the OpenAPI document of the control plane, as strictly as a test may."""

from __future__ import annotations

import copy
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import validate


class Description:
    """A document that a validator accepts. Here a member that it does not name is a fault."""

    def __init__(self, document: dict[str, Any]) -> None:
        validate(document)
        self.document = document
        self._components = copy.deepcopy(document["components"])
        for schema in self._components["schemas"].values():
            schema.setdefault("additionalProperties", False)

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Path and method of each."""
        paths = self.document["paths"]
        return {(path, method.upper()) for path, found in paths.items() for method in found}

    def operation(self, path: str, method: str) -> dict[str, Any]:
        """The part of the document about a route."""
        found: dict[str, Any] = self.document["paths"][path][method.lower()]
        return found

    def judge(self, path: str, method: str, code: int, content_type: str, body: Any) -> None:
        """Fail unless the document describes this answer; ``body`` is None of what is no JSON."""
        replies = self.operation(path, method)["responses"]
        reply = replies.get(str(code)) or (replies["default"] if code >= 400 else None)
        assert reply is not None, f"{method} {path} answers {code}, which is nowhere described"
        media_type = content_type.partition(";")[0]
        assert media_type in reply["content"], f"{method} {path}: {code} is {media_type}"
        if body is not None:
            self.fits(reply["content"][media_type]["schema"], body)

    def fits(self, schema: dict[str, Any], body: Any) -> None:
        """Fail unless ``body`` is what ``schema`` says."""
        whole = {**schema, "components": self._components}
        judge = OAS31Validator(whole, format_checker=oas31_format_checker)
        faults = [f"{error.json_path}: {error.message}" for error in judge.iter_errors(body)]
        assert not faults, faults[:5]
