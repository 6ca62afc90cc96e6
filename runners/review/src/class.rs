//! What a statement is, in the words of the plugin interface.

use alloc::string::String;
use alloc::vec::Vec;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[expect(clippy::exhaustive_enums, reason = "each is shown and judged in its own way")]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The word of the plugin interface.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// What a statement does.
    ///
    /// ```
    /// use placet_sql_review::{Kind, classify};
    /// assert_eq!(classify("SELECT 1", "sqlite").kind, Kind::Read);
    /// assert_eq!(Kind::Ddl.word(), "ddl");
    /// ```
    Kind {
        /// It changes nothing.
        Read = "read",
        /// It changes rows.
        Write = "write",
        /// It changes the schema.
        Ddl = "ddl",
        /// Nobody can tell.
        Unknown = "unknown",
    }
}

words! {
    /// How much harm a statement can do.
    ///
    /// ```
    /// use placet_sql_review::{Risk, classify};
    /// assert_eq!(classify("not SQL at all", "sqlite").risk, Risk::High);
    /// assert!(Risk::Critical > Risk::High);
    /// ```
    Risk {
        /// None: it only reads.
        None = "none",
        /// It adds.
        Low = "low",
        /// It changes what is named.
        Medium = "medium",
        /// It changes much, or is not understood.
        High = "high",
        /// It destroys, or takes the transaction out of our hands.
        Critical = "critical",
    }
}

words! {
    /// How a statement takes effect.
    ///
    /// ```
    /// use placet_sql_review::{Effect, classify};
    /// let alone = classify("CREATE INDEX CONCURRENTLY by_day ON orders (day)", "postgresql");
    /// assert_eq!(alone.effect, Effect::AtMostOnce);
    /// ```
    Effect {
        /// With the transaction that it runs in.
        Transactional = "transactional",
        /// By itself and at once: nothing can undo it, and a lost answer stays unknown.
        AtMostOnce = "at-most-once",
    }
}

words! {
    /// The strongest lock that a statement takes, in words that fit every database.
    ///
    /// ```
    /// use placet_sql_review::{Lock, classify};
    /// assert_eq!(classify("CREATE INDEX a ON b (c)", "postgresql").lock, Lock::Share);
    /// assert_eq!(classify("ALTER TABLE b ADD COLUMN c int", "postgresql").lock, Lock::Exclusive);
    /// ```
    Lock {
        /// None that anybody would notice.
        None = "none",
        /// Rows.
        Rows = "rows",
        /// Others may read and not write.
        Share = "share",
        /// Nobody else may even read.
        Exclusive = "exclusive",
    }
}

/// What a statement is and does.
///
/// ```
/// use placet_sql_review::{Kind, Risk, classify};
///
/// let class = classify("UPDATE shop.Orders SET cents = 0 WHERE id = 7", "postgresql");
/// assert_eq!((class.kind, class.risk), (Kind::Write, Risk::Medium));
/// assert_eq!(class.objects, ["shop.orders"]);
/// assert!(!class.needs_person);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Class {
    /// What it does.
    pub kind: Kind,
    /// How much harm it can do.
    pub risk: Risk,
    /// How it takes effect.
    pub effect: Effect,
    /// The strongest lock that it takes.
    pub lock: Lock,
    /// Whether it writes a whole table anew.
    pub rewrites: bool,
    /// Whether another statement can undo it without rows kept beforehand.
    pub reversible: bool,
    /// The tables and other objects that it names: lower case, with their schema where the text names one, sorted.
    /// Empty where that cannot be told.
    pub objects: Vec<String>,
    /// Whether a person must read it, whatever a rule says: it could not be understood.
    pub needs_person: bool,
}

impl Class {
    pub(crate) const fn new(kind: Kind, risk: Risk, lock: Lock, reversible: bool) -> Self {
        Self {
            kind,
            risk,
            effect: Effect::Transactional,
            lock,
            rewrites: false,
            reversible,
            objects: Vec::new(),
            needs_person: false,
        }
    }

    /// What could not be understood may do anything.
    pub(crate) fn unparsed() -> Self {
        Self { needs_person: true, ..Self::new(Kind::Unknown, Risk::High, Lock::Exclusive, false) }
    }
}
