import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Socket;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag;
import javax.security.auth.login.Configuration;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.MessageProp;
import org.ietf.jgss.Oid;

/**
 * The JDK's own Kerberos, with the tickets of KRB5CCNAME and the realm of KRB5_CONFIG.
 *
 * <p>Without arguments it asks PEER_URL by HttpURLConnection, and answers as ../README.md says; jdk.https.negotiate.cbt is
 * PEER_CBT, and javax.net.ssl.trustStore PEER_TRUST. With `HOST PORT` it signs and seals over TCP by GSSContext, as
 * ../python/kerberos_seal.py says, by PEER_MECHANISM and PEER_FLAGS and with the kinds `signed`, `sealed` and `wrapped`.
 */
class Kerberos {
    static final int[] SIZES = {0, 1, 7, 15, 16, 17, 100, 255, 256, 1000, 1024, 4096, 16384, 65535, 65536, 70000};

    public static void main(String[] args) throws Exception {
        System.setProperty("java.security.krb5.conf", env("KRB5_CONFIG", ""));
        System.setProperty("javax.security.auth.useSubjectCredsOnly", "false");
        System.setProperty("sun.security.krb5.debug", env("PEER_DEBUG", "false"));
        System.setProperty("jdk.https.negotiate.cbt", env("PEER_CBT", "never"));
        if (System.getenv("PEER_TRUST") != null) {
            System.setProperty("javax.net.ssl.trustStore", env("PEER_TRUST", ""));
            System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
        }
        var module = "com.sun.security.auth.module.Krb5LoginModule";
        var options = Map.of("useTicketCache", "true", "doNotPrompt", "true");
        var entry = new AppConfigurationEntry(module, LoginModuleControlFlag.REQUIRED, options);
        Configuration.setConfiguration(new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {entry};
            }
        });
        if (args.length == 0) {
            ask();
        } else {
            seal(args[0], Integer.parseInt(args[1]));
        }
    }

    static void ask() throws IOException {
        String body = System.getenv("PEER_BODY");
        for (int i = 0; i < Integer.parseInt(env("PEER_TIMES", "1")); i++) {
            var connection = (HttpURLConnection) new URL(env("PEER_URL", "")).openConnection();
            connection.setRequestProperty("Accept", "application/json");
            if (body != null) {
                connection.setDoOutput(true);
                connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
            }
            int status = connection.getResponseCode();
            var stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            String text = stream == null ? "" : new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            System.out.println(status + " " + text.replaceAll("\\s+", " "));
        }
    }

    static void seal(String host, int port) throws Exception {
        var service = new Frames(new Socket(host, port));
        GSSContext ours = context();
        byte[] token = ours.initSecContext(new byte[0], 0, 0);
        while (true) {
            if (token != null && token.length > 0) {
                service.send(token);
            }
            byte[] said = service.receive();
            if (said.length == 5) {
                if (said[0] != 0) {
                    System.out.printf("refused %08x%n", ByteBuffer.wrap(said, 1, 4).getInt());
                    return;
                }
                break;
            }
            token = ours.initSecContext(said, 0, said.length);
        }
        check(ours.isEstablished(), "the client does not think that it is through");
        System.out.println("established");
        var counts = new TreeMap<String, Integer>();
        for (int salt = 0; salt < 2; salt++) {
            for (int size : SIZES) {
                signed(ours, service, text(size, salt));
                wrapped(ours, service, text(size, salt), true);
                wrapped(ours, service, text(size, salt), false);
                for (String kind : List.of("signed", "sealed", "wrapped")) {
                    counts.merge(kind, 1, Integer::sum);
                }
            }
        }
        for (String kind : List.of("signed", "sealed", "wrapped")) {
            System.out.println(kind + " " + counts.get(kind));
        }
        byte[] forged = text(100, 1);
        byte[] signature = ours.getMIC(forged, 0, forged.length, new MessageProp(false));
        signature[signature.length - 1] ^= 1;
        service.send('S', signature, forged);
        byte[] answer = service.receive();
        check(answer[0] == 'F', "a forged signature was not refused");
        System.out.printf("forged %08x%ndone%n", ByteBuffer.wrap(answer, 1, 4).getInt());
    }

    static GSSContext context() throws GSSException {
        var manager = GSSManager.getInstance();
        var mechanism = new Oid(env("PEER_MECHANISM", "spnego").equals("spnego") ? "1.3.6.1.5.5.2" : "1.2.840.113554.1.2.2");
        var name = manager.createName(env("PEER_TARGET", "HTTP@localhost"), GSSName.NT_HOSTBASED_SERVICE);
        var context = manager.createContext(name, mechanism, null, GSSContext.DEFAULT_LIFETIME);
        var flags = Arrays.asList(env("PEER_FLAGS", "").split(","));
        context.requestMutualAuth(flags.contains("MUTUAL_AUTH"));
        context.requestConf(flags.contains("CONFIDENTIALITY"));
        context.requestReplayDet(flags.contains("REPLAY_DETECT"));
        context.requestSequenceDet(flags.contains("SEQUENCE_DETECT"));
        context.requestCredDeleg(flags.contains("DELEGATE"));
        return context;
    }

    static void signed(GSSContext ours, Frames service, byte[] text) throws Exception {
        byte[] token = ours.getMIC(text, 0, text.length, new MessageProp(false));
        List<byte[]> answer = service.ask('S', token, text);
        byte[] back = answer.get(1);
        check(Arrays.equals(back, reversed(text)), "another text came back");
        ours.verifyMIC(answer.get(0), 0, answer.get(0).length, back, 0, back.length, new MessageProp(false));
    }

    static void wrapped(GSSContext ours, Frames service, byte[] text, boolean sealed) throws Exception {
        byte[] token = ours.wrap(text, 0, text.length, new MessageProp(sealed));
        byte[] answer = service.ask(sealed ? 'E' : 'P', token).get(0);
        var how = new MessageProp(false);
        byte[] back = ours.unwrap(answer, 0, answer.length, how);
        check(Arrays.equals(back, reversed(text)) && how.getPrivacy() == sealed, "another text came back");
    }

    static byte[] text(int size, int salt) {
        byte[] text = new byte[size];
        for (int at = 0; at < size; at++) {
            text[at] = (byte) (at * 7 + salt);
        }
        return text;
    }

    static byte[] reversed(byte[] text) {
        byte[] back = new byte[text.length];
        for (int at = 0; at < text.length; at++) {
            back[at] = text[text.length - 1 - at];
        }
        return back;
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    /** A length of 32 bits and a payload; in a payload a kind, and pieces behind their lengths. */
    static class Frames {
        private final DataInputStream in;
        private final DataOutputStream out;

        Frames(Socket socket) throws IOException {
            socket.setTcpNoDelay(true);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
        }

        void send(byte[] payload) throws IOException {
            out.write(ByteBuffer.allocate(4 + payload.length).putInt(payload.length).put(payload).array());
        }

        void send(char kind, byte[]... pieces) throws IOException {
            int length = 1 + Arrays.stream(pieces).mapToInt(piece -> 4 + piece.length).sum();
            var payload = ByteBuffer.allocate(length).put((byte) kind);
            for (byte[] piece : pieces) {
                payload.putInt(piece.length).put(piece);
            }
            send(payload.array());
        }

        byte[] receive() throws IOException {
            byte[] payload = in.readNBytes(in.readInt());
            return payload;
        }

        List<byte[]> ask(char kind, byte[]... pieces) throws IOException {
            send(kind, pieces);
            var answer = ByteBuffer.wrap(receive());
            check(answer.get() == kind, "another kind of answer came");
            var found = new ArrayList<byte[]>();
            while (answer.hasRemaining()) {
                byte[] piece = new byte[answer.getInt()];
                answer.get(piece);
                found.add(piece);
            }
            if (found.size() != pieces.length) {
                throw new EOFException("another number of pieces came");
            }
            return found;
        }
    }
}
