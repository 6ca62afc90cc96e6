//! Numbers of any length, as the server sends them: groups of four decimal digits.

/// Appends a group of four digits.
fn put(text: &mut String, group: i16) {
    for place in [1_000, 100, 10, 1] {
        let digit = group.checked_div(place).map_or(0, |digits| digits % 10);
        text.push(char::from(b'0'.saturating_add(u8::try_from(digit).unwrap_or(0))));
    }
}

/// Reads the binary form of `numeric`. `None` where the bytes are none.
pub(crate) fn read(raw: &[u8]) -> Option<String> {
    let mut words = raw.chunks(2).map(|word| word.try_into().map(i16::from_be_bytes).ok());
    let mut next = || words.next().flatten();
    let (count, weight, sign, scale) = (next()?, next()?, next()?, next()?);
    let sign = match sign.cast_unsigned() {
        0 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let groups: Vec<i16> = (0..count).map(|_| next()).collect::<Option<_>>()?;
    let group = |at: i32| -> i16 {
        // Groups that are not sent are zero.
        let at = i32::from(weight).saturating_sub(at);
        usize::try_from(at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0)
    };
    let mut text = sign.to_owned();
    let first = text.len();
    for at in (0..=i32::from(weight).max(0)).rev() {
        put(&mut text, group(at));
    }
    let zeros = text.get(first..)?.bytes().take_while(|digit| *digit == b'0').count();
    let digits = text.len().saturating_sub(first);
    text.replace_range(first..first.saturating_add(zeros.min(digits.saturating_sub(1))), "");
    if scale > 0 {
        text.push('.');
        let whole = text.len();
        let scale = usize::from(scale.unsigned_abs());
        let mut at = -1_i32;
        while text.len().saturating_sub(whole) < scale {
            put(&mut text, group(at));
            at = at.saturating_sub(1);
        }
        text.truncate(whole.saturating_add(scale));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::read;

    fn number(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn digits_come_in_groups_of_four() {
        for (words, due) in [
            (vec![0, 0, 0, 0], "0"),
            (vec![0, 0, 0, 2], "0.00"),
            (vec![1, 0, 0, 0, 7], "7"),
            (vec![2, 1, 0x4000, 0, 1, 2], "-10002"),
            (vec![1, 1, 0, 0, 12], "120000"),
            (vec![1, -1, 0, 4, 5], "0.0005"),
            (vec![1, -2, 0, 6, 1200], "0.000012"),
            (vec![3, 1, 0, 1, 12, 3456, 7000], "123456.7"),
        ] {
            assert_eq!(read(&number(&words)).as_deref(), Some(due), "{words:?}");
        }
        assert_eq!(read(&number(&[0, 0])), None);
        assert_eq!(read(&number(&[2, 0, 0, 0, 1])), None, "a group is missing");
    }
}
