//! What the log is told, by the names that operators search for.

use std::io;
use std::sync::{Arc, Mutex};

use authcore::{Action, Identity, Isolation, Method, Object, UserId};
use tracing_subscriber::fmt::MakeWriter;

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The lines that this writes to the log, without their times.
pub(crate) fn told(what: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_env_filter("authcore=debug").without_time().with_ansi(false);
    tracing::subscriber::with_default(subscriber.with_writer(log.clone()).finish(), what);
    let written = log.0.lock().expect("not poisoned");
    String::from_utf8_lossy(&written).lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_decision_is_one_event_that_says_who_what_and_why() {
    let isolation = Isolation::default();
    let ann = Identity::assertion(UserId::new("ann").expect("an id"), Method::Other("test")).into_identity();
    let (own, bobs) = (Object::new("plan", "1").of_user("ann"), Object::new("plan", "2").of_user("bob"));
    let lines = told(|| {
        let _ = isolation.judge(&ann, Action::Read, &own);
        let _ = isolation.judge(&ann, Action::Write, &bobs);
    });
    let [allowed, denied] = &lines[..] else { panic!("one event each: {lines:?}") };
    assert!(allowed.starts_with("DEBUG authcore::isolation: ") && denied.starts_with("INFO authcore::isolation: "));
    for field in
        ["actor=\"ann\"", "owner=\"ann\"", "action=\"read\"", "id=\"1\"", "decision=\"allowed\"", "reason=\"owner\""]
    {
        assert!(allowed.contains(field), "{field} is not in {allowed}");
    }
    for field in ["owner=\"bob\"", "action=\"write\"", "kind=\"plan\"", "decision=\"denied\"", "reason=\"not_owner\""] {
        assert!(denied.contains(field), "{field} is not in {denied}");
    }
}
