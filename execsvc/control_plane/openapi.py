"""The OpenAPI 3.1 document of the control plane, made of its table of routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from execsvc import __version__
from execsvc.control_plane.documents import SCHEMAS, ErrorDocument, published_name
from execsvc.control_plane.routes import ROUTES, Reply, Route

VERSION = "3.1.0"
_ABOUT = (
    "The answers of execsvc over HTTP. Members may be added; the present ones stay. Any other path is "
    "answered with 404, any other method (but HEAD for GET) with 405; both in JSON."
)
_SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "EXECSVC_HTTP_TOKEN"},
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "the token as the password, with any user name: for browsers",
    },
}
_REFUSED = Reply("the token is missing or wrong", ErrorDocument)
_OTHERWISE = Reply("any other error", ErrorDocument)


def document(guarded: bool) -> dict[str, Any]:
    """The whole document; ``guarded``: a token is set."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, guarded)
    return {
        "openapi": VERSION,
        "info": {"title": "execsvc", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            **({"securitySchemes": _SECURITY_SCHEMES} if guarded else {}),
        },
    }


def _operation(route: Route, guarded: bool) -> dict[str, Any]:
    replies = dict(route.replies)
    accepted: list[str] = []
    if guarded and route.needs_token:
        replies[401] = _REFUSED
        accepted = ["token", "password"] if route.takes_password else ["token"]
    return {
        "operationId": route.name,
        "summary": route.about,
        "security": [{scheme: []} for scheme in accepted],
        "parameters": [
            {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}
            for name, about in route.query.items()
        ],
        "responses": {
            **{str(code): _response(reply) for code, reply in sorted(replies.items())},
            "default": _response(_OTHERWISE),
        },
    }


def _response(reply: Reply) -> dict[str, Any]:
    return {
        "description": reply.about,
        "content": {media_type: {"schema": _schema(reply)} for media_type in reply.types},
    }


def _schema(reply: Reply) -> Mapping[str, Any]:
    if reply.model is not None:
        return {"$ref": f"#/components/schemas/{published_name(reply.model.__name__)}"}
    return {"type": "object" if reply.types == ("application/json",) else "string"}


class _PublishedNames(GenerateJsonSchema):
    """The schemas of models, under their published names."""

    def normalize_name(self, name: str) -> str:
        """The name of a schema, by that of its class."""
        return published_name(super().normalize_name(name))


def _schemas() -> dict[str, Any]:
    _, schema = models_json_schema(
        [(model, "serialization") for model in SCHEMAS],
        ref_template="#/components/schemas/{model}",
        schema_generator=_PublishedNames,
    )
    found: dict[str, Any] = schema["$defs"]
    return found
