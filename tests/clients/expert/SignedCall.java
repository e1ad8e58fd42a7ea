// Calls with a signature: the vendor's sample in Java, its hex from the JDK in place of a library.
//
// https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
//
// Run it as `java SignedCall.java`; EX_BASE (scheme, host and port), EX_KEY, EX_SECRET and EX_USER (a
// number, or `=` and a login name) say where and on whose behalf.

import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Date;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class SignedCall {
    public static void main(String[] arguments) throws Exception {
        String key = System.getenv("EX_KEY");
        String secret = System.getenv("EX_SECRET");
        String user = System.getenv("EX_USER");

        // hash time, key, user with secret
        String epoch = Long.toString(new Date().getTime() / 1000L);
        Mac sha256_HMAC = Mac.getInstance("HmacSHA256");
        SecretKeySpec secret_key = new SecretKeySpec(secret.getBytes(), "HmacSHA256");
        sha256_HMAC.init(secret_key);
        String message = key + "_" + epoch + "_" + user;
        String hash = HexFormat.of().formatHex(sha256_HMAC.doFinal(message.getBytes()));
        String token = String.join("_", "tkn", key, epoch, user, hash);

        // send signature as X-Deki-Token HTTP header to MindTouch API
        URL url = new URL(System.getenv("EX_BASE") + "/@api/deki/pages/home/info");
        HttpURLConnection con = (HttpURLConnection) url.openConnection();
        con.setRequestMethod("GET");
        con.setRequestProperty("X-Deki-Token", token);

        if (con.getResponseCode() != 200) {
            System.err.println("Error: " + con.getResponseCode());
            System.exit(1);
        }
        System.out.println(new String(con.getInputStream().readAllBytes(), "UTF-8"));
    }
}
