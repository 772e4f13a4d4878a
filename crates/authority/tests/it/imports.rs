//! Import of other systems' hashes: rows as people bring them, what becomes of each, and what a key costs afterwards.

use authority::Via;
use authority::hashing::HmacKey;
use authority::imports::{Batch, Fault, ImportError, Imports, MOST_ALIKE, Mode, Preset, RowResult};
use authority::legacy::{Legacy, LegacyShape, LegacyShapes};
use authority::validate::Outcome;
use serde_json::{Value, json};
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::id::ProjectId;
use token_domain::{Requirement, Timestamp};

/// Rows as people bring them, with what must become of each.
const SAMPLES: &str = include_str!("import-samples.jsonl");
const SHA256: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn legacy(shapes: &[&str]) -> Options {
    let mut options = Options::default();
    let shapes = shapes.iter().map(|text| LegacyShape::parse(text).expect("a format")).collect();
    options.policy.legacy = Legacy {
        lookup: true,
        shapes: LegacyShapes::new(shapes),
        hmac_key: Some(HmacKey::new(b"a key of another system")),
    };
    options
}

fn batch(rows: Vec<Value>) -> Batch {
    Batch { rows, preset: Preset::None, scopes: Some(vec!["execute".to_owned()]), mode: Mode::Carry }
}

async fn import(world: &World, batch: Batch) -> Vec<RowResult> {
    let imports = Imports::new(&world.context);
    // Hashes that are slow to check are the operator's to import.
    let slow = ["$2", "pbkdf2", "argon2", "bcrypt"];
    let is_slow = batch.rows.iter().any(|row| slow.iter().any(|scheme| row.to_string().contains(scheme)));
    let results = if is_slow {
        imports.import_into(world.owner.organization_id, batch, &origin()).await
    } else {
        imports.import(&world.owner, batch, &origin()).await
    };
    results.expect("an import")
}

async fn import_one(world: &World, row: Value) -> RowResult {
    import(world, batch(vec![row])).await.remove(0)
}

#[track_caller]
fn fault(result: &RowResult) -> &Fault {
    match result {
        RowResult::Refused(fault) => fault,
        other => panic!("not refused: {other:?}"),
    }
}

/// The sample whose description has these words: its row and the key that belongs to it.
fn sample(words: &str) -> (Value, String) {
    let mut found = SAMPLES.lines().map(|line| serde_json::from_str::<Value>(line).expect("a sample"));
    let found = found.find(|sample| sample["case"].as_str().is_some_and(|case| case.contains(words)));
    let found = found.unwrap_or_else(|| panic!("no sample {words}"));
    (found["row"].clone(), found["plaintext_for_the_check"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn keys_of_the_samples_validate_and_their_hashes_become_ours_at_the_first_use() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let good = ["PHP prefix", "cost 12", "upper-case hex", "base64 with padding", "argon2id with other"];
        let mut keys = Vec::new();
        for words in good {
            let (row, key) = sample(words);
            assert!(matches!(import_one(&world, row).await, RowResult::Created(_)), "{words}");
            assert!(world.is_live(&key).await, "{words}");
            assert!(!world.is_live(&format!("{}x", &key[..43])).await, "{words}: another key");
            keys.push((words, key));
        }
        world.context.drain().await;
        // After a restart every tag proves its token: no slow hash of the other system is left.
        let world = World::with(db, legacy(&[])).await;
        for (words, key) in &keys {
            assert!(world.is_live(key).await, "{words}");
        }
        assert_eq!(world.context.lane().runs(), 0);
        // Expiries: with an offset, and in milliseconds since 1970.
        let ends = [("cost 12", "2030-12-31T22:00:00Z"), ("base64 with padding", "2027-01-01T00:00:00Z")];
        for (words, end) in ends {
            let (_, key) = sample(words);
            let token = world.tokens.lookup(&world.owner, &key).await.expect("the token");
            assert_eq!(token.facts.expires_at.map(Timestamp::rfc3339_seconds).as_deref(), Some(end), "{words}");
            assert_eq!(token.hint.as_str(), &key[4..8], "{words}: what is shown is known by now");
        }
    });
}

