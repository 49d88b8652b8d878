use crate::Identity;
use crate::measure::Measured;

#[cfg(not(feature = "openssl"))]
pub(crate) fn server(_: &Identity) -> Option<Box<dyn Measured>> {
    None
}

#[cfg(feature = "openssl")]
pub(crate) fn server(identity: &Identity) -> Option<Box<dyn Measured>> {
    Some(Box::new(linked::Openssl::new(identity)))
}

#[cfg(feature = "openssl")]
mod linked {
    use crate::Identity;
    use crate::client::Kind;
    use crate::measure::{Connection, Message, Server};
    use openssl::pkey::PKey;
    use openssl::ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslStream, SslVersion};
    use openssl::x509::X509;
    use std::io::{self, Read, Write};

    /// OpenSSL, over memory.
    pub(crate) struct Openssl(SslContext);

    /// What came and was not read yet, and what is to be sent.
    #[derive(Default)]
    pub(crate) struct Memory {
        came: Vec<u8>,
        read: usize,
        sent: Vec<u8>,
    }

    pub(crate) struct Stream {
        ssl: SslStream<Memory>,
        is_through: bool,
    }

    impl Openssl {
        pub(crate) fn new(identity: &Identity) -> Self {
            let build = || -> Result<SslContext, openssl::error::ErrorStack> {
                let mut context = SslContext::builder(SslMethod::tls_server())?;
                context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
                let certificate = X509::from_der(&identity.certificate)?;
                let key = PKey::private_key_from_der(identity.key())?;
                context.set_certificate(&certificate)?;
                context.set_private_key(&key)?;
                context.set_session_id_context(b"bench")?;
                context.set_session_cache_mode(SslSessionCacheMode::OFF);
                context.set_options(SslOptions::NO_RENEGOTIATION);
                context.set_num_tickets(2)?;
                Ok(context.build())
            };
            Self(build().expect("a context"))
        }
    }

    impl Server for Openssl {
        type Connection = Stream;

        fn name(&self) -> &'static str {
            "openssl"
        }

        fn speaks(&self, kind: Kind) -> bool {
            kind != Kind::Hybrid || openssl::version::number() >= 0x3050_0000
        }

        fn begin(&self) -> Stream {
            let mut ssl = Ssl::new(&self.0).expect("a connection");
            ssl.set_accept_state();
            Stream { ssl: SslStream::new(ssl, Memory::default()).expect("a stream"), is_through: false }
        }
    }

    impl Connection for Stream {
        fn hear(&mut self, flight: &[u8], out: &mut Vec<u8>) {
            self.ssl.get_mut().came.extend_from_slice(flight);
            if !self.is_through {
                match self.ssl.accept() {
                    Ok(()) => self.is_through = true,
                    Err(error) => assert_eq!(error.code(), ErrorCode::WANT_READ, "{error:?}"),
                }
            }
            out.append(&mut self.ssl.get_mut().sent);
        }

        fn is_through(&self) -> bool {
            self.is_through
        }

        fn seal(&mut self, message: &mut Message) {
            let len = message.data().len();
            assert_eq!(self.ssl.ssl_write(message.data()).expect("sealed"), len);
            message.out.append(&mut self.ssl.get_mut().sent);
        }

        fn unseal<'m>(&mut self, record: &'m mut [u8], plain: &'m mut [u8]) -> &'m [u8] {
            self.ssl.get_mut().came.extend_from_slice(record);
            let read = self.ssl.ssl_read(plain).expect("unsealed");
            &plain[..read]
        }
    }

    impl Read for Memory {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let mut rest = &self.came[self.read..];
            if rest.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let read = rest.read(into)?;
            self.read += read;
            if self.read == self.came.len() {
                self.came.clear();
                self.read = 0;
            }
            Ok(read)
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.sent.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
