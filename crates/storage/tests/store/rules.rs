//! Every rule of the schema has a statement that breaks it, and nothing else.

use crate::schema::{UID_COLUMNS, rules};
use crate::sql::{Sql, literals};
use std::collections::BTreeSet;
use test_support::{Backend, Db};

/// One row in every table, two where rows refer to each other.
pub(crate) const ROWS: &str = "
INSERT INTO organizations VALUES ({id:1}, 'one', 'One', NULL, NULL, {t:1}, {t:1}, {no}, 'revoke', {no}), ({id:2}, 'two', 'Two', NULL, NULL, {t:1}, {t:1}, {no}, 'revoke', {no});
INSERT INTO users (id, email, email_key, name, password_hash, disabled_at, created_at, updated_at) VALUES ({id:3}, 'a@b', 'a@b', 'Ada', NULL, NULL, {t:1}, {t:1}), ({id:4}, 'c@d', 'c@d', 'Cy', NULL, NULL, {t:1}, {t:1});
INSERT INTO roles VALUES ({id:5}, {id:1}, 'R', 'r', 'x', {t:1}, {t:1}), ({id:6}, {id:2}, 'S', 's', 'x', {t:1}, {t:1}), ({id:30}, {id:1}, 'Q', 'q', 'x', {t:1}, {t:1});
INSERT INTO memberships VALUES ({id:1}, {id:3}, NULL, {id:5}, {t:1}, NULL), ({id:1}, {id:4}, 'owner', NULL, {t:1}, NULL);
INSERT INTO invitations VALUES ({id:40}, {id:1}, 'e@f', 'e@f', NULL, {id:5}, {digest:1}, 'system', {id:3}, {t:1}, {t:2}), ({id:41}, {id:1}, 'g@h', 'g@h', 'viewer', NULL, {digest:2}, 'system', NULL, {t:1}, {t:2});
INSERT INTO sessions (id, user_id, organization_id, token_digest, user_agent, created_at, expires_at) VALUES ({id:7}, {id:3}, {id:1}, {b:32}, NULL, {t:1}, {t:2});
INSERT INTO projects VALUES ({id:8}, {id:1}, 'P', 'p', {t:1}, {t:1}), ({id:9}, {id:2}, 'P', 'p', {t:1}, {t:1}), ({id:31}, {id:1}, 'P', 'q', {t:1}, {t:1});
INSERT INTO access_scopes VALUES ({id:10}, {id:8}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1}), ({id:11}, {id:9}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1}), ({id:32}, {id:8}, 't', NULL, NULL, NULL, {yes}, {t:1}, {t:1});
INSERT INTO actors VALUES ({id:12}, {id:8}, {id:10}, 'A', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1}, NULL), ({id:13}, {id:9}, NULL, 'B', 'agent', NULL, NULL, NULL, NULL, {t:1}, {t:1}, 'Delivers.');
INSERT INTO tokens (id, organization_id, kind, owner_user_id, actor_id, project_id, name, agent_type, scopes, hint, secret_hash, lookup_hint, created_at, created_by) VALUES
    ({id:14}, {id:1}, 'organization', NULL, NULL, NULL, 'T', '', 'x', '3f7a', 'h', 1, {t:1}, 'system'),
    ({id:15}, {id:1}, 'personal', {id:3}, NULL, NULL, 'T', '', 'x', '3f7a', 'h', 2, {t:1}, 'system'),
    ({id:16}, {id:1}, 'actor', NULL, {id:12}, {id:8}, 'T', '', 'x', '3f7a', 'h', 3, {t:1}, 'system'),
    ({id:17}, {id:1}, 'organization', NULL, NULL, NULL, 'T', '', 'x', '3f7a', 'h', 4, {t:1}, 'system');
