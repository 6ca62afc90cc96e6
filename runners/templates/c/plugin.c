// Closes the orders that the payload names: {"orders": [3, 5]}.

#include "sql_runner.h"

#include <stdlib.h>
#include <string.h>

// The name that the manifest gives to the one connection.
#define CONNECTION "target"

#define ORDERS_MAX 1000

#define PAYLOAD_SCHEMA                                                                             \
  "{\"type\":\"object\",\"properties\":{\"orders\":{\"type\":\"array\",\"items\":{\"type\":"       \
  "\"integer\",\"minimum\":1},\"minItems\":1,\"maxItems\":1000}},\"required\":[\"orders\"],"       \
  "\"additionalProperties\":false}"

#define WRONG "write {\"orders\": [3, 5]}: 1 to 1000 numbers of orders"

// Every call has an instance of its own, so that nothing is freed but what the generated code frees: what a function
// of ours hands out must come from malloc.

// The type of the component is added by `placet plugin package`; the generated code asks for an object with it.
void __component_type_object_force_link_sql_runner(void) {}

typedef struct {
  uint64_t numbers[ORDERS_MAX];
  size_t len;
} orders_t;

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} reader_t;

static void skip(reader_t *reader) {
  while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != 0) reader->at++;
}

// Whether the text comes next; then it is behind us.
static bool take(reader_t *reader, const char *text) {
  skip(reader);
  size_t len = strlen(text);
  if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len) != 0) return false;
  reader->at += len;
  return true;
}

static bool take_number(reader_t *reader, uint64_t *number) {
  skip(reader);
  const uint8_t *begin = reader->at;
  uint64_t value = 0;
  while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
    uint64_t digit = *reader->at - '0';
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
    reader->at++;
  }
  // No empty number, and none with a zero in front.
  if (reader->at == begin || *begin == '0') return false;
  *number = value;
  return true;
}

// The orders of a payload, if it is one of ours.
static bool read_orders(const sql_runner_string_t *payload, orders_t *orders) {
  reader_t reader = {payload->ptr, payload->ptr + payload->len};
  orders->len = 0;
  if (!take(&reader, "{") || !take(&reader, "\"orders\"") || !take(&reader, ":")) return false;
  if (!take(&reader, "[")) return false;
  do {
    if (orders->len == ORDERS_MAX) return false;
    if (!take_number(&reader, &orders->numbers[orders->len])) return false;
    orders->len++;
  } while (take(&reader, ","));
  if (!take(&reader, "]") || !take(&reader, "}")) return false;
  skip(&reader);
  return reader.at == reader.end;
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) __builtin_trap();
  return memory;
}

// The text, then a number.
static void with_number(sql_runner_string_t *ret, const char *before, uint64_t number, const char *after) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  size_t len = sizeof digits - first;
  ret->len = strlen(before) + len + strlen(after);
  ret->ptr = allocate(ret->len, 1);
  memcpy(ret->ptr, before, strlen(before));
  memcpy(ret->ptr + strlen(before), digits + first, len);
  memcpy(ret->ptr + strlen(before) + len, after, strlen(after));
}

static void list_of(sql_runner_list_string_t *ret, size_t len, const char *const *texts) {
  ret->len = len;
  ret->ptr = allocate(len, sizeof *ret->ptr);
  for (size_t i = 0; i < len; i++) sql_runner_string_dup(&ret->ptr[i], texts[i]);
}

// What an approver sees, and what runs: the same text. What is not set here is nothing, zero, or empty.
static void set_step(placet_runner_types_step_t *step, uint64_t number, uint64_t order) {
  with_number(&step->id, "s", number, "");
  with_number(&step->title, "Close order ", order, "");
  with_number(&step->body, "UPDATE orders SET state = 'closed' WHERE id = ", order, "");
  // The host computes it.
  sql_runner_string_dup(&step->body_digest, "");
  sql_runner_string_dup(&step->target, CONNECTION);
  sql_runner_string_dup(&step->kind, "write");
  sql_runner_string_dup(&step->risk, "low");
  sql_runner_string_dup(&step->effect, "transactional");
  step->estimated_rows.is_some = true;
  step->estimated_rows.val = 1;
  sql_runner_string_dup(&step->lock, "rows");
  const char *objects[] = {"orders"};
  list_of(&step->objects, 1, objects);
}