#[test]
fn samples_that_cannot_be_imported_are_refused_by_field_and_the_others_go_on() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let (clear, text) = sample("a key in the clear");
        let kong = Batch { preset: Preset::Kong, ..batch(vec![clear]) };
        let refused = import(&world, kong).await.remove(0);
        assert_eq!(fault(&refused).field, "hash");
        assert!(!format!("{refused:?}").contains(&text), "the key is repeated");

        let (line_break, key) = sample("a line break");
        let imports = Imports::new(&world.context);
        let dry = Batch { mode: Mode::DryRun, ..batch(vec![line_break.clone()]) };
        assert_eq!(imports.proves(&dry, &key).await.expect("an answer"), None, "the dry run shows it");
        assert_eq!(imports.proves(&dry, &format!("{key}\n")).await.expect("an answer"), Some(0));
        assert!(matches!(import_one(&world, line_break).await, RowResult::Created(_)));
        assert!(!world.is_live(&key).await);

        let (bad_date, _) = sample("revoked row");
        assert_eq!(fault(&import_one(&world, bad_date.clone()).await).field, "revoked_at");
        let (mut revoked, key) = (bad_date, sample("revoked row").1);
        revoked["revoked_at"] = json!("2024-02-28 10:00:00");
        let RowResult::Created(id) = import_one(&world, revoked).await else { panic!("not imported") };
        assert!(!world.is_live(&key).await, "imported as revoked");
        let token = world.tokens.lookup(&world.owner, &key).await.expect("the token");
        assert!(token.id == id && token.facts.revoked.is_some());

        let ((first, key), (second, _)) = (sample("under two names"), sample("\u{2026} second"));
        let results = import(&world, batch(vec![json!("no object"), first, second])).await;
        assert_eq!(fault(&results[0]).field, "row");
        assert!(matches!(results[1], RowResult::Created(_)));
        assert_eq!(fault(&results[2]), &Fault { field: "hash", message: "hash is that of row 2 as well".to_owned() });
        assert!(world.is_live(&key).await);

        let (mut long_name, _) = sample("decomposed form");
        assert_eq!(fault(&import_one(&world, long_name.clone()).await).field, "name");
        long_name["name"] = json!("e\u{301}".repeat(100));
        assert!(matches!(import_one(&world, long_name).await, RowResult::Created(_)));

        let (hashes, _) = sample("schemes that cannot be checked");
        let names = ["pbkdf2_sha256", "$2x$", "argon2i", "md5", "sha512crypt", "17"];
        let hashes = hashes["hashes"].as_array().expect("hashes");
        assert_eq!(hashes.len(), names.len());
        for (hash, name) in hashes.iter().zip(names) {
            let refused = import_one(&world, json!({"name": "n", "hash": hash})).await;
            assert!(fault(&refused).field == "hash" && fault(&refused).message.contains(name), "{refused:?}");
        }

        let (mut long_key, _) = sample("longer than 72 bytes");
        long_key["name"] = json!("n");
        assert_eq!(fault(&import_one(&world, long_key).await).field, "key_length");

        let (mut scopes, _) = sample("this catalogue does not have");
        scopes["name"] = json!("n");
        scopes["hash"] = json!(SHA256);
        let own = Batch { scopes: None, ..batch(vec![scopes, json!({"name": "n", "hash": SHA256})]) };
        let results = import(&world, own).await;
        assert!(results.iter().all(|result| fault(result).field == "scopes"), "{results:?}");
        let message = &fault(&results[0]).message;
        assert!(message.contains("*, repo:write, an empty name"), "{message}");
    });
}

