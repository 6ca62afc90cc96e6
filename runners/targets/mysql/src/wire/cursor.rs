//! Reads the parts of a packet, and writes them. The words are those of MySQL's manual, "Protocol Basics".

use crate::wire::Fault;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.bytes(N)?.try_into().map_err(|_| Fault::Malformed)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that says by its first byte how long it is.
    pub(crate) fn number(&mut self) -> Result<u64, Fault> {
        match self.u8()? {
            0xfc => self.u16().map(u64::from),
            0xfd => {
                let [a, b, c] = self.array()?;
                Ok(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xfe => self.u64(),
            0xff | 0xfb => Err(Fault::Malformed),
            small => Ok(u64::from(small)),
        }
    }

    /// Bytes after their length.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], Fault> {
        let count = usize::try_from(self.number()?).map_err(|_| Fault::Malformed)?;
        self.bytes(count)
    }

    /// Text after its length.
    pub(crate) fn text(&mut self) -> Result<String, Fault> {
        self.counted().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Bytes up to a zero, which is taken too. Without one, all that is left.
    pub(crate) fn up_to_zero(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let taken = self.0.get(..end).unwrap_or_default();
        self.0 = self.0.get(end.saturating_add(1)..).unwrap_or_default();
        taken
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes a number as [`Cursor::number`] reads it.
pub(crate) fn put_number(to: &mut Vec<u8>, number: u64) {
    match (u8::try_from(number), u16::try_from(number)) {
        (Ok(small), _) if small < 0xfb => to.push(small),
        (_, Ok(number)) => {
            to.push(0xfc);
            to.extend(number.to_le_bytes());
        }
        (_, Err(_)) => {
            to.push(0xfe);
            to.extend(number.to_le_bytes());
        }
    }
}

/// Writes bytes after their length.
pub(crate) fn put_counted(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::{Cursor, put_counted, put_number};

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 0xfa, 0xfb, 0xfc, 0xff, 0x100, 0xffff, 0x1_0000, 1 << 24, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            let mut cursor = Cursor(&bytes);
            assert_eq!(cursor.number().unwrap(), number);
            assert!(cursor.is_empty());
        }
        // Three bytes, which only servers write.
        assert_eq!(Cursor(&[0xfd, 1, 2, 3]).number().unwrap(), 0x03_02_01);
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_no_panic() {
        let mut bytes = Vec::new();
        put_counted(&mut bytes, &[7; 300]);
        for end in 0..bytes.len() {
            Cursor(&bytes[..end]).counted().unwrap_err();
        }
        assert_eq!(Cursor(&bytes).counted().unwrap(), [7; 300]);
        assert_eq!(Cursor(b"ab\0c").up_to_zero(), b"ab");
        assert_eq!(Cursor(b"ab").up_to_zero(), b"ab");
    }
}
