//! What every peer of the benches needs: a clock, a counted heap, the line protocol, and an NTLMv2 initiator.

mod heap;
mod initiator;
mod peer;
mod session;

pub use heap::{Counting, Heap};
pub use initiator::{Identity, Initiator, fresh};
pub use peer::{Command, Figures, cpu, serve};
pub use session::Session;
