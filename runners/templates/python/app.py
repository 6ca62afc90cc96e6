"""Closes the orders that the payload names: {"orders": [3, 5]}."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.runner import Info
from wit_world.imports import context
from wit_world.imports import sql
from wit_world.imports.types import (
    ChangePlan,
    Failure,
    Finding,
    Outcome_Failed,
    Outcome_Succeeded,
    Outcome_Unknown,
    Report,
    Step,
)

# The name that the manifest gives to the one connection.
CONNECTION = "target"

PAYLOAD_SCHEMA = '{"type":"object","properties":{"orders":{"type":"array","items":{"type":"integer","minimum":1},"minItems":1,"maxItems":1000}},"required":["orders"],"additionalProperties":false}'

WRONG = 'write {"orders": [3, 5]}: 1 to 1000 numbers of orders'


def orders(payload):
    """The orders of a payload. None where it is not one of ours."""
    # The parser goes down at each bracket, and the sandbox ends before Python's own limit. One list in one object
    # has two.
    if payload.count("[") + payload.count("{") > 100:
        return None
    try:
        value = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(value, dict) or list(value) != ["orders"]:
        return None
    numbers = value["orders"]
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 1000:
        return None
    # A bool is an int to Python.
    good = all(type(number) is int and 0 < number < 2**64 for number in numbers)
    return numbers if good else None


def step(number, order):
    """What an approver sees, and what runs: the same text."""
    return Step(
        id=f"s{number}",
        title=f"Close order {order}",
        body=f"UPDATE orders SET state = 'closed' WHERE id = {order}",
        # The host computes it.
        body_digest="",
        target=CONNECTION,
        kind="write",
        risk="low",
        effect="transactional",
        estimated_rows=1,
        reversible=False,
        lock="rows",
        rewrites=False,
        objects=["orders"],
    )


def failure(code, message):
    return Failure(applied=[], code=code, message=message, step=None, retryable=False, details=None)


def report(summary, rows):
    return Report(summary=summary, rows_affected=rows, details=None, artifacts=[])


def said(error):
    if isinstance(error, sql.Error_Db):
        return failure(error.value.code, error.value.message)
    if isinstance(error, sql.Error_Timeout):
        return failure("timeout", "the deadline passed")
    if isinstance(error, sql.Error_Cancelled):
        return failure("cancelled", "the run was cancelled")
    codes = {
        sql.Error_Denied: "denied",
        sql.Error_Invalid: "invalid",
        sql.Error_Connection: "target_unavailable",
        sql.Error_Unknown: "unknown",
        sql.Error_Limit: "limit",
    }
    return failure(codes[type(error)], error.value)


class Runner(exports.Runner):
    def describe(self):
        return Info(
            name="close-orders",
            version="0.1.0",
            title="Close orders",
            payload_schema=PAYLOAD_SCHEMA,
            supports=["plan", "execute", "verify"],
        )

    def validate(self, payload):
        if orders(payload) is not None:
            return []
        return [
            Finding(
                level="error",
                code="orders.payload",
                message=WRONG,
                step=None,
                line=None,
                position=None,
                help=None,
                needs_person=False,
            )
        ]

    def plan(self, job):
        numbers = orders(job.payload)
        if numbers is None:
            raise Err(WRONG)
        steps = [step(index + 1, order) for index, order in enumerate(numbers)]
        # The host computes the digest.
        return ChangePlan(steps=steps, findings=[], digest="", rollback=None)

    def execute(self, job, approved):
        try:
            rows = run(approved)
        except Err as error:
            # It was sent, and nobody knows: the host asks `verify`, and never runs it again.
            if isinstance(error.value, sql.Error_Unknown):
                return Outcome_Unknown(failure("unknown", error.value.value))
            return Outcome_Failed(said(error.value))
        return Outcome_Succeeded(report(f"closed {len(approved.steps)} orders", rows))

    def verify(self, job, approved):
        try:
            with sql.Connection.open(CONNECTION) as connection:
                marker = connection.marker()
        except Err as error:
            return Outcome_Unknown(said(error.value))
        if marker is None:
            return Outcome_Unknown(failure("unknown", "the target cannot tell"))
        if marker:
            return Outcome_Succeeded(report("the marker is there", None))
        return Outcome_Failed(failure("not_committed", "the marker is not there"))

    def rollback(self, job, approved):
        return Outcome_Failed(
            failure("unsupported", "this plugin cannot roll back; ask for a new change")
        )


def run(approved):
    """Runs what was approved, word for word, in one transaction. What is not committed is undone."""
    rows = 0
    with sql.Connection.open(CONNECTION) as connection:
        with connection.begin() as transaction:
            for done, step in enumerate(approved.steps):
                context.progress(step.id, done, len(approved.steps), None)
                with transaction.execute(step.body, []) as changed:
                    rows += changed.affected()
            transaction.commit()
    return rows
