//! Every order in which callers, fetches and the clock can take their steps, and what must hold in each.
//!
//! A world is the rules' state with all around it that matters: callers that come, wait, give up and come again; fetches
//! that succeed, fail, come late or never end; an issuer that publishes another key at some moment. Moments are kept
//! relative to the present, and those long past are one, so that the worlds that can ever be reached are finitely many:
//! each is visited. `cargo test -p authcore --lib model`

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::{Cause, Moment, Refresh, Rules, Start, Verdict};

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    refresh: Refresh,
    loaded: Option<Set>,
    /// Whether the issuer publishes the new key by now.
    published: bool,
    flights: Vec<Flight>,
    callers: Vec<Caller>,
    seen: Seen,
}

/// A key set: whether the new key is in it, and when it came. The old key always is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Set {
    new_key: bool,
    fetched: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Flight {
    number: u64,
    begun: Moment,
    /// What it read, once it has: a set with or without the new key, or nothing good.
    read: Option<Result<bool, ()>>,
}

/// The key that a token names. The new one stands for made-up ones as well, since it may never be published.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Wanted {
    Old,
    New,
}

/// What a request whose key was not there does next. Between two steps others may take theirs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Step {
    Miss,
    Start,
    Wait { flight: u64, since: Moment },
    Check,
    Judge { looked: bool },
    LookAgain,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Caller {
    wanted: Wanted,
    came: Moment,
    step: Step,
}

/// What an onlooker notes, without the rules' own words.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Seen {
    last_failed: bool,
    failed_at: Moment,
    /// When a miss last began a fetch although a set was there.
    asked_at: Moment,
}

impl World {
    fn new(rules: Rules) -> Self {
        let mut refresh = Refresh::new(rules);
        refresh.due = LONG_AGO;
        let (flights, callers) = (Vec::new(), Vec::new());
        Self { refresh, loaded: None, published: false, flights, callers, seen: Seen::default() }
    }

