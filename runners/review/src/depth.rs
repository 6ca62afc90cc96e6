//! How deep a parser would have to go. A tree that is too deep would overflow the stack when it is walked or
//! dropped, and the parser limits the nesting of expressions only, not the length of a chain of operators.

use alloc::vec::Vec;

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

/// Whether a parser can walk this statement without going too deep.
pub(crate) fn is_shallow(tokens: &Tokens<'_>) -> bool {
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