UPDATE tokens SET superseded_at = {t:2}, rotated_to = {id:15}, grace_ends_at = {t:3}, grace_mode = 'fixed' WHERE id = {id:14};
UPDATE tokens SET revoked_at = {t:2}, revoked_reason = 'leaked', revoked_by = 'system' WHERE id = {id:16};
INSERT INTO idempotency_keys VALUES ({id:1}, 'system', 'tokens.create', 'k', {b:32}, {id:14}, {t:1});
INSERT INTO token_policies VALUES ({id:1}, 'personal', {yes}, 1, 2, 3, 'x', {t:1}, 'system');
INSERT INTO second_factors VALUES ({id:3}, {b:8}, {t:1}, NULL, 0);
INSERT INTO recovery_codes VALUES ({id:3}, {b:32});
INSERT INTO known_devices VALUES ({b:32}, {id:3}, {t:1});
INSERT INTO outbox VALUES ({id:60}, NULL, 'a@b', '{}', 0, {t:1}, {t:1});
INSERT INTO mailed_invitations VALUES ({id:40}, {b:32});
INSERT INTO address_codes VALUES ({id:3}, 'a@b', {b:32}, {t:1});
INSERT INTO password_resets VALUES ({id:3}, 'a@b', {b:32}, {b:32}, {t:1});
INSERT INTO identities VALUES ({id:1}, 'i', 's', {id:3}, {t:1});
INSERT INTO imported_tokens VALUES ({digest:1}, {id:1}, {id:14}), ({digest:2}, {id:1}, {id:15});
INSERT INTO audit_heads VALUES ({id:0}, 1, {b:32}, {t:1}, {no});
INSERT INTO audit_events VALUES ({id:0}, 1, {t:1}, 'x', 'system', '', '', '', '{}', {b:32}, {b:32});
INSERT INTO revocation_log VALUES (0, 1, 'token', {id:14}, {t:1});
INSERT INTO nodes VALUES ({id:70}, 1, '', '', '', 'strict', 1, '', {t:1}, {t:1}, NULL);
INSERT INTO deployment VALUES ('k', 'v');
INSERT INTO repositories VALUES ({id:20}, {id:1}, 'a', 0, NULL, NULL, {t:1}), ({id:21}, {id:1}, 'b', 0, NULL, NULL, {t:1}), ({id:22}, {id:2}, 'a', 0, NULL, NULL, {t:1});
INSERT INTO baselines VALUES ({id:20}, 1, 0, NULL, {t:1}, {t:1}, 'system');
INSERT INTO executions VALUES ({id:23}, {id:1}, {id:20}, 'main', '0123456', 0, 0, 0, 0, {yes}, 'pass', NULL, 'system', {t:1});
INSERT INTO execution_keys VALUES ({id:1}, 'system', 'k', {b:32}, {id:23}, {t:1});
INSERT INTO trust_policies VALUES ({id:50}, {id:1}, 'P', 'generic', 'https://i', NULL, '{}', 'x', NULL, NULL, 900, {yes}, {t:1}, 'system', {t:1}, 'system');
INSERT INTO trust_attempts VALUES ({id:50}, {id:51}, {t:1}, 'exchanged', NULL, NULL, NULL, NULL);
INSERT INTO exchanged_identities VALUES ({b:32}, {t:1});
INSERT INTO token_notices VALUES ({id:14}, 7, NULL);
INSERT INTO address_notices VALUES ({id:14}, '203.0.113.7', NULL, {t:1});
INSERT INTO token_leaks VALUES ({id:14}, 'notify', 'github', {t:1});
INSERT INTO leak_alerts VALUES ('github', '{}', 0, {t:1}, {t:1});
INSERT INTO muted_notices VALUES ({id:3}, 'token_expiring');
INSERT INTO webhooks VALUES ({id:80}, {id:1}, 'https://e', NULL, 'x', {yes}, NULL, {b:32}, NULL, NULL, 0, NULL, NULL, {t:1}, 'system', {t:1}, 'system');
INSERT INTO webhook_deliveries VALUES ({id:80}, {id:81}, 'x', '{}', 0, {t:1}, {t:1}, NULL, NULL, NULL, NULL, NULL);
INSERT INTO token_usage VALUES ({id:14}, 1, 0, 0, 0), ({id:15}, 1, 0, 0, 0);
INSERT INTO session_uses VALUES ({id:7}, {t:1}, '203.0.113.7');
INSERT INTO token_origins VALUES ({id:14}, '203.0.113.7', NULL, {t:1}, {t:1}), ({id:15}, '203.0.113.7', NULL, {t:1}, {t:1});
INSERT INTO token_scope_uses VALUES ({id:14}, 'x', {t:1}), ({id:15}, 'x', {t:1});
INSERT INTO organization_usage VALUES ({id:1}, 1, 0, 0, 0), ({id:2}, 1, 0, 0, 0);
";