#[test]
fn rows_with_a_bad_field_are_refused_by_its_name() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let cases = [
            (json!({"hash": "1".repeat(73), "algorithm": "sha256"}), "hash"),
            (json!({"hash": SHA256, "algorithm": "sha512"}), "hash"),
            (json!({"hash": SHA256, "algorithm": "rot13"}), "algorithm"),
            (json!({"hash": SHA256, "encoding": "base32"}), "encoding"),
            (json!({"hash": SHA256, "expires_at": "01/02/2027"}), "expires_at"),
            (json!({"hash": SHA256, "expires_at": "2020-01-01"}), "expires_at"),
            (json!({"hash": SHA256, "expires_at": -5}), "expires_at"),
            (json!({"hash": SHA256, "expires_at": true}), "expires_at"),
            (json!({"hash": SHA256, "name": "a\u{7}b"}), "name"),
            (json!({"hash": SHA256, "name": ""}), "name"),
            (json!({"hash": SHA256, "name": null}), "name"),
            (json!({"hash": SHA256, "name": 7}), "name"),
            (json!({"hash": SHA256, "owner": "ada@example.org"}), "owner"),
            (json!({"hash": SHA256, "external_id": "x".repeat(256)}), "external_id"),
            (json!({"hash": SHA256, "metadata": "text"}), "metadata"),
            (json!({"hash": SHA256, "revoked": "perhaps"}), "revoked"),
            (json!({"hash": bcrypt, "prefix": "abc"}), "prefix"),
            // No key of this deployment begins so: the row would never be found.
            (json!({"hash": bcrypt, "prefix": "sk_live_"}), "prefix"),
            (json!({"hash": null}), "hash"),
            (json!({"hash": 5}), "hash"),
            (json!({"hash": {"variant": "sha256_base64"}}), "hash"),
            (json!({}), "hash"),
        ];
        let mut rows: Vec<Value> = cases.iter().map(|(row, _)| row.clone()).collect();
        for row in &mut rows {
            let row = row.as_object_mut().expect("an object");
            row.entry("name").or_insert_with(|| json!("n"));
        }
        rows.push(json!({"name": "good", "hash": SHA256}));
        let results = import(&world, batch(rows)).await;
        for ((row, field), result) in cases.iter().zip(&results) {
            assert_eq!(fault(result).field, *field, "{row}: {result:?}");
        }
        assert!(matches!(results.last(), Some(RowResult::Created(_))), "a bad row stopped a good one");
    });
}

