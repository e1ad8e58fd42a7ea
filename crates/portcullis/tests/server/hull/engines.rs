//! The two databases.

use super::House;
use crate::common::{Home, database};

/// Runs `test` on SQLite, and on PostgreSQL where there is one.
pub(super) fn on_each_engine(name: &str, test: impl Fn(&House)) {
    test(&House::new());
    if let Ok(server) = std::env::var("PORTCULLIS_TEST_POSTGRES") {
        let url = ("PORTCULLIS_DATABASE_URL", database(&server, &format!("hull_{name}")));
        test(&House::at_home(Home::with(&[url]), ""));
    }
}
