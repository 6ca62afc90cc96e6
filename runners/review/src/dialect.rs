//! Whose SQL it is.

/// Whose SQL a script is written in.
///
/// ```
/// use placet_sql_review::Dialect;
///
/// assert_eq!(Dialect::from("postgresql"), Dialect::PostgreSql);
/// assert_eq!(Dialect::from("something else"), Dialect::Generic);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each reads text in its own way")]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    PostgreSql,
    /// `MySQL` and `MariaDB`.
    MySql,
    /// A database that is not known. No function of it is known to be harmless.
    Generic,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::PostgreSql, Self::MySql, Self::Generic];

    /// The word of the plugin interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::PostgreSql => "postgresql",
            Self::MySql => "mysql",
            Self::Generic => "generic",
        }
    }
}

impl From<&str> for Dialect {
    fn from(word: &str) -> Self {
        Self::ALL.into_iter().find(|dialect| dialect.word() == word).unwrap_or(Self::Generic)
    }
}
