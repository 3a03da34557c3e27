"""Write docs/api.md from the description of the API, /openapi.json: every path, its parameters, answers and documents.

Run: python docs/api_page.py
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import quorate
from quorate.core.settings import LightGBMSettings, ModelSettings, PolicySettings, TrainSettings, XGBoostSettings
from quorate.market import SyntheticMarket
from quorate.serving import Service, create_app
from quorate.serving.metrics import METRICS

INTRODUCTION = """# HTTP API

Every path of [`quorate serve`](service.md), as `/openapi.json` describes it. Answers are JSON documents with the keys
that the command line prints with `--json`. Times are in UTC.

The answer to a request that fails is an [`ErrorDocument`](#errordocument): what was attempted, what was found, what was
expected, and what to do. Any request may be answered:

| status | |
|---|---|
| 400 | a body that is no strict JSON: NaN, 1e999, a key twice, half of a surrogate pair |
| 401 | no token |
| 403 | a change for another site's page, or with a login and without its CSRF token |
| 408, 413 | a body that is not sent in time, or too long |
| 421 | a header Host that is not the service's |
| 422 | a parameter or a key of the body that is not valid |
| 429, 503 | no room for it now, or nothing can be predicted now; the header `Retry-After` says when to try again |

The tables below have the other statuses.
"""

# Statuses of the introduction.
_COMMON = {"400", "401", "403", "408", "413", "421", "422", "429", "503"}

# Headings of the tags, in the order of the page.
TAGS = {
    "signals": "Signals",
    "bundles": "Bundles and members",
    "account": "Paper account and events",
    "access": "Access",
    "health": "Health and metrics",
}

_WORDS = {"string": "text", "integer": "whole number", "boolean": "flag", None: "any"}


def page() -> str:
    """The whole page."""
    described = description()
    parts = [INTRODUCTION]
    operations = [
        (path, method.upper(), operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    unknown = {tag for _, _, operation in operations for tag in operation["tags"]} - set(TAGS)
    assert not unknown, f"tags without a heading: {unknown}"
    for tag, heading in TAGS.items():
        chosen = [operation for operation in operations if tag in operation[2]["tags"]]
        if chosen:
            parts.append(f"## {heading}\n")
            parts += ["\n".join(_operation(*operation)) for operation in chosen]
    parts.append("## Documents\n")
    schemas = described["components"]["schemas"]
    parts += ["\n".join(_document(name, schemas[name])) for name in sorted(schemas)]
    parts.append("## Metrics of Prometheus\n\n| metric | |\n|---|---|")
    parts += [f"| `{name}` | {_line(words)} |" for name, words in METRICS.items()]
    return "\n".join(parts).rstrip() + "\n"


def description() -> dict[str, Any]:
    """The description of the API, from a service of a bundle of two small members."""
    market = SyntheticMarket(seed=3, symbols=1, bars=400)
    settings = replace(
        quorate.Settings(),
        models=ModelSettings(
            xgboost=XGBoostSettings(trees=2, l2_share=0.0, leaf_share=0.04, colsample_node=1.0),
            lightgbm=LightGBMSettings(trees=2, l2_share=0.0, leaf_share=0.04, random_splits=False),
        ),
        train=TrainSettings(threads=1, features="core14", head="classes"),
        policy=PolicySettings(name="classic", refit="none"),
    )
    with tempfile.TemporaryDirectory() as name:
        members = ("xgboost", "lightgbm")
        trained = quorate.train(market.panel(), Path(name) / "bundles", models=members, settings=settings)
        service = Service(trained.path, market.panel(), settings=isolated(settings, Path(name)))
        found: dict[str, Any] = json.loads(json.dumps(create_app(service).openapi()))
        service.close()
    return found


def isolated(settings: quorate.Settings, folder: Path) -> quorate.Settings:
    """Settings whose files are all in a folder."""
    return replace(
        settings,
        journal=replace(settings.journal, url=f"sqlite:///{folder}/journal.sqlite"),
        access=replace(settings.access, state=str(folder / "service")),
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{method} {path}`\n"
    yield f"{_text(operation['description'])}\n"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "| parameter | in | type | |"
        yield "|---|---|---|---|"
        for each in parameters:
            needed = "" if each["required"] or "default" not in each["schema"] else _default(each["schema"]["default"])
            words = " ".join(part for part in (_line(each.get("description", "")), needed) if part)
            yield f"| `{each['name']}` | {each['in']} | {_type(each['schema'])} | {words} |"
        yield ""
    if "requestBody" in operation:
        kinds = (_type(content["schema"]) for content in operation["requestBody"]["content"].values())
        yield f"Body: {', '.join(kinds)}.\n"
    yield "| status | answer | |"
    yield "|---|---|---|"
    for status, answer in sorted(operation["responses"].items()):
        if status in _COMMON:
            continue
        kinds = [
            _type(content["schema"]) if kind == "application/json" else f"`{kind}`"
            for kind, content in answer.get("content", {}).items()
        ]
        headers = "".join(
            f" Header `{name}`: {_line(one['description'])}" for name, one in answer.get("headers", {}).items()
        )
        words = "" if answer["description"] == "Successful Response" else _line(answer["description"])
        yield f"| {status} | {', '.join(kinds)} | {(words + headers).strip()} |"
    yield ""


def _document(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if schema.get("description"):
        yield f"{_text(schema['description'])}\n"
    if "properties" in schema:
        needed = set(schema.get("required", ()))
        yield "| key | type | |"
        yield "|---|---|---|"
        for key, value in schema["properties"].items():
            words = _line(value.get("description", ""))
            if key not in needed:
                words = f"{words} Not in every document.".strip() if value.get("default") is None else words
            yield f"| `{key}` | {_type(value)} | {words} |"
        yield ""
    for example in schema.get("examples", ()):
        yield f"```json\n{json.dumps(example, indent=2)}\n```\n"


def _type(schema: Mapping[str, Any]) -> str:
    """Words for a type."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema.get("anyOf", schema.get("oneOf", ()))))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) and values else "object"
    return _WORDS.get(kind, str(kind))


def _default(value: Any) -> str:
    return "" if value in (None, "") else f"Default: `{value}`."


def _text(text: str) -> str:
    return re.sub(r"[ \n]*\n[ \n]*\n[ \n]*", "\n\n", text.strip())


def _line(text: str) -> str:
    """A text as one line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    (Path(__file__).parent / "api.md").write_text(page(), encoding="utf-8")
