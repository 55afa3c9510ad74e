//! What a run came to, as tables.

use std::fmt::Write as _;
use std::time::Duration;

use crate::judge::{AUTH, Counts, STORE, Verdict};
use crate::outages::Phase;
use crate::world::Site;

pub(crate) fn tables(sites: &[Site], phases: &[Phase], counts: &Counts) -> String {
    format!("{}\n{}", by_server(sites, counts), by_phase(phases, counts))
}

/// All phases together, a line for each server.
fn by_server(sites: &[Site], counts: &Counts) -> String {
    let heads = "sent | right | 503 auth | 503 store | late | wrong accepts | wrong refusals | other 5xx | no answer | otherwise wrong";
    let mut text = format!("| server | {heads} | longest |\n|---|{}\n", "---|".repeat(11));
    for (number, site) in sites.iter().enumerate() {
        let of = |wanted: Option<Verdict>| {
            let found = counts.iter().filter(|((server, _, verdict), _)| {
                *server == number && wanted.is_none_or(|wanted| wanted == *verdict)
            });
            found.fold((0, Duration::ZERO), |(sum, longest), (_, (count, wait))| (sum + count, longest.max(*wait)))
        };
        let columns = [
            None,
            Some(Verdict::Right),
            Some(Verdict::PutOff(AUTH)),
            Some(Verdict::PutOff(STORE)),
            Some(Verdict::Late),
            Some(Verdict::WrongAccept),
            Some(Verdict::WrongRefusal),
            Some(Verdict::Fault),
            Some(Verdict::NoAnswer),
            Some(Verdict::Odd),
        ];
        let numbers: Vec<_> = columns.iter().map(|column| of(*column).0.to_string()).collect();
        let (name, sessions, longest) = (site.example.name(), site.sessions, seconds(of(None).1));
        let _ = writeln!(text, "| {name}, {sessions} | {} | {longest} |", numbers.join(" | "));
    }
    text
}

/// All servers together, a line for each phase.
fn by_phase(phases: &[Phase], counts: &Counts) -> String {
    let heads = "out for | all served again after | sent | 503 auth | 503 store | longest right | longest 503";
    let mut text = format!("| out | {heads} |\n|---|{}\n", "---|".repeat(7));
    for (number, phase) in phases.iter().enumerate() {
        let of = |is_wanted: fn(Verdict) -> bool| {
            let found = counts.iter().filter(|((_, phase, verdict), _)| *phase == number && is_wanted(*verdict));
            found.fold((0, Duration::ZERO), |(sum, longest), (_, (count, wait))| (sum + count, longest.max(*wait)))
        };
        let (right, put_off) = (of(|is| is == Verdict::Right), of(|is| matches!(is, Verdict::PutOff(_))));
        let (out, back) = phase.lasted();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            phase.name,
            seconds(out),
            seconds(back),
            of(|_| true).0,
            of(|is| is == Verdict::PutOff(AUTH)).0,
            of(|is| is == Verdict::PutOff(STORE)).0,
            seconds(right.1),
            seconds(put_off.1),
        );
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
