//! How deep a parser would have to go. A tree that is too deep would overflow the stack when it is walked or
//! dropped, and the parser limits the nesting of expressions only, not the length of a chain of operators.

use alloc::vec::Vec;

use crate::dialect::Dialect;
use crate::lexer::Kind;
use crate::tokens::Tokens;

/// The longest chain of operators, in all parentheses around it together.
const CHAIN_MAX: u32 = 400;

/// The most parentheses and brackets within one another.
const NESTED_MAX: usize = 48;

/// Words that chain.
const CHAINS: &[&str] = &[
    "AND",
    "OR",
    "XOR",
    "NOT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "MINUS",
    "IS",
    "ISNULL",
    "NOTNULL",
    "LIKE",
    "ILIKE",
    "RLIKE",
    "REGEXP",
    "GLOB",
    "MATCH",
    "SIMILAR",
    "IN",
    "BETWEEN",
    "COLLATE",
    "AT",
    "DIV",
    "MOD",
    "OVERLAPS",
    "JOIN",
    "ARRAY",
    "OPERATOR",
    "CASE",
    "BINARY",
    "PRIOR",
    "OF",
];

/// Words that begin a statement within a statement. Nobody needs many of them.
const STATEMENTS: &[&str] = &["EXPLAIN", "DESCRIBE", "PREPARE", "BEGIN", "IF", "WHILE", "LOOP"];

const STATEMENTS_MAX: usize = 8;

/// Whether a parser that goes down at each step can walk `statement` in an ordinary stack.
///
/// ```
/// use placet_sql_review::is_shallow;
/// assert!(is_shallow("SELECT (1 + 2)", "postgresql"));
/// assert!(!is_shallow(&format!("SELECT 1{}", " + 1".repeat(1_000)), "postgresql"));
/// ```
pub fn is_shallow(statement: &str, dialect: &str) -> bool {
    Tokens::of(statement, Dialect::from(dialect)).is_some_and(|tokens| can_walk(&tokens))
}

/// Whether a parser can walk this statement without going too deep.
pub(crate) fn can_walk(tokens: &Tokens<'_>) -> bool {
    let calls = |at: usize| tokens.is_symbol(at.saturating_add(1), b'(');
    let statements = (0..tokens.len()).filter(|at| tokens.is_any(*at, STATEMENTS) && !calls(*at));
    if statements.take(STATEMENTS_MAX.saturating_add(1)).count() > STATEMENTS_MAX {
        return false;
    }
    if nests_joins(tokens) {
        return false;
    }
    let words = (0..3).filter(|at| tokens.is_any(*at, &["EXPLAIN", "DESCRIBE", "DESC"]));
    if words.count() > 1 {
        return false;
    }
    let mut outer: Vec<u32> = Vec::new();
    // The operators around this place and before it, since the last comma.
    let (mut base, mut chain) = (0_u32, 0_u32);
    for at in 0..tokens.len() {
        match tokens.kind(at) {
            Some(Kind::Symbol(b'(' | b'[' | b'{')) => {
                if outer.len() >= NESTED_MAX {
                    return false;
                }
                // A subscript or an array of arrays is a step down too.
                outer.push(base);
                base = base.saturating_add(chain).saturating_add(1);
                chain = 0;
            }
            Some(Kind::Symbol(b')' | b']' | b'}')) => {
                let former = outer.pop().unwrap_or(0);
                chain = base.saturating_sub(former);
                base = former;
            }
            Some(Kind::Symbol(b',' | b';') | Kind::End) => chain = 0,
            Some(Kind::Symbol(b'.')) => {}
            Some(Kind::Symbol(_)) => chain = chain.saturating_add(1),
            Some(Kind::Word) if tokens.is_any(at, CHAINS) => chain = chain.saturating_add(1),
            Some(Kind::Word | Kind::Name | Kind::Text | Kind::Number | Kind::Executable) | None => {
            }
        }
        if base.saturating_add(chain) > CHAIN_MAX {
            return false;
        }
    }
    true
}

/// The most joins whose condition comes later: `a JOIN b JOIN c ON … ON …`. The parser goes down at each.
const JOINS_OPEN_MAX: u32 = 8;

fn nests_joins(tokens: &Tokens<'_>) -> bool {
    let mut open = 0_u32;
    (0..tokens.len()).any(|at| {
        if tokens.is_any(at, &["ON", "USING"]) {
            open = open.saturating_sub(1);
        } else if tokens.is(at, "JOIN") {
            let before = at.saturating_sub(3)..at;
            let needs_none = before.into_iter().any(|at| tokens.is_any(at, &["NATURAL", "CROSS"]));
            open = open.saturating_add(u32::from(!needs_none));
        }
        open > JOINS_OPEN_MAX
    })
}
