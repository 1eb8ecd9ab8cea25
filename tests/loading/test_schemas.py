"""The JSON Schemas that editors check a setting's files with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from harness.cli.new import TEMPLATE
from harness.loading import schemas
from harness.loading.placed import read_document

PERSONAS = Path(__file__).parent.parent.parent / "personas"


def validator(name: str) -> Draft202012Validator:
    schema = json.loads(schemas()[name])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def validator_for(path: Path) -> Draft202012Validator:
    """The one that the file names in its first line."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema=../"
    assert first.startswith(prefix), path
    return validator(first.removeprefix(prefix))


def data(path: Path) -> Any:
    root = read_document(path.read_bytes(), path.name).root
    assert root is not None
    text = path.read_text(encoding="utf-8")
    return json.loads(json.dumps(root.plain()).replace("SETTING_ID", "talks")) if text else None


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_schemas_in_the_repository_are_those_of_the_code(name: str) -> None:
    """To write them anew: tracktwo new scratch --folder FOLDER, and copy them from there."""
    assert (PERSONAS / name).read_text(encoding="utf-8") == schemas()[name]


@pytest.mark.parametrize(
    "path",
    [*sorted(TEMPLATE.glob("*.yaml")), *sorted(PERSONAS.glob("*/*.yaml"))],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_every_file_fits_the_schema_it_names(path: Path) -> None:
    assert [error.message for error in validator_for(path).iter_errors(data(path))] == []


def described(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for part in schema.values():
            yield from described(part)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_editors_can_explain_every_key(name: str) -> None:
    keys = list(described(json.loads(schemas()[name])))
    assert keys
    assert [key for key, schema in keys if not schema.get("description")] == []


@pytest.mark.parametrize(
    ("file", "path", "value"),
    [
        ("upland.yaml", ("positions", 1, "kind"), "red-line"),
        ("upland.yaml", ("positions", 1, "firmness"), 7),
        ("upland.yaml", ("positions", 1, "source"), None),
        ("upland.yaml", ("positions", 1, "source", "url"), "javascript:alert(1)"),
        ("upland.yaml", ("positions", 1, "source", "date"), "2 April 2024"),
        ("upland.yaml", ("positions", 1, "opposes", 0), "summer-flow"),
        ("upland.yaml", ("positions", 1, "stance"), "against"),
        ("upland.yaml", ("short",), " "),
        ("setting.yaml", ("as_of",), "2024-13-01"),
        ("setting.yaml", ("parties",), ["upland"]),
        ("setting.yaml", ("rules", "rounds"), -1),
        ("setting.yaml", ("agendas", 0, "rules"), {"round": 2}),
        ("setting.yaml", ("items", 0, "issues", 0, "options"), []),
        ("setting.yaml", ("items", 0, "issues"), []),
        ("setting.yaml", ("items", 0, "issues", 0, "weight"), 0),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else str(part),
)
def test_the_schema_refuses_what_loading_refuses(
    file: str, path: tuple[str | int, ...], value: object
) -> None:
    spoilt = data(TEMPLATE / file)
    held = spoilt
    for step in path[:-1]:
        held = held[step]
    held[path[-1]] = value
    assert not validator_for(TEMPLATE / file).is_valid(spoilt)
