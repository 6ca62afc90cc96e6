//! The codes of states and actions, parsed once at the door.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::org::{define_text, known_text};

define_text! {
    /// The code of a state of a workflow, such as `PENDING_REVIEW`.
    ///
    /// It has 1 to 32 of `A` to `Z`, `0` to `9` and `_`, begins with a letter and does not end with `_`. Parsing
    /// anything else fails with [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::workflow::StateCode;
    ///
    /// assert_eq!("PENDING_REVIEW".parse::<StateCode>()?.as_str(), "PENDING_REVIEW");
    /// assert!("Pending review".parse::<StateCode>().is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    StateCode, is_code, "the code of a state",
        "write 1 to 32 of: A to Z, 0 to 9, `_`; a letter first, and no `_` at the end";
    /// The code of an action that leads from one state of a workflow to another, such as `REQUEST_CHANGES`.
    ///
    /// It has the form of a [`StateCode`]. Parsing anything else fails with [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::workflow::ActionCode;
    ///
    /// let action: ActionCode = "REQUEST_CHANGES".parse()?;
    /// assert_eq!(action.to_string(), "REQUEST_CHANGES");
    /// assert!("_SUBMIT".parse::<ActionCode>().is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    ActionCode, is_code, "the code of an action",
        "write 1 to 32 of: A to Z, 0 to 9, `_`; a letter first, and no `_` at the end";
}

known_text! { StateCode, ActionCode, }

fn is_code(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (1..=32).contains(&text.len())
        && text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && !text.ends_with('_')
}
