//! A synthetic national registry: deterministic from a seed, coherent because it is made by the same actions as
//! real records, and of nobody: names are drawn independently and document numbers fail their check.

mod life;
mod load;
mod press;
mod story;

pub use load::{Done, LOADER, fill};
pub use story::Story;
