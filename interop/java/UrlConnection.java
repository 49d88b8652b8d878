import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** The JDK's HttpURLConnection with its own NTLM. See ../README.md for what it is told and says. */
class UrlConnection {
    public static void main(String[] args) throws Exception {
        String domain = env("PEER_DOMAIN", ""), user = env("PEER_USER", ""), body = System.getenv("PEER_BODY");
        String name = domain.isEmpty() ? user : domain + "\\" + user;
        Authenticator.setDefault(new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(name, env("PEER_PASSWORD", "").toCharArray());
            }
        });
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

    static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
