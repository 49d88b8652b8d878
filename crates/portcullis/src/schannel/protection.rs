use super::engine::Shared;
use crate::protection::{Halves, Open, Protection, Seal};
use crate::{CallCause, Control, Failure, Opened, Record, Segment};

/// A stream's keys. Both directions share one state.
pub(super) struct StreamProtection(pub(super) Shared);

impl Protection for StreamProtection {
    fn halves(&self) -> Halves {
        (Box::new(Half(self.0.clone())), Box::new(Half(self.0.clone())))
    }

    fn make_list_mic(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn check_list_mic(&mut self, _: &[u8], _: &[u8]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }
}

struct Half(Shared);

impl Seal for Half {
    /// A stream signs nothing that stays readable.
    fn sign(&mut self, _: &mut [Segment<'_>]) -> Result<usize, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.0.lock().seal(message)
    }

    fn control(&mut self, control: Control, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.0.lock().control(control, out)
    }
}

impl Open for Half {
    fn verify(&mut self, _: &mut [Segment<'_>]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn unseal(&mut self, _: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn unseal_record(&mut self, stream: &mut [u8]) -> Result<Record, Failure> {
        self.0.lock().unseal(stream)
    }
}
