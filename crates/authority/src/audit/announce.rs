//! Tells webhooks of events: beside the event, in its transaction.
//!
//! The end of a trail says whether its organisation has an enabled webhook, and every change reads it anyway. So an organisation
//! without one pays nothing, and one that is made is told of every event that follows it in the trail.
//!
//! **Invariant:** a message holds ids, names and the fields of the audit event, and never a secret.

use serde_json::{Map, Value, json};
use storage::model::NewDelivery;
use storage::{StoreError, Tx};
use token_domain::Timestamp;
use token_domain::id::{DeliveryId, OrganizationId, ProjectId, TokenId, UserId};
use token_domain::record::AuditRecord;

/// The most webhooks of an organisation.
pub const MOST_WEBHOOKS: u32 = 10;
/// The longest body.
const LONGEST: usize = 64 * 1024;

/// The types of events that webhooks can be told of, and what happened.
pub const EVENTS: &[(&str, &str)] = &[
    ("access_scope.create", "An access scope was created."),
    ("access_scope.delete", "An access scope was deleted."),
    ("access_scope.update", "An access scope was changed."),
    ("actor.create", "An actor was created."),
    ("actor.delete", "An actor was deleted."),
    ("actor.update", "An actor was changed."),
    ("invitation.create", "A person was invited."),
    ("member.add", "A person became a member."),
    ("member.disable", "A member was disabled."),
    ("member.enable", "A member was enabled."),
    ("member.leave", "A member left."),
    ("member.remove", "A member was removed."),
    ("member.role", "A member has another role."),
    ("organization.update", "The organisation was changed."),
    ("project.create", "A project was created."),
    ("project.delete", "A project was deleted."),
    ("project.update", "A project was changed."),
    ("role.create", "A role was created."),
    ("role.delete", "A role was deleted."),
    ("role.update", "A role was changed."),
    ("token.bulk_revoke", "Several tokens were revoked at once."),
    ("token.create", "A token was created."),
    ("token.expiring", "A token ends within 30, 7 or 1 days."),
    ("token.leaked", "A token was reported as leaked."),
    ("token.new_address", "A token was used from an address that it had not been used from before."),
    ("token.reuse_detected", "A token was presented after it was rotated and its grace had ended."),
    ("token.revoke", "A token was revoked."),
    ("token.rotate", "A token was rotated."),
    ("token.rotate.cancel", "The rotation of a token was cancelled."),
    ("token.update", "A token was changed."),
    ("token_policy.set", "The token policy was changed."),
    ("trust_policy.create", "A trust policy was created."),
    ("trust_policy.delete", "A trust policy was deleted."),
    ("trust_policy.update", "A trust policy was changed."),
    ("webhook.create", "A webhook was created."),
    ("webhook.delete", "A webhook was deleted."),
    ("webhook.update", "A webhook was changed."),
];

/// The id of the message about an event: its moment, and bits of its hash. Another draw of randomness would tell it apart no
/// better, and every caller would have to pass the generator.
fn id_of(record: &AuditRecord) -> DeliveryId {
    let mut bits = [0; 10];
    bits.copy_from_slice(&record.hash[..10]);
    DeliveryId::new(record.at, bits)
}

/// Queues an event for the webhooks that want it.
pub(super) async fn announce(
    tx: &mut Tx,
    organization: OrganizationId,
    record: &AuditRecord,
) -> Result<(), StoreError> {
    if !EVENTS.iter().any(|(event, _)| *event == record.action) {
        return Ok(());
    }
    let webhooks = tx.list_webhooks(organization, MOST_WEBHOOKS).await?;
    let wanting = webhooks
        .into_iter()
        .filter(|webhook| webhook.is_enabled && webhook.events.contains(&record.action))
        .map(|webhook| webhook.id);
    let wanting: Vec<_> = wanting.collect();
    if wanting.is_empty() {
        return Ok(());
    }
    let name = name_of(tx, organization, record).await?;
    let body = body_of(organization, record, name.as_deref());
    let delivery = |webhook_id| NewDelivery {
        webhook_id,
        id: id_of(record),
        event: record.action.clone(),
        body: body.clone(),
        created_at: record.at,
    };
    let deliveries: Vec<NewDelivery> = wanting.into_iter().map(delivery).collect();
    tx.queue_deliveries(&deliveries).await
}

