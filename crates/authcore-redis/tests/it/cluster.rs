//! A Redis Cluster of real servers, of which `RedisRates` is told one.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authcore::rate::{Counter, RateStore as _};
use authcore_redis::RedisRates;

use super::server::RedisServer;
use super::{LENIENT, count, counter, decide, rates};

const SLOTS: [Range<u16>; 3] = [0..5461, 5461..10_923, 10_923..16_384];

/// Three servers with a third of the slots each.
pub(crate) struct Cluster(pub(crate) [RedisServer; 3]);

impl Cluster {
    pub(crate) async fn start() -> Self {
        let cluster = Self(std::array::from_fn(|_| start_member()));
        for (number, (member, slots)) in cluster.0.iter().zip(SLOTS).enumerate() {
            said(member, &["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
            let command: Vec<_> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
            said(member, &command);
            meet(member, &cluster.0[0]);
        }
        for member in &cluster.0 {
            until("the cluster is whole", || {
                let info = member.run(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
            .await;
        }
        cluster
    }

    /// Moves the slot of the only key to another member, and looks while it is said to move, while only the key has, and
    /// once more.
    pub(crate) async fn move_only_key_and<F: Future<Output = ()>>(&self, look: impl Fn() -> F) {
        let (from, key) = self.only_key();
        let (source, target) = (&self.0[from], &self.0[(from + 1) % 3]);
        let slot = source.run(&["CLUSTER", "KEYSLOT", &key]).trim_start_matches(':').to_owned();
        let id = |member: &RedisServer| member.run(&["CLUSTER", "MYID"]);
        said(target, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(source)]);
        said(source, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(target)]);
        look().await;
        said(source, &["MIGRATE", "127.0.0.1", &target.port().to_string(), &key, "0", "5000"]);
        look().await;
        look().await;
        for member in [target, source] {
            said(member, &["CLUSTER", "SETSLOT", &slot, "NODE", &id(target)]);
        }
        assert_eq!((source.keys(), target.keys()), (0, 1));
    }

    /// Whose the only key is, and its name.
    fn only_key(&self) -> (usize, String) {
        let keys: Vec<_> = self
            .0
            .iter()
            .enumerate()
            .flat_map(|(at, member)| member.names().into_iter().map(move |name| (at, name)))
            .collect();
        let [only] = &keys[..] else { panic!("{keys:?}") };
        only.clone()
    }
}

fn start_member() -> RedisServer {
    let timeout = ["--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"];
    let replica = ["--repl-diskless-sync-delay", "0", "--cluster-require-full-coverage", "no"];
    RedisServer::start_with(&[&["--cluster-enabled", "yes"][..], &timeout, &replica].concat())
}

fn meet(member: &RedisServer, other: &RedisServer) {
    said(member, &["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
}

fn said(member: &RedisServer, command: &[&str]) {
    assert_eq!(member.run(command), "+OK", "{command:?}");
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is left for this key after one more request.
async fn left(counter: &Arc<dyn Counter>, key: &str) -> u32 {
    decide(counter, key, 1).await.remaining()
}

#[tokio::test]
async fn keys_are_counted_by_the_server_of_their_slot_and_then_asked_for_there() {
    let cluster = Cluster::start().await;
    let counter = counter(&rates(&cluster.0[0]).await, "3/hour");
    let mut homes = Vec::new();
    for user in 0..60 {
        let name = user.to_string();
        let before = cluster.0.each_ref().map(RedisServer::keys);
        assert_eq!(left(&counter, &name).await, 2, "{user}");
        let after = cluster.0.each_ref().map(RedisServer::keys);
        homes.push((0..3).find(|&at| after[at] > before[at]).expect("one key more"));
    }
    assert!((0..3).all(|at| homes.contains(&at)), "{homes:?}");

    // Nobody is sent round by the first one any more.
    cluster.0[0].signal("STOP");
    for (user, &home) in homes.iter().enumerate().filter(|(_, home)| **home != 0) {
        assert_eq!(left(&counter, &user.to_string()).await, 1, "{user} of {home}");
    }
    cluster.0[0].signal("CONT");
}

#[tokio::test]
async fn a_slot_is_followed_while_it_moves_and_after() {
    let cluster = Cluster::start().await;
    let counter = counter(&rates(&cluster.0[0]).await, "9/hour");
    assert_eq!((left(&counter, "ann").await, left(&counter, "ann").await), (8, 7));

    cluster
        .move_only_key_and(|| async {
            let left = left(&counter, "ann").await;
            assert!([6, 5, 4].contains(&left), "{left}");
        })
        .await;
    assert_eq!((left(&counter, "ann").await, left(&counter, "ann").await), (3, 2), "MOVED");
}

#[tokio::test]
async fn who_takes_over_goes_on_counting() {
    let mut cluster = Cluster::start().await;
    let replica = start_member();
    meet(&replica, &cluster.0[0]);
    let rates = RedisRates::builder(cluster.0[0].url()).deadline(LENIENT).connect().await.expect("Redis listens");
    let counter = rates.counter("test", "90/day".parse().expect("a quota"));

    // One that is counted elsewhere than by the server that was named first.
    let mut users = (0..).map(|user: u32| user.to_string());
    let user = loop {
        let user = users.next().expect("endless");
        left(&counter, &user).await;
        if cluster.0[2].keys() == 1 {
            break user;
        }
    };
    let id = cluster.0[2].run(&["CLUSTER", "MYID"]);
    until("the replica knows of it", || replica.run(&["CLUSTER", "REPLICATE", &id]) == "+OK").await;
    until("it has a copy", || replica.run(&["INFO", "replication"]).contains("master_link_status:up")).await;
    until("the others know of the replica", || {
        cluster.0.iter().all(|member| member.run(&["CLUSTER", "NODES"]).contains(&format!("slave {id}")))
    })
    .await;
    assert_eq!(left(&counter, &user).await, 88);
    let offset = |member: &RedisServer, name: &str| {
        let info = member.run(&["INFO", "replication"]);
        info.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned).expect("an offset")
    };
    let written = offset(&cluster.0[2], "master_repl_offset:").parse::<u64>().expect("a number");
    until("the copy is up to date", || {
        offset(&replica, "slave_repl_offset:").parse().is_ok_and(|read: u64| read >= written)
    })
    .await;

    cluster.0[2].stop();
    let begin = Instant::now();
    let mut outages = 0;
    let left = loop {
        assert!(begin.elapsed() < Duration::from_secs(60), "nobody took over");
        match count(&counter, &user, 1).await {
            Ok(decision) => break decision.remaining(),
            Err(unavailable) => {
                let why = unavailable.to_string();
                let known = ["not connected: ", "cluster down", "i/o error", "who has the key cannot be reached"];
                assert!(known.iter().any(|known| why.to_lowercase().contains(known)), "{why}");
                outages += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(left, 87);
    assert!(outages > 0);
    assert_eq!(replica.keys(), 1);
}

#[tokio::test]
async fn a_server_that_left_the_cluster_and_still_runs_is_asked_no_more() {
    let cluster = Cluster::start().await;
    let counter = counter(&rates(&cluster.0[0]).await, "90/day");
    let mut users = (0..).map(|user: u32| user.to_string());
    let user = loop {
        let user = users.next().expect("endless");
        left(&counter, &user).await;
        if cluster.0[2].keys() == 1 {
            break user;
        }
    };
    let [gone, heir] = [&cluster.0[2], &cluster.0[1]];
    let [key] = &gone.names()[..] else { panic!("{:?}", gone.names()) };
    let slot = gone.run(&["CLUSTER", "KEYSLOT", key]).trim_start_matches(':').to_owned();
    let (id_of_gone, id_of_heir) = (gone.run(&["CLUSTER", "MYID"]), heir.run(&["CLUSTER", "MYID"]));
    said(gone, &["FLUSHALL"]);
    said(gone, &["CLUSTER", "RESET", "HARD"]);
    for member in [heir, &cluster.0[0]] {
        said(member, &["CLUSTER", "FORGET", &id_of_gone]);
        said(member, &["CLUSTER", "SETSLOT", &slot, "NODE", &id_of_heir]);
    }
    until("the heir serves it", || heir.run(&["GET", key]) == "nil").await;
    // It answers CLUSTERDOWN, and the others know better.
    assert_eq!((left(&counter, &user).await, left(&counter, &user).await), (89, 88));
    assert_eq!((gone.keys(), heir.names().contains(key)), (0, true));
}