    /// Each world that may come next.
    fn next(&self, callers: usize) -> Vec<Self> {
        let mut next = Vec::new();
        let mut also = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            world.forget_what_does_not_matter();
            next.push(world);
        };
        // What has no wait in it takes no time.
        let in_one_go = |caller: &Caller| matches!(caller.step, Step::Miss | Step::LookAgain);
        if !self.callers.iter().any(in_one_go) {
            also(&Self::tick);
        }
        if !self.published {
            also(&|world| world.published = true);
        }
        if self.is_due() {
            // Somebody who finds their key begins a refresh.
            also(&|world| _ = world.look());
        }
        if self.callers.len() < callers {
            for wanted in [Wanted::Old, Wanted::New] {
                also(&|world| {
                    if !world.look().is_some_and(|set| world.has(wanted, Some(set))) {
                        world.callers.push(Caller { wanted, came: NOW, step: Step::Miss });
                    }
                });
            }
        }
        for (at, flight) in self.flights.iter().enumerate() {
            match flight.read {
                None => {
                    also(&|world| world.flights[at].read = Some(Ok(world.published)));
                    also(&|world| world.flights[at].read = Some(Err(())));
                }
                Some(read) => also(&|world| world.settle(at, read)),
            }
        }
        for (at, caller) in self.callers.iter().enumerate() {
            if matches!(caller.step, Step::Start | Step::Wait { .. }) {
                also(&|world| world.leave(at));
            }
            if self.may_go_on(caller) {
                also(&|world| world.go_on(at));
            }
        }
        next
    }

    fn is_due(&self) -> bool {
        self.loaded.is_some() && NOW >= self.refresh.quiet_until()
    }

    /// What a request finds; a refresh begins if one is due.
    fn look(&mut self) -> Option<Set> {
        let held = self.loaded;
        if self.is_due() {
            self.start(Cause::Schedule);
        }
        held
    }

    fn may_go_on(&self, caller: &Caller) -> bool {
        let Step::Wait { flight, since } = caller.step else { return true };
        let is_over = self.flights.iter().all(|flying| flying.number != flight);
        is_over || NOW >= since + self.refresh.rules.patience()
    }

    fn go_on(&mut self, at: usize) {
        let caller = self.callers[at];
        let has_arrived = self.has(caller.wanted, self.loaded);
        let arrived = |looked| if has_arrived { Step::LookAgain } else { Step::Judge { looked } };
        let step = match caller.step {
            Step::Miss => match self.rules(|refresh, now| refresh.miss(now, has_arrived)) {
                Verdict::Fetch => Some(Step::Start),
                verdict => self.end(caller, &verdict),
            },
            Step::Start => match self.start(Cause::Miss { has_arrived }) {
                Some(flight) => Some(Step::Wait { flight, since: NOW }),
                None => Some(Step::Check),
            },
            Step::Wait { .. } => Some(arrived(true)),
            Step::Check => Some(arrived(false)),
            Step::Judge { looked } => match self.rules(|refresh, now| refresh.waited(now, looked)) {
                Verdict::Unknown => {
                    assert!(!self.seen.last_failed, "after a failure nobody can be judged");
                    Some(Step::LookAgain)
                }
                verdict => self.end(caller, &verdict),
            },
            Step::LookAgain if has_arrived => None,
            Step::LookAgain => self.end(caller, &Verdict::Unknown),
        };
        match step {
            Some(step) => self.callers[at].step = step,
            None => self.leave(at),
        }
    }

    /// The caller hears a verdict, which must be a just one.
    fn end(&self, caller: Caller, verdict: &Verdict) -> Option<Step> {
        if *verdict == Verdict::Unknown {
            assert!(caller.wanted != Wanted::Old, "the old key is in every set");
            let read = self.loaded.expect("a set that the key is not in").fetched;
            assert!(read + self.refresh.rules.cooldown > caller.came, "refused by a set that was read long before");
        } else {
            let has_set = self.has(Wanted::Old, self.loaded);
            assert!(self.seen.last_failed || !has_set, "an outage that nobody had");
        }
        None
    }

    fn leave(&mut self, at: usize) {
        self.callers.remove(at);
    }

    fn has(&self, wanted: Wanted, set: Option<Set>) -> bool {
        let usable = set.filter(|set| self.refresh.rules.usable_age(Some(set.fetched), NOW).is_some());
        usable.is_some_and(|set| wanted == Wanted::Old || set.new_key)
    }

    /// The number of the fetch to wait for.
    fn start(&mut self, cause: Cause) -> Option<u64> {
        match self.rules(|refresh, now| refresh.start(now, cause)) {
            Start::No => None,
            Start::Join => Some(self.refresh.fetches),
            Start::Begin(number) => {
                let Rules { cooldown, .. } = self.refresh.rules;
                let patience = self.refresh.rules.patience();
                assert!(self.flights.iter().all(|flight| flight.begun + patience <= NOW), "two fetches at once");
                assert!(cause != Cause::Miss { has_arrived: true }, "the key is there");
                assert!(self.seen.failed_at + cooldown <= NOW, "no cooldown after a failure");
                if cause != Cause::Schedule && self.loaded.is_some() {
                    assert!(self.seen.asked_at + cooldown <= NOW, "a storm");
                    self.seen.asked_at = NOW;
                }
                self.flights.push(Flight { number, begun: NOW, read: None });
                Some(number)
            }
        }
    }

    fn settle(&mut self, at: usize, read: Result<bool, ()>) {
        let Flight { number, .. } = self.flights.remove(at);
        let outcome = read.map(|_| None).map_err(|()| String::new());
        let is_taken = self.rules(|refresh, now| refresh.settle(now, number, outcome));
        if let (true, Ok(new_key)) = (is_taken, read) {
            assert!(self.loaded.is_none_or(|set| new_key || !set.new_key), "an older set replaces a newer one");
            self.loaded = Some(Set { new_key, fetched: NOW });
            self.seen.last_failed = false;
        }
    }

    /// One step of the rules, with a look at whether they noted a failure.
    fn rules<R>(&mut self, step: impl FnOnce(&mut Refresh, Moment) -> R) -> R {
        let failures = self.refresh.failures;
        let done = step(&mut self.refresh, NOW);
        if self.refresh.failures != failures {
            (self.seen.last_failed, self.seen.failed_at) = (true, NOW);
        }
        done
    }

    /// A second goes by: all that was is a second longer ago.
    fn tick(&mut self) {
        let Refresh { running, fetched, due, cooldown_until, .. } = &mut self.refresh;
        let waits = self.callers.iter_mut().filter_map(|caller| match &mut caller.step {
            Step::Wait { since, .. } => Some(since),
            _ => None,
        });
        let moments = running.iter_mut().map(|running| &mut running.begun).chain(fetched).chain([due, cooldown_until]);
        let moments = moments.chain(self.loaded.iter_mut().map(|set| &mut set.fetched)).chain(waits);
        let moments = moments.chain(self.flights.iter_mut().map(|flight| &mut flight.begun));
        let Seen { failed_at, asked_at, .. } = &mut self.seen;
        for moment in moments.chain([failed_at, asked_at]) {
            *moment = moment.saturating_sub(SECOND);
        }
        for caller in &mut self.callers {
            caller.came = caller.came.saturating_sub(SECOND);
        }
    }

    fn forget_what_does_not_matter(&mut self) {
        self.refresh.failures = 0;
        self.refresh.last_error = self.refresh.last_error.take().map(|_| String::new());
        let long_ago = |moment: &mut Moment, matters_for: Duration| {
            if *moment + matters_for <= NOW {
                *moment = LONG_AGO;
            }
        };
        let rules = self.refresh.rules;
        for moment in [&mut self.seen.failed_at, &mut self.seen.asked_at, &mut self.refresh.cooldown_until] {
            long_ago(moment, rules.cooldown);
        }
        for moment in self.refresh.fetched.iter_mut().chain(self.loaded.iter_mut().map(|set| &mut set.fetched)) {
            long_ago(moment, rules.max_stale);
        }
        for moment in self.flights.iter_mut().map(|flight| &mut flight.begun) {
            long_ago(moment, rules.patience());
        }
        long_ago(&mut self.refresh.due, Duration::ZERO);
        for caller in &mut self.callers {
            if caller.wanted == Wanted::Old {
                caller.came = LONG_AGO;
            }
        }
        // Of fetches that are lost, one is enough to come late.
        if self.flights.len() > 2 {
            self.flights.remove(0);
        }
        // Fetches are told apart by number, whatever it is.
        let in_the_air: Vec<u64> = self.flights.iter().map(|flight| flight.number).collect();
        let place = |number: u64| in_the_air.iter().position(|known| *known == number).map_or(0, |at| at as u64 + 1);
        self.refresh.fetches = in_the_air.len() as u64;
        for flight in &mut self.flights {
            flight.number = place(flight.number);
        }
        if let Some(running) = &mut self.refresh.running {
            running.number = place(running.number);
        }
        for caller in &mut self.callers {
            if let Step::Wait { flight, .. } = &mut caller.step {
                *flight = place(*flight);
            }
        }
        // Nor does it matter which caller is which.
        self.callers.sort_unstable();
    }
}

