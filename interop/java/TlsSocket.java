import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * The JDK's SSLSocket. PEER_CA: the roots; PEER_VERSION: TLSv1.2 or TLSv1.3; PEER_P12 and PEER_P12_PASSWORD: a client
 * certificate; PEER_TIMES: connections of one SSLContext; PEER_ALPN: names between commas. For each connection:
 * `version V`, `cipher C`, `alpn A`, `session N` (the same N where it was resumed); then `STATUS BODY`, or `refused WHY`.
 */
class TlsSocket {
    public static void main(String[] args) throws Exception {
        var url = new URI(env("PEER_URL", ""));
        var context = context();
        long first = 0;
        for (int i = 0; i < Integer.parseInt(env("PEER_TIMES", "1")); i++) {
            try (var socket = (SSLSocket) context.getSocketFactory().createSocket(url.getHost(), url.getPort())) {
                socket.setSoTimeout(30_000);
                var parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                if (System.getenv("PEER_VERSION") != null) {
                    parameters.setProtocols(new String[] {System.getenv("PEER_VERSION")});
                }
                if (System.getenv("PEER_ALPN") != null) {
                    parameters.setApplicationProtocols(System.getenv("PEER_ALPN").split(","));
                }
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                var session = socket.getSession();
                System.out.println("version " + session.getProtocol());
                System.out.println("cipher " + session.getCipherSuite());
                System.out.println("alpn " + socket.getApplicationProtocol());
                first = first == 0 ? session.getCreationTime() : first;
                System.out.println("session " + (session.getCreationTime() - first));
                ask(socket);
            } catch (IOException why) {
                System.out.println("refused " + why.getMessage());
            }
            // A new session is of another millisecond than the one before.
            Thread.sleep(20);
        }
    }

    static void ask(SSLSocket socket) throws IOException {
        String request = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        var all = new ByteArrayOutputStream();
        socket.getInputStream().transferTo(all);
        String text = all.toString(StandardCharsets.UTF_8);
        if (text.isEmpty()) {
            throw new IOException("closed without an answer");
        }
        String body = text.substring(text.indexOf("\r\n\r\n") + 4);
        System.out.println(text.split(" ")[1] + " " + body.replaceAll("\\s+", " "));
    }

    static SSLContext context() throws Exception {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        int count = 0;
        try (var file = new FileInputStream(env("PEER_CA", ""))) {
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                trusted.setCertificateEntry("root" + count++, certificate);
            }
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = null;
        if (System.getenv("PEER_P12") != null) {
            char[] password = env("PEER_P12_PASSWORD", "").toCharArray();
            var store = KeyStore.getInstance("PKCS12");
            try (var file = new FileInputStream(System.getenv("PEER_P12"))) {
                store.load(file, password);
            }
            keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, password);
        }
        var context = SSLContext.getInstance("TLS");
        context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
