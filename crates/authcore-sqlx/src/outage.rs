//! Outages told apart from faults: the first are a 503, the second a 500.

use std::time::Duration;

use authcore::Unavailable;

/// What a client hears as a 503 with `Retry-After: 1`: the database could not be asked. Anything else comes back as it is.
///
/// An outage is: no connection (refused, broken, TLS, none free in time, the pool closed), a server that starts, stops or is
/// out of connections or room (SQLSTATE classes 08 and 53, 57P01 to 57P05), a statement that it cut short (57014, 70100), and
/// a SQLite file that is locked, was moved, cannot be opened, read or grown. SQLite's plain `SQLITE_READONLY` is none: it is
/// also what a reading transaction hears that writes.
///
/// ```
/// let error = authcore_sqlx::unavailable(sqlx::Error::PoolTimedOut);
/// assert!(error.is_ok_and(|outage| outage.retry_after().as_secs() == 1));
/// assert!(authcore_sqlx::unavailable(sqlx::Error::RowNotFound).is_err());
/// ```
///
/// # Errors
///
/// The error itself, when it is no outage.
pub fn unavailable(error: sqlx::Error) -> Result<Unavailable, sqlx::Error> {
    if is_outage(&error) { Ok(Unavailable::new(error, Duration::from_secs(1))) } else { Err(error) }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => match error.code() {
            #[cfg(feature = "sqlite")]
            Some(code) if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => is_sqlite_outage(&code),
            Some(code) => is_outage_state(&code),
            None => false,
        },
        _ => false,
    }
}

/// By SQLSTATE, as PostgreSQL, MySQL and pgbouncer give it.
fn is_outage_state(state: &str) -> bool {
    let classes = ["08", "53", "57P"];
    classes.iter().any(|class| state.starts_with(class)) || ["57014", "70100"].contains(&state)
}

/// By SQLite's result code, whose lowest byte is the kind.
#[cfg(feature = "sqlite")]
fn is_sqlite_outage(code: &str) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const READ_ONLY: i32 = 8;
    const IO_ERROR: i32 = 10;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    code.parse().is_ok_and(|code: i32| match code & 0xff {
        BUSY | LOCKED | IO_ERROR | FULL | CANNOT_OPEN => true,
        // With a reason beside it, it is about the file or its folder.
        READ_ONLY => code != READ_ONLY,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_asked_is_an_outage() {
        for error in [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::PoolClosed,
            sqlx::Error::WorkerCrashed,
            sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
        ] {
            assert!(unavailable(error).is_ok());
        }
        for state in ["08006", "08P01", "53300", "53100", "57P01", "57P03", "57014", "70100"] {
            assert!(is_outage_state(state), "{state}");
        }
    }

    #[test]
    fn what_was_asked_and_refused_is_none() {
        assert!(matches!(unavailable(sqlx::Error::RowNotFound), Err(sqlx::Error::RowNotFound)));
        // A violated policy, a violated constraint, a read-only transaction, a syntax error.
        for state in ["42501", "23505", "25006", "42601", "40001", "", "5"] {
            assert!(!is_outage_state(state), "{state}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_says_so_in_numbers() {
        for code in ["5", "517", "6", "10", "2570", "13", "14", "1032", "1544"] {
            assert!(is_sqlite_outage(code), "{code}");
        }
        for code in ["1", "8", "19", "2067", "", "x"] {
            assert!(!is_sqlite_outage(code), "{code}");
        }
    }
}