/// Visits all worlds with so many callers at once, and tells how many there are. Worlds are known by their hash: of a
/// million, two share one with a chance of one in thirty million.
fn visit(rules: Rules, callers: usize) -> usize {
    let hasher = RandomState::new();
    let first = World::new(rules);
    let mut known = HashSet::from([hasher.hash_one(&first)]);
    let mut open = vec![first];
    while let Some(world) = open.pop() {
        open.extend(world.next(callers).into_iter().filter(|next| known.insert(hasher.hash_one(next))));
    }
    known.len()
}

#[test]
fn k88_k89_no_order_of_steps_breaks_the_rules() {
    let rules = |cooldown, max_stale| Rules {
        refresh_every: SECOND,
        cooldown: SECOND * cooldown,
        deadline: SECOND / 2,
        max_stale: SECOND * max_stale,
    };
    // The others: a set that serves no longer than the cooldown lasts.
    for (rules, callers) in [(rules(1, 2), 2), (rules(1, 1), 1), (rules(2, 2), 1)] {
        let worlds = visit(rules, callers);
        assert!(worlds > 3_000, "{worlds} worlds are too few to tell");
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The present. What is as long ago as this matters to no rule.
const NOW: Moment = Moment::from_secs(3);
const LONG_AGO: Moment = Moment::ZERO;