static void fail(placet_runner_types_outcome_t *ret, uint8_t tag, const char *code, const char *message) {
  memset(ret, 0, sizeof *ret);
  ret->tag = tag;
  sql_runner_string_dup(&ret->val.failed.code, code);
  sql_runner_string_dup(&ret->val.failed.message, message);
}

static void succeed(placet_runner_types_outcome_t *ret) {
  memset(ret, 0, sizeof *ret);
  ret->tag = PLACET_RUNNER_TYPES_OUTCOME_SUCCEEDED;
}

// What the host said, in our words.
static void fail_with(placet_runner_types_outcome_t *ret, uint8_t tag, placet_runner_sql_error_t *error) {
  static const char *const codes[] = {"denied", "invalid", "", "target_unavailable", "unknown", "timeout", "cancelled", "limit"};
  fail(ret, tag, codes[error->tag], "");
  placet_runner_types_failure_t *failure = &ret->val.failed;
  switch (error->tag) {
  case PLACET_RUNNER_SQL_ERROR_DB:
    failure->code = error->val.db.code;
    failure->message = error->val.db.message;
    break;
  case PLACET_RUNNER_SQL_ERROR_TIMEOUT:
    sql_runner_string_dup(&failure->message, "the deadline passed");
    break;
  case PLACET_RUNNER_SQL_ERROR_CANCELLED:
    sql_runner_string_dup(&failure->message, "the run was cancelled");
    break;
  default:
    // The other kinds hold one text, and all at the same place.
    failure->message = error->val.denied;
  }
}

static bool open_connection(placet_runner_sql_own_connection_t *connection, placet_runner_sql_error_t *error) {
  sql_runner_string_t name;
  sql_runner_string_set(&name, CONNECTION);
  return placet_runner_sql_static_connection_open(&name, connection, error);
}

// Runs what was approved, word for word, in one transaction. What is not committed is undone.
static bool run(placet_runner_types_change_plan_t *approved, uint64_t *rows, placet_runner_sql_error_t *error) {
  placet_runner_sql_own_connection_t connection;
  if (!open_connection(&connection, error)) return false;
  placet_runner_sql_own_transaction_t transaction;
  if (!placet_runner_sql_method_connection_begin(placet_runner_sql_borrow_connection(connection), &transaction, error)) return false;
  placet_runner_sql_borrow_transaction_t open = placet_runner_sql_borrow_transaction(transaction);
  uint64_t total = approved->steps.len;
  *rows = 0;
  for (uint64_t done = 0; done < total; done++) {
    placet_runner_types_step_t *step = &approved->steps.ptr[done];
    placet_runner_context_progress(&step->id, done, &total, NULL);
    placet_runner_sql_list_value_t none = {NULL, 0};
    placet_runner_sql_own_rows_t changed;
    if (!placet_runner_sql_method_transaction_execute(open, &step->body, &none, &changed, error)) return false;
    *rows += placet_runner_sql_method_rows_affected(placet_runner_sql_borrow_rows(changed));
    placet_runner_sql_rows_drop_own(changed);
  }
  return placet_runner_sql_method_transaction_commit(open, error);
}

void exports_placet_runner_runner_describe(exports_placet_runner_runner_info_t *ret) {
  sql_runner_string_dup(&ret->name, "close-orders");
  sql_runner_string_dup(&ret->version, "0.1.0");
  sql_runner_string_dup(&ret->title, "Close orders");
  sql_runner_string_dup(&ret->payload_schema, PAYLOAD_SCHEMA);
  const char *supports[] = {"plan", "execute", "verify"};
  list_of(&ret->supports, 3, supports);
}

