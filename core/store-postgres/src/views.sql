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

-- Where each request is. Each version of an artifact has a row; what is no artifact has neither type nor number.
CREATE VIEW {s}.approval_workflows AS
SELECT right(header.id, 32)::uuid AS id, header.artifact ->> 'artifact_type' AS artifact_type,
    (header.artifact ->> 'artifact_id')::bigint AS artifact_id, header.step AS current_status,
    right(header.requester, 32)::uuid AS requester_id,
    -- Who decided where it is now: whoever turned it down or sent it back, else whoever approved last.
    right(CASE WHEN state ->> 'state' IN ('REJECTED', 'CHANGES_REQUESTED') THEN state ->> 'by'
        ELSE COALESCE(state #>> '{approvals,-1,user}', state #>> '{approved,approvals,-1,user}',
            state #>> '{ended,approved,approvals,-1,user}') END, 32)::uuid AS reviewer_id,
    header.created_at, header.updated_at
FROM {s}.records,
    jsonb_to_record(convert_from(value, 'UTF8')::jsonb -> 'body') AS body (header jsonb, state jsonb),
    jsonb_to_record(body.header)
        AS header (id text, artifact jsonb, step text, requester text, created_at timestamptz,
            updated_at timestamptz)
WHERE key >= 'request\000' AND key < 'request\001';

-- Every step of every request. `workflow_id` is the id of the request. The snapshot is what it said then: the text of its
-- revision, which is kept once and read where it stands; NULL once it was erased.
CREATE VIEW {s}.approval_history AS
SELECT right(body.request, 32)::uuid || '/' || body.number AS id,
    right(body.request, 32)::uuid AS workflow_id, body.from_step AS previous_status,
    body.to_step AS new_status, right(body.actor, 32)::uuid AS actor_id, body.action,
    texts #>> ARRAY[body.comment, 'text'] AS comments, -- NULL: none, or erased
    -- As `json`: a text may hold an escaped zero, which `jsonb` has no place for.
    (SELECT (past.texts #>> ARRAY[past.body #>> '{change,payload}', 'text'])::json
        FROM {s}.records AS revision,
            jsonb_to_record(convert_from(revision.value, 'UTF8')::jsonb)
                AS past (body jsonb, texts jsonb)
        WHERE revision.key = 'revision\000'::bytea || convert_to(body.request, 'UTF8') || '\000'::bytea
            || convert_to(lpad(body.revision::text, 10, '0'), 'UTF8') || '\000'::bytea
    ) AS detailed_snapshot,
    body.at AS created_at
FROM {s}.records,
    jsonb_to_record(convert_from(value, 'UTF8')::jsonb) AS record (body jsonb, texts jsonb),
    jsonb_to_record(record.body)
        AS body (request text, number bigint, at timestamptz, actor text, action text, from_step text,
            to_step text, revision bigint, comment text)
WHERE key >= 'history\000' AND key < 'history\001';
