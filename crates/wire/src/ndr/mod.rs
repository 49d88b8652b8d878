//! NDR, as far as a PAC needs it (C706 chapter 14, MS-RPCE 2.2.6).