/// A preset, a row of that system, the format of its keys, a key, and another that must not validate.
const PRESETS: &[(Preset, &str, &str, &str)] = &[
    (
        Preset::Kong,
        r#"{"consumer":{"id":"b1f3","username":"mobile-app"},"key":"7fErVh4suELEDhrzhEdfhZmgl3zdf2GY","tags":["a"],"ttl":null,"created_at":1577836800}"#,
        "alphabet=alnum length=32",
        "7fErVh4suELEDhrzhEdfhZmgl3zdf2GY",
    ),
    (
        Preset::Unkey,
        r#"{"id":"key_1","name":"svc","hash":{"value":"r8Krc3DdyfqnG4N9mIvcTL55MJab+b5gNGH37DqP/L8=","variant":"sha256_base64"},"ownerId":"cus_1","meta":{"plan":"pro"},"expires":null,"enabled":true}"#,
        "prefix=unkey_ alphabet=alnum length=24",
        "unkey_3ZxQd9VtHnLrKc2bYpWm7sGa",
    ),
    (
        Preset::Sanctum,
        r#"{"id":12,"tokenable_type":"App\\Models\\User","tokenable_id":5,"name":"laptop","token":"30e5245aa6e8fd52cb525b526a85995a764bd5c29947b02b81fa3b2e9575ae27","abilities":"[\"execute\"]","expires_at":null}"#,
        "alphabet=alnum length=40 id=|",
        "12|V1a7oQ2kZr9LmXc4TbYw8NhEu5PsGd6JfRt3KiAq",
    ),
    (
        Preset::Knox,
        r#"{"digest":"568a082637a77139ac5f0f50eee3c4500142bd9a86e26f287961b9b17fd0e2e560c6c10e845e423bce0941bfd6e6963e3d8356d762812c9da966385ae937aef3","token_key":"9d2f7c1a","user_id":7,"created":"2026-01-01T00:00:00Z","expiry":null}"#,
        "alphabet=hex length=64",
        "9d2f7c1a4b6e8f0031a5c7e9b2d4f6081a3c5e7092b4d6f8a1c3e507192b3d4f",
    ),
    (
        Preset::DrfApiKey,
        r#"{"prefix":"Qw8rTy2u","hashed_key":"pbkdf2_sha256$1000$n7QxwZ2v$tAXLBb9RkRcAKtKfXUkNBawFBrggVWwmN9muCrqY9z4=","name":"job","revoked":false,"expiry_date":null}"#,
        "alphabet=dotted length=41",
        "Qw8rTy2u.Lk3JhGf5Ds7AaZx9Cv1Bn4Mm6Qq8Ww2E",
    ),
    (
        Preset::DrfApiKey,
        r#"{"prefix":"Zx5cVb7n","hashed_key":"sha512$$09375837258728786363f8e4bcb5a9e90c6686b2b3b1c6dc69e45e190917a2be919fb67ff1e83a15e7a3e8519869c493998a54e704091ff942abcf320ebf3f28","name":"job","revoked":false,"expiry_date":null}"#,
        "alphabet=dotted length=41",
        "Zx5cVb7n.Mn1BvCx2Zl4KjHg6Fd8Sa0Pp3Oo5Ii7U",
    ),
    (
        Preset::BetterAuth,
        r#"{"key":"VfCyE72h4yqeGikAodOF9FwFzi5GCa8dK6qJwve5rFY","name":null,"start":"ba_RtY","userId":"u1","enabled":true,"permissions":null,"metadata":"{\"plan\":\"pro\"}"}"#,
        "prefix=ba_ alphabet=alnum length=64",
        "ba_RtYuIoPaSdFgHjKlZxCvBnMqWeRtYuIoPaSdFgHjKlZxCvBnMqWeRtYuIoPaSd12",
    ),
    (
        Preset::None,
        r#"{"name":"n","hash":"88e9b6e5801f56a6a1b34bcb5dba80327235b96ecc11d58836348de6590bc65f","algorithm":"hmac-sha256","encoding":"hex"}"#,
        "prefix=key_ alphabet=alnum length=24",
        "key_0123456789abcdefghijklmn",
    ),
];

#[test]
fn keys_of_every_preset_validate_by_hashes_made_as_documented() {
    Db::each(async |db| {
        let shapes: Vec<&str> = PRESETS.iter().map(|(_, _, shape, _)| *shape).collect();
        let world = World::with(db, legacy(&shapes)).await;
        for (preset, row, _, key) in PRESETS {
            let row: Value = serde_json::from_str(row).expect("a row");
            let one = Batch { preset: *preset, ..batch(vec![row]) };
            let result = import(&world, one.clone()).await.remove(0);
            let RowResult::Created(id) = result else { panic!("{preset:?}: {result:?}") };
            assert!(world.is_live(key).await, "{preset:?}");
            let mut other = (*key).to_owned();
            let last = if other.ends_with('1') { '2' } else { '1' };
            other.pop();
            other.push(last);
            assert!(!world.is_live(&other).await, "{preset:?}: another key");
            assert_eq!(import(&world, one).await, [RowResult::Existing(id)], "{preset:?}: once more");
        }
        world.context.drain().await;
        let world = World::with(db, legacy(&shapes)).await;
        for (preset, row, _, key) in PRESETS {
            assert!(world.is_live(key).await, "{preset:?} after its first use");
            let row: Value = serde_json::from_str(row).expect("a row");
            let again = import(&world, Batch { preset: *preset, ..batch(vec![row]) }).await;
            assert!(matches!(again[..], [RowResult::Existing(_)]), "{preset:?}: {again:?}");
        }
        assert_eq!(world.context.lane().runs(), 0, "a slow hash was left");
        // Where the formats are no longer accepted, the keys are none.
        let world = World::with(db, legacy(&[])).await;
        for (preset, _, _, key) in PRESETS {
            assert!(!world.is_live(key).await, "{preset:?}");
        }
    });
}

