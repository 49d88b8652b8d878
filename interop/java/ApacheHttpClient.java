import java.nio.charset.StandardCharsets;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.NTCredentials;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** Apache HttpClient 4 with its own NTLM engine. See ../README.md for what it is told and says. */
class ApacheHttpClient {
    public static void main(String[] args) throws Exception {
        var accounts = new BasicCredentialsProvider();
        accounts.setCredentials(AuthScope.ANY,
                new NTCredentials(env("PEER_USER", ""), env("PEER_PASSWORD", ""), "APACHE", env("PEER_DOMAIN", "")));
        String body = System.getenv("PEER_BODY");
        try (var client = HttpClients.custom().setDefaultCredentialsProvider(accounts).build()) {
            var context = HttpClientContext.create();
            for (int i = 0; i < Integer.parseInt(env("PEER_TIMES", "1")); i++) {
                HttpUriRequest request = new HttpGet(env("PEER_URL", ""));
                if (body != null) {
                    var post = new HttpPost(env("PEER_URL", ""));
                    post.setEntity(new StringEntity(body, StandardCharsets.UTF_8));
                    request = post;
                }
                request.setHeader("Accept", "application/json");
                try (var answer = client.execute(request, context)) {
                    String text = EntityUtils.toString(answer.getEntity(), StandardCharsets.UTF_8);
                    System.out.println(answer.getStatusLine().getStatusCode() + " " + text.replaceAll("\\s+", " "));
                }
            }
        }
    }

    static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