void exports_placet_runner_runner_validate(sql_runner_string_t *payload, exports_placet_runner_runner_list_finding_t *ret) {
  static orders_t orders;
  ret->ptr = NULL;
  ret->len = 0;
  if (read_orders(payload, &orders)) return;
  ret->len = 1;
  ret->ptr = allocate(1, sizeof *ret->ptr);
  sql_runner_string_dup(&ret->ptr[0].level, "error");
  sql_runner_string_dup(&ret->ptr[0].code, "orders.payload");
  sql_runner_string_dup(&ret->ptr[0].message, WRONG);
}

bool exports_placet_runner_runner_plan(exports_placet_runner_runner_job_t *job, exports_placet_runner_runner_change_plan_t *ret, sql_runner_string_t *err) {
  static orders_t orders;
  if (!read_orders(&job->payload, &orders)) {
    sql_runner_string_dup(err, WRONG);
    return false;
  }
  memset(ret, 0, sizeof *ret);
  ret->steps.len = orders.len;
  ret->steps.ptr = allocate(orders.len, sizeof *ret->steps.ptr);
  for (size_t i = 0; i < orders.len; i++) set_step(&ret->steps.ptr[i], i + 1, orders.numbers[i]);
  // The host computes the digest.
  return true;
}

void exports_placet_runner_runner_execute(exports_placet_runner_runner_job_t *job, exports_placet_runner_runner_change_plan_t *approved, exports_placet_runner_runner_outcome_t *ret) {
  (void)job;
  uint64_t rows;
  placet_runner_sql_error_t error;
  if (run(approved, &rows, &error)) {
    succeed(ret);
    with_number(&ret->val.succeeded.summary, "closed ", approved->steps.len, " orders");
    ret->val.succeeded.rows_affected.is_some = true;
    ret->val.succeeded.rows_affected.val = rows;
    return;
  }
  // It was sent, and nobody knows: the host asks `verify`, and never runs it again.
  bool is_unknown = error.tag == PLACET_RUNNER_SQL_ERROR_UNKNOWN;
  fail_with(ret, is_unknown ? PLACET_RUNNER_TYPES_OUTCOME_UNKNOWN : PLACET_RUNNER_TYPES_OUTCOME_FAILED, &error);
}

void exports_placet_runner_runner_verify(exports_placet_runner_runner_job_t *job, exports_placet_runner_runner_change_plan_t *approved, exports_placet_runner_runner_outcome_t *ret) {
  (void)job;
  (void)approved;
  placet_runner_sql_own_connection_t connection;
  placet_runner_sql_error_t error;
  sql_runner_option_bool_t marker;
  if (!open_connection(&connection, &error) ||
      !placet_runner_sql_method_connection_marker(placet_runner_sql_borrow_connection(connection), &marker, &error)) {
    fail_with(ret, PLACET_RUNNER_TYPES_OUTCOME_UNKNOWN, &error);
  } else if (!marker.is_some) {
    fail(ret, PLACET_RUNNER_TYPES_OUTCOME_UNKNOWN, "unknown", "the target cannot tell");
  } else if (marker.val) {
    succeed(ret);
    sql_runner_string_dup(&ret->val.succeeded.summary, "the marker is there");
  } else {
    fail(ret, PLACET_RUNNER_TYPES_OUTCOME_FAILED, "not_committed", "the marker is not there");
  }
}

void exports_placet_runner_runner_rollback(exports_placet_runner_runner_job_t *job, exports_placet_runner_runner_change_plan_t *approved, exports_placet_runner_runner_outcome_t *ret) {
  (void)job;
  (void)approved;
  fail(ret, PLACET_RUNNER_TYPES_OUTCOME_FAILED, "unsupported", "this plugin cannot roll back; ask for a new change");
}
