//! What the peers in Rust share: a case comes in on the first line, and each line after it asks for one turn.

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// A token to verify, and by what.
#[derive(Deserialize)]
pub struct Case {
    pub algorithm: String,
    pub token: String,
    pub jwk: serde_json::Value,
    /// Issuer and audience.
    pub origin: String,
}

/// All the claims of the token, as a service would keep them.
#[derive(serde::Serialize, Deserialize)]
#[allow(dead_code, reason = "kept, as a service keeps them")]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    pub sub: Option<String>,
    pub id: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub image: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub role: String,
    pub banned: bool,
}

/// Serves turns until nobody asks any more. A turn verifies for that many microseconds and answers with the nanoseconds
/// that one token took.
pub fn serve<V: FnMut() -> Claims>(prepare: impl FnOnce(Case) -> V) {
    let mut lines = std::io::stdin().lock().lines().map(|line| line.expect("text"));
    let case = serde_json::from_str(&lines.next().expect("a case")).expect("a case");
    let mut verify = prepare(case);
    assert_eq!(verify().role, "user");
    for line in lines {
        let budget = Duration::from_micros(line.parse().expect("microseconds"));
        let (began, mut count) = (Instant::now(), 0_u32);
        while began.elapsed() < budget {
            for _ in 0..16 {
                black_box(verify());
            }
            count += 16;
        }
        println!("{}", began.elapsed().as_nanos() as f64 / f64::from(count));
        std::io::stdout().flush().expect("somebody reads");
    }
}
