-- The tables of the permission model and of the approval workflow, as views over the records.
--
-- A record is JSON, `{"format": 1, "salt": …, "body": {…}}`; where its body holds the commitment of a text that
-- can be erased, `"texts": {commitment: {"salt": …, "text": …}}` stands beside it. Its key is a row of
-- segments, each ended by a zero byte: the kind first. So a view reads one range of keys, takes the rows of
-- its table by the key alone, and reads each record once. A row of a project stands at "org", the project, the table, the
-- ids of the row. In a bytea, `\000` is the zero byte and `\\` a backslash, which in LIKE makes the `_`
-- behind it a letter.

CREATE VIEW {s}.users AS
SELECT right(body.id, 32)::uuid AS id, texts #>> ARRAY[body.email, 'text'] AS email,
    texts #>> ARRAY[body.display_name, 'text'] AS display_name, -- NULL: erased
    NULL::text AS password_hash, -- passwords are not kept here
    body.is_active
FROM {s}.records,
    jsonb_to_record(convert_from(value, 'UTF8')::jsonb) AS record (body jsonb, texts jsonb),
    jsonb_to_record(record.body)
        AS body (id text, email text, display_name text, is_active boolean)
WHERE key >= 'user\000' AND key < 'user\001';

CREATE VIEW {s}.projects AS
SELECT right(body.id, 32)::uuid AS id, body.code, body.name
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb -> 'body')
    AS body (id text, code text, name text)
WHERE key >= 'project\000' AND key < 'project\001';

CREATE VIEW {s}.project_environments AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id,
    body.code, body.name, body.priority
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, code text, name text, priority bigint)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000project\\_environments\000%';

CREATE VIEW {s}.project_modules AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id,
    body.code, body.name
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, code text, name text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000project\\_modules\000%';

CREATE VIEW {s}.teams AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id, body.name
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, name text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000teams\000%';

CREATE VIEW {s}.team_modules AS
SELECT right(body.team_id, 32)::uuid AS team_id, right(body.module_id, 32)::uuid AS module_id
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (team_id text, module_id text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000team\\_modules\000%';

CREATE VIEW {s}.team_members AS
SELECT right(body.id, 32)::uuid AS id, right(body.team_id, 32)::uuid AS team_id,
    right(body.user_id, 32)::uuid AS user_id, body.role,
    (body.valid ->> 'from')::timestamptz AS valid_from,
    (body.valid ->> 'until')::timestamptz AS valid_to
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, team_id text, user_id text, role text, valid jsonb)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000team\\_members\000%';

CREATE VIEW {s}.project_roles AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id, body.name
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, name text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000project\\_roles\000%';

CREATE VIEW {s}.project_permissions AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id,
    right(body.module_id, 32)::uuid AS module_id, -- NULL: the whole project
    right(body.environment_id, 32)::uuid AS environment_id, -- NULL: every environment
    body.action
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, module_id text, environment_id text, action text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000project\\_permissions\000%';

CREATE VIEW {s}.project_role_permissions AS
SELECT right(body.role_id, 32)::uuid AS role_id, right(body.permission_id, 32)::uuid AS permission_id
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (role_id text, permission_id text)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000project\\_role\\_permissions\000%';

CREATE VIEW {s}.user_project_roles AS
SELECT right(body.id, 32)::uuid AS id, right(body.project_id, 32)::uuid AS project_id,
    right(body.user_id, 32)::uuid AS user_id, right(body.role_id, 32)::uuid AS role_id,
    (body.valid ->> 'from')::timestamptz AS start_at,
    (body.valid ->> 'until')::timestamptz AS end_at
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb #> '{body,row,row}')
    AS body (id text, project_id text, user_id text, role_id text, valid jsonb)
WHERE key >= 'org\000' AND key < 'org\001'
    AND key LIKE 'org\000%\000user\\_project\\_roles\000%';

-- Nothing writes records of the kind `workflow` yet: this view has its columns and no rows.
CREATE VIEW {s}.approval_workflows AS
SELECT right(body.id, 32)::uuid AS id, body.artifact_type, body.artifact_id,
    body.current_status, right(body.requester_id, 32)::uuid AS requester_id,
    right(body.reviewer_id, 32)::uuid AS reviewer_id, body.created_at, body.updated_at
FROM {s}.records, jsonb_to_record(convert_from(value, 'UTF8')::jsonb -> 'body')
    AS body (id text, artifact_type text, artifact_id bigint, current_status text,
        requester_id text, reviewer_id text, created_at timestamptz, updated_at timestamptz)
WHERE key >= 'workflow\000' AND key < 'workflow\001';

-- Every step of every request. `workflow_id` is the id of the request.
CREATE VIEW {s}.approval_history AS
SELECT right(body.request, 32)::uuid || '/' || body.number AS id,
    right(body.request, 32)::uuid AS workflow_id, body."from" AS previous_status,
    body."to" AS new_status, right(body.actor, 32)::uuid AS actor_id, body.action,
    texts #>> ARRAY[body.comment, 'text'] AS comments, -- NULL: none, or erased
    NULL::jsonb AS detailed_snapshot, -- what was changed stands in the revision, not here
    body.at AS created_at
FROM {s}.records,
    jsonb_to_record(convert_from(value, 'UTF8')::jsonb) AS record (body jsonb, texts jsonb),
    jsonb_to_record(record.body)
        AS body (request text, number bigint, at timestamptz, actor text, action text, "from" text,
            "to" text, comment text)
WHERE key >= 'history\000' AND key < 'history\001';
