//! How an attachment judges: from arguments to the registry's terms, and back to words.

use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::{Value, json};

use crate::{
    AttachArgs, TermsArgs,
    args::FailureArg,
    report::{failure, grouped},
};

/// As `attach` gives them.
pub(crate) fn of_new(args: &AttachArgs) -> registry::Terms {
    registry::Terms {
        failure: failure_of(args.failure),
        priority: args.priority,
        fuelMax: args.fuel_max,
        demotionShare: args.life.demotion_share,
        triggers: mask(&args.life.triggers),
        escapes: args.life.escapes.clone(),
    }
}

/// Those that stand, with what `set-terms` gives in place of some.
pub(crate) fn changed(standing: &registry::Terms, args: &TermsArgs) -> registry::Terms {
    let escapes =
        if args.no_escapes || !args.escapes.is_empty() { args.escapes.clone() } else { standing.escapes.clone() };
    registry::Terms {
        failure: args.failure.map_or(standing.failure, failure_of),
        priority: args.priority.unwrap_or(standing.priority),
        fuelMax: args.fuel_max.unwrap_or(standing.fuelMax),
        demotionShare: args.demotion_share.unwrap_or(standing.demotionShare),
        triggers: if args.triggers.is_empty() { standing.triggers } else { mask(&args.triggers) },
        escapes,
    }
}

/// In words, on one line.
pub(crate) fn text(terms: &registry::Terms) -> String {
    format!(
        "fails {}, priority {}, fuel {}, escapes {}, triggers {}, {}",
        failure(terms.failure),
        terms.priority,
        grouped(terms.fuelMax),
        escapes(terms),
        triggers(terms),
        demotion(terms),
    )
}

pub(crate) fn escapes(terms: &registry::Terms) -> String {
    match terms.escapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    }
}

pub(crate) fn triggers(terms: &registry::Terms) -> String {
    match selected(terms).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") {
        all if all.is_empty() => "all".to_owned(),
        some => some,
    }
}

pub(crate) fn demotion(terms: &registry::Terms) -> String {
    match terms.demotionShare {
        0 => "never drops to shadow by itself".to_owned(),
        share => format!("drops to shadow above {}.{:02} % of vetoes", share / 100, share % 100),
    }
}

pub(crate) fn json_of(terms: &registry::Terms) -> Value {
    json!({
        "failure": failure(terms.failure),
        "priority": terms.priority,
        "fuelMax": terms.fuelMax,
        "demotionShare": terms.demotionShare,
        "triggers": selected(terms),
        "escapes": terms.escapes,
    })
}

fn selected(terms: &registry::Terms) -> Vec<u32> {
    (0..u32::BITS).filter(|bit| terms.triggers & (1 << bit) != 0).collect()
}

fn mask(triggers: &[u8]) -> u32 {
    triggers.iter().fold(0, |mask, trigger| mask | 1 << trigger)
}

const fn failure_of(failure: FailureArg) -> registry::Failure {
    match failure {
        FailureArg::Closed => registry::Failure::Closed,
        FailureArg::Open => registry::Failure::Open,
    }
}
