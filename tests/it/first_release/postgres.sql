
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);

CREATE TABLE public.assignments (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    screener_id text NOT NULL COLLATE pg_catalog."C",
    participant_id text NOT NULL COLLATE pg_catalog."C",
    key_epoch bigint NOT NULL
);

CREATE TABLE public.changes (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    fields text DEFAULT '[]'::text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.credentials (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    secret_hash bytea NOT NULL,
    scopes text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);

CREATE TABLE public.dismissals (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    assignment_id text NOT NULL COLLATE pg_catalog."C",
    dismissed_at bigint NOT NULL
);

CREATE TABLE public.funnel_cells (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    screener_id text NOT NULL COLLATE pg_catalog."C",
    publication_id text NOT NULL COLLATE pg_catalog."C",
    cell text NOT NULL COLLATE pg_catalog."C",
    sessions bigint NOT NULL
);

CREATE TABLE public.list_holes (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    list text NOT NULL COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    scope_id text NOT NULL COLLATE pg_catalog."C",
    level bigint NOT NULL,
    block bigint NOT NULL,
    holes bigint NOT NULL
);

CREATE TABLE public.list_marks (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    list text NOT NULL COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    scope_id text NOT NULL COLLATE pg_catalog."C",
    block bigint NOT NULL,
    first_seq bigint NOT NULL
);

CREATE TABLE public.list_totals (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    list text NOT NULL COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    scope_id text NOT NULL COLLATE pg_catalog."C",
    total bigint NOT NULL,
    holes bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.logos (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    bytes bytea NOT NULL
);

CREATE TABLE public.looks (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    screener_id text NOT NULL COLLATE pg_catalog."C",
    display_name text COLLATE pg_catalog."C",
    logo_hash text COLLATE pg_catalog."C",
    accent_color text COLLATE pg_catalog."C",
    privacy_text text COLLATE pg_catalog."C",
    privacy_url text COLLATE pg_catalog."C"
);

CREATE TABLE public.options (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    publication_id text NOT NULL COLLATE pg_catalog."C",
    question_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    text text NOT NULL COLLATE pg_catalog."C",
    rule text NOT NULL COLLATE pg_catalog."C",
    write_in bigint NOT NULL,
    go_to_question_id text COLLATE pg_catalog."C",
    go_to_end bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.participants (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    external_uid text COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    email text COLLATE pg_catalog."C",
    id_verification text NOT NULL COLLATE pg_catalog."C",
    seq bigint DEFAULT '-1'::integer NOT NULL
);

CREATE TABLE public.projects (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    incentive double precision NOT NULL,
    organization_id text NOT NULL COLLATE pg_catalog."C",
    team_id text NOT NULL COLLATE pg_catalog."C",
    seq bigint DEFAULT '-1'::integer NOT NULL
);

CREATE TABLE public.publications (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    screener_id text NOT NULL COLLATE pg_catalog."C",
    tags text NOT NULL COLLATE pg_catalog."C",
    seq bigint DEFAULT '-1'::integer NOT NULL,
    state text DEFAULT 'PUBLISHED'::text NOT NULL COLLATE pg_catalog."C",
    published_at bigint,
    content_hash text COLLATE pg_catalog."C"
);

CREATE TABLE public.questions (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    publication_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    page_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    prompt text NOT NULL COLLATE pg_catalog."C",
    required bigint NOT NULL,
    multi_line bigint NOT NULL,
    slider bigint NOT NULL,
    min double precision,
    max double precision,
    qualifies_min double precision,
    qualifies_max double precision,
    min_length bigint,
    max_length bigint,
    pattern text COLLATE pg_catalog."C",
    step double precision,
    min_choices bigint,
    max_choices bigint
);

CREATE TABLE public.responses (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    session_id text NOT NULL COLLATE pg_catalog."C",
    question_id text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    screener_id text NOT NULL COLLATE pg_catalog."C",
    publication_id text NOT NULL COLLATE pg_catalog."C",
    assignment_id text NOT NULL COLLATE pg_catalog."C",
    text text COLLATE pg_catalog."C",
    number double precision,
    choices text COLLATE pg_catalog."C"
);

CREATE TABLE public.screeners (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    project_id text NOT NULL COLLATE pg_catalog."C",
    title text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    allow_multiple_responses bigint NOT NULL,
    active_publication_id text COLLATE pg_catalog."C",
    survey_ref bytea NOT NULL,
    seq bigint DEFAULT '-1'::integer NOT NULL,
    draft_publication_id text COLLATE pg_catalog."C"
);

CREATE TABLE public.server_secrets (
    name text NOT NULL COLLATE pg_catalog."C",
    value bytea NOT NULL
);

CREATE TABLE public.sessions (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    screener_id text NOT NULL COLLATE pg_catalog."C",
    publication_id text NOT NULL COLLATE pg_catalog."C",
    assignment_id text NOT NULL COLLATE pg_catalog."C",
    link_slug text NOT NULL COLLATE pg_catalog."C",
    link_trusted bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    started_at bigint,
    last_active_at bigint,
    completed_at bigint,
    created_at bigint NOT NULL,
    removed_at bigint,
    removed_by text COLLATE pg_catalog."C",
    funnel_cell text COLLATE pg_catalog."C"
);

CREATE TABLE public.submission_keys (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    assignment_id text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    receipt text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);

CREATE TABLE public.submissions (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    session_id text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    visibility text NOT NULL COLLATE pg_catalog."C",
    favorite bigint NOT NULL,
    hidden bigint NOT NULL,
    is_new bigint NOT NULL,
    qualified_override bigint,
    invite_sent_at bigint,
    scheduled_at bigint,
    status_updated_at bigint,
    actor text COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    short_notice_cancel bigint,
    message text COLLATE pg_catalog."C",
    rejection_message text COLLATE pg_catalog."C",
    rejected_at bigint,
    disqualification_reason text COLLATE pg_catalog."C",
    disqualification_message text COLLATE pg_catalog."C",
    status_before_invite text COLLATE pg_catalog."C",
    seq bigint DEFAULT '-1'::integer NOT NULL,
    screener_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    project_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    created_at bigint DEFAULT 0 NOT NULL,
    qualified bigint,
    publication_hash text COLLATE pg_catalog."C",
    percentage bigint,
    questions_qualified bigint,
    first_disqualifying text COLLATE pg_catalog."C",
    verdict text COLLATE pg_catalog."C"
);

CREATE TABLE public.tenants (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    disabled_at bigint
);

CREATE TABLE public.unsettled_sessions (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C"
);

INSERT INTO public._sqlx_migrations VALUES (1, 'init', '2026-11-28 23:58:06.442226+00', true, '\x7ca0a126b1276ab27727ca2bb0f98842155a972f8d586da961c04d2b3962e5e556fd5cca1ac6c47ad90dd87aa874d215', 84647767);
INSERT INTO public._sqlx_migrations VALUES (2, 'review', '2026-11-28 23:58:06.527385+00', true, '\x50597f33062e94779c22bd9b497851f0e76a29fc1c780d724503d2bd79b64635991cd630311d45833bb6fb24d1d9f4db', 452425);
INSERT INTO public._sqlx_migrations VALUES (3, 'people', '2026-11-28 23:58:06.527956+00', true, '\xd5022c7ad35d908d4c48e63726c6d8196464e34c76ba1ac4430df9af9b0eee89c4b3d504bc7f4140dbf8ef46a325e737', 3461465);
INSERT INTO public._sqlx_migrations VALUES (4, 'history', '2026-11-28 23:58:06.531552+00', true, '\xcf97d2fca3bbb93c6b19aaaf37dc035490ba70ce7016752fe73f6c4f5cbe7554b05d09c91e2fea7c65b80db7b53d56ad', 1066682);
INSERT INTO public._sqlx_migrations VALUES (5, 'authoring', '2026-11-28 23:58:06.532719+00', true, '\x71fead623d0e42ba2610904411792d5f45086072782cf5631f628ef1e2db1ac9e823cec4e01effa2b6cd1918602e01d3', 4443961);
INSERT INTO public._sqlx_migrations VALUES (6, 'holes', '2026-11-28 23:58:06.537335+00', true, '\xcc3c90c2309b6b27e1267769298de174a53b4fb0c7d24cb2a6b45456403912550e4fb5a87491b7bfb740869b6cb03565', 4133969);
INSERT INTO public._sqlx_migrations VALUES (7, 'verdicts', '2026-11-28 23:58:06.541584+00', true, '\xf663681091e8011d79abe4f87f168fa5d710037abd3d59bc57ed3e4f96c2665869ca31d6bb2836072931f0823ba60e4a', 12008540);
INSERT INTO public._sqlx_migrations VALUES (8, 'answering', '2026-11-28 23:58:06.553745+00', true, '\xbccf3756fcb10ad43d832d0c45079bcce53b9518de0325ffa6d06bffc33b55cfb01d07faaa821b9935c63347a813046b', 4914814);
INSERT INTO public._sqlx_migrations VALUES (9, 'looks', '2026-11-28 23:58:06.558771+00', true, '\xf7a5a751364a238fb247260dcb29f9718bf2ea0c688e51adfbd2143e27019ab71e83afe43f0fdcba2596153f68f90744', 8710878);

INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', 'scr', 'ptp_01m8j9f3hwfysbsp6secj45ngh', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwe4e817sz6mhmn952', 'scr', 'ptp_01m8j9f3hwfrdrzfdqfev652qn', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', 'scr', 'ptp_01m8j9f3hwed0a7m92ywcz342y', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hweec8dxbzgzqs9ny7', 'scr', 'ptp_01m8j9f3hwfy9rwjwngpxqe71b', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', 'scr', 'ptp_01m8j9f3hwe0tbdy8131zhh2fm', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwevc846ne74yfhvx8', 'scr', 'ptp_01m8j9f3hwfsq9j81h8tmn4m8x', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwewy9qys8pn214aqz', 'scr', 'ptp_01m8j9f3hwfccvxbx7enqpggsf', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', 'scr', 'ptp_01m8j9f3hwf16vdygnxpjsc3be', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwfprsmghmcy1z3xte', 'scr', 'ptp_01m8j9f3hwe4kv9xf9yvgm0d7c', 0);
INSERT INTO public.assignments VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwfwrvmf0pf0j6wfm5', 'scr', 'ptp_01m8j9f3hwfhdscr1p688dcmw1', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_123', 'scr_123', 'ptp_001', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_124', 'scr_124', 'ptp_002', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_125', 'scr_124', 'ptp_003', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_126', 'scr_124', 'ptp_004', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_127', 'scr_124', 'ptp_005', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_dismissed', 'survey-123', 'ptp_dismissed', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_done_123', 'survey-123', 'ptp_done', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_done_multi', 'survey-multi', 'ptp_done', 0);
INSERT INTO public.assignments VALUES ('acct_123', 'scpar_revoked', 'survey-123', 'ptp_revoked', 0);
INSERT INTO public.assignments VALUES ('acct_999', 'scpar_999', 'scr_999', 'ptp_999', 0);

INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 0, 1795910241527178, 'operator', 'CREATE', 'TENANT', 'acct_01m8j9f37qfk89d4vewh5p4vfc', '[{"name":"name","after":"Research team"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 1, 1795910241537871, 'operator', 'CREATE', 'CREDENTIAL', 'key_01m8j9f381e4mb2yv0j6m75fyn', '[{"name":"kind","after":"service"},{"name":"scopes","after":"sessions:read sessions:write responses:read submissions:read submissions:review panelists:read screeners:read screeners:write participants:read participants:write history:read admin"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 2, 1795910241546067, 'operator', 'CREATE', 'CREDENTIAL', 'key_01m8j9f38af8j9fvawm32z64p6', '[{"name":"kind","after":"panel"},{"name":"scopes","after":"panelists:read"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 3, 1795910241600755, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PROJECT', 'proj', '[{"name":"name","after":"Travel"},{"name":"incentive","after":"40"},{"name":"organization_id","after":"acct_01m8j9f37qfk89d4vewh5p4vfc"},{"name":"team_id","after":"acct_01m8j9f37qfk89d4vewh5p4vfc"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 4, 1795910241717884, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SCREENER', 'scr', '[{"name":"project_id","after":"proj"},{"name":"title","after":"Travellers"},{"name":"status","after":"DRAFT"},{"name":"allow_multiple_responses","after":"false"},{"name":"draft_hash","after":"5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 5, 1795910241787659, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'PUBLISH', 'SCREENER', 'scr', '[{"name":"status","before":"DRAFT","after":"OPEN"},{"name":"active_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"draft_hash","before":"5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 6, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfsq9j81h8tmn4m8x', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 7, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwe0tbdy8131zhh2fm', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 8, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwed0a7m92ywcz342y', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 9, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwf16vdygnxpjsc3be', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 10, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfrdrzfdqfev652qn', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 11, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfysbsp6secj45ngh', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 12, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfccvxbx7enqpggsf', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 13, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwe4kv9xf9yvgm0d7c', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 14, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfy9rwjwngpxqe71b', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 15, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'PARTICIPANT', 'ptp_01m8j9f3hwfhdscr1p688dcmw1', '[{"name":"external_uid"},{"name":"id_verification","after":"NONE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 16, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwevc846ne74yfhvx8"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 17, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwepv8pt9dveyhkfzd"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 18, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwe27rr506ca7cfhh7', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwe5fakzp74mj7hv9h"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 19, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwekws7vr1vaj1k716', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwezgb2eqzt2yj46n9"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 20, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwetyamv4qd85zhwnv', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwe4e817sz6mhmn952"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 21, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwe3p8ka6v9kcycwrs"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 22, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwfg7rt63ha598hdy3', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwewy9qys8pn214aqz"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 23, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwe5tre4wbn16hmggp', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwfprsmghmcy1z3xte"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 24, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwefsamm1ycr98hhxv', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hweec8dxbzgzqs9ny7"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 25, 1795910241852025, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CREATE', 'SESSION', 'scses_01m8j9f3hwfmtrt731xdz5xnhm', '[{"name":"screener_id","after":"scr"},{"name":"screener_participant_id","after":"scpar_01m8j9f3hwfwrvmf0pf0j6wfm5"},{"name":"screener_publication_id","after":"scpub_01m8j9f3dne878ecm40wbk8gpa"},{"name":"link_slug"},{"name":"status","after":"ACTIVE"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 26, 1795910242097108, 'panelist', 'ANSWER', 'SESSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"started_at","after":"2026-11-28T23:57:22.097108Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.097108Z"},{"name":"answers.name"},{"name":"answers.trips"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 27, 1795910242097108, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 28, 1795910242118825, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"last_active_at","before":"2026-11-28T23:57:22.097108Z","after":"2026-11-28T23:57:22.118825Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.118825Z"},{"name":"answers.mood"},{"name":"answers.books"},{"name":"answers.tools"},{"name":"answers.why"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 29, 1795910242216480, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', '[{"name":"started_at","after":"2026-11-28T23:57:22.21648Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.21648Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.21648Z"},{"name":"answers.name"},{"name":"answers.trips"},{"name":"answers.mood"},{"name":"answers.books"},{"name":"answers.why"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 30, 1795910242216480, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 31, 1795910242352838, 'panelist', 'ANSWER', 'SESSION', 'scses_01m8j9f3hwe27rr506ca7cfhh7', '[{"name":"started_at","after":"2026-11-28T23:57:22.352838Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.352838Z"},{"name":"answers.name"},{"name":"answers.trips"},{"name":"answers.books"},{"name":"answers.tools"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 32, 1795910242352838, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwe27rr506ca7cfhh7', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 33, 1795910242362028, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwe27rr506ca7cfhh7', '[{"name":"last_active_at","before":"2026-11-28T23:57:22.352838Z","after":"2026-11-28T23:57:22.362028Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.362028Z"},{"name":"answers.mood"},{"name":"answers.books","before":"I do","after":"Nobody, I stay at home"},{"name":"answers.tools","before":"Web sites"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 34, 1795910242376414, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwekws7vr1vaj1k716', '[{"name":"started_at","after":"2026-11-28T23:57:22.376414Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.376414Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.376414Z"},{"name":"answers.name"},{"name":"answers.trips"},{"name":"answers.mood"},{"name":"answers.books"},{"name":"answers.tools"},{"name":"answers.why"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 35, 1795910242376414, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwekws7vr1vaj1k716', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 36, 1795910242390399, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwetyamv4qd85zhwnv', '[{"name":"started_at","after":"2026-11-28T23:57:22.390399Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.390399Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.390399Z"},{"name":"answers.name"},{"name":"answers.trips"},{"name":"answers.mood"},{"name":"answers.books"},{"name":"answers.tools"},{"name":"answers.why"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 37, 1795910242390399, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwetyamv4qd85zhwnv', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 38, 1795910242407422, 'panelist', 'COMPLETE', 'SESSION', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', '[{"name":"started_at","after":"2026-11-28T23:57:22.407422Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.407422Z"},{"name":"completed_at","after":"2026-11-28T23:57:22.407422Z"},{"name":"answers.name"},{"name":"answers.trips"},{"name":"answers.mood"},{"name":"answers.books"},{"name":"answers.tools"},{"name":"answers.why"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 39, 1795910242407422, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 40, 1795910242423848, 'panelist', 'ANSWER', 'SESSION', 'scses_01m8j9f3hwfg7rt63ha598hdy3', '[{"name":"started_at","after":"2026-11-28T23:57:22.423848Z"},{"name":"last_active_at","after":"2026-11-28T23:57:22.423848Z"},{"name":"answers.name"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 41, 1795910242423848, 'panelist', 'CREATE', 'SUBMISSION', 'scses_01m8j9f3hwfg7rt63ha598hdy3', '[{"name":"status","after":"PENDING"},{"name":"visibility","after":"VISIBLE"},{"name":"favorite","after":"false"},{"name":"hidden","after":"false"},{"name":"is_new","after":"true"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 42, 1795910242437595, 'panelist', 'DISMISS', 'SCREENER_PARTICIPANT', 'scpar_01m8j9f3hwfprsmghmcy1z3xte', '[{"name":"dismissed_at","after":"2026-11-28T23:57:22.437595Z"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 43, 1795910242879981, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'REJECT', 'SUBMISSION', 'scses_01m8j9f3hwe27rr506ca7cfhh7', '[{"name":"status","before":"PENDING","after":"REJECTEDQUALITY"},{"name":"status_updated_at","after":"2026-11-28T23:57:22.879981Z"},{"name":"actor","after":"researcher"},{"name":"rejection.message"},{"name":"rejection.rejected_at","after":"2026-11-28T23:57:22.879981Z"},{"name":"is_new","before":"true","after":"false"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 44, 1795910242941782, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'INVITE', 'SUBMISSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"status","before":"PENDING","after":"INVITED"},{"name":"invite_sent_at","after":"2026-11-28T23:57:22.941782Z"},{"name":"status_updated_at","after":"2026-11-28T23:57:22.941782Z"},{"name":"actor","after":"researcher"},{"name":"is_new","before":"true","after":"false"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 45, 1795910243006039, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'SCHEDULE', 'SUBMISSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"status","before":"INVITED","after":"SCHEDULED"},{"name":"scheduled_at","after":"2030-01-02T03:04:05Z"},{"name":"status_updated_at","before":"2026-11-28T23:57:22.941782Z","after":"2026-11-28T23:57:23.006039Z"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 46, 1795910243066953, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'MARK_ATTENDED', 'SUBMISSION', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', '[{"name":"status","before":"SCHEDULED","after":"ATTENDED"},{"name":"status_updated_at","before":"2026-11-28T23:57:23.006039Z","after":"2026-11-28T23:57:23.066953Z"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 47, 1795910243126329, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'QUALIFY', 'SUBMISSION', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', '[{"name":"qualified_override","after":"true"},{"name":"is_new","before":"true","after":"false"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 48, 1795910243301919, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'REMOVE', 'SESSION', 'scses_01m8j9f3hwfmtrt731xdz5xnhm', '[{"name":"status","before":"ACTIVE","after":"REMOVED"}]');
INSERT INTO public.changes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 49, 1795910243373671, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'CLOSE', 'SCREENER', 'scr', '[{"name":"status","before":"OPEN","after":"CLOSED"}]');

INSERT INTO public.credentials VALUES ('acct_123', 'acct_123', 'spot', '\x60dc926dfc2eba1d630f5045e7014612e8a346e341fefde05df7e3cffe755588', 'sessions:read sessions:write responses:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('acct_123_readonly', 'acct_123', 'spot', '\xdecabe74b07c4de4be3f80f675be65adf487d60a2257db3c3297b212ae3d317f', 'sessions:read responses:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('acct_999', 'acct_999', 'spot', '\x47f2bbe0b9401de04362488a0c4895d8c5329933504041c8d6c02065ecf0d688', 'sessions:read sessions:write responses:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('acct_disabled', 'acct_disabled', 'spot', '\xc61b5dbd529a8dbd73186fee20470a9a9c2c88bcb601bf7f89018ef04cfcfcc4', 'sessions:read sessions:write responses:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_01m8j9f381e4mb2yv0j6m75fyn', 'acct_01m8j9f37qfk89d4vewh5p4vfc', 'service', '\x2e9a346326bfa92f571da105c8d94a8b480bd40eabde6c117678a1a007e46b3d', 'sessions:read sessions:write responses:read submissions:read submissions:review panelists:read screeners:read screeners:write participants:read participants:write history:read admin', 1795910241537871, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_01m8j9f38af8j9fvawm32z64p6', 'acct_01m8j9f37qfk89d4vewh5p4vfc', 'panel', '\xcaed1ca90d71295b81dc85ebb11cbdeb144ca866797080834467b3cc6244411f', 'panelists:read', 1795910241546067, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_demo_no_panel_scope', 'acct_123', 'panel', '\x2959a4b92b14c87f447464f244fcd072fdb22d6aeb41188dc6d4e7408e9b44d6', '', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_demo_panel', 'acct_123', 'panel', '\xab3beda132da6e3bd66c3df2c9d51a4c4ea4722e1063887ac92da41e815b35ce', 'panelists:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_demo_panel_999', 'acct_999', 'panel', '\x995967a7fae9878983b2ec5485cfcb61b948d91d72643dd8d3270a1f1b49c299', 'panelists:read', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_demo_service', 'acct_123', 'service', '\x1444b4539c2c38dfb3d77697afe6676a818283f16503d77d3d9d5fdcaa57a71d', 'sessions:read sessions:write responses:read submissions:read submissions:review panelists:read screeners:read screeners:write participants:read participants:write history:read admin', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('key_demo_service_999', 'acct_999', 'service', '\xd3cf93f4b7a41a2dfaa92cf5db04e467cbc80794afe0e87102b33cef4f9ce6ca', 'sessions:read sessions:write responses:read submissions:read submissions:review panelists:read screeners:read screeners:write participants:read participants:write history:read admin', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('respondent_123', 'acct_123', 'respondent', '\xb41ce84d3547cab3e9c0b79ed369f06d0a18a4a236fed860e770e431935bb43d', 'submissions:read submissions:review', 1714564800000000, NULL, NULL);
INSERT INTO public.credentials VALUES ('respondent_999', 'acct_999', 'respondent', '\xc62d47cfab995fdf9205c243b4b72d3fdab9ee8f9279066421789255304ef6ae', 'submissions:read submissions:review', 1714564800000000, NULL, NULL);

INSERT INTO public.dismissals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwfprsmghmcy1z3xte', 1795910242437595);
INSERT INTO public.dismissals VALUES ('acct_123', 'scpar_dismissed', 1714726800000000);

INSERT INTO public.funnel_cells VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'ACTIVE COMPLETED 4 REJECTED DISQUALIFIED_BY_ANSWER books', 1);
INSERT INTO public.funnel_cells VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'ACTIVE COMPLETED 6 - QUALIFIED', 5);
INSERT INTO public.funnel_cells VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'ACTIVE IN_PROGRESS 1 - -', 1);
INSERT INTO public.funnel_cells VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'ACTIVE NOT_STARTED 0 - -', 2);
INSERT INTO public.funnel_cells VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'REMOVED NOT_STARTED 0 - -', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'scr_123', 'scpub_456', 'ACTIVE IN_PROGRESS 5 - -', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'scr_124', 'scpub_457', 'ACTIVE COMPLETED 1 - QUALIFIED', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'scr_124', 'scpub_457', 'ACTIVE COMPLETED 6 - QUALIFIED', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'scr_124', 'scpub_457', 'ACTIVE NOT_STARTED 0 - -', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'scr_124', 'scpub_457', 'ARCHIVED COMPLETED 4 - DISQUALIFIED_BY_ANSWER scq_size', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'survey-123', 'scpub_survey_123', 'ACTIVE COMPLETED 1 - QUALIFIED', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'survey-123', 'scpub_survey_123', 'REMOVED NOT_STARTED 0 - -', 1);
INSERT INTO public.funnel_cells VALUES ('acct_123', 'survey-multi', 'scpub_survey_multi', 'ACTIVE COMPLETED 1 - QUALIFIED', 1);
INSERT INTO public.funnel_cells VALUES ('acct_999', 'scr_999', 'scpub_999', 'ACTIVE COMPLETED 1 - QUALIFIED', 1);

INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'publication', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 1, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'publication', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 2, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'publication', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 3, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'screener', 'scr', 1, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'screener', 'scr', 2, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'screener', 'scr', 3, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'tenant', '', 1, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'tenant', '', 2, 0, 1);
INSERT INTO public.list_holes VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'tenant', '', 3, 0, 1);

INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'publications', 'screener', 'scr', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'publication', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'screener', 'scr', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'screeners', 'project', 'proj', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'sessions', 'screener', 'scr', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'submissions', 'project', 'proj', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'submissions', 'screener', 'scr', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'publications', 'screener', 'scr_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'publications', 'screener', 'scr_124', 0, 1);
INSERT INTO public.list_marks VALUES ('acct_123', 'publications', 'screener', 'survey-123', 0, 2);
INSERT INTO public.list_marks VALUES ('acct_123', 'publications', 'screener', 'survey-closed', 0, 3);
INSERT INTO public.list_marks VALUES ('acct_123', 'publications', 'screener', 'survey-multi', 0, 4);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'publication', 'scpub_456', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'publication', 'scpub_457', 0, 2);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'publication', 'scpub_survey_123', 0, 10);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'publication', 'scpub_survey_multi', 0, 11);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'screener', 'scr_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'screener', 'scr_124', 0, 2);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'screener', 'survey-123', 0, 10);
INSERT INTO public.list_marks VALUES ('acct_123', 'responses', 'screener', 'survey-multi', 0, 11);
INSERT INTO public.list_marks VALUES ('acct_123', 'screeners', 'project', 'proj_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'screeners', 'project', 'proj_surveys', 0, 2);
INSERT INTO public.list_marks VALUES ('acct_123', 'sessions', 'screener', 'scr_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'sessions', 'screener', 'scr_124', 0, 1);
INSERT INTO public.list_marks VALUES ('acct_123', 'sessions', 'screener', 'survey-123', 0, 5);
INSERT INTO public.list_marks VALUES ('acct_123', 'sessions', 'screener', 'survey-multi', 0, 6);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'project', 'proj_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'project', 'proj_surveys', 0, 4);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'screener', 'scr_123', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'screener', 'scr_124', 0, 1);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'screener', 'survey-123', 0, 4);
INSERT INTO public.list_marks VALUES ('acct_123', 'submissions', 'screener', 'survey-multi', 0, 5);
INSERT INTO public.list_marks VALUES ('acct_999', 'publications', 'screener', 'scr_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'publications', 'screener', 'survey-999', 0, 1);
INSERT INTO public.list_marks VALUES ('acct_999', 'responses', 'publication', 'scpub_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'responses', 'screener', 'scr_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'screeners', 'project', 'proj_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'sessions', 'screener', 'scr_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'submissions', 'project', 'proj_999', 0, 0);
INSERT INTO public.list_marks VALUES ('acct_999', 'submissions', 'screener', 'scr_999', 0, 0);

INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'changes', 'tenant', '', 50, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'participants', 'tenant', '', 10, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'projects', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'publications', 'screener', 'scr', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'publications', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'publication', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 35, 1);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'screener', 'scr', 35, 1);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'responses', 'tenant', '', 35, 1);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'screeners', 'project', 'proj', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'screeners', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'sessions', 'screener', 'scr', 10, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'sessions', 'tenant', '', 10, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'submissions', 'project', 'proj', 7, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'submissions', 'screener', 'scr', 7, 0);
INSERT INTO public.list_totals VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'submissions', 'tenant', '', 7, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'participants', 'tenant', '', 8, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'projects', 'tenant', '', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'screener', 'scr_123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'screener', 'scr_124', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'screener', 'survey-123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'screener', 'survey-closed', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'screener', 'survey-multi', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'publications', 'tenant', '', 5, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'publication', 'scpub_456', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'publication', 'scpub_457', 8, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'publication', 'scpub_survey_123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'publication', 'scpub_survey_multi', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'screener', 'scr_123', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'screener', 'scr_124', 8, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'screener', 'survey-123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'screener', 'survey-multi', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'responses', 'tenant', '', 12, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'screeners', 'project', 'proj_123', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'screeners', 'project', 'proj_surveys', 4, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'screeners', 'tenant', '', 6, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'sessions', 'screener', 'scr_123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'sessions', 'screener', 'scr_124', 4, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'sessions', 'screener', 'survey-123', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'sessions', 'screener', 'survey-multi', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'sessions', 'tenant', '', 8, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'project', 'proj_123', 4, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'project', 'proj_surveys', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'screener', 'scr_123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'screener', 'scr_124', 3, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'screener', 'survey-123', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'screener', 'survey-multi', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_123', 'submissions', 'tenant', '', 6, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'participants', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'projects', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'publications', 'screener', 'scr_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'publications', 'screener', 'survey-999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'publications', 'tenant', '', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'responses', 'publication', 'scpub_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'responses', 'screener', 'scr_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'responses', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'screeners', 'project', 'proj_999', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'screeners', 'tenant', '', 2, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'sessions', 'screener', 'scr_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'sessions', 'tenant', '', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'submissions', 'project', 'proj_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'submissions', 'screener', 'scr_999', 1, 0);
INSERT INTO public.list_totals VALUES ('acct_999', 'submissions', 'tenant', '', 1, 0);

INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'books', 'nobody', 2, 'Nobody, I stay at home', 'DISQUALIFIES', 0, NULL, 1);
INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'books', 'office', 1, 'My office', 'QUALIFIES', 0, 'why', 0);
INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'books', 'self', 0, 'I do', 'QUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'tools', 'agent', 1, 'An agent', 'NEUTRAL', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'tools', 'other', 2, 'Other', 'NEUTRAL', 1, NULL, 0);
INSERT INTO public.options VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'tools', 'web', 0, 'Web sites', 'REQUIRED', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_channels', 'sco_marketing', 1, 'Marketing', 'NEUTRAL', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_channels', 'sco_other', 2, 'Other', 'NEUTRAL', 1, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_channels', 'sco_sales', 0, 'Sales', 'NEUTRAL', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_size', 'sco_size_10', 0, '1-10', 'DISQUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_size', 'sco_size_200', 1, '11-200', 'QUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_456', 'scq_size', 'sco_size_201', 2, '201+', 'QUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_channels', 'sco_marketing', 1, 'Marketing', 'NEUTRAL', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_channels', 'sco_other', 2, 'Other', 'NEUTRAL', 1, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_channels', 'sco_sales', 0, 'Sales', 'NEUTRAL', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_size', 'sco_size_10', 0, '1-10', 'DISQUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_size', 'sco_size_200', 1, '11-200', 'QUALIFIES', 0, NULL, 0);
INSERT INTO public.options VALUES ('acct_123', 'scpub_457', 'scq_size', 'sco_size_201', 2, '201+', 'QUALIFIES', 0, NULL, 0);

INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwe0tbdy8131zhh2fm', 'crm-02', NULL, NULL, 'NONE', 1);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwe4kv9xf9yvgm0d7c', 'crm-08', NULL, NULL, 'NONE', 7);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwed0a7m92ywcz342y', 'crm-03', NULL, NULL, 'NONE', 2);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwf16vdygnxpjsc3be', 'crm-04', NULL, NULL, 'NONE', 3);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfccvxbx7enqpggsf', 'crm-07', NULL, NULL, 'NONE', 6);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfhdscr1p688dcmw1', 'crm-10', NULL, NULL, 'NONE', 9);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfrdrzfdqfev652qn', 'crm-05', NULL, NULL, 'NONE', 4);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfsq9j81h8tmn4m8x', 'crm-01', NULL, NULL, 'NONE', 0);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfy9rwjwngpxqe71b', 'crm-09', NULL, NULL, 'NONE', 8);
INSERT INTO public.participants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'ptp_01m8j9f3hwfysbsp6secj45ngh', 'crm-06', NULL, NULL, 'NONE', 5);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_001', 'crm-001', 'Alex Lee', NULL, 'NONE', 0);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_002', 'crm-002', 'Sam Roe', NULL, 'NONE', 1);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_003', 'crm-003', 'Kim Poe', NULL, 'NONE', 2);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_004', 'crm-004', NULL, NULL, 'NONE', 3);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_005', 'crm-005', NULL, NULL, 'NONE', 4);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_dismissed', 'customer-dismissed', NULL, NULL, 'NONE', 6);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_done', 'customer-done', NULL, NULL, 'NONE', 5);
INSERT INTO public.participants VALUES ('acct_123', 'ptp_revoked', 'customer-revoked', NULL, NULL, 'NONE', 7);
INSERT INTO public.participants VALUES ('acct_999', 'ptp_999', 'crm-999', NULL, NULL, 'NONE', 0);

