//! What is forgotten is looked up again by every request that begins afterwards.

use authcore_better_auth::{RecentSessions, SessionStore};

use crate::scripted::{Scripted, holding, token, user};
use crate::{begin, is_live};

type Forget = fn(&RecentSessions<Scripted>);

const WAYS: [Forget; 3] = [
    |sessions| sessions.forget(&token("ada")),
    |sessions| sessions.forget_user(&user("ada")),
    |sessions| sessions.forget_all(),
];

#[tokio::test(start_paused = true)]
async fn a_sign_out_counts_at_once_when_it_is_forgotten() {
    for forget in WAYS {
        let store = holding([("ada", "ada")]);
        let sessions = store.remembered();
        assert!(is_live(&sessions, "ada").await);
        store.sign_out("ada");
        assert!(is_live(&sessions, "ada").await);
        forget(&sessions.clone()); // clones share
        assert!(!is_live(&sessions, "ada").await);
        assert_eq!(store.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_under_way_is_not_served_to_requests_after_the_forgetting() {
    for forget in WAYS {
        let store = holding([("ada", "ada")]);
        let sessions = store.remembered();
        store.hold();
        let before = begin(&sessions, "ada").await;
        store.sign_out("ada");
        forget(&sessions);
        let after = begin(&sessions, "ada").await;
        let beside = begin(&sessions, "ada").await;
        assert_eq!(store.asked(), 2);
        store.let_go();
        assert_eq!(before.await.expect("no panic"), Ok(Some("ada".into())), "it began while she was signed in");
        assert_eq!(after.await.expect("no panic"), Ok(None));
        assert_eq!(beside.await.expect("no panic"), Ok(None));
        assert!(!is_live(&sessions, "ada").await, "the first answer must not come back");
        assert_eq!(store.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn forgetting_one_leaves_the_others() {
    let store = holding([("ada-1", "ada"), ("ada-2", "ada"), ("bob", "bob"), ("as-bob", "bob")]);
    store.sessions().get_mut("as-bob").expect("it is there").session.impersonated_by = Some(user("ada"));
    let sessions = store.remembered();
    let asked_for = async |text| {
        let before = store.asked();
        is_live(&sessions, text).await;
        store.asked() > before
    };
    let all = ["ada-1", "ada-2", "bob", "as-bob", "nobody"];
    for text in all {
        assert!(asked_for(text).await);
    }
    sessions.forget(&token("ada-1"));
    for (text, expected) in all.into_iter().zip([true, false, false, false, false]) {
        assert_eq!(asked_for(text).await, expected, "{text}");
    }
    sessions.forget_user(&user("ada"));
    for (text, expected) in all.into_iter().zip([true, true, false, true, true]) {
        assert_eq!(asked_for(text).await, expected, "{text}");
    }
    sessions.forget_all();
    for text in all {
        assert!(asked_for(text).await, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_for_now_asks_the_store_and_is_remembered_instead() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    assert!(is_live(&sessions, "ada").await);
    store.sign_out("ada");
    assert!(sessions.session_now(&token("ada")).await.expect("it answers").is_none());
    assert!(!is_live(&sessions, "ada").await);
    assert_eq!((store.asked(), store.asked_now()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_look_up_for_now_waits_for_none_that_began_before() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    let before = begin(&sessions, "ada").await;
    store.sign_out("ada");
    let asking = sessions.clone();
    let now = tokio::spawn(async move { asking.session_now(&token("ada")).await.map(|record| record.is_some()) });
    crate::settle().await;
    let beside = begin(&sessions, "ada").await;
    store.let_go();
    assert_eq!(before.await.expect("no panic"), Ok(Some("ada".into())));
    assert!(!now.await.expect("no panic").expect("it answers"));
    assert_eq!(beside.await.expect("no panic"), Ok(None), "it began after, and waits for the newer one");
    assert_eq!((store.asked(), store.asked_now()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_remembers_nothing_is_asked_now_as_ever() {
    struct Plain(Scripted);

    impl SessionStore for Plain {
        fn session(
            &self,
            token: &authcore_better_auth::SessionToken,
        ) -> impl Future<Output = Result<Option<authcore_better_auth::SessionRecord>, authcore::Unavailable>> + Send
        {
            self.0.session(token)
        }

        fn source(&self) -> &'static str {
            self.0.source()
        }
    }

    let store = holding([("ada", "ada")]);
    assert!(Plain(store.clone()).session_now(&token("ada")).await.expect("it answers").is_some());
    assert_eq!((store.asked(), store.asked_now()), (1, 0));
}