/// What a broken rule is called on SQLite.
enum Kind {
    /// By its own name.
    Check,
    /// By these columns.
    Unique(&'static str),
    /// Not at all.
    Reference,
}
use Kind::{Check, Reference, Unique};

/// Rule, kind, the statement that breaks it.
const BREACHES: &[(&str, Kind, &str)] = &[
    ("trust_policies_organization_fkey", Reference, "UPDATE trust_policies SET organization_id = {id:99}"),
    ("trust_policies_ttl_range", Check, "UPDATE trust_policies SET ttl_seconds = 3601"),
    ("trust_attempts_policy_fkey", Reference, "UPDATE trust_attempts SET policy_id = {id:99}"),
    ("organizations_leak_action_known", Check, "UPDATE organizations SET leak_action = 'forget'"),
    ("token_leaks_token_fkey", Reference, "UPDATE token_leaks SET token_id = {id:99}"),
    ("token_leaks_action_known", Check, "UPDATE token_leaks SET action = 'forget'"),
    ("token_leaks_source_known", Check, "UPDATE token_leaks SET source = 'rumour'"),
    ("leak_alerts_host_known", Check, "UPDATE leak_alerts SET host = 'holder'"),
    ("leak_alerts_place_length", Check, "UPDATE leak_alerts SET place = ''"),
    ("token_notices_token_fkey", Reference, "UPDATE token_notices SET token_id = {id:99}"),
    ("token_notices_expiry_days_positive", Check, "UPDATE token_notices SET expiry_days = 0"),
    ("address_notices_token_fkey", Reference, "UPDATE address_notices SET token_id = {id:99}"),
    ("address_notices_address_length", Check, "UPDATE address_notices SET address = ''"),
    ("address_notices_agent_length", Check, "UPDATE address_notices SET agent = ''"),
    ("muted_notices_user_fkey", Reference, "UPDATE muted_notices SET user_id = {id:99}"),
    ("muted_notices_notice_known", Check, "UPDATE muted_notices SET notice = 'token_leaked'"),
    ("webhooks_organization_fkey", Reference, "UPDATE webhooks SET organization_id = {id:99}"),
    ("webhooks_url_length", Check, "UPDATE webhooks SET url = ''"),
    ("webhooks_description_length", Check, "UPDATE webhooks SET description = ''"),
    ("webhooks_events_length", Check, "UPDATE webhooks SET events = ''"),
    ("webhooks_previous_together", Check, "UPDATE webhooks SET previous_secret = {b:32}"),
    ("webhook_deliveries_webhook_fkey", Reference, "UPDATE webhook_deliveries SET webhook_id = {id:99}"),
    ("webhook_deliveries_event_length", Check, "UPDATE webhook_deliveries SET event = ''"),
    ("webhook_deliveries_body_length", Check, "UPDATE webhook_deliveries SET body = ''"),
    ("webhook_deliveries_error_length", Check, "UPDATE webhook_deliveries SET error = ''"),
    ("webhook_deliveries_one_state", Check, "UPDATE webhook_deliveries SET failed_at = {t:1}"),
    ("exchanged_identities_digest_length", Check, "UPDATE exchanged_identities SET digest = {b:31}"),
    (
        "token_policies_organization_fkey",
        Reference,
        "UPDATE token_policies SET organization_id = {id:99} WHERE kind = 'personal'",
    ),
    ("token_policies_kind_known", Check, "UPDATE token_policies SET kind = 'machine'"),
    ("token_policies_default_lifetime_positive", Check, "UPDATE token_policies SET default_lifetime = 0"),
    (
        "token_policies_longest_lifetime_positive",
        Check,
        "UPDATE token_policies SET default_lifetime = NULL, longest_lifetime = 0",
    ),
    ("token_policies_idle_after_positive", Check, "UPDATE token_policies SET idle_after = 0"),
    ("token_policies_scopes_length", Check, "UPDATE token_policies SET scopes = ''"),
    ("token_policies_updated_by_length", Check, "UPDATE token_policies SET updated_by = ''"),
    ("token_policies_default_within_longest", Check, "UPDATE token_policies SET default_lifetime = 3"),
    ("token_policies_actors_end_themselves", Check, "UPDATE token_policies SET kind = 'actor'"),
    ("deployment_key_length", Check, "UPDATE deployment SET key = ''"),
    ("organizations_slug_length", Check, "UPDATE organizations SET slug = '' WHERE id = {id:1}"),
    ("organizations_name_length", Check, "UPDATE organizations SET name = ''"),
    ("organizations_token_cap_range", Check, "UPDATE organizations SET token_cap = -1"),
    ("organizations_slug_key", Unique("organizations.slug"), "UPDATE organizations SET slug = 'two'"),
    ("users_email_length", Check, "UPDATE users SET email = 'a@'"),
    ("users_email_key_length", Check, "UPDATE users SET email_key = '' WHERE id = {id:3}"),
    ("users_name_length", Check, "UPDATE users SET name = ''"),
    ("users_password_hash_length", Check, "UPDATE users SET password_hash = ''"),
    ("users_email_key_key", Unique("users.email_key"), "UPDATE users SET email_key = 'a@b'"),
    ("roles_organization_fkey", Reference, "UPDATE roles SET organization_id = {id:99} WHERE id = {id:30}"),
    ("roles_name_length", Check, "UPDATE roles SET name = ''"),
    ("roles_name_key_length", Check, "UPDATE roles SET name_key = '' WHERE id = {id:5}"),
    (
        "roles_name_key_key",
        Unique("roles.organization_id, roles.name_key"),
        "UPDATE roles SET name_key = 'r' WHERE id = {id:30}",
    ),
    (
        "memberships_organization_fkey",
        Reference,
        "UPDATE memberships SET organization_id = {id:99} WHERE user_id = {id:4}",
    ),
    ("memberships_user_fkey", Reference, "UPDATE memberships SET user_id = {id:99} WHERE user_id = {id:4}"),
    ("memberships_built_in_role_known", Check, "UPDATE memberships SET built_in_role = 'king' WHERE user_id = {id:4}"),
    ("memberships_one_role", Check, "UPDATE memberships SET built_in_role = 'admin'"),
    ("memberships_role_fkey", Reference, "UPDATE memberships SET role_id = {id:6} WHERE user_id = {id:3}"),
    ("invitations_organization_fkey", Reference, "UPDATE invitations SET organization_id = {id:99} WHERE id = {id:41}"),
    ("invitations_email_length", Check, "UPDATE invitations SET email = 'a@'"),
    ("invitations_email_key_length", Check, "UPDATE invitations SET email_key = '' WHERE id = {id:40}"),
    ("invitations_built_in_role_known", Check, "UPDATE invitations SET built_in_role = 'king' WHERE id = {id:41}"),
    ("invitations_code_digest_length", Check, "UPDATE invitations SET code_digest = {b:31} WHERE id = {id:40}"),
    ("invitations_created_by_length", Check, "UPDATE invitations SET created_by = ''"),
    ("invitations_sponsor_fkey", Reference, "UPDATE invitations SET sponsor_id = {id:99}"),
    (
        "invitations_email_key_key",
        Unique("invitations.organization_id, invitations.email_key"),
        "UPDATE invitations SET email_key = 'e@f' WHERE id = {id:41}",
    ),
    (
        "invitations_code_digest_key",
        Unique("invitations.code_digest"),
        "UPDATE invitations SET code_digest = {digest:1} WHERE id = {id:41}",
    ),
    ("invitations_one_role", Check, "UPDATE invitations SET built_in_role = 'admin' WHERE id = {id:40}"),
    ("invitations_one_role", Check, "UPDATE invitations SET built_in_role = NULL WHERE id = {id:41}"),
    ("invitations_expiry_ahead", Check, "UPDATE invitations SET expires_at = created_at"),
    ("invitations_role_fkey", Reference, "UPDATE invitations SET role_id = {id:6} WHERE id = {id:40}"),
    ("sessions_token_digest_length", Check, "UPDATE sessions SET token_digest = {b:31}"),
    (
        "sessions_user_agent_length",
        Check,
        "UPDATE sessions SET user_agent = '012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890'",
    ),
    (
        "sessions_token_digest_key",
        Unique("sessions.token_digest"),
        "INSERT INTO sessions (id, user_id, organization_id, token_digest, user_agent, created_at, expires_at) VALUES ({id:70}, {id:3}, {id:1}, {b:32}, NULL, {t:1}, {t:2})",
    ),
    ("sessions_expiry_ahead", Check, "UPDATE sessions SET expires_at = created_at"),
    ("sessions_membership_fkey", Reference, "UPDATE sessions SET organization_id = {id:2}"),
    ("projects_organization_fkey", Reference, "UPDATE projects SET organization_id = {id:99} WHERE id = {id:31}"),
    ("projects_name_length", Check, "UPDATE projects SET name = ''"),
    ("projects_slug_length", Check, "UPDATE projects SET slug = '' WHERE id = {id:8}"),
    ("projects_slug_key", Unique("projects.organization_id, projects.slug"), "UPDATE projects SET slug = 'p'"),
    (
        "access_scopes_project_fkey",
        Reference,
        "INSERT INTO access_scopes VALUES ({id:70}, {id:99}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1})",
    ),
    ("access_scopes_slug_length", Check, "UPDATE access_scopes SET slug = '' WHERE id = {id:10}"),
    ("access_scopes_name_length", Check, "UPDATE access_scopes SET name = ''"),
    ("access_scopes_description_length", Check, "UPDATE access_scopes SET description = ''"),
    ("access_scopes_metadata_length", Check, "UPDATE access_scopes SET metadata = ''"),
    (
        "access_scopes_slug_key",
        Unique("access_scopes.project_id, access_scopes.slug"),
        "UPDATE access_scopes SET slug = 's'",
    ),
    ("actors_project_fkey", Reference, "UPDATE actors SET project_id = {id:99} WHERE id = {id:13}"),
    ("actors_name_length", Check, "UPDATE actors SET name = ''"),
    ("actors_actor_type_known", Check, "UPDATE actors SET actor_type = 'robot'"),
    ("actors_description_length", Check, "UPDATE actors SET description = ''"),
    ("actors_external_id_length", Check, "UPDATE actors SET external_id = ''"),
    ("actors_metadata_length", Check, "UPDATE actors SET metadata = '{'"),
    ("actors_access_scope_fkey", Reference, "UPDATE actors SET access_scope_id = {id:11} WHERE id = {id:12}"),
    ("tokens_organization_fkey", Reference, "UPDATE tokens SET organization_id = {id:99} WHERE id = {id:17}"),
    ("tokens_kind_known", Check, "UPDATE tokens SET kind = 'other', owner_user_id = NULL WHERE id = {id:17}"),
    ("tokens_owner_matches_kind", Check, "UPDATE tokens SET owner_user_id = {id:3} WHERE id = {id:17}"),
    ("tokens_owner_matches_kind", Check, "UPDATE tokens SET owner_user_id = NULL WHERE id = {id:15}"),
    (
        "tokens_owner_matches_kind",
        Check,
        "UPDATE tokens SET actor_id = {id:12}, project_id = {id:8} WHERE id = {id:15}",
    ),
    ("tokens_owner_matches_kind", Check, "UPDATE tokens SET actor_id = NULL WHERE id = {id:16}"),
    ("tokens_owner_matches_kind", Check, "UPDATE tokens SET project_id = NULL WHERE id = {id:16}"),
    ("tokens_owner_user_fkey", Reference, "UPDATE tokens SET owner_user_id = {id:99} WHERE id = {id:15}"),
    ("tokens_actor_fkey", Reference, "UPDATE tokens SET actor_id = {id:13} WHERE id = {id:16}"),
    ("tokens_project_fkey", Reference, "UPDATE tokens SET project_id = {id:9} WHERE id = {id:17}"),
    ("tokens_name_length", Check, "UPDATE tokens SET name = ''"),
    (
        "tokens_agent_type_length",
        Check,
        "UPDATE tokens SET agent_type = '01234567890123456789012345678901234567890123456789012345678901234'",
    ),
    ("tokens_scopes_length", Check, "UPDATE tokens SET scopes = ''"),
    ("tokens_hint_length", Check, "UPDATE tokens SET hint = '3f7'"),
    ("tokens_secret_hash_length", Check, "UPDATE tokens SET secret_hash = ''"),
    ("tokens_verify_tag_length", Check, "UPDATE tokens SET verify_tag = {b:0}"),
    ("tokens_lifetime_positive", Check, "UPDATE tokens SET lifetime = 0, expires_at = {t:9}"),
    ("tokens_lifetime_has_expiry", Check, "UPDATE tokens SET lifetime = 5"),
    ("tokens_expiry_ahead", Check, "UPDATE tokens SET expires_at = created_at"),
    ("tokens_created_by_length", Check, "UPDATE tokens SET created_by = ''"),
    ("tokens_superseded_whole", Check, "UPDATE tokens SET superseded_at = NULL WHERE id = {id:14}"),
    ("tokens_superseded_whole", Check, "UPDATE tokens SET rotated_to = NULL WHERE id = {id:14}"),
    ("tokens_superseded_whole", Check, "UPDATE tokens SET grace_ends_at = NULL WHERE id = {id:14}"),
    ("tokens_superseded_whole", Check, "UPDATE tokens SET grace_mode = NULL WHERE id = {id:14}"),
    ("tokens_grace_mode_known", Check, "UPDATE tokens SET grace_mode = 'slow' WHERE id = {id:14}"),
    ("tokens_grace_after_rotation", Check, "UPDATE tokens SET grace_ends_at = {t:1} WHERE id = {id:14}"),
    ("tokens_rotated_to_fkey", Reference, "UPDATE tokens SET rotated_to = {id:99} WHERE id = {id:14}"),
    (
        "tokens_rotated_to_key",
        Unique("tokens.rotated_to"),
        "UPDATE tokens SET superseded_at = {t:2}, rotated_to = {id:15}, grace_ends_at = {t:3}, grace_mode = 'fixed' WHERE id = {id:17}",
    ),
    ("tokens_not_own_successor", Check, "UPDATE tokens SET rotated_to = id WHERE id = {id:14}"),
    ("tokens_not_own_successor", Check, "UPDATE tokens SET rotated_from = id WHERE id = {id:14}"),
    ("tokens_rotated_from_fkey", Reference, "UPDATE tokens SET rotated_from = {id:99} WHERE id = {id:17}"),
    ("tokens_revoked_whole", Check, "UPDATE tokens SET revoked_at = NULL WHERE id = {id:16}"),
    ("tokens_revoked_whole", Check, "UPDATE tokens SET revoked_reason = NULL WHERE id = {id:16}"),
    ("tokens_revoked_whole", Check, "UPDATE tokens SET revoked_by = NULL WHERE id = {id:16}"),
    ("tokens_revoked_reason_known", Check, "UPDATE tokens SET revoked_reason = 'mood' WHERE id = {id:16}"),
    ("tokens_revoked_by_length", Check, "UPDATE tokens SET revoked_by = '' WHERE id = {id:16}"),
    ("idempotency_keys_organization_fkey", Reference, "UPDATE idempotency_keys SET organization_id = {id:99}"),
    ("idempotency_keys_principal_length", Check, "UPDATE idempotency_keys SET principal = ''"),
    ("idempotency_keys_operation_length", Check, "UPDATE idempotency_keys SET operation = ''"),
    ("idempotency_keys_key_length", Check, "UPDATE idempotency_keys SET key = ''"),
    ("idempotency_keys_request_digest_length", Check, "UPDATE idempotency_keys SET request_digest = {b:33}"),
    ("idempotency_keys_token_fkey", Reference, "UPDATE idempotency_keys SET token_id = {id:99}"),
    ("second_factors_user_fkey", Reference, "INSERT INTO second_factors VALUES ({id:99}, {b:8}, {t:1}, NULL, 0)"),
    ("second_factors_sealed_secret_length", Check, "UPDATE second_factors SET sealed_secret = {b:256}"),
    ("second_factors_last_step_range", Check, "UPDATE second_factors SET last_step = -1"),
    ("known_devices_user_fkey", Reference, "UPDATE known_devices SET user_id = {id:99}"),
    ("known_devices_digest_length", Check, "UPDATE known_devices SET digest = {b:31}"),
    ("outbox_recipient_length", Check, "UPDATE outbox SET recipient = 'a@'"),
    ("outbox_letter_length", Check, "UPDATE outbox SET letter = ''"),
    ("mailed_invitations_invitation_fkey", Reference, "UPDATE mailed_invitations SET invitation_id = {id:99}"),
    ("address_codes_user_fkey", Reference, "UPDATE address_codes SET user_id = {id:99}"),
    ("address_codes_email_key_length", Check, "UPDATE address_codes SET email_key = 'a'"),
    ("address_codes_digest_length", Check, "UPDATE address_codes SET digest = {b:31}"),
    ("identities_organization_fkey", Reference, "UPDATE identities SET organization_id = {id:99}"),
    ("identities_issuer_length", Check, "UPDATE identities SET issuer = ''"),
    ("identities_subject_length", Check, "UPDATE identities SET subject = ''"),
    ("identities_user_fkey", Reference, "UPDATE identities SET user_id = {id:99}"),
    (
        "identities_user_key",
        Unique("identities.user_id, identities.organization_id, identities.issuer"),
        "INSERT INTO identities VALUES ({id:1}, 'i', 't', {id:3}, {t:1})",
    ),
    ("sessions_provider_length", Check, "UPDATE sessions SET provider = ''"),
    ("password_resets_user_fkey", Reference, "UPDATE password_resets SET user_id = {id:99}"),
    ("password_resets_email_key_length", Check, "UPDATE password_resets SET email_key = 'a'"),
    ("password_resets_password_digest_length", Check, "UPDATE password_resets SET password_digest = {b:31}"),
    ("password_resets_digest_length", Check, "UPDATE password_resets SET digest = {b:31}"),
    ("imported_tokens_identity_length", Check, "UPDATE imported_tokens SET identity = {b:31}"),
    ("imported_tokens_organization_fkey", Reference, "UPDATE imported_tokens SET organization_id = {id:99}"),
    ("imported_tokens_token_fkey", Reference, "UPDATE imported_tokens SET token_id = {id:99}"),
    ("imported_tokens_pkey", Unique("imported_tokens.identity"), "UPDATE imported_tokens SET identity = {digest:1}"),
    ("mailed_invitations_digest_length", Check, "UPDATE mailed_invitations SET digest = {b:31}"),
    ("recovery_codes_factor_fkey", Reference, "INSERT INTO recovery_codes VALUES ({id:4}, {b:32})"),
    ("recovery_codes_digest_length", Check, "UPDATE recovery_codes SET digest = {b:31}"),
    ("audit_heads_seq_range", Check, "UPDATE audit_heads SET seq = -1"),
    ("audit_heads_hash_length", Check, "UPDATE audit_heads SET hash = {b:31}"),
    (
        "audit_events_trail_fkey",
        Reference,
        "INSERT INTO audit_events VALUES ({id:99}, 1, {t:1}, 'x', 'system', '', '', '', '', {b:32}, {b:32})",
    ),
    (
        "audit_events_seq_range",
        Check,
        "INSERT INTO audit_events VALUES ({id:0}, 0, {t:1}, 'x', 'system', '', '', '', '', {b:32}, {b:32})",
    ),
    (
        "audit_events_action_length",
        Check,
        "INSERT INTO audit_events VALUES ({id:0}, 2, {t:1}, '', 'system', '', '', '', '', {b:32}, {b:32})",
    ),
    (
        "audit_events_actor_length",
        Check,
        "INSERT INTO audit_events VALUES ({id:0}, 2, {t:1}, 'x', '', '', '', '', '', {b:32}, {b:32})",
    ),
    (
        "audit_events_target_kind_length",
        Check,
        "INSERT INTO audit_events SELECT trail, 2, at, 'x', 'system', {long}, '', '', '', hash, hash FROM audit_events",
    ),
    (
        "audit_events_target_id_length",
        Check,
        "INSERT INTO audit_events SELECT trail, 2, at, 'x', 'system', '', {long}, '', '', hash, hash FROM audit_events",
    ),
    (
        "audit_events_request_id_length",
        Check,
        "INSERT INTO audit_events SELECT trail, 2, at, 'x', 'system', '', '', {long}, '', hash, hash FROM audit_events",
    ),
    (
        "audit_events_prev_hash_length",
        Check,
        "INSERT INTO audit_events VALUES ({id:0}, 2, {t:1}, 'x', 'system', '', '', '', '', {b:31}, {b:32})",
    ),
    (
        "audit_events_hash_length",
        Check,
        "INSERT INTO audit_events VALUES ({id:0}, 2, {t:1}, 'x', 'system', '', '', '', '', {b:32}, {b:31})",
    ),
    ("nodes_address_length", Check, "UPDATE nodes SET address = ''"),
    ("nodes_consistency_known", Check, "UPDATE nodes SET consistency = 'mood'"),
    ("revocation_clock_shard_range", Check, "INSERT INTO revocation_clock (shard, n) VALUES (64, 0)"),
    ("revocation_clock_n_range", Check, "UPDATE revocation_clock SET n = -1"),
    ("revocation_log_shard_range", Check, "UPDATE revocation_log SET shard = 64"),
    ("revocation_log_seq_range", Check, "UPDATE revocation_log SET seq = 0"),
    ("revocation_log_touched_known", Check, "UPDATE revocation_log SET touched = 'mood'"),
    (
        "repositories_organization_fkey",
        Reference,
        "UPDATE repositories SET organization_id = {id:99} WHERE id = {id:21}",
    ),
    ("repositories_name_length", Check, "UPDATE repositories SET name = '' WHERE id = {id:20}"),
    ("repositories_execution_count_range", Check, "UPDATE repositories SET execution_count = -1"),
    (
        "repositories_last_coverage_range",
        Check,
        "UPDATE repositories SET last_coverage = 1000001, last_submitted_at = {t:1}",
    ),
    ("repositories_last_whole", Check, "UPDATE repositories SET last_coverage = 1"),
    (
        "repositories_name_key",
        Unique("repositories.organization_id, repositories.name"),
        "UPDATE repositories SET name = 'a' WHERE id = {id:21}",
    ),
    ("baselines_repository_fkey", Reference, "UPDATE baselines SET repository_id = {id:99}"),
    ("baselines_seq_range", Check, "UPDATE baselines SET seq = 0"),
    ("baselines_coverage_range", Check, "UPDATE baselines SET coverage = -1"),
    ("baselines_commit_hash_length", Check, "UPDATE baselines SET commit_hash = '012'"),
    ("baselines_set_by_length", Check, "UPDATE baselines SET set_by = ''"),
    ("executions_branch_length", Check, "UPDATE executions SET branch = ''"),
    ("executions_commit_hash_length", Check, "UPDATE executions SET commit_hash = '012'"),
    ("executions_coverage_range", Check, "UPDATE executions SET coverage = 1000001"),
    ("executions_baseline_range", Check, "UPDATE executions SET baseline = -1"),
    ("executions_warn_threshold_range", Check, "UPDATE executions SET warn_threshold = -1"),
    ("executions_fail_threshold_range", Check, "UPDATE executions SET fail_threshold = 1000001"),
    ("executions_thresholds_ordered", Check, "UPDATE executions SET warn_threshold = 1"),
    ("executions_outcome_known", Check, "UPDATE executions SET outcome = 'mood'"),
    ("executions_submitted_by_length", Check, "UPDATE executions SET submitted_by = ''"),
    ("executions_repository_fkey", Reference, "UPDATE executions SET repository_id = {id:22}"),
    ("execution_keys_organization_fkey", Reference, "UPDATE execution_keys SET organization_id = {id:99}"),
    ("execution_keys_principal_length", Check, "UPDATE execution_keys SET principal = ''"),
    ("execution_keys_key_length", Check, "UPDATE execution_keys SET key = ''"),
    ("execution_keys_request_digest_length", Check, "UPDATE execution_keys SET request_digest = {b:31}"),
    ("execution_keys_execution_fkey", Reference, "UPDATE execution_keys SET execution_id = {id:99}"),
    (
        "organization_totals_organization_fkey",
        Reference,
        "UPDATE organization_totals SET organization_id = {id:99} WHERE organization_id = {id:1}",
    ),
    ("organization_totals_projects_range", Check, "UPDATE organization_totals SET projects = -1"),
    (
        "project_totals_project_fkey",
        Reference,
        "UPDATE project_totals SET project_id = {id:99} WHERE project_id = {id:8}",
    ),
    ("project_totals_access_scopes_range", Check, "UPDATE project_totals SET access_scopes = -1"),
    ("project_totals_actors_range", Check, "UPDATE project_totals SET actors = -1"),
    ("project_totals_unscoped_actors_range", Check, "UPDATE project_totals SET unscoped_actors = actors + 1"),
    (
        "access_scope_totals_access_scope_fkey",
        Reference,
        "UPDATE access_scope_totals SET access_scope_id = {id:99} WHERE access_scope_id = {id:10}",
    ),
    ("access_scope_totals_actors_range", Check, "UPDATE access_scope_totals SET actors = -1"),
    ("token_usage_token_fkey", Reference, "UPDATE token_usage SET token_id = {id:99} WHERE token_id = {id:14}"),
    ("token_usage_hour_range", Check, "UPDATE token_usage SET hour = -1"),
    ("token_usage_allowed_range", Check, "UPDATE token_usage SET allowed = -1"),
    ("token_usage_insufficient_range", Check, "UPDATE token_usage SET insufficient = -1"),
    ("token_usage_denied_range", Check, "UPDATE token_usage SET denied = -1"),
    (
        "organization_usage_organization_fkey",
        Reference,
        "UPDATE organization_usage SET organization_id = {id:99} WHERE organization_id = {id:1}",
    ),
    ("token_origins_token_fkey", Reference, "UPDATE token_origins SET token_id = {id:99} WHERE token_id = {id:14}"),
    ("token_origins_address_length", Check, "UPDATE token_origins SET address = 'x'"),
    ("token_origins_agent_length", Check, "UPDATE token_origins SET agent = ''"),
    (
        "token_scope_uses_token_fkey",
        Reference,
        "UPDATE token_scope_uses SET token_id = {id:99} WHERE token_id = {id:14}",
    ),
    ("token_scope_uses_scope_length", Check, "UPDATE token_scope_uses SET scope = ''"),
    ("session_uses_session_fkey", Reference, "UPDATE session_uses SET session_id = {id:99}"),
    ("session_uses_address_length", Check, "UPDATE session_uses SET address = ''"),
    ("organization_usage_hour_range", Check, "UPDATE organization_usage SET hour = -1"),
    ("organization_usage_allowed_range", Check, "UPDATE organization_usage SET allowed = -1"),
    ("organization_usage_insufficient_range", Check, "UPDATE organization_usage SET insufficient = -1"),
    ("organization_usage_denied_range", Check, "UPDATE organization_usage SET denied = -1"),
];

/// Keys that exist to be referred to: an id is unique by itself, so nothing can break them alone.
const NEVER_ALONE: [&str; 5] = [
    "roles_organization_id_key",
    "projects_organization_id_key",
    "access_scopes_project_id_key",
    "actors_project_id_key",
    "repositories_organization_id_key",
];

/// A statement of this table, for one of the databases.
pub(crate) fn statement(backend: Backend, template: &str) -> String {
    literals(
        backend,
        &template.replace("'{}'", "'[]'").replace("{long}", &format!("'{}'", "x".repeat(256))).replace("'{'", "'['"),
    )
}

#[test]
fn every_rule_refuses_what_breaks_it() {
    Db::each(async |db| {
        let mut sql = Sql::connect(db.url()).await;
        sql.run(&statement(db.backend(), ROWS)).await.unwrap();
        let mut tried = BTreeSet::new();
        for (rule, kind, breach) in BREACHES {
            sql.run("BEGIN").await.unwrap();
            let refusal = sql.run(&statement(db.backend(), breach)).await.expect_err(rule);
            sql.run("ROLLBACK").await.unwrap();
            let expected = match (db.backend(), kind) {
                (Backend::PostgreSql, _) => (*rule).to_owned(),
                (Backend::Sqlite, Check) => format!("CHECK constraint failed: {rule}"),
                (Backend::Sqlite, Unique(columns)) => format!("UNIQUE constraint failed: {columns}"),
                (Backend::Sqlite, Reference) => "FOREIGN KEY constraint failed".to_owned(),
            };
            assert_eq!(refusal, expected, "{breach}");
            tried.insert((*rule).to_owned());
        }
        tried.extend(NEVER_ALONE.map(str::to_owned));
        let untried: Vec<_> = rules(db).await.difference(&tried).cloned().collect();
        assert!(untried.is_empty(), "rules without a test: {untried:?}");
    });
}

#[test]
fn sqlite_keeps_to_the_types_that_postgresql_has_by_itself() {
    Db::on(Backend::Sqlite, storage::StoreOptions::default(), async |db| {
        let mut sql = Sql::connect(db.url()).await;
        sql.run(&statement(Backend::Sqlite, ROWS)).await.unwrap();
        for (table, column) in UID_COLUMNS {
            let refusal = sql.run(&format!("UPDATE {table} SET {column} = zeroblob(15)")).await.unwrap_err();
            assert_eq!(refusal, format!("CHECK constraint failed: {table}_{column}_length"));
        }
        for (table, column) in [
            ("access_scopes", "is_active"),
            ("executions", "is_strict"),
            ("organizations", "requires_second_factor"),
            ("organizations", "trust_only"),
            ("trust_policies", "is_enabled"),
            ("webhooks", "is_enabled"),
            ("audit_heads", "has_webhooks"),
        ] {
            let refusal = sql.run(&format!("UPDATE {table} SET {column} = 2")).await.unwrap_err();
            assert_eq!(refusal, format!("CHECK constraint failed: {table}_{column}_bool"));
        }
        let refusal = sql.run("UPDATE organizations SET created_at = 'yesterday'").await.unwrap_err();
        assert!(refusal.contains("cannot store TEXT value in INTEGER column"), "{refusal}");
    });
}

/// The columns of an audit event.
const EVENT_COLUMNS: &str =
    "(trail, seq, at, action, actor, target_kind, target_id, request_id, detail, prev_hash, hash)";

#[test]
fn audit_events_can_only_be_added() {
    Db::each(async |db| {
        let mut sql = Sql::connect(db.url()).await;
        sql.run(&statement(db.backend(), ROWS)).await.unwrap();
        let mut attempts = vec!["UPDATE audit_events SET action = 'y'", "DELETE FROM audit_events"];
        let values =
            statement(db.backend(), "VALUES ({id:0}, 1, {t:1}, 'z', 'system', '', '', '', '{}', {b:32}, {b:32})");
        let replacing = match db.backend() {
            Backend::PostgreSql => vec![
                format!("INSERT INTO audit_events {EVENT_COLUMNS} {values} ON CONFLICT (trail, seq) DO UPDATE SET action = 'z'"),
            ],
            Backend::Sqlite => vec![
                format!("INSERT OR REPLACE INTO audit_events {EVENT_COLUMNS} {values}"),
                format!("REPLACE INTO audit_events {EVENT_COLUMNS} {values}"),
                format!("INSERT INTO audit_events {EVENT_COLUMNS} {values} ON CONFLICT (trail, seq) DO UPDATE SET action = 'z'"),
                format!("INSERT OR IGNORE INTO audit_events {EVENT_COLUMNS} {values}"),
                "INSERT OR REPLACE INTO audit_events (rowid, trail, seq, at, action, actor, target_kind, target_id, request_id, detail, prev_hash, hash) \
                 SELECT rowid, trail, 2, at, 'z', actor, target_kind, target_id, request_id, detail, prev_hash, hash FROM audit_events"
                    .to_owned(),
            ],
        };
        attempts.extend(replacing.iter().map(String::as_str));
        if db.backend() == Backend::PostgreSql {
            attempts.push("TRUNCATE audit_events");
        }
        for attempt in attempts {
            assert_eq!(sql.run(attempt).await, Err("audit events are append-only".to_owned()), "{attempt}");
        }
        assert_eq!(sql.lines("SELECT action AS line FROM audit_events").await, ["x"]);
    });
}

#[test]
fn a_session_goes_with_its_membership() {
    Db::each(async |db| {
        let mut sql = Sql::connect(db.url()).await;
        sql.run(&statement(db.backend(), ROWS)).await.unwrap();
        sql.run(&statement(db.backend(), "DELETE FROM memberships WHERE user_id = {id:3}")).await.unwrap();
        assert!(sql.lines("SELECT user_agent AS line FROM sessions").await.is_empty());
    });
}