/// What the target of an event is called, where the event is about something that has a name of its own and does not say it.
async fn name_of(
    tx: &mut Tx,
    organization: OrganizationId,
    record: &AuditRecord,
) -> Result<Option<String>, StoreError> {
    let id = &record.target_id;
    Ok(match record.target_kind.as_str() {
        "token" => match TokenId::parse(id) {
            Ok(id) => tx.token(organization, id).await?.map(|token| token.name.to_string()),
            Err(_) => None,
        },
        "project" => match ProjectId::parse(id) {
            Ok(id) => tx.project(organization, id).await?.map(|project| project.name.to_string()),
            Err(_) => None,
        },
        "user" => match UserId::parse(id) {
            Ok(id) => tx.user(id).await?.map(|user| user.name.to_string()),
            Err(_) => None,
        },
        _ => None,
    })
}

/// The JSON that is sent about an event. Details that would make it too long are left out, and it says so.
fn body_of(organization: OrganizationId, record: &AuditRecord, name: Option<&str>) -> String {
    let detail: Value = serde_json::from_str(&record.detail).unwrap_or_default();
    let data = json!({
        "org_id": organization.to_string(),
        "seq": record.seq,
        "actor": record.actor,
        "target_kind": record.target_kind,
        "target_id": record.target_id,
        "target_name": name,
        "request_id": record.request_id,
        "detail": detail,
    });
    let Value::Object(mut data) = data else { return String::new() };
    let body = message(&record.action, record.at, &data);
    if body.len() <= LONGEST {
        return body;
    }
    data.insert("detail".to_owned(), json!({}));
    data.insert("is_shortened".to_owned(), json!(true));
    message(&record.action, record.at, &data)
}

/// A message in the form of Standard Webhooks: `type`, `timestamp`, `data`.
pub(crate) fn message(event: &str, at: Timestamp, data: &Map<String, Value>) -> String {
    json!({"type": event, "timestamp": at.rfc3339_millis(), "data": data}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(detail: &str) -> AuditRecord {
        AuditRecord {
            seq: 7,
            organization_id: None,
            at: Timestamp::from_micros(1_700_000_000_000_000),
            action: "token.revoke".to_owned(),
            actor: "system".to_owned(),
            target_kind: "token".to_owned(),
            target_id: "t".to_owned(),
            request_id: "r".to_owned(),
            detail: detail.to_owned(),
            prev_hash: [0; 32],
            hash: [9; 32],
        }
    }

    #[test]
    fn a_message_has_the_fields_of_its_event_and_leaves_out_details_that_are_too_long() {
        let organization = OrganizationId::new(Timestamp::EPOCH, [1; 10]);
        let read = |detail: &str| -> Value {
            let body = body_of(organization, &record(detail), Some("CI"));
            assert!(body.len() <= LONGEST, "{}", body.len());
            serde_json::from_str(&body).unwrap()
        };
        let short = read(r#"{"reason":"unused"}"#);
        assert_eq!((&short["type"], &short["timestamp"]), (&json!("token.revoke"), &json!("2023-11-14T22:13:20.000Z")));
        assert_eq!(
            (&short["data"]["target_name"], &short["data"]["detail"]["reason"]),
            (&json!("CI"), &json!("unused"))
        );
        let long = read(&json!({"ids": vec!["x".repeat(36); 2_000]}).to_string());
        assert_eq!((&long["data"]["detail"], &long["data"]["is_shortened"]), (&json!({}), &json!(true)));
    }

    #[test]
    fn two_events_of_one_moment_have_different_ids() {
        let other = AuditRecord { hash: [8; 32], ..record("{}") };
        assert_ne!(id_of(&record("{}")), id_of(&other));
        assert_eq!(id_of(&record("{}")), id_of(&record("{}")), "told once more");
    }

    #[test]
    fn the_types_of_events_are_in_order_and_fit_their_column() {
        assert!(EVENTS.is_sorted_by(|one, other| one.0 < other.0));
        let all: usize = EVENTS.iter().map(|(event, _)| event.len() + 1).sum();
        assert!(all < 4_096, "{all}");
    }
}
