//! `X-Token-Expires-At`: a warning for users of a token that ends soon, on every answer but those of validation.

use serde_json::json;

use crate::support::{Backend, Options, Server, both, later, texts};

both!(a_token_about_to_end_is_told_so, the_deployment_says_how_early, a_rotated_token_is_told_of_its_grace);

const HEADER: &str = "x-token-expires-at";
const DAY: i64 = 86_400;

fn a_token_about_to_end_is_told_so(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for (seconds, told) in [(DAY, true), (7 * DAY - 60, true), (7 * DAY + 600, false)] {
        let end = later(seconds);
        let asked = json!({"name": "a", "scopes": ["tokens:read"], "expires_at": end});
        let [secret] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
        let mut caller = server.caller(&secret);
        let expected = told.then_some(end.as_str());
        // On successes and on errors.
        assert_eq!(caller.get("/v1/tokens").header(HEADER), expected, "{seconds}");
        assert_eq!(caller.get("/v1/tokens/self").header(HEADER), expected);
        assert_eq!(caller.get("/v1/tokens/nonsense").header(HEADER), expected);
        assert_eq!(caller.get("/v1/repos").header(HEADER), expected, "a refusal for want of scopes");
        assert_eq!(caller.get("/nowhere").header(HEADER), None, "nobody looked at the credential");
        // Validation is called by others than the token's holder, and its answer has exactly three keys.
        let answer = server.anyone().validate(&secret);
        assert_eq!(answer.header(HEADER), None);
        assert_eq!(answer.expect(200).as_object().unwrap().len(), 3);
    }
    let [secret] = texts(&owner.create_with("a", &["tokens:read"]), ["secret"]);
    assert_eq!(server.caller(&secret).get("/v1/tokens").header(HEADER), None);
    assert_eq!(owner.get("/v1/tokens").header(HEADER), None, "a session is no token");
}

fn the_deployment_says_how_early(backend: Backend) {
    for (days, told) in [(0, false), (1, false), (3, true)] {
        let server = Server::start(backend, Options::default().with("tokens.expiry_warning_days", days));
        let mut owner = server.owner();
        let end = later(2 * DAY);
        let asked = json!({"name": "a", "scopes": ["tokens:read"], "expires_at": end});
        let [secret] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
        assert_eq!(server.caller(&secret).get("/v1/tokens").header(HEADER), told.then_some(end.as_str()), "{days}");
    }
}

fn a_rotated_token_is_told_of_its_grace(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    let mut caller = server.caller(&secret);
    assert_eq!(caller.get("/v1/tokens").header(HEADER), None);
    let [end] = texts(&owner.rotate(&id, &json!({"grace_period_seconds": 3600})), ["grace_period_ends_at"]);
    assert_eq!(caller.get("/v1/tokens").header(HEADER), Some(end.as_str()));
}
