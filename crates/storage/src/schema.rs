//! The tables as diesel knows them. One description for both databases: only [`Uid`] and [`Moment`] differ below.
//! A test compares it, column by column, with what the migrations make.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::*;

    deployment (key) {
        key -> Text,
        value -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    organizations (id) {
        id -> Uid,
        slug -> Text,
        name -> Text,
        disabled_at -> Nullable<Moment>,
        token_cap -> Nullable<BigInt>,
        created_at -> Moment,
        updated_at -> Moment,
        requires_second_factor -> Bool,
        leak_action -> Text,
        trust_only -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    users (id) {
        id -> Uid,
        email -> Text,
        email_key -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        disabled_at -> Nullable<Moment>,
        created_at -> Moment,
        updated_at -> Moment,
        email_verified_at -> Nullable<Moment>,
        email_verified_by -> Nullable<Uid>,
        pending_email -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    roles (id) {
        id -> Uid,
        organization_id -> Uid,
        name -> Text,
        name_key -> Text,
        scopes -> Text,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    memberships (organization_id, user_id) {
        organization_id -> Uid,
        user_id -> Uid,
        built_in_role -> Nullable<Text>,
        role_id -> Nullable<Uid>,
        created_at -> Moment,
        disabled_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    invitations (id) {
        id -> Uid,
        organization_id -> Uid,
        email -> Text,
        email_key -> Text,
        built_in_role -> Nullable<Text>,
        role_id -> Nullable<Uid>,
        code_digest -> Binary,
        created_by -> Text,
        sponsor_id -> Nullable<Uid>,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    sessions (id) {
        id -> Uid,
        user_id -> Uid,
        organization_id -> Uid,
        token_digest -> Binary,
        user_agent -> Nullable<Text>,
        created_at -> Moment,
        expires_at -> Moment,
        proven_at -> Nullable<Moment>,
        provider -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    known_devices (digest) {
        digest -> Binary,
        user_id -> Uid,
        seen_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    second_factors (user_id) {
        user_id -> Uid,
        sealed_secret -> Binary,
        created_at -> Moment,
        confirmed_at -> Nullable<Moment>,
        last_step -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    recovery_codes (user_id, digest) {
        user_id -> Uid,
        digest -> Binary,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    projects (id) {
        id -> Uid,
        organization_id -> Uid,
        name -> Text,
        slug -> Text,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    access_scopes (id) {
        id -> Uid,
        project_id -> Uid,
        slug -> Text,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        metadata -> Nullable<Text>,
        is_active -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    actors (id) {
        id -> Uid,
        project_id -> Uid,
        access_scope_id -> Nullable<Uid>,
        name -> Text,
        actor_type -> Text,
        description -> Nullable<Text>,
        external_id -> Nullable<Text>,
        metadata -> Nullable<Text>,
        disabled_at -> Nullable<Moment>,
        expires_at -> Nullable<Moment>,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    organization_totals (organization_id) {
        organization_id -> Uid,
        projects -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    project_totals (project_id) {
        project_id -> Uid,
        access_scopes -> BigInt,
        actors -> BigInt,
        unscoped_actors -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    access_scope_totals (project_id, access_scope_id) {
        project_id -> Uid,
        access_scope_id -> Uid,
        actors -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    tokens (id) {
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        owner_user_id -> Nullable<Uid>,
        actor_id -> Nullable<Uid>,
        name -> Text,
        agent_type -> Text,
        scopes -> Text,
        project_id -> Nullable<Uid>,
        hint -> Text,
        secret_hash -> Text,
        lookup_hint -> BigInt,
        verify_tag -> Nullable<Binary>,
        created_at -> Moment,
        expires_at -> Nullable<Moment>,
        lifetime -> Nullable<BigInt>,
        created_by -> Text,
        superseded_at -> Nullable<Moment>,
        rotated_to -> Nullable<Uid>,
        grace_ends_at -> Nullable<Moment>,
        grace_mode -> Nullable<Text>,
        revoked_at -> Nullable<Moment>,
        revoked_reason -> Nullable<Text>,
        revoked_by -> Nullable<Text>,
        rotated_from -> Nullable<Uid>,
        first_used_at -> Nullable<Moment>,
        last_used_at -> Nullable<Moment>,
        reuse_detected_at -> Nullable<Moment>,
        description -> Nullable<Text>,
        external_id -> Nullable<Text>,
        metadata -> Nullable<Text>,
        allowed_networks -> Nullable<Text>,
        revoked_cause -> Nullable<Text>,
        revoked_note -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_policies (organization_id, kind) {
        organization_id -> Uid,
        kind -> Text,
        is_permitted -> Bool,
        default_lifetime -> Nullable<BigInt>,
        longest_lifetime -> Nullable<BigInt>,
        idle_after -> Nullable<BigInt>,
        scopes -> Nullable<Text>,
        updated_at -> Moment,
        updated_by -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    idempotency_keys (organization_id, principal, operation, key) {
        organization_id -> Uid,
        principal -> Text,
        operation -> Text,
        key -> Text,
        request_digest -> Binary,
        token_id -> Uid,
        created_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_heads (trail) {
        trail -> Uid,
        seq -> BigInt,
        hash -> Binary,
        at -> Moment,
        has_webhooks -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_events (trail, seq) {
        trail -> Uid,
        seq -> BigInt,
        at -> Moment,
        action -> Text,
        actor -> Text,
        target_kind -> Text,
        target_id -> Text,
        request_id -> Text,
        detail -> Text,
        prev_hash -> Binary,
        hash -> Binary,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    nodes (id) {
        id -> Uid,
        protocol -> SmallInt,
        version -> Text,
        migration -> Text,
        tag_key -> Text,
        consistency -> Text,
        beat -> BigInt,
        applied -> Text,
        started_at -> Moment,
        seen_at -> Moment,
        address -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;

    revocation_clock (shard) {
        shard -> SmallInt,
        n -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    revocation_log (shard, seq) {
        shard -> SmallInt,
        seq -> BigInt,
        touched -> Text,
        touched_id -> Uid,
        at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    repositories (id) {
        id -> Uid,
        organization_id -> Uid,
        name -> Text,
        execution_count -> BigInt,
        last_coverage -> Nullable<Integer>,
        last_submitted_at -> Nullable<Moment>,
        created_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    baselines (repository_id, seq) {
        repository_id -> Uid,
        seq -> BigInt,
        coverage -> Integer,
        commit_hash -> Nullable<Text>,
        measured_at -> Moment,
        set_at -> Moment,
        set_by -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    executions (id) {
        id -> Uid,
        organization_id -> Uid,
        repository_id -> Uid,
        branch -> Text,
        commit_hash -> Text,
        coverage -> Integer,
        baseline -> Integer,
        warn_threshold -> Integer,
        fail_threshold -> Integer,
        is_strict -> Bool,
        outcome -> Text,
        measured_at -> Nullable<Moment>,
        submitted_by -> Text,
        created_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    execution_keys (organization_id, principal, key) {
        organization_id -> Uid,
        principal -> Text,
        key -> Text,
        request_digest -> Binary,
        execution_id -> Uid,
        created_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_usage (token_id, hour) {
        token_id -> Uid,
        hour -> Integer,
        allowed -> BigInt,
        insufficient -> BigInt,
        denied -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    organization_usage (organization_id, hour) {
        organization_id -> Uid,
        hour -> Integer,
        allowed -> BigInt,
        insufficient -> BigInt,
        denied -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    trust_policies (id) {
        id -> Uid,
        organization_id -> Uid,
        name -> Text,
        preset -> Text,
        issuer -> Text,
        audience -> Nullable<Text>,
        conditions -> Text,
        scopes -> Text,
        project_id -> Nullable<Uid>,
        actor_id -> Nullable<Uid>,
        ttl_seconds -> Integer,
        is_enabled -> Bool,
        created_at -> Moment,
        created_by -> Text,
        updated_at -> Moment,
        updated_by -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    trust_attempts (policy_id, id) {
        policy_id -> Uid,
        id -> Uid,
        at -> Moment,
        outcome -> Text,
        claim -> Nullable<Text>,
        subject -> Nullable<Text>,
        address -> Nullable<Text>,
        token_id -> Nullable<Uid>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    exchanged_identities (digest) {
        digest -> Binary,
        keep_until -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    session_uses (session_id) {
        session_id -> Uid,
        last_used_at -> Moment,
        address -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_origins (token_id, address) {
        token_id -> Uid,
        address -> Text,
        agent -> Nullable<Text>,
        first_used_at -> Moment,
        last_used_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_scope_uses (token_id, scope) {
        token_id -> Uid,
        scope -> Text,
        last_used_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    outbox (id) {
        id -> Uid,
        organization_id -> Nullable<Uid>,
        recipient -> Text,
        letter -> Text,
        attempts -> Integer,
        created_at -> Moment,
        due_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    mailed_invitations (invitation_id) {
        invitation_id -> Uid,
        digest -> Binary,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    address_codes (user_id) {
        user_id -> Uid,
        email_key -> Text,
        digest -> Binary,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    password_resets (user_id) {
        user_id -> Uid,
        email_key -> Text,
        password_digest -> Binary,
        digest -> Binary,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    imported_tokens (identity) {
        identity -> Binary,
        organization_id -> Uid,
        token_id -> Uid,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    identities (organization_id, issuer, subject) {
        organization_id -> Uid,
        issuer -> Text,
        subject -> Text,
        user_id -> Uid,
        created_at -> Moment,
    }
}

joinable!(tokens -> organizations (organization_id));
joinable!(memberships -> organizations (organization_id));
joinable!(memberships -> users (user_id));
joinable!(memberships -> roles (role_id));
joinable!(access_scopes -> projects (project_id));
joinable!(actors -> projects (project_id));
joinable!(repositories -> organizations (organization_id));
joinable!(executions -> repositories (repository_id));

allow_tables_to_appear_in_same_query!(
    access_scopes,
    actors,
    idempotency_keys,
    executions,
    invitations,
    mailed_invitations,
    memberships,
    organizations,
    projects,
    repositories,
    roles,
    second_factors,
    session_uses,
    sessions,
    token_policies,
    tokens,
    trust_attempts,
    trust_policies,
    users,
);

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    webhooks (id) {
        id -> Uid,
        organization_id -> Uid,
        url -> Text,
        description -> Nullable<Text>,
        events -> Text,
        is_enabled -> Bool,
        gone_at -> Nullable<Moment>,
        secret -> Binary,
        previous_secret -> Nullable<Binary>,
        previous_until -> Nullable<Moment>,
        failures -> Integer,
        due_at -> Nullable<Moment>,
        held_until -> Nullable<Moment>,
        created_at -> Moment,
        created_by -> Text,
        updated_at -> Moment,
        updated_by -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    webhook_deliveries (webhook_id, id) {
        webhook_id -> Uid,
        id -> Uid,
        event -> Text,
        body -> Text,
        attempts -> Integer,
        created_at -> Moment,
        due_at -> Nullable<Moment>,
        delivered_at -> Nullable<Moment>,
        failed_at -> Nullable<Moment>,
        attempted_at -> Nullable<Moment>,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
    }
}

allow_tables_to_appear_in_same_query!(webhooks, webhook_deliveries,);

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_notices (token_id) {
        token_id -> Uid,
        expiry_days -> Nullable<Integer>,
        address_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    address_notices (token_id) {
        token_id -> Uid,
        address -> Text,
        agent -> Nullable<Text>,
        seen_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    muted_notices (user_id, notice) {
        user_id -> Uid,
        notice -> Text,
    }
}

allow_tables_to_appear_in_same_query!(address_notices, tokens,);

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    token_leaks (token_id) {
        token_id -> Uid,
        action -> Text,
        source -> Text,
        reported_at -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    leak_alerts (host, place) {
        host -> Text,
        place -> Text,
        attempts -> Integer,
        created_at -> Moment,
        due_at -> Moment,
    }
}
