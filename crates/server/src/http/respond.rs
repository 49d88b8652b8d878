use super::scheme;
use super::who::Who;
use crate::config::SchemeName;
use crate::decision::CorrelationId;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

pub(crate) type Answer = Response<Full<Bytes>>;

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const PERSISTENT_AUTH: HeaderName = HeaderName::from_static("persistent-auth");
const PROXY_SUPPORT: HeaderName = HeaderName::from_static("proxy-support");

/// In which form a client wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Json,
}

impl Form {
    /// JSON for clients that prefer it (RFC 9110 §12.5.1), the page for all others.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let (mut json, mut html) = (None, None);
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in accepted.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
            let quality = quality.unwrap_or(1.0);
            match kind.as_str() {
                "application/json" | "application/*" => json = Some(quality.max(json.unwrap_or(0.0))),
                "text/html" | "application/xhtml+xml" | "text/*" => html = Some(quality.max(html.unwrap_or(0.0))),
                _ => {}
            }
        }
        match (json, html) {
            (Some(json), Some(html)) if json > html => Self::Json,
            (Some(json), None) if json > 0.0 => Self::Json,
            _ => Self::Html,
        }
    }
}

/// What a 401 offers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offers {
    /// The values of WWW-Authenticate, in order.
    pub(crate) challenges: Vec<String>,
    /// Whether a scheme that belongs to the connection is among them.
    pub(crate) connection_bound: bool,
}

/// Who the client is.
pub(crate) fn who(form: Form, who: &Who, id: &CorrelationId, persistent: bool) -> Answer {
    let text = match form {
        Form::Json => who.json(),
        Form::Html => who.html(),
    };
    let mut answer = base(StatusCode::OK, form, text, Some(id));
    let value = HeaderValue::from_static(if persistent { "true" } else { "false" });
    answer.headers_mut().insert(PERSISTENT_AUTH, value);
    answer
}

/// Not authenticated: the offers, and a correlation id. Why is the operator's to know.
pub(crate) fn unauthorized(form: Form, offers: &Offers, id: Option<&CorrelationId>) -> Answer {
    let shown = id.map_or("none", CorrelationId::as_str);
    let text = match form {
        Form::Json => format!("{{\"error\":\"not authenticated\",\"correlation_id\":\"{shown}\"}}\n"),
        Form::Html => page("Not authenticated", &format!("Correlation id <code>{shown}</code>")),
    };
    let mut answer = base(StatusCode::UNAUTHORIZED, form, text, id);
    for challenge in &offers.challenges {
        if let Ok(value) = HeaderValue::from_str(challenge) {
            answer.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    if offers.connection_bound {
        let value = HeaderValue::from_static("Session-Based-Authentication");
        answer.headers_mut().insert(PROXY_SUPPORT, value);
    }
    answer
}

/// A handshake's token for the client, under its scheme: to be answered after a 401, the last one otherwise.
pub(crate) fn add_token(answer: &mut Answer, scheme: SchemeName, token: &[u8]) {
    let value = format!("{} {}", scheme.name(), scheme::encode(token));
    if let Ok(value) = HeaderValue::from_str(value.trim_end()) {
        answer.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
}

/// The headers are larger than the server takes; the connection closes.
pub(crate) fn headers_too_large(form: Form, bound: usize, id: Option<&CorrelationId>) -> Answer {
    let what = format!("The request's headers are larger than the {bound} bytes that this server takes");
    let why = "Cookies, or an authentication token that holds too many groups, are the usual reasons.";
    let text = match form {
        Form::Json => format!("{{\"error\":\"{what}\"}}\n"),
        Form::Html => page(&what, why),
    };
    closing(base(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, form, text, id))
}

/// CONNECT: this is no proxy.
pub(crate) fn no_tunnel(form: Form, id: Option<&CorrelationId>) -> Answer {
    let text = match form {
        Form::Json => "{\"error\":\"this server is no proxy\"}\n".to_owned(),
        Form::Html => page("This server is no proxy", ""),
    };
    closing(base(StatusCode::METHOD_NOT_ALLOWED, form, text, id))
}

/// Whether the server can do its work.
pub(crate) fn health(well: bool) -> Answer {
    let (status, text) =
        if well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable\n") };
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A CORS preflight, which browsers send without credentials.
pub(crate) fn preflight() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin, Access-Control-Request-Method"));
    answer
}

/// Lets a configured origin's pages read the answer.
pub(crate) fn allow_origin(mut answer: Answer, origin: &HeaderValue, preflight: bool) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if preflight {
        let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let allowed = HeaderValue::from_static("Accept, Authorization, Content-Type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    answer
}

/// The connection closes after this answer.
pub(crate) fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn base(status: StatusCode, form: Form, text: String, id: Option<&CorrelationId>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let kind = match form {
        Form::Json => "application/json",
        Form::Html => "text/html; charset=utf-8",
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept, Authorization"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(value) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(X_CORRELATION_ID, value);
    }
    answer
}

/// A short page. Both texts are ours.
fn page(title: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>:root {{ color-scheme: light dark; }} body {{ font: 16px/1.5 system-ui, sans-serif; margin: 3rem; }}</style>\n\
         <h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_prefer_it() {
        for (accept, form) in [
            ("application/json", Form::Json),
            ("application/json, text/html;q=0.5", Form::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Html),
            ("application/json;q=0.3, text/html", Form::Html),
            ("application/json;q=0", Form::Html),
            ("*/*", Form::Html),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Form::wanted(&headers), form, "{accept}");
        }
        assert_eq!(Form::wanted(&HeaderMap::new()), Form::Html);
    }

    #[test]
    fn a_refusal_offers_and_says_no_more_than_its_id() {
        let offers = Offers { challenges: vec!["NTLM".into(), "Basic realm=\"x\"".into()], connection_bound: true };
        let id = CorrelationId::new().unwrap();
        let answer = unauthorized(Form::Json, &offers, Some(&id));
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers().get_all(header::WWW_AUTHENTICATE).iter().count(), 2);
        assert_eq!(answer.headers()[PROXY_SUPPORT], "Session-Based-Authentication");
        assert_eq!(answer.headers()[X_CORRELATION_ID], id.as_str());
        assert!(!answer.headers().contains_key(PERSISTENT_AUTH));
    }
}