#[test]
fn a_deployment_without_imports_reads_no_more_for_an_unknown_token() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let refused = Imports::new(&world.context).import(&world.owner, batch(vec![json!({})]), &origin()).await;
        assert!(matches!(refused, Err(ImportError::NotLookedUp)), "{refused:?}");
        let unknown = "nlp_00112233445566778899aabbccddeeff550c911c";
        let reads = || (world.reads(), db.store().counters().reads());
        let (candidates, others) = reads();
        assert!(!world.is_live(unknown).await);
        assert_eq!(reads(), (candidates + 1, others));
    });
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_happen() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let rows = vec![json!({"name": "n", "hash": SHA256}), json!({"name": "", "hash": SHA256})];
        let dry = Batch { mode: Mode::DryRun, ..batch(rows.clone()) };
        for _ in 0..2 {
            let results = import(&world, dry.clone()).await;
            assert!(matches!(results[..], [RowResult::Ready, RowResult::Refused(_)]), "{results:?}");
        }
        let results = import(&world, batch(rows)).await;
        assert!(matches!(results[0], RowResult::Created(_)), "{results:?}");
    });
}

#[test]
fn slow_hashes_that_nothing_tells_apart_are_bounded() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let hash = |n: usize| format!("$2a$05$CCCCCCCCCCCCCCCCCCCCC.{n:03}PO9kmyuRGyh0XouQYb4YMJKvyOeW");
        let most = usize::try_from(MOST_ALIKE).expect("a small number");
        let rows = (0..=most).map(|n| json!({"name": "n", "hash": hash(n)})).collect();
        let results = import(&world, batch(rows)).await;
        assert!(results[..most].iter().all(|result| matches!(result, RowResult::Created(_))), "{results:?}");
        assert_eq!(fault(&results[most]).field, "prefix");
        let with_prefix = json!({"name": "n", "hash": hash(500), "prefix": "nlp_abcd"});
        assert!(matches!(import_one(&world, with_prefix).await, RowResult::Created(_)));
        // What a key that nobody knows costs: one check of each, once.
        let before = world.context.lane().runs();
        let unknown = "nlp_VKyFqV9nOMbBJL2Y4Y5QTo2OsOjgR297eyX8zxND";
        assert!(!world.is_live(unknown).await);
        assert!(!world.is_live(unknown).await);
        assert_eq!(world.context.lane().runs() - before, u64::try_from(most).expect("a small number"));
    });
}

#[test]
fn scopes_cap_and_organisations_bound_an_import() {
    Db::each(async |db| {
        let mut options = legacy(&[]);
        options.policy.token_cap = Some(2);
        let world = World::with(db, options).await;
        let hash = |n: usize| format!("{n:064x}");
        let mut narrow = world.owner;
        narrow.effective = world.context.catalogue().expand(world.context.catalogue().find("read"));
        let (imports, row) = (Imports::new(&world.context), json!({"name": "n", "hash": hash(1)}));
        let refused = imports.import(&narrow, batch(vec![row]), &origin()).await.expect("an import").remove(0);
        assert_eq!(fault(&refused).field, "scopes");

        let mut rows: Vec<Value> = (1..=3).map(|n| json!({"name": "n", "hash": hash(n)})).collect();
        rows.push(json!({"name": "dead", "hash": hash(4), "revoked": true}));
        let results = import(&world, batch(rows)).await;
        assert!(matches!(results[..2], [RowResult::Created(_), RowResult::Created(_)]), "{results:?}");
        assert!(fault(&results[2]).message.contains("2/2"), "{results:?}");
        assert!(matches!(results[3], RowResult::Created(_)), "a revoked token takes no place: {results:?}");
    });
}

