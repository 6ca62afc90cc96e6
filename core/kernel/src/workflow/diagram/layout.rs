//! Where everything of a picture is: the states in a column, in the order of their list; the ways down at its right,
//! the ways up at its left.
//!
//! Each end of an arrow has a height of its own at its box, its words stand over its first piece, and no two arrows
//! have one lane at the same height. So whatever the workflow is, nothing lies over anything else, but for lines that
//! cross.

use core::cmp::Reverse;

/// Between a box and whatever is above or below it, and around the picture.
const GAP: usize = 36;
/// Between two arrows at a box: the height of the words that stand over one.
const PORT: usize = 18;
/// From the upper edge of a box to its first arrow.
const PAD: usize = 18;
/// Between two lanes.
const LANE: usize = 14;
/// Between a box and the words at it.
pub(super) const SPACE: usize = 8;
const BOX_WIDTH_MIN: usize = 150;
const BOX_HEIGHT_MIN: usize = 50;

/// A box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Square {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// An arrow: from the side of a box at one height, along a lane, to the same side of a box at another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) side: Side,
    pub(super) start: (usize, usize),
    pub(super) lane: usize,
    pub(super) end: (usize, usize),
}

/// At which side of the boxes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) boxes: Vec<Square>,
    pub(super) lines: Vec<Line>,
}

/// One arrow before it has a place: from which box to which, and how wide its words are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) words: usize,
}

impl Way {
    const fn side(self) -> Side {
        if self.to < self.from { Side::Left } else { Side::Right }
    }
}

/// An end of an arrow: its number, and whether it begins there.
type End = (usize, bool);

/// Finds a place for boxes whose texts are so wide, and for the arrows between them.
pub(super) fn lay_out(texts: &[usize], ways: &[Way]) -> Layout {
    let widest = texts.iter().max().copied().unwrap_or_default();
    let width = widest.saturating_add(SPACE * 2).max(BOX_WIDTH_MIN);
    let mut heights = vec![(0, 0); ways.len()];
    let (mut boxes, mut y) = (Vec::new(), GAP);
    for state in 0..texts.len() {
        let sides = [Side::Left, Side::Right].map(|side| ends(state, side, ways));
        let most = sides.iter().map(Vec::len).max().unwrap_or_default();
        for side in &sides {
            for (place, (way, begins)) in side.iter().enumerate() {
                let at = y.saturating_add(PAD).saturating_add(place.saturating_mul(PORT));
                if let Some((start, end)) = heights.get_mut(*way) {
                    *(if *begins { start } else { end }) = at;
                }
            }
        }
        let height = most.saturating_mul(PORT).saturating_add(PAD).max(BOX_HEIGHT_MIN);
        boxes.push(Square { x: 0, y, width, height });
        y = y.saturating_add(height).saturating_add(GAP);
    }
    let (left, left_lanes) = lanes(Side::Left, ways, &heights);
    let (right, right_lanes) = lanes(Side::Right, ways, &heights);
    let words = |side| {
        let wide = ways.iter().filter(|way| way.side() == side).map(|way| way.words).max();
        wide.map_or(0, |wide| wide.saturating_add(SPACE * 2))
    };
    let x = GAP.saturating_add(left_lanes.saturating_mul(LANE)).saturating_add(words(Side::Left));
    for square in &mut boxes {
        square.x = x;
    }
    let edge = x.saturating_add(width);
    let first = edge.saturating_add(words(Side::Right));
    let lines = ways.iter().zip(&heights).enumerate().map(|(number, (way, (start, end)))| {
        let lane = |lanes: &[usize]| {
            let lane = lanes.get(number).copied().unwrap_or_default();
            lane.saturating_add(1).saturating_mul(LANE)
        };
        let (edge, lane) = match way.side() {
            Side::Left => (x, x.saturating_sub(words(Side::Left)).saturating_sub(lane(&left))),
            Side::Right => (edge, first.saturating_add(lane(&right))),
        };
        Line { side: way.side(), start: (edge, *start), lane, end: (edge, *end) }
    });
    let lines = lines.collect();
    let width = first.saturating_add(right_lanes.saturating_mul(LANE)).saturating_add(GAP);
    Layout { width, height: y, boxes, lines }
}

/// The ends at one side of a box from above to below, so that few lines cross: what comes from above is above what goes
/// down, and of two arrows the one in the outer lane is where the inner lane is not.
fn ends(state: usize, side: Side, ways: &[Way]) -> Vec<End> {
    let here = || ways.iter().enumerate().filter(|(_, way)| way.side() == side);
    let others = || here().filter(|(_, way)| way.from != way.to);
    let mut goes: Vec<_> = others().filter(|(_, way)| way.from == state).collect();
    let mut comes: Vec<_> = others().filter(|(_, way)| way.to == state).collect();
    goes.sort_by_key(|(number, way)| (Reverse(way.to), *number));
    comes.sort_by_key(|(number, way)| (Reverse(way.from), Reverse(*number)));
    let goes = goes.into_iter().map(|(number, _)| (number, true));
    let comes = comes.into_iter().map(|(number, _)| (number, false));
    match side {
        Side::Left => goes.chain(comes).collect(),
        Side::Right => {
            let own = here().filter(|(_, way)| way.from == state && way.to == state);
            let own = own.flat_map(|(number, _)| [(number, true), (number, false)]);
            comes.chain(own).chain(goes).collect()
        }
    }
}

/// Which lane each arrow of one side has, the innermost first, and how many there are. The shortest is innermost.
fn lanes(side: Side, ways: &[Way], heights: &[(usize, usize)]) -> (Vec<usize>, usize) {
    let span = |number: usize| {
        let (start, end) = heights.get(number).copied().unwrap_or_default();
        (start.min(end), start.max(end))
    };
    let mut here: Vec<usize> =
        (0..ways.len()).filter(|at| ways.get(*at).is_some_and(|way| way.side() == side)).collect();
    here.sort_by_key(|number| {
        let (above, below) = span(*number);
        (below.saturating_sub(above), *number)
    });
    let mut lane_of = vec![0; ways.len()];
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    for number in here {
        let (above, below) = span(number);
        let is_free =
            |lane: &Vec<(usize, usize)>| lane.iter().all(|(top, end)| below < *top || *end < above);
        let lane = taken.iter().position(is_free).unwrap_or_else(|| {
            taken.push(Vec::new());
            taken.len().saturating_sub(1)
        });
        if let (Some(of), Some(spans)) = (lane_of.get_mut(number), taken.get_mut(lane)) {
            *of = lane;
            spans.push((above, below));
        }
    }
    (lane_of, taken.len())
}
