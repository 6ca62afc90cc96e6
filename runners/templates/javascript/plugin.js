// Closes the orders that the payload names: {"orders": [3, 5]}.

import { Connection } from "placet:runner/sql@0.1.0";
import { progress } from "placet:runner/context@0.1.0";

// The name that the manifest gives to the one connection.
const CONNECTION = "target";

const PAYLOAD_SCHEMA =
  '{"type":"object","properties":{"orders":{"type":"array","items":{"type":"integer","minimum":1},"minItems":1,"maxItems":1000}},"required":["orders"],"additionalProperties":false}';

const WRONG = 'write {"orders": [3, 5]}: 1 to 1000 numbers of orders';

/** The orders of a payload. `null` where it is not one of ours. */
function orders(payload) {
  let value;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  if (Object.keys(value).join() !== "orders") return null;
  const numbers = value.orders;
  if (!Array.isArray(numbers) || numbers.length < 1 || numbers.length > 1000) return null;
  return numbers.every((number) => Number.isSafeInteger(number) && number > 0) ? numbers : null;
}

/** What an approver sees, and what runs: the same text. */
function step(order, index) {
  return {
    id: `s${index + 1}`,
    title: `Close order ${order}`,
    body: `UPDATE orders SET state = 'closed' WHERE id = ${order}`,
    // The host computes it.
    bodyDigest: "",
    target: CONNECTION,
    kind: "write",
    risk: "low",
    effect: "transactional",
    estimatedRows: 1n,
    reversible: false,
    lock: "rows",
    rewrites: false,
    objects: ["orders"],
  };
}

function failure(code, message) {
  return { applied: [], code, message, step: undefined, retryable: false, details: undefined };
}

function report(summary, rowsAffected) {
  return { summary, rowsAffected, details: undefined, artifacts: [] };
}

/** What the host said. Everything else is a mistake of ours, and ends the call. */
function said(thrown) {
  const error = thrown?.payload;
  switch (error?.tag) {
    case "db":
      return failure(error.val.code, error.val.message);
    case "timeout":
      return failure("timeout", "the deadline passed");
    case "cancelled":
      return failure("cancelled", "the run was cancelled");
    case "connection":
      return failure("target_unavailable", error.val);
    case "denied":
    case "invalid":
    case "unknown":
    case "limit":
      return failure(error.tag, error.val);
    default:
      throw thrown;
  }
}

/** Runs what was approved, word for word, in one transaction. What is not committed is undone. */
function run(approved) {
  const connection = Connection.open(CONNECTION);
  const transaction = connection.begin();
  let rows = 0n;
  approved.steps.forEach((step, done) => {
    progress(step.id, BigInt(done), BigInt(approved.steps.length), undefined);
    rows += transaction.execute(step.body, []).affected();
  });
  transaction.commit();
  return rows;
}

export const runner = {
  describe() {
    return {
      name: "close-orders",
      version: "0.1.0",
      title: "Close orders",
      payloadSchema: PAYLOAD_SCHEMA,
      supports: ["plan", "execute", "verify"],
    };
  },

  validate(payload) {
    if (orders(payload) !== null) return [];
    return [
      {
        level: "error",
        code: "orders.payload",
        message: WRONG,
        step: undefined,
        line: undefined,
        position: undefined,
        help: undefined,
        needsPerson: false,
      },
    ];
  },

  plan(job) {
    const numbers = orders(job.payload);
    // What is thrown is the error of the result.
    if (numbers === null) throw WRONG;
    // The host computes the digest.
    return { steps: numbers.map(step), findings: [], digest: "", rollback: undefined };
  },

  execute(_job, approved) {
    let rows;
    try {
      rows = run(approved);
    } catch (thrown) {
      const failed = said(thrown);
      // It was sent, and nobody knows: the host asks `verify`, and never runs it again.
      return { tag: failed.code === "unknown" ? "unknown" : "failed", val: failed };
    }
    return { tag: "succeeded", val: report(`closed ${approved.steps.length} orders`, rows) };
  },

  verify(_job, _approved) {
    let marker;
    try {
      marker = Connection.open(CONNECTION).marker();
    } catch (thrown) {
      return { tag: "unknown", val: said(thrown) };
    }
    if (marker === undefined || marker === null) {
      return { tag: "unknown", val: failure("unknown", "the target cannot tell") };
    }
    if (marker) return { tag: "succeeded", val: report("the marker is there", undefined) };
    return { tag: "failed", val: failure("not_committed", "the marker is not there") };
  },

  rollback(_job, _approved) {
    const message = "this plugin cannot roll back; ask for a new change";
    return { tag: "failed", val: failure("unsupported", message) };
  },
};
