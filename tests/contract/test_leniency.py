"""What is read leniently is told in two ways, by a looser schema and by each problem's severity: they say the same."""

import random

import jsonschema_rs
import pytest

from tests.contract.documents import extremes, full, mutations
from vda5050.schemas import SCHEMAS
from vda5050.validation import Version
from vda5050.validation.json_schema import bare_schema
from vda5050.validation.problems import find_problems, lenient_schema


@pytest.mark.parametrize(("version", "topic"), [(version, topic) for version in SCHEMAS for topic in SCHEMAS[version]])
def test_the_lenient_schema_refuses_errors_only(version: Version, topic: str) -> None:
    """Of every message that is broken in one place, it refuses just those whose problem is an error."""
    schema = bare_schema(version, topic)
    strict, lenient = (
        jsonschema_rs.Draft202012Validator(form, validate_formats=False) for form in (schema, lenient_schema(schema))
    )
    document = full(schema, random.Random(1))

    for mutation in [*mutations(schema, document), *extremes(schema, document)]:
        broken = mutation.applied(document)
        problems = find_problems(strict.iter_errors(broken), [], text_schema=schema, official_schema=schema)
        has_error = any(problem.severity == "error" for problem in problems)
        assert lenient.is_valid(broken) is not has_error, mutation
