package io.minimind.server;

import static io.minimind.server.DemoServer.JSON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many clients, and bad ones. The property {@code minimind.server.scale} multiplies their numbers:
 * 1 in every build, 10 for those that the documentation speaks of.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RobustnessTest {
  private static final int SCALE = Integer.getInteger("minimind.server.scale", 1);
  private static final String CHAT = "/v1/chat/completions";

  /** An answer of as many tokens as the context has room for: it may not end. */
  private static final String ENDLESS =
      "{\"messages\": [{\"role\": \"user\", \"content\": \"你是谁？\"}], \"logit_bias\": {\"2\": -100}";

  private static String question(int i, String more) {
    return "{\"messages\": [{\"role\": \"user\", \"content\": \"第%d个问题：你是谁？\"}], \"seed\": %d%s}"
        .formatted(i, i, more);
  }

  @Test
  void everyoneOf64AtOnceGetsWhatOneAloneDoes() throws Exception {
    int clients = 64;
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try (DemoServer server = DemoServer.start(b -> b);
        LanguageModel alone =
            LanguageModel.load(DemoServer.folder(), LoadOptions.defaults().withThreads(1))) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        String body = question(i, ", \"temperature\": 0.5, \"max_tokens\": 30");
        answers.add(
            threads.submit(
                () -> server.ask(CHAT, body).at("/choices/0/message/content").textValue()));
      }
      for (int i = 0; i < clients; i++) {
        GenerationOptions options =
            GenerationOptions.defaults().withTemperature(0.5).withSeed(i).withMaxNewTokens(30);
        String expected =
            alone
                .reply(
                    List.of(Message.user("第%d个问题：你是谁？".formatted(i))),
                    ChatOptions.defaults().withGeneration(options))
                .text();
        assertEquals(expected, answers.get(i).get(), "client " + i);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void memoryStaysFlat() throws Exception {
    int requests = SCALE == 1 ? 300 : 10_000;
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (DemoServer server = DemoServer.start(b -> b)) {
      long before = 0;
      for (int i = 0; i < requests; i += 4) {
        List<Future<JsonNode>> four = new ArrayList<>();
        for (int j = i; j < i + 4; j++) {
          String body = question(j, ", \"max_tokens\": 2, \"stream\": false");
          four.add(threads.submit(() -> server.ask(CHAT, body)));
        }
        for (Future<JsonNode> one : four) {
          assertEquals("assistant", one.get().at("/choices/0/message/role").textValue());
        }
        if (before == 0 && i >= requests / 2) {
          before = usedHeap();
        }
      }
      long grown = usedHeap() - before;
      assertTrue(grown < 8 << 20, grown + " bytes more");
      assertEquals(requests, server.metric("minimind_requests_total"), 4);
    } finally {
      threads.shutdownNow();
    }
  }

  private static long usedHeap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void clientsThatVanishFreeTheirPlaces() throws Exception {
    int vanishing = 100 * SCALE;
    try (DemoServer server = DemoServer.start(b -> b.queue(20_000))) {
      double before = secondsToAnswer(server);
      for (int i = 0; i < vanishing; i++) {
        boolean streams = i % 2 == 0;
        try (Socket socket = connect(server)) {
          socket.getOutputStream().write(post(ENDLESS + ", \"stream\": " + streams + "}"));
          if (streams && i % 4 == 0) {
            socket.getInputStream().read(new byte[20]);
          }
        }
      }
      assertEventually(0, () -> server.metric("minimind_answers_active"));
      assertEquals(0, server.metric("minimind_answers_queued"));
      assertEventually(vanishing, () -> server.metric("minimind_cancelled_total"));
      double written = server.metric("minimind_completion_tokens_total");
      // Each alone would have written more than 200.
      assertTrue(written < 100 * vanishing, written + " tokens");
      assertAnswersSoon(server, before);
    }
  }

  private interface Value {
    double get() throws IOException;
  }

  private static void assertEventually(double expected, Value value) throws Exception {
    double last = value.get();
    long patience = TimeUnit.SECONDS.toNanos(60);
    for (long changed = System.nanoTime();
        last != expected && System.nanoTime() - changed < patience; ) {
      Thread.sleep(10);
      double now = value.get();
      changed = now == last ? changed : System.nanoTime();
      last = now;
    }
    assertEquals(expected, last);
  }

  /**
   * A normal client is answered within a second, or, where others compute on this machine and made
   * it wait already before, in not much more time than then.
   *
   * @param before what {@link #secondsToAnswer} was
   */
  private static void assertAnswersSoon(DemoServer server, double before) throws IOException {
    double now = secondsToAnswer(server);
    assertTrue(now < Math.max(1, 3 * before), "%f s, before %f s".formatted(now, before));
  }

  /** Of three times the quickest: others may compute, too. */
  private static double secondsToAnswer(DemoServer server) throws IOException {
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      server.ask(CHAT, question(1, ", \"max_tokens\": 2"));
      best = Math.min(best, (System.nanoTime() - start) / 1e9);
    }
    return best;
  }

  @Test
  void clientsThatNeverReadHoldNobodyUp() throws Exception {
    int silent = 20 * SCALE;
    List<Socket> sockets = new ArrayList<>();
    // Every token brings its alternatives: more than the buffers between the two take.
    String body =
        ENDLESS
            + ", \"stream\": true, \"logprobs\": true, \"top_logprobs\": 20, \"max_tokens\": 40}";
    try (DemoServer server =
        DemoServer.start(b -> b.queue(20_000).idleTimeout(Duration.ofSeconds(120)))) {
      double before = secondsToAnswer(server);
      for (int i = 0; i < silent; i++) {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(1024);
        socket.connect(
            new java.net.InetSocketAddress("127.0.0.1", server.uri("/").getPort()), 5000);
        socket.getOutputStream().write(post(body));
        sockets.add(socket);
      }
      // Their answers are computed to the end, though nobody takes them.
      assertEventually(
          0,
          () ->
              server.metric("minimind_answers_active") + server.metric("minimind_answers_queued"));
      assertAnswersSoon(server, before);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void aFullQueueIsToldSoWithTheTimeToWait() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(30);
    try (DemoServer server =
        DemoServer.start(DemoServer.folder(), 2, b -> b.parallel(2).queue(1))) {
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        answers.add(threads.submit(() -> server.post(CHAT, ENDLESS + "}")));
      }
      Map<Integer, Integer> counts = new HashMap<>();
      for (Future<HttpResponse<String>> answer : answers) {
        HttpResponse<String> response = answer.get();
        counts.merge(response.statusCode(), 1, Integer::sum);
        if (response.statusCode() == 429) {
          int wait = Integer.parseInt(response.headers().firstValue("retry-after").orElseThrow());
          assertTrue(wait >= 1 && wait <= 60);
          assertTrue(response.body().contains("server_busy"));
        }
      }
      assertEquals(30, counts.get(200) + counts.get(429), counts.toString());
      assertTrue(counts.get(200) >= 3, counts.toString());
      assertEquals(429, server.post(CHAT, ENDLESS + ", \"n\": 4}").statusCode());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void garbageGetsItsStatus() throws Exception {
    try (DemoServer server = DemoServer.start(b -> b.largestBody(1 << 20))) {
      double before = secondsToAnswer(server);
      byte[] noise = new byte[1 << 20];
      new Random(1).nextBytes(noise);
      assertEquals(
          400,
          server
              .post(CHAT, new String(noise, 0, 300_000, StandardCharsets.ISO_8859_1))
              .statusCode());
      assertEquals(413, server.post(CHAT, "x".repeat((1 << 20) + 1)).statusCode());
      assertEquals(400, server.post(CHAT, "[".repeat(500_000)).statusCode());
      assertEquals(
          400, server.post(CHAT, "{\"messages\":" + "[{\"a\":".repeat(50_000)).statusCode());
      assertEquals(400, server.post(CHAT, "").statusCode());
      assertEquals(400, server.post(CHAT, "{\"n\": " + "9".repeat(5000) + "}").statusCode());
      assertEquals(404, server.post("/v1/chat", "{}").statusCode());
      assertEquals(404, server.get("/" + "x".repeat(5000)).statusCode());
      assertEquals(405, server.get(CHAT).statusCode());
      assertEquals("POST", server.get(CHAT).headers().firstValue("allow").orElseThrow());
      assertEquals(405, server.post("/v1/models", "{}").statusCode());
      assertTrue(raw(server, noise).matches("(?s)(HTTP/1.1 4.*)?"));
      assertTrue(
          raw(server, "GET / HTTP/9.9\r\n\r\n".getBytes(StandardCharsets.UTF_8)).contains(" 505 "));
      String large = "GET / HTTP/1.1\r\nHost: x\r\nA: " + "x".repeat(40_000) + "\r\n\r\n";
      assertTrue(raw(server, large.getBytes(StandardCharsets.UTF_8)).contains(" 431 "));
      String huge = "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
      assertTrue(raw(server, huge.getBytes(StandardCharsets.UTF_8)).contains(" 413 "));
      assertAnswersSoon(server, before);
    }
  }

  /** What the server says before it closes the connection, or nothing. */
  private static String raw(DemoServer server, byte[] bytes) throws IOException {
    try (Socket socket = connect(server)) {
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readNBytes(2000), StandardCharsets.UTF_8);
    } catch (SocketException e) {
      return ""; // it did not wait for all of it
    }
  }

  @Test
  void slowClientsAreCutOff() throws Exception {
    try (DemoServer server =
        DemoServer.start(
            b -> b.requestTimeout(Duration.ofSeconds(1)).idleTimeout(Duration.ofSeconds(3)))) {
      double before = secondsToAnswer(server);
      List<Socket> idle = new ArrayList<>();
      for (int i = 0; i < 100 * SCALE; i++) {
        idle.add(connect(server));
      }
      CompletableFuture<Boolean> dripping =
          CompletableFuture.supplyAsync(() -> isCutOff(server, "GET / HTTP/1.1\r\nHost: x\r\nA: "));
      CompletableFuture<String> body =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return raw(
                      server,
                      ("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
                          .getBytes(StandardCharsets.UTF_8));
                } catch (IOException e) {
                  return e.toString();
                }
              });
      assertAnswersSoon(server, before);
      assertTrue(dripping.get());
      assertTrue(body.get().contains(" 408 "), body.get());
      for (Socket socket : idle) {
        assertEquals(-1, socket.getInputStream().read());
        socket.close();
      }
      assertAnswersSoon(server, before);
    }
  }

  /** Whether the server closes a connection on which a byte comes now and then. */
  private static boolean isCutOff(DemoServer server, String begin) {
    try (Socket socket = connect(server)) {
      socket.setSoTimeout(100);
      socket.getOutputStream().write(begin.getBytes(StandardCharsets.UTF_8));
      for (int i = 0; i < 100; i++) {
        socket.getOutputStream().write('x');
        try {
          if (socket.getInputStream().read() < 0) {
            return true;
          }
        } catch (SocketTimeoutException e) {
          // Still open.
        }
      }
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void aStreamIsFinishedBeforeTheServerStops() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (LanguageModel model =
        LanguageModel.load(DemoServer.folder(), MiniMindServer.loadOptions(2).withThreads(1))) {
      MiniMindServer server =
          MiniMindServer.builder().model(DemoServer.NAME, model).port(0).start();
      try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
        socket.setSoTimeout(30_000);
        socket.getOutputStream().write(post(ENDLESS + ", \"stream\": true}"));
        String begin = new String(socket.getInputStream().readNBytes(400), StandardCharsets.UTF_8);
        assertTrue(begin.startsWith("HTTP/1.1 200"), begin);
        Future<?> closing = threads.submit(server::close);
        String rest = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(rest.contains("data: [DONE]"), rest);
        assertTrue(rest.contains("\"finish_reason\":\"length\""), rest);
        closing.get(20, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static Socket connect(DemoServer server) throws IOException {
    Socket socket = new Socket("127.0.0.1", server.uri("/").getPort());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static byte[] post(String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST "
            + CHAT
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n";
    byte[] request = new byte[head.length() + bytes.length];
    System.arraycopy(head.getBytes(StandardCharsets.UTF_8), 0, request, 0, head.length());
    System.arraycopy(bytes, 0, request, head.length(), bytes.length);
    return request;
  }

  @Test
  void whatIsAnsweredIsCounted() throws IOException {
    try (DemoServer server = DemoServer.start(b -> b)) {
      JsonNode usage = server.ask(CHAT, question(1, ", \"max_tokens\": 3")).path("usage");
      server.ask(CHAT, question(1, ", \"max_tokens\": 3"));
      server.post(CHAT, "{");
      int prompt = usage.path("prompt_tokens").intValue();
      assertEquals(2 * prompt, server.metric("minimind_prompt_tokens_total"));
      assertEquals(prompt - 1, server.metric("minimind_prompt_cached_tokens_total"));
      assertEquals(2, server.metric("minimind_time_to_first_token_seconds_count"));
      String metrics = server.get("/metrics").body();
      assertTrue(
          metrics.contains(
              "minimind_requests_total{path=\"/v1/chat/completions\",status=\"400\"} 1.0"),
          metrics);
      assertEquals("ok", JSON.readTree(server.get("/health").body()).path("status").asText());
    }
  }
}
