//! Dates and times as the server counts them: days and microseconds from the beginning of the year 2000.

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Days from 0000-03-01 to 2000-01-01. A year that begins in March has its leap day at its end.
const TO_2000: i64 = 730_425;

/// Days of 400 years, which repeat.
const ERA: i64 = 146_097;

/// Year, month and day of a count of days from 2000-01-01, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(TO_2000);
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    // Leap days before this day, taken out: what is left are years of 365 days.
    let leaps = (of_era / 1_460).saturating_sub(of_era / 36_524).saturating_add(of_era / 146_096);
    let year_of_era = of_era.saturating_sub(leaps) / 365;
    let before = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era / 4)
        .saturating_sub(year_of_era / 100);
    let of_year = of_era.saturating_sub(before);
    // Months from March on have 31, 30, 31, 30, 31 days, over and over: 153 days in five.
    let shifted = of_year.saturating_mul(5).saturating_add(2) / 153;
    let start = shifted.saturating_mul(153).saturating_add(2) / 5;
    let day = of_year.saturating_sub(start).saturating_add(1);
    let month = if shifted < 10 { shifted.saturating_add(3) } else { shifted.saturating_sub(9) };
    let year = year_of_era.saturating_add(era.saturating_mul(400));
    (if month <= 2 { year.saturating_add(1) } else { year }, month, day)
}

/// Appends `number` with at least `width` digits.
fn put(text: &mut String, number: i64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut left, mut begin) = (number.unsigned_abs(), digits.len());
    while left > 0 || digits.len().saturating_sub(begin) < width {
        begin = begin.saturating_sub(1);
        if let Some(digit) = digits.get_mut(begin) {
            *digit = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or(0));
        }
        left /= 10;
    }
    text.extend(digits.get(begin..).unwrap_or_default().iter().map(|digit| char::from(*digit)));
}

fn put_date(text: &mut String, days: i64) -> bool {
    let (year, month, day) = civil(days);
    // The year before 1 is 1 BC: there is no year 0.
    put(text, if year < 1 { 1_i64.saturating_sub(year) } else { year }, 4);
    text.push('-');
    put(text, month, 2);
    text.push('-');
    put(text, day, 2);
    year < 1
}

fn put_time(text: &mut String, micros: i64) {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    put(text, seconds / 3_600, 2);
    text.push(':');
    put(text, seconds / 60 % 60, 2);
    text.push(':');
    put(text, seconds % 60, 2);
    if fraction != 0 {
        text.push('.');
        put(text, fraction, 6);
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// A date, as the server writes it in ISO style.
pub(crate) fn date(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".to_owned(),
        i32::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let mut text = String::with_capacity(10);
    if put_date(&mut text, i64::from(days)) {
        text.push_str(" BC");
    }
    text
}

/// A time of day.
pub(crate) fn time(micros: i64) -> String {
    let mut text = String::with_capacity(15);
    put_time(&mut text, micros);
    text
}

/// A moment without a zone, as the server writes it in ISO style.
pub(crate) fn timestamp(micros: i64) -> String {
    moment(micros, ' ', "").0
}

/// An instant, RFC 3339 in UTC. `Err` with the server's style where RFC 3339 has no words: before the year 1,
/// after 9999, and at the ends of time.
pub(crate) fn instant(micros: i64) -> Result<String, String> {
    match moment(micros, 'T', "Z") {
        (text, true) => Ok(text),
        (_, false) => Err(moment(micros, ' ', "+00").0),
    }
}

fn moment(micros: i64, between: char, zone: &str) -> (String, bool) {
    match micros {
        i64::MAX => return ("infinity".to_owned(), false),
        i64::MIN => return ("-infinity".to_owned(), false),
        _ => {}
    }
    let mut text = String::with_capacity(27);
    let is_before = put_date(&mut text, micros.div_euclid(DAY));
    let is_late = text.len() > 10;
    text.push(between);
    put_time(&mut text, micros.rem_euclid(DAY));
    text.push_str(zone);
    if is_before {
        text.push_str(" BC");
    }
    (text, !is_before && !is_late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, due) in [
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (60, "2000-03-01"),
            (366, "2001-01-01"),
            (-1, "1999-12-31"),
            (-10_957, "1970-01-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (2_921_939, "9999-12-31"),
            (2_921_940, "10000-01-01"),
            (i32::MAX, "infinity"),
        ] {
            assert_eq!(date(days), due, "{days}");
        }
    }

    #[test]
    fn instants_are_rfc_3339_where_that_has_words() {
        assert_eq!(instant(0).unwrap(), "2000-01-01T00:00:00Z");
        assert_eq!(instant(-1).unwrap(), "1999-12-31T23:59:59.999999Z");
        assert_eq!(instant(1_500_000).unwrap(), "2000-01-01T00:00:01.5Z");
        assert_eq!(instant(i64::MIN).unwrap_err(), "-infinity");
        assert_eq!(timestamp(86_399_000_010), "2000-01-01 23:59:59.00001");
        assert_eq!(time(DAY), "24:00:00");
    }
}
