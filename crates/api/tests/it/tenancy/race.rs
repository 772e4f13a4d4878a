//! Hundreds of actors lose their access scope while their tokens are being validated.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::ground::Project;
use crate::support::{Backend, Options, Server, both, texts};

both!(after_the_204_nobody_names_the_deleted_boundary);

const VALIDATORS: usize = 4;

fn after_the_204_nobody_names_the_deleted_boundary(backend: Backend) {
    let actors: usize = if crate::support::is_full() { 5_000 } else { 400 };
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "doomed");
    let tokens: Vec<String> = (0..actors)
        .map(|n| texts(&project.actor(&mut owner, &format!("a{n}"), Some(&scope)), ["accessToken"])[0].clone())
        .collect();
    // All tokens are cached with the access scope.
    for token in &tokens {
        assert_eq!(super::ground::detail(&mut owner, token)["access_scope"]["slug"], "doomed");
    }

    let (gone, late, checked) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for validator in 0..VALIDATORS {
            let (tokens, gone, late, checked) = (&tokens, &gone, &late, &checked);
            let mut client = server.anyone();
            threads.spawn(move || {
                let mut rounds_after = 0;
                for token in tokens.iter().cycle().skip(validator * tokens.len() / VALIDATORS) {
                    // Read before the request is sent: the guarantee holds only for requests sent after the answer.
                    let is_after = gone.load(Ordering::SeqCst);
                    let asked = json!({"token": token, "detail": true});
                    let seen: Value = client.post("/v1/auth/validate", &asked).expect(200);
                    if is_after {
                        late.fetch_add(usize::from(seen.get("access_scope").is_some()), Ordering::SeqCst);
                        checked.fetch_add(1, Ordering::SeqCst);
                        rounds_after += 1;
                        if rounds_after > tokens.len() / 2 {
                            return;
                        }
                    }
                }
            });
        }
        owner.delete(&project.at(&format!("scopes/{scope}"))).expect(204);
        gone.store(true, Ordering::SeqCst);
    });
    assert!(checked.load(Ordering::SeqCst) >= VALIDATORS * actors / 2);
    assert_eq!(late.load(Ordering::SeqCst), 0, "answers that named the deleted access scope after the 204");
    let page = owner.get(&project.at("actors?accessScopeId=null&limit=1")).expect(200);
    assert_eq!(page["meta"]["total"], json!(actors));
}