INSERT INTO public.projects VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'proj', 'Travel', 40, 'acct_01m8j9f37qfk89d4vewh5p4vfc', 'acct_01m8j9f37qfk89d4vewh5p4vfc', 0);
INSERT INTO public.projects VALUES ('acct_123', 'proj_123', 'Insights panel', 75, 'org_123', 'team_123', 0);
INSERT INTO public.projects VALUES ('acct_123', 'proj_surveys', 'Customer surveys', 0, 'org_123', 'team_123', 1);
INSERT INTO public.projects VALUES ('acct_999', 'proj_999', 'Another project', 10, 'org_999', 'team_999', 0);

INSERT INTO public.publications VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scr', '[]', 0, 'PUBLISHED', 1795910241787659, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72');
INSERT INTO public.publications VALUES ('acct_123', 'scpub_456', 'scr_123', '[{"id":"tag_qual","category":"qualification","value":"priority"}]', 0, 'PUBLISHED', NULL, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299');
INSERT INTO public.publications VALUES ('acct_123', 'scpub_457', 'scr_124', '[{"id":"tag_qual","category":"qualification","value":"priority"}]', 1, 'PUBLISHED', NULL, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299');
INSERT INTO public.publications VALUES ('acct_123', 'scpub_survey_123', 'survey-123', '[]', 2, 'PUBLISHED', NULL, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10');
INSERT INTO public.publications VALUES ('acct_123', 'scpub_survey_closed', 'survey-closed', '[]', 3, 'PUBLISHED', NULL, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10');
INSERT INTO public.publications VALUES ('acct_123', 'scpub_survey_multi', 'survey-multi', '[]', 4, 'PUBLISHED', NULL, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10');
INSERT INTO public.publications VALUES ('acct_999', 'scpub_999', 'scr_999', '[]', 0, 'PUBLISHED', NULL, '566c791485e609f2ff5eda02240e831942a651e0a944143c8dea88c60b7e1ae1');
INSERT INTO public.publications VALUES ('acct_999', 'scpub_survey_999', 'survey-999', '[]', 1, 'PUBLISHED', NULL, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10');

INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'books', 3, 'how', 'SINGLE_SELECT', 'Who books your trips?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'mood', 2, 'about', 'NUMERIC', 'How much do you like flying, from 0 to 10?', 0, 0, 1, 0, 10, NULL, NULL, NULL, NULL, NULL, 0.5, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'name', 0, 'about', 'TEXT', 'What is your name?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, 80, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'tools', 4, 'how', 'MULTI_SELECT', 'Which tools do you use?', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2);
INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'trips', 1, 'about', 'NUMERIC', 'How many trips a year?', 1, 0, 0, 0, 200, 3, NULL, NULL, NULL, NULL, 1, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'why', 5, 'how', 'TEXT', 'Why do you travel?', 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_budget', 2, 'scp_intro', 'NUMERIC', 'Monthly budget in thousands?', 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_channels', 4, 'scp_focus', 'MULTI_SELECT', 'Which teams will use Spot Thought?', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_note', 5, 'scp_focus', 'TEXT', 'Anything else?', 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_role', 0, 'scp_intro', 'TEXT', 'What is your role?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_size', 3, 'scp_focus', 'SINGLE_SELECT', 'Company size?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_456', 'scq_years', 1, 'scp_intro', 'NUMERIC', 'Years of experience?', 1, 0, 0, 0, 80, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_budget', 2, 'scp_intro', 'NUMERIC', 'Monthly budget in thousands?', 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_channels', 4, 'scp_focus', 'MULTI_SELECT', 'Which teams will use Spot Thought?', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_note', 5, 'scp_focus', 'TEXT', 'Anything else?', 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_role', 0, 'scp_intro', 'TEXT', 'What is your role?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_size', 3, 'scp_focus', 'SINGLE_SELECT', 'Company size?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_457', 'scq_years', 1, 'scp_intro', 'NUMERIC', 'Years of experience?', 1, 0, 0, 0, 80, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_survey_123', 'scq_satisfaction', 0, 'scp_satisfaction', 'NUMERIC', 'How satisfied are you?', 1, 0, 1, 1, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_survey_closed', 'scq_satisfaction', 0, 'scp_satisfaction', 'NUMERIC', 'How satisfied are you?', 1, 0, 1, 1, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_123', 'scpub_survey_multi', 'scq_satisfaction', 0, 'scp_satisfaction', 'NUMERIC', 'How satisfied are you?', 1, 0, 1, 1, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_999', 'scpub_999', 'scq_999', 0, 'scp_999', 'TEXT', 'Where do you work?', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.questions VALUES ('acct_999', 'scpub_survey_999', 'scq_satisfaction', 0, 'scp_satisfaction', 'NUMERIC', 'How satisfied are you?', 1, 0, 1, 1, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 'books', 13, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', NULL, NULL, '[{"option":"nobody","text":"Nobody, I stay at home"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 'mood', 15, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 'name', 11, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', 'Cy', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 'trips', 12, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', NULL, 9, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'books', 19, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', NULL, NULL, '[{"option":"self","text":"I do"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'mood', 18, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'name', 16, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', 'Dan', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'tools', 20, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', NULL, NULL, '[{"option":"web","text":"Web sites"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'trips', 17, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', NULL, 5, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'why', 21, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'books', 9, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', NULL, NULL, '[{"option":"office","text":"My office"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'mood', 8, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'name', 6, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', 'Bob', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'trips', 7, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', NULL, 1, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'why', 10, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'books', 3, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', NULL, NULL, '[{"option":"self","text":"I do"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'mood', 2, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', NULL, 7.5, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'name', 0, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', 'Ada', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'tools', 4, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', NULL, NULL, '[{"option":"web","text":"Web sites"},{"option":"other","text":"Other: Maps","write_in":"Maps"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'trips', 1, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', NULL, 12, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'why', 5, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', 'For work.
And fun.', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'books', 25, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', NULL, NULL, '[{"option":"self","text":"I do"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'mood', 24, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'name', 22, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', 'Dan', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'tools', 26, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', NULL, NULL, '[{"option":"web","text":"Web sites"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'trips', 23, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', NULL, 5, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'why', 27, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'books', 31, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', NULL, NULL, '[{"option":"self","text":"I do"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'mood', 30, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'name', 28, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', 'Dan', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'tools', 32, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', NULL, NULL, '[{"option":"web","text":"Web sites"}]');
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'trips', 29, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', NULL, 5, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'why', 33, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfg7rt63ha598hdy3', 'name', 34, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwewy9qys8pn214aqz', 'Eve', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_789', 'scq_channels', 1, 'scr_123', 'scpub_456', 'scpar_123', NULL, NULL, '[{"option":"sco_sales","text":"Sales"},{"option":"sco_other","text":"Other: Insights Hub","write_in":"Insights Hub"}]');
INSERT INTO public.responses VALUES ('acct_123', 'scses_789', 'scq_role', 0, 'scr_123', 'scpub_456', 'scpar_123', 'VP of Research', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_budget', 4, 'scr_124', 'scpub_457', 'scpar_124', NULL, 5.5, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_channels', 6, 'scr_124', 'scpub_457', 'scpar_124', NULL, NULL, '[]');
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_note', 7, 'scr_124', 'scpub_457', 'scpar_124', NULL, NULL, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_role', 2, 'scr_124', 'scpub_457', 'scpar_124', 'Research Ops', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_size', 5, 'scr_124', 'scpub_457', 'scpar_124', NULL, NULL, '[{"option":"sco_size_200","text":"11-200"}]');
INSERT INTO public.responses VALUES ('acct_123', 'scses_790', 'scq_years', 3, 'scr_124', 'scpub_457', 'scpar_124', NULL, 5, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_792', 'scq_size', 8, 'scr_124', 'scpub_457', 'scpar_126', NULL, NULL, '[{"option":"sco_size_10","text":"1-10"}]');
INSERT INTO public.responses VALUES ('acct_123', 'scses_793', 'scq_role', 9, 'scr_124', 'scpub_457', 'scpar_127', 'Analyst', NULL, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_done_123', 'scq_satisfaction', 10, 'survey-123', 'scpub_survey_123', 'scpar_done_123', NULL, 5, NULL);
INSERT INTO public.responses VALUES ('acct_123', 'scses_done_multi', 'scq_satisfaction', 11, 'survey-multi', 'scpub_survey_multi', 'scpar_done_multi', NULL, 4, NULL);
INSERT INTO public.responses VALUES ('acct_999', 'scses_999', 'scq_999', 0, 'scr_999', 'scpub_999', 'scpar_999', 'Elsewhere', NULL, NULL);

INSERT INTO public.screeners VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scr', 'proj', 'Travellers', 'CLOSED', 0, 'scpub_01m8j9f3dne878ecm40wbk8gpa', '\xff3f815affa54e57f13ed2526c444b82', 0, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'scr_123', 'proj_123', 'Onboarding screener', 'OPEN', 0, 'scpub_456', '\xfefe3769c6f53fb20731f9f83a40c7eb', 0, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'scr_124', 'proj_123', 'Onboarding screener, round two', 'OPEN', 0, 'scpub_457', '\x7a018b7e0db69bcdebc8433072cff750', 1, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'survey-123', 'proj_surveys', 'Customer Satisfaction Survey', 'OPEN', 0, 'scpub_survey_123', '\xb951f92bf47734e702483cb781d07b7b', 2, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'survey-closed', 'proj_surveys', 'Closed survey', 'CLOSED', 0, 'scpub_survey_closed', '\xbfb5baf75edb914052f96106aded2e80', 4, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'survey-draft', 'proj_surveys', 'Draft survey', 'DRAFT', 0, NULL, '\x95972a392315c0dd5191eae34fae133d', 3, NULL);
INSERT INTO public.screeners VALUES ('acct_123', 'survey-multi', 'proj_surveys', 'Recurring survey', 'OPEN', 1, 'scpub_survey_multi', '\x72d6108b3c244ea80218983e444f7d99', 5, NULL);
INSERT INTO public.screeners VALUES ('acct_999', 'scr_999', 'proj_999', 'Another screener', 'OPEN', 0, 'scpub_999', '\xa4d4b782b9b32f802d57d4d4e2ac8e38', 0, NULL);
INSERT INTO public.screeners VALUES ('acct_999', 'survey-999', 'proj_999', 'Another survey', 'OPEN', 0, 'scpub_survey_999', '\x3c292b041fc41ed83b46c1a0f79438c8', 1, NULL);

INSERT INTO public.server_secrets VALUES ('panelist-key', '\x94a1f9cf6ed4cf3bfac97fe9c1ab99734d4f41ee7b1f14c67ae481d8b3ddef4af62243441300ade4e209cf16fa45b23324fbf08450881f11785dee98828a54aa');

INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 2, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe5fakzp74mj7hv9h', 'gabew11kkksrjtdw', 1, 'ACTIVE', 1795910242352838, 1795910242362028, 1795910242362028, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 4 REJECTED DISQUALIFIED_BY_ANSWER books');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe5tre4wbn16hmggp', 7, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwfprsmghmcy1z3xte', '23kpayh98fn7844r', 1, 'ACTIVE', NULL, NULL, NULL, 1795910241852025, NULL, NULL, 'ACTIVE NOT_STARTED 0 - -');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwefsamm1ycr98hhxv', 8, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hweec8dxbzgzqs9ny7', 'vbm2cg7dtvxb2a3s', 1, 'ACTIVE', NULL, NULL, NULL, 1795910241852025, NULL, NULL, 'ACTIVE NOT_STARTED 0 - -');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 3, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwezgb2eqzt2yj46n9', 'yrf5ey59t051a7fh', 1, 'ACTIVE', 1795910242376414, 1795910242376414, 1795910242376414, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 1, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', '83s7t9vmqpb0fern', 1, 'ACTIVE', 1795910242216480, 1795910242216480, 1795910242216480, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 0, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwevc846ne74yfhvx8', '64xybq1tm038b9gk', 1, 'ACTIVE', 1795910242097108, 1795910242118825, 1795910242118825, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 4, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe4e817sz6mhmn952', '43kagks90szdwv03', 1, 'ACTIVE', 1795910242390399, 1795910242390399, 1795910242390399, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 5, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwe3p8ka6v9kcycwrs', 'h0w00vk5k1v5rsxc', 1, 'ACTIVE', 1795910242407422, 1795910242407422, 1795910242407422, 1795910241852025, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfg7rt63ha598hdy3', 6, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwewy9qys8pn214aqz', 'qw2bc6yc8dnyztzp', 1, 'ACTIVE', 1795910242423848, 1795910242423848, NULL, 1795910241852025, NULL, NULL, 'ACTIVE IN_PROGRESS 1 - -');
INSERT INTO public.sessions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfmtrt731xdz5xnhm', 9, 'scr', 'scpub_01m8j9f3dne878ecm40wbk8gpa', 'scpar_01m8j9f3hwfwrvmf0pf0j6wfm5', 'we298s16fgc5ht0f', 1, 'REMOVED', NULL, NULL, NULL, 1795910241852025, 1795910243301919, 'key_01m8j9f381e4mb2yv0j6m75fyn', 'REMOVED NOT_STARTED 0 - -');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_789', 0, 'scr_123', 'scpub_456', 'scpar_123', 'onboarding-001-alex', 0, 'ACTIVE', 1714576101000000, 1714576484000000, NULL, 1714575600000000, NULL, NULL, 'ACTIVE IN_PROGRESS 5 - -');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_790', 1, 'scr_124', 'scpub_457', 'scpar_124', 'onboarding-002-sam', 0, 'ACTIVE', 1714576101000000, 1714576615000000, 1714576615000000, 1714575600000000, NULL, NULL, 'ACTIVE COMPLETED 6 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_791', 2, 'scr_124', 'scpub_457', 'scpar_125', 'onboarding-003-kim', 0, 'ACTIVE', NULL, NULL, NULL, 1714575600000000, NULL, NULL, 'ACTIVE NOT_STARTED 0 - -');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_792', 3, 'scr_124', 'scpub_457', 'scpar_126', 'onboarding-004', 0, 'ARCHIVED', 1714579200000000, 1714579440000000, 1714579440000000, 1714575600000000, NULL, NULL, 'ARCHIVED COMPLETED 4 - DISQUALIFIED_BY_ANSWER scq_size');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_793', 4, 'scr_124', 'scpub_457', 'scpar_127', 'onboarding-005', 0, 'ACTIVE', 1714579800000000, 1714579950000000, 1714579950000000, 1714575600000000, NULL, NULL, 'ACTIVE COMPLETED 1 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_done_123', 5, 'survey-123', 'scpub_survey_123', 'scpar_done_123', 'satisfaction-done', 0, 'ACTIVE', 1714644000000000, 1714644330000000, 1714644330000000, 1714640400000000, NULL, NULL, 'ACTIVE COMPLETED 1 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_done_multi', 6, 'survey-multi', 'scpub_survey_multi', 'scpar_done_multi', 'recurring-done', 0, 'ACTIVE', 1714644000000000, 1714644330000000, 1714644330000000, 1714640400000000, NULL, NULL, 'ACTIVE COMPLETED 1 - QUALIFIED');
INSERT INTO public.sessions VALUES ('acct_123', 'scses_revoked', 7, 'survey-123', 'scpub_survey_123', 'scpar_revoked', 'satisfaction-revoked', 0, 'REMOVED', NULL, NULL, NULL, 1714640400000000, NULL, NULL, 'REMOVED NOT_STARTED 0 - -');
INSERT INTO public.sessions VALUES ('acct_999', 'scses_999', 0, 'scr_999', 'scpub_999', 'scpar_999', 'another-999', 0, 'ACTIVE', 1714582800000000, 1714582860000000, 1714582860000000, 1714575600000000, NULL, NULL, 'ACTIVE COMPLETED 1 - QUALIFIED');

INSERT INTO public.submission_keys VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scpar_01m8j9f3hwepv8pt9dveyhkfzd', 'click', '\xd2fc7f68a4de20ecb788953c3d1a3c8c2985f8823b7ff01fc9c3633e239d825f', '{"session":"scses_01m8j9f3hwemtaxxhqa3tbr7t1","count":3,"dropped":[],"path":["name","trips","mood","books","why"],"is_final":true}', 1795910242216480);

INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwe27rr506ca7cfhh7', 'REJECTEDQUALITY', 'VISIBLE', 0, 0, 0, NULL, NULL, NULL, 1795910242879981, 'researcher', NULL, NULL, NULL, 'Hurried.', 1795910242879981, NULL, NULL, NULL, 2, 'scr', 'proj', 1795910242362028, 0, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 50, 0, 'books', '[{"question":"trips","rule":"at least 3","value":"9","score":"QUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"nobody","score":"DISQUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwekws7vr1vaj1k716', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, 'scr', 'proj', 1795910242376414, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 100, 1, NULL, '[{"question":"trips","rule":"at least 3","value":"5","score":"QUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"self","score":"QUALIFIES"},{"question":"tools","rule":"requires web","value":"web","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwemtaxxhqa3tbr7t1', 'PENDING', 'VISIBLE', 0, 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'scr', 'proj', 1795910242216480, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 50, 0, 'trips', '[{"question":"trips","rule":"at least 3","value":"1","score":"DISQUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"office","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwep3vy8rxxpmhcd9y', 'ATTENDED', 'VISIBLE', 0, 0, 0, NULL, 1795910242941782, 1893553445000000, 1795910243066953, 'researcher', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'scr', 'proj', 1795910242118825, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 100, 1, NULL, '[{"question":"trips","rule":"at least 3","value":"12","score":"QUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"self","score":"QUALIFIES"},{"question":"tools","rule":"requires web","value":"web, other","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwetyamv4qd85zhwnv', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, 'scr', 'proj', 1795910242390399, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 100, 1, NULL, '[{"question":"trips","rule":"at least 3","value":"5","score":"QUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"self","score":"QUALIFIES"},{"question":"tools","rule":"requires web","value":"web","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfctaajjaf9n2zyyr', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5, 'scr', 'proj', 1795910242407422, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 100, 1, NULL, '[{"question":"trips","rule":"at least 3","value":"5","score":"QUALIFIES"},{"question":"books","rule":"qualifies self, office; disqualifies nobody","value":"self","score":"QUALIFIES"},{"question":"tools","rule":"requires web","value":"web","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'scses_01m8j9f3hwfg7rt63ha598hdy3', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 6, 'scr', 'proj', 1795910242423848, 1, '5400703412bf84709d8f673f99d477b11f638dfa09a62ecae0d15d6a95847e72', 100, 1, NULL, '[]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_789', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'scr_123', 'proj_123', 1714576101000000, 1, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299', 100, 1, NULL, '[]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_790', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'scr_124', 'proj_123', 1714576615000000, 1, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299', 100, 1, NULL, '[{"question":"scq_size","rule":"qualifies sco_size_200, sco_size_201; disqualifies sco_size_10","value":"sco_size_200","score":"QUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_792', 'PAID', 'VISIBLE', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, 'scr_124', 'proj_123', 1714579440000000, 0, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299', 0, 0, 'scq_size', '[{"question":"scq_size","rule":"qualifies sco_size_200, sco_size_201; disqualifies sco_size_10","value":"sco_size_10","score":"DISQUALIFIES"}]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_793', 'INVITED', 'ONHOLD', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, 'scr_124', 'proj_123', 1714579950000000, 1, '71566e55d7a755670e7095e2deff925a96316b8e32c9dd82a5d0480ab5d32299', 100, 1, NULL, '[]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_done_123', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, 'survey-123', 'proj_surveys', 1714644330000000, 1, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10', 100, 1, NULL, '[]');
INSERT INTO public.submissions VALUES ('acct_123', 'scses_done_multi', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5, 'survey-multi', 'proj_surveys', 1714644330000000, 1, '7f6c78e74dc2718ff3c4d0b9da24b62c47d0c3370d6c01b896b66d5532a30d10', 100, 1, NULL, '[]');
INSERT INTO public.submissions VALUES ('acct_999', 'scses_999', 'PENDING', 'VISIBLE', 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'scr_999', 'proj_999', 1714582860000000, 1, '566c791485e609f2ff5eda02240e831942a651e0a944143c8dea88c60b7e1ae1', 100, 1, NULL, '[]');

INSERT INTO public.tenants VALUES ('acct_01m8j9f37qfk89d4vewh5p4vfc', 'Research team', 1795910241527178, NULL);
INSERT INTO public.tenants VALUES ('acct_123', 'Spot Thought docs', 1714564800000000, NULL);
INSERT INTO public.tenants VALUES ('acct_999', 'Another tenant', 1714564800000000, NULL);
INSERT INTO public.tenants VALUES ('acct_disabled', 'Disabled tenant', 1714564800000000, 1714568400000000);

ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_tenant_id_participant_id_screener_id_key UNIQUE (tenant_id, participant_id, screener_id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (tenant_id, seq);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_secret_hash_key UNIQUE (secret_hash);

ALTER TABLE ONLY public.dismissals
    ADD CONSTRAINT dismissals_pkey PRIMARY KEY (tenant_id, assignment_id, dismissed_at);

ALTER TABLE ONLY public.funnel_cells
    ADD CONSTRAINT funnel_cells_pkey PRIMARY KEY (tenant_id, screener_id, publication_id, cell);

ALTER TABLE ONLY public.list_holes
    ADD CONSTRAINT list_holes_pkey PRIMARY KEY (tenant_id, list, scope, scope_id, level, block);

ALTER TABLE ONLY public.list_marks
    ADD CONSTRAINT list_marks_pkey PRIMARY KEY (tenant_id, list, scope, scope_id, block);

ALTER TABLE ONLY public.list_totals
    ADD CONSTRAINT list_totals_pkey PRIMARY KEY (tenant_id, list, scope, scope_id);

ALTER TABLE ONLY public.logos
    ADD CONSTRAINT logos_pkey PRIMARY KEY (tenant_id, hash);

ALTER TABLE ONLY public.looks
    ADD CONSTRAINT looks_pkey PRIMARY KEY (tenant_id, screener_id);

ALTER TABLE ONLY public.options
    ADD CONSTRAINT options_pkey PRIMARY KEY (tenant_id, publication_id, question_id, id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_tenant_id_external_uid_key UNIQUE (tenant_id, external_uid);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.publications
    ADD CONSTRAINT publications_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.questions
    ADD CONSTRAINT questions_pkey PRIMARY KEY (tenant_id, publication_id, id);

ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_pkey PRIMARY KEY (tenant_id, session_id, question_id);

ALTER TABLE ONLY public.screeners
    ADD CONSTRAINT screeners_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.screeners
    ADD CONSTRAINT screeners_survey_ref_key UNIQUE (survey_ref);

ALTER TABLE ONLY public.server_secrets
    ADD CONSTRAINT server_secrets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_id_key UNIQUE (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_link_slug_key UNIQUE (link_slug);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.submission_keys
    ADD CONSTRAINT submission_keys_pkey PRIMARY KEY (tenant_id, assignment_id, key);

ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_pkey PRIMARY KEY (tenant_id, session_id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.unsettled_sessions
    ADD CONSTRAINT unsettled_sessions_pkey PRIMARY KEY (tenant_id, id);

CREATE INDEX changes_by_subject ON public.changes USING btree (tenant_id, subject, subject_id, seq);

CREATE INDEX credentials_by_tenant ON public.credentials USING btree (tenant_id, created_at, id);

CREATE UNIQUE INDEX list_marks_by_seq ON public.list_marks USING btree (tenant_id, list, scope, scope_id, first_seq);

CREATE INDEX logos_by_hash ON public.logos USING btree (hash);

CREATE UNIQUE INDEX participants_by_tenant ON public.participants USING btree (tenant_id, seq);

CREATE UNIQUE INDEX projects_by_tenant ON public.projects USING btree (tenant_id, seq);

CREATE INDEX publications_by_screener ON public.publications USING btree (tenant_id, screener_id, seq);

CREATE INDEX responses_by_assignment ON public.responses USING btree (tenant_id, assignment_id, seq);

CREATE INDEX responses_by_publication ON public.responses USING btree (tenant_id, publication_id, seq);

CREATE INDEX responses_by_screener ON public.responses USING btree (tenant_id, screener_id, seq);

CREATE UNIQUE INDEX responses_by_tenant ON public.responses USING btree (tenant_id, seq);

CREATE INDEX screeners_by_project ON public.screeners USING btree (tenant_id, project_id, seq);

CREATE UNIQUE INDEX screeners_by_tenant ON public.screeners USING btree (tenant_id, seq);

CREATE INDEX sessions_by_assignment ON public.sessions USING btree (tenant_id, assignment_id, seq);

CREATE INDEX sessions_by_screener ON public.sessions USING btree (tenant_id, screener_id, seq);

CREATE UNIQUE INDEX sessions_by_tenant ON public.sessions USING btree (tenant_id, seq);

CREATE INDEX submission_keys_by_age ON public.submission_keys USING btree (created_at);

CREATE INDEX submissions_by_project ON public.submissions USING btree (tenant_id, project_id, seq);

CREATE INDEX submissions_by_screener ON public.submissions USING btree (tenant_id, screener_id, seq);

CREATE UNIQUE INDEX submissions_by_tenant ON public.submissions USING btree (tenant_id, seq);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_tenant_id_participant_id_fkey FOREIGN KEY (tenant_id, participant_id) REFERENCES public.participants(tenant_id, id);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_tenant_id_screener_id_fkey FOREIGN KEY (tenant_id, screener_id) REFERENCES public.screeners(tenant_id, id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.dismissals
    ADD CONSTRAINT dismissals_tenant_id_assignment_id_fkey FOREIGN KEY (tenant_id, assignment_id) REFERENCES public.assignments(tenant_id, id);

ALTER TABLE ONLY public.logos
    ADD CONSTRAINT logos_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.looks
    ADD CONSTRAINT looks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.looks
    ADD CONSTRAINT looks_tenant_id_logo_hash_fkey FOREIGN KEY (tenant_id, logo_hash) REFERENCES public.logos(tenant_id, hash);

ALTER TABLE ONLY public.options
    ADD CONSTRAINT options_tenant_id_publication_id_question_id_fkey FOREIGN KEY (tenant_id, publication_id, question_id) REFERENCES public.questions(tenant_id, publication_id, id);

ALTER TABLE ONLY public.participants
    ADD CONSTRAINT participants_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.publications
    ADD CONSTRAINT publications_tenant_id_screener_id_fkey FOREIGN KEY (tenant_id, screener_id) REFERENCES public.screeners(tenant_id, id);

ALTER TABLE ONLY public.questions
    ADD CONSTRAINT questions_tenant_id_publication_id_fkey FOREIGN KEY (tenant_id, publication_id) REFERENCES public.publications(tenant_id, id);

ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_tenant_id_publication_id_question_id_fkey FOREIGN KEY (tenant_id, publication_id, question_id) REFERENCES public.questions(tenant_id, publication_id, id);

ALTER TABLE ONLY public.responses
    ADD CONSTRAINT responses_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES public.sessions(tenant_id, id);

ALTER TABLE ONLY public.screeners
    ADD CONSTRAINT screeners_tenant_id_project_id_fkey FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects(tenant_id, id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_assignment_id_fkey FOREIGN KEY (tenant_id, assignment_id) REFERENCES public.assignments(tenant_id, id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_publication_id_fkey FOREIGN KEY (tenant_id, publication_id) REFERENCES public.publications(tenant_id, id);

ALTER TABLE ONLY public.submission_keys
    ADD CONSTRAINT submission_keys_tenant_id_assignment_id_fkey FOREIGN KEY (tenant_id, assignment_id) REFERENCES public.assignments(tenant_id, id);

ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES public.sessions(tenant_id, id);