#[test]
fn an_imported_token_is_one_like_any_other() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let (row, key) = sample("base64 with padding");
        let RowResult::Created(id) = import_one(&world, row).await else { panic!("not imported") };
        let outcome = world.validator.validate(&key, &Requirement::NOTHING, &origin()).await.expect("an answer");
        let Outcome::Live(entry) = outcome else { panic!("not valid") };
        assert_eq!(entry.token_id(), id);
        world.tokens.revoke(&world.owner, id, &origin()).await.expect("a revocation");
        assert!(!world.is_live(&key).await);
    });
}

#[test]
fn who_is_bound_to_a_project_imports_nothing() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let mut bound = world.owner;
        bound.via = Via::Token {
            token_id: world.issue(&["tokens:manage"]).await.token.id,
            user_id: None,
            project_id: Some(ProjectId::new(world.context.now(), [7; 10])),
            boundary: None,
            ends_at: None,
        };
        let imports = Imports::new(&world.context);
        for mode in [Mode::DryRun, Mode::Carry] {
            let row = Batch { mode, ..batch(vec![json!({"name": "n", "hash": SHA256})]) };
            let refused = imports.import(&bound, row, &origin()).await;
            assert!(matches!(refused, Err(ImportError::Confined)), "{refused:?}");
        }
        let row = batch(vec![json!({"name": "n", "hash": SHA256})]);
        assert!(matches!(import(&world, row).await[0], RowResult::Created(_)), "nothing of it was there");
    });
}

#[test]
fn slow_hashes_are_imported_by_the_operator_alone() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let imports = Imports::new(&world.context);
        let pbkdf2 = "pbkdf2_sha256$1000$salt$HZ2oFh7SDKcRhqNOKxbqHmVIhA9wQ7LhKjxqGxPpKDM=";
        let slow = [
            json!({"name": "a", "hash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}),
            json!({"name": "b", "hash": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"}),
            json!({"name": "c", "hash": pbkdf2, "algorithm": "django"}),
        ];
        for row in slow {
            let refused = imports.import(&world.owner, batch(vec![row.clone()]), &origin()).await.expect("an import");
            let fault = fault(&refused[0]);
            assert_eq!(fault.field, "algorithm", "{row}");
            assert!(fault.message.contains("imported by the operator, with `nolapse-api import`"), "{}", fault.message);
            let organization = world.owner.organization_id;
            let taken =
                imports.import_into(organization, batch(vec![row.clone()]), &origin()).await.expect("an import");
            assert!(matches!(taken[0], RowResult::Created(_)), "{row}: {taken:?}");
        }
    });
}

#[test]
fn an_older_slow_hash_counts_before_a_faster_one_of_the_same_secret() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let (slow, key) = sample("PHP prefix");
        let RowResult::Created(first) = import_one(&world, slow).await else { panic!("not imported") };
        world.clock.advance(token_domain::Span::seconds(1));
        let digest = ring_hex(&key);
        let fast = json!({"name": "taken over", "hash": digest, "algorithm": "sha256", "encoding": "hex"});
        let RowResult::Created(second) = import_one(&world, fast).await else { panic!("not imported") };
        assert!(first < second);
        let outcome = world.validator.validate(&key, &Requirement::NOTHING, &origin()).await.expect("an answer");
        let Outcome::Live(entry) = outcome else { panic!("not valid") };
        assert_eq!(entry.token_id(), first);
    });
}

/// The SHA-256 of a key in hexadecimal.
fn ring_hex(key: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    data_encoding::HEXLOWER.encode(digest.as_ref())
}

#[test]
fn keys_of_a_batch_that_are_compared_with_slow_hashes_take_turns() {
    Db::each(async |db| {
        let world = World::with(db, legacy(&[])).await;
        let (slow, key) = sample("PHP prefix");
        import_one(&world, slow).await;
        // More of them than the places for such comparisons.
        let mut texts: Vec<String> = (10..40).map(|n| format!("{}{n}", &key[..42])).collect();
        texts.push(key);
        let outcomes = world.validator.validate_each(&texts, &origin).await.expect("nothing is too busy");
        let live: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Live(_))).collect();
        assert_eq!(live, (0..31).map(|n| n == 30).collect::<Vec<_>>());
    });
}
