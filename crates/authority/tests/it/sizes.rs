//! What a hit moves around: futures are values, and a large one is copied on its way to where it runs.

use test_support::world::origin;
use test_support::{Db, World};
use token_domain::Requirement;

/// In bytes. What a hit needs is a digest and a few references; the way through the database is boxed.
const MOST: usize = 640;

#[test]
fn the_future_of_a_hit_is_small() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let question = world.validator.validate("nlp_", &Requirement::NOTHING, &origin);
        let size = size_of_val(&question);
        assert!(size <= MOST, "{size} bytes");
        assert!(question.await.is_ok());
    });
}
