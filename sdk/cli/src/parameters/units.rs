//! Numbers with their unit, as people write them: `50%`, `1 day`, `2 ether`.

use parapet_monitor::Unit;

/// Most basis points: one whole.
const WHOLE_BPS: u64 = 10_000;
/// Basis points in one percent.
const PERCENT_BPS: u64 = 100;

/// Seconds in what durations are written in.
const DURATIONS: [(&str, u64); 5] =
    [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400), ("week", 7 * 86_400)];

/// The value, or each item of a list, as a number without its unit.
///
/// # Errors
/// Says what would be one.
pub(super) fn plain(unit: Unit, text: &str) -> Result<String, String> {
    if let Some(items) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let items = items.split(',').map(str::trim).filter(|item| !item.is_empty());
        let items = items.map(|item| plain(unit, item)).collect::<Result<Vec<_>, _>>()?;
        return Ok(format!("[{}]", items.join(",")));
    }
    match unit {
        // "1 ether" and "2 gwei" are read where all amounts are.
        Unit::Wei => Ok(text.to_owned()),
        Unit::Bps => share(text).map(|bps| bps.to_string()),
        Unit::Seconds => duration(text).map(|seconds| seconds.to_string()),
    }
}

fn share(text: &str) -> Result<u64, String> {
    let wrong = || "write a share of at most one whole: 50%, 0.5% or, in basis points, 5000".to_owned();
    let bps = match text.strip_suffix('%') {
        Some(percent) => hundredths(percent.trim()).ok_or_else(wrong)?,
        None => text.strip_suffix("bps").unwrap_or(text).trim().parse().map_err(|_| wrong())?,
    };
    if bps <= WHOLE_BPS { Ok(bps) } else { Err(wrong()) }
}

/// A decimal number with at most two digits behind its point, in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if part.len() > 2 || !is_digits(part) || !is_digits(whole) || whole.is_empty() {
        return None;
    }
    let part: u64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(PERCENT_BPS)?.checked_add(part)
}

fn duration(text: &str) -> Result<u64, String> {
    let wrong = || "write a duration: 90 seconds, 15 minutes, 1 hour, 2 days, or seconds alone, 86400".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim());
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let singular = unit.strip_suffix('s').filter(|singular| !singular.is_empty()).unwrap_or(unit);
    let of = |(name, _): &&(&str, u64)| *name == singular || (singular.len() == 1 && name.starts_with(singular));
    let seconds = if unit.is_empty() { Some(1) } else { DURATIONS.iter().find(of).map(|(_, seconds)| *seconds) };
    seconds.and_then(|seconds| number.checked_mul(seconds)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use parapet_monitor::Unit;

    use super::plain;

    #[test]
    fn shares_and_durations_are_read_as_people_write_them() {
        for (unit, text, number) in [
            (Unit::Bps, "50%", "5000"),
            (Unit::Bps, "0.05 %", "5"),
            (Unit::Bps, "12.5%", "1250"),
            (Unit::Bps, "70", "70"),
            (Unit::Bps, "70 bps", "70"),
            (Unit::Bps, "[1%, 2%]", "[100,200]"),
            (Unit::Seconds, "86400", "86400"),
            (Unit::Seconds, "1 day", "86400"),
            (Unit::Seconds, "2 hours", "7200"),
            (Unit::Seconds, "15m", "900"),
            (Unit::Seconds, "3 weeks", "1814400"),
            (Unit::Wei, "1 ether", "1 ether"),
        ] {
            assert_eq!(plain(unit, text).as_deref(), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for (unit, text) in [
            (Unit::Bps, "101%"),
            (Unit::Bps, "10001"),
            (Unit::Bps, "0.001%"),
            (Unit::Bps, "half"),
            (Unit::Bps, "-1%"),
            (Unit::Seconds, "1 month"),
            (Unit::Seconds, "day"),
            (Unit::Seconds, "1.5 hours"),
            (Unit::Seconds, "99999999999999999999 weeks"),
        ] {
            assert!(plain(unit, text).is_err(), "{text}");
        }
    }
}
