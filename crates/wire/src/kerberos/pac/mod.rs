//! The privilege attribute certificate of a ticket (MS-PAC).
