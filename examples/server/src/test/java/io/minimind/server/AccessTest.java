package io.minimind.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** Who may ask, and what others are told. */
class AccessTest {
  private static final String BODY =
      "{\"max_tokens\": 2, \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}";

  static {
    // The header is what browsers send and a program may not; the tests play both.
    System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host,origin");
  }

  private static int status(DemoServer server, String path, String... headers) throws IOException {
    HttpRequest.Builder request = server.request(path);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return server.send(request.GET().build()).statusCode();
  }

  @Test
  void keysAreAskedFor() throws IOException {
    try (DemoServer server = DemoServer.start(b -> b.apiKey("one").apiKey("two"))) {
      for (String path : new String[] {"/v1/models", "/api/tags", "/metrics", "/nothing"}) {
        assertEquals(401, status(server, path), path);
        assertEquals(401, status(server, path, "Authorization", "Bearer three"), path);
        assertEquals(401, status(server, path, "Authorization", "one"), path);
      }
      assertEquals(200, status(server, "/v1/models", "Authorization", "Bearer one"));
      assertEquals(200, status(server, "/v1/models", "authorization", "bearer two"));
      assertEquals(200, status(server, "/v1/models", "x-api-key", "two"));
      assertEquals(401, server.post("/v1/chat/completions", BODY).statusCode());
      HttpResponse<String> refused = server.get("/v1/models");
      assertTrue(refused.body().contains("invalid_api_key"));
      assertEquals("Bearer", refused.headers().firstValue("www-authenticate").orElseThrow());
      for (String path : new String[] {"/health", "/ready", "/", "/app.js"}) {
        assertEquals(200, status(server, path), path);
      }
    }
  }

  @Test
  void pagesOfOthersMayNotAskUnlessTheyAreNamed() throws IOException {
    try (DemoServer server = DemoServer.start(b -> b.corsOrigin("https://a.example"))) {
      String own = server.uri("/").toString().replaceAll("/$", "");
      assertEquals(200, status(server, "/v1/models", "Origin", own));
      assertEquals(403, status(server, "/v1/models", "Origin", "https://b.example"));
      assertEquals(403, status(server, "/v1/models", "Origin", "null"));
      // A name of theirs that was made to point here.
      assertEquals(
          403, status(server, "/v1/models", "Origin", "http://b.example", "Host", "b.example"));
      HttpRequest preflight =
          server
              .request("/v1/chat/completions")
              .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
              .header("Origin", "https://a.example")
              .header("Access-Control-Request-Headers", "authorization")
              .build();
      HttpResponse<String> allowed = server.send(preflight);
      assertEquals(204, allowed.statusCode());
      assertEquals(
          "https://a.example",
          allowed.headers().firstValue("access-control-allow-origin").orElseThrow());
      assertEquals(
          "authorization",
          allowed.headers().firstValue("access-control-allow-headers").orElseThrow());
    }
    try (DemoServer server = DemoServer.start(b -> b)) {
      assertEquals(403, status(server, "/v1/models", "Origin", "https://a.example"));
      HttpResponse<String> plain = server.get("/v1/models");
      assertFalse(plain.headers().firstValue("access-control-allow-origin").isPresent());
    }
  }

  @Test
  void thePageMayLoadNothingFromElsewhere() throws IOException {
    try (DemoServer server = DemoServer.start(b -> b)) {
      HttpResponse<String> page = server.get("/");
      String policy = page.headers().firstValue("content-security-policy").orElseThrow();
      assertTrue(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self'"));
      assertFalse(policy.contains("unsafe"));
      for (String name : new String[] {"index.html", "app.js", "markdown.js", "chat.css"}) {
        HttpResponse<String> file = server.get("/" + name);
        assertEquals(200, file.statusCode());
        assertTrue(file.body().length() > 500, name);
        assertFalse(file.body().contains("innerHTML"), name);
        assertFalse(file.body().matches("(?s).*(src|href)=\"https?:.*"), name);
        assertFalse(file.body().matches("(?s).*(import|url)\\(?\\s*['\"]https?:.*"), name);
      }
      assertEquals(404, server.get("/page/index.html").statusCode());
    }
  }

  @Test
  void settingsOutOfTheirRangeAreRefused() {
    MiniMindServer.Builder builder = MiniMindServer.builder();
    assertThrows(IllegalArgumentException.class, () -> builder.port(65536));
    assertThrows(IllegalArgumentException.class, () -> builder.parallel(0));
    assertThrows(IllegalArgumentException.class, () -> builder.queue(-1));
    assertThrows(IllegalArgumentException.class, () -> builder.apiKey(" "));
    assertThrows(IllegalArgumentException.class, builder::start);
  }

  @Test
  void anAddressThatThisMachineDoesNotKnowIsNamed() {
    assertEquals(
        "The server cannot listen at no.such.address.invalid:8080: this machine knows no such"
            + " address.",
        assertThrows(
                IOException.class,
                () -> DemoServer.start(b -> b.host("no.such.address.invalid").port(8080)).close())
            .getMessage());
  }

  @Test
  void aPortThatIsTakenIsASentence() throws IOException {
    try (DemoServer server = DemoServer.start(b -> b)) {
      int port = server.uri("/").getPort();
      String message =
          assertThrows(IOException.class, () -> DemoServer.start(b -> b.port(port)).close())
              .getMessage();
      assertTrue(message.startsWith("The server cannot listen at 127.0.0.1:" + port), message);
      assertTrue(message.contains("in use"), message);
      assertTrue(message.endsWith("; choose another port."), message);
    }
  }
}
